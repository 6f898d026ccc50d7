/* test_story_under.c - who signs a decision signs under which directory and definitions it is made: stories of people who sign
 * while these change, and attempts to use what was genuinely signed at another time than it was signed for, by somebody who has
 * the database, the engine's keys and the engine itself; and what rota-verify says to each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "core/forgery.h"

#define RECORD "POL-0001@1.0"
#define ROUND RECORD "/round/1"
#define HUGO "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': ['employee']}]}"
#define WAIVER                                                                                     \
    "{'rule': 'SOD-1', 'person': 'bo', 'reason': " STORY_REASON ", 'check': " STORY_REASON "}"
#define STANDS_IN "{'to': 'cleo', 'reason': " STORY_REASON "}"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.',"
    " 'places': [{'name': 'Hall', 'inside': true}]}}";

static const struct story_change six_months[] = {
    {"document.cfg", "every = \"12 months\"", "every = \"6 months\""}, {NULL, NULL, NULL}};

/* Bo, cleo, finn and amara have keys that two roots endorsed; amara has submitted it. */
static struct story *with_a_round(void)
{
    struct story *story = story_begin_enrolled();

    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    return story;
}

static void change_directory(struct story *story)
{
    assert_done(story_put_people(story, "amara", HUGO));
}

static void change_pack(struct story *story)
{
    assert_done(story_install_agreed(story, "amara", "Sooner.", six_months));
}

/* ---- people who sign while it changes ---- */

static void a_vote_that_was_given_before_the_directory_changed_counts_on(void **state)
{
    struct story *story = with_a_round();
    struct value before, after;

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    change_directory(story);
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, RECORD, "state"), "approved");
    before = *value_get(story_row(story, ROUND "/bo"), "under");
    after = *value_get(story_row(story, ROUND "/cleo"), "under");
    assert_false(value_equal(&before, &after));
    story_end(story);
}

/* Prepared, and then somebody comes into the directory: nothing is done, and the same can be signed again. */
static void what_was_signed_under_the_directory_before_is_signed_again(void **state)
{
    struct story *story = with_a_round();
    struct question ballot = story_ballot(story, "bo", "approve", "POL-0001");
    uint64_t size;

    (void)state;
    change_directory(story);
    size = story_size(story);
    assert_refused(story_cast(story, &ballot), 409, "stale-rules");
    assert_int_equal(story_size(story), size);
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    story_end(story);
}

/* A key that is enrolled changes the directory: what was signed with the one before is refused for that, and what others
 * signed is signed again. */
static void a_key_that_is_enrolled_meanwhile_is_a_change_too(void **state)
{
    struct story *story = with_a_round();
    struct question ballot = story_ballot(story, "bo", "approve", "POL-0001");

    (void)state;
    assert_done(story_enrol(story, "finn", "finn-second", 1, "finn"));
    assert_refused(story_cast(story, &ballot), 409, "stale-rules");
    story_end(story);
}

/* A record stays under its own definitions: others that count by now are nothing to it. */
static void a_vote_is_signed_under_the_definitions_of_its_record(void **state)
{
    struct story *story = with_a_round();
    struct question ballot = story_ballot(story, "bo", "approve", "POL-0001"), other;

    (void)state;
    other = story_signed(story, "bo", "bo", "delegation.give", NULL, STANDS_IN);
    change_pack(story);
    assert_done(story_cast(story, &ballot));
    assert_refused(story_cast(story, &other), 409, "stale-rules");
    assert_done(story_sign(story, "bo", "delegation.give", NULL, STANDS_IN));
    story_end(story);
}

static void a_signature_that_does_not_say_it_is_refused(void **state)
{
    struct story *story = with_a_round();
    struct question ballot = story_ballot(story, "bo", "approve", "POL-0001");
    struct value args = value_copy(story_arena(story), ballot.args);

    (void)state;
    value_remove(&args, slice_str("under"));
    ballot.args = &args;
    assert_refused(story_cast(story, &ballot), 403, "not-allowed");
    assert_non_null(strstr(story_sentence(story), "under"));
    story_end(story);
}

/* ---- what is genuine, at another time ---- */

static void vote(struct story *story)
{
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
}

static void waive(struct story *story)
{
    assert_done(story_sign(story, "cleo", "waive_sod", "POL-0001", WAIVER));
}

static void stand_in(struct story *story)
{
    assert_done(story_sign(story, "bo", "delegation.give", NULL, STANDS_IN));
}

static const struct {
    void (*change)(struct story *story), (*decide)(struct story *story);
    const char *changed, *decided; /* types of their entries */
} moved[] = {
    {change_directory, vote, "directory.installed", "record.approve"},
    {change_directory, waive, "directory.installed", "record.waive_sod"},
    {change_directory, stand_in, "directory.installed", "delegation.given"},
    {change_pack, stand_in, "pack.installed", "delegation.given"},
};

static void a_genuine_decision_before_the_change_that_it_was_made_after_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
        struct story *story = with_a_round();
        struct forgery *forgery;

        moved[i].change(story);
        moved[i].decide(story);
        forgery = forgery_begin(story);
        forgery_move(forgery, forgery_leaf(forgery, moved[i].decided, NULL, 1),
                     forgery_leaf(forgery, moved[i].changed, NULL, 2));
        forgery_settle(forgery);
        forgery_is_found(&forgery, "SIGNED_UNDER");
        story_end(story);
    }
}

static void a_genuine_decision_after_a_change_that_it_was_made_before_is_found(void **state)
{
    struct story *story = with_a_round();
    struct forgery *forgery;

    (void)state;
    vote(story);
    change_directory(story);
    assert_done(story_do(story, "amara", "open", NULL, policy));
    forgery = forgery_begin(story);
    forgery_move(forgery, forgery_leaf(forgery, "record.approve", NULL, 1),
                 forgery_leaf(forgery, "record.open", NULL, 2));
    forgery_settle(forgery);
    forgery_is_found(&forgery, "SIGNED_UNDER");
    story_end(story);
}

/* ---- another founding ---- */

/* Everything by the engine agrees with it; what people signed does not. */
static void another_founding_directory_is_found(void **state)
{
    struct story *story = with_a_round();
    struct forgery *forgery;
    struct leaf *founding;
    struct value *finn;

    (void)state;
    vote(story);
    forgery = forgery_begin(story);
    founding = forgery_leaf(forgery, "directory.installed", NULL, 1);
    finn = forgery_effect(forgery, founding, "person/finn");
    forgery_set(forgery, finn, "roles", forgery_value(forgery, "['top_management']"));
    forgery_settle(forgery);
    forgery_is_found(&forgery, "SIGNED_UNDER");
    story_end(story);
}

/* ---- journals of the days before ---- */

static void sign_without(struct forgery *forgery, const char *type, const char *stream,
                         const char *who)
{
    struct leaf *leaf = forgery_leaf(forgery, type, stream, 1);

    value_remove(&leaf->body, slice_str("under"));
    forgery_sign(forgery, leaf, who);
}

static void a_journal_of_the_days_before_holds(void **state)
{
    struct story *story = with_a_round();
    struct forgery *forgery;

    (void)state;
    vote(story);
    forgery = forgery_begin(story);
    sign_without(forgery, "record.approve", ROUND "/bo", "bo");
    forgery_holds(&forgery);
    story_end(story);
}

static void who_said_it_once_says_it_always(void **state)
{
    struct story *story = with_a_round();
    struct forgery *forgery;

    (void)state;
    stand_in(story);
    vote(story);
    forgery = forgery_begin(story);
    sign_without(forgery, "record.approve", ROUND "/bo", "bo");
    forgery_is_found(&forgery, "SIGNED_UNDER");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vote_that_was_given_before_the_directory_changed_counts_on),
        cmocka_unit_test(what_was_signed_under_the_directory_before_is_signed_again),
        cmocka_unit_test(a_key_that_is_enrolled_meanwhile_is_a_change_too),
        cmocka_unit_test(a_vote_is_signed_under_the_definitions_of_its_record),
        cmocka_unit_test(a_signature_that_does_not_say_it_is_refused),
        cmocka_unit_test(a_genuine_decision_before_the_change_that_it_was_made_after_is_found),
        cmocka_unit_test(a_genuine_decision_after_a_change_that_it_was_made_before_is_found),
        cmocka_unit_test(another_founding_directory_is_found),
        cmocka_unit_test(a_journal_of_the_days_before_holds),
        cmocka_unit_test(who_said_it_once_says_it_always),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
