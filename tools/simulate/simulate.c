/* simulate.c - an organisation is founded in memory, and lives until the end of the scenario.
 *
 *     what is due first?   a row that wants to be woken -> a new day -> what somebody means to do
 *     it happens           the core decides; leaves are told and counted; what must hold is checked
 *     what changed?        tasks are taken up, people make plans
 */
#include "simulate/simulate.h"

#include "base/check.h"
#include "base/date.h"
#include "definition/pack.h"
#include "simulate/inside.h"
#include "simulate/replay.h"

#include <stdarg.h>
#include <stdio.h>

/* Items of the script: which list of the scenario, and which of it. */
static const char open_list[] = "open", do_list[] = "do", join_list[] = "joins",
                  leave_list[] = "leaves";

uint64_t simulation_leaves(const struct simulation *sim)
{
    return sim->house.memory.leaf_count;
}

void breach(struct simulation *sim, const char *format, ...)
{
    char what[ERROR_TEXT_MAX], moment[MOMENT_TEXT_MAX];
    va_list args;

    if (sim->is_broken)
        return;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    moment_format(now_ms(sim), moment);
    sim->is_broken = true;
    error_set(sim->err, ERROR_DAMAGED, "seed %lld, %s: %.380s", (long long)sim->scenario->seed,
              moment, what);
}

/* ---- founding ---- */

static void found_command(struct simulation *sim, const char *command, const struct value *args)
{
    struct question question = house_command("engine", command, command, NULL, args);
    struct house_answer answer;

    if (house_play(&sim->house, &question, &sim->scratch, &answer, sim->err) != 0)
        breach(sim, "%s: %s", command, sim->err->text);
    else if (answer.status != 200)
        breach(sim, "%s: %s", command, answer.sentence);
}

static void install_pack(struct simulation *sim)
{
    struct scenario *scenario = sim->scenario;
    char *digest = arena_copy(&sim->scratch, scenario->pack->digest, HASH_LEN);
    struct buf joined = BUF_EMPTY;
    struct value args = value_map();
    uint8_t salt[16];

    pack_join(scenario->pack_files, scenario->pack_file_count, &joined, salt);
    value_set(&sim->scratch, &args, "pack",
              house_content(&sim->house, &sim->scratch, salt, buf_slice(&joined)));
    value_set(&sim->scratch, &args, "digest", value_bin(digest, HASH_LEN));
    buf_release(&joined);
    core_use_pack(sim->house.core, &scenario->pack);
    found_command(sim, "pack.install", &args);
}

/* The zone whose data came with the pack. */
static const char *timezone_of(struct simulation *sim)
{
    const struct value *files = &sim->scenario->pack->files;
    size_t folder = strlen("zoneinfo/");

    for (uint32_t i = 0; value_is(files, VALUE_ARRAY) && i < files->count; i++) {
        struct slice path = value_get_text(&files->as.items[i], "path");

        if (slice_starts(path, "zoneinfo/"))
            return arena_copy(&sim->arena, path.at + folder, path.len - folder);
    }
    return "UTC";
}

static void add_script(struct simulation *sim, const char *list, int number, int64_t at_ms)
{
    struct item item = {
        .errand = ERRAND_SCRIPT, .record = -1, .event = list, .number = number, .at_ms = at_ms};

    agenda_add(&sim->agenda, &item);
}

static void take_script(struct simulation *sim)
{
    const struct scenario *scenario = sim->scenario;

    for (int i = 0; i < scenario->joinings.count; i++)
        add_script(sim, join_list, i, scenario->joinings.at[i].on.ms);
    for (int i = 0; i < scenario->leavings.count; i++)
        add_script(sim, leave_list, i, scenario->leavings.at[i].on.ms);
    for (int i = 0; i < scenario->openings.count; i++)
        add_script(sim, open_list, i, scenario->openings.at[i].at.ms);
    for (int i = 0; i < scenario->happenings.count; i++)
        add_script(sim, do_list, i, scenario->happenings.at[i].at.ms);
}

static void found(struct simulation *sim)
{
    struct value people;

    house_open(&sim->house, sim->scenario->origin, timezone_of(sim));
    people_begin(sim);
    people = people_args(sim, &sim->scratch);
    found_command(sim, "directory.install", &people);
    if (!sim->is_broken)
        install_pack(sim);
    take_script(sim);
}

/* ---- the script ---- */

static void open_record(struct simulation *sim, const struct opening *opening)
{
    const struct kind *kind = pack_kind(sim->pack, slice_str(opening->kind));
    struct value args = value_map();
    struct house_answer answer;

    value_set(&sim->scratch, &args, "kind", value_str(opening->kind));
    value_set(&sim->scratch, &args, "title", value_str(opening->title));
    if (kind != NULL)
        value_set(&sim->scratch, &args, "fields", fit_fields(sim, kind, &opening->fields));
    if (opening->owner != NULL)
        value_set(&sim->scratch, &args, "owner", value_str(opening->owner));
    if (give(sim, opening->by, "open", NULL, &args, false, &answer) || sim->is_broken)
        return;
    sim->is_broken = true; /* not what was simulated is wrong, but what was asked for */
    error_set(sim->err, ERROR_INPUT, "%s:%d: %s may not open this %s: %.300s", opening->where.file,
              opening->where.line, opening->by, opening->kind, answer.sentence);
}

/* Does this take a signature, a reason? What cannot be prepared is asked for as it is, and refused by the core. */
static struct value preparation(struct simulation *sim, const struct happening *one)
{
    struct value asked = value_map(), prepared;
    struct house_answer answer;

    value_set(&sim->scratch, &asked, "record", value_str(one->record));
    value_set(&sim->scratch, &asked, "event", value_str(one->event));
    if (house_query(&sim->house, one->who, "prepare", &asked, &prepared, &answer) != 0)
        return value_map();
    return value_copy(&sim->scratch, &prepared);
}

static const struct kind *kind_of(struct simulation *sim, const char *id)
{
    const struct known *record = record_known(sim, slice_str(id));

    if (record == NULL)
        record = record_known(sim, slice_str(arena_printf(&sim->scratch, "%s@1.0", id)));
    return record != NULL ? record->kind : NULL;
}

static void do_happening(struct simulation *sim, const struct happening *one)
{
    bool is_event = strcmp(one->event, "edit") != 0 && strcmp(one->event, "ack") != 0;
    struct value prepared = is_event ? preparation(sim, one) : value_map(), args = value_map();
    const struct kind *kind = kind_of(sim, one->record);
    struct house_answer answer;

    if (one->reason != NULL || value_get_bool(&prepared, "reason", false))
        args = reason_args(sim, one->reason);
    if (one->set.count > 0)
        value_set(&sim->scratch, &args, "set",
                  kind != NULL ? fit_fields(sim, kind, &one->set)
                               : value_copy(&sim->scratch, &one->set));
    give(sim, one->who, one->event, one->record, &args,
         value_get_bool(&prepared, "needs_signature", false), &answer);
}

/* What the operator proposed takes somebody else: whoever comes first of those who may agree does. */
static bool agree(struct simulation *sim, int64_t number)
{
    struct value args = value_map(), one;
    struct house_answer answer;
    struct question question;

    value_set(&sim->scratch, &args, "proposal", value_int(number));
    for (int i = 0; i < sim->person_count; i++) {
        const char *who = sim->people[i].entry->name;

        if (house_query(&sim->house, who, "proposals", &args, &one, &answer) != 0 ||
            !value_get_bool(&one, "may_agree", false) ||
            house_agreement(&sim->house, &sim->scratch, who, number, &question, &answer) != 0)
            continue;
        return give(sim, who, "directory.install", NULL, question.args, true, &answer);
    }
    return false;
}

static void change_people(struct simulation *sim, const char *name, int64_t not_after_ms)
{
    const struct person *person = person_named(sim, slice_str(name));
    struct value args = value_map(), list = value_array();
    struct house_answer answer;

    check(person != NULL);
    value_push(&sim->scratch, &list, person_args(sim, &sim->scratch, person, not_after_ms));
    value_set(&sim->scratch, &args, "people", list);
    if (!give(sim, OPERATOR, "directory.install", NULL, &args, false, &answer))
        return;
    if (!value_get_bool(&answer.reply, "alone", false) &&
        !agree(sim, value_get_int(&answer.reply, "proposal", 0)))
        breach(sim, "nobody could agree that %s %s", name, not_after_ms > 0 ? "leaves" : "joins");
    else
        tell_event(sim, HAPPENED_PEOPLE, "", "", name, "%s",
                   not_after_ms > 0 ? "leaves the organisation" : "joins the organisation");
}

static void do_script(struct simulation *sim, const struct item *item)
{
    const struct scenario *scenario = sim->scenario;
    int i = (int)item->number;

    if (item->event == open_list)
        open_record(sim, &scenario->openings.at[i]);
    else if (item->event == do_list)
        do_happening(sim, &scenario->happenings.at[i]);
    else if (item->event == join_list)
        change_people(sim, scenario->joinings.at[i].name, 0);
    else
        change_people(sim, scenario->leavings.at[i].who, now_ms(sim));
}

/* ---- days ---- */

/* Past a date of its own by which somebody must have done something: a ladder goes on after it. */
static bool is_past(const struct known_timer *timer, int64_t day_ms)
{
    if (timer->timer == NULL || timer->timer->from != TIMER_FIELD || timer->start_ms >= day_ms)
        return false;
    for (int i = 0; i < timer->timer->step_count; i++) {
        const struct span *after = &timer->timer->steps[i].after;

        if (after->months > 0 || after->days > 0 || after->ms > 0)
            return true;
    }
    return false;
}

static const struct known_timer *overdue_timer(const struct known *record, int64_t day_ms)
{
    for (int i = 0; !record->is_closed && i < record->timer_count; i++) {
        if (is_past(&record->timers[i], day_ms))
            return &record->timers[i];
    }
    return NULL;
}

static void look_at_overdue(struct simulation *sim, struct known *record, int64_t day_ms,
                            int *count)
{
    const struct known_timer *timer = overdue_timer(record, day_ms);
    const char *at = strchr(record->id, '@');
    char date[DATE_TEXT_LEN + 1];

    if (timer != NULL && !record->is_overdue) {
        date_format(local_date(sim, timer->start_ms), date);
        sim->tally->overdue_began++;
        tell_event(sim, HAPPENED_OVERDUE, record->id, record->title, record->owner,
                   "is overdue: %s, due %s", timer->timer->name, date);
    }
    record->is_overdue = timer != NULL;
    *count += record->is_overdue;
    if (record->is_overdue && at != NULL)
        tally_document(sim->tally, slice_of(record->id, (size_t)(at - record->id)), record->title)
            ->overdue_days++;
}

/* The day before is over: what it left undone is counted. */
static void begin_day(struct simulation *sim)
{
    int count = 0, day = sim->today - sim->tally->first_day;

    oracle_day(sim);
    /* A date is the last day to do it: who has not is late when that day is over. */
    for (int i = 0; i < sim->record_count; i++)
        look_at_overdue(sim, sim->records[i],
                        calendar_midnight_ms(&sim->pack->calendar, sim->today), &count);
    sim->tally->overdue[day] = count;
    sim->tally->day_count = day + 1;
    sim->tally->overdue_days += count;
    if (count > sim->tally->most_overdue)
        sim->tally->most_overdue = count;
    if (sim->view != NULL && sim->view->day != NULL)
        sim->view->day(sim->view->self, sim->today, sim);
}

/* ---- the loop ---- */

static void wake(struct simulation *sim, struct slice key)
{
    struct question question =
        house_waking(slice_of(arena_copy(&sim->scratch, key.at, key.len), key.len));
    struct house_answer answer;

    if (house_play(&sim->house, &question, &sim->scratch, &answer, sim->err) != 0)
        breach(sim, "%.*s was woken: %s", (int)question.key.len, (const char *)question.key.at,
               sim->err->text);
    else if (answer.status != 200)
        breach(sim, "%.*s was woken and refused: %s", (int)question.key.len,
               (const char *)question.key.at, answer.sentence);
    else if (answer.leaf_count == 0)
        breach(sim, "%.*s was woken and nothing came of it", (int)question.key.len,
               (const char *)question.key.at);
}

static void do_item(struct simulation *sim)
{
    struct item item = agenda_take(&sim->agenda);

    if (item.errand == ERRAND_SCRIPT)
        do_script(sim, &item);
    else if (item.errand == ERRAND_TASK)
        workers_serve(sim, &item);
    else
        act(sim, &item);
}

/* One thing that is due first; false at the end. */
static bool step(struct simulation *sim)
{
    const struct item *item = agenda_first(&sim->agenda);
    int64_t end_ms = sim->scenario->end_ms;
    int64_t day_ms = calendar_midnight_ms(&sim->pack->calendar, sim->today + 1);
    int64_t item_ms = item != NULL ? item->at_ms : INT64_MAX, at_ms, due_ms;
    struct slice key;

    at_ms = day_ms < item_ms ? day_ms : item_ms;
    due_ms = house_first_due(&sim->house, at_ms < end_ms ? at_ms : end_ms - 1, &key);
    if (due_ms >= 0)
        at_ms = due_ms;
    if (at_ms >= end_ms)
        return false;
    if (at_ms * 1000 > sim->house.now_us)
        sim->house.now_us = at_ms * 1000;
    if (due_ms >= 0) {
        wake(sim, key);
    } else if (day_ms <= item_ms) {
        sim->today++;
        begin_day(sim);
    } else {
        do_item(sim);
    }
    return true;
}

/* What the step before has led to. Bounded: nothing here asks the core to change anything. */
static void settle(struct simulation *sim)
{
    oracle_after(sim);
    workers_offered(sim);
    plan_changed(sim);
    arena_clear(&sim->scratch);
    arena_clear(&sim->offer_arena);
}

static void count_states(struct simulation *sim)
{
    for (int k = 0; k < sim->pack->kind_count; k++) {
        const struct lifecycle *lifecycle = sim->pack->kinds[k].lifecycle;

        for (int s = 0; s < lifecycle->state_count; s++) {
            for (int i = 0; i < sim->record_count; i++) {
                const struct known *record = sim->records[i];

                if (record->kind == &sim->pack->kinds[k] && record->state == s)
                    tally_add_state(sim->tally, record->kind->name, lifecycle->states[s].name,
                                    record->is_closed);
            }
        }
    }
}

/* What is in force and not late is at rest: that a step is not possible there holds nobody up. */
static bool is_stuck(const struct known *record)
{
    return record->stuck != NULL && !record->is_closed && record->planned == record->situation &&
           (record->is_overdue || known_state(record)->stage != STAGE_IN_FORCE);
}

/* Does it wait, as the condition of its step says, for a record that it started and that is still open? Then that one
 * is what to look at, if it does not go on either. */
static bool waits_for_another(struct simulation *sim, const struct known *record)
{
    size_t len = strcspn(record->stuck, ":");
    const struct transition *step =
        kind_transition(record->kind, record->state, slice_of((const uint8_t *)record->stuck, len));
    struct value row;
    const struct value *links;

    if (step == NULL || step->when == NULL ||
        !house_row(&sim->house, &sim->scratch, slice_str(record->id), &row))
        return false;
    links = value_get(&row, "links");
    for (int i = 0; i < sim->record_count; i++) {
        const struct known *other = sim->records[i];

        if (!other->is_closed && value_get(links, other->id) != NULL &&
            strstr(expr_text(step->when),
                   arena_printf(&sim->scratch, "links.%s.", other->kind->name)) != NULL)
            return true;
    }
    return false;
}

static void list_stuck(struct simulation *sim)
{
    for (int i = 0; i < sim->record_count; i++) {
        const struct known *record = sim->records[i];

        if (is_stuck(record) && !waits_for_another(sim, record))
            tally_add_stuck(sim->tally,
                            arena_printf(&sim->scratch, "%s in %s, %s", record->id,
                                         known_state(record)->name, record->stuck),
                            record->tries);
    }
}

static void finish(struct simulation *sim)
{
    struct error damage = {ERROR_NONE, ""};

    count_states(sim);
    list_stuck(sim);
    if (!sim->is_broken && replay_check(&sim->house.memory, &damage) != 0)
        breach(sim, "%s", damage.text);
}

static void release(struct simulation *sim)
{
    house_release(&sim->house);
    agenda_release(&sim->agenda);
    map_release(&sim->by_id);
    map_release(&sim->asked_once);
    map_release(&sim->votes);
    map_release(&sim->granted);
    arena_release(&sim->arena);
    arena_release(&sim->scratch);
    arena_release(&sim->offer_arena);
}

static const char *name_of(const struct scenario *scenario)
{
    const char *slash = strrchr(scenario->path, '/');

    return scenario->name != NULL ? scenario->name : slash != NULL ? slash + 1 : scenario->path;
}

static void begin(struct simulation *sim)
{
    const struct calendar *calendar = &sim->scenario->pack->calendar;

    sim->pack = sim->scenario->pack;
    sim->today = calendar_date(calendar, sim->scenario->start_ms);
    tally_begin(sim->tally, sim->today, calendar_date(calendar, sim->scenario->end_ms - 1));
    sim->tally->name = arena_str(&sim->tally->arena, name_of(sim->scenario));
    sim->tally->seed = sim->scenario->seed;
    sim->tally->day_count = 1;
    house_init(&sim->house, sim->scenario->start_ms * 1000);
    sim->house.seen = witness_run;
    sim->house.changed = records_changed;
    sim->house.self = sim;
    sim->offers = sim->parked = sim->asked = value_array();
}

int simulate(struct scenario *scenario, const struct simulation_view *view, struct tally *tally,
             struct error *err)
{
    struct error own = {ERROR_NONE, ""};
    struct simulation sim = {
        .scenario = scenario, .view = view, .tally = tally, .err = err != NULL ? err : &own};

    *tally = (struct tally){0};
    begin(&sim);
    found(&sim);
    settle(&sim);
    while (!sim.is_broken && step(&sim))
        settle(&sim);
    finish(&sim);
    release(&sim);
    if (sim.is_broken)
        tally_release(tally);
    return sim.is_broken ? -1 : 0;
}
