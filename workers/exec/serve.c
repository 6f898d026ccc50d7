#include "exec/serve.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FACTS = 8,
    BUSY_MS = 30000,
    REASON_MAX = 300,
    EXIT_TEMPFAIL = 75,
    EXIT_DATAERR = 65,
    EXIT_BADUSAGE = 64
};

int serving_status(const struct child_end *end)
{
    if (end->stop != CHILD_ENDED)
        return 500;
    switch (end->exit_status) {
    case 0:
        return 200;
    case EXIT_BADUSAGE:
    case EXIT_DATAERR:
        return 400;
    case EXIT_TEMPFAIL:
        return 503;
    default:
        return 500;
    }
}

static void fill_environment(struct arena *arena, const struct rota_facts *facts,
                             char *environment[FACTS + 1])
{
    environment[0] = arena_printf(arena, "ROTA_TASK=%lld", (long long)facts->task);
    environment[1] = arena_printf(arena, "ROTA_ATTEMPT=%d", facts->attempt);
    environment[2] = arena_printf(arena, "ROTA_SERVICE=%s", facts->service);
    environment[3] = arena_printf(arena, "ROTA_KIND=%s", facts->kind);
    environment[4] = arena_printf(arena, "ROTA_RECORD=%s", facts->record);
    environment[5] = arena_printf(arena, "ROTA_REVISION=%lld", (long long)facts->revision);
    environment[6] = arena_printf(arena, "ROTA_KEY=%s", facts->key);
    environment[7] = arena_printf(arena, "ROTA_DUE_MS=%lld", (long long)facts->due_ms);
    environment[FACTS] = NULL;
}

/* The last line that says something. */
static const char *last_line(struct buf *errors, char out[REASON_MAX])
{
    size_t end = errors->len, begin;

    while (end > 0 && errors->at[end - 1] <= ' ')
        end--;
    begin = end;
    while (begin > 0 && errors->at[begin - 1] != '\n')
        begin--;
    if (end - begin >= REASON_MAX)
        end = begin + REASON_MAX - 1;
    if (end > begin)
        memcpy(out, errors->at + begin, end - begin);
    out[end - begin] = '\0';
    return out;
}

static void say_why(struct rota_task *task, struct child_end *end)
{
    static const char *const stops[] = {[CHILD_ENDED] = "",
                                        [CHILD_CANCELLED] = "the task was taken back",
                                        [CHILD_TOO_LONG] = "the program took too long",
                                        [CHILD_TOO_MUCH] = "the program printed more than 16 KiB"};
    char code[32], reason[REASON_MAX];

    if (end->stop != CHILD_ENDED)
        snprintf(code, sizeof code, "stopped");
    else if (end->signal != 0)
        snprintf(code, sizeof code, "signal-%d", end->signal);
    else
        snprintf(code, sizeof code, "exit-%d", end->exit_status);
    last_line(&end->errors, reason);
    rota_task_say(task, code, end->stop != CHILD_ENDED ? stops[end->stop] : reason);
}

static int take_output(struct rota_task *task, const struct child_end *end)
{
    struct rota_error err = {0, "", ""};
    size_t len = end->output.len;

    while (len > 0 && end->output.at[len - 1] <= ' ')
        len--;
    if (len == 0)
        return 200;
    if (rota_task_output_json(task, (const char *)end->output.at, len, &err) == 0)
        return 200;
    rota_task_say(task, "bad-output", err.text);
    return 500;
}

int serving_run(void *self, struct rota_task *task)
{
    const struct serving *serving = self;
    const struct rota_facts *facts = rota_task_facts(task);
    const char *input = rota_task_input_json(task);
    char *environment[FACTS + 1];
    struct arena arena = ARENA_EMPTY;
    struct child child = {.argv = serving->argv,
                          .environment = environment,
                          .input = slice_str(input),
                          .output_max = ROTA_OUTPUT_MAX,
                          .run_ms = serving->run_ms,
                          .cancel_fd = rota_task_cancel_fd(task),
                          .folder_fd = serving->folder_fd};
    struct child_end end;
    struct error err = {ERROR_NONE, ""};
    int status = 500;

    fill_environment(&arena, facts, environment);
    if (child_run(&child, &end, &err) != 0) {
        rota_task_say(task, "cannot-start", err.text);
    } else {
        status = serving_status(&end);
        if (status == 200)
            status = take_output(task, &end);
        else
            say_why(task, &end);
        if (status == 503)
            rota_task_retry_after(task, BUSY_MS);
    }
    if (serving->program != NULL)
        program_say(serving->program, status == 200 ? ROTA_LOG_INFO : ROTA_LOG_WARNING,
                    "task %lld attempt %d: %d", (long long)facts->task, facts->attempt, status);
    child_end_release(&end);
    arena_release(&arena);
    return status;
}
