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

/* One after the other, the scores of each by its number: `change` makes every one another. */
static void add_risks(struct buf *text, int count, int change)
{
    buf_add_str(text, "[");
    for (int i = 1; i <= count; i++)
        buf_addf(
            text,
            "%s{\"risk_id\": \"RSK-%d\", \"title\": \"Risk number %d of the register\", \"asset\": "
            "\"Asset %d\", \"threat\": \"Somebody does what nobody should do\", "
            "\"vulnerability\": \"It was never looked at\", \"property\": [\"integrity\"], "
            "\"owner\": \"%s\", \"inherent_consequence\": 5, \"inherent_likelihood\": 5, "
            "\"residual_consequence\": %d, \"residual_likelihood\": 1, \"treatment\": "
            "\"retain\", \"rationale\": \"It costs more than it would save.\"}",
            i == 1 ? "" : ", ", i, i, i, i % 2 == 0 ? "pavel" : "henrik", 1 + (i + change) % 5);
    buf_add_str(text, "]");
}

/* What was one row for each risk in an entry goes by its hash, also where the engine computed it. */
static void a_register_of_hundreds_of_risks_is_one_result(void **state)
{
    struct buf text = BUF_EMPTY;
    const char *problem;
    bool is_right;

    (void)state;
    buf_add_str(&text,
                "ines open risk_assessment as risks {\"fields\": {\"assessors\": [\"omar\"], "
                "\"risks\": ");
    add_risks(&text, 401, 0);
    buf_add_str(&text,
                "}}\nrefused 422 guard-failed: ines submit risks\nines edit risks {\"risks\": ");
    add_risks(&text, 400, 0);
    buf_add_str(&text, "}\nines submit risks\npavel approve risks\nhenrik approve risks\n"
                       "amara approve risks\nstate risks in_force\n"
                       "ines decide_change risks {\"change\": \"major\"}\n"
                       "ines edit RAS-0001 {\"risks\": ");
    add_risks(&text, 400, 1);
    buf_add_str(&text, "}\nines submit RAS-0001\nfield RAS-0001 previous RAS-0001@1.0\n"
                       "pavel approve RAS-0001\nhenrik approve RAS-0001\namara approve RAS-0001\n"
                       "state RAS-0001 in_force\nstate RAS-0001@1.0 superseded\n");
    problem = problem_of(buf_text(&text), &is_right);
    if (!is_right)
        print_error("%s\n", problem);
    assert_true(is_right);
    buf_release(&text);
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
    static struct CMUnitTest tests[WALKS_MAX + 4] = {
        cmocka_unit_test(a_walk_that_goes_wrong_says_where_and_why),
        cmocka_unit_test(a_register_of_hundreds_of_risks_is_one_result),
        cmocka_unit_test(what_is_not_covered_is_told_and_what_is_listed_must_be_missing),
    };
    int count = 3 + add_walks(tests + 3), failed;

    coverage = coverage_new();
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_row_and_every_rule_is_walked);
    failed = _cmocka_run_group_tests("the shipped workflows", tests, (size_t)count, NULL, NULL);
    coverage_free(&coverage);
    globfree(&walks);
    return failed;
}
