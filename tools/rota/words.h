/* words.h - journal entries in words. */
#ifndef ROTA_WORDS_H
#define ROTA_WORDS_H

#include "tool.h"

/* What an entry of the query `log` (or the data of an event) says, as one sentence without who and when. */
const char *words_entry(struct tool *tool, const struct value *entry);

/* The same where the reader knows which service the task of the entry belongs to; empty if not. */
const char *words_entry_of(struct tool *tool, const struct value *entry, struct slice service);

#endif
