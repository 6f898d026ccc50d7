/* syntax.h - the text of a condition as a tree, before any name or type is known: the grammar of CEL
 * (github.com/google/cel-spec, langdef) without floating point, bytes, unsigned numbers, / and %, and messages. */
#ifndef ROTA_DEFINITION_SYNTAX_H
#define ROTA_DEFINITION_SYNTAX_H

#include "core/expr_build.h"

enum { CONDITION_BYTES_MAX = 8192, CONDITION_ARGUMENTS_MAX = 256, FAULT_TEXT_MAX = 256 };

/* What is wrong with a condition and where, in characters from 1. */
struct fault {
    int column;
    char text[FAULT_TEXT_MAX];
};

int fault_set(struct fault *fault, int column, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* gives -1 */

enum syntax_kind {
    SYNTAX_CONST,  /* constant */
    SYNTAX_NAME,   /* text */
    SYNTAX_SELECT, /* kid . text */
    SYNTAX_INDEX,  /* kid [ kid ] */
    SYNTAX_CALL,   /* text ( kids ) */
    SYNTAX_METHOD, /* kid . text ( other kids ) */
    SYNTAX_LIST,   /* kids */
    SYNTAX_MAP,    /* key, value, key, value ... */
    SYNTAX_UNARY,  /* op kid */
    SYNTAX_BINARY, /* kid op kid */
    SYNTAX_CHOOSE  /* kid ? kid : kid */
};

struct syntax {
    enum syntax_kind kind;
    enum expr_op op;
    int column;
    struct slice text;
    struct value constant;
    struct syntax **kids;
    int kid_count;
};

/* The tree in `arena`; it lends from `text`. Trees nest at most EXPR_DEPTH_MAX deep in brackets; chains of
 * operators may be longer. */
int syntax_read(struct arena *arena, struct slice text, struct syntax **out, struct fault *fault);

#endif
