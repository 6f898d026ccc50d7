/* sqlite_open.c - opening the durable backend: lock, settings, recovery of the file. */
#include "base/check.h"
#include "store/schema.h"
#include "store/note.h"
#include "store/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_WAIT_MS = 250, BUSY_WAIT_AT_START_MS = 2000 };

/* ROTA_BUG_NORMAL and ROTA_BUG_NO_START_CHECKPOINT plant bugs that the power-cut tests must find. */
#ifdef ROTA_BUG_NORMAL
#define SYNCHRONOUS "NORMAL"
#else
#define SYNCHRONOUS "FULL"
#endif

/* ---- settings ---- */

int sqlite_configure(sqlite3 *db)
{
    /* Making a file goes through a rollback journal once. EXTRA syncs the directory after that journal is
     * gone: otherwise a power cut brings it back, and the next start rolls a whole new journal back to nothing. */
    static const char pragmas[] =
        "PRAGMA synchronous=EXTRA;"
        "PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=" SYNCHRONOUS ";"
        "PRAGMA wal_autocheckpoint=0;"
        "PRAGMA journal_size_limit=-1;" /* a log once grown stays so: see grow_wal */
        "PRAGMA mmap_size=0;"
        "PRAGMA secure_delete=ON;" /* a content that is erased is overwritten */
        "PRAGMA cell_size_check=ON;"
        "PRAGMA cache_size=-8192;"
        "PRAGMA temp_store=MEMORY;";

    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* Closing must write nothing that was not asked for, above all after a failed fsync. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_busy_timeout(db, BUSY_WAIT_AT_START_MS);
    return sqlite3_exec(db, pragmas, NULL, NULL, NULL);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; name != NULL && *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Everything that is not named here is refused, with SQLITE_AUTH, when a statement is prepared. */
static int authorize(void *unused, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    static const char *const deletable[] = {"state", "content", "lease", "upload", "meta", NULL};
    static const char *const insertable[] = {"journal", "checkpoint", "cosignature", "content",
                                             "node",    "state",      "command",     "lease",
                                             "upload",  "meta",       NULL};

    (void)unused;
    (void)second;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_TRANSACTION:
        return SQLITE_OK;
    case SQLITE_INSERT:
        return is_one_of(first, insertable) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_DELETE:
        return is_one_of(first, deletable) ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

void sqlite_guard(sqlite3 *db)
{
    sqlite3_set_authorizer(db, authorize, NULL);
}

/* ---- checks of the file ---- */

int sqlite_quick_check(sqlite3 *db, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *said = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        said = (const char *)sqlite3_column_text(stmt, 0);
    if (said == NULL)
        said = sqlite3_errmsg(db);
    if (strcmp(said, "ok") != 0)
        rc = error_set(err, ERROR_DAMAGED, "quick_check says: %s", said);
    sqlite3_finalize(stmt);
    return rc;
}

/* What a killed process left in the log may be in memory only: before it is served it must be on the disk, or
 * a power cut later takes away what somebody has seen. */
static int start_checkpoint(struct sqlite_backend *self, struct error *err)
{
#ifdef ROTA_BUG_NO_START_CHECKPOINT
    (void)self;
    (void)err;
    return 0;
#else
    int in_log = 0, copied = 0;
    int rc =
        sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &in_log, &copied);

    if (rc == SQLITE_BUSY && in_log == copied)
        return 0; /* a reader keeps the log from being cut short, but all of it was copied and synced */
    if (rc != SQLITE_OK)
        return sqlite_fail(self, rc, "copying the write-ahead log into the database", err);
    return 0;
#endif
}

static int read_page_size(struct sqlite_backend *self, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(self->db, "PRAGMA page_size", -1, &stmt, NULL);

    if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        self->page_bytes = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == SQLITE_OK && self->page_bytes > 0 ? 0
                                                   : sqlite_fail(self, rc, "reading the file", err);
}

static bool was_stopped_cleanly(struct sqlite_backend *self)
{
    struct buf value = BUF_EMPTY;
    struct error unused;
    int found = self->base.ops->meta(&self->base, META_CLEAN_STOP, &value, &unused);

    buf_release(&value);
    return found == 1;
}

static const char *suspect_path(const struct sqlite_backend *self, char room[PATH_MAX])
{
    if ((size_t)snprintf(room, PATH_MAX, "%s/" SUSPECT_MARK_NAME, self->directory) >= PATH_MAX)
        room[0] = '\0';
    return room;
}

/* Did the check beside the work find something last time? */
static bool is_suspect(const struct sqlite_backend *self)
{
    return access(suspect_path(self, (char[PATH_MAX]){0}), F_OK) == 0;
}

/* The order matters: nothing is believed that is not on the disk, nothing is read that was not checked. */
static int recover_file(struct sqlite_backend *self, const struct journal_options *options,
                        struct error *err)
{
    if (start_checkpoint(self, err) != 0 || schema_check(self->db, err) != 0 ||
        read_page_size(self, err) != 0)
        return -1;
    sqlite3_busy_timeout(self->db, BUSY_WAIT_MS);
    if (sqlite_prepare(self, err) != 0)
        return -1;
    self->has_clean_mark = was_stopped_cleanly(self);
    if (self->has_clean_mark && options->trust_clean_stop && !is_suspect(self))
        self->check = background_start(self->path);
    self->base.is_trusted = self->check != NULL;
    if (self->check == NULL) {
        background_read_through(self->db, NULL);
        if (sqlite_quick_check(self->db, err) != 0)
            return -1;
    }
    sqlite_guard(self->db);
    sqlite_watch_wal(self);
    return 0;
}

/* ---- making a new one ---- */

static int put_facts(sqlite3 *db, const struct journal_options *options)
{
    uint8_t key[SIGN_KEY_LEN];
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "INSERT INTO meta(key, value) VALUES(?1, ?2)", -1, &stmt, NULL);

    if (rc == SQLITE_OK) {
        sqlite3_bind_text(stmt, 1, META_ORIGIN, -1, SQLITE_STATIC);
        sqlite3_bind_blob(stmt, 2, options->origin, (int)strlen(options->origin), SQLITE_STATIC);
        sqlite3_step(stmt);
        rc = sqlite3_reset(stmt);
    }
    if (rc == SQLITE_OK && options->has_log_seed) {
        sign_public_key(options->log_seed, key);
        sqlite3_bind_text(stmt, 1, META_LOG_KEY, -1, SQLITE_STATIC);
        sqlite3_bind_blob(stmt, 2, key, sizeof key, SQLITE_STATIC);
        sqlite3_step(stmt);
        rc = sqlite3_reset(stmt);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* All in one transaction: a journal is whole or it is not there. */
static int fill_new(struct sqlite_backend *self, const struct journal_options *options,
                    struct error *err)
{
    int rc = sqlite3_exec(self->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = schema_create(self->db);
    if (rc == SQLITE_OK)
        rc = put_facts(self->db, options);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(self->db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return sqlite_fail(self, rc, "making the journal", err);
    return 0;
}

/* ---- opening ---- */

static int file_exists(const char *path)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    int exists = 0;

    if (vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &exists) != SQLITE_OK)
        return 0;
    return exists;
}

static int check_options(const struct journal_options *options, struct error *err)
{
    struct note_key key;

    if (!options->create)
        return 0;
    if (options->origin == NULL)
        return error_set(err, ERROR_INPUT, "a new journal needs an origin");
    return note_key_make(slice_str(options->origin), (const uint8_t[SIGN_KEY_LEN]){0}, &key, err);
}

/* A file beside the journal that says that it must not be opened as it is. */
static int check_mark(const struct sqlite_backend *self, const char *name, const char *why,
                      struct error *err)
{
    char mark[PATH_MAX];

    if ((size_t)snprintf(mark, sizeof mark, "%s/%s", self->directory, name) >= sizeof mark)
        return error_set(err, ERROR_INPUT, "the path of the directory is too long");
    return access(mark, F_OK) == 0 ? error_set(err, ERROR_DAMAGED, "%s", why) : 0;
}

static int take_paths(struct sqlite_backend *self, const char *directory, struct error *err)
{
    if (realpath(directory, self->directory) == NULL)
        return error_set(err, ERROR_IO, "%s: %s", directory, strerror(errno));
    if ((size_t)snprintf(self->path, sizeof self->path, "%s/" SQLITE_FILE_NAME, self->directory) >=
        sizeof self->path)
        return error_set(err, ERROR_INPUT, "the path of the directory is too long");
    if (lock_take(&self->lock, self->directory, err) != 0)
        return -1;
    if (check_mark(self, SALVAGE_MARK_NAME,
                   "an fsync failed here before, so what the file seems to hold may not be on "
                   "the disk: `rota salvage` first",
                   err) != 0)
        return -1;
    return check_mark(
        self, RESTORE_MARK_NAME,
        "a restore was interrupted: the same `rota restore` again brings it to its end", err);
}

static int open_file(struct sqlite_backend *self, const struct journal_options *options,
                     struct error *err)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (options->create ? SQLITE_OPEN_CREATE : 0);
    bool exists = file_exists(self->path);
    int rc;

    if (options->create && exists)
        return error_set(err, ERROR_INPUT, "%s exists already", self->path);
    if (!options->create && !exists)
        return error_set(err, ERROR_IO, "there is no journal in %s", self->directory);
    rc = sqlite3_open_v2(self->path, &self->db, flags, NULL);
    /* The names of people are in it, and in the log, which gets the mode of the file. (A test's file system in
     * memory has no such file.) */
    if (rc == SQLITE_OK && options->create && chmod(self->path, 0600) != 0 && errno != ENOENT)
        return error_set(err, ERROR_IO, "%s: %s", self->path, strerror(errno));
    if (rc == SQLITE_OK)
        rc = sqlite_configure(self->db);
    if (rc != SQLITE_OK)
        return sqlite_fail(self, rc, "opening the journal", err);
    return options->create ? fill_new(self, options, err) : 0;
}

static int open_backend(struct sqlite_backend *self, const struct journal_options *options,
                        struct error *err)
{
    if (take_paths(self, options->directory, err) != 0 || open_file(self, options, err) != 0)
        return -1;
    return recover_file(self, options, err);
}

int journal_open_sqlite(const struct journal_options *options, struct journal **out,
                        struct error *err)
{
    struct error spare = {ERROR_NONE, ""};
    struct error *said = err != NULL ? err : &spare;
    struct sqlite_backend *self;
    struct backend *backend;
    char path[PATH_MAX];
    int rc;

    if (check_options(options, said) != 0)
        return -1;
    /* Nobody asks how much memory SQLite has, and to count it takes a lock for each piece. Not heeded if it is in use. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    self = calloc(1, sizeof *self);
    check(self != NULL);
    self->base.ops = &sqlite_ops;
    self->lock = (struct lock)LOCK_NONE;
    self->idle_since_ms = -1;
    backend = &self->base;
    rc = open_backend(self, options, said);
    memcpy(path, self->path, sizeof path);
    if (rc != 0)
        backend->ops->close(backend, false);
    else
        rc = journal_start(&backend, options, out, said);
    if (rc == 0 && !self->base.is_trusted)
        unlink(suspect_path(self, (char[PATH_MAX]){0})); /* all of it was looked at */
    if (rc != 0 && said->class == ERROR_DAMAGED)
        error_add(said, "%s is damaged, nothing was repaired; keep it and restore a backup", path);
    return rc;
}
