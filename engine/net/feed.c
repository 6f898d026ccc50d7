#include "net/feed.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/map.h"
#include "net/zap.h"
#include "wire/keyfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

enum {
    FEED_ENDPOINTS = 4,
    FEED_ENDPOINT_MAX = 256,
    FEED_TOPIC_MAX = 256,
    FEED_FRAME_MAX = 4096, /* of what subscribers send; the handshake of CURVE must fit */
    FEED_TURN_MAX = 256,   /* subscriptions handled in one call */
    FEED_FRAMES_MAX = 3
};

/* A single frame: whoever subscribes to it knows that the connection stands and what is spoken. */
static const char WELCOME[] = "_welcome/{\"v\":1,\"feed\":\"rota.feed/1\"}";

struct feed {
    void *socket;
    void *self;
    bool (*may_read)(void *self, const char *user_id, struct slice topic);
    char endpoints[FEED_ENDPOINTS][FEED_ENDPOINT_MAX];
    struct buf queue;      /* per message: number of frames, then each with its length before it */
    struct map subscribed; /* User-Id -> how many: the number itself as the pointer */
    struct map topics;     /* topic -> struct topic, owned: who is subscribed to it */
};

struct holder { /* one User-Id's subscriptions to a topic */
    char user_id[ZAP_USER_ID_MAX + 1];
    unsigned count;
};

struct topic {
    struct holder *holders; /* owned */
    size_t count, cap;
};

/* ---- open and close ---- */

static int set_options(struct feed *feed, const uint8_t *curve_secret)
{
    static const struct {
        int name, value;
    } options[] = {
        {ZMQ_XPUB_MANUAL, 1},
        {ZMQ_XPUB_VERBOSER, 1},
        {ZMQ_SNDHWM, 10000},
        {ZMQ_RCVHWM, 10000},
        {ZMQ_LINGER, 500},
        {ZMQ_HANDSHAKE_IVL, 5000},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, 30},
        {ZMQ_TCP_KEEPALIVE_CNT, 3},
        {ZMQ_TCP_KEEPALIVE_INTVL, 10},
        {ZMQ_IPV6, 1},
        {ZMQ_ZAP_ENFORCE_DOMAIN, 1},
    };
    const char *domain = curve_secret != NULL ? ZAP_DOMAIN_CURVE : ZAP_DOMAIN_OPEN;
    int64_t frame_max = FEED_FRAME_MAX;
    int server = 1;

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (zmq_setsockopt(feed->socket, options[i].name, &options[i].value, sizeof(int)) != 0)
            return -1;
    }
    if (zmq_setsockopt(feed->socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) != 0 ||
        zmq_setsockopt(feed->socket, ZMQ_XPUB_WELCOME_MSG, WELCOME, sizeof WELCOME - 1) != 0 ||
        zmq_setsockopt(feed->socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) != 0)
        return -1;
    if (curve_secret != NULL &&
        (zmq_setsockopt(feed->socket, ZMQ_CURVE_SERVER, &server, sizeof server) != 0 ||
         zmq_setsockopt(feed->socket, ZMQ_CURVE_SECRETKEY, curve_secret, CURVE_KEY_LEN) != 0))
        return -1;
    return 0;
}

static int bind_all(struct feed *feed, const struct feed_options *options, struct error *err)
{
    for (int i = 0; i < FEED_ENDPOINTS && options->endpoint[i] != NULL; i++) {
        size_t size = FEED_ENDPOINT_MAX;

        if (zmq_bind(feed->socket, options->endpoint[i]) != 0 ||
            zmq_getsockopt(feed->socket, ZMQ_LAST_ENDPOINT, feed->endpoints[i], &size) != 0)
            return error_set(err, errno == EADDRINUSE ? ERROR_BUSY : ERROR_IO,
                             "cannot bind the feed to %s: %s", options->endpoint[i],
                             zmq_strerror(errno));
    }
    return 0;
}

int feed_open(const struct feed_options *options, struct feed **out, struct error *err)
{
    struct feed *feed = calloc(1, sizeof *feed);

    check(feed != NULL);
    feed->self = options->self;
    feed->may_read = options->may_read;
    feed->socket = zmq_socket(options->context, ZMQ_XPUB);
    if (feed->socket == NULL) {
        free(feed);
        return error_set(err, ERROR_IO, "no socket for the feed: %s", zmq_strerror(errno));
    }
    if (set_options(feed, options->curve_secret) != 0) {
        error_set(err, ERROR_IO, "libzmq refuses an option of the feed: %s", zmq_strerror(errno));
        feed_close(&feed);
        return -1;
    }
    if (bind_all(feed, options, err) != 0) {
        feed_close(&feed);
        return -1;
    }
    *out = feed;
    return 0;
}

static void topics_release(struct feed *feed)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&feed->topics, &at)) != NULL) {
        free(((struct topic *)entry->value)->holders);
        free(entry->value);
    }
    map_release(&feed->topics);
}

void feed_close(struct feed **feed)
{
    if (*feed == NULL)
        return;
    zmq_close((*feed)->socket);
    buf_release(&(*feed)->queue);
    map_release(&(*feed)->subscribed);
    topics_release(*feed);
    free(*feed);
    *feed = NULL;
}

const char *feed_endpoint(const struct feed *feed, int which)
{
    check(which >= 0 && which < FEED_ENDPOINTS);
    return feed->endpoints[which];
}

void *feed_socket(struct feed *feed)
{
    return feed->socket;
}

/* ---- subscriptions ---- */

static bool may_subscribe(struct feed *feed, const char *user_id, struct slice topic)
{
    if (topic.len > FEED_TOPIC_MAX)
        return false;
    if ((uintptr_t)map_get(&feed->subscribed, slice_str(user_id)) >= FEED_SUBSCRIPTIONS_MAX)
        return false;
    if (topic.len > 0 && topic.at[0] == '_')
        return true;
    return feed->may_read(feed->self, user_id, topic);
}

static void count_subscription(struct feed *feed, const char *user_id, bool more)
{
    uintptr_t count = (uintptr_t)map_get(&feed->subscribed, slice_str(user_id));

    if (more)
        count++;
    else if (count > 0)
        count--;
    if (count > 0)
        map_put(&feed->subscribed, slice_str(user_id), (void *)count);
    else
        map_remove(&feed->subscribed, slice_str(user_id));
}

/* A topic may be empty; a key may not. */
static struct slice topic_key(uint8_t room[FEED_TOPIC_MAX + 1], struct slice topic)
{
    room[0] = '=';
    memcpy(room + 1, topic.at, topic.len);
    return slice_of(room, topic.len + 1);
}

static void hold(struct feed *feed, struct slice topic, const char *user_id)
{
    uint8_t room[FEED_TOPIC_MAX + 1];
    struct slice key = topic_key(room, topic);
    struct topic *held = map_get(&feed->topics, key);
    size_t at = 0;

    if (held == NULL) {
        held = calloc(1, sizeof *held);
        check(held != NULL);
        map_put(&feed->topics, key, held);
    }
    while (at < held->count && strcmp(held->holders[at].user_id, user_id) != 0)
        at++;
    if (at == held->count && held->count == held->cap) {
        held->cap = held->cap > 0 ? held->cap * 2 : 1;
        held->holders = realloc(held->holders, held->cap * sizeof *held->holders);
        check(held->holders != NULL);
    }
    if (at == held->count) {
        held->holders[held->count++].count = 0;
        snprintf(held->holders[at].user_id, sizeof held->holders[at].user_id, "%s", user_id);
    }
    held->holders[at].count++;
    count_subscription(feed, user_id, true);
}

/* Whose it was: the one who says so; of a connection that is gone nobody says, and it is one of those who hold most of
 * this topic. So all that are counted are as many as there are, and nobody is counted for what was refused. */
static void let_go(struct feed *feed, struct slice topic, const char *user_id)
{
    uint8_t room[FEED_TOPIC_MAX + 1];
    struct slice key = topic_key(room, topic);
    struct topic *held = map_get(&feed->topics, key);
    struct holder *whose = NULL;

    for (size_t i = 0; held != NULL && i < held->count; i++) {
        struct holder *holder = &held->holders[i];

        if (user_id != NULL ? strcmp(holder->user_id, user_id) == 0
                            : whose == NULL || holder->count > whose->count)
            whose = holder;
    }
    if (whose == NULL)
        return;
    count_subscription(feed, whose->user_id, false);
    if (--whose->count > 0)
        return;
    *whose = held->holders[--held->count];
    if (held->count > 0)
        return;
    map_remove(&feed->topics, key);
    free(held->holders);
    free(held);
}

/* With XPUB_MANUAL nothing is subscribed until we say so; what we say holds for the peer of the
 * message that was read last. A goodbye carries no User-Id when the connection is gone already, and comes also for what was
 * refused. */
static void take_subscription(struct feed *feed, struct slice wish, const char *user_id)
{
    struct slice topic = slice_of(wish.at + 1, wish.len - 1);

    if (topic.len > FEED_TOPIC_MAX || (user_id != NULL && strlen(user_id) > ZAP_USER_ID_MAX))
        return;
    if (wish.at[0] == 0) {
        zmq_setsockopt(feed->socket, ZMQ_UNSUBSCRIBE, topic.at, topic.len);
        let_go(feed, topic, user_id);
        return;
    }
    if (wish.at[0] != 1 || user_id == NULL || !may_subscribe(feed, user_id, topic))
        return;
    if (zmq_setsockopt(feed->socket, ZMQ_SUBSCRIBE, topic.at, topic.len) == 0)
        hold(feed, topic, user_id);
}

void feed_receive(struct feed *feed)
{
    for (int i = 0; i < FEED_TURN_MAX; i++) {
        zmq_msg_t message;
        struct slice wish;

        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, feed->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&message);
            return;
        }
        wish = slice_of(zmq_msg_data(&message), zmq_msg_size(&message));
        if (wish.len > 0)
            take_subscription(feed, wish, zmq_msg_gets(&message, "User-Id"));
        zmq_msg_close(&message);
    }
}

/* ---- events ---- */

static void queue(struct feed *feed, const struct slice *frames, uint32_t count)
{
    buf_add(&feed->queue, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t len = (uint32_t)frames[i].len;

        buf_add(&feed->queue, &len, sizeof len);
        buf_add_slice(&feed->queue, frames[i]);
    }
}

void feed_publish(struct feed *feed, const char *topic, uint64_t seq, struct slice event)
{
    uint8_t number[8];
    struct slice frames[FEED_FRAMES_MAX] = {slice_str(topic), slice_of(number, 8), event};

    check(topic[0] != '\0' && topic[strlen(topic) - 1] == '/');
    for (int i = 0; i < 8; i++)
        number[i] = (uint8_t)(seq >> (56 - 8 * i));
    queue(feed, frames, 3);
}

void feed_head(struct feed *feed, struct slice head)
{
    struct slice frames[2] = {slice_str("_head/"), head};

    queue(feed, frames, 2);
}

static uint32_t take_number(struct slice *rest)
{
    uint32_t number;

    memcpy(&number, rest->at, sizeof number);
    *rest = slice_of(rest->at + sizeof number, rest->len - sizeof number);
    return number;
}

/* Never blocks: a subscriber whose queue is full misses the event. */
void feed_release(struct feed *feed)
{
    struct slice rest = buf_slice(&feed->queue);

    while (rest.len > 0) {
        uint32_t count = take_number(&rest);

        for (uint32_t i = 0; i < count; i++) {
            uint32_t len = take_number(&rest);

            zmq_send(feed->socket, rest.at, len, ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
            rest = slice_of(rest.at + len, rest.len - len);
        }
    }
    buf_clear(&feed->queue);
}

void feed_discard(struct feed *feed)
{
    buf_clear(&feed->queue);
}
