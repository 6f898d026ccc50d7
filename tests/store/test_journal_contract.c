/* The promises of store/journal.h, held by every backend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "leaf_builder.h"
#include "store/merkle.h"
#include "store/note.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

typedef int open_fn(const struct journal_options *options, struct journal **out, struct error *err);

struct kit {
    struct store_fixture fixture;
    struct journal *journal; /* of the fixture */
    struct error err;
    struct buf bytes;
};

static int setup_with(void **state, open_fn *open)
{
    struct kit *kit = calloc(1, sizeof *kit);

    fixture_init(&kit->fixture);
    kit->fixture.options.create = true;
    if (open(&kit->fixture.options, &kit->fixture.journal, &kit->err) != 0) {
        fprintf(stderr, "%s\n", kit->err.text);
        return -1;
    }
    kit->journal = kit->fixture.journal;
    *state = kit;
    return 0;
}

static int setup_sqlite(void **state)
{
    return setup_with(state, journal_open_sqlite);
}

static int setup_memory(void **state)
{
    return setup_with(state, journal_open_memory);
}

static int teardown(void **state)
{
    struct kit *kit = *state;

    fixture_release(&kit->fixture);
    buf_release(&kit->bytes);
    free(kit);
    return 0;
}

/* ---- short ways to say things ---- */

static void append(struct kit *kit, size_t count)
{
    assert_int_equal(append_leaves(kit->journal, &kit->fixture.next_command, count, 20, &kit->err),
                     0);
}

static void commit(struct kit *kit)
{
    assert_int_equal(journal_commit(kit->journal, &kit->err), 0);
}

static int put(struct kit *kit, const char *key, const char *bytes, int64_t due_ms)
{
    struct journal_row row = {slice_str(key), slice_str(bytes), due_ms};

    return journal_put_row(kit->journal, &row, &kit->err);
}

static const char *row(struct kit *kit, const char *key)
{
    int found;

    buf_clear(&kit->bytes);
    found = journal_row(kit->journal, slice_str(key), &kit->bytes, &kit->err);
    assert_true(found >= 0);
    return found == 1 ? buf_text(&kit->bytes) : NULL;
}

static int collect(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    struct buf *out = self;

    buf_add_slice(out, key);
    buf_add_str(out, "=");
    buf_add_slice(out, bytes);
    if (due_ms != JOURNAL_NO_DUE)
        buf_addf(out, "@%lld", (long long)due_ms);
    buf_add_str(out, " ");
    return 0;
}

static const char *rows(struct kit *kit, const char *prefix, const char *after)
{
    buf_clear(&kit->bytes);
    assert_int_equal(journal_each_row(kit->journal, slice_str(prefix), slice_str(after), collect,
                                      &kit->bytes, &kit->err),
                     0);
    return buf_text(&kit->bytes);
}

static const char *due(struct kit *kit, int64_t until_ms)
{
    buf_clear(&kit->bytes);
    assert_int_equal(journal_each_due(kit->journal, until_ms, collect, &kit->bytes, &kit->err), 0);
    return buf_text(&kit->bytes);
}

static int64_t next_due(struct kit *kit)
{
    int64_t due_ms = -7;

    assert_int_equal(journal_next_due(kit->journal, &due_ms, &kit->err), 0);
    return due_ms;
}

/* ---- leaves ---- */

static void a_new_journal_is_empty_and_has_the_root_of_nothing(void **state)
{
    struct kit *kit = *state;
    uint8_t root[HASH_LEN], empty[HASH_LEN];

    hash_bytes(slice_of(NULL, 0), empty);
    journal_root(kit->journal, root);
    assert_int_equal(journal_size(kit->journal), 0);
    assert_memory_equal(root, empty, HASH_LEN);
    assert_int_equal(journal_health(kit->journal), JOURNAL_OK);
    assert_true(journal_has_room(kit->journal));
    assert_int_equal(journal_last_checkpoint(kit->journal, NULL, NULL, &kit->err), 0);
}

static void a_leaf_comes_back_byte_for_byte_before_and_after_the_commit(void **state)
{
    struct kit *kit = *state;
    struct leaf_spec spec = {.seq = 0, .command = 1, .pad = 300};
    struct buf leaf = BUF_EMPTY;
    uint8_t id[16];

    leaf_command_id(1, id);
    leaf_build(&leaf, &spec);
    assert_int_equal(journal_append(kit->journal, buf_slice(&leaf), true, id, &kit->err), 0);
    for (int i = 0; i < 2; i++) {
        buf_clear(&kit->bytes);
        assert_int_equal(journal_leaf(kit->journal, 0, &kit->bytes, &kit->err), 1);
        assert_true(slice_equal(buf_slice(&kit->bytes), buf_slice(&leaf)));
        commit(kit);
    }
    assert_int_equal(journal_leaf(kit->journal, 1, &kit->bytes, &kit->err), 0);
    buf_release(&leaf);
}

static void a_leaf_with_another_seq_or_without_our_tag_is_refused(void **state)
{
    struct kit *kit = *state;
    struct leaf_spec spec = {.seq = 1, .command = 1};
    struct buf leaf = BUF_EMPTY;
    uint8_t id[16] = {0};

    leaf_build(&leaf, &spec);
    assert_int_equal(journal_append(kit->journal, buf_slice(&leaf), true, id, &kit->err), -1);
    assert_int_equal(kit->err.class, ERROR_INPUT);
    journal_rollback(kit->journal);
    assert_int_equal(journal_append(kit->journal, slice_str("not a leaf"), true, id, &kit->err),
                     -1);
    journal_rollback(kit->journal);
    assert_int_equal(journal_append(kit->journal, slice_of(NULL, 0), true, id, &kit->err), -1);
    journal_rollback(kit->journal);
    buf_release(&leaf);
    assert_int_equal(journal_size(kit->journal), 0);
}

static void a_leaf_of_65535_bytes_is_taken_and_a_longer_one_is_not(void **state)
{
    struct kit *kit = *state;
    struct leaf_spec spec = {.seq = 0, .command = 1, .pad = 65000};
    struct buf leaf = BUF_EMPTY;
    uint8_t id[16] = {0};

    leaf_build(&leaf, &spec);
    spec.pad += 65535 - leaf.len;
    buf_clear(&leaf);
    leaf_build(&leaf, &spec);
    assert_int_equal(leaf.len, 65535);
    assert_int_equal(journal_append(kit->journal, buf_slice(&leaf), true, id, &kit->err), 0);
    commit(kit);
    spec.seq = 1;
    spec.pad = 65000;
    buf_clear(&leaf);
    leaf_build(&leaf, &spec);
    spec.pad += 65536 - leaf.len;
    buf_clear(&leaf);
    leaf_build(&leaf, &spec);
    assert_int_equal(leaf.len, 65536);
    assert_int_equal(journal_append(kit->journal, buf_slice(&leaf), false, id, &kit->err), -1);
    journal_rollback(kit->journal);
    buf_release(&leaf);
}

static int count_leaf(void *self, uint64_t seq, struct slice leaf)
{
    uint64_t *next = self;

    assert_int_equal(seq, *next);
    assert_true(leaf.len > 0);
    (*next)++;
    return *next == 15 ? 99 : 0;
}

static void leaves_are_walked_in_order_until_the_callback_stops(void **state)
{
    struct kit *kit = *state;
    uint64_t next = 3;

    append(kit, 20);
    assert_int_equal(journal_each_leaf(kit->journal, 3, 9, count_leaf, &next, &kit->err), 0);
    assert_int_equal(next, 9);
    assert_int_equal(journal_each_leaf(kit->journal, 9, UINT64_MAX, count_leaf, &next, &kit->err),
                     99);
    assert_int_equal(next, 15);
    assert_int_equal(journal_each_leaf(kit->journal, 20, 30, count_leaf, &next, &kit->err), 0);
    assert_int_equal(next, 15);
}

/* ---- batches ---- */

static void committed_counts_only_what_is_durable(void **state)
{
    struct kit *kit = *state;

    append(kit, 3);
    assert_int_equal(journal_size(kit->journal), 3);
    assert_int_equal(journal_committed(kit->journal), 0);
    commit(kit);
    assert_int_equal(journal_committed(kit->journal), 3);
}

static void a_rollback_takes_back_everything_of_the_batch(void **state)
{
    struct kit *kit = *state;
    uint8_t before[HASH_LEN], after[HASH_LEN], id[16], hash[HASH_LEN], salt[16] = {1};
    uint64_t seq;

    append(kit, 5);
    assert_int_equal(put(kit, "a", "old", 10), 0);
    commit(kit);
    journal_root(kit->journal, before);

    append(kit, 9);
    hash_content(salt, slice_str("text"), hash);
    assert_int_equal(put(kit, "a", "new", 20), 0);
    assert_int_equal(put(kit, "b", "new", 30), 0);
    assert_string_equal(rows(kit, "", ""), "a=new@20 b=new@30 ");
    assert_int_equal(journal_put_content(kit->journal, hash, salt, slice_str("text"), &kit->err),
                     0);
    assert_int_equal(journal_put_lease(kit->journal, 7, slice_str("x"), &kit->err), 0);
    assert_int_equal(journal_put_meta(kit->journal, "k", slice_str("v"), &kit->err), 0);
    assert_int_equal(journal_put_part(kit->journal, slice_str("u"), 0, slice_str("d"), &kit->err),
                     0);
    journal_rollback(kit->journal);

    journal_root(kit->journal, after);
    assert_memory_equal(before, after, HASH_LEN);
    assert_int_equal(journal_size(kit->journal), 5);
    assert_string_equal(rows(kit, "", ""), "a=old@10 ");
    assert_string_equal(due(kit, 1000), "a=old@10 ");
    leaf_command_id(kit->fixture.next_command - 1, id);
    assert_int_equal(journal_command(kit->journal, id, &seq, &kit->err), 0);
    assert_int_equal(journal_content(kit->journal, hash, &kit->bytes, &kit->err), 0);
    assert_int_equal(journal_meta(kit->journal, "k", &kit->bytes, &kit->err), 0);
    assert_int_equal(journal_take_parts(kit->journal, slice_str("u"), &kit->bytes, &kit->err), 0);
    append(kit, 2);
    commit(kit);
    assert_int_equal(journal_size(kit->journal), 7);
}

static void after_a_write_that_failed_the_batch_cannot_be_committed(void **state)
{
    struct kit *kit = *state;

    append(kit, 1);
    assert_int_equal(put(kit, "", "no key", JOURNAL_NO_DUE), -1);
    assert_int_equal(put(kit, "fine", "x", JOURNAL_NO_DUE), -1);
    assert_int_equal(journal_commit(kit->journal, &kit->err), -1);
    assert_int_equal(journal_size(kit->journal), 0);
    assert_int_equal(journal_health(kit->journal), JOURNAL_OK);
    append(kit, 1);
    commit(kit);
    assert_int_equal(journal_committed(kit->journal), 1);
}

static void an_empty_batch_commits(void **state)
{
    struct kit *kit = *state;

    commit(kit);
    commit(kit);
    assert_int_equal(journal_committed(kit->journal), 0);
}

static void a_command_id_leads_to_the_first_leaf_of_its_run_and_is_taken_once(void **state)
{
    struct kit *kit = *state;
    uint64_t seq = 99;
    uint8_t id[16];
    struct leaf_spec spec = {.seq = 2, .command = 1};
    struct buf leaf = BUF_EMPTY;

    kit->fixture.next_command = 0;
    append(kit, 2);
    commit(kit);
    leaf_command_id(1, id);
    assert_int_equal(journal_command(kit->journal, id, &seq, &kit->err), 1);
    assert_int_equal(seq, 1);
    leaf_build(&leaf, &spec);
    assert_int_equal(journal_append(kit->journal, buf_slice(&leaf), true, id, &kit->err), -1);
    assert_int_equal(journal_commit(kit->journal, &kit->err), -1);
    assert_int_equal(journal_size(kit->journal), 2);
    leaf_command_id(77, id);
    assert_int_equal(journal_command(kit->journal, id, &seq, &kit->err), 0);
    buf_release(&leaf);
}

static uint64_t seq_of(struct kit *kit, uint64_t command)
{
    uint64_t seq = UINT64_MAX;
    uint8_t id[16];

    leaf_command_id(command, id);
    assert_true(journal_command(kit->journal, id, &seq, &kit->err) >= 0);
    return seq;
}

static void thousands_of_command_ids_are_found_among_batches_that_were_given_up(void **state)
{
    struct kit *kit = *state;

    for (int i = 0; i < 40; i++) {
        uint64_t before = kit->fixture.next_command;

        append(kit, 97);
        journal_rollback(kit->journal);
        assert_int_equal(seq_of(kit, before), UINT64_MAX);
        kit->fixture.next_command = before;
        append(kit, 83);
        commit(kit);
    }
    for (uint64_t command = 0; command < 40 * 83; command++)
        assert_int_equal(seq_of(kit, command), command);
    assert_int_equal(seq_of(kit, 40 * 83), UINT64_MAX);
}

/* ---- the state ---- */

static void the_last_row_of_a_batch_counts_and_an_empty_one_deletes(void **state)
{
    struct kit *kit = *state;

    put(kit, "x", "1", JOURNAL_NO_DUE);
    put(kit, "x", "a much longer second value", JOURNAL_NO_DUE);
    put(kit, "x", "3", JOURNAL_NO_DUE);
    put(kit, "y", "1", 5);
    put(kit, "y", "", JOURNAL_NO_DUE);
    assert_string_equal(row(kit, "x"), "3");
    assert_null(row(kit, "y"));
    commit(kit);
    assert_string_equal(row(kit, "x"), "3");
    assert_null(row(kit, "y"));
    put(kit, "x", "", JOURNAL_NO_DUE);
    assert_null(row(kit, "x"));
    assert_string_equal(rows(kit, "", ""), "");
    commit(kit);
    assert_null(row(kit, "x"));
    assert_int_equal(next_due(kit), JOURNAL_NO_DUE);
}

static void rows_are_walked_by_prefix_in_order_of_bytes(void **state)
{
    struct kit *kit = *state;

    put(kit, "SCP-0001@2.0/round/1/bo", "3", JOURNAL_NO_DUE);
    put(kit, "SCP-0001@2.0", "1", JOURNAL_NO_DUE);
    put(kit, "SCP-0001@2.0/round/1", "2", JOURNAL_NO_DUE);
    put(kit, "SCP-0002@1.0", "4", 9);
    put(kit, "\xc3\xa9t\xc3\xa9", "5", JOURNAL_NO_DUE);
    put(kit, "\xf4\x8f\xbf\xbf", "6", JOURNAL_NO_DUE);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(rows(kit, "SCP-0001@2.0/round/", ""),
                            "SCP-0001@2.0/round/1=2 SCP-0001@2.0/round/1/bo=3 ");
        assert_string_equal(rows(kit, "SCP-0001@2.0", "SCP-0001@2.0"),
                            "SCP-0001@2.0/round/1=2 SCP-0001@2.0/round/1/bo=3 ");
        assert_string_equal(rows(kit, "SCP", "SCP-0001@2.0/round/1/bo"), "SCP-0002@1.0=4@9 ");
        assert_string_equal(rows(kit, "SCP", "A"), rows(kit, "SCP", ""));
        assert_string_equal(rows(kit, "SCP", "T"), "");
        assert_string_equal(rows(kit, "\xf4\x8f\xbf\xbf", ""), "\xf4\x8f\xbf\xbf=6 ");
        assert_string_equal(rows(kit, "", "SCP-0002@1.0"),
                            "\xc3\xa9t\xc3\xa9=5 \xf4\x8f\xbf\xbf=6 ");
        commit(kit);
    }
}

static void a_walk_sees_rows_of_the_open_batch_and_later_ones_still_count(void **state)
{
    struct kit *kit = *state;

    put(kit, "a/1", "old", JOURNAL_NO_DUE);
    put(kit, "a/2", "old", JOURNAL_NO_DUE);
    commit(kit);
    put(kit, "a/1", "new", JOURNAL_NO_DUE);
    put(kit, "a/2", "", JOURNAL_NO_DUE);
    put(kit, "b", "other", JOURNAL_NO_DUE);
    assert_string_equal(rows(kit, "a/", ""), "a/1=new ");
    put(kit, "a/1", "newer", JOURNAL_NO_DUE);
    put(kit, "a/2", "again", JOURNAL_NO_DUE);
    assert_string_equal(rows(kit, "a/", ""), "a/1=newer a/2=again ");
    assert_string_equal(row(kit, "b"), "other");
    commit(kit);
    assert_string_equal(rows(kit, "", ""), "a/1=newer a/2=again b=other ");
}

static int walk_within(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    struct kit *kit = self;
    struct buf inner = BUF_EMPTY;

    (void)bytes;
    (void)due_ms;
    assert_int_equal(
        journal_each_row(kit->journal, key, slice_of(NULL, 0), collect, &inner, &kit->err), 0);
    buf_add_str(&kit->bytes, buf_text(&inner));
    buf_release(&inner);
    return 0;
}

static void a_walk_may_be_made_within_a_walk(void **state)
{
    struct kit *kit = *state;

    put(kit, "a", "1", JOURNAL_NO_DUE);
    put(kit, "ab", "2", JOURNAL_NO_DUE);
    commit(kit);
    buf_clear(&kit->bytes);
    assert_int_equal(journal_each_row(kit->journal, slice_str("a"), slice_of(NULL, 0), walk_within,
                                      kit, &kit->err),
                     0);
    assert_string_equal(buf_text(&kit->bytes), "a=1 ab=2 ab=2 ");
}

static void due_rows_come_earliest_first_and_follow_changes(void **state)
{
    struct kit *kit = *state;

    put(kit, "late", "1", 300);
    put(kit, "early", "1", 100);
    put(kit, "never", "1", JOURNAL_NO_DUE);
    put(kit, "zero", "1", 0);
    assert_int_equal(next_due(kit), 0);
    commit(kit);
    assert_string_equal(due(kit, 299), "zero=1@0 early=1@100 ");
    assert_string_equal(due(kit, 300), "zero=1@0 early=1@100 late=1@300 ");
    put(kit, "zero", "2", 400);
    put(kit, "early", "2", JOURNAL_NO_DUE);
    assert_int_equal(next_due(kit), 300);
    assert_string_equal(due(kit, 1000), "late=1@300 zero=2@400 ");
    put(kit, "late", "", JOURNAL_NO_DUE);
    commit(kit);
    assert_string_equal(due(kit, 1000), "zero=2@400 ");
    assert_int_equal(next_due(kit), 400);
}

static void a_row_key_is_1_to_256_bytes_of_text(void **state)
{
    struct kit *kit = *state;
    char key[258];

    memset(key, 'k', sizeof key);
    key[257] = '\0';
    assert_int_equal(put(kit, key, "x", JOURNAL_NO_DUE), -1);
    journal_rollback(kit->journal);
    key[256] = '\0';
    assert_int_equal(put(kit, key, "x", 1), 0);
    assert_int_equal(put(kit, "\xff", "x", 1), -1);
    journal_rollback(kit->journal);
    assert_int_equal(put(kit, key, "x", 1), 0);
    commit(kit);
    assert_string_equal(row(kit, key), "x");
    assert_int_equal(next_due(kit), 1);
}

/* ---- contents, uploads, leases, meta ---- */

static void a_content_is_kept_under_its_salted_hash_until_it_is_redacted(void **state)
{
    struct kit *kit = *state;
    uint8_t hash[HASH_LEN], salt[16] = {1, 2, 3};

    hash_content(salt, slice_str("for eyes only"), hash);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            journal_put_content(kit->journal, hash, salt, slice_str("for eyes only"), &kit->err),
            0);
    commit(kit);
    buf_clear(&kit->bytes);
    assert_int_equal(journal_content(kit->journal, hash, &kit->bytes, &kit->err), 1);
    assert_string_equal(buf_text(&kit->bytes), "for eyes only");
    assert_int_equal(journal_redact_content(kit->journal, hash, &kit->err), 0);
    append(kit, 1);
    commit(kit);
    assert_int_equal(journal_content(kit->journal, hash, &kit->bytes, &kit->err), 0);
    assert_int_equal(journal_put_content(kit->journal, hash, salt, slice_str("forged"), &kit->err),
                     -1);
    assert_int_equal(kit->err.class, ERROR_INPUT);
    journal_rollback(kit->journal);
}

static void an_empty_content_is_a_content(void **state)
{
    struct kit *kit = *state;
    uint8_t hash[HASH_LEN], salt[16] = {9};

    hash_content(salt, slice_of(NULL, 0), hash);
    assert_int_equal(journal_put_content(kit->journal, hash, salt, slice_of(NULL, 0), &kit->err),
                     0);
    commit(kit);
    buf_clear(&kit->bytes);
    assert_int_equal(journal_content(kit->journal, hash, &kit->bytes, &kit->err), 1);
    assert_int_equal(kit->bytes.len, 0);
}

static const char *parts(struct kit *kit, const char *upload)
{
    buf_clear(&kit->bytes);
    return journal_take_parts(kit->journal, slice_str(upload), &kit->bytes, &kit->err) == 1
               ? buf_text(&kit->bytes)
               : NULL;
}

static void parts_of_an_upload_are_joined_in_order_and_dropped_together(void **state)
{
    struct kit *kit = *state;

    journal_put_part(kit->journal, slice_str("up"), 300, slice_str("C"), &kit->err);
    journal_put_part(kit->journal, slice_str("up"), 0, slice_str("x"), &kit->err);
    journal_put_part(kit->journal, slice_str("up"), 2, slice_str("B"), &kit->err);
    journal_put_part(kit->journal, slice_str("up"), 0, slice_str("A"), &kit->err);
    journal_put_part(kit->journal, slice_str("upper"), 0, slice_str("other"), &kit->err);
    commit(kit);
    assert_string_equal(parts(kit, "up"), "ABC");
    assert_int_equal(journal_drop_upload(kit->journal, slice_str("up"), &kit->err), 0);
    commit(kit);
    assert_null(parts(kit, "up"));
    assert_string_equal(parts(kit, "upper"), "other");
    assert_null(parts(kit, ""));
}

static int collect_note(void *self, struct slice id, struct slice note)
{
    buf_addf(self, "%.*s=%.*s ", (int)id.len, (const char *)id.at, (int)note.len,
             (const char *)note.at);
    return 0;
}

static const char *notes(struct kit *kit)
{
    buf_clear(&kit->bytes);
    assert_int_equal(journal_each_note(kit->journal, collect_note, &kit->bytes, &kit->err), 0);
    return buf_text(&kit->bytes);
}

static void notes_stand_beside_uploads_and_are_no_part_of_them(void **state)
{
    struct kit *kit = *state;

    journal_put_part(kit->journal, slice_str("upper"), 0, slice_str("A"), &kit->err);
    journal_put_part(kit->journal, slice_str("upper"), 7, slice_str("B"), &kit->err);
    journal_put_note(kit->journal, slice_str("upper"), slice_str("old"), &kit->err);
    journal_put_note(kit->journal, slice_str("upper"), slice_str("new"), &kit->err);
    journal_put_note(kit->journal, slice_str("lone"), slice_str("x"), &kit->err);
    journal_put_part(kit->journal, slice_str("z"), 1, slice_str("C"), &kit->err);
    commit(kit);
    assert_string_equal(notes(kit), "lone=x upper=new z= ");
    assert_string_equal(parts(kit, "upper"), "AB");
    assert_null(parts(kit, "lone"));
    assert_int_equal(journal_drop_upload(kit->journal, slice_str("upper"), &kit->err), 0);
    assert_int_equal(journal_drop_upload(kit->journal, slice_str("lone"), &kit->err), 0);
    journal_rollback(kit->journal);
    assert_string_equal(notes(kit), "lone=x upper=new z= ");
    journal_drop_upload(kit->journal, slice_str("upper"), &kit->err);
    journal_drop_upload(kit->journal, slice_str("lone"), &kit->err);
    commit(kit);
    assert_string_equal(notes(kit), "z= ");
    assert_int_equal(
        journal_put_part(kit->journal, slice_str("z"), UINT32_MAX, slice_str("D"), &kit->err), -1);
    journal_rollback(kit->journal);
    assert_int_equal(journal_put_note(kit->journal, slice_str(""), slice_str("D"), &kit->err), -1);
    journal_rollback(kit->journal);
}

static int collect_lease(void *self, int64_t task, struct slice lease)
{
    buf_addf(self, "%lld=%.*s ", (long long)task, (int)lease.len, (const char *)lease.at);
    return 0;
}

static void leases_are_walked_by_task_and_removed_by_nothing(void **state)
{
    struct kit *kit = *state;

    journal_put_lease(kit->journal, 300, slice_str("c"), &kit->err);
    journal_put_lease(kit->journal, 2, slice_str("b"), &kit->err);
    journal_put_lease(kit->journal, 2, slice_str("B"), &kit->err);
    journal_put_lease(kit->journal, 5, slice_str("x"), &kit->err);
    commit(kit);
    journal_put_lease(kit->journal, 5, slice_of(NULL, 0), &kit->err);
    buf_clear(&kit->bytes);
    assert_int_equal(journal_each_lease(kit->journal, collect_lease, &kit->bytes, &kit->err), 0);
    assert_string_equal(buf_text(&kit->bytes), "2=B 300=c ");
    commit(kit);
}

static void meta_is_kept_and_the_journals_own_cannot_be_written(void **state)
{
    struct kit *kit = *state;

    assert_int_equal(journal_put_meta(kit->journal, "schema", slice_str("7"), &kit->err), 0);
    commit(kit);
    buf_clear(&kit->bytes);
    assert_int_equal(journal_meta(kit->journal, "schema", &kit->bytes, &kit->err), 1);
    assert_string_equal(buf_text(&kit->bytes), "7");
    assert_int_equal(journal_put_meta(kit->journal, "schema", slice_of(NULL, 0), &kit->err), 0);
    commit(kit);
    assert_int_equal(journal_meta(kit->journal, "schema", &kit->bytes, &kit->err), 0);
    assert_int_equal(journal_put_meta(kit->journal, "log_key", slice_str("mine"), &kit->err), -1);
    journal_rollback(kit->journal);
}

/* ---- the tree and its checkpoints ---- */

static void root_of_leaves(struct kit *kit, uint64_t size, uint8_t out[HASH_LEN])
{
    struct merkle_frontier tree = {.size = 0};
    uint8_t hash[HASH_LEN];

    for (uint64_t seq = 0; seq < size; seq++) {
        buf_clear(&kit->bytes);
        assert_int_equal(journal_leaf(kit->journal, seq, &kit->bytes, &kit->err), 1);
        merkle_leaf_hash(buf_slice(&kit->bytes), hash);
        merkle_append(&tree, hash, NULL, NULL);
    }
    merkle_root(&tree, out);
}

static void the_root_is_that_of_the_leaves(void **state)
{
    struct kit *kit = *state;
    uint8_t root[HASH_LEN], want[HASH_LEN];

    for (int i = 1; i < 12; i++) {
        append(kit, (size_t)i);
        root_of_leaves(kit, journal_size(kit->journal), want);
        journal_root(kit->journal, root);
        assert_memory_equal(root, want, HASH_LEN);
        commit(kit);
    }
}

static void every_proof_over_committed_leaves_holds(void **state)
{
    struct kit *kit = *state;
    uint8_t roots[24][HASH_LEN], hash[HASH_LEN];
    struct buf proof = BUF_EMPTY;

    for (uint64_t size = 0; size < 24; size++) {
        journal_root(kit->journal, roots[size]);
        append(kit, 1);
        commit(kit);
    }
    for (uint64_t size = 1; size < 24; size++)
        for (uint64_t at = 0; at <= size; at++) {
            buf_clear(&proof);
            assert_int_equal(journal_consistency(kit->journal, at, size, &proof, &kit->err), 0);
            assert_true(
                merkle_consistency_holds(at, roots[at], size, roots[size], buf_slice(&proof)));
            if (at == size)
                continue;
            buf_clear(&proof);
            buf_clear(&kit->bytes);
            journal_leaf(kit->journal, at, &kit->bytes, &kit->err);
            merkle_leaf_hash(buf_slice(&kit->bytes), hash);
            assert_int_equal(journal_inclusion(kit->journal, at, size, &proof, &kit->err), 0);
            assert_true(merkle_inclusion_holds(hash, at, size, buf_slice(&proof), roots[size]));
        }
    append(kit, 1);
    assert_int_equal(journal_inclusion(kit->journal, 0, 25, &proof, &kit->err), -1);
    assert_int_equal(journal_inclusion(kit->journal, 5, 5, &proof, &kit->err), -1);
    assert_int_equal(journal_consistency(kit->journal, 5, 4, &proof, &kit->err), -1);
    buf_release(&proof);
}

static void a_checkpoint_signs_what_is_committed_and_only_when_it_grew(void **state)
{
    struct kit *kit = *state;
    struct buf first = BUF_EMPTY, again = BUF_EMPTY;
    uint8_t key[SIGN_KEY_LEN], root[HASH_LEN];
    struct note_key log;
    struct checkpoint checkpoint;
    uint64_t size = 0;

    assert_int_equal(journal_checkpoint(kit->journal, &first, &kit->err), 0);
    assert_int_equal(first.len, 0);
    append(kit, 7);
    commit(kit);
    assert_int_equal(journal_checkpoint(kit->journal, &first, &kit->err), 0);
    sign_public_key(kit->fixture.options.log_seed, key);
    assert_int_equal(note_key_make(slice_str(FIXTURE_ORIGIN), key, &log, &kit->err), 0);
    assert_int_equal(checkpoint_open(buf_slice(&first), &log, &checkpoint, &kit->err), 0);
    journal_root(kit->journal, root);
    assert_int_equal(checkpoint.size, 7);
    assert_memory_equal(checkpoint.root, root, HASH_LEN);
    assert_int_equal(journal_checkpoint(kit->journal, &again, &kit->err), 0);
    assert_true(slice_equal(buf_slice(&first), buf_slice(&again)));
    append(kit, 2);
    commit(kit);
    assert_int_equal(journal_checkpoint(kit->journal, NULL, &kit->err), 0);
    buf_clear(&again);
    assert_int_equal(journal_last_checkpoint(kit->journal, &again, &size, &kit->err), 1);
    assert_int_equal(size, 9);
    buf_release(&first);
    buf_release(&again);
}

static void idle_work_asks_to_be_called_again_or_not(void **state)
{
    struct kit *kit = *state;
    int next_ms = 0;

    append(kit, 3);
    commit(kit);
    for (int64_t now = 0, calls = 0; next_ms >= 0; now += next_ms, calls++) {
        assert_true(calls < 10);
        assert_int_equal(journal_idle(kit->journal, now, &next_ms, &kit->err), 0);
    }
}

#define ON(test, store)                                                                            \
    {                                                                                              \
#test " (" #store ")", test, setup_##store, teardown, NULL                                 \
    }
#define BOTH(test) ON(test, sqlite), ON(test, memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_new_journal_is_empty_and_has_the_root_of_nothing),
        BOTH(a_leaf_comes_back_byte_for_byte_before_and_after_the_commit),
        BOTH(a_leaf_with_another_seq_or_without_our_tag_is_refused),
        BOTH(a_leaf_of_65535_bytes_is_taken_and_a_longer_one_is_not),
        BOTH(leaves_are_walked_in_order_until_the_callback_stops),
        BOTH(committed_counts_only_what_is_durable),
        BOTH(a_rollback_takes_back_everything_of_the_batch),
        BOTH(after_a_write_that_failed_the_batch_cannot_be_committed),
        BOTH(an_empty_batch_commits),
        BOTH(a_command_id_leads_to_the_first_leaf_of_its_run_and_is_taken_once),
        BOTH(thousands_of_command_ids_are_found_among_batches_that_were_given_up),
        BOTH(the_last_row_of_a_batch_counts_and_an_empty_one_deletes),
        BOTH(rows_are_walked_by_prefix_in_order_of_bytes),
        BOTH(a_walk_sees_rows_of_the_open_batch_and_later_ones_still_count),
        BOTH(a_walk_may_be_made_within_a_walk),
        BOTH(due_rows_come_earliest_first_and_follow_changes),
        BOTH(a_row_key_is_1_to_256_bytes_of_text),
        BOTH(a_content_is_kept_under_its_salted_hash_until_it_is_redacted),
        BOTH(an_empty_content_is_a_content),
        BOTH(parts_of_an_upload_are_joined_in_order_and_dropped_together),
        BOTH(notes_stand_beside_uploads_and_are_no_part_of_them),
        BOTH(leases_are_walked_by_task_and_removed_by_nothing),
        BOTH(meta_is_kept_and_the_journals_own_cannot_be_written),
        BOTH(the_root_is_that_of_the_leaves),
        BOTH(every_proof_over_committed_leaves_holds),
        BOTH(a_checkpoint_signs_what_is_committed_and_only_when_it_grew),
        BOTH(idle_work_asks_to_be_called_again_or_not),
    };

    return cmocka_run_group_tests_name("journal contract", tests, NULL, NULL);
}
