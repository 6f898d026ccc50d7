/* prove_message.c - what a message names, the records that it speaks of have.
 *
 * That a name means something somewhere was checked when the names were (check_names.c); here each template is held
 * against each kind that it is used for. What the kind does not have would be left blank. */
#include "definition/check.h"
#include "definition/option.h"
#include "definition/prove_inside.h"

struct use { /* a template, for records of a kind */
    struct proof *proof;
    const struct kind *kind;
    const struct message *message;
};

static void prove_name(struct use *use, struct slice name)
{
    if (is_message_word(name) || kind_field(use->kind, name) != NULL)
        return;
    problem_of_kind(
        use->proof->problems, PROBLEM_WARNING, where_of(use->message->body), use->kind->name,
        "message '%s' names '{{%.*s}}', which stays blank: the record has no such field",
        use->message->name, (int)(name.len > 40 ? 40 : name.len), (const char *)name.at);
}

static void prove_text(struct use *use, const char *text)
{
    const char *at = text, *end;

    while ((at = strstr(at, "{{")) != NULL && (end = strstr(at, "}}")) != NULL) {
        prove_name(use, slice_of(at + 2, (size_t)(end - at) - 2));
        at = end + 2;
    }
}

/* `event`: what the template is named after if the notice names none; NULL: nothing. */
static void prove_notice(struct proof *proof, int kind, const struct notice *notice,
                         const char *event)
{
    struct use use = {proof, &proof->pack->kinds[kind], NULL};

    if (notice->to.count == 0)
        return;
    if (notice->message != NULL)
        use.message = pack_message(proof->pack, notice->message);
    else if (event != NULL)
        use.message = pack_message(proof->pack, event);
    if (use.message == NULL)
        use.message = pack_message(proof->pack, "default");
    if (use.message == NULL)
        return;
    prove_text(&use, use.message->subject);
    prove_text(&use, use.message->body);
}

static void prove_kind(struct proof *proof, int index)
{
    const struct lifecycle *l = proof->pack->kinds[index].lifecycle;
    const char *anyone = "anyone";
    const struct notice request = {{&anyone, 1}, "approval_request"};

    for (int i = 0; i < l->transition_count; i++) {
        for (int n = 0; n < l->transitions[i].tell_count; n++)
            prove_notice(proof, index, &l->transitions[i].tell[n], l->transitions[i].event);
    }
    for (int i = 0; i < l->timer_count; i++) {
        for (int s = 0; s < l->timers[i].step_count; s++)
            prove_notice(proof, index, &l->timers[i].steps[s].tell, l->timers[i].name);
    }
    if (proof->pack->kinds[index].approval != NULL)
        prove_notice(proof, index, &request, NULL);
}

void prove_messages(struct proof *proof)
{
    const struct pack *pack = proof->pack;

    for (int i = 0; i < pack->kind_count; i++)
        prove_kind(proof, i);
    for (int i = 0; i < pack->rule_count; i++)
        prove_notice(proof,
                     pack->rules[i].starts != MODEL_NONE ? pack->rules[i].starts
                                                         : pack->rules[i].kind,
                     &pack->rules[i].tell, NULL);
}
