#include "post/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool maildir_name_is_valid(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > MAILDIR_NAME_MAX || name[0] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              strchr("._@+-", c) != NULL))
            return false;
    }
    return true;
}

static int path_of(char out[MAILDIR_PATH_MAX], const char *root, const char *name,
                   const char *below, struct error *err)
{
    int len = snprintf(out, MAILDIR_PATH_MAX, "%s/%s%s%s", root, name, below[0] ? "/" : "", below);

    if (len < 0 || len >= MAILDIR_PATH_MAX)
        return error_set(err, ERROR_INPUT, "the path of a maildir is too long");
    return 0;
}

static int make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return error_set(err, ERROR_IO, "cannot make %s: %s", path, strerror(errno));
}

int maildir_make(const char *root, const char *name, struct error *err)
{
    static const char *const below[] = {"", "tmp", "new", "cur"};
    char path[MAILDIR_PATH_MAX];

    if (!maildir_name_is_valid(name))
        return error_set(err, ERROR_INPUT, "that name cannot be a mail folder");
    if (make_folder(root, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        if (path_of(path, root, name, below[i], err) != 0 || make_folder(path, err) != 0)
            return -1;
    }
    return 0;
}

/* Is there a file `<start>` or `<start>:2,flags` in root/name/below? */
static bool is_in(const char *root, const char *name, const char *below, const char *start)
{
    char path[MAILDIR_PATH_MAX];
    size_t len = strlen(start);
    struct dirent *entry;
    bool found = false;
    DIR *folder;

    if (path_of(path, root, name, below, NULL) != 0 || (folder = opendir(path)) == NULL)
        return false;
    while (!found && (entry = readdir(folder)) != NULL)
        found = strncmp(entry->d_name, start, len) == 0 &&
                (entry->d_name[len] == '\0' || entry->d_name[len] == ':');
    closedir(folder);
    return found;
}

static int write_whole(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.at, bytes.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes = slice_of(bytes.at + put, bytes.len - (size_t)put);
    }
    return fsync(fd);
}

static int write_file(const char *path, struct slice bytes, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot make %s: %s", path, strerror(errno));
    rc = write_whole(fd, bytes);
    if (rc != 0)
        error_set(err, ERROR_IO, "cannot write %s: %s", path, strerror(errno));
    close(fd);
    return rc;
}

static int sync_folder(const char *root, const char *name, const char *below, struct error *err)
{
    char path[MAILDIR_PATH_MAX];
    int fd, rc;

    if (path_of(path, root, name, below, err) != 0)
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return rc == 0 ? 0 : error_set(err, ERROR_IO, "cannot sync %s: %s", path, strerror(errno));
}

/* tmp/ first, then a link into new/, which fails if the name is taken: two deliveries at once are
 * one. */
static int put_file(const char *root, const char *name, const char *file, struct slice message,
                    bool *was_there, struct error *err)
{
    char below[MAILDIR_PATH_MAX], draft[MAILDIR_PATH_MAX], final[MAILDIR_PATH_MAX];
    int rc = 0;

    snprintf(below, sizeof below, "tmp/%s.%ld.%lx", file, (long)getpid(),
             (unsigned long)(uintptr_t)below);
    if (path_of(draft, root, name, below, err) != 0)
        return -1;
    snprintf(below, sizeof below, "new/%s", file);
    if (path_of(final, root, name, below, err) != 0 || write_file(draft, message, err) != 0)
        return -1;
    if (link(draft, final) != 0) {
        *was_there = errno == EEXIST;
        if (!*was_there)
            rc = error_set(err, ERROR_IO, "cannot make %s: %s", final, strerror(errno));
    }
    unlink(draft);
    return rc == 0 ? sync_folder(root, name, "new", err) : -1;
}

int maildir_deliver(const char *root, const char *name, const char *id, struct slice message,
                    bool *was_there, struct error *err)
{
    char file[MAILDIR_NAME_MAX + 8];
    bool before = false;
    int rc = 0;

    if (!maildir_name_is_valid(id))
        return error_set(err, ERROR_INPUT, "that id cannot be the name of a mail");
    if (maildir_make(root, name, err) != 0)
        return -1;
    snprintf(file, sizeof file, "%s.rota", id);
    before = is_in(root, name, "cur", file) || is_in(root, name, "new", file);
    if (!before)
        rc = put_file(root, name, file, message, &before, err);
    if (rc == 0 && was_there != NULL)
        *was_there = before;
    return rc;
}

/* ---- reading ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_files(DIR *folder, int max, char ***out)
{
    char **files = NULL, **more;
    struct dirent *entry;
    size_t count = 0;

    while ((int)count < max && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' || strlen(entry->d_name) > MAILDIR_NAME_MAX)
            continue;
        more = realloc(files, (count + 1) * sizeof *files);
        if (more == NULL)
            break;
        files = more;
        files[count] = strdup(entry->d_name);
        if (files[count] == NULL)
            break;
        count++;
    }
    if (count > 0)
        qsort(files, count, sizeof *files, by_name);
    *out = files;
    return count;
}

/* Reads a regular file of at most MAILDIR_MESSAGE_MAX bytes; 1 if it is something else. */
static int read_message(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat facts;
    ssize_t got = 1;
    int rc = 0;

    buf_clear(out);
    if (fd < 0)
        return 1;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size > MAILDIR_MESSAGE_MAX)
        rc = 1;
    buf_reserve(out, MAILDIR_MESSAGE_MAX + 1);
    while (rc == 0 && got > 0 && out->len <= MAILDIR_MESSAGE_MAX) {
        got = read(fd, out->at + out->len, MAILDIR_MESSAGE_MAX + 1 - out->len);
        out->len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0 || out->len > MAILDIR_MESSAGE_MAX)
        rc = 1;
    close(fd);
    return rc;
}

int maildir_each_new(const char *root, const char *name, int max, maildir_fn *each, void *self,
                     struct error *err)
{
    char path[MAILDIR_PATH_MAX], below[MAILDIR_PATH_MAX];
    struct buf message = BUF_EMPTY;
    char **files;
    size_t count;
    DIR *folder;

    if (path_of(path, root, name, "new", err) != 0)
        return -1;
    folder = opendir(path);
    if (folder == NULL)
        return error_set(err, ERROR_IO, "cannot read %s: %s", path, strerror(errno));
    count = list_files(folder, max, &files);
    closedir(folder);
    for (size_t i = 0; i < count; i++) {
        snprintf(below, sizeof below, "new/%s", files[i]);
        if (path_of(path, root, name, below, err) == 0)
            each(self, files[i],
                 read_message(path, &message) == 0 ? buf_slice(&message) : slice_of(NULL, 0));
        free(files[i]);
    }
    free(files);
    buf_release(&message);
    return 0;
}

int maildir_seen(const char *root, const char *name, const char *file, const char *flags,
                 struct error *err)
{
    char below[MAILDIR_PATH_MAX], from[MAILDIR_PATH_MAX], to[MAILDIR_PATH_MAX];

    snprintf(below, sizeof below, "new/%s", file);
    if (path_of(from, root, name, below, err) != 0)
        return -1;
    snprintf(below, sizeof below, "cur/%s:2,%s", file, flags);
    if (path_of(to, root, name, below, err) != 0)
        return -1;
    if (rename(from, to) != 0)
        return error_set(err, ERROR_IO, "cannot move %s: %s", from, strerror(errno));
    return sync_folder(root, name, "cur", err);
}
