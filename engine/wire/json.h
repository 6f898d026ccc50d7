/* json.h - values as JSON text (RFC 8259) and back.
 *
 * bin is the string "hex:" and lowercase hexadecimal digits; so a text of exactly that shape cannot
 * be said in JSON. There are no fractions and no exponents; integers fit 64 bits. A key that stands
 * twice is an error. Read memory is bounded by the length of the text.
 */
#ifndef ROTA_WIRE_JSON_H
#define ROTA_WIRE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

enum { JSON_CONTAINERS_MAX = 65536, JSON_DEPTH_MAX = 64 };

/* Reads one value that fills `text`; a scalar may stand at most `depth_max` containers deep.
 * Everything is copied into `arena`. */
int json_to_value(struct arena *arena, struct slice text, int depth_max, struct value *out,
                  struct error *err);

/* Appends the text; keys in the order of their bytes. `pretty`: one member a line, indented by two. */
void value_to_json(struct buf *out, const struct value *value, bool pretty);

/* Appends `text` as a JSON string with its quotation marks. */
void json_add_text(struct buf *out, struct slice text);

#endif
