/* timer.c - when records want to be woken, and what happens then.
 *
 * A record's row keeps, for each timer that runs, [due_ms, step, start_ms, first start_ms, end_ms]; due -1: all its
 * steps are done; the end is there only if the timer has an `until`. The first start and the end tell whether a field
 * it runs from or towards has changed; the start of a repeating timer moves on by itself. A timer that was missed while the engine was down fires once: its missed steps
 * collapse into one message, their events all happen.
 */
#include "core/inside.h"

#include "base/check.h"
#include "core/span.h"

int64_t span_after(const struct calendar *calendar, int64_t ms, const struct span *span)
{
    return span_add_moment(span, calendar, ms);
}

/* The moment a field of date or datetime stands for; -1 if it is empty. */
static int64_t field_moment(struct core *core, const struct value *value)
{
    const struct calendar *calendar = calendar_of(core);
    int32_t date;

    if (value_is(value, VALUE_INT))
        return value->as.number;
    if (!value_is(value, VALUE_STR) || date_parse(value_slice(value), &date) != 0)
        return -1;
    return zone_midnight_ms(
        calendar != NULL && calendar->zone != NULL ? calendar->zone : zone_utc(), date);
}

enum { NO_END = -1 };

/* From when to when a timer runs; `end` NO_END if it has no `until`. */
struct run_of_time {
    int64_t start, first, end;
};

/* A step stands at a span after the start, or at so many percent of the way. Whole milliseconds, in an order in which
 * a century does not overflow. */
static int64_t step_moment(struct core *core, const struct timer *timer, int step, int64_t start,
                           int64_t end)
{
    const struct timer_step *at = &timer->steps[step];
    int64_t way = end - start;

    if (at->percent == 0 || end == NO_END)
        return span_after(calendar_of(core), start, &at->after);
    return start + way / 100 * at->percent + way % 100 * at->percent / 100;
}

static struct value armed(struct core *core, const struct timer *timer, int step,
                          struct run_of_time time)
{
    struct value entry = value_array();
    int64_t due =
        step < timer->step_count ? step_moment(core, timer, step, time.start, time.end) : -1;

    value_push(core->arena, &entry, value_int(due));
    value_push(core->arena, &entry, value_int(step));
    value_push(core->arena, &entry, value_int(time.start));
    value_push(core->arena, &entry, value_int(time.first));
    if (time.end != NO_END)
        value_push(core->arena, &entry, value_int(time.end));
    return entry;
}

static int64_t part(const struct value *entry, uint32_t i)
{
    return value_is(entry, VALUE_ARRAY) && i < entry->count ? entry->as.items[i].as.number : -1;
}

static void arm(struct core *core, const struct timer *timer, const struct value *running,
                int64_t start, int64_t end, struct value *timers)
{
    if (start < 0) {
        if (running != NULL)
            value_set(core->arena, timers, timer->name, VALUE_NONE);
    } else if (running == NULL || part(running, 3) != start || part(running, 4) != end) {
        value_set(core->arena, timers, timer->name,
                  armed(core, timer, 0, (struct run_of_time){start, start, end}));
    }
}

/* A timer with an `until` runs only while both fields are there, and the way between them leads forward. */
static void arm_field(struct core *core, const struct timer *timer, const struct value *running,
                      const struct value *fields, struct value *timers)
{
    int64_t start = field_moment(core, value_get(fields, timer->field)), end = NO_END;

    if (timer->until != NULL) {
        end = field_moment(core, value_get(fields, timer->until));
        if (end <= start)
            start = end = -1;
    }
    arm(core, timer, running, start, end, timers);
}

void timers_arm(struct core *core, const struct subject *subject, int state,
                const struct value *fields, struct value *timers)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    const struct value *running = value_get(subject->row, "timers");
    int before = subject->row == NULL
                     ? MODEL_NONE
                     : kind_state_index(subject->kind, value_get_text(subject->row, "state"));

    for (int i = 0; i < lifecycle->timer_count; i++) {
        const struct timer *timer = &lifecycle->timers[i];
        const struct value *entry = value_get(running, timer->name);

        if (!timer->in[state])
            arm(core, timer, entry, -1, NO_END, timers);
        else if (timer->from == TIMER_FIELD)
            arm_field(core, timer, entry, fields, timers);
        else if (timer->from == TIMER_STATE && state != before)
            arm(core, timer, NULL, core->now_ms, NO_END, timers);
    }
}

void timers_arm_round(struct core *core, const struct subject *subject, int state,
                      struct value *timers)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;

    for (int i = 0; i < lifecycle->timer_count; i++) {
        const struct timer *timer = &lifecycle->timers[i];

        if (timer->from == TIMER_ROUND && timer->in[state])
            arm(core, timer, NULL, core->now_ms, NO_END, timers);
    }
}

/* The engine's own: when the round expires, and when the rights of somebody end who is still to vote. */
static const char *const ROUND_TIMERS[] = {"round.expires", "round.leaves"};

void timers_end_round(struct core *core, const struct subject *subject, struct value *own)
{
    const struct lifecycle *lifecycle = subject->kind->lifecycle;
    const struct value *running = value_get(subject->row, "timers");

    for (int i = 0; i < lifecycle->timer_count; i++) {
        const struct timer *timer = &lifecycle->timers[i];

        if (timer->from == TIMER_ROUND && value_get(running, timer->name) != NULL)
            value_set(core->arena, value_sub(core->arena, own, slice_str("timers")), timer->name,
                      VALUE_NONE);
    }
    for (size_t i = 0; i < sizeof ROUND_TIMERS / sizeof ROUND_TIMERS[0]; i++) {
        if (value_get(running, ROUND_TIMERS[i]) != NULL)
            value_set(core->arena, value_sub(core->arena, own, slice_str("timers")),
                      ROUND_TIMERS[i], VALUE_NONE);
    }
}

int64_t core_due(const struct value *row)
{
    const struct value *timers = value_get(row, "timers");
    int64_t due = value_get_int(row, "until_ms", -1);

    for (uint32_t i = 0; value_is(timers, VALUE_MAP) && i < timers->count; i++) {
        int64_t one = part(&timers->as.pairs[i].value, 0);

        if (one >= 0 && (due < 0 || one < due))
            due = one;
    }
    return due;
}

bool timer_is_shown(struct slice name)
{
    return !slice_is(name, "round.leaves");
}

int64_t timers_next(const struct value *row, int64_t from_ms)
{
    const struct value *timers = value_get(row, "timers");
    int64_t next = -1;

    for (uint32_t i = 0; value_is(timers, VALUE_MAP) && i < timers->count; i++) {
        int64_t due = part(&timers->as.pairs[i].value, 0);

        if (timer_is_shown(timers->as.pairs[i].key) && due >= from_ms && (next < 0 || due < next))
            next = due;
    }
    return next;
}

int64_t timer_due(const struct value *row, const char *name)
{
    return part(value_get(value_get(row, "timers"), name), 0);
}

/* ---- firing ---- */

/* A record that comes back to a state whose date has passed lets the same timer fire for the same moment again: an
 * id is never used twice, so the stream's revision is a fifth part of the later ones. */
static void timer_command_id(struct core *core, struct slice stream, const char *name,
                             int64_t due_ms)
{
    const struct value *fired = state_row(core->state, stream);
    bool is_again = value_get_int(fired, "fired_ms", -1) >= due_ms;
    struct buf bytes = BUF_EMPTY;
    uint8_t hash[HASH_LEN];

    buf_add_str(&bytes, "rota.id/1\n");
    dmp_put_array(&bytes, is_again ? 5 : 4);
    dmp_put_str(&bytes, slice_str("engine"));
    dmp_put_str(&bytes, stream);
    dmp_put_str(&bytes, slice_str(name));
    dmp_put_int(&bytes, due_ms * 1000);
    if (is_again)
        dmp_put_int(&bytes, value_get_int(fired, "rev", 0));
    hash_bytes(buf_slice(&bytes), hash);
    memcpy(core->run->command_id, hash, COMMAND_ID_LEN);
    buf_release(&bytes);
}

/* Where the ladder stands after now: the next step, or the next round of a repeating one. */
static struct value next_entry(struct core *core, const struct timer *timer, int step,
                               struct run_of_time time)
{
    bool repeats = timer->every.months != 0 || timer->every.days != 0 || timer->every.ms != 0;

    while (step >= timer->step_count && repeats) {
        time.start = span_after(calendar_of(core), time.start, &timer->every);
        step = 0;
        while (step < timer->step_count &&
               step_moment(core, timer, step, time.start, time.end) <= core->now_ms)
            step++;
    }
    return armed(core, timer, step, time);
}

/* ---- under another definition ---- */

static const struct timer *timer_named(const struct kind *kind, struct slice name)
{
    for (int i = 0; i < kind->lifecycle->timer_count; i++) {
        if (slice_is(name, kind->lifecycle->timers[i].name))
            return &kind->lifecycle->timers[i];
    }
    return NULL;
}

/* The moment that the last step it has taken stood for; before everything, if it has taken none. */
static int64_t taken_until(struct core *core, const struct timer *timer, const struct value *entry)
{
    int step = (int)part(entry, 1);

    if (timer == NULL || step < 1 || step > timer->step_count)
        return INT64_MIN;
    return step_moment(core, timer, step - 1, part(entry, 2), part(entry, 4));
}

/* It goes on from where it began; what it has done by then it does not do again. */
static struct value carried(struct core *core, const struct timer *timer,
                            const struct timer *before, const struct value *entry,
                            struct run_of_time time)
{
    int64_t until = taken_until(core, before, entry);
    int step = 0;

    while (step < timer->step_count &&
           step_moment(core, timer, step, time.start, time.end) <= until)
        step++;
    return next_entry(core, timer, step, time);
}

/* From when it runs in this state; start -1: not at all. */
static struct run_of_time time_in_state(struct core *core, const struct timer *timer, int state,
                                        const struct value *after, const struct value *entry)
{
    const struct value *fields = value_get(after, "fields");
    struct run_of_time time = {-1, -1, NO_END};

    if (!timer->in[state] || timer->from == TIMER_ROUND)
        return time;
    if (timer->from == TIMER_STATE)
        time.start = entry != NULL ? part(entry, 3) : value_get_int(after, "entered_ms", -1);
    else
        time.start = field_moment(core, value_get(fields, timer->field));
    if (timer->until != NULL)
        time.end = field_moment(core, value_get(fields, timer->until));
    if (timer->until != NULL && time.end <= time.start)
        time.start = -1;
    time.first = time.start;
    return time;
}

/* Those of a round begin and end with it. */
static bool is_of_round(const struct kind *kind, struct slice name)
{
    const struct timer *timer = timer_named(kind, name);

    return slice_starts(name, "round.") || (timer != NULL && timer->from == TIMER_ROUND);
}

void timers_migrate(struct core *core, const struct subject *before, const struct kind *kind,
                    int state, const struct value *after, struct value *timers)
{
    const struct value *running = value_get(before->row, "timers");

    for (uint32_t i = 0; value_is(running, VALUE_MAP) && i < running->count; i++) {
        struct slice name = running->as.pairs[i].key;

        if (!is_of_round(before->kind, name) && timer_named(kind, name) == NULL)
            value_put(core->arena, timers, name, VALUE_NONE);
    }
    for (int i = 0; i < kind->lifecycle->timer_count; i++) {
        const struct timer *timer = &kind->lifecycle->timers[i];
        const struct timer *old = timer_named(before->kind, slice_str(timer->name));
        const struct value *entry = is_of_round(before->kind, slice_str(timer->name))
                                        ? NULL
                                        : value_get(running, timer->name);
        struct run_of_time time = time_in_state(core, timer, state, after, entry);
        struct value now;

        if (time.start < 0) {
            if (entry != NULL)
                value_set(core->arena, timers, timer->name, VALUE_NONE);
            continue;
        }
        /* One that repeats has moved on from its first start. */
        if (entry != NULL && part(entry, 3) == time.first)
            time.start = part(entry, 2);
        now = entry != NULL && part(entry, 3) == time.first ? carried(core, timer, old, entry, time)
                                                            : armed(core, timer, 0, time);
        if (entry == NULL || !value_equal(&now, entry))
            value_set(core->arena, timers, timer->name, now);
    }
}

static int64_t latest_fired(struct core *core, struct slice stream, int64_t due)
{
    int64_t before = value_get_int(state_row(core->state, stream), "fired_ms", -1);

    return before > due ? before : due;
}

static int fire(struct core *core, struct subject *subject, const struct timer *timer,
                const struct value *entry)
{
    int first = (int)part(entry, 1), last = first;
    struct run_of_time time = {part(entry, 2), part(entry, 3), part(entry, 4)};
    int64_t due = part(entry, 0), cause;
    struct value body = value_map(), effects = value_map(), none = value_map(), *patch;
    struct author author = run_engine(-1);
    const struct timer_step *spoken = NULL;
    struct slice stream = textf(core, "%.*s/timer/%s", (int)subject->id.len,
                                (const char *)subject->id.at, timer->name);

    while (last + 1 < timer->step_count &&
           step_moment(core, timer, last + 1, time.start, time.end) <= core->now_ms)
        last++;
    timer_command_id(core, stream, timer->name, due);
    value_set(core->arena, &body, "timer", value_str(timer->name));
    value_set(core->arena, &body, "due_ms", value_int(due));
    value_set(core->arena, &body, "step", value_int(last));
    patch = run_patch(core, &effects, subject->id);
    value_set(core->arena, value_sub(core->arena, patch, slice_str("timers")), timer->name,
              next_entry(core, timer, last + 1, time));
    for (int i = first; i <= last; i++) {
        if (timer->steps[i].tell.to.count > 0)
            spoken = &timer->steps[i];
    }
    if (spoken != NULL && tell(core, subject, &spoken->tell, slice_str(timer->name),
                               slice_str("engine"), &none, &effects) != 0)
        return -1;
    value_set(core->arena, run_patch(core, &effects, slice_str("")), "fired_ms",
              value_int(latest_fired(core, stream, due)));
    cause = run_leaf(core, "timer.fired", stream, subject->id, &author, &body, &effects);
    if (cause < 0)
        return -1;
    for (int i = first; i <= last; i++) {
        if (timer->steps[i].event != NULL && core->is_alone)
            run_follow(core, subject->id, timer->steps[i].event, cause, NULL, NOBODY);
        else if (timer->steps[i].event != NULL &&
                 signal_record(core, subject->id, timer->steps[i].event, cause, NULL, NOBODY) != 0)
            return -1;
    }
    /* Who left without a request that could be found is missed at the next reminder at the latest. */
    if (timer->from == TIMER_ROUND && subject->round != NULL)
        run_follow(core, subject->id, ROUND_RECOUNT, cause, NULL, NOBODY);
    return 0;
}

/* The engine's own timer of a round has fired: a leaf says so, and gives its seq. */
static int64_t fire_round(struct core *core, const struct subject *subject, const char *name,
                          const char *type, int64_t due)
{
    struct value effects = value_map(), own = value_map(), body = value_map();
    struct author author = run_engine(-1);
    struct slice stream =
        textf(core, "%.*s/timer/%s", (int)subject->id.len, (const char *)subject->id.at, name);

    timer_command_id(core, stream, name, due);
    value_set(core->arena, &body, "timer", value_str(name));
    value_set(core->arena, &body, "due_ms", value_int(due));
    value_set(core->arena,
              value_sub(core->arena, run_patch(core, &effects, subject->id), slice_str("timers")),
              name, VALUE_NONE);
    value_set(core->arena, &own, "fired_ms", value_int(latest_fired(core, stream, due)));
    value_set(core->arena, &effects, "", own);
    return run_leaf(core, type, stream, subject->id, &author, &body, &effects);
}

/* A round that nobody completed in time comes to what its approval declares. */
static int expire_round(struct core *core, struct subject *subject, int64_t due)
{
    int64_t cause = fire_round(core, subject, "round.expires", "round.expired", due);
    struct value args = value_map();

    if (cause < 0)
        return -1;
    if (!subject_find(core, subject->id, subject) || subject->round == NULL)
        return 0;
    if (!core->is_alone)
        return round_expire(core, subject, cause);
    value_set(core->arena, &args, "round", value_int(value_get_int(subject->round, "n", 0)));
    run_follow(core, subject->id, ROUND_EXPIRES, cause, &args, NOBODY);
    return 0;
}

static int leave_round(struct core *core, struct subject *subject, int64_t due)
{
    int64_t cause = fire_round(core, subject, "round.leaves", "timer.fired", due);

    if (cause < 0 || !subject_find(core, subject->id, subject))
        return -1;
    if (!core->is_alone)
        return round_recount(core, subject, cause);
    run_follow(core, subject->id, ROUND_RECOUNT, cause, NULL, NOBODY);
    return 0;
}

/* Handed over to somebody outside, and no word by then: it is asked for again. */
static int wake_task(struct core *core, struct slice key)
{
    const struct value *row = state_row(core->state, key);
    struct value effects = value_map(), own = value_map(), body = value_map();
    struct author author = run_engine(-1);
    int64_t until = value_get_int(row, "until_ms", INT64_MAX);

    if (until > core->now_ms || !slice_is(value_get_text(row, "state"), "handed_over"))
        return 0;
    timer_command_id(core, key, "until", until);
    value_set(core->arena, &body, "due_ms", value_int(until));
    value_set(core->arena, &own, "state", value_str("open"));
    value_set(core->arena, &own, "until_ms", VALUE_NONE);
    value_set(core->arena, &effects, "", own);
    run_offer(core, task_number(key));
    return run_leaf(core, "task.reopened", key, keep_text(core, value_get_text(row, "record")),
                    &author, &body, &effects) < 0
               ? -1
               : 0;
}

int wake(struct core *core, const struct question *question)
{
    struct subject subject;
    const struct value *timers;
    const struct pair *earliest = NULL;
    const struct timer *timer;

    if (slice_starts(question->key, "task/"))
        return wake_task(core, question->key);
    if (!subject_find(core, question->key, &subject) || !slice_equal(subject.id, question->key))
        return 0;
    timers = value_get(subject.row, "timers");
    for (uint32_t i = 0; value_is(timers, VALUE_MAP) && i < timers->count; i++) {
        const struct pair *pair = &timers->as.pairs[i];
        int64_t due = part(&pair->value, 0);

        if (due >= 0 && due <= core->now_ms &&
            (earliest == NULL || due < part(&earliest->value, 0)))
            earliest = pair;
    }
    if (earliest == NULL)
        return 0;
    if (slice_is(earliest->key, "round.expires"))
        return expire_round(core, &subject, part(&earliest->value, 0));
    if (slice_is(earliest->key, "round.leaves"))
        return leave_round(core, &subject, part(&earliest->value, 0));
    timer = timer_named(subject.kind, earliest->key);
    check(timer != NULL);
    return fire(core, &subject, timer, &earliest->value);
}
