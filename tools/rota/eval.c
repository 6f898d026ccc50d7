/* eval.c - `rota eval`: what a condition of the workflow language gives. */
#include <time.h>

#include "commands.h"
#include "definition/trial.h"
#include "packs.h"
#include "values.h"
#include "wire/json.h"

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What `rota show --json` prints and what `rota open --from` reads both keep a record's fields under `fields`; a
 * condition sees them beside what every record has. */
static struct value record_scope(struct tool *tool, const struct value *file)
{
    static const char *const OWN[] = {"kind",  "title", "version", "state",
                                      "stage", "phase", "owner",   "author"};
    const struct value *fields = value_get(file, "fields"), *id = value_get(file, "record");
    struct value scope = value_map(), record;

    if (!value_is(fields, VALUE_MAP))
        return *file;
    record = value_copy(&tool->arena, fields);
    for (size_t i = 0; i < sizeof OWN / sizeof OWN[0]; i++)
        if (value_is(value_get(file, OWN[i]), VALUE_STR))
            value_set(&tool->arena, &record, OWN[i], *value_get(file, OWN[i]));
    if (value_is(id, VALUE_STR))
        value_set(&tool->arena, &record, "id", *id);
    value_set(&tool->arena, &scope, "record", record);
    return scope;
}

static int read_names(struct tool *tool, const struct arguments *given, struct trial *trial)
{
    const char *path = arguments_get(given, "--with");
    struct value file, lines;
    struct error err;

    trial->names = value_map();
    if (path == NULL)
        return TOOL_DONE;
    if (values_read(&tool->arena, path, &file, &lines, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (file.type != VALUE_MAP)
        return tool_fail(TOOL_INPUT, "%s: expected names and their values: {\"x\": 1}", path);
    trial->names = trial->kind != NULL ? record_scope(tool, &file) : file;
    return TOOL_DONE;
}

/* The condition once more, with a mark below the place. */
static void point(const char *text, int column)
{
    if (column < 1 || strpbrk(text, "\t\n\r") != NULL)
        return;
    fprintf(stderr, "    %s\n    %*s^\n", text, column - 1, "");
}

static int tell(struct tool *tool, const char *text, const struct trial_result *result)
{
    static const char *const ENDS[] = {[TRIAL_VALUE] = "value",
                                       [TRIAL_NAMES] = "names",
                                       [TRIAL_CHECKED] = "check",
                                       [TRIAL_FAILED] = "evaluation"};
    struct value line = value_map();
    struct buf out = BUF_EMPTY;
    bool is_value = result->end == TRIAL_VALUE;

    if (tool->out.json && is_value) {
        value_set(&tool->arena, &line, "type", value_str(result->type));
        value_set(&tool->arena, &line, "value", result->value);
    } else if (tool->out.json) {
        value_set(&tool->arena, &line, "error", value_str(result->fault.text));
        value_set(&tool->arena, &line, "found_in", value_str(ENDS[result->end]));
        if (result->fault.column > 0)
            value_set(&tool->arena, &line, "column", value_int(result->fault.column));
    }
    if (tool->out.json) {
        output_json(&tool->out, &line);
    } else if (is_value) {
        value_to_json(&out, &result->value, false);
        fprintf(tool->out.to, "%s\n", buf_text(&out));
        buf_release(&out);
    }
    if (is_value)
        return TOOL_DONE;
    if (result->fault.column < 1)
        return tool_fail(TOOL_INPUT, "%s", result->fault.text);
    (void)tool_fail(TOOL_INPUT, "column %d: %s", result->fault.column, result->fault.text);
    point(text, result->fault.column);
    return TOOL_INPUT;
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct trial trial = {.now_ms = clock_ms()};
    const char *kind = arguments_get(given, "--kind");
    struct trial_result result;
    struct pack *pack = NULL;
    int status = TOOL_DONE;

    if (kind != NULL || arguments_have(given, "--pack")) {
        status = packs_load(tool, given, &pack);
        trial.pack = pack;
    }
    if (status == TOOL_DONE && kind != NULL)
        status = packs_kind(pack, kind, &trial.kind);
    if (status == TOOL_DONE)
        status = read_names(tool, given, &trial);
    if (status == TOOL_DONE) {
        trial_run(&trial, given->words[0], &tool->arena, &result);
        status = tell(tool, given->words[0], &result);
    }
    pack_free(&pack);
    return status;
}

static const struct tool_option options[] = {
    {"--with", "FILE", "names and their values: JSON, or libconfig"},
    {"--kind", "KIND", "check names against this kind's fields, as in the pack"},
    PACKS_OPTION,
    {NULL, NULL, NULL},
};

const struct tool_command command_eval = {
    "eval",
    "definitions",
    "CONDITION [--with FILE] [--kind KIND] [--pack DIR]",
    "what a condition of the workflow language gives",
    "Compiles and evaluates one condition, without an engine. Without --kind every name in FILE is "
    "a "
    "value of\n"
    "unknown type. With --kind it is checked as in the pack: FILE holds the scope ({\"record\": "
    "{...}, "
    "\"actor\": ...}),\n"
    "or a record as `rota show --json` prints it or `rota open --from` reads it. `now` and `today` "
    "are "
    "the clock's where\n"
    "FILE does not say. Prints the value as JSON. Exit status 4 if the condition or its evaluation "
    "is an "
    "error.\n\n"
    "    rota eval \"[3, 5, 8].filter(x, x > 4).size()\"\n"
    "    rota eval \"today + workdays(5)\"\n"
    "    rota eval \"level > 2 && !has(who.manager)\" --with names.json\n"
    "    rota eval \"grade == 'major_nc'\" --kind finding --with finding.json",
    options,
    1,
    1,
    false,
    run};
