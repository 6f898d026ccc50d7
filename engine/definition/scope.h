/* scope.h - what conditions see, by kind: the static side of the scope that core/expr.h describes. */
#ifndef ROTA_DEFINITION_SCOPE_H
#define ROTA_DEFINITION_SCOPE_H

#include "definition/type.h"

enum scope_use {
    SCOPE_RECORD, /* needs, required_if, approval: the record alone */
    SCOPE_EVENT   /* guards, settings, tasks, rules: the command's args as well */
};

struct scopes {
    struct arena *arena;
    const struct pack *pack;
    const struct type *links, *valid, *open, *recent; /* shared by all kinds */
    const struct type **records, **refs;              /* by kind; each made when first asked for */
};

/* `pack` needs its kinds with fields and lifecycles; expressions may still be pending. */
void scopes_init(struct scopes *scopes, struct arena *arena, const struct pack *pack);

/* `row`: the element of an `each` or of a table; NULL: there is none. */
struct condition_scope scopes_of(struct scopes *scopes, int kind, enum scope_use use,
                                 const struct type *row);

/* The names that a record has beside its fields. */
bool scope_is_reserved(struct slice field_name);

#endif
