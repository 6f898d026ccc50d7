/* story_shelf.h - a shelf of memory: rows, leaves and contents as a journal would keep them; and the test of what was
 * kept: the whole journal is read again and must give the same rows. */
#ifndef ROTA_TESTS_CORE_STORY_SHELF_H
#define ROTA_TESTS_CORE_STORY_SHELF_H

#include "core/core.h"

struct story_shelf {
    struct map rows; /* key -> struct buf, owned */
    struct buf *leaves;
    size_t leaf_count, leaf_cap;
    struct map contents; /* hash -> struct buf, owned */
    bool is_failing;     /* every read is an error */
};

void story_shelf_release(struct story_shelf *shelf);
struct shelf story_shelf_of(struct story_shelf *shelf); /* for core_new() */
void story_shelf_changed(void *shelf, struct slice key, const struct value *row,
                         struct slice bytes);
void story_shelf_add_leaf(struct story_shelf *shelf, struct slice bytes);
int story_shelf_leaf(void *shelf, uint64_t seq,
                     struct buf *out); /* as struct core_query wants it */
void story_shelf_add_content(struct story_shelf *shelf, const uint8_t hash[HASH_LEN],
                             struct slice bytes);

/* Ends the test if the leaves break a rule of the journal, or if reading them again (with the core, and with a fold
 * of its own) does not give the rows of the shelf. */
void story_shelf_replay(struct story_shelf *shelf);

#endif
