#include "expression.h"

#include "dmp.h"

#include <stdlib.h>

enum { DEPTH_MAX = 32, NAME_LEN = 64 };

struct reader {
    const struct kind *kind;
    struct bytes row;
    const char *at;
    int depth;
    bool is_broken; /* something stands there that is not followed: all of it is unknown */
};

static struct term read_choice(struct reader *reader);

static const struct term unknown = {TERM_UNKNOWN, 0, {NULL, 0}};

static struct term truth(bool holds)
{
    return (struct term){TERM_TRUTH, holds, {NULL, 0}};
}

static struct term number(int64_t value)
{
    return (struct term){TERM_NUMBER, value, {NULL, 0}};
}

static struct term text_term(struct bytes text)
{
    return (struct term){TERM_TEXT, 0, text};
}

static struct term broken(struct reader *reader)
{
    reader->is_broken = true;
    return unknown;
}

static bool take(struct reader *reader, const char *sign)
{
    size_t len = strlen(sign);

    reader->at += strspn(reader->at, " \t\n");
    if (strncmp(reader->at, sign, len) != 0)
        return false;
    reader->at += len;
    return true;
}

/* ---- what the row says ---- */

static struct term term_of(struct bytes value)
{
    struct dmp_cursor cursor = dmp_cursor(value);
    struct dmp_item item;

    if (value.len == 1 && (value.at[0] == 0xc2 || value.at[0] == 0xc3))
        return truth(value.at[0] == 0xc3);
    if (!dmp_next(&cursor, &item))
        return unknown;
    if (item.kind == DMP_STR)
        return text_term(item.bytes);
    return item.kind == DMP_INT ? number((int64_t)item.number) : unknown;
}

static bool is_plain(const char *type)
{
    static const char *const types[] = {"text", "enum", "int", "bool", "person", "ref", "date"};

    for (size_t i = 0; type != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static struct term field_of(const struct reader *reader, const char *name)
{
    static const char *const facts[] = {"version", "title", "state", "stage", "owner", "author"};
    struct bytes fields, value;

    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(name, facts[i]) == 0)
            return dmp_find(reader->row, name, &value) ? term_of(value) : unknown;
    if (!is_plain(kind_field_type(reader->kind, name)) ||
        !dmp_find(reader->row, "fields", &fields) || !dmp_find(fields, name, &value))
        return unknown;
    return term_of(value);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool read_word(struct reader *reader, char out[NAME_LEN])
{
    size_t len = 0;

    reader->at += strspn(reader->at, " \t\n");
    while (is_word(reader->at[len]))
        len++;
    if (len == 0 || len >= NAME_LEN)
        return false;
    memcpy(out, reader->at, len);
    out[len] = '\0';
    reader->at += len;
    return true;
}

/* ---- the smallest parts ---- */

static struct term read_text(struct reader *reader, char quote)
{
    const char *end = strchr(reader->at, quote);
    struct bytes text;

    if (end == NULL || memchr(reader->at, '\\', (size_t)(end - reader->at)) != NULL)
        return broken(reader);
    text = bytes_of(reader->at, (size_t)(end - reader->at));
    reader->at = end + 1;
    return text_term(text);
}

static struct term read_number(struct reader *reader)
{
    char *end;
    long long value = strtoll(reader->at, &end, 10);

    if (end - reader->at > 15 || *end == '.' || is_word(*end))
        return broken(reader);
    reader->at = end;
    return number(value);
}

static bool has_part(struct bytes all, struct bytes part)
{
    return part.len == 0 || (all.len > 0 && memmem(all.at, all.len, part.at, part.len) != NULL);
}

static bool ends_with(struct bytes all, struct bytes part)
{
    return all.len >= part.len &&
           (part.len == 0 || memcmp(all.at + all.len - part.len, part.at, part.len) == 0);
}

static bool starts_with(struct bytes all, struct bytes part)
{
    return all.len >= part.len && (part.len == 0 || memcmp(all.at, part.at, part.len) == 0);
}

/* .endsWith('.0') behind a text. */
static struct term read_method(struct reader *reader, struct term of, const char *name)
{
    static const struct {
        const char *name;
        bool (*holds)(struct bytes all, struct bytes part);
    } methods[] = {{"startsWith", starts_with}, {"endsWith", ends_with}, {"contains", has_part}};
    struct term part;

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(name, methods[i].name) != 0)
            continue;
        part = read_choice(reader);
        if (!take(reader, ")"))
            return broken(reader);
        return of.kind == TERM_TEXT && part.kind == TERM_TEXT
                   ? truth(methods[i].holds(of.text, part.text))
                   : unknown;
    }
    return broken(reader);
}

/* record.FIELD or process.id, and a method behind it. */
static struct term read_path(struct reader *reader, const char *first)
{
    bool is_process = strcmp(first, "process") == 0;
    struct term term;
    char name[NAME_LEN];

    if ((!is_process && strcmp(first, "record") != 0) || !take(reader, ".") ||
        !read_word(reader, name) || (is_process && strcmp(name, "id") != 0))
        return broken(reader);
    term = field_of(reader, is_process ? "process" : name);
    while (take(reader, ".")) {
        if (!read_word(reader, name) || !take(reader, "("))
            return broken(reader);
        term = read_method(reader, term, name);
    }
    return take(reader, "[") || take(reader, "(") ? broken(reader) : term;
}

/* A field that is not there is not; one that is there may be empty in a way that the row alone does not tell. */
static struct term read_has(struct reader *reader)
{
    struct term term = read_choice(reader);

    if (!take(reader, ")"))
        return broken(reader);
    return term.kind == TERM_UNKNOWN || (term.kind == TERM_TEXT && term.text.len == 0)
               ? unknown
               : truth(true);
}

static struct term read_primary(struct reader *reader)
{
    char name[NAME_LEN];
    struct term term;

    if (take(reader, "(")) {
        term = read_choice(reader);
        return take(reader, ")") ? term : broken(reader);
    }
    if (take(reader, "'"))
        return read_text(reader, '\'');
    if (take(reader, "\""))
        return read_text(reader, '"');
    if (*reader->at >= '0' && *reader->at <= '9')
        return read_number(reader);
    if (!read_word(reader, name))
        return broken(reader);
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        return truth(name[0] == 't');
    return strcmp(name, "has") == 0 && take(reader, "(") ? read_has(reader)
                                                         : read_path(reader, name);
}

/* ---- put together ---- */

static struct term read_unary(struct reader *reader)
{
    struct term term;

    if (++reader->depth > DEPTH_MAX)
        return broken(reader);
    if (take(reader, "!")) {
        term = read_unary(reader);
        term = term.kind == TERM_TRUTH ? truth(term.number == 0) : unknown;
    } else if (take(reader, "-")) {
        term = read_unary(reader);
        term = term.kind == TERM_NUMBER ? number(-term.number) : unknown;
    } else {
        term = read_primary(reader);
    }
    reader->depth--;
    return term;
}

static struct term read_product(struct reader *reader)
{
    struct term left = read_unary(reader);

    while (!reader->is_broken && take(reader, "*")) {
        struct term right = read_unary(reader);
        int64_t out = 0;

        left = left.kind == TERM_NUMBER && right.kind == TERM_NUMBER &&
                       !__builtin_mul_overflow(left.number, right.number, &out)
                   ? number(out)
                   : unknown;
    }
    return left;
}

static struct term read_sum(struct reader *reader)
{
    struct term left = read_product(reader);

    for (;;) {
        bool adds = !reader->is_broken && take(reader, "+");
        struct term right;
        int64_t out = 0;

        if (!adds && (reader->is_broken || !take(reader, "-")))
            return left;
        right = read_product(reader);
        left = left.kind == TERM_NUMBER && right.kind == TERM_NUMBER &&
                       !(adds ? __builtin_add_overflow(left.number, right.number, &out)
                              : __builtin_sub_overflow(left.number, right.number, &out))
                   ? number(out)
                   : unknown;
    }
}

static bool is_same(struct term left, struct term right)
{
    return left.kind == TERM_TEXT ? bytes_equal(left.text, right.text)
                                  : left.number == right.number;
}

/* `in ['a', 'b']` */
static struct term read_in(struct reader *reader, struct term left)
{
    bool is_unknown = left.kind == TERM_UNKNOWN, is_there = false;

    if (!take(reader, "["))
        return broken(reader);
    while (!reader->is_broken && !take(reader, "]")) {
        struct term one = read_choice(reader);

        is_unknown = is_unknown || one.kind != left.kind;
        is_there = is_there || (one.kind == left.kind && is_same(one, left));
        if (!take(reader, ",") && (reader->at += strspn(reader->at, " \t\n"), *reader->at != ']'))
            return broken(reader);
    }
    return is_unknown && !is_there ? unknown : truth(is_there);
}

static struct term compared(struct term left, struct term right, const char *sign)
{
    if (left.kind == TERM_UNKNOWN || left.kind != right.kind)
        return unknown;
    if (strcmp(sign, "==") == 0 || strcmp(sign, "!=") == 0)
        return truth(is_same(left, right) == (sign[0] == '='));
    if (left.kind != TERM_NUMBER)
        return unknown;
    if (sign[1] == '=' && left.number == right.number)
        return truth(true);
    return truth(sign[0] == '<' ? left.number < right.number : left.number > right.number);
}

static struct term read_comparison(struct reader *reader)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">"};
    struct term left = read_sum(reader);

    for (size_t i = 0; !reader->is_broken && i < sizeof signs / sizeof signs[0]; i++)
        if (take(reader, signs[i]))
            return compared(left, read_sum(reader), signs[i]);
    return !reader->is_broken && take(reader, "in ") ? read_in(reader, left) : left;
}

/* One that decides does so whatever the other is: false for &&, true for ||. */
static struct term joined(struct term left, struct term right, bool decides)
{
    if ((left.kind == TERM_TRUTH && (left.number != 0) == decides) ||
        (right.kind == TERM_TRUTH && (right.number != 0) == decides))
        return truth(decides);
    return left.kind == TERM_TRUTH && right.kind == TERM_TRUTH ? truth(!decides) : unknown;
}

static struct term read_and(struct reader *reader)
{
    struct term left = read_comparison(reader);

    while (!reader->is_broken && take(reader, "&&"))
        left = joined(left, read_comparison(reader), false);
    return left;
}

static struct term read_or(struct reader *reader)
{
    struct term left = read_and(reader);

    while (!reader->is_broken && take(reader, "||"))
        left = joined(left, read_and(reader), true);
    return left;
}

static struct term read_choice(struct reader *reader)
{
    struct term when, yes, no;

    if (++reader->depth > DEPTH_MAX)
        return broken(reader);
    when = read_or(reader);
    if (!reader->is_broken && take(reader, "?")) {
        yes = read_choice(reader);
        if (!take(reader, ":"))
            return broken(reader);
        no = read_choice(reader);
        when = when.kind != TERM_TRUTH ? unknown : when.number != 0 ? yes : no;
    }
    reader->depth--;
    return when;
}

struct term expression_value(const struct kind *kind, struct bytes row, const char *text)
{
    struct reader reader = {.kind = kind, .row = row, .at = text};
    struct term term = read_choice(&reader);

    reader.at += strspn(reader.at, " \t\n");
    return reader.is_broken || *reader.at != '\0' ? unknown : term;
}
