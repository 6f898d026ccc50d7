/* delegate.c - `rota delegate`: who stands in for whom. */
#include "ask.h"
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"

#include <stdlib.h>

static void add_names(struct tool *tool, const char *names, const char *key, struct value *args)
{
    struct value list = value_array();

    while (names != NULL && *names != '\0') {
        size_t len = strcspn(names, ", ");

        if (len > 0)
            value_push(&tool->arena, &list,
                       value_text(slice_of(arena_copy(&tool->arena, names, len), len)));
        names += len + strspn(names + len, ", ");
    }
    if (list.count > 0)
        value_set(&tool->arena, args, key, list);
}

/* Signed with the key of whoever gives it: what is signed is shown, and on a terminal asked about. */
static int send_signed(struct tool *tool, const struct value *args, bool asks, const char *done)
{
    struct command command = {.command = slice_str("delegation.give"), .args = *args};
    struct value question = value_copy(&tool->arena, args), prepared;
    struct reply reply;
    int status;

    value_remove(&question, slice_str("reason"));
    value_set(&tool->arena, &question, "event", value_str("delegation.give"));
    status = ask_query(tool, "prepare", question, &prepared);
    if (status == TOOL_DONE)
        status = event_sign(tool, &prepared, "the delegation", asks, &command);
    if (status == TOOL_DONE)
        status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE && tool->out.json)
        output_json(&tool->out, &reply.out);
    else if (status == TOOL_DONE)
        output_line(&tool->out, INK_GOOD, "%s", done);
    return status;
}

static int give(struct tool *tool, const struct arguments *given)
{
    static const char *const texts[][2] = {
        {"--of", "of"}, {"--from", "from"}, {"--until", "until"}};
    const char *to = given->words[0], *of = arguments_get(given, "--of");
    struct value args = value_map();
    int status;

    if (given->word_count != 1)
        return tool_usage(given, "one person stands in");
    if (!arguments_have(given, "--reason"))
        return tool_usage(given, "a delegation needs a reason: --reason TEXT");
    value_set(&tool->arena, &args, "to", value_str(to));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (arguments_have(given, texts[i][0]))
            value_set(&tool->arena, &args, texts[i][1],
                      value_str(arguments_get(given, texts[i][0])));
    add_names(tool, arguments_get(given, "--kind"), "kinds", &args);
    add_names(tool, arguments_get(given, "--role"), "roles", &args);
    if (arguments_have(given, "--onward"))
        value_set(&tool->arena, &args, "onward", value_bool(true));
    status = given_reason(tool, given, &args);
    return status != TOOL_DONE
               ? status
               : send_signed(tool, &args, !arguments_have(given, "--yes"),
                             arena_printf(&tool->arena,
                                          "%s stands in for %s; `rota delegate list` shows since "
                                          "when and for what",
                                          to, of != NULL ? of : "you"));
}

static int end(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map();
    const char *number = given->word_count == 2 ? given->words[1] : NULL;
    int status;

    if (number == NULL || *number == '\0')
        return tool_usage(given, "rota delegate end NUMBER, as DEL-0003");
    if (strspn(number, "0123456789") == strlen(number))
        number = arena_printf(&tool->arena, "DEL-%04d", atoi(number));
    value_set(&tool->arena, &args, "delegation", value_str(number));
    status = given_reason(tool, given, &args);
    return status != TOOL_DONE ? status
                               : ask_told(tool, "delegation.end", &args,
                                          arena_printf(&tool->arena, "%s is over", number));
}

/* ---- list ---- */

static const char *joined(struct tool *tool, const struct value *list, const char *preset)
{
    const char *text = preset;

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        text = arena_printf(&tool->arena, "%s%s%.*s", i > 0 ? text : "", i > 0 ? ", " : "",
                            (int)list->as.items[i].count, list->as.items[i].as.text);
    return text;
}

static const char *scope(struct tool *tool, const struct value *one)
{
    const char *kinds = joined(tool, value_get(one, "kinds"), "");
    const char *roles = joined(tool, value_get(one, "roles"), "");

    if (*kinds == '\0' && *roles == '\0')
        return "everything of theirs";
    return arena_printf(
        &tool->arena, "%s%s%s", kinds, *kinds != '\0' && *roles != '\0' ? " as " : "",
        *roles != '\0' && *kinds == '\0' ? arena_printf(&tool->arena, "as %s", roles) : roles);
}

static void add_row(struct tool *tool, struct table *table, const struct value *one)
{
    int64_t end = value_get_int(one, "end_ms", 0);
    const char *state = value_get_str(one, "state", "", &tool->arena);

    table_row(table);
    table_cell(table, 0, INK_BOLD, value_get_str(one, "number", "", &tool->arena));
    table_cell(table, 1, INK_NONE, facts_name(tool, value_get_text(one, "to")));
    table_cell(table, 2, INK_NONE, facts_name(tool, value_get_text(one, "from")));
    table_cell(table, 3, INK_NONE, facts_day(tool, value_get_int(one, "from_ms", 0)));
    table_cell(table, 4, INK_NONE, end > 0 ? facts_day(tool, end - 1) : "ended by hand");
    table_cell(table, 5, strcmp(state, "active") == 0 ? INK_GOOD : INK_DIM, state);
    table_cell(table, 6, INK_DIM,
               value_get_bool(one, "onward", false)
                   ? arena_printf(&tool->arena, "%s, may be passed on", scope(tool, one))
                   : scope(tool, one));
}

static int list(struct tool *tool, const struct arguments *given)
{
    static const char *const heads[] = {"number", "who stands in", "for", "since", "until", "is",
                                        "in"};
    struct value args = value_map(), answer;
    struct table table;
    int status;

    if (given->word_count == 2)
        value_set(&tool->arena, &args, "person", value_str(given->words[1]));
    if (arguments_have(given, "--all"))
        value_set(&tool->arena, &args, "all", value_bool(true));
    status = ask_query(tool, "delegations", args, &answer);
    if (status != TOOL_DONE)
        return status;
    if (!value_is(&answer, VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no list");
    for (uint32_t i = 0; tool->out.json && i < answer.count; i++)
        output_json(&tool->out, &answer.as.items[i]);
    if (tool->out.json)
        return TOOL_DONE;
    if (answer.count == 0) {
        output_line(&tool->out, INK_DIM, "nobody stands in for anybody");
        return TOOL_DONE;
    }
    table_begin(&table, 7, heads);
    for (uint32_t i = 0; i < answer.count; i++)
        add_row(tool, &table, &answer.as.items[i]);
    table_print(&table, &tool->out, 0);
    table_release(&table);
    return TOOL_DONE;
}

static int run(struct tool *tool, const struct arguments *given)
{
    if (strcmp(given->words[0], "list") == 0)
        return list(tool, given);
    return strcmp(given->words[0], "end") == 0 ? end(tool, given) : give(tool, given);
}

static const struct tool_option options[] = {
    {"--from", "DATE", "from this day (without it: now)"},
    {"--until", "DATE", "the last day (without it: until it is ended)"},
    {"--kind", "KINDS", "only for records of these kinds, parted by commas"},
    {"--role", "ROLES",
     "only what you may as one of these: roles, other words as owner, or stages"},
    {"--onward", NULL, "the delegate may in turn be stood in for"},
    {"--of", "WHO", "not of yourself, but of somebody who is absent (ISMS manager); both are told"},
    {"--reason", "TEXT", "why; @FILE reads it from a file"},
    {"--yes", NULL, "on a terminal: sign what is shown without being asked"},
    {"--all", NULL, "list: also those that are over"},
    {NULL, NULL, NULL},
};

const struct tool_command command_delegate = {
    "delegate",
    "people",
    "TO --reason TEXT [--from DATE] [--until DATE] [--kind KINDS] [--role ROLES] [--onward] [--of "
    "WHO]\n"
    "list [WHO] [--all]\n"
    "end NUMBER [--reason TEXT]",
    "let somebody stand in for you",
    "Whoever stands in is asked instead of you, and may do what you may, under their own name and "
    "with their own\n"
    "key; both names are kept. Requests that are open move, and come back at the end. Nobody votes "
    "twice in a round,\n"
    "and who is kept apart from a record (its author, say) stays so. You may still act "
    "yourself.\n\n"
    "A delegation is signed by whoever gives it: nobody else can let somebody decide for you. To "
    "end one takes\n"
    "no signature.\n\n"
    "    rota delegate bo --from 2026-08-01 --until 2026-08-21 --reason \"on leave\"\n"
    "    rota delegate bo --kind policy --role top_management --reason \"on leave\"\n"
    "    rota delegate list\n"
    "    rota delegate end DEL-0003",
    options,
    1,
    2,
    false,
    run};
