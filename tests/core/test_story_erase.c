/* test_story_erase.c - how long records are kept, what holds them, and what is left of one that was disposed of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "core/story.h"

/* Audits are kept for two years and closed for good by two people; notices as long as the person is here. */
static const struct story_change with_disposal[] = {
    {"pack.cfg", "roles = (",
     "retention = ( { name = \"RT-A\"; keeps = \"2 years\"; says = \"2 years after close\"; },\n"
     "              { name = \"RT-B\"; keeps = \"1 years\"; from = \"opened\"; } );\n"
     "lifecycle = { name = \"disposal\";\n"
     "  states = ( { name = \"disposed\"; stage = \"closed\"; } );\n"
     "  transitions = (\n"
     "    { event = \"hold\"; from = [\"stage:closed\"]; to = \"same\"; by = [\"isms_manager\"];\n"
     "      reason = true; set = { legal_hold = \"true\"; }; },\n"
     "    { event = \"release\"; from = [\"stage:closed\"]; to = \"same\"; by = "
     "[\"isms_manager\"];\n"
     "      reason = true; set = { legal_hold = \"false\"; }; },\n"
     "    { event = \"propose\"; from = [\"stage:closed\"]; to = \"same\"; by = "
     "[\"doc_controller\"];\n"
     "      reason = true; },\n"
     "    { event = \"dispose\"; from = [\"stage:closed\"]; to = \"disposed\"; erases = true;\n"
     "      by = [\"isms_manager\"]; apart = [\"did:propose\"]; meaning = \"confirmed\"; } );\n"
     "  timers = ( { name = \"kept\"; in = [\"stage:closed\"]; from = \"retain_until\";\n"
     "    steps = ( { after = \"0 days\"; tell = [\"doc_controller\"]; message = \"late\"; } ); } "
     ");\n"
     "};\n"
     "roles = ("},
    {"audit.cfg", "name = \"audit\"; title", "ends_with = \"disposal\"; name = \"audit\"; title"},
    {"audit.cfg", "create = [\"internal_auditor\"]",
     "create = [\"internal_auditor\"]; retention = \"RT-A\"; kept_while = [\"about\", \"checks\"]"},
    {"audit.cfg", "aim = { type = \"text\"; };",
     "aim = { type = \"text\"; }; report = { type = \"longtext\"; }; papers = { type = \"file[]\"; "
     "}; "
     "about = { type = \"person\"; }; checks = { type = \"ref\"; };"},
    {NULL, NULL, NULL}};

static const char *reference(struct story *story, const char *text)
{
    return arena_printf(story_arena(story), "{'content': 'hex:%s', 'size': 9}",
                        story_content(story, text));
}

static const char *because(struct story *story, const char *why)
{
    return arena_printf(story_arena(story), "{'reason': %s}", reference(story, why));
}

/* Args of the query `content`, for a text that is not there. */
static const char *content_args(struct story *story, const char *text)
{
    return arena_printf(story_arena(story), "{'content': 'hex:%s'}", story_hash(story, text));
}

/* Is the text still there that went up once? */
static bool is_there(struct story *story, const char *text)
{
    return story_has_content(story, text);
}

static void open_audit(struct story *story, const char *fields)
{
    assert_done(
        story_do(story, "dana", "open", NULL,
                 arena_printf(story_arena(story),
                              "{'kind': 'audit', 'title': 'Yearly', 'fields': %s}", fields)));
}

/* An audit with a report, a paper and an earlier report, that was closed on 2026-03-02. */
static struct story *with_closed_audit(void)
{
    struct story *story = story_begin();

    assert_done(story_install_agreed(story, "amara", "Kept and disposed of.", with_disposal));
    open_audit(story, arena_printf(story_arena(story), "{'report': %s}",
                                   reference(story, "The first words.")));
    assert_done(story_do(
        story, "dana", "edit", "AUD-0001",
        arena_printf(story_arena(story),
                     "{'set': {'report': %s, 'papers': [{'content': 'hex:%s', 'size': 9, 'name': "
                     "'list.txt'}]}}",
                     reference(story, "The last words."), story_content(story, "A paper."))));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_done(story_do(story, "dana", "close", "AUD-0001", NULL));
    return story;
}

static void a_record_that_closes_knows_how_long_it_is_kept(void **state)
{
    struct story *story = with_closed_audit();

    (void)state;
    assert_string_equal(story_field(story, "AUD-0001", "retain_until"), "2028-03-02");
    assert_int_equal(story_task_count(story, "communication.deliver", "AUD-0001"), 0);
    story_until(story, "2028-03-02T08:00:00Z"); /* whoever looks after it hears of the day */
    assert_int_equal(story_task_count(story, "communication.deliver", "AUD-0001"), 1);
    story_end(story);
}

static void nothing_is_erased_before_its_time_or_under_a_hold(void **state)
{
    struct story *story = with_closed_audit();

    (void)state;
    assert_refused(story_sign(story, "amara", "dispose", "AUD-0001", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story),
                        "AUD-0001 is kept until 2028-03-02 (RT-A: 2 years after close).");
    story_until(story, "2028-03-02T08:00:00Z");
    assert_done(story_do(story, "amara", "hold", "AUD-0001", because(story, "A lawsuit.")));
    assert_refused(story_sign(story, "amara", "dispose", "AUD-0001", NULL), 422, "guard-failed");
    assert_string_equal(
        story_sentence(story),
        "AUD-0001 is under a legal hold: nothing of it is erased before the hold is released.");
    assert_true(is_there(story, "The last words."));
    assert_done(story_do(story, "amara", "release", "AUD-0001", because(story, "It was won.")));
    assert_done(story_sign(story, "amara", "dispose", "AUD-0001", NULL));
    story_end(story);
}

static void disposal_erases_every_text_and_leaves_what_proves_it(void **state)
{
    struct story *story = with_closed_audit();
    char digest[80];

    (void)state;
    snprintf(digest, sizeof digest, "%s", story_fact(story, "AUD-0001", "digest"));
    story_until(story, "2028-04-01T08:00:00Z");
    assert_done(story_do(story, "eve", "propose", "AUD-0001", because(story, "Its time is over.")));
    assert_done(story_sign(story, "amara", "dispose", "AUD-0001", because(story, "Agreed.")));
    assert_string_equal(story_fact(story, "AUD-0001", "state"), "disposed");
    assert_string_equal(story_leaf_type(story, 0), "content.redacted");
    assert_false(is_there(story, "The first words."));
    assert_false(is_there(story, "The last words."));
    assert_false(is_there(story, "A paper."));
    /* Why it was disposed of is no part of what was disposed of; and the record still has the digest it had. */
    assert_true(is_there(story, "Its time is over."));
    assert_true(is_there(story, "Agreed."));
    assert_string_equal(story_fact(story, "AUD-0001", "digest"), digest);
    assert_int_equal(
        value_get_int(value_get(story_row(story, "AUD-0001"), "disposed"), "erased", 0), 3);
    assert_refused(story_do(story, "amara", "hold", "AUD-0001", because(story, "Too late.")), 409,
                   "wrong-state");
    /* Whoever asks for the text hears who erased it. */
    assert_int_equal(story_ask_status(story, "dana", "content", content_args(story, "A paper.")),
                     404);
    assert_string_equal(story_sentence(story),
                        "This content was erased on 2028-04-01, when amara disposed of AUD-0001.");
    assert_int_equal(story_ask_status(story, "dana", "content", content_args(story, "Nothing.")),
                     404);
    assert_string_equal(story_sentence(story), "There is no such content.");
    story_end(story);
}

static void a_text_that_another_record_holds_stays_until_that_one_goes(void **state)
{
    struct story *story = with_closed_audit();

    (void)state;
    open_audit(story, arena_printf(story_arena(story), "{'report': %s}",
                                   reference(story, "The last words.")));
    story_until(story, "2028-04-01T08:00:00Z");
    assert_done(story_sign(story, "amara", "dispose", "AUD-0001", NULL));
    assert_true(is_there(story, "The last words."));
    assert_false(is_there(story, "The first words."));
    assert_int_equal(value_get_int(value_get(story_row(story, "AUD-0001"), "disposed"), "kept", 0),
                     1);
    assert_done(story_do(story, "dana", "begin", "AUD-0002", NULL));
    assert_done(story_do(story, "dana", "close", "AUD-0002", NULL));
    story_until(story, "2030-04-02T08:00:00Z");
    assert_done(story_sign(story, "amara", "dispose", "AUD-0002", NULL));
    assert_false(is_there(story, "The last words."));
    story_end(story);
}

/* The hash, in hex, under which the files of the pack that counts lie. */
static void pack_content(struct story *story, char out[65])
{
    char key[sizeof "pack/" + 64] = "pack/";

    hex_encode(value_get_bin(story_row(story, "pack"), "current"), key + 5);
    hex_encode(value_get_bin(value_get(story_row(story, key), "pack"), "content"), out);
}

static void what_a_pack_is_made_of_belongs_to_no_record(void **state)
{
    struct story *story = story_begin();
    char pack[65];

    (void)state;
    assert_done(story_install_agreed(story, "amara", "Kept and disposed of.", with_disposal));
    pack_content(story, pack);
    open_audit(story, arena_printf(story_arena(story),
                                   "{'report': {'content': 'hex:%s', 'size': 9}}", pack));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_done(story_do(story, "dana", "close", "AUD-0001", NULL));
    story_until(story, "2028-04-01T08:00:00Z");
    assert_done(story_sign(story, "amara", "dispose", "AUD-0001", NULL));
    assert_true(story_keeps(story, pack));
    story_end(story);
}

static void a_record_is_kept_as_long_as_whom_and_what_it_is_about(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install_agreed(story, "amara", "Kept and disposed of.", with_disposal));
    open_audit(story, "{}");
    open_audit(story, "{'about': 'finn'}");
    open_audit(story, "{'checks': 'AUD-0001'}");
    for (int i = 2; i <= 3; i++) {
        const char *record = arena_printf(story_arena(story), "AUD-000%d", i);

        assert_done(story_do(story, "dana", "begin", record, NULL));
        assert_done(story_do(story, "dana", "close", record, NULL));
    }
    story_until(story, "2028-04-01T08:00:00Z");
    assert_refused(story_sign(story, "amara", "dispose", "AUD-0002", NULL), 422, "guard-failed");
    assert_string_equal(
        story_sentence(story),
        "AUD-0002 is kept as long as finn is here, and after that (RT-A: 2 years after close).");
    assert_refused(story_sign(story, "amara", "dispose", "AUD-0003", NULL), 422, "guard-failed");
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_done(story_do(story, "dana", "close", "AUD-0001", NULL));
    assert_refused(story_sign(story, "amara", "dispose", "AUD-0003", NULL), 422, "guard-failed");
    assert_string_equal(story_sentence(story),
                        "AUD-0003 is kept until 2030-04-01, because of AUD-0001 (RT-A).");
    story_until(story, "2030-04-01T09:00:00Z");
    assert_done(story_sign(story, "amara", "dispose", "AUD-0003", NULL));
    story_end(story);
}

static void a_longer_period_holds_for_what_is_closed_once_it_is_migrated(void **state)
{
    struct story_change longer[sizeof with_disposal / sizeof with_disposal[0] + 1];
    struct story *story = with_closed_audit();
    size_t count = sizeof with_disposal / sizeof with_disposal[0] - 1;

    (void)state;
    for (size_t i = 0; i < count; i++)
        longer[i] = with_disposal[i];
    longer[count] = (struct story_change){"pack.cfg", "keeps = \"2 years\"", "keeps = \"5 years\""};
    longer[count + 1] = (struct story_change){NULL, NULL, NULL};
    assert_done(story_install_agreed(story, "amara", "The court asks for five years.", longer));
    assert_done(story_do(story, "amara", "migrate", "AUD-0001", because(story, "As decided.")));
    assert_string_equal(story_field(story, "AUD-0001", "retain_until"), "2031-03-02");
    story_until(story, "2028-04-01T08:00:00Z");
    assert_refused(story_sign(story, "amara", "dispose", "AUD-0001", NULL), 422, "guard-failed");
    story_end(story);
}

static void more_texts_than_a_run_can_erase_go_all_the_same(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install_agreed(story, "amara", "Kept and disposed of.", with_disposal));
    open_audit(story, "{}");
    for (int i = 0; i < 250; i++) {
        const char *text = arena_printf(story_arena(story), "Words %d.", i);

        assert_done(story_do(
            story, "dana", "edit", "AUD-0001",
            arena_printf(story_arena(story), "{'set': {'report': %s}}", reference(story, text))));
    }
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_done(story_do(story, "dana", "close", "AUD-0001", NULL));
    story_until(story, "2028-04-01T08:00:00Z");
    assert_done(story_sign(story, "amara", "dispose", "AUD-0001", NULL));
    for (int i = 0; i < 250; i++)
        assert_false(is_there(story, arena_printf(story_arena(story), "Words %d.", i)));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_closes_knows_how_long_it_is_kept),
        cmocka_unit_test(nothing_is_erased_before_its_time_or_under_a_hold),
        cmocka_unit_test(disposal_erases_every_text_and_leaves_what_proves_it),
        cmocka_unit_test(a_text_that_another_record_holds_stays_until_that_one_goes),
        cmocka_unit_test(what_a_pack_is_made_of_belongs_to_no_record),
        cmocka_unit_test(a_record_is_kept_as_long_as_whom_and_what_it_is_about),
        cmocka_unit_test(a_longer_period_holds_for_what_is_closed_once_it_is_migrated),
        cmocka_unit_test(more_texts_than_a_run_can_erase_go_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
