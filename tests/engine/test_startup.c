/* How the engine begins and ends: what it refuses to start on, and what it says then; a disk that is full; a stop that
 * answers what is under way.
 */
#include "peers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_DAMAGED = 65, EXIT_BUSY = 73, EXIT_SETTINGS = 78, IN_FLIGHT = 50, LATER_MS = 9000 };

/* ---- damage ---- */

/* A house with some history, stopped cleanly; kept aside, so that each damage is done to a fresh copy. */
static struct house *house_with_history(void)
{
    struct house *house = house_new();
    struct client *tomas;

    house_start(house);
    tomas = client_new(house, "tomas");
    audit_begin(tomas, audit_planned(tomas, "h"));
    audit_planned(tomas, "i");
    client_free(&tomas);
    assert_int_equal(house_stop(house), 0);
    return house;
}

static void keep_journal(struct house *house, const char *from, const char *to)
{
    char *arguments[] = {"cp", arena_str(&house->arena, house_path(house, from)),
                         arena_str(&house->arena, house_path(house, to)), NULL};

    assert_int_equal(run_program(arguments, NULL), 0);
}

/* The start must end with 65 and a sentence; afterwards the journal is put back as it was. */
static void refuses_as_damaged(struct house *house, const char *what)
{
    const char *const beside[] = {"journal.db-wal", "journal.db-shm"};
    char said[4096];
    int status = house_start_refused(house, said);

    print_message("%s: exit %d: %s\n", what, status, said);
    for (size_t i = 0; i < 2; i++)
        unlink(house_path(house, beside[i]));
    keep_journal(house, "kept.db", "journal.db");
    if (status != EXIT_DAMAGED || strstr(said, "rotad: ") == NULL || strlen(said) < 20)
        house_fail(house, "%s: the engine ended with %d: %s", what, status, said);
}

static void change(struct house *house, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    assert_int_equal(sqlite3_open(house_path(house, "journal.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        house_fail(house, "%s: %s", sql, why);
    sqlite3_close(db);
}

/* The first bytes of an entry, as it is stored. */
static void read_entry(struct house *house, int seq, uint8_t start[48])
{
    sqlite3_stmt *select = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(house_path(house, "journal.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT entry FROM journal WHERE seq = ?", -1, &select, NULL),
        SQLITE_OK);
    sqlite3_bind_int(select, 1, seq);
    assert_int_equal(sqlite3_step(select), SQLITE_ROW);
    assert_true(sqlite3_column_bytes(select, 0) > 48);
    memcpy(start, sqlite3_column_blob(select, 0), 48);
    sqlite3_finalize(select);
    sqlite3_close(db);
}

/* One bit of the file, where `text` stands first. */
static void flip(struct house *house, const void *text, size_t len, size_t offset)
{
    int file = open(house_path(house, "journal.db"), O_RDWR);
    struct buf bytes = BUF_EMPTY;
    const uint8_t *at;
    uint8_t changed;

    house_read(house, "journal.db", &bytes);
    at = memmem(bytes.at, bytes.len, text, len);
    assert_true(file >= 0 && at != NULL);
    changed = at[offset] ^ 1;
    assert_int_equal(pwrite(file, &changed, 1, at + offset - bytes.at), 1);
    close(file);
    buf_release(&bytes);
}

static void flip_entry(struct house *house, int seq)
{
    uint8_t start[48];

    read_entry(house, seq, start);
    flip(house, start, sizeof start, 20);
}

static void a_damaged_journal_is_refused_and_left_as_it_is(void **state)
{
    struct house *house = house_with_history();
    struct stat whole;

    (void)state;
    keep_journal(house, "journal.db", "kept.db");
    assert_int_equal(stat(house_path(house, "journal.db"), &whole), 0);

    assert_int_equal(truncate(house_path(house, "journal.db"), whole.st_size / 2), 0);
    refuses_as_damaged(house, "half of the file is missing");
    assert_int_equal(truncate(house_path(house, "journal.db"), 4096), 0);
    refuses_as_damaged(house, "all but its first page is missing");
    flip(house, "SQLite format 3", 15, 0);
    refuses_as_damaged(house, "it is no database");
    flip_entry(house, 7);
    refuses_as_damaged(house, "a flipped bit in the newest entry");
    flip_entry(house, 3);
    refuses_as_damaged(house, "a flipped bit in an older entry");
    flip_entry(house, 0);
    refuses_as_damaged(house, "a flipped bit in the first entry");

    house_start(house); /* what was put back is whole */
    house_free(&house);
}

static void a_journal_that_is_not_there_is_missed(void **state)
{
    struct house *house = house_with_history();
    char said[4096];

    (void)state;
    keep_journal(house, "journal.db", "kept.db");
    assert_int_equal(truncate(house_path(house, "journal.db"), 0), 0);
    assert_int_not_equal(house_start_refused(house, said), 0);
    assert_non_null(strstr(said, "there is no journal in"));
    unlink(house_path(house, "journal.db"));
    assert_int_not_equal(house_start_refused(house, said), 0);
    assert_non_null(strstr(said, "there is no journal in"));
    assert_int_not_equal(access(house_path(house, "journal.db"), F_OK), 0); /* and none is made */
    keep_journal(house, "kept.db", "journal.db");
    house_free(&house);
}

/* A start costs the open work and not the history, so the fold is not repeated by it: the verifier does that. */
static void an_edited_state_is_found_by_the_verifier(void **state)
{
    struct house *house = house_with_history();
    char *verify[] = {arena_str(&house->arena, house_program(house, "rota-verify")),
                      arena_str(&house->arena, house_path(house, "journal.db")), "--vkey",
                      arena_printf(&house->arena, "@%s", house_path(house, "keys/log.vkey")), NULL};
    struct buf said = BUF_EMPTY;

    (void)state;
    keep_journal(house, "journal.db", "kept.db");
    change(house, "UPDATE state SET row = (SELECT row FROM state WHERE key = 'person/amara') WHERE "
                  "key = 'person/bo'");
    assert_int_equal(run_program(verify, &said), 1);
    assert_non_null(strstr(buf_text(&said), "person/bo"));
    keep_journal(house, "kept.db", "journal.db");
    buf_clear(&said);
    change(house, "DELETE FROM state WHERE key = 'person/amara'");
    assert_int_equal(run_program(verify, &said), 1);
    assert_non_null(strstr(buf_text(&said), "person/amara"));
    keep_journal(house, "kept.db", "journal.db");
    buf_release(&said);
    house_free(&house);
}

static void a_journal_without_its_guards_is_refused(void **state)
{
    struct house *house = house_with_history();

    (void)state;
    keep_journal(house, "journal.db", "kept.db");
    change(house, "DROP TRIGGER journal_no_update");
    refuses_as_damaged(house, "a trigger is missing");
    house_free(&house);
}

/* ---- who else is there, and what it is told ---- */

static void a_second_engine_on_the_directory_is_refused(void **state)
{
    struct house *house = house_new();
    struct client *tomas;
    struct answer info;
    char said[4096];

    (void)state;
    house_start(house);
    assert_int_equal(house_start_refused(house, said), EXIT_BUSY);
    assert_true(strstr(said, "rotad: ") != NULL && strlen(said) > 20);
    tomas = client_new(house, "tomas"); /* the first one serves on */
    info = query(tomas, "info", "{}");
    expect(tomas, &info, 200, "");
    client_free(&tomas);
    house_free(&house);
}

static void settings_and_keys_that_are_wrong_are_named(void **state)
{
    struct house *house = house_new();
    char said[4096];

    (void)state;
    house_set(house, "heartbeat_ms", "\"soon\"");
    assert_int_equal(house_start_refused(house, said), EXIT_SETTINGS);
    assert_non_null(strstr(said, "rotad.cfg:"));
    house_set(house, "heartbeat_ms", "2000");
    house_set(house, "hartbeat_ms", "2000");
    assert_int_equal(house_start_refused(house, said), EXIT_SETTINGS);
    assert_non_null(strstr(said, "hartbeat_ms"));
    house_set(house, "hartbeat_ms", "2000;#");
    house_free(&house);
}

static void a_definition_with_an_error_is_refused_at_the_founding(void **state)
{
    struct house *house = house_new();
    const char *share = getenv("ROTA_SHARE") != NULL ? getenv("ROTA_SHARE") : ".";
    char *copy = arena_str(&house->arena, house_path(house, "share"));
    char *make[] = {"mkdir", copy, NULL};
    char *copy_config[] = {"cp", "-a", arena_printf(&house->arena, "%s/config", share), copy, NULL};
    char *copy_pack[] = {"cp", "-a", arena_printf(&house->arena, "%s/workflows", share), copy,
                         NULL};
    char *spoil[] = {"sed", "-i",
                     "s/from = \\[\"planned\"\\]; to = \"plan_approved\"/from = [\"planed\"]; to = "
                     "\"plan_approved\"/",
                     arena_printf(&house->arena, "%s/workflows/lifecycles/audit.cfg", copy), NULL};
    char *init[] = {"env",
                    arena_printf(&house->arena, "ROTA_SHARE=%s", copy),
                    arena_str(&house->arena, house_program(house, "rota")),
                    "init",
                    arena_str(&house->arena, house_path(house, "new")),
                    "--sample",
                    NULL};
    struct buf said = BUF_EMPTY;
    int status;

    (void)state;
    assert_int_equal(run_program(make, NULL), 0);
    assert_int_equal(run_program(copy_config, NULL), 0);
    assert_int_equal(run_program(copy_pack, NULL), 0);
    assert_int_equal(run_program(spoil, NULL), 0);
    status = run_program(init, &said);
    if (status != 4 || strstr(buf_text(&said), "lifecycles/audit.cfg:") == NULL ||
        strstr(buf_text(&said), "planed") == NULL)
        house_fail(house, "rota init: exit %d: %s", status, buf_text(&said));
    buf_release(&said);
    house_free(&house);
}

/* ---- the disk ---- */

static struct answer edit(struct client *tomas, const char *audit, const char *id)
{
    return command_with(tomas, id, "edit", audit, "{\"set\":{\"scope\":\"again\"}}");
}

static void must_read(struct client *tomas, const char *audit)
{
    struct answer shown =
        query(tomas, "show", arena_printf(&tomas->house->arena, "{\"record\":\"%s\"}", audit));

    expect(tomas, &shown, 200, "");
}

/* The same command with the same id until it is accepted: the engine comes back by itself. */
static void until_accepted(struct client *tomas, const char *audit, const char *id)
{
    int64_t until = boot_ms() + LATER_MS;
    struct answer answer;

    while ((answer = edit(tomas, audit, id)).digits == 503 && boot_ms() < until)
        poll(NULL, 0, 50);
    expect(tomas, &answer, 200, "");
}

/* The journal on a file system of its own, small. False if this machine lets nobody mount one. */
static bool move_to_small_disk(struct house *house)
{
    char *away[] = {"cp", "-a", house->directory,
                    arena_printf(&house->arena, "%s.kept", house->directory), NULL};
    char *back[] = {"cp", "-a", arena_printf(&house->arena, "%s.kept/.", house->directory),
                    house->directory, NULL};

    assert_int_equal(run_program(away, NULL), 0);
    if (mount("tmpfs", house->directory, "tmpfs", 0, "size=12m,mode=0700") != 0)
        return false;
    assert_int_equal(run_program(back, NULL), 0);
    return true;
}

static void fill(struct house *house, off_t leave)
{
    int file = open(house_path(house, "filler"), O_WRONLY | O_CREAT, 0600);
    static char block[4096];

    assert_true(file >= 0);
    while (write(file, block, sizeof block) == (ssize_t)sizeof block)
        continue;
    if (leave > 0)
        assert_int_equal(ftruncate(file, lseek(file, 0, SEEK_END) - leave), 0);
    close(file);
}

/* Commands until one is not taken: its id. */
static const char *until_refused(struct client *tomas, const char *audit)
{
    const char *id = new_id(tomas->house);
    struct answer answer;
    int tries = 0;

    while ((answer = edit(tomas, audit, id)).digits == 200 && tries++ < 3000)
        id = new_id(tomas->house);
    expect(tomas, &answer, 503, "journal-unavailable");
    return id;
}

static void full_and_not_full(struct house *house, void (*fill_up)(struct house *),
                              void (*make_room)(struct house *))
{
    struct client *tomas = client_new(house, "tomas");
    const char *audit = audit_opened(tomas, "h"), *id;
    struct answer answer, status;

    fill_up(house);
    id = until_refused(tomas, audit);
    must_read(tomas, audit);
    status = query(tomas, "status", "{}");
    expect(tomas, &status, 200, "");
    assert_string_equal(out_text(tomas, &status, "health"), "read-only");
    assert_string_not_equal(out_text(tomas, &status, "error"), "");
    answer = edit(tomas, audit, id);
    expect(tomas, &answer, 503, "journal-unavailable");
    must_read(tomas, audit);
    make_room(house);
    until_accepted(tomas, audit, id);
    must_read(tomas, audit);
    client_free(&tomas);
}

static void fill_the_disk(struct house *house)
{
    fill(house, 0);
}

static void empty_the_disk(struct house *house)
{
    unlink(house_path(house, "filler"));
}

static void a_full_disk_stops_commands_not_questions_and_passes(void **state)
{
    struct house *house = house_new();

    (void)state;
    if (!move_to_small_disk(house)) {
        print_message(
            "skipped: no file system can be mounted here; the limit on files is tested instead\n");
        house_free(&house);
        skip();
    }
    house_set(house, "free_bytes_min", "1");
    house_start(house);
    full_and_not_full(house, fill_the_disk, empty_the_disk);
    assert_int_equal(house_stop(house), 0);
    house_prove(house, true);
    assert_int_equal(umount2(house->directory, MNT_DETACH), 0);
    house_free(&house);
}

/* `rota` with these words ends with this status and says this. */
static void says(struct house *house, int status, const char *text, const char *one,
                 const char *other)
{
    struct buf said = BUF_EMPTY;
    int is = house_rota(house, &said, one, other, NULL);

    if (is != status || strstr(buf_text(&said), text) == NULL)
        house_fail(house, "rota %s %s: exit %d: %s", one, other != NULL ? other : "", is,
                   buf_text(&said));
    buf_release(&said);
}

/* A place outside of the house's disk. */
static const char *elsewhere(struct house *house)
{
    return arena_printf(&house->arena, "%s.saved.db", house->directory);
}

static void must_be_whole(struct house *house, const char *path)
{
    says(house, 0, "The journal holds.", "verify", path);
    unlink(path);
}

/* What an administrator did meanwhile is entered when there is room, with the time at which it was done. */
static void until_entered_late(struct house *house, const char *path)
{
    struct buf said = BUF_EMPTY;
    int64_t until = boot_ms() + LATER_MS;
    const char *entry;

    do {
        buf_clear(&said);
        assert_int_equal(house_rota(house, &said, "--as", "ines", "--json", "log", NULL), 0);
        entry = strstr(buf_text(&said), path);
        poll(NULL, 0, entry == NULL ? 50 : 0);
    } while (entry == NULL && boot_ms() < until);
    assert_non_null(entry);
    assert_non_null(strstr(buf_text(&said), "done_ms"));
    buf_release(&said);
    says(house, 0, "when the journal took no entry", "--as=ines", "log");
}

static void what_lies_on_a_full_disk_is_saved_elsewhere(void **state)
{
    struct house *house = house_new();
    struct client *tomas;
    const char *audit, *id, *path = elsewhere(house);

    (void)state;
    if (!move_to_small_disk(house)) {
        print_message("skipped: no file system can be mounted here\n");
        house_free(&house);
        skip();
    }
    house_set(house, "free_bytes_min", "1");
    house_start(house);
    tomas = client_new(house, "tomas");
    audit = audit_opened(tomas, "h");
    fill_the_disk(house);
    id = until_refused(tomas, audit);
    says(house, 0, "journaled when it does again", "backup", path);
    must_be_whole(house, path);
    says(house, 0, "The journal holds.", "verify", NULL); /* its copy finds another place too */
    says(house, 1, "no room for the copy", "backup", house_path(house, "here.db"));
    empty_the_disk(house);
    until_accepted(tomas, audit, id);
    until_entered_late(house, path);
    client_free(&tomas);
    assert_int_equal(house_stop(house), 0);
    house_prove(house, true);
    assert_int_equal(umount2(house->directory, MNT_DETACH), 0);
    house_free(&house);
}

/* The disk failed: nothing is written any more, and what can still be read is what counts now. */
static void what_a_failing_disk_still_gives_is_saved_elsewhere(void **state)
{
    struct house *house = house_new();
    const char *mark = house_path(house, "no_sync"), *path = elsewhere(house), *audit;
    struct client *tomas;
    char said[4096];
    int file;

    (void)state;
    setenv("LD_PRELOAD", house_program(house, "tests/engine/peers/no_sync.so"), 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    setenv("NO_SYNC", mark, 1);
    house_start(house);
    unsetenv("LD_PRELOAD");
    unsetenv("ASAN_OPTIONS");
    tomas = client_new(house, "tomas");
    audit = audit_opened(tomas, "h");
    file = open(mark, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    close(file);
    until_refused(tomas, audit);
    unlink(mark);
    until_refused(tomas, audit); /* and stays so, whatever the disk says now */
    must_read(tomas, audit);
    says(house, 0, "nothing is journaled any more", "backup", path);
    must_be_whole(house, path);
    says(house, 0, "The journal holds.", "verify", NULL);
    says(house, 0, "nothing is journaled any more", "stop", NULL);
    assert_int_equal(house_wait(house), 0);
    assert_int_equal(house_start_refused(house, said), EXIT_DAMAGED);
    assert_non_null(strstr(said, "rota salvage"));
    client_free(&tomas);
    house_free(&house);
}

static void leave_little(struct house *house)
{
    fill(house, 1 << 20);
}

static void below_the_reserve_no_command_is_taken(void **state)
{
    struct house *house = house_new();

    (void)state;
    if (!move_to_small_disk(house)) {
        print_message("skipped: no file system can be mounted here\n");
        house_free(&house);
        skip();
    }
    house_set(house, "free_bytes_min", "2097152");
    house_start(house);
    full_and_not_full(house, leave_little, empty_the_disk);
    assert_int_equal(house_stop(house), 0);
    house_prove(house, true);
    assert_int_equal(umount2(house->directory, MNT_DETACH), 0);
    house_free(&house);
}

static void limit_files(struct house *house)
{
    struct rlimit limit = {1024, RLIM_INFINITY};

    assert_int_equal(prlimit(house->rotad, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void lift_limit(struct house *house)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    assert_int_equal(prlimit(house->rotad, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* Every write fails (EFBIG), without a file system of its own. */
static void writes_that_fail_stop_commands_not_questions_and_pass(void **state)
{
    struct house *house = house_new();

    (void)state;
    house_start(house);
    full_and_not_full(house, limit_files, lift_limit);
    house_free(&house);
}

/* Whoever asked in the batch that failed is answered, whatever it was that they asked. */
static void a_batch_that_fails_leaves_nobody_without_an_answer(void **state)
{
    enum { ASKED = 8 };
    struct house *house = house_new();
    struct client *tomas;
    const char *audit;

    (void)state;
    house_start(house);
    tomas = client_new(house, "tomas");
    audit = audit_opened(tomas, "h");
    limit_files(house);
    kill(house->rotad, SIGSTOP); /* so that all of them are one batch */
    for (int i = 0; i < ASKED; i++)
        client_asks(
            tomas, i % 2 == 0 ? "rota.command.v1" : "rota.query.v1",
            packed(house, arena_printf(&house->arena,
                                       i % 2 == 0 ? "{\"v\":1,\"id\":\"%s\",\"command\":\"edit\","
                                                    "\"record\":\"%s\",\"args\":{\"set\":{"
                                                    "\"scope\":\"s\"}}}"
                                                  : "{\"v\":1,\"id\":\"%s\",\"query\":\"show\","
                                                    "\"args\":{\"record\":\"%s\"}}",
                                       new_id(house), audit)));
    kill(house->rotad, SIGCONT);
    for (int i = 0; i < ASKED; i++) {
        struct answer answer = client_hears(tomas, PATIENCE_MS / 3);

        if (!answer.came)
            house_fail(house, "%d of %d had no answer", ASKED - i, ASKED);
        if (answer.digits != 200)
            expect(tomas, &answer, 503, "journal-unavailable");
    }
    lift_limit(house);
    client_free(&tomas);
    house_free(&house);
}

/* ---- the end ---- */

static const char *flying_command(struct house *house, const char *id, int number)
{
    return arena_printf(
        &house->arena,
        "{\"v\":1,\"id\":\"%s\",\"command\":\"open\",\"args\":{\"kind\":\"finding\","
        "\"title\":\"Finding %d\",\"fields\":{\"source\":\"self_identified\","
        "\"classification\":\"observation\",\"criterion\":\"A.8.8\","
        "\"auditee_owner\":\"pavel\",\"found_on\":\"2026-01-01\"}}}",
        id, number);
}

static void a_stop_answers_what_is_under_way(void **state)
{
    static const char *const names[] = {"tomas", "yuki", "ines"};
    struct house *house = house_new();
    struct client *clients[3];
    const char *ids[3][IN_FLIGHT];
    int done = 0, later = 0, again = 0;

    (void)state;
    house_start(house);
    for (int c = 0; c < 3; c++) {
        struct answer info;

        clients[c] = client_new(house, names[c]);
        info = query(clients[c], "info", "{}");
        expect(clients[c], &info, 200, "");
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        for (int c = 0; c < 3; c++) {
            ids[c][i] = new_id(house);
            client_asks(clients[c], "rota.command.v1",
                        packed(house, flying_command(house, ids[c][i], i)));
        }
    for (int c = 0; c < 3; c++) {
        struct answer first = client_hears(clients[c], PATIENCE_MS); /* all of them have begun */

        expect(clients[c], &first, 200, "");
        done++;
    }
    assert_int_equal(house_stop(house), 0);
    for (int c = 0; c < 3; c++) {
        struct answer answer;

        while ((answer = client_hears(clients[c], 300)).came) {
            if (answer.digits != 200)
                expect(clients[c], &answer, 503, "draining");
            done += answer.digits == 200;
            later += answer.digits == 503;
        }
    }
    print_message("%d done, %d told to come back, of %d\n", done, later, 3 * IN_FLIGHT);
    assert_int_equal(done + later, 3 * IN_FLIGHT);
    house_start(house);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < IN_FLIGHT; i++) {
            struct answer answer =
                ask_json(clients[c], "rota.command.v1", flying_command(house, ids[c][i], i));

            expect(clients[c], &answer, 200, "");
            again += answer.said.duplicate;
        }
    assert_int_equal(again, done);
    for (int c = 0; c < 3; c++)
        client_free(&clients[c]);
    house_free(&house);
}

static void a_clean_stop_leaves_a_signed_and_settled_journal(void **state)
{
    struct house *house = house_with_history();
    struct buf said = BUF_EMPTY, key = BUF_EMPTY;
    char *verify[] = {arena_str(&house->arena, house_program(house, "rota-verify")),
                      arena_str(&house->arena, house_path(house, "journal.db")), "--vkey", NULL,
                      NULL};

    (void)state;
    verify[3] = arena_printf(&house->arena, "@%s", house_path(house, "keys/log.vkey"));
    assert_int_equal(run_program(verify, &said), 0);
    assert_null(strstr(buf_text(&said), "TAIL_UNSIGNED"));
    assert_int_not_equal(access(house_path(house, "run/rotad.pid"), F_OK), 0);
    buf_release(&said);
    buf_release(&key);
    house_free(&house);
}

static int64_t now_of(struct client *client)
{
    struct answer said = query(client, "info", "{}");

    expect(client, &said, 200, "");
    return value_get_int(&said.said.out, "now_ms", 0);
}

/* No entry is made after it: the engine's death does not undo what was answered. */
static void a_clock_that_was_moved_stays_moved_when_the_engine_dies(void **state)
{
    struct house *house = house_new();
    struct client *client;
    int64_t before, moved;

    (void)state;
    house_start(house);
    client = client_new(house, "ines");
    before = now_of(client);
    assert_int_equal(house_rota(house, NULL, "clock", "advance", "300 days", NULL), 0);
    moved = now_of(client);
    assert_true(moved - before >= 300 * INT64_C(86400000));
    house_kill(house);
    house_start(house);
    client_reconnect(client);
    assert_true(now_of(client) >= before + 300 * INT64_C(86400000));
    /* An id is not obeyed twice, before the kill or after it. */
    for (int i = 0; i < 2; i++) {
        struct answer said =
            ask_json(client, "rota.admin.v1",
                     "{\"v\":1,\"id\":\"the-same-clock-id\",\"command\":\"clock.advance\",\"args\":"
                     "{\"ms\":86400000000}}");

        expect(client, &said, 200, "");
        assert_true(now_of(client) < moved + INT64_C(2) * 86400000000);
        house_kill(house);
        house_start(house);
        client_reconnect(client);
    }
    assert_true(now_of(client) >= before + INT64_C(86400000000));
    client_free(&client);
    house_free(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_journal_is_refused_and_left_as_it_is),
        cmocka_unit_test(a_journal_that_is_not_there_is_missed),
        cmocka_unit_test(an_edited_state_is_found_by_the_verifier),
        cmocka_unit_test(a_journal_without_its_guards_is_refused),
        cmocka_unit_test(a_second_engine_on_the_directory_is_refused),
        cmocka_unit_test(settings_and_keys_that_are_wrong_are_named),
        cmocka_unit_test(a_definition_with_an_error_is_refused_at_the_founding),
        cmocka_unit_test(a_full_disk_stops_commands_not_questions_and_passes),
        cmocka_unit_test(what_lies_on_a_full_disk_is_saved_elsewhere),
        cmocka_unit_test(what_a_failing_disk_still_gives_is_saved_elsewhere),
        cmocka_unit_test(below_the_reserve_no_command_is_taken),
        cmocka_unit_test(writes_that_fail_stop_commands_not_questions_and_pass),
        cmocka_unit_test(a_batch_that_fails_leaves_nobody_without_an_answer),
        cmocka_unit_test(a_stop_answers_what_is_under_way),
        cmocka_unit_test(a_clean_stop_leaves_a_signed_and_settled_journal),
        cmocka_unit_test(a_clock_that_was_moved_stays_moved_when_the_engine_dies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
