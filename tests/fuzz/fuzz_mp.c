/* Any bytes into the loose MessagePack reader and the JSON reader: what is taken must come back the
 * same. */
#include "base/check.h"
#include "base/dmp.h"
#include "wire/body.h"

#include "targets.h"

static void comes_back(struct arena *arena, const struct value *value, bool as_json)
{
    struct buf bytes = BUF_EMPTY, twice = BUF_EMPTY;
    struct value again = VALUE_NONE;

    body_encode(&bytes, value, as_json);
    /* Only what begins as its own kind is read as that: 123 in MessagePack is one byte, `{`. */
    if ((bytes.at[0] == '{') == as_json) {
        if (body_decode(arena, buf_slice(&bytes), BODY_DEPTH_MAX, &again, NULL, NULL) == 0) {
            body_encode(&twice, &again, as_json);
            check(slice_equal(buf_slice(&bytes), buf_slice(&twice)));
        } else {
            check(as_json); /* a key with a NUL, or more than JSON may hold */
        }
    }
    buf_release(&bytes);
    buf_release(&twice);
}

int FUZZ_NAME(fuzz_mp)(const uint8_t *at, size_t len)
{
    struct arena arena = ARENA_EMPTY;
    struct value value = VALUE_NONE;

    if (body_decode(&arena, slice_of(at, len), BODY_DEPTH_MAX, &value, NULL, NULL) == 0) {
        comes_back(&arena, &value, false);
        comes_back(&arena, &value, true);
    }
    arena_release(&arena);
    return 0;
}
