/* handover.c - a record gets another owner.
 *
 * Nothing else of it changes: what it says, who wrote it and what was signed stay as they are. Rules of separation that ask
 * for the owner look at both: `former_owners` keeps who it was, so that nobody gives a record away in order to decide on it
 * (authority.c, looks_back).
 */
#include "core/inside.h"

enum { FORMER_MAX = 64 };

/* Somebody who can answer for it: a person, here, and none who only reads. */
static int check_heir(struct core *core, const struct subject *subject, struct slice to)
{
    struct slice owner = value_get_text(subject->row, "owner");

    if (!slice_is(value_get_text(authority_person(core, to), "kind"), "person") ||
        !authority_may_write(core, to))
        return run_refuse(core, 422, "guard-failed",
                          "%.*s is nobody of the directory who could own it now (`rota people` "
                          "lists them).",
                          (int)to.len, (const char *)to.at);
    if (slice_equal(owner, to))
        return run_refuse(core, 409, "wrong-state", "%.*s owns %.*s already.", (int)to.len,
                          (const char *)to.at, (int)subject->id.len, (const char *)subject->id.at);
    if (value_has_text(value_get(subject->round, "ask"), to))
        return run_refuse(core, 409, "wrong-state",
                          "%.*s is asked to approve %.*s, and would decide on what is their own. "
                          "Let the round end first, or choose somebody else.",
                          (int)to.len, (const char *)to.at, (int)subject->id.len,
                          (const char *)subject->id.at);
    return 0;
}

static int check_record(struct core *core, const struct question *question, struct subject *subject)
{
    const char *sentence = "";

    if (subject_of(core, question->record, subject) != 0)
        return -1;
    if (authority_hand_over(core, question->principal, subject, &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    if (slice_is(value_get_text(subject->row, "stage"), "closed"))
        return run_refuse(core, 409, "wrong-state", "%.*s is closed: nothing is left to own.",
                          (int)subject->id.len, (const char *)subject->id.at);
    if (value_get_bin(value_get(question->args, "reason"), "content").len == HASH_LEN)
        return 0;
    return run_refuse(core, 422, "guard-failed", "hand_over needs a reason (--reason \"...\").");
}

/* Who owned it, each once. Beyond so many the oldest is forgotten: by then it has been everybody's. */
static struct value former_owners(struct core *core, const struct subject *subject)
{
    const struct value *before = value_get(subject->row, "former_owners");
    struct value owner = value_text(value_get_text(subject->row, "owner")), list = value_array();
    uint32_t count = value_is(before, VALUE_ARRAY) ? before->count : 0;

    for (uint32_t i = count >= FORMER_MAX ? 1 : 0; i < count; i++)
        if (!slice_equal(value_slice(&before->as.items[i]), value_slice(&owner)))
            value_push(core->arena, &list, before->as.items[i]);
    value_push(core->arena, &list, owner);
    return list;
}

/* The new owner hears of it, and the old one, if it was not their own doing. */
static void tell_both(struct core *core, const struct subject *subject, struct slice to,
                      struct value *effects)
{
    struct slice by = core->question->principal, from = value_get_text(subject->row, "owner");
    struct slice whom[] = {to, from};

    for (size_t i = 0; i < 2; i++) {
        struct task_order order = {.service = "communication.deliver",
                                   .input = value_map(),
                                   .record = subject->id,
                                   .kind = slice_str(subject->kind->name)};
        const struct value *person = authority_person(core, whom[i]);
        const struct value *email = value_get(person, "email");

        if (slice_equal(whom[i], by) || !authority_is_here(core, whom[i]))
            continue;
        value_set(core->arena, &order.input, "person", value_text(whom[i]));
        value_set(core->arena, &order.input, "address", email != NULL ? *email : value_str(""));
        value_set(core->arena, &order.input, "channel", value_str("inbox"));
        value_set(core->arena, &order.input, "subject",
                  value_text(textf(core, "%.*s has another owner", (int)subject->id.len,
                                   (const char *)subject->id.at)));
        value_set(core->arena, &order.input, "text",
                  value_text(textf(
                      core, "By %.*s: %.*s owns %.*s from now on, after %.*s.", (int)by.len,
                      (const char *)by.at, (int)to.len, (const char *)to.at, (int)subject->id.len,
                      (const char *)subject->id.at, (int)from.len, (const char *)from.at)));
        task_make(core, &order, effects);
    }
}

/* args {to, reason}: by the owner, their manager, or who keeps the rules. */
int record_hand_over(struct core *core, const struct question *question)
{
    struct slice to = value_get_text(question->args, "to");
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map();
    struct subject subject;
    int64_t cause;

    if (check_record(core, question, &subject) != 0 || check_heir(core, &subject, to) != 0)
        return -1;
    value_set(core->arena, &own, "owner", value_text(keep_text(core, to)));
    value_set(core->arena, &own, "former_owners", former_owners(core, &subject));
    value_set(core->arena, &own, "changed_ms", value_int(core->now_ms));
    put_act(core, &subject, question->principal, &own);
    tell_both(core, &subject, to, &effects);
    value_set(core->arena, &effects, "", own);
    cause = run_leaf(core, "record.hand_over", subject.id, subject.id, &author, question->args,
                     &effects);
    if (cause < 0)
        return -1;
    run_follow(core, subject.id, NULL, cause, NULL, NOBODY);
    return 0;
}
