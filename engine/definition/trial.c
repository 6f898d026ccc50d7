#include "definition/trial.h"

#include "base/date.h"
#include "core/expr_time.h"
#include "core/span.h"
#include "base/nearest.h"
#include "definition/scope.h"

enum { TRIAL_NAMES_MAX = 256 };

struct bench {
    const struct trial *trial;
    struct arena *arena;
    struct fault *fault;
    struct value scope;
};

/* ---- what is given, as a record of the kind would hold it ---- */

static int moment(struct bench *b, const char *what, struct value *value)
{
    int64_t ms;

    if (value->type != VALUE_STR)
        return 0;
    if (moment_parse(value_slice(value), &ms) != 0)
        return fault_set(b->fault, 0, "%s: '%.*s' is not a timestamp like 2026-01-31T12:00:00Z",
                         what, value->count > 60 ? 60 : (int)value->count, value->as.text);
    *value = value_int(ms);
    return 0;
}

static int moments(struct bench *b, const struct field *field, struct value *value)
{
    uint32_t i, k;

    if (field->type == FIELD_DATETIME && value->type != VALUE_ARRAY)
        return moment(b, field->name, value);
    if (value->type != VALUE_ARRAY)
        return 0;
    for (i = 0; i < value->count; i++) {
        struct value *row = &value->as.items[i];

        if (field->type == FIELD_DATETIME && moment(b, field->name, row) != 0)
            return -1;
        for (k = 0; field->type == FIELD_TABLE && row->type == VALUE_MAP && k < row->count; k++) {
            int column = 0;

            while (column < field->column_count &&
                   !slice_is(row->as.pairs[k].key, field->columns[column].name))
                column++;
            if (column < field->column_count &&
                moments(b, &field->columns[column], &row->as.pairs[k].value) != 0)
                return -1;
        }
    }
    return 0;
}

static int unknown_field(struct bench *b, const struct kind *kind, struct slice name)
{
    struct nearest nearest = nearest_to(name);
    int i;

    for (i = 0; i < kind->field_count; i++)
        nearest_offer(&nearest, kind->fields[i].name);
    return fault_set(b->fault, 0, "a %s has no field '%.*s'%s", kind->name,
                     (int)(name.len > 60 ? 60 : name.len), (const char *)name.at,
                     nearest_hint(&nearest, b->arena));
}

static int fit_record(struct bench *b, const struct kind *kind, struct value *record)
{
    uint32_t i;

    if (record->type != VALUE_MAP)
        return fault_set(b->fault, 0, "a %s is a map of fields", kind->name);
    for (i = 0; i < record->count; i++) {
        struct pair *pair = &record->as.pairs[i];
        const struct field *field = kind_field(kind, pair->key);

        if (field == NULL && !scope_is_reserved(pair->key))
            return unknown_field(b, kind, pair->key);
        if (field != NULL && moments(b, field, &pair->value) != 0)
            return -1;
    }
    return 0;
}

/* links and valid: a list of records under the name of their kind. */
static int fit_records(struct bench *b, const char *name)
{
    struct value *map = value_at(&b->scope, slice_str(name));
    uint32_t i, k;

    if (map == NULL || map->type != VALUE_MAP)
        return 0;
    for (i = 0; i < map->count; i++) {
        const struct kind *kind = pack_kind(b->trial->pack, map->as.pairs[i].key);
        struct value *list = &map->as.pairs[i].value;

        for (k = 0; kind != NULL && list->type == VALUE_ARRAY && k < list->count; k++) {
            if (fit_record(b, kind, &list->as.items[k]) != 0)
                return -1;
        }
    }
    return 0;
}

static void preset(struct bench *b, const char *name, struct value value)
{
    if (value_get(&b->scope, name) == NULL)
        value_set(b->arena, &b->scope, name, value);
}

static const struct calendar *calendar_of(const struct trial *trial)
{
    return trial->pack != NULL ? &trial->pack->calendar : NULL;
}

static int fill_scope(struct bench *b)
{
    const struct trial *trial = b->trial;
    char today[DATE_TEXT_LEN + 1];
    struct value *now;

    b->scope = value_copy(b->arena, &trial->names);
    preset(b, "now", value_int(trial->now_ms));
    now = value_at(&b->scope, slice_str("now"));
    if (trial->kind != NULL && moment(b, "now", now) != 0)
        return -1;
    date_format(
        calendar_date(calendar_of(trial), now->type == VALUE_INT ? now->as.number : trial->now_ms),
        today);
    preset(b, "today", value_str(arena_str(b->arena, today)));
    if (trial->kind == NULL)
        return 0;
    preset(b, "record", value_map());
    if (value_get(value_get(&b->scope, "record"), "state") != NULL)
        preset(b, "state", *value_get(value_get(&b->scope, "record"), "state"));
    preset(b, "links", value_map());
    preset(b, "valid", value_map());
    preset(b, "args", value_map());
    preset(b, "deliveries", value_array());
    preset(b, "acks", value_array());
    preset(b, "people", value_array());
    preset(b, "waivers", value_array());
    return fit_record(b, trial->kind, value_at(&b->scope, slice_str("record"))) != 0 ||
                   fit_records(b, "links") != 0 || fit_records(b, "valid") != 0
               ? -1
               : 0;
}

/* ---- what is known of the names ---- */

static int any_names(struct bench *b, struct condition_scope *out)
{
    struct member *names;
    uint32_t i;

    if (b->scope.count > TRIAL_NAMES_MAX)
        return fault_set(b->fault, 0, "more than %d names", TRIAL_NAMES_MAX);
    names = arena_zero(b->arena, sizeof *names * (b->scope.count + 1));
    for (i = 0; i < b->scope.count; i++) {
        struct slice key = b->scope.as.pairs[i].key;
        const struct type *type = &TYPE_DYN;

        if (value_find(&b->trial->names, key) == NULL)
            type = slice_is(key, "now") ? &TYPE_MOMENT : &TYPE_DATE;
        names[i] = (struct member){arena_copy(b->arena, key.at, key.len), type};
    }
    *out = (struct condition_scope){names, (int)b->scope.count, NULL};
    return 0;
}

static int check_given(struct bench *b, const struct condition_scope *scope)
{
    uint32_t i;
    int k;

    for (i = 0; i < b->scope.count; i++) {
        struct slice key = b->scope.as.pairs[i].key;
        struct nearest nearest = nearest_to(key);

        for (k = 0; k < scope->count && !slice_is(key, scope->names[k].name); k++)
            nearest_offer(&nearest, scope->names[k].name);
        if (k == scope->count)
            return fault_set(b->fault, 0, "conditions know no '%.*s'%s",
                             (int)(key.len > 60 ? 60 : key.len), (const char *)key.at,
                             nearest_hint(&nearest, b->arena));
    }
    return 0;
}

static int kind_names(struct bench *b, struct condition_scope *out)
{
    const struct trial *trial = b->trial;
    const struct type *row = value_get(&b->scope, "row") != NULL ? &TYPE_DYN : NULL;
    struct scopes scopes;

    scopes_init(&scopes, b->arena, trial->pack);
    *out = scopes_of(&scopes, (int)(trial->kind - trial->pack->kinds), SCOPE_EVENT, row);
    return check_given(b, out);
}

/* ---- what comes of it ---- */

static struct value shown(struct arena *arena, const struct type *type, struct value value)
{
    struct value out = value;
    struct error err;
    uint32_t i;

    if (value.type == VALUE_INT && (type->sort == SORT_MOMENT || type->sort == SORT_DURATION))
        (void)expr_convert(EXPR_TO_TEXT, &value, type->sort, NULL, arena, &out, &err);
    if (value.type == VALUE_ARRAY && type->sort == SORT_LIST) {
        out = value_array();
        for (i = 0; i < value.count; i++)
            value_push(arena, &out, shown(arena, type->item, value.as.items[i]));
    }
    if (value.type == VALUE_MAP && type->sort == SORT_MAP) {
        out = value_map();
        for (i = 0; i < value.count; i++) {
            const struct member *member =
                type->members != NULL ? type_member(type, value.as.pairs[i].key) : NULL;
            const struct type *part = member != NULL ? member->type : type->item;

            value_put(arena, &out, value.as.pairs[i].key,
                      shown(arena, part != NULL ? part : &TYPE_DYN, value.as.pairs[i].value));
        }
    }
    return out;
}

static const char *type_name(enum expr_sort sort, enum value_type type)
{
    static const char *const SORTS[] = {
        [SORT_NULL] = "null",         [SORT_BOOL] = "bool", [SORT_INT] = "int",
        [SORT_TEXT] = "string",       [SORT_DATE] = "date", [SORT_MOMENT] = "timestamp",
        [SORT_DURATION] = "duration", [SORT_SPAN] = "span", [SORT_LIST] = "list",
        [SORT_MAP] = "map",
    };
    static const char *const TYPES[] = {
        [VALUE_NIL] = "null",   [VALUE_BOOL] = "bool",  [VALUE_INT] = "int", [VALUE_STR] = "string",
        [VALUE_BIN] = "string", [VALUE_ARRAY] = "list", [VALUE_MAP] = "map",
    };

    return sort == SORT_DYN ? TYPES[type] : SORTS[sort];
}

/* "condition:1: column 8: there is no 'note'": the place goes into the fault by itself. */
static void evaluation_fault(struct fault *fault, const char *prefix, const char *text)
{
    const char *rest = strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : text;
    int column = 0;

    for (; *rest >= '0' && *rest <= '9' && column < 100000; rest++)
        column = column * 10 + (*rest - '0');
    (void)fault_set(fault, column, "%s", rest[0] == ':' && rest[1] == ' ' ? rest + 2 : text);
}

static void evaluate(struct bench *b, const struct expr *expr, const struct type *type,
                     struct trial_result *out)
{
    struct error err;
    struct value value;

    if (expr_eval(expr, &b->scope, calendar_of(b->trial), b->arena, &value, &err) != 0) {
        out->end = TRIAL_FAILED;
        evaluation_fault(&out->fault, "condition:1: column ", err.text);
        return;
    }
    out->end = TRIAL_VALUE;
    out->value = shown(b->arena, type, value);
    out->type = type_name(type->sort, value.type);
}

void trial_run(const struct trial *trial, const char *text, struct arena *arena,
               struct trial_result *out)
{
    struct bench b = {.trial = trial, .arena = arena, .fault = &out->fault};
    struct condition_scope scope;
    const struct type *type;
    struct expr *expr;

    *out = (struct trial_result){.end = TRIAL_NAMES, .value = VALUE_NONE};
    if (fill_scope(&b) != 0 ||
        (trial->kind != NULL ? kind_names(&b, &scope) : any_names(&b, &scope)) != 0)
        return;
    expr = condition_pending(arena, text, (struct where){"condition", 1});
    type = condition_check(arena, &scope, expr, &out->fault);
    if (type == NULL)
        out->end = TRIAL_CHECKED;
    else
        evaluate(&b, expr, type, out);
}
