/* actor.h - did the people named in the journal sign what it says they decided?
 *
 * Keys come from outside (a file, with the positions at which each key was whose) or, without it, from the journal: from
 * its ring of endorsed keys (keyring.h) if its first entry names root keys; else from the fold, row "person/NAME", field
 * sign, as it stood before the leaf.
 *
 *   ACTOR_UNSIGNED  a decision (a body with a meaning, or a vote) by somebody with a key is not signed
 *   ACTOR_FORGED    a signature that is there does not hold
 *   ACTOR_KEY       the body names another key than the one it was signed with
 *   VOTE_STREAM     a vote stands in another person's stream
 *   VOTE_DIGEST     a vote is about something else than its round
 *   VOTE_UNCAST     a round counts a vote that nobody cast
 *   VOTE_PLACE      a vote is counted in the place of somebody whom the one who signed it did not name
 */
#ifndef ROTA_VERIFY_ACTOR_H
#define ROTA_VERIFY_ACTOR_H

#include "keyring.h"
#include "leaf.h"
#include "report.h"

struct actor_key {
    char *actor; /* owned */
    uint8_t key[PUBLIC_KEY_LEN];
    uint64_t first, last; /* leaf numbers, both included */
};

struct actor_keys {
    struct actor_key *at; /* owned */
    size_t count, cap;
};

/* Read lines "actor hexkey [first-seq [last-seq]]"; '#' begins a comment line. -1: a line is not so. */
int actor_keys_read(struct bytes text, struct actor_keys *out);
void actor_keys_release(struct actor_keys *keys);

struct actor_check {
    struct report *report;         /* borrowed */
    const struct actor_keys *keys; /* borrowed; NULL: take them from the journal */
    const struct keyring *ring;    /* borrowed */
    const struct table *rows;      /* borrowed; NULL: there is no fold */
    struct bytes origin;           /* of the log */
    struct buf message;
    uint64_t without_key; /* decisions by people who had no key */
    /* Of the leaf that was checked last. */
    bool is_proven; /* it carries its actor's signature */
    bool is_vote;
    struct bytes round_row, person; /* of a vote */
};

void actor_check_release(struct actor_check *check);

/* Check one leaf against the rows as they stood before it. */
void actor_check_leaf(struct actor_check *check, const struct leaf *leaf, uint64_t seq);

/* Had this person a signing key before this leaf? True also where that cannot be told, for want of a fold. */
bool actor_had_key(const struct actor_check *check, struct bytes actor, uint64_t seq);

/* After the last leaf: is every vote that a round counts one that was cast? */
void actor_check_rounds(struct actor_check *check);

#endif
