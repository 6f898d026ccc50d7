#include "definition/syntax.h"

#include "base/dmp.h"
#include "definition/token.h"

#include <stdarg.h>
#include <stdio.h>

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    struct arena *arena;
    struct fault *fault;
    int depth;
};

enum strength { CHOICE = 1, EITHER, BOTH, RELATION, SUM, PRODUCT, UNARY };

static const struct binary {
    const char *sign;
    enum strength strength;
    enum expr_op op;
} BINARIES[] = {
    {"||", EITHER, EXPR_OR},       {"&&", BOTH, EXPR_AND},
    {"==", RELATION, EXPR_EQUAL},  {"!=", RELATION, EXPR_UNEQUAL},
    {"<", RELATION, EXPR_LESS},    {"<=", RELATION, EXPR_LESS_EQUAL},
    {">", RELATION, EXPR_GREATER}, {">=", RELATION, EXPR_GREATER_EQUAL},
    {"in", RELATION, EXPR_IN},     {"+", SUM, EXPR_ADD},
    {"-", SUM, EXPR_SUBTRACT},     {"*", PRODUCT, EXPR_MULTIPLY},
};

int fault_set(struct fault *fault, int column, const char *format, ...)
{
    va_list args;

    fault->column = column;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return -1;
}

static struct syntax *parse(struct parser *p, enum strength least);

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && slice_is(p->token.raw, sign);
}

static int step(struct parser *p)
{
    return token_next(&p->lexer, &p->token);
}

static void *unexpected(struct parser *p, const char *wanted)
{
    if (p->token.kind == TOKEN_END)
        (void)fault_set(p->fault, p->token.column, "expected %s, found the end", wanted);
    else
        (void)fault_set(p->fault, p->token.column, "expected %s, found '%.*s'", wanted,
                        (int)(p->token.raw.len > 40 ? 40 : p->token.raw.len),
                        (const char *)p->token.raw.at);
    return NULL;
}

/* Takes the sign or says that it is missing. */
static int expect(struct parser *p, const char *sign)
{
    char wanted[8];

    if (is_sign(p, sign))
        return step(p);
    snprintf(wanted, sizeof wanted, "'%s'", sign);
    (void)unexpected(p, wanted);
    return -1;
}

static struct syntax *node(struct parser *p, enum syntax_kind kind, int column)
{
    struct syntax *made = arena_zero(p->arena, sizeof *made);

    made->kind = kind;
    made->column = column;
    return made;
}

static void adopt(struct parser *p, struct syntax *parent, struct syntax *kid)
{
    int count = parent->kid_count;

    if ((count & (count - 1)) == 0) { /* full: 0, 1, 2, 4, 8 ... */
        struct syntax **more =
            arena_zero(p->arena, sizeof(struct syntax *) * (size_t)(count == 0 ? 1 : 2 * count));

        if (count > 0)
            memcpy(more, parent->kids, sizeof(struct syntax *) * (size_t)count);
        parent->kids = more;
    }
    parent->kids[parent->kid_count++] = kid;
}

/* Items up to the closing sign, a comma between them and perhaps after the last; pairs have a colon. */
static int parse_items(struct parser *p, struct syntax *parent, const char *close, bool pairs)
{
    while (!is_sign(p, close)) {
        struct syntax *item = parse(p, CHOICE);

        if (item == NULL)
            return -1;
        adopt(p, parent, item);
        if (pairs) {
            if (expect(p, ":") != 0 || (item = parse(p, CHOICE)) == NULL)
                return -1;
            adopt(p, parent, item);
        }
        if (parent->kid_count > CONDITION_ARGUMENTS_MAX)
            return fault_set(p->fault, parent->column, "more than %d items",
                             CONDITION_ARGUMENTS_MAX);
        if (is_sign(p, close))
            break;
        if (!is_sign(p, ",")) {
            (void)unexpected(p, pairs ? "',' or '}'" : "',' or the closing bracket");
            return -1;
        }
        if (step(p) != 0)
            return -1;
    }
    return step(p);
}

static bool is_reserved(struct slice name)
{
    static const char *const RESERVED[] = {
        "as",     "break", "const", "continue", "else",      "for",    "function", "if",   "in",
        "import", "let",   "loop",  "package",  "namespace", "return", "var",      "void", "while"};
    size_t i;

    for (i = 0; i < sizeof RESERVED / sizeof RESERVED[0]; i++) {
        if (slice_is(name, RESERVED[i]))
            return true;
    }
    return false;
}

/* Other reserved words may name a part: m.package, but never m.true. */
static bool is_literal(struct slice name)
{
    return slice_is(name, "true") || slice_is(name, "false") || slice_is(name, "null") ||
           slice_is(name, "in");
}

static struct syntax *constant(struct parser *p, struct value value)
{
    struct syntax *made = node(p, SYNTAX_CONST, p->token.column);

    made->constant = value;
    return step(p) == 0 ? made : NULL;
}

static struct syntax *parse_name(struct parser *p)
{
    struct syntax *made;
    struct slice name = p->token.raw;

    if (slice_is(name, "true") || slice_is(name, "false"))
        return constant(p, value_bool(slice_is(name, "true")));
    if (slice_is(name, "null"))
        return constant(p, VALUE_NONE);
    if (is_reserved(name)) {
        (void)fault_set(p->fault, p->token.column, "'%.*s' is a reserved word", (int)name.len,
                        (const char *)name.at);
        return NULL;
    }
    made = node(p, SYNTAX_NAME, p->token.column);
    made->text = name;
    if (step(p) != 0)
        return NULL;
    if (!is_sign(p, "("))
        return made;
    made->kind = SYNTAX_CALL;
    return step(p) == 0 && parse_items(p, made, ")", false) == 0 ? made : NULL;
}

static struct syntax *parse_primary(struct parser *p)
{
    struct syntax *made;
    int column = p->token.column;

    if (p->token.kind == TOKEN_NAME)
        return parse_name(p);
    if (p->token.kind == TOKEN_TEXT)
        return constant(p, p->token.text);
    if (p->token.kind == TOKEN_INT) {
        if (p->token.number > INT64_MAX) {
            (void)fault_set(p->fault, column, "the number is out of range");
            return NULL;
        }
        return constant(p, value_int((int64_t)p->token.number));
    }
    if (is_sign(p, "(")) {
        if (step(p) != 0 || (made = parse(p, CHOICE)) == NULL || expect(p, ")") != 0)
            return NULL;
        return made;
    }
    if (is_sign(p, "[") || is_sign(p, "{")) {
        bool list = is_sign(p, "[");

        made = node(p, list ? SYNTAX_LIST : SYNTAX_MAP, column);
        return step(p) == 0 && parse_items(p, made, list ? "]" : "}", !list) == 0 ? made : NULL;
    }
    return unexpected(p, "a value");
}

static struct syntax *parse_member(struct parser *p, struct syntax *of)
{
    struct syntax *made;

    if (step(p) != 0)
        return NULL;
    if (p->token.kind != TOKEN_NAME || is_literal(p->token.raw))
        return unexpected(p, "a name after '.'");
    made = node(p, SYNTAX_SELECT, p->token.column);
    made->text = p->token.raw;
    adopt(p, made, of);
    if (step(p) != 0)
        return NULL;
    if (!is_sign(p, "("))
        return made;
    made->kind = SYNTAX_METHOD;
    return step(p) == 0 && parse_items(p, made, ")", false) == 0 ? made : NULL;
}

static struct syntax *parse_index(struct parser *p, struct syntax *of)
{
    struct syntax *made = node(p, SYNTAX_INDEX, p->token.column), *index;

    if (step(p) != 0 || (index = parse(p, CHOICE)) == NULL || expect(p, "]") != 0)
        return NULL;
    adopt(p, made, of);
    adopt(p, made, index);
    return made;
}

static struct syntax *parse_postfix(struct parser *p)
{
    struct syntax *made = parse_primary(p);

    while (made != NULL && (is_sign(p, ".") || is_sign(p, "[")))
        made = is_sign(p, ".") ? parse_member(p, made) : parse_index(p, made);
    return made;
}

/* "-" before a figure belongs to the number, so that the least number can be written. */
static struct syntax *parse_unary(struct parser *p)
{
    bool minus = is_sign(p, "-");
    struct syntax *made, *kid;
    int column = p->token.column;

    if (!minus && !is_sign(p, "!"))
        return parse_postfix(p);
    if (step(p) != 0)
        return NULL;
    if (minus && p->token.kind == TOKEN_INT) {
        p->token.column = column;
        return constant(p, value_int((int64_t)(0 - p->token.number)));
    }
    made = node(p, SYNTAX_UNARY, column);
    made->op = minus ? EXPR_MINUS : EXPR_NOT;
    kid = parse(p, UNARY);
    if (kid == NULL)
        return NULL;
    adopt(p, made, kid);
    return made;
}

static const struct binary *next_binary(struct parser *p)
{
    size_t i;

    if (p->token.kind != TOKEN_SIGN && p->token.kind != TOKEN_NAME)
        return NULL;
    for (i = 0; i < sizeof BINARIES / sizeof BINARIES[0]; i++) {
        if (slice_is(p->token.raw, BINARIES[i].sign))
            return &BINARIES[i];
    }
    return NULL;
}

static struct syntax *parse_choice(struct parser *p, struct syntax *condition)
{
    struct syntax *made = node(p, SYNTAX_CHOOSE, p->token.column), *then, *otherwise;

    if (step(p) != 0 || (then = parse(p, EITHER)) == NULL || expect(p, ":") != 0 ||
        (otherwise = parse(p, CHOICE)) == NULL)
        return NULL;
    adopt(p, made, condition);
    adopt(p, made, then);
    adopt(p, made, otherwise);
    return made;
}

static struct syntax *parse_chain(struct parser *p, enum strength least)
{
    struct syntax *left = parse_unary(p), *right, *made;
    const struct binary *binary;

    if (left == NULL)
        return NULL;
    while ((binary = next_binary(p)) != NULL && binary->strength >= least) {
        made = node(p, SYNTAX_BINARY, p->token.column);
        made->op = binary->op;
        if (step(p) != 0 || (right = parse(p, binary->strength + 1)) == NULL)
            return NULL;
        adopt(p, made, left);
        adopt(p, made, right);
        left = made;
    }
    if (least == CHOICE && is_sign(p, "?"))
        left = parse_choice(p, left);
    return left;
}

static struct syntax *parse(struct parser *p, enum strength least)
{
    struct syntax *made = NULL;

    if (p->depth >= 4 * EXPR_DEPTH_MAX) {
        (void)fault_set(p->fault, p->token.column, "nested too deeply");
        return NULL;
    }
    p->depth++;
    made = parse_chain(p, least);
    p->depth--;
    return made;
}

int syntax_read(struct arena *arena, struct slice text, struct syntax **out, struct fault *fault)
{
    struct parser p = {.arena = arena, .fault = fault};
    struct syntax *made;

    p.lexer = (struct lexer){arena, text, 1, fault};
    if (text.len > CONDITION_BYTES_MAX)
        return fault_set(fault, 1, "longer than %d bytes", CONDITION_BYTES_MAX);
    if (!utf8_is_valid(text))
        return fault_set(fault, 1, "not UTF-8");
    if (step(&p) != 0 || (made = parse(&p, CHOICE)) == NULL)
        return -1;
    if (is_sign(&p, "/") || is_sign(&p, "%"))
        return fault_set(fault, p.token.column, "there is no division in conditions");
    if (p.token.kind != TOKEN_END) {
        (void)unexpected(&p, "an operator or the end");
        return -1;
    }
    *out = made;
    return 0;
}
