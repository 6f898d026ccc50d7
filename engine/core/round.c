/* round.c - approval rounds: who is asked over which content, and when it is decided.
 *
 *     opened ──grants reach `need`──> granted ─┐
 *       │ ├────refuse, or out of reach─> refused ├─> the record moves as the row of that vote says
 *       │ ├────return──────────────────> returned ┘
 *       │ └────nobody in time──────────> expired     the record can be edited again
 *       └──────edit, or another event──> void        its votes count no more
 *
 * A vote is bound to the digest that the round was opened over. What was granted stays in the journal; a void round
 * never counts.
 */
#include "core/inside.h"

static struct slice round_key(struct core *core, struct slice record, int64_t n)
{
    return textf(core, "%.*s/round/%lld", (int)record.len, (const char *)record.at, (long long)n);
}

static struct value asked(struct core *core, const struct subject *subject)
{
    const struct approval *approval = subject->kind->approval;
    struct value people = value_array(), excluded = value_array(), ask = value_array();

    authority_people_of(core, subject, &approval->ask, &people);
    authority_people_of(core, subject, &approval->apart, &excluded);
    for (uint32_t i = 0; i < people.count; i++) {
        if (!value_has_text(&excluded, value_slice(&people.as.items[i])))
            value_push(core->arena, &ask, people.as.items[i]);
    }
    return ask;
}

static int64_t needed(struct core *core, const struct subject *subject, struct slice event,
                      struct slice actor, uint32_t count)
{
    const struct approval *approval = subject->kind->approval;
    struct value scope, need = VALUE_NONE;

    if (approval->all)
        return count;
    if (approval->need == NULL)
        return 1;
    scope = scope_of(core, subject, event, actor, NULL, expr_uses(approval->need));
    if (scope_eval(core, approval->need, &scope, &need, NULL) != 0 || need.type != VALUE_INT)
        return -1;
    return need.as.number;
}

/* A task for each person; gives map person -> task. */
static struct value ask_all(struct core *core, const struct subject *subject, int64_t n,
                            const struct value *ask, struct value *effects)
{
    struct value tasks = value_map();

    for (uint32_t i = 0; i < ask->count; i++) {
        struct task_order order = {.service = "approval.request",
                                   .input = value_map(),
                                   .record = subject->id,
                                   .kind = slice_str(subject->kind->name)};

        value_set(core->arena, &order.input, "make", value_str("approval"));
        value_set(core->arena, &order.input, "person", ask->as.items[i]);
        value_set(core->arena, &order.input, "round", value_int(n));
        value_put(core->arena, &tasks, value_slice(&ask->as.items[i]),
                  value_int(task_make(core, &order, effects)));
    }
    return tasks;
}

static void arm_expiry(struct core *core, const struct subject *subject, struct value *timers)
{
    const struct span *expires = &subject->kind->approval->expires;
    struct value entry = value_array();

    if (expires->months == 0 && expires->days == 0 && expires->ms == 0)
        return;
    value_push(core->arena, &entry,
               value_int(span_after(calendar_of(core), core->now_ms, expires)));
    value_push(core->arena, &entry, value_int(0));
    value_push(core->arena, &entry, value_int(core->now_ms));
    value_set(core->arena, timers, "round.expires", entry);
}

int round_open(struct core *core, struct move *move, struct value *after)
{
    struct subject seen = {move->subject.id, after, move->subject.kind, NULL};
    int64_t n = value_get_int(after, "rounds", 0) + 1, need;
    struct slice event = slice_str(move->transition->event);
    struct value ask, tasks, *round, *timers;

    if (move->subject.kind->approval == NULL)
        return run_refuse(core, 500, "internal", "A %s declares no approval.",
                          move->subject.kind->title);
    ask = asked(core, &seen);
    need = needed(core, &seen, event, move->author.actor, ask.count);
    if (need < 1 || need > (int64_t)ask.count)
        return run_refuse(
            core, 422, "guard-failed",
            "This approval cannot be granted: it needs %lld signatures and %u people may "
            "give one once those who wrote it are left out. Name more people in the "
            "directory.",
            (long long)need, ask.count);
    /* First the tasks: a patch is lent only until the next one is begun. */
    tasks = ask_all(core, &seen, n, &ask, &move->effects);
    round = run_patch(core, &move->effects, round_key(core, seen.id, n));
    value_set(core->arena, round, "tasks", tasks);
    value_set(core->arena, round, "n", value_int(n));
    value_set(core->arena, round, "state", value_str("open"));
    value_set(core->arena, round, "digest", *value_get(after, "digest"));
    value_set(core->arena, round, "opened_ms", value_int(core->now_ms));
    value_set(core->arena, round, "by", value_text(move->author.actor));
    value_set(core->arena, round, "need", value_int(need));
    value_set(core->arena, round, "ask", ask);
    value_set(core->arena, &move->own, "round", value_int(n));
    value_set(core->arena, &move->own, "rounds", value_int(n));
    value_set(core->arena, &move->own, "phase", value_str("awaiting_approval"));
    timers = value_sub(core->arena, &move->own, slice_str("timers"));
    timers_arm_round(core, &seen, move->transition->to, timers);
    arm_expiry(core, &seen, timers);
    if (timers->count == 0)
        value_remove(&move->own, slice_str("timers"));
    return 0;
}

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
    value_set(core->arena, own, "round", VALUE_NONE);
    value_set(core->arena, own, "phase", VALUE_NONE);
    timers_end_round(core, subject, own);
}

void round_void(struct core *core, const struct subject *subject, struct value *effects,
                struct value *own, const char *outcome)
{
    close_round(core, subject, effects, own, outcome);
}

/* ---- votes ---- */

struct tally {
    int64_t need;
    int64_t asked, granted, refused, returned, abstained;
};

static struct tally count_votes(const struct value *round)
{
    const struct value *votes = value_get(round, "votes"), *ask = value_get(round, "ask");
    struct tally tally = {.need = value_get_int(round, "need", 1),
                          .asked = value_is(ask, VALUE_ARRAY) ? ask->count : 0};

    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++) {
        struct slice vote = value_slice(&votes->as.pairs[i].value);

        tally.granted += slice_is(vote, "grant");
        tally.refused += slice_is(vote, "refuse");
        tally.returned += slice_is(vote, "return");
        tally.abstained += slice_is(vote, "abstain");
    }
    return tally;
}

/* What the votes so far decide; VOTE_NONE: nothing yet. */
static enum vote outcome_of(const struct approval *approval, const struct tally *tally)
{
    if (tally->returned > 0)
        return VOTE_RETURN;
    if (tally->refused > 0 && approval->one_refuse_ends)
        return VOTE_REFUSE;
    if (tally->granted >= tally->need)
        return VOTE_GRANT;
    if (tally->asked - tally->refused - tally->abstained < tally->need)
        return VOTE_REFUSE;
    return VOTE_NONE;
}

static const struct transition *row_of_vote(const struct subject *subject, enum vote vote)
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

static struct value voters(struct core *core, const struct value *round, enum vote vote)
{
    const struct value *votes = value_get(round, "votes");
    struct value people = value_array();

    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++) {
        if (slice_is(value_slice(&votes->as.pairs[i].value), vote_name(vote)))
            value_push(core->arena, &people, value_text(votes->as.pairs[i].key));
    }
    return people;
}

static const char *outcome_name(enum vote vote)
{
    return vote == VOTE_GRANT ? "granted" : vote == VOTE_REFUSE ? "refused" : "returned";
}

static int conclude(struct core *core, struct slice record, enum vote outcome, int64_t cause)
{
    struct move move = {0};
    struct value body = value_map();

    if (!subject_find(core, record, &move.subject))
        return run_refuse(core, 500, "internal", "The record vanished while it was voted on.");
    move.transition = row_of_vote(&move.subject, outcome);
    if (move.transition == NULL)
        return run_refuse(core, 409, "wrong-state", "Nothing answers a round that is %s here.",
                          outcome_name(outcome));
    value_set(core->arena, &body, "round", *value_get(move.subject.row, "round"));
    value_set(core->arena, &body, "outcome", value_str(outcome_name(outcome)));
    move.author = run_engine(cause);
    move.args = &body;
    move.type = textf(core, "record.%s", move.transition->event);
    move.own = value_map();
    move.effects = value_map();
    value_set(core->arena, value_sub(core->arena, &move.own, slice_str("did")),
              move.transition->event, voters(core, move.subject.round, outcome));
    close_round(core, &move.subject, &move.effects, &move.own, outcome_name(outcome));
    return move_make(core, &move);
}

static int64_t cast(struct core *core, const struct question *question, struct subject *subject,
                    const struct transition *transition, struct slice stream)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map(), *round;
    int64_t n = value_get_int(subject->round, "n", 0);
    const struct value *task = value_find(value_get(subject->round, "tasks"), question->principal);

    value_set(core->arena, &own, "vote", value_str(vote_name(transition->vote)));
    value_set(core->arena, &own, "at_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "digest", *value_get(subject->round, "digest"));
    value_set(core->arena, &effects, "", own);
    round = run_patch(core, &effects, round_key(core, subject->id, n));
    value_put(core->arena, value_sub(core->arena, round, slice_str("votes")), question->principal,
              value_str(vote_name(transition->vote)));
    if (value_is(task, VALUE_INT))
        task_remove(core, task->as.number, &effects);
    return run_leaf(core,
                    (const char *)textf(core, "record.%.*s", (int)question->command.len,
                                        (const char *)question->command.at)
                        .at,
                    stream, subject->id, &author, question->args, &effects);
}

static int check_round(struct core *core, const struct question *question,
                       const struct subject *subject)
{
    int64_t n = value_get_int(subject->round, "n", 0);

    if (value_get_int(question->args, "round", -1) != n)
        return run_refuse(
            core, 409, "stale-content",
            "You voted in round %lld, the open one is %lld; look at the record again.",
            (long long)value_get_int(question->args, "round", -1), (long long)n);
    if (value_find(value_get(subject->round, "votes"), question->principal) != NULL)
        return run_refuse(core, 409, "wrong-state", "You have voted in this round already.");
    return 0;
}

int round_vote(struct core *core, const struct question *question, struct subject *subject,
               const struct transition *transition)
{
    struct slice stream;
    enum vote outcome;
    struct tally tally;
    int64_t cause;

    if (subject->round == NULL)
        return run_refuse(core, 409, "wrong-state", "No approval of %.*s is open.",
                          (int)subject->id.len, (const char *)subject->id.at);
    if (check_round(core, question, subject) != 0)
        return -1;
    if (transition->vote == VOTE_GRANT &&
        guard_transition(core, subject, transition, question->principal, question->args) != 0)
        return -1;
    stream = textf(core, "%.*s/round/%lld/%.*s", (int)subject->id.len, (const char *)subject->id.at,
                   (long long)value_get_int(subject->round, "n", 0), (int)question->principal.len,
                   (const char *)question->principal.at);
    if (check_signature(core, question, subject, transition, stream, 0,
                        value_get_bin(subject->round, "digest")) != 0)
        return -1;
    cause = cast(core, question, subject, transition, stream);
    if (cause < 0 || !subject_find(core, subject->id, subject))
        return -1;
    tally = count_votes(subject->round);
    outcome = outcome_of(subject->kind->approval, &tally);
    return outcome == VOTE_NONE ? 0 : conclude(core, subject->id, outcome, cause);
}
