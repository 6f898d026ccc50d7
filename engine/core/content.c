/* content.c - what the engine itself writes into a field and what does not belong into an entry: it becomes a content.
 *
 *     a value of an erasable field         always, however short: only a content can be erased
 *     a long text, a large table           because an entry and a row have limits
 *
 * What people give they have put up as contents before (the digest is part of what they sign). What the engine computes, a
 * rule copies or a tool reports is put away here: bytes and salt go to the store with the run (`run.contents`), and
 * after the leaf that names them in its effects comes a leaf `content.made` whose body names them, so that whoever knows
 * nothing of effects finds each in the journal. The salts come from the question: nobody can guess one, and the same
 * question gives the same leaves.
 */
#include "core/inside.h"

#include "base/check.h"

enum { TABLE_INLINE_MAX = 8192, SALT_LEN = 16 };

bool is_content_ref(const struct value *value)
{
    return value_get_bin(value, "content").len == HASH_LEN &&
           value_is(value_get(value, "size"), VALUE_INT);
}

bool is_empty_value(const struct value *value)
{
    return value == NULL || value->type == VALUE_NIL ||
           ((value->type == VALUE_STR || value->type == VALUE_ARRAY) && value->count == 0) ||
           (is_content_ref(value) && value_get_int(value, "size", 1) == 0);
}

static void next_salt(struct core *core, uint8_t salt[SALT_LEN])
{
    struct slice secret = core->question->salt;
    uint32_t number = core->run->contents.count;
    uint8_t bytes[HASH_LEN], counter[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                                           (uint8_t)(number >> 8), (uint8_t)number};

    check(secret.len == QUESTION_SALT_LEN);
    hash_two(secret, slice_of(counter, sizeof counter), bytes);
    memcpy(salt, bytes, SALT_LEN);
}

static struct value put_away(struct core *core, struct slice bytes)
{
    struct value made = value_map(), reference = value_map();
    uint8_t *salt = arena_take(core->arena, SALT_LEN);
    uint8_t *hash = arena_take(core->arena, HASH_LEN);

    next_salt(core, salt);
    hash_content(salt, bytes, hash);
    value_set(core->arena, &made, "hash", value_bin(hash, HASH_LEN));
    value_set(core->arena, &made, "salt", value_bin(salt, SALT_LEN));
    value_set(core->arena, &made, "data", value_bin(bytes.at, bytes.len));
    value_push(core->arena, &core->run->contents, made);
    state_put_content(core->state, slice_of(hash, HASH_LEN), bytes);
    value_set(core->arena, &reference, "content", value_bin(hash, HASH_LEN));
    value_set(core->arena, &reference, "size", value_int((int64_t)bytes.len));
    return reference;
}

static bool is_listed(const struct value *list, const struct value *reference)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (value_equal(value_get(&list->as.items[i], "content"), value_get(reference, "content")))
            return true;
    }
    return false;
}

static void list_contents(struct arena *arena, const struct value *value, struct value *list)
{
    struct value reference = value_map();

    if (is_content_ref(value) && !is_listed(list, value)) {
        value_set(arena, &reference, "content", *value_get(value, "content"));
        value_set(arena, &reference, "size", *value_get(value, "size"));
        value_push(arena, list, reference);
    }
    for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->count; i++)
        list_contents(arena, &value->as.items[i], list);
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        list_contents(arena, &value->as.pairs[i].value, list);
}

struct value table_holds(struct arena *arena, const struct value *rows)
{
    struct value list = value_array();

    list_contents(arena, rows, &list);
    return list;
}

static struct value put_table_away(struct core *core, const struct field *field,
                                   const struct value *rows)
{
    struct buf bytes = BUF_EMPTY;
    struct value reference = *rows;

    dmp_encode(&bytes, rows);
    if (field->erasable || bytes.len > TABLE_INLINE_MAX) {
        reference =
            put_away(core, slice_of(arena_copy(core->arena, bytes.at, bytes.len), bytes.len));
        if (field_has_files(field))
            value_set(core->arena, &reference, "holds", table_holds(core->arena, rows));
    }
    buf_release(&bytes);
    return reference;
}

bool field_has_files(const struct field *table)
{
    for (int i = 0; i < table->column_count; i++) {
        if (table->columns[i].type == FIELD_FILE)
            return true;
    }
    return false;
}

struct value kept_away(struct core *core, const struct field *field, struct value value)
{
    if (field == NULL || field->list || is_empty_value(&value))
        return value;
    if (field->type == FIELD_TABLE && value.type == VALUE_ARRAY)
        return put_table_away(core, field, &value);
    if (value.type == VALUE_STR &&
        (field->erasable || (field->type == FIELD_LONGTEXT && value.count > INLINE_MAX)))
        return put_away(core, value_slice(&value));
    return value;
}

void fields_keep_away(struct core *core, const struct kind *kind, struct value *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        struct pair *pair = &fields->as.pairs[i];

        pair->value = kept_away(core, kind_field(kind, pair->key), pair->value);
    }
}

int contents_tell(struct core *core, struct slice stream, struct slice record, int64_t cause)
{
    struct author author = run_engine(cause);
    struct value body = value_map(), effects = value_map(), list = value_array();
    struct run *run = core->run;

    for (uint32_t i = core->contents_told; i < run->contents.count; i++) {
        const struct value *made = &run->contents.as.items[i];
        struct value reference = value_map();

        value_set(core->arena, &reference, "content", *value_get(made, "hash"));
        value_set(core->arena, &reference, "size",
                  value_int((int64_t)value_get_bin(made, "data").len));
        value_push(core->arena, &list, reference);
    }
    core->contents_told = run->contents.count;
    value_set(core->arena, &body, "contents", list);
    return run_leaf(core, "content.made",
                    textf(core, "%.*s/contents", (int)stream.len, (const char *)stream.at), record,
                    &author, &body, &effects) < 0
               ? -1
               : 0;
}
