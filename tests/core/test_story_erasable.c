/* test_story_erasable.c - what a field that can be erased says stands in no entry, whoever wrote it, and goes with the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/dmp.h"
#include "core/story.h"
#include "core/story_proof.h"

/* Audits say whom they met, in texts and in tables; a finding has a note. */
static const struct story_change with_erasable[] = {
    {"pack.cfg", "roles = (",
     "retention = ( { name = \"RT-A\"; keeps = \"2 years\"; says = \"2 years after close\"; } );\n"
     "lifecycle = { name = \"disposal\";\n"
     "  states = ( { name = \"disposed\"; stage = \"closed\"; } );\n"
     "  transitions = (\n"
     "    { event = \"hold\"; from = [\"stage:closed\"]; to = \"same\"; by = [\"isms_manager\"];\n"
     "      set = { legal_hold = \"true\"; }; },\n"
     "    { event = \"dispose\"; from = [\"stage:closed\"]; to = \"disposed\"; erases = true;\n"
     "      by = [\"isms_manager\"]; meaning = \"confirmed\"; } ); };\n"
     "roles = ("},
    {"audit.cfg", "name = \"audit\"; title", "ends_with = \"disposal\"; name = \"audit\"; title"},
    {"audit.cfg", "create = [\"internal_auditor\"]",
     "create = [\"internal_auditor\"]; retention = \"RT-A\""},
    {"audit.cfg", "aim = { type = \"text\"; }; heading = { type = \"text\"; computed = true; };",
     "aim = { type = \"text\"; erasable = true;  };\n"
     "heading = { type = \"text\"; erasable = true; computed = true; };\n"
     "met = { type = \"table\"; columns = { who = { type = \"text\"; erasable = true; };\n"
     "  card = { type = \"file\"; }; }; };\n"
     "host = { type = \"text\"; erasable = true; preset = \"Nobody from outside\"; };\n"
     "diary = { type = \"table\"; computed = true; erasable = true;\n"
     "  columns = { what = { type = \"longtext\"; }; }; };"},
    {"audit.cfg", "{ event = \"begin\";",
     "{ event = \"begin\"; when = \"record.host != 'Mallory' && record.aim.startsWith('Talk')\";\n"
     "  set = { diary = \"(has(record.diary) ? record.diary : []) + [{'what': 'Began: ' + "
     "record.aim}]\"; };"},
    {"finding.cfg", "note = { type = \"text\"; };",
     "note = { type = \"text\"; erasable = true; };"},
    {NULL, NULL, NULL}};

static const char *put_up(struct story *story, const char *text)
{
    return arena_printf(story_arena(story), "{'content': 'hex:%s', 'size': %zu}",
                        story_content(story, text), strlen(text));
}

/* Does any entry say it? */
static bool is_written_down(struct story *story, const char *text)
{
    for (uint64_t seq = 0; seq < story_size(story); seq++) {
        struct slice bytes = story_leaf_bytes(story, seq);

        for (size_t i = 0; i + strlen(text) <= bytes.len; i++) {
            if (memcmp(bytes.at + i, text, strlen(text)) == 0)
                return true;
        }
    }
    return false;
}

/* The hash in hexadecimal of the content that a field holds. */
static const char *hash_in(struct story *story, const char *record, const char *field)
{
    const struct value *fields = value_get(story_row(story, record), "fields");
    struct slice hash = value_get_bin(value_get(fields, field), "content");
    char *hex = arena_take(story_arena(story), 2 * HASH_LEN + 1);

    assert_int_equal(hash.len, HASH_LEN);
    hex_encode(hash, hex);
    return hex;
}

/* Puts up a table of one row, whom somebody met and a card of theirs; its hash. */
static const char *table_with(struct story *story, const char *card)
{
    struct arena *arena = story_arena(story);
    struct value row = value_map(), rows = value_array(), file = value_map();
    struct buf bytes = BUF_EMPTY;
    uint8_t hash[HASH_LEN];
    const char *hex;

    assert_int_equal(hex_decode(card, hash, HASH_LEN), 0);
    value_set(arena, &file, "content", value_bin(hash, HASH_LEN));
    value_set(arena, &file, "name", value_str("card.txt"));
    value_set(arena, &file, "size", value_int(18));
    value_set(arena, &row, "card", file);
    value_set(arena, &row, "who", value_str("Zacharias"));
    value_push(arena, &rows, row);
    dmp_encode(&bytes, &rows);
    hex = story_put_up(story, buf_slice(&bytes));
    buf_release(&bytes);
    return hex;
}

static struct story *with_pack(void)
{
    struct story *story = story_begin();

    assert_done(story_install_agreed(story, "amara", "Who is named can be erased.", with_erasable));
    return story;
}

static struct story *with_audit(void)
{
    struct story *story = with_pack();

    assert_done(story_do(story, "dana", "open", NULL,
                         arena_printf(story_arena(story),
                                      "{'kind': 'audit', 'title': 'Yearly', 'fields': {'aim': %s}}",
                                      put_up(story, "Talk to Zacharias"))));
    return story;
}

static void a_short_text_that_can_be_erased_does_not_stand_in_the_command(void **state)
{
    struct story *story = with_pack();

    (void)state;
    assert_refused(story_do(story, "dana", "open", NULL,
                            "{'kind': 'audit', 'title': 'Yearly', 'fields': {'aim': 'Zacharias'}}"),
                   422, "guard-failed");
    assert_string_equal(story_sentence(story),
                        "Field aim: it can be erased, so it does not stand in the command: put it "
                        "up with content.put and name it.");
    assert_refused(
        story_do(story, "dana", "open", NULL,
                 "{'kind': 'audit', 'title': 'Yearly', 'fields': {'met': [{'who': 'Z'}]}}"),
        422, "guard-failed");
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'audit', 'title': 'Yearly', 'fields': {'aim': '', 'met': []}}"));
    assert_refused(story_do(story, "dana", "edit", "AUD-0001", "{'set': {'aim': 'Zacharias'}}"),
                   422, "guard-failed");
    story_end(story);
}

static void it_is_held_to_what_its_field_allows(void **state)
{
    struct story *story = with_audit();
    char long_text[1100];

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    assert_refused(story_do(story, "dana", "edit", "AUD-0001",
                            arena_printf(story_arena(story), "{'set': {'aim': %s}}",
                                         put_up(story, long_text))),
                   422, "guard-failed");
    assert_string_equal(story_sentence(story), "Field aim: longer than 1,024 bytes.");
    story_end(story);
}

static void conditions_read_it_and_what_is_computed_from_it_is_put_away_too(void **state)
{
    struct story *story = with_audit();

    (void)state;
    /* The preset and what opening computed are contents as well. */
    assert_true(story_keeps(story, hash_in(story, "AUD-0001", "host")));
    assert_true(story_keeps(story, hash_in(story, "AUD-0001", "heading")));
    assert_done(story_do(
        story, "dana", "edit", "AUD-0001",
        arena_printf(story_arena(story), "{'set': {'host': %s}}", put_up(story, "Mallory"))));
    assert_refused(story_do(story, "dana", "begin", "AUD-0001", NULL), 422, "guard-failed");
    assert_done(story_do(
        story, "dana", "edit", "AUD-0001",
        arena_printf(story_arena(story), "{'set': {'host': %s}}", put_up(story, "Trent"))));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_true(story_keeps(story, hash_in(story, "AUD-0001", "diary")));
    assert_string_equal(story_leaf_type(story, 0), "content.made");
    assert_false(is_written_down(story, "Zacharias"));
    story_prove(story_memory(story));
    story_end(story);
}

static void disposal_erases_it_wherever_the_record_has_it(void **state)
{
    static const char *const fields[] = {"aim", "heading", "host", "met", "diary"};
    const char *hashes[5];
    struct story *story = with_audit();
    const char *card = story_content(story, "A card: Zacharias.");

    (void)state;
    assert_done(story_do(story, "dana", "edit", "AUD-0001",
                         arena_printf(story_arena(story),
                                      "{'set': {'met': {'content': 'hex:%s', 'size': 77, 'holds': "
                                      "[{'content': 'hex:%s', 'size': 18}]}}}",
                                      table_with(story, card), card)));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_done(story_do(story, "dana", "close", "AUD-0001", NULL));
    for (size_t i = 0; i < 5; i++) {
        hashes[i] = hash_in(story, "AUD-0001", fields[i]);
        assert_true(story_keeps(story, hashes[i]));
    }
    story_until(story, "2028-04-01T08:00:00Z");
    assert_done(story_sign(story, "amara", "dispose", "AUD-0001", NULL));
    for (size_t i = 0; i < 5; i++)
        assert_false(story_keeps(story, hashes[i]));
    assert_false(story_keeps(story, card));
    assert_false(is_written_down(story, "Zacharias"));
    story_prove(story_memory(story));
    story_end(story);
}

static void a_table_names_the_files_in_its_cells(void **state)
{
    struct story *story = with_audit();
    const char *card = story_content(story, "A card.");

    (void)state;
    assert_refused(story_do(story, "dana", "edit", "AUD-0001",
                            arena_printf(story_arena(story),
                                         "{'set': {'met': {'content': 'hex:%s', 'size': 62}}}",
                                         table_with(story, card))),
                   422, "guard-failed");
    assert_string_equal(story_sentence(story),
                        "Field met: the files that its rows name stand under \"holds\" beside the "
                        "content, in the order of the rows, each once.");
    story_end(story);
}

static void what_a_tool_reports_is_put_away(void **state)
{
    struct story *story = with_audit();

    (void)state;
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_done(story_do(story, "dana", "audit.import", "AUD-0001",
                         "{'tool': 't', 'format': 'csv', 'sha256': "
                         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', "
                         "'findings': [{'title': "
                         "'Result', 'dedupe_key': 'host:1', 'fields': {'weight': 'minor', "
                         "'answers': 'finn', 'note': "
                         "'Seen at the desk of Zacharias'}}]}"));
    assert_true(story_keeps(story, hash_in(story, "FND-0001", "note")));
    assert_false(is_written_down(story, "Zacharias"));
    story_prove(story_memory(story));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_text_that_can_be_erased_does_not_stand_in_the_command),
        cmocka_unit_test(it_is_held_to_what_its_field_allows),
        cmocka_unit_test(conditions_read_it_and_what_is_computed_from_it_is_put_away_too),
        cmocka_unit_test(disposal_erases_it_wherever_the_record_has_it),
        cmocka_unit_test(a_table_names_the_files_in_its_cells),
        cmocka_unit_test(what_a_tool_reports_is_put_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
