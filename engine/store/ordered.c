#include "store/ordered.h"

#include "base/check.h"

#include <stdlib.h>

static struct slice copy_of(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.len + 1);

    check(copy != NULL);
    if (bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    return slice_of(copy, bytes.len);
}

static void slice_free(struct slice bytes)
{
    free((void *)(uintptr_t)bytes.at);
}

static void entry_free(struct ordered_entry *entry)
{
    slice_free(entry->key);
    slice_free(entry->value);
    free(entry->next);
    free(entry);
}

void ordered_init(struct ordered *table)
{
    memset(table, 0, sizeof *table);
    table->chance = 0x9e3779b97f4a7c15ULL;
}

void ordered_release(struct ordered *table)
{
    struct ordered_entry *entry = table->first[0];

    ordered_keep(table);
    free(table->changes);
    while (entry != NULL) {
        struct ordered_entry *next = entry->next[0];

        entry_free(entry);
        entry = next;
    }
    ordered_init(table);
}

/* One in four entries is higher than one level, one in sixteen higher than two. */
static unsigned draw_height(struct ordered *table)
{
    unsigned height = 1;

    table->chance ^= table->chance << 13;
    table->chance ^= table->chance >> 7;
    table->chance ^= table->chance << 17;
    for (uint64_t bits = table->chance; (bits & 3) == 0 && height < ORDERED_HEIGHT_MAX; bits >>= 2)
        height++;
    return height;
}

/* For each level the pointer that leads to the first entry at or after `key`. */
static void find(struct ordered *table, struct slice key,
                 struct ordered_entry **links[ORDERED_HEIGHT_MAX])
{
    struct ordered_entry **level_links = table->first;

    for (unsigned level = ORDERED_HEIGHT_MAX; level-- > 0;) {
        while (level_links[level] != NULL && slice_compare(level_links[level]->key, key) < 0)
            level_links = level_links[level]->next;
        links[level] = &level_links[level];
    }
}

static void remember(struct ordered *table, struct slice key, const struct ordered_entry *entry)
{
    struct ordered_change *change;

    if (!table->is_marked)
        return;
    if (table->change_count == table->change_cap) {
        table->change_cap = table->change_cap > 0 ? 2 * table->change_cap : 64;
        table->changes = realloc(table->changes, table->change_cap * sizeof *table->changes);
        check(table->changes != NULL);
    }
    change = &table->changes[table->change_count++];
    change->key = copy_of(key);
    change->was_there = entry != NULL;
    change->value = copy_of(entry != NULL ? entry->value : slice_of(NULL, 0));
}

void ordered_put(struct ordered *table, struct slice key, struct slice value)
{
    struct ordered_entry **links[ORDERED_HEIGHT_MAX], *entry;

    find(table, key, links);
    entry = *links[0];
    if (entry != NULL && slice_equal(entry->key, key)) {
        remember(table, key, entry);
        slice_free(entry->value);
        entry->value = copy_of(value);
        return;
    }
    remember(table, key, NULL);
    entry = calloc(1, sizeof *entry);
    check(entry != NULL);
    entry->height = draw_height(table);
    entry->next = calloc(entry->height, sizeof(struct ordered_entry *));
    check(entry->next != NULL);
    entry->key = copy_of(key);
    entry->value = copy_of(value);
    for (unsigned level = 0; level < entry->height; level++) {
        entry->next[level] = *links[level];
        *links[level] = entry;
    }
}

void ordered_remove(struct ordered *table, struct slice key)
{
    struct ordered_entry **links[ORDERED_HEIGHT_MAX], *entry;

    find(table, key, links);
    entry = *links[0];
    if (entry == NULL || !slice_equal(entry->key, key))
        return;
    remember(table, key, entry);
    for (unsigned level = 0; level < entry->height; level++)
        *links[level] = entry->next[level];
    entry_free(entry);
}

const struct ordered_entry *ordered_from(const struct ordered *table, struct slice key)
{
    struct ordered_entry *const *links = table->first;

    for (unsigned level = ORDERED_HEIGHT_MAX; level-- > 0;)
        while (links[level] != NULL && slice_compare(links[level]->key, key) < 0)
            links = links[level]->next;
    return links[0];
}

const struct ordered_entry *ordered_get(const struct ordered *table, struct slice key)
{
    const struct ordered_entry *entry = ordered_from(table, key);

    return entry != NULL && slice_equal(entry->key, key) ? entry : NULL;
}

const struct ordered_entry *ordered_before(const struct ordered *table, struct slice key)
{
    struct ordered_entry *const *links = table->first;
    const struct ordered_entry *last = NULL;

    for (unsigned level = ORDERED_HEIGHT_MAX; level-- > 0;)
        while (links[level] != NULL && slice_compare(links[level]->key, key) < 0) {
            last = links[level];
            links = last->next;
        }
    return last;
}

void ordered_mark(struct ordered *table)
{
    check(!table->is_marked);
    table->is_marked = true;
}

static void change_release(struct ordered_change *change)
{
    slice_free(change->key);
    slice_free(change->value);
}

void ordered_undo(struct ordered *table)
{
    check(table->is_marked);
    table->is_marked = false;
    while (table->change_count > 0) {
        struct ordered_change *change = &table->changes[--table->change_count];

        if (change->was_there)
            ordered_put(table, change->key, change->value);
        else
            ordered_remove(table, change->key);
        change_release(change);
    }
}

void ordered_keep(struct ordered *table)
{
    table->is_marked = false;
    while (table->change_count > 0)
        change_release(&table->changes[--table->change_count]);
}
