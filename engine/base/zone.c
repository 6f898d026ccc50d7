/* zone.c - offsets from UTC over time, from TZif files (RFC 8536) and their footer rules (POSIX TZ). */
#include "base/check.h"
#include "base/date.h"

#include <stdlib.h>

enum {
    ZONE_TIMES_MAX = 4096,
    ZONE_TYPES_MAX = 256,
    ZONE_BYTES_MAX = 256 * 1024,
    TZIF_HEADER = 44,
    TYPE_BYTES = 6,
    OFFSET_MAX_S = 26 * 3600,
    DAY_S = 86400
};

enum rule_form { RULE_JULIAN, RULE_ZERO_BASED, RULE_WEEKDAY };

struct day_rule { /* when the clock changes, each year */
    enum rule_form form;
    int day;                  /* RULE_JULIAN 1..365 without 29 February; RULE_ZERO_BASED 0..365 */
    int month, week, weekday; /* weekday: 0 Sunday */
    int time_s;               /* local time of the change, may be negative or past midnight */
};

struct zone {
    int64_t *times; /* owned; s since the epoch, ascending */
    uint8_t *kinds; /* owned; of the time after each */
    int time_count;
    int32_t offsets[ZONE_TYPES_MAX];
    bool has_rule, has_summer;
    int32_t standard_s, summer_s;
    struct day_rule begins, ends; /* of summer time */
};

struct counts {
    uint32_t utc, standard, leap, time, type, chars;
};

static uint32_t big32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t big64(const uint8_t *at)
{
    return (int64_t)((uint64_t)big32(at) << 32 | big32(at + 4));
}

static int broken(struct error *err, const char *what)
{
    return error_set(err, ERROR_INPUT, "time-zone data: %s", what);
}

static int read_header(struct slice tzif, struct counts *counts, struct error *err)
{
    if (tzif.len < TZIF_HEADER || !slice_starts(tzif, "TZif"))
        return broken(err, "not a TZif file");
    if (tzif.at[4] < '2')
        return broken(err, "version 1 only; version 2 or later is needed");
    *counts = (struct counts){big32(tzif.at + 20), big32(tzif.at + 24), big32(tzif.at + 28),
                              big32(tzif.at + 32), big32(tzif.at + 36), big32(tzif.at + 40)};
    if (counts->time > ZONE_TIMES_MAX || counts->type > ZONE_TYPES_MAX || counts->type == 0 ||
        counts->chars > ZONE_TIMES_MAX || counts->leap > ZONE_TIMES_MAX ||
        counts->utc > ZONE_TYPES_MAX || counts->standard > ZONE_TYPES_MAX)
        return broken(err, "a count out of bounds");
    return 0;
}

static size_t block_len(const struct counts *c, size_t time_bytes)
{
    return c->time * (time_bytes + 1) + c->type * (size_t)TYPE_BYTES + c->chars +
           c->leap * (time_bytes + 4) + c->standard + c->utc;
}

static int read_block(struct zone *zone, const uint8_t *at, const struct counts *c,
                      struct error *err)
{
    uint32_t i;

    if (c->leap != 0)
        return broken(err, "it counts leap seconds, which moments here do not");
    zone->times = calloc(c->time + 1, sizeof *zone->times);
    zone->kinds = calloc(c->time + 1, 1);
    check(zone->times != NULL && zone->kinds != NULL);
    zone->time_count = (int)c->time;
    for (i = 0; i < c->time; i++) {
        zone->times[i] = big64(at + i * 8);
        zone->kinds[i] = at[c->time * 8 + i];
        if (zone->kinds[i] >= c->type || (i > 0 && zone->times[i] <= zone->times[i - 1]))
            return broken(err, "its times do not ascend or name an unknown offset");
    }
    at += c->time * (size_t)9;
    for (i = 0; i < c->type; i++) {
        zone->offsets[i] = (int32_t)big32(at + i * (size_t)TYPE_BYTES);
        if (zone->offsets[i] > OFFSET_MAX_S || zone->offsets[i] < -OFFSET_MAX_S)
            return broken(err, "an offset out of bounds");
    }
    return 0;
}

/* ---- the footer: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool take(struct slice *text, char wanted)
{
    if (text->len == 0 || text->at[0] != (uint8_t)wanted)
        return false;
    *text = slice_of(text->at + 1, text->len - 1);
    return true;
}

static int take_number(struct slice *text, int max, int *out)
{
    int number = 0, count = 0;

    for (; text->len > 0 && text->at[0] >= '0' && text->at[0] <= '9' && count < 4; count++) {
        number = number * 10 + (text->at[0] - '0');
        *text = slice_of(text->at + 1, text->len - 1);
    }
    if (count == 0 || number > max)
        return -1;
    *out = number;
    return 0;
}

static int take_name(struct slice *text)
{
    bool quoted = take(text, '<');
    int count = 0;

    for (; text->len > 0; count++) {
        uint8_t c = text->at[0];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool sign = (c >= '0' && c <= '9') || c == '+' || c == '-';

        if (!letter && !(quoted && sign))
            break;
        *text = slice_of(text->at + 1, text->len - 1);
    }
    return count >= 3 && (!quoted || take(text, '>')) ? 0 : -1;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static int take_clock(struct slice *text, int *out)
{
    bool minus = take(text, '-');
    int hours = 0, minutes = 0, seconds = 0;

    if (!minus)
        (void)take(text, '+');
    if (take_number(text, 167, &hours) != 0)
        return -1;
    if (take(text, ':') && take_number(text, 59, &minutes) != 0)
        return -1;
    if (take(text, ':') && take_number(text, 59, &seconds) != 0)
        return -1;
    *out = (hours * 3600 + minutes * 60 + seconds) * (minus ? -1 : 1);
    return 0;
}

static int take_rule(struct slice *text, struct day_rule *rule)
{
    int status;

    if (!take(text, ','))
        return -1;
    rule->time_s = 2 * 3600;
    if (take(text, 'M')) {
        rule->form = RULE_WEEKDAY;
        status = take_number(text, 12, &rule->month) != 0 || !take(text, '.') ||
                 take_number(text, 5, &rule->week) != 0 || !take(text, '.') ||
                 take_number(text, 6, &rule->weekday) != 0 || rule->month < 1 || rule->week < 1;
    } else {
        rule->form = take(text, 'J') ? RULE_JULIAN : RULE_ZERO_BASED;
        status = take_number(text, 365, &rule->day) != 0 ||
                 (rule->form == RULE_JULIAN && rule->day == 0);
    }
    if (status)
        return -1;
    return take(text, '/') ? take_clock(text, &rule->time_s) : 0;
}

static int read_rule(struct zone *zone, struct slice text, struct error *err)
{
    int west_s;

    if (text.len == 0)
        return 0;
    if (take_name(&text) != 0 || take_clock(&text, &west_s) != 0)
        return broken(err, "its footer rule cannot be read");
    zone->has_rule = true;
    zone->standard_s = -west_s;
    if (text.len == 0)
        return 0;
    zone->has_summer = true;
    zone->summer_s = zone->standard_s + 3600;
    if (take_name(&text) != 0)
        return broken(err, "its footer rule cannot be read");
    if (text.len > 0 && text.at[0] != ',') {
        if (take_clock(&text, &west_s) != 0)
            return broken(err, "its footer rule cannot be read");
        zone->summer_s = -west_s;
    }
    if (take_rule(&text, &zone->begins) != 0 || take_rule(&text, &zone->ends) != 0 || text.len != 0)
        return broken(err, "its footer rule cannot be read");
    return 0;
}

static int read_footer(struct zone *zone, struct slice rest, struct error *err)
{
    const uint8_t *end;

    if (rest.len < 2 || rest.at[0] != '\n')
        return broken(err, "its footer is missing");
    end = memchr(rest.at + 1, '\n', rest.len - 1);
    if (end == NULL)
        return broken(err, "its footer is cut short");
    return read_rule(zone, slice_of(rest.at + 1, (size_t)(end - rest.at) - 1), err);
}

int zone_read(struct slice tzif, struct zone **out, struct error *err)
{
    struct counts counts;
    struct zone *zone = NULL;
    size_t skip, len;
    int status = -1;

    if (tzif.len > ZONE_BYTES_MAX)
        return broken(err, "too long");
    if (read_header(tzif, &counts, err) != 0)
        return -1;
    skip = TZIF_HEADER + block_len(&counts, 4);
    if (skip > tzif.len)
        return broken(err, "cut short");
    tzif = slice_of(tzif.at + skip, tzif.len - skip);
    if (read_header(tzif, &counts, err) != 0)
        return -1;
    len = TZIF_HEADER + block_len(&counts, 8);
    if (len > tzif.len)
        return broken(err, "cut short");
    zone = calloc(1, sizeof *zone);
    check(zone != NULL);
    if (read_block(zone, tzif.at + TZIF_HEADER, &counts, err) != 0 ||
        read_footer(zone, slice_of(tzif.at + len, tzif.len - len), err) != 0)
        goto out;
    *out = zone;
    zone = NULL;
    status = 0;
out:
    zone_free(&zone);
    return status;
}

struct zone *zone_utc(void)
{
    struct zone *zone = calloc(1, sizeof *zone);

    check(zone != NULL);
    zone->has_rule = true;
    return zone;
}

void zone_free(struct zone **zone)
{
    if (*zone == NULL)
        return;
    free((*zone)->times);
    free((*zone)->kinds);
    free(*zone);
    *zone = NULL;
}

static int32_t rule_date(const struct day_rule *rule, int year)
{
    int32_t first = date_of(year, 1, 1), date;
    bool leap = date_of(year, 3, 1) - date_of(year, 2, 1) == 29;

    if (rule->form == RULE_ZERO_BASED)
        return first + rule->day;
    if (rule->form == RULE_JULIAN)
        return first + rule->day - 1 + (leap && rule->day >= 60 ? 1 : 0);
    first = date_of(year, rule->month, 1);
    date = first + (rule->weekday + 6 - date_weekday(first)) % 7 + 7 * (rule->week - 1);
    if (date >= date_add_months(first, 1)) /* week 5: the last one of the month */
        date -= 7;
    return date;
}

/* The latest change at or before `second`, looked for in the years around it: a rule's time may fall
 * into the year before or after. */
static int rule_offset(const struct zone *zone, int64_t second)
{
    int64_t local = second + zone->standard_s, latest = INT64_MIN;
    int64_t date = local / DAY_S - (local % DAY_S < 0 ? 1 : 0);
    int year, month, day, y, offset = zone->standard_s;

    if (!zone->has_summer || date > INT32_MAX / 2 || date < INT32_MIN / 2)
        return zone->standard_s;
    date_parts((int32_t)date, &year, &month, &day);
    for (y = year - 1; y <= year + 1; y++) {
        int64_t begins =
            (int64_t)rule_date(&zone->begins, y) * DAY_S + zone->begins.time_s - zone->standard_s;
        int64_t ends =
            (int64_t)rule_date(&zone->ends, y) * DAY_S + zone->ends.time_s - zone->summer_s;

        if (begins <= second && begins > latest) {
            latest = begins;
            offset = zone->summer_s;
        }
        if (ends <= second && ends > latest) {
            latest = ends;
            offset = zone->standard_s;
        }
    }
    return offset;
}

static int offset_at(const struct zone *zone, int64_t second)
{
    int low = 0, high = zone->time_count; /* times[low - 1] <= second < times[high] */

    if (zone->has_rule && (high == 0 || second >= zone->times[high - 1]))
        return rule_offset(zone, second);
    while (low < high) {
        int middle = low + (high - low) / 2;

        if (zone->times[middle] <= second)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? zone->offsets[0] : zone->offsets[zone->kinds[low - 1]];
}

static int64_t floor_s(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
}

int zone_offset_s(const struct zone *zone, int64_t ms)
{
    return offset_at(zone, floor_s(ms));
}

static int64_t local_date(const struct zone *zone, int64_t second)
{
    int64_t local = second + offset_at(zone, second);

    return local / DAY_S - (local % DAY_S < 0 ? 1 : 0);
}

int64_t zone_midnight_ms(const struct zone *zone, int32_t date)
{
    int64_t local = (int64_t)date * DAY_S;
    int before = offset_at(zone, local - DAY_S), after = offset_at(zone, local + DAY_S);
    int64_t first = local - (before > after ? before : after);
    int64_t second = local - (before > after ? after : before);
    int64_t low = local - 2 * DAY_S, high = local + 2 * DAY_S;

    if (first + offset_at(zone, first) == local)
        return first * 1000;
    if (second + offset_at(zone, second) == local)
        return second * 1000;
    while (low + 1 < high) { /* midnight was skipped: the day begins with the change itself */
        int64_t middle = low + (high - low) / 2;

        if (local_date(zone, middle) >= date)
            high = middle;
        else
            low = middle;
    }
    return high * 1000;
}

int32_t zone_date(const struct zone *zone, int64_t ms)
{
    int64_t date = local_date(zone, floor_s(ms));

    return date > INT32_MAX ? INT32_MAX : date < INT32_MIN ? INT32_MIN : (int32_t)date;
}
