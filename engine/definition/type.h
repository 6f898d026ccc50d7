/* type.h - what is known about a name in a condition before any record exists. */
#ifndef ROTA_DEFINITION_TYPE_H
#define ROTA_DEFINITION_TYPE_H

#include "core/expr_build.h"
#include "core/model.h"

struct member;

struct type {
    enum expr_sort sort;
    const struct type *item; /* SORT_LIST: of what */
    const struct member
        *members; /* SORT_MAP with known keys; NULL: any key, of type `item` or unknown */
    int member_count;
    const char *what;       /* SORT_MAP: what it is, for messages: "a finding" */
    const struct words *of; /* SORT_TEXT: the only values it has; NULL: any */
    unsigned uses;          /* EXPR_USES_ flags of reading it */
    bool or_empty;          /* SORT_LIST in a map that may leave it out */
};

struct member {
    const char *name;
    const struct type *type;
};

/* What stands in scope. `bare` (or NULL) is the type of `record`, whose fields may be named alone. */
struct condition_scope {
    const struct member *names;
    int count;
    const struct type *bare;
};

extern const struct type TYPE_DYN, TYPE_NULL, TYPE_BOOL, TYPE_INT, TYPE_TEXT, TYPE_DATE,
    TYPE_MOMENT, TYPE_DURATION, TYPE_SPAN, TYPE_LIST, TYPE_MAP, TYPE_TEXTS;

const struct type *type_list(struct arena *arena, const struct type *item);
const struct member *type_member(const struct type *type, struct slice name);

/* What either may be: the common type, or TYPE_DYN. */
const struct type *type_join(struct arena *arena, const struct type *a, const struct type *b);

/* May the two be equal at all? */
bool type_comparable(const struct type *a, const struct type *b);

/* Does a value of this type hold what can be erased: of an erasable field, or rows of a table with such a column? */
bool type_is_erasable(const struct type *type);

/* What a field of a record holds, as a condition sees it. */
const struct type *type_of_field(struct arena *arena, const struct field *field);

#endif
