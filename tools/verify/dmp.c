#include "dmp.h"

static const char CUT_SHORT[] = "value is cut short";
static const char NOT_SHORTEST[] = "not the shortest form";

bool utf8_valid(struct bytes text)
{
    const uint8_t *at = text.at, *end = at + text.len;
    uint64_t eight;

    while (at < end) {
        uint32_t c = *at, least;
        unsigned more;

        if (end - at >= 8 && (memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) {
            at += 8;
            continue;
        }
        at++;
        if (c < 0x80)
            continue;
        if (c < 0xc2 || c > 0xf4)
            return false;
        more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
        c &= 0x3fu >> more;
        if ((size_t)(end - at) < more)
            return false;
        for (; more > 0; more--, at++) {
            if ((*at & 0xc0) != 0x80)
                return false;
            c = c << 6 | (*at & 0x3fu);
        }
        if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
    }
    return true;
}

static bool take(struct dmp_cursor *cursor, size_t len, struct bytes *out)
{
    if (len > (size_t)(cursor->end - cursor->at))
        return false;
    *out = bytes_of(cursor->at, len);
    cursor->at += len;
    return true;
}

static const char *take_uint(struct dmp_cursor *cursor, size_t size, uint64_t least, uint64_t *out)
{
    struct bytes raw;
    uint64_t number = 0;

    if (!take(cursor, size, &raw))
        return CUT_SHORT;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | raw.at[i];
    if (number < least)
        return NOT_SHORTEST;
    *out = number;
    return NULL;
}

static const char *take_negative(struct dmp_cursor *cursor, size_t size, struct dmp_item *item)
{
    unsigned bits = (unsigned)(8 * size);
    uint64_t raw, most; /* the largest that still needs this size */
    const char *why = take_uint(cursor, size, 0, &raw);

    if (why != NULL)
        return why;
    if (bits < 64 && (raw >> (bits - 1)) != 0)
        raw |= ~(uint64_t)0 << bits;
    most = size == 1 ? (uint64_t)-33 : ~(uint64_t)0 << (bits / 2 - 1);
    if (size != 1)
        most--;
    if (raw >> 63 == 0 || raw > most)
        return NOT_SHORTEST;
    item->kind = DMP_INT;
    item->is_negative = true;
    item->number = raw;
    return NULL;
}

static const char *take_bytes(struct dmp_cursor *cursor, enum dmp_kind kind, uint64_t len,
                              struct dmp_item *item)
{
    item->kind = kind;
    return take(cursor, len, &item->bytes) ? NULL : CUT_SHORT;
}

static const char *take_count(struct dmp_cursor *cursor, enum dmp_kind kind, uint64_t count,
                              struct dmp_item *item)
{
    size_t left = (size_t)(cursor->end - cursor->at);

    item->kind = kind;
    item->number = count;
    return count > (kind == DMP_MAP ? left / 2 : left) ? CUT_SHORT : NULL;
}

/* The items whose first byte is 0xc0 to 0xdf. */
static const char *take_long(struct dmp_cursor *cursor, uint8_t c, struct dmp_item *item)
{
    static const uint64_t int_least[] = {0x80, 0x100, 0x10000, 0x100000000};
    static const uint64_t str_least[] = {32, 0x100, 0x10000};
    static const uint64_t bin_least[] = {0, 0x100, 0x10000};
    static const uint64_t count_least[] = {16, 0x10000};
    const char *why;
    uint64_t n;

    if (c == 0xc0 || c == 0xc2 || c == 0xc3) {
        item->kind = c == 0xc0 ? DMP_NIL : DMP_BOOL;
        item->truth = c == 0xc3;
        return NULL;
    }
    if (c >= 0xc4 && c <= 0xc6) {
        why = take_uint(cursor, (size_t)1 << (c - 0xc4), bin_least[c - 0xc4], &n);
        return why != NULL ? why : take_bytes(cursor, DMP_BIN, n, item);
    }
    if (c >= 0xcc && c <= 0xcf) {
        item->kind = DMP_INT;
        return take_uint(cursor, (size_t)1 << (c - 0xcc), int_least[c - 0xcc], &item->number);
    }
    if (c >= 0xd0 && c <= 0xd3)
        return take_negative(cursor, (size_t)1 << (c - 0xd0), item);
    if (c >= 0xd9 && c <= 0xdb) {
        why = take_uint(cursor, (size_t)1 << (c - 0xd9), str_least[c - 0xd9], &n);
        return why != NULL ? why : take_bytes(cursor, DMP_STR, n, item);
    }
    if (c == 0xdc || c == 0xdd) {
        why = take_uint(cursor, (size_t)2 << (c - 0xdc), count_least[c - 0xdc], &n);
        return why != NULL ? why : take_count(cursor, DMP_ARRAY, n, item);
    }
    if (c == 0xde || c == 0xdf) {
        why = take_uint(cursor, (size_t)2 << (c - 0xde), count_least[c - 0xde], &n);
        return why != NULL ? why : take_count(cursor, DMP_MAP, n, item);
    }
    return "a type byte that is not allowed";
}

static const char *take_item(struct dmp_cursor *cursor, struct dmp_item *item)
{
    uint8_t c;

    if (cursor->at == cursor->end)
        return CUT_SHORT;
    c = *cursor->at++;
    *item = (struct dmp_item){.kind = DMP_INT, .number = c};
    if (c < 0x80)
        return NULL;
    if (c < 0x90)
        return take_count(cursor, DMP_MAP, c & 15u, item);
    if (c < 0xa0)
        return take_count(cursor, DMP_ARRAY, c & 15u, item);
    if (c < 0xc0)
        return take_bytes(cursor, DMP_STR, c & 31u, item);
    if (c < 0xe0)
        return take_long(cursor, c, item);
    item->is_negative = true;
    item->number = (uint64_t)c - 0x100;
    return NULL;
}

static const char *check_value(struct dmp_cursor *cursor, unsigned depth, struct dmp_item *item);

static const char *check_map(struct dmp_cursor *cursor, unsigned depth, uint64_t pairs)
{
    struct dmp_item key, value;
    struct bytes last = {NULL, 0};
    const char *why = NULL;

    for (uint64_t i = 0; i < pairs && why == NULL; i++) {
        why = check_value(cursor, depth + 1, &key);
        if (why != NULL)
            return why;
        if (key.kind != DMP_STR)
            return "map key is not a string";
        if (i > 0 && bytes_compare(key.bytes, last) <= 0)
            return "map keys are not in order";
        last = key.bytes;
        why = check_value(cursor, depth + 1, &value);
    }
    return why;
}

/* Recursion ends at DMP_MAX_DEPTH. */
static const char *check_value(struct dmp_cursor *cursor, unsigned depth, struct dmp_item *item)
{
    const char *why;
    struct dmp_item inner;

    if (depth > DMP_MAX_DEPTH)
        return "nesting too deep";
    why = take_item(cursor, item);
    if (why != NULL)
        return why;
    if (item->kind == DMP_STR && !utf8_valid(item->bytes))
        return "string is not UTF-8";
    if (item->kind == DMP_MAP)
        return check_map(cursor, depth, item->number);
    if (item->kind == DMP_ARRAY)
        for (uint64_t i = 0; i < item->number && why == NULL; i++)
            why = check_value(cursor, depth + 1, &inner);
    return why;
}

const char *dmp_check(struct bytes raw)
{
    struct dmp_cursor cursor = dmp_cursor(raw);
    struct dmp_item item;
    const char *why;

    if (raw.len == 0)
        return CUT_SHORT;
    if (raw.len > DMP_MAX_BYTES)
        return "longer than 65535 bytes";
    why = check_value(&cursor, 0, &item);
    if (why == NULL && cursor.at != cursor.end)
        why = "bytes after the value";
    return why;
}

bool dmp_next(struct dmp_cursor *cursor, struct dmp_item *item)
{
    return take_item(cursor, item) == NULL;
}

/* How many bytes a value takes that holds no others and is short: what rows are made of. 0: look closer. */
static size_t short_len(const uint8_t *at, size_t room)
{
    uint8_t c = at[0];

    if (c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3)
        return 1;
    if (c >= 0xa0 && c < 0xc0)
        return 1 + (c & 31u);
    if ((c == 0xc4 || c == 0xd9) && room > 1)
        return 2 + (size_t)at[1];
    if (c >= 0xcc && c <= 0xcf)
        return 1 + ((size_t)1 << (c - 0xcc));
    return 0;
}

bool dmp_skip(struct dmp_cursor *cursor, struct bytes *value)
{
    const uint8_t *start = cursor->at;
    struct dmp_item item;
    uint64_t left = 1;

    for (; left > 0; left--) {
        size_t room = (size_t)(cursor->end - cursor->at);
        size_t len = room > 0 ? short_len(cursor->at, room) : 0;

        if (len > 0 && len <= room) {
            cursor->at += len;
            continue;
        }
        if (take_item(cursor, &item) != NULL)
            return false;
        if (item.kind == DMP_ARRAY)
            left += item.number;
        else if (item.kind == DMP_MAP)
            left += 2 * item.number;
    }
    *value = bytes_of(start, (size_t)(cursor->at - start));
    return true;
}

struct dmp_pairs dmp_pairs(struct bytes map)
{
    struct dmp_pairs pairs = {.cursor = dmp_cursor(map)};
    struct dmp_item item;

    if (map.len > 0 && dmp_next(&pairs.cursor, &item) && item.kind == DMP_MAP)
        pairs.left = item.number;
    return pairs;
}

bool dmp_pairs_next(struct dmp_pairs *pairs)
{
    const uint8_t *start = pairs->cursor.at;
    struct dmp_item key;

    if (pairs->left == 0)
        return false;
    pairs->left--;
    if (start < pairs->cursor.end && (*start & 0xe0) == 0xa0 &&
        (size_t)(pairs->cursor.end - start) > (*start & 31u)) { /* nearly every key */
        pairs->key = bytes_of(start + 1, *start & 31u);
        pairs->cursor.at = start + 1 + pairs->key.len;
    } else if (!dmp_next(&pairs->cursor, &key) || key.kind != DMP_STR) {
        return false;
    } else {
        pairs->key = key.bytes;
    }
    pairs->key_bytes = bytes_of(start, (size_t)(pairs->cursor.at - start));
    return dmp_skip(&pairs->cursor, &pairs->value);
}

bool dmp_find(struct bytes map, const char *key, struct bytes *value)
{
    struct dmp_pairs pairs = dmp_pairs(map);
    struct bytes wanted = bytes_text(key);

    while (dmp_pairs_next(&pairs)) {
        int order = bytes_compare(pairs.key, wanted);

        if (order == 0)
            *value = pairs.value;
        if (order >= 0)
            return order == 0;
    }
    return false;
}

static bool find_bytes(struct bytes map, const char *key, enum dmp_kind kind, struct bytes *out)
{
    struct dmp_cursor cursor;
    struct dmp_item item;
    struct bytes value;

    if (!dmp_find(map, key, &value))
        return false;
    cursor = dmp_cursor(value);
    if (!dmp_next(&cursor, &item) || item.kind != kind)
        return false;
    *out = item.bytes;
    return true;
}

bool dmp_find_str(struct bytes map, const char *key, struct bytes *text)
{
    return find_bytes(map, key, DMP_STR, text);
}

bool dmp_find_bin(struct bytes map, const char *key, struct bytes *bin)
{
    return find_bytes(map, key, DMP_BIN, bin);
}

static void add_head(struct buf *out, uint8_t code, uint64_t number, unsigned size)
{
    uint8_t raw[9] = {code};

    for (unsigned i = 0; i < size; i++)
        raw[1 + i] = (uint8_t)(number >> 8 * (size - 1 - i));
    buf_add(out, raw, 1 + size);
}

void dmp_add_uint(struct buf *out, uint64_t number)
{
    if (number < 0x80)
        buf_add_byte(out, (uint8_t)number);
    else if (number <= 0xff)
        add_head(out, 0xcc, number, 1);
    else if (number <= 0xffff)
        add_head(out, 0xcd, number, 2);
    else if (number <= 0xffffffff)
        add_head(out, 0xce, number, 4);
    else
        add_head(out, 0xcf, number, 8);
}

void dmp_add_str(struct buf *out, struct bytes text)
{
    if (text.len < 32)
        buf_add_byte(out, (uint8_t)(0xa0 | text.len));
    else if (text.len <= 0xff)
        add_head(out, 0xd9, text.len, 1);
    else if (text.len <= 0xffff)
        add_head(out, 0xda, text.len, 2);
    else
        add_head(out, 0xdb, text.len, 4);
    buf_add_bytes(out, text);
}

void dmp_add_bin(struct buf *out, struct bytes bin)
{
    if (bin.len <= 0xff)
        add_head(out, 0xc4, bin.len, 1);
    else if (bin.len <= 0xffff)
        add_head(out, 0xc5, bin.len, 2);
    else
        add_head(out, 0xc6, bin.len, 4);
    buf_add_bytes(out, bin);
}

/* `few`: the byte of up to 15; `many`: that of what 16 bits count, and the next one of 32. */
static void add_count(struct buf *out, uint64_t count, uint8_t few, uint8_t many)
{
    if (count < 16)
        buf_add_byte(out, (uint8_t)(few | count));
    else if (count <= 0xffff)
        add_head(out, many, count, 2);
    else
        add_head(out, (uint8_t)(many + 1), count, 4);
}

void dmp_add_array(struct buf *out, uint64_t count)
{
    add_count(out, count, 0x90, 0xdc);
}

void dmp_add_map(struct buf *out, uint64_t pairs)
{
    add_count(out, pairs, 0x80, 0xde);
}

/* ---- what rows hold ---- */

bool dmp_find_int(struct bytes map, const char *key, int64_t *number)
{
    struct dmp_cursor cursor;
    struct dmp_item item;
    struct bytes value;

    if (!dmp_find(map, key, &value))
        return false;
    cursor = dmp_cursor(value);
    if (!dmp_next(&cursor, &item) || item.kind != DMP_INT ||
        (!item.is_negative && item.number > INT64_MAX))
        return false;
    *number = (int64_t)item.number;
    return true;
}

bool dmp_is_true(struct bytes map, const char *key)
{
    struct bytes value;

    return dmp_find(map, key, &value) && value.len == 1 && value.at[0] == 0xc3;
}

bool dmp_text(struct bytes value, struct bytes *text)
{
    struct dmp_cursor cursor = dmp_cursor(value);
    struct dmp_item item;

    if (!dmp_next(&cursor, &item) || item.kind != DMP_STR)
        return false;
    *text = item.bytes;
    return true;
}

bool dmp_find_key(struct bytes map, struct bytes key, struct bytes *value)
{
    struct dmp_pairs pairs = dmp_pairs(map);

    while (dmp_pairs_next(&pairs)) {
        if (!bytes_equal(pairs.key, key))
            continue;
        *value = pairs.value;
        return true;
    }
    return false;
}

struct dmp_list dmp_list(struct bytes array)
{
    struct dmp_list list = {dmp_cursor(array), 0};
    struct dmp_item item;

    if (dmp_next(&list.cursor, &item) && item.kind == DMP_ARRAY)
        list.left = item.number;
    return list;
}

bool dmp_list_next(struct dmp_list *list, struct bytes *value)
{
    if (list->left == 0 || !dmp_skip(&list->cursor, value))
        return false;
    list->left--;
    return true;
}

uint64_t dmp_count(struct bytes map, const char *key)
{
    struct bytes array;

    return dmp_find(map, key, &array) ? dmp_list(array).left : 0;
}

bool dmp_list_has(struct bytes array, struct bytes text)
{
    struct dmp_list list = dmp_list(array);
    struct bytes value, one;

    while (dmp_list_next(&list, &value))
        if (dmp_text(value, &one) && bytes_equal(one, text))
            return true;
    return false;
}
