/* diff.c - `rota diff`: what changed between two versions. */
#include "ask.h"
#include "commands.h"
#include "facts.h"
#include "page.h"

/* A row of a table as "column value, column value". */
static const char *row_text(struct tool *tool, const struct value *row)
{
    char *text = arena_str(&tool->arena, "");

    if (row->type != VALUE_MAP || value_get(row, "content") != NULL)
        return page_value(tool, row);
    for (uint32_t i = 0; i < row->count; i++)
        text = arena_printf(&tool->arena, "%s%s%.*s: %s", text, i > 0 ? "; " : "",
                            (int)row->as.pairs[i].key.len, (const char *)row->as.pairs[i].key.at,
                            page_value(tool, &row->as.pairs[i].value));
    return text;
}

static bool has_item(const struct value *list, const struct value *item)
{
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        if (value_equal(&list->as.items[i], item))
            return true;
    return false;
}

/* Of lists only what the other side has not. */
static void print_side(struct tool *tool, const char *mark, enum ink ink, const struct value *value,
                       const struct value *other)
{
    if (value == NULL || value->type == VALUE_NIL)
        return;
    if (value->type != VALUE_ARRAY) {
        output_pair(&tool->out, 2, 1, mark, ink, slice_str(page_value(tool, value)));
        return;
    }
    for (uint32_t i = 0; i < value->count; i++)
        if (!has_item(other, &value->as.items[i]))
            output_pair(&tool->out, 2, 1, mark, ink,
                        slice_str(row_text(tool, &value->as.items[i])));
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map(), answer;
    const struct value *changes;
    struct slice kind;
    int status;

    value_set(&tool->arena, &args, "record", value_str(given->words[0]));
    if (given->word_count == 2)
        value_set(&tool->arena, &args, "against", value_str(given->words[1]));
    status = ask_query(tool, "diff", args, &answer);
    if (status != TOOL_DONE)
        return status;
    changes = value_is(&answer, VALUE_ARRAY) ? &answer : value_get(&answer, "changes");
    if (!value_is(changes, VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no changes");
    for (uint32_t i = 0; tool->out.json && i < changes->count; i++)
        output_json(&tool->out, &changes->as.items[i]);
    if (tool->out.json)
        return TOOL_DONE;
    if (changes->count == 0)
        output_line(&tool->out, INK_DIM, "no difference");
    kind = facts_kind_of(tool, slice_str(given->words[0]));
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct value *change = &changes->as.items[i];

        output_line(&tool->out, INK_BOLD, "%s",
                    facts_field_title(tool, kind, value_get_text(change, "field")));
        print_side(tool, "-", INK_BAD, value_get(change, "before"), value_get(change, "after"));
        print_side(tool, "+", INK_GOOD, value_get(change, "after"), value_get(change, "before"));
    }
    return TOOL_DONE;
}

const struct tool_command command_diff = {
    "diff",
    "look",
    "RECORD [OTHER]",
    "what changed against the version before, or another record",
    "    rota diff SCP-0001\n    rota diff SCP-0001@2.0 SCP-0001@1.0",
    NULL,
    1,
    2,
    false,
    run};
