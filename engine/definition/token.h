/* token.h - the words of a condition. Only syntax.c reads them. */
#ifndef ROTA_DEFINITION_TOKEN_H
#define ROTA_DEFINITION_TOKEN_H

#include "definition/syntax.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_INT, TOKEN_TEXT, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    int column;
    struct slice raw;  /* as written; of a sign its one or two characters */
    uint64_t number;   /* TOKEN_INT: without sign, at most 2^63 */
    struct value text; /* TOKEN_TEXT: escapes resolved */
};

struct lexer {
    struct arena *arena;
    struct slice rest;
    int column;
    struct fault *fault;
};

int token_next(struct lexer *lexer, struct token *out);

#endif
