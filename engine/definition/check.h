/* check.h - is a built pack sound? Names that exist, rows that are unambiguous, approvals that have a
 * round. Where the rows lead is proven afterwards (prove.h). */
#ifndef ROTA_DEFINITION_CHECK_H
#define ROTA_DEFINITION_CHECK_H

#include "definition/grammar.h"

void check_pack(const struct pack *pack, const struct written_pack *written,
                struct problems *problems);

/* A name that a message may use whatever its record: "title", "link". */
bool is_message_word(struct slice name);

#endif
