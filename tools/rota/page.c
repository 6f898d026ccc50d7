/* page.c - a record as a page. */
#include "page.h"

#include "ask.h"
#include "base/dmp.h"
#include "facts.h"
#include "log.h"
#include "waiver.h"

enum { LABEL = 14, CONTENT_SHOWN = 16 * 1024, CONTENT_MAX = 4 * 1024 * 1024, HEX_SHOWN = 16 };
enum { TERMINAL_COLUMNS = 7, HISTORY_PAGE = 500, HISTORY_MAX = 20000 };

static const char *hex_of(struct tool *tool, struct slice bytes)
{
    char *text = arena_take(&tool->arena, 2 * bytes.len + 1);

    hex_encode(bytes, text);
    return text;
}

static const char *short_hex(struct tool *tool, struct slice bytes)
{
    return bytes.len > HEX_SHOWN / 2
               ? arena_printf(&tool->arena, "%.*s…", HEX_SHOWN, hex_of(tool, bytes))
               : hex_of(tool, bytes);
}

static const char *size_text(struct tool *tool, int64_t size)
{
    if (size < 10 * 1024)
        return arena_printf(&tool->arena, "%lld bytes", (long long)size);
    return arena_printf(&tool->arena, "%lld KiB", (long long)(size / 1024));
}

static const char *list_text(struct tool *tool, const struct value *list)
{
    char *text = arena_str(&tool->arena, "");

    for (uint32_t i = 0; i < list->count; i++)
        text = arena_printf(&tool->arena, "%s%s%s", text, i > 0 ? ", " : "",
                            page_value(tool, &list->as.items[i]));
    return text;
}

static const char *reference_text(struct tool *tool, const struct value *reference)
{
    struct slice name = value_get_text(reference, "name");
    const char *size = size_text(tool, value_get_int(reference, "size", 0));
    const char *hash = short_hex(tool, value_get_bin(reference, "content"));

    if (name.len == 0)
        return arena_printf(&tool->arena, "(%s, content %s)", size, hash);
    return arena_printf(&tool->arena, "%.*s (%s, content %s)", (int)name.len, (const char *)name.at,
                        size, hash);
}

const char *page_value(struct tool *tool, const struct value *value)
{
    switch (value->type) {
    case VALUE_NIL:
        return "–";
    case VALUE_BOOL:
        return value->as.number != 0 ? "yes" : "no";
    case VALUE_INT:
        return arena_printf(&tool->arena, "%lld", (long long)value->as.number);
    case VALUE_STR:
        return arena_copy(&tool->arena, value->as.text, value->count);
    case VALUE_BIN:
        return short_hex(tool, value_slice(value));
    case VALUE_ARRAY:
        if (value->count > 0 && value->as.items[0].type == VALUE_MAP &&
            value_get(&value->as.items[0], "content") == NULL)
            return arena_printf(&tool->arena, "%u row%s", value->count,
                                value->count == 1 ? "" : "s");
        return list_text(tool, value);
    case VALUE_MAP:
        break;
    }
    return value_get_bin(value, "content").len > 0 ? reference_text(tool, value)
                                                   : value_show(&tool->arena, value);
}

static void pair(struct tool *tool, const char *label, enum ink ink, const char *text)
{
    if (text != NULL && *text != '\0')
        output_pair(&tool->out, 2, LABEL, label, ink, slice_str(text));
}

static const char *text_in(struct tool *tool, const struct value *map, const char *key)
{
    return value_get_str(map, key, "", &tool->arena);
}

/* ---- top ----------------------------------------------------------------------------------------- */

/* "in_force" -> "in force". */
static const char *spoken(struct tool *tool, const char *name)
{
    char *text = arena_str(&tool->arena, name);

    for (char *at = text; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    return text;
}

static const char *phase_text(struct slice phase)
{
    return slice_is(phase, "awaiting_approval") ? ", awaiting approval"
           : slice_is(phase, "paused")          ? ", paused"
                                                : "";
}

static enum ink state_ink(struct slice stage)
{
    return slice_is(stage, "in_force")                                     ? INK_GOOD
           : slice_is(stage, "under_review") || slice_is(stage, "changed") ? INK_WAIT
                                                                           : INK_BOLD;
}

static void print_state(struct tool *tool, const struct value *shown)
{
    struct slice kind = value_get_text(shown, "kind"), stage = value_get_text(shown, "stage");
    const char *pdca = text_in(tool, shown, "pdca");
    const char *text = arena_printf(
        &tool->arena, "%s%s%s", facts_state(tool, kind, value_get_text(shown, "state")),
        phase_text(value_get_text(shown, "phase")),
        value_get_bool(shown, "valid", false) ? ": the version that is valid" : "");

    pair(tool, "state", state_ink(stage), text);
    if (stage.len > 0)
        pair(tool, "stage", INK_NONE,
             arena_printf(&tool->arena, "%s%s%s", spoken(tool, text_in(tool, shown, "stage")),
                          *pdca != '\0' ? " · " : "", spoken(tool, pdca)));
}

/* What is no more of a record, and who answers for it. */
static void print_disposed(struct tool *tool, const struct value *disposed)
{
    struct slice reason = value_get_bin(value_get(disposed, "reason"), "content"), text;
    int64_t kept = value_get_int(disposed, "kept", 0);
    const char *held =
        kept > 0 ? arena_printf(&tool->arena, "; %lld stay, since other records hold them",
                                (long long)kept)
                 : "";

    if (!value_is(disposed, VALUE_MAP))
        return;
    pair(tool, "disposed of", INK_WAIT,
         arena_printf(&tool->arena, "%s by %s (%s): %lld texts and files were erased%s",
                      facts_day(tool, value_get_int(disposed, "at_ms", 0)),
                      facts_person(tool, value_get_text(disposed, "by")),
                      text_in(tool, disposed, "rule"),
                      (long long)value_get_int(disposed, "erased", 0), held));
    if (reason.len > 0 && ask_content(tool, reason, CONTENT_MAX, &text) == TOOL_DONE)
        pair(tool, "because", INK_NONE, text_clean(&tool->arena, text, false));
}

static void print_top(struct tool *tool, const struct value *shown)
{
    struct slice owner = value_get_text(shown, "owner"), author = value_get_text(shown, "author");
    int64_t created = value_get_int(shown, "created_ms", 0),
            changed = value_get_int(shown, "changed_ms", 0);
    struct slice version = value_get_text(shown, "version");

    output_title(&tool->out, text_in(tool, shown, "record"), text_in(tool, shown, "title"));
    output_line(&tool->out, INK_DIM, "%s", facts_kind_title(tool, value_get_text(shown, "kind")));
    output_blank(&tool->out);
    print_state(tool, shown);
    if (owner.len > 0)
        pair(tool, "owner", INK_NONE, facts_person(tool, owner));
    if (author.len > 0 && !slice_equal(author, owner))
        pair(tool, "author", INK_NONE, facts_person(tool, author));
    pair(tool, "version", INK_NONE,
         arena_printf(&tool->arena, "%.*s%srevision %lld", (int)version.len,
                      (const char *)version.at, version.len > 0 ? ", " : "",
                      (long long)value_get_int(shown, "revision", 0)));
    if (created > 0)
        pair(tool, "opened", INK_NONE, facts_moment(tool, created));
    if (changed > created)
        pair(tool, "changed", INK_NONE, facts_moment(tool, changed));
    if (value_get_int(shown, "in_force_ms", 0) > 0)
        pair(tool, "in force", INK_NONE,
             arena_printf(&tool->arena, "since %s",
                          facts_day(tool, value_get_int(shown, "in_force_ms", 0))));
    print_disposed(tool, value_get(shown, "disposed"));
    pair(tool, "superseded by", INK_WAIT, text_in(tool, shown, "superseded_by"));
    if (value_get_bin(shown, "digest").len > 0)
        /* Its 64 digits in one line of a terminal, to be compared and copied. */
        output_pair(&tool->out, 2, 8, "digest", INK_DIM,
                    slice_str(hex_of(tool, value_get_bin(shown, "digest"))));
}

/* ---- fields -------------------------------------------------------------------------------------- */

const struct value *page_field(struct tool *tool, struct slice kind_name, struct slice name)
{
    const struct value *kind = NULL, *fields;

    if (kind_name.len == 0 || facts_kind(tool, kind_name, &kind) != TOOL_DONE)
        return NULL;
    fields = value_get(kind, "fields");
    for (uint32_t i = 0; value_is(fields, VALUE_ARRAY) && i < fields->count; i++)
        if (slice_equal(value_get_text(&fields->as.items[i], "name"), name))
            return &fields->as.items[i];
    return NULL;
}

/* Which record an id is: its title, and where it stands, if whoever asks may see it. */
static const char *record_text(struct tool *tool, const struct value *id)
{
    struct value args = value_map(), shown;
    struct slice kind;

    value_set(&tool->arena, &args, "record", *id);
    if (id->count == 0 || ask_query_if(tool, "show", args, &shown) != TOOL_DONE ||
        shown.type != VALUE_MAP)
        return page_value(tool, id);
    kind = value_get_text(&shown, "kind");
    return arena_printf(&tool->arena, "%s  %s (%s)", page_value(tool, id),
                        text_in(tool, &shown, "title"),
                        facts_state(tool, kind, value_get_text(&shown, "state")));
}

static const char *one_text(struct tool *tool, struct slice type, const struct value *value)
{
    if (slice_is(type, "datetime") && value->type == VALUE_INT)
        return facts_moment(tool, value->as.number);
    if (slice_is(type, "person") && value->type == VALUE_STR)
        return facts_person(tool, value_slice(value));
    if (slice_is(type, "ref") && value->type == VALUE_STR)
        return record_text(tool, value);
    return page_value(tool, value);
}

const char *page_typed(struct tool *tool, const struct value *about, const struct value *value)
{
    struct slice type = value_get_text(about, "type");
    const char *text = "";

    if (value->type != VALUE_ARRAY || slice_is(type, "table"))
        return one_text(tool, type, value);
    for (uint32_t i = 0; i < value->count; i++)
        text = arena_printf(&tool->arena, "%s%s%s", text,
                            i == 0                  ? ""
                            : slice_is(type, "ref") ? "\n"
                                                    : ", ",
                            one_text(tool, type, &value->as.items[i]));
    return text;
}

/* The columns that a row has something in. */
static int used_columns(struct tool *tool, const struct value *about, const struct value *rows,
                        const struct value *columns[TABLE_COLUMNS_MAX])
{
    const struct value *all = value_get(about, "columns");
    int count = 0;

    for (uint32_t c = 0; value_is(all, VALUE_ARRAY) && c < all->count && count < TABLE_COLUMNS_MAX;
         c++) {
        const char *key = text_in(tool, &all->as.items[c], "name");
        bool used = false;

        for (uint32_t i = 0; i < rows->count && !used; i++)
            used = value_get(&rows->as.items[i], key) != NULL;
        if (used)
            columns[count++] = &all->as.items[c];
    }
    return count;
}

const char *page_column(struct tool *tool, const struct value *column)
{
    return value_get_str(column, "title", spoken(tool, text_in(tool, column, "name")),
                         &tool->arena);
}

const char *page_cell(struct tool *tool, const struct value *column, const struct value *cell)
{
    if (cell == NULL)
        return "";
    if (slice_is(value_get_text(column, "type"), "person") && cell->type == VALUE_STR)
        return facts_name(tool, value_slice(cell));
    return page_typed(tool, column, cell);
}

/* Too many columns for a terminal: a paragraph for each row. */
static void print_rows(struct tool *tool, const struct value *rows,
                       const struct value *const *columns, int count)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        char *text = arena_str(&tool->arena, "");

        for (int c = 0; c < count; c++) {
            const struct value *cell =
                value_get(&rows->as.items[i], text_in(tool, columns[c], "name"));

            if (cell != NULL)
                text =
                    arena_printf(&tool->arena, "%s%s%s: %s", text, *text != '\0' ? " · " : "",
                                 page_column(tool, columns[c]), page_cell(tool, columns[c], cell));
        }
        output_pair(&tool->out, 4, 3, arena_printf(&tool->arena, "%u", i + 1), INK_NONE,
                    slice_str(text));
    }
}

static void print_table(struct tool *tool, const struct value *about, const struct value *rows)
{
    const struct value *columns[TABLE_COLUMNS_MAX];
    const char *heads[TABLE_COLUMNS_MAX];
    int count = used_columns(tool, about, rows, columns);
    struct table table;

    if (count > TERMINAL_COLUMNS && tool->out.form == OUTPUT_TEXT) {
        print_rows(tool, rows, columns, count);
        return;
    }
    for (int c = 0; c < count; c++)
        heads[c] = page_column(tool, columns[c]);
    table_begin(&table, count, heads);
    for (uint32_t i = 0; i < rows->count && count > 0; i++) {
        table_row(&table);
        for (int c = 0; c < count; c++) {
            const struct value *cell =
                value_get(&rows->as.items[i], text_in(tool, columns[c], "name"));

            table_cell(&table, c, INK_NONE, page_cell(tool, columns[c], cell));
        }
    }
    if (count > 0)
        table_print(&table, &tool->out, 4);
    table_release(&table);
}

static void print_long(struct tool *tool, struct slice text)
{
    output_text(&tool->out, 4, text);
}

/* A reference to a text or a table that was too long for the record: fetched and shown as it is. */
static bool print_content(struct tool *tool, const struct value *about, const struct value *value)
{
    struct slice type = value_get_text(about, "type"), bytes;
    struct value rows;

    if (value_get_bin(value, "content").len == 0 || slice_is(type, "file") || about == NULL)
        return false;
    if (ask_content(tool, value_get_bin(value, "content"), CONTENT_MAX, &bytes) != TOOL_DONE ||
        bytes.len == 0) {
        output_line(&tool->out, INK_DIM, "    (%s; its text was erased or is not yours to read)",
                    page_value(tool, value));
        return true;
    }
    if (slice_is(type, "table")) {
        if (dmp_decode_large(&tool->arena, bytes, CONTENT_MAX, &rows, NULL) != 0)
            return false;
        print_table(tool, about, &rows);
        return true;
    }
    if (bytes.len > CONTENT_SHOWN)
        bytes.len = CONTENT_SHOWN;
    print_long(tool, bytes);
    if (value_get_int(value, "size", 0) > CONTENT_SHOWN)
        output_line(&tool->out, INK_DIM, "    (%s in all)",
                    size_text(tool, value_get_int(value, "size", 0)));
    return true;
}

/* A text of one line that its field can erase is a reference as well: what it says, as long as it is there. */
static bool short_text(struct tool *tool, const struct value *about, const struct value *value,
                       struct value *out)
{
    struct slice hash = value_get_bin(value, "content"), bytes;

    if (hash.len == 0 || !slice_is(value_get_text(about, "type"), "text"))
        return false;
    if (ask_content(tool, hash, CONTENT_MAX, &bytes) == TOOL_DONE)
        *out = value_text(bytes);
    else
        *out = value_str("(erased, or not yours to read)");
    return true;
}

static bool is_block(const struct value *about, const struct value *value)
{
    struct slice type = value_get_text(about, "type");

    return slice_is(type, "table") || slice_is(type, "longtext") ||
           (value->type == VALUE_STR && value->count > 60);
}

static void print_field(struct tool *tool, const struct value *shown, const struct pair *pair_of,
                        int width)
{
    const struct value *about = page_field(tool, value_get_text(shown, "kind"), pair_of->key),
                       *value = &pair_of->value;
    const char *title = facts_field_title(tool, value_get_text(shown, "kind"), pair_of->key);
    struct value text;

    if (short_text(tool, about, value, &text))
        value = &text;
    if (!is_block(about, value)) {
        output_pair(&tool->out, 2, width, title, INK_NONE,
                    slice_str(page_typed(tool, about, value)));
        return;
    }
    output_subheading(&tool->out, title);
    if (print_content(tool, about, value))
        return;
    if (value->type == VALUE_ARRAY && slice_is(value_get_text(about, "type"), "table"))
        print_table(tool, about, value);
    else
        print_long(tool, slice_str(page_value(tool, value)));
}

/* In the order of the kind: first those that fit a line, then tables and long texts. */
static void print_fields(struct tool *tool, const struct value *shown)
{
    const struct value *fields = value_get(shown, "fields"), *kind = NULL, *order;
    struct slice kind_name = value_get_text(shown, "kind");
    int width = LABEL;

    if (!value_is(fields, VALUE_MAP) || fields->count == 0 ||
        facts_kind(tool, kind_name, &kind) != TOOL_DONE)
        return;
    order = value_get(kind, "fields");
    for (uint32_t i = 0; i < fields->count; i++) {
        int w = text_width(slice_str(facts_field_title(tool, kind_name, fields->as.pairs[i].key)));

        if (w > width && w < 34)
            width = w;
    }
    output_heading(&tool->out, "Content");
    for (int blocks = 0; blocks < 2; blocks++)
        for (uint32_t i = 0; value_is(order, VALUE_ARRAY) && i < order->count; i++) {
            struct pair one = {value_get_text(&order->as.items[i], "name"), VALUE_NONE};
            const struct value *value = value_find(fields, one.key);

            if (value == NULL || is_block(&order->as.items[i], value) != (blocks == 1))
                continue;
            one.value = *value;
            print_field(tool, shown, &one, width);
        }
}

/* ---- what was sent, read, started ---------------------------------------------------------------- */

static bool state_is_bad(struct slice state)
{
    return slice_is(state, "failed") || slice_is(state, "parked") || slice_is(state, "rejected") ||
           slice_is(state, "cancelled");
}

static bool state_is_good(struct slice state)
{
    return slice_is(state, "delivered") || slice_is(state, "done") || slice_is(state, "sent");
}

static const char *mark_of(struct slice state)
{
    return state_is_good(state) ? "✓" : state_is_bad(state) ? "✗" : "·";
}

static enum ink ink_of(struct slice state)
{
    return state_is_good(state) ? INK_GOOD : state_is_bad(state) ? INK_BAD : INK_WAIT;
}

/* Rows come as a list or as a map by name. */
static const struct value *row_at(const struct value *rows, uint32_t i, struct slice *name)
{
    *name = slice_of(NULL, 0);
    if (rows->type == VALUE_ARRAY)
        return &rows->as.items[i];
    *name = rows->as.pairs[i].key;
    return &rows->as.pairs[i].value;
}

static bool has_rows(const struct value *rows)
{
    return rows != NULL && (rows->type == VALUE_ARRAY || rows->type == VALUE_MAP) &&
           rows->count > 0;
}

static const char *moment_in(struct tool *tool, const struct value *row)
{
    static const char *const keys[] = {"at_ms", "at", "closed_ms", "ms"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (value_is(value_get(row, keys[i]), VALUE_INT))
            return facts_moment(tool, value_get_int(row, keys[i], 0));
    return "";
}

static void print_deliveries(struct tool *tool, const struct value *shown)
{
    const struct value *rows = value_get(shown, "deliveries"), *row;
    struct table table;
    struct slice name;
    uint32_t good = 0;

    if (!has_rows(rows))
        return;
    table_begin(&table, 5, NULL);
    for (uint32_t i = 0; i < rows->count; i++) {
        struct slice state;
        const char *to;

        row = row_at(rows, i, &name);
        state = value_get_text(row, "state");
        to = text_in(tool, row, "to");
        good += state_is_good(state);
        table_row(&table);
        table_cell(&table, 0, ink_of(state), mark_of(state));
        table_cell(&table, 1, INK_NONE, *to != '\0' ? to : text_in(tool, row, "person"));
        table_cell(&table, 2, ink_of(state), text_in(tool, row, "state"));
        table_cell(&table, 3, INK_DIM, moment_in(tool, row));
        table_cell(&table, 4, INK_NONE, text_in(tool, row, "note"));
    }
    output_heading(&tool->out, "Deliveries: %u of %u", good, rows->count);
    table_print(&table, &tool->out, 2);
    table_release(&table);
}

static void print_waiting(struct tool *tool, const struct value *declined, struct slice person)
{
    struct slice name, reason, text;

    for (uint32_t i = 0; has_rows(declined) && i < declined->count; i++) {
        const struct value *row = row_at(declined, i, &name);

        if (!slice_equal(value_get_text(row, "person"), person))
            continue;
        reason = value_get_bin(value_get(row, "reason"), "content");
        if (reason.len == 0 || ask_content(tool, reason, CONTENT_MAX, &text) != TOOL_DONE)
            text = slice_str("");
        output_line(&tool->out, INK_BAD, "  ✗ %s  declined %s%s%s", facts_person(tool, person),
                    moment_in(tool, row), text.len > 0 ? ": " : "",
                    text_clean(&tool->arena, text, false));
        return;
    }
    output_line(&tool->out, INK_WAIT, "  · %s", facts_person(tool, person));
}

static void print_acks(struct tool *tool, const struct value *shown)
{
    const struct value *rows = value_get(shown, "acks"),
                       *waiting = value_get(shown, "acks_waiting"), *row;
    struct slice name;

    if (!has_rows(rows) && !has_rows(waiting))
        return;
    output_heading(&tool->out, "Acknowledgements: %u of %u", has_rows(rows) ? rows->count : 0,
                   (has_rows(rows) ? rows->count : 0) + (has_rows(waiting) ? waiting->count : 0));
    for (uint32_t i = 0; has_rows(rows) && i < rows->count; i++) {
        row = row_at(rows, i, &name);
        if (name.len == 0)
            name = value_get_text(row, "person");
        output_line(&tool->out, INK_GOOD, "  ✓ %s  %s", facts_person(tool, name),
                    moment_in(tool, row));
    }
    for (uint32_t i = 0; has_rows(waiting) && i < waiting->count; i++)
        print_waiting(tool, value_get(shown, "acks_declined"), value_slice(&waiting->as.items[i]));
}

/* Tasks that go their way are counted; those in trouble, or handed to somebody, have a line each. */
static bool is_plain(const struct value *task)
{
    return !slice_is(value_get_text(task, "state"), "parked") &&
           value_get_int(task, "failures", 0) == 0;
}

static void print_counted(struct tool *tool, const struct value *tasks)
{
    for (uint32_t i = 0; i < tasks->count; i++) {
        const struct value *task = &tasks->as.items[i];
        uint32_t same = 0, before = 0;

        for (uint32_t j = 0; is_plain(task) && j < tasks->count; j++) {
            const struct value *other = &tasks->as.items[j];

            if (!is_plain(other) ||
                !slice_equal(value_get_text(other, "service"), value_get_text(task, "service")) ||
                !slice_equal(value_get_text(other, "state"), value_get_text(task, "state")))
                continue;
            same++;
            before += j < i;
        }
        if (same > 0 && before == 0)
            output_line(&tool->out, INK_WAIT, "  · %u × %s, %s", same,
                        text_in(tool, task, "service"), spoken(tool, text_in(tool, task, "state")));
    }
}

static void print_tasks(struct tool *tool, const struct value *shown)
{
    const struct value *tasks = value_get(shown, "tasks");

    if (!value_is(tasks, VALUE_ARRAY) || tasks->count == 0)
        return;
    output_heading(&tool->out, "Work under way");
    print_counted(tool, tasks);
    for (uint32_t i = 0; i < tasks->count; i++) {
        const struct value *task = &tasks->as.items[i];
        bool is_parked = slice_is(value_get_text(task, "state"), "parked");

        if (!is_plain(task))
            output_line(&tool->out, is_parked ? INK_BAD : INK_WAIT,
                        "  %s task %lld, %s: %s after %lld failure%s  %s", is_parked ? "✗" : "·",
                        (long long)value_get_int(task, "task", 0), text_in(tool, task, "service"),
                        is_parked ? "parked" : "will be tried again",
                        (long long)value_get_int(task, "failures", 0),
                        value_get_int(task, "failures", 0) == 1 ? "" : "s",
                        text_in(tool, task, "note"));
    }
}

static void print_links(struct tool *tool, const struct value *shown)
{
    const struct value *links = value_get(shown, "links");

    if (!has_rows(links))
        return;
    output_heading(&tool->out, "Links");
    for (uint32_t i = 0; i < links->count; i++) {
        struct slice name;
        const struct value *link = row_at(links, i, &name);

        if (link->type == VALUE_ARRAY && link->count >= 2)
            output_line(&tool->out, INK_NONE, "  %-14s %s", page_value(tool, &link->as.items[0]),
                        page_value(tool, &link->as.items[1]));
        else if (link->type == VALUE_MAP)
            output_line(
                &tool->out, INK_NONE, "  %-14s %s  %s  %s",
                spoken(tool, text_in(tool, link, "type")), text_in(tool, link, "record"),
                text_in(tool, link, "title"),
                value_get_text(link, "state").len > 0
                    ? facts_state(tool, value_get_text(link, "kind"), value_get_text(link, "state"))
                    : "");
        else
            output_line(&tool->out, INK_NONE, "  %-14s %.*s", page_value(tool, link), (int)name.len,
                        (const char *)name.at);
    }
}

static void print_timers(struct tool *tool, const struct value *shown)
{
    const struct value *timers = value_get(shown, "timers");

    if (!has_rows(timers))
        return;
    output_heading(&tool->out, "Next dates");
    for (uint32_t i = 0; i < timers->count; i++) {
        struct slice name;
        const struct value *timer = row_at(timers, i, &name);
        int64_t due = timer->type == VALUE_INT ? timer->as.number
                      : timer->type == VALUE_ARRAY && timer->count > 0
                          ? timer->as.items[0].as.number
                          : value_get_int(timer, "due_ms", 0);

        if (name.len == 0)
            name = value_get_text(timer, "name");
        if (due > 0)
            output_line(&tool->out, INK_NONE, "  %s  %s", facts_moment(tool, due),
                        spoken(tool, arena_copy(&tool->arena, name.at, name.len)));
    }
}

static void print_next(struct tool *tool, const struct value *shown)
{
    const struct value *events = value_get(shown, "next_events");
    char *text = arena_str(&tool->arena, value_get_bool(shown, "may_edit", false) ? "edit" : "");

    output_blank(&tool->out);
    for (uint32_t i = 0; value_is(events, VALUE_ARRAY) && i < events->count; i++) {
        const struct value *event = &events->as.items[i];
        struct slice name =
            event->type == VALUE_MAP ? value_get_text(event, "event") : value_slice(event);

        text = arena_printf(&tool->arena, "%s%s%.*s", text, *text != '\0' ? ", " : "",
                            (int)name.len, (const char *)name.at);
    }
    if (*text != '\0')
        output_line(&tool->out, INK_BOLD, "You may: %s", text);
    else
        output_line(&tool->out, INK_DIM,
                    "Nothing here is yours to do now. rota why %s EVENT says whose it is.",
                    text_in(tool, shown, "record"));
}

void page_print(struct tool *tool, const struct value *shown)
{
    print_top(tool, shown);
    page_rounds(tool, shown);
    waiver_print_all(tool, shown);
    print_fields(tool, shown);
    print_deliveries(tool, shown);
    print_acks(tool, shown);
    print_tasks(tool, shown);
    print_links(tool, shown);
    print_timers(tool, shown);
    if (tool->out.form ==
        OUTPUT_TEXT) /* a page that is kept or printed is read later, by anybody */
        print_next(tool, shown);
}

/* ---- signatures and history ---------------------------------------------------------------------- */

/* All entries that concern the record, oldest first. */
static int ask_history(struct tool *tool, const char *record, struct value *out)
{
    int64_t from = 0;

    *out = value_array();
    for (;;) {
        struct value args = value_map(), answer;
        const struct value *entries;
        int status;

        value_set(&tool->arena, &args, "record", value_str(record));
        value_set(&tool->arena, &args, "from", value_int(from));
        value_set(&tool->arena, &args, "limit", value_int(HISTORY_PAGE));
        if ((status = ask_query(tool, "log", args, &answer)) != TOOL_DONE)
            return status;
        entries = value_get(&answer, "entries");
        if (!value_is(entries, VALUE_ARRAY))
            return tool_fail(TOOL_INPUT, "the engine's answer has no entries");
        for (uint32_t i = 0; i < entries->count; i++)
            value_push(&tool->arena, out, entries->as.items[i]);
        if (entries->count < HISTORY_PAGE || out->count >= HISTORY_MAX)
            return TOOL_DONE;
        from = value_get_int(&entries->as.items[entries->count - 1], "seq", 0) + 1;
    }
}

static void print_signatures(struct tool *tool, const struct value *shown,
                             const struct value *entries)
{
    static const char *const heads[] = {"entry", "when", "who", "signed as", "content", "key"};
    struct table table;

    table_begin(&table, 6, heads);
    for (uint32_t i = 0; i < entries->count; i++) {
        const struct value *entry = &entries->as.items[i], *body = value_get(entry, "body");

        if (!value_get_bool(entry, "signed", false))
            continue;
        table_row(&table);
        table_cell(&table, 0, INK_DIM,
                   arena_printf(&tool->arena, "#%lld", (long long)value_get_int(entry, "seq", 0)));
        table_cell(&table, 1, INK_NONE,
                   facts_moment(tool, value_get_int(entry, "time_us", 0) / 1000));
        table_cell(&table, 2, INK_NONE, facts_person(tool, value_get_text(entry, "actor")));
        table_cell(&table, 3, INK_GOOD,
                   arena_printf(&tool->arena, "%s%s", spoken(tool, text_in(tool, body, "meaning")),
                                waiver_of_entry(tool, shown, entry)));
        table_cell(&table, 4, INK_DIM, short_hex(tool, value_get_bin(body, "digest")));
        table_cell(&table, 5, INK_DIM, short_hex(tool, value_get_bin(body, "key")));
    }
    if (table.row_count > 0) {
        output_heading(&tool->out, "Signatures");
        table_print(&table, &tool->out, 0);
    }
    table_release(&table);
}

int page_print_history(struct tool *tool, const struct value *shown)
{
    const char *record = text_in(tool, shown, "record"), *today = facts_today(tool);
    const struct value *info;
    struct value entries;
    int status = ask_history(tool, record, &entries);

    if (status != TOOL_DONE)
        return status;
    print_signatures(tool, shown, &entries);
    output_heading(&tool->out, "History");
    log_print(tool, &entries, record, false);
    if (facts_info(tool, &info) == TOOL_DONE)
        output_line(&tool->out, INK_DIM,
                    "%s, revision %lld, as %s saw it on %s in the journal of %s.", record,
                    (long long)value_get_int(shown, "revision", 0),
                    facts_person(tool, value_get_text(info, "principal")),
                    today != NULL ? today : "?", text_in(tool, info, "origin"));
    return TOOL_DONE;
}
