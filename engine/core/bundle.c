/* bundle.c - documents that are approved together, or not at all.
 *
 *     submit A with B ──> a round of each, over each one's own content, by each one's own rules
 *       │ all granted ─────────────────> each is approved, in one run
 *       │ one refused, returned ───────> so is each                      they are no bundle any more
 *       │ one edited, withdrawn, out of time ──> each round is void              "
 *       └ approved: what puts one in force puts each in force, in one run        "
 *
 * Until then each row has `bundle`: the ids of all, that which was submitted first. Whoever is asked in several of the
 * rounds votes in all of them with one command: its `also` carries, for each of the others, what was signed and the
 * signature, and each becomes a leaf of its own. So no document is approved by a signature that was not made over it.
 */
#include "core/inside.h"

static const struct value *bundle_of(const struct subject *subject)
{
    const struct value *bundle = value_get(subject->row, "bundle");

    return value_is(bundle, VALUE_ARRAY) ? bundle : NULL;
}

struct value bundle_others(struct core *core, const struct subject *subject)
{
    const struct value *bundle = bundle_of(subject);
    struct value others = value_array();

    for (uint32_t i = 0; bundle != NULL && i < bundle->count; i++) {
        if (!slice_equal(value_slice(&bundle->as.items[i]), subject->id))
            value_push(core->arena, &others,
                       value_text(keep_text(core, value_slice(&bundle->as.items[i]))));
    }
    return others;
}

static const struct transition *row_here(const struct subject *subject, struct slice event)
{
    return kind_transition(subject->kind,
                           kind_state_index(subject->kind, value_get_text(subject->row, "state")),
                           event);
}

/* ---- what was signed for each of the others ---- */

static const struct value *also_part(const struct question *question, struct slice record)
{
    const struct value *also = value_get(question->args, "also");

    for (uint32_t i = 0; value_is(also, VALUE_ARRAY) && i < also->count; i++) {
        if (slice_equal(value_get_text(&also->as.items[i], "record"), record))
            return &also->as.items[i];
    }
    return NULL;
}

bool bundle_part(const struct question *question, const struct subject *subject,
                 const struct transition *transition, struct question *out)
{
    const struct value *part = also_part(question, subject->id);
    const struct value *args = value_get(part, "args");

    *out = *question;
    out->record = subject->id;
    out->command = slice_str(transition->event);
    out->signature = value_get_bin(part, "signature");
    if (!value_is(args, VALUE_MAP))
        return false;
    out->args = args;
    return true;
}

/* What may be signed for one of the others: a decision and its reason, no change of fields. */
static bool is_part(const struct value *part)
{
    static const char *const keys[] = {"meaning", "digest",  "round",      "key", "statement",
                                       "reason",  "comment", "sig_format", "for", "under"};
    const struct value *args = value_get(part, "args");
    bool is_known = value_is(args, VALUE_MAP) && value_get_text(part, "record").len > 0;

    for (uint32_t i = 0; is_known && i < args->count; i++) {
        is_known = false;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            is_known = is_known || slice_is(args->as.pairs[i].key, keys[k]);
    }
    return is_known && part->count == 3 && value_get(part, "signature") != NULL;
}

int bundle_check_also(struct core *core, const struct question *question, uint32_t wanted)
{
    const struct value *also = value_get(question->args, "also");
    uint32_t given = value_is(also, VALUE_ARRAY) ? also->count : 0;

    for (uint32_t i = 0; i < given; i++) {
        if (!is_part(&also->as.items[i]))
            return run_refuse(core, 400, "malformed",
                              "\"also\" is a list of {record, args, signature}, and the args are "
                              "those of a decision.");
    }
    if (also != NULL && !value_is(also, VALUE_ARRAY))
        return run_refuse(core, 400, "malformed",
                          "\"also\" is a list of {record, args, signature}.");
    if (given == wanted)
        return 0;
    return run_refuse(core, 409, "stale-content",
                      "This decision takes a signature over each of %u more records that go "
                      "together with %.*s, and %u came with it; look at them again (`prepare` says "
                      "which).",
                      wanted, (int)question->record.len, (const char *)question->record.at, given);
}

/* ---- submitted together ---- */

/* Fills `together` with what is to be submitted besides. */
static int find_other(struct core *core, const struct question *question,
                      const struct subject *lead, const struct value *name,
                      struct bundle_submit *together)
{
    struct subject *other = &together->others[together->count];
    const struct transition *row;

    if (!value_is(name, VALUE_STR) || subject_of(core, value_slice(name), other) != 0)
        return core->run->is_refused
                   ? -1
                   : run_refuse(core, 400, "malformed", "\"with\" is a list of record ids.");
    for (int i = -1; i < together->count; i++) {
        if (slice_equal(other->id, i < 0 ? lead->id : together->others[i].id))
            return run_refuse(core, 400, "malformed", "%.*s is named twice.", (int)other->id.len,
                              (const char *)other->id.at);
    }
    row = row_here(other, question->command);
    if (row == NULL || row->creates || !row->opens_round)
        return refuse_event(core, other, question->command);
    if (other->round != NULL)
        return run_refuse(core, 409, "wrong-state", "%.*s already awaits approval.",
                          (int)other->id.len, (const char *)other->id.at);
    if (meaning_of(other, row, question->principal) != NULL)
        return run_refuse(core, 422, "guard-failed",
                          "To submit %.*s is itself signed: submit it first, with the others.",
                          (int)other->id.len, (const char *)other->id.at);
    together->rows[together->count++] = row;
    if (permit_event(core, question, other, row) != 0)
        return -1;
    return guard_transition(core, other, row, question->principal, question->args);
}

int bundle_gather(struct core *core, const struct question *question, const struct subject *lead,
                  const struct transition *transition, struct bundle_submit *together)
{
    const struct value *with = value_get(question->args, "with");

    together->count = 0;
    if (with == NULL)
        return 0;
    if (!transition->opens_round || !value_is(with, VALUE_ARRAY) || with->count == 0 ||
        with->count >= BUNDLE_MAX)
        return run_refuse(core, 400, "malformed",
                          "\"with\" names 1 to %d more records, where an approval is asked for.",
                          BUNDLE_MAX - 1);
    for (uint32_t i = 0; i < with->count; i++) {
        if (find_other(core, question, lead, &with->as.items[i], together) != 0)
            return -1;
    }
    together->ids = value_array();
    value_push(core->arena, &together->ids, value_text(lead->id));
    for (int i = 0; i < together->count; i++)
        value_push(core->arena, &together->ids, value_text(together->others[i].id));
    return 0;
}

/* A query asks without a command: it shows what would hold but for the signatures. */
static bool is_by_person(const struct core *core, struct slice actor)
{
    return core->question->kind == QUESTION_COMMAND && core->question->command.len > 0 &&
           slice_equal(actor, core->question->principal);
}

/* One of the others makes the same event because of leaf `cause`, for `actor`: with what was signed for it, else by the
 * engine. */
static int move_other(struct core *core, const struct subject *subject,
                      const struct transition *transition, struct slice actor, int64_t cause,
                      struct slice lead, struct value bundle)
{
    struct value args = value_map();
    struct move move = {.subject = *subject, .transition = transition};
    struct question part;
    bool is_person = is_by_person(core, actor);
    bool is_signed = is_person && bundle_part(core->question, subject, transition, &part) &&
                     part.signature.len > 0;

    if (run_has_changed(core, subject->id))
        return run_refuse(core, 409, "wrong-state",
                          "%.*s changes by this very command and cannot go together with %.*s.",
                          (int)subject->id.len, (const char *)subject->id.at, (int)lead.len,
                          (const char *)lead.at);
    value_set(core->arena, &args, "with", value_text(lead));
    move.author = is_signed ? run_principal(core) : run_engine(cause);
    move.author.cause = cause;
    move.author.signature = is_signed ? part.signature : slice_of(NULL, 0);
    move.person = is_person ? actor : slice_of(NULL, 0);
    move.args = is_signed ? part.args : &args;
    move.type = textf(core, "record.%s", transition->event);
    move.own = value_map();
    move.effects = value_map();
    value_set(core->arena, &move.own, "bundle", bundle);
    return move_make(core, &move);
}

int bundle_submit(struct core *core, struct slice lead, const struct bundle_submit *together,
                  int64_t cause)
{
    struct subject first;

    for (int i = 0; i < together->count; i++) {
        if (move_other(core, &together->others[i], together->rows[i], core->question->principal,
                       cause, lead, together->ids) != 0)
            return -1;
    }
    /* The first was asked before the others were open: a delegate who is asked in one of those himself can stand in for
     * nobody in it. */
    if (together->count > 0 && subject_find(core, lead, &first) &&
        value_get(first.round, "asked") != NULL)
        run_follow(core, first.id, ROUND_RECOUNT, cause, NULL, NOBODY);
    return 0;
}

/* ---- put in force together ---- */

bool bundle_becomes_valid(const struct subject *subject, const struct transition *transition)
{
    return subject->row != NULL && bundle_of(subject) != NULL &&
           subject->kind->lifecycle->states[transition->to].is_valid &&
           !value_get_bool(subject->row, "valid", false);
}

/* Each of the others must be able to go along: by its own rows, guards and people. */
static int guard_other(struct core *core, const struct subject *subject, struct slice other,
                       const struct transition *transition, struct slice actor)
{
    const struct question *question = core->question;
    struct subject seen;
    const struct transition *row;
    struct value none = value_map();
    struct question part = *question;
    const char *sentence = "";

    if (subject_of(core, other, &seen) != 0)
        return -1;
    row = row_here(&seen, slice_str(transition->event));
    if (row == NULL)
        return run_refuse(core, 422, "guard-failed",
                          "%.*s was approved together with %.*s, which is %.*s now: neither comes "
                          "into force without the other. Withdraw it and submit it again.",
                          (int)subject->id.len, (const char *)subject->id.at, (int)other.len,
                          (const char *)other.at, (int)value_get_text(seen.row, "state").len,
                          (const char *)value_get_text(seen.row, "state").at);
    if (authority_transition(core, actor, &seen, row, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%.*s goes together with %.*s: %s",
                          (int)subject->id.len, (const char *)subject->id.at, (int)other.len,
                          (const char *)other.at, sentence);
    if (guard_alone(core, &seen, row, actor, &none) != 0)
        return -1;
    if (!is_by_person(core, actor) || meaning_of(&seen, row, actor) == NULL)
        return 0;
    (void)bundle_part(question, &seen, row, &part);
    return check_signature(core, &part, &seen, row, seen.id,
                           (uint64_t)value_get_int(seen.row, "rev", 0),
                           value_get_bin(seen.row, "digest"));
}

int bundle_guard(struct core *core, const struct subject *subject,
                 const struct transition *transition, struct slice actor)
{
    struct value others;

    if (!bundle_becomes_valid(subject, transition))
        return 0;
    others = bundle_others(core, subject);
    for (uint32_t i = 0; i < others.count; i++) {
        if (guard_other(core, subject, value_slice(&others.as.items[i]), transition, actor) != 0)
            return -1;
    }
    return 0;
}

uint32_t bundle_signed(struct core *core, const struct subject *subject,
                       const struct transition *transition, struct slice actor)
{
    struct value others = bundle_others(core, subject);
    struct subject seen;
    uint32_t count = 0;

    for (uint32_t i = 0; bundle_becomes_valid(subject, transition) && i < others.count; i++) {
        const struct transition *row = subject_find(core, value_slice(&others.as.items[i]), &seen)
                                           ? row_here(&seen, slice_str(transition->event))
                                           : NULL;

        count += row != NULL && meaning_of(&seen, row, actor) != NULL;
    }
    return count;
}

int bundle_follow(struct core *core, const struct value *others, struct slice lead,
                  const struct transition *transition, struct slice actor, int64_t cause)
{
    for (uint32_t i = 0; i < others->count; i++) {
        struct slice other = value_slice(&others->as.items[i]);
        const struct transition *row;
        struct subject seen;

        if (subject_of(core, other, &seen) != 0)
            return -1;
        if (value_get_bool(seen.row, "valid", false))
            continue; /* it is why this one follows */
        row = row_here(&seen, slice_str(transition->event));
        if (row == NULL)
            return refuse_event(core, &seen, slice_str(transition->event));
        if (move_other(core, &seen, row, actor, cause, lead, VALUE_NONE) != 0)
            return -1;
    }
    return 0;
}
