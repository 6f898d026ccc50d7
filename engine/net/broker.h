/* broker.h - the Majordomo broker: sessions, services, credit and leases; bytes in, bytes out.
 *
 * It speaks MDP 0.1 (RFC 7) and MDP 0.2 (RFC 18) in two dialects, told apart per peer, and MMI (RFC
 * 8). It knows who a peer is only from the User-Id that our ZAP handler gave the connection. It
 * decides nothing about records: requests, results and lost leases go to the owner through `struct
 * broker_ops`.
 *
 * Promises:
 *   1. Nothing is sent before broker_release(): replies, dispatches and heartbeats that answer
 *      something are queued and leave together after the owner's commit. broker_discard() drops
 *      them.
 *   2. No call blocks, except broker_wait().
 *   3. A task is given to at most one worker at a time; a result counts only with the token of the
 *      lease in force and from the principal that holds it.
 *   4. A peer that does not read, floods, or speaks nonsense slows nobody else.
 *   5. broker_discard() takes back every change of tasks and leases since the last release: what
 *      was offered, withdrawn, leased or ended since then stands as it stood (a lease that ends
 *      again is told again).
 *   6. A connection without a User-Id of our own making is never listened to; rights are asked on
 *      every message.
 *
 * The turn of the owner: broker_wait, broker_receive, its own work, broker_pair, commit,
 * broker_release. One thread. Sockets are raw libzmq.
 */
#ifndef ROTA_NET_BROKER_H
#define ROTA_NET_BROKER_H

#include "base/error.h"
#include "base/slice.h"

struct broker;

enum {
    BROKER_TOKEN_MAX = 48,
    BROKER_DRAIN_MAX = 256,
    BROKER_UNANSWERED_MAX = 64,         /* requests of one principal; then 429 */
    BROKER_MESSAGE_BYTES_MAX = 4 << 20, /* all frames of one message */
    BROKER_SESSIONS_MAX = 10000,
    BROKER_SERVICES_MAX = 1000, /* that workers may bring; tasks bring theirs besides */
    BROKER_PRINCIPAL_MAX = 64
};

/* Where a reply goes: kept by the owner between request and reply, by value. */
struct reply_to {
    uint8_t socket; /* which socket of the broker */
    uint8_t route_len;
    uint8_t route[255]; /* routing id */
    uint8_t dialect;    /* how the peer speaks */
    bool json;          /* the body was JSON: answer in JSON */
    char service[65];   /* echoed to the client */
    char principal[65]; /* whose request it was */
};

struct lease {
    int64_t task;
    int attempt;
    char token[BROKER_TOKEN_MAX + 1]; /* T1.<task>.<attempt>.<nonce> */
    char principal[65];
    int64_t until_boot_ms; /* on the boot clock */
    int64_t last_boot_ms;  /* no renewal goes beyond; INT64_MAX or 0: there is no bound */
};

struct offer { /* a task that is ready for a worker */
    int64_t task;
    int attempt;    /* 1, 2, ... of the next run */
    int priority;   /* higher first */
    int64_t due_ms; /* wall clock; earlier first; 0: none */
    const char *service;
    int64_t lease_ms;   /* 0: the default of the service */
    int64_t max_run_ms; /* 0: no bound on renewing */
};

struct parcel { /* what a task says to the worker that gets it */
    /* Envelope frame 0: a MessagePack map to which the broker adds task, attempt, service,
     * lease_ms and at. */
    struct slice header;
    struct slice input; /* frame 1 */
};

enum request_kind { REQUEST_COMMAND, REQUEST_QUERY, REQUEST_EVENTS, REQUEST_ADMIN, REQUEST_DIRECT };

struct request {
    enum request_kind kind;
    const char *principal;     /* never empty */
    const char *method;        /* "curve", "peer" (kernel credentials), "plain" */
    struct slice key_hash;     /* 32 bytes SHA-256 of the CURVE key, or empty */
    struct slice body;         /* lent */
    const struct reply_to *to; /* lent */
};

struct result {                /* what a worker says about a task */
    const struct lease *lease; /* matched; it has ended. To run the task again, offer it again */
    int status;                /* 200, 202, 4xx, 429, 5xx; plain workers: 200 */
    struct slice header;       /* reply frame 0, a MessagePack or JSON map; empty: plain worker */
    struct slice output;       /* reply frame 1 */
};

struct broker_ops {
    void *self;
    /* The principal (1 to 64 bytes) behind a User-Id, or NULL if it has no rights (any more).
     * `user_id` is what the ZAP handler set: 40 characters Z85 of a CURVE key, `uid:N` from the
     * kernel, or `plain`. Called on every message. */
    const char *(*principal)(void *self, const char *user_id);
    bool (*may_serve)(void *self, const char *principal, const char *service);
    void (*request)(void *self, const struct request *request);
    /* What a task says, asked for when it is about to be given out and not before: so it says what
     * is true then, and one that waits costs little memory. Lent until the next call. False: it is
     * not to be given out, and is taken out of the broker until it is offered again. */
    bool (*parcel)(void *self, int64_t task, struct parcel *out);
    /* A worker's final result for the lease in force. */
    void (*result)(void *self, const struct result *result);
    /* percent 0..100, or -1 if the worker did not say. The lease has been prolonged. */
    void (*progress)(void *self, const struct lease *lease, int percent, struct slice note);
    /* A lease was made (store it before broker_release) or prolonged (same token: need not be
     * stored). */
    void (*leased)(void *self, const struct lease *lease);
    /* A lease ended without a result. `counts` says whether it is a failed attempt. The owner
     * offers the task again when it wants it run again. why: "expired", "worker gone",
     * "disconnected", "rights withdrawn". Not called for a task that the owner withdrew. */
    void (*lost)(void *self, const struct lease *lease, bool counts, const char *why);
    void (*log)(void *self, int level, const char *text); /* 0 debug .. 3 error */
};

struct broker_options {
    void *context;               /* zmq context, owned by the caller */
    const char *front[4];        /* endpoints with CURVE (ipc://..., tcp://...:*), then NULL */
    const char *plain;           /* or NULL: loopback, no security, one principal named `plain` */
    const char *admin;           /* ipc with kernel peer credentials, or NULL */
    const uint8_t *curve_secret; /* 32 bytes, the engine's; NULL: development mode without CURVE */
    int64_t heartbeat_ms;        /* 0: 2000 */
    int64_t idle_expiry_ms;      /* 0: 20000 */
    int64_t plain_lease_ms;      /* 0: 60000 */
    int64_t sdk_lease_ms;        /* 0: 15000 */
};

int broker_open(const struct broker_options *options, const struct broker_ops *ops,
                struct broker **out, struct error *err);
void broker_close(struct broker **broker);
/* The endpoint that a wildcard port became; lent. which: 0.. of front, or "plain" by -1, "admin" by
 * -2. */
const char *broker_endpoint(const struct broker *broker, int which);

/* Waits until a message, one of `fds` (readable) or the timeout; then the caller receives. Returns
 * a bit set of the readable fds. Also polls the ZAP socket. */
unsigned broker_wait(struct broker *broker, const int *fds, int fd_count, int64_t timeout_ms);
/* One more ZeroMQ socket (the feed's) whose messages end the wait; NULL takes it out. */
void broker_watch(struct broker *broker, void *socket);
/* When broker_receive() wants to be called at the latest: the next heartbeat or expiry, on the boot
 * clock. 0: now. */
int64_t broker_next_ms(const struct broker *broker);

/* Handles up to BROKER_DRAIN_MAX waiting messages over all sockets fairly, heartbeats and expiries
 * that are due; calls ops. Gives how many messages it handled. */
int broker_receive(struct broker *broker, int64_t boot_ms);

/* A reply to a client: three digits and the body as the peer speaks. Every request gets exactly
 * one; after a discard the dropped ones are to be given anew. An empty body sends the three digits
 * alone. */
void broker_reply(struct broker *broker, const struct reply_to *to, int status, struct slice body);

/* Tasks. withdraw takes a task back that is not leased (or cancels a leased one: SDK
 * workers are told, the lease ends, its result will be stale) and says whether it was leased. hold
 * restores a lease after a restart. */
void broker_offer(struct broker *broker, const struct offer *offer);
bool broker_withdraw(struct broker *broker, int64_t task);
/* Who has it on lease; lent; NULL: nobody. */
const char *broker_holder(const struct broker *broker, int64_t task);
void broker_hold(struct broker *broker, const struct lease *lease, const struct offer *offer);
/* broker_offer of a task that waits replaces the offer; of a leased task it is ignored. */

/* Gives ready tasks to workers with credit; calls ops->leased for each; REQUESTs are queued. The
 * wall clock goes into the header of envelope tasks (`at`). */
void broker_pair(struct broker *broker, int64_t boot_ms, int64_t wall_ms);

void broker_release(struct broker *broker); /* after the commit: sends what is queued, in order */
void broker_discard(struct broker *broker); /* the commit failed: promise 5 */

/* A principal lost rights: its sessions that may not serve any more end, leases return at once. */
void broker_recheck(struct broker *broker, int64_t boot_ms);
void broker_drain(struct broker *broker, bool on); /* no new dispatches */

/* For the queries `workers` and `services`. */
struct worker_fact {
    const char *principal, *service, *name, *dialect;
    int credit, running;
    int64_t idle_ms;
};
typedef void broker_worker_fn(void *self, const struct worker_fact *fact);
void broker_each_worker(struct broker *broker, int64_t boot_ms, broker_worker_fn *each, void *self);
struct service_fact {
    const char *service;
    int workers, waiting, leased;
};
struct broker_counts { /* since broker_open */
    int64_t received, sent;
    int64_t without_user_id; /* messages dropped because the connection proved nobody */
    int64_t without_rights;  /* from a key that has no principal (any more) */
    int64_t malformed;
    int64_t late;   /* results whose token is not in force */
    int64_t slowed; /* requests answered 429 */
    int64_t unsent; /* messages whose peer was gone or did not read */
    int64_t handshakes_accepted, handshakes_refused;
    int sessions, waiting, leased;
};
void broker_count(const struct broker *broker, struct broker_counts *out);

typedef void broker_service_fn(void *self, const struct service_fact *fact);
void broker_each_service(struct broker *broker, broker_service_fn *each, void *self);

#endif
