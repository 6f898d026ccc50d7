#include "sdk/worker.h"

#include "base/check.h"
#include "wire/service_name.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zmq.h>

enum {
    HEARTBEAT_MS = 2000,
    STOP_MS = 10000,
    CONFIRM_MS = 2000, /* how long results wait for their acknowledgement at the end */
    TURN_MAX_MS = 1000
};

void worker_log(const struct rota_worker *worker, enum rota_log_level level, const char *format,
                ...)
{
    char text[512];
    va_list args;

    if (worker->options.log == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    worker->options.log(worker->options.log_self, level, text);
}

void worker_wake(struct rota_worker *worker)
{
    uint64_t one = 1;
    int saved = errno;

    /* Fails only when the counter is full, and then the thread is awake already. */
    if (write(worker->wake_fd, &one, sizeof one) != (ssize_t)sizeof one)
        errno = saved;
    errno = saved;
}

static char *text_or(const char *text, const char *fallback)
{
    char *copy = text == NULL && fallback == NULL ? NULL : strdup(text == NULL ? fallback : text);

    check(copy != NULL || (text == NULL && fallback == NULL));
    return copy;
}

static void keep_options(struct rota_options *out, const struct rota_options *given)
{
    *out = *given;
    out->endpoint = text_or(given->endpoint, NULL);
    out->key_file = out->engine_key_file = NULL;
    out->name = text_or(given->name, "librota");
    out->version = text_or(given->version, "");
    if (out->heartbeat_ms <= 0)
        out->heartbeat_ms = HEARTBEAT_MS;
    if (out->stop_ms <= 0)
        out->stop_ms = STOP_MS;
}

int rota_worker_open(const struct rota_options *options, struct rota_worker **out,
                     struct rota_error *err)
{
    struct rota_worker *worker;
    struct link_keys keys;

    if (options->endpoint == NULL)
        return fail(err, 0, "", "no endpoint of an engine is given");
    if (link_keys_read(options, &keys, err) != 0)
        return -1;
    worker = calloc(1, sizeof *worker);
    check(worker != NULL);
    keep_options(&worker->options, options);
    worker->keys = keys;
    worker->signal_fd = -1;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->work, NULL);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->context = zmq_ctx_new();
    if (worker->wake_fd < 0 || worker->context == NULL) {
        fail(err, 0, "", "no descriptors are left: %s", strerror(errno));
        rota_worker_close(&worker);
        return -1;
    }
    *out = worker;
    return 0;
}

int rota_worker_serve(struct rota_worker *worker, const char *service, int credit, rota_task_fn *fn,
                      void *self, struct rota_error *err)
{
    struct slice name = slice_str(service);
    struct session *session;

    if (!service_name_is_valid(name) || service_name_is_reserved(name))
        return fail(err, 0, "", "%.64s cannot be the name of a service", service);
    if (credit < 1 || credit > ROTA_CREDIT_MAX)
        return fail(err, 0, "", "credit is 1 to %d", ROTA_CREDIT_MAX);
    if (worker->session_count == ROTA_SERVICES_MAX)
        return fail(err, 0, "", "a worker serves at most %d services", ROTA_SERVICES_MAX);
    session = &worker->sessions[worker->session_count++];
    session->worker = worker;
    memcpy(session->service, service, name.len);
    session->credit = worker->options.is_raw ? 1 : credit;
    session->fn = fn;
    session->self = self;
    return 0;
}

int rota_worker_stop_on_signals(struct rota_worker *worker, struct rota_error *err)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0)
        return fail(err, 0, "", "cannot block signals");
    worker->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (worker->signal_fd < 0)
        return fail(err, 0, "", "cannot read signals: %s", strerror(errno));
    return 0;
}

void rota_worker_stop(struct rota_worker *worker)
{
    atomic_store(&worker->stop, true);
    worker_wake(worker);
}

/* ---- task threads ---- */

/* Under the lock: the first task that waits in any service. */
static struct rota_task *waiting_task(struct rota_worker *worker)
{
    for (size_t i = 0; i < worker->session_count; i++) {
        for (struct rota_task *task = worker->sessions[i].tasks; task != NULL; task = task->next) {
            if (task->state == TASK_WAITING)
                return task;
        }
    }
    return NULL;
}

static void *task_thread(void *argument)
{
    struct rota_worker *worker = argument;
    struct rota_task *task;

    pthread_mutex_lock(&worker->lock);
    for (;;) {
        while ((task = waiting_task(worker)) == NULL && !worker->threads_end)
            pthread_cond_wait(&worker->work, &worker->lock);
        if (worker->threads_end)
            break;
        task->state = TASK_RUNNING;
        pthread_mutex_unlock(&worker->lock);
        task_run(task, task->session->fn, task->session->self, worker->options.is_raw);
        pthread_mutex_lock(&worker->lock);
        task->state = TASK_FINISHED;
        worker_wake(worker);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* The threads of the library take no signals: those belong to the program. */
static int start_threads(struct rota_worker *worker, struct rota_error *err)
{
    sigset_t all, before;
    size_t wanted = 0;
    int rc = 0;

    for (size_t i = 0; i < worker->session_count; i++)
        wanted += (size_t)worker->sessions[i].credit;
    if (wanted > WORKER_THREADS_MAX)
        wanted = WORKER_THREADS_MAX;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (worker->thread_count < wanted && rc == 0) {
        rc = pthread_create(&worker->threads[worker->thread_count], NULL, task_thread, worker);
        worker->thread_count += rc == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : fail(err, 0, "", "cannot start a thread: %s", strerror(rc));
}

static void join_threads(struct rota_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->threads_end = true;
    pthread_cond_broadcast(&worker->work);
    pthread_mutex_unlock(&worker->lock);
    while (worker->thread_count > 0)
        pthread_join(worker->threads[--worker->thread_count], NULL);
    worker->threads_end = false;
}

/* ---- the loop of the socket thread ---- */

static void read_signal(struct rota_worker *worker)
{
    struct signalfd_siginfo info;

    if (worker->signal_fd < 0 ||
        read(worker->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    worker_log(worker, ROTA_LOG_INFO, "asked to stop (signal %u)", info.ssi_signo);
    atomic_store(&worker->stop, true);
}

static long turn_ms(const struct rota_worker *worker, int64_t now_ms)
{
    int64_t due_ms = now_ms + TURN_MAX_MS;

    for (size_t i = 0; i < worker->session_count; i++) {
        int64_t own_ms = session_due_ms(&worker->sessions[i]);

        due_ms = own_ms < due_ms ? own_ms : due_ms;
    }
    return due_ms <= now_ms ? 0 : (long)(due_ms - now_ms);
}

/* Waits for something, then lets every session receive and do what is due. */
static void turn(struct rota_worker *worker)
{
    zmq_pollitem_t items[ROTA_SERVICES_MAX + 2];
    uint64_t count;
    int used = 0;

    for (size_t i = 0; i < worker->session_count; i++) {
        if (worker->sessions[i].socket != NULL)
            items[used++] = (zmq_pollitem_t){worker->sessions[i].socket, 0, ZMQ_POLLIN, 0};
    }
    items[used++] = (zmq_pollitem_t){NULL, worker->wake_fd, ZMQ_POLLIN, 0};
    if (worker->signal_fd >= 0)
        items[used++] = (zmq_pollitem_t){NULL, worker->signal_fd, ZMQ_POLLIN, 0};
    zmq_poll(items, used, turn_ms(worker, clock_ms()));
    while (read(worker->wake_fd, &count, sizeof count) == (ssize_t)sizeof count)
        ;
    read_signal(worker);
    for (size_t i = 0; i < worker->session_count; i++) {
        struct session *session = &worker->sessions[i];

        if (session->socket != NULL)
            session_receive(session, clock_ms());
        session_tick(session, clock_ms());
    }
}

static bool any_running(struct rota_worker *worker)
{
    int count = 0;

    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < worker->session_count; i++)
        count += session_tasks_in(&worker->sessions[i], TASK_RUNNING);
    pthread_mutex_unlock(&worker->lock);
    return count > 0;
}

static bool all_settled(const struct rota_worker *worker)
{
    for (size_t i = 0; i < worker->session_count; i++) {
        if (!session_is_settled(&worker->sessions[i]))
            return false;
    }
    return true;
}

static void cancel_all(struct rota_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < worker->session_count; i++) {
        for (struct rota_task *task = worker->sessions[i].tasks; task != NULL; task = task->next) {
            if (task->state == TASK_RUNNING)
                task_cancel(task);
        }
    }
    pthread_mutex_unlock(&worker->lock);
}

/* No new tasks start; what waits goes back to the engine with DISCONNECT. */
static void begin_stop(struct rota_worker *worker)
{
    worker->is_stopping = true;
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < worker->session_count; i++) {
        for (struct rota_task *task = worker->sessions[i].tasks; task != NULL; task = task->next) {
            if (task->state == TASK_WAITING)
                task_cancel(task);
        }
    }
    pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < worker->session_count; i++) {
        worker->sessions[i].beat_ms = 0; /* says that there is no more credit */
        session_tick(&worker->sessions[i], clock_ms());
    }
}

static void wind_down(struct rota_worker *worker)
{
    int64_t stop_ms = worker->options.stop_ms, end_ms = clock_ms() + stop_ms;
    int64_t confirm_ms = stop_ms < CONFIRM_MS ? stop_ms : CONFIRM_MS;

    begin_stop(worker);
    while (any_running(worker) && clock_ms() < end_ms)
        turn(worker);
    if (any_running(worker)) {
        worker_log(worker, ROTA_LOG_WARNING, "stopping: running tasks are cancelled");
        cancel_all(worker);
        for (end_ms = clock_ms() + confirm_ms; any_running(worker) && clock_ms() < end_ms;)
            turn(worker);
    }
    end_ms = clock_ms() + confirm_ms;
    while (!all_settled(worker) && clock_ms() < end_ms)
        turn(worker);
}

int rota_worker_run(struct rota_worker *worker, struct rota_error *err)
{
    int rc = worker->session_count == 0 ? fail(err, 0, "", "no service is served") : 0;

    worker->is_stopping = false;
    for (size_t i = 0; rc == 0 && i < worker->session_count; i++)
        rc = session_open(&worker->sessions[i], clock_ms(), err);
    if (rc == 0)
        rc = start_threads(worker, err);
    while (rc == 0 && !atomic_load(&worker->stop))
        turn(worker);
    if (rc == 0)
        wind_down(worker);
    for (size_t i = 0; i < worker->session_count; i++)
        session_close(&worker->sessions[i], true);
    join_threads(worker);
    return rc;
}

void rota_worker_close(struct rota_worker **out)
{
    struct rota_worker *worker = out == NULL ? NULL : *out;

    if (worker == NULL)
        return;
    *out = NULL;
    for (size_t i = 0; i < worker->session_count; i++) {
        session_close(&worker->sessions[i], false);
        while (worker->sessions[i].tasks != NULL) {
            struct rota_task *task = worker->sessions[i].tasks;

            worker->sessions[i].tasks = task->next;
            task_free(&task);
        }
    }
    if (worker->context != NULL)
        zmq_ctx_term(worker->context);
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    if (worker->signal_fd >= 0)
        close(worker->signal_fd);
    pthread_cond_destroy(&worker->work);
    pthread_mutex_destroy(&worker->lock);
    free((void *)(uintptr_t)worker->options.endpoint);
    free((void *)(uintptr_t)worker->options.name);
    free((void *)(uintptr_t)worker->options.version);
    free(worker);
}
