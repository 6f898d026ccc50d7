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

/* The same for a field or a column as its kind describes it (`about`; NULL: nothing is known): people and records with
 * their names, a list with commas. */
const char *page_typed(struct tool *tool, const struct value *about, const struct value *value);
const char *page_cell(struct tool *tool, const struct value *column, const struct value *cell);
const char *page_column(struct tool *tool, const struct value *column); /* its title */
const struct value *page_field(struct tool *tool, struct slice kind, struct slice name);

#endif
