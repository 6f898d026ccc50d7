#include "sdk/client.h"

#include "base/check.h"
#include "base/dmp.h"
#include "wire/body.h"
#include "wire/command.h"
#include "wire/mdp.h"

#include <poll.h>
#include <stdlib.h>
#include <zmq.h>

enum {
    TRY_MS = 5000,
    PAUSE_FIRST_MS = 250,
    PAUSE_MAX_MS = 4000,
    PART_BYTES = 512 * 1024,
    FOLLOW_WAIT_MS = 20000,
    FOLLOW_MAX = 500,
    REPLY_DEPTH_MAX = BODY_DEPTH_MAX
};

int rota_client_open(const struct rota_options *options, struct rota_client **out,
                     struct rota_error *err)
{
    struct rota_client *client;
    struct link_keys keys;

    if (options->endpoint == NULL)
        return fail(err, 0, "", "no endpoint of an engine is given");
    if (link_keys_read(options, &keys, err) != 0)
        return -1;
    client = calloc(1, sizeof *client);
    check(client != NULL);
    client->endpoint = strdup(options->endpoint);
    check(client->endpoint != NULL);
    client->keys = keys;
    client->try_ms = TRY_MS;
    client->tries = ROTA_TRIES;
    client->context = zmq_ctx_new();
    if (client->context == NULL) {
        fail(err, 0, "", "no descriptors are left");
        rota_client_close(&client);
        return -1;
    }
    *out = client;
    return 0;
}

static void hang_up(struct rota_client *client)
{
    int linger = 0;

    if (client->socket == NULL)
        return;
    zmq_setsockopt(client->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(client->socket);
    client->socket = NULL;
}

void rota_client_close(struct rota_client **out)
{
    struct rota_client *client = out == NULL ? NULL : *out;

    if (client == NULL)
        return;
    *out = NULL;
    hang_up(client);
    if (client->context != NULL)
        zmq_ctx_term(client->context);
    rota_doc_free(&client->info);
    free(client->endpoint);
    free(client);
}

void rota_client_patience(struct rota_client *client, int64_t try_ms, int tries)
{
    client->try_ms = try_ms < 1 ? 1 : try_ms;
    client->tries = tries < 1 ? 1 : tries;
}

void client_new_id(char out[33])
{
    uint8_t random[16];

    random_bytes(random, sizeof random);
    hex_encode(slice_of(random, sizeof random), out);
}

/* ---- one request ---- */

static int dial(struct rota_client *client, struct rota_error *err)
{
    if (client->socket != NULL)
        return 0;
    client->socket = link_dealer(client->context, &client->keys, err);
    if (client->socket == NULL)
        return -1;
    if (zmq_connect(client->socket, client->endpoint) != 0) {
        fail(err, 0, "", "cannot connect to %s: %s", client->endpoint, zmq_strerror(zmq_errno()));
        hang_up(client);
        return -1;
    }
    return 0;
}

static int send_request(struct rota_client *client, const char *service, struct slice body)
{
    struct slice frames[MDP_FRAMES_MAX];
    struct mdp_message message = {.dialect = MDP_01,
                                  .party = MDP_CLIENT,
                                  .verb = MDP_REQUEST,
                                  .service = slice_str(service),
                                  .body = &body,
                                  .body_count = 1};

    return link_send(client->socket, frames, (size_t)mdp_build(&message, frames));
}

/* The three digits before the map, 0 if they are none. */
static int status_of(struct slice digits)
{
    int status = 0;

    if (digits.len != 3)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return 0;
        status = status * 10 + (digits.at[i] - '0');
    }
    return status;
}

/* Gives the status of a reply to `id`; 0 if it is something else. */
static int read_reply(const struct link_message *raw, const char *id, struct rota_doc **reply)
{
    struct mdp_message message;
    struct arena arena = ARENA_EMPTY;
    struct value map = VALUE_NONE;
    const char *why;
    int status = 0;

    if (mdp_parse(raw->frames, (int)raw->count, &message, &why) != 0 ||
        message.party != MDP_CLIENT || message.body_count < 1)
        return 0;
    status = status_of(message.body[0]);
    if (message.body_count > 1 &&
        body_decode(&arena, message.body[1], REPLY_DEPTH_MAX, &map, NULL, NULL) != 0)
        status = 0;
    if (id != NULL && value_get(&map, "id") != NULL && !slice_is(value_get_text(&map, "id"), id))
        status = 0;
    if (status != 0)
        *reply = doc_of(&map);
    arena_release(&arena);
    return status;
}

/* One try: 0 after silence. */
static int try_once(struct rota_client *client, const char *service, const struct buf *body,
                    const char *id, int64_t wait_ms, struct rota_doc **reply)
{
    struct link_message raw = {.count = 0};
    int64_t end_ms = clock_ms() + wait_ms;
    int status = 0;

    if (dial(client, NULL) != 0 || send_request(client, service, buf_slice(body)) != 0)
        goto out;
    while (status == 0) {
        zmq_pollitem_t item = {client->socket, 0, ZMQ_POLLIN, 0};
        int64_t left_ms = end_ms - clock_ms();

        if (left_ms <= 0 || zmq_poll(&item, 1, (long)left_ms) < 0)
            break;
        while (status == 0 && link_receive(client->socket, &raw) == 1)
            status = read_reply(&raw, id, reply);
    }
out:
    link_message_release(&raw);
    if (status == 0)
        hang_up(client); /* a late answer must not meet the next question */
    return status;
}

static void tell(struct rota_error *err, int status, const struct rota_doc *reply)
{
    const struct rota_value *map = rota_doc_value(reply);

    if (status >= 400)
        fail(err, status, rota_text(map, "/code", ""), "%s",
             rota_text(map, "/message", "the engine refused without a reason"));
}

static int ask_for(struct rota_client *client, const char *service, const struct buf *body,
                   const char *id, int64_t wait_ms, struct rota_doc **reply, struct rota_error *err)
{
    int64_t pause_ms = PAUSE_FIRST_MS;
    int status = 0;

    for (int i = 0; i < client->tries; i++) {
        struct rota_doc *answer = NULL;

        if (i > 0) {
            poll(NULL, 0, (int)pause_ms);
            pause_ms = pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms * 2;
        }
        status = try_once(client, service, body, id, wait_ms, &answer);
        if (status == 0)
            continue;
        rota_doc_free(reply);
        *reply = answer;
        if (status != 429 && status != 503)
            break;
    }
    if (status == 0 && *reply != NULL) /* it spoke earlier: that is the better answer */
        status = (int)rota_int(rota_doc_value(*reply), "/status", 503);
    if (status == 0)
        return fail(err, 0, "",
                    "no answer from %s (does the engine run, and does it know this key?)",
                    client->endpoint);
    tell(err, status, *reply);
    return status;
}

int client_ask(struct rota_client *client, const char *service, const struct buf *body,
               const char *id, struct rota_doc **reply, struct rota_error *err)
{
    *reply = NULL;
    return ask_for(client, service, body, id, client->try_ms, reply, err);
}

/* ---- commands and queries ---- */

static struct slice slice_or_none(const char *text)
{
    return text == NULL ? slice_of(NULL, 0) : slice_str(text);
}

static bool args_fit(const struct rota_value *args, int depth_max, struct rota_error *err)
{
    if (args == NULL ||
        (value_in(args)->type == VALUE_MAP && value_is_shallow(value_in(args), depth_max)))
        return true;
    fail(err, 400, "malformed", "args must be a map, nested at most %d deep", depth_max);
    return false;
}

int rota_command(struct rota_client *client, const struct rota_command *command,
                 struct rota_doc **reply, struct rota_error *err)
{
    struct buf body = BUF_EMPTY;
    char fresh[33];
    const char *id = command->id;
    struct command out = {.v = WIRE_VERSION_MAX,
                          .command = slice_str(command->command),
                          .record = slice_or_none(command->record),
                          .has_if_revision = command->if_revision >= 0,
                          .if_revision = command->if_revision,
                          .deadline_ms = command->deadline_ms,
                          .on_behalf_of = slice_or_none(command->on_behalf_of),
                          .has_signature = command->signature != NULL};
    int status;

    if (!args_fit(command->args, COMMAND_DEPTH_MAX - 1, err))
        return -1;
    if (id == NULL) {
        client_new_id(fresh);
        id = fresh;
    }
    out.id = slice_str(id);
    out.args = command->args == NULL ? value_map() : *value_in(command->args);
    if (command->signature != NULL)
        memcpy(out.signature, command->signature, SIGNATURE_LEN);
    command_encode(&body, &out, false);
    status = client_ask(client, "rota.command.v1", &body, id, reply, err);
    buf_release(&body);
    return status;
}

int rota_query(struct rota_client *client, const char *query, const struct rota_value *args,
               struct rota_doc **reply, struct rota_error *err)
{
    struct buf body = BUF_EMPTY;
    char id[33];
    struct query out = {.v = WIRE_VERSION_MAX, .query = slice_str(query)};
    int status;

    if (!args_fit(args, COMMAND_DEPTH_MAX - 1, err))
        return -1;
    client_new_id(id);
    out.id = slice_str(id);
    out.args = args == NULL ? value_map() : *value_in(args);
    query_encode(&body, &out, false);
    status = client_ask(client, "rota.query.v1", &body, id, reply, err);
    buf_release(&body);
    return status;
}

int rota_carry(struct rota_client *client, const struct rota_value *command,
               struct rota_doc **reply, struct rota_error *err)
{
    struct buf body = BUF_EMPTY;
    int status;

    if (rota_type(command) != ROTA_MAP || !value_is_shallow(value_in(command), COMMAND_DEPTH_MAX))
        return fail(err, 400, "malformed", "a command is a map, nested at most %d deep",
                    COMMAND_DEPTH_MAX);
    body_encode(&body, value_in(command), false);
    status =
        client_ask(client, "rota.command.v1", &body, rota_text(command, "/id", NULL), reply, err);
    buf_release(&body);
    return status;
}

/* ---- content ---- */

static void fill_part(struct rota_doc *args, struct slice data, const char *upload, int part,
                      bool is_last, const uint8_t salt[16])
{
    rota_put_bytes(args, "/data", data.at, data.len);
    if (is_last)
        rota_put_bytes(args, "/salt", salt, 16);
    if (upload == NULL)
        return;
    rota_put_text(args, "/upload", upload);
    rota_put_int(args, "/part", part);
    if (is_last)
        rota_put_bool(args, "/last", true);
}

/* Every part is a command of its own with an id of its own, so that each may be sent again. */
static int put_part(struct rota_client *client, struct rota_doc *args, struct rota_doc **reply,
                    struct rota_error *err)
{
    struct rota_command command = ROTA_COMMAND_INIT;
    int status;

    command.command = "content.put";
    command.args = rota_doc_value(args);
    rota_doc_free(reply);
    status = rota_command(client, &command, reply, err);
    return status >= 200 && status < 300 ? 0 : -1;
}

int rota_upload(struct rota_client *client, const void *at, size_t len,
                unsigned char content[ROTA_CONTENT_LEN], struct rota_error *err)
{
    struct rota_doc *reply = NULL;
    uint8_t salt[16], expected[HASH_LEN];
    const unsigned char *got;
    char upload[33];
    size_t done = 0, got_len;
    int part = 0, rc = 0;

    random_bytes(salt, sizeof salt);
    client_new_id(upload);
    hash_content(salt, slice_of(at, len), expected);
    do {
        struct rota_doc *args = rota_doc_new();
        size_t step = len - done < PART_BYTES ? len - done : PART_BYTES;
        bool is_last = done + step == len;

        fill_part(args, slice_of((const uint8_t *)at + done, step),
                  len > PART_BYTES ? upload : NULL, part++, is_last, salt);
        rc = put_part(client, args, &reply, err);
        rota_doc_free(&args);
        done += step;
    } while (rc == 0 && done < len);
    if (rc == 0) {
        got = rota_bytes(rota_doc_value(reply), "/out/content", &got_len);
        if (got_len == sizeof expected && memcmp(got, expected, sizeof expected) == 0)
            memcpy(content, expected, sizeof expected);
        else
            rc = fail(err, 0, "", "the engine stored other bytes than were sent");
    }
    rota_doc_free(&reply);
    return rc;
}

/* ---- events ---- */

struct following { /* of rota_follow */
    rota_event_fn *fn;
    void *self;
    int64_t from; /* the next sequence to hand out */
    bool is_over; /* `fn` has had enough */
};

/* An event comes as the bytes that were published live (so that both are the same), or as a map
 * from an engine that answers in JSON; owned, NULL if it is neither. */
static struct rota_doc *read_event(const struct value *item)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = VALUE_NONE;
    struct rota_doc *event = NULL;

    if (item->type == VALUE_MAP)
        event = doc_of(item);
    else if (item->type == VALUE_BIN &&
             body_decode(&arena, value_slice(item), REPLY_DEPTH_MAX, &map, NULL, NULL) == 0)
        event = doc_of(&map);
    arena_release(&arena);
    return event;
}

static void hand_out_one(struct following *following, const struct rota_doc *event)
{
    int64_t seq = rota_int(rota_doc_value(event), "/sequence", -1);

    if (seq < following->from)
        return;
    following->is_over = following->fn(following->self, rota_doc_value(event)) != 0;
    following->from = seq + 1;
}

static void hand_out(struct following *following, const struct rota_value *out)
{
    const struct rota_value *events = rota_at(out, "/events");
    int64_t next = rota_int(out, "/next", -1);

    for (size_t i = 0; i < rota_count(events) && !following->is_over; i++) {
        struct rota_doc *event = read_event(value_in(rota_item(events, i)));

        hand_out_one(following, event);
        rota_doc_free(&event);
    }
    if (!following->is_over && next > following->from)
        following->from = next; /* what a filter left out */
}

static void events_body(struct buf *body, int64_t from, const struct rota_value *filter,
                        int64_t wait_ms)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = value_map();

    value_set(&arena, &map, "v", value_int(WIRE_VERSION_MAX));
    value_set(&arena, &map, "from", value_int(from));
    value_set(&arena, &map, "max", value_int(FOLLOW_MAX));
    value_set(&arena, &map, "wait_ms", value_int(wait_ms));
    if (filter != NULL)
        value_set(&arena, &map, "filter", *value_in(filter));
    buf_clear(body);
    body_encode(body, &map, false);
    arena_release(&arena);
}

int64_t rota_follow(struct rota_client *client, int64_t from, const struct rota_value *filter,
                    rota_event_fn *fn, void *self, const volatile int *stop, struct rota_error *err)
{
    struct following following = {fn, self, from, false};
    int64_t wait_ms = client->try_ms < FOLLOW_WAIT_MS ? client->try_ms : FOLLOW_WAIT_MS;
    struct buf body = BUF_EMPTY;
    bool is_refused = false;

    while (!following.is_over && !is_refused && (stop == NULL || *stop == 0)) {
        struct rota_doc *reply = NULL;
        const struct rota_value *map;
        int status;

        events_body(&body, following.from, filter, wait_ms);
        status =
            ask_for(client, "rota.events.v1", &body, NULL, wait_ms + client->try_ms, &reply, err);
        map = rota_doc_value(reply);
        is_refused = status >= 400 && status != 429 && status != 503;
        if (status >= 200 && status < 300)
            hand_out(&following, rota_at(map, "/out") != NULL ? rota_at(map, "/out") : map);
        rota_doc_free(&reply);
    }
    buf_release(&body);
    return is_refused ? -1 : following.from;
}
