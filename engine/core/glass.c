/* glass.c - break-glass: one person may do one event on one record once, although the role for it is missing.
 *
 *     ──asked (by them)──> open ──agreed (another person, signed)──> granted ──done──> used
 *                                                                       └──24 hours──> over
 *
 * It is a proposal like any other (proposal.c), but never done by one person alone. What it gives is a missing role and nothing
 * else: separation of duties, conditions and required fields hold as ever, and it gives no vote and nothing that is signed.
 * Row glass/PERSON has what they were granted and have not used: number -> {record, event, ends_ms}.
 */
#include "core/inside.h"

enum { GLASS_HOURS = 24, HOUR_MS = 3600000 };

static const char *const told[] = {"isms_manager", "top_management", NULL};

static struct slice glass_key(struct core *core, struct slice person)
{
    return textf(core, "glass/%.*s", (int)person.len, (const char *)person.at);
}

int64_t glass_of(struct core *core, struct slice person, const struct subject *subject,
                 const struct transition *transition)
{
    const struct value *granted = state_row(core->state, glass_key(core, person));

    if (subject->row == NULL || transition->vote != VOTE_NONE || transition->meaning != NULL)
        return 0;
    for (uint32_t i = 0; granted != NULL && i < granted->count; i++) {
        const struct value *one = &granted->as.pairs[i].value;

        if (slice_equal(value_get_text(one, "record"), subject->id) &&
            slice_is(value_get_text(one, "event"), transition->event) &&
            core->now_ms < value_get_int(one, "ends_ms", 0))
            return value_get_int(one, "n", 0);
    }
    return 0;
}

/* ---- asked, and agreed ---- */

/* The event as the kind has it, wherever it leads from; it must be one for which glass may be broken. */
static const struct transition *breakable(struct core *core, const struct subject *subject,
                                          struct slice event)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    const struct transition *found = NULL;

    for (int i = 0; i < lifecycle->transition_count && found == NULL; i++) {
        if (slice_is(event, lifecycle->transitions[i].event) && !lifecycle->transitions[i].creates)
            found = &lifecycle->transitions[i];
    }
    if (found == NULL) {
        refuse_event(core, subject, event);
        return NULL;
    }
    if (found->vote != VOTE_NONE || found->meaning != NULL) {
        run_refuse(core, 403, "not-allowed",
                   "No glass is broken for a vote or anything that is signed: %s stays with those "
                   "who may.",
                   found->event);
        return NULL;
    }
    if (found->by.count == 1 && strcmp(found->by.at[0], "system") == 0) {
        run_refuse(core, 403, "not-allowed", "%s is the engine's to do, and nobody else's.",
                   found->event);
        return NULL;
    }
    return found;
}

/* It may be asked for ahead of its state; but nothing comes after an end. */
static bool is_over(const struct subject *subject, const struct transition *transition)
{
    struct slice state = value_get_text(subject->row, "state");

    return kind_state(subject->kind, state)->is_closed &&
           !transition->from[kind_state_index(subject->kind, state)];
}

static int check_asked(struct core *core, const struct question *question,
                       const struct subject *subject, const struct transition *transition)
{
    const struct value *person = authority_person(core, question->principal);
    const char *sentence = "";

    if (!authority_may_write(core, question->principal) ||
        !slice_is(value_get_text(person, "kind"), "person"))
        return run_refuse(core, 403, "not-allowed",
                          "Only a person who is here asks to break glass.");
    if (value_get_bin(value_get(question->args, "reason"), "content").len != HASH_LEN)
        return run_refuse(core, 422, "guard-failed",
                          "To break glass needs a reason (--reason \"...\").");
    if (is_over(subject, transition))
        return refuse_event(core, subject, slice_str(transition->event));
    if (authority_transition(core, question->principal, subject, transition, &sentence) == PERMIT)
        return run_refuse(core, 409, "wrong-state",
                          "You may do %s on %.*s as it is; no glass is to be broken.",
                          transition->event, (int)subject->id.len, (const char *)subject->id.at);
    if (!authority_has_second(core, question->principal))
        return run_refuse(core, 409, "wrong-state",
                          "Nobody else could agree: that takes another person with the role "
                          "top_management or isms_manager.");
    return 0;
}

/* What is agreed to: whose it is, on what, and which event. */
static void describe(struct core *core, const struct subject *subject, struct slice person,
                     const struct transition *transition, struct change *change)
{
    struct value content = value_map();
    struct buf bytes = BUF_EMPTY;
    uint8_t *digest = arena_take(core->arena, HASH_LEN);

    value_set(core->arena, &content, "event", value_str(transition->event));
    value_set(core->arena, &content, "person", value_text(person));
    value_set(core->arena, &content, "record", value_text(subject->id));
    dmp_encode(&bytes, &content);
    hash_bytes(buf_slice(&bytes), digest);
    buf_release(&bytes);
    *change = (struct change){
        .what = "break_glass",
        .agreed = "break_glass.agreed",
        .record = subject->id,
        .digest = slice_of(digest, HASH_LEN),
        .base = slice_of(digest, HASH_LEN), /* it replaces nothing */
        .says = textf(core,
                      "%.*s may do %s on %.*s once, within %d hours, although the role for it is "
                      "missing",
                      (int)person.len, (const char *)person.at, transition->event,
                      (int)subject->id.len, (const char *)subject->id.at, GLASS_HOURS),
        .facts = content};
}

static int grant(struct core *core, const struct question *question, const struct change *change,
                 struct value *effects, struct value *own)
{
    struct author author = run_principal(core);
    struct slice person = value_get_text(own, "by"), key = glass_key(core, person);
    const struct value *before = state_row(core->state, key);
    int64_t number = value_get_int(own, "proposal", 0);
    struct value one = value_copy(core->arena, &change->facts),
                 *patch = run_patch(core, effects, key);

    value_remove(own, slice_str("proposal")); /* it stands in the proposal's own row */
    value_remove(own, slice_str("alone"));
    for (uint32_t i = 0; before != NULL && i < before->count; i++) {
        if (value_get_int(&before->as.pairs[i].value, "ends_ms", 0) <= core->now_ms)
            value_put(core->arena, patch, before->as.pairs[i].key, VALUE_NONE);
    }
    value_remove(&one, slice_str("person"));
    value_set(core->arena, &one, "n", value_int(number));
    value_set(core->arena, &one, "ends_ms",
              value_int(core->now_ms + (int64_t)GLASS_HOURS * HOUR_MS));
    value_put(core->arena, patch, textf(core, "%lld", (long long)number), one);
    value_set(core->arena, own, "ends_ms", *value_get(&one, "ends_ms"));
    tell_roles(core, told, slice_str("Glass may be broken once"), change->says, effects);
    value_merge(core->arena, run_patch(core, effects, change->stream), own);
    value_set(core->arena, effects, "", *value_find(effects, change->stream));
    value_remove(effects, change->stream);
    return run_leaf(core, change->agreed, change->stream, change->record, &author, question->args,
                    effects) < 0
               ? -1
               : 0;
}

/* args {event, reason, proposal?}. */
int glass_break(struct core *core, const struct question *question)
{
    int64_t number = value_get_int(question->args, "proposal", 0);
    const struct value *row = proposal_row(core, number);
    struct slice person =
        row != NULL ? keep_text(core, value_get_text(row, "by")) : question->principal;
    struct value effects = value_map(), own = value_map();
    enum passage passage = PASSAGE_PROPOSED;
    const struct transition *transition;
    struct subject subject;
    struct change change;

    if (value_get(question->args, "for") != NULL)
        return run_refuse(core, 403, "not-allowed",
                          "Nobody breaks glass, or agrees to it, in the place of somebody else.");
    if (subject_of(core, question->record, &subject) != 0)
        return -1;
    transition = breakable(core, &subject, value_get_text(question->args, "event"));
    if (transition == NULL || (value_get(question->args, "proposal") == NULL &&
                               check_asked(core, question, &subject, transition) != 0))
        return -1;
    describe(core, &subject, person, transition, &change);
    change.stream = textf(core, "proposal/%lld", (long long)number);
    if (proposal_take(core, question, &change, &effects, &own, &passage) != 0)
        return -1;
    return passage == PASSAGE_AGREED ? grant(core, question, &change, &effects, &own) : 0;
}

/* ---- used ---- */

void glass_use(struct core *core, int64_t number, struct move *move)
{
    struct slice person = move->author.actor;
    struct value *row =
        run_patch(core, &move->effects, textf(core, "proposal/%lld", (long long)number));

    value_set(core->arena, row, "used_ms", value_int(core->now_ms));
    value_set(core->arena, row, "used_seq", value_int((int64_t)core->question->seq));
    value_put(core->arena, run_patch(core, &move->effects, glass_key(core, person)),
              textf(core, "%lld", (long long)number), VALUE_NONE);
    value_set(core->arena, value_sub(core->arena, &move->own, slice_str("break_glass")),
              move->transition->event, value_int(number));
    tell_roles(core, told, slice_str("Glass was broken"),
               textf(core,
                     "%.*s did %s on %.*s without the role for it, by break-glass (proposal "
                     "%lld).",
                     (int)person.len, (const char *)person.at, move->transition->event,
                     (int)move->subject.id.len, (const char *)move->subject.id.at,
                     (long long)number),
               &move->effects);
}
