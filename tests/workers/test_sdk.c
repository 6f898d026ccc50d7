/* librota against a broker that says what the test tells it: each test is a dialogue. */

#include "fake_broker.h"

#include "base/dmp.h"
#include "base/hash.h"
#include "sdk/rota.h"
#include "wire/body.h"
#include "wire/command.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { BEAT_MS = 60 };

static const char TOKEN[] = "T1.7.1.0123456789abcdef";

struct house { /* a worker in a thread of its own, and the broker in the test's */
    struct fake_broker broker;
    struct rota_worker *worker;
    pthread_t thread;
    atomic_int runs;
    atomic_bool let_go; /* a long task ends */
    atomic_bool saw_cancel;
    atomic_int drains; /* log lines that speak of draining */
};

static int greet(void *self, struct rota_task *task)
{
    struct house *house = self;

    atomic_fetch_add(&house->runs, 1);
    rota_put_text(rota_task_output(task), "/greeting",
                  rota_text(rota_task_input(task), "/name", "stranger"));
    rota_put_text(rota_task_output(task), "/key", rota_task_facts(task)->key);
    return 200;
}

static int wait_long(void *self, struct rota_task *task)
{
    struct house *house = self;

    atomic_fetch_add(&house->runs, 1);
    rota_task_progress(task, 40, "half way");
    while (!atomic_load(&house->let_go) && !rota_task_is_cancelled(task))
        usleep(1000);
    atomic_store(&house->saw_cancel, rota_task_is_cancelled(task));
    rota_task_say(task, "gone-home", "it took too long");
    rota_task_retry_after(task, 1234);
    return 503;
}

static void count_drains(void *self, enum rota_log_level level, const char *text)
{
    struct house *house = self;

    (void)level;
    if (strstr(text, "drains") != NULL)
        atomic_fetch_add(&house->drains, 1);
}

static void *run_worker(void *self)
{
    struct house *house = self;

    assert_int_equal(rota_worker_run(house->worker, NULL), 0);
    return NULL;
}

static void open_house(struct house *house, rota_task_fn *fn, int credit)
{
    struct rota_options options = {.name = "tester",
                                   .version = "9",
                                   .heartbeat_ms = BEAT_MS,
                                   .stop_ms = 200,
                                   .log = count_drains,
                                   .log_self = house};

    memset(house, 0, sizeof *house);
    fake_open(&house->broker, NULL);
    options.endpoint = house->broker.endpoint;
    assert_int_equal(rota_worker_open(&options, &house->worker, NULL), 0);
    assert_int_equal(rota_worker_serve(house->worker, "demo.greet", credit, fn, house, NULL), 0);
    assert_int_equal(pthread_create(&house->thread, NULL, run_worker, house), 0);
}

static void close_house(struct house *house)
{
    rota_worker_stop(house->worker);
    pthread_join(house->thread, NULL);
    rota_worker_close(&house->worker);
    fake_close(&house->broker);
}

static int status_of(struct house *house, const struct mdp_message *message)
{
    struct outcome outcome;

    assert_int_equal(outcome_decode(&house->broker.arena, message->body[0], &outcome, NULL), 0);
    return outcome.status;
}

static void a_worker_announces_itself_with_its_options(void **state)
{
    struct house house;
    struct mdp_message message;
    struct ready_options ready;

    (void)state;
    open_house(&house, greet, 3);
    fake_expect(&house.broker, MDP_READY, &message);
    assert_int_equal(message.dialect, MDP_02A);
    assert_true(slice_is(message.service, "demo.greet"));
    assert_true(message.has_options);
    assert_int_equal(ready_options_decode(&house.broker.arena, message.options, &ready, NULL), 0);
    assert_true(slice_is(ready.name, "tester"));
    assert_int_equal(ready.credit, 3);
    assert_true(ready.envelope);
    close_house(&house);
}

static void a_task_is_done_and_its_result_kept_until_acknowledged(void **state)
{
    struct house house;
    struct mdp_message message;
    struct value output;

    (void)state;
    open_house(&house, greet, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_request(&house.broker, TOKEN, "{\"v\":1,\"task\":7,\"attempt\":1,\"key\":\"k7\"}",
                 "{\"name\":\"Amara\"}");
    fake_expect(&house.broker, MDP_FINAL, &message);
    assert_true(slice_is(message.address, TOKEN));
    assert_int_equal(message.body_count, 2);
    assert_int_equal(status_of(&house, &message), 200);
    assert_int_equal(body_decode(&house.broker.arena, message.body[1], 16, &output, NULL, NULL), 0);
    assert_true(slice_is(value_get_text(&output, "greeting"), "Amara"));
    assert_true(slice_is(value_get_text(&output, "key"), "k7"));

    fake_beat(&house.broker, NULL, NULL, false);
    fake_expect(&house.broker, MDP_FINAL, &message); /* the same again */
    assert_true(slice_is(message.address, TOKEN));
    fake_beat(&house.broker, TOKEN, NULL, false);
    for (int i = 0; i < 6; i++) {
        assert_true(fake_read(&house.broker, FAKE_WAIT_MS, &message));
        fake_beat(&house.broker, NULL, NULL, false);
        if (i > 0)
            assert_int_equal(message.verb, MDP_HEARTBEAT);
    }
    assert_int_equal(atomic_load(&house.runs), 1);
    close_house(&house);
}

static void a_long_task_keeps_its_lease_and_tells_its_progress(void **state)
{
    struct house house;
    struct mdp_message message;
    struct beat_options beat;
    struct progress progress;
    bool saw_progress = false;

    (void)state;
    open_house(&house, wait_long, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_request(&house.broker, TOKEN, "{\"v\":1,\"task\":7,\"lease_ms\":150}", "{}");
    for (int beats = 0; beats < 3 || !saw_progress;) {
        assert_true(fake_read(&house.broker, FAKE_WAIT_MS, &message));
        if (message.verb == MDP_PARTIAL) {
            assert_int_equal(progress_decode(&house.broker.arena, message.body[0], &progress, NULL),
                             0);
            assert_int_equal(progress.percent, 40);
            saw_progress = true;
        }
        if (message.verb != MDP_HEARTBEAT)
            continue;
        assert_int_equal(beat_options_decode(&house.broker.arena, message.options, &beat, NULL), 0);
        beats += beat.running_count == 1 && slice_is(beat.running[0], TOKEN);
        fake_beat(&house.broker, NULL, NULL, false);
    }
    atomic_store(&house.let_go, true);
    fake_expect(&house.broker, MDP_FINAL, &message);
    assert_int_equal(status_of(&house, &message), 503);
    close_house(&house);
}

static void a_task_taken_back_is_told_and_its_result_not_sent(void **state)
{
    struct house house;
    struct mdp_message message;

    (void)state;
    open_house(&house, wait_long, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_request(&house.broker, TOKEN, "{\"v\":1}", "{}");
    fake_expect(&house.broker, MDP_PARTIAL, &message);
    fake_beat(&house.broker, NULL, TOKEN, false);
    while (!atomic_load(&house.saw_cancel)) {
        fake_read(&house.broker, 10, &message);
        fake_beat(&house.broker, NULL, NULL, false);
    }
    for (int i = 0; i < 4; i++) {
        fake_beat(&house.broker, NULL, NULL, false);
        assert_true(fake_read(&house.broker, FAKE_WAIT_MS, &message));
        assert_int_not_equal(message.verb, MDP_FINAL);
    }
    close_house(&house);
}

static void what_cannot_be_read_is_answered_400(void **state)
{
    struct house house;
    struct mdp_message message;

    (void)state;
    open_house(&house, greet, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_request(&house.broker, TOKEN, "{\"v\":1}", "{\"name\":");
    fake_expect(&house.broker, MDP_FINAL, &message);
    assert_int_equal(status_of(&house, &message), 400);
    assert_int_equal(atomic_load(&house.runs), 0);
    close_house(&house);
}

static void after_disconnect_it_announces_itself_and_resends(void **state)
{
    struct house house;
    struct mdp_message message;
    struct mdp_message go = {.dialect = MDP_02A, .party = MDP_WORKER, .verb = MDP_DISCONNECT};

    (void)state;
    open_house(&house, greet, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_request(&house.broker, TOKEN, "{\"v\":1}", "{}");
    fake_expect(&house.broker, MDP_FINAL, &message);
    fake_say(&house.broker, &go);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_expect(&house.broker, MDP_FINAL, &message);
    assert_true(slice_is(message.address, TOKEN));
    assert_int_equal(atomic_load(&house.runs), 1);
    close_house(&house);
}

static void an_engine_that_comes_back_gets_ready_and_the_result(void **state)
{
    struct house house;
    struct mdp_message message;
    char endpoint[128];

    (void)state;
    open_house(&house, wait_long, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_request(&house.broker, TOKEN, "{\"v\":1}", "{}");
    fake_expect(&house.broker, MDP_PARTIAL, &message);
    memcpy(endpoint, house.broker.endpoint, sizeof endpoint);
    fake_close(&house.broker);
    atomic_store(&house.let_go, true);
    fake_open(&house.broker, endpoint);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_expect(&house.broker, MDP_FINAL, &message);
    assert_true(slice_is(message.address, TOKEN));
    close_house(&house);
}

static void an_engine_that_drains_keeps_its_workers(void **state)
{
    struct house house;
    struct mdp_message message;

    (void)state;
    open_house(&house, greet, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    while (atomic_load(&house.drains) == 0) {
        fake_beat(&house.broker, NULL, NULL, true);
        fake_expect(&house.broker, MDP_HEARTBEAT, &message);
    }
    fake_beat(&house.broker, NULL, NULL, true);
    fake_request(&house.broker, TOKEN, "{\"v\":1}", "{}");
    fake_expect(&house.broker, MDP_FINAL, &message);
    assert_int_equal(status_of(&house, &message), 200);
    assert_int_equal(atomic_load(&house.drains), 1); /* said once */
    fake_beat(&house.broker, TOKEN, NULL, true);
    close_house(&house);
}

static void at_the_end_it_gives_back_its_credit_and_says_goodbye(void **state)
{
    struct house house;
    struct mdp_message message;
    struct beat_options beat = {.credit = -1};

    (void)state;
    open_house(&house, wait_long, 1);
    fake_expect(&house.broker, MDP_READY, &message);
    fake_request(&house.broker, TOKEN, "{\"v\":1}", "{}");
    fake_expect(&house.broker, MDP_PARTIAL, &message);
    rota_worker_stop(house.worker);
    while (beat.credit != 0) {
        fake_expect(&house.broker, MDP_HEARTBEAT, &message);
        beat_options_decode(&house.broker.arena, message.options, &beat, NULL);
        fake_beat(&house.broker, NULL, NULL, true);
    }
    fake_expect(&house.broker, MDP_DISCONNECT, &message);
    pthread_join(house.thread, NULL);
    assert_true(atomic_load(&house.saw_cancel)); /* stop_ms was over */
    rota_worker_close(&house.worker);
    fake_close(&house.broker);
}

/* ---- clients ---- */

struct caller {
    struct fake_broker broker;
    struct rota_client *client;
    pthread_t thread;
    int status;
    struct rota_doc *reply;
    struct rota_error err;
    unsigned char seed[32];
    int64_t seen, next; /* of events */
};

static void open_caller(struct caller *caller, void *(*ask)(void *))
{
    struct rota_options options = {.name = "tester"};

    memset(caller, 0, sizeof *caller);
    memset(caller->seed, 7, sizeof caller->seed);
    fake_open(&caller->broker, NULL);
    options.endpoint = caller->broker.endpoint;
    assert_int_equal(rota_client_open(&options, &caller->client, NULL), 0);
    rota_client_patience(caller->client, 300, 4);
    assert_int_equal(pthread_create(&caller->thread, NULL, ask, caller), 0);
}

static void close_caller(struct caller *caller)
{
    rota_doc_free(&caller->reply);
    rota_client_close(&caller->client);
    fake_close(&caller->broker);
}

static void *submit(void *self)
{
    struct caller *caller = self;
    struct rota_command command = ROTA_COMMAND_INIT;

    command.command = "submit";
    command.record = "SCP-0001@2.0";
    command.if_revision = 4;
    caller->status = rota_command(caller->client, &command, &caller->reply, &caller->err);
    return NULL;
}

static void *upload(void *self)
{
    struct caller *caller = self;
    unsigned char content[ROTA_CONTENT_LEN];

    caller->status = rota_upload(caller->client, "abc", 3, content, &caller->err);
    return NULL;
}

static void *approve(void *self)
{
    struct caller *caller = self;
    struct rota_signer signer = {.seed = caller->seed};
    struct rota_decision decision = {
        .id = "decision-00000001", .record = "SCP-0001@2.0", .event = "approve"};

    caller->status = rota_decide(caller->client, &decision, &signer, &caller->reply, &caller->err);
    return NULL;
}

static void read_command(struct caller *caller, struct mdp_message *message, struct command *out)
{
    struct reply no;

    fake_expect(&caller->broker, MDP_REQUEST, message);
    assert_true(slice_is(message->service, "rota.command.v1"));
    assert_int_equal(command_decode(&caller->broker.arena, message->body[0], out, NULL, &no), 0);
}

static void a_command_is_asked_again_under_the_same_id(void **state)
{
    struct caller caller;
    struct mdp_message message;
    struct command first, again;
    char first_id[65] = "";

    (void)state;
    open_caller(&caller, submit);
    read_command(&caller, &message, &first); /* and no answer */
    memcpy(first_id, first.id.at, first.id.len);
    read_command(&caller, &message, &again);
    assert_true(slice_is(again.id, first_id));
    assert_true(slice_is(again.command, "submit"));
    assert_int_equal(again.if_revision, 4);
    fake_reply(&caller.broker, &message, "503", "{\"v\":1,\"status\":503,\"code\":\"draining\"}");
    read_command(&caller, &message, &again);
    assert_true(slice_is(again.id, first_id));
    fake_reply(&caller.broker, &message, "200",
               "{\"v\":1,\"status\":200,\"revision\":5,\"out\":{\"state\":\"submitted\"}}");
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, 200);
    assert_int_equal(rota_int(rota_doc_value(caller.reply), "/revision", 0), 5);
    assert_string_equal(rota_text(rota_doc_value(caller.reply), "/out/state", ""), "submitted");
    close_caller(&caller);
}

static void a_refusal_is_a_status_with_its_code(void **state)
{
    struct caller caller;
    struct mdp_message message;
    struct command command;

    (void)state;
    open_caller(&caller, submit);
    read_command(&caller, &message, &command);
    fake_reply(&caller.broker, &message, "409",
               "{\"v\":1,\"status\":409,\"code\":\"wrong-state\",\"message\":\"It is in force.\"}");
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, 409);
    assert_string_equal(caller.err.code, "wrong-state");
    assert_string_equal(caller.err.text, "It is in force.");
    close_caller(&caller);
}

static void content_goes_up_with_a_salt_and_is_compared(void **state)
{
    struct caller caller;
    struct mdp_message message;
    struct command command;
    uint8_t salt[16], hash[32];
    char hex[65], reply[200];

    (void)state;
    open_caller(&caller, upload);
    read_command(&caller, &message, &command);
    assert_true(slice_is(command.command, "content.put"));
    assert_true(slice_is(value_get_bin(&command.args, "data"), "abc"));
    assert_int_equal(value_get_bin(&command.args, "salt").len, 16);
    memcpy(salt, value_get_bin(&command.args, "salt").at, 16);
    hash_content(salt, slice_str("abc"), hash);
    hex_encode(slice_of(hash, 32), hex);
    snprintf(reply, sizeof reply,
             "{\"v\":1,\"status\":200,\"out\":{\"content\":\"hex:%s\",\"size\":3}}", hex);
    fake_reply(&caller.broker, &message, "200", reply);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, 0);
    close_caller(&caller);
}

static int keep_event(void *self, const struct rota_value *event)
{
    struct caller *caller = self;

    caller->seen = caller->seen * 10 + rota_int(event, "/sequence", 9);
    return rota_int(event, "/sequence", 0) == 4;
}

static void *follow(void *self)
{
    struct caller *caller = self;

    caller->next = rota_follow(caller->client, 2, NULL, keep_event, caller, NULL, &caller->err);
    return NULL;
}

static void events_come_once_each_and_in_order_over_an_outage(void **state)
{
    struct caller caller;
    struct mdp_message message;
    struct value map;

    (void)state;
    open_caller(&caller, follow);
    fake_expect(&caller.broker, MDP_REQUEST, &message);
    assert_true(slice_is(message.service, "rota.events.v1"));
    fake_reply(&caller.broker, &message, "200",
               "{\"v\":1,\"status\":200,\"out\":{\"events\":[{\"sequence\":2},\"hex:"
               "81a873657175656e636503\"],"
               "\"next\":4,\"head\":3}}");
    fake_expect(&caller.broker, MDP_REQUEST, &message); /* and no answer */
    fake_expect(&caller.broker, MDP_REQUEST, &message);
    assert_int_equal(body_decode(&caller.broker.arena, message.body[0], 6, &map, NULL, NULL), 0);
    assert_int_equal(value_get_int(&map, "from", 0), 4);
    fake_reply(&caller.broker, &message, "200",
               "{\"v\":1,\"status\":200,\"out\":{\"events\":[{\"sequence\":3},{\"sequence\":4},"
               "{\"sequence\":5}],\"next\":6,\"head\":5}}");
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.seen, 234);
    assert_int_equal(caller.next, 5);
    close_caller(&caller);
}

/* The tuple of evidence, built here once more and by hand. */
static void expected_message(struct buf *out, const struct command *command, const char *stream,
                             const struct value *args)
{
    uint8_t id[16];

    hash_command_id(slice_str("amara"), command->id, id);
    buf_add_str(out, "rota.command/1\n");
    dmp_put_array(out, 8);
    dmp_put_str(out, slice_str("example.org/isms"));
    dmp_put_bin(out, slice_of(id, sizeof id));
    dmp_put_str(out, slice_str("record.approve"));
    dmp_put_str(out, slice_str(stream));
    dmp_put_int(out, 0);
    dmp_put_str(out, slice_str("amara"));
    dmp_encode(out, args);
    dmp_put_nil(out);
}

static void a_decision_is_signed_over_what_the_engine_prepared(void **state)
{
    struct caller caller;
    struct mdp_message message;
    struct command command;
    struct buf tuple = BUF_EMPTY;
    uint8_t key[32];

    (void)state;
    open_caller(&caller, approve);
    fake_expect(&caller.broker, MDP_REQUEST, &message);
    assert_true(slice_is(message.service, "rota.query.v1"));
    fake_reply(&caller.broker, &message, "200",
               "{\"v\":1,\"status\":200,\"out\":{\"principal\":\"amara\"}}");
    fake_expect(&caller.broker, MDP_REQUEST, &message);
    fake_reply(&caller.broker, &message, "200",
               "{\"v\":1,\"status\":200,\"out\":{\"origin\":\"example.org/isms\","
               "\"type\":\"record.approve\",\"stream\":\"SCP-0001@2.0/round/1/amara\",\"rev\":0,"
               "\"digest\":\"hex:00000000000000000000000000000000"
               "00000000000000000000000000000000\",\"meaning\":\"approved\",\"round\":1,"
               "\"statement\":\"I approve.\"}}");
    read_command(&caller, &message, &command);
    assert_true(command.has_signature);
    assert_true(slice_is(value_get_text(&command.args, "meaning"), "approved"));
    expected_message(&tuple, &command, "SCP-0001@2.0/round/1/amara", &command.args);
    sign_public_key(caller.seed, key);
    assert_true(sign_verify(key, buf_slice(&tuple), command.signature));
    buf_release(&tuple);
    fake_reply(&caller.broker, &message, "200", "{\"v\":1,\"status\":200}");
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, 200);
    close_caller(&caller);
}

static void what_goes_together_is_signed_each_by_itself(void **state)
{
    struct caller caller;
    struct mdp_message message;
    struct command command;
    struct buf tuple = BUF_EMPTY;
    const struct value *also, *args;
    uint8_t key[32];

    (void)state;
    open_caller(&caller, approve);
    fake_expect(&caller.broker, MDP_REQUEST, &message);
    fake_reply(&caller.broker, &message, "200",
               "{\"v\":1,\"status\":200,\"out\":{\"principal\":\"amara\"}}");
    fake_expect(&caller.broker, MDP_REQUEST, &message);
    fake_reply(&caller.broker, &message, "200",
               "{\"v\":1,\"status\":200,\"out\":{\"origin\":\"example.org/isms\","
               "\"type\":\"record.approve\",\"stream\":\"SCP-0001@2.0/round/1/amara\",\"rev\":0,"
               "\"meaning\":\"approved\",\"round\":1,\"statement\":\"I approve.\","
               "\"also\":[{\"record\":\"EXC-0001@1.0\",\"type\":\"record.approve\","
               "\"stream\":\"EXC-0001@1.0/round/3/amara\",\"rev\":0,\"meaning\":\"authorised\","
               "\"round\":3,\"statement\":\"I authorise.\"}]}}");
    read_command(&caller, &message, &command);
    also = value_get(&command.args, "also");
    assert_true(value_is(also, VALUE_ARRAY) && also->count == 1);
    assert_true(slice_is(value_get_text(&also->as.items[0], "record"), "EXC-0001@1.0"));
    args = value_get(&also->as.items[0], "args");
    assert_true(slice_is(value_get_text(args, "meaning"), "authorised"));
    assert_int_equal(value_get_int(args, "round", 0), 3);
    sign_public_key(caller.seed, key);
    expected_message(&tuple, &command, "EXC-0001@1.0/round/3/amara", args);
    assert_true(
        sign_verify(key, buf_slice(&tuple), value_get_bin(&also->as.items[0], "signature").at));
    buf_clear(&tuple);
    expected_message(&tuple, &command, "SCP-0001@2.0/round/1/amara", &command.args);
    assert_true(sign_verify(key, buf_slice(&tuple), command.signature));
    buf_release(&tuple);
    fake_reply(&caller.broker, &message, "200", "{\"v\":1,\"status\":200}");
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, 200);
    close_caller(&caller);
}

/* Answers `prepare` as an engine whose directory has that digest, of one digit. */
static void prepare_under(struct caller *caller, char digit, const char *sentence)
{
    struct mdp_message message;
    char hash[65], reply[512];

    memset(hash, digit, 64);
    hash[64] = '\0';
    fake_expect(&caller->broker, MDP_REQUEST, &message);
    assert_true(slice_is(message.service, "rota.query.v1"));
    snprintf(reply, sizeof reply,
             "{\"v\":1,\"status\":200,\"out\":{\"principal\":\"amara\",\"origin\":"
             "\"example.org/isms\",\"type\":\"record.approve\","
             "\"stream\":\"SCP-0001@2.0/round/1/amara\",\"rev\":0,\"meaning\":\"approved\","
             "\"round\":1,\"under\":{\"directory\":\"hex:%s\"},\"statement\":\"%s\"}}",
             hash, sentence);
    fake_reply(&caller->broker, &message, "200", reply);
}

static void read_under(struct caller *caller, uint8_t digit)
{
    struct mdp_message message;
    struct command command;
    struct slice directory;

    read_command(caller, &message, &command);
    directory = value_get_bin(value_get(&command.args, "under"), "directory");
    assert_int_equal(directory.len, 32);
    assert_int_equal(directory.at[0], digit);
    fake_reply(&caller->broker, &message, digit == 0xbb ? "200" : "409",
               digit == 0xbb ? "{\"v\":1,\"status\":200}"
                             : "{\"v\":1,\"status\":409,\"code\":\"stale-rules\"}");
}

static void what_was_signed_while_the_directory_changed_is_signed_again(void **state)
{
    struct caller caller;

    (void)state;
    open_caller(&caller, approve);
    prepare_under(&caller, 'a', "I approve."); /* `info`: who we are */
    prepare_under(&caller, 'a', "I approve.");
    read_under(&caller, 0xaa);
    prepare_under(&caller, 'b', "I approve.");
    read_under(&caller, 0xbb);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, 200);
    close_caller(&caller);
}

static void nothing_else_is_signed_in_its_place(void **state)
{
    struct caller caller;

    (void)state;
    open_caller(&caller, approve);
    prepare_under(&caller, 'a', "I approve.");
    prepare_under(&caller, 'a', "I approve.");
    read_under(&caller, 0xaa);
    prepare_under(&caller, 'b', "I approve something else.");
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.status, -1);
    assert_string_equal(caller.err.code, "stale-rules");
    close_caller(&caller);
}

/* ---- values ---- */

static void values_are_read_and_built_by_pointers(void **state)
{
    struct rota_doc *doc = rota_doc_new();
    char *json;

    (void)state;
    assert_int_equal(rota_put_text(doc, "/a/b~1c", "x"), 0);
    assert_int_equal(rota_put_int(doc, "/rows/-/n", 1), 0);
    assert_int_equal(rota_put_int(doc, "/rows/-/n", 2), 0);
    assert_int_equal(rota_put_text(doc, "/a/b~1c/d", "x"), -1);
    assert_int_equal(rota_put_text(doc, "/bad", "\xff"), -1);
    json = rota_json(rota_doc_value(doc));
    assert_string_equal(json, "{\"a\":{\"b/c\":\"x\"},\"rows\":[{\"n\":1},{\"n\":2}]}");
    assert_int_equal(rota_int(rota_doc_value(doc), "/rows/1/n", 0), 2);
    assert_null(rota_at(rota_doc_value(doc), "/rows/2"));
    assert_string_equal(rota_text(rota_doc_value(doc), "/rows/0/n", "none"), "none");
    free(json);
    rota_doc_free(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_announces_itself_with_its_options),
        cmocka_unit_test(a_task_is_done_and_its_result_kept_until_acknowledged),
        cmocka_unit_test(a_long_task_keeps_its_lease_and_tells_its_progress),
        cmocka_unit_test(a_task_taken_back_is_told_and_its_result_not_sent),
        cmocka_unit_test(what_cannot_be_read_is_answered_400),
        cmocka_unit_test(after_disconnect_it_announces_itself_and_resends),
        cmocka_unit_test(an_engine_that_comes_back_gets_ready_and_the_result),
        cmocka_unit_test(an_engine_that_drains_keeps_its_workers),
        cmocka_unit_test(at_the_end_it_gives_back_its_credit_and_says_goodbye),
        cmocka_unit_test(a_command_is_asked_again_under_the_same_id),
        cmocka_unit_test(a_refusal_is_a_status_with_its_code),
        cmocka_unit_test(content_goes_up_with_a_salt_and_is_compared),
        cmocka_unit_test(events_come_once_each_and_in_order_over_an_outage),
        cmocka_unit_test(a_decision_is_signed_over_what_the_engine_prepared),
        cmocka_unit_test(what_goes_together_is_signed_each_by_itself),
        cmocka_unit_test(what_was_signed_while_the_directory_changed_is_signed_again),
        cmocka_unit_test(nothing_else_is_signed_in_its_place),
        cmocka_unit_test(values_are_read_and_built_by_pointers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
