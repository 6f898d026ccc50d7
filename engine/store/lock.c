#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

const char *lock_network_name(long f_type)
{
    static const struct {
        unsigned long type;
        const char *name;
    } known[] = {
        {0x6969, "NFS"},        {0x517b, "SMB"},      {0xff534d42, "CIFS"},  {0xfe534d42, "SMB2"},
        {0x5346414f, "AFS"},    {0x6b414653, "AFS"},  {0x73757245, "Coda"},  {0x00c36400, "Ceph"},
        {0x0bd00bd0, "Lustre"}, {0x01161970, "GFS2"}, {0x7461636f, "OCFS2"}, {0x47504653, "GPFS"},
        {0x19830326, "BeeGFS"}, {0x564c, "NCP"},      {0x013111a8, "IBRIX"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (((unsigned long)f_type & 0xffffffffUL) == known[i].type)
            return known[i].name;
    return NULL;
}

static int refuse_network(const char *directory, struct error *err)
{
    struct statfs fs;
    const char *name;

    if (statfs(directory, &fs) != 0)
        return error_set(err, ERROR_IO, "%s: %s", directory, strerror(errno));
    name = lock_network_name((long)fs.f_type);
    if (name == NULL)
        return 0;
    return error_set(err, ERROR_INPUT,
                     "%s is on a network file system (%s), where locks and fsync cannot be relied "
                     "on: a journal must be on a local disk",
                     directory, name);
}

static long holder_of(int fd)
{
    char text[32] = "";
    long pid = 0;

    if (pread(fd, text, sizeof text - 1, 0) <= 0 || sscanf(text, "%ld", &pid) != 1)
        return 0;
    return pid;
}

static int busy(int fd, const char *directory, struct error *err)
{
    long pid = holder_of(fd);

    if (pid > 0)
        return error_set(err, ERROR_BUSY, "%s is in use by another engine (process %ld)", directory,
                         pid);
    return error_set(err, ERROR_BUSY, "%s is in use by another engine", directory);
}

int lock_take(struct lock *lock, const char *directory, struct error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[PATH_MAX];
    int fd;

    if (refuse_network(directory, err) != 0)
        return -1;
    if ((size_t)snprintf(path, sizeof path, "%s/lock", directory) >= sizeof path)
        return error_set(err, ERROR_INPUT, "the path of the directory is too long");
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            busy(fd, directory, err);
        else
            error_set(err, ERROR_IO, "%s cannot be locked: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    /* Only for the message above: that it cannot be written does not matter. */
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
        errno = 0;
    lock->fd = fd;
    return 0;
}

void lock_release(struct lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
