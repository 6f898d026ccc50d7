/* no_sync.c - preloaded into an engine: while the file that $NO_SYNC names is there, the disk of journal.db does not keep what is
 * written to it: fdatasync() of the journal and of its log fails, as Linux has it fail. Everything else is synced.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fdatasync(int fd);

static int is_failing(int fd)
{
    const char *mark = getenv("NO_SYNC");
    char link[64], path[4096];
    ssize_t len;

    if (mark == NULL || access(mark, F_OK) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return strstr(path, "/journal.db") != NULL;
}

int fdatasync(int fd)
{
    int (*real)(int) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    if (is_failing(fd)) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}
