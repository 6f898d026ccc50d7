/* facts.h - what a page needs to know besides the record: the organisation, its kinds, its people, its time.
 *
 * Asked once a run and kept. If a question fails the page goes on with names as they are.
 */
#ifndef ROTA_FACTS_H
#define ROTA_FACTS_H

#include "tool.h"

int facts_info(struct tool *tool, const struct value **out); /* query `info` */
/* The description of a kind, with the nearest name on stderr if there is none (TOOL_USAGE). */
int facts_kind(struct tool *tool, struct slice name, const struct value **out);
bool facts_has_kind(struct tool *tool, struct slice name); /* says nothing */
int facts_kinds(struct tool *tool, const struct value **out);

/* The names of people and workers of the directory; how many, at most `max`. */
int facts_names(struct tool *tool, const char **names, int max);

/* For pages; never NULL, never fail. */
const char *facts_person(struct tool *tool, struct slice name); /* "Amara Okafor (amara)" */
const char *facts_name(struct tool *tool, struct slice name);   /* "Amara Okafor": for tables */
struct slice facts_kind_of(struct tool *tool,
                           struct slice record); /* by the prefix of its id; empty if unknown */
const char *facts_state(struct tool *tool, struct slice kind,
                        struct slice state); /* the state's title */
const char *facts_kind_title(struct tool *tool, struct slice kind);
const char *facts_field_title(struct tool *tool, struct slice kind, struct slice field);
const char *facts_moment(struct tool *tool,
                         int64_t ms); /* 2026-11-23 09:12, in the organisation's zone */
const char *facts_day(struct tool *tool, int64_t ms); /* 2026-11-23 */
const char *facts_today(struct tool *tool);           /* NULL if not known */

void facts_free(struct tool *tool);

#endif
