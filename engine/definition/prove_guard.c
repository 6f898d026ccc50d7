/* prove_guard.c - conditions that no record can ever meet, because of what its fields can hold.
 *
 * Two things are known of a field before there are data: an int that people enter lies within `min` and `max`, and a table
 * has no more rows than `max` (it may have fewer than `min` until it is complete); and a computed field that neither the engine nor a row nor a rule sets is always absent, so that
 * whatever reads it is an error, which holds no condition. What an expression sets is not held to bounds, so that a field
 * that is set somewhere may hold anything.
 *
 * Followed are `&&`, `||` and the plain operations; whatever is within a macro may be met. */
#include "core/expr_build.h"
#include "core/span.h"
#include "definition/prove_inside.h"

struct guard {
    const struct proof *proof;
    int kind;
    const char *why; /* found last */
};

/* ---- what a field can hold ---- */

static bool sets(const struct setting *set, int count, const char *field)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(set[i].field, field) == 0)
            return true;
    }
    return false;
}

static bool is_set_somewhere(const struct proof *proof, int kind, const char *name)
{
    const struct lifecycle *l = proof->pack->kinds[kind].lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (sets(l->transitions[i].set, l->transitions[i].set_count, name))
            return true;
    }
    for (int i = 0; i < proof->pack->rule_count; i++) {
        const struct rule *rule = &proof->pack->rules[i];

        if (rule->starts == kind &&
            (sets(rule->set, rule->set_count, name) || sets(rule->due, rule->due_count, name)))
            return true;
    }
    return false;
}

bool is_ever_filled(const struct proof *proof, int kind, const char *name)
{
    static const char *const ENGINES[] = {"retain_until", "imports", "occurrences", "last_seen"};
    const struct field *field = kind_field(&proof->pack->kinds[kind], slice_str(name));

    if (field == NULL || !field->computed || field->preset.type != VALUE_NIL)
        return true;
    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++) {
        if (strcmp(name, ENGINES[i]) == 0)
            return true;
    }
    if (strcmp(name, "next_review_due") == 0 &&
        !span_is_zero(&proof->pack->kinds[kind].review_every))
        return true;
    return is_set_somewhere(proof, kind, name);
}

/* ---- an expression ---- */

/* record.FIELD, or NULL. */
static const struct field *field_of(const struct guard *guard, const struct expr_node *node)
{
    if ((node->op != EXPR_SELECT && node->op != EXPR_HAS) || node->kids[0]->op != EXPR_NAME ||
        !slice_is(node->kids[0]->name, "record"))
        return NULL;
    return kind_field(&guard->proof->pack->kinds[guard->kind], node->name);
}

static bool is_absent(struct guard *guard, const struct field *field)
{
    if (field == NULL || is_ever_filled(guard->proof, guard->kind, field->name))
        return false;
    guard->why = arena_printf(guard->proof->arena,
                              "nothing ever sets the computed field '%s' (%s:%d); let the 'set' of "
                              "an event do that, or ask for another field",
                              field->name, field->where.file, field->where.line);
    return true;
}

/* Has it no value, whatever the data? */
static bool is_error(struct guard *guard, const struct expr_node *node)
{
    int kids = node->op == EXPR_CHOOSE || node->op >= EXPR_ALL ? 1 : node->kid_count;

    if (node->op == EXPR_HAS || node->op == EXPR_AND || node->op == EXPR_OR)
        return false;
    if (node->op == EXPR_SELECT && !node->or_empty && is_absent(guard, field_of(guard, node)))
        return true;
    for (int i = 0; i < kids; i++) {
        if (is_error(guard, node->kids[i]))
            return true;
    }
    return false;
}

/* `a OP b` as `b OP a`. */
static enum expr_op turned(enum expr_op op)
{
    return op == EXPR_LESS            ? EXPR_GREATER
           : op == EXPR_LESS_EQUAL    ? EXPR_GREATER_EQUAL
           : op == EXPR_GREATER       ? EXPR_LESS
           : op == EXPR_GREATER_EQUAL ? EXPR_LESS_EQUAL
                                      : op;
}

/* The field whose bounds say what this number can be, or NULL. */
static const struct field *measured(const struct guard *guard, const struct expr_node *node)
{
    bool is_size = node->op == EXPR_SIZE;
    const struct field *field = field_of(guard, is_size ? node->kids[0] : node);

    if (field == NULL || field->list || field->type != (is_size ? FIELD_TABLE : FIELD_INT) ||
        (field->min == 0 && field->max == 0) ||
        is_set_somewhere(guard->proof, guard->kind, field->name))
        return NULL;
    return field;
}

static bool is_too_little(enum expr_op op, int64_t least, int64_t than)
{
    return op == EXPR_LESS ? least >= than
                           : (op == EXPR_LESS_EQUAL || op == EXPR_EQUAL) && least > than;
}

static bool is_too_much(enum expr_op op, int64_t most, int64_t than)
{
    return op == EXPR_GREATER ? most <= than
                              : (op == EXPR_GREATER_EQUAL || op == EXPR_EQUAL) && most < than;
}

static bool is_out_of_bounds(struct guard *guard, const struct expr_node *node)
{
    bool is_turned = node->kids[0]->op == EXPR_CONST;
    const struct expr_node *number = node->kids[is_turned ? 0 : 1];
    const struct field *field = measured(guard, node->kids[is_turned ? 1 : 0]);
    enum expr_op op = is_turned ? turned(node->op) : node->op;
    bool is_above;

    if (field == NULL || number->op != EXPR_CONST || number->constant.type != VALUE_INT)
        return false;
    is_above = field->max != 0 && is_too_much(op, field->max, number->constant.as.number);
    if (!is_above &&
        (field->type == FIELD_TABLE || !is_too_little(op, field->min, number->constant.as.number)))
        return false;
    guard->why = arena_printf(
        guard->proof->arena,
        "it compares '%s' with %lld, and that is at %s %lld (%s:%d); compare with another number, "
        "or change the '%s' of the field",
        field->name, (long long)number->constant.as.number, is_above ? "most" : "least",
        (long long)(is_above ? field->max : field->min), field->where.file, field->where.line,
        is_above ? "max" : "min");
    return true;
}

static bool is_never(struct guard *guard, const struct expr_node *node)
{
    if (node->op == EXPR_AND)
        return is_never(guard, node->kids[0]) || is_never(guard, node->kids[1]);
    if (node->op == EXPR_OR)
        return is_never(guard, node->kids[0]) && is_never(guard, node->kids[1]);
    if (node->op == EXPR_HAS)
        return is_absent(guard, field_of(guard, node));
    if (is_error(guard, node))
        return true;
    return node->op >= EXPR_EQUAL && node->op <= EXPR_GREATER_EQUAL && node->op != EXPR_UNEQUAL &&
           is_out_of_bounds(guard, node);
}

const char *never_holds(const struct proof *proof, int kind, const struct expr *when)
{
    struct guard guard = {proof, kind, NULL};

    return when != NULL && when->root != NULL && is_never(&guard, when->root) ? guard.why : NULL;
}
