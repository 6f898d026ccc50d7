#include "proof.h"

#include "dmp.h"
#include "places.h"

#include <stdlib.h>

void proof_init(struct proof *proof, struct report *report, struct table *rows,
                const struct actor_check *actors, struct db *db)
{
    *proof = (struct proof){.report = report, .rows = rows, .actors = actors};
    proof->definitions = (struct definitions){.db = db, .report = report};
    table_init(&proof->versions);
    table_init(&proof->disposals);
}

void proof_release(struct proof *proof)
{
    definitions_release(&proof->definitions);
    for (size_t i = 0; i < proof->votes_count; i++)
        free(proof->votes[i].at);
    free(proof->votes);
    free(proof->marks);
    free(proof->changes);
    free(proof->people);
    free(proof->version_at);
    table_release(&proof->versions);
    table_release(&proof->disposals);
    buf_release(&proof->scratch);
}

/* ---- shared ---- */

struct bytes proof_find(const struct proof *proof, struct bytes key)
{
    const struct table_entry *entry = table_find(proof->rows, key);

    return entry != NULL && entry->row != NULL ? table_row(entry) : bytes_of(NULL, 0);
}

uint32_t proof_versions(const struct proof *proof, struct bytes document)
{
    const struct table_entry *entry = table_find(&proof->versions, document);

    return entry != NULL ? entry->mark : 0;
}

/* A version begins, or one that was taken away begins again: it is listed once. */
static void note_version(struct proof *proof, const struct table_entry *entry, const char *at)
{
    struct table_entry *document =
        table_entry(&proof->versions, bytes_of(entry->key, (size_t)(at - entry->key)));

    for (uint32_t n = document->mark; n > 0; n = proof->version_at[n - 1].before)
        if (proof->version_at[n - 1].entry == entry)
            return;
    proof->version_at = memory_grow(proof->version_at, &proof->version_cap,
                                    proof->version_count + 1, sizeof *proof->version_at);
    proof->version_at[proof->version_count] = (struct proof_version){entry, document->mark};
    document->mark = (uint32_t)++proof->version_count;
}

struct proof_mark proof_mark(const struct proof *proof, struct bytes record)
{
    const struct table_entry *entry = table_find(proof->rows, record);

    return entry != NULL && entry->mark > 0 ? proof->marks[entry->mark - 1]
                                            : (struct proof_mark){0};
}

void proof_set_mark(struct proof *proof, struct bytes record, const struct proof_mark *mark)
{
    struct table_entry *entry = table_entry(proof->rows, record);

    if (entry->mark == 0) {
        proof->marks = memory_grow(proof->marks, &proof->mark_cap, proof->mark_count + 1,
                                   sizeof *proof->marks);
        entry->mark = (uint32_t)++proof->mark_count;
    }
    proof->marks[entry->mark - 1] = *mark;
}

struct proof_votes *proof_votes(struct proof *proof, struct bytes round, bool make)
{
    struct table_entry *entry = table_find(proof->rows, round);

    if (entry == NULL || (entry->mark == 0 && !make))
        return NULL;
    if (entry->mark == 0 && proof->free_votes > 0) {
        entry->mark = proof->free_votes;
        proof->free_votes = proof->votes[entry->mark - 1].next_free;
    } else if (entry->mark == 0) {
        proof->votes = memory_grow(proof->votes, &proof->votes_cap, proof->votes_count + 1,
                                   sizeof *proof->votes);
        proof->votes[proof->votes_count] = (struct proof_votes){0};
        entry->mark = (uint32_t)++proof->votes_count;
    }
    return &proof->votes[entry->mark - 1];
}

void proof_drop_votes(struct proof *proof, struct bytes round)
{
    struct table_entry *entry = table_find(proof->rows, round);

    if (entry == NULL || entry->mark == 0)
        return;
    proof->votes[entry->mark - 1].count = 0;
    proof->votes[entry->mark - 1].next_free = proof->free_votes;
    proof->free_votes = entry->mark;
    entry->mark = 0;
}

bool proof_round_key(struct bytes key, struct bytes *record, uint64_t *number)
{
    static const char word[] = "/round/";
    size_t word_len = sizeof word - 1, at = key.len;

    *number = 0;
    while (at > 0 && key.at[at - 1] >= '0' && key.at[at - 1] <= '9')
        at--;
    if (at == key.len || key.len - at > 9 || at <= word_len ||
        memcmp(key.at + at - word_len, word, word_len) != 0)
        return false;
    for (size_t i = at; i < key.len; i++)
        *number = *number * 10 + (uint64_t)(key.at[i] - '0');
    *record = bytes_of(key.at, at - word_len);
    return true;
}

struct bytes proof_event(const struct leaf *leaf)
{
    static const char prefix[] = "record.";
    size_t len = sizeof prefix - 1;

    if (leaf->type.len <= len || memcmp(leaf->type.at, prefix, len) != 0)
        return bytes_of(NULL, 0);
    return bytes_of(leaf->type.at + len, leaf->type.len - len);
}

/* The hash under which the files of a pack lie, as its row says. */
static struct bytes content_of(const struct proof *proof, struct bytes digest)
{
    char key[sizeof "pack/" + 2 * (size_t)HASH_LEN] = "pack/";
    struct bytes pack, content = {NULL, 0};

    if (digest.len != HASH_LEN)
        return content;
    for (size_t i = 0; i < HASH_LEN; i++)
        snprintf(key + 5 + 2 * i, 3, "%02x", digest.at[i]);
    if (dmp_find(proof_find(proof, bytes_text(key)), "pack", &pack))
        dmp_find_bin(pack, "content", &content);
    return content;
}

const struct definition *proof_current(struct proof *proof)
{
    const struct definition *definition;
    struct bytes digest;

    if (!dmp_find_bin(proof_find(proof, bytes_text("pack")), "current", &digest) ||
        digest.len != HASH_LEN)
        return NULL;
    definition = definition_known(&proof->definitions, digest);
    if (definition == NULL)
        definition = definition_of(&proof->definitions, digest, content_of(proof, digest));
    return definition->fault == NULL ? definition : NULL;
}

struct proof_facts proof_facts(struct bytes row)
{
    struct dmp_pairs pairs = dmp_pairs(row);
    struct proof_facts facts = {.is_valid = false};

    while (dmp_pairs_next(&pairs)) {
        if (pairs.key.len != 4 && pairs.key.len != 5)
            continue;
        if (bytes_are(pairs.key, "kind")) {
            (void)dmp_text(pairs.value, &facts.kind);
        } else if (bytes_are(pairs.key, "pack")) {
            facts.pack = pairs.value;
        } else if (bytes_are(pairs.key, "state")) {
            (void)dmp_text(pairs.value, &facts.state);
        } else if (bytes_are(pairs.key, "valid")) {
            facts.is_valid = pairs.value.len == 1 && pairs.value.at[0] == 0xc3;
            break;
        }
    }
    return facts;
}

static const struct kind *find_kind(struct proof *proof, struct bytes record,
                                    const struct proof_facts *facts, struct bytes digest)
{
    const struct definition *definition = definition_known(&proof->definitions, digest);
    const struct kind *kind;

    if (definition == NULL)
        definition = definition_of(&proof->definitions, digest, content_of(proof, digest));
    kind = definition->fault == NULL ? definition_kind(definition, facts->kind) : NULL;
    if (kind == NULL)
        PROOF_ERROR(proof, "PACK_UNREAD",
                    "the definition that %.*s follows cannot be read (%s), so its approvals cannot "
                    "be proven",
                    BYTES_ARG(record),
                    definition->fault != NULL ? definition->fault : "it has no such kind");
    return kind;
}

const struct kind *proof_kind_of(struct proof *proof, struct bytes record,
                                 const struct proof_facts *facts)
{
    struct dmp_cursor cursor = dmp_cursor(facts->pack);
    const struct kind *recent = proof->recent_kind;
    struct dmp_item pack;

    if (!proof->has_pack)
        return NULL;
    if (facts->kind.len == 0 || !dmp_next(&cursor, &pack) || pack.kind != DMP_BIN ||
        pack.bytes.len != HASH_LEN) {
        PROOF_ERROR(proof, "PACK_UNREAD",
                    "%.*s names no kind or no pack, so nobody can tell whose approval it needs",
                    BYTES_ARG(record));
        return NULL;
    }
    if (recent != NULL && bytes_are(facts->kind, recent->name) &&
        memcmp(recent->of->digest, pack.bytes.at, HASH_LEN) == 0)
        return recent;
    proof->recent_kind = find_kind(proof, record, facts, pack.bytes);
    return proof->recent_kind;
}

const struct kind *proof_kind(struct proof *proof, struct bytes record, struct bytes row)
{
    struct proof_facts facts = proof_facts(row);

    return proof_kind_of(proof, record, &facts);
}

const struct kind_row *proof_transition(const struct proof *proof, const struct kind *kind,
                                        struct bytes state)
{
    int from = kind_state(kind, state);

    return from < 0 ? NULL : kind_row(kind, proof_event(proof->leaf), from);
}

struct proof_change *proof_add(struct proof *proof, const struct table_entry *entry,
                               struct bytes patch)
{
    struct proof_change *change;

    proof->changes = memory_grow(proof->changes, &proof->change_cap, proof->change_count + 1,
                                 sizeof *proof->changes);
    change = &proof->changes[proof->change_count++];
    *change = (struct proof_change){.entry = entry, .patch = patch};
    change->was_there = entry->row != NULL;
    return change;
}

/* ---- what a record holds, in one hash ---- */

struct extra {               /* what is signed among the fields, and does not stand there so */
    struct bytes key, value; /* the value as it is encoded; of no length: it is left out */
};

/* The fields as they are signed: without those left out, and with those extras (by ascending key) in their places. */
static void add_content(struct buf *out, struct bytes fields, const struct extra *extras,
                        size_t extra_count, const struct kind *kind)
{
    struct dmp_pairs pairs = dmp_pairs(fields);
    bool has_pair = dmp_pairs_next(&pairs);
    struct buf inside = {0};
    uint64_t count = 0;
    size_t at = 0;

    while (has_pair || at < extra_count) {
        int order = !has_pair           ? 1
                    : at == extra_count ? -1
                                        : bytes_compare(pairs.key, extras[at].key);
        bool is_in = order >= 0 ? extras[at].value.len > 0 : !kind_leaves_out(kind, pairs.key);

        if (is_in && order >= 0)
            dmp_add_str(&inside, extras[at].key);
        else if (is_in)
            buf_add_bytes(&inside, pairs.key_bytes);
        if (is_in)
            buf_add_bytes(&inside, order >= 0 ? extras[at].value : pairs.value);
        count += is_in;
        at += order >= 0;
        if (order <= 0)
            has_pair = dmp_pairs_next(&pairs);
    }
    dmp_add_map(out, count);
    buf_add_bytes(out, buf_bytes(&inside));
    buf_release(&inside);
}

struct bytes proof_review(struct bytes row)
{
    struct bytes fields, review;

    return dmp_find(row, "fields", &fields) && dmp_find(fields, KIND_REVIEW, &review)
               ? review
               : bytes_of(NULL, 0);
}

static bool comes_to(struct proof *proof, struct bytes record, struct bytes row,
                     const struct kind *kind, struct bytes digest, struct bytes review)
{
    const uint8_t *at = record.len > 0 ? memchr(record.at, '@', record.len) : NULL;
    size_t base = at != NULL ? (size_t)(at - record.at) : record.len;
    struct bytes fields = {NULL, 0}, pack = {NULL, 0}, message;
    struct extra extras[2] = {{bytes_text(KIND_REVIEW), review}, {bytes_text("title"), {NULL, 0}}};
    struct buf *text = &proof->scratch;
    uint8_t content[HASH_LEN];

    dmp_find(row, "fields", &fields);
    dmp_find(row, "title", &extras[1].value);
    dmp_find_bin(row, "pack", &pack);
    text->len = 0;
    buf_add_text(text, "rota.record/1\n");
    dmp_add_array(text, 4);
    dmp_add_str(text, bytes_of(record.at, base));
    dmp_add_str(text, at != NULL ? bytes_of(at + 1, record.len - base - 1) : bytes_of(NULL, 0));
    dmp_add_bin(text, pack);
    add_content(text, fields, extras, 2, kind);
    message = buf_bytes(text);
    hash_sha256(&message, 1, content);
    return bytes_equal(digest, bytes_of(content, HASH_LEN));
}

bool proof_is_content(struct proof *proof, struct bytes record, struct bytes row,
                      const struct kind *kind, struct bytes digest, struct bytes review)
{
    return comes_to(proof, record, row, kind, digest, bytes_of(NULL, 0)) ||
           (review.len > 0 && comes_to(proof, record, row, kind, digest, review));
}

/* ---- a leaf ---- */

void proof_begin(struct proof *proof, const struct leaf *leaf, uint64_t seq)
{
    proof->leaf = leaf;
    proof->seq = seq;
    proof->change_count = 0;
    proof->vote = VOTE_NONE;
    proof->named_kind = NULL;
    proof->has_pack = proof->has_pack || bytes_are(leaf->type, "pack.installed");
    proof->is_vote = proof->actors->is_vote;
    proof->round_row = proof->actors->round_row;
    if (proof->is_vote)
        rounds_vote(proof);
    else
        apart_event(proof);
    rights_event(proof);
}

/* Somebody who comes back after his entry was deleted stands there already. */
static void note_person(struct proof *proof, const struct table_entry *entry)
{
    for (size_t i = 0; i < proof->people_count; i++)
        if (proof->people[i] == entry)
            return;
    proof->people = memory_grow(proof->people, &proof->people_cap, proof->people_count + 1,
                                sizeof *proof->people);
    proof->people[proof->people_count++] = entry;
}

void proof_row(void *context, const struct table_entry *entry, struct bytes patch)
{
    struct proof *proof = context;
    const char *slash = memchr(entry->key, '/', entry->key_len);
    const char *at = slash == NULL ? memchr(entry->key, '@', entry->key_len) : NULL;

    if (at != NULL && entry->row == NULL)
        note_version(proof, entry, at);
    if (slash == NULL) {
        if (memchr(entry->key, '-', entry->key_len) != NULL)
            moves_row(proof, entry, patch);
    } else if (memcmp(slash, "/round/",
                      entry->key_len - (size_t)(slash - entry->key) < 7
                          ? entry->key_len - (size_t)(slash - entry->key)
                          : 7) == 0) {
        rounds_row(proof, entry, patch);
    } else if (entry->key_len > 12 && memcmp(entry->key, "delegations/", 12) == 0) {
        places_row(proof, entry, patch);
    } else if (entry->row == NULL && entry->key_len > 7 && memcmp(entry->key, "person/", 7) == 0) {
        note_person(proof, entry);
    }
}

void proof_end(struct proof *proof)
{
    for (size_t i = 0; i < proof->change_count; i++)
        if (proof->changes[i].opens_round)
            rounds_opened(proof, &proof->changes[i]);
    for (size_t i = 0; i < proof->change_count; i++)
        if (proof->changes[i].grants_round)
            rounds_granted(proof, &proof->changes[i]);
    for (size_t i = 0; i < proof->change_count; i++)
        if (!proof->changes[i].opens_round && !proof->changes[i].grants_round)
            moves_made(proof, &proof->changes[i]);
    if (proof->is_vote)
        rounds_voted(proof);
    apart_folded(proof);
    places_end(proof);
}

void proof_conclude(struct proof *proof)
{
    proof->seq = 0;
    moves_conclude(proof);
}
