/* test_simulate.c - years go by: the same twice, others with another seed; people who are away, programs that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <unistd.h>

#include "simulate/chart.h"
#include "simulate/years.h"

#define START "start = \"2027-01-04\"; "

#define ISSUES                                                                                     \
    "open = ( { kind = \"finding\"; title = \"Locks that do not lock\"; by = \"ines\"; },"         \
    " { kind = \"action\"; title = \"Order new locks\"; by = \"ines\";"                            \
    " fields = { task = \"Order locks for floor 2.\"; cause = \"FND-0001\"; assignee = "           \
    "\"pavel\"; due = "                                                                            \
    "\"2027-01-29\"; }; } );"

/* Everybody does everything after exactly one working day. */
#define PROMPT "people = ( { sure = 100; after = \"1 working days\"; } ); "

static void the_same_scenario_gives_the_same_years_and_another_seed_others(void **state)
{
    static const char scenario[] = START "for = \"1 years\"; " ISSUES;
    struct years *first = years_live(scenario, 5), *again = years_live(scenario, 5),
                 *other = years_live(scenario, 6);
    struct buf chart = BUF_EMPTY, same = BUF_EMPTY;

    (void)state;
    assert_int_equal(first->status, 0);
    assert_true(slice_equal(buf_slice(&first->all), buf_slice(&again->all)));
    chart_svg(&first->tally, &chart);
    chart_svg(&again->tally, &same);
    assert_true(slice_equal(buf_slice(&chart), buf_slice(&same)));
    assert_false(slice_equal(buf_slice(&first->all), buf_slice(&other->all)));
    buf_release(&chart);
    buf_release(&same);
    years_end(first);
    years_end(again);
    years_end(other);
}

static void who_is_there_does_what_is_theirs(void **state)
{
    struct years *years = years_live(START PROMPT "for = \"3 months\"; " ISSUES, -1);

    (void)state;
    assert_int_equal(years->status, 0);
    assert_non_null(years_first(years, HAPPENED_EVENT, "ACT-0001", "checking -> closed"));
    assert_int_equal(years_count(years, HAPPENED_ESCALATION, NULL, NULL), 0);
    assert_int_equal(years_count(years, HAPPENED_OVERDUE, NULL, NULL), 0);
    years_end(years);
}

static void who_is_away_is_reminded_and_then_others_are(void **state)
{
    struct years *years =
        years_live(START PROMPT
                   "for = \"3 months\"; " ISSUES
                   "absent = ( { who = \"pavel\"; from = \"2027-01-04\"; to = \"2027-03-12\"; } );",
                   -1);
    const struct told *overdue = years_first(years, HAPPENED_OVERDUE, "ACT-0001", "2027-01-29");
    const struct told *reminder = years_first(years, HAPPENED_REMINDER, "ACT-0001", "due_soon");
    const struct told *escalation = years_first(years, HAPPENED_ESCALATION, "ACT-0001", "overdue");
    const struct told *done = years_first(years, HAPPENED_EVENT, "ACT-0001", "assigned ->");

    (void)state;
    assert_int_equal(years->status, 0);
    assert_non_null(reminder);
    assert_int_equal(memcmp(reminder->line, "2027-01-22 Fri 00:00", 20), 0);
    assert_non_null(overdue);
    assert_int_equal(memcmp(overdue->line, "2027-01-30 Sat 00:00", 20), 0);
    assert_non_null(escalation);
    assert_int_equal(memcmp(escalation->line, "2027-02-12 Fri 00:00", 20), 0);
    assert_string_equal(escalation->who, "henrik"); /* pavel's manager */
    assert_non_null(done); /* the Monday after the absence, the first working day that is his */
    assert_int_equal(memcmp(done->line, "2027-03-15 Mon", 14), 0);
    assert_true(years->tally.overdue_days > 30);
    years_end(years);
}

static void a_program_that_fails_parks_its_tasks_until_somebody_tries_again(void **state)
{
    struct years *years = years_live(
        START PROMPT "for = \"2 months\"; " ISSUES "workers = ( { name = \"communication-worker\";"
                     " fails = ( { from = \"2027-01-04\"; to = \"2027-01-10\"; } ); } );",
        -1);
    const struct told *again;

    (void)state;
    assert_int_equal(years->status, 0);
    assert_non_null(years_first(years, HAPPENED_TASK, "ACT-0001", "is parked"));
    again = years_first(years, HAPPENED_TASK, "ACT-0001", "is tried again");
    assert_non_null(again);
    assert_string_equal(again->who, "ines");
    assert_true(years->tally.tasks_parked > 0);
    assert_true(years->tally.attempts_failed >= 5 * years->tally.tasks_parked);
    years_end(years);
}

static void a_program_that_is_down_only_makes_tasks_wait(void **state)
{
    struct years *years = years_live(
        START PROMPT "for = \"2 months\"; " ISSUES "workers = ( { name = \"communication-worker\";"
                     " down = ( { from = \"2027-01-04\"; to = \"2027-01-20\"; } ); } );",
        -1);

    (void)state;
    assert_int_equal(years->status, 0);
    assert_int_equal(years->tally.attempts_failed, 0);
    assert_true(years->tally.tasks_done > 0);
    years_end(years);
}

/* The stories' own pack has a rule that gates: a major finding closes only when its action is closed. */
static void a_gate_holds_until_what_it_waits_for_is_closed(void **state)
{
    struct arena arena = ARENA_EMPTY;
    const char *directory =
        years_write(&arena, "people = ( { name = \"dana\"; roles = [\"internal_auditor\"]; },"
                            " { name = \"amara\"; roles = [\"isms_manager\"]; } );\n");
    const char *path = years_write(
        &arena,
        arena_printf(
            &arena,
            "pack = \"%s/tests/core/pack\"; directory = \"%s\"; " START PROMPT "for = \"3 months\";"
            "open = ( { kind = \"finding\"; title = \"No backup\"; by = \"dana\";"
            " fields = { weight = \"major\"; answers = \"amara\"; }; } );"
            "absent = ( { who = \"amara\"; from = \"2027-01-05\"; to = \"2027-02-12\"; } );",
            years_source(), directory));
    struct years *years = years_live_file(path, -1);
    const struct told *held = years_first(years, HAPPENED_GATE, "FND-0001", "ACT-0001");
    const struct told *closed = years_first(years, HAPPENED_EVENT, "FND-0001", "close:");
    const struct told *mended = years_first(years, HAPPENED_EVENT, "ACT-0001", "-> closed");

    (void)state;
    if (years->status != 0)
        print_error("%s\n", years->err.text);
    assert_int_equal(years->status, 0);
    assert_non_null(held);
    assert_non_null(mended);
    assert_non_null(closed);
    assert_true(closed->at_ms >= mended->at_ms);
    assert_true(held->at_ms < mended->at_ms);
    assert_int_equal(years->tally.gates_passed, 1);
    assert_true(years->tally.gates_held >= 1);
    unlink(path);
    unlink(directory);
    years_end(years);
    arena_release(&arena);
}

static void a_date_may_be_a_span_from_the_day_on_which_it_is_written(void **state)
{
    struct years *years = years_live(
        START "for = \"3 weeks\";"
              "open = ( { kind = \"finding\"; title = \"Locks that do not lock\"; by = \"ines\"; },"
              " { kind = \"action\"; title = \"Soon\"; by = \"ines\"; at = \"2027-01-11\";"
              " fields = { task = \"It.\"; cause = \"FND-0001\"; assignee = \"pavel\"; due = \"10 "
              "days\"; }; } );"
              "people = ( { weight = 0; } );",
        -1);

    (void)state;
    assert_int_equal(years->status, 0);
    assert_non_null(years_first(years, HAPPENED_OVERDUE, "ACT-0001", "due 2027-01-21"));
    years_end(years);
}

static void what_is_forbidden_is_refused_and_said(void **state)
{
    struct years *years = years_live(
        START
        "for = \"2 weeks\"; " ISSUES
        "do = ( { at = \"2027-01-05\"; who = \"bo\"; event = \"done\"; record = \"ACT-0001\"; } );",
        -1);
    const struct told *refusal = years_first(years, HAPPENED_REFUSAL, "ACT-0001", "not-allowed");

    (void)state;
    assert_int_equal(years->status, 0);
    assert_non_null(refusal);
    assert_string_equal(refusal->who, "bo");
    assert_true(years->tally.refusals >= 1);
    years_end(years);
}

static void who_leaves_may_no_more_and_who_joins_does_their_share(void **state)
{
    struct years *years = years_live(
        START PROMPT
        "for = \"4 months\"; "
        "open = ( { kind = \"finding\"; title = \"Locks that do not lock\"; by = \"ines\"; },"
        " { kind = \"action\"; title = \"Late work\"; by = \"ines\"; at = \"2027-02-15\";"
        " fields = { task = \"Something.\"; cause = \"FND-0001\"; assignee = \"pavel\"; due = "
        "\"2027-03-31\"; }; } );"
        "leaves = ( { who = \"ines\"; on = \"2027-02-16\"; } );"
        "joins = ( { on = \"2027-02-17\"; name = \"noor\"; title = \"Noor Bakker\";"
        " roles = [\"isms_manager\", \"employee\"]; } );",
        -1);
    const struct told *accept = years_first(years, HAPPENED_EVENT, "ACT-0001", "accept:");

    (void)state;
    assert_int_equal(years->status, 0);
    assert_int_equal(years_count(years, HAPPENED_PEOPLE, NULL, "leaves"), 1);
    assert_int_equal(years_count(years, HAPPENED_PEOPLE, NULL, "joins"), 1);
    assert_non_null(accept);
    assert_string_not_equal(accept->who, "ines");
    years_end(years);
}

static void an_opening_that_is_refused_ends_it_with_its_place(void **state)
{
    struct years *years =
        years_live(START "for = \"1 months\";\n"
                         "open = (\n"
                         "  { kind = \"context_issues\"; title = \"Mine\"; by = \"bo\"; } );",
                   -1);

    (void)state;
    assert_int_equal(years->status, -1);
    assert_non_null(strstr(years->err.text, ":5: bo may not open this context_issues"));
    assert_int_equal(years->err.class, ERROR_INPUT);
    years_end(years);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_scenario_gives_the_same_years_and_another_seed_others),
        cmocka_unit_test(who_is_there_does_what_is_theirs),
        cmocka_unit_test(who_is_away_is_reminded_and_then_others_are),
        cmocka_unit_test(a_program_that_fails_parks_its_tasks_until_somebody_tries_again),
        cmocka_unit_test(a_program_that_is_down_only_makes_tasks_wait),
        cmocka_unit_test(a_gate_holds_until_what_it_waits_for_is_closed),
        cmocka_unit_test(a_date_may_be_a_span_from_the_day_on_which_it_is_written),
        cmocka_unit_test(what_is_forbidden_is_refused_and_said),
        cmocka_unit_test(who_leaves_may_no_more_and_who_joins_does_their_share),
        cmocka_unit_test(an_opening_that_is_refused_ends_it_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
