#include "definition/token.h"

#include "base/buf.h"

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_figure(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static int hex_figure(uint8_t c)
{
    if (is_figure(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint8_t peek(const struct lexer *lexer, size_t at)
{
    return at < lexer->rest.len ? lexer->rest.at[at] : 0;
}

/* Columns count characters, not bytes. */
static void advance(struct lexer *lexer, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        lexer->column += (lexer->rest.at[i] & 0xc0) != 0x80;
    lexer->rest = slice_of(lexer->rest.at + bytes, lexer->rest.len - bytes);
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        uint8_t c = peek(lexer, 0);

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            advance(lexer, 1);
        } else if (c == '/' && peek(lexer, 1) == '/') {
            while (lexer->rest.len > 0 && lexer->rest.at[0] != '\n')
                advance(lexer, 1);
        } else {
            return;
        }
    }
}

static int take_int(struct lexer *lexer, struct token *out)
{
    const uint64_t most = (uint64_t)1 << 63;
    bool hex = peek(lexer, 0) == '0' && (peek(lexer, 1) == 'x' || peek(lexer, 1) == 'X');
    uint64_t base = hex ? 16 : 10, number = 0;
    size_t at = hex ? 2 : 0;

    if (hex && hex_figure(peek(lexer, at)) < 0)
        return fault_set(lexer->fault, out->column, "figures are missing after 0x");
    for (; hex ? hex_figure(peek(lexer, at)) >= 0 : is_figure(peek(lexer, at)); at++) {
        uint64_t figure = (uint64_t)hex_figure(peek(lexer, at));

        if (number > (most - figure) / base)
            return fault_set(lexer->fault, out->column, "the number is out of range");
        number = number * base + figure;
    }
    if ((peek(lexer, at) == '.' && is_figure(peek(lexer, at + 1))) || peek(lexer, at) == 'e' ||
        peek(lexer, at) == 'E')
        return fault_set(lexer->fault, out->column,
                         "there are no decimal numbers; use a whole number of a smaller unit");
    if (is_letter(peek(lexer, at)))
        return fault_set(lexer->fault, out->column, "a number cannot end in '%c'", peek(lexer, at));
    out->kind = TOKEN_INT;
    out->number = number;
    out->raw = slice_of(lexer->rest.at, at);
    advance(lexer, at);
    return 0;
}

static void put_utf8(struct buf *out, uint32_t code)
{
    if (code < 0x80) {
        buf_add_byte(out, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        buf_add_byte(out, (uint8_t)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            buf_add_byte(out, (uint8_t)(0xe0 | code >> 12));
        } else {
            buf_add_byte(out, (uint8_t)(0xf0 | code >> 18));
            buf_add_byte(out, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
        }
        buf_add_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
    }
    buf_add_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
}

/* \xHH \uHHHH \UHHHHHHHH \OOO; the lexer stands on the character after the backslash. */
static int take_code(struct lexer *lexer, struct buf *out)
{
    uint8_t c = peek(lexer, 0);
    size_t figures = c == 'u' ? 4 : c == 'U' ? 8 : is_figure(c) ? 3 : 2;
    size_t at = is_figure(c) ? 0 : 1, i;
    uint32_t code = 0, base = is_figure(c) ? 8 : 16;

    for (i = 0; i < figures; i++) {
        int figure = hex_figure(peek(lexer, at + i));

        if (figure < 0 || (uint32_t)figure >= base || code > 0xfffffff)
            return fault_set(lexer->fault, lexer->column, "the escape needs %zu %s figures",
                             figures, base == 8 ? "octal" : "hexadecimal");
        code = code * base + (uint32_t)figure;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || (base == 8 && code > 0xff))
        return fault_set(lexer->fault, lexer->column, "the escape names no character");
    put_utf8(out, code);
    advance(lexer, at + figures);
    return 0;
}

static int take_escape(struct lexer *lexer, struct buf *out)
{
    static const char FROM[] = "abfnrtv\\?\"'`", TO[] = "\a\b\f\n\r\t\v\\?\"'`";
    uint8_t c;
    const char *found;

    advance(lexer, 1);
    c = peek(lexer, 0);
    found = c != 0 ? strchr(FROM, c) : NULL;
    if (found != NULL) {
        buf_add_byte(out, (uint8_t)TO[found - FROM]);
        advance(lexer, 1);
        return 0;
    }
    if (c == 'x' || c == 'X' || c == 'u' || c == 'U' || (c >= '0' && c <= '3'))
        return take_code(lexer, out);
    return fault_set(lexer->fault, lexer->column, "unknown escape in the text");
}

/* '...' "..." and both thrice; r before it: no escapes. */
static int take_text(struct lexer *lexer, struct token *out)
{
    bool raw = peek(lexer, 0) == 'r' || peek(lexer, 0) == 'R';
    uint8_t quote;
    size_t quotes = 1, i;
    struct buf text = BUF_EMPTY;
    const uint8_t *start = lexer->rest.at;
    int status = 0;

    if (raw)
        advance(lexer, 1);
    quote = peek(lexer, 0);
    if (peek(lexer, 1) == quote && peek(lexer, 2) == quote)
        quotes = 3;
    advance(lexer, quotes);
    for (;;) {
        for (i = 0; i < quotes && peek(lexer, i) == quote; i++)
            ;
        if (i == quotes)
            break;
        if (lexer->rest.len == 0 ||
            (quotes == 1 && (peek(lexer, 0) == '\n' || peek(lexer, 0) == '\r'))) {
            status = fault_set(lexer->fault, out->column, "the text is not closed");
            break;
        }
        if (peek(lexer, 0) == '\\' && !raw) {
            if ((status = take_escape(lexer, &text)) != 0)
                break;
        } else {
            buf_add_byte(&text, lexer->rest.at[0]);
            advance(lexer, 1);
        }
    }
    if (status == 0) {
        advance(lexer, quotes);
        out->kind = TOKEN_TEXT;
        out->raw = slice_of(start, (size_t)(lexer->rest.at - start));
        out->text = value_text(slice_of(arena_copy(lexer->arena, text.at, text.len), text.len));
    }
    buf_release(&text);
    return status;
}

static int take_sign(struct lexer *lexer, struct token *out)
{
    static const char *const SIGNS[] = {"==", "!=", "<=", ">=", "&&", "||", "<", ">",
                                        "!",  "+",  "-",  "*",  "?",  ":",  ".", ",",
                                        "(",  ")",  "[",  "]",  "{",  "}",  "/", "%"};
    size_t i;

    for (i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++) {
        if (!slice_starts(lexer->rest, SIGNS[i]))
            continue;
        out->kind = TOKEN_SIGN;
        out->raw = slice_of(lexer->rest.at, strlen(SIGNS[i]));
        advance(lexer, out->raw.len);
        return 0;
    }
    if (peek(lexer, 0) == '=')
        return fault_set(lexer->fault, out->column, "'=' does not compare; write '=='");
    if (peek(lexer, 0) == '&' || peek(lexer, 0) == '|')
        return fault_set(lexer->fault, out->column, "write '%c%c'", peek(lexer, 0), peek(lexer, 0));
    return fault_set(lexer->fault, out->column, "a character that means nothing here");
}

int token_next(struct lexer *lexer, struct token *out)
{
    uint8_t c, next;
    size_t len = 0;

    skip_blanks(lexer);
    *out = (struct token){TOKEN_END, lexer->column, lexer->rest, 0, VALUE_NONE};
    if (lexer->rest.len == 0)
        return 0;
    c = peek(lexer, 0);
    next = peek(lexer, 1);
    if (is_figure(c))
        return take_int(lexer, out);
    if (c == '.' && is_figure(next))
        return fault_set(lexer->fault, out->column,
                         "there are no decimal numbers; use a whole number of a smaller unit");
    if (c == '"' || c == '\'' || ((c == 'r' || c == 'R') && (next == '"' || next == '\'')))
        return take_text(lexer, out);
    if ((c == 'b' || c == 'B') && (next == '"' || next == '\''))
        return fault_set(lexer->fault, out->column, "there are no byte strings");
    if (!is_letter(c))
        return take_sign(lexer, out);
    while (is_letter(peek(lexer, len)) || is_figure(peek(lexer, len)))
        len++;
    out->kind = TOKEN_NAME;
    out->raw = slice_of(lexer->rest.at, len);
    advance(lexer, len);
    return 0;
}
