/* workers.c - `rota workers`, `services`, `tasks`, `task`: who works, and on what. */
#include <stdlib.h>

#include "ask.h"
#include "commands.h"
#include "facts.h"
#include "forms.h"
#include "values.h"

enum { SERVICES_MAX = 256 };

/* A list in an answer, alone or under its name. */
static const struct value *list_in(const struct value *answer, const char *name)
{
    return value_is(answer, VALUE_ARRAY) ? answer : value_get(answer, name);
}

struct column {
    const char *head, *key;
};

static const char *cell_text(struct tool *tool, const struct value *row, const char *key)
{
    const struct value *value = value_get(row, key);
    size_t len = strlen(key);

    if (value == NULL || value->type == VALUE_NIL)
        return "";
    if (value->type == VALUE_INT && len > 3 && strcmp(key + len - 3, "_ms") == 0) {
        if (strcmp(key, "idle_ms") == 0)
            return arena_printf(&tool->arena, "%.1fs", (double)value->as.number / 1000);
        return value->as.number > 0 ? facts_moment(tool, value->as.number) : "";
    }
    if (value->type == VALUE_INT)
        return arena_printf(&tool->arena, "%lld", (long long)value->as.number);
    return value->type == VALUE_STR ? arena_copy(&tool->arena, value->as.text, value->count)
                                    : value_show(&tool->arena, value);
}

static int print_list(struct tool *tool, const struct value *list, const struct column *columns,
                      int count, const char *empty)
{
    const char *heads[TABLE_COLUMNS_MAX];
    struct table table;

    if (!value_is(list, VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no list");
    for (uint32_t i = 0; tool->out.json && i < list->count; i++)
        output_json(&tool->out, &list->as.items[i]);
    if (tool->out.json)
        return TOOL_DONE;
    if (list->count == 0) {
        output_line(&tool->out, INK_DIM, "%s", empty);
        return TOOL_DONE;
    }
    for (int c = 0; c < count; c++)
        heads[c] = columns[c].head;
    table_begin(&table, count, heads);
    for (uint32_t i = 0; i < list->count; i++) {
        bool parked = slice_is(value_get_text(&list->as.items[i], "state"), "parked");

        table_row(&table);
        for (int c = 0; c < count; c++)
            table_cell(&table, c,
                       parked   ? INK_BAD
                       : c == 0 ? INK_BOLD
                                : INK_NONE,
                       cell_text(tool, &list->as.items[i], columns[c].key));
    }
    table_print(&table, &tool->out, 0);
    table_release(&table);
    return TOOL_DONE;
}

static int run_workers(struct tool *tool, const struct arguments *given)
{
    static const struct column columns[] = {{"service", "service"}, {"principal", "principal"},
                                            {"name", "name"},       {"speaks", "dialect"},
                                            {"running", "running"}, {"of", "credit"},
                                            {"idle", "idle_ms"}};
    struct value answer;
    int status = ask_query(tool, "workers", value_map(), &answer);

    (void)given;
    return status != TOOL_DONE
               ? status
               : print_list(tool, list_in(&answer, "workers"), columns, 7,
                            "no worker is connected: rota up starts the standard ones");
}

static int run_services(struct tool *tool, const struct arguments *given)
{
    static const struct column columns[] = {{"service", "service"},
                                            {"workers", "workers"},
                                            {"waiting", "waiting"},
                                            {"leased", "leased"}};
    struct value answer;
    int status = ask_query(tool, "services", value_map(), &answer);

    (void)given;
    return status != TOOL_DONE
               ? status
               : print_list(tool, list_in(&answer, "services"), columns, 4, "no services");
}

/* Nothing was found: because the record is none, or nobody serves what was named? A service may be without work and workers. */
static int why_none(struct tool *tool, const struct value *args)
{
    const char *service = value_get_str(args, "service", NULL, &tool->arena), *hint;
    const char *names[SERVICES_MAX];
    struct value one = value_map(), answer;
    const struct value *list;
    int count = 0, status = TOOL_DONE;

    if (value_get(args, "record") != NULL) {
        value_set(&tool->arena, &one, "record", *value_get(args, "record"));
        status = ask_query(tool, "show", one, &answer);
    }
    if (status != TOOL_DONE || service == NULL)
        return status;
    status = ask_query(tool, "services", value_map(), &answer);
    list = list_in(&answer, "services");
    for (uint32_t i = 0; status == TOOL_DONE && value_is(list, VALUE_ARRAY) && i < list->count; i++)
        if (count < SERVICES_MAX)
            names[count++] = value_get_str(&list->as.items[i], "service", "", &tool->arena);
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], service) == 0)
            return status;
    hint = nearest_said(&tool->arena, service, names, count);
    return *hint != '\0' ? tool_fail(TOOL_USAGE, "nobody serves '%s'%s", service, hint) : status;
}

static int run_tasks(struct tool *tool, const struct arguments *given)
{
    static const struct column columns[] = {
        {"task", "task"},   {"service", "service"}, {"record", "record"},
        {"state", "state"}, {"attempt", "attempt"}, {"failures", "failures"},
        {"due", "due_ms"},  {"worker", "worker"},   {"note", "note"}};
    static const char *const options[][2] = {
        {"--state", "state"}, {"--service", "service"}, {"--record", "record"}};
    struct value args = value_map(), answer;
    int status;

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (arguments_have(given, options[i][0]))
            value_set(&tool->arena, &args, options[i][1],
                      value_str(arguments_get(given, options[i][0])));
    status = ask_query(tool, "tasks", args, &answer);
    if (status == TOOL_DONE && list_in(&answer, "tasks")->count == 0)
        status = why_none(tool, &args);
    return status != TOOL_DONE
               ? status
               : print_list(tool, list_in(&answer, "tasks"), columns, 9, "no tasks");
}

/* ---- task redrive, task cancel ------------------------------------------------------------------- */

static int which(const struct arguments *given, struct tool *tool, struct value *args)
{
    const char *word = given->word_count > 1 ? given->words[1] : NULL,
               *service = arguments_get(given, "--service");
    char *end = NULL;
    long long number;

    if ((word != NULL) + (service != NULL) + arguments_have(given, "--all") != 1)
        return tool_usage(given, "name one: a task's number, --service SERVICE or --all");
    if (service != NULL)
        value_set(&tool->arena, args, "service", value_str(service));
    if (arguments_have(given, "--all"))
        value_set(&tool->arena, args, "all", value_bool(true));
    if (word == NULL)
        return TOOL_DONE;
    if (strncmp(word, "task/", 5) == 0)
        word += 5;
    number = strtoll(word, &end, 10);
    if (*word == '\0' || *end != '\0' || number < 0)
        return tool_usage(given, "%s: not the number of a task", word);
    value_set(&tool->arena, args, "task", value_int(number));
    return TOOL_DONE;
}

static int put_reason(struct tool *tool, const struct arguments *given, struct value *args)
{
    struct values values = {.arena = &tool->arena, .upload = ask_upload, .self = tool};
    struct value reference;
    struct error err;

    if (!arguments_have(given, "--reason") || *arguments_get(given, "--reason") == '\0')
        return tool_usage(given, "--reason TEXT is needed: it is kept in the journal");
    if (values_reason(&values, arguments_get(given, "--reason"), &reference, &err) != 0)
        return err.text[0] != '\0' ? tool_error(TOOL_INPUT, &err) : TOOL_REFUSED;
    value_set(&tool->arena, args, "reason", reference);
    return TOOL_DONE;
}

static int run_task(struct tool *tool, const struct arguments *given)
{
    struct command command = {.args = value_map()};
    struct reply reply;
    int status;

    if (strcmp(given->words[0], "redrive") == 0)
        command.command = slice_str("task.redrive");
    else if (strcmp(given->words[0], "cancel") == 0)
        command.command = slice_str("task.cancel");
    else
        return forms_unknown(given);
    if ((status = which(given, tool, &command.args)) != TOOL_DONE ||
        (status = put_reason(tool, given, &command.args)) != TOOL_DONE ||
        (status = ask_command(tool, &command, &reply)) != TOOL_DONE)
        return status;
    if (tool->out.json)
        output_json(&tool->out, &reply.out);
    else
        output_line(&tool->out, INK_GOOD, "%s: done%s%s", given->words[0],
                    reply.out.type == VALUE_MAP && reply.out.count > 0 ? " " : "",
                    reply.out.type == VALUE_MAP && reply.out.count > 0
                        ? value_show(&tool->arena, &reply.out)
                        : "");
    return TOOL_DONE;
}

static const struct tool_option task_options[] = {
    {"--reason", "TEXT", "why; kept in the journal"},
    {"--service", "SERVICE", "all parked tasks of this service"},
    {"--all", NULL, "all parked tasks"},
    {NULL, NULL, NULL},
};

static const struct tool_option tasks_options[] = {
    {"--state", "open|leased|handed_over|parked", "only those in this state"},
    {"--service", "SERVICE", "only those for this service"},
    {"--record", "RECORD", "only those of this record"},
    {NULL, NULL, NULL},
};

const struct tool_command command_workers = {
    "workers", "workers", "", "the workers that are connected", "", NULL, 0, 0, false, run_workers};

const struct tool_command command_services = {
    "services", "workers", "",          "services: who serves them, what waits", "", NULL, 0,
    0,          false,     run_services};

const struct tool_command command_tasks = {
    "tasks",
    "workers",
    "[--state STATE] [--service SERVICE] [--record RECORD]",
    "work that is asked of workers",
    "A parked task has failed for good until somebody redrives it; its note says why. One of the\n"
    "service rota.follow is a step of a workflow that followed from something and could not be "
    "done:\n"
    "mend what its note says, then redrive it.\n\n"
    "    rota tasks --state parked",
    tasks_options,
    0,
    0,
    false,
    run_tasks};

const struct tool_command command_task = {
    "task",
    "workers",
    "redrive TASK | --service SERVICE | --all --reason TEXT\ncancel TASK | --service SERVICE | "
    "--all --reason TEXT",
    "offer parked work again, or give it up",
    "    rota task redrive 77 --reason \"address corrected\"\n"
    "    rota task redrive --service communication.deliver --reason \"mail is back\"\n"
    "    rota task cancel 78 --reason \"left the company\"",
    task_options,
    1,
    2,
    false,
    run_task};
