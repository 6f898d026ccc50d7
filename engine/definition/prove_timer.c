/* prove_timer.c - a timer that runs has somebody to answer it, in every state that it runs in.
 *
 * A step with an event is answered in a state by a row of that event that the engine may make there. That a ladder has
 * steps which nothing answers in one of its states is its nature (the first rung moves the record on, to where the later
 * ones are meant): so
 *
 *   error    in no state of the timer the step's event is answered: the date passes and nothing happens;
 *   error    a timer that runs from a round, where no round can be open in any of its states;
 *   warning  a state in which no step of the timer is answered and none tells anybody: it runs there for nothing;
 *   warning  it runs from a field that nothing ever fills in;
 *   warning  it begins again and again in a closed state that nothing leaves: it would never end;
 *   warning  a step stands behind one of a later day: it would not happen on its own. */
#include "core/span.h"
#include "definition/option.h"
#include "definition/prove_inside.h"

static bool answers_event(const struct proof *proof, int state, const char *event)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        const struct transition *row = &l->transitions[i];

        if (row->from[state] && row->vote == VOTE_NONE && is_for_system(row) &&
            !life_of(proof)->never[i * l->state_count + state] && strcmp(row->event, event) == 0)
            return true;
    }
    return false;
}

/* A row that would answer, if it let the engine. */
static const struct transition *barred_row(const struct proof *proof, const struct timer *timer,
                                           const char *event)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        for (int s = 0; s < l->state_count; s++) {
            if (timer->in[s] && l->transitions[i].from[s] &&
                strcmp(l->transitions[i].event, event) == 0)
                return &l->transitions[i];
        }
    }
    return NULL;
}

/* False: nothing answers it (said). */
static bool prove_step(struct proof *proof, const struct timer *timer, const char *event)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    const struct transition *row;

    for (int s = 0; s < l->state_count; s++) {
        if (timer->in[s] && answers_event(proof, s, event))
            return true;
    }
    row = barred_row(proof, timer, event);
    if (row == NULL)
        say_of_kind(proof, PROBLEM_ERROR, where_of(event),
                    "in none of the states of timer '%s' anything answers event '%s'", timer->name,
                    event);
    else
        say_of_kind(proof, PROBLEM_ERROR, where_of(event),
                    "timer '%s' asks for '%s', which the engine may not do: 'by' (%s:%d) does not "
                    "name system",
                    timer->name, event, row->where.file, row->where.line);
    return false;
}

static bool does_something(const struct proof *proof, const struct timer *timer, int state)
{
    for (int i = 0; i < timer->step_count; i++) {
        const struct timer_step *step = &timer->steps[i];

        if (step->tell.to.count > 0 ||
            (step->event != NULL && answers_event(proof, state, step->event)))
            return true;
    }
    return false;
}

/* ---- what it runs from ---- */

static bool opens_round_in(const struct proof *proof, int state)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].opens_round && l->transitions[i].to == state)
            return true;
    }
    return false;
}

static void prove_round_timer(struct proof *proof, const struct timer *timer)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int s = 0; s < l->state_count; s++) {
        if (timer->in[s] && opens_round_in(proof, s))
            return;
    }
    say_of_kind(proof, PROBLEM_ERROR, timer->where,
                "timer '%s' runs from a round, but no round is ever open in its states",
                timer->name);
}

static bool is_left(const struct proof *proof, int state)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int i = 0; i < l->transition_count; i++) {
        if (l->transitions[i].from[state] && l->transitions[i].to != state &&
            !life_of(proof)->never[i * l->state_count + state])
            return true;
    }
    return false;
}

static void prove_end(struct proof *proof, const struct timer *timer)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int s = 0; s < l->state_count && !span_is_zero(&timer->every); s++) {
        if (timer->in[s] && l->states[s].is_closed && !is_left(proof, s))
            say_of_kind(proof, PROBLEM_WARNING, timer->where,
                        "timer '%s' never ends: it begins again every %s in '%s', which is closed "
                        "and which nothing leaves; take that state from 'in', or 'every' away",
                        timer->name, span_text(&proof->problems->arena, &timer->every),
                        l->states[s].name);
    }
}

/* Steps happen in the order in which they stand; which of two spans is longer is seen from a day like any other. */
static void prove_order(struct proof *proof, const struct timer *timer)
{
    for (int i = 1; i < timer->step_count; i++) {
        const struct timer_step *before = &timer->steps[i - 1], *step = &timer->steps[i];

        if (before->percent == 0 && step->percent == 0 &&
            span_add_moment(&step->after, NULL, 0) < span_add_moment(&before->after, NULL, 0))
            say_of_kind(proof, PROBLEM_WARNING, timer->where,
                        "step %d of timer '%s' (after %s) stands behind one of a later day (after "
                        "%s), and would wait for it; put the steps in the order of their days",
                        i + 1, timer->name, span_text(&proof->problems->arena, &step->after),
                        span_text(&proof->problems->arena, &before->after));
    }
}

/* ---- whom it tells ---- */

/* May nobody be meant, because the word is a field that people need not fill in? */
static bool may_mean_nobody(const struct proof *proof, const char *word)
{
    const struct field *field = kind_field(kind_of(proof), slice_str(word));

    return field != NULL && field->type == FIELD_PERSON && !field->required &&
           field->required_if == NULL &&
           (!field->computed || !is_ever_filled(proof, proof->kind, word));
}

/* A ladder that does nothing but tell people, and all of them may be nobody: then nobody hears, and nobody knows. */
static void prove_told(struct proof *proof, const struct timer *timer)
{
    const char *word = NULL;

    for (int i = 0; i < timer->step_count; i++) {
        const struct words *to = &timer->steps[i].tell.to;

        if (timer->steps[i].event != NULL)
            return;
        for (int k = 0; k < to->count; k++) {
            if (!may_mean_nobody(proof, to->at[k]))
                return;
            word = to->at[k];
        }
    }
    if (word != NULL)
        say_of_kind(proof, PROBLEM_WARNING, where_of(word),
                    "timer '%s' tells only '%s', which may be empty: nobody would hear; tell "
                    "'owner' as well, or make the field required",
                    timer->name, word);
}

static void prove_timer(struct proof *proof, const struct timer *timer)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;
    bool is_answered = true;

    if (timer->from == TIMER_ROUND)
        prove_round_timer(proof, timer);
    prove_end(proof, timer);
    prove_order(proof, timer);
    prove_told(proof, timer);
    if (timer->from == TIMER_FIELD && !is_ever_filled(proof, proof->kind, timer->field))
        say_of_kind(proof, PROBLEM_WARNING, where_of(timer->field),
                    "timer '%s' never runs: nothing ever sets the computed field '%s'", timer->name,
                    timer->field);
    for (int i = 0; i < timer->step_count; i++) {
        if (timer->steps[i].event != NULL)
            is_answered = prove_step(proof, timer, timer->steps[i].event) && is_answered;
    }
    for (int s = 0; s < l->state_count && is_answered; s++) {
        if (timer->in[s] && !does_something(proof, timer, s))
            say_of_kind(proof, PROBLEM_WARNING, timer->where,
                        "timer '%s' runs in state '%s', where nothing answers it", timer->name,
                        l->states[s].name);
    }
}

void prove_timers(struct proof *proof)
{
    const struct lifecycle *l = kind_of(proof)->lifecycle;

    for (int i = 0; i < l->timer_count; i++)
        prove_timer(proof, &l->timers[i]);
}
