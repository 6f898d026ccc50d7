/* template.h - a libconfig file to fill in for a new record. */
#ifndef ROTA_TEMPLATE_H
#define ROTA_TEMPLATE_H

#include "tool.h"

/* `kind`: its description (query `kinds`). What is required stands there empty; the rest behind #. */
void template_print(struct tool *tool, const struct value *kind);

#endif
