/* attach.c - `rota attach`: a file joins a record. */
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "values.h"

/* The field a file goes into: the one that was named, or `attachments`, or the only one for files. */
static int find_field(struct tool *tool, const struct arguments *given, const struct value *kind,
                      const struct value **out)
{
    const struct value *fields = value_get(kind, "fields");
    const char *name = arguments_get(given, "--field");
    int count = 0;

    *out = values_field(kind, slice_str(name != NULL ? name : "attachments"));
    if (*out != NULL)
        return TOOL_DONE;
    for (uint32_t i = 0; name == NULL && value_is(fields, VALUE_ARRAY) && i < fields->count; i++)
        if (slice_is(value_get_text(&fields->as.items[i], "type"), "file")) {
            *out = &fields->as.items[i];
            count++;
        }
    if (count == 1)
        return TOOL_DONE;
    return tool_fail(TOOL_USAGE, "%s has %s; name it with --field",
                     value_get_str(kind, "name", "this kind", &tool->arena),
                     name != NULL ? "no such field"
                     : count == 0 ? "no field for files"
                                  : "several fields for files");
}

/* What stands in the field already stays; the file is added. */
static void join(struct tool *tool, const struct value *field, const struct value *before,
                 struct value *set)
{
    struct slice name = value_get_text(field, "name");
    const struct value *added = value_find(set, name);
    struct value both;

    if (!value_get_bool(field, "list", false) || !value_is(before, VALUE_ARRAY))
        return;
    both = value_copy(&tool->arena, before);
    for (uint32_t i = 0; value_is(added, VALUE_ARRAY) && i < added->count; i++)
        value_push(&tool->arena, &both, added->as.items[i]);
    value_put(&tool->arena, set, name, both);
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct command command = {
        .command = slice_str("edit"), .record = slice_str(given->words[0]), .args = value_map()};
    struct values values = {.arena = &tool->arena, .upload = ask_upload, .self = tool};
    struct value question = value_map(), shown, raw = value_map(), set = value_map();
    const struct value *kind, *field;
    struct reply reply;
    struct error err;
    int status;

    value_set(&tool->arena, &question, "record", value_str(given->words[0]));
    if ((status = ask_query(tool, "show", question, &shown)) != TOOL_DONE ||
        (status = facts_kind(tool, value_get_text(&shown, "kind"), &kind)) != TOOL_DONE ||
        (status = find_field(tool, given, kind, &field)) != TOOL_DONE)
        return status;
    values.kind = kind;
    value_put(&tool->arena, &raw, value_get_text(field, "name"), value_str(given->words[1]));
    if (values_fit(&values, &raw, &set, &err) != 0)
        return err.text[0] != '\0' ? tool_error(TOOL_INPUT, &err) : TOOL_REFUSED;
    join(tool, field, value_find(value_get(&shown, "fields"), value_get_text(field, "name")), &set);
    value_set(&tool->arena, &command.args, "set", set);
    status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE)
        event_tell(tool, &command, &reply);
    return status;
}

static const struct tool_option options[] = {
    {"--field", "FIELD",
     "which field it goes into (default: attachments, or the only one for files)"},
    {NULL, NULL, NULL},
};

const struct tool_command command_attach = {"attach",
                                            "records",
                                            "RECORD FILE [--field FIELD]",
                                            "attach a file to a record",
                                            "Sends the file up, stores it under its hash, and adds "
                                            "it to the record. The record's digest covers the\n"
                                            "hash, so that an approval binds the file too.\n\n"
                                            "    rota attach SCP-0001 plan-of-site.pdf",
                                            options,
                                            2,
                                            2,
                                            false,
                                            run};
