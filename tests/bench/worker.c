#include "worker.h"

#include "wire/mdp.h"
#include "wire/options.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <zmq.h>

enum { SOCKETS = 4, BEAT_MS = 2000, HOUR_MS = 3600000, WORKER_FRAMES_MAX = 12 };

struct bench_worker {
    void *sockets[SOCKETS];
    const char *service;
    struct buf outcome;
};

struct frames {
    zmq_msg_t messages[WORKER_FRAMES_MAX];
    struct slice bytes[WORKER_FRAMES_MAX];
    int count;
};

static void send_message(void *socket, const struct mdp_message *message)
{
    struct slice frames[MDP_FRAMES_MAX];
    int count = mdp_build(message, frames);

    for (int i = 0; i < count; i++)
        zmq_send(socket, frames[i].at, frames[i].len, i + 1 < count ? ZMQ_SNDMORE : 0);
}

static void say(const struct bench_worker *worker, void *socket, enum mdp_verb verb)
{
    struct ready_options ready = {
        .name = slice_str("bench"), .credit = CREDIT_MAX, .envelope = true};
    struct beat_options beat = {.credit = CREDIT_MAX};
    struct mdp_message message = {
        .dialect = MDP_01, .party = MDP_WORKER, .verb = verb, .has_options = true};
    struct buf options = BUF_EMPTY;

    if (verb == MDP_READY) {
        message.service = slice_str(worker->service);
        ready_options_encode(&options, &ready);
    } else {
        beat_options_encode(&options, &beat);
    }
    message.options = buf_slice(&options);
    send_message(socket, &message);
    buf_release(&options);
}

static bool receive(void *socket, struct frames *in)
{
    bool more = true;

    for (in->count = 0; more && in->count < WORKER_FRAMES_MAX;) {
        zmq_msg_t *message = &in->messages[in->count];

        zmq_msg_init(message);
        if (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(message);
            return false;
        }
        more = zmq_msg_more(message) != 0;
        in->bytes[in->count++] = slice_of(zmq_msg_data(message), zmq_msg_size(message));
    }
    return true;
}

static void answer(const struct bench_worker *worker, void *socket, const struct frames *in)
{
    static const uint8_t nothing[] = {0x80}; /* an empty map */
    struct slice body[2] = {buf_slice(&worker->outcome), slice_of(nothing, sizeof nothing)};
    struct mdp_message message, reply;
    const char *why;

    if (mdp_parse(in->bytes, in->count, &message, &why) != 0)
        return;
    if (message.verb == MDP_DISCONNECT)
        say(worker, socket, MDP_READY);
    if (message.verb != MDP_REQUEST)
        return;
    reply = (struct mdp_message){.dialect = MDP_01,
                                 .party = MDP_WORKER,
                                 .verb = MDP_FINAL,
                                 .address = message.address,
                                 .body = body,
                                 .body_count = 2};
    send_message(socket, &reply);
}

static void serve(struct bench_worker *worker)
{
    double beat_ms = now_ms() + BEAT_MS;
    static struct frames in;

    for (;;) {
        zmq_pollitem_t items[SOCKETS];

        for (int i = 0; i < SOCKETS; i++)
            items[i] = (zmq_pollitem_t){worker->sockets[i], 0, ZMQ_POLLIN, 0};
        zmq_poll(items, SOCKETS, BEAT_MS / 2);
        for (int i = 0; i < SOCKETS; i++) {
            while (receive(worker->sockets[i], &in)) {
                answer(worker, worker->sockets[i], &in);
                for (int f = 0; f < in.count; f++)
                    zmq_msg_close(&in.messages[f]);
            }
        }
        if (now_ms() < beat_ms)
            continue;
        beat_ms = now_ms() + BEAT_MS;
        for (int i = 0; i < SOCKETS; i++)
            say(worker, worker->sockets[i], MDP_HEARTBEAT);
    }
}

int worker_main(const char *directory, const char *service, const char *status, const char *mode)
{
    struct bench_worker worker = {.service = service, .outcome = BUF_EMPTY};
    struct outcome outcome = {.status = (int)strtol(status, NULL, 10), .retry_ms = -1};
    struct world world = {0};
    struct keyfile key = {0};
    bool is_curve = strcmp(mode, "curve") == 0;
    char path[2 * BENCH_PATH_MAX];
    void *context = zmq_ctx_new();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(world.directory, sizeof world.directory, "%s", directory);
    if (is_curve) {
        snprintf(path, sizeof path, "%s/keys/engine.key", directory);
        if (keyfile_load(path, &world.engine, NULL) != 0)
            fail("%s cannot be read", path);
        snprintf(path, sizeof path, "%s/keys/bench-worker.key", directory);
        if (keyfile_load(path, &key, NULL) != 0)
            fail("%s cannot be read", path);
    }
    if (outcome.status == 202)
        outcome.until_ms = (int64_t)time(NULL) * 1000 + HOUR_MS;
    outcome_encode(&worker.outcome, &outcome);
    for (int i = 0; i < SOCKETS; i++) {
        worker.sockets[i] = world_connect(&world, context, ZMQ_DEALER, is_curve ? "front" : mode,
                                          is_curve ? &key : NULL);
        say(&worker, worker.sockets[i], MDP_READY);
    }
    serve(&worker);
    return 0;
}
