/* records.c - what is known of each record: read from its row whenever that is kept. */
#include "simulate/inside.h"

#include "base/check.h"

void *sim_grow(struct arena *arena, void *items, int *count, size_t size)
{
    size_t had = (size_t)*count;
    uint8_t *more = items;

    if ((had & (had - 1)) == 0) {
        more = arena_zero(arena, size * (had == 0 ? 1 : 2 * had));
        if (had > 0)
            memcpy(more, items, size * had);
    }
    *count += 1;
    return more;
}

struct known *record_known(const struct simulation *sim, struct slice id)
{
    return map_get(&sim->by_id, id);
}

const struct state *known_state(const struct known *record)
{
    return &record->kind->lifecycle->states[record->state];
}

static struct known *new_record(struct simulation *sim, struct slice id, const struct value *row)
{
    const struct pack *pack = core_pack(sim->house.core, value_get_bin(row, "pack"));
    const struct kind *kind = pack != NULL ? pack_kind(pack, value_get_text(row, "kind")) : NULL;
    struct known *record = arena_zero(&sim->arena, sizeof *record);

    check(kind != NULL);
    record->id = arena_copy(&sim->arena, id.at, id.len);
    record->title = record->owner = "";
    record->index = sim->record_count;
    record->kind = kind;
    record->state = MODEL_NONE;
    sim->records = sim_grow(&sim->arena, sim->records, &sim->record_count, sizeof sim->records[0]);
    sim->records[record->index] = record;
    map_put(&sim->by_id, id, record);
    return record;
}

static const char *same_text(struct simulation *sim, const char *kept, struct slice text)
{
    return slice_is(text, kept) ? kept : arena_copy(&sim->arena, text.at, text.len);
}

static const struct timer *timer_of(const struct kind *kind, struct slice name)
{
    for (int i = 0; i < kind->lifecycle->timer_count; i++) {
        if (slice_is(name, kind->lifecycle->timers[i].name))
            return &kind->lifecycle->timers[i];
    }
    return NULL;
}

static int64_t part(const struct value *entry, uint32_t i)
{
    return value_is(entry, VALUE_ARRAY) && i < entry->count ? entry->as.items[i].as.number : -1;
}

/* When a timer was set to this start: kept from before, if it was running with the same one. */
static int64_t armed_at(const struct simulation *sim, const struct known_timer *before, int count,
                        const struct timer *timer, int64_t first)
{
    for (int i = 0; i < count; i++) {
        if (before[i].timer == timer && before[i].start_ms == first)
            return before[i].armed_ms;
    }
    return now_ms(sim);
}

static void read_timers(struct simulation *sim, struct known *record, const struct value *timers)
{
    struct known_timer before[TIMERS_SHOWN_MAX];
    int count = record->timer_count;

    memcpy(before, record->timers, sizeof before);
    record->timer_count = 0;
    for (uint32_t i = 0; value_is(timers, VALUE_MAP) && i < timers->count && i < TIMERS_SHOWN_MAX;
         i++) {
        const struct value *entry = &timers->as.pairs[i].value;
        struct known_timer *timer = &record->timers[record->timer_count];

        timer->timer = timer_of(record->kind, timers->as.pairs[i].key);
        timer->due_ms = part(entry, 0);
        timer->start_ms = entry->count > 3 ? part(entry, 3) : part(entry, 2);
        timer->armed_ms = armed_at(sim, before, count, timer->timer, timer->start_ms);
        record->timer_count++;
    }
}

static void read_row(struct simulation *sim, struct known *record, const struct value *row)
{
    int state = kind_state_index(record->kind, value_get_text(row, "state"));
    int64_t round = value_get_int(row, "round", 0), entered = value_get_int(row, "entered_ms", 0);
    bool is_valid = value_get_bool(row, "valid", false);

    check(state != MODEL_NONE);
    if (state != record->state || round != record->round || entered != record->entered_ms)
        record->situation++;
    record->title = same_text(sim, record->title, value_get_text(row, "title"));
    record->owner = same_text(sim, record->owner, value_get_text(row, "owner"));
    record->state = state;
    record->entered_ms = entered;
    record->round = round;
    record->is_closed = known_state(record)->stage == STAGE_CLOSED;
    read_timers(sim, record, value_get(row, "timers"));
    record->is_changed = true;
    if (is_valid != record->is_valid) {
        record->is_valid = is_valid;
        oracle_valid(sim, record, is_valid);
    }
}

static int64_t task_number(struct slice key)
{
    int64_t number = 0;

    for (size_t i = strlen("task/"); i < key.len; i++)
        number = number * 10 + (key.at[i] - '0');
    return number;
}

static struct value own_text(struct simulation *sim, struct slice text)
{
    return value_text(slice_of(arena_copy(&sim->offer_arena, text.at, text.len), text.len));
}

/* A request for a signature: whoever is asked will think of it. Asked again is not asked anew. */
static void note_request(struct simulation *sim, const struct value *row)
{
    const struct value *input = value_get(row, "input");
    struct slice record = value_get_text(row, "record"), person = value_get_text(input, "person");
    const char *key = arena_printf(
        &sim->offer_arena, "%.*s/%lld/%.*s", (int)record.len, (const char *)record.at,
        (long long)value_get_int(input, "round", 0), (int)person.len, (const char *)person.at);
    struct value pair = value_array();

    if (map_get(&sim->asked_once, slice_str(key)) != NULL)
        return;
    map_put(&sim->asked_once, slice_str(key), sim);
    value_push(&sim->offer_arena, &pair, own_text(sim, record));
    value_push(&sim->offer_arena, &pair, own_text(sim, person));
    value_push(&sim->offer_arena, &sim->asked, pair);
}

static void note_task(struct simulation *sim, struct slice key, const struct value *row)
{
    if (slice_is(value_get_text(row, "state"), "parked"))
        value_push(&sim->offer_arena, &sim->parked, value_int(task_number(key)));
    if (slice_is(value_get_text(value_get(row, "input"), "make"), "approval"))
        note_request(sim, row);
}

void records_changed(void *self, struct slice key, const struct value *row, struct slice bytes)
{
    struct simulation *sim = self;
    struct known *record;

    (void)bytes;
    if (row == NULL)
        return;
    if (slice_starts(key, "task/"))
        note_task(sim, key, row);
    if (memchr(key.at, '/', key.len) != NULL || value_get(row, "kind") == NULL ||
        value_get(row, "state") == NULL)
        return;
    record = record_known(sim, key);
    read_row(sim, record != NULL ? record : new_record(sim, key, row), row);
}
