/* condition.h - compiles the text of a condition: reads it, resolves every name, checks every type.
 *
 *   1. A condition that compiles has no unknown name, no unknown function and no operation that its types do not have;
 *      what is left to go wrong are values: a field that is not filled in, a number out of range.
 *   2. A text compared with a field of fixed values must be one of them.
 *   3. Where CEL has an operation, it means what CEL says. Beyond CEL are dates (date('2026-01-31'), today) and spans
 *      (days(n), months(n), workdays(n)); `timestamp + span` keeps the time of day on the wall.
 */
#ifndef ROTA_DEFINITION_CONDITION_H
#define ROTA_DEFINITION_CONDITION_H

#include "definition/syntax.h"
#include "definition/type.h"

/* 0 and an expression in `arena` (which keeps a copy of `text`), or -1 and "file:line: column n: what". */
int condition_compile(struct arena *arena, const struct condition_scope *scope, const char *text,
                      struct where where, struct expr **out, struct error *err);

/* The same for an expression of which only text, file and line are set; gives its type as well, or NULL
 * and the fault. */
const struct type *condition_check(struct arena *arena, const struct condition_scope *scope,
                                   struct expr *expr, struct fault *fault);

/* An expression that still has to be compiled. */
struct expr *condition_pending(struct arena *arena, const char *text, struct where where);

#endif
