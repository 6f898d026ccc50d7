/* help.c - `rota help`, `rota completion`: what the table says, in words and for the shell. */
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

static void tell_options(struct output *out, const struct tool_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char name[64];

        snprintf(name, sizeof name, "%s%s%s", options->name, options->value != NULL ? " " : "",
                 options->value != NULL ? options->value : "");
        output_pair(out, 4, 20, name, INK_NONE, slice_str(options->help));
    }
}

void help_list(struct output *out)
{
    output_line(out, INK_NONE, "rota [-C DIR] [--as WHO] [--json] COMMAND ...");
    for (size_t g = 0; g < GROUPS; g++) {
        output_heading(out, "%s", groups[g][1]);
        for (int i = 0; tool_commands[i] != NULL; i++)
            if (strcmp(tool_commands[i]->group, groups[g][0]) == 0)
                output_pair(out, 2, 12, tool_commands[i]->name, INK_NONE,
                            slice_str(tool_commands[i]->summary));
    }
    output_heading(out, "Options of every command");
    tell_options(out, tool_options);
    output_heading(out, "Exit status");
    output_line(out, INK_NONE,
                "    0 done   1 refused   2 usage   3 no engine   4 malformed or damaged input   5 "
                "internal");
    output_blank(out);
    output_line(
        out, INK_NONE,
        "rota COMMAND --help explains one. To begin: rota init isms --sample && rota up isms");
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
    output_line(out, INK_BOLD, "rota %s %s", command->name, command->usage);
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

    if (given->word_count == 0) {
        help_list(&tool->out);
        return TOOL_DONE;
    }
    command = tool_command_find(given->words[0]);
    if (command == NULL) {
        near = tool_command_nearest(given->words[0]);
        return tool_fail(TOOL_USAGE, "%s: no such command%s%s%s", given->words[0],
                         near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                         near != NULL ? "?" : "");
    }
    help_command(&tool->out, command);
    return TOOL_DONE;
}

/* ---- completion ---------------------------------------------------------------------------------- */

static void complete_options(FILE *to, const struct tool_option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        fprintf(to, "%s ", options->name);
}

static int run_completion(struct tool *tool, const struct arguments *given)
{
    FILE *to = tool->out.to;

    if (strcmp(given->words[0], "bash") != 0)
        return tool_usage(given, "%s: only bash is known", given->words[0]);
    fputs("# bash completion for rota; load it with: eval \"$(rota completion bash)\"\n"
          "_rota()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} command= i options\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        -C|--as|--timeout) ((i++)) ;;\n"
          "        -*) ;;\n"
          "        *) command=${COMP_WORDS[i]}; break ;;\n"
          "        esac\n"
          "    done\n"
          "    case $command in\n"
          "    '') options='",
          to);
    for (int i = 0; tool_commands[i] != NULL; i++)
        fprintf(to, "%s ", tool_commands[i]->name);
    complete_options(to, tool_options);
    fputs("--version' ;;\n", to);
    for (int i = 0; tool_commands[i] != NULL; i++) {
        fprintf(to, "    %s) options='", tool_commands[i]->name);
        complete_options(to, tool_commands[i]->options);
        complete_options(to, tool_options);
        fputs("' ;;\n", to);
    }
    fputs("    *) options='' ;;\n"
          "    esac\n"
          "    if [[ -z $command || $word == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _rota rota\n",
          to);
    return TOOL_DONE;
}

const struct tool_command command_help = {
    "help", "help", "[COMMAND]", "this list, or one command in full", "", NULL, 0,
    1,      false,  run_help};

const struct tool_command command_completion = {
    "completion",
    "help",
    "bash",
    "completion for the shell, made from the table of commands",
    "    eval \"$(rota completion bash)\"",
    NULL,
    1,
    1,
    false,
    run_completion};
