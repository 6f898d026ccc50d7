/* test_story_forged_waiver.c - attempts to be freed from a rule of separation by nobody's word, or by a word that was taken back,
 * by somebody who has the database, the engine's keys, the engine itself and the administrator's account, and a genuine key
 * of his own (bo's, who wrote it and may approve it with cleo); and what rota-verify says to each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/forgery.h"

#define BOTH "root-1 root-2"
#define RECORD "POL-0001@1.0"
#define ROUND RECORD "/round/1"
#define TEXTS "'reason': " STORY_REASON ", 'check': " STORY_REASON
#define BO "{'rule': 'SOD-1', 'person': 'bo', " TEXTS "}"
#define END "{'waiver': 1, 'reason': " STORY_REASON "}"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.',"
    " 'places': [{'name': 'Hall', 'inside': true}]}}";

/* Bo has written it, cleo has freed him, and it is open for approval. */
static struct story *with_a_round(void)
{
    struct story *story = story_begin_enrolled();

    assert_done(story_do(story, "bo", "open", NULL, policy));
    assert_done(story_sign(story, "cleo", "waive_sod", "POL-0001", BO));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    return story;
}

/* What he signs now, as an entry of the journal that is forged: by the engine's hand, with his own key. */
static void add_vote(struct forgery *forgery, const struct question *ballot)
{
    struct leaf *leaf = forgery_add(
        forgery, "record.approve", ROUND "/bo", "bo", "{}",
        "{'': {'vote': 'grant', 'waived': [{'n': 1, 'rule': 'SOD-1', 'person': 'bo', 'by': "
        "'cleo'}]}, '" ROUND "': {'votes': {'bo': 'grant'}}, '" RECORD
        "/waiver/1': {'used': {'times': 1, 'entry': 0, 'event': 'approve', 'by': 'bo'}}}");

    leaf->body = *ballot->args;
    forgery_set(forgery, forgery_effect(forgery, leaf, ""), "digest",
                *value_get(ballot->args, "digest"));
    forgery_sign(forgery, leaf, "bo");
}

static void a_vote_that_a_waiver_lets_pass_holds(void **state)
{
    struct story *story = with_a_round();
    struct question ballot = story_ballot(story, "bo", "approve", "POL-0001");
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    add_vote(forgery, &ballot);
    forgery_holds(&forgery);
    story_end(story);
}

static void what_was_decided_before_its_end_holds(void **state)
{
    struct story *story = with_a_round();
    struct forgery *forgery;

    (void)state;
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    forgery = forgery_begin(story);
    forgery_holds(&forgery);
    story_end(story);
}

static void a_vote_after_its_waiver_was_taken_back_is_found(void **state)
{
    struct story *story = with_a_round();
    struct question ballot = story_ballot(story, "bo", "approve", "POL-0001");
    struct forgery *forgery;

    (void)state;
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    forgery = forgery_begin(story);
    add_vote(forgery, &ballot);
    forgery_is_found(&forgery, "VOTE_APART");
    forgery = forgery_begin(story);
    add_vote(forgery, &ballot);
    forgery_is_found(&forgery, "WAIVER_USED");
    /* Nor is its end made undone, by the entry itself or by another one. */
    forgery = forgery_begin(story);
    value_remove(forgery_effect(forgery, forgery_leaf(forgery, "record.end_waiver", NULL, 1), ""),
                 slice_str("ended"));
    add_vote(forgery, &ballot);
    forgery_is_found(&forgery, "WAIVER_ROW");
    forgery = forgery_begin(story);
    forgery_add(forgery, "timer.fired", RECORD "/timer/review", "engine", "{}",
                "{'': {}, '" RECORD "/waiver/1': {'ended': null}}");
    add_vote(forgery, &ballot);
    forgery_is_found(&forgery, "WAIVER_ROW");
    story_end(story);
}

/* He would rather that another waiver counted, which is for another rule or person; or the same once more. */
static void a_waiver_that_is_written_otherwise_is_found(void **state)
{
    static const char *const keys[] = {"person", "rule", "by"};
    static const char *const values[] = {"finn", "SOD-4", "amara"};
    struct story *story = with_a_round();
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        forgery = forgery_begin(story);
        leaf = forgery_leaf(forgery, "record.waive_sod", NULL, 1);
        forgery_set(forgery, forgery_effect(forgery, leaf, ""), keys[i], value_str(values[i]));
        forgery_is_found(&forgery, "WAIVER_ROW");
    }
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    forgery = forgery_begin(story);
    leaf = forgery_add(forgery, "record.waive_sod", RECORD "/waiver/2", "cleo", "{}",
                       "{'': {'rule': 'SOD-1', 'person': 'bo', 'by': 'cleo'}, '" RECORD
                       "': {'waivers': 2}}");
    leaf->body = forgery_leaf(forgery, "record.waive_sod", NULL, 1)->body;
    leaf->content = forgery_leaf(forgery, "record.waive_sod", NULL, 1)->content;
    leaf->actor_sig = forgery_leaf(forgery, "record.waive_sod", NULL, 1)->actor_sig;
    forgery_is_found(&forgery, "ACTOR_FORGED");
    story_end(story);
}

/* A genuine one that cleo gave for another content, or another record, in the place of this one. */
static void a_waiver_for_another_content_is_found(void **state)
{
    struct story *story = with_a_round();
    struct question ballot;
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 2}}"));
    assert_done(story_do(story, "bo", "open", NULL, policy));
    assert_done(story_sign(story, "cleo", "waive_sod", "POL-0002", BO));
    assert_refused(story_do(story, "bo", "submit", "POL-0001", NULL), 422, "guard-failed");
    assert_done(story_sign(story, "cleo", "waive_sod", "POL-0001", BO));
    assert_done(story_do(story, "bo", "submit", "POL-0001", NULL));
    ballot = story_ballot(story, "bo", "approve", "POL-0001");
    /* Without the second, the first is over what it said before. */
    forgery = forgery_begin(story);
    forgery_remove(forgery, forgery_leaf(forgery, "record.waive_sod", RECORD "/waiver/2", 1));
    leaf = forgery_add(forgery, "record.approve", RECORD "/round/2/bo", "bo", "{}",
                       "{'': {'vote': 'grant'}, '" RECORD "/round/2': {'votes': {'bo': 'grant'}}}");
    leaf->body = *ballot.args;
    forgery_sign(forgery, leaf, "bo");
    forgery_is_found(&forgery, "VOTE_APART");
    /* The one of the other record, moved here. */
    forgery = forgery_begin(story);
    forgery_remove(forgery, forgery_leaf(forgery, "record.waive_sod", RECORD "/waiver/2", 1));
    leaf = forgery_leaf(forgery, "record.waive_sod", "POL-0002@1.0/waiver/1", 1);
    leaf->stream = slice_str(RECORD "/waiver/2");
    forgery_is_found(&forgery, "ACTOR_FORGED");
    story_end(story);
}

static void an_end_that_nobody_of_top_management_signed_is_found(void **state)
{
    struct story *story = with_a_round();
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    forgery = forgery_begin(story);
    forgery_leaf(forgery, "record.end_waiver", NULL, 1)->actor_sig = slice_of(NULL, 0);
    forgery_is_found(&forgery, "WAIVER_UNSIGNED");
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "record.end_waiver", NULL, 1);
    leaf->actor = slice_str("finn");
    forgery_sign(forgery, leaf, "finn");
    forgery_is_found(&forgery, "WAIVER_ROLE");
    story_end(story);
}

/* That the round goes on without somebody takes a waiver of theirs that was taken back, and no vote of theirs. */
static void a_round_that_goes_on_without_somebody_is_found(void **state)
{
    static const char *const without[] = {"{'barred': {'cleo': 1}}", "{'barred': {'bo': 1}}",
                                          "{'barred': {'bo': 2}}"};
    struct story *story = with_a_round();

    (void)state;
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        struct forgery *forgery = forgery_begin(story);
        struct leaf *leaf =
            forgery_add(forgery, "round.counted", ROUND, "engine", "{'round': 1}", "{}");

        leaf->effects = value_map();
        forgery_set(forgery, &leaf->effects, "", forgery_value(forgery, without[i]));
        forgery_is_found(&forgery, "ROUND_CHANGED");
    }
    story_end(story);
}

static void one_that_names_another_directory_or_pack_is_found(void **state)
{
    static const char *const types[] = {"record.waive_sod", "record.end_waiver",
                                        "delegation.given"};
    static const char *const facts[] = {"directory", "pack"};
    struct story *story = with_a_round();
    uint8_t zeroes[HASH_LEN] = {0};

    (void)state;
    assert_done(story_sign(story, "cleo", "end_waiver", "POL-0001", END));
    assert_done(story_sign(story, "cleo", "delegation.give", NULL,
                           "{'to': 'finn', 'reason': " STORY_REASON "}"));
    for (size_t i = 0; i < 6; i++) {
        struct forgery *forgery = forgery_begin(story);
        struct value *row =
            forgery_effect(forgery, forgery_leaf(forgery, types[i / 2], NULL, 1), "");
        struct value *under = value_at(row, slice_str("under"));

        if (under == NULL)
            under = value_at(value_at(row, slice_str("ended")), slice_str("under"));
        assert_non_null(under);
        forgery_set(forgery, under, facts[i % 2], value_bin(zeroes, HASH_LEN));
        forgery_is_found(&forgery, "DIRECTORY_DIGEST");
    }
    story_end(story);
}

/* An approval that keeps its reviewers apart by a rule of their own, and a waiver of another rule. */
static void a_waiver_of_another_rule_frees_from_no_approval(void **state)
{
    static const struct story_change reviewers_apart[] = {
        {"document.cfg", "expires = \"20 days\";",
         "expires = \"20 days\"; apart = (\"editors\", { who = \"reviewers\"; rule = \"SOD-4\"; "
         "});"},
        {NULL, NULL, NULL}};
    static const char *const people[] = {"amara", "bo", "cleo"};
    static const char *const rules[] = {"SOD-1", "SOD-4"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct story *story = story_begin_rooted();
        struct forgery *forgery;

        for (size_t k = 0; k < 3; k++)
            assert_done(story_enrol(story, people[k], people[k], 0, BOTH));
        assert_done(story_install_agreed(story, "amara", "For good.", reviewers_apart));
        assert_done(
            story_do(story, "amara", "open", NULL,
                     "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.', "
                     "'reviewers': ['bo'], 'places': [{'name': 'Hall', 'inside': true}]}}"));
        assert_done(story_sign(story, "cleo", "waive_sod", "POL-0001",
                               "{'rule': 'SOD-4', 'person': 'bo', " TEXTS "}"));
        assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
        assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
        forgery = forgery_begin(story);
        if (i == 0) {
            struct leaf *leaf = forgery_leaf(forgery, "record.waive_sod", NULL, 1);

            forgery_set(forgery, &leaf->body, "rule", value_str(rules[i]));
            forgery_set(forgery, forgery_effect(forgery, leaf, ""), "rule", value_str(rules[i]));
            forgery_is_found(&forgery, "VOTE_APART");
        } else {
            forgery_holds(&forgery);
        }
        story_end(story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vote_that_a_waiver_lets_pass_holds),
        cmocka_unit_test(what_was_decided_before_its_end_holds),
        cmocka_unit_test(a_vote_after_its_waiver_was_taken_back_is_found),
        cmocka_unit_test(a_waiver_that_is_written_otherwise_is_found),
        cmocka_unit_test(a_waiver_for_another_content_is_found),
        cmocka_unit_test(an_end_that_nobody_of_top_management_signed_is_found),
        cmocka_unit_test(a_waiver_of_another_rule_frees_from_no_approval),
        cmocka_unit_test(a_round_that_goes_on_without_somebody_is_found),
        cmocka_unit_test(one_that_names_another_directory_or_pack_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
