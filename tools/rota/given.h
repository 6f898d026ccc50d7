/* given.h - what a person gives with a command: fields from words and from --from FILE, a reason. */
#ifndef ROTA_GIVEN_H
#define ROTA_GIVEN_H

#include "tool.h"

struct given {                        /* what --from and the words say; every part may be missing */
    struct value fields;              /* map, fitted to the kind */
    struct value title, owner, links; /* nil: not given */
};

/* The kind's name that stands in the file of --from, or empty. */
int given_kind(struct tool *tool, const struct arguments *arguments, struct slice *out);

/* Reads --from, then the words from `first` on (which win). */
int given_read(struct tool *tool, const struct arguments *arguments, int first,
               const struct value *kind, struct given *out);

/* Puts {content, size} of what an option as "--check" says (TEXT, or @FILE) under its name, without the dashes: it goes up
 * first. Nothing if it was not given. */
int given_text(struct tool *tool, const struct arguments *arguments, const char *option,
               struct value *args);

/* Puts {content, size} under "reason" if --reason was given: the text goes up first. */
int given_reason(struct tool *tool, const struct arguments *arguments, struct value *args);

#endif
