/* check.h - is a pack sound? For those who are about to send it. */
#ifndef ROTA_CHECK_H
#define ROTA_CHECK_H

#include "tool.h"

/* Says nothing about a pack that the engine would take; else every problem of it, with file and line, and TOOL_REFUSED (or
 * TOOL_INPUT: there is no pack in that directory). */
int check_quietly(struct tool *tool, const char *directory);

#endif
