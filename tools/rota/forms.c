/* forms.c - the words that a command takes, as its usage has them: which one is missing, which was meant. */
#include "forms.h"

#include <ctype.h>

#include "help.h"

enum { NAMES_MAX = 32 };

/* The word of a form that stands in place `n`, counted without options and what may be left out; empty: there is none. */
static struct slice word_of(const char *form, int n)
{
    size_t next;

    for (; *form != '\0' && *form != '\n'; form += next) {
        size_t len = help_usage_part(form, &next);

        if (len > 0 && strchr("[-|", form[0]) == NULL && n-- == 0)
            return slice_of(form, len);
    }
    return slice_of(NULL, 0);
}

static const char *next_form(const char *form)
{
    form += strcspn(form, "\n");
    return *form == '\n' ? form + 1 : NULL;
}

/* To be typed as it stands; what is in capitals stands for something. */
static bool is_literal(struct slice word)
{
    return word.len > 0 && islower(word.at[0]);
}

/* The literal first words, each once. */
static int parts_of(struct arena *arena, const struct tool_command *command,
                    const char *names[NAMES_MAX])
{
    int count = 0;

    for (const char *form = command->usage; form != NULL; form = next_form(form)) {
        struct slice word = word_of(form[0] == '[' ? form + 1 : form, 0);
        size_t len = 0;

        while (len < word.len && (islower(word.at[len]) || word.at[len] == '-'))
            len++;
        if (len > 0 && count < NAMES_MAX &&
            (count == 0 || !slice_is(slice_of(word.at, len), names[count - 1])))
            names[count++] = arena_copy(arena, word.at, len);
    }
    return count;
}

static const char *listed(struct arena *arena, const char *const *names, int count)
{
    char *list = arena_str(arena, "");

    for (int i = 0; i < count; i++)
        list = arena_printf(arena, "%s%s%s", list,
                            i == 0           ? ""
                            : i + 1 == count ? " or "
                                             : ", ",
                            names[i]);
    return list;
}

int forms_unknown(const struct arguments *given)
{
    struct arena arena = ARENA_EMPTY;
    const char *names[NAMES_MAX];
    int count = parts_of(&arena, given->command, names);
    int status =
        tool_usage(given, "%s: it takes %s%s", given->words[0], listed(&arena, names, count),
                   nearest_said(&arena, given->words[0], names, count));

    arena_release(&arena);
    return status;
}

int forms_missing(const struct arguments *given)
{
    const char *form = given->command->usage, *names[NAMES_MAX];
    struct arena arena = ARENA_EMPTY;
    int count = parts_of(&arena, given->command, names), status;
    bool begins_literal = is_literal(word_of(form, 0));
    struct slice word;

    while (given->word_count > 0 && begins_literal && form != NULL &&
           !slice_is(word_of(form, 0), given->words[0]))
        form = next_form(form);
    word = form != NULL ? word_of(form, given->word_count) : slice_of(NULL, 0);
    if (form == NULL)
        status = forms_unknown(given);
    else if (given->word_count == 0 && begins_literal)
        status = count == 1 ? tool_usage(given, "%s is missing", names[0])
                            : tool_usage(given, "say which: %s", listed(&arena, names, count));
    else
        status = tool_usage(given, "%.*s is missing", (int)word.len, (const char *)word.at);
    arena_release(&arena);
    return status;
}
