/* complete.c - `rota completion`: the shell asks what may stand next, and the table of commands answers.
 *
 * The script for bash knows nothing: it hands over the words that were typed, and offers what comes back. What may stand
 * at a place is said by the usage of the command ("RECORD EVENT [FIELD=VALUE ...]") and by its options ("--owner WHO"), so
 * that a new command is completed without a word here. Names are asked of the engine, which has a second to answer.
 */
#include "ask.h"
#include "commands.h"
#include "base/map.h"
#include "facts.h"
#include "forms.h"

enum { PATIENCE_MS = 1000, RECORDS_MAX = 500, PLACE_MAX = 64 };

/* Where the cursor is: the words before it, and what they have settled. */
struct cursor {
    struct tool *tool;
    const struct tool_command *command; /* NULL: none yet */
    const char *words[TOOL_WORDS_MAX];  /* that are no options */
    int count;
    const struct tool_option *option; /* whose value stands here, or NULL */
    bool begins_option;               /* "-" was typed */
    struct map offered;
};

/* Once, however often it is found. */
static void offer(struct cursor *c, const char *name)
{
    if (map_put(&c->offered, slice_str(name), c) == NULL)
        puts(name);
}

/* ---- what there is ---- */

static void offer_all(struct cursor *c, const struct value *list, const char *key)
{
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++) {
        const struct value *item = &list->as.items[i];

        const struct value *name = item->type == VALUE_MAP ? value_get(item, key) : item;

        if (value_is(name, VALUE_STR))
            offer(c, arena_copy(&c->tool->arena, name->as.text, name->count));
        else if (value_is(name, VALUE_INT))
            offer(c, value_show(&c->tool->arena, name));
    }
}

/* Names that a query gives: in `list` of its answer, or in the list that the answer is, under `key`. */
struct names {
    const char *query, *list, *key;
};
static const struct names records = {"list", "records", "record"},
                          people = {"people", NULL, "name"},
                          services = {"services", "services", "service"},
                          tasks = {"tasks", NULL, "task"},
                          proposals = {"proposals", NULL, "proposal"},
                          delegations = {"delegations", NULL, "number"};

static void offer_names(struct cursor *c, const struct names *names)
{
    struct value answer, args = value_map();

    if (names == &records)
        value_set(&c->tool->arena, &args, "limit", value_int(RECORDS_MAX));
    if (ask_query(c->tool, names->query, args, &answer) == TOOL_DONE)
        offer_all(c, names->list == NULL ? &answer : value_get(&answer, names->list), names->key);
}

static void offer_kinds(struct cursor *c)
{
    const struct value *kinds;

    if (facts_kinds(c->tool, &kinds) == TOOL_DONE)
        offer_all(c, kinds, "name");
}

static void offer_states(struct cursor *c)
{
    const struct value *kinds;

    if (facts_kinds(c->tool, &kinds) != TOOL_DONE)
        return;
    for (uint32_t i = 0; i < kinds->count; i++) {
        const char *kind = value_get_str(&kinds->as.items[i], "name", "", &c->tool->arena);

        if (c->count == 0 || strcmp(c->words[0], kind) == 0)
            offer_all(c, value_get(&kinds->as.items[i], "states"), "name");
    }
}

/* The record that was named, as the engine shows it. */
static bool the_record(struct cursor *c, struct value *out)
{
    struct value args = value_map();

    if (c->count == 0)
        return false;
    value_set(&c->tool->arena, &args, "record", value_str(c->words[0]));
    return ask_query(c->tool, "show", args, out) == TOOL_DONE;
}

/* What this person may do now; where that is nothing, all that its kind knows. */
static void offer_events(struct cursor *c)
{
    const struct value *events, *kind;
    struct value shown;

    if (!the_record(c, &shown))
        return;
    events = value_get(&shown, "next_events");
    if (!value_is(events, VALUE_ARRAY) || events->count == 0 ||
        strcmp(c->command->name, "do") != 0) {
        if (facts_kind(c->tool, value_get_text(&shown, "kind"), &kind) != TOOL_DONE)
            return;
        events = value_get(kind, "events");
    }
    offer_all(c, events, "event");
}

/* "FIELD=": the value is not known, so that the shell adds no blank. */
static void offer_fields(struct cursor *c)
{
    const struct value *kind, *fields;
    struct value shown;
    struct slice name = slice_str(c->count > 0 ? c->words[0] : "");

    if (strcmp(c->command->name, "open") != 0)
        name = the_record(c, &shown) ? value_get_text(&shown, "kind") : slice_str("");
    if (name.len == 0 || facts_kind(c->tool, name, &kind) != TOOL_DONE)
        return;
    fields = value_get(kind, "fields");
    for (uint32_t i = 0; value_is(fields, VALUE_ARRAY) && i < fields->count; i++)
        if (!value_get_bool(&fields->as.items[i], "computed", false))
            offer(c, arena_printf(
                         &c->tool->arena,
                         "%s=", value_get_str(&fields->as.items[i], "name", "", &c->tool->arena)));
}

/* Whose keys are here: no engine is asked. */
static void offer_keys(struct cursor *c)
{
    const char *names[ASK_PERSONS_MAX];
    int count = ask_persons_here(c->tool, names);

    for (int i = 0; i < count; i++)
        offer(c, names[i]);
}

static void offer_commands(struct cursor *c)
{
    for (int i = 0; tool_commands[i] != NULL; i++)
        offer(c, tool_commands[i]->name);
}

/* The shell knows files; this word asks it to offer them. */
static void offer_files(struct cursor *c)
{
    offer(c, ":files");
}

static const struct {
    const char *word; /* in a usage, or what an option takes */
    const struct names *names;
    void (*offer)(struct cursor *c); /* where no query has them */
} places[] = {
    {"RECORD", &records, NULL},
    {"RECORDS", &records, NULL},
    {"OTHER", &records, NULL},
    {"WHO", &people, NULL},
    {"PERSON", &people, NULL},
    {"TO", &people, NULL},
    {"NAMES", &people, NULL},
    {"NAME", &people, NULL},
    {"SERVICE", &services, NULL},
    {"TASK", &tasks, NULL},
    {"N", &proposals, NULL},
    {"NUMBER", &delegations, NULL},
    {"KIND", NULL, offer_kinds},
    {"KINDS", NULL, offer_kinds},
    {"EVENT", NULL, offer_events},
    {"STATE", NULL, offer_states},
    {"FIELD=VALUE", NULL, offer_fields},
    {"FIELD", NULL, offer_fields},
    {"KEY", NULL, offer_keys},
    {"COMMAND", NULL, offer_commands},
    {"FILE", NULL, offer_files},
    {"FILE.pub", NULL, offer_files},
    {"DIR", NULL, offer_files},
    {"PACK", NULL, offer_files},
    {"SCENARIO", NULL, offer_files},
    {"PLACE", NULL, offer_files},
    {"MAIL", NULL, offer_files},
};

/* A word of a usage: small letters stand for themselves, "a|b" for either, capitals for what there is. */
static void offer_place(struct cursor *c, const char *place)
{
    while (*place != '\0') {
        size_t len = strcspn(place, "|");
        char *word = arena_copy(&c->tool->arena, place, len);

        if (*word >= 'a' && *word <= 'z')
            offer(c, word);
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            if (strcmp(places[i].word, word) != 0)
                continue;
            if (places[i].names != NULL)
                offer_names(c, places[i].names);
            else
                places[i].offer(c);
        }
        place += len + (place[len] == '|');
    }
}

/* ---- where we are ---- */

/* The word of a form that stands at `at`, without brackets, dots, options and their values; false: it has none there. */
static bool form_word(const char *form, int at, char out[PLACE_MAX])
{
    char last[PLACE_MAX] = "";
    bool skips = false;

    for (const char *word = form; *word != '\0' && *word != '\n';) {
        size_t len = strcspn(word, " \n"), from = strspn(word, "[");
        size_t end = len;

        while (end > from && strchr("]", word[end - 1]) != NULL)
            end--;
        if (skips) {
            skips = false; /* the value of an option */
        } else if (word[from] == '-') {
            skips = end == len && word[len] == ' ' && word[len + 1] >= 'A' && word[len + 1] <= 'Z';
        } else if (strncmp(word + from, "...", 3) == 0) {
            at = 0; /* the word before it again */
            snprintf(out, PLACE_MAX, "%s", last);
            return *out != '\0';
        } else if (end > from && word[from] != '|') {
            snprintf(last, sizeof last, "%.*s", (int)(end - from), word + from);
            if (at-- == 0) {
                snprintf(out, PLACE_MAX, "%s", last);
                return true;
            }
        }
        word += len + (word[len] == ' ');
    }
    return false;
}

/* Do the words so far fit this form? Its small words must be there as they are. */
static bool form_fits(const struct cursor *c, const char *form)
{
    char word[PLACE_MAX];

    for (int i = 0; i < c->count; i++)
        if (!form_word(form, i, word) ||
            (*word >= 'a' && *word <= 'z' && strchr(word, '|') == NULL &&
             strcmp(word, c->words[i]) != 0))
            return false;
    return true;
}

static void offer_words(struct cursor *c)
{
    char place[PLACE_MAX];

    for (const char *form = c->command->usage; form != NULL;) {
        const char *end = strchr(form, '\n');

        if (form_fits(c, form) && form_word(form, c->count, place))
            offer_place(c, place);
        form = end != NULL ? end + 1 : NULL;
    }
}

static void offer_options(struct cursor *c, const struct tool_option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        offer(c, options->name);
}

static const struct tool_option *option_named(const struct tool_option *list, const char *name)
{
    for (; list != NULL && list->name != NULL; list++)
        if (strcmp(list->name, name) == 0)
            return list;
    return NULL;
}

/* Reads the words before the cursor; the last one is where it stands. */
static void read_words(struct cursor *c, const struct arguments *given, int first)
{
    const struct tool_option *option = NULL;

    for (int i = first; i < given->word_count; i++) {
        const char *word = given->words[i];
        bool is_last = i + 1 == given->word_count;

        if (option != NULL) {
            if (is_last)
                c->option = option;
            else if (strcmp(option->name, "-C") == 0)
                c->tool->dir = word;
            else if (strcmp(option->name, "--as") == 0)
                c->tool->who = word;
            option = NULL;
        } else if (is_last) {
            c->begins_option = word[0] == '-';
        } else if (word[0] == '-') {
            option = option_named(c->command != NULL ? c->command->options : NULL, word);
            option = option != NULL ? option : option_named(tool_options, word);
            option = option != NULL && option->value != NULL ? option : NULL;
        } else if (c->command == NULL) {
            c->command = tool_command_find(word);
        } else {
            c->words[c->count++] = word;
        }
    }
}

static int offer_next(struct tool *tool, const struct arguments *given)
{
    static struct cursor c;

    c = (struct cursor){.tool = tool, .offered = MAP_EMPTY};
    tool->timeout_ms = PATIENCE_MS;
    read_words(&c, given, 1);
    if (c.option != NULL) {
        offer_place(&c, strcmp(c.option->name, "--as") == 0 ? "KEY" : c.option->value);
    } else if (c.begins_option) {
        offer_options(&c, c.command != NULL ? c.command->options : NULL);
        offer_options(&c, tool_options);
        if (c.command == NULL)
            offer(&c, "--version");
    } else if (c.command == NULL) {
        offer_commands(&c);
    } else {
        offer_words(&c);
    }
    map_release(&c.offered);
    return TOOL_DONE;
}

/* ---- the script ---- */

/* bash parts words at '@', '=' and ':', so the line is read anew, a quoted text as one word; what bash takes for settled of
 * the last word is taken off the answers. */
static const char script[] =
    "# bash completion for rota: eval \"$(rota completion bash)\"\n"
    "_rota()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} word= i\n"
    "    local -a words found\n"
    "    while [[ $line =~ (.*)(\\\"[^\\\"]*\\\"|\\'[^\\']*\\')(.*) ]]; do\n"
    "        line=${BASH_REMATCH[1]}_${BASH_REMATCH[3]}\n"
    "    done\n"
    "    read -r -a words <<<\"$line\"\n"
    "    if [[ $line != *[[:space:]] ]]; then\n"
    "        word=${words[-1]}\n"
    "        unset 'words[-1]'\n"
    "    fi\n"
    "    mapfile -t found < <(\"${words[0]}\" completion words -- \"${words[@]:1}\" \"$word\" "
    "2>/dev/null)\n"
    "    COMPREPLY=()\n"
    "    for i in \"${found[@]}\"; do\n"
    "        if [[ $i == :files ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
    "        elif [[ $i == \"$word\"* ]]; then\n"
    "            COMPREPLY+=(\"$i\")\n"
    "        fi\n"
    "    done\n"
    "    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n"
    "    for ((i = ${#word}; i > 0; i--)); do\n"
    "        [[ $COMP_WORDBREAKS != *\"${word:i-1:1}\"* ]] || break\n"
    "    done\n"
    "    COMPREPLY=(\"${COMPREPLY[@]#\"${word:0:i}\"}\")\n"
    "}\n"
    "complete -F _rota rota\n";

static int run(struct tool *tool, const struct arguments *given)
{
    struct value line = value_map();

    if (strcmp(given->words[0], "words") == 0)
        return offer_next(tool, given);
    if (strcmp(given->words[0], "bash") != 0)
        return forms_unknown(given);
    if (given->word_count > 1)
        return tool_usage(given, "%s: that is one word too many", given->words[1]);
    value_set(&tool->arena, &line, "shell", value_str("bash"));
    value_set(&tool->arena, &line, "script", value_str(script));
    if (tool->out.json)
        output_json(&tool->out, &line);
    else
        fputs(script, tool->out.to);
    return TOOL_DONE;
}

const struct tool_command command_completion = {
    "completion",
    "help",
    "bash\nwords -- WORD ...",
    "completion for the shell, made from the table of commands",
    "Commands, options, and what may stand there: records, kinds, events, fields, people, tasks "
    "and files. `make install` puts it where bash looks for it. `words` is what the shell asks: "
    "what may stand in place of the last WORD.\n\n"
    "    eval \"$(rota completion bash)\"",
    NULL,
    1,
    -1,
    false,
    run};
