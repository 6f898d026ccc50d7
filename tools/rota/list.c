/* list.c - `rota list`, `rota find`: which records there are. */
#include <stdlib.h>

#include "ask.h"
#include "commands.h"
#include "facts.h"

enum { PAGE = 200, NAMES = 1024 };

/* Since when the longest of its dates is over: "late 2026-11-01". */
static const char *late_text(struct tool *tool, const struct value *past)
{
    const char *oldest = "";

    for (uint32_t i = 0; i < past->count; i++) {
        const struct value *at = &past->as.pairs[i].value;
        const char *day = at->type == VALUE_INT ? facts_day(tool, at->as.number)
                                                : arena_copy(&tool->arena, at->as.text, at->count);

        if (*oldest == '\0' || strcmp(day, oldest) < 0)
            oldest = day;
    }
    return arena_printf(&tool->arena, "late %s", oldest);
}

static void add_record(struct tool *tool, struct table *table, const struct value *record)
{
    struct slice kind = value_get_text(record, "kind"), stage = value_get_text(record, "stage");
    int64_t due = value_get_int(record, "due_ms", 0);

    table_row(table);
    table_cell(table, 0, INK_BOLD, value_get_str(record, "record", "", &tool->arena));
    table_cell(table, 1,
               slice_is(stage, "in_force") ? INK_GOOD
               : slice_is(stage, "closed") ? INK_DIM
                                           : INK_WAIT,
               facts_state(tool, kind, value_get_text(record, "state")));
    if (value_get(record, "past") != NULL)
        table_cell(table, 2, INK_BAD, late_text(tool, value_get(record, "past")));
    else
        table_cell(table, 2, INK_NONE, due > 0 ? facts_day(tool, due) : "");
    table_cell(table, 3, INK_NONE, facts_name(tool, value_get_text(record, "owner")));
    table_cell(table, 4, INK_NONE, facts_kind_title(tool, kind));
    table_cell(table, 5, INK_NONE, value_get_str(record, "title", "", &tool->arena));
}

static int one_page(struct tool *tool, const struct value *args, struct table *table, int64_t *left,
                    struct value *next)
{
    struct value answer;
    const struct value *records;
    int status = ask_query(tool, "list", *args, &answer);

    if (status != TOOL_DONE)
        return status;
    records = value_get(&answer, "records");
    if (!value_is(records, VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no records");
    for (uint32_t i = 0; i<records->count && * left> 0; i++, (*left)--) {
        if (tool->out.json)
            output_json(&tool->out, &records->as.items[i]);
        else
            add_record(tool, table, &records->as.items[i]);
    }
    *next = value_get(&answer, "next") != NULL ? *value_get(&answer, "next") : VALUE_NONE;
    return TOOL_DONE;
}

/* The states of a kind, or of all. */
static int state_names(struct tool *tool, struct slice kind, const char **names)
{
    const struct value *kinds;
    int count = 0;

    for (uint32_t k = 0; facts_kinds(tool, &kinds) == TOOL_DONE && k < kinds->count; k++) {
        const struct value *states = value_get(&kinds->as.items[k], "states");

        if (kind.len > 0 && !slice_equal(kind, value_get_text(&kinds->as.items[k], "name")))
            continue;
        for (uint32_t i = 0; value_is(states, VALUE_ARRAY) && i < states->count; i++)
            if (count < NAMES)
                names[count++] = value_get_str(&states->as.items[i], "name", "", &tool->arena);
    }
    return count;
}

static bool is_among(const char *word, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], word) == 0)
            return true;
    return false;
}

/* Nothing was found: because one of the names is none? */
static int nothing_found(struct tool *tool, const struct value *args)
{
    const char *state = value_get_str(args, "state", NULL, &tool->arena);
    const char *owner = value_get_str(args, "owner", NULL, &tool->arena);
    const char *names[NAMES];
    int count;

    if (state != NULL) {
        struct slice kind = value_get_text(args, "kind");

        count = state_names(tool, kind, names);
        if (!is_among(state, names, count))
            return tool_fail(TOOL_USAGE, "no %s has a state '%s'%s",
                             kind.len > 0 ? arena_copy(&tool->arena, kind.at, kind.len) : "kind",
                             state, nearest_said(&tool->arena, state, names, count));
    }
    if (owner != NULL) {
        count = facts_names(tool, names, NAMES);
        if (!is_among(owner, names, count))
            return tool_fail(TOOL_USAGE, "'%s' is not in the directory and owns nothing%s", owner,
                             nearest_said(&tool->arena, owner, names, count));
    }
    if (!tool->out.json)
        output_line(&tool->out, INK_DIM, "no records");
    return TOOL_DONE;
}

static int list(struct tool *tool, struct value args, int64_t limit)
{
    static const char *const heads[] = {"record", "state", "due", "owner", "kind", "title"};
    struct value next = VALUE_NONE;
    struct table table;
    int64_t left = limit;
    int status;

    table_begin(&table, 6, heads);
    table.spare = 4; /* the record's name says it too */
    do {
        value_set(&tool->arena, &args, "limit", value_int(left < PAGE ? left : PAGE));
        if (next.type != VALUE_NIL)
            value_set(&tool->arena, &args, "after", next);
        status = one_page(tool, &args, &table, &left, &next);
    } while (status == TOOL_DONE && next.type != VALUE_NIL && left > 0);
    if (status == TOOL_DONE && left == limit)
        status = nothing_found(tool, &args);
    else if (status == TOOL_DONE && !tool->out.json)
        table_print(&table, &tool->out, 0);
    table_release(&table);
    return status;
}

static int limit_of(const struct arguments *given, int64_t *out)
{
    const char *text = arguments_get(given, "--limit");
    char *end;

    *out = text != NULL ? strtoll(text, &end, 10) : INT64_MAX;
    return *out > 0 && (text == NULL || *end == '\0')
               ? TOOL_DONE
               : tool_usage(given, "--limit %s: not a number", text);
}

static int run_list(struct tool *tool, const struct arguments *given)
{
    static const char *const texts[][2] = {
        {"--state", "state"}, {"--stage", "stage"}, {"--owner", "owner"}};
    struct value args = value_map();
    const struct value *kind;
    int64_t limit;
    int status = limit_of(given, &limit);

    if (status == TOOL_DONE && given->word_count == 1) {
        status = facts_kind(tool, slice_str(given->words[0]), &kind);
        value_set(&tool->arena, &args, "kind", value_str(given->words[0]));
    }
    if (status != TOOL_DONE)
        return status;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (arguments_have(given, texts[i][0]))
            value_set(&tool->arena, &args, texts[i][1],
                      value_str(arguments_get(given, texts[i][0])));
    if (arguments_have(given, "--open"))
        value_set(&tool->arena, &args, "open", value_bool(true));
    if (arguments_have(given, "--valid"))
        value_set(&tool->arena, &args, "valid", value_bool(true));
    return list(tool, args, limit);
}

static int run_find(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map();
    char *text = arena_str(&tool->arena, given->words[0]);
    int64_t limit;
    int status = limit_of(given, &limit);

    for (int i = 1; i < given->word_count; i++)
        text = arena_printf(&tool->arena, "%s %s", text, given->words[i]);
    value_set(&tool->arena, &args, "text", value_str(text));
    return status == TOOL_DONE ? list(tool, args, limit) : status;
}

static const struct tool_option list_options[] = {
    {"--state", "STATE", "only those in this state"},
    {"--stage", "draft|approved|in_force|under_review|changed|closed", "only those at this stage"},
    {"--owner", "WHO", "only those of this owner"},
    {"--open", NULL, "only those that are not closed"},
    {"--valid", NULL, "only versions that are valid now"},
    {"--limit", "N", "at most so many"},
    {NULL, NULL, NULL},
};

static const struct tool_option find_options[] = {{"--limit", "N", "at most so many"},
                                                  {NULL, NULL, NULL}};

const struct tool_command command_list = {
    "list",
    "look",
    "[KIND] [--state STATE] [--stage STAGE] [--owner WHO] [--open] [--valid]",
    "records",
    "    rota list\n    rota list finding --open\n    rota list --stage in_force --json",
    list_options,
    0,
    1,
    false,
    run_list};

const struct tool_command command_find = {"find",
                                          "look",
                                          "TEXT ...",
                                          "records whose title or fields contain a text",
                                          "    rota find Lyon",
                                          find_options,
                                          1,
                                          -1,
                                          false,
                                          run_find};
