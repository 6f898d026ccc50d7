#include "store/journal.h"

#include "base/check.h"
#include "base/dmp.h"
#include "store/inside.h"

#include <stdlib.h>
#include <time.h>

enum {
    LEAF_MAX = DMP_BYTES_MAX,
    META_KEY_MAX = 64,
    META_MAX = 65536,
    UPLOAD_ID_MAX = 256,
    NOTE_MAX = 1024,
    ROOM_ASK_MS = 1000,
    COMMAND_BLOCKS_AT_ONCE = 16 /* a millisecond */
};

static const uint64_t FREE_BYTES_MIN = (uint64_t)64 << 20;

/* One row that was put in this batch and is not in the backend yet. */
struct dirty_row {
    int64_t due_ms;
    size_t len, cap;
    uint8_t *bytes; /* in the batch's arena */
};

static struct error *err_or_spare(struct journal *journal, struct error *err)
{
    return err != NULL ? err : &journal->spare;
}

/* ---- opening and closing ---- */

int journal_start(struct backend **backend, const struct journal_options *options,
                  struct journal **out, struct error *err)
{
    struct journal *journal = calloc(1, sizeof *journal);
    struct error *said;

    check(journal != NULL);
    said = err_or_spare(journal, err);
    journal->backend = *backend;
    *backend = NULL;
    journal->free_bytes_min =
        options->free_bytes_min > 0 ? options->free_bytes_min : FREE_BYTES_MIN;
    journal->has_log_seed = options->has_log_seed;
    if (options->has_log_seed)
        memcpy(journal->log_seed, options->log_seed, SIGN_SEED_LEN);
    if (options->has_log_seed && options->signed_path != NULL) {
        journal->signed_path = strdup(options->signed_path);
        check(journal->signed_path != NULL);
    }
    if (recover_tree(journal, options, said) != 0) {
        journal->backend->ops->close(journal->backend, false);
        commands_release(&journal->commands);
        free(journal->signed_path);
        free(journal);
        return -1;
    }
    *out = journal;
    return 0;
}

void journal_close(struct journal **journal)
{
    struct journal *self = *journal;
    bool is_clean;

    if (self == NULL)
        return;
    *journal = NULL;
    journal_rollback(self);
    is_clean = self->backend->health == JOURNAL_OK && journal_checkpoint(self, NULL, NULL) == 0 &&
               self->backend->health == JOURNAL_OK;
    self->backend->ops->close(self->backend, is_clean);
    map_release(&self->dirty);
    arena_release(&self->rows);
    commands_release(&self->commands);
    buf_release(&self->scratch);
    buf_release(&self->recent);
    buf_release(&self->recent_ends);
    explicit_bzero(self->log_seed, sizeof self->log_seed);
    free(self->signed_path);
    free(self);
}

/* ---- the batch ---- */

int journal_read_only(enum journal_health health, struct error *err)
{
    if (health == JOURNAL_FULL)
        return error_set(err, ERROR_FULL,
                         "the journal is read-only: its disk is full or refuses writes; it comes "
                         "back by itself when there is room");
    return error_set(err, ERROR_IO,
                     "the journal is read-only: the disk failed to keep data that was written; "
                     "stop the engine, then: rota salvage");
}

static void recent_clear(struct journal *journal)
{
    journal->recent_from = journal->tree.size;
    buf_clear(&journal->recent);
    buf_clear(&journal->recent_ends);
}

/* Before any write. */
static int batch_enter(struct journal *journal, struct error *err)
{
    struct backend *backend = journal->backend;

    if (backend->health != JOURNAL_OK) {
        journal->is_dead = true;
        return journal_read_only(backend->health, err);
    }
    if (journal->is_dead)
        return error_set(err, ERROR_IO, "an earlier write of this batch failed");
    if (journal->is_open)
        return 0;
    if (backend->ops->begin(backend, err) != 0) {
        journal->is_dead = true;
        return -1;
    }
    journal->is_open = true;
    recent_clear(journal);
    return 0;
}

/* After any write: one that failed leaves nothing to build on. */
static int batch_leave(struct journal *journal, int rc)
{
    if (rc != 0)
        journal->is_dead = true;
    return rc == 0 ? 0 : -1;
}

static void dirty_clear(struct journal *journal)
{
    map_release(&journal->dirty);
    arena_clear(&journal->rows);
}

void journal_rollback(struct journal *journal)
{
    if (journal->is_open)
        journal->backend->ops->rollback(journal->backend);
    journal->is_open = false;
    journal->is_dead = false;
    journal->tree = journal->committed;
    recent_clear(journal);
    dirty_clear(journal);
    commands_undo(&journal->commands);
}

static int entry_order(const void *a, const void *b)
{
    const struct map_entry *x = *(const struct map_entry *const *)a;
    const struct map_entry *y = *(const struct map_entry *const *)b;

    return slice_compare(slice_of(x->key, x->key_len), slice_of(y->key, y->key_len));
}

/* Writes entries in order of their keys: neighbours share pages. */
static int write_rows(struct journal *journal, const struct map_entry **entries, size_t count,
                      struct error *err)
{
    struct backend *backend = journal->backend;

    qsort(entries, count, sizeof *entries, entry_order);
    for (size_t i = 0; i < count; i++) {
        const struct dirty_row *dirty = entries[i]->value;
        struct journal_row row = {slice_of(entries[i]->key, entries[i]->key_len),
                                  slice_of(dirty->bytes, dirty->len), dirty->due_ms};

        if (backend->ops->put_row(backend, &row, err) != 0)
            return -1;
    }
    return 0;
}

/* Hands the dirty rows whose key begins with `prefix` to the backend, before a commit or a scan. */
static int flush_rows(struct journal *journal, struct slice prefix, struct error *err)
{
    const struct map_entry **entries, *entry;
    size_t count = 0, at = 0;
    int rc;

    if (journal->is_dead)
        return error_set(err, ERROR_IO, "an earlier write of this batch failed");
    if (journal->dirty.count == 0)
        return 0;
    entries = malloc(journal->dirty.count * sizeof(const struct map_entry *));
    check(entries != NULL);
    while ((entry = map_next(&journal->dirty, &at)) != NULL)
        if (entry->key_len >= prefix.len &&
            (prefix.len == 0 || memcmp(entry->key, prefix.at, prefix.len) == 0))
            entries[count++] = entry;
    rc = batch_leave(journal, write_rows(journal, entries, count, err));
    if (rc == 0 && count == journal->dirty.count) {
        dirty_clear(journal);
    } else if (rc == 0) {
        /* Removing moves entries about: go by copies of the keys. */
        struct slice *keys = arena_take(&journal->rows, count * sizeof *keys + 1);

        for (size_t i = 0; i < count; i++)
            keys[i] = slice_of(arena_copy(&journal->rows, entries[i]->key, entries[i]->key_len),
                               entries[i]->key_len);
        for (size_t i = 0; i < count; i++)
            map_remove(&journal->dirty, keys[i]);
    }
    free(entries);
    return rc;
}

struct writer {
    struct backend *backend;
    struct error *err;
};

static int write_commands(void *self, uint64_t block, struct slice entries)
{
    struct writer *to = self;

    return to->backend->ops->put_commands(to->backend, block, entries, to->err);
}

/* What was kept back until the end of the batch. */
static int flush_all(struct journal *journal, struct error *err)
{
    struct writer to = {journal->backend, err};

    if (flush_rows(journal, slice_of(NULL, 0), err) != 0)
        return -1;
    return commands_flush(&journal->commands, write_commands, &to);
}

int journal_commit(struct journal *journal, struct error *err)
{
    struct backend *backend = journal->backend;

    err = err_or_spare(journal, err);
    if (!journal->is_open && !journal->is_dead)
        return 0;
    if (journal->is_dead) {
        error_set(err, ERROR_IO, "a write of this batch failed");
        if (backend->health != JOURNAL_OK)
            journal_read_only(backend->health, err);
        journal_rollback(journal);
        return -1;
    }
    if (flush_all(journal, err) != 0 || backend->ops->commit(backend, err) != 0) {
        journal_rollback(journal);
        return -1;
    }
    journal->is_open = false;
    journal->committed = journal->tree;
    commands_keep(&journal->commands);
    return 0;
}

/* ---- what goes into a batch ---- */

/* Is this a leaf with this seq? The tag and the seq have one encoding each; the rest is the core's. */
static bool leaf_has_seq(struct slice leaf, uint64_t seq, struct buf *want)
{
    static const char head[] = "\x9e\xabrota.leaf/1";

    buf_clear(want);
    buf_add_str(want, head);
    dmp_put_int(want, (int64_t)seq);
    return leaf.len > want->len && memcmp(leaf.at, want->at, want->len) == 0;
}

static int write_node(void *self, unsigned level, uint64_t idx, const uint8_t hash[HASH_LEN])
{
    struct writer *to = self;

    return to->backend->ops->put_node(to->backend, level, idx, hash, to->err);
}

/* One run of leaves for a command, and never another. */
static int refuse_known(struct journal *journal, const uint8_t id[16], struct error *err)
{
    uint64_t seq = 0;
    int found = journal_command(journal, id, &seq, err);

    if (found == 1)
        return error_set(err, ERROR_INPUT, "the command has its run already, from entry %llu",
                         (unsigned long long)seq);
    return found;
}

static void recent_add(struct journal *journal, struct slice leaf)
{
    buf_add_slice(&journal->recent, leaf);
    buf_add(&journal->recent_ends, &journal->recent.len, sizeof journal->recent.len);
}

/* A leaf of the newest batch; empty if it is older. */
static struct slice recent_leaf(const struct journal *journal, uint64_t seq)
{
    size_t count = journal->recent_ends.len / sizeof(size_t), from = 0, end;
    const uint8_t *ends = journal->recent_ends.at;

    if (seq < journal->recent_from || seq - journal->recent_from >= count)
        return slice_of(NULL, 0);
    ends += (size_t)(seq - journal->recent_from) * sizeof(size_t);
    if (seq > journal->recent_from)
        memcpy(&from, ends - sizeof from, sizeof from);
    memcpy(&end, ends, sizeof end);
    return slice_of(journal->recent.at + from, end - from);
}

static int append_leaf(struct journal *journal, struct slice leaf, const uint8_t *first_command_id,
                       struct error *err)
{
    struct backend *backend = journal->backend;
    struct writer to = {backend, err};
    uint64_t seq = journal->tree.size;

    if (leaf.len > LEAF_MAX || !leaf_has_seq(leaf, seq, &journal->scratch))
        return error_set(err, ERROR_INPUT, "not the leaf with seq %llu", (unsigned long long)seq);
    if (first_command_id != NULL && refuse_known(journal, first_command_id, err) != 0)
        return -1;
    if (backend->ops->put_leaf(backend, seq, leaf, err) != 0)
        return -1;
    if (first_command_id != NULL)
        commands_add(&journal->commands, first_command_id, seq);
    recent_add(journal, leaf);
    merkle_leaf_hash(leaf, journal->newest_hash);
    return merkle_append(&journal->tree, journal->newest_hash, write_node, &to);
}

int journal_append(struct journal *journal, struct slice leaf, bool first_of_run,
                   const uint8_t command_id[16], struct error *err)
{
    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    return batch_leave(journal, append_leaf(journal, leaf, first_of_run ? command_id : NULL, err));
}

const uint8_t *journal_newest_hash(const struct journal *journal)
{
    return journal->newest_hash;
}

static bool is_row_key(struct slice key)
{
    return key.len >= 1 && key.len <= JOURNAL_KEY_MAX && memchr(key.at, 0, key.len) == NULL &&
           utf8_is_valid(key);
}

static void remember_row(struct journal *journal, const struct journal_row *row)
{
    struct dirty_row *dirty = map_get(&journal->dirty, row->key);

    if (dirty == NULL) {
        dirty = arena_zero(&journal->rows, sizeof *dirty);
        map_put(&journal->dirty, row->key, dirty);
    }
    if (dirty->cap < row->bytes.len) {
        dirty->cap = row->bytes.len + row->bytes.len / 4;
        dirty->bytes = arena_take(&journal->rows, dirty->cap);
    }
    if (row->bytes.len > 0)
        memcpy(dirty->bytes, row->bytes.at, row->bytes.len);
    dirty->len = row->bytes.len;
    dirty->due_ms = row->due_ms;
}

int journal_put_row(struct journal *journal, const struct journal_row *row, struct error *err)
{
    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    if (!is_row_key(row->key) || row->bytes.len > JOURNAL_ROW_MAX || row->due_ms < JOURNAL_NO_DUE)
        return batch_leave(journal, error_set(err, ERROR_INPUT,
                                              "a row has a key of 1 to %d bytes of text and up to "
                                              "%d bytes",
                                              JOURNAL_KEY_MAX, JOURNAL_ROW_MAX));
    remember_row(journal, row);
    return 0;
}

int journal_put_content(struct journal *journal, const uint8_t hash[HASH_LEN],
                        const uint8_t salt[16], struct slice data, struct error *err)
{
    struct backend *backend = journal->backend;
    uint8_t is[HASH_LEN];

    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    hash_content(salt, data, is);
    if (memcmp(is, hash, HASH_LEN) != 0)
        return batch_leave(journal, error_set(err, ERROR_INPUT,
                                              "the content does not have the hash it came with"));
    return batch_leave(journal, backend->ops->put_content(backend, hash, salt, data, err));
}

int journal_redact_content(struct journal *journal, const uint8_t hash[HASH_LEN], struct error *err)
{
    struct backend *backend = journal->backend;

    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    return batch_leave(journal, backend->ops->redact(backend, hash, err));
}

int journal_put_part(struct journal *journal, struct slice upload, uint32_t part, struct slice data,
                     struct error *err)
{
    struct backend *backend = journal->backend;

    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    if (upload.len == 0 || upload.len > UPLOAD_ID_MAX || part == BACKEND_NOTE_PART)
        return batch_leave(journal, error_set(err, ERROR_INPUT, "an upload's id has 1 to %d bytes",
                                              UPLOAD_ID_MAX));
    return batch_leave(journal, backend->ops->put_part(backend, upload, part, data, err));
}

int journal_put_note(struct journal *journal, struct slice upload, struct slice note,
                     struct error *err)
{
    struct backend *backend = journal->backend;

    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    if (upload.len == 0 || upload.len > UPLOAD_ID_MAX || note.len == 0 || note.len > NOTE_MAX)
        return batch_leave(journal,
                           error_set(err, ERROR_INPUT, "a note has 1 to %d bytes", NOTE_MAX));
    return batch_leave(journal,
                       backend->ops->put_part(backend, upload, BACKEND_NOTE_PART, note, err));
}

int journal_take_parts(struct journal *journal, struct slice upload, struct buf *out,
                       struct error *err)
{
    if (upload.len == 0 || upload.len > UPLOAD_ID_MAX)
        return 0;
    return journal->backend->ops->parts(journal->backend, upload, out, err_or_spare(journal, err));
}

int journal_drop_upload(struct journal *journal, struct slice upload, struct error *err)
{
    struct backend *backend = journal->backend;

    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    return batch_leave(journal, backend->ops->drop_upload(backend, upload, err));
}

int journal_put_lease(struct journal *journal, int64_t task, struct slice row, struct error *err)
{
    struct backend *backend = journal->backend;

    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    return batch_leave(journal, backend->ops->put_lease(backend, task, row, err));
}

static bool is_own_meta(const char *key)
{
    return strcmp(key, META_ORIGIN) == 0 || strcmp(key, META_LOG_KEY) == 0 ||
           strcmp(key, META_CLEAN_STOP) == 0;
}

int journal_put_meta(struct journal *journal, const char *key, struct slice value,
                     struct error *err)
{
    struct backend *backend = journal->backend;

    err = err_or_spare(journal, err);
    if (batch_enter(journal, err) != 0)
        return -1;
    if (is_own_meta(key) || strlen(key) > META_KEY_MAX || value.len > META_MAX)
        return batch_leave(journal, error_set(err, ERROR_INPUT,
                                              "meta '%s' is the journal's own or too long", key));
    return batch_leave(journal, backend->ops->put_meta(backend, key, value, err));
}

/* ---- health ---- */

enum journal_health journal_health(const struct journal *journal)
{
    return journal->backend->health;
}

int journal_probe(struct journal *journal)
{
    struct backend *backend = journal->backend;

    check(!journal->is_open);
    if (backend->health == JOURNAL_FULL)
        backend->ops->probe(backend, &journal->spare);
    return backend->health == JOURNAL_OK ? 0 : -1;
}

static int64_t boot_clock_ms(void)
{
    struct timespec now;

    check(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool journal_has_room(struct journal *journal)
{
    struct backend *backend = journal->backend;
    int64_t now_ms = boot_clock_ms();
    uint64_t free_bytes;

    if (backend->health != JOURNAL_OK)
        return false;
    if (journal->room_asked_ms == 0 || now_ms - journal->room_asked_ms >= ROOM_ASK_MS) {
        journal->has_room = backend->ops->free_bytes(backend, &free_bytes) == 0 &&
                            free_bytes >= journal->free_bytes_min;
        journal->room_asked_ms = now_ms;
    }
    return journal->has_room;
}

int journal_idle(struct journal *journal, int64_t now_ms, int *next_ms, struct error *err)
{
    check(!journal->is_open);
    if (!journal->has_commands) {
        *next_ms = 0;
        return read_commands(journal, COMMAND_BLOCKS_AT_ONCE, err_or_spare(journal, err));
    }
    return journal->backend->ops->idle(journal->backend, now_ms, next_ms,
                                       err_or_spare(journal, err));
}

int journal_backup(struct journal *journal, const char *path, struct error *err)
{
    uint8_t root[HASH_LEN];

    check(!journal->is_open);
    merkle_root(&journal->committed, root);
    return journal->backend->ops->backup(journal->backend, path, journal->committed.size, root,
                                         err_or_spare(journal, err));
}

/* ---- reading ---- */

const char *journal_origin(const struct journal *journal)
{
    return journal->origin;
}

uint64_t journal_size(const struct journal *journal)
{
    return journal->tree.size;
}

uint64_t journal_committed(const struct journal *journal)
{
    return journal->committed.size;
}

void journal_root(const struct journal *journal, uint8_t out[HASH_LEN])
{
    merkle_root(&journal->tree, out);
}

int journal_leaf(struct journal *journal, uint64_t seq, struct buf *out, struct error *err)
{
    struct slice recent = recent_leaf(journal, seq);

    if (seq >= journal->tree.size)
        return 0;
    if (recent.len > 0) {
        buf_add_slice(out, recent);
        return 1;
    }
    return journal->backend->ops->leaf(journal->backend, seq, out, err_or_spare(journal, err));
}

int journal_row(struct journal *journal, struct slice key, struct buf *out, struct error *err)
{
    const struct dirty_row *dirty = map_get(&journal->dirty, key);

    if (dirty == NULL)
        return journal->backend->ops->row(journal->backend, key, out, err_or_spare(journal, err));
    if (dirty->len == 0)
        return 0;
    buf_add(out, dirty->bytes, dirty->len);
    return 1;
}

int journal_content(struct journal *journal, const uint8_t hash[HASH_LEN], struct buf *out,
                    struct error *err)
{
    return journal->backend->ops->content(journal->backend, hash, out, err_or_spare(journal, err));
}

struct wanted_command {
    struct journal *journal;
    const uint8_t *id;
    struct error *err;
};

static int is_wanted(void *self, uint64_t seq)
{
    struct wanted_command *wanted = self;

    return journal_is_command(wanted->journal, seq, wanted->id, wanted->err);
}

int journal_command(struct journal *journal, const uint8_t command_id[16], uint64_t *seq,
                    struct error *err)
{
    struct wanted_command wanted = {journal, command_id, err_or_spare(journal, err)};

    if (!journal->has_commands && read_commands(journal, UINT64_MAX, wanted.err) != 0)
        return -1;
    return commands_find(&journal->commands, command_id, is_wanted, &wanted, seq);
}

int journal_meta(struct journal *journal, const char *key, struct buf *out, struct error *err)
{
    return journal->backend->ops->meta(journal->backend, key, out, err_or_spare(journal, err));
}

int journal_each_row(struct journal *journal, struct slice prefix, struct slice after,
                     journal_row_fn *each, void *self, struct error *err)
{
    err = err_or_spare(journal, err);
    if (flush_rows(journal, prefix, err) != 0)
        return -1;
    return journal->backend->ops->each_row(journal->backend, prefix, after, each, self, err);
}

int journal_each_due(struct journal *journal, int64_t until_ms, journal_row_fn *each, void *self,
                     struct error *err)
{
    err = err_or_spare(journal, err);
    if (flush_rows(journal, slice_of(NULL, 0), err) != 0)
        return -1;
    return journal->backend->ops->each_due(journal->backend, until_ms, each, self, err);
}

int journal_next_due(struct journal *journal, int64_t *due_ms, struct error *err)
{
    err = err_or_spare(journal, err);
    if (flush_rows(journal, slice_of(NULL, 0), err) != 0)
        return -1;
    return journal->backend->ops->next_due(journal->backend, due_ms, err);
}

int journal_each_leaf(struct journal *journal, uint64_t from, uint64_t end, journal_leaf_fn *each,
                      void *self, struct error *err)
{
    return journal->backend->ops->each_leaf(journal->backend, from, end, each, self,
                                            err_or_spare(journal, err));
}

int journal_each_lease(struct journal *journal, journal_lease_fn *each, void *self,
                       struct error *err)
{
    return journal->backend->ops->each_lease(journal->backend, each, self,
                                             err_or_spare(journal, err));
}

int journal_each_note(struct journal *journal, journal_note_fn *each, void *self, struct error *err)
{
    return journal->backend->ops->each_note(journal->backend, each, self,
                                            err_or_spare(journal, err));
}
