/* tool.c - the table of commands, and how something that went wrong is said. */
#include <stdarg.h>

#include "commands.h"
#include "help.h"
#include "tool.h"

#ifndef ROTA_VERSION
#define ROTA_VERSION "0.1.0"
#endif

const char tool_version[] = "rota " ROTA_VERSION;

/* One a line, so that two additions do not move each other. */
/* clang-format off */
const struct tool_command *const tool_commands[] = {
    &command_init,
    &command_up,
    &command_down,
    &command_status,
    &command_open,
    &command_edit,
    &command_attach,
    &command_do,
    &command_show,
    &command_log,
    &command_list,
    &command_find,
    &command_inbox,
    &command_diff,
    &command_why,
    &command_watch,
    &command_submit,
    &command_approve,
    &command_refuse,
    &command_return,
    &command_proposals,
    &command_agree,
    &command_break_glass,
    &command_ack,
    &command_withdraw,
    &command_import,
    &command_workers,
    &command_services,
    &command_tasks,
    &command_task,
    &command_worker,
    &command_people,
    &command_person,
    &command_delegate,
    &command_hand_over,
    &command_waive,
    &command_waivers,
    &command_key,
    &command_check,
    &command_pack,
    &command_eval,
    &command_draw,
    &command_coverage,
    &command_migrate,
    &command_simulate,
    &command_verify,
    &command_checkpoint,
    &command_backup,
    &command_restore,
    &command_salvage,
    &command_drain,
    &command_resume,
    &command_reload,
    &command_stop,
    &command_clock,
    &command_completion,
    &command_help,
    NULL,
};
/* clang-format on */

int tool_fail(int status, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    va_start(args, format);
    output_said(stderr, "rota: ", format, args);
    va_end(args);
    return status;
}

int tool_error(int status, const struct error *err)
{
    return tool_fail(status, "%s", err->text);
}

int tool_usage(const struct arguments *given, const char *format, ...)
{
    const struct tool_command *command = given != NULL ? given->command : NULL;
    struct arena arena = ARENA_EMPTY;
    struct output out;
    va_list args;

    fflush(stdout);
    va_start(args, format);
    output_said(stderr,
                command != NULL ? arena_printf(&arena, "rota: %s: ", command->name) : "rota: ",
                format, args);
    va_end(args);
    arena_release(&arena);
    if (command != NULL) {
        output_init(&out, stderr);
        help_usage(&out, "usage: ", INK_NONE, command);
        output_line(&out, INK_NONE, "       rota %s --help explains", command->name);
    }
    return TOOL_USAGE;
}

const char *tool_shell(struct arena *arena, const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%";
    char *quoted, *end;

    if (*path != '\0' && path[strspn(path, plain)] == '\0')
        return arena_str(arena, path);
    quoted = end = arena_take(arena, 4 * strlen(path) + 3);
    *end++ = '\'';
    for (; *path != '\0'; path++)
        end = *path == '\'' ? stpcpy(end, "'\\''") : (*end = *path, end + 1);
    strcpy(end, "'");
    return quoted;
}

char *tool_path(struct tool *tool, const char *part)
{
    return arena_printf(&tool->arena, "%s/%s", tool->dir, part);
}
