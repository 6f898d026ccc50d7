/* memory.c - rows, leaves and contents in memory. */
#include "simulate/memory.h"

#include "base/check.h"

#include <stdlib.h>

/* ---- rows ---- */

static void free_row(struct memory_row *row)
{
    buf_release(&row->bytes);
    free((void *)(uintptr_t)row->key.at);
    free(row);
}

/* The first place whose key is not before `key`. */
static size_t place_of(const struct memory *memory, struct slice key)
{
    size_t low = 0, high = memory->row_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (slice_compare(memory->rows[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct memory_row *add_row(struct memory *memory, struct slice key)
{
    struct memory_row *row = calloc(1, sizeof *row);
    uint8_t *own = malloc(key.len + 1);
    size_t at = place_of(memory, key);

    check(row != NULL && own != NULL);
    if (memory->row_count == memory->row_cap) {
        memory->row_cap = memory->row_cap == 0 ? 256 : memory->row_cap * 2;
        memory->rows = realloc(memory->rows, memory->row_cap * sizeof(struct memory_row *));
        check(memory->rows != NULL);
    }
    memcpy(own, key.at, key.len);
    row->key = slice_of(own, key.len);
    memmove(memory->rows + at + 1, memory->rows + at,
            (memory->row_count - at) * sizeof memory->rows[0]);
    memory->rows[at] = row;
    memory->row_count++;
    map_put(&memory->by_key, key, row);
    return row;
}

static void remove_row(struct memory *memory, struct slice key)
{
    struct memory_row *row = map_remove(&memory->by_key, key);
    size_t at = place_of(memory, key);

    if (row == NULL)
        return;
    memmove(memory->rows + at, memory->rows + at + 1,
            (memory->row_count - at - 1) * sizeof memory->rows[0]);
    memory->row_count--;
    free_row(row);
}

void memory_changed(void *self, struct slice key, const struct value *value, struct slice bytes)
{
    struct memory *memory = self;
    struct memory_row *row;

    if (value == NULL) {
        check(bytes.len == 0);
        remove_row(memory, key);
        return;
    }
    row = map_get(&memory->by_key, key);
    if (row == NULL)
        row = add_row(memory, key);
    buf_clear(&row->bytes);
    buf_add_slice(&row->bytes, bytes);
}

const struct buf *memory_row(const struct memory *memory, struct slice key)
{
    const struct memory_row *row = map_get(&memory->by_key, key);

    return row != NULL ? &row->bytes : NULL;
}

/* ---- leaves and contents ---- */

static void free_content(struct memory_content *content)
{
    if (content != NULL)
        buf_release(&content->bytes);
    free(content);
}

void memory_add_leaf(struct memory *memory, struct slice bytes)
{
    if (memory->leaf_count == memory->leaf_cap) {
        memory->leaf_cap = memory->leaf_cap == 0 ? 64 : memory->leaf_cap * 2;
        memory->leaves = realloc(memory->leaves, memory->leaf_cap * sizeof memory->leaves[0]);
        check(memory->leaves != NULL);
    }
    memory->leaves[memory->leaf_count] = (struct buf)BUF_EMPTY;
    buf_add_slice(&memory->leaves[memory->leaf_count++], bytes);
}

int memory_leaf(void *self, uint64_t seq, struct buf *out)
{
    struct memory *memory = self;

    if (seq >= memory->leaf_count)
        return 0;
    buf_add_slice(out, buf_slice(&memory->leaves[seq]));
    return 1;
}

void memory_add_content(struct memory *memory, const uint8_t salt[16], struct slice bytes,
                        uint8_t hash[HASH_LEN])
{
    struct memory_content *kept = calloc(1, sizeof *kept);

    check(kept != NULL);
    memcpy(kept->salt, salt, sizeof kept->salt);
    buf_add_slice(&kept->bytes, bytes);
    hash_content(salt, bytes, hash);
    free_content(map_put(&memory->contents, slice_of(hash, HASH_LEN), kept));
}

void memory_add_contents(struct memory *memory, const struct value *made)
{
    uint8_t hash[HASH_LEN];

    for (uint32_t i = 0; i < made->count; i++) {
        const struct value *one = &made->as.items[i];

        memory_add_content(memory, value_get_bin(one, "salt").at, value_get_bin(one, "data"), hash);
    }
}

void memory_erase_content(struct memory *memory, struct slice hash)
{
    free_content(map_remove(&memory->contents, hash));
}

void memory_release(struct memory *memory)
{
    const struct map_entry *entry;
    size_t at = 0;

    for (size_t i = 0; i < memory->row_count; i++)
        free_row(memory->rows[i]);
    free(memory->rows);
    map_release(&memory->by_key);
    while ((entry = map_next(&memory->contents, &at)) != NULL)
        free_content(entry->value);
    map_release(&memory->contents);
    for (size_t i = 0; i < memory->leaf_count; i++)
        buf_release(&memory->leaves[i]);
    free(memory->leaves);
    *memory = (struct memory){0};
}

/* ---- as the core reads it ---- */

static int read_row(void *self, struct slice key, struct buf *out)
{
    struct memory *memory = self;
    const struct buf *row = memory_row(memory, key);

    if (memory->is_failing)
        return -1;
    if (row == NULL)
        return 0;
    buf_add_slice(out, buf_slice(row));
    return 1;
}

static int read_content(void *self, const uint8_t hash[HASH_LEN], struct buf *out)
{
    struct memory *memory = self;
    struct memory_content *content = map_get(&memory->contents, slice_of(hash, HASH_LEN));

    if (memory->is_failing)
        return -1;
    if (content == NULL)
        return 0;
    buf_add_slice(out, buf_slice(&content->bytes));
    return 1;
}

static bool begins_with(struct slice key, struct slice prefix)
{
    return key.len >= prefix.len && memcmp(key.at, prefix.at, prefix.len) == 0;
}

static int read_each_after(void *self, struct slice prefix, struct slice after,
                           int (*each)(void *with, struct slice key, struct slice bytes),
                           void *with)
{
    struct memory *memory = self;
    size_t at = place_of(memory, slice_compare(after, prefix) > 0 ? after : prefix);
    int status = memory->is_failing ? -1 : 0;

    for (; status == 0 && at < memory->row_count && begins_with(memory->rows[at]->key, prefix);
         at++) {
        if (after.len > 0 && slice_equal(memory->rows[at]->key, after))
            continue;
        status = each(with, memory->rows[at]->key, buf_slice(&memory->rows[at]->bytes));
    }
    return status;
}

static int read_each(void *self, struct slice prefix,
                     int (*each)(void *with, struct slice key, struct slice bytes), void *with)
{
    return read_each_after(self, prefix, slice_of(NULL, 0), each, with);
}

struct shelf memory_shelf(struct memory *memory)
{
    return (struct shelf){.self = memory,
                          .row = read_row,
                          .content = read_content,
                          .each = read_each,
                          .each_after = read_each_after};
}
