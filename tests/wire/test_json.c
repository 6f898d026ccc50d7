#include "base/dmp.h"
#include "bytes.h"
#include "wire/body.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int decode(struct slice text)
{
    struct arena arena = ARENA_EMPTY;
    struct value value;
    int rc = json_to_value(&arena, text, 16, &value, NULL);

    arena_release(&arena);
    return rc;
}

static void comes_back_as(const char *text, const char *expected)
{
    struct arena arena = ARENA_EMPTY;
    struct buf out = BUF_EMPTY;
    struct value value = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};

    if (json_to_value(&arena, slice_str(text), 16, &value, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    value_to_json(&out, &value, false);
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
    arena_release(&arena);
}

static void every_type_comes_back(void **state)
{
    (void)state;
    comes_back_as("{\"b\":[true,false,null],\"a\":{\"n\":-1}}",
                  "{\"a\":{\"n\":-1},\"b\":[true,false,null]}");
    comes_back_as("[9223372036854775807,-9223372036854775808,0]",
                  "[9223372036854775807,-9223372036854775808,0]");
    comes_back_as("\"a\\u0000\\n\\\"\\\\\\u00e9\\t\\u0001\\/\"",
                  "\"a\\u0000\\n\\\"\\\\\303\251\\t\\u0001/\"");
    comes_back_as(" [ ] ", "[]");
    comes_back_as("{}", "{}");
}

static void bytes_are_text_that_begins_with_hex(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value value = VALUE_NONE;

    (void)state;
    assert_int_equal(json_to_value(&arena, slice_str("\"hex:00ff\""), 1, &value, NULL), 0);
    assert_int_equal(value.type, VALUE_BIN);
    assert_memory_equal(value.as.bytes, "\0\377", 2);
    comes_back_as("\"hex:00ff\"", "\"hex:00ff\"");
    comes_back_as("\"hex:\"", "\"hex:\"");
    assert_int_equal(json_to_value(&arena, slice_str("\"hex: how to\""), 1, &value, NULL), 0);
    assert_int_equal(value.type, VALUE_STR);
    assert_int_equal(json_to_value(&arena, slice_str("\"hex:0\""), 1, &value, NULL), 0);
    assert_int_equal(value.type, VALUE_STR);
    assert_int_equal(json_to_value(&arena, slice_str("\"hex:0F\""), 1, &value, NULL), 0);
    assert_int_equal(value.type, VALUE_STR);
    arena_release(&arena);
}

static void what_has_no_place_here_is_refused(void **state)
{
    static const char *const refused[] = {"",
                                          "1.5",
                                          "1.0",
                                          "1e3",
                                          "9223372036854775808",
                                          "-9223372036854775809",
                                          "{\"a\":1,\"a\":2}",
                                          "[1,]",
                                          "{a:1}",
                                          "'a'",
                                          "[1] 2",
                                          "nul",
                                          "\"\377\"",
                                          "\"\\ud800\"",
                                          "{\"a\"}",
                                          "\"open",
                                          "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]"};

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (decode(slice_str(refused[i])) == 0)
            fail_msg("taken: %s", refused[i]);
    }
}

static void depth_means_how_many_containers_stand_around_a_scalar(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value value;
    static const uint8_t packed[] = {0x91, 0x91, 0x01};

    (void)state;
    assert_int_equal(json_to_value(&arena, slice_str("[[1]]"), 2, &value, NULL), 0);
    assert_int_equal(json_to_value(&arena, slice_str("[[1]]"), 1, &value, NULL), -1);
    assert_int_equal(mp_decode(&arena, slice_of(packed, 3), 2, &value, NULL), 0);
    assert_int_equal(mp_decode(&arena, slice_of(packed, 3), 1, &value, NULL), -1);
    arena_release(&arena);
}

static void a_bomb_of_containers_is_refused_before_it_is_built(void **state)
{
    struct buf text = BUF_EMPTY;

    (void)state;
    buf_add_byte(&text, '[');
    for (int i = 0; i < 200000; i++)
        buf_add_str(&text, "{},");
    buf_add_str(&text, "0]");
    assert_int_equal(decode(buf_slice(&text)), -1);
    buf_clear(&text);
    for (int i = 0; i < 1000000; i++)
        buf_add_byte(&text, '[');
    assert_int_equal(decode(buf_slice(&text)), -1);
    buf_release(&text);
}

static void many_keys_in_the_worst_order_are_sorted_quickly(void **state)
{
    struct buf text = BUF_EMPTY;

    (void)state;
    buf_add_byte(&text, '{');
    for (int i = 60000; i > 0; i--)
        buf_addf(&text, "\"%06d\":1%s", i, i > 1 ? "," : "}");
    assert_int_equal(decode(buf_slice(&text)), 0);
    buf_release(&text);
}

static void no_prefix_is_taken_and_no_changed_byte_hurts(void **state)
{
    struct slice text = slice_str("{\"a\":[1,-2,\"hex:00\",\"\\u00e9\"],\"b\":{\"c\":null}}");

    (void)state;
    assert_int_equal(bytes_prefixes_taken(decode, text), 0);
    bytes_flip_all(decode, text);
}

static void pretty_text_says_the_same(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value value, again;
    struct buf out = BUF_EMPTY;

    (void)state;
    assert_int_equal(json_to_value(&arena, slice_str("{\"a\":[1,{}],\"b\":[]}"), 9, &value, NULL),
                     0);
    value_to_json(&out, &value, true);
    assert_string_equal(buf_text(&out), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
    assert_int_equal(json_to_value(&arena, buf_slice(&out), 9, &again, NULL), 0);
    assert_true(value_equal(&value, &again));
    buf_release(&out);
    arena_release(&arena);
}

static void a_body_is_json_if_it_begins_with_a_brace(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value from_json, from_pack;
    struct buf out = BUF_EMPTY;
    bool is_json = false;

    (void)state;
    assert_int_equal(
        body_decode(&arena, slice_str("{\"k\":\"hex:01\"}"), 4, &from_json, &is_json, NULL), 0);
    assert_true(is_json);
    body_encode(&out, &from_json, false);
    assert_int_equal(body_decode(&arena, buf_slice(&out), 4, &from_pack, &is_json, NULL), 0);
    assert_false(is_json);
    assert_true(value_equal(&from_json, &from_pack));
    assert_int_equal(body_decode(&arena, slice_str(""), 4, &from_pack, NULL, NULL), -1);
    assert_int_equal(body_decode(&arena, slice_str("{"), 4, &from_pack, &is_json, NULL), -1);
    assert_true(is_json);
    buf_release(&out);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back),
        cmocka_unit_test(bytes_are_text_that_begins_with_hex),
        cmocka_unit_test(what_has_no_place_here_is_refused),
        cmocka_unit_test(depth_means_how_many_containers_stand_around_a_scalar),
        cmocka_unit_test(a_bomb_of_containers_is_refused_before_it_is_built),
        cmocka_unit_test(many_keys_in_the_worst_order_are_sorted_quickly),
        cmocka_unit_test(no_prefix_is_taken_and_no_changed_byte_hurts),
        cmocka_unit_test(pretty_text_says_the_same),
        cmocka_unit_test(a_body_is_json_if_it_begins_with_a_brace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
