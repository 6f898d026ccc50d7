/* query_delegations.c - delegations: who stands in for whom, now and before, the newest first. */
#include "core/query_inside.h"

enum { LISTED_MAX = 500 };

/* ---- whose right ---- */

static bool may_for(struct asking *asking, const struct subject *subject,
                    const struct transition *transition, struct slice actor, struct slice person,
                    struct slice *number)
{
    const char *sentence = "";

    if (transition->vote != VOTE_NONE &&
        (!round_waits_for(subject->round, person) ||
         value_find(value_get(subject->round, "votes"), actor) != NULL ||
         value_has_text(value_get(subject->round, "ask"), actor)))
        return false;
    return authority_in_place(asking->core, actor, person, subject, transition, &sentence,
                              number) == PERMIT;
}

struct slice right_to_use(struct asking *asking, const struct subject *subject,
                          const struct transition *transition, struct slice person,
                          struct slice wanted, struct slice *number)
{
    struct value people = value_array();
    const char *sentence = "";

    *number = slice_of(NULL, 0);
    if (wanted.len > 0)
        return may_for(asking, subject, transition, person, wanted, number) ? wanted : person;
    if (authority_transition(asking->core, person, subject, transition, &sentence) == PERMIT)
        return person;
    authority_people_of(asking->core, subject, &transition->by, &people);
    for (uint32_t i = 0; i < people.count; i++) {
        struct slice other = value_slice(&people.as.items[i]);

        if (!slice_equal(other, person) &&
            may_for(asking, subject, transition, person, other, number))
            return other;
    }
    return person;
}

/* ---- the list ---- */

static const char *stands(const struct core *core, const struct value *row)
{
    return value_get(row, "ended_ms") != NULL                        ? "ended"
           : value_get_int(row, "end_ms", INT64_MAX) <= core->now_ms ? "over"
           : delegation_is_active(core, row)                         ? "active"
                                                                     : "to come";
}

/* args {person?, all?}: those that the person gave or was given; without `all` what is over is left out. */
int query_delegations(struct asking *asking)
{
    static const char *const facts[] = {"number",   "from",     "to",       "by",     "from_ms",
                                        "end_ms",   "kinds",    "roles",    "onward", "reason",
                                        "given_ms", "ended_ms", "ended_by", "under"};
    struct core *core = asking->core;
    struct slice person = value_get_text(asking->args, "person");
    bool is_all = value_get_bool(asking->args, "all", false);
    int64_t n = value_get_int(state_row(core->state, slice_str("next/delegation")), "n", 0);

    *asking->out = value_array();
    for (; n > 0 && asking->out->count < LISTED_MAX; n--) {
        const struct value *row = state_rowf(core->state, "delegation/%lld", (long long)n);
        const char *state = stands(core, row);
        struct value one = value_map();

        if (row == NULL || (!is_all && (strcmp(state, "ended") == 0 || strcmp(state, "over") == 0)))
            continue;
        if (person.len > 0 && !slice_equal(person, value_get_text(row, "from")) &&
            !slice_equal(person, value_get_text(row, "to")))
            continue;
        copy_facts(asking->arena, row, facts, sizeof facts / sizeof facts[0], &one);
        value_set(asking->arena, &one, "state", value_str(state));
        value_push(asking->arena, asking->out, one);
    }
    return 0;
}
