/* act.c - somebody does what they meant to do: asks whether they may, fills in what is missing, signs.
 *
 * Who may is never read from the workflow here: the query `why` says it, as it says it to people, and the command is
 * decided by the core like any other.
 */
#include "simulate/inside.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>

enum { CANDIDATES_MAX = 12, EVENTS_TRIED_MAX = 8, FILL_STAGES = 3 };

enum outcome { DONE, NOBODY_THERE, NOT_POSSIBLE };

/* ---- commands ---- */

static void tell_refusal(struct simulation *sim, const char *who, const char *command,
                         const char *record, const struct house_answer *answer)
{
    const struct known *known = record_known(sim, slice_str(record != NULL ? record : ""));

    sim->tally->refusals++;
    tell_event(sim, HAPPENED_REFUSAL, record != NULL ? record : "",
               known != NULL ? known->title : "", who, "%s refused (%s): %s", command, answer->code,
               answer->sentence);
}

bool give(struct simulation *sim, const char *who, const char *command, const char *record,
          const struct value *args, bool is_signed, struct house_answer *answer)
{
    const char *id = arena_printf(&sim->scratch, "sim-%08lld", (long long)++sim->ids);
    struct question question = house_command(who, id, command, record, args);
    const struct person *person = person_named(sim, slice_str(who));

    *answer = (struct house_answer){.status = 200};
    if (is_signed && person != NULL)
        house_sign(&sim->house, &sim->scratch, &question, person->key, person->seed, answer);
    if (answer->status == 200 &&
        house_play(&sim->house, &question, &sim->scratch, answer, sim->err) != 0) {
        breach(sim, "%s %s by %s: %s", command, record != NULL ? record : "", who, sim->err->text);
        return false;
    }
    if (answer->status != 200 && !sim->is_trying)
        tell_refusal(sim, who, command, record, answer);
    return answer->status == 200;
}

struct value reason_args(struct simulation *sim, const char *reason)
{
    struct value args = value_map();
    uint8_t salt[32];

    if (reason == NULL)
        reason = "Decided in the simulation.";
    chance_key((uint64_t)sim->scenario->seed, reason, salt);
    value_set(&sim->scratch, &args, "reason",
              house_content(&sim->house, &sim->scratch, salt, slice_str(reason)));
    return args;
}

/* ---- asking `why` ---- */

struct candidates {
    const char *names[CANDIDATES_MAX];
    int count;
    bool is_away; /* somebody more could, and is not there */
};

static bool ask_why(struct simulation *sim, const struct known *record, const char *event,
                    const char *who, struct value *out)
{
    struct value args = value_map(), answer;
    struct house_answer status;

    value_set(&sim->scratch, &args, "record", value_str(record->id));
    value_set(&sim->scratch, &args, "event", value_str(event));
    if (who != NULL)
        value_set(&sim->scratch, &args, "person", value_str(who));
    if (house_query(&sim->house, OPERATOR, "why", &args, &answer, &status) != 0)
        return false;
    *out = value_copy(&sim->scratch, &answer);
    return true;
}

static void add_candidate(struct simulation *sim, struct candidates *out, struct slice name)
{
    const struct person *person = person_named(sim, name);

    if (person == NULL || person->entry->is_worker || out->count == CANDIDATES_MAX)
        return;
    for (int i = 0; i < out->count; i++) {
        if (out->names[i] == person->entry->name)
            return;
    }
    if (!is_present(sim, person->entry->name, now_ms(sim)))
        out->is_away = true;
    else
        out->names[out->count++] = person->entry->name;
}

/* Those of one word in any order, so that work is shared; words in the order of the workflow. */
static void add_word(struct simulation *sim, const struct known *record, const struct value *people,
                     struct candidates *out)
{
    struct chance chance = chance_of((uint64_t)sim->scenario->seed, "who %s %llu %d", record->id,
                                     (unsigned long long)record->situation, record->tries);
    uint32_t first = people->count > 0 ? chance_below(&chance, people->count) : 0;

    for (uint32_t i = 0; i < people->count; i++)
        add_candidate(sim, out, value_slice(&people->as.items[(first + i) % people->count]));
}

static struct candidates candidates_of(struct simulation *sim, const struct known *record,
                                       const struct value *why)
{
    const struct value *who = value_get(why, "who");
    struct candidates out = {.count = 0};

    for (uint32_t i = 0; value_is(who, VALUE_ARRAY) && i < who->count; i++) {
        const struct value *people = value_get(&who->as.items[i], "people");

        if (value_is(people, VALUE_ARRAY))
            add_word(sim, record, people, &out);
    }
    return out;
}

/* ---- filling in ---- */

static const char *editor_of(struct simulation *sim, const struct known *record, const char *actor)
{
    struct candidates editors;
    struct value why;

    if (known_state(record)->edit.count == 0)
        return NULL;
    if (ask_why(sim, record, "edit", actor, &why) && value_get_bool(&why, "allowed", false))
        return actor;
    if (!ask_why(sim, record, "edit", NULL, &why))
        return NULL;
    editors = candidates_of(sim, record, &why);
    return editors.count > 0 ? editors.names[0] : NULL;
}

/* By an edit where the state allows one; `left` goes with the event. */
static bool fill_in(struct simulation *sim, const struct known *record, const char *event,
                    const char *actor, int stage, struct value *left)
{
    struct value all = fill_fields(sim, record, event, actor, stage), args = value_map(),
                 set = value_map();
    const char *editor = all.count > 0 ? editor_of(sim, record, actor) : NULL;
    struct house_answer answer;

    *left = value_map();
    for (uint32_t i = 0; i < all.count; i++) {
        const struct pair *pair = &all.as.pairs[i];
        bool is_edit = editor != NULL && may_edit_field(record, pair->key);

        value_put(&sim->scratch, is_edit ? &set : left, pair->key, pair->value);
    }
    if (set.count == 0)
        return left->count > 0;
    value_set(&sim->scratch, &args, "set", set);
    return give(sim, editor, "edit", record->id, &args, false, &answer);
}

/* ---- a step ---- */

static bool do_event(struct simulation *sim, const struct known *record, const char *event,
                     const char *who, const struct value *why, const struct value *set)
{
    const struct value *row = value_get(why, "transition");
    struct stance stance = stance_of(sim, record, event, who);
    struct house_answer answer;
    struct value args =
        value_get_bool(row, "reason", false) ? reason_args(sim, stance.reason) : value_map();

    if (set->count > 0)
        value_set(&sim->scratch, &args, "set", *set);
    return give(sim, who, event, record->id, &args, value_is(value_get(row, "meaning"), VALUE_STR),
                &answer);
}

/* The first candidate who may now; `why` is the answer to them. */
static const char *first_allowed(struct simulation *sim, const struct known *record,
                                 const char *event, const struct candidates *candidates,
                                 struct value *why)
{
    for (int i = 0; i < candidates->count; i++) {
        if (ask_why(sim, record, event, candidates->names[i], why) &&
            value_get_bool(why, "allowed", false))
            return candidates->names[i];
    }
    return NULL;
}

/* What stood in the way is kept for the end: a record that nobody can lead on is the first thing to look at. */
static void note_stuck(struct simulation *sim, struct known *record, const char *event,
                       const struct value *why)
{
    const struct value *missing = value_get(why, "missing");
    struct slice first = value_is(missing, VALUE_ARRAY) && missing->count > 0
                             ? value_slice(&missing->as.items[0])
                             : slice_str("nobody may do it");

    if (record->stuck == NULL || strncmp(record->stuck, event, strlen(event)) == 0)
        record->stuck =
            arena_printf(&sim->arena, "%s: %.*s", event, (int)first.len, (const char *)first.at);
}

/* `only`: this person, or NULL for anybody who may. */
static enum outcome try_event(struct simulation *sim, struct known *record, const char *event,
                              const char *only)
{
    struct candidates candidates;
    struct value why, left = value_map();
    const char *who;
    bool is_done;

    if (!ask_why(sim, record, event, only, &why))
        return NOT_POSSIBLE;
    candidates = candidates_of(sim, record, &why);
    if (only != NULL)
        candidates = (struct candidates){.names = {only}, .count = 1};
    if (candidates.count == 0) {
        note_stuck(sim, record, event, &why);
        return candidates.is_away ? NOBODY_THERE : NOT_POSSIBLE;
    }
    who = first_allowed(sim, record, event, &candidates, &why);
    for (int stage = 0; stage < FILL_STAGES && who == NULL && !sim->is_broken; stage++) {
        if (!fill_in(sim, record, event, candidates.names[0], stage, &left))
            continue;
        who = left.count > 0 ? candidates.names[0]
                             : first_allowed(sim, record, event, &candidates, &why);
    }
    if (who == NULL && ask_why(sim, record, event, candidates.names[0], &why))
        note_stuck(sim, record, event, &why);
    if (who == NULL || sim->is_broken)
        return NOT_POSSIBLE;
    sim->is_trying = left.count > 0;
    is_done = do_event(sim, record, event, who, &why, &left);
    sim->is_trying = false;
    return is_done ? DONE : NOT_POSSIBLE;
}

/* Nothing is to be decided, only written: by whom the state lets edit. */
static enum outcome try_edit(struct simulation *sim, struct known *record)
{
    struct value set, args = value_map(), why;
    struct candidates editors;
    struct house_answer answer;

    if (!ask_why(sim, record, "edit", NULL, &why))
        return NOT_POSSIBLE;
    editors = candidates_of(sim, record, &why);
    if (editors.count == 0)
        return editors.is_away ? NOBODY_THERE : NOT_POSSIBLE;
    set = fill_fields(sim, record, "edit", editors.names[0], FILL_STAGES - 1);
    if (set.count == 0)
        return NOT_POSSIBLE;
    value_set(&sim->scratch, &args, "set", set);
    return give(sim, editors.names[0], "edit", record->id, &args, false, &answer) ? DONE
                                                                                  : NOT_POSSIBLE;
}

/* A gate that is closed is no failure of anybody: it is counted as held. */
static void note_gate(struct simulation *sim, const struct known *record, const char *event)
{
    for (int i = 0; i < sim->gate_count; i++) {
        const struct gate *gate = &sim->gates[i];
        const struct known *child = record_known(sim, slice_str(gate->child));
        const char *text;

        if (strcmp(gate->parent, record->id) != 0 || strcmp(gate->event, event) != 0 ||
            child == NULL || child->is_closed)
            continue;
        text = arena_printf(&sim->scratch, "%s of %s waits for %s", event, record->id, gate->child);
        tally_hold_gate(sim->tally, text);
        tell_event(sim, HAPPENED_GATE, record->id, record->title, "", "%s waits until %s is closed",
                   event, gate->child);
    }
}

static void look_again(struct simulation *sim, const struct item *item, int64_t at_ms,
                       bool is_forgotten)
{
    struct item again = *item;

    again.at_ms = at_ms;
    again.is_forgotten = is_forgotten;
    if (at_ms >= 0)
        agenda_add(&sim->agenda, &again);
}

static void look_later(struct simulation *sim, const struct item *item, const struct known *record)
{
    struct stance stance = stance_of(sim, record, item->event, item->who);
    struct chance chance = chance_of((uint64_t)sim->scenario->seed, "later %s %s %lld", record->id,
                                     item->who != NULL ? item->who : "", (long long)now_ms(sim));

    look_again(sim, item, draw_again(sim, &stance, item->who, &chance), true);
}

static void look_tomorrow(struct simulation *sim, const struct item *item)
{
    struct chance chance = chance_of((uint64_t)sim->scenario->seed, "tomorrow %d %lld",
                                     item->record, (long long)now_ms(sim));
    int64_t tomorrow = calendar_midnight_ms(&sim->pack->calendar, local_date(sim, now_ms(sim)) + 1);

    look_again(sim, item, next_at_work(sim, item->who, tomorrow, &chance), false);
}

/* The step that was meant; if it cannot be done, another that could. */
static void do_step(struct simulation *sim, const struct item *item, struct known *record)
{
    const char *tried[EVENTS_TRIED_MAX] = {item->event};
    struct words not_these = {tried, 0};
    struct chance chance =
        chance_of((uint64_t)sim->scenario->seed, "instead %s %llu %d", record->id,
                  (unsigned long long)record->situation, record->tries++);
    const char *event = item->event;
    bool is_away = false, is_first = true;

    while (event != NULL && not_these.count < EVENTS_TRIED_MAX) {
        const struct transition *other;
        enum outcome outcome = strcmp(event, "edit") == 0 ? try_edit(sim, record)
                                                          : try_event(sim, record, event, NULL);

        if (outcome == DONE) {
            note_habit(sim, record, event);
            record->planned = 0; /* also a step that leads nowhere else has been made */
            record->is_changed = true;
            return;
        }
        if (sim->is_broken || record->situation != item->situation)
            return;
        is_away = is_away || (is_first && outcome == NOBODY_THERE);
        is_first = false;
        note_gate(sim, record, event);
        tried[not_these.count++] = event;
        other = choose_step(sim, record, &not_these, &chance);
        event = other != NULL ? other->event : NULL;
    }
    if (is_away)
        look_tomorrow(sim, item);
    else
        look_later(sim, item, record);
}

/* ---- votes, acknowledgements, parked tasks ---- */

static const char *choose_vote(struct simulation *sim, const struct known *record, const char *who)
{
    const struct lifecycle *lifecycle = record->kind->lifecycle;
    struct chance chance = chance_of((uint64_t)sim->scenario->seed, "vote %s %lld %s", record->id,
                                     (long long)record->round, who);
    const char *chosen = NULL;
    uint32_t sum = 0;

    for (int i = 0; i < lifecycle->transition_count; i++) {
        const struct transition *transition = &lifecycle->transitions[i];
        int weight = stance_of(sim, record, transition->event, who).weight;

        if (transition->vote == VOTE_NONE || !transition->from[record->state])
            continue;
        if (weight < 0)
            weight = transition->vote == VOTE_GRANT ? 1 : 0;
        sum += (uint32_t)weight;
        if (weight > 0 && chance_below(&chance, sum) < (uint32_t)weight)
            chosen = transition->event;
    }
    return chosen;
}

static void do_vote(struct simulation *sim, const struct item *item, struct known *record)
{
    const char *event = choose_vote(sim, record, item->who);
    const char *key = arena_printf(&sim->scratch, "%s/round/%lld/%s", record->id,
                                   (long long)record->round, item->who);

    if (memory_row(&sim->house.memory, slice_str(key)) != NULL || event == NULL)
        return;
    if (try_event(sim, record, event, item->who) != DONE && record->situation == item->situation)
        look_later(sim, item, record);
}

static void do_ack(struct simulation *sim, const struct item *item, const struct known *record)
{
    const char *key = arena_printf(&sim->scratch, "%s/ack/%s", record->id, item->who);
    struct value none = value_map(), row;
    struct house_answer answer;

    if (!house_row(&sim->house, &sim->scratch, slice_str(key), &row) ||
        slice_is(value_get_text(&row, "state"), "acknowledged"))
        return;
    give(sim, item->who, "ack", record->id, &none, false, &answer);
}

static void do_redrive(struct simulation *sim, const struct item *item)
{
    const char *key = arena_printf(&sim->scratch, "task/%lld", (long long)item->number);
    struct value args = value_map(), row;
    struct house_answer answer;

    if (!house_row(&sim->house, &sim->scratch, slice_str(key), &row) ||
        !slice_is(value_get_text(&row, "state"), "parked"))
        return;
    value_set(&sim->scratch, &args, "task", value_int(item->number));
    for (int i = 0; i < sim->person_count; i++) {
        const struct person_entry *entry = sim->people[i].entry;

        if (words_have(&entry->roles, slice_str("isms_manager")) &&
            is_present(sim, entry->name, now_ms(sim))) {
            give(sim, entry->name, "task.redrive", NULL, &args, false, &answer);
            return;
        }
    }
    look_tomorrow(sim, item);
}

void act(struct simulation *sim, const struct item *item)
{
    struct known *record = item->record >= 0 ? sim->records[item->record] : NULL;

    if (record != NULL && record->situation != item->situation && item->errand != ERRAND_ACK)
        return;
    if (item->errand != ERRAND_STEP && item->who != NULL &&
        !is_present(sim, item->who, now_ms(sim))) {
        look_tomorrow(sim, item);
        return;
    }
    switch (item->errand) {
    case ERRAND_STEP:
        do_step(sim, item, record);
        break;
    case ERRAND_VOTE:
        do_vote(sim, item, record);
        break;
    case ERRAND_ACK:
        do_ack(sim, item, record);
        break;
    case ERRAND_REDRIVE:
        do_redrive(sim, item);
        break;
    case ERRAND_TASK:
    case ERRAND_SCRIPT:
        break;
    }
}
