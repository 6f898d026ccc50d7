/* merkle.h - the Merkle tree of RFC 9162 section 2.1 with SHA-256: frontier, proofs, verification.
 *
 * A leaf hash is SHA-256 (0x00 || leaf), a node is SHA-256 (0x01 || left || right). A complete subtree of
 * 2^level leaves that begins at leaf idx * 2^level is the node (level, idx); it never changes once it is
 * complete, so it is stored once. What is not complete is recomputed from at most 63 complete subtrees, the
 * frontier. Pure: no I/O; stored nodes come through a callback.
 */
#ifndef ROTA_STORE_MERKLE_H
#define ROTA_STORE_MERKLE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

enum { MERKLE_PEAKS_MAX = 63, MERKLE_PROOF_MAX = 2 * MERKLE_PEAKS_MAX /* hashes in a proof */ };

void merkle_leaf_hash(struct slice leaf, uint8_t out[HASH_LEN]);
void merkle_node_hash(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
                      uint8_t out[HASH_LEN]);

/* The complete subtrees that make up the first `size` leaves, the largest first: one for each bit of size. */
struct merkle_frontier {
    uint64_t size;  /* leaves */
    unsigned count; /* peaks */
    uint8_t peaks[MERKLE_PEAKS_MAX][HASH_LEN];
};

/* Called for every node of level >= 1 that the new leaf completes, lowest first; non-zero stops. */
typedef int merkle_made_fn(void *self, unsigned level, uint64_t idx, const uint8_t hash[HASH_LEN]);

/* Adds one leaf hash. `made` may be NULL. Gives what `made` gave; the frontier is then not to be used. */
int merkle_append(struct merkle_frontier *frontier, const uint8_t leaf_hash[HASH_LEN],
                  merkle_made_fn *made, void *self);
void merkle_root(const struct merkle_frontier *frontier, uint8_t out[HASH_LEN]);

/* Where nodes are looked up: level 0 is the hash of leaf idx. 0, or -1 with `err` filled. */
struct merkle_source {
    int (*node)(void *self, unsigned level, uint64_t idx, uint8_t out[HASH_LEN], struct error *err);
    void *self;
};

/* All of these look up at most 2 * log2 (size) nodes. */
int merkle_frontier_at(const struct merkle_source *source, uint64_t size,
                       struct merkle_frontier *out, struct error *err);
int merkle_root_at(const struct merkle_source *source, uint64_t size, uint8_t out[HASH_LEN],
                   struct error *err);

/* RFC 9162 2.1.3.1: the path of leaf `seq` < `size`. Hashes are appended to `proof`. */
int merkle_inclusion(const struct merkle_source *source, uint64_t seq, uint64_t size,
                     struct buf *proof, struct error *err);
/* RFC 9162 2.1.4.1, old_size <= size; empty when old_size is 0 or equals size. */
int merkle_consistency(const struct merkle_source *source, uint64_t old_size, uint64_t size,
                       struct buf *proof, struct error *err);

/* RFC 9162 2.1.3.2 and 2.1.4.2: true only if the proof, all of it, holds. */
bool merkle_inclusion_holds(const uint8_t leaf_hash[HASH_LEN], uint64_t seq, uint64_t size,
                            struct slice proof, const uint8_t root[HASH_LEN]);
bool merkle_consistency_holds(uint64_t old_size, const uint8_t old_root[HASH_LEN], uint64_t size,
                              const uint8_t root[HASH_LEN], struct slice proof);

#endif
