#include "definition/type.h"

const struct type TYPE_DYN = {.sort = SORT_DYN};
const struct type TYPE_NULL = {.sort = SORT_NULL};
const struct type TYPE_BOOL = {.sort = SORT_BOOL};
const struct type TYPE_INT = {.sort = SORT_INT};
const struct type TYPE_TEXT = {.sort = SORT_TEXT};
const struct type TYPE_DATE = {.sort = SORT_DATE};
const struct type TYPE_MOMENT = {.sort = SORT_MOMENT};
const struct type TYPE_DURATION = {.sort = SORT_DURATION};
const struct type TYPE_SPAN = {.sort = SORT_SPAN};
const struct type TYPE_LIST = {.sort = SORT_LIST, .item = &TYPE_DYN};
const struct type TYPE_MAP = {.sort = SORT_MAP, .item = &TYPE_DYN};
const struct type TYPE_TEXTS = {.sort = SORT_LIST, .item = &TYPE_TEXT};

static const struct type LONGTEXT = {.sort = SORT_TEXT, .uses = EXPR_USES_TABLES};
static const struct type ERASABLE = {.sort = SORT_TEXT,
                                     .uses = EXPR_USES_TABLES | EXPR_USES_ERASABLE};

static const struct member FILE_MEMBERS[] = {
    {"name", &TYPE_TEXT}, {"type", &TYPE_TEXT}, {"size", &TYPE_INT}};
static const struct type FILE_TYPE = {
    .sort = SORT_MAP, .members = FILE_MEMBERS, .member_count = 3, .what = "a file"};

const struct type *type_list(struct arena *arena, const struct type *item)
{
    struct type *list = arena_zero(arena, sizeof *list);

    list->sort = SORT_LIST;
    list->item = item;
    list->uses = item->uses;
    return list;
}

const struct member *type_member(const struct type *type, struct slice name)
{
    int i;

    for (i = 0; i < type->member_count; i++) {
        if (slice_is(name, type->members[i].name))
            return &type->members[i];
    }
    return NULL;
}

const struct type *type_join(struct arena *arena, const struct type *a, const struct type *b)
{
    if (a == b)
        return a;
    if (a->sort != b->sort)
        return &TYPE_DYN;
    if (a->sort == SORT_LIST)
        return type_list(arena, type_join(arena, a->item, b->item));
    if (a->sort == SORT_MAP)
        return &TYPE_MAP;
    return a->of == NULL ? a : b->of == NULL ? b : &TYPE_TEXT;
}

bool type_comparable(const struct type *a, const struct type *b)
{
    bool a_spans = a->sort == SORT_SPAN || a->sort == SORT_DURATION;
    bool b_spans = b->sort == SORT_SPAN || b->sort == SORT_DURATION;

    if (a->sort == SORT_DYN || b->sort == SORT_DYN)
        return true;
    if (a_spans && b_spans)
        return true;
    if (a->sort == SORT_LIST && b->sort == SORT_LIST)
        return type_comparable(a->item, b->item);
    return a->sort == b->sort;
}

static bool has_erasable_column(const struct field *table)
{
    for (int i = 0; i < table->column_count; i++) {
        if (table->columns[i].erasable)
            return true;
    }
    return false;
}

bool type_is_erasable(const struct type *type)
{
    if ((type->uses & EXPR_USES_ERASABLE) != 0)
        return true;
    if (type->sort == SORT_LIST)
        return type_is_erasable(type->item);
    for (int i = 0; type->sort == SORT_MAP && i < type->member_count; i++) {
        if (type_is_erasable(type->members[i].type))
            return true;
    }
    return false;
}

static const struct type *table_type(struct arena *arena, const struct field *field)
{
    struct member *members = arena_zero(arena, sizeof *members * (size_t)(field->column_count + 1));
    struct type *row = arena_zero(arena, sizeof *row);
    struct type *table = arena_zero(arena, sizeof *table);
    int i;

    for (i = 0; i < field->column_count; i++)
        members[i] =
            (struct member){field->columns[i].name, type_of_field(arena, &field->columns[i])};
    *row = (struct type){.sort = SORT_MAP,
                         .members = members,
                         .member_count = field->column_count,
                         .what = arena_printf(arena, "a row of %s", field->name)};
    *table = (struct type){.sort = SORT_LIST, .item = row, .uses = EXPR_USES_TABLES};
    if (field->erasable && !has_erasable_column(field)) /* all of it */
        table->uses |= EXPR_USES_ERASABLE;
    return table;
}

static const struct type *enum_type(struct arena *arena, const struct field *field)
{
    struct type *type = arena_zero(arena, sizeof *type);

    type->sort = SORT_TEXT;
    type->of = &field->of;
    return type;
}

static const struct type *item_type(struct arena *arena, const struct field *field)
{
    if (field->erasable && (field->type == FIELD_TEXT || field->type == FIELD_LONGTEXT))
        return &ERASABLE;
    switch (field->type) {
    case FIELD_LONGTEXT:
        return &LONGTEXT;
    case FIELD_INT:
        return &TYPE_INT;
    case FIELD_BOOL:
        return &TYPE_BOOL;
    case FIELD_ENUM:
        return enum_type(arena, field);
    case FIELD_DATE:
        return &TYPE_DATE;
    case FIELD_DATETIME:
        return &TYPE_MOMENT;
    case FIELD_DURATION:
        return &TYPE_SPAN;
    case FIELD_FILE:
        return &FILE_TYPE;
    case FIELD_TABLE:
        return table_type(arena, field);
    case FIELD_TEXT:
    case FIELD_PERSON:
    case FIELD_GROUP:
    case FIELD_REF:
        break;
    }
    return &TYPE_TEXT;
}

const struct type *type_of_field(struct arena *arena, const struct field *field)
{
    const struct type *item = item_type(arena, field);

    return field->list ? type_list(arena, item) : item;
}
