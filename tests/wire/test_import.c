/* The findings of a file, cut into parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "wire/command.h"
#include "wire/import.h"

#include <string.h>

/* So many findings, each with a statement of that many bytes. */
static struct value report(struct arena *arena, int count, size_t bytes)
{
    struct value out = value_map(), findings = value_array();

    for (int i = 0; i < count; i++) {
        struct value finding = value_map();
        char *text = arena_zero(arena, bytes + 1);

        memset(text, 'a', bytes);
        value_set(arena, &finding, "dedupe_key", value_str(arena_printf(arena, "k:%d", i)));
        value_set(arena, &finding, "statement", value_str(text));
        value_push(arena, &findings, finding);
    }
    value_set(arena, &out, "tool", value_str("t"));
    value_set(arena, &out, "sha256", value_str("aaaa"));
    value_set(arena, &out, "counts", value_map());
    value_set(arena, &out, "findings", findings);
    return out;
}

/* Cuts all of it; every finding is in one part, in order. Gives how many parts. */
static int cut(struct arena *arena, const struct value *file, uint32_t max)
{
    uint32_t count = value_get(file, "findings")->count, from = 0;
    int parts = 0;

    do {
        struct value args;
        uint32_t taken = import_part(arena, file, from, max, &args);
        const struct value *some = value_get(&args, "findings");

        assert_int_equal(some->count, taken);
        assert_true(taken > 0 || count == 0);
        for (uint32_t i = 0; i < taken; i++)
            assert_true(
                value_equal(&some->as.items[i], &value_get(file, "findings")->as.items[from + i]));
        if (taken < count) {
            assert_int_equal(value_get_int(&args, "from", -1), from);
            assert_int_equal(value_get_int(&args, "of", -1), count);
        }
        from += taken;
        parts++;
    } while (from < count);
    assert_int_equal(from, count);
    return parts;
}

static void a_small_file_is_one_command_as_it_always_was(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value file = report(&arena, 3, 10), args;

    (void)state;
    assert_int_equal(import_part(&arena, &file, 0, IMPORT_PART_MAX, &args), 3);
    assert_null(value_get(&args, "from"));
    assert_null(value_get(&args, "of"));
    assert_null(value_get(&args, "counts")); /* not what the command knows */
    assert_true(slice_is(value_get_text(&args, "tool"), "t"));
    file = report(&arena, 0, 0);
    assert_int_equal(cut(&arena, &file, IMPORT_PART_MAX), 1);
    arena_release(&arena);
}

static void a_large_file_is_cut_by_number_and_by_size(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value file = report(&arena, 3 * IMPORT_PART_MAX + 1, 10);

    (void)state;
    assert_int_equal(cut(&arena, &file, IMPORT_PART_MAX), 4);
    assert_int_equal(cut(&arena, &file, 1), 3 * IMPORT_PART_MAX + 1);
    file = report(&arena, 20, IMPORT_PART_BYTES / 4);
    assert_int_equal(cut(&arena, &file, IMPORT_PART_MAX), 7); /* three fit beside their keys */
    file = report(&arena, 3, IMPORT_PART_BYTES + 1);          /* never nothing */
    assert_int_equal(cut(&arena, &file, IMPORT_PART_MAX), 3);
    arena_release(&arena);
}

static void the_id_follows_from_audit_file_and_place(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct value file = report(&arena, 100, 10), first, second, half, again;
    struct slice audit = slice_str("AUD-0001"), id;

    (void)state;
    import_part(&arena, &file, 0, 64, &first);
    import_part(&arena, &file, 64, 64, &second);
    import_part(&arena, &file, 0, 32, &half);
    import_part(&arena, &file, 0, 64, &again);
    id = import_part_id(&arena, audit, &first);
    assert_true(command_id_is_valid(id));
    assert_true(slice_equal(id, import_part_id(&arena, audit, &again)));
    assert_false(slice_equal(id, import_part_id(&arena, audit, &second)));
    assert_false(slice_equal(id, import_part_id(&arena, audit, &half)));
    assert_false(slice_equal(id, import_part_id(&arena, slice_str("AUD-0002"), &first)));
    value_set(&arena, &again, "sha256", value_str("bbbb"));
    assert_false(slice_equal(id, import_part_id(&arena, audit, &again)));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_file_is_one_command_as_it_always_was),
        cmocka_unit_test(a_large_file_is_cut_by_number_and_by_size),
        cmocka_unit_test(the_id_follows_from_audit_file_and_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
