/* help.c - `rota help`, `--help`: what the table of commands says. */
#include "help.h"
#include "commands.h"

static const char *const groups[][2] = {
    {"start", "Start"},
    {"records", "Records"},
    {"decisions", "Decisions (signed with your own key where the kind says so)"},
    {"look", "Look"},
    {"audits", "Audits"},
    {"workers", "Workers and tasks"},
    {"people", "People and keys"},
    {"definitions", "Workflows"},
    {"evidence", "Evidence"},
    {"operation", "Operation"},
    {"help", "Help"},
};

enum { GROUPS = sizeof groups / sizeof groups[0] };

const char *help_group(int group)
{
    return group < GROUPS ? groups[group][1] : NULL;
}

bool help_in_group(const struct tool_command *command, int group)
{
    return strcmp(command->group, groups[group][0]) == 0;
}

size_t help_usage_part(const char *at, size_t *next)
{
    int depth = 0;
    size_t len = 0;

    for (; at[len] != '\0' && at[len] != '\n'; len++) {
        depth += (at[len] == '[') - (at[len] == ']');
        if (at[len] == ' ' && depth == 0 &&
            !(at[0] == '-' && at[len + 1] >= 'A' && at[len + 1] <= 'Z' &&
              memchr(at, ' ', len) == NULL))
            break;
    }
    *next = len + (at[len] == ' ');
    return len;
}

/* One form of a command; what does not fit goes on under the first part. Gives what follows it. */
static const char *tell_form(struct output *out, const char *before, const char *name, enum ink ink,
                             const char *usage)
{
    struct arena arena = ARENA_EMPTY;
    const char *head = arena_printf(&arena, "%srota %s", before, name);
    int from = text_width(slice_str(head)) + 1, column = from;
    char *line = arena_str(&arena, head);
    size_t next;

    for (; *usage != '\0' && *usage != '\n'; usage += next) {
        size_t len = help_usage_part(usage, &next);
        int width = text_width(slice_of(usage, len));

        if (column > from && column + width > out->width) {
            output_whole(out, ink, "%s", line);
            line = arena_printf(&arena, "%*s", from - 1, "");
            column = from;
        }
        line = arena_printf(&arena, "%s %.*s", line, (int)len, usage);
        column += width + 1;
    }
    output_whole(out, ink, "%s", line);
    arena_release(&arena);
    return *usage == '\n' ? usage + 1 : NULL;
}

void help_usage(struct output *out, const char *before, enum ink ink,
                const struct tool_command *command)
{
    const char *form = command->usage;
    char blanks[16];

    snprintf(blanks, sizeof blanks, "%*s", (int)strlen(before), "");
    form = tell_form(out, before, command->name, ink, form);
    while (form != NULL)
        form = tell_form(out, blanks, command->name, ink, form);
}

enum { NAME_COLUMN = 22 }; /* of options and their values; what is longer has a line for itself */

static void tell_options(struct output *out, const struct tool_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char name[64];

        snprintf(name, sizeof name, "%s%s%s", options->name, options->value != NULL ? " " : "",
                 options->value != NULL ? options->value : "");
        output_pair(out, 2, NAME_COLUMN, name, INK_NONE, slice_str(options->help));
    }
}

/* ---- the same for programs ---- */

static struct value options_json(struct arena *arena, const struct tool_option *options)
{
    struct value list = value_array();

    for (; options != NULL && options->name != NULL; options++) {
        struct value one = value_map();

        value_set(arena, &one, "name", value_str(options->name));
        value_set(arena, &one, "value",
                  options->value != NULL ? value_str(options->value) : VALUE_NONE);
        value_set(arena, &one, "help", value_str(options->help));
        value_push(arena, &list, one);
    }
    return list;
}

static void command_json(struct output *out, const struct tool_command *command)
{
    struct arena arena = ARENA_EMPTY;
    struct value line = value_map(), forms = value_array();

    for (const char *form = command->usage; form != NULL;) {
        size_t len = strcspn(form, "\n");

        value_push(&arena, &forms, value_text(slice_of(form, len)));
        form = form[len] == '\n' ? form + len + 1 : NULL;
    }
    value_set(&arena, &line, "command", value_str(command->name));
    value_set(&arena, &line, "group", value_str(command->group));
    value_set(&arena, &line, "usage", forms);
    value_set(&arena, &line, "summary", value_str(command->summary));
    value_set(&arena, &line, "help", value_str(command->help));
    value_set(&arena, &line, "options", options_json(&arena, command->options));
    output_json(out, &line);
    arena_release(&arena);
}

/* ---- for people ---- */

void help_list(struct output *out)
{
    for (int i = 0; out->json && tool_commands[i] != NULL; i++)
        command_json(out, tool_commands[i]);
    if (out->json)
        return;
    output_line(out, INK_NONE, "rota [-C DIR] [--as WHO] [--json] COMMAND ...");
    for (int g = 0; g < GROUPS; g++) {
        output_heading(out, "%s", groups[g][1]);
        for (int i = 0; tool_commands[i] != NULL; i++)
            if (help_in_group(tool_commands[i], g))
                output_pair(out, 2, 12, tool_commands[i]->name, INK_NONE,
                            slice_str(tool_commands[i]->summary));
    }
    output_heading(out, "Options of every command");
    tell_options(out, tool_options);
    output_heading(out, "Exit status");
    output_line(out, INK_NONE,
                "  0 done  1 refused  2 usage  3 no engine  4 bad or damaged input  5 internal");
    output_blank(out);
    output_line(out, INK_NONE, "rota COMMAND --help explains one. To begin:");
    output_whole(out, INK_NONE, "  rota init isms --sample && rota up isms");
}

/* Does the line that ends here begin with a space? */
static bool is_indented(const char *help, const char *end)
{
    while (end > help && end[-1] != '\n')
        end--;
    return *end == ' ';
}

/* Lines of a paragraph are one text, which the output breaks where the screen ends; an indented line and an empty one
 * stand as they are. */
static void tell_paragraphs(struct output *out, const char *help)
{
    struct buf text = BUF_EMPTY;

    for (const char *at = help; *at != '\0'; at++) {
        bool joins = at != help && at[0] == '\n' && at[-1] != '\n' && at[1] != '\n' &&
                     at[1] != ' ' && at[1] != '\0' && !is_indented(help, at);

        buf_add_slice(&text, joins ? slice_str(" ") : slice_of(at, 1));
    }
    output_text(out, 0, slice_of(text.at, text.len));
    buf_release(&text);
}

void help_command(struct output *out, const struct tool_command *command)
{
    if (out->json) {
        command_json(out, command);
        return;
    }
    help_usage(out, "", INK_BOLD, command);
    output_blank(out);
    output_text(out, 0, slice_str(command->summary));
    if (*command->help != '\0') {
        output_blank(out);
        tell_paragraphs(out, command->help);
    }
    if (command->options != NULL && command->options[0].name != NULL) {
        output_heading(out, "Options");
        tell_options(out, command->options);
    }
    output_heading(out, "Options of every command");
    tell_options(out, tool_options);
}

static int run_help(struct tool *tool, const struct arguments *given)
{
    const struct tool_command *command;
    const char *near;

    if (arguments_have(given, "--man")) {
        help_manual(&tool->out);
        return TOOL_DONE;
    }
    if (given->word_count == 0) {
        help_list(&tool->out);
        return TOOL_DONE;
    }
    command = tool_command_find(given->words[0]);
    if (command == NULL) {
        near = tool_command_nearest(given->words[0]);
        return tool_fail(TOOL_USAGE, "%s: no such command%s%s%s", given->words[0],
                         near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                         near != NULL ? "'?" : "");
    }
    help_command(&tool->out, command);
    return TOOL_DONE;
}

static const struct tool_option options[] = {
    {"--man", NULL, "all commands as the manual has them, in mdoc"},
    {NULL, NULL, NULL},
};

const struct tool_command command_help = {
    "help", "help",  "[COMMAND]\n--man", "this list, or one command in full", "", options, 0, 1,
    false,  run_help};
