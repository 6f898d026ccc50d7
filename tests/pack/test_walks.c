/* test_walks.c - every walk of tests/pack/walks over the workflows that are shipped; then: was anything of them never
 * walked?
 *
 * walks/PENDING lists kinds ("finding") and rules ("rule I4.1") that nobody has walked through yet: what is in it and is
 * covered ends the test too, so that the list only shrinks. WALK=part-of-a-name plays some walks alone, and says what they
 * leave uncovered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "pack/coverage.h"
#include "pack/walk.h"

enum { WALKS_MAX = 500 };

static struct coverage *coverage;
static glob_t walks;

static const char *problem_of(const char *text, bool *is_right)
{
    static char problem[2048];
    struct walk *walk = walk_begin();

    *is_right = walk_play(walk, "a.walk", text);
    snprintf(problem, sizeof problem, "%s", walk_problem(walk));
    walk_end(walk);
    return problem;
}

static void a_walk_that_goes_wrong_says_where_and_why(void **state)
{
    static const char *const wrongs[][2] = {
        {"# nothing\nines dance\n", "a.walk:2: \"ines dance\" is no step; see walk.h"},
        {"ines open poem\n", "a.walk:1: tests/pack/records/poem.json cannot be read"},
        {"count poem 0\n", "a.walk:1: there is no kind poem"},
        {"count finding 1\n", "a.walk:1: there are 0 records of finding, not 1"},
        {"state FND-0001 open\n", "a.walk:1: there is no record FND-0001"},
        {"exists finding\n", "a.walk:1: no such finding was started"},
        {"ines submit SCP-0001\n", "a.walk:1: 404 no-record: There is no record SCP-0001. `rota "
                                   "list` shows those that exist."},
        {"refused 403 not-allowed: ines submit SCP-0001\n",
         "a.walk:1: 404 no-record: There is no record SCP-0001. `rota list` shows those that "
         "exist."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        bool is_right;

        assert_string_equal(problem_of(wrongs[i][0], &is_right), wrongs[i][1]);
        assert_false(is_right);
    }
}

static void what_is_not_covered_is_told_and_what_is_listed_must_be_missing(void **state)
{
    struct walk *walk = walk_begin();
    const struct pack *pack = core_current_pack(story_core(walk_story(walk)));
    struct coverage *nothing = coverage_new();
    struct buf out = BUF_EMPTY;

    (void)state;
    assert_true(coverage_check(nothing, pack, "", &out) > pack->kind_count + pack->rule_count);
    assert_non_null(strstr(buf_text(&out), "scope_statement: nobody went through submit to draft"));
    assert_non_null(strstr(buf_text(&out), "rule I4.1 finding.confirm never fired"));
    buf_clear(&out);
    coverage_check(nothing, pack, "scope_statement\nrule I4.1\nfindling\n", &out);
    assert_null(strstr(buf_text(&out), "scope_statement: nobody"));
    assert_null(strstr(buf_text(&out), "rule I4.1 "));
    assert_non_null(strstr(buf_text(&out), "PENDING: the pack has no \"findling\""));
    buf_release(&out);
    coverage_free(&nothing);
    walk_end(walk);
}

/* Where a walk stood when an expectation deeper down ended it. */
static int say_where(void **state)
{
    if (*state != NULL)
        print_error("stopped at %s\n", walk_problem(*state));
    return 0;
}

static void play_file(void **state)
{
    const char *path = *state;
    struct walk *walk = walk_begin();
    const char *text = walk_text(story_arena(walk_story(walk)), path);

    assert_non_null(text);
    *state = walk;
    if (!walk_play(walk, path, text))
        fail(); /* say_where() says */
    coverage_add(coverage, walk_story(walk), path);
    *state = NULL;
    walk_end(walk);
}

static void every_row_and_every_rule_is_walked(void **state)
{
    struct walk *walk = walk_begin();
    const struct pack *pack = core_current_pack(story_core(walk_story(walk)));
    const char *pending = walk_text(story_arena(walk_story(walk)), "tests/pack/walks/PENDING");
    struct buf out = BUF_EMPTY;
    int missing;

    (void)state;
    if (getenv("WALK") != NULL) {
        coverage_show(coverage, pack, &out);
        fputs(buf_text(&out), stdout);
        missing = 0;
    } else {
        missing = coverage_check(coverage, pack, pending != NULL ? pending : "", &out);
        fputs(buf_text(&out), stdout); /* longer than print_error() would show */
    }
    buf_release(&out);
    walk_end(walk);
    assert_int_equal(missing, 0);
}

static int add_walks(struct CMUnitTest *tests)
{
    const char *root = getenv("ROTA_SOURCE"), *wanted = getenv("WALK");
    char pattern[4096];
    int count = 0;

    snprintf(pattern, sizeof pattern, "%s/tests/pack/walks/*.walk", root != NULL ? root : ".");
    if (glob(pattern, 0, NULL, &walks) != 0)
        return 0;
    for (size_t i = 0; i < walks.gl_pathc && count < WALKS_MAX; i++) {
        char *path = strstr(walks.gl_pathv[i], "tests/pack/walks/");

        if (wanted == NULL || strstr(path, wanted) != NULL)
            tests[count++] = (struct CMUnitTest){path, play_file, NULL, say_where, path};
    }
    return count;
}

int main(void)
{
    static struct CMUnitTest tests[WALKS_MAX + 3] = {
        cmocka_unit_test(a_walk_that_goes_wrong_says_where_and_why),
        cmocka_unit_test(what_is_not_covered_is_told_and_what_is_listed_must_be_missing),
    };
    int count = 2 + add_walks(tests + 2), failed;

    coverage = coverage_new();
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_row_and_every_rule_is_walked);
    failed = _cmocka_run_group_tests("the shipped workflows", tests, (size_t)count, NULL, NULL);
    coverage_free(&coverage);
    globfree(&walks);
    return failed;
}
