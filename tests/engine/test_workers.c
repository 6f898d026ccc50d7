/* Workers that die, hang, come late, or outlive the engine: the task is done, once, and the journal says what happened.
 *
 * The workers of the Guide that are used here are programs of their own (peers/), killed and stopped for good.
 */
#include "peers.h"

#include "base/dmp.h"
#include "wire/token.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

struct stage {
    struct house *house;
    struct client *tomas, *ines;
};

struct program { /* a worker that is a process */
    pid_t process;
    int out; /* its stdout */
};

static void open_stage(struct stage *stage, const char *lease_ms)
{
    struct answer answer;

    stage->house = house_new();
    house_set(stage->house, "plain", "\"ipc://run/plain\"");
    house_set(stage->house, "heartbeat_ms", "200");
    house_set(stage->house, "idle_expiry_ms", "1000");
    house_set(stage->house, "plain_lease_ms", lease_ms);
    house_start(stage->house);
    stage->tomas = client_new(stage->house, "tomas");
    stage->ines = client_new(stage->house, "ines");
    answer = command(
        stage->ines, "directory.install", NULL,
        "{\"people\":[{\"name\":\"plain\",\"kind\":\"worker\",\"services\":[\"audit.collect\"]}]}");
    expect(stage->ines, &answer, 200, "");
    agree(stage->house, "henrik", &answer);
}

static void close_stage(struct stage *stage)
{
    client_free(&stage->tomas);
    client_free(&stage->ines);
    house_free(&stage->house);
}

/* ---- programs ---- */

static struct program start_program(char *const arguments[])
{
    struct program program = {0, -1};
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    program.process = fork();
    assert_true(program.process >= 0);
    if (program.process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 1);
        execv(arguments[0], arguments);
        _exit(127);
    }
    close(ends[1]);
    program.out = ends[0];
    return program;
}

static struct program guide_worker(struct stage *stage, const char *work_ms)
{
    char *arguments[] = {
        arena_str(&stage->house->arena, house_program(stage->house, "tests/engine/peers/mdworker")),
        arena_printf(&stage->house->arena, "ipc://%s/run/plain", stage->house->directory),
        "audit.collect", arena_str(&stage->house->arena, work_ms), NULL};

    return start_program(arguments);
}

static void until_says(struct program *program, const char *word)
{
    struct pollfd out = {program->out, POLLIN, 0};
    char said[64];
    ssize_t got;

    if (poll(&out, 1, PATIENCE_MS) != 1)
        fail_msg("the worker does not say \"%s\"", word);
    got = read(program->out, said, sizeof said - 1);
    said[got > 0 ? got : 0] = '\0';
    if (strstr(said, word) == NULL)
        fail_msg("the worker says \"%s\", not \"%s\"", said, word);
}

static void end_program(struct program *program)
{
    kill(program->process, SIGKILL);
    assert_int_equal(process_wait(program->process), 128 + SIGKILL);
    close(program->out);
    program->process = 0;
}

/* ---- an open task ---- */

static const char *begin_work(struct stage *stage)
{
    const char *audit = audit_planned(stage->tomas, "host");

    audit_begin(stage->tomas, audit);
    return audit;
}

static void done_once(struct stage *stage, const char *audit, int failures)
{
    until_entries(stage->tomas, audit, "task.done", 1);
    assert_int_equal(entries_of(stage->tomas, audit, "task.failed"), failures);
}

/* ---- tests ---- */

/* A task of a new audit that a worker has in hand; gives the audit. */
static const char *lend(struct stage *stage, const char *lease_ms, struct worker **collector,
                        struct work *work)
{
    const char *audit;

    open_stage(stage, lease_ms);
    *collector = worker_new(stage->house, "collector", "audit.collect");
    audit = begin_work(stage);
    *work = worker_hears(*collector, PATIENCE_MS);
    assert_true(work->came);
    return audit;
}

static void a_worker_of_the_guide_is_served_unmodified(void **state)
{
    struct stage stage;
    struct program program;
    const char *first, *second;

    (void)state;
    open_stage(&stage, "60000");
    program = guide_worker(&stage, "0");
    until_workers(stage.tomas, "audit.collect", 1);
    first = begin_work(&stage);
    done_once(&stage, first, 0);
    /* Heartbeats keep it, longer than an idle worker would be remembered; and after a restart it comes by itself. */
    poll(NULL, 0, 1200);
    until_workers(stage.tomas, "audit.collect", 1);
    assert_int_equal(house_stop(stage.house), 0);
    house_start(stage.house);
    second = begin_work(&stage);
    done_once(&stage, second, 0);
    end_program(&program);
    close_stage(&stage);
}

static void one_in_python_too(void **state)
{
    struct stage stage;
    char *arguments[] = {"/usr/bin/python3", "tests/engine/peers/mdworker.py", NULL,
                         "audit.collect", NULL};
    char *probe[] = {"/usr/bin/python3", "-c", "import zmq", NULL};
    struct program program;

    (void)state;
    if (run_program(probe, NULL) != 0) {
        print_message("skipped: /usr/bin/python3 has no zmq\n");
        skip();
    }
    open_stage(&stage, "60000");
    arguments[2] = arena_printf(&stage.house->arena, "ipc://%s/run/plain", stage.house->directory);
    program = start_program(arguments);
    done_once(&stage, begin_work(&stage), 0);
    end_program(&program);
    close_stage(&stage);
}

static void an_idle_worker_that_is_killed_is_forgotten_at_the_next_heartbeat(void **state)
{
    struct stage stage;
    struct program program;

    (void)state;
    open_stage(&stage, "60000");
    program = guide_worker(&stage, "0");
    until_workers(stage.tomas, "audit.collect", 1);
    end_program(&program);
    until_workers(stage.tomas, "audit.collect", 0);
    program = guide_worker(&stage, "0");
    done_once(&stage, begin_work(&stage), 0);
    end_program(&program);
    close_stage(&stage);
}

static void a_busy_worker_that_is_killed_gives_its_task_back_at_once(void **state)
{
    struct stage stage;
    struct program slow, quick;
    const char *audit;

    (void)state;
    open_stage(&stage, "60000"); /* the lease alone would keep it for a minute */
    slow = guide_worker(&stage, "60000");
    audit = begin_work(&stage);
    until_says(&slow, "task");
    end_program(&slow);
    until_entries(stage.tomas, audit, "task.failed", 1);
    quick = guide_worker(&stage, "0");
    house_advance(stage.house, 5000); /* the pause before the next attempt */
    done_once(&stage, audit, 1);
    end_program(&quick);
    close_stage(&stage);
}

static void a_worker_that_hangs_loses_its_task_and_its_late_result_counts_for_nothing(void **state)
{
    struct stage stage;
    struct program hanging, other;
    const char *audit;

    (void)state;
    open_stage(&stage, "1000");
    hanging = guide_worker(&stage, "200");
    audit = begin_work(&stage);
    until_says(&hanging, "task");
    kill(hanging.process, SIGSTOP);
    until_entries(stage.tomas, audit, "task.failed", 1);
    other = guide_worker(&stage, "0");
    house_advance(stage.house, 5000);
    done_once(&stage, audit, 1);
    kill(hanging.process, SIGCONT);
    until_says(&hanging, "done"); /* it has answered, too late */
    done_once(&stage, begin_work(&stage), 0);
    done_once(&stage, audit, 1);
    end_program(&hanging);
    end_program(&other);
    close_stage(&stage);
}

static void a_silent_busy_worker_outlives_the_patience_for_idle_ones(void **state)
{
    struct stage stage;
    struct program program;
    const char *audit;

    (void)state;
    open_stage(&stage, "10000");
    program = guide_worker(&stage, "1800"); /* silent for longer than idle_expiry_ms */
    audit = begin_work(&stage);
    until_says(&program, "task");
    done_once(&stage, audit, 0);
    end_program(&program);
    close_stage(&stage);
}

static void work_in_hand_when_the_engine_dies_lands_once_when_it_is_back(void **state)
{
    struct stage stage;
    struct worker *collector;
    const char *audit;
    struct work work;

    (void)state;
    audit = lend(&stage, "60000", &collector, &work);
    house_kill(stage.house);
    worker_replies(collector, work.token, "{\"n\":1}"); /* while nobody is there */
    house_start(stage.house);
    done_once(&stage, audit, 0);
    worker_replies(collector, work.token, "{\"n\":2}");
    /* It is asked to announce itself, and served again. */
    audit = begin_work(&stage);
    work = worker_hears(collector, PATIENCE_MS);
    assert_true(work.came && collector->farewells > 0);
    worker_replies(collector, work.token, "{}");
    done_once(&stage, audit, 0);
    worker_free(&collector);
    close_stage(&stage);
}

static void a_result_whose_receipt_nobody_got_is_not_counted_twice(void **state)
{
    struct stage stage;
    struct worker *collector;
    const char *audit;
    struct work work;

    (void)state;
    audit = lend(&stage, "60000", &collector, &work);
    worker_replies(collector, work.token, "{}");
    done_once(&stage, audit, 0);
    house_kill(stage.house);
    house_start(stage.house);
    worker_replies(collector, work.token, "{}");
    worker_beats(collector);
    assert_false(worker_hears(collector, 100).came);
    done_once(&stage, audit, 0);
    worker_free(&collector);
    close_stage(&stage);
}

/* The row of the one lease that is stored, as it lies on the disk; false: there is none. */
static bool stored_lease(struct house *house, struct value *row)
{
    sqlite3_stmt *select = NULL;
    sqlite3 *db = NULL;
    bool is_there;

    house_prove(house, false);
    assert_int_equal(sqlite3_open(house_path(house, "proof.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT row FROM lease", -1, &select, NULL), SQLITE_OK);
    is_there = sqlite3_step(select) == SQLITE_ROW;
    if (is_there) {
        size_t len = (size_t)sqlite3_column_bytes(select, 0);
        char *kept = arena_copy(&house->arena, sqlite3_column_blob(select, 0), len);

        assert_int_equal(dmp_decode(&house->arena, slice_of(kept, len), row, NULL), 0);
        assert_int_equal(sqlite3_step(select), SQLITE_DONE);
    }
    sqlite3_finalize(select);
    sqlite3_close(db);
    return is_there;
}

/* The engine dies with work in hand, and again and again after each start. The lease as it was at first, and after each. */
static void die_often(struct stage *stage, struct value *before, struct value *after)
{
    struct value again;

    house_kill(stage->house);
    assert_true(stored_lease(stage->house, before));
    assert_false(value_get_bool(before, "restored", false));
    for (int i = 0; i < 3; i++) {
        house_start(stage->house);
        house_kill(stage->house);
        assert_true(stored_lease(stage->house, i == 0 ? after : &again));
        assert_true(i == 0 || value_equal(&again, after));
    }
    assert_true(value_get_bool(after, "restored", false));
}

static void a_lease_is_worth_what_it_says_however_often_the_engine_dies(void **state)
{
    struct stage stage;
    struct worker *collector;
    struct value before, after;
    const char *audit;
    struct work work;

    (void)state;
    audit = lend(&stage, "60000", &collector, &work);
    die_often(&stage, &before, &after);
    assert_int_equal(value_get_int(&after, "until_ms", 0), value_get_int(&before, "until_ms", 1));
    worker_replies(collector, work.token, "{\"n\":1}");
    house_start(stage.house);
    done_once(&stage, audit, 0);
    assert_false(stored_lease(stage.house, &after));
    worker_free(&collector);
    close_stage(&stage);
}

/* Crash after crash, a task that was lent waits for its worker beyond its lease once, not each time anew. */
static void a_lease_that_is_over_is_prolonged_by_the_first_start_and_by_no_other(void **state)
{
    struct stage stage;
    struct worker *collector;
    struct value before, after;
    struct work work;

    (void)state;
    lend(&stage, "1000", &collector, &work);
    die_often(&stage, &before, &after);
    assert_true(value_get_int(&after, "until_ms", 0) > value_get_int(&before, "until_ms", 0));
    worker_free(&collector);
    close_stage(&stage);
}

/* A lease of work that somebody gave up is no row for ever. */
static void the_lease_of_a_task_that_is_cancelled_goes_with_it(void **state)
{
    struct stage stage;
    struct worker *collector;
    struct answer answer;
    struct value row;
    struct work work;
    int64_t task;
    int attempt;

    (void)state;
    lend(&stage, "60000", &collector, &work);
    assert_true(stored_lease(stage.house, &row));
    assert_int_equal(token_parse(slice_str(work.token), &task, &attempt), 0);
    answer = command(stage.ines, "task.cancel", NULL,
                     arena_printf(&stage.house->arena, "{\"task\":%lld}", (long long)task));
    expect(stage.ines, &answer, 200, "");
    assert_false(stored_lease(stage.house, &row));
    worker_free(&collector);
    close_stage(&stage);
}

/* An id names one run for ever: a worker that spends its token on a command of its own would break the batch that its
 * result is stored in. */
static void a_token_is_no_id_for_a_command(void **state)
{
    struct stage stage;
    struct worker *collector;
    struct client *itself;
    struct answer answer;
    const char *audit;
    struct work work;

    (void)state;
    audit = lend(&stage, "60000", &collector, &work);
    itself = client_new(stage.house, "collector");
    answer = command_with(itself, work.token, "edit", audit, "{\"set\":{\"scope\":\"a\"}}");
    expect(itself, &answer, 400, "malformed");
    worker_replies(collector, work.token, "{}");
    done_once(&stage, audit, 0);
    client_free(&itself);
    worker_free(&collector);
    close_stage(&stage);
}

static void each_attempt_has_another_token_of_the_same_task(void **state)
{
    struct stage stage;
    struct worker *one, *two;
    int64_t task[2];
    struct work work;
    int attempt[2];
    const char *audit;

    (void)state;
    open_stage(&stage, "1000");
    one = worker_new(stage.house, "collector", "audit.collect");
    audit = begin_work(&stage);
    work = worker_hears(one, PATIENCE_MS);
    assert_int_equal(token_parse(slice_str(work.token), &task[0], &attempt[0]), 0);
    until_entries(stage.tomas, audit, "task.failed", 1); /* it lets the lease run out */
    two = worker_new(stage.house, "collector", "audit.collect");
    house_advance(stage.house, 5000);
    worker_replies(one, work.token, "{\"late\":true}");
    work = worker_hears(two, PATIENCE_MS);
    if (!work.came)
        work = worker_hears(one, PATIENCE_MS);
    assert_true(work.came);
    assert_int_equal(token_parse(slice_str(work.token), &task[1], &attempt[1]), 0);
    assert_true(task[0] == task[1] && attempt[1] == attempt[0] + 1);
    worker_replies(two, work.token, "{}");
    done_once(&stage, audit, 1);
    worker_free(&one);
    worker_free(&two);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_of_the_guide_is_served_unmodified),
        cmocka_unit_test(one_in_python_too),
        cmocka_unit_test(an_idle_worker_that_is_killed_is_forgotten_at_the_next_heartbeat),
        cmocka_unit_test(a_busy_worker_that_is_killed_gives_its_task_back_at_once),
        cmocka_unit_test(a_worker_that_hangs_loses_its_task_and_its_late_result_counts_for_nothing),
        cmocka_unit_test(a_silent_busy_worker_outlives_the_patience_for_idle_ones),
        cmocka_unit_test(work_in_hand_when_the_engine_dies_lands_once_when_it_is_back),
        cmocka_unit_test(a_result_whose_receipt_nobody_got_is_not_counted_twice),
        cmocka_unit_test(a_lease_is_worth_what_it_says_however_often_the_engine_dies),
        cmocka_unit_test(a_lease_that_is_over_is_prolonged_by_the_first_start_and_by_no_other),
        cmocka_unit_test(the_lease_of_a_task_that_is_cancelled_goes_with_it),
        cmocka_unit_test(a_token_is_no_id_for_a_command),
        cmocka_unit_test(each_attempt_has_another_token_of_the_same_task),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
