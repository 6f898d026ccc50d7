/* test_query.c - what the state says to somebody who asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock it away.',"
    " 'places': [{'name': 'Lyon', 'inside': true}]}}";

static struct story *with_submitted_policy(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    return story;
}

static void put_in_force(struct story *story)
{
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
}

static const char *shown(struct story *story, const struct value *value)
{
    return value != NULL ? value_show(story_arena(story), value) : "(nothing)";
}

static const char *text_at(struct story *story, const struct value *map, const char *key)
{
    return value_get_str(map, key, "", story_arena(story));
}

static void whoever_is_not_in_the_directory_reads_nothing(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_int_equal(story_ask_status(story, "mallory", "info", "{}"), 403);
    assert_int_equal(story_ask_status(story, "finn", "info", "{}"), 200);
    assert_int_equal(story_ask_status(story, "finn", "gossip", "{}"), 405);
    assert_int_equal(story_ask_status(story, "finn", "show", "{'record': 'POL-0001'}"), 404);
    assert_int_equal(story_ask_status(story, "finn", "show", "{}"), 400);
    assert_int_equal(story_ask_status(story, "finn", "show", "{'record': 'person/bo'}"), 404);
    story_end(story);
}

static void a_query_changes_nothing(void **state)
{
    static const char *const names[] = {"info", "kinds", "people", "show", "list",
                                        "log",  "diff",  "inbox",  "tasks"};
    struct story *story = with_submitted_policy();
    uint64_t before = story_size(story);

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        story_ask(story, "finn", names[i], "{'record': 'POL-0001'}");
    story_ask(story, "bo", "why", "{'record': 'POL-0001', 'event': 'approve'}");
    assert_int_equal(story_size(story), before);
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

static void info_says_where_and_when_and_who(void **state)
{
    struct story *story = story_begin();
    const struct value *info = story_ask(story, "eve", "info", "{}");

    (void)state;
    assert_string_equal(text_at(story, info, "origin"), "story.example/virtual");
    assert_string_equal(text_at(story, info, "clock"), "virtual");
    assert_string_equal(text_at(story, info, "today"), "2026-03-02");
    assert_string_equal(text_at(story, info, "timezone"), "UTC");
    assert_string_equal(text_at(story, info, "principal"), "eve");
    assert_string_equal(shown(story, value_get(info, "roles")),
                        "[\"doc_controller\", \"employee\", "
                        "\"comms_owner\", \"training_coordinator\"]");
    assert_string_equal(text_at(story, value_get(info, "me"), "email"), "eve@story.example");
    assert_int_equal(value_get_bin(info, "pack").len, HASH_LEN);
    story_end(story);
}

static void kinds_say_what_can_be_filled_in_and_done(void **state)
{
    struct story *story = story_begin();
    const struct value *kinds = story_ask(story, "eve", "kinds", "{}"), *kind, *fields;
    bool has_table = false;

    (void)state;
    assert_int_equal(kinds->count, 9);
    kind = story_ask(story, "eve", "kinds", "{'kind': 'policy'}");
    assert_string_equal(text_at(story, kind, "prefix"), "POL");
    assert_true(value_get_bool(kind, "versioned", false));
    assert_string_equal(text_at(story, &value_get(kind, "states")->as.items[2], "stage"),
                        "in_force");
    fields = value_get(kind, "fields");
    for (uint32_t i = 0; i < fields->count; i++)
        has_table = has_table || (slice_is(value_get_text(&fields->as.items[i], "type"), "table") &&
                                  value_get(&fields->as.items[i], "columns")->count == 3);
    assert_true(has_table);
    assert_int_equal(story_ask_status(story, "eve", "kinds", "{'kind': 'poem'}"), 404);
    story_end(story);
}

static void a_page_shows_the_round_and_who_has_not_answered(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *round, *vote;

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    round = value_get(story_ask(story, "finn", "show", "{'record': 'POL-0001'}"), "round");
    assert_int_equal(value_get(round, "votes")->count, 1);
    vote = value_get(value_get(round, "votes"), "bo");
    assert_int_equal(value_get_int(vote, "at_ms", 0), 1772438400000);
    assert_string_equal(value_get_str(vote, "person", "", story_arena(story)), "bo");
    assert_string_equal(value_get_str(vote, "vote", "", story_arena(story)), "grant");
    assert_true(value_equal(value_get(vote, "under"), value_get(round, "under")));
    assert_string_equal(shown(story, value_get(round, "waiting_for")), "[\"cleo\"]");
    assert_int_equal(value_get_int(round, "need", 0), 2);
    assert_string_equal(story_fact(story, "POL-0001", "pdca"), "plan");
    assert_string_equal(story_fact(story, "POL-0001", "may_edit"), "true");
    story_end(story);
}

static void next_events_are_those_of_the_asker(void **state)
{
    struct story *story = with_submitted_policy();

    (void)state;
    assert_true(story_may(story, "bo", "POL-0001", "approve"));
    assert_true(story_may(story, "bo", "POL-0001", "return"));
    assert_false(story_may(story, "bo", "POL-0001", "submit"));
    assert_false(story_may(story, "amara", "POL-0001", "submit"));
    assert_true(story_may(story, "amara", "POL-0001", "withdraw"));
    assert_false(story_may(story, "finn", "POL-0001", "approve"));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_false(story_may(story, "bo", "POL-0001", "approve"));
    story_end(story);
}

/* ---- lists ---- */

static struct story *with_many_actions(int count)
{
    struct story *story = story_begin();

    for (int i = 0; i < count; i++)
        assert_done(story_do(story, "amara", "open", NULL,
                             arena_printf(story_arena(story),
                                          "{'kind': 'action', 'title': 'Step %d', 'fields': "
                                          "{'task': 'Do it.'}}",
                                          i + 1)));
    assert_done(story_do(story, "amara", "open", NULL, policy));
    return story;
}

static void a_list_comes_in_pages_that_miss_nothing(void **state)
{
    struct story *story = with_many_actions(7);
    const struct value *page = story_ask(story, "finn", "list", "{'limit': 3}");
    uint32_t count = value_get(page, "records")->count;

    (void)state;
    assert_int_equal(count, 3);
    while (value_get(page, "next") != NULL) {
        page = story_ask(story, "finn", "list",
                         arena_printf(story_arena(story), "{'limit': 3, 'after': '%s'}",
                                      text_at(story, page, "next")));
        count += value_get(page, "records")->count;
        assert_true(value_get(page, "records")->count > 0);
    }
    assert_int_equal(count, 8);
    page = story_ask(story, "finn", "list", "{'kind': 'action', 'limit': 7}");
    assert_int_equal(value_get(page, "records")->count, 7);
    assert_null(value_get(page, "next"));
    story_end(story);
}

static uint32_t listed(struct story *story, const char *name, const char *args)
{
    return value_get(story_ask(story, "finn", name, args), "records")->count;
}

static void a_list_is_narrowed_by_what_records_are(void **state)
{
    struct story *story = with_many_actions(3);

    (void)state;
    assert_done(story_do(story, "amara", "drop", "ACT-0002", REASON));
    assert_int_equal(listed(story, "list", "{'kind': 'action'}"), 3);
    assert_int_equal(listed(story, "list", "{'kind': 'action', 'open': true}"), 2);
    assert_int_equal(listed(story, "list", "{'open': false}"), 1);
    assert_int_equal(listed(story, "list", "{'state': 'proposed'}"), 2);
    assert_int_equal(listed(story, "list", "{'stage': 'draft'}"), 3);
    assert_int_equal(listed(story, "list", "{'owner': 'finn'}"), 0);
    assert_int_equal(listed(story, "list", "{'valid': true}"), 0);
    assert_int_equal(listed(story, "find", "{'text': 'STEP 3'}"), 1);
    assert_int_equal(listed(story, "find", "{'text': 'lock it'}"), 1);
    assert_int_equal(listed(story, "find", "{'text': 'pol-0001'}"), 1);
    assert_int_equal(story_ask_status(story, "finn", "find", "{}"), 400);
    assert_int_equal(story_ask_status(story, "finn", "list", "{'kind': 'poem'}"), 404);
    story_end(story);
}

/* A date is late once its day is over, in a state in which the workflow watches it, and until the record is closed. */
static void a_list_says_which_dates_are_over(void **state)
{
    struct story *story = story_begin();
    const struct value *record;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'A', 'fields': {'task': 'Do it.',"
                         " 'assignee': 'finn', 'due': '2026-06-01'}}"));
    story_until(story, "2026-06-01T20:00:00Z");
    record = value_get(story_ask(story, "finn", "list", "{}"), "records")->as.items;
    assert_string_equal(text_at(story, record, "state"), "assigned");
    assert_null(value_get(record, "past"));
    story_pass(story, 1);
    record = value_get(story_ask(story, "finn", "list", "{}"), "records")->as.items;
    assert_string_equal(shown(story, value_get(record, "past")), "{\"due\": \"2026-06-01\"}");
    assert_done(story_do(story, "amara", "drop", "ACT-0001", REASON));
    record = value_get(story_ask(story, "finn", "list", "{}"), "records")->as.items;
    assert_null(value_get(record, "past"));
    story_end(story);
}

static const struct value *rule_named(struct story *story, const char *name)
{
    const struct value *rules = story_ask(story, "finn", "rules", "{}");

    for (uint32_t i = 0; i < rules->count; i++) {
        if (strcmp(text_at(story, &rules->as.items[i], "rule"), name) == 0)
            return &rules->as.items[i];
    }
    fail_msg("there is no rule %s", name);
    return NULL;
}

static void rules_say_what_they_join_and_what_they_opened(void **state)
{
    struct story *story = story_begin();
    const struct value *rule = rule_named(story, "S.1");

    (void)state;
    assert_string_equal(text_at(story, rule, "kind"), "finding");
    assert_string_equal(text_at(story, rule, "event"), "confirm");
    assert_string_equal(text_at(story, rule, "starts"), "action");
    assert_string_equal(text_at(story, rule, "gate"), "close");
    assert_int_equal(value_get_int(rule, "started", -1), 0);
    assert_string_equal(text_at(story, rule_named(story, "S.2"), "signal"), "drop");
    assert_null(value_get(rule_named(story, "S.2"), "started"));
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'finding', 'title': 'Doors', 'fields': {'weight': 'major', "
                         "'answers': 'finn'}}"));
    assert_done(story_sign(story, "amara", "confirm", "FND-0001", NULL));
    rule = rule_named(story, "S.1");
    assert_int_equal(value_get_int(rule, "started", -1), 1);
    assert_string_equal(shown(story, value_get(rule, "records")), "[\"ACT-0001\"]");
    story_end(story);
}

/* ---- history ---- */

static void the_log_of_a_record_is_all_that_concerns_it_oldest_first(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *entries, *entry;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{'kind': 'action', 'title': 'Other'}"));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    entries = value_get(story_ask(story, "finn", "log", "{'record': 'POL-0001'}"), "entries");
    assert_int_equal(entries->count, 3);
    assert_string_equal(text_at(story, &entries->as.items[0], "type"), "record.open");
    entry = &entries->as.items[2];
    assert_string_equal(text_at(story, entry, "type"), "record.approve");
    assert_string_equal(text_at(story, entry, "stream"), "POL-0001@1.0/round/1/bo");
    assert_true(value_get_bool(entry, "signed", false));
    assert_int_equal(value_get_bin(entry, "hash").len, HASH_LEN);
    assert_string_equal(text_at(story, value_get(entry, "body"), "meaning"), "approved");
    entries = value_get(story_ask(story, "finn", "log", "{'stream': 'POL-0001@1.0/round/1/bo'}"),
                        "entries");
    assert_int_equal(entries->count, 1);
    entries =
        value_get(story_ask(story, "finn", "log", "{'record': 'POL-0001', 'limit': 1}"), "entries");
    assert_int_equal(entries->count, 1);
    assert_string_equal(text_at(story, &entries->as.items[0], "type"), "record.approve");
    story_end(story);
}

static void the_log_of_everything_goes_on_where_it_stopped(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *page = story_ask(story, "finn", "log", "{'from': 0, 'limit': 2}");

    (void)state;
    assert_string_equal(text_at(story, &value_get(page, "entries")->as.items[0], "type"),
                        "journal.opened");
    assert_int_equal(value_get_int(page, "next", -1), 2);
    page = story_ask(story, "finn", "log", "{'from': 2}");
    assert_int_equal(value_get(page, "entries")->count, story_size(story) - 2);
    assert_null(value_get(page, "next"));
    story_end(story);
}

static void a_diff_shows_what_the_new_version_changes(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *changes, *diff;

    (void)state;
    put_in_force(story);
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'text': 'Burn it.'}}"));
    diff = story_ask(story, "bo", "diff", "{'record': 'POL-0001'}");
    assert_string_equal(text_at(story, diff, "against"), "POL-0001@1.0");
    changes = value_get(diff, "changes");
    assert_int_equal(changes->count, 2);
    assert_string_equal(
        shown(story, &changes->as.items[0]),
        "{\"after\": \"Burn it.\", \"before\": \"Lock it away.\", \"field\": \"text\"}");
    assert_string_equal(
        shown(story, &changes->as.items[1]),
        "{\"after\": null, \"before\": \"2027-03-02\", \"field\": \"next_review_due\"}");
    diff = story_ask(story, "bo", "diff", "{'record': 'POL-0001@2.0', 'against': 'POL-0001@2.0'}");
    assert_int_equal(value_get(diff, "changes")->count, 0);
    story_end(story);
}

static void a_diff_since_then_is_against_what_somebody_remembers(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *diff =
        story_ask(story, "bo", "diff",
                  "{'record': 'POL-0001', 'since': {'title': 'Clean desk', 'fields': {'grade': "
                  "'low', 'confidentiality': 'internal', 'text':"
                  " 'Lock it.', 'places': [{'name': 'Lyon', 'inside': true}], 'count': 3}}}");

    (void)state;
    assert_null(value_get(diff, "against"));
    assert_string_equal(shown(story, value_get(diff, "changes")),
                        "[{\"after\": \"Lock it away.\", \"before\": \"Lock it.\", \"field\": "
                        "\"text\"}, {\"after\": null, \"before\": 3, \"field\": \"count\"}]");
    assert_int_equal(
        story_ask_status(story, "bo", "diff", "{'record': 'POL-0001', 'since': 'ever'}"), 400);
    story_end(story);
}

/* ---- what somebody is asked to decide about ---- */

static void a_request_says_by_when_and_what_changes(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *input;

    (void)state;
    input =
        value_get(story_task_given(story, story_task(story, "approval.request", NULL)), "input");
    assert_string_equal(shown(story, value_get(input, "by_ms")), "1774166400000"); /* 20 days */
    assert_null(value_get(input, "changes"));
    put_in_force(story);
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_done(story_do(story, "amara", "edit", "POL-0001",
                         "{'set': {'text': 'Lock it away.\\nBurn it.', 'count': 2, 'places': "
                         "[{'name': 'Brest'}, {'name': 'Lyon', 'inside': true, 'rooms': ['a', 'b']"
                         "}]}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    input = value_get(
        story_task_given(story, story_task(story, "approval.request", "POL-0001@2.0")), "input");
    assert_string_equal(text_at(story, input, "against"), "POL-0001@1.0");
    assert_string_equal(shown(story, value_get(input, "changes")),
                        "[{\"after\": \"Burn it.\", \"field\": \"text, line 2\"}, "
                        "{\"after\": \"Brest\", \"field\": \"places, row 1 (added)\"}, "
                        "{\"after\": \"a, b\", \"field\": \"places, row 2, rooms\"}, "
                        "{\"after\": \"2\", \"field\": \"count\"}]");
    story_end(story);
}

static void a_request_with_very_many_changes_counts_the_rest(void **state)
{
    struct story *story = with_submitted_policy();
    struct arena *arena = story_arena(story);
    char *text = arena_str(arena, "");
    const struct value *input;

    (void)state;
    put_in_force(story);
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    for (int i = 0; i < 60; i++)
        text = arena_printf(arena, "%s%d\\n", text, i);
    assert_done(story_do(story, "amara", "edit", "POL-0001",
                         arena_printf(arena, "{'set': {'text': '%s'}}", text)));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    input = value_get(
        story_task_given(story, story_task(story, "approval.request", "POL-0001@2.0")), "input");
    assert_int_equal(value_get(input, "changes")->count, 40);
    assert_int_equal(value_get_int(input, "changes_more", 0), 21); /* 60 came, one went */
    story_end(story);
}

static void the_inbox_says_why_by_when_and_what_changed(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *item;

    (void)state;
    put_in_force(story);
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'count': 2}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    item = story_ask(story, "bo", "inbox", "{}")->as.items;
    if (slice_is(value_get_text(item, "what"), "ack"))
        item++;
    assert_string_equal(text_at(story, item, "record"), "POL-0001@2.0");
    assert_string_equal(text_at(story, item, "why"), "top_management");
    assert_string_equal(text_at(story, item, "by"), "role");
    assert_string_equal(text_at(story, item, "against"), "POL-0001@1.0");
    assert_string_equal(shown(story, value_get(item, "changed")), "[\"count\"]");
    assert_int_equal(value_get_int(item, "by_ms", 0), 1774166400000);
    assert_string_equal(shown(story, value_get(item, "dates")),
                        "[{\"at_ms\": 1772611200000, \"name\": \"reminder\"}, "
                        "{\"at_ms\": 1774166400000, \"name\": \"round.expires\"}]");
    assert_int_equal(value_get_bin(item, "digest").len, HASH_LEN);
    story_end(story);
}

/* ---- why and prepare ---- */

static void why_names_what_stands_in_the_way(void **state)
{
    struct story *story = story_begin();
    const struct value *why;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{'kind': 'policy', 'title': 'Empty'}"));
    why = story_ask(story, "amara", "why", "{'record': 'POL-0001', 'event': 'submit'}");
    assert_false(value_get_bool(why, "allowed", true));
    assert_non_null(strstr(shown(story, value_get(why, "missing")), "still needed: text"));
    why = story_ask(story, "amara", "why",
                    "{'record': 'POL-0001', 'event': 'submit', 'person': 'finn'}");
    assert_non_null(strstr(shown(story, value_get(why, "missing")),
                           "Only the author or the owner may do this"));
    assert_string_equal(shown(story, value_get(why, "who")),
                        "[{\"people\": [\"amara\"], \"word\": \"author\"}, "
                        "{\"people\": [\"amara\"], \"word\": \"owner\"}]");
    why = story_ask(story, "bo", "why", "{'record': 'POL-0001', 'event': 'approve'}");
    assert_non_null(strstr(shown(story, value_get(why, "missing")), "No approval is open"));
    why = story_ask(story, "eve", "why", "{'record': 'POL-0001', 'event': 'put_in_force'}");
    assert_non_null(strstr(shown(story, value_get(why, "missing")), "possible in approved"));
    assert_int_equal(
        story_ask_status(story, "eve", "why", "{'record': 'POL-0001', 'event': 'sing'}"), 405);
    why = story_ask(story, "finn", "why", "{'record': 'POL-0001', 'event': 'edit'}");
    assert_false(value_get_bool(why, "allowed", true));
    story_end(story);
}

static void why_knows_an_approval_that_nobody_could_complete(void **state)
{
    struct story *story = story_begin();
    const struct value *why;

    (void)state;
    assert_done(story_do(story, "bo", "open", NULL,
                         "{'kind': 'policy', 'title': 'By one who would have to sign', 'fields': "
                         "{'text': 'Lock the door.'}}"));
    why = story_ask(story, "bo", "why", "{'record': 'POL-0001', 'event': 'submit'}");
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_false(value_get_bool(why, "allowed", true));
    assert_non_null(strstr(shown(story, value_get(why, "missing")), story_sentence(story)));
    story_end(story);
}

/* Sent without a signature it is refused in the very words that `prepare` had, and that is an entry if a rule made it. */
static void refused_as_forecast(struct story *story, const char *who, const struct value *refused)
{
    int status = (int)value_get_int(refused, "status", 0);
    char *code = arena_str(story_arena(story), text_at(story, refused, "code"));
    char *sentence = arena_str(story_arena(story), text_at(story, refused, "message"));
    uint64_t size = story_size(story);

    assert_refused(story_do(story, who, "approve", "POL-0001", "{'round': 1}"), status, code);
    assert_string_equal(story_sentence(story), sentence);
    assert_int_equal(story_size(story) - size, status == 403 ? 1 : 0);
}

static void what_why_allows_is_what_happens(void **state)
{
    static const char *const who[] = {"amara", "dana", "eve", "finn", "bo", "cleo"};
    struct story *story = with_submitted_policy();
    uint32_t allowed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
        const struct value *why =
            story_ask(story, who[i], "why", "{'record': 'POL-0001', 'event': 'approve'}");
        bool may = value_get_bool(why, "allowed", false);

        const struct value *prepared =
            story_ask(story, who[i], "prepare", "{'record': 'POL-0001', 'event': 'approve'}");
        const struct value *refused = value_get(prepared, "refused");

        allowed += may;
        assert_int_equal(refused == NULL, may);
        if (refused != NULL)
            refused_as_forecast(story, who[i], refused);
        else
            assert_int_equal(story_sign(story, who[i], "approve", "POL-0001", NULL), 200);
    }
    assert_int_equal(allowed, 2);
    story_end(story);
}

static void prepare_gives_what_will_be_signed(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *prepared =
        story_ask(story, "bo", "prepare", "{'record': 'POL-0001', 'event': 'approve'}");

    (void)state;
    assert_string_equal(text_at(story, prepared, "type"), "record.approve");
    assert_string_equal(text_at(story, prepared, "stream"), "POL-0001@1.0/round/1/bo");
    assert_int_equal(value_get_int(prepared, "rev", -1), 0);
    assert_int_equal(value_get_int(prepared, "round", -1), 1);
    assert_string_equal(text_at(story, prepared, "meaning"), "approved");
    assert_non_null(strstr(text_at(story, prepared, "statement"),
                           "I approve Clean desk (POL-0001@1.0, version 1.0)"));
    assert_true(value_get_bool(prepared, "needs_signature", false));
    prepared = story_ask(story, "amara", "prepare", "{'record': 'POL-0001', 'event': 'withdraw'}");
    assert_false(value_get_bool(prepared, "needs_signature", true));
    assert_true(value_get_bool(prepared, "reason", false));
    assert_int_equal(value_get_int(prepared, "rev", -1), 2);
    assert_int_equal(
        story_ask_status(story, "bo", "prepare", "{'record': 'POL-0001', 'event': 'reaffirm'}"),
        409);
    assert_int_equal(
        story_ask_status(story, "bo", "prepare", "{'record': 'POL-0001', 'event': 'sing'}"), 405);
    story_end(story);
}

/* ---- inbox ---- */

static void the_inbox_holds_what_waits_for_one_person(void **state)
{
    struct story *story = with_submitted_policy();
    const struct value *inbox = story_ask(story, "bo", "inbox", "{}");

    (void)state;
    assert_int_equal(inbox->count, 1);
    assert_string_equal(text_at(story, &inbox->as.items[0], "what"), "approve");
    assert_string_equal(text_at(story, &inbox->as.items[0], "why"), "top_management");
    assert_string_equal(shown(story, value_get(&inbox->as.items[0], "events")),
                        "[\"return\", \"approve\", \"reject\"]");
    assert_int_equal(value_get_int(&inbox->as.items[0], "round", 0), 1);
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_int_equal(story_ask(story, "bo", "inbox", "{}")->count, 0);
    assert_int_equal(story_ask(story, "bo", "inbox", "{'person': 'cleo'}")->count, 1);
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    inbox = story_ask(story, "finn", "inbox", "{}");
    assert_int_equal(inbox->count, 1);
    assert_string_equal(text_at(story, &inbox->as.items[0], "what"), "ack");
    assert_done(story_do(story, "finn", "ack", "POL-0001", NULL));
    assert_int_equal(story_ask(story, "finn", "inbox", "{}")->count, 0);
    /* The owner of a document in force owes nothing. */
    assert_int_equal(story_ask(story, "amara", "inbox", "{}")->count, 0);
    story_end(story);
}

static void ones_own_step_is_in_the_inbox(void **state)
{
    struct story *story = story_begin();
    const struct value *inbox;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Lock', 'fields': "
                         "{'task': 'Buy it.', 'assignee': 'finn', 'due': '2026-03-20'}}"));
    inbox = story_ask(story, "finn", "inbox", "{}");
    assert_int_equal(inbox->count, 1);
    assert_string_equal(text_at(story, &inbox->as.items[0], "what"), "event");
    assert_string_equal(text_at(story, &inbox->as.items[0], "why"), "assignee");
    assert_string_equal(shown(story, value_get(&inbox->as.items[0], "events")), "[\"finish\"]");
    assert_int_equal(value_get_int(&inbox->as.items[0], "due_ms", 0), INT64_C(1773360000000));
    assert_int_equal(story_ask_status(story, "finn", "inbox", "{'person': 'zoe'}"), 404);
    story_end(story);
}

static void a_parked_task_is_the_managers(void **state)
{
    struct story *story = story_begin();
    const struct value *inbox;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'notice', 'title': 'We moved', 'fields': {'people': ["
                         "{'name': 'Bank', 'address': 'b@example.org'}]}}"));
    assert_done(story_do(story, "amara", "send", "NOT-0001", NULL));
    assert_done(story_settle(story, 1, 422, 0));
    inbox = story_ask(story, "amara", "inbox", "{}");
    assert_int_equal(inbox->count, 1);
    assert_string_equal(text_at(story, &inbox->as.items[0], "what"), "task");
    assert_int_equal(value_get_int(&inbox->as.items[0], "task", 0), 1);
    assert_int_equal(story_ask(story, "eve", "inbox", "{}")->count, 0);
    assert_int_equal(story_ask(story, "eve", "tasks", "{'state': 'parked'}")->count, 1);
    assert_int_equal(story_ask(story, "eve", "tasks", "{'state': 'open'}")->count, 0);
    assert_int_equal(story_ask(story, "eve", "tasks", "{'record': 'NOT-0001'}")->count, 1);
    assert_int_equal(story_ask(story, "eve", "tasks", "{'service': 'web.publish'}")->count, 0);
    story_end(story);
}

/* ---- contents ---- */

static void a_content_is_read_in_chunks(void **state)
{
    struct story *story = story_begin();
    const struct value *chunk;

    (void)state;
    chunk = story_ask(story, "finn", "content",
                      arena_printf(story_arena(story), "{'content': 'hex:%s', 'offset': 4}",
                                   story_content(story, "0123456789")));
    assert_int_equal(value_get_int(chunk, "size", 0), 10);
    assert_true(slice_is(value_get_bin(chunk, "data"), "456789"));
    assert_int_equal(story_ask_status(story, "finn", "content", "{'content': 'x'}"), 400);
    assert_int_equal(story_ask_status(story, "finn", "content",
                                      "{'content': 'hex:00000000000000000000000000000000"
                                      "00000000000000000000000000000000'}"),
                     404);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_is_not_in_the_directory_reads_nothing),
        cmocka_unit_test(a_query_changes_nothing),
        cmocka_unit_test(info_says_where_and_when_and_who),
        cmocka_unit_test(kinds_say_what_can_be_filled_in_and_done),
        cmocka_unit_test(a_page_shows_the_round_and_who_has_not_answered),
        cmocka_unit_test(next_events_are_those_of_the_asker),
        cmocka_unit_test(a_list_comes_in_pages_that_miss_nothing),
        cmocka_unit_test(a_list_is_narrowed_by_what_records_are),
        cmocka_unit_test(a_list_says_which_dates_are_over),
        cmocka_unit_test(rules_say_what_they_join_and_what_they_opened),
        cmocka_unit_test(the_log_of_a_record_is_all_that_concerns_it_oldest_first),
        cmocka_unit_test(the_log_of_everything_goes_on_where_it_stopped),
        cmocka_unit_test(a_diff_shows_what_the_new_version_changes),
        cmocka_unit_test(a_diff_since_then_is_against_what_somebody_remembers),
        cmocka_unit_test(a_request_says_by_when_and_what_changes),
        cmocka_unit_test(a_request_with_very_many_changes_counts_the_rest),
        cmocka_unit_test(the_inbox_says_why_by_when_and_what_changed),
        cmocka_unit_test(why_names_what_stands_in_the_way),
        cmocka_unit_test(why_knows_an_approval_that_nobody_could_complete),
        cmocka_unit_test(what_why_allows_is_what_happens),
        cmocka_unit_test(prepare_gives_what_will_be_signed),
        cmocka_unit_test(the_inbox_holds_what_waits_for_one_person),
        cmocka_unit_test(ones_own_step_is_in_the_inbox),
        cmocka_unit_test(a_parked_task_is_the_managers),
        cmocka_unit_test(a_content_is_read_in_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
