#include "tree.h"

void tree_leaf_hash(struct bytes leaf, uint8_t out[HASH_LEN])
{
    static const uint8_t zero = 0;
    struct bytes parts[] = {bytes_of(&zero, 1), leaf};

    hash_sha256(parts, 2, out);
}

static void node_hash(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
                      uint8_t out[HASH_LEN])
{
    static const uint8_t one = 1;
    struct bytes parts[] = {bytes_of(&one, 1), bytes_of(left, HASH_LEN), bytes_of(right, HASH_LEN)};

    hash_sha256(parts, 3, out);
}

void tree_append(struct tree *tree, const uint8_t leaf_hash[HASH_LEN], tree_node_made *made,
                 void *context)
{
    uint64_t index = tree->size++;
    unsigned level = 0;
    uint8_t hash[HASH_LEN];

    memcpy(hash, leaf_hash, HASH_LEN);
    for (; (index & 1) != 0; index >>= 1) {
        node_hash(tree->peaks[level], hash, hash);
        level++;
        if (made != NULL)
            made(context, level, index >> 1, hash);
    }
    memcpy(tree->peaks[level], hash, HASH_LEN);
}

void tree_root(const struct tree *tree, uint8_t out[HASH_LEN])
{
    bool is_empty = true;

    hash_sha256(NULL, 0, out);
    for (unsigned level = 0; level < TREE_MAX_LEVELS; level++) {
        if ((tree->size >> level & 1) == 0)
            continue;
        if (is_empty)
            memcpy(out, tree->peaks[level], HASH_LEN);
        else
            node_hash(tree->peaks[level], out, out);
        is_empty = false;
    }
}
