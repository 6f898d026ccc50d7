/* test_story_forged_words.c - the words of a pack for people, its conditions and its numbers, followed by rota-verify from the pack's
 * own files: who has the engine asks somebody else than they mean, leaves out a stage, needs fewer, or lets somebody act who is
 * kept apart; each time with genuine keys of whoever helps him.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/forgery.h"

#define BOTH "root-1 root-2"
#define RECORD "POL-0001@1.0"
#define ROUND RECORD "/round/1"
#define PLACES "'places': [{'name': 'Hall', 'inside': true}]"
#define APPROVAL "ask = [\"top_management\"]; need = \"record.version.endsWith('.0') ? 2 : 1\";"
#define DAYS "expires = \"20 days\";"

/* A pack whose policies are approved so; everybody has a key. */
static struct story *with_approval(const char *approval, const char *apart)
{
    static const char *const people[] = {"amara", "bo", "cleo", "eve", "finn"};
    struct story *story = story_begin_rooted();
    const struct story_change changes[] = {
        {"document.cfg", APPROVAL, approval},
        {"document.cfg", DAYS, apart},
        {"document.cfg", "    count = {", "    about = { type = \"ref\"; };\n    count = {"},
        {NULL, NULL, NULL}};

    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
        assert_done(story_enrol(story, people[i], people[i], 0, BOTH));
    assert_done(story_install_agreed(story, "amara", "For good.", changes));
    return story;
}

static void open_policy(struct story *story, const char *who, const char *more)
{
    assert_done(story_do(story, who, "open", NULL,
                         arena_printf(story_arena(story),
                                      "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': "
                                      "'Lock them.', " PLACES "%s}}",
                                      more)));
}

static void holds(struct story *story)
{
    struct forgery *forgery = forgery_begin(story);

    forgery_holds(&forgery);
}

/* The round asks these people instead; `code` says what is wrong with it. */
static void asks_instead(struct story *story, const char *ask, const char *code)
{
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.submit", NULL, 1);

    forgery_set(forgery, forgery_effect(forgery, leaf, ROUND), "ask", forgery_value(forgery, ask));
    forgery_is_found(&forgery, code);
}

/* The same, and the one who is kept apart votes, under his own key. */
static void votes_all_the_same(struct story *story, const char *who)
{
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.submit", NULL, 1), *vote;
    struct question cast = story_ballot(story, "cleo", "approve", "POL-0001");
    struct arena *arena = story_arena(story);

    forgery_set(forgery, forgery_effect(forgery, leaf, ROUND), "ask",
                forgery_value(forgery, "['bo', 'cleo']"));
    vote = forgery_add(
        forgery, "record.approve", arena_printf(arena, ROUND "/%s", who), who, "{}",
        arena_printf(arena, "{'': {'vote': 'grant'}, '" ROUND "': {'votes': {'%s': 'grant'}}}",
                     who));
    vote->body = value_copy(arena, cast.args);
    forgery_set(forgery, forgery_effect(forgery, vote, ""), "digest",
                *value_get(cast.args, "digest"));
    forgery_sign(forgery, vote, who);
    forgery_is_found(&forgery, "VOTE_APART");
}

/* ---- people ---- */

static void somebody_who_is_not_the_manager_is_found(void **state)
{
    struct story *story =
        with_approval("ask = [\"manager_of:reviewers\"]; need = 1;", "expires = \"20 days\";");

    (void)state;
    open_policy(story, "amara", ", 'reviewers': ['finn']"); /* whose manager is eve */
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "eve", "approve", "POL-0001", NULL));
    holds(story);
    asks_instead(story, "['eve', 'bo']", "ROUND_OPENED");
    story_end(story);
}

static void who_had_a_hand_in_it_and_approves_is_found(void **state)
{
    struct story *story = with_approval(
        "ask = [\"top_management\"]; need = 1;",
        "expires = \"20 days\"; apart = ({ who = \"involved:12 months\"; rule = \"SOD-4\"; });");

    (void)state;
    open_policy(story, "amara", "");
    assert_done(story_do(story, "amara", "hand_over", "POL-0001",
                         "{'to': 'bo', 'reason': " STORY_REASON "}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    holds(story);
    votes_all_the_same(story, "bo");
    story_end(story);
}

static void who_owned_it_once_and_approves_is_found(void **state)
{
    struct story *story =
        with_approval("ask = [\"top_management\"]; need = 1;",
                      "expires = \"20 days\"; apart = ({ who = \"owner\"; rule = \"SOD-4\"; });");

    (void)state;
    open_policy(story, "amara", "");
    assert_done(story_do(story, "amara", "hand_over", "POL-0001",
                         "{'to': 'bo', 'reason': " STORY_REASON "}"));
    assert_done(story_do(story, "bo", "hand_over", "POL-0001",
                         "{'to': 'amara', 'reason': " STORY_REASON "}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    holds(story);
    votes_all_the_same(story, "bo");
    story_end(story);
}

/* By a field that names it without a version: all its versions are meant. */
static void who_wrote_what_it_is_about_and_approves_is_found(void **state)
{
    struct story *story = with_approval(
        "ask = [\"top_management\"]; need = 1;",
        "expires = \"20 days\"; apart = ({ who = \"author@about\"; rule = \"SOD-3\"; });");

    (void)state;
    open_policy(story, "amara", "");
    open_policy(story, "bo", "");
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'about': 'POL-0002'}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    holds(story);
    votes_all_the_same(story, "bo");
    story_end(story);
}

/* ---- conditions and numbers ---- */

#define STAGES                                                                                     \
    "stages = ( { name = \"top\"; ask = [\"top_management\"]; need = 1; },"                        \
    " { name = \"line\"; ask = [\"employee\"]; need = 1; after = []; when = \"record.grade == "    \
    "'high'"                                                                                       \
    " || !(record.count in [0, 1]) && record.count * 2 - 1 >= 9\"; } );"

static void a_stage_whose_condition_holds_and_that_is_left_out_is_found(void **state)
{
    static const char *const fields[] = {", 'grade': 'high'", ", 'grade': 'low', 'count': 5",
                                         ", 'grade': 'low', 'count': 4"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct story *story = with_approval(STAGES, "expires = \"20 days\";");
        struct forgery *forgery;
        struct value *round, *stages;

        open_policy(story, "amara", fields[i]);
        assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
        holds(story);
        forgery = forgery_begin(story);
        round = forgery_effect(forgery, forgery_leaf(forgery, "record.submit", NULL, 1), ROUND);
        stages = value_at(round, slice_str("stages"));
        if (i < 2) {
            assert_int_equal(stages->count, 2);
            stages->count = 1;
            forgery_is_found(&forgery, "ROUND_OPENED");
        } else {
            assert_true(stages == NULL || stages->count == 1);
            forgery_holds(&forgery);
        }
        story_end(story);
    }
}

static void a_number_that_a_long_expression_does_not_give_is_found(void **state)
{
    static const char *const need =
        "ask = [\"top_management\"]; need = \"record.grade == 'high' && (record.count > 2 || "
        "record.title.startsWith('D')) ? 2 : record.count in [7, 8] ? 2 : 1\";";
    struct story *story = with_approval(need, "expires = \"20 days\";");
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    open_policy(story, "amara", ", 'grade': 'high', 'count': 1");
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    holds(story);
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "record.submit", NULL, 1);
    forgery_set(forgery, forgery_effect(forgery, leaf, ROUND), "need", value_int(1));
    forgery_is_found(&forgery, "ROUND_OPENED");
    story_end(story);
}

/* ---- what is no vote ---- */

static void who_accepts_his_own_work_without_a_waiver_for_it_is_found(void **state)
{
    struct story *story = with_approval(APPROVAL, DAYS);
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Mend the door', 'fields': {'task': 'Mend "
                         "it.', 'assignee': 'amara', 'due': '2026-04-01', 'result': 'Mended.'}}"));
    assert_done(story_do(story, "amara", "finish", "ACT-0001", NULL));
    assert_done(story_sign(story, "bo", "waive_sod", "ACT-0001",
                           "{'rule': 'SOD-4', 'person': 'amara', 'reason': " STORY_REASON
                           ", 'check': " STORY_REASON "}"));
    assert_done(story_do(story, "amara", "accept", "ACT-0001", NULL));
    holds(story);
    forgery = forgery_begin(story);
    forgery_remove(forgery, forgery_leaf(forgery, "record.waive_sod", NULL, 1));
    leaf = forgery_leaf(forgery, "record.accept", NULL, 1);
    value_remove(forgery_effect(forgery, leaf, ""), slice_str("waived"));
    value_remove(&leaf->effects, slice_str("ACT-0001/waiver/1"));
    forgery_is_found(&forgery, "MOVE_APART");
    story_end(story);
}

static void who_is_named_and_had_a_hand_in_it_is_found(void **state)
{
    struct story *story = with_approval("ask = [\"top_management\"]; need = 1;", DAYS);
    struct forgery *forgery;
    struct value *fields;

    (void)state;
    open_policy(story, "amara", "");
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'inspection', 'title': 'Doors', 'fields': {'inspectors': "
                         "['dana'], 'subjects': ['POL-0001']}}"));
    assert_done(story_do(story, "dana", "begin", "INS-0001", NULL));
    holds(story);
    forgery = forgery_begin(story);
    fields =
        value_at(forgery_effect(forgery, forgery_leaf(forgery, "record.open", "INS-0001", 1), ""),
                 slice_str("fields"));
    forgery_set(forgery, fields, "inspectors", forgery_value(forgery, "['dana', 'eve']"));
    forgery_is_found(&forgery, "MOVE_APART");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_who_is_not_the_manager_is_found),
        cmocka_unit_test(who_had_a_hand_in_it_and_approves_is_found),
        cmocka_unit_test(who_owned_it_once_and_approves_is_found),
        cmocka_unit_test(who_wrote_what_it_is_about_and_approves_is_found),
        cmocka_unit_test(a_stage_whose_condition_holds_and_that_is_left_out_is_found),
        cmocka_unit_test(a_number_that_a_long_expression_does_not_give_is_found),
        cmocka_unit_test(who_accepts_his_own_work_without_a_waiver_for_it_is_found),
        cmocka_unit_test(who_is_named_and_had_a_hand_in_it_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
