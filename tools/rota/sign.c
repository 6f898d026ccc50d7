/* sign.c - the tuple that a person signs. */
#include "sign.h"

#include "base/dmp.h"

static const char prefix[] = "rota.command/1\n";

static bool is_reference(const struct value *value)
{
    const struct value *content = value_get(value, "content");

    return value_is(content, VALUE_BIN) && content->count == HASH_LEN &&
           value_is(value_get(value, "size"), VALUE_INT);
}

static bool is_known(const struct value *list, const struct value *hash)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (value_equal(&list->as.items[i], hash))
            return true;
    return false;
}

static void collect(struct arena *arena, const struct value *value, struct value *list)
{
    if (is_reference(value) && !is_known(list, value_get(value, "content")))
        value_push(arena, list, *value_get(value, "content"));
    if (value->type == VALUE_MAP)
        for (uint32_t i = 0; i < value->count; i++)
            collect(arena, &value->as.pairs[i].value, list);
    if (value->type == VALUE_ARRAY)
        for (uint32_t i = 0; i < value->count; i++)
            collect(arena, &value->as.items[i], list);
}

int sign_content(struct arena *arena, const struct value *body, struct value *out,
                 struct error *err)
{
    struct value list = value_array();

    collect(arena, body, &list);
    if (list.count > SIGN_CONTENT_MAX)
        return error_set(err, ERROR_INPUT, "%u texts and files in one command; at most %d",
                         list.count, SIGN_CONTENT_MAX);
    *out = list.count == 0 ? VALUE_NONE : list.count == 1 ? list.as.items[0] : list;
    return 0;
}

int sign_bytes(struct buf *out, const struct sign_tuple *tuple, struct error *err)
{
    struct arena arena = ARENA_EMPTY;
    struct value content;
    int result = sign_content(&arena, tuple->body, &content, err);

    if (result == 0) {
        buf_add_str(out, prefix);
        dmp_put_array(out, 8);
        dmp_put_str(out, tuple->origin);
        dmp_put_bin(out, slice_of(tuple->command_id, sizeof tuple->command_id));
        dmp_put_str(out, tuple->type);
        dmp_put_str(out, tuple->stream);
        dmp_put_int(out, tuple->rev);
        dmp_put_str(out, tuple->actor);
        dmp_encode(out, tuple->body);
        dmp_encode(out, &content);
    }
    arena_release(&arena);
    return result;
}

int sign_tuple(const struct sign_tuple *tuple, const uint8_t seed[SIGN_SEED_LEN],
               uint8_t signature[SIGNATURE_LEN], struct error *err)
{
    struct buf bytes = BUF_EMPTY;
    int result = sign_bytes(&bytes, tuple, err);

    if (result == 0)
        sign_message(seed, buf_slice(&bytes), signature);
    buf_release(&bytes);
    return result;
}
