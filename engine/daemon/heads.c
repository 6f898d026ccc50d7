/* heads.c - the last event of each class: what `prev` of the next one is.
 *
 * An event names the one before it in its class, however long ago that was. Every HEADS_EVERY leaves the heads of all classes are
 * kept as a fact about the file, in the batch of the leaf that makes them full, so that neither a start nor a reader of old events
 * walks back over more than so many leaves: in a journal of a million the first event of a class that was rare held the loop for
 * seconds. A journal from before has none of these facts; its first start makes them.
 */
#include "daemon/engine.h"

#include "base/check.h"
#include "base/dmp.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEADS_EVERY = 1024, KEY_BYTES = 40 };

static const char *key_of(uint64_t number, char out[KEY_BYTES])
{
    snprintf(out, KEY_BYTES, "heads/%llu", (unsigned long long)number);
    return out;
}

struct slice event_class(struct slice type)
{
    const uint8_t *dot = memchr(type.at, '.', type.len);

    return dot == NULL ? type : slice_of(type.at, (size_t)(dot - type.at));
}

/* Class -> the place after its last leaf. */
static void move(struct map *heads, struct slice class, uint64_t end)
{
    uint64_t *head = map_get(heads, class);

    if (head == NULL) {
        head = malloc(sizeof *head);
        check(head != NULL);
        map_put(heads, class, head);
    }
    *head = end;
}

static void forget(struct map *heads)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(heads, &at)) != NULL)
        free(entry->value);
    map_release(heads);
}

void engine_heads_release(struct engine *engine)
{
    forget(&engine->class_heads);
    forget(&engine->heads_appended);
}

static int keep(struct engine *engine, uint64_t number)
{
    struct arena arena = ARENA_EMPTY;
    struct value heads = value_map();
    const struct map_entry *entry;
    struct buf bytes = BUF_EMPTY;
    char key[KEY_BYTES];
    size_t at = 0;
    int rc;

    while ((entry = map_next(&engine->heads_appended, &at)) != NULL)
        value_put(&arena, &heads, slice_of(entry->key, entry->key_len),
                  value_int((int64_t) * (uint64_t *)entry->value));
    dmp_encode(&bytes, &heads);
    rc = journal_put_meta(engine->journal, key_of(number, key), buf_slice(&bytes), NULL);
    buf_release(&bytes);
    arena_release(&arena);
    return rc;
}

int engine_head_appended(struct engine *engine, struct slice type, uint64_t seq)
{
    move(&engine->heads_appended, event_class(type), seq + 1);
    return (seq + 1) % HEADS_EVERY == 0 ? keep(engine, (seq + 1) / HEADS_EVERY) : 0;
}

void engine_heads_published(struct engine *engine)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&engine->heads_appended, &at)) != NULL)
        move(&engine->class_heads, slice_of(entry->key, entry->key_len),
             *(const uint64_t *)entry->value);
}

int64_t engine_newest_event(const struct engine *engine, struct slice class)
{
    const uint64_t *end = map_get(&engine->heads_appended, class);

    return end != NULL ? (int64_t)*end - 1 : -1;
}

/* ---- looking back ---- */

/* The place after the last leaf of the class in [from, end); 0: there is none. */
static uint64_t last_between(struct engine *engine, struct slice class, uint64_t from, uint64_t end)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    uint64_t found = 0;

    for (uint64_t at = end; at > from && found == 0; at--) {
        struct leaf leaf;

        buf_clear(&bytes);
        arena_clear(&arena);
        if (journal_leaf(engine->journal, at - 1, &bytes, NULL) == 1 &&
            leaf_decode(&arena, buf_slice(&bytes), &leaf, NULL) == 0 &&
            slice_equal(event_class(leaf.type), class))
            found = at;
    }
    buf_release(&bytes);
    arena_release(&arena);
    return found;
}

/* What was kept when the journal had number * HEADS_EVERY leaves; false: nothing was. */
static bool kept(struct engine *engine, uint64_t number, struct arena *arena, struct value *heads)
{
    struct buf bytes = BUF_EMPTY;
    char key[KEY_BYTES];
    bool found = journal_meta(engine->journal, key_of(number, key), &bytes, NULL) == 1;
    struct slice own = slice_of(arena_copy(arena, bytes.at, bytes.len), bytes.len);

    buf_release(&bytes);
    return found && dmp_decode(arena, own, heads, NULL) == 0 && heads->type == VALUE_MAP;
}

static int64_t head_in(struct engine *engine, uint64_t number, struct slice class)
{
    struct arena arena = ARENA_EMPTY;
    struct value heads = VALUE_NONE;
    int64_t head = -1;

    if (kept(engine, number, &arena, &heads)) {
        const struct value *found = value_find(&heads, class);

        head = value_is(found, VALUE_INT) ? found->as.number : 0;
    }
    arena_release(&arena);
    return head;
}

int64_t engine_event_before(struct engine *engine, struct slice class, uint64_t seq)
{
    const uint64_t *newest = map_get(&engine->class_heads, class);
    uint64_t number = seq / HEADS_EVERY, end = seq;

    if (newest == NULL || *newest <= seq)
        return newest == NULL ? -1 : (int64_t)*newest - 1;
    for (;; number--) {
        uint64_t from = number * HEADS_EVERY, found = last_between(engine, class, from, end);
        int64_t head = found > 0 || number == 0 ? (int64_t)found : head_in(engine, number, class);

        if (head >= 0)
            return head - 1;
        end = from;
    }
}

/* ---- at the start ---- */

static uint64_t take_newest(struct engine *engine, uint64_t number)
{
    struct arena arena = ARENA_EMPTY;
    struct value heads = VALUE_NONE;

    while (number > 0 && !kept(engine, number, &arena, &heads))
        number--;
    for (uint32_t i = 0; number > 0 && i < heads.count; i++)
        move(&engine->heads_appended, heads.as.pairs[i].key,
             (uint64_t)heads.as.pairs[i].value.as.number);
    arena_release(&arena);
    return number * HEADS_EVERY;
}

static void copy_heads(struct map *to, const struct map *from)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(from, &at)) != NULL)
        move(to, slice_of(entry->key, entry->key_len), *(const uint64_t *)entry->value);
}

static int take_leaf(void *self, uint64_t seq, struct slice bytes)
{
    struct engine *engine = self;
    struct arena arena = ARENA_EMPTY;
    struct leaf leaf;

    if (leaf_decode(&arena, bytes, &leaf, NULL) == 0)
        move(&engine->heads_appended, event_class(leaf.type), seq + 1);
    arena_release(&arena);
    return 0;
}

int engine_heads_load(struct engine *engine, struct error *err)
{
    uint64_t size = journal_size(engine->journal), at;
    bool keeps = engine_is_writable(engine);

    engine_heads_release(engine);
    at = take_newest(engine, size / HEADS_EVERY);
    while (at < size) {
        uint64_t end = at + HEADS_EVERY < size ? at + HEADS_EVERY : size;

        if (journal_each_leaf(engine->journal, at, end, take_leaf, engine, err) < 0)
            return -1;
        /* They only save time: a disk that is full keeps nobody from reading. */
        keeps = keeps && (end % HEADS_EVERY != 0 || keep(engine, end / HEADS_EVERY) == 0);
        at = end;
    }
    copy_heads(&engine->class_heads, &engine->heads_appended);
    if (!keeps)
        journal_rollback(engine->journal);
    else if (journal_commit(engine->journal, err) != 0)
        log_line(LOG_LEVEL_WARNING, "the heads of the events could not be kept");
    return 0;
}
