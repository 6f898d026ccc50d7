#include "store/background.h"

#include "base/check.h"
#include "store/sqlite.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, NICEST = 19 };

/* linux/ioprio.h, which libc does not wrap: only when nobody else wants the disk. */
enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };

struct background {
    pthread_t thread;
    sqlite3 *db; /* owned; opened before the thread starts, so that it can be interrupted */
    atomic_int must_end;
    atomic_int has_ended; /* `rc` and `err` belong to the thread until this is 1 */
    int rc;
    struct error err;
};

/* Through the connection's own handle: closing another one of this file would take the process's locks on it away. */
void background_read_through(sqlite3 *db, const atomic_int *must_end)
{
    uint8_t *bytes = malloc(READ_BYTES);
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;

    check(bytes != NULL);
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
        file != NULL && file->pMethods != NULL &&
        file->pMethods->xFileSize(file, &size) == SQLITE_OK &&
        size / sysconf(_SC_PAGESIZE) < sysconf(_SC_PHYS_PAGES) / 2) {
        for (sqlite3_int64 at = 0; at + READ_BYTES <= size; at += READ_BYTES) {
            if ((must_end != NULL && atomic_load(must_end) != 0) ||
                file->pMethods->xRead(file, bytes, READ_BYTES, at) != SQLITE_OK)
                break;
        }
    }
    free(bytes);
}

/* The check gives way to the work that it runs beside: of this thread alone, as Linux counts threads. */
static void give_way(void)
{
    pid_t own = (pid_t)syscall(SYS_gettid);

    setpriority(PRIO_PROCESS, (id_t)own, NICEST);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, own, IOPRIO_IDLE);
}

static void *run_check(void *to)
{
    struct background *self = to;

    give_way();
    background_read_through(self->db, &self->must_end);
    self->rc = sqlite_quick_check(self->db, &self->err);
    atomic_store(&self->has_ended, 1);
    return NULL;
}

struct background *background_start(const char *path)
{
    struct background *self = calloc(1, sizeof *self);

    check(self != NULL);
    if (sqlite3_open_v2(path, &self->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, NULL) !=
            SQLITE_OK ||
        pthread_create(&self->thread, NULL, run_check, self) != 0) {
        sqlite3_close(self->db);
        free(self);
        return NULL;
    }
    return self;
}

int background_poll(struct background *self, struct error *err)
{
    if (atomic_load(&self->has_ended) == 0)
        return 1;
    if (self->rc != 0 && err != NULL)
        *err = self->err;
    return self->rc;
}

void background_stop(struct background **check)
{
    struct background *self = *check;

    if (self == NULL)
        return;
    *check = NULL;
    atomic_store(&self->must_end, 1);
    while (atomic_load(&self->has_ended) == 0) {
        struct timespec nap = {0, 1000000};

        /* An interrupt before the statement begins has no effect, so it is repeated. */
        sqlite3_interrupt(self->db);
        nanosleep(&nap, NULL);
    }
    pthread_join(self->thread, NULL);
    sqlite3_close(self->db);
    free(self);
}
