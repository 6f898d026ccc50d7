/* value.h - a dynamic value: what a command says, what a record holds, what a leaf keeps.
 *
 * A value is a tree in an arena. Strings and binaries are either borrowed or copied, as each
 * function says. Maps keep their pairs in ascending order of key bytes, each key once: the order in
 * which they are encoded (dmp.h), so that equal values have equal bytes.
 */
#ifndef ROTA_BASE_VALUE_H
#define ROTA_BASE_VALUE_H

#include "base/arena.h"
#include "base/slice.h"

enum value_type {
    VALUE_NIL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_STR, /* UTF-8 */
    VALUE_BIN,
    VALUE_ARRAY,
    VALUE_MAP
};

struct pair;

struct value {
    enum value_type type;
    uint32_t count; /* bytes of a str or bin, items of an array, pairs of a map */
    union {
        int64_t number; /* int; bool as 0 or 1 */
        const char *text;
        const uint8_t *bytes;
        struct value *items;
        struct pair *pairs;
    } as;
};

struct pair {
    struct slice key;
    struct value value;
};

extern const struct value VALUE_NONE; /* nil */

struct value value_bool(bool truth);
struct value value_int(int64_t number);
struct value value_str(const char *text);           /* borrows */
struct value value_text(struct slice text);         /* borrows */
struct value value_bin(const void *at, size_t len); /* borrows */
struct value value_array(void);                     /* empty */
struct value value_map(void);                       /* empty */

static inline bool value_is(const struct value *value, enum value_type type)
{
    return value != NULL && value->type == type;
}

/* The value under `key`, or NULL if `map` is not a map or has no such key. Lent. */
const struct value *value_find(const struct value *map, struct slice key);
static inline const struct value *value_get(const struct value *map, const char *key)
{
    return value_find(map, slice_str(key)); /* inline: the length of a literal costs nothing */
}
struct value *value_at(struct value *map, struct slice key); /* the same, to be changed */

/* What stands under `key`, or the fallback if it is absent or of another type. Lent. */
const char *value_get_str(const struct value *map, const char *key, const char *fallback,
                          struct arena *arena); /* NUL-terminated copy in `arena` */
struct slice value_get_text(const struct value *map, const char *key); /* empty if absent */
struct slice value_get_bin(const struct value *map, const char *key);  /* empty if absent */
int64_t value_get_int(const struct value *map, const char *key, int64_t fallback);
bool value_get_bool(const struct value *map, const char *key, bool fallback);

struct slice value_slice(const struct value *value); /* of a str or bin; else empty */
bool value_equal(const struct value *a, const struct value *b);
/* The same, but for what maps at any depth have under `key`. */
bool value_equal_but(const struct value *a, const struct value *b, const char *key);
bool value_has_text(const struct value *array, struct slice text); /* is `text` one of the items? */

/* Puts `value` under `key`, replacing what is there. Borrows key and value's bytes. */
void value_set(struct arena *arena, struct value *map, const char *key, struct value value);
void value_put(struct arena *arena, struct value *map, struct slice key, struct value value);
bool value_remove(struct value *map, struct slice key);
void value_push(struct arena *arena, struct value *array, struct value item);

/* The map under `key`, made empty if it is not there; nested maps are built with this. Lent until the
 * next change of `map`. */
struct value *value_sub(struct arena *arena, struct value *map, struct slice key);

/* A copy that shares nothing with `value`. */
struct value value_copy(struct arena *arena, const struct value *value);

/* The same tree in one block of its own, which the caller frees (NULL if it needs none); the bytes of keys, strings and
 * binaries stay where they are. Nothing may be put into it. `*size` is the block's. */
struct value value_pack(const struct value *value, void **block, size_t *size);

/* RFC 7396 over these values: maps merge, nil removes, anything else replaces; no nil below `patch` is kept in a merged
 * map. `target` (NULL: none) may be of any type and is not changed: what comes out shares maps and arrays with `target`,
 * arrays with `patch`, and the bytes of both. */
struct value value_merged(struct arena *arena, const struct value *target,
                          const struct value *patch);
/* `*target` becomes what value_merged() gives. */
void value_merge(struct arena *arena, struct value *target, const struct value *patch);

/* For messages and tests: JSON-like text, bin as "hex:...". Never used for what is signed. */
char *value_show(struct arena *arena, const struct value *value);

#endif
