/* query_list.c - list and find: records by what they are, page by page, in the order of their ids. */
#include "core/query_inside.h"

#include "base/date.h"

struct listing {
    struct asking *asking;
    struct slice state, stage, owner, text;
    const struct value *open, *valid; /* bools or NULL */
    uint32_t limit;
    struct value records;
    struct slice last; /* id of the last one taken */
    bool is_full;
};

static uint8_t folded(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Letters of ASCII in either case; others as they are. */
static bool contains(struct slice text, struct slice part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        size_t n = 0;

        while (n < part.len && folded(text.at[i + n]) == folded(part.at[n]))
            n++;
        if (n == part.len)
            return true;
    }
    return false;
}

static bool says(const struct value *value, struct slice part)
{
    if (value_is(value, VALUE_STR))
        return contains(value_slice(value), part);
    for (uint32_t i = 0; value_is(value, VALUE_ARRAY) && i < value->count; i++) {
        if (says(&value->as.items[i], part))
            return true;
    }
    for (uint32_t i = 0; value_is(value, VALUE_MAP) && i < value->count; i++) {
        if (says(&value->as.pairs[i].value, part))
            return true;
    }
    return false;
}

static bool is_fact(struct slice asked, const struct value *row, const char *fact)
{
    return asked.len == 0 || slice_equal(asked, value_get_text(row, fact));
}

static bool is_wanted(const struct listing *listing, struct slice id, const struct value *row)
{
    bool is_open = !slice_is(value_get_text(row, "stage"), "closed");

    return is_fact(listing->state, row, "state") && is_fact(listing->stage, row, "stage") &&
           is_fact(listing->owner, row, "owner") &&
           (listing->open == NULL || (listing->open->as.number != 0) == is_open) &&
           (listing->valid == NULL ||
            (listing->valid->as.number != 0) == value_get_bool(row, "valid", false)) &&
           (listing->text.len == 0 || contains(id, listing->text) ||
            says(value_get(row, "title"), listing->text) ||
            says(value_get(row, "fields"), listing->text));
}

/* ---- what is late: a date that a timer watches in this state, and that lies in the past ---- */

static bool is_past(struct asking *asking, const struct value *at)
{
    char today[DATE_TEXT_LEN + 1];

    if (value_is(at, VALUE_INT))
        return at->as.number < asking->core->now_ms;
    date_format(today_of(asking->core), today);
    return value_is(at, VALUE_STR) && slice_compare(value_slice(at), slice_str(today)) < 0;
}

void put_past(struct asking *asking, const struct kind *kind, const struct value *row,
              struct value *record)
{
    const struct lifecycle *lifecycle = kind->lifecycle;
    int state = kind_state_index(kind, value_get_text(row, "state"));
    struct value past = value_map();

    if (state == MODEL_NONE || lifecycle->states[state].is_closed)
        return;
    for (int i = 0; i < lifecycle->timer_count; i++) {
        const struct timer *timer = &lifecycle->timers[i];
        const struct field *field =
            timer->from == TIMER_FIELD ? kind_field(kind, slice_str(timer->field)) : NULL;
        const struct value *at =
            field != NULL ? value_get(value_get(row, "fields"), timer->field) : NULL;

        if (timer->in[state] && at != NULL && !field->secret && is_past(asking, at))
            value_set(asking->arena, &past, timer->field, value_copy(asking->arena, at));
    }
    if (past.count > 0)
        value_set(asking->arena, record, "past", past);
}

/* Of a cycle: which process it is one of. */
static void put_kind_facts(struct asking *asking, const struct value *row, struct value *record)
{
    const struct kind *kind = kind_of_row(asking->core, row);

    if (kind == NULL)
        return;
    put_past(asking, kind, row, record);
    if (kind_is_run(kind) && value_get(value_get(row, "fields"), "process") != NULL)
        value_set(asking->arena, record, "process",
                  value_copy(asking->arena, value_get(value_get(row, "fields"), "process")));
}

static bool take(void *with, struct slice id, const struct value *row)
{
    static const char *const facts[] = {"kind",  "title", "state",   "stage",      "owner",
                                        "phase", "valid", "version", "changed_ms", "created_ms"};
    struct listing *listing = with;
    struct arena *arena = listing->asking->arena;
    struct value record = value_map();
    int64_t due = timers_next(row, 0);

    if (!is_wanted(listing, id, row))
        return true;
    listing->is_full = listing->records.count == listing->limit;
    if (listing->is_full)
        return false;
    listing->last = slice_of(arena_copy(arena, id.at, id.len), id.len);
    value_set(arena, &record, "record", value_text(listing->last));
    copy_facts(arena, row, facts, sizeof facts / sizeof facts[0], &record);
    value_set(arena, &record, "revision", value_int(value_get_int(row, "rev", 0)));
    if (due >= 0)
        value_set(arena, &record, "due_ms", value_int(due));
    put_kind_facts(listing->asking, row, &record);
    value_push(arena, &listing->records, record);
    return true;
}

static const struct value *asked_bool(const struct asking *asking, const char *key)
{
    const struct value *asked = value_get(asking->args, key);

    return value_is(asked, VALUE_BOOL) ? asked : NULL;
}

int query_list(struct asking *asking)
{
    const struct value *args = asking->args;
    struct slice kind = value_get_text(args, "kind"), stopped;
    const struct pack *pack = core_current_pack(asking->core);
    struct listing listing = {.asking = asking,
                              .state = value_get_text(args, "state"),
                              .stage = value_get_text(args, "stage"),
                              .owner = value_get_text(args, "owner"),
                              .text = value_get_text(args, "text"),
                              .open = asked_bool(asking, "open"),
                              .valid = asked_bool(asking, "valid"),
                              .limit = asked_limit(asking, LIST_DEFAULT, LIST_MAX),
                              .records = value_array()};

    if (kind.len > 0 && (pack == NULL || pack_kind(pack, kind) == NULL))
        return run_refuse(asking->core, 404, "no-record", "There is no kind \"%.*s\"%s",
                          (int)kind.len, (const char *)kind.at,
                          or_stop(kind_hint(asking->core, kind)));
    if (slice_is(asking->query->name, "find") && listing.text.len == 0)
        return run_refuse(asking->core, 400, "malformed", "\"find\" needs \"text\".");
    each_record(asking, kind, value_get_text(args, "after"), take, &listing, &stopped);
    *asking->out = value_map();
    value_set(asking->arena, asking->out, "records", listing.records);
    if (listing.is_full)
        stopped = listing.last;
    if (stopped.len > 0)
        value_set(asking->arena, asking->out, "next", value_text(stopped));
    return 0;
}
