/* Security cases against the real programs: SEC-1 to SEC-6, SEC-8, SEC-9, and what an external auditor may. SEC-10 is
 * test_bad_input.c.
 *
 * Each attempt is refused, is in the journal where a rule refused it, and leaves everything else as it was: every row of
 * the stored state (house_state) is byte for byte the same, but for the one that counts refusals, and the journal has the
 * refusal more and nothing else.
 */
#include "peers.h"

#include "base/dmp.h"
#include "base/hash.h"
#include "wire/json.h"
#include "wire/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

static struct house *house;
static struct client *tomas, *ines, *bo, *amara;
static char audit[97], document[97]; /* planned by tomas; written and submitted by ines */

static const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text(const char *format, ...)
{
    va_list args;
    char *out;

    va_start(args, format);
    out = arena_vprintf(&house->arena, format, args);
    va_end(args);
    return out;
}

/* ---- what must not change ---- */

struct picture {
    uint64_t size, refusals; /* leaves; those of `who` */
    const char *who;
    uint8_t hash[HASH_LEN];
};

static uint64_t journal_size(void)
{
    struct answer info = query(tomas, "info", "{}");

    return (uint64_t)value_get_int(&info.said.out, "size", 0);
}

static const struct value *refusals_of(const char *who)
{
    struct answer *said = arena_take(&house->arena, sizeof *said);

    *said = query(tomas, "log", text("{\"stream\":\"refusal/%s\",\"limit\":500}", who));
    expect(tomas, said, 200, "");
    return value_get(&said->said.out, "entries");
}

static struct picture look(const char *who)
{
    struct picture picture = {journal_size(), refusals_of(who)->count, who, {0}};

    house_state(house, who, picture.hash);
    return picture;
}

/* So many refusals by that rule are in the journal since, under the name of who tried; nothing else is new. */
static void only_refused(struct picture before, int times, const char *code)
{
    struct picture after = look(before.who);
    const struct value *list = refusals_of(before.who);
    struct slice type = list->count > 0 ? value_get_text(&list->as.items[list->count - 1], "type")
                                        : slice_of(NULL, 0);

    assert_int_equal(after.size - before.size, times);
    assert_int_equal(after.refusals - before.refusals, times);
    if (times > 0)
        assert_true(slice_is(type, text("refusal.%s", code)));
    assert_memory_equal(after.hash, before.hash, HASH_LEN);
}

static void nothing_happened(struct picture before)
{
    only_refused(before, 0, "");
}

/* Waits (bounded) until the stream has so many entries: the engine writes them by itself. */
static void until_entries_of_stream(const char *stream, uint64_t count)
{
    for (int tries = 0; tries < 1000; tries++) {
        struct answer said =
            query(tomas, "log", text("{\"stream\":\"%s\",\"limit\":1000}", stream));

        expect(tomas, &said, 200, "");
        if (value_get(&said.said.out, "entries")->count >= count)
            return;
    }
    house_fail(house, "%s did not come to %d entries", stream, (int)count);
}

/* ---- the stage ---- */

static int begin_house(void **state)
{
    (void)state;
    house = house_new();
    house_set(house, "heartbeat_ms", "200");
    house_start(house);
    tomas = client_new(house, "tomas");
    ines = client_new(house, "ines");
    bo = client_new(house, "bo");
    amara = client_new(house, "amara");
    snprintf(audit, sizeof audit, "%s", audit_opened(tomas, "h"));
    snprintf(document, sizeof document, "%s", document_submitted(ines));
    return 0;
}

static int end_house(void **state)
{
    (void)state;
    client_free(&tomas);
    client_free(&ines);
    client_free(&bo);
    client_free(&amara);
    house_free(&house);
    return 0;
}

/* The next test's refusals are in an hour of their own. */
static int an_hour_later(void **state)
{
    (void)state;
    house_advance(house, 3600000);
    return 0;
}

static const char *transport_of(const struct keyfile *key)
{
    char hex[2 * CURVE_KEY_LEN + 1];

    hex_encode(slice_of(key->curve_public, CURVE_KEY_LEN), hex);
    return text("hex:%s", hex);
}

/* An entry of the directory is replaced, as ines proposes and henrik agrees; `facts` begins with a comma or is empty. */
static void entered(const char *name, const char *kind, const char *facts)
{
    struct answer proposed =
        command(ines, "directory.install", NULL,
                text("{\"people\":[{\"name\":\"%s\",\"kind\":\"%s\"%s}]}", name, kind, facts));

    told(ines, proposed, 200, "");
    agree(house, "henrik", &proposed);
}

static const uint8_t salt[16] = {7};

static const char *content_hash(const char *what)
{
    char name[2 * HASH_LEN + 1];
    uint8_t hash[HASH_LEN];

    hash_content(salt, slice_str(what), hash);
    hex_encode(slice_of(hash, HASH_LEN), name);
    return text("\"hex:%s\"", name);
}

/* A text goes up; gives how a command names it. */
static const char *content_of(struct client *client, const char *what)
{
    char *data = arena_take(&house->arena, 2 * strlen(what) + 1), in_hex[33];

    hex_encode(slice_str(what), data);
    hex_encode(slice_of(salt, sizeof salt), in_hex);
    told(client,
         command(client, "content.put", NULL,
                 text("{\"data\":\"hex:%s\",\"salt\":\"hex:%s\"}", data, in_hex)),
         200, "");
    return text("{\"content\":%s,\"size\":%zu}", content_hash(what), strlen(what));
}

static struct slice packed_info(void)
{
    return packed(house, "{\"v\":1,\"query\":\"info\"}");
}

/* ---- SEC-1 ---- */

static void SEC_1_without_a_key_or_with_an_unknown_one_nobody_is_heard(void **state)
{
    const char *front = text("ipc://%s/run/front", house->directory);
    struct keyfile key = {.name = "nobody"};
    struct picture before = look("bo");
    struct client *open, *unknown;

    (void)state;
    assert_int_equal(keyfile_new_curve(&key, NULL), 0);
    open = client_at(house, "open", front, NULL);
    unknown = client_at(house, "unknown", front, &key);
    client_asks(open, "rota.query.v1", packed_info());
    client_asks(unknown, "rota.query.v1", packed_info());
    assert_false(client_hears(open, 200).came);
    assert_false(client_hears(unknown, 100).came);
    nothing_happened(before);
    client_free(&open);
    client_free(&unknown);
}

static void SEC_1_a_key_removed_while_connected_has_no_rights_at_once(void **state)
{
    struct client *nina = client_new(house, "nina"), *again;
    const char *roles = ",\"roles\":[\"employee\"],\"manager\":\"sofia\"";
    struct picture before;

    (void)state;
    told(nina, query(nina, "info", "{}"), 200, "");
    entered("nina", "person", roles);
    before = look("nina");
    told(nina, query(nina, "info", "{}"), 401, "no-principal");
    told(nina, query(nina, "workers", "{}"), 401, "no-principal");
    told(nina, command(nina, "edit", audit, "{\"set\":{\"scope\":\"x\"}}"), 401, "no-principal");
    told(nina, ask_json(nina, "rota.events.v1", "{\"v\":1,\"from\":0}"), 401, "no-principal");
    again = client_new(house, "nina");
    client_asks(again, "rota.query.v1", packed_info());
    assert_false(client_hears(again, 200).came);
    nothing_happened(before);
    client_free(&again);
    entered("nina", "person", text("%s,\"transport\":[\"%s\"]", roles, transport_of(&nina->key)));
    told(nina, query(nina, "info", "{}"), 200, "");
    client_free(&nina);
}

/* Rights that ended on a date end on a live connection too, for every service. */
static void SEC_1_rights_that_have_ended_are_no_rights(void **state)
{
    struct client *nina = client_new(house, "nina");
    const char *facts = text(",\"roles\":[\"employee\"],\"transport\":[\"%s\"],\"not_after\":1",
                             transport_of(&nina->key));
    struct picture before;

    (void)state;
    entered("nina", "person", facts);
    before = look("nina");
    told(nina, query(nina, "list", "{}"), 403, "not-allowed");
    told(nina, query(nina, "workers", "{}"), 403, "not-allowed");
    told(nina, query(nina, "status", "{}"), 403, "not-allowed");
    told(nina, ask_json(nina, "rota.events.v1", "{\"v\":1,\"from\":0}"), 403, "not-allowed");
    told(nina,
         command(nina, "content.put", NULL,
                 "{\"data\":\"hex:00\",\"salt\":\"hex:00112233445566778899aabbccddeeff\"}"),
         403, "not-allowed");
    told(nina, command(nina, "edit", audit, "{\"set\":{\"scope\":\"x\"}}"), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    client_free(&nina);
}

/* ---- SEC-2 ---- */

static void SEC_2_an_engine_whose_zap_handler_is_not_there_does_not_start(void **state)
{
    struct house *blind = house_new();
    uint8_t before[HASH_LEN], after[HASH_LEN];
    char said[4096];
    int status;

    (void)state;
    house_state(blind, "", before);
    setenv("LD_PRELOAD", house_program(blind, "tests/engine/peers/no_zap.so"), 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    status = house_start_refused(blind, said);
    unsetenv("LD_PRELOAD");
    unsetenv("ASAN_OPTIONS");
    print_message("%s\n", said);
    assert_true(status != 0);
    assert_null(strstr(said, "ready\n"));
    assert_true(strstr(said, "an unknown key was let in") != NULL ||
                strstr(said, "could not prove") != NULL);
    house_state(blind, "", after);
    assert_memory_equal(after, before, HASH_LEN);
    house_free(&blind);
}

/* ---- SEC-3 ---- */

/* A socket with somebody's key under a routing id that the peer chose. */
static void *named_socket(const char *who, const char *routing_id)
{
    void *socket = house_socket(house, ZMQ_DEALER);
    struct keyfile engine, key;
    int none = 0;

    assert_int_equal(keyfile_load(house_path(house, "keys/engine.pub"), &engine, NULL), 0);
    assert_int_equal(keyfile_load(house_path(house, text("keys/%s.key", who)), &key, NULL), 0);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_ROUTING_ID, routing_id, strlen(routing_id));
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, engine.curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key.curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key.curve_secret, CURVE_KEY_LEN);
    assert_int_equal(zmq_connect(socket, text("ipc://%s/run/front", house->directory)), 0);
    return socket;
}

/* The socket of a client is exchanged for one with that routing id. */
static void take_name(struct client *client, const char *routing_id)
{
    house_socket_close(house, client->socket);
    client->socket = named_socket(client->name, routing_id);
}

static void SEC_3_a_routing_id_gives_nobody_elses_rights(void **state)
{
    struct client *lead = client_new(house, "tomas"), *thief = client_new(house, "bo");
    struct picture before;
    bool is_heard = false;

    (void)state;
    take_name(lead, "the-lead");
    told(lead, query(lead, "info", "{}"), 200, "");
    take_name(thief, "the-lead");
    before = look("bo");
    /* The lead is connected: who comes second under the id is not heard, and hears nothing. */
    client_asks(thief, "rota.query.v1", packed_info());
    assert_false(client_hears(thief, 200).came);
    told(lead, query(lead, "info", "{}"), 200, "");
    assert_false(client_hears(thief, 50).came);
    nothing_happened(before);
    /* The lead has gone: as soon as the engine has noticed, the id is free, and still gives nothing. */
    client_free(&lead);
    for (int tries = 0; !is_heard; tries++) {
        assert_true(tries < 50);
        take_name(thief, "the-lead");
        client_asks(thief, "rota.query.v1", packed_info());
        is_heard = client_hears(thief, 200).came;
    }
    before = look("bo");
    told(thief, command(thief, "approve_plan", audit, "{}"), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    client_free(&thief);
}

static void SEC_3_a_routing_id_gives_nobody_elses_lease(void **state)
{
    struct worker *collector = worker_new(house, "collector", "audit.collect");
    struct worker *thief = worker_new(house, "exec-worker", "exec.steal");
    const char *planned = audit_planned(tomas, "third");
    struct picture before;
    struct work work;

    (void)state;
    house_socket_close(house, collector->socket);
    collector->socket = named_socket("collector", "the-collector");
    worker_ready(collector);
    until_workers(tomas, "audit.collect", 1);
    audit_begin(tomas, planned);
    work = worker_hears(collector, PATIENCE_MS);
    assert_true(work.came);
    before = look("exec-worker");
    house_socket_close(house, thief->socket);
    thief->socket = named_socket("exec-worker", "the-collector");
    worker_beats(thief);
    worker_replies(thief, work.token, "{\"by\":\"thief\"}");
    snprintf(thief->service, sizeof thief->service, "audit.collect");
    worker_ready(thief);
    assert_false(worker_hears(thief, 300).came);
    nothing_happened(before);
    until_workers(tomas, "audit.collect", 1);
    worker_replies(collector, work.token, "{\"by\":\"collector\"}");
    until_entries(tomas, planned, "task.done", 1);
    worker_free(&collector);
    worker_free(&thief);
}

/* ---- SEC-4 ---- */

static void SEC_4_what_a_role_does_not_give_is_refused_at_every_entrance(void **state)
{
    /* Not one of them is an internal auditor, nor keeps the directory. */
    static const char *const others[] = {"amara", "henrik", "claire", "dmitri",    "leila",
                                         "pavel", "grace",  "omar",   "collector", "audit-worker"};
    static const char *const admin[] = {"status", "metrics",    "drain",  "resume",
                                        "stop",   "checkpoint", "backup", "clock.advance"};
    struct ballot ballot;

    (void)state;
    ballot_prepare(amara, document, "approve", &ballot);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct client *client = client_new(house, others[i]);
        struct picture before = look(others[i]);

        told(client, command(client, "approve_plan", audit, "{}"), 403, "not-allowed");
        told(client, command(client, "edit", audit, "{\"set\":{\"scope\":\"x\"}}"), 403,
             "not-allowed");
        told(client, command(client, "edit", document, "{\"title\":\"Mine\"}"), 403, "not-allowed");
        told(client, command(client, "submit", document, "{}"), 403, "not-allowed");
        told(client,
             command(
                 client, "directory.install", NULL,
                 text("{\"people\":[{\"name\":\"%s\",\"roles\":[\"isms_manager\"]}]}", others[i])),
             403, "not-allowed");
        for (size_t k = 0; k < sizeof admin / sizeof admin[0]; k++)
            told(client,
                 ask_json(
                     client, "rota.admin.v1",
                     text("{\"v\":1,\"id\":\"%s\",\"command\":\"%s\"}", new_id(house), admin[k])),
                 403, "not-allowed");
        only_refused(before, 5 + sizeof admin / sizeof admin[0], "not-allowed");
        client_free(&client);
    }
}

static struct answer brought(struct client *by, const char *whose, const char *event,
                             const char *record)
{
    return ask_json(by, "rota.command.v1",
                    text("{\"v\":1,\"id\":\"%s\",\"command\":\"%s\",\"record\":\"%s\","
                         "\"on_behalf_of\":\"%s\",\"args\":{}}",
                         new_id(house), event, record, whose));
}

static void SEC_4_a_gateway_brings_what_was_signed_and_nothing_else(void **state)
{
    struct client *gateway = client_new(house, "approval-worker");
    struct client *worker = client_new(house, "collector");
    struct picture before;
    struct ballot ballot;

    (void)state;
    ballot_prepare(amara, document, "approve", &ballot);
    before = look("collector");
    told(worker, ballot_brought(worker, "amara", &ballot), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    before = look("bo");
    told(bo, brought(bo, "tomas", "approve_plan", audit), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    before = look("approval-worker");
    told(gateway, brought(gateway, "tomas", "approve_plan", audit), 403, "not-allowed");
    told(gateway, brought(gateway, "amara", "approve", document), 403, "not-allowed");
    only_refused(before, 2, "not-allowed");
    /* With a signature that is another's, or of one who may not: filed under the name it was brought in. */
    ballot.signature[3] ^= 1;
    before = look("amara");
    told(gateway, ballot_brought(gateway, "amara", &ballot), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    client_free(&gateway);
    client_free(&worker);
}

static const char *admin_asked(const char *what)
{
    return text("{\"v\":1,\"id\":\"%s\",\"command\":\"%s\"}", new_id(house), what);
}

/* The kernel says whose login it is; what that may do, the directory says. */
static void SEC_4_a_login_has_the_rights_of_its_entry_and_of_no_other(void **state)
{
    static const char *const admin[] = {"status", "drain", "stop", "backup", "checkpoint"};
    struct client *login =
        client_at(house, "login", text("ipc://%s/run/admin", house->directory), NULL);
    const char *of_bo =
        text(",\"roles\":[\"employee\"],\"manager\":\"pavel\",\"transport\":[\"%s\"]",
             transport_of(&bo->key));
    const char *uid = text(",\"uid\":%u", geteuid());
    struct picture before;

    (void)state;
    told(login, ask_json(login, "rota.admin.v1", admin_asked("status")), 200, "");
    entered("operator", "operator", ",\"roles\":[\"admin\"]"); /* the login is nobody's */
    before = look("operator");
    for (size_t i = 0; i < sizeof admin / sizeof admin[0]; i++)
        told(login, ask_json(login, "rota.admin.v1", admin_asked(admin[i])), 401, "no-principal");
    nothing_happened(before);
    entered("bo", "person", text("%s%s", of_bo, uid)); /* who has no such role */
    before = look("bo");
    for (size_t i = 0; i < sizeof admin / sizeof admin[0]; i++)
        told(login, ask_json(login, "rota.admin.v1", admin_asked(admin[i])), 403, "not-allowed");
    told(login, command(login, "approve_plan", audit, "{}"), 403, "not-allowed");
    only_refused(before, 1 + sizeof admin / sizeof admin[0], "not-allowed");
    entered("bo", "person", of_bo);
    entered("operator", "operator", text(",\"roles\":[\"admin\"]%s", uid));
    told(login, ask_json(login, "rota.admin.v1", admin_asked("status")), 200, "");
    client_free(&login);
}

/* ---- SEC-5 ---- */

static void SEC_5_nobody_approves_their_own_in_whatever_disguise(void **state)
{
    struct client *gateway = client_new(house, "approval-worker"), *second;
    struct keyfile other = ines->key;
    struct picture before = look("ines");
    struct ballot ballot;
    char sign[2 * SIGN_KEY_LEN + 1];

    (void)state;
    ballot_prepare(ines, document, "approve", &ballot);
    told(ines, ballot_cast(ines, &ballot), 403, "separation-of-duties");
    ballot.id = new_id(house); /* by a gateway, with a genuine signature */
    ballot_sign(ines, &ballot);
    told(gateway, ballot_brought(gateway, "ines", &ballot), 403, "separation-of-duties");
    only_refused(before, 2, "separation-of-duties");
    /* In another's name, with the signature that is at hand. */
    before = look("amara");
    told(gateway, ballot_brought(gateway, "amara", &ballot), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    /* With a second key, and a second role from the directory that ines keeps. */
    assert_int_equal(keyfile_new_curve(&other, NULL), 0);
    hex_encode(slice_of(ines->key.sign_public, SIGN_KEY_LEN), sign);
    entered("ines", "person",
            text(",\"roles\":[\"isms_manager\",\"top_management\",\"employee\"],"
                 "\"transport\":[\"%s\",\"%s\"],\"sign\":\"hex:%s\"",
                 transport_of(&ines->key), transport_of(&other), sign));
    second = client_at(house, "ines", text("ipc://%s/run/front", house->directory), &other);
    before = look("ines");
    ballot_prepare(second, document, "approve", &ballot);
    told(second, ballot_cast(second, &ballot), 403, "separation-of-duties");
    only_refused(before, 1, "separation-of-duties");
    /* And asked anew, now that the role is there: still the author. */
    told(ines, command(ines, "edit", document, "{\"title\":\"As it was\"}"), 200, "");
    told(ines, command(ines, "submit", document, "{}"), 200, "");
    before = look("ines");
    ballot_prepare(second, document, "approve", &ballot);
    told(second, ballot_cast(second, &ballot), 403, "separation-of-duties");
    only_refused(before, 1, "separation-of-duties");
    client_free(&second);
    client_free(&gateway);
}

/* Who may what changes by two people: whoever proposed it has no second voice, by whatever way. */
static void SEC_5_nobody_agrees_to_what_they_proposed_in_whatever_disguise(void **state)
{
    struct client *gateway = client_new(house, "approval-worker"), *second;
    struct keyfile other = bo->key;
    struct answer proposed;
    struct picture before;
    struct ballot ballot;
    int64_t number;

    (void)state;
    /* bo would be top management, and more: by ines' proposal, to which neither of them may agree. */
    proposed = command(ines, "directory.install", NULL,
                       "{\"people\":[{\"name\":\"bo\",\"kind\":\"person\",\"roles\":"
                       "[\"top_management\",\"isms_manager\"]}]}");
    told(ines, proposed, 200, "");
    number = value_get_int(&proposed.said.out, "proposal", 0);
    before = look("ines");
    agreement_prepare(ines, number, &ballot);
    told(ines, ballot_cast(ines, &ballot), 403, "separation-of-duties");
    ballot.id = new_id(house); /* brought by a gateway, with her genuine signature */
    ballot_sign(ines, &ballot);
    told(gateway, ballot_brought(gateway, "ines", &ballot), 403, "separation-of-duties");
    only_refused(before, 2, "separation-of-duties");
    /* The role that the proposal itself would give. */
    before = look("bo");
    agreement_prepare(bo, number, &ballot);
    told(bo, ballot_cast(bo, &ballot), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    /* In the place of somebody who could, and in their name with the signature that is at hand. */
    before = look("amara");
    agreement_prepare(ines, number, &ballot);
    told(gateway, ballot_brought(gateway, "amara", &ballot), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    before = look("ines");
    value_set(&house->arena, &ballot.args, "for", value_str("amara"));
    ballot.id = new_id(house);
    ballot_sign(ines, &ballot);
    told(ines, ballot_cast(ines, &ballot), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    /* By a key that nobody knows, under a name that may. */
    assert_int_equal(keyfile_new_sign(&other, NULL), 0);
    second = client_new(house, "henrik");
    second->key = other;
    before = look("henrik");
    agreement_prepare(second, number, &ballot);
    told(second, ballot_cast(second, &ballot), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    told(ines,
         command(ines, "proposal.end", NULL,
                 text("{\"proposal\":%lld,\"reason\":{\"content\":%s,\"size\":4}}",
                      (long long)number, content_hash("gone"))),
         422, "guard-failed");
    client_free(&second);
    client_free(&gateway);
}

/* ---- SEC-6 ---- */

static void opened(const char *file)
{
    struct buf said = BUF_EMPTY;

    if (house_rota(house, &said, "--as", "ines", "open", "--from", house_path(house, file), NULL) !=
        0)
        house_fail(house, "%s: %s", file, buf_text(&said));
    buf_release(&said);
}

static void SEC_6_an_approval_counts_once_for_its_record_revision_and_journal(void **state)
{
    struct picture before;
    struct ballot good, bad;
    struct answer first;

    (void)state;
    ballot_prepare(amara, document, "approve", &good);
    before = look("amara");
    bad = good; /* the same signature under another id */
    bad.id = new_id(house);
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good; /* for another revision of the record */
    bad.id = new_id(house);
    bad.rev++;
    ballot_sign(amara, &bad);
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good; /* for the same record in another engine's journal */
    bad.id = new_id(house);
    buf_clear(&amara->origin);
    buf_add_str(&amara->origin, "other.example/log");
    ballot_sign(amara, &bad);
    buf_clear(&amara->origin);
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    only_refused(before, 3, "not-allowed");
    first = ballot_cast(amara, &good);
    told(amara, first, 200, "");
    before = look("amara"); /* and again: the answer is the first one's */
    assert_true(ballot_cast(amara, &good).said.duplicate);
    nothing_happened(before);
}

static void SEC_6_an_approval_of_another_record_or_after_withdrawal_counts_for_nothing(void **state)
{
    struct picture before;
    struct ballot good, bad;

    (void)state;
    opened("sample/context_issues.cfg");
    told(ines, command(ines, "submit", "CTX-0001@1.0", "{}"), 200, "");
    ballot_prepare(amara, "CTX-0001@1.0", "approve", &good);
    before = look("amara");
    bad = good;
    bad.record = document; /* approved meanwhile */
    told(amara, ballot_cast(amara, &bad), 409, "wrong-state");
    nothing_happened(before);
    told(ines,
         command(ines, "withdraw", "CTX-0001@1.0",
                 text("{\"reason\":%s}", content_of(ines, "No longer needed."))),
         200, "");
    before = look("amara");
    told(amara, ballot_cast(amara, &good), 409, "wrong-state");
    nothing_happened(before);
}

/* ---- SEC-5, where a rule is waived ---- */

static struct value hashed(struct slice bytes)
{
    uint8_t *hash = arena_take(&house->arena, HASH_LEN);

    hash_bytes(bytes, hash);
    return value_bin(hash, HASH_LEN);
}

static struct value text_put(struct client *client, const char *what)
{
    struct value reference = VALUE_NONE;
    const char *json = content_of(client, what);
    struct error err;

    assert_int_equal(json_to_value(&house->arena, slice_str(json), 4, &reference, &err), 0);
    return reference;
}

/* SOD-1 for the person, with all that belongs to it: as amara is told, and as `signer` signs it. */
static void waiver_prepare(struct client *signer, const char *record, const char *person,
                           struct ballot *out)
{
    struct arena *arena = &house->arena;
    struct answer said = query(amara, "prepare",
                               text("{\"record\":\"%s\",\"event\":\"waive_sod\",\"rule\":"
                                    "\"SOD-1\",\"person\":\"%s\"}",
                                    record, person));
    const struct value *facts = &said.said.out;

    expect(amara, &said, 200, "");
    *out = (struct ballot){.id = new_id(house),
                           .event = "waive_sod",
                           .record = record,
                           .args = value_map(),
                           .type = value_get_text(facts, "type"),
                           .stream = value_get_text(facts, "stream")};
    value_set(arena, &out->args, "meaning", *value_get(facts, "meaning"));
    value_set(arena, &out->args, "digest", *value_get(facts, "digest"));
    value_set(arena, &out->args, "under", *value_get(facts, "under"));
    value_set(arena, &out->args, "statement", hashed(value_get_text(facts, "statement")));
    value_set(arena, &out->args, "key", hashed(slice_of(signer->key.sign_public, SIGN_KEY_LEN)));
    value_set(arena, &out->args, "rule", value_str("SOD-1"));
    value_set(arena, &out->args, "person", value_str(person));
    value_set(arena, &out->args, "reason", text_put(signer, "Nobody else is there."));
    value_set(arena, &out->args, "check", text_put(signer, "Read by counsel."));
    ballot_sign(signer, out);
}

/* Ines has the role by now, a key, and every hand but another person's. */
static void SEC_5_nobody_frees_themselves_from_a_rule(void **state)
{
    struct client *gateway = client_new(house, "approval-worker");
    struct picture before;
    struct ballot own;

    (void)state;
    waiver_prepare(ines, document, "ines", &own);
    before = look("ines");
    told(ines, ballot_cast(ines, &own), 403, "separation-of-duties");
    own.id = new_id(house);
    ballot_sign(ines, &own);
    told(gateway, ballot_brought(gateway, "ines", &own), 403, "separation-of-duties");
    only_refused(before, 2, "separation-of-duties");
    before = look("amara"); /* as if amara had signed it */
    told(gateway, ballot_brought(gateway, "amara", &own), 403, "not-allowed");
    only_refused(before, 1, "not-allowed");
    client_free(&gateway);
}

static void SEC_5_a_waiver_counts_once_for_its_record_person_and_content(void **state)
{
    struct answer shown = query(amara, "show", "{\"record\":\"CTX-0001@1.0\"}");
    struct picture before;
    struct ballot good, bad;

    (void)state;
    waiver_prepare(amara, document, "ines", &good);
    before = look("amara");
    bad = good;
    bad.record = "CTX-0001@1.0";
    told(amara, ballot_cast(amara, &bad), 409, "stale-content");
    nothing_happened(before);
    bad.id = new_id(house); /* an id that was refused stays bound to what was asked */
    bad.args = value_copy(&house->arena, &good.args); /* as if it had been about that content */
    value_set(&house->arena, &bad.args, "digest", *value_get(&shown.said.out, "digest"));
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good;
    bad.id = new_id(house);
    bad.args = value_copy(&house->arena, &good.args); /* for somebody else */
    value_set(&house->arena, &bad.args, "person", value_str("pavel"));
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good; /* under another id */
    bad.id = new_id(house);
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    only_refused(before, 3, "not-allowed");
    told(amara, ballot_cast(amara, &good), 200, "");
    before = look("amara");
    assert_true(ballot_cast(amara, &good).said.duplicate);
    nothing_happened(before);
    /* Who is freed frees nobody else, with whatever signature. */
    waiver_prepare(ines, document, "henrik", &bad);
    before = look("ines");
    told(ines, ballot_cast(ines, &bad), 403, "separation-of-duties");
    only_refused(before, 1, "separation-of-duties");
}

/* ---- SEC-8, SEC-9 ---- */

static void SEC_8_a_forged_result_counts_for_nothing(void **state)
{
    struct worker *collector = worker_new(house, "collector", "audit.collect");
    struct worker *thief = worker_new(house, "exec-worker", "exec.steal");
    const char *planned = audit_planned(tomas, "second");
    struct picture before;
    char forged[64], *attempt;
    struct work work;

    (void)state;
    audit_begin(tomas, planned);
    work = worker_hears(collector, PATIENCE_MS);
    assert_true(work.came);
    before = look("collector");
    worker_replies(thief, work.token, "{\"by\":\"thief\"}"); /* the right token, another's */
    snprintf(forged, sizeof forged, "%s", work.token);
    forged[strlen(forged) - 1] ^= 1; /* another nonce */
    worker_replies(collector, forged, "{\"by\":\"forger\"}");
    snprintf(forged, sizeof forged, "%s", work.token);
    attempt = strchr(strchr(forged, '.') + 1, '.') + 1; /* T1.task.attempt.nonce */
    *attempt = *attempt == '2' ? '3' : '2';
    worker_replies(collector, forged, "{\"by\":\"forger\"}");
    worker_replies(collector, "T1.999999.1.0123456789abcdef", "{}");
    worker_replies(collector, "T1.1.1.0123456789abcdef", "{}");
    worker_replies(collector, "", "{}");
    worker_replies(collector, "\n\x01 no token", "{}");
    worker_beats(collector);
    assert_false(worker_hears(collector, 300).came);
    nothing_happened(before);
    worker_replies(collector, work.token, "{\"by\":\"collector\"}");
    worker_replies(collector, work.token, "{\"by\":\"again\"}");
    until_entries(tomas, planned, "task.done", 1);
    worker_beats(collector);
    assert_false(worker_hears(collector, 300).came);
    assert_int_equal(entries_of(tomas, planned, "task.done"), 1);
    worker_free(&collector);
    worker_free(&thief);
}

static void SEC_9_a_revoked_worker_loses_its_lease_at_once_and_its_result_is_stale(void **state)
{
    struct worker *stolen = worker_new(house, "collector", "audit.collect"), *other;
    const char *planned = audit_planned(tomas, "fourth");
    const char *serves = ",\"services\":[\"audit.collect\"]";
    struct picture before;
    struct work work, again;

    (void)state;
    audit_begin(tomas, planned);
    work = worker_hears(stolen, PATIENCE_MS);
    assert_true(work.came);
    entered("collector", "worker", serves); /* its key is no longer there */
    until_workers(tomas, "audit.collect", 0);
    before = look("collector");
    worker_replies(stolen, work.token, "{\"by\":\"thief\"}");
    other = worker_new(house, "audit-worker", "audit.collect");
    again = worker_hears(other, PATIENCE_MS);
    assert_true(again.came && strcmp(again.token, work.token) != 0);
    nothing_happened(before);
    /* The key is good again: the lease is not. */
    entered("collector", "worker",
            text("%s,\"transport\":[\"%s\"]", serves, transport_of(&stolen->key)));
    before = look("collector");
    worker_replies(stolen, work.token, "{\"by\":\"late\"}");
    worker_beats(stolen);
    assert_false(worker_hears(stolen, 300).came);
    nothing_happened(before);
    worker_replies(other, again.token, "{\"by\":\"audit-worker\"}");
    until_entries(tomas, planned, "task.done", 1);
    assert_int_equal(entries_of(tomas, planned, "task.failed"), 0);
    worker_free(&stolen);
    worker_free(&other);
}

/* ---- a flood ---- */

enum { FLOOD = 500, AT_ONCE = 50, AN_HOUR_MS = 3600000 };

/* So many refused commands of bo: every tenth is another one. */
static void flood(int times)
{
    for (int i = 0; i < times; i += AT_ONCE) {
        for (int k = 0; k < AT_ONCE; k++)
            client_asks(
                bo, "rota.command.v1",
                packed(house, text("{\"v\":1,\"id\":\"%s\",\"command\":\"%s\","
                                   "\"record\":\"%s\",\"args\":{}}",
                                   new_id(house), k % 10 == 0 ? "edit" : "approve_plan", audit)));
        for (int k = 0; k < AT_ONCE; k++)
            told(bo, client_hears(bo, PATIENCE_MS), 403, "not-allowed");
    }
}

static const struct value *count_of_bo(void)
{
    const struct value *list = refusals_of("bo");
    const struct value *last = &list->as.items[list->count - 1];

    assert_true(list->count > 0);
    assert_true(slice_is(value_get_text(last, "type"), "refusals.counted"));
    return value_get(last, "body");
}

static int64_t commits(void)
{
    struct answer said = query(tomas, "status", "{}");

    return value_get_int(&said.said.out, "commits", 0);
}

/* 30 are entries; the others are counted, and the count is as durable as the answers were. */
static void a_flood_of_refusals_is_counted_and_survives_a_kill(void **state)
{
    struct picture before;
    const struct value *count;
    struct buf said = BUF_EMPTY;
    int64_t began, commits_before;

    (void)state;
    an_hour_later(NULL);
    before = look("bo");
    commits_before = commits();
    began = boot_ms();
    flood(FLOOD);
    print_message("%d refusals in %d ms, %d commits\n", FLOOD, (int)(boot_ms() - began),
                  (int)(commits() - commits_before));
    /* A batch is one commit, whether it holds one refusal or all of them. */
    assert_true(commits() - commits_before <= FLOOD);
    assert_int_equal(journal_size(), before.size + 30);
    house_kill(house);
    house_start(house);
    assert_int_equal(journal_size(), before.size + 30);
    flood(AT_ONCE);
    house_advance(house, AN_HOUR_MS);
    until_entries_of_stream("refusal/bo", before.refusals + 31);
    count = count_of_bo();
    assert_int_equal(value_get_int(count, "count", 0), FLOOD + AT_ONCE - 30);
    assert_int_equal(value_get(count, "of")->count, 2);
    before = look("bo");
    house_kill(house); /* told once, and not again */
    house_start(house);
    house_advance(house, AN_HOUR_MS);
    assert_int_equal(refusals_of("bo")->count, before.refusals);
    assert_int_equal(
        house_rota(house, &said, "--as", "tomas", "log", "--stream", "refusal/bo", NULL), 0);
    print_message("%s\n", buf_text(&said));
    assert_non_null(strstr(buf_text(&said), "counted 520 more refusals of"));
    buf_release(&said);
}

/* ---- external auditors ---- */

static uint64_t entries_about(const char *what, const char *type)
{
    struct answer said = query(tomas, "log", text("{\"stream\":\"read/edith/%s\"}", what));
    const struct value *list = value_get(&said.said.out, "entries");
    uint64_t count = 0;

    expect(tomas, &said, 200, "");
    for (uint32_t i = 0; i < list->count; i++)
        count += slice_is(value_get_text(&list->as.items[i], "type"), type) ? 1 : 0;
    return count;
}

static uint64_t reads_of(const char *what)
{
    return entries_about(what, "auditor.read");
}

static uint64_t refused_reads_of(const char *what)
{
    return entries_about(what, "auditor.refused");
}

static void what_an_external_auditor_reads_is_written_down_once_an_hour(void **state)
{
    struct client *edith = client_new(house, "edith");
    const char *page = text("{\"record\":\"%s\"}", audit);
    uint64_t size = journal_size();

    (void)state;
    told(edith, query(edith, "info", "{}"), 200, "");
    told(edith, query(edith, "kinds", "{}"), 200, "");
    told(edith, query(edith, "show", "{\"record\":\"AUD-9999\"}"), 404, "no-record");
    assert_int_equal(journal_size(), size);
    told(edith, query(edith, "show", page), 200, "");
    told(edith, query(edith, "log", page), 200, "");
    told(edith, query(edith, "list", "{}"), 200, "");
    told(edith, query(edith, "list", "{\"kind\":\"audit\"}"), 200, "");
    assert_int_equal(reads_of(audit), 1);
    assert_int_equal(reads_of("list"), 1);
    assert_int_equal(journal_size(), size + 2);
    house_advance(house, 3600000);
    told(edith, query(edith, "show", page), 200, "");
    assert_int_equal(reads_of(audit), 2);
    size = journal_size();
    for (int i = 0; i < 2; i++)
        told(edith, ask_json(edith, "rota.events.v1", "{\"v\":1,\"from\":0}"), 403, "not-allowed");
    assert_int_equal(journal_size(), size + 1);
    assert_int_equal(refused_reads_of("events"), 1);
    client_free(&edith);
}

static void an_external_auditor_changes_nothing(void **state)
{
    struct client *edith = client_new(house, "edith");
    struct picture before = look("edith");

    (void)state;
    told(edith, command(edith, "edit", audit, "{\"set\":{\"scope\":\"x\"}}"), 403, "not-allowed");
    told(edith, command(edith, "approve_plan", audit, "{}"), 403, "not-allowed");
    told(edith,
         command(edith, "open", NULL, "{\"kind\":\"incident\",\"title\":\"t\",\"fields\":{}}"), 403,
         "not-allowed");
    told(edith,
         command(edith, "content.put", NULL,
                 "{\"data\":\"hex:00\",\"salt\":\"hex:00112233445566778899aabbccddeeff\"}"),
         403, "not-allowed");
    only_refused(before, 3, "not-allowed");
    client_free(&edith);
}

static void with_a_scope_an_auditor_sees_those_kinds_until_the_last_day(void **state)
{
    struct client *edith = client_new(house, "edith");
    const char *facts = text(",\"roles\":[\"external_auditor\"],\"transport\":[\"%s\"],"
                             "\"scope\":[\"audit\"]",
                             transport_of(&edith->key));
    static const char *const closed[][2] = {
        {"log", "{\"from\":0}"},
        {"log", "{\"stream\":\"IPR-0001@1.0\"}"},
        {"inbox", "{\"person\":\"ines\"}"},
        {"tasks", "{}"},
        {"show", "{\"record\":\"IPR-0001@1.0\"}"},
        {"show", "{\"record\":\"IPR-0001\"}"},
        {"prepare", "{\"record\":\"IPR-0001@1.0\",\"event\":\"approve\"}"},
        {"migration", "{}"},
    };
    const struct value *list;
    struct answer said;
    uint64_t size;

    (void)state;
    entered("edith", "person", facts);
    told(edith, query(edith, "show", text("{\"record\":\"%s\"}", audit)), 200, "");
    told(edith, query(edith, "log", text("{\"record\":\"%s\"}", audit)), 200, "");
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
        told(edith, query(edith, closed[i][0], closed[i][1]), 403, "not-allowed");
    /* What was refused is written down as well: once an hour for a record, or a query that is about none. */
    assert_int_equal(refused_reads_of("IPR-0001@1.0"), 1);
    assert_int_equal(refused_reads_of("log"), 1);
    assert_int_equal(refused_reads_of("inbox"), 1);
    size = journal_size();
    told(edith, query(edith, "show", "{\"record\":\"IPR-0001\"}"), 403, "not-allowed");
    told(edith, query(edith, "log", "{\"from\":3}"), 403, "not-allowed");
    assert_int_equal(journal_size(), size);
    told(edith,
         query(edith, "diff", text("{\"record\":\"%s\",\"against\":\"IPR-0001@1.0\"}", audit)), 403,
         "not-allowed");
    told(edith,
         query(edith, "content", text("{\"content\":%s}", content_hash("No longer needed."))), 403,
         "not-allowed");
    said = query(edith, "list", "{\"limit\":500}");
    told(edith, said, 200, "");
    list = value_get(&said.said.out, "records");
    assert_true(list->count > 0);
    for (uint32_t i = 0; i < list->count; i++)
        assert_true(slice_starts(value_get_text(&list->as.items[i], "record"), "AUD-"));
    entered("edith", "person", text("%s,\"not_after\":1", facts));
    size = journal_size();
    told(edith, query(edith, "show", text("{\"record\":\"%s\"}", audit)), 403, "not-allowed");
    told(edith, query(edith, "log", text("{\"record\":\"%s\"}", audit)), 403, "not-allowed");
    for (int i = 0; i < 3; i++) /* names that are made up are one */
        told(edith, query(edith, text("made-up-%d", i), "{}"), 403, "not-allowed");
    told(edith, query(edith, "status", "{}"), 403, "not-allowed");
    told(edith, ask_json(edith, "rota.events.v1", "{\"v\":1,\"from\":0}"), 403, "not-allowed");
    assert_int_equal(refused_reads_of(audit), 1);
    assert_int_equal(refused_reads_of("other"), 1);
    assert_int_equal(refused_reads_of("status"), 1);
    assert_int_equal(refused_reads_of("events"), 2); /* and one in an hour before */
    assert_int_equal(journal_size(), size + 3);      /* the audit's is the one of `diff` */
    client_free(&edith);
}

#define TEST(name) cmocka_unit_test_teardown(name, an_hour_later)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(SEC_1_without_a_key_or_with_an_unknown_one_nobody_is_heard),
        TEST(SEC_1_a_key_removed_while_connected_has_no_rights_at_once),
        TEST(SEC_1_rights_that_have_ended_are_no_rights),
        TEST(SEC_2_an_engine_whose_zap_handler_is_not_there_does_not_start),
        TEST(SEC_3_a_routing_id_gives_nobody_elses_rights),
        TEST(SEC_3_a_routing_id_gives_nobody_elses_lease),
        TEST(SEC_4_what_a_role_does_not_give_is_refused_at_every_entrance),
        TEST(SEC_4_a_gateway_brings_what_was_signed_and_nothing_else),
        TEST(SEC_4_a_login_has_the_rights_of_its_entry_and_of_no_other),
        TEST(SEC_5_nobody_approves_their_own_in_whatever_disguise),
        TEST(SEC_5_nobody_agrees_to_what_they_proposed_in_whatever_disguise),
        TEST(SEC_6_an_approval_counts_once_for_its_record_revision_and_journal),
        TEST(SEC_6_an_approval_of_another_record_or_after_withdrawal_counts_for_nothing),
        TEST(SEC_5_nobody_frees_themselves_from_a_rule),
        TEST(SEC_5_a_waiver_counts_once_for_its_record_person_and_content),
        TEST(SEC_8_a_forged_result_counts_for_nothing),
        TEST(SEC_9_a_revoked_worker_loses_its_lease_at_once_and_its_result_is_stale),
        TEST(a_flood_of_refusals_is_counted_and_survives_a_kill),
        TEST(what_an_external_auditor_reads_is_written_down_once_an_hour),
        TEST(an_external_auditor_changes_nothing),
        TEST(with_a_scope_an_auditor_sees_those_kinds_until_the_last_day),
    };

    return cmocka_run_group_tests(tests, begin_house, end_house);
}
