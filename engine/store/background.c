#include "store/background.h"

#include "base/check.h"
#include "store/sqlite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct background {
    pthread_t thread;
    sqlite3 *db; /* owned; opened before the thread starts, so that it can be interrupted */
    atomic_int has_ended; /* `rc` and `err` belong to the thread until this is 1 */
    int rc;
    struct error err;
};

static void *run_check(void *to)
{
    struct background *self = to;

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
