/* test_story_packs.c - definitions change: who may install which, and what becomes of the records that are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/story.h"

#define WHY "Reviews twice a year."

static const struct story_change six_months[] = {
    {"document.cfg", "every = \"12 months\"", "every = \"6 months\""}, {NULL, NULL, NULL}};

/* How many records there are under the pack of this one. */
static int64_t governed_by(struct story *story, const char *record)
{
    const struct value *records =
        value_get(story_ask(story, "amara", "packs", "{'count': true}"), "records");
    char hex[2 * HASH_LEN + 1];

    hex_encode(value_get_bin(story_row(story, record), "pack"), hex);
    return value_get_int(records, hex, 0);
}

static void a_pack_is_installed_by_the_isms_manager_and_for_a_reason(void **state)
{
    struct story *story = story_begin();
    const struct value *packs;

    (void)state;
    assert_refused(story_install(story, "bo", WHY, six_months), 403, "not-allowed");
    assert_refused(story_install(story, "amara", NULL, six_months), 422, "guard-failed");
    assert_done(story_install(story, "amara", WHY, six_months));
    assert_string_equal(story_leaf_type(story, 0), "pack.installed");
    assert_refused(story_install(story, "amara", WHY, six_months), 409, "wrong-state");
    packs = story_ask(story, "amara", "packs", "{}");
    assert_int_equal(packs->count, 2);
    for (uint32_t i = 0; i < packs->count; i++) {
        const struct value *pack = &packs->as.items[i];
        bool is_first = slice_is(value_get_text(pack, "by"), "engine");

        assert_int_equal(value_get_bool(pack, "current", false), !is_first);
        assert_int_equal(value_get(pack, "reason") != NULL, !is_first);
        assert_true(slice_is(value_get_text(pack, "version"), "1.0"));
    }
    story_end(story);
}

static void a_record_stays_under_the_pack_that_it_was_opened_under(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'One', 'fields': {'text': 'So be it.'}}"));
    assert_done(story_install(story, "amara", WHY, six_months));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Two', 'fields': {'text': 'So be it.'}}"));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'grade': 'high'}}"));
    assert_false(slice_equal(value_get_bin(story_row(story, "POL-0001@1.0"), "pack"),
                             value_get_bin(story_row(story, "POL-0002@1.0"), "pack")));
    assert_int_equal(governed_by(story, "POL-0001@1.0"), 1);
    assert_int_equal(governed_by(story, "POL-0002@1.0"), 1);
    story_end(story);
}

static void a_kind_with_records_cannot_leave_the_pack(void **state)
{
    static const struct story_change renamed[] = {
        {"audit.cfg", "name = \"audit\"; prefix", "name = \"look\"; prefix"}, {NULL, NULL, NULL}};
    static const struct story_change other_prefix[] = {
        {"audit.cfg", "prefix = \"AUD\"", "prefix = \"AU\""}, {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL, "{'kind': 'audit', 'title': 'Yearly'}"));
    assert_refused(story_install(story, "amara", WHY, renamed), 409, "wrong-state");
    assert_string_equal(
        story_sentence(story),
        "The pack does not define the kind audit, and there is 1 record of it (AUD-0001, for one). "
        "Leave the kind as it is; so that no more of them are opened, give its `create` to a role "
        "that nobody holds.");
    assert_refused(story_install(story, "amara", WHY, other_prefix), 409, "wrong-state");
    story_end(story);
}

static void a_kind_of_which_there_never_was_a_record_may_go(void **state)
{
    static const struct story_change renamed[] = {
        {"audit.cfg", "name = \"audit\"; prefix", "name = \"look\"; prefix"}, {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install(story, "amara", WHY, renamed));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_is_installed_by_the_isms_manager_and_for_a_reason),
        cmocka_unit_test(a_record_stays_under_the_pack_that_it_was_opened_under),
        cmocka_unit_test(a_kind_with_records_cannot_leave_the_pack),
        cmocka_unit_test(a_kind_of_which_there_never_was_a_record_may_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
