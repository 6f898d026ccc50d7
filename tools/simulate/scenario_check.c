/* scenario_check.c - what was written, against the directory and the pack: names that exist, moments that can be. */
#include "base/date.h"
#include "core/span.h"
#include "base/nearest.h"
#include "simulate/scenario_inside.h"

enum { MORNING_MINUTES = 9 * 60, MINUTE_MS = 60000, DAY_MINUTES = 24 * 60 };

struct checking {
    struct scenario *scenario;
    struct problems *problems;
};

static struct arena *hint_arena(const struct checking *checking)
{
    return &checking->problems->arena;
}

/* ---- moments ---- */

static int64_t local_ms(const struct scenario *scenario, int32_t date, int minutes)
{
    return calendar_midnight_ms(&scenario->pack->calendar, date) + (int64_t)minutes * MINUTE_MS;
}

/* "2028-02-29" or "2028-02-29 14:30"; minutes -1: none were said. */
static bool read_day(const char *text, int32_t *date, int *minutes)
{
    size_t len = strlen(text);
    int hour, minute;

    *minutes = -1;
    if (len < DATE_TEXT_LEN || date_parse(slice_of(text, DATE_TEXT_LEN), date) != 0)
        return false;
    if (len == DATE_TEXT_LEN)
        return true;
    if (len != DATE_TEXT_LEN + 6 || text[10] != ' ' || text[13] != ':' ||
        strspn(text + 11, "0123456789") != 2 || strspn(text + 14, "0123456789") != 2)
        return false;
    hour = (text[11] - '0') * 10 + text[12] - '0';
    minute = (text[14] - '0') * 10 + text[15] - '0';
    *minutes = hour * 60 + minute;
    return hour < 24 && minute < 60;
}

/* A day without a time is `preset_minutes` of it; a span counts from the start. */
static bool resolve(const struct scenario *scenario, struct moment *moment, int preset_minutes)
{
    struct span span;
    int32_t date;
    int minutes;

    if (moment->text == NULL)
        return true;
    if (read_day(moment->text, &date, &minutes)) {
        moment->ms = local_ms(scenario, date, minutes >= 0 ? minutes : preset_minutes);
        return true;
    }
    if (span_parse(slice_str(moment->text), &span) != 0)
        return false;
    moment->ms = span_add_moment(&span, &scenario->pack->calendar, scenario->start_ms) +
                 (span.ms == 0 ? (int64_t)preset_minutes * MINUTE_MS : 0);
    return true;
}

static void check_moment(const struct checking *checking, struct moment *moment, int preset_minutes)
{
    if (!resolve(checking->scenario, moment, preset_minutes))
        problem(
            checking->problems, where_of(moment->text),
            "\"%s\" is no moment; write \"2028-02-29\", \"2028-02-29 14:30\", or a span from the "
            "start like \"10 days\"",
            moment->text);
    else if (moment->text != NULL && moment->ms < checking->scenario->start_ms)
        problem(checking->problems, where_of(moment->text), "%s is before the start, %s",
                moment->text, checking->scenario->start.text);
}

static void check_period(const struct checking *checking, struct period *period)
{
    check_moment(checking, &period->from, 0);
    check_moment(checking, &period->to, DAY_MINUTES);
    if (period->from.text != NULL && period->to.text != NULL && period->to.ms < period->from.ms)
        problem(checking->problems, where_of(period->to.text), "%s is before %s", period->to.text,
                period->from.text);
}

static void check_length(const struct checking *checking)
{
    struct scenario *scenario = checking->scenario;
    const struct span most = {.months = 12 * SCENARIO_YEARS_MAX};
    int32_t date;
    int minutes;

    if (scenario->start.text == NULL)
        return;
    if (!read_day(scenario->start.text, &date, &minutes) || minutes >= 0) {
        problem(checking->problems, where_of(scenario->start.text),
                "\"%s\" is no day; write \"2026-01-05\"", scenario->start.text);
        return;
    }
    scenario->start_ms = local_ms(scenario, date, 0);
    scenario->end_ms =
        span_add_moment(&scenario->length, &scenario->pack->calendar, scenario->start_ms);
    if (scenario->end_ms <= scenario->start_ms)
        problem(checking->problems, where_of(scenario->start.text),
                "'for' is a time that passes: \"3 years\", \"18 months\"");
    else if (scenario->end_ms >
             span_add_moment(&most, &scenario->pack->calendar, scenario->start_ms))
        problem(checking->problems, where_of(scenario->start.text), "more than %d years",
                SCENARIO_YEARS_MAX);
}

/* ---- names ---- */

static bool is_person(const struct checking *checking, const char *name, bool worker)
{
    const struct person_entries *lists[] = {&checking->scenario->people,
                                            &checking->scenario->joinings};

    for (int l = 0; l < 2; l++) {
        for (int i = 0; i < lists[l]->count; i++) {
            const struct person_entry *one = &lists[l]->at[i];

            if (one->name != NULL && one->is_worker == worker && strcmp(one->name, name) == 0)
                return true;
        }
    }
    return false;
}

static void check_person(const struct checking *checking, const char *name, bool worker)
{
    struct nearest nearest;

    if (name == NULL || is_person(checking, name, worker))
        return;
    nearest = nearest_to(slice_str(name));
    for (int i = 0; i < checking->scenario->people.count; i++) {
        const struct person_entry *one = &checking->scenario->people.at[i];

        if (one->name != NULL && one->is_worker == worker)
            nearest_offer(&nearest, one->name);
    }
    problem(checking->problems, where_of(name), "no %s is called '%s'%s",
            worker ? "worker" : "person", name, nearest_hint(&nearest, hint_arena(checking)));
}

static bool fits_kind(const struct kind *kind, const struct words *names)
{
    return names->count == 0 || words_have(names, slice_str(kind->name)) ||
           words_have(names, slice_str(kind->lifecycle->name));
}

static void check_kinds(const struct checking *checking, const struct words *names)
{
    const struct pack *pack = checking->scenario->pack;

    for (int n = 0; n < names->count; n++) {
        const struct words one = {&names->at[n], 1};
        struct nearest nearest = nearest_to(slice_str(names->at[n]));
        bool is_known = false;

        for (int k = 0; k < pack->kind_count; k++) {
            is_known = is_known || fits_kind(&pack->kinds[k], &one);
            nearest_offer(&nearest, pack->kinds[k].name);
            nearest_offer(&nearest, pack->kinds[k].lifecycle->name);
        }
        if (!is_known)
            problem(checking->problems, where_of(names->at[n]),
                    "no kind or lifecycle is called '%s'%s", names->at[n],
                    nearest_hint(&nearest, hint_arena(checking)));
    }
}

/* Events, or states, of the kinds that are meant. */
static void check_parts(const struct checking *checking, const struct words *kinds,
                        const struct words *names, bool states)
{
    static const char *const always[] = {"ack", "edit", "task.redrive"};
    const struct pack *pack = checking->scenario->pack;

    for (int n = 0; n < names->count; n++) {
        struct nearest nearest = nearest_to(slice_str(names->at[n]));
        bool is_known = false;

        for (size_t a = 0; !states && a < sizeof always / sizeof always[0]; a++)
            is_known = is_known || strcmp(always[a], names->at[n]) == 0;
        for (int k = 0; k < pack->kind_count; k++) {
            const struct lifecycle *lifecycle = pack->kinds[k].lifecycle;
            int count = states ? lifecycle->state_count : lifecycle->transition_count;

            for (int i = 0; i < count && fits_kind(&pack->kinds[k], kinds); i++) {
                const char *name =
                    states ? lifecycle->states[i].name : lifecycle->transitions[i].event;

                is_known = is_known || strcmp(name, names->at[n]) == 0;
                nearest_offer(&nearest, name);
            }
        }
        if (!is_known)
            problem(checking->problems, where_of(names->at[n]), "no %s is called '%s' there%s",
                    states ? "state" : "event", names->at[n],
                    nearest_hint(&nearest, hint_arena(checking)));
    }
}

static void check_fields(const struct checking *checking, const struct words *kinds,
                         const struct value *set, struct where where)
{
    const struct pack *pack = checking->scenario->pack;

    for (uint32_t n = 0; n < set->count; n++) {
        struct slice name = set->as.pairs[n].key;
        struct nearest nearest = nearest_to(name);
        bool is_known = false;

        for (int k = 0; k < pack->kind_count; k++) {
            if (!fits_kind(&pack->kinds[k], kinds))
                continue;
            is_known = is_known || kind_field(&pack->kinds[k], name) != NULL;
            for (int f = 0; f < pack->kinds[k].field_count; f++)
                nearest_offer(&nearest, pack->kinds[k].fields[f].name);
        }
        if (!is_known)
            problem(checking->problems, where, "no field is called '%.*s' there%s", (int)name.len,
                    (const char *)name.at, nearest_hint(&nearest, hint_arena(checking)));
    }
}

/* ---- each list ---- */

static void check_opening(const struct checking *checking, struct opening *opening)
{
    const struct words kind = {&opening->kind, 1};

    check_person(checking, opening->by, false);
    check_person(checking, opening->owner, false);
    check_moment(checking, &opening->at, MORNING_MINUTES);
    if (opening->at.text == NULL)
        opening->at.ms = checking->scenario->start_ms + (int64_t)MORNING_MINUTES * MINUTE_MS;
    if (opening->kind == NULL)
        problem(checking->problems, opening->where, "it needs a 'kind', or a 'file' that says it");
    else
        check_kinds(checking, &kind);
    if (opening->kind != NULL && pack_kind(checking->scenario->pack, slice_str(opening->kind)))
        check_fields(checking, &kind, &opening->fields, opening->where);
    if (opening->title == NULL)
        problem(checking->problems, opening->where, "it needs a 'title'");
}

static void check_happening(const struct checking *checking, struct happening *happening)
{
    const struct words any = {NULL, 0}, event = {&happening->event, 1};

    check_person(checking, happening->who, false);
    check_moment(checking, &happening->at, MORNING_MINUTES);
    if (happening->event != NULL)
        check_parts(checking, &any, &event, false);
}

static void check_policy(const struct checking *checking, const struct policy *policy)
{
    check_kinds(checking, &policy->kinds);
    check_parts(checking, &policy->kinds, &policy->events, false);
    check_parts(checking, &policy->kinds, &policy->states, true);
    for (int i = 0; i < policy->who.count; i++)
        check_person(checking, policy->who.at[i], false);
}

static void check_filling(const struct checking *checking, const struct filling *filling)
{
    check_kinds(checking, &filling->kinds);
    check_parts(checking, &filling->kinds, &filling->events, false);
    check_parts(checking, &filling->kinds, &filling->states, true);
    check_fields(checking, &filling->kinds, &filling->set, filling->where);
}

static void check_roles(const struct checking *checking, const struct person_entry *person)
{
    const struct pack *pack = checking->scenario->pack;

    for (int i = 0; i < person->roles.count; i++) {
        struct nearest nearest = nearest_to(slice_str(person->roles.at[i]));

        if (pack_role(pack, slice_str(person->roles.at[i])) != NULL)
            continue;
        for (int r = 0; r < pack->role_count; r++)
            nearest_offer(&nearest, pack->roles[r].name);
        problem(checking->problems, where_of(person->roles.at[i]), "the pack has no role '%s'%s",
                person->roles.at[i], nearest_hint(&nearest, hint_arena(checking)));
    }
}

static void check_worker(const struct checking *checking, const struct worker_entry *worker)
{
    check_person(checking, worker->name, true);
    for (int i = 0; i < worker->down.count; i++)
        check_period(checking, &worker->down.at[i]);
    for (int i = 0; i < worker->fails.count; i++)
        check_period(checking, &worker->fails.at[i]);
}

static void check_new_name(const struct checking *checking, const struct person_entry *joining)
{
    const struct person_entries *people = &checking->scenario->people;

    for (int i = 0; joining->name != NULL && i < people->count; i++) {
        if (people->at[i].name != NULL && strcmp(people->at[i].name, joining->name) == 0)
            problem(checking->problems, where_of(joining->name),
                    "'%s' is in the directory already; who joins needs a name of their own",
                    joining->name);
    }
}

static void check_people(const struct checking *checking)
{
    struct scenario *scenario = checking->scenario;

    for (int i = 0; i < scenario->people.count; i++)
        check_roles(checking, &scenario->people.at[i]);
    for (int i = 0; i < scenario->joinings.count; i++) {
        check_roles(checking, &scenario->joinings.at[i]);
        check_new_name(checking, &scenario->joinings.at[i]);
        check_moment(checking, &scenario->joinings.at[i].on, 0);
    }
    for (int i = 0; i < scenario->leavings.count; i++) {
        check_person(checking, scenario->leavings.at[i].who, false);
        check_moment(checking, &scenario->leavings.at[i].on, 0);
    }
    for (int i = 0; i < scenario->absences.count; i++) {
        check_person(checking, scenario->absences.at[i].who, false);
        check_period(checking, &scenario->absences.at[i].period);
    }
    for (int i = 0; i < scenario->workers.count; i++)
        check_worker(checking, &scenario->workers.at[i]);
}

void scenario_check(struct scenario *scenario, struct problems *problems)
{
    const struct checking checking = {scenario, problems};
    size_t len = strlen(scenario->origin);

    check_length(&checking);
    if (len < 9 || strcmp(scenario->origin + len - 8, "/virtual") != 0)
        problem(problems, where_of(scenario->origin),
                "an origin ends in /virtual, so that this is never mistaken for the real history");
    check_people(&checking);
    for (int i = 0; i < scenario->openings.count; i++)
        check_opening(&checking, &scenario->openings.at[i]);
    for (int i = 0; i < scenario->happenings.count; i++)
        check_happening(&checking, &scenario->happenings.at[i]);
    for (int i = 0; i < scenario->policies.count; i++)
        check_policy(&checking, &scenario->policies.at[i]);
    for (int i = 0; i < scenario->fillings.count; i++)
        check_filling(&checking, &scenario->fillings.at[i]);
}

int scenario_until(struct scenario *scenario, const char *text, struct error *err)
{
    struct moment moment = {text, 0};
    int32_t date;
    int minutes;
    bool is_day = read_day(text, &date, &minutes); /* and then all of it */

    if (!resolve(scenario, &moment, is_day ? DAY_MINUTES : 0))
        return error_set(err, ERROR_INPUT,
                         "\"%s\" is no moment; write 2028-02-29, or a span from the start like "
                         "\"10 days\"",
                         text);
    if (moment.ms <= scenario->start_ms)
        return error_set(err, ERROR_INPUT, "%s is not after the start, %s", text,
                         scenario->start.text);
    scenario->end_ms = moment.ms;
    return 0;
}
