#include "store/exchange.h"

#include "base/check.h"
#include "store/merkle.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPIED "copied\n"

enum { COPY_BYTES = 1 << 20, KEPT_MAX = 1000, NAME_ROOM = 128 };

const struct exchange exchange_salvage = {"salvage.new", SALVAGE_MARK_NAME, "before-salvage"};
const struct exchange exchange_restore = {"restore.new", RESTORE_MARK_NAME, "before-restore"};

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

static const char *in_copy(const struct exchange *exchange, const char *name, char room[NAME_ROOM])
{
    snprintf(room, NAME_ROOM, "%s/%s", exchange->copy, name);
    return room;
}

/* All that is ever in it. */
void exchange_drop(int at, const struct exchange *exchange)
{
    static const char *const names[] = {SQLITE_FILE_NAME,        SQLITE_FILE_NAME "-wal",
                                        SQLITE_FILE_NAME "-shm", "lock",
                                        SALVAGE_MARK_NAME,       SUSPECT_MARK_NAME,
                                        EXCHANGE_SIGNED_NAME,    EXCHANGE_SIGNED_NAME ".new"};
    char room[NAME_ROOM];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlinkat(at, in_copy(exchange, names[i], room), 0);
    unlinkat(at, exchange->copy, AT_REMOVEDIR);
}

int exchange_copy(int at, const struct exchange *exchange, const char *file, struct error *err)
{
    char log[PATH_MAX], room[NAME_ROOM];

    exchange_drop(at, exchange);
    if (mkdirat(at, exchange->copy, 0700) != 0)
        return fail(err, exchange->copy);
    if ((size_t)snprintf(log, sizeof log, "%s-wal", file) >= sizeof log)
        return error_set(err, ERROR_INPUT, "the path of the file is too long");
    if (copy_file(at, file, in_copy(exchange, SQLITE_FILE_NAME, room), err) != 0 ||
        (exists(at, log) &&
         copy_file(at, log, in_copy(exchange, SQLITE_FILE_NAME "-wal", room), err) != 0))
        return -1;
    return sync_directory(at, exchange->copy, err);
}

static int add_leaf(void *self, uint64_t seq, struct slice leaf)
{
    uint8_t hash[HASH_LEN];

    (void)seq;
    merkle_leaf_hash(leaf, hash);
    return merkle_append(self, hash, NULL, NULL);
}

static int check_leaves(struct journal *copy, struct error *err)
{
    struct merkle_frontier tree = {.size = 0};
    uint8_t root[HASH_LEN], found[HASH_LEN];

    if (journal_each_leaf(copy, 0, UINT64_MAX, add_leaf, &tree, err) != 0)
        return -1;
    journal_root(copy, root);
    merkle_root(&tree, found);
    if (tree.size != journal_size(copy) || memcmp(root, found, HASH_LEN) != 0)
        return error_set(err, ERROR_DAMAGED, "the entries of the copy are not those of its tree");
    return 0;
}

int exchange_check(const char *directory, const struct exchange *exchange, struct error *err)
{
    char path[PATH_MAX];
    struct journal_options options = {.directory = path};
    struct journal *copy = NULL;
    int rc;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, exchange->copy) >= sizeof path)
        return error_set(err, ERROR_INPUT, "the path of the directory is too long");
    if (journal_open_sqlite(&options, &copy, err) != 0)
        return -1;
    rc = check_leaves(copy, err);
    journal_close(&copy);
    return rc;
}

/* After an orderly close there is no log beside the file, so that one rename moves the whole journal. */
static int check_alone(int at, const struct exchange *exchange, struct error *err)
{
    char room[NAME_ROOM];
    struct stat wal;

    if (fstatat(at, in_copy(exchange, SQLITE_FILE_NAME "-wal", room), &wal, 0) == 0 &&
        wal.st_size > 0)
        return error_set(err, ERROR_IO, "the copy could not be closed in an orderly way");
    return sync_directory(at, exchange->copy, err);
}

int exchange_mark(int at, const struct exchange *exchange, struct error *err)
{
    int fd, rc = 0;

    if (check_alone(at, exchange, err) != 0)
        return -1;
    fd = openat(at, exchange->mark, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(err, exchange->mark);
    if (write(fd, COPIED, strlen(COPIED)) != (ssize_t)strlen(COPIED) || fsync(fd) != 0)
        rc = fail(err, exchange->mark);
    close(fd);
    return rc == 0 ? sync_directory(at, ".", err) : -1;
}

bool exchange_is_marked(int at, const struct exchange *exchange)
{
    char text[16] = "";
    int fd = openat(at, exchange->mark, O_RDONLY | O_CLOEXEC);
    bool is_copied = fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strcmp(text, COPIED) == 0;

    if (fd >= 0)
        close(fd);
    return is_copied;
}

static int keep(int at, const struct exchange *exchange, const char *name, struct error *err)
{
    char kept[NAME_ROOM];

    if (!exists(at, name))
        return 0;
    for (int i = 1; i < KEPT_MAX; i++) {
        snprintf(kept, sizeof kept, "%s.%s.%d", name, exchange->kept, i);
        if (exists(at, kept))
            continue;
        return renameat(at, name, at, kept) == 0 ? 0 : fail(err, name);
    }
    return error_set(err, ERROR_IO, "%s: too many old files are kept", name);
}

/* The log goes first: an old log beside the new file would be played into it. */
int exchange_swap(int at, const struct exchange *exchange, struct error *err)
{
    char copy[NAME_ROOM];

    if (exists(at, in_copy(exchange, SQLITE_FILE_NAME, copy))) {
        if (keep(at, exchange, SQLITE_FILE_NAME "-wal", err) != 0 ||
            keep(at, exchange, SQLITE_FILE_NAME, err) != 0)
            return -1;
        unlinkat(at, SQLITE_FILE_NAME "-shm", 0);
        if (sync_directory(at, ".", err) != 0)
            return -1;
        if (renameat(at, copy, at, SQLITE_FILE_NAME) != 0)
            return fail(err, SQLITE_FILE_NAME);
    }
    return sync_directory(at, ".", err);
}

int exchange_end(int at, const struct exchange *exchange, struct error *err)
{
    exchange_drop(at, exchange);
    if (unlinkat(at, exchange->mark, 0) != 0)
        return fail(err, exchange->mark);
    return sync_directory(at, ".", err);
}
