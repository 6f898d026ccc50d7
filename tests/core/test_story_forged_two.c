/* test_story_forged_two.c - attempts to change who may what, or the definitions, without a second person, by somebody who has the
 * database, the engine's keys, the engine itself and the administrator's account, and a genuine key of his own (amara's, who may
 * propose; finn's, who may not agree); and what rota-verify says to each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/forgery.h"

#define HUGO "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': ['employee']}]}"
#define FINN "{'people': [{'name': 'finn', 'kind': 'person', 'roles': ['top_management']}]}"
#define FINN_RISES                                                                                 \
    "{'': {}, 'person/finn': {'name': 'finn', 'kind': 'person', 'roles': ['top_management'], "     \
    "'email': null, 'manager': null}}"

static const struct story_change six_months[] = {
    {"document.cfg", "every = \"12 months\"", "every = \"6 months\""}, {NULL, NULL, NULL}};

/* Amara has proposed hugo, and bo has agreed. */
static struct story *with_hugo(void)
{
    struct story *story = story_begin_enrolled();

    assert_done(story_do(story, "amara", "directory.install", NULL, HUGO));
    assert_done(story_agree(story, "bo", 1, NULL));
    return story;
}

static struct leaf *agreement(struct forgery *forgery)
{
    return forgery_leaf(forgery, "directory.installed", NULL, 2);
}

static void what_two_people_changed_holds(void **state)
{
    struct story *story = with_hugo();
    struct forgery *forgery;

    (void)state;
    assert_done(story_install_agreed(story, "amara", "For good.", six_months));
    assert_done(story_enrol(story, "bo", "bo-second", 1, "bo"));
    forgery = forgery_begin(story);
    forgery_holds(&forgery);
    story_end(story);
}

static void a_house_of_one_that_grows_holds(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery;

    (void)state;
    assert_done(
        story_put_people(story, "amara",
                         "{'people': [{'name': 'bo', 'kind': 'person', 'roles': []}, "
                         "{'name': 'cleo', 'kind': 'person', 'roles': [], 'not_after': 1}]}"));
    assert_done(story_do(story, "amara", "directory.install", NULL, HUGO));
    assert_string_equal(story_leaf_type(story, 0), "directory.installed");
    forgery = forgery_begin(story);
    forgery_holds(&forgery);
    story_end(story);
}

/* ---- without anybody's word ---- */

static void a_role_that_another_kind_of_entry_gives_is_found(void **state)
{
    static const char *const kinds[][2] = {{"admin.drain", "admin/amara"},
                                           {"key.revoked", "key/finn"},
                                           {"timer.fired", "POL-0001@1.0/timer/review"},
                                           {"refusal.not-allowed", "refusal/finn"}};
    struct story *story = story_begin_enrolled();

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct forgery *forgery = forgery_begin(story);

        forgery_add(forgery, kinds[i][0], kinds[i][1], "engine", "{'person': 'finn'}", FINN_RISES);
        forgery_is_found(&forgery, "GOVERNING_ROW");
    }
    story_end(story);
}

static void a_definition_that_another_kind_of_entry_puts_in_force_is_found(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "admin.drain", "admin/amara", "engine", "{}",
                "{'': {}, 'pack': {'current': 'hex:00'}}");
    forgery_is_found(&forgery, "GOVERNING_ROW");
    story_end(story);
}

static void an_entry_of_one_person_is_found_whatever_it_claims(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "directory.installed", "directory", "amara", FINN, FINN_RISES);
    forgery_is_found(&forgery, "FOUR_EYES");
    forgery = forgery_begin(story);
    value_set(story_arena(story),
              forgery_effect(forgery,
                             forgery_add(forgery, "directory.installed", "directory", "engine",
                                         FINN, FINN_RISES),
                             ""),
              "alone", value_bool(true));
    forgery_is_found(&forgery, "FOUR_EYES");
    story_end(story);
}

/* Their keys were taken away: with root keys they could have had others. */
static void who_revokes_the_keys_of_the_others_is_not_alone(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery;

    (void)state;
    assert_done(story_do(story, "amara", "key.revoke", NULL,
                         "{'person': 'bo', 'reason': " STORY_REASON "}"));
    assert_done(story_do(story, "amara", "key.revoke", NULL,
                         "{'person': 'cleo', 'reason': " STORY_REASON "}"));
    forgery = forgery_begin(story);
    forgery_add(forgery, "directory.installed", "directory", "amara", FINN, FINN_RISES);
    forgery_is_found(&forgery, "FOUR_EYES");
    story_end(story);
}

/* Without root keys the engine would not take the last one; he writes it in, and then enters whom he likes alone. */
static void who_revokes_the_last_key_without_root_keys_is_found(void **state)
{
    struct story *story = story_begin();
    struct forgery *forgery;

    (void)state;
    assert_done(story_do(story, "amara", "key.revoke", NULL,
                         "{'person': 'bo', 'reason': " STORY_REASON "}"));
    forgery = forgery_begin(story);
    forgery_holds(&forgery);
    forgery = forgery_begin(story);
    forgery_add(forgery, "key.revoked", "key/cleo", "amara", "{'person': 'cleo'}",
                "{'': {'changes': 1}, 'person/cleo': {'sign': null}}");
    forgery_is_found(&forgery, "FOUR_EYES");
    story_end(story);
}

static void a_definition_of_one_person_is_found(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_install_agreed(story, "amara", "For good.", six_months));
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "pack.installed", NULL, 2);
    leaf->actor_sig = slice_of(NULL, 0);
    leaf->actor = slice_str("amara");
    value_remove(&leaf->body, slice_str("meaning"));
    forgery_is_found(&forgery, "FOUR_EYES");
    story_end(story);
}

/* ---- with a word that is not theirs to give ---- */

static void an_agreement_without_its_signature_is_found(void **state)
{
    struct story *story = with_hugo();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = agreement(forgery);

    (void)state;
    leaf->actor_sig = slice_of(NULL, 0);
    value_remove(&leaf->body, slice_str("meaning"));
    forgery_is_found(&forgery, "FOUR_EYES");
    story_end(story);
}

static void an_agreement_signed_with_another_key_is_found(void **state)
{
    struct story *story = with_hugo();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_sign(forgery, agreement(forgery), "finn");
    forgery_is_found(&forgery, "ACTOR_FORGED");
    story_end(story);
}

static void an_agreement_of_who_proposed_it_or_may_not_is_found(void **state)
{
    static const char *const others[] = {"amara", "finn"};
    struct story *story = with_hugo();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct forgery *forgery = forgery_begin(story);
        struct leaf *leaf = agreement(forgery);

        leaf->actor = slice_str(others[i]);
        forgery_sign(forgery, leaf, others[i]);
        forgery_is_found(&forgery, "FOUR_EYES");
    }
    story_end(story);
}

static void an_agreement_to_what_nobody_proposed_is_found(void **state)
{
    struct story *story = with_hugo();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_remove(forgery, forgery_leaf(forgery, "directory.proposed", NULL, 1));
    forgery_is_found(&forgery, "FOUR_EYES");
    forgery = forgery_begin(story);
    value_set(story_arena(story), &forgery_leaf(forgery, "directory.proposed", NULL, 1)->body,
              "people",
              forgery_value(forgery, "[{'name': 'ivan', 'kind': 'person', 'roles': []}]"));
    forgery_is_found(&forgery, "FOUR_EYES_CONTENT");
    story_end(story);
}

/* ---- with what was not agreed to ---- */

static void what_is_entered_besides_what_was_agreed_to_is_found(void **state)
{
    struct story *story = with_hugo();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    value_set(story_arena(story), forgery_effect(forgery, agreement(forgery), "person/hugo"),
              "roles", forgery_value(forgery, "['top_management']"));
    forgery_is_found(&forgery, "FOUR_EYES_CONTENT");
    forgery = forgery_begin(story);
    value_set(story_arena(story), forgery_effect(forgery, agreement(forgery), "person/hugo"),
              "gateway", value_bool(true));
    forgery_is_found(&forgery, "FOUR_EYES_CONTENT");
    forgery = forgery_begin(story);
    value_set(story_arena(story), forgery_effect(forgery, agreement(forgery), "person/finn"),
              "roles", forgery_value(forgery, "['top_management']"));
    forgery_is_found(&forgery, "FOUR_EYES_CONTENT");
    story_end(story);
}

static void an_entry_that_is_left_as_it_was_is_found(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery;

    (void)state;
    assert_done(story_put_people(story, "amara",
                                 "{'people': [{'name': 'finn', 'kind': 'person', 'roles': []}]}"));
    forgery = forgery_begin(story);
    value_remove(forgery_effect(forgery, agreement(forgery), "person/finn"), slice_str("manager"));
    forgery_is_found(&forgery, "FOUR_EYES_CONTENT");
    story_end(story);
}

static void another_pack_than_was_agreed_to_is_found(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery;

    (void)state;
    assert_done(story_install_agreed(story, "amara", "For good.", six_months));
    forgery = forgery_begin(story);
    value_set(story_arena(story),
              forgery_effect(forgery, forgery_leaf(forgery, "pack.installed", NULL, 2), ""),
              "current",
              *value_get(&forgery_leaf(forgery, "pack.installed", NULL, 1)->body, "digest"));
    forgery_is_found(&forgery, "FOUR_EYES_CONTENT");
    story_end(story);
}

static void a_digest_that_is_not_that_of_the_entries_is_found(void **state)
{
    struct story *story = with_hugo();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    value_set(story_arena(story), forgery_effect(forgery, agreement(forgery), ""), "whole",
              *value_get(&agreement(forgery)->body, "digest"));
    forgery_is_found(&forgery, "DIRECTORY_DIGEST");
    story_end(story);
}

static void a_decision_that_names_another_directory_is_found(void **state)
{
    struct story *story = with_hugo();
    struct forgery *forgery = forgery_begin(story);
    struct value *under =
        value_at(forgery_effect(forgery, agreement(forgery), ""), slice_str("under"));

    (void)state;
    assert_non_null(under);
    value_set(story_arena(story), under, "directory", *value_get(under, "pack"));
    forgery_is_found(&forgery, "DIRECTORY_DIGEST");
    story_end(story);
}

/* ---- break-glass ---- */

#define DROP "{'event': 'withdraw', 'reason': " STORY_REASON "}"

static void glass_that_nobody_let_them_break_is_found(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'P', 'fields': {'text': 'So be it.'}}"));
    assert_done(story_do(story, "finn", "break_glass", "POL-0001", DROP));
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_done(story_do(story, "finn", "withdraw", "POL-0001", "{'reason': " STORY_REASON "}"));
    forgery = forgery_begin(story);
    forgery_holds(&forgery);
    forgery = forgery_begin(story);
    forgery_remove(forgery, forgery_leaf(forgery, "break_glass.agreed", NULL, 1));
    forgery_is_found(&forgery, "FOUR_EYES");
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "break_glass.agreed", NULL, 1);
    leaf->actor = slice_str("finn");
    forgery_sign(forgery, leaf, "finn");
    forgery_is_found(&forgery, "FOUR_EYES");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_people_changed_holds),
        cmocka_unit_test(a_house_of_one_that_grows_holds),
        cmocka_unit_test(a_role_that_another_kind_of_entry_gives_is_found),
        cmocka_unit_test(a_definition_that_another_kind_of_entry_puts_in_force_is_found),
        cmocka_unit_test(an_entry_of_one_person_is_found_whatever_it_claims),
        cmocka_unit_test(who_revokes_the_keys_of_the_others_is_not_alone),
        cmocka_unit_test(who_revokes_the_last_key_without_root_keys_is_found),
        cmocka_unit_test(a_definition_of_one_person_is_found),
        cmocka_unit_test(an_agreement_without_its_signature_is_found),
        cmocka_unit_test(an_agreement_signed_with_another_key_is_found),
        cmocka_unit_test(an_agreement_of_who_proposed_it_or_may_not_is_found),
        cmocka_unit_test(an_agreement_to_what_nobody_proposed_is_found),
        cmocka_unit_test(what_is_entered_besides_what_was_agreed_to_is_found),
        cmocka_unit_test(an_entry_that_is_left_as_it_was_is_found),
        cmocka_unit_test(another_pack_than_was_agreed_to_is_found),
        cmocka_unit_test(a_decision_that_names_another_directory_is_found),
        cmocka_unit_test(glass_that_nobody_let_them_break_is_found),
        cmocka_unit_test(a_digest_that_is_not_that_of_the_entries_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
