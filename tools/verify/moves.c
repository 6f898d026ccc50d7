/* moves.c - a record goes through its life by the ways of its definition, and what was approved stays as it was. */
#include "dmp.h"
#include "proof.h"

static struct bytes text_in(struct bytes map, const char *key)
{
    struct bytes text = {NULL, 0};

    return dmp_find_str(map, key, &text) ? text : bytes_of(NULL, 0);
}

static bool is_migration(const struct proof *proof)
{
    return bytes_are(proof->leaf->type, "record.migrate") ||
           bytes_are(proof->leaf->type, "record.migrate_back");
}

/* ---- what is written ---- */

/* Does this leaf end the record's open round, and not by granting it? */
static bool gives_up_round(const struct proof *proof, struct bytes record, int64_t round)
{
    char key[256];
    int len = snprintf(key, sizeof key, "%.*s/round/%lld", BYTES_ARG(record), (long long)round);
    struct bytes patch, state;

    return len > 0 && (size_t)len < sizeof key && dmp_find(proof->leaf->effects, key, &patch) &&
           dmp_find_str(patch, "state", &state) && !bytes_are(state, "granted") &&
           !bytes_are(state, "open");
}

/* May a field be written otherwise here, as the definition has it? */
static bool may_write(const struct proof *proof, const struct kind *kind, struct bytes row,
                      struct bytes field)
{
    struct bytes state_name = text_in(row, "state");
    int state = kind_state(kind, state_name);
    const struct kind_row *transition = proof_transition(proof, kind, state_name);

    if (transition != NULL && row_sets(transition, field))
        return true;
    if (state < 0 || words_count(kind->states[state].edit) == 0)
        return false;
    return words_count(kind->states[state].edit_fields) == 0 ||
           words_have(kind->states[state].edit_fields, field);
}

struct writing { /* of a record that somebody answers for, or is asked to */
    struct proof *proof;
    const struct kind *kind;
    struct bytes record, row;
    int64_t round; /* that is open; 0: none */
    bool is_granted;
    uint64_t changed; /* as the definition allows */
};

static void check_field(struct writing *writing, struct bytes field)
{
    struct proof *proof = writing->proof;

    if (writing->round > 0 && !gives_up_round(proof, writing->record, writing->round))
        PROOF_ERROR(proof, "CONTENT_CHANGED",
                    "%.*s: \"%.*s\" is written otherwise while people vote on it, and their votes "
                    "stay: they signed something else",
                    BYTES_ARG(writing->record), BYTES_ARG(field));
    if (!writing->is_granted)
        return;
    if (may_write(proof, writing->kind, writing->row, field))
        writing->changed = proof->seq;
    else
        PROOF_ERROR(proof, "CONTENT_CHANGED",
                    "%.*s: \"%.*s\" is written otherwise after it was approved, and its definition "
                    "does not allow that: what stands there was approved by nobody",
                    BYTES_ARG(writing->record), BYTES_ARG(field));
}

/* The day of the next review is nobody's content, and yet moves only with an event of the record's, or a migration. */
static void check_review(const struct writing *writing)
{
    const struct proof *proof = writing->proof;

    if (writing->is_granted && !is_migration(proof) &&
        proof_transition(proof, writing->kind, text_in(writing->row, "state")) == NULL)
        PROOF_ERROR(writing->proof, "CONTENT_CHANGED",
                    "%.*s: the day of its next review is moved by what is no event of its "
                    "definition",
                    BYTES_ARG(writing->record));
}

static void check_fields(struct writing *writing, struct bytes fields)
{
    struct dmp_pairs pairs = dmp_pairs(fields);
    struct bytes before, old;

    if (!dmp_find(writing->row, "fields", &before))
        before = bytes_of(NULL, 0);
    while (dmp_pairs_next(&pairs)) {
        bool was = dmp_find_key(before, pairs.key, &old);

        if (was ? bytes_equal(old, pairs.value) : dmp_is_nil(pairs.value))
            continue;
        if (!kind_leaves_out(writing->kind, pairs.key))
            check_field(writing, pairs.key);
        else if (bytes_are(pairs.key, KIND_REVIEW))
            check_review(writing);
    }
}

static void check_content(struct proof *proof, const struct table_entry *entry, struct bytes patch)
{
    struct writing writing = {.proof = proof, .record = table_key(entry), .row = table_row(entry)};
    struct proof_mark mark;
    struct bytes value, old;

    if (entry->row == NULL || !entry->has_round)
        return;
    mark = proof_mark(proof, writing.record);
    writing.is_granted = mark.round > 0;
    dmp_find_int(writing.row, "round", &writing.round);
    if (writing.round == 0 && !writing.is_granted)
        return;
    writing.kind = proof_kind(proof, writing.record, writing.row);
    if (writing.kind == NULL)
        return;
    if (dmp_find(patch, "fields", &value))
        check_fields(&writing, value);
    if (dmp_find(patch, "title", &value) &&
        !(dmp_find(writing.row, "title", &old) && bytes_equal(old, value)))
        check_field(&writing, bytes_text("title"));
    if (writing.changed > 0 && mark.round > 0) {
        mark.changed = writing.changed;
        proof_set_mark(proof, writing.record, &mark);
    }
}

/* Whoever wrote in it stays among its editors: they are kept apart from approving it. */
static void check_editors(struct proof *proof, const struct table_entry *entry,
                          struct bytes editors)
{
    struct bytes before, value, name;
    struct dmp_list list;

    if (entry->row == NULL || !dmp_find(table_row(entry), "editors", &before))
        return;
    list = dmp_list(before);
    while (dmp_list_next(&list, &value))
        if (dmp_text(value, &name) && !dmp_list_has(editors, name))
            PROOF_ERROR(proof, "MOVE_UNKNOWN",
                        "%.*s: %.*s wrote in it, and is taken out of its editors here",
                        BYTES_ARG(table_key(entry)), BYTES_ARG(name));
}

static bool brings_fields(const struct leaf *leaf)
{
    struct bytes set;

    return dmp_find(leaf->body, "set", &set) && dmp_pairs(set).left > 0;
}

/* Does the patch take a record back to the pack that it was migrated from? */
static bool comes_from(const struct table_entry *entry, struct bytes patch)
{
    struct bytes migrated, from, pack;

    return entry->row != NULL && dmp_find(patch, "pack", &pack) &&
           dmp_find(table_row(entry), "migrated", &migrated) && dmp_find(migrated, "from", &from) &&
           bytes_equal(from, pack);
}

void moves_row(struct proof *proof, const struct table_entry *entry, struct bytes patch)
{
    bool moves = false, sets_valid = false, writes = false, moves_pack = false;
    struct dmp_pairs pairs = dmp_pairs(patch);
    struct proof_change *change;
    struct bytes state;

    if (!proof->has_pack)
        return;
    while (dmp_pairs_next(&pairs)) {
        if (pairs.key.len < 4 || pairs.key.len > 7)
            continue;
        moves = moves || bytes_are(pairs.key, "state");
        sets_valid = sets_valid || bytes_are(pairs.key, "valid");
        writes = writes || bytes_are(pairs.key, "fields") || bytes_are(pairs.key, "title");
        moves_pack = moves_pack || bytes_are(pairs.key, "pack") || bytes_are(pairs.key, "kind");
        if (bytes_are(pairs.key, "editors"))
            check_editors(proof, entry, pairs.value);
    }
    if (moves_pack && entry->row != NULL && !is_migration(proof))
        PROOF_ERROR(proof, "MOVE_UNKNOWN",
                    "%.*s is put under another definition by an entry that is no migration",
                    BYTES_ARG(table_key(entry)));
    if (writes)
        check_content(proof, entry, patch);
    if (!moves && !sets_valid && !writes && !moves_pack && dmp_is_map(patch))
        return;
    change = proof_add(proof, entry, patch);
    change->goes_home = moves_pack && comes_from(entry, patch);
    change->moves = moves || !dmp_is_map(patch);
    change->sets_valid = sets_valid;
    change->is_edited = writes && brings_fields(proof->leaf) && !is_migration(proof);
    if (entry->row == NULL)
        return;
    state = text_in(table_row(entry), "state");
    if (state.len > 0 && state.len < PROOF_NAME)
        memcpy(change->state, state.at, state.len);
}

/* ---- where it leads ---- */

static void refuse_move(struct proof *proof, const struct proof_change *change, struct bytes state,
                        const char *why)
{
    PROOF_ERROR(proof, "MOVE_UNKNOWN", "%.*s comes from state \"%s\" to \"%.*s\" by %.*s: %s",
                BYTES_ARG(table_key(change->entry)), change->was_there ? change->state : "",
                BYTES_ARG(state), BYTES_ARG(proof->leaf->type), why);
}

static void refuse_unapproved(struct proof *proof, const struct proof_change *change,
                              struct bytes state)
{
    PROOF_ERROR(proof, "APPROVAL_MISSING",
                "%.*s is %.*s from here on, and no round of its approval was granted: nobody "
                "approved it",
                BYTES_ARG(table_key(change->entry)), BYTES_ARG(state));
}

/* The definition that counts now, as its row says; and where a record was before it was migrated. */
static bool is_current(const struct proof *proof, struct bytes pack)
{
    struct bytes current = {NULL, 0};

    return dmp_find(proof_find(proof, bytes_text("pack")), "current", &current) &&
           bytes_equal(current, pack);
}

/* Nothing begins under a definition of former days, nor goes back to one that it did not come from. */
static void check_pack(struct proof *proof, const struct proof_change *change,
                       const struct proof_facts *facts)
{
    bool goes_back = bytes_are(proof->leaf->type, "record.migrate_back");

    if (goes_back ? change->goes_home : is_current(proof, facts->pack))
        return;
    PROOF_ERROR(
        proof, "MOVE_UNKNOWN", "%.*s is put under a definition that is not the one that counts%s",
        BYTES_ARG(table_key(change->entry)), goes_back ? " and not the one that it came from" : "");
}

/* A record that is migrated keeps what it has; what it never had it gets only under a signature. */
static void check_migrated(struct proof *proof, const struct proof_change *change,
                           const struct kind *kind, struct bytes state)
{
    struct proof_mark mark = proof_mark(proof, table_key(change->entry));
    int to = kind_state(kind, state);

    if (to < 0)
        refuse_move(proof, change, state, "its definition has no such state");
    else if ((kind->free >> to & 1) == 0 && mark.round == 0 && !proof->actors->is_proven)
        refuse_unapproved(proof, change, state);
    if (mark.round == 0)
        return;
    mark.migrated = proof->seq;
    proof_set_mark(proof, table_key(change->entry), &mark);
}

/* Where the record goes because of a vote there is a round, decided by this very entry. */
static void check_voted(struct proof *proof, const struct proof_change *change,
                        const struct kind_row *transition, struct bytes state)
{
    struct proof_mark mark = proof_mark(proof, table_key(change->entry));

    if (transition->vote == VOTE_GRANT && mark.granted != proof->seq)
        refuse_unapproved(proof, change, state);
}

static void check_moved(struct proof *proof, const struct proof_change *change,
                        const struct kind *kind, struct bytes state)
{
    const struct kind_row *transition;
    int to = kind_state(kind, state);

    if (!bytes_equal(table_key(change->entry), proof->leaf->stream)) {
        refuse_move(proof, change, state, "the entry is about something else");
        return;
    }
    transition = change->was_there ? proof_transition(proof, kind, bytes_text(change->state))
                                   : kind_row(kind, bytes_of(NULL, 0), -1);
    if (transition == NULL || (transition->to != to && transition->to != TO_SAME))
        refuse_move(proof, change, state, "its definition knows no such way");
    else if (transition->vote != VOTE_NONE)
        check_voted(proof, change, transition, state);
    else if (transition->meaning != NULL && !bytes_are(proof->leaf->actor, "engine") &&
             !bytes_are(text_in(proof->leaf->body, "meaning"), transition->meaning))
        PROOF_ERROR(proof, "DECISION_MEANING",
                    "%.*s: %.*s takes a signature that means \"%s\", and the entry carries none",
                    BYTES_ARG(table_key(change->entry)), BYTES_ARG(proof->leaf->type),
                    transition->meaning);
}

/* ---- in force ---- */

static struct bytes base_of(struct bytes record)
{
    const uint8_t *at = record.len > 0 ? memchr(record.at, '@', record.len) : NULL;

    return at != NULL ? bytes_of(record.at, (size_t)(at - record.at)) : record;
}

/* The version of a document that its own row calls valid, as a record. Lent by the scratch. */
static struct bytes valid_of(struct proof *proof, struct bytes base)
{
    struct bytes version = text_in(proof_find(proof, base), "valid");

    proof->scratch.len = 0;
    buf_add_bytes(&proof->scratch, base);
    buf_add_byte(&proof->scratch, '@');
    buf_add_bytes(&proof->scratch, version);
    return version.len > 0 ? buf_bytes(&proof->scratch) : bytes_of(NULL, 0);
}

/* What is in force is, byte for byte, what the round was about; migration is no change of that, and is signed for itself. */
static void check_in_force(struct proof *proof, struct bytes record, struct bytes row,
                           const struct kind *kind, const struct proof_mark *mark)
{
    if (mark->round == 0 || mark->migrated > 0 || mark->changed > 0)
        return;
    if (!proof_is_content(proof, record, row, kind, bytes_of(mark->digest, HASH_LEN),
                          bytes_of(mark->review, mark->review_len)))
        PROOF_ERROR(proof, "CONTENT_CHANGED",
                    "%.*s holds something else than its round %llu was granted for: what is in "
                    "force was approved by nobody",
                    BYTES_ARG(record), (unsigned long long)mark->round);
}

static void note_force(struct proof *proof, const struct proof_change *change,
                       const struct kind *kind, struct bytes row, int to)
{
    struct bytes record = table_key(change->entry);
    struct proof_mark mark = proof_mark(proof, record);
    bool is_in = kind->is_versioned ? kind->states[to].is_valid
                                    : strcmp(kind->states[to].stage, "in_force") == 0;

    if (is_in == (mark.in_force > 0 && mark.end == 0))
        return;
    if (is_in) {
        check_in_force(proof, record, row, kind, &mark);
        mark.in_force = proof->seq;
        mark.end = 0;
    } else {
        mark.end = proof->seq;
    }
    proof_set_mark(proof, record, &mark);
}

static void check_superseded(struct proof *proof, const struct proof_change *change)
{
    struct bytes record = table_key(change->entry), valid = valid_of(proof, base_of(record));

    if (valid.len == 0 || bytes_equal(valid, record) ||
        !dmp_is_true(proof_find(proof, valid), "valid"))
        PROOF_ERROR(
            proof, "APPROVAL_MISSING",
            "%.*s is superseded here, and no version after it was approved and put in force",
            BYTES_ARG(record));
}

void moves_made(struct proof *proof, const struct proof_change *change)
{
    struct bytes record = table_key(change->entry), row = table_row(change->entry), editors;
    struct proof_facts facts = proof_facts(row);
    struct bytes state = facts.state;
    const struct kind *kind;
    int to;

    if (change->entry->row == NULL) {
        if (change->was_there)
            PROOF_ERROR(proof, "MOVE_UNKNOWN", "%.*s is taken away", BYTES_ARG(record));
        return;
    }
    if (state.len == 0)
        return; /* what a document's versions have in common */
    kind = proof_kind_of(proof, record, &facts);
    if (kind == NULL)
        return;
    if (change->is_edited && !bytes_are(proof->leaf->actor, "engine") &&
        !(dmp_find(row, "editors", &editors) && dmp_list_has(editors, proof->leaf->actor)))
        PROOF_ERROR(proof, "MOVE_UNKNOWN", "%.*s: %.*s writes in it and is not among its editors",
                    BYTES_ARG(record), BYTES_ARG(proof->leaf->actor));
    to = kind_state(kind, state);
    if (!change->was_there || is_migration(proof))
        check_pack(proof, change, &facts);
    if (is_migration(proof))
        check_migrated(proof, change, kind, state);
    else if (change->moves)
        check_moved(proof, change, kind, state);
    if (to < 0)
        return;
    if (kind->is_versioned && (change->moves || change->sets_valid) &&
        facts.is_valid != kind->states[to].is_valid)
        refuse_move(proof, change, state, "whether it is in force is not what that state says");
    if (change->moves)
        note_force(proof, change, kind, row, to);
    if (change->moves && bytes_are(proof->leaf->type, "record.supersede"))
        check_superseded(proof, change);
}

/* ---- at the end ---- */

static void conclude_record(struct proof *proof, struct bytes record, struct bytes row)
{
    struct proof_facts facts = proof_facts(row);
    const struct kind *kind = proof_kind_of(proof, record, &facts);
    struct proof_mark mark = proof_mark(proof, record);
    int state = kind != NULL ? kind_state(kind, facts.state) : -1;
    struct bytes digest;

    if (state < 0)
        return;
    if (!bytes_are(text_in(row, "stage"), kind->states[state].stage))
        PROOF_ERROR(proof, "MOVE_UNKNOWN",
                    "%.*s is shown as \"%.*s\", and its state \"%.*s\" is none of that kind",
                    BYTES_ARG(record), BYTES_ARG(text_in(row, "stage")), BYTES_ARG(facts.state));
    if (!dmp_find_bin(row, "digest", &digest) ||
        !proof_is_content(proof, record, row, kind, digest, proof_review(row)))
        PROOF_ERROR(proof, "RECORD_DIGEST",
                    "%.*s is shown with a digest that is not the one of its content",
                    BYTES_ARG(record));
    if ((kind->free >> state & 1) == 0 && mark.round == 0 && mark.migrated == 0)
        PROOF_ERROR(proof, "APPROVAL_MISSING",
                    "%.*s stands as if it had been approved, and no round of it was granted",
                    BYTES_ARG(record));
    if (kind->is_versioned && facts.is_valid) {
        check_in_force(proof, record, row, kind, &mark);
        if (!bytes_equal(valid_of(proof, base_of(record)), record))
            PROOF_ERROR(proof, "MOVE_UNKNOWN",
                        "%.*s is in force, and its document names another version",
                        BYTES_ARG(record));
    }
}

static void conclude_document(struct proof *proof, struct bytes base)
{
    struct bytes valid = valid_of(proof, base);

    if (valid.len > 0 && !dmp_is_true(proof_find(proof, valid), "valid"))
        PROOF_ERROR(proof, "APPROVAL_MISSING",
                    "%.*s is said to be the version in force, and is not in force",
                    BYTES_ARG(valid));
}

/* valid/KIND: document -> the version of it that counts. */
static void conclude_valid(struct proof *proof, struct bytes row)
{
    struct bytes records, record;
    struct dmp_pairs pairs;

    if (!dmp_find(row, "records", &records))
        return;
    pairs = dmp_pairs(records);
    while (dmp_pairs_next(&pairs))
        if (!dmp_text(pairs.value, &record) || !dmp_is_true(proof_find(proof, record), "valid"))
            PROOF_ERROR(proof, "APPROVAL_MISSING",
                        "a version of %.*s is listed as the one that counts, and is not in force",
                        BYTES_ARG(pairs.key));
}

static bool is_valid_list(const struct table_entry *entry)
{
    return entry->row != NULL && entry->key_len > 6 && memcmp(entry->key, "valid/", 6) == 0;
}

void moves_conclude(struct proof *proof)
{
    struct bytes value;

    for (const struct table_entry *entry = proof->rows->first; proof->has_pack && entry != NULL;
         entry = entry->next) {
        if (is_valid_list(entry))
            conclude_valid(proof, table_row(entry));
        if (entry->row == NULL || memchr(entry->key, '-', entry->key_len) == NULL ||
            memchr(entry->key, '/', entry->key_len) != NULL)
            continue;
        if (dmp_find(table_row(entry), "state", &value))
            conclude_record(proof, table_key(entry), table_row(entry));
        else
            conclude_document(proof, table_key(entry));
    }
}
