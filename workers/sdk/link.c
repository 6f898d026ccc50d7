#include "sdk/inside.h"

#include "base/check.h"
#include "wire/keyfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <zmq.h>

enum {
    LINGER_MS = 2000,
    QUEUE_MESSAGES = 1000,
    HANDSHAKE_MS = 5000,
    RECONNECT_MS = 100,
    RECONNECT_MAX_MS = 5000
};

int fail(struct rota_error *err, int status, const char *code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    err->status = status;
    snprintf(err->code, sizeof err->code, "%s", code);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

int fail_as(struct rota_error *err, const struct error *cause)
{
    return fail(err, 0, "", "%s", cause->text);
}

static int64_t read_clock(clockid_t which)
{
    struct timespec now;

    check(clock_gettime(which, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t wall_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

void random_bytes(void *at, size_t len)
{
    check(getrandom(at, len, 0) == (ssize_t)len);
}

int link_keys_read(const struct rota_options *options, struct link_keys *out,
                   struct rota_error *err)
{
    struct keyfile own = {0}, engine = {0};
    struct error cause = {ERROR_NONE, ""};
    int rc = -1;

    *out = (struct link_keys){0};
    if (options->key_file == NULL)
        return 0;
    if (options->engine_key_file == NULL)
        return fail(err, 0, "", "the engine's public key file is not given");
    if (keyfile_load(options->key_file, &own, &cause) != 0 ||
        keyfile_load(options->engine_key_file, &engine, &cause) != 0)
        fail_as(err, &cause);
    else if (!own.has_curve_secret)
        fail(err, 0, "", "%s holds no secret CURVE key", options->key_file);
    else if (!engine.has_curve_public)
        fail(err, 0, "", "%s holds no CURVE key", options->engine_key_file);
    else
        rc = 0;
    if (rc == 0) {
        out->is_curve = true;
        memcpy(out->own_public, own.curve_public, sizeof out->own_public);
        memcpy(out->own_secret, own.curve_secret, sizeof out->own_secret);
        memcpy(out->engine_public, engine.curve_public, sizeof out->engine_public);
    }
    keyfile_wipe(&own);
    return rc;
}

static int set_int(void *socket, int option, int number)
{
    return zmq_setsockopt(socket, option, &number, sizeof number);
}

static int set_keys(void *socket, const struct link_keys *keys)
{
    if (!keys->is_curve)
        return 0;
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys->engine_public, 32) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->own_public, 32) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->own_secret, 32) != 0)
        return -1;
    return 0;
}

void *link_dealer(void *context, const struct link_keys *keys, struct rota_error *err)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);

    if (socket == NULL) {
        fail(err, 0, "", "cannot make a socket: %s", zmq_strerror(zmq_errno()));
        return NULL;
    }
    if (set_int(socket, ZMQ_LINGER, LINGER_MS) != 0 ||
        set_int(socket, ZMQ_SNDHWM, QUEUE_MESSAGES) != 0 ||
        set_int(socket, ZMQ_RCVHWM, QUEUE_MESSAGES) != 0 ||
        set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) != 0 ||
        set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) != 0 ||
        set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) != 0 ||
        set_int(socket, ZMQ_TCP_KEEPALIVE, 1) != 0 || set_keys(socket, keys) != 0) {
        fail(err, 0, "", "cannot set up a socket: %s", zmq_strerror(zmq_errno()));
        zmq_close(socket);
        return NULL;
    }
    return socket;
}

/* Adds the waiting frame; gives whether more follow, -1 if there was none. */
static int receive_frame(void *socket, struct link_message *message, size_t lens[], bool *fits)
{
    zmq_msg_t frame;
    size_t len;
    int more;

    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&frame);
        return -1;
    }
    len = zmq_msg_size(&frame);
    more = zmq_msg_more(&frame);
    if (message->count == LINK_FRAMES_MAX || len > LINK_FRAME_BYTES_MAX)
        *fits = false;
    if (*fits) {
        lens[message->count++] = len;
        buf_add(&message->bytes, zmq_msg_data(&frame), len);
    }
    zmq_msg_close(&frame);
    return more;
}

static int receive_whole(void *socket, struct link_message *message, bool *fits)
{
    size_t lens[LINK_FRAMES_MAX], at = 0;
    int more;

    message->count = 0;
    buf_clear(&message->bytes);
    buf_reserve(&message->bytes, 1);
    *fits = true;
    more = receive_frame(socket, message, lens, fits);
    if (more < 0)
        return zmq_errno() == EAGAIN || zmq_errno() == EINTR ? 0 : -1;
    while (more > 0)
        more = receive_frame(socket, message, lens, fits);
    for (size_t i = 0; i < message->count; i++) {
        message->frames[i] = slice_of(message->bytes.at + at, lens[i]);
        at += lens[i];
    }
    return 1;
}

int link_receive(void *socket, struct link_message *message)
{
    bool fits = true;
    int got;

    do
        got = receive_whole(socket, message, &fits);
    while (got == 1 && !fits);
    return got;
}

void link_message_release(struct link_message *message)
{
    buf_release(&message->bytes);
    message->count = 0;
}

int link_send(void *socket, const struct slice *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);

        /* Only the first frame can meet a full queue: the others follow into the same pipe. */
        if (zmq_send(socket, frames[i].at, frames[i].len, flags) < 0)
            return -1;
    }
    return 0;
}
