/* The evaluator by itself: bounds, and what it does with values that are not what the compiler was told. */
#include "base/date.h"
#include "core/expr_build.h"
#include "core/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static struct expr_node *node(enum expr_op op, enum expr_sort sort, int kids)
{
    struct expr_node *made = arena_zero(&arena, sizeof *made);

    made->op = op;
    made->sort = sort;
    made->column = 1;
    made->kid_count = kids;
    made->kids = arena_zero(&arena, sizeof(struct expr_node *) * (size_t)(kids + 1));
    return made;
}

static struct expr_node *constant(struct value value, enum expr_sort sort)
{
    struct expr_node *made = node(EXPR_CONST, sort, 0);

    made->constant = value;
    return made;
}

static struct expr_node *local(int slot)
{
    struct expr_node *made = node(EXPR_LOCAL, SORT_DYN, 0);

    made->slot = slot;
    return made;
}

static struct expr_node *two(enum expr_op op, struct expr_node *a, struct expr_node *b)
{
    struct expr_node *made = node(op, SORT_DYN, 2);

    made->kids[0] = a;
    made->kids[1] = b;
    return made;
}

static struct expr_node *macro(enum expr_op op, int slot, struct expr_node *range,
                               struct expr_node *body)
{
    struct expr_node *made = two(op, range, body);

    made->slot = slot;
    return made;
}

static struct expr_node *numbers(int count)
{
    struct value list = value_array();
    int i;

    for (i = 0; i < count; i++)
        value_push(&arena, &list, value_int(i));
    return constant(list, SORT_LIST);
}

static struct expr_node *name(const char *text, enum expr_sort sort)
{
    struct expr_node *made = node(EXPR_NAME, sort, 0);

    made->name = slice_str(text);
    return made;
}

static int run(struct expr_node *root, const struct value *scope, struct value *out,
               struct error *err)
{
    struct expr expr = {.text = "test", .file = "f.cfg", .line = 1, .root = root};

    return expr_eval(&expr, scope, NULL, &arena, out, err);
}

static void fails_with(struct expr_node *root, const struct value *scope, const char *why)
{
    struct error err = {ERROR_NONE, ""};
    struct value out = value_int(77);

    assert_int_equal(run(root, scope, &out, &err), -1);
    assert_non_null(strstr(err.text, why));
    assert_int_equal(out.as.number, 77); /* untouched after an error */
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* ---- bounds ---- */

/* [0..99].all(a, [0..99].all(b, [0..99].all(c, true))) would take a million steps. */
static void loops_in_loops_end(void **state)
{
    struct value scope = value_map();
    struct expr_node *yes = constant(value_bool(true), SORT_BOOL);
    struct expr_node *inner = macro(EXPR_ALL, 2, numbers(200), yes);
    struct expr_node *middle = macro(EXPR_ALL, 1, numbers(200), inner);

    (void)state;
    fails_with(macro(EXPR_ALL, 0, numbers(200), middle), &scope, "more than 500000 steps");
    assert_int_equal(run(middle, &scope, &(struct value){0}, NULL), 0);
}

/* Running out of steps is no error that the other side of || could hide. */
static void no_absorption_hides_that_the_steps_ran_out(void **state)
{
    struct value scope = value_map();
    struct expr_node *yes = constant(value_bool(true), SORT_BOOL);
    struct expr_node *endless =
        macro(EXPR_ALL, 0, numbers(3000), macro(EXPR_ALL, 1, numbers(3000), yes));

    (void)state;
    fails_with(two(EXPR_OR, endless, yes), &scope, "steps");
    fails_with(macro(EXPR_EXISTS, 3, numbers(3), endless), &scope, "steps");
}

/* [x].map(a, a + a).map(b, b + b) ... doubles each time. */
static struct expr_node *doubling(struct expr_node *range, enum expr_op join, int times)
{
    int i;

    for (i = 0; i < times; i++) {
        struct expr_node *body = join == EXPR_ADD ? two(EXPR_ADD, local(0), local(0))
                                                  : two(EXPR_LIST, local(0), local(0));

        body->sort = join == EXPR_ADD ? SORT_DYN : SORT_LIST;
        range = macro(EXPR_TRANSFORM, 0, range, body);
        range->sort = SORT_LIST;
    }
    return range;
}

static struct expr_node *one_text(void)
{
    struct value list = value_array();

    value_push(&arena, &list, value_str("0123456789abcdef"));
    return constant(list, SORT_LIST);
}

static void texts_do_not_grow_without_end(void **state)
{
    struct value scope = value_map();

    (void)state;
    fails_with(doubling(one_text(), EXPR_ADD, 40), &scope, "steps");
}

/* Lists share their parts, so 50 doublings cost nothing to build; whoever reads the result would never end. */
static void shared_parts_are_counted_as_often_as_they_are_seen(void **state)
{
    struct value scope = value_map();

    (void)state;
    fails_with(doubling(one_text(), EXPR_LIST, 50), &scope, "steps");
    fails_with(
        two(EXPR_EQUAL, doubling(one_text(), EXPR_LIST, 50), doubling(one_text(), EXPR_LIST, 50)),
        &scope, "steps");
}

/* ---- values that are not what was promised ---- */

static void a_value_of_another_type_is_an_error(void **state)
{
    struct value scope = value_map(), out;
    struct error err;

    (void)state;
    value_set(&arena, &scope, "count", value_str("three"));
    value_set(&arena, &scope, "day", value_str("yesterday"));
    value_set(&arena, &scope, "none", VALUE_NONE);
    fails_with(two(EXPR_ADD, name("count", SORT_INT), constant(value_int(1), SORT_INT)), &scope,
               "expected a number, found a text");
    fails_with(two(EXPR_ADD, name("day", SORT_DATE), constant(value_str("1 day"), SORT_SPAN)),
               &scope, "'yesterday' is not a date");
    fails_with(two(EXPR_ADD, constant(value_str("2026-01-01"), SORT_DATE), name("day", SORT_SPAN)),
               &scope, "'yesterday' is not a span");
    fails_with(two(EXPR_LESS, name("none", SORT_INT), constant(value_int(1), SORT_INT)), &scope,
               "expected a number, found null");
    fails_with(name("absent", SORT_INT), &scope, "there is no 'absent'");
    assert_int_equal(run(name("none", SORT_DYN), &scope, &out, &err), 0);
    assert_int_equal(out.type, VALUE_NIL);
}

static void what_holds_is_true_and_nothing_else(void **state)
{
    struct value scope = value_map();
    struct expr expr = {.text = "1", .root = constant(value_int(1), SORT_INT)};
    struct error why = {ERROR_NONE, ""};

    (void)state;
    assert_false(expr_holds(&expr, &scope, NULL, &why));
    expr.root = constant(value_bool(false), SORT_BOOL);
    assert_false(expr_holds(&expr, &scope, NULL, &why));
    assert_int_equal(why.class, ERROR_NONE); /* merely false: nothing went wrong */
    expr.root = name("absent", SORT_BOOL);
    assert_false(expr_holds(&expr, &scope, NULL, NULL));
    assert_false(expr_holds(&expr, &scope, NULL, &why));
    assert_non_null(strstr(why.text, "there is no 'absent'"));
    expr.root = constant(value_bool(true), SORT_BOOL);
    assert_true(expr_holds(&expr, &scope, NULL, &why));
}

static void a_map_that_is_not_there_has_an_empty_list(void **state)
{
    struct value scope = value_map(), out;
    struct expr_node *select = node(EXPR_SELECT, SORT_LIST, 1);

    (void)state;
    select->name = slice_str("finding");
    select->or_empty = true;
    select->kids[0] = name("links", SORT_MAP);
    assert_int_equal(run(select, &scope, &out, NULL), 0);
    assert_int_equal(out.type, VALUE_ARRAY);
    value_set(&arena, &scope, "links", value_map());
    assert_int_equal(run(select, &scope, &out, NULL), 0);
    assert_int_equal(out.count, 0);
}

/* ---- spans ---- */

static struct span span(const char *text)
{
    struct span out = {0, 0, false, 0};

    assert_int_equal(span_parse(slice_str(text), &out), 0);
    return out;
}

static void spans_are_read_as_people_say_them(void **state)
{
    static const struct {
        const char *text, *canonical;
    } EXAMPLES[] = {{"12 months", "12 months"},
                    {"1 year", "12 months"},
                    {"-30 days", "-30 days"},
                    {"+1 day", "1 day"},
                    {"0 days", "0 days"},
                    {"2 weeks", "14 days"},
                    {"5 working days", "5 working days"},
                    {"1 working day", "1 working day"},
                    {"2 hours", "7200 seconds"},
                    {"30 minutes", "1800 seconds"},
                    {"1 year 6 months", "18 months"},
                    {"1 month  3 days", "1 month 3 days"},
                    {"1500 ms", "1500 ms"}};
    static const char *const WRONG[] = {"",
                                        "12",
                                        "months",
                                        "12 moons",
                                        "1.5 days",
                                        "twelve months",
                                        "12months!",
                                        "1 day 2 working days",
                                        "20001 working days",
                                        "99999999 days",
                                        "1 day 1 day 1 day 1 day 1 day",
                                        "- 1 day"};
    struct span out;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof EXAMPLES / sizeof EXAMPLES[0]; i++) {
        struct span read = span(EXAMPLES[i].text), again;

        assert_string_equal(span_text(&arena, &read), EXAMPLES[i].canonical);
        again = span(EXAMPLES[i].canonical);
        assert_true(again.months == read.months && again.days == read.days && again.ms == read.ms &&
                    again.working == read.working);
    }
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_int_equal(span_parse(slice_str(WRONG[i]), &out), -1);
}

static int32_t day(const char *text)
{
    int32_t date = 0;

    assert_int_equal(date_parse(slice_str(text), &date), 0);
    return date;
}

static void working_days_pass_over_weekends_and_holidays(void **state)
{
    const int32_t holidays[] = {day("2026-12-25"), day("2027-01-01")};
    struct calendar calendar = {{true, true, true, true, true, false, false}, holidays, 2, NULL};
    struct span five = span("5 working days"), back = span("-1 working day");

    (void)state;
    assert_int_equal(span_add_date(&five, &calendar, day("2026-12-21")), day("2026-12-29"));
    assert_int_equal(span_add_date(&back, &calendar, day("2026-12-28")), day("2026-12-24"));
    assert_int_equal(span_add_date(&five, NULL, day("2026-12-21")), day("2026-12-28"));
    assert_false(calendar_is_working(&calendar, day("2026-12-25")));
    assert_true(calendar_is_working(NULL, day("2026-12-25")));
    memset(calendar.working, 0, sizeof calendar.working);
    assert_int_equal(calendar_add_working(&calendar, day("2026-12-21"), 3), day("2026-12-24"));
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(loops_in_loops_end),
        cmocka_unit_test(no_absorption_hides_that_the_steps_ran_out),
        cmocka_unit_test(texts_do_not_grow_without_end),
        cmocka_unit_test(shared_parts_are_counted_as_often_as_they_are_seen),
        cmocka_unit_test(a_value_of_another_type_is_an_error),
        cmocka_unit_test(what_holds_is_true_and_nothing_else),
        cmocka_unit_test(a_map_that_is_not_there_has_an_empty_list),
        cmocka_unit_test(spans_are_read_as_people_say_them),
        cmocka_unit_test(working_days_pass_over_weekends_and_holidays),
    };

    return cmocka_run_group_tests(TESTS, NULL, release);
}
