/* What only the durable store can get wrong: files, locks, damage, full and failing disks, attacks by SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fault_vfs.h"
#include "leaf_builder.h"
#include "store/lock.h"
#include "store/salvage.h"
#include "store/sqlite.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int setup(void **state)
{
    struct store_fixture *fixture = calloc(1, sizeof *fixture);

    fixture_init(fixture);
    fixture_create(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_release(*state);
    free(*state);
    return 0;
}

static int setup_faults(void **state)
{
    fault_vfs_install();
    return setup(state);
}

static int teardown_faults(void **state)
{
    teardown(state);
    fault_vfs_remove();
    return 0;
}

static void root_of(struct store_fixture *fixture, uint8_t out[HASH_LEN])
{
    journal_root(fixture->journal, out);
}

static void put_size_row(struct store_fixture *fixture, const char *text)
{
    struct journal_row row = {slice_str("size"), slice_str(text), JOURNAL_NO_DUE};

    assert_int_equal(journal_put_row(fixture->journal, &row, NULL), 0);
}

/* ---- opening ---- */

static void what_was_committed_is_there_after_opening_again(void **state)
{
    struct store_fixture *fixture = *state;
    uint8_t before[HASH_LEN], after[HASH_LEN];
    struct buf row = BUF_EMPTY;

    put_size_row(fixture, "13");
    fixture_grow(fixture, 13);
    root_of(fixture, before);
    for (int i = 0; i < 3; i++) {
        fixture_reopen(fixture);
        root_of(fixture, after);
        assert_int_equal(journal_committed(fixture->journal), 13);
        assert_memory_equal(before, after, HASH_LEN);
        assert_int_equal(journal_row(fixture->journal, slice_str("size"), &row, NULL), 1);
    }
    buf_release(&row);
    fixture_grow(fixture, 1);
    assert_int_equal(journal_committed(fixture->journal), 14);
}

static void command_ids_are_there_after_opening_again(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t seq;
    uint8_t id[16];

    for (int i = 0; i < 5; i++) {
        fixture_grow(fixture, 1);
        fixture_grow(fixture, 288); /* 289 fill a block */
        fixture_grow(fixture, (size_t)(1 + 100 * i));
        fixture_reopen(fixture);
        for (uint64_t command = 0; command < fixture->next_command; command++) {
            leaf_command_id(command, id);
            assert_int_equal(journal_command(fixture->journal, id, &seq, NULL), 1);
            assert_int_equal(seq, command);
        }
        leaf_command_id(fixture->next_command, id);
        assert_int_equal(journal_command(fixture->journal, id, &seq, NULL), 0);
    }
}

static void a_batch_that_was_open_at_the_close_is_gone(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;

    fixture_grow(fixture, 2);
    append_leaves(fixture->journal, &fixture->next_command, 3, 0, &err);
    fixture_reopen(fixture);
    assert_int_equal(journal_size(fixture->journal), 2);
}

static void closing_signs_what_was_not_signed(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t size = 0;

    fixture_grow(fixture, 6);
    fixture_reopen(fixture);
    assert_int_equal(journal_last_checkpoint(fixture->journal, NULL, &size, NULL), 1);
    assert_int_equal(size, 6);
}

static void a_second_engine_is_refused_and_told_where_and_by_whom(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;
    char pid[32];

    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_int_equal(fixture_refused(fixture, &err), ERROR_BUSY);
    assert_non_null(strstr(err.text, fixture->directory));
    assert_non_null(strstr(err.text, pid));
    journal_close(&fixture->journal);
    assert_int_equal(fixture_refused(fixture, &err), ERROR_NONE);
}

static void network_file_systems_are_known_by_name(void **state)
{
    (void)state;
    assert_string_equal(lock_network_name(0x6969), "NFS");
    assert_string_equal(lock_network_name((long)0xff534d42), "CIFS");
    assert_string_equal(lock_network_name((long)(int)0xff534d42), "CIFS");
    assert_null(lock_network_name(0xef53));     /* ext4 */
    assert_null(lock_network_name(0x01021994)); /* tmpfs */
}

static void a_journal_is_made_once_and_opened_only_where_there_is_one(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;

    journal_close(&fixture->journal);
    fixture->options.create = true;
    assert_int_equal(fixture_refused(fixture, &err), ERROR_INPUT);
    fixture->options.create = false;
    assert_int_equal(unlink(fixture_path(fixture, "journal.db")), 0);
    assert_int_equal(fixture_refused(fixture, &err), ERROR_IO);
    fixture->options.directory = "/nonexistent/place";
    assert_int_equal(fixture_refused(fixture, &err), ERROR_IO);
    fixture->options.directory = fixture->directory;
}

static void another_origin_or_another_signing_key_is_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;

    journal_close(&fixture->journal);
    fixture->options.origin = "rota.example.org/other";
    assert_int_equal(fixture_refused(fixture, &err), ERROR_INPUT);
    fixture->options.origin = NULL;
    fixture->options.log_seed[0] ^= 1;
    assert_int_equal(fixture_refused(fixture, &err), ERROR_INPUT);
    fixture->options.log_seed[0] ^= 1;
    assert_int_equal(fixture_refused(fixture, &err), ERROR_NONE);
}

static void without_the_signing_key_it_opens_and_signs_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t size = 0;

    fixture_grow(fixture, 3);
    journal_close(&fixture->journal);
    fixture->options.has_log_seed = false;
    fixture_reopen(fixture);
    fixture_grow(fixture, 2);
    assert_int_equal(journal_checkpoint(fixture->journal, NULL, NULL), 0);
    fixture_reopen(fixture);
    assert_int_equal(journal_last_checkpoint(fixture->journal, NULL, &size, NULL), 1);
    assert_int_equal(size, 3);
    assert_int_equal(journal_committed(fixture->journal), 5);
}

static void a_file_that_is_no_journal_is_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;
    FILE *file;
    sqlite3 *db;

    journal_close(&fixture->journal);
    unlink(fixture_path(fixture, "journal.db"));
    assert_int_equal(sqlite3_open(fixture_path(fixture, "journal.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(fixture_refused(fixture, &err), ERROR_INPUT);
    file = fopen(fixture_path(fixture, "journal.db"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database", file);
    fclose(file);
    assert_int_equal(fixture_refused(fixture, &err), ERROR_DAMAGED);
}

static void the_files_are_readable_by_their_owner_only(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat about;

    fixture_grow(fixture, 1);
    assert_int_equal(stat(fixture_path(fixture, "journal.db"), &about), 0);
    assert_int_equal(about.st_mode & 077, 0);
    assert_int_equal(stat(fixture_path(fixture, "journal.db-wal"), &about), 0);
    assert_int_equal(about.st_mode & 077, 0);
}

/* ---- attacks by SQL ---- */

/* Runs it to the end; true if SQLite refused at any point. */
static bool is_refused(sqlite3 *db, const char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        fprintf(stderr, "not refused: %s\n", sql);
    return rc != SQLITE_OK;
}

static const char *const REWRITES[] = {
    "UPDATE journal SET entry = x'00' WHERE seq = 1",
    "UPDATE journal SET seq = 99 WHERE seq = 1",
    "UPDATE OR REPLACE journal SET seq = 0 WHERE seq = 1",
    "DELETE FROM journal WHERE seq = 4",
    "DELETE FROM journal",
    "INSERT OR REPLACE INTO journal VALUES(1, x'00')",
    "REPLACE INTO journal VALUES(4, x'00')",
    "INSERT INTO journal VALUES(1, x'00') ON CONFLICT(seq) DO UPDATE SET entry = x'00'",
    "INSERT INTO journal VALUES(6, x'00')",
    "INSERT INTO journal VALUES(-1, x'00')",
    "INSERT INTO journal(rowid, entry) VALUES(9, x'00')",
    "INSERT INTO journal VALUES(5, 'text')",
    "INSERT INTO journal VALUES(5, NULL)",
    "INSERT INTO journal VALUES(5, x'')",
    "INSERT INTO journal VALUES(5, zeroblob(65536))",
    "UPDATE checkpoint SET note = 'x'",
    "DELETE FROM checkpoint",
    "INSERT OR REPLACE INTO checkpoint VALUES(5, 'x')",
    "INSERT INTO checkpoint VALUES(3, 'x')",
};

static void our_own_connection_refuses_to_rewrite_history(void **state)
{
    static const char *const more[] = {
        "UPDATE node SET hash = x'00'",
        "DELETE FROM node",
        "DELETE FROM command",
        "UPDATE command SET ids = x'00'",
        "UPDATE content SET data = x'00'",
        "UPDATE cosignature SET line = 'x'",
        "DELETE FROM cosignature",
        "DROP TABLE journal",
        "DROP TRIGGER journal_no_update",
        "DROP INDEX state_due",
        "ALTER TABLE journal RENAME TO journal2",
        "ALTER TABLE journal ADD COLUMN x",
        "CREATE TABLE x(y)",
        "CREATE TEMP TABLE x(y)",
        "CREATE VIEW x AS SELECT 1",
        "CREATE TRIGGER x AFTER INSERT ON journal BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER x AFTER INSERT ON main.journal BEGIN SELECT 1; END",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = OFF",
        "UPDATE sqlite_schema SET sql = ''",
        "DELETE FROM sqlite_schema",
        "VACUUM",
        "REINDEX",
        "ANALYZE",
        "SAVEPOINT x",
    };
    struct store_fixture *fixture = *state;
    uint8_t before[HASH_LEN], after[HASH_LEN];
    sqlite3 *db;

    fixture_grow(fixture, 5);
    assert_int_equal(journal_checkpoint(fixture->journal, NULL, NULL), 0);
    root_of(fixture, before);
    db = journal_sqlite_handle(fixture->journal);
    for (size_t i = 0; i < sizeof REWRITES / sizeof REWRITES[0]; i++)
        assert_true(is_refused(db, REWRITES[i]));
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        assert_true(is_refused(db, more[i]));
    fixture_reopen(fixture);
    root_of(fixture, after);
    assert_memory_equal(before, after, HASH_LEN);
}

static void any_other_connection_refuses_to_rewrite_history(void **state)
{
    struct store_fixture *fixture = *state;
    uint8_t before[HASH_LEN], after[HASH_LEN];
    sqlite3 *db;

    fixture_grow(fixture, 5);
    root_of(fixture, before);
    journal_close(&fixture->journal);
    assert_int_equal(sqlite3_open(fixture_path(fixture, "journal.db"), &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof REWRITES / sizeof REWRITES[0]; i++)
        assert_true(is_refused(db, REWRITES[i]));
    sqlite3_close(db);
    fixture_reopen(fixture);
    root_of(fixture, after);
    assert_memory_equal(before, after, HASH_LEN);
}

/* ---- damage ---- */

/* Changes the closed file by SQL as somebody would who owns it; puts everything dropped back. */
static void tamper(struct store_fixture *fixture, const char *drop, const char *change)
{
    struct buf restore = BUF_EMPTY;
    sqlite3_stmt *stmt;
    sqlite3 *db;

    journal_close(&fixture->journal);
    assert_int_equal(sqlite3_open(fixture_path(fixture, "journal.db"), &db), SQLITE_OK);
    if (drop != NULL) {
        char *sql = sqlite3_mprintf("DROP TRIGGER %s", drop);

        assert_int_equal(sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE name = ?1", -1,
                                            &stmt, NULL),
                         SQLITE_OK);
        sqlite3_bind_text(stmt, 1, drop, -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        buf_add_str(&restore, (const char *)sqlite3_column_text(stmt, 0));
        sqlite3_finalize(stmt);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_free(sql);
    }
    if (sqlite3_exec(db, change, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", change, sqlite3_errmsg(db));
    if (drop != NULL)
        assert_int_equal(sqlite3_exec(db, buf_text(&restore), NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    buf_release(&restore);
}

static void assert_damaged(struct store_fixture *fixture, const char *says)
{
    struct error err = {ERROR_NONE, ""};

    assert_int_equal(fixture_refused(fixture, &err), ERROR_DAMAGED);
    assert_non_null(strstr(err.text, "journal.db is damaged"));
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, says);
    assert_int_equal(fixture_refused(fixture, &err), ERROR_DAMAGED);
}

static void a_changed_leaf_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, "journal_no_update",
           "UPDATE journal SET entry = CAST(replace(entry, 'engine', 'angine') AS BLOB) WHERE seq "
           "= 3");
    assert_damaged(fixture, "not those the stored tree was made of");
}

static void a_tree_made_anew_over_changed_leaves_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    /* With one leaf there is no stored node, so that nothing but the signature stands in the way. */
    fixture_grow(fixture, 1);
    tamper(fixture, "journal_no_update",
           "UPDATE journal SET entry = CAST(replace(entry, 'engine', 'angine') AS BLOB)");
    assert_damaged(fixture, "not the ones that were signed");
}

static void a_missing_tail_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, "journal_no_delete", "DELETE FROM journal WHERE seq = 8");
    assert_damaged(fixture, "tail is missing");
}

static void a_missing_leaf_in_the_middle_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, "journal_no_delete", "DELETE FROM journal WHERE seq = 4");
    assert_damaged(fixture, "entry 4 is missing");
}

static void a_changed_or_missing_node_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, NULL, "UPDATE node SET hash = zeroblob(32) WHERE level = 3");
    assert_damaged(fixture, "not those the stored tree was made of");
    tamper(fixture, NULL, "DELETE FROM node WHERE level = 3");
    assert_damaged(fixture, "node 3/0 of the tree is missing");
    tamper(fixture, NULL, "INSERT INTO node VALUES(3, 0, x'00')");
    assert_damaged(fixture, "not a hash");
}

static void a_changed_checkpoint_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, "checkpoint_no_update", "UPDATE checkpoint SET note = replace(note, '9', '8')");
    assert_damaged(fixture, "checkpoint");
}

static void a_checkpoint_of_another_size_than_its_row_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, "checkpoint_no_update", "UPDATE checkpoint SET size = 8");
    assert_damaged(fixture, "says 9");
}

static void a_checkpoint_signed_by_another_key_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, "checkpoint_no_update",
           "UPDATE checkpoint SET note = replace(note, '— rota', '— rote')");
    fixture->options.has_log_seed = false;
    assert_damaged(fixture, "not signed by");
}

static void another_log_key_than_the_first_entry_names_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 9);
    tamper(fixture, NULL, "UPDATE meta SET value = zeroblob(32) WHERE key = 'log_key'");
    fixture->options.has_log_seed = false;
    assert_damaged(fixture, "entry 0 has another log_key");
}

static void a_block_of_command_ids_that_is_none_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 300);
    tamper(fixture, NULL, "UPDATE command SET ids = x'00' WHERE block = 1");
    assert_damaged(fixture, "block 1 of the command ids");
    tamper(fixture, NULL,
           "UPDATE command SET ids = CAST(zeroblob(8) || x'000000ffffff' AS BLOB) WHERE block = 1");
    assert_damaged(fixture, "not there");
    tamper(fixture, NULL, "DELETE FROM command WHERE block = 0");
    assert_damaged(fixture, "block 1 of the command ids");
}

static void a_changed_schema_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    tamper(fixture, NULL, "DROP TRIGGER journal_no_update");
    assert_damaged(fixture, "'journal_no_update' is gone");
    tamper(fixture, NULL,
           "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT 1; END");
    assert_damaged(fixture, "'journal_no_update' was changed");
    tamper(fixture, "journal_no_update", "CREATE VIEW extra AS SELECT 1");
    assert_damaged(fixture, "'extra' was added");
}

static void a_file_whose_end_is_cut_off_is_found(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat about;

    fixture_grow(fixture, 200);
    journal_close(&fixture->journal);
    assert_int_equal(stat(fixture_path(fixture, "journal.db"), &about), 0);
    assert_int_equal(truncate(fixture_path(fixture, "journal.db"), about.st_size - 4096), 0);
    assert_damaged(fixture, "");
}

/* Of a table in the closed file. */
static long root_page(struct store_fixture *fixture, const char *table)
{
    sqlite3_stmt *stmt;
    sqlite3 *db;
    long page;

    assert_int_equal(sqlite3_open(fixture_path(fixture, "journal.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    page = (long)sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return page;
}

/* Overwrites the count of cells of a page and where they begin. */
static void break_page(struct store_fixture *fixture, long page)
{
    FILE *file = fopen(fixture_path(fixture, "journal.db"), "r+");

    assert_non_null(file);
    assert_int_equal(fseek(file, (page - 1) * 4096 + 3, SEEK_SET), 0);
    assert_int_equal(fputs("\xff\xff\xff\xff", file) >= 0, 1);
    fclose(file);
}

static void a_broken_page_is_found(void **state)
{
    struct store_fixture *fixture = *state;

    fixture_grow(fixture, 20);
    journal_close(&fixture->journal);
    break_page(fixture, root_page(fixture, "node"));
    assert_damaged(fixture, "");
}

static int idle_until_quiet(struct store_fixture *fixture, struct error *err)
{
    int next_ms = 0, rc;
    int64_t now_ms = 0;

    do {
        rc = journal_idle(fixture->journal, now_ms, &next_ms, err);
        now_ms += 100;
        usleep(1000);
    } while (rc == 0 && next_ms >= 0);
    return rc;
}

static void after_a_clean_stop_the_pages_are_checked_beside_the_work(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;

    fixture_grow(fixture, 20);
    journal_close(&fixture->journal);
    fixture->options.trust_clean_stop = true;
    fixture_reopen(fixture);
    fixture_grow(fixture, 1);
    assert_int_equal(idle_until_quiet(fixture, &err), 0);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_OK);
    fixture_reopen(fixture);
    assert_int_equal(journal_committed(fixture->journal), 21);
}

static void damage_that_the_check_beside_the_work_finds_makes_it_read_only(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;

    fixture_grow(fixture, 20);
    journal_close(&fixture->journal);
    break_page(fixture, root_page(fixture, "upload")); /* which nobody reads at the start */
    fixture->options.trust_clean_stop = true;
    fixture_reopen(fixture);
    assert_int_equal(idle_until_quiet(fixture, &err), -1);
    assert_int_equal(err.class, ERROR_DAMAGED);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_UNKNOWN);
    journal_close(&fixture->journal);
    assert_damaged(fixture, "quick_check");
}

/* 3,000 ids are more blocks than one call of journal_idle() reads. */
static void after_a_clean_stop_command_ids_are_read_when_they_are_needed(void **state)
{
    struct store_fixture *fixture = *state;
    uint8_t id[16];
    uint64_t seq = 0;
    struct error err;
    int next_ms = -1;

    fixture_grow(fixture, 6000);
    journal_close(&fixture->journal);
    fixture->options.trust_clean_stop = true;
    for (int round = 0; round < 3; round++) {
        fixture_reopen(fixture);
        if (round == 1) { /* some of them */
            assert_int_equal(journal_idle(fixture->journal, 0, &next_ms, &err), 0);
            assert_int_equal(next_ms, 0);
        } else if (round == 2) {
            assert_int_equal(idle_until_quiet(fixture, &err), 0);
        }
        leaf_command_id(fixture->next_command - 1, id);
        assert_int_equal(journal_command(fixture->journal, id, &seq, &err), 1);
        assert_int_equal(seq, journal_size(fixture->journal) - 1);
        fixture_grow(fixture,
                     300); /* none of which is refused as known, and they are found as well */
        leaf_command_id(fixture->next_command, id);
        assert_int_equal(journal_command(fixture->journal, id, &seq, &err), 0);
        assert_int_equal(idle_until_quiet(fixture, &err), 0); /* so that the stop is a clean one */
    }
    fixture->options.trust_clean_stop = false;
    fixture_reopen(fixture);
    leaf_command_id(fixture->next_command - 1, id);
    assert_int_equal(journal_command(fixture->journal, id, &seq, &err), 1);
}

static void trusted_once(struct store_fixture *fixture, bool by_idle)
{
    uint8_t id[16] = {0};
    uint64_t seq = 0;
    struct error err;
    int next_ms;

    fixture_grow(fixture, 600);
    journal_close(&fixture->journal);
    tamper(fixture, NULL, "UPDATE command SET ids = x'00' WHERE block = 1");
    fixture->options.trust_clean_stop = true;
    fixture_reopen(fixture);
    assert_int_equal(by_idle ? journal_idle(fixture->journal, 0, &next_ms, &err)
                             : journal_command(fixture->journal, id, &seq, &err),
                     -1);
    assert_int_equal(err.class, ERROR_DAMAGED);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_UNKNOWN);
    journal_close(&fixture->journal);
    assert_damaged(fixture, "block 1 of the command ids");
    assert_damaged(fixture, "block 1 of the command ids");
}

static void damaged_command_ids_that_are_asked_for_are_trusted_no_more(void **state)
{
    trusted_once(*state, false);
}

static void damaged_command_ids_that_nobody_asks_for_are_trusted_no_more(void **state)
{
    trusted_once(*state, true);
}

/* ---- disks that are full or fail ---- */

static int try_to_grow(struct store_fixture *fixture, size_t count, struct error *err)
{
    int rc = append_leaves(fixture->journal, &fixture->next_command, count, 40, err);

    if (rc != 0) {
        journal_rollback(fixture->journal);
        return rc;
    }
    return journal_commit(fixture->journal, err);
}

/* To another disk, while its own takes nothing: a journal that rota-verify likes. */
static void must_back_up(struct store_fixture *fixture)
{
    struct store_fixture copy;
    struct error err;

    fixture_init(&copy);
    assert_int_equal(journal_backup(fixture->journal, fixture_path(&copy, "journal.db"), &err), 0);
    prove(copy.directory, true);
    fixture_release(&copy);
}

static void a_full_disk_leaves_it_readable_and_it_comes_back_with_a_probe(void **state)
{
    struct store_fixture *fixture = *state;
    uint8_t before[HASH_LEN], after[HASH_LEN];
    struct buf leaf = BUF_EMPTY;
    struct error err;

    fixture_grow(fixture, 5);
    assert_int_equal(journal_checkpoint(fixture->journal, NULL, NULL), 0);
    root_of(fixture, before);
    fault_vfs_fail(FAULT_WRITE, 1, 100000, SQLITE_FULL);
    assert_int_equal(try_to_grow(fixture, 3, &err), -1);
    assert_int_equal(err.class, ERROR_FULL);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_FULL);
    assert_false(journal_has_room(fixture->journal));
    root_of(fixture, after);
    assert_memory_equal(before, after, HASH_LEN);
    assert_int_equal(journal_leaf(fixture->journal, 4, &leaf, &err), 1);
    assert_int_equal(try_to_grow(fixture, 1, &err), -1);
    assert_int_equal(err.class, ERROR_FULL);
    assert_int_equal(journal_probe(fixture->journal), -1);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_FULL);
    must_back_up(fixture);
    fault_vfs_heal();
    assert_int_equal(journal_probe(fixture->journal), 0);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_OK);
    fixture_grow(fixture, 3);
    fixture_reopen(fixture);
    assert_int_equal(journal_committed(fixture->journal), 8);
    buf_release(&leaf);
}

/* A batch, a walk of the log into the file and a checkpoint, with the nth write failing. */
static void work_with_failing_write(struct store_fixture *fixture, unsigned nth, int result)
{
    struct error err = {ERROR_NONE, ""};
    uint64_t before = journal_committed(fixture->journal);
    int next_ms, rc;

    fault_vfs_fail(FAULT_WRITE, nth, 1, result);
    rc = try_to_grow(fixture, 4, &err);
    assert_int_equal(journal_committed(fixture->journal), rc == 0 ? before + 4 : before);
    assert_int_equal(journal_size(fixture->journal), journal_committed(fixture->journal));
    assert_true(rc == 0 || journal_health(fixture->journal) == JOURNAL_FULL);
    journal_checkpoint(fixture->journal, NULL, &err);
    journal_idle(fixture->journal, (int64_t)nth * 10000, &next_ms, &err);
    journal_idle(fixture->journal, (int64_t)nth * 10000 + 2000, &next_ms, &err);
    fault_vfs_heal();
    assert_int_equal(journal_probe(fixture->journal), 0);
    fixture_grow(fixture, 1);
}

static void whichever_write_fails_nothing_is_lost_and_nothing_is_doubled(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;

    for (unsigned nth = 1; nth < 60; nth++) {
        uint64_t size;

        work_with_failing_write(fixture, nth, nth % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE);
        size = journal_committed(fixture->journal);
        if (nth % 5 == 0)
            fixture_reopen(fixture);
        assert_int_equal(journal_committed(fixture->journal), size);
    }
    assert_int_equal(idle_until_quiet(fixture, &err), 0);
}

static void after_a_failed_fsync_it_stays_read_only_and_needs_a_salvage(void **state)
{
    struct store_fixture *fixture = *state;
    uint8_t before[HASH_LEN], after[HASH_LEN];
    uint64_t syncs;
    struct error err;

    fixture_grow(fixture, 4);
    assert_int_equal(journal_checkpoint(fixture->journal, NULL, NULL), 0);
    fixture_grow(fixture, 1);
    root_of(fixture, before);
    fault_vfs_fail(FAULT_SYNC, 1, 1, SQLITE_IOERR_FSYNC);
    assert_int_equal(try_to_grow(fixture, 3, &err), -1);
    assert_int_equal(err.class, ERROR_IO);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_UNKNOWN);
    root_of(fixture, after);
    assert_memory_equal(before, after, HASH_LEN);
    syncs = fault_vfs_syncs();
    assert_int_equal(journal_probe(fixture->journal), -1);
    assert_int_equal(try_to_grow(fixture, 1, &err), -1);
    assert_non_null(strstr(err.text, "salvage"));
    assert_int_equal(journal_checkpoint(fixture->journal, NULL, &err), -1);
    must_back_up(fixture);
    journal_close(&fixture->journal);
    assert_int_equal(fault_vfs_syncs(), syncs);
    assert_int_equal(fixture_refused(fixture, &err), ERROR_DAMAGED);
    assert_non_null(strstr(err.text, "salvage"));
}

static void a_failed_fsync_while_the_log_is_copied_is_as_bad(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;
    int next_ms;

    fixture_grow(fixture, 5);
    fault_vfs_fail(FAULT_SYNC, 2, 1, SQLITE_IOERR_FSYNC);
    assert_int_equal(journal_idle(fixture->journal, 0, &next_ms, &err), 0);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_OK);
    assert_int_equal(journal_idle(fixture->journal, 2000, &next_ms, &err), 0);
    assert_int_equal(journal_health(fixture->journal), JOURNAL_UNKNOWN);
    assert_int_equal(next_ms, -1);
    assert_int_equal(journal_committed(fixture->journal), 5);
}

/* ---- the log file ---- */

static int64_t wal_file_bytes(struct store_fixture *fixture)
{
    struct stat about;

    return stat(fixture_path(fixture, "journal.db-wal"), &about) == 0 ? (int64_t)about.st_size : -1;
}

static void commits_overwrite_the_log_instead_of_growing_it(void **state)
{
    struct store_fixture *fixture = *state;
    int64_t grown, changes = 0;

    fixture_grow(fixture, 1);
    fixture_grow(fixture, 1);
    grown = wal_file_bytes(fixture);
    assert_true(grown >= 1 << 20);
    for (int i = 0; i < 300; i++) {
        fixture_grow(fixture, 1);
        if (wal_file_bytes(fixture) != grown)
            changes++;
        grown = wal_file_bytes(fixture);
    }
    assert_true(changes < 10);
}

static void a_quiet_second_copies_the_log_and_it_is_used_again_from_its_start(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err;
    int64_t grown;

    fixture_grow(fixture, 50);
    grown = wal_file_bytes(fixture);
    for (int i = 0; i < 40; i++) {
        fixture_grow(fixture, 50);
        assert_int_equal(idle_until_quiet(fixture, &err), 0);
    }
    assert_true(wal_file_bytes(fixture) <= grown + (2 << 20));
}

static void the_log_does_not_grow_for_ever_under_load(void **state)
{
    struct store_fixture *fixture = *state;

    for (int i = 0; i < 40; i++) {
        struct error err;

        assert_int_equal(append_leaves(fixture->journal, &fixture->next_command, 40, 12000, &err),
                         0);
        assert_int_equal(journal_commit(fixture->journal, &err), 0);
    }
    assert_true(wal_file_bytes(fixture) < 8 << 20);
}

/* ---- the rest ---- */

static void a_backup_opens_and_has_the_same_root(void **state)
{
    struct store_fixture *fixture = *state, copy;
    uint8_t before[HASH_LEN], after[HASH_LEN];
    struct error err = {ERROR_NONE, ""};

    fixture_grow(fixture, 30);
    assert_int_equal(journal_checkpoint(fixture->journal, NULL, NULL), 0);
    fixture_grow(fixture, 3);
    root_of(fixture, before);
    fixture_init(&copy);
    assert_int_equal(journal_backup(fixture->journal, fixture_path(&copy, "journal.db"), &err), 0);
    assert_int_equal(journal_backup(fixture->journal, fixture_path(&copy, "journal.db"), &err), -1);
    fixture_grow(fixture, 1);
    fixture_reopen(&copy);
    root_of(&copy, after);
    assert_int_equal(journal_committed(copy.journal), 33);
    assert_memory_equal(before, after, HASH_LEN);
    fixture_release(&copy);
}

/* What lies on the disk is not what was committed: somebody, or the disk itself, saw to that. */
static void no_backup_is_made_of_what_was_not_committed(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM journal WHERE seq = 9",
        "UPDATE journal SET entry = (SELECT entry FROM journal WHERE seq = 3) WHERE seq = 4",
        "DELETE FROM journal WHERE seq = 2"};
    struct store_fixture *fixture = *state, copy;
    struct error err;
    sqlite3 *db;

    fixture->is_damaged = true;
    fixture_init(&copy);
    fixture_grow(fixture, 10);
    assert_int_equal(sqlite3_open(fixture_path(fixture, "journal.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "DROP TRIGGER journal_no_delete; DROP TRIGGER journal_no_update;",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        assert_int_equal(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(journal_backup(fixture->journal, fixture_path(&copy, "journal.db"), &err),
                         -1);
        assert_int_equal(err.class, ERROR_DAMAGED);
        assert_int_not_equal(access(fixture_path(&copy, "journal.db"), F_OK), 0);
    }
    sqlite3_close(db);
    fixture_release(&copy);
}

static void too_little_free_space_is_told_before_it_runs_out(void **state)
{
    struct store_fixture *fixture = *state;

    assert_true(journal_has_room(fixture->journal));
    journal_close(&fixture->journal);
    fixture->options.free_bytes_min = UINT64_MAX;
    fixture_reopen(fixture);
    assert_false(journal_has_room(fixture->journal));
    fixture_grow(fixture, 1);
}

static bool file_holds(const char *path, const char *text)
{
    FILE *file = fopen(path, "r");
    struct buf all = BUF_EMPTY;
    bool holds;
    int c;

    if (file == NULL)
        return false;
    while ((c = fgetc(file)) != EOF)
        buf_add_byte(&all, (uint8_t)c);
    fclose(file);
    holds = memmem(all.at, all.len, text, strlen(text)) != NULL;
    buf_release(&all);
    return holds;
}

static void the_bytes_of_a_redacted_content_are_gone_from_the_disk(void **state)
{
    struct store_fixture *fixture = *state;
    const char secret[] = "the quick brown secret that a court wants erased";
    uint8_t hash[HASH_LEN], salt[16] = {1};

    hash_content(salt, slice_str(secret), hash);
    assert_int_equal(journal_put_content(fixture->journal, hash, salt, slice_str(secret), NULL), 0);
    fixture_grow(fixture, 1);
    fixture_reopen(fixture);
    assert_true(file_holds(fixture_path(fixture, "journal.db"), secret));
    assert_int_equal(journal_redact_content(fixture->journal, hash, NULL), 0);
    fixture_grow(fixture, 1);
    journal_close(&fixture->journal);
    assert_false(file_holds(fixture_path(fixture, "journal.db"), secret));
    assert_false(file_holds(fixture_path(fixture, "journal.db-wal"), secret));
}

/* ---- salvage ---- */

static void copy_file(struct store_fixture *from, struct store_fixture *to, const char *name)
{
    FILE *in = fopen(fixture_path(from, name), "r"), *out = fopen(fixture_path(to, name), "w");
    int c;

    assert_non_null(in);
    assert_non_null(out);
    while ((c = fgetc(in)) != EOF)
        fputc(c, out);
    fclose(in);
    fclose(out);
}

/* What a process that dies now would leave behind. */
static void abandon(struct store_fixture *fixture, struct store_fixture *copy)
{
    copy_file(fixture, copy, "journal.db");
    copy_file(fixture, copy, "journal.db-wal");
}

static void a_salvage_gives_a_journal_with_everything_that_could_be_read(void **state)
{
    struct store_fixture *fixture = *state, crashed;
    struct error err = {ERROR_NONE, ""};
    uint8_t before[HASH_LEN], after[HASH_LEN];

    fixture_grow(fixture, 30);
    root_of(fixture, before);
    fixture_init(&crashed);
    abandon(fixture, &crashed);
    fclose(fopen(fixture_path(&crashed, "journal.salvage"), "w"));
    assert_int_equal(fixture_refused(&crashed, &err), ERROR_DAMAGED);
    assert_int_equal(journal_salvage(crashed.directory, &err), 0);
    fixture_reopen(&crashed);
    root_of(&crashed, after);
    assert_memory_equal(before, after, HASH_LEN);
    assert_int_equal(access(fixture_path(&crashed, "journal.db.before-salvage.1"), F_OK), 0);
    assert_int_equal(access(fixture_path(&crashed, "journal.db-wal.before-salvage.1"), F_OK), 0);
    assert_int_not_equal(access(fixture_path(&crashed, "salvage.new"), F_OK), 0);
    assert_int_equal(journal_salvage(crashed.directory, &err), -1);
    assert_int_equal(err.class, ERROR_BUSY);
    journal_close(&crashed.journal);
    assert_int_equal(journal_salvage(crashed.directory, &err), 0);
    fixture_reopen(&crashed);
    fixture_release(&crashed);
}

static void a_salvage_that_was_interrupted_goes_on(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err = {ERROR_NONE, ""};
    char copy[PATH_MAX + 64], old[PATH_MAX + 64];
    FILE *mark;

    fixture_grow(fixture, 30);
    journal_close(&fixture->journal);
    /* After the mark, between the renames: the new file is whole, the old one is out of the way. */
    assert_int_equal(mkdir(fixture_path(fixture, "salvage.new"), 0700), 0);
    snprintf(copy, sizeof copy, "%s", fixture_path(fixture, "salvage.new/journal.db"));
    snprintf(old, sizeof old, "%s", fixture_path(fixture, "journal.db"));
    assert_int_equal(rename(old, copy), 0);
    mark = fopen(fixture_path(fixture, "journal.salvage"), "w");
    fputs("copied\n", mark);
    fclose(mark);
    assert_int_equal(journal_salvage(fixture->directory, &err), 0);
    fixture_reopen(fixture);
    assert_int_equal(journal_committed(fixture->journal), 30);
}

static void a_salvage_of_what_is_damaged_changes_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct error err = {ERROR_NONE, ""};

    fixture_grow(fixture, 9);
    tamper(fixture, "journal_no_update",
           "UPDATE journal SET entry = CAST(replace(entry, 'engine', 'angine') AS BLOB) WHERE seq "
           "= 3");
    assert_int_equal(journal_salvage(fixture->directory, &err), -1);
    assert_int_equal(err.class, ERROR_DAMAGED);
    assert_int_equal(access(fixture_path(fixture, "journal.db"), F_OK), 0);
    assert_int_not_equal(access(fixture_path(fixture, "journal.salvage"), F_OK), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define FAULT(test) cmocka_unit_test_setup_teardown(test, setup_faults, teardown_faults)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_committed_is_there_after_opening_again),
        TEST(command_ids_are_there_after_opening_again),
        TEST(a_batch_that_was_open_at_the_close_is_gone),
        TEST(closing_signs_what_was_not_signed),
        TEST(a_second_engine_is_refused_and_told_where_and_by_whom),
        TEST(network_file_systems_are_known_by_name),
        TEST(a_journal_is_made_once_and_opened_only_where_there_is_one),
        TEST(another_origin_or_another_signing_key_is_refused),
        TEST(without_the_signing_key_it_opens_and_signs_nothing),
        TEST(a_file_that_is_no_journal_is_refused),
        TEST(the_files_are_readable_by_their_owner_only),
        TEST(our_own_connection_refuses_to_rewrite_history),
        TEST(any_other_connection_refuses_to_rewrite_history),
        TEST(a_changed_leaf_is_found),
        TEST(a_tree_made_anew_over_changed_leaves_is_found),
        TEST(a_missing_tail_is_found),
        TEST(a_missing_leaf_in_the_middle_is_found),
        TEST(a_changed_or_missing_node_is_found),
        TEST(a_changed_checkpoint_is_found),
        TEST(a_checkpoint_of_another_size_than_its_row_is_found),
        TEST(a_checkpoint_signed_by_another_key_is_found),
        TEST(another_log_key_than_the_first_entry_names_is_found),
        TEST(a_block_of_command_ids_that_is_none_is_found),
        TEST(after_a_clean_stop_command_ids_are_read_when_they_are_needed),
        TEST(damaged_command_ids_that_are_asked_for_are_trusted_no_more),
        TEST(damaged_command_ids_that_nobody_asks_for_are_trusted_no_more),
        TEST(a_changed_schema_is_found),
        TEST(a_file_whose_end_is_cut_off_is_found),
        TEST(a_broken_page_is_found),
        TEST(after_a_clean_stop_the_pages_are_checked_beside_the_work),
        TEST(damage_that_the_check_beside_the_work_finds_makes_it_read_only),
        FAULT(a_full_disk_leaves_it_readable_and_it_comes_back_with_a_probe),
        FAULT(whichever_write_fails_nothing_is_lost_and_nothing_is_doubled),
        FAULT(after_a_failed_fsync_it_stays_read_only_and_needs_a_salvage),
        FAULT(a_failed_fsync_while_the_log_is_copied_is_as_bad),
        TEST(commits_overwrite_the_log_instead_of_growing_it),
        TEST(a_quiet_second_copies_the_log_and_it_is_used_again_from_its_start),
        TEST(the_log_does_not_grow_for_ever_under_load),
        TEST(a_backup_opens_and_has_the_same_root),
        TEST(no_backup_is_made_of_what_was_not_committed),
        TEST(too_little_free_space_is_told_before_it_runs_out),
        TEST(the_bytes_of_a_redacted_content_are_gone_from_the_disk),
        TEST(a_salvage_gives_a_journal_with_everything_that_could_be_read),
        TEST(a_salvage_that_was_interrupted_goes_on),
        TEST(a_salvage_of_what_is_damaged_changes_nothing),
    };

    return cmocka_run_group_tests_name("sqlite journal", tests, NULL, NULL);
}
