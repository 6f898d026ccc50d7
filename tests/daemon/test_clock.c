/* The system clock is set forward, back, right again; the machine sleeps; the journal is ahead of it. */
#include "daemon/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const int64_t start = 1800000000 * SECOND; /* 2027-01-15 */

/* A clock that has been right so far, on a machine that was started a day ago. */
static struct clock right_clock(void)
{
    struct clock clock;

    clock_start(&clock, false, start - HOUR);
    clock.real_us = start;
    clock.real_boot_us = DAY;
    return clock;
}

static void is_state(const struct clock *clock, enum clock_state wanted, int64_t wanted_off_us)
{
    int64_t off_ms = 0;

    assert_int_equal(clock_state(clock, &off_ms), wanted);
    assert_int_equal(off_ms, wanted_off_us / 1000);
}

static void time_goes_on(void **state)
{
    struct clock clock = right_clock();

    (void)state;
    assert_int_equal(clock_take_us(&clock, start + MINUTE, DAY + MINUTE), start + MINUTE);
    is_state(&clock, CLOCK_RIGHT, 0);
    /* Summer time is no matter of this clock; half an hour is what a machine may have been wrong by. */
    assert_int_equal(clock_take_us(&clock, start + 30 * MINUTE, DAY + MINUTE), start + 30 * MINUTE);
    is_state(&clock, CLOCK_RIGHT, 0);
}

static void a_step_forward_is_not_believed_at_once(void **state)
{
    struct clock clock = right_clock();

    (void)state;
    assert_int_equal(clock_take_us(&clock, start + 400 * DAY, DAY + SECOND), start + SECOND);
    is_state(&clock, CLOCK_AHEAD, 400 * DAY - SECOND);
    assert_int_equal(clock_take_us(&clock, start + 400 * DAY + 4 * MINUTE, DAY + 4 * MINUTE),
                     start + 4 * MINUTE);
    is_state(&clock, CLOCK_AHEAD, 400 * DAY);
    /* Five minutes after it was seen nobody has set it right: it counts. */
    assert_int_equal(
        clock_take_us(&clock, start + 400 * DAY + 5 * MINUTE, DAY + SECOND + 5 * MINUTE),
        start + 400 * DAY + 5 * MINUTE);
    is_state(&clock, CLOCK_RIGHT, 0);
}

static void set_right_in_time_nothing_has_happened(void **state)
{
    struct clock clock = right_clock();

    (void)state;
    clock_take_us(&clock, start + 400 * DAY, DAY + SECOND);
    assert_int_equal(clock_take_us(&clock, start + MINUTE, DAY + MINUTE), start + MINUTE);
    is_state(&clock, CLOCK_RIGHT, 0);
    /* The next step has five minutes of its own. */
    assert_int_equal(clock_take_us(&clock, start + 2 * DAY, DAY + 6 * MINUTE), start + 6 * MINUTE);
    assert_int_equal(clock_take_us(&clock, start + 2 * DAY, DAY + 10 * MINUTE),
                     start + 10 * MINUTE);
}

static void sleep_is_no_step(void **state)
{
    struct clock clock = right_clock();

    (void)state;
    assert_int_equal(clock_take_us(&clock, start + 3 * DAY, DAY + 3 * DAY), start + 3 * DAY);
    is_state(&clock, CLOCK_RIGHT, 0);
}

static void time_never_goes_back(void **state)
{
    struct clock clock = right_clock();

    (void)state;
    clock_take_us(&clock, start + HOUR, DAY + HOUR);
    assert_int_equal(clock_take_us(&clock, start + HOUR - 10 * SECOND, DAY + HOUR), start + HOUR);
    is_state(&clock, CLOCK_RIGHT, -10 * SECOND); /* a second hand that is corrected is no alarm */
    assert_int_equal(clock_take_us(&clock, start - DAY, DAY + HOUR), start + HOUR);
    is_state(&clock, CLOCK_BEHIND, -DAY - HOUR);
    /* Set right again: no step forward. */
    assert_int_equal(clock_take_us(&clock, start + 2 * HOUR, DAY + 2 * HOUR), start + 2 * HOUR);
    is_state(&clock, CLOCK_RIGHT, 0);
}

/* The journal has an entry of a year ahead: whoever kept it had a wrong clock, or this one is wrong. */
static void a_journal_that_is_ahead_is_said(void **state)
{
    struct clock clock;
    int64_t ahead_us;

    (void)state;
    clock_start(&clock, false, INT64_MAX / 4);
    ahead_us = clock.newest_us - start;
    assert_int_equal(clock_take_us(&clock, start, clock.boot_us + SECOND), start + ahead_us);
    is_state(&clock, CLOCK_BEHIND, -ahead_us);
    assert_int_equal(clock_take_us(&clock, start + ahead_us + MINUTE, clock.boot_us + MINUTE),
                     start + ahead_us + MINUTE);
    is_state(&clock, CLOCK_RIGHT, 0);
}

static void a_virtual_clock_knows_nothing_of_it(void **state)
{
    struct clock clock;
    int64_t first;

    (void)state;
    clock_start(&clock, true, start);
    first = clock_take_us(&clock, 0, clock.boot_us);
    assert_int_equal(first, start);
    clock_advance(&clock, 365 * DAY);
    assert_int_equal(clock_take_us(&clock, 0, clock.boot_us + SECOND), start + 365 * DAY + SECOND);
    is_state(&clock, CLOCK_RIGHT, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_goes_on),
        cmocka_unit_test(a_step_forward_is_not_believed_at_once),
        cmocka_unit_test(set_right_in_time_nothing_has_happened),
        cmocka_unit_test(sleep_is_no_step),
        cmocka_unit_test(time_never_goes_back),
        cmocka_unit_test(a_journal_that_is_ahead_is_said),
        cmocka_unit_test(a_virtual_clock_knows_nothing_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
