/* up.c - `rota up`, `rota down`, `rota status`: the engine and the standard workers. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "facts.h"
#include "programs.h"

enum { ENGINE_STOP_MS = 30000, WORKER_STOP_MS = 12000, WORKERS_READY_MS = 5000 };

static const char *const workers[] = {"rota-approval", "rota-communication", "rota-audit"};

enum { WORKERS = sizeof workers / sizeof workers[0] };

static void take_directory(struct tool *tool, const struct arguments *given)
{
    if (given->word_count > 0)
        tool->dir = given->words[0];
}

/* As the programs are told it: whole, because they run in it. */
static char *whole_directory(struct tool *tool)
{
    char path[PATH_MAX];

    return arena_str(&tool->arena, realpath(tool->dir, path) != NULL ? path : tool->dir);
}

/* Two `rota up` at once start one after the other, so that no worker is started twice. Held until the end. */
static void wait_turn(struct tool *tool)
{
    int fd = open(tool_path(tool, "run"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
}

static int start_engine(struct tool *tool, bool *started)
{
    const char *path = program_find(tool, "rotad");
    char *argv[] = {arena_str(&tool->arena, path != NULL ? path : ""), whole_directory(tool), NULL};
    struct value answer;
    int status = ask_admin_quietly(tool, "status", value_map(), &answer);

    *started = status == TOOL_NO_ENGINE;
    if (status != TOOL_NO_ENGINE)
        return status;
    if (path == NULL)
        return tool_fail(TOOL_INTERNAL, "rotad is neither beside %s nor in PATH", tool->program);
    return program_start(tool, "rotad", argv, false, "ready");
}

/* Workers say nothing when they are ready; the engine knows them when they have announced themselves. Also true where it does
 * not answer: that was said, and is not asked again. */
static bool all_announced(struct tool *tool, int64_t count)
{
    struct value answer;
    const struct value *known;

    if (ask_admin_quietly(tool, "status", value_map(), &answer) != TOOL_DONE)
        return true;
    known = value_get(&answer, "workers");
    return (value_is(known, VALUE_INT)     ? known->as.number
            : value_is(known, VALUE_ARRAY) ? (int64_t)known->count
                                           : count) >= count;
}

static int start_workers(struct tool *tool, int64_t *running, bool *started)
{
    int status = TOOL_DONE;

    *running = 0;
    for (size_t i = 0; i < WORKERS && status == TOOL_DONE; i++) {
        const char *path = program_find(tool, workers[i]);
        char *argv[] = {arena_str(&tool->arena, path != NULL ? path : ""),
                        arena_str(&tool->arena, "--dir"), whole_directory(tool), NULL};

        if (program_pid(tool, workers[i]) != 0) {
            ++*running;
        } else if (path == NULL) {
            tool_fail(TOOL_INTERNAL,
                      "%s is neither beside this program nor in PATH; going on without it",
                      workers[i]);
        } else {
            status = program_start(tool, workers[i], argv, true, NULL);
            *started = true;
            ++*running;
        }
    }
    return status;
}

static void wait_workers(struct tool *tool, int64_t running)
{
    const struct timespec pause = {0, 50 * 1000000L};

    for (int64_t waited = 0; waited < WORKERS_READY_MS; waited += 50) {
        if (all_announced(tool, running))
            return;
        nanosleep(&pause, NULL);
    }
    tool_fail(TOOL_DONE, "not every worker has announced itself yet; see %s and `rota workers`",
              tool_path(tool, "log"));
}

static int run_up(struct tool *tool, const struct arguments *given)
{
    bool engine = false, some = false;
    int64_t running;
    int status;

    take_directory(tool, given);
    wait_turn(tool);
    if ((status = start_engine(tool, &engine)) != TOOL_DONE ||
        (status = start_workers(tool, &running, &some)) != TOOL_DONE)
        return status;
    if (some)
        wait_workers(tool, running);
    if (tool->out.json) {
        struct value line = value_map();

        value_set(&tool->arena, &line, "dir", value_str(tool->dir));
        value_set(&tool->arena, &line, "engine", value_str(engine ? "started" : "running"));
        value_set(&tool->arena, &line, "workers", value_int(running));
        output_json(&tool->out, &line);
        return TOOL_DONE;
    }
    output_line(&tool->out, INK_GOOD, "the engine %s, with %lld of %d standard workers",
                engine ? "is ready" : "was running already", (long long)running, (int)WORKERS);
    output_line(&tool->out, INK_DIM, "logs in %s; rota down %s stops all", tool_path(tool, "log"),
                tool_shell(&tool->arena, tool->dir));
    return TOOL_DONE;
}

static int run_down(struct tool *tool, const struct arguments *given)
{
    struct engine_place place;
    struct error err;
    bool ran;
    int status = TOOL_DONE, worst = TOOL_DONE;

    take_directory(tool, given);
    if (ask_place_quietly(tool, &place, &err) != 0)
        return tool_fail(TOOL_USAGE, "%s: %s is no organisation's directory", err.text, tool->dir);
    ran = program_pid(tool, "rotad") != 0;
    for (size_t i = 0; i < WORKERS; i++) {
        ran = ran || program_pid(tool, workers[i]) != 0;
        status = program_stop(tool, workers[i], WORKER_STOP_MS, true);
        worst = status != TOOL_DONE ? status : worst;
    }
    status = program_stop(tool, "rotad", ENGINE_STOP_MS, false);
    worst = status != TOOL_DONE ? status : worst;
    if (worst == TOOL_DONE && tool->out.json) {
        struct value line = value_map();

        value_set(&tool->arena, &line, "dir", value_str(tool->dir));
        value_set(&tool->arena, &line, "engine", value_str(ran ? "stopped" : "none"));
        output_json(&tool->out, &line);
    } else if (worst == TOOL_DONE) {
        output_line(&tool->out, INK_GOOD, "%s", ran ? "stopped" : "nothing was running");
    }
    return worst;
}

/* ---- status -------------------------------------------------------------------------------------- */

static void pair(struct tool *tool, const char *label, const char *text)
{
    if (*text != '\0')
        output_pair(&tool->out, 2, 12, label, INK_NONE, slice_str(text));
}

static const char *number_text(struct tool *tool, const struct value *value)
{
    if (value_is(value, VALUE_INT))
        return arena_printf(&tool->arena, "%lld", (long long)value->as.number);
    if (value_is(value, VALUE_ARRAY))
        return arena_printf(&tool->arena, "%u", value->count);
    return value_is(value, VALUE_STR)   ? arena_copy(&tool->arena, value->as.text, value->count)
           : value_is(value, VALUE_MAP) ? value_show(&tool->arena, value)
                                        : "";
}

static const char *uptime_text(struct tool *tool, int64_t seconds)
{
    if (seconds >= 86400)
        return arena_printf(&tool->arena, "%lld d %lld h", (long long)(seconds / 86400),
                            (long long)(seconds / 3600 % 24));
    if (seconds >= 3600)
        return arena_printf(&tool->arena, "%lld h %lld min", (long long)(seconds / 3600),
                            (long long)(seconds / 60 % 60));
    return arena_printf(&tool->arena, "%lld min %lld s", (long long)(seconds / 60),
                        (long long)(seconds % 60));
}

static const char *tasks_text(struct tool *tool, const struct value *tasks)
{
    char *text = arena_str(&tool->arena, "");

    for (uint32_t i = 0; value_is(tasks, VALUE_MAP) && i < tasks->count; i++)
        text =
            arena_printf(&tool->arena, "%s%s%s %.*s", text, i > 0 ? ", " : "",
                         number_text(tool, &tasks->as.pairs[i].value),
                         (int)tasks->as.pairs[i].key.len, (const char *)tasks->as.pairs[i].key.at);
    return text;
}

static void print_status(struct tool *tool, const struct value *answer)
{
    static const char *const plain[][2] = {{"health", "health"},   {"version", "version"},
                                           {"journal", "size"},    {"records", "records"},
                                           {"workers", "workers"}, {"checkpoint", "checkpoint"}};
    int64_t now = value_get_int(answer, "now_ms", 0);
    const char *clock = value_get_str(answer, "clock", "system", &tool->arena);

    output_line(&tool->out, INK_GOOD, "the engine runs: process %s, since %s",
                number_text(tool, value_get(answer, "pid")),
                uptime_text(tool, value_get_int(answer, "uptime_s", 0)));
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        const char *text = number_text(tool, value_get(answer, plain[i][1]));

        pair(tool, plain[i][0],
             strcmp(plain[i][0], "journal") == 0 && *text != '\0'
                 ? arena_printf(&tool->arena, "%s entries", text)
                 : text);
    }
    pair(tool, "no commands", number_text(tool, value_get(answer, "error")));
    pair(tool, "tasks",
         arena_printf(&tool->arena, "%s%s", tasks_text(tool, value_get(answer, "tasks")),
                      value_get_bool(answer, "draining", false)
                          ? "; none is given out (rota resume goes on)"
                          : ""));
    if (now > 0)
        pair(tool, "clock", arena_printf(&tool->arena, "%s, %s", facts_moment(tool, now), clock));
    pair(tool, "not right", number_text(tool, value_get(answer, "clock_error")));
}

static int run_status(struct tool *tool, const struct arguments *given)
{
    struct value answer;
    int status;

    take_directory(tool, given);
    status = ask_admin_quietly(tool, "status", value_map(), &answer);
    if (status == TOOL_NO_ENGINE)
        return tool_fail(TOOL_NO_ENGINE, "the engine of %s does not run. Start it with: rota up %s",
                         tool->dir, tool_shell(&tool->arena, tool->dir));
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json) {
        output_json(&tool->out, &answer);
        return TOOL_DONE;
    }
    print_status(tool, &answer);
    for (size_t i = 0; i < WORKERS; i++) {
        pid_t pid = program_pid(tool, workers[i]);

        output_line(&tool->out, pid != 0 ? INK_NONE : INK_DIM, "  %-20s %s", workers[i],
                    pid != 0 ? arena_printf(&tool->arena, "process %ld", (long)pid)
                             : "not started here");
    }
    return TOOL_DONE;
}

const struct tool_command command_up = {
    "up",
    "start",
    "[DIR]",
    "start the engine and the standard workers",
    "Starts rotad, rota-approval, rota-communication and rota-audit in the background, with their "
    "logs in\n"
    "DIR/log, and returns when the engine is ready. What runs already is left alone.\n\n"
    "    rota up isms",
    NULL,
    0,
    1,
    false,
    run_up};

const struct tool_command command_down = {
    "down",
    "start",
    "[DIR]",
    "stop the workers, then the engine",
    "What a worker has begun it may finish; what it does not finish is offered again after the "
    "next start. To stop the engine alone: rota stop.",
    NULL,
    0,
    1,
    false,
    run_down};

const struct tool_command command_status = {
    "status",
    "start",
    "[DIR]",
    "what runs, and how it is; exit status 3 if nothing runs",
    "The engine, its health, how long the journal is, what waits for workers, and the standard "
    "workers. Asks over the admin socket: no person's key is needed, the engine's account is.",
    NULL,
    0,
    1,
    false,
    run_status};
