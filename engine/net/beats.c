#include "base/check.h"
#include "net/parts.h"

/* ---- heartbeats ---- */

static int build_beat(const struct session *session, struct slice options,
                      struct slice frames[MDP_FRAMES_MAX])
{
    struct mdp_message message = {.dialect = session->dialect,
                                  .party = MDP_WORKER,
                                  .verb = MDP_HEARTBEAT,
                                  .has_options = options.len > 0,
                                  .options = options};

    return mdp_build(&message, frames);
}

/* The options with the tokens that wait; empty for a plain worker. */
static void add_options(struct broker *broker, struct session *session, struct buf *out)
{
    struct beat_options options = {
        .credit = -1, .drain = broker->is_draining, .is_json = session->json};
    const char *at;

    if (!session->is_sdk)
        return;
    for (size_t i = 0; i < session->acks.len && options.ack_count < CREDIT_MAX;
         i += strlen(at) + 1) {
        at = (const char *)session->acks.at + i;
        options.ack[options.ack_count++] = slice_str(at);
    }
    for (size_t i = 0; i < session->cancels.len && options.cancel_count < CREDIT_MAX;
         i += strlen(at) + 1) {
        at = (const char *)session->cancels.at + i;
        options.cancel[options.cancel_count++] = slice_str(at);
    }
    beat_options_encode(out, &options);
    buf_clear(&session->acks);
    buf_clear(&session->cancels);
}

void beats_answer(struct broker *broker)
{
    if (!broker->has_tokens)
        return;
    broker->has_tokens = false;
    for (struct session *session = broker->first_session; session != NULL;
         session = session->next) {
        struct slice frames[MDP_FRAMES_MAX];
        struct buf options = BUF_EMPTY;

        if (session->acks.len == 0 && session->cancels.len == 0)
            continue;
        add_options(broker, session, &options);
        outbox_add(broker, &session->route, frames,
                   build_beat(session, buf_slice(&options), frames));
        buf_release(&options);
    }
}

/* Acks and cancels are left to the release: here only drain is said. */
static void beat_all(struct broker *broker)
{
    struct beat_options drain = {.credit = -1, .drain = broker->is_draining};
    struct buf binary = BUF_EMPTY, json = BUF_EMPTY;

    beat_options_encode(&binary, &drain);
    drain.is_json = true;
    beat_options_encode(&json, &drain);
    for (struct session *session = broker->first_session; session != NULL;
         session = session->next) {
        struct slice frames[MDP_FRAMES_MAX];
        struct slice said = !session->is_sdk ? slice_of(NULL, 0)
                            : session->json  ? buf_slice(&json)
                                             : buf_slice(&binary);
        int count = build_beat(session, said, frames);

        if (send_now(broker, &session->route, frames, count) == -1)
            session_gone(broker, session);
    }
    buf_release(&binary);
    buf_release(&json);
}

static void say_farewells(struct broker *broker)
{
    for (int i = 0; i < broker->farewell_count; i++) {
        const struct farewell *farewell = &broker->farewells[i];
        struct mdp_message message = {
            .dialect = farewell->dialect, .party = MDP_WORKER, .verb = MDP_DISCONNECT};
        struct slice frames[MDP_FRAMES_MAX];
        int count = mdp_build(&message, frames);

        send_now(broker, &farewell->route, frames, count);
    }
    broker->farewell_count = 0;
}

/* ---- expiry ---- */

/* Workers of ours beat while they work; one that has not been heard for three beats hangs. */
static bool hangs(const struct broker *broker, const struct session *session)
{
    return !session->is_sdk || broker->boot_ms - session->seen_ms >= 3 * broker->heartbeat_ms;
}

/* A worker that hangs, or a plain one whose lease ran out, is not to be trusted with another task:
 * it is forgotten, and asked to announce itself when it speaks again. One of ours that still beats
 * is told to stop and keeps its other tasks. */
static void expire(struct broker *broker, struct task *task)
{
    struct session *session = task->session;
    bool ends = session != NULL && hangs(broker, session);

    if (task->lost_why != NULL) {
        task_lost(broker, task, task->lost_counts, task->lost_why);
        return;
    }
    if (session != NULL && !ends) {
        session->overdue++;
        session->overdue_until_ms = broker->boot_ms + broker->idle_expiry_ms;
        session_tell(broker, session, &session->cancels, slice_str(task->lease->token));
    }
    task_lost(broker, task, !task->is_undelivered, "expired");
    if (ends)
        session_end(broker, &session, true, "expired");
}

static void expire_leases(struct broker *broker)
{
    struct task *task;

    while ((task = heap_first(&broker->expiries)) != NULL &&
           task->lease->until_boot_ms <= broker->boot_ms)
        expire(broker, task);
}

static void expire_idle(struct broker *broker)
{
    struct session *session, *next;

    for (session = broker->first_session; session != NULL; session = next) {
        next = session->next;
        if (session->overdue > 0 && broker->boot_ms >= session->overdue_until_ms) {
            session->overdue = 0;
            session_rank(session);
        }
        if (session->running > 0 || (session->overdue > 0 && !session->is_sdk))
            continue;
        if (broker->boot_ms - session->seen_ms >= broker->idle_expiry_ms)
            session_end(broker, &session, true, "worker gone");
    }
}

void beats_run(struct broker *broker)
{
    sessions_end_gone(broker);
    expire_leases(broker);
    if (broker->boot_ms < broker->next_beat_ms)
        return;
    broker->next_beat_ms = broker->boot_ms + broker->heartbeat_ms;
    expire_idle(broker);
    beat_all(broker);
    say_farewells(broker);
    sessions_end_gone(broker);
}
