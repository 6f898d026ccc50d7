/* test_story_security.c - attempts, as stories: self-approval in its disguises (SEC-5), and the votes on two versions of one
 * text crossing each other, by the thousand (SEC-7). Everybody tries everything in test_matrix.c (SEC-4).
 *
 * Each attempt is refused; is one leaf, under the name of who tried, where a rule refused it; and leaves every row as it
 * was but the one that counts refusals (look, and only_refused).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "core/story.h"

/* ---- what must not change ---- */

struct before {
    uint64_t size;
    uint8_t rows[HASH_LEN];
};

/* Every row of the state but refusal/WHO; and without `last`, the chain by which a record's page finds the attempt. */
static void hash_rows(struct story *story, const char *who, uint8_t out[HASH_LEN])
{
    const char *own = arena_printf(story_arena(story), "refusal/%s", who);
    struct buf bytes = BUF_EMPTY;
    struct value rows;

    assert_true(state_rows(core_state(story_core(story)), slice_of("", 0), UINT32_MAX, &rows));
    for (uint32_t i = 0; i < rows.count; i++) {
        struct value row = value_copy(story_arena(story), &rows.as.items[i]);
        struct value *facts = value_sub(story_arena(story), &row, slice_str("row"));

        value_set(story_arena(story), facts, "last", value_int(0));
        if (!slice_is(value_get_text(&row, "key"), own))
            dmp_encode(&bytes, &row);
    }
    hash_bytes(buf_slice(&bytes), out);
    buf_release(&bytes);
    core_drop(story_core(story));
}

static struct before look(struct story *story, const char *who)
{
    struct before before = {.size = story_size(story)};

    hash_rows(story, who, before.rows);
    return before;
}

/* `code` "": by no rule, so it is not written down either. */
static void only_refused(struct story *story, const char *who, struct before before,
                         const char *code)
{
    uint8_t rows[HASH_LEN];
    struct leaf leaf;

    hash_rows(story, who, rows);
    assert_memory_equal(rows, before.rows, HASH_LEN);
    assert_int_equal(story_size(story), before.size + (code[0] != '\0' ? 1 : 0));
    if (code[0] == '\0')
        return;
    leaf = story_leaf(story, before.size);
    assert_string_equal(story_leaf_type(story, 0),
                        arena_printf(story_arena(story), "refusal.%s", code));
    assert_true(slice_is(leaf.actor, who));
}

static void signs_in_vain(struct story *story, const char *who, const char *record,
                          const char *args)
{
    struct before before = look(story, who);

    assert_refused(story_sign(story, who, "approve", record, args), 403, "separation-of-duties");
    only_refused(story, who, before, "separation-of-duties");
}

/* ---- SEC-5 ---- */

static const char *key_of(struct story *story, const char *who)
{
    uint8_t seed[SIGN_SEED_LEN] = {0}, key[SIGN_KEY_LEN];
    char *hex = arena_take(story_arena(story), 2 * SIGN_KEY_LEN + 1);

    memcpy(seed, who, strlen(who));
    sign_public_key(seed, key);
    hex_encode(slice_of(key, SIGN_KEY_LEN), hex);
    return hex;
}

static int entered(struct story *story, const char *who, const char *roles, const char *key)
{
    return story_put_people(
        story, "amara",
        arena_printf(story_arena(story),
                     "{'people': [{'name': '%s', 'kind': 'person', 'roles': [%s], "
                     "'sign': 'hex:%s'}]}",
                     who, roles, key));
}

#define POLICY                                                                                     \
    "{'kind': 'policy', 'title': 'Clean desk', 'owner': 'bo', 'fields': {'text': 'Lock it "        \
    "away.', 'places': [{'name': 'Lyon', 'inside': true}]}}"

/* Three of top management, and a policy that amara wrote and bo, one of them, owns. */
static struct story *with_policy(void)
{
    struct story *story = story_begin();

    assert_done(entered(story, "dana", "'top_management'", key_of(story, "dana")));
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    return story;
}

static void SEC_5_who_changed_a_field_on_submitting_is_an_editor(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "bo", "submit", "POL-0001", "{'set': {'count': 4}}"));
    signs_in_vain(story, "bo", "POL-0001", NULL);
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    signs_in_vain(story, "bo", "POL-0001", NULL);
    assert_done(story_sign(story, "dana", "approve", "POL-0001", NULL));
    story_end(story);
}

static void SEC_5_an_edit_of_long_ago_counts_in_every_round(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 4}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'count': 5}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    signs_in_vain(story, "bo", "POL-0001", NULL);
    story_end(story);
}

/* To and from oneself, through a third: whoever the right belongs to, whoever uses it, and who stands between. */
static void SEC_5_no_delegation_leads_around_it(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "bo", "edit", "POL-0001", "{'set': {'count': 4}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "delegation.give", NULL,
                           "{'to': 'finn', 'reason': " STORY_REASON "}"));
    signs_in_vain(story, "finn", "POL-0001", "{'for': 'bo'}");
    assert_done(story_sign(story, "cleo", "delegation.give", NULL,
                           "{'to': 'gwen', 'onward': true, 'reason': " STORY_REASON "}"));
    assert_done(story_sign(story, "gwen", "delegation.give", NULL,
                           "{'to': 'amara', 'reason': " STORY_REASON "}"));
    signs_in_vain(story, "amara", "POL-0001", "{'for': 'cleo'}");
    assert_refused(story_sign(story, "finn", "delegation.give", NULL,
                              "{'to': 'bo', 'reason': " STORY_REASON "}"),
                   409, "wrong-state");
    assert_done(story_sign(story, "dana", "delegation.give", NULL,
                           "{'to': 'bo', 'reason': " STORY_REASON "}"));
    signs_in_vain(story, "bo", "POL-0001", "{'for': 'dana'}");
    story_end(story);
}

static void SEC_5_a_role_given_in_mid_flight_makes_nobody_independent(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(
        entered(story, "amara", "'isms_manager', 'top_management'", key_of(story, "amara")));
    signs_in_vain(story, "amara", "POL-0001", NULL);
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'count': 5}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    signs_in_vain(story, "amara", "POL-0001", NULL);
    /* And it is taken away again: who wrote it is kept by name. */
    assert_done(entered(story, "amara", "'isms_manager'", key_of(story, "amara")));
    signs_in_vain(story, "amara", "POL-0001", NULL);
    story_end(story);
}

static void SEC_5_another_key_of_the_same_person_is_the_same_person(void **state)
{
    struct story *story = with_policy();
    struct before before;

    (void)state;
    assert_done(story_do(story, "bo", "submit", "POL-0001", "{'set': {'count': 4}}"));
    assert_done(entered(story, "bo", "'top_management'", key_of(story, "bo-second")));
    before = look(story, "bo");
    assert_refused(story_sign_by(story, "bo", "bo-second", "approve", "POL-0001"), 403,
                   "separation-of-duties");
    only_refused(story, "bo", before, "separation-of-duties");
    story_end(story);
}

/* One key, two names: who holds it would be both of them. */
static void SEC_5_no_key_is_two_peoples(void **state)
{
    struct story *story = with_policy();
    struct before before;

    (void)state;
    before = look(story, "amara");
    assert_refused(entered(story, "hugo", "'top_management'", key_of(story, "bo")), 422,
                   "guard-failed");
    assert_non_null(strstr(story_sentence(story), "signing key of hugo is that of bo as well"));
    only_refused(story, "amara", before, "");
    assert_refused(
        story_do(story, "amara", "directory.install", NULL,
                 "{'people': [{'name': 'hugo', 'kind': 'person', 'transport': ['hex:0102']},"
                 " {'name': 'ivo', 'kind': 'worker', 'transport': ['hex:0304', 'hex:0102']}]}"),
        422, "guard-failed");
    assert_refused(story_do(story, "amara", "directory.install", NULL,
                            "{'people': [{'name': 'hugo', 'kind': 'person', 'uid': 1000},"
                            " {'name': 'ivo', 'kind': 'person', 'uid': 1000}]}"),
                   422, "guard-failed");
    only_refused(story, "amara", before, "");
    /* It may pass from one to the other in one entry. */
    assert_done(story_do(story, "amara", "directory.install", NULL,
                         arena_printf(story_arena(story),
                                      "{'people': [{'name': 'hugo', 'kind': 'person', 'sign': "
                                      "'hex:%s'}, {'name': 'bo', 'kind': 'person'}]}",
                                      key_of(story, "bo"))));
    story_end(story);
}

static void SEC_5_no_enrolment_gives_one_key_to_two(void **state)
{
    struct story *story = story_begin_rooted();
    struct before before;

    (void)state;
    assert_done(story_enrol(story, "bo", "bo", 0, "root-1 root-2"));
    before = look(story, "amara");
    assert_refused(story_enrol(story, "cleo", "bo", 0, "root-1 root-2"), 422, "guard-failed");
    only_refused(story, "amara", before, "");
    /* Nor one that was another's before: what it has signed was said by them. */
    assert_done(story_enrol(story, "bo", "bo-second", 1, "bo"));
    before = look(story, "amara");
    assert_refused(story_enrol(story, "cleo", "bo", 0, "root-1 root-2"), 422, "guard-failed");
    only_refused(story, "amara", before, "");
    assert_done(story_enrol(story, "bo", "bo", 2, "bo-second"));
    assert_done(story_enrol(story, "cleo", "cleo", 0, "root-1 root-2"));
    story_end(story);
}

/* Two policies go together: in the round of the one bo is asked, of the other he is an editor. */
static void SEC_5_a_bundle_carries_nobodys_own_past_him(void **state)
{
    struct story *story = with_policy();
    const char *also;
    struct before before;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, POLICY));
    assert_done(story_do(story, "bo", "edit", "POL-0002", "{'set': {'count': 4}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", "{'with': ['POL-0002']}"));
    signs_in_vain(story, "bo", "POL-0002", NULL);
    also = "{'also': [{'record': 'POL-0002@1.0', 'args': {'round': 1}, 'signature': 'hex:00'}]}";
    before = look(story, "bo");
    assert_true(story_sign(story, "bo", "approve", "POL-0001", also) != 200);
    only_refused(story, "bo", before, story_size(story) > before.size ? story_code(story) : "");
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_null(value_get(value_get(story_row(story, "POL-0002@1.0/round/1"), "votes"), "bo"));
    story_end(story);
}

/* ---- SEC-7 ---- */

enum { CROSSINGS = 1000 /* with two old votes each */, TEXT_SIZE = 80 };

static void edited_and_submitted(struct story *story, int version)
{
    char set[TEXT_SIZE];

    snprintf(set, sizeof set, "{'set': {'text': 'Version %d.'}}", version);
    assert_done(story_do(story, "amara", "edit", "POL-0001", set));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
}

/* As the row says it: the page would tell of a thousand rounds, each time. */
static bool is_draft(struct story *story)
{
    return slice_is(value_get_text(story_row(story, "POL-0001@1.0"), "state"), "draft");
}

/* Signed while version 3 stood there; cast when version 4 does. */
static void old_vote_is_refused(struct story *story, struct question *vote)
{
    uint64_t size = story_size(story);

    assert_refused(story_cast(story, vote), 409, "stale-content");
    assert_int_equal(story_size(story), size);
    assert_true(is_draft(story));
}

static void SEC_7_a_vote_on_version_3_never_counts_for_version_4_in_either_order(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock it "
                         "away.', 'places': [{'name': 'Lyon', 'inside': true}]}}"));
    for (int i = 0; i < CROSSINGS; i++) {
        struct question of_3, of_4, also_of_3;

        edited_and_submitted(story, 2 * i);
        of_3 = story_ballot(story, "bo", "approve", "POL-0001");
        also_of_3 = story_ballot(story, "cleo", "approve", "POL-0001");
        edited_and_submitted(story, 2 * i + 1);
        of_4 = story_ballot(story, "bo", "approve", "POL-0001");
        if (i % 2 == 0)
            old_vote_is_refused(story, &of_3);
        assert_done(story_cast(story, &of_4));
        /* One of two has voted for version 4; a second vote for 3 does not complete it. */
        old_vote_is_refused(story, &also_of_3);
        if (i % 2 == 1)
            assert_true(story_cast(story, &of_3) == 409);
        assert_true(is_draft(story));
    }
    story_end(story);
}

/* ---- streams hold what is put together in them ---- */

#define LONGEST                                                                                    \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl" /* 64 characters */

static const char LONG_POLICY[] =
    "{'kind': 'policy', 'title': 'P', 'fields': {'text': 'So be it.', 'places': [{'name': 'Lyon', "
    "'inside': true}]}}";

/* Somebody of the longest name is there, with this role; and the next policy has the last number of ten digits. */
static struct story *with_the_longest(const char *role)
{
    static const struct story_change prefix[] = {
        {"document.cfg", "prefix = \"POL\"", "prefix = \"POLICIES\""}, {NULL, NULL, NULL}};
    struct story *story = story_begin();
    struct value effects = value_map(), counter = value_map();

    assert_done(story_install_agreed(story, "amara", "For good.", prefix));
    assert_done(story_put_people(
        story, "amara",
        arena_printf(story_arena(story),
                     "{'people': [{'name': '%s', 'kind': 'person', 'roles': ['%s']}]}", LONGEST,
                     role)));
    value_set(story_arena(story), &counter, "n", value_int(INT64_C(9999999998)));
    value_set(story_arena(story), &effects, "next/POLICIES", counter);
    story_put(story, &effects);
    return story;
}

static void the_longest_name_beside_the_longest_id_has_a_stream(void **state)
{
    struct story *story = with_the_longest("external_auditor");
    const char *record = "POLICIES-9999999999@1.0";
    struct question question = {.kind = QUESTION_READ,
                                .seq = story_size(story) + 1,
                                .now_us = INT64_C(1772438400000000),
                                .principal = slice_str(LONGEST),
                                .auth_method = slice_str("curve"),
                                .command = slice_str("show"),
                                .record = slice_str(record)};
    struct run run;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, LONG_POLICY));
    question.seq = story_size(story);
    assert_int_equal(core_decide(story_core(story), &question, &run), 0);
    assert_int_equal(run.leaf_count, 1);
    assert_true(run.leaves[0].leaf.stream.len > 64 + 23);
    core_drop(story_core(story));
    story_drop(story);
}

/* No counter is ever so large, unless somebody wrote in the stored state. */
static void an_id_that_no_stream_could_hold_is_refused_where_it_enters(void **state)
{
    struct story *story = with_the_longest("employee");
    struct value effects = value_map(), counter = value_map();

    (void)state;
    value_set(story_arena(story), &counter, "n", value_int(INT64_C(1000000000000000000)));
    value_set(story_arena(story), &effects, "next/POLICIES", counter);
    story_put(story, &effects);
    assert_refused(story_do(story, "amara", "open", NULL, LONG_POLICY), 413, "too-large");
    assert_false(story_has_row(story, "POLICIES-1000000000000000001@1.0"));
    story_drop(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(SEC_5_who_changed_a_field_on_submitting_is_an_editor),
        cmocka_unit_test(SEC_5_an_edit_of_long_ago_counts_in_every_round),
        cmocka_unit_test(SEC_5_no_delegation_leads_around_it),
        cmocka_unit_test(SEC_5_a_role_given_in_mid_flight_makes_nobody_independent),
        cmocka_unit_test(SEC_5_another_key_of_the_same_person_is_the_same_person),
        cmocka_unit_test(SEC_5_no_key_is_two_peoples),
        cmocka_unit_test(SEC_5_no_enrolment_gives_one_key_to_two),
        cmocka_unit_test(SEC_5_a_bundle_carries_nobodys_own_past_him),
        cmocka_unit_test(the_longest_name_beside_the_longest_id_has_a_stream),
        cmocka_unit_test(an_id_that_no_stream_could_hold_is_refused_where_it_enters),
        cmocka_unit_test(SEC_7_a_vote_on_version_3_never_counts_for_version_4_in_either_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
