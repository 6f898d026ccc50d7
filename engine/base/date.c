#include "base/date.h"

enum { YEAR_BOUND = 1000000, DAY_S = 86400, MONTHS = 12 };

static int days_in_month(int year, int month)
{
    static const int DAYS[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : DAYS[month - 1];
}

/* Years are counted from 1 March, so that the leap day is the last of its year; 400 years are one era of
 * 146,097 days. */
int32_t date_of(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int of_era = y - era * 400;
    int month_from_march = month > 2 ? month - 3 : month + 9;
    int of_year = (153 * month_from_march + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void date_parts(int32_t date, int *year, int *month, int *day)
{
    int64_t from_march = (int64_t)date + 719468;
    int64_t era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
    int day_of_era = (int)(from_march - era * 146097);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * of_year + 2) / 153;

    *day = of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = (int)(era * 400) + year_of_era + (*month <= 2 ? 1 : 0);
}

int date_weekday(int32_t date)
{
    int rest = (int)(((int64_t)date + 3) % 7); /* 1970-01-01 was a Thursday */

    return rest < 0 ? rest + 7 : rest;
}

int32_t date_add_months(int32_t date, int months)
{
    int year, month, day, last;
    int64_t total;

    date_parts(date, &year, &month, &day);
    total = (int64_t)year * MONTHS + (month - 1) + months;
    if (total > (int64_t)YEAR_BOUND * MONTHS)
        total = (int64_t)YEAR_BOUND * MONTHS;
    if (total < -(int64_t)YEAR_BOUND * MONTHS)
        total = -(int64_t)YEAR_BOUND * MONTHS;
    month = (int)(total % MONTHS);
    year = (int)(total / MONTHS);
    if (month < 0) {
        month += MONTHS;
        year -= 1;
    }
    last = days_in_month(year, month + 1);
    return date_of(year, month + 1, day < last ? day : last);
}

/* Exactly `len` digits at `at`, or -1. */
static int digits(const uint8_t *at, int len)
{
    int number = 0, i;

    for (i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        number = number * 10 + (at[i] - '0');
    }
    return number;
}

int date_parse(struct slice text, int32_t *out)
{
    int year, month, day;

    if (text.len != DATE_TEXT_LEN || text.at[4] != '-' || text.at[7] != '-')
        return -1;
    year = digits(text.at, 4);
    month = digits(text.at + 5, 2);
    day = digits(text.at + 8, 2);
    if (year < 1 || month < 1 || month > MONTHS || day < 1 || day > days_in_month(year, month))
        return -1;
    *out = date_of(year, month, day);
    return 0;
}

static char *put_digits(char *at, int number, int width)
{
    int i;

    for (i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + width;
}

/* Years outside of 0..9999 cannot be written in ten characters; the nearest day that can is. */
void date_format(int32_t date, char out[DATE_TEXT_LEN + 1])
{
    int year, month, day;
    char *at = out;

    if (date < date_of(0, 1, 1))
        date = date_of(0, 1, 1);
    if (date > date_of(9999, 12, 31))
        date = date_of(9999, 12, 31);
    date_parts(date, &year, &month, &day);
    at = put_digits(at, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, day, 2);
    *at = '\0';
}

/* HH:MM:SS as seconds of the day, or -1. */
static int parse_clock(const uint8_t *at)
{
    int hour = digits(at, 2), minute = digits(at + 3, 2), second = digits(at + 6, 2);

    if (at[2] != ':' || at[5] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 59)
        return -1;
    return hour * 3600 + minute * 60 + second;
}

/* Z or +HH:MM or -HH:MM, filling `text`. */
static int parse_offset(struct slice text, int *offset_s)
{
    int hour, minute;

    if (text.len == 1 && (text.at[0] == 'Z' || text.at[0] == 'z')) {
        *offset_s = 0;
        return 0;
    }
    if (text.len != 6 || (text.at[0] != '+' && text.at[0] != '-') || text.at[3] != ':')
        return -1;
    hour = digits(text.at + 1, 2);
    minute = digits(text.at + 4, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return -1;
    *offset_s = (hour * 3600 + minute * 60) * (text.at[0] == '-' ? -1 : 1);
    return 0;
}

/* ".123", at most nine digits, as ms rounded down; moves `at` past it. -1 if there is no digit. */
static int parse_fraction(struct slice text, size_t *at, int *ms)
{
    int scale = 100, count = 0;

    *ms = 0;
    if (*at >= text.len || text.at[*at] != '.')
        return 0;
    for (*at += 1; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; *at += 1) {
        *ms += (text.at[*at] - '0') * scale;
        scale /= 10;
        count++;
    }
    return count >= 1 && count <= 9 ? 0 : -1;
}

int moment_parse(struct slice text, int64_t *ms)
{
    enum { CLOCK_AT = 11, REST_AT = 19 };
    size_t at = REST_AT;
    int32_t date;
    int clock_s, fraction_ms, offset_s;

    if (text.len <= REST_AT || (text.at[10] != 'T' && text.at[10] != 't') ||
        date_parse(slice_of(text.at, DATE_TEXT_LEN), &date) != 0)
        return -1;
    clock_s = parse_clock(text.at + CLOCK_AT);
    if (clock_s < 0 || parse_fraction(text, &at, &fraction_ms) != 0 ||
        parse_offset(slice_of(text.at + at, text.len - at), &offset_s) != 0)
        return -1;
    *ms = ((int64_t)date * DAY_S + clock_s - offset_s) * 1000 + fraction_ms;
    return 0;
}

void moment_format(int64_t ms, char out[MOMENT_TEXT_MAX])
{
    const int64_t day_ms = (int64_t)DAY_S * 1000;
    int64_t date = ms / day_ms, rest = ms % day_ms;
    int clock_s;
    char *at = out + DATE_TEXT_LEN;

    if (rest < 0) {
        rest += day_ms;
        date -= 1;
    }
    if (date > INT32_MAX)
        date = INT32_MAX;
    if (date < INT32_MIN)
        date = INT32_MIN;
    clock_s = (int)(rest / 1000);
    date_format((int32_t)date, out);
    *at++ = 'T';
    at = put_digits(at, clock_s / 3600, 2);
    *at++ = ':';
    at = put_digits(at, clock_s / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, clock_s % 60, 2);
    if (rest % 1000 != 0) {
        *at++ = '.';
        at = put_digits(at, (int)(rest % 1000), 3);
    }
    *at++ = 'Z';
    *at = '\0';
}
