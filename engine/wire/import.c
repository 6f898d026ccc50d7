#include "wire/import.h"

#include "base/buf.h"
#include "base/dmp.h"
#include "base/hash.h"

enum { ID_BYTES = 16 };

static uint32_t count_fitting(const struct value *findings, uint32_t from, uint32_t max)
{
    struct buf bytes = BUF_EMPTY;
    uint32_t count = 0;

    while (count < max && from + count < findings->count) {
        dmp_encode(&bytes, &findings->as.items[from + count]);
        if (bytes.len > IMPORT_PART_BYTES && count > 0)
            break;
        count++;
    }
    buf_release(&bytes);
    return count;
}

uint32_t import_part(struct arena *arena, const struct value *report, uint32_t from, uint32_t max,
                     struct value *args)
{
    static const char *const facts[] = {"tool", "format", "sha256", "covers", "file"};
    const struct value *findings = value_get(report, "findings");
    uint32_t count = count_fitting(findings, from, max);
    struct value some = value_array();

    *args = value_map();
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (value_get(report, facts[i]) != NULL)
            value_set(arena, args, facts[i], *value_get(report, facts[i]));
    }
    for (uint32_t i = 0; i < count; i++)
        value_push(arena, &some, findings->as.items[from + i]);
    value_set(arena, args, "findings", some);
    if (count < findings->count) {
        value_set(arena, args, "from", value_int(from));
        value_set(arena, args, "of", value_int(findings->count));
    }
    return count;
}

struct slice import_part_id(struct arena *arena, struct slice audit, const struct value *args)
{
    struct buf bytes = BUF_EMPTY;
    char *hex = arena_take(arena, 2 * ID_BYTES + 1);
    uint8_t hash[HASH_LEN];

    buf_add_str(&bytes, "rota.import/1\n");
    dmp_put_array(&bytes, 4);
    dmp_put_str(&bytes, audit);
    dmp_put_str(&bytes, value_get_text(args, "sha256"));
    dmp_put_int(&bytes, value_get_int(args, "from", 0));
    dmp_put_int(&bytes, value_get(args, "findings")->count);
    hash_bytes(buf_slice(&bytes), hash);
    hex_encode(slice_of(hash, ID_BYTES), hex);
    buf_release(&bytes);
    return slice_of(hex, 2 * ID_BYTES);
}
