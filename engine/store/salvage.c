#include "store/salvage.h"

#include "base/check.h"
#include "store/merkle.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*      (nothing) --copy, sync, check--> COPY/journal.db --mark "copied"--> rename, rename, rename --> no mark
 *
 * Before the mark says "copied" an interrupted salvage begins again; after it, it goes on renaming. While there is
 * a mark the journal does not open. */

#define COPY_NAME "salvage.new"
#define COPY_DB COPY_NAME "/" SQLITE_FILE_NAME
#define COPIED "copied\n"

enum { COPY_BYTES = 1 << 20, KEPT_MAX = 1000 };

/* Names are relative to the data directory, open as `at`. */
static int fail(struct error *err, const char *name)
{
    return error_set(err, errno == ENOSPC ? ERROR_FULL : ERROR_IO, "%s: %s", name, strerror(errno));
}

static bool exists(int at, const char *name)
{
    return faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int sync_directory(int at, const char *name, struct error *err)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (rc != 0)
        fail(err, name);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int copy_bytes(int from, int to, const char *name, struct error *err)
{
    uint8_t *bytes = malloc(COPY_BYTES);
    ssize_t have;
    int rc = 0;

    check(bytes != NULL);
    while (rc == 0 && (have = read(from, bytes, COPY_BYTES)) != 0) {
        if (have < 0)
            rc = fail(err, name);
        for (ssize_t done = 0; rc == 0 && done < have;) {
            ssize_t wrote = write(to, bytes + done, (size_t)(have - done));

            if (wrote < 0)
                rc = fail(err, name);
            else
                done += wrote;
        }
    }
    if (rc == 0 && fsync(to) != 0)
        rc = fail(err, name);
    free(bytes);
    return rc;
}

static int copy_file(int at, const char *name, const char *new_name, struct error *err)
{
    int from = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), to, rc;

    if (from < 0)
        return fail(err, name);
    to = openat(at, new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    rc = to < 0 ? fail(err, new_name) : copy_bytes(from, to, new_name, err);
    if (to >= 0)
        close(to);
    close(from);
    return rc;
}

static void remove_copy(int at)
{
    static const char *const names[] = {COPY_DB, COPY_DB "-wal", COPY_DB "-shm", COPY_NAME "/lock",
                                        COPY_NAME "/" SALVAGE_MARK_NAME};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlinkat(at, names[i], 0);
    unlinkat(at, COPY_NAME, AT_REMOVEDIR);
}

static int make_copy(int at, struct error *err)
{
    remove_copy(at);
    if (mkdirat(at, COPY_NAME, 0700) != 0)
        return fail(err, COPY_NAME);
    if (copy_file(at, SQLITE_FILE_NAME, COPY_DB, err) != 0)
        return -1;
    if (exists(at, SQLITE_FILE_NAME "-wal") &&
        copy_file(at, SQLITE_FILE_NAME "-wal", COPY_DB "-wal", err) != 0)
        return -1;
    return sync_directory(at, COPY_NAME, err);
}

static int add_leaf(void *self, uint64_t seq, struct slice leaf)
{
    uint8_t hash[HASH_LEN];

    (void)seq;
    merkle_leaf_hash(leaf, hash);
    return merkle_append(self, hash, NULL, NULL);
}

/* Opening recovers the log, checks pages, schema, tree and the last signature; here every leaf as well. */
static int check_copy(const char *directory, struct error *err)
{
    char path[PATH_MAX];
    struct journal_options options = {.directory = path};
    struct merkle_frontier tree = {.size = 0};
    uint8_t root[HASH_LEN], found[HASH_LEN];
    struct journal *copy = NULL;
    int rc;

    if ((size_t)snprintf(path, sizeof path, "%s/" COPY_NAME, directory) >= sizeof path)
        return error_set(err, ERROR_INPUT, "the path of the directory is too long");
    if (journal_open_sqlite(&options, &copy, err) != 0)
        return -1;
    rc = journal_each_leaf(copy, 0, UINT64_MAX, add_leaf, &tree, err);
    journal_root(copy, root);
    merkle_root(&tree, found);
    if (rc == 0 && (tree.size != journal_size(copy) || memcmp(root, found, HASH_LEN) != 0))
        rc = error_set(err, ERROR_DAMAGED, "the entries of the copy are not those of its tree");
    journal_close(&copy);
    return rc;
}

/* After an orderly close there is no log beside the file, so that one rename moves the whole journal. */
static int check_alone(int at, struct error *err)
{
    struct stat wal;

    if (fstatat(at, COPY_DB "-wal", &wal, 0) == 0 && wal.st_size > 0)
        return error_set(err, ERROR_IO, "the copy could not be closed in an orderly way");
    return sync_directory(at, COPY_NAME, err);
}

static int write_mark(int at, struct error *err)
{
    int fd = openat(at, SALVAGE_MARK_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = 0;

    if (fd < 0)
        return fail(err, SALVAGE_MARK_NAME);
    if (write(fd, COPIED, strlen(COPIED)) != (ssize_t)strlen(COPIED) || fsync(fd) != 0)
        rc = fail(err, SALVAGE_MARK_NAME);
    close(fd);
    return rc == 0 ? sync_directory(at, ".", err) : -1;
}

static bool says_copied(int at)
{
    char text[16] = "";
    int fd = openat(at, SALVAGE_MARK_NAME, O_RDONLY | O_CLOEXEC);
    bool is_copied = fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strcmp(text, COPIED) == 0;

    if (fd >= 0)
        close(fd);
    return is_copied;
}

static int keep(int at, const char *name, struct error *err)
{
    char kept[64];

    if (!exists(at, name))
        return 0;
    for (int i = 1; i < KEPT_MAX; i++) {
        snprintf(kept, sizeof kept, "%s.before-salvage.%d", name, i);
        if (exists(at, kept))
            continue;
        return renameat(at, name, at, kept) == 0 ? 0 : fail(err, name);
    }
    return error_set(err, ERROR_IO, "%s: too many old files are kept", name);
}

/* The log goes first: an old log beside the new file would be played into it. */
static int exchange(int at, struct error *err)
{
    if (exists(at, COPY_DB)) {
        if (keep(at, SQLITE_FILE_NAME "-wal", err) != 0 || keep(at, SQLITE_FILE_NAME, err) != 0)
            return -1;
        unlinkat(at, SQLITE_FILE_NAME "-shm", 0);
        if (sync_directory(at, ".", err) != 0)
            return -1;
        if (renameat(at, COPY_DB, at, SQLITE_FILE_NAME) != 0)
            return fail(err, SQLITE_FILE_NAME);
    }
    if (sync_directory(at, ".", err) != 0)
        return -1;
    remove_copy(at);
    if (unlinkat(at, SALVAGE_MARK_NAME, 0) != 0)
        return fail(err, SALVAGE_MARK_NAME);
    return sync_directory(at, ".", err);
}

int journal_salvage(const char *directory, struct error *err)
{
    struct lock lock = LOCK_NONE;
    struct error spare;
    int at, rc = -1;

    if (err == NULL)
        err = &spare;
    if (lock_take(&lock, directory, err) != 0)
        return -1;
    at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        fail(err, directory);
    else if (says_copied(at) || (make_copy(at, err) == 0 && check_copy(directory, err) == 0 &&
                                 check_alone(at, err) == 0 && write_mark(at, err) == 0))
        rc = exchange(at, err);
    if (at >= 0)
        close(at);
    lock_release(&lock);
    return rc;
}
