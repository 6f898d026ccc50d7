/* approvals.h - the table that an auditor wants first: what is or was in force, and who signed for it.
 *
 * Nothing stands in it that was not proven: it is made from what proof.h found and from the leaves that it found it in, and
 * it is only made for a journal that holds.
 */
#ifndef ROTA_VERIFY_APPROVALS_H
#define ROTA_VERIFY_APPROVALS_H

#include "proof.h"

#include <jansson.h>

struct approval_moment { /* an entry */
    uint64_t seq;        /* 0: there is none */
    uint64_t time_us;
};

struct approval_vote {
    struct approval_moment at;
    char *by, *vote, *meaning; /* all owned, fit for a terminal */
    char *in_place_of;         /* NULL: his own */
    char *delegation, *given_by;
    char key[2 * HASH_LEN + 1]; /* SHA-256 of the public key, in hex */
    char *waived;               /* the rules he is freed from, and by whom; or NULL */
    bool is_signed;
};

struct approval {                        /* of a record that is or was in force, or was approved */
    char *record, *kind, *title, *state; /* owned */
    char *count; /* "2 of 2"; with several stages, of each; NULL: there is no round */
    char digest[2 * HASH_LEN + 1];
    bool takes_none, by_silence;
    uint32_t round;
    struct approval_moment granted, in_force, end, migrated, changed;
    struct approval_vote *votes; /* owned */
    size_t vote_count, vote_cap;
};

struct approvals {
    struct approval *at; /* owned */
    size_t count, cap;
};

/* All that the proof found, in the order in which the records began. `proof->keeps_votes` was set from the beginning. */
void approvals_collect(struct approvals *approvals, struct proof *proof, struct db *db);
void approvals_release(struct approvals *approvals);

/* For people, at 80 columns. */
void approvals_print(const struct approvals *approvals, FILE *out, bool in_colour);
json_t *approvals_json(const struct approvals *approvals);

#endif
