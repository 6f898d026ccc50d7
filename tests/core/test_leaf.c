/* test_leaf.c - the leaf is a stored blob: exactly these bytes, and no others.
 *
 * The five leaves are a small journal that an independent program wrote (a scope statement is opened, submitted,
 * approved with a signature, put in force, and a communication is started).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/leaf.h"

static const char *const leaves[] = {
    "9eab726f74612e6c6561662f3100cf00060a24181e4000ab7265636f72642e6f70656ea7"
    "5343502d31403101b869736d732d6d616e61676572406578616d706c652e6f726792a563"
    "75727665c420000000000000000000000000000000000000000000000000000000000000"
    "0000c41000000000000000000000000000000000c081a46b696e64af73636f70655f7374"
    "6174656d656e7481a57374617465a56472616674c4208e10df26054cdfdeb45a09b0496a"
    "67a0820493908bdebd74e08534230396bfc4c0",
    "9eab726f74612e6c6561662f3101cf00060a2418352360ad7265636f72642e7375626d69"
    "74a75343502d31403102b869736d732d6d616e61676572406578616d706c652e6f726792"
    "a56375727665c42001010101010101010101010101010101010101010101010101010101"
    "01010101c41001010101010101010101010101010101c081a6726561736f6eab66697273"
    "7420697373756581a5726f756e6401c0c0",
    "9eab726f74612e6c6561662f3102cf00060a24184c06c0ae7265636f72642e617070726f"
    "7665a75343502d31403103b16368616972406578616d706c652e6f726792a56375727665"
    "c4200202020202020202020202020202020202020202020202020202020202020202c410"
    "02020202020202020202020202020202c083a6646967657374c4208e10df26054cdfdeb4"
    "5a09b0496a67a0820493908bdebd74e08534230396bfc4a76d65616e696e67a861707072"
    "6f766564a5726f756e640181a57374617465a8617070726f766564c0c44036cdb3fc3eea"
    "d981569c9b58bbbb7cc9b629107a8eb3826b6adf07480b73e5d9450597e1901768c81b79"
    "ba4fc4589375f7262be1f21ae0314b86911170231903",
    "9eab726f74612e6c6561662f3103cf00060a241862ea20b37265636f72642e7075745f69"
    "6e5f666f726365a75343502d31403104a6656e67696e6592a6656e67696e65c0c4100303"
    "0303030303030303030303030303028082a57374617465a8696e5f666f726365a5746173"
    "6b739182a2696401a773657276696365ad636f6d6d756e69636174696f6ec0c0",
    "9eab726f74612e6c6561662f3104cf00060a241879cd80ab7265636f72642e6f70656ea7"
    "434f4d2d31403101a6656e67696e6592a6656e67696e65c0c41004040404040404040404"
    "0404040404040381a46b696e64ad636f6d6d756e69636174696f6e81a57374617465a870"
    "72657061726564c0c0",
};

static const char *const leaf_hashes[] = {
    "85aa7239331de1357b14d0130ed7cb56f8624c43ac87571c3379cd130e7be645",
    "311963f1d79aae131ead109d072505775a297a1d4976089303de2a53eecd6689",
    "3e09a331464bb13da863191afe8aac05429a19da67f97749ffcaa19569d8d31f",
    "64f1e6b78f1a1c39fcb20597f4b10af1b2e30067fce1489b09655b1f46732e9f",
    "b4956189222134a8fcc45bf4c22124ebf9432aa11dbc1f48f4d92c346d4d0b73",
};

static const char *const origin = "rota.example.org/journal";
static const char *const actor_key =
    "5752ae24bc800b26432749153df5b73a7a8d002c6bf9cb5728ea53e4bea6d065";
static const char *const approval_message =
    "726f74612e636f6d6d616e642f310a98b8726f74612e6578616d706c652e6f72672f6a6f"
    "75726e616cc41002020202020202020202020202020202ae7265636f72642e617070726f"
    "7665a75343502d31403102b16368616972406578616d706c652e6f726783a66469676573"
    "74c4208e10df26054cdfdeb45a09b0496a67a0820493908bdebd74e08534230396bfc4a7"
    "6d65616e696e67a8617070726f766564a5726f756e6401c0";

enum { LEAVES = 5 };

static struct slice bytes_of(struct arena *arena, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = arena_take(arena, len);

    assert_int_equal(hex_decode(hex, bytes, len), 0);
    return slice_of(bytes, len);
}

static void every_vector_decodes_and_encodes_to_the_same_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < LEAVES; i++) {
        struct arena arena = ARENA_EMPTY;
        struct slice raw = bytes_of(&arena, leaves[i]);
        struct buf again = BUF_EMPTY;
        struct leaf leaf;

        assert_int_equal(leaf_decode(&arena, raw, &leaf, NULL), 0);
        leaf_encode(&again, &leaf);
        assert_int_equal(again.len, raw.len);
        assert_memory_equal(again.at, raw.at, raw.len);
        buf_release(&again);
        arena_release(&arena);
    }
}

static void the_fields_are_what_was_written(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct leaf leaf;

    (void)state;
    assert_int_equal(leaf_decode(&arena, bytes_of(&arena, leaves[3]), &leaf, NULL), 0);
    assert_int_equal(leaf.seq, 3);
    assert_int_equal(leaf.time_us, 1700000004500000);
    assert_true(slice_is(leaf.type, "record.put_in_force"));
    assert_true(slice_is(leaf.stream, "SCP-1@1"));
    assert_int_equal(leaf.rev, 4);
    assert_true(slice_is(leaf.actor, "engine"));
    assert_int_equal(leaf.auth_key.len, 0);
    assert_int_equal(leaf.cause, 2);
    assert_true(slice_is(value_get_text(&leaf.effects, "state"), "in_force"));
    assert_int_equal(leaf.content.type, VALUE_NIL);
    assert_int_equal(leaf.actor_sig.len, 0);
    arena_release(&arena);
}

static void the_leaf_hash_is_over_a_zero_byte_and_the_leaf(void **state)
{
    const uint8_t zero = 0;

    (void)state;
    for (int i = 0; i < LEAVES; i++) {
        struct arena arena = ARENA_EMPTY;
        uint8_t hash[HASH_LEN];

        hash_two(slice_of(&zero, 1), bytes_of(&arena, leaves[i]), hash);
        assert_memory_equal(hash, bytes_of(&arena, leaf_hashes[i]).at, HASH_LEN);
        arena_release(&arena);
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < LEAVES; i++) {
        struct arena arena = ARENA_EMPTY;
        struct slice raw = bytes_of(&arena, leaves[i]);

        for (size_t len = 0; len < raw.len; len++) {
            uint8_t *cut = malloc(len + 1); /* of its own, so that reading past it is seen */
            struct leaf leaf;

            assert_non_null(cut);
            memcpy(cut, raw.at, len);
            assert_int_equal(leaf_decode(&arena, slice_of(cut, len), &leaf, NULL), -1);
            free(cut);
        }
        arena_release(&arena);
    }
}

static void bytes_after_the_leaf_are_refused(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct slice raw = bytes_of(&arena, leaves[0]);
    struct buf longer = BUF_EMPTY;
    struct leaf leaf;

    (void)state;
    buf_add_slice(&longer, raw);
    buf_add_byte(&longer, 0xc0);
    assert_int_equal(leaf_decode(&arena, buf_slice(&longer), &leaf, NULL), -1);
    buf_release(&longer);
    arena_release(&arena);
}

/* A flipped byte gives another leaf or none; what is accepted encodes to the bytes it was read from. */
static void every_flipped_byte_is_refused_or_read_as_exactly_that(void **state)
{
    (void)state;
    for (int i = 0; i < LEAVES; i++) {
        struct arena arena = ARENA_EMPTY;
        struct slice raw = bytes_of(&arena, leaves[i]);
        uint8_t *copy = (uint8_t *)arena_copy(&arena, raw.at, raw.len);

        for (size_t at = 0; at < raw.len * 8; at++) {
            struct buf again = BUF_EMPTY;
            struct leaf leaf;

            copy[at / 8] = (uint8_t)(copy[at / 8] ^ (1u << at % 8));
            if (leaf_decode(&arena, slice_of(copy, raw.len), &leaf, NULL) == 0) {
                leaf_encode(&again, &leaf);
                assert_int_equal(again.len, raw.len);
                assert_memory_equal(again.at, copy, raw.len);
            }
            buf_release(&again);
            copy[at / 8] = raw.at[at / 8];
        }
        arena_release(&arena);
    }
}

static void what_is_signed_is_the_vector_and_its_signature_holds(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct slice wanted = bytes_of(&arena, approval_message);
    struct buf message = BUF_EMPTY;
    struct leaf leaf;

    (void)state;
    assert_int_equal(leaf_decode(&arena, bytes_of(&arena, leaves[2]), &leaf, NULL), 0);
    leaf_command_message(&message, slice_str(origin), leaf.command_id, leaf.type, leaf.stream,
                         leaf.rev - 1, leaf.actor, &leaf.body, &leaf.content);
    assert_int_equal(message.len, wanted.len);
    assert_memory_equal(message.at, wanted.at, wanted.len);
    assert_int_equal(leaf.actor_sig.len, SIGNATURE_LEN);
    assert_true(
        sign_verify(bytes_of(&arena, actor_key).at, buf_slice(&message), leaf.actor_sig.at));
    message.at[message.len - 1] ^= 1;
    assert_false(
        sign_verify(bytes_of(&arena, actor_key).at, buf_slice(&message), leaf.actor_sig.at));
    buf_release(&message);
    arena_release(&arena);
}

/* A leaf with one part replaced; part 0 is the tag. */
static int decode_with(int part, struct value value)
{
    struct arena arena = ARENA_EMPTY;
    struct slice raw = bytes_of(&arena, leaves[2]);
    struct value whole;
    struct buf bytes = BUF_EMPTY;
    struct leaf leaf;
    int status;

    assert_int_equal(dmp_decode(&arena, raw, &whole, NULL), 0);
    whole.as.items[part] = value;
    dmp_encode(&bytes, &whole);
    status = leaf_decode(&arena, buf_slice(&bytes), &leaf, NULL);
    buf_release(&bytes);
    arena_release(&arena);
    return status;
}

static void a_part_of_the_wrong_shape_is_refused(void **state)
{
    static const uint8_t short_bin[31] = {0};
    struct value number = value_int(7);

    (void)state;
    assert_int_equal(decode_with(1, value_int(7)), 0);
    assert_int_equal(decode_with(0, value_str("rota.leaf/2")), -1);
    assert_int_equal(decode_with(1, value_int(-1)), -1);
    assert_int_equal(decode_with(2, value_str("now")), -1);
    assert_int_equal(decode_with(3, value_str("")), -1);
    assert_int_equal(decode_with(4, value_text(slice_of("a\0b", 3))), -1);
    assert_int_equal(decode_with(5, value_int(0)), -1);
    assert_int_equal(decode_with(6, VALUE_NONE), -1);
    assert_int_equal(decode_with(7, value_array()), -1);
    assert_int_equal(decode_with(8, value_bin(short_bin, 15)), -1);
    assert_int_equal(decode_with(9, value_int(-1)), -1);
    assert_int_equal(decode_with(10, VALUE_NONE), -1);
    assert_int_equal(decode_with(11, value_array()), -1);
    assert_int_equal(decode_with(12, value_bin(short_bin, sizeof short_bin)), -1);
    assert_int_equal(decode_with(13, value_bin(short_bin, sizeof short_bin)), -1);
    assert_int_equal(decode_with(12, (struct value){VALUE_ARRAY, 1, {.items = &number}}), -1);
}

static struct value content_of(struct arena *arena, uint8_t byte)
{
    struct value map = value_map();
    uint8_t *hash = arena_take(arena, HASH_LEN);

    memset(hash, byte, HASH_LEN);
    value_set(arena, &map, "content", value_bin(hash, HASH_LEN));
    value_set(arena, &map, "size", value_int(1));
    return map;
}

static void contents_are_found_depth_first_and_each_once(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value body = value_map(), list = value_array(), found;

    (void)state;
    value_set(&arena, &body, "alone", value_int(1));
    assert_int_equal(leaf_contents(&arena, &body, &found), 0);
    assert_int_equal(found.type, VALUE_NIL);
    value_push(&arena, &list, content_of(&arena, 3));
    value_push(&arena, &list, content_of(&arena, 1));
    value_set(&arena, &body, "b", list);
    value_set(&arena, &body, "c", content_of(&arena, 3));
    value_set(&arena, &body, "a", content_of(&arena, 9));
    assert_int_equal(leaf_contents(&arena, &body, &found), 0);
    assert_int_equal(found.type, VALUE_ARRAY);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.as.items[0].as.bytes[0], 9);
    assert_int_equal(found.as.items[1].as.bytes[0], 3);
    assert_int_equal(found.as.items[2].as.bytes[0], 1);
    for (int i = 0; i < LEAF_CONTENTS_MAX; i++)
        value_push(&arena, value_at(&body, slice_str("b")), content_of(&arena, (uint8_t)(10 + i)));
    assert_int_equal(leaf_contents(&arena, &body, &found), -1);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_decodes_and_encodes_to_the_same_bytes),
        cmocka_unit_test(the_fields_are_what_was_written),
        cmocka_unit_test(the_leaf_hash_is_over_a_zero_byte_and_the_leaf),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(bytes_after_the_leaf_are_refused),
        cmocka_unit_test(every_flipped_byte_is_refused_or_read_as_exactly_that),
        cmocka_unit_test(what_is_signed_is_the_vector_and_its_signature_holds),
        cmocka_unit_test(a_part_of_the_wrong_shape_is_refused),
        cmocka_unit_test(contents_are_found_depth_first_and_each_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
