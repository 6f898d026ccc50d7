/* page.h - a record as a page for people: who, where it stands, what is missing, what comes next. */
#ifndef ROTA_PAGE_H
#define ROTA_PAGE_H

#include "tool.h"

/* `shown` is the answer of the query `show`. In the form that tool->out has. */
void page_print(struct tool *tool, const struct value *shown);

/* Signatures and history below it, and what the page was made from: for a page that leaves the house. */
int page_print_history(struct tool *tool, const struct value *shown);

/* The part about approval (page_round.c): the open round in full, and how the others ended. */
void page_rounds(struct tool *tool, const struct value *shown);
/* How far a round (out of `show`) is: "1 of 2 signed"; with stages each by its name. */
const char *page_round_count(struct tool *tool, const struct value *round);

/* A field's value as text for one cell or line; tables give their number of rows. */
const char *page_value(struct tool *tool, const struct value *value);

#endif
