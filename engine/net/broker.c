#include "net/broker.h"

#include "base/check.h"
#include "net/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void broker_log(struct broker *broker, int level, const char *format, ...)
{
    char text[512];
    va_list args;

    if (broker->ops.log == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    broker->ops.log(broker->ops.self, level, text);
}

/* ---- open and close ---- */

int broker_open(const struct broker_options *options, const struct broker_ops *ops,
                struct broker **out, struct error *err)
{
    struct broker *broker = calloc(1, sizeof *broker);

    check(broker != NULL);
    broker->ops = *ops;
    broker->context = options->context;
    tasks_open(broker);
    broker->heartbeat_ms = options->heartbeat_ms > 0 ? options->heartbeat_ms : 2000;
    broker->idle_expiry_ms = options->idle_expiry_ms > 0 ? options->idle_expiry_ms : 20000;
    broker->plain_lease_ms = options->plain_lease_ms > 0 ? options->plain_lease_ms : 60000;
    broker->sdk_lease_ms = options->sdk_lease_ms > 0 ? options->sdk_lease_ms : 15000;
    if (sockets_open(broker, options, err) != 0) {
        broker_close(&broker);
        return -1;
    }
    *out = broker;
    return 0;
}

void broker_close(struct broker **broker)
{
    struct broker *closed = *broker;

    *broker = NULL;
    if (closed == NULL)
        return;
    for (int i = 0; i < closed->inbox.count; i++)
        zmq_msg_close(&closed->inbox.frames[i]);
    sockets_close(closed);
    sessions_release(closed);
    tasks_release(closed);
    map_release(&closed->unanswered);
    outbox_release(&closed->outbox);
    arena_release(&closed->scratch);
    free(closed);
}

const char *broker_endpoint(const struct broker *broker, int which)
{
    if (which == -1)
        return broker->plain;
    if (which == -2)
        return broker->admin;
    check(which >= 0 && which < FRONT_MAX);
    return broker->front[which];
}

/* ---- waiting ---- */

void broker_watch(struct broker *broker, void *socket)
{
    broker->watched = socket;
}

int64_t broker_next_ms(const struct broker *broker)
{
    const struct task *task = heap_first(&broker->expiries);

    if (broker->has_gone_sessions)
        return 0;
    if (task != NULL && task->lease->until_boot_ms < broker->next_beat_ms)
        return task->lease->until_boot_ms;
    return broker->next_beat_ms;
}

unsigned broker_wait(struct broker *broker, const int *fds, int fd_count, int64_t timeout_ms)
{
    zmq_pollitem_t items[WAIT_FDS_MAX + SOCKET_COUNT + 2];
    unsigned readable = 0;
    int count = 0;

    check(fd_count >= 0 && fd_count <= WAIT_FDS_MAX);
    for (; count < fd_count; count++)
        items[count] = (zmq_pollitem_t){NULL, fds[count], ZMQ_POLLIN, 0};
    items[count++] = (zmq_pollitem_t){zap_socket(broker->zap), 0, ZMQ_POLLIN, 0};
    for (int i = 0; i < SOCKET_COUNT; i++) {
        if (broker->sockets[i] != NULL)
            items[count++] = (zmq_pollitem_t){broker->sockets[i], 0, ZMQ_POLLIN, 0};
    }
    if (broker->watched != NULL)
        items[count++] = (zmq_pollitem_t){broker->watched, 0, ZMQ_POLLIN, 0};
    if (broker->has_gone_sessions)
        timeout_ms = 0;
    if (zmq_poll(items, count, (long)timeout_ms) <= 0)
        return 0;
    zap_receive(broker->zap);
    for (int i = 0; i < fd_count; i++) {
        if ((items[i].revents & ZMQ_POLLIN) != 0)
            readable |= 1u << i;
    }
    return readable;
}

/* ---- one turn ---- */

static void find_principal(struct broker *broker, struct message *message)
{
    const char *principal = broker->ops.principal(broker->ops.self, message->user_id);

    if (principal == NULL) {
        broker->counts.without_rights++;
        return;
    }
    check(principal[0] != '\0' && strlen(principal) <= BROKER_PRINCIPAL_MAX);
    snprintf(broker->principal, sizeof broker->principal, "%s", principal);
    message->principal = broker->principal;
}

static void take_message(struct broker *broker, struct message *message)
{
    struct mdp_message mdp;
    const char *why = "";

    arena_clear(&broker->scratch);
    find_principal(broker, message);
    if (mdp_parse(message->frames, message->count, &mdp, &why) != 0) {
        broker->counts.malformed++;
        broker_log(broker, LOG_INFO, "a message from %s was dropped: %s", message->user_id, why);
        if (mdp.party == MDP_WORKER)
            worker_refused(broker, message, &mdp, true, "worker gone");
        else if (mdp.party == MDP_CLIENT)
            client_refused(broker, message, &mdp, "malformed", why);
        return;
    }
    if (mdp.party == MDP_WORKER && message->principal == NULL)
        worker_refused(broker, message, &mdp, false, "rights withdrawn");
    else if (mdp.party == MDP_WORKER)
        worker_says(broker, message, &mdp);
    else if (message->principal == NULL)
        client_refused(broker, message, &mdp, "no-principal", NULL);
    else
        client_says(broker, message, &mdp);
}

/* A few messages of one socket, as long as it has some: to ask one that has none costs two calls of the kernel. */
static int take_turn(struct broker *broker, int socket, int most)
{
    int taken = 0;

    most = most < SOCKET_TURN_MAX ? most : SOCKET_TURN_MAX;
    while (broker->sockets[socket] != NULL && taken < most) {
        struct message message;
        int rc = sockets_receive(broker, socket, &message);

        if (rc == 0)
            break;
        taken++;
        if (rc > 0)
            take_message(broker, &message);
    }
    return taken;
}

int broker_receive(struct broker *broker, int64_t boot_ms)
{
    int handled = 0, silent = 0;

    broker->boot_ms = boot_ms;
    zap_receive(broker->zap);
    beats_run(broker);
    while (handled < BROKER_DRAIN_MAX && silent < SOCKET_COUNT) {
        int taken = take_turn(broker, broker->next_socket, BROKER_DRAIN_MAX - handled);

        silent = taken == 0 ? silent + 1 : 0;
        handled += taken;
        broker->next_socket = (broker->next_socket + 1) % SOCKET_COUNT;
    }
    return handled;
}

void broker_release(struct broker *broker)
{
    tasks_keep(broker);
    beats_answer(broker);
    outbox_send(broker);
}

/* Results that were not stored are not acknowledged: a worker of ours sends them again. */
void broker_discard(struct broker *broker)
{
    for (struct session *session = broker->first_session; session != NULL; session = session->next)
        buf_clear(&session->acks);
    tasks_undo(broker);
    outbox_send_controls(broker);
}

/* ---- facts ---- */

void broker_each_worker(struct broker *broker, int64_t boot_ms, broker_worker_fn *each, void *self)
{
    for (struct session *session = broker->first_session; session != NULL;
         session = session->next) {
        struct worker_fact fact = {
            .principal = session->principal,
            .service = session->service->name,
            .name = session->name,
            .dialect = mdp_dialect_name(session->dialect),
            .credit = session->credit,
            .running = session->running,
            .idle_ms = session->running > 0 ? 0 : boot_ms - session->seen_ms,
        };

        each(self, &fact);
    }
}

void broker_count(const struct broker *broker, struct broker_counts *out)
{
    *out = broker->counts;
    out->handshakes_accepted = zap_accepted(broker->zap);
    out->handshakes_refused = zap_refused(broker->zap);
    out->sessions = (int)broker->sessions.count;
    out->leased = (int)broker->expiries.count;
    for (const struct service *service = broker->services; service != NULL; service = service->next)
        out->waiting += (int)service->ready.count;
}
