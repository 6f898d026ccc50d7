#include "base/buf.h"
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int32_t day(const char *text)
{
    int32_t date = 0;

    assert_int_equal(date_parse(slice_str(text), &date), 0);
    return date;
}

static int64_t moment(const char *text)
{
    int64_t ms = 0;

    assert_int_equal(moment_parse(slice_str(text), &ms), 0);
    return ms;
}

static const char *shown(int32_t date)
{
    static char text[DATE_TEXT_LEN + 1];

    date_format(date, text);
    return text;
}

static void every_day_of_eight_centuries_comes_back(void **state)
{
    int32_t date, first = date_of(1600, 1, 1), last = date_of(2400, 12, 31);
    int year, month, dom, expected_weekday = date_weekday(first);

    (void)state;
    for (date = first; date <= last; date++) {
        date_parts(date, &year, &month, &dom);
        assert_int_equal(date_of(year, month, dom), date);
        assert_int_equal(date_weekday(date), expected_weekday);
        expected_weekday = (expected_weekday + 1) % 7;
        if (date % 97 == 0)
            assert_int_equal(day(shown(date)), date);
    }
}

static void days_are_numbered_from_1970(void **state)
{
    (void)state;
    assert_int_equal(day("1970-01-01"), 0);
    assert_int_equal(day("1969-12-31"), -1);
    assert_int_equal(day("2000-03-01"), 11017);
    assert_int_equal(date_weekday(day("2026-11-23")), 0);
    assert_int_equal(date_weekday(day("1969-12-28")), 6);
    assert_string_equal(shown(date_of(2026, 1, 32)), "2026-02-01");
    assert_string_equal(shown(date_of(12000, 1, 1)), "9999-12-31");
}

static void only_days_that_exist_are_read(void **state)
{
    static const char *const WRONG[] = {"2026-02-29",
                                        "1900-02-29",
                                        "2026-04-31",
                                        "2026-00-10",
                                        "2026-13-01",
                                        "2026-01-00",
                                        "2026-01-32",
                                        "0000-01-01",
                                        "2026-1-01",
                                        "2026-01-1",
                                        "26-01-01",
                                        "2026/01/01",
                                        "2026-01-01 ",
                                        " 2026-01-01",
                                        "+026-01-01",
                                        "2026-01-0a",
                                        ""};
    int32_t date;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(date_parse(slice_str(WRONG[i]), &date), -1);
    assert_string_equal(shown(day("2024-02-29")), "2024-02-29");
    assert_string_equal(shown(day("2000-02-29")), "2000-02-29");
    assert_string_equal(shown(day("0001-01-01")), "0001-01-01");
}

static void months_end_where_the_month_ends(void **state)
{
    (void)state;
    assert_string_equal(shown(date_add_months(day("2026-01-31"), 1)), "2026-02-28");
    assert_string_equal(shown(date_add_months(day("2024-01-31"), 1)), "2024-02-29");
    assert_string_equal(shown(date_add_months(day("2024-02-29"), 12)), "2025-02-28");
    assert_string_equal(shown(date_add_months(day("2024-02-29"), -48)), "2020-02-29");
    assert_string_equal(shown(date_add_months(day("2026-03-31"), -1)), "2026-02-28");
    assert_string_equal(shown(date_add_months(day("2026-01-15"), -1)), "2025-12-15");
    assert_string_equal(shown(date_add_months(day("2026-12-15"), 1)), "2027-01-15");
    assert_true(date_add_months(0, INT32_MAX) > 0);
    assert_true(date_add_months(0, INT32_MIN) < 0);
}

static void moments_are_read_as_rfc_3339_says(void **state)
{
    static const char *const WRONG[] = {"2026-01-31",
                                        "2026-01-31T12:00:00",
                                        "2026-01-31T24:00:00Z",
                                        "2026-01-31T12:60:00Z",
                                        "2026-01-31T12:00:60Z",
                                        "2026-01-31T12:00:00.Z",
                                        "2026-01-31 12:00:00Z",
                                        "2026-02-30T12:00:00Z",
                                        "2026-01-31T12:00:00+24:00",
                                        "2026-01-31T12:00:00+0100",
                                        "2026-01-31T12:00:00Zx",
                                        "2026-01-31T12:00:00.0123456789Z",
                                        "2026-01-31T1:00:00Z",
                                        ""};
    int64_t ms;
    size_t i;

    (void)state;
    assert_true(moment("1970-01-01T00:00:00Z") == 0);
    assert_true(moment("1969-12-31T23:59:59.999Z") == -1);
    assert_true(moment("2026-11-23T20:15:00Z") == 1795464900000);
    assert_true(moment("2026-11-23T21:15:00+01:00") == 1795464900000);
    assert_true(moment("2026-11-23t14:45:00.250-05:30") == 1795464900250);
    assert_true(moment("2026-11-23T20:15:00.123456789Z") == 1795464900123);
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(moment_parse(slice_str(WRONG[i]), &ms), -1);
}

static void moments_are_written_in_utc(void **state)
{
    static const char *const TEXTS[] = {"2026-11-23T20:15:00Z", "1969-12-31T23:59:59.999Z",
                                        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.001Z"};
    char text[MOMENT_TEXT_MAX];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        moment_format(moment(TEXTS[i]), text);
        assert_string_equal(text, TEXTS[i]);
    }
    moment_format(INT64_MAX, text);
    moment_format(INT64_MIN, text);
}

/* ---- zones: files built here, so that the tests do not depend on the system's data ---- */

struct change {
    int64_t second;
    uint8_t kind;
};

static void put32(struct buf *out, uint32_t number)
{
    int shift;

    for (shift = 24; shift >= 0; shift -= 8)
        buf_add_byte(out, (uint8_t)(number >> shift));
}

static void put_header(struct buf *out, char version, uint32_t times, uint32_t types)
{
    int i;

    buf_add_str(out, "TZif");
    buf_add_byte(out, (uint8_t)version);
    for (i = 0; i < 15; i++)
        buf_add_byte(out, 0);
    put32(out, 0);
    put32(out, 0);
    put32(out, 0);
    put32(out, times);
    put32(out, types);
    put32(out, 4); /* characters of names */
}

static struct buf tzif(const struct change *changes, uint32_t count, const int32_t *offsets,
                       uint32_t types, const char *footer)
{
    struct buf out = BUF_EMPTY;
    uint32_t i;

    put_header(&out, '2', 0, 1); /* an empty block of version 1 */
    put32(&out, 0);
    buf_add(&out, "\0\0", 2);
    buf_add(&out, "UTC\0", 4);
    put_header(&out, '2', count, types);
    for (i = 0; i < count; i++) {
        put32(&out, (uint32_t)((uint64_t)changes[i].second >> 32));
        put32(&out, (uint32_t)changes[i].second);
    }
    for (i = 0; i < count; i++)
        buf_add_byte(&out, changes[i].kind);
    for (i = 0; i < types; i++) {
        put32(&out, (uint32_t)offsets[i]);
        buf_add(&out, "\0\0", 2);
    }
    buf_add(&out, "UTC\0", 4);
    buf_addf(&out, "\n%s\n", footer);
    return out;
}

static struct zone *zone_made(const struct change *changes, uint32_t count, const int32_t *offsets,
                              uint32_t types, const char *footer)
{
    struct buf bytes = tzif(changes, count, offsets, types, footer);
    struct error err = {ERROR_NONE, ""};
    struct zone *zone = NULL;

    if (zone_read(buf_slice(&bytes), &zone, &err) != 0)
        fail_msg("%s: %s", footer, err.text);
    buf_release(&bytes);
    return zone;
}

static struct zone *paris(void)
{
    static const struct change CHANGES[] = {{-1000000000, 1}, {490582800, 2}, {496630800, 1}};
    static const int32_t OFFSETS[] = {561, 3600, 7200};

    return zone_made(CHANGES, 3, OFFSETS, 3, "CET-1CEST,M3.5.0,M10.5.0/3");
}

static int hours(const struct zone *zone, const char *text)
{
    return zone_offset_s(zone, moment(text)) / 3600;
}

static void paris_changes_on_the_last_sundays(void **state)
{
    struct zone *zone = paris();

    (void)state;
    assert_int_equal(zone_offset_s(zone, moment("1900-01-01T00:00:00Z")), 561);
    assert_int_equal(hours(zone, "1985-08-01T00:00:00Z"), 2); /* from the table */
    assert_int_equal(hours(zone, "2026-01-01T00:00:00Z"), 1);
    assert_int_equal(hours(zone, "2026-03-29T00:59:59Z"), 1);
    assert_int_equal(hours(zone, "2026-03-29T01:00:00Z"), 2);
    assert_int_equal(hours(zone, "2026-10-25T00:59:59Z"), 2);
    assert_int_equal(hours(zone, "2026-10-25T01:00:00Z"), 1);
    assert_int_equal(hours(zone, "2400-07-01T00:00:00Z"), 2);
    assert_true(zone_midnight_ms(zone, day("2026-03-29")) == moment("2026-03-28T23:00:00Z"));
    assert_true(zone_midnight_ms(zone, day("2026-03-30")) == moment("2026-03-29T22:00:00Z"));
    assert_true(zone_midnight_ms(zone, day("2026-10-26")) == moment("2026-10-25T23:00:00Z"));
    assert_int_equal(zone_date(zone, moment("2026-07-01T21:59:59.999Z")), day("2026-07-01"));
    assert_int_equal(zone_date(zone, moment("2026-07-01T22:00:00Z")), day("2026-07-02"));
    zone_free(&zone);
    assert_null(zone);
}

/* Every day begins once, and the moment before it belongs to the day before. */
static void days_follow_each_other(const struct zone *zone)
{
    int32_t date;

    for (date = day("2026-01-01"); date < day("2029-01-01"); date++) {
        int64_t begins = zone_midnight_ms(zone, date);

        assert_int_equal(zone_date(zone, begins), date);
        assert_int_equal(zone_date(zone, begins - 1), date - 1);
    }
}

static void every_day_begins_once_everywhere(void **state)
{
    static const int32_t ZERO[] = {0};
    static const char *const RULES[] = {
        "UTC0",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "<-04>4<-03>,M9.1.6/24,M4.1.6/24", /* the change is at midnight: the day begins at one */
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", /* half an hour */
        "EET-2EEST,M3.5.0/0,M10.5.0/0",
        "IST-1GMT0,M10.5.0,M3.5.0/1", /* winter is the exception */
        "XXX3YYY,J60/2,J300/2",
        "XXX3YYY,59/2,299/2",
        "<+12>-12",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        struct zone *zone = zone_made(NULL, 0, ZERO, 1, RULES[i]);

        days_follow_each_other(zone);
        zone_free(&zone);
    }
}

static void a_day_whose_midnight_is_skipped_begins_with_the_change(void **state)
{
    static const int32_t ZERO[] = {0};
    struct zone *zone = zone_made(NULL, 0, ZERO, 1, "<-04>4<-03>,M9.1.6/24,M4.1.6/24");

    (void)state;
    assert_true(zone_midnight_ms(zone, day("2026-09-06")) == moment("2026-09-06T04:00:00Z"));
    assert_int_equal(hours(zone, "2026-09-06T04:00:00Z"), -3);
    assert_true(zone_midnight_ms(zone, day("2026-04-05")) == moment("2026-04-05T04:00:00Z"));
    zone_free(&zone);
}

static void the_rule_of_the_south_goes_over_the_new_year(void **state)
{
    static const int32_t ZERO[] = {0};
    struct zone *zone = zone_made(NULL, 0, ZERO, 1, "AEST-10AEDT,M10.1.0,M4.1.0/3");

    (void)state;
    assert_int_equal(hours(zone, "2025-12-31T23:00:00Z"), 11);
    assert_int_equal(hours(zone, "2026-01-01T00:00:00Z"), 11);
    assert_int_equal(hours(zone, "2026-06-01T00:00:00Z"), 10);
    zone_free(&zone);
}

static void utc_is_a_zone_without_changes(void **state)
{
    struct zone *zone = zone_utc();

    (void)state;
    assert_int_equal(zone_offset_s(zone, 0), 0);
    assert_true(zone_midnight_ms(zone, 1) == 86400000);
    assert_int_equal(zone_date(zone, -1), -1);
    days_follow_each_other(zone);
    zone_free(&zone);
    zone_free(&zone);
}

static int refused(const uint8_t *at, size_t len)
{
    uint8_t *exact = malloc(len + 1);
    struct zone *zone = NULL;
    int rc;

    assert_non_null(exact);
    memcpy(exact, at, len);
    rc = zone_read(slice_of(exact, len), &zone, NULL);
    if (rc == 0) { /* whatever was read must be usable */
        (void)zone_offset_s(zone, 0);
        (void)zone_offset_s(zone, INT64_MAX);
        (void)zone_offset_s(zone, INT64_MIN);
        (void)zone_midnight_ms(zone, 0);
        (void)zone_date(zone, INT64_MAX);
    }
    zone_free(&zone);
    free(exact);
    return rc;
}

static void a_damaged_file_is_refused_or_harmless(void **state)
{
    static const struct change CHANGES[] = {{-1000000000, 1}, {490582800, 2}, {496630800, 1}};
    static const int32_t OFFSETS[] = {561, 3600, 7200};
    struct buf bytes = tzif(CHANGES, 3, OFFSETS, 3, "CET-1CEST,M3.5.0,M10.5.0/3");
    size_t i;
    int bit;

    (void)state;
    for (i = 0; i < bytes.len; i++)
        assert_int_equal(refused(bytes.at, i), -1);
    for (i = 0; i < bytes.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            bytes.at[i] ^= (uint8_t)(1 << bit);
            (void)refused(bytes.at, bytes.len);
            bytes.at[i] ^= (uint8_t)(1 << bit);
        }
    }
    assert_int_equal(refused(bytes.at, bytes.len), 0);
    buf_release(&bytes);
}

static void rules_that_mean_nothing_are_refused(void **state)
{
    static const int32_t ZERO[] = {0};
    static const char *const WRONG[] = {"C",
                                        "CET",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,M0.5.0,M10.5.0",
                                        "CET-1CEST,J0,J300",
                                        "CET-1CEST,J366,J300",
                                        "CET-200",
                                        "<CET-1",
                                        "CET-1CEST,M3.5.0,M10.5.0 "};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        struct buf bytes = tzif(NULL, 0, ZERO, 1, WRONG[i]);

        assert_int_equal(refused(bytes.at, bytes.len), -1);
        buf_release(&bytes);
    }
}

/* Where the system has the data, ours must agree with it. */
static void the_systems_paris_is_ours(void **state)
{
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Paris", "rb");
    static uint8_t bytes[65536];
    struct zone *zone = NULL, *own;
    int64_t ms, last = moment("2036-01-01T00:00:00Z");
    size_t len;

    (void)state;
    if (file == NULL)
        skip();
    len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(zone_read(slice_of(bytes, len), &zone, NULL), 0);
    own = paris();
    for (ms = moment("1997-01-01T00:00:00Z"); ms < last; ms += 1800000)
        assert_int_equal(zone_offset_s(zone, ms), zone_offset_s(own, ms));
    days_follow_each_other(zone);
    zone_free(&zone);
    zone_free(&own);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(every_day_of_eight_centuries_comes_back),
        cmocka_unit_test(days_are_numbered_from_1970),
        cmocka_unit_test(only_days_that_exist_are_read),
        cmocka_unit_test(months_end_where_the_month_ends),
        cmocka_unit_test(moments_are_read_as_rfc_3339_says),
        cmocka_unit_test(moments_are_written_in_utc),
        cmocka_unit_test(paris_changes_on_the_last_sundays),
        cmocka_unit_test(every_day_begins_once_everywhere),
        cmocka_unit_test(a_day_whose_midnight_is_skipped_begins_with_the_change),
        cmocka_unit_test(the_rule_of_the_south_goes_over_the_new_year),
        cmocka_unit_test(utc_is_a_zone_without_changes),
        cmocka_unit_test(a_damaged_file_is_refused_or_harmless),
        cmocka_unit_test(rules_that_mean_nothing_are_refused),
        cmocka_unit_test(the_systems_paris_is_ours),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
