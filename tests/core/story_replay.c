/* story_replay.c - the journal is read again. The fold here is written from the journal's description alone, so that
 * the core's own does not prove itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "core/story_shelf.h"

static void differ(const char *what, struct slice key)
{
    print_error("%s: row %.*s\n", what, (int)key.len, (const char *)key.at);
    fail();
}

static void compare_with(const char *what, const struct story_shelf *shelf, const struct map *rows)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&shelf->rows, &at)) != NULL) {
        struct slice key = slice_of(entry->key, entry->key_len);
        const struct buf *other = map_get(rows, key);

        if (other == NULL || !slice_equal(buf_slice(other), buf_slice(entry->value)))
            differ(what, key);
    }
    at = 0;
    while ((entry = map_next(rows, &at)) != NULL) {
        if (map_get(&shelf->rows, slice_of(entry->key, entry->key_len)) == NULL)
            differ(what, slice_of(entry->key, entry->key_len));
    }
}

/* ---- a fold of its own ---- */

static void merge(struct arena *arena, struct value *target, const struct value *patch)
{
    if (target->type != VALUE_MAP)
        *target = value_map();
    for (uint32_t i = 0; i < patch->count; i++) {
        struct slice key = patch->as.pairs[i].key;
        const struct value *new = &patch->as.pairs[i].value, *old = value_find(target, key);
        struct value merged = old != NULL ? *old : VALUE_NONE;

        if (new->type == VALUE_NIL) {
            value_remove(target, key);
            continue;
        }
        if (new->type == VALUE_MAP)
            merge(arena, &merged, new);
        else
            merged = *new;
        value_put(arena, target, key, merged);
    }
}

static void apply(struct arena *arena, struct value *rows, struct slice key,
                  const struct value *patch)
{
    const struct value *old = value_find(rows, key);
    struct value row = old != NULL ? value_copy(arena, old) : value_map();

    if (patch->type == VALUE_NIL) {
        value_remove(rows, key);
        return;
    }
    merge(arena, &row, patch);
    value_put(arena, rows, key, row);
}

static void apply_number(struct arena *arena, struct value *rows, struct slice key,
                         const char *name, uint64_t number)
{
    struct value patch = value_map();

    value_set(arena, &patch, name, value_int((int64_t)number));
    apply(arena, rows, key, &patch);
}

static void apply_leaf(struct arena *arena, struct value *rows, const struct leaf *leaf)
{
    const struct value *chain = value_get(&leaf->effects, "^"),
                       *own = value_get(&leaf->effects, "");

    for (uint32_t i = 0; leaf->effects.type == VALUE_MAP && i < leaf->effects.count; i++) {
        const struct pair *pair = &leaf->effects.as.pairs[i];

        if (!slice_is(pair->key, "^"))
            apply(arena, rows, pair->key.len == 0 ? leaf->stream : pair->key, &pair->value);
    }
    if (own == NULL || own->type != VALUE_NIL)
        apply_number(arena, rows, leaf->stream, "rev", leaf->rev);
    for (uint32_t i = 0; chain != NULL && i < chain->count; i++) {
        if (value_find(rows, chain->as.pairs[i].key) != NULL)
            apply_number(arena, rows, chain->as.pairs[i].key, "last", leaf->seq);
    }
}

/* ---- rules of the journal ---- */

struct checks {
    struct arena arena;
    struct value revs, chains; /* stream -> rev, record -> seq of the last leaf that concerns it */
    struct value ids;          /* command ids of runs that are over */
    uint8_t id[COMMAND_ID_LEN];
    int64_t time_us;
};

static void check_leaf(struct checks *checks, const struct leaf *leaf, uint64_t seq,
                       struct slice raw)
{
    const struct value *chain = value_get(&leaf->effects, "^");
    const struct value *rev = value_find(&checks->revs, leaf->stream);
    struct slice id = slice_of(leaf->command_id, COMMAND_ID_LEN);
    struct buf again = BUF_EMPTY;
    struct value content;

    leaf_encode(&again, leaf);
    assert_true(slice_equal(buf_slice(&again), raw));
    buf_release(&again);
    assert_int_equal(leaf->seq, seq);
    assert_true(leaf->time_us >= checks->time_us);
    assert_int_equal(leaf->rev, rev != NULL ? rev->as.number + 1 : 1);
    assert_true(leaf->cause < (int64_t)seq);
    assert_int_equal(leaf_contents(&checks->arena, &leaf->body, &content), 0);
    assert_true(value_equal(&content, &leaf->content));
    if (memcmp(checks->id, leaf->command_id, COMMAND_ID_LEN) != 0) {
        value_put(&checks->arena, &checks->ids,
                  slice_of(arena_copy(&checks->arena, checks->id, COMMAND_ID_LEN), COMMAND_ID_LEN),
                  value_bool(true));
        if (value_find(&checks->ids, id) != NULL)
            print_error("leaf %llu: %.*s on %.*s has the command id of an earlier run\n",
                        (unsigned long long)seq, (int)leaf->type.len, (const char *)leaf->type.at,
                        (int)leaf->stream.len, (const char *)leaf->stream.at);
        assert_null(value_find(&checks->ids, id));
        memcpy(checks->id, leaf->command_id, COMMAND_ID_LEN);
    }
    checks->time_us = leaf->time_us;
    value_put(&checks->arena, &checks->revs, leaf->stream, value_int((int64_t)leaf->rev));
    for (uint32_t i = 0; chain != NULL && i < chain->count; i++) {
        const struct value *last = value_find(&checks->chains, chain->as.pairs[i].key);

        assert_int_equal(chain->as.pairs[i].value.as.number, last != NULL ? last->as.number : -1);
        value_put(&checks->arena, &checks->chains, chain->as.pairs[i].key, value_int((int64_t)seq));
    }
}

static void encode_rows(const struct value *rows, struct story_shelf *out)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        struct buf bytes = BUF_EMPTY;

        dmp_encode(&bytes, &rows->as.pairs[i].value);
        story_shelf_changed(out, rows->as.pairs[i].key, &rows->as.pairs[i].value,
                            buf_slice(&bytes));
        buf_release(&bytes);
    }
}

void story_shelf_replay(struct story_shelf *shelf)
{
    struct story_shelf again = {0}, plain = {0};
    struct shelf source = story_shelf_of(&again);
    struct core *core = core_new(&source);
    struct checks checks = {
        .arena = ARENA_EMPTY, .revs = value_map(), .chains = value_map(), .ids = value_map()};
    struct value rows = value_map();

    for (size_t i = 0; i < shelf->leaf_count; i++) {
        struct slice raw = buf_slice(&shelf->leaves[i]);
        struct leaf leaf;
        struct error err = {ERROR_NONE, ""};

        if (leaf_decode(&checks.arena, raw, &leaf, &err) != 0)
            print_error("leaf %zu: %s\n", i, err.text);
        assert_int_equal(err.class, ERROR_NONE);
        check_leaf(&checks, &leaf, i, raw);
        apply_leaf(&checks.arena, &rows, &leaf);
        core_fold(core, &leaf, story_shelf_changed, &again);
    }
    encode_rows(&rows, &plain);
    compare_with("the core's own fold gives another", shelf, &again.rows);
    compare_with("a plain fold gives another", shelf, &plain.rows);
    core_free(&core);
    story_shelf_release(&again);
    story_shelf_release(&plain);
    arena_release(&checks.arena);
}
