/* apart.c - who makes an event happen that is no vote, or is named for it, is nobody whom a rule of separation keeps apart from
 * it, unless top management freed them from just that rule, over what the record said then.
 */
#include "ballot.h"
#include "dmp.h"
#include "proof.h"

#define NEED_RULE "SOD-3" /* where a need names none */

struct event { /* about to happen to a record */
    struct proof *proof;
    const struct kind *kind;
    const struct kind_row *transition;
    struct bytes record, digest;
};

static void keep_apart(const struct event *event, words list, const char *rule, struct bytes name,
                       const char *does)
{
    struct proof *proof = event->proof;
    bool is_known;

    for (int i = 0; i < words_count(list); i++) {
        const char *word = words_at(list, i);

        if (!people_keep_apart(proof, event->kind, event->record, word, name, &is_known) ||
            !is_known || people_are_freed(proof, event->record, event->digest, rule, name))
            continue;
        PROOF_ERROR(proof, "MOVE_APART",
                    "%.*s %s %.*s of %.*s and stands as \"%s\": kept apart from it by %s, and no "
                    "waiver says otherwise",
                    BYTES_ARG(name), does, BYTES_ARG(proof_event(proof->leaf)),
                    BYTES_ARG(event->record), word, rule);
        return;
    }
}

/* `needs` of people before the event: whom its words name must not be those whom it keeps apart, whoever makes it happen. */
static void check_named(const struct event *event, const config_setting_t *need)
{
    struct proof *proof = event->proof;
    const char *rule = NEED_RULE;
    words people = config_setting_get_member(need, "people"),
          apart = config_setting_get_member(need, "apart");

    (void)config_setting_lookup_string(need, "rule", &rule);
    for (size_t i = 0; i < proof->people_count; i++) {
        struct bytes name = person_name(proof->people[i]);

        if (proof->people[i]->row != NULL &&
            !person_has_left(proof->rows, name, proof_now_ms(proof)) &&
            people_word(proof, event->kind, event->record, people, name) != NULL)
            keep_apart(event, apart, rule, name, "is named for");
    }
}

static void check_needs(const struct event *event)
{
    const config_setting_t *needs = event->kind->needs;

    for (int i = 0; needs != NULL && i < config_setting_length(needs); i++) {
        const config_setting_t *need = config_setting_get_elem(needs, (unsigned)i);

        if (words_have(config_setting_get_member(need, "before"),
                       bytes_text(event->transition->event)) &&
            config_setting_get_member(need, "apart") != NULL)
            check_named(event, need);
    }
}

static bool brings_fields(const struct leaf *leaf)
{
    struct bytes set;

    return dmp_find(leaf->body, "set", &set) && dmp_pairs(set).left > 0;
}

void apart_folded(struct proof *proof)
{
    struct event event = {
        proof, proof->named_kind, proof->named_row, proof->leaf->stream, {NULL, 0}};

    if (event.kind == NULL)
        return;
    proof->named_kind = NULL;
    dmp_find_bin(proof_find(proof, event.record), "digest", &event.digest);
    check_needs(&event);
}

void apart_event(struct proof *proof)
{
    struct event event = {.proof = proof, .record = proof->leaf->stream};
    struct bytes row = {NULL, 0}, state, right;
    bool is_engine = bytes_are(proof->leaf->actor, "engine");

    if (!proof->has_pack || proof_event(proof->leaf).len == 0 ||
        memchr(event.record.at, '/', event.record.len) != NULL)
        return;
    row = proof_find(proof, event.record);
    if (row.len == 0 || !dmp_find_str(row, "state", &state))
        return;
    event.kind = proof_kind(proof, event.record, row);
    event.transition = event.kind != NULL ? proof_transition(proof, event.kind, state) : NULL;
    if (event.transition == NULL || event.transition->vote != VOTE_NONE)
        return;
    dmp_find_bin(row, "digest", &event.digest);
    if (event.kind->needs != NULL && brings_fields(proof->leaf)) {
        proof->named_kind = event.kind; /* what is given with the event counts as well */
        proof->named_row = event.transition;
    } else if (event.kind->needs != NULL) {
        check_needs(&event);
    }
    if (event.transition->apart == NULL || is_engine)
        return;
    keep_apart(&event, event.transition->apart,
               event.transition->apart_rule != NULL ? event.transition->apart_rule : APART_RULE,
               proof->leaf->actor, "makes");
    if (dmp_find_str(proof->leaf->body, "for", &right))
        keep_apart(&event, event.transition->apart,
                   event.transition->apart_rule != NULL ? event.transition->apart_rule : APART_RULE,
                   right, "lets another make");
}
