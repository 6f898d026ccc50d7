/* help.h - what the table of commands says: for people, for programs (--json), for the manual. */
#ifndef ROTA_HELP_H
#define ROTA_HELP_H

#include "tool.h"

void help_list(struct output *out); /* every command, one line each */
void help_command(struct output *out, const struct tool_command *command); /* one, in full */
/* How it goes, a line for each form, behind `before` ("usage: "). */
void help_usage(struct output *out, const char *before, enum ink ink,
                const struct tool_command *command);
/* What stands together in a usage: "[--from FILE]", "--to WHO", a word. Its length; *next is where the following begins. */
size_t help_usage_part(const char *at, size_t *next);
void help_manual(struct output *out); /* every command, for rota(1) */

/* The headings of the list, in order; NULL after the last. */
const char *help_group(int group);
bool help_in_group(const struct tool_command *command, int group);

#endif
