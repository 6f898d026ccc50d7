/* replay.c - the journal is read again. */
#include "simulate/replay.h"

static int differ(const char *what, struct slice key, struct error *err)
{
    return error_set(err, ERROR_DAMAGED, "%s: row %.*s", what, (int)key.len, (const char *)key.at);
}

static int compare(const char *what, const struct memory *kept, const struct memory *again,
                   struct error *err)
{
    for (size_t i = 0; i < kept->row_count; i++) {
        const struct buf *other = memory_row(again, kept->rows[i]->key);

        if (other == NULL || !slice_equal(buf_slice(other), buf_slice(&kept->rows[i]->bytes)))
            return differ(what, kept->rows[i]->key, err);
    }
    for (size_t i = 0; i < again->row_count; i++) {
        if (memory_row(kept, again->rows[i]->key) == NULL)
            return differ(what, again->rows[i]->key, err);
    }
    return 0;
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

static void put_row(struct memory *rows, struct slice key, const struct value *row)
{
    struct buf bytes = BUF_EMPTY;

    dmp_encode(&bytes, row);
    memory_changed(rows, key, row, buf_slice(&bytes));
    buf_release(&bytes);
}

static void apply(struct memory *rows, struct slice key, const struct value *patch)
{
    const struct buf *old = memory_row(rows, key);
    struct arena arena = ARENA_EMPTY;
    struct value row = value_map();

    if (patch->type == VALUE_NIL) {
        memory_changed(rows, key, NULL, slice_of(NULL, 0));
        return;
    }
    if (old != NULL) {
        char *own = arena_copy(&arena, old->at, old->len);

        dmp_decode_large(&arena, slice_of(own, old->len), UINT32_MAX, &row, NULL);
    }
    merge(&arena, &row, patch);
    put_row(rows, key, &row);
    arena_release(&arena);
}

static void apply_number(struct memory *rows, struct slice key, const char *name, uint64_t number)
{
    struct arena arena = ARENA_EMPTY;
    struct value patch = value_map();

    value_set(&arena, &patch, name, value_int((int64_t)number));
    apply(rows, key, &patch);
    arena_release(&arena);
}

void replay_fold(struct memory *rows, const struct leaf *leaf)
{
    const struct value *chain = value_get(&leaf->effects, "^"),
                       *own = value_get(&leaf->effects, "");

    for (uint32_t i = 0; leaf->effects.type == VALUE_MAP && i < leaf->effects.count; i++) {
        const struct pair *pair = &leaf->effects.as.pairs[i];

        if (!slice_is(pair->key, "^"))
            apply(rows, pair->key.len == 0 ? leaf->stream : pair->key, &pair->value);
    }
    if (own == NULL || own->type != VALUE_NIL)
        apply_number(rows, leaf->stream, "rev", leaf->rev);
    for (uint32_t i = 0; chain != NULL && i < chain->count; i++) {
        if (memory_row(rows, chain->as.pairs[i].key) != NULL)
            apply_number(rows, chain->as.pairs[i].key, "last", leaf->seq);
    }
}

/* ---- rules of the journal ---- */

struct journal {
    struct map revs,
        chains;     /* stream -> rev, record -> seq of the last leaf that concerns it, plus one */
    struct map ids; /* command ids of runs that are over */
    uint8_t id[COMMAND_ID_LEN];
    int64_t time_us;
};

static int broken(const struct leaf *leaf, const char *what, struct error *err)
{
    return error_set(err, ERROR_DAMAGED, "leaf %llu (%.*s on %.*s): %s",
                     (unsigned long long)leaf->seq, (int)leaf->type.len,
                     (const char *)leaf->type.at, (int)leaf->stream.len,
                     (const char *)leaf->stream.at, what);
}

static uintptr_t number_at(const struct map *map, struct slice key)
{
    return (uintptr_t)map_get(map, key);
}

static int check_bytes(struct arena *arena, const struct leaf *leaf, struct slice raw,
                       struct error *err)
{
    struct buf again = BUF_EMPTY;
    struct value content;
    bool is_same;

    leaf_encode(&again, leaf);
    is_same = slice_equal(buf_slice(&again), raw);
    buf_release(&again);
    if (!is_same)
        return broken(leaf, "encodes to other bytes", err);
    if (leaf_contents(arena, &leaf->body, &content) != 0 || !value_equal(&content, &leaf->content))
        return broken(leaf, "names other contents than its body", err);
    return 0;
}

static int check_chain(struct journal *journal, const struct leaf *leaf, struct error *err)
{
    const struct value *chain = value_get(&leaf->effects, "^");

    for (uint32_t i = 0; chain != NULL && i < chain->count; i++) {
        const struct pair *pair = &chain->as.pairs[i];

        if (pair->value.as.number != (int64_t)number_at(&journal->chains, pair->key) - 1)
            return broken(leaf, "the chain of its record has a gap", err);
        map_put(&journal->chains, pair->key, (void *)((uintptr_t)leaf->seq + 1));
    }
    return 0;
}

static int check_leaf(struct journal *journal, const struct leaf *leaf, uint64_t seq,
                      struct error *err)
{
    struct slice id = slice_of(leaf->command_id, COMMAND_ID_LEN);

    if (leaf->seq != seq)
        return broken(leaf, "stands in another place", err);
    if (leaf->time_us < journal->time_us)
        return broken(leaf, "time went back", err);
    if (leaf->rev != number_at(&journal->revs, leaf->stream) + 1)
        return broken(leaf, "the revisions of its stream have a gap", err);
    if (leaf->cause >= (int64_t)seq)
        return broken(leaf, "its cause is not before it", err);
    if (memcmp(journal->id, leaf->command_id, COMMAND_ID_LEN) != 0) {
        map_put(&journal->ids, slice_of(journal->id, COMMAND_ID_LEN), journal);
        if (map_get(&journal->ids, id) != NULL)
            return broken(leaf, "has the command id of an earlier run", err);
        memcpy(journal->id, leaf->command_id, COMMAND_ID_LEN);
    }
    journal->time_us = leaf->time_us;
    map_put(&journal->revs, leaf->stream, (void *)(uintptr_t)leaf->rev);
    return check_chain(journal, leaf, err);
}

static int read_leaf(struct journal *journal, struct slice raw, uint64_t seq, struct core *core,
                     struct memory *again, struct memory *plain, struct error *err)
{
    struct arena arena = ARENA_EMPTY;
    struct leaf leaf;
    int rc = leaf_decode(&arena, raw, &leaf, err);

    if (rc == 0)
        rc = check_bytes(&arena, &leaf, raw, err);
    if (rc == 0)
        rc = check_leaf(journal, &leaf, seq, err);
    if (rc == 0) {
        replay_fold(plain, &leaf);
        core_fold(core, &leaf, memory_changed, again);
    }
    arena_release(&arena);
    return rc;
}

int replay_check(const struct memory *memory, struct error *err)
{
    struct memory again = {0}, plain = {0};
    struct shelf source = memory_shelf(&again);
    struct core *core = core_new(&source);
    struct journal journal = {.time_us = INT64_MIN};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < memory->leaf_count; i++)
        rc = read_leaf(&journal, buf_slice(&memory->leaves[i]), i, core, &again, &plain, err);
    if (rc == 0)
        rc = compare("the core's own fold gives another", memory, &again, err);
    if (rc == 0)
        rc = compare("a plain fold gives another", memory, &plain, err);
    core_free(&core);
    map_release(&journal.revs);
    map_release(&journal.chains);
    map_release(&journal.ids);
    memory_release(&again);
    memory_release(&plain);
    return rc;
}
