/* waiver.h - is every waiver of a rule of separation of duties one that top management signed, and is every decision that names
 * one entitled to it?
 *
 * A waiver is a leaf `record.waive_sod` on a stream RECORD/waiver/N; `record.end_waiver` on the same stream takes it back, and
 * from then on it frees nobody. Nothing else makes or changes its row, but that a decision notes in it that it was `used`.
 *
 *   WAIVER_UNSIGNED  it, or its end, is not signed as one, with reason (and check); or its signer had no key
 *   WAIVER_ROLE      its signer, or that of its end, did not stand in the directory then with the role top_management
 *   WAIVER_SELF      its signer is freed by it, or by another of the same rule over the same content
 *   WAIVER_DIGEST    it is not about what the record said then
 *   WAIVER_ROW       the row of a waiver was made or changed by something else, or says other than was signed
 *   WAIVER_USED      a decision names a waiver that there is not, that was taken back, or that is for something or somebody else
 *
 * That the signature holds is checked with those of all decisions (actor.h).
 */
#ifndef ROTA_VERIFY_WAIVER_H
#define ROTA_VERIFY_WAIVER_H

#include "actor.h"

/* Check one leaf against the rows as they stood before it. Without a fold only what the leaf says of itself. */
void waiver_check_leaf(const struct actor_check *actors, const struct leaf *leaf, uint64_t seq);

#endif
