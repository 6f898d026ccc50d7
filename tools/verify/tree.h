/* tree.h - the Merkle tree of RFC 6962 / RFC 9162 (SHA-256), kept as its right edge.
 *
 * A leaf is hashed as SHA-256(0x00 || bytes), a node as SHA-256(0x01 || left || right). Appending costs one
 * node hash on average; the state is at most 64 hashes.
 */
#ifndef ROTA_VERIFY_TREE_H
#define ROTA_VERIFY_TREE_H

#include "hash.h"

enum { TREE_MAX_LEVELS = 64 };

struct tree {
    uint64_t size; /* leaves so far */
    uint8_t peaks[TREE_MAX_LEVELS]
                 [HASH_LEN]; /* by level: the root of the full subtree there, if any */
};

/* Told each full node that a leaf completes, from level 1 up. */
typedef void tree_node_made(void *context, unsigned level, uint64_t index,
                            const uint8_t hash[HASH_LEN]);

void tree_leaf_hash(struct bytes leaf, uint8_t out[HASH_LEN]);

/* Append the hash of a leaf. made may be NULL. A tree starts as {0}. */
void tree_append(struct tree *tree, const uint8_t leaf_hash[HASH_LEN], tree_node_made *made,
                 void *context);

/* The root of what was appended so far; of nothing, SHA-256 of no bytes. */
void tree_root(const struct tree *tree, uint8_t out[HASH_LEN]);

#endif
