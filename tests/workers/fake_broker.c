#include "fake_broker.h"

#include "base/check.h"

#include <zmq.h>

void fake_open(struct fake_broker *broker, const char *endpoint)
{
    size_t len = sizeof broker->endpoint;
    int on = 1, linger = 0;

    *broker = (struct fake_broker){.route_len = 0};
    broker->context = zmq_ctx_new();
    broker->router = zmq_socket(broker->context, ZMQ_ROUTER);
    zmq_setsockopt(broker->router, ZMQ_ROUTER_HANDOVER, &on, sizeof on);
    zmq_setsockopt(broker->router, ZMQ_LINGER, &linger, sizeof linger);
    check(zmq_bind(broker->router, endpoint != NULL ? endpoint : "tcp://127.0.0.1:*") == 0);
    check(zmq_getsockopt(broker->router, ZMQ_LAST_ENDPOINT, broker->endpoint, &len) == 0);
}

void fake_close(struct fake_broker *broker)
{
    zmq_close(broker->router);
    zmq_ctx_term(broker->context);
    buf_release(&broker->bytes);
    arena_release(&broker->arena);
}

/* Reads the frames after the routing id; gives how many. */
static int read_frames(struct fake_broker *broker)
{
    size_t lens[MDP_FRAMES_MAX], at = 0;
    zmq_msg_t frame;
    int count = -1, more = 1;

    buf_clear(&broker->bytes);
    buf_reserve(&broker->bytes, 1);
    while (more) {
        zmq_msg_init(&frame);
        check(zmq_msg_recv(&frame, broker->router, 0) >= 0 && count < MDP_FRAMES_MAX);
        if (count < 0) {
            broker->route_len = zmq_msg_size(&frame);
            memcpy(broker->route, zmq_msg_data(&frame), broker->route_len);
        } else {
            lens[count] = zmq_msg_size(&frame);
            buf_add(&broker->bytes, zmq_msg_data(&frame), lens[count]);
        }
        count++;
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    for (int i = 0; i < count; i++) {
        broker->frames[i] = slice_of(broker->bytes.at + at, lens[i]);
        at += lens[i];
    }
    return count;
}

bool fake_read(struct fake_broker *broker, int wait_ms, struct mdp_message *out)
{
    zmq_pollitem_t item = {broker->router, 0, ZMQ_POLLIN, 0};
    const char *why;

    if (zmq_poll(&item, 1, wait_ms) <= 0)
        return false;
    check(mdp_parse(broker->frames, read_frames(broker), out, &why) == 0);
    return true;
}

void fake_expect(struct fake_broker *broker, enum mdp_verb verb, struct mdp_message *out)
{
    do
        check(fake_read(broker, FAKE_WAIT_MS, out));
    while (out->verb != verb);
}

void fake_say(struct fake_broker *broker, const struct mdp_message *message)
{
    struct slice frames[MDP_FRAMES_MAX];
    int count = mdp_build(message, frames);

    check(zmq_send(broker->router, broker->route, broker->route_len, ZMQ_SNDMORE) >= 0);
    for (int i = 0; i < count; i++)
        check(zmq_send(broker->router, frames[i].at, frames[i].len,
                       i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
}

void fake_request(struct fake_broker *broker, const char *token, const char *header_json,
                  const char *input_json)
{
    struct slice body[2] = {slice_str(header_json), slice_str(input_json)};
    struct mdp_message message = {.dialect = MDP_02A,
                                  .party = MDP_WORKER,
                                  .verb = MDP_REQUEST,
                                  .address = slice_str(token),
                                  .body = body,
                                  .body_count = 2};

    fake_say(broker, &message);
}

void fake_beat(struct fake_broker *broker, const char *ack, const char *cancel, bool drain)
{
    struct beat_options beat = {.credit = -1, .drain = drain};
    struct mdp_message message = {
        .dialect = MDP_02A, .party = MDP_WORKER, .verb = MDP_HEARTBEAT, .has_options = true};
    struct buf frame = BUF_EMPTY;

    if (ack != NULL)
        beat.ack[beat.ack_count++] = slice_str(ack);
    if (cancel != NULL)
        beat.cancel[beat.cancel_count++] = slice_str(cancel);
    beat_options_encode(&frame, &beat);
    message.options = buf_slice(&frame);
    fake_say(broker, &message);
    buf_release(&frame);
}

void fake_reply(struct fake_broker *broker, const struct mdp_message *request, const char *status,
                const char *json)
{
    struct slice body[2] = {slice_str(status), slice_str(json)};
    struct mdp_message message = {.dialect = request->dialect,
                                  .party = MDP_CLIENT,
                                  .verb = MDP_FINAL,
                                  .service = request->service,
                                  .body = body,
                                  .body_count = 2};

    fake_say(broker, &message);
}
