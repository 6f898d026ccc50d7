/* map.h - a hash table from bytes to a pointer. Keys are copied; the pointers belong to the caller. */
#ifndef ROTA_BASE_MAP_H
#define ROTA_BASE_MAP_H

#include "base/slice.h"

struct map_entry {
    char *key; /* owned, NUL after key_len bytes; NULL where the place is free */
    size_t key_len;
    uint64_t hash;
    void *value;
};

struct map {
    struct map_entry *entries; /* owned; open addressing, a power of two of places */
    size_t count, cap;
};

#define MAP_EMPTY                                                                                  \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void map_release(struct map *map); /* frees the table and keys, not the pointers */
void map_clear(struct map *map);   /* the same, but a table that is small is kept for what comes */
void *map_get(const struct map *map, struct slice key);        /* NULL if absent */
void *map_put(struct map *map, struct slice key, void *value); /* gives the pointer it replaced */
void *map_remove(struct map *map, struct slice key); /* gives the pointer, NULL if absent */

/* Walks in no particular order; begin with *at = 0; NULL at the end. No changes meanwhile. */
const struct map_entry *map_next(const struct map *map, size_t *at);

#endif
