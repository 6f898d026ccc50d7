/* programs.h - the other programs of the house: where they are, started in the background, stopped. */
#ifndef ROTA_PROGRAMS_H
#define ROTA_PROGRAMS_H

#include <sys/types.h>

#include "tool.h"

/* The whole path of a program: beside this one, else found in $PATH; NULL if nowhere. */
const char *program_find(struct tool *tool, const char *name);

/* A directory of what is installed with the programs (workflows, config); NULL if nowhere. Looks at
 * $ROTA_SHARE/NAME, then beside the programs: ../share/rota/NAME, ../NAME, ../../NAME. */
const char *program_share(struct tool *tool, const char *name);

/* Runs a program in the foreground; its exit status, or -1 (said on stderr). */
int program_run(struct tool *tool, char *const *argv);
/* The same; what it prints goes to stderr, as it is not the answer to what was asked. */
int program_run_aside(struct tool *tool, char *const *argv);

/* The pid in DIR/run/NAME.pid if such a program runs now and works on DIR; else 0. */
pid_t program_pid(struct tool *tool, const char *name);

/* Starts argv[0], a whole path, in a session of its own and in DIR, which is its last argument, as a whole path too;
 * output to DIR/log/NAME.log, pid to DIR/run/NAME.pid (if `keep_pid`). With `ready` waits until the program prints that line on stdout (or ends: TOOL_INTERNAL or what its exit
 * status means, with the end of its log on stderr). */
int program_start(struct tool *tool, const char *name, char *const *argv, bool keep_pid,
                  const char *ready);

/* SIGTERM, then waits; after `patience_ms` SIGKILL if `may_kill`. TOOL_INTERNAL if it still runs. */
int program_stop(struct tool *tool, const char *name, int64_t patience_ms, bool may_kill);

#endif
