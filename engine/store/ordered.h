/* ordered.h - an ordered table from bytes to bytes with undo: what the memory backend keeps things in.
 *
 * A skip list. Between ordered_mark() and ordered_undo() or ordered_keep() every change is remembered.
 */
#ifndef ROTA_STORE_ORDERED_H
#define ROTA_STORE_ORDERED_H

#include "base/slice.h"

enum { ORDERED_HEIGHT_MAX = 20 };

struct ordered_entry {
    struct slice key, value;     /* owned */
    struct ordered_entry **next; /* owned, `height` of them */
    unsigned height;
};

struct ordered_change {
    struct slice key, value; /* owned: what was there before */
    bool was_there;
};

struct ordered {
    struct ordered_entry *first[ORDERED_HEIGHT_MAX];
    uint64_t chance;                /* state of the generator of heights */
    struct ordered_change *changes; /* owned, oldest first */
    size_t change_count, change_cap;
    bool is_marked;
};

void ordered_init(struct ordered *table);
void ordered_release(struct ordered *table);

void ordered_put(struct ordered *table, struct slice key, struct slice value); /* copies both */
void ordered_remove(struct ordered *table, struct slice key);

/* The entry of `key`, or NULL; the first entry at or after `key`, or NULL; the last one before it, or NULL.
 * Lent until the next change. */
const struct ordered_entry *ordered_get(const struct ordered *table, struct slice key);
const struct ordered_entry *ordered_from(const struct ordered *table, struct slice key);
const struct ordered_entry *ordered_before(const struct ordered *table, struct slice key);
static inline const struct ordered_entry *ordered_next(const struct ordered_entry *entry)
{
    return entry->next[0];
}

void ordered_mark(struct ordered *table);
void ordered_undo(struct ordered *table); /* back to how it was at the mark */
void ordered_keep(struct ordered *table); /* forgets the mark */

#endif
