/* fold.h - state as a fold of the journal: each leaf says literally what it changed.
 *
 * State is a set of rows: key -> map. A leaf's `effects` is a map: row key -> merge patch (RFC 7396, over
 * maps instead of JSON objects). Fold of one leaf, in this order:
 *
 *   1. for each (key, patch) by ascending key, except "^": "" stands for the leaf's own stream; the patch is
 *      merged into the row, which starts as {} if it is absent; a patch that is nil deletes the row;
 *   2. unless effects[""] is nil, the row of the leaf's stream exists afterwards and has rev = leaf's rev;
 *   3. effects["^"] names the records the leaf concerns: each whose row exists gets last = leaf's seq.
 *
 * Rows are kept encoded, and merged as they are encoded: keys of maps are sorted, so a merge is one walk.
 */
#ifndef ROTA_VERIFY_FOLD_H
#define ROTA_VERIFY_FOLD_H

#include "leaf.h"

struct fold {
    struct table *table; /* borrowed: where the rows stand */
    struct buf row;      /* the row being made */
    /* Told of each row and its patch before they are merged; or NULL. */
    void (*watch)(void *watcher, const struct table_entry *entry, struct bytes patch);
    void *watcher; /* borrowed */
};

void fold_release(struct fold *fold);

/* Fold one leaf. NULL: done; otherwise why its effects make no sense, and the rows are of no use. */
const char *fold_leaf(struct fold *fold, const struct leaf *leaf);

/* Merge a patch (a map) into an encoded map (anything else counts as {}) and append the result to out. */
void fold_merge(struct buf *out, struct bytes old, struct bytes patch);

#endif
