/* verify.c - `rota verify`: the independent checker over a copy of the journal. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "against.h"
#include "ask.h"
#include "commands.h"
#include "programs.h"

static int64_t free_bytes(const char *folder)
{
    struct statvfs about;

    return statvfs(folder, &about) == 0 ? (int64_t)about.f_bavail * (int64_t)about.f_frsize : -1;
}

static int64_t file_bytes(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 ? (int64_t)about.st_size : 0;
}

/* Where the copy has room: beside the journal, or on another disk if that one is full. NULL: nowhere, and it is said. */
static const char *folder_for(struct tool *tool, const char *directory, const char *journal)
{
    const char *tmp = getenv("TMPDIR"), *own = arena_printf(&tool->arena, "%s/run", directory);
    const char *const folders[] = {own, tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", "/var/tmp"};
    int64_t need = file_bytes(journal) + file_bytes(arena_printf(&tool->arena, "%s-wal", journal));

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (free_bytes(folders[i]) >= need)
            return folders[i];
    tool_fail(TOOL_INTERNAL,
              "neither %s nor %s has the %lld MiB free that a copy of the journal takes; name a "
              "folder in "
              "$TMPDIR, or: rota backup FILE on another disk, then rota verify FILE",
              own, folders[1], (long long)(need >> 20) + 1);
    return NULL;
}

/* A running engine writes while we read: it gives us a consistent copy. */
static int take_copy(struct tool *tool, const char **path, bool *is_copy)
{
    struct value args = value_map(), answer;
    const char *folder;
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
    folder = folder_for(tool, here, *path);
    if (folder == NULL)
        return TOOL_INTERNAL;
    *path = arena_printf(&tool->arena, "%s/rota-verify-%ld.db", folder, (long)getpid());
    value_set(&tool->arena, &args, "path", value_str(*path));
    *is_copy = true;
    status = ask_admin(tool, "backup", args, &answer);
    if (status == TOOL_DONE && value_get_text(&answer, "says").len > 0)
        tool_fail(TOOL_DONE, "a copy for the check: %s",
                  text_clean(&tool->arena, value_get_text(&answer, "says"), false));
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
    if (path != NULL && access(path, F_OK) != 0)
        return tool_fail(TOOL_INPUT, "%s is not there%s", path, nearest_path(&tool->arena, path));
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
