/* changes.c - what changed in a record, for people. */
#include "changes.h"

#include "ask.h"
#include "base/differ.h"
#include "facts.h"
#include "page.h"

enum { NAMES_SHOWN = 5, OUTLINE_TEXT = 60 };

enum sort { SORT_PLAIN, SORT_LIST, SORT_TABLE, SORT_TEXT };

/* One change, and what its kind says of the field. */
struct change {
    struct tool *tool;
    const struct value *about; /* or NULL */
    const struct value *before, *after;
    const char *title;
    enum sort sort;
};

int changes_ask(struct tool *tool, const char *record, const char *against,
                const struct value *since, struct value *out)
{
    struct value args = value_map();
    int status;

    value_set(&tool->arena, &args, "record", value_str(record));
    if (against != NULL)
        value_set(&tool->arena, &args, "against", value_str(against));
    if (since != NULL)
        value_set(&tool->arena, &args, "since", *since);
    status = ask_query(tool, "diff", args, out);
    if (status == TOOL_DONE && !value_is(value_get(out, "changes"), VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no changes");
    return status;
}

static bool has_lines(const struct value *value)
{
    return value_is(value, VALUE_STR) && memchr(value->as.text, '\n', value->count) != NULL;
}

static bool is_rows(const struct value *value)
{
    return value_is(value, VALUE_ARRAY) && value->count > 0 &&
           value->as.items[0].type == VALUE_MAP &&
           value_get(&value->as.items[0], "content") == NULL;
}

static struct change read_change(struct tool *tool, struct slice kind, const struct value *change)
{
    struct slice name = value_get_text(change, "field");
    struct change out = {.tool = tool,
                         .about = page_field(tool, kind, name),
                         .before = value_get(change, "before"),
                         .after = value_get(change, "after"),
                         .title = facts_field_title(tool, kind, name)};
    struct slice type = value_get_text(out.about, "type");

    if (slice_is(type, "table") || is_rows(out.before) || is_rows(out.after))
        out.sort = SORT_TABLE;
    else if (slice_is(type, "longtext") || has_lines(out.before) || has_lines(out.after))
        out.sort = SORT_TEXT;
    else if (value_is(out.before, VALUE_ARRAY) || value_is(out.after, VALUE_ARRAY))
        out.sort = SORT_LIST;
    return out;
}

static bool is_something(const struct value *value)
{
    return value != NULL && value->type != VALUE_NIL;
}

/* The column that says which row it is: the first that is a text. */
static const char *naming_column(const struct change *change)
{
    const struct value *columns = value_get(change->about, "columns");

    for (uint32_t i = 0; value_is(columns, VALUE_ARRAY) && i < columns->count; i++)
        if (slice_is(value_get_text(&columns->as.items[i], "type"), "text"))
            return value_get_str(&columns->as.items[i], "name", NULL, &change->tool->arena);
    return NULL;
}

static struct differ_steps rows_of(const struct change *change)
{
    return differ_rows(&change->tool->arena, change->before, change->after, naming_column(change));
}

/* ---- tables ---- */

/* A column by its name; what the kind does not know any more is shown as it is. */
static const struct value *column_named(const struct change *change, struct slice name)
{
    const struct value *columns = value_get(change->about, "columns");

    for (uint32_t i = 0; value_is(columns, VALUE_ARRAY) && i < columns->count; i++)
        if (slice_equal(value_get_text(&columns->as.items[i], "name"), name))
            return &columns->as.items[i];
    return NULL;
}

/* The names of a row's cells, in the order of the columns, then those that are no column. */
static struct value cell_names(const struct change *change, const struct value *old,
                               const struct value *now)
{
    const struct value *columns = value_get(change->about, "columns");
    const struct value *sides[] = {old, now};
    struct arena *arena = &change->tool->arena;
    struct value names = value_array();

    for (uint32_t i = 0; value_is(columns, VALUE_ARRAY) && i < columns->count; i++)
        value_push(arena, &names, value_text(value_get_text(&columns->as.items[i], "name")));
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; value_is(sides[side], VALUE_MAP) && i < sides[side]->count; i++)
            if (!value_has_text(&names, sides[side]->as.pairs[i].key))
                value_push(arena, &names, value_text(sides[side]->as.pairs[i].key));
    return names;
}

static const char *cell_title(const struct change *change, struct slice name)
{
    const struct value *column = column_named(change, name);

    return column != NULL ? page_column(change->tool, column)
                          : arena_copy(&change->tool->arena, name.at, name.len);
}

static const char *cell_shown(const struct change *change, struct slice name,
                              const struct value *row)
{
    const struct value *cell = value_is(row, VALUE_MAP) ? value_find(row, name) : NULL;

    return is_something(cell) ? page_cell(change->tool, column_named(change, name), cell) : "";
}

/* "Lyon · in · 48": what stands in a row. */
static const char *row_text(const struct change *change, const struct value *row)
{
    struct value names = cell_names(change, row, NULL);
    const char *text = "";

    if (row->type != VALUE_MAP)
        return page_value(change->tool, row);
    for (uint32_t i = 0; i < names.count; i++) {
        struct slice name = value_slice(&names.as.items[i]);
        const char *cell = cell_shown(change, name, row);

        if (*cell != '\0')
            text = arena_printf(&change->tool->arena, "%s%s%s: %s", text,
                                *text != '\0' ? " · " : "", cell_title(change, name), cell);
    }
    return text;
}

/* What the row is called. */
static const char *row_name(const struct change *change, const struct value *row)
{
    const char *column = naming_column(change);

    return column != NULL ? cell_shown(change, slice_str(column), row) : "";
}

/* Is the cell the same on both sides? */
static bool cell_stays(const struct value *old, const struct value *now, struct slice name)
{
    const struct value *a = value_find(old, name), *b = value_find(now, name);

    return is_something(a) ? is_something(b) && value_equal(a, b) : !is_something(b);
}

static void print_sides(struct tool *tool, int indent, const char *before, const char *after)
{
    if (*before != '\0')
        output_pair(&tool->out, indent, 1, "-", INK_BAD, slice_str(before));
    if (*after != '\0')
        output_pair(&tool->out, indent, 1, "+", INK_GOOD, slice_str(after));
}

static void print_cells(const struct change *change, const struct value *old,
                        const struct value *now)
{
    struct value names = cell_names(change, old, now);

    for (uint32_t i = 0; i < names.count; i++) {
        struct slice name = value_slice(&names.as.items[i]);

        if (cell_stays(old, now, name))
            continue;
        output_line(&change->tool->out, INK_DIM, "    %s", cell_title(change, name));
        print_sides(change->tool, 6, cell_shown(change, name, old), cell_shown(change, name, now));
    }
}

static void print_table(const struct change *change)
{
    struct tool *tool = change->tool;
    struct differ_steps steps = rows_of(change);

    for (uint32_t i = 0; i < steps.count; i++) {
        const struct differ_step *step = &steps.at[i];
        const struct value *old =
            step->what != STEP_NEW ? &change->before->as.items[step->before] : NULL;
        const struct value *now =
            step->what != STEP_GONE ? &change->after->as.items[step->after] : NULL;

        if (step->what == STEP_CHANGED) {
            output_line(&tool->out, INK_WAIT, "  ~ row %u: %s", step->after + 1,
                        row_name(change, now));
            print_cells(change, old, now);
        } else if (step->what != STEP_SAME) {
            bool is_gone = step->what == STEP_GONE;

            output_pair(&tool->out, 2, 1, is_gone ? "-" : "+", is_gone ? INK_BAD : INK_GOOD,
                        slice_str(arena_printf(&tool->arena, "row %u: %s",
                                               (is_gone ? step->before : step->after) + 1,
                                               row_text(change, is_gone ? old : now))));
        }
    }
}

/* ---- texts ---- */

static struct differ_text lines_of(const struct change *change, const struct value *side)
{
    return differ_lines(&change->tool->arena, value_slice(side));
}

/* A run of words of one side, in the marks that are read without colour: [-gone-]{+new+}. */
static void add_run(struct tool *tool, struct output_piece *pieces, uint32_t *count, int what,
                    struct slice text)
{
    struct slice blank = slice_of(NULL, 0);
    bool is_gone = what == STEP_GONE;

    if (what == STEP_SAME) {
        pieces[(*count)++] = (struct output_piece){INK_NONE, text};
        return;
    }
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--, blank.len++;
    blank.at = text.at + text.len;
    pieces[(*count)++] = (struct output_piece){
        is_gone ? INK_BAD : INK_GOOD,
        slice_str(arena_printf(&tool->arena, "%s%.*s%s", is_gone ? "[-" : "{+", (int)text.len,
                               (const char *)text.at, is_gone ? "-]" : "+}"))};
    if (blank.len > 0)
        pieces[(*count)++] = (struct output_piece){INK_NONE, blank};
}

static void print_words(struct tool *tool, struct slice before, struct slice after)
{
    struct differ_text old = differ_words(&tool->arena, before),
                       now = differ_words(&tool->arena, after);
    struct differ_steps steps = differ_texts(&tool->arena, &old, &now, false);
    struct output_piece *pieces =
        arena_take(&tool->arena, (2 * (size_t)steps.count + 2) * sizeof pieces[0]);
    uint32_t count = 0;

    for (uint32_t i = 0; i < steps.count;) {
        const struct differ_step *step = &steps.at[i];
        struct slice run =
            step->what == STEP_NEW ? now.parts[step->after] : old.parts[step->before];

        /* Words of one sort that follow each other are one piece of their text. */
        for (i++; i < steps.count && steps.at[i].what == step->what; i++) {
            struct slice next = step->what == STEP_NEW ? now.parts[steps.at[i].after]
                                                       : old.parts[steps.at[i].before];

            run.len = (size_t)(next.at - run.at) + next.len;
        }
        add_run(tool, pieces, &count, (int)step->what, run);
    }
    output_pieces(&tool->out, 2, "~", pieces, count);
}

static void print_skipped(struct tool *tool, uint32_t count)
{
    if (count > 0)
        output_line(&tool->out, INK_DIM, "    (%u line%s the same)", count, count == 1 ? "" : "s");
}

static void print_text(const struct change *change)
{
    struct tool *tool = change->tool;
    struct differ_text before = lines_of(change, change->before),
                       after = lines_of(change, change->after);
    struct differ_steps steps = differ_texts(&tool->arena, &before, &after, true);
    uint32_t skipped = 0;

    for (uint32_t i = 0; i < steps.count; i++) {
        const struct differ_step *step = &steps.at[i];

        if (step->what == STEP_SAME) {
            skipped++;
            continue;
        }
        print_skipped(tool, skipped);
        skipped = 0;
        if (step->what == STEP_CHANGED)
            print_words(tool, before.parts[step->before], after.parts[step->after]);
        else if (step->what == STEP_GONE)
            output_pair(&tool->out, 2, 1, "-", INK_BAD, before.parts[step->before]);
        else
            output_pair(&tool->out, 2, 1, "+", INK_GOOD, after.parts[step->after]);
    }
    print_skipped(tool, skipped);
}

/* ---- lists and single values ---- */

static bool has_item(const struct value *list, const struct value *item)
{
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        if (value_equal(&list->as.items[i], item))
            return true;
    return false;
}

static uint32_t lacking(const struct value *list, const struct value *other)
{
    uint32_t count = 0;

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        count += !has_item(other, &list->as.items[i]);
    return count;
}

/* Of a list only what the other side has not. */
static void print_list_side(const struct change *change, const char *mark, enum ink ink,
                            const struct value *list, const struct value *other)
{
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        if (!has_item(other, &list->as.items[i]))
            output_pair(&change->tool->out, 2, 1, mark, ink,
                        slice_str(page_typed(change->tool, change->about, &list->as.items[i])));
}

static void print_list(const struct change *change)
{
    print_list_side(change, "-", INK_BAD, change->before, change->after);
    print_list_side(change, "+", INK_GOOD, change->after, change->before);
    if (lacking(change->before, change->after) + lacking(change->after, change->before) == 0)
        output_line(&change->tool->out, INK_DIM, "  (the same in another order)");
}

static const char *plain(const struct change *change, const struct value *side)
{
    return is_something(side) ? page_typed(change->tool, change->about, side) : "";
}

void changes_print(struct tool *tool, struct slice kind, const struct value *changes)
{
    for (uint32_t i = 0; i < changes->count; i++) {
        struct change change = read_change(tool, kind, &changes->as.items[i]);

        output_line(&tool->out, INK_BOLD, "%s", change.title);
        switch (change.sort) {
        case SORT_TABLE:
            print_table(&change);
            break;
        case SORT_TEXT:
            print_text(&change);
            break;
        case SORT_LIST:
            print_list(&change);
            break;
        case SORT_PLAIN:
            print_sides(tool, 2, plain(&change, change.before), plain(&change, change.after));
            break;
        }
    }
}

/* ---- in short ---- */

static const char *counted(struct tool *tool, const char *text, uint32_t count, const char *what,
                           const char *how)
{
    return count == 0
               ? text
               : arena_printf(&tool->arena, "%s%s%u %s%s %s", text, *text != '\0' ? ", " : "",
                              count, what, count == 1 ? "" : "s", how);
}

static const char *steps_text(const struct change *change, struct differ_steps steps,
                              const char *what)
{
    uint32_t counts[4] = {0, 0, 0, 0};
    const char *text = "";

    for (uint32_t i = 0; i < steps.count; i++)
        counts[steps.at[i].what]++;
    text = counted(change->tool, text, counts[STEP_CHANGED], what, "changed");
    text = counted(change->tool, text, counts[STEP_NEW], what, "added");
    text = counted(change->tool, text, counts[STEP_GONE], what, "removed");
    return *text != '\0' ? text : "only line ends";
}

static const char *clipped(struct tool *tool, const char *text)
{
    size_t len = strlen(text), limit = OUTLINE_TEXT;

    if (len <= limit)
        return text;
    while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
        limit--;
    return arena_printf(&tool->arena, "%.*s…", (int)limit, text);
}

static const char *outline_text(const struct change *change)
{
    struct tool *tool = change->tool;
    struct differ_text before, after;
    const char *text = "", *old, *now;

    if (change->sort == SORT_TABLE)
        return steps_text(change, rows_of(change), "row");
    if (change->sort == SORT_TEXT) {
        before = lines_of(change, change->before);
        after = lines_of(change, change->after);
        return steps_text(change, differ_texts(&tool->arena, &before, &after, true), "line");
    }
    if (change->sort == SORT_LIST) {
        text = counted(tool, text, lacking(change->after, change->before), "item", "added");
        text = counted(tool, text, lacking(change->before, change->after), "item", "removed");
        return *text != '\0' ? text : "another order";
    }
    old = clipped(tool, plain(change, change->before));
    now = clipped(tool, plain(change, change->after));
    return *old == '\0'   ? arena_printf(&tool->arena, "+ %s", now)
           : *now == '\0' ? arena_printf(&tool->arena, "- %s", old)
                          : arena_printf(&tool->arena, "%s → %s", old, now);
}

void changes_outline(struct tool *tool, int label_width, const char *label, struct slice kind,
                     const struct value *changes, uint32_t max)
{
    for (uint32_t i = 0; i < changes->count && i < max; i++) {
        struct change change = read_change(tool, kind, &changes->as.items[i]);

        output_pair(
            &tool->out, 0, label_width, i == 0 ? label : "", INK_NONE,
            slice_str(arena_printf(&tool->arena, "%s: %s", change.title, outline_text(&change))));
    }
    if (changes->count > max)
        output_pair(&tool->out, 0, label_width, "", INK_NONE,
                    slice_str(arena_printf(&tool->arena, "and %u more", changes->count - max)));
}

const char *changes_names(struct tool *tool, struct slice kind, const struct value *names)
{
    const char *text = "";

    for (uint32_t i = 0; value_is(names, VALUE_ARRAY) && i < names->count && i < NAMES_SHOWN; i++)
        text = arena_printf(&tool->arena, "%s%s%s", text, i > 0 ? " · " : "",
                            facts_field_title(tool, kind, value_slice(&names->as.items[i])));
    if (value_is(names, VALUE_ARRAY) && names->count > NAMES_SHOWN)
        text = arena_printf(&tool->arena, "%s and %u more", text, names->count - NAMES_SHOWN);
    return text;
}

/* ---- for programs ---- */

static const char *const WHATS[] = {[STEP_SAME] = "same",
                                    [STEP_CHANGED] = "changed",
                                    [STEP_GONE] = "removed",
                                    [STEP_NEW] = "added"};

static struct value step_json(struct tool *tool, const struct differ_step *step)
{
    struct value out = value_map();

    value_set(&tool->arena, &out, "what", value_str(WHATS[step->what]));
    if (step->what != STEP_NEW)
        value_set(&tool->arena, &out, "before_at", value_int(step->before + 1));
    if (step->what != STEP_GONE)
        value_set(&tool->arena, &out, "after_at", value_int(step->after + 1));
    return out;
}

static struct value cells_json(const struct change *change, const struct value *old,
                               const struct value *now)
{
    struct value names = cell_names(change, old, now), cells = value_array();

    for (uint32_t i = 0; i < names.count; i++) {
        struct slice name = value_slice(&names.as.items[i]);
        struct value cell = value_map();

        if (cell_stays(old, now, name))
            continue;
        value_set(&change->tool->arena, &cell, "column", value_text(name));
        if (value_find(old, name) != NULL)
            value_set(&change->tool->arena, &cell, "before", *value_find(old, name));
        if (value_find(now, name) != NULL)
            value_set(&change->tool->arena, &cell, "after", *value_find(now, name));
        value_push(&change->tool->arena, &cells, cell);
    }
    return cells;
}

static struct value rows_json(const struct change *change)
{
    struct differ_steps steps = rows_of(change);
    struct value rows = value_array();

    for (uint32_t i = 0; i < steps.count; i++) {
        const struct differ_step *step = &steps.at[i];
        struct value row = step_json(change->tool, step);

        if (step->what == STEP_SAME)
            continue;
        if (step->what == STEP_CHANGED)
            value_set(&change->tool->arena, &row, "cells",
                      cells_json(change, &change->before->as.items[step->before],
                                 &change->after->as.items[step->after]));
        value_push(&change->tool->arena, &rows, row);
    }
    return rows;
}

static struct value lines_json(const struct change *change)
{
    struct differ_text before = lines_of(change, change->before),
                       after = lines_of(change, change->after);
    struct differ_steps steps = differ_texts(&change->tool->arena, &before, &after, true);
    struct value lines = value_array();

    for (uint32_t i = 0; i < steps.count; i++) {
        const struct differ_step *step = &steps.at[i];
        struct value line = step_json(change->tool, step);

        if (step->what == STEP_SAME)
            continue;
        if (step->what != STEP_NEW)
            value_set(&change->tool->arena, &line, "before",
                      value_text(before.parts[step->before]));
        if (step->what != STEP_GONE)
            value_set(&change->tool->arena, &line, "after", value_text(after.parts[step->after]));
        value_push(&change->tool->arena, &lines, line);
    }
    return lines;
}

struct value changes_json(struct tool *tool, struct slice kind, const struct value *change)
{
    struct change read = read_change(tool, kind, change);
    struct value out = value_copy(&tool->arena, change);

    if (read.sort == SORT_TABLE)
        value_set(&tool->arena, &out, "rows", rows_json(&read));
    else if (read.sort == SORT_TEXT)
        value_set(&tool->arena, &out, "lines", lines_json(&read));
    return out;
}
