/* places.h - who stood in for whom: was a delegation given by the person, or by who keeps the rules, just as it counts; and was
 * it in force and in scope when a vote was given by it?
 *
 *   VOTE_PLACE  nobody had put the voter in that place: never, not then, or not for this
 *   DELEGATION  what counts as given is not what the entry says that was signed, or its giver may not give it
 *
 * That it was signed is for actor.h: a delegation is a decision like any other.
 */
#ifndef ROTA_VERIFY_PLACES_H
#define ROTA_VERIFY_PLACES_H

#include "proof.h"

/* A row "delegations/NAME" is changed. */
void places_row(struct proof *proof, const struct table_entry *entry, struct bytes patch);

/* The leaf is folded: if it gives or ends a delegation, did it? */
void places_end(struct proof *proof);

/* The leaf is a vote with `right`'s right, for a record of this kind and row, in this stage (or NULL). */
void places_vote(struct proof *proof, const struct kind *kind, const struct kind_stage *stage,
                 struct bytes record, struct bytes right);

/* Has `right` put the leaf's actor in their place for a record of this kind, by any delegation? */
bool places_stands_in(struct proof *proof, const struct kind *kind, struct bytes record,
                      struct bytes right);

#endif
