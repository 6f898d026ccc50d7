#include "base/check.h"
#include "net/parts.h"
#include "wire/keyfile.h"

#include <errno.h>
#include <stdio.h>

/* Missing from the header of older releases that have it all the same: without it a NULL connection
 * of a socket with a ZAP domain is let in when no handler answers. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

enum { SELF_TEST_MS = 5000 };

/* ---- options ---- */

struct int_option {
    int name, value;
    const char *says;
};

static const struct int_option ROUTER_OPTIONS[] = {
    {ZMQ_ROUTER_MANDATORY, 1, "ROUTER_MANDATORY"}, /* a peer that is gone is an error */
    /* Whoever connects under the routing id of a peer that is there is not heard: with handover anybody with a key
     * could take a worker's tasks and a client's answers off the wire, and throw either off. */
    {ZMQ_ROUTER_HANDOVER, 0, "ROUTER_HANDOVER"},
    {ZMQ_SNDHWM, 1000, "SNDHWM"},
    {ZMQ_RCVHWM, 10000, "RCVHWM"},
    {ZMQ_LINGER, 2000, "LINGER"},
    {ZMQ_HANDSHAKE_IVL, 5000, "HANDSHAKE_IVL"},
    {ZMQ_TCP_KEEPALIVE, 1, "TCP_KEEPALIVE"},
    {ZMQ_TCP_KEEPALIVE_IDLE, 30, "TCP_KEEPALIVE_IDLE"},
    {ZMQ_TCP_KEEPALIVE_CNT, 3, "TCP_KEEPALIVE_CNT"},
    {ZMQ_TCP_KEEPALIVE_INTVL, 10, "TCP_KEEPALIVE_INTVL"},
    {ZMQ_IPV6, 1, "IPV6"},
    {ZMQ_ZAP_ENFORCE_DOMAIN, 1, "ZAP_ENFORCE_DOMAIN"},
};

static int set_failed(const char *option, struct error *err)
{
    return error_set(err, ERROR_IO, "libzmq refuses the option %s: %s", option,
                     zmq_strerror(errno));
}

static int set_options(void *socket, const char *domain, const uint8_t *curve_secret,
                       struct error *err)
{
    int64_t frame_max = MDP_FRAME_BYTES_MAX;
    int server = 1;

    for (size_t i = 0; i < sizeof ROUTER_OPTIONS / sizeof ROUTER_OPTIONS[0]; i++) {
        const struct int_option *option = &ROUTER_OPTIONS[i];

        if (zmq_setsockopt(socket, option->name, &option->value, sizeof option->value) != 0)
            return set_failed(option->says, err);
    }
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) != 0)
        return set_failed("MAXMSGSIZE", err);
    if (zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) != 0)
        return set_failed("ZAP_DOMAIN", err);
    if (curve_secret == NULL)
        return 0;
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server) != 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, curve_secret, CURVE_KEY_LEN) != 0)
        return set_failed("CURVE_SECRETKEY", err);
    return 0;
}

/* ---- binding ---- */

static bool is_local(const char *endpoint)
{
    return strncmp(endpoint, "ipc://", 6) == 0 || strncmp(endpoint, "tcp://127.", 10) == 0 ||
           strncmp(endpoint, "tcp://[::1]:", 12) == 0 ||
           strncmp(endpoint, "tcp://localhost:", 16) == 0 || strncmp(endpoint, "tcp://lo:", 9) == 0;
}

static int bind_one(void *socket, const char *endpoint, char became[ENDPOINT_MAX],
                    struct error *err)
{
    size_t size = ENDPOINT_MAX;

    if (zmq_bind(socket, endpoint) != 0)
        return error_set(err, errno == EADDRINUSE ? ERROR_BUSY : ERROR_IO, "cannot bind %s: %s",
                         endpoint, zmq_strerror(errno));
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, became, &size) != 0)
        return error_set(err, ERROR_IO, "%s is too long an endpoint", endpoint);
    return 0;
}

static int new_socket(struct broker *broker, int which, const char *domain,
                      const uint8_t *curve_secret, struct error *err)
{
    broker->sockets[which] = zmq_socket(broker->context, ZMQ_ROUTER);
    if (broker->sockets[which] == NULL)
        return error_set(err, ERROR_IO, "no socket: %s", zmq_strerror(errno));
    return set_options(broker->sockets[which], domain, curve_secret, err);
}

static int open_front(struct broker *broker, const struct broker_options *options,
                      struct error *err)
{
    const uint8_t *secret = options->curve_secret;

    if (options->front[0] == NULL)
        return 0;
    if (new_socket(broker, SOCKET_FRONT, secret != NULL ? ZAP_DOMAIN_CURVE : ZAP_DOMAIN_OPEN,
                   secret, err) != 0)
        return -1;
    for (int i = 0; i < FRONT_MAX && options->front[i] != NULL; i++) {
        if (secret == NULL && !is_local(options->front[i]))
            return error_set(err, ERROR_INPUT, "%s needs CURVE: without keys only ipc and loopback",
                             options->front[i]);
        if (bind_one(broker->sockets[SOCKET_FRONT], options->front[i], broker->front[i], err) != 0)
            return -1;
    }
    if (secret == NULL)
        broker_log(broker, LOG_WARNING, "DEVELOPMENT MODE: the front socket asks nobody for a key");
    return 0;
}

static int open_plain(struct broker *broker, const char *endpoint, struct error *err)
{
    if (endpoint == NULL)
        return 0;
    if (!is_local(endpoint))
        return error_set(err, ERROR_INPUT, "the plain socket may only be ipc or loopback, not %s",
                         endpoint);
    if (new_socket(broker, SOCKET_PLAIN, ZAP_DOMAIN_PLAIN, NULL, err) != 0)
        return -1;
    return bind_one(broker->sockets[SOCKET_PLAIN], endpoint, broker->plain, err);
}

static int open_admin(struct broker *broker, const char *endpoint, struct error *err)
{
    if (endpoint == NULL)
        return 0;
    if (strncmp(endpoint, "ipc://", 6) != 0)
        return error_set(err, ERROR_INPUT, "the admin socket must be ipc, not %s", endpoint);
    if (new_socket(broker, SOCKET_ADMIN, ZAP_DOMAIN_PEER, NULL, err) != 0)
        return -1;
    return bind_one(broker->sockets[SOCKET_ADMIN], endpoint, broker->admin, err);
}

/* ---- the self-test: a stranger must be refused ---- */

static void *open_stranger(struct broker *broker, const uint8_t *curve_secret, void **monitor)
{
    void *stranger = zmq_socket(broker->context, ZMQ_DEALER);
    struct keyfile key = {0};
    char secret[CURVE_Z85_LEN + 1], server[CURVE_Z85_LEN + 1];
    int linger = 0, never = -1;

    *monitor = NULL;
    if (stranger == NULL)
        return NULL;
    zmq_setsockopt(stranger, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(stranger, ZMQ_RECONNECT_IVL, &never, sizeof never);
    curve_to_z85(curve_secret, secret);
    if (zmq_curve_public(server, secret) != 0 || keyfile_new_curve(&key, NULL) != 0 ||
        zmq_setsockopt(stranger, ZMQ_CURVE_SERVERKEY, server, CURVE_Z85_LEN + 1) != 0 ||
        zmq_setsockopt(stranger, ZMQ_CURVE_PUBLICKEY, key.curve_public, CURVE_KEY_LEN) != 0 ||
        zmq_setsockopt(stranger, ZMQ_CURVE_SECRETKEY, key.curve_secret, CURVE_KEY_LEN) != 0 ||
        zmq_socket_monitor(stranger, "inproc://rota.self-test",
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0)
        return stranger;
    *monitor = zmq_socket(broker->context, ZMQ_PAIR);
    if (*monitor != NULL) {
        zmq_setsockopt(*monitor, ZMQ_LINGER, &linger, sizeof linger);
        if (zmq_connect(*monitor, "inproc://rota.self-test") == 0)
            zmq_connect(stranger, broker->front[0]);
    }
    return stranger;
}

/* The event on the monitor: its number stands in the first two bytes. 0 if none waits. */
static int read_event(void *monitor)
{
    uint8_t facts[8], where[ENDPOINT_MAX];
    uint16_t event;

    if (zmq_recv(monitor, facts, sizeof facts, ZMQ_DONTWAIT) < 2)
        return 0;
    zmq_recv(monitor, where, sizeof where, ZMQ_DONTWAIT);
    memcpy(&event, facts, sizeof event);
    return event;
}

static int await_refusal(struct broker *broker, void *monitor)
{
    for (int waited = 0; waited < SELF_TEST_MS; waited += 50) {
        zmq_pollitem_t items[2] = {{zap_socket(broker->zap), 0, ZMQ_POLLIN, 0},
                                   {monitor, 0, ZMQ_POLLIN, 0}};
        int event;

        if (zmq_poll(items, 2, 50) > 0)
            waited -= 49;
        zap_receive(broker->zap);
        event = read_event(monitor);
        if (event != 0)
            return event;
    }
    return 0;
}

/* A wrong build of libzmq, a missing handler or a forgotten option would let anybody in without a
 * word. */
static int self_test(struct broker *broker, const uint8_t *curve_secret, struct error *err)
{
    void *monitor, *stranger = open_stranger(broker, curve_secret, &monitor);
    int64_t refused = zap_refused(broker->zap);
    int event = monitor != NULL ? await_refusal(broker, monitor) : 0;

    if (stranger != NULL) {
        zmq_socket_monitor(stranger, NULL, 0);
        zmq_close(stranger);
    }
    if (monitor != NULL)
        zmq_close(monitor);
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        return error_set(err, ERROR_DAMAGED,
                         "an unknown key was let in: the engine does not start");
    if (event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH || zap_refused(broker->zap) == refused)
        return error_set(err, ERROR_IO, "could not prove at %s that unknown keys are refused",
                         broker->front[0]);
    return 0;
}

int sockets_open(struct broker *broker, const struct broker_options *options, struct error *err)
{
    broker->has_curve = options->curve_secret != NULL;
    if (zap_open(broker->context, broker->ops.principal, broker->ops.self, &broker->zap, err) != 0)
        return -1;
    if (open_front(broker, options, err) != 0 || open_plain(broker, options->plain, err) != 0 ||
        open_admin(broker, options->admin, err) != 0)
        return -1;
    if (broker->has_curve && broker->sockets[SOCKET_FRONT] != NULL)
        return self_test(broker, options->curve_secret, err);
    return 0;
}

void sockets_close(struct broker *broker)
{
    for (int i = 0; i < SOCKET_COUNT; i++) {
        if (broker->sockets[i] != NULL)
            zmq_close(broker->sockets[i]);
        broker->sockets[i] = NULL;
    }
    zap_close(&broker->zap);
}

/* ---- one message in ---- */

static void empty_inbox(struct inbox *inbox)
{
    for (int i = 0; i < inbox->count; i++)
        zmq_msg_close(&inbox->frames[i]);
    inbox->count = 0;
}

/* Takes all frames off the socket; keeps what fits. 0 none waits, 1 all kept, -1 too many or too
 * large. */
static int take_frames(struct broker *broker, void *socket)
{
    struct inbox *inbox = &broker->inbox;
    size_t bytes = 0;
    bool more = true, fits = true;

    empty_inbox(inbox);
    while (more) {
        zmq_msg_t frame;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return 0;
        }
        more = zmq_msg_more(&frame) != 0;
        bytes += zmq_msg_size(&frame);
        fits = fits && inbox->count <= MDP_FRAMES_MAX && bytes <= BROKER_MESSAGE_BYTES_MAX;
        if (!fits) {
            zmq_msg_close(&frame);
            continue;
        }
        zmq_msg_init(&inbox->frames[inbox->count]);
        zmq_msg_move(&inbox->frames[inbox->count], &frame);
        inbox->bytes[inbox->count] = slice_of(zmq_msg_data(&inbox->frames[inbox->count]),
                                              zmq_msg_size(&inbox->frames[inbox->count]));
        inbox->count++;
    }
    return fits ? 1 : -1;
}

/* The word of our ZAP handler about the connection; on payload frames only. */
static bool read_user_id(zmq_msg_t *frame, char out[ZAP_USER_ID_MAX + 1])
{
    const char *user_id = zmq_msg_gets(frame, "User-Id");

    if (user_id == NULL || user_id[0] == '\0' || strlen(user_id) > ZAP_USER_ID_MAX)
        return false;
    snprintf(out, ZAP_USER_ID_MAX + 1, "%s", user_id);
    return true;
}

int sockets_receive(struct broker *broker, int socket, struct message *out)
{
    struct inbox *inbox = &broker->inbox;
    int rc = take_frames(broker, broker->sockets[socket]);

    if (rc == 0)
        return 0;
    broker->counts.received++;
    if (rc < 0 || inbox->count < 2 || inbox->bytes[0].len > ROUTE_MAX) {
        broker->counts.malformed++;
        broker_log(broker, LOG_INFO, "a message of no frames, too many or too large was dropped");
        return -1;
    }
    if (!read_user_id(&inbox->frames[1], out->user_id)) {
        broker->counts.without_user_id++;
        broker_log(broker, LOG_WARNING, "a message without a User-Id was dropped");
        return -1;
    }
    out->route.socket = (uint8_t)socket;
    out->route.len = (uint8_t)inbox->bytes[0].len;
    memcpy(out->route.id, inbox->bytes[0].at, inbox->bytes[0].len);
    out->frames = inbox->bytes + 1;
    out->count = inbox->count - 1;
    out->principal = NULL;
    return 1;
}
