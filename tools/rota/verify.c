/* verify.c - `rota verify`: the independent checker over a copy of the journal. */
#include <stdlib.h>
#include <unistd.h>

#include "against.h"
#include "ask.h"
#include "commands.h"
#include "programs.h"

/* A running engine writes while we read: it gives us a consistent copy. */
static int take_copy(struct tool *tool, const char **path, bool *is_copy)
{
    struct value args = value_map(), answer;
    char here[4096];
    int status;

    *is_copy = false;
    *path = tool_path(tool, "journal.db");
    if (access(*path, F_OK) != 0)
        return tool_fail(
            TOOL_INPUT,
            "%s is not there: %s is no organisation's directory; name a backup or use -C DIR",
            *path, tool->dir);
    if (ask_admin_quietly(tool, "status", value_map(), &answer) != TOOL_DONE)
        return TOOL_DONE;
    if (realpath(tool->dir, here) == NULL)
        return tool_fail(TOOL_INTERNAL, "%s has no absolute name", tool->dir);
    *path = arena_printf(&tool->arena, "%s/run/verify-%ld.db", here, (long)getpid());
    value_set(&tool->arena, &args, "path", value_str(*path));
    *is_copy = true;
    status = ask_admin(tool, "backup", args, &answer);
    return status;
}

static int run_checker(struct tool *tool, const struct arguments *given, const char *path,
                       int first, bool has_key, const char *head)
{
    const char *program = program_find(tool, "rota-verify");
    char *argv[TOOL_WORDS_MAX + 8];
    int count = 0, code;

    if (program == NULL)
        return tool_fail(TOOL_INTERNAL, "rota-verify is neither beside %s nor in PATH",
                         tool->program);
    argv[count++] = arena_str(&tool->arena, program);
    argv[count++] = arena_str(&tool->arena, path);
    if (!has_key) {
        argv[count++] = arena_str(&tool->arena, "--vkey");
        argv[count++] = arena_printf(&tool->arena, "@%s", tool_path(tool, "keys/log.vkey"));
    }
    if (tool->out.json)
        argv[count++] = arena_str(&tool->arena, "--json");
    if (head != NULL) {
        argv[count++] = arena_str(&tool->arena, "--trusted");
        argv[count++] = arena_str(&tool->arena, head);
    }
    for (int i = first; i < given->word_count; i++) {
        if (strcmp(given->words[i], "--against") == 0)
            i++;
        else
            argv[count++] = arena_str(&tool->arena, given->words[i]);
    }
    argv[count] = NULL;
    code = program_run(tool, argv);
    return code == 0 ? TOOL_DONE : code == 1 ? TOOL_INPUT : code == 2 ? TOOL_USAGE : TOOL_INTERNAL;
}

/* `--against MAIL`: the head in the mail's footer becomes a checkpoint that was kept outside. */
static int take_head(struct tool *tool, const struct arguments *given, int first, const char **head)
{
    const char *tmp = getenv("TMPDIR"), *path;
    int status;

    for (int i = first; i < given->word_count; i++) {
        if (strcmp(given->words[i], "--against") != 0)
            continue;
        if (i + 1 == given->word_count)
            return tool_fail(TOOL_USAGE, "--against wants a mail that Rota sent");
        path = arena_printf(&tool->arena, "%s/rota-head-%ld", tmp != NULL ? tmp : "/tmp",
                            (long)getpid());
        status = against_extract(tool, given->words[i + 1], path);
        if (status == TOOL_DONE)
            *head = path;
        return status;
    }
    return TOOL_DONE;
}

static int run(struct tool *tool, const struct arguments *given)
{
    const char *path = NULL, *head = NULL;
    bool is_copy = false, has_key = false;
    int first = 0, status = TOOL_DONE;

    if (given->word_count > 0 && given->words[0][0] != '-') {
        path = given->words[0];
        first = 1;
    }
    for (int i = first; i < given->word_count; i++)
        has_key = has_key || strncmp(given->words[i], "--vkey", 6) == 0;
    status = take_head(tool, given, first, &head);
    if (status == TOOL_DONE && path == NULL)
        status = take_copy(tool, &path, &is_copy);
    if (status == TOOL_DONE)
        status = run_checker(tool, given, path, first, has_key, head);
    if (is_copy)
        unlink(path);
    if (head != NULL)
        unlink(head);
    return status;
}

const struct tool_command command_verify = {
    "verify",
    "evidence",
    "[FILE] [--against MAIL] [option of rota-verify ...]",
    "check the journal with a program that trusts nobody",
    "Runs rota-verify on FILE (a backup), or on a copy of this organisation's journal. Leaves, "
    "tree,\n"
    "checkpoints, signatures and the stored state are computed anew. Exit status 4 if the journal "
    "does not\n"
    "hold. What is decisive is a checkpoint that was kept outside: --trusted kept.checkpoint, or "
    "any\n"
    "mail that Rota sent: --against MAIL takes the head from its footer.\n\n"
    "    rota verify\n"
    "    rota verify backup.db --trusted kept.checkpoint --actor-keys actors.txt",
    NULL,
    0,
    -1,
    true,
    run};
