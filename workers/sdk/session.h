/* session.h - one service of a worker: its socket and what is said over it (MDP 0.2 as RFC 18 has
 * it, with the engine's extra frames; or plain, without any).
 *
 * The socket thread only. A session says READY, beats, takes REQUESTs, sends results and keeps them
 * until they are acknowledged, and begins again when the engine is silent or says DISCONNECT.
 */
#ifndef ROTA_SDK_SESSION_H
#define ROTA_SDK_SESSION_H

#include "sdk/task.h"
#include "wire/mdp.h"

struct session {
    struct rota_worker *worker;
    char service[65];
    int credit;
    rota_task_fn *fn;
    void *self;
    void *socket;            /* NULL until opened */
    struct rota_task *tasks; /* owned list; changes under the worker's lock */
    bool is_ready;           /* READY was said in this session */
    bool is_known;           /* the engine has answered since */
    bool has_complained;     /* of silence, once an outage */
    bool is_draining;        /* the engine gives out no new tasks */
    int64_t ready_ms;        /* when to say READY */
    int64_t backoff_ms;      /* after the next DISCONNECT */
    int64_t heard_ms;        /* the engine's last word */
    int64_t beat_ms;         /* when to beat next */
    int64_t beat_every_ms;
};

int session_open(struct session *session, int64_t now_ms, struct rota_error *err);
void session_receive(struct session *session, int64_t now_ms); /* what waits on the socket */
void session_tick(struct session *session, int64_t now_ms);    /* what is due */
int64_t session_due_ms(const struct session *session);  /* when session_tick has work again */
bool session_is_settled(const struct session *session); /* no result waits */
void session_close(struct session *session, bool say_goodbye);
int session_tasks_in(const struct session *session, enum task_state state); /* under the lock */

#endif
