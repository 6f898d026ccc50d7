/* workers.c - programs take the tasks that are offered: they succeed, fail, or are not there. */
#include "simulate/inside.h"

#include "core/authority.h"

enum { SOON_MIN_MS = 2 * SECOND_MS, SOON_MAX_MS = 40 * SECOND_MS };

static const struct worker_entry *manner_of(const struct simulation *sim, const char *name)
{
    for (int i = 0; i < sim->scenario->workers.count; i++) {
        if (strcmp(sim->scenario->workers.at[i].name, name) == 0)
            return &sim->scenario->workers.at[i];
    }
    return NULL;
}

static bool serves(const struct person_entry *entry, struct slice service)
{
    for (int i = 0; i < entry->services.count; i++) {
        struct slice granted = slice_str(entry->services.at[i]);

        if (slice_equal(granted, service) ||
            (granted.len > 1 && granted.at[granted.len - 1] == '*' &&
             service.len >= granted.len - 1 &&
             memcmp(granted.at, service.at, granted.len - 1) == 0))
            return true;
    }
    return false;
}

static const char *worker_for(const struct simulation *sim, struct slice service)
{
    for (int i = 0; i < sim->person_count; i++) {
        if (sim->people[i].entry->is_worker && serves(sim->people[i].entry, service))
            return sim->people[i].entry->name;
    }
    return NULL;
}

/* The end of the period that `ms` is in; -1 if it is in none. */
static int64_t end_of(const struct periods *periods, int64_t ms)
{
    for (int i = 0; i < periods->count; i++) {
        if (ms >= periods->at[i].from.ms && ms < periods->at[i].to.ms)
            return periods->at[i].to.ms;
    }
    return -1;
}

static struct item attempt_of(struct simulation *sim, int64_t task, int64_t from_ms,
                              const char *who)
{
    const struct worker_entry *manner = manner_of(sim, who);
    struct chance chance = chance_of((uint64_t)sim->scenario->seed, "task %lld at %lld",
                                     (long long)task, (long long)from_ms);
    struct item item = {.errand = ERRAND_TASK, .record = -1, .number = task, .who = who};
    const struct calendar *calendar = &sim->pack->calendar;

    if (manner != NULL && end_of(&manner->down, from_ms) >= 0)
        from_ms = end_of(&manner->down, from_ms);
    if (manner != NULL && manner->has_after)
        item.at_ms =
            chance_between(&chance, span_add_moment(&manner->after.least, calendar, from_ms),
                           span_add_moment(&manner->after.most, calendar, from_ms));
    else
        item.at_ms = from_ms + chance_between(&chance, SOON_MIN_MS, SOON_MAX_MS);
    return item;
}

void workers_offered(struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->offers.count; i++) {
        int64_t task = sim->offers.as.items[i].as.number, from_ms = now_ms(sim);
        const char *key = arena_printf(&sim->offer_arena, "task/%lld", (long long)task), *who;
        struct value row;
        struct item item;

        if (!house_row(&sim->house, &sim->offer_arena, slice_str(key), &row))
            continue;
        who = worker_for(sim, value_get_text(&row, "service"));
        if (value_get_int(&row, "not_before_ms", 0) > from_ms)
            from_ms = value_get_int(&row, "not_before_ms", 0);
        if (who == NULL)
            continue; /* nobody serves it: it waits */
        item = attempt_of(sim, task, from_ms, who);
        agenda_add(&sim->agenda, &item);
    }
    sim->offers = value_array();
}

static bool succeeds(const struct simulation *sim, const struct worker_entry *manner, int64_t task,
                     int attempt)
{
    struct chance chance = chance_of((uint64_t)sim->scenario->seed, "attempt %d of task %lld",
                                     attempt, (long long)task);

    return manner == NULL ||
           (end_of(&manner->fails, now_ms(sim)) < 0 && chance_happens(&chance, manner->success));
}

/* Whoever asks for an approval has handed it over; the answer comes from the person. */
static int status_of(const struct simulation *sim, const struct item *item,
                     const struct value *task)
{
    const struct worker_entry *manner = manner_of(sim, item->who);

    if (!succeeds(sim, manner, item->number, (int)value_get_int(task, "attempt", 1)))
        return manner->is_final ? 422 : 500;
    return slice_is(value_get_text(task, "service"), "approval.request") ? 202 : 200;
}

void workers_serve(struct simulation *sim, const struct item *item)
{
    struct question question = {.kind = QUESTION_SETTLE,
                                .principal = slice_str(item->who),
                                .auth_method = slice_str("curve"),
                                .if_revision = -1,
                                .task = item->number};
    struct house_answer answer;
    struct value task;

    if (!core_task(sim->house.core, item->number, &task) ||
        !slice_is(value_get_text(&task, "state"), "open")) {
        core_drop(sim->house.core);
        return;
    }
    question.attempt = (int)value_get_int(&task, "attempt", 1);
    question.status = status_of(sim, item, &task);
    core_drop(sim->house.core);
    question.note = slice_str(question.status >= 400 ? "the other side does not answer" : "");
    question.id = slice_str(arena_printf(&sim->scratch, "S1.%lld.%08lld", (long long)item->number,
                                         (long long)++sim->ids));
    if (house_play(&sim->house, &question, &sim->scratch, &answer, sim->err) != 0)
        breach(sim, "task %lld: %s", (long long)item->number, sim->err->text);
}
