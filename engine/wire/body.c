#include "wire/body.h"

#include "base/dmp.h"
#include "wire/json.h"

int body_decode(struct arena *arena, struct slice bytes, int depth_max, struct value *out,
                bool *is_json, struct error *err)
{
    bool json = bytes.len > 0 && bytes.at[0] == '{';

    if (is_json != NULL)
        *is_json = json;
    if (bytes.len > BODY_BYTES_MAX)
        return error_set(err, ERROR_INPUT, "longer than %d bytes", BODY_BYTES_MAX);
    if (json)
        return json_to_value(arena, bytes, depth_max, out, err);
    return mp_decode(arena, bytes, depth_max, out, err);
}

void body_encode(struct buf *out, const struct value *value, bool as_json)
{
    if (as_json)
        value_to_json(out, value, false);
    else
        dmp_encode(out, value);
}
