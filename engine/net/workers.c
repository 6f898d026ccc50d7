#include "base/check.h"
#include "base/dmp.h"
#include "net/parts.h"
#include "wire/token.h"

#include <ctype.h>
#include <stdio.h>

/* What a peer sent, fit for a log line. */
static const char *printable(struct broker *broker, struct slice bytes)
{
    size_t len = bytes.len < TOKEN_MAX ? bytes.len : TOKEN_MAX;
    char *text = arena_copy(&broker->scratch, bytes.at, len);

    for (size_t i = 0; i < len; i++) {
        if (!isprint((unsigned char)text[i]))
            text[i] = '?';
    }
    return text;
}

/* ---- READY ---- */

static const char *why_not(struct broker *broker, const struct message *message,
                           const struct mdp_message *mdp)
{
    const char *name;

    if (!service_name_is_valid(mdp->service))
        return "not a service name";
    if (service_name_is_reserved(mdp->service))
        return "a reserved name";
    name = arena_copy(&broker->scratch, mdp->service.at, mdp->service.len);
    if (!broker->ops.may_serve(broker->ops.self, message->principal, name))
        return "not allowed to serve it";
    if (broker->sessions.count >= BROKER_SESSIONS_MAX)
        return "too many workers";
    if (broker->services_by_name.count >= BROKER_SERVICES_MAX &&
        map_get(&broker->services_by_name, mdp->service) == NULL)
        return "too many services";
    return NULL;
}

static void take_options(struct broker *broker, struct session *session,
                         const struct mdp_message *mdp)
{
    struct ready_options options;

    if (!mdp->has_options || mdp->options.len == 0)
        return;
    if (ready_options_decode(&broker->scratch, mdp->options, &options, NULL) != 0) {
        broker_log(broker, LOG_WARNING, "READY options of %s cannot be read: taken as plain",
                   session->principal);
        return;
    }
    session->is_sdk = true;
    session->envelope = options.envelope;
    session->json = options.is_json;
    session->credit = options.credit;
    session->lease_ms = options.lease_ms;
    snprintf(session->name, sizeof session->name, "%s", printable(broker, options.name));
    session_rank(session);
}

/* A worker of ours that announces itself again goes on with what it runs; a plain one has nothing
 * in hand when it says READY. */
static void ready(struct broker *broker, const struct message *message,
                  const struct mdp_message *mdp, struct session *session)
{
    const char *refused = why_not(broker, message, mdp);

    if (refused != NULL) {
        broker_log(broker, LOG_WARNING, "READY of %s for %s refused: %s", message->principal,
                   printable(broker, mdp->service), refused);
        if (session != NULL)
            session_end(broker, &session, false, "disconnected");
        disconnect_later(broker, &message->route, mdp->dialect);
        return;
    }
    if (session != NULL && session->is_sdk && mdp->has_options &&
        slice_is(mdp->service, session->service->name)) {
        take_options(broker, session, mdp);
        return;
    }
    if (session != NULL)
        session_end(broker, &session, true, "worker gone");
    session = session_new(broker, message, service_of(broker, mdp->service), mdp->dialect);
    take_options(broker, session, mdp);
    broker_log(broker, LOG_INFO, "worker of %s for %s is ready, MDP %s", session->principal,
               session->service->name, mdp_dialect_name(mdp->dialect));
}

/* ---- results ---- */

/* The lease in force that this token names and this principal holds, or NULL. */
static struct task *leased_by(struct broker *broker, const char *principal, struct slice token)
{
    struct task *task;
    int64_t id;

    if (token_parse(token, &id, NULL) != 0)
        return NULL;
    task = task_find(broker, id);
    if (task == NULL || task->state != TASK_LEASED || task->lost_why != NULL ||
        !slice_is(token, task->lease->token) || strcmp(principal, task->lease->principal) != 0)
        return NULL;
    return task;
}

/* A result that comes too late is counted and told to nobody but the log and a worker of ours,
 * which would send it again. */
static void late(struct broker *broker, struct session *session, const struct message *message,
                 struct slice token)
{
    if (token.len == 0) {
        broker_log(broker, LOG_DEBUG, "a reply without a token (to a heartbeat) from %s",
                   message->principal);
        return;
    }
    broker->counts.late++;
    broker_log(broker, LOG_WARNING, "a result from %s does not count: no lease in force for %s",
               message->principal, printable(broker, token));
    if (session == NULL)
        return;
    if (session->is_sdk && token_parse(token, NULL, NULL) == 0)
        session_tell(broker, session, &session->cancels, token);
    if (!session->is_sdk && session->overdue > 0) {
        session->overdue = 0;
        session_rank(session);
    }
}

static struct slice body_at(const struct mdp_message *mdp, int place)
{
    return place < mdp->body_count ? mdp->body[place] : slice_of("", 0);
}

/* Envelope: {status...} and output. Raw: the output; always a success. After a restart nobody knows
 * how the task was sent: two frames whose first is a result are an envelope. */
static void read_result(struct broker *broker, const struct task *task,
                        const struct mdp_message *mdp, struct result *out)
{
    struct outcome outcome;
    bool decodes =
        mdp->body_count > 0 && outcome_decode(&broker->scratch, mdp->body[0], &outcome, NULL) == 0;
    bool is_envelope = task->knows_envelope ? task->is_envelope : decodes && mdp->body_count == 2;

    *out = (struct result){.lease = task->lease, .status = 200};
    if (is_envelope) {
        out->status = decodes ? outcome.status : 500;
        out->header = decodes ? body_at(mdp, 0) : slice_of(NULL, 0);
        out->output = body_at(mdp, 1);
    } else {
        out->output = body_at(mdp, 0);
    }
}

static void final(struct broker *broker, struct session *session, const struct message *message,
                  const struct mdp_message *mdp)
{
    struct task *task = leased_by(broker, message->principal, mdp->address);
    struct result result;

    if (task == NULL) {
        late(broker, session, message, mdp->address);
        return;
    }
    read_result(broker, task, mdp, &result);
    task_end(broker, task);
    if (session != NULL && session->is_sdk)
        session_tell(broker, session, &session->acks, mdp->address);
    broker->ops.result(broker->ops.self, &result);
}

static void partial(struct broker *broker, struct session *session, const struct message *message,
                    const struct mdp_message *mdp)
{
    struct task *task = leased_by(broker, message->principal, mdp->address);
    struct progress progress = {-1, {NULL, 0}};

    if (task == NULL) {
        late(broker, session, message, mdp->address);
        return;
    }
    if (mdp->body_count > 0 &&
        progress_decode(&broker->scratch, mdp->body[0], &progress, NULL) != 0)
        progress = (struct progress){-1, {NULL, 0}};
    task_renew(broker, task);
    broker->ops.progress(broker->ops.self, task->lease, progress.percent, progress.note);
}

/* ---- HEARTBEAT ---- */

/* Renews what it runs; what it runs without a lease takes its credit and is cancelled. */
static void running(struct broker *broker, struct session *session, const struct message *message,
                    const struct beat_options *options)
{
    int overdue = 0;

    for (int i = 0; i < options->running_count; i++) {
        struct task *task = leased_by(broker, message->principal, options->running[i]);

        if (task == NULL) {
            overdue++;
            session_tell(broker, session, &session->cancels, options->running[i]);
            continue;
        }
        if (task->session != session)
            task_adopt(broker, task, session);
        task_renew(broker, task);
    }
    session->overdue = overdue;
    session->overdue_until_ms = INT64_MAX;
}

static void beat(struct broker *broker, struct session *session, const struct message *message,
                 const struct mdp_message *mdp)
{
    struct beat_options options;

    if (!session->is_sdk || !mdp->has_options || mdp->options.len == 0)
        return;
    if (beat_options_decode(&broker->scratch, mdp->options, &options, NULL) != 0) {
        broker->counts.malformed++;
        return;
    }
    running(broker, session, message, &options);
    if (options.credit >= 0)
        session->credit = options.credit;
    session_rank(session);
}

/* ---- all of it ---- */

/* After a restart of the engine a worker's socket is back with another routing id and no READY: a
 * result is settled first, then it is asked to announce itself. */
static void stranger_says(struct broker *broker, const struct message *message,
                          const struct mdp_message *mdp)
{
    switch (mdp->verb) {
    case MDP_READY:
        ready(broker, message, mdp, NULL);
        return;
    case MDP_FINAL:
        final(broker, NULL, message, mdp);
        break;
    case MDP_PARTIAL:
        partial(broker, NULL, message, mdp);
        break;
    case MDP_DISCONNECT:
        return;
    case MDP_REQUEST:
    case MDP_HEARTBEAT:
        break;
    }
    disconnect(broker, &message->route, mdp->dialect);
}

void worker_says(struct broker *broker, const struct message *message,
                 const struct mdp_message *mdp)
{
    struct session *session = session_find(broker, &message->route);

    if (session != NULL && (strcmp(session->user_id, message->user_id) != 0 ||
                            strcmp(session->principal, message->principal) != 0))
        session_end(broker, &session, true, "worker gone");
    if (session == NULL) {
        stranger_says(broker, message, mdp);
        return;
    }
    session->seen_ms = broker->boot_ms;
    switch (mdp->verb) {
    case MDP_READY:
        ready(broker, message, mdp, session);
        break;
    case MDP_FINAL:
        final(broker, session, message, mdp);
        break;
    case MDP_PARTIAL:
        partial(broker, session, message, mdp);
        break;
    case MDP_HEARTBEAT:
        beat(broker, session, message, mdp);
        break;
    case MDP_DISCONNECT:
        session_end(broker, &session, false, "disconnected");
        break;
    case MDP_REQUEST:
        broker->counts.malformed++;
        session_end(broker, &session, true, "worker gone");
        disconnect_later(broker, &message->route, mdp->dialect);
        break;
    }
}

void worker_refused(struct broker *broker, const struct message *message,
                    const struct mdp_message *mdp, bool counts, const char *why)
{
    struct session *session = session_find(broker, &message->route);

    if (session != NULL)
        session_end(broker, &session, counts, why);
    disconnect_later(broker, &message->route, mdp->dialect);
}
