/* test_story_work.c - stories of work: rules that start records, tasks that fail, timers that were missed, imports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"

static const char *const finding =
    "{'kind': 'finding', 'title': 'Door open', 'fields': {'weight': 'major', 'answers': 'finn'}}";

static const char *const notice = "{'kind': 'notice', 'title': 'We moved', 'fields': {'people': ["
                                  "{'name': 'Bank', 'address': 'bank@example.org'}, {'name': "
                                  "'Guild', 'address': 'g@example.org'}]}}";

static struct story *with_confirmed_finding(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "dana", "open", NULL, finding));
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    return story;
}

/* ---- rules ---- */

static void a_confirmed_finding_starts_its_action_in_the_same_run(void **state)
{
    struct story *story = with_confirmed_finding();

    (void)state;
    assert_string_equal(story_fact(story, "FND-0001", "state"), "open");
    assert_string_equal(story_field(story, "FND-0001", "due"), "2026-05-31");
    assert_string_equal(story_fact(story, "ACT-0001", "title"), "Mend: Door open");
    assert_string_equal(story_fact(story, "ACT-0001", "owner"), "finn");
    assert_string_equal(story_fact(story, "ACT-0001", "via"), "rule");
    assert_string_equal(story_field(story, "ACT-0001", "cause"), "FND-0001");
    assert_string_equal(story_field(story, "ACT-0001", "due"), "2026-04-01");
    assert_true(story_has_row(story, "once/S.1/FND-0001"));
    /* bo and cleo are told of the action. */
    assert_int_equal(story_task_count(story, "communication.deliver", "ACT-0001"), 2);
    story_end(story);
}

static void a_rule_goes_over_the_people_of_a_role(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'errand', 'title': 'Read it', 'fields': {'roles': ['employee', "
                         "'top_management']}}"));
    assert_done(story_do(story, "amara", "call", "ERR-0001", NULL));
    assert_string_equal(story_field(story, "ACT-0001", "assignee"), "bo");
    assert_string_equal(story_field(story, "ACT-0001", "task"), "bo@story.example");
    assert_string_equal(story_field(story, "ACT-0004", "assignee"), "finn");
    assert_string_equal(story_fact(story, "ACT-0004", "title"), "Read it 4");
    assert_true(story_has_row(story, "once/S.3/ERR-0001finn"));
    assert_false(story_has_row(story, "ACT-0005"));
    story_end(story);
}

static void put_people(struct story *story, int count)
{
    struct buf text = BUF_EMPTY;

    buf_add_str(&text,
                "{'people': [{'name': 'amara', 'kind': 'person', 'roles': ['isms_manager']}");
    for (int i = 0; i < count; i++)
        buf_addf(&text, ", {'name': 'p%03d', 'kind': 'person', 'roles': ['employee']}", i);
    buf_add_str(&text, "]}");
    assert_done(story_put_people(story, "amara", buf_text(&text)));
    buf_release(&text);
}

/* More than fit into one run: the rest follows, in the same batch, and nobody twice. */
static void a_rule_goes_over_more_people_than_fit_into_one_run(void **state)
{
    struct story *story = story_begin();

    (void)state;
    put_people(story, 300);
    assert_done(
        story_do(story, "amara", "open", NULL,
                 "{'kind': 'errand', 'title': 'Read it', 'fields': {'roles': ['employee']}}"));
    assert_done(story_do(story, "amara", "call", "ERR-0001", NULL));
    assert_string_equal(story_field(story, "ACT-0002", "assignee"), "finn"); /* and eve */
    assert_string_equal(story_field(story, "ACT-0003", "assignee"), "p000");
    assert_string_equal(story_field(story, "ACT-0302", "assignee"), "p299");
    assert_string_equal(story_fact(story, "ACT-0302", "title"), "Read it 302");
    assert_false(story_has_row(story, "ACT-0303"));
    story_end(story);
}

static void the_light_finding_starts_nothing(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(
        story, "dana", "open", NULL,
        "{'kind': 'finding', 'title': 'T', 'fields': {'weight': 'minor', 'answers': 'finn'}}"));
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_false(story_has_row(story, "ACT-0001"));
    story_end(story);
}

static void a_gate_holds_until_what_was_started_is_closed(void **state)
{
    struct story *story = with_confirmed_finding();

    (void)state;
    assert_refused(story_do(story, "dana", "close", "FND-0001", NULL), 422, "guard-failed");
    assert_done(story_do(story, "amara", "drop", "ACT-0001", REASON));
    /* The finding looks again when the action closes, and closes by itself. */
    assert_string_equal(story_fact(story, "FND-0001", "state"), "closed");
    story_end(story);
}

static void who_answers_for_it_cannot_confirm_it(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(
        story, "dana", "open", NULL,
        "{'kind': 'finding', 'title': 'T', 'fields': {'weight': 'major', 'answers': 'dana'}}"));
    assert_refused(story_sign(story, "dana", "confirm", "FND-0001", NULL), 403,
                   "separation-of-duties");
    assert_non_null(strstr(story_sentence(story), "SOD-3"));
    assert_done(story_sign(story, "amara", "confirm", "FND-0001", NULL));
    story_end(story);
}

/* ---- automatic transitions ---- */

static void an_action_is_assigned_as_soon_as_it_is_known_to_whom(void **state)
{
    struct story *story = with_confirmed_finding();

    (void)state;
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "proposed");
    assert_done(story_do(story, "finn", "edit", "ACT-0001", "{'set': {'assignee': 'finn'}}"));
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "assigned");
    assert_string_equal(story_leaf_type(story, 0), "record.assign");
    story_end(story);
}

static void fields_that_come_with_an_event_count_for_its_condition(void **state)
{
    struct story *story = with_confirmed_finding();

    (void)state;
    assert_done(story_do(story, "finn", "edit", "ACT-0001", "{'set': {'assignee': 'finn'}}"));
    assert_refused(story_do(story, "finn", "finish", "ACT-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story), "Write down the result first.");
    assert_refused(story_do(story, "finn", "finish", "ACT-0001", "{'set': {'result': 3}}"), 422,
                   "guard-failed");
    assert_done(story_do(story, "finn", "finish", "ACT-0001", "{'set': {'result': 'Shut.'}}"));
    assert_string_equal(story_field(story, "ACT-0001", "result"), "Shut.");
    assert_refused(story_do(story, "finn", "accept", "ACT-0001", NULL), 403, "not-allowed");
    assert_done(story_do(story, "amara", "accept", "ACT-0001", NULL));
    story_end(story);
}

static void an_argument_that_a_set_names_is_given_by_its_field(void **state)
{
    struct story *story = with_confirmed_finding();

    (void)state;
    assert_done(story_do(story, "finn", "edit", "ACT-0001", "{'set': {'assignee': 'finn'}}"));
    assert_refused(story_do(story, "amara", "reassign", "ACT-0001",
                            "{'assignee': 'zoe', 'reason': " STORY_REASON "}"),
                   422, "guard-failed");
    assert_done(story_do(story, "amara", "reassign", "ACT-0001",
                         "{'assignee': 'eve', 'reason': " STORY_REASON "}"));
    assert_string_equal(story_field(story, "ACT-0001", "assignee"), "eve");
    assert_non_null(strstr(story_fact(story, "ACT-0001", "editors"), "amara"));
    story_end(story);
}

/* What goes into the digest makes its giver an editor, whichever way it is given; what the engine keeps does not. */
static void an_outcome_makes_nobody_an_editor_content_does(void **state)
{
    static const struct story_change changes[] = {
        {"action.cfg", "why = { type = \"longtext\"; };",
         "why = { type = \"longtext\"; }; outcome = { type = \"enum\"; of = [\"good\", \"bad\"]; "
         "computed = true; };"},
        {"action.cfg", "apart = [\"did:finish\"];",
         "apart = [\"did:finish\"]; set = { outcome = \"args.outcome\"; };"},
        {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install_agreed(story, "amara", "An outcome is noted.", changes));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Oil', 'fields': {'task': 'Oil the hinges.', "
                         "'assignee': 'finn', 'due': '2026-06-01'}}"));
    assert_done(
        story_do(story, "finn", "finish", "ACT-0001", "{'set': {'result': 'All are oiled.'}}"));
    assert_string_equal(story_fact(story, "ACT-0001", "editors"), "[\"amara\", \"finn\"]");
    assert_refused(story_do(story, "dana", "accept", "ACT-0001", "{'outcome': 'fine'}"), 422,
                   "guard-failed");
    assert_refused(story_do(story, "dana", "accept", "ACT-0001", "{'set': {'outcome': 'good'}}"),
                   422, "guard-failed");
    assert_refused(story_do(story, "amara", "reassign", "ACT-0001",
                            "{'assignee': 'eve', 'outcome': 'good', 'reason': " STORY_REASON "}"),
                   422, "guard-failed");
    assert_done(story_do(story, "dana", "accept", "ACT-0001", "{'outcome': 'good'}"));
    assert_string_equal(story_field(story, "ACT-0001", "outcome"), "good");
    assert_string_equal(story_fact(story, "ACT-0001", "editors"), "[\"amara\", \"finn\"]");
    story_end(story);
}

/* ---- tasks ---- */

static struct story *with_notice_on_its_way(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL, notice));
    assert_done(story_do(story, "amara", "send", "NOT-0001", NULL));
    return story;
}

static void each_addressee_is_a_task_and_the_last_one_closes_it(void **state)
{
    struct story *story = with_notice_on_its_way();
    const struct value *given;

    (void)state;
    assert_int_equal(story_task_count(story, "post.deliver", "NOT-0001"), 2);
    given = story_task_given(story, story_task(story, "post.deliver", NULL));
    assert_string_equal(value_show(story_arena(story), value_get(given, "input")),
                        "{\"address\": \"bank@example.org\", \"n\": 1, \"record\": \"NOT-0001\", "
                        "\"text\": \"We moved\", \"to\": \"Bank\"}");
    assert_true(slice_is(value_get_text(given, "key"), "story.example/virtual/task/1"));
    assert_done(story_settle(story, 1, 200, 0));
    assert_string_equal(story_fact(story, "NOT-0001", "state"), "sending");
    assert_done(story_settle(story, 2, 200, 0));
    assert_string_equal(story_fact(story, "NOT-0001", "state"), "sent");
    assert_refused(story_settle(story, 2, 200, 0), 410, "lease-lost");
    story_end(story);
}

static void a_task_that_fails_is_tried_again_and_then_parked(void **state)
{
    struct story *story = with_notice_on_its_way();
    const struct value *row;

    (void)state;
    assert_done(story_settle(story, 1, 500, 0));
    row = story_row(story, "task/1");
    assert_true(slice_is(value_get_text(row, "state"), "open"));
    assert_int_equal(value_get_int(row, "not_before_ms", 0), INT64_C(1772438410000));
    assert_done(story_settle(story, 1, 503, 0)); /* busy: not counted */
    assert_int_equal(value_get_int(story_row(story, "task/1"), "failures", 0), 1);
    assert_done(story_settle(story, 1, 0, 0)); /* the lease was lost */
    assert_done(story_settle(story, 1, 500, 0));
    row = story_row(story, "task/1");
    assert_true(slice_is(value_get_text(row, "state"), "parked"));
    assert_true(
        slice_is(value_get_text(story_row(story, "NOT-0001/delivery/0001"), "state"), "failed"));
    assert_string_equal(story_leaf_type(story, 0), "task.parked");
    story_end(story);
}

static void what_cannot_be_done_is_parked_at_once_and_driven_again_by_hand(void **state)
{
    struct story *story = with_notice_on_its_way();

    (void)state;
    assert_done(story_settle(story, 1, 422, 0));
    assert_done(story_settle(story, 2, 422, 0));
    assert_true(slice_is(value_get_text(story_row(story, "task/1"), "state"), "parked"));
    assert_refused(story_do(story, "finn", "task.redrive", NULL, "{'task': 1}"), 403,
                   "not-allowed");
    assert_refused(story_do(story, "amara", "task.redrive", NULL, "{'task': 9}"), 404, "no-record");
    assert_done(story_do(story, "amara", "task.redrive", NULL, "{'task': 1}"));
    assert_true(slice_is(value_get_text(story_row(story, "task/1"), "state"), "open"));
    assert_refused(story_do(story, "amara", "task.redrive", NULL, "{'task': 1}"), 409,
                   "wrong-state");
    assert_done(story_settle(story, 1, 422, 0));
    assert_done(story_do(story, "amara", "task.redrive", NULL, "{'service': 'post.deliver'}"));
    assert_true(slice_is(value_get_text(story_row(story, "task/1"), "state"), "open"));
    assert_true(slice_is(value_get_text(story_row(story, "task/2"), "state"), "open"));
    assert_refused(story_do(story, "amara", "task.redrive", NULL, "{'all': true}"), 404,
                   "no-record");
    assert_done(story_do(story, "amara", "task.cancel", NULL, "{'task': 2}"));
    assert_false(story_has_row(story, "task/2"));
    story_end(story);
}

static void why_it_failed_is_not_said_of_what_came_after(void **state)
{
    struct story *story = with_notice_on_its_way();

    (void)state;
    assert_done(story_settle(story, 1, 500, 0));
    assert_non_null(value_get(story_row(story, "task/1"), "note"));
    assert_done(story_settle(story, 1, 202, 0));
    assert_null(value_get(story_row(story, "task/1"), "note"));
    assert_done(story_settle(story, 2, 422, 0));
    assert_non_null(value_get(story_row(story, "NOT-0001/delivery/0002"), "note"));
    assert_done(story_do(story, "amara", "task.redrive", NULL, "{'task': 2}"));
    assert_done(story_settle(story, 2, 200, 0));
    assert_null(value_get(story_row(story, "NOT-0001/delivery/0002"), "note"));
    story_end(story);
}

static void what_was_handed_over_is_asked_for_again_when_nothing_comes(void **state)
{
    struct story *story = with_notice_on_its_way();

    (void)state;
    assert_done(story_settle(story, 1, 202, INT64_C(1772438400000) + 3600000));
    assert_true(slice_is(value_get_text(story_row(story, "task/1"), "state"), "handed_over"));
    story_until(story, "2026-03-02T08:59:59Z");
    assert_true(slice_is(value_get_text(story_row(story, "task/1"), "state"), "handed_over"));
    story_until(story, "2026-03-02T09:00:00Z");
    assert_true(slice_is(value_get_text(story_row(story, "task/1"), "state"), "open"));
    story_end(story);
}

/* ---- timers ---- */

static struct story *with_assigned_action(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Buy a lock', 'fields': "
                         "{'task': 'Buy it.', 'assignee': 'finn', 'due': '2026-03-20'}}"));
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "assigned");
    assert_int_equal(story_task_count(story, "communication.deliver", NULL), 1);
    assert_done(story_settle(story, story_task(story, NULL, NULL), 200, 0));
    return story;
}

static void reminders_come_each_at_its_time(void **state)
{
    struct story *story = with_assigned_action();

    (void)state;
    story_until(story, "2026-03-12T23:59:59Z");
    assert_int_equal(story_task_count(story, NULL, NULL), 0);
    story_until(story, "2026-03-13T00:00:00Z");
    assert_int_equal(story_task_count(story, NULL, NULL), 1);
    story_until(story, "2026-03-20T00:00:00Z");
    assert_int_equal(story_task_count(story, NULL, NULL), 2);
    story_until(story, "2026-04-03T12:00:00Z");
    /* Two more Fridays, and finn's manager. */
    assert_int_equal(story_task_count(story, NULL, NULL), 5);
    story_end(story);
}

static void what_was_missed_collapses_into_one_message(void **state)
{
    struct story *story = with_assigned_action();
    uint64_t before = story_size(story);

    (void)state;
    story_at(story, "2026-06-01T12:00:00Z");
    story_wake(story);
    assert_int_equal(story_size(story), before + 2);
    assert_int_equal(story_task_count(story, NULL, NULL), 2);
    story_until(story, "2026-06-05T00:00:00Z"); /* the next Friday */
    assert_int_equal(story_task_count(story, NULL, NULL), 3);
    story_end(story);
}

static void a_repeating_timer_does_not_begin_again_because_of_an_event(void **state)
{
    struct story *story = with_assigned_action();
    uint64_t before;

    (void)state;
    story_until(story, "2026-03-28T00:00:00Z");
    before = story_size(story);
    assert_done(story_do(story, "amara", "reassign", "ACT-0001",
                         "{'assignee': 'finn', 'reason': " STORY_REASON "}"));
    story_wake(story);
    assert_int_equal(story_size(story), before + 1);
    story_end(story);
}

/* Back in a state whose dates have passed: the same moment is announced again, in a run of its own. */
static void a_timer_that_runs_again_is_another_run(void **state)
{
    struct story *story = with_assigned_action();
    uint64_t before;

    (void)state;
    story_until(story, "2026-04-05T00:00:00Z");
    assert_done(story_do(story, "finn", "finish", "ACT-0001", "{'set': {'result': 'Shut.'}}"));
    assert_string_equal(story_fact(story, "ACT-0001", "timers"), "[]");
    assert_done(story_do(story, "amara", "reassign", "ACT-0001",
                         "{'assignee': 'finn', 'reason': " STORY_REASON "}"));
    before = story_size(story);
    story_wake(story);
    assert_int_equal(story_size(story), before + 2);
    assert_string_equal(story_leaf_type(story, 0), "timer.fired");
    story_end(story);
}

static void a_new_date_moves_the_timer(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL, finding));
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_done(story_do(story, "finn", "edit", "ACT-0001",
                         "{'set': {'due': '2026-03-20', 'assignee': 'finn'}}"));
    assert_string_equal(story_fact(story, "ACT-0001", "timers"),
                        "[{\"due_ms\": 1773360000000, \"name\": \"overdue\"}, "
                        "{\"due_ms\": 1773964800000, \"name\": \"weekly\"}]");
    assert_done(
        story_do(story, "amara", "reassign", "ACT-0001",
                 "{'assignee': 'finn', 'set': {'due': '2026-04-20'}, 'reason': " STORY_REASON "}"));
    assert_string_equal(story_fact(story, "ACT-0001", "timers"),
                        "[{\"due_ms\": 1776038400000, \"name\": \"overdue\"}, "
                        "{\"due_ms\": 1776643200000, \"name\": \"weekly\"}]");
    story_end(story);
}

/* 2026-03-02T08:00:00Z, and 100 hours later. */
#define NOTICED "1772438400000"
#define TELL_BY "1772798400000"

static void a_clock_speaks_at_parts_of_the_way_to_a_deadline(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'audit', 'title': 'Breach', 'fields': {'noticed': " NOTICED
                         ", 'tell_by': " TELL_BY "}}"));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    story_until(story, "2026-03-04T09:59:59Z");
    assert_int_equal(story_task_count(story, "communication.deliver", NULL), 0);
    story_until(story, "2026-03-04T10:00:00Z"); /* 50 hours */
    assert_int_equal(story_task_count(story, "communication.deliver", NULL), 1);
    story_until(story, "2026-03-05T16:00:00Z"); /* 80 hours */
    assert_int_equal(story_task_count(story, "communication.deliver", NULL), 2);
    story_until(story, "2026-03-06T11:59:59Z");
    assert_string_equal(story_fact(story, "AUD-0001", "state"), "fieldwork");
    story_until(story, "2026-03-06T12:00:00Z");
    assert_string_equal(story_fact(story, "AUD-0001", "state"), "closed");
    story_end(story);
}

static void what_is_computed_at_birth_sees_what_the_record_is_born_with(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(
        story_do(story, "dana", "open", NULL,
                 "{'kind': 'audit', 'title': 'Backups', 'fields': {'aim': 'all of them'}}"));
    assert_string_equal(story_field(story, "AUD-0001", "heading"), "Backups: all of them");
    assert_done(story_do(story, "dana", "open", NULL, "{'kind': 'audit', 'title': 'Keys'}"));
    assert_string_equal(story_field(story, "AUD-0002", "heading"), "Keys");
    story_end(story);
}

/* ---- what follows and cannot be done ---- */

/* Rules that cannot be computed as long as ned has no address. */
static const struct story_change rules_for_ned[] = {
    {"interactions.cfg", "  # An action for each",
     "  { rule = \"S.8\"; when = \"action.assign\"; each = \"people.filter(p, p.name == 'ned')\";\n"
     "    once = \"record.id + row.name\"; starts = \"errand\"; title = \"row.email\";\n"
     "    set = { roles = \"['employee']\"; }; },\n"
     "  { rule = \"S.9\"; when = \"audit.close\"; each = \"people.filter(p, p.name == 'ned')\";\n"
     "    once = \"record.id + row.name\"; starts = \"errand\"; title = \"row.email\";\n"
     "    set = { roles = \"['employee']\"; }; },\n"
     "  # An action for each"},
    {"errand.cfg", "create = [\"isms_manager\"]", "create = [\"isms_manager\", \"system\"]"},
    {NULL, NULL, NULL}};

static struct story *with_ned(void)
{
    struct story *story = story_begin();

    assert_done(story_put_people(
        story, "amara", "{'people': [{'name': 'ned', 'kind': 'person', 'roles': ['employee']}]}"));
    assert_done(story_install_agreed(story, "amara", "Ned has an errand.", rules_for_ned));
    story_may_park(story);
    return story;
}

static void give_ned_an_address(struct story *story)
{
    assert_done(story_put_people(story, "amara",
                                 "{'people': [{'name': 'ned', 'kind': 'person', 'email': "
                                 "'ned@story.example', 'roles': ['employee']}]}"));
}

static const struct value *parked(struct story *story, uint32_t count)
{
    const struct value *tasks = story_ask(story, "amara", "tasks", "{'state': 'parked'}");

    assert_int_equal(tasks->count, count);
    return count > 0 ? &tasks->as.items[count - 1] : NULL;
}

static const char *by_number(struct story *story, const struct value *task)
{
    return arena_printf(story_arena(story), "{'task': %lld, 'reason': " STORY_REASON "}",
                        (long long)value_get_int(task, "task", 0));
}

static struct story *with_a_parked_step(void)
{
    struct story *story = with_ned();

    assert_done(story_do(story, "dana", "open", NULL, finding));
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_done(story_do(story, "finn", "edit", "ACT-0001", "{'set': {'assignee': 'finn'}}"));
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "proposed");
    return story;
}

static void a_step_that_cannot_be_done_is_parked_and_asked_again_when_somebody_says_so(void **state)
{
    struct story *story = with_a_parked_step();
    const struct value *task = parked(story, 1), *inbox;

    (void)state;
    assert_string_equal(story_leaf_type(story, 0), "task.parked");
    assert_true(slice_is(value_get_text(task, "service"), "rota.follow"));
    assert_true(slice_is(value_get_text(task, "record"), "ACT-0001"));
    assert_true(slice_starts(value_get_text(task, "note"), "next: Rule S.8 (interactions.cfg:"));
    inbox = story_ask(story, "amara", "inbox", "{}");
    assert_int_equal(inbox->count, 1);
    assert_true(slice_is(value_get_text(&inbox->as.items[0], "what"), "task"));
    assert_refused(story_do(story, "finn", "task.redrive", NULL, by_number(story, task)), 403,
                   "not-allowed");
    /* As long as nothing is remedied, it is parked again, once. */
    assert_done(story_do(story, "amara", "task.redrive", NULL, by_number(story, task)));
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "proposed");
    task = parked(story, 1);
    give_ned_an_address(story);
    assert_done(story_do(story, "amara", "task.redrive", NULL, by_number(story, task)));
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "assigned");
    assert_string_equal(story_fact(story, "ERR-0001", "title"), "ned@story.example");
    parked(story, 0);
    story_end(story);
}

static void the_same_step_is_parked_once_however_often_it_is_refused(void **state)
{
    struct story *story = with_a_parked_step();
    const struct value *task = parked(story, 1);
    int64_t number = value_get_int(task, "task", 0);

    (void)state;
    assert_done(story_do(story, "finn", "edit", "ACT-0001", "{'set': {'task': 'Shut it.'}}"));
    task = parked(story, 1);
    assert_int_equal(value_get_int(task, "task", 0), number);
    assert_int_equal(value_get_int(task, "failures", 0), 2);
    assert_done(story_do(story, "amara", "task.cancel", NULL, by_number(story, task)));
    /* The record is looked at again when the task goes, and it cannot be done still. */
    task = parked(story, 1);
    assert_int_not_equal(value_get_int(task, "task", 0), number);
    give_ned_an_address(story);
    assert_done(story_do(story, "amara", "task.redrive", NULL, "{'all': true}"));
    parked(story, 0);
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "assigned");
    story_end(story);
}

static void a_time_that_has_come_is_noted_also_where_what_it_brings_is_parked(void **state)
{
    struct story *story = with_ned();
    const struct value *task;

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'audit', 'title': 'Breach', 'fields': {'noticed': " NOTICED
                         ", 'tell_by': " TELL_BY "}}"));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    story_until(story, "2026-03-06T12:00:00Z");
    assert_string_equal(story_leaf_type(story, 1), "timer.fired");
    assert_string_equal(story_leaf_type(story, 0), "task.parked");
    assert_string_equal(story_fact(story, "AUD-0001", "state"), "fieldwork");
    assert_int_equal(story_task_count(story, "communication.deliver", NULL), 3);
    task = parked(story, 1);
    assert_true(slice_starts(value_get_text(task, "note"), "close: Rule S.9"));
    story_until(story, "2026-03-08T12:00:00Z");
    parked(story, 1);
    give_ned_an_address(story);
    assert_done(story_do(story, "amara", "task.redrive", NULL, by_number(story, task)));
    assert_string_equal(story_fact(story, "AUD-0001", "state"), "closed");
    parked(story, 0);
    story_end(story);
}

/* Asked as an engine would that had stopped, or as a rule would in a circle. */
static void too_deep_or_too_many_is_parked_too(void **state)
{
    struct story *story = with_ned();
    const struct value *task;

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL, finding));
    assert_refused(story_follow(story, "{'record': 'FND-0001', 'cause': 0, 'depth': 17}"), 422,
                   "guard-failed");
    task = parked(story, 1);
    assert_true(slice_starts(value_get_text(task, "note"), "next: More than 16 steps followed"));
    assert_done(story_do(story, "amara", "task.redrive", NULL, by_number(story, task)));
    parked(story, 0);
    assert_refused(story_follow(story, "{'record': 'FND-0001', 'event': '" FOLLOW_BEYOND
                                       "', 'cause': 0, 'count': 7}"),
                   413, "too-large");
    task = parked(story, 1);
    assert_true(slice_starts(value_get_text(task, "note"), "follow.beyond: 7 more steps"));
    assert_refused(story_do(story, "amara", "task.redrive", NULL, by_number(story, task)), 409,
                   "wrong-state");
    assert_refused(story_do(story, "amara", "task.redrive", NULL, "{'all': true}"), 404,
                   "no-record");
    assert_done(story_do(story, "amara", "task.cancel", NULL, by_number(story, task)));
    parked(story, 0);
    story_end(story);
}

static void put_many(struct story *story, int from, int to)
{
    struct buf text = BUF_EMPTY;

    buf_add_str(&text, "{'people': [");
    for (int i = from; i < to; i++)
        buf_addf(&text, "%s{'name': 'q%04d', 'kind': 'person', 'roles': ['employee']}",
                 i > from ? ", " : "", i);
    buf_add_str(&text, "]}");
    assert_done(story_put_people(story, "amara", buf_text(&text)));
    buf_release(&text);
}

/* More runs than steps may follow from one another: the rest of a list is no deeper than its beginning. And a record that
 * so many are linked to lets each of them look whether something is open to it now. */
static void a_list_of_any_length_is_gone_over_to_its_end(void **state)
{
    struct story *story = story_begin();
    int before;

    (void)state;
    put_many(story, 0, 600);
    put_many(story, 600, 1200);
    assert_done(
        story_do(story, "amara", "open", NULL,
                 "{'kind': 'errand', 'title': 'Read it', 'fields': {'roles': ['employee']}}"));
    assert_done(story_do(story, "amara", "call", "ERR-0001", NULL));
    assert_string_equal(story_field(story, "ACT-1202", "assignee"), "q1199");
    assert_false(story_has_row(story, "ACT-1203"));
    before = story_asked(story);
    assert_done(story_follow(story, "{'record': 'ERR-0001', 'cause': 0, 'depth': 15}"));
    /* Itself, each of the others once, and the pages after the first. */
    assert_int_equal(story_asked(story) - before, 1 + 1202 + 6);
    story_end(story);
}

/* ---- long texts ---- */

static void a_long_text_goes_on_whole_and_a_short_one_is_cut(void **state)
{
    struct story *story = story_begin();
    char text[2001], open[512], task[32], hex[2 * HASH_LEN + 1];
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i += 2)
        memcpy(text + i, "\xc3\xa9", 2); /* 1,000 times an e with an acute */
    text[sizeof text - 1] = '\0';
    snprintf(
        open, sizeof open,
        "{'kind': 'pledge', 'title': 'Backups', 'fields': {'report': {'size': 2000, 'content': "
        "'hex:%s'}}}",
        story_content(story, text));
    assert_done(story_do(story, "amara", "open", NULL, open));
    assert_string_equal(story_field(story, "PLG-0001", "report"),
                        story_field(story, "ACT-0001", "why"));
    why = story_field(story, "ACT-0002", "why");
    assert_non_null(strstr(why, "\"size\": 2009"));
    snprintf(hex, sizeof hex, "%s", strstr(why, "hex:") + 4);
    assert_true(story_keeps(story, hex));
    snprintf(task, sizeof task, "%s", story_field(story, "ACT-0002", "task") + 1012);
    assert_string_equal(task, "\xc3\xa9\xc3\xa9\xc3\xa9 [...]"); /* never a part of a character */
    story_end(story);
}

/* ---- stages that are left out ---- */

#define PLEDGE(fields) "{'kind': 'pledge', 'title': 'A pledge', 'fields': {" fields "}}"

static void a_stage_whose_condition_does_not_hold_is_left_out(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, PLEDGE("'amount': 20")));
    assert_done(story_do(story, "amara", "submit", "PLG-0001", NULL));
    assert_int_equal(story_task_count(story, "approval.request", "PLG-0001@1.0"), 2);
    assert_refused(story_sign(story, "gwen", "approve", "PLG-0001", NULL), 403, "not-allowed");
    assert_done(story_sign(story, "bo", "approve", "PLG-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "PLG-0001", NULL));
    /* What waited for the stage between waits for what that one waited for. */
    assert_done(story_sign(story, "eve", "approve", "PLG-0001", NULL));
    assert_string_equal(story_fact(story, "PLG-0001", "state"), "approved");
    story_end(story);
}

static void a_single_stage_that_is_left_keeps_its_meaning(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, PLEDGE("'amount': 5")));
    assert_done(story_do(story, "amara", "submit", "PLG-0001", NULL));
    assert_refused(story_sign(story, "bo", "approve", "PLG-0001", NULL), 403, "not-allowed");
    assert_done(story_sign(story, "eve", "approve", "PLG-0001", NULL));
    assert_string_equal(story_fact(story, "PLG-0001", "state"), "approved");
    story_end(story);
}

static void an_approval_of_which_no_stage_is_left_is_refused(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, PLEDGE("'amount': 0")));
    assert_refused(story_do(story, "amara", "submit", "PLG-0001", NULL), 422, "guard-failed");
    assert_non_null(strstr(story_sentence(story), "asks nobody"));
    story_end(story);
}

static void a_deadline_that_moves_takes_its_clock_along(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'audit', 'title': 'Breach', 'fields': {'noticed': " NOTICED
                         "}}"));
    assert_string_equal(story_fact(story, "AUD-0001", "timers"), "[]");
    assert_done(story_do(story, "dana", "edit", "AUD-0001", "{'set': {'tell_by': " TELL_BY "}}"));
    assert_string_equal(story_fact(story, "AUD-0001", "timers"),
                        "[{\"due_ms\": 1772618400000, \"name\": \"clock\"}]");
    assert_done(story_do(story, "dana", "edit", "AUD-0001", "{'set': {'tell_by': 1772438600000}}"));
    assert_string_equal(story_fact(story, "AUD-0001", "timers"),
                        "[{\"due_ms\": 1772438500000, \"name\": \"clock\"}]");
    /* Nothing to count towards: the end lies before the beginning. */
    assert_done(story_do(story, "dana", "edit", "AUD-0001", "{'set': {'tell_by': 5}}"));
    assert_string_equal(story_fact(story, "AUD-0001", "timers"), "[]");
    story_end(story);
}

/* ---- imports ---- */

#define SHA(c) "'sha256': '" c c c c c c c c c c c c c c c c "'"

static struct story *with_audit_in_fieldwork(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "dana", "open", NULL, "{'kind': 'audit', 'title': 'Scan'}"));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    return story;
}

static const char *const scan = "{'tool': 'scanner', 'format': 'sarif', " SHA(
    "abcd") ", 'findings': ["
            "{'title': 'Old TLS', 'dedupe_key': 'k1', 'fields': {'weight': 'minor', 'answers': "
            "'finn'}},"
            "{'title': 'Open port', 'dedupe_key': 'k2', 'fields': {'weight': 'minor', 'answers': "
            "'finn'}},"
            "{'title': 'Old TLS', 'dedupe_key': 'k1', 'fields': {'weight': 'minor', 'answers': "
            "'finn'}}]}";

static void an_import_raises_each_finding_once(void **state)
{
    struct story *story = with_audit_in_fieldwork();

    (void)state;
    assert_done(story_do(story, "dana", "audit.import", "AUD-0001", scan));
    assert_true(story_has_row(story, "FND-0002"));
    assert_false(story_has_row(story, "FND-0003"));
    assert_refused(story_do(story, "dana", "audit.import", "AUD-0001", scan), 409, "wrong-state");
    assert_done(story_do(
        story, "dana", "audit.import", "AUD-0001",
        "{'tool': 'scanner', 'format': 'sarif', " SHA(
            "0123") ", 'findings': ["
                    "{'title': 'Old TLS', 'dedupe_key': 'k1', 'fields': {'weight': 'minor', "
                    "'answers': 'finn'}}]}"));
    assert_false(story_has_row(story, "FND-0003"));
    assert_string_equal(story_fact(story, "FND-0001", "via"), "import");
    assert_refused(story_do(story, "amara", "audit.import", "AUD-0001", scan), 403, "not-allowed");
    story_end(story);
}

/* Seen again after it was closed: the same finding, confirmed a second time, has its action already. */
static void a_finding_comes_back_and_its_rule_does_not_start_twice(void **state)
{
    static const char *const found =
        "'findings': [{'title': 'Old TLS', 'dedupe_key': 'k1', 'fields': {'weight': 'major', "
        "'answers': 'finn'}}]}";
    struct story *story = with_audit_in_fieldwork();

    (void)state;
    assert_done(story_do(story, "dana", "audit.import", "AUD-0001",
                         arena_printf(story_arena(story), "{'tool': 't', 'format': 'csv', %s, %s",
                                      SHA("0001"), found)));
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_done(story_do(story, "amara", "drop", "ACT-0001", REASON));
    assert_string_equal(story_fact(story, "FND-0001", "state"), "closed");
    assert_done(story_do(story, "dana", "audit.import", "AUD-0001",
                         arena_printf(story_arena(story), "{'tool': 't', 'format': 'csv', %s, %s",
                                      SHA("0002"), found)));
    assert_string_equal(story_fact(story, "FND-0001", "state"), "raised");
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_false(story_has_row(story, "ACT-0002"));
    story_end(story);
}

static void one_bad_finding_refuses_the_whole_import(void **state)
{
    struct story *story = with_audit_in_fieldwork();
    uint64_t before = story_size(story);

    (void)state;
    assert_refused(
        story_do(story, "dana", "audit.import", "AUD-0001",
                 "{'tool': 'scanner', 'format': 'sarif', " SHA(
                     "0123") ", 'findings': ["
                             "{'title': 'A', 'dedupe_key': 'k1', 'fields': {'weight': 'minor', "
                             "'answers': 'finn'}},"
                             "{'title': 'B', 'dedupe_key': 'k2', 'fields': {'weight': 'huge'}}]}"),
        422, "guard-failed");
    assert_int_equal(story_size(story), before);
    assert_false(story_has_row(story, "FND-0001"));
    assert_false(story_has_row(story, "next/FND"));
    story_end(story);
}

/* ---- the directory ---- */

static void what_the_directory_no_longer_says_is_forgotten(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_refused(
        story_do(story, "finn", "directory.install", NULL,
                 "{'people': [{'name': 'finn', 'kind': 'person', 'roles': ['isms_manager']}]}"),
        403, "not-allowed");
    assert_non_null(value_get(story_row(story, "person/bo"), "sign"));
    assert_done(story_put_people(
        story, "amara", "{'people': [{'name': 'bo', 'kind': 'person', 'roles': ['employee']}]}"));
    assert_null(value_get(story_row(story, "person/bo"), "sign"));
    assert_null(value_get(story_row(story, "person/bo"), "email"));
    assert_refused(story_do(story, "bo", "open", NULL, "{'kind': 'policy', 'title': 'P'}"), 403,
                   "not-allowed");
    story_end(story);
}

static void rights_that_have_ended_permit_nothing(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_put_people(
        story, "amara",
        "{'people': [{'name': 'dana', 'kind': 'person', 'roles': ['internal_auditor'], "
        "'not_after': 1772442000000}]}")); /* in an hour */
    assert_done(story_do(story, "dana", "open", NULL, finding));
    story_at(story, "2026-03-02T09:00:01Z");
    assert_refused(story_do(story, "dana", "open", NULL, finding), 403, "not-allowed");
    assert_int_equal(story_ask_status(story, "dana", "info", "{}"), 403);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_confirmed_finding_starts_its_action_in_the_same_run),
        cmocka_unit_test(a_rule_goes_over_the_people_of_a_role),
        cmocka_unit_test(a_rule_goes_over_more_people_than_fit_into_one_run),
        cmocka_unit_test(the_light_finding_starts_nothing),
        cmocka_unit_test(a_gate_holds_until_what_was_started_is_closed),
        cmocka_unit_test(who_answers_for_it_cannot_confirm_it),
        cmocka_unit_test(an_action_is_assigned_as_soon_as_it_is_known_to_whom),
        cmocka_unit_test(fields_that_come_with_an_event_count_for_its_condition),
        cmocka_unit_test(an_argument_that_a_set_names_is_given_by_its_field),
        cmocka_unit_test(an_outcome_makes_nobody_an_editor_content_does),
        cmocka_unit_test(each_addressee_is_a_task_and_the_last_one_closes_it),
        cmocka_unit_test(a_task_that_fails_is_tried_again_and_then_parked),
        cmocka_unit_test(what_cannot_be_done_is_parked_at_once_and_driven_again_by_hand),
        cmocka_unit_test(why_it_failed_is_not_said_of_what_came_after),
        cmocka_unit_test(what_was_handed_over_is_asked_for_again_when_nothing_comes),
        cmocka_unit_test(reminders_come_each_at_its_time),
        cmocka_unit_test(what_was_missed_collapses_into_one_message),
        cmocka_unit_test(a_repeating_timer_does_not_begin_again_because_of_an_event),
        cmocka_unit_test(a_timer_that_runs_again_is_another_run),
        cmocka_unit_test(a_new_date_moves_the_timer),
        cmocka_unit_test(a_clock_speaks_at_parts_of_the_way_to_a_deadline),
        cmocka_unit_test(what_is_computed_at_birth_sees_what_the_record_is_born_with),
        cmocka_unit_test(
            a_step_that_cannot_be_done_is_parked_and_asked_again_when_somebody_says_so),
        cmocka_unit_test(the_same_step_is_parked_once_however_often_it_is_refused),
        cmocka_unit_test(a_time_that_has_come_is_noted_also_where_what_it_brings_is_parked),
        cmocka_unit_test(too_deep_or_too_many_is_parked_too),
        cmocka_unit_test(a_list_of_any_length_is_gone_over_to_its_end),
        cmocka_unit_test(a_long_text_goes_on_whole_and_a_short_one_is_cut),
        cmocka_unit_test(a_stage_whose_condition_does_not_hold_is_left_out),
        cmocka_unit_test(a_single_stage_that_is_left_keeps_its_meaning),
        cmocka_unit_test(an_approval_of_which_no_stage_is_left_is_refused),
        cmocka_unit_test(a_deadline_that_moves_takes_its_clock_along),
        cmocka_unit_test(an_import_raises_each_finding_once),
        cmocka_unit_test(a_finding_comes_back_and_its_rule_does_not_start_twice),
        cmocka_unit_test(one_bad_finding_refuses_the_whole_import),
        cmocka_unit_test(what_the_directory_no_longer_says_is_forgotten),
        cmocka_unit_test(rights_that_have_ended_permit_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
