/* fill.c - what is written into fields: what the scenario says, else something that the field's type allows. */
#include "simulate/inside.h"

#include "base/date.h"

#include <ctype.h>

enum { SOON_DAYS = 30, TEXT_INLINE_MAX = 1024 };

/* ---- what conditions speak of ---- */

static bool is_in(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = text; (at = strstr(at, name)) != NULL; at += len) {
        bool begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');

        if (begins && !isalnum((unsigned char)at[len]) && at[len] != '_')
            return true;
    }
    return false;
}

/* Does a condition of the step speak of it? People read what is missing; here its name must do. */
static bool is_spoken_of(const struct known *record, const struct field *field, const char *event)
{
    const struct kind *kind = record->kind;
    const struct transition *row = kind_transition(kind, record->state, slice_str(event));

    if (row != NULL && row->when != NULL && is_in(expr_text(row->when), field->name))
        return true;
    for (int i = 0; i < kind->need_count; i++) {
        const struct need *need = &kind->needs[i];

        if (words_have(&need->before, slice_str(event)) && need->when != NULL &&
            is_in(expr_text(need->when), field->name))
            return true;
    }
    return false;
}

static bool is_spoken_anywhere(const struct known *record, const struct field *field)
{
    for (int i = 0; i < record->kind->need_count; i++) {
        const struct words *before = &record->kind->needs[i].before;

        for (int e = 0; e < before->count; e++) {
            if (is_spoken_of(record, field, before->at[e]))
                return true;
        }
    }
    return false;
}

/* ---- making something up ---- */

struct making {
    struct simulation *sim;
    const struct known *record;
    const char *event, *who;
};

/* A day that must have come: "record.period_start <= today". */
static bool is_past_day(const struct making *making, const struct field *field)
{
    const struct transition *row =
        kind_transition(making->record->kind, making->record->state, slice_str(making->event));
    const char *wanted = arena_printf(&making->sim->scratch, "%s <= today", field->name);

    return row != NULL && row->when != NULL && strstr(expr_text(row->when), wanted) != NULL;
}

static struct value date_in(struct making *making, int days)
{
    char *text = arena_take(&making->sim->scratch, DATE_TEXT_LEN + 1);

    date_format(local_date(making->sim, now_ms(making->sim)) + days, text);
    return value_str(text);
}

static bool is_linked(struct simulation *sim, const struct known *record, const char *other)
{
    struct value row;

    return house_row(&sim->house, &sim->scratch, slice_str(record->id), &row) &&
           value_get(value_get(&row, "links"), other) != NULL;
}

/* A record of the kinds asked for: the newest that is linked to this one, else one that counts, else the newest. */
static struct value some_record(struct making *making, const struct field *field)
{
    struct simulation *sim = making->sim;
    const struct known *best = NULL;
    int best_rank = 0;

    for (int i = 0; i < sim->record_count; i++) {
        const struct known *one = sim->records[i];
        int rank = is_linked(sim, making->record, one->id) ? 3 : one->is_valid ? 2 : 1;

        if (one == making->record ||
            (field->of.count > 0 && !words_have(&field->of, slice_str(one->kind->name))))
            continue;
        if (rank >= best_rank) {
            best_rank = rank;
            best = one;
        }
    }
    return best != NULL ? value_str(best->id) : VALUE_NONE;
}

static struct value some_file(struct making *making)
{
    const char *text = arena_printf(&making->sim->scratch,
                                    "Evidence of %s, made in the simulation.", making->record->id);
    struct value file;
    uint8_t salt[32];

    chance_key((uint64_t)making->sim->scenario->seed, text, salt);
    file = house_content(&making->sim->house, &making->sim->scratch, salt, slice_str(text));
    value_set(&making->sim->scratch, &file, "name", value_str("evidence.txt"));
    value_set(&making->sim->scratch, &file, "type", value_str("text/plain"));
    return file;
}

static struct value some_table(struct making *making, const struct field *field);

static struct value some_value(struct making *making, const struct field *field)
{
    struct simulation *sim = making->sim;
    const char *title = field->title != NULL ? field->title : field->name;

    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_LONGTEXT:
        return value_str(arena_printf(&sim->scratch, "%s, as written in the simulation.", title));
    case FIELD_INT:
        return value_int(field->min > 0 ? field->min : field->max == 0 ? 1 : 0);
    case FIELD_BOOL: /* a condition that speaks of it mostly wants it to be so */
        return value_bool(is_spoken_anywhere(making->record, field));
    case FIELD_ENUM:
        return field->of.count > 0 ? value_str(field->of.at[0]) : VALUE_NONE;
    case FIELD_DATE:
        return date_in(making, is_past_day(making, field) ? 0 : SOON_DAYS);
    case FIELD_DATETIME:
        return value_int(now_ms(sim) + (int64_t)SOON_DAYS * 24 * 60 * MINUTE_MS);
    case FIELD_DURATION:
        return value_str("30 days");
    case FIELD_PERSON:
        return value_str(making->record->owner[0] != '\0' ? making->record->owner : making->who);
    case FIELD_GROUP:
        return value_str(pack_role(sim->pack, slice_str("employee")) != NULL ||
                                 sim->pack->role_count == 0
                             ? "employee"
                             : sim->pack->roles[0].name);
    case FIELD_REF:
        return some_record(making, field);
    case FIELD_FILE:
        return some_file(making);
    case FIELD_TABLE:
        return some_table(making, field);
    }
    return VALUE_NONE;
}

static struct value some(struct making *making, const struct field *field)
{
    struct value one = some_value(making, field), list = value_array();

    if (!field->list || one.type == VALUE_NIL)
        return one;
    value_push(&making->sim->scratch, &list, one);
    return list;
}

/* As many rows as are asked for, with every column that can be filled. */
static struct value some_table(struct making *making, const struct field *field)
{
    struct value rows = value_array();
    int64_t count = field->min > 1 ? field->min : 1;

    for (int64_t i = 0; i < count; i++) {
        struct value row = value_map();

        for (int c = 0; c < field->column_count; c++) {
            struct value cell = some(making, &field->columns[c]);

            if (cell.type != VALUE_NIL && !field->columns[c].computed)
                value_set(&making->sim->scratch, &row, field->columns[c].name, cell);
        }
        value_push(&making->sim->scratch, &rows, row);
    }
    return rows;
}

/* ---- which fields ---- */

static bool is_empty(const struct value *value)
{
    return value == NULL || value->type == VALUE_NIL ||
           ((value->type == VALUE_STR || value->type == VALUE_ARRAY) && value->count == 0);
}

bool may_edit_field(const struct known *record, struct slice name)
{
    const struct state *state = known_state(record);

    return state->edit.count > 0 &&
           (state->edit_fields.count == 0 || words_have(&state->edit_fields, name));
}

bool speaks_of_a_field(const struct known *record, const char *event)
{
    for (int i = 0; i < record->kind->field_count; i++) {
        const struct field *field = &record->kind->fields[i];

        if (!field->computed && may_edit_field(record, slice_str(field->name)) &&
            is_spoken_of(record, field, event))
            return true;
    }
    return false;
}

/* Does the engine wait for it? */
static bool is_awaited(const struct known *record, const struct field *field)
{
    const struct lifecycle *lifecycle = record->kind->lifecycle;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].automatic && lifecycle->transitions[i].from[record->state] &&
            is_spoken_of(record, field, lifecycle->transitions[i].event))
            return true;
    }
    return false;
}

/* What a state does not let edit may still be given with the event, where no version was signed. */
static bool may_be_given(const struct known *record, const struct field *field, const char *event)
{
    return !record->kind->lifecycle->versioned && is_spoken_of(record, field, event);
}

static bool is_asked_for(const struct known *record, const struct field *field, const char *event,
                         int stage)
{
    if (field->computed)
        return false;
    if (!may_edit_field(record, slice_str(field->name)))
        return stage >= 1 && may_be_given(record, field, event);
    return field->required || (stage >= 1 && field->required_if != NULL) ||
           (stage >= 1 && is_spoken_of(record, field, event)) ||
           (stage >= 2 &&
            (known_state(record)->edit_fields.count > 0 || is_awaited(record, field)));
}

static bool fits(const struct words *words, const char *name)
{
    return words->count == 0 || words_have(words, slice_str(name));
}

static bool is_for(const struct filling *filling, const struct known *record, const char *event)
{
    return (fits(&filling->kinds, record->kind->name) ||
            fits(&filling->kinds, record->kind->lifecycle->name)) &&
           fits(&filling->states, known_state(record)->name) && fits(&filling->events, event);
}

/* What the scenario says is written once: a field that holds something is left alone. */
static void put_said(struct simulation *sim, const struct known *record, const char *event,
                     const struct value *fields, struct value *out)
{
    for (int i = 0; i < sim->scenario->fillings.count; i++) {
        const struct filling *filling = &sim->scenario->fillings.at[i];

        for (uint32_t f = 0; is_for(filling, record, event) && f < filling->set.count; f++) {
            const struct pair *pair = &filling->set.as.pairs[f];

            if (kind_field(record->kind, pair->key) != NULL &&
                is_empty(value_find(fields, pair->key)))
                value_put(&sim->scratch, out, pair->key, pair->value);
        }
    }
}

/* Rows that stand there already and lack what the step wants: questions that came with the record are answered. */
static bool complete_rows(struct making *making, const struct field *table, const char *event,
                          const struct value *rows, struct value *out)
{
    bool is_changed = false;

    *out = value_copy(&making->sim->scratch, rows);
    for (uint32_t r = 0; r < out->count; r++) {
        struct value *row = &out->as.items[r];

        for (int c = 0; c < table->column_count && row->type == VALUE_MAP; c++) {
            const struct field *column = &table->columns[c];
            struct value made;

            if (column->computed || !is_empty(value_get(row, column->name)) ||
                !(column->required || is_spoken_of(making->record, column, event)))
                continue;
            made = some(making, column);
            if (made.type == VALUE_NIL)
                continue;
            value_set(&making->sim->scratch, row, column->name, made);
            is_changed = true;
        }
    }
    return is_changed;
}

/* The rows of a table that was put away. */
static bool rows_fetched(struct simulation *sim, const struct value *value, struct value *out)
{
    struct slice hash = value_get_bin(value, "content");
    struct buf bytes = BUF_EMPTY;
    struct shelf shelf = memory_shelf(&sim->house.memory);
    bool is_there = hash.len == HASH_LEN && shelf.content(shelf.self, hash.at, &bytes) == 1;

    if (is_there) {
        struct slice own = slice_of(arena_copy(&sim->scratch, bytes.at, bytes.len), bytes.len);

        is_there = dmp_decode_large(&sim->scratch, own, UINT32_MAX, out, NULL) == 0;
    }
    buf_release(&bytes);
    return is_there;
}

static void complete_tables(struct making *making, const char *event, const struct value *fields,
                            struct value *out)
{
    const struct kind *kind = making->record->kind;

    for (int i = 0; i < kind->field_count; i++) {
        const struct field *field = &kind->fields[i];
        const struct value *rows = value_get(fields, field->name);
        struct value whole, fetched;

        if (field->type == FIELD_TABLE && rows_fetched(making->sim, rows, &fetched))
            rows = &fetched;

        if (field->type == FIELD_TABLE && !field->computed && value_is(rows, VALUE_ARRAY) &&
            may_edit_field(making->record, slice_str(field->name)) &&
            value_get(out, field->name) == NULL &&
            complete_rows(making, field, event, rows, &whole))
            value_set(&making->sim->scratch, out, field->name, whole);
    }
}

/* What stands in the field names a version that has ended: the one that counts now, or nothing if there is none. */
static struct value version_now(const struct simulation *sim, const struct field *field,
                                const struct value *value)
{
    const struct known *named =
        field->type == FIELD_REF && value_is(value, VALUE_STR) && value->count > 0
            ? record_known(sim, value_slice(value))
            : NULL;

    if (named == NULL || !named->is_closed || !named->kind->lifecycle->versioned)
        return VALUE_NONE;
    for (int i = sim->record_count - 1; i >= 0; i--) {
        if (sim->records[i]->is_valid && sim->records[i]->kind == named->kind)
            return value_str(sim->records[i]->id);
    }
    return VALUE_NONE;
}

struct value fill_fields(struct simulation *sim, const struct known *record, const char *event,
                         const char *who, int stage)
{
    struct making making = {sim, record, event, who};
    struct value out = value_map(), row;
    const struct value *fields;

    if (!house_row(&sim->house, &sim->scratch, slice_str(record->id), &row))
        return out;
    fields = value_get(&row, "fields");
    put_said(sim, record, event, fields, &out);
    for (int i = 0; i < record->kind->field_count; i++) {
        const struct field *field = &record->kind->fields[i];
        const struct value *there = value_get(fields, field->name);
        struct value made;

        if (!is_asked_for(record, field, event, stage) || value_get(&out, field->name) != NULL)
            continue;
        made = is_empty(there) ? some(&making, field) : version_now(sim, field, there);
        if (made.type != VALUE_NIL)
            value_set(&sim->scratch, &out, field->name, made);
    }
    if (stage >= 1)
        complete_tables(&making, event, fields, &out);
    return fit_fields(sim, record->kind, &out);
}

/* ---- fitting ---- */

/* A date may be said as a span from the day on which it is written: "30 days", "12 months". */
static bool is_from_today(struct simulation *sim, const struct value *value, struct value *out)
{
    struct span span;
    int32_t date;
    char *text;

    if (value->type != VALUE_STR || date_parse(value_slice(value), &date) == 0 ||
        span_parse(value_slice(value), &span) != 0)
        return false;
    text = arena_take(&sim->scratch, DATE_TEXT_LEN + 1);
    date_format(span_add_date(&span, &sim->pack->calendar, local_date(sim, now_ms(sim))), text);
    *out = value_str(text);
    return true;
}

/* The files in the cells, as the engine wants them named beside a table that is put up. */
static void name_files(struct simulation *sim, const struct field *table, const struct value *rows,
                       struct value *reference)
{
    struct value holds = value_array();

    for (int c = 0; c < table->column_count; c++) {
        for (uint32_t r = 0; table->columns[c].type == FIELD_FILE && r < rows->count; r++) {
            const struct value *file = value_get(&rows->as.items[r], table->columns[c].name);
            struct value one = value_map();

            if (file == NULL)
                continue;
            value_set(&sim->scratch, &one, "content", *value_get(file, "content"));
            value_set(&sim->scratch, &one, "size", *value_get(file, "size"));
            value_push(&sim->scratch, &holds, one);
        }
    }
    if (holds.count > 0)
        value_set(&sim->scratch, reference, "holds", holds);
}

static struct value rows_put_up(struct simulation *sim, const struct field *field,
                                const uint8_t salt[16], const struct value *rows)
{
    struct buf bytes = BUF_EMPTY;
    struct value reference;

    dmp_encode(&bytes, rows);
    reference = house_content(&sim->house, &sim->scratch, salt, buf_slice(&bytes));
    name_files(sim, field, rows, &reference);
    buf_release(&bytes);
    return reference;
}

static struct value fitted(struct simulation *sim, const struct field *field,
                           const struct value *value)
{
    struct value date;
    uint8_t salt[32];
    int64_t ms;

    if (field->type == FIELD_DATE && !field->list && is_from_today(sim, value, &date))
        return date;
    if (field->type == FIELD_DATETIME && value->type == VALUE_STR &&
        moment_parse(value_slice(value), &ms) == 0)
        return value_int(ms);
    chance_key((uint64_t)sim->scenario->seed, field->name, salt);
    if (value->type == VALUE_STR && value->count > 0 && !field->list &&
        (field->erasable || (field->type == FIELD_LONGTEXT && value->count > TEXT_INLINE_MAX)))
        return house_content(&sim->house, &sim->scratch, salt, value_slice(value));
    if (field->erasable && value->type == VALUE_ARRAY && value->count > 0)
        return rows_put_up(sim, field, salt, value);
    return value_copy(&sim->scratch, value);
}

struct value fit_fields(struct simulation *sim, const struct kind *kind, const struct value *fields)
{
    struct value out = value_map();

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct pair *pair = &fields->as.pairs[i];
        const struct field *field = kind_field(kind, pair->key);

        value_put(&sim->scratch, &out, pair->key,
                  field != NULL ? fitted(sim, field, &pair->value)
                                : value_copy(&sim->scratch, &pair->value));
    }
    return out;
}
