/* build.h - from what was written to the model: lifecycles copied into their kinds with the kinds' changes, names
 * resolved, defaults filled in. Expressions are still pending afterwards (compile.h). */
#ifndef ROTA_DEFINITION_BUILD_H
#define ROTA_DEFINITION_BUILD_H

#include "definition/grammar.h"

/* Fills kinds, rules, roles, messages, meanings and the calendar (without zone) of `pack`. */
void build_pack(struct arena *arena, struct problems *problems, const struct written_pack *written,
                struct pack *pack);

/* Rows that start without a person: named in `by` as this word. */
#define WHO_SYSTEM "system"

#endif
