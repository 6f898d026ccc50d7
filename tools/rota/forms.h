/* forms.h - the words that a command takes, as its usage has them. */
#ifndef ROTA_FORMS_H
#define ROTA_FORMS_H

#include "tool.h"

/* Fewer words than the command needs: says which is missing. TOOL_USAGE. */
int forms_missing(const struct arguments *given);
/* The first word is none of those with which a form begins: says which there are, and the nearest. TOOL_USAGE. */
int forms_unknown(const struct arguments *given);

#endif
