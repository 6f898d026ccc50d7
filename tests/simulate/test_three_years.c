/* test_three_years.c - three years of the sample organisation, over a leap day and six changes of the clocks: every yearly
 * review is opened once for each due date, every message of the ladder comes with the first minute of its day in Paris.
 *
 * Days are counted here with the C library's clock, which shares nothing with the engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "definition/pack.h"
#include "simulate/years.h"

static const char *shipped(struct arena *arena)
{
    return arena_printf(arena, "%s/config/sample/scenarios/three_years.cfg", years_source());
}

static struct years *live_shipped(int64_t seed)
{
    struct arena arena = ARENA_EMPTY;
    struct years *years = years_live_file(shipped(&arena), seed);

    if (years->status != 0)
        print_error("%s\n", years->err.text);
    assert_int_equal(years->status, 0);
    arena_release(&arena);
    return years;
}

/* The first second of a day in Paris, so many days from it. */
static time_t day_in_paris(const char *date, int days)
{
    struct tm day = {.tm_isdst = -1};

    assert_int_equal(sscanf(date, "%d-%d-%d", &day.tm_year, &day.tm_mon, &day.tm_mday), 3);
    day.tm_year -= 1900;
    day.tm_mon -= 1;
    day.tm_mday += days;
    return mktime(&day);
}

static int in_paris(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Paris", 1);
    tzset();
    return 0;
}

/* The date that a line's text names: "review opened, due 2027-01-15", "review_due (due 2027-01-15)". */
static const char *due_of(const struct told *one)
{
    const char *at = strstr(one->text, "due 2");

    return at != NULL ? at + 4 : NULL;
}

static void expect_day(const struct told *one, int days)
{
    const char *due = due_of(one);

    assert_non_null(due);
    if (one->at_ms != (int64_t)day_in_paris(due, days) * 1000)
        print_error("%s\n", one->line);
    assert_int_equal(one->at_ms, (int64_t)day_in_paris(due, days) * 1000);
}

/* ---- the shipped scenario ---- */

/* A version whose review is due in less than a month when it comes into force is reviewed at once. */
static bool came_in_force_late(const struct years *years, const struct told *review)
{
    if (review->at_ms <= (int64_t)day_in_paris(due_of(review), -30) * 1000)
        return false;
    for (int i = 0; i < years->count; i++) {
        const struct told *one = &years->told[i];

        if (one->at_ms == review->at_ms && strcmp(one->record, review->record) == 0 &&
            one->what == HAPPENED_EVENT && strstr(one->text, "-> in_force") != NULL)
            return true;
    }
    return false;
}

static void every_review_is_opened_once_for_its_date_a_month_ahead(void **state)
{
    struct years *years = live_shipped(-1);
    int seen = 0;

    (void)state;
    for (int i = 0; i < years->count; i++) {
        const struct told *one = &years->told[i];
        char text[64];

        if (one->what != HAPPENED_REVIEW)
            continue;
        snprintf(text, sizeof text, "due %.10s", due_of(one));
        assert_int_equal(years_count(years, HAPPENED_REVIEW, one->record, text), 1);
        if (!came_in_force_late(years, one))
            expect_day(one, -30);
        seen++;
    }
    assert_int_equal(seen, years->tally.reviews_opened);
    assert_true(seen > 0);
    years_end(years);
}

/* The day in Paris that is so many months after a moment; the last of its month where there is no such day. */
static void months_after(int64_t ms, int months, char out[16])
{
    time_t moment = (time_t)(ms / 1000);
    struct tm day = *localtime(&moment), other;

    day.tm_hour = 12;
    day.tm_mon += months;
    other = day;
    mktime(&other);
    if (other.tm_mday != day.tm_mday) {
        other = day;
        other.tm_mon += 1;
        other.tm_mday = 0;
        mktime(&other);
    }
    strftime(out, 16, "%Y-%m-%d", &other);
}

/* Does this line begin a period of the document's, at the end of which a review is due? */
static bool begins_period(const struct told *one)
{
    return one->what == HAPPENED_EVENT && strchr(one->record, '@') != NULL &&
           strstr(one->text, "-> in_force") != NULL &&
           (strncmp(one->text, "put_in_force:", 13) == 0 ||
            strncmp(one->text, "reaffirm:", 9) == 0);
}

static bool has_moved_on(const struct years *years, int from, const char *record, int64_t until_ms)
{
    for (int i = from + 1; i < years->count && years->told[i].at_ms < until_ms; i++) {
        const struct told *one = &years->told[i];

        if (strcmp(one->record, record) == 0 && one->what == HAPPENED_EVENT)
            return true;
    }
    return false;
}

/* From each day on which a version came into force or was reaffirmed, a review is due when its kind's period is over,
 * unless something else became of the version: none is left out, in any of the three years. */
static void no_review_is_left_out(void **state)
{
    struct years *years = live_shipped(-1);
    struct problems problems = PROBLEMS_EMPTY;
    struct arena arena = ARENA_EMPTY;
    struct pack *pack = NULL;
    int64_t end_ms;
    int seen = 0;

    (void)state;
    assert_int_equal(
        pack_load(arena_printf(&arena, "%s/workflows", years_source()), &pack, &problems, NULL), 0);
    end_ms = (int64_t)day_in_paris("2029-01-05", 0) * 1000;
    for (int i = 0; i < years->count; i++) {
        const struct told *one = &years->told[i];
        const struct kind *kind = pack_prefix(pack, slice_of(one->record, 3));
        char due[16], text[64];
        int64_t opens_ms;

        if (!begins_period(one) || kind == NULL || kind->review_every.months == 0)
            continue;
        months_after(one->at_ms, kind->review_every.months, due);
        opens_ms = (int64_t)day_in_paris(due, -30) * 1000;
        if (opens_ms >= end_ms || has_moved_on(years, i, one->record, opens_ms))
            continue;
        snprintf(text, sizeof text, "due %s", due);
        if (years_count(years, HAPPENED_REVIEW, one->record, text) != 1)
            print_error("no review follows from: %s\n", one->line);
        assert_int_equal(years_count(years, HAPPENED_REVIEW, one->record, text), 1);
        seen++;
    }
    assert_true(seen >= 6);
    pack_free(&pack);
    problems_release(&problems);
    arena_release(&arena);
    years_end(years);
}

static void the_shipped_years_show_what_they_are_to_show(void **state)
{
    struct years *years = live_shipped(-1);

    (void)state;
    assert_true(years->tally.reviews_done > 0);
    assert_true(years->tally.reminders > 0);
    assert_true(years->tally.escalations > 0);
    assert_true(years->tally.tasks_parked > 0);
    assert_true(years->tally.overdue_began > 0);
    assert_true(years->tally.signatures > 0);
    assert_int_equal(years->tally.refusals, years_count(years, HAPPENED_REFUSAL, NULL, NULL));
    assert_int_equal(years_count(years, HAPPENED_REFUSAL, "SCP-0001", "withdraw refused"), 1);
    assert_int_equal(years->tally.day_count, 1096); /* 2028 has 366 */
    if (years->tally.stuck_count > 0)
        print_error("nobody gets on: %s\n", years->tally.stuck[0].text);
    assert_int_equal(years->tally.stuck_count, 0);
    years_end(years);
}

/* Other draws are other years; what must hold holds in all of them, or simulate() says where not. */
static void other_seeds_keep_what_must_hold(void **state)
{
    (void)state;
    for (int64_t seed = 2; seed <= 6; seed++) {
        struct years *years = live_shipped(seed);

        assert_true(years->tally.reviews_opened > 0);
        assert_int_equal(years->tally.stuck_count, 0);
        years_end(years);
    }
}

/* ---- a ladder over the leap day and the change to summer time ---- */

static const char *const ladder[] = {
    "2028-01-30 Sun 00:00 IPR-0001@1.0 review: review opened, due 2028-02-29, engine",
    "2028-02-22 Tue 00:00 IPR-0001@1.0 reminder: review_due (due 2028-02-29), ines, leila",
    "2028-02-29 Tue 00:00 IPR-0001@1.0 reminder: review_due (due 2028-02-29), ines, leila",
    /* From 7 days on the ISMS manager is told, who owns this one: the word is another, so the ladder has climbed. */
    "2028-03-07 Tue 00:00 IPR-0001@1.0 escalation: review_overdue (due 2028-02-29), ines, marta",
    /* The clocks changed on 26 March. */
    "2028-03-30 Thu 00:00 IPR-0001@1.0 escalation: review_overdue (due 2028-02-29), amara, henrik",
    "2028-05-29 Mon 00:00 IPR-0001@1.0 escalation: review_overdue (due 2028-02-29), amara, henrik",
};

static void a_ladder_over_the_leap_day_and_summer_time_keeps_its_days(void **state)
{
    static const int steps[] = {-30, -7, 0, 7, 30, 90};
    struct arena arena = ARENA_EMPTY;
    struct years *years = years_live(
        arena_printf(&arena,
                     "start = \"2027-12-01\"; for = \"10 months\";"
                     "open = ( { file = \"%s/config/sample/interested_parties.cfg\"; by = \"ines\";"
                     " fields = { first_review = \"2028-02-29\"; reviewers = [\"leila\"]; }; } );"
                     /* It is put in force, and then nobody does anything. */
                     "people = ( { sure = 100; after = \"1 working days\"; weight = 0; },"
                     " { event = [\"submit\", \"approve\", \"put_in_force\"]; weight = 1; } );",
                     years_source()),
        -1);
    size_t at = 0;

    (void)state;
    assert_int_equal(years->status, 0);
    for (int i = 0; i < years->count; i++) {
        const struct told *one = &years->told[i];
        bool is_step =
            one->what == HAPPENED_REVIEW || strstr(one->text, "(due 2028-02-29)") != NULL;

        if (strcmp(one->record, "IPR-0001@1.0") != 0 || !is_step)
            continue;
        assert_true(at < sizeof ladder / sizeof ladder[0]);
        assert_string_equal(one->line, ladder[at]);
        expect_day(one, steps[at]);
        at++;
    }
    assert_int_equal(at, sizeof ladder / sizeof ladder[0]);
    assert_int_equal(years_count(years, HAPPENED_OPENED, "FND-0001", NULL), 1); /* it was missed */
    arena_release(&arena);
    years_end(years);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_review_is_opened_once_for_its_date_a_month_ahead),
        cmocka_unit_test(no_review_is_left_out),
        cmocka_unit_test(the_shipped_years_show_what_they_are_to_show),
        cmocka_unit_test(other_seeds_keep_what_must_hold),
        cmocka_unit_test(a_ladder_over_the_leap_day_and_summer_time_keeps_its_days),
    };

    return cmocka_run_group_tests(tests, in_paris, NULL);
}
