/* expr.c - evaluates compiled conditions: the semantics of CEL (github.com/google/cel-spec) for the
 * subset that the language has. Bounded three ways: steps, nesting (by the compiler) and the size of what is built,
 * which costs steps too. */
#include "base/check.h"
#include "core/expr_build.h"
#include "core/expr_time.h"

struct eval {
    const struct value *scope;
    const struct calendar *calendar;
    struct arena *arena;
    struct error *err;
    int steps;
    bool exhausted; /* out of steps: no && or || hides that */
    struct value locals[EXPR_DEPTH_MAX];
};

typedef int (*operation)(struct eval *, const struct expr_node *, struct value *);

static int eval(struct eval *e, const struct expr_node *node, struct value *out);

/* Says what went wrong and at which column; gives -1. */
#define fail(e, node, ...)                                                                         \
    (error_set((e)->err, ERROR_INPUT, __VA_ARGS__),                                                \
     error_add((e)->err, "column %d", (node)->column))

/* What `size` bytes or items of work cost. */
static int spend(struct eval *e, const struct expr_node *node, size_t size)
{
    size_t steps = size / 16 + 1;

    if (e->exhausted || steps > (size_t)(EXPR_STEPS_MAX - e->steps)) {
        e->exhausted = true;
        return fail(e, node, "the condition needs more than %d steps", EXPR_STEPS_MAX);
    }
    e->steps += (int)steps;
    return 0;
}

static enum value_type sort_type(enum expr_sort sort)
{
    static const enum value_type TYPES[] = {
        [SORT_DYN] = VALUE_NIL,    [SORT_NULL] = VALUE_NIL,     [SORT_BOOL] = VALUE_BOOL,
        [SORT_INT] = VALUE_INT,    [SORT_TEXT] = VALUE_STR,     [SORT_DATE] = VALUE_STR,
        [SORT_MOMENT] = VALUE_INT, [SORT_DURATION] = VALUE_INT, [SORT_SPAN] = VALUE_STR,
        [SORT_LIST] = VALUE_ARRAY, [SORT_MAP] = VALUE_MAP,
    };

    return TYPES[sort];
}

static enum expr_sort type_sort(enum value_type type)
{
    static const enum expr_sort SORTS[] = {
        [VALUE_NIL] = SORT_NULL, [VALUE_BOOL] = SORT_BOOL, [VALUE_INT] = SORT_INT,
        [VALUE_STR] = SORT_TEXT, [VALUE_BIN] = SORT_TEXT,  [VALUE_ARRAY] = SORT_LIST,
        [VALUE_MAP] = SORT_MAP,
    };

    return SORTS[type];
}

const char *expr_sort_name(enum expr_sort sort)
{
    static const char *const NAMES[] = {
        [SORT_DYN] = "a value of unknown type",
        [SORT_NULL] = "null",
        [SORT_BOOL] = "a truth value",
        [SORT_INT] = "a number",
        [SORT_TEXT] = "a text",
        [SORT_DATE] = "a date",
        [SORT_MOMENT] = "a timestamp",
        [SORT_DURATION] = "a duration",
        [SORT_SPAN] = "a span of days",
        [SORT_LIST] = "a list",
        [SORT_MAP] = "a map",
    };

    return NAMES[sort];
}

/* A kid's value and what it means; a value that is not what the compiler knew it to be is an error of the
 * record, not of the condition. */
static int operand(struct eval *e, const struct expr_node *node, struct value *out,
                   enum expr_sort *sort)
{
    if (eval(e, node, out) != 0)
        return -1;
    *sort = node->sort != SORT_DYN ? node->sort : type_sort(out->type);
    if (out->type != sort_type(*sort))
        return fail(e, node, "expected %s, found %s", expr_sort_name(*sort),
                    expr_sort_name(type_sort(out->type)));
    return 0;
}

static int want(struct eval *e, const struct expr_node *node, enum expr_sort sort,
                struct value *out)
{
    enum expr_sort found;

    if (operand(e, node, out, &found) != 0)
        return -1;
    if (sort_type(found) != sort_type(sort))
        return fail(e, node, "expected %s, found %s", expr_sort_name(sort), expr_sort_name(found));
    return 0;
}

/* ---- names ---- */

static int eval_const(struct eval *e, const struct expr_node *node, struct value *out)
{
    (void)e;
    *out = node->constant;
    return 0;
}

static int no_key(struct eval *e, const struct expr_node *node, struct slice key)
{
    return fail(e, node, "there is no '%.*s'", (int)(key.len > 100 ? 100 : key.len),
                (const char *)key.at);
}

static int eval_name(struct eval *e, const struct expr_node *node, struct value *out)
{
    const struct value *found = value_find(e->scope, node->name);

    if (found == NULL)
        return no_key(e, node, node->name);
    *out = *found;
    return 0;
}

static int eval_local(struct eval *e, const struct expr_node *node, struct value *out)
{
    check(node->slot >= 0 && node->slot < EXPR_DEPTH_MAX);
    *out = e->locals[node->slot];
    return 0;
}

static int eval_select(struct eval *e, const struct expr_node *node, struct value *out)
{
    const struct value *found;
    struct value map;

    if (node->or_empty && node->kids[0]->op == EXPR_NAME &&
        value_find(e->scope, node->kids[0]->name) == NULL) {
        *out = value_array();
        return 0;
    }
    if (want(e, node->kids[0], SORT_MAP, &map) != 0)
        return -1;
    found = value_find(&map, node->name);
    if (found == NULL && !node->or_empty)
        return no_key(e, node, node->name);
    *out = found == NULL ? value_array() : *found;
    return 0;
}

static int eval_has(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value map;

    if (want(e, node->kids[0], SORT_MAP, &map) != 0)
        return -1;
    *out = value_bool(value_find(&map, node->name) != NULL);
    return 0;
}

static int eval_index(struct eval *e, const struct expr_node *node, struct value *out)
{
    enum expr_sort sort;
    struct value from, index;
    const struct value *found;

    if (operand(e, node->kids[0], &from, &sort) != 0)
        return -1;
    if (sort == SORT_LIST) {
        if (want(e, node->kids[1], SORT_INT, &index) != 0)
            return -1;
        if (index.as.number < 0 || index.as.number >= from.count)
            return fail(e, node, "the list has no item %lld", (long long)index.as.number);
        *out = from.as.items[index.as.number];
        return 0;
    }
    if (sort != SORT_MAP)
        return fail(e, node, "expected a list or a map, found %s", expr_sort_name(sort));
    if (want(e, node->kids[1], SORT_TEXT, &index) != 0)
        return -1;
    found = value_find(&from, value_slice(&index));
    if (found == NULL)
        return no_key(e, node, value_slice(&index));
    *out = *found;
    return 0;
}

static int eval_list(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value list = value_array(), item;
    int i;

    for (i = 0; i < node->kid_count; i++) {
        if (eval(e, node->kids[i], &item) != 0)
            return -1;
        value_push(e->arena, &list, item);
    }
    *out = list;
    return 0;
}

static int eval_map(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value map = value_map(), key, item;
    int i;

    for (i = 0; i + 1 < node->kid_count; i += 2) {
        if (want(e, node->kids[i], SORT_TEXT, &key) != 0 || eval(e, node->kids[i + 1], &item) != 0)
            return -1;
        if (value_find(&map, value_slice(&key)) != NULL)
            return fail(e, node, "a key stands twice in the map");
        value_put(e->arena, &map, value_slice(&key), item);
    }
    *out = map;
    return 0;
}

/* ---- logic ---- */

static int eval_not(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value truth;

    if (want(e, node->kids[0], SORT_BOOL, &truth) != 0)
        return -1;
    *out = value_bool(!truth.as.number);
    return 0;
}

/* && and || do not care for the order of their sides: a side that decides hides an error of the other. */
static int decide_by(struct eval *e, const struct expr_node *node, bool deciding, struct value *out)
{
    struct error first = {ERROR_NONE, ""}, *kept = e->err;
    struct value truth;
    bool failed = false;
    int i;

    for (i = 0; i < node->kid_count; i++) {
        e->err = failed ? NULL : &first; /* the first one is what is told */
        if (want(e, node->kids[i], SORT_BOOL, &truth) != 0) {
            failed = true;
        } else if ((truth.as.number != 0) == deciding) {
            e->err = kept;
            *out = value_bool(deciding);
            return 0;
        }
        if (e->exhausted)
            break;
    }
    e->err = kept;
    if (failed && e->err != NULL)
        *e->err = first;
    *out = value_bool(!deciding);
    return failed ? -1 : 0;
}

static int eval_and(struct eval *e, const struct expr_node *node, struct value *out)
{
    return decide_by(e, node, false, out);
}

static int eval_or(struct eval *e, const struct expr_node *node, struct value *out)
{
    return decide_by(e, node, true, out);
}

static int eval_choose(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value truth;

    if (want(e, node->kids[0], SORT_BOOL, &truth) != 0)
        return -1;
    return eval(e, node->kids[truth.as.number ? 1 : 2], out);
}

/* ---- comparison ---- */

/* Deep equality that pays for every node it visits: maps and lists may share parts, so that a small value may be
 * large to walk. */
static int equal(struct eval *e, const struct expr_node *node, const struct value *a,
                 const struct value *b, bool *same)
{
    uint32_t i;

    *same = false;
    if (spend(e, node, a->type == VALUE_STR ? a->count : 0) != 0)
        return -1;
    if (a->type != b->type)
        return 0;
    if ((a->type == VALUE_ARRAY || a->type == VALUE_MAP) && a->count != b->count)
        return 0;
    if (a->type == VALUE_ARRAY) {
        for (i = 0, *same = true; i < a->count && *same; i++) {
            if (equal(e, node, &a->as.items[i], &b->as.items[i], same) != 0)
                return -1;
        }
        return 0;
    }
    if (a->type == VALUE_MAP) {
        for (i = 0, *same = true; i < a->count && *same; i++) {
            *same = slice_equal(a->as.pairs[i].key, b->as.pairs[i].key);
            if (*same && equal(e, node, &a->as.pairs[i].value, &b->as.pairs[i].value, same) != 0)
                return -1;
        }
        return 0;
    }
    *same = value_equal(a, b);
    return 0;
}

static int compare_spans(struct eval *e, const struct expr_node *node, const struct value *a,
                         enum expr_sort a_sort, const struct value *b, enum expr_sort b_sort,
                         int *order)
{
    struct error why;

    if (expr_compare_spans(a, a_sort, b, b_sort, order, &why) != 0)
        return fail(e, node, "%s", why.text);
    return 0;
}

static bool is_span(enum expr_sort a, enum expr_sort b)
{
    return (a == SORT_SPAN && (b == SORT_SPAN || b == SORT_DURATION || b == SORT_TEXT)) ||
           (b == SORT_SPAN && (a == SORT_DURATION || a == SORT_TEXT));
}

static int eval_equal(struct eval *e, const struct expr_node *node, struct value *out)
{
    enum expr_sort a_sort, b_sort;
    struct value a, b;
    bool same;
    int order;

    if (operand(e, node->kids[0], &a, &a_sort) != 0 || operand(e, node->kids[1], &b, &b_sort) != 0)
        return -1;
    if (is_span(a_sort, b_sort)) {
        if (compare_spans(e, node, &a, a_sort, &b, b_sort, &order) != 0)
            return -1;
        same = order == 0;
    } else if (equal(e, node, &a, &b, &same) != 0) {
        return -1;
    }
    *out = value_bool(same == (node->op == EXPR_EQUAL));
    return 0;
}

static int compare(struct eval *e, const struct expr_node *node, int *order)
{
    enum expr_sort a_sort, b_sort;
    struct value a, b;

    if (operand(e, node->kids[0], &a, &a_sort) != 0 || operand(e, node->kids[1], &b, &b_sort) != 0)
        return -1;
    if (is_span(a_sort, b_sort))
        return compare_spans(e, node, &a, a_sort, &b, b_sort, order);
    if (a.type != b.type || (a.type != VALUE_INT && a.type != VALUE_STR && a.type != VALUE_BOOL))
        return fail(e, node, "%s and %s have no order", expr_sort_name(a_sort),
                    expr_sort_name(b_sort));
    if (a.type == VALUE_STR)
        *order = slice_compare(value_slice(&a), value_slice(&b));
    else
        *order = (a.as.number > b.as.number) - (a.as.number < b.as.number);
    return 0;
}

static int eval_order(struct eval *e, const struct expr_node *node, struct value *out)
{
    bool truth;
    int order;

    if (compare(e, node, &order) != 0)
        return -1;
    if (node->op == EXPR_LESS)
        truth = order < 0;
    else if (node->op == EXPR_LESS_EQUAL)
        truth = order <= 0;
    else if (node->op == EXPR_GREATER)
        truth = order > 0;
    else
        truth = order >= 0;
    *out = value_bool(truth);
    return 0;
}

/* A plain item costs an eighth of a step for each that it is compared with, and what of a text may have to be read: eight
 * such comparisons take as long as one operation. */
static int find_plain(struct eval *e, const struct expr_node *node, const struct value *item,
                      const struct value *from, bool *found)
{
    size_t each = 2 + (item->type == VALUE_STR ? item->count / 16 : 0);

    if (spend(e, node, from->count * each) != 0)
        return -1;
    for (uint32_t i = 0; i < from->count && !*found; i++)
        *found = value_equal(item, &from->as.items[i]);
    return 0;
}

static int find_deep(struct eval *e, const struct expr_node *node, const struct value *item,
                     const struct value *from, bool *found)
{
    for (uint32_t i = 0; i < from->count && !*found; i++) {
        if (equal(e, node, item, &from->as.items[i], found) != 0)
            return -1;
    }
    return 0;
}

static int eval_in(struct eval *e, const struct expr_node *node, struct value *out)
{
    enum expr_sort sort;
    struct value item, from;
    bool found = false, is_deep;

    if (eval(e, node->kids[0], &item) != 0 || operand(e, node->kids[1], &from, &sort) != 0)
        return -1;
    if (sort == SORT_MAP) {
        found = item.type == VALUE_STR && value_find(&from, value_slice(&item)) != NULL;
    } else if (sort == SORT_LIST) {
        is_deep = item.type == VALUE_ARRAY || item.type == VALUE_MAP;
        if ((is_deep ? find_deep : find_plain)(e, node, &item, &from, &found) != 0)
            return -1;
    } else {
        return fail(e, node, "expected a list or a map after 'in', found %s", expr_sort_name(sort));
    }
    *out = value_bool(found);
    return 0;
}

/* ---- arithmetic ---- */

static int overflow(struct eval *e, const struct expr_node *node)
{
    return fail(e, node, "the number is out of range");
}

static int eval_minus(struct eval *e, const struct expr_node *node, struct value *out)
{
    enum expr_sort sort;
    struct value number;
    int64_t result;

    if (operand(e, node->kids[0], &number, &sort) != 0)
        return -1;
    if (number.type != VALUE_INT)
        return fail(e, node, "expected a number after '-', found %s", expr_sort_name(sort));
    if (__builtin_sub_overflow((int64_t)0, number.as.number, &result))
        return overflow(e, node);
    *out = value_int(result);
    return 0;
}

static int join(struct eval *e, const struct expr_node *node, const struct value *a,
                const struct value *b, struct value *out)
{
    size_t unit = a->type == VALUE_STR ? 1 : sizeof(struct value);
    size_t len = (size_t)a->count + b->count;
    uint8_t *at;

    if (spend(e, node, len * unit) != 0)
        return -1;
    at = arena_take(e->arena, len * unit + 1);
    if (a->type == VALUE_STR) {
        if (a->count > 0)
            memcpy(at, a->as.text, a->count);
        if (b->count > 0)
            memcpy(at + a->count, b->as.text, b->count);
        *out = value_text(slice_of(at, len));
        return 0;
    }
    *out = value_array();
    if (a->count > 0)
        memcpy(at, a->as.items, a->count * unit);
    if (b->count > 0)
        memcpy(at + a->count * unit, b->as.items, b->count * unit);
    out->count = (uint32_t)len;
    out->as.items = (struct value *)(void *)at;
    return 0;
}

static int arithmetic(struct eval *e, const struct expr_node *node, int64_t a, int64_t b,
                      struct value *out)
{
    int64_t result;
    bool over;

    if (node->op == EXPR_ADD)
        over = __builtin_add_overflow(a, b, &result);
    else if (node->op == EXPR_SUBTRACT)
        over = __builtin_sub_overflow(a, b, &result);
    else
        over = __builtin_mul_overflow(a, b, &result);
    if (over)
        return overflow(e, node);
    *out = value_int(result);
    return 0;
}

static int eval_arithmetic(struct eval *e, const struct expr_node *node, struct value *out)
{
    enum expr_sort a_sort, b_sort;
    struct value a, b;
    struct error why;

    if (operand(e, node->kids[0], &a, &a_sort) != 0 || operand(e, node->kids[1], &b, &b_sort) != 0)
        return -1;
    if (a_sort == SORT_INT && b_sort == SORT_INT)
        return arithmetic(e, node, a.as.number, b.as.number, out);
    if (node->op == EXPR_ADD && a_sort == b_sort && (a_sort == SORT_TEXT || a_sort == SORT_LIST))
        return join(e, node, &a, &b, out);
    if (spend(e, node, 256) != 0)
        return -1;
    if (expr_time_arithmetic(node->op, &a, a_sort, &b, b_sort, e->calendar, e->arena, out, &why) !=
        0)
        return fail(e, node, "%s", why.text);
    return 0;
}

/* ---- functions ---- */

static uint32_t characters(const struct value *text)
{
    uint32_t count = 0, i;

    for (i = 0; i < text->count; i++)
        count += ((uint8_t)text->as.text[i] & 0xc0) != 0x80;
    return count;
}

static int eval_size(struct eval *e, const struct expr_node *node, struct value *out)
{
    enum expr_sort sort;
    struct value of;

    if (operand(e, node->kids[0], &of, &sort) != 0)
        return -1;
    if (of.type == VALUE_STR) {
        if (spend(e, node, of.count) != 0)
            return -1;
        *out = value_int(characters(&of));
        return 0;
    }
    if (of.type != VALUE_ARRAY && of.type != VALUE_MAP)
        return fail(e, node, "%s has no size", expr_sort_name(sort));
    *out = value_int(of.count);
    return 0;
}

static bool contains(struct slice text, struct slice part)
{
    return part.len == 0 ||
           (text.len >= part.len && memmem(text.at, text.len, part.at, part.len) != NULL);
}

static int eval_match(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value a, b;
    struct slice text, part;
    bool truth;

    if (want(e, node->kids[0], SORT_TEXT, &a) != 0 || want(e, node->kids[1], SORT_TEXT, &b) != 0 ||
        spend(e, node, a.count) != 0)
        return -1;
    text = value_slice(&a);
    part = value_slice(&b);
    if (node->op == EXPR_CONTAINS)
        truth = contains(text, part);
    else if (text.len < part.len)
        truth = false;
    else if (node->op == EXPR_STARTS)
        truth = slice_equal(slice_of(text.at, part.len), part);
    else
        truth = slice_equal(slice_of(text.at + (text.len - part.len), part.len), part);
    *out = value_bool(truth);
    return 0;
}

static int eval_with(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value base, over, made = value_map();
    uint32_t i;

    if (want(e, node->kids[0], SORT_MAP, &base) != 0 ||
        want(e, node->kids[1], SORT_MAP, &over) != 0 ||
        spend(e, node, ((size_t)base.count + over.count) * sizeof(struct pair)) != 0)
        return -1;
    for (i = 0; i < base.count; i++)
        value_put(e->arena, &made, base.as.pairs[i].key, base.as.pairs[i].value);
    for (i = 0; i < over.count; i++)
        value_put(e->arena, &made, over.as.pairs[i].key, over.as.pairs[i].value);
    *out = made;
    return 0;
}

static int eval_flatten(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value from, list = value_array();
    uint32_t i, k;

    if (want(e, node->kids[0], SORT_LIST, &from) != 0)
        return -1;
    for (i = 0; i < from.count; i++) {
        if (from.as.items[i].type != VALUE_ARRAY)
            return fail(e, node, "flatten() takes lists out of a list, and found something else");
        if (spend(e, node, from.as.items[i].count * sizeof(struct value)) != 0)
            return -1;
        for (k = 0; k < from.as.items[i].count; k++)
            value_push(e->arena, &list, from.as.items[i].as.items[k]);
    }
    *out = list;
    return 0;
}

static int eval_distinct(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value from, list = value_array();
    uint32_t i, k;

    if (want(e, node->kids[0], SORT_LIST, &from) != 0)
        return -1;
    for (i = 0; i < from.count; i++) {
        bool seen = false;

        for (k = 0; k < list.count && !seen; k++) {
            if (equal(e, node, &from.as.items[i], &list.as.items[k], &seen) != 0)
                return -1;
        }
        if (!seen)
            value_push(e->arena, &list, from.as.items[i]);
    }
    *out = list;
    return 0;
}

/* Texts with a text between each two. */
static int eval_join(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value from, between;
    size_t len = 0;
    uint8_t *at;
    uint32_t i;

    if (want(e, node->kids[0], SORT_LIST, &from) != 0 ||
        want(e, node->kids[1], SORT_TEXT, &between) != 0)
        return -1;
    for (i = 0; i < from.count; i++) {
        if (from.as.items[i].type != VALUE_STR)
            return fail(e, node, "join() puts texts together; write string(x) for others");
        len += from.as.items[i].count + (i > 0 ? between.count : 0);
        if (spend(e, node, from.as.items[i].count + (size_t)between.count) != 0)
            return -1;
    }
    at = arena_take(e->arena, len + 1);
    for (i = 0, len = 0; i < from.count; i++) {
        const struct value *item = &from.as.items[i];

        if (i > 0 && between.count > 0)
            memcpy(at + len, between.as.text, between.count);
        len += i > 0 ? between.count : 0;
        if (item->count > 0)
            memcpy(at + len, item->as.text, item->count);
        len += item->count;
    }
    *out = value_text(slice_of(at, len));
    return 0;
}

static int eval_convert(struct eval *e, const struct expr_node *node, struct value *out)
{
    enum expr_sort sort;
    struct value from;
    struct error why;

    if (operand(e, node->kids[0], &from, &sort) != 0 || spend(e, node, 64) != 0)
        return -1;
    if (expr_convert(node->op, &from, sort, e->calendar, e->arena, out, &why) != 0)
        return fail(e, node, "%s", why.text);
    return 0;
}

/* ---- macros ---- */

static int macro_range(struct eval *e, const struct expr_node *node, struct value *range)
{
    enum expr_sort sort;

    if (operand(e, node->kids[0], range, &sort) != 0)
        return -1;
    if (sort != SORT_LIST && sort != SORT_MAP)
        return fail(e, node, "expected a list or a map, found %s", expr_sort_name(sort));
    return spend(e, node, 0);
}

/* Binds the element (of a map: the key) to the macro's variable. */
static void bind(struct eval *e, const struct expr_node *node, const struct value *range,
                 uint32_t i)
{
    check(node->slot >= 0 && node->slot < EXPR_DEPTH_MAX);
    e->locals[node->slot] =
        range->type == VALUE_MAP ? value_text(range->as.pairs[i].key) : range->as.items[i];
}

/* all and exists are && and || over the elements, so they absorb errors as those do. */
static int eval_any(struct eval *e, const struct expr_node *node, struct value *out)
{
    const bool deciding = node->op == EXPR_EXISTS;
    struct error first = {ERROR_NONE, ""}, *kept = e->err;
    struct value range, truth;
    bool failed = false;
    uint32_t i;

    if (macro_range(e, node, &range) != 0)
        return -1;
    for (i = 0; i < range.count && !e->exhausted; i++) {
        bind(e, node, &range, i);
        e->err = failed ? NULL : &first; /* the first one is what is told */
        if (want(e, node->kids[1], SORT_BOOL, &truth) != 0) {
            failed = true;
        } else if ((truth.as.number != 0) == deciding) {
            e->err = kept;
            *out = value_bool(deciding);
            return 0;
        }
    }
    e->err = kept;
    if (failed && e->err != NULL)
        *e->err = first;
    *out = value_bool(!deciding);
    return failed ? -1 : 0;
}

static int eval_exists_one(struct eval *e, const struct expr_node *node, struct value *out)
{
    struct value range, truth;
    uint32_t i, count = 0;

    if (macro_range(e, node, &range) != 0)
        return -1;
    for (i = 0; i < range.count; i++) {
        bind(e, node, &range, i);
        if (want(e, node->kids[1], SORT_BOOL, &truth) != 0)
            return -1;
        count += truth.as.number != 0;
    }
    *out = value_bool(count == 1);
    return 0;
}

static int eval_transform(struct eval *e, const struct expr_node *node, struct value *out)
{
    const bool filters = node->op == EXPR_FILTER || node->kid_count == 3;
    struct value range, truth, list = value_array(), item;
    uint32_t i;

    if (macro_range(e, node, &range) != 0)
        return -1;
    for (i = 0; i < range.count; i++) {
        bind(e, node, &range, i);
        if (filters) {
            if (want(e, node->kids[1], SORT_BOOL, &truth) != 0)
                return -1;
            if (!truth.as.number)
                continue;
        }
        item = e->locals[node->slot];
        if (node->op == EXPR_TRANSFORM && eval(e, node->kids[node->kid_count - 1], &item) != 0)
            return -1;
        value_push(e->arena, &list, item);
    }
    *out = list;
    return 0;
}

static const operation OPERATIONS[EXPR_OP_COUNT] = {
    [EXPR_CONST] = eval_const,
    [EXPR_NAME] = eval_name,
    [EXPR_LOCAL] = eval_local,
    [EXPR_SELECT] = eval_select,
    [EXPR_HAS] = eval_has,
    [EXPR_INDEX] = eval_index,
    [EXPR_LIST] = eval_list,
    [EXPR_MAP] = eval_map,
    [EXPR_NOT] = eval_not,
    [EXPR_MINUS] = eval_minus,
    [EXPR_AND] = eval_and,
    [EXPR_OR] = eval_or,
    [EXPR_CHOOSE] = eval_choose,
    [EXPR_EQUAL] = eval_equal,
    [EXPR_UNEQUAL] = eval_equal,
    [EXPR_LESS] = eval_order,
    [EXPR_LESS_EQUAL] = eval_order,
    [EXPR_GREATER] = eval_order,
    [EXPR_GREATER_EQUAL] = eval_order,
    [EXPR_IN] = eval_in,
    [EXPR_ADD] = eval_arithmetic,
    [EXPR_SUBTRACT] = eval_arithmetic,
    [EXPR_MULTIPLY] = eval_arithmetic,
    [EXPR_SIZE] = eval_size,
    [EXPR_STARTS] = eval_match,
    [EXPR_ENDS] = eval_match,
    [EXPR_CONTAINS] = eval_match,
    [EXPR_WITH] = eval_with,
    [EXPR_DISTINCT] = eval_distinct,
    [EXPR_FLATTEN] = eval_flatten,
    [EXPR_JOIN] = eval_join,
    [EXPR_DAYS] = eval_convert,
    [EXPR_MONTHS] = eval_convert,
    [EXPR_WORKDAYS] = eval_convert,
    [EXPR_TO_MOMENT] = eval_convert,
    [EXPR_TO_DURATION] = eval_convert,
    [EXPR_TO_DATE] = eval_convert,
    [EXPR_TO_INT] = eval_convert,
    [EXPR_TO_TEXT] = eval_convert,
    [EXPR_ALL] = eval_any,
    [EXPR_EXISTS] = eval_any,
    [EXPR_EXISTS_ONE] = eval_exists_one,
    [EXPR_FILTER] = eval_transform,
    [EXPR_TRANSFORM] = eval_transform,
};

static int eval(struct eval *e, const struct expr_node *node, struct value *out)
{
    check(node->op < EXPR_OP_COUNT);
    if (spend(e, node, 0) != 0)
        return -1;
    return OPERATIONS[node->op](e, node, out);
}

/* The result may share its parts; whoever copies or encodes it visits each as often as it is used. */
static int measure(struct eval *e, const struct expr_node *node, const struct value *value)
{
    uint32_t i;

    if (spend(e, node, value->type == VALUE_STR || value->type == VALUE_BIN ? value->count : 0) !=
        0)
        return -1;
    for (i = 0; value->type == VALUE_ARRAY && i < value->count; i++) {
        if (measure(e, node, &value->as.items[i]) != 0)
            return -1;
    }
    for (i = 0; value->type == VALUE_MAP && i < value->count; i++) {
        if (measure(e, node, &value->as.pairs[i].value) != 0)
            return -1;
    }
    return 0;
}

const char *expr_text(const struct expr *expr)
{
    return expr->text;
}

unsigned expr_uses(const struct expr *expr)
{
    return expr->uses;
}

static void keys_of(const struct expr_node *node, const char *name, struct arena *arena,
                    struct value *out)
{
    const struct expr_node *map = node->kid_count > 0 ? node->kids[0] : NULL;
    bool reads = node->op == EXPR_SELECT || node->op == EXPR_HAS;

    if (reads && map->op == EXPR_NAME && slice_is(map->name, name) &&
        !value_has_text(out, node->name))
        value_push(arena, out, value_text(node->name));
    for (int i = 0; i < node->kid_count; i++)
        keys_of(node->kids[i], name, arena, out);
}

void expr_keys(const struct expr *expr, const char *name, struct arena *arena, struct value *out)
{
    check(expr->root != NULL);
    keys_of(expr->root, name, arena, out);
}

int expr_eval(const struct expr *expr, const struct value *scope, const struct calendar *calendar,
              struct arena *arena, struct value *out, struct error *err)
{
    struct eval e;
    struct value result;

    check(expr->root != NULL);
    memset(&e, 0, sizeof e);
    e.scope = scope;
    e.calendar = calendar;
    e.arena = arena;
    e.err = err;
    if (eval(&e, expr->root, &result) != 0 || measure(&e, expr->root, &result) != 0)
        return error_add(err, "%s:%d", expr->file != NULL ? expr->file : "condition", expr->line);
    *out = result;
    return 0;
}

bool expr_holds(const struct expr *expr, const struct value *scope, const struct calendar *calendar,
                struct error *why)
{
    struct arena arena = ARENA_EMPTY;
    struct value result;
    bool holds = false;

    if (expr_eval(expr, scope, calendar, &arena, &result, why) == 0)
        holds = result.type == VALUE_BOOL && result.as.number != 0;
    arena_release(&arena);
    return holds;
}
