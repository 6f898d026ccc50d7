/* state.h - the state as rows, and the one function that changes it.
 *
 * State is a set of rows: key (UTF-8) -> map. A leaf says literally what it changes: its effects are merge
 * patches (RFC 7396) on rows. Folding the leaves in order gives the state; nothing else changes it, and
 * folding needs no knowledge of workflows (engine/JOURNAL.md gives the rules).
 *
 * A run of leaves is folded into a draft over the stored rows: the draft is seen by every read until it is kept or
 * dropped, so a decision can look at its own consequences before anything is true.
 */
#ifndef ROTA_CORE_STATE_H
#define ROTA_CORE_STATE_H

#include "base/map.h"
#include "core/leaf.h"

enum { ROW_KEY_MAX = 256, ROW_BYTES_MAX = 1 << 20 }; /* what a shelf takes of one row */

/* Where rows and contents come from that are not in memory. Functions give 1 found, 0 absent, -1 error; an
 * error is remembered in the state and makes the run fail. */
struct shelf {
    void *self;
    int (*row)(void *self, struct slice key, struct buf *out);
    int (*content)(void *self, const uint8_t hash[HASH_LEN], struct buf *out);
    /* Every row whose key begins with prefix, ascending, with all changes that state_keep() has told so far;
     * `each` non-zero ends it. */
    int (*each)(void *self, struct slice prefix,
                int (*each)(void *with, struct slice key, struct slice bytes), void *with);
    /* The same for the keys after `after`; NULL: `each` is used and keys up to there are passed over. */
    int (*each_after)(void *self, struct slice prefix, struct slice after,
                      int (*each)(void *with, struct slice key, struct slice bytes), void *with);
};

struct state;

struct state *state_new(const struct shelf *shelf);
void state_free(struct state **state);
void state_forget(
    struct state *state); /* empties memory: everything is read from the shelf again */

/* The row, or NULL. Lent until the next read that begins a new draft. Never changed by the caller: rows are decoded once
 * for each change and shared by all drafts that read them, and what is in memory of a row always is what its stored bytes
 * say. What was read below it stays as it was read, also when the draft patches the row. */
const struct value *state_row(struct state *state, struct slice key);
const struct value *state_rowf(struct state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The bytes of a content, in memory of the draft; empty slice if it is absent or erased. */
struct slice state_content(struct state *state, struct slice hash);
/* A content that the draft makes: found by state_content() until the draft is kept or dropped; whoever keeps it has stored
 * it by then. `hash` and `bytes` are memory of the draft. */
void state_put_content(struct state *state, struct slice hash, struct slice bytes);

/* Rows whose key begins with `prefix`, draft included, ascending, at most `max`; false if there were more. The
 * result is an array of maps {key: str, row: map} in memory of the draft. */
bool state_rows(struct state *state, struct slice prefix, uint32_t max, struct value *out);

/* For queries, which walk over more rows than memory should hold: stored rows whose key is `prefix` and a rest
 * without '/', after key `after` (empty: from the start), ascending, at most `max`; false if there were more. The shelf
 * is asked, not the draft. The array of maps {key: str, row: map} is in `arena`. */
bool state_page(struct state *state, struct arena *arena, struct slice prefix, struct slice after,
                uint32_t max, struct value *out);

/* Memory that lives as long as the draft. */
struct arena *state_arena(struct state *state);

/* Folds a leaf into the draft. Cannot fail for a leaf that this engine wrote; a leaf from elsewhere must have
 * passed leaf_decode(). Strings are lent by the leaf until the draft is kept or dropped. */
void state_fold(struct state *state, const struct leaf *leaf);

/* Did the shelf fail since the draft began? Then the run must not be kept. */
bool state_is_broken(const struct state *state);

/* Encodes the rows that the draft changes; state_keep() then stores these bytes. False: one of them is more than a shelf
 * takes, and `*key` is its key (lent by the draft); the draft must not be kept. */
bool state_seal(struct state *state, struct slice *key);

typedef void state_changed_fn(void *self, struct slice key, const struct value *row,
                              struct slice bytes);
/* The draft becomes the state; `changed` is told each changed row (row NULL and no bytes: deleted), keys in
 * ascending order. Memory of the draft stays valid until the next read that begins a new draft. */
void state_keep(struct state *state, state_changed_fn *changed, void *self);
void state_drop(struct state *state);

#endif
