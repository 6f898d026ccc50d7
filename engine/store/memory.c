/* memory.c - a journal that is gone with the process: for tests and simulation.
 *
 * Everything is in one ordered table; the first byte of a key says what it is, numbers are big-endian so that
 * order by bytes is order by number. It keeps every promise of journal.h but durability.
 */
#include "base/check.h"
#include "store/backend.h"
#include "store/note.h"
#include "store/ordered.h"

#include <stdlib.h>

enum kind {
    KIND_LEAF = 'l',       /* seq -> leaf */
    KIND_NODE = 'n',       /* level, idx -> hash */
    KIND_COMMANDS = 'c',   /* block -> ids */
    KIND_ROW = 'r',        /* row key -> due, row */
    KIND_DUE = 'd',        /* due, row key -> nothing */
    KIND_CONTENT = 't',    /* hash -> salt, data */
    KIND_UPLOAD = 'u',     /* length of id, id, part -> data */
    KIND_LEASE = 'e',      /* task -> row */
    KIND_META = 'm',       /* key -> value */
    KIND_CHECKPOINT = 'p', /* size -> note */
    KEY_MAX = 1 + 2 + 8 + 256,
    NUMBER_LEN = 8
};

struct memory_backend {
    struct backend base;
    struct ordered table;
};

static struct memory_backend *of(struct backend *backend)
{
    return (struct memory_backend *)(void *)backend;
}

/* ---- keys ---- */

struct key {
    uint8_t bytes[KEY_MAX];
    size_t len;
};

static struct key key_of(enum kind kind)
{
    return (struct key){{(uint8_t)kind}, 1};
}

static void add_number(struct key *key, uint64_t number)
{
    for (int i = NUMBER_LEN; i-- > 0;)
        key->bytes[key->len++] = (uint8_t)(number >> (8 * i));
}

/* Signed numbers in their order: negative ones first. */
static void add_signed(struct key *key, int64_t number)
{
    add_number(key, (uint64_t)number ^ (uint64_t)1 << 63);
}

static void add_bytes(struct key *key, struct slice bytes)
{
    check(bytes.len <= KEY_MAX - key->len);
    if (bytes.len > 0)
        memcpy(key->bytes + key->len, bytes.at, bytes.len);
    key->len += bytes.len;
}

static struct slice key_slice(const struct key *key)
{
    return slice_of(key->bytes, key->len);
}

static uint64_t number_at(struct slice bytes, size_t at)
{
    uint64_t number = 0;

    check(bytes.len >= at + NUMBER_LEN);
    for (size_t i = 0; i < NUMBER_LEN; i++)
        number = number << 8 | bytes.at[at + i];
    return number;
}

static int64_t signed_at(struct slice bytes, size_t at)
{
    return (int64_t)(number_at(bytes, at) ^ (uint64_t)1 << 63);
}

static struct slice rest_of(struct slice bytes, size_t at)
{
    return slice_of(bytes.at + at, bytes.len - at);
}

static bool begins_with(struct slice bytes, struct slice prefix)
{
    return bytes.len >= prefix.len && memcmp(bytes.at, prefix.at, prefix.len) == 0;
}

static int append_value(struct backend *backend, const struct key *key, size_t from,
                        struct buf *out)
{
    const struct ordered_entry *entry = ordered_get(&of(backend)->table, key_slice(key));

    if (entry == NULL)
        return 0;
    buf_add_slice(out, rest_of(entry->value, from));
    return 1;
}

/* ---- batches ---- */

static int begin(struct backend *backend, struct error *err)
{
    (void)err;
    ordered_mark(&of(backend)->table);
    return 0;
}

static int commit(struct backend *backend, struct error *err)
{
    (void)err;
    ordered_keep(&of(backend)->table);
    return 0;
}

static void rollback(struct backend *backend)
{
    ordered_undo(&of(backend)->table);
}

static int probe(struct backend *backend, struct error *err)
{
    (void)err;
    if (backend->health == JOURNAL_FULL)
        backend->health = JOURNAL_OK;
    return backend->health == JOURNAL_OK ? 0 : -1;
}

static int idle(struct backend *backend, int64_t now_ms, int *next_ms, struct error *err)
{
    (void)backend;
    (void)now_ms;
    (void)err;
    *next_ms = -1;
    return 0;
}

static int free_bytes(struct backend *backend, uint64_t *out)
{
    (void)backend;
    *out = UINT64_MAX;
    return 0;
}

static int backup(struct backend *backend, const char *path, uint64_t size,
                  const uint8_t root[HASH_LEN], struct error *err)
{
    (void)backend;
    (void)size;
    (void)root;
    return error_set(err, ERROR_INPUT, "%s: a journal in memory has no file to copy", path);
}

static void close_memory(struct backend *backend, bool is_clean)
{
    (void)is_clean;
    ordered_release(&of(backend)->table);
    free(backend);
}

/* ---- writes ---- */

/* Adds what must not be there yet: these are never written twice. */
static int add_once(struct backend *backend, const struct key *key, struct slice value,
                    const char *what, struct error *err)
{
    struct ordered *table = &of(backend)->table;

    if (ordered_get(table, key_slice(key)) != NULL)
        return error_set(err, ERROR_INPUT, "%s is there already", what);
    ordered_put(table, key_slice(key), value);
    return 0;
}

static int put_leaf(struct backend *backend, uint64_t seq, struct slice leaf, struct error *err)
{
    struct key key = key_of(KIND_LEAF);

    add_number(&key, seq);
    return add_once(backend, &key, leaf, "the entry", err);
}

static int put_node(struct backend *backend, unsigned level, uint64_t idx,
                    const uint8_t hash[HASH_LEN], struct error *err)
{
    struct key key = key_of(KIND_NODE);

    add_number(&key, level);
    add_number(&key, idx);
    return add_once(backend, &key, slice_of(hash, HASH_LEN), "the node", err);
}

static int put_commands(struct backend *backend, uint64_t block, struct slice entries,
                        struct error *err)
{
    struct key key = key_of(KIND_COMMANDS);

    (void)err;
    add_number(&key, block);
    ordered_put(&of(backend)->table, key_slice(&key), entries);
    return 0;
}

static struct key due_key(int64_t due_ms, struct slice row_key)
{
    struct key key = key_of(KIND_DUE);

    add_signed(&key, due_ms);
    add_bytes(&key, row_key);
    return key;
}

static int put_row(struct backend *backend, const struct journal_row *row, struct error *err)
{
    struct ordered *table = &of(backend)->table;
    struct key key = key_of(KIND_ROW), due;
    const struct ordered_entry *before;
    struct buf value = BUF_EMPTY;

    (void)err;
    add_bytes(&key, row->key);
    before = ordered_get(table, key_slice(&key));
    if (before != NULL && signed_at(before->value, 0) != JOURNAL_NO_DUE) {
        due = due_key(signed_at(before->value, 0), row->key);
        ordered_remove(table, key_slice(&due));
    }
    if (row->bytes.len == 0) {
        ordered_remove(table, key_slice(&key));
        return 0;
    }
    due = (struct key){{0}, 0};
    add_signed(&due, row->due_ms);
    buf_add_slice(&value, key_slice(&due));
    buf_add_slice(&value, row->bytes);
    ordered_put(table, key_slice(&key), buf_slice(&value));
    buf_release(&value);
    if (row->due_ms != JOURNAL_NO_DUE) {
        due = due_key(row->due_ms, row->key);
        ordered_put(table, key_slice(&due), slice_of(NULL, 0));
    }
    return 0;
}

static int put_content(struct backend *backend, const uint8_t hash[HASH_LEN],
                       const uint8_t salt[16], struct slice data, struct error *err)
{
    struct key key = key_of(KIND_CONTENT);
    struct buf value = BUF_EMPTY;

    (void)err;
    add_bytes(&key, slice_of(hash, HASH_LEN));
    buf_add(&value, salt, 16);
    buf_add_slice(&value, data);
    if (ordered_get(&of(backend)->table, key_slice(&key)) == NULL)
        ordered_put(&of(backend)->table, key_slice(&key), buf_slice(&value));
    buf_release(&value);
    return 0;
}

static int redact(struct backend *backend, const uint8_t hash[HASH_LEN], struct error *err)
{
    struct key key = key_of(KIND_CONTENT);

    (void)err;
    add_bytes(&key, slice_of(hash, HASH_LEN));
    ordered_remove(&of(backend)->table, key_slice(&key));
    return 0;
}

static struct key upload_key(struct slice upload)
{
    struct key key = key_of(KIND_UPLOAD);

    key.bytes[key.len++] = (uint8_t)(upload.len >> 8);
    key.bytes[key.len++] = (uint8_t)upload.len;
    add_bytes(&key, upload);
    return key;
}

static int put_part(struct backend *backend, struct slice upload, uint32_t part, struct slice data,
                    struct error *err)
{
    struct key key = upload_key(upload);

    (void)err;
    add_number(&key, part);
    ordered_put(&of(backend)->table, key_slice(&key), data);
    return 0;
}

static int drop_upload(struct backend *backend, struct slice upload, struct error *err)
{
    struct ordered *table = &of(backend)->table;
    struct key key = upload_key(upload);
    const struct ordered_entry *entry;

    (void)err;
    while ((entry = ordered_from(table, key_slice(&key))) != NULL &&
           begins_with(entry->key, key_slice(&key))) {
        struct key whole = {{0}, 0};

        add_bytes(&whole, entry->key);
        ordered_remove(table, key_slice(&whole));
    }
    return 0;
}

static void put_or_remove(struct backend *backend, const struct key *key, struct slice value)
{
    if (value.len > 0)
        ordered_put(&of(backend)->table, key_slice(key), value);
    else
        ordered_remove(&of(backend)->table, key_slice(key));
}

static int put_lease(struct backend *backend, int64_t task, struct slice row, struct error *err)
{
    struct key key = key_of(KIND_LEASE);

    (void)err;
    add_signed(&key, task);
    put_or_remove(backend, &key, row);
    return 0;
}

static int put_meta(struct backend *backend, const char *name, struct slice value,
                    struct error *err)
{
    struct key key = key_of(KIND_META);

    (void)err;
    add_bytes(&key, slice_str(name));
    put_or_remove(backend, &key, value);
    return 0;
}

static int put_checkpoint(struct backend *backend, uint64_t size, struct slice note,
                          struct error *err)
{
    struct key key = key_of(KIND_CHECKPOINT);

    add_number(&key, size);
    return add_once(backend, &key, note, "the checkpoint", err);
}

/* ---- reads ---- */

/* The last entry of a kind whose key is that letter and a number. */
static const struct ordered_entry *last_of(struct backend *backend, enum kind kind)
{
    struct key after = key_of(kind);
    const struct ordered_entry *last;

    after.bytes[0]++;
    last = ordered_before(&of(backend)->table, key_slice(&after));
    return last != NULL && last->key.at[0] == (uint8_t)kind ? last : NULL;
}

static int size(struct backend *backend, uint64_t *out, struct error *err)
{
    const struct ordered_entry *last = last_of(backend, KIND_LEAF);

    (void)err;
    *out = last == NULL ? 0 : number_at(last->key, 1) + 1;
    return 0;
}

static int leaf(struct backend *backend, uint64_t seq, struct buf *out, struct error *err)
{
    struct key key = key_of(KIND_LEAF);

    (void)err;
    add_number(&key, seq);
    return append_value(backend, &key, 0, out);
}

static int node(struct backend *backend, unsigned level, uint64_t idx, uint8_t out[HASH_LEN],
                struct error *err)
{
    struct key key = key_of(KIND_NODE);
    const struct ordered_entry *entry;

    (void)err;
    add_number(&key, level);
    add_number(&key, idx);
    entry = ordered_get(&of(backend)->table, key_slice(&key));
    if (entry == NULL)
        return 0;
    memcpy(out, entry->value.at, HASH_LEN);
    return 1;
}

static int row(struct backend *backend, struct slice row_key, struct buf *out, struct error *err)
{
    struct key key = key_of(KIND_ROW);

    (void)err;
    if (row_key.len > KEY_MAX - 1)
        return 0;
    add_bytes(&key, row_key);
    return append_value(backend, &key, NUMBER_LEN, out);
}

static int content(struct backend *backend, const uint8_t hash[HASH_LEN], struct buf *out,
                   struct error *err)
{
    struct key key = key_of(KIND_CONTENT);

    (void)err;
    add_bytes(&key, slice_of(hash, HASH_LEN));
    return append_value(backend, &key, 16, out);
}

static int parts(struct backend *backend, struct slice upload, struct buf *out, struct error *err)
{
    struct key key = upload_key(upload);
    const struct ordered_entry *entry = ordered_from(&of(backend)->table, key_slice(&key));
    int found = 0;

    (void)err;
    for (; entry != NULL && begins_with(entry->key, key_slice(&key)); entry = ordered_next(entry)) {
        if (number_at(entry->key, entry->key.len - NUMBER_LEN) == BACKEND_NOTE_PART)
            continue;
        buf_add_slice(out, entry->value);
        found = 1;
    }
    return found;
}

static int meta(struct backend *backend, const char *name, struct buf *out, struct error *err)
{
    struct key key = key_of(KIND_META);

    (void)err;
    add_bytes(&key, slice_str(name));
    return append_value(backend, &key, 0, out);
}

static int last_checkpoint(struct backend *backend, struct buf *note, uint64_t *checkpoint_size,
                           struct error *err)
{
    const struct ordered_entry *last = last_of(backend, KIND_CHECKPOINT);

    (void)err;
    if (last == NULL)
        return 0;
    if (note != NULL)
        buf_add_slice(note, last->value);
    if (checkpoint_size != NULL)
        *checkpoint_size = number_at(last->key, 1);
    return 1;
}

static int next_due(struct backend *backend, int64_t *due_ms, struct error *err)
{
    struct key key = key_of(KIND_DUE);
    const struct ordered_entry *entry = ordered_from(&of(backend)->table, key_slice(&key));

    (void)err;
    *due_ms = entry != NULL && begins_with(entry->key, key_slice(&key)) ? signed_at(entry->key, 1)
                                                                        : JOURNAL_NO_DUE;
    return 0;
}

/* ---- walks ---- */

static int each_row(struct backend *backend, struct slice prefix, struct slice after,
                    journal_row_fn *each, void *to, struct error *err)
{
    struct key whole = key_of(KIND_ROW), from = key_of(KIND_ROW);
    const struct ordered_entry *entry;
    int stopped = 0;

    (void)err;
    if (prefix.len > KEY_MAX - 1 || after.len > KEY_MAX - 1)
        return 0;
    add_bytes(&whole, prefix);
    add_bytes(&from, slice_compare(after, prefix) > 0 ? after : prefix);
    entry = ordered_from(&of(backend)->table, key_slice(&from));
    for (; stopped == 0 && entry != NULL && begins_with(entry->key, key_slice(&whole));
         entry = ordered_next(entry)) {
        struct slice key = rest_of(entry->key, 1);

        if (after.len > 0 && slice_equal(key, after))
            continue;
        stopped = each(to, key, rest_of(entry->value, NUMBER_LEN), signed_at(entry->value, 0));
    }
    return stopped;
}

static int each_due(struct backend *backend, int64_t until_ms, journal_row_fn *each, void *to,
                    struct error *err)
{
    struct ordered *table = &of(backend)->table;
    struct key kind = key_of(KIND_DUE);
    const struct ordered_entry *entry = ordered_from(table, key_slice(&kind));
    int stopped = 0;

    (void)err;
    for (; stopped == 0 && entry != NULL && begins_with(entry->key, key_slice(&kind)) &&
           signed_at(entry->key, 1) <= until_ms;
         entry = ordered_next(entry)) {
        struct key row_at = key_of(KIND_ROW);
        const struct ordered_entry *found;

        add_bytes(&row_at, rest_of(entry->key, 1 + NUMBER_LEN));
        found = ordered_get(table, key_slice(&row_at));
        check(found != NULL);
        stopped = each(to, rest_of(found->key, 1), rest_of(found->value, NUMBER_LEN),
                       signed_at(found->value, 0));
    }
    return stopped;
}

/* Entries of a kind whose key is a number, from one up to before another. */
static int each_number(struct backend *backend, enum kind kind, uint64_t from, uint64_t end,
                       journal_leaf_fn *each, void *to)
{
    struct key key = key_of(kind);
    const struct ordered_entry *entry;
    int stopped = 0;

    add_number(&key, from);
    entry = ordered_from(&of(backend)->table, key_slice(&key));
    for (; stopped == 0 && entry != NULL && entry->key.at[0] == (uint8_t)kind &&
           number_at(entry->key, 1) < end;
         entry = ordered_next(entry))
        stopped = each(to, number_at(entry->key, 1), entry->value);
    return stopped;
}

static int each_leaf(struct backend *backend, uint64_t from, uint64_t end, journal_leaf_fn *each,
                     void *to, struct error *err)
{
    (void)err;
    return each_number(backend, KIND_LEAF, from, end, each, to);
}

static int each_commands(struct backend *backend, uint64_t from, journal_leaf_fn *each, void *to,
                         struct error *err)
{
    (void)err;
    return each_number(backend, KIND_COMMANDS, from, UINT64_MAX, each, to);
}

static int each_lease(struct backend *backend, journal_lease_fn *each, void *to, struct error *err)
{
    struct key key = key_of(KIND_LEASE);
    const struct ordered_entry *entry = ordered_from(&of(backend)->table, key_slice(&key));
    int stopped = 0;

    (void)err;
    for (; stopped == 0 && entry != NULL && entry->key.at[0] == KIND_LEASE;
         entry = ordered_next(entry))
        stopped = each(to, signed_at(entry->key, 1), entry->value);
    return stopped;
}

struct noted {
    struct slice id, note;
};

static int by_id(const void *a, const void *b)
{
    return slice_compare(((const struct noted *)a)->id, ((const struct noted *)b)->id);
}

/* Keys stand in order of the ids' lengths first; the last part of an id is its note, if it has one. */
static int each_note(struct backend *backend, journal_note_fn *each, void *to, struct error *err)
{
    struct key key = key_of(KIND_UPLOAD);
    const struct ordered_entry *entry = ordered_from(&of(backend)->table, key_slice(&key));
    struct buf all = BUF_EMPTY;
    size_t count = 0;
    int stopped = 0;

    (void)err;
    for (; entry != NULL && entry->key.at[0] == KIND_UPLOAD; entry = ordered_next(entry)) {
        size_t end = entry->key.len - NUMBER_LEN;
        struct noted noted = {slice_of(entry->key.at + 3, end - 3), {NULL, 0}}, *last;

        if (number_at(entry->key, end) == BACKEND_NOTE_PART)
            noted.note = entry->value;
        last = count > 0 ? (struct noted *)(void *)(all.at + all.len - sizeof noted) : NULL;
        if (last != NULL && slice_equal(last->id, noted.id)) {
            *last = noted;
            continue;
        }
        buf_add(&all, &noted, sizeof noted);
        count++;
    }
    if (count > 1)
        qsort(all.at, count, sizeof(struct noted), by_id);
    for (size_t i = 0; stopped == 0 && i < count; i++) {
        const struct noted *noted = (const struct noted *)(const void *)all.at + i;

        stopped = each(to, noted->id, noted->note);
    }
    buf_release(&all);
    return stopped;
}

static const struct backend_ops MEMORY_OPS = {
    .close = close_memory,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .probe = probe,
    .idle = idle,
    .free_bytes = free_bytes,
    .backup = backup,
    .put_leaf = put_leaf,
    .put_node = put_node,
    .put_commands = put_commands,
    .put_row = put_row,
    .put_content = put_content,
    .redact = redact,
    .put_part = put_part,
    .drop_upload = drop_upload,
    .put_lease = put_lease,
    .put_meta = put_meta,
    .put_checkpoint = put_checkpoint,
    .size = size,
    .leaf = leaf,
    .node = node,
    .row = row,
    .content = content,
    .parts = parts,
    .meta = meta,
    .last_checkpoint = last_checkpoint,
    .next_due = next_due,
    .each_row = each_row,
    .each_due = each_due,
    .each_leaf = each_leaf,
    .each_commands = each_commands,
    .each_lease = each_lease,
    .each_note = each_note,
};

int journal_open_memory(const struct journal_options *options, struct journal **out,
                        struct error *err)
{
    struct memory_backend *self;
    struct backend *backend;
    struct note_key key;
    uint8_t log_key[SIGN_KEY_LEN];

    if (options->origin == NULL)
        return error_set(err, ERROR_INPUT, "a new journal needs an origin");
    if (note_key_make(slice_str(options->origin), (const uint8_t[SIGN_KEY_LEN]){0}, &key, err) != 0)
        return -1;
    self = calloc(1, sizeof *self);
    check(self != NULL);
    self->base.ops = &MEMORY_OPS;
    ordered_init(&self->table);
    backend = &self->base;
    put_meta(backend, META_ORIGIN, slice_str(options->origin), err);
    if (options->has_log_seed) {
        sign_public_key(options->log_seed, log_key);
        put_meta(backend, META_LOG_KEY, slice_of(log_key, sizeof log_key), err);
    }
    return journal_start(&backend, options, out, err);
}
