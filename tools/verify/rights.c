/* rights.c - what is signed, and is no vote, is by somebody whom the definition lets do it; and nothing is erased but by such an
 * event. What a row asks no signature for is the engine's word: whoever writes the journal could put any name there.
 */
#include "ballot.h"
#include "dmp.h"
#include "places.h"
#include "proof.h"

enum { MANAGERS_MAX = 16, KEY_MAX = 256 };

static struct bytes text_in(struct bytes map, const char *key)
{
    struct bytes text = {NULL, 0};

    return dmp_find_str(map, key, &text) ? text : bytes_of(NULL, 0);
}

static bool has_role(const struct proof *proof, struct bytes name, const char *role)
{
    struct bytes row, roles;

    return person_row(proof->rows, name, &row) && dmp_find(row, "roles", &roles) &&
           dmp_list_has(roles, bytes_text(role));
}

/* ---- whose it became ---- */

/* Is `name` among the managers above somebody, the first of them who has not left? */
static bool is_above(const struct proof *proof, struct bytes person, struct bytes name)
{
    struct bytes row, manager;

    for (int step = 0; step < MANAGERS_MAX; step++) {
        if (!person_row(proof->rows, person, &row) || !dmp_find_str(row, "manager", &manager))
            return false;
        if (!person_has_left(proof->rows, manager, proof_now_ms(proof)))
            return bytes_equal(manager, name) || has_role(proof, name, "isms_manager");
        person = manager;
    }
    return false;
}

/* Whom a word names may have left, all of them: then it is their manager's, else those' who own such records, else the ISMS
 * manager's. */
static bool inherits(const struct proof *proof, const struct kind *kind, struct bytes named,
                     struct bytes name)
{
    struct dmp_list list = dmp_list(named);
    struct bytes value, person;
    bool is_one = dmp_text(named, &person), is_above_one = false, has_leaver = false;

    while (is_one || dmp_list_next(&list, &value)) {
        if (!is_one && !dmp_text(value, &person))
            return false;
        if (!person_has_left(proof->rows, person, proof_now_ms(proof)))
            return false;
        has_leaver = true;
        is_above_one = is_above_one || is_above(proof, person, name);
        if (is_one)
            break;
    }
    for (int i = 0; has_leaver && i < words_count(kind->owner); i++)
        is_above_one = is_above_one || has_role(proof, name, words_at(kind->owner, i));
    return has_leaver && (is_above_one || has_role(proof, name, "isms_manager"));
}

static struct bytes named_by(struct bytes row, const char *word)
{
    static const char *const facts[][2] = {
        {"owner", "owner"}, {"author", "author"}, {"requester", "author"}, {"editors", "editors"}};
    struct bytes value = {NULL, 0}, fields;

    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(word, facts[i][0]) == 0)
            return dmp_find(row, facts[i][1], &value) ? value : bytes_of(NULL, 0);
    return dmp_find(row, "fields", &fields) && dmp_find(fields, word, &value) ? value
                                                                              : bytes_of(NULL, 0);
}

/* ---- a signed event ---- */

struct deed {
    struct proof *proof;
    const struct kind *kind;
    const struct kind_row *transition;
    struct bytes record, row, right;
};

static void refuse(const struct deed *deed, const char *why)
{
    PROOF_ERROR(deed->proof, "MOVE_BY", "%.*s: %.*s by %.*s: %s", BYTES_ARG(deed->record),
                BYTES_ARG(deed->proof->leaf->type), BYTES_ARG(deed->proof->leaf->actor), why);
}

/* Not known: it takes words that are not followed here. */
static bool may_make(const struct deed *deed, bool *is_known)
{
    bool is_one_known = true;

    *is_known = true;
    for (int i = 0; i < words_count(deed->transition->by); i++) {
        const char *word = words_at(deed->transition->by, i);
        struct bytes named = named_by(deed->row, word);

        if (strcmp(word, "asked") == 0) {
            *is_known = false;
            continue;
        }
        if ((people_mean(deed->proof, deed->kind, deed->record, word, deed->right, &is_one_known) &&
             is_one_known) ||
            (named.len > 0 && inherits(deed->proof, deed->kind, named, deed->right)))
            return true;
        *is_known = *is_known && is_one_known;
    }
    return false;
}

static void check_deed(const struct deed *deed)
{
    struct proof *proof = deed->proof;
    bool is_known;

    if (bytes_are(proof->leaf->actor, "engine")) {
        if (!words_have(deed->transition->by, bytes_text("system")) &&
            !deed->transition->is_automatic)
            refuse(deed, "its definition lets the engine not make it: a person signs it");
        return;
    }
    if (!bytes_are(text_in(proof->leaf->body, "meaning"), deed->transition->meaning))
        PROOF_ERROR(proof, "DECISION_MEANING",
                    "%.*s: %.*s takes a signature that means \"%s\", and the entry carries none",
                    BYTES_ARG(deed->record), BYTES_ARG(proof->leaf->type),
                    deed->transition->meaning);
    if (person_has_left(proof->rows, proof->leaf->actor, proof_now_ms(proof)) ||
        person_has_left(proof->rows, deed->right, proof_now_ms(proof)))
        refuse(deed, "their rights had ended, or never began");
    else if (!may_make(deed, &is_known) && is_known)
        refuse(deed, "its definition names others who may");
    else if (!bytes_equal(deed->right, proof->leaf->actor) &&
             !places_stands_in(proof, deed->kind, deed->record, deed->right))
        refuse(deed, "in the place of somebody who has not put them there");
    else
        proof->unproven_asks += !is_known;
}

/* ---- a migration ---- */

static bool may_migrate(const struct proof *proof, const config_setting_t *by)
{
    bool may = by == NULL && has_role(proof, proof->leaf->actor, "isms_manager");

    for (int i = 0; i < words_count(by); i++)
        may = may || has_role(proof, proof->leaf->actor, words_at(by, i));
    return may && !person_has_left(proof->rows, proof->leaf->actor, proof_now_ms(proof));
}

static void check_migration(struct proof *proof, struct bytes row)
{
    struct deed deed = {.proof = proof, .record = proof->leaf->stream};
    const struct definition *definition = proof_current(proof);
    const config_setting_t *meaning;
    struct bytes pack, current;

    if (definition == NULL)
        return;
    meaning = definition_setting(definition, "migrate_meaning");
    if (!may_migrate(proof, definition_setting(definition, "migrate_by")))
        refuse(&deed, "they may not migrate records");
    if (meaning != NULL &&
        !bytes_are(text_in(proof->leaf->body, "meaning"), config_setting_get_string(meaning)))
        PROOF_ERROR(proof, "DECISION_MEANING",
                    "%.*s: a migration takes a signature that means \"%s\", and the entry carries "
                    "none",
                    BYTES_ARG(deed.record), config_setting_get_string(meaning));
    if (bytes_are(proof->leaf->type, "record.migrate") && dmp_find_bin(row, "pack", &pack) &&
        dmp_find_bin(proof_find(proof, bytes_text("pack")), "current", &current) &&
        bytes_equal(pack, current))
        refuse(&deed, "it follows the definition that counts already, and is migrated to nothing");
}

/* ---- erased ---- */

static void note_disposal(const struct deed *deed)
{
    if (deed->transition->erases)
        table_entry(&deed->proof->disposals, deed->record)->revision = deed->proof->seq + 1;
}

static void check_erased(struct proof *proof)
{
    const struct leaf *leaf = proof->leaf;
    struct bytes record = text_in(leaf->body, "record"), hash = {NULL, 0};
    const struct table_entry *disposal = table_find(&proof->disposals, record);
    char key[KEY_MAX];
    int len = snprintf(key, sizeof key, "%.*s/content/", BYTES_ARG(record));

    (void)dmp_find_bin(leaf->body, "hash", &hash);
    for (size_t i = 0; i < hash.len && len > 0 && (size_t)len + 3 < sizeof key; i++)
        len += snprintf(key + len, sizeof key - (size_t)len, "%02x", hash.at[i]);
    if (disposal == NULL || !leaf->has_cause || leaf->cause + 1 != disposal->revision ||
        !bytes_are(leaf->actor, "engine") || hash.len != HASH_LEN || len <= 0 ||
        proof_find(proof, bytes_of(key, (size_t)len)).len == 0)
        PROOF_ERROR(proof, "ERASED",
                    "a text or file is erased, and no event of %.*s, whose it would have been, "
                    "erases it",
                    BYTES_ARG(record));
}

void rights_event(struct proof *proof)
{
    struct deed deed = {.proof = proof, .record = proof->leaf->stream};
    struct bytes state;

    if (!proof->has_pack)
        return;
    if (bytes_are(proof->leaf->type, "content.redacted"))
        check_erased(proof);
    if (proof->is_vote || proof_event(proof->leaf).len == 0 ||
        memchr(deed.record.at, '/', deed.record.len) != NULL)
        return;
    deed.row = proof_find(proof, deed.record);
    if (deed.row.len == 0 || !dmp_find_str(deed.row, "state", &state))
        return;
    if (bytes_are(proof->leaf->type, "record.migrate") ||
        bytes_are(proof->leaf->type, "record.migrate_back")) {
        check_migration(proof, deed.row);
        return;
    }
    deed.kind = proof_kind(proof, deed.record, deed.row);
    deed.transition = deed.kind != NULL ? proof_transition(proof, deed.kind, state) : NULL;
    if (deed.transition == NULL || deed.transition->vote != VOTE_NONE)
        return;
    deed.right = text_in(proof->leaf->body, "for");
    if (deed.right.len == 0)
        deed.right = proof->leaf->actor;
    note_disposal(&deed);
    if (deed.transition->meaning != NULL)
        check_deed(&deed);
}
