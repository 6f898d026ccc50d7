/* Nothing that was acknowledged is lost, whatever moment the process or the power dies at.
 *
 * Every run is drawn from its number. ROTA_RUNS sets how many there are, ROTA_SEED the first one; a failure names
 * the run. Built with ROTA_BUG_NORMAL or ROTA_BUG_NO_START_CHECKPOINT the store has that bug and the test expects
 * to find losses: a test of this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fault_vfs.h"
#include "leaf_builder.h"
#include "store_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RUNS = 120, BUG_RUNS = 400, LIVES = 4, BATCHES_MAX = 12, AUDITOR_EVERY = 20 };

#if defined ROTA_BUG_NORMAL || defined ROTA_BUG_NO_START_CHECKPOINT
enum { HAS_BUG = 1 };
#else
enum { HAS_BUG = 0 };
#endif

struct run {
    struct store_fixture fixture;
    uint64_t chance;
    uint64_t shown; /* leaves that somebody was told of */
    uint64_t tried; /* leaves that were ever handed to a commit */
    int64_t now_ms;
    char why[256]; /* what was lost; empty if nothing */
};

static uint64_t draw(struct run *run, uint64_t below)
{
    run->chance ^= run->chance << 13;
    run->chance ^= run->chance >> 7;
    run->chance ^= run->chance << 17;
    return (run->chance >> 11) % below;
}

/* ---- what is written: leaf and row follow from the seq, so that they can be told again ---- */

static void build(uint64_t seq, struct buf *leaf, uint8_t id[16])
{
    struct leaf_spec spec = {.seq = seq, .command = seq, .pad = (size_t)(seq * 37 % 700)};

    leaf_command_id(seq, id);
    buf_clear(leaf);
    leaf_build(leaf, &spec);
}

static int put_size_row(struct journal *journal, struct error *err)
{
    char text[24];
    struct journal_row row = {slice_str("size"), {NULL, 0}, JOURNAL_NO_DUE};

    snprintf(text, sizeof text, "%" PRIu64, journal_size(journal));
    row.bytes = slice_str(text);
    return journal_put_row(journal, &row, err);
}

/* What is put up with a leaf is named by the leaf KEPT_LOOSE later, or, every other time, taken away with it as unused. */
enum { KEPT_LOOSE = 3 };

static struct slice content_of(uint64_t seq, char room[32], uint8_t hash[HASH_LEN])
{
    static const uint8_t salt[16];

    snprintf(room, 32, "content %" PRIu64, seq);
    hash_content(salt, slice_str(room), hash);
    return slice_str(room);
}

static int put_up(struct journal *journal, uint64_t seq, struct error *err)
{
    static const uint8_t salt[16];
    uint8_t hash[HASH_LEN];
    char room[32];
    struct slice data = content_of(seq, room, hash);

    if (journal_put_content(journal, hash, salt, data, err) != 0 ||
        journal_put_note(journal, slice_of(hash, HASH_LEN), data, err) != 0)
        return -1;
    if (seq < KEPT_LOOSE)
        return 0;
    content_of(seq - KEPT_LOOSE, room, hash);
    if (seq % 2 == 0 && journal_redact_content(journal, hash, err) != 0)
        return -1;
    return journal_drop_upload(journal, slice_of(hash, HASH_LEN), err);
}

static int count_note(void *count, struct slice id, struct slice note)
{
    (void)id;
    *(uint64_t *)count += note.len > 0;
    return 0;
}

static int write_batch(struct run *run, struct error *err)
{
    struct journal *journal = run->fixture.journal;
    struct buf leaf = BUF_EMPTY;
    uint64_t count = 1 + draw(run, 6);
    uint8_t id[16];
    int rc = 0;

    for (uint64_t i = 0; i < count && rc == 0; i++) {
        build(journal_size(journal), &leaf, id);
        rc = journal_append(journal, buf_slice(&leaf), true, id, err);
        if (rc == 0)
            rc = put_up(journal, journal_size(journal) - 1, err);
    }
    if (rc == 0)
        rc = put_size_row(journal, err);
    if (journal_size(journal) > run->tried)
        run->tried = journal_size(journal);
    if (journal_commit(journal, err) != 0)
        rc = -1;
    buf_release(&leaf);
    return rc;
}

/* ---- one life of the engine ---- */

static void live(struct run *run)
{
    struct journal *journal = run->fixture.journal;
    uint64_t batches = draw(run, 3) == 0 ? 0 : draw(run, BATCHES_MAX);
    struct error err = {ERROR_NONE, ""};
    int next_ms;

    switch (draw(run, 4)) {
    case 0:
        break;
    case 1:
        fault_vfs_kill_at_sync(1 + draw(run, BATCHES_MAX));
        break;
    default:
        fault_vfs_kill_after(draw(run, 90));
    }
    for (uint64_t i = 0; i < batches; i++) {
        if (write_batch(run, &err) != 0)
            break;
        run->shown = journal_committed(journal);
        if (draw(run, 4) == 0 && journal_checkpoint(journal, NULL, &err) != 0)
            break;
        run->now_ms += (int64_t)draw(run, 1500);
        if (draw(run, 3) == 0)
            journal_idle(journal, run->now_ms, &next_ms, &err);
    }
}

/* The process ends: in an orderly way, killed, or with the whole machine. */
static void die(struct run *run)
{
    bool is_killed = fault_vfs_is_dead() || draw(run, 3) > 0;

    if (is_killed)
        fault_vfs_kill_after(0);
    journal_close(&run->fixture.journal);
    unlink(fixture_path(&run->fixture, "journal.salvage"));
    if (draw(run, 2) == 0)
        fault_vfs_cut(draw(run, UINT64_MAX));
    else
        fault_vfs_revive();
}

static int lost(struct run *run, const char *what, uint64_t seq)
{
    snprintf(run->why, sizeof run->why, "%.200s (%" PRIu64 ")", what, seq);
    return -1;
}

static int compare_contents(struct run *run)
{
    struct journal *journal = run->fixture.journal;
    uint64_t size = journal_size(journal), notes = 0;
    int rc = 0;

    for (uint64_t seq = 0; seq < size && rc == 0; seq++) {
        struct buf found = BUF_EMPTY;
        uint8_t hash[HASH_LEN];
        char room[32];
        bool is_wanted = seq + KEPT_LOOSE >= size || (seq + KEPT_LOOSE) % 2 != 0;

        content_of(seq, room, hash);
        if (journal_content(journal, hash, &found, NULL) != (is_wanted ? 1 : 0))
            rc = lost(run, is_wanted ? "a content is gone" : "a content is back", seq);
        buf_release(&found);
    }
    if (rc == 0 && journal_each_note(journal, count_note, &notes, NULL) != 0)
        rc = lost(run, "the notes cannot be read", size);
    if (rc == 0 && notes != (size < KEPT_LOOSE ? size : KEPT_LOOSE))
        rc = lost(run, "a note is gone, or back", notes);
    return rc;
}

static int compare(struct run *run)
{
    struct journal *journal = run->fixture.journal;
    struct buf want = BUF_EMPTY, found = BUF_EMPTY;
    uint64_t size = journal_size(journal);
    uint8_t id[16];
    int rc = 0;

    for (uint64_t seq = 0; seq < size && rc == 0; seq++) {
        uint64_t at = 0;

        build(seq, &want, id);
        buf_clear(&found);
        if (journal_leaf(journal, seq, &found, NULL) != 1 ||
            !slice_equal(buf_slice(&want), buf_slice(&found)))
            rc = lost(run, "a leaf has other bytes", seq);
        else if (journal_command(journal, id, &at, NULL) != 1 || at != seq)
            rc = lost(run, "a command id is gone", seq);
    }
    buf_clear(&found);
    if (rc == 0 && size > 0 &&
        (journal_row(journal, slice_str("size"), &found, NULL) != 1 ||
         strtoull(buf_text(&found), NULL, 10) != size))
        rc = lost(run, "the state is not that of the last leaf", size);
    buf_release(&want);
    buf_release(&found);
    return rc;
}

/* Opens again, sometimes dying in the middle of it. What is then there is shown to somebody. */
static int rise(struct run *run)
{
    struct error err = {ERROR_NONE, ""};

    if (draw(run, 4) == 0) {
        fault_vfs_kill_after(draw(run, 12));
        if (journal_open_sqlite(&run->fixture.options, &run->fixture.journal, &err) == 0)
            run->shown = journal_committed(run->fixture.journal) > run->shown
                             ? journal_committed(run->fixture.journal)
                             : run->shown;
        die(run);
    }
    if (journal_open_sqlite(&run->fixture.options, &run->fixture.journal, &err) != 0)
        return lost(run, err.text, run->shown);
    if (journal_committed(run->fixture.journal) < run->shown)
        return lost(run, "acknowledged leaves are gone", run->shown);
    if (journal_committed(run->fixture.journal) > run->tried)
        return lost(run, "there are leaves nobody wrote", run->tried);
    run->shown = journal_committed(run->fixture.journal);
    return compare(run) != 0 ? -1 : compare_contents(run);
}

static int run_once(struct run *run, uint64_t seed)
{
    int rc = 0;

    fault_vfs_reset();
    run->chance = (seed + 1) * 0x9e3779b97f4a7c15ULL;
    run->shown = run->tried = 0;
    run->why[0] = '\0';
    fixture_create(&run->fixture);
    for (int i = 0; i < LIVES && rc == 0; i++) {
        live(run);
        die(run);
        rc = rise(run);
    }
    if (rc == 0 && journal_committed(run->fixture.journal) > 0) {
        journal_close(&run->fixture.journal); /* in an orderly way: it is signed */
        fault_vfs_copy_out(run->fixture.directory);
        prove(run->fixture.directory, seed % AUDITOR_EVERY == 0);
    }
    fault_vfs_kill_after(0);
    journal_close(&run->fixture.journal);
    unlink(fixture_path(&run->fixture, "journal.salvage"));
    return rc;
}

static uint64_t number_of(const char *variable, uint64_t fallback)
{
    const char *text = getenv(variable);

    return text != NULL ? strtoull(text, NULL, 10) : fallback;
}

static void nothing_acknowledged_is_lost_by_a_kill_or_a_power_cut(void **state)
{
    uint64_t runs = number_of("ROTA_RUNS", HAS_BUG ? BUG_RUNS : RUNS),
             first = number_of("ROTA_SEED", 1), losses = 0;
    struct run run = {.now_ms = 0};

    (void)state;
    fixture_init(&run.fixture);
    fault_vfs_install();
    for (uint64_t seed = first; seed < first + runs; seed++)
        if (run_once(&run, seed) != 0) {
            losses++;
            if (!HAS_BUG)
                fprintf(stderr, "ROTA_SEED=%" PRIu64 ": %s\n", seed, run.why);
        }
    fault_vfs_remove();
    fixture_release(&run.fixture);
    if (HAS_BUG) {
        printf("the planted bug lost something in %" PRIu64 " of %" PRIu64 " runs\n", losses, runs);
        assert_true(losses > 0);
    } else {
        assert_int_equal(losses, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_by_a_kill_or_a_power_cut),
    };

    return cmocka_run_group_tests_name("power cut", tests, NULL, NULL);
}
