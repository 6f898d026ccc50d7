/* The audit of whole journals: one that is right, and one for each thing that can be wrong with it. */
#include "../../tools/verify/audit.h"

#include "journal_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define ORIGIN "rota.test/journal"

/* What to ask of the audit besides the log's key. */
struct ask {
    const char *trusted; /* a note */
    bool with_witness;
    int64_t fresh_after;    /* 0: any */
    const char *actor_keys; /* text of a file */
    const char *roots;      /* fingerprint in hex */
    bool no_replay;
};

static void audit(const struct maker *maker, const struct ask *ask, struct report *report)
{
    struct vkey logs[2], witness;
    size_t log_count = maker->vkey_before[0] != '\0' ? 2 : 1;
    struct bytes trusted = ask->trusted != NULL ? bytes_text(ask->trusted) : bytes_of(NULL, 0);
    struct actor_keys keys = {0};
    struct audit_options options = {.path = maker->path,
                                    .policy = {logs, log_count, &witness, ask->with_witness, 1},
                                    .trusted = &trusted,
                                    .trusted_count = ask->trusted != NULL,
                                    .fresh_after = ask->fresh_after > 0 ? ask->fresh_after : -1,
                                    .keys = ask->actor_keys != NULL ? &keys : NULL,
                                    .no_replay = ask->no_replay};
    char why[REPORT_TEXT];
    uint8_t roots[HASH_LEN];

    if (ask->roots != NULL) {
        assert_int_equal(hex_read(bytes_text(ask->roots), roots, HASH_LEN), 0);
        options.roots = roots;
    }
    assert_null(vkey_read(bytes_text(maker->vkey), &logs[0]));
    if (log_count == 2)
        assert_null(vkey_read(bytes_text(maker->vkey_before), &logs[1]));
    assert_null(vkey_read(bytes_text(maker->witness_vkey), &witness));
    if (ask->actor_keys != NULL)
        assert_int_equal(actor_keys_read(bytes_text(ask->actor_keys), &keys), 0);
    assert_int_equal(audit_run(&options, report, why), 0);
    actor_keys_release(&keys);
}

static void assert_holds(const struct maker *maker, const struct ask *ask)
{
    struct report report;

    audit(maker, ask, &report);
    if (!report_holds(&report))
        fail_msg("%s: %s", report.errors.at[0].code, report.errors.at[0].text);
    report_release(&report);
}

static void assert_finds(const struct maker *maker, const struct ask *ask, const char *code)
{
    struct report report;

    audit(maker, ask, &report);
    if (!report_has(&report, code))
        fail_msg("%s was not found", code);
    assert_false(report_holds(&report));
    report_release(&report);
}

/* The code is found, and nothing else. */
static void assert_finds_only(const struct maker *maker, const struct ask *ask, const char *code)
{
    struct report report;

    audit(maker, ask, &report);
    for (size_t i = 0; i < report.errors.count; i++)
        if (strcmp(report.errors.at[i].code, code) != 0)
            fail_msg("%s: %s", report.errors.at[i].code, report.errors.at[i].text);
    assert_true(report_has(&report, code));
    assert_false(report_holds(&report));
    report_release(&report);
}

static const struct ask nothing_more = {.trusted = NULL};

static void tampered(const char *sql, const char *code)
{
    struct maker maker;

    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_tamper(&maker, sql);
    assert_finds(&maker, &nothing_more, code);
    maker_end(&maker);
}

static void tampered_in_one_way(const char *sql, const char *code)
{
    struct maker maker;

    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_tamper(&maker, sql);
    assert_finds_only(&maker, &nothing_more, code);
    maker_end(&maker);
}

static void flawed(enum flaw flaw, const char *code)
{
    struct maker maker;

    maker_begin(&maker, ORIGIN);
    maker_story(&maker, flaw);
    assert_finds(&maker, &nothing_more, code);
    maker_end(&maker);
}

/* ---- what is right ---- */

static void a_journal_that_nobody_touched_holds(void **state)
{
    struct maker maker;
    struct report report;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    audit(&maker, &nothing_more, &report);
    if (!report_holds(&report))
        fail_msg("%s: %s", report.errors.at[0].code, report.errors.at[0].text);
    assert_int_equal(report.entries, 6);
    assert_int_equal(report.streams, 4);
    assert_int_equal(report.checkpoints, 2);
    assert_int_equal(report.newest_checkpoint, 6);
    assert_int_equal(report.signatures, 1);
    assert_int_equal(report.rows, 7);
    assert_int_equal(report.contents, 1);
    assert_true(report.is_replayed);
    assert_int_equal(report.clock, CLOCK_SYSTEM);
    assert_string_equal(report.origin, ORIGIN);
    assert_true(report_has(&report, "NO_OUTSIDE_CHECKPOINT"));
    assert_true(report_has(&report, "KEYS_UNROOTED"));
    assert_true(report_has(&report, "UNDER_UNSIGNED")); /* as one of the days before */
    assert_int_equal(report.warnings.count, 3);
    report_release(&report);
    maker_end(&maker);
}

static void a_journal_with_its_write_ahead_log_is_read_without_touching_either(void **state)
{
    struct maker maker;
    char wal[128];

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_sql(&maker, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
    maker_story(&maker, FLAW_NONE);
    snprintf(wal, sizeof wal, "%s-wal", maker.path);
    assert_int_equal(access(wal, F_OK), 0);
    assert_holds(&maker, &nothing_more);
    assert_int_equal(access(wal, F_OK), 0);
    assert_int_equal(sqlite3_exec(maker.db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_holds(&maker, &nothing_more);
    maker_end(&maker);
}

static void a_virtual_clock_is_said_loudly(void **state)
{
    struct maker maker;
    struct report report;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    assert_non_null(out);
    maker_begin(&maker, "rota.test/virtual");
    maker_story(&maker, FLAW_VIRTUAL);
    audit(&maker, &nothing_more, &report);
    assert_true(report_holds(&report));
    report_print(&report, out, false, true);
    fclose(out);
    assert_non_null(strstr(text, "kept under a virtual clock: not a real record"));
    free(text);
    report_release(&report);
    maker_end(&maker);
}

static void a_checkpoint_kept_outside_agrees_with_an_honest_journal(void **state)
{
    struct maker maker;
    char note[1024];

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_note(&maker, 5, note);
    assert_holds(&maker, &(struct ask){.trusted = note});
    maker_end(&maker);
}

static void a_signature_through_openssh_is_a_signature(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_SSHSIG);
    assert_holds(&maker, &nothing_more);
    maker_end(&maker);
}

static void a_bare_export_without_state_holds_with_a_warning(void **state)
{
    struct maker maker;
    struct report report;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_sql(&maker, "DROP TABLE state; DROP TABLE command");
    audit(&maker, &nothing_more, &report);
    assert_true(report_holds(&report));
    assert_true(report_has(&report, "NO_STATE"));
    assert_false(report.is_replayed);
    report_release(&report);
    maker_end(&maker);
}

/* ---- the keeper changes the file ---- */

static void an_edited_entry_is_found(void **state)
{
    (void)state;
    tampered("UPDATE journal SET entry = CAST(replace(entry, x'616d617261', x'616d617262') AS "
             "BLOB) WHERE seq = 3",
             "ROOT_MISMATCH");
}

static void a_deleted_entry_is_found(void **state)
{
    (void)state;
    tampered("DELETE FROM journal WHERE seq = 2", "SEQ_GAP");
}

static void a_deleted_entry_is_found_after_renumbering(void **state)
{
    (void)state;
    tampered("DELETE FROM journal WHERE seq = 2; UPDATE journal SET seq = seq - 1 WHERE seq > 2",
             "LEAF_SEQ");
}

static void an_inserted_entry_is_found(void **state)
{
    (void)state;
    tampered("UPDATE journal SET seq = 6 WHERE seq = 5; INSERT INTO journal SELECT 5, entry FROM "
             "journal WHERE seq = 4",
             "ROOT_MISMATCH");
}

static void entries_that_changed_places_are_found(void **state)
{
    (void)state;
    tampered("UPDATE journal SET seq = 99 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3;"
             "UPDATE journal SET seq = 3 WHERE seq = 99",
             "ROOT_MISMATCH");
}

static void a_tail_cut_off_is_missed_by_the_checkpoint(void **state)
{
    (void)state;
    tampered("DELETE FROM journal WHERE seq > 3", "TAIL_MISSING");
}

static void an_entry_that_is_no_leaf_is_found(void **state)
{
    (void)state;
    tampered("UPDATE journal SET entry = x'00' WHERE seq = 1", "LEAF_BAD");
}

static void a_checkpoint_that_was_edited_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("UPDATE checkpoint SET note = replace(note, char(10) || '3' || char(10), "
                        "char(10) || '2' || "
                        "char(10)) WHERE size = 3",
                        "CHECKPOINT_BAD");
}

static void a_journal_without_checkpoints_does_not_hold(void **state)
{
    (void)state;
    tampered_in_one_way("DELETE FROM checkpoint", "NO_CHECKPOINT");
}

static void a_missing_table_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("DROP TABLE state", "DB_SCHEMA");
}

static void a_dropped_trigger_is_found(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_sql(&maker, "DROP TRIGGER journal_no_delete");
    assert_finds_only(&maker, &nothing_more, "TRIGGER_MISSING");
    maker_end(&maker);
}

static void a_trigger_that_does_something_else_is_found(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_sql(
        &maker,
        "DROP TRIGGER journal_no_delete; CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal "
        "BEGIN SELECT 'journal is append-only'; END");
    assert_finds_only(&maker, &nothing_more, "TRIGGER_CHANGED");
    maker_end(&maker);
}

static void a_trigger_spelled_otherwise_is_the_same_trigger(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_sql(
        &maker,
        "DROP TRIGGER journal_no_delete; create trigger if not exists journal_no_delete\n before "
        "delete "
        "on journal /* never */\nbegin select raise( abort , 'journal is append-only' ) ; end");
    assert_holds(&maker, &nothing_more);
    maker_end(&maker);
}

static void an_old_copy_is_found_by_a_checkpoint_kept_outside(void **state)
{
    struct maker maker;
    char note[1024];

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_note(&maker, 6, note);
    maker_tamper(&maker,
                 "DELETE FROM journal WHERE seq > 2; DELETE FROM checkpoint WHERE size > 3");
    assert_finds(&maker, &(struct ask){.trusted = note}, "ROLLBACK");
    maker_end(&maker);
}

static void a_second_history_is_found_by_a_checkpoint_kept_outside(void **state)
{
    struct maker first, second;
    char note[1024];

    (void)state;
    maker_begin(&first, ORIGIN);
    maker_story(&first, FLAW_SSHSIG);
    maker_note(&first, 6, note);
    maker_begin(&second, ORIGIN);
    maker_story(&second, FLAW_NONE);
    assert_holds(&second, &nothing_more);
    assert_finds_only(&second, &(struct ask){.trusted = note}, "FORK");
    maker_end(&first);
    maker_end(&second);
}

static void a_checkpoint_of_another_log_proves_nothing(void **state)
{
    struct maker first, second;
    char note[1024];

    (void)state;
    maker_begin(&first, "another.test/journal");
    maker_story(&first, FLAW_NONE);
    maker_note(&first, 6, note);
    maker_begin(&second, ORIGIN);
    maker_story(&second, FLAW_NONE);
    assert_finds_only(&second, &(struct ask){.trusted = note}, "TRUSTED_BAD");
    maker_end(&first);
    maker_end(&second);
}

static void edited_content_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("UPDATE content SET data = x'61'", "CONTENT_EDITED");
}

static void content_removed_without_an_event_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("DELETE FROM content", "CONTENT_MISSING");
}

static void a_wrong_tree_node_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("UPDATE node SET hash = zeroblob(32) WHERE level = 2", "NODE_BAD");
}

static void a_missing_tree_node_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("DELETE FROM node WHERE level = 1 AND idx = 1", "NODE_BAD");
}

static void a_tree_node_too_many_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("INSERT INTO node VALUES(1, 3, zeroblob(32))", "NODE_BAD");
}

static void an_edited_state_row_is_found_by_replay(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_sql(&maker, "UPDATE state SET row = CAST(replace(row, x'617070726f766564', "
                      "x'72656a6563746564') AS BLOB) "
                      "WHERE key = 'SCP-0001@1.0'");
    assert_finds_only(&maker, &nothing_more, "STATE_EDITED");
    assert_holds(&maker, &(struct ask){.no_replay = true});
    maker_end(&maker);
}

static void a_state_row_too_many_is_found_by_replay(void **state)
{
    (void)state;
    tampered_in_one_way("INSERT INTO state VALUES('person/mallory', x'80', NULL)", "STATE_EXTRA");
}

static void a_missing_state_row_is_found_by_replay(void **state)
{
    (void)state;
    tampered_in_one_way("DELETE FROM state WHERE key = 'person/bo'", "STATE_MISSING");
}

static void a_command_that_is_not_listed_is_found(void **state)
{
    (void)state;
    tampered_in_one_way(
        "UPDATE command SET ids = CAST(substr(ids, 1, 28) || substr(ids, 43) AS BLOB)",
        "COMMAND_INDEX");
}

static void a_command_listed_at_another_entry_is_found(void **state)
{
    (void)state;
    tampered_in_one_way(
        "UPDATE command SET ids = CAST(substr(ids, 1, 13) || x'07' || substr(ids, 15) AS BLOB)",
        "COMMAND_INDEX");
}

static void a_command_that_never_was_is_found(void **state)
{
    (void)state;
    tampered_in_one_way("INSERT INTO command VALUES(1, zeroblob(14))", "COMMAND_INDEX");
}

/* ---- the engine itself wrote something wrong, and signed for it ---- */

static void a_forged_signature_is_found(void **state)
{
    (void)state;
    flawed(FLAW_FORGED, "ACTOR_FORGED");
}

static void a_signature_stripped_from_a_decision_is_found(void **state)
{
    (void)state;
    flawed(FLAW_STRIPPED, "ACTOR_UNSIGNED");
}

static void a_vote_cannot_hide_by_having_no_meaning(void **state)
{
    (void)state;
    flawed(FLAW_NO_MEANING, "ACTOR_UNSIGNED");
}

static void a_signature_that_claims_openssh_must_be_through_openssh(void **state)
{
    (void)state;
    flawed(FLAW_SSHSIG_BARE, "ACTOR_FORGED");
}

static void a_decision_that_names_another_key_is_found(void **state)
{
    (void)state;
    flawed(FLAW_OTHER_KEY, "ACTOR_KEY");
}

static void a_vote_on_another_text_is_found(void **state)
{
    (void)state;
    flawed(FLAW_OTHER_DIGEST, "VOTE_DIGEST");
}

static void a_vote_in_another_persons_stream_is_found(void **state)
{
    (void)state;
    flawed(FLAW_OTHER_STREAM, "VOTE_STREAM");
}

static void a_vote_that_nobody_cast_is_found(void **state)
{
    (void)state;
    flawed(FLAW_UNCAST_VOTE, "VOTE_UNCAST");
}

static void a_vote_in_a_place_that_was_not_signed_is_found(void **state)
{
    (void)state;
    flawed(FLAW_PLACE, "VOTE_PLACE");
    flawed(FLAW_PLACE_KEPT, "VOTE_PLACE");
}

static void a_waiver_that_top_management_signed_holds(void **state)
{
    static const enum flaw none[] = {FLAW_WAIVED, FLAW_WAIVER_MUTE};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct maker maker;

        maker_begin(&maker, ORIGIN);
        maker_story(&maker, none[i]);
        assert_holds(&maker, &nothing_more);
        assert_holds(&maker, &(struct ask){.no_replay = true});
        maker_end(&maker);
    }
}

static void a_waiver_that_top_management_did_not_sign_is_found(void **state)
{
    (void)state;
    flawed(FLAW_WAIVER_BARE, "WAIVER_UNSIGNED");
    flawed(FLAW_WAIVER_FORGED, "ACTOR_FORGED");
    flawed(FLAW_WAIVER_MEANING, "WAIVER_UNSIGNED");
    flawed(FLAW_WAIVER_KEYLESS, "WAIVER_UNSIGNED");
    flawed(FLAW_WAIVER_ROLE, "WAIVER_ROLE");
    flawed(FLAW_WAIVER_SELF, "WAIVER_SELF");
    flawed(FLAW_WAIVER_DIGEST, "WAIVER_DIGEST");
    flawed(FLAW_WAIVER_ROW, "WAIVER_ROW");
    flawed(FLAW_WAIVER_TEXT, "WAIVER_UNSIGNED");
    flawed(FLAW_WAIVER_MADE, "WAIVER_ROW");
}

static void a_decision_on_a_waiver_that_is_not_for_it_is_found(void **state)
{
    (void)state;
    flawed(FLAW_WAIVER_OTHER, "WAIVER_USED");
    flawed(FLAW_WAIVER_NUMBER, "WAIVER_USED");
    flawed(FLAW_WAIVER_DIGEST, "WAIVER_USED");
    flawed(FLAW_WAIVER_ROW, "WAIVER_USED");
}

static void a_command_that_comes_again_is_found(void **state)
{
    (void)state;
    flawed(FLAW_COMMAND_TWICE, "COMMAND_TWICE");
}

static void an_effect_twice_in_one_run_is_found(void **state)
{
    (void)state;
    flawed(FLAW_EFFECT_TWICE, "COMMAND_TWICE");
}

static void a_revision_that_jumps_is_found(void **state)
{
    (void)state;
    flawed(FLAW_REV_GAP, "REV_GAP");
}

static void time_that_runs_backwards_is_found(void **state)
{
    (void)state;
    flawed(FLAW_TIME, "TIME_BACKWARDS");
}

static void a_cause_that_comes_later_is_found(void **state)
{
    (void)state;
    flawed(FLAW_CAUSE, "CAUSE_BAD");
}

static void a_leaf_with_another_number_is_found(void **state)
{
    (void)state;
    flawed(FLAW_SEQ, "LEAF_SEQ");
}

static void effects_that_are_no_changes_are_found(void **state)
{
    (void)state;
    flawed(FLAW_EFFECTS, "EFFECTS_BAD");
}

static void a_virtual_clock_under_a_real_name_is_found(void **state)
{
    (void)state;
    flawed(FLAW_CLOCK, "OPENED_BAD");
}

static void a_journal_opened_with_another_log_key_is_found(void **state)
{
    (void)state;
    flawed(FLAW_LOG_KEY, "OPENED_BAD");
}

static void a_journal_that_does_not_begin_by_being_opened_is_found(void **state)
{
    (void)state;
    flawed(FLAW_OPENED_TYPE, "OPENED_BAD");
}

static void a_journal_opened_on_another_stream_is_found(void **state)
{
    (void)state;
    flawed(FLAW_OPENED_STREAM, "OPENED_BAD");
}

static void a_journal_opened_with_root_keys_that_are_none_is_found(void **state)
{
    (void)state;
    flawed(FLAW_OPENED_ROOTS, "OPENED_BAD");
}

/* ---- a copy that went on under another name ---- */

static bool warns(const struct maker *maker, const struct ask *ask, const char *code)
{
    struct report report;
    bool has = false;

    audit(maker, ask, &report);
    if (!report_holds(&report))
        fail_msg("%s: %s", report.errors.at[0].code, report.errors.at[0].text);
    for (size_t i = 0; i < report.warnings.count; i++)
        has = has || strcmp(report.warnings.at[i].code, code) == 0;
    report_release(&report);
    return has;
}

/* The head over so many entries, as it was signed under the name before. */
static void note_before(struct maker *maker, uint64_t size, char note[1024])
{
    const char *origin = maker->origin;

    maker->origin = maker->origin_before;
    maker_note(maker, size, note);
    maker->origin = origin;
}

static void a_restored_journal_holds_and_says_that_it_is_one(void **state)
{
    struct maker maker;
    char note[1024];

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_RESTORED);
    assert_true(warns(&maker, &nothing_more, "RESTORED"));
    note_before(&maker, 3, note);
    assert_false(warns(&maker, &(struct ask){.trusted = note}, "LOST"));
    note_before(&maker, 5, note);
    assert_true(warns(&maker, &(struct ask){.trusted = note}, "LOST"));
    assert_true(warns(&maker, &(struct ask){.trusted = note}, "NO_OUTSIDE_CHECKPOINT"));
    maker_end(&maker);
}

static void a_head_of_before_that_is_another_is_found(void **state)
{
    struct maker maker, other;
    char note[1024];

    (void)state;
    maker_begin(&other, ORIGIN);
    maker_story(&other, FLAW_VIRTUAL);
    maker_note(&other, 3, note);
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_RESTORED);
    assert_finds_only(&maker, &(struct ask){.trusted = note}, "FORK");
    maker_end(&maker);
    maker_end(&other);
}

static void a_journal_that_goes_on_from_what_it_was_not_is_found(void **state)
{
    (void)state;
    for (enum flaw flaw = FLAW_RESTORED_SIZE; flaw <= FLAW_RESTORED_TYPE; flaw++)
        flawed(flaw, "ORIGIN_BAD");
}

static void a_vote_for_the_name_before_does_not_count_under_the_new_one(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_RESTORED_VOTE);
    assert_finds_only(&maker, &nothing_more, "ACTOR_FORGED");
    maker_end(&maker);
}

/* ---- keys that root keys endorse ---- */

static void flawed_in_one_way(enum flaw flaw, const char *code)
{
    struct maker maker;

    maker_begin(&maker, ORIGIN);
    maker_story(&maker, flaw);
    assert_finds_only(&maker, &nothing_more, code);
    maker_end(&maker);
}

static void a_key_that_two_roots_endorse_is_its_holders(void **state)
{
    struct maker maker;
    struct report report;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_ROOTED);
    assert_holds(&maker, &nothing_more);
    assert_holds(&maker, &(struct ask){.no_replay = true});
    audit(&maker, &nothing_more, &report);
    assert_true(report_has(&report, "ROOTS_UNCONFIRMED"));
    assert_int_equal(report.signatures, 1);
    report_release(&report);
    maker_end(&maker);
}

static void the_root_keys_are_those_that_were_told(void **state)
{
    struct maker maker;
    struct report report;
    char roots[65];

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_ROOTED);
    audit(&maker, &nothing_more, &report);
    memcpy(roots, report.roots, sizeof roots);
    report_release(&report);
    assert_holds(&maker, &(struct ask){.roots = roots});
    roots[0] = roots[0] == '0' ? '1' : '0';
    assert_finds_only(&maker, &(struct ask){.roots = roots}, "ROOTS_OTHER");
    maker_end(&maker);
}

static void a_journal_without_roots_is_said_to_have_none(void **state)
{
    struct maker maker;
    struct report report;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    audit(&maker, &nothing_more, &report);
    assert_true(report_has(&report, "KEYS_UNROOTED"));
    report_release(&report);
    assert_finds(&maker,
                 &(struct ask){.roots = "00112233445566778899aabbccddeeff0011223344556677"
                                        "8899aabbccddeeff"},
                 "ROOTS_OTHER");
    maker_end(&maker);
}

/* Whoever has the database, the engine's keys and the administrator's account, but neither two root keys nor hers. */
static void nobody_else_makes_an_approval_of_hers(void **state)
{
    static const struct {
        enum flaw flaw;
        const char *code;
    } attempts[] = {
        {FLAW_ONE_ROOT, "KEY_UNPROVEN"},          {FLAW_STRANGER, "KEY_UNPROVEN"},
        {FLAW_ROOT_FORGED, "KEY_UNPROVEN"},       {FLAW_OTHER_SERIAL, "KEY_UNPROVEN"},
        {FLAW_OTHER_LOG, "KEY_UNPROVEN"},         {FLAW_REVIVED, "KEY_UNPROVEN"},
        {FLAW_BACKDATED, "ACTOR_UNSIGNED"},       {FLAW_REVOKED, "ACTOR_UNSIGNED"},
        {FLAW_ROOTED_STRIPPED, "ACTOR_UNSIGNED"}, {FLAW_DIRECTORY_KEY, "KEY_ROW"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        flawed(attempts[i].flaw, attempts[i].code);
    flawed_in_one_way(FLAW_ROOTED_STRIPPED, "ACTOR_UNSIGNED");
}

/* ---- keys from outside ---- */

static void keys_from_a_file_stand_before_those_of_the_journal(void **state)
{
    static const char other[] =
        "# not hers\namara 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    assert_finds_only(&maker, &(struct ask){.actor_keys = other}, "ACTOR_FORGED");
    assert_holds(&maker, &(struct ask){.actor_keys = ""});
    maker_end(&maker);
}

static void keys_from_a_file_count_only_where_they_were_theirs(void **state)
{
    struct maker maker;
    char line[256] = "amara ";
    uint8_t key[32];
    size_t len = sizeof key, end = strlen(line);

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    assert_int_equal(EVP_PKEY_get_raw_public_key(maker.amara_key, key, &len), 1);
    for (size_t i = 0; i < sizeof key; i++)
        end += (size_t)snprintf(line + end, sizeof line - end, "%02x", key[i]);
    assert_holds(&maker, &(struct ask){.actor_keys = line});
    snprintf(line + end, sizeof line - end, " 4 4\n");
    assert_holds(&maker, &(struct ask){.actor_keys = line, .no_replay = true});
    snprintf(line + end, sizeof line - end, " 5\n");
    assert_finds_only(&maker, &(struct ask){.actor_keys = line, .no_replay = true}, "ACTOR_FORGED");
    maker_end(&maker);
}

/* ---- witnesses ---- */

static void a_witnessed_checkpoint_satisfies_the_quorum(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    assert_finds_only(&maker, &(struct ask){.with_witness = true}, "QUORUM");
    maker_cosign(&maker, 6, 1700000100);
    assert_holds(&maker, &(struct ask){.with_witness = true, .fresh_after = 1700000100});
    maker_end(&maker);
}

static void a_witness_who_signed_long_ago_leaves_an_old_copy_possible(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_cosign(&maker, 6, 1700000100);
    assert_finds_only(&maker, &(struct ask){.with_witness = true, .fresh_after = 1700000101},
                      "STALE");
    maker_end(&maker);
}

static void a_cosignature_under_another_checkpoint_is_found(void **state)
{
    struct maker maker;

    (void)state;
    maker_begin(&maker, ORIGIN);
    maker_story(&maker, FLAW_NONE);
    maker_cosign(&maker, 3, 1700000100);
    maker_sql(&maker, "UPDATE cosignature SET size = 6");
    assert_finds(&maker, &(struct ask){.with_witness = true}, "COSIGNATURE_BAD");
    maker_end(&maker);
}

/* ---- what cannot be read ---- */

static void a_file_that_is_no_database_does_not_hold(void **state)
{
    struct maker maker;
    FILE *file;

    (void)state;
    maker_begin(&maker, ORIGIN);
    file = fopen(maker.path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database; ", file);
    fclose(file);
    assert_finds(&maker, &nothing_more, "DB_UNREADABLE");
    maker_end(&maker);
}

static void a_file_that_is_not_there_is_no_finding(void **state)
{
    struct vkey log;
    struct audit_options options = {.path = "/nonexistent/journal.db",
                                    .policy = {&log, 1, NULL, 0, 0}};
    struct report report;
    char why[REPORT_TEXT];

    (void)state;
    assert_int_equal(audit_run(&options, &report, why), -1);
    report_release(&report);
}

static void what_a_journal_says_cannot_move_the_readers_cursor(void **state)
{
    char clean[32];

    (void)state;
    report_clean(clean, sizeof clean,
                 bytes_text("a\033[2Jb\xc2\x9b"
                            "c\xc3\xa9"));
    assert_string_equal(clean, "a?[2Jb??c\xc3\xa9");
    report_clean(clean, sizeof clean, bytes_text("a\xff"));
    assert_string_equal(clean, "a?");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_journal_that_nobody_touched_holds),
    cmocka_unit_test(a_journal_with_its_write_ahead_log_is_read_without_touching_either),
    cmocka_unit_test(a_virtual_clock_is_said_loudly),
    cmocka_unit_test(a_checkpoint_kept_outside_agrees_with_an_honest_journal),
    cmocka_unit_test(a_signature_through_openssh_is_a_signature),
    cmocka_unit_test(a_bare_export_without_state_holds_with_a_warning),
    cmocka_unit_test(an_edited_entry_is_found),
    cmocka_unit_test(a_deleted_entry_is_found),
    cmocka_unit_test(a_deleted_entry_is_found_after_renumbering),
    cmocka_unit_test(an_inserted_entry_is_found),
    cmocka_unit_test(entries_that_changed_places_are_found),
    cmocka_unit_test(a_tail_cut_off_is_missed_by_the_checkpoint),
    cmocka_unit_test(an_entry_that_is_no_leaf_is_found),
    cmocka_unit_test(a_checkpoint_that_was_edited_is_found),
    cmocka_unit_test(a_journal_without_checkpoints_does_not_hold),
    cmocka_unit_test(a_missing_table_is_found),
    cmocka_unit_test(a_dropped_trigger_is_found),
    cmocka_unit_test(a_trigger_that_does_something_else_is_found),
    cmocka_unit_test(a_trigger_spelled_otherwise_is_the_same_trigger),
    cmocka_unit_test(an_old_copy_is_found_by_a_checkpoint_kept_outside),
    cmocka_unit_test(a_second_history_is_found_by_a_checkpoint_kept_outside),
    cmocka_unit_test(a_checkpoint_of_another_log_proves_nothing),
    cmocka_unit_test(edited_content_is_found),
    cmocka_unit_test(content_removed_without_an_event_is_found),
    cmocka_unit_test(a_wrong_tree_node_is_found),
    cmocka_unit_test(a_missing_tree_node_is_found),
    cmocka_unit_test(a_tree_node_too_many_is_found),
    cmocka_unit_test(an_edited_state_row_is_found_by_replay),
    cmocka_unit_test(a_state_row_too_many_is_found_by_replay),
    cmocka_unit_test(a_missing_state_row_is_found_by_replay),
    cmocka_unit_test(a_command_that_is_not_listed_is_found),
    cmocka_unit_test(a_command_listed_at_another_entry_is_found),
    cmocka_unit_test(a_command_that_never_was_is_found),
    cmocka_unit_test(a_forged_signature_is_found),
    cmocka_unit_test(a_signature_stripped_from_a_decision_is_found),
    cmocka_unit_test(a_vote_cannot_hide_by_having_no_meaning),
    cmocka_unit_test(a_signature_that_claims_openssh_must_be_through_openssh),
    cmocka_unit_test(a_decision_that_names_another_key_is_found),
    cmocka_unit_test(a_vote_on_another_text_is_found),
    cmocka_unit_test(a_vote_in_another_persons_stream_is_found),
    cmocka_unit_test(a_vote_that_nobody_cast_is_found),
    cmocka_unit_test(a_vote_in_a_place_that_was_not_signed_is_found),
    cmocka_unit_test(a_waiver_that_top_management_signed_holds),
    cmocka_unit_test(a_waiver_that_top_management_did_not_sign_is_found),
    cmocka_unit_test(a_decision_on_a_waiver_that_is_not_for_it_is_found),
    cmocka_unit_test(a_command_that_comes_again_is_found),
    cmocka_unit_test(an_effect_twice_in_one_run_is_found),
    cmocka_unit_test(a_revision_that_jumps_is_found),
    cmocka_unit_test(time_that_runs_backwards_is_found),
    cmocka_unit_test(a_cause_that_comes_later_is_found),
    cmocka_unit_test(a_leaf_with_another_number_is_found),
    cmocka_unit_test(effects_that_are_no_changes_are_found),
    cmocka_unit_test(a_virtual_clock_under_a_real_name_is_found),
    cmocka_unit_test(a_journal_opened_with_another_log_key_is_found),
    cmocka_unit_test(a_journal_that_does_not_begin_by_being_opened_is_found),
    cmocka_unit_test(a_journal_opened_on_another_stream_is_found),
    cmocka_unit_test(a_journal_opened_with_root_keys_that_are_none_is_found),
    cmocka_unit_test(a_restored_journal_holds_and_says_that_it_is_one),
    cmocka_unit_test(a_head_of_before_that_is_another_is_found),
    cmocka_unit_test(a_journal_that_goes_on_from_what_it_was_not_is_found),
    cmocka_unit_test(a_vote_for_the_name_before_does_not_count_under_the_new_one),
    cmocka_unit_test(a_key_that_two_roots_endorse_is_its_holders),
    cmocka_unit_test(the_root_keys_are_those_that_were_told),
    cmocka_unit_test(a_journal_without_roots_is_said_to_have_none),
    cmocka_unit_test(nobody_else_makes_an_approval_of_hers),
    cmocka_unit_test(keys_from_a_file_stand_before_those_of_the_journal),
    cmocka_unit_test(keys_from_a_file_count_only_where_they_were_theirs),
    cmocka_unit_test(a_witnessed_checkpoint_satisfies_the_quorum),
    cmocka_unit_test(a_witness_who_signed_long_ago_leaves_an_old_copy_possible),
    cmocka_unit_test(a_cosignature_under_another_checkpoint_is_found),
    cmocka_unit_test(a_file_that_is_no_database_does_not_hold),
    cmocka_unit_test(a_file_that_is_not_there_is_no_finding),
    cmocka_unit_test(what_a_journal_says_cannot_move_the_readers_cursor),
};

int main(void)
{
    int result = cmocka_run_group_tests(tests, NULL, NULL);

    hash_release();
    return result;
}
