/* dmp.h - a strict reader of deterministic MessagePack ("DMP"): one encoding for every value.
 *
 * nil, bool, integer, str, bin, array, and map with str keys; no float, no ext; integers and headers in
 * the shortest form; map keys unique and ascending by bytes; valid UTF-8; nesting at most 8; nothing after
 * the value.
 *
 *   1. dmp_check() reads no byte outside of what it is given, allocates nothing, and refuses every
 *      encoding but the one that is right.
 *   2. dmp_next() and dmp_skip() stay within their bytes whatever these are, but say no more than
 *      "false" about bad ones: bytes go through dmp_check() first.
 */
#ifndef ROTA_VERIFY_DMP_H
#define ROTA_VERIFY_DMP_H

#include "bytes.h"
#include "memory.h"

enum { DMP_MAX_DEPTH = 8, DMP_MAX_BYTES = 65535 };

enum dmp_kind { DMP_NIL, DMP_BOOL, DMP_INT, DMP_STR, DMP_BIN, DMP_ARRAY, DMP_MAP };

struct dmp_item {
    enum dmp_kind kind;
    bool truth;         /* of a bool */
    bool is_negative;   /* of an int: number is then its two's complement */
    uint64_t number;    /* of an int; of an array or map: how many items or pairs follow */
    struct bytes bytes; /* of a str or bin; lent by the input */
};

/* What is left to read. */
struct dmp_cursor {
    const uint8_t *at, *end;
};

static inline struct dmp_cursor dmp_cursor(struct bytes bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *at = bytes.len > 0 ? bytes.at : nothing;

    return (struct dmp_cursor){at, at + bytes.len};
}

/* NULL if raw is exactly one well encoded value of at most DMP_MAX_BYTES; otherwise why it is not. */
const char *dmp_check(struct bytes raw);

/* Read one item; the items of an array or map follow it. False: there is none, or it is malformed. */
bool dmp_next(struct dmp_cursor *cursor, struct dmp_item *item);

/* Read one value with everything in it and give its bytes. False: cut short or malformed. */
bool dmp_skip(struct dmp_cursor *cursor, struct bytes *value);

/* The pairs of a map, one by one. A value that is not a map has none. */
struct dmp_pairs {
    struct dmp_cursor cursor;
    uint64_t left;
    struct bytes key;       /* the text of the key */
    struct bytes key_bytes; /* as it is encoded */
    struct bytes value;     /* as it is encoded */
};

struct dmp_pairs dmp_pairs(struct bytes map);
bool dmp_pairs_next(struct dmp_pairs *pairs);

/* The value under a key of a map, as it is encoded. False: not there. */
bool dmp_find(struct bytes map, const char *key, struct bytes *value);

/* The same, for a value that must be a str or bin. */
bool dmp_find_str(struct bytes map, const char *key, struct bytes *text);
bool dmp_find_bin(struct bytes map, const char *key, struct bytes *bin);

/* A number, or truth, under a key; false: it is not there, or something else. */
bool dmp_find_int(struct bytes map, const char *key, int64_t *number);
bool dmp_is_true(struct bytes map, const char *key);

/* The value under a key that is itself data. */
bool dmp_find_key(struct bytes map, struct bytes key, struct bytes *value);

/* What a str says. */
bool dmp_text(struct bytes value, struct bytes *text);

/* The values of an array, one by one. A value that is not an array has none. */
struct dmp_list {
    struct dmp_cursor cursor;
    uint64_t left;
};

struct dmp_list dmp_list(struct bytes array);
bool dmp_list_next(struct dmp_list *list, struct bytes *value);
bool dmp_list_has(struct bytes array, struct bytes text);

/* How long the array under a key is; 0: there is none. */
uint64_t dmp_count(struct bytes map, const char *key);

static inline bool dmp_is_nil(struct bytes value)
{
    return value.len == 1 && value.at[0] == 0xc0;
}

static inline bool dmp_is_map(struct bytes value)
{
    return value.len > 0 && (value.at[0] >> 4 == 8 || value.at[0] == 0xde || value.at[0] == 0xdf);
}

/* Writers for the few things that are encoded here: the message a person signed, and folded rows. */
void dmp_add_uint(struct buf *out, uint64_t number);
void dmp_add_str(struct buf *out, struct bytes text);
void dmp_add_bin(struct buf *out, struct bytes bin);
void dmp_add_array(struct buf *out, uint64_t count);
void dmp_add_map(struct buf *out, uint64_t pairs);

/* Are these bytes UTF-8 (no surrogates, no overlong forms)? */
bool utf8_valid(struct bytes text);

#endif
