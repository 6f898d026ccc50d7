/* people.c - `rota people`, `rota person list`. */
#include "ask.h"
#include "commands.h"
#include "facts.h"
#include "forms.h"

static int people(struct tool *tool, struct value *answer, const struct value **out)
{
    int status = ask_query(tool, "people", value_map(), answer);

    if (status != TOOL_DONE)
        return status;
    *out = value_is(answer, VALUE_ARRAY) ? answer : value_get(answer, "people");
    return value_is(*out, VALUE_ARRAY) ? TOOL_DONE
                                       : tool_fail(TOOL_INPUT, "the engine's answer has no people");
}

static const char *roles_of(struct tool *tool, const struct value *person)
{
    const struct value *roles = value_get(person, "roles");
    char *text = arena_str(&tool->arena, "");

    if (!value_is(roles, VALUE_ARRAY) || roles->count == 0)
        roles = value_get(person, "services");
    for (uint32_t i = 0; value_is(roles, VALUE_ARRAY) && i < roles->count; i++)
        text = arena_printf(&tool->arena, "%s%s%.*s", text, i > 0 ? ", " : "",
                            (int)roles->as.items[i].count,
                            roles->as.items[i].type == VALUE_STR ? roles->as.items[i].as.text : "");
    return text;
}

/* Who changed it last. */
static void tell_two(struct tool *tool)
{
    const struct value *info, *directory;

    if (facts_info(tool, &info) != TOOL_DONE)
        return;
    directory = value_get(info, "directory");
    if (value_get_bool(directory, "alone", false))
        output_line(&tool->out, INK_WAIT,
                    "changed last by %s alone: nobody else could agree. A second person with the "
                    "role top_management or isms_manager and a signing key ends that.",
                    facts_name(tool, value_get_text(directory, "by")));
    else if (value_get_int(directory, "proposal", 0) > 0)
        output_line(&tool->out, INK_DIM, "changed last by %s, and agreed to by %s (proposal %lld)",
                    facts_name(tool, value_get_text(directory, "by")),
                    facts_name(tool, value_get_text(directory, "agreed_by")),
                    (long long)value_get_int(directory, "proposal", 0));
}

static int run_people(struct tool *tool, const struct arguments *given)
{
    static const char *const heads[] = {"name", "who", "kind", "roles or services", "address"};
    struct value answer;
    const struct value *list;
    struct table table;
    int status = people(tool, &answer, &list);

    (void)given;
    if (status != TOOL_DONE)
        return status;
    table_begin(&table, 5, heads);
    table.spare = 2; /* their roles or services say it too */
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *person = &list->as.items[i];

        if (tool->out.json) {
            output_json(&tool->out, person);
            continue;
        }
        table_row(&table);
        table_cell(&table, 0, INK_BOLD, value_get_str(person, "name", "", &tool->arena));
        table_cell(&table, 1, INK_NONE, value_get_str(person, "title", "", &tool->arena));
        table_cell(&table, 2, INK_DIM, value_get_str(person, "kind", "", &tool->arena));
        table_cell(&table, 3, INK_NONE, roles_of(tool, person));
        table_cell(&table, 4, INK_NONE, value_get_str(person, "email", "", &tool->arena));
    }
    if (!tool->out.json)
        table_print(&table, &tool->out, 0);
    table_release(&table);
    if (!tool->out.json)
        tell_two(tool);
    return TOOL_DONE;
}

static int run_person(struct tool *tool, const struct arguments *given)
{
    if (given->word_count > 0 && strcmp(given->words[0], "list") != 0)
        return forms_unknown(given);
    return run_people(tool, given);
}

const struct tool_command command_people = {
    "people", "people", "",        "people and workers of the directory", "", NULL, 0,
    0,        false,    run_people};

const struct tool_command command_person = {
    "person", "people", "[list]", "the same as people", "", NULL, 0, 1, false, run_person};
