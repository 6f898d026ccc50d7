/* scope.c - what a condition or a template sees of the state. */
#include "core/inside.h"

#include "core/span.h"

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
        (field->type != FIELD_TABLE && field->type != FIELD_LONGTEXT && field->type != FIELD_TEXT))
        return *value;
    bytes = state_content(core->state, hash);
    if (field->type != FIELD_TABLE)
        return value_text(bytes);
    if (dmp_decode_large(core->arena, bytes, UINT32_MAX, &table, NULL) != 0)
        return value_array();
    return table;
}

static const struct value *put_away(struct core *core, const struct subject *subject,
                                    struct slice text)
{
    const struct value *fields = value_get(subject->row, "fields");

    for (uint32_t i = 0; value_is(fields, VALUE_MAP) && i < fields->count; i++) {
        const struct value *value = &fields->as.pairs[i].value;
        struct slice hash = value_get_bin(value, "content");

        if (hash.len == HASH_LEN && slice_equal(state_content(core->state, hash), text))
            return value;
    }
    return NULL;
}

struct value held(struct core *core, const struct subject *subject, const struct field *field,
                  struct value value)
{
    static const char more[] = " [...]";
    struct slice text = value_slice(&value);
    const struct value *away;

    if (field == NULL || field->list)
        return value;
    if (value.type != VALUE_STR || (field->type != FIELD_LONGTEXT && field->type != FIELD_TEXT) ||
        (text.len <= INLINE_MAX && !field->erasable))
        return kept_away(core, field, value);
    away = field->type == FIELD_LONGTEXT || text.len <= INLINE_MAX ? put_away(core, subject, text)
                                                                   : NULL;
    if (away != NULL)
        return *away;
    if (field->type == FIELD_LONGTEXT || text.len <= INLINE_MAX)
        return kept_away(core, field, value);
    text.len = INLINE_MAX - (sizeof more - 1);
    while (text.len > 0 && !utf8_is_valid(text))
        text.len--;
    return kept_away(core, field,
                     value_text(textf(core, "%.*s%s", (int)text.len, (const char *)text.at, more)));
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

/* What came with an event: a field that can be erased came as a content. */
static struct value args_scope(struct core *core, const struct kind *kind, const struct value *args)
{
    struct value out = value_map();

    if (args == NULL)
        return out;
    for (uint32_t i = 0; value_is(args, VALUE_MAP) && i < args->count; i++) {
        const struct pair *pair = &args->as.pairs[i];
        const struct field *field = kind != NULL ? kind_field(kind, pair->key) : NULL;

        value_put(core->arena, &out, pair->key,
                  field != NULL && field->erasable ? inlined(core, field, &pair->value)
                                                   : pair->value);
    }
    return out;
}

static const struct {
    const char *name, *key; /* in conditions; in the row */
} row_facts[] = {{"kind", "kind"},         {"title", "title"}, {"version", "version"},
                 {"state", "state"},       {"stage", "stage"}, {"owner", "owner"},
                 {"author", "author"},     {"phase", "phase"}, {"created", "created_ms"},
                 {"entered", "entered_ms"}};

static struct value record_scope(struct core *core, const struct subject *subject, bool inline_them)
{
    struct value record = value_map();

    put_fields(core, subject->kind, value_get(subject->row, "fields"), inline_them, &record);
    value_set(core->arena, &record, "id", value_text(subject->id));
    for (size_t i = 0; i < sizeof row_facts / sizeof row_facts[0]; i++) {
        const struct value *fact = value_get(subject->row, row_facts[i].key);

        if (fact != NULL)
            value_set(core->arena, &record, row_facts[i].name, *fact);
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

/* refs.<field>: the records that a field of type ref names; a name that is no record's is left out. */
static struct value refs_scope(struct core *core, const struct subject *subject, bool inline_them)
{
    struct value by_field = value_map();

    for (int i = 0; i < subject->kind->field_count; i++) {
        const struct field *field = &subject->kind->fields[i];
        const struct value *ids = record_field(subject, field->name);
        struct value list = value_array();
        uint32_t count = value_is(ids, VALUE_ARRAY) ? ids->count : ids != NULL ? 1 : 0;

        for (uint32_t k = 0; field->type == FIELD_REF && k < count; k++) {
            const struct value *id = ids->type == VALUE_ARRAY ? &ids->as.items[k] : ids;
            struct subject other;

            if (id->type == VALUE_STR && subject_find(core, value_slice(id), &other))
                value_push(core->arena, &list, record_scope(core, &other, inline_them));
        }
        if (list.count > 0)
            value_set(core->arena, &by_field, field->name, list);
    }
    return by_field;
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

/* ---- records of a kind ---- */

enum { NEWEST_MAX = 500, SEEN_MAX = 20000 };

/* The newest NEWEST_MAX records of a kind, newest first; `open_only`: of those that are not closed, among the SEEN_MAX
 * newest. A document stands there in its latest version. */
static struct value newest(struct core *core, struct slice name, bool open_only, bool inline_them)
{
    const struct pack *pack = core_current_pack(core);
    const struct kind *kind = pack != NULL ? pack_kind(pack, name) : NULL;
    struct value list = value_array();
    int64_t last, n;

    if (kind == NULL)
        return list;
    last = value_get_int(state_rowf(core->state, "next/%s", kind->prefix), "n", 0);
    for (n = last; n > 0 && last - n < SEEN_MAX && list.count < NEWEST_MAX; n--) {
        struct subject other;

        if (!subject_find(core, textf(core, "%s-%04lld", kind->prefix, (long long)n), &other) ||
            (open_only && slice_is(value_get_text(other.row, "stage"), "closed")))
            continue;
        value_push(core->arena, &list, record_scope(core, &other, inline_them));
    }
    return list;
}

/* The scope with `open` and `recent`: only of the kinds that the expression names, for each costs a walk. */
static struct value with_newest(struct core *core, const struct expr *expr,
                                const struct value *scope)
{
    static const char *const names[] = {"open", "recent"};
    bool inline_them = (expr_uses(expr) & EXPR_USES_TABLES) != 0;
    struct value more = value_map();

    for (uint32_t i = 0; i < scope->count; i++)
        value_put(core->arena, &more, scope->as.pairs[i].key, scope->as.pairs[i].value);
    for (int i = 0; i < 2; i++) {
        struct value kinds = value_array(), by_kind = value_map();

        expr_keys(expr, names[i], core->arena, &kinds);
        for (uint32_t k = 0; k < kinds.count; k++) {
            struct slice kind = value_slice(&kinds.as.items[k]);

            value_put(core->arena, &by_kind, kind, newest(core, kind, i == 0, inline_them));
        }
        value_set(core->arena, &more, names[i], by_kind);
    }
    return more;
}

/* ---- processes ---- */

static struct value words_scope(struct core *core, const struct words *words)
{
    struct value list = value_array();

    for (int i = 0; i < words->count; i++)
        value_push(core->arena, &list, value_str(words->at[i]));
    return list;
}

const struct process *process_of(struct core *core, const struct subject *subject)
{
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));
    struct slice id = value_get_text(value_get(subject->row, "fields"), "process");

    return pack != NULL && subject->kind != NULL && kind_is_run(subject->kind)
               ? pack_process(pack, id)
               : NULL;
}

static struct value process_scope(struct core *core, const struct process *process)
{
    const struct {
        const char *name;
        const struct words *words;
    } lists[] = {{"owner", &process->owner}, {"approves", &process->approves},
                 {"tell", &process->tell},   {"inputs", &process->inputs},
                 {"runs", &process->runs},   {"triggers", &process->triggers}};
    struct value map = value_map();

    value_set(core->arena, &map, "id", value_str(process->id));
    value_set(core->arena, &map, "phase", value_str(pdca_name(process->phase)));
    value_set(core->arena, &map, "title", value_str(process->title));
    if (process->clause != NULL)
        value_set(core->arena, &map, "clause", value_str(process->clause));
    if (process->output != NULL)
        value_set(core->arena, &map, "output", value_str(process->output));
    if (!span_is_zero(&process->every))
        value_set(core->arena, &map, "every", value_str(span_text(core->arena, &process->every)));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        value_set(core->arena, &map, lists[i].name, words_scope(core, lists[i].words));
    return map;
}

/* A figure that cannot be computed now has no value: a person sees that it is missing. */
static struct value kpis_scope(struct core *core, const struct subject *subject,
                               const struct process *process)
{
    struct value list = value_array();

    for (int i = 0; i < process->kpi_count; i++) {
        const struct kpi *kpi = &process->kpis[i];
        struct value item = value_map(), value = VALUE_NONE;

        value_set(core->arena, &item, "name", value_str(kpi->name));
        value_set(core->arena, &item, "target", value_str(kpi->target != NULL ? kpi->target : ""));
        if (kpi->value != NULL) {
            struct value scope = scope_of(core, subject, slice_str(""), slice_str("engine"), NULL,
                                          expr_uses(kpi->value));

            if (scope_eval(core, kpi->value, &scope, &value, NULL) != 0)
                value = VALUE_NONE;
        }
        if (value.type == VALUE_INT)
            value = value_text(textf(core, "%lld", (long long)value.as.number));
        if (value.type == VALUE_STR)
            value_set(core->arena, &item, "value", value);
        value_push(core->arena, &list, item);
    }
    return list;
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

static struct value people_scope(struct core *core)
{
    static const char *const facts[] = {"name", "email", "manager"};
    struct value everyone = value_array(), people = value_array();

    authority_everyone(core, &everyone);
    for (uint32_t i = 0; i < everyone.count; i++) {
        const struct value *row = &everyone.as.items[i], *roles = value_get(row, "roles");
        struct value person = value_map();

        for (size_t f = 0; f < sizeof facts / sizeof facts[0]; f++) {
            if (value_get(row, facts[f]) != NULL)
                value_set(core->arena, &person, facts[f], *value_get(row, facts[f]));
        }
        value_set(core->arena, &person, "roles", roles != NULL ? *roles : value_array());
        value_push(core->arena, &people, person);
    }
    return people;
}

struct value scope_of(struct core *core, const struct subject *subject, struct slice event,
                      struct slice actor, const struct value *args, unsigned uses)
{
    struct value scope = value_map();
    bool inline_them = (uses & EXPR_USES_TABLES) != 0;
    const bool of_process = (uses & (EXPR_USES_PROCESS | EXPR_USES_KPIS)) != 0;
    const struct process *process = of_process ? process_of(core, subject) : NULL;
    char *today = arena_take(core->arena, DATE_TEXT_LEN + 1);

    date_format(today_of(core), today);
    value_set(core->arena, &scope, "record", record_scope(core, subject, inline_them));
    value_set(core->arena, &scope, "state", value_text(value_get_text(subject->row, "state")));
    value_set(core->arena, &scope, "event", value_text(event));
    value_set(core->arena, &scope, "actor", actor_scope(core, actor));
    value_set(core->arena, &scope, "now", value_int(core->now_ms));
    value_set(core->arena, &scope, "today", value_str(today));
    value_set(core->arena, &scope, "args", args_scope(core, subject->kind, args));
    if ((uses & EXPR_USES_LINKS) != 0)
        value_set(core->arena, &scope, "links", links_scope(core, subject, inline_them));
    if ((uses & EXPR_USES_VALID) != 0)
        value_set(core->arena, &scope, "valid", valid_scope(core, true));
    if ((uses & EXPR_USES_REFS) != 0)
        value_set(core->arena, &scope, "refs", refs_scope(core, subject, inline_them));
    if (process != NULL)
        value_set(core->arena, &scope, "process", process_scope(core, process));
    if ((uses & EXPR_USES_KPIS) != 0 && process != NULL)
        value_set(core->arena, &scope, "kpis", kpis_scope(core, subject, process));
    if ((uses & EXPR_USES_ROUND) != 0)
        value_set(core->arena, &scope, "round", round_scope(core, subject));
    if ((uses & EXPR_USES_DELIVERIES) != 0)
        value_set(core->arena, &scope, "deliveries", beside_scope(core, subject, "delivery"));
    if ((uses & EXPR_USES_ACKS) != 0)
        value_set(core->arena, &scope, "acks", acks_of(core, subject));
    if ((uses & EXPR_USES_PEOPLE) != 0)
        value_set(core->arena, &scope, "people", people_scope(core));
    if ((uses & EXPR_USES_WAIVERS) != 0)
        value_set(core->arena, &scope, "waivers", waivers_scope(core));
    return scope;
}

int scope_eval(struct core *core, const struct expr *expr, const struct value *scope,
               struct value *out, struct error *err)
{
    struct value more;

    if ((expr_uses(expr) & (EXPR_USES_OPEN | EXPR_USES_RECENT)) == 0)
        return expr_eval(expr, scope, calendar_of(core), core->arena, out, err);
    more = with_newest(core, expr, scope);
    return expr_eval(expr, &more, calendar_of(core), core->arena, out, err);
}

bool scope_holds(struct core *core, const struct expr *expr, const struct subject *subject,
                 struct slice event, struct slice actor, const struct value *args,
                 struct error *why)
{
    struct value scope;

    if (expr == NULL)
        return true;
    scope = scope_of(core, subject, event, actor, args, expr_uses(expr));
    if ((expr_uses(expr) & (EXPR_USES_OPEN | EXPR_USES_RECENT)) != 0)
        scope = with_newest(core, expr, &scope);
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
