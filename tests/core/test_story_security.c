/* test_story_security.c - attempts, as stories: the votes on two versions of one text crossing each other, by the thousand
 * (SEC-7). Everybody tries everything in test_matrix.c (SEC-4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/inside.h"
#include "core/story.h"

/* ---- SEC-7 ---- */

enum { CROSSINGS = 500 /* with two old votes each */, TEXT_SIZE = 80 };

static void edited_and_submitted(struct story *story, int version)
{
    char set[TEXT_SIZE];

    snprintf(set, sizeof set, "{'set': {'text': 'Version %d.'}}", version);
    assert_done(story_do(story, "amara", "edit", "POL-0001", set));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
}

/* Signed while version 3 stood there; cast when version 4 does. */
static void old_vote_is_refused(struct story *story, struct question *vote)
{
    uint64_t size = story_size(story);

    assert_refused(story_cast(story, vote), 409, "stale-content");
    assert_int_equal(story_size(story), size);
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
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
        assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    }
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(SEC_7_a_vote_on_version_3_never_counts_for_version_4_in_either_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
