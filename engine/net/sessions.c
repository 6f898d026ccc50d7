#include "base/check.h"
#include "net/parts.h"

#include <stdio.h>
#include <stdlib.h>

struct slice route_key(const struct route *route)
{
    return slice_of(route, 2 + (size_t)route->len);
}

struct session *session_find(struct broker *broker, const struct route *route)
{
    return map_get(&broker->sessions, route_key(route));
}

/* ---- who has credit left: least recently used first ---- */

static void leave_able(struct session *session)
{
    struct service *service = session->service;

    if (session->prev_able != NULL)
        session->prev_able->next_able = session->next_able;
    else
        service->first_able = session->next_able;
    if (session->next_able != NULL)
        session->next_able->prev_able = session->prev_able;
    else
        service->last_able = session->prev_able;
    session->next_able = session->prev_able = NULL;
    session->is_able = false;
}

static void join_able(struct session *session)
{
    struct service *service = session->service;

    session->prev_able = service->last_able;
    session->next_able = NULL;
    if (service->last_able != NULL)
        service->last_able->next_able = session;
    else
        service->first_able = session;
    service->last_able = session;
    session->is_able = true;
}

void session_rank(struct session *session)
{
    bool able = !session->is_gone && session->running + session->overdue < session->credit;

    if (session->is_able)
        leave_able(session);
    if (able)
        join_able(session);
}

/* ---- coming and going ---- */

struct session *session_new(struct broker *broker, const struct message *message,
                            struct service *service, enum mdp_dialect dialect)
{
    struct session *session = calloc(1, sizeof *session);

    check(session != NULL);
    check(session_find(broker, &message->route) == NULL);
    session->route = message->route;
    snprintf(session->user_id, sizeof session->user_id, "%s", message->user_id);
    snprintf(session->principal, sizeof session->principal, "%s", message->principal);
    session->service = service;
    session->dialect = dialect;
    session->credit = 1;
    session->seen_ms = broker->boot_ms;
    session->next = broker->first_session;
    if (session->next != NULL)
        session->next->prev = session;
    broker->first_session = session;
    map_put(&broker->sessions, route_key(&session->route), session);
    service->workers++;
    session_rank(session);
    return session;
}

static void session_free(struct broker *broker, struct session *session)
{
    if (session->is_able)
        leave_able(session);
    session->service->workers--;
    if (session->prev != NULL)
        session->prev->next = session->next;
    else
        broker->first_session = session->next;
    if (session->next != NULL)
        session->next->prev = session->prev;
    map_remove(&broker->sessions, route_key(&session->route));
    buf_release(&session->acks);
    buf_release(&session->cancels);
    free(session);
}

void session_end(struct broker *broker, struct session **session, bool counts, const char *why)
{
    struct session *ended = *session;

    *session = NULL;
    broker_log(broker, LOG_INFO, "worker of %s for %s ends: %s", ended->principal,
               ended->service->name, why);
    while (ended->leased != NULL)
        task_lost(broker, ended->leased, counts && !ended->leased->is_undelivered, why);
    session_free(broker, ended);
}

void session_gone(struct broker *broker, struct session *session)
{
    session->is_gone = true;
    session_rank(session);
    broker->has_gone_sessions = true;
}

void session_tell(struct broker *broker, struct session *session, struct buf *tokens,
                  struct slice token)
{
    if (token.len > BROKER_TOKEN_MAX || memchr(token.at, '\0', token.len) != NULL ||
        tokens->len >= (size_t)CREDIT_MAX * (BROKER_TOKEN_MAX + 1))
        return;
    buf_add_slice(tokens, token);
    buf_add_byte(tokens, 0);
    broker->has_tokens = session->is_sdk || broker->has_tokens;
}

void sessions_end_gone(struct broker *broker)
{
    struct session *session, *next;

    if (!broker->has_gone_sessions)
        return;
    broker->has_gone_sessions = false;
    for (session = broker->first_session; session != NULL; session = next) {
        next = session->next;
        if (session->is_gone)
            session_end(broker, &session, true, "worker gone");
    }
}

void sessions_release(struct broker *broker)
{
    while (broker->first_session != NULL)
        session_free(broker, broker->first_session);
    map_release(&broker->sessions);
}

/* ---- DISCONNECT ---- */

void disconnect(struct broker *broker, const struct route *route, enum mdp_dialect dialect)
{
    struct mdp_message message = {.dialect = dialect, .party = MDP_WORKER, .verb = MDP_DISCONNECT};
    struct slice frames[MDP_FRAMES_MAX];
    int count = mdp_build(&message, frames);

    outbox_add(broker, route, frames, count);
}

/* A worker that is sent away comes back at once; told only at the next heartbeat, it cannot make us
 * spin. */
void disconnect_later(struct broker *broker, const struct route *route, enum mdp_dialect dialect)
{
    for (int i = 0; i < broker->farewell_count; i++) {
        if (slice_equal(route_key(&broker->farewells[i].route), route_key(route)))
            return;
    }
    if (broker->farewell_count == FAREWELLS_MAX)
        return;
    broker->farewells[broker->farewell_count++] = (struct farewell){*route, dialect};
}

/* ---- rights that changed ---- */

bool session_has_rights(struct broker *broker, const struct session *session)
{
    const char *principal = broker->ops.principal(broker->ops.self, session->user_id);

    return principal != NULL && strcmp(principal, session->principal) == 0 &&
           broker->ops.may_serve(broker->ops.self, session->principal, session->service->name);
}

/* Leases that no session holds (kept over a restart) are asked by their principal's name. */
static void recheck_held(struct broker *broker)
{
    size_t i = 0;

    while (i < broker->expiries.count) {
        struct task *task = broker->expiries.items[i];

        if (task->session == NULL &&
            !broker->ops.may_serve(broker->ops.self, task->lease->principal, task->service->name)) {
            task_lost(broker, task, false, "rights withdrawn");
            i = 0;
        } else {
            i++;
        }
    }
}

void broker_recheck(struct broker *broker, int64_t boot_ms)
{
    struct session *session, *next;

    broker->boot_ms = boot_ms;
    for (session = broker->first_session; session != NULL; session = next) {
        next = session->next;
        if (session_has_rights(broker, session))
            continue;
        disconnect_later(broker, &session->route, session->dialect);
        session_end(broker, &session, false, "rights withdrawn");
    }
    recheck_held(broker);
}
