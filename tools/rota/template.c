/* template.c - a file to fill in for a new record: every field of its kind, with what it takes. */
#include "template.h"

#include "wire/json.h"

enum { COMMENT = 44 }; /* column at which what a field takes is said */

struct filling {
    struct tool *tool;
    FILE *to;
};

static const char *text_of(struct filling *f, const struct value *map, const char *key)
{
    return value_get_str(map, key, "", &f->tool->arena);
}

static const char *words(struct filling *f, const struct value *list, const char *between)
{
    const char *text = "";

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        text = arena_printf(&f->tool->arena, "%s%s%.*s", text, i > 0 ? between : "",
                            (int)list->as.items[i].count, list->as.items[i].as.text);
    return text;
}

/* What may stand there, as people say it. */
static const char *takes(struct filling *f, const struct value *field)
{
    static const char *const TYPES[][2] = {
        {"text", "text"},
        {"longtext", "long text, or \"@file.txt\""},
        {"int", "whole number"},
        {"bool", "true or false"},
        {"date", "\"YYYY-MM-DD\""},
        {"datetime", "\"YYYY-MM-DDTHH:MM:SSZ\""},
        {"duration", "\"30 days\", \"12 months\""},
        {"person", "name of a person"},
        {"group", "role"},
        {"file", "\"@path\""},
    };
    struct slice type = value_get_text(field, "type");
    const char *of = words(f, value_get(field, "of"), ", "), *text = "";

    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (slice_is(type, TYPES[i][0]))
            text = TYPES[i][1];
    if (slice_is(type, "enum"))
        text = arena_printf(&f->tool->arena, "one of: %s", of);
    if (slice_is(type, "ref"))
        text = *of != '\0' ? arena_printf(&f->tool->arena, "id of a %s", of) : "id of a record";
    if (slice_is(type, "int") && value_get(field, "max") != NULL)
        text = arena_printf(&f->tool->arena, "%s, %lld to %lld", text,
                            (long long)value_get_int(field, "min", 0),
                            (long long)value_get_int(field, "max", 0));
    if (value_get_bool(field, "list", false))
        text = arena_printf(&f->tool->arena, "list; each: %s", text);
    return text;
}

static const char *demand(struct filling *f, const struct value *field)
{
    if (value_get_bool(field, "required", false))
        return "; REQUIRED";
    if (value_get_text(field, "required_if").len > 0)
        return arena_printf(&f->tool->arena, "; required if %s", text_of(f, field, "required_if"));
    return "";
}

/* What a person would begin with: what the kind presets, else the least that is allowed. */
static const char *blank_value(struct filling *f, const struct value *field)
{
    const struct value *preset = value_get(field, "preset");
    struct slice type = value_get_text(field, "type");
    struct buf text = BUF_EMPTY;

    if (value_is(preset, VALUE_BOOL) || value_is(preset, VALUE_INT) ||
        value_is(preset, VALUE_STR)) {
        const char *copy;

        value_to_json(&text, preset, false);
        copy = arena_copy(&f->tool->arena, text.at, text.len);
        buf_release(&text);
        return copy;
    }
    if (value_get_bool(field, "list", false))
        return "[ ]";
    if (slice_is(type, "int"))
        return arena_printf(&f->tool->arena, "%lld", (long long)value_get_int(field, "min", 0));
    return slice_is(type, "bool") ? "false" : "\"\"";
}

static void put_plain(struct filling *f, const struct value *field, const char *indent)
{
    const char *title = text_of(f, field, "title");
    const char *line = arena_printf(&f->tool->arena, "%s%s%s = %s;", indent,
                                    value_get_bool(field, "required", false) ? "" : "# ",
                                    text_of(f, field, "name"), blank_value(f, field));
    int gap = COMMENT - text_width(slice_str(line));

    fprintf(f->to, "%s%*s# %s%s%s%s\n", line, gap < 1 ? 1 : gap, "", title,
            *title != '\0' ? ": " : "", takes(f, field), demand(f, field));
}

/* A table that may be left out is a comment from its first to its last line. */
static void put_table(struct filling *f, const struct value *field)
{
    const struct value *columns = value_get(field, "columns");
    const char *mark = value_get_bool(field, "required", false) ? "" : "# ";
    const char *title = text_of(f, field, "title");

    fprintf(f->to, "  # %s: a table; a group in { } for each row%s\n",
            *title != '\0' ? title : text_of(f, field, "name"), demand(f, field));
    fprintf(f->to, "  %s%s = (\n  %s  {\n", mark, text_of(f, field, "name"), mark);
    for (uint32_t i = 0; value_is(columns, VALUE_ARRAY) && i < columns->count; i++)
        if (!value_get_bool(&columns->as.items[i], "computed", false))
            put_plain(f, &columns->as.items[i], arena_printf(&f->tool->arena, "  %s    ", mark));
    fprintf(f->to, "  %s  }\n  %s);\n", mark, mark);
}

void template_print(struct tool *tool, const struct value *kind)
{
    struct filling f = {tool, tool->out.to};
    const struct value *fields = value_get(kind, "fields");
    const char *clause = text_of(&f, kind, "clause");

    fprintf(
        f.to,
        "# %s (%s%s%s). Fill in, then: rota open --from THIS_FILE\n"
        "# A line behind # is not set; what is REQUIRED may also be filled in later, before the "
        "record leaves "
        "its first state.\n"
        "# Who may open one: %s.\n\n"
        "kind  = \"%s\";\ntitle = \"\";\n# owner = \"\";%*s# else the first of: %s\n\nfields = {\n",
        text_of(&f, kind, "title"), text_of(&f, kind, "prefix"), *clause != '\0' ? ", clause " : "",
        clause, words(&f, value_get(kind, "create"), ", "), text_of(&f, kind, "name"), COMMENT - 13,
        "", words(&f, value_get(kind, "owner"), ", "));
    for (uint32_t i = 0; value_is(fields, VALUE_ARRAY) && i < fields->count; i++) {
        const struct value *field = &fields->as.items[i];

        if (value_get_bool(field, "computed", false))
            continue;
        if (slice_is(value_get_text(field, "type"), "table"))
            put_table(&f, field);
        else
            put_plain(&f, field, "  ");
    }
    fputs("};\n", f.to);
}
