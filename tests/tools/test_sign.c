/* What a person signs has the bytes of the published vectors, and only those. */
#include "rota/sign.h"

#include "base/dmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* A test vector, made by another implementation. Its secret is no seed of RFC 8032 (34 bytes), so the signature is
 * checked, not made again. */
static const char public_hex[] = "5752ae24bc800b26432749153df5b73a7a8d002c6bf9cb5728ea53e4bea6d065";
static const char message_hex[] = "726f74612e636f6d6d616e642f310a98b8726f74612e6578616d706c652e6f72"
                                  "672f6a6f75726e616cc410020202020202020202"
                                  "02020202020202ae7265636f72642e617070726f7665a75343502d31403102b1"
                                  "6368616972406578616d706c652e6f726783a664"
                                  "6967657374c4208e10df26054cdfdeb45a09b0496a67a0820493908bdebd74e0"
                                  "8534230396bfc4a76d65616e696e67a861707072"
                                  "6f766564a5726f756e6401c0";
static const char signature_hex[] = "36cdb3fc3eead981569c9b58bbbb7cc9b629107a8eb3826b6adf07480b73e5"
                                    "d9450597e1901768c81b79ba4fc4589375f7262be1"
                                    "f21ae0314b86911170231903";

static uint8_t digest[HASH_LEN], other[HASH_LEN];

static void body_of(struct arena *arena, struct value *body)
{
    assert_int_equal(hex_decode("8e10df26054cdfdeb45a09b0496a67a0820493908bdebd74e08534230396bfc4",
                                digest, HASH_LEN),
                     0);
    *body = value_map();
    value_set(arena, body, "round", value_int(1));
    value_set(arena, body, "meaning", value_str("approved"));
    value_set(arena, body, "digest", value_bin(digest, HASH_LEN));
}

static struct sign_tuple tuple_of(const struct value *body)
{
    struct sign_tuple tuple = {.origin = slice_str("rota.example.org/journal"),
                               .type = slice_str("record.approve"),
                               .stream = slice_str("SCP-1@1"),
                               .rev = 2,
                               .actor = slice_str("chair@example.org"),
                               .body = body};

    memset(tuple.command_id, 2, sizeof tuple.command_id);
    return tuple;
}

static void the_tuple_has_the_published_bytes(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct value body;
    struct sign_tuple tuple;
    char hex[1024];

    (void)state;
    body_of(&arena, &body);
    tuple = tuple_of(&body);
    assert_int_equal(sign_bytes(&bytes, &tuple, NULL), 0);
    hex_encode(buf_slice(&bytes), hex);
    assert_string_equal(hex, message_hex);
    buf_release(&bytes);
    arena_release(&arena);
}

static void the_published_signature_is_over_our_bytes(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    uint8_t key[SIGN_KEY_LEN], signature[SIGNATURE_LEN];
    struct value body;
    struct sign_tuple tuple;

    (void)state;
    assert_int_equal(hex_decode(public_hex, key, SIGN_KEY_LEN), 0);
    assert_int_equal(hex_decode(signature_hex, signature, SIGNATURE_LEN), 0);
    body_of(&arena, &body);
    tuple = tuple_of(&body);
    assert_int_equal(sign_bytes(&bytes, &tuple, NULL), 0);
    assert_true(sign_verify(key, buf_slice(&bytes), signature));
    bytes.at[bytes.len - 2] ^= 1; /* the round */
    assert_false(sign_verify(key, buf_slice(&bytes), signature));
    buf_release(&bytes);
    arena_release(&arena);
}

static void a_signature_of_ours_holds_for_its_tuple_alone(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    uint8_t seed[SIGN_SEED_LEN] = {7}, key[SIGN_KEY_LEN], signature[SIGNATURE_LEN];
    struct value body;
    struct sign_tuple tuple;

    (void)state;
    sign_public_key(seed, key);
    body_of(&arena, &body);
    tuple = tuple_of(&body);
    assert_int_equal(sign_tuple(&tuple, seed, signature, NULL), 0);
    assert_int_equal(sign_bytes(&bytes, &tuple, NULL), 0);
    assert_true(sign_verify(key, buf_slice(&bytes), signature));
    buf_clear(&bytes);
    tuple.rev = 3; /* another place of the journal */
    assert_int_equal(sign_bytes(&bytes, &tuple, NULL), 0);
    assert_false(sign_verify(key, buf_slice(&bytes), signature));
    buf_release(&bytes);
    arena_release(&arena);
}

static struct value reference(struct arena *arena, const uint8_t hash[HASH_LEN])
{
    struct value map = value_map();

    value_set(arena, &map, "content", value_bin(hash, HASH_LEN));
    value_set(arena, &map, "size", value_int(3));
    return map;
}

static void contents_are_named_once_in_the_order_of_the_encoding(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value body = value_map(), set = value_map(), list = value_array(), found;

    (void)state;
    memset(digest, 1, HASH_LEN);
    memset(other, 2, HASH_LEN);
    assert_int_equal(sign_content(&arena, &body, &found, NULL), 0);
    assert_int_equal(found.type, VALUE_NIL);
    value_set(&arena, &body, "reason", reference(&arena, digest));
    assert_int_equal(sign_content(&arena, &body, &found, NULL), 0);
    assert_int_equal(found.type, VALUE_BIN);
    value_push(&arena, &list, reference(&arena, other));
    value_push(&arena, &list, reference(&arena, digest));
    value_set(&arena, &set, "files", list);
    value_set(&arena, &body, "set", set);
    assert_int_equal(sign_content(&arena, &body, &found, NULL), 0);
    assert_int_equal(found.type, VALUE_ARRAY);
    assert_int_equal(found.count, 2); /* `reason` stands before `set` */
    assert_memory_equal(found.as.items[0].as.bytes, digest, HASH_LEN);
    assert_memory_equal(found.as.items[1].as.bytes, other, HASH_LEN);
    arena_release(&arena);
}

static void more_contents_than_a_leaf_can_name_are_an_error(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value list = value_array(), found;
    struct error err;

    (void)state;
    for (int i = 0; i <= SIGN_CONTENT_MAX; i++) {
        uint8_t *hash = arena_zero(&arena, HASH_LEN);

        hash[0] = (uint8_t)i;
        value_push(&arena, &list, reference(&arena, hash));
    }
    assert_int_equal(sign_content(&arena, &list, &found, &err), -1);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tuple_has_the_published_bytes),
        cmocka_unit_test(the_published_signature_is_over_our_bytes),
        cmocka_unit_test(a_signature_of_ours_holds_for_its_tuple_alone),
        cmocka_unit_test(contents_are_named_once_in_the_order_of_the_encoding),
        cmocka_unit_test(more_contents_than_a_leaf_can_name_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
