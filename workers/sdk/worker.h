/* worker.h - the whole of a worker: sessions, task threads, and the loop of the socket thread. */
#ifndef ROTA_SDK_WORKER_H
#define ROTA_SDK_WORKER_H

#include "sdk/session.h"

#include <stdatomic.h>

enum { WORKER_THREADS_MAX = 256 };

struct rota_worker {
    struct rota_options options; /* texts owned */
    struct link_keys keys;
    void *context;
    struct session sessions[ROTA_SERVICES_MAX];
    size_t session_count;

    pthread_mutex_t lock; /* task states, notes, lists */
    pthread_cond_t work;  /* a task waits, or the threads are to end */
    pthread_t threads[WORKER_THREADS_MAX];
    size_t thread_count;
    bool threads_end; /* L */

    int wake_fd;   /* eventfd: a result, a note or a stop */
    int signal_fd; /* -1 unless asked for */
    atomic_bool stop;
    bool is_stopping; /* the socket thread has seen it */
};

void worker_log(const struct rota_worker *worker, enum rota_log_level level, const char *format,
                ...) __attribute__((format(printf, 3, 4)));
void worker_wake(struct rota_worker *worker); /* any thread, any signal handler */

#endif
