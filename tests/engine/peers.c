#include "peers.h"

#include "core/leaf.h"
#include "wire/body.h"
#include "wire/json.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum { JSON_MOST_DEPTH = 32, UNTIL_EVERY_MS = 10 };

/* ---- sockets ---- */

static void *connected(struct house *house, int type, const char *endpoint,
                       const struct keyfile *key)
{
    void *socket = house_socket(house, type);
    struct keyfile engine;
    struct error err;
    int none = 0, soon = 5;

    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &soon, sizeof soon);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    if (key != NULL) {
        if (keyfile_load(house_path(house, "keys/engine.pub"), &engine, &err) != 0)
            house_fail(house, "%s", err.text);
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, engine.curve_public, CURVE_KEY_LEN);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key->curve_public, CURVE_KEY_LEN);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->curve_secret, CURVE_KEY_LEN);
    }
    if (zmq_connect(socket, endpoint) != 0)
        house_fail(house, "%s: %s", endpoint, zmq_strerror(errno));
    return socket;
}

static void *dealer(struct house *house, const char *endpoint, const struct keyfile *key)
{
    return connected(house, ZMQ_DEALER, endpoint, key);
}

static const char *endpoint_of(struct house *house, const char *name)
{
    return arena_printf(&house->arena, "ipc://%s/run/%s", house->directory, name);
}

static void load_key(struct house *house, const char *name, struct keyfile *key)
{
    struct error err;

    if (keyfile_load(arena_printf(&house->arena, "%s/keys/%s.key", house->directory, name), key,
                     &err) != 0)
        house_fail(house, "%s", err.text);
}

static void send_frames(void *socket, const struct slice *frames, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(
            zmq_send(socket, frames[i].at, frames[i].len, i < count - 1 ? ZMQ_SNDMORE : 0),
            (int)frames[i].len);
}

/* A whole message, its frames copied to the arena; the count, or 0 if none comes. */
static int receive(struct house *house, void *socket, int64_t patience_ms,
                   struct slice frames[MDP_FRAMES_MAX])
{
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    int count = 0, more = 1;

    if (zmq_poll(&item, 1, (long)patience_ms) != 1)
        return 0;
    while (more) {
        zmq_msg_t frame;

        zmq_msg_init(&frame);
        assert_true(zmq_msg_recv(&frame, socket, 0) >= 0);
        more = zmq_msg_more(&frame);
        assert_true(count < MDP_FRAMES_MAX);
        frames[count].len = zmq_msg_size(&frame);
        frames[count].at =
            (const uint8_t *)arena_copy(&house->arena, zmq_msg_data(&frame), frames[count].len);
        count++;
        zmq_msg_close(&frame);
    }
    return count;
}

/* ---- readers of the feed ---- */

void *reader_new(struct client *client, const char *topic)
{
    struct house *house = client->house;
    void *socket = connected(house, ZMQ_SUB, endpoint_of(house, "feed"), &client->key);

    assert_int_equal(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic)), 0);
    return socket;
}

int reader_hears(struct house *house, void *reader, struct slice frames[MDP_FRAMES_MAX])
{
    return receive(house, reader, PATIENCE_MS, frames);
}

/* ---- clients ---- */

struct client *client_at(struct house *house, const char *name, const char *endpoint,
                         const struct keyfile *key)
{
    struct client *client = calloc(1, sizeof *client);

    assert_non_null(client);
    client->house = house;
    snprintf(client->name, sizeof client->name, "%s", name);
    if (key != NULL)
        client->key = *key;
    client->socket = dealer(house, endpoint, key);
    return client;
}

struct client *client_new(struct house *house, const char *name)
{
    struct keyfile key;

    load_key(house, name, &key);
    return client_at(house, name, endpoint_of(house, "front"), &key);
}

void client_free(struct client **client)
{
    if (*client == NULL)
        return;
    house_socket_close((*client)->house, (*client)->socket);
    buf_release(&(*client)->origin);
    free(*client);
    *client = NULL;
}

void client_reconnect(struct client *client)
{
    house_socket_close(client->house, client->socket);
    client->socket = dealer(client->house, endpoint_of(client->house, "front"), &client->key);
}

void client_sends(struct client *client, const struct slice *frames, int count)
{
    send_frames(client->socket, frames, count);
}

void client_asks(struct client *client, const char *service, struct slice body)
{
    struct slice frames[4] = {slice_str(""), slice_str("MDPC01"), slice_str(service), body};

    client_sends(client, frames, 4);
}

struct answer client_hears(struct client *client, int64_t patience_ms)
{
    struct slice frames[MDP_FRAMES_MAX];
    int count = receive(client->house, client->socket, patience_ms, frames);
    struct answer answer = {0};
    struct error err;

    if (count == 0)
        return answer;
    if (count < 4 || !slice_is(frames[1], "MDPC01") || frames[3].len != 3)
        house_fail(client->house, "an answer of %d frames is none of a Majordomo broker", count);
    answer.came = true;
    answer.digits = atoi((const char *)frames[3].at);
    if (count > 4 && reply_decode(&client->house->arena, frames[4], &answer.said, &err) != 0)
        house_fail(client->house, "the reply to %s cannot be read: %s", client->name, err.text);
    return answer;
}

struct answer ask_bytes(struct client *client, const char *service, struct slice body)
{
    struct answer answer;

    client_asks(client, service, body);
    answer = client_hears(client, PATIENCE_MS);
    if (!answer.came)
        house_fail(client->house, "no answer to %s of %s", service, client->name);
    return answer;
}

struct slice packed(struct house *house, const char *json)
{
    struct buf bytes = BUF_EMPTY;
    struct value value;
    struct error err;
    struct slice out;

    if (json_to_value(&house->arena, slice_str(json), JSON_MOST_DEPTH, &value, &err) != 0)
        house_fail(house, "the test's own JSON cannot be read: %s: %s", err.text, json);
    body_encode(&bytes, &value, false);
    out = slice_of(arena_copy(&house->arena, bytes.at, bytes.len), bytes.len);
    buf_release(&bytes);
    return out;
}

struct answer ask_json(struct client *client, const char *service, const char *json)
{
    return ask_bytes(client, service, packed(client->house, json));
}

struct answer query(struct client *client, const char *name, const char *args_json)
{
    return ask_json(client, "rota.query.v1",
                    arena_printf(&client->house->arena, "{\"v\":1,\"query\":\"%s\",\"args\":%s}",
                                 name, args_json));
}

const char *new_id(struct house *house)
{
    static int number;

    return arena_printf(&house->arena, "test.%08d.%08x", ++number, (unsigned)getpid());
}

struct answer command_with(struct client *client, const char *id, const char *name,
                           const char *record, const char *args_json)
{
    struct arena *arena = &client->house->arena;
    const char *about = record == NULL ? "" : arena_printf(arena, ",\"record\":\"%s\"", record);

    return ask_json(client, "rota.command.v1",
                    arena_printf(arena, "{\"v\":1,\"id\":\"%s\",\"command\":\"%s\"%s,\"args\":%s}",
                                 id, name, about, args_json));
}

struct answer command(struct client *client, const char *name, const char *record,
                      const char *args_json)
{
    return command_with(client, new_id(client->house), name, record, args_json);
}

void expect(const struct client *client, const struct answer *answer, int digits, const char *code)
{
    if (answer->digits == digits && slice_is(answer->said.code, code) &&
        (answer->said.status == digits || answer->said.status == 0))
        return;
    house_fail(client->house, "%s was told %d %.*s \"%.*s\" (status %d), not %d %s", client->name,
               answer->digits, (int)answer->said.code.len, (const char *)answer->said.code.at,
               (int)answer->said.message.len, (const char *)answer->said.message.at,
               answer->said.status, digits, code);
}

void told(const struct client *client, struct answer answer, int digits, const char *code)
{
    expect(client, &answer, digits, code);
}

const char *out_text(const struct client *client, const struct answer *answer, const char *key)
{
    return value_get_str(&answer->said.out, key, "", &client->house->arena);
}

/* ---- decisions ---- */

static struct slice origin_of(struct client *client)
{
    if (client->origin.len == 0) {
        struct answer info = query(client, "info", "{}");

        buf_add_slice(&client->origin, value_get_text(&info.said.out, "origin"));
    }
    return buf_slice(&client->origin);
}

static struct value hash_value(struct arena *arena, struct slice bytes)
{
    uint8_t *hash = arena_take(arena, HASH_LEN);

    hash_bytes(bytes, hash);
    return value_bin(hash, HASH_LEN);
}

/* What was prepared is signed, over `args` and what a signed decision carries besides. */
static void fill_ballot(struct client *client, const struct value *facts, const struct value *args,
                        struct ballot *out)
{
    static const char *const parts[] = {"meaning", "digest", "round", "under"};
    struct arena *arena = &client->house->arena;

    out->id = new_id(client->house);
    out->args = value_copy(arena, args);
    out->type = value_get_text(facts, "type");
    out->stream = value_get_text(facts, "stream");
    out->rev = value_get_int(facts, "rev", 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (value_get(facts, parts[i]) != NULL)
            value_set(arena, &out->args, parts[i], *value_get(facts, parts[i]));
    value_set(arena, &out->args, "statement",
              hash_value(arena, value_get_text(facts, "statement")));
    value_set(arena, &out->args, "key",
              hash_value(arena, slice_of(client->key.sign_public, SIGN_KEY_LEN)));
    ballot_sign(client, out);
}

void ballot_prepare(struct client *client, const char *record, const char *event,
                    struct ballot *out)
{
    struct value none = value_map();
    struct answer said = query(
        client, "prepare",
        arena_printf(&client->house->arena, "{\"record\":\"%s\",\"event\":\"%s\"}", record, event));

    expect(client, &said, 200, "");
    *out = (struct ballot){.event = event, .record = record};
    fill_ballot(client, &said.said.out, &none, out);
}

void agreement_prepare(struct client *client, int64_t proposal, struct ballot *out)
{
    struct answer said =
        query(client, "prepare",
              arena_printf(&client->house->arena, "{\"proposal\":%lld}", (long long)proposal));

    expect(client, &said, 200, "");
    *out = (struct ballot){.event = out_text(client, &said, "command"), .record = ""};
    fill_ballot(client, &said.said.out, value_get(&said.said.out, "args"), out);
}

void agree(struct house *house, const char *who, const struct answer *answer)
{
    struct client *client = client_new(house, who);
    struct ballot ballot;
    struct answer agreed;

    agreement_prepare(client, value_get_int(&answer->said.out, "proposal", 0), &ballot);
    agreed = ballot_cast(client, &ballot);
    expect(client, &agreed, 200, "");
    client_free(&client);
}

void ballot_sign(struct client *client, struct ballot *ballot)
{
    struct buf message = BUF_EMPTY;
    struct value content = VALUE_NONE;
    uint8_t id[COMMAND_ID_LEN];

    hash_command_id(slice_str(client->name), slice_str(ballot->id), id);
    assert_int_equal(leaf_contents(&client->house->arena, &ballot->args, &content), 0);
    leaf_command_message(&message, origin_of(client), id, ballot->type, ballot->stream,
                         (uint64_t)ballot->rev, slice_str(client->name), &ballot->args, &content);
    sign_message(client->key.sign_seed, buf_slice(&message), ballot->signature);
    buf_release(&message);
}

struct answer ballot_cast(struct client *client, const struct ballot *ballot)
{
    return ballot_brought(client, "", ballot);
}

struct answer ballot_brought(struct client *client, const char *whose, const struct ballot *ballot)
{
    struct command said = {.v = 1,
                           .id = slice_str(ballot->id),
                           .command = slice_str(ballot->event),
                           .record = slice_str(ballot->record),
                           .on_behalf_of = slice_str(whose),
                           .args = ballot->args,
                           .has_signature = true};
    struct buf body = BUF_EMPTY;
    struct answer answer;

    memcpy(said.signature, ballot->signature, SIGNATURE_LEN);
    command_encode(&body, &said, false);
    answer = ask_bytes(client, "rota.command.v1", buf_slice(&body));
    buf_release(&body);
    return answer;
}

void approve(struct house *house, const char *who, const char *record)
{
    struct client *client = client_new(house, who);
    struct ballot ballot;
    struct answer answer;

    ballot_prepare(client, record, "approve", &ballot);
    answer = ballot_cast(client, &ballot);
    expect(client, &answer, 200, "");
    client_free(&client);
}

/* ---- workers ---- */

void worker_says(struct worker *worker, const struct slice *frames, int count)
{
    send_frames(worker->socket, frames, count);
}

void worker_ready(struct worker *worker)
{
    struct slice frames[4] = {slice_str(""), slice_str("MDPW01"), slice_str("\1"),
                              slice_str(worker->service)};

    worker_says(worker, frames, 4);
}

void worker_beats(struct worker *worker)
{
    struct slice frames[3] = {slice_str(""), slice_str("MDPW01"), slice_str("\4")};

    worker_says(worker, frames, 3);
}

/* As every worker of the Guide: a new socket, and READY. */
static void worker_connect(struct worker *worker)
{
    int linger_ms = 500; /* a result on its way is not lost with the socket */

    if (worker->socket != NULL) {
        zmq_setsockopt(worker->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
        house_socket_close(worker->house, worker->socket);
    }
    worker->socket = dealer(worker->house, endpoint_of(worker->house, "front"), &worker->key);
    worker_ready(worker);
}

struct worker *worker_new(struct house *house, const char *principal, const char *service)
{
    struct worker *worker = calloc(1, sizeof *worker);

    assert_non_null(worker);
    worker->house = house;
    snprintf(worker->principal, sizeof worker->principal, "%s", principal);
    snprintf(worker->service, sizeof worker->service, "%s", service);
    load_key(house, principal, &worker->key);
    worker_connect(worker);
    return worker;
}

void worker_free(struct worker **worker)
{
    if (*worker == NULL)
        return;
    house_socket_close((*worker)->house, (*worker)->socket);
    free(*worker);
    *worker = NULL;
}

static struct work take_work(struct worker *worker, const struct slice *frames, int count)
{
    struct work work = {.came = true};

    if (count != 6 || frames[3].len == 0 || frames[3].len >= sizeof work.token ||
        frames[4].len != 0)
        house_fail(worker->house, "a task of %d frames", count);
    memcpy(work.token, frames[3].at, frames[3].len);
    work.input = frames[5];
    worker->tasks++;
    return work;
}

struct work worker_hears(struct worker *worker, int64_t patience_ms)
{
    struct slice frames[MDP_FRAMES_MAX];
    int64_t until = boot_ms() + patience_ms, left;
    int count;

    while ((left = until - boot_ms()) >= 0 &&
           (count = receive(worker->house, worker->socket, left, frames)) > 0) {
        if (count < 3 || !slice_is(frames[1], "MDPW01"))
            house_fail(worker->house, "the engine speaks another dialect to a worker of 0.1");
        if (slice_is(frames[2], "\2"))
            return take_work(worker, frames, count);
        if (slice_is(frames[2], "\4")) {
            worker_beats(worker);
        } else {
            worker->farewells++;
            worker_connect(worker);
        }
    }
    return (struct work){0};
}

void worker_replies(struct worker *worker, const char *token, const char *output)
{
    struct slice frames[6] = {slice_str(""),    slice_str("MDPW01"), slice_str("\3"),
                              slice_str(token), slice_str(""),       slice_str(output)};

    worker_says(worker, frames, 6);
}

/* ---- waiting for the engine to see something ---- */

static int workers_of(struct client *client, const char *service)
{
    struct answer said = query(client, "workers", "{}");
    const struct value *list = value_get(&said.said.out, "workers");
    int count = 0;

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        count += slice_is(value_get_text(&list->as.items[i], "service"), service);
    return count;
}

void until_workers(struct client *client, const char *service, int count)
{
    int64_t until = boot_ms() + PATIENCE_MS;

    while (workers_of(client, service) != count) {
        if (boot_ms() > until)
            house_fail(client->house, "%d workers serve %s, not %d", workers_of(client, service),
                       service, count);
        poll(NULL, 0, UNTIL_EVERY_MS);
    }
}

int entries_of(struct client *client, const char *record, const char *type)
{
    struct answer said =
        query(client, "log",
              arena_printf(&client->house->arena, "{\"record\":\"%s\",\"limit\":500}", record));
    const struct value *list = value_get(&said.said.out, "entries");
    int count = 0;

    expect(client, &said, 200, "");
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        count += slice_is(value_get_text(&list->as.items[i], "type"), type);
    return count;
}

void until_entries(struct client *client, const char *record, const char *type, int count)
{
    int64_t until = boot_ms() + PATIENCE_MS;

    while (entries_of(client, record, type) < count) {
        if (boot_ms() > until)
            house_fail(client->house, "%s has %d entries of %s, not %d", record,
                       entries_of(client, record, type), type, count);
        poll(NULL, 0, UNTIL_EVERY_MS);
    }
    assert_int_equal(entries_of(client, record, type), count);
}

/* ---- a document ---- */

const char *document_submitted(struct client *ines)
{
    struct house *house = ines->house;
    struct buf said = BUF_EMPTY;

    assert_int_equal(house_rota(house, &said, "--as", "ines", "open", "--from",
                                house_path(house, "sample/interested_parties.cfg"), NULL),
                     0);
    buf_release(&said);
    told(ines, command(ines, "submit", "IPR-0001@1.0", "{}"), 200, "");
    return "IPR-0001@1.0";
}

/* ---- an audit ---- */

const char *audit_opened(struct client *tomas, const char *host)
{
    struct answer answer = command(
        tomas, "open", NULL,
        arena_printf(
            &tomas->house->arena,
            "{\"kind\":\"audit\",\"title\":\"Audit of %s\",\"fields\":{\"objectives\":\"o\","
            "\"criteria\":[\"A.8.8\"],\"scope\":\"s\",\"auditors\":[\"tomas\",\"yuki\"],"
            "\"auditee_owner\":\"pavel\",\"cause\":\"c\",\"planned_start\":\"2031-01-06\","
            "\"planned_end\":\"2031-01-10\",\"collect_from\":\"%s\"}}",
            host, host));

    expect(tomas, &answer, 200, "");
    return out_text(tomas, &answer, "record");
}

const char *audit_planned(struct client *tomas, const char *host)
{
    const char *audit = audit_opened(tomas, host);
    struct answer answer = command(tomas, "approve_plan", audit, "{}");

    expect(tomas, &answer, 200, "");
    return audit;
}

void audit_begin(struct client *tomas, const char *audit)
{
    struct answer answer = command(tomas, "begin", audit, "{}");

    expect(tomas, &answer, 200, "");
}
