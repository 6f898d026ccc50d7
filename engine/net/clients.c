#include "base/check.h"
#include "net/parts.h"
#include "wire/body.h"
#include "wire/command.h"
#include "wire/keyfile.h"

#include <stdio.h>

/* The services that the engine itself answers. */
struct own_service {
    const char *name;
    enum request_kind kind;
};

static const struct own_service OWN_SERVICES[] = {
    {"rota.command.v1", REQUEST_COMMAND},
    {"rota.query.v1", REQUEST_QUERY},
    {"rota.events.v1", REQUEST_EVENTS},
    {"rota.admin.v1", REQUEST_ADMIN},
};

static const struct own_service *own_service_of(struct slice name)
{
    for (size_t i = 0; i < sizeof OWN_SERVICES / sizeof OWN_SERVICES[0]; i++) {
        if (slice_is(name, OWN_SERVICES[i].name))
            return &OWN_SERVICES[i];
    }
    return NULL;
}

/* ---- answers ---- */

static struct route route_of(const struct reply_to *to)
{
    struct route route = {.socket = to->socket, .len = to->route_len};

    memcpy(route.id, to->route, to->route_len);
    return route;
}

static struct out_message *add_answer(struct broker *broker, const struct reply_to *to,
                                      const struct slice *body, int body_count)
{
    struct mdp_message message = {.dialect = (enum mdp_dialect)to->dialect,
                                  .party = MDP_CLIENT,
                                  .verb = MDP_FINAL,
                                  .service = slice_str(to->service),
                                  .body = body,
                                  .body_count = body_count};
    struct slice frames[MDP_FRAMES_MAX];
    struct route route = route_of(to);
    int count = mdp_build(&message, frames);

    return outbox_add(broker, &route, frames, count);
}

void broker_reply(struct broker *broker, const struct reply_to *to, int status, struct slice body)
{
    char digits[4];
    struct slice frames[2] = {slice_of(digits, 3), body};
    struct out_message *message;

    check(status >= 100 && status <= 999);
    snprintf(digits, sizeof digits, "%03d", status);
    message = add_answer(broker, to, frames, body.len > 0 ? 2 : 1);
    message->kind = OUT_REPLY;
    snprintf(message->principal, sizeof message->principal, "%s", to->principal);
}

/* What the broker says by itself leaves with the next release or discard. */
static void answer_status(struct broker *broker, const struct reply_to *to, const char *digits)
{
    struct slice frame = slice_str(digits);

    add_answer(broker, to, &frame, 1);
}

/* What was asked under: without it a client that has several requests under way cannot tell which to repeat. */
static struct slice id_of(struct broker *broker, const struct mdp_message *mdp)
{
    struct value map = VALUE_NONE;
    struct slice id = {NULL, 0};

    if (mdp->body_count == 1 && mdp->body[0].len <= COMMAND_BYTES_MAX &&
        body_decode(&broker->scratch, mdp->body[0], BODY_DEPTH_MAX, &map, NULL, NULL) == 0)
        id = value_get_text(&map, "id");
    return id.len <= COMMAND_ID_MAX ? id : slice_of(NULL, 0);
}

static void refuse(struct broker *broker, const struct reply_to *to, const struct mdp_message *mdp,
                   const char *code, const char *text)
{
    struct reply reply = reply_refusal(code, text);
    struct buf body = BUF_EMPTY;
    char digits[4];
    struct slice frames[2];

    reply.id = id_of(broker, mdp);
    reply_encode(&body, &reply, to->json);
    snprintf(digits, sizeof digits, "%03d", reply.status);
    frames[0] = slice_of(digits, 3);
    frames[1] = buf_slice(&body);
    add_answer(broker, to, frames, 2);
    buf_release(&body);
}

static void fill_reply_to(struct reply_to *to, const struct message *message,
                          const struct mdp_message *mdp)
{
    size_t len = mdp->service.len <= SERVICE_NAME_MAX ? mdp->service.len : SERVICE_NAME_MAX;

    memset(to, 0, sizeof *to);
    to->socket = message->route.socket;
    to->route_len = message->route.len;
    memcpy(to->route, message->route.id, message->route.len);
    to->dialect = (uint8_t)mdp->dialect;
    to->json = mdp->body_count > 0 && mdp->body[0].len > 0 && mdp->body[0].at[0] == '{';
    if (len > 0)
        memcpy(to->service, mdp->service.at, len);
    if (message->principal != NULL)
        snprintf(to->principal, sizeof to->principal, "%s", message->principal);
}

void client_refused(struct broker *broker, const struct message *message,
                    const struct mdp_message *mdp, const char *code, const char *text)
{
    struct reply_to to;

    fill_reply_to(&to, message, mdp);
    refuse(broker, &to, mdp, code, text);
}

/* ---- how many wait for an answer ---- */

static uintptr_t unanswered(const struct broker *broker, const char *principal)
{
    return (uintptr_t)map_get(&broker->unanswered, slice_str(principal));
}

static void set_unanswered(struct broker *broker, const char *principal, uintptr_t count)
{
    if (count == 0)
        map_remove(&broker->unanswered, slice_str(principal));
    else
        map_put(&broker->unanswered, slice_str(principal), (void *)count);
}

void client_answered(struct broker *broker, const char *principal)
{
    uintptr_t count = unanswered(broker, principal);

    if (count > 0)
        set_unanswered(broker, principal, count - 1);
}

/* ---- MMI, RFC 8 ---- */

static bool has_workers(const struct broker *broker, struct slice name)
{
    const struct service *service = map_get(&broker->services_by_name, name);

    return service != NULL && service->workers > 0;
}

static void answer_mmi(struct broker *broker, const struct mdp_message *mdp,
                       const struct reply_to *to)
{
    struct slice asked = mdp->body_count > 0 ? mdp->body[0] : slice_of("", 0);

    if (!slice_is(mdp->service, "mmi.service"))
        answer_status(broker, to, "501");
    else if (own_service_of(asked) != NULL || has_workers(broker, asked))
        answer_status(broker, to, "200");
    else
        answer_status(broker, to, "404");
}

/* ---- requests to the owner ---- */

static const char *method_of(const struct message *message)
{
    if (strncmp(message->user_id, "uid:", 4) == 0)
        return "peer";
    return strcmp(message->user_id, "plain") == 0 ? "plain" : "curve";
}

static void ask_owner(struct broker *broker, const struct message *message,
                      const struct mdp_message *mdp, const struct reply_to *to,
                      enum request_kind kind)
{
    uint8_t key[CURVE_KEY_LEN], hash[HASH_LEN];
    struct request request = {.kind = kind,
                              .principal = to->principal,
                              .method = method_of(message),
                              .body = mdp->body[0],
                              .to = to};

    if (curve_from_z85(slice_str(message->user_id), key) == 0) {
        hash_bytes(slice_of(key, sizeof key), hash);
        request.key_hash = slice_of(hash, sizeof hash);
    }
    set_unanswered(broker, to->principal, unanswered(broker, to->principal) + 1);
    broker->ops.request(broker->ops.self, &request);
}

void client_says(struct broker *broker, const struct message *message,
                 const struct mdp_message *mdp)
{
    const struct own_service *own = own_service_of(mdp->service);
    struct reply_to to;

    fill_reply_to(&to, message, mdp);
    if (mdp->verb != MDP_REQUEST) {
        broker->counts.malformed++;
    } else if (!service_name_is_valid(mdp->service)) {
        broker->counts.malformed++;
        refuse(broker, &to, mdp, "malformed", "not a service name");
    } else if (slice_starts(mdp->service, "mmi.")) {
        answer_mmi(broker, mdp, &to);
    } else if (own == NULL && service_name_is_reserved(mdp->service)) {
        refuse(broker, &to, mdp, "no-service", NULL);
    } else if (mdp->body_count != 1) {
        broker->counts.malformed++;
        refuse(broker, &to, mdp, "malformed", "a request has one body frame");
    } else if (unanswered(broker, to.principal) >= BROKER_UNANSWERED_MAX) {
        broker->counts.slowed++;
        refuse(broker, &to, mdp, "slow-down", NULL);
    } else {
        ask_owner(broker, message, mdp, &to, own != NULL ? own->kind : REQUEST_DIRECT);
    }
}
