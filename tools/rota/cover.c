/* cover.c - `rota coverage`: one page about what is proved, what is missing and what is late. */
#include "commands.h"
#include "coverage.h"
#include "facts.h"
#include "waiver.h"

enum { RECORDS_SHOWN = 4 };

static const char *text_in(struct tool *tool, const struct value *map, const char *key)
{
    return value_get_str(map, key, "", &tool->arena);
}

static enum ink ink_of(enum cover_status status)
{
    static const enum ink INKS[] = {[COVER_PROVED] = INK_GOOD,
                                    [COVER_MAKING] = INK_WAIT,
                                    [COVER_READY] = INK_DIM,
                                    [COVER_NONE] = INK_BAD,
                                    [COVER_NO_KIND] = INK_BAD};

    return INKS[status];
}

/* ---- words ---- */

/* "SCP-0001@1.0 (In force), IPR-0001@1.0 (In force) and 3 more" */
static const char *records_text(struct tool *tool, const struct value *records, int64_t count)
{
    const char *text = "";
    int64_t shown = 0;

    for (uint32_t i = 0; i < records->count && shown < RECORDS_SHOWN; i++, shown++)
        text = arena_printf(&tool->arena, "%s%s%s (%s)", text, shown > 0 ? ", " : "",
                            text_in(tool, &records->as.items[i], "record"),
                            facts_state(tool, value_get_text(&records->as.items[i], "kind"),
                                        value_get_text(&records->as.items[i], "state")));
    if (count > shown)
        text = arena_printf(&tool->arena, "%s and %lld more", text, (long long)(count - shown));
    return text;
}

static const char *kinds_text(struct tool *tool, const struct cover_item *item)
{
    const char *text = "";

    for (uint32_t i = 0; i < item->kinds.count; i++) {
        struct slice name = value_slice(&item->kinds.as.items[i]);
        const char *title = item->group == COVER_INTERACTIONS
                                ? arena_copy(&tool->arena, name.at, name.len)
                                : facts_kind_title(tool, name);

        text = arena_printf(&tool->arena, "%s%s%s", text, i > 0 ? ", " : "", title);
    }
    return text;
}

/* What proves it; else what there is; else what would. */
static const char *proof_text(struct tool *tool, const struct cover_item *item)
{
    switch (item->status) {
    case COVER_PROVED:
        return records_text(tool, &item->proof, item->proof_count);
    case COVER_MAKING:
        if (item->wants != NULL)
            return arena_printf(&tool->arena, "%s; in force must be: %s",
                                records_text(tool, &item->proof, item->proof_count), item->wants);
        return records_text(tool, &item->others, item->others.count);
    case COVER_READY:
        return arena_printf(&tool->arena, "rules %s", kinds_text(tool, item));
    case COVER_NONE:
        if (item->others.count > 0)
            return records_text(tool, &item->others, item->others.count);
        return item->kinds.count > 0
                   ? arena_printf(&tool->arena, "would be: %s", kinds_text(tool, item))
                   : "no cycle was begun";
    case COVER_NO_KIND:
        break;
    }
    return item->group == COVER_INTERACTIONS ? "no rule of the workflows"
                                             : "no kind of the workflows is about it";
}

/* "Next review due 2026-10-01": which date of it is over. */
static const char *past_text(struct tool *tool, const struct value *record)
{
    const struct value *past = value_get(record, "past");
    const char *text = "";

    for (uint32_t i = 0; value_is(past, VALUE_MAP) && i < past->count; i++) {
        const struct value *at = &past->as.pairs[i].value;

        text = arena_printf(
            &tool->arena, "%s%s%s %s", text, i > 0 ? ", " : "",
            facts_field_title(tool, value_get_text(record, "kind"), past->as.pairs[i].key),
            at->type == VALUE_INT ? facts_day(tool, at->as.number)
                                  : arena_copy(&tool->arena, at->as.text, at->count));
    }
    return text;
}

/* ---- the page ---- */

static void print_totals(const struct coverage *c)
{
    static const enum cover_status ORDER[] = {COVER_MAKING, COVER_READY, COVER_NONE, COVER_NO_KIND};
    struct tool *tool = c->tool;

    for (int group = 0; group < COVER_GROUPS; group++) {
        int proved = coverage_count(c, (enum cover_group)group, COVER_PROVED), all = proved;
        const char *rest = "";

        for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
            int count = coverage_count(c, (enum cover_group)group, ORDER[i]);

            all += count;
            if (count > 0)
                rest = arena_printf(&tool->arena, "%s · %d %s", rest, count,
                                    cover_status_text(ORDER[i]));
        }
        if (all > 0)
            output_pair(
                &tool->out, 2, 12, cover_group_name((enum cover_group)group),
                proved == all ? INK_GOOD : INK_NONE,
                slice_str(arena_printf(&tool->arena, "%d of %d proved%s", proved, all, rest)));
    }
    output_pair(&tool->out, 2, 12, "late", c->late.count > 0 ? INK_BAD : INK_GOOD,
                slice_str(arena_printf(&tool->arena, "%u record%s", c->late.count,
                                       c->late.count == 1 ? "" : "s")));
    output_pair(&tool->out, 2, 12, "to be signed", INK_NONE,
                slice_str(arena_printf(&tool->arena, "%u open round%s", c->waiting.count,
                                       c->waiting.count == 1 ? "" : "s")));
    output_pair(&tool->out, 2, 12, "waivers", waivers_in_use(&c->waivers) > 0 ? INK_WAIT : INK_NONE,
                slice_str(arena_printf(&tool->arena,
                                       "%u given of a rule of separation of duties, %u used%s",
                                       c->waivers.count, waivers_in_use(&c->waivers),
                                       c->waivers.count > 0 ? " (rota waivers)" : "")));
}

static void print_records(const struct coverage *c, const char *heading,
                          const struct value *records, const char *about)
{
    const char *heads[] = {"record", about, "owner", "kind", "title"};
    struct tool *tool = c->tool;
    struct table table;

    if (records->count == 0)
        return;
    output_heading(&tool->out, "%s", heading);
    table_begin(&table, 5, heads);
    for (uint32_t i = 0; i < records->count; i++) {
        const struct value *record = &records->as.items[i];
        const char *when = value_get(record, "past") != NULL && records == &c->late
                               ? past_text(tool, record)
                               : facts_day(tool, value_get_int(record, "changed_ms", 0));

        table_row(&table);
        table_cell(&table, 0, INK_BOLD, text_in(tool, record, "record"));
        table_cell(&table, 1, records == &c->late ? INK_BAD : INK_WAIT, when);
        table_cell(&table, 2, INK_NONE, facts_name(tool, value_get_text(record, "owner")));
        table_cell(&table, 3, INK_NONE, facts_kind_title(tool, value_get_text(record, "kind")));
        table_cell(&table, 4, INK_NONE, text_in(tool, record, "title"));
    }
    table_print(&table, &tool->out, 0);
    table_release(&table);
}

static void add_row(struct tool *tool, struct table *table, const struct cover_item *item)
{
    table_row(table);
    table_cell(table, 0, INK_BOLD, item->id);
    table_cell(table, 1, INK_NONE, item->title);
    table_cell(table, 2, ink_of(item->status), cover_status_text(item->status));
    table_cell(table, 3, item->status == COVER_PROVED ? INK_NONE : INK_DIM, proof_text(tool, item));
}

static void print_items(const struct coverage *c, enum cover_group group)
{
    static const char *const heads[] = {"", "what", "state", "by"};
    static const char *const HEADINGS[] = {"Clauses of ISO/IEC 27001", "Documents", "Records",
                                           "Processes (4.4)",
                                           "Interactions between processes (4.4)"};
    struct table table;

    table_begin(&table, 4, heads);
    for (int i = 0; i < c->item_count; i++) {
        if (c->items[i].group == group)
            add_row(c->tool, &table, &c->items[i]);
    }
    if (table.row_count > 0) {
        output_heading(&c->tool->out, "%s", HEADINGS[group]);
        table_print(&table, &c->tool->out, 0);
    }
    table_release(&table);
}

/* "nothing yet: 4.1, 4.2; in the making: 9.2" */
static const char *gaps_text(const struct coverage *c, enum cover_group group)
{
    static const enum cover_status GAPS[] = {COVER_NO_KIND, COVER_NONE, COVER_MAKING};
    struct arena *arena = &c->tool->arena;
    const char *text = "";

    for (size_t g = 0; g < sizeof GAPS / sizeof GAPS[0]; g++) {
        const char *ids = "";

        for (int i = 0; i < c->item_count; i++) {
            if (c->items[i].group == group && c->items[i].status == GAPS[g])
                ids = arena_printf(arena, "%s%s%s", ids, *ids != '\0' ? ", " : "", c->items[i].id);
        }
        if (*ids != '\0')
            text = arena_printf(arena, "%s%s%s: %s", text, *text != '\0' ? "\n" : "",
                                cover_status_text(GAPS[g]), ids);
    }
    return text;
}

static void print_gaps(const struct coverage *c)
{
    bool is_first = true;

    for (int group = 0; group < COVER_GROUPS; group++) {
        const char *text = gaps_text(c, (enum cover_group)group);

        if (*text == '\0')
            continue;
        if (is_first)
            output_heading(&c->tool->out, "What is missing");
        is_first = false;
        output_pair(&c->tool->out, 2, 12, cover_group_name((enum cover_group)group), INK_WAIT,
                    slice_str(text));
    }
}

static void print_page(const struct coverage *c)
{
    struct tool *tool = c->tool;
    const struct value *info;
    const char *today = facts_today(tool), *origin = "";

    if (facts_info(tool, &info) == TOOL_DONE)
        origin = text_in(tool, info, "origin");
    output_begin(&tool->out, arena_printf(&tool->arena, "Coverage %s", origin));
    output_title(&tool->out, "Coverage:", "what proves the management system");
    output_line(&tool->out, INK_DIM, "%s, %s", origin, today != NULL ? today : "?");
    output_line(&tool->out, INK_DIM, "as %s may see it",
                facts_person(tool, value_get_text(info, "principal")));
    output_blank(&tool->out);
    print_totals(c);
    print_records(c, "What is late", &c->late, "since");
    print_records(c, "What waits for signatures", &c->waiting, "since");
    print_gaps(c);
    if (c->waivers.count > 0) {
        output_heading(&tool->out, "Rules of separation of duties that were waived");
        waivers_print(tool, &c->waivers);
    }
    for (int group = 0; group < COVER_GROUPS; group++)
        print_items(c, (enum cover_group)group);
    output_end(&tool->out);
}

/* ---- for programs ---- */

static struct value ids_of(struct tool *tool, const struct value *records)
{
    static const char *const FACTS[] = {"record", "kind", "state", "stage", "valid", "past"};
    struct value out = value_array();

    for (uint32_t i = 0; i < records->count; i++) {
        struct value one = value_map();

        for (size_t f = 0; f < sizeof FACTS / sizeof FACTS[0]; f++)
            if (value_get(&records->as.items[i], FACTS[f]) != NULL)
                value_set(&tool->arena, &one, FACTS[f],
                          *value_get(&records->as.items[i], FACTS[f]));
        value_push(&tool->arena, &out, one);
    }
    return out;
}

static void put_page(const struct coverage *c)
{
    struct arena *arena = &c->tool->arena;
    struct value summary = value_map(), waivers = value_map();

    for (int i = 0; i < c->item_count; i++) {
        const struct cover_item *item = &c->items[i];
        struct value line = value_map();

        value_set(arena, &line, "group", value_str(cover_group_name(item->group)));
        value_set(arena, &line, "id", value_str(item->id));
        value_set(arena, &line, "title", value_str(item->title));
        value_set(arena, &line, "status", value_str(cover_status_name(item->status)));
        value_set(arena, &line, item->group == COVER_INTERACTIONS ? "rules" : "kinds", item->kinds);
        value_set(arena, &line, "proof", ids_of(c->tool, &item->proof));
        value_set(arena, &line, "proof_count", value_int(item->proof_count));
        value_set(arena, &line, "others", ids_of(c->tool, &item->others));
        output_json(&c->tool->out, &line);
    }
    for (int group = 0; group < COVER_GROUPS; group++) {
        struct value counts = value_map();

        for (int status = COVER_PROVED; status <= COVER_NO_KIND; status++)
            value_set(
                arena, &counts, cover_status_name((enum cover_status)status),
                value_int(coverage_count(c, (enum cover_group)group, (enum cover_status)status)));
        value_set(arena, &summary, cover_group_name((enum cover_group)group), counts);
    }
    value_set(arena, &summary, "group", value_str("summary"));
    value_set(arena, &summary, "late", ids_of(c->tool, &c->late));
    value_set(arena, &summary, "waiting", ids_of(c->tool, &c->waiting));
    value_set(arena, &waivers, "given", value_int(c->waivers.count));
    value_set(arena, &waivers, "used", value_int(waivers_in_use(&c->waivers)));
    value_set(arena, &summary, "waivers", waivers);
    value_set(arena, &summary, "complete", value_bool(!coverage_has_gaps(c)));
    output_json(&c->tool->out, &summary);
}

static int run(struct tool *tool, const struct arguments *given)
{
    const char *format = arguments_get(given, "--format");
    static struct coverage coverage;
    int status;

    if (format != NULL)
        output_form(&tool->out, format);
    status = coverage_ask(tool, &coverage);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json)
        put_page(&coverage);
    else
        print_page(&coverage);
    return coverage_has_gaps(&coverage) ? TOOL_REFUSED : TOOL_DONE;
}

static const struct tool_option options[] = {
    {"--format", "text|markdown|html", "as text, or as a page to keep"},
    {NULL, NULL, NULL},
};

const struct tool_command command_coverage = {
    "coverage",
    "evidence",
    "[--format text|markdown|html]",
    "which records prove which clause, document, process, interaction; what is missing or late",
    "Totals first, then what is late, what waits for signatures, what is missing and which rules "
    "of "
    "separation of\n"
    "duties were waived, then every "
    "clause from 4.1 to "
    "10.2 and\n"
    "every document, record, process and interaction with the records that prove it. A document "
    "proves by a "
    "valid version,\n"
    "another record once it left its draft, a process by a cycle, an interaction by a record that "
    "it opened. Exit "
    "status 0 if\n"
    "nothing is missing and nothing is late, else 1.\n\n"
    "    rota coverage\n"
    "    rota coverage --format html >coverage.html",
    options,
    0,
    0,
    false,
    run};
