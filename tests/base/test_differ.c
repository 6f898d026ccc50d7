/* What differs between two lists: nothing is left out, and what was changed is found in its place. */
#include "base/buf.h"
#include "base/differ.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* "= both, ~ changed, - gone, + new", one letter a step. */
static const char *steps_text(struct arena *arena, struct differ_steps steps)
{
    char *text = arena_zero(arena, (size_t)steps.count + 1);

    for (uint32_t i = 0; i < steps.count; i++)
        text[i] = "=~-+"[steps.at[i].what];
    return text;
}

static const char *lines(struct arena *arena, const char *before, const char *after)
{
    struct differ_text old = differ_lines(arena, slice_str(before)),
                       now = differ_lines(arena, slice_str(after));

    return steps_text(arena, differ_texts(arena, &old, &now, true));
}

static void a_line_that_was_edited_is_the_same_line(void **state)
{
    struct arena arena = ARENA_EMPTY;

    (void)state;
    assert_string_equal(lines(&arena, "", ""), "");
    assert_string_equal(lines(&arena, "a\nb\n", "a\nb"), "==");
    assert_string_equal(lines(&arena, "one\ntwo of them\nthree\n", "one\ntwo of those\nthree\n"),
                        "=~=");
    assert_string_equal(lines(&arena, "one\nthree\n", "one\ntwo\nthree\n"), "=+=");
    assert_string_equal(lines(&arena, "one\ntwo\nthree\n", "one\nthree\n"), "=-=");
    assert_string_equal(lines(&arena, "we lock it\nevery night\n", "dogs guard\nnobody\n"), "--++");
    arena_release(&arena);
}

static void words_are_the_same_or_others(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct differ_text old = differ_words(&arena, slice_str("lock the door  every night")),
                       now = differ_words(&arena, slice_str("lock the window  every night"));

    (void)state;
    assert_int_equal(old.count, 5);
    assert_true(slice_is(old.parts[2], "door  "));
    assert_string_equal(steps_text(&arena, differ_texts(&arena, &old, &now, false)), "==-+==");
    arena_release(&arena);
}

static struct value row(struct arena *arena, const char *site, const char *position, int n)
{
    struct value out = value_map();

    value_set(arena, &out, "site", value_str(site));
    value_set(arena, &out, "position", value_str(position));
    value_set(arena, &out, "n", value_int(n));
    return out;
}

static void a_row_is_found_again_by_its_first_cell_or_by_most_of_them(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value old = value_array(), now = value_array();
    struct differ_steps steps;

    (void)state;
    value_push(&arena, &old, row(&arena, "Paris", "in", 40));
    value_push(&arena, &old, row(&arena, "Lyon", "in", 8));
    value_push(&arena, &old, row(&arena, "Nice", "out", 2));
    value_push(&arena, &now, row(&arena, "Brest", "out", 77));
    value_push(&arena, &now, row(&arena, "Paris", "out", 41));
    value_push(&arena, &now, row(&arena, "Lyons", "in", 8));
    steps = differ_rows(&arena, &old, &now, "site");
    assert_string_equal(steps_text(&arena, steps), "+~~-");
    assert_int_equal(steps.at[1].before, 0);
    assert_int_equal(steps.at[1].after, 1);
    steps = differ_rows(&arena, &old, &now, NULL); /* Paris has one cell in three */
    assert_string_equal(steps_text(&arena, steps), "-++~-");
    assert_string_equal(steps_text(&arena, differ_rows(&arena, NULL, &now, NULL)), "+++");
    assert_string_equal(steps_text(&arena, differ_rows(&arena, &old, NULL, NULL)), "---");
    arena_release(&arena);
}

/* Promise 1, for lists by chance. */
static void every_item_is_named_once_and_in_order(void **state)
{
    struct arena arena = ARENA_EMPTY;
    uint32_t chance = 7;

    (void)state;
    for (int round = 0; round < 300; round++) {
        char texts[2][64];
        struct differ_text parts[2];
        uint32_t next[2] = {0, 0};
        struct differ_steps steps;

        for (int side = 0; side < 2; side++) {
            uint32_t len = (chance = chance * 1103515245u + 12345u) >> 16 & 31;

            for (uint32_t i = 0; i < len; i++) {
                chance = chance * 1103515245u + 12345u;
                texts[side][i] = "abbc\n\n"[(chance >> 16) % 6];
            }
            texts[side][len] = '\0';
            parts[side] = differ_lines(&arena, slice_str(texts[side]));
        }
        steps = differ_texts(&arena, &parts[0], &parts[1], round % 2 == 0);
        for (uint32_t i = 0; i < steps.count; i++) {
            const struct differ_step *step = &steps.at[i];

            assert_int_equal(step->before, next[0]);
            assert_int_equal(step->after, next[1]);
            if (step->what == STEP_SAME)
                assert_true(slice_equal(parts[0].parts[step->before], parts[1].parts[step->after]));
            next[0] += step->what != STEP_NEW;
            next[1] += step->what != STEP_GONE;
        }
        assert_int_equal(next[0], parts[0].count);
        assert_int_equal(next[1], parts[1].count);
    }
    arena_release(&arena);
}

static void what_is_too_much_went_and_came(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf texts[2] = {BUF_EMPTY, BUF_EMPTY};
    struct differ_text parts[2];
    struct differ_steps steps;

    (void)state;
    for (int side = 0; side < 2; side++) {
        buf_add_str(&texts[side], "first\n");
        for (int i = 0; i < 1000; i++)
            buf_addf(&texts[side], "%d %d\n", side, i);
        buf_add_str(&texts[side], "last\n");
        parts[side] = differ_lines(&arena, buf_slice(&texts[side]));
    }
    steps = differ_texts(&arena, &parts[0], &parts[1], true);
    assert_int_equal(steps.count, 2002);
    assert_int_equal(steps.at[0].what, STEP_SAME);
    assert_int_equal(steps.at[1].what, STEP_GONE);
    assert_int_equal(steps.at[2000].what, STEP_NEW);
    assert_int_equal(steps.at[2001].what, STEP_SAME);
    buf_release(&texts[0]);
    buf_release(&texts[1]);
    arena_release(&arena);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(a_line_that_was_edited_is_the_same_line),
        cmocka_unit_test(words_are_the_same_or_others),
        cmocka_unit_test(a_row_is_found_again_by_its_first_cell_or_by_most_of_them),
        cmocka_unit_test(every_item_is_named_once_and_in_order),
        cmocka_unit_test(what_is_too_much_went_and_came),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
