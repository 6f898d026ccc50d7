#include "sdk/session.h"

#include "base/check.h"
#include "sdk/worker.h"
#include "wire/options.h"

#include <stdio.h>
#include <zmq.h>

enum {
    DRAIN_MAX = 256,   /* messages a turn */
    SILENCE_BEATS = 4, /* beats without a word until the connection is made anew */
    BEAT_LEAST_MS = 50,
    RESEND_BEATS = 2, /* beats until a result is sent again; doubled each time */
    RESEND_DOUBLINGS_MAX = 4,
    COPIES_MAX = 10,        /* of a result, while the engine is otherwise alive */
    BACKOFF_FIRST_MS = 250, /* after the second DISCONNECT in a row */
    BACKOFF_MAX_MS = 10000,
    QUEUE_FACTOR = 2 /* tasks kept, over the credit; more is answered "busy" */
};

/* ---- saying ---- */

static int say(struct session *session, enum mdp_verb verb, const char *token,
               const struct slice *body, int body_count, const struct buf *options)
{
    struct slice frames[MDP_FRAMES_MAX];
    struct mdp_message message = {.dialect = MDP_02A,
                                  .party = MDP_WORKER,
                                  .verb = verb,
                                  .service = slice_str(session->service),
                                  .address = slice_str(token),
                                  .body = body,
                                  .body_count = body_count};
    int count;

    if (options != NULL) {
        message.has_options = true;
        message.options = buf_slice(options);
    }
    count = mdp_build(&message, frames);
    return link_send(session->socket, frames, (size_t)count);
}

static void say_ready(struct session *session, int64_t now_ms)
{
    const struct rota_options *options = &session->worker->options;
    struct ready_options ready = {.name = slice_str(options->name),
                                  .version = slice_str(options->version),
                                  .credit = session->credit,
                                  .envelope = true,
                                  .lease_ms = options->lease_ms};
    struct buf frame = BUF_EMPTY;

    ready_options_encode(&frame, &ready);
    if (say(session, MDP_READY, "", NULL, 0, options->is_raw ? NULL : &frame) == 0) {
        session->is_ready = true;
        session->beat_ms = now_ms;
        session->ready_ms = now_ms;
    }
    buf_release(&frame);
}

/* Under the lock: the tokens of all tasks whose result was not sent yet. One that is on its way is
 * not listed: the engine may have settled it, and would take it for a task that we run without a
 * lease. */
static int list_tokens(const struct session *session, struct slice tokens[CREDIT_MAX])
{
    int count = 0;

    for (const struct rota_task *task = session->tasks; task != NULL && count < CREDIT_MAX;
         task = task->next) {
        if (task->state != TASK_SENT && !rota_task_is_cancelled(task))
            tokens[count++] = slice_str(task->token);
    }
    return count;
}

static void say_beat(struct session *session, int64_t now_ms)
{
    struct beat_options beat = {.credit = session->worker->is_stopping ? 0 : session->credit};
    bool is_raw = session->worker->options.is_raw;
    struct buf frame = BUF_EMPTY;

    pthread_mutex_lock(&session->worker->lock);
    beat.running_count = list_tokens(session, beat.running);
    pthread_mutex_unlock(&session->worker->lock);
    beat_options_encode(&frame, &beat);
    say(session, MDP_HEARTBEAT, "", NULL, 0, is_raw ? NULL : &frame);
    buf_release(&frame);
    session->beat_ms = now_ms + session->beat_every_ms;
}

/* ---- the list of tasks ---- */

static struct rota_task *task_of(const struct session *session, struct slice token)
{
    for (struct rota_task *task = session->tasks; task != NULL; task = task->next) {
        if (slice_is(token, task->token))
            return task;
    }
    return NULL;
}

int session_tasks_in(const struct session *session, enum task_state state)
{
    int count = 0;

    for (const struct rota_task *task = session->tasks; task != NULL; task = task->next)
        count += task->state == state;
    return count;
}

/* Under the lock. The task is not running. */
static void drop_task(struct session *session, struct rota_task *task)
{
    struct rota_task **at = &session->tasks;

    check(task->state != TASK_RUNNING);
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    task_free(&task);
}

static void add_task(struct session *session, struct rota_task *task)
{
    struct rota_task **end = &session->tasks;

    while (*end != NULL)
        end = &(*end)->next;
    *end = task;
    task->session = session;
}

/* ---- what the engine says ---- */

static void refuse_request(struct session *session, struct slice token)
{
    struct outcome busy = {.status = 503, .code = slice_str("busy"), .retry_ms = 1000};
    struct buf header = BUF_EMPTY;
    char copy[TOKEN_MAX + 1] = "";
    struct slice body;

    memcpy(copy, token.at, token.len);
    outcome_encode(&header, &busy);
    body = buf_slice(&header);
    say(session, MDP_FINAL, copy, &body, 1, NULL);
    buf_release(&header);
}

static void take_request(struct session *session, const struct mdp_message *message)
{
    struct rota_worker *worker = session->worker;
    struct rota_task *task;
    int64_t third_ms;

    if (message->address.len == 0 || message->address.len > TOKEN_MAX ||
        memchr(message->address.at, '\0', message->address.len) != NULL) {
        worker_log(worker, ROTA_LOG_WARNING, "%s: a task with an unusable token", session->service);
        return;
    }
    session->backoff_ms = 0;
    if (worker->is_stopping)
        return; /* DISCONNECT gives it back, and counts no attempt */
    pthread_mutex_lock(&worker->lock);
    if (task_of(session, message->address) != NULL) {
        pthread_mutex_unlock(&worker->lock);
        return;
    }
    if (session_tasks_in(session, TASK_WAITING) + session_tasks_in(session, TASK_RUNNING) >=
        session->credit * QUEUE_FACTOR) {
        pthread_mutex_unlock(&worker->lock);
        refuse_request(session, message->address);
        return;
    }
    task = task_new(session->service, message->address, message->body, message->body_count,
                    worker->options.is_raw);
    third_ms = task->facts.lease_ms / 3;
    if (third_ms > 0 && third_ms < session->beat_every_ms)
        session->beat_every_ms = third_ms < BEAT_LEAST_MS ? BEAT_LEAST_MS : third_ms;
    add_task(session, task);
    pthread_cond_signal(&worker->work);
    pthread_mutex_unlock(&worker->lock);
}

static void end_tasks(struct session *session, const struct slice *tokens, int count,
                      bool is_cancel)
{
    struct rota_worker *worker = session->worker;

    pthread_mutex_lock(&worker->lock);
    for (int i = 0; i < count; i++) {
        struct rota_task *task = task_of(session, tokens[i]);

        if (task == NULL)
            continue;
        if (is_cancel)
            worker_log(worker, ROTA_LOG_INFO, "%s: task %s was taken back", session->service,
                       task->token);
        if (is_cancel)
            task_cancel(task);
        if (task->state == TASK_SENT || (is_cancel && task->state != TASK_RUNNING))
            drop_task(session, task);
    }
    pthread_mutex_unlock(&worker->lock);
}

static void note_drain(struct session *session, bool is_draining)
{
    if (is_draining != session->is_draining)
        worker_log(session->worker, ROTA_LOG_INFO, "%s: the engine %s", session->service,
                   is_draining ? "drains: no new tasks come" : "gives out tasks again");
    session->is_draining = is_draining;
}

static void take_beat(struct session *session, const struct mdp_message *message)
{
    struct arena arena = ARENA_EMPTY;
    struct beat_options beat;

    if (message->has_options && beat_options_decode(&arena, message->options, &beat, NULL) == 0) {
        end_tasks(session, beat.ack, beat.ack_count, false);
        end_tasks(session, beat.cancel, beat.cancel_count, true);
        note_drain(session, beat.drain);
    }
    arena_release(&arena);
}

/* The engine does not know us (any more), or may not let us serve. The first time we come back at
 * once. */
static void take_disconnect(struct session *session, int64_t now_ms)
{
    worker_log(session->worker, session->backoff_ms > 0 ? ROTA_LOG_WARNING : ROTA_LOG_INFO,
               "%s: the engine ended the session%s", session->service,
               session->backoff_ms > 0 ? " again: may this key serve it?" : "; announcing again");
    session->is_ready = false;
    session->ready_ms = now_ms + session->backoff_ms;
    session->backoff_ms = session->backoff_ms == 0 ? BACKOFF_FIRST_MS : session->backoff_ms * 2;
    if (session->backoff_ms > BACKOFF_MAX_MS)
        session->backoff_ms = BACKOFF_MAX_MS;
}

static void take_message(struct session *session, const struct mdp_message *message, int64_t now_ms)
{
    session->heard_ms = now_ms;
    if (!session->is_known && message->verb != MDP_DISCONNECT) {
        session->is_known = true;
        session->has_complained = false;
        worker_log(session->worker, ROTA_LOG_INFO, "serving %s", session->service);
    }
    switch (message->verb) {
    case MDP_REQUEST:
        take_request(session, message);
        break;
    case MDP_HEARTBEAT:
        if (now_ms - session->ready_ms > BACKOFF_MAX_MS)
            session->backoff_ms = 0;
        take_beat(session, message);
        break;
    case MDP_DISCONNECT:
        take_disconnect(session, now_ms);
        break;
    case MDP_READY:
    case MDP_PARTIAL:
    case MDP_FINAL:
        break; /* an engine says none of these to a worker */
    }
}

void session_receive(struct session *session, int64_t now_ms)
{
    struct link_message raw = {.count = 0};
    struct mdp_message message;
    const char *why = "meant for somebody else";

    for (int i = 0; i < DRAIN_MAX && link_receive(session->socket, &raw) == 1; i++) {
        if (mdp_parse(raw.frames, (int)raw.count, &message, &why) == 0 &&
            message.party == MDP_WORKER)
            take_message(session, &message, now_ms);
        else
            worker_log(session->worker, ROTA_LOG_WARNING, "%s: not understood: %s",
                       session->service, why);
    }
    link_message_release(&raw);
}

/* ---- what is due ---- */

static void send_note(struct session *session, struct rota_task *task)
{
    struct progress progress = {task->percent, slice_str(task->note)};
    struct buf frame = BUF_EMPTY;
    struct slice body;

    task->percent = -1;
    if (session->worker->options.is_raw)
        return;
    progress_encode(&frame, &progress);
    body = buf_slice(&frame);
    say(session, MDP_PARTIAL, task->token, &body, 1, NULL);
    buf_release(&frame);
}

/* Gives false if the result is to be forgotten: a plain worker's was said, or nobody confirms it.
 * */
static bool send_result(struct session *session, struct rota_task *task, int64_t now_ms)
{
    bool is_raw = session->worker->options.is_raw;
    struct slice body[2] = {buf_slice(&task->outcome), buf_slice(&task->result)};
    int doublings;

    if (task->copies >= COPIES_MAX) {
        worker_log(session->worker, ROTA_LOG_WARNING,
                   "%s: the result of task %s was never confirmed and is given up",
                   session->service, task->token);
        return false;
    }
    if (say(session, MDP_FINAL, task->token, is_raw ? body + 1 : body, is_raw ? 1 : 2, NULL) != 0) {
        task->send_again_ms = now_ms + session->beat_every_ms;
        return true;
    }
    if (task->copies == 0 || session->heard_ms >= task->sent_ms)
        task->copies++;
    task->state = TASK_SENT;
    task->sent_ms = now_ms;
    doublings = task->copies < RESEND_DOUBLINGS_MAX ? task->copies : RESEND_DOUBLINGS_MAX;
    task->send_again_ms =
        now_ms + ((session->worker->options.heartbeat_ms * RESEND_BEATS) << (doublings - 1));
    return !is_raw;
}

static void tend_tasks(struct session *session, int64_t now_ms)
{
    struct rota_task *next;

    for (struct rota_task *task = session->tasks; task != NULL; task = next) {
        bool is_over = rota_task_is_cancelled(task);

        next = task->next;
        if (task->percent >= 0)
            send_note(session, task);
        if (task->state == TASK_RUNNING || (task->state == TASK_WAITING && !is_over))
            continue;
        if (!is_over && task->send_again_ms <= now_ms)
            is_over = !send_result(session, task, now_ms);
        if (is_over)
            drop_task(session, task);
    }
}

static int reopen(struct session *session, int64_t now_ms)
{
    int linger = 0;

    if (!session->has_complained)
        worker_log(session->worker, ROTA_LOG_WARNING,
                   "%s: no answer from %s (does the engine run, and does it know this key?)",
                   session->service, session->worker->options.endpoint);
    session->has_complained = true;
    zmq_setsockopt(session->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(session->socket);
    session->socket = NULL;
    return session_open(session, now_ms, NULL);
}

static int64_t silence_ms(const struct session *session)
{
    return session->worker->options.heartbeat_ms * SILENCE_BEATS;
}

void session_tick(struct session *session, int64_t now_ms)
{
    if (session->socket != NULL && now_ms - session->heard_ms >= silence_ms(session))
        reopen(session, now_ms);
    if (session->socket == NULL) {
        if (session_open(session, now_ms, NULL) != 0)
            session->heard_ms = now_ms;
        return;
    }
    if (!session->is_ready && now_ms >= session->ready_ms) {
        say_ready(session, now_ms);
        pthread_mutex_lock(&session->worker->lock);
        for (struct rota_task *task = session->tasks; task != NULL; task = task->next)
            task->send_again_ms = 0;
        pthread_mutex_unlock(&session->worker->lock);
    }
    if (!session->is_ready)
        return;
    if (now_ms >= session->beat_ms)
        say_beat(session, now_ms);
    pthread_mutex_lock(&session->worker->lock);
    tend_tasks(session, now_ms);
    pthread_mutex_unlock(&session->worker->lock);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t session_due_ms(const struct session *session)
{
    int64_t due_ms = session->heard_ms + silence_ms(session);

    if (!session->is_ready)
        return earlier(due_ms, session->ready_ms);
    due_ms = earlier(due_ms, session->beat_ms);
    pthread_mutex_lock(&session->worker->lock);
    for (const struct rota_task *task = session->tasks; task != NULL; task = task->next) {
        if (task->state == TASK_SENT || task->state == TASK_FINISHED)
            due_ms = earlier(due_ms, task->send_again_ms);
    }
    pthread_mutex_unlock(&session->worker->lock);
    return due_ms;
}

bool session_is_settled(const struct session *session)
{
    bool is_settled;

    pthread_mutex_lock(&session->worker->lock);
    is_settled =
        session_tasks_in(session, TASK_SENT) == 0 && session_tasks_in(session, TASK_FINISHED) == 0;
    pthread_mutex_unlock(&session->worker->lock);
    return is_settled;
}

/* ---- opening and closing ---- */

int session_open(struct session *session, int64_t now_ms, struct rota_error *err)
{
    struct rota_worker *worker = session->worker;
    void *socket = link_dealer(worker->context, &worker->keys, err);

    if (socket == NULL)
        return -1;
    if (zmq_connect(socket, worker->options.endpoint) != 0) {
        fail(err, 0, "", "cannot connect to %s: %s", worker->options.endpoint,
             zmq_strerror(zmq_errno()));
        zmq_close(socket);
        return -1;
    }
    session->socket = socket;
    session->is_ready = session->is_known = session->is_draining = false;
    session->ready_ms = session->heard_ms = now_ms;
    session->beat_every_ms = worker->options.heartbeat_ms;
    return 0;
}

void session_close(struct session *session, bool say_goodbye)
{
    if (session->socket == NULL)
        return;
    if (say_goodbye && session->is_ready)
        say(session, MDP_DISCONNECT, "", NULL, 0, NULL);
    zmq_close(session->socket);
    session->socket = NULL;
}
