/* sqlite.h - the durable backend from within. Only for files of this folder and its tests. */
#ifndef ROTA_STORE_SQLITE_H
#define ROTA_STORE_SQLITE_H

#include "store/backend.h"
#include "store/background.h"
#include "store/lock.h"

#include <limits.h>
#include <sqlite3.h>

/* One prepared statement each; sqlite.c has the SQL in the same order. */
enum statement {
    ST_BEGIN,
    ST_COMMIT,
    ST_ROLLBACK,
    ST_PUT_LEAF,
    ST_PUT_NODE,
    ST_PUT_COMMANDS,
    ST_PUT_ROW,
    ST_DROP_ROW,
    ST_PUT_CONTENT,
    ST_REDACT,
    ST_PUT_PART,
    ST_DROP_UPLOAD,
    ST_PUT_LEASE,
    ST_DROP_LEASE,
    ST_PUT_META,
    ST_DROP_META,
    ST_PUT_CHECKPOINT,
    ST_SIZE,
    ST_LEAF,
    ST_NODE,
    ST_ROW,
    ST_CONTENT,
    ST_PARTS,
    ST_META,
    ST_LAST_CHECKPOINT,
    ST_NEXT_DUE,
    ST_EACH_ROW,
    ST_EACH_DUE,
    ST_EACH_LEAF,
    ST_EACH_COMMANDS,
    ST_EACH_LEASE,
    ST_EACH_NOTE,
    ST_COUNT
};

struct sqlite_backend {
    struct backend base;
    struct lock lock;
    char directory[PATH_MAX];
    char path[PATH_MAX];
    sqlite3 *db;
    sqlite3_stmt *statements[ST_COUNT];

    bool has_clean_mark;   /* meta says clean stop: the next batch takes it away */
    bool takes_clean_mark; /* the open batch does */

    int64_t page_bytes;
    int64_t wal_bytes;      /* how far frames reach in the WAL, as of the last commit */
    int64_t wal_copied;     /* of these, how many were there at the last checkpoint */
    int64_t wal_file_bytes; /* how far the file was grown beforehand */
    uint64_t commits;       /* to see whether anything happened since the last idle call */
    uint64_t idle_commits;
    int64_t idle_since_ms; /* -1: not idle */

    struct background *check; /* quick_check beside the work, or NULL */
};

/* The names of the files in the data directory. */
#define SQLITE_FILE_NAME "journal.db"
#define SALVAGE_MARK_NAME "journal.salvage" /* do not open before a salvage */
#define RESTORE_MARK_NAME "journal.restore" /* nor while a restore is under way */
#define SUSPECT_MARK_NAME "journal.suspect" /* check all pages before serving */

/* Sets `err` after a result code and lowers the health: nothing may hide a failed fsync. Returns -1. */
int sqlite_fail(struct sqlite_backend *self, int rc, const char *what, struct error *err);

/* What every connection that may write gets before it touches a page. A result code. */
int sqlite_configure(sqlite3 *db);
/* The guard against DDL and against changing what is append-only. */
void sqlite_guard(sqlite3 *db);
/* 0, or ERROR_DAMAGED with the first thing quick_check found. */
int sqlite_quick_check(sqlite3 *db, struct error *err);

extern const struct backend_ops sqlite_ops;
int sqlite_prepare(struct sqlite_backend *self, struct error *err);
void sqlite_watch_wal(struct sqlite_backend *self); /* keeps wal_bytes up to date */
int sqlite_checkpoint_wal(struct sqlite_backend *self, int mode, struct error *err);
int sqlite_backup(struct backend *backend, const char *path, uint64_t size,
                  const uint8_t root[HASH_LEN], struct error *err);

/* For tests: the journal's own connection. NULL if it has none. */
sqlite3 *journal_sqlite_handle(struct journal *journal);

#endif
