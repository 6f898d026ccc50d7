/* story_shelf.c - rows, leaves and contents in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/story_shelf.h"

static void put(struct map *map, struct slice key, struct slice bytes)
{
    struct buf *kept = calloc(1, sizeof *kept), *before;

    assert_non_null(kept);
    buf_add_slice(kept, bytes);
    before = map_put(map, key, kept);
    if (before != NULL)
        buf_release(before);
    free(before);
}

static void release(struct map *map)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(map, &at)) != NULL) {
        buf_release(entry->value);
        free(entry->value);
    }
    map_release(map);
}

void story_shelf_release(struct story_shelf *shelf)
{
    release(&shelf->rows);
    release(&shelf->contents);
    for (size_t i = 0; i < shelf->leaf_count; i++)
        buf_release(&shelf->leaves[i]);
    free(shelf->leaves);
    *shelf = (struct story_shelf){0};
}

void story_shelf_changed(void *self, struct slice key, const struct value *row, struct slice bytes)
{
    struct story_shelf *shelf = self;
    struct buf *gone;

    if (row != NULL) {
        put(&shelf->rows, key, bytes);
        return;
    }
    assert_int_equal(bytes.len, 0);
    gone = map_remove(&shelf->rows, key);
    if (gone != NULL)
        buf_release(gone);
    free(gone);
}

void story_shelf_add_leaf(struct story_shelf *shelf, struct slice bytes)
{
    if (shelf->leaf_count == shelf->leaf_cap) {
        shelf->leaf_cap = shelf->leaf_cap == 0 ? 64 : shelf->leaf_cap * 2;
        shelf->leaves = realloc(shelf->leaves, shelf->leaf_cap * sizeof shelf->leaves[0]);
        assert_non_null(shelf->leaves);
    }
    shelf->leaves[shelf->leaf_count] = (struct buf)BUF_EMPTY;
    buf_add_slice(&shelf->leaves[shelf->leaf_count++], bytes);
}

int story_shelf_leaf(void *self, uint64_t seq, struct buf *out)
{
    struct story_shelf *shelf = self;

    if (seq >= shelf->leaf_count)
        return 0;
    buf_add_slice(out, buf_slice(&shelf->leaves[seq]));
    return 1;
}

void story_shelf_add_content(struct story_shelf *shelf, const uint8_t hash[HASH_LEN],
                             struct slice bytes)
{
    put(&shelf->contents, slice_of(hash, HASH_LEN), bytes);
}

/* ---- as the core reads it ---- */

static int read_row(void *self, struct slice key, struct buf *out)
{
    struct story_shelf *shelf = self;
    struct buf *row = map_get(&shelf->rows, key);

    if (shelf->is_failing)
        return -1;
    if (row == NULL)
        return 0;
    buf_add_slice(out, buf_slice(row));
    return 1;
}

static int read_content(void *self, const uint8_t hash[HASH_LEN], struct buf *out)
{
    struct story_shelf *shelf = self;
    struct buf *content = map_get(&shelf->contents, slice_of(hash, HASH_LEN));

    if (shelf->is_failing)
        return -1;
    if (content == NULL)
        return 0;
    buf_add_slice(out, buf_slice(content));
    return 1;
}

static int by_key(const void *a, const void *b)
{
    const struct map_entry *const *left = a, *const *right = b;

    return slice_compare(slice_of((*left)->key, (*left)->key_len),
                         slice_of((*right)->key, (*right)->key_len));
}

static int read_each(void *self, struct slice prefix,
                     int (*each)(void *with, struct slice key, struct slice bytes), void *with)
{
    struct story_shelf *shelf = self;
    const struct map_entry **entries = calloc(shelf->rows.count + 1, sizeof *entries), *entry;
    size_t at = 0, count = 0;
    int status = shelf->is_failing ? -1 : 0;

    assert_non_null(entries);
    while ((entry = map_next(&shelf->rows, &at)) != NULL) {
        if (entry->key_len >= prefix.len && memcmp(entry->key, prefix.at, prefix.len) == 0)
            entries[count++] = entry;
    }
    qsort(entries, count, sizeof entries[0], by_key);
    for (size_t i = 0; i < count && status == 0; i++)
        status = each(with, slice_of(entries[i]->key, entries[i]->key_len),
                      buf_slice(entries[i]->value));
    free(entries);
    return status;
}

struct shelf story_shelf_of(struct story_shelf *shelf)
{
    return (struct shelf){
        .self = shelf, .row = read_row, .content = read_content, .each = read_each};
}
