/* edit.c - `rota edit`: fields of a record change. */
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"

static int run(struct tool *tool, const struct arguments *given)
{
    struct command command = {
        .command = slice_str("edit"), .record = slice_str(given->words[0]), .args = value_map()};
    struct value question = value_map(), shown;
    const char *id = arguments_get(given, "--id");
    const struct value *kind;
    struct given from;
    struct reply reply;
    int status;

    if (id != NULL && !command_id_is_valid(slice_str(id)))
        return tool_usage(given, "--id %s: 16 to 64 of A-Z a-z 0-9 . _ -", id);
    value_set(&tool->arena, &question, "record", value_str(given->words[0]));
    if ((status = ask_query(tool, "show", question, &shown)) != TOOL_DONE ||
        (status = facts_kind(tool, value_get_text(&shown, "kind"), &kind)) != TOOL_DONE ||
        (status = given_read(tool, given, 1, kind, &from)) != TOOL_DONE)
        return status;
    if (from.fields.count == 0 && from.title.type == VALUE_NIL)
        return tool_usage(given, "nothing to change: give FIELD=VALUE, --title or --from");
    command.id = slice_str(id != NULL ? id : "");
    value_set(&tool->arena, &command.args, "set", from.fields);
    if (from.title.type == VALUE_STR)
        value_set(&tool->arena, &command.args, "title", from.title);
    if (arguments_get(given, "--for") != NULL)
        value_set(&tool->arena, &command.args, "for", value_str(arguments_get(given, "--for")));
    status = given_reason(tool, given, &command.args);
    if (status == TOOL_DONE)
        status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE)
        event_tell(tool, &command, &reply);
    return status;
}

static const struct tool_option options[] = {
    {"--title", "TEXT", "a new title"},
    {"--from", "FILE", "fields from a libconfig or JSON file"},
    {"--reason", "TEXT", "why; @FILE reads it from a file"},
    {"--for", "WHO", "in whose place, who delegated it: both are its editors then"},
    {"--id", "ID", "the command's id: the same id again gives the same answer and does nothing"},
    {NULL, NULL, NULL},
};

const struct tool_command command_edit = {
    "edit",
    "records",
    "RECORD [--title TEXT] [--from FILE] [--reason TEXT] [FIELD=VALUE ...]",
    "change fields of a record",
    "Changes fields; FIELD= alone empties one. Editing a record that awaits approval ends the "
    "round: the\n"
    "signatures it had count no more.\n\n"
    "    rota edit SCP-0001 headcount_in_scope=212 --reason \"as of October\"\n"
    "    rota edit SCP-0001 boundaries=@boundaries.json",
    options,
    1,
    -1,
    false,
    run};
