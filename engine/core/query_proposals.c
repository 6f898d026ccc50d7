/* query_proposals.c - proposals: what waits for a second person, and what became of what was proposed. */
#include "core/query_inside.h"

enum { LISTED_MAX = 500 };

static bool is_open(const struct value *row)
{
    return slice_is(value_get_text(row, "state"), "open");
}

/* What was given, as it stands in the entry that proposed it. */
static int proposed(struct asking *asking, const struct value *row, struct value *out)
{
    struct leaf leaf;
    int found = asked_leaf(asking, (uint64_t)value_get_int(row, "seq", 0), &leaf);

    if (found == 0)
        return run_refuse(asking->core, 500, "internal",
                          "The entry that proposed it cannot be read.");
    *out = found > 0 ? leaf.body : VALUE_NONE;
    return found > 0 ? 0 : -1;
}

/* Does what counts differ from what counted when it was proposed? Then nobody can agree to it any more. */
static bool is_stale(struct asking *asking, const struct value *row, const struct value *body)
{
    struct core *core = asking->core;
    struct slice base = value_get_bin(row, "base"), now;

    if (slice_is(value_get_text(row, "what"), "break_glass"))
        return false; /* it replaces nothing */
    now = slice_is(value_get_text(row, "what"), "directory")
              ? directory_base(core, value_get(body, "people"))
              : pack_that_counts(core);
    return !slice_equal(base, now);
}

static int proposal_value(struct asking *asking, int64_t number, const struct value *row,
                          bool is_full, struct value *out)
{
    static const char *const facts[] = {
        "what",      "by",        "at_ms",    "digest",   "says",   "state",
        "agreed_by", "agreed_ms", "ended_by", "ended_ms", "reason", "record",
        "event",     "ends_ms",   "used_ms",  "used_seq", "seq"};
    struct slice principal = asking->query->principal;
    const char *sentence = "";
    struct value body;

    *out = value_map();
    value_set(asking->arena, out, "proposal", value_int(number));
    copy_facts(asking->arena, row, facts, sizeof facts / sizeof facts[0], out);
    if (!is_full && !is_open(row))
        return 0;
    if (proposed(asking, row, &body) != 0)
        return -1;
    if (is_open(row)) {
        value_set(asking->arena, out, "stale", value_bool(is_stale(asking, row, &body)));
        value_set(asking->arena, out, "may_agree",
                  value_bool(!slice_equal(value_get_text(row, "by"), principal) &&
                             authority_agree(asking->core, principal, &sentence) == PERMIT));
    }
    if (is_full)
        value_set(asking->arena, out, "body", body);
    return 0;
}

static int64_t newest(struct core *core)
{
    return value_get_int(state_row(core->state, slice_str("next/proposal")), "n", 0);
}

/* args {proposal}: one, with its `body`; {all?}: those that are open, or all, the newest first. */
int query_proposals(struct asking *asking)
{
    struct core *core = asking->core;
    int64_t wanted = value_get_int(asking->args, "proposal", 0);
    bool is_all = value_get_bool(asking->args, "all", false);
    struct value one;

    if (wanted > 0 && proposal_row(core, wanted) == NULL)
        return run_refuse(core, 404, "no-record", "There is no proposal %lld.", (long long)wanted);
    if (wanted > 0)
        return proposal_value(asking, wanted, proposal_row(core, wanted), true, asking->out);
    *asking->out = value_array();
    for (int64_t n = newest(core); n > 0 && asking->out->count < LISTED_MAX; n--) {
        const struct value *row = proposal_row(core, n);

        if (row == NULL || (!is_all && !is_open(row)))
            continue;
        if (proposal_value(asking, n, row, false, &one) != 0)
            return -1;
        value_push(asking->arena, asking->out, one);
    }
    return 0;
}

/* What `prepare` says of an agreement: besides what is to be signed, the command and its arguments. */
int prepare_agreement(struct asking *asking)
{
    struct core *core = asking->core;
    int64_t number = value_get_int(asking->args, "proposal", 0);
    const struct value *row = proposal_row(core, number);
    struct slice what = value_get_text(row, "what"), stream = what;
    bool is_glass = slice_is(what, "break_glass");
    struct value body, args, *out = asking->out;

    if (row == NULL)
        return run_refuse(core, 404, "no-record", "There is no proposal %lld.", (long long)number);
    if (proposed(asking, row, &body) != 0)
        return -1;
    args = value_copy(asking->arena, &body);
    value_set(asking->arena, &args, "proposal", value_int(number));
    *out = value_map();
    value_set(asking->arena, out, "origin",
              value_text(value_get_text(state_row(core->state, slice_str("journal")), "origin")));
    value_set(asking->arena, out, "proposal", value_int(number));
    value_set(asking->arena, out, "command",
              is_glass
                  ? value_str("break_glass")
                  : value_text(textf(core, "%.*s.install", (int)what.len, (const char *)what.at)));
    if (is_glass) {
        stream = textf(core, "proposal/%lld", (long long)number);
        value_set(asking->arena, out, "record", *value_get(row, "record"));
    }
    value_set(asking->arena, out, "args", args);
    value_set(
        asking->arena, out, "type",
        is_glass ? value_str("break_glass.agreed")
                 : value_text(textf(core, "%.*s.installed", (int)what.len, (const char *)what.at)));
    value_set(asking->arena, out, "stream", value_text(stream));
    value_set(asking->arena, out, "rev",
              value_int(value_get_int(state_row(core->state, stream), "rev", 0)));
    value_set(asking->arena, out, "digest", *value_get(row, "digest"));
    value_set(asking->arena, out, "meaning", value_str(PROPOSAL_MEANING));
    value_set(asking->arena, out, "statement", value_text(proposal_statement(core, number, row)));
    value_set(asking->arena, out, "under", under_of(core, pack_that_counts(core)));
    value_set(asking->arena, out, "needs_signature", value_bool(true));
    return 0;
}

void each_open_proposal(struct asking *asking, struct slice person,
                        void (*each)(void *with, const struct value *row), void *with)
{
    struct core *core = asking->core;
    const struct value *open = value_get(state_row(core->state, slice_str("proposals")), "open");
    const char *sentence = "";

    if (!value_is(open, VALUE_MAP) || authority_agree(core, person, &sentence) != PERMIT)
        return;
    for (uint32_t i = 0; i < open->count; i++) {
        struct slice number = open->as.pairs[i].key;
        const struct value *row =
            state_rowf(core->state, "proposal/%.*s", (int)number.len, (const char *)number.at);

        if (is_open(row) && !slice_equal(value_get_text(row, "by"), person))
            each(with, row);
    }
}
