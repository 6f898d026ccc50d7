/* show.c - `rota show`: a record as a page. */
#include "ask.h"
#include "commands.h"
#include "page.h"

static int run(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map(), shown;
    int status;

    value_set(&tool->arena, &args, "record", value_str(given->words[0]));
    status = ask_query(tool, "show", args, &shown);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json)
        output_json(&tool->out, &shown);
    else
        page_print(tool, &shown);
    return TOOL_DONE;
}

const struct tool_command command_show = {
    "show",
    "look",
    "RECORD",
    "a record: where it stands, its content, what you may do",
    "SCP-0001 is the document and shows its latest version; SCP-0001@1.0 is one version.\n\n"
    "    rota show SCP-0001\n"
    "    rota show FND-0007 --json",
    NULL,
    1,
    1,
    false,
    run};
