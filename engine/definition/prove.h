/* prove.h - what holds of every record that will ever live under a pack, whatever people, programs and data do.
 *
 * A pack that was compiled and whose names were checked is read as graphs, and each proof looks for a way through them
 * that must not be there. What a proof cannot know counts as possible: a condition on data may hold and may not, a
 * person may do whatever a row allows, an edit may change whatever a state lets be edited. So
 *
 *   1. what is not reported cannot happen: no record takes a way that a proof forbids;
 *   2. what is reported comes with a shortest way to it, where there is a way to show: the events in order, each of
 *      which the engine would accept if the conditions on data held;
 *   3. a pack is proven in time that grows with its rows and rules (and their square where rules meet rows), not with
 *      the number of ways.
 *
 * What the proofs rely on, and do not look into: the workers do what they say, and the directory is what it will be.
 */
#ifndef ROTA_DEFINITION_PROVE_H
#define ROTA_DEFINITION_PROVE_H

#include "definition/people.h"
#include "definition/problems.h"

/* Everything that can be said without knowing who there is. */
void prove_pack(const struct pack *pack, struct problems *problems);

/* What these people cannot do: roles that nobody holds, events that nobody may make, approvals that nobody can grant. */
void prove_people(const struct pack *pack, const struct people *people, struct problems *problems);

#endif
