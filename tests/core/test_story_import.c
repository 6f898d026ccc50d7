/* test_story_import.c - stories of a tool's report that is too large for one command: it goes in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/story.h"
#include "wire/import.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static struct story *with_audit_in_fieldwork(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "dana", "open", NULL, "{'kind': 'audit', 'title': 'Scan'}"));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    return story;
}

/* Findings first .. last (each known by its number) as the part from .. of the file `sha256`. */
static const char *part(struct story *story, const char *sha256, int first, int last, int from,
                        int of)
{
    char *text = arena_printf(story_arena(story),
                              "{'tool': 't', 'format': 'csv', 'sha256': '%s', 'from': %d, 'of': "
                              "%d, 'covers': 'host:', 'findings': [",
                              sha256, from, of);
    struct buf all = BUF_EMPTY;
    char *copy;

    buf_add_str(&all, text);
    for (int n = first; n <= last; n++)
        buf_add_str(&all, arena_printf(story_arena(story),
                                       "%s{'title': 'Result %d', 'dedupe_key': 'host:%d', "
                                       "'fields': {'weight': 'minor', 'answers': 'finn'}}",
                                       n == first ? "" : ", ", n, n));
    buf_add_str(&all, "]}");
    copy = arena_str(story_arena(story), buf_text(&all));
    buf_release(&all);
    return copy;
}

static int import(struct story *story, const char *arguments)
{
    return story_do(story, "dana", "audit.import", "AUD-0001", arguments);
}

static const struct value *how_far(struct story *story, const char *sha256)
{
    return story_ask(
        story, "dana", "import",
        arena_printf(story_arena(story), "{'record': 'AUD-0001', 'sha256': '%s'}", sha256));
}

static void what_an_import_writes_into_content_is_digested_at_once(void **state)
{
    struct story *story = with_audit_in_fieldwork();
    char digest[80];

    (void)state;
    snprintf(digest, sizeof digest, "%s", story_fact(story, "AUD-0001", "digest"));
    assert_done(import(story, part(story, A, 1, 2, 0, 2)));
    assert_string_not_equal(story_fact(story, "AUD-0001", "digest"), digest);
    snprintf(digest, sizeof digest, "%s", story_fact(story, "AUD-0001", "digest"));
    assert_done(story_do(story, "dana", "close", "AUD-0001", NULL));
    assert_string_equal(story_fact(story, "AUD-0001", "digest"), digest);
    story_end(story);
}

static void a_file_goes_in_parts_and_only_the_next_is_taken(void **state)
{
    struct story *story = with_audit_in_fieldwork();

    (void)state;
    assert_int_equal(value_get_int(how_far(story, A), "next", -1), 0);
    assert_refused(import(story, part(story, A, 3, 4, 2, 5)), 409, "wrong-state");
    assert_done(import(story, part(story, A, 1, 2, 0, 5)));
    assert_true(story_is_repetition(story));
    assert_refused(import(story, part(story, A, 1, 2, 0, 5)), 409, "wrong-state");
    assert_string_equal(story_sentence(story),
                        "2 of 5 findings of this file are in AUD-0001; go on after them.");
    assert_refused(import(story, part(story, A, 3, 4, 2, 6)), 409, "wrong-state");
    assert_refused(import(story, part(story, A, 3, 6, 2, 5)), 400, "malformed");
    assert_refused(import(story, part(story, A, 1, 0, 2, 5)), 400, "malformed");
    assert_int_equal(value_get_int(how_far(story, A), "next", -1), 2);
    assert_false(value_get_bool(how_far(story, A), "complete", true));
    /* Parts need not be of one size. */
    assert_done(import(story, part(story, A, 3, 5, 2, 5)));
    assert_true(story_has_row(story, "FND-0005"));
    assert_false(story_has_row(story, "FND-0006"));
    assert_true(value_get_bool(how_far(story, A), "complete", false));
    assert_refused(import(story, part(story, A, 1, 2, 0, 5)), 409, "wrong-state");
    assert_string_equal(story_sentence(story), "This very file was imported into AUD-0001 already, "
                                               "on 2026-03-02 by dana; nothing has changed.");
    story_end(story);
}

static void a_row_that_stands_in_two_parts_is_one_finding(void **state)
{
    struct story *story = with_audit_in_fieldwork();
    uint64_t before;

    (void)state;
    assert_done(import(story, part(story, A, 1, 3, 0, 6)));
    before = story_size(story);
    assert_done(import(story, part(story, A, 1, 3, 3, 6)));
    assert_int_equal(story_size(story), before + 1); /* the part's own entry */
    assert_false(story_has_row(story, "FND-0004"));
    story_end(story);
}

static void confirm(struct story *story, const char *finding)
{
    assert_done(story_sign(story, "dana", "confirm", finding, NULL));
    assert_string_equal(story_fact(story, finding, "state"), "open");
}

/* In this pack a finding that is gone is closed. */
static void what_is_missing_is_decided_with_the_last_part(void **state)
{
    struct story *story = with_audit_in_fieldwork();

    (void)state;
    assert_done(import(story, part(story, A, 1, 6, 0, 6)));
    confirm(story, "FND-0002");
    confirm(story, "FND-0005");
    confirm(story, "FND-0006");
    assert_done(import(story, part(story, B, 1, 3, 0, 5)));
    assert_string_equal(story_fact(story, "FND-0005", "state"), "open");
    assert_done(import(story, part(story, B, 4, 5, 3, 5)));
    assert_string_equal(story_fact(story, "FND-0002", "state"), "open");
    assert_string_equal(story_fact(story, "FND-0005", "state"), "open");
    assert_string_equal(story_fact(story, "FND-0006", "state"), "closed");
    story_end(story);
}

/* Two scans of one scope, part by part through each other: what either has is not gone for the earlier one. */
static void what_a_later_file_has_is_not_missing_from_the_earlier(void **state)
{
    struct story *story = with_audit_in_fieldwork();

    (void)state;
    assert_done(import(story, part(story, C, 1, 4, 0, 4)));
    confirm(story, "FND-0001");
    confirm(story, "FND-0003");
    assert_done(import(story, part(story, A, 1, 1, 0, 2)));
    assert_done(import(story, part(story, B, 1, 1, 0, 2)));
    assert_done(import(story, part(story, B, 3, 3, 1, 2)));
    assert_string_equal(story_fact(story, "FND-0001", "state"), "open");
    assert_done(import(story, part(story, A, 2, 2, 1, 2)));
    assert_string_equal(story_fact(story, "FND-0001", "state"), "open");
    assert_string_equal(story_fact(story, "FND-0003", "state"), "open");
    story_end(story);
}

static void a_file_that_changed_between_parts_is_another_file(void **state)
{
    struct story *story = with_audit_in_fieldwork();

    (void)state;
    assert_done(import(story, part(story, A, 1, 2, 0, 4)));
    assert_refused(import(story, part(story, B, 3, 4, 2, 4)), 409, "wrong-state");
    assert_done(import(story, part(story, B, 1, 4, 0, 4)));
    assert_int_equal(value_get_int(how_far(story, A), "next", -1), 2);
    assert_true(value_get_bool(how_far(story, B), "complete", false));
    story_end(story);
}

static void of_a_part_with_one_bad_finding_nothing_is_taken(void **state)
{
    struct story *story = with_audit_in_fieldwork();
    uint64_t before;

    (void)state;
    assert_done(import(story, part(story, A, 1, 2, 0, 4)));
    before = story_size(story);
    assert_refused(import(story,
                          "{'tool': 't', 'format': 'csv', 'sha256': '" A "', 'from': 2, 'of': 4, "
                          "'findings': [{'title': 'X', 'dedupe_key': 'x', 'fields': {'weight': "
                          "'huge'}}]}"),
                   422, "guard-failed");
    assert_int_equal(story_size(story), before);
    assert_done(import(story, part(story, A, 3, 4, 2, 4)));
    story_end(story);
}

/* More than one run may do is refused as a whole, and the sentence says why; by halves it goes. */
static void a_part_that_is_too_large_is_refused_as_a_whole(void **state)
{
    struct story *story = with_audit_in_fieldwork();
    uint64_t before = story_size(story);

    (void)state;
    assert_refused(import(story, part(story, A, 1, 300, 0, 300)), 413, "too-large");
    assert_int_equal(story_size(story), before);
    assert_done(import(story, part(story, A, 1, 150, 0, 300)));
    assert_done(import(story, part(story, A, 151, 300, 150, 300)));
    assert_true(story_has_row(story, "FND-0300"));
    story_end(story);
}

/* As tools cut it: parts of IMPORT_PART_MAX, and all of them end in the next scan that has none of them. */
static void thousands_of_findings_come_and_go(void **state)
{
    enum { COUNT = 5000, CONFIRMED = 210 };
    struct story *story = with_audit_in_fieldwork();

    (void)state;
    for (int from = 0; from < COUNT; from += IMPORT_PART_MAX) {
        int last = from + IMPORT_PART_MAX < COUNT ? from + IMPORT_PART_MAX : COUNT;

        assert_done(import(story, part(story, A, from + 1, last, from, COUNT)));
    }
    assert_true(story_has_row(story, "FND-5000"));
    assert_false(story_has_row(story, "FND-5001"));
    for (int n = 1; n <= CONFIRMED; n++)
        assert_done(story_sign(story, "dana", "confirm",
                               arena_printf(story_arena(story), "FND-%04d", n), NULL));
    assert_done(import(story, part(story, B, COUNT, COUNT, 0, 1)));
    for (int n = 1; n <= CONFIRMED; n += 100)
        assert_string_equal(
            story_fact(story, arena_printf(story_arena(story), "FND-%04d", n), "state"), "closed");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_import_writes_into_content_is_digested_at_once),
        cmocka_unit_test(a_file_goes_in_parts_and_only_the_next_is_taken),
        cmocka_unit_test(a_row_that_stands_in_two_parts_is_one_finding),
        cmocka_unit_test(what_is_missing_is_decided_with_the_last_part),
        cmocka_unit_test(what_a_later_file_has_is_not_missing_from_the_earlier),
        cmocka_unit_test(a_file_that_changed_between_parts_is_another_file),
        cmocka_unit_test(of_a_part_with_one_bad_finding_nothing_is_taken),
        cmocka_unit_test(a_part_that_is_too_large_is_refused_as_a_whole),
        cmocka_unit_test(thousands_of_findings_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
