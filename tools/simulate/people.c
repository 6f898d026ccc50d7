/* people.c - who there is, with which key, and when they are at work. */
#include "simulate/inside.h"

#include "base/date.h"

enum { LOOK_AHEAD_DAYS = 3 * 366 };

/* ---- who ---- */

static void add_person(struct simulation *sim, const struct person_entry *entry, int64_t joins_ms)
{
    struct person *person;

    sim->people = sim_grow(&sim->arena, sim->people, &sim->person_count, sizeof *person);
    person = &sim->people[sim->person_count - 1];
    person->entry = entry;
    person->joins_ms = joins_ms;
    person->leaves_ms = INT64_MAX;
    chance_key((uint64_t)sim->scenario->seed, entry->name, person->seed);
    sign_public_key(person->seed, person->key);
    for (int i = 0; i < sim->scenario->leavings.count; i++) {
        if (strcmp(sim->scenario->leavings.at[i].who, entry->name) == 0)
            person->leaves_ms = sim->scenario->leavings.at[i].on.ms;
    }
    if (!entry->is_worker)
        tally_add_person(sim->tally, entry->name, entry->title);
}

void people_begin(struct simulation *sim)
{
    for (int i = 0; i < sim->scenario->people.count; i++)
        add_person(sim, &sim->scenario->people.at[i], INT64_MIN);
    for (int i = 0; i < sim->scenario->joinings.count; i++)
        add_person(sim, &sim->scenario->joinings.at[i], sim->scenario->joinings.at[i].on.ms);
}

const struct person *person_named(const struct simulation *sim, struct slice name)
{
    for (int i = 0; i < sim->person_count; i++) {
        if (slice_is(name, sim->people[i].entry->name))
            return &sim->people[i];
    }
    return NULL;
}

/* ---- as the directory wants them ---- */

static void put_text(struct arena *arena, struct value *out, const char *key, const char *text)
{
    if (text != NULL)
        value_set(arena, out, key, value_str(text));
}

static void put_words(struct arena *arena, struct value *out, const char *key,
                      const struct words *words)
{
    struct value list = value_array();

    for (int i = 0; i < words->count; i++)
        value_push(arena, &list, value_str(words->at[i]));
    if (list.count > 0)
        value_set(arena, out, key, list);
}

struct value person_args(struct simulation *sim, struct arena *arena, const struct person *person,
                         int64_t not_after_ms)
{
    const struct person_entry *entry = person->entry;
    struct value out = value_map();

    (void)sim;
    value_set(arena, &out, "name", value_str(entry->name));
    value_set(arena, &out, "kind", value_str(entry->is_worker ? "worker" : "person"));
    put_text(arena, &out, "title", entry->title);
    put_text(arena, &out, "email", entry->email);
    put_text(arena, &out, "manager", entry->manager);
    put_words(arena, &out, "roles", &entry->roles);
    put_words(arena, &out, "services", &entry->services);
    if (entry->is_gateway)
        value_set(arena, &out, "gateway", value_bool(true));
    if (!entry->is_worker)
        value_set(arena, &out, "sign", value_bin(person->key, SIGN_KEY_LEN));
    if (not_after_ms > 0)
        value_set(arena, &out, "not_after", value_int(not_after_ms));
    return out;
}

struct value people_args(struct simulation *sim, struct arena *arena)
{
    struct value args = value_map(), list = value_array(), operator= value_map(),
                 roles = value_array();

    for (int i = 0; i < sim->person_count; i++) {
        if (sim->people[i].joins_ms == INT64_MIN)
            value_push(arena, &list, person_args(sim, arena, &sim->people[i], 0));
    }
    value_push(arena, &roles, value_str("admin"));
    value_set(arena, &operator, "name", value_str(OPERATOR));
    value_set(arena, &operator, "kind", value_str("operator"));
    value_set(arena, &operator, "roles", roles);
    value_push(arena, &list, operator);
    value_set(arena, &args, "people", list);
    return args;
}

/* ---- when ---- */

bool is_away(const struct simulation *sim, const char *name, int64_t ms)
{
    const struct absences *absences = &sim->scenario->absences;

    for (int i = 0; i < absences->count; i++) {
        if (strcmp(absences->at[i].who, name) == 0 && ms >= absences->at[i].period.from.ms &&
            ms < absences->at[i].period.to.ms)
            return true;
    }
    return false;
}

bool is_present(const struct simulation *sim, const char *name, int64_t ms)
{
    const struct person *person = person_named(sim, slice_str(name));

    return person != NULL && !person->entry->is_worker && ms >= person->joins_ms &&
           ms < person->leaves_ms && !is_away(sim, name, ms);
}

static int64_t minute_of(const struct simulation *sim, int32_t date, int64_t minutes)
{
    return calendar_midnight_ms(&sim->pack->calendar, date) + minutes * MINUTE_MS;
}

/* `name` NULL: anybody's working hours. */
int64_t next_at_work(const struct simulation *sim, const char *name, int64_t ms,
                     struct chance *chance)
{
    int32_t first = local_date(sim, ms);

    for (int32_t date = first; date < first + LOOK_AHEAD_DAYS; date++) {
        int64_t at = ms;

        if (!calendar_is_working(&sim->pack->calendar, date))
            continue;
        if (date > first || ms < minute_of(sim, date, DAY_BEGINS_MINUTES))
            at = minute_of(sim, date,
                           chance_between(chance, DAY_BEGINS_MINUTES, DAY_ENDS_MINUTES - 1));
        else if (ms >= minute_of(sim, date, DAY_ENDS_MINUTES))
            continue;
        if (name == NULL || is_present(sim, name, at))
            return at;
    }
    return -1;
}
