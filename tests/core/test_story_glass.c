/* test_story_glass.c - break-glass: an event without the role for it, once, because two people wanted it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "core/story.h"

#define POLICY                                                                                     \
    "{'kind': 'policy', 'title': 'P', 'fields': {'text': 'So be it.', 'places': [{'name': "        \
    "'Lyon', "                                                                                     \
    "'inside': true}]}}"
#define PUT "{'event': 'put_in_force', 'reason': " STORY_REASON "}"

/* An approved policy, which eve (doc_controller) would put in force. */
static struct story *with_policy(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    return story;
}

static struct story *with_glass(void)
{
    struct story *story = with_policy();

    assert_done(story_do(story, "finn", "break_glass", "POL-0001", PUT));
    assert_done(story_agree(story, "bo", 1, NULL));
    return story;
}

static void an_event_is_done_once_without_its_role(void **state)
{
    struct story *story = with_policy();
    int before;

    (void)state;
    assert_refused(story_do(story, "finn", "put_in_force", "POL-0001", NULL), 403, "not-allowed");
    assert_done(story_do(story, "finn", "break_glass", "POL-0001", PUT));
    assert_string_equal(story_leaf_type(story, 0), "break_glass.proposed");
    assert_true(story_is_repetition(story));
    assert_refused(story_do(story, "finn", "put_in_force", "POL-0001", NULL), 403, "not-allowed");
    before = story_task_count(story, "communication.deliver", NULL);
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_string_equal(story_leaf_type(story, 0), "break_glass.agreed");
    assert_true(story_task_count(story, "communication.deliver", NULL) >= before + 3);
    assert_true(story_may(story, "finn", "POL-0001", "put_in_force"));
    assert_done(story_do(story, "finn", "put_in_force", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "in_force");
    assert_int_equal(value_get_int(value_get(story_row(story, "POL-0001@1.0"), "break_glass"),
                                   "put_in_force", 0),
                     1);
    assert_true(value_get_int(story_row(story, "proposal/1"), "used_ms", 0) > 0);
    assert_false(story_may(story, "finn", "POL-0001", "decide_change"));
    story_end(story);
}

static void what_was_used_is_used_up(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "finn", "break_glass", "POL-0001",
                         "{'event': 'withdraw', 'reason': " STORY_REASON "}"));
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_done(story_do(story, "finn", "withdraw", "POL-0001", "{'reason': " STORY_REASON "}"));
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    assert_refused(story_do(story, "finn", "withdraw", "POL-0002", "{'reason': " STORY_REASON "}"),
                   403, "not-allowed");
    story_end(story);
}

static void it_is_over_after_a_day(void **state)
{
    struct story *story = with_glass();

    (void)state;
    story_until(story, "2026-03-03T07:59:59Z");
    assert_true(story_may(story, "finn", "POL-0001", "put_in_force"));
    story_until(story, "2026-03-03T08:00:00Z");
    assert_refused(story_do(story, "finn", "put_in_force", "POL-0001", NULL), 403, "not-allowed");
    story_end(story);
}

static void it_is_for_one_person_one_record_and_one_event(void **state)
{
    struct story *story = with_glass();

    (void)state;
    assert_refused(story_do(story, "gwen", "put_in_force", "POL-0001", NULL), 403, "not-allowed");
    assert_refused(story_do(story, "finn", "withdraw", "POL-0001", "{'reason': " STORY_REASON "}"),
                   403, "not-allowed");
    assert_done(story_sign(story, "finn", "delegation.give", NULL,
                           "{'to': 'gwen', 'reason': " STORY_REASON "}"));
    assert_refused(story_do(story, "gwen", "put_in_force", "POL-0001", "{'for': 'finn'}"), 403,
                   "not-allowed");
    story_end(story);
}

static void it_gives_no_vote_and_nothing_that_is_signed_or_the_engines(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_refused(story_do(story, "finn", "break_glass", "POL-0001",
                            "{'event': 'approve', 'reason': " STORY_REASON "}"),
                   403, "not-allowed");
    assert_string_equal(story_leaf_type(story, 0), "refusal.not-allowed");
    assert_refused(story_do(story, "finn", "break_glass", "POL-0001",
                            "{'event': 'reaffirm', 'reason': " STORY_REASON "}"),
                   403, "not-allowed");
    assert_refused(story_do(story, "finn", "break_glass", "POL-0001",
                            "{'event': 'supersede', 'reason': " STORY_REASON "}"),
                   403, "not-allowed");
    story_end(story);
}

static void conditions_and_states_hold_as_ever(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    assert_done(story_do(story, "finn", "break_glass", "POL-0001", PUT));
    assert_done(story_agree(story, "cleo", 1, NULL));
    assert_refused(story_do(story, "finn", "put_in_force", "POL-0001", NULL), 409, "wrong-state");
    assert_done(
        story_do(story, "amara", "edit", "POL-0001", "{'set': {'effective_from': '2026-03-03'}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_refused(story_do(story, "finn", "put_in_force", "POL-0001", NULL), 422, "guard-failed");
    story_end(story);
}

static void it_is_not_asked_for_what_has_ended(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    assert_done(story_do(story, "amara", "withdraw", "POL-0001", "{'reason': " STORY_REASON "}"));
    assert_refused(story_do(story, "finn", "break_glass", "POL-0001", PUT), 409, "wrong-state");
    assert_non_null(strstr(story_sentence(story), "withdrawn"));
    story_end(story);
}

static void who_is_kept_apart_stays_so(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Mend it', 'fields': {'task': 'Mend', "
                         "'assignee': 'finn', 'due': '2026-04-01', 'result': 'Mended'}}"));
    assert_done(story_do(story, "finn", "finish", "ACT-0001", NULL));
    assert_done(story_do(story, "finn", "break_glass", "ACT-0001",
                         "{'event': 'accept', 'reason': " STORY_REASON "}"));
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_refused(story_do(story, "finn", "accept", "ACT-0001", NULL), 403,
                   "separation-of-duties");
    story_end(story);
}

static void nobody_breaks_it_alone_and_nobody_asks_without_need(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_refused(story_do(story, "finn", "break_glass", "POL-0001", "{'event': 'put_in_force'}"),
                   422, "guard-failed");
    assert_refused(story_do(story, "eve", "break_glass", "POL-0001", PUT), 409, "wrong-state");
    assert_refused(story_do(story, "post", "break_glass", "POL-0001", PUT), 403, "not-allowed");
    assert_done(story_do(story, "bo", "break_glass", "POL-0001", PUT));
    assert_refused(story_agree(story, "bo", 1, NULL), 403, "separation-of-duties");
    assert_refused(story_agree(story, "eve", 1, NULL), 403, "not-allowed");
    assert_refused(story_agree_by(story, "cleo", NULL, 1, NULL), 403, "not-allowed");
    assert_refused(story_agree(story, "cleo", 1, "{'event': 'withdraw'}"), 409, "stale-content");
    assert_done(story_agree(story, "cleo", 1, NULL));
    assert_done(story_do(story, "bo", "put_in_force", "POL-0001", NULL));
    story_end(story);
}

static void in_a_house_of_one_no_glass_is_broken(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_put_people(story, "amara",
                                 "{'people': [{'name': 'bo', 'kind': 'person', 'roles': []}, "
                                 "{'name': 'cleo', 'kind': 'person', 'roles': []}]}"));
    assert_refused(story_do(story, "amara", "break_glass", "POL-0001", PUT), 409, "wrong-state");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_done_once_without_its_role),
        cmocka_unit_test(what_was_used_is_used_up),
        cmocka_unit_test(it_is_over_after_a_day),
        cmocka_unit_test(it_is_for_one_person_one_record_and_one_event),
        cmocka_unit_test(it_gives_no_vote_and_nothing_that_is_signed_or_the_engines),
        cmocka_unit_test(conditions_and_states_hold_as_ever),
        cmocka_unit_test(it_is_not_asked_for_what_has_ended),
        cmocka_unit_test(who_is_kept_apart_stays_so),
        cmocka_unit_test(nobody_breaks_it_alone_and_nobody_asks_without_need),
        cmocka_unit_test(in_a_house_of_one_no_glass_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
