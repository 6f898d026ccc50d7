/* Open tasks after a restart: read in pages, given out once each and in order, whatever becomes of them before their page comes.
 *
 * An engine of parts: a journal in memory that holds rows of tasks, core, broker. One plain worker takes what it is given, and
 * what it has done is no more.
 */
#include "daemon/engine.h"

#include "base/dmp.h"
#include "wire/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum {
    TASKS = 1300, /* more than two pages: the keys of those from 300 on are not on the first */
    ROOM = 2 * TASKS,
    NOW_MS = 1900000000,
    MORE_TURNS = 5,
    PATIENCE_MS = 30000, /* for hangs */
    TURN_MS = 2
};

struct scene {
    struct engine engine;
    char directory[96];
    void *worker;
    int64_t given[ROOM], lost[ROOM];
    int given_count, lost_count, done_count;
    int done_before; /* results of what was given out by an engine that was killed */
    char token[BROKER_TOKEN_MAX + 1]; /* of the lease that was made last */
};

/* ---- rows ---- */

static const char *key_of(int64_t task)
{
    static char key[TASK_KEY_MAX];

    snprintf(key, sizeof key, "task/%lld", (long long)task);
    return key;
}

static int64_t priority_of(int64_t task)
{
    return task % 7 == 0;
}

static int64_t due_of(int64_t task)
{
    return task % 3 == 0 ? 0 : 1 + task * 37 % 101;
}

static void commit(struct scene *scene)
{
    assert_int_equal(journal_commit(scene->engine.journal, NULL), 0);
    core_forget(scene->engine.core); /* core did not do it, and knows nothing of it */
}

/* `state` NULL: there is no such task (any more). */
static void put_task(struct scene *scene, int64_t task, const char *state, int64_t not_before_ms)
{
    struct arena *arena = &scene->engine.arena;
    struct value row = value_map(), input = value_map();
    struct buf bytes = BUF_EMPTY;
    struct journal_row stored = {slice_str(key_of(task)), slice_of(NULL, 0), JOURNAL_NO_DUE};

    value_set(arena, &input, "host", value_str("h"));
    value_set(arena, &row, "service", value_str("work.one"));
    value_set(arena, &row, "state", value_str(state != NULL ? state : ""));
    value_set(arena, &row, "priority", value_int(priority_of(task)));
    value_set(arena, &row, "due_ms", value_int(due_of(task)));
    value_set(arena, &row, "not_before_ms", value_int(not_before_ms));
    value_set(arena, &row, "input", input);
    dmp_encode(&bytes, &row);
    if (state != NULL)
        stored.bytes = buf_slice(&bytes);
    assert_int_equal(journal_put_row(scene->engine.journal, &stored, NULL), 0);
    buf_release(&bytes);
}

static void put_open(struct scene *scene, int64_t task)
{
    put_task(scene, task, "open", 0);
    commit(scene);
}

/* ---- the engine ---- */

static const char *principal_of(void *self, const char *user_id)
{
    (void)self;
    (void)user_id;
    return "plain";
}

static bool may_serve(void *self, const char *principal, const char *service)
{
    (void)self;
    (void)principal;
    (void)service;
    return true;
}

static void leased(void *self, const struct lease *lease)
{
    struct scene *scene = self;

    assert_true(scene->given_count < ROOM);
    scene->given[scene->given_count++] = lease->task;
    memcpy(scene->token, lease->token, sizeof scene->token);
}

static bool parcel(void *self, int64_t task, struct parcel *out)
{
    return engine_parcel(&((struct scene *)self)->engine, task, out);
}

static void result(void *self, const struct result *result)
{
    struct scene *scene = self;

    scene->done_count++;
    put_task(scene, result->lease->task, NULL, 0);
    commit(scene);
}

static void lost(void *self, const struct lease *lease, bool counts, const char *why)
{
    struct scene *scene = self;

    (void)counts;
    (void)why;
    scene->lost[scene->lost_count++] = lease->task;
    journal_put_lease(scene->engine.journal, lease->task, slice_of(NULL, 0), NULL);
    commit(scene);
    engine_offer(&scene->engine, lease->task);
}

static const char *socket_of(const struct scene *scene)
{
    static char path[sizeof scene->directory + 8];

    snprintf(path, sizeof path, "%s/plain", scene->directory);
    return path;
}

static void close_engine(struct scene *scene)
{
    struct engine *engine = &scene->engine;

    if (scene->worker != NULL)
        zmq_close(scene->worker);
    scene->worker = NULL;
    broker_close(&engine->broker);
    core_free(&engine->core);
    zmq_ctx_term(engine->context);
    free(engine->retries);
    engine->retries = NULL;
    engine->retry_count = engine->retry_cap = 0;
    buf_release(&engine->parcel_header);
    buf_release(&engine->parcel_input);
    arena_release(&engine->arena);
}

/* On the journal as it is: after a kill that is all there is. */
static void start_engine(struct scene *scene)
{
    struct engine *engine = &scene->engine;
    struct shelf shelf = engine_shelf(engine);
    struct error err = {ERROR_NONE, ""};
    char plain[sizeof scene->directory + 16];
    struct broker_ops ops = {.self = scene,
                             .principal = principal_of,
                             .may_serve = may_serve,
                             .parcel = parcel,
                             .result = result,
                             .leased = leased,
                             .lost = lost};
    struct broker_options options = {.plain = plain};

    options.context = engine->context = zmq_ctx_new();
    snprintf(plain, sizeof plain, "ipc://%s", socket_of(scene));
    engine->core = core_new(&shelf);
    clock_start(&engine->clock, true, (int64_t)NOW_MS * 1000);
    if (broker_open(&options, &ops, &engine->broker, &err) != 0 ||
        engine_restore_work(engine, &err) != 0)
        fail_msg("%s", err.text);
}

static struct scene *scene_new(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    const char *tmp = getenv("TMPDIR");
    struct journal_options options = {.origin = "work.example/test"};
    struct error err = {ERROR_NONE, ""};

    assert_non_null(scene);
    snprintf(scene->directory, sizeof scene->directory, "%s/rota-work-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(scene->directory));
    if (journal_open_memory(&options, &scene->engine.journal, &err) != 0)
        fail_msg("%s", err.text);
    for (int64_t task = 1; task <= TASKS; task++)
        put_task(scene, task, "open", 0);
    assert_int_equal(journal_commit(scene->engine.journal, NULL), 0);
    return scene;
}

static void scene_free(struct scene **scene)
{
    close_engine(*scene);
    journal_close(&(*scene)->engine.journal);
    assert_int_equal(unlink(socket_of(*scene)), 0);
    assert_int_equal(rmdir((*scene)->directory), 0);
    free(*scene);
    *scene = NULL;
}

static int64_t waiting(const struct scene *scene)
{
    struct broker_counts counts = {0};

    broker_count(scene->engine.broker, &counts);
    return counts.waiting;
}

/* ---- the worker ---- */

static void says(struct scene *scene, const char *verb, const char *address)
{
    int more = strcmp(verb, "\3") == 0 ? ZMQ_SNDMORE : 0;

    zmq_send(scene->worker, "", 0, ZMQ_SNDMORE);
    zmq_send(scene->worker, "MDPW01", 6, ZMQ_SNDMORE);
    zmq_send(scene->worker, verb, 1, ZMQ_SNDMORE);
    zmq_send(scene->worker, address, strlen(address), more);
    if (more != 0) {
        zmq_send(scene->worker, "", 0, ZMQ_SNDMORE);
        zmq_send(scene->worker, "{}", 2, 0);
    }
}

static void worker_comes(struct scene *scene)
{
    const int none = 0;

    scene->worker = zmq_socket(scene->engine.context, ZMQ_DEALER);
    zmq_setsockopt(scene->worker, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_connect(scene->worker, broker_endpoint(scene->engine.broker, -1)), 0);
    says(scene, "\1", "work.one");
}

static void turn(struct scene *scene, bool pairs)
{
    struct engine *engine = &scene->engine;
    int before = scene->given_count;

    broker_wait(engine->broker, NULL, 0, TURN_MS);
    broker_receive(engine->broker, clock_boot_ms());
    engine_offer_due(engine);
    if (pairs && !engine->is_restoring)
        broker_pair(engine->broker, clock_boot_ms(), NOW_MS);
    broker_release(engine->broker);
    arena_clear(&engine->arena);
    if (scene->given_count > before)
        says(scene, "\3", scene->token);
}

/* Until so many were given out in all and are done, and none beyond them. */
static void work_off(struct scene *scene, int want)
{
    int64_t until_ms = clock_boot_ms() + PATIENCE_MS;

    while ((scene->given_count < want || scene->done_count < want + scene->done_before) &&
           clock_boot_ms() < until_ms)
        turn(scene, true);
    for (int i = 0; i < MORE_TURNS; i++)
        turn(scene, true);
    assert_int_equal(scene->given_count, want);
    assert_int_equal(scene->done_count, want + scene->done_before);
}

static int times_given(const struct scene *scene, int64_t task)
{
    int count = 0;

    for (int i = 0; i < scene->given_count; i++)
        count += scene->given[i] == task;
    return count;
}

static bool is_in(int64_t task, const int64_t *list, int count)
{
    for (int i = 0; i < count; i++) {
        if (list[i] == task)
            return true;
    }
    return false;
}

/* Of 1..TASKS each was given out once, but for those that were not to be. */
static void all_given_but(const struct scene *scene, const int64_t *not_to_be, int count)
{
    for (int64_t task = 1; task <= TASKS; task++) {
        int times = times_given(scene, task), want = is_in(task, not_to_be, count) ? 0 : 1;

        if (times != want)
            fail_msg("task %lld was given out %d times, not %d", (long long)task, times, want);
    }
}

/* ---- tests ---- */

static bool goes_before(int64_t one, int64_t other)
{
    if (priority_of(one) != priority_of(other))
        return priority_of(one) > priority_of(other);
    if (due_of(one) != due_of(other))
        return due_of(other) == 0 || (due_of(one) != 0 && due_of(one) < due_of(other));
    return one < other;
}

static void nothing_is_given_out_before_the_last_page_and_then_each_once_and_in_order(void **state)
{
    struct scene *scene = scene_new();

    (void)state;
    start_engine(scene);
    worker_comes(scene);
    assert_true(waiting(scene) > 0 && waiting(scene) < TASKS);
    while (scene->engine.is_restoring) {
        turn(scene, true);
        assert_int_equal(scene->given_count, 0);
        assert_int_equal(engine_restore_more(&scene->engine, NULL), 0);
    }
    assert_int_equal(waiting(scene), TASKS);
    work_off(scene, TASKS);
    all_given_but(scene, NULL, 0);
    for (int i = 1; i < scene->given_count; i++)
        assert_true(goes_before(scene->given[i - 1], scene->given[i]));
    scene_free(&scene);
}

/* As a command leaves it: the row is stored, then the broker hears of it. */
static void what_becomes_of_a_task_before_its_page_comes_is_what_the_page_says(void **state)
{
    static const int64_t never[] = {1, 999, 997, 995};
    struct scene *scene = scene_new();
    struct engine *engine = &scene->engine;

    (void)state;
    put_task(scene, 998, "parked", 0);
    put_task(scene, 997, "parked", 0);
    put_task(scene, 3, "parked", 0);
    assert_int_equal(journal_commit(engine->journal, NULL), 0);
    start_engine(scene);
    worker_comes(scene);
    put_task(scene, 999, NULL, 0); /* cancelled, behind the first page and on it */
    put_task(scene, 1, NULL, 0);
    put_task(scene, 996, "open", NOW_MS + 5000); /* failed: after a pause */
    put_task(scene, 2, "open", NOW_MS + 5000);
    put_task(scene, 995, "handed_over", 0);
    commit(scene);
    engine_withdraw(engine, 999);
    engine_withdraw(engine, 1);
    engine_withdraw(engine, 2);
    engine_offer(engine, 996);
    engine_offer(engine, 2);
    put_open(scene, 998); /* redriven */
    put_open(scene, 3);
    engine_offer(engine, 998);
    engine_offer(engine, 3);
    put_open(scene, TASKS + 1); /* made anew, with a key on the first page and with one behind it */
    put_open(scene, 9999);
    engine_offer(engine, TASKS + 1);
    engine_offer(engine, 9999);
    engine_restore_all(engine);
    assert_false(engine->is_restoring);
    assert_int_equal(engine->retry_count, 2); /* 996 and 2: each once */
    assert_int_equal(waiting(scene), TASKS - 4 - 2 + 2);
    work_off(scene, TASKS - 4 - 2 + 2);
    assert_int_equal(times_given(scene, 996), 0);
    assert_int_equal(times_given(scene, TASKS + 1), 1);
    assert_int_equal(times_given(scene, 9999), 1);
    clock_advance(&engine->clock, 6000000);
    work_off(scene, TASKS - 4 + 2);
    assert_int_equal(times_given(scene, 2), 1);
    all_given_but(scene, never, 4);
    scene_free(&scene);
}

static const char *token_of(int64_t task)
{
    static char token[BROKER_TOKEN_MAX + 1];

    token_format(token, task, 1, (const uint8_t[TOKEN_NONCE_LEN]){7});
    return token;
}

static void hold(struct scene *scene, int64_t task)
{
    struct lease lease = {.task = task,
                          .attempt = 1,
                          .principal = "plain",
                          .until_boot_ms = clock_boot_ms() + 60000,
                          .last_boot_ms = INT64_MAX};

    snprintf(lease.token, sizeof lease.token, "%s", token_of(task));
    engine_leased(&scene->engine, &lease);
    commit(scene);
}

static void what_a_worker_has_in_hand_is_not_given_to_another_when_its_page_comes(void **state)
{
    struct scene *scene = scene_new();
    const int64_t held[] = {990, 5};

    (void)state;
    start_engine(scene);
    hold(scene, 990);
    hold(scene, 5);
    close_engine(scene); /* kill -9 in the middle of the pages, and again */
    start_engine(scene);
    close_engine(scene);
    start_engine(scene);
    worker_comes(scene);
    engine_restore_all(&scene->engine);
    assert_int_equal(waiting(scene), TASKS - 2);
    work_off(scene, TASKS - 2);
    all_given_but(scene, held, 2);
    says(scene, "\3", token_of(990)); /* it counts: one result more */
    scene->done_before++;
    work_off(scene, TASKS - 2);
    assert_int_equal(scene->lost_count, 0);
    scene_free(&scene);
}

static void a_lease_that_ends_before_its_page_comes_gives_the_task_back_once(void **state)
{
    struct scene *scene = scene_new();
    struct engine *engine = &scene->engine;

    (void)state;
    start_engine(scene);
    hold(scene, 990);
    hold(scene, 5);
    close_engine(scene);
    start_engine(scene);
    broker_receive(engine->broker, clock_boot_ms() + 3600000);
    broker_release(engine->broker);
    assert_int_equal(scene->lost_count, 2);
    assert_true(engine->is_restoring);
    worker_comes(scene);
    engine_restore_all(engine);
    work_off(scene, TASKS);
    all_given_but(scene, NULL, 0);
    scene_free(&scene);
}

static void a_batch_that_fails_takes_no_task_away_that_was_read_in_it(void **state)
{
    struct scene *scene = scene_new();
    struct engine *engine = &scene->engine;

    (void)state;
    put_task(scene, 4, "open", NOW_MS + 5000);
    assert_int_equal(journal_commit(engine->journal, NULL), 0);
    start_engine(scene);
    broker_release(engine->broker);
    engine_restore_all(engine); /* somebody asked for the status in the batch that fails */
    broker_discard(engine->broker);
    assert_true(waiting(scene) < TASKS - 1);
    engine_restore_again(engine);
    worker_comes(scene);
    while (engine->is_restoring) {
        turn(scene, true);
        assert_int_equal(scene->given_count, 0);
        assert_int_equal(engine_restore_more(engine, NULL), 0);
    }
    assert_int_equal(waiting(scene), TASKS - 1);
    assert_int_equal(engine->retry_count, 1);
    clock_advance(&engine->clock, 6000000);
    work_off(scene, TASKS);
    all_given_but(scene, NULL, 0);
    scene_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_given_out_before_the_last_page_and_then_each_once_and_in_order),
        cmocka_unit_test(what_becomes_of_a_task_before_its_page_comes_is_what_the_page_says),
        cmocka_unit_test(what_a_worker_has_in_hand_is_not_given_to_another_when_its_page_comes),
        cmocka_unit_test(a_lease_that_ends_before_its_page_comes_gives_the_task_back_once),
        cmocka_unit_test(a_batch_that_fails_takes_no_task_away_that_was_read_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
