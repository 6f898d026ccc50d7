/* test_story_keys.c - stories of keys: whose it is, who says so, and what a signature is worth before and after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/story.h"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.',"
    " 'places': [{'name': 'Hall', 'inside': true}]}}";

#define BOTH "root-1 root-2"

static struct story *with_a_round_open(void)
{
    struct story *story = story_begin_rooted();

    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    return story;
}

static void who_has_no_key_signs_nothing_until_two_roots_give_one(void **state)
{
    struct story *story = with_a_round_open();

    (void)state;
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", NULL), 403, "not-allowed");
    assert_done(story_enrol(story, "bo", "bo", 0, BOTH));
    assert_true(story_is_repetition(story));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

static void one_root_is_not_enough_nor_the_same_one_twice(void **state)
{
    struct story *story = with_a_round_open();

    (void)state;
    assert_refused(story_enrol(story, "bo", "bo", 0, "root-1"), 403, "not-allowed");
    assert_refused(story_enrol(story, "bo", "bo", 0, "root-1 root-1"), 403, "not-allowed");
    assert_refused(story_enrol(story, "bo", "bo", 0, "bo"), 403, "not-allowed");
    assert_refused(story_enrol(story, "bo", "bo", 0, "amara root-1 root-2"), 403, "not-allowed");
    assert_refused(story_enrol(story, "hugo", "hugo", 0, BOTH), 404, "no-record");
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", NULL), 403, "not-allowed");
    story_end(story);
}

static void the_directory_gives_nobody_a_key_and_takes_none_away(void **state)
{
    struct story *story = with_a_round_open();

    (void)state;
    assert_refused(
        story_do(
            story, "amara", "directory.install", NULL,
            "{'people': [{'name': 'bo', 'kind': 'person', 'roles': ['top_management'], 'sign': "
            "'hex:0000000000000000000000000000000000000000000000000000000000000001'}]}"),
        403, "not-allowed");
    assert_non_null(strstr(story_sentence(story), "key.enrol"));
    assert_done(story_enrol(story, "bo", "bo", 0, BOTH));
    assert_done(
        story_put_people(story, "amara",
                         "{'people': [{'name': 'bo', 'kind': 'person', 'title': 'Bo Jensen', "
                         "'roles': ['top_management']}]}"));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

static void a_holder_replaces_their_key_and_the_old_one_is_worth_nothing(void **state)
{
    struct story *story = with_a_round_open();

    (void)state;
    assert_done(story_enrol(story, "bo", "bo", 0, BOTH));
    assert_done(story_enrol(story, "bo", "bo-second", 1, "bo"));
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", NULL), 403, "not-allowed");
    assert_refused(story_enrol(story, "bo", "bo", 2, "bo"), 403, "not-allowed");
    assert_done(story_sign_by(story, "bo", "bo-second", "approve", "POL-0001"));
    story_end(story);
}

static void a_lost_key_is_replaced_by_the_roots_and_comes_back_by_no_old_paper(void **state)
{
    struct story *story = with_a_round_open();

    (void)state;
    assert_done(story_enrol(story, "bo", "bo", 0, BOTH));
    assert_done(story_enrol(story, "bo", "bo-second", 1, BOTH));
    assert_refused(story_enrol(story, "bo", "bo", 0, BOTH), 409, "stale-content");
    assert_refused(story_enrol(story, "bo", "bo-second", 1, BOTH), 409, "stale-content");
    story_end(story);
}

static void what_was_signed_before_a_revocation_counts_and_nothing_after(void **state)
{
    struct story *story = with_a_round_open();

    (void)state;
    assert_done(story_enrol(story, "bo", "bo", 0, BOTH));
    assert_done(story_enrol(story, "cleo", "cleo", 0, BOTH));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_refused(
        story_do(story, "finn", "key.revoke", NULL, "{'person': 'bo', 'reason': " STORY_REASON "}"),
        403, "not-allowed");
    assert_refused(story_do(story, "amara", "key.revoke", NULL, "{'person': 'bo'}"), 422,
                   "guard-failed");
    assert_done(story_do(story, "amara", "key.revoke", NULL,
                         "{'person': 'bo', 'reason': " STORY_REASON "}"));
    assert_refused(story_do(story, "amara", "key.revoke", NULL,
                            "{'person': 'bo', 'reason': " STORY_REASON "}"),
                   409, "wrong-state");
    /* With Bo's vote, which stands, and Cleo's the policy is approved. */
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    assert_refused(story_enrol(story, "bo", "bo-second", 2, "bo"), 403, "not-allowed");
    assert_done(story_enrol(story, "bo", "bo-second", 2, BOTH));
    story_end(story);
}

static void a_person_revokes_their_own(void **state)
{
    struct story *story = with_a_round_open();

    (void)state;
    assert_done(story_enrol(story, "bo", "bo", 0, BOTH));
    assert_done(
        story_do(story, "bo", "key.revoke", NULL, "{'person': 'bo', 'reason': " STORY_REASON "}"));
    assert_true(story_is_repetition(story));
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", NULL), 403, "not-allowed");
    story_end(story);
}

static void a_journal_without_roots_has_its_keys_from_the_directory(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_refused(story_enrol(story, "bo", "bo-second", 0, BOTH), 409, "wrong-state");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_no_key_signs_nothing_until_two_roots_give_one),
        cmocka_unit_test(one_root_is_not_enough_nor_the_same_one_twice),
        cmocka_unit_test(the_directory_gives_nobody_a_key_and_takes_none_away),
        cmocka_unit_test(a_holder_replaces_their_key_and_the_old_one_is_worth_nothing),
        cmocka_unit_test(a_lost_key_is_replaced_by_the_roots_and_comes_back_by_no_old_paper),
        cmocka_unit_test(what_was_signed_before_a_revocation_counts_and_nothing_after),
        cmocka_unit_test(a_person_revokes_their_own),
        cmocka_unit_test(a_journal_without_roots_has_its_keys_from_the_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
