/* page.h - a record as a page for people: who, where it stands, what is missing, what comes next. */
#ifndef ROTA_PAGE_H
#define ROTA_PAGE_H

#include "tool.h"

/* `shown` is the answer of the query `show`. */
void page_print(struct tool *tool, const struct value *shown);

/* A field's value as text for one cell or line; tables give their number of rows. */
const char *page_value(struct tool *tool, const struct value *value);

#endif
