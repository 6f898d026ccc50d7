#include "base/dmp.h"

#include "base/check.h"

#include <msgpack.h>
#include <stdlib.h>

/* ---- writing: msgpack-c's packer gives exactly the shortest forms ---- */

static int write_bytes(void *data, const char *bytes, size_t len)
{
    buf_add(data, bytes, len);
    return 0;
}

static void packer_to(msgpack_packer *packer, struct buf *out)
{
    msgpack_packer_init(packer, out, write_bytes);
}

void dmp_put_array(struct buf *out, uint32_t count)
{
    msgpack_packer packer;

    packer_to(&packer, out);
    msgpack_pack_array(&packer, count);
}

void dmp_put_map(struct buf *out, uint32_t count)
{
    msgpack_packer packer;

    packer_to(&packer, out);
    msgpack_pack_map(&packer, count);
}

void dmp_put_str(struct buf *out, struct slice text)
{
    msgpack_packer packer;

    packer_to(&packer, out);
    msgpack_pack_str(&packer, text.len);
    msgpack_pack_str_body(&packer, text.at, text.len);
}

void dmp_put_bin(struct buf *out, struct slice bytes)
{
    msgpack_packer packer;

    packer_to(&packer, out);
    msgpack_pack_bin(&packer, bytes.len);
    msgpack_pack_bin_body(&packer, bytes.at, bytes.len);
}

void dmp_put_int(struct buf *out, int64_t number)
{
    msgpack_packer packer;

    packer_to(&packer, out);
    msgpack_pack_int64(&packer, number);
}

void dmp_put_nil(struct buf *out)
{
    buf_add_byte(out, 0xc0);
}

void dmp_encode(struct buf *out, const struct value *value)
{
    switch (value->type) {
    case VALUE_NIL:
        dmp_put_nil(out);
        break;
    case VALUE_BOOL:
        buf_add_byte(out, value->as.number != 0 ? 0xc3 : 0xc2);
        break;
    case VALUE_INT:
        dmp_put_int(out, value->as.number);
        break;
    case VALUE_STR:
        dmp_put_str(out, value_slice(value));
        break;
    case VALUE_BIN:
        dmp_put_bin(out, value_slice(value));
        break;
    case VALUE_ARRAY:
        dmp_put_array(out, value->count);
        for (uint32_t i = 0; i < value->count; i++)
            dmp_encode(out, &value->as.items[i]);
        break;
    case VALUE_MAP:
        dmp_put_map(out, value->count);
        for (uint32_t i = 0; i < value->count; i++) {
            dmp_put_str(out, value->as.pairs[i].key);
            dmp_encode(out, &value->as.pairs[i].value);
        }
        break;
    }
}

/* ---- a value that has been written, over its own bytes ---- */

static size_t head_len(enum value_type type, uint32_t count)
{
    switch (type) {
    case VALUE_STR:
        return count < 32 ? 1 : count < 0x100 ? 2 : count < 0x10000 ? 3 : 5;
    case VALUE_BIN:
        return count < 0x100 ? 2 : count < 0x10000 ? 3 : 5;
    case VALUE_ARRAY:
    case VALUE_MAP:
        return count < 16 ? 1 : count < 0x10000 ? 3 : 5;
    case VALUE_NIL:
    case VALUE_BOOL:
    case VALUE_INT:
        break;
    }
    return 1;
}

static size_t int_len(int64_t number)
{
    if (number < 0)
        return number >= -32         ? 1
               : number >= INT8_MIN  ? 2
               : number >= INT16_MIN ? 3
               : number >= INT32_MIN ? 5
                                     : 9;
    return number < 0x80          ? 1
           : number < 0x100       ? 2
           : number < 0x10000     ? 3
           : number <= UINT32_MAX ? 5
                                  : 9;
}

static const uint8_t *adopt(struct value *value, const uint8_t *at)
{
    if (value->type == VALUE_INT)
        return at + int_len(value->as.number);
    at += head_len(value->type, value->count);
    if (value->type == VALUE_STR || value->type == VALUE_BIN) {
        value->as.bytes = at;
        at += value->count;
    } else if (value->type == VALUE_ARRAY) {
        for (uint32_t i = 0; i < value->count; i++)
            at = adopt(&value->as.items[i], at);
    } else if (value->type == VALUE_MAP) {
        for (uint32_t i = 0; i < value->count; i++) {
            struct pair *pair = &value->as.pairs[i];

            at += head_len(VALUE_STR, (uint32_t)pair->key.len);
            pair->key.at = at;
            at = adopt(&pair->value, at + pair->key.len);
        }
    }
    return at;
}

void dmp_adopt(struct value *value, struct slice raw)
{
    check(adopt(value, raw.at) == raw.at + raw.len);
}

/* ---- UTF-8 ---- */

/* Bytes of the sequence that begins at `at`, 0 if it is none (RFC 3629, table 3-7 of Unicode). */
static size_t utf8_len(const uint8_t *at, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t len;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (left < len)
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

/* How many bytes of ASCII the text begins with, by whole words and then one by one: nearly all text here is nothing
 * else. */
static size_t ascii_len(struct slice text)
{
    size_t i = 0;

    for (uint64_t word; text.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text.at + i, sizeof word);
        if ((word & 0x8080808080808080) != 0)
            break;
    }
    while (i < text.len && text.at[i] < 0x80)
        i++;
    return i;
}

bool utf8_is_valid(struct slice text)
{
    size_t i = ascii_len(text);

    while (i < text.len) {
        size_t len = utf8_len(text.at + i, text.len - i);

        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

/* ---- reading ---- */

struct reader {
    struct slice raw;
    size_t at;
    bool strict;
    int depth_max;
    struct arena *arena;
    struct error *err;
};

static int bad(struct reader *reader, const char *what)
{
    return error_set(reader->err, ERROR_INPUT, "%s at byte %zu", what, reader->at);
}

/* A big-endian number of `size` bytes; `least` is the smallest that needs this form. */
static int read_uint(struct reader *reader, size_t size, uint64_t least, uint64_t *out)
{
    uint64_t number = 0;

    if (reader->raw.len - reader->at < size)
        return bad(reader, "the value is cut short");
    for (size_t i = 0; i < size; i++)
        number = number << 8 | reader->raw.at[reader->at + i];
    if (reader->strict && number < least)
        return bad(reader, "not the shortest form");
    reader->at += size;
    *out = number;
    return 0;
}

static int read_bytes(struct reader *reader, uint64_t len, enum value_type type, struct value *out)
{
    struct slice bytes;

    if (len > reader->raw.len - reader->at)
        return bad(reader, "the value is cut short");
    bytes = slice_of(reader->raw.at + reader->at, (size_t)len);
    if (type == VALUE_STR && !utf8_is_valid(bytes))
        return bad(reader, "a string is not UTF-8");
    reader->at += (size_t)len;
    *out = type == VALUE_STR ? value_text(bytes) : value_bin(bytes.at, bytes.len);
    return 0;
}

static int read_value(struct reader *reader, int depth, struct value *out);

enum { ROOM_FIRST = 4, ROOM_AT_ONCE = 16 };

/* Room for element `i` of `count`, a power of two of places as value_put and value_push expect. Few are taken at
 * once; of many, what a count claims costs nothing before its elements are there. */
static void *room_for(struct reader *reader, void *old, uint64_t i, uint64_t count, size_t size)
{
    size_t room = ROOM_FIRST;
    void *bigger;

    if (i != 0 && (i < ROOM_AT_ONCE || (i & (i - 1)) != 0))
        return old;
    while (i == 0 && room < count && room < ROOM_AT_ONCE)
        room *= 2;
    bigger = arena_take(reader->arena, (i == 0 ? room : (size_t)i * 2) * size);
    if (i > 0)
        memcpy(bigger, old, (size_t)i * size);
    return bigger;
}

static int read_array(struct reader *reader, uint64_t count, int depth, struct value *out)
{
    if (count > reader->raw.len - reader->at)
        return bad(reader, "the value is cut short");
    *out = value_array();
    for (uint64_t i = 0; i < count; i++) {
        out->as.items = room_for(reader, out->as.items, i, count, sizeof *out->as.items);
        if (read_value(reader, depth + 1, &out->as.items[i]) != 0)
            return -1;
    }
    out->count = (uint32_t)count;
    return 0;
}

static int read_pair(struct reader *reader, int depth, struct pair *pair)
{
    struct value key = VALUE_NONE;

    if (read_value(reader, depth + 1, &key) != 0)
        return -1;
    if (key.type != VALUE_STR)
        return bad(reader, "a map key is not a string");
    pair->key = value_slice(&key);
    pair->value = VALUE_NONE;
    return read_value(reader, depth + 1, &pair->value);
}

static int by_key(const void *a, const void *b)
{
    return slice_compare(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* Sorted once at the end: keys in the worst order must not cost the square of their number. */
static int order_keys(struct reader *reader, struct value *map)
{
    qsort(map->as.pairs, map->count, sizeof *map->as.pairs, by_key);
    for (uint32_t i = 1; i < map->count; i++) {
        if (slice_equal(map->as.pairs[i - 1].key, map->as.pairs[i].key))
            return bad(reader, "a map key stands twice");
    }
    return 0;
}

static int read_map(struct reader *reader, uint64_t count, int depth, struct value *out)
{
    bool in_order = true;
    int order;

    if (count > (reader->raw.len - reader->at) / 2)
        return bad(reader, "the value is cut short");
    *out = value_map();
    for (uint64_t i = 0; i < count; i++) {
        out->as.pairs = room_for(reader, out->as.pairs, i, count, sizeof *out->as.pairs);
        if (read_pair(reader, depth, &out->as.pairs[i]) != 0)
            return -1;
        order = i == 0 ? -1 : slice_compare(out->as.pairs[i - 1].key, out->as.pairs[i].key);
        if (order == 0)
            return bad(reader, "a map key stands twice");
        if (order > 0)
            in_order = false;
        if (reader->strict && !in_order)
            return bad(reader, "map keys are not in order");
    }
    out->count = (uint32_t)count;
    return in_order ? 0 : order_keys(reader, out);
}

static int read_unsigned(struct reader *reader, uint8_t code, struct value *out)
{
    static const uint64_t least[4] = {0x80, 0x100, 0x10000, 0x100000000};
    uint64_t number = 0;

    if (read_uint(reader, (size_t)1 << (code - 0xcc), least[code - 0xcc], &number) != 0)
        return -1;
    if (number > INT64_MAX)
        return bad(reader, "an integer is too large");
    *out = value_int((int64_t)number);
    return 0;
}

static int read_signed(struct reader *reader, uint8_t code, struct value *out)
{
    static const int64_t least[4] = {-32, -128, -32768, -2147483648LL};
    size_t size = (size_t)1 << (code - 0xd0);
    uint64_t raw = 0;
    int64_t number;

    if (read_uint(reader, size, 0, &raw) != 0)
        return -1;
    if (size < 8 && (raw >> (8 * size - 1)) != 0)
        raw |= UINT64_MAX << (8 * size);
    memcpy(&number, &raw, sizeof number);
    if (reader->strict && number >= least[code - 0xd0])
        return bad(reader, "not the shortest form");
    *out = value_int(number);
    return 0;
}

/* str 8/16/32 and bin 8/16/32: the number of bytes stands in 1, 2 or 4 bytes. */
static int read_long(struct reader *reader, uint8_t code, struct value *out)
{
    bool is_str = code >= 0xd9;
    int step = is_str ? code - 0xd9 : code - 0xc4;
    const uint64_t least[3] = {is_str ? 32 : 0, 0x100, 0x10000};
    uint64_t len = 0;

    if (read_uint(reader, (size_t)1 << step, least[step], &len) != 0)
        return -1;
    return read_bytes(reader, len, is_str ? VALUE_STR : VALUE_BIN, out);
}

static int read_counted(struct reader *reader, uint8_t code, int depth, struct value *out)
{
    bool is_map = code >= 0xde;
    bool is_wide = code == 0xdd || code == 0xdf;
    uint64_t count = 0;

    if (read_uint(reader, is_wide ? 4 : 2, is_wide ? 0x10000 : 16, &count) != 0)
        return -1;
    return is_map ? read_map(reader, count, depth, out) : read_array(reader, count, depth, out);
}

static int read_value(struct reader *reader, int depth, struct value *out)
{
    uint8_t code;

    if (depth > reader->depth_max)
        return bad(reader, "nested too deep");
    if (reader->at >= reader->raw.len)
        return bad(reader, "the value is cut short");
    code = reader->raw.at[reader->at++];
    if (code < 0x80 || code >= 0xe0) {
        *out = value_int(code < 0x80 ? code : code - 0x100);
        return 0;
    }
    if (code < 0x90)
        return read_map(reader, code & 15, depth, out);
    if (code < 0xa0)
        return read_array(reader, code & 15, depth, out);
    if (code < 0xc0)
        return read_bytes(reader, code & 31, VALUE_STR, out);
    if (code == 0xc0) {
        *out = VALUE_NONE;
        return 0;
    }
    if (code == 0xc2 || code == 0xc3) {
        *out = value_bool(code == 0xc3);
        return 0;
    }
    if (code >= 0xcc && code <= 0xcf)
        return read_unsigned(reader, code, out);
    if (code >= 0xd0 && code <= 0xd3)
        return read_signed(reader, code, out);
    if ((code >= 0xd9 && code <= 0xdb) || (code >= 0xc4 && code <= 0xc6))
        return read_long(reader, code, out);
    if (code >= 0xdc)
        return read_counted(reader, code, depth, out);
    return bad(reader, "a type that has no place here (float or extension)");
}

static int read_whole(struct reader *reader, struct value *out)
{
    struct value value = VALUE_NONE;

    if (read_value(reader, 0, &value) != 0)
        return -1;
    if (reader->at != reader->raw.len)
        return bad(reader, "bytes after the value");
    *out = value;
    return 0;
}

int dmp_decode_large(struct arena *arena, struct slice raw, size_t bytes_max, struct value *out,
                     struct error *err)
{
    struct reader reader = {raw, 0, true, DMP_DEPTH_MAX, arena, err};

    if (raw.len > bytes_max)
        return error_set(err, ERROR_INPUT, "longer than %zu bytes", bytes_max);
    return read_whole(&reader, out);
}

int dmp_decode(struct arena *arena, struct slice raw, struct value *out, struct error *err)
{
    return dmp_decode_large(arena, raw, DMP_BYTES_MAX, out, err);
}

int mp_decode(struct arena *arena, struct slice raw, int depth_max, struct value *out,
              struct error *err)
{
    struct reader reader = {raw, 0, false, depth_max, arena, err};

    check(depth_max <= LOOSE_DEPTH_MAX);
    return read_whole(&reader, out);
}
