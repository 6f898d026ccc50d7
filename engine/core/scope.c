/* scope.c - what a condition or a template sees of the state. */
#include "core/inside.h"

const struct calendar *calendar_of(struct core *core)
{
    const struct pack *pack = core_current_pack(core);

    return pack != NULL ? &pack->calendar : NULL;
}

int32_t today_of(struct core *core)
{
    const struct calendar *calendar = calendar_of(core);

    return zone_date(calendar != NULL && calendar->zone != NULL ? calendar->zone : zone_utc(),
                     core->now_ms);
}

struct value inlined(struct core *core, const struct field *field, const struct value *value)
{
    struct slice hash = value_get_bin(value, "content");
    struct slice bytes;
    struct value table = VALUE_NONE;

    if (hash.len != HASH_LEN || field->list ||
        (field->type != FIELD_TABLE && field->type != FIELD_LONGTEXT))
        return *value;
    bytes = state_content(core->state, hash);
    if (field->type == FIELD_LONGTEXT)
        return value_text(bytes);
    if (dmp_decode_large(core->arena, bytes, UINT32_MAX, &table, NULL) != 0)
        return value_array();
    return table;
}

static void put_fields(struct core *core, const struct kind *kind, const struct value *fields,
                       bool inline_them, struct value *out)
{
    for (uint32_t i = 0; value_is(fields, VALUE_MAP) && i < fields->count; i++) {
        const struct pair *pair = &fields->as.pairs[i];
        const struct field *field = kind != NULL ? kind_field(kind, pair->key) : NULL;

        value_put(core->arena, out, pair->key,
                  inline_them && field != NULL ? inlined(core, field, &pair->value) : pair->value);
    }
}

static const char *const row_facts[] = {"kind",  "title", "version", "state",
                                        "stage", "owner", "author",  "phase"};

static struct value record_scope(struct core *core, const struct subject *subject, bool inline_them)
{
    struct value record = value_map();

    put_fields(core, subject->kind, value_get(subject->row, "fields"), inline_them, &record);
    value_set(core->arena, &record, "id", value_text(subject->id));
    for (size_t i = 0; i < sizeof row_facts / sizeof row_facts[0]; i++) {
        const struct value *fact = value_get(subject->row, row_facts[i]);

        if (fact != NULL)
            value_set(core->arena, &record, row_facts[i], *fact);
    }
    return record;
}

static struct value links_scope(struct core *core, const struct subject *subject, bool inline_them)
{
    const struct value *links = value_get(subject->row, "links");
    struct value by_kind = value_map();

    for (uint32_t i = 0; value_is(links, VALUE_MAP) && i < links->count; i++) {
        struct subject other;
        struct value item, *list;
        struct slice kind;

        if (!subject_find(core, links->as.pairs[i].key, &other))
            continue;
        item = record_scope(core, &other, inline_them);
        kind = slice_str(other.kind->name);
        list = value_at(&by_kind, kind);
        if (list == NULL) {
            value_put(core->arena, &by_kind, kind, value_array());
            list = value_at(&by_kind, kind);
        }
        value_push(core->arena, list, item);
    }
    return by_kind;
}

/* valid.<kind>: every valid version of that document kind, one a document. */
static struct value valid_scope(struct core *core, bool inline_them)
{
    struct value rows, by_kind = value_map();

    state_rows(core->state, slice_str("valid/"), KINDS_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        const struct value *ids = value_get(value_get(&rows.as.items[i], "row"), "records");
        struct value list = value_array();

        for (uint32_t k = 0; value_is(ids, VALUE_MAP) && k < ids->count; k++) {
            struct subject other;

            if (subject_find(core, value_slice(&ids->as.pairs[k].value), &other))
                value_push(core->arena, &list, record_scope(core, &other, inline_them));
        }
        value_put(core->arena, &by_kind, slice_of(key.at + 6, key.len - 6), list);
    }
    return by_kind;
}

static struct value round_scope(struct core *core, const struct subject *subject)
{
    const struct value *votes = value_get(subject->round, "votes");
    const struct value *ask = value_get(subject->round, "ask");
    struct value round = value_map();
    int64_t granted = 0, refused = 0;

    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++) {
        granted += slice_is(value_slice(&votes->as.pairs[i].value), "grant");
        refused += slice_is(value_slice(&votes->as.pairs[i].value), "refuse");
    }
    value_set(core->arena, &round, "n", value_int(value_get_int(subject->round, "n", 0)));
    value_set(core->arena, &round, "need", value_int(value_get_int(subject->round, "need", 0)));
    value_set(core->arena, &round, "granted", value_int(granted));
    value_set(core->arena, &round, "refused", value_int(refused));
    value_set(core->arena, &round, "asked", value_int(ask != NULL ? ask->count : 0));
    return round;
}

/* Rows beside the record, as conditions name them. */
static struct value beside_scope(struct core *core, const struct subject *subject, const char *what)
{
    static const char *const names[][2] = {{"state", "state"}, {"person", "person"},
                                           {"to", "to"},       {"to", "to"},
                                           {"at_ms", "at"},    {"note", "note"}};
    struct value rows, list = value_array();

    state_rows(core->state,
               textf(core, "%.*s/%s/", (int)subject->id.len, (const char *)subject->id.at, what),
               UINT32_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");
        struct value item = value_map();

        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            const struct value *fact = value_get(row, names[n][0]);

            if (fact != NULL)
                value_set(core->arena, &item, names[n][1], *fact);
        }
        value_push(core->arena, &list, item);
    }
    return list;
}

/* Everyone who was asked to acknowledge, and what they have done: {person, state, at}. */
struct value acks_of(struct core *core, const struct subject *subject)
{
    return beside_scope(core, subject, "ack");
}

static struct value actor_scope(struct core *core, struct slice actor)
{
    const struct value *roles = value_get(authority_person(core, actor), "roles");
    struct value map = value_map();

    value_set(core->arena, &map, "name", value_text(actor));
    value_set(core->arena, &map, "roles", roles != NULL ? *roles : value_array());
    return map;
}

struct value scope_of(struct core *core, const struct subject *subject, struct slice event,
                      struct slice actor, const struct value *args, unsigned uses)
{
    struct value scope = value_map();
    bool inline_them = (uses & EXPR_USES_TABLES) != 0;
    char *today = arena_take(core->arena, DATE_TEXT_LEN + 1);

    date_format(today_of(core), today);
    value_set(core->arena, &scope, "record", record_scope(core, subject, inline_them));
    value_set(core->arena, &scope, "state", value_text(value_get_text(subject->row, "state")));
    value_set(core->arena, &scope, "event", value_text(event));
    value_set(core->arena, &scope, "actor", actor_scope(core, actor));
    value_set(core->arena, &scope, "now", value_int(core->now_ms));
    value_set(core->arena, &scope, "today", value_str(today));
    value_set(core->arena, &scope, "args", args != NULL ? *args : value_map());
    if ((uses & EXPR_USES_LINKS) != 0)
        value_set(core->arena, &scope, "links", links_scope(core, subject, inline_them));
    if ((uses & EXPR_USES_VALID) != 0)
        value_set(core->arena, &scope, "valid", valid_scope(core, true));
    if ((uses & EXPR_USES_ROUND) != 0)
        value_set(core->arena, &scope, "round", round_scope(core, subject));
    if ((uses & EXPR_USES_DELIVERIES) != 0)
        value_set(core->arena, &scope, "deliveries", beside_scope(core, subject, "delivery"));
    if ((uses & EXPR_USES_ACKS) != 0)
        value_set(core->arena, &scope, "acks", acks_of(core, subject));
    return scope;
}

int scope_eval(struct core *core, const struct expr *expr, const struct value *scope,
               struct value *out, struct error *err)
{
    return expr_eval(expr, scope, calendar_of(core), core->arena, out, err);
}

bool scope_holds(struct core *core, const struct expr *expr, const struct subject *subject,
                 struct slice event, struct slice actor, const struct value *args,
                 struct error *why)
{
    struct value scope;

    if (expr == NULL)
        return true;
    scope = scope_of(core, subject, event, actor, args, expr_uses(expr));
    return expr_holds(expr, &scope, calendar_of(core), why);
}

/* ---- templates ---- */

static void add_shown(struct buf *out, const struct value *value)
{
    if (value->type == VALUE_STR)
        buf_add_slice(out, value_slice(value));
    else if (value->type == VALUE_INT)
        buf_addf(out, "%lld", (long long)value->as.number);
    else if (value->type == VALUE_BOOL)
        buf_add_str(out, value->as.number != 0 ? "yes" : "no");
}

struct slice render(struct core *core, const char *template, const struct value *names)
{
    struct buf text = BUF_EMPTY;
    struct slice copy;
    const char *at = template;

    while (*at != '\0') {
        const char *open = strstr(at, "{{");
        const char *close = open != NULL ? strstr(open, "}}") : NULL;
        const struct value *value;

        if (close == NULL) {
            buf_add_str(&text, at);
            break;
        }
        buf_add(&text, at, (size_t)(open - at));
        value = value_find(names, slice_of(open + 2, (size_t)(close - open) - 2));
        if (value != NULL)
            add_shown(&text, value);
        at = close + 2;
    }
    copy = slice_of(arena_copy(core->arena, text.at, text.len), text.len);
    buf_release(&text);
    return copy;
}
