/* check_lifecycle.c - a kind's states and transitions: nothing ambiguous, approvals that have a round, timers that name what
 * there is. */
#include "core/span.h"
#include "definition/check_inside.h"
#include "base/nearest.h"

static void say(struct checks *c, struct where where, const char *what, const char *name)
{
    problem(c->problems, where, "%s '%s'%s", what, name, check_for_kind(c, where.file));
}

/* ---- rows ---- */

/* The state in which both rows answer, or MODEL_NONE; `*both_create` if they both create. */
static int clash(const struct transition *a, const struct transition *b, int state_count,
                 bool *both_create)
{
    int i;

    *both_create = a->creates && b->creates;
    for (i = 0; i < state_count; i++) {
        if (a->from[i] && b->from[i])
            return i;
    }
    return MODEL_NONE;
}

static void check_ambiguous(struct checks *c)
{
    const struct lifecycle *l = c->kind->lifecycle;
    int i, k;

    for (i = 0; i < l->transition_count; i++) {
        for (k = i + 1; k < l->transition_count; k++) {
            const struct transition *a = &l->transitions[i], *b = &l->transitions[k];
            bool both_create;
            int state;

            if (strcmp(a->event, b->event) != 0)
                continue;
            state = clash(a, b, l->state_count, &both_create);
            if (state != MODEL_NONE || both_create)
                problem(c->problems, b->where,
                        "a second transition for event '%s'%s%s%s (the first is at %s:%d)%s",
                        b->event, both_create ? " that creates" : " in state '",
                        both_create ? "" : l->states[state].name, both_create ? "" : "'",
                        a->where.file, a->where.line, check_for_kind(c, b->where.file));
        }
    }
}

/* A round that ends goes where the one row of that outcome says. */
static void check_outcomes(struct checks *c)
{
    const struct lifecycle *l = c->kind->lifecycle;
    int i, k;

    for (i = 0; i < l->transition_count; i++) {
        for (k = i + 1; k < l->transition_count; k++) {
            const struct transition *a = &l->transitions[i], *b = &l->transitions[k];
            bool both_create;
            int state;

            if (a->vote == VOTE_NONE || a->vote != b->vote || strcmp(a->event, b->event) == 0)
                continue;
            state = clash(a, b, l->state_count, &both_create);
            if (state != MODEL_NONE)
                problem(c->problems, b->where,
                        "a second transition with vote = \"%s\" in state '%s': which one does a "
                        "round take? (the first is '%s' at %s:%d)%s",
                        vote_name(b->vote), l->states[state].name, a->event, a->where.file,
                        a->where.line, check_for_kind(c, b->where.file));
        }
    }
}

static void check_row_names(struct checks *c, const struct transition *row)
{
    int i;

    check_who(c, &row->by, false);
    check_who(c, &row->apart, true);
    check_meaning(c, row->meaning);
    for (i = 0; i < row->tell_count; i++)
        check_notice(c, &row->tell[i], row->event);
    for (i = 0; i < row->task_count; i++) {
        if (row->tasks[i].on_done != NULL)
            (void)check_event(c, c->kind, row->tasks[i].on_done);
        if (row->tasks[i].on_failure != NULL)
            (void)check_event(c, c->kind, row->tasks[i].on_failure);
    }
    check_separation(c, row->apart_rule);
}

/* Commands of the engine's own: an event of that name could never be asked for. */
static bool is_taken(const char *event)
{
    static const char *const names[] = {"open",       "edit",    "ack",          "decline_ack",
                                        "hand_over",  "migrate", "migrate_back", "waive_sod",
                                        "end_waiver", "admin"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(event, names[i]) == 0)
            return true;
    }
    return false;
}

static void check_row(struct checks *c, const struct transition *row)
{
    const struct lifecycle *l = c->kind->lifecycle;
    bool version = row->supersedes || row->makes_successor || row->drops_successor;

    check_row_names(c, row);
    if (!row->creates && is_taken(row->event))
        say(c, row->where, "this is a command of the engine and cannot name an event:", row->event);
    if (row->statement != NULL && row->meaning == NULL && row->vote == VOTE_NONE)
        say(c, row->where, "a statement is signed with a 'meaning', which is missing for",
            row->event);
    if (row->automatic && row->when == NULL)
        say(c, row->where, "'auto' needs 'when': the condition that makes it happen, for",
            row->event);
    if (version && !l->versioned)
        say(c, row->where, "only a versioned lifecycle has successors and predecessors, so not",
            row->event);
    if (row->supersedes && !kind_has_event(c->kind, "supersede"))
        say(c, row->where, "there is no event 'supersede' for the predecessor, which is moved by",
            row->event);
}

/* Records have to begin somewhere; what can be reached from there is proven (prove_reach.c). */
static void check_beginning(struct checks *c)
{
    const struct lifecycle *l = c->kind->lifecycle;
    int i;

    for (i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].creates)
            return;
    }
    say(c, l->where, "no transition creates a record (one without 'from') in lifecycle", l->name);
}

/* ---- approval ---- */

/* Can a round that is open in this state be voted on so? */
static bool has_vote(const struct lifecycle *l, int state, enum vote vote)
{
    int i;

    for (i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].vote == vote && l->transitions[i].from[state])
            return true;
    }
    return false;
}

/* Is there a row for a round that ends so, wherever a round can be open? */
static void check_outcome(struct checks *c, const struct approval *approval, enum vote vote,
                          const char *setting)
{
    const struct lifecycle *l = c->kind->lifecycle;

    for (int i = 0; i < l->transition_count && vote != VOTE_NONE; i++) {
        const struct transition *row = &l->transitions[i];

        if (row->opens_round && !has_vote(l, row->to, vote))
            problem(c->problems, approval->where,
                    "'%s': no event with vote = \"%s\" answers in state '%s', where '%s' opens the "
                    "round",
                    setting, vote_name(vote), l->states[row->to].name, row->event);
    }
}

static void check_stage(struct checks *c, const struct approval_stage *stage)
{
    check_who(c, &stage->ask, false);
    check_who(c, &stage->veto, false);
    check_who(c, &stage->require, false);
    for (int i = 0; i < stage->weight_count; i++)
        check_who(c, &(struct words){&stage->weights[i].who, 1}, false);
    check_meaning(c, stage->meaning);
}

static void check_approval(struct checks *c, const struct approval *approval)
{
    bool has_tie = false;

    for (int i = 0; i < approval->stage_count; i++) {
        check_stage(c, &approval->stages[i]);
        has_tie = has_tie || approval->stages[i].counting == COUNT_MAJORITY;
    }
    check_who(c, &approval->apart, true);
    for (int i = 0; approval->apart_rules != NULL && i < approval->apart.count; i++)
        check_separation(c, approval->apart_rules[i]);
    check_outcome(c, approval, approval->on_expiry, "on_expiry");
    if (has_tie && approval->on_tie != VOTE_REFUSE)
        check_outcome(c, approval, approval->on_tie, "on_tie");
}

static void check_round(struct checks *c)
{
    const struct lifecycle *l = c->kind->lifecycle;
    const struct approval *approval = c->kind->approval;
    int i, opens = 0;

    for (i = 0; i < l->transition_count; i++)
        opens += l->transitions[i].opens_round;
    if (approval != NULL && opens == 0)
        problem(c->problems, approval->where,
                "kind '%s' declares an approval, but no transition of lifecycle '%s' opens a round",
                c->kind->name, l->name);
    for (i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];

        if (row->vote != VOTE_NONE && opens == 0)
            say(c, row->where, "no transition opens a round, so there is nothing to vote on with",
                row->event);
        if (row->opens_round && approval == NULL)
            problem(c->problems, c->kind->where,
                    "kind '%s' needs 'approval': its event '%s' opens a round", c->kind->name,
                    row->event);
        if (row->opens_round && !has_vote(l, row->to, VOTE_GRANT))
            say(c, row->where, "no event grants the round that is opened by", row->event);
    }
    if (approval != NULL)
        check_approval(c, approval);
}

/* ---- timers ---- */

static void check_timer_field(struct checks *c, const struct timer *timer, const char *name)
{
    const struct field *field = kind_field(c->kind, slice_str(name));
    struct nearest nearest;
    struct where where;
    int i;

    if (field != NULL && !field->list &&
        (field->type == FIELD_DATE || field->type == FIELD_DATETIME))
        return;
    nearest = nearest_to(slice_str(name));
    for (i = 0; i < c->kind->field_count; i++) {
        if (c->kind->fields[i].type == FIELD_DATE || c->kind->fields[i].type == FIELD_DATETIME)
            nearest_offer(&nearest, c->kind->fields[i].name);
    }
    where = where_of(name);
    problem(c->problems, where, "timer '%s': '%s' is not %sa date field%s%s", timer->name, name,
            name == timer->field ? "'state', 'round' or " : "", check_for_kind(c, where.file),
            nearest_hint(&nearest, &c->problems->arena));
}

/* Percents are of the way between two fields: there must be two, and no repeating. */
static void check_way(struct checks *c, const struct timer *timer)
{
    int i;

    if (timer->until != NULL && (timer->from != TIMER_FIELD || !span_is_zero(&timer->every)))
        problem(c->problems, timer->where,
                "timer '%s': with 'until' it runs once, from a date field", timer->name);
    for (i = 0; i < timer->step_count; i++) {
        if (timer->steps[i].percent != 0 && timer->until == NULL)
            problem(c->problems, timer->where,
                    "timer '%s': %d %% of what? It needs 'until', the field where the way ends",
                    timer->name, timer->steps[i].percent);
    }
}

static void check_timer(struct checks *c, const struct timer *timer, int index)
{
    const struct lifecycle *l = c->kind->lifecycle;
    int i;

    if (timer->from == TIMER_FIELD)
        check_timer_field(c, timer, timer->field);
    if (timer->until != NULL)
        check_timer_field(c, timer, timer->until);
    check_way(c, timer);
    for (i = 0; i < index; i++) {
        if (strcmp(l->timers[i].name, timer->name) == 0)
            say(c, timer->where, "a second timer", timer->name);
    }
    if (timer->from == TIMER_ROUND && c->kind->approval == NULL)
        problem(c->problems, timer->where,
                "timer '%s' runs from a round, but kind '%s' has no approval", timer->name,
                c->kind->name);
    for (i = 0; i < timer->step_count; i++) {
        const struct timer_step *step = &timer->steps[i];

        check_notice(c, &step->tell, timer->name);
        if (step->event != NULL)
            (void)check_event(c, c->kind, step->event);
    }
}

void check_lifecycle(struct checks *c)
{
    const struct lifecycle *l = c->kind->lifecycle;
    int i;

    for (i = 0; i < l->state_count; i++) {
        check_who(c, &l->states[i].edit, false);
        check_edit_fields(c, &l->states[i].edit_fields);
    }
    for (i = 0; i < l->transition_count; i++)
        check_row(c, &l->transitions[i]);
    check_ambiguous(c);
    check_outcomes(c);
    check_beginning(c);
    check_round(c);
    for (i = 0; i < l->timer_count; i++)
        check_timer(c, &l->timers[i], i);
}
