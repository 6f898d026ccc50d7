/* erase.c - texts, files and tables: which record they belong to, how long they are kept, and their end.
 *
 *     a leaf names a content       row content/<hash>/<record>: it is this record's too (or the stream's, if it is about none)
 *                                  row <record>/content/<hash>: the same; `closed`: named after the record had closed
 *     a transition that erases     a leaf `content.redacted` for each content that no other record holds: by the engine, because
 *                                  of that transition; the store takes bytes and salt away in the same transaction
 *
 * What is left: every leaf, so hashes, ids, digests and signatures; the record's row; and what was said about it after it had
 * closed, the reasons for its disposal among it. A content that another record holds stays until that one is disposed of.
 */
#include "core/inside.h"

#include "core/span.h"

enum {
    ERASED_A_RUN = 100,
    HOLDERS_LOOKED_AT = 1000, /* one that more records hold is kept */
    HOLDERS_CLEARED = 50
};

/* ---- whose ---- */

static struct slice holding_key(struct core *core, const char *hex, struct slice holder)
{
    return textf(core, "content/%s/%.*s", hex, (int)holder.len, (const char *)holder.at);
}

static struct slice held_key(struct core *core, struct slice holder, const char *hex)
{
    return textf(core, "%.*s/content/%s", (int)holder.len, (const char *)holder.at, hex);
}

static const char *hex_of(struct core *core, struct slice hash)
{
    char *hex = arena_take(core->arena, 2 * HASH_LEN + 1);

    hex_encode(hash, hex);
    return hex;
}

struct holding { /* who names contents, and when */
    struct slice holder;
    bool is_record, is_closed;
};

static void hold(struct core *core, const struct holding *holding, struct slice hash,
                 struct value *effects)
{
    const char *hex = hex_of(core, hash);
    struct slice key = holding_key(core, hex, holding->holder);
    struct value row = value_map();

    if (key.len > ROW_KEY_MAX || state_row(core->state, key) != NULL ||
        value_find(effects, key) != NULL)
        return;
    value_put(core->arena, effects, key, value_map());
    if (holding->is_closed)
        value_set(core->arena, &row, "closed", value_bool(true));
    if (holding->is_record)
        value_put(core->arena, effects, held_key(core, holding->holder, hex), row);
}

/* Every {content: hash} below a value. */
static void hold_all(struct core *core, const struct holding *holding, const struct value *value,
                     struct value *effects)
{
    struct slice hash = value_get_bin(value, "content");

    if (hash.len == HASH_LEN)
        hold(core, holding, hash, effects);
    if (value->type == VALUE_MAP) {
        for (uint32_t i = 0; i < value->count; i++)
            hold_all(core, holding, &value->as.pairs[i].value, effects);
    } else if (value->type == VALUE_ARRAY) {
        for (uint32_t i = 0; i < value->count; i++)
            hold_all(core, holding, &value->as.items[i], effects);
    }
}

void contents_hold(struct core *core, struct slice stream, struct slice record,
                   const struct value *body, struct value *effects)
{
    struct holding holding = {record.len > 0 ? record : stream, record.len > 0, false};
    const struct value *fields = value_get(value_get(effects, ""), "fields");

    holding.is_closed = holding.is_record &&
                        slice_is(value_get_text(state_row(core->state, record), "stage"), "closed");
    hold_all(core, &holding, body, effects);
    if (fields != NULL)
        hold_all(core, &holding, fields, effects);
}

/* Does anything hold this content that has not been disposed of? */
static bool is_held(struct core *core, const char *hex, struct slice record, struct value *holders)
{
    struct slice prefix = textf(core, "content/%s/", hex);
    bool is_whole = state_rows(core->state, prefix, HOLDERS_LOOKED_AT, holders);

    for (uint32_t i = 0; is_whole && i < holders->count; i++) {
        struct slice key = value_get_text(&holders->as.items[i], "key");
        struct slice holder = slice_of(key.at + prefix.len, key.len - prefix.len);

        if (!slice_equal(holder, record) &&
            value_get(state_row(core->state, holder), "disposed") == NULL)
            return true;
    }
    return !is_whole;
}

/* ---- how long ---- */

static const struct pack *pack_of(struct core *core, const struct subject *subject,
                                  const struct value *own)
{
    return core_pack(core, value_get_bin(subject->row != NULL ? subject->row : own, "pack"));
}

static bool is_closed_state(const struct subject *subject)
{
    const struct state *state = kind_state(subject->kind, value_get_text(subject->row, "state"));

    return state != NULL && state->is_closed;
}

/* The day until which a record is kept that closed at this moment. */
struct value kept_until(struct core *core, const struct retention *rule, const struct value *row,
                        int64_t closed_ms)
{
    const struct calendar *calendar = calendar_of(core);
    int64_t from_ms = rule->from_opening ? value_get_int(row, "created_ms", closed_ms) : closed_ms;
    char *text = arena_take(core->arena, DATE_TEXT_LEN + 1);

    date_format(calendar_date(calendar, span_after(calendar, from_ms, &rule->keeps)), text);
    return value_str(text);
}

void put_retention(struct core *core, struct move *move, const struct state *to)
{
    const struct subject *subject = &move->subject;
    const struct pack *pack = pack_of(core, subject, &move->own);
    const struct retention *rule = pack_retention(pack, subject->kind->retention);

    if (rule == NULL || kind_field(subject->kind, slice_str("retain_until")) == NULL ||
        (subject->row != NULL && is_closed_state(subject)) == to->is_closed)
        return;
    value_set(core->arena, &move->own, "closed_ms",
              to->is_closed ? value_int(core->now_ms) : VALUE_NONE);
    value_set(core->arena, value_sub(core->arena, &move->own, slice_str("fields")), "retain_until",
              to->is_closed ? kept_until(core, rule, subject->row, core->now_ms) : VALUE_NONE);
}

/* Until when what a field names keeps the record: a person who is here, a record that is open; the moment if it is known. */
static bool still_keeps(struct core *core, const struct retention *rule, const struct field *field,
                        struct slice name, int64_t *until_ms)
{
    const struct value *person, *row;
    int64_t left_ms;

    if (field->type == FIELD_PERSON) {
        person = authority_person(core, name);
        left_ms = value_get_int(person, "not_after", INT64_MAX);
        if (person == NULL || value_get(person, "roles") == NULL)
            return false;
    } else {
        row = state_row(core->state, name);
        left_ms = slice_is(value_get_text(row, "stage"), "closed")
                      ? value_get_int(row, "closed_ms", value_get_int(row, "entered_ms", 0))
                      : INT64_MAX;
        if (row == NULL || value_get(row, "disposed") != NULL)
            return false;
    }
    *until_ms = left_ms == INT64_MAX ? -1 : span_after(calendar_of(core), left_ms, &rule->keeps);
    return *until_ms < 0 || *until_ms > core->now_ms;
}

static int check_kept_while(struct core *core, const struct subject *subject,
                            const struct retention *rule)
{
    for (int i = 0; i < subject->kind->kept_while.count; i++) {
        const struct field *field =
            kind_field(subject->kind, slice_str(subject->kind->kept_while.at[i]));
        struct slice name = value_slice(record_field(subject, field->name));
        int64_t until_ms = -1;
        char date[DATE_TEXT_LEN + 1];

        if (name.len == 0 || !still_keeps(core, rule, field, name, &until_ms))
            continue;
        if (until_ms < 0)
            return run_refuse(core, 422, "guard-failed",
                              "%.*s is kept as long as %.*s is %s, and after that (%s: %s).",
                              (int)subject->id.len, (const char *)subject->id.at, (int)name.len,
                              (const char *)name.at, field->type == FIELD_PERSON ? "here" : "open",
                              rule->name, rule->says);
        date_format(calendar_date(calendar_of(core), until_ms), date);
        return run_refuse(core, 422, "guard-failed", "%.*s is kept until %s, because of %.*s (%s).",
                          (int)subject->id.len, (const char *)subject->id.at, date, (int)name.len,
                          (const char *)name.at, rule->name);
    }
    return 0;
}

int guard_erasing(struct core *core, const struct subject *subject)
{
    const struct retention *rule =
        pack_retention(pack_of(core, subject, NULL), subject->kind->retention);
    struct slice until = value_slice(record_field(subject, "retain_until"));
    int32_t date;

    if (value_get_bool(value_get(subject->row, "fields"), "legal_hold", false))
        return run_refuse(core, 422, "guard-failed",
                          "%.*s is under a legal hold: nothing of it is erased before the hold is "
                          "released.",
                          (int)subject->id.len, (const char *)subject->id.at);
    if (rule == NULL || date_parse(until, &date) != 0)
        return run_refuse(core, 422, "guard-failed",
                          "Nothing says until when %.*s is kept, so nothing of it is erased.",
                          (int)subject->id.len, (const char *)subject->id.at);
    if (today_of(core) < date)
        return run_refuse(core, 422, "guard-failed", "%.*s is kept until %.*s (%s: %s).",
                          (int)subject->id.len, (const char *)subject->id.at, (int)until.len,
                          (const char *)until.at, rule->name, rule->says);
    return check_kept_while(core, subject, rule);
}

/* ---- the end ---- */

static int erase_one(struct core *core, const struct value *facts, struct slice record,
                     const char *hex, int64_t cause, const struct value *holders)
{
    uint8_t *hash = arena_take(core->arena, HASH_LEN);
    struct value effects = value_map(), own = value_map(), body = value_map();
    struct author author = run_engine(cause);

    hex_decode(hex, hash, HASH_LEN);
    value_set(core->arena, &body, "hash", value_bin(hash, HASH_LEN));
    value_set(core->arena, &body, "record", value_text(record));
    value_set(core->arena, &own, "erased", *facts);
    value_set(core->arena, &effects, "", own);
    for (uint32_t i = 0; i < holders->count && i < HOLDERS_CLEARED; i++) {
        struct slice key = value_get_text(&holders->as.items[i], "key");
        size_t prefix = strlen("content/") + 2 * HASH_LEN + 1;

        value_put(core->arena, &effects, key, VALUE_NONE);
        value_put(core->arena, &effects,
                  held_key(core, slice_of(key.at + prefix, key.len - prefix), hex), VALUE_NONE);
    }
    value_push(core->arena, &core->run->erased, value_bin(hash, HASH_LEN));
    return run_leaf(core, "content.redacted", textf(core, "content/%s", hex), record, &author,
                    &body, &effects) < 0
               ? -1
               : 0;
}

/* The record's contents that nothing else holds, as hexadecimal: those that go. */
static struct value to_erase(struct core *core, struct slice record, int64_t *kept)
{
    struct value rows, holders, list = value_array();
    struct slice prefix = textf(core, "%.*s/content/", (int)record.len, (const char *)record.at);

    state_rows(core->state, prefix, UINT32_MAX, &rows);
    *kept = 0;
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        struct slice hex = slice_of(key.at + prefix.len, key.len - prefix.len);

        if (value_get_bool(value_get(&rows.as.items[i], "row"), "closed", false))
            continue;
        if (is_held(core, (const char *)keep_text(core, hex).at, record, &holders))
            ++*kept;
        else
            value_push(core->arena, &list, value_text(keep_text(core, hex)));
    }
    return list;
}

/* Who, when, by which event and rule, why if they said so; how many contents go, and how many others hold. */
void put_disposed(struct core *core, struct move *move)
{
    struct value facts = value_map(), list;
    int64_t kept;

    list = to_erase(core, move->subject.id, &kept);
    value_set(core->arena, &facts, "by", value_text(move->author.actor));
    value_set(core->arena, &facts, "event", value_str(move->transition->event));
    value_set(core->arena, &facts, "at_ms", value_int(core->now_ms));
    value_set(core->arena, &facts, "erased", value_int(list.count));
    value_set(core->arena, &facts, "kept", value_int(kept));
    if (move->subject.kind->retention != NULL)
        value_set(core->arena, &facts, "rule", value_str(move->subject.kind->retention));
    if (value_get(move->args, "reason") != NULL)
        value_set(core->arena, &facts, "reason", *value_get(move->args, "reason"));
    value_set(core->arena, &move->own, "disposed", facts);
}

/* So many in this run, the rest in runs that follow in the same transaction. */
static int erase_some(struct core *core, struct slice record, int64_t cause,
                      const struct value *list)
{
    static const char *const facts[] = {"by", "event", "at_ms"};
    const struct value *disposed = value_get(state_row(core->state, record), "disposed");
    struct value why = value_map(), rest = value_array(), args = value_map(), holders;

    value_set(core->arena, &why, "record", value_text(record));
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        value_set(core->arena, &why, facts[i], *value_get(disposed, facts[i]));
    for (uint32_t i = 0; i < list->count; i++) {
        const char *hex = (const char *)keep_text(core, value_slice(&list->as.items[i])).at;

        if (i >= ERASED_A_RUN)
            value_push(core->arena, &rest, list->as.items[i]);
        else if (!is_held(core, hex, record, &holders) &&
                 erase_one(core, &why, record, hex, cause, &holders) != 0)
            return -1;
    }
    if (rest.count == 0)
        return 0;
    value_set(core->arena, &args, "contents", rest);
    run_follow_rest(core, record, "erase", cause, &args);
    return 0;
}

int contents_erase(struct core *core, struct slice record, int64_t cause)
{
    int64_t kept;
    struct value list = to_erase(core, record, &kept);

    return erase_some(core, record, cause, &list);
}

int contents_erase_more(struct core *core, const struct question *question)
{
    const struct value *list = value_get(value_get(question->follow, "args"), "contents");

    return erase_some(core, value_get_text(question->follow, "record"),
                      value_get_int(question->follow, "cause", 0), list);
}
