/* paper.h - what output.h says, as Markdown (CommonMark with tables) or as an HTML page. Only output.c includes this.
 *
 *   1. Text is escaped here: no character of a record becomes markup.
 *   2. An HTML page is one file: its style is inside, it asks for nothing, runs nothing, and prints well.
 *   3. Text comes without control characters; line ends stand only where this says so.
 */
#ifndef ROTA_PAPER_H
#define ROTA_PAPER_H

#include "output.h"

void paper_begin(struct output *out, const char *title);
void paper_end(struct output *out);

void paper_heading(struct output *out, int level, const char *text); /* 1 to 3 */
void paper_line(struct output *out, enum ink ink,
                const char *text);                     /* indented: an item of a list */
void paper_text(struct output *out, const char *text); /* may have line ends */
void paper_pair(struct output *out, const char *label, enum ink ink,
                const char *text); /* may have line ends */
void paper_table(struct output *out, const struct table *table);

/* Ends the list or the table of pairs that is open. */
void paper_close(struct output *out);

#endif
