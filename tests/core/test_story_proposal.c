/* test_story_proposal.c - what governs changes only if two people want it: the directory and the definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/story.h"

#define HUGO "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': ['employee']}]}"
#define IVAN "{'people': [{'name': 'ivan', 'kind': 'person', 'roles': ['employee']}]}"
#define POLICY                                                                                     \
    "{'kind': 'policy', 'title': 'P', 'fields': {'text': 'So be it.', 'places': [{'name': "        \
    "'Lyon', "                                                                                     \
    "'inside': true}]}}"
#define BECAUSE "{'proposal': 1, 'reason': " STORY_REASON "}"

static const struct story_change six_months[] = {
    {"document.cfg", "every = \"12 months\"", "every = \"6 months\""}, {NULL, NULL, NULL}};

static const struct story_change one_is_enough[] = {
    {"document.cfg", "need = \"record.version.endsWith('.0') ? 2 : 1\"", "need = \"1\""},
    {NULL, NULL, NULL}};

static int propose(struct story *story, const char *people)
{
    return story_do(story, "amara", "directory.install", NULL, people);
}

static const char *fact(struct story *story, const char *key, const char *fact)
{
    return value_get_str(story_row(story, key), fact, "", story_arena(story));
}

/* What would otherwise be agreed to and mean nothing: a role that nobody has, a service that nobody serves. */
static void an_entry_names_what_there_is(void **state)
{
    static const char *const bad[][2] = {
        {"'name': 'a/b'", "letters a to z"},
        {"'name': '..'", "letters a to z"},
        {"'name': 'two words'", "letters a to z"},
        {"'name': 'hugo', 'roles': ['emplyee']", "know no role emplyee; did you mean 'employee'?"},
        {"'name': 'hugo', 'manager': 'amra'",
         "amra is not in the directory; did you mean 'amara'?"},
        {"'name': 'hugo', 'manager': 'hugo'", "manager of themselves"},
        {"'name': 'hugo', 'services': ['Audit *']", "no name of a service"},
    };
    struct story *story = story_begin();
    char args[256];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(args, sizeof args, "{'people': [{'kind': 'person', %s}]}", bad[i][0]);
        assert_refused(propose(story, args), 422, "guard-failed");
        assert_non_null(strstr(story_sentence(story), bad[i][1]));
    }
    assert_done(propose(story, "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': "
                               "['employee', 'external_auditor'], 'manager': 'ivan'}, {'name': "
                               "'ivan', 'kind': 'worker', 'services': ['audit.*', 'exec.a-b']}]}"));
    story_end(story);
}

static void an_entry_counts_when_a_second_person_has_signed_it(void **state)
{
    struct story *story = story_begin();
    struct leaf leaf;

    (void)state;
    assert_done(propose(story, HUGO));
    assert_string_equal(story_reply(story, "outcome"), "proposed");
    assert_string_equal(story_leaf_type(story, 0), "directory.proposed");
    assert_false(story_has_row(story, "person/hugo"));
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_string_equal(story_reply(story, "outcome"), "installed");
    assert_true(story_has_row(story, "person/hugo"));
    leaf = story_leaf(story, story_size(story) - 1);
    assert_true(slice_is(leaf.type, "directory.installed"));
    assert_true(slice_is(leaf.actor, "bo") && leaf.actor_sig.len == SIGNATURE_LEN);
    assert_string_equal(fact(story, "directory", "by"), "amara");
    assert_string_equal(fact(story, "directory", "agreed_by"), "bo");
    assert_string_equal(fact(story, "proposal/1", "state"), "agreed");
    story_end(story);
}

static void the_signature_is_below_a_sentence_that_says_what_is_put_in_force(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, "{'people': [{'name': 'hugo', 'kind': 'person', 'roles': []}, "
                               "{'name': 'finn', 'kind': 'person', 'roles': ['isms_manager']}]}"));
    assert_string_equal(value_get_str(story_ask(story, "bo", "prepare", "{'proposal': 1}"),
                                      "statement", "", story_arena(story)),
                        "I authorise that the directory changes: new hugo; changed finn, as amara "
                        "proposed (proposal 1).");
    story_end(story);
}

/* ---- who does not agree ---- */

static void who_proposed_it_does_not_agree_to_it(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, HUGO));
    assert_refused(story_agree(story, "amara", 1, NULL), 403, "separation-of-duties");
    assert_non_null(strstr(story_sentence(story), "SOD-6"));
    assert_string_equal(story_leaf_type(story, 0), "refusal.separation-of-duties");
    assert_refused(story_agree_by(story, "amara", "bo", 1, NULL), 403, "separation-of-duties");
    assert_false(story_has_row(story, "person/hugo"));
    story_end(story);
}

/* The role comes with the proposal and not before it. */
static void who_gains_the_role_in_the_proposal_does_not_agree_to_it(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, "{'people': [{'name': 'finn', 'kind': 'person', 'roles': "
                               "['isms_manager', 'top_management']}]}"));
    assert_refused(story_agree(story, "finn", 1, NULL), 403, "not-allowed");
    assert_string_equal(story_leaf_type(story, 0), "refusal.not-allowed");
    story_end(story);
}

static void nobody_agrees_in_the_place_of_another(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, HUGO));
    assert_done(story_sign(story, "bo", "delegation.give", NULL,
                           "{'to': 'finn', 'reason': " STORY_REASON "}"));
    assert_done(story_sign(story, "bo", "delegation.give", NULL,
                           "{'to': 'amara', 'reason': " STORY_REASON "}"));
    assert_refused(story_agree(story, "finn", 1, NULL), 403, "not-allowed");
    assert_refused(story_agree(story, "finn", 1, "{'for': 'bo'}"), 403, "not-allowed");
    assert_refused(story_agree(story, "amara", 1, "{'for': 'bo'}"), 403, "not-allowed");
    assert_false(story_has_row(story, "person/hugo"));
    story_end(story);
}

static void a_second_key_of_the_same_person_is_the_same_person(void **state)
{
    struct story *story = story_begin_rooted();

    (void)state;
    assert_done(story_enrol(story, "amara", "amara", 0, "root-1 root-2"));
    assert_done(story_enrol(story, "bo", "bo", 0, "root-1 root-2"));
    assert_done(propose(story, HUGO));
    assert_done(story_enrol(story, "amara", "amara-second", 1, "amara"));
    assert_refused(story_agree_by(story, "amara", "amara-second", 1, NULL), 403,
                   "separation-of-duties");
    assert_refused(story_agree_by(story, "bo", "amara-second", 1, NULL), 403, "not-allowed");
    assert_done(story_agree(story, "bo", 1, NULL));
    story_end(story);
}

static void without_a_signature_of_their_own_nobody_agrees(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, HUGO));
    assert_refused(story_agree_by(story, "bo", NULL, 1, NULL), 403, "not-allowed");
    assert_refused(story_agree_by(story, "bo", "amara", 1, NULL), 403, "not-allowed");
    assert_non_null(strstr(story_sentence(story), "signature"));
    assert_done(story_agree(story, "bo", 1, NULL));
    story_end(story);
}

/* ---- what is agreed to ---- */

static void what_was_proposed_is_agreed_to_and_nothing_else(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, HUGO));
    assert_refused(story_agree(story, "bo", 1, IVAN), 409, "stale-content");
    assert_string_equal(story_leaf_type(story, 0), "refusal.stale-content");
    assert_refused(story_agree(story, "bo", 2, NULL), 404, "no-record");
    assert_false(story_has_row(story, "person/ivan"));
    story_end(story);
}

static void two_proposals_about_other_people_do_not_disturb_each_other(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, HUGO));
    assert_done(propose(story, IVAN));
    assert_done(story_agree(story, "bo", 2, NULL));
    assert_done(story_agree(story, "cleo", 1, NULL));
    assert_true(story_has_row(story, "person/hugo") && story_has_row(story, "person/ivan"));
    story_end(story);
}

static void what_it_would_replace_has_changed_since(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, "{'people': [{'name': 'finn', 'kind': 'person', 'roles': []}]}"));
    assert_done(propose(story, "{'people': [{'name': 'finn', 'kind': 'person', 'roles': "
                               "['doc_controller']}]}"));
    assert_done(story_agree(story, "bo", 2, NULL));
    assert_true(
        value_get_bool(story_ask(story, "bo", "proposals", "{'proposal': 1}"), "stale", false));
    assert_refused(story_agree(story, "bo", 1, NULL), 409, "stale-content");
    assert_non_null(strstr(story_sentence(story), "anew"));
    story_end(story);
}

static void a_proposal_that_was_ended_is_over(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, HUGO));
    assert_refused(story_do(story, "finn", "proposal.end", NULL, BECAUSE), 403, "not-allowed");
    assert_refused(story_do(story, "bo", "proposal.end", NULL, "{'proposal': 1}"), 422,
                   "guard-failed");
    assert_done(story_do(story, "bo", "proposal.end", NULL, BECAUSE));
    assert_refused(story_agree(story, "cleo", 1, NULL), 409, "wrong-state");
    assert_refused(story_do(story, "amara", "proposal.end", NULL, BECAUSE), 409, "wrong-state");
    assert_int_equal(story_ask(story, "bo", "proposals", "{}")->count, 0);
    assert_int_equal(story_ask(story, "bo", "proposals", "{'all': true}")->count, 1);
    story_end(story);
}

static void an_agreement_counts_once(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(propose(story, HUGO));
    assert_true(story_is_repetition(story));
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_true(story_is_repetition(story));
    assert_refused(story_agree(story, "cleo", 1, NULL), 409, "wrong-state");
    story_end(story);
}

static void what_changes_nothing_is_not_proposed(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_put_people(story, "amara", HUGO));
    assert_refused(propose(story, HUGO), 409, "wrong-state");
    story_end(story);
}

static void it_waits_for_those_who_can_agree(void **state)
{
    struct story *story = story_begin();
    const struct value *inbox;

    (void)state;
    assert_done(propose(story, HUGO));
    inbox = story_ask(story, "bo", "inbox", "{}");
    assert_int_equal(inbox->count, 1);
    assert_int_equal(value_get_int(&inbox->as.items[0], "proposal", 0), 1);
    assert_int_equal(story_ask(story, "amara", "inbox", "{}")->count, 0);
    assert_int_equal(story_ask(story, "finn", "inbox", "{}")->count, 0);
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_int_equal(story_ask(story, "cleo", "inbox", "{}")->count, 0);
    story_end(story);
}

/* ---- a house of one ---- */

#define GONE(name) "{'name': '" name "', 'kind': 'person', 'roles': []}"

static void who_has_nobody_beside_them_acts_at_once_until_there_is_a_second(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_put_people(story, "amara", "{'people': [" GONE("bo") ", " GONE("cleo") "]}"));
    assert_done(propose(story, HUGO));
    assert_string_equal(story_leaf_type(story, 0), "directory.installed");
    assert_true(value_get_bool(story_row(story, "directory"), "alone", false));
    assert_string_equal(story_reply(story, "outcome"), "installed");
    assert_done(propose(story, "{'people': [{'name': 'bo', 'kind': 'person', 'roles': "
                               "['top_management'], 'sign': 'hex:000000000000000000000000000000000"
                               "0000000000000000000000000000001'}]}"));
    assert_done(propose(story, IVAN));
    assert_string_equal(story_leaf_type(story, 0), "directory.proposed");
    story_end(story);
}

/* Else who may revoke keys would be alone as soon as they liked. */
static void taking_keys_away_leaves_nobody_alone_where_there_are_root_keys(void **state)
{
    struct story *story = story_begin_rooted();

    (void)state;
    assert_done(story_enrol(story, "bo", "bo", 0, "root-1 root-2"));
    assert_done(story_do(story, "amara", "key.revoke", NULL,
                         "{'person': 'bo', 'reason': " STORY_REASON "}"));
    assert_done(propose(story, HUGO));
    assert_string_equal(story_leaf_type(story, 0), "directory.proposed");
    story_end(story);
}

/* Nor where there are none: the key of the last other who could agree is her own to revoke. */
static void taking_keys_away_leaves_nobody_alone_without_root_keys(void **state)
{
    static const char *const cleo = "{'person': 'cleo', 'reason': " STORY_REASON "}";
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "key.revoke", NULL,
                         "{'person': 'bo', 'reason': " STORY_REASON "}"));
    assert_refused(story_do(story, "amara", "key.revoke", NULL, cleo), 403, "not-allowed");
    assert_non_null(strstr(story_sentence(story), "you would be alone"));
    assert_string_equal(story_leaf_type(story, 0), "refusal.not-allowed");
    /* What takes nothing from that is revoked at once: of who could not agree, and for those who are two without her. */
    assert_done(story_do(story, "amara", "key.revoke", NULL,
                         "{'person': 'finn', 'reason': " STORY_REASON "}"));
    assert_done(propose(story, HUGO));
    assert_string_equal(story_leaf_type(story, 0), "directory.proposed");
    assert_done(story_do(story, "cleo", "key.revoke", NULL, cleo));
    assert_done(propose(story, IVAN));
    assert_string_equal(story_leaf_type(story, 0), "directory.installed");
    assert_true(value_get_bool(story_row(story, "directory"), "alone", false));
    story_end(story);
}

/* ---- definitions ---- */

static void workflows_change_by_two_and_records_keep_theirs(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'P', 'fields': {'text': 'So be it.', "
                         "'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_done(story_install(story, "amara", "For good.", six_months));
    assert_string_equal(story_leaf_type(story, 0), "pack.proposed");
    assert_refused(story_agree(story, "amara", 1, NULL), 403, "separation-of-duties");
    assert_done(story_agree(story, "bo", 1, NULL));
    assert_string_equal(story_leaf_type(story, 0), "pack.installed");
    assert_false(slice_equal(value_get_bin(story_row(story, "POL-0001@1.0"), "pack"),
                             value_get_bin(story_row(story, "pack"), "current")));
    story_end(story);
}

/* SOD-6: a change never applies to rounds that are open. Here a vote less would be enough for it. */
static void an_open_round_goes_on_by_the_definition_that_it_began_under(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'P', 'fields': {'text': 'So be it.', "
                         "'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_install_agreed(story, "amara", "For good.", one_is_enough));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Q', 'fields': {'text': 'So be it.', "
                         "'places': [{'name': 'Lyon', 'inside': true}]}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0002", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0002", NULL));
    assert_string_equal(story_fact(story, "POL-0002", "state"), "approved");
    story_end(story);
}

static void of_two_packs_that_were_proposed_the_second_is_proposed_anew(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install(story, "amara", "For good.", six_months));
    assert_done(story_install(story, "amara", "For good.", one_is_enough));
    assert_done(story_agree(story, "bo", 2, NULL));
    assert_refused(story_agree(story, "bo", 1, NULL), 409, "stale-content");
    story_end(story);
}

/* ---- what a decision was made under ---- */

static struct slice under(struct story *story, const char *key)
{
    return value_get_bin(value_get(story_row(story, key), "under"), "directory");
}

static void a_decision_names_the_directory_that_it_was_made_under(void **state)
{
    struct story *story = story_begin();
    struct slice before, after;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    before = value_get_bin(story_row(story, "directory"), "whole");
    assert_int_equal(before.len, HASH_LEN);
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_put_people(story, "amara", HUGO));
    after = value_get_bin(story_row(story, "directory"), "whole");
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_false(slice_equal(before, after));
    assert_true(slice_equal(under(story, "POL-0001@1.0/round/1"), before));
    assert_true(slice_equal(under(story, "POL-0001@1.0/round/1/bo"), before));
    assert_true(slice_equal(under(story, "directory"), before));
    assert_true(slice_equal(under(story, "POL-0001@1.0/round/1/cleo"), after));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_names_what_there_is),
        cmocka_unit_test(an_entry_counts_when_a_second_person_has_signed_it),
        cmocka_unit_test(the_signature_is_below_a_sentence_that_says_what_is_put_in_force),
        cmocka_unit_test(who_proposed_it_does_not_agree_to_it),
        cmocka_unit_test(who_gains_the_role_in_the_proposal_does_not_agree_to_it),
        cmocka_unit_test(nobody_agrees_in_the_place_of_another),
        cmocka_unit_test(a_second_key_of_the_same_person_is_the_same_person),
        cmocka_unit_test(without_a_signature_of_their_own_nobody_agrees),
        cmocka_unit_test(what_was_proposed_is_agreed_to_and_nothing_else),
        cmocka_unit_test(two_proposals_about_other_people_do_not_disturb_each_other),
        cmocka_unit_test(what_it_would_replace_has_changed_since),
        cmocka_unit_test(a_proposal_that_was_ended_is_over),
        cmocka_unit_test(an_agreement_counts_once),
        cmocka_unit_test(what_changes_nothing_is_not_proposed),
        cmocka_unit_test(it_waits_for_those_who_can_agree),
        cmocka_unit_test(who_has_nobody_beside_them_acts_at_once_until_there_is_a_second),
        cmocka_unit_test(taking_keys_away_leaves_nobody_alone_where_there_are_root_keys),
        cmocka_unit_test(taking_keys_away_leaves_nobody_alone_without_root_keys),
        cmocka_unit_test(workflows_change_by_two_and_records_keep_theirs),
        cmocka_unit_test(an_open_round_goes_on_by_the_definition_that_it_began_under),
        cmocka_unit_test(a_decision_names_the_directory_that_it_was_made_under),
        cmocka_unit_test(of_two_packs_that_were_proposed_the_second_is_proposed_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
