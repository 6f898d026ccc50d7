/* given.c - fields from words and files. */
#include "given.h"

#include "ask.h"
#include "facts.h"
#include "values.h"

static int read_from(struct tool *tool, const struct arguments *arguments, struct value *out,
                     struct value *lines)
{
    const char *path = arguments_get(arguments, "--from");
    struct error err;

    *out = value_map();
    *lines = value_map();
    if (path == NULL)
        return TOOL_DONE;
    if (values_read(&tool->arena, path, out, lines, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (out->type != VALUE_MAP)
        return tool_fail(TOOL_INPUT, "%s: names and values are expected, not a list", path);
    return TOOL_DONE;
}

int given_kind(struct tool *tool, const struct arguments *arguments, struct slice *out)
{
    struct value file, lines;
    int status = read_from(tool, arguments, &file, &lines);

    *out = status == TOOL_DONE ? value_get_text(&file, "kind") : slice_of(NULL, 0);
    return status;
}

static const char *directory_of(struct tool *tool, const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;

    return slash != NULL
               ? arena_copy(&tool->arena, path, slash == path ? 1 : (size_t)(slash - path))
               : NULL;
}

/* title, owner, links and kind stand at the top of a file; fields in `fields = {...}` or at the top too. */
static void take_top(struct tool *tool, const struct value *file, struct given *out,
                     struct value *fields)
{
    static const char *const names[] = {"kind", "title", "owner", "links"};
    const struct value *inner = value_get(file, "fields");

    out->title = value_get(file, "title") != NULL ? *value_get(file, "title") : VALUE_NONE;
    out->owner = value_get(file, "owner") != NULL ? *value_get(file, "owner") : VALUE_NONE;
    out->links = value_get(file, "links") != NULL ? *value_get(file, "links") : VALUE_NONE;
    *fields = value_copy(&tool->arena, file);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        value_remove(fields, slice_str(names[i]));
    if (value_is(inner, VALUE_MAP)) {
        value_remove(fields, slice_str("fields"));
        for (uint32_t i = 0; i < inner->count; i++)
            value_put(&tool->arena, fields, inner->as.pairs[i].key, inner->as.pairs[i].value);
    }
}

int given_read(struct tool *tool, const struct arguments *arguments, int first,
               const struct value *kind, struct given *out)
{
    const char *path = arguments_get(arguments, "--from"), *word;
    struct values values = {.arena = &tool->arena,
                            .kind = kind,
                            .path = path,
                            .upload = ask_upload,
                            .self = tool,
                            .today = facts_today(tool)};
    struct value file, fields;
    struct error err;
    int status = read_from(tool, arguments, &file, &values.lines);

    if (status != TOOL_DONE)
        return status;
    take_top(tool, &file, out, &fields);
    out->fields = value_map();
    values.base = directory_of(tool, path);
    if (values_fit(&values, &fields, &out->fields, &err) != 0)
        return err.text[0] != '\0' ? tool_error(TOOL_INPUT, &err) : TOOL_REFUSED;
    values.base = NULL;
    values.path = NULL;
    for (int i = first; i < arguments->word_count; i++) {
        word = arguments->words[i];
        if (strncmp(word, "title=", 6) == 0 && values_field(kind, slice_str("title")) == NULL)
            out->title = value_str(word + 6);
        else if (strncmp(word, "owner=", 6) == 0 && values_field(kind, slice_str("owner")) == NULL)
            out->owner = value_str(word + 6);
        else if (values_word(&values, word, &out->fields, &err) != 0)
            return err.text[0] == '\0'
                       ? TOOL_REFUSED
                       : tool_error(strchr(word, '=') == NULL ? TOOL_USAGE : TOOL_INPUT, &err);
    }
    if (arguments_have(arguments, "--title"))
        out->title = value_str(arguments_get(arguments, "--title"));
    if (arguments_have(arguments, "--owner"))
        out->owner = value_str(arguments_get(arguments, "--owner"));
    return TOOL_DONE;
}

int given_text(struct tool *tool, const struct arguments *arguments, const char *option,
               struct value *args)
{
    struct values values = {.arena = &tool->arena, .upload = ask_upload, .self = tool};
    const char *text = arguments_get(arguments, option);
    struct value reference;
    struct error err;

    if (text == NULL)
        return TOOL_DONE;
    if (*text == '\0')
        return tool_usage(arguments, "%s is empty", option);
    if (values_reason(&values, text, &reference, &err) != 0)
        return err.text[0] != '\0' ? tool_error(TOOL_INPUT, &err) : TOOL_REFUSED;
    value_set(&tool->arena, args, option + 2, reference);
    return TOOL_DONE;
}

int given_reason(struct tool *tool, const struct arguments *arguments, struct value *args)
{
    return given_text(tool, arguments, "--reason", args);
}
