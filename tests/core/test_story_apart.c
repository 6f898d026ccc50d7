/* test_story_apart.c - stories of independence: over a period, over references, among those who are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/story.h"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.',"
    " 'places': [{'name': 'Hall', 'inside': true}]}}";

static const char *const inspection =
    "{'kind': 'inspection', 'title': 'Doors', 'fields': {'inspectors': ['dana', 'bo'],"
    " 'subjects': ['POL-0001']}}";

/* Amara wrote the policy and owns it, bo and cleo signed it, eve put it in force. */
static struct story *with_policy_and_inspection(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_done(story_do(story, "dana", "open", NULL, inspection));
    return story;
}

static void who_had_a_hand_in_it_is_not_named_to_inspect_it(void **state)
{
    struct story *story = with_policy_and_inspection();

    (void)state;
    assert_done(story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['eve']}}"));
    assert_refused(story_do(story, "dana", "begin", "INS-0001", NULL), 403, "separation-of-duties");
    assert_non_null(strstr(story_sentence(story), "eve stands as \"involved:12 months@subjects\""));
    assert_non_null(strstr(story_sentence(story), "SOD-3"));
    assert_done(
        story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['dana', 'finn']}}"));
    assert_done(story_do(story, "dana", "begin", "INS-0001", NULL));
    story_end(story);
}

static void an_owner_never_becomes_independent_others_do_after_the_period(void **state)
{
    struct story *story = with_policy_and_inspection();

    (void)state;
    assert_done(story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['eve']}}"));
    story_until(story, "2027-03-01T12:00:00Z");
    assert_refused(story_do(story, "dana", "begin", "INS-0001", NULL), 403, "separation-of-duties");
    story_until(story, "2027-03-03T12:00:00Z");
    assert_done(story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['amara']}}"));
    assert_refused(story_do(story, "dana", "begin", "INS-0001", NULL), 403, "separation-of-duties");
    assert_done(story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['eve']}}"));
    assert_done(story_do(story, "dana", "begin", "INS-0001", NULL));
    story_end(story);
}

static void the_versions_before_count_as_well(void **state)
{
    struct story *story = with_policy_and_inspection();

    (void)state;
    story_until(story, "2027-02-20T12:00:00Z");
    assert_done(
        story_do(story, "amara", "decide_change", "POL-0001", "{'reason': " STORY_REASON "}"));
    assert_string_equal(story_fact(story, "POL-0001", "version"), "2.0");
    assert_done(story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['eve']}}"));
    /* Eve did nothing to 2.0, but put 1.0 in force less than a year ago. */
    assert_refused(story_do(story, "dana", "begin", "INS-0001", NULL), 403, "separation-of-duties");
    story_end(story);
}

static void who_answers_for_the_subject_does_not_close_the_inspection(void **state)
{
    struct story *story = with_policy_and_inspection();

    (void)state;
    assert_done(story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['dana']}}"));
    assert_done(story_do(story, "dana", "begin", "INS-0001", NULL));
    assert_refused(story_do(story, "amara", "close", "INS-0001", NULL), 403,
                   "separation-of-duties");
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Oil', 'fields': {'task': 'Oil the hinges.',"
                         " 'assignee': 'finn', 'due': '2026-06-01'},"
                         " 'links': [['about', 'INS-0001']]}"));
    assert_refused(story_do(story, "finn", "close", "INS-0001", NULL), 403, "separation-of-duties");
    assert_non_null(strstr(story_sentence(story), "assignee@action"));
    assert_done(story_do(story, "gwen", "close", "INS-0001", NULL));
    story_end(story);
}

static void two_roles_that_conflict_are_not_given_to_one_person(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_refused(story_do(story, "amara", "directory.install", NULL,
                            "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': "
                            "['internal_auditor', 'isms_manager']}]}"),
                   403, "separation-of-duties");
    assert_non_null(strstr(story_sentence(story), "hugo cannot be both"));
    assert_false(story_has_row(story, "person/hugo"));
    assert_done(story_put_people(story, "amara",
                                 "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': "
                                 "['internal_auditor']}]}"));
    assert_true(story_has_row(story, "person/hugo"));
    story_end(story);
}

/* ---- each word of an approval stands for a rule of its own ---- */

static const struct story_change reviewers_apart[] = {
    {"document.cfg", "expires = \"20 days\";",
     "expires = \"20 days\"; apart = (\"editors\", { who = [\"reviewers\"]; rule = \"SOD-4\"; });"},
    {"document.cfg", "record.version.endsWith('.0') ? 2 : 1", "1"},
    {NULL, NULL, NULL}};

/* Amara wrote it, bo reviewed it. */
static struct story *with_a_reviewer(void)
{
    struct story *story = story_begin();

    assert_done(story_install_agreed(story, "amara", "For good.", reviewers_apart));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.', "
                         "'reviewers': ['bo'], 'places': [{'name': 'Hall', 'inside': true}]}}"));
    return story;
}

static struct slice refused_rule(struct story *story)
{
    struct leaf leaf = story_leaf(story, story_size(story) - 1);

    return value_get_text(&leaf.body, "rule");
}

static void the_rule_that_applies_is_named_everywhere(void **state)
{
    struct story *story = with_a_reviewer();
    const struct value *apart;

    (void)state;
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_refused(story_do(story, "bo", "approve", "POL-0001", NULL), 403, "separation-of-duties");
    assert_non_null(strstr(story_sentence(story), "\"reviewers\""));
    assert_non_null(strstr(story_sentence(story), "SOD-4"));
    assert_true(slice_is(refused_rule(story), "SOD-4"));
    assert_refused(story_do(story, "amara", "approve", "POL-0001", NULL), 403,
                   "separation-of-duties");
    assert_true(slice_is(refused_rule(story), "SOD-1"));
    apart = value_get(story_ask(story, "bo", "why", "{'record': 'POL-0001', 'event': 'approve'}"),
                      "apart");
    assert_int_equal(apart->count, 2);
    assert_true(slice_is(value_get_text(&apart->as.items[0], "rule"), "SOD-1"));
    assert_true(slice_is(value_get_text(&apart->as.items[1], "rule"), "SOD-4"));
    assert_true(slice_is(value_get_text(&apart->as.items[1], "word"), "reviewers"));
    story_end(story);
}

static void it_is_waived_by_its_own_name_alone(void **state)
{
    static const char *const other =
        "{'rule': 'SOD-1', 'person': 'bo', 'reason': " STORY_REASON ", 'check': " STORY_REASON "}";
    static const char *const own =
        "{'rule': 'SOD-4', 'person': 'bo', 'reason': " STORY_REASON ", 'check': " STORY_REASON "}";
    struct story *story = with_a_reviewer();

    (void)state;
    assert_done(story_sign(story, "cleo", "waive_sod", "POL-0001", other));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_refused(story_do(story, "bo", "approve", "POL-0001", NULL), 403, "separation-of-duties");
    assert_done(story_sign(story, "cleo", "return", "POL-0001", "{'reason': " STORY_REASON "}"));
    assert_done(story_sign(story, "cleo", "waive_sod", "POL-0001", own));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_had_a_hand_in_it_is_not_named_to_inspect_it),
        cmocka_unit_test(an_owner_never_becomes_independent_others_do_after_the_period),
        cmocka_unit_test(the_versions_before_count_as_well),
        cmocka_unit_test(who_answers_for_the_subject_does_not_close_the_inspection),
        cmocka_unit_test(the_rule_that_applies_is_named_everywhere),
        cmocka_unit_test(it_is_waived_by_its_own_name_alone),
        cmocka_unit_test(two_roles_that_conflict_are_not_given_to_one_person),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
