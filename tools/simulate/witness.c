/* witness.c - leaves become lines and counts. What is told comes from the journal, never from what somebody meant to do. */
#include "simulate/inside.h"

#include "base/check.h"
#include "base/date.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 600, PEOPLE_SHOWN_MAX = 6 };

const char *happened_name(enum happened what)
{
    static const char *const names[] = {"opened", "event",    "review",     "vote",    "edit",
                                        "ack",    "reminder", "escalation", "overdue", "refusal",
                                        "task",   "people",   "gate"};

    check((size_t)what < sizeof names / sizeof names[0]);
    return names[what];
}

int64_t now_ms(const struct simulation *sim)
{
    return sim->house.now_us / 1000;
}

int32_t local_date(const struct simulation *sim, int64_t ms)
{
    return calendar_date(&sim->pack->calendar, ms);
}

static void put_moment(const struct simulation *sim, struct sim_event *event)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const struct zone *zone = sim->pack->calendar.zone;
    int64_t local = event->at_ms + (zone != NULL ? zone_offset_s(zone, event->at_ms) : 0) * 1000LL;
    int32_t date = local_date(sim, event->at_ms);
    int64_t minutes = (local / MINUTE_MS) % (24 * 60);
    char text[DATE_TEXT_LEN + 1];

    date_format(date, text);
    snprintf(event->day, sizeof event->day, "%s %s", text, days[date_weekday(date)]);
    snprintf(event->time, sizeof event->time, "%02d:%02d", (int)(minutes / 60) % 24,
             (int)(minutes % 60));
}

void tell_event(struct simulation *sim, enum happened what, const char *record, const char *title,
                const char *who, const char *format, ...)
{
    struct sim_event event = {
        .at_ms = now_ms(sim), .what = what, .record = record, .title = title, .who = who};
    char text[LINE_MAX_BYTES];
    va_list args;

    if (sim->view == NULL || sim->view->event == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    event.text = text;
    put_moment(sim, &event);
    sim->view->event(sim->view->self, &event);
}

/* ---- a leaf, and what is at hand while it is looked at ---- */

struct sight {
    struct simulation *sim;
    struct arena *arena;
    const struct leaf *leaf;
    const struct value *own; /* the patch of its stream, or NULL */
    const char *id, *title, *actor;
    const struct known *record; /* before the run; NULL for a new one */
};

static struct load *load_of(struct sight *sight, struct slice who, struct tally_person **person)
{
    struct tally *tally = sight->sim->tally;
    char *name = arena_copy(sight->arena, who.at, who.len);

    *person = tally_person(tally, name);
    return *person != NULL
               ? &(*person)->months[tally_month(tally, local_date(sight->sim, now_ms(sight->sim)))]
               : NULL;
}

static void count_deed(struct sight *sight)
{
    struct tally_person *person;
    struct load *load = load_of(sight, sight->leaf->actor, &person);
    bool is_signed = sight->leaf->actor_sig.len > 0;

    if (is_signed)
        sight->sim->tally->signatures++;
    if (load == NULL)
        return;
    load->deeds++;
    person->total.deeds++;
    load->signatures += is_signed;
    person->total.signatures += is_signed;
}

static void count_notice(struct sight *sight, struct slice who)
{
    struct tally_person *person;
    struct load *load = load_of(sight, who, &person);

    sight->sim->tally->notices++;
    if (load == NULL)
        return;
    load->notices++;
    person->total.notices++;
}

/* Those whom the leaf's tasks tell something, as a text; and counted. */
static const char *told(struct sight *sight, int *count, const char **message)
{
    const struct value *effects = &sight->leaf->effects;
    struct buf names = BUF_EMPTY;
    char *text;

    *count = 0;
    for (uint32_t i = 0; value_is(effects, VALUE_MAP) && i < effects->count; i++) {
        const struct pair *pair = &effects->as.pairs[i];
        const struct value *input = value_get(&pair->value, "input");
        struct slice make = value_get_text(input, "make"), who = value_get_text(input, "person");

        if (slice_starts(pair->key, "task/") && slice_is(make, "approval"))
            sight->sim->tally->approvals_asked++;
        if (!slice_starts(pair->key, "task/") || !slice_is(make, "notice"))
            continue;
        count_notice(sight, who);
        *message = value_get_str(input, "message", "", sight->arena);
        if (++*count <= PEOPLE_SHOWN_MAX)
            buf_addf(&names, "%s%.*s", *count > 1 ? ", " : "", (int)who.len, (const char *)who.at);
    }
    if (*count > PEOPLE_SHOWN_MAX)
        buf_addf(&names, " and %d more", *count - PEOPLE_SHOWN_MAX);
    text = arena_str(sight->arena, buf_text(&names));
    buf_release(&names);
    return text;
}

static const char *signed_mark(const struct sight *sight)
{
    return sight->leaf->actor_sig.len > 0 ? ", signed" : "";
}

static void line(struct sight *sight, enum happened what, const char *who, const char *text)
{
    tell_event(sight->sim, what, sight->id, sight->title, who, "%s", text);
}

/* ---- reminders ---- */

static const char *date_text(struct sight *sight, int64_t ms)
{
    char *text = arena_take(sight->arena, DATE_TEXT_LEN + 1);

    date_format(local_date(sight->sim, ms), text);
    return text;
}

/* A step that reaches people whom the first message of the ladder did not mean. */
static bool is_escalation(const struct timer *timer, int step)
{
    const struct words *first = NULL;

    for (int i = 0; i <= step && i < timer->step_count; i++) {
        const struct words *to = &timer->steps[i].tell.to;

        if (to->count == 0)
            continue;
        if (first == NULL)
            first = to;
        for (int w = 0; i == step && w < to->count; w++) {
            if (!words_have(first, slice_str(to->at[w])))
                return true;
        }
    }
    return false;
}

static const struct known_timer *fired_timer(const struct sight *sight)
{
    struct slice name = value_get_text(&sight->leaf->body, "timer");

    for (int i = 0; sight->record != NULL && i < sight->record->timer_count; i++) {
        const struct known_timer *one = &sight->record->timers[i];

        if (one->timer != NULL && slice_is(name, one->timer->name))
            return one;
    }
    return NULL;
}

static void see_timer(struct sight *sight, const char *people, int count, const char *message)
{
    int step = (int)value_get_int(&sight->leaf->body, "step", 0);
    const struct known_timer *fired = fired_timer(sight);
    bool is_up;

    if (fired == NULL || count == 0)
        return;
    is_up = is_escalation(fired->timer, step);
    sight->sim->tally->escalations += is_up;
    sight->sim->tally->reminders += !is_up;
    line(sight, is_up ? HAPPENED_ESCALATION : HAPPENED_REMINDER, people,
         arena_printf(sight->arena, "%s (%s %s)", message,
                      fired->timer->from == TIMER_FIELD ? "due" : "since",
                      date_text(sight, fired->start_ms)));
    plan_reminded(sight->sim, sight->record->index);
}

/* ---- records ---- */

static void see_opening(struct sight *sight)
{
    struct slice rule = value_get_text(&sight->leaf->body, "rule");
    struct slice kind = value_get_text(sight->own, "kind");
    const char *version = value_get_str(sight->own, "version", NULL, sight->arena);
    const char *by = rule.len > 0 ? arena_printf(sight->arena, " by rule %.*s", (int)rule.len,
                                                 (const char *)rule.at)
                                  : "";

    sight->sim->tally->records++;
    if (version != NULL) {
        const char *at = strchr(sight->id, '@');

        tally_document(
            sight->sim->tally,
            slice_of(sight->id, at != NULL ? (size_t)(at - sight->id) : strlen(sight->id)),
            sight->title)
            ->versions++;
    }
    line(sight, HAPPENED_OPENED, sight->actor,
         arena_printf(sight->arena, "opened: %.*s \"%s\"%s", (int)kind.len, (const char *)kind.at,
                      sight->title, by));
}

/* By the review's timer, or by a person who starts it early; not when something else puts a result under review. */
static bool opens_review(const struct sight *sight, const struct state *from,
                         const struct state *to)
{
    return from->stage == STAGE_IN_FORCE && to->stage == STAGE_UNDER_REVIEW &&
           sight->record->kind->lifecycle->versioned &&
           (!slice_is(sight->leaf->actor, "engine") || sight->leaf->cause == sight->sim->fired_seq);
}

static void count_review(struct sight *sight, const struct state *from, const struct state *to)
{
    const char *at = strchr(sight->id, '@');
    struct tally *tally = sight->sim->tally;
    struct tally_document *document;

    if (at == NULL || !sight->record->kind->lifecycle->versioned)
        return;
    document = tally_document(tally, slice_of(sight->id, (size_t)(at - sight->id)), sight->title);
    if (opens_review(sight, from, to)) {
        tally->reviews_opened++;
        document->reviews_opened++;
        record_known(sight->sim, slice_str(sight->id))->is_in_review = true;
    } else if (from->stage == STAGE_UNDER_REVIEW && to->stage == STAGE_UNDER_REVIEW) {
        document->missed++;
    } else if (from->stage == STAGE_UNDER_REVIEW && sight->record->is_in_review) {
        record_known(sight->sim, slice_str(sight->id))->is_in_review = false;
        tally->reviews_done++;
        document->reaffirmed += to->stage == STAGE_IN_FORCE;
        document->changed += to->stage == STAGE_CHANGED;
    }
}

static const char *review_text(struct sight *sight)
{
    struct value row;
    struct slice due = slice_str("");

    if (house_row(&sight->sim->house, sight->arena, slice_str(sight->id), &row))
        due = value_get_text(value_get(&row, "fields"), "next_review_due");
    return arena_printf(sight->arena, "review opened, due %.*s", (int)due.len,
                        (const char *)due.at);
}

static void see_move(struct sight *sight, const char *event)
{
    const struct state *from = known_state(sight->record);
    struct slice name = value_get_text(sight->own, "state");
    const struct state *to = name.len > 0 ? kind_state(sight->record->kind, name) : from;
    bool is_review = opens_review(sight, from, to);

    if (slice_is(sight->leaf->actor, "engine"))
        record_known(sight->sim, slice_str(sight->id))->habit_count = 0;
    count_review(sight, from, to);
    if (is_review)
        line(sight, HAPPENED_REVIEW, sight->actor, review_text(sight));
    else if (to != from)
        line(sight, HAPPENED_EVENT, sight->actor,
             arena_printf(sight->arena, "%s: %s -> %s%s", event, from->name, to->name,
                          signed_mark(sight)));
    else
        line(sight, HAPPENED_EVENT, sight->actor,
             arena_printf(sight->arena, "%s%s", event, signed_mark(sight)));
}

static void see_vote(struct sight *sight, const char *event)
{
    sight->sim->tally->votes++;
    line(sight, HAPPENED_VOTE, sight->actor,
         arena_printf(sight->arena, "votes: %s%s", event, signed_mark(sight)));
}

static void see_edit(struct sight *sight)
{
    const struct value *set = value_get(&sight->leaf->body, "set");
    struct buf names = BUF_EMPTY;

    for (uint32_t i = 0; value_is(set, VALUE_MAP) && i < set->count; i++)
        buf_addf(&names, "%s%.*s", i > 0 ? ", " : "", (int)set->as.pairs[i].key.len,
                 (const char *)set->as.pairs[i].key.at);
    line(sight, HAPPENED_EDIT, sight->actor,
         arena_printf(sight->arena, "writes %s", buf_text(&names)));
    buf_release(&names);
}

static bool is_vote(const struct leaf *leaf)
{
    for (size_t i = 0; i + 7 <= leaf->stream.len; i++) {
        if (memcmp(leaf->stream.at + i, "/round/", 7) == 0)
            return true;
    }
    return false;
}

static void see_record(struct sight *sight, const char *event)
{
    if (!slice_is(sight->leaf->actor, "engine"))
        count_deed(sight);
    if (strcmp(event, "open") == 0 && sight->record == NULL)
        see_opening(sight);
    else if (sight->record == NULL)
        return;
    else if (is_vote(sight->leaf))
        see_vote(sight, event);
    else if (strcmp(event, "edit") == 0)
        see_edit(sight);
    else if (strcmp(event, "ack") == 0)
        line(sight, HAPPENED_ACK, sight->actor, "acknowledges");
    else
        see_move(sight, event);
}

/* ---- tasks ---- */

static void see_task(struct sight *sight, const char *type)
{
    struct tally *tally = sight->sim->tally;
    struct value row;
    struct slice service = slice_str("");

    tally->tasks_done += strcmp(type, "task.done") == 0;
    tally->attempts_failed += strcmp(type, "task.failed") == 0 || strcmp(type, "task.parked") == 0;
    if (strcmp(type, "task.parked") != 0 && strcmp(type, "task.redriven") != 0)
        return;
    if (house_row(&sight->sim->house, sight->arena, sight->leaf->stream, &row))
        service = value_get_text(&row, "service");
    tally->tasks_parked += strcmp(type, "task.parked") == 0;
    line(sight, HAPPENED_TASK, sight->actor,
         arena_printf(sight->arena, "%.*s (%.*s) %s", (int)sight->leaf->stream.len,
                      (const char *)sight->leaf->stream.at, (int)service.len,
                      (const char *)service.at,
                      strcmp(type, "task.parked") == 0 ? "is parked" : "is tried again"));
}

/* ---- a run ---- */

static struct slice record_of(const struct leaf *leaf)
{
    const struct value *chain = value_get(&leaf->effects, "^");

    return value_is(chain, VALUE_MAP) && chain->count > 0 ? chain->as.pairs[0].key
                                                          : slice_of(NULL, 0);
}

static void see_leaf(struct simulation *sim, struct arena *arena, const struct leaf *leaf)
{
    struct slice id = record_of(leaf);
    struct sight sight = {.sim = sim, .arena = arena, .leaf = leaf};
    const char *type = arena_copy(arena, leaf->type.at, leaf->type.len), *people, *message = "";
    int count;

    sight.own = value_get(&leaf->effects, "");
    sight.record = record_known(sim, id);
    sight.id = arena_copy(arena, id.at, id.len);
    sight.actor = arena_copy(arena, leaf->actor.at, leaf->actor.len);
    sight.title =
        sight.record != NULL ? sight.record->title : value_get_str(sight.own, "title", "", arena);
    people = told(&sight, &count, &message);
    oracle_leaf(sim, arena, leaf, sight.record);
    if (strcmp(type, "timer.fired") == 0)
        sim->fired_seq = (int64_t)leaf->seq;
    if (strcmp(type, "timer.fired") == 0)
        see_timer(&sight, people, count, message);
    else if (strncmp(type, "record.", 7) == 0)
        see_record(&sight, type + 7);
    else if (strncmp(type, "task.", 5) == 0)
        see_task(&sight, type);
    else if (strcmp(type, "round.expired") == 0 && sight.record != NULL)
        line(&sight, HAPPENED_EVENT, sight.actor, "the approval has expired");
    sim->tally->leaves++;
}

void witness_run(void *self, const struct question *question, const struct run *run)
{
    struct simulation *sim = self;
    struct arena arena = ARENA_EMPTY;

    (void)question;
    for (int i = 0; i < run->leaf_count; i++) {
        struct leaf leaf;

        check(leaf_decode(&arena, run->leaves[i].bytes, &leaf, NULL) == 0);
        see_leaf(sim, &arena, &leaf);
    }
    for (uint32_t i = 0; !run->is_refused && i < run->offers.count; i++)
        value_push(&sim->offer_arena, &sim->offers, run->offers.as.items[i]);
    sim->tally->runs += run->leaf_count > 0;
    arena_release(&arena);
}
