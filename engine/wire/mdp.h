/* mdp.h - Majordomo messages as frames, without a socket: MDP 0.1 (ZeroMQ RFC 7) and MDP 0.2 (RFC
 * 18).
 *
 * Frames are counted after the routing id that a ROUTER puts in front. Three dialects are spoken,
 * told apart by each message and mirrored to the peer:
 *
 *   MDP_01   ""  MDPW01  code ...      ""  MDPC01  service body...
 *   MDP_02A      MDPW02  code ...          MDPC02  code service body...      as RFC 18 says
 *   MDP_02B  ""  MDPW02  code ...      ""  MDPC02  code service body...      RFC 18 behind a delimiter
 *
 * What else travels under the name MDPW02 (codes of 0.1) is refused, with the verb DISCONNECT to
 * answer. Both sides read with the same function: a broker what peers say, a worker or client what
 * brokers say.
 */
#ifndef ROTA_WIRE_MDP_H
#define ROTA_WIRE_MDP_H

#include "base/slice.h"

enum { MDP_FRAMES_MAX = 16, MDP_FRAME_BYTES_MAX = 1024 * 1024, MDP_BODY_MAX = 10 };

enum mdp_dialect { MDP_NONE, MDP_01, MDP_02A, MDP_02B };

enum mdp_party { MDP_NOBODY, MDP_CLIENT, MDP_WORKER };

enum mdp_verb { MDP_READY, MDP_REQUEST, MDP_PARTIAL, MDP_FINAL, MDP_HEARTBEAT, MDP_DISCONNECT };

struct mdp_message {
    enum mdp_dialect dialect;
    enum mdp_party party; /* which peer's protocol: MDPC.. or MDPW.. */
    enum mdp_verb verb;   /* MDPC01 has none: reads as MDP_REQUEST both ways */
    struct slice service; /* READY and all of a client's */
    struct slice address; /* a worker's REQUEST, PARTIAL, FINAL: the lease token */
    bool has_options;
    struct slice options;     /* READY, HEARTBEAT: the extra frame, if has_options */
    const struct slice *body; /* lent: part of the frames, or the caller's */
    int body_count;
};

/* Reads the frames. 0; or -1, `*why` is a constant sentence, and party and dialect are set as far
 * as they could be told, so that a worker can be sent DISCONNECT. Everything in `out` is lent by
 * `frames`. Tolerated, because real workers do it: no delimiter after the address; no body. */
int mdp_parse(const struct slice *frames, int count, struct mdp_message *out, const char **why);

/* Lists the frames of a message, all borrowed from it or constant; gives how many (at most
 * MDP_FRAMES_MAX). body_count is at most MDP_BODY_MAX. From a broker to a MDPC01 client REQUEST and
 * FINAL look alike. */
int mdp_build(const struct mdp_message *message, struct slice frames[MDP_FRAMES_MAX]);

const char *mdp_dialect_name(enum mdp_dialect dialect); /* "0.1", "0.2", "0.2b", "none" */

#endif
