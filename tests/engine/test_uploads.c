/* What is put up and not used: after a day without a word it is taken away, by the virtual clock of the real engine; never what
 * an entry names, and nobody fills the disk with it. */
#include "peers.h"

#include "base/hash.h"

#include <sqlite3.h>
#include <stdio.h>

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

static const uint8_t SALT[16] = {1, 2, 3};
#define SALT_HEX "hex:01020300000000000000000000000000"

/* Rows of a table of the journal's file, as another reader sees them. */
static int rows_of(struct house *house, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int count = -1;

    assert_int_equal(
        sqlite3_open_v2(house_path(house, "journal.db"), &db, SQLITE_OPEN_READONLY, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        count = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return count;
}

static int contents(struct house *house)
{
    return rows_of(house, "SELECT count(*) FROM content");
}

static int parts(struct house *house)
{
    return rows_of(house, "SELECT count(*) FROM upload");
}

static const char *hex_of(struct house *house, const char *text)
{
    char *hex = arena_take(&house->arena, 2 * strlen(text) + 1);

    hex_encode(slice_str(text), hex);
    return hex;
}

static const char *hash_of(struct house *house, const char *text)
{
    char *hex = arena_take(&house->arena, 2 * HASH_LEN + 1);
    uint8_t hash[HASH_LEN];

    hash_content(SALT, slice_str(text), hash);
    hex_encode(slice_of(hash, HASH_LEN), hex);
    return hex;
}

static void put_up(struct client *client, const char *text)
{
    struct answer answer = command(client, "content.put", NULL,
                                   arena_printf(&client->house->arena,
                                                "{\"data\":\"hex:%s\",\"salt\":\"" SALT_HEX "\"}",
                                                hex_of(client->house, text)));

    expect(client, &answer, 200, "");
}

static void put_part(struct client *client, const char *upload, int part, const char *text,
                     bool is_last)
{
    struct answer answer = command(
        client, "content.put", NULL,
        arena_printf(&client->house->arena, "{\"data\":\"hex:%s\",\"upload\":\"%s\",\"part\":%d%s}",
                     hex_of(client->house, text), upload, part,
                     is_last ? ",\"last\":true,\"salt\":\"" SALT_HEX "\"" : ""));

    expect(client, &answer, is_last ? 200 : 202, "");
}

/* An entry that names the content: the audit's scope. */
static void name_it(struct client *client, const char *audit, const char *text, int digits,
                    const char *code)
{
    struct answer answer =
        command(client, "edit", audit,
                arena_printf(&client->house->arena,
                             "{\"set\":{\"scope\":{\"content\":\"hex:%s\",\"size\":%zu}}}",
                             hash_of(client->house, text), strlen(text)));

    expect(client, &answer, digits, code);
}

static void what_nothing_names_for_a_day_is_taken_away(void **state)
{
    struct house *house = house_new();
    struct client *tomas;
    const char *audit;
    int before;

    (void)state;
    house_start(house);
    tomas = client_new(house, "tomas");
    audit = audit_opened(tomas, "h");
    before = contents(house);
    put_up(tomas, "an orphan");
    put_up(tomas, "named at once");
    name_it(tomas, audit, "named at once", 200, "");
    put_part(tomas, "u1", 0, "the beginning of a file that ", false);
    put_part(tomas, "u2", 0, "in two parts, ", false);
    assert_int_equal(contents(house), before + 2);

    house_advance(house, 20 * (int64_t)HOUR_MS);
    /* One upload goes on: its day begins anew. */
    put_part(tomas, "u2", 1, "a day apart, ", false);
    house_advance(house, 5 * (int64_t)HOUR_MS);
    query(tomas, "info", "{}");
    assert_int_equal(contents(house), before + 1);
    assert_int_equal(parts(house), 3); /* u2: two parts and its note */
    put_part(tomas, "u2", 2, "whole", true);
    name_it(tomas, audit, "in two parts, a day apart, whole", 200, "");
    assert_int_equal(parts(house), 0);
    assert_int_equal(contents(house), before + 2);
    name_it(tomas, audit, "an orphan", 422, "guard-failed");

    /* What an entry names stays, for ever and although it is put up again. */
    put_up(tomas, "named at once");
    house_advance(house, 3 * (int64_t)DAY_MS);
    query(tomas, "info", "{}");
    assert_int_equal(contents(house), before + 2);
    client_free(&tomas);
    house_free(&house);
}

/* Killed twice on the way: what is over is taken away all the same, and what was named meanwhile is not. */
static void a_kill_loses_no_note_and_begins_no_day_anew(void **state)
{
    struct house *house = house_new();
    struct client *tomas;
    struct answer answer;
    const char *audit;
    int before;

    (void)state;
    house_start(house);
    tomas = client_new(house, "tomas");
    audit = audit_opened(tomas, "h");
    before = contents(house);
    put_up(tomas, "an orphan");
    put_up(tomas, "refused with its command");
    name_it(tomas, "AUD-9999", "refused with its command", 404, "no-record");
    put_up(tomas, "named");
    put_part(tomas, "u", 0, "never finished", false);
    name_it(tomas, audit, "named", 200, "");
    house_kill(house);
    house_start(house);
    client_reconnect(tomas);
    put_up(tomas, "younger");
    assert_int_equal(contents(house), before + 4);
    house_advance(house, 23 * (int64_t)HOUR_MS);
    /* A virtual clock goes on from the last entry. */
    name_it(tomas, audit, "named", 200, "");
    house_kill(house);
    house_start(house);
    client_reconnect(tomas);
    assert_int_equal(contents(house), before + 4);
    house_advance(house, HOUR_MS);
    query(tomas, "info", "{}");
    assert_int_equal(contents(house), before + 1);
    assert_int_equal(parts(house), 0);
    assert_int_equal(house_stop(house), 0);
    house_start(house);
    client_reconnect(tomas);
    /* Its bytes can still be read. */
    answer =
        query(tomas, "content",
              arena_printf(&house->arena, "{\"content\":\"hex:%s\"}", hash_of(house, "named")));
    expect(tomas, &answer, 200, "");
    client_free(&tomas);
    house_free(&house);
}

static void who_puts_too_much_up_is_told_what_to_do(void **state)
{
    struct house *house = house_new();
    struct client *tomas, *ines;
    struct answer answer;
    const char *audit, *large = arena_printf(&house->arena, "%0*d", 20000, 7);

    (void)state;
    house_set(house, "unused_bytes_max", "65536");
    house_start(house);
    tomas = client_new(house, "tomas");
    ines = client_new(house, "ines");
    audit = audit_opened(tomas, "h");
    put_up(tomas, large);
    put_part(tomas, "u", 0, large, false);
    answer =
        command(tomas, "content.put", NULL,
                arena_printf(&house->arena, "{\"data\":\"hex:%s\",\"upload\":\"u\",\"part\":1}",
                             hex_of(house, large)));
    expect(tomas, &answer, 413, "too-large");
    put_up(ines, large + 1); /* another person's are not counted */
    name_it(tomas, audit, large, 200, "");
    put_part(tomas, "u", 1, large, false);
    answer = command(
        tomas, "content.put", NULL,
        arena_printf(&house->arena, "{\"data\":\"hex:00\",\"upload\":\"%0200d\",\"part\":1}", 1));
    expect(tomas, &answer, 400, "malformed");
    client_free(&tomas);
    client_free(&ines);
    house_free(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nothing_names_for_a_day_is_taken_away),
        cmocka_unit_test(a_kill_loses_no_note_and_begins_no_day_anew),
        cmocka_unit_test(who_puts_too_much_up_is_told_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
