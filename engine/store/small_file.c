#include "store/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct error *err, const char *path)
{
    return error_set(err, errno == ENOSPC ? ERROR_FULL : ERROR_IO, "%s: %s", path, strerror(errno));
}

int small_file_read(const char *path, struct buf *out, struct error *err)
{
    char bytes[SMALL_FILE_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t have, len = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : fail(err, path);
    while ((have = read(fd, bytes + len, sizeof bytes - (size_t)len)) > 0)
        len += have;
    if (have < 0)
        fail(err, path);
    close(fd);
    if (have < 0)
        return -1;
    if (len == SMALL_FILE_MAX)
        return error_set(err, ERROR_INPUT, "%s is too large", path);
    buf_add(out, bytes, (size_t)len);
    return 1;
}

static mode_t mode_of(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 ? about.st_mode & 0777 : 0600;
}

static int write_whole(const char *path, struct slice bytes, mode_t mode, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0)
        return fail(err, path);
    errno = EIO; /* a short write says nothing else */
    if (fchmod(fd, mode) != 0 || write(fd, bytes.at, bytes.len) != (ssize_t)bytes.len ||
        fdatasync(fd) != 0)
        rc = fail(err, path);
    close(fd);
    return rc;
}

/* The first time its name must be on the disk too, or a power cut leaves none. */
static int sync_directory_of(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];
    int fd, rc;

    snprintf(directory, sizeof directory, "%.*s", slash != NULL ? (int)(slash - path) : 1,
             slash != NULL ? path : ".");
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd >= 0 && fsync(fd) == 0 ? 0 : fail(err, directory);
    if (fd >= 0)
        close(fd);
    return rc;
}

int small_file_replace(const char *path, struct slice bytes, struct error *err)
{
    char draft[PATH_MAX];
    bool is_first = access(path, F_OK) != 0;

    if ((size_t)snprintf(draft, sizeof draft, "%s.new", path) >= sizeof draft)
        return error_set(err, ERROR_INPUT, "the path of %s is too long", path);
    if (write_whole(draft, bytes, mode_of(path), err) != 0)
        return -1;
    if (rename(draft, path) != 0)
        return fail(err, path);
    return is_first ? sync_directory_of(path, err) : 0;
}
