/* ballot.h - what the votes of an approval round come to. One pure function: votes so far -> how each stage and the round
 * stand. It knows no people, rows or time; round.c asks it before and after each vote, and the queries ask it too.
 *
 * A stage is granted if, once everyone in it has voted,
 *
 *     | counting | the grants weigh at least                                      | and                       |
 *     |----------|----------------------------------------------------------------|---------------------------|
 *     | need     | need                                                           |                           |
 *     | all      | as much as all who do not abstain, and 1                       |                           |
 *     | percent  | that share of all who do not abstain, rounded up, and `need`   |                           |
 *     | majority | need                                                           | more than the refusals (*) |
 *
 * and of each group in `require` somebody granted; else it is refused. (*) Where they weigh the same it is a tie and
 * comes to `on_tie`.
 *
 *     waiting ──all stages in `after` granted──> open ──> granted          round: granted once all stages are
 *                                                 ├─────> refused          round: refused
 *                                                 └─────> returned         round: returned
 *
 * It is not waited for votes that change nothing:
 *
 *   1. a return, a refusal where one_refuse_ends, and a refusal of somebody with a veto end the round at once;
 *   2. otherwise an open stage is decided as soon as the best that may still come (everyone grants) and the worst
 *      (everyone refuses) lead to the same end; with waits_for_all only when nobody is left to vote. All that lies
 *      between the two leads to that end as well: no grant makes a result worse, no refusal better. So a veto is not
 *      outrun: while somebody who has one may still vote, nothing is granted. (one_refuse_ends is: it is nobody's own.)
 *   3. Who is gone cannot vote any more and counts as one who abstains. Where a stage is then refused that could be
 *      granted if they still granted, the round is stuck: nobody refused it, nobody can grant it.
 *
 * Promises: a stage that is granted stays so whatever votes come in other stages and whoever leaves; the result depends on the
 * votes and not on their order, as long as none is given in a stage that is waiting or decided (round.c refuses those).
 */
#ifndef ROTA_CORE_BALLOT_H
#define ROTA_CORE_BALLOT_H

#include "core/model.h"

enum ballot_end { BALLOT_OPEN, BALLOT_GRANTED, BALLOT_REFUSED, BALLOT_RETURNED, BALLOT_STUCK };

struct ballot_rule { /* of a stage */
    uint32_t after;  /* bit i: waits for stage i; only stages before this one */
    enum counting counting;
    int64_t need; /* weight; 1 with COUNT_ALL */
    int percent;
    bool waits_for_all, one_refuse_ends;
    enum vote on_tie;
    int require_count; /* groups of which one must grant */
};

struct ballot_voter {
    int stage;
    enum vote vote; /* VOTE_NONE: not yet */
    bool is_gone;   /* counts only without a vote */
    int64_t weight; /* 1 or more */
    bool has_veto;
    uint32_t groups; /* bit i: belongs to group i of the stage's `require` */
};

struct ballot {
    const struct ballot_rule *rules;
    int stage_count; /* 1 to APPROVAL_STAGES_MAX */
    const struct ballot_voter *voters;
    int voter_count;
};

struct ballot_stage {
    bool is_waiting; /* has not begun */
    enum ballot_end end;
    int64_t granted, needed; /* weight so far, and what it takes as things stand */
};

struct ballot_count {
    enum ballot_end end; /* of the round */
    bool is_tie;         /* a tie made it so */
    struct ballot_stage stages[APPROVAL_STAGES_MAX];
};

void ballot_count(const struct ballot *ballot, struct ballot_count *out);

/* Could it be granted if everyone who has not voted and is not gone granted, in every stage? `stage` is the first that could
 * not. */
bool ballot_can_be_granted(const struct ballot *ballot, int *stage);
bool ballot_stage_can_be_granted(const struct ballot *ballot, int stage);

#endif
