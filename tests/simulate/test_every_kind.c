/* test_every_kind.c - one record of every kind that a person of the sample organisation may open, nothing but a title in it,
 * and two years: people fill in what is asked for and lead it on. Whatever the pack grows into, what must hold holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <unistd.h>

#include "definition/pack.h"
#include "simulate/years.h"

#define BEGINNING "start = \"2026-01-05\"; for = \"2 years\"; "

/* The first person who holds a role that may open it; NULL: only the engine opens these. */
static const char *opener_of(const struct scenario *scenario, const struct kind *kind)
{
    for (int w = 0; w < kind->create.count; w++) {
        for (int p = 0; p < scenario->people.count; p++) {
            const struct person_entry *person = &scenario->people.at[p];

            if (!person->is_worker && words_have(&person->roles, slice_str(kind->create.at[w])))
                return person->name;
        }
    }
    return NULL;
}

/* The scenario's text; `count`: how many records it opens. */
static char *one_of_each(struct arena *arena, int *count)
{
    const char *path = years_file(arena, BEGINNING);
    struct problems problems = PROBLEMS_EMPTY;
    struct scenario scenario;
    struct buf text = BUF_EMPTY;
    char *own;

    assert_int_equal(scenario_load(path, NULL, NULL, &scenario, &problems, NULL), 0);
    unlink(path);
    *count = 0;
    buf_add_str(&text, BEGINNING "open = (");
    for (int k = 0; k < scenario.pack->kind_count; k++) {
        const struct kind *kind = &scenario.pack->kinds[k];
        const char *who = opener_of(&scenario, kind);

        if (who == NULL)
            continue;
        buf_addf(&text, "%s\n  { kind = \"%s\"; title = \"One %s\"; by = \"%s\"; }",
                 *count > 0 ? "," : "", kind->name, kind->title, who);
        *count += 1;
    }
    buf_add_str(&text, "\n);\n");
    own = arena_str(arena, buf_text(&text));
    buf_release(&text);
    scenario_release(&scenario);
    problems_release(&problems);
    return own;
}

static int left_the_first_state(const struct years *years, struct arena *arena)
{
    struct problems problems = PROBLEMS_EMPTY;
    struct pack *pack = NULL;
    int moved = 0;

    assert_int_equal(
        pack_load(arena_printf(arena, "%s/workflows", years_source()), &pack, &problems, NULL), 0);
    for (int k = 0; k < pack->kind_count; k++) {
        const struct kind *kind = &pack->kinds[k];
        bool has_moved = false;

        for (int s = 0; s < years->tally.state_count; s++) {
            const struct tally_state *one = &years->tally.states[s];

            has_moved = has_moved || (strcmp(one->kind, kind->name) == 0 &&
                                      strcmp(one->state, kind->lifecycle->states[0].name) != 0);
        }
        moved += has_moved;
    }
    pack_free(&pack);
    problems_release(&problems);
    return moved;
}

static void every_kind_is_lived_through_and_what_must_hold_holds(void **state)
{
    struct arena arena = ARENA_EMPTY;
    int count;
    char *scenario = one_of_each(&arena, &count);

    (void)state;
    assert_true(count >= 15);
    for (int64_t seed = 1; seed <= 3; seed++) {
        struct years *years = years_live(scenario, seed);

        if (years->status != 0)
            print_error("%s\n", years->err.text);
        assert_int_equal(years->status, 0);
        assert_true(years_count(years, HAPPENED_OPENED, NULL, NULL) >= count);
        assert_true(left_the_first_state(years, &arena) * 2 >= count);
        years_end(years);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_lived_through_and_what_must_hold_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
