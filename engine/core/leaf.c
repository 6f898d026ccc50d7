#include "core/leaf.h"

#include "base/check.h"

enum { LEAF_PARTS = 14 };

static void put_optional_bin(struct buf *out, struct slice bytes)
{
    if (bytes.len == 0)
        dmp_put_nil(out);
    else
        dmp_put_bin(out, bytes);
}

void leaf_encode(struct buf *out, const struct leaf *leaf)
{
    dmp_put_array(out, LEAF_PARTS);
    dmp_put_str(out, slice_str(LEAF_TAG));
    dmp_put_int(out, (int64_t)leaf->seq);
    dmp_put_int(out, leaf->time_us);
    dmp_put_str(out, leaf->type);
    dmp_put_str(out, leaf->stream);
    dmp_put_int(out, (int64_t)leaf->rev);
    dmp_put_str(out, leaf->actor);
    dmp_put_array(out, 2);
    dmp_put_str(out, leaf->auth_method);
    put_optional_bin(out, leaf->auth_key);
    dmp_put_bin(out, slice_of(leaf->command_id, COMMAND_ID_LEN));
    if (leaf->cause < 0)
        dmp_put_nil(out);
    else
        dmp_put_int(out, leaf->cause);
    dmp_encode(out, &leaf->body);
    dmp_encode(out, &leaf->effects);
    dmp_encode(out, &leaf->content);
    put_optional_bin(out, leaf->actor_sig);
}

static bool is_text(const struct value *value, size_t max)
{
    return value->type == VALUE_STR && value->count > 0 && value->count <= max &&
           memchr(value->as.text, '\0', value->count) == NULL;
}

static bool is_count(const struct value *value)
{
    return value->type == VALUE_INT && value->as.number >= 0;
}

static bool is_bin(const struct value *value, uint32_t len)
{
    return value->type == VALUE_BIN && value->count == len;
}

static bool is_content(const struct value *value)
{
    if (value->type == VALUE_NIL || is_bin(value, HASH_LEN))
        return true;
    if (value->type != VALUE_ARRAY || value->count < 1 || value->count > LEAF_CONTENTS_MAX)
        return false;
    for (uint32_t i = 0; i < value->count; i++) {
        if (!is_bin(&value->as.items[i], HASH_LEN))
            return false;
    }
    return true;
}

static bool is_auth(const struct value *value)
{
    return value->type == VALUE_ARRAY && value->count == 2 && is_text(&value->as.items[0], 32) &&
           (value->as.items[1].type == VALUE_NIL || is_bin(&value->as.items[1], HASH_LEN));
}

static const char *fault_of(const struct value *part)
{
    if (part[0].type != VALUE_STR || !slice_is(value_slice(&part[0]), LEAF_TAG))
        return "tag";
    if (!is_count(&part[1]))
        return "seq";
    if (!is_count(&part[2]))
        return "time_us";
    if (!is_text(&part[3], LEAF_TYPE_MAX))
        return "type";
    if (!is_text(&part[4], LEAF_STREAM_MAX))
        return "stream";
    if (!is_count(&part[5]) || part[5].as.number == 0)
        return "rev";
    if (!is_text(&part[6], LEAF_ACTOR_MAX))
        return "actor";
    if (!is_auth(&part[7]))
        return "auth";
    if (!is_bin(&part[8], COMMAND_ID_LEN))
        return "command_id";
    if (part[9].type != VALUE_NIL && !is_count(&part[9]))
        return "cause";
    if (part[10].type != VALUE_MAP)
        return "body";
    if (part[11].type != VALUE_NIL && part[11].type != VALUE_MAP)
        return "effects";
    if (!is_content(&part[12]))
        return "content";
    if (part[13].type != VALUE_NIL && !is_bin(&part[13], SIGNATURE_LEN))
        return "actor_sig";
    return NULL;
}

int leaf_decode(struct arena *arena, struct slice raw, struct leaf *out, struct error *err)
{
    struct value whole = VALUE_NONE;
    const struct value *part;
    const char *fault;

    if (dmp_decode(arena, raw, &whole, err) != 0)
        return -1;
    if (whole.type != VALUE_ARRAY || whole.count != LEAF_PARTS)
        return error_set(err, ERROR_INPUT, "a leaf is an array of %d values", LEAF_PARTS);
    part = whole.as.items;
    fault = fault_of(part);
    if (fault != NULL)
        return error_set(err, ERROR_INPUT, "the leaf's field %s is wrong", fault);
    out->seq = (uint64_t)part[1].as.number;
    out->time_us = part[2].as.number;
    out->type = value_slice(&part[3]);
    out->stream = value_slice(&part[4]);
    out->rev = (uint64_t)part[5].as.number;
    out->actor = value_slice(&part[6]);
    out->auth_method = value_slice(&part[7].as.items[0]);
    out->auth_key = value_slice(&part[7].as.items[1]);
    memcpy(out->command_id, part[8].as.bytes, COMMAND_ID_LEN);
    out->cause = part[9].type == VALUE_NIL ? -1 : part[9].as.number;
    out->body = part[10];
    out->effects = part[11];
    out->content = part[12];
    out->actor_sig = value_slice(&part[13]);
    return 0;
}

/* ---- contents ---- */

static bool is_named(const struct value *list, struct slice hash)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (slice_equal(value_slice(&list->as.items[i]), hash))
            return true;
    }
    return false;
}

static int collect(struct arena *arena, const struct value *value, struct value *list)
{
    if (value->type == VALUE_ARRAY) {
        for (uint32_t i = 0; i < value->count; i++) {
            if (collect(arena, &value->as.items[i], list) != 0)
                return -1;
        }
    }
    if (value->type != VALUE_MAP)
        return 0;
    for (uint32_t i = 0; i < value->count; i++) {
        const struct pair *pair = &value->as.pairs[i];

        if (slice_is(pair->key, "content") && is_bin(&pair->value, HASH_LEN)) {
            if (is_named(list, value_slice(&pair->value)))
                continue;
            if (list->count == LEAF_CONTENTS_MAX)
                return -1;
            value_push(arena, list, pair->value);
        } else if (collect(arena, &pair->value, list) != 0) {
            return -1;
        }
    }
    return 0;
}

int leaf_contents(struct arena *arena, const struct value *body, struct value *out)
{
    struct value list = value_array();

    if (collect(arena, body, &list) != 0)
        return -1;
    *out = list.count == 0 ? VALUE_NONE : list.count == 1 ? list.as.items[0] : list;
    return 0;
}

void leaf_command_message(struct buf *out, struct slice origin,
                          const uint8_t command_id[COMMAND_ID_LEN], struct slice type,
                          struct slice stream, uint64_t rev_before, struct slice actor,
                          const struct value *body, const struct value *content)
{
    buf_add_str(out, "rota.command/1\n");
    dmp_put_array(out, 8);
    dmp_put_str(out, origin);
    dmp_put_bin(out, slice_of(command_id, COMMAND_ID_LEN));
    dmp_put_str(out, type);
    dmp_put_str(out, stream);
    dmp_put_int(out, (int64_t)rev_before);
    dmp_put_str(out, actor);
    dmp_encode(out, body);
    dmp_encode(out, content);
}
