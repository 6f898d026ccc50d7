/* test_story_bundle.c - stories of documents that are approved together: one command signs each, all are granted or none, and
 * what puts one in force puts all in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"

/* A charter, which bo and cleo sign, and an annex, which the signers do. */
static struct story *with_papers(const char *signers)
{
    struct story *story = story_begin_with("tests/core/pack_rounds");

    assert_done(story_do(story, "amara", "open", NULL, "{'kind': 'charter', 'title': 'Charter'}"));
    assert_done(story_do(story, "amara", "open", NULL,
                         arena_printf(story_arena(story),
                                      "{'kind': 'annex', 'title': 'Annex', 'fields': {'signers': "
                                      "[%s]}}",
                                      signers)));
    return story;
}

static struct story *submitted(const char *signers)
{
    struct story *story = with_papers(signers);

    assert_done(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"));
    return story;
}

static const char *state_of(struct story *story, const char *record)
{
    return story_fact(story, record, "state");
}

static const char *round_of(struct story *story, const char *record)
{
    const struct value *row =
        story_row(story, arena_printf(story_arena(story), "%s@1.0/round/1", record));
    struct slice text = value_get_text(row, "state");

    return arena_copy(story_arena(story), text.at, text.len);
}

/* ---- signing ---- */

static void one_command_signs_each_document(void **state)
{
    struct story *story = submitted("'bo'");
    uint64_t size;
    struct leaf first, second;

    (void)state;
    assert_string_equal(story_fact(story, "ANX-0001", "bundle"),
                        "[\"CHA-0001@1.0\", \"ANX-0001@1.0\"]");
    assert_string_equal(story_fact(story, "ANX-0001", "did"),
                        "{\"submit\": [\"amara\"], \"write\": [\"amara\"]}");
    size = story_size(story);
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_int_equal(story_size(story), size + 2);
    first = story_leaf(story, size);
    second = story_leaf(story, size + 1);
    assert_true(slice_is(first.stream, "CHA-0001@1.0/round/1/bo"));
    assert_true(slice_is(second.stream, "ANX-0001@1.0/round/1/bo"));
    assert_true(slice_is(second.actor, "bo"));
    assert_int_equal(second.actor_sig.len, 64);
    assert_false(slice_equal(first.actor_sig, second.actor_sig));
    assert_true(slice_is(value_get_text(&first.body, "meaning"), "approved"));
    assert_true(slice_is(value_get_text(&second.body, "meaning"), "confirmed"));
    story_end(story);
}

static int64_t request_in(struct story *story, const char *record, const char *person)
{
    return value_get_int(
        value_get(story_row(story, arena_printf(story_arena(story), "%s@1.0/round/1", record)),
                  "tasks"),
        person, 0);
}

/* Whoever is asked in both gets one letter, which names both; who is asked in one gets one about that. */
static void who_is_asked_in_both_is_asked_once(void **state)
{
    struct story *story = submitted("'bo', 'dana'");
    const struct value *input, *beside;
    struct slice text;

    (void)state;
    assert_int_equal(story_task_count(story, "approval.request", NULL), 3); /* bo, cleo, dana */
    assert_int_equal(request_in(story, "ANX-0001", "bo"), request_in(story, "CHA-0001", "bo"));
    input = value_get(story_task_given(story, request_in(story, "CHA-0001", "bo")), "input");
    beside = value_get(input, "beside");
    assert_true(value_is(beside, VALUE_ARRAY) && beside->count == 1);
    assert_true(slice_is(value_get_text(&beside->as.items[0], "record"), "ANX-0001@1.0"));
    text = value_get_text(input, "text");
    assert_non_null(memmem(text.at, text.len, "ANX-0001@1.0", 12));
    input = value_get(story_task_given(story, request_in(story, "CHA-0001", "cleo")), "input");
    assert_null(value_get(input, "beside"));
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_int_equal(story_task_count(story, "approval.request", NULL),
                     1); /* cleo: one annex signer is enough */
    story_end(story);
}

/* The one that the request was made for asks no more: it goes on for the other. */
static void a_request_stays_as_long_as_one_of_them_asks(void **state)
{
    struct story *story = with_papers("'bo', 'dana'");
    int64_t task;

    (void)state;
    assert_done(story_do(story, "amara", "submit", "ANX-0001", "{'with': ['CHA-0001']}"));
    task = request_in(story, "CHA-0001", "bo");
    assert_int_equal(request_in(story, "ANX-0001", "bo"), task);
    assert_done(story_sign(story, "dana", "approve", "ANX-0001", NULL));
    assert_string_equal(value_get_str(story_row(story, arena_printf(story_arena(story), "task/%lld",
                                                                    (long long)task)),
                                      "record", "", story_arena(story)),
                        "CHA-0001@1.0");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 2); /* bo, cleo */
    assert_done(story_sign(story, "bo", "delegation.give", NULL,
                           "{'to': 'finn', 'reason': " STORY_REASON "}"));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 2); /* finn, cleo */
    story_end(story);
}

/* One letter went out; whoever begins to stand in gets one about both, and nobody two. */
static void a_delegate_for_both_is_asked_once(void **state)
{
    struct story *story = submitted("'bo'");
    int64_t before = request_in(story, "CHA-0001", "bo");

    (void)state;
    assert_done(story_settle(story, before, 202, 0));
    assert_done(story_sign(story, "bo", "delegation.give", NULL,
                           "{'to': 'finn', 'reason': " STORY_REASON "}"));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 2); /* finn, cleo */
    assert_int_not_equal(request_in(story, "CHA-0001", "bo"), before);
    assert_int_equal(request_in(story, "ANX-0001", "bo"), request_in(story, "CHA-0001", "bo"));
    story_end(story);
}

static void it_may_begin_with_either_of_them(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "ANX-0001", NULL));
    assert_string_equal(round_of(story, "ANX-0001"), "open"); /* granted, but it waits */
    assert_int_equal(story_ask(story, "bo", "inbox", "{}")->count, 0);
    assert_done(story_sign(story, "cleo", "approve", "CHA-0001", NULL));
    assert_string_equal(state_of(story, "CHA-0001"), "approved");
    assert_string_equal(state_of(story, "ANX-0001"), "approved");
    assert_string_equal(round_of(story, "ANX-0001"), "granted");
    story_end(story);
}

static void who_is_asked_in_one_signs_one(void **state)
{
    struct story *story = submitted("'dana'");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "CHA-0001", NULL));
    assert_string_equal(state_of(story, "CHA-0001"), "draft");
    assert_refused(story_sign(story, "cleo", "approve", "CHA-0001", NULL), 409, "wrong-state");
    assert_non_null(strstr(story_sentence(story), "ANX-0001@1.0 (still asked there: dana)"));
    assert_done(story_sign(story, "dana", "approve", "ANX-0001", NULL));
    assert_string_equal(state_of(story, "CHA-0001"), "approved");
    assert_string_equal(state_of(story, "ANX-0001"), "approved");
    story_end(story);
}

static void a_vote_on_one_alone_is_not_taken(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_refused(story_sign(story, "bo", "approve", "CHA-0001", "{'also': []}"), 409,
                   "stale-content");
    assert_refused(story_sign(story, "bo", "approve", "CHA-0001",
                              "{'also': [{'record': 'ANX-0001@1.0', 'args': {'round': 1}, "
                              "'signature': 'hex:00'}]}"),
                   403, "not-allowed");
    assert_string_equal(round_of(story, "ANX-0001"), "open");
    story_end(story);
}

/* What is signed for one of the others is checked as strictly as what stands in front. */
static void nothing_is_slipped_in_beside(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_refused(story_sign(story, "bo", "approve", "CHA-0001",
                              "{'also': [{'record': 'ANX-0001@1.0', 'args': {'round': 1, 'set': "
                              "{'text': 'x'}}, 'signature': 'hex:00'}]}"),
                   400, "malformed");
    assert_refused(story_sign(story, "bo", "approve", "CHA-0001", "{'also': 'ANX-0001@1.0'}"), 400,
                   "malformed");
    assert_refused(story_sign(story, "bo", "approve", "CHA-0001", "{'with': ['ANX-0001']}"), 400,
                   "malformed");
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_refused(story_sign(story, "cleo", "approve", "CHA-0001",
                              "{'also': [{'record': 'ANX-0001@1.0', 'args': {'round': 1}, "
                              "'signature': 'hex:00'}]}"),
                   409, "stale-content");
    story_end(story);
}

static void a_signature_of_somebody_else_over_the_other_is_refused(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_refused(story_sign_forged(story, "bo", "cleo", "approve", "CHA-0001"), 403,
                   "not-allowed");
    assert_string_equal(round_of(story, "ANX-0001"), "open");
    assert_null(value_get(story_row(story, "ANX-0001@1.0/round/1"), "votes"));
    story_end(story);
}

/* ---- all or none ---- */

static void a_refusal_of_one_refuses_both(void **state)
{
    struct story *story = submitted("'dana'");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_done(story_sign(story, "dana", "reject", "ANX-0001", REASON));
    assert_string_equal(state_of(story, "CHA-0001"), "gone");
    assert_string_equal(state_of(story, "ANX-0001"), "gone");
    assert_string_equal(round_of(story, "CHA-0001"), "refused");
    story_end(story);
}

static void a_return_of_both_sends_both_back(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_done(story_sign(story, "bo", "return", "CHA-0001", REASON));
    assert_string_equal(round_of(story, "CHA-0001"), "returned");
    assert_string_equal(round_of(story, "ANX-0001"), "returned");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_string_equal(story_fact(story, "ANX-0001", "bundle"), "");
    /* They are no bundle any more: each may go its own way. */
    assert_done(story_do(story, "amara", "submit", "ANX-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "ANX-0001", NULL));
    assert_string_equal(state_of(story, "ANX-0001"), "approved");
    story_end(story);
}

static void an_edit_of_one_voids_the_rounds_of_both(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_done(story_do(story, "amara", "edit", "ANX-0001", "{'set': {'text': 'New'}}"));
    assert_string_equal(round_of(story, "ANX-0001"), "void");
    assert_string_equal(round_of(story, "CHA-0001"), "void");
    assert_string_equal(story_leaf_type(story, 0), "round.closed");
    assert_refused(story_do(story, "cleo", "approve", "CHA-0001", NULL), 409, "wrong-state");
    assert_string_equal(story_fact(story, "CHA-0001", "timers"), "[]");
    story_end(story);
}

static void withdrawing_one_voids_the_round_of_the_other(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_done(story_do(story, "amara", "withdraw", "CHA-0001", NULL));
    assert_string_equal(state_of(story, "CHA-0001"), "gone");
    assert_string_equal(round_of(story, "ANX-0001"), "void");
    assert_string_equal(state_of(story, "ANX-0001"), "draft");
    story_end(story);
}

static void a_record_that_moves_to_another_pack_voids_the_round_of_the_other(void **state)
{
    static const struct story_change change[] = {
        {"rounds.cfg", "title = \"Charter\"", "title = \"Great charter\""}, {NULL, NULL, NULL}};
    struct story *story = submitted("'bo'");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_done(story_install_agreed(story, "amara", "Greater.", change));
    assert_done(story_do(story, "amara", "migrate", "CHA-0001",
                         "{'reason': " STORY_REASON ", 'void_round': true}"));
    assert_string_equal(round_of(story, "CHA-0001"), "void");
    assert_string_equal(round_of(story, "ANX-0001"), "void");
    story_end(story);
}

static void what_expires_expires_for_both(void **state)
{
    struct story *story = submitted("'bo'");

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    story_pass(story, 21);
    assert_string_equal(round_of(story, "CHA-0001"), "expired");
    assert_string_equal(round_of(story, "ANX-0001"), "expired");
    story_end(story);
}

/* ---- in force ---- */

static struct story *approved(const char *signers)
{
    struct story *story = submitted(signers);

    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "CHA-0001", NULL));
    assert_string_equal(state_of(story, "ANX-0001"), "approved");
    return story;
}

static void what_puts_one_in_force_puts_both_in_force(void **state)
{
    struct story *story = approved("'bo'");
    uint64_t size = story_size(story);

    (void)state;
    assert_done(story_do(story, "amara", "put_in_force", "ANX-0001", NULL));
    assert_string_equal(state_of(story, "ANX-0001"), "in_force");
    assert_string_equal(state_of(story, "CHA-0001"), "in_force");
    assert_int_equal(story_size(story), size + 2);
    assert_memory_equal(story_leaf(story, size).command_id, story_leaf(story, size + 1).command_id,
                        COMMAND_ID_LEN);
    assert_string_equal(story_fact(story, "CHA-0001", "bundle"), "");
    assert_string_equal(story_fact(story, "ANX-0001", "bundle"), "");
    assert_non_null(strstr(story_fact(story, "CHA-0001", "did"), "\"put_in_force\": [\"amara\"]"));
    story_end(story);
}

static void the_one_whose_day_has_not_come_is_waited_for(void **state)
{
    struct story *story = with_papers("'bo'");

    (void)state;
    assert_done(
        story_do(story, "amara", "edit", "CHA-0001", "{'set': {'effective_from': '2026-03-10'}}"));
    assert_done(
        story_do(story, "amara", "edit", "ANX-0001", "{'set': {'effective_from': '2026-03-20'}}"));
    assert_done(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"));
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "CHA-0001", NULL));
    story_until(story, "2026-03-12T00:00:00Z");
    assert_string_equal(state_of(story, "CHA-0001"), "approved");
    assert_refused(story_do(story, "amara", "put_in_force", "CHA-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story), "Its day has not come.");
    story_until(story, "2026-03-20T01:00:00Z");
    assert_string_equal(state_of(story, "CHA-0001"), "in_force");
    assert_string_equal(state_of(story, "ANX-0001"), "in_force");
    story_end(story);
}

static void neither_comes_into_force_when_the_other_was_withdrawn(void **state)
{
    struct story *story = approved("'bo'");
    const struct value *why;

    (void)state;
    assert_done(story_do(story, "amara", "withdraw", "ANX-0001", NULL));
    assert_refused(story_do(story, "amara", "put_in_force", "CHA-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story),
                        "CHA-0001@1.0 was approved together with ANX-0001@1.0, which is gone now: "
                        "neither comes into force without the other. Withdraw it and submit it "
                        "again.");
    why = story_ask(story, "amara", "why", "{'record': 'CHA-0001', 'event': 'put_in_force'}");
    assert_false(value_get_bool(why, "allowed", true));
    story_end(story);
}

static void what_is_signed_to_come_into_force_is_signed_for_each(void **state)
{
    struct story *story = with_papers("'bo'");

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{'kind': 'sealed', 'title': 'Sealed'}"));
    assert_done(story_do(story, "amara", "submit", "ANX-0001", "{'with': ['SEA-0001']}"));
    assert_done(story_sign(story, "bo", "approve", "ANX-0001", NULL));
    assert_string_equal(state_of(story, "SEA-0001"), "approved");
    assert_refused(story_do(story, "amara", "put_in_force", "ANX-0001", NULL), 409,
                   "stale-content");
    assert_done(story_sign(story, "amara", "put_in_force", "ANX-0001", NULL));
    assert_string_equal(state_of(story, "SEA-0001"), "in_force");
    assert_string_equal(state_of(story, "ANX-0001"), "in_force");
    story_end(story);
}

/* ---- what cannot go together ---- */

static void what_cannot_be_submitted_is_not_submitted_with_others(void **state)
{
    struct story *story = with_papers("'amara'");
    uint64_t size = story_size(story);

    (void)state;
    assert_refused(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['CHA-0001']}"), 400,
                   "malformed");
    assert_refused(story_do(story, "amara", "submit", "CHA-0001", "{'with': []}"), 400,
                   "malformed");
    assert_refused(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0009']}"), 404,
                   "no-record");
    /* Only amara could sign the annex, and she wrote it: neither is submitted. */
    assert_refused(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"), 422,
                   "guard-failed");
    assert_int_equal(story_size(story), size);
    assert_string_equal(story_fact(story, "CHA-0001", "bundle"), "");
    assert_refused(story_do(story, "amara", "withdraw", "CHA-0001", "{'with': ['ANX-0001']}"), 400,
                   "malformed");
    story_end(story);
}

static void an_open_round_joins_no_other(void **state)
{
    struct story *story = with_papers("'bo'");

    (void)state;
    assert_done(story_do(story, "amara", "submit", "ANX-0001", NULL));
    assert_refused(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"), 409,
                   "wrong-state");
    story_end(story);
}

static void a_delegate_signs_each_document_in_the_others_place(void **state)
{
    struct story *story = submitted("'bo'");
    uint64_t size;
    struct leaf second;

    (void)state;
    assert_done(story_sign(story, "bo", "delegation.give", NULL,
                           "{'to': 'finn', 'reason': " STORY_REASON "}"));
    size = story_size(story);
    assert_done(story_sign(story, "finn", "approve", "CHA-0001", "{'for': 'bo'}"));
    second = story_leaf(story, size + 1);
    assert_true(slice_is(second.stream, "ANX-0001@1.0/round/1/finn"));
    assert_true(slice_is(value_get_text(&second.body, "for"), "bo"));
    assert_int_equal(second.actor_sig.len, 64);
    assert_refused(story_sign(story, "bo", "approve", "ANX-0001", NULL), 409, "wrong-state");
    assert_done(story_sign(story, "cleo", "approve", "CHA-0001", NULL));
    assert_string_equal(state_of(story, "CHA-0001"), "approved");
    assert_string_equal(state_of(story, "ANX-0001"), "approved");
    story_end(story);
}

/* How many requests are open at this person, in whosever place. */
static int requests_of(struct story *story, const char *person)
{
    struct value rows;
    int count = 0;

    state_rows(core_state(story_core(story)), slice_str("task/"), UINT32_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");

        count += slice_is(value_get_text(row, "service"), "approval.request") &&
                 slice_is(value_get_text(value_get(row, "input"), "person"), person);
    }
    core_drop(story_core(story));
    return count;
}

/* He stands in for bo, and is asked in the annex himself: there one person has one vote, and what goes together is decided
 * by one command. So bo is asked for both, finn for the annex, and nobody for what he could not give. */
static void a_delegate_who_is_asked_himself_is_asked_for_his_own_alone(void **state)
{
    static const char *const leads[] = {"CHA-0001", "ANX-0001"};

    (void)state;
    for (int when = 0; when < 2; when++)
        for (int lead = 0; lead < 2; lead++) {
            struct story *story = with_papers("'bo', 'finn'");
            const char *given = "{'to': 'finn', 'reason': " STORY_REASON "}";

            if (when == 0)
                assert_done(story_sign(story, "bo", "delegation.give", NULL, given));
            assert_done(
                story_do(story, "amara", "submit", leads[lead],
                         arena_printf(story_arena(story), "{'with': ['%s']}", leads[1 - lead])));
            if (when == 1)
                assert_done(story_sign(story, "bo", "delegation.give", NULL, given));
            assert_int_equal(requests_of(story, "finn"), 1);
            assert_int_equal(requests_of(story, "bo"), 1); /* which asks for both */
            assert_done(story_sign(story, "finn", "approve", "ANX-0001", NULL));
            assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
            assert_done(story_sign(story, "cleo", "approve", "CHA-0001", NULL));
            assert_string_equal(state_of(story, "CHA-0001"), "approved");
            assert_string_equal(state_of(story, "ANX-0001"), "approved");
            story_end(story);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_command_signs_each_document),
        cmocka_unit_test(a_delegate_signs_each_document_in_the_others_place),
        cmocka_unit_test(a_delegate_who_is_asked_himself_is_asked_for_his_own_alone),
        cmocka_unit_test(who_is_asked_in_both_is_asked_once),
        cmocka_unit_test(a_request_stays_as_long_as_one_of_them_asks),
        cmocka_unit_test(a_delegate_for_both_is_asked_once),
        cmocka_unit_test(it_may_begin_with_either_of_them),
        cmocka_unit_test(who_is_asked_in_one_signs_one),
        cmocka_unit_test(a_vote_on_one_alone_is_not_taken),
        cmocka_unit_test(nothing_is_slipped_in_beside),
        cmocka_unit_test(a_signature_of_somebody_else_over_the_other_is_refused),
        cmocka_unit_test(a_refusal_of_one_refuses_both),
        cmocka_unit_test(a_return_of_both_sends_both_back),
        cmocka_unit_test(an_edit_of_one_voids_the_rounds_of_both),
        cmocka_unit_test(withdrawing_one_voids_the_round_of_the_other),
        cmocka_unit_test(a_record_that_moves_to_another_pack_voids_the_round_of_the_other),
        cmocka_unit_test(what_expires_expires_for_both),
        cmocka_unit_test(what_puts_one_in_force_puts_both_in_force),
        cmocka_unit_test(the_one_whose_day_has_not_come_is_waited_for),
        cmocka_unit_test(neither_comes_into_force_when_the_other_was_withdrawn),
        cmocka_unit_test(what_is_signed_to_come_into_force_is_signed_for_each),
        cmocka_unit_test(what_cannot_be_submitted_is_not_submitted_with_others),
        cmocka_unit_test(an_open_round_joins_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
