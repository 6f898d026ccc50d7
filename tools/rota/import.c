/* import.c - `rota import`: a tool's report becomes findings of an audit.
 *
 * rota-audit reads the file (it alone knows formats) and prints one JSON object; the engine raises each finding
 * once, by its de-duplication key, in one transaction. The same file twice is refused by its hash: nothing changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "facts.h"
#include "programs.h"
#include "wire/json.h"

enum { PARSED_MAX = 64 * 1024 * 1024, PARSED_DEPTH = 8 };

/* What a program prints, until its end. */
static int read_from_program(char *const *argv, struct buf *out)
{
    int ends[2], state = 0;
    char piece[65536];
    ssize_t got = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return tool_fail(TOOL_INTERNAL, "pipe: %s", strerror(errno));
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execv(argv[0], argv);
        fprintf(stderr, "rota: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    while (pid > 0 && out->len <= PARSED_MAX &&
           ((got = read(ends[0], piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0)
            buf_add(out, piece, (size_t)got);
    close(ends[0]);
    if (pid < 0)
        return tool_fail(TOOL_INTERNAL, "fork: %s", strerror(errno));
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0 && out->len <= PARSED_MAX)
        return TOOL_DONE;
    return tool_fail(WIFEXITED(state) && WEXITSTATUS(state) == 2 ? TOOL_USAGE : TOOL_INPUT,
                     "%s could not be read as %s; see above", argv[3], argv[2]);
}

static int parse(struct tool *tool, const struct arguments *given, struct value *out)
{
    const char *program = program_find(tool, "rota-audit");
    char *argv[] = {arena_str(&tool->arena, program != NULL ? program : ""),
                    arena_str(&tool->arena, "--parse"), arena_str(&tool->arena, given->words[0]),
                    arena_str(&tool->arena, given->words[1]), NULL};
    struct buf text = BUF_EMPTY;
    struct error err;
    int status;

    if (program == NULL)
        return tool_fail(TOOL_INTERNAL, "rota-audit is neither beside %s nor in PATH",
                         tool->program);
    status = read_from_program(argv, &text);
    if (status == TOOL_DONE &&
        json_to_value(&tool->arena, buf_slice(&text), PARSED_DEPTH, out, &err) != 0)
        status = tool_fail(TOOL_INPUT, "what rota-audit printed cannot be read: %s", err.text);
    if (status == TOOL_DONE && !value_is(value_get(out, "findings"), VALUE_ARRAY))
        status = tool_fail(TOOL_INPUT, "rota-audit printed no findings");
    buf_release(&text);
    return status;
}

/* The audit that was named, or the only one that is being carried out. */
static int find_audit(struct tool *tool, const struct arguments *given, struct slice *out)
{
    const char *named = arguments_get(given, "--audit");
    struct value args = value_map(), answer;
    const struct value *records;
    int status;

    if (named != NULL) {
        *out = slice_str(named);
        return TOOL_DONE;
    }
    value_set(&tool->arena, &args, "kind", value_str("audit"));
    value_set(&tool->arena, &args, "open", value_bool(true));
    status = ask_query(tool, "list", args, &answer);
    if (status != TOOL_DONE)
        return status;
    records = value_get(&answer, "records");
    if (!value_is(records, VALUE_ARRAY) || records->count != 1)
        return tool_fail(
            TOOL_USAGE, "%s audit is open: name one with --audit AUD-0001 (rota list audit --open)",
            value_is(records, VALUE_ARRAY) && records->count > 1 ? "more than one" : "no");
    *out = value_get_text(&records->as.items[0], "record");
    return TOOL_DONE;
}

static uint32_t count_of(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, key);

    return value_is(value, VALUE_ARRAY) ? value->count
           : value_is(value, VALUE_INT) ? (uint32_t)value->as.number
                                        : 0;
}

/* A row that was not understood: {line, text, why}. */
static const char *row_text(struct tool *tool, const struct value *row)
{
    if (row->type == VALUE_STR)
        return arena_copy(&tool->arena, row->as.text, row->count);
    if (value_get(row, "why") == NULL)
        return value_show(&tool->arena, row);
    return arena_printf(&tool->arena, "line %lld: %s: %s", (long long)value_get_int(row, "line", 0),
                        value_get_str(row, "why", "", &tool->arena),
                        value_get_str(row, "text", "", &tool->arena));
}

static void tell_list(struct tool *tool, const struct value *list, const char *label)
{
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        output_line(&tool->out, INK_NONE, "  %s %s", label, row_text(tool, &list->as.items[i]));
}

static void tell_json(struct tool *tool, const struct value *parsed, const struct reply *reply)
{
    struct value line =
        reply->out.type == VALUE_MAP ? value_copy(&tool->arena, &reply->out) : value_map();

    value_set(&tool->arena, &line, "findings", value_int(count_of(parsed, "findings")));
    value_set(&tool->arena, &line, "rejects", value_int(count_of(parsed, "rejects")));
    output_json(&tool->out, &line);
}

static void tell(struct tool *tool, const struct value *parsed, const struct reply *reply)
{
    const struct value *raised = value_get(&reply->out, "raised");

    if (tool->out.json) {
        tell_json(tool, parsed, reply);
        return;
    }
    if (raised == NULL)
        raised = value_get(&reply->out, "started");
    output_line(&tool->out, INK_GOOD,
                "%u findings in the report: %u raised, %u known before; rows not understood: %u",
                count_of(parsed, "findings"), value_is(raised, VALUE_ARRAY) ? raised->count : 0,
                count_of(parsed, "findings") - (value_is(raised, VALUE_ARRAY) ? raised->count : 0),
                count_of(parsed, "rejects"));
    tell_list(tool, raised, "+");
    tell_list(tool, value_get(parsed, "rejects"), "✗");
    tell_list(tool, value_get(parsed, "notes"), "note:");
}

/* A report is known by its name, not by where it lay. */
static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static int run(struct tool *tool, const struct arguments *given)
{
    static const char *const parts[] = {"tool", "format", "sha256", "covers", "findings"};
    struct command command = {.command = slice_str("audit.import"), .args = value_map()};
    struct value parsed;
    struct reply reply;
    int status = parse(tool, given, &parsed);

    if (status == TOOL_DONE)
        status = find_audit(tool, given, &command.record);
    if (status != TOOL_DONE)
        return status;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (value_get(&parsed, parts[i]) != NULL)
            value_set(&tool->arena, &command.args, parts[i], *value_get(&parsed, parts[i]));
    if (value_get(&command.args, "format") == NULL)
        value_set(&tool->arena, &command.args, "format", value_str(given->words[0]));
    value_set(&tool->arena, &command.args, "file", value_str(base_of(given->words[1])));
    status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE)
        tell(tool, &parsed, &reply);
    return status;
}

static const struct tool_option options[] = {
    {"--audit", "RECORD", "the audit whose findings they are (default: the only open one)"},
    {NULL, NULL, NULL},
};

const struct tool_command command_import = {
    "import",
    "audits",
    "FORMAT FILE [--audit RECORD]",
    "findings from a tool's report: lynis, ...",
    "The same file twice changes nothing and says so. A finding that is no longer seen goes to "
    "verification;\n"
    "one that is seen again reopens. A tool never raises a major nonconformity by itself.\n\n"
    "    rota import lynis /var/log/lynis-report.dat --audit AUD-0001",
    options,
    2,
    2,
    false,
    run};
