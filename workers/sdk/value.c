#include "sdk/inside.h"

#include "base/dmp.h"
#include "wire/body.h"
#include "wire/json.h"

#include <stdlib.h>

enum { POINTER_PART_MAX = 256 };

enum rota_type rota_type(const struct rota_value *value)
{
    static const enum rota_type types[] = {
        [VALUE_NIL] = ROTA_NIL,  [VALUE_BOOL] = ROTA_BOOL, [VALUE_INT] = ROTA_INT,
        [VALUE_STR] = ROTA_TEXT, [VALUE_BIN] = ROTA_BYTES, [VALUE_ARRAY] = ROTA_LIST,
        [VALUE_MAP] = ROTA_MAP};

    return value == NULL ? ROTA_NIL : types[value_in(value)->type];
}

/* The next part of a JSON pointer, "~1" and "~0" undone; false at its end or where it is malformed.
 * */
static bool next_part(const char **pointer, char part[POINTER_PART_MAX], size_t *len)
{
    const char *at = *pointer;
    size_t n = 0;

    if (*at != '/')
        return false;
    for (at++; *at != '\0' && *at != '/'; at++) {
        if (n + 1 >= POINTER_PART_MAX)
            return false;
        part[n++] = *at;
        if (*at == '~' && (at[1] == '0' || at[1] == '1'))
            part[n - 1] = *++at == '0' ? '~' : '/';
    }
    part[n] = '\0';
    *len = n;
    *pointer = at;
    return true;
}

static bool index_of(const char *part, uint32_t count, uint32_t *index)
{
    char *end;
    unsigned long number;

    if (part[0] < '0' || part[0] > '9' || (part[0] == '0' && part[1] != '\0'))
        return false;
    number = strtoul(part, &end, 10);
    if (*end != '\0' || number >= count)
        return false;
    *index = (uint32_t)number;
    return true;
}

const struct rota_value *rota_at(const struct rota_value *value, const char *pointer)
{
    const struct value *here = value_in(value);
    char part[POINTER_PART_MAX];
    uint32_t index;
    size_t len;

    while (here != NULL && *pointer != '\0') {
        if (!next_part(&pointer, part, &len))
            return NULL;
        if (here->type == VALUE_MAP)
            here = value_find(here, slice_of(part, len));
        else if (here->type == VALUE_ARRAY && index_of(part, here->count, &index))
            here = &here->as.items[index];
        else
            here = NULL;
    }
    return value_out(here);
}

const char *rota_text(const struct rota_value *value, const char *pointer, const char *fallback)
{
    const struct value *found = value_in(rota_at(value, pointer));

    return value_is(found, VALUE_STR) ? found->as.text : fallback;
}

int64_t rota_int(const struct rota_value *value, const char *pointer, int64_t fallback)
{
    const struct value *found = value_in(rota_at(value, pointer));

    return value_is(found, VALUE_INT) ? found->as.number : fallback;
}

bool rota_bool(const struct rota_value *value, const char *pointer, bool fallback)
{
    const struct value *found = value_in(rota_at(value, pointer));

    return value_is(found, VALUE_BOOL) ? found->as.number != 0 : fallback;
}

const unsigned char *rota_bytes(const struct rota_value *value, const char *pointer, size_t *len)
{
    const struct value *found = value_in(rota_at(value, pointer));

    *len = 0;
    if (!value_is(found, VALUE_BIN))
        return NULL;
    *len = found->count;
    return found->as.bytes;
}

size_t rota_count(const struct rota_value *value)
{
    const struct value *here = value_in(value);

    return value_is(here, VALUE_ARRAY) || value_is(here, VALUE_MAP) ? here->count : 0;
}

const struct rota_value *rota_item(const struct rota_value *value, size_t index)
{
    const struct value *here = value_in(value);

    if (index >= rota_count(value))
        return NULL;
    return value_out(here->type == VALUE_MAP ? &here->as.pairs[index].value
                                             : &here->as.items[index]);
}

const char *rota_key(const struct rota_value *map, size_t index)
{
    const struct value *here = value_in(map);

    if (!value_is(here, VALUE_MAP) || index >= here->count)
        return NULL;
    return (const char *)here->as.pairs[index].key.at;
}

char *rota_json(const struct rota_value *value)
{
    struct buf text = BUF_EMPTY;

    value_to_json(&text, value == NULL ? &VALUE_NONE : value_in(value), false);
    buf_add_byte(&text, '\0');
    return (char *)text.at;
}

bool value_is_shallow(const struct value *value, int depth_max)
{
    if (value->type != VALUE_ARRAY && value->type != VALUE_MAP)
        return true;
    for (uint32_t i = 0; depth_max > 0 && i < value->count; i++) {
        const struct value *item =
            value->type == VALUE_ARRAY ? &value->as.items[i] : &value->as.pairs[i].value;

        if (!value_is_shallow(item, depth_max - 1))
            return false;
    }
    return depth_max > 0;
}

struct rota_doc *doc_of(const struct value *value)
{
    struct rota_doc *doc = rota_doc_new();

    doc->root = value_copy(&doc->arena, value);
    return doc;
}

struct rota_doc *rota_doc_new(void)
{
    struct rota_doc *doc = calloc(1, sizeof *doc);

    if (doc == NULL)
        abort();
    doc->root = value_map();
    return doc;
}

int rota_doc_parse(const char *json, size_t len, struct rota_doc **out, struct rota_error *err)
{
    struct arena arena = ARENA_EMPTY;
    struct value value = VALUE_NONE;
    struct error cause = {ERROR_NONE, ""};
    int rc = json_to_value(&arena, slice_of(json, len), BODY_DEPTH_MAX, &value, &cause);

    if (rc == 0)
        *out = doc_of(&value);
    else
        fail_as(err, &cause);
    arena_release(&arena);
    return rc;
}

void rota_doc_free(struct rota_doc **doc)
{
    if (doc == NULL || *doc == NULL)
        return;
    arena_release(&(*doc)->arena);
    free(*doc);
    *doc = NULL;
}

const struct rota_value *rota_doc_value(const struct rota_doc *doc)
{
    return doc == NULL ? NULL : value_out(&doc->root);
}

/* The place where one more part leads: a map's pair or a list's item, made where it is not there.
 * */
static struct value *step_into(struct rota_doc *doc, struct value *here, const char *part,
                               size_t len)
{
    uint32_t index;

    if (here->type == VALUE_NIL)
        *here = strcmp(part, "-") == 0 ? value_array() : value_map();
    if (here->type == VALUE_ARRAY) {
        if (index_of(part, here->count, &index))
            return &here->as.items[index];
        if (strcmp(part, "-") != 0)
            return NULL;
        value_push(&doc->arena, here, VALUE_NONE);
        return &here->as.items[here->count - 1];
    }
    if (here->type != VALUE_MAP)
        return NULL;
    if (value_at(here, slice_of(part, len)) == NULL)
        value_put(&doc->arena, here, slice_of(arena_copy(&doc->arena, part, len), len), VALUE_NONE);
    return value_at(here, slice_of(part, len));
}

static int put(struct rota_doc *doc, const char *pointer, const struct value *value)
{
    struct value copy = value_copy(&doc->arena, value), *here = &doc->root;
    char part[POINTER_PART_MAX];
    size_t len;

    while (here != NULL && *pointer != '\0') {
        if (!next_part(&pointer, part, &len) || !utf8_is_valid(slice_of(part, len)))
            return -1;
        here = step_into(doc, here, part, len);
    }
    if (here == NULL)
        return -1;
    *here = copy;
    return 0;
}

int rota_put_text(struct rota_doc *doc, const char *pointer, const char *text)
{
    struct value value = value_str(text);

    return utf8_is_valid(value_slice(&value)) ? put(doc, pointer, &value) : -1;
}

int rota_put_int(struct rota_doc *doc, const char *pointer, int64_t number)
{
    struct value value = value_int(number);

    return put(doc, pointer, &value);
}

int rota_put_bool(struct rota_doc *doc, const char *pointer, bool truth)
{
    struct value value = value_bool(truth);

    return put(doc, pointer, &value);
}

int rota_put_bytes(struct rota_doc *doc, const char *pointer, const void *at, size_t len)
{
    struct value value;

    if (len > UINT32_MAX)
        return -1;
    value = value_bin(at, len);
    return put(doc, pointer, &value);
}

int rota_put_value(struct rota_doc *doc, const char *pointer, const struct rota_value *value)
{
    return put(doc, pointer, value == NULL ? &VALUE_NONE : value_in(value));
}
