#include "base/value.h"

#include "base/buf.h"
#include "base/check.h"

#include <stdlib.h>

const struct value VALUE_NONE = {VALUE_NIL, 0, {0}};

struct value value_bool(bool truth)
{
    return (struct value){VALUE_BOOL, 0, {.number = truth}};
}

struct value value_int(int64_t number)
{
    return (struct value){VALUE_INT, 0, {.number = number}};
}

struct value value_str(const char *text)
{
    return value_text(slice_str(text));
}

struct value value_text(struct slice text)
{
    check(text.len <= UINT32_MAX);
    return (struct value){VALUE_STR, (uint32_t)text.len, {.text = (const char *)text.at}};
}

struct value value_bin(const void *at, size_t len)
{
    check(len <= UINT32_MAX);
    return (struct value){VALUE_BIN, (uint32_t)len, {.bytes = at}};
}

struct value value_array(void)
{
    return (struct value){VALUE_ARRAY, 0, {.items = NULL}};
}

struct value value_map(void)
{
    return (struct value){VALUE_MAP, 0, {.pairs = NULL}};
}

/* Where `key` is, or where it belongs: the first pair that is not less. */
static uint32_t place_of(const struct value *map, struct slice key, bool *found)
{
    uint32_t low = 0, high = map->count;

    *found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = slice_compare(map->as.pairs[middle].key, key);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct value *value_at(struct value *map, struct slice key)
{
    bool found;
    uint32_t place;

    if (map == NULL || map->type != VALUE_MAP)
        return NULL;
    place = place_of(map, key, &found);
    return found ? &map->as.pairs[place].value : NULL;
}

const struct value *value_find(const struct value *map, struct slice key)
{
    bool found;
    uint32_t place;

    if (!value_is(map, VALUE_MAP))
        return NULL;
    place = place_of(map, key, &found);
    return found ? &map->as.pairs[place].value : NULL;
}

const struct value *value_get(const struct value *map, const char *key)
{
    return value_find(map, slice_str(key));
}

struct slice value_slice(const struct value *value)
{
    if (value_is(value, VALUE_STR))
        return slice_of(value->as.text, value->count);
    if (value_is(value, VALUE_BIN))
        return slice_of(value->as.bytes, value->count);
    return slice_of(NULL, 0);
}

const char *value_get_str(const struct value *map, const char *key, const char *fallback,
                          struct arena *arena)
{
    const struct value *found = value_get(map, key);

    if (!value_is(found, VALUE_STR))
        return fallback;
    return arena_copy(arena, found->as.text, found->count);
}

struct slice value_get_text(const struct value *map, const char *key)
{
    const struct value *found = value_get(map, key);

    return value_is(found, VALUE_STR) ? value_slice(found) : slice_of(NULL, 0);
}

struct slice value_get_bin(const struct value *map, const char *key)
{
    const struct value *found = value_get(map, key);

    return value_is(found, VALUE_BIN) ? value_slice(found) : slice_of(NULL, 0);
}

int64_t value_get_int(const struct value *map, const char *key, int64_t fallback)
{
    const struct value *found = value_get(map, key);

    return value_is(found, VALUE_INT) ? found->as.number : fallback;
}

bool value_get_bool(const struct value *map, const char *key, bool fallback)
{
    const struct value *found = value_get(map, key);

    return value_is(found, VALUE_BOOL) ? found->as.number != 0 : fallback;
}

static bool pairs_equal(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!slice_equal(a->as.pairs[i].key, b->as.pairs[i].key) ||
            !value_equal(&a->as.pairs[i].value, &b->as.pairs[i].value))
            return false;
    }
    return true;
}

static bool items_equal(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!value_equal(&a->as.items[i], &b->as.items[i]))
            return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_NIL:
        return true;
    case VALUE_BOOL:
    case VALUE_INT:
        return a->as.number == b->as.number;
    case VALUE_STR:
    case VALUE_BIN:
        return slice_equal(value_slice(a), value_slice(b));
    case VALUE_ARRAY:
        return a->count == b->count && items_equal(a, b);
    case VALUE_MAP:
        return a->count == b->count && pairs_equal(a, b);
    }
    return false;
}

bool value_has_text(const struct value *array, struct slice text)
{
    if (!value_is(array, VALUE_ARRAY))
        return false;
    for (uint32_t i = 0; i < array->count; i++) {
        if (array->as.items[i].type == VALUE_STR &&
            slice_equal(value_slice(&array->as.items[i]), text))
            return true;
    }
    return false;
}

/* Room for one more element: arrays in an arena double, at every power of two from four on. */
static void *grown(struct arena *arena, void *old, uint32_t count, size_t size)
{
    void *bigger;

    if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
        return old;
    bigger = arena_take(arena, (count < 4 ? 4 : (size_t)count * 2) * size);
    if (count > 0)
        memcpy(bigger, old, count * size);
    return bigger;
}

void value_put(struct arena *arena, struct value *map, struct slice key, struct value value)
{
    bool found;
    uint32_t place;

    check(map->type == VALUE_MAP);
    place = place_of(map, key, &found);
    if (found) {
        map->as.pairs[place].value = value;
        return;
    }
    map->as.pairs = grown(arena, map->as.pairs, map->count, sizeof *map->as.pairs);
    memmove(map->as.pairs + place + 1, map->as.pairs + place,
            (map->count - place) * sizeof *map->as.pairs);
    map->as.pairs[place] = (struct pair){key, value};
    map->count++;
}

void value_set(struct arena *arena, struct value *map, const char *key, struct value value)
{
    value_put(arena, map, slice_str(key), value);
}

bool value_remove(struct value *map, struct slice key)
{
    bool found;
    uint32_t place;

    if (map->type != VALUE_MAP)
        return false;
    place = place_of(map, key, &found);
    if (!found)
        return false;
    map->count--;
    memmove(map->as.pairs + place, map->as.pairs + place + 1,
            (map->count - place) * sizeof *map->as.pairs);
    return true;
}

void value_push(struct arena *arena, struct value *array, struct value item)
{
    check(array->type == VALUE_ARRAY);
    array->as.items = grown(arena, array->as.items, array->count, sizeof *array->as.items);
    array->as.items[array->count++] = item;
}

struct value *value_sub(struct arena *arena, struct value *map, struct slice key)
{
    struct value *found = value_at(map, key);

    if (found == NULL || found->type != VALUE_MAP) {
        value_put(arena, map, key, value_map());
        found = value_at(map, key);
    }
    return found;
}

/* Room for so many elements and what `grown` expects beyond them. */
static void *room_for(struct arena *arena, uint32_t count, size_t size)
{
    size_t room = 4;

    while (room < count)
        room *= 2;
    return count == 0 ? NULL : arena_take(arena, room * size);
}

struct value value_copy(struct arena *arena, const struct value *value)
{
    struct value copy = *value;

    switch (value->type) {
    case VALUE_STR:
        copy.as.text = arena_copy(arena, value->as.text, value->count);
        break;
    case VALUE_BIN:
        copy.as.bytes = (uint8_t *)arena_copy(arena, value->as.bytes, value->count);
        break;
    case VALUE_ARRAY:
        copy.as.items = room_for(arena, value->count, sizeof *copy.as.items);
        for (uint32_t i = 0; i < value->count; i++)
            copy.as.items[i] = value_copy(arena, &value->as.items[i]);
        break;
    case VALUE_MAP:
        copy.as.pairs = room_for(arena, value->count, sizeof *copy.as.pairs);
        for (uint32_t i = 0; i < value->count; i++) {
            const struct pair *pair = &value->as.pairs[i];
            char *key = arena_copy(arena, pair->key.at, pair->key.len);

            copy.as.pairs[i] =
                (struct pair){slice_of(key, pair->key.len), value_copy(arena, &pair->value)};
        }
        break;
    case VALUE_NIL:
    case VALUE_BOOL:
    case VALUE_INT:
        break;
    }
    return copy;
}

void value_merge(struct arena *arena, struct value *target, const struct value *patch)
{
    if (patch->type != VALUE_MAP) {
        *target = *patch;
        return;
    }
    if (target->type != VALUE_MAP)
        *target = value_map();
    for (uint32_t i = 0; i < patch->count; i++) {
        const struct pair *pair = &patch->as.pairs[i];
        struct value *under;

        if (pair->value.type == VALUE_NIL) {
            value_remove(target, pair->key);
            continue;
        }
        under = value_at(target, pair->key);
        if (under == NULL) {
            value_put(arena, target, pair->key, VALUE_NONE);
            under = value_at(target, pair->key);
        }
        value_merge(arena, under, &pair->value);
    }
}

static void show(struct buf *out, const struct value *value);

static void show_text(struct buf *out, struct slice text)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            buf_addf(out, "\\%c", text.at[i]);
        else if (text.at[i] < 0x20 || text.at[i] == 0x7f)
            buf_addf(out, "\\u%04x", text.at[i]);
        else
            buf_add_byte(out, text.at[i]);
    }
    buf_add_byte(out, '"');
}

static void show_pairs(struct buf *out, const struct value *map)
{
    buf_add_byte(out, '{');
    for (uint32_t i = 0; i < map->count; i++) {
        if (i > 0)
            buf_add_str(out, ", ");
        show_text(out, map->as.pairs[i].key);
        buf_add_str(out, ": ");
        show(out, &map->as.pairs[i].value);
    }
    buf_add_byte(out, '}');
}

static void show(struct buf *out, const struct value *value)
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
        show_text(out, value_slice(value));
        break;
    case VALUE_BIN:
        buf_add_str(out, "\"hex:");
        for (uint32_t i = 0; i < value->count; i++)
            buf_addf(out, "%02x", value->as.bytes[i]);
        buf_add_byte(out, '"');
        break;
    case VALUE_ARRAY:
        buf_add_byte(out, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            if (i > 0)
                buf_add_str(out, ", ");
            show(out, &value->as.items[i]);
        }
        buf_add_byte(out, ']');
        break;
    case VALUE_MAP:
        show_pairs(out, value);
        break;
    }
}

char *value_show(struct arena *arena, const struct value *value)
{
    struct buf text = BUF_EMPTY;
    char *copy;

    show(&text, value);
    copy = arena_copy(arena, text.at, text.len);
    buf_release(&text);
    return copy;
}
