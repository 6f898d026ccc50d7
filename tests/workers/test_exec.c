/* rota-exec's service: programs and their exit statuses, as a broker sees them. */

#include "fake_broker.h"
#include "scratch.h"

#include "exec/serve.h"
#include "wire/body.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { BEAT_MS = 60 };

static const char TOKEN[] = "T1.9.2.0123456789abcdef";
static const char HEADER[] =
    "{\"v\":1,\"task\":9,\"attempt\":2,\"record\":\"FND-0007\",\"key\":\"k9\"}";

struct shop { /* a worker that runs one shell script, and the broker */
    struct fake_broker broker;
    struct rota_worker *worker;
    struct serving serving;
    char *argv[4];
    pthread_t thread;
    struct mdp_message message;
};

static void *run_worker(void *self)
{
    struct shop *shop = self;

    rota_worker_run(shop->worker, NULL);
    return NULL;
}

static void open_shop(struct shop *shop, const char *script, int64_t run_ms)
{
    struct rota_options options = {.name = "exec", .heartbeat_ms = BEAT_MS, .stop_ms = 100};

    memset(shop, 0, sizeof *shop);
    fake_open(&shop->broker, NULL);
    options.endpoint = shop->broker.endpoint;
    shop->argv[0] = "/bin/sh";
    shop->argv[1] = "-c";
    shop->argv[2] = (char *)(uintptr_t)script;
    shop->serving = (struct serving){.argv = shop->argv, .run_ms = run_ms, .folder_fd = -1};
    assert_int_equal(rota_worker_open(&options, &shop->worker, NULL), 0);
    assert_int_equal(
        rota_worker_serve(shop->worker, "exec.test", 1, serving_run, &shop->serving, NULL), 0);
    assert_int_equal(pthread_create(&shop->thread, NULL, run_worker, shop), 0);
    fake_expect(&shop->broker, MDP_READY, &shop->message);
    fake_request(&shop->broker, TOKEN, HEADER, "{\"name\":\"Amara\"}");
}

static void close_shop(struct shop *shop)
{
    fake_beat(&shop->broker, TOKEN, NULL, false);
    rota_worker_stop(shop->worker);
    pthread_join(shop->thread, NULL);
    rota_worker_close(&shop->worker);
    fake_close(&shop->broker);
}

/* What came of the task; the output as a value. */
static struct outcome result_of(struct shop *shop, struct value *output)
{
    struct outcome outcome;
    struct mdp_message *message = &shop->message;

    do {
        assert_true(fake_read(&shop->broker, FAKE_WAIT_MS, message));
        fake_beat(&shop->broker, NULL, NULL, false);
    } while (message->verb != MDP_FINAL);
    assert_int_equal(outcome_decode(&shop->broker.arena, message->body[0], &outcome, NULL), 0);
    assert_int_equal(body_decode(&shop->broker.arena, message->body[1], 16, output, NULL, NULL), 0);
    return outcome;
}

static void expect(const char *script, int64_t run_ms, int status, const char *code,
                   const char *reason)
{
    struct shop shop;
    struct value output;
    struct outcome outcome;

    open_shop(&shop, script, run_ms);
    outcome = result_of(&shop, &output);
    assert_int_equal(outcome.status, status);
    assert_true(slice_is(outcome.code, code));
    assert_true(slice_is(outcome.message, reason));
    close_shop(&shop);
}

static void a_program_reads_the_input_and_prints_the_output(void **state)
{
    struct shop shop;
    struct value output;
    struct outcome outcome;

    (void)state;
    open_shop(&shop,
              "read line; printf '{\"got\":%s,\"task\":\"%s %s %s %s\"}\\n' \"$line\" "
              "\"$ROTA_TASK\" \"$ROTA_ATTEMPT\" \"$ROTA_RECORD\" \"$ROTA_KEY\" || true",
              0);
    outcome = result_of(&shop, &output);
    assert_int_equal(outcome.status, 200);
    assert_true(slice_is(value_get_text(value_get(&output, "got"), "name"), "Amara"));
    assert_true(slice_is(value_get_text(&output, "task"), "9 2 FND-0007 k9"));
    close_shop(&shop);
}

static void the_exit_status_says_what_became_of_it(void **state)
{
    (void)state;
    expect("exit 0", 0, 200, "", "");
    expect("echo one >&2; echo the disk is full >&2; exit 1", 0, 500, "exit-1", "the disk is full");
    expect("echo bad input >&2; exit 65", 0, 400, "exit-65", "bad input");
    expect("exit 64", 0, 400, "exit-64", "");
    expect("exit 75", 0, 503, "exit-75", "");
    expect("kill -9 $$", 0, 500, "signal-9", "");
}

static void output_that_is_no_json_is_a_failure(void **state)
{
    struct shop shop;
    struct value output;

    (void)state;
    open_shop(&shop, "echo hello", 0);
    assert_int_equal(result_of(&shop, &output).status, 500);
    close_shop(&shop);
}

static void a_program_that_prints_too_much_or_runs_too_long_is_ended(void **state)
{
    (void)state;
    expect("exec yes", 0, 500, "stopped", "the program printed more than 16 KiB");
    expect("exec sleep 60", 100, 500, "stopped", "the program took too long");
}

static void a_task_taken_back_kills_the_whole_group(void **state)
{
    struct shop shop;
    struct buf text = BUF_EMPTY;
    char folder[64], script[300];
    int pid = 0;

    (void)state;
    scratch_make(folder);
    snprintf(script, sizeof script, "sleep 60 & echo $! >%s/draft; mv %s/draft %s/pid; wait",
             folder, folder, folder);
    open_shop(&shop, script, 0);
    while (scratch_read(folder, "pid", &text) != 0) {
        fake_read(&shop.broker, 10, &shop.message);
        fake_beat(&shop.broker, NULL, NULL, false);
    }
    pid = atoi(buf_text(&text));
    assert_true(pid > 1 && kill(pid, 0) == 0);
    fake_beat(&shop.broker, NULL, TOKEN, false);
    for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++) {
        char path[64], stat[64] = "";
        FILE *file;

        fake_read(&shop.broker, 10, &shop.message);
        fake_beat(&shop.broker, NULL, NULL, false);
        /* Nobody may collect an orphan in a container: dead is dead, collected or not. */
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        file = fopen(path, "r");
        if (file == NULL)
            break;
        if (fscanf(file, "%*d %*s %1s", stat) == 1 && stat[0] == 'Z')
            pid = -1;
        fclose(file);
        if (pid < 0)
            break;
    }
    assert_true(pid < 0 || kill(pid, 0) != 0);
    close_shop(&shop);
    scratch_remove(folder);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_reads_the_input_and_prints_the_output),
        cmocka_unit_test(the_exit_status_says_what_became_of_it),
        cmocka_unit_test(output_that_is_no_json_is_a_failure),
        cmocka_unit_test(a_program_that_prints_too_much_or_runs_too_long_is_ended),
        cmocka_unit_test(a_task_taken_back_kills_the_whole_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
