/* test_story_waiver.c - stories of a small organisation: a rule of separation of duties is waived for one record, one person
 * and one content, by somebody of top management who signs for it; and everything that is no waiver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/inside.h"
#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"
#define TEXTS "'reason': " STORY_REASON ", 'check': " STORY_REASON

static const char *const policy =
    "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.',"
    " 'places': [{'name': 'Hall', 'inside': true}]}}";

static const char *waiver(struct story *story, const char *rule, const char *person)
{
    return arena_printf(story_arena(story), "{'rule': '%s', 'person': '%s', " TEXTS "}", rule,
                        person);
}

static int waive(struct story *story, const char *who, const char *record, const char *rule,
                 const char *person)
{
    return story_sign(story, who, "waive_sod", record, waiver(story, rule, person));
}

/* The same unsigned: for what is refused before the signature is looked at. */
static int ask_waiver(struct story *story, const char *who, const char *record, const char *rule,
                      const char *person)
{
    return story_do(story, who, "waive_sod", record, waiver(story, rule, person));
}

static bool says(const struct story *story, const char *part)
{
    return strstr(story_sentence(story), part) != NULL;
}

/* Bo, who is to approve such things with cleo, has written it. */
static struct story *written_by_bo(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "bo", "open", NULL, policy));
    return story;
}

static struct value last_waived(struct story *story, const char *row, const char *key)
{
    const struct value *waived = value_get(story_row(story, row), "waived");

    if (key != NULL)
        waived = value_get(waived, key);
    return waived != NULL ? *waived : VALUE_NONE;
}

static const struct value *page_of(struct story *story, const char *record)
{
    return story_ask(story, "amara", "show",
                     arena_printf(story_arena(story), "{'record': '%s'}", record));
}

/* ---- a vote ---- */

static void the_author_approves_once_it_is_waived_and_the_vote_says_so(void **state)
{
    struct story *story = written_by_bo();
    struct leaf leaf;
    struct value waived;
    const struct value *row, *one;

    (void)state;
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    leaf = story_leaf(story, story_size(story) - 1);
    assert_true(slice_is(leaf.type, "record.waive_sod"));
    assert_true(slice_is(leaf.stream, "POL-0001@1.0/waiver/1"));
    assert_int_equal(leaf.rev, 1);
    assert_int_equal(leaf.actor_sig.len, SIGNATURE_LEN);
    assert_true(slice_is(value_get_text(&leaf.body, "meaning"), "waived_sod"));

    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    waived = last_waived(story, "POL-0001@1.0/round/1/bo", NULL);
    assert_int_equal(waived.count, 1);
    assert_int_equal(value_get_int(&waived.as.items[0], "n", 0), 1);
    assert_true(slice_is(value_get_text(&waived.as.items[0], "rule"), "SOD-1"));
    assert_true(slice_is(value_get_text(&waived.as.items[0], "person"), "bo"));
    assert_true(slice_is(value_get_text(&waived.as.items[0], "by"), "cleo"));
    leaf = story_leaf(story, story_size(story) - 1);
    row = story_row(story, "POL-0001@1.0/waiver/1");
    assert_int_equal(value_get_int(value_get(row, "used"), "entry", -1), leaf.seq);
    assert_int_equal(value_get_int(value_get(row, "used"), "times", 0), 1);
    /* The second signature is another person's, and needs no waiver. */
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_int_equal(last_waived(story, "POL-0001@1.0/round/1/cleo", NULL).type, VALUE_NIL);
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    one = value_get(page_of(story, "POL-0001"), "waivers");
    assert_int_equal(one->count, 1);
    assert_true(slice_is(value_get_text(&one->as.items[0], "reason"), "For good."));
    story_end(story);
}

static void what_is_signed_names_rule_person_and_content(void **state)
{
    struct story *story = written_by_bo();
    const struct value *prepared =
        story_ask(story, "cleo", "prepare",
                  "{'record': 'POL-0001', 'event': 'waive_sod', 'rule': 'SOD-1', 'person': 'bo'}");
    struct slice statement = value_get_text(prepared, "statement");

    (void)state;
    assert_true(slice_is(value_get_text(prepared, "stream"), "POL-0001@1.0/waiver/1"));
    assert_true(slice_is(value_get_text(prepared, "meaning"), "waived_sod"));
    assert_non_null(memmem(statement.at, statement.len, "SOD-1", 5));
    assert_non_null(memmem(statement.at, statement.len, "for bo", 6));
    assert_non_null(memmem(statement.at, statement.len, "Doors", 5));
    story_end(story);
}

static void an_edit_makes_it_count_no_more(void **state)
{
    struct story *story = written_by_bo();

    (void)state;
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 2}}"));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    /* The round that it let open is void with the content, and with it the waiver. */
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 3}}"));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    story_end(story);
}

static void it_frees_nobody_else_and_from_no_other_rule(void **state)
{
    struct story *story = written_by_bo();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(
        story_do(story, "amara", "edit", "POL-0002", "{'set': {'text': 'And the windows.'}}"));
    /* For bo, where amara is kept apart; of another record; and of bo, where nothing stands against him. */
    assert_done(waive(story, "cleo", "POL-0002", "SOD-1", "bo"));
    assert_false(story_may(story, "amara", "POL-0002", "approve"));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "finn"));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_done(story_do(story, "amara", "submit", "POL-0002", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0002", NULL));
    assert_int_equal(last_waived(story, "POL-0002@1.0/round/1/bo", NULL).type, VALUE_NIL);
    assert_null(value_get(story_row(story, "POL-0002@1.0/waiver/1"), "used"));
    story_end(story);
}

static void the_next_version_is_another_record(void **state)
{
    struct story *story = written_by_bo();
    struct question old = story_signed(story, "cleo", "cleo", "waive_sod", "POL-0001",
                                       waiver(story, "SOD-1", "gwen"));

    (void)state;
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", REASON));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'count': 5}}"));
    assert_string_equal(story_fact(story, "POL-0001", "version"), "2.0");
    assert_int_equal(value_get(page_of(story, "POL-0001@2.0"), "waivers")->count, 0);
    old.record = slice_str("POL-0001@2.0");
    assert_refused(story_cast(story, &old), 409, "stale-content");
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_true(story_has_row(story, "POL-0001@2.0/waiver/1"));
    assert_int_equal(story_ask(story, "amara", "waivers", "{}")->count, 1);
    assert_int_equal(value_get(story_ask(story, "amara", "waivers", "{}"), "waivers")->count, 2);
    story_end(story);
}

/* ---- another transition ---- */

static const char *const action =
    "{'kind': 'action', 'title': 'Mend the door', 'fields': {'task': 'Mend it.',"
    " 'assignee': 'amara', 'due': '2026-04-01', 'result': 'Mended.'}}";

static void a_step_that_keeps_apart_yields_to_its_own_rule_alone(void **state)
{
    struct story *story = story_begin();
    struct value waived;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, action));
    assert_done(story_do(story, "amara", "finish", "ACT-0001", NULL));
    assert_refused(story_do(story, "amara", "accept", "ACT-0001", NULL), 403,
                   "separation-of-duties");
    assert_true(says(story, "SOD-4"));
    assert_refused(ask_waiver(story, "bo", "ACT-0001", "SOD-1", "amara"), 422, "guard-failed");
    assert_true(says(story, "Those that do: SOD-4."));
    assert_done(waive(story, "bo", "ACT-0001", "SOD-4", "amara"));
    assert_done(story_do(story, "amara", "accept", "ACT-0001", NULL));
    waived = last_waived(story, "ACT-0001", "accept");
    assert_int_equal(waived.count, 1);
    assert_true(slice_is(value_get_text(&waived.as.items[0], "rule"), "SOD-4"));
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "closed");
    story_end(story);
}

static void who_is_named_is_freed_from_a_need_and_the_step_says_so(void **state)
{
    struct story *story = story_begin();
    struct value waived;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'inspection', 'title': 'Doors', 'fields': {'inspectors': "
                         "['finn', 'amara'], 'subjects': ['POL-0001']}}"));
    assert_refused(story_do(story, "dana", "begin", "INS-0001", NULL), 403, "separation-of-duties");
    assert_done(waive(story, "bo", "INS-0001", "SOD-3", "amara"));
    assert_done(story_do(story, "dana", "begin", "INS-0001", NULL));
    waived = last_waived(story, "INS-0001", "begin");
    assert_int_equal(waived.count, 1);
    assert_true(slice_is(value_get_text(&waived.as.items[0], "person"), "amara"));
    story_end(story);
}

static void conditions_see_what_was_waived_and_what_rests_on_it(void **state)
{
    static const struct story_change change[] = {
        {"errand.cfg", "to = \"called\";",
         "to = \"called\"; when = \"size(waivers) == 2 && waivers.exists(w, w.used && w.rule == "
         "'SOD-4' && w.person == 'amara' && w.by == 'bo' && w.record == 'ACT-0001' && w.at <= "
         "now)\"; says = \"Not two, of which one was used.\";"},
        {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install_agreed(story, "amara", "Figures.", change));
    assert_done(story_do(story, "amara", "open", NULL, action));
    assert_done(
        story_do(story, "amara", "open", NULL,
                 "{'kind': 'errand', 'title': 'E', 'fields': {'roles': ['internal_auditor']}}"));
    assert_done(story_do(story, "amara", "finish", "ACT-0001", NULL));
    assert_done(waive(story, "bo", "ACT-0001", "SOD-4", "finn"));
    assert_done(waive(story, "bo", "ACT-0001", "SOD-4", "amara"));
    assert_refused(story_do(story, "amara", "call", "ERR-0001", NULL), 422, "guard-failed");
    assert_done(story_do(story, "amara", "accept", "ACT-0001", NULL));
    assert_done(story_do(story, "amara", "call", "ERR-0001", NULL));
    story_end(story);
}

/* ---- together with other things ---- */

static void
a_delegate_who_is_kept_apart_needs_one_and_so_does_whoever_he_stands_in_for(void **state)
{
    struct story *story = written_by_bo();
    struct value waived;

    (void)state;
    /* Amara has edited it too; she would sign in the place of bo, who wrote it. */
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 1}}"));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'count': 2}}"));
    assert_done(story_sign(story, "bo", "delegation.give", NULL,
                           "{'to': 'amara', 'reason': " STORY_REASON "}"));
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_refused(story_sign(story, "amara", "approve", "POL-0001",
                              "{'for': 'bo', 'reason': " STORY_REASON "}"),
                   403, "separation-of-duties");
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "amara"));
    assert_done(story_sign(story, "amara", "approve", "POL-0001",
                           "{'for': 'bo', 'reason': " STORY_REASON "}"));
    waived = last_waived(story, "POL-0001@1.0/round/1/amara", NULL);
    assert_int_equal(waived.count, 2);
    assert_true(slice_is(value_get_text(&waived.as.items[0], "person"), "bo"));
    assert_true(slice_is(value_get_text(&waived.as.items[1], "person"), "amara"));
    story_end(story);
}

static void in_a_bundle_each_document_takes_its_own(void **state)
{
    struct story *story = story_begin_with("tests/core/pack_rounds");

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'charter', 'title': 'C', 'fields': {'text': 'One.'}}"));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'annex', 'title': 'A', 'fields': {'signers': ['amara']}}"));
    assert_refused(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"), 422,
                   "guard-failed");
    /* On the wrong one of the two it frees nobody. */
    assert_done(waive(story, "bo", "CHA-0001", "SOD-1", "amara"));
    assert_refused(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"), 422,
                   "guard-failed");
    assert_done(waive(story, "bo", "ANX-0001", "SOD-1", "amara"));
    assert_done(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"));
    assert_done(story_sign(story, "amara", "approve", "ANX-0001", NULL));
    assert_int_equal(last_waived(story, "ANX-0001@1.0/round/1/amara", NULL).count, 1);
    assert_done(story_sign(story, "bo", "approve", "CHA-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "CHA-0001", NULL));
    assert_string_equal(story_fact(story, "CHA-0001", "state"), "approved");
    assert_string_equal(story_fact(story, "ANX-0001", "state"), "approved");
    story_end(story);
}

static void migrated_it_counts_no_more(void **state)
{
    static const struct story_change change[] = {
        {"document.cfg", "title = \"Document\"", "title = \"Controlled\""}, {NULL, NULL, NULL}};
    struct story *story = written_by_bo();
    const struct value *items;

    (void)state;
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_install_agreed(story, "amara", "Renamed.", change));
    items = value_get(story_ask(story, "amara", "migration", "{'record': 'POL-0001'}"), "items");
    assert_non_null(strstr(value_show(story_arena(story), items),
                           "1 waiver of a rule of separation counts no more"));
    assert_done(story_do(story, "amara", "migrate", "POL-0001", REASON));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    story_end(story);
}

/* ---- refused ---- */

static void nobody_frees_themselves_in_any_disguise(void **state)
{
    struct story *story = written_by_bo();
    uint64_t size;

    (void)state;
    size = story_size(story);
    assert_refused(ask_waiver(story, "bo", "POL-0001", "SOD-1", "bo"), 403, "separation-of-duties");
    assert_true(says(story, "Another person of top management"));
    assert_int_equal(story_size(story), size + 1);
    assert_string_equal(story_leaf_type(story, 0), "refusal.separation-of-duties");
    /* One another: cleo, who has edited it as well, frees bo, and is then freed by nobody who is. */
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_refused(ask_waiver(story, "bo", "POL-0001", "SOD-1", "cleo"), 403,
                   "separation-of-duties");
    assert_refused(ask_waiver(story, "bo", "POL-0001", "SOD-1", "amara"), 403,
                   "separation-of-duties");
    assert_true(says(story, "who is freed frees nobody else"));
    assert_string_equal(story_leaf_type(story, 0), "refusal.separation-of-duties");
    assert_false(story_has_row(story, "POL-0001@1.0/waiver/2"));
    story_end(story);
}

static void only_top_management_and_never_for_somebody_else(void **state)
{
    static const char *const others[] = {"amara", "dana", "eve", "finn", "gwen", "post"};
    struct story *story = written_by_bo();

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_refused(ask_waiver(story, others[i], "POL-0001", "SOD-1", "bo"), 403, "not-allowed");
        assert_true(says(story, "top_management"));
        assert_string_equal(story_leaf_type(story, 0), "refusal.not-allowed");
    }
    /* A right that was delegated is not used for it, whoever asks. */
    assert_done(story_sign(story, "cleo", "delegation.give", NULL,
                           "{'to': 'amara', 'reason': " STORY_REASON "}"));
    assert_refused(ask_waiver(story, "amara", "POL-0001", "SOD-1", "bo"), 403, "not-allowed");
    assert_refused(story_do(story, "amara", "waive_sod", "POL-0001",
                            "{'for': 'cleo', 'rule': 'SOD-1', 'person': 'bo', " TEXTS "}"),
                   400, "unknown-key");
    story_end(story);
}

static void unsigned_forged_or_stale_it_is_none(void **state)
{
    struct story *story = written_by_bo();
    struct question late;
    const char *args = waiver(story, "SOD-1", "bo");

    (void)state;
    assert_refused(ask_waiver(story, "cleo", "POL-0001", "SOD-1", "bo"), 403, "not-allowed");
    assert_refused(story_do_scribbled(story, "cleo", "waive_sod", "POL-0001", args), 403,
                   "not-allowed");
    assert_refused(
        story_sign(story, "cleo", "waive_sod", "POL-0001",
                   arena_printf(story_arena(story), "{'rule': 'SOD-1', 'person': 'bo', " TEXTS
                                                    ", 'meaning': 'approved'}")),
        403, "not-allowed");
    assert_refused(story_sign(story, "cleo", "waive_sod", "POL-0001",
                              arena_printf(story_arena(story),
                                           "{'rule': 'SOD-1', 'person': 'bo', " TEXTS
                                           ", 'digest': 'hex:00000000000000000000000000000000000000"
                                           "00000000000000000000000000'}")),
                   409, "stale-content");
    late = story_signed(story, "cleo", "bo", "waive_sod", "POL-0001", args);
    assert_refused(story_cast(story, &late), 403, "not-allowed");
    /* Signed over what it said, sent when it says something else. */
    late = story_signed(story, "cleo", "cleo", "waive_sod", "POL-0001", args);
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 2}}"));
    assert_refused(story_cast(story, &late), 409, "stale-content");
    assert_false(story_has_row(story, "POL-0001@1.0/waiver/1"));
    story_end(story);
}

/* What was signed for one record, version, person or rule, or as the first, is sent as if it were for another. */
static void replayed_it_is_none(void **state)
{
    struct story *story = written_by_bo();
    struct question given =
        story_signed(story, "cleo", "cleo", "waive_sod", "POL-0001", waiver(story, "SOD-1", "bo"));
    struct question again = given;
    struct value args = value_copy(story_arena(story), given.args);

    (void)state;
    assert_done(story_do(story, "bo", "open", NULL, policy));
    again.record = slice_str("POL-0002");
    again.args = &args;
    assert_refused(story_cast(story, &again), 409, "stale-content");
    value_set(story_arena(story), &args, "digest",
              *value_get(story_row(story, "POL-0002@1.0"), "digest"));
    assert_refused(story_cast(story, &again), 403, "not-allowed");
    again.record = slice_str("POL-0001");
    args = value_copy(story_arena(story), given.args);
    value_set(story_arena(story), &args, "person", value_str("amara"));
    assert_refused(story_cast(story, &again), 403, "not-allowed");
    assert_done(story_cast(story, &given));
    /* As the second of the same record, after an edit to and fro: another command, another place. */
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 2}}"));
    again.args = given.args;
    again.id = slice_str("another-command-0001");
    assert_refused(story_cast(story, &again), 409, "stale-content");
    assert_false(story_has_row(story, "POL-0001@1.0/waiver/2"));
    assert_false(story_has_row(story, "POL-0002@1.0/waiver/1"));
    story_end(story);
}

static void it_says_what_is_wrong_with_it(void **state)
{
    struct story *story = written_by_bo();

    (void)state;
    assert_refused(ask_waiver(story, "cleo", "POL-0099", "SOD-1", "bo"), 404, "no-record");
    assert_refused(ask_waiver(story, "cleo", "POL-0001", "SOD-9", "bo"), 422, "guard-failed");
    assert_true(says(story, "Those that do: SOD-1."));
    assert_refused(ask_waiver(story, "cleo", "POL-0001", "SOD-1", "zoe"), 422, "guard-failed");
    assert_true(says(story, "rota people"));
    assert_refused(ask_waiver(story, "cleo", "POL-0001", "SOD-1", "post"), 422, "guard-failed");
    assert_refused(ask_waiver(story, "cleo", "POL-0001", "SOD-2", "bo"), 403,
                   "separation-of-duties");
    assert_true(says(story, "never waived"));
    assert_refused(story_do(story, "cleo", "waive_sod", "POL-0001",
                            "{'rule': 'SOD-1', 'person': 'bo', 'check': " STORY_REASON "}"),
                   422, "guard-failed");
    assert_true(says(story, "--reason"));
    assert_refused(story_do(story, "cleo", "waive_sod", "POL-0001",
                            "{'rule': 'SOD-1', 'person': 'bo', 'reason': " STORY_REASON "}"),
                   422, "guard-failed");
    assert_true(says(story, "--check"));
    assert_refused(story_do(story, "cleo", "waive_sod", "POL-0001",
                            "{'rule': 'SOD-1', 'person': 'bo', 'reason': 'a text', 'check': "
                            "'another'}"),
                   422, "guard-failed");
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_refused(ask_waiver(story, "cleo", "POL-0001", "SOD-1", "bo"), 409, "wrong-state");
    assert_true(says(story, "waiver 1"));
    story_end(story);
}

static void conflicting_roles_are_never_waived(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, policy));
    /* Here SOD-3 says which roles are in conflict, and keeps nobody apart in a policy. */
    assert_refused(ask_waiver(story, "bo", "POL-0001", "SOD-3", "amara"), 403,
                   "separation-of-duties");
    assert_true(says(story, "which roles nobody holds together"));
    story_end(story);
}

static void a_repeated_command_is_the_same_waiver(void **state)
{
    struct story *story = written_by_bo();

    (void)state;
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_true(story_is_repetition(story));
    story_end(story);
}

/* ---- taken back ---- */

#define END "{'waiver': 1, 'reason': " STORY_REASON "}"

static void taken_back_it_frees_nobody_and_what_was_decided_stands(void **state)
{
    struct story *story = written_by_bo();
    const struct value *listed;
    struct leaf leaf;

    (void)state;
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "amara"));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    /* By whoever of top management it is: bo takes back hers, which was his. */
    assert_done(story_sign(story, "bo", "end_waiver", "POL-0001", END));
    leaf = story_leaf(story, story_size(story) - 1);
    assert_true(slice_is(leaf.type, "record.end_waiver"));
    assert_true(slice_is(leaf.stream, "POL-0001@1.0/waiver/1"));
    assert_int_equal(leaf.actor_sig.len, SIGNATURE_LEN);
    assert_true(slice_is(value_get_text(&leaf.body, "meaning"), "waiver_ended"));
    listed = &value_get(page_of(story, "POL-0001"), "waivers")->as.items[0];
    assert_false(value_get_bool(listed, "counts", true));
    assert_non_null(value_get(listed, "used"));
    assert_true(slice_is(value_get_text(value_get(listed, "ended"), "by"), "bo"));
    assert_true(slice_is(value_get_text(value_get(listed, "ended"), "reason"), "For good."));
    /* His vote was given while it counted. */
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    story_end(story);
}

static void taken_back_before_it_was_used_the_rule_stands_again(void **state)
{
    struct story *story = written_by_bo();
    struct question ballot;

    (void)state;
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    ballot = story_ballot(story, "bo", "approve", "POL-0001");
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    assert_true(story_is_repetition(story));
    /* Two must grant, and only cleo is left: the round cannot be granted any more, and says so. */
    assert_string_equal(
        value_get_str(story_row(story, "POL-0001@1.0/round/1"), "state", "", story_arena(story)),
        "void");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 0);
    assert_refused(story_cast(story, &ballot), 409, "wrong-state");
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    /* It may be given anew; who was freed by the first frees nobody in return. */
    assert_refused(ask_waiver(story, "bo", "POL-0001", "SOD-1", "cleo"), 403,
                   "separation-of-duties");
    assert_true(says(story, "bo was freed"));
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_true(story_has_row(story, "POL-0001@1.0/waiver/2"));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    story_end(story);
}

/* Where enough others are asked, the round goes on without him: no request is left, and his word is not waited for. */
static void taken_back_in_an_open_round_it_asks_him_no_more(void **state)
{
    struct story *story = story_begin_enrolled();
    const struct value *round;

    (void)state;
    assert_done(story_put_people(story, "amara",
                                 "{'people': [{'name': 'finn', 'kind': 'person', 'roles': "
                                 "['top_management']}]}"));
    assert_done(story_do(story, "bo", "open", NULL, policy));
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    assert_int_equal(story_task_count(story, "approval.request", NULL), 3);
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    assert_string_equal(story_leaf_type(story, 0), "round.counted");
    assert_int_equal(story_task_count(story, "approval.request", NULL), 2);
    round = value_get(story_ask(story, "cleo", "show", "{'record': 'POL-0001'}"), "round");
    assert_int_equal(value_get(round, "waiting_for")->count, 2);
    assert_int_equal(value_get_int(value_get(round, "barred"), "bo", 0), 1);
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", NULL), 403,
                   "separation-of-duties");
    /* A new one comes too late for this round. */
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_refused(story_sign(story, "bo", "approve", "POL-0001", NULL), 409, "wrong-state");
    assert_true(says(story, "waiver 1, which was taken back"));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "finn", "return", "POL-0001", REASON));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

static void its_end_is_signed_by_top_management_once_and_over_this_content(void **state)
{
    struct story *story = written_by_bo();
    struct question first, second;

    (void)state;
    assert_refused(story_do(story, "cleo", "end_waiver", "POL-0001", END), 404, "no-record");
    assert_true(says(story, "has no waiver 1"));
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_refused(story_do(story, "cleo", "end_waiver", "POL-0001", END), 403, "not-allowed");
    assert_refused(story_do(story, "amara", "end_waiver", "POL-0001", END), 403, "not-allowed");
    assert_true(says(story, "top_management"));
    assert_string_equal(story_leaf_type(story, 0), "refusal.not-allowed");
    assert_refused(story_do(story, "cleo", "end_waiver", "POL-0001", "{'waiver': 1}"), 422,
                   "guard-failed");
    first = story_signed(story, "cleo", "bo", "end_waiver", "POL-0001", END);
    assert_refused(story_cast(story, &first), 403, "not-allowed");
    first = story_signed(story, "cleo", "cleo", "end_waiver", "POL-0001", END);
    second = story_signed(story, "bo", "bo", "end_waiver", "POL-0001", END);
    assert_done(story_cast(story, &first));
    assert_refused(story_cast(story, &second), 409, "wrong-state");
    assert_true(says(story, "cleo has taken waiver 1 back already"));
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 2}}"));
    assert_refused(story_do(story, "cleo", "end_waiver", "POL-0001",
                            "{'waiver': 2, 'reason': " STORY_REASON "}"),
                   409, "wrong-state");
    assert_true(says(story, "counts no more as it is"));
    story_end(story);
}

static void it_and_its_end_name_the_directory_and_pack_of_their_day(void **state)
{
    struct story *story = written_by_bo();
    struct value under;

    (void)state;
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    under = *value_get(story_row(story, "POL-0001@1.0/waiver/1"), "under");
    assert_true(slice_equal(value_get_bin(&under, "directory"),
                            value_get_bin(story_row(story, "directory"), "whole")));
    assert_true(slice_equal(value_get_bin(&under, "pack"),
                            value_get_bin(story_row(story, "POL-0001@1.0"), "pack")));
    assert_done(story_put_people(story, "amara",
                                 "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': []}]}"));
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    under = *value_get(value_get(story_row(story, "POL-0001@1.0/waiver/1"), "ended"), "under");
    assert_true(slice_equal(value_get_bin(&under, "directory"),
                            value_get_bin(story_row(story, "directory"), "whole")));
    assert_false(
        value_equal(&under, value_get(story_row(story, "POL-0001@1.0/waiver/1"), "under")));
    story_end(story);
}

/* ---- asked about ---- */

static const char *hint_of(struct story *story, const char *who, const char *event)
{
    const struct value *hints = value_get(
        story_ask(story, who, "why",
                  arena_printf(story_arena(story), "{'record': 'POL-0001', 'event': '%s'}", event)),
        "hints");

    return hints != NULL && hints->count > 0
               ? arena_copy(story_arena(story), hints->as.items[0].as.text,
                            hints->as.items[0].count)
               : "";
}

static void why_names_the_command(void **state)
{
    struct story *story = written_by_bo();
    const char *command = "rota waive POL-0001@1.0 SOD-1 --for bo --reason";

    (void)state;
    assert_non_null(strstr(hint_of(story, "bo", "submit"), command));
    assert_non_null(strstr(hint_of(story, "bo", "approve"), command));
    assert_string_equal(hint_of(story, "bo", "put_in_force"), "");
    assert_done(waive(story, "cleo", "POL-0001", "SOD-1", "bo"));
    assert_string_equal(hint_of(story, "bo", "submit"), "");
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    assert_string_equal(hint_of(story, "bo", "approve"), "");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_author_approves_once_it_is_waived_and_the_vote_says_so),
        cmocka_unit_test(what_is_signed_names_rule_person_and_content),
        cmocka_unit_test(an_edit_makes_it_count_no_more),
        cmocka_unit_test(it_frees_nobody_else_and_from_no_other_rule),
        cmocka_unit_test(the_next_version_is_another_record),
        cmocka_unit_test(a_step_that_keeps_apart_yields_to_its_own_rule_alone),
        cmocka_unit_test(who_is_named_is_freed_from_a_need_and_the_step_says_so),
        cmocka_unit_test(
            a_delegate_who_is_kept_apart_needs_one_and_so_does_whoever_he_stands_in_for),
        cmocka_unit_test(conditions_see_what_was_waived_and_what_rests_on_it),
        cmocka_unit_test(in_a_bundle_each_document_takes_its_own),
        cmocka_unit_test(migrated_it_counts_no_more),
        cmocka_unit_test(nobody_frees_themselves_in_any_disguise),
        cmocka_unit_test(only_top_management_and_never_for_somebody_else),
        cmocka_unit_test(unsigned_forged_or_stale_it_is_none),
        cmocka_unit_test(replayed_it_is_none),
        cmocka_unit_test(it_says_what_is_wrong_with_it),
        cmocka_unit_test(conflicting_roles_are_never_waived),
        cmocka_unit_test(a_repeated_command_is_the_same_waiver),
        cmocka_unit_test(taken_back_it_frees_nobody_and_what_was_decided_stands),
        cmocka_unit_test(taken_back_before_it_was_used_the_rule_stands_again),
        cmocka_unit_test(taken_back_in_an_open_round_it_asks_him_no_more),
        cmocka_unit_test(its_end_is_signed_by_top_management_once_and_over_this_content),
        cmocka_unit_test(it_and_its_end_name_the_directory_and_pack_of_their_day),
        cmocka_unit_test(why_names_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
