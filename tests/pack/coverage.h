/* coverage.h - which rows of the pack and which of its rules the walks have been through.
 *
 * A row of a kind is covered when a record of the kind went through it, a rule when it fired. Beside that, what each
 * leaf of a walk must show is checked: what a rule started is linked to what it watched, has the dates that the rule
 * says, and was started once.
 */
#ifndef ROTA_TESTS_PACK_COVERAGE_H
#define ROTA_TESTS_PACK_COVERAGE_H

#include "core/story.h"

struct coverage;

struct coverage *coverage_new(void);
void coverage_free(struct coverage **coverage);

/* Counts what the story has been through; breaches are kept, and told with `walk`. */
void coverage_add(struct coverage *coverage, struct story *story, const char *walk);

/* Appends to `out`, a line each: breaches; rows and rules that nobody went through and that are not listed in `pending`
 * (names of kinds, and "rule NAME"); names in `pending` that are covered, or that the pack does not have. Gives the number
 * of lines. `pack` is that of the walks. */
int coverage_check(const struct coverage *coverage, const struct pack *pack, const char *pending,
                   struct buf *out);

/* All that is not covered, kind by kind, listed or not; rows also by the state they leave. */
void coverage_show(const struct coverage *coverage, const struct pack *pack, struct buf *out);

#endif
