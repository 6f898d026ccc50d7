/* query.h - what the state says, to somebody who asks: nothing changes, nothing is journaled.
 *
 * Pure like the rest of the core: the time and who asks come in with the question; leaves of the journal are read
 * through a callback. What each query takes and gives is in engine/PROTOCOL.md; the daemon adds what only it knows
 * (size, root and version of `info`; `status`, `workers`, `services`).
 *
 * Promises:
 *   1. Every query asks authority_may_read() first, and only there.
 *   2. No row, leaf or counter changes, and no run may be in the making: a draft that was not kept is given up.
 *   3. An answer is bounded: lists have limits, and a search that would read too much stops and says where to go on.
 */
#ifndef ROTA_CORE_QUERY_H
#define ROTA_CORE_QUERY_H

#include "core/core.h"

enum {
    LIST_DEFAULT = 100,
    LIST_MAX = 500,
    LOG_MAX = 1000,
    SCAN_ROWS_MAX = 50000, /* rows one query looks at */
    CONTENT_CHUNK_MAX = 512 * 1024
};

struct core_query {
    struct slice name;
    struct slice principal;
    struct value args; /* map, or nil: none */
    int64_t now_us;
    /* A leaf of the journal, appended to `out`: 1 found, 0 absent, -1 error. */
    int (*leaf)(void *self, uint64_t seq, struct buf *out);
    void *self;
    uint64_t size; /* leaves the journal has */
};

bool query_exists(struct slice name);

/* 0 and the answer (memory of the draft, as what it lends: until the next question); -1 and a refusal: 400
 * malformed, 403 not-allowed, 404 no-record, 405 unknown-command, 409 wrong-state, 500 internal. */
int query_answer(struct core *core, const struct core_query *query, struct value *out,
                 struct refusal *refusal);

#endif
