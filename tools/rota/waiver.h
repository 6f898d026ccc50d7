/* waiver.h - what pages say of rules of separation of duties that were waived.
 *
 * `shown` is the answer of the query `show`, which lists the record's waivers.
 */
#ifndef ROTA_WAIVER_H
#define ROTA_WAIVER_H

#include "tool.h"

/* A section with all of them, if there are any. */
void waiver_print_all(struct tool *tool, const struct value *shown);

/* A line for each that a vote rests on (`waived` out of it, or NULL), below it. */
void waiver_print_used(struct tool *tool, const struct value *shown, const struct value *waived);

/* The same as words, of one of them; the engine is asked for the texts. */
const char *waiver_text(struct tool *tool, struct slice record, const struct value *used);

/* The same as a part of a cell about an entry of the journal: "; SOD-1 waived by ..."; "" if it rests on none. */
const char *waiver_of_entry(struct tool *tool, const struct value *shown,
                            const struct value *entry);

/* All of the record, or of every record (NULL), the oldest first, as the query `waivers` says; a status of the program. How
 * many of them a decision rests on; and as a table, the newest first. */
int waivers_ask(struct tool *tool, const char *record, struct value *out);
uint32_t waivers_in_use(const struct value *all);
void waivers_print(struct tool *tool, const struct value *all);

#endif
