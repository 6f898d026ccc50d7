/* expr_build.h - what a compiled condition is made of. Only the compiler (definition/condition.c),
 * the proofs (definition/prove_expr.c) and the evaluator (expr.c) include this; everybody else has expr.h.
 *
 * The compiler promises: kids are there as each operation says, slots of locals are below EXPR_DEPTH_MAX, nodes
 * nest at most EXPR_DEPTH_MAX deep, and `sort` is what a node gives, SORT_DYN where only the value will tell.
 */
#ifndef ROTA_CORE_EXPR_BUILD_H
#define ROTA_CORE_EXPR_BUILD_H

#include "core/expr.h"

/* What a value means. Dates and spans are texts, moments and durations are integers, so the sort decides
 * what + and < do. */
enum expr_sort {
    SORT_DYN,
    SORT_NULL,
    SORT_BOOL,
    SORT_INT,
    SORT_TEXT,
    SORT_DATE,     /* str YYYY-MM-DD */
    SORT_MOMENT,   /* int, ms since the epoch */
    SORT_DURATION, /* int, ms */
    SORT_SPAN,     /* str, calendar span: span.h */
    SORT_LIST,
    SORT_MAP
};

const char *expr_sort_name(enum expr_sort sort); /* as people say it: "a text", "a date" */

enum expr_op {
    EXPR_CONST,  /* constant */
    EXPR_NAME,   /* name, of the scope */
    EXPR_LOCAL,  /* slot: the variable of a macro around it */
    EXPR_SELECT, /* [map] name; or_empty: an absent one is an empty list */
    EXPR_HAS,    /* [map] name */
    EXPR_INDEX,  /* [list or map, index] */
    EXPR_LIST,   /* items */
    EXPR_MAP,    /* key, value, key, value ... */
    EXPR_NOT,    /* [bool] */
    EXPR_MINUS,  /* [int or duration] */
    EXPR_AND,    /* [a, b] and so on */
    EXPR_OR,
    EXPR_CHOOSE, /* [condition, then, else] */
    EXPR_EQUAL,
    EXPR_UNEQUAL,
    EXPR_LESS,
    EXPR_LESS_EQUAL,
    EXPR_GREATER,
    EXPR_GREATER_EQUAL,
    EXPR_IN, /* [item, list or map] */
    EXPR_ADD,
    EXPR_SUBTRACT,
    EXPR_MULTIPLY,
    EXPR_SIZE,
    EXPR_STARTS, /* [text, text] */
    EXPR_ENDS,
    EXPR_CONTAINS,
    EXPR_WITH,     /* [map, map]: the first with the keys of the second laid over */
    EXPR_DISTINCT, /* [list]: each element once, where it first stands */
    EXPR_FLATTEN,  /* [list of lists]: one list */
    EXPR_JOIN,     /* [list of texts, text] */
    EXPR_DAYS,     /* [int] */
    EXPR_MONTHS,
    EXPR_WORKDAYS,
    EXPR_TO_MOMENT, /* timestamp(x) */
    EXPR_TO_DURATION,
    EXPR_TO_DATE,
    EXPR_TO_INT,
    EXPR_TO_TEXT,
    EXPR_ALL, /* [range, predicate], slot */
    EXPR_EXISTS,
    EXPR_EXISTS_ONE,
    EXPR_FILTER,
    EXPR_TRANSFORM, /* [range, result] or [range, predicate, result], slot */
    EXPR_OP_COUNT
};

struct expr_node {
    enum expr_op op;
    enum expr_sort sort;
    int column; /* in the text, from 1 */
    struct slice name;
    int slot;
    bool or_empty;
    struct value constant;
    struct expr_node **kids;
    int kid_count;
};

struct expr {
    const char *text;
    const char *file; /* where it stands */
    int line;
    unsigned uses;
    enum expr_sort sort;
    struct expr_node *root; /* NULL until it has been compiled */
};

#endif
