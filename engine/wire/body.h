/* body.h - a body on the wire: MessagePack, or JSON if its first byte is `{` (no MessagePack map
 * starts with 0x7b; a bare 123 would, so bodies are maps). Who asks in JSON is answered in JSON. */
#ifndef ROTA_WIRE_BODY_H
#define ROTA_WIRE_BODY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

enum { BODY_DEPTH_MAX = 16, BODY_BYTES_MAX = 1024 * 1024 };

/* Reads a body. `*is_json` (may be NULL) is set also when the body cannot be read. Strings of a
 * MessagePack body are lent by `bytes`, those of JSON live in `arena`. */
int body_decode(struct arena *arena, struct slice bytes, int depth_max, struct value *out,
                bool *is_json, struct error *err);

void body_encode(struct buf *out, const struct value *value, bool as_json);

#endif
