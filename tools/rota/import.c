/* import.c - `rota import`: a tool's report becomes findings of an audit.
 *
 * rota-audit reads the file (it alone knows formats) and prints one JSON object; the engine raises each finding
 * once, by its de-duplication key. A file goes in parts (wire/import.h), each one transaction: what broke off is
 * taken up by the same command where it stood. The same file twice is refused by its hash: nothing changes.
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
#include "wire/import.h"
#include "wire/json.h"

enum { PARSED_MAX = 64 * 1024 * 1024, PARSED_DEPTH = 8, RAISED_SHOWN = 40 };

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
    for (uint32_t i = 0; i < list->count && i < RAISED_SHOWN; i++)
        output_line(&tool->out, INK_NONE, "  %s %s", label, row_text(tool, &list->as.items[i]));
    if (list->count > RAISED_SHOWN)
        output_line(&tool->out, INK_DIM, "  %s and %u more", label, list->count - RAISED_SHOWN);
}

/* ---- sending ---- */

struct sending {
    struct tool *tool;
    const struct value *report;
    struct slice audit;
    uint32_t from, began; /* the next finding; the one that this run began with */
    uint32_t part_max;
    bool shows_progress;
    struct value raised; /* ids */
    struct value out;    /* of the last answer */
};

static void show_progress(const struct sending *sending)
{
    if (!sending->shows_progress)
        return;
    fprintf(stderr, "\r%u of %u findings ", sending->from, count_of(sending->report, "findings"));
    fflush(stderr);
}

/* How far the engine is with this file. */
static int ask_how_far(struct sending *sending, uint32_t *next)
{
    struct tool *tool = sending->tool;
    struct value args = value_map(), answer = VALUE_NONE;
    const struct value *refused;
    int status;

    value_set(&tool->arena, &args, "record", value_text(sending->audit));
    value_set(&tool->arena, &args, "sha256", value_text(value_get_text(sending->report, "sha256")));
    status = ask_query(tool, "import", args, &answer);
    refused = value_get(&answer, "refused");
    /* Where nothing of it is here it is sent all the same: the engine refuses that, and writes it down. */
    if (status == TOOL_DONE && value_get_int(refused, "status", 0) == 403 &&
        value_get(&answer, "at_ms") != NULL)
        return tool_fail(TOOL_REFUSED, "403 %s: %s",
                         value_get_str(refused, "code", "", &tool->arena),
                         text_clean(&tool->arena, value_get_text(refused, "message"), false));
    if (status == TOOL_DONE && value_get_bool(&answer, "complete", false))
        return tool_fail(TOOL_REFUSED, "409 wrong-state: %s",
                         value_get_str(&answer, "says", "", &tool->arena));
    if (status == TOOL_DONE)
        *next = (uint32_t)value_get_int(&answer, "next", 0);
    return status;
}

static void take_answer(struct sending *sending, const struct reply *reply)
{
    const struct value *started = value_get(&reply->out, "started");

    for (uint32_t i = 0; value_is(started, VALUE_ARRAY) && i < started->count; i++)
        value_push(&sending->tool->arena, &sending->raised, started->as.items[i]);
    sending->out = reply->out;
}

/* Too much at once is tried by halves. Where somebody else has brought the part meanwhile, it goes on after theirs. */
static int after_refusal(struct sending *sending, const struct reply *reply, uint32_t sent)
{
    uint32_t next = sending->from;
    int status;

    if (reply->status == 413 && sent > 1) {
        sending->part_max = sent / 2;
        return TOOL_DONE;
    }
    if (reply->status == 409 && (status = ask_how_far(sending, &next)) != TOOL_DONE)
        return status;
    if (next <= sending->from)
        return ask_refused(sending->tool, reply);
    sending->from = next;
    return TOOL_DONE;
}

static int send_part(struct sending *sending)
{
    struct tool *tool = sending->tool;
    struct command command = {.command = slice_str("audit.import"), .record = sending->audit};
    struct reply reply;
    uint32_t count =
        import_part(&tool->arena, sending->report, sending->from, sending->part_max, &command.args);
    int status;

    command.id = import_part_id(&tool->arena, sending->audit, &command.args);
    status = ask_command_quietly(tool, &command, &reply);
    if (status != TOOL_DONE)
        return status;
    if (reply.status / 100 != 2)
        return after_refusal(sending, &reply, count);
    take_answer(sending, &reply);
    sending->from += count;
    return TOOL_DONE;
}

static int send_all(struct sending *sending)
{
    uint32_t count = count_of(sending->report, "findings");
    int status = ask_how_far(sending, &sending->began);

    sending->from = sending->began;
    if (status == TOOL_DONE && sending->from > count)
        return tool_fail(TOOL_INPUT, "another reader of this file found more in it than is here");
    do {
        show_progress(sending);
        if (status == TOOL_DONE)
            status = send_part(sending);
    } while (status == TOOL_DONE && sending->from < count);
    if (sending->shows_progress)
        fprintf(stderr, "\r%40s\r", "");
    if (status != TOOL_DONE && sending->from > sending->began)
        fprintf(stderr, "rota: %u of %u findings are in; the same command goes on from there\n",
                sending->from, count);
    return status;
}

/* ---- telling ---- */

static void tell_json(struct sending *sending)
{
    struct tool *tool = sending->tool;
    struct value line =
        sending->out.type == VALUE_MAP ? value_copy(&tool->arena, &sending->out) : value_map();

    if (sending->raised.count > 0)
        value_set(&tool->arena, &line, "started", sending->raised);
    if (sending->began > 0)
        value_set(&tool->arena, &line, "resumed_from", value_int(sending->began));
    value_set(&tool->arena, &line, "findings", value_int(count_of(sending->report, "findings")));
    value_set(&tool->arena, &line, "rejects", value_int(count_of(sending->report, "rejects")));
    output_json(&tool->out, &line);
}

static void tell(struct sending *sending)
{
    static const char *const lists[][2] = {{"rejects", "✗"}, {"notes", "note:"}};
    struct tool *tool = sending->tool;
    uint32_t count = count_of(sending->report, "findings"), raised = sending->raised.count;

    if (tool->out.json) {
        tell_json(sending);
        return;
    }
    output_line(&tool->out, INK_GOOD,
                "%u findings in the report: %u raised, %u known before; rows not understood: %u",
                count, raised, count - sending->began - raised,
                count_of(sending->report, "rejects"));
    if (sending->began > 0)
        output_line(&tool->out, INK_NONE, "%u of them were in already; this run went on from there",
                    sending->began);
    tell_list(tool, &sending->raised, "+");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct value *list = value_get(sending->report, lists[i][0]);

        if (value_is(list, VALUE_ARRAY))
            tell_list(tool, list, lists[i][1]);
    }
}

/* A report is known by its name, not by where it lay. */
static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct value report;
    struct sending sending = {.tool = tool,
                              .report = &report,
                              .part_max = IMPORT_PART_MAX,
                              .shows_progress = isatty(STDERR_FILENO) == 1,
                              .raised = value_array()};
    int status = parse(tool, given, &report);

    if (status == TOOL_DONE)
        status = find_audit(tool, given, &sending.audit);
    if (status != TOOL_DONE)
        return status;
    if (value_get(&report, "format") == NULL)
        value_set(&tool->arena, &report, "format", value_str(given->words[0]));
    value_set(&tool->arena, &report, "file", value_str(base_of(given->words[1])));
    status = send_all(&sending);
    if (status == TOOL_DONE)
        tell(&sending);
    return status;
}

static const struct tool_option options[] = {
    {"--audit", "RECORD", "the audit whose findings they are (default: the only open one)"},
    {NULL, NULL, NULL},
};

const struct tool_command command_import = {
    "import",
    "audits",
    "lynis FILE [--audit RECORD]",
    "findings from a tool's report",
    "A large file goes in parts; one that broke off is taken up by the same command where it "
    "stood.\n"
    "The same file twice changes nothing and says so. A finding that is no longer seen goes to "
    "verification;\n"
    "one that is seen again reopens. A tool never raises a major nonconformity by itself.\n\n"
    "    rota import lynis /var/log/lynis-report.dat --audit AUD-0001",
    options,
    2,
    2,
    false,
    run};
