/* ballot.h - what the votes of a round come to, counted from its row alone.
 *
 * A stage is granted if nobody who can end it has refused or returned it, nobody with a veto is still to vote, somebody of each
 * required group has granted, and the grants suffice even if everyone who has not voted refused:
 *
 *     need      the grants weigh at least `need`
 *     all       as much as everyone who does not abstain
 *     percent   that share of those who do not abstain, rounded up, and `need`
 *     majority  `need`, and more than the refusals; as many is a tie, and comes to what was settled for ties
 *
 * Whoever has left without a vote counts as one who abstains. A round is granted if all its stages are.
 */
#ifndef ROTA_VERIFY_BALLOT_H
#define ROTA_VERIFY_BALLOT_H

#include "table.h"

struct ballot {
    const struct table *rows; /* of the fold: who has left is in person/NAME */
    struct bytes round;       /* its row */
    int64_t now_ms;
    bool silence_grants; /* whoever has not voted is taken to have granted */
};

struct ballot_count {
    int64_t granted, needed; /* of the stage that fails, else of the last one */
    struct bytes stage;      /* its name; of no length: the only one */
};

/* Is one stage granted? `stage` is its row; the round's own where it has no stages. Says its count in any case. */
bool ballot_stage_is_granted(const struct ballot *ballot, struct bytes stage,
                             struct ballot_count *count);

/* Is the round granted? */
bool ballot_is_granted(const struct ballot *ballot, struct ballot_count *count);

/* The stage that asks a person: its row. False: the round has no stages, or none asks them. */
bool ballot_stage_of(struct bytes round, struct bytes person, struct bytes *stage);

/* Had this person's rights ended by then, as the directory of the fold says? */
bool person_has_left(const struct table *rows, struct bytes name, int64_t now_ms);

/* NAME of person/NAME. */
static inline struct bytes person_name(const struct table_entry *entry)
{
    return bytes_of(entry->key + 7, entry->key_len - 7);
}

/* The row person/NAME. False: there is none. */
bool person_row(const struct table *rows, struct bytes name, struct bytes *row);

#endif
