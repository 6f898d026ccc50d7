/* sqlite_backup.c - a copy of the journal, elsewhere: made, synced, read back. Nothing is written to the journal for it, so
 * it is made also where the journal's disk takes nothing more. */
#include "store/merkle.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC), rc;

    if (fd < 0)
        return -1;
    rc = fsync(fd);
    close(fd);
    return rc;
}

static int sync_file_and_directory(const char *path, struct error *err)
{
    char directory[PATH_MAX];
    char *slash;

    strcpy(directory, path);
    slash = strrchr(directory, '/');
    if (slash == NULL)
        strcpy(directory, ".");
    else if (slash == directory)
        directory[1] = '\0';
    else
        *slash = '\0';
    if (sync_path(path, O_RDONLY) != 0 || sync_path(directory, O_RDONLY | O_DIRECTORY) != 0)
        return error_set(err, ERROR_IO, "%s cannot be synced: %s", path, strerror(errno));
    return 0;
}

static int copy_pages(sqlite3 *from, sqlite3 *to, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int rc;

    if (backup == NULL)
        return error_set(err, ERROR_IO, "the copy: %s", sqlite3_errmsg(to));
    sqlite3_backup_step(backup, -1);
    rc = sqlite3_backup_finish(backup);
    if (rc == SQLITE_FULL)
        return error_set(err, ERROR_FULL, "there is no room for the copy; take another disk");
    if (rc != SQLITE_OK)
        return error_set(err, ERROR_IO, "the copy: %s", sqlite3_errstr(rc));
    return 0;
}

/* ---- reading back ---- */

static int add_leaves(sqlite3_stmt *stmt, struct merkle_frontier *tree)
{
    int rc;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct slice leaf =
            slice_of(sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1));
        uint8_t hash[HASH_LEN];

        if ((uint64_t)sqlite3_column_int64(stmt, 0) != tree->size)
            return SQLITE_CORRUPT;
        merkle_leaf_hash(leaf, hash);
        merkle_append(tree, hash, NULL, NULL);
    }
    return rc;
}

/* The file alone, as it is now: nothing is made beside it. */
static int open_copy(const char *path, sqlite3 **out)
{
    static const char usual[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
    char uri[3 * PATH_MAX + 32], *end = stpcpy(uri, "file:");

    for (; *path != '\0'; path++) {
        if (strchr(usual, *path) != NULL)
            *end++ = *path;
        else
            end += sprintf(end, "%%%02X", (unsigned)(unsigned char)*path);
    }
    strcpy(end, "?immutable=1");
    return sqlite3_open_v2(uri, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                           "unix");
}

static int read_back(const char *path, uint64_t size, const uint8_t root[HASH_LEN],
                     struct error *err)
{
    struct merkle_frontier tree = {.size = 0};
    uint8_t found[HASH_LEN];
    sqlite3_stmt *stmt = NULL;
    sqlite3 *copy = NULL;
    int rc = open_copy(path, &copy);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(copy, "SELECT seq, entry FROM journal ORDER BY seq", -1, &stmt,
                                NULL);
    if (rc == SQLITE_OK)
        rc = add_leaves(stmt, &tree);
    sqlite3_finalize(stmt);
    sqlite3_close(copy);
    if (rc != SQLITE_DONE)
        return error_set(err, ERROR_DAMAGED, "the copy cannot be read back: %s",
                         sqlite3_errstr(rc));
    merkle_root(&tree, found);
    if (tree.size != size || memcmp(found, root, HASH_LEN) != 0)
        return error_set(err, ERROR_DAMAGED,
                         "what the disk gives are not the %" PRIu64
                         " entries that were confirmed: there is no copy",
                         size);
    return 0;
}

int sqlite_backup(struct backend *backend, const char *path, uint64_t size,
                  const uint8_t root[HASH_LEN], struct error *err)
{
    struct sqlite_backend *self = (struct sqlite_backend *)(void *)backend;
    sqlite3 *to = NULL;
    int fd, rc;

    if (strlen(path) >= PATH_MAX)
        return error_set(err, ERROR_INPUT, "the path is too long");
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, errno == ENOSPC ? ERROR_FULL : ERROR_IO, "%s: %s", path,
                         strerror(errno));
    close(fd);
    if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, "unix") !=
        SQLITE_OK)
        rc = error_set(err, ERROR_IO, "%s: %s", path, sqlite3_errmsg(to));
    else
        rc = copy_pages(self->db, to, err);
    sqlite3_close(to);
    if (rc == 0)
        rc = sync_file_and_directory(path, err);
    if (rc == 0)
        rc = read_back(path, size, root, err);
    if (rc != 0)
        unlink(path);
    return rc;
}
