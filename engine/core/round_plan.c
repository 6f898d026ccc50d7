/* round_plan.c - who votes in which stage of a round: decided and frozen when it opens, read again from its row.
 *
 * A round's row says who was asked (`ask`), how many that needs (`need`), and `votes`. Where it is more than one stage in
 * which a number must grant and one refusal ends it, `stages` says the rest, in the order in which they were declared:
 *
 *     {name, after, ask, counting, need, percent, closing, one_refuse_ends, on_tie, require, veto, weights, meaning}
 *
 * and `stage` how each stands: name -> {state, began_ms, closed_ms}. What a setting leaves at its preset is not written.
 * It is frozen so that no change of the directory or of the pack changes what an open round means.
 *
 * Who votes in the place of somebody else who was asked has his vote under his own name in `votes`; `delegates` says whose
 * place it was: person asked -> who voted. `asked` says of whom it is asked instead as long as nobody did.
 *
 * A person votes once in a round (SOD-2). Somebody whom several stages would ask is asked in the first that gives him a
 * veto, else in the first; unless a later one could then not be granted, and the earlier one can without him.
 */
#include "core/inside.h"

#include "base/check.h"

static const char *const COUNTINGS[] = {[COUNT_NEED] = "need",
                                        [COUNT_ALL] = "all",
                                        [COUNT_PERCENT] = "percent",
                                        [COUNT_MAJORITY] = "majority"};

/* ---- from a row ---- */

static const struct value *item(const struct value *list, uint32_t i)
{
    return value_is(list, VALUE_ARRAY) && i < list->count ? &list->as.items[i] : NULL;
}

static uint32_t length(const struct value *list)
{
    return value_is(list, VALUE_ARRAY) ? list->count : 0;
}

static enum counting counting_of(struct slice name)
{
    for (size_t i = 0; i < sizeof COUNTINGS / sizeof COUNTINGS[0]; i++) {
        if (slice_is(name, COUNTINGS[i]))
            return (enum counting)i;
    }
    return COUNT_NEED;
}

static enum vote vote_of(struct slice name)
{
    for (enum vote vote = VOTE_GRANT; vote <= VOTE_ABSTAIN; vote++) {
        if (slice_is(name, vote_name(vote)))
            return vote;
    }
    return VOTE_NONE;
}

static struct ballot_rule rule_of(const struct value *stage, int64_t need)
{
    enum vote on_tie = vote_of(value_get_text(stage, "on_tie"));

    return (struct ballot_rule){
        .after = (uint32_t)value_get_int(stage, "after", 0),
        .counting = counting_of(value_get_text(stage, "counting")),
        .need = value_get_int(stage, "need", need),
        .percent = (int)value_get_int(stage, "percent", 0),
        .waits_for_all = slice_is(value_get_text(stage, "closing"), "all"),
        .one_refuse_ends = value_get_bool(stage, "one_refuse_ends", true),
        .on_tie = on_tie == VOTE_NONE ? VOTE_REFUSE : on_tie,
        .require_count = (int)length(value_get(stage, "require")),
    };
}

static struct slice text_at(const struct value *map, struct slice key)
{
    const struct value *text = value_find(map, key);

    return value_is(text, VALUE_STR) ? value_slice(text) : slice_of(NULL, 0);
}

static struct ballot_voter voter_of(struct core *core, const struct value *round,
                                    const struct value *stage, int index, struct slice name)
{
    const struct value *groups = value_get(stage, "require");
    const struct value *weight = value_find(value_get(stage, "weights"), name);
    const struct value *vote = value_find(value_get(round, "votes"), name);
    struct ballot_voter voter = {.stage = index, .weight = 1};

    if (value_is(weight, VALUE_INT))
        voter.weight = weight->as.number;
    if (vote == NULL)
        vote = value_find(value_get(round, "votes"), text_at(value_get(round, "delegates"), name));
    if (value_is(vote, VALUE_STR))
        voter.vote = vote_of(value_slice(vote));
    voter.is_gone = !authority_is_here(core, name) || round_bars(round, name);
    voter.has_veto = value_has_text(value_get(stage, "veto"), name);
    for (uint32_t i = 0; i < length(groups); i++)
        voter.groups |= value_has_text(item(groups, i), name) ? 1u << i : 0;
    return voter;
}

static void add_stage(struct core *core, const struct value *round, const struct value *stage,
                      struct round_ballot *out)
{
    const struct value *ask = value_get(stage != NULL ? stage : round, "ask");
    int index = out->ballot.stage_count++;

    out->rules[index] = rule_of(stage, value_get_int(round, "need", 1));
    for (uint32_t i = 0; i < length(ask); i++) {
        struct slice name = value_slice(item(ask, i));

        out->names[out->ballot.voter_count] = name;
        out->voters[out->ballot.voter_count++] = voter_of(core, round, stage, index, name);
    }
}

static uint32_t asked_in_all(const struct value *round)
{
    const struct value *stages = value_get(round, "stages");
    uint32_t count = length(stages) == 0 ? length(value_get(round, "ask")) : 0;

    for (uint32_t i = 0; i < length(stages); i++)
        count += length(value_get(item(stages, i), "ask"));
    return count;
}

void round_ballot(struct core *core, const struct value *round, struct round_ballot *out)
{
    const struct value *stages = value_get(round, "stages");
    uint32_t count = asked_in_all(round);

    *out = (struct round_ballot){0};
    out->voters = arena_take(core->arena, sizeof *out->voters * (count + 1));
    out->names = arena_take(core->arena, sizeof *out->names * (count + 1));
    out->ballot.rules = out->rules;
    out->ballot.voters = out->voters;
    check(length(stages) <= APPROVAL_STAGES_MAX);
    for (uint32_t i = 0; i < length(stages); i++)
        add_stage(core, round, item(stages, i), out);
    if (length(stages) == 0)
        add_stage(core, round, NULL, out);
}

int round_voter(const struct round_ballot *ballot, struct slice person)
{
    for (int i = 0; i < ballot->ballot.voter_count; i++) {
        if (slice_equal(ballot->names[i], person))
            return i;
    }
    return MODEL_NONE;
}

const struct value *round_stage(const struct value *round, struct slice person)
{
    const struct value *stages = value_get(round, "stages");

    for (uint32_t i = 0; i < length(stages); i++) {
        if (value_has_text(value_get(item(stages, i), "ask"), person))
            return item(stages, i);
    }
    return NULL;
}

struct slice round_stage_state(const struct value *round, const struct value *stage)
{
    const struct value *stands =
        value_find(value_get(round, "stage"), value_get_text(stage, "name"));

    return stage == NULL ? value_get_text(round, "state") : value_get_text(stands, "state");
}

bool round_has_vote_of(const struct value *round, struct slice person)
{
    return value_find(value_get(round, "votes"), person) != NULL ||
           value_find(value_get(round, "delegates"), person) != NULL;
}

int round_check_delegate(struct core *core, const struct value *round, struct slice actor)
{
    bool has_voted = value_find(value_get(round, "votes"), actor) != NULL;

    if (!has_voted && !value_has_text(value_get(round, "ask"), actor))
        return 0;
    return run_refuse_apart(
        core, SIGNATURES_RULE,
        "%.*s %s in this round, and one person votes once in it, whoever they stand "
        "in for (" SIGNATURES_RULE ": separation of duties).",
        (int)actor.len, (const char *)actor.at, has_voted ? "has voted" : "is asked himself");
}

bool round_bars(const struct value *round, struct slice person)
{
    return value_find(value_get(round, "barred"), person) != NULL;
}

bool round_waits_for(const struct value *round, struct slice person)
{
    return value_has_text(value_get(round, "ask"), person) && !round_has_vote_of(round, person) &&
           !round_bars(round, person) && slice_is(value_get_text(round, "state"), "open") &&
           slice_is(round_stage_state(round, round_stage(round, person)), "open");
}

bool round_may_vote(const struct value *round, const struct transition *transition,
                    struct slice person)
{
    if (transition->vote == VOTE_RETURN && !value_has_text(value_get(round, "ask"), person))
        return slice_is(value_get_text(round, "state"), "open") &&
               value_find(value_get(round, "votes"), person) == NULL;
    return round_waits_for(round, person);
}

/* ---- when it opens ---- */

struct plan {
    const struct approval *approval;         /* its stages that count in this round */
    bool is_short;                           /* it was declared as one stage */
    struct value could[APPROVAL_STAGES_MAX]; /* people whom the stage would ask */
    struct value ask[APPROVAL_STAGES_MAX];   /* whom it does ask */
    int64_t need[APPROVAL_STAGES_MAX];
};

/* What waits for a stage that is left out waits for what that one waited for. */
static uint32_t waits_for(const struct approval *approval, const int place[APPROVAL_STAGES_MAX],
                          uint32_t after)
{
    uint32_t out = 0;

    for (int i = 0; i < approval->stage_count; i++) {
        if ((after & 1u << i) == 0)
            continue;
        if (place[i] != MODEL_NONE)
            out |= 1u << place[i];
        else
            out |= waits_for(approval, place, approval->stages[i].after);
    }
    return out;
}

/* Does the stage count in this round? A condition that cannot be told leaves nobody out: then it is not opened. */
static int is_present(struct core *core, const struct subject *subject, struct slice event,
                      struct slice actor, const struct approval_stage *stage, bool *out)
{
    struct value scope, holds = VALUE_NONE;

    *out = stage->when == NULL;
    if (stage->when == NULL)
        return 0;
    scope = scope_of(core, subject, event, actor, NULL, expr_uses(stage->when));
    if (scope_eval(core, stage->when, &scope, &holds, NULL) != 0 || !value_is(&holds, VALUE_BOOL))
        return run_refuse(core, 422, "guard-failed",
                          "Whether stage %s of this approval is needed cannot be told: %s (a field "
                          "it reads is empty).",
                          stage->name, expr_text(stage->when));
    *out = holds.as.number != 0;
    return 0;
}

/* The approval with the stages whose condition holds for the record as it is now. */
static int present_stages(struct core *core, const struct subject *subject, struct slice event,
                          struct slice actor, struct approval *made)
{
    const struct approval *whole = subject->kind->approval;
    int place[APPROVAL_STAGES_MAX];
    bool is_needed;

    *made = *whole;
    made->stages = arena_take(core->arena, sizeof *made->stages * (size_t)(whole->stage_count + 1));
    made->stage_count = 0;
    for (int i = 0; i < whole->stage_count; i++) {
        place[i] = MODEL_NONE;
        if (is_present(core, subject, event, actor, &whole->stages[i], &is_needed) != 0)
            return -1;
        if (!is_needed)
            continue;
        place[i] = made->stage_count;
        made->stages[made->stage_count] = whole->stages[i];
        made->stages[made->stage_count++].after = waits_for(whole, place, whole->stages[i].after);
    }
    if (made->stage_count > 0)
        return 0;
    return run_refuse(core, 422, "guard-failed",
                      "This approval asks nobody: with the present content none of its stages is "
                      "needed.");
}

/* Everyone the stage's words mean who may grant: authority knows who is kept apart. */
static struct value grantors(struct core *core, const struct subject *subject,
                             const struct transition *grant, const struct words *ask)
{
    struct value people = value_array(), out = value_array(), round = value_map();
    struct subject seen = *subject;
    const char *sentence = "";

    authority_people_of(core, subject, ask, &people);
    value_set(core->arena, &round, "ask", people);
    seen.round = &round;
    for (uint32_t i = 0; i < people.count; i++) {
        if (authority_transition(core, value_slice(&people.as.items[i]), &seen, grant, &sentence) ==
            PERMIT)
            value_push(core->arena, &out, people.as.items[i]);
    }
    return out;
}

static bool means(struct core *core, const struct subject *subject, const struct words *words,
                  struct slice person)
{
    struct value people = value_array();

    authority_people_of(core, subject, words, &people);
    return value_has_text(&people, person);
}

static int first_stage(struct core *core, const struct subject *subject, const struct plan *plan,
                       struct slice person)
{
    const struct approval *approval = plan->approval;
    int first = MODEL_NONE;

    for (int i = approval->stage_count - 1; i >= 0; i--) {
        if (value_has_text(&plan->could[i], person))
            first = i;
    }
    for (int i = 0; i < approval->stage_count; i++) {
        if (value_has_text(&plan->could[i], person) &&
            means(core, subject, &approval->stages[i].veto, person))
            return i;
    }
    return first;
}

static void assign(struct core *core, const struct subject *subject, struct plan *plan)
{
    for (int i = 0; i < plan->approval->stage_count; i++) {
        for (uint32_t k = 0; k < plan->could[i].count; k++) {
            const struct value *person = &plan->could[i].as.items[k];

            if (first_stage(core, subject, plan, value_slice(person)) == i)
                value_push(core->arena, &plan->ask[i], *person);
        }
    }
}

/* ---- the plan as a row ---- */

/* Those of `asked` whom the words mean. */
static struct value meant(struct core *core, const struct subject *subject,
                          const struct words *words, const struct value *asked)
{
    struct value people = value_array(), out = value_array();

    authority_people_of(core, subject, words, &people);
    for (uint32_t i = 0; i < asked->count; i++) {
        if (value_has_text(&people, value_slice(&asked->as.items[i])))
            value_push(core->arena, &out, asked->as.items[i]);
    }
    return out;
}

static struct value weights_of(struct core *core, const struct subject *subject,
                               const struct approval_stage *stage, const struct value *asked)
{
    struct value weights = value_map();

    for (int i = 0; i < stage->weight_count; i++) {
        struct value people =
            meant(core, subject, &(struct words){&stage->weights[i].who, 1}, asked);

        for (uint32_t k = 0; k < people.count; k++) {
            struct slice person = value_slice(&people.as.items[k]);
            const struct value *before = value_find(&weights, person);

            if (before == NULL || before->as.number < stage->weights[i].weight)
                value_put(core->arena, &weights, person, value_int(stage->weights[i].weight));
        }
    }
    return weights;
}

static void put_people(struct core *core, const struct subject *subject, const struct plan *plan,
                       int index, struct value *out)
{
    const struct approval_stage *stage = &plan->approval->stages[index];
    const struct value *asked = &plan->ask[index];
    struct value require = value_array();

    value_set(core->arena, out, "ask", *asked);
    for (int i = 0; i < stage->require.count; i++)
        value_push(core->arena, &require,
                   meant(core, subject, &(struct words){&stage->require.at[i], 1}, asked));
    if (require.count > 0)
        value_set(core->arena, out, "require", require);
    if (stage->veto.count > 0)
        value_set(core->arena, out, "veto", meant(core, subject, &stage->veto, asked));
    if (stage->weight_count > 0)
        value_set(core->arena, out, "weights", weights_of(core, subject, stage, asked));
}

static struct value stage_value(struct core *core, const struct subject *subject,
                                const struct plan *plan, int index)
{
    const struct approval_stage *stage = &plan->approval->stages[index];
    struct value out = value_map();

    value_set(core->arena, &out, "name", value_str(stage->name));
    value_set(core->arena, &out, "counting", value_str(COUNTINGS[stage->counting]));
    value_set(core->arena, &out, "need", value_int(plan->need[index]));
    value_set(core->arena, &out, "meaning", value_str(stage->meaning));
    if (stage->after != 0)
        value_set(core->arena, &out, "after", value_int((int64_t)stage->after));
    if (stage->counting == COUNT_PERCENT)
        value_set(core->arena, &out, "percent", value_int(stage->percent));
    if (stage->counting == COUNT_MAJORITY)
        value_set(core->arena, &out, "on_tie", value_str(vote_name(plan->approval->on_tie)));
    if (stage->waits_for_all)
        value_set(core->arena, &out, "closing", value_str("all"));
    if (!stage->one_refuse_ends)
        value_set(core->arena, &out, "one_refuse_ends", value_bool(false));
    put_people(core, subject, plan, index, &out);
    return out;
}

/* One stage in which so many must grant, and one refusal ends it: its row needs no more than it ever did. */
static bool is_plain(const struct plan *plan)
{
    const struct approval_stage *stage = &plan->approval->stages[0];

    return plan->is_short && stage->counting == COUNT_NEED && stage->veto.count == 0 &&
           stage->require.count == 0 && stage->weight_count == 0 && !stage->waits_for_all &&
           stage->one_refuse_ends;
}

static struct value plan_value(struct core *core, const struct subject *subject,
                               const struct plan *plan)
{
    struct value round = value_map(), stages = value_array(), ask = value_array();

    for (int i = 0; i < plan->approval->stage_count; i++) {
        value_push(core->arena, &stages, stage_value(core, subject, plan, i));
        for (uint32_t k = 0; k < plan->ask[i].count; k++)
            value_push(core->arena, &ask, plan->ask[i].as.items[k]);
    }
    value_set(core->arena, &round, "need", value_int(plan->need[0]));
    value_set(core->arena, &round, "ask", ask);
    /* Of one that goes together with others it must be said that it is granted, and waits. */
    if (!is_plain(plan) || value_get(subject->row, "bundle") != NULL)
        value_set(core->arena, &round, "stages", stages);
    return round;
}

/* ---- can it be granted? ---- */

/* Moves one person from an earlier choice to the stage that lacks somebody, if the other can spare him. */
static bool move_one(struct core *core, const struct subject *subject, struct plan *plan, int lacks)
{
    for (uint32_t k = 0; k < plan->could[lacks].count; k++) {
        struct value person = plan->could[lacks].as.items[k];

        for (int from = 0; from < plan->approval->stage_count; from++) {
            struct value before = plan->ask[from], fewer = value_array(), round;
            struct round_ballot ballot;

            if (from == lacks || !value_has_text(&before, value_slice(&person)))
                continue;
            for (uint32_t i = 0; i < before.count; i++) {
                if (!slice_equal(value_slice(&before.as.items[i]), value_slice(&person)))
                    value_push(core->arena, &fewer, before.as.items[i]);
            }
            plan->ask[from] = fewer;
            round = plan_value(core, subject, plan);
            round_ballot(core, &round, &ballot);
            if (ballot_stage_can_be_granted(&ballot.ballot, from)) {
                value_push(core->arena, &plan->ask[lacks], person);
                return true;
            }
            plan->ask[from] = before;
        }
    }
    return false;
}

/* The role among those words that nobody holds; NULL if there is none. */
static const char *unheld(struct core *core, const struct subject *subject,
                          const struct words *words)
{
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));

    for (int i = 0; i < words->count; i++) {
        struct words one = {&words->at[i], 1};
        struct value people = value_array();

        authority_people_of(core, subject, &one, &people);
        for (int r = 0; pack != NULL && r < pack->role_count && people.count == 0; r++) {
            if (strcmp(pack->roles[r].name, words->at[i]) == 0)
                return words->at[i];
        }
    }
    return NULL;
}

static int refuse_unheld(struct core *core, const char *role)
{
    return run_refuse(core, 422, "role-unheld",
                      "This approval cannot be granted: nobody holds the role %s, whose signature "
                      "it takes. The ISMS manager is told; once somebody holds it, try again.",
                      role);
}

/* Too few may sign in the stage, or what they weigh is too little. */
static int refuse_weight(struct core *core, const char *stage, int64_t needed, uint32_t people,
                         int64_t weight)
{
    bool is_counted = weight == (int64_t)people; /* each weighs 1 */
    const char *takes =
        is_counted ? (needed == 1 ? "signature" : "signatures") : "votes, as they are weighted";
    struct slice may = slice_str("nobody may sign");

    if (people > 0)
        may = is_counted ? textf(core, "%u %s may sign", people, people == 1 ? "person" : "people")
                         : textf(core, "those who may sign have %lld", (long long)weight);
    return run_refuse(core, 422, "guard-failed",
                      "This approval cannot be granted: its stage %s takes %lld %s, and %.*s once "
                      "those who wrote it are left out (each person votes in one stage only). Name "
                      "more people in the directory.",
                      stage, (long long)needed, takes, (int)may.len, (const char *)may.at);
}

static int refuse_plan(struct core *core, const struct subject *subject, const struct plan *plan,
                       const struct value *round, const struct round_ballot *ballot, int stage)
{
    const struct value *require =
        value_get(item(value_get(round, "stages"), (uint32_t)stage), "require");
    const struct approval_stage *model = &plan->approval->stages[stage];
    const char *role = plan->could[stage].count == 0 ? unheld(core, subject, &model->ask) : NULL;
    struct ballot_count count;
    int64_t weight = 0;

    if (role != NULL || (role = unheld(core, subject, &model->require)) != NULL)
        return refuse_unheld(core, role);
    for (uint32_t i = 0; i < length(require); i++) {
        if (item(require, i)->count == 0)
            return run_refuse(core, 422, "guard-failed",
                              "This approval cannot be granted: its stage %s takes a signature of "
                              "%s, and nobody of those who may give one stands as that.",
                              model->name, model->require.at[i]);
    }
    if (is_plain(plan))
        return run_refuse(
            core, 422, "guard-failed",
            "This approval cannot be granted: it needs %lld signatures and %u people may "
            "give one once those who wrote it are left out. Name more people in the "
            "directory.",
            (long long)plan->need[stage], plan->ask[stage].count);
    for (int i = 0; i < ballot->ballot.voter_count; i++)
        weight += ballot->voters[i].stage == stage ? ballot->voters[i].weight : 0;
    ballot_count(&ballot->ballot, &count);
    return refuse_weight(core, model->name, count.stages[stage].needed, plan->ask[stage].count,
                         weight);
}

static int make_grantable(struct core *core, const struct subject *subject, struct plan *plan,
                          struct value *out)
{
    struct round_ballot ballot;
    int stage;

    for (uint32_t tries = 0; tries <= PLAN_MOVES_MAX; tries++) {
        *out = plan_value(core, subject, plan);
        round_ballot(core, out, &ballot);
        if (ballot_can_be_granted(&ballot.ballot, &stage))
            return 0;
        if (tries == PLAN_MOVES_MAX || !move_one(core, subject, plan, stage))
            break;
    }
    return refuse_plan(core, subject, plan, out, &ballot, stage);
}

static int64_t needed(struct core *core, const struct subject *subject, struct slice event,
                      struct slice actor, struct expr *need)
{
    struct value scope, given = VALUE_NONE;

    if (need == NULL)
        return 1;
    scope = scope_of(core, subject, event, actor, NULL, expr_uses(need));
    if (scope_eval(core, need, &scope, &given, NULL) != 0 || given.type != VALUE_INT)
        return -1;
    return given.as.number;
}

int round_plan(struct core *core, const struct subject *subject, const struct transition *opening,
               const struct transition *grant, struct slice actor, struct value *out)
{
    struct slice event = slice_str(opening->event);
    struct approval present;
    struct plan plan = {.approval = &present,
                        .is_short = subject->kind->approval->stage_count == 1};

    if (present_stages(core, subject, event, actor, &present) != 0)
        return -1;
    for (int i = 0; i < plan.approval->stage_count; i++) {
        const struct approval_stage *stage = &plan.approval->stages[i];

        plan.could[i] = grantors(core, subject, grant, &stage->ask);
        plan.ask[i] = value_array();
        plan.need[i] = needed(core, subject, event, actor, stage->need);
        if (plan.need[i] < 1)
            return run_refuse(core, 422, "guard-failed",
                              "This approval cannot be granted: how many signatures it needs (%s) "
                              "comes to no number of at least 1 with the present content.",
                              expr_text(stage->need));
    }
    assign(core, subject, &plan);
    return make_grantable(core, subject, &plan, out);
}
