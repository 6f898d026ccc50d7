/* manual.c - `rota help --man`: the table of commands in mdoc, which `make` puts into rota(1). What a person asks with --help
 * and what stands in the manual is one text. */
#include "commands.h"
#include "help.h"

/* Text of the table as mdoc has it: no backslash, no line that looks like a macro, a line for each sentence. */
static void put_text(FILE *to, const char *text, size_t len)
{
    if (len > 0 && (*text == '.' || *text == '\''))
        fputs("\\&", to);
    for (size_t i = 0; i < len; i++) {
        bool ends = i > 0 && i + 1 < len && text[i] == ' ' && strchr(".?!", text[i - 1]) != NULL &&
                    text[i + 1] >= 'A' && text[i + 1] <= 'Z';

        if (text[i] == '\\')
            fputs("\\e", to);
        else if (ends)
            fputc('\n', to);
        else
            fputc(text[i], to);
    }
}

/* A word of a usage: an option, something to be named, or a word that stands as it is. */
static void put_word(FILE *to, const char *word, size_t len)
{
    const char *equals = memchr(word, '=', len);
    bool is_name = *word >= 'A' && *word <= 'Z';

    if (*word == '|' || *word == '.')
        fputc(' ', to);
    else
        fputs(*word == '-' ? " Fl " : is_name ? " Ar " : " Cm ", to);
    if (*word == '-')
        word++, len--;
    if (equals != NULL && is_name)
        fprintf(to, "%.*s Ns = Ns Ar %.*s", (int)(equals - word), word,
                (int)(len - (size_t)(equals - word) - 1), equals + 1);
    else
        put_text(to, word, len);
}

/* How many of the brackets that end a word were opened before it: one of "RECORD[,RECORD...]]". */
static size_t closings(const char *word, size_t len)
{
    size_t opened = 0, closed = 0;

    for (size_t i = 0; i < len; i++)
        opened += word[i] == '[';
    while (closed < len && word[len - 1 - closed] == ']')
        closed++;
    return closed > opened ? closed - opened : 0;
}

/* "[--from FILE]" is " Oo Fl -from Ar FILE Oc". */
static void put_usage(FILE *to, const char *form, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t word = strcspn(form + at, " \n"), end;

        if (form[at] == '[') {
            fputs(" Oo", to);
            at++;
            word--;
        }
        end = word - closings(form + at, word);
        if (end > 0)
            put_word(to, form + at, end);
        for (; end < word; end++)
            fputs(" Oc", to);
        at += word + 1;
    }
}

static void put_options(FILE *to, const struct tool_option *options)
{
    if (options == NULL || options->name == NULL)
        return;
    fputs(".Pp\n.Bl -tag -width Ds -compact\n", to);
    for (; options->name != NULL; options++) {
        fputs(".It", to);
        put_word(to, options->name, strlen(options->name));
        if (options->value != NULL)
            put_word(to, options->value, strlen(options->value));
        fputc('\n', to);
        put_text(to, options->help, strlen(options->help));
        fputc('\n', to);
    }
    fputs(".El\n", to);
}

/* Lines that are indented are examples, an empty line begins a paragraph. */
static void put_help(FILE *to, const char *help)
{
    bool is_example = false, is_new = false;

    while (*help != '\0') {
        size_t len = strcspn(help, "\n"), blanks = strspn(help, " ");

        if (len == 0) {
            is_new = true;
        } else {
            if ((blanks > 0) != is_example)
                fputs(is_example ? ".Ed\n" : ".Bd -literal -offset indent\n", to);
            else if (is_new)
                fputs(is_example ? "\n" : ".Pp\n", to);
            is_example = blanks > 0;
            is_new = false;
            put_text(to, help + (is_example ? blanks : 0), len - (is_example ? blanks : 0));
            fputc('\n', to);
        }
        help += len + (help[len] == '\n');
    }
    if (is_example)
        fputs(".Ed\n", to);
}

static void put_command(FILE *to, const struct tool_command *command)
{
    const char *form = command->usage;

    for (;;) {
        size_t len = strcspn(form, "\n");

        fprintf(to, ".It Cm %s", command->name);
        put_usage(to, form, len);
        fputc('\n', to);
        if (form[len] == '\0')
            break;
        form += len + 1;
    }
    fprintf(to, "%c",
            *command->summary >= 'a' && *command->summary <= 'z' ? *command->summary - 'a' + 'A'
                                                                 : *command->summary);
    put_text(to, command->summary + 1, strlen(command->summary) - 1);
    fputs(".\n", to);
    if (*command->help != '\0' && *command->help != ' ')
        fputs(".Pp\n", to);
    put_help(to, command->help);
    put_options(to, command->options);
}

void help_manual(struct output *out)
{
    const char *title;

    for (int g = 0; (title = help_group(g)) != NULL; g++) {
        fprintf(out->to, ".Ss %s\n.Bl -tag -width Ds\n", title);
        for (int i = 0; tool_commands[i] != NULL; i++)
            if (help_in_group(tool_commands[i], g))
                put_command(out->to, tool_commands[i]);
        fputs(".El\n", out->to);
    }
}
