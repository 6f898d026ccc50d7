/* Bad input (SEC-10): each mistake gets the code that PROTOCOL.md promises, changes nothing, and the engine goes on serving.
 *
 * One engine for all of it. After each test it must still answer; at the end its journal must hold.
 */
#include "peers.h"

#include "base/dmp.h"
#include "core/leaf.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

static struct house *house;
static struct client *tomas, *ines, *bo;
static char audit[97],
    document[97]; /* an audit that is being planned; interested parties, submitted by ines */

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

static uint64_t journal_size(void)
{
    struct answer info = query(tomas, "info", "{}");

    return (uint64_t)value_get_int(&info.said.out, "size", 0);
}

/* ---- the stage ---- */

static int begin_house(void **state)
{
    (void)state;
    house = house_new();
    house_set(house, "plain", "\"ipc://run/plain\"");
    house_start(house);
    tomas = client_new(house, "tomas");
    ines = client_new(house, "ines");
    bo = client_new(house, "bo");
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
    house_free(&house);
    return 0;
}

/* After each test: alive, and no answer that nobody asked for. */
static int still_serves(void **state)
{
    struct answer info = query(tomas, "info", "{}");

    (void)state;
    expect(tomas, &info, 200, "");
    if (!house_runs(house))
        house_fail(house, "the engine has ended");
    return 0;
}

/* Before and after a test of mistakes: no row of the state is another, but the one that counts bo's refusals, and the
 * journal has these more and nothing else. */
static uint8_t rows_before[HASH_LEN];
static uint64_t leaves_before;

static uint64_t refusals_of(const char *person)
{
    struct answer said =
        query(tomas, "log", text("{\"stream\":\"refusal/%s\",\"limit\":500}", person));
    const struct value *list = value_get(&said.said.out, "entries");

    expect(tomas, &said, 200, "");
    return value_is(list, VALUE_ARRAY) ? list->count : 0;
}

static int look_before(void **state)
{
    (void)state;
    house_state(house, "bo", rows_before);
    leaves_before = journal_size() - refusals_of("bo");
    return 0;
}

static int nothing_has_changed(void **state)
{
    uint8_t rows[HASH_LEN];

    house_state(house, "bo", rows);
    assert_memory_equal(rows, rows_before, HASH_LEN);
    assert_int_equal(journal_size() - refusals_of("bo"), leaves_before);
    return still_serves(state);
}

/* ---- frames ---- */

static void odd_frames_are_dropped_or_refused_and_hurt_nobody(void **state)
{
    struct slice none = slice_str(""), client = slice_str("MDPC01"), worker = slice_str("MDPW01");
    struct slice many[17];
    struct {
        int count;
        struct slice frames[6];
    } odd[] = {
        {1, {none}},
        {1, {slice_str("MDPC01")}},
        {2, {none, client}},
        {2, {none, none}},
        {3, {none, client, none}},
        {3, {none, slice_str("MDPC09"), slice_str("rota.query.v1")}},
        {3, {none, worker, none}},
        {3, {none, worker, slice_str("\1")}},
        {4, {none, worker, slice_str("\1"), slice_str("rota.command.v1")}},
        {4, {none, worker, slice_str("\1"), slice_str("Not A Service")}},
        {3, {none, worker, slice_str("\3")}},
        {4, {none, worker, slice_str("\3"), none}},
        {6, {none, worker, slice_str("\3"), slice_str("T1.1.1.0123456789abcdef"), none, none}},
        {6, {none, worker, slice_str("\2"), slice_str("x"), none, none}},
        {3, {none, worker, slice_str("\x7f")}},
        {3, {none, slice_str("MDPW02"), slice_str("\4")}},
        {6, {client, client, client, client, client, client}},
    };
    struct client *odd_one = client_new(house, "leila");

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        client_sends(odd_one, odd[i].frames, odd[i].count);
    for (int i = 0; i < 17; i++)
        many[i] = slice_str(i == 1 ? "MDPC01" : i == 2 ? "rota.query.v1" : "");
    client_sends(odd_one, many, 17);
    client_free(&odd_one);
}

static void a_frame_over_a_mebibyte_ends_the_connection_and_nothing_else(void **state)
{
    struct client *heavy = client_new(house, "leila");
    size_t len = (1u << 20) + 1;
    char *bytes = arena_zero(&house->arena, len);
    struct answer answer;

    (void)state;
    client_asks(heavy, "rota.query.v1", slice_of(bytes, len));
    answer = client_hears(heavy, 300);
    assert_false(answer.came);
    client_free(&heavy);
}

/* ---- services ---- */

static void services_that_are_not_there_or_take_no_requests_say_so(void **state)
{
    struct slice body = packed(house, "{\"v\":1}");
    struct worker *collector = worker_new(house, "collector", "audit.collect");

    (void)state;
    until_workers(tomas, "audit.collect", 1);
    told(tomas, ask_bytes(tomas, "no.such.service", body), 404, "no-service");
    told(tomas, ask_bytes(tomas, "rota.command.v9", body), 404, "no-service");
    told(tomas, ask_bytes(tomas, "titanic.request", body), 404, "no-service");
    told(tomas, ask_bytes(tomas, "audit.collect", body), 403, "not-allowed");
    told(tomas, ask_bytes(tomas, "Not A Service", body), 400, "malformed");
    assert_int_equal(ask_bytes(tomas, "mmi.service", slice_str("audit.collect")).digits, 200);
    assert_int_equal(ask_bytes(tomas, "mmi.service", slice_str("no.such.service")).digits, 404);
    assert_int_equal(ask_bytes(tomas, "mmi.nothing", slice_str("x")).digits, 501);
    assert_false(worker_hears(collector, 50).came);
    worker_free(&collector);
}

static void administration_is_not_offered_to_people_without_that_role(void **state)
{
    const char *stop = text("{\"v\":1,\"id\":\"%s\",\"command\":\"drain\"}", new_id(house));

    (void)state;
    told(bo, ask_json(bo, "rota.admin.v1", stop), 403, "not-allowed");
}

static void who_asks_too_much_at_once_is_told_which_to_ask_again(void **state)
{
    struct client *sofia = client_new(house, "sofia");
    int done = 0, slowed = 0;

    (void)state;
    for (int i = 0; i < 200; i++)
        client_asks(sofia, "rota.query.v1",
                    packed(house, text("{\"v\":1,\"id\":\"q%d\",\"query\":\"info\"}", i)));
    for (int i = 0; i < 200; i++) {
        struct answer answer = client_hears(sofia, PATIENCE_MS);

        assert_true(answer.came && answer.said.id.len > 1);
        if (answer.digits != 200)
            told(sofia, answer, 429, "slow-down");
        done += answer.digits == 200;
        slowed += answer.digits == 429;
    }
    assert_true(done >= 64 && done + slowed == 200);
    client_free(&sofia);
}

/* ---- bodies ---- */

static void bodies_that_cannot_be_read_are_malformed(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bodies[] = {
        {"", 0},
        {"\xc1", 1},                 /* no type */
        {"\x81", 1},                 /* cut off */
        {"\xdf\xff\xff\xff\xff", 5}, /* four thousand million pairs */
        {"\xdd\x7f\xff\xff\xff", 5},
        {"\xc6\xff\xff\xff\xff", 5},
        {"\x93\x01\x02\x03", 4},                   /* no map */
        {"\x81\xa1v\xcb\x3f\xf0\0\0\0\0\0\0", 12}, /* a float */
        {"\x81\xa1v\xd4\1\1", 6},                  /* ext */
        {"\x81\xa1v\xc0", 4},                      /* v is nil */
        {"\x82\xa1v\1\xa1v\1", 7},                 /* v twice */
        {"\x81\1\1", 3},                           /* a key that is no str */
        {"\x81\xa2\xff\xfe\1", 5},                 /* a key that is no UTF-8 */
        {"\x81\xa1v\1\0", 5},                      /* something after it */
        {"{", 1},
        {"{}x", 3},
        {"{\"v\":1.5}", 9},
        {"{\"v\":1,\"v\":1}", 13},
        {"{\"v\":\"\xff\"}", 9},
        {"{\"v\":\"\\ud800\"}", 14},
        {"[1]", 3},
        {"\"v\"", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct slice body = slice_of(bodies[i].bytes, bodies[i].len);

        print_message("body %zu\n", i);
        told(tomas, ask_bytes(tomas, "rota.command.v1", body), 400, "malformed");
        told(tomas, ask_bytes(tomas, "rota.query.v1", body), 400, "malformed");
        told(tomas, ask_bytes(tomas, "rota.events.v1", body), 400, "malformed");
    }
}

static struct answer whole(const char *json)
{
    return ask_json(tomas, "rota.command.v1", json);
}

static void the_keys_of_a_command_are_checked_one_by_one(void **state)
{
    const char *id = new_id(house);
    static const char *const bad[] = {
        "\"command\":\"open\"", /* no id */
        "\"id\":\"short\",\"command\":\"open\"",
        "\"id\":\"has a space in it, too\",\"command\":\"open\"",
        "\"id\":7,\"command\":\"open\"",
        "\"id\":\"0123456789abcdef\"", /* no command */
        "\"id\":\"0123456789abcdef\",\"command\":\"\"",
        "\"id\":\"0123456789abcdef\",\"command\":5",
        "\"id\":\"0123456789abcdef\",\"command\":\"edit\",\"record\":5",
        "\"id\":\"0123456789abcdef\",\"command\":\"edit\",\"if_revision\":\"1\"",
        "\"id\":\"0123456789abcdef\",\"command\":\"edit\",\"if_revision\":-1",
        "\"id\":\"0123456789abcdef\",\"command\":\"edit\",\"args\":[]",
        "\"id\":\"0123456789abcdef\",\"command\":\"edit\",\"signature\":\"hex:00\"",
        "\"id\":\"0123456789abcdef\",\"command\":\"edit\",\"deadline\":true",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        told(tomas, whole(text("{\"v\":1,%s}", bad[i])), 400, "malformed");
    told(tomas, whole(text("{\"v\":1,\"id\":\"%s\",\"command\":\"edit\",\"colour\":1}", id)), 400,
         "unknown-key");
    told(tomas, whole(text("{\"v\":2,\"id\":\"%s\",\"command\":\"edit\"}", id)), 426, "version");
    told(tomas, whole(text("{\"v\":0,\"id\":\"%s\",\"command\":\"edit\"}", id)), 400, "malformed");
    told(tomas, whole(text("{\"id\":\"%s\",\"command\":\"edit\"}", id)), 400, "malformed");
    /* x- keys are the sender's own. */
    told(tomas,
         whole(text("{\"v\":1,\"id\":\"%s\",\"command\":\"edit\",\"x-colour\":1,\"record\":\"%s\","
                    "\"args\":{\"set\":{\"scope\":\"t\"}}}",
                    id, audit)),
         200, "");
}

static void unknown_keys_inside_a_command_are_refused_too(void **state)
{
    (void)state;
    told(tomas, command(tomas, "edit", audit, "{\"set\":{\"scope\":\"t\"},\"colour\":1}"), 400,
         "unknown-key");
    told(tomas, command(tomas, "cancel", audit, "{\"colour\":1}"), 400, "unknown-key");
    told(tomas,
         command(tomas, "open", NULL,
                 "{\"kind\":\"audit\",\"title\":\"t\",\"fields\":{},\"colour\":1}"),
         400, "unknown-key");
}

static void what_is_too_large_or_too_deep_is_told_so(void **state)
{
    char *long_text = arena_take(&house->arena, 70001);
    const char *deep = "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}";

    (void)state;
    memset(long_text, 'x', 70000);
    long_text[70000] = '\0';
    told(tomas, command(tomas, "edit", audit, text("{\"set\":{\"scope\":\"%s\"}}", long_text)), 413,
         "too-large");
    told(tomas, command(tomas, "edit", audit, deep), 413, "too-large");
    told(tomas, query(tomas, "show", text("{\"record\":\"%s\"}", long_text)), 413, "too-large");
    long_text[2000] = '\0';
    told(tomas, command(tomas, "edit", audit, text("{\"set\":{\"scope\":\"%s\"}}", long_text)), 422,
         "guard-failed");
}

static void fields_of_the_wrong_type_are_refused_by_the_definition(void **state)
{
    static const char *const bad[] = {
        "{\"set\":{\"scope\":5}}",
        "{\"set\":{\"criteria\":\"A.8.8\"}}",
        "{\"set\":{\"criteria\":[5]}}",
        "{\"set\":{\"planned_start\":\"2031-02-30\"}}",
        "{\"set\":{\"planned_start\":\"soon\"}}",
        "{\"set\":{\"auditee_owner\":\"nobody-of-that-name\"}}",
        "{\"set\":{\"verdict\":\"splendid\"}}",
        "{\"set\":{\"checklist\":[{\"ref\":\"1\",\"question\":\"?\",\"colour\":\"red\"}]}}",
        "{\"set\":{\"checklist\":[5]}}",
        "{\"set\":{\"no_such_field\":1}}",
        "{\"set\":{\"report\":\"text\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        print_message("%s\n", bad[i]);
        told(tomas, command(tomas, "edit", audit, bad[i]), 422, "guard-failed");
    }
    told(tomas, command(tomas, "edit", audit, "{\"set\":5}"), 400, "malformed");
}

static void json_asks_and_is_answered_in_json(void **state)
{
    struct slice frames[4] = {slice_str(""), slice_str("MDPC01"), slice_str("rota.query.v1"),
                              slice_str("{\"v\":1,\"query\":\"info\",\"args\":{}}")};
    char answer[4096];
    int len;

    (void)state;
    client_sends(tomas, frames, 4);
    for (int i = 0; i < 4; i++)
        assert_true(zmq_recv(tomas->socket, answer, sizeof answer, 0) >= 0);
    len = zmq_recv(tomas->socket, answer, sizeof answer, 0);
    assert_true(len > 2 && len < (int)sizeof answer && answer[0] == '{' && answer[len - 1] == '}');
    told(tomas, ask_bytes(tomas, "rota.command.v1", slice_str("{\"v\":1}")), 400, "malformed");
}

/* ---- names ---- */

static void what_does_not_exist_is_told_so(void **state)
{
    (void)state;
    told(tomas, command(tomas, "edit", "AUD-9999", "{\"set\":{\"scope\":\"t\"}}"), 404,
         "no-record");
    told(tomas, command(tomas, "begin", "AUD-9999", "{}"), 404, "no-record");
    told(tomas, command(tomas, "begin", "person/tomas", "{}"), 404, "no-record");
    told(tomas, command(tomas, "begin", "../../etc/passwd", "{}"), 404, "no-record");
    told(tomas, command(tomas, "begin", "journal", "{}"), 404, "no-record");
    told(tomas, query(tomas, "show", "{\"record\":\"AUD-9999\"}"), 404, "no-record");
    told(tomas, command(tomas, "dance", audit, "{}"), 405, "unknown-command");
    told(tomas, query(tomas, "dance", "{}"), 405, "unknown-command");
    told(tomas, command(tomas, "open", NULL, "{\"kind\":\"dance\",\"title\":\"t\",\"fields\":{}}"),
         404, "no-record");
    told(tomas, query(tomas, "content", text("{\"content\":\"hex:%064d\"}", 0)), 404, "no-record");
    told(tomas, query(tomas, "show", "{}"), 400, "malformed");
    told(tomas, query(tomas, "show", "{\"record\":5}"), 400, "malformed");
}

static void a_content_that_never_went_up_is_missed(void **state)
{
    const char *args = text("{\"set\":{\"scope\":{\"content\":\"hex:%064d\",\"size\":5000}}}", 7);

    (void)state;
    told(tomas, command(tomas, "edit", audit, args), 422, "guard-failed");
    told(tomas, command(tomas, "content.put", NULL, "{\"data\":\"hex:00\"}"), 400, "malformed");
    told(tomas,
         command(tomas, "content.put", NULL,
                 "{\"data\":\"text\",\"salt\":\"hex:00112233445566778899aabbccddeeff\"}"),
         400, "malformed");
    told(tomas,
         command(tomas, "content.put", NULL,
                 "{\"data\":\"hex:00\",\"salt\":\"hex:00112233445566778899aabbccddeeff\","
                 "\"upload\":\"u\",\"part\":-1}"),
         413, "too-large");
}

/* ---- a pack that no tool has looked at ---- */

/* Bytes go up as a content; gives how a command names it. */
static const char *content_of(struct client *client, struct slice bytes)
{
    static const uint8_t salt[16] = {7};
    char *data = arena_take(&house->arena, 2 * bytes.len + 1), in_hex[33], name[2 * HASH_LEN + 1];
    uint8_t hash[HASH_LEN];

    hex_encode(bytes, data);
    hex_encode(slice_of(salt, sizeof salt), in_hex);
    told(client,
         command(client, "content.put", NULL,
                 text("{\"data\":\"hex:%s\",\"salt\":\"hex:%s\"}", data, in_hex)),
         200, "");
    hash_content(salt, bytes, hash);
    hex_encode(slice_of(hash, HASH_LEN), name);
    return text("{\"content\":\"hex:%s\",\"size\":%zu}", name, bytes.len);
}

static void a_pack_with_a_way_round_its_approval_is_refused_with_that_way(void **state)
{
    static const char pack[] =
        "pack = { name = \"p\"; version = \"1\"; timezone = \"UTC\"; };\n"
        "roles = ( { name = \"isms_manager\"; } );\n"
        "meanings = ( { name = \"approved\"; statement = \"I approve {{title}}.\"; } );\n"
        "lifecycle = { name = \"paper\"; states = ( { name = \"draft\"; stage = \"draft\"; },\n"
        "{ name = \"valid\"; stage = \"in_force\"; }, { name = \"old\"; stage = \"closed\"; } );\n"
        "transitions = ( { event = \"write\"; to = \"draft\"; },\n"
        "{ event = \"submit\"; from = [\"draft\"]; to = \"draft\"; by = [\"author\"]; opens = "
        "\"round\"; },\n"
        "{ event = \"approve\"; from = [\"draft\"]; to = \"valid\"; by = [\"asked\"]; vote = "
        "\"grant\"; },\n"
        "{ event = \"skip\"; from = [\"draft\"]; to = \"valid\"; by = [\"author\"]; },\n"
        "{ event = \"end\"; from = [\"valid\"]; to = \"old\"; by = [\"author\"]; } ); };\n"
        "kind = { name = \"paper\"; prefix = \"PA\"; title = \"Paper\"; lifecycle = \"paper\";\n"
        "create = [\"isms_manager\"]; approval = { ask = [\"isms_manager\"]; meaning = "
        "\"approved\"; }; };\n";
    static const char says[] =
        "p.cfg:9: write -> skip reaches 'valid' and no approval was granted (in kind 'paper')";
    struct buf bytes = BUF_EMPTY;
    struct answer answer;
    const char *reason = content_of(ines, slice_str("Quicker."));

    (void)state;
    dmp_put_array(&bytes, 1);
    dmp_put_array(&bytes, 2);
    dmp_put_str(&bytes, slice_str("p.cfg"));
    dmp_put_bin(&bytes, slice_str(pack));
    answer =
        command(ines, "pack.install", NULL,
                text("{\"pack\":%s,\"reason\":%s}", content_of(ines, buf_slice(&bytes)), reason));
    expect(ines, &answer, 422, "guard-failed");
    if (strstr(text("%.*s", (int)answer.said.message.len, (const char *)answer.said.message.at),
               says) == NULL)
        house_fail(house, "the refusal does not show the way: %.*s", (int)answer.said.message.len,
                   (const char *)answer.said.message.at);
    buf_release(&bytes);
}

/* ---- state, lock, id ---- */

static void what_the_state_or_the_lock_forbids_changes_nothing(void **state)
{
    uint64_t size = journal_size();

    (void)state;
    told(tomas, command(tomas, "report", audit, "{}"), 409, "wrong-state");
    told(ines, command(ines, "put_in_force", document, "{}"), 409, "wrong-state");
    told(tomas,
         whole(
             text("{\"v\":1,\"id\":\"%s\",\"command\":\"edit\",\"record\":\"%s\",\"if_revision\":1,"
                  "\"args\":{\"set\":{\"scope\":\"u\"}}}",
                  new_id(house), audit)),
         409, "revision-mismatch");
    told(tomas,
         whole(text(
             "{\"v\":1,\"id\":\"%s\",\"command\":\"begin\",\"record\":\"%s\",\"if_revision\":1}",
             new_id(house), audit)),
         409, "revision-mismatch");
    told(
        tomas,
        whole(text("{\"v\":1,\"id\":\"%s\",\"command\":\"begin\",\"record\":\"%s\",\"deadline\":1}",
                   new_id(house), audit)),
        504, "deadline-passed");
    assert_int_equal(journal_size(), size);
}

static void the_same_id_gives_the_same_answer_and_for_something_else_none(void **state)
{
    const char *id = new_id(house), *args = "{\"set\":{\"scope\":\"v\"}}";
    struct answer first = command_with(tomas, id, "edit", audit, args), again;
    struct client *other = client_new(house, "tomas");
    uint64_t size = journal_size();

    (void)state;
    expect(tomas, &first, 200, "");
    again = command_with(other, id, "edit", audit, args);
    expect(tomas, &again, 200, "");
    assert_true(again.said.duplicate && !first.said.duplicate);
    assert_true(again.said.seq == first.said.seq && again.said.revision == first.said.revision);
    told(tomas, command_with(tomas, id, "edit", audit, "{\"set\":{\"scope\":\"w\"}}"), 409,
         "id-reused");
    told(tomas, command_with(tomas, id, "edit", document, args), 409, "id-reused");
    told(tomas, command_with(tomas, id, "begin", audit, "{}"), 409, "id-reused");
    assert_int_equal(journal_size(), size);
    client_free(&other);
}

/* A client that did not hear asks again, later than it first wanted it done: it was done. */
static void a_repetition_is_answered_whatever_has_passed_since(void **state)
{
    const char *id = new_id(house);
    struct answer info = query(tomas, "info", "{}"), answer;
    long long soon = (long long)value_get_int(&info.said.out, "now_ms", 0) + 3600000;
    const char *said =
        text("{\"v\":1,\"id\":\"%s\",\"command\":\"edit\",\"record\":\"%s\",\"deadline\":%lld,"
             "\"args\":{\"set\":{\"scope\":\"x\"}}}",
             id, audit, soon);

    (void)state;
    told(tomas, whole(said), 200, "");
    house_advance(house, 2 * 3600000);
    answer = whole(said);
    expect(tomas, &answer, 200, "");
    assert_true(answer.said.duplicate);
}

static void another_persons_id_is_another_id(void **state)
{
    const char *id = new_id(house), *args = "{\"set\":{\"scope\":\"y\"}}";
    struct client *yuki = client_new(house, "yuki");

    (void)state;
    told(tomas, command_with(tomas, id, "edit", audit, args), 200, "");
    struct answer answer = command_with(yuki, id, "edit", audit, args);
    expect(yuki, &answer, 200, "");
    assert_false(answer.said.duplicate);
    client_free(&yuki);
}

/* ---- rights and signatures ---- */

static void what_a_rule_forbids_is_refused_and_written_down(void **state)
{
    uint64_t before = refusals_of("bo"), own = refusals_of("ines");
    const char *id = new_id(house);
    struct answer first, again;
    struct ballot ballot;

    (void)state;
    first = command_with(bo, id, "approve_plan", audit, "{}");
    expect(bo, &first, 403, "not-allowed");
    assert_int_equal(refusals_of("bo"), before + 1);
    again = command_with(bo, id, "approve_plan", audit, "{}");
    assert_true(again.said.duplicate && again.said.seq == first.said.seq && again.digits == 403);
    assert_int_equal(refusals_of("bo"), before + 1);
    /* The author of a document does not approve it. */
    ballot_prepare(ines, document, "approve", &ballot);
    told(ines, ballot_cast(ines, &ballot), 403, "separation-of-duties");
    assert_int_equal(refusals_of("ines"), own + 1);
    told(bo,
         command(bo, "directory.install", NULL,
                 "{\"people\":[{\"name\":\"bo\",\"roles\":[\"top_management\"]}]}"),
         403, "not-allowed");
    told(bo, command(bo, "task.cancel", NULL, "{\"task\":1}"), 403, "not-allowed");
    told(bo,
         whole(text("{\"v\":1,\"id\":\"%s\",\"command\":\"begin\",\"record\":\"%s\",\"on_behalf_"
                    "of\":\"tomas\"}",
                    new_id(house), audit)),
         403, "not-allowed");
}

static void a_refused_id_is_bound_to_what_was_refused(void **state)
{
    const char *id = new_id(house);

    (void)state;
    told(bo, command_with(bo, id, "edit", audit, "{\"set\":{\"scope\":\"a\"}}"), 403,
         "not-allowed");
    told(bo, command_with(bo, id, "edit", document, "{\"set\":{\"scope\":\"a\"}}"), 409,
         "id-reused");
}

static void only_the_right_signature_over_the_right_thing_counts(void **state)
{
    struct client *amara = client_new(house, "amara"), *henrik = client_new(house, "henrik");
    struct ballot good, bad;
    uint8_t *other = arena_zero(&house->arena, HASH_LEN);

    (void)state;
    ballot_prepare(amara, document, "approve", &good);
    bad = good; /* without a signature */
    told(amara, command(amara, "approve", document, "{}"), 409, "stale-content");
    bad.signature[7] ^= 1;
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good; /* the same signature under a new id */
    bad.id = new_id(house);
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good; /* by another's key */
    bad.id = new_id(house);
    memcpy(bad.signature, good.signature, sizeof bad.signature);
    told(henrik, ballot_cast(henrik, &bad), 403, "not-allowed");
    bad = good; /* another sentence */
    bad.id = new_id(house);
    bad.args = value_copy(&house->arena, &good.args);
    value_set(&house->arena, &bad.args, "statement", value_bin(other, HASH_LEN));
    ballot_sign(amara, &bad);
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good; /* another meaning */
    bad.id = new_id(house);
    bad.args = value_copy(&house->arena, &good.args);
    value_set(&house->arena, &bad.args, "meaning", value_str("reviewed"));
    ballot_sign(amara, &bad);
    told(amara, ballot_cast(amara, &bad), 403, "not-allowed");
    bad = good; /* other content */
    bad.id = new_id(house);
    bad.args = value_copy(&house->arena, &good.args);
    value_set(&house->arena, &bad.args, "digest", value_bin(other, HASH_LEN));
    ballot_sign(amara, &bad);
    told(amara, ballot_cast(amara, &bad), 409, "stale-content");
    bad = good; /* another round */
    bad.id = new_id(house);
    bad.args = value_copy(&house->arena, &good.args);
    value_set(&house->arena, &bad.args, "round", value_int(7));
    ballot_sign(amara, &bad);
    told(amara, ballot_cast(amara, &bad), 409, "stale-content");
    client_free(&amara);
    client_free(&henrik);
}

/* What was signed before an edit counts neither in the old round nor in the new. */
static void a_genuine_signature_counts_once_and_for_its_content_only(void **state)
{
    struct client *amara = client_new(house, "amara");
    struct ballot old, now;
    struct answer first, again;

    (void)state;
    ballot_prepare(amara, document, "approve", &old);
    told(ines, command(ines, "edit", document, "{\"title\":\"Another title\"}"), 200, "");
    told(amara, ballot_cast(amara, &old), 409, "wrong-state");
    told(ines, command(ines, "submit", document, "{}"), 200, "");
    told(amara, ballot_cast(amara, &old), 409, "stale-content");
    ballot_prepare(amara, document, "approve", &now);
    first = ballot_cast(amara, &now);
    expect(amara, &first, 200, "");
    again = ballot_cast(amara, &now);
    expect(amara, &again, 200, "");
    assert_true(again.said.duplicate && again.said.seq == first.said.seq);
    now.id = new_id(house); /* and once more, signed again */
    ballot_sign(amara, &now);
    told(amara, ballot_cast(amara, &now), 409, "wrong-state");
    client_free(&amara);
}

/* ---- workers ---- */

static void a_worker_serves_only_what_the_directory_lets_it(void **state)
{
    struct worker *thief = worker_new(house, "exec-worker", "audit.collect");
    const char *third = audit_planned(tomas, "third");

    (void)state;
    audit_begin(tomas, third);
    assert_false(worker_hears(thief, 200).came);
    until_workers(tomas, "audit.collect", 0);
    worker_free(&thief);
    told(ines, command(ines, "task.cancel", NULL, "{\"task\":999999,\"reason\":\"r\"}"), 404,
         "no-record");
}

static void a_result_that_is_no_result_is_still_a_result(void **state)
{
    struct worker *collector = worker_new(house, "collector", "audit.collect");
    const char *bytes = text("{\"a\":%s}", "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]");
    struct work work;

    (void)state;
    work = worker_hears(collector, PATIENCE_MS); /* of the third audit */
    assert_true(work.came);
    worker_replies(collector, work.token, bytes);
    work = worker_hears(collector, 100);
    assert_false(work.came);
    worker_free(&collector);
}

#define TEST(name) cmocka_unit_test_teardown(name, still_serves)
#define MISTAKES(name) cmocka_unit_test_setup_teardown(name, look_before, nothing_has_changed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MISTAKES(odd_frames_are_dropped_or_refused_and_hurt_nobody),
        MISTAKES(a_frame_over_a_mebibyte_ends_the_connection_and_nothing_else),
        MISTAKES(services_that_are_not_there_or_take_no_requests_say_so),
        MISTAKES(administration_is_not_offered_to_people_without_that_role),
        TEST(who_asks_too_much_at_once_is_told_which_to_ask_again),
        MISTAKES(bodies_that_cannot_be_read_are_malformed),
        TEST(the_keys_of_a_command_are_checked_one_by_one),
        MISTAKES(unknown_keys_inside_a_command_are_refused_too),
        MISTAKES(what_is_too_large_or_too_deep_is_told_so),
        MISTAKES(fields_of_the_wrong_type_are_refused_by_the_definition),
        TEST(json_asks_and_is_answered_in_json),
        MISTAKES(what_does_not_exist_is_told_so),
        MISTAKES(a_content_that_never_went_up_is_missed),
        MISTAKES(a_pack_with_a_way_round_its_approval_is_refused_with_that_way),
        MISTAKES(what_the_state_or_the_lock_forbids_changes_nothing),
        TEST(the_same_id_gives_the_same_answer_and_for_something_else_none),
        TEST(a_repetition_is_answered_whatever_has_passed_since),
        TEST(another_persons_id_is_another_id),
        TEST(what_a_rule_forbids_is_refused_and_written_down),
        TEST(a_refused_id_is_bound_to_what_was_refused),
        TEST(only_the_right_signature_over_the_right_thing_counts),
        TEST(a_genuine_signature_counts_once_and_for_its_content_only),
        TEST(a_worker_serves_only_what_the_directory_lets_it),
        TEST(a_result_that_is_no_result_is_still_a_result),
    };

    return cmocka_run_group_tests(tests, begin_house, end_house);
}
