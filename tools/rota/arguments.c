/* arguments.c - the command line: options before or after the command, the nearest name for a wrong one. */
#include <stdlib.h>

#include "tool.h"

enum { NAME_MAX_LEN = 64 };

const struct tool_option tool_options[] = {
    {"-C", "DIR", "the organisation's directory (default: $ROTA_DIR, then the current directory)"},
    {"--as", "WHO", "whose key to use (default: $ROTA_AS, then the only person's key there is)"},
    {"--json", NULL, "one JSON object a line"},
    {"--timeout", "SECONDS", "how long to wait for the engine (default 15)"},
    {"--help", NULL, "how this command goes"},
    {NULL, NULL, NULL},
};

static const struct tool_option *option_in(const struct tool_option *list, const char *name,
                                           size_t len)
{
    for (; list != NULL && list->name != NULL; list++)
        if (strlen(list->name) == len && memcmp(list->name, name, len) == 0)
            return list;
    return NULL;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static size_t option_length(const char *word)
{
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;

    return equals != NULL ? (size_t)(equals - word) : strlen(word);
}

/* The first word that is neither an option of every command nor the value of one. */
static int command_at(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const struct tool_option *option;

        if (!is_option(argv[i]))
            return i;
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? i + 1 : -1;
        option = option_in(tool_options, argv[i], option_length(argv[i]));
        if (option != NULL && option->value != NULL && strchr(argv[i], '=') == NULL)
            i++;
    }
    return -1;
}

const struct tool_command *tool_command_find(const char *name)
{
    for (int i = 0; tool_commands[i] != NULL; i++)
        if (strcmp(tool_commands[i]->name, name) == 0)
            return tool_commands[i];
    return NULL;
}

const char *tool_command_nearest(const char *word)
{
    const char *names[128];
    int count = 0;

    for (; count < 128 && tool_commands[count] != NULL; count++)
        names[count] = tool_commands[count]->name;
    return nearest_name(word, names, count);
}

static int unknown_option(const struct tool_command *command, const char *word, struct error *err)
{
    const char *names[64];
    const char *near;
    char name[NAME_MAX_LEN];
    int count = 0;

    for (const struct tool_option *o = tool_options; o->name != NULL && count < 64; o++)
        names[count++] = o->name;
    for (const struct tool_option *o = command != NULL ? command->options : NULL;
         o != NULL && o->name != NULL && count < 64; o++)
        names[count++] = o->name;
    snprintf(name, sizeof name, "%.*s", (int)option_length(word), word);
    near = nearest_name(name, names, count);
    error_set(err, ERROR_INPUT, "%s: unknown option%s%s%s", name,
              near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
              near != NULL ? "'?" : "");
    return TOOL_USAGE;
}

static int general_option(struct tool *tool, const struct tool_option *option, const char *value,
                          struct error *err)
{
    char *end;
    double seconds;

    if (strcmp(option->name, "-C") == 0) {
        tool->dir = value;
    } else if (strcmp(option->name, "--as") == 0) {
        tool->who = value;
    } else if (strcmp(option->name, "--json") == 0) {
        tool->out.json = true;
    } else if (strcmp(option->name, "--timeout") == 0) {
        seconds = strtod(value, &end);
        if (*value == '\0' || *end != '\0' || !(seconds > 0 && seconds < 1e6)) {
            error_set(err, ERROR_INPUT, "--timeout %s: not a number of seconds", value);
            return TOOL_USAGE;
        }
        tool->timeout_ms = (int64_t)(seconds * 1000);
    }
    return 0;
}

struct reading { /* where arguments_read stands */
    int argc, at;
    char **argv;
    struct tool *tool;
    struct arguments *given;
};

static int keep_given(struct arguments *given, const char *name, const char *value,
                      struct error *err)
{
    if (given->given_count == TOOL_GIVEN_MAX) {
        error_set(err, ERROR_INPUT, "more than %d options", TOOL_GIVEN_MAX);
        return TOOL_USAGE;
    }
    given->given[given->given_count].name = name;
    given->given[given->given_count++].value = value;
    return 0;
}

static int keep_word(struct arguments *given, const char *word, struct error *err)
{
    if (given->word_count == TOOL_WORDS_MAX) {
        error_set(err, ERROR_INPUT, "more than %d words", TOOL_WORDS_MAX);
        return TOOL_USAGE;
    }
    given->words[given->word_count++] = word;
    return 0;
}

/* An option that takes one of "a|b|c" takes nothing else. */
static int check_choice(const struct tool_option *option, const char *value, struct error *err)
{
    struct arena arena = ARENA_EMPTY;
    const char *names[16], *at = option->value;
    int count = 0;
    bool is_one = strchr(at, '|') == NULL;

    while (!is_one && *at != '\0' && count < 16) {
        size_t len = strcspn(at, "|");

        names[count] = arena_copy(&arena, at, len);
        is_one = strcmp(names[count++], value) == 0;
        at += len + (at[len] == '|');
    }
    if (!is_one)
        error_set(err, ERROR_INPUT, "%s %s: it takes %s%s", option->name, value, option->value,
                  nearest_said(&arena, value, names, count));
    arena_release(&arena);
    return is_one ? 0 : TOOL_USAGE;
}

static int read_option(struct reading *reading, struct error *err)
{
    const struct tool_command *command = reading->given->command;
    const char *word = reading->argv[reading->at], *value = "";
    size_t len = option_length(word);
    const struct tool_option *option =
        option_in(command != NULL ? command->options : NULL, word, len);
    bool general = option == NULL;
    int status;

    if (general)
        option = option_in(tool_options, word, len);
    if (option == NULL) {
        if (command != NULL && command->passes_options)
            return keep_word(reading->given, word, err);
        return unknown_option(command, word, err);
    }
    if (option->value != NULL) {
        if (word[len] == '=') {
            value = word + len + 1;
        } else if (reading->at + 1 < reading->argc) {
            value = reading->argv[++reading->at];
        } else {
            error_set(err, ERROR_INPUT, "%s needs %s", option->name, option->value);
            return TOOL_USAGE;
        }
        if (check_choice(option, value, err) != 0)
            return TOOL_USAGE;
    } else if (word[len] == '=') {
        error_set(err, ERROR_INPUT, "%s takes no value", option->name);
        return TOOL_USAGE;
    }
    status = general ? general_option(reading->tool, option, value, err) : 0;
    return status != 0 ? status : keep_given(reading->given, option->name, value, err);
}

int arguments_read(int argc, char **argv, struct tool *tool, struct arguments *given,
                   struct error *err)
{
    struct reading reading = {argc, 1, argv, tool, given};
    int command = command_at(argc, argv);
    bool plain = false;
    int status = 0;

    memset(given, 0, sizeof *given);
    if (command > 0) {
        given->command = tool_command_find(argv[command]);
        if (given->command == NULL) {
            const char *near = tool_command_nearest(argv[command]);

            error_set(err, ERROR_INPUT, "%s: no such command%s%s%s", argv[command],
                      near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                      near != NULL ? "'?" : "");
            return TOOL_USAGE;
        }
    }
    for (; reading.at < argc && status == 0; reading.at++) {
        if (reading.at == command)
            continue;
        if (!plain && strcmp(argv[reading.at], "--") == 0)
            plain = true;
        else if (!plain && is_option(argv[reading.at]))
            status = read_option(&reading, err);
        else
            status = keep_word(given, argv[reading.at], err);
    }
    return status;
}

const char *arguments_get(const struct arguments *given, const char *name)
{
    for (int i = given->given_count - 1; i >= 0; i--)
        if (strcmp(given->given[i].name, name) == 0)
            return given->given[i].value;
    return NULL;
}

bool arguments_have(const struct arguments *given, const char *name)
{
    return arguments_get(given, name) != NULL;
}
