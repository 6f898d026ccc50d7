/* nearest.h - which known name did they mean? */
#ifndef ROTA_BASE_NEAREST_H
#define ROTA_BASE_NEAREST_H

#include "base/arena.h"
#include "base/slice.h"

enum { NEAREST_NAME_MAX = 64 };

struct nearest {
    struct slice wanted;
    const char *best; /* NULL: nothing is near; lent by whoever offered it */
    int distance;
    bool
        is_part; /* `best` only has what was wanted for one of its words: "risk", risk_acceptance */
};

struct nearest nearest_to(struct slice wanted);
void nearest_offer(struct nearest *nearest, const char *name);

/* "; did you mean 'x'?" or "". In `arena`. */
const char *nearest_hint(const struct nearest *nearest, struct arena *arena);

/* Insertions, deletions, changes, and swaps of neighbours; at most `limit` + 1. */
int edit_distance(struct slice a, struct slice b, int limit);

#endif
