/* Every round of up to six voters, every order of votes and departures: ballot.c against an oracle that is written from
 * the words of ballot.h and tries every way in which the rest could vote. */
#include "core/ballot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    VOTERS = 6,
    CHOICES = 6, /* not yet, grant, refuse, return, abstain, gone */
    GONE = 5,
    STATES = 46656 /* CHOICES to the power of VOTERS */
};

struct round { /* one shape, and where its votes stand */
    struct ballot_rule rules[APPROVAL_STAGES_MAX];
    struct ballot_voter voters[VOTERS];
    int stage_count, voter_count;
    bool may_leave;
};

/* ---- the oracle ---- */

struct opinion {
    enum ballot_end end;
    enum ballot_end stages[APPROVAL_STAGES_MAX];
    bool is_waiting[APPROVAL_STAGES_MAX];
};

/* Do those in the stage who voted so make it granted, when all have voted? By the words of the table. */
static enum ballot_end judged(const struct round *r, int stage, const enum vote votes[VOTERS])
{
    const struct ballot_rule *rule = &r->rules[stage];
    long grants = 0, refusals = 0, counted = 0, objectors = 0;

    for (int i = 0; i < r->voter_count; i++) {
        long weight = (long)r->voters[i].weight;

        if (r->voters[i].stage != stage)
            continue;
        grants += votes[i] == VOTE_GRANT ? weight : 0;
        refusals += votes[i] == VOTE_REFUSE ? weight : 0;
        counted += votes[i] != VOTE_ABSTAIN ? weight : 0;
        objectors += votes[i] != VOTE_ABSTAIN && votes[i] != VOTE_GRANT;
    }
    for (int group = 0; group < rule->require_count; group++) {
        bool is_there = false;

        for (int i = 0; i < r->voter_count; i++)
            is_there = is_there || (r->voters[i].stage == stage && votes[i] == VOTE_GRANT &&
                                    (r->voters[i].groups >> group & 1) != 0);
        if (!is_there)
            return BALLOT_REFUSED;
    }
    if (grants < (long)rule->need)
        return BALLOT_REFUSED;
    switch (rule->counting) {
    case COUNT_NEED:
        return BALLOT_GRANTED;
    case COUNT_ALL:
        return objectors == 0 ? BALLOT_GRANTED : BALLOT_REFUSED;
    case COUNT_PERCENT:
        return grants * 100 >= counted * rule->percent ? BALLOT_GRANTED : BALLOT_REFUSED;
    case COUNT_MAJORITY:
        if (grants == refusals)
            return rule->on_tie == VOTE_GRANT    ? BALLOT_GRANTED
                   : rule->on_tie == VOTE_RETURN ? BALLOT_RETURNED
                                                 : BALLOT_REFUSED;
        return grants > refusals ? BALLOT_GRANTED : BALLOT_REFUSED;
    }
    abort();
}

/* The ends that can still come (bits), over every way in which those who have not voted do. `gone` is how the departed are
 * counted. A refusal by somebody with a veto is a refusal. */
static unsigned possible(const struct round *r, int stage, enum vote votes[VOTERS], int from,
                         bool is_vetoed, enum vote gone)
{
    static const enum vote WAYS[] = {VOTE_GRANT, VOTE_REFUSE, VOTE_ABSTAIN};
    unsigned ends = 0;

    while (from < r->voter_count &&
           (r->voters[from].stage != stage || r->voters[from].vote != VOTE_NONE))
        from++;
    if (from == r->voter_count)
        return 1u << (is_vetoed ? BALLOT_REFUSED : judged(r, stage, votes));
    for (size_t way = 0; way < 3; way++) {
        votes[from] = r->voters[from].is_gone ? gone : WAYS[way];
        ends |= possible(r, stage, votes, from + 1,
                         is_vetoed || (!r->voters[from].is_gone && r->voters[from].has_veto &&
                                       votes[from] == VOTE_REFUSE),
                         gone);
        if (r->voters[from].is_gone)
            break;
    }
    return ends;
}

static unsigned ends_of(const struct round *r, int stage, enum vote gone)
{
    enum vote votes[VOTERS];

    for (int i = 0; i < r->voter_count; i++)
        votes[i] = r->voters[i].vote;
    return possible(r, stage, votes, 0, false, gone);
}

static enum ballot_end stage_opinion(const struct round *r, int stage)
{
    bool refused = false, returned = false, somebody_left = false;
    unsigned ends;

    for (int i = 0; i < r->voter_count; i++) {
        const struct ballot_voter *voter = &r->voters[i];

        if (voter->stage != stage)
            continue;
        returned = returned || voter->vote == VOTE_RETURN;
        refused = refused || (voter->vote == VOTE_REFUSE &&
                              (r->rules[stage].one_refuse_ends || voter->has_veto));
        somebody_left = somebody_left || (voter->vote == VOTE_NONE && !voter->is_gone);
    }
    if (returned || refused)
        return returned ? BALLOT_RETURNED : BALLOT_REFUSED;
    if (r->rules[stage].waits_for_all && somebody_left)
        return BALLOT_OPEN;
    ends = ends_of(r, stage, VOTE_ABSTAIN);
    if (ends == 1u << BALLOT_GRANTED)
        return BALLOT_GRANTED;
    if (ends == 1u << BALLOT_RETURNED)
        return BALLOT_RETURNED;
    if (ends != 1u << BALLOT_REFUSED)
        return BALLOT_OPEN;
    return (ends_of(r, stage, VOTE_GRANT) & 1u << BALLOT_GRANTED) != 0 ? BALLOT_STUCK
                                                                       : BALLOT_REFUSED;
}

static struct opinion opinion_of(const struct round *r)
{
    struct opinion opinion = {.end = BALLOT_GRANTED};
    bool refused = false, returned = false, stuck = false;

    for (int i = 0; i < r->stage_count; i++) {
        for (int k = 0; k < i; k++) {
            if ((r->rules[i].after >> k & 1) != 0 && opinion.stages[k] != BALLOT_GRANTED)
                opinion.is_waiting[i] = true;
        }
        opinion.stages[i] = opinion.is_waiting[i] ? BALLOT_OPEN : stage_opinion(r, i);
        refused = refused || opinion.stages[i] == BALLOT_REFUSED;
        returned = returned || opinion.stages[i] == BALLOT_RETURNED;
        stuck = stuck || opinion.stages[i] == BALLOT_STUCK;
        if (opinion.stages[i] != BALLOT_GRANTED)
            opinion.end = BALLOT_OPEN;
    }
    if (refused || returned || stuck) /* never two of the first: the round ends with one vote */
        opinion.end = returned ? BALLOT_RETURNED : refused ? BALLOT_REFUSED : BALLOT_STUCK;
    return opinion;
}

/* ---- every order ---- */

static unsigned char visited[STATES];
static long compared;

static size_t code_of(const struct round *r)
{
    size_t code = 0;

    for (int i = 0; i < r->voter_count; i++)
        code = code * CHOICES + (r->voters[i].is_gone && r->voters[i].vote == VOTE_NONE
                                     ? (size_t)GONE
                                     : (size_t)r->voters[i].vote);
    return code;
}

static struct ballot_count count_of(const struct round *r)
{
    struct ballot ballot = {r->rules, r->stage_count, r->voters, r->voter_count};
    struct ballot_count count;

    ballot_count(&ballot, &count);
    return count;
}

static void compare(const struct round *r, const struct ballot_count *count)
{
    struct opinion opinion = opinion_of(r);

    compared++;
    if (count->end != opinion.end)
        print_error("round: %d, by the oracle %d; state %zu\n", (int)count->end, (int)opinion.end,
                    code_of(r));
    assert_int_equal(count->end, opinion.end);
    for (int i = 0; i < r->stage_count; i++) {
        assert_int_equal(count->stages[i].is_waiting, opinion.is_waiting[i]);
        assert_int_equal(count->stages[i].end, opinion.stages[i]);
    }
}

/* What was granted stays granted, whoever votes or leaves. */
static void check_steady(const struct round *r, const struct ballot_count *before,
                         const struct ballot_count *after)
{
    for (int i = 0; i < r->stage_count; i++) {
        if (before->stages[i].end == BALLOT_GRANTED)
            assert_int_equal(after->stages[i].end, BALLOT_GRANTED);
    }
}

/* From here on: whoever may vote votes in each way, whoever has not voted leaves. What was seen in another order is not
 * walked again: all that follows is the same, since the votes are. */
static void walk(struct round *r, const struct ballot_count *before)
{
    struct ballot_count count = count_of(r);

    if (before != NULL)
        check_steady(r, before, &count);
    if (visited[code_of(r)] != 0)
        return;
    visited[code_of(r)] = 1;
    compare(r, &count);
    if (count.end != BALLOT_OPEN)
        return;
    for (int i = 0; i < r->voter_count; i++) {
        struct ballot_voter *voter = &r->voters[i];
        const struct ballot_stage *stage = &count.stages[voter->stage];

        if (voter->vote != VOTE_NONE || voter->is_gone)
            continue;
        for (enum vote vote = VOTE_GRANT;
             vote <= VOTE_ABSTAIN && !stage->is_waiting && stage->end == BALLOT_OPEN; vote++) {
            voter->vote = vote;
            walk(r, &count);
        }
        voter->vote = VOTE_NONE;
        voter->is_gone = r->may_leave;
        if (r->may_leave)
            walk(r, &count);
        voter->is_gone = false;
    }
}

static void check_shape(struct round *r)
{
    struct ballot ballot = {r->rules, r->stage_count, r->voters, r->voter_count};
    bool can = true;
    int stage;

    for (int i = 0; i < r->stage_count; i++)
        can = can && (ends_of(r, i, VOTE_ABSTAIN) & 1u << BALLOT_GRANTED) != 0;
    assert_int_equal(ballot_can_be_granted(&ballot, &stage), can);
    memset(visited, 0, sizeof visited);
    walk(r, NULL);
}

/* ---- shapes ---- */

static const struct ballot_rule COUNTINGS[] = {
    {.counting = COUNT_NEED, .need = 1},
    {.counting = COUNT_NEED, .need = 2},
    {.counting = COUNT_NEED, .need = 3},
    {.counting = COUNT_NEED, .need = 5},
    {.counting = COUNT_ALL, .need = 1},
    {.counting = COUNT_PERCENT, .need = 1, .percent = 1},
    {.counting = COUNT_PERCENT, .need = 1, .percent = 50},
    {.counting = COUNT_PERCENT, .need = 2, .percent = 51},
    {.counting = COUNT_PERCENT, .need = 1, .percent = 66},
    {.counting = COUNT_PERCENT, .need = 1, .percent = 67},
    {.counting = COUNT_PERCENT, .need = 3, .percent = 34},
    {.counting = COUNT_PERCENT, .need = 1, .percent = 100},
    {.counting = COUNT_MAJORITY, .need = 1, .on_tie = VOTE_REFUSE},
    {.counting = COUNT_MAJORITY, .need = 2, .on_tie = VOTE_GRANT},
    {.counting = COUNT_MAJORITY, .need = 1, .on_tie = VOTE_GRANT},
    {.counting = COUNT_MAJORITY, .need = 1, .on_tie = VOTE_RETURN},
};
enum { COUNTING_COUNT = sizeof COUNTINGS / sizeof COUNTINGS[0] };

/* Weights, required groups and vetoes by voter; a group of nobody cannot be met. */
static const struct {
    int64_t weights[VOTERS];
    uint32_t groups[VOTERS];
    int require_count;
    bool vetoes[VOTERS];
} HOUSES[] = {
    {.weights = {1, 1, 1, 1, 1, 1}},
    {.weights = {2, 1, 1, 1, 1, 1}, .vetoes = {true}},
    {.weights = {3, 2, 2, 1, 1, 1}},
    {.weights = {1, 1, 1, 1, 1, 1}, .groups = {1}, .require_count = 1},
    {.weights = {1, 2, 1, 2, 1, 1},
     .groups = {3, 1, 2},
     .require_count = 2,
     .vetoes = {0, true, true}},
    {.weights = {5, 1, 1, 1, 1, 1}, .groups = {0, 1}, .require_count = 1},
};
enum { HOUSE_COUNT = sizeof HOUSES / sizeof HOUSES[0] };

/* Voters `from` and after belong to the stage. */
static void add_stage(struct round *r, const struct ballot_rule *counting, int house, int voters,
                      bool waits, bool one_refuse_ends, uint32_t after)
{
    struct ballot_rule *rule = &r->rules[r->stage_count];

    *rule = *counting;
    rule->waits_for_all = waits;
    rule->one_refuse_ends = one_refuse_ends;
    rule->after = after;
    rule->require_count = HOUSES[house].require_count;
    for (int i = 0; i < voters; i++)
        r->voters[r->voter_count++] = (struct ballot_voter){.stage = r->stage_count,
                                                            .weight = HOUSES[house].weights[i],
                                                            .groups = HOUSES[house].groups[i],
                                                            .has_veto = HOUSES[house].vetoes[i]};
    r->stage_count++;
}

static void every_stage_alone_of_up_to_four_who_may_leave(void **state)
{
    (void)state;
    for (int shape = 0; shape < COUNTING_COUNT * HOUSE_COUNT * 4 * 4; shape++) {
        struct round r = {.may_leave = true};

        add_stage(&r, &COUNTINGS[shape / 16 % COUNTING_COUNT], shape / 16 / COUNTING_COUNT,
                  shape % 4 + 1, (shape / 4 & 1) != 0, (shape / 8 & 1) != 0, 0);
        check_shape(&r);
    }
}

static void every_stage_alone_of_five_and_six(void **state)
{
    (void)state;
    for (int shape = 0; shape < COUNTING_COUNT * HOUSE_COUNT; shape++) {
        struct round r = {0};

        add_stage(&r, &COUNTINGS[shape % COUNTING_COUNT], shape / COUNTING_COUNT,
                  5 + (shape + shape / COUNTING_COUNT) % 2, shape % 3 == 0, shape % 5 == 0, 0);
        check_shape(&r);
    }
}

/* Two stages one after the other, or side by side. */
static void every_pair_of_stages(void **state)
{
    static const int SIZES[][2] = {{1, 1}, {2, 2}, {3, 3}, {2, 4}, {4, 2}};

    (void)state;
    for (int shape = 0; shape < COUNTING_COUNT * COUNTING_COUNT * 2; shape++) {
        int first = shape / 2 % COUNTING_COUNT, second = shape / 2 / COUNTING_COUNT;
        const int *sizes = SIZES[(first + 3 * second) % 5];
        struct round r = {.may_leave = sizes[0] + sizes[1] <= 4};

        add_stage(&r, &COUNTINGS[first], (first + second) % HOUSE_COUNT, sizes[0], shape % 3 == 0,
                  shape % 5 != 0, 0);
        add_stage(&r, &COUNTINGS[second], second % HOUSE_COUNT, sizes[1], shape % 7 == 0,
                  shape % 4 != 0, shape % 2 == 0 ? 1 : 0);
        check_shape(&r);
    }
}

/* Two at once and one that waits for both; and three in a row. */
static void every_three_stages_of_two(void **state)
{
    (void)state;
    for (int shape = 0; shape < COUNTING_COUNT * COUNTING_COUNT * 2; shape++) {
        int first = shape / 2 % COUNTING_COUNT, last = shape / 2 / COUNTING_COUNT;
        bool is_row = shape % 2 == 0;
        struct round r = {0};

        add_stage(&r, &COUNTINGS[first], first % HOUSE_COUNT, 2, false, shape % 3 != 0, 0);
        add_stage(&r, &COUNTINGS[(first + last) % COUNTING_COUNT], 0, 2, shape % 5 == 0, true,
                  is_row ? 1 : 0);
        add_stage(&r, &COUNTINGS[last], last % HOUSE_COUNT, 2, false, false, is_row ? 2 : 3);
        check_shape(&r);
    }
}

/* ---- the words of the header, as examples ---- */

static struct round board(int voters, const struct ballot_rule *rule)
{
    struct round r = {0};

    add_stage(&r, rule, 0, voters, false, false, 0);
    return r;
}

static void two_thirds_are_rounded_up_and_abstaining_takes_somebody_out(void **state)
{
    struct round r =
        board(4, &(struct ballot_rule){.counting = COUNT_PERCENT, .need = 2, .percent = 66});

    (void)state;
    assert_int_equal(count_of(&r).stages[0].needed, 3);
    r.voters[0].vote = VOTE_ABSTAIN;
    assert_int_equal(count_of(&r).stages[0].needed, 2);
    r.voters[1].vote = VOTE_ABSTAIN;
    r.voters[2].vote = VOTE_ABSTAIN;
    assert_int_equal(count_of(&r).stages[0].needed, 2); /* not below `need` */
    assert_int_equal(count_of(&r).end, BALLOT_REFUSED);
}

static void a_tie_is_told_from_a_defeat(void **state)
{
    struct round r = board(
        4, &(struct ballot_rule){.counting = COUNT_MAJORITY, .need = 1, .on_tie = VOTE_RETURN});

    (void)state;
    r.voters[0].vote = r.voters[1].vote = VOTE_GRANT;
    r.voters[2].vote = VOTE_REFUSE;
    assert_int_equal(count_of(&r).end, BALLOT_OPEN);
    r.voters[3].vote = VOTE_REFUSE;
    assert_int_equal(count_of(&r).end, BALLOT_RETURNED);
    assert_true(count_of(&r).is_tie);
    r.voters[0].vote = VOTE_REFUSE;
    assert_int_equal(count_of(&r).end, BALLOT_REFUSED);
    assert_false(count_of(&r).is_tie);
}

static void a_veto_is_not_outrun(void **state)
{
    struct round r = board(3, &(struct ballot_rule){.counting = COUNT_NEED, .need = 1});

    (void)state;
    r.voters[2].has_veto = true;
    r.voters[0].vote = VOTE_GRANT;
    assert_int_equal(count_of(&r).end, BALLOT_OPEN);
    r.voters[2].vote = VOTE_ABSTAIN;
    assert_int_equal(count_of(&r).end, BALLOT_GRANTED);
    r.voters[2].vote = VOTE_REFUSE;
    assert_int_equal(count_of(&r).end, BALLOT_REFUSED);
}

static void who_left_refuses_nothing(void **state)
{
    struct round r = board(2, &(struct ballot_rule){.counting = COUNT_NEED, .need = 2});

    (void)state;
    r.voters[1].is_gone = true;
    assert_int_equal(count_of(&r).end, BALLOT_STUCK);
    r.voters[0].vote = VOTE_REFUSE;
    assert_int_equal(count_of(&r).end, BALLOT_REFUSED);
}

static void the_oracle_was_asked_often_enough(void **state)
{
    (void)state;
    print_message("%ld positions compared\n", compared);
    assert_true(compared > 500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_thirds_are_rounded_up_and_abstaining_takes_somebody_out),
        cmocka_unit_test(a_tie_is_told_from_a_defeat),
        cmocka_unit_test(a_veto_is_not_outrun),
        cmocka_unit_test(who_left_refuses_nothing),
        cmocka_unit_test(every_stage_alone_of_up_to_four_who_may_leave),
        cmocka_unit_test(every_stage_alone_of_five_and_six),
        cmocka_unit_test(every_pair_of_stages),
        cmocka_unit_test(every_three_stages_of_two),
        cmocka_unit_test(the_oracle_was_asked_often_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
