/* changes.h - what changed in a record, for people: fields, rows of tables cell by cell, long texts word by word.
 *
 * A change is {field, before, after} out of the query `diff`. Marks say what colours say: without them nothing is lost.
 */
#ifndef ROTA_CHANGES_H
#define ROTA_CHANGES_H

#include "tool.h"

/* The query: against what is named (`against`, may be NULL), what is remembered (`since`, may be NULL), or the version
 * in force. `*out` is {record, against?, digest, changes}. */
int changes_ask(struct tool *tool, const char *record, const char *against,
                const struct value *since, struct value *out);

/* In full. `kind` is the record's. */
void changes_print(struct tool *tool, struct slice kind, const struct value *changes);

/* A line each: "headcount  40 -> 48", "sites  1 row added, 2 cells changed"; at most `max`, the rest is counted.
 * Beneath a label as output_pair() makes it. */
void changes_outline(struct tool *tool, int label_width, const char *label, struct slice kind,
                     const struct value *changes, uint32_t max);

/* For programs: the change with, of a table, `rows`, of a long text, `lines`: only what is not the same. */
struct value changes_json(struct tool *tool, struct slice kind, const struct value *change);

/* Of field names: "Headcount · Sites and 3 more". */
const char *changes_names(struct tool *tool, struct slice kind, const struct value *names);

#endif
