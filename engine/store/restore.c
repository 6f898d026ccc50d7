#include "store/restore.h"

#include "base/check.h"
#include "store/exchange.h"
#include "store/schema.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct restore {
    struct lock lock;
    int at; /* the data directory */
    char directory[PATH_MAX], copy[PATH_MAX], signed_path[PATH_MAX];
    bool is_placed;
};

static int take_place(struct restore *self, const char *directory, struct error *err)
{
    if (lock_take(&self->lock, directory, err) != 0)
        return -1;
    if (realpath(directory, self->directory) == NULL ||
        (self->at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return error_set(err, ERROR_IO, "%s: %s", directory, strerror(errno));
    if ((size_t)snprintf(self->copy, sizeof self->copy, "%s/%s", self->directory,
                         exchange_restore.copy) >= sizeof self->copy ||
        (size_t)snprintf(self->signed_path, sizeof self->signed_path, "%s/" EXCHANGE_SIGNED_NAME,
                         self->copy) >= sizeof self->signed_path)
        return error_set(err, ERROR_INPUT, "the path of the directory is too long");
    return 0;
}

/* A restore that was interrupted before it was placed has changed nothing: it begins again. */
static int take_copy(struct restore *self, const char *file, struct error *err)
{
    char whole[PATH_MAX];

    self->is_placed = exchange_is_marked(self->at, &exchange_restore);
    if (self->is_placed)
        return 0;
    if (realpath(file, whole) == NULL)
        return error_set(err, ERROR_INPUT, "%s: %s", file, strerror(errno));
    return exchange_copy(self->at, &exchange_restore, whole, err) != 0 ||
                   exchange_check(self->directory, &exchange_restore, err) != 0
               ? -1
               : 0;
}

int restore_begin(const char *directory, const char *file, struct restore **out, struct error *err)
{
    struct restore *self = calloc(1, sizeof *self);

    check(self != NULL);
    self->lock = (struct lock)LOCK_NONE;
    self->at = -1;
    if (take_place(self, directory, err) != 0 || take_copy(self, file, err) != 0) {
        restore_release(&self);
        return -1;
    }
    *out = self;
    return 0;
}

bool restore_is_placed(const struct restore *restore)
{
    return restore->is_placed;
}

const char *restore_directory(const struct restore *restore)
{
    return restore->copy;
}

const char *restore_signed_path(const struct restore *restore)
{
    return restore->signed_path;
}

/* ---- what stands there ---- */

static uint64_t count_entries(sqlite3 *db, const char *origin)
{
    static const char sql[] = "SELECT max(seq) + 1 FROM journal WHERE (SELECT CAST(value AS TEXT) "
                              "FROM meta WHERE key = '" META_ORIGIN "') = ?1";
    sqlite3_stmt *stmt = NULL;
    sqlite3_int64 count = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_bind_text(stmt, 1, origin, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        count = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return count > 0 ? (uint64_t)count : 0;
}

uint64_t restore_in_place(const struct restore *restore, const char *origin)
{
    char path[PATH_MAX];
    sqlite3 *db = NULL;
    uint64_t count = 0;

    if ((size_t)snprintf(path, sizeof path, "%s/" SQLITE_FILE_NAME, restore->directory) <
            sizeof path &&
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
        count = count_entries(db, origin);
    sqlite3_close(db);
    return count;
}

/* ---- another name ---- */

static int change_name(sqlite3 *db, const char *origin)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = schema_forget_checkpoints(db);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db,
                          "DELETE FROM lease;"
                          "REPLACE INTO meta(key, value)"
                          " SELECT '" META_ORIGIN_ENTRY
                          "', CAST(CAST(max(seq) + 1 AS TEXT) AS BLOB) FROM journal;",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "REPLACE INTO meta(key, value) VALUES('" META_ORIGIN "', ?1)",
                                -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_blob(stmt, 1, origin, (int)strlen(origin), SQLITE_STATIC);
        rc = sqlite3_step(stmt) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(db);
    }
    sqlite3_finalize(stmt);
    return rc == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : rc;
}

int restore_rename(struct restore *restore, const char *origin, struct error *err)
{
    char path[PATH_MAX];
    sqlite3 *db = NULL;
    int rc = SQLITE_CANTOPEN;

    if ((size_t)snprintf(path, sizeof path, "%s/" SQLITE_FILE_NAME, restore->copy) < sizeof path)
        rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = change_name(db, origin);
    if (rc != SQLITE_OK)
        error_set(err, ERROR_IO, "giving the copy its new origin: %s", sqlite3_errstr(rc));
    sqlite3_close(db);
    return rc == SQLITE_OK ? 0 : -1;
}

/* ---- the place ---- */

int restore_place(struct restore *restore, struct error *err)
{
    if (!restore->is_placed && exchange_mark(restore->at, &exchange_restore, err) != 0)
        return -1;
    restore->is_placed = true;
    return exchange_swap(restore->at, &exchange_restore, err);
}

int restore_end(struct restore *restore, struct error *err)
{
    return exchange_end(restore->at, &exchange_restore, err);
}

void restore_release(struct restore **restore)
{
    struct restore *self = *restore;

    if (self == NULL)
        return;
    *restore = NULL;
    if (self->at >= 0) {
        if (!self->is_placed)
            exchange_drop(self->at, &exchange_restore);
        close(self->at);
    }
    lock_release(&self->lock);
    free(self);
}
