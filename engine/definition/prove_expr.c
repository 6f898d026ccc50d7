/* prove_expr.c - what is known of an expression before there are data. */
#include "core/expr_build.h"
#include "definition/prove_inside.h"

/* ---- truth ---- */

/* Macros may take many steps, and what is read of links is never absent: neither is evaluated. */
static bool is_plain(const struct expr_node *node)
{
    if (node->op >= EXPR_ALL || node->or_empty)
        return false;
    for (int i = 0; i < node->kid_count; i++) {
        if (!is_plain(node->kids[i]))
            return false;
    }
    return true;
}

enum truth truth_of(const struct expr *when, const char *state, const char *event)
{
    struct value scope = value_map(), out = VALUE_NONE;
    struct arena arena = ARENA_EMPTY;
    enum truth truth = MAYBE;

    if (when == NULL)
        return ALWAYS;
    if (when->root == NULL || !is_plain(when->root))
        return MAYBE;
    if (state != NULL)
        value_set(&arena, &scope, "state", value_str(state));
    if (event != NULL)
        value_set(&arena, &scope, "event", value_str(event));
    /* Everything else is absent, so that what depends on it is an error: neither true nor false. */
    if (expr_eval(when, &scope, NULL, &arena, &out, NULL) == 0 && out.type == VALUE_BOOL)
        truth = out.as.number != 0 ? ALWAYS : NEVER;
    arena_release(&arena);
    return truth;
}

/* ---- names ---- */

static bool node_reads(const struct expr_node *node, const char *name)
{
    if (node->op == EXPR_NAME && slice_is(node->name, name))
        return true;
    for (int i = 0; i < node->kid_count; i++) {
        if (node_reads(node->kids[i], name))
            return true;
    }
    return false;
}

bool expr_reads(const struct expr *expr, const char *name)
{
    return expr != NULL && expr->root != NULL && node_reads(expr->root, name);
}

static bool node_reads_set(const struct expr_node *node, const struct transition *row)
{
    if (node->op == EXPR_SELECT && node->kids[0]->op == EXPR_NAME &&
        slice_is(node->kids[0]->name, "record")) {
        for (int i = 0; i < row->set_count; i++) {
            if (slice_is(node->name, row->set[i].field))
                return true;
        }
    }
    for (int i = 0; i < node->kid_count; i++) {
        if (node_reads_set(node->kids[i], row))
            return true;
    }
    return false;
}

bool expr_reads_set(const struct expr *expr, const struct transition *row)
{
    return expr != NULL && expr->root != NULL && node_reads_set(expr->root, row);
}

static bool names_something(const struct expr_node *node)
{
    if (node->op == EXPR_NAME)
        return true;
    for (int i = 0; i < node->kid_count; i++) {
        if (names_something(node->kids[i]))
            return true;
    }
    return false;
}

bool expr_is_fixed(const struct expr *expr)
{
    return expr != NULL && expr->root != NULL && !names_something(expr->root);
}

/* What a filter asks adds nothing to what it is asked of. */
static bool node_grows(const struct expr_node *node)
{
    static const char *const GROWING[] = {"links", "valid", "open", "recent"};

    if (node->op == EXPR_FILTER)
        return node_grows(node->kids[0]);
    for (size_t i = 0; node->op == EXPR_NAME && i < sizeof GROWING / sizeof GROWING[0]; i++) {
        if (slice_is(node->name, GROWING[i]))
            return true;
    }
    for (int i = 0; i < node->kid_count; i++) {
        if (node_grows(node->kids[i]))
            return true;
    }
    return false;
}

bool expr_grows(const struct expr *expr)
{
    return expr != NULL && expr->root != NULL && node_grows(expr->root);
}

/* ---- numbers ---- */

static bool collect(const struct expr_node *node, int64_t out[NUMBERS_MAX], int *count)
{
    if (node->op == EXPR_CHOOSE)
        return collect(node->kids[1], out, count) && collect(node->kids[2], out, count);
    if (node->op != EXPR_CONST || node->constant.type != VALUE_INT || *count == NUMBERS_MAX)
        return false;
    out[(*count)++] = node->constant.as.number;
    return true;
}

int numbers_of(const struct expr *expr, int64_t out[NUMBERS_MAX])
{
    int count = 0;

    return expr != NULL && expr->root != NULL && collect(expr->root, out, &count) ? count : 0;
}

/* ---- of which kinds is the record that an expression names? ---- */

struct origins {
    bool kinds[KINDS_MAX];
    bool any; /* it may be of any kind */
};

struct tracing {
    const struct pack *pack;
    const struct rule *rule;
    struct origins locals[EXPR_DEPTH_MAX];
};

static void trace(struct tracing *t, const struct expr_node *node, struct origins *out);

static void join(struct origins *into, const struct origins *other)
{
    into->any = into->any || other->any;
    for (int i = 0; i < KINDS_MAX; i++)
        into->kinds[i] = into->kinds[i] || other->kinds[i];
}

static void add_kind(struct tracing *t, struct slice name, struct origins *out)
{
    for (int i = 0; i < t->pack->kind_count; i++) {
        if (slice_is(name, t->pack->kinds[i].name))
            out->kinds[i] = true;
    }
}

static void add_ref(struct tracing *t, const struct field *field, struct origins *out)
{
    if (field->type != FIELD_REF || field->of.count == 0)
        out->any = true;
    for (int i = 0; field->type == FIELD_REF && i < field->of.count; i++)
        add_kind(t, slice_str(field->of.at[i]), out);
}

/* A field, or a column of a table, of a kind's records. A table stands for the records that hold it. */
static void add_member(struct tracing *t, int kind, struct slice name, struct origins *out)
{
    const struct kind *k = &t->pack->kinds[kind];
    const struct field *field = kind_field(k, name);
    bool is_known = field != NULL;

    if (slice_is(name, "id") || (field != NULL && field->type == FIELD_TABLE))
        out->kinds[kind] = is_known = true;
    else if (field != NULL)
        add_ref(t, field, out);
    for (int f = 0; f < k->field_count; f++) {
        for (int c = 0; c < k->fields[f].column_count; c++) {
            if (!slice_is(name, k->fields[f].columns[c].name))
                continue;
            add_ref(t, &k->fields[f].columns[c], out);
            is_known = true;
        }
    }
    out->any = out->any || !is_known;
}

/* Maps from kinds to their records. */
static bool is_by_kind(struct slice name)
{
    return slice_is(name, "links") || slice_is(name, "valid") || slice_is(name, "open") ||
           slice_is(name, "recent");
}

static void trace_select(struct tracing *t, const struct expr_node *node, struct origins *out)
{
    const struct expr_node *of = node->kids[0];
    struct origins from = {{false}, false};

    if (of->op == EXPR_NAME && is_by_kind(of->name)) {
        add_kind(t, node->name, out);
        return;
    }
    /* refs.FIELD are the records that record.FIELD names. */
    if (of->op == EXPR_NAME && (slice_is(of->name, "record") || slice_is(of->name, "refs")))
        from.kinds[t->rule->kind] = true;
    else
        trace(t, of, &from);
    out->any = out->any || from.any;
    for (int i = 0; i < t->pack->kind_count; i++) {
        if (from.kinds[i])
            add_member(t, i, node->name, out);
    }
}

static void trace_kids(struct tracing *t, const struct expr_node *node, int first,
                       struct origins *out)
{
    for (int i = first; i < node->kid_count; i++)
        trace(t, node->kids[i], out);
}

static void trace(struct tracing *t, const struct expr_node *node, struct origins *out)
{
    if (node->op == EXPR_SELECT) {
        trace_select(t, node, out);
    } else if (node->op == EXPR_LOCAL && node->slot >= 0 && node->slot < EXPR_DEPTH_MAX) {
        join(out, &t->locals[node->slot]);
    } else if (node->op == EXPR_NAME && slice_is(node->name, "row") && t->rule->each != NULL) {
        trace(t, t->rule->each->root, out);
    } else if (node->op == EXPR_LIST || node->op == EXPR_ADD) {
        trace_kids(t, node, 0, out);
    } else if (node->op == EXPR_CHOOSE) {
        trace_kids(t, node, 1, out);
    } else if (node->op == EXPR_FILTER || node->op == EXPR_INDEX) {
        trace(t, node->kids[0], out);
    } else if (node->op == EXPR_TRANSFORM && node->slot >= 0 && node->slot < EXPR_DEPTH_MAX) {
        struct origins element = {{false}, false}; /* `row` may use the same slot meanwhile */

        trace(t, node->kids[0], &element);
        t->locals[node->slot] = element;
        trace(t, node->kids[node->kid_count - 1], out);
    } else {
        out->any = true;
    }
}

static bool answers(const struct kind *kind, const char *event)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        if (strcmp(kind->lifecycle->transitions[i].event, event) == 0)
            return true;
    }
    return false;
}

void signal_kinds(const struct pack *pack, const struct rule *rule, bool kinds[KINDS_MAX])
{
    struct tracing t = {.pack = pack, .rule = rule};
    struct origins out = {{false}, false};

    memset(kinds, 0, sizeof(bool) * KINDS_MAX);
    if (rule->signal == NULL || rule->signal_to == NULL || rule->signal_to->root == NULL)
        return;
    trace(&t, rule->signal_to->root, &out);
    for (int i = 0; i < pack->kind_count; i++)
        kinds[i] = (out.any || out.kinds[i]) && answers(&pack->kinds[i], rule->signal);
}
