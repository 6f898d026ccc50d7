/* work.c - tasks between core and broker: offered when ready, leased durably, settled once. */
#include "daemon/engine.h"

#include "base/check.h"
#include "wire/body.h"
#include "wire/options.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RESTORED_LEASE_MS = 10000, /* from the first start that finds it: for work in flight to land */
    RECONNECT_MS = 2000,       /* from each: for a worker that lives to be back */
    OUTPUT_MAX = 16 * 1024,
    RESTORE_AT_ONCE = 512, /* tasks between two turns of the loop: a millisecond */
    REFUSED_PAUSE_MS = 600000,
    UNREADABLE_PAUSE_MS = 60000
};

/* ---- tasks that wait for their pause to pass ---- */

static void swap(struct retry *a, struct retry *b)
{
    struct retry kept = *a;

    *a = *b;
    *b = kept;
}

static void push_retry(struct engine *engine, int64_t at_ms, int64_t task)
{
    int at = engine->retry_count;

    if (engine->retry_count == engine->retry_cap) {
        engine->retry_cap = engine->retry_cap > 0 ? engine->retry_cap * 2 : 64;
        engine->retries =
            realloc(engine->retries, (size_t)engine->retry_cap * sizeof *engine->retries);
        check(engine->retries != NULL);
    }
    engine->retries[engine->retry_count++] = (struct retry){at_ms, task};
    for (; at > 0 && engine->retries[at].at_ms < engine->retries[(at - 1) / 2].at_ms;
         at = (at - 1) / 2)
        swap(&engine->retries[at], &engine->retries[(at - 1) / 2]);
}

static int64_t pop_retry(struct engine *engine)
{
    int64_t task = engine->retries[0].task;
    int at = 0;

    engine->retries[0] = engine->retries[--engine->retry_count];
    for (;;) {
        int least = at, left = 2 * at + 1;

        for (int child = left; child < left + 2 && child < engine->retry_count; child++) {
            if (engine->retries[child].at_ms < engine->retries[least].at_ms)
                least = child;
        }
        if (least == at)
            return task;
        swap(&engine->retries[at], &engine->retries[least]);
        at = least;
    }
}

int64_t engine_next_retry_ms(const struct engine *engine)
{
    return engine->retry_count > 0 ? engine->retries[0].at_ms : -1;
}

/* ---- offers ---- */

static void fill_header(struct arena *arena, const struct value *task, struct value *header)
{
    static const char *const kept[] = {"service", "record", "kind", "revision", "key"};

    *header = value_map();
    value_set(arena, header, "v", value_int(1));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        value_set(arena, header, kept[i], *value_get(task, kept[i]));
    value_set(arena, header, "due", value_int(value_get_int(task, "due_ms", 0)));
}

/* What cannot be read now may be readable later, and keeps nothing else waiting. */
static void put_off(struct engine *engine, int64_t task)
{
    log_line(LOG_LEVEL_ERROR, "task %lld cannot be read: it is tried again in a minute",
             (long long)task);
    push_retry(engine, clock_now_us(&engine->clock) / 1000 + UNREADABLE_PAUSE_MS, task);
}

bool engine_parcel(void *self, int64_t task, struct parcel *out)
{
    struct engine *engine = self;
    struct value facts = VALUE_NONE, head;
    bool is_there;

    core_drop(engine->core);
    is_there = core_task(engine->core, task, &facts);
    if (state_is_broken(core_state(engine->core))) {
        put_off(engine, task);
        return false;
    }
    if (!is_there || !slice_is(value_get_text(&facts, "state"), "open"))
        return false;
    fill_header(&engine->arena, &facts, &head);
    buf_clear(&engine->parcel_header);
    buf_clear(&engine->parcel_input);
    dmp_encode(&engine->parcel_header, &head);
    /* JSON: a worker in any language reads it with nothing but its own library. */
    body_encode(&engine->parcel_input, value_get(&facts, "input"), true);
    *out = (struct parcel){buf_slice(&engine->parcel_header), buf_slice(&engine->parcel_input)};
    return true;
}

/* The task as the broker takes it, from its row. False if it is not open. */
static bool read_offer(struct arena *arena, int64_t task, const struct value *row,
                       struct offer *offer)
{
    if (!slice_is(value_get_text(row, "state"), "open"))
        return false;
    *offer = (struct offer){.task = task,
                            .attempt = (int)value_get_int(row, "attempt", 0) + 1,
                            .priority = (int)value_get_int(row, "priority", 0),
                            .due_ms = value_get_int(row, "due_ms", 0),
                            .service = value_get_str(row, "service", "", arena),
                            .lease_ms = value_get_int(row, "lease_ms", 0),
                            .max_run_ms = value_get_int(row, "max_run_ms", 0)};
    return true;
}

/* Now, or after its pause. */
static void offer_row(struct engine *engine, struct arena *arena, int64_t task,
                      const struct value *row)
{
    int64_t not_before_ms = value_get_int(row, "not_before_ms", 0);
    struct offer offer;

    if (!read_offer(arena, task, row, &offer))
        return;
    if (not_before_ms > clock_now_us(&engine->clock) / 1000)
        push_retry(engine, not_before_ms, task);
    else
        broker_offer(engine->broker, &offer);
}

static struct slice key_of(int64_t task, char out[TASK_KEY_MAX])
{
    return slice_of(out, (size_t)snprintf(out, TASK_KEY_MAX, "task/%lld", (long long)task));
}

static const struct value *row_of(struct engine *engine, int64_t task)
{
    char key[TASK_KEY_MAX];

    core_drop(engine->core);
    return state_row(core_state(engine->core), key_of(task, key));
}

void engine_offer(struct engine *engine, int64_t task)
{
    char key[TASK_KEY_MAX];
    const struct value *row;

    if (engine->is_restoring &&
        slice_compare(key_of(task, key), slice_str(engine->restored_to)) > 0)
        return;
    row = row_of(engine, task);
    if (state_is_broken(core_state(engine->core)))
        put_off(engine, task);
    else
        offer_row(engine, &engine->arena, task, row);
}

void engine_offer_due(struct engine *engine)
{
    int64_t now_ms = clock_now_us(&engine->clock) / 1000;

    while (engine->retry_count > 0 && engine->retries[0].at_ms <= now_ms)
        engine_offer(engine, pop_retry(engine));
}

/* ---- leases ---- */

/* Times are on the boot clock, which means something only to whoever runs since the same boot. */
static int put_lease(struct engine *engine, const struct lease *lease, bool is_restored)
{
    struct value row = value_map();
    struct buf bytes = BUF_EMPTY;
    uint8_t boot[BOOT_ID_LEN];
    int rc;

    value_set(&engine->arena, &row, "attempt", value_int(lease->attempt));
    value_set(&engine->arena, &row, "token", value_str(lease->token));
    value_set(&engine->arena, &row, "principal", value_str(lease->principal));
    value_set(&engine->arena, &row, "until_ms", value_int(lease->until_boot_ms));
    value_set(&engine->arena, &row, "last_ms", value_int(lease->last_boot_ms));
    if (clock_boot_id(boot))
        value_set(&engine->arena, &row, "boot", value_bin(boot, sizeof boot));
    if (is_restored)
        value_set(&engine->arena, &row, "restored", value_bool(true));
    dmp_encode(&bytes, &row);
    rc = journal_put_lease(engine->journal, lease->task, buf_slice(&bytes), NULL);
    if (rc != 0)
        engine->batch_is_dead = true;
    engine->is_dirty = true;
    buf_release(&bytes);
    return rc;
}

void engine_leased(void *self, const struct lease *lease)
{
    put_lease(self, lease, false);
}

void engine_tell_leases(struct engine *engine, struct value *tasks, struct slice wanted)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; value_is(tasks, VALUE_ARRAY) && i < tasks->count; i++) {
        struct value *task = &tasks->as.items[i];
        const char *holder = broker_holder(engine->broker, value_get_int(task, "task", -1));

        if (holder != NULL && slice_is(value_get_text(task, "state"), "open")) {
            value_set(&engine->arena, task, "state", value_str("leased"));
            value_set(&engine->arena, task, "worker", value_str(arena_str(&engine->arena, holder)));
        }
        if (wanted.len == 0 || slice_equal(wanted, value_get_text(task, "state")))
            tasks->as.items[kept++] = *task;
    }
    if (value_is(tasks, VALUE_ARRAY))
        tasks->count = kept;
}

static void drop_lease(struct engine *engine, int64_t task)
{
    if (journal_put_lease(engine->journal, task, slice_of(NULL, 0), NULL) != 0)
        engine->batch_is_dead = true;
    engine->is_dirty = true;
}

/* What is no more is not waited for after a restart either. */
void engine_withdraw(struct engine *engine, int64_t task)
{
    if (broker_withdraw(engine->broker, task))
        drop_lease(engine, task);
}

/* Has core taken it, or is there no such task any more? If not, the note says why. */
static bool is_taken(struct engine *engine, const struct lease *lease, struct question *question)
{
    struct asked asked;

    if (engine_ask(engine, question, &asked) != 0 || !asked.is_refused)
        return true; /* a batch that is dead is answered by engine_commit() */
    log_line(LOG_LEVEL_WARNING, "task %lld: %s", (long long)lease->task, asked.refusal.sentence);
    question->note = slice_str(arena_str(&engine->arena, asked.refusal.sentence));
    return strcmp(asked.refusal.code, "lease-lost") == 0;
}

/* The worker does not say twice that it is done. A result from which something would follow that may not be is therefore no
 * result that is dropped: the task is parked, with the reason, where people see it; and if not even that can be, asked again. */
static void settle(struct engine *engine, const struct lease *lease, struct question *question)
{
    question->id = slice_str(lease->token);
    question->task = lease->task;
    question->attempt = lease->attempt;
    drop_lease(engine, lease->task);
    if (is_taken(engine, lease, question))
        return;
    question->seq = engine_question(engine, QUESTION_SETTLE).seq;
    question->status = 422;
    question->output = NULL;
    if (!is_taken(engine, lease, question))
        push_retry(engine, clock_now_us(&engine->clock) / 1000 + REFUSED_PAUSE_MS, lease->task);
}

static bool begins_a_map(struct slice bytes)
{
    return bytes.at[0] == '{' || (bytes.at[0] & 0xf0) == 0x80 || bytes.at[0] == 0xde ||
           bytes.at[0] == 0xdf;
}

/* What the worker gave, if it is a map; other words of a plain worker ("ok") say nothing that a workflow could read. -1 if it
 * is one and cannot be kept: a result is not taken without its output. */
static int read_output(struct engine *engine, struct slice bytes, struct value *output,
                       struct error *err)
{
    *output = value_map();
    if (bytes.len == 0 || !begins_a_map(bytes))
        return 0;
    if (bytes.len > OUTPUT_MAX)
        return error_set(err, ERROR_INPUT, "it has %zu bytes, at most %d are kept", bytes.len,
                         OUTPUT_MAX);
    return body_decode(&engine->arena, bytes, DMP_DEPTH_MAX - 3, output, NULL, err);
}

void engine_result(void *self, const struct result *result)
{
    struct engine *engine = self;
    struct question question = engine_question(engine, QUESTION_SETTLE);
    struct outcome outcome = {.status = result->status};
    struct error err = {ERROR_NONE, ""};
    struct value output;

    if (result->header.len > 0 &&
        outcome_decode(&engine->arena, result->header, &outcome, NULL) != 0)
        outcome = (struct outcome){.status = 500, .message = slice_str("the result was malformed")};
    question.principal = slice_str(result->lease->principal);
    question.auth_method =
        slice_str(strcmp(result->lease->principal, "plain") == 0 ? "plain" : "curve");
    question.status = outcome.status;
    question.note = outcome.message.len > 0 ? outcome.message : outcome.code;
    question.retry_ms = outcome.retry_ms;
    question.until_ms = outcome.until_ms;
    if (read_output(engine, result->output, &output, &err) == 0) {
        question.output = &output;
    } else if (outcome.status < 300) {
        question.status = 422;
        question.note =
            slice_str(arena_printf(&engine->arena, "The output cannot be kept: %s.", err.text));
    }
    settle(engine, result->lease, &question);
}

void engine_progress(void *self, const struct lease *lease, int percent, struct slice note)
{
    (void)self;
    log_line(LOG_LEVEL_DEBUG, "task %lld: %d %% %.*s", (long long)lease->task, percent,
             (int)note.len, (const char *)note.at);
}

void engine_lost(void *self, const struct lease *lease, bool counts, const char *why)
{
    struct engine *engine = self;
    struct question question = engine_question(engine, QUESTION_SETTLE);

    log_line(LOG_LEVEL_INFO, "task %lld: the lease of %s ended: %s", (long long)lease->task,
             lease->principal, why);
    if (!counts) {
        drop_lease(engine, lease->task);
        engine_offer(engine, lease->task);
        return;
    }
    question.status = 0;
    question.note = slice_str(why);
    settle(engine, lease, &question);
}

/* ---- after a restart: every lease is given time to land, every open task is offered again ----
 *
 * Leases are as many as workers have hands: they are held before anybody is listened to. Open tasks may be very many: they are
 * read in pages, in order of their keys, between the turns of the loop.
 *
 *   is_restoring   what stands at or before `restored_to` is in the broker or in `retries`, as any task is;
 *                  what stands behind it is in the journal alone, whatever becomes of it, until the page comes that has it.
 *
 * So a task that is made, cancelled, redriven or settled behind `restored_to` needs no care: its page reads what is true by then.
 * Nothing is given out until the last page was read, for the most urgent task may be on it. A batch that fails takes back offers
 * that were made in it: all pages are read again.
 */

struct held { /* a lease as it was stored */
    struct lease lease;
    bool is_new; /* no start has found it yet */
};

struct collecting {
    struct engine *engine;
    struct held *at; /* owned */
    size_t count, cap;
};

/* A lease is worth what it says: its worker is silent while it works, and may be back with the result. The first start that
 * finds it gives it time beyond that, once, so that crash after crash does not put off work that nobody does; each start
 * leaves a worker the time to connect. */
static void lease_of_row(const struct value *row, struct held *held)
{
    struct slice boot = value_get_bin(row, "boot");
    int64_t now_ms = clock_boot_ms();
    uint8_t ours[BOOT_ID_LEN];
    bool is_ours = clock_boot_id(ours) && slice_equal(boot, slice_of(ours, sizeof ours));
    struct lease *lease = &held->lease;

    held->is_new = !is_ours || !value_get_bool(row, "restored", false);
    lease->until_boot_ms = is_ours ? value_get_int(row, "until_ms", 0) : 0;
    lease->last_boot_ms = is_ours ? value_get_int(row, "last_ms", INT64_MAX) : INT64_MAX;
    if (held->is_new && lease->until_boot_ms < now_ms + RESTORED_LEASE_MS)
        lease->until_boot_ms = now_ms + RESTORED_LEASE_MS;
    if (lease->until_boot_ms < now_ms + RECONNECT_MS)
        lease->until_boot_ms = now_ms + RECONNECT_MS;
}

static int collect_lease(void *self, int64_t task, struct slice row)
{
    struct collecting *leases = self;
    struct arena *arena = &leases->engine->arena;
    struct value facts = VALUE_NONE;
    struct held held = {.lease = {.task = task}};

    if (dmp_decode(arena, row, &facts, NULL) != 0)
        return 0;
    held.lease.attempt = (int)value_get_int(&facts, "attempt", 1);
    strncpy(held.lease.token, value_get_str(&facts, "token", "", arena), BROKER_TOKEN_MAX);
    strncpy(held.lease.principal, value_get_str(&facts, "principal", "", arena),
            sizeof held.lease.principal - 1);
    lease_of_row(&facts, &held);
    if (leases->count == leases->cap) {
        leases->cap = leases->cap > 0 ? leases->cap * 2 : 64;
        leases->at = realloc(leases->at, leases->cap * sizeof *leases->at);
        check(leases->at != NULL);
    }
    leases->at[leases->count++] = held;
    return 0;
}

static void restore_lease(struct engine *engine, const struct held *held)
{
    struct offer offer;

    if (!read_offer(&engine->arena, held->lease.task, row_of(engine, held->lease.task), &offer)) {
        drop_lease(engine, held->lease.task);
        return;
    }
    broker_hold(engine->broker, &held->lease, &offer);
    if (held->is_new)
        put_lease(engine, &held->lease, true);
}

/* That they were found is durable before anything else is. Where nothing can be written, they are found again. */
static int restore_leases(struct engine *engine, struct error *err)
{
    struct collecting leases = {engine, NULL, 0, 0};
    struct error why = {ERROR_NONE, ""};
    int rc = journal_each_lease(engine->journal, collect_lease, &leases, err);

    for (size_t i = 0; rc == 0 && i < leases.count; i++)
        restore_lease(engine, &leases.at[i]);
    free(leases.at);
    if (rc != 0)
        return -1;
    if (engine->batch_is_dead)
        journal_rollback(engine->journal);
    else if (journal_commit(engine->journal, &why) != 0)
        log_line(LOG_LEVEL_ERROR, "leases could not be written: %s", why.text);
    engine->batch_is_dead = engine->is_dirty = false;
    broker_release(engine->broker); /* a batch that fails takes nothing of this back */
    return 0;
}

struct page {
    struct engine *engine;
    struct arena arena;
    int count;
};

static int restore_row(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    struct page *page = self;
    struct engine *engine = page->engine;
    struct value row = VALUE_NONE;
    int64_t task = 0;

    (void)due_ms;
    if (page->count == RESTORE_AT_ONCE)
        return 1;
    page->count++;
    arena_clear(&page->arena);
    check(key.len < sizeof engine->restored_to);
    memcpy(engine->restored_to, key.at, key.len);
    engine->restored_to[key.len] = '\0';
    for (size_t i = 5; i < key.len; i++)
        task = task * 10 + (key.at[i] - '0');
    if (dmp_decode_large(&page->arena, bytes, UINT32_MAX, &row, NULL) == 0)
        offer_row(engine, &page->arena, task, &row);
    else
        put_off(engine, task);
    return 0;
}

int engine_restore_more(struct engine *engine, struct error *err)
{
    struct page page = {.engine = engine};
    int rc;

    if (!engine->is_restoring)
        return 0;
    rc = journal_each_row(engine->journal, slice_str("task/"), slice_str(engine->restored_to),
                          restore_row, &page, err);
    arena_release(&page.arena);
    engine->is_restoring = rc != 0;
    return rc < 0 ? -1 : 0;
}

void engine_restore_all(struct engine *engine)
{
    while (engine->is_restoring && engine_restore_more(engine, NULL) == 0)
        ;
}

void engine_restore_again(struct engine *engine)
{
    engine->retry_count = 0;
    engine->restored_to[0] = '\0';
    engine->is_restoring = true;
}

int engine_restore_work(struct engine *engine, struct error *err)
{
    if (restore_leases(engine, err) != 0)
        return -1;
    engine_restore_again(engine);
    return engine_restore_more(engine, err);
}
