/* test_story_handover.c - stories of records that change hands: who may, to whom, and what it makes of separation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/story.h"

#define POLICY                                                                                     \
    "{'kind': 'policy', 'title': 'Clean desk', 'owner': 'finn', 'fields': {'text': 'Lock.', "      \
    "'places': [{'name': 'Lyon', 'inside': true}]}}"

/* Amara wrote it; finn, whose manager is eve, owns it. */
static struct story *with_policy(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    return story;
}

static int hand_over(struct story *story, const char *who, const char *to)
{
    return story_do(
        story, who, "hand_over", "POL-0001",
        arena_printf(story_arena(story), "{'to': '%s', 'reason': " STORY_REASON "}", to));
}

static void leave(struct story *story, const char *who, const char *roles, const char *manager)
{
    assert_done(
        story_put_people(story, "amara",
                         arena_printf(story_arena(story),
                                      "{'people': [{'name': '%s', 'kind': 'person', 'roles': [%s], "
                                      "'manager': '%s', 'not_after': 1}]}",
                                      who, roles, manager)));
}

static void an_owner_gives_it_to_another_and_has_no_more_to_do_with_it(void **state)
{
    struct story *story = with_policy();
    char digest[80];

    (void)state;
    snprintf(digest, sizeof digest, "%s", story_fact(story, "POL-0001", "digest"));
    assert_done(hand_over(story, "finn", "gwen"));
    assert_string_equal(story_leaf_type(story, 0), "record.hand_over");
    assert_string_equal(story_fact(story, "POL-0001", "owner"), "gwen");
    assert_string_equal(story_fact(story, "POL-0001", "digest"), digest);
    assert_refused(story_do(story, "finn", "edit", "POL-0001", "{'set': {'count': 1}}"), 403,
                   "not-allowed");
    assert_done(story_do(story, "gwen", "edit", "POL-0001", "{'set': {'count': 1}}"));
    assert_int_equal(story_task_count(story, "communication.deliver", "POL-0001@1.0"), 1);
    story_end(story);
}

static void their_manager_and_the_isms_manager_may_and_nobody_else(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_refused(hand_over(story, "bo", "gwen"), 403, "not-allowed");
    assert_refused(hand_over(story, "gwen", "gwen"), 403, "not-allowed");
    assert_done(hand_over(story, "eve", "gwen"));
    assert_refused(hand_over(story, "finn", "finn"), 403, "not-allowed");
    assert_done(hand_over(story, "amara", "finn"));
    story_end(story);
}

static void it_goes_to_somebody_who_can_answer_for_it_and_with_a_reason(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_refused(hand_over(story, "finn", "finn"), 409, "wrong-state");
    assert_refused(hand_over(story, "finn", "hugo"), 422, "guard-failed");
    assert_refused(hand_over(story, "finn", "post"), 422, "guard-failed");
    leave(story, "gwen", "'risk_owner'", "eve");
    assert_refused(hand_over(story, "finn", "gwen"), 422, "guard-failed");
    assert_refused(story_do(story, "finn", "hand_over", "POL-0001", "{'to': 'dana'}"), 422,
                   "guard-failed");
    assert_refused(story_do(story, "finn", "hand_over", "POL-0001",
                            "{'to': 'dana', 'for': 'eve', 'reason': " STORY_REASON "}"),
                   400, "unknown-key");
    story_end(story);
}

static void what_a_leaver_owns_falls_to_the_manager_whose_inbox_lists_it(void **state)
{
    struct story *story = with_policy();
    const struct value *items;

    (void)state;
    assert_int_equal(story_ask(story, "eve", "inbox", "{}")->count, 0);
    leave(story, "finn", "'employee'", "eve");
    items = story_ask(story, "eve", "inbox", "{}");
    assert_true(items->count >= 1);
    assert_true(slice_is(value_get_text(&items->as.items[items->count - 1], "what"), "owner"));
    assert_true(value_has_text(value_get(&items->as.items[items->count - 1], "events"),
                               slice_str("hand_over")));
    assert_refused(hand_over(story, "finn", "gwen"), 403, "not-allowed");
    assert_done(hand_over(story, "eve", "gwen"));
    assert_int_equal(story_ask(story, "eve", "inbox", "{}")->count, 0);
    story_end(story);
}

/* Nobody gives a record away in order to decide on it. */
static void separation_looks_at_everybody_who_ever_owned_it(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_done(hand_over(story, "finn", "dana"));
    assert_done(hand_over(story, "amara", "gwen"));
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'inspection', 'title': 'Doors', 'fields': {'inspectors': "
                         "['finn'], 'subjects': ['POL-0001']}}"));
    assert_refused(story_do(story, "dana", "begin", "INS-0001", NULL), 403, "separation-of-duties");
    assert_done(story_do(story, "dana", "edit", "INS-0001", "{'set': {'inspectors': ['gwen']}}"));
    assert_refused(story_do(story, "dana", "begin", "INS-0001", NULL), 403, "separation-of-duties");
    story_end(story);
}

static void nobody_who_is_asked_to_approve_it_becomes_its_owner(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "finn", "submit", "POL-0001", NULL));
    assert_refused(hand_over(story, "finn", "bo"), 409, "wrong-state");
    assert_done(hand_over(story, "finn", "gwen"));
    assert_string_equal(story_fact(story, "POL-0001", "phase"), "awaiting_approval");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owner_gives_it_to_another_and_has_no_more_to_do_with_it),
        cmocka_unit_test(their_manager_and_the_isms_manager_may_and_nobody_else),
        cmocka_unit_test(it_goes_to_somebody_who_can_answer_for_it_and_with_a_reason),
        cmocka_unit_test(what_a_leaver_owns_falls_to_the_manager_whose_inbox_lists_it),
        cmocka_unit_test(separation_looks_at_everybody_who_ever_owned_it),
        cmocka_unit_test(nobody_who_is_asked_to_approve_it_becomes_its_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
