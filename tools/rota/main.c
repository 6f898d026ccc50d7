/* main.c - the way from the command line to a command. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/streams.h"

#include "ask.h"
#include "commands.h"
#include "facts.h"
#include "forms.h"
#include "help.h"

static const char *from_environment(const char *name, const char *fallback)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : fallback;
}

static int run_command(struct tool *tool, const struct arguments *given)
{
    const struct tool_command *command = given->command;

    if (arguments_have(given, "--help")) {
        help_command(&tool->out, command);
        return TOOL_DONE;
    }
    if (given->word_count < command->words_min)
        return forms_missing(given);
    if (command->words_max >= 0 && given->word_count > command->words_max)
        return tool_usage(given, "%s: that is one word too many", given->words[command->words_max]);
    return command->run(tool, given);
}

static int without_command(struct tool *tool, const struct arguments *given, int argc)
{
    if (argc > 1 && !arguments_have(given, "--help"))
        return tool_fail(TOOL_USAGE, "which command? `rota help` lists them");
    help_list(&tool->out);
    return argc > 1 ? TOOL_DONE : TOOL_USAGE;
}

/* Has whoever read our output gone, as `head` does when it has enough? */
static bool is_nobody_reading(void)
{
    struct pollfd out = {STDOUT_FILENO, 0, 0};

    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* Everything was written? A full disk must not look like success; a reader who has enough is no news to anybody. */
static int finish(struct tool *tool, int status)
{
    bool bad = ferror(stdout) != 0;

    bad = fflush(stdout) != 0 || bad;
    ask_close(tool);
    facts_free(tool);
    arena_release(&tool->arena);
    if (bad && is_nobody_reading()) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return bad && status == TOOL_DONE ? tool_fail(TOOL_INTERNAL, "stdout cannot be written")
                                      : status;
}

int main(int argc, char **argv)
{
    struct tool tool = {.program = argv[0],
                        .dir = from_environment("ROTA_DIR", "."),
                        .who = from_environment("ROTA_AS", NULL),
                        .timeout_ms = TOOL_TIMEOUT_MS};
    static struct arguments given;
    struct error err;
    int status;

    streams_keep();
    signal(SIGPIPE, SIG_IGN);
    output_init(&tool.out, stdout);
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        puts(tool_version);
        return finish(&tool, TOOL_DONE);
    }
    status = arguments_read(argc, argv, &tool, &given, &err);
    if (status != TOOL_DONE && given.command != NULL)
        status = tool_usage(&given, "%s", err.text);
    else if (status != TOOL_DONE)
        status = tool_fail(status, "%s (`rota help` lists the commands)", err.text);
    else if (given.command == NULL)
        status = without_command(&tool, &given, argc);
    else
        status = run_command(&tool, &given);
    return finish(&tool, status);
}
