/* client.c - a Majordomo client on raw libzmq: resend, patience, and what went wrong with the handshake. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "wire/mdp.h"

enum {
    ATTEMPT_MS = 2500, /* until the first resend; twice as long each time */
    BUSY_PAUSE_MS = 200,
    FRAMES_MAX = MDP_FRAMES_MAX
};

struct client {
    struct client_options options; /* strings are the caller's */
    void *context, *socket, *monitor;
    bool refused; /* the engine did not take our key */
};

struct frames { /* what came in */
    zmq_msg_t at[FRAMES_MAX];
    int count;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void frames_release(struct frames *frames)
{
    for (int i = 0; i < frames->count; i++)
        zmq_msg_close(&frames->at[i]);
    frames->count = 0;
}

static struct slice frame(struct frames *frames, int at)
{
    return slice_of(zmq_msg_data(&frames->at[at]), zmq_msg_size(&frames->at[at]));
}

const char *client_endpoint(struct arena *arena, const char *dir, const char *endpoint, int *fd)
{
    struct sockaddr_un address;
    const char *path;
    char *whole;

    *fd = -1;
    if (strncmp(endpoint, "ipc://", 6) != 0 || endpoint[6] == '/' || endpoint[6] == '@')
        return arena_str(arena, endpoint);
    path = endpoint + 6;
    whole = arena_printf(arena, "%s/%s", dir, path);
    if (strlen(whole) < sizeof address.sun_path)
        return arena_printf(arena, "ipc://%s", whole);
    *fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return arena_printf(arena, "ipc:///proc/self/fd/%d/%s", *fd, path);
}

/* Somebody listens on an ipc endpoint? libzmq would try for ever without a word. */
static int probe(const char *endpoint, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = endpoint + 6;
    int fd, result = 0;

    if (strncmp(endpoint, "ipc://", 6) != 0 || path[0] == '@')
        return 0;
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(err, ERROR_IO, "%s: the path is too long for a socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, ERROR_IO, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        result = error_set(err, ERROR_IO, "%s: %s", path,
                           errno == ENOENT ? "there is no socket" : strerror(errno));
    close(fd);
    return result;
}

static void hang_up(struct client *client)
{
    if (client->socket != NULL)
        zmq_socket_monitor(client->socket, NULL, 0);
    if (client->monitor != NULL)
        zmq_close(client->monitor);
    if (client->socket != NULL)
        zmq_close(client->socket);
    client->monitor = NULL;
    client->socket = NULL;
}

static int set_number(void *socket, int option, int number)
{
    return zmq_setsockopt(socket, option, &number, sizeof number);
}

static int set_keys(struct client *client)
{
    const struct client_options *options = &client->options;

    if (options->server_key == NULL)
        return 0;
    return zmq_setsockopt(client->socket, ZMQ_CURVE_SERVERKEY, options->server_key, 41) != 0 ||
                   zmq_setsockopt(client->socket, ZMQ_CURVE_PUBLICKEY, options->public_key, 41) !=
                       0 ||
                   zmq_setsockopt(client->socket, ZMQ_CURVE_SECRETKEY, options->secret_key, 41) != 0
               ? -1
               : 0;
}

static int dial(struct client *client, struct error *err)
{
    static unsigned dials;
    const int events = ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    char name[64];

    hang_up(client);
    if (probe(client->options.endpoint, err) != 0)
        return -1;
    snprintf(name, sizeof name, "inproc://rota-client-%u", ++dials);
    client->socket = zmq_socket(client->context, ZMQ_DEALER);
    if (client->socket == NULL || set_number(client->socket, ZMQ_LINGER, 0) != 0 ||
        set_keys(client) != 0 || zmq_socket_monitor(client->socket, name, events) != 0)
        return error_set(err, ERROR_IO, "ZeroMQ: %s", zmq_strerror(errno));
    client->monitor = zmq_socket(client->context, ZMQ_PAIR);
    if (client->monitor == NULL || zmq_connect(client->monitor, name) != 0 ||
        zmq_connect(client->socket, client->options.endpoint) != 0)
        return error_set(err, ERROR_IO, "%s: %s", client->options.endpoint, zmq_strerror(errno));
    return 0;
}

int client_open(const struct client_options *options, struct client **out, struct error *err)
{
    struct client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    client->options = *options;
    client->context = zmq_ctx_new();
    if (client->context == NULL) {
        free(client);
        return error_set(err, ERROR_IO, "ZeroMQ: %s", zmq_strerror(errno));
    }
    *out = client;
    return 0;
}

void client_close(struct client **client)
{
    if (*client == NULL)
        return;
    hang_up(*client);
    zmq_ctx_term((*client)->context);
    free(*client);
    *client = NULL;
}

static int send_question(struct client *client, const char *service, struct slice body)
{
    struct mdp_message message = {.dialect = MDP_01,
                                  .party = MDP_CLIENT,
                                  .verb = MDP_REQUEST,
                                  .service = slice_str(service),
                                  .body = &body,
                                  .body_count = 1};
    struct slice frames[MDP_FRAMES_MAX];
    int count = mdp_build(&message, frames);

    for (int i = 0; i < count; i++)
        if (zmq_send(client->socket, frames[i].at, frames[i].len,
                     ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0)) < 0)
            return -1;
    return 0;
}

/* One whole message; more frames than an answer may have are read and dropped. */
static int receive(void *socket, struct frames *frames)
{
    zmq_msg_t message;
    int more = 1;

    frames->count = 0;
    while (more) {
        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&message);
            frames_release(frames);
            return -1;
        }
        more = zmq_msg_more(&message);
        if (frames->count < FRAMES_MAX)
            frames->at[frames->count++] = message;
        else
            zmq_msg_close(&message);
    }
    return 0;
}

static void hear_monitor(struct client *client)
{
    struct frames frames;

    while (receive(client->monitor, &frames) == 0) {
        if (frames.count > 0 && zmq_msg_size(&frames.at[0]) >= 2)
            client->refused = true;
        frames_release(&frames);
    }
}

static int read_status(struct slice text)
{
    int status = 0;

    if (text.len != 3)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return -1;
        status = status * 10 + (text.at[i] - '0');
    }
    return status >= 100 ? status : -1;
}

/* 1: not the answer to this question (an answer to an earlier attempt may still be on its way). */
static int read_answer(struct frames *in, const char *service, struct slice id, struct arena *arena,
                       struct reply *out, struct error *err)
{
    struct slice frames[FRAMES_MAX], body;
    struct mdp_message message;
    struct reply reply = {0};
    const char *why;
    int status;

    for (int i = 0; i < in->count; i++)
        frames[i] = frame(in, i);
    if (mdp_parse(frames, in->count, &message, &why) != 0 || message.party != MDP_CLIENT ||
        !slice_is(message.service, service) || message.body_count < 1)
        return 1;
    status = read_status(message.body[0]);
    if (status < 0)
        return error_set(err, ERROR_INPUT, "the engine's answer has no status");
    if (message.body_count > 1) {
        body = slice_of(arena_copy(arena, message.body[1].at, message.body[1].len),
                        message.body[1].len);
        if (reply_decode(arena, body, &reply, err) != 0)
            return error_add(err, "the engine's answer");
    }
    if (reply.id.len > 0 && id.len > 0 && !slice_equal(reply.id, id))
        return 1;
    reply.status = status;
    *out = reply;
    return 0;
}

static enum client_result wait_answer(struct client *client, const struct question *question,
                                      int64_t until, struct arena *arena, struct reply *out,
                                      struct error *err)
{
    for (;;) {
        zmq_pollitem_t items[2] = {{client->socket, 0, ZMQ_POLLIN, 0},
                                   {client->monitor, 0, ZMQ_POLLIN, 0}};
        int64_t left = until - now_ms();
        struct frames frames;

        if (left <= 0)
            return CLIENT_NO_ENGINE;
        if (zmq_poll(items, 2, (long)left) < 0 && errno != EINTR) {
            error_set(err, ERROR_IO, "ZeroMQ: %s", zmq_strerror(errno));
            return CLIENT_BROKEN;
        }
        if ((items[1].revents & ZMQ_POLLIN) != 0) {
            hear_monitor(client);
            if (client->refused)
                return CLIENT_NOT_KNOWN;
        }
        while (receive(client->socket, &frames) == 0) {
            int read = read_answer(&frames, question->service, question->id, arena, out, err);

            frames_release(&frames);
            if (read < 0)
                return CLIENT_BROKEN;
            if (read == 0)
                return CLIENT_ANSWERED;
        }
    }
}

static bool is_busy(const struct reply *reply)
{
    return reply->status == 429 || reply->status == 503;
}

static void pause_ms(int64_t ms)
{
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000};

    nanosleep(&time, NULL);
}

/* Attempt after attempt until an answer that is not "later", or `end`. */
static enum client_result attempts(struct client *client, const struct question *question,
                                   int64_t end, struct arena *arena, struct reply *out,
                                   struct error *err)
{
    int64_t attempt_ms = ATTEMPT_MS;

    for (;;) {
        int64_t until = now_ms() + attempt_ms + question->patience_ms;
        enum client_result result;

        if ((client->socket == NULL && dial(client, err) != 0) ||
            send_question(client, question->service, question->body) != 0)
            return CLIENT_NO_ENGINE;
        result = wait_answer(client, question, until < end ? until : end, arena, out, err);
        if (result == CLIENT_ANSWERED && is_busy(out) && now_ms() + BUSY_PAUSE_MS < end) {
            pause_ms(BUSY_PAUSE_MS);
            continue;
        }
        if (result != CLIENT_NO_ENGINE || now_ms() >= end)
            return result;
        hang_up(client); /* silence: a fresh connection, the same bytes */
        attempt_ms *= 2;
    }
}

enum client_result client_ask(struct client *client, const struct question *question,
                              struct arena *arena, struct reply *out, struct error *err)
{
    int64_t end = now_ms() + question->patience_ms + client->options.timeout_ms;

    if (question->body.len > MDP_FRAME_BYTES_MAX) {
        error_set(err, ERROR_INPUT, "a message of %zu bytes; at most %d fit", question->body.len,
                  (int)MDP_FRAME_BYTES_MAX);
        return CLIENT_BROKEN;
    }
    error_set(err, ERROR_IO, "%s: no answer within %.3g s", client->options.endpoint,
              (double)client->options.timeout_ms / 1000);
    return attempts(client, question, end, arena, out, err);
}
