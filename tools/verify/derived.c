#include "derived.h"

#include "memory.h"

#include <stdlib.h>

/* ---- nodes ---- */

void node_check_begin(struct node_check *check, struct db *db, struct report *report)
{
    sqlite3_stmt *question = NULL;

    *check = (struct node_check){.db = db, .report = report};
    if (db_has_table(db, report, "node"))
        question = db_ask(db, report, "SELECT 1 FROM node LIMIT 1");
    check->is_active = db_row(db, report, question);
    sqlite3_finalize(question);
}

static sqlite3_stmt *level_question(struct node_check *check, unsigned level)
{
    if (check->levels[level] == NULL) {
        check->levels[level] = db_ask(check->db, check->report,
                                      "SELECT idx, hash FROM node WHERE level=?1 ORDER BY idx");
        sqlite3_bind_int(check->levels[level], 1, (int)level);
    }
    return check->levels[level];
}

void node_check_made(void *context, unsigned level, uint64_t index, const uint8_t hash[HASH_LEN])
{
    struct node_check *check = context;
    struct bytes stored = {NULL, 0};
    sqlite3_stmt *question;
    bool is_there = false;

    if (!check->is_active)
        return;
    check->made++;
    question = level_question(check, level);
    while (!is_there && db_row(check->db, check->report, question)) {
        sqlite3_int64 at = sqlite3_column_int64(question, 0);

        is_there = at >= 0 && (uint64_t)at >= index;
        if (is_there && (uint64_t)at == index && db_blob(question, 1, &stored) &&
            bytes_equal(stored, bytes_of(hash, HASH_LEN)))
            return;
    }
    report_error(check->report, "NODE_BAD", REPORT_NO_SEQ,
                 "stored tree node %u/%llu is missing or wrong", level, (unsigned long long)index);
    check->is_active = false; /* out of step: one finding is enough */
}

void node_check_end(struct node_check *check)
{
    sqlite3_stmt *question;

    for (size_t i = 0; i < TREE_MAX_LEVELS; i++)
        sqlite3_finalize(check->levels[i]);
    if (!check->is_active)
        return;
    question = db_ask(check->db, check->report, "SELECT count(*) FROM node WHERE level > 0");
    if (db_row(check->db, check->report, question) &&
        (uint64_t)sqlite3_column_int64(question, 0) != check->made)
        report_error(check->report, "NODE_BAD", REPORT_NO_SEQ,
                     "%lld tree nodes are stored, the tree has %llu",
                     (long long)sqlite3_column_int64(question, 0), (unsigned long long)check->made);
    sqlite3_finalize(question);
}

/* ---- contents ---- */

void content_refs_init(struct content_refs *refs)
{
    *refs = (struct content_refs){0};
    table_init(&refs->redacted);
}

void content_refs_release(struct content_refs *refs)
{
    free(refs->at);
    table_release(&refs->redacted);
    *refs = (struct content_refs){0};
}

void content_refs_add(struct content_refs *refs, const uint8_t hash[HASH_LEN], uint64_t seq)
{
    refs->at = memory_grow(refs->at, &refs->cap, refs->count + 1, sizeof *refs->at);
    memcpy(refs->at[refs->count].hash, hash, HASH_LEN);
    refs->at[refs->count++].seq = seq;
}

static int ref_order(const void *a, const void *b)
{
    const struct content_ref *one = a, *other = b;
    int order = memcmp(one->hash, other->hash, HASH_LEN);

    return order != 0 ? order : (one->seq > other->seq) - (one->seq < other->seq);
}

static bool content_is_whole(sqlite3_stmt *question, const uint8_t hash[HASH_LEN])
{
    struct bytes parts[3] = {bytes_text("rota.content/1\n"), {NULL, 0}, {NULL, 0}};
    uint8_t real[HASH_LEN];

    if (!db_blob(question, 1, &parts[1]) || !db_blob(question, 2, &parts[2]))
        return false;
    hash_sha256(parts, 3, real);
    return memcmp(real, hash, HASH_LEN) == 0;
}

enum content_fate { CONTENT_WHOLE, CONTENT_GONE, CONTENT_OTHER };

/* Read the table along until it reaches or passes the hash. *has_row: a row stands ready. */
static enum content_fate content_fate(struct db *db, struct report *report, sqlite3_stmt *question,
                                      bool *has_row, const uint8_t hash[HASH_LEN])
{
    struct bytes stored, wanted = bytes_of(hash, HASH_LEN);

    while (*has_row) {
        int order = db_blob(question, 0, &stored) ? bytes_compare(stored, wanted) : -1;

        if (order == 0)
            return content_is_whole(question, hash) ? CONTENT_WHOLE : CONTENT_OTHER;
        if (order > 0)
            break;
        *has_row = db_row(db, report, question);
    }
    return CONTENT_GONE;
}

void content_refs_check(struct content_refs *refs, struct db *db, struct report *report)
{
    enum content_fate fate = CONTENT_WHOLE;
    sqlite3_stmt *question;
    bool has_row;

    report->contents = refs->count;
    if (!db_has_table(db, report, "content"))
        return;
    if (refs->count > 0)
        qsort(refs->at, refs->count, sizeof *refs->at, ref_order);
    question = db_ask(db, report, "SELECT hash, salt, data FROM content ORDER BY hash");
    has_row = db_row(db, report, question);
    for (size_t i = 0; i < refs->count; i++) {
        const struct content_ref *ref = &refs->at[i];

        if (i == 0 || memcmp(ref->hash, ref[-1].hash, HASH_LEN) != 0)
            fate = content_fate(db, report, question, &has_row, ref->hash);
        report->contents_erased += fate == CONTENT_GONE;
        if (fate == CONTENT_OTHER)
            report_error(report, "CONTENT_EDITED", (int64_t)ref->seq,
                         "content does not match its hash in the leaf");
        else if (fate == CONTENT_GONE &&
                 table_find(&refs->redacted, bytes_of(ref->hash, HASH_LEN)) == NULL)
            report_error(report, "CONTENT_MISSING", (int64_t)ref->seq,
                         "content was removed without a redaction event");
    }
    sqlite3_finalize(question);
}

/* ---- state ---- */

static void check_row(struct table *rows, struct report *report, struct bytes key, struct bytes row)
{
    struct table_entry *entry = table_find(rows, key);

    if (entry == NULL || entry->row == NULL) {
        report_error(report, "STATE_EXTRA", REPORT_NO_SEQ,
                     "state row %.*s is not in the fold of the journal", BYTES_ARG(key));
        return;
    }
    entry->is_stored = true;
    if (!bytes_equal(table_row(entry), row))
        report_error(report, "STATE_EDITED", REPORT_NO_SEQ,
                     "state row %.*s is not what the journal says", BYTES_ARG(key));
}

void derived_check_state(struct table *rows, struct db *db, struct report *report)
{
    sqlite3_stmt *question = db_ask(db, report, "SELECT key, row FROM state");
    struct bytes key, row;

    while (db_row(db, report, question)) {
        db_text(question, 0, &key);
        db_blob(question, 1, &row);
        check_row(rows, report, key, row);
    }
    sqlite3_finalize(question);
    for (const struct table_entry *entry = rows->first; entry != NULL; entry = entry->next)
        if (entry->row != NULL && !entry->is_stored)
            report_error(report, "STATE_MISSING", REPORT_NO_SEQ, "state row %.*s is not stored",
                         BYTES_ARG(table_key(entry)));
}

/* ---- commands ---- */

enum { ENTRY_LEN = 14, NUMBER_LEN = 8, BLOCK_ENTRIES = 289 };

static uint64_t read_number(const uint8_t *at, size_t len)
{
    uint64_t number = 0;

    for (size_t i = 0; i < len; i++)
        number = number << 8 | at[i];
    return number;
}

/* What stands for an id in the index (engine/JOURNAL.md). */
static uint64_t number_of(const uint8_t id[ID_LEN])
{
    uint64_t number = read_number(id, 8) ^ read_number(id + 8, 8) * 0x9e3779b97f4a7c15ULL;

    return number ^ number >> 29;
}

static int by_seq(const void *a, const void *b)
{
    const struct id_slot *const *left = a, *const *right = b;
    uint64_t x = (*left)->seq_mark, y = (*right)->seq_mark;

    return x < y ? -1 : x > y;
}

/* The commands in the order of their first leaves. */
static const struct id_slot **in_order(const struct id_set *commands, size_t *count)
{
    const struct id_slot **slots = memory_new(commands->count + 1, sizeof *slots);

    *count = 0;
    for (size_t i = 0; i < commands->slot_count; i++)
        if (commands->slots[i].seq_mark != 0)
            slots[(*count)++] = &commands->slots[i];
    qsort(slots, *count, sizeof *slots, by_seq);
    return slots;
}

struct listing { /* the index, read along with what it should be */
    const struct id_slot **slots;
    size_t count, at;
    bool is_wrong; /* one report is enough: everything after it is shifted */
};

static void check_entry(struct listing *listing, struct report *report, const uint8_t *entry)
{
    uint64_t seq = read_number(entry + NUMBER_LEN, ENTRY_LEN - NUMBER_LEN);
    const struct id_slot *slot;

    if (listing->is_wrong)
        return;
    listing->is_wrong = true;
    if (listing->at == listing->count) {
        report_error(report, "COMMAND_INDEX", REPORT_NO_SEQ,
                     "a command is listed that no leaf carries");
        return;
    }
    slot = listing->slots[listing->at++];
    if (id_slot_seq(slot) != seq)
        report_error(report, "COMMAND_INDEX", (int64_t)id_slot_seq(slot),
                     "the command of this entry is listed at %llu", (unsigned long long)seq);
    else if (read_number(entry, NUMBER_LEN) != number_of(slot->id))
        report_error(report, "COMMAND_INDEX", (int64_t)seq,
                     "the command of this entry is listed under another id");
    else
        listing->is_wrong = false;
}

static void check_block(struct listing *listing, struct report *report, int64_t block,
                        int64_t expected, struct bytes entries)
{
    if (block != expected || entries.len == 0 || entries.len % ENTRY_LEN != 0 ||
        entries.len > (size_t)BLOCK_ENTRIES * ENTRY_LEN) {
        report_error(report, "COMMAND_INDEX", REPORT_NO_SEQ, "block %lld of the index is not one",
                     (long long)expected);
        listing->is_wrong = true;
        return;
    }
    for (size_t at = 0; at < entries.len; at += ENTRY_LEN)
        check_entry(listing, report, entries.at + at);
}

void derived_check_commands(struct id_set *commands, struct db *db, struct report *report)
{
    sqlite3_stmt *question = db_ask(db, report, "SELECT block, ids FROM command ORDER BY block");
    struct listing listing = {NULL, 0, 0, false};
    struct bytes entries;
    int64_t expected = 0;

    listing.slots = in_order(commands, &listing.count);
    while (db_row(db, report, question)) {
        if (!db_blob(question, 1, &entries))
            entries.len = 0;
        check_block(&listing, report, sqlite3_column_int64(question, 0), expected++, entries);
    }
    sqlite3_finalize(question);
    if (!listing.is_wrong && listing.at < listing.count)
        report_error(report, "COMMAND_INDEX", (int64_t)id_slot_seq(listing.slots[listing.at]),
                     "the command of this entry is not listed");
    free((void *)listing.slots);
}
