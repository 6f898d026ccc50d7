#include "store/merkle.h"

#include "base/check.h"

#include <stdlib.h>

enum { LEAF_ON_STACK = 4096 };

void merkle_leaf_hash(struct slice leaf, uint8_t out[HASH_LEN])
{
    uint8_t near[1 + LEAF_ON_STACK];
    uint8_t *bytes = leaf.len <= LEAF_ON_STACK ? near : malloc(1 + leaf.len);

    check(bytes != NULL);
    bytes[0] = 0x00;
    if (leaf.len > 0)
        memcpy(bytes + 1, leaf.at, leaf.len);
    hash_bytes(slice_of(bytes, 1 + leaf.len), out);
    if (bytes != near)
        free(bytes);
}

void merkle_node_hash(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
                      uint8_t out[HASH_LEN])
{
    uint8_t bytes[1 + 2 * HASH_LEN];

    bytes[0] = 0x01;
    memcpy(bytes + 1, left, HASH_LEN);
    memcpy(bytes + 1 + HASH_LEN, right, HASH_LEN);
    hash_bytes(slice_of(bytes, sizeof bytes), out);
}

int merkle_append(struct merkle_frontier *frontier, const uint8_t leaf_hash[HASH_LEN],
                  merkle_made_fn *made, void *self)
{
    uint8_t hash[HASH_LEN];
    uint64_t idx = frontier->size;
    unsigned level = 0;

    check(frontier->size < INT64_MAX);
    check(frontier->count == (unsigned)__builtin_popcountll(frontier->size));
    memcpy(hash, leaf_hash, HASH_LEN);
    for (; (idx & 1) != 0; idx >>= 1) {
        int stopped;

        merkle_node_hash(frontier->peaks[--frontier->count], hash, hash);
        level++;
        stopped = made == NULL ? 0 : made(self, level, idx >> 1, hash);
        if (stopped != 0)
            return stopped;
    }
    memcpy(frontier->peaks[frontier->count++], hash, HASH_LEN);
    frontier->size++;
    return 0;
}

void merkle_root(const struct merkle_frontier *frontier, uint8_t out[HASH_LEN])
{
    unsigned at = frontier->count;

    if (at == 0) {
        hash_bytes(slice_of(NULL, 0), out);
        return;
    }
    memcpy(out, frontier->peaks[--at], HASH_LEN);
    while (at > 0)
        merkle_node_hash(frontier->peaks[--at], out, out);
}

/* ---- ranges of a stored tree ---- */

static unsigned level_of(uint64_t leaves)
{
    return 63U - (unsigned)__builtin_clzll(leaves);
}

/* The largest power of two smaller than `leaves` (> 1): where RFC 9162 splits a tree. */
static uint64_t split_of(uint64_t leaves)
{
    return (uint64_t)1 << level_of(leaves - 1);
}

/* The frontier of leaves [begin, end), where begin is a multiple of a power of two >= end - begin. */
static int range_frontier(const struct merkle_source *source, uint64_t begin, uint64_t end,
                          struct merkle_frontier *out, struct error *err)
{
    out->size = end - begin;
    out->count = 0;
    while (begin < end) {
        unsigned level = level_of(end - begin);

        check((begin & (((uint64_t)1 << level) - 1)) == 0);
        if (source->node(source->self, level, begin >> level, out->peaks[out->count], err) != 0)
            return -1;
        out->count++;
        begin += (uint64_t)1 << level;
    }
    return 0;
}

static int range_hash(const struct merkle_source *source, uint64_t begin, uint64_t end,
                      uint8_t out[HASH_LEN], struct error *err)
{
    struct merkle_frontier range;

    if (range_frontier(source, begin, end, &range, err) != 0)
        return -1;
    merkle_root(&range, out);
    return 0;
}

int merkle_frontier_at(const struct merkle_source *source, uint64_t size,
                       struct merkle_frontier *out, struct error *err)
{
    struct merkle_frontier found;

    if (range_frontier(source, 0, size, &found, err) != 0)
        return -1;
    *out = found;
    return 0;
}

int merkle_root_at(const struct merkle_source *source, uint64_t size, uint8_t out[HASH_LEN],
                   struct error *err)
{
    return range_hash(source, 0, size, out, err);
}

/* ---- proofs ---- */

/* Hashes of one proof, found from the root down and given from the leaf up. */
struct path {
    unsigned count;
    uint8_t hashes[MERKLE_PROOF_MAX][HASH_LEN];
};

static int path_add(struct path *path, const struct merkle_source *source, uint64_t begin,
                    uint64_t end, struct error *err)
{
    check(path->count < MERKLE_PROOF_MAX);
    if (range_hash(source, begin, end, path->hashes[path->count], err) != 0)
        return -1;
    path->count++;
    return 0;
}

static void path_give(const struct path *path, struct buf *proof)
{
    for (unsigned i = path->count; i > 0; i--)
        buf_add(proof, path->hashes[i - 1], HASH_LEN);
}

int merkle_inclusion(const struct merkle_source *source, uint64_t seq, uint64_t size,
                     struct buf *proof, struct error *err)
{
    uint64_t begin = 0, end = size;
    struct path path;

    if (seq >= size)
        return error_set(err, ERROR_INPUT, "entry %llu is not among the first %llu",
                         (unsigned long long)seq, (unsigned long long)size);
    path.count = 0;
    while (end - begin > 1) {
        uint64_t middle = begin + split_of(end - begin);
        bool is_left = seq < middle;

        if (path_add(&path, source, is_left ? middle : begin, is_left ? end : middle, err) != 0)
            return -1;
        if (is_left)
            end = middle;
        else
            begin = middle;
    }
    path_give(&path, proof);
    return 0;
}

int merkle_consistency(const struct merkle_source *source, uint64_t old_size, uint64_t size,
                       struct buf *proof, struct error *err)
{
    uint64_t begin = 0, end = size;
    struct path path;

    if (old_size > size)
        return error_set(err, ERROR_INPUT, "size %llu is larger than %llu",
                         (unsigned long long)old_size, (unsigned long long)size);
    if (old_size == 0 || old_size == size)
        return 0;
    path.count = 0;
    while (end != old_size) {
        uint64_t middle = begin + split_of(end - begin);
        bool is_left = old_size <= middle;

        if (path_add(&path, source, is_left ? middle : begin, is_left ? end : middle, err) != 0)
            return -1;
        if (is_left)
            end = middle;
        else
            begin = middle;
    }
    /* The old tree itself is known to whoever asks, unless it is only a part of what begins at 0. */
    if (begin != 0 && path_add(&path, source, begin, end, err) != 0)
        return -1;
    path_give(&path, proof);
    return 0;
}

/* ---- verification ---- */

bool merkle_inclusion_holds(const uint8_t leaf_hash[HASH_LEN], uint64_t seq, uint64_t size,
                            struct slice proof, const uint8_t root[HASH_LEN])
{
    uint64_t at = seq, last = size - 1;
    uint8_t hash[HASH_LEN];

    if (seq >= size || proof.len % HASH_LEN != 0)
        return false;
    memcpy(hash, leaf_hash, HASH_LEN);
    for (size_t i = 0; i < proof.len; i += HASH_LEN) {
        if (last == 0)
            return false;
        if ((at & 1) != 0 || at == last) {
            merkle_node_hash(proof.at + i, hash, hash);
            while (at != 0 && (at & 1) == 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            merkle_node_hash(hash, proof.at + i, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, HASH_LEN) == 0;
}

/* RFC 9162 2.1.4.2 steps 3 to 7; 0 < old_size < size and the proof is not empty. */
static bool consistency_walk(uint64_t old_size, const uint8_t old_root[HASH_LEN], uint64_t size,
                             const uint8_t root[HASH_LEN], struct slice proof)
{
    uint64_t at = old_size - 1, last = size - 1;
    uint8_t old_hash[HASH_LEN], hash[HASH_LEN];
    size_t next = 0;

    while ((at & 1) != 0) {
        at >>= 1;
        last >>= 1;
    }
    memcpy(old_hash, at == 0 ? old_root : proof.at, HASH_LEN);
    next = at == 0 ? 0 : HASH_LEN;
    memcpy(hash, old_hash, HASH_LEN);
    for (; next < proof.len; next += HASH_LEN) {
        if (last == 0)
            return false;
        if ((at & 1) != 0 || at == last) {
            merkle_node_hash(proof.at + next, old_hash, old_hash);
            merkle_node_hash(proof.at + next, hash, hash);
            while (at != 0 && (at & 1) == 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            merkle_node_hash(hash, proof.at + next, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(old_hash, old_root, HASH_LEN) == 0 &&
           memcmp(hash, root, HASH_LEN) == 0;
}

bool merkle_consistency_holds(uint64_t old_size, const uint8_t old_root[HASH_LEN], uint64_t size,
                              const uint8_t root[HASH_LEN], struct slice proof)
{
    if (old_size > size || proof.len % HASH_LEN != 0)
        return false;
    if (old_size == size)
        return proof.len == 0 && memcmp(old_root, root, HASH_LEN) == 0;
    if (old_size == 0) {
        uint8_t empty[HASH_LEN];

        hash_bytes(slice_of(NULL, 0), empty);
        return proof.len == 0 && memcmp(old_root, empty, HASH_LEN) == 0;
    }
    return proof.len > 0 && consistency_walk(old_size, old_root, size, root, proof);
}
