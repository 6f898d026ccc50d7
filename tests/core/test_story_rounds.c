/* test_story_rounds.c - stories of approval in stages: who is asked when, what votes come to, and what ends a round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"

static struct story *with(const char *kind, const char *record, const char *fields)
{
    struct story *story = story_begin_with("tests/core/pack_rounds");
    char *args = arena_printf(story_arena(story), "{'kind': '%s', 'title': 'It', 'fields': %s}",
                              kind, fields);

    assert_done(story_do(story, "amara", "open", NULL, args));
    assert_done(story_do(story, "amara", "submit", record, NULL));
    return story;
}

/* Gwen is the lawyer; bo (the chair), cleo, dana and eve are the board, of whom cleo and dana are wardens. */
static struct story *with_deed(void)
{
    return with("deed", "DEE-0001",
                "{'lawyers': ['gwen', 'finn'], 'board': ['cleo', 'dana', 'eve'], 'chair': 'bo', "
                "'wardens': ['cleo', 'dana']}");
}

static const char *fact_of(struct story *story, const char *key, const char *fact)
{
    struct arena *arena = story_arena(story);
    struct slice text = value_get_text(story_row(story, key), fact);

    return arena_copy(arena, text.at, text.len);
}

static const char *stage_of(struct story *story, const char *round, const char *stage)
{
    const struct value *stages = value_get(story_row(story, round), "stage");
    struct slice text = value_get_text(value_get(stages, stage), "state");

    return arena_copy(story_arena(story), text.at, text.len);
}

/* ---- one after the other ---- */

static void the_board_is_asked_when_the_lawyers_have_signed(void **state)
{
    struct story *story = with_deed();
    const struct value *item;

    (void)state;
    assert_int_equal(story_task_count(story, "approval.request", "DEE-0001"), 2);
    assert_string_equal(stage_of(story, "DEE-0001/round/1", "board"), "waiting");
    assert_refused(story_sign(story, "cleo", "approve", "DEE-0001", NULL), 409, "wrong-state");
    assert_string_equal(story_sentence(story),
                        "Stage board of this round, in which cleo votes, has "
                        "not begun yet.");
    assert_int_equal(story_ask(story, "cleo", "inbox", "{}")->count, 0);

    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    assert_string_equal(stage_of(story, "DEE-0001/round/1", "legal"), "granted");
    assert_string_equal(stage_of(story, "DEE-0001/round/1", "board"), "open");
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "draft");
    /* Finn is not asked any more; bo, cleo, dana and eve are. */
    assert_int_equal(story_task_count(story, "approval.request", "DEE-0001"), 4);
    item = &story_ask(story, "cleo", "inbox", "{}")->as.items[0];
    assert_true(slice_is(value_get_text(item, "stage"), "board"));
    assert_true(slice_is(value_get_text(item, "why"), "board"));
    story_end(story);
}

static void a_vote_in_a_stage_that_is_decided_is_not_taken(void **state)
{
    struct story *story = with_deed();
    uint64_t size;

    (void)state;
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    size = story_size(story);
    assert_refused(story_sign(story, "finn", "reject", "DEE-0001", REASON), 409, "wrong-state");
    assert_int_equal(story_size(story), size);
    assert_false(story_may(story, "finn", "DEE-0001", "approve"));
    story_end(story);
}

static void each_stage_signs_its_own_meaning(void **state)
{
    struct story *story = with_deed();
    const struct value *task;

    (void)state;
    task = story_task_given(story, story_task(story, "approval.request", "DEE-0001"));
    assert_true(slice_is(value_get_text(value_get(task, "input"), "meaning"), "confirmed"));
    assert_refused(story_sign(story, "gwen", "approve", "DEE-0001", "{'meaning': 'approved'}"), 403,
                   "not-allowed");
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    task = story_task_given(story, story_task(story, "approval.request", "DEE-0001"));
    assert_true(slice_is(value_get_text(value_get(task, "input"), "meaning"), "approved"));
    assert_true(slice_is(value_get_text(value_get(task, "input"), "text"), "DEE-0001 2 board"));
    assert_true(slice_is(value_get_text(story_ask(story, "cleo", "prepare",
                                                  "{'record': 'DEE-0001', 'event': 'approve'}"),
                                        "meaning"),
                         "approved"));
    story_end(story);
}

/* The board weighs 5; 60 % of it are 3. */
static void the_chair_weighs_two_and_a_warden_must_sign(void **state)
{
    struct story *story = with_deed();

    (void)state;
    assert_done(story_sign(story, "finn", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "DEE-0001", NULL));
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "draft"); /* no warden yet */
    assert_done(story_sign(story, "dana", "approve", "DEE-0001", NULL));
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "passed");
    assert_string_equal(story_fact(story, "DEE-0001", "did"),
                        "{\"approve\": [\"bo\", \"dana\", \"eve\", \"finn\"], \"move\": "
                        "[\"amara\"], \"submit\": [\"amara\"]}");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    story_end(story);
}

static void a_veto_ends_the_round_and_is_waited_for(void **state)
{
    struct story *story = with_deed();

    (void)state;
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "dana", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "DEE-0001", NULL));
    assert_string_equal(story_fact(story, "DEE-0001", "state"),
                        "draft"); /* 3 of 5, but bo may speak */
    assert_done(story_sign(story, "bo", "reject", "DEE-0001", REASON));
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "failed");
    assert_string_equal(stage_of(story, "DEE-0001/round/1", "board"), "refused");
    story_end(story);
}

static void one_refusal_of_the_board_does_not_end_it_and_abstaining_lowers_the_bar(void **state)
{
    struct story *story = with_deed();

    (void)state;
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "eve", "reject", "DEE-0001", REASON));
    assert_done(story_sign(story, "bo", "abstain", "DEE-0001", NULL));
    /* 60 % of the 3 that are left, but not below 2. */
    assert_done(story_sign(story, "cleo", "approve", "DEE-0001", NULL));
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "draft");
    assert_done(story_sign(story, "dana", "approve", "DEE-0001", NULL));
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "passed");
    story_end(story);
}

/* ---- what ends it ---- */

static void a_return_in_the_second_stage_goes_back_to_the_first(void **state)
{
    struct story *story = with_deed();

    (void)state;
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "eve", "return", "DEE-0001", REASON));
    assert_string_equal(fact_of(story, "DEE-0001/round/1", "state"), "returned");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_done(
        story_do(story, "amara", "edit", "DEE-0001", "{'set': {'board': ['cleo', 'eve']}}"));
    assert_done(story_do(story, "amara", "submit", "DEE-0001", NULL));
    assert_string_equal(stage_of(story, "DEE-0001/round/2", "legal"), "open");
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    story_end(story);
}

static void an_edit_in_the_second_stage_voids_the_votes_of_both(void **state)
{
    struct story *story = with_deed();

    (void)state;
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "DEE-0001", NULL));
    assert_done(story_do(story, "amara", "edit", "DEE-0001", "{'title': 'That'}"));
    assert_string_equal(fact_of(story, "DEE-0001/round/1", "state"), "void");
    assert_string_equal(story_fact(story, "DEE-0001", "timers"), "[]");
    assert_done(story_do(story, "amara", "submit", "DEE-0001", NULL));
    assert_string_equal(stage_of(story, "DEE-0001/round/2", "board"), "waiting");
    story_end(story);
}

static void a_round_that_expires_comes_to_what_was_declared(void **state)
{
    struct story *story = with_deed();

    (void)state;
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    story_pass(story, 21);
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "failed");
    assert_string_equal(fact_of(story, "DEE-0001/round/1", "state"), "refused");
    assert_string_equal(fact_of(story, "DEE-0001/round/1", "why"), "expired");
    assert_string_equal(story_leaf_type(story, 1), "round.expired");
    assert_string_equal(story_leaf_type(story, 0), "record.reject");
    story_end(story);
}

static void a_round_that_expires_may_go_back(void **state)
{
    struct story *story = with("pact", "PAC-0001", "{'ours': ['dana'], 'theirs': ['eve']}");

    (void)state;
    story_pass(story, 21);
    assert_string_equal(story_fact(story, "PAC-0001", "state"), "draft");
    assert_string_equal(fact_of(story, "PAC-0001/round/1", "state"), "returned");
    assert_done(story_do(story, "amara", "submit", "PAC-0001", NULL));
    story_end(story);
}

static void silence_is_consent_only_where_it_would_be_enough(void **state)
{
    struct story *story = with("poll", "POL-0001", "{'people': ['bo', 'cleo', 'dana']}");

    (void)state;
    assert_done(story_sign(story, "bo", "reject", "POL-0001", REASON));
    story_pass(story, 11);
    assert_string_equal(story_fact(story, "POL-0001", "state"), "passed");
    assert_string_equal(fact_of(story, "POL-0001/round/1", "why"), "expired");

    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'poll', 'title': 'It', 'fields': {'people': ['bo', 'cleo', "
                         "'dana']}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0002", NULL));
    assert_done(story_sign(story, "bo", "reject", "POL-0002", REASON));
    assert_done(story_sign(story, "cleo", "reject", "POL-0002", REASON));
    story_pass(story, 11);
    assert_string_equal(story_fact(story, "POL-0002", "state"), "draft");
    assert_string_equal(fact_of(story, "POL-0002/round/1", "state"), "expired");
    assert_string_equal(story_leaf_type(story, 0), "round.closed");
    story_end(story);
}

static void a_tie_goes_back_when_everyone_has_voted(void **state)
{
    struct story *story = with("poll", "POL-0001", "{'people': ['bo', 'cleo', 'dana']}");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "reject", "POL-0001", REASON));
    assert_string_equal(fact_of(story, "POL-0001/round/1", "state"), "open");
    assert_done(story_sign(story, "dana", "abstain", "POL-0001", NULL));
    assert_string_equal(fact_of(story, "POL-0001/round/1", "state"), "returned");
    assert_string_equal(fact_of(story, "POL-0001/round/1", "why"), "tie");
    story_end(story);
}

/* ---- side by side ---- */

static void two_stages_at_once_and_one_after_both(void **state)
{
    struct story *story =
        with("pact", "PAC-0001", "{'ours': ['dana', 'finn'], 'theirs': ['eve', 'gwen']}");

    (void)state;
    assert_int_equal(story_task_count(story, "approval.request", NULL), 4);
    assert_done(story_sign(story, "eve", "approve", "PAC-0001", NULL));
    assert_done(story_sign(story, "dana", "approve", "PAC-0001", NULL));
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "there"), "granted");
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "here"), "open");
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "seal"), "waiting");
    assert_done(story_sign(story, "finn", "abstain", "PAC-0001", NULL));
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "seal"), "open");
    assert_done(story_sign(story, "cleo", "approve", "PAC-0001", NULL));
    assert_string_equal(story_fact(story, "PAC-0001", "state"), "passed");
    story_end(story);
}

static void a_stage_is_there_when_its_condition_holds(void **state)
{
    struct story *story = with("pact", "PAC-0001", "{'ours': ['dana'], 'theirs': ['eve']}");

    (void)state;
    assert_done(story_sign(story, "dana", "approve", "PAC-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "PAC-0001", NULL));
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "notary"), "");
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "seal"), "open");
    assert_done(story_do(story, "amara", "edit", "PAC-0001", "{'set': {'worth': 101}}"));
    assert_done(story_do(story, "amara", "submit", "PAC-0001", NULL));
    assert_done(story_sign(story, "dana", "approve", "PAC-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "PAC-0001", NULL));
    assert_string_equal(stage_of(story, "PAC-0001/round/2", "seal"), "waiting");
    assert_done(story_sign(story, "gwen", "approve", "PAC-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "PAC-0001", NULL));
    assert_string_equal(story_fact(story, "PAC-0001", "state"), "passed");
    story_end(story);
}

static void a_stage_whose_condition_cannot_be_told_is_not_left_out(void **state)
{
    struct story *story = with("pact", "PAC-0001", "{'ours': ['dana'], 'theirs': ['eve']}");

    (void)state;
    assert_done(story_do(story, "amara", "edit", "PAC-0001", "{'set': {'worth': null}}"));
    assert_refused(story_do(story, "amara", "submit", "PAC-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story),
                        "Whether stage notary of this approval is needed cannot be told: "
                        "record.worth > 100 (a field it reads is empty).");
    story_end(story);
}

static void nobody_is_asked_twice(void **state)
{
    /* bo stands in `ours` and is of top management too; cleo is left for the seal. */
    struct story *story = with("pact", "PAC-0001", "{'ours': ['bo'], 'theirs': ['eve']}");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "PAC-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "PAC-0001", NULL));
    assert_refused(story_sign(story, "bo", "approve", "PAC-0001", NULL), 409, "wrong-state");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 1);
    assert_done(story_sign(story, "cleo", "approve", "PAC-0001", NULL));
    assert_string_equal(story_fact(story, "PAC-0001", "state"), "passed");
    story_end(story);
}

static void somebody_who_could_vote_earlier_is_spared_for_the_stage_that_needs_him(void **state)
{
    struct story *story =
        with("pact", "PAC-0001", "{'ours': ['dana'], 'theirs': ['bo', 'cleo', 'eve']}");

    (void)state;
    assert_done(story_sign(story, "dana", "approve", "PAC-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "PAC-0001", NULL));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 1);
    assert_done(story_sign(story, "bo", "approve", "PAC-0001", NULL));
    assert_string_equal(story_fact(story, "PAC-0001", "state"), "passed");
    story_end(story);
}

static void a_round_that_could_not_be_granted_is_refused_when_it_opens(void **state)
{
    struct story *story = with("pact", "PAC-0001", "{'ours': ['dana'], 'theirs': ['eve']}");

    (void)state;
    assert_done(story_do(story, "amara", "edit", "PAC-0001", "{'set': {'ours': ['bo', 'cleo']}}"));
    assert_refused(story_do(story, "amara", "submit", "PAC-0001", "{'set': {'ours': ['amara']}}"),
                   422, "guard-failed");
    assert_string_equal(
        story_sentence(story),
        "This approval cannot be granted: its stage here takes 1 signature, and nobody may sign "
        "once those who wrote it are left out (each person votes in one stage only). Name more "
        "people in the directory.");
    assert_refused(story_do(story, "amara", "submit", "PAC-0001", "{'set': {'how_many': 2}}"), 422,
                   "guard-failed");
    assert_refused(story_do(story, "amara", "submit", "PAC-0001", "{'set': {'how_many': 0}}"), 422,
                   "guard-failed");
    /* Both of top management are wanted here, so one is spared for the seal. */
    assert_done(story_do(story, "amara", "submit", "PAC-0001", NULL));
    story_end(story);
}

static void a_stage_without_the_role_that_must_sign_is_refused_when_it_opens(void **state)
{
    struct story *story = with_deed();

    (void)state;
    assert_refused(story_do(story, "amara", "edit", "DEE-0001", "{'set': {'wardens': ['bob']}}"),
                   422, "guard-failed");
    assert_done(story_do(story, "amara", "edit", "DEE-0001", "{'set': {'wardens': ['gwen']}}"));
    assert_refused(story_do(story, "amara", "submit", "DEE-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story),
                        "This approval cannot be granted: its stage board takes a signature of "
                        "wardens, and nobody of those who may give one stands as that.");
    story_end(story);
}

/* ---- people who leave ---- */

static void leave(struct story *story, const char *who, const char *until)
{
    char *args = arena_printf(story_arena(story),
                              "{'people': [{'name': '%s', 'kind': 'person', 'roles': [], "
                              "'not_after': %s}]}",
                              who, until);

    assert_done(story_put_people(story, "amara", args));
}

static void whoever_leaves_holds_nobody_up(void **state)
{
    struct story *story =
        with("pact", "PAC-0001", "{'ours': ['dana', 'finn'], 'theirs': ['eve', 'gwen']}");

    (void)state;
    assert_done(story_sign(story, "dana", "approve", "PAC-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "PAC-0001", NULL));
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "here"), "open");
    leave(story, "finn", "1");
    assert_string_equal(story_leaf_type(story, 0), "round.counted");
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "here"), "granted");
    assert_string_equal(stage_of(story, "PAC-0001/round/1", "seal"), "open");
    assert_done(story_sign(story, "bo", "approve", "PAC-0001", NULL));
    assert_string_equal(story_fact(story, "PAC-0001", "state"), "passed");
    story_end(story);
}

static void a_round_that_nobody_can_grant_any_more_is_void_when_the_last_leaves(void **state)
{
    struct story *story = with("pact", "PAC-0001", "{'ours': ['dana'], 'theirs': ['eve']}");

    (void)state;
    assert_done(story_sign(story, "dana", "approve", "PAC-0001", NULL));
    /* Until 2026-03-05: 1772668800000 ms. */
    leave(story, "eve", "1772668800000");
    assert_null(strstr(story_fact(story, "PAC-0001", "timers"), "round.leaves"));
    assert_string_equal(fact_of(story, "PAC-0001/round/1", "state"), "open");
    story_until(story, "2026-03-05T00:00:01Z");
    assert_string_equal(fact_of(story, "PAC-0001/round/1", "state"), "void");
    assert_string_equal(fact_of(story, "PAC-0001/round/1", "why"), "left");
    assert_string_equal(story_fact(story, "PAC-0001", "state"), "draft");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_done(story_do(story, "amara", "submit", "PAC-0001", "{'set': {'theirs': ['gwen']}}"));
    story_end(story);
}

static void whose_request_was_delivered_long_ago_is_missed_at_once(void **state)
{
    struct story *story = with("pact", "PAC-0001", "{'ours': ['dana'], 'theirs': ['eve']}");
    int64_t task;

    (void)state;
    /* A worker that calls its work done when the letter is sent: there is no request of eve any more. */
    while ((task = story_task(story, "approval.request", "PAC-0001")) >= 0)
        assert_done(story_settle(story, task, 200, 0));
    leave(story, "eve", "1");
    assert_string_equal(fact_of(story, "PAC-0001/round/1", "state"), "void");
    story_end(story);
}

static void who_leaves_before_a_stage_begins_is_not_asked_in_it(void **state)
{
    struct story *story = with_deed();

    (void)state;
    leave(story, "eve", "1");
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 3);
    /* Of the 4 that are left 60 % are 3: the chair and a warden. */
    assert_done(story_sign(story, "bo", "approve", "DEE-0001", NULL));
    assert_done(story_sign(story, "dana", "approve", "DEE-0001", NULL));
    assert_string_equal(story_fact(story, "DEE-0001", "state"), "passed");
    story_end(story);
}

/* ---- what people are told ---- */

static void reminders_go_to_those_who_are_asked_now_and_begin_anew_with_a_stage(void **state)
{
    struct story *story = with_deed();

    (void)state;
    story_pass(story, 1);
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    story_until(story, "2026-03-04T09:00:00Z"); /* two days after it opened */
    assert_int_equal(story_task_count(story, "communication.deliver", "DEE-0001"), 0);
    assert_done(story_sign(story, "cleo", "approve", "DEE-0001", NULL));
    story_until(story, "2026-03-05T09:00:00Z"); /* two days after the board was asked */
    assert_int_equal(story_task_count(story, "communication.deliver", "DEE-0001"), 3);
    story_end(story);
}

static void why_and_show_tell_the_stages(void **state)
{
    struct story *story = with_deed();
    const struct value *why, *stages;

    (void)state;
    assert_done(story_sign(story, "gwen", "approve", "DEE-0001", NULL));
    why = story_ask(story, "dana", "why", "{'record': 'DEE-0001', 'event': 'approve'}");
    assert_true(value_get_bool(why, "allowed", false));
    assert_true(value_has_text(value_get(why, "holds"),
                               slice_str("Stage legal is granted: 1 of 1 granted.")));
    assert_true(value_has_text(value_get(why, "holds"),
                               slice_str("Stage board is open: 0 of 3 granted; still to answer: "
                                         "cleo, dana, eve, bo.")));
    why = story_ask(story, "finn", "why", "{'record': 'DEE-0001', 'event': 'approve'}");
    assert_false(value_get_bool(why, "allowed", true));
    stages = value_get(
        value_get(story_ask(story, "amara", "show", "{'record': 'DEE-0001'}"), "round"), "stages");
    assert_int_equal(stages->count, 2);
    assert_int_equal(value_get_int(&stages->as.items[1], "need", 0), 3);
    assert_true(slice_is(value_get_text(&stages->as.items[1], "state"), "open"));
    assert_true(value_get_int(&stages->as.items[1], "began_ms", 0) > 0);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_board_is_asked_when_the_lawyers_have_signed),
        cmocka_unit_test(a_vote_in_a_stage_that_is_decided_is_not_taken),
        cmocka_unit_test(each_stage_signs_its_own_meaning),
        cmocka_unit_test(the_chair_weighs_two_and_a_warden_must_sign),
        cmocka_unit_test(a_veto_ends_the_round_and_is_waited_for),
        cmocka_unit_test(one_refusal_of_the_board_does_not_end_it_and_abstaining_lowers_the_bar),
        cmocka_unit_test(a_return_in_the_second_stage_goes_back_to_the_first),
        cmocka_unit_test(an_edit_in_the_second_stage_voids_the_votes_of_both),
        cmocka_unit_test(a_round_that_expires_comes_to_what_was_declared),
        cmocka_unit_test(a_round_that_expires_may_go_back),
        cmocka_unit_test(silence_is_consent_only_where_it_would_be_enough),
        cmocka_unit_test(a_tie_goes_back_when_everyone_has_voted),
        cmocka_unit_test(two_stages_at_once_and_one_after_both),
        cmocka_unit_test(a_stage_is_there_when_its_condition_holds),
        cmocka_unit_test(a_stage_whose_condition_cannot_be_told_is_not_left_out),
        cmocka_unit_test(nobody_is_asked_twice),
        cmocka_unit_test(somebody_who_could_vote_earlier_is_spared_for_the_stage_that_needs_him),
        cmocka_unit_test(a_round_that_could_not_be_granted_is_refused_when_it_opens),
        cmocka_unit_test(a_stage_without_the_role_that_must_sign_is_refused_when_it_opens),
        cmocka_unit_test(whoever_leaves_holds_nobody_up),
        cmocka_unit_test(a_round_that_nobody_can_grant_any_more_is_void_when_the_last_leaves),
        cmocka_unit_test(whose_request_was_delivered_long_ago_is_missed_at_once),
        cmocka_unit_test(who_leaves_before_a_stage_begins_is_not_asked_in_it),
        cmocka_unit_test(reminders_go_to_those_who_are_asked_now_and_begin_anew_with_a_stage),
        cmocka_unit_test(why_and_show_tell_the_stages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
