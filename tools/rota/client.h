/* client.h - one question, one answer: a Majordomo client (RFC 7) of the engine's front or admin socket.
 *
 *   1. A message is sent again with the same bytes, so with the same command id, until there is an answer
 *      or the time is over: the engine answers a repeated command with what it answered before.
 *   2. Answers 429 and 503 are tried again in the same way while there is time.
 *   3. Nobody is asked who does not hold the engine's key (CURVE); on the admin socket the kernel says who
 *      we are.
 */
#ifndef ROTA_CLIENT_H
#define ROTA_CLIENT_H

#include "base/arena.h"
#include "base/error.h"
#include "wire/command.h"

struct client;

enum client_result {
    CLIENT_ANSWERED,
    CLIENT_NO_ENGINE, /* nobody listens, or nobody answered in time */
    CLIENT_NOT_KNOWN, /* the engine does not know the key */
    CLIENT_BROKEN     /* what came back is not an answer; a library call failed */
};

struct client_options {
    const char *endpoint;   /* where the engine listens: ipc:// or tcp:// */
    const char *server_key; /* Z85, 40 characters; NULL: no CURVE (the admin socket) */
    const char *public_key; /* Z85, ours */
    const char *secret_key; /* Z85, ours */
    int64_t timeout_ms;     /* for all attempts of one question together */
};

struct question {
    const char *service; /* rota.command.v1 */
    struct slice
        id; /* of the message in `body`: an answer with another id is not ours; may be empty */
    struct slice body; /* the encoded map */
    int64_t
        patience_ms; /* how long an answer may take by design (a long poll); 0: it comes at once */
};

int client_open(const struct client_options *options, struct client **out, struct error *err);
void client_close(struct client **client);

/* Asks and waits. The answer lives in `arena`; its `status` is the one of the first frame. */
enum client_result client_ask(struct client *client, const struct question *question,
                              struct arena *arena, struct reply *out, struct error *err);

/* DIR and "ipc://run/front" -> an endpoint that can be connected to from any directory and fits into a socket
 * address, however deep DIR lies. `arena` keeps it; *fd is a directory to be kept open, or -1. */
const char *client_endpoint(struct arena *arena, const char *dir, const char *endpoint, int *fd);

#endif
