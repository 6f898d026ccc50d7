/* waive.c - `rota waive` and `rota waivers`: top management waives a rule of separation of duties; and who did, for whom, why. */
#include "ask.h"
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"
#include "preview.h"
#include "waiver.h"

#include <stdlib.h>

#define COMMAND "waive_sod"
#define END_COMMAND "end_waiver"

static const char *text_of(struct tool *tool, const struct value *map, const char *key)
{
    return value_get_str(map, key, "", &tool->arena);
}

/* ---- on pages ---- */

static const struct value *find(const struct value *shown, int64_t n)
{
    const struct value *list = value_get(shown, "waivers");

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++) {
        if (value_get_int(&list->as.items[i], "n", 0) == n)
            return &list->as.items[i];
    }
    return NULL;
}

/* "SOD-1 waived for Bo Lind by Amara Okafor: the reason; the check" */
static const char *line_of(struct tool *tool, const struct value *waiver)
{
    const char *reason = text_of(tool, waiver, "reason"), *check = text_of(tool, waiver, "check");

    return arena_printf(&tool->arena, "%s waived for %s by %s: %s; check: %s",
                        text_of(tool, waiver, "rule"),
                        facts_name(tool, value_get_text(waiver, "person")),
                        facts_name(tool, value_get_text(waiver, "by")),
                        *reason != '\0' ? reason : "(the reason is erased)",
                        *check != '\0' ? check : "(the check is erased)");
}

void waiver_print_used(struct tool *tool, const struct value *shown, const struct value *waived)
{
    for (uint32_t i = 0; value_is(waived, VALUE_ARRAY) && i < waived->count; i++) {
        const struct value *one = find(shown, value_get_int(&waived->as.items[i], "n", 0));

        output_line(&tool->out, INK_WAIT, "    %s",
                    line_of(tool, one != NULL ? one : &waived->as.items[i]));
    }
}

const char *waiver_text(struct tool *tool, struct slice record, const struct value *used)
{
    struct value args = value_map(), answer = VALUE_NONE;
    const struct value *one = NULL;

    value_set(&tool->arena, &args, "record", value_text(record));
    if (ask_query_if(tool, "waivers", args, &answer) == TOOL_DONE)
        one = find(&answer, value_get_int(used, "n", 0));
    return line_of(tool, one != NULL ? one : used);
}

const char *waiver_of_entry(struct tool *tool, const struct value *shown, const struct value *entry)
{
    const struct value *waived = value_get(value_get(value_get(entry, "effects"), ""), "waived");
    struct slice type = value_get_text(entry, "type");
    const char *text = "";

    if (value_is(waived, VALUE_MAP) && type.len > 7)
        waived = value_find(waived, slice_of(type.at + 7, type.len - 7));
    for (uint32_t i = 0; value_is(waived, VALUE_ARRAY) && i < waived->count; i++) {
        const struct value *one = find(shown, value_get_int(&waived->as.items[i], "n", 0));

        text = arena_printf(&tool->arena, "%s; %s", text,
                            line_of(tool, one != NULL ? one : &waived->as.items[i]));
    }
    return text;
}

/* "taken back by Henrik Lindqvist on 3 May 2026: the reason"; NULL: it was not. */
static const char *end_of(struct tool *tool, const struct value *waiver)
{
    const struct value *ended = value_get(waiver, "ended");
    const char *reason = text_of(tool, ended, "reason");

    return ended == NULL ? NULL
                         : arena_printf(&tool->arena, "taken back by %s on %s: %s",
                                        facts_name(tool, value_get_text(ended, "by")),
                                        facts_day(tool, value_get_int(ended, "at_ms", 0)),
                                        *reason != '\0' ? reason : "(the reason is erased)");
}

/* Used by what, or whether it still counts. */
static const char *use_of(struct tool *tool, const struct value *waiver)
{
    const struct value *used = value_get(waiver, "used");
    const char *end = end_of(tool, waiver);
    int64_t times = value_get_int(used, "times", 0);

    if (used == NULL && end != NULL)
        return arena_printf(&tool->arena, "not used; %s", end);
    if (used != NULL)
        return arena_printf(&tool->arena, "used by %s of %s, entry #%lld%s%s%s",
                            text_of(tool, used, "event"),
                            facts_name(tool, value_get_text(used, "by")),
                            (long long)value_get_int(used, "entry", 0),
                            times > 1 ? arena_printf(&tool->arena, ", and %lld time%s before",
                                                     (long long)times - 1, times > 2 ? "s" : "")
                                      : "",
                            end != NULL ? "; " : "", end != NULL ? end : "");
    return value_get_bool(waiver, "counts", false) ? "not used yet"
                                                   : "not used; the content has changed since";
}

void waiver_print_all(struct tool *tool, const struct value *shown)
{
    const struct value *list = value_get(shown, "waivers");

    if (!value_is(list, VALUE_ARRAY) || list->count == 0)
        return;
    output_heading(&tool->out, "Separation of duties, waived by top management");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *one = &list->as.items[i];

        output_pair(&tool->out, 2, 4, arena_printf(&tool->arena, "%u", i + 1), INK_NONE,
                    slice_str(arena_printf(&tool->arena, "%s (%s; %s)", line_of(tool, one),
                                           facts_moment(tool, value_get_int(one, "at_ms", 0)),
                                           use_of(tool, one))));
    }
}

/* ---- given ---- */

static int prepare(struct tool *tool, const struct value *args, const char *record,
                   struct value *prepared)
{
    struct value question = value_map();

    value_set(&tool->arena, &question, "record", value_str(record));
    value_set(&tool->arena, &question, "event", value_str(COMMAND));
    value_set(&tool->arena, &question, "rule", *value_get(args, "rule"));
    value_set(&tool->arena, &question, "person", *value_get(args, "person"));
    return ask_query(tool, "prepare", question, prepared);
}

/* What stands beside the sentence: it is signed as well. */
static void show_texts(struct tool *tool, const struct arguments *given)
{
    if (tool->out.json)
        return;
    output_pair(&tool->out, 0, 8, "reason", INK_NONE, slice_str(arguments_get(given, "--reason")));
    output_pair(&tool->out, 0, 8, "check", INK_NONE, slice_str(arguments_get(given, "--check")));
}

/* What is signed and sent, once it is prepared: both commands alike. */
static int sign_and_send(struct tool *tool, const struct arguments *given, const char *what,
                         const struct value *prepared, struct command *command)
{
    struct reply reply;
    int status = event_sign(tool, prepared, what, !arguments_have(given, "--yes"), command);

    if (status == TOOL_DONE)
        status = ask_command(tool, command, &reply);
    if (status == TOOL_DONE)
        event_tell(tool, command, &reply);
    return status;
}

/* The number of a waiver, from 1; 0: it is none. */
static int64_t number_of(const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);

    return end != text && *end == '\0' && n > 0 ? n : 0;
}

static int end_waiver(struct tool *tool, const struct arguments *given)
{
    struct command command = {.command = slice_str(END_COMMAND),
                              .record = slice_str(given->words[0]),
                              .args = value_map()};
    int64_t n = number_of(arguments_get(given, "--end"));
    struct value question = value_map(), prepared;
    int status;

    if (given->word_count > 1 || arguments_have(given, "--for") || arguments_have(given, "--check"))
        return tool_usage(given, "--end takes a waiver back by its number: RECORD --end N --reason "
                                 "TEXT");
    if (n == 0)
        return tool_usage(given, "--end takes the number of a waiver; `rota waivers %s` lists them",
                          given->words[0]);
    if (!arguments_have(given, "--reason"))
        return tool_usage(given, "say why the waiver is taken back: --reason is missing");
    value_set(&tool->arena, &command.args, "waiver", value_int(n));
    value_set(&tool->arena, &question, "record", value_str(given->words[0]));
    value_set(&tool->arena, &question, "event", value_str(END_COMMAND));
    value_set(&tool->arena, &question, "waiver", value_int(n));
    status = ask_query(tool, "prepare", question, &prepared);
    if (status == TOOL_DONE)
        status = given_reason(tool, given, &command.args);
    if (status == TOOL_DONE && !tool->out.json)
        output_pair(&tool->out, 0, 8, "reason", INK_NONE,
                    slice_str(arguments_get(given, "--reason")));
    return status == TOOL_DONE
               ? sign_and_send(tool, given, "the end of the waiver", &prepared, &command)
               : status;
}

static int waive(struct tool *tool, const struct arguments *given)
{
    static const char *const wanted[] = {"--for", "--reason", "--check"};
    struct command command = {
        .command = slice_str(COMMAND), .record = slice_str(given->words[0]), .args = value_map()};
    struct value prepared;
    int status;

    if (arguments_have(given, "--end"))
        return end_waiver(tool, given);
    if (given->word_count < 2)
        return tool_usage(given, "a waiver is of one rule: name it, as the refusal does");
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!arguments_have(given, wanted[i]))
            return tool_usage(given,
                              "a waiver says for whom, why, and which check makes up for it: %s is "
                              "missing",
                              wanted[i]);
    }
    value_set(&tool->arena, &command.args, "rule", value_str(given->words[1]));
    value_set(&tool->arena, &command.args, "person", value_str(arguments_get(given, "--for")));
    status = prepare(tool, &command.args, given->words[0], &prepared);
    if (status == TOOL_DONE)
        status = given_reason(tool, given, &command.args);
    if (status == TOOL_DONE)
        status = given_text(tool, given, "--check", &command.args);
    if (status == TOOL_DONE)
        show_texts(tool, given);
    return status == TOOL_DONE ? sign_and_send(tool, given, "the waiver", &prepared, &command)
                               : status;
}

static const struct tool_option waive_options[] = {
    {"--for", "PERSON", "whom the rule would keep apart"},
    {"--reason", "TEXT", "why nobody else can do it; @FILE reads it from a file"},
    {"--check", "TEXT", "the check that makes up for it, by somebody independent; or @FILE"},
    {"--end", "N", "take waiver N of the record back: it frees nobody from then on"},
    {"--yes", NULL, "on a terminal: sign what is shown without being asked"},
    {NULL, NULL, NULL},
};

const struct tool_command command_waive = {
    "waive",
    "people",
    "RECORD RULE --for PERSON --reason TEXT --check TEXT\nRECORD --end N --reason TEXT",
    "waive a rule of separation of duties, for one record and one person",
    "For a small organisation in which nobody else can do it. Somebody of top management signs, "
    "who "
    "is not freed\n"
    "by it, for this version of the record and what it says now: an edit ends it, and the next "
    "version takes another.\n"
    "RULE is the name that the refusal shows. The waiver is listed (rota waivers) and counted, and "
    "each decision that\n"
    "needed it says so. Whom an approval asks is settled when it is submitted, so waive before "
    "that. No setting turns a\n"
    "rule off; that two signatures are two people (SOD-2), and that roles in conflict are in two "
    "hands, is never waived.\n"
    "With --end somebody of top management takes one back, signed as well: what was decided under "
    "it stands, nothing\n"
    "more is: whom an open approval asks by it is asked no more, and where it cannot be granted "
    "without them it is void.\n\n"
    "    rota why POL-0001 submit\n"
    "    rota waive POL-0001 SOD-1 --for bo --reason \"only bo knows the plant\" \\\n"
    "        --check \"reviewed by an external adviser, report of 3 May\"\n"
    "    rota waive POL-0001 --end 1 --reason \"there is a third director now\"",
    waive_options,
    1,
    2,
    false,
    waive};

/* ---- listed ---- */

int waivers_ask(struct tool *tool, const char *record, struct value *out)
{
    struct value args = value_map(), answer;

    *out = value_array();
    if (record != NULL)
        value_set(&tool->arena, &args, "record", value_str(record));
    for (;;) {
        int status = ask_query(tool, "waivers", args, &answer);
        const struct value *page = value_get(&answer, "waivers"), *next;

        if (status != TOOL_DONE)
            return status;
        if (!value_is(page, VALUE_ARRAY))
            return tool_fail(TOOL_INPUT, "the engine's answer has no waivers");
        for (uint32_t i = 0; i < page->count; i++)
            value_push(&tool->arena, out, page->as.items[i]);
        next = value_get(&answer, "next");
        if (!value_is(next, VALUE_STR))
            return TOOL_DONE;
        value_set(&tool->arena, &args, "after", *next);
    }
}

uint32_t waivers_in_use(const struct value *all)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < all->count; i++)
        used += value_get(&all->as.items[i], "used") != NULL;
    return used;
}

static void add_row(struct tool *tool, struct table *table, const struct value *one)
{
    const char *reason = text_of(tool, one, "reason"), *check = text_of(tool, one, "check");

    table_row(table);
    table_cell(table, 0, INK_BOLD, text_of(tool, one, "record"));
    table_cell(table, 1, INK_NONE, text_of(tool, one, "rule"));
    table_cell(table, 2, INK_NONE, facts_name(tool, value_get_text(one, "person")));
    table_cell(table, 3, INK_NONE, facts_name(tool, value_get_text(one, "by")));
    table_cell(table, 4, INK_NONE, facts_day(tool, value_get_int(one, "at_ms", 0)));
    table_cell(table, 5, value_get(one, "used") != NULL ? INK_WAIT : INK_DIM, use_of(tool, one));
    table_cell(table, 6, INK_NONE,
               arena_printf(&tool->arena, "%s; check: %s", *reason != '\0' ? reason : "(erased)",
                            *check != '\0' ? check : "(erased)"));
}

void waivers_print(struct tool *tool, const struct value *all)
{
    static const char *const heads[] = {"record", "rule", "freed",           "signed by",
                                        "on",     "use",  "reason and check"};
    struct table table;

    table_begin(&table, 7, heads);
    for (uint32_t i = all->count; i > 0; i--)
        add_row(tool, &table, &all->as.items[i - 1]);
    table_print(&table, &tool->out, 0);
    table_release(&table);
}

static int list(struct tool *tool, const struct arguments *given)
{
    struct value all;
    int status = waivers_ask(tool, given->word_count > 0 ? given->words[0] : NULL, &all);

    if (status != TOOL_DONE)
        return status;
    for (uint32_t i = 0; tool->out.json && i < all.count; i++)
        output_json(&tool->out, &all.as.items[i]);
    if (tool->out.json)
        return TOOL_DONE;
    if (all.count == 0) {
        output_line(&tool->out, INK_GOOD, "no rule of separation of duties was waived");
        return TOOL_DONE;
    }
    waivers_print(tool, &all);
    output_line(&tool->out, INK_BOLD, "%u given, %u used", all.count, waivers_in_use(&all));
    return TOOL_DONE;
}

const struct tool_command command_waivers = {
    "waivers",
    "people",
    "[RECORD]",
    "which rules of separation of duties were waived, for whom, by whom, why, and what rests on it",
    "The newest first. A waiver is used by a decision that would have been refused without it; one "
    "that was given over\n"
    "content that has changed since, or that was taken back (rota waive --end), counts no "
    "more.\n\n"
    "    rota waivers\n"
    "    rota waivers POL-0001 --json",
    NULL,
    0,
    1,
    false,
    list};
