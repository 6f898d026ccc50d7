/* diff.c - `rota diff`: what changed against the version in force, another record, or what one saw. */
#include "ask.h"
#include "changes.h"
#include "commands.h"
#include "facts.h"
#include "seen.h"

/* `against` NULL and `since` NULL: the version in force. */
static int compare(struct tool *tool, const struct value *shown, const char *against,
                   const struct value *since, const char *than)
{
    const char *record = value_get_str(shown, "record", "", &tool->arena);
    struct slice kind = value_get_text(shown, "kind");
    const struct value *changes;
    struct value answer;
    int status = changes_ask(tool, record, against, since, &answer);

    if (status != TOOL_DONE)
        return status;
    changes = value_get(&answer, "changes");
    for (uint32_t i = 0; tool->out.json && i < changes->count; i++) {
        struct value line = changes_json(tool, kind, &changes->as.items[i]);

        output_json(&tool->out, &line);
    }
    if (tool->out.json)
        return TOOL_DONE;
    if (than == NULL && value_get_text(&answer, "against").len > 0)
        than = value_get_str(&answer, "against", "", &tool->arena);
    output_line(&tool->out, INK_DIM, "%s, %s%s", record,
                than != NULL ? "against " : "of which there is no version before: all is new",
                than != NULL ? than : "");
    if (changes->count == 0)
        output_line(&tool->out, INK_DIM, "no difference");
    changes_print(tool, kind, changes);
    return TOOL_DONE;
}

static int since_seen(struct tool *tool, const struct value *shown)
{
    struct slice record = value_get_text(shown, "record");
    const struct value *look = seen_before(tool, record, value_get_bin(shown, "digest"));
    const struct value *last = seen_last(tool, record);
    struct value since;

    if (look == NULL) {
        if (!tool->out.json)
            output_line(&tool->out, INK_DIM,
                        last != NULL ? "no change since you first looked at %.*s, on %s"
                                     : "you have not looked at %.*s from here%s",
                        (int)record.len, (const char *)record.at,
                        last != NULL ? facts_moment(tool, value_get_int(last, "at_ms", 0)) : "");
        return TOOL_DONE;
    }
    since = seen_content(tool, look);
    return compare(tool, shown, NULL, &since,
                   arena_printf(&tool->arena, "what you saw on %s",
                                facts_moment(tool, value_get_int(look, "at_ms", 0))));
}

static int run(struct tool *tool, const struct arguments *given)
{
    const char *against = given->word_count == 2 ? given->words[1] : NULL;
    bool seen = arguments_have(given, "--since-seen");
    struct value args = value_map(), shown;
    int status;

    if (seen && against != NULL)
        return tool_usage(given, "--since-seen compares with what you saw, not with %s", against);
    value_set(&tool->arena, &args, "record", value_str(given->words[0]));
    status = ask_query(tool, "show", args, &shown);
    if (status == TOOL_DONE)
        status = seen ? since_seen(tool, &shown) : compare(tool, &shown, against, NULL, against);
    if (status == TOOL_DONE && !tool->out.json)
        seen_remember(tool, &shown);
    return status;
}

static const struct tool_option options[] = {
    {"--since-seen", NULL, "against what you saw when you last looked (show, diff)"},
    {NULL, NULL, NULL},
};

const struct tool_command command_diff = {
    "diff",
    "look",
    "RECORD [OTHER] [--since-seen]",
    "what changed: against the version in force, another record, or what you saw",
    "Fields, tables cell by cell, long texts word by word: - what went, + what came, ~ what was "
    "changed, and\n"
    "in a changed line [-what went-]{+what came+}. Without OTHER a version is compared with the "
    "one in force.\n"
    "What you saw is remembered beside your key, in DIR/looks, and nowhere else.\n\n"
    "    rota diff SCP-0001\n    rota diff SCP-0001@2.0 SCP-0001@1.0\n"
    "    rota diff SCP-0001 --since-seen",
    options,
    1,
    2,
    false,
    run};
