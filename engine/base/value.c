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

static uint32_t next_but(const struct value *map, uint32_t i, const char *key)
{
    return i < map->count && slice_is(map->as.pairs[i].key, key) ? i + 1 : i;
}

static bool pairs_equal_but(const struct value *a, const struct value *b, const char *key)
{
    uint32_t i = next_but(a, 0, key), k = next_but(b, 0, key);

    for (; i < a->count && k < b->count; i = next_but(a, i + 1, key), k = next_but(b, k + 1, key)) {
        if (!slice_equal(a->as.pairs[i].key, b->as.pairs[k].key) ||
            !value_equal_but(&a->as.pairs[i].value, &b->as.pairs[k].value, key))
            return false;
    }
    return i == a->count && k == b->count;
}

bool value_equal_but(const struct value *a, const struct value *b, const char *key)
{
    if (a->type == VALUE_MAP && b->type == VALUE_MAP)
        return pairs_equal_but(a, b, key);
    if (a->type != VALUE_ARRAY || b->type != VALUE_ARRAY)
        return value_equal(a, b);
    for (uint32_t i = 0; i < a->count && a->count == b->count; i++) {
        if (!value_equal_but(&a->as.items[i], &b->as.items[i], key))
            return false;
    }
    return a->count == b->count;
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

static size_t block_of(const struct value *value)
{
    size_t size = 0;

    if (value->type == VALUE_ARRAY) {
        size = value->count * sizeof *value->as.items;
        for (uint32_t i = 0; i < value->count; i++)
            size += block_of(&value->as.items[i]);
    } else if (value->type == VALUE_MAP) {
        size = value->count * sizeof *value->as.pairs;
        for (uint32_t i = 0; i < value->count; i++)
            size += block_of(&value->as.pairs[i].value);
    }
    return size;
}

/* Items and pairs have the alignment of a pointer, and sizes that are multiples of it. */
static void pack_into(struct value *value, uint8_t **free_at)
{
    void *at = *free_at;

    if (value->count == 0)
        return;
    if (value->type == VALUE_ARRAY) {
        *free_at += value->count * sizeof *value->as.items;
        value->as.items = memcpy(at, value->as.items, value->count * sizeof *value->as.items);
        for (uint32_t i = 0; i < value->count; i++)
            pack_into(&value->as.items[i], free_at);
    } else if (value->type == VALUE_MAP) {
        *free_at += value->count * sizeof *value->as.pairs;
        value->as.pairs = memcpy(at, value->as.pairs, value->count * sizeof *value->as.pairs);
        for (uint32_t i = 0; i < value->count; i++)
            pack_into(&value->as.pairs[i].value, free_at);
    }
}

struct value value_pack(const struct value *value, void **block, size_t *size)
{
    struct value packed = *value;
    uint8_t *free_at;

    *size = block_of(value);
    *block = NULL;
    if (*size == 0)
        return packed;
    *block = malloc(*size);
    check(*block != NULL);
    free_at = *block;
    pack_into(&packed, &free_at);
    check(free_at == (uint8_t *)*block + *size);
    return packed;
}

/* One pair of the patch over what stands there (or NULL); false if nothing stands there afterwards. */
static bool merged_pair(struct arena *arena, const struct pair *before, const struct pair *patch,
                        struct pair *out)
{
    if (patch->value.type == VALUE_NIL)
        return false;
    out->key = before != NULL ? before->key : patch->key;
    out->value = value_merged(arena, before != NULL ? &before->value : NULL, &patch->value);
    return true;
}

struct value value_merged(struct arena *arena, const struct value *target,
                          const struct value *patch)
{
    const struct value none = value_map();
    struct value merged = value_map();
    uint32_t i = 0, k = 0;

    if (patch->type != VALUE_MAP)
        return *patch;
    if (!value_is(target, VALUE_MAP))
        target = &none;
    else if (patch->count == 0)
        return *target;
    merged.as.pairs = room_for(arena, target->count + patch->count, sizeof *merged.as.pairs);
    while (i < target->count || k < patch->count) {
        const struct pair *old = i < target->count ? &target->as.pairs[i] : NULL;
        const struct pair *new = k < patch->count ? &patch->as.pairs[k] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : slice_compare(old->key, new->key);

        if (order < 0)
            merged.as.pairs[merged.count++] = *old;
        else if (merged_pair(arena, order == 0 ? old : NULL, new, &merged.as.pairs[merged.count]))
            merged.count++;
        i += order <= 0;
        k += order >= 0;
    }
    return merged;
}

void value_merge(struct arena *arena, struct value *target, const struct value *patch)
{
    *target = value_merged(arena, target, patch);
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
