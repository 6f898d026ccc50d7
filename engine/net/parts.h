/* parts.h - what the files of the broker share; nobody else includes it.
 *
 *   broker.c    open, close, the turn: receive, release, discard; facts for queries
 *   sockets.c   options, binding, the self-test, one message in
 *   outbox.c    messages out, in order, after the commit
 *   sessions.c  workers that are here, by routing id and User-Id
 *   tasks.c     services, ready tasks, leases; every change of them can be undone
 *   workers.c   what a worker says
 *   clients.c   what a client says
 *   dispatch.c  ready tasks to workers with credit
 *   beats.c     heartbeats, expiry
 *
 * Life of a task here (the owner knows more of it):
 *
 *                 offer            pair                result, lost
 *        (absent) -----> TASK_READY -----> TASK_LEASED -------------> (absent)
 *            |                                  ^
 *            +----------------------------------+  hold: a lease that outlived the engine
 *
 *   TASK_READY:  in its service's heap, no lease.
 *   TASK_LEASED: has a token, stands in the heap of expiries, and belongs to at most one session.
 *   TASK_PAST:   in no map and no heap; kept until the release for the case of a discard.
 */
#ifndef ROTA_NET_PARTS_H
#define ROTA_NET_PARTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "net/broker.h"
#include "net/heap.h"
#include "net/zap.h"
#include "wire/mdp.h"
#include "wire/options.h"
#include "wire/service_name.h"

#include <zmq.h>

enum {
    SOCKET_FRONT,
    SOCKET_PLAIN,
    SOCKET_ADMIN,
    SOCKET_COUNT,

    SOCKET_TURN_MAX = 16, /* messages of one socket before the next has its turn */
    FRONT_MAX = 4,
    ENDPOINT_MAX = 256,
    ROUTE_MAX = 255,
    FAREWELLS_MAX = 256, /* peers that will be sent DISCONNECT at the next heartbeat */
    WAIT_FDS_MAX = 16
};

enum { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct route { /* one peer of one socket */
    uint8_t socket;
    uint8_t len;
    uint8_t id[ROUTE_MAX];
};

/* ---- sessions ---- */

struct service;
struct task;

struct session {
    struct route route;
    char user_id[ZAP_USER_ID_MAX + 1];
    char principal[BROKER_PRINCIPAL_MAX + 1];
    struct service *service; /* borrowed */
    enum mdp_dialect dialect;
    bool is_sdk; /* READY had options: takes and sends extra frames */
    bool envelope;
    bool json; /* READY's options were JSON: what goes with its messages is too */
    char name[OPTIONS_NAME_MAX + 1]; /* empty for plain workers */
    int credit;                      /* tasks at the same time */
    int64_t lease_ms;                /* its wish, 0: none */
    int64_t seen_ms;                 /* boot clock: last message, or the end of its last lease */
    struct task *leased;             /* list of what it holds */
    int running;                     /* length of that list */
    int overdue;                     /* tasks it still works on although the lease was taken back */
    int64_t overdue_until_ms;
    bool is_gone;                /* a send found nobody: ends at the next receive */
    struct session *next, *prev; /* of all sessions */
    bool is_able;                /* has credit left: stands in service->able */
    struct session *next_able, *prev_able;
    struct buf acks, cancels; /* tokens, each with a NUL after it, for the next release */
};

/* ---- services, tasks and leases ---- */

struct service {
    char name[SERVICE_NAME_MAX + 1];
    struct heap ready;                      /* of struct task: priority, due, id */
    struct session *first_able, *last_able; /* least recently used first */
    int workers, leased;
    struct service *next;
};

enum task_state { TASK_READY, TASK_LEASED, TASK_PAST };

struct task {
    int64_t id;
    enum task_state state;
    int attempt, priority;
    int64_t due_ms;
    struct service *service;
    int64_t lease_ms, max_run_ms;
    ptrdiff_t ready_at, expiry_at; /* places in the heaps */
    struct task *next_place; /* of those whose ids have the same place in the broker's table */
    /* only while (or after) leased: */
    struct lease *lease;     /* owned; NULL: never */
    int64_t lease_span_ms;   /* what a renewal adds */
    struct session *session; /* NULL: held over a restart, or restored by a discard */
    struct task *next_leased, *prev_leased;
    bool is_envelope, knows_envelope;
    bool is_undelivered;  /* its REQUEST did not leave: the worker is not to blame */
    const char *lost_why; /* restored by a discard: to be told again */
    bool lost_counts;
};

enum change_kind { CHANGE_OFFERED, CHANGE_LEASED, CHANGE_ENDED };

struct change { /* since the last release */
    enum change_kind kind;
    enum task_state before; /* of CHANGE_ENDED */
    struct task *task;
};

/* ---- messages ---- */

struct message { /* one that came in; lent until the next */
    struct route route;
    char user_id[ZAP_USER_ID_MAX + 1];
    const char *principal; /* a copy in the broker; NULL: no rights */
    const struct slice *frames;
    int count;
};

struct inbox { /* the frames of the last message that came in */
    zmq_msg_t frames[MDP_FRAMES_MAX + 1];
    struct slice bytes[MDP_FRAMES_MAX + 1];
    int count;
};

struct out_message {
    struct route route;
    enum { OUT_REPLY, OUT_REQUEST, OUT_CONTROL } kind; /* control: says nothing about the batch */
    int64_t task;                                      /* of OUT_REQUEST */
    uint32_t frames;                                   /* how many */
    size_t at; /* in the bytes: each frame with its length before it */
    char principal[BROKER_PRINCIPAL_MAX + 1]; /* of OUT_REPLY: whose request it answers */
};

struct outbox {
    struct out_message *messages; /* owned */
    size_t count, cap;
    struct buf bytes;
};

struct farewell {
    struct route route;
    enum mdp_dialect dialect;
};

struct broker {
    struct broker_ops ops;
    void *context;
    struct zap *zap;
    void *sockets[SOCKET_COUNT];
    void *watched;
    bool has_curve;
    char front[FRONT_MAX][ENDPOINT_MAX];
    char plain[ENDPOINT_MAX], admin[ENDPOINT_MAX];
    int64_t heartbeat_ms, idle_expiry_ms, plain_lease_ms, sdk_lease_ms;
    bool is_draining;
    int64_t boot_ms; /* of the last receive or pair */
    int64_t next_beat_ms;
    struct map sessions; /* socket and routing id -> struct session */
    struct session *first_session;
    struct map services_by_name;
    struct service *services;
    struct task **places;           /* id -> struct task, READY or LEASED; owned */
    size_t place_count, task_count; /* a power of two or 0; how many tasks are in it */
    struct heap expiries;           /* of struct task, LEASED */
    struct change *changes;
    size_t change_count, change_cap;
    struct map unanswered; /* principal -> how many requests: the number itself as the pointer */
    struct inbox inbox;
    char principal[BROKER_PRINCIPAL_MAX + 1]; /* of the message in hand */
    struct outbox outbox;
    struct farewell farewells[FAREWELLS_MAX];
    int farewell_count;
    bool has_gone_sessions;
    bool has_tokens; /* some session has acks or cancels to be told */
    int next_socket; /* where the fair round begins */
    struct broker_counts counts;
    struct arena scratch; /* cleared for every message */
};

void broker_log(struct broker *broker, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- sockets.c ---- */

int sockets_open(struct broker *broker, const struct broker_options *options, struct error *err);
void sockets_close(struct broker *broker);
/* One message of that socket. 1 there is one; 0 none waits; -1 one came and was dropped. */
int sockets_receive(struct broker *broker, int socket, struct message *out);

/* ---- outbox.c ---- */

/* Queues frames for a peer, copied. Gives the entry, lent until the next. */
struct out_message *outbox_add(struct broker *broker, const struct route *route,
                               const struct slice *frames, int count);
void outbox_send(struct broker *broker);
void outbox_send_controls(struct broker *broker); /* and forgets the rest: the commit failed */
void outbox_release(struct outbox *outbox);
/* At once, for heartbeats. 0; -1 the peer is gone; -2 it does not read. */
int send_now(struct broker *broker, const struct route *route, const struct slice *frames,
             int count);

/* ---- sessions.c ---- */

struct slice route_key(const struct route *route); /* lent: the route's own bytes */
struct session *session_find(struct broker *broker, const struct route *route);
struct session *session_new(struct broker *broker, const struct message *message,
                            struct service *service, enum mdp_dialect dialect);
/* Its leases are lost, with that reason, then it is freed. */
void session_end(struct broker *broker, struct session **session, bool counts, const char *why);
/* May the key behind it still serve what it serves? */
bool session_has_rights(struct broker *broker, const struct session *session);
void session_rank(struct session *session); /* after every change of credit, running, overdue */
void session_gone(struct broker *broker, struct session *session); /* it ends at the next receive */
void session_tell(struct broker *broker, struct session *session, struct buf *tokens,
                  struct slice token); /* into acks or cancels */
void sessions_end_gone(struct broker *broker);
void sessions_release(struct broker *broker);
/* DISCONNECT: with the next release, or at the next heartbeat (for peers that would return at
 * once). */
void disconnect(struct broker *broker, const struct route *route, enum mdp_dialect dialect);
void disconnect_later(struct broker *broker, const struct route *route, enum mdp_dialect dialect);

/* ---- tasks.c ---- */

void tasks_open(struct broker *broker);
struct service *service_of(struct broker *broker, struct slice name); /* made if new */
struct task *task_find(const struct broker *broker, int64_t id);
void task_lease(struct broker *broker, struct task *task, struct session *session,
                const char *token);
/* Takes a task out of everything; what it was can be restored until the release. */
void task_end(struct broker *broker, struct task *task);
void task_lost(struct broker *broker, struct task *task, bool counts, const char *why);
/* The lease belongs to that session now, whoever had it. */
void task_adopt(struct broker *broker, struct task *task, struct session *session);
void task_renew(struct broker *broker, struct task *task);
void tasks_keep(struct broker *broker); /* after the commit */
void tasks_undo(struct broker *broker); /* after its failure */
void tasks_release(struct broker *broker);

/* ---- workers.c, clients.c, dispatch.c, beats.c ---- */

void worker_says(struct broker *broker, const struct message *message,
                 const struct mdp_message *mdp);
/* It may not speak, or speaks nonsense: its session ends, DISCONNECT follows. */
void worker_refused(struct broker *broker, const struct message *message,
                    const struct mdp_message *mdp, bool counts, const char *why);
void client_says(struct broker *broker, const struct message *message,
                 const struct mdp_message *mdp);
void client_refused(struct broker *broker, const struct message *message,
                    const struct mdp_message *mdp, const char *code, const char *text);
void client_answered(struct broker *broker, const char *principal); /* a reply left */
void beats_run(struct broker *broker);
void beats_answer(struct broker *broker); /* acks and cancels, into the outbox */

#endif
