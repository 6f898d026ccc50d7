/* lock.h - one engine to a data directory, and only where locks and fsync mean what they say.
 *
 * The lock is an open-file-description lock (fcntl F_OFD_SETLK) on DIR/lock: the kernel gives it back when
 * the process ends, however it ends. The file holds the pid of the holder, for messages only.
 */
#ifndef ROTA_STORE_LOCK_H
#define ROTA_STORE_LOCK_H

#include "base/error.h"

struct lock {
    int fd; /* -1: not held */
};

#define LOCK_NONE                                                                                  \
    {                                                                                              \
        -1                                                                                         \
    }

/* ERROR_BUSY when another holds it; ERROR_INPUT on a network file system; ERROR_IO otherwise. */
int lock_take(struct lock *lock, const char *directory, struct error *err);
void lock_release(struct lock *lock);

/* The name of the network file system with this statfs f_type, or NULL. FUSE and 9p may be either and are
 * let pass. */
const char *lock_network_name(long f_type);

#endif
