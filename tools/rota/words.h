/* words.h - journal entries in words. */
#ifndef ROTA_WORDS_H
#define ROTA_WORDS_H

#include "tool.h"

/* What an entry of the query `log` (or the data of an event) says, as one sentence without who and when. */
const char *words_entry(struct tool *tool, const struct value *entry);

#endif
