#include "base/check.h"
#include "base/dmp.h"
#include "net/parts.h"
#include "wire/body.h"
#include "wire/token.h"

#include <sys/random.h>

/* What the broker alone knows joins what the owner wrote. */
static void add_header(struct broker *broker, struct buf *out, const struct task *task,
                       struct slice header, bool as_json, int64_t wall_ms)
{
    struct arena *arena = &broker->scratch;
    struct value map = VALUE_NONE;

    if (mp_decode(arena, header, BODY_DEPTH_MAX, &map, NULL) != 0 || map.type != VALUE_MAP)
        map = value_map();
    value_set(arena, &map, "v", value_int(1));
    value_set(arena, &map, "task", value_int(task->id));
    value_set(arena, &map, "attempt", value_int(task->attempt));
    value_set(arena, &map, "service", value_str(task->service->name));
    value_set(arena, &map, "lease_ms", value_int(task->lease_span_ms));
    value_set(arena, &map, "at", value_int(wall_ms));
    body_encode(out, &map, as_json);
}

static void send_request(struct broker *broker, const struct task *task,
                         const struct parcel *parcel, int64_t wall_ms)
{
    const struct session *session = task->session;
    struct buf header = BUF_EMPTY;
    struct slice body[2], frames[MDP_FRAMES_MAX];
    struct mdp_message message = {.dialect = session->dialect,
                                  .party = MDP_WORKER,
                                  .verb = MDP_REQUEST,
                                  .address = slice_str(task->lease->token),
                                  .body = body};
    struct out_message *queued;

    if (session->envelope) {
        add_header(broker, &header, task, parcel->header, session->json, wall_ms);
        body[message.body_count++] = buf_slice(&header);
    }
    body[message.body_count++] = parcel->input;
    queued = outbox_add(broker, &session->route, frames, mdp_build(&message, frames));
    queued->kind = OUT_REQUEST;
    queued->task = task->id;
    buf_release(&header);
}

static void give(struct broker *broker, struct task *task, struct session *session,
                 const struct parcel *parcel, int64_t wall_ms)
{
    uint8_t nonce[TOKEN_NONCE_LEN];
    char token[BROKER_TOKEN_MAX + 1];

    check(getrandom(nonce, sizeof nonce, 0) == (ssize_t)sizeof nonce);
    token_format(token, task->id, task->attempt, nonce);
    task_lease(broker, task, session, token);
    broker->ops.leased(broker->ops.self, task->lease);
    send_request(broker, task, parcel, wall_ms);
}

static void pair_service(struct broker *broker, struct service *service, int64_t wall_ms)
{
    struct task *task;
    struct session *session;
    struct parcel parcel;

    while ((session = service->first_able) != NULL &&
           (task = heap_first(&service->ready)) != NULL) {
        if (!session_has_rights(broker, session)) {
            disconnect_later(broker, &session->route, session->dialect);
            session_end(broker, &session, false, "rights withdrawn");
            continue;
        }
        arena_clear(&broker->scratch);
        if (broker->ops.parcel(broker->ops.self, task->id, &parcel))
            give(broker, task, session, &parcel, wall_ms);
        else
            task_end(broker, task);
    }
}

void broker_pair(struct broker *broker, int64_t boot_ms, int64_t wall_ms)
{
    broker->boot_ms = boot_ms;
    if (broker->is_draining)
        return;
    for (struct service *service = broker->services; service != NULL; service = service->next)
        pair_service(broker, service, wall_ms);
}

void broker_drain(struct broker *broker, bool on)
{
    broker->is_draining = on;
    broker->next_beat_ms = broker->boot_ms;
}
