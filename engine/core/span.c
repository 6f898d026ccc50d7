#include "core/span.h"

#include "base/date.h"

static const int64_t SECOND_MS = 1000, DAY_MS = 86400000;

struct unit {
    const char *name; /* singular; an s may follow */
    int months, days;
    bool working;
    int64_t ms;
};

static const struct unit UNITS[] = {
    {"year", 12, 0, false, 0},      {"month", 1, 0, false, 0},      {"week", 0, 7, false, 0},
    {"working day", 0, 1, true, 0}, {"workday", 0, 1, true, 0},     {"day", 0, 1, false, 0},
    {"hour", 0, 0, false, 3600000}, {"minute", 0, 0, false, 60000}, {"second", 0, 0, false, 1000},
    {"ms", 0, 0, false, 1},
};

static struct slice skip(struct slice text, size_t count)
{
    return slice_of(text.at + count, text.len - count);
}

static struct slice skip_blanks(struct slice text)
{
    while (text.len > 0 && text.at[0] == ' ')
        text = skip(text, 1);
    return text;
}

static int take_count(struct slice *text, int *out)
{
    bool minus = text->len > 0 && text->at[0] == '-';
    int number = 0, count = 0;

    if (text->len > 0 && (minus || text->at[0] == '+'))
        *text = skip(*text, 1);
    for (; text->len > 0 && text->at[0] >= '0' && text->at[0] <= '9'; count++) {
        number = number * 10 + (text->at[0] - '0');
        if (number > SPAN_NUMBER_MAX)
            return -1;
        *text = skip(*text, 1);
    }
    *out = minus ? -number : number;
    return count > 0 ? 0 : -1;
}

static const struct unit *take_unit(struct slice *text)
{
    size_t i, len;

    for (i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++) {
        if (!slice_starts(*text, UNITS[i].name))
            continue;
        len = strlen(UNITS[i].name);
        if (text->len > len && text->at[len] == 's')
            len++;
        if (text->len > len && text->at[len] != ' ')
            continue;
        *text = skip(*text, len);
        return &UNITS[i];
    }
    return NULL;
}

int span_parse(struct slice text, struct span *out)
{
    struct span span = {0, 0, false, 0};
    bool plain_days = false;
    int count = 0, terms = 0;

    for (text = skip_blanks(text); text.len > 0; text = skip_blanks(text)) {
        const struct unit *unit;

        if (terms++ == SPAN_TERMS_MAX || take_count(&text, &count) != 0)
            return -1;
        text = skip_blanks(text);
        unit = take_unit(&text);
        if (unit == NULL)
            return -1;
        span.months += count * unit->months;
        span.days += count * unit->days;
        span.ms += count * unit->ms;
        span.working = span.working || unit->working;
        plain_days = plain_days || (unit->days != 0 && !unit->working);
    }
    if (terms == 0 || (span.working && (plain_days || span.days > SPAN_WORKING_MAX ||
                                        span.days < -SPAN_WORKING_MAX)))
        return -1;
    *out = span;
    return 0;
}

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);

    memcpy(at, text, len);
    return at + len;
}

static char *put_term(char *at, bool first, int64_t count, const char *unit)
{
    uint64_t rest = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    char figures[20];
    size_t len = 0;

    if (!first)
        *at++ = ' ';
    if (count < 0)
        *at++ = '-';
    do {
        figures[len++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    while (len > 0)
        *at++ = figures[--len];
    *at++ = ' ';
    at = put_text(at, unit);
    if ((count > 1 || count < -1 || count == 0) && strcmp(unit, "ms") != 0)
        *at++ = 's';
    return at;
}

const char *span_text(struct arena *arena, const struct span *span)
{
    char text[128], *at = text;

    if (span->months != 0)
        at = put_term(at, at == text, span->months, "month");
    if (span->days != 0 || span_is_zero(span))
        at = put_term(at, at == text, span->days, span->working ? "working day" : "day");
    if (span->ms % SECOND_MS == 0 && span->ms != 0)
        at = put_term(at, at == text, span->ms / SECOND_MS, "second");
    else if (span->ms != 0)
        at = put_term(at, at == text, span->ms, "ms");
    return arena_copy(arena, text, (size_t)(at - text));
}

bool span_is_zero(const struct span *span)
{
    return span->months == 0 && span->days == 0 && span->ms == 0;
}

static bool is_holiday(const struct calendar *calendar, int32_t date)
{
    int low = 0, high = calendar->holiday_count;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (calendar->holidays[middle] == date)
            return true;
        if (calendar->holidays[middle] < date)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool calendar_is_working(const struct calendar *calendar, int32_t date)
{
    int weekday = date_weekday(date);

    if (calendar == NULL)
        return weekday < 5;
    return calendar->working[weekday] && !is_holiday(calendar, date);
}

/* A calendar without working days would never end: then every day counts. */
int32_t calendar_add_working(const struct calendar *calendar, int32_t date, int count)
{
    int step = count < 0 ? -1 : 1, left = count < 0 ? -count : count, i, week = 0;

    for (i = 0; i < 7; i++)
        week += calendar == NULL || calendar->working[i];
    while (left > 0) {
        date += step;
        if (week == 0 || calendar_is_working(calendar, date))
            left--;
    }
    return date;
}

int32_t span_add_date(const struct span *span, const struct calendar *calendar, int32_t date)
{
    date = date_add_months(date, span->months);
    if (span->working)
        date = calendar_add_working(calendar, date, span->days);
    else
        date += span->days;
    return date + (int32_t)(span->ms / DAY_MS);
}

static int64_t offset_ms(const struct calendar *calendar, int64_t ms)
{
    if (calendar == NULL || calendar->zone == NULL)
        return 0;
    return zone_offset_s(calendar->zone, ms) * SECOND_MS;
}

/* Months and days keep the time of day on the wall; what is left is exact. */
int64_t span_add_moment(const struct span *span, const struct calendar *calendar, int64_t ms)
{
    struct span days = {span->months, span->days, span->working, 0};
    int64_t before = offset_ms(calendar, ms), local, of_day;
    int32_t date;

    if (days.months != 0 || days.days != 0) {
        date = calendar_date(calendar, ms);
        of_day = ms + before - date * DAY_MS;
        local = span_add_date(&days, calendar, date) * DAY_MS + of_day;
        ms = local - offset_ms(calendar, local - before);
    }
    return ms + span->ms;
}

int32_t calendar_date(const struct calendar *calendar, int64_t ms)
{
    int64_t date;

    if (calendar != NULL && calendar->zone != NULL)
        return zone_date(calendar->zone, ms);
    date = ms / DAY_MS - (ms % DAY_MS < 0 ? 1 : 0);
    return date > INT32_MAX ? INT32_MAX : date < INT32_MIN ? INT32_MIN : (int32_t)date;
}

int64_t calendar_midnight_ms(const struct calendar *calendar, int32_t date)
{
    if (calendar != NULL && calendar->zone != NULL)
        return zone_midnight_ms(calendar->zone, date);
    return date * DAY_MS;
}
