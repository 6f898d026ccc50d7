/* Any bytes as a condition: it compiles or says why and where; what compiles is evaluated within its bounds, gives what
 * its type says, and gives the same again. */
#include "base/check.h"
#include "definition/condition.h"

#include "targets.h"

static const struct member RECORD[] = {
    {"id", &TYPE_TEXT},     {"count", &TYPE_INT},  {"due", &TYPE_DATE},   {"found", &TYPE_MOMENT},
    {"period", &TYPE_SPAN}, {"tags", &TYPE_TEXTS}, {"absent", &TYPE_BOOL}};
static const struct type RECORD_TYPE = {
    .sort = SORT_MAP, .members = RECORD, .member_count = 7, .what = "a record"};
static const struct member NAMES[] = {
    {"record", &RECORD_TYPE}, {"today", &TYPE_DATE}, {"now", &TYPE_MOMENT}, {"args", &TYPE_MAP}};
static const struct condition_scope SCOPE = {NAMES, 4, &RECORD_TYPE};

static struct value make_scope(struct arena *arena)
{
    struct value scope = value_map(), record = value_map(), args = value_map(),
                 tags = value_array();

    value_push(arena, &tags, value_str("a"));
    value_push(arena, &tags, value_str("b"));
    value_set(arena, &record, "id", value_str("FND-0001"));
    value_set(arena, &record, "count", value_int(3));
    value_set(arena, &record, "due", value_str("2026-01-31"));
    value_set(arena, &record, "found", value_int(1767225600000));
    value_set(arena, &record, "period", value_str("12 months"));
    value_set(arena, &record, "tags", tags);
    value_set(arena, &args, "one", value_int(1));
    value_set(arena, &args, "text", value_str("t"));
    value_set(arena, &args, "list", tags);
    value_set(arena, &scope, "record", record);
    value_set(arena, &scope, "args", args);
    value_set(arena, &scope, "today", value_str("2026-01-31"));
    value_set(arena, &scope, "now", value_int(1769860800000));
    return scope;
}

static enum value_type stands_as(enum expr_sort sort)
{
    static const enum value_type TYPES[] = {
        [SORT_DYN] = VALUE_NIL,    [SORT_NULL] = VALUE_NIL,     [SORT_BOOL] = VALUE_BOOL,
        [SORT_INT] = VALUE_INT,    [SORT_TEXT] = VALUE_STR,     [SORT_DATE] = VALUE_STR,
        [SORT_MOMENT] = VALUE_INT, [SORT_DURATION] = VALUE_INT, [SORT_SPAN] = VALUE_STR,
        [SORT_LIST] = VALUE_ARRAY, [SORT_MAP] = VALUE_MAP,
    };

    return TYPES[sort];
}

static void evaluate(struct arena *arena, const struct expr *expr)
{
    struct value scope = make_scope(arena), first = VALUE_NONE, second = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};
    int rc = expr_eval(expr, &scope, NULL, arena, &first, &err);

    check((rc == 0) == (err.text[0] == '\0'));
    check(rc == expr_eval(expr, &scope, NULL, arena, &second, NULL));
    check(value_equal(&first, &second));
    check(rc != 0 || expr->sort == SORT_DYN || first.type == stands_as(expr->sort));
    (void)expr_holds(expr, &scope, NULL, NULL);
}

int FUZZ_NAME(fuzz_condition)(const uint8_t *at, size_t len)
{
    struct arena arena = ARENA_EMPTY;
    struct expr *expr = NULL;
    struct error err = {ERROR_NONE, ""};

    if (condition_compile(&arena, &SCOPE, arena_copy(&arena, at, len), (struct where){"f.cfg", 1},
                          &expr, &err) == 0)
        evaluate(&arena, expr);
    else
        check(strstr(err.text, "f.cfg:1: column ") == err.text);
    arena_release(&arena);
    return 0;
}
