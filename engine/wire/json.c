#include "wire/json.h"

#include "base/check.h"
#include "base/hash.h"

#include <jansson.h>
#include <stdlib.h>

/* ---- reading ---- */

/* jansson spends some hundred bytes on each container, so they are counted before it begins. */
static int containers_fit(struct slice text, int depth_max, struct error *err)
{
    int depth = 0, count = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > depth_max + 1)
                return error_set(err, ERROR_INPUT, "nested too deep at byte %zu", i);
            if (++count > JSON_CONTAINERS_MAX)
                return error_set(err, ERROR_INPUT, "more than %d objects and arrays",
                                 JSON_CONTAINERS_MAX);
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return 0;
}

static bool is_lower_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    }
    return len % 2 == 0;
}

static void take_string(struct arena *arena, const json_t *json, struct value *out)
{
    const char *text = json_string_value(json);
    size_t len = json_string_length(json);
    uint8_t *bytes;

    if (len >= 4 && memcmp(text, "hex:", 4) == 0 && is_lower_hex(text + 4, len - 4)) {
        bytes = arena_take(arena, (len - 4) / 2 + 1);
        check(hex_decode(text + 4, bytes, (len - 4) / 2) == 0);
        *out = value_bin(bytes, (len - 4) / 2);
        return;
    }
    *out = value_text(slice_of(arena_copy(arena, text, len), len));
}

/* The room that value_put and value_push expect behind `count` elements. */
static size_t room_for(size_t count)
{
    size_t room = 4;

    while (room < count)
        room *= 2;
    return room;
}

static int take(struct arena *arena, const json_t *json, int depth, struct value *out,
                struct error *err);

static int take_array(struct arena *arena, const json_t *json, int depth, struct value *out,
                      struct error *err)
{
    size_t count = json_array_size(json);

    *out = value_array();
    if (count == 0)
        return 0;
    out->as.items = arena_take(arena, room_for(count) * sizeof *out->as.items);
    out->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        if (take(arena, json_array_get(json, i), depth - 1, &out->as.items[i], err) != 0)
            return -1;
    }
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return slice_compare(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static int take_object(struct arena *arena, json_t *json, int depth, struct value *out,
                       struct error *err)
{
    size_t count = json_object_size(json), at = 0;
    const char *key;
    json_t *member;

    *out = value_map();
    if (count == 0)
        return 0;
    out->as.pairs = arena_take(arena, room_for(count) * sizeof *out->as.pairs);
    out->count = (uint32_t)count;
    json_object_foreach(json, key, member)
    {
        struct pair *pair = &out->as.pairs[at++];

        pair->key = slice_str(arena_str(arena, key));
        if (take(arena, member, depth - 1, &pair->value, err) != 0)
            return -1;
    }
    qsort(out->as.pairs, count, sizeof *out->as.pairs, by_key);
    return 0;
}

/* `depth` is how many containers a scalar may still stand in. */
static int take(struct arena *arena, const json_t *json, int depth, struct value *out,
                struct error *err)
{
    if (depth < 0)
        return error_set(err, ERROR_INPUT, "nested too deep");
    switch (json_typeof(json)) {
    case JSON_NULL:
        *out = VALUE_NONE;
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = value_bool(json_is_true(json));
        return 0;
    case JSON_INTEGER:
        *out = value_int(json_integer_value(json));
        return 0;
    case JSON_REAL:
        return error_set(err, ERROR_INPUT, "a number with a fraction or an exponent");
    case JSON_STRING:
        take_string(arena, json, out);
        return 0;
    case JSON_ARRAY:
        return take_array(arena, json, depth, out, err);
    case JSON_OBJECT:
        return take_object(arena, (json_t *)json, depth, out, err);
    }
    return error_set(err, ERROR_INPUT, "not a JSON value");
}

int json_to_value(struct arena *arena, struct slice text, int depth_max, struct value *out,
                  struct error *err)
{
    struct value value = VALUE_NONE;
    json_error_t why;
    json_t *json;
    int rc;

    check(depth_max <= JSON_DEPTH_MAX);
    if (text.len == 0)
        return error_set(err, ERROR_INPUT, "empty where JSON was expected");
    if (containers_fit(text, depth_max, err) != 0)
        return -1;
    json = json_loadb((const char *)text.at, text.len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (json == NULL)
        return error_set(err, ERROR_INPUT, "not JSON: %s (line %d, column %d)", why.text, why.line,
                         why.column);
    rc = take(arena, json, depth_max, &value, err);
    json_decref(json);
    if (rc == 0)
        *out = value;
    return rc;
}

/* ---- writing ---- */

void json_add_text(struct buf *out, struct slice text)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];

        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c == '\n')
            buf_add_str(out, "\\n");
        else if (c == '\t')
            buf_add_str(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\u%04x", c);
        else
            buf_add_byte(out, c);
    }
    buf_add_byte(out, '"');
}

static void add_bin(struct buf *out, const struct value *value)
{
    buf_add_str(out, "\"hex:");
    buf_reserve(out, 2 * (size_t)value->count + 1);
    hex_encode(value_slice(value), (char *)out->at + out->len);
    out->len += 2 * (size_t)value->count;
    buf_add_byte(out, '"');
}

static void add_line(struct buf *out, bool pretty, int indent)
{
    if (!pretty)
        return;
    buf_add_byte(out, '\n');
    for (int i = 0; i < indent; i++)
        buf_add_str(out, "  ");
}

static void add(struct buf *out, const struct value *value, bool pretty, int indent);

static void add_container(struct buf *out, const struct value *value, bool pretty, int indent)
{
    bool is_map = value->type == VALUE_MAP;

    buf_add_byte(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < value->count; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        add_line(out, pretty, indent + 1);
        if (is_map) {
            json_add_text(out, value->as.pairs[i].key);
            buf_add_str(out, pretty ? ": " : ":");
        }
        add(out, is_map ? &value->as.pairs[i].value : &value->as.items[i], pretty, indent + 1);
    }
    if (value->count > 0)
        add_line(out, pretty, indent);
    buf_add_byte(out, is_map ? '}' : ']');
}

static void add(struct buf *out, const struct value *value, bool pretty, int indent)
{
    switch (value->type) {
    case VALUE_NIL:
        buf_add_str(out, "null");
        break;
    case VALUE_BOOL:
        buf_add_str(out, value->as.number != 0 ? "true" : "false");
        break;
    case VALUE_INT:
        buf_addf(out, "%lld", (long long)value->as.number);
        break;
    case VALUE_STR:
        json_add_text(out, value_slice(value));
        break;
    case VALUE_BIN:
        add_bin(out, value);
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        add_container(out, value, pretty, indent);
        break;
    }
}

void value_to_json(struct buf *out, const struct value *value, bool pretty)
{
    add(out, value, pretty, 0);
}
