/* What conditions mean, case by case, as CEL's published conformance tests fix it for the subset that the language has.
 * The cases are our own, in the shape of the published ones (expr, bindings, value or error); each file of cel/ says which
 * published file its groups correspond to. Names that are bound are values of unknown type. */
#include "definition/trial.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FILE_MAX = 256 * 1024, JSON_DEPTH = 40 };

static struct arena arena;

static struct value read_cases(const char *name)
{
    char *path = arena_printf(&arena, "tests/definition/cel/%s.json", name);
    char *text = arena_take(&arena, FILE_MAX);
    FILE *file = fopen(path, "rb");
    struct value out = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};
    size_t len;

    if (file == NULL)
        fail_msg("%s cannot be read; tests run in the top directory", path);
    len = fread(text, 1, FILE_MAX, file);
    fclose(file);
    assert_true(len < FILE_MAX);
    if (json_to_value(&arena, slice_of(text, len), JSON_DEPTH, &out, &err) != 0)
        fail_msg("%s: %s", path, err.text);
    return out;
}

static const char *json_of(const struct value *value)
{
    struct buf out = BUF_EMPTY;
    const char *text;

    value_to_json(&out, value, false);
    text = arena_copy(&arena, out.at, out.len);
    buf_release(&out);
    return text;
}

/* What came of it, in the words of the cases. */
static const char *outcome(const struct trial_result *result)
{
    static const char *const ENDS[] = {[TRIAL_NAMES] = "the bindings",
                                       [TRIAL_CHECKED] = "check_error",
                                       [TRIAL_FAILED] = "eval_error"};

    if (result->end == TRIAL_VALUE)
        return arena_printf(&arena, "value %s", json_of(&result->value));
    return arena_printf(&arena, "%s \"%s\"", ENDS[result->end], result->fault.text);
}

static bool is_error(const struct value *one, const char *key, const struct trial_result *result,
                     enum trial_end end)
{
    const char *wanted = value_get_str(one, key, NULL, &arena);

    return wanted != NULL && result->end == end && strstr(result->fault.text, wanted) != NULL &&
           result->fault.column > 0;
}

static bool is_as_published(const struct value *one, const struct trial_result *result)
{
    const struct value *value = value_get(one, "value");

    if (value != NULL)
        return result->end == TRIAL_VALUE && value_equal(value, &result->value);
    return is_error(one, "check_error", result, TRIAL_CHECKED) ||
           is_error(one, "eval_error", result, TRIAL_FAILED);
}

static int try_group(const struct value *group)
{
    const struct value *cases = value_get(group, "cases");
    int wrong = 0;

    assert_true(value_is(cases, VALUE_ARRAY) && cases->count > 0);
    for (uint32_t i = 0; i < cases->count; i++) {
        const struct value *one = &cases->as.items[i], *names = value_get(one, "bindings");
        const char *text = value_get_str(one, "expr", NULL, &arena);
        struct trial trial = {.names = names != NULL ? *names : value_map()};
        struct trial_result result;

        assert_non_null(text);
        trial_run(&trial, text, &arena, &result);
        if (is_as_published(one, &result))
            continue;
        print_error("%s: %s\n  gives %s\n", value_get_str(group, "name", "?", &arena), json_of(one),
                    outcome(&result));
        wrong++;
    }
    return wrong;
}

static void the_cases_hold(const char *name)
{
    struct value file = read_cases(name);
    const struct value *groups = value_get(&file, "groups");
    int wrong = 0;

    assert_true(value_is(groups, VALUE_ARRAY) && groups->count > 0);
    for (uint32_t i = 0; i < groups->count; i++)
        wrong += try_group(&groups->as.items[i]);
    assert_int_equal(wrong, 0);
    arena_release(&arena);
}

#define CASES(name)                                                                                \
    static void name##_is_that_of_cel(void **state)                                                \
    {                                                                                              \
        (void)state;                                                                               \
        the_cases_hold(#name);                                                                     \
    }

CASES(basic)
CASES(comparisons)
CASES(conversions)
CASES(fields)
CASES(integer_math)
CASES(lists)
CASES(logic)
CASES(macros)
CASES(parse)
CASES(plumbing)
CASES(string)
CASES(timestamps)

/* The judge above can say no. */
static void a_wrong_case_is_found(void **state)
{
    static const char WRONG[] = "{\"name\": \"wrong on purpose\", \"cases\": ["
                                "{\"expr\": \"1 + 1\", \"value\": 3},"
                                "{\"expr\": \"1 + 1\", \"eval_error\": \"\"},"
                                "{\"expr\": \"[1][2]\", \"check_error\": \"no item 2\"},"
                                "{\"expr\": \"[1][2]\", \"eval_error\": \"another\"},"
                                "{\"expr\": \"1 +\", \"value\": 1}]}";
    struct value group;

    (void)state;
    assert_int_equal(json_to_value(&arena, slice_str(WRONG), JSON_DEPTH, &group, NULL), 0);
    assert_int_equal(try_group(&group), 5);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basic_is_that_of_cel),        cmocka_unit_test(comparisons_is_that_of_cel),
        cmocka_unit_test(conversions_is_that_of_cel),  cmocka_unit_test(fields_is_that_of_cel),
        cmocka_unit_test(integer_math_is_that_of_cel), cmocka_unit_test(lists_is_that_of_cel),
        cmocka_unit_test(logic_is_that_of_cel),        cmocka_unit_test(macros_is_that_of_cel),
        cmocka_unit_test(parse_is_that_of_cel),        cmocka_unit_test(plumbing_is_that_of_cel),
        cmocka_unit_test(string_is_that_of_cel),       cmocka_unit_test(timestamps_is_that_of_cel),
        cmocka_unit_test(a_wrong_case_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
