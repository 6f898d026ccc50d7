/* test_story_shipped.c - the workflows that are shipped, lived through: the scope of an organisation, its
 * people told, a nonconformity mended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/story.h"

#define REASON "{'reason': " STORY_REASON "}"

static const char *const scope =
    "{'kind': 'scope_statement', 'title': 'Scope of the ISMS', 'fields': {"
    "'organisation_name': 'Story Ltd', 'scope_statement': 'All of it.', "
    "'purpose_and_applicability': 'Everyone.',"
    "'boundaries': [{'dimension': 'organisational', 'item': 'All units', 'position': 'in'},"
    " {'dimension': 'process_service', 'item': 'Hosting', 'position': 'in'},"
    " {'dimension': 'location', 'item': 'Lyon', 'position': 'in'},"
    " {'dimension': 'technology', 'item': 'Servers', 'position': 'in'}],"
    "'interfaces_dependencies': [{'activity': 'Power', 'performed_by': 'supplier'}],"
    "'has_exclusions': false}}";

static struct story *with_scope_in_force(void)
{
    struct story *story = story_begin_with("workflows");

    assert_done(story_do(story, "amara", "open", NULL, scope));
    assert_done(story_do(story, "amara", "submit", "SCP-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "SCP-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "SCP-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "SCP-0001", NULL));
    return story;
}

static void a_scope_comes_into_force_and_everyone_is_asked_to_read_it(void **state)
{
    struct story *story = with_scope_in_force();

    (void)state;
    assert_string_equal(story_fact(story, "SCP-0001", "state"), "in_force");
    assert_string_equal(story_fact(story, "ACK-0001", "state"), "open");
    assert_string_equal(story_fact(story, "ACK-0001", "acks_waiting"), "[\"eve\", \"finn\"]");
    assert_done(story_do(story, "eve", "ack", "ACK-0001", NULL));
    assert_string_equal(story_fact(story, "ACK-0001", "state"), "open");
    assert_done(story_do(story, "finn", "ack", "ACK-0001", NULL));
    assert_string_equal(story_fact(story, "ACK-0001", "state"), "completed");
    story_end(story);
}

static void who_does_not_read_it_is_reminded_and_then_it_is_chased(void **state)
{
    struct story *story = with_scope_in_force();

    (void)state;
    story_until(story, "2026-03-20T12:00:00Z");
    assert_string_equal(story_fact(story, "ACK-0001", "state"), "chasing");
    assert_done(story_do(story, "eve", "ack", "ACK-0001", NULL));
    assert_done(story_do(story, "finn", "ack", "ACK-0001", NULL));
    assert_string_equal(story_fact(story, "ACK-0001", "state"), "completed");
    story_end(story);
}

static void a_year_passes_and_the_review_that_nobody_does_becomes_a_finding(void **state)
{
    struct story *story = with_scope_in_force();

    (void)state;
    story_until(story, "2027-02-15T00:00:00Z");
    assert_string_equal(story_fact(story, "SCP-0001", "state"), "under_review");
    assert_string_equal(story_fact(story, "SCP-0001", "valid"), "true");
    story_until(story, "2027-04-15T00:00:00Z");
    assert_true(story_has_row(story, "FND-0001"));
    assert_string_equal(story_fact(story, "FND-0001", "via"), "rule");
    story_end(story);
}

static void a_new_scope_supersedes_the_old_and_asks_again(void **state)
{
    struct story *story = with_scope_in_force();

    (void)state;
    assert_done(story_do(story, "amara", "decide_change", "SCP-0001", REASON));
    assert_done(
        story_do(story, "amara", "edit", "SCP-0001", "{'set': {'organisation_name': 'Story SA'}}"));
    assert_done(story_do(story, "amara", "submit", "SCP-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "SCP-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "SCP-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "SCP-0001", NULL));
    assert_string_equal(story_fact(story, "SCP-0001@1.0", "state"), "superseded");
    assert_string_equal(story_fact(story, "ACK-0001", "state"), "cancelled");
    assert_string_equal(story_fact(story, "ACK-0002", "state"), "open");
    story_end(story);
}

static void what_was_approved_changes_by_no_later_event(void **state)
{
    struct story *story = with_scope_in_force();

    (void)state;
    assert_done(story_do(
        story, "amara", "open", NULL,
        "{'kind': 'scope_change', 'title': 'Smaller', 'fields': {'change_type': 'editorial',"
        " 'what': ['wording'], 'reason': 'It says too much about servers.',"
        " 'from_version': 'SCP-0001@1.0', 'impact_risk': 'none', 'impact_soa': 'none',"
        " 'impact_objectives': 'none', 'impact_certificate': 'none', 'legal_impact': false,"
        " 'planned_date': '2026-04-01'}}"));
    assert_done(story_do(story, "amara", "submit", "SCH-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "SCH-0001", NULL));
    assert_string_equal(story_fact(story, "SCH-0001", "state"), "approved");
    assert_refused(
        story_do(story, "amara", "implement", "SCH-0001", "{'set': {'conditions': 'None.'}}"), 409,
        "wrong-state");
    assert_done(story_do(story, "amara", "implement", "SCH-0001", NULL));
    story_end(story);
}

static void a_major_nonconformity_starts_a_corrective_action(void **state)
{
    struct story *story = story_begin_with("workflows");

    (void)state;
    assert_done(
        story_do(story, "dana", "open", NULL,
                 "{'kind': 'finding', 'title': 'No backup', 'fields': {'source': 'internal_audit', "
                 "'classification': 'major_nc', 'criterion': 'A.8.13', 'statement': 'None was "
                 "made.', 'evidence_seen': 'The log.', "
                 "'auditee_owner': 'amara', 'found_on': '2026-03-02'}}"));
    assert_done(story_sign(story, "dana", "confirm", "FND-0001", NULL));
    assert_string_equal(story_fact(story, "FND-0001", "state"), "open");
    assert_true(story_has_row(story, "CAR-0001"));
    assert_string_equal(story_fact(story, "CAR-0001", "owner"), "amara");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scope_comes_into_force_and_everyone_is_asked_to_read_it),
        cmocka_unit_test(who_does_not_read_it_is_reminded_and_then_it_is_chased),
        cmocka_unit_test(a_year_passes_and_the_review_that_nobody_does_becomes_a_finding),
        cmocka_unit_test(a_new_scope_supersedes_the_old_and_asks_again),
        cmocka_unit_test(what_was_approved_changes_by_no_later_event),
        cmocka_unit_test(a_major_nonconformity_starts_a_corrective_action),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
