/* test_scenario.c - what is wrong with a scenario is said with its place and the nearest right name; the reference in
 * tools/simulate/README.md is the tables'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "simulate/years.h"

/* What is said of a scenario; the lines begin at 3, after the pack and the directory. */
static char *complaint(struct arena *arena, const char *rest)
{
    const char *path = years_file(arena, rest);
    struct problems problems = PROBLEMS_EMPTY;
    struct error err = {ERROR_NONE, ""};
    struct scenario scenario;
    struct buf shown = BUF_EMPTY;
    char *text;

    assert_int_equal(scenario_load(path, NULL, NULL, &scenario, &problems, &err), -1);
    problems_show(&problems, &shown);
    buf_add_str(&shown, err.text);
    text = arena_str(arena, buf_text(&shown));
    for (size_t len = strlen(path);
         strstr(text, path) != NULL;) { /* the path is another each time */
        char *at = strstr(text, path);

        memmove(at, at + len, strlen(at + len) + 1);
    }
    buf_release(&shown);
    scenario_release(&scenario);
    problems_release(&problems);
    unlink(path);
    return text;
}

static void expect(const char *rest, const char *wanted)
{
    struct arena arena = ARENA_EMPTY;
    char *text = complaint(&arena, rest);

    if (strstr(text, wanted) == NULL)
        print_error("wanted: %s\ngot: %s\n", wanted, text);
    assert_non_null(strstr(text, wanted));
    arena_release(&arena);
}

#define RIGHT "start = \"2027-01-04\"; for = \"1 years\";\n"

static void each_mistake_has_its_place_and_its_remedy(void **state)
{
    (void)state;
    expect("start = \"2027-01-04\";", "the scenario needs 'for'");
    expect(RIGHT "opne = ();", ":4: a scenario has no setting 'opne'; did you mean 'open'?");
    expect("start = \"2027-13-04\"; for = \"1 years\";", ":3: \"2027-13-04\" is no day");
    expect("start = \"2027-01-04\"; for = \"a while\";",
           ":3: 'for': \"a while\" is not a span of time");
    expect("start = \"2027-01-04\"; for = \"60 years\";", ":3: more than 50 years");
    expect(RIGHT "absent = (\n { who = \"paval\"; from = \"2027-02-01\"; to = \"2027-02-02\"; } );",
           ":5: no person is called 'paval'; did you mean 'pavel'?");
    expect(RIGHT
           "absent = (\n { who = \"pavel\"; from = \"2027-02-05\";\n to = \"2027-02-02\"; } );",
           ":6: 2027-02-02 is before 2027-02-05");
    expect(RIGHT "workers = (\n { name = \"pavel\"; } );", ":5: no worker is called 'pavel'");
    expect(RIGHT "workers = (\n { name = \"exec-worker\"; success = 101; } );",
           ":5: 'success': a percentage is 0 to 100");
    expect(RIGHT "people = (\n { kind = \"findng\"; } );",
           ":5: no kind or lifecycle is called 'findng'; did you mean 'finding'?");
    expect(RIGHT "people = (\n { kind = \"finding\"; event = \"reafirm\"; } );",
           ":5: no event is called 'reafirm' there");
    expect(RIGHT "people = (\n { kind = \"finding\"; event = \"confirn\"; } );",
           ":5: no event is called 'confirn' there; did you mean 'confirm'?");
    expect(RIGHT "people = (\n { state = \"in_farce\"; } );",
           ":5: no state is called 'in_farce' there; did you mean 'in_force'?");
    expect(RIGHT "people = (\n { after = \"soon\"; } );", ":5: \"soon\" is not a span of time");
    expect(RIGHT "fill = (\n { kind = \"finding\"; set = { corection = \"x\"; }; } );",
           ":5: no field is called 'corection' there; did you mean 'correction'?");
    expect(
        RIGHT
        "open = (\n { kind = \"action\"; title = \"A\"; by = \"ines\"; at = \"2026-02-02\"; } );",
        ":5: 2026-02-02 is before the start, 2027-01-04");
    expect(RIGHT "open = (\n { kind = \"action\"; by = \"ines\"; } );", ":5: it needs a 'title'");
    expect(RIGHT "open = (\n { file = \"nowhere.cfg\"; by = \"ines\"; } );",
           "nowhere.cfg cannot be read");
    expect(RIGHT "open = (\n { kind = \"action\"; title = \"A\"; by = \"ines\"; fields = { taks = "
                 "\"x\"; }; } );",
           ":5: no field is called 'taks' there; did you mean 'task'?");
    expect(RIGHT
           "do = (\n { at = \"tomorrow\"; who = \"ines\"; event = \"submit\"; record = \"X\"; } );",
           ":5: \"tomorrow\" is no moment");
    expect(RIGHT
           "joins = (\n { on = \"2027-02-02\"; name = \"noor\"; roles = [\"isms_manger\"]; } );",
           ":5: the pack has no role 'isms_manger'; did you mean 'isms_manager'?");
    expect(RIGHT "joins = (\n { on = \"2027-02-02\"; name = \"bo\"; roles = []; } );",
           ":5: 'bo' is in the directory already");
    expect(RIGHT "origin = \"real.example/isms\";", ":4: an origin ends in /virtual");
    expect(RIGHT "open = (", ":5: syntax error");
}

static void all_mistakes_are_told_at_once(void **state)
{
    struct arena arena = ARENA_EMPTY;
    char *text =
        complaint(&arena, RIGHT "leaves = ( { who = \"nobody\"; on = \"2027-02-02\"; } );\n"
                                "absent = ( { who = \"amara\"; from = \"x\"; to = \"y\"; } );");

    (void)state;
    assert_non_null(strstr(text, ":4: no person is called 'nobody'"));
    assert_non_null(strstr(text, ":5: \"x\" is no moment"));
    assert_non_null(strstr(text, ":5: \"y\" is no moment"));
    arena_release(&arena);
}

static void the_reference_is_made_from_the_tables(void **state)
{
    struct buf tables = BUF_EMPTY, page = BUF_EMPTY;
    const char *root = getenv("ROTA_SOURCE");
    char path[4096], part[4096];
    size_t len;
    FILE *file;

    (void)state;
    snprintf(path, sizeof path, "%s/tools/simulate/README.md", root != NULL ? root : ".");
    file = fopen(path, "rb");
    assert_non_null(file);
    while ((len = fread(part, 1, sizeof part, file)) > 0)
        buf_add(&page, part, len);
    fclose(file);
    scenario_reference(&tables);
    if (strstr(buf_text(&page), buf_text(&tables)) == NULL)
        print_error("tools/simulate/README.md should hold:\n%s", buf_text(&tables));
    assert_non_null(strstr(buf_text(&page), buf_text(&tables)));
    buf_release(&tables);
    buf_release(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_has_its_place_and_its_remedy),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(the_reference_is_made_from_the_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
