/* What was signed last is remembered beside the key, and a copy that takes the journal's place is measured by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "leaf_builder.h"
#include "store/note.h"
#include "store/restore.h"
#include "store/small_file.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_ORIGIN FIXTURE_ORIGIN "/since-1"

struct place {
    struct store_fixture fixture;
    char signed_path[PATH_MAX + 64], copy[PATH_MAX + 64];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    fixture_init(&place->fixture);
    snprintf(place->signed_path, sizeof place->signed_path, "%s",
             fixture_path(&place->fixture, "log.signed"));
    snprintf(place->copy, sizeof place->copy, "%s", fixture_path(&place->fixture, "copy.db"));
    place->fixture.options.signed_path = place->signed_path;
    fixture_create(&place->fixture);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    fixture_release(&place->fixture);
    free(place);
    return 0;
}

/* The size that is remembered; 0: nothing is. */
static uint64_t remembered(struct place *place)
{
    struct checkpoint head = {.size = 0};
    struct buf note = BUF_EMPTY;
    uint8_t key[SIGN_KEY_LEN];
    struct note_key log;
    int found = small_file_read(place->signed_path, &note, NULL);

    if (found == 1) {
        sign_public_key((const uint8_t *)LEAF_BUILDER_SEED, key);
        assert_int_equal(note_key_make(slice_str(FIXTURE_ORIGIN), key, &log, NULL), 0);
        assert_int_equal(checkpoint_open(buf_slice(&note), &log, &head, NULL), 0);
    }
    buf_release(&note);
    return head.size;
}

/* Twelve entries are signed; the copy has eight of them. */
static void grow_past_copy(struct place *place)
{
    fixture_grow(&place->fixture, 8);
    assert_int_equal(journal_checkpoint(place->fixture.journal, NULL, NULL), 0);
    assert_int_equal(journal_backup(place->fixture.journal, place->copy, NULL), 0);
    fixture_grow(&place->fixture, 4);
    journal_close(&place->fixture.journal);
    assert_int_equal(remembered(place), 12);
}

static void put_copy(struct place *place)
{
    assert_int_equal(rename(place->copy, fixture_path(&place->fixture, "journal.db")), 0);
}

/* ---- what is remembered ---- */

static void every_checkpoint_is_remembered_beside_the_journal(void **state)
{
    struct place *place = *state;

    assert_int_equal(remembered(place), 0);
    fixture_grow(&place->fixture, 3);
    assert_int_equal(journal_checkpoint(place->fixture.journal, NULL, NULL), 0);
    assert_int_equal(remembered(place), 3);
    fixture_grow(&place->fixture, 2);
    fixture_reopen(&place->fixture);
    assert_int_equal(remembered(place), 5);
}

static void an_older_copy_is_not_continued(void **state)
{
    struct place *place = *state;
    struct error err;

    grow_past_copy(place);
    put_copy(place);
    assert_int_equal(fixture_refused(&place->fixture, &err), ERROR_STALE);
    assert_non_null(strstr(err.text, "12 entries were signed"));
}

static void another_history_is_not_continued(void **state)
{
    struct place *place = *state, other;
    struct error err;

    grow_past_copy(place);
    fixture_init(&other.fixture);
    fixture_create(&other.fixture);
    assert_int_equal(append_leaves(other.fixture.journal, &other.fixture.next_command, 20, 1, NULL),
                     0);
    assert_int_equal(journal_commit(other.fixture.journal, NULL), 0);
    unlink(place->copy);
    assert_int_equal(journal_backup(other.fixture.journal, place->copy, NULL), 0);
    fixture_release(&other.fixture);
    put_copy(place);
    assert_int_equal(fixture_refused(&place->fixture, &err), ERROR_STALE);
    assert_non_null(strstr(err.text, "another history"));
}

static void a_memory_that_is_gone_is_not_made_up(void **state)
{
    struct place *place = *state;
    struct error err;

    grow_past_copy(place);
    unlink(place->signed_path);
    assert_int_equal(fixture_refused(&place->fixture, &err), ERROR_STALE);
    assert_non_null(strstr(err.text, "is missing"));
    assert_int_equal(small_file_replace(place->signed_path, slice_str("no note\n"), NULL), 0);
    assert_int_equal(fixture_refused(&place->fixture, &err), ERROR_STALE);
    assert_non_null(strstr(err.text, "is not about the journal"));
}

static void nothing_is_signed_that_cannot_be_remembered(void **state)
{
    struct place *place = *state;
    struct error err = {ERROR_NONE, ""};
    uint64_t size = 0;

    fixture_grow(&place->fixture, 3);
    assert_int_equal(mkdir(fixture_path(&place->fixture, "log.signed.new"), 0700), 0);
    assert_int_equal(journal_checkpoint(place->fixture.journal, NULL, &err), -1);
    assert_int_equal(err.class, ERROR_IO);
    assert_int_equal(journal_last_checkpoint(place->fixture.journal, NULL, &size, NULL), 0);
    assert_int_equal(rmdir(fixture_path(&place->fixture, "log.signed.new")), 0);
    assert_int_equal(journal_checkpoint(place->fixture.journal, NULL, &err), 0);
    assert_int_equal(remembered(place), 3);
}

static void an_older_memory_learns_from_the_journal(void **state)
{
    struct place *place = *state;
    struct buf older = BUF_EMPTY;

    fixture_grow(&place->fixture, 3);
    assert_int_equal(journal_checkpoint(place->fixture.journal, &older, NULL), 0);
    fixture_grow(&place->fixture, 3);
    journal_close(&place->fixture.journal);
    assert_int_equal(small_file_replace(place->signed_path, buf_slice(&older), NULL), 0);
    fixture_reopen(&place->fixture);
    assert_int_equal(remembered(place), 6);
    buf_release(&older);
}

static void a_name_is_not_used_for_a_second_journal(void **state)
{
    struct place *place = *state;
    struct journal *journal = NULL;
    struct error err;

    grow_past_copy(place);
    unlink(fixture_path(&place->fixture, "journal.db"));
    place->fixture.options.create = true;
    assert_int_equal(journal_open_sqlite(&place->fixture.options, &journal, &err), -1);
    assert_int_equal(err.class, ERROR_STALE);
    assert_non_null(strstr(err.text, "takes a new name"));
    assert_int_equal(journal_open_memory(&place->fixture.options, &journal, &err), -1);
    assert_int_equal(err.class, ERROR_STALE);
}

/* ---- the exchange ---- */

static struct restore *begin(struct place *place)
{
    struct restore *restore = NULL;
    struct error err;

    if (restore_begin(place->fixture.directory, place->copy, &restore, &err) != 0)
        fail_msg("%s", err.text);
    return restore;
}

static void a_copy_that_is_placed_is_the_journal_and_the_old_is_kept(void **state)
{
    struct place *place = *state;
    struct restore *restore;

    grow_past_copy(place);
    unlink(place->signed_path);
    place->fixture.options.signed_path = NULL;
    restore = begin(place);
    assert_int_equal(restore_in_place(restore, FIXTURE_ORIGIN), 12);
    assert_int_equal(restore_in_place(restore, NEW_ORIGIN), 0);
    assert_false(restore_is_placed(restore));
    assert_int_equal(restore_place(restore, NULL), 0);
    assert_int_equal(restore_end(restore, NULL), 0);
    restore_release(&restore);
    assert_int_equal(access(fixture_path(&place->fixture, "journal.db.before-restore.1"), F_OK), 0);
    assert_int_not_equal(access(fixture_path(&place->fixture, "restore.new"), F_OK), 0);
    fixture_reopen(&place->fixture);
    assert_int_equal(journal_committed(place->fixture.journal), 8);
}

static void what_is_not_placed_leaves_nothing(void **state)
{
    struct place *place = *state;
    struct restore *restore;

    grow_past_copy(place);
    restore = begin(place);
    assert_int_equal(access(restore_directory(restore), F_OK), 0);
    restore_release(&restore);
    assert_int_not_equal(access(fixture_path(&place->fixture, "restore.new"), F_OK), 0);
    fixture_reopen(&place->fixture);
    assert_int_equal(journal_committed(place->fixture.journal), 12);
}

static void an_interrupted_restore_keeps_the_journal_shut_and_goes_on(void **state)
{
    struct place *place = *state;
    struct restore *restore;
    struct error err;

    grow_past_copy(place);
    place->fixture.options.signed_path = NULL;
    restore = begin(place);
    assert_int_equal(restore_place(restore, NULL), 0);
    restore_release(&restore); /* before its end */
    assert_int_equal(fixture_refused(&place->fixture, &err), ERROR_DAMAGED);
    assert_non_null(strstr(err.text, "a restore was interrupted"));
    unlink(place->copy); /* not needed any more */
    restore = begin(place);
    assert_true(restore_is_placed(restore));
    assert_int_equal(restore_place(restore, NULL), 0);
    assert_int_equal(restore_end(restore, NULL), 0);
    restore_release(&restore);
    fixture_reopen(&place->fixture);
    assert_int_equal(journal_committed(place->fixture.journal), 8);
}

static void a_damaged_or_absent_copy_is_not_taken(void **state)
{
    struct place *place = *state;
    struct restore *restore = NULL;
    struct error err;
    FILE *file;

    grow_past_copy(place);
    file = fopen(place->copy, "r+");
    assert_non_null(file);
    fseek(file, 100, SEEK_SET);
    fputs("nonsense", file);
    fclose(file);
    assert_int_equal(restore_begin(place->fixture.directory, place->copy, &restore, &err), -1);
    assert_int_equal(err.class, ERROR_DAMAGED);
    unlink(place->copy);
    assert_int_equal(restore_begin(place->fixture.directory, place->copy, &restore, &err), -1);
    assert_int_equal(err.class, ERROR_INPUT);
    fixture_reopen(&place->fixture);
    assert_int_equal(restore_begin(place->fixture.directory, place->copy, &restore, &err), -1);
    assert_int_equal(err.class, ERROR_BUSY);
}

/* ---- another name ---- */

static void a_renamed_copy_has_no_checkpoint_of_before_and_every_entry(void **state)
{
    struct place *place = *state;
    struct journal *copy = NULL;
    struct restore *restore;
    struct journal_options options = place->fixture.options;
    uint64_t size = 0;
    struct error err;

    grow_past_copy(place);
    restore = begin(place);
    assert_int_equal(restore_rename(restore, NEW_ORIGIN, NULL), 0);
    options.directory = restore_directory(restore);
    options.signed_path = restore_signed_path(restore);
    assert_int_equal(journal_open_sqlite(&options, &copy, &err), -1);
    assert_int_equal(err.class, ERROR_INPUT); /* it has another name */
    options.origin = NEW_ORIGIN;
    if (journal_open_sqlite(&options, &copy, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(journal_origin(copy), NEW_ORIGIN);
    assert_int_equal(journal_last_checkpoint(copy, NULL, &size, NULL), 0);
    assert_int_equal(journal_committed(copy), 8);
    journal_close(&copy); /* signs it, and remembers that in the copy's own place */
    assert_int_equal(access(restore_signed_path(restore), F_OK), 0);
    assert_int_equal(remembered(place), 12);
    restore_release(&restore);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_checkpoint_is_remembered_beside_the_journal),
        TEST(an_older_copy_is_not_continued),
        TEST(another_history_is_not_continued),
        TEST(a_memory_that_is_gone_is_not_made_up),
        TEST(nothing_is_signed_that_cannot_be_remembered),
        TEST(an_older_memory_learns_from_the_journal),
        TEST(a_name_is_not_used_for_a_second_journal),
        TEST(a_copy_that_is_placed_is_the_journal_and_the_old_is_kept),
        TEST(what_is_not_placed_leaves_nothing),
        TEST(an_interrupted_restore_keeps_the_journal_shut_and_goes_on),
        TEST(a_damaged_or_absent_copy_is_not_taken),
        TEST(a_renamed_copy_has_no_checkpoint_of_before_and_every_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
