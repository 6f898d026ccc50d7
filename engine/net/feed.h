/* feed.h - the live feed: XPUB with CURVE; a hint, the journal is the truth.
 *
 * frame 0 topic `class/kind/record/event/`, frame 1 sequence (8 bytes big-endian), frame 2 the
 * event map. A slow reader loses events and finds them again through rota.events.v1; the engine
 * waits for nobody. Control topics, open to everybody who may connect: `_welcome/...` (one frame,
 * once after connecting) and `_head/` (frame 1 the map {epoch, head, heads}).
 *
 * The ZAP handler of a broker in the same context says who may connect: open the broker first,
 * close it last.
 */
#ifndef ROTA_NET_FEED_H
#define ROTA_NET_FEED_H

#include "base/error.h"
#include "base/slice.h"

struct feed;

enum { FEED_SUBSCRIPTIONS_MAX = 1024 }; /* of one User-Id */

struct feed_options {
    void *context;               /* zmq context */
    const char *endpoint[4];     /* NULL-terminated */
    const uint8_t *curve_secret; /* 32 bytes or NULL */
    void *self;
    /* May this User-Id subscribe to this topic prefix? (XPUB_MANUAL) */
    bool (*may_read)(void *self, const char *user_id, struct slice topic);
};

int feed_open(const struct feed_options *options, struct feed **out, struct error *err);
void feed_close(struct feed **feed);
const char *feed_endpoint(const struct feed *feed, int which);
void *feed_socket(struct feed *feed); /* for broker_watch(); lent */
void feed_receive(struct feed *feed); /* subscriptions that wait */
/* Queued; the topic ends in `/`. */
void feed_publish(struct feed *feed, const char *topic, uint64_t seq, struct slice event);
void feed_head(struct feed *feed, struct slice head); /* queued: control topic `_head` */
void feed_release(struct feed *feed);
void feed_discard(struct feed *feed);

#endif
