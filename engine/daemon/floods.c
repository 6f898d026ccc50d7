/* floods.c - refusals beyond those that are leaves: counted here until their hour is over, then told to the journal.
 *
 * A count lies beside the state, as a lease does: it is durable with the batch whose refusals it counts (one row a person
 * and batch, whatever the number of refusals), so none that was answered is lost by a crash; and it goes in the same batch
 * in which the leaf that says it comes. Nothing is swept: the loop wakes at the end of the earliest hour.
 */
#include "daemon/engine.h"

#include "base/check.h"

#include <stdlib.h>

enum {
    FLOODS_MAX = 64,   /* people at once; one more, and the first is told early */
    KINDS_OF_MAX = 16, /* commands and codes that are told apart for one person */
    NAMES_MAX = 64,
    HOUR_MS = 3600000
};

#define OTHERS "(other)" /* commands beyond KINDS_OF_MAX */

struct flood {
    char person[NAMES_MAX + 1];       /* empty: this place is free */
    int64_t from_ms, until_ms, count; /* the first and the last that were counted */
    struct {
        char command[NAMES_MAX + 1], code[NAMES_MAX + 1];
        int64_t count;
    } of[KINDS_OF_MAX + 1];
    int of_count;
    bool is_changed; /* since it was stored */
};

struct floods {
    struct flood at[FLOODS_MAX];
    int count; /* places in use */
};

static int64_t hour_end(const struct flood *flood)
{
    return (flood->from_ms / HOUR_MS + 1) * HOUR_MS;
}

static const char *key_of(struct engine *engine, const struct flood *flood)
{
    return arena_printf(&engine->arena, "flood/%02d", (int)(flood - engine->floods->at));
}

/* ---- a flood as a value, which is also the body of its leaf ---- */

static struct value flood_value(struct arena *arena, const struct flood *flood)
{
    struct value out = value_map(), list = value_array();

    for (int i = 0; i < flood->of_count; i++) {
        struct value one = value_map();

        value_set(arena, &one, "command", value_str(flood->of[i].command));
        value_set(arena, &one, "code", value_str(flood->of[i].code));
        value_set(arena, &one, "count", value_int(flood->of[i].count));
        value_push(arena, &list, one);
    }
    value_set(arena, &out, "person", value_str(flood->person));
    value_set(arena, &out, "from_ms", value_int(flood->from_ms));
    value_set(arena, &out, "until_ms", value_int(flood->until_ms));
    value_set(arena, &out, "count", value_int(flood->count));
    value_set(arena, &out, "of", list);
    return out;
}

static void take_name(char out[NAMES_MAX + 1], struct slice name)
{
    size_t len = name.len < NAMES_MAX ? name.len : NAMES_MAX;

    if (len > 0)
        memcpy(out, name.at, len);
    out[len] = '\0';
}

static void flood_read(const struct value *value, struct flood *flood)
{
    const struct value *list = value_get(value, "of");

    *flood = (struct flood){.from_ms = value_get_int(value, "from_ms", 0),
                            .until_ms = value_get_int(value, "until_ms", 0),
                            .count = value_get_int(value, "count", 0)};
    take_name(flood->person, value_get_text(value, "person"));
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count && i <= KINDS_OF_MAX; i++) {
        take_name(flood->of[i].command, value_get_text(&list->as.items[i], "command"));
        take_name(flood->of[i].code, value_get_text(&list->as.items[i], "code"));
        flood->of[i].count = value_get_int(&list->as.items[i], "count", 0);
        flood->of_count++;
    }
}

/* ---- stored beside the state ---- */

static void put(struct engine *engine, struct flood *flood)
{
    struct buf bytes = BUF_EMPTY;
    struct value value = flood_value(&engine->arena, flood);

    if (flood->person[0] != '\0')
        dmp_encode(&bytes, &value);
    if (journal_put_meta(engine->journal, key_of(engine, flood), buf_slice(&bytes), NULL) != 0)
        engine->batch_is_dead = true;
    engine->is_dirty = true;
    flood->is_changed = false;
    buf_release(&bytes);
}

void engine_floods_store(struct engine *engine)
{
    for (int i = 0; engine->floods->count > 0 && i < FLOODS_MAX; i++)
        if (engine->floods->at[i].is_changed && !engine->batch_is_dead)
            put(engine, &engine->floods->at[i]);
}

int engine_floods_load(struct engine *engine, struct error *err)
{
    int rc = 0;

    if (engine->floods == NULL)
        engine->floods = calloc(1, sizeof *engine->floods);
    check(engine->floods != NULL);
    memset(engine->floods, 0, sizeof *engine->floods);
    for (int i = 0; i < FLOODS_MAX && rc >= 0; i++) {
        struct flood *flood = &engine->floods->at[i];
        struct value value = VALUE_NONE;
        struct buf bytes = BUF_EMPTY;

        rc = journal_meta(engine->journal, key_of(engine, flood), &bytes, err);
        if (rc == 1 && dmp_decode(&engine->arena, buf_slice(&bytes), &value, err) != 0)
            rc = -1;
        if (rc == 1) {
            flood_read(&value, flood);
            engine->floods->count++;
        }
        buf_release(&bytes);
    }
    return rc < 0 ? -1 : 0;
}

void engine_floods_release(struct engine *engine)
{
    free(engine->floods);
    engine->floods = NULL;
}

/* ---- told ---- */

/* The leaf comes and the count goes, in one batch. */
static int tell(struct engine *engine, struct flood *flood)
{
    struct question question = engine_question(engine, QUESTION_COUNTED);
    struct value args = flood_value(&engine->arena, flood);
    struct asked asked;

    question.args = &args;
    if (engine_ask(engine, &question, &asked) != 0)
        return -1;
    if (asked.is_refused) {
        log_line(LOG_LEVEL_ERROR, "the refusals of %s could not be told: %s", flood->person,
                 asked.refusal.sentence);
        return -1;
    }
    *flood = (struct flood){.count = 0};
    engine->floods->count--;
    put(engine, flood);
    return 0;
}

void engine_floods_tell(struct engine *engine)
{
    int64_t now_ms = clock_now_us(&engine->clock) / 1000;

    if (engine->floods->count == 0 || !engine_is_writable(engine))
        return;
    for (int i = 0; i < FLOODS_MAX; i++) {
        struct flood *flood = &engine->floods->at[i];

        if (flood->person[0] != '\0' && hour_end(flood) <= now_ms && tell(engine, flood) != 0)
            return;
    }
}

int64_t engine_floods_next_ms(const struct engine *engine)
{
    int64_t first = -1;

    for (int i = 0; engine->floods->count > 0 && i < FLOODS_MAX; i++) {
        const struct flood *flood = &engine->floods->at[i];

        if (flood->person[0] != '\0' && (first < 0 || hour_end(flood) < first))
            first = hour_end(flood);
    }
    return first;
}

/* ---- counted ---- */

static struct flood *flood_of(struct engine *engine, struct slice person)
{
    struct flood *free_place = NULL, *first = NULL;

    for (int i = 0; i < FLOODS_MAX; i++) {
        struct flood *flood = &engine->floods->at[i];

        if (flood->person[0] == '\0')
            free_place = free_place != NULL ? free_place : flood;
        else if (slice_is(person, flood->person))
            return flood;
        else if (first == NULL || flood->from_ms < first->from_ms)
            first = flood;
    }
    if (free_place == NULL && tell(engine, first) == 0)
        free_place = first;
    return free_place;
}

static void count_kind(struct flood *flood, struct slice command, const char *code)
{
    int i = 0;

    while (i < flood->of_count &&
           (!slice_is(command, flood->of[i].command) || strcmp(code, flood->of[i].code) != 0))
        i++;
    if (i == flood->of_count && i == KINDS_OF_MAX) {
        flood->of_count++;
        take_name(flood->of[i].command, slice_str(OTHERS));
    } else if (i == flood->of_count && i < KINDS_OF_MAX) {
        flood->of_count++;
        take_name(flood->of[i].command, command);
        take_name(flood->of[i].code, slice_str(code));
    } else if (i > KINDS_OF_MAX) {
        i = KINDS_OF_MAX;
    }
    flood->of[i].count++;
}

void engine_flood_count(struct engine *engine, const struct question *question, const char *code)
{
    struct flood *flood = flood_of(engine, question->principal);

    if (flood != NULL && flood->person[0] != '\0' && question->now_us / 1000 >= hour_end(flood) &&
        tell(engine, flood) != 0)
        flood = NULL;
    if (flood == NULL) {
        engine->batch_is_dead = true;
        return;
    }
    if (flood->person[0] == '\0') {
        take_name(flood->person, question->principal);
        flood->from_ms = question->now_us / 1000;
        engine->floods->count++;
    }
    flood->until_ms = question->now_us / 1000;
    flood->count++;
    flood->is_changed = true;
    count_kind(flood, question->command, code);
}
