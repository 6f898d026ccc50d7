/* The strict reader of deterministic MessagePack: what is right is read, everything else refused. */
#include "../../tools/verify/dmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct vector {
    const char *hex, *what;
};

static const struct vector good[] = {
    {"c0", "nil"},
    {"c3", "true"},
    {"c2", "false"},
    {"00", "0"},
    {"7f", "127"},
    {"cc80", "128"},
    {"ccff", "255"},
    {"cd0100", "256"},
    {"cdffff", "65535"},
    {"ce00010000", "65536"},
    {"ceffffffff", "2^32-1"},
    {"cf0000000100000000", "2^32"},
    {"cf7fffffffffffffff", "2^63-1"},
    {"cfffffffffffffffff", "2^64-1"},
    {"ff", "-1"},
    {"e0", "-32"},
    {"d0df", "-33"},
    {"d080", "-128"},
    {"d1ff7f", "-129"},
    {"d18000", "-32768"},
    {"d2ffff7fff", "-32769"},
    {"d280000000", "-2^31"},
    {"d3ffffffff7fffffff", "-2^31-1"},
    {"d38000000000000000", "-2^63"},
    {"a0", "empty text"},
    {"a161", "a"},
    {"bf78787878787878787878787878787878787878787878787878787878787878", "31 bytes of text"},
    {"d9207878787878787878787878787878787878787878787878787878787878787878", "32 bytes of text"},
    {"a9c3a9e4b8adf09f9492", "text beyond ASCII"},
    {"90", "empty array"},
    {"920192029103", "nested arrays"},
    {"80", "empty map"},
    {"82a16102a16201", "two pairs"},
    {"83a16180a2616100a162c0", "a prefix of a key first"},
    {"c400", "no bytes"},
    {"c40161", "one byte"},
    {"919191919191919100", "nested as deep as may be"},
    {"919191919191919190", "an empty array at the depth that may be"},
};

static const struct vector bad[] = {
    {"cc7f", "127 as uint8"},
    {"cd00ff", "255 as uint16"},
    {"ce0000ffff", "65535 as uint32"},
    {"cf00000000ffffffff", "2^32-1 as uint64"},
    {"d001", "1 as int8"},
    {"d0ff", "-1 as int8"},
    {"d0e0", "-32 as int8"},
    {"d1ff80", "-128 as int16"},
    {"d10080", "128 as int16"},
    {"d2ffff8000", "-32768 as int32"},
    {"d3ffffffff80000000", "-2^31 as int64"},
    {"d900", "empty text as str8"},
    {"da000161", "one byte as str16"},
    {"db0000000161", "one byte as str32"},
    {"c5000161", "one byte as bin16"},
    {"c60000000161", "one byte as bin32"},
    {"dc000100", "one element as array16"},
    {"dd0000000100", "one element as array32"},
    {"de0001a16100", "one pair as map16"},
    {"df00000001a16100", "one pair as map32"},
    {"82a16201a16102", "keys out of order"},
    {"82a16101a16102", "key twice"},
    {"82a2616100a16100", "the longer key first"},
    {"8101c0", "key is not text"},
    {"81c0c0", "key is nil"},
    {"ca00000000", "float"},
    {"cb0000000000000000", "double"},
    {"c7010061", "ext"},
    {"d40061", "fixext"},
    {"c1", "never used"},
    {"a2c328", "not UTF-8"},
    {"a2c080", "overlong UTF-8"},
    {"a3eda080", "a surrogate"},
    {"a4f4908080", "beyond Unicode"},
    {"a180", "a stray UTF-8 byte"},
    {"a1c3", "UTF-8 cut short"},
    {"0000", "bytes after the value"},
    {"", "nothing"},
    {"91", "cut short"},
    {"9191919191919191919100", "nested too deep"},
    {"91919191919191919100", "a scalar too deep"},
    {"dfffffffff", "more pairs than bytes"},
    {"ddffffffff", "more elements than bytes"},
    {"dbffffffff", "more text than bytes"},
    {"c6ffffffff", "more bytes than there are"},
};

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return len;
}

/* Check bytes that end where memory of ours ends, so that a sanitizer sees one byte too many. */
static const char *check_exactly(const uint8_t *at, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    const char *why;

    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, at, len);
    why = dmp_check(bytes_of(copy, len));
    free(copy);
    return why;
}

static void every_value_in_its_one_encoding_is_read(void **state)
{
    uint8_t raw[64];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (check_exactly(raw, unhex(good[i].hex, raw)) != NULL)
            fail_msg("%s was refused", good[i].what);
}

static void every_other_encoding_is_refused(void **state)
{
    uint8_t raw[64];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (check_exactly(raw, unhex(bad[i].hex, raw)) == NULL)
            fail_msg("%s was read", bad[i].what);
}

static void every_prefix_of_a_value_is_refused(void **state)
{
    uint8_t raw[64];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t len = unhex(good[i].hex, raw);

        for (size_t cut = 0; cut < len; cut++)
            if (check_exactly(raw, cut) == NULL)
                fail_msg("%s was read from its first %zu bytes", good[i].what, cut);
    }
}

static void nothing_is_read_past_the_end_whatever_the_bytes_are(void **state)
{
    uint8_t raw[24], *copy;
    uint32_t number = 12345;
    struct bytes value;
    struct dmp_cursor cursor;

    (void)state;
    for (unsigned round = 0; round < 50000; round++) {
        size_t len = round % sizeof raw;

        for (size_t i = 0; i < len; i++)
            raw[i] = (uint8_t)((number = number * 1664525 + 1013904223) >> 24);
        check_exactly(raw, len);
        copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, raw, len);
        cursor = dmp_cursor(bytes_of(copy, len));
        if (dmp_skip(&cursor, &value))
            assert_true(value.len > 0 && value.len <= len);
        free(copy);
    }
}

static void a_value_longer_than_the_limit_is_refused(void **state)
{
    size_t len = DMP_MAX_BYTES;
    uint8_t *raw = calloc(len + 1, 1);

    (void)state;
    assert_non_null(raw);
    raw[0] = 0xc5;
    raw[1] = (uint8_t)((len - 3) >> 8);
    raw[2] = (uint8_t)((len - 3) & 0xff);
    assert_null(check_exactly(raw, len));
    raw[2]++;
    assert_non_null(check_exactly(raw, len + 1));
    free(raw);
}

static void a_key_is_found_by_its_whole_name(void **state)
{
    uint8_t raw[64];
    size_t len = unhex("83a16180a2616107a162a3796573", raw);
    struct bytes map = bytes_of(raw, len), value;

    (void)state;
    assert_true(dmp_find(map, "aa", &value));
    assert_int_equal(value.len, 1);
    assert_int_equal(value.at[0], 7);
    assert_true(dmp_find_str(map, "b", &value));
    assert_true(bytes_are(value, "yes"));
    assert_false(dmp_find_bin(map, "b", &value));
    assert_false(dmp_find(map, "ab", &value));
    assert_false(dmp_find(map, "", &value));
    assert_false(dmp_find(value, "a", &value));
}

static void the_writers_write_what_the_reader_reads(void **state)
{
    static const uint64_t numbers[] = {0,     127,   128,        255,        256,
                                       65535, 65536, 4294967295, 4294967296, UINT64_MAX};
    struct buf out = {0};
    struct dmp_cursor cursor;
    struct dmp_item item;

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        out.len = 0;
        dmp_add_uint(&out, numbers[i]);
        assert_null(dmp_check(buf_bytes(&out)));
        cursor = dmp_cursor(buf_bytes(&out));
        assert_true(dmp_next(&cursor, &item));
        assert_true(item.number == numbers[i] && !item.is_negative);
    }
    for (size_t len = 0; len < 70000; len = len * 3 + 1) {
        uint8_t *text = calloc(len + 1, 1);

        assert_non_null(text);
        out.len = 0;
        dmp_add_str(&out, bytes_of(text, len));
        cursor = dmp_cursor(buf_bytes(&out));
        assert_true(dmp_next(&cursor, &item) && item.kind == DMP_STR && item.bytes.len == len);
        out.len = 0;
        dmp_add_bin(&out, bytes_of(text, len));
        cursor = dmp_cursor(buf_bytes(&out));
        assert_true(dmp_next(&cursor, &item) && item.kind == DMP_BIN && item.bytes.len == len);
        free(text);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_in_its_one_encoding_is_read),
        cmocka_unit_test(every_other_encoding_is_refused),
        cmocka_unit_test(every_prefix_of_a_value_is_refused),
        cmocka_unit_test(nothing_is_read_past_the_end_whatever_the_bytes_are),
        cmocka_unit_test(a_value_longer_than_the_limit_is_refused),
        cmocka_unit_test(a_key_is_found_by_its_whole_name),
        cmocka_unit_test(the_writers_write_what_the_reader_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
