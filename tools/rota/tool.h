/* tool.h - one run of `rota`: what was asked, on which organisation, as whom; and the table of commands.
 *
 * One command is one `const struct tool_command`; main.c lists them all, and the help, the completion and
 * the search for the nearest name are made from that list.
 *
 * A command's run() returns the exit status of the program. Whoever finds that something went wrong says
 * so on stderr (tool_fail, tool_usage) and returns the status; callers pass it on and say nothing more.
 */
#ifndef ROTA_TOOL_H
#define ROTA_TOOL_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"

#include "output.h"

enum tool_status {
    TOOL_DONE = 0,
    TOOL_REFUSED = 1,   /* a person may not, or not now; the code and the sentence are on stderr */
    TOOL_USAGE = 2,     /* the command line cannot be understood */
    TOOL_NO_ENGINE = 3, /* nobody answers */
    TOOL_INPUT = 4,     /* a file, a key or a reply is malformed or damaged */
    TOOL_INTERNAL = 5   /* the machine failed: memory, a program that cannot be started */
};

enum { TOOL_TIMEOUT_MS = 15000, TOOL_WORDS_MAX = 512, TOOL_GIVEN_MAX = 64 };

struct client;
struct facts;

struct tool {
    const char *program; /* as it was called */
    const char *dir;     /* the organisation's directory; never NULL */
    const char *who;     /* --as, $ROTA_AS, or NULL: the only person's key there is */
    int64_t timeout_ms;  /* how long to wait for the engine, all attempts together */
    struct output out;
    struct arena arena;    /* lives as long as the run */
    struct client *client; /* owned; opened by the first question (ask.h) */
    struct facts *facts;   /* owned; what was asked once and is kept (facts.h) */
};

struct tool_option {
    const char *name;  /* "--reason"; NULL ends the list */
    const char *value; /* what stands after it in the usage ("TEXT"); NULL: nothing */
    const char *help;
};

struct arguments {
    const char
        *words[TOOL_WORDS_MAX]; /* what is not an option, in order, without the command's name */
    int word_count;
    struct {
        const char *name, *value; /* value: "" for an option without one */
    } given[TOOL_GIVEN_MAX];
    int given_count;
    const struct tool_command *command;
};

struct tool_command {
    const char *name;
    const char *group;                 /* heading in the list of commands */
    const char *usage;                 /* what follows the name; a line for each form */
    const char *summary;               /* one line */
    const char *help;                  /* what it does, with examples */
    const struct tool_option *options; /* or NULL */
    int words_min, words_max;          /* -1: any number */
    bool passes_options;               /* options it does not know count as words */
    int (*run)(struct tool *tool, const struct arguments *given);
};

/* The table of main.c; ends with NULL. */
extern const struct tool_command *const tool_commands[];
extern const struct tool_option tool_options[]; /* those that every command takes */

/* Reads a command line into `tool` and `given`. 0, or TOOL_USAGE with `err` filled. `given->command` is
 * NULL if no command was named. */
int arguments_read(int argc, char **argv, struct tool *tool, struct arguments *given,
                   struct error *err);

/* The value of an option ("" if it takes none), or NULL if it was not given. */
const char *arguments_get(const struct arguments *given, const char *name);
bool arguments_have(const struct arguments *given, const char *name);

/* The name that is nearest to `word` among `count` names, or NULL if none is near. */
const char *nearest_name(const char *word, const char *const *names, int count);
/* The same as the end of a sentence: "; did you mean 'x'?", or "". */
const char *nearest_said(struct arena *arena, const char *word, const char *const *names,
                         int count);
/* Of a path that is not there: what lies beside it and is nearest. */
const char *nearest_path(struct arena *arena, const char *path);
const struct tool_command *tool_command_find(const char *name);
const char *tool_command_nearest(const char *word);

/* Says "rota: ..." on stderr and returns `status`. */
int tool_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
int tool_error(int status, const struct error *err);

/* Says what is wrong with the command line and how it goes; returns TOOL_USAGE. */
int tool_usage(const struct arguments *given, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A path as a line for the shell has it: in quotes where it has to be. */
const char *tool_shell(struct arena *arena, const char *path);

/* DIR/part, in the run's arena. */
char *tool_path(struct tool *tool, const char *part);

extern const char tool_version[];

#endif
