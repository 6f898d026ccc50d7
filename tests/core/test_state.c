/* test_state.c - the fold: what a leaf's effects do to rows, and drafts over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dmp.h"

#include "core/state.h"
#include "simulate/memory.h"
#include "wire/json.h"

struct fixture {
    struct memory shelf;
    struct state *state;
    struct arena arena;
    uint64_t seq;
};

static int begin(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct shelf shelf;

    assert_non_null(fixture);
    shelf = memory_shelf(&fixture->shelf);
    fixture->state = state_new(&shelf);
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;

    state_free(&fixture->state);
    memory_release(&fixture->shelf);
    arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

/* Folds a leaf on `stream` with these effects (JSON with ' for "; NULL: none). */
static void fold(struct fixture *fixture, const char *stream, uint64_t rev, const char *effects)
{
    struct leaf leaf = {
        .seq = fixture->seq++, .rev = rev, .stream = slice_str(stream), .effects = VALUE_NONE};
    char *text;

    if (effects != NULL) {
        text = arena_str(&fixture->arena, effects);
        for (char *at = text; *at != '\0'; at++)
            *at = *at == '\'' ? '"' : *at;
        assert_int_equal(json_to_value(&fixture->arena, slice_str(text), 8, &leaf.effects, NULL),
                         0);
    }
    state_fold(fixture->state, &leaf);
}

static void keep(struct fixture *fixture)
{
    state_keep(fixture->state, memory_changed, &fixture->shelf);
}

static void assert_row(struct fixture *fixture, const char *key, const char *wanted)
{
    const struct value *row = state_row(fixture->state, slice_str(key));

    if (wanted == NULL) {
        assert_null(row);
        return;
    }
    assert_non_null(row);
    assert_string_equal(value_show(&fixture->arena, row), wanted);
}

/* ---- the rules of the fold ---- */

static void effects_are_patches_of_rows(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "a", 1, "{'': {'x': 1, 'm': {'p': 1, 'q': 2}}, 'b': {'y': 2}}");
    assert_row(fixture, "a", "{\"m\": {\"p\": 1, \"q\": 2}, \"rev\": 1, \"x\": 1}");
    assert_row(fixture, "b", "{\"y\": 2}");
    fold(fixture, "a", 2, "{'': {'m': {'q': null, 'r': 3}}}");
    assert_row(fixture, "a", "{\"m\": {\"p\": 1, \"r\": 3}, \"rev\": 2, \"x\": 1}");
}

static void a_patch_that_is_no_map_replaces_and_nil_is_never_stored(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "a", 1, "{'': {'m': {'p': 1}, 'l': [1, 2]}}");
    fold(fixture, "a", 2, "{'': {'m': 7, 'l': {'n': null, 'o': {'deep': null}}}}");
    assert_row(fixture, "a", "{\"l\": {\"o\": {}}, \"m\": 7, \"rev\": 2}");
}

static void nil_deletes_a_row(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "a", 1, "{'b': {'y': 2}, 'c': {'z': 3}}");
    keep(fixture);
    fold(fixture, "a", 2, "{'b': null, 'never': null}");
    assert_row(fixture, "b", NULL);
    assert_row(fixture, "c", "{\"z\": 3}");
    keep(fixture);
    assert_null(memory_row(&fixture->shelf, slice_str("b")));
    assert_row(fixture, "b", NULL);
}

static void the_own_row_knows_its_revision_unless_the_leaf_deletes_it(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "task/1", 1, NULL);
    assert_row(fixture, "task/1", "{\"rev\": 1}");
    fold(fixture, "task/1", 2, "{'b': {'y': 1}}");
    assert_row(fixture, "task/1", "{\"rev\": 2}");
    fold(fixture, "task/1", 3, "{'': null}");
    assert_row(fixture, "task/1", NULL);
    fold(fixture, "task/1", 4, "{'': {'x': 1}}");
    assert_row(fixture, "task/1", "{\"rev\": 4, \"x\": 1}");
}

static void the_chain_names_the_last_leaf_of_rows_that_exist(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "SCP-1", 1, "{'': {'x': 1}, '^': {'SCP-1': -1}}");
    assert_row(fixture, "SCP-1", "{\"last\": 0, \"rev\": 1, \"x\": 1}");
    fold(fixture, "SCP-1/round/1/bo", 1, "{'^': {'SCP-1': 0, 'SCP-9': -1}}");
    assert_row(fixture, "SCP-1", "{\"last\": 1, \"rev\": 1, \"x\": 1}");
    assert_row(fixture, "SCP-9", NULL);
    assert_row(fixture, "^", NULL);
}

static void keys_are_patched_in_ascending_order(void **state)
{
    struct fixture *fixture = *state;

    /* "" comes first, then the row by its own name: the later wins. */
    fold(fixture, "a", 1, "{'': {'x': 1, 'y': 1}, 'a': {'x': 2}}");
    assert_row(fixture, "a", "{\"rev\": 1, \"x\": 2, \"y\": 1}");
}

/* ---- drafts ---- */

static void a_draft_is_seen_until_it_is_dropped(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "a", 1, "{'': {'x': 1}}");
    keep(fixture);
    fold(fixture, "a", 2, "{'': {'x': 2}, 'b': {'y': 1}}");
    assert_row(fixture, "a", "{\"rev\": 2, \"x\": 2}");
    state_drop(fixture->state);
    assert_row(fixture, "a", "{\"rev\": 1, \"x\": 1}");
    assert_row(fixture, "b", NULL);
    assert_int_equal(fixture->shelf.row_count, 1);
}

/* Rows are decoded once and shared by all drafts: no patch may reach through to them, however deep. */
static void a_draft_changes_nothing_below_it_however_deep(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "a", 1, "{'': {'m': {'p': {'q': 1, 'r': 2}}, 'x': [1]}, 'b': {'y': {'z': 1}}}");
    keep(fixture);
    assert_row(fixture, "b", "{\"y\": {\"z\": 1}}");
    fold(fixture, "a", 2, "{'': {'m': {'p': {'q': null, 's': 3}, 'o': {}}}, 'b': {'y': {'n': 2}}}");
    fold(fixture, "a", 3, "{'': {'m': {'p': {'q': 9}}, 'x': [2, 3]}, 'b': null, '^': {'a': 1}}");
    assert_row(fixture, "a",
               "{\"last\": 2, \"m\": {\"o\": {}, \"p\": {\"q\": 9, \"r\": 2, \"s\": 3}}, "
               "\"rev\": 3, \"x\": [2, 3]}");
    state_drop(fixture->state);
    assert_row(fixture, "a", "{\"m\": {\"p\": {\"q\": 1, \"r\": 2}}, \"rev\": 1, \"x\": [1]}");
    assert_row(fixture, "b", "{\"y\": {\"z\": 1}}");
}

static void what_was_read_stays_until_the_next_draft_begins(void **state)
{
    struct fixture *fixture = *state;
    const struct value *deep;

    fold(fixture, "a", 1, "{'': {'m': {'text': 'as it was'}}}");
    keep(fixture);
    deep = value_get(state_row(fixture->state, slice_str("a")), "m");
    fold(fixture, "a", 2, "{'': {'m': {'text': 'as it is', 'more': 1}}}");
    keep(fixture);
    assert_string_equal(value_show(&fixture->arena, deep), "{\"text\": \"as it was\"}");
    assert_row(fixture, "a", "{\"m\": {\"more\": 1, \"text\": \"as it is\"}, \"rev\": 2}");
    state_forget(fixture->state);
    assert_row(fixture, "a", "{\"m\": {\"more\": 1, \"text\": \"as it is\"}, \"rev\": 2}");
}

static void what_is_kept_is_told_in_order_and_read_again(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "b", 1, "{'': {'x': 1}, 'a': {'y': 1}}");
    keep(fixture);
    assert_int_equal(fixture->shelf.row_count, 2);
    state_forget(fixture->state);
    assert_row(fixture, "a", "{\"y\": 1}");
    assert_row(fixture, "b", "{\"rev\": 1, \"x\": 1}");
}

static void a_row_that_is_only_read_is_not_told(void **state)
{
    struct fixture *fixture = *state;

    fold(fixture, "a", 1, "{'': {'x': 1}}");
    keep(fixture);
    memory_release(&fixture->shelf);
    assert_row(fixture, "a", "{\"rev\": 1, \"x\": 1}");
    fold(fixture, "b", 1, NULL);
    keep(fixture);
    assert_int_equal(fixture->shelf.row_count, 1);
}

static void a_shelf_that_fails_breaks_the_draft_and_only_that(void **state)
{
    struct fixture *fixture = *state;

    fixture->shelf.is_failing = true;
    assert_null(state_row(fixture->state, slice_str("a")));
    assert_true(state_is_broken(fixture->state));
    state_drop(fixture->state);
    fixture->shelf.is_failing = false;
    assert_row(fixture, "a", NULL);
    assert_false(state_is_broken(fixture->state));
}

/* ---- many rows ---- */

static void rows_are_enumerated_with_the_draft_over_them(void **state)
{
    struct fixture *fixture = *state;
    struct value rows;

    fold(fixture, "p/1", 1, NULL);
    fold(fixture, "p/3", 1, NULL);
    fold(fixture, "q/1", 1, NULL);
    keep(fixture);
    fold(fixture, "p/2", 1, NULL);
    fold(fixture, "p/3", 2, "{'': null}");
    assert_true(state_rows(fixture->state, slice_str("p/"), 10, &rows));
    assert_int_equal(rows.count, 2);
    assert_true(slice_is(value_get_text(&rows.as.items[1], "key"), "p/2"));
    assert_false(state_rows(fixture->state, slice_str("p/"), 1, &rows));
    assert_int_equal(rows.count, 1);
}

static void pages_follow_each_other_and_pass_over_what_is_below(void **state)
{
    static const char *const ids[] = {"R-1", "R-1/round/1", "R-2", "R-2/ack/bo", "R-3", "S-1"};
    struct fixture *fixture = *state;
    struct value rows;

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        fold(fixture, ids[i], 1, NULL);
    keep(fixture);
    assert_false(
        state_page(fixture->state, &fixture->arena, slice_str("R-"), slice_str(""), 2, &rows));
    assert_int_equal(rows.count, 2);
    assert_true(slice_is(value_get_text(&rows.as.items[1], "key"), "R-2"));
    assert_true(
        state_page(fixture->state, &fixture->arena, slice_str("R-"), slice_str("R-2"), 2, &rows));
    assert_int_equal(rows.count, 1);
    assert_true(slice_is(value_get_text(&rows.as.items[0], "key"), "R-3"));
}

/* ---- what is kept in memory ---- */

struct tally {
    struct buf row; /* what every key has */
    int hot, cold;  /* how often the shelf was asked */
};

static int counted_row(void *self, struct slice key, struct buf *out)
{
    struct tally *counting = self;

    *(slice_is(key, "hot") ? &counting->hot : &counting->cold) += 1;
    buf_add_slice(out, buf_slice(&counting->row));
    return 1;
}

static void read_once(struct state *state, const char *key)
{
    assert_non_null(state_row(state, slice_str(key)));
    state_drop(state);
}

/* 300 MB pass through; what is asked for again and again is read from the shelf once, and what passed is forgotten. */
static void a_row_in_use_stays_while_very_many_pass(void **state)
{
    enum { ROWS = 3000, ROW_BYTES = 100000 };
    struct tally counting = {BUF_EMPTY, 0, 0};
    struct state *own = state_new(&(struct shelf){.self = &counting, .row = counted_row});
    char *text = calloc(1, ROW_BYTES + 1), key[16];

    (void)state;
    memset(text, 'a', ROW_BYTES);
    dmp_put_map(&counting.row, 1);
    dmp_put_str(&counting.row, slice_str("text"));
    dmp_put_str(&counting.row, slice_of(text, ROW_BYTES));
    for (int i = 0; i < ROWS; i++) {
        snprintf(key, sizeof key, "R-%d", i);
        read_once(own, key);
        read_once(own, "hot");
    }
    assert_int_equal(counting.hot, 1);
    assert_int_equal(counting.cold, ROWS);
    read_once(own, key);
    assert_int_equal(counting.cold, ROWS); /* the last is there */
    read_once(own, "R-0");
    assert_int_equal(counting.cold, ROWS + 1); /* the first is not */
    state_free(&own);
    buf_release(&counting.row);
    free(text);
}

int main(void)
{
#define fixture_test(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        fixture_test(effects_are_patches_of_rows),
        fixture_test(a_patch_that_is_no_map_replaces_and_nil_is_never_stored),
        fixture_test(nil_deletes_a_row),
        fixture_test(the_own_row_knows_its_revision_unless_the_leaf_deletes_it),
        fixture_test(the_chain_names_the_last_leaf_of_rows_that_exist),
        fixture_test(keys_are_patched_in_ascending_order),
        fixture_test(a_draft_is_seen_until_it_is_dropped),
        fixture_test(a_draft_changes_nothing_below_it_however_deep),
        fixture_test(what_was_read_stays_until_the_next_draft_begins),
        fixture_test(what_is_kept_is_told_in_order_and_read_again),
        fixture_test(a_row_that_is_only_read_is_not_told),
        fixture_test(a_shelf_that_fails_breaks_the_draft_and_only_that),
        fixture_test(rows_are_enumerated_with_the_draft_over_them),
        fixture_test(pages_follow_each_other_and_pass_over_what_is_below),
        cmocka_unit_test(a_row_in_use_stays_while_very_many_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
