#include "core/ballot.h"

#include "base/check.h"

/* What a stage's votes weigh. */
struct tally {
    int64_t asked, granted, refused, abstained;
    int64_t open, gone; /* has not voted; will not */
    uint32_t groups;    /* of `require`: somebody of them granted */
    bool is_returned, is_ended, has_open_veto;
};

static void add_vote(const struct ballot_rule *rule, const struct ballot_voter *voter,
                     enum vote vote, struct tally *tally)
{
    tally->asked += voter->weight;
    switch (vote) {
    case VOTE_GRANT:
        tally->granted += voter->weight;
        tally->groups |= voter->groups;
        break;
    case VOTE_REFUSE:
        tally->refused += voter->weight;
        tally->is_ended = tally->is_ended || rule->one_refuse_ends || voter->has_veto;
        break;
    case VOTE_RETURN:
        tally->is_returned = true;
        break;
    case VOTE_ABSTAIN:
        tally->abstained += voter->weight;
        break;
    case VOTE_NONE:
        tally->open += voter->weight;
        tally->has_open_veto = tally->has_open_veto || voter->has_veto;
        break;
    }
}

/* The stage's votes, where those who have not voted vote `open` and those who never will vote `gone`. */
static struct tally tally_of(const struct ballot *ballot, int stage, enum vote open, enum vote gone)
{
    const struct ballot_rule *rule = &ballot->rules[stage];
    struct tally tally = {0};

    for (int i = 0; i < ballot->voter_count; i++) {
        const struct ballot_voter *voter = &ballot->voters[i];

        check(voter->weight >= 1);
        if (voter->stage != stage)
            continue;
        if (voter->vote != VOTE_NONE)
            add_vote(rule, voter, voter->vote, &tally);
        else
            add_vote(rule, voter, voter->is_gone ? gone : open, &tally);
    }
    return tally;
}

static int64_t threshold(const struct ballot_rule *rule, const struct tally *tally)
{
    int64_t counted = tally->asked - tally->abstained, share = rule->need;

    if (rule->counting == COUNT_ALL)
        share = counted;
    else if (rule->counting == COUNT_PERCENT)
        share = (counted * rule->percent + 99) / 100;
    return share > rule->need ? share : rule->need;
}

/* What a stage comes to in which everyone has voted. */
static enum ballot_end final_end(const struct ballot_rule *rule, const struct tally *tally,
                                 bool *is_tie)
{
    static const enum ballot_end ENDS[] = {[VOTE_NONE] = BALLOT_REFUSED,
                                           [VOTE_GRANT] = BALLOT_GRANTED,
                                           [VOTE_REFUSE] = BALLOT_REFUSED,
                                           [VOTE_RETURN] = BALLOT_RETURNED,
                                           [VOTE_ABSTAIN] = BALLOT_REFUSED};
    uint32_t every = rule->require_count > 0 ? UINT32_MAX >> (32 - rule->require_count) : 0;

    *is_tie = false;
    if (tally->granted < threshold(rule, tally) || (tally->groups & every) != every)
        return BALLOT_REFUSED;
    if (rule->counting != COUNT_MAJORITY || tally->granted > tally->refused)
        return BALLOT_GRANTED;
    *is_tie = tally->granted == tally->refused;
    return *is_tie ? ENDS[rule->on_tie] : BALLOT_REFUSED;
}

/* An end that needs no counting; BALLOT_OPEN: none. */
static enum ballot_end sudden_end(const struct tally *tally)
{
    return tally->is_returned ? BALLOT_RETURNED : tally->is_ended ? BALLOT_REFUSED : BALLOT_OPEN;
}

static bool could_be_granted(const struct ballot *ballot, int stage, enum vote gone)
{
    struct tally best = tally_of(ballot, stage, VOTE_GRANT, gone);
    bool is_tie;

    return sudden_end(&best) == BALLOT_OPEN &&
           final_end(&ballot->rules[stage], &best, &is_tie) == BALLOT_GRANTED;
}

static enum ballot_end stage_end(const struct ballot *ballot, int stage, bool *is_tie)
{
    const struct ballot_rule *rule = &ballot->rules[stage];
    struct tally now = tally_of(ballot, stage, VOTE_NONE, VOTE_ABSTAIN);
    struct tally best = tally_of(ballot, stage, VOTE_GRANT, VOTE_ABSTAIN);
    struct tally worst = tally_of(ballot, stage, VOTE_REFUSE, VOTE_ABSTAIN);
    enum ballot_end end = sudden_end(&now), other;

    *is_tie = false;
    if (end != BALLOT_OPEN)
        return end;
    if (rule->waits_for_all && now.open > 0)
        return BALLOT_OPEN;
    other = now.has_open_veto ? BALLOT_REFUSED : final_end(rule, &worst, is_tie);
    end = final_end(rule, &best, is_tie);
    *is_tie = *is_tie && now.open == 0;
    if (end != other)
        return BALLOT_OPEN;
    return end == BALLOT_REFUSED && could_be_granted(ballot, stage, VOTE_GRANT) ? BALLOT_STUCK
                                                                                : end;
}

static bool has_begun(const struct ballot_count *count, uint32_t after)
{
    for (int i = 0; i < APPROVAL_STAGES_MAX; i++) {
        if ((after & 1u << i) != 0 && count->stages[i].end != BALLOT_GRANTED)
            return false;
    }
    return true;
}

/* The first stage that ends the round does; else it is granted with the last one. A decision goes before a standstill. */
static void end_round(const struct ballot *ballot, const bool is_tie[APPROVAL_STAGES_MAX],
                      struct ballot_count *out)
{
    int granted = 0, stuck = 0;

    for (int i = 0; i < ballot->stage_count; i++) {
        enum ballot_end end = out->stages[i].end;

        granted += end == BALLOT_GRANTED;
        stuck += end == BALLOT_STUCK;
        if (out->end == BALLOT_OPEN && (end == BALLOT_REFUSED || end == BALLOT_RETURNED)) {
            out->end = end;
            out->is_tie = is_tie[i];
        }
    }
    if (out->end != BALLOT_OPEN)
        return;
    if (stuck > 0)
        out->end = BALLOT_STUCK;
    else if (granted == ballot->stage_count)
        out->end = BALLOT_GRANTED;
}

void ballot_count(const struct ballot *ballot, struct ballot_count *out)
{
    bool is_tie[APPROVAL_STAGES_MAX] = {false};

    check(ballot->stage_count >= 1 && ballot->stage_count <= APPROVAL_STAGES_MAX);
    *out = (struct ballot_count){.end = BALLOT_OPEN};
    for (int i = 0; i < ballot->stage_count; i++) {
        struct tally now = tally_of(ballot, i, VOTE_NONE, VOTE_ABSTAIN);
        struct ballot_stage *stage = &out->stages[i];

        check(ballot->rules[i].after >> i == 0);
        stage->granted = now.granted;
        stage->needed = threshold(&ballot->rules[i], &now);
        stage->is_waiting = !has_begun(out, ballot->rules[i].after);
        stage->end = stage->is_waiting ? BALLOT_OPEN : stage_end(ballot, i, &is_tie[i]);
    }
    end_round(ballot, is_tie, out);
}

bool ballot_stage_can_be_granted(const struct ballot *ballot, int stage)
{
    return could_be_granted(ballot, stage, VOTE_ABSTAIN);
}

bool ballot_can_be_granted(const struct ballot *ballot, int *stage)
{
    for (int i = 0; i < ballot->stage_count; i++) {
        if (!ballot_stage_can_be_granted(ballot, i)) {
            *stage = i;
            return false;
        }
    }
    return true;
}
