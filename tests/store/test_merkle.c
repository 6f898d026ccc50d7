/* The tree of store/merkle.h against published values and against RFC 9162's definitions written out plainly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/merkle.h"

#include <stdio.h>

enum { SIZE_MAX_TESTED = 64 };

/* ---- the definitions of RFC 9162 2.1.1, 2.1.3 and 2.1.4, recursive as they stand there ---- */

static uint8_t leaves[SIZE_MAX_TESTED + 1][HASH_LEN];
static uint8_t roots[SIZE_MAX_TESTED + 1][HASH_LEN];

static size_t split(size_t n)
{
    size_t k = 1;

    while (2 * k < n)
        k *= 2;
    return k;
}

static void plain_root(size_t begin, size_t end, uint8_t out[HASH_LEN])
{
    uint8_t left[HASH_LEN], right[HASH_LEN];

    if (begin == end) {
        hash_bytes(slice_of(NULL, 0), out);
    } else if (end - begin == 1) {
        memcpy(out, leaves[begin], HASH_LEN);
    } else {
        plain_root(begin, begin + split(end - begin), left);
        plain_root(begin + split(end - begin), end, right);
        merkle_node_hash(left, right, out);
    }
}

static void add_root(size_t begin, size_t end, struct buf *out)
{
    uint8_t hash[HASH_LEN];

    plain_root(begin, end, hash);
    buf_add(out, hash, HASH_LEN);
}

static void plain_path(size_t m, size_t begin, size_t end, struct buf *out)
{
    size_t middle = begin + split(end - begin);

    if (end - begin == 1)
        return;
    if (m < middle) {
        plain_path(m, begin, middle, out);
        add_root(middle, end, out);
    } else {
        plain_path(m, middle, end, out);
        add_root(begin, middle, out);
    }
}

static void plain_subproof(size_t m, size_t begin, size_t end, bool is_whole, struct buf *out)
{
    size_t middle = begin + split(end - begin);

    if (m == end) {
        if (!is_whole)
            add_root(begin, end, out);
    } else if (m <= middle) {
        plain_subproof(m, begin, middle, is_whole, out);
        add_root(middle, end, out);
    } else {
        plain_subproof(m, middle, end, false, out);
        add_root(begin, middle, out);
    }
}

/* ---- a store of nodes, as the journal has one ---- */

struct store {
    uint8_t nodes[8][SIZE_MAX_TESTED + 1][HASH_LEN];
    bool is_there[8][SIZE_MAX_TESTED + 1];
    unsigned look_ups;
};

static struct store store;

static int keep_node(void *self, unsigned level, uint64_t idx, const uint8_t hash[HASH_LEN])
{
    struct store *to = self;

    assert_true(level >= 1 && level < 8);
    assert_false(to->is_there[level][idx]);
    memcpy(to->nodes[level][idx], hash, HASH_LEN);
    to->is_there[level][idx] = true;
    return 0;
}

static int look_up(void *self, unsigned level, uint64_t idx, uint8_t out[HASH_LEN],
                   struct error *err)
{
    struct store *from = self;

    from->look_ups++;
    if (level > 0 && !from->is_there[level][idx])
        return error_set(err, ERROR_DAMAGED, "node %u/%llu", level, (unsigned long long)idx);
    memcpy(out, level == 0 ? leaves[idx] : from->nodes[level][idx], HASH_LEN);
    return 0;
}

static const struct merkle_source source = {look_up, &store};

static int setup(void **state)
{
    struct merkle_frontier tree = {.size = 0};

    (void)state;
    memset(&store, 0, sizeof store);
    for (size_t i = 0; i <= SIZE_MAX_TESTED; i++) {
        char leaf[32];

        snprintf(leaf, sizeof leaf, "leaf %zu", i);
        merkle_leaf_hash(slice_str(leaf), leaves[i]);
        merkle_root(&tree, roots[i]);
        merkle_append(&tree, leaves[i], keep_node, &store);
    }
    return 0;
}

static void assert_hex(const uint8_t hash[HASH_LEN], const char *hex)
{
    char found[2 * HASH_LEN + 1];

    hex_encode(slice_of(hash, HASH_LEN), found);
    assert_string_equal(found, hex);
}

/* ---- tests ---- */

/* The reference tree of the Certificate Transparency code bases. */
static void published_leaves_have_their_published_roots(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *root; /* of the tree that ends with this leaf */
    } known[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"@ABC", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"PQRSTUVW", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"`abcdefghijklmno", 16,
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct merkle_frontier tree = {.size = 0};
    uint8_t hash[HASH_LEN];

    (void)state;
    merkle_root(&tree, hash);
    assert_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        merkle_leaf_hash(slice_of(known[i].bytes, known[i].len), hash);
        merkle_append(&tree, hash, NULL, NULL);
        merkle_root(&tree, hash);
        assert_hex(hash, known[i].root);
    }
}

static void the_root_of_every_size_is_the_definition(void **state)
{
    uint8_t want[HASH_LEN], stored[HASH_LEN];

    (void)state;
    for (size_t n = 0; n <= SIZE_MAX_TESTED; n++) {
        struct merkle_frontier again;

        plain_root(0, n, want);
        assert_memory_equal(roots[n], want, HASH_LEN);
        assert_int_equal(merkle_root_at(&source, n, stored, NULL), 0);
        assert_memory_equal(stored, want, HASH_LEN);
        assert_int_equal(merkle_frontier_at(&source, n, &again, NULL), 0);
        assert_int_equal(again.size, n);
        assert_int_equal(merkle_append(&again, leaves[n], NULL, NULL), 0);
        plain_root(0, n + 1, want);
        merkle_root(&again, stored);
        assert_memory_equal(stored, want, HASH_LEN);
    }
}

static void every_inclusion_proof_is_the_definition_and_holds(void **state)
{
    struct buf want = BUF_EMPTY, proof = BUF_EMPTY;

    (void)state;
    for (size_t n = 1; n <= SIZE_MAX_TESTED; n++)
        for (size_t m = 0; m < n; m++) {
            buf_clear(&want);
            buf_clear(&proof);
            plain_path(m, 0, n, &want);
            assert_int_equal(merkle_inclusion(&source, m, n, &proof, NULL), 0);
            assert_true(slice_equal(buf_slice(&want), buf_slice(&proof)));
            assert_true(merkle_inclusion_holds(leaves[m], m, n, buf_slice(&proof), roots[n]));
        }
    buf_release(&want);
    buf_release(&proof);
}

static void every_consistency_proof_is_the_definition_and_holds(void **state)
{
    struct buf want = BUF_EMPTY, proof = BUF_EMPTY;

    (void)state;
    for (size_t n = 0; n <= SIZE_MAX_TESTED; n++)
        for (size_t m = 0; m <= n; m++) {
            buf_clear(&want);
            buf_clear(&proof);
            if (m > 0)
                plain_subproof(m, 0, n, true, &want);
            assert_int_equal(merkle_consistency(&source, m, n, &proof, NULL), 0);
            assert_true(slice_equal(buf_slice(&want), buf_slice(&proof)));
            assert_true(merkle_consistency_holds(m, roots[m], n, roots[n], buf_slice(&proof)));
        }
    buf_release(&want);
    buf_release(&proof);
}

static void an_inclusion_proof_with_any_bit_flipped_is_refused(void **state)
{
    struct buf proof = BUF_EMPTY;

    (void)state;
    for (size_t n = 1; n <= 20; n++)
        for (size_t m = 0; m < n; m++) {
            buf_clear(&proof);
            merkle_inclusion(&source, m, n, &proof, NULL);
            for (size_t bit = 0; bit < 8 * proof.len; bit++) {
                proof.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(merkle_inclusion_holds(leaves[m], m, n, buf_slice(&proof), roots[n]));
                proof.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
        }
    buf_release(&proof);
}

static void a_consistency_proof_with_any_bit_flipped_is_refused(void **state)
{
    struct buf proof = BUF_EMPTY;

    (void)state;
    for (size_t n = 1; n <= 20; n++)
        for (size_t m = 1; m <= n; m++) {
            buf_clear(&proof);
            merkle_consistency(&source, m, n, &proof, NULL);
            for (size_t bit = 0; bit < 8 * proof.len; bit++) {
                proof.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(merkle_consistency_holds(m, roots[m], n, roots[n], buf_slice(&proof)));
                proof.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
        }
    buf_release(&proof);
}

static void a_proof_for_another_place_size_leaf_or_root_is_refused(void **state)
{
    struct buf proof = BUF_EMPTY;

    (void)state;
    for (size_t n = 1; n <= 33; n++)
        for (size_t m = 0; m < n; m++) {
            buf_clear(&proof);
            merkle_inclusion(&source, m, n, &proof, NULL);
            assert_false(merkle_inclusion_holds(leaves[m + 1], m, n, buf_slice(&proof), roots[n]));
            assert_false(merkle_inclusion_holds(leaves[m], m, n, buf_slice(&proof), roots[n + 1]));
            assert_false(merkle_inclusion_holds(leaves[m], n, n, buf_slice(&proof), roots[n]));
            assert_false(merkle_inclusion_holds(leaves[m], m, 0, buf_slice(&proof), roots[n]));
            for (size_t other = 0; other < n; other++)
                if (other != m)
                    assert_false(
                        merkle_inclusion_holds(leaves[m], other, n, buf_slice(&proof), roots[n]));
            assert_false(
                merkle_consistency_holds(m, roots[m + 1], n + 1, roots[n + 1], slice_of(NULL, 0)));
        }
    buf_release(&proof);
}

static void a_proof_that_is_too_short_or_too_long_is_refused(void **state)
{
    struct buf proof = BUF_EMPTY;

    (void)state;
    for (size_t n = 1; n <= 33; n++)
        for (size_t m = 1; m <= n; m++) {
            buf_clear(&proof);
            merkle_inclusion(&source, m - 1, n, &proof, NULL);
            buf_add(&proof, leaves[0], HASH_LEN);
            for (size_t len = 0; len <= proof.len; len++)
                if (len != proof.len - HASH_LEN)
                    assert_false(merkle_inclusion_holds(leaves[m - 1], m - 1, n,
                                                        slice_of(proof.at, len), roots[n]));
            buf_clear(&proof);
            merkle_consistency(&source, m, n, &proof, NULL);
            buf_add(&proof, leaves[0], HASH_LEN);
            for (size_t len = 0; len <= proof.len; len++)
                if (len != proof.len - HASH_LEN)
                    assert_false(merkle_consistency_holds(m, roots[m], n, roots[n],
                                                          slice_of(proof.at, len)));
        }
    buf_release(&proof);
}

static void consistency_with_nothing_needs_the_root_of_nothing(void **state)
{
    (void)state;
    assert_true(merkle_consistency_holds(0, roots[0], 9, roots[9], slice_of(NULL, 0)));
    assert_false(merkle_consistency_holds(0, roots[1], 9, roots[9], slice_of(NULL, 0)));
    assert_false(merkle_consistency_holds(0, roots[0], 9, roots[9], slice_of(leaves[0], HASH_LEN)));
    assert_false(merkle_consistency_holds(9, roots[9], 8, roots[8], slice_of(NULL, 0)));
}

static void a_proof_costs_no_more_look_ups_than_twice_the_height(void **state)
{
    struct buf proof = BUF_EMPTY;

    (void)state;
    for (size_t n = 1; n <= SIZE_MAX_TESTED; n++)
        for (size_t m = 0; m < n; m++) {
            unsigned height = n == 1 ? 0 : 64U - (unsigned)__builtin_clzll(n - 1);

            store.look_ups = 0;
            buf_clear(&proof);
            merkle_inclusion(&source, m, n, &proof, NULL);
            assert_true(store.look_ups <= 2 * height);
            store.look_ups = 0;
            merkle_consistency(&source, m, n, &proof, NULL);
            assert_true(store.look_ups <= 2 * height + 1);
        }
    buf_release(&proof);
}

static void a_node_that_is_missing_is_an_error_and_gives_nothing(void **state)
{
    struct buf proof = BUF_EMPTY;
    struct error err;
    uint8_t root[HASH_LEN];

    (void)state;
    store.is_there[2][1] = false;
    assert_int_equal(merkle_inclusion(&source, 0, 8, &proof, &err), -1);
    assert_int_equal(err.class, ERROR_DAMAGED);
    assert_int_equal(proof.len, 0);
    assert_int_equal(merkle_consistency(&source, 4, 8, &proof, &err), -1);
    assert_int_equal(merkle_root_at(&source, 12, root, &err), 0);
    store.is_there[3][0] = false;
    assert_int_equal(merkle_root_at(&source, 12, root, &err), -1);
    buf_release(&proof);
}

#define TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(published_leaves_have_their_published_roots),
        TEST(the_root_of_every_size_is_the_definition),
        TEST(every_inclusion_proof_is_the_definition_and_holds),
        TEST(every_consistency_proof_is_the_definition_and_holds),
        TEST(an_inclusion_proof_with_any_bit_flipped_is_refused),
        TEST(a_consistency_proof_with_any_bit_flipped_is_refused),
        TEST(a_proof_for_another_place_size_leaf_or_root_is_refused),
        TEST(a_proof_that_is_too_short_or_too_long_is_refused),
        TEST(consistency_with_nothing_needs_the_root_of_nothing),
        TEST(a_proof_costs_no_more_look_ups_than_twice_the_height),
        TEST(a_node_that_is_missing_is_an_error_and_gives_nothing),
    };

    return cmocka_run_group_tests_name("merkle", tests, NULL, NULL);
}
