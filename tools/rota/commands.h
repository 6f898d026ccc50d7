/* commands.h - every command's entry; main.c lists them. */
#ifndef ROTA_COMMANDS_H
#define ROTA_COMMANDS_H

#include "tool.h"

/* One a line, as in tool.c. */
extern const struct tool_command command_init;
extern const struct tool_command command_up;
extern const struct tool_command command_down;
extern const struct tool_command command_status;
extern const struct tool_command command_open;
extern const struct tool_command command_edit;
extern const struct tool_command command_attach;
extern const struct tool_command command_do;
extern const struct tool_command command_submit;
extern const struct tool_command command_approve;
extern const struct tool_command command_refuse;
extern const struct tool_command command_return;
extern const struct tool_command command_proposals;
extern const struct tool_command command_agree;
extern const struct tool_command command_break_glass;
extern const struct tool_command command_ack;
extern const struct tool_command command_withdraw;
extern const struct tool_command command_show;
extern const struct tool_command command_log;
extern const struct tool_command command_list;
extern const struct tool_command command_find;
extern const struct tool_command command_inbox;
extern const struct tool_command command_diff;
extern const struct tool_command command_why;
extern const struct tool_command command_watch;
extern const struct tool_command command_import;
extern const struct tool_command command_eval;
extern const struct tool_command command_draw;
extern const struct tool_command command_simulate;
extern const struct tool_command command_coverage;
extern const struct tool_command command_workers;
extern const struct tool_command command_services;
extern const struct tool_command command_tasks;
extern const struct tool_command command_task;
extern const struct tool_command command_worker;
extern const struct tool_command command_people;
extern const struct tool_command command_person;
extern const struct tool_command command_delegate;
extern const struct tool_command command_hand_over;
extern const struct tool_command command_waive;
extern const struct tool_command command_waivers;
extern const struct tool_command command_key;
extern const struct tool_command command_check;
extern const struct tool_command command_pack;
extern const struct tool_command command_migrate;
extern const struct tool_command command_verify;
extern const struct tool_command command_checkpoint;
extern const struct tool_command command_backup;
extern const struct tool_command command_restore;
extern const struct tool_command command_salvage;
extern const struct tool_command command_drain;
extern const struct tool_command command_resume;
extern const struct tool_command command_reload;
extern const struct tool_command command_stop;
extern const struct tool_command command_clock;
extern const struct tool_command command_completion;
extern const struct tool_command command_help;

#endif
