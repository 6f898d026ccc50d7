/* show.c - `rota show`: a record as a page. */
#include "ask.h"
#include "changes.h"
#include "commands.h"
#include "facts.h"
#include "page.h"
#include "seen.h"

enum { SEEN_LINES = 6 };

/* What is news on the page to whoever saw it before. */
static void tell_news(struct tool *tool, const struct value *shown)
{
    const struct value *look = seen_last(tool, value_get_text(shown, "record"));
    const char *record = value_get_str(shown, "record", "", &tool->arena);
    struct value since, answer;

    if (look == NULL || slice_equal(value_get_bin(look, "digest"), value_get_bin(shown, "digest")))
        return;
    since = seen_content(tool, look);
    if (changes_ask(tool, record, NULL, &since, &answer) != TOOL_DONE)
        return;
    output_heading(&tool->out, "Changed since you looked on %s (rota diff %s --since-seen)",
                   facts_moment(tool, value_get_int(look, "at_ms", 0)), record);
    changes_outline(tool, 2, "", value_get_text(shown, "kind"), value_get(&answer, "changes"),
                    SEEN_LINES);
}

static int print(struct tool *tool, const struct value *shown)
{
    int status = TOOL_DONE;

    output_begin(&tool->out, arena_printf(&tool->arena, "%s %s",
                                          value_get_str(shown, "record", "", &tool->arena),
                                          value_get_str(shown, "title", "", &tool->arena)));
    page_print(tool, shown);
    if (tool->out.form == OUTPUT_TEXT) {
        tell_news(tool, shown);
        seen_remember(tool, shown);
    }
    if (tool->out.form != OUTPUT_TEXT)
        status = page_print_history(tool, shown);
    output_end(&tool->out);
    return status;
}

static int run(struct tool *tool, const struct arguments *given)
{
    const char *format = arguments_get(given, "--format");
    struct value args = value_map(), shown;
    int status;

    if (format != NULL)
        output_form(&tool->out, format);
    value_set(&tool->arena, &args, "record", value_str(given->words[0]));
    status = ask_query(tool, "show", args, &shown);
    if (status != TOOL_DONE || !tool->out.json)
        return status != TOOL_DONE ? status : print(tool, &shown);
    output_json(&tool->out, &shown);
    return TOOL_DONE;
}

static const struct tool_option options[] = {
    {"--format", "text|markdown|html",
     "text, or markdown or html: a page with signatures and history, to keep"},
    {NULL, NULL, NULL},
};

const struct tool_command command_show = {
    "show",
    "look",
    "RECORD [--format text|markdown|html]",
    "a record: where it stands, its content, what you may do",
    "SCP-0001 is the document and shows its latest version; SCP-0001@1.0 is one version.\n"
    "An html page is one file without anything outside it, and prints well.\n\n"
    "    rota show SCP-0001\n"
    "    rota show SCP-0001@1.0 --format html >scope.html\n"
    "    rota show FND-0007 --json",
    options,
    1,
    1,
    false,
    run};
