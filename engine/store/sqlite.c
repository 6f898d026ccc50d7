/* sqlite.c - the durable backend: what it does between opening and closing. sqlite_open.c opens it. */
#include "store/sqlite.h"

#include "base/check.h"
#include "store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    WAL_PASSIVE_BYTES = 4 << 20,  /* copied into the database when it has grown by this much */
    WAL_RESTART_BYTES = 32 << 20, /* a reader has kept it from being reused: wait for the reader */
    WAL_GROW_BYTES = 1 << 20,     /* zeros written ahead at a time */
    WAL_AHEAD_BYTES = 256 << 10,  /* kept ahead of the frames */
    WAL_HEAD_BYTES = 32,
    FRAME_HEAD_BYTES = 24,
    IDLE_MS = 1000,
    CHECK_POLL_MS = 100,
    PROBE_BYTES = 64 << 10
};

static const char *const SQL[ST_COUNT] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_ROLLBACK] = "ROLLBACK",
    [ST_PUT_LEAF] = "INSERT INTO journal(seq, entry) VALUES(?1, ?2)",
    [ST_PUT_NODE] = "INSERT INTO node(level, idx, hash) VALUES(?1, ?2, ?3)",
    [ST_PUT_COMMANDS] = "INSERT OR REPLACE INTO command(block, ids) VALUES(?1, ?2)",
    [ST_PUT_ROW] = "INSERT OR REPLACE INTO state(key, row, due) VALUES(?1, ?2, ?3)",
    [ST_DROP_ROW] = "DELETE FROM state WHERE key = ?1",
    [ST_PUT_CONTENT] = "INSERT OR IGNORE INTO content(hash, salt, data) VALUES(?1, ?2, ?3)",
    [ST_REDACT] = "DELETE FROM content WHERE hash = ?1",
    [ST_PUT_PART] = "INSERT OR REPLACE INTO upload(id, part, data) VALUES(?1, ?2, ?3)",
    [ST_DROP_UPLOAD] = "DELETE FROM upload WHERE id = ?1",
    [ST_PUT_LEASE] = "INSERT OR REPLACE INTO lease(task, row) VALUES(?1, ?2)",
    [ST_DROP_LEASE] = "DELETE FROM lease WHERE task = ?1",
    [ST_PUT_META] = "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)",
    [ST_DROP_META] = "DELETE FROM meta WHERE key = ?1",
    [ST_PUT_CHECKPOINT] = "INSERT INTO checkpoint(size, note) VALUES(?1, ?2)",
    [ST_SIZE] = "SELECT COALESCE(MAX(seq) + 1, 0) FROM journal",
    [ST_LEAF] = "SELECT entry FROM journal WHERE seq = ?1",
    [ST_NODE] = "SELECT hash FROM node WHERE level = ?1 AND idx = ?2",
    [ST_ROW] = "SELECT row FROM state WHERE key = ?1",
    [ST_CONTENT] = "SELECT data FROM content WHERE hash = ?1",
    [ST_PARTS] = "SELECT data FROM upload WHERE id = ?1 AND part < 4294967295 ORDER BY part",
    [ST_META] = "SELECT value FROM meta WHERE key = ?1",
    [ST_LAST_CHECKPOINT] = "SELECT note, size FROM checkpoint ORDER BY size DESC LIMIT 1",
    [ST_NEXT_DUE] = "SELECT min(due) FROM state WHERE due IS NOT NULL",
    /* Text sorts by bytes and before every blob: x'' is the end of all keys. */
    [ST_EACH_ROW] = "SELECT key, row, due FROM state WHERE key >= ?1 AND key < ?2 ORDER BY key",
    [ST_EACH_DUE] = "SELECT key, row, due FROM state WHERE due <= ?1 ORDER BY due, key",
    [ST_EACH_LEAF] = "SELECT seq, entry FROM journal WHERE seq >= ?1 AND seq < ?2 ORDER BY seq",
    [ST_EACH_COMMANDS] = "SELECT block, ids FROM command WHERE block >= ?1 ORDER BY block",
    [ST_EACH_LEASE] = "SELECT task, row FROM lease ORDER BY task",
    [ST_EACH_NOTE] = "SELECT ids.id, note.data FROM (SELECT DISTINCT id FROM upload) AS ids "
                     "LEFT JOIN upload AS note ON note.id = ids.id AND note.part = 4294967295 "
                     "ORDER BY ids.id",
};

static struct sqlite_backend *of(struct backend *backend)
{
    return (struct sqlite_backend *)(void *)backend;
}

sqlite3 *journal_sqlite_handle(struct journal *journal)
{
    return journal->backend->ops == &sqlite_ops ? of(journal->backend)->db : NULL;
}

/* ---- errors ---- */

/* Leaves a file for the next start. When the disk has just failed this is the best that can be done, and it is
 * enough while the machine runs. */
static void leave_mark(struct sqlite_backend *self, const char *name)
{
    int directory = open(self->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = directory < 0 ? -1 : openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0 && (fsync(fd) != 0 || fsync(directory) != 0))
        errno = 0;
    if (fd >= 0)
        close(fd);
    if (directory >= 0)
        close(directory);
}

static bool is_failed_sync(int rc)
{
    return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

static bool is_failed_read(int rc)
{
    return rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_SHORT_READ || rc == SQLITE_IOERR_FSTAT;
}

static void lower(struct sqlite_backend *self, enum journal_health health)
{
    if (self->base.health < health)
        self->base.health = health;
}

int sqlite_fail(struct sqlite_backend *self, int rc, const char *what, struct error *err)
{
    enum error_class class = ERROR_IO;

    switch (rc & 0xff) {
    case SQLITE_FULL:
        class = ERROR_FULL;
        lower(self, JOURNAL_FULL);
        break;
    case SQLITE_IOERR:
        if (is_failed_sync(rc)) {
            lower(self, JOURNAL_UNKNOWN);
            leave_mark(self, SALVAGE_MARK_NAME);
            return error_set(err, ERROR_IO,
                             "%s: fsync failed: whether the last batch was kept is not known, and "
                             "nothing more is written before a salvage (rota down, rota salvage)",
                             what);
        }
        if (!is_failed_read(rc))
            lower(self, JOURNAL_FULL);
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        class = ERROR_DAMAGED;
        lower(self, JOURNAL_UNKNOWN);
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        class = ERROR_BUSY;
        break;
    case SQLITE_NOMEM:
        class = ERROR_MEMORY;
        break;
    case SQLITE_CONSTRAINT:
        class = ERROR_INPUT;
        break;
    default:
        lower(self, JOURNAL_FULL);
        break;
    }
    return error_set(err, class, "%s: %s", what, sqlite3_errmsg(self->db));
}

/* ---- statements ---- */

int sqlite_prepare(struct sqlite_backend *self, struct error *err)
{
    for (int i = 0; i < ST_COUNT; i++) {
        int rc = sqlite3_prepare_v3(self->db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &self->statements[i], NULL);

        if (rc != SQLITE_OK)
            return sqlite_fail(self, rc, SQL[i], err);
    }
    return 0;
}

static void bind_int(sqlite3_stmt *stmt, int at, int64_t number)
{
    check(sqlite3_bind_int64(stmt, at, number) == SQLITE_OK);
}

/* The bytes must stay until the statement is reset. */
static void bind_blob(sqlite3_stmt *stmt, int at, struct slice bytes)
{
    check(sqlite3_bind_blob64(stmt, at, bytes.len > 0 ? (const void *)bytes.at : "", bytes.len,
                              SQLITE_STATIC) == SQLITE_OK);
}

static void bind_text(sqlite3_stmt *stmt, int at, struct slice text)
{
    check(sqlite3_bind_text64(stmt, at, text.len > 0 ? (const char *)text.at : "", text.len,
                              SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

/* Runs a bound statement that gives no rows. */
static int run(struct sqlite_backend *self, sqlite3_stmt *stmt, const char *what, struct error *err)
{
    int rc = sqlite3_step(stmt);

    if (rc != SQLITE_DONE)
        sqlite_fail(self, rc, what, err);
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

/* Some errors, of reads too, make SQLite give the whole batch up. What came after would then be written one by
 * one, each in a transaction of its own. */
static int run_in_batch(struct sqlite_backend *self, sqlite3_stmt *stmt, const char *what,
                        struct error *err)
{
    if (sqlite3_get_autocommit(self->db) != 0)
        return error_set(err, ERROR_IO, "%s: the batch was given up after an earlier error", what);
    return run(self, stmt, what, err);
}

static struct slice column_blob(sqlite3_stmt *stmt, int at)
{
    const void *bytes = sqlite3_column_blob(stmt, at);

    return slice_of(bytes, (size_t)sqlite3_column_bytes(stmt, at));
}

/* Runs a bound statement that gives at most one row; its first column is appended to `out`. */
static int read_one(struct sqlite_backend *self, sqlite3_stmt *stmt, struct buf *out,
                    struct error *err)
{
    int rc = sqlite3_step(stmt), found = rc == SQLITE_ROW;

    if (rc == SQLITE_ROW)
        buf_add_slice(out, column_blob(stmt, 0));
    else if (rc != SQLITE_DONE)
        found = sqlite_fail(self, rc, "reading the journal", err);
    sqlite3_reset(stmt);
    return found;
}

/* A statement for a walk: the prepared one, or its double when a walk is inside a walk. */
static sqlite3_stmt *walk_take(struct sqlite_backend *self, enum statement which)
{
    sqlite3_stmt *stmt = self->statements[which];

    if (sqlite3_stmt_busy(stmt))
        check(sqlite3_prepare_v2(self->db, SQL[which], -1, &stmt, NULL) == SQLITE_OK);
    return stmt;
}

static void walk_give(struct sqlite_backend *self, enum statement which, sqlite3_stmt *stmt)
{
    if (stmt == self->statements[which])
        sqlite3_reset(stmt);
    else
        sqlite3_finalize(stmt);
}

/* ---- the write-ahead log ---- */

static int64_t wal_bytes_of(const struct sqlite_backend *self, int frames)
{
    return WAL_HEAD_BYTES + (int64_t)frames * (FRAME_HEAD_BYTES + self->page_bytes);
}

static int note_wal(void *to, sqlite3 *db, const char *name, int frames)
{
    struct sqlite_backend *self = to;

    (void)db;
    (void)name;
    self->wal_bytes = wal_bytes_of(self, frames);
    if (self->wal_copied > self->wal_bytes)
        self->wal_copied = 0; /* it began anew */
    return SQLITE_OK;
}

void sqlite_watch_wal(struct sqlite_backend *self)
{
    sqlite3_wal_hook(self->db, note_wal, self);
}

int sqlite_checkpoint_wal(struct sqlite_backend *self, int mode, struct error *err)
{
    int in_log = 0, copied = 0;
    int rc = sqlite3_wal_checkpoint_v2(self->db, NULL, mode, &in_log, &copied);

    /* A reader may keep us from copying everything or from beginning anew: later, then. */
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
        return sqlite_fail(self, rc, "copying the write-ahead log into the database", err);
    if (in_log >= 0 && copied >= in_log)
        self->wal_copied = self->wal_bytes;
    else if (copied > 0)
        self->wal_copied = wal_bytes_of(self, copied);
    return 0;
}

static int64_t wal_waiting(const struct sqlite_backend *self)
{
    return self->wal_bytes - self->wal_copied;
}

/* Keeps zeros ahead of the frames, so that a commit overwrites instead of growing the file: then its fsync has
 * no metadata to write. Zeros are no frame (page 0), so recovery stops there. Not before the first commit of
 * this log: until its new head is synced, frames of the log before may come back with a power cut, and zeros in
 * the middle of those would leave a beginning of it, older than the database. Fails silently: if there is no space
 * the commit itself will find out. */
static void grow_wal(struct sqlite_backend *self)
{
    static const uint8_t zeros[64 << 10];
    int64_t from = self->wal_file_bytes > self->wal_bytes ? self->wal_file_bytes : self->wal_bytes;
    sqlite3_file *wal = NULL;

    if (self->wal_bytes == 0 || self->wal_bytes + WAL_AHEAD_BYTES <= self->wal_file_bytes)
        return;
    if (sqlite3_file_control(self->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK ||
        wal == NULL || wal->pMethods == NULL)
        return;
    for (int64_t at = from; at < from + WAL_GROW_BYTES; at += (int64_t)sizeof zeros) {
        if (wal->pMethods->xWrite(wal, zeros, (int)sizeof zeros, at) != SQLITE_OK)
            return;
        self->wal_file_bytes = at + (int64_t)sizeof zeros;
    }
}

/* ---- batches ---- */

static int do_begin(struct backend *backend, struct error *err)
{
    struct sqlite_backend *self = of(backend);

    /* Here and not after a commit: the replies of the batch before are on their way. */
    if (wal_waiting(self) >= WAL_PASSIVE_BYTES &&
        sqlite_checkpoint_wal(self,
                              self->wal_bytes > WAL_RESTART_BYTES ? SQLITE_CHECKPOINT_RESTART
                                                                  : SQLITE_CHECKPOINT_PASSIVE,
                              err) != 0)
        return -1;
    if (run(self, self->statements[ST_BEGIN], "beginning a batch", err) != 0)
        return -1;
    grow_wal(self);
    self->takes_clean_mark = self->has_clean_mark;
    if (self->has_clean_mark) {
        bind_text(self->statements[ST_DROP_META], 1, slice_str(META_CLEAN_STOP));
        if (run_in_batch(self, self->statements[ST_DROP_META], "beginning a batch", err) != 0) {
            backend->ops->rollback(backend);
            return -1;
        }
    }
    return 0;
}

static int do_commit(struct backend *backend, struct error *err)
{
    struct sqlite_backend *self = of(backend);

    if (run_in_batch(self, self->statements[ST_COMMIT], "writing a batch", err) != 0)
        return -1;
    if (self->takes_clean_mark)
        self->has_clean_mark = false;
    self->takes_clean_mark = false;
    self->commits++;
    return 0;
}

static void do_rollback(struct backend *backend)
{
    struct sqlite_backend *self = of(backend);
    struct error unused;

    self->takes_clean_mark = false;
    /* After some errors SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(self->db) == 0)
        run(self, self->statements[ST_ROLLBACK], "giving a batch up", &unused);
}

static int put_meta_row(struct sqlite_backend *self, const char *key, struct slice value,
                        struct error *err)
{
    sqlite3_stmt *stmt = self->statements[value.len > 0 ? ST_PUT_META : ST_DROP_META];

    bind_text(stmt, 1, slice_str(key));
    if (value.len > 0)
        bind_blob(stmt, 2, value);
    return run_in_batch(self, stmt, "writing meta", err);
}

/* One small transaction of its own. */
static int store_meta(struct sqlite_backend *self, const char *key, struct slice value,
                      struct error *err)
{
    if (do_begin(&self->base, err) != 0)
        return -1;
    if (put_meta_row(self, key, value, err) != 0 || do_commit(&self->base, err) != 0) {
        do_rollback(&self->base);
        return -1;
    }
    return 0;
}

/* Writes more than a usual batch, takes it away again and copies the log: all that failed may have to work. */
static int do_probe(struct backend *backend, struct error *err)
{
    static const uint8_t filler[PROBE_BYTES];
    struct sqlite_backend *self = of(backend);

    if (backend->health == JOURNAL_UNKNOWN)
        return -1;
    backend->health = JOURNAL_OK;
    if (store_meta(self, "probe", slice_of(filler, sizeof filler), err) != 0 ||
        store_meta(self, "probe", slice_of(NULL, 0), err) != 0 ||
        sqlite_checkpoint_wal(self, SQLITE_CHECKPOINT_PASSIVE, err) != 0)
        lower(self, JOURNAL_FULL);
    return backend->health == JOURNAL_OK ? 0 : -1;
}

static int do_distrust(struct backend *backend, struct error *err)
{
    struct sqlite_backend *self = of(backend);

    lower(self, JOURNAL_UNKNOWN);
    leave_mark(self, SUSPECT_MARK_NAME);
    return error_add(err, "%s is damaged", self->path);
}

static int poll_check(struct sqlite_backend *self, struct error *err)
{
    int rc;

    if (self->check == NULL)
        return 0;
    rc = background_poll(self->check, err);
    if (rc == 1)
        return 0;
    background_stop(&self->check);
    return rc == 0 ? 0 : do_distrust(&self->base, err);
}

static int do_idle(struct backend *backend, int64_t now_ms, int *next_ms, struct error *err)
{
    struct sqlite_backend *self = of(backend);

    if (poll_check(self, err) != 0)
        return -1;
    if (self->idle_since_ms < 0 || self->idle_commits != self->commits) {
        self->idle_since_ms = now_ms;
        self->idle_commits = self->commits;
    }
    if (backend->health == JOURNAL_OK &&
        (wal_waiting(self) >= WAL_PASSIVE_BYTES ||
         (wal_waiting(self) > 0 && now_ms - self->idle_since_ms >= IDLE_MS))) {
        /* What is wrong with the disk is said by the health; only damage is an error here. */
        if (sqlite_checkpoint_wal(self, SQLITE_CHECKPOINT_PASSIVE, err) != 0 &&
            err->class == ERROR_DAMAGED)
            return -1;
        self->idle_since_ms = now_ms;
    }
    *next_ms = self->check != NULL ? CHECK_POLL_MS : -1;
    if (wal_waiting(self) > 0 && backend->health == JOURNAL_OK && self->check == NULL)
        *next_ms = (int)(self->idle_since_ms + IDLE_MS - now_ms);
    return 0;
}

static int do_free_bytes(struct backend *backend, uint64_t *out)
{
    struct statvfs fs;

    if (statvfs(of(backend)->directory, &fs) != 0)
        return -1;
    *out = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

/* ---- writes ---- */

static int put_leaf(struct backend *backend, uint64_t seq, struct slice leaf, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_PUT_LEAF];

    bind_int(stmt, 1, (int64_t)seq);
    bind_blob(stmt, 2, leaf);
    return run_in_batch(self, stmt, "appending an entry", err);
}

static int put_node(struct backend *backend, unsigned level, uint64_t idx,
                    const uint8_t hash[HASH_LEN], struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_PUT_NODE];

    bind_int(stmt, 1, level);
    bind_int(stmt, 2, (int64_t)idx);
    bind_blob(stmt, 3, slice_of(hash, HASH_LEN));
    return run_in_batch(self, stmt, "writing a node of the tree", err);
}

static int put_commands(struct backend *backend, uint64_t block, struct slice entries,
                        struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_PUT_COMMANDS];

    bind_int(stmt, 1, (int64_t)block);
    bind_blob(stmt, 2, entries);
    return run_in_batch(self, stmt, "writing command ids", err);
}

static int put_row(struct backend *backend, const struct journal_row *row, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[row->bytes.len > 0 ? ST_PUT_ROW : ST_DROP_ROW];

    bind_text(stmt, 1, row->key);
    if (row->bytes.len > 0) {
        bind_blob(stmt, 2, row->bytes);
        if (row->due_ms == JOURNAL_NO_DUE)
            check(sqlite3_bind_null(stmt, 3) == SQLITE_OK);
        else
            bind_int(stmt, 3, row->due_ms);
    }
    return run_in_batch(self, stmt, "writing a row of the state", err);
}

static int put_content(struct backend *backend, const uint8_t hash[HASH_LEN],
                       const uint8_t salt[16], struct slice data, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_PUT_CONTENT];

    bind_blob(stmt, 1, slice_of(hash, HASH_LEN));
    bind_blob(stmt, 2, slice_of(salt, 16));
    bind_blob(stmt, 3, data);
    return run_in_batch(self, stmt, "writing a content", err);
}

static int redact(struct backend *backend, const uint8_t hash[HASH_LEN], struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_REDACT];

    bind_blob(stmt, 1, slice_of(hash, HASH_LEN));
    return run_in_batch(self, stmt, "erasing a content", err);
}

static int put_part(struct backend *backend, struct slice upload, uint32_t part, struct slice data,
                    struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_PUT_PART];

    bind_blob(stmt, 1, upload);
    bind_int(stmt, 2, part);
    bind_blob(stmt, 3, data);
    return run_in_batch(self, stmt, "writing a part of an upload", err);
}

static int drop_upload(struct backend *backend, struct slice upload, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_DROP_UPLOAD];

    bind_blob(stmt, 1, upload);
    return run_in_batch(self, stmt, "throwing an upload away", err);
}

static int put_lease(struct backend *backend, int64_t task, struct slice row, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[row.len > 0 ? ST_PUT_LEASE : ST_DROP_LEASE];

    bind_int(stmt, 1, task);
    if (row.len > 0)
        bind_blob(stmt, 2, row);
    return run_in_batch(self, stmt, "writing a lease", err);
}

static int put_meta(struct backend *backend, const char *key, struct slice value, struct error *err)
{
    return put_meta_row(of(backend), key, value, err);
}

static int put_checkpoint(struct backend *backend, uint64_t size, struct slice note,
                          struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_PUT_CHECKPOINT];

    bind_int(stmt, 1, (int64_t)size);
    bind_text(stmt, 2, note);
    return run_in_batch(self, stmt, "writing a checkpoint", err);
}

/* ---- reads ---- */

/* 1 and the number in the first column, 0 if it is NULL or there is no row. */
static int read_int(struct sqlite_backend *self, sqlite3_stmt *stmt, int64_t *out,
                    struct error *err)
{
    int rc = sqlite3_step(stmt), found = 0;

    if (rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
        *out = sqlite3_column_int64(stmt, 0);
        found = 1;
    } else if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        found = sqlite_fail(self, rc, "reading the journal", err);
    }
    sqlite3_reset(stmt);
    return found;
}

static int get_size(struct backend *backend, uint64_t *out, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    int64_t size = 0;

    if (read_int(self, self->statements[ST_SIZE], &size, err) < 0)
        return -1;
    if (size < 0)
        return error_set(err, ERROR_DAMAGED, "an entry has a negative number");
    *out = (uint64_t)size;
    return 0;
}

static int get_leaf(struct backend *backend, uint64_t seq, struct buf *out, struct error *err)
{
    struct sqlite_backend *self = of(backend);

    bind_int(self->statements[ST_LEAF], 1, (int64_t)seq);
    return read_one(self, self->statements[ST_LEAF], out, err);
}

static int get_node(struct backend *backend, unsigned level, uint64_t idx, uint8_t out[HASH_LEN],
                    struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_NODE];
    int rc, found = 0;

    bind_int(stmt, 1, level);
    bind_int(stmt, 2, (int64_t)idx);
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == HASH_LEN) {
        memcpy(out, sqlite3_column_blob(stmt, 0), HASH_LEN);
        found = 1;
    } else if (rc == SQLITE_ROW) {
        found = error_set(err, ERROR_DAMAGED, "node %u/%" PRIu64 " is not a hash", level, idx);
    } else if (rc != SQLITE_DONE) {
        found = sqlite_fail(self, rc, "reading a node of the tree", err);
    }
    sqlite3_reset(stmt);
    return found;
}

static int get_row(struct backend *backend, struct slice key, struct buf *out, struct error *err)
{
    struct sqlite_backend *self = of(backend);

    bind_text(self->statements[ST_ROW], 1, key);
    return read_one(self, self->statements[ST_ROW], out, err);
}

static int get_content(struct backend *backend, const uint8_t hash[HASH_LEN], struct buf *out,
                       struct error *err)
{
    struct sqlite_backend *self = of(backend);

    bind_blob(self->statements[ST_CONTENT], 1, slice_of(hash, HASH_LEN));
    return read_one(self, self->statements[ST_CONTENT], out, err);
}

static int get_parts(struct backend *backend, struct slice upload, struct buf *out,
                     struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_PARTS];
    int rc, found = 0;

    bind_blob(stmt, 1, upload);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        buf_add_slice(out, column_blob(stmt, 0));
        found = 1;
    }
    if (rc != SQLITE_DONE)
        found = sqlite_fail(self, rc, "reading an upload", err);
    sqlite3_reset(stmt);
    return found;
}

static int get_meta(struct backend *backend, const char *key, struct buf *out, struct error *err)
{
    struct sqlite_backend *self = of(backend);

    bind_text(self->statements[ST_META], 1, slice_str(key));
    return read_one(self, self->statements[ST_META], out, err);
}

static int get_last_checkpoint(struct backend *backend, struct buf *note, uint64_t *size,
                               struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = self->statements[ST_LAST_CHECKPOINT];
    int rc = sqlite3_step(stmt), found = rc == SQLITE_ROW;

    if (rc == SQLITE_ROW) {
        if (note != NULL)
            buf_add_slice(note, column_blob(stmt, 0));
        if (size != NULL)
            *size = (uint64_t)sqlite3_column_int64(stmt, 1);
    } else if (rc != SQLITE_DONE) {
        found = sqlite_fail(self, rc, "reading the last checkpoint", err);
    }
    sqlite3_reset(stmt);
    return found;
}

static int get_next_due(struct backend *backend, int64_t *due_ms, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    int64_t due = JOURNAL_NO_DUE;

    if (read_int(self, self->statements[ST_NEXT_DUE], &due, err) < 0)
        return -1;
    *due_ms = due;
    return 0;
}

/* ---- walks ---- */

static int walk_rows(struct sqlite_backend *self, sqlite3_stmt *stmt, struct slice skip,
                     journal_row_fn *each, void *to, struct error *err)
{
    int rc, stopped = 0;

    while (stopped == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct slice key = column_blob(stmt, 0);
        bool has_due = sqlite3_column_type(stmt, 2) != SQLITE_NULL;

        if (skip.len > 0 && slice_equal(key, skip))
            continue;
        stopped = each(to, key, column_blob(stmt, 1),
                       has_due ? sqlite3_column_int64(stmt, 2) : JOURNAL_NO_DUE);
    }
    if (stopped == 0 && rc != SQLITE_DONE)
        return sqlite_fail(self, rc, "reading the state", err);
    return stopped;
}

/* The least text that is greater than everything that begins with `prefix`; none if it is empty. */
static void bind_end_of(sqlite3_stmt *stmt, int at, struct slice prefix, struct buf *end)
{
    buf_add_slice(end, prefix);
    while (end->len > 0 && end->at[end->len - 1] == 0xff)
        end->len--;
    if (end->len > 0) {
        end->at[end->len - 1]++;
        bind_text(stmt, at, buf_slice(end));
    } else {
        bind_blob(stmt, at, slice_of(NULL, 0));
    }
}

static int each_row(struct backend *backend, struct slice prefix, struct slice after,
                    journal_row_fn *each, void *to, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = walk_take(self, ST_EACH_ROW);
    struct buf end = BUF_EMPTY;
    int rc;

    bind_text(stmt, 1, slice_compare(after, prefix) > 0 ? after : prefix);
    bind_end_of(stmt, 2, prefix, &end);
    rc = walk_rows(self, stmt, after, each, to, err);
    walk_give(self, ST_EACH_ROW, stmt);
    buf_release(&end);
    return rc;
}

static int each_due(struct backend *backend, int64_t until_ms, journal_row_fn *each, void *to,
                    struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = walk_take(self, ST_EACH_DUE);
    int rc;

    bind_int(stmt, 1, until_ms);
    rc = walk_rows(self, stmt, slice_of(NULL, 0), each, to, err);
    walk_give(self, ST_EACH_DUE, stmt);
    return rc;
}

static int each_leaf(struct backend *backend, uint64_t from, uint64_t end, journal_leaf_fn *each,
                     void *to, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt;
    int rc = SQLITE_DONE, stopped = 0;

    if (from >= end || from > INT64_MAX)
        return 0;
    stmt = walk_take(self, ST_EACH_LEAF);
    bind_int(stmt, 1, (int64_t)from);
    bind_int(stmt, 2, end > INT64_MAX ? INT64_MAX : (int64_t)end);
    while (stopped == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        stopped = each(to, (uint64_t)sqlite3_column_int64(stmt, 0), column_blob(stmt, 1));
    if (stopped == 0 && rc != SQLITE_DONE)
        stopped = sqlite_fail(self, rc, "reading the entries", err);
    walk_give(self, ST_EACH_LEAF, stmt);
    return stopped;
}

static int each_commands(struct backend *backend, uint64_t from, journal_leaf_fn *each, void *to,
                         struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = walk_take(self, ST_EACH_COMMANDS);
    int rc = SQLITE_DONE, stopped = 0;

    bind_int(stmt, 1, (int64_t)from);
    while (stopped == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        stopped = each(to, (uint64_t)sqlite3_column_int64(stmt, 0), column_blob(stmt, 1));
    if (stopped == 0 && rc != SQLITE_DONE)
        stopped = sqlite_fail(self, rc, "reading the command ids", err);
    walk_give(self, ST_EACH_COMMANDS, stmt);
    return stopped;
}

static int each_lease(struct backend *backend, journal_lease_fn *each, void *to, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = walk_take(self, ST_EACH_LEASE);
    int rc = SQLITE_DONE, stopped = 0;

    while (stopped == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        stopped = each(to, sqlite3_column_int64(stmt, 0), column_blob(stmt, 1));
    if (stopped == 0 && rc != SQLITE_DONE)
        stopped = sqlite_fail(self, rc, "reading the leases", err);
    walk_give(self, ST_EACH_LEASE, stmt);
    return stopped;
}

static int each_note(struct backend *backend, journal_note_fn *each, void *to, struct error *err)
{
    struct sqlite_backend *self = of(backend);
    sqlite3_stmt *stmt = walk_take(self, ST_EACH_NOTE);
    int rc = SQLITE_DONE, stopped = 0;

    while (stopped == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        stopped = each(to, column_blob(stmt, 0), column_blob(stmt, 1));
    if (stopped == 0 && rc != SQLITE_DONE)
        stopped = sqlite_fail(self, rc, "reading the notes of uploads", err);
    walk_give(self, ST_EACH_NOTE, stmt);
    return stopped;
}

/* ---- closing ---- */

/* A stop is clean only if nothing is known to be wrong and nothing is left to be checked. */
static void leave_clean(struct sqlite_backend *self)
{
    struct error unused;
    bool is_checked = self->check == NULL || background_poll(self->check, &unused) == 0;

    background_stop(&self->check);
    if (is_checked && !self->has_clean_mark &&
        store_meta(self, META_CLEAN_STOP, slice_str("1"), &unused) != 0)
        return;
    if (sqlite_checkpoint_wal(self, SQLITE_CHECKPOINT_TRUNCATE, &unused) == 0)
        sqlite3_db_config(self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

static void do_close(struct backend *backend, bool is_clean)
{
    struct sqlite_backend *self = of(backend);

    if (is_clean && self->statements[ST_COUNT - 1] != NULL)
        leave_clean(self);
    background_stop(&self->check);
    for (int i = 0; i < ST_COUNT; i++)
        sqlite3_finalize(self->statements[i]);
    check(sqlite3_close(self->db) == SQLITE_OK);
    lock_release(&self->lock);
    free(self);
}

const struct backend_ops sqlite_ops = {
    .close = do_close,
    .begin = do_begin,
    .commit = do_commit,
    .rollback = do_rollback,
    .probe = do_probe,
    .distrust = do_distrust,
    .idle = do_idle,
    .free_bytes = do_free_bytes,
    .backup = sqlite_backup,
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
    .size = get_size,
    .leaf = get_leaf,
    .node = get_node,
    .row = get_row,
    .content = get_content,
    .parts = get_parts,
    .meta = get_meta,
    .last_checkpoint = get_last_checkpoint,
    .next_due = get_next_due,
    .each_row = each_row,
    .each_due = each_due,
    .each_leaf = each_leaf,
    .each_commands = each_commands,
    .each_lease = each_lease,
    .each_note = each_note,
};
