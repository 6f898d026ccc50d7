/* principal.h - new principals: keys and what to write into directory.cfg. */
#ifndef ROTA_PRINCIPAL_H
#define ROTA_PRINCIPAL_H

#include "keys.h"

/* Keys for a person (transport and signing), and what to do next. */
int person_new(struct tool *tool, const char *name, const struct keys_plan *plan);

#endif
