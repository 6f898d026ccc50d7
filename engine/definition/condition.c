#include "definition/condition.h"

#include "core/expr_time.h"
#include "base/nearest.h"

struct local {
    struct slice name;
    const struct type *type;
};

struct checker {
    struct arena *arena;
    const struct condition_scope *scope;
    struct fault *fault;
    struct local locals[EXPR_DEPTH_MAX];
    int local_count;
    int depth;
    unsigned uses;
};

typedef const struct type *(*operator_check)(struct checker *, const struct syntax *,
                                             struct expr_node *, const struct type **);

static const struct type *check_node(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out);

#define refuse(c, column, ...)                                                                     \
    (fault_set((c)->fault, (column), __VA_ARGS__), (const struct type *)NULL)
#define TEXT_ARG(slice) (int)((slice).len > 60 ? 60 : (slice).len), (const char *)(slice).at

static struct expr_node *make(struct checker *c, enum expr_op op, int column, int kid_count)
{
    struct expr_node *node = arena_zero(c->arena, sizeof *node);

    node->op = op;
    node->column = column;
    node->kid_count = kid_count;
    if (kid_count > 0)
        node->kids = arena_zero(c->arena, sizeof(struct expr_node *) * (size_t)kid_count);
    return node;
}

static const char *type_text(struct checker *c, const struct type *type)
{
    if (type->sort == SORT_MAP && type->what != NULL)
        return type->what;
    if (type->sort == SORT_LIST && type->item->sort == SORT_MAP && type->item->what != NULL)
        return arena_printf(c->arena, "a list (each %s)", type->item->what + 2);
    return expr_sort_name(type->sort);
}

static bool is_sort(const struct type *type, enum expr_sort sort)
{
    return type->sort == sort || type->sort == SORT_DYN;
}

/* ---- names ---- */

static const struct type *unknown(struct checker *c, const struct syntax *syntax, const char *what,
                                  struct nearest *nearest)
{
    return refuse(c, syntax->column, "unknown %s '%.*s'%s", what, TEXT_ARG(syntax->text),
                  nearest_hint(nearest, c->arena));
}

/* A field of the record named alone: `boundaries` is `record.boundaries`. */
static const struct type *check_bare(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    const struct member *member =
        c->scope->bare == NULL ? NULL : type_member(c->scope->bare, syntax->text);
    struct expr_node *node;

    if (member == NULL)
        return NULL;
    node = make(c, EXPR_SELECT, syntax->column, 1);
    node->name = slice_str(member->name);
    node->kids[0] = make(c, EXPR_NAME, syntax->column, 0);
    node->kids[0]->name = slice_str("record");
    node->kids[0]->sort = SORT_MAP;
    *out = node;
    return member->type;
}

static const struct type *check_name(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    struct nearest nearest = nearest_to(syntax->text);
    const struct type *type;
    int i;

    for (i = c->local_count - 1; i >= 0; i--) {
        if (slice_equal(c->locals[i].name, syntax->text)) {
            *out = make(c, EXPR_LOCAL, syntax->column, 0);
            (*out)->slot = i;
            return c->locals[i].type;
        }
    }
    for (i = 0; i < c->scope->count; i++) {
        if (slice_is(syntax->text, c->scope->names[i].name)) {
            *out = make(c, EXPR_NAME, syntax->column, 0);
            (*out)->name = slice_str(c->scope->names[i].name);
            return c->scope->names[i].type;
        }
    }
    type = check_bare(c, syntax, out);
    if (type != NULL)
        return type;
    for (i = 0; i < c->scope->count; i++)
        nearest_offer(&nearest, c->scope->names[i].name);
    for (i = 0; c->scope->bare != NULL && i < c->scope->bare->member_count; i++)
        nearest_offer(&nearest, c->scope->bare->members[i].name);
    for (i = 0; i < c->local_count; i++)
        nearest_offer(&nearest, arena_copy(c->arena, c->locals[i].name.at, c->locals[i].name.len));
    return unknown(c, syntax, "name", &nearest);
}

/* The type under a key that is known, or NULL with the fault set. */
static const struct type *key_type(struct checker *c, const struct syntax *syntax,
                                   const struct type *map, struct slice key)
{
    struct nearest nearest = nearest_to(key);
    const struct member *member;
    int i;

    if (map->sort == SORT_DYN)
        return &TYPE_DYN;
    if (map->members == NULL)
        return map->item != NULL ? map->item : &TYPE_DYN;
    member = type_member(map, key);
    if (member != NULL)
        return member->type;
    for (i = 0; i < map->member_count; i++)
        nearest_offer(&nearest, map->members[i].name);
    return refuse(c, syntax->column, "%s has no '%.*s'%s", map->what != NULL ? map->what : "this",
                  TEXT_ARG(key), nearest_hint(&nearest, c->arena));
}

static const struct type *check_select(struct checker *c, const struct syntax *syntax,
                                       struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_SELECT, syntax->column, 1);
    const struct type *map = check_node(c, syntax->kids[0], &node->kids[0]), *type;

    if (map == NULL)
        return NULL;
    if (!is_sort(map, SORT_MAP))
        return refuse(c, syntax->column, "%s has no parts, so no '%.*s'", type_text(c, map),
                      TEXT_ARG(syntax->text));
    type = key_type(c, syntax, map, syntax->text);
    if (type == NULL)
        return NULL;
    node->name =
        slice_of(arena_copy(c->arena, syntax->text.at, syntax->text.len), syntax->text.len);
    node->or_empty = type->or_empty;
    *out = node;
    return type;
}

static const struct type *check_index(struct checker *c, const struct syntax *syntax,
                                      struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_INDEX, syntax->column, 2);
    const struct type *from = check_node(c, syntax->kids[0], &node->kids[0]), *index;

    if (from == NULL || (index = check_node(c, syntax->kids[1], &node->kids[1])) == NULL)
        return NULL;
    *out = node;
    if (from->sort == SORT_LIST)
        return is_sort(index, SORT_INT)
                   ? from->item
                   : refuse(c, syntax->kids[1]->column, "a list is indexed by a number, not %s",
                            type_text(c, index));
    if (!is_sort(from, SORT_MAP))
        return refuse(c, syntax->column, "%s cannot be indexed", type_text(c, from));
    if (from->sort == SORT_MAP && !is_sort(index, SORT_TEXT))
        return refuse(c, syntax->kids[1]->column, "a map is indexed by a text, not %s",
                      type_text(c, index));
    if (node->kids[1]->op == EXPR_CONST && index->sort == SORT_TEXT)
        return key_type(c, syntax->kids[1], from, value_slice(&node->kids[1]->constant));
    return from->item != NULL ? from->item : &TYPE_DYN;
}

/* ---- literals ---- */

static const struct type *check_const(struct checker *c, const struct syntax *syntax,
                                      struct expr_node **out)
{
    *out = make(c, EXPR_CONST, syntax->column, 0);
    (*out)->constant = syntax->constant;
    if (syntax->constant.type == VALUE_BOOL)
        return &TYPE_BOOL;
    if (syntax->constant.type == VALUE_INT)
        return &TYPE_INT;
    return syntax->constant.type == VALUE_STR ? &TYPE_TEXT : &TYPE_NULL;
}

static const struct type *check_list(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_LIST, syntax->column, syntax->kid_count);
    const struct type *item = NULL, *type;
    int i;

    for (i = 0; i < syntax->kid_count; i++) {
        type = check_node(c, syntax->kids[i], &node->kids[i]);
        if (type == NULL)
            return NULL;
        item = item == NULL ? type : type_join(c->arena, item, type);
    }
    *out = node;
    return type_list(c->arena, item == NULL ? &TYPE_DYN : item);
}

static const struct type *check_map(struct checker *c, const struct syntax *syntax,
                                    struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_MAP, syntax->column, syntax->kid_count);
    const struct type *item = NULL, *type;
    struct type *map = arena_zero(c->arena, sizeof *map);
    int i;

    for (i = 0; i < syntax->kid_count; i++) {
        type = check_node(c, syntax->kids[i], &node->kids[i]);
        if (type == NULL)
            return NULL;
        if (i % 2 == 0 && !is_sort(type, SORT_TEXT))
            return refuse(c, syntax->kids[i]->column, "the keys of a map are texts, not %s",
                          type_text(c, type));
        if (i % 2 == 1)
            item = item == NULL ? type : type_join(c->arena, item, type);
    }
    *map = (struct type){.sort = SORT_MAP, .item = item == NULL ? &TYPE_DYN : item};
    *out = node;
    return map;
}

/* ---- operators ---- */

static const struct type *wrong(struct checker *c, const struct syntax *syntax,
                                const struct type *a, const struct type *b, const char *what)
{
    return refuse(c, syntax->column, "%s and %s %s", type_text(c, a), type_text(c, b), what);
}

/* A text given for something that has fixed values must be one of them. */
static bool check_value(struct checker *c, const struct expr_node *node, const struct type *type)
{
    struct nearest nearest;
    struct slice text;
    int i;

    if (node->op != EXPR_CONST || node->constant.type != VALUE_STR || type->of == NULL ||
        type->of->count == 0)
        return true;
    text = value_slice(&node->constant);
    if (words_have(type->of, text))
        return true;
    nearest = nearest_to(text);
    for (i = 0; i < type->of->count; i++)
        nearest_offer(&nearest, type->of->at[i]);
    (void)fault_set(c->fault, node->column, "'%.*s' is none of its values%s", TEXT_ARG(text),
                    nearest_hint(&nearest, c->arena));
    return false;
}

static const struct type *check_same(struct checker *c, const struct syntax *syntax,
                                     struct expr_node *node, const struct type **types)
{
    const struct type *a = types[0], *b = types[1];

    if (a->sort == SORT_NULL || b->sort == SORT_NULL) {
        if (!is_sort(a, SORT_NULL) || !is_sort(b, SORT_NULL))
            return refuse(c, syntax->column,
                          "a field that is not filled in is absent, not null; use has()");
    } else if (!type_comparable(a, b)) {
        if ((a->sort == SORT_DATE && b->sort == SORT_TEXT) ||
            (a->sort == SORT_TEXT && b->sort == SORT_DATE))
            return wrong(c, syntax, a, b, "never equal each other; write date('2026-01-31')");
        return wrong(c, syntax, a, b, "never equal each other");
    }
    if (!check_value(c, node->kids[0], b) || !check_value(c, node->kids[1], a))
        return NULL;
    return &TYPE_BOOL;
}

static const struct type *check_order(struct checker *c, const struct syntax *syntax,
                                      struct expr_node *node, const struct type **types)
{
    const struct type *a = types[0], *b = types[1];
    enum expr_sort sort = a->sort != SORT_DYN ? a->sort : b->sort;

    (void)node;
    if (!type_comparable(a, b)) {
        if ((a->sort == SORT_DATE && b->sort == SORT_MOMENT) ||
            (a->sort == SORT_MOMENT && b->sort == SORT_DATE))
            return wrong(c, syntax, a, b, "have no order; use today for days, now for moments");
        return wrong(c, syntax, a, b, "have no order");
    }
    if (sort == SORT_NULL || sort == SORT_LIST || sort == SORT_MAP)
        return wrong(c, syntax, a, b, "have no order");
    return &TYPE_BOOL;
}

static const struct type *check_in(struct checker *c, const struct syntax *syntax,
                                   struct expr_node *node, const struct type **types)
{
    const struct type *item = types[0], *from = types[1];
    int i;

    if (from->sort == SORT_LIST) {
        if (!type_comparable(item, from->item))
            return refuse(c, syntax->column, "%s is never in a list of which each is %s",
                          type_text(c, item), type_text(c, from->item));
        if (!check_value(c, node->kids[0], from->item))
            return NULL;
        for (i = 0; node->kids[1]->op == EXPR_LIST && i < node->kids[1]->kid_count; i++) {
            if (!check_value(c, node->kids[1]->kids[i], item))
                return NULL;
        }
        return &TYPE_BOOL;
    }
    if (!is_sort(from, SORT_MAP))
        return refuse(c, syntax->column, "expected a list or a map after 'in', found %s",
                      type_text(c, from));
    if (from->sort == SORT_MAP && !is_sort(item, SORT_TEXT))
        return refuse(c, syntax->column, "the keys of a map are texts, not %s", type_text(c, item));
    return &TYPE_BOOL;
}

static const struct type *sort_type_of(enum expr_sort sort)
{
    static const struct type *const TYPES[] = {
        [SORT_DYN] = &TYPE_DYN,       [SORT_NULL] = &TYPE_NULL,         [SORT_BOOL] = &TYPE_BOOL,
        [SORT_INT] = &TYPE_INT,       [SORT_TEXT] = &TYPE_TEXT,         [SORT_DATE] = &TYPE_DATE,
        [SORT_MOMENT] = &TYPE_MOMENT, [SORT_DURATION] = &TYPE_DURATION, [SORT_SPAN] = &TYPE_SPAN,
        [SORT_LIST] = &TYPE_LIST,     [SORT_MAP] = &TYPE_MAP,
    };

    return TYPES[sort];
}

static const char *sum_hint(const struct type *a, const struct type *b)
{
    if ((a->sort == SORT_DATE || a->sort == SORT_MOMENT) && b->sort == SORT_INT)
        return "; write days(n), months(n) or workdays(n)";
    if (a->sort == SORT_TEXT || b->sort == SORT_TEXT)
        return "; string(x) makes a text";
    return "";
}

static const struct type *check_sum(struct checker *c, const struct syntax *syntax,
                                    struct expr_node *node, const struct type **types)
{
    const struct type *a = types[0], *b = types[1];
    enum expr_sort known = a->sort != SORT_DYN ? a->sort : b->sort, sort;
    bool plain =
        known == SORT_INT || (node->op == EXPR_ADD && (known == SORT_TEXT || known == SORT_LIST));

    if (known == SORT_DYN)
        return &TYPE_DYN;
    if (plain && a->sort == b->sort) {
        if (known == SORT_LIST)
            return type_join(c->arena, a, b);
        return sort_type_of(known);
    }
    if (plain && (a->sort == SORT_DYN || b->sort == SORT_DYN))
        return &TYPE_DYN;
    sort = expr_time_sort(node->op, a->sort, b->sort);
    if (sort == SORT_NULL)
        return refuse(c, syntax->column, "%s and %s have no %s%s", type_text(c, a), type_text(c, b),
                      node->op == EXPR_ADD        ? "sum"
                      : node->op == EXPR_SUBTRACT ? "difference"
                                                  : "product",
                      sum_hint(a, b));
    return a->sort == SORT_DYN || b->sort == SORT_DYN ? &TYPE_DYN : sort_type_of(sort);
}

static const struct binary_rule {
    enum expr_op op;
    operator_check check;
} BINARY_RULES[] = {
    {EXPR_EQUAL, check_same},    {EXPR_UNEQUAL, check_same},
    {EXPR_LESS, check_order},    {EXPR_LESS_EQUAL, check_order},
    {EXPR_GREATER, check_order}, {EXPR_GREATER_EQUAL, check_order},
    {EXPR_IN, check_in},         {EXPR_ADD, check_sum},
    {EXPR_SUBTRACT, check_sum},  {EXPR_MULTIPLY, check_sum},
};

static const struct type *check_truth(struct checker *c, const struct syntax *syntax,
                                      struct expr_node **out)
{
    const struct type *type = check_node(c, syntax, out);

    if (type == NULL || is_sort(type, SORT_BOOL))
        return type;
    return refuse(c, syntax->column, "expected a truth value, found %s", type_text(c, type));
}

/* a && b && c is one node of three, whatever the length of the chain. */
static const struct type *check_logic(struct checker *c, const struct syntax *syntax,
                                      struct expr_node **out)
{
    const struct syntax *left = syntax;
    struct expr_node *node;
    int count = 1, i;

    for (; left->kind == SYNTAX_BINARY && left->op == syntax->op; left = left->kids[0])
        count++;
    node = make(c, syntax->op, syntax->column, count);
    if (check_truth(c, left, &node->kids[0]) == NULL)
        return NULL;
    for (i = count - 1, left = syntax; i > 0; i--, left = left->kids[0]) {
        if (check_truth(c, left->kids[1], &node->kids[i]) == NULL)
            return NULL;
    }
    *out = node;
    return &TYPE_BOOL;
}

static const struct type *check_binary(struct checker *c, const struct syntax *syntax,
                                       struct expr_node **out)
{
    const struct type *types[2];
    struct expr_node *node;
    size_t i;

    if (syntax->op == EXPR_AND || syntax->op == EXPR_OR)
        return check_logic(c, syntax, out);
    node = make(c, syntax->op, syntax->column, 2);
    if ((types[0] = check_node(c, syntax->kids[0], &node->kids[0])) == NULL ||
        (types[1] = check_node(c, syntax->kids[1], &node->kids[1])) == NULL)
        return NULL;
    *out = node;
    for (i = 0; i < sizeof BINARY_RULES / sizeof BINARY_RULES[0]; i++) {
        if (BINARY_RULES[i].op == syntax->op)
            return BINARY_RULES[i].check(c, syntax, node, types);
    }
    return refuse(c, syntax->column, "unknown operator");
}

static const struct type *check_unary(struct checker *c, const struct syntax *syntax,
                                      struct expr_node **out)
{
    struct expr_node *node = make(c, syntax->op, syntax->column, 1);
    const struct type *type;

    *out = node;
    if (syntax->op == EXPR_NOT)
        return check_truth(c, syntax->kids[0], &node->kids[0]) == NULL ? NULL : &TYPE_BOOL;
    type = check_node(c, syntax->kids[0], &node->kids[0]);
    if (type == NULL || is_sort(type, SORT_INT) || type->sort == SORT_DURATION)
        return type;
    return refuse(c, syntax->column, "expected a number after '-', found %s", type_text(c, type));
}

static const struct type *check_choose(struct checker *c, const struct syntax *syntax,
                                       struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_CHOOSE, syntax->column, 3);
    const struct type *a, *b;

    if (check_truth(c, syntax->kids[0], &node->kids[0]) == NULL ||
        (a = check_node(c, syntax->kids[1], &node->kids[1])) == NULL ||
        (b = check_node(c, syntax->kids[2], &node->kids[2])) == NULL)
        return NULL;
    *out = node;
    /* A value or nothing: what `set` gives a field, or empties it with. */
    if (a->sort == SORT_NULL || b->sort == SORT_NULL)
        return a->sort == b->sort ? a : &TYPE_DYN;
    if (a->sort != b->sort && a->sort != SORT_DYN && b->sort != SORT_DYN)
        return wrong(c, syntax, a, b, "cannot be the two ends of one choice");
    return type_join(c->arena, a, b);
}

/* ---- functions ---- */

#define BIT(sort) (1u << (sort))

enum { SIZED = BIT(SORT_TEXT) | BIT(SORT_LIST) | BIT(SORT_MAP) };

static const struct function {
    const char *name, *use; /* how it is written */
    enum expr_op op;
    bool method;    /* x.name(y) */
    unsigned takes; /* sorts of x */
    const struct type *gives;
} FUNCTIONS[] = {
    {"size", "size(x)", EXPR_SIZE, false, SIZED, &TYPE_INT},
    {"startsWith", "text.startsWith(text)", EXPR_STARTS, true, BIT(SORT_TEXT), &TYPE_BOOL},
    {"endsWith", "text.endsWith(text)", EXPR_ENDS, true, BIT(SORT_TEXT), &TYPE_BOOL},
    {"contains", "text.contains(text)", EXPR_CONTAINS, true, BIT(SORT_TEXT), &TYPE_BOOL},
    {"days", "days(n)", EXPR_DAYS, false, BIT(SORT_INT), &TYPE_SPAN},
    {"months", "months(n)", EXPR_MONTHS, false, BIT(SORT_INT), &TYPE_SPAN},
    {"workdays", "workdays(n)", EXPR_WORKDAYS, false, BIT(SORT_INT), &TYPE_SPAN},
    {"timestamp", "timestamp('2026-01-31T12:00:00Z')", EXPR_TO_MOMENT, false,
     BIT(SORT_TEXT) | BIT(SORT_INT) | BIT(SORT_MOMENT) | BIT(SORT_DATE), &TYPE_MOMENT},
    {"duration", "duration('1h30m')", EXPR_TO_DURATION, false, BIT(SORT_TEXT) | BIT(SORT_DURATION),
     &TYPE_DURATION},
    {"date", "date('2026-01-31')", EXPR_TO_DATE, false,
     BIT(SORT_TEXT) | BIT(SORT_DATE) | BIT(SORT_MOMENT), &TYPE_DATE},
    {"int", "int(x)", EXPR_TO_INT, false, BIT(SORT_TEXT) | BIT(SORT_INT) | BIT(SORT_MOMENT),
     &TYPE_INT},
    {"string", "string(x)", EXPR_TO_TEXT, false,
     BIT(SORT_TEXT) | BIT(SORT_INT) | BIT(SORT_BOOL) | BIT(SORT_DATE) | BIT(SORT_MOMENT) |
         BIT(SORT_DURATION) | BIT(SORT_SPAN),
     &TYPE_TEXT},
};

/* row.with({'level': 6}): the row, with these columns set. What is laid over must be a map that is written out here, so
 * that its names can be checked. */
static const struct type *check_with(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_WITH, syntax->column, 2);
    const struct type *map, *member;
    int i;

    if (syntax->kind != SYNTAX_METHOD || syntax->kid_count != 2 ||
        syntax->kids[1]->kind != SYNTAX_MAP)
        return refuse(c, syntax->column, "write row.with({'column': value})");
    map = check_node(c, syntax->kids[0], &node->kids[0]);
    if (map == NULL || check_node(c, syntax->kids[1], &node->kids[1]) == NULL)
        return NULL;
    if (!is_sort(map, SORT_MAP))
        return refuse(c, syntax->column, "%s has no parts to set", type_text(c, map));
    for (i = 0; i + 1 < node->kids[1]->kid_count; i += 2) {
        const struct expr_node *key = node->kids[1]->kids[i], *value = node->kids[1]->kids[i + 1];

        member = key->op != EXPR_CONST
                     ? &TYPE_DYN
                     : key_type(c, syntax->kids[1]->kids[i], map, value_slice(&key->constant));
        if (member == NULL)
            return NULL;
        if (member->sort != SORT_DYN && value->sort != SORT_DYN && value->sort != member->sort)
            return refuse(c, syntax->kids[1]->kids[i + 1]->column, "'%.*s' holds %s, not %s",
                          TEXT_ARG(value_slice(&key->constant)), type_text(c, member),
                          expr_sort_name(value->sort));
    }
    *out = node;
    return map;
}

static const struct type *check_distinct(struct checker *c, const struct syntax *syntax,
                                         struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_DISTINCT, syntax->column, 1);
    const struct type *list;

    if (syntax->kind != SYNTAX_METHOD || syntax->kid_count != 1)
        return refuse(c, syntax->column, "write list.distinct()");
    list = check_node(c, syntax->kids[0], &node->kids[0]);
    if (list != NULL && !is_sort(list, SORT_LIST))
        return refuse(c, syntax->column, "%s is no list", type_text(c, list));
    *out = node;
    return list;
}

/* [[1, 2], [3]].flatten(): the elements of the elements, in their order. */
static const struct type *check_flatten(struct checker *c, const struct syntax *syntax,
                                        struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_FLATTEN, syntax->column, 1);
    const struct type *list;

    if (syntax->kind != SYNTAX_METHOD || syntax->kid_count != 1)
        return refuse(c, syntax->column, "write list.flatten()");
    list = check_node(c, syntax->kids[0], &node->kids[0]);
    if (list == NULL)
        return NULL;
    if (!is_sort(list, SORT_LIST) || (list->sort == SORT_LIST && !is_sort(list->item, SORT_LIST)))
        return refuse(c, syntax->column, "%s is no list of lists", type_text(c, list));
    *out = node;
    return list->sort == SORT_LIST && list->item->sort == SORT_LIST ? list->item : &TYPE_LIST;
}

static const struct type *check_join(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    struct expr_node *node = make(c, EXPR_JOIN, syntax->column, 2);
    const struct type *list, *between;

    if (syntax->kind != SYNTAX_METHOD || syntax->kid_count != 2)
        return refuse(c, syntax->column, "write list.join(', ')");
    list = check_node(c, syntax->kids[0], &node->kids[0]);
    if (list == NULL || (between = check_node(c, syntax->kids[1], &node->kids[1])) == NULL)
        return NULL;
    if (!is_sort(list, SORT_LIST) || (list->sort == SORT_LIST && !is_sort(list->item, SORT_TEXT) &&
                                      list->item->sort != SORT_DATE))
        return refuse(c, syntax->column, "join() puts texts together, not %s", type_text(c, list));
    if (!is_sort(between, SORT_TEXT))
        return refuse(c, syntax->kids[1]->column, "join() takes the text between, not %s",
                      type_text(c, between));
    *out = node;
    return &TYPE_TEXT;
}

/* Functions whose result depends on what they are given. */
static const struct shaped {
    const char *name;
    const struct type *(*check)(struct checker *, const struct syntax *, struct expr_node **);
} SHAPED[] = {{"with", check_with},
              {"distinct", check_distinct},
              {"flatten", check_flatten},
              {"join", check_join}};

static const struct macro {
    const char *name;
    enum expr_op op;
} MACROS[] = {
    {"all", EXPR_ALL},       {"exists", EXPR_EXISTS}, {"exists_one", EXPR_EXISTS_ONE},
    {"filter", EXPR_FILTER}, {"map", EXPR_TRANSFORM},
};

/* A conversion of a literal is done now, so that a wrong one is found now. */
static const struct type *fold(struct checker *c, struct expr_node *node, const struct type *type,
                               const struct type *gives)
{
    struct error err;

    if (node->kids[0]->op != EXPR_CONST || node->op < EXPR_DAYS || node->op > EXPR_TO_TEXT ||
        (node->op == EXPR_TO_MOMENT && type->sort == SORT_DATE) ||
        (node->op == EXPR_TO_DATE && type->sort == SORT_MOMENT)) /* these ask for the zone */
        return gives;
    if (expr_convert(node->op, &node->kids[0]->constant, type->sort, NULL, c->arena,
                     &node->constant, &err) != 0)
        return refuse(c, node->kids[0]->column, "%s", err.text);
    node->op = EXPR_CONST;
    node->kid_count = 0;
    return gives;
}

static const struct type *check_function(struct checker *c, const struct syntax *syntax,
                                         const struct function *function, struct expr_node **out)
{
    bool is_method = syntax->kind == SYNTAX_METHOD;
    int count = function->method ? 2 : 1;
    struct expr_node *node = make(c, function->op, syntax->column, count);
    const struct type *type = NULL, *first = NULL;
    int i;

    if (syntax->kid_count != count ||
        (is_method && !function->method && function->op != EXPR_SIZE) ||
        (!is_method && function->method))
        return refuse(c, syntax->column, "write %s", function->use);
    for (i = 0; i < count; i++) {
        type = check_node(c, syntax->kids[i], &node->kids[i]);
        if (type == NULL)
            return NULL;
        if (type->sort != SORT_DYN && (function->takes & BIT(type->sort)) == 0)
            return refuse(c, syntax->kids[i]->column, "%s does not take %s", function->use,
                          type_text(c, type));
        first = i == 0 ? type : first;
    }
    *out = node;
    return fold(c, node, first, function->gives);
}

static const struct type *check_has(struct checker *c, const struct syntax *syntax,
                                    struct expr_node **out)
{
    struct expr_node *node;

    if (syntax->kid_count != 1)
        return refuse(c, syntax->column, "write has(record.field)");
    if (check_node(c, syntax->kids[0], out) == NULL)
        return NULL;
    node = *out;
    if (node->op != EXPR_SELECT)
        return refuse(c, syntax->kids[0]->column,
                      "has() asks for a part of something, like record.field");
    node->op = EXPR_HAS;
    node->or_empty = false;
    return &TYPE_BOOL;
}

static const struct type *macro_type(struct checker *c, const struct macro *macro,
                                     const struct type *range, const struct type *item,
                                     const struct type *body)
{
    if (macro->op == EXPR_FILTER)
        return range->sort == SORT_LIST ? range : type_list(c->arena, item);
    return macro->op == EXPR_TRANSFORM ? type_list(c->arena, body) : &TYPE_BOOL;
}

static const struct type *check_macro_body(struct checker *c, const struct syntax *syntax,
                                           const struct macro *macro, struct expr_node *node)
{
    const struct type *body = &TYPE_BOOL;
    int i;

    for (i = 1; i < node->kid_count; i++) {
        bool is_result = macro->op == EXPR_TRANSFORM && i == node->kid_count - 1;

        body = is_result ? check_node(c, syntax->kids[i + 1], &node->kids[i])
                         : check_truth(c, syntax->kids[i + 1], &node->kids[i]);
        if (body == NULL)
            return NULL;
    }
    return body;
}

static const struct type *check_macro(struct checker *c, const struct syntax *syntax,
                                      const struct macro *macro, struct expr_node **out)
{
    bool three = syntax->kid_count == 4 && macro->op == EXPR_TRANSFORM;
    struct expr_node *node = make(c, macro->op, syntax->column, three ? 3 : 2);
    const struct type *range, *item, *body;

    if (syntax->kid_count != 3 && !three)
        return refuse(c, syntax->column, "write list.%s(x, condition about x)", macro->name);
    if (syntax->kids[1]->kind != SYNTAX_NAME)
        return refuse(c, syntax->kids[1]->column, "expected a name for the element");
    range = check_node(c, syntax->kids[0], &node->kids[0]);
    if (range == NULL)
        return NULL;
    if (!is_sort(range, SORT_LIST) && range->sort != SORT_MAP)
        return refuse(c, syntax->column, "%s() goes over a list or a map, not %s", macro->name,
                      type_text(c, range));
    if (c->local_count == EXPR_DEPTH_MAX)
        return refuse(c, syntax->column, "nested too deeply");
    item = range->sort == SORT_LIST  ? range->item
           : range->sort == SORT_MAP ? &TYPE_TEXT
                                     : &TYPE_DYN;
    node->slot = c->local_count;
    c->locals[c->local_count++] = (struct local){syntax->kids[1]->text, item};
    body = check_macro_body(c, syntax, macro, node);
    c->local_count--;
    *out = node;
    return body == NULL ? NULL : macro_type(c, macro, range, item, body);
}

static const struct type *check_call(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    struct nearest nearest = nearest_to(syntax->text);
    size_t i;

    for (i = 0; syntax->kind == SYNTAX_METHOD && i < sizeof MACROS / sizeof MACROS[0]; i++) {
        if (slice_is(syntax->text, MACROS[i].name))
            return check_macro(c, syntax, &MACROS[i], out);
        nearest_offer(&nearest, MACROS[i].name);
    }
    if (syntax->kind == SYNTAX_CALL && slice_is(syntax->text, "has"))
        return check_has(c, syntax, out);
    for (i = 0; i < sizeof SHAPED / sizeof SHAPED[0]; i++) {
        if (slice_is(syntax->text, SHAPED[i].name))
            return SHAPED[i].check(c, syntax, out);
        nearest_offer(&nearest, SHAPED[i].name);
    }
    for (i = 0; i < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; i++) {
        if (slice_is(syntax->text, FUNCTIONS[i].name))
            return check_function(c, syntax, &FUNCTIONS[i], out);
        nearest_offer(&nearest, FUNCTIONS[i].name);
    }
    return unknown(c, syntax, "function", &nearest);
}

static const struct type *check_kind(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    typedef const struct type *(*kind_check)(struct checker *, const struct syntax *,
                                             struct expr_node **);
    static const kind_check CHECKS[] = {
        [SYNTAX_CONST] = check_const,   [SYNTAX_NAME] = check_name,
        [SYNTAX_SELECT] = check_select, [SYNTAX_INDEX] = check_index,
        [SYNTAX_CALL] = check_call,     [SYNTAX_METHOD] = check_call,
        [SYNTAX_LIST] = check_list,     [SYNTAX_MAP] = check_map,
        [SYNTAX_UNARY] = check_unary,   [SYNTAX_BINARY] = check_binary,
        [SYNTAX_CHOOSE] = check_choose,
    };

    return CHECKS[syntax->kind](c, syntax, out);
}

static const struct type *check_node(struct checker *c, const struct syntax *syntax,
                                     struct expr_node **out)
{
    const struct type *type;

    if (c->depth >= EXPR_DEPTH_MAX)
        return refuse(c, syntax->column, "nested more than %d deep", EXPR_DEPTH_MAX);
    c->depth++;
    type = check_kind(c, syntax, out);
    c->depth--;
    if (type == NULL)
        return NULL;
    (*out)->sort = (*out)->op == EXPR_HAS ? SORT_BOOL : type->sort;
    c->uses |= type->uses;
    return type;
}

struct expr *condition_pending(struct arena *arena, const char *text, struct where where)
{
    struct expr *expr = arena_zero(arena, sizeof *expr);

    expr->text = text;
    expr->file = where.file;
    expr->line = where.line;
    return expr;
}

const struct type *condition_check(struct arena *arena, const struct condition_scope *scope,
                                   struct expr *expr, struct fault *fault)
{
    struct checker c = {.arena = arena, .scope = scope, .fault = fault};
    const struct type *type;
    struct expr_node *root;
    struct syntax *syntax;

    if (syntax_read(arena, slice_str(expr->text), &syntax, fault) != 0)
        return NULL;
    type = check_node(&c, syntax, &root);
    if (type == NULL)
        return NULL;
    expr->uses = c.uses;
    expr->sort = type->sort;
    expr->root = root;
    return type;
}

int condition_compile(struct arena *arena, const struct condition_scope *scope, const char *text,
                      struct where where, struct expr **out, struct error *err)
{
    struct expr *expr = condition_pending(arena, arena_str(arena, text), where);
    struct fault fault;

    if (condition_check(arena, scope, expr, &fault) == NULL)
        return error_set(err, ERROR_INPUT, "%s:%d: column %d: %s", where.file, where.line,
                         fault.column, fault.text);
    *out = expr;
    return 0;
}
