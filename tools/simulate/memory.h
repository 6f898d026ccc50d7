/* memory.h - a shelf of memory: rows, leaves and contents as a journal would keep them, gone when the program ends.
 *
 * Rows are kept in the order of their keys, so that a walk over some of them costs those and not all. Out of memory
 * stops the process.
 */
#ifndef ROTA_SIMULATE_MEMORY_H
#define ROTA_SIMULATE_MEMORY_H

#include "core/core.h"

struct memory_row {
    struct slice key; /* owned */
    struct buf bytes; /* owned */
};

struct memory_content {
    uint8_t salt[16];
    struct buf bytes; /* owned */
};

struct memory {
    struct memory_row **rows; /* owned, ascending */
    size_t row_count, row_cap;
    struct map by_key; /* key -> struct memory_row, lent by `rows` */
    struct buf *leaves;
    size_t leaf_count, leaf_cap;
    struct map contents; /* hash -> struct memory_content, owned */
    bool is_failing;     /* every read is an error: for tests */
};

void memory_release(struct memory *memory);
struct shelf memory_shelf(struct memory *memory); /* for core_new() */

/* The bytes of a row, or NULL. Lent until the row changes. */
const struct buf *memory_row(const struct memory *memory, struct slice key);

/* As state_keep() tells it (state_changed_fn). */
void memory_changed(void *memory, struct slice key, const struct value *row, struct slice bytes);
void memory_add_leaf(struct memory *memory, struct slice bytes);
int memory_leaf(void *memory, uint64_t seq, struct buf *out); /* as struct core_query wants it */
void memory_add_contents(struct memory *memory, const struct value *made); /* those of a run */
/* Kept under their salted hash (hash_content()), which is given back. */
void memory_add_content(struct memory *memory, const uint8_t salt[16], struct slice bytes,
                        uint8_t hash[HASH_LEN]);
void memory_erase_content(struct memory *memory, struct slice hash);

#endif
