/* workflows/README.md is run: each example stands in the shipped pack as a file of its own, each condition gives what it
 * says, and each example of a proof is answered with exactly the lines that stand after it. */
#include "definition/pack.h"
#include "definition/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { REFERENCE_MAX = 512 * 1024, EXAMPLE_MAX = 16 * 1024 };

static struct arena arena;

struct example { /* a fenced block of the page */
    const char *text;
    int line; /* of the page */
};

static const char *read_page(void)
{
    FILE *file = fopen("workflows/README.md", "rb");
    char *text = arena_take(&arena, REFERENCE_MAX);
    size_t len;

    if (file == NULL)
        fail_msg("workflows/README.md cannot be read; tests run in the top directory");
    len = fread(text, 1, REFERENCE_MAX - 1, file);
    fclose(file);
    assert_true(len > 0 && len < REFERENCE_MAX - 1);
    text[len] = '\0';
    return text;
}

/* The next block of that sort from *at on, which moves behind it. */
static bool next_example(const char **at, int *line, const char *sort, struct example *out)
{
    const char *fence = arena_printf(&arena, "\n```%s\n", sort), *found = strstr(*at, fence), *end;

    if (found == NULL)
        return false;
    for (; *at < found + strlen(fence); (*at)++)
        *line += **at == '\n';
    end = strstr(*at, "\n```");
    assert_non_null(end);
    *out = (struct example){arena_copy(&arena, *at, (size_t)(end + 1 - *at)), *line};
    return true;
}

/* ---- examples in the pack ---- */

static void load_with(const char *text, struct problems *problems)
{
    struct pack_file *files, *more;
    struct pack *pack = NULL;
    struct error err = {ERROR_NONE, ""};
    int count;

    assert_int_equal(pack_read("workflows", &arena, &files, &count, &err), 0);
    more = arena_zero(&arena, sizeof *more * (size_t)(count + 1));
    memcpy(more, files, sizeof *more * (size_t)count);
    more[count] = (struct pack_file){"example.cfg", slice_str(text)};
    (void)pack_load_files(more, count + 1, &pack, problems, &err);
    pack_free(&pack);
}

/* What is said of the example, a line each. */
static const char *said_of(const struct problems *problems)
{
    struct buf text = BUF_EMPTY;
    const char *copy;

    for (int i = 0; i < problems->count; i++) {
        if (strcmp(problems->at[i].file, "example.cfg") == 0)
            problem_show(&problems->at[i], &text);
    }
    copy = arena_copy(&arena, text.at, text.len);
    buf_release(&text);
    return copy;
}

static void every_example_can_be_put_into_the_pack(void **state)
{
    const char *at = read_page();
    struct example example;
    int line = 1, count = 0, wrong = 0;

    (void)state;
    for (; next_example(&at, &line, "cfg", &example); count++) {
        struct problems problems = PROBLEMS_EMPTY;

        load_with(example.text, &problems);
        if (problems.errors > 0) {
            struct buf text = BUF_EMPTY;

            problems_show(&problems, &text);
            print_error("README.md:%d:\n%s\n", example.line, buf_text(&text));
            buf_release(&text);
            wrong++;
        }
        problems_release(&problems);
    }
    assert_int_equal(wrong, 0);
    assert_true(count >= 5);
}

/* ---- proofs ---- */

/* Cuts "=> line" off the end of an example; gives those lines. */
static const char *cut_answers(char *text)
{
    char *first = strstr(text, "\n=> "), *at;
    const char *answers = "";

    assert_non_null(first);
    for (at = first; at != NULL; at = strstr(at, "\n=> ")) {
        const char *end = strchr(at + 1, '\n');

        assert_non_null(end);
        answers = arena_printf(&arena, "%s%.*s\n", answers, (int)(end - at - 4), at + 4);
        at = at + 4;
    }
    first[1] = '\0';
    return answers;
}

static bool has_line(const char *text, const char *line, size_t len)
{
    for (const char *at = text; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '\n');

        if ((size_t)(end - at) == len && memcmp(at, line, len) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

/* The same lines, in any order. */
static bool has_same_lines(const char *one, const char *other)
{
    for (const char *at = one; *at != '\0';) {
        const char *end = strchr(at, '\n');

        if (!has_line(other, at, (size_t)(end - at)))
            return false;
        at = end + 1;
    }
    return true;
}

static void every_proof_answers_as_its_example_says(void **state)
{
    const char *at = read_page();
    struct example example;
    int line = 1, count = 0, wrong = 0;

    (void)state;
    for (; next_example(&at, &line, "proof", &example); count++) {
        struct problems problems = PROBLEMS_EMPTY;
        char *text = arena_str(&arena, example.text);
        const char *answers = cut_answers(text), *said;

        load_with(text, &problems);
        said = said_of(&problems);
        if (!has_same_lines(answers, said) || !has_same_lines(said, answers)) {
            print_error("README.md:%d: expected\n%sfound\n%s\n", example.line, answers, said);
            wrong++;
        }
        problems_release(&problems);
    }
    assert_int_equal(wrong, 0);
    assert_true(count >= 9);
}

/* ---- conditions ---- */

static const struct value *value_of(const char *text)
{
    struct trial trial = {.names = value_map()};
    struct trial_result *result = arena_zero(&arena, sizeof *result);

    trial_run(&trial, text, &arena, result);
    if (result->end != TRIAL_VALUE)
        fail_msg("%s: %s", text, result->fault.text);
    return &result->value;
}

static void every_condition_gives_what_it_says(void **state)
{
    const char *at = read_page();
    struct example example;
    int line = 1, count = 0, wrong = 0;

    (void)state;
    while (next_example(&at, &line, "condition", &example)) {
        for (char *one = strtok(arena_str(&arena, example.text), "\n"); one != NULL;
             one = strtok(NULL, "\n"), count++) {
            char *gives = strstr(one, " => ");

            assert_non_null(gives);
            *gives = '\0';
            if (!value_equal(value_of(one), value_of(gives + 4))) {
                print_error("README.md:%d: %s is not %s\n", example.line, one, gives + 4);
                wrong++;
            }
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(count >= 15);
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_example_can_be_put_into_the_pack, release),
        cmocka_unit_test_teardown(every_proof_answers_as_its_example_says, release),
        cmocka_unit_test_teardown(every_condition_gives_what_it_says, release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
