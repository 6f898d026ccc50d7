/* oracle.c - what must hold, checked from leaves and rows by means of its own.
 *
 *   valid     a document that had a valid version has exactly one between runs, until a person withdraws it
 *   signed    what its kind wants approved becomes valid only after a round that was granted by enough signed votes,
 *             each of another person, none of whom edited it
 *   gates     an event that a rule holds happens only when all that the rule started is closed
 *   timers    each fires at its moment, and none is late
 */
#include "simulate/inside.h"

#include "base/date.h"

#include <stdio.h>

/* ---- one valid version ---- */

static struct document *document_of(struct simulation *sim, const struct known *record)
{
    const char *at = strchr(record->id, '@');
    size_t len = at != NULL ? (size_t)(at - record->id) : strlen(record->id);

    for (int i = 0; i < sim->document_count; i++) {
        if (slice_equal(slice_str(sim->documents[i].base), slice_of(record->id, len)))
            return &sim->documents[i];
    }
    sim->documents =
        sim_grow(&sim->arena, sim->documents, &sim->document_count, sizeof sim->documents[0]);
    sim->documents[sim->document_count - 1].base = arena_copy(&sim->arena, record->id, len);
    return &sim->documents[sim->document_count - 1];
}

void oracle_valid(struct simulation *sim, const struct known *record, bool is)
{
    struct document *document = document_of(sim, record);

    document->valid += is ? 1 : -1;
    document->had = document->had || is;
    document->is_changed = true;
    if (is && record->kind->approval != NULL &&
        map_get(&sim->granted, slice_str(record->id)) == NULL)
        breach(sim, "%s is in force, and no round over it was granted", record->id);
}

static void check_documents(struct simulation *sim)
{
    for (int i = 0; i < sim->document_count; i++) {
        struct document *document = &sim->documents[i];

        if (!document->is_changed)
            continue;
        document->is_changed = false;
        if (document->valid > 1)
            breach(sim, "%s has %d valid versions", document->base, document->valid);
        else if (document->valid == 0 && document->had && !document->is_given_up)
            breach(sim, "%s has no valid version any more, and nobody withdrew it", document->base);
    }
}

/* ---- votes ---- */

static struct slice round_of(const struct leaf *leaf) /* "<record>/round/<n>", or empty */
{
    for (size_t i = 0; i + 7 <= leaf->stream.len; i++) {
        if (memcmp(leaf->stream.at + i, "/round/", 7) != 0)
            continue;
        for (i += 7; i < leaf->stream.len && leaf->stream.at[i] != '/'; i++) {
        }
        return slice_of(leaf->stream.at, i);
    }
    return slice_of(NULL, 0);
}

static const struct transition *row_of(const struct known *record, const struct leaf *leaf)
{
    return record != NULL && slice_starts(leaf->type, "record.")
               ? kind_transition(record->kind, record->state,
                                 slice_of(leaf->type.at + 7, leaf->type.len - 7))
               : NULL;
}

static int grants_so_far(const struct simulation *sim, struct slice round)
{
    return (int)((uintptr_t)map_get(&sim->votes, round));
}

static void see_grant(struct simulation *sim, struct arena *arena, const struct leaf *leaf,
                      const struct known *record, struct slice round)
{
    const char *actor = arena_copy(arena, leaf->actor.at, leaf->actor.len);
    struct value row;

    if (leaf->actor_sig.len != SIGNATURE_LEN)
        breach(sim, "%s granted %s without a signature", actor, record->id);
    if (map_get(&sim->votes, leaf->stream) != NULL)
        breach(sim, "%s voted twice on %s", actor, record->id);
    if (record->kind->approval != NULL &&
        words_have(&record->kind->approval->apart, slice_str("editors")) &&
        house_row(&sim->house, arena, slice_str(record->id), &row) &&
        value_has_text(value_get(&row, "editors"), leaf->actor))
        breach(sim, "%s granted %s and had edited it", actor, record->id);
    map_put(&sim->votes, leaf->stream, sim);
    map_put(&sim->votes, round, (void *)(uintptr_t)(grants_so_far(sim, round) + 1));
}

static void see_outcome(struct simulation *sim, struct arena *arena, const struct leaf *leaf,
                        const struct known *record)
{
    int64_t n = value_get_int(&leaf->body, "round", 0), need = 1;
    const char *round = arena_printf(arena, "%s/round/%lld", record->id, (long long)n);
    struct value row;

    if (!slice_is(value_get_text(&leaf->body, "outcome"), "granted"))
        return;
    if (house_row(&sim->house, arena, slice_str(round), &row))
        need = value_get_int(&row, "need", 1);
    if (grants_so_far(sim, slice_str(round)) < need)
        breach(sim, "%s was granted by %d of %lld votes", record->id,
               grants_so_far(sim, slice_str(round)), (long long)need);
    map_put(&sim->granted, slice_str(record->id), sim);
}

/* ---- gates ---- */

static const struct rule *rule_named(const struct pack *pack, struct slice name)
{
    for (int i = 0; i < pack->rule_count; i++) {
        if (slice_is(name, pack->rules[i].name))
            return &pack->rules[i];
    }
    return NULL;
}

/* A record that a gating rule started: what started it waits for it. */
static void see_opening(struct simulation *sim, const struct leaf *leaf)
{
    const struct value *own = value_get(&leaf->effects, ""), *links = value_get(own, "links");
    const struct rule *rule = rule_named(sim->pack, value_get_text(&leaf->body, "rule"));

    for (uint32_t i = 0;
         rule != NULL && rule->gate && value_is(links, VALUE_MAP) && i < links->count; i++) {
        const struct pair *link = &links->as.pairs[i];
        struct gate *gate;

        if (!slice_is(value_slice(&link->value), "triggered_by"))
            continue;
        sim->gates = sim_grow(&sim->arena, sim->gates, &sim->gate_count, sizeof *gate);
        gate = &sim->gates[sim->gate_count - 1];
        gate->parent = arena_copy(&sim->arena, link->key.at, link->key.len);
        gate->child = arena_copy(&sim->arena, leaf->stream.at, leaf->stream.len);
        gate->event = rule->gate_event;
    }
}

/* Looked at when the run is kept: what it waits for may be closed by the same run. */
static void see_passing(struct simulation *sim, const struct known *record,
                        const struct transition *row)
{
    for (int i = 0; i < sim->gate_count; i++) {
        const struct gate **at;

        if (strcmp(sim->gates[i].parent, record->id) != 0 ||
            strcmp(sim->gates[i].event, row->event) != 0)
            continue;
        sim->passed = sim_grow(&sim->scratch, sim->passed, &sim->passed_count, sizeof *at);
        sim->passed[sim->passed_count - 1] = &sim->gates[i];
    }
}

static void check_passed(struct simulation *sim)
{
    for (int i = 0; i < sim->passed_count; i++) {
        const struct known *child = record_known(sim, slice_str(sim->passed[i]->child));

        sim->tally->gates_passed++;
        if (child == NULL || !child->is_closed)
            breach(sim, "%s of %s happened, and %s is not closed", sim->passed[i]->event,
                   sim->passed[i]->parent, sim->passed[i]->child);
    }
    sim->passed = NULL;
    sim->passed_count = 0;
}

/* ---- timers ---- */

/* The day of a step, counted by days and months, without the core's spans. */
static bool expected_day(const struct simulation *sim, const struct known_timer *timer,
                         const struct timer_step *step, int32_t *day)
{
    int32_t date = local_date(sim, timer->start_ms);
    bool begins_day = calendar_midnight_ms(&sim->pack->calendar, date) == timer->start_ms;

    if (timer->timer->from != TIMER_FIELD || !begins_day || step->after.working ||
        step->percent != 0 || step->after.ms != 0 || timer->timer->every.months != 0 ||
        timer->timer->every.days != 0 || timer->timer->every.ms != 0)
        return false;
    *day = date_add_months(date, step->after.months) + step->after.days;
    return true;
}

static void see_fired(struct simulation *sim, const struct leaf *leaf, const struct known *record)
{
    int64_t due = value_get_int(&leaf->body, "due_ms", -1), at = leaf->time_us / 1000;
    struct slice name = value_get_text(&leaf->body, "timer");

    for (int i = 0; record != NULL && i < record->timer_count; i++) {
        const struct known_timer *timer = &record->timers[i];
        int step = (int)value_get_int(&leaf->body, "step", 0);
        int32_t day;

        if (timer->timer == NULL || !slice_is(name, timer->timer->name))
            continue;
        if (timer->due_ms != due)
            breach(sim, "%.*s of %s fired for another moment than it was set to", (int)name.len,
                   (const char *)name.at, record->id);
        if (at != due && at != timer->armed_ms)
            breach(sim, "%.*s of %s fired %lld ms late", (int)name.len, (const char *)name.at,
                   record->id, (long long)(at - due));
        if (at == due && step < timer->timer->step_count &&
            expected_day(sim, timer, &timer->timer->steps[step], &day) &&
            (local_date(sim, at) != day || calendar_midnight_ms(&sim->pack->calendar, day) != at))
            breach(sim, "%.*s of %s did not fire with the first minute of its day", (int)name.len,
                   (const char *)name.at, record->id);
    }
}

void oracle_day(struct simulation *sim)
{
    for (int i = 0; i < sim->record_count; i++) {
        const struct known *record = sim->records[i];

        for (int t = 0; t < record->timer_count; t++) {
            if (record->timers[t].due_ms >= 0 && record->timers[t].due_ms < now_ms(sim))
                breach(sim, "a timer of %s was due and did not fire", record->id);
        }
    }
}

/* ---- all of it ---- */

static void see_event(struct simulation *sim, struct arena *arena, const struct leaf *leaf,
                      const struct known *record)
{
    const struct transition *row = row_of(record, leaf);
    struct slice round = round_of(leaf);

    if (row == NULL)
        return;
    if (round.len > 0) {
        if (row->vote == VOTE_GRANT)
            see_grant(sim, arena, leaf, record, round);
        return;
    }
    if (row->vote == VOTE_GRANT)
        see_outcome(sim, arena, leaf, record);
    if (record->is_valid && record->kind->lifecycle->states[row->to].stage == STAGE_CLOSED &&
        !slice_is(leaf->actor, "engine"))
        document_of(sim, record)->is_given_up = true;
    see_passing(sim, record, row);
}

void oracle_leaf(struct simulation *sim, struct arena *arena, const struct leaf *leaf,
                 const struct known *record)
{
    if (slice_is(leaf->type, "timer.fired"))
        see_fired(sim, leaf, record);
    else if (slice_is(leaf->type, "record.open") && record == NULL)
        see_opening(sim, leaf);
    else
        see_event(sim, arena, leaf, record);
}

void oracle_after(struct simulation *sim)
{
    check_documents(sim);
    check_passed(sim);
}
