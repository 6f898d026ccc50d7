/* open.c - `rota open`: a new record. */
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"
#include "template.h"

static int list_kinds(struct tool *tool)
{
    static const char *const heads[] = {"kind", "code", "prefix", "title", "clause"};
    const struct value *kinds;
    struct table table;
    int status = facts_kinds(tool, &kinds);

    if (status != TOOL_DONE)
        return status;
    table_begin(&table, 5, heads);
    for (uint32_t i = 0; i < kinds->count; i++) {
        const struct value *kind = &kinds->as.items[i];

        if (tool->out.json) {
            output_json(&tool->out, kind);
            continue;
        }
        table_row(&table);
        table_cell(&table, 0, INK_BOLD, value_get_str(kind, "name", "", &tool->arena));
        table_cell(&table, 1, INK_NONE, value_get_str(kind, "code", "", &tool->arena));
        table_cell(&table, 2, INK_NONE, value_get_str(kind, "prefix", "", &tool->arena));
        table_cell(&table, 3, INK_NONE, value_get_str(kind, "title", "", &tool->arena));
        table_cell(&table, 4, INK_DIM, value_get_str(kind, "clause", "", &tool->arena));
    }
    if (!tool->out.json)
        table_print(&table, &tool->out, 0);
    table_release(&table);
    return TOOL_DONE;
}

static void put(struct tool *tool, struct value *args, const char *key, struct value value)
{
    if (value.type != VALUE_NIL)
        value_set(&tool->arena, args, key, value);
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct command command = {.command = slice_str("open"), .args = value_map()};
    const char *word = given->word_count > 0 ? given->words[0] : NULL,
               *id = arguments_get(given, "--id");
    struct slice name;
    const struct value *kind;
    struct given from;
    struct reply reply;
    int first, status = given_kind(tool, given, &name);

    if (status != TOOL_DONE)
        return status;
    first = word != NULL && strchr(word, '=') == NULL ? 1 : 0;
    if (first == 1)
        name = slice_str(word);
    if (name.len == 0 && given->word_count == 0)
        return list_kinds(tool);
    if (name.len == 0)
        return tool_usage(given, "which kind of record? `rota open` alone lists them");
    if (id != NULL && !command_id_is_valid(slice_str(id)))
        return tool_usage(given, "--id %s: 16 to 64 of A-Z a-z 0-9 . _ -", id);
    if ((status = facts_kind(tool, name, &kind)) == TOOL_DONE &&
        arguments_have(given, "--template")) {
        if (tool->out.json)
            output_json(&tool->out, kind);
        else
            template_print(tool, kind);
        return TOOL_DONE;
    }
    if (status != TOOL_DONE || (status = given_read(tool, given, first, kind, &from)) != TOOL_DONE)
        return status;
    if (from.title.type != VALUE_STR)
        return tool_usage(
            given,
            "a record needs a title: --title \"...\" (--template shows all that it may have)");
    command.id = slice_str(id != NULL ? id : "");
    put(tool, &command.args, "kind", value_text(value_get_text(kind, "name")));
    put(tool, &command.args, "title", from.title);
    put(tool, &command.args, "owner", from.owner);
    put(tool, &command.args, "links", from.links);
    put(tool, &command.args, "fields", from.fields);
    if (arguments_get(given, "--for") != NULL)
        put(tool, &command.args, "for", value_str(arguments_get(given, "--for")));
    status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE)
        event_tell(tool, &command, &reply);
    return status;
}

static const struct tool_option options[] = {
    {"--title", "TEXT", "the record's title"},
    {"--owner", "WHO", "its owner, if not the one its kind says"},
    {"--for", "WHO", "in whose place, who delegated it: both have written it then"},
    {"--from", "FILE", "title, owner, links and fields from a libconfig or JSON file"},
    {"--template", NULL, "print a file to fill in for --from, and open nothing"},
    {"--id", "ID", "the command's id: the same id again gives the same answer and does nothing"},
    {NULL, NULL, NULL},
};

const struct tool_command command_open = {
    "open",
    "records",
    "[KIND] [--title TEXT] [--from FILE] [--template] [FIELD=VALUE ...]",
    "open a new record; without a kind: list the kinds",
    "Opens a record of a kind. Fields come from a file, from words, or both (words win). A value "
    "that\n"
    "begins with @ names a file: the text of a longtext field, the rows of a table, an "
    "attachment.\n"
    "Lists take several values with commas or by naming the field again.\n\n"
    "    rota open                                    the kinds there are\n"
    "    rota open finding --template >finding.cfg    a file to fill in\n"
    "    rota open scope_statement --from scope.cfg\n"
    "    rota open finding --title \"Door propped open\" classification=minor_nc",
    options,
    0,
    -1,
    false,
    run};
