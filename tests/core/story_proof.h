/* story_proof.h - a story's journal, shown to those who trust nobody: it is written to a file by the store, as an engine
 * would have, and rota-verify reads the file (and the independent auditor too, where ROTA_AUDITOR names it). */
#ifndef ROTA_TESTS_CORE_STORY_PROOF_H
#define ROTA_TESTS_CORE_STORY_PROOF_H

#include "simulate/memory.h"

/* Ends the test if either finds fault with it. */
void story_prove(const struct memory *memory);

/* What rota-verify says about it. Gives its exit status: 0 if the journal holds. */
int story_hear(const struct memory *memory, char *said, size_t room);

#endif
