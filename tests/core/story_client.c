#include "core/story_client.h"

#include "base/dmp.h"
#include "simulate/memory.h"

#include <string.h>

enum {
    LARGE = 16384
}; /* rota puts tables up from 1 KiB on; a walk compares them as they were written */

static struct value put_up(struct story *story, struct slice bytes)
{
    struct value reference = value_map();
    uint8_t *hash = arena_take(story_arena(story), HASH_LEN);

    (void)hex_decode(story_put_up(story, bytes), hash, HASH_LEN);
    value_set(story_arena(story), &reference, "content", value_bin(hash, HASH_LEN));
    value_set(story_arena(story), &reference, "size", value_int((int64_t)bytes.len));
    return reference;
}

static void put_up_field(struct story *story, const struct field *field, struct value *value)
{
    struct buf bytes = BUF_EMPTY;

    if (field == NULL || value->count == 0)
        return;
    if (value->type == VALUE_STR && field->erasable)
        *value = put_up(story, value_slice(value));
    if (value->type != VALUE_ARRAY || field->type != FIELD_TABLE)
        return;
    dmp_encode(&bytes, value);
    if (field->erasable || bytes.len > LARGE)
        *value = put_up(story, buf_slice(&bytes));
    buf_release(&bytes);
}

static void put_up_all(struct story *story, const struct kind *kind, struct value *fields)
{
    for (uint32_t i = 0; value_is(fields, VALUE_MAP) && i < fields->count; i++)
        put_up_field(story, kind_field(kind, fields->as.pairs[i].key), &fields->as.pairs[i].value);
}

static const struct kind *kind_of_record(struct story *story, const char *record)
{
    const struct value *row = record != NULL ? story_row(story, record) : NULL;
    struct slice latest = value_get_text(row, "latest");
    const struct pack *pack;

    if (latest.len > 0)
        row = story_row(story, arena_printf(story_arena(story), "%s@%.*s", record, (int)latest.len,
                                            (const char *)latest.at));
    pack = core_pack(story_core(story), value_get_bin(row, "pack"));
    return pack != NULL ? pack_kind(pack, value_get_text(row, "kind")) : NULL;
}

void client_put_up(struct story *story, const char *event, const char *record, struct value *args)
{
    const struct kind *kind =
        strcmp(event, "open") == 0
            ? pack_kind(core_current_pack(story_core(story)), value_get_text(args, "kind"))
            : kind_of_record(story, record);

    if (kind == NULL)
        return;
    put_up_all(story, kind, value_at(args, slice_str("fields")));
    put_up_all(story, kind, value_at(args, slice_str("set")));
    if (record != NULL)
        put_up_all(story, kind, args);
}

struct value client_read(struct story *story, const char *kind, const char *field,
                         const struct value *value)
{
    const struct pack *pack = core_current_pack(story_core(story));
    const struct field *about = kind_field(pack_kind(pack, slice_str(kind)), slice_str(field));
    struct slice hash = value_get_bin(value, "content");
    struct slice bytes;
    struct value rows;

    if (hash.len != HASH_LEN || about == NULL || about->list || about->type == FIELD_FILE)
        return *value;
    bytes = state_content(core_state(story_core(story)), hash);
    bytes = slice_of(arena_copy(story_arena(story), bytes.at, bytes.len), bytes.len);
    if (about->type != FIELD_TABLE)
        return value_text(bytes);
    return dmp_decode_large(story_arena(story), bytes, UINT32_MAX, &rows, NULL) == 0 ? rows
                                                                                     : *value;
}
