/* round.c - approval rounds: who is asked over which content, and when it is decided.
 *
 *     opened ──all stages granted────> granted ─┐
 *       │ ├────one stage refused─────> refused ─├─> the record moves as the row of that vote says
 *       │ ├────return────────────────> returned ┘
 *       │ ├────its time is over──────> as `on_expiry` says; else expired: the record can be edited again
 *       └──────edit, another event, or nobody is left who could grant it──> void: its votes count no more
 *
 * A vote is bound to the digest that the round was opened over. What was granted stays in the journal; a void round
 * never counts. What the votes come to is decided in ballot.c, and who votes where in round_plan.c; here it is asked,
 * written down and acted upon.
 *
 * A stage's people are asked when it begins. Nobody votes in a stage that has not begun or is decided: a signature that
 * counts for nothing has no place in the journal.
 */
#include "core/inside.h"

enum { RECOUNT_PAGE = 200 }; /* rounds that one question lets recount; less than RUN_FOLLOW_MAX */

static struct slice round_key(struct core *core, struct slice record, int64_t n)
{
    return textf(core, "%.*s/round/%lld", (int)record.len, (const char *)record.at, (long long)n);
}

const struct transition *row_of_vote(const struct subject *subject, enum vote vote)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    int state = kind_state_index(subject->kind, value_get_text(subject->row, "state"));

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].vote == vote && state != MODEL_NONE &&
            lifecycle->transitions[i].from[state])
            return &lifecycle->transitions[i];
    }
    return NULL;
}

/* ---- asking ---- */

struct asks { /* what asking changes in the round's row, person -> ... */
    struct value tasks, asked;
    struct value taken; /* array: people of whom nothing can be asked in somebody else's place */
};

static struct asks asks_of(struct core *core, const struct value *round)
{
    const struct value *ask = value_get(round, "ask"), *votes = value_get(round, "votes");
    struct asks asks = {value_map(), value_map(), value_array()};

    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++)
        value_push(core->arena, &asks.taken, ask->as.items[i]);
    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++)
        value_push(core->arena, &asks.taken, value_text(votes->as.pairs[i].key));
    return asks;
}

/* What goes together with the record is decided by one command: can the delegate give it for each of those in which the
 * person is waited for, and is he asked in none of them himself? */
static bool may_beside(struct core *core, const struct subject *subject, struct slice delegate,
                       struct slice person)
{
    struct value others = rounds_beside(core, subject, person);
    const char *sentence = "";
    struct subject other;

    for (uint32_t i = 0; i < others.count; i++) {
        const struct transition *grant;

        if (!subject_find(core, value_slice(&others.as.items[i]), &other))
            continue;
        grant = row_of_vote(&other, VOTE_GRANT);
        if (value_has_text(value_get(other.round, "ask"), delegate) ||
            value_find(value_get(other.round, "votes"), delegate) != NULL || grant == NULL ||
            authority_in_place(core, delegate, person, &other, grant, &sentence, NULL) != PERMIT)
            return false;
    }
    return true;
}

/* Of whom it is asked what `person` is asked: of a delegate, if there is one who may vote in their place. */
static struct slice ask_whom(struct core *core, const struct subject *subject, struct slice person,
                             struct asks *asks, struct slice *number)
{
    const struct transition *grant = row_of_vote(subject, VOTE_GRANT);
    struct value taken = value_copy(core->arena, &asks->taken);
    struct slice delegate = {NULL, 0};

    if (grant != NULL)
        delegate = authority_delegate(core, person, subject, grant, &taken, number);
    while (delegate.len > 0 && !may_beside(core, subject, delegate, person)) {
        value_push(core->arena, &taken, value_text(delegate));
        delegate = authority_delegate(core, person, subject, grant, &taken, number);
    }
    if (delegate.len == 0)
        return person;
    value_push(core->arena, &asks->taken, value_text(delegate));
    return delegate;
}

/* ---- one request for all that goes together ----
 *
 * Whoever is asked in several rounds of a bundle votes in all of them by one command: one request is enough, as long as it has not
 * gone out yet. The rounds name the same task; it belongs to one of them until that one asks no more, and then to another. */

/* Is the person's word still missing in a stage that is open, as the votes stand? */
static bool is_missing(struct core *core, const struct value *round, struct slice person)
{
    struct round_ballot ballot;
    struct ballot_count count;
    int voter;

    if (round == NULL || !round_waits_for(round, person))
        return false;
    round_ballot(core, round, &ballot);
    ballot_count(&ballot.ballot, &count);
    voter = round_voter(&ballot, person);
    return voter != MODEL_NONE && count.stages[ballot.voters[voter].stage].end == BALLOT_OPEN;
}

/* The number of the request that asks `whom` in the place of `person` in the round of another record of the bundle. */
static bool asks_already(struct core *core, const struct subject *other, struct slice person,
                         struct slice whom, int64_t *task)
{
    const struct value *number = value_find(value_get(other->round, "tasks"), person), *row;

    if (!value_is(number, VALUE_INT) || !is_missing(core, other->round, person))
        return false;
    *task = number->as.number;
    row = state_row(core->state, task_key(core, *task));
    return row != NULL && slice_is(value_get_text(row, "state"), "open") &&
           slice_equal(value_get_text(value_get(row, "input"), "person"), whom);
}

static int64_t request_beside(struct core *core, const struct subject *subject, struct slice person,
                              struct slice whom)
{
    struct value others = bundle_others(core, subject);
    struct subject other;
    int64_t task;

    for (uint32_t i = 0; i < others.count; i++) {
        if (subject_find(core, value_slice(&others.as.items[i]), &other) &&
            asks_already(core, &other, person, whom, &task))
            return task;
    }
    return 0;
}

/* The round of `subject` asks the person no more. Another that does keeps the request. */
static void release_request(struct core *core, const struct subject *subject, struct slice person,
                            int64_t task, struct value *effects)
{
    struct value others = bundle_others(core, subject), *patch;
    struct subject other;

    for (uint32_t i = 0; i < others.count; i++) {
        const struct value *kept;

        if (!subject_find(core, value_slice(&others.as.items[i]), &other) ||
            !is_missing(core, other.round, person))
            continue;
        kept = value_find(value_get(other.round, "tasks"), person);
        if (!value_is(kept, VALUE_INT) || kept->as.number != task ||
            state_row(core->state, task_key(core, task)) == NULL)
            continue;
        patch = run_patch(core, effects, task_key(core, task));
        value_set(core->arena, patch, "record", value_text(other.id));
        value_set(core->arena, patch, "kind", value_str(other.kind->name));
        value_set(core->arena, value_sub(core->arena, patch, slice_str("input")), "round",
                  *value_get(other.round, "n"));
        return;
    }
    task_remove(core, task, effects);
}

static void ask_one(struct core *core, const struct subject *subject, int64_t n,
                    struct slice person, struct slice whom, struct slice number, struct asks *asks,
                    struct value *effects)
{
    struct task_order order = {.service = "approval.request",
                               .input = value_map(),
                               .record = subject->id,
                               .kind = slice_str(subject->kind->name)};
    int64_t beside = request_beside(core, subject, person, whom);

    if (!slice_equal(whom, person))
        value_put(core->arena, &asks->asked, person, value_text(whom));
    if (beside > 0) {
        value_put(core->arena, &asks->tasks, person, value_int(beside));
        return;
    }
    value_set(core->arena, &order.input, "make", value_str("approval"));
    value_set(core->arena, &order.input, "person", value_text(whom));
    value_set(core->arena, &order.input, "round", value_int(n));
    if (!slice_equal(whom, person)) {
        value_set(core->arena, &order.input, "for", value_text(person));
        value_set(core->arena, &order.input, "delegation", value_text(number));
    }
    value_put(core->arena, &asks->tasks, person, value_int(task_make(core, &order, effects)));
}

/* Asks everyone of these stages (bits) who is there. `subject` has the round. */
static void ask_all(struct core *core, const struct subject *subject, int64_t n,
                    const struct round_ballot *ballot, uint32_t stages, struct asks *asks,
                    struct value *effects)
{
    for (int i = 0; i < ballot->ballot.voter_count; i++) {
        struct slice whom, number = {NULL, 0};

        if ((stages & 1u << ballot->voters[i].stage) == 0 || ballot->voters[i].is_gone)
            continue;
        whom = ask_whom(core, subject, ballot->names[i], asks, &number);
        ask_one(core, subject, n, ballot->names[i], whom, number, asks, effects);
    }
}

static void put_asks(struct core *core, const struct asks *asks, struct value *patch)
{
    if (asks->tasks.count > 0)
        value_set(core->arena, patch, "tasks", asks->tasks);
    if (asks->asked.count > 0)
        value_set(core->arena, patch, "asked", asks->asked);
}

static struct value stage_stands(struct core *core, const char *state, bool has_begun)
{
    struct value stands = value_map();

    value_set(core->arena, &stands, "state", value_str(state));
    if (has_begun)
        value_set(core->arena, &stands, "began_ms", value_int(core->now_ms));
    return stands;
}

static const struct value *stage_row(const struct value *round, int index)
{
    const struct value *stages = value_get(round, "stages");

    return value_is(stages, VALUE_ARRAY) && (uint32_t)index < stages->count
               ? &stages->as.items[index]
               : NULL;
}

static struct value all_stand(struct core *core, const struct value *round,
                              const struct ballot_count *count, int stage_count)
{
    struct value stands = value_map();

    for (int i = 0; i < stage_count; i++)
        value_put(core->arena, &stands, value_get_text(stage_row(round, i), "name"),
                  count->stages[i].is_waiting ? stage_stands(core, "waiting", false)
                                              : stage_stands(core, "open", true));
    return stands;
}

static uint32_t begun(const struct ballot_count *count, int stage_count)
{
    uint32_t stages = 0;

    for (int i = 0; i < stage_count; i++)
        stages |= count->stages[i].is_waiting ? 0 : 1u << i;
    return stages;
}

/* ---- who is asked where ----
 *
 * A row asks/PERSON/RECORD for each who is asked in an open round: so that a round is found when somebody begins or ceases to
 * stand in, or leaves, whether the request is still on its way or was delivered long ago. */

static struct slice asks_key(struct core *core, struct slice person, struct slice record)
{
    return textf(core, "asks/%.*s/%.*s", (int)person.len, (const char *)person.at, (int)record.len,
                 (const char *)record.at);
}

static void list_asked(struct core *core, struct slice record, const struct value *round,
                       struct value *effects)
{
    const struct value *ask = value_get(round, "ask");

    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++)
        value_set(core->arena,
                  run_patch(core, effects, asks_key(core, value_slice(&ask->as.items[i]), record)),
                  "round", *value_get(round, "n"));
}

static void unlist_asked(struct core *core, const struct subject *subject, struct value *effects)
{
    const struct value *ask = value_get(subject->round, "ask");

    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++) {
        struct slice key = asks_key(core, value_slice(&ask->as.items[i]), subject->id);

        if (state_row(core->state, key) != NULL) /* not in rounds of older journals */
            value_put(core->arena, effects, key, VALUE_NONE);
    }
}

/* ---- its timers ---- */

static void put_timer(struct core *core, const char *name, int64_t due_ms, struct value *timers)
{
    struct value entry = value_array();

    value_push(core->arena, &entry, value_int(due_ms));
    value_push(core->arena, &entry, value_int(0));
    value_push(core->arena, &entry, value_int(core->now_ms));
    value_set(core->arena, timers, name, entry);
}

static void arm_expiry(struct core *core, const struct subject *subject, struct value *timers)
{
    const struct span *expires = &subject->kind->approval->expires;

    if (expires->months != 0 || expires->days != 0 || expires->ms != 0)
        put_timer(core, "round.expires", span_after(calendar_of(core), core->now_ms, expires),
                  timers);
}

/* The first moment at which the rights of somebody end who is still to vote, or somebody else begins or ceases to stand in
 * for them: then it is counted again, and asked anew. */
static int64_t first_leaving(struct core *core, const struct round_ballot *ballot)
{
    int64_t first = INT64_MAX;

    for (int i = 0; i < ballot->ballot.voter_count; i++) {
        const struct value *person = authority_person(core, ballot->names[i]);
        int64_t end = value_get_int(person, "not_after", INT64_MAX);

        if (ballot->voters[i].vote != VOTE_NONE || ballot->voters[i].is_gone)
            continue;
        if (end < first)
            first = end;
        end = delegations_change(core, ballot->names[i]) - 1;
        if (end < first && end < INT64_MAX - 1)
            first = end;
    }
    return first;
}

static void arm_leaving(struct core *core, const struct subject *subject,
                        const struct round_ballot *ballot, struct value *timers)
{
    const struct value *running = value_get(value_get(subject->row, "timers"), "round.leaves");
    int64_t leaving = first_leaving(core, ballot);

    if (leaving < INT64_MAX && (running == NULL || running->as.items[0].as.number != leaving + 1))
        put_timer(core, "round.leaves", leaving + 1, timers);
    else if (leaving == INT64_MAX && running != NULL)
        value_set(core->arena, timers, "round.leaves", VALUE_NONE);
}

/* ---- opening ---- */

static struct slice who_opens(const struct move *move)
{
    return move->person.len > 0 ? move->person : move->author.actor;
}

static void put_round(struct core *core, const struct move *move, const struct value *after,
                      int64_t n, struct value *plan)
{
    value_set(core->arena, plan, "n", value_int(n));
    value_set(core->arena, plan, "state", value_str("open"));
    value_set(core->arena, plan, "digest", *value_get(after, "digest"));
    value_set(core->arena, plan, "opened_ms", value_int(core->now_ms));
    value_set(core->arena, plan, "by", value_text(who_opens(move)));
    put_under(core, value_get_bin(after, "pack"), plan);
    if (value_get(&move->own, "bundle") != NULL)
        value_set(core->arena, plan, "bundle", *value_get(&move->own, "bundle"));
}

int round_open(struct core *core, struct move *move, struct value *after)
{
    struct subject seen = {move->subject.id, after, move->subject.kind, NULL};
    int64_t n = value_get_int(after, "rounds", 0) + 1;
    const struct transition *grant = row_of_vote(&seen, VOTE_GRANT);
    struct value plan, *timers;
    struct round_ballot ballot;
    struct ballot_count count;
    struct asks asks;

    if (seen.kind->approval == NULL || grant == NULL)
        return run_refuse(core, 500, "internal", "A %s declares no approval.", seen.kind->title);
    if (round_plan(core, &seen, move->transition, grant, who_opens(move), &plan) != 0)
        return -1;
    round_ballot(core, &plan, &ballot);
    ballot_count(&ballot.ballot, &count);
    asks = asks_of(core, &plan);
    ask_all(core, &(struct subject){seen.id, after, seen.kind, &plan}, n, &ballot,
            begun(&count, ballot.ballot.stage_count), &asks, &move->effects);
    put_asks(core, &asks, &plan);
    if (value_get(&plan, "stages") != NULL)
        value_set(core->arena, &plan, "stage",
                  all_stand(core, &plan, &count, ballot.ballot.stage_count));
    put_round(core, move, after, n, &plan);
    list_asked(core, seen.id, &plan, &move->effects);
    value_put(core->arena, &move->effects, round_key(core, seen.id, n), plan);
    value_set(core->arena, &move->own, "round", value_int(n));
    value_set(core->arena, &move->own, "rounds", value_int(n));
    value_set(core->arena, &move->own, "phase", value_str("awaiting_approval"));
    timers = value_sub(core->arena, &move->own, slice_str("timers"));
    timers_arm_round(core, &seen, move->transition->to, timers);
    arm_expiry(core, &seen, timers);
    arm_leaving(core, &seen, &ballot, timers);
    if (timers->count == 0)
        value_remove(&move->own, slice_str("timers"));
    return 0;
}

/* ---- closing ---- */

/* The round ends: its row says how, its requests go. */
static void close_round(struct core *core, const struct subject *subject, struct value *effects,
                        struct value *own, const char *outcome)
{
    const struct value *tasks = value_get(subject->round, "tasks");
    struct value *round = run_patch(
        core, effects, round_key(core, subject->id, value_get_int(subject->round, "n", 0)));

    value_set(core->arena, round, "state", value_str(outcome));
    value_set(core->arena, round, "closed_ms", value_int(core->now_ms));
    for (uint32_t i = 0; value_is(tasks, VALUE_MAP) && i < tasks->count; i++)
        task_remove(core, tasks->as.pairs[i].value.as.number, effects);
    unlist_asked(core, subject, effects);
    value_set(core->arena, own, "round", VALUE_NONE);
    value_set(core->arena, own, "phase", VALUE_NONE);
    if (strcmp(outcome, "granted") != 0 && value_get(subject->row, "bundle") != NULL)
        value_set(core->arena, own, "bundle", VALUE_NONE);
    timers_end_round(core, subject, own);
}

void round_void(struct core *core, const struct subject *subject, struct value *effects,
                struct value *own, const char *outcome)
{
    close_round(core, subject, effects, own, outcome);
}

/* By the engine, within a run of something else: nobody decided it, and the record can be edited again. */
/* Whose record it is learns that nobody completed the round: it waits for them again. */
static int tell_of_expiry(struct core *core, const struct subject *subject, struct value *effects)
{
    static const char *message = "approval_expired", *to[] = {"owner", "author"};
    const struct pack *pack = core_pack(core, value_get_bin(subject->row, "pack"));
    const struct notice notice = {{to, 2},
                                  pack_message(pack, message) != NULL ? message : "default"};

    return tell(core, subject, &notice, slice_str("expire"), slice_str("engine"), NULL, effects);
}

static int give_up_round(struct core *core, const struct subject *subject, const char *outcome,
                         const char *why, int64_t cause)
{
    struct value effects = value_map(), own = value_map(), body = value_map();
    struct author author = run_engine(cause);

    value_set(core->arena, &body, "round", *value_get(subject->row, "round"));
    value_set(core->arena, &body, "outcome", value_str(outcome));
    value_set(core->arena, &body, "why", value_str(why));
    close_round(core, subject, &effects, &own, outcome);
    value_set(core->arena,
              run_patch(core, &effects,
                        round_key(core, subject->id, value_get_int(subject->round, "n", 0))),
              "why", value_str(why));
    if (strcmp(why, "expired") == 0 && tell_of_expiry(core, subject, &effects) != 0)
        return -1;
    value_set(core->arena, &effects, "", own);
    return run_leaf(core, "round.closed", subject->id, subject->id, &author, &body, &effects) < 0
               ? -1
               : 0;
}

/* Who voted so, and in whose place: rules of separation that ask later apply to both. */
static struct value voters(struct core *core, const struct value *round, enum vote vote)
{
    const struct value *votes = value_get(round, "votes");
    const struct value *delegates = value_get(round, "delegates");
    struct value people = value_array(), in_place = value_array();

    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++) {
        if (slice_is(value_slice(&votes->as.pairs[i].value), vote_name(vote)))
            value_push(core->arena, &people, value_text(votes->as.pairs[i].key));
    }
    for (uint32_t i = 0; value_is(delegates, VALUE_MAP) && i < delegates->count; i++) {
        if (value_has_text(&people, value_slice(&delegates->as.pairs[i].value)))
            value_push(core->arena, &in_place, value_text(delegates->as.pairs[i].key));
    }
    for (uint32_t i = 0; i < in_place.count; i++)
        value_push(core->arena, &people, in_place.as.items[i]);
    return people;
}

static const char *outcome_name(enum vote vote)
{
    return vote == VOTE_GRANT ? "granted" : vote == VOTE_REFUSE ? "refused" : "returned";
}

/* The record moves as the row of that vote says; `why`: what made it so besides votes (tie, expired), or NULL. */
static int conclude(struct core *core, struct slice record, enum vote outcome, const char *why,
                    int64_t cause)
{
    struct move move = {0};
    struct value body = value_map();

    if (!subject_find(core, record, &move.subject))
        return run_refuse(core, 500, "internal", "The record vanished while it was voted on.");
    move.transition = row_of_vote(&move.subject, outcome);
    if (move.transition == NULL)
        return give_up_round(core, &move.subject, "void", why != NULL ? why : outcome_name(outcome),
                             cause);
    value_set(core->arena, &body, "round", *value_get(move.subject.row, "round"));
    value_set(core->arena, &body, "outcome", value_str(outcome_name(outcome)));
    if (why != NULL)
        value_set(core->arena, &body, "why", value_str(why));
    move.author = run_engine(cause);
    move.args = &body;
    move.type = textf(core, "record.%s", move.transition->event);
    move.own = value_map();
    move.effects = value_map();
    value_set(core->arena, value_sub(core->arena, &move.own, slice_str("did")),
              move.transition->event, voters(core, move.subject.round, outcome));
    if (move.subject.kind->lifecycle->states[move.transition->to].is_valid)
        value_set(core->arena, &move.own, "bundle", VALUE_NONE);
    close_round(core, &move.subject, &move.effects, &move.own, outcome_name(outcome));
    if (why != NULL)
        value_set(
            core->arena,
            run_patch(core, &move.effects,
                      round_key(core, move.subject.id, value_get_int(move.subject.round, "n", 0))),
            "why", value_str(why));
    return move_make(core, &move);
}

/* ---- rounds that go together ---- */

struct rounds { /* of a bundle, the record that it is about first; else that one alone */
    struct subject subjects[BUNDLE_MAX];
    struct round_ballot ballots[BUNDLE_MAX];
    struct ballot_count counts[BUNDLE_MAX];
    int count;
    bool is_torn; /* one of the bundle has no open round: nothing of it can be granted */
};

static void add_round(struct core *core, const struct subject *subject, struct rounds *rounds)
{
    rounds->subjects[rounds->count] = *subject;
    round_ballot(core, subject->round, &rounds->ballots[rounds->count++]);
}

static void gather(struct core *core, const struct subject *subject, struct rounds *rounds)
{
    struct value others = bundle_others(core, subject);
    struct subject other;

    rounds->count = 0;
    rounds->is_torn = false;
    add_round(core, subject, rounds);
    for (uint32_t i = 0; i < others.count && rounds->count < BUNDLE_MAX; i++) {
        if (subject_find(core, value_slice(&others.as.items[i]), &other) && other.round != NULL)
            add_round(core, &other, rounds);
        else
            rounds->is_torn = true;
    }
}

/* What they come to together: one that is returned, refused or stuck makes all so, and all are granted or none. */
static enum ballot_end count_all(struct rounds *rounds, bool *is_tie)
{
    static const enum ballot_end ORDER[] = {BALLOT_RETURNED, BALLOT_REFUSED, BALLOT_STUCK};
    int granted = 0;

    *is_tie = false;
    for (int i = 0; i < rounds->count; i++) {
        ballot_count(&rounds->ballots[i].ballot, &rounds->counts[i]);
        granted += rounds->counts[i].end == BALLOT_GRANTED;
        *is_tie = *is_tie || rounds->counts[i].is_tie;
    }
    for (size_t k = 0; k < sizeof ORDER / sizeof ORDER[0]; k++) {
        for (int i = 0; i < rounds->count; i++) {
            if (rounds->counts[i].end == ORDER[k])
                return ORDER[k];
        }
    }
    if (granted < rounds->count)
        return BALLOT_OPEN;
    return rounds->is_torn ? BALLOT_STUCK : BALLOT_GRANTED;
}

static int check_unchanged(struct core *core, const struct subject *subject)
{
    if (!run_has_changed(core, subject->id))
        return 0;
    return run_refuse(core, 409, "wrong-state",
                      "%.*s changes by this very command and cannot be decided with the others.",
                      (int)subject->id.len, (const char *)subject->id.at);
}

static int conclude_all(struct core *core, const struct rounds *rounds, enum vote outcome,
                        const char *why, int64_t cause)
{
    for (int i = 0; i < rounds->count; i++) {
        if (check_unchanged(core, &rounds->subjects[i]) != 0 ||
            conclude(core, rounds->subjects[i].id, outcome, why, cause) != 0)
            return -1;
    }
    return 0;
}

static int give_up_all(struct core *core, const struct rounds *rounds, const char *outcome,
                       const char *why, int64_t cause)
{
    for (int i = 0; i < rounds->count; i++) {
        struct subject subject;

        if (check_unchanged(core, &rounds->subjects[i]) != 0)
            return -1;
        if (!subject_find(core, rounds->subjects[i].id, &subject))
            return run_refuse(core, 500, "internal", "The record vanished while it was voted on.");
        if (give_up_round(core, &subject, outcome, why, cause) != 0)
            return -1;
    }
    return 0;
}

static int conclude_count(struct core *core, const struct rounds *rounds, enum ballot_end end,
                          bool is_tie, int64_t cause)
{
    static const enum vote VOTES[] = {[BALLOT_GRANTED] = VOTE_GRANT,
                                      [BALLOT_REFUSED] = VOTE_REFUSE,
                                      [BALLOT_RETURNED] = VOTE_RETURN,
                                      [BALLOT_STUCK] = VOTE_NONE};

    if (end == BALLOT_OPEN)
        return 0;
    return end == BALLOT_STUCK
               ? give_up_all(core, rounds, "void", rounds->is_torn ? "bundle" : "left", cause)
               : conclude_all(core, rounds, VOTES[end], is_tie ? "tie" : NULL, cause);
}

int rounds_void(struct core *core, const struct value *others, int64_t cause)
{
    for (uint32_t i = 0; i < others->count; i++) {
        struct subject subject;

        if (!subject_find(core, value_slice(&others->as.items[i]), &subject) ||
            subject.round == NULL)
            continue;
        if (check_unchanged(core, &subject) != 0 ||
            give_up_round(core, &subject, "void", "bundle", cause) != 0)
            return -1;
    }
    return 0;
}

struct value rounds_beside(struct core *core, const struct subject *subject, struct slice person)
{
    struct value others = bundle_others(core, subject), out = value_array();
    struct subject other;

    for (uint32_t i = 0; i < others.count; i++) {
        if (subject_find(core, value_slice(&others.as.items[i]), &other) &&
            round_waits_for(other.round, person))
            value_push(core->arena, &out, others.as.items[i]);
    }
    return out;
}

/* ---- what a count changes ---- */

struct recount { /* of an open round, by a vote or because people have gone */
    const struct subject *subject;
    const struct round_ballot *ballot;
    struct ballot_count count;
    bool is_over;       /* the round ends, and others with it */
    struct slice actor; /* whose vote it is counted for, or empty */
    struct value *effects;
};

static const char *stands_now(const struct recount *recount, int stage)
{
    static const char *const NAMES[] = {[BALLOT_OPEN] = "open",
                                        [BALLOT_GRANTED] = "granted",
                                        [BALLOT_REFUSED] = "refused",
                                        [BALLOT_RETURNED] = "returned",
                                        [BALLOT_STUCK] = "void"};
    const struct ballot_stage *counted = &recount->count.stages[stage];

    return counted->is_waiting ? "waiting" : NAMES[counted->end];
}

static struct slice stood(const struct recount *recount, int stage)
{
    const struct value *round = recount->subject->round;

    return round_stage_state(round, stage_row(round, stage));
}

static bool has_changed(const struct recount *recount, int stage)
{
    return !slice_is(stood(recount, stage), stands_now(recount, stage));
}

/* Stages that begin by this count: bits. */
static uint32_t newly_begun(const struct recount *recount)
{
    uint32_t stages = 0;

    for (int i = 0; i < recount->ballot->ballot.stage_count; i++) {
        if (slice_is(stood(recount, i), "waiting") && !recount->count.stages[i].is_waiting)
            stages |= 1u << i;
    }
    return stages;
}

/* Who did not get to vote in a stage that is decided is not asked any more. */
static void withdraw_stage(struct core *core, struct recount *recount, int stage)
{
    const struct value *tasks = value_get(recount->subject->round, "tasks");

    for (int i = 0; i < recount->ballot->ballot.voter_count; i++) {
        const struct value *task = value_find(tasks, recount->ballot->names[i]);

        if (recount->ballot->voters[i].stage == stage &&
            recount->ballot->voters[i].vote == VOTE_NONE && value_is(task, VALUE_INT))
            release_request(core, recount->subject, recount->ballot->names[i], task->as.number,
                            recount->effects);
    }
}

static struct value stages_that_changed(struct core *core, const struct recount *recount)
{
    struct value all = value_map();

    for (int i = 0; i < recount->ballot->ballot.stage_count; i++) {
        const struct value *stage = stage_row(recount->subject->round, i);
        struct value stands;

        if (stage == NULL || !has_changed(recount, i))
            continue;
        stands = stage_stands(core, stands_now(recount, i), (newly_begun(recount) & 1u << i) != 0);
        if (recount->count.stages[i].end != BALLOT_OPEN)
            value_set(core->arena, &stands, "closed_ms", value_int(core->now_ms));
        value_put(core->arena, &all, value_get_text(stage, "name"), stands);
    }
    return all;
}

/* The reminders of a round begin anew with each stage, for those who are asked then. */
static void arm_again(struct core *core, struct recount *recount)
{
    const struct subject *subject = recount->subject;
    struct value timers = value_map();

    arm_leaving(core, subject, recount->ballot, &timers);
    if (newly_begun(recount) != 0)
        timers_arm_round(core, subject,
                         kind_state_index(subject->kind, value_get_text(subject->row, "state")),
                         &timers);
    if (timers.count > 0)
        value_set(core->arena, run_patch(core, recount->effects, subject->id), "timers", timers);
}

/* What is asked of a delegate, or no longer of one, since somebody began or ceased to stand in or has voted. */
static void ask_anew(struct core *core, struct recount *recount, struct asks *asks)
{
    const struct subject *subject = recount->subject;
    const struct value *tasks = value_get(subject->round, "tasks");

    for (int i = 0; i < recount->ballot->ballot.voter_count; i++) {
        const struct ballot_voter *voter = &recount->ballot->voters[i];
        struct slice person = recount->ballot->names[i], whom, number = {NULL, 0};
        const struct value *task = value_find(tasks, person);
        const struct value *asked = value_find(value_get(subject->round, "asked"), person);

        if (voter->vote != VOTE_NONE || voter->is_gone || task == NULL ||
            strcmp(stands_now(recount, voter->stage), "open") != 0)
            continue;
        whom = ask_whom(core, subject, person, asks, &number);
        if (slice_equal(whom, value_is(asked, VALUE_STR) ? value_slice(asked) : person))
            continue;
        release_request(core, subject, person, task->as.number, recount->effects);
        value_put(core->arena, &asks->asked, person, VALUE_NONE);
        ask_one(core, subject, value_get_int(subject->round, "n", 0), person, whom, number, asks,
                recount->effects);
    }
}

/* Which stages are decided and which begin; their requests are taken back or go out. Gives what changes in the round's own
 * row. If the round ends, closing it does the rest. */
static struct value put_recount(struct core *core, struct recount *recount)
{
    struct value patch = value_map(), stages = stages_that_changed(core, recount);
    struct asks asks = asks_of(core, recount->subject->round);

    if (stages.count > 0)
        value_set(core->arena, &patch, "stage", stages);
    if (recount->is_over)
        return patch;
    for (int i = 0; i < recount->ballot->ballot.stage_count; i++) {
        if (recount->count.stages[i].end != BALLOT_OPEN && has_changed(recount, i))
            withdraw_stage(core, recount, i);
    }
    if (recount->actor.len > 0)
        value_push(core->arena, &asks.taken, value_text(recount->actor));
    ask_anew(core, recount, &asks);
    ask_all(core, recount->subject, value_get_int(recount->subject->round, "n", 0), recount->ballot,
            newly_begun(recount), &asks, recount->effects);
    put_asks(core, &asks, &patch);
    arm_again(core, recount);
    return patch;
}

/* ---- whom a waiver freed that was taken back ----
 *
 * They were asked although a rule keeps them apart, and it does so again: what they have not said by now they cannot say. From then
 * on the round counts without them, as without somebody who left; a vote that was given under the waiver stands. */

/* name -> number of the waiver; those who are named so already left out. */
static struct value newly_barred(struct core *core, const struct subject *subject)
{
    const struct value *ask = value_get(subject->round, "ask");
    const struct transition *grant = row_of_vote(subject, VOTE_GRANT);
    struct value barred = value_map();
    const char *sentence = "";

    for (uint32_t i = 0; grant != NULL && value_is(ask, VALUE_ARRAY) && i < ask->count; i++) {
        struct slice person = value_slice(&ask->as.items[i]);
        int64_t n = waiver_taken_back(core, subject, person);

        if (n > 0 && !round_has_vote_of(subject->round, person) &&
            !round_bars(subject->round, person) &&
            authority_transition(core, person, subject, grant, &sentence) == DENY_APART)
            value_put(core->arena, &barred, person, value_int(n));
    }
    return barred;
}

static void withdraw_barred(struct core *core, struct recount *recount, const struct value *barred)
{
    const struct value *tasks = value_get(recount->subject->round, "tasks");

    for (uint32_t i = 0; i < barred->count; i++) {
        const struct value *task = value_find(tasks, barred->as.pairs[i].key);

        if (value_is(task, VALUE_INT))
            release_request(core, recount->subject, barred->as.pairs[i].key, task->as.number,
                            recount->effects);
    }
}

/* The record with its round as it is without them. */
static struct subject seen_without(struct core *core, const struct subject *subject,
                                   const struct value *barred, struct value *round)
{
    struct subject seen = *subject;

    if (barred->count == 0)
        return seen;
    *round = value_copy(core->arena, subject->round);
    value_merge(core->arena, value_sub(core->arena, round, slice_str("barred")), barred);
    seen.round = round;
    return seen;
}

int round_recount(struct core *core, const struct subject *subject, int64_t cause)
{
    struct rounds rounds;
    struct value effects = value_map(), body = value_map(), patch, barred, round;
    struct subject seen;
    struct recount recount = {.subject = &seen, .effects = &effects};
    struct author author = run_engine(cause);
    int64_t n = value_get_int(subject->round, "n", 0), seq;
    enum ballot_end end;
    bool is_tie;

    if (subject->round == NULL)
        return 0;
    barred = newly_barred(core, subject);
    seen = seen_without(core, subject, &barred, &round);
    gather(core, &seen, &rounds);
    end = count_all(&rounds, &is_tie);
    recount.ballot = &rounds.ballots[0];
    recount.count = rounds.counts[0];
    recount.is_over = end != BALLOT_OPEN;
    patch = put_recount(core, &recount);
    if (barred.count > 0)
        value_set(core->arena, &patch, "barred", barred);
    if (!recount.is_over)
        withdraw_barred(core, &recount, &barred);
    if (patch.count == 0 && effects.count == 0 && !recount.is_over)
        return 0;
    value_set(core->arena, &body, "round", value_int(n));
    value_set(core->arena, &effects, "", patch);
    seq = run_leaf(core, "round.counted", round_key(core, subject->id, n), subject->id, &author,
                   &body, &effects);
    return seq < 0 ? -1 : conclude_count(core, &rounds, end, is_tie, seq);
}

/* The rounds that ask these people, from people[which] and the row `after` on: one page, and what comes after follows. */
static int recount_asked(struct core *core, const struct value *args, uint32_t which, int64_t cause)
{
    const struct value *people = value_get(args, "people");
    struct slice after = value_get_text(args, "after");
    struct value rows, rest = value_map();
    uint32_t count = 0;
    bool is_all = true;

    for (; which < people->count && count < RECOUNT_PAGE && is_all; which += is_all ? 1 : 0) {
        struct slice prefix =
            asks_key(core, value_slice(&people->as.items[which]), slice_of("", 0));

        is_all = state_page(core->state, core->arena, prefix, after, RECOUNT_PAGE - count, &rows);
        for (uint32_t i = 0; i < rows.count; i++) {
            after = value_get_text(&rows.as.items[i], "key");
            run_follow(core, slice_of(after.at + prefix.len, after.len - prefix.len), ROUND_RECOUNT,
                       cause, NULL, NOBODY);
        }
        count += rows.count;
        after = is_all ? slice_of(NULL, 0) : after;
    }
    value_set(core->arena, &rest, "people", *people);
    value_set(core->arena, &rest, "which", value_int(which));
    if (after.len > 0)
        value_set(core->arena, &rest, "after", value_text(after));
    run_follow_rest(core, slice_str("directory"), ROUNDS_RECOUNT, cause, &rest);
    return 0;
}

/* Rounds that were opened by an engine which kept no asks/: found by the requests that are open. */
static int recount_requested(struct core *core, const struct value *args, int64_t cause)
{
    const struct value *people = value_get(args, "people");
    struct value rows, seen = value_map(), rest = value_map();
    bool is_all = state_page(core->state, core->arena, slice_str("task/"),
                             value_get_text(args, "after"), RECOUNT_PAGE, &rows);

    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");
        struct slice record = value_get_text(row, "record");

        if (!slice_is(value_get_text(row, "service"), "approval.request") ||
            value_find(&seen, record) != NULL ||
            !(value_has_text(people, value_get_text(value_get(row, "input"), "person")) ||
              value_has_text(people, value_get_text(value_get(row, "input"), "for"))))
            continue;
        value_put(core->arena, &seen, record, value_bool(true));
        run_follow(core, record, ROUND_RECOUNT, cause, NULL, NOBODY);
    }
    if (is_all)
        return 0;
    value_set(core->arena, &rest, "people", *people);
    value_set(core->arena, &rest, "which", *value_get(args, "which"));
    value_set(core->arena, &rest, "after", *value_get(&rows.as.items[rows.count - 1], "key"));
    run_follow_rest(core, slice_str("directory"), ROUNDS_RECOUNT, cause, &rest);
    return 0;
}

int rounds_recount(struct core *core, const struct question *question)
{
    const struct value *args = value_get(question->follow, "args");
    int64_t which = value_get_int(args, "which", 0);
    int64_t cause = value_get_int(question->follow, "cause", 0);
    const struct value *people = value_get(args, "people");

    return which < (int64_t)people->count ? recount_asked(core, args, (uint32_t)which, cause)
                                          : recount_requested(core, args, cause);
}

/* Silence is consent only where the approval says so, and only if it would be enough. */
static bool silence_grants(struct rounds *rounds)
{
    bool is_tie;

    for (int r = 0; r < rounds->count; r++) {
        for (int i = 0; i < rounds->ballots[r].ballot.voter_count; i++) {
            struct ballot_voter *voter = &rounds->ballots[r].voters[i];

            if (voter->vote == VOTE_NONE && !voter->is_gone)
                voter->vote = VOTE_GRANT;
        }
    }
    return count_all(rounds, &is_tie) == BALLOT_GRANTED;
}

/* Where records go together, all must let silence be consent. */
static enum vote outcome_of_silence(struct rounds *rounds)
{
    enum vote outcome = rounds->subjects[0].kind->approval->on_expiry;

    for (int i = 0; i < rounds->count; i++) {
        if (outcome == VOTE_GRANT && rounds->subjects[i].kind->approval->on_expiry != VOTE_GRANT)
            return VOTE_NONE;
    }
    return outcome == VOTE_GRANT && !silence_grants(rounds) ? VOTE_NONE : outcome;
}

int round_expire(struct core *core, struct subject *subject, int64_t cause)
{
    struct rounds rounds;
    enum vote outcome;

    gather(core, subject, &rounds);
    outcome = outcome_of_silence(&rounds);
    return outcome == VOTE_NONE ? give_up_all(core, &rounds, "expired", "expired", cause)
                                : conclude_all(core, &rounds, outcome, "expired", cause);
}

/* ---- votes ---- */

struct cast { /* what somebody says in one round: a leaf of its own, with its own signature */
    struct question question;
    const struct transition *transition;
    struct slice stream;
    struct slice delegation; /* by which it is in somebody else's place; or empty */
    struct value waived;     /* array: waivers that it rests on */
    bool is_given;           /* they are asked in this round */
};

static int64_t put_vote(struct core *core, const struct cast *cast, const struct recount *recount,
                        int64_t cause)
{
    struct recount counted = *recount;
    const struct subject *subject = recount->subject;
    const struct question *question = &cast->question;
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map(), patch;
    struct slice vote = slice_str(vote_name(cast->transition->vote));
    struct slice right = question_right(question);
    const struct value *task = value_find(value_get(subject->round, "tasks"), right);

    author.signature = question->signature;
    author.cause = cause;
    counted.effects = &effects;
    counted.actor = question->principal;
    patch = put_recount(core, &counted);
    value_put(core->arena, value_sub(core->arena, &patch, slice_str("votes")), question->principal,
              value_text(vote));
    if (!slice_equal(right, question->principal))
        value_put(core->arena, value_sub(core->arena, &patch, slice_str("delegates")), right,
                  value_text(question->principal));
    if (value_is(task, VALUE_INT))
        task_remove(core, task->as.number, &effects);
    value_put(core->arena, &effects,
              round_key(core, subject->id, value_get_int(subject->round, "n", 0)), patch);
    value_set(core->arena, &own, "vote", value_text(vote));
    value_set(core->arena, &own, "at_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "digest", *value_get(subject->round, "digest"));
    put_under(core, value_get_bin(subject->row, "pack"), &own);
    if (!slice_equal(right, question->principal)) {
        value_set(core->arena, &own, "for", value_text(right));
        value_set(core->arena, &own, "delegation", value_text(cast->delegation));
    }
    if (cast->waived.count > 0)
        value_set(core->arena, &own, "waived", cast->waived);
    waivers_note(core, subject, cast->transition->event, question->principal, &cast->waived,
                 &effects);
    value_set(core->arena, &effects, "", own);
    return run_leaf(core,
                    (const char *)textf(core, "record.%.*s", (int)question->command.len,
                                        (const char *)question->command.at)
                        .at,
                    cast->stream, subject->id, &author, question->args, &effects);
}

/* `list`, and one more name. */
static struct slice and_name(struct core *core, struct slice list, struct slice name)
{
    return textf(core, "%.*s%s%.*s", (int)list.len, (const char *)list.at, list.len > 0 ? ", " : "",
                 (int)name.len, (const char *)name.at);
}

static struct slice still_asked(struct core *core, const struct value *round)
{
    const struct value *ask = value_get(round, "ask");
    struct slice names = slice_str("");

    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++) {
        if (round_waits_for(round, value_slice(&ask->as.items[i])))
            names = and_name(core, names, value_slice(&ask->as.items[i]));
    }
    return names;
}

/* " It goes together with ...", of a record whose own round waits for those of others; else "". */
static const char *waits_beside(struct core *core, const struct subject *subject)
{
    struct value others = bundle_others(core, subject);
    struct slice list = slice_str("");
    struct subject other;

    for (uint32_t i = 0; i < others.count; i++) {
        struct slice names;

        if (!subject_find(core, value_slice(&others.as.items[i]), &other))
            continue;
        names = still_asked(core, other.round);
        if (names.len > 0)
            list =
                and_name(core, list,
                         textf(core, "%.*s (still asked there: %.*s)", (int)other.id.len,
                               (const char *)other.id.at, (int)names.len, (const char *)names.at));
    }
    if (list.len == 0)
        return "";
    return (const char *)textf(core,
                               " It goes together with what is not decided yet, and waits for it: "
                               "%.*s.",
                               (int)list.len, (const char *)list.at)
        .at;
}

int round_check_voter(struct core *core, const struct subject *subject,
                      const struct transition *transition, struct slice person)
{
    const struct value *stage = round_stage(subject->round, person);
    struct slice name = value_get_text(stage, "name"), stands;

    if (round_bars(subject->round, person))
        return run_refuse(
            core, 409, "wrong-state",
            "%.*s was asked by waiver %lld, which was taken back: this round does not "
            "wait for them any more. It takes a new submission to ask them again.",
            (int)person.len, (const char *)person.at,
            (long long)value_find(value_get(subject->round, "barred"), person)->as.number);
    if (value_find(value_get(subject->round, "votes"), person) != NULL)
        return run_refuse(core, 409, "wrong-state", "%.*s has voted in this round already.%s",
                          (int)person.len, (const char *)person.at, waits_beside(core, subject));
    if (round_has_vote_of(subject->round, person))
        return run_refuse(core, 409, "wrong-state",
                          "Somebody has voted in this round in the place of %.*s already.%s",
                          (int)person.len, (const char *)person.at, waits_beside(core, subject));
    /* To return takes no part in the counting: whoever the row lets may do it, a reviewer for one. */
    if (!value_has_text(value_get(subject->round, "ask"), person))
        return transition->vote == VOTE_RETURN
                   ? 0
                   : run_refuse(
                         core, 403, "not-allowed",
                         "%.*s is not asked in this round; who is was settled when it opened.",
                         (int)person.len, (const char *)person.at);
    stands = round_stage_state(subject->round, stage);
    if (slice_is(stands, "waiting"))
        return run_refuse(core, 409, "wrong-state",
                          "Stage %.*s of this round, in which %.*s votes, has not begun yet.",
                          (int)name.len, (const char *)name.at, (int)person.len,
                          (const char *)person.at);
    if (!slice_is(stands, "open"))
        return run_refuse(core, 409, "wrong-state",
                          "Stage %.*s of this round, in which %.*s would vote, is %.*s already; "
                          "the vote would count for nothing and is not taken.%s",
                          (int)name.len, (const char *)name.at, (int)person.len,
                          (const char *)person.at, (int)stands.len, (const char *)stands.at,
                          waits_beside(core, subject));
    return 0;
}

/* In somebody else's place only what they are asked may be said, by whoever does not vote here himself. */
static int check_right(struct core *core, const struct question *question,
                       const struct subject *subject, const struct transition *transition)
{
    struct slice right = question_right(question);

    if (round_check_voter(core, subject, transition, right) != 0)
        return -1;
    if (slice_equal(right, question->principal))
        return 0;
    if (!value_has_text(value_get(subject->round, "ask"), right))
        return run_refuse(core, 403, "not-allowed",
                          "%.*s is not asked in this round, so nobody votes in it in their place.",
                          (int)right.len, (const char *)right.at);
    return round_check_delegate(core, subject->round, question->principal);
}

static int check_round(struct core *core, const struct question *question,
                       const struct subject *subject, const struct transition *transition)
{
    int64_t n = value_get_int(subject->round, "n", 0);

    if (value_get_int(question->args, "round", -1) != n)
        return run_refuse(
            core, 409, "stale-content",
            "You voted in round %lld, the open one is %lld; look at the record again.",
            (long long)value_get_int(question->args, "round", -1), (long long)n);
    return check_right(core, question, subject, transition);
}

/* May they vote so in this round, and did they sign just that? */
static int check_cast(struct core *core, const struct subject *subject, struct cast *cast)
{
    const struct question *question = &cast->question;
    const char *sentence = "";

    if (check_round(core, question, subject, cast->transition) != 0)
        return -1;
    if (cast->transition->vote == VOTE_GRANT &&
        guard_transition(core, subject, cast->transition, question->principal, question->args) != 0)
        return -1;
    if (!slice_equal(question_right(question), question->principal) &&
        authority_in_place(core, question->principal, question_right(question), subject,
                           cast->transition, &sentence, &cast->delegation) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    cast->waived = waivers_used(core, question->principal, value_get_text(question->args, "for"),
                                subject, cast->transition);
    cast->stream =
        textf(core, "%.*s/round/%lld/%.*s", (int)subject->id.len, (const char *)subject->id.at,
              (long long)value_get_int(subject->round, "n", 0), (int)question->principal.len,
              (const char *)question->principal.at);
    return check_signature(core, question, subject, cast->transition, cast->stream, 0,
                           value_get_bin(subject->round, "digest"));
}

/* What is said in the rounds beside the one that the command names. */
static int check_beside(struct core *core, const struct question *question, enum vote vote,
                        const struct rounds *rounds, struct cast casts[BUNDLE_MAX])
{
    for (int i = 1; i < rounds->count; i++) {
        const struct subject *subject = &rounds->subjects[i];
        struct cast *cast = &casts[i];

        cast->is_given = round_waits_for(subject->round, question_right(question));
        if (!cast->is_given)
            continue;
        cast->transition = row_of_vote(subject, vote);
        if (cast->transition == NULL)
            return run_refuse(core, 409, "wrong-state",
                              "%.*s goes together with it, and nothing there is a vote to %s.",
                              (int)subject->id.len, (const char *)subject->id.at, vote_name(vote));
        if (!bundle_part(question, subject, cast->transition, &cast->question))
            return run_refuse(
                core, 409, "stale-content",
                "%.*s goes together with it: a vote is about both, and is signed over "
                "each.",
                (int)subject->id.len, (const char *)subject->id.at);
        if (!slice_equal(question_right(question), question_right(&cast->question)))
            return run_refuse(core, 400, "malformed",
                              "What goes together is decided in the place of one and the same "
                              "person: \"for\" of %.*s says otherwise.",
                              (int)subject->id.len, (const char *)subject->id.at);
        if (permit_event(core, &cast->question, subject, cast->transition) != 0 ||
            check_cast(core, subject, cast) != 0)
            return -1;
    }
    return 0;
}

static void set_votes(struct rounds *rounds, const struct cast casts[BUNDLE_MAX])
{
    for (int i = 0; i < rounds->count; i++) {
        struct round_ballot *ballot = &rounds->ballots[i];
        int voter = casts[i].is_given ? round_voter(ballot, question_right(&casts[i].question))
                                      : MODEL_NONE;

        if (voter != MODEL_NONE)
            ballot->voters[voter].vote = casts[i].transition->vote;
    }
}

/* The votes as leaves; gives the seq of the first. */
static int64_t put_votes(struct core *core, const struct rounds *rounds,
                         const struct cast casts[BUNDLE_MAX], bool is_over)
{
    int64_t first = -1, seq;

    for (int i = 0; i < rounds->count; i++) {
        struct recount recount = {.subject = &rounds->subjects[i],
                                  .ballot = &rounds->ballots[i],
                                  .count = rounds->counts[i],
                                  .is_over = is_over};

        if (!casts[i].is_given)
            continue;
        seq = put_vote(core, &casts[i], &recount, first);
        if (seq < 0)
            return -1;
        first = i == 0 ? seq : first;
    }
    return first;
}

int round_vote(struct core *core, const struct question *question, struct subject *subject,
               const struct transition *transition)
{
    struct cast casts[BUNDLE_MAX] = {{.question = *question, .transition = transition}};
    struct rounds rounds;
    enum ballot_end end;
    bool is_tie;
    int64_t cause;

    if (subject->round == NULL)
        return run_refuse(core, 409, "wrong-state", "No approval of %.*s is open.",
                          (int)subject->id.len, (const char *)subject->id.at);
    gather(core, subject, &rounds);
    casts[0].is_given = true;
    if (value_get(question->args, "with") != NULL)
        return run_refuse(core, 400, "malformed", "A vote takes no \"with\".");
    /* The one that is named last: nothing is said to be signed before all of it is. */
    if (check_right(core, question, subject, transition) != 0 ||
        bundle_check_also(core, question,
                          rounds_beside(core, subject, question_right(question)).count) != 0 ||
        check_beside(core, question, transition->vote, &rounds, casts) != 0 ||
        check_cast(core, subject, &casts[0]) != 0)
        return -1;
    set_votes(&rounds, casts);
    end = count_all(&rounds, &is_tie);
    /* Returned by one who is not asked: his word is in no ballot, and ends it all the same. */
    if (round_voter(&rounds.ballots[0], question_right(question)) == MODEL_NONE)
        end = rounds.counts[0].end = BALLOT_RETURNED;
    cause = put_votes(core, &rounds, casts, end != BALLOT_OPEN);
    return cause < 0 ? -1 : conclude_count(core, &rounds, end, is_tie, cause);
}
