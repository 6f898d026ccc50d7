#include "base/check.h"
#include "net/parts.h"

#include <errno.h>
#include <stdlib.h>

struct out_message *outbox_add(struct broker *broker, const struct route *route,
                               const struct slice *frames, int count)
{
    struct outbox *outbox = &broker->outbox;
    struct out_message *message;

    if (outbox->count == outbox->cap) {
        outbox->cap = outbox->cap > 0 ? outbox->cap * 2 : 64;
        outbox->messages = realloc(outbox->messages, outbox->cap * sizeof *outbox->messages);
        check(outbox->messages != NULL);
    }
    message = &outbox->messages[outbox->count++];
    message->route = *route;
    message->kind = OUT_CONTROL;
    message->task = -1;
    message->frames = (uint32_t)count;
    message->at = outbox->bytes.len;
    message->principal[0] = '\0';
    for (int i = 0; i < count; i++) {
        uint32_t len = (uint32_t)frames[i].len;

        buf_add(&outbox->bytes, &len, sizeof len);
        buf_add_slice(&outbox->bytes, frames[i]);
    }
    return message;
}

/* The routing id goes first: with ROUTER_MANDATORY it is the frame that fails, and then nothing may
 * follow. */
static int send_route(void *socket, const struct route *route)
{
    if (zmq_send(socket, route->id, route->len, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0)
        return 0;
    return errno == EAGAIN ? -2 : -1;
}

int send_now(struct broker *broker, const struct route *route, const struct slice *frames,
             int count)
{
    void *socket = broker->sockets[route->socket];
    int rc = send_route(socket, route);

    if (rc != 0) {
        broker->counts.unsent++;
        return rc;
    }
    for (int i = 0; i < count; i++)
        zmq_send(socket, frames[i].at, frames[i].len,
                 ZMQ_DONTWAIT | (i < count - 1 ? ZMQ_SNDMORE : 0));
    broker->counts.sent++;
    return 0;
}

static int send_queued(struct broker *broker, const struct out_message *message)
{
    struct slice frames[MDP_FRAMES_MAX];
    const uint8_t *at = broker->outbox.bytes.at + message->at;

    for (uint32_t i = 0; i < message->frames; i++) {
        uint32_t len;

        memcpy(&len, at, sizeof len);
        frames[i] = slice_of(at + sizeof len, len);
        at += sizeof len + len;
    }
    return send_now(broker, &message->route, frames, (int)message->frames);
}

/* A task did not reach its worker: the session ends with the next receive, when the owner may hear
 * of it. */
static void note_undelivered(struct broker *broker, const struct out_message *message)
{
    struct task *task = task_find(broker, message->task);
    struct session *session = task != NULL ? task->session : NULL;

    if (session == NULL)
        return;
    task->is_undelivered = true;
    session_gone(broker, session);
}

void outbox_send(struct broker *broker)
{
    struct outbox *outbox = &broker->outbox;

    for (size_t i = 0; i < outbox->count; i++) {
        struct out_message *message = &outbox->messages[i];
        int rc = send_queued(broker, message);

        if (message->kind == OUT_REPLY)
            client_answered(broker, message->principal);
        if (rc != 0 && message->kind == OUT_REQUEST)
            note_undelivered(broker, message);
        else if (rc == -2)
            broker_log(broker, LOG_WARNING, "a peer does not read: a message to it was dropped");
    }
    outbox->count = 0;
    buf_clear(&outbox->bytes);
}

void outbox_send_controls(struct broker *broker)
{
    struct outbox *outbox = &broker->outbox;

    for (size_t i = 0; i < outbox->count; i++) {
        const struct out_message *message = &outbox->messages[i];

        if (message->kind == OUT_CONTROL)
            send_queued(broker, message);
        else if (message->kind == OUT_REPLY)
            client_answered(broker, message->principal);
    }
    outbox->count = 0;
    buf_clear(&outbox->bytes);
}

void outbox_release(struct outbox *outbox)
{
    free(outbox->messages);
    buf_release(&outbox->bytes);
    *outbox = (struct outbox){0};
}
