/* test_story.c - stories of a document: a day, an actor, an event, what came of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock it away.',"
    " 'places': [{'name': 'Lyon', 'inside': true}]}}";

static struct story *with_policy(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL, policy));
    return story;
}

static struct story *with_submitted_policy(void)
{
    struct story *story = with_policy();

    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    return story;
}

static struct story *with_policy_in_force(void)
{
    struct story *story = with_submitted_policy();

    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    return story;
}

/* ---- a draft ---- */

static void a_policy_is_opened_as_a_draft(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_string_equal(story_reply(story, "record"), "POL-0001@1.0");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    assert_string_equal(story_fact(story, "POL-0001", "owner"), "amara");
    assert_string_equal(story_fact(story, "POL-0001", "phase"), "editing");
    assert_string_equal(story_fact(story, "POL-0001", "revision"), "1");
    assert_string_equal(story_field(story, "POL-0001", "grade"), "low");
    assert_done(story_do(story, "bo", "open", NULL, policy));
    assert_string_equal(story_reply(story, "record"), "POL-0002@1.0");
    story_end(story);
}

static void what_nobody_may_open_is_refused_and_journaled(void **state)
{
    struct story *story = story_begin();
    uint64_t before = story_size(story);

    (void)state;
    assert_refused(story_do(story, "finn", "open", NULL, policy), 403, "not-allowed");
    assert_int_equal(story_size(story), before + 1);
    assert_string_equal(story_leaf_type(story, 0), "refusal.not-allowed");
    assert_refused(story_do(story, "nobody", "open", NULL, policy), 403, "not-allowed");
    assert_int_equal(story_size(story), before + 1);
    assert_false(story_has_row(story, "POL-0001"));
    story_end(story);
}

static void refusals_are_journaled_so_many_an_hour_and_not_more(void **state)
{
    struct story *story = story_begin();
    uint64_t before = story_size(story);

    (void)state;
    for (int i = 0; i < 40; i++)
        assert_refused(story_do(story, "finn", "open", NULL, policy), 403, "not-allowed");
    assert_int_equal(story_size(story), before + 30);
    assert_int_equal(story_beyond(story), 10);
    story_at(story, "2026-03-02T09:00:00Z");
    assert_refused(story_do(story, "finn", "open", NULL, policy), 403, "not-allowed");
    assert_int_equal(story_size(story), before + 31);
    assert_int_equal(story_beyond(story), 0);
    story_end(story);
}

static void what_was_beyond_is_one_leaf_that_says_how_many(void **state)
{
    struct story *story = story_begin();
    struct leaf leaf;

    (void)state;
    for (int i = 0; i < 40; i++)
        assert_refused(story_do(story, "finn", "open", NULL, policy), 403, "not-allowed");
    assert_done(story_tell_refusals(
        story, "{'person': 'finn', 'from_ms': 1, 'until_ms': 2, 'count': 10, 'of': [{'command': "
               "'open', 'code': 'not-allowed', 'count': 10}]}"));
    leaf = story_leaf(story, story_size(story) - 1);
    assert_string_equal(story_leaf_type(story, 0), "refusals.counted");
    assert_true(slice_is(leaf.actor, "engine") && slice_is(leaf.stream, "refusal/finn"));
    assert_int_equal(leaf.rev, 31);
    assert_int_equal(value_get_int(&leaf.body, "count", 0), 10);
    /* It is no refusal of the hour, and takes none's place. */
    story_at(story, "2026-03-02T09:00:00Z");
    for (int i = 0; i < 31; i++)
        assert_refused(story_do(story, "finn", "open", NULL, policy), 403, "not-allowed");
    assert_int_equal(story_beyond(story), 11);
    story_end(story);
}

static void a_draft_is_edited_by_its_author_alone(void **state)
{
    struct story *story = with_policy();
    char first[80];

    (void)state;
    snprintf(first, sizeof first, "%s", story_fact(story, "POL-0001", "digest"));
    assert_done(
        story_do(story, "amara", "edit", "POL-0001",
                 "{'set': {'text': 'Lock everything away.', 'count': 3}, 'title': 'Desks'}"));
    assert_string_equal(story_fact(story, "POL-0001", "title"), "Desks");
    assert_string_equal(story_field(story, "POL-0001", "count"), "3");
    assert_string_not_equal(story_fact(story, "POL-0001", "digest"), first);
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'count': null}}"));
    assert_string_equal(story_field(story, "POL-0001", "count"), "");
    assert_refused(story_do(story, "finn", "edit", "POL-0001", "{'set': {'count': 4}}"), 403,
                   "not-allowed");
    assert_string_equal(story_fact(story, "POL-0001", "revision"), "3");
    story_end(story);
}

static void a_title_is_one_line_that_says_something(void **state)
{
    static const char *const bad[] = {"", "   ", "Clean\\ndesk", "Clean\\u001b[31mdesk",
                                      "Clean\\u0085desk"};
    struct story *story = with_policy();
    char args[200];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(args, sizeof args, "{'title': '%s'}", bad[i]);
        assert_refused(story_do(story, "amara", "edit", "POL-0001", args), 422, "guard-failed");
        snprintf(args, sizeof args, "{'kind': 'policy', 'title': '%s'}", bad[i]);
        assert_refused(story_do(story, "amara", "open", NULL, args), 422, "guard-failed");
    }
    assert_refused(story_do(story, "amara", "edit", "POL-0001", "{}"), 400, "malformed");
    assert_string_equal(story_fact(story, "POL-0001", "title"), "Clean desk");
    assert_done(
        story_do(story, "amara", "edit", "POL-0001",
                 "{'title': '\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x8e\x89 \xc3\xa4'}"));
    story_end(story);
}

static void a_field_of_the_wrong_shape_is_refused(void **state)
{
    static const char *const wrong[] = {"{'set': {'count': 10}}",
                                        "{'set': {'count': 'many'}}",
                                        "{'set': {'grade': 'highest'}}",
                                        "{'set': {'places': [{'where': 'x'}]}}",
                                        "{'set': {'places': [{'rooms': 'a'}]}}",
                                        "{'set': {'places': 'Lyon'}}",
                                        "{'set': {'effective_from': '2026-02-30'}}",
                                        "{'set': {'reviewers': ['zoe']}}",
                                        "{'set': {'no_such': 1}}",
                                        "{'set': {'text': 7}}",
                                        "{'set': {'attachments': ['x']}}"};
    struct story *story = with_policy();
    uint64_t before = story_size(story);

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(story_do(story, "amara", "edit", "POL-0001", wrong[i]), 422, "guard-failed");
    assert_refused(story_do(story, "amara", "edit", "POL-0001", "{'set': 3}"), 400, "malformed");
    assert_refused(story_do(story, "amara", "edit", "POL-0001", "{}"), 400, "malformed");
    assert_refused(story_do(story, "amara", "edit", "POL-0007", "{}"), 404, "no-record");
    assert_refused(story_do(story, "amara", "dance", "POL-0001", "{}"), 405, "unknown-command");
    assert_refused(story_do(story, "amara", "submit", "POL-0001", "{'hurry': true}"), 400,
                   "unknown-key");
    assert_int_equal(story_size(story), before);
    story_end(story);
}

static void a_link_goes_to_a_record_and_to_nothing_else(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'action', 'title': 'A', 'links': [['about', 'person/bo']]}"),
                   404, "no-record");
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'action', 'title': 'A', 'links': [['about', 'journal']]}"),
                   404, "no-record");
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'action', 'title': 'A', 'links': ['POL-0001']}"),
                   422, "guard-failed");
    assert_refused(
        story_do(story, "amara", "open", NULL,
                 "{'kind': 'action', 'title': 'A', 'links': [['supersedes', 'POL-0001']]}"),
        422, "guard-failed");
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'A', 'links': [['about', 'POL-0001']]}"));
    assert_string_equal(
        story_fact(story, "ACT-0001", "links"),
        "[{\"kind\": \"policy\", \"record\": \"POL-0001@1.0\", \"stage\": \"draft\", "
        "\"state\": \"draft\", \"title\": \"Clean desk\", \"type\": \"about\"}]");
    story_end(story);
}

static void a_signature_that_nobody_checks_is_not_taken(void **state)
{
    struct story *story = with_policy();
    uint64_t before = story_size(story);

    (void)state;
    assert_refused(story_do_scribbled(story, "amara", "open", NULL, policy), 400, "malformed");
    assert_refused(story_do_scribbled(story, "amara", "edit", "POL-0001", "{'title': 'Other'}"),
                   400, "malformed");
    assert_int_equal(story_size(story), before);
    story_end(story);
}

static void the_revision_in_the_arguments_counts_as_much_as_that_of_the_envelope(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_refused(
        story_do(story, "amara", "edit", "POL-0001", "{'title': 'Other', 'if_revision': 9}"), 409,
        "revision-mismatch");
    assert_refused(
        story_do(story, "amara", "edit", "POL-0001", "{'title': 'Other', 'on_behalf_of': 'bo'}"),
        400, "malformed");
    assert_done(
        story_do(story, "amara", "edit", "POL-0001", "{'title': 'Other', 'if_revision': 1}"));
    story_end(story);
}

static void a_record_that_many_link_to_outgrows_no_row(void **state)
{
    struct story *story = with_policy();
    const char *args = "{'kind': 'policy', 'title': 'P', 'links': "
                       "[['a_type_of_link_that_is_as_long_as_names_may_be_here', 'POL-0001']]}";

    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_done(story_do(story, "amara", "open", NULL, args));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'title': 'Still here'}"));
    assert_string_equal(story_fact(story, "POL-0001", "title"), "Still here");
    story_end(story);
}

static void a_policy_that_is_not_complete_cannot_be_submitted(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{'kind': 'policy', 'title': 'Empty'}"));
    assert_refused(story_do(story, "amara", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_non_null(strstr(story_sentence(story), "text"));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'text': 'x'}}"));
    assert_refused(story_do(story, "amara", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story), "Name one place that is inside.");
    assert_done(
        story_do(story, "amara", "edit", "POL-0001",
                 "{'set': {'places': [{'name': 'Lyon', 'inside': true}, {'rooms': ['a', 'b']}]}}"));
    assert_refused(story_do(story, "amara", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_non_null(strstr(story_sentence(story), "places[2].name"));
    assert_done(story_do(story, "amara", "edit", "POL-0001",
                         "{'set': {'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    story_end(story);
}

/* ---- approval ---- */

static void a_submission_asks_everyone_who_can_sign(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *round;

    (void)state;
    assert_string_equal(story_reply(story, "state"), "");
    assert_string_equal(story_fact(story, "POL-0001", "phase"), "awaiting_approval");
    round = story_row(story, "POL-0001@1.0/round/1");
    assert_int_equal(value_get_int(round, "need", 0), 2);
    assert_int_equal(value_get(round, "ask")->count, 2);
    assert_int_equal(value_get(round, "tasks")->count, 2);
    assert_int_equal(story_task_count(story, "approval.request", "POL-0001@1.0"), 2);
    assert_true(story_may(story, "bo", "POL-0001", "approve"));
    assert_false(story_may(story, "amara", "POL-0001", "approve"));
    assert_refused(story_do(story, "amara", "submit", "POL-0001", NULL), 409, "wrong-state");
    story_end(story);
}

static void two_votes_grant(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    story_at(story, "2026-03-03T10:00:00Z");
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 1);
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", NULL), 409, "wrong-state");
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_reply(story, "state"), "approved");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    assert_string_equal(
        value_show(story_arena(story), value_get(story_row(story, "POL-0001@1.0"), "did")),
        "{\"approve\": [\"bo\", \"cleo\"], \"create\": [\"amara\"], "
        "\"submit\": [\"amara\"]}");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_true(
        slice_is(value_get_text(story_row(story, "POL-0001@1.0/round/1"), "state"), "granted"));
    story_end(story);
}

static void whoever_wrote_it_cannot_approve_it(void **state)
{
    struct story *story = story_begin();

    (void)state;
    /* Two of three can still sign when one of those who could has written it: not with two alone. */
    assert_done(story_do(story, "bo", "open", NULL, policy));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_non_null(strstr(story_sentence(story), "cannot be granted"));
    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "amara", "submit", "POL-0002", NULL));
    assert_refused(story_sign(story, "amara", "approve", "POL-0002", NULL), 403,
                   "separation-of-duties");
    assert_string_equal(story_leaf_type(story, 0), "refusal.separation-of-duties");
    assert_refused(story_sign(story, "finn", "approve", "POL-0002", NULL), 403, "not-allowed");
    assert_string_equal(story_fact(story, "POL-0002", "state"), "draft");
    story_end(story);
}

static void taking_back_by_editing_makes_the_votes_void(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'text': 'Another text.'}}"));
    assert_true(
        slice_is(value_get_text(story_row(story, "POL-0001@1.0/round/1"), "state"), "void"));
    assert_string_equal(story_fact(story, "POL-0001", "phase"), "editing");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_refused(story_do(story, "cleo", "approve", "POL-0001", NULL), 409, "wrong-state");
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_refused(story_sign_round(story, "bo", "approve", "POL-0001", 1), 409, "stale-content");
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    assert_int_equal(
        value_get(story_ask(story, "amara", "show", "{'record': 'POL-0001'}"), "rounds")->count, 2);
    story_end(story);
}

static void a_signature_over_other_content_is_refused(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    assert_refused(story_sign_stale(story, "bo", "approve", "POL-0001"), 409, "stale-content");
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", "{'meaning': 'reviewed'}"), 403,
                   "not-allowed");
    assert_refused(story_do(story, "bo", "approve", "POL-0001", "{'round': 1}"), 403,
                   "not-allowed");
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", "{'set': {'count': 1}}"), 400,
                   "malformed");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    story_end(story);
}

static void a_signature_with_another_key_is_refused(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    assert_refused(story_sign_forged(story, "bo", "amara", "approve", "POL-0001"), 403,
                   "not-allowed");
    assert_non_null(strstr(story_sentence(story), "does not match"));
    assert_null(value_get(story_row(story, "POL-0001@1.0/round/1"), "votes"));
    story_end(story);
}

static void whoever_edited_it_cannot_approve_it_either(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(
        story_do(story, "amara", "open", NULL,
                 "{'kind': 'policy', 'title': 'Clean desk', 'owner': 'bo', 'fields': {"
                 "'text': 'Lock it away.', 'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_done(
        story_do(story, "bo", "edit", "POL-0001", "{'set': {'text': 'Lock it all away.'}}"));
    assert_refused(story_do(story, "amara", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_non_null(strstr(story_sentence(story), "2 signatures and 1 people"));
    story_end(story);
}

/* What is set by the event that submits is an edit like any other. */
static void whoever_set_a_field_while_submitting_cannot_approve_it(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(
        story_do(story, "amara", "open", NULL,
                 "{'kind': 'policy', 'title': 'Clean desk', 'owner': 'bo', 'fields': {"
                 "'text': 'Lock it away.', 'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", "{'set': {'text': 'Mine.'}}"), 422,
                   "guard-failed");
    assert_non_null(strstr(story_sentence(story), "2 signatures and 1 people"));
    story_end(story);
}

static void one_refusal_ends_it_and_one_return_sends_it_back(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    assert_refused(story_sign(story, "bo", "return", "POL-0001", NULL), 422, "guard-failed");
    assert_done(story_sign(story, "bo", "return", "POL-0001", REASON));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    assert_true(
        slice_is(value_get_text(story_row(story, "POL-0001@1.0/round/1"), "state"), "returned"));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "reject", "POL-0001", REASON));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "rejected");
    assert_string_equal(story_fact(story, "POL-0001", "stage"), "closed");
    story_end(story);
}

static void a_reviewer_who_is_not_asked_may_return_it_and_nothing_else(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'reviewers': ['finn']}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_refused(story_sign(story, "finn", "approve", "POL-0001", NULL), 403, "not-allowed");
    assert_true(story_may(story, "finn", "POL-0001", "return"));
    assert_done(story_sign(story, "finn", "return", "POL-0001", REASON));
    assert_true(
        slice_is(value_get_text(story_row(story, "POL-0001@1.0/round/2"), "state"), "returned"));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_false(story_may(story, "cleo", "POL-0001", "approve"));
    story_end(story);
}

static void a_round_that_nobody_completes_expires(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_until(story, "2026-03-23T00:00:00Z");
    assert_true(
        slice_is(value_get_text(story_row(story, "POL-0001@1.0/round/1"), "state"), "expired"));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_string_equal(story_fact(story, "POL-0001", "timers"), "[]");
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    story_end(story);
}

/* ---- in force, and after ---- */

static void the_effective_date_puts_it_in_force(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(
        story_do(story, "amara", "edit", "POL-0001", "{'set': {'effective_from': '2026-04-01'}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_non_null(strstr(story_fact(story, "POL-0001", "timers"), "round.expires"));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_null(strstr(story_fact(story, "POL-0001", "timers"), "round.expires"));
    assert_refused(story_do(story, "eve", "put_in_force", "POL-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story), "Its day has not come.");
    story_until(story, "2026-03-31T23:59:59Z");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    story_until(story, "2026-04-01T00:00:00Z");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "in_force");
    assert_string_equal(story_fact(story, "POL-0001", "valid"), "true");
    assert_string_equal(story_fact(story, "POL-0001", "effective"), "2026-04-01");
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2027-04-01");
    assert_true(slice_is(value_get_text(story_row(story, "POL-0001"), "valid"), "1.0"));
    story_end(story);
}

static void the_review_begins_by_itself_and_moves_the_date_on(void **state)
{
    struct story *story = with_policy_in_force();

    (void)state;
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2027-03-02");
    story_until(story, "2027-01-31T00:00:00Z");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "under_review");
    assert_string_equal(story_fact(story, "POL-0001", "valid"), "true");
    assert_done(story_sign(story, "amara", "reaffirm", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "in_force");
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2028-01-31");
    story_end(story);
}

static bool is_what_its_round_asks_about(struct story *story, const char *record)
{
    const struct value *asked =
        story_row(story, arena_printf(story_arena(story), "%s/round/1", record));

    return value_equal(value_get(asked, "digest"), value_get(story_row(story, record), "digest"));
}

/* What the engine keeps of a version in force, the day of its next review, is nobody's content. */
static void the_digest_that_was_signed_stays_until_people_change_content(void **state)
{
    struct story *story = with_submitted_policy();
    char digest[80];

    (void)state;
    snprintf(digest, sizeof digest, "%s", story_fact(story, "POL-0001", "digest"));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2027-03-02");
    assert_string_equal(story_fact(story, "POL-0001", "digest"), digest);
    assert_true(is_what_its_round_asks_about(story, "POL-0001@1.0"));
    story_until(story, "2027-01-31T00:00:00Z");
    assert_done(story_sign(story, "amara", "reaffirm", "POL-0001", NULL));
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2028-01-31");
    assert_string_equal(story_fact(story, "POL-0001", "digest"), digest);
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_string_equal(story_fact(story, "POL-0001@1.0", "digest"), digest);
    snprintf(digest, sizeof digest, "%s", story_fact(story, "POL-0001@2.0", "digest"));
    assert_refused(story_do(story, "amara", "edit", "POL-0001@2.0",
                            "{'set': {'next_review_due': '2030-01-01'}}"),
                   422, "guard-failed");
    assert_done(story_do(story, "amara", "edit", "POL-0001@2.0",
                         "{'set': {'first_review': '2027-06-01'}}"));
    assert_string_not_equal(story_fact(story, "POL-0001@2.0", "digest"), digest);
    story_end(story);
}

static void the_first_review_is_on_the_day_that_people_chose(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(
        story_do(story, "amara", "edit", "POL-0001", "{'set': {'first_review': '2026-09-01'}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2026-09-01");
    story_until(story, "2026-08-02T00:00:00Z");
    assert_done(story_sign(story, "amara", "reaffirm", "POL-0001", NULL));
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2027-08-02");
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_string_equal(story_field(story, "POL-0001@2.0", "first_review"), "");
    story_end(story);
}

/* A figure that the engine computes from what people wrote, as it asks them to sign. */
static void what_is_computed_for_the_signature_is_part_of_it(void **state)
{
    struct story *story = story_begin();
    char digest[80];

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'pledge', 'title': 'Keys', 'fields': {'amount': 4}}"));
    snprintf(digest, sizeof digest, "%s", story_fact(story, "PLG-0001", "digest"));
    assert_done(story_do(story, "amara", "submit", "PLG-0001", NULL));
    assert_string_equal(story_field(story, "PLG-0001", "deposit"), "8");
    assert_string_not_equal(story_fact(story, "PLG-0001", "digest"), digest);
    assert_true(is_what_its_round_asks_about(story, "PLG-0001@1.0"));
    story_end(story);
}

static void a_change_opens_the_successor_which_supersedes_in_one_run(void **state)
{
    struct story *story = with_policy_in_force();
    uint64_t before;

    (void)state;
    assert_refused(story_do(story, "amara", "decide_change", "POL-0001", NULL), 422,
                   "guard-failed");
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_string_equal(story_reply(story, "successor"), "POL-0001@2.0");
    assert_string_equal(story_fact(story, "POL-0001@1.0", "state"), "changed");
    assert_string_equal(story_fact(story, "POL-0001", "record"), "POL-0001@2.0");
    assert_string_equal(story_field(story, "POL-0001@2.0", "text"), "Lock it away.");
    assert_string_equal(story_field(story, "POL-0001@2.0", "next_review_due"), "");
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'text': 'Burn it.'}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    before = story_size(story);
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_true(story_size(story) - before >= 2);
    assert_string_equal(story_fact(story, "POL-0001@1.0", "state"), "superseded");
    assert_string_equal(story_fact(story, "POL-0001@1.0", "valid"), "false");
    assert_string_equal(story_fact(story, "POL-0001@1.0", "superseded_by"), "POL-0001@2.0");
    assert_string_equal(story_fact(story, "POL-0001@2.0", "valid"), "true");
    assert_true(slice_is(value_get_text(story_row(story, "POL-0001"), "valid"), "2.0"));
    story_end(story);
}

static void a_change_that_is_given_up_leaves_no_trace_in_the_way(void **state)
{
    struct story *story = with_policy_in_force();

    (void)state;
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_done(story_do(story, "amara", "abandon_change", "POL-0001@1.0", NULL));
    assert_string_equal(story_fact(story, "POL-0001@2.0", "state"), "withdrawn");
    assert_string_equal(story_fact(story, "POL-0001", "record"), "POL-0001@1.0");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "in_force");
    /* Once more, and this time the draft is withdrawn first. */
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_string_equal(story_reply(story, "successor"), "POL-0001@3.0");
    assert_done(story_do(story, "amara", "withdraw", "POL-0001@3.0", REASON));
    assert_done(story_do(story, "amara", "abandon_change", "POL-0001@1.0", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "record"), "POL-0001@1.0");
    assert_string_equal(story_fact(story, "POL-0001@3.0", "state"), "withdrawn");
    story_end(story);
}

static void a_minor_change_needs_one_signature(void **state)
{
    struct story *story = with_policy_in_force();

    (void)state;
    assert_done(story_do(story, "amara", "decide_change", "POL-0001",
                         "{'change': 'minor', 'reason': " STORY_REASON "}"));
    assert_string_equal(story_reply(story, "successor"), "POL-0001@1.1");
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    story_end(story);
}

static void everyone_who_is_asked_acknowledges_once(void **state)
{
    struct story *story = with_policy_in_force();

    (void)state;
    assert_string_equal(story_fact(story, "POL-0001", "acks_waiting"), "[\"eve\", \"finn\"]");
    assert_refused(story_do(story, "bo", "ack", "POL-0001", NULL), 403, "not-allowed");
    assert_done(story_do(story, "finn", "ack", "POL-0001", NULL));
    assert_refused(story_do(story, "finn", "ack", "POL-0001", NULL), 409, "wrong-state");
    assert_string_equal(story_fact(story, "POL-0001", "acks_waiting"), "[\"eve\"]");
    story_end(story);
}

static void who_declines_says_why_and_may_acknowledge_later(void **state)
{
    static const char why[] = "{'reason': " STORY_REASON "}";
    struct story *story = with_policy_in_force();
    int told = story_task_count(story, "communication.deliver", "POL-0001@1.0");

    (void)state;
    assert_refused(story_do(story, "finn", "decline_ack", "POL-0001", NULL), 422, "guard-failed");
    assert_refused(story_do(story, "bo", "decline_ack", "POL-0001", why), 403, "not-allowed");
    assert_done(story_do(story, "finn", "decline_ack", "POL-0001", why));
    assert_true(story_is_repetition(story));
    /* The owner hears of it; it is not counted, and waits on. */
    assert_int_equal(story_task_count(story, "communication.deliver", "POL-0001@1.0"), told + 1);
    assert_string_equal(story_fact(story, "POL-0001", "acks"), "[]");
    assert_string_equal(story_fact(story, "POL-0001", "acks_waiting"), "[\"eve\", \"finn\"]");
    assert_non_null(strstr(story_fact(story, "POL-0001", "acks_declined"), "\"finn\""));
    assert_done(story_do(story, "finn", "ack", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "acks_waiting"), "[\"eve\"]");
    assert_string_equal(story_fact(story, "POL-0001", "acks_declined"), "[]");
    assert_refused(story_do(story, "finn", "decline_ack", "POL-0001", why), 409, "wrong-state");
    story_end(story);
}

/* ---- commands ---- */

static void a_command_that_is_repeated_is_known_by_its_first_leaf(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_true(story_is_repetition(story));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'count': 3}}"));
    assert_true(story_is_repetition(story));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_true(story_is_repetition(story));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_true(story_is_repetition(story));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_is_opened_as_a_draft),
        cmocka_unit_test(what_nobody_may_open_is_refused_and_journaled),
        cmocka_unit_test(refusals_are_journaled_so_many_an_hour_and_not_more),
        cmocka_unit_test(what_was_beyond_is_one_leaf_that_says_how_many),
        cmocka_unit_test(a_draft_is_edited_by_its_author_alone),
        cmocka_unit_test(a_title_is_one_line_that_says_something),
        cmocka_unit_test(a_field_of_the_wrong_shape_is_refused),
        cmocka_unit_test(a_link_goes_to_a_record_and_to_nothing_else),
        cmocka_unit_test(a_signature_that_nobody_checks_is_not_taken),
        cmocka_unit_test(the_revision_in_the_arguments_counts_as_much_as_that_of_the_envelope),
        cmocka_unit_test(a_record_that_many_link_to_outgrows_no_row),
        cmocka_unit_test(a_policy_that_is_not_complete_cannot_be_submitted),
        cmocka_unit_test(a_submission_asks_everyone_who_can_sign),
        cmocka_unit_test(two_votes_grant),
        cmocka_unit_test(whoever_wrote_it_cannot_approve_it),
        cmocka_unit_test(taking_back_by_editing_makes_the_votes_void),
        cmocka_unit_test(a_signature_over_other_content_is_refused),
        cmocka_unit_test(a_signature_with_another_key_is_refused),
        cmocka_unit_test(whoever_edited_it_cannot_approve_it_either),
        cmocka_unit_test(whoever_set_a_field_while_submitting_cannot_approve_it),
        cmocka_unit_test(one_refusal_ends_it_and_one_return_sends_it_back),
        cmocka_unit_test(a_reviewer_who_is_not_asked_may_return_it_and_nothing_else),
        cmocka_unit_test(a_round_that_nobody_completes_expires),
        cmocka_unit_test(the_effective_date_puts_it_in_force),
        cmocka_unit_test(the_review_begins_by_itself_and_moves_the_date_on),
        cmocka_unit_test(the_digest_that_was_signed_stays_until_people_change_content),
        cmocka_unit_test(the_first_review_is_on_the_day_that_people_chose),
        cmocka_unit_test(what_is_computed_for_the_signature_is_part_of_it),
        cmocka_unit_test(a_change_opens_the_successor_which_supersedes_in_one_run),
        cmocka_unit_test(a_change_that_is_given_up_leaves_no_trace_in_the_way),
        cmocka_unit_test(a_minor_change_needs_one_signature),
        cmocka_unit_test(everyone_who_is_asked_acknowledges_once),
        cmocka_unit_test(who_declines_says_why_and_may_acknowledge_later),
        cmocka_unit_test(a_command_that_is_repeated_is_known_by_its_first_leaf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
