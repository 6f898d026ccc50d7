/* do.c - `rota do`: any event of a record. */
#include "commands.h"
#include "event.h"

static int run(struct tool *tool, const struct arguments *given)
{
    return event_send(tool, given, 2, given->words[0], given->words[1]);
}

static const struct tool_option options[] = {EVENT_OPTIONS, {NULL, NULL, NULL}};

const struct tool_command command_do = {
    "do",
    "records",
    "RECORD EVENT [--reason TEXT] [--change major|minor] [FIELD=VALUE ...]",
    "make an event happen to a record",
    "Moves a record along its workflow. `rota show` lists the events that you may do now, `rota "
    "why` says who\n"
    "may do one and what is missing. An event with a meaning (approve, verify, ...) is signed with "
    "your own\n"
    "key; the sentence you sign is shown.\n\n"
    "    rota do CA-0002 plan --reason \"replace the lock\" due=2026-12-01\n"
    "    rota do SCP-0001 decide_change --change major --reason \"new site in Lyon\"",
    options,
    2,
    -1,
    false,
    run};
