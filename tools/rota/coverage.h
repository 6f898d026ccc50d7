/* coverage.h - what proves what: clauses, documents, records, processes, interactions; and what is late.
 *
 * Everything comes from queries, so that whoever asks sees what they may see, and nothing is counted that the engine
 * does not hold. Proof is
 *   - of a document, a version that is valid now; a clause that the workflows have documents for takes one as well;
 *   - of another record, that it left its draft: an end that is reached from a draft alone (withdrawn, dismissed) is none;
 *   - of a process, a cycle that left its draft;
 *   - of an interaction, a record that one of its rules has opened.
 */
#ifndef ROTA_COVERAGE_H
#define ROTA_COVERAGE_H

#include "tool.h"

enum cover_status {
    COVER_PROVED,
    COVER_MAKING, /* there are records that go on, and none is proof yet */
    COVER_READY,  /* an interaction that is in force and has had no occasion */
    COVER_NONE,   /* kinds, but no record that is or may become proof */
    COVER_NO_KIND /* nothing in the pack is meant to prove it */
};

enum cover_group {
    COVER_CLAUSES,
    COVER_DOCUMENTS,
    COVER_RECORDS,
    COVER_PROCESSES,
    COVER_INTERACTIONS,
    COVER_GROUPS
};

enum { COVER_ITEMS_MAX = 128 };

/* One row of the page. */
struct cover_item {
    enum cover_group group;
    const char *id, *title;
    enum cover_status status;
    struct value kinds;  /* names of kinds, or of rules */
    struct value proof;  /* records that prove it, as `list` gives them */
    struct value others; /* records that do not, or not yet */
    const char *wants;   /* documents of which one must be valid and none is; or NULL */
    int64_t proof_count; /* may be more than are named */
};

struct coverage {
    struct tool *tool;
    const struct value *kinds;
    struct value records, processes, rules; /* what the engine said */
    struct cover_item items[COVER_ITEMS_MAX];
    int item_count;
    struct value late;    /* records with a date that is over */
    struct value waiting; /* records that wait for signatures */
    struct value waivers; /* of rules of separation, as `waivers` gives them */
};

const char *cover_group_name(enum cover_group group); /* "clauses" */
const char *cover_status_name(enum cover_status status);
const char *cover_status_text(enum cover_status status); /* for people */

/* Asks the engine and fills everything; a status of the program (tool.h). */
int coverage_ask(struct tool *tool, struct coverage *out);

int coverage_count(const struct coverage *coverage, enum cover_group group,
                   enum cover_status status);
/* Is something not proved that should be, or late? */
bool coverage_has_gaps(const struct coverage *coverage);

#endif
