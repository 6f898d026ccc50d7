/* policy.c - what somebody would do with a record, how likely and how soon.
 *
 * Without a word of the scenario people do what leads a record on: whatever a person may do that needs no reason, leads to
 * another state and is no vote. A reason is asked for where a step is out of the ordinary (withdraw, return, cancel), so
 * these happen only where a policy gives them a weight. A document in force is left alone until its review.
 */
#include "simulate/inside.h"

static const struct delay soon = {{.days = 1, .working = true}, {.days = 3, .working = true}};
static const struct delay later = {{.days = 8, .working = true}, {.days = 15, .working = true}};

enum { SURE_DEFAULT = 90 };

static bool fits(const struct words *words, const char *name)
{
    return words->count == 0 || (name != NULL && words_have(words, slice_str(name)));
}

static bool fits_kind(const struct words *words, const struct known *record)
{
    return words->count == 0 ||
           (record != NULL && (words_have(words, slice_str(record->kind->name)) ||
                               words_have(words, slice_str(record->kind->lifecycle->name))));
}

struct stance stance_of(const struct simulation *sim, const struct known *record, const char *event,
                        const char *who)
{
    struct stance stance = {-1, SURE_DEFAULT, soon, later, NULL};
    const char *state = record != NULL ? known_state(record)->name : NULL;

    for (int i = 0; i < sim->scenario->policies.count; i++) {
        const struct policy *policy = &sim->scenario->policies.at[i];

        if (!fits_kind(&policy->kinds, record) || !fits(&policy->states, state) ||
            !fits(&policy->events, event) || !fits(&policy->who, who))
            continue;
        stance.weight = policy->weight >= 0 ? policy->weight : stance.weight;
        stance.sure = policy->sure >= 0 ? policy->sure : stance.sure;
        stance.after = policy->has_after ? policy->after : stance.after;
        stance.again = policy->has_again ? policy->again : stance.again;
        stance.reason = policy->reason != NULL ? policy->reason : stance.reason;
    }
    return stance;
}

static int64_t draw_within(const struct simulation *sim, const struct delay *delay, const char *who,
                           struct chance *chance)
{
    const struct calendar *calendar = &sim->pack->calendar;
    int64_t least = span_add_moment(&delay->least, calendar, now_ms(sim));
    int64_t most = span_add_moment(&delay->most, calendar, now_ms(sim));

    return next_at_work(sim, who, chance_between(chance, least, most), chance);
}

int64_t draw_again(const struct simulation *sim, const struct stance *stance, const char *who,
                   struct chance *chance)
{
    return draw_within(sim, &stance->again, who, chance);
}

int64_t draw_moment(const struct simulation *sim, const struct stance *stance, const char *who,
                    struct chance *chance, bool *is_forgotten)
{
    *is_forgotten = !chance_happens(chance, stance->sure);
    return *is_forgotten ? draw_again(sim, stance, who, chance)
                         : draw_within(sim, &stance->after, who, chance);
}

/* ---- what is chosen ---- */

static bool is_for_people(const struct transition *transition)
{
    for (int i = 0; i < transition->by.count; i++) {
        if (strcmp(transition->by.at[i], "system") != 0)
            return true;
    }
    return false;
}

/* What counts is looked at, and goes on counting: the ordinary end of a review, also where it takes a reason. */
static bool ends_review(const struct known *record, const struct transition *transition)
{
    return record->kind->lifecycle->versioned && known_state(record)->stage == STAGE_UNDER_REVIEW &&
           record->kind->lifecycle->states[transition->to].stage == STAGE_IN_FORCE;
}

static bool leads_on(const struct known *record, const struct transition *transition)
{
    bool is_resting =
        record->kind->lifecycle->versioned && known_state(record)->stage == STAGE_IN_FORCE;

    if (record->is_closed || is_resting)
        return false;
    return ends_review(record, transition) ||
           (!transition->reason &&
            (transition->to != record->state || transition->opens_round || record->is_reminded));
}

static bool is_habit_done(const struct known *record, const char *event)
{
    for (int i = 0; i < record->habit_count; i++) {
        if (strcmp(record->habits[i], event) == 0)
            return true;
    }
    return false;
}

void note_habit(const struct simulation *sim, struct known *record, const char *event)
{
    record->is_reminded = false;
    if (stance_of(sim, record, event, NULL).weight >= 0)
        record->habit_count = 0; /* meant by the scenario: whatever follows is new */
    else if (record->habit_count < HABITS_MAX)
        record->habits[record->habit_count++] = event;
}

static int weight_of(const struct simulation *sim, const struct known *record,
                     const struct transition *transition)
{
    int weight = stance_of(sim, record, transition->event, NULL).weight;

    if (!transition->from[record->state] || transition->creates || !is_for_people(transition) ||
        transition->vote != VOTE_NONE || (transition->opens_round && record->round > 0))
        return 0;
    if (weight >= 0)
        return weight;
    return leads_on(record, transition) && !is_habit_done(record, transition->event) ? 1 : 0;
}

const struct transition *choose_step(const struct simulation *sim, const struct known *record,
                                     const struct words *not_these, struct chance *chance)
{
    const struct lifecycle *lifecycle = record->kind->lifecycle;
    uint32_t sum = 0, drawn;

    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1 && sum == 0)
            return NULL;
        drawn = pass == 1 ? chance_below(chance, sum) : 0;
        for (int i = 0; i < lifecycle->transition_count; i++) {
            const struct transition *transition = &lifecycle->transitions[i];
            uint32_t weight = words_have(not_these, slice_str(transition->event))
                                  ? 0
                                  : (uint32_t)weight_of(sim, record, transition);

            if (pass == 0)
                sum += weight;
            else if (drawn < weight)
                return transition;
            else
                drawn -= weight;
        }
    }
    return NULL;
}

/* ---- plans ---- */

/* Nobody has a step to take, and the engine would take one if a field were filled in: somebody writes it. */
static const char *awaited(const struct known *record)
{
    const struct lifecycle *lifecycle = record->kind->lifecycle;

    for (int i = 0; i < lifecycle->transition_count && !record->is_closed; i++) {
        const struct transition *row = &lifecycle->transitions[i];

        if (row->automatic && row->from[record->state] && speaks_of_a_field(record, row->event))
            return "edit";
    }
    return NULL;
}

static void plan_step(struct simulation *sim, struct known *record)
{
    struct chance chance = chance_of((uint64_t)sim->scenario->seed, "step %s %llu", record->id,
                                     (unsigned long long)record->situation);
    const struct words none = {NULL, 0};
    const struct transition *transition = choose_step(sim, record, &none, &chance);
    struct item item = {
        .errand = ERRAND_STEP, .record = record->index, .situation = record->situation};
    struct stance stance;

    item.event = transition != NULL ? transition->event : awaited(record);
    if (item.event == NULL)
        return;
    stance = stance_of(sim, record, item.event, NULL);
    item.at_ms = draw_moment(sim, &stance, NULL, &chance, &item.is_forgotten);
    if (item.at_ms >= 0)
        agenda_add(&sim->agenda, &item);
}

static void plan_person(struct simulation *sim, struct known *record, enum errand errand,
                        const char *event, struct slice who)
{
    struct chance chance =
        chance_of((uint64_t)sim->scenario->seed, "%s %s %llu %.*s", event, record->id,
                  (unsigned long long)record->situation, (int)who.len, (const char *)who.at);
    struct item item = {.errand = errand, .record = record->index, .situation = record->situation};
    const struct person *person = person_named(sim, who);
    struct stance stance;

    if (person == NULL)
        return;
    item.who = person->entry->name;
    item.event = event;
    stance = stance_of(sim, record, event, item.who);
    item.at_ms = draw_moment(sim, &stance, item.who, &chance, &item.is_forgotten);
    if (item.at_ms >= 0)
        agenda_add(&sim->agenda, &item);
}

static const char *grant_of(const struct known *record)
{
    const struct lifecycle *lifecycle = record->kind->lifecycle;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        if (lifecycle->transitions[i].vote == VOTE_GRANT &&
            lifecycle->transitions[i].from[record->state])
            return lifecycle->transitions[i].event;
    }
    return "vote";
}

static void plan_votes(struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->asked.count; i++) {
        const struct value *pair = &sim->asked.as.items[i];
        struct known *record = record_known(sim, value_slice(&pair->as.items[0]));

        if (record != NULL && record->round > 0)
            plan_person(sim, record, ERRAND_VOTE, grant_of(record),
                        value_slice(&pair->as.items[1]));
    }
    sim->asked = value_array();
}

static void plan_acks(struct simulation *sim, struct known *record)
{
    struct value args = value_map(), page;
    const struct value *waiting;
    struct house_answer answer;

    value_set(&sim->scratch, &args, "record", value_str(record->id));
    if (house_query(&sim->house, OPERATOR, "show", &args, &page, &answer) != 0)
        return;
    waiting = value_get(&page, "acks_waiting");
    for (uint32_t i = 0; value_is(waiting, VALUE_ARRAY) && i < waiting->count; i++)
        plan_person(sim, record, ERRAND_ACK, "ack", value_slice(&waiting->as.items[i]));
}

static void plan(struct simulation *sim, struct known *record)
{
    enum stage stage = known_state(record)->stage;

    record->planned = record->situation;
    record->tries = 0;
    record->stuck = NULL;
    if (record->round == 0)
        plan_step(sim, record);
    if (record->kind->acknowledge.count > 0 &&
        (stage == STAGE_IN_FORCE || stage == STAGE_UNDER_REVIEW))
        plan_acks(sim, record);
}

static void plan_redrives(struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->parked.count; i++) {
        int64_t task = sim->parked.as.items[i].as.number;
        struct chance chance = chance_of((uint64_t)sim->scenario->seed, "redrive %lld at %lld",
                                         (long long)task, (long long)now_ms(sim));
        struct stance stance = stance_of(sim, NULL, "task.redrive", NULL);
        struct item item = {.errand = ERRAND_REDRIVE, .record = -1, .number = task};

        item.at_ms = draw_moment(sim, &stance, NULL, &chance, &item.is_forgotten);
        if (stance.weight != 0 && item.at_ms >= 0)
            agenda_add(&sim->agenda, &item);
    }
    sim->parked = value_array();
}

void plan_changed(struct simulation *sim)
{
    for (int i = 0; i < sim->record_count; i++) {
        struct known *record = sim->records[i];

        if (record->is_changed && record->planned != record->situation)
            plan(sim, record);
        record->is_changed = false;
    }
    plan_votes(sim);
    plan_redrives(sim);
}

/* Thought of again; true if somebody had meant to do something with it. */
static bool remind_items(struct simulation *sim, int record)
{
    size_t count = sim->agenda.count;
    bool is_meant = false;

    for (size_t i = 0; i < count; i++) {
        struct item item = sim->agenda.items[i];
        struct stance stance;
        struct chance chance;

        if (item.record != record || item.is_void ||
            item.situation != sim->records[record]->situation)
            continue;
        is_meant = true;
        if (!item.is_forgotten)
            continue;
        chance = chance_of((uint64_t)sim->scenario->seed, "reminded %s %s %lld",
                           sim->records[record]->id, item.who != NULL ? item.who : "",
                           (long long)now_ms(sim));
        stance = stance_of(sim, sim->records[record], item.event, item.who);
        item.at_ms = draw_moment(sim, &stance, item.who, &chance, &item.is_forgotten);
        sim->agenda.items[i].is_void = true;
        if (item.at_ms >= 0)
            agenda_add(&sim->agenda, &item);
    }
    return is_meant;
}

void plan_reminded(struct simulation *sim, int record)
{
    struct known *known = sim->records[record];

    known->habit_count = 0;
    known->is_reminded = true;
    if (!remind_items(sim, record)) {
        known->planned = 0;
        known->is_changed = true;
    }
}
