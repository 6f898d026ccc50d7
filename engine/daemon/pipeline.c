/* pipeline.c - question -> decide -> append -> keep -> what follows -> commit -> only now: replies, tasks, events. */
#include "daemon/engine.h"

#include "base/check.h"

#include <stdlib.h>
#include <sys/random.h>

/* Core refuses what the journal would not take: there it would fail the batch. */
_Static_assert((int)ROW_BYTES_MAX <= (int)JOURNAL_ROW_MAX &&
                   (int)ROW_KEY_MAX <= (int)JOURNAL_KEY_MAX,
               "a row that core lets pass is one that the journal takes");

/* ---- what core reads ---- */

static int shelf_row(void *self, struct slice key, struct buf *out)
{
    struct engine *engine = self;
    struct error err = {ERROR_NONE, ""};
    int found = journal_row(engine->journal, key, out, &err);

    if (found < 0)
        log_line(LOG_LEVEL_ERROR, "reading row %.*s: %s", (int)key.len, (const char *)key.at,
                 err.text);
    return found;
}

static int shelf_content(void *self, const uint8_t hash[HASH_LEN], struct buf *out)
{
    struct engine *engine = self;

    return journal_content(engine->journal, hash, out, NULL);
}

struct each_with {
    int (*each)(void *with, struct slice key, struct slice bytes);
    void *with;
};

static int each_row(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    struct each_with *each = self;

    (void)due_ms;
    return each->each(each->with, key, bytes);
}

static int shelf_each_after(void *self, struct slice prefix, struct slice after,
                            int (*each)(void *with, struct slice key, struct slice bytes),
                            void *with)
{
    struct engine *engine = self;
    struct each_with pass = {each, with};

    return journal_each_row(engine->journal, prefix, after, each_row, &pass, NULL);
}

static int shelf_each(void *self, struct slice prefix,
                      int (*each)(void *with, struct slice key, struct slice bytes), void *with)
{
    return shelf_each_after(self, prefix, slice_of(NULL, 0), each, with);
}

struct shelf engine_shelf(struct engine *engine)
{
    return (struct shelf){engine, shelf_row, shelf_content, shelf_each, shelf_each_after};
}

int engine_shelf_leaf(void *self, uint64_t seq, struct buf *out)
{
    struct engine *engine = self;

    return journal_leaf(engine->journal, seq, out, NULL);
}

/* ---- what core changes ---- */

struct keeping {
    struct engine *engine;
    int rc;
};

static void keep_row(void *self, struct slice key, const struct value *row, struct slice bytes)
{
    struct keeping *keeping = self;
    struct engine *engine = keeping->engine;
    struct journal_row stored = {key, bytes, row != NULL ? core_due(row) : JOURNAL_NO_DUE};

    if (stored.due_ms >= 0 && (engine->next_due_ms < 0 || stored.due_ms < engine->next_due_ms))
        engine->next_due_ms = stored.due_ms;
    if (keeping->rc == 0)
        keeping->rc = journal_put_row(engine->journal, &stored, NULL);
}

int engine_keep_fold(struct engine *engine)
{
    struct keeping keeping = {engine, 0};

    core_keep(engine->core, keep_row, &keeping);
    return keeping.rc;
}

static int append_leaf(struct engine *engine, const struct run *run, const struct run_leaf *made)
{
    const struct leaf *leaf = &made->leaf;

    if (journal_append(engine->journal, made->bytes, made == run->leaves, run->command_id, NULL) !=
        0)
        return -1;
    return engine_event_appended(engine, made) != 0 ||
                   engine_head_appended(engine, leaf->type, leaf->seq) != 0 ||
                   engine_loose_named(engine, &leaf->content) != 0
               ? -1
               : 0;
}

/* `hash` (or NULL) gets that of the first leaf. */
static int append_run(struct engine *engine, const struct run *run, uint8_t *hash)
{
    struct keeping keeping = {engine, 0};

    for (uint32_t i = 0; i < run->contents.count; i++) {
        const struct value *made = &run->contents.as.items[i];

        if (journal_put_content(engine->journal, value_get_bin(made, "hash").at,
                                value_get_bin(made, "salt").at, value_get_bin(made, "data"),
                                NULL) != 0)
            return -1;
    }
    for (int i = 0; i < run->leaf_count; i++) {
        if (append_leaf(engine, run, &run->leaves[i]) != 0)
            return -1;
        if (i == 0 && hash != NULL)
            memcpy(hash, journal_newest_hash(engine->journal), HASH_LEN);
    }
    for (uint32_t i = 0; i < run->erased.count; i++) {
        if (journal_redact_content(engine->journal, value_slice(&run->erased.as.items[i]).at,
                                   NULL) != 0)
            return -1;
    }
    core_keep(engine->core, keep_row, &keeping);
    if (run->leaf_count > 0)
        engine->is_dirty = true;
    return keeping.rc;
}

/* ---- what follows ---- */

struct follows { /* questions to come, encoded: they outlive the draft */
    struct buf *at;
    int count, cap, next;
    int64_t beyond; /* that are too many, and are reported as such */
};

static void add_follows(struct follows *follows, const struct value *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (follows->count == ENGINE_FOLLOWS_MAX) {
            follows->beyond++;
            continue;
        }
        if (follows->count == follows->cap) {
            follows->cap = follows->cap > 0 ? follows->cap * 2 : 16;
            follows->at = realloc(follows->at, (size_t)follows->cap * sizeof *follows->at);
            check(follows->at != NULL);
        }
        follows->at[follows->count] = (struct buf)BUF_EMPTY;
        dmp_encode(&follows->at[follows->count++], &list->as.items[i]);
    }
}

static void release_follows(struct follows *follows)
{
    for (int i = 0; i < follows->count; i++)
        buf_release(&follows->at[i]);
    free(follows->at);
}

static void take_numbers(struct value *into, struct arena *arena, const struct value *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        value_push(arena, into, list->as.items[i]);
}

struct outcome_lists { /* of a question and of all that follows from it */
    struct value *offers, *withdrawn;
};

/* One step. What cannot be done is in the journal as a parked task: core's promise 4. */
static int follow_one(struct engine *engine, const struct value *follow, struct follows *follows,
                      const struct outcome_lists *lists)
{
    struct question question = engine_question(engine, QUESTION_FOLLOW);
    struct run run;

    question.follow = follow;
    if (core_decide(engine->core, &question, &run) != 0)
        return -1;
    if (run.is_refused)
        log_line(run.leaf_count > 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
                 "what follows could not be done%s: %s",
                 run.leaf_count > 0 ? ", and is parked as a task" : "", run.refusal.sentence);
    add_follows(follows, &run.follows);
    take_numbers(lists->offers, &engine->arena, &run.offers);
    take_numbers(lists->withdrawn, &engine->arena, &run.withdrawn);
    if (run.leaf_count == 0 && run.is_refused) {
        core_drop(engine->core);
        return 0;
    }
    return append_run(engine, &run, NULL);
}

/* `last` is what was asked when there were too many. */
static int tell_beyond(struct engine *engine, const struct value *last, struct follows *follows,
                       const struct outcome_lists *lists)
{
    struct value beyond = value_map();
    struct arena *arena = &engine->arena;

    value_set(arena, &beyond, "event", value_str(FOLLOW_BEYOND));
    value_set(arena, &beyond, "record", *value_get(last, "record"));
    value_set(arena, &beyond, "cause", *value_get(last, "cause"));
    value_set(arena, &beyond, "count", value_int(follows->beyond));
    return follow_one(engine, &beyond, follows, lists);
}

static int follow_all(struct engine *engine, struct follows *follows,
                      const struct outcome_lists *lists)
{
    struct arena arena = ARENA_EMPTY;
    struct value follow = VALUE_NONE;
    struct buf last = BUF_EMPTY;
    int rc = 0;

    for (; rc == 0 && follows->next < follows->count; follows->next++) {
        arena_clear(&arena);
        buf_release(&last);
        last = follows->at[follows->next];
        follows->at[follows->next] = (struct buf)BUF_EMPTY;
        check(dmp_decode_large(&arena, buf_slice(&last), UINT32_MAX, &follow, NULL) == 0);
        rc = follow_one(engine, &follow, follows, lists);
    }
    if (rc == 0 && follows->beyond > 0)
        rc = tell_beyond(engine, &follow, follows, lists);
    buf_release(&last);
    arena_release(&arena);
    return rc;
}

/* Each is given once. */
static void take_salt(struct engine *engine, uint8_t out[QUESTION_SALT_LEN])
{
    if (engine->salt_count == 0) {
        check(getrandom(engine->salts, sizeof engine->salts, 0) == (ssize_t)sizeof engine->salts);
        engine->salt_count = SALTS_AHEAD;
    }
    memcpy(out, engine->salts + --engine->salt_count * QUESTION_SALT_LEN, QUESTION_SALT_LEN);
}

struct question engine_question(struct engine *engine, enum question_kind kind)
{
    uint8_t *salt = arena_take(&engine->arena, QUESTION_SALT_LEN);

    take_salt(engine, salt);
    return (struct question){.kind = kind,
                             .salt = slice_of(salt, QUESTION_SALT_LEN),
                             .seq = journal_size(engine->journal),
                             .now_us = clock_now_us(&engine->clock),
                             .principal = slice_str("engine"),
                             .auth_method = slice_str("engine"),
                             .if_revision = -1};
}

/* What lies in core's draft is copied before anything else is asked. */
static struct asked remember(struct engine *engine, enum question_kind kind, const struct run *run)
{
    struct asked asked = {.is_refused = run->is_refused,
                          .is_beyond = run->is_beyond,
                          .refusal = run->refusal,
                          .leaf_count = run->leaf_count};

    if (run->is_refused)
        asked.refusal.sentence = arena_str(&engine->arena, run->refusal.sentence);
    if (run->leaf_count > 0)
        asked.seq = run->leaves[0].leaf.seq;
    if (run->leaf_count > 0 && kind == QUESTION_COMMAND && !run->is_refused) {
        asked.revision = (int64_t)run->leaves[0].leaf.rev;
        asked.out = core_reply(&engine->arena, run->leaves, run->leaf_count);
    }
    return asked;
}

static int ask(struct engine *engine, const struct question *question, struct asked *asked,
               struct follows *follows, const struct outcome_lists *lists)
{
    struct run run;
    bool people_changed;

    if (engine->batch_is_dead || core_decide(engine->core, question, &run) != 0)
        return -1;
    *asked = remember(engine, question->kind, &run);
    people_changed = run.people_changed;
    add_follows(follows, &run.follows);
    take_numbers(lists->offers, &engine->arena, &run.offers);
    take_numbers(lists->withdrawn, &engine->arena, &run.withdrawn);
    if (append_run(engine, &run, asked->hash) != 0 || follow_all(engine, follows, lists) != 0)
        return -1;
    if (people_changed && engine->broker != NULL)
        broker_recheck(engine->broker, clock_boot_ms());
    return 0;
}

int engine_ask(struct engine *engine, const struct question *question, struct asked *asked)
{
    struct follows follows = {.at = NULL};
    struct value offers = value_array(), withdrawn = value_array();
    struct outcome_lists lists = {&offers, &withdrawn};
    int rc;

    *asked = (struct asked){0};
    rc = ask(engine, question, asked, &follows, &lists);
    release_follows(&follows);
    if (rc != 0) {
        engine->batch_is_dead = true;
        return -1;
    }
    if (asked->is_beyond)
        engine_flood_count(engine, question, asked->refusal.code);
    for (uint32_t i = 0; engine->broker != NULL && i < withdrawn.count; i++)
        engine_withdraw(engine, withdrawn.as.items[i].as.number);
    for (uint32_t i = 0; engine->broker != NULL && i < offers.count; i++)
        engine_offer(engine, offers.as.items[i].as.number);
    return 0;
}

/* ---- the batch ---- */

void engine_wait_for_commit(struct engine *engine, const struct reply_to *to, struct slice id)
{
    struct waiting_reply *waiting;

    if (engine->waiting_count == ENGINE_PENDING_MAX)
        return;
    waiting = &engine->waiting[engine->waiting_count++];
    waiting->to = *to;
    memset(waiting->id, 0, sizeof waiting->id);
    if (id.len > 0 && id.len <= COMMAND_ID_MAX) /* a query has none */
        memcpy(waiting->id, id.at, id.len);
}

bool engine_is_writable(struct engine *engine)
{
    return journal_health(engine->journal) == JOURNAL_OK && engine->error[0] == '\0';
}

const char *engine_trouble(struct engine *engine)
{
    if (engine->error[0] != '\0')
        return arena_printf(&engine->arena, "The journal is read-only: %s", engine->error);
    return engine_is_writable(engine) && journal_has_room(engine->journal)
               ? NULL
               : "Less than the reserved space is free on the journal's disk. Make room.";
}

const char *engine_clock_trouble(struct engine *engine)
{
    int64_t off_ms, minutes;
    enum clock_state state = clock_state(&engine->clock, &off_ms);

    if (state == CLOCK_RIGHT)
        return NULL;
    minutes = (off_ms > 0 ? off_ms : -off_ms) / 60000;
    return arena_printf(
        &engine->arena,
        state == CLOCK_AHEAD
            ? "The system clock was set %lld days %lld h %lld min ahead. For five minutes it is "
              "not "
              "believed and nothing falls due by it: if it is wrong, set it right now."
            : "The system clock is %lld days %lld h %lld min behind what has been entered: time "
              "stands still here until it has caught up. Set it right.",
        (long long)(minutes / 1440), (long long)(minutes / 60 % 24), (long long)(minutes % 60));
}

static void tell_failed(struct engine *engine)
{
    bool is_unknown = journal_health(engine->journal) == JOURNAL_UNKNOWN;
    const char *sentence = is_unknown
                               ? "The disk did not confirm the write: whether it was kept is "
                                 "unknown. Ask again with the same id."
                               : "The journal cannot be written now; nothing of this was "
                                 "kept. Ask again with the same id.";

    for (int i = 0; i < engine->waiting_count; i++) {
        struct reply reply = reply_refusal("journal-unavailable", sentence);

        reply.id = slice_str(engine->waiting[i].id);
        engine_send(engine, &engine->waiting[i].to, &reply);
    }
    broker_release(engine->broker);
}

static void batch_failed(struct engine *engine, const struct error *err)
{
    log_line(LOG_LEVEL_ERROR, "the batch could not be made durable: %s", err->text);
    clock_undo(&engine->clock);
    memcpy(engine->error, err->text, sizeof engine->error);
    broker_discard(engine->broker);
    feed_discard(engine->feed);
    core_forget(engine->core);
    engine_loose_load(engine, NULL);
    engine_heads_load(engine, NULL);
    engine->next_due_ms = 0; /* timers that fired in this batch are due again */
    engine_restore_again(engine);
    if (engine_floods_load(engine, NULL) != 0)
        log_line(LOG_LEVEL_ERROR, "the counts of refusals could not be read again");
    tell_failed(engine);
}

void engine_commit(struct engine *engine)
{
    struct error err = {ERROR_NONE, ""};

    engine_floods_store(engine);
    if (engine->batch_is_dead) {
        journal_rollback(engine->journal);
        error_set(&err, ERROR_IO, "the journal could not be read or written");
        batch_failed(engine, &err);
    } else if (journal_commit(engine->journal, &err) != 0) {
        batch_failed(engine, &err);
    } else {
        clock_settle(&engine->clock);
        if (engine->is_dirty)
            engine->commits++;
        broker_release(engine->broker);
        engine_publish(engine);
        feed_release(engine->feed);
        engine_answer_polls(engine);
        broker_release(engine->broker);
    }
    engine->waiting_count = 0;
    engine->batch_is_dead = false;
    engine->is_dirty = false;
    arena_clear(&engine->arena);
}
