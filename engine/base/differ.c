#include "base/differ.h"

struct table { /* the best that can be made of what is left after i items before and j after */
    int32_t *best;
    uint32_t rows, columns; /* items in the middle */
    uint32_t from;          /* items at the beginning that are the same */
};

static void add(struct differ_steps *steps, enum differ_what what, uint32_t before, uint32_t after)
{
    struct differ_step *step = &steps->at[steps->count++];

    step->what = what;
    step->before = before;
    step->after = after;
}

static int32_t *cell(const struct table *table, uint32_t i, uint32_t j)
{
    return &table->best[(size_t)i * (table->columns + 1) + j];
}

/* The same item is worth twice what a changed one can be: a place is found for every item that stayed first. */
static int32_t worth(int alike)
{
    return alike >= DIFFER_SAME ? 2 * DIFFER_SAME : alike >= DIFFER_ALIKE ? alike : -1;
}

static void fill(struct table *table, differ_fn *alike, const void *with)
{
    for (uint32_t i = table->rows; i-- > 0;)
        for (uint32_t j = table->columns; j-- > 0;) {
            int32_t pair = worth(alike(with, table->from + i, table->from + j));
            int32_t best = *cell(table, i + 1, j);

            if (*cell(table, i, j + 1) > best)
                best = *cell(table, i, j + 1);
            if (pair >= 0 && *cell(table, i + 1, j + 1) + pair > best)
                best = *cell(table, i + 1, j + 1) + pair;
            *cell(table, i, j) = best;
        }
}

/* What went comes before what came in its place. */
static void walk(const struct table *table, differ_fn *alike, const void *with,
                 struct differ_steps *steps)
{
    uint32_t i = 0, j = 0;

    while (i < table->rows || j < table->columns) {
        uint32_t before = table->from + i, after = table->from + j;
        int like = i < table->rows && j < table->columns ? alike(with, before, after) : 0;

        if (worth(like) >= 0 && i < table->rows && j < table->columns &&
            *cell(table, i, j) == *cell(table, i + 1, j + 1) + worth(like)) {
            add(steps, like >= DIFFER_SAME ? STEP_SAME : STEP_CHANGED, before, after);
            i++;
            j++;
        } else if (i < table->rows && *cell(table, i, j) == *cell(table, i + 1, j)) {
            add(steps, STEP_GONE, before, after);
            i++;
        } else {
            add(steps, STEP_NEW, before, after);
            j++;
        }
    }
}

static void middle(struct arena *arena, struct table *table, differ_fn *alike, const void *with,
                   struct differ_steps *steps)
{
    if ((uint64_t)table->rows * table->columns > DIFFER_PAIRS_MAX) {
        for (uint32_t i = 0; i < table->rows; i++)
            add(steps, STEP_GONE, table->from + i, table->from);
        for (uint32_t j = 0; j < table->columns; j++)
            add(steps, STEP_NEW, table->from + table->rows, table->from + j);
        return;
    }
    table->best =
        arena_zero(arena, ((size_t)table->rows + 1) * (table->columns + 1) * sizeof table->best[0]);
    fill(table, alike, with);
    walk(table, alike, with, steps);
}

struct differ_steps differ_items(struct arena *arena, uint32_t before, uint32_t after,
                                 differ_fn *alike, const void *with)
{
    struct differ_steps steps = {
        arena_take(arena, ((size_t)before + after + 1) * sizeof steps.at[0]), 0};
    struct table table = {NULL, before, after, 0};
    uint32_t tail = 0;

    while (table.from < before && table.from < after &&
           alike(with, table.from, table.from) >= DIFFER_SAME)
        table.from++;
    while (table.from + tail < before && table.from + tail < after &&
           alike(with, before - 1 - tail, after - 1 - tail) >= DIFFER_SAME)
        tail++;
    table.rows = before - table.from - tail;
    table.columns = after - table.from - tail;
    for (uint32_t i = 0; i < table.from; i++)
        add(&steps, STEP_SAME, i, i);
    middle(arena, &table, alike, with, &steps);
    for (uint32_t i = tail; i > 0; i--)
        add(&steps, STEP_SAME, before - i, after - i);
    return steps;
}

/* ---- rows ---- */

struct row_lists {
    const struct value *before, *after;
    const char *first;
};

/* Both have something there, and the same. */
static bool cell_is_same(const struct value *old, const struct value *now, const char *column)
{
    const struct value *a = column != NULL ? value_get(old, column) : NULL;
    const struct value *b = column != NULL ? value_get(now, column) : NULL;

    return a != NULL && b != NULL && value_equal(a, b);
}

static uint32_t row_count(const struct value *rows)
{
    return value_is(rows, VALUE_ARRAY) ? rows->count : 0;
}

static int rows_alike(const void *with, uint32_t before, uint32_t after)
{
    const struct row_lists *lists = with;
    const struct value *old = &lists->before->as.items[before],
                       *now = &lists->after->as.items[after];
    uint32_t same = 0, most;
    int percent;

    if (value_equal(old, now))
        return DIFFER_SAME;
    if (!value_is(old, VALUE_MAP) || !value_is(now, VALUE_MAP))
        return 0;
    for (uint32_t i = 0; i < old->count; i++) {
        const struct value *other = value_find(now, old->as.pairs[i].key);

        same += other != NULL && value_equal(&old->as.pairs[i].value, other);
    }
    most = old->count > now->count ? old->count : now->count;
    percent = most > 0 ? (int)(same * 98 / most) : 0;
    if (cell_is_same(old, now, lists->first) && percent < 60)
        percent = 60;
    return percent > 49 ? percent : 0; /* most of them: half says little of rows that are short */
}

struct differ_steps differ_rows(struct arena *arena, const struct value *before,
                                const struct value *after, const char *first)
{
    const struct row_lists lists = {before, after, first};

    return differ_items(arena, row_count(before), row_count(after), rows_alike, &lists);
}

/* ---- texts ---- */

struct text_pair {
    const struct differ_text *before, *after;
    bool is_near;
};

static bool is_end(struct slice text, size_t at, bool words)
{
    bool blank = text.at[at] == ' ' || text.at[at] == '\n' || text.at[at] == '\t';

    if (!words)
        return text.at[at] == '\n';
    return blank && (at + 1 == text.len || (text.at[at + 1] != ' ' && text.at[at + 1] != '\n' &&
                                            text.at[at + 1] != '\t'));
}

static struct differ_text split(struct arena *arena, struct slice text, bool words)
{
    struct differ_text out = {NULL, 0};
    size_t from = 0, count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += is_end(text, i, words);
    out.parts = arena_take(arena, count * sizeof out.parts[0]);
    for (size_t i = 0; i < text.len; i++) {
        if (!is_end(text, i, words))
            continue;
        out.parts[out.count++] = slice_of(text.at + from, i - from + (words ? 1 : 0));
        from = i + 1;
    }
    if (from < text.len)
        out.parts[out.count++] = slice_of(text.at + from, text.len - from);
    return out;
}

struct differ_text differ_lines(struct arena *arena, struct slice text)
{
    return split(arena, text, false);
}

struct differ_text differ_words(struct arena *arena, struct slice text)
{
    return split(arena, text, true);
}

/* What two lines share at both ends, of the longer one. An edit in a line leaves its ends; that is cheap to see. */
static int texts_alike(const void *with, uint32_t before, uint32_t after)
{
    const struct text_pair *pair = with;
    struct slice a = pair->before->parts[before], b = pair->after->parts[after];
    size_t least = a.len < b.len ? a.len : b.len, most = a.len < b.len ? b.len : a.len;
    size_t head = 0, tail = 0;

    if (slice_equal(a, b))
        return DIFFER_SAME;
    if (!pair->is_near || least == 0)
        return 0;
    while (head < least && a.at[head] == b.at[head])
        head++;
    while (head + tail < least && a.at[a.len - 1 - tail] == b.at[b.len - 1 - tail])
        tail++;
    return (int)((head + tail) * 98 / most);
}

struct differ_steps differ_texts(struct arena *arena, const struct differ_text *before,
                                 const struct differ_text *after, bool is_near)
{
    const struct text_pair pair = {before, after, is_near};

    return differ_items(arena, before->count, after->count, texts_alike, &pair);
}
