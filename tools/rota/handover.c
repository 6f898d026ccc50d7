/* handover.c - `rota hand-over`: a record gets another owner. */
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"

static int run(struct tool *tool, const struct arguments *given)
{
    struct command command = {.command = slice_str("hand_over"),
                              .record = slice_str(given->words[0]),
                              .args = value_map()};
    const char *to = arguments_get(given, "--to"), *id = arguments_get(given, "--id");
    struct reply reply;
    int status;

    if (to == NULL)
        return tool_usage(given, "to whom? --to PERSON (`rota people` lists them)");
    if (id != NULL && !command_id_is_valid(slice_str(id)))
        return tool_usage(given, "--id %s: 16 to 64 of A-Z a-z 0-9 . _ -", id);
    command.id = slice_str(id != NULL ? id : "");
    value_set(&tool->arena, &command.args, "to", value_str(to));
    status = given_reason(tool, given, &command.args);
    if (status == TOOL_DONE)
        status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE && tool->out.json)
        event_tell(tool, &command, &reply);
    else if (status == TOOL_DONE)
        output_line(&tool->out, INK_GOOD, "%s is owned by %s now", given->words[0],
                    facts_name(tool, slice_str(to)));
    return status;
}

static const struct tool_option options[] = {
    {"--to", "WHO", "who owns it from now on"},
    {"--reason", "TEXT", "why; @FILE reads it from a file"},
    {"--id", "ID", "the command's id: the same id again gives the same answer and does nothing"},
    {NULL, NULL, NULL},
};

const struct tool_command command_hand_over = {
    "hand-over",
    "records",
    "RECORD --to WHO --reason TEXT",
    "give a record another owner",
    "By its owner, their manager, or the ISMS manager; for one who left, by whom their work has "
    "fallen to: `rota\n"
    "inbox` of that person lists it. What the record says and what was signed stays. Where a rule "
    "keeps the owner\n"
    "apart, it keeps all apart who ever were.\n\n"
    "    rota --as henrik hand-over SCP-0001 --to sofia --reason \"Pavel has left\"",
    options,
    1,
    1,
    false,
    run};
