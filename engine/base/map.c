#include "base/map.h"

#include "base/check.h"

#include <stdlib.h>

enum { MAP_FIRST = 16, MAP_KEEP = 64 /* places: to empty them costs no more than a new table */ };

/* FNV-1a, finished with a mix so that the low bits carry every byte. */
static uint64_t hash_of(struct slice key)
{
    uint64_t hash = 14695981039346656037ULL;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ key.at[i]) * 1099511628211ULL;
    hash ^= hash >> 32;
    return hash * 0x9e3779b97f4a7c15ULL;
}

static size_t home_of(const struct map *map, uint64_t hash)
{
    return (size_t)(hash >> 20) & (map->cap - 1);
}

/* The place of `key`, or the free place where it would go. The table is never full. */
static size_t place_of(const struct map *map, struct slice key, uint64_t hash)
{
    size_t at = home_of(map, hash);

    for (;; at = (at + 1) & (map->cap - 1)) {
        const struct map_entry *entry = &map->entries[at];

        if (entry->key == NULL || (entry->hash == hash && entry->key_len == key.len &&
                                   memcmp(entry->key, key.at, key.len) == 0))
            return at;
    }
}

static void grow(struct map *map)
{
    struct map old = *map;

    map->cap = old.cap > 0 ? old.cap * 2 : MAP_FIRST;
    map->entries = calloc(map->cap, sizeof *map->entries);
    check(map->entries != NULL);
    for (size_t i = 0; i < old.cap; i++) {
        struct map_entry *entry = &old.entries[i];

        if (entry->key != NULL)
            map->entries[place_of(map, slice_of(entry->key, entry->key_len), entry->hash)] = *entry;
    }
    free(old.entries);
}

void map_release(struct map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        free(map->entries[i].key);
    free(map->entries);
    *map = (struct map)MAP_EMPTY;
}

void map_clear(struct map *map)
{
    if (map->cap > MAP_KEEP) {
        map_release(map);
        return;
    }
    for (size_t i = 0; i < map->cap && map->count > 0; i++) {
        if (map->entries[i].key == NULL)
            continue;
        free(map->entries[i].key);
        map->entries[i] = (struct map_entry){NULL, 0, 0, NULL};
        map->count--;
    }
}

void *map_get(const struct map *map, struct slice key)
{
    if (map->count == 0)
        return NULL;
    return map->entries[place_of(map, key, hash_of(key))].value;
}

void *map_put(struct map *map, struct slice key, void *value)
{
    uint64_t hash = hash_of(key);
    struct map_entry *entry;
    void *before;

    check(value != NULL);
    if (map->count * 4 >= map->cap * 3)
        grow(map);
    entry = &map->entries[place_of(map, key, hash)];
    before = entry->value;
    if (entry->key == NULL) {
        entry->key = malloc(key.len + 1);
        check(entry->key != NULL);
        memcpy(entry->key, key.at, key.len);
        entry->key[key.len] = '\0';
        entry->key_len = key.len;
        entry->hash = hash;
        map->count++;
    }
    entry->value = value;
    return before;
}

void *map_remove(struct map *map, struct slice key)
{
    size_t hole, at;
    void *value;

    if (map->count == 0)
        return NULL;
    hole = place_of(map, key, hash_of(key));
    value = map->entries[hole].value;
    if (map->entries[hole].key == NULL)
        return NULL;
    free(map->entries[hole].key);
    /* Close the hole: every entry after it that may not stay behind it moves up. */
    for (at = (hole + 1) & (map->cap - 1); map->entries[at].key != NULL;
         at = (at + 1) & (map->cap - 1)) {
        size_t home = home_of(map, map->entries[at].hash);

        if (((at - home) & (map->cap - 1)) >= ((at - hole) & (map->cap - 1))) {
            map->entries[hole] = map->entries[at];
            hole = at;
        }
    }
    map->entries[hole] = (struct map_entry){NULL, 0, 0, NULL};
    map->count--;
    return value;
}

const struct map_entry *map_next(const struct map *map, size_t *at)
{
    while (*at < map->cap) {
        const struct map_entry *entry = &map->entries[(*at)++];

        if (entry->key != NULL)
            return entry;
    }
    return NULL;
}
