/* why.c - `rota why`: who may make an event happen, and what is missing. */
#include "ask.h"
#include "commands.h"
#include "facts.h"

/* Each word with whom it means, and where there is one the rule of separation that it stands for. */
static void print_who(struct tool *tool, const struct value *who)
{
    for (uint32_t i = 0; value_is(who, VALUE_ARRAY) && i < who->count; i++) {
        const struct value *entry = &who->as.items[i], *people = value_get(entry, "people");
        char *text = arena_str(&tool->arena, "");

        for (uint32_t p = 0; value_is(people, VALUE_ARRAY) && p < people->count; p++)
            text = arena_printf(&tool->arena, "%s%s%s", text, p > 0 ? ", " : "",
                                facts_person(tool, value_slice(&people->as.items[p])));
        if (value_get(entry, "rule") != NULL)
            text = arena_printf(&tool->arena, "%s (%s)", *text != '\0' ? text : "nobody",
                                value_get_str(entry, "rule", "", &tool->arena));
        output_pair(&tool->out, 2, 18, value_get_str(entry, "word", "", &tool->arena), INK_NONE,
                    slice_str(*text != '\0' ? text : "nobody"));
    }
}

static const char *joined(struct tool *tool, const struct value *value)
{
    char *text = arena_str(&tool->arena, "");

    if (value_is(value, VALUE_STR))
        return arena_copy(&tool->arena, value->as.text, value->count);
    for (uint32_t i = 0; value_is(value, VALUE_ARRAY) && i < value->count; i++)
        text = arena_printf(&tool->arena, "%s%s%.*s", text, i > 0 ? ", " : "",
                            (int)value->as.items[i].count,
                            value->as.items[i].type == VALUE_STR ? value->as.items[i].as.text : "");
    return text;
}

static void print_transition(struct tool *tool, const struct value *transition)
{
    const char *from = joined(tool, value_get(transition, "from"));
    const char *meaning = value_get_str(transition, "meaning", "", &tool->arena);
    const struct value *reason = value_get(transition, "reason");

    if (!value_is(transition, VALUE_MAP))
        return;
    output_line(&tool->out, INK_DIM, "  %s → %s%s%s%s", *from != '\0' ? from : "any state",
                joined(tool, value_get(transition, "to")), *meaning != '\0' ? ", signed as " : "",
                meaning,
                value_is(reason, VALUE_BOOL) && reason->as.number != 0 ? ", with a reason" : "");
}

static void print(struct tool *tool, const struct arguments *given, const struct value *answer,
                  const char *person)
{
    const struct value *missing = value_get(answer, "missing"), *holds = value_get(answer, "holds");
    const struct value *hints = value_get(answer, "hints");
    bool allowed = value_get_bool(answer, "allowed", false);

    if (allowed)
        output_line(&tool->out, INK_GOOD, "yes: %s may %s %s now", person, given->words[1],
                    given->words[0]);
    else
        output_line(&tool->out, INK_BAD, "no: %s may not %s %s now", person, given->words[1],
                    given->words[0]);
    print_transition(tool, value_get(answer, "transition"));
    for (uint32_t i = 0; value_is(missing, VALUE_ARRAY) && i < missing->count; i++)
        output_pair(&tool->out, 2, 1, "✗", INK_NONE, value_slice(&missing->as.items[i]));
    for (uint32_t i = 0; value_is(hints, VALUE_ARRAY) && i < hints->count; i++)
        output_pair(&tool->out, 2, 1, "→", INK_NONE, value_slice(&hints->as.items[i]));
    for (uint32_t i = 0; value_is(holds, VALUE_ARRAY) && i < holds->count; i++)
        output_pair(&tool->out, 2, 1, "✓", INK_DIM, value_slice(&holds->as.items[i]));
    if (value_is(value_get(answer, "who"), VALUE_ARRAY) && value_get(answer, "who")->count > 0) {
        output_heading(&tool->out, "Who may");
        print_who(tool, value_get(answer, "who"));
    }
    if (value_is(value_get(answer, "apart"), VALUE_ARRAY)) {
        output_heading(&tool->out, "Kept apart, whatever else they are");
        print_who(tool, value_get(answer, "apart"));
    }
}

static int run(struct tool *tool, const struct arguments *given)
{
    const char *person = arguments_get(given, "--person");
    struct value args = value_map(), answer;
    int status;

    value_set(&tool->arena, &args, "record", value_str(given->words[0]));
    value_set(&tool->arena, &args, "event", value_str(given->words[1]));
    if (person != NULL)
        value_set(&tool->arena, &args, "person", value_str(person));
    status = ask_query(tool, "why", args, &answer);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json) {
        output_json(&tool->out, &answer);
        return TOOL_DONE;
    }
    if (person == NULL && (status = ask_who(tool, &person)) != TOOL_DONE)
        return status;
    print(tool, given, &answer, facts_person(tool, slice_str(person)));
    return TOOL_DONE;
}

static const struct tool_option options[] = {
    {"--person", "WHO", "ask about somebody else"},
    {NULL, NULL, NULL},
};

const struct tool_command command_why = {
    "why",
    "look",
    "RECORD EVENT [--person WHO]",
    "who may make an event happen, and what is missing",
    "Answers before anything is tried: the roles and people who may, the conditions that do not "
    "hold yet, the\n"
    "rules of separation that stand against one person, and how top management may waive one where "
    "nobody else can\n"
    "do it. Exit status 0 whatever the answer is.\n\n"
    "    rota why SCP-0001 approve\n"
    "    rota why SCP-0001 approve --person ines",
    options,
    2,
    2,
    false,
    run};
