/* commands.h - every command's entry; main.c lists them. */
#ifndef ROTA_COMMANDS_H
#define ROTA_COMMANDS_H

#include "tool.h"

extern const struct tool_command command_init, command_up, command_down, command_status;
extern const struct tool_command command_open, command_edit, command_attach, command_do;
extern const struct tool_command command_submit, command_approve, command_refuse, command_return;
extern const struct tool_command command_ack, command_withdraw;
extern const struct tool_command command_show, command_log, command_list, command_find,
    command_inbox;
extern const struct tool_command command_diff, command_why, command_watch;
extern const struct tool_command command_import;
extern const struct tool_command command_eval, command_draw, command_simulate;
extern const struct tool_command command_workers, command_services, command_tasks, command_task,
    command_worker;
extern const struct tool_command command_people, command_person, command_key;
extern const struct tool_command command_check, command_pack, command_migrate;
extern const struct tool_command command_verify, command_checkpoint, command_backup;
extern const struct tool_command command_drain, command_resume, command_reload, command_stop,
    command_clock;
extern const struct tool_command command_completion, command_help;

#endif
