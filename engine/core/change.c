/* change.c - what a version changes against the one it is to replace: for whoever is asked to decide on it.
 *
 * In full, field by field, for `rota diff`; and told in short, line by line and cell by cell, for a letter, which is
 * made each time a task is given out and is bounded whatever somebody wrote into the record.
 */
#include "core/inside.h"

#include "base/differ.h"

enum { TOLD_TEXT_MAX = 300 }; /* bytes of a value in a letter */

static bool is_valid_version(struct core *core, const struct subject *subject, struct subject *out)
{
    struct slice base = record_base(subject->id);
    struct slice valid = value_get_text(state_row(core->state, base), "valid");

    return subject->kind->lifecycle->versioned && valid.len > 0 &&
           !slice_equal(valid, record_version(subject->id)) &&
           subject_find(core,
                        textf(core, "%.*s@%.*s", (int)base.len, (const char *)base.at,
                              (int)valid.len, (const char *)valid.at),
                        out);
}

bool change_base(struct core *core, const struct subject *subject, struct subject *out)
{
    const struct value *links = value_get(subject->row, "links");

    if (!value_get_bool(subject->row, "valid", false) && is_valid_version(core, subject, out))
        return true;
    for (uint32_t i = 0; value_is(links, VALUE_MAP) && i < links->count; i++) {
        if (slice_is(value_slice(&links->as.pairs[i].value), "supersedes") &&
            subject_find(core, links->as.pairs[i].key, out))
            return true;
    }
    return false;
}

/* ---- in full ---- */

static struct value shown(struct core *core, const struct kind *kind, struct slice name,
                          const struct value *value)
{
    const struct field *field = kind_field(kind, name);

    if (value == NULL)
        return VALUE_NONE;
    return field != NULL ? inlined(core, field, value) : *value;
}

static void compare(struct core *core, const struct subject *before, const struct subject *after,
                    struct slice name, const struct value *old, const struct value *now,
                    struct value *out)
{
    struct value change = value_map();

    if (old == NULL ? now == NULL : now != NULL && value_equal(old, now))
        return;
    value_set(core->arena, &change, "field", value_text(name));
    value_set(core->arena, &change, "before", shown(core, before->kind, name, old));
    value_set(core->arena, &change, "after", shown(core, after->kind, name, now));
    value_push(core->arena, out, change);
}

struct value changes_of(struct core *core, const struct subject *before,
                        const struct subject *after)
{
    const struct value *now = value_get(after->row, "fields");
    const struct value *old = value_get(before->row, "fields");
    struct value out = value_array();

    compare(core, before, after, slice_str("title"), value_get(before->row, "title"),
            value_get(after->row, "title"), &out);
    for (int i = 0; i < after->kind->field_count; i++) {
        struct slice name = slice_str(after->kind->fields[i].name);

        compare(core, before, after, name, value_find(old, name), value_find(now, name), &out);
    }
    for (uint32_t i = 0; value_is(old, VALUE_MAP) && i < old->count; i++) {
        struct slice name = old->as.pairs[i].key;

        if (kind_field(after->kind, name) == NULL)
            compare(core, before, after, name, &old->as.pairs[i].value, value_find(now, name),
                    &out);
    }
    return out;
}

bool change_is_made(const struct kind *kind, const struct value *change)
{
    struct slice name = value_get_text(change, "field");
    const struct field *field = kind_field(kind, name);

    return field == NULL || field_is_content(field);
}

/* ---- in short ---- */

struct telling {
    struct core *core;
    struct value list;
    uint32_t max;
    int64_t more; /* that did not fit */
};

/* Never cut inside a character. */
static struct slice shortened(struct core *core, struct slice text)
{
    size_t len = TOLD_TEXT_MAX;

    if (text.len <= TOLD_TEXT_MAX)
        return text;
    while (len > 0 && (text.at[len] & 0xc0) == 0x80)
        len--;
    return textf(core, "%.*s ...", (int)len, (const char *)text.at);
}

static struct slice spoken(struct core *core, const struct value *value)
{
    struct slice list = slice_str(""), name = value_get_text(value, "name");

    if (value == NULL || value->type == VALUE_NIL)
        return slice_str("");
    if (value->type == VALUE_STR)
        return value_slice(value);
    if (value->type == VALUE_BOOL)
        return slice_str(value->as.number != 0 ? "yes" : "no");
    if (value->type == VALUE_MAP && name.len > 0 && value_get(value, "content") != NULL)
        return name; /* a file */
    if (value->type != VALUE_ARRAY)
        return slice_str(value_show(core->arena, value));
    for (uint32_t i = 0; i < value->count && list.len < TOLD_TEXT_MAX; i++) {
        struct slice one = spoken(core, &value->as.items[i]);

        list = textf(core, "%.*s%s%.*s", (int)list.len, (const char *)list.at, i > 0 ? ", " : "",
                     (int)one.len, (const char *)one.at);
    }
    return list;
}

static void tell_change(struct telling *telling, struct slice where, struct slice before,
                        struct slice after)
{
    struct arena *arena = telling->core->arena;
    struct value change = value_map();

    if (telling->list.count >= telling->max) {
        telling->more++;
        return;
    }
    value_set(arena, &change, "field", value_text(where));
    if (before.len > 0)
        value_set(arena, &change, "before", value_text(shortened(telling->core, before)));
    if (after.len > 0)
        value_set(arena, &change, "after", value_text(shortened(telling->core, after)));
    value_push(arena, &telling->list, change);
}

static struct slice title_of(struct core *core, const struct field *field, struct slice name)
{
    char *text;

    if (field != NULL && field->title != NULL)
        return slice_str(field->title);
    text = field != NULL ? arena_str(core->arena, field->name)
                         : arena_copy(core->arena, name.at, name.len);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    return slice_str(text);
}

/* A row that came or went, in one line, in the order of the columns: "Lyon; in". */
static struct slice row_text(struct core *core, const struct field *field, const struct value *row)
{
    struct slice text = slice_str("");

    for (int i = 0; i < field->column_count && text.len < TOLD_TEXT_MAX; i++) {
        struct slice one = spoken(core, value_get(row, field->columns[i].name));

        text = textf(core, "%.*s%s%.*s", (int)text.len, (const char *)text.at,
                     text.len > 0 && one.len > 0 ? "; " : "", (int)one.len, (const char *)one.at);
    }
    return text;
}

static void tell_cells(struct telling *telling, const struct field *field, struct slice where,
                       const struct value *old, const struct value *now)
{
    for (int i = 0; i < field->column_count; i++) {
        const struct value *a = value_get(old, field->columns[i].name);
        const struct value *b = value_get(now, field->columns[i].name);
        struct slice column = title_of(telling->core, &field->columns[i], NOBODY);

        if (a == NULL ? b == NULL : b != NULL && value_equal(a, b))
            continue;
        tell_change(telling,
                    textf(telling->core, "%.*s, %.*s", (int)where.len, (const char *)where.at,
                          (int)column.len, (const char *)column.at),
                    spoken(telling->core, a), spoken(telling->core, b));
    }
}

/* The column that says which row it is: the first that is a text. */
static const char *naming_column(const struct field *field)
{
    for (int i = 0; i < field->column_count; i++)
        if (field->columns[i].type == FIELD_TEXT && !field->columns[i].list)
            return field->columns[i].name;
    return NULL;
}

static void tell_table(struct telling *telling, const struct field *field, struct slice title,
                       const struct value *old, const struct value *now)
{
    struct core *core = telling->core;
    struct differ_steps steps = differ_rows(core->arena, old, now, naming_column(field));

    for (uint32_t i = 0; i < steps.count; i++) {
        const struct differ_step *step = &steps.at[i];
        bool is_gone = step->what == STEP_GONE;
        struct slice where = textf(core, "%.*s, row %u%s", (int)title.len, (const char *)title.at,
                                   (is_gone ? step->before : step->after) + 1,
                                   is_gone                  ? " (removed)"
                                   : step->what == STEP_NEW ? " (added)"
                                                            : "");

        if (step->what == STEP_CHANGED)
            tell_cells(telling, field, where, &old->as.items[step->before],
                       &now->as.items[step->after]);
        else if (step->what != STEP_SAME)
            tell_change(
                telling, where,
                is_gone ? row_text(core, field, &old->as.items[step->before]) : slice_str(""),
                is_gone ? slice_str("") : row_text(core, field, &now->as.items[step->after]));
    }
}

static void tell_text(struct telling *telling, struct slice title, struct slice old,
                      struct slice now)
{
    struct core *core = telling->core;
    struct differ_text before = differ_lines(core->arena, old),
                       after = differ_lines(core->arena, now);
    struct differ_steps steps = differ_texts(core->arena, &before, &after, true);

    for (uint32_t i = 0; i < steps.count; i++) {
        const struct differ_step *step = &steps.at[i];
        struct slice a = step->what != STEP_NEW ? before.parts[step->before] : slice_str("");
        struct slice b = step->what != STEP_GONE ? after.parts[step->after] : slice_str("");

        if (step->what != STEP_SAME && a.len + b.len > 0)
            tell_change(telling,
                        textf(core, "%.*s, line %u", (int)title.len, (const char *)title.at,
                              (step->what == STEP_GONE ? step->before : step->after) + 1),
                        a, b);
    }
}

static void tell_field(struct telling *telling, const struct kind *kind, const struct value *change)
{
    struct slice name = value_get_text(change, "field");
    const struct field *field = kind_field(kind, name);
    const struct value *old = value_get(change, "before"), *now = value_get(change, "after");
    struct slice title = title_of(telling->core, field, name);

    if (field != NULL && field->type == FIELD_TABLE && !field->list)
        tell_table(telling, field, title, old, now);
    else if (field != NULL && field->type == FIELD_LONGTEXT && !field->list)
        tell_text(telling, title, value_slice(old), value_slice(now));
    else
        tell_change(telling, title, spoken(telling->core, old), spoken(telling->core, now));
}

struct value changes_told(struct core *core, const struct subject *before,
                          const struct subject *after, uint32_t max, int64_t *more)
{
    struct telling telling = {core, value_array(), max, 0};
    struct value changes = changes_of(core, before, after);

    for (uint32_t i = 0; i < changes.count; i++)
        if (change_is_made(after->kind, &changes.as.items[i]))
            tell_field(&telling, after->kind, &changes.as.items[i]);
    *more = telling.more;
    return telling.list;
}
