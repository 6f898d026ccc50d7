/* test_story_delegation.c - stories of substitution: who is asked instead, who signs for whom, and what may not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "core/leaf.h"
#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"

/* A poll that these people are asked in (most of them decide); amara wrote it. */
static struct story *asking(const char *people)
{
    struct story *story = story_begin_with("tests/core/pack_rounds");
    char *args = arena_printf(story_arena(story),
                              "{'kind': 'poll', 'title': 'It', 'fields': {'people': %s}}", people);

    assert_done(story_do(story, "amara", "open", NULL, args));
    return story;
}

static void submit(struct story *story)
{
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
}

static int give(struct story *story, const char *who, const char *to, const char *more)
{
    return story_sign(
        story, who, "delegation.give", NULL,
        arena_printf(story_arena(story), "{'to': '%s', 'reason': " STORY_REASON "%s}", to, more));
}

static int end(struct story *story, const char *who, const char *number)
{
    return story_do(story, who, "delegation.end", NULL,
                    arena_printf(story_arena(story), "{'delegation': '%s'}", number));
}

/* As asked for; {'for': X}. */
static int sign_for(struct story *story, const char *who, const char *event, const char *whom)
{
    return story_sign(
        story, who, event, "POL-0001",
        arena_printf(story_arena(story), "{'for': '%s', 'reason': " STORY_REASON "}", whom));
}

static const char *of_round(struct story *story, const char *map, const char *person)
{
    const struct value *row = story_row(story, "POL-0001/round/1");
    struct slice text = value_get_text(value_get(row, map), person);

    return arena_copy(story_arena(story), text.at, text.len);
}

static bool waits_for(struct story *story, const char *who)
{
    return story_ask(story, who, "inbox", "{}")->count > 0;
}

/* ---- given ---- */

static void a_request_goes_to_the_delegate_and_both_names_are_kept(void **state)
{
    struct story *story = asking("['bo', 'cleo']");
    const struct value *item, *vote;
    struct leaf leaf;

    (void)state;
    assert_done(give(story, "bo", "finn", ""));
    submit(story);
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    item = &story_ask(story, "finn", "inbox", "{}")->as.items[0];
    assert_true(slice_is(value_get_text(item, "for"), "bo"));
    assert_true(slice_is(value_get_text(item, "delegation"), "DEL-0001"));
    assert_true(slice_is(value_get_text(story_ask(story, "finn", "prepare",
                                                  "{'record': 'POL-0001', 'event': 'approve'}"),
                                        "for"),
                         "bo"));
    assert_done(sign_for(story, "finn", "approve", "bo"));
    leaf = story_leaf(story, story_size(story) - 1);
    assert_true(slice_is(leaf.actor, "finn"));
    assert_true(slice_is(leaf.stream, "POL-0001/round/1/finn"));
    assert_true(slice_is(value_get_text(&leaf.body, "for"), "bo"));
    assert_string_equal(of_round(story, "delegates", "bo"), "finn");
    vote = value_get(
        value_get(value_get(story_ask(story, "amara", "show", "{'record': 'POL-0001'}"), "round"),
                  "votes"),
        "finn");
    assert_true(slice_is(value_get_text(vote, "for"), "bo"));
    assert_true(slice_is(value_get_text(vote, "delegation"), "DEL-0001"));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "passed");
    assert_string_equal(story_fact(story, "POL-0001", "did"),
                        "{\"approve\": [\"cleo\", \"finn\", \"bo\"], \"move\": [\"amara\"], "
                        "\"submit\": [\"amara\"]}");
    story_end(story);
}

static void it_says_in_the_sentence_for_whom(void **state)
{
    struct story *story = asking("['bo', 'cleo']");
    const struct value *prepared;
    struct slice statement;

    (void)state;
    submit(story);
    assert_done(give(story, "bo", "finn", ""));
    prepared = story_ask(story, "finn", "prepare", "{'record': 'POL-0001', 'event': 'approve'}");
    statement = value_get_text(prepared, "statement");
    assert_non_null(memmem(statement.at, statement.len, "In the place of bo.", 19));
    story_end(story);
}

static void open_requests_move_and_come_back(void **state)
{
    struct story *story = asking("['bo', 'cleo']");
    int64_t task;

    (void)state;
    submit(story);
    task = story_task(story, "approval.request", "POL-0001");
    assert_done(give(story, "bo", "finn", ""));
    assert_int_equal(story_task_count(story, "approval.request", "POL-0001"), 2);
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    assert_null(story_row(story, arena_printf(story_arena(story), "task/%lld", (long long)task)));
    assert_true(waits_for(story, "finn"));
    assert_done(end(story, "bo", "DEL-0001"));
    assert_string_equal(of_round(story, "asked", "bo"), "");
    assert_int_equal(story_task_count(story, "approval.request", "POL-0001"), 2);
    assert_false(waits_for(story, "finn"));
    assert_refused(sign_for(story, "finn", "approve", "bo"), 403, "not-allowed");
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

static void its_days_act_by_themselves(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    submit(story);
    assert_done(give(story, "bo", "finn", ", 'from': '2026-03-04', 'until': '2026-03-05'"));
    assert_string_equal(of_round(story, "asked", "bo"), "");
    assert_refused(sign_for(story, "finn", "approve", "bo"), 403, "not-allowed");
    story_until(story, "2026-03-04T00:00:00Z");
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    assert_true(waits_for(story, "finn"));
    story_until(story, "2026-03-05T23:59:59Z");
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    story_until(story, "2026-03-06T00:00:00Z");
    assert_string_equal(of_round(story, "asked", "bo"), "");
    assert_refused(sign_for(story, "finn", "approve", "bo"), 403, "not-allowed");
    assert_int_equal(story_ask(story, "bo", "delegations", "{}")->count, 0);
    assert_int_equal(story_ask(story, "bo", "delegations", "{'all': true}")->count, 1);
    assert_refused(end(story, "bo", "DEL-0001"), 409, "wrong-state");
    story_end(story);
}

static void the_delegator_may_vote_after_all_and_then_nobody_for_him(void **state)
{
    struct story *story = asking("['bo', 'cleo', 'dana']");

    (void)state;
    assert_done(give(story, "bo", "finn", ""));
    submit(story);
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_refused(sign_for(story, "finn", "reject", "bo"), 409, "wrong-state");
    story_end(story);
}

static void the_delegate_has_voted_and_the_delegator_cannot_again(void **state)
{
    struct story *story = asking("['bo', 'cleo', 'dana']");

    (void)state;
    assert_done(give(story, "bo", "finn", ""));
    submit(story);
    assert_done(sign_for(story, "finn", "approve", "bo"));
    assert_refused(story_sign(story, "bo", "reject", "POL-0001", REASON), 409, "wrong-state");
    assert_string_equal(story_sentence(story),
                        "Somebody has voted in this round in the place of bo already.");
    story_end(story);
}

/* Every letter has gone out: no request is open any more when somebody begins to stand in. */
static void deliver_all(struct story *story)
{
    int64_t task;

    while ((task = story_task(story, "approval.request", NULL)) >= 0)
        assert_done(story_settle(story, task, 200, 0));
}

static void a_request_that_was_delivered_goes_to_the_delegate_and_comes_back(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    submit(story);
    deliver_all(story);
    assert_done(give(story, "bo", "finn", ", 'from': '2026-03-04', 'until': '2026-03-05'"));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    story_until(story, "2026-03-04T00:00:00Z");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 1);
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    deliver_all(story);
    story_until(story, "2026-03-06T00:00:00Z");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 1);
    assert_string_equal(of_round(story, "asked", "bo"), "");
    deliver_all(story);
    assert_done(give(story, "bo", "finn", "")); /* and at once, where it begins at once */
    assert_int_equal(story_task_count(story, "approval.request", NULL), 1);
    deliver_all(story);
    assert_done(end(story, "bo", "DEL-0002"));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 1);
    assert_true(story_has_row(story, "asks/bo/POL-0001"));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_false(story_has_row(story, "asks/bo/POL-0001"));
    story_end(story);
}

/* ---- writing in somebody's place ---- */

#define POLICY                                                                                     \
    "'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock.', "                        \
    "'places': [{'name': 'Lyon', 'inside': true}]}"

static void a_delegate_edits_and_both_are_editors(void **state)
{
    struct story *story = story_begin();
    struct leaf leaf;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{" POLICY ", 'owner': 'bo'}"));
    assert_refused(
        story_do(story, "finn", "edit", "POL-0001", "{'set': {'count': 1}, 'for': 'bo'}"), 403,
        "not-allowed");
    assert_done(give(story, "bo", "finn", ", 'onward': true"));
    assert_done(give(story, "finn", "cleo", ""));
    assert_refused(story_do(story, "finn", "edit", "POL-0001", "{'set': {'count': 1}}"), 403,
                   "not-allowed");
    assert_done(story_do(story, "cleo", "edit", "POL-0001", "{'set': {'count': 1}, 'for': 'bo'}"));
    leaf = story_leaf(story, story_size(story) - 1);
    assert_true(slice_is(leaf.actor, "cleo"));
    assert_true(slice_is(value_get_text(&leaf.body, "for"), "bo"));
    assert_string_equal(story_fact(story, "POL-0001", "editors"), "[\"amara\", \"cleo\", \"bo\"]");
    /* Of the two who could approve it both wrote it now. */
    assert_true(story_do(story, "amara", "submit", "POL-0001", NULL) != 200);
    assert_refused(
        story_do(story, "cleo", "edit", "POL-0001", "{'set': {'count': 1}, 'for': 'dana'}"), 403,
        "not-allowed");
    story_end(story);
}

static void a_delegate_who_gives_fields_with_an_event_makes_both_editors(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{" POLICY ", 'owner': 'gwen'}"));
    assert_done(give(story, "gwen", "finn", ""));
    assert_done(
        story_do(story, "finn", "submit", "POL-0001", "{'set': {'count': 1}, 'for': 'gwen'}"));
    assert_string_equal(story_fact(story, "POL-0001", "editors"),
                        "[\"amara\", \"finn\", \"gwen\"]");
    story_end(story);
}

static void a_delegate_opens_and_it_is_neithers_to_approve(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_refused(story_do(story, "finn", "open", NULL, "{" POLICY ", 'for': 'bo'}"), 403,
                   "not-allowed");
    assert_done(give(story, "bo", "finn", ", 'kinds': ['finding']"));
    assert_refused(story_do(story, "finn", "open", NULL, "{" POLICY ", 'for': 'bo'}"), 403,
                   "not-allowed");
    assert_done(give(story, "bo", "finn", ", 'kinds': ['policy'], 'roles': ['top_management']"));
    assert_done(story_do(story, "finn", "open", NULL, "{" POLICY ", 'for': 'bo'}"));
    assert_string_equal(story_fact(story, "POL-0001", "author"), "finn");
    assert_string_equal(story_fact(story, "POL-0001", "editors"), "[\"finn\", \"bo\"]");
    assert_string_equal(story_fact(story, "POL-0001", "did"), "{\"create\": [\"finn\", \"bo\"]}");
    story_end(story);
}

static void to_acknowledge_is_personal(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{" POLICY "}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_done(give(story, "finn", "eve", ""));
    assert_refused(story_do(story, "eve", "ack", "POL-0001", "{'for': 'finn'}"), 403,
                   "not-allowed");
    assert_non_null(strstr(story_sentence(story), "has read it oneself"));
    assert_done(story_do(story, "finn", "ack", "POL-0001", NULL));
    story_end(story);
}

/* ---- separation ---- */

static void one_person_votes_once_whoever_he_stands_in_for(void **state)
{
    struct story *story = asking("['bo', 'cleo', 'dana']");

    (void)state;
    assert_done(give(story, "bo", "finn", ""));
    assert_done(give(story, "cleo", "finn", ""));
    submit(story);
    /* One desk, one request: cleo is asked herself. */
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    assert_string_equal(of_round(story, "asked", "cleo"), "");
    assert_done(sign_for(story, "finn", "approve", "cleo"));
    assert_string_equal(of_round(story, "asked", "bo"), ""); /* it comes back to him */
    assert_refused(sign_for(story, "finn", "approve", "bo"), 403, "separation-of-duties");
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

static void who_is_asked_himself_votes_for_nobody_else(void **state)
{
    struct story *story = asking("['bo', 'cleo', 'dana']");

    (void)state;
    assert_done(give(story, "bo", "cleo", ""));
    submit(story);
    assert_string_equal(of_round(story, "asked", "bo"), "");
    assert_refused(sign_for(story, "cleo", "approve", "bo"), 403, "separation-of-duties");
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_refused(sign_for(story, "cleo", "approve", "bo"), 403, "separation-of-duties");
    story_end(story);
}

static void the_author_is_nobodys_delegate_for_his_own_text(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(give(story, "bo", "amara", ""));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock.', "
                         "'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001@1.0", NULL));
    assert_int_equal(story_ask(story, "amara", "inbox", "{}")->count, 0);
    assert_refused(story_sign(story, "amara", "approve", "POL-0001@1.0", "{'for': 'bo'}"), 403,
                   "separation-of-duties");
    story_end(story);
}

static void nobody_signs_in_a_place_that_was_not_given_to_him(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    submit(story);
    assert_refused(sign_for(story, "finn", "approve", "bo"), 403, "not-allowed");
    assert_refused(sign_for(story, "bo", "approve", "bo"), 403, "not-allowed");
    assert_refused(sign_for(story, "finn", "approve", "nobody"), 403, "not-allowed");
    assert_done(give(story, "bo", "finn", ""));
    /* Signed without a word of whose place it is, it is finn's own vote, and he is not asked. */
    assert_refused(story_sign(story, "finn", "approve", "POL-0001", "{'for': ''}"), 400,
                   "malformed");
    /* With the key of him who is away. */
    assert_refused(story_sign_by(story, "finn", "bo", "approve", "POL-0001"), 403, "not-allowed");
    story_end(story);
}

/* ---- scope ---- */

static void a_delegation_of_another_kind_or_role_is_none(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    assert_done(give(story, "bo", "finn", ", 'kinds': ['deed']"));
    assert_done(give(story, "bo", "eve", ", 'roles': ['top_management']"));
    submit(story);
    assert_string_equal(of_round(story, "asked", "bo"), "");
    assert_refused(sign_for(story, "finn", "approve", "bo"), 403, "not-allowed");
    assert_refused(sign_for(story, "eve", "approve", "bo"), 403, "not-allowed");
    assert_done(give(story, "bo", "dana", ", 'kinds': ['deed', 'poll'], 'roles': ['people']"));
    assert_string_equal(of_round(story, "asked", "bo"), "dana");
    assert_refused(give(story, "bo", "finn", ", 'kinds': ['poll', 'pol']"), 422, "guard-failed");
    story_end(story);
}

static void passed_on_only_where_that_is_allowed(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    assert_done(give(story, "bo", "finn", ""));
    assert_done(give(story, "finn", "eve", ""));
    submit(story);
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    assert_refused(sign_for(story, "eve", "approve", "bo"), 403, "not-allowed");
    assert_done(end(story, "bo", "DEL-0001"));
    assert_done(give(story, "bo", "finn", ", 'onward': true"));
    assert_string_equal(of_round(story, "asked", "bo"), "eve");
    assert_done(sign_for(story, "eve", "approve", "bo"));
    assert_string_equal(of_round(story, "delegates", "bo"), "eve");
    story_end(story);
}

static void who_is_kept_apart_does_not_pass_it_on_either(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(give(story, "bo", "amara", ", 'onward': true"));
    assert_done(give(story, "amara", "finn", ""));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock.', "
                         "'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001@1.0", NULL));
    assert_int_equal(story_ask(story, "finn", "inbox", "{}")->count, 0);
    assert_refused(story_sign(story, "finn", "approve", "POL-0001@1.0", "{'for': 'bo'}"), 403,
                   "not-allowed");
    story_end(story);
}

static void a_circle_is_refused_when_it_is_made(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    assert_done(give(story, "bo", "finn", ", 'from': '2026-04-01', 'until': '2026-04-30'"));
    assert_done(give(story, "finn", "eve", ", 'from': '2026-04-10'"));
    assert_refused(give(story, "eve", "bo", ", 'from': '2026-04-20', 'until': '2026-05-20'"), 409,
                   "wrong-state");
    assert_refused(give(story, "finn", "bo", ""), 409, "wrong-state");
    assert_refused(give(story, "bo", "bo", ""), 422, "guard-failed");
    /* In another time it is no circle. */
    assert_done(give(story, "eve", "bo", ", 'from': '2026-05-01', 'until': '2026-05-20'"));
    story_end(story);
}

/* ---- who may ---- */

static void for_somebody_absent_the_isms_manager_may_and_both_hear_of_it(void **state)
{
    struct story *story = asking("['bo', 'cleo']");
    const struct value *task;

    (void)state;
    assert_refused(give(story, "eve", "finn", ", 'of': 'bo'"), 403, "not-allowed");
    assert_refused(story_do(story, "bo", "delegation.give", NULL, REASON), 422, "guard-failed");
    assert_refused(story_do(story, "amara", "delegation.give", NULL, "{'to': 'finn', 'of': 'bo'}"),
                   422, "guard-failed");
    assert_refused(story_do(story, "bo", "delegation.give", NULL, "{'to': 'finn'}"), 422,
                   "guard-failed");
    assert_done(give(story, "amara", "finn", ", 'of': 'bo'"));
    assert_int_equal(story_task_count(story, "communication.deliver", NULL), 2);
    task = story_task_given(story, story_task(story, "communication.deliver", NULL));
    assert_true(
        slice_is(value_get_text(value_get(task, "input"), "subject"), "Delegation DEL-0001 given"));
    assert_refused(end(story, "eve", "DEL-0001"), 403, "not-allowed");
    assert_done(end(story, "finn", "DEL-0001")); /* nobody has to */
    assert_refused(end(story, "finn", "DEL-0002"), 404, "no-record");
    story_end(story);
}

static void whose_key_is_missing_is_told_before(void **state)
{
    struct story *story = story_begin_rooted();

    (void)state;
    assert_refused(give(story, "bo", "finn", ""), 422, "guard-failed");
    assert_non_null(strstr(story_sentence(story), "rota key new"));
    assert_done(story_enrol(story, "finn", "finn", 0, "root-1 root-2"));
    /* Nor does bo give anything away before there is a key by which it is his word. */
    assert_refused(give(story, "bo", "finn", ""), 403, "not-allowed");
    assert_done(story_enrol(story, "bo", "bo", 0, "root-1 root-2"));
    assert_done(give(story, "bo", "finn", ""));
    assert_true(story_is_repetition(story));
    story_end(story);
}

static void a_delegation_is_its_givers_signed_word(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    assert_refused(story_do(story, "bo", "delegation.give", NULL,
                            "{'to': 'finn', 'reason': " STORY_REASON "}"),
                   403, "not-allowed");
    assert_refused(story_sign(story, "bo", "delegation.give", NULL,
                              "{'to': 'finn', 'number': 'DEL-0002', 'reason': " STORY_REASON "}"),
                   409, "stale-content");
    assert_refused(story_sign_by(story, "bo", "finn", "delegation.give", NULL), 422,
                   "guard-failed");
    assert_done(give(story, "bo", "finn", ", 'kinds': ['poll'], 'until': '2026-03-20'"));
    assert_int_equal(story_leaf(story, story_size(story) - 1).actor_sig.len, SIGNATURE_LEN);
    story_end(story);
}

static void a_step_by_role_is_done_in_somebodys_place(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    submit(story);
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_refused(story_do(story, "finn", "finish", "POL-0001", NULL), 403, "not-allowed");
    assert_done(give(story, "amara", "finn", ", 'roles': ['author']"));
    assert_refused(story_do(story, "finn", "finish", "POL-0001", NULL), 403, "not-allowed");
    assert_true(
        value_get_bool(story_ask(story, "finn", "why", "{'record': 'POL-0001', 'event': 'finish'}"),
                       "allowed", false));
    assert_done(story_do(story, "finn", "finish", "POL-0001", "{'for': 'amara'}"));
    assert_non_null(
        strstr(story_fact(story, "POL-0001", "did"), "\"finish\": [\"finn\", \"amara\"]"));
    story_end(story);
}

/* ---- people who leave ---- */

static void leave(struct story *story, const char *who, const char *manager)
{
    assert_done(
        story_put_people(story, "amara",
                         arena_printf(story_arena(story),
                                      "{'people': [{'name': '%s', 'kind': 'person', 'roles': [], "
                                      "'not_after': 1, 'manager': '%s'}]}",
                                      who, manager)));
}

/* Finn's action, which he is to finish; amara accepts it. */
static struct story *with_action(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Mend it', 'fields': {'task': 'Mend', "
                         "'assignee': 'finn', 'due': '2026-03-20', 'result': 'Mended'}}"));
    return story;
}

static void what_a_leaver_had_to_do_falls_to_the_manager(void **state)
{
    struct story *story = with_action();
    const struct value *item;

    (void)state;
    assert_refused(story_do(story, "eve", "finish", "ACT-0001", NULL), 403, "not-allowed");
    leave(story, "finn", "eve");
    item = &story_ask(story, "eve", "inbox", "{}")->as.items[0];
    assert_true(slice_is(value_get_text(item, "record"), "ACT-0001"));
    assert_true(slice_is(value_get_text(item, "why"), "assignee, who has left"));
    assert_done(
        story_settle(story, story_task(story, "communication.deliver", "ACT-0001"), 200, 0));
    story_until(story, "2026-03-14T00:00:00Z"); /* the reminder goes to her too */
    item = story_task_given(story, story_task(story, "communication.deliver", "ACT-0001"));
    assert_true(slice_is(value_get_text(value_get(item, "input"), "person"), "eve"));
    assert_refused(story_do(story, "bo", "finish", "ACT-0001", NULL), 403, "not-allowed");
    assert_done(story_do(story, "eve", "finish", "ACT-0001", NULL));
    story_end(story);
}

static void without_a_manager_it_falls_to_the_role_that_owns_such_records(void **state)
{
    struct story *story = with_action();

    (void)state;
    leave(story, "eve", "");
    leave(story, "finn", "eve"); /* she has left as well */
    assert_true(story_may(story, "amara", "ACT-0001", "finish"));
    assert_false(story_may(story, "bo", "ACT-0001", "finish"));
    assert_done(story_do(story, "amara", "finish", "ACT-0001", NULL));
    /* Who steps in for a leaver is kept apart by what he did. */
    assert_refused(story_do(story, "amara", "accept", "ACT-0001", NULL), 403,
                   "separation-of-duties");
    assert_done(story_do(story, "dana", "accept", "ACT-0001", NULL));
    story_end(story);
}

static void a_delegate_who_leaves_is_asked_no_more(void **state)
{
    struct story *story = asking("['bo', 'cleo']");

    (void)state;
    assert_done(give(story, "bo", "finn", ""));
    submit(story);
    assert_string_equal(of_round(story, "asked", "bo"), "finn");
    leave(story, "finn", "eve");
    assert_string_equal(of_round(story, "asked", "bo"), "");
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

static void a_reminder_goes_to_the_delegate(void **state)
{
    struct story *story = asking("['bo']");
    const struct value *task;

    (void)state;
    assert_done(give(story, "bo", "finn", ""));
    submit(story);
    story_until(story, "2026-03-04T09:00:00Z");
    task = story_task_given(story, story_task(story, "communication.deliver", "POL-0001"));
    assert_true(slice_is(value_get_text(value_get(task, "input"), "person"), "finn"));
    story_end(story);
}

static void a_role_that_nobody_holds_is_named_and_the_isms_manager_is_told(void **state)
{
    struct story *story = story_begin();
    const struct value *task;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock.', "
                         "'places': [{'name': 'Lyon', 'inside': true}]}}"));
    leave(story, "bo", "");
    leave(story, "cleo", "");
    for (int i = 0; i < 2; i++) { /* told once */
        assert_refused(story_do(story, "amara", "submit", "POL-0001@1.0", NULL), 422,
                       "role-unheld");
        assert_non_null(strstr(story_sentence(story), "nobody holds the role top_management"));
        assert_string_equal(story_leaf_type(story, 0), "refusal.role-unheld");
        assert_int_equal(story_task_count(story, "communication.deliver", NULL), 1);
    }
    task = story_task_given(story, story_task(story, "communication.deliver", NULL));
    assert_true(slice_is(value_get_text(value_get(task, "input"), "person"), "amara"));
    story_pass(story, 2);
    assert_refused(story_do(story, "amara", "submit", "POL-0001@1.0", NULL), 422, "role-unheld");
    assert_int_equal(story_task_count(story, "communication.deliver", NULL), 2);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_was_delivered_goes_to_the_delegate_and_comes_back),
        cmocka_unit_test(a_delegate_edits_and_both_are_editors),
        cmocka_unit_test(a_delegate_who_gives_fields_with_an_event_makes_both_editors),
        cmocka_unit_test(a_delegate_opens_and_it_is_neithers_to_approve),
        cmocka_unit_test(to_acknowledge_is_personal),
        cmocka_unit_test(a_request_goes_to_the_delegate_and_both_names_are_kept),
        cmocka_unit_test(it_says_in_the_sentence_for_whom),
        cmocka_unit_test(open_requests_move_and_come_back),
        cmocka_unit_test(its_days_act_by_themselves),
        cmocka_unit_test(the_delegator_may_vote_after_all_and_then_nobody_for_him),
        cmocka_unit_test(the_delegate_has_voted_and_the_delegator_cannot_again),
        cmocka_unit_test(one_person_votes_once_whoever_he_stands_in_for),
        cmocka_unit_test(who_is_asked_himself_votes_for_nobody_else),
        cmocka_unit_test(the_author_is_nobodys_delegate_for_his_own_text),
        cmocka_unit_test(nobody_signs_in_a_place_that_was_not_given_to_him),
        cmocka_unit_test(a_delegation_of_another_kind_or_role_is_none),
        cmocka_unit_test(passed_on_only_where_that_is_allowed),
        cmocka_unit_test(who_is_kept_apart_does_not_pass_it_on_either),
        cmocka_unit_test(a_circle_is_refused_when_it_is_made),
        cmocka_unit_test(for_somebody_absent_the_isms_manager_may_and_both_hear_of_it),
        cmocka_unit_test(whose_key_is_missing_is_told_before),
        cmocka_unit_test(a_delegation_is_its_givers_signed_word),
        cmocka_unit_test(a_step_by_role_is_done_in_somebodys_place),
        cmocka_unit_test(what_a_leaver_had_to_do_falls_to_the_manager),
        cmocka_unit_test(without_a_manager_it_falls_to_the_role_that_owns_such_records),
        cmocka_unit_test(a_role_that_nobody_holds_is_named_and_the_isms_manager_is_told),
        cmocka_unit_test(a_delegate_who_leaves_is_asked_no_more),
        cmocka_unit_test(a_reminder_goes_to_the_delegate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
