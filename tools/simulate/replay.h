/* replay.h - is what is stored what the journal says? The whole journal is read again, with the core and with a fold of
 * its own that was written from the journal's description alone, so that the core's fold does not prove itself.
 *
 * Checked besides: each leaf encodes to its own bytes, time never goes back, revisions and chains have no gap, a command
 * id belongs to one run.
 */
#ifndef ROTA_SIMULATE_REPLAY_H
#define ROTA_SIMULATE_REPLAY_H

#include "base/error.h"
#include "core/leaf.h"
#include "simulate/memory.h"

/* 0; -1 with the first difference, or the first leaf that breaks a rule. */
int replay_check(const struct memory *memory, struct error *err);

/* What the fold of its own makes of one leaf. */
void replay_fold(struct memory *rows, const struct leaf *leaf);

#endif
