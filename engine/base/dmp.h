/* dmp.h - deterministic MessagePack: exactly one encoding for every value.
 *
 * nil, bool, integers of 64 bits in the shortest form (non-negative ones unsigned), str, bin, array,
 * map with str keys, unique and ascending by bytes; shortest headers; valid UTF-8; no float, no ext;
 * a bound on nesting and size; nothing after the value. Journal leaves, stored rows, digests and what
 * a person signs are in it.
 *
 * The loose reader takes any MessagePack of the same types (keys in any order, longer headers) as
 * found on the wire. Both check every count against the bytes that are left before they reserve
 * memory: five bytes cannot ask for megabytes.
 */
#ifndef ROTA_BASE_DMP_H
#define ROTA_BASE_DMP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

enum { DMP_DEPTH_MAX = 8, DMP_BYTES_MAX = 65535, LOOSE_DEPTH_MAX = 16 };

/* Appends the encoding. The value's integers, strings and nesting must be encodable: a bug if not. */
void dmp_encode(struct buf *out, const struct value *value);

/* `raw` is the encoding of `value`: its keys, strings and binaries point into `raw` from now on. The tree itself, which
 * must be the caller's own, stays where it is: as if `raw` had been decoded, for a part of the price. */
void dmp_adopt(struct value *value, struct slice raw);

/* Reads one value that fills `raw`; strings are lent by `raw`. Strict: dmp_encode gives `raw` back. */
int dmp_decode(struct arena *arena, struct slice raw, struct value *out, struct error *err);

/* As dmp_decode, for bytes of up to `bytes_max` (files kept as content may be larger than a leaf). */
int dmp_decode_large(struct arena *arena, struct slice raw, size_t bytes_max, struct value *out,
                     struct error *err);

/* Any MessagePack of our types, nesting up to `depth_max`; duplicate keys are refused, keys sorted. */
int mp_decode(struct arena *arena, struct slice raw, int depth_max, struct value *out,
              struct error *err);

/* True if the bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_is_valid(struct slice text);

/* Single parts, for bytes that are built by hand (hashed tuples). */
void dmp_put_array(struct buf *out, uint32_t count);
void dmp_put_map(struct buf *out, uint32_t count);
void dmp_put_str(struct buf *out, struct slice text);
void dmp_put_bin(struct buf *out, struct slice bytes);
void dmp_put_int(struct buf *out, int64_t number);
void dmp_put_nil(struct buf *out);

#endif
