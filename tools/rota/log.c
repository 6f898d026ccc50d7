/* log.c - `rota log`: who did what, and when. */
#include <stdlib.h>

#include "ask.h"
#include "commands.h"
#include "base/map.h"
#include "facts.h"
#include "log.h"
#include "words.h"

enum { LIMIT = 500 };

static const char *who_of(struct tool *tool, const struct value *entry)
{
    struct slice actor = value_get_text(entry, "actor");
    struct slice in_place = value_get_text(value_get(entry, "body"), "for");
    const struct value *cause = value_get(entry, "cause");

    if (slice_is(actor, "engine") && value_is(cause, VALUE_INT))
        return arena_printf(&tool->arena, "the engine, after #%lld", (long long)cause->as.number);
    if (in_place.len > 0)
        return arena_printf(&tool->arena, "%s for %s", facts_name(tool, actor),
                            facts_name(tool, in_place));
    return facts_name(tool, actor);
}

/* ---- which service a task belongs to: said by the entry that ordered it, not by those that settle it -- */

static void keep_services(struct map *services, const struct value *entry)
{
    const struct value *effects = value_get(entry, "effects");

    for (uint32_t i = 0; value_is(effects, VALUE_MAP) && i < effects->count; i++) {
        const struct value *service = value_get(&effects->as.pairs[i].value, "service");

        if (slice_starts(effects->as.pairs[i].key, "task/") && value_is(service, VALUE_STR))
            map_put(services, effects->as.pairs[i].key, (void *)(uintptr_t)service);
    }
}

static struct slice service_of(const struct map *services, const struct value *entry)
{
    const struct value *service = map_get(services, value_get_text(entry, "stream"));

    return service != NULL ? value_slice(service) : slice_of(NULL, 0);
}

/* Settled by a notice's worker, and nothing else came of it: no row but the task's own was changed. */
static bool is_only_delivery(const struct value *entry, struct slice service)
{
    const struct value *effects = value_get(entry, "effects");
    struct slice type = value_get_text(entry, "type");

    if (!slice_is(service, "communication.deliver") && !slice_is(service, "approval.request"))
        return false;
    if (!slice_is(type, "task.done") && !slice_is(type, "task.handed_over"))
        return false;
    for (uint32_t i = 0; value_is(effects, VALUE_MAP) && i < effects->count; i++) {
        struct slice key = effects->as.pairs[i].key;

        if (key.len > 0 && !slice_is(key, "^"))
            return false;
    }
    return true;
}

/* ---- the page ------------------------------------------------------------------------------------ */

static void add_row(struct tool *tool, struct table *table, const struct value *entry,
                    struct slice service, bool with_stream)
{
    struct slice stream = value_get_text(entry, "stream");
    bool is_signed = value_get_bool(entry, "signed", false);
    const char *what = words_entry_of(tool, entry, service);

    table_row(table);
    table_cell(table, 0, INK_DIM,
               arena_printf(&tool->arena, "#%lld", (long long)value_get_int(entry, "seq", 0)));
    table_cell(table, 1, INK_NONE, facts_moment(tool, value_get_int(entry, "time_us", 0) / 1000));
    table_cell(table, 2, INK_NONE, who_of(tool, entry));
    table_cell(table, 3, INK_GOOD, is_signed ? "✎" : "");
    if (with_stream && !slice_starts(stream, "task/"))
        what =
            arena_printf(&tool->arena, "%.*s: %s", (int)stream.len, (const char *)stream.at, what);
    table_cell(table, 4, INK_NONE, what);
}

void log_print(struct tool *tool, const struct value *entries, const char *record, bool is_all)
{
    static const char *const heads[] = {"entry", "when", "who", "✎",
                                        "what (✎ signed with their own key)"};
    struct map services = MAP_EMPTY;
    struct table table;
    int hidden = 0;

    table_begin(&table, 5, heads);
    for (uint32_t i = 0; i < entries->count; i++) {
        const struct value *entry = &entries->as.items[i];
        struct slice service = service_of(&services, entry);

        keep_services(&services, entry);
        if (!is_all && is_only_delivery(entry, service))
            hidden++;
        else
            add_row(tool, &table, entry, service, record == NULL);
    }
    table_print(&table, &tool->out, 0);
    table_release(&table);
    map_release(&services);
    if (hidden > 0)
        output_line(&tool->out, INK_DIM, "%d deliver%s of notices %s not shown; --all shows them",
                    hidden, hidden == 1 ? "y" : "ies", hidden == 1 ? "is" : "are");
}

static int number_option(const struct arguments *given, const char *name, int64_t fallback,
                         int64_t *out)
{
    const char *text = arguments_get(given, name);
    char *end;

    *out = fallback;
    if (text == NULL)
        return TOOL_DONE;
    *out = strtoll(text, &end, 10);
    return *text != '\0' && *end == '\0' && *out >= 0
               ? TOOL_DONE
               : tool_usage(given, "%s %s: not a number", name, text);
}

/* No entry: because the record it would belong to is none, or nothing is called like that? */
static int no_such_stream(struct tool *tool, const char *stream)
{
    static const char *const names[] = {"journal", "directory", "pack"};
    struct value args = value_map(), shown;
    int status = TOOL_DONE;

    if (strchr(stream, '-') != NULL) {
        value_set(&tool->arena, &args, "record",
                  value_text(slice_of(stream, strcspn(stream, "/"))));
        status = ask_query(tool, "show", args, &shown);
    }
    return status != TOOL_DONE
               ? status
               : tool_fail(
                     TOOL_REFUSED,
                     "no entry of the journal belongs to the stream '%s'%s (`rota log --json` "
                     "names the stream of each)",
                     stream, nearest_said(&tool->arena, stream, names, 3));
}

/* Of the whole journal what happened last, unless it is said from where. */
static int newest(struct tool *tool, int64_t limit, int64_t *from)
{
    const struct value *info;
    int status = facts_info(tool, &info);
    int64_t size = status == TOOL_DONE ? value_get_int(info, "size", 0) : 0;

    *from = size > limit ? size - limit : 0;
    return status;
}

/* What is not shown, and how it is asked for. */
static void tell_rest(struct tool *tool, const struct value *answer, bool is_newest, int64_t from)
{
    if (is_newest && from > 0)
        output_line(&tool->out, INK_DIM,
                    "what came before: rota log --from N, or a larger --limit");
    if (value_get(answer, "before") != NULL)
        output_line(&tool->out, INK_DIM, "earlier entries are not shown: --limit N shows more");
    if (value_get(answer, "next") != NULL)
        output_line(&tool->out, INK_DIM, "it goes on: rota log --from %lld",
                    (long long)value_get_int(answer, "next", 0));
}

static int run(struct tool *tool, const struct arguments *given)
{
    const char *record = given->word_count > 0 ? given->words[0] : NULL;
    const char *stream = arguments_get(given, "--stream");
    struct value args = value_map(), answer;
    const struct value *entries;
    int64_t from, limit;
    bool is_newest;
    int status;

    if ((status = number_option(given, "--from", -1, &from)) != TOOL_DONE ||
        (status = number_option(given, "--limit", LIMIT, &limit)) != TOOL_DONE)
        return status;
    is_newest = record == NULL && stream == NULL && from < 0;
    if (is_newest && (status = newest(tool, limit, &from)) != TOOL_DONE)
        return status;
    if (record != NULL)
        value_set(&tool->arena, &args, "record", value_str(record));
    if (stream != NULL)
        value_set(&tool->arena, &args, "stream", value_str(stream));
    if (from >= 0)
        value_set(&tool->arena, &args, "from", value_int(from));
    value_set(&tool->arena, &args, "limit", value_int(limit));
    status = ask_query(tool, "log", args, &answer);
    if (status != TOOL_DONE)
        return status;
    entries = value_get(&answer, "entries");
    if (!value_is(entries, VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no entries");
    if (entries->count == 0 && stream != NULL)
        return no_such_stream(tool, stream);
    for (uint32_t i = 0; tool->out.json && i < entries->count; i++)
        output_json(&tool->out, &entries->as.items[i]);
    if (!tool->out.json)
        log_print(tool, entries, record, record == NULL || arguments_have(given, "--all"));
    if (!tool->out.json)
        tell_rest(tool, &answer, is_newest, from);
    return TOOL_DONE;
}

static const struct tool_option options[] = {
    {"--stream", "STREAM", "the entries of one stream: SCP-0001@1.0/round/1/amara, directory, ..."},
    {"--from", "SEQ", "begin at this entry of the journal"},
    {"--limit", "N", "at most so many entries (default 500)"},
    {"--all", NULL, "also the deliveries of notices, which a record's page only counts"},
    {NULL, NULL, NULL},
};

const struct tool_command command_log = {
    "log",
    "look",
    "[RECORD] [--stream STREAM] [--from SEQ] [--limit N] [--all]",
    "history: who did what, when, and whether it was signed",
    "With a record: all that concerns it; deliveries of notices are counted unless --all is "
    "given.\nWithout: the newest entries of the journal, or those from --from on. --json gives "
    "deliveries too.\n\n"
    "    rota log SCP-0001\n"
    "    rota log --from 120 --json",
    options,
    0,
    1,
    false,
    run};
