/* query_show.c - show: one record with everything that stands beside it. */
#include "core/query_inside.h"

enum { ROUNDS_MAX = 1000, BESIDE_MAX = 5000 };

static void put(struct asking *asking, const char *key, struct value value)
{
    value_set(asking->arena, asking->out, key, value);
}

static void put_facts(struct asking *asking, const struct subject *subject)
{
    static const char *const facts[] = {
        "kind",   "title",   "state",  "stage",      "owner",      "author",     "digest",
        "fields", "editors", "did",    "created_ms", "changed_ms", "entered_ms", "in_force_ms",
        "via",    "pack",    "bundle", "closed_ms",  "disposed",   "waived",     "under"};
    const struct state *state = kind_state(subject->kind, value_get_text(subject->row, "state"));
    struct slice version = value_get_text(subject->row, "version");
    struct slice phase = value_get_text(subject->row, "phase");

    put(asking, "record", value_text(subject->id));
    copy_facts(asking->arena, subject->row, facts, sizeof facts / sizeof facts[0], asking->out);
    put(asking, "version", version.len > 0 ? value_text(version) : VALUE_NONE);
    put(asking, "revision", value_int(value_get_int(subject->row, "rev", 0)));
    put(asking, "valid", value_bool(value_get_bool(subject->row, "valid", false)));
    put(asking, "pdca", state != NULL ? value_str(pdca_name(state->pdca)) : VALUE_NONE);
    if (phase.len > 0)
        put(asking, "phase", value_text(phase));
    else
        put(asking, "phase",
            state != NULL && state->stage == STAGE_DRAFT && state->edit.count > 0
                ? value_str("editing")
                : VALUE_NONE);
}

/* ---- rounds ---- */

/* Votes by person, each with what and when; the votes' own rows know when. */
static struct value votes_value(struct asking *asking, const struct subject *subject,
                                const struct value *round)
{
    const struct value *votes = value_get(round, "votes");
    struct value out = value_map();

    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++) {
        struct slice person = votes->as.pairs[i].key;
        const struct value *row =
            state_rowf(asking->core->state, "%.*s/round/%lld/%.*s", (int)subject->id.len,
                       (const char *)subject->id.at, (long long)value_get_int(round, "n", 0),
                       (int)person.len, (const char *)person.at);
        struct value vote = value_map();

        value_set(asking->arena, &vote, "person", value_text(person));
        value_set(asking->arena, &vote, "vote", votes->as.pairs[i].value);
        value_set(asking->arena, &vote, "at_ms", value_int(value_get_int(row, "at_ms", 0)));
        copy_facts(asking->arena, row,
                   (const char *const[]){"for", "delegation", "waived", "under"}, 4, &vote);
        value_put(asking->arena, &out, person, vote);
    }
    return out;
}

/* A round in stages: each with how it stands and what it takes. */
static struct value stages_value(struct asking *asking, const struct value *row)
{
    static const char *const facts[] = {"name",    "ask",     "counting", "percent", "veto",
                                        "require", "weights", "meaning",  "closing"};
    const struct value *stages = value_get(row, "stages");
    struct value list = value_array();
    struct round_ballot ballot;
    struct ballot_count count;

    round_ballot(asking->core, row, &ballot);
    ballot_count(&ballot.ballot, &count);
    for (int i = 0; i < ballot.ballot.stage_count; i++) {
        const struct value *stage = &stages->as.items[i];
        struct value out = value_map();

        copy_facts(asking->arena, stage, facts, sizeof facts / sizeof facts[0], &out);
        value_merge(asking->arena, &out,
                    value_find(value_get(row, "stage"), value_get_text(stage, "name")));
        value_set(asking->arena, &out, "granted", value_int(count.stages[i].granted));
        value_set(asking->arena, &out, "need", value_int(count.stages[i].needed));
        value_push(asking->arena, &list, out);
    }
    return list;
}

static struct value round_value(struct asking *asking, const struct subject *subject,
                                const struct value *row)
{
    static const char *const facts[] = {"n",         "state",     "need",   "ask",   "by",
                                        "opened_ms", "closed_ms", "digest", "why",   "bundle",
                                        "delegates", "asked",     "under",  "barred"};
    struct value round = value_map();

    copy_facts(asking->arena, row, facts, sizeof facts / sizeof facts[0], &round);
    value_set(asking->arena, &round, "votes", votes_value(asking, subject, row));
    if (row == subject->round && timer_due(subject->row, ROUND_EXPIRES) >= 0) {
        enum vote end = subject->kind->approval->on_expiry;

        value_set(asking->arena, &round, "expires_ms",
                  value_int(timer_due(subject->row, ROUND_EXPIRES)));
        value_set(asking->arena, &round, "on_expiry",
                  value_str(end == VOTE_NONE ? "void" : vote_name(end)));
    }
    value_set(asking->arena, &round, "waiting_for", still_to_vote(asking->arena, row));
    if (value_get(row, "stages") != NULL)
        value_set(asking->arena, &round, "stages", stages_value(asking, row));
    return round;
}

static void put_rounds(struct asking *asking, const struct subject *subject)
{
    int64_t count = value_get_int(subject->row, "rounds", 0);
    int64_t open = value_get_int(subject->row, "round", 0);
    struct value earlier = value_array();

    for (int64_t n = count > ROUNDS_MAX ? count - ROUNDS_MAX + 1 : 1; n <= count; n++) {
        const struct value *row =
            state_rowf(asking->core->state, "%.*s/round/%lld", (int)subject->id.len,
                       (const char *)subject->id.at, (long long)n);

        if (row != NULL && n != open)
            value_push(asking->arena, &earlier, round_value(asking, subject, row));
    }
    put(asking, "rounds", earlier);
    put(asking, "round",
        subject->round != NULL ? round_value(asking, subject, subject->round) : VALUE_NONE);
}

/* ---- beside the record ---- */

static void put_links(struct asking *asking, const struct subject *subject)
{
    const struct value *links = value_get(subject->row, "links");
    struct value list = value_array();

    for (uint32_t i = 0; value_is(links, VALUE_MAP) && i < links->count; i++) {
        static const char *const facts[] = {"title", "state", "stage", "kind"};
        const struct pair *pair = &links->as.pairs[i];
        struct value link = value_map();

        value_set(asking->arena, &link, "type", pair->value);
        value_set(asking->arena, &link, "record", value_text(pair->key));
        copy_facts(asking->arena, state_row(asking->core->state, pair->key), facts,
                   sizeof facts / sizeof facts[0], &link);
        value_push(asking->arena, &list, link);
        if (slice_is(value_slice(&pair->value), "superseded_by"))
            put(asking, "superseded_by", value_text(pair->key));
    }
    put(asking, "links", list);
}

static void put_timers(struct asking *asking, const struct subject *subject)
{
    const struct value *timers = value_get(subject->row, "timers");
    struct value list = value_array();

    for (uint32_t i = 0; value_is(timers, VALUE_MAP) && i < timers->count; i++) {
        const struct pair *pair = &timers->as.pairs[i];
        struct value timer = value_map();

        if (!value_is(&pair->value, VALUE_ARRAY) || pair->value.count == 0 ||
            pair->value.as.items[0].as.number < 0 || !timer_is_shown(pair->key))
            continue;
        value_set(asking->arena, &timer, "name", value_text(pair->key));
        value_set(asking->arena, &timer, "due_ms", pair->value.as.items[0]);
        value_push(asking->arena, &list, timer);
    }
    put(asking, "timers", list);
}

static struct value rows_beside(struct asking *asking, const struct subject *subject,
                                const char *what)
{
    struct value rows, list = value_array();

    state_rows(
        asking->core->state,
        textf(asking->core, "%.*s/%s/", (int)subject->id.len, (const char *)subject->id.at, what),
        BESIDE_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct value row = value_copy(asking->arena, value_get(&rows.as.items[i], "row"));

        value_remove(&row, slice_str("rev"));
        value_push(asking->arena, &list, row);
    }
    return list;
}

/* Who was asked to acknowledge: those who have, the names of those who have not, and who of these said why not. */
static void put_acks(struct asking *asking, const struct subject *subject)
{
    struct value rows = rows_beside(asking, subject, "ack");
    struct value given = value_array(), waiting = value_array(), declined = value_array();

    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = &rows.as.items[i], *person = value_get(row, "person");

        if (slice_is(value_get_text(row, "state"), "acknowledged"))
            value_push(asking->arena, &given, *row);
        else if (person != NULL)
            value_push(asking->arena, &waiting, *person);
        if (slice_is(value_get_text(row, "state"), "declined"))
            value_push(asking->arena, &declined, *row);
    }
    put(asking, "acks", given);
    put(asking, "acks_waiting", waiting);
    put(asking, "acks_declined", declined);
}

/* Tasks of all versions would be another's business: of this id alone. */
static void put_tasks(struct asking *asking, const struct subject *subject)
{
    struct value args = value_map(), list = VALUE_NONE;
    struct asking inner = *asking;

    value_set(asking->arena, &args, "record", value_text(subject->id));
    inner.args = &args;
    inner.out = &list;
    query_tasks(&inner);
    put(asking, "tasks", list);
}

/* ---- what comes next ---- */

static void put_next(struct asking *asking, const struct subject *subject)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    int state = kind_state_index(subject->kind, value_get_text(subject->row, "state"));
    struct slice who = asking->query->principal;
    struct value events = value_array();
    const char *sentence = "";

    for (int i = 0; state != MODEL_NONE && i < lifecycle->transition_count; i++) {
        const struct transition *transition = &lifecycle->transitions[i];
        struct slice event = slice_str(transition->event);

        if (!transition->from[state] || value_has_text(&events, event) ||
            (transition->vote != VOTE_NONE && !round_may_vote(subject->round, transition, who)) ||
            (transition->opens_round && subject->round != NULL))
            continue;
        if (authority_transition(asking->core, who, subject, transition, &sentence) == PERMIT)
            value_push(asking->arena, &events, value_text(event));
    }
    put(asking, "next_events", events);
    put(asking, "may_edit",
        value_bool(state != MODEL_NONE && lifecycle->states[state].edit.count > 0 &&
                   authority_edit(asking->core, who, subject, &sentence) == PERMIT));
}

int query_show(struct asking *asking)
{
    struct subject subject;
    const struct value *effective;

    if (asked_subject(asking, &subject) != 0)
        return -1;
    *asking->out = value_map();
    put_facts(asking, &subject);
    put_rounds(asking, &subject);
    put(asking, "waivers", waivers_value(asking, &subject));
    put_links(asking, &subject);
    put_timers(asking, &subject);
    put(asking, "deliveries", rows_beside(asking, &subject, "delivery"));
    put_acks(asking, &subject);
    put_tasks(asking, &subject);
    put_next(asking, &subject);
    effective = record_field(&subject, "effective_from");
    put(asking, "effective", effective != NULL ? *effective : VALUE_NONE);
    return 0;
}
