/* test_story_process.c - cycles of the shipped processes: who owns and authorises them, what they measure, what follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/story.h"

static const char *const run_of_a2 =
    "{'kind': 'process_run', 'title': 'Corrective actions, first quarter', 'fields': {'process': "
    "'A2',"
    " 'cycle': '2026-Q1', 'planned_on': '2026-03-10', 'criteria': 'Each is verified.',"
    " 'inputs': ['FND-0001']}}";

static const char *const finding =
    "{'kind': 'finding', 'title': 'No backup', 'fields': {'source': 'internal_audit',"
    " 'classification': 'minor_nc', 'criterion': 'A.8.13', 'statement': 'None was made.', "
    "'evidence_seen': 'The log.',"
    " 'auditee_owner': 'amara', 'found_on': '2026-03-02'}}";

/* A finding with its corrective action, and a cycle of A2 that begins from it. */
static struct story *with_cycle(void)
{
    struct story *story = story_begin_with("workflows");

    assert_done(story_do(story, "dana", "open", NULL, finding));
    assert_done(story_do(story, "amara", "open", NULL, run_of_a2));
    return story;
}

static void authorise_and_run(struct story *story)
{
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_done(story_do(story, "amara", "submit", "RUN-0001", NULL));
    assert_done(story_sign(story, "bo", "authorise", "RUN-0001", NULL));
    story_until(story, "2026-03-10T00:00:00Z");
}

static void a_process_says_who_owns_and_who_authorises_its_cycle(void **state)
{
    struct story *story = with_cycle();

    (void)state;
    assert_string_equal(story_fact(story, "RUN-0001", "owner"), "amara");
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_done(story_do(story, "amara", "submit", "RUN-0001", NULL));
    assert_false(story_may(story, "gwen", "RUN-0001", "authorise"));
    assert_true(story_may(story, "bo", "RUN-0001", "authorise"));
    story_end(story);
}

static void who_planned_a_cycle_does_not_authorise_it(void **state)
{
    struct story *story = with_cycle();

    (void)state;
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_done(story_do(story, "amara", "submit", "RUN-0001", NULL));
    assert_refused(story_sign(story, "amara", "authorise", "RUN-0001", NULL), 403,
                   "separation-of-duties");
    story_end(story);
}

static void a_cycle_does_not_begin_from_a_draft(void **state)
{
    struct story *story = with_cycle();

    (void)state;
    assert_refused(story_do(story, "amara", "submit", "RUN-0001", NULL), 422, "guard-failed");
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_done(story_do(story, "amara", "submit", "RUN-0001", NULL));
    story_end(story);
}

static void it_begins_by_itself_and_its_figures_are_frozen_when_it_is_evaluated(void **state)
{
    struct story *story = with_cycle();

    (void)state;
    authorise_and_run(story);
    assert_string_equal(story_fact(story, "RUN-0001", "state"), "running");
    assert_done(
        story_do(story, "amara", "evaluate", "RUN-0001", "{'set': {'outputs': ['CAR-0001']}}"));
    assert_non_null(
        strstr(story_field(story, "RUN-0001", "kpi"),
               "\"name\": \"Open corrective actions\", \"target\": \"\", \"value\": \"1\""));
    story_end(story);
}

static void its_end_plans_the_next_cycle_once(void **state)
{
    struct story *story = with_cycle();

    (void)state;
    authorise_and_run(story);
    assert_done(
        story_do(story, "amara", "evaluate", "RUN-0001", "{'set': {'outputs': ['CAR-0001']}}"));
    assert_refused(story_do(story, "amara", "close", "RUN-0001", NULL), 422, "guard-failed");
    assert_done(
        story_do(story, "amara", "close", "RUN-0001", "{'set': {'evaluation': 'conform'}}"));
    assert_string_equal(story_field(story, "RUN-0002", "process"), "A2");
    assert_string_equal(story_field(story, "RUN-0002", "planned_on"), "2026-06-10");
    assert_string_equal(story_fact(story, "RUN-0002", "owner"), "amara");
    assert_false(story_has_row(story, "RUN-0003"));
    story_end(story);
}

static void the_processes_can_be_asked_for(void **state)
{
    struct story *story = story_begin_with("workflows");
    const struct value *all = story_ask(story, "finn", "processes", "{}");

    (void)state;
    assert_int_equal(all->count, 17);
    assert_true(slice_is(value_get_text(&all->as.items[0], "id"), "P1"));
    assert_true(slice_is(value_get_text(&all->as.items[0], "every"), "12 months"));
    assert_true(value_has_text(value_get(&all->as.items[0], "triggers"), slice_str("P2")));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_says_who_owns_and_who_authorises_its_cycle),
        cmocka_unit_test(who_planned_a_cycle_does_not_authorise_it),
        cmocka_unit_test(a_cycle_does_not_begin_from_a_draft),
        cmocka_unit_test(it_begins_by_itself_and_its_figures_are_frozen_when_it_is_evaluated),
        cmocka_unit_test(its_end_plans_the_next_cycle_once),
        cmocka_unit_test(the_processes_can_be_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
