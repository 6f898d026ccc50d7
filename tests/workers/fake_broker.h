/* fake_broker.h - a broker that does only what a test tells it: one ROUTER on a free loopback port.
 *
 * The test reads what a worker or client said as a message (wire/mdp.h) and answers it. Every wait
 * has a bound; what does not come in time fails the test.
 */
#ifndef TEST_FAKE_BROKER_H
#define TEST_FAKE_BROKER_H

#include "base/buf.h"
#include "wire/mdp.h"
#include "wire/options.h"

enum { FAKE_WAIT_MS = 10000 };

struct fake_broker {
    void *context, *router;
    char endpoint[128];
    uint8_t route[64]; /* of the peer that spoke last */
    size_t route_len;
    struct buf bytes; /* of the message read last */
    struct slice frames[MDP_FRAMES_MAX];
    struct arena arena;
};

void fake_open(struct fake_broker *broker, const char *endpoint); /* NULL: any free port */
void fake_close(struct fake_broker *broker);

/* The next message of any kind within `wait_ms`; false if none came. Lent until the next call. */
bool fake_read(struct fake_broker *broker, int wait_ms, struct mdp_message *out);
/* The next message with that verb; others are passed over. */
void fake_expect(struct fake_broker *broker, enum mdp_verb verb, struct mdp_message *out);

/* To the peer that spoke last. */
void fake_request(struct fake_broker *broker, const char *token, const char *header_json,
                  const char *input_json);
void fake_beat(struct fake_broker *broker, const char *ack, const char *cancel, bool drain);
void fake_say(struct fake_broker *broker, const struct mdp_message *message);
void fake_reply(struct fake_broker *broker, const struct mdp_message *request, const char *status,
                const char *json);

#endif
