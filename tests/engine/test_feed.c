/* Every event names the one before it in its class, wherever a reader begins and however often the engine was killed. */
#include "peers.h"

#include "base/dmp.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { PARTS = 41, PART = 64, EVENTS_MAX = 20000, CLASSES_MAX = 32 };

struct seen {
    char class[32];
    int64_t last;
};

/* A part of an import: many leaves in one command. */
static const char *part(struct house *house, int number)
{
    struct buf text = BUF_EMPTY;
    const char *copy;

    buf_addf(&text,
             "{\"tool\":\"t\",\"format\":\"csv\",\"sha256\":\"%064d\",\"from\":%d,\"of\":%d,"
             "\"findings\":[",
             7, number * PART, PARTS * PART);
    for (int i = number * PART; i < (number + 1) * PART; i++)
        buf_addf(&text,
                 "%s{\"title\":\"Result %d\",\"dedupe_key\":\"k:%d\",\"fields\":{\"source\":"
                 "\"import_scan\",\"classification\":\"observation\",\"severity\":\"low\","
                 "\"criterion\":\"A.8.9\",\"statement\":\"So it is.\",\"found_on\":"
                 "\"2026-11-20\"}}",
                 i % PART == 0 ? "" : ",", i, i);
    buf_add_str(&text, "]}");
    copy = arena_str(&house->arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

static int64_t *last_of(struct seen *seen, struct slice class)
{
    for (int i = 0; i < CLASSES_MAX; i++) {
        if (seen[i].class[0] == '\0') {
            snprintf(seen[i].class, sizeof seen[i].class, "%.*s", (int)class.len,
                     (const char *)class.at);
            seen[i].last = -1;
        }
        if (slice_is(class, seen[i].class))
            return &seen[i].last;
    }
    fail_msg("too many classes");
    return NULL;
}

/* Reads a page from `from` on; each event's `prev` must be what `before` says, or, while that is NULL, goes into it by reading
 * everything from the beginning. Gives where to go on. */
static int64_t read_page(struct client *client, int64_t from, int64_t *prevs, struct seen *seen)
{
    struct answer answer =
        ask_json(client, "rota.events.v1",
                 arena_printf(&client->house->arena, "{\"v\":1,\"from\":%lld,\"max\":1000}",
                              (long long)from));
    const struct value *events;

    expect(client, &answer, 200, "");
    events = value_get(&answer.said.out, "events");
    for (uint32_t i = 0; i < events->count; i++) {
        struct value event = VALUE_NONE;
        struct slice type;
        int64_t seq;

        assert_int_equal(dmp_decode_large(&client->house->arena, value_slice(&events->as.items[i]),
                                          UINT32_MAX, &event, NULL),
                         0);
        seq = value_get_int(&event, "sequence", -1);
        assert_int_equal(seq, from + i);
        assert_true(seq < EVENTS_MAX);
        type = value_get_text(&event, "type"); /* rota.record.open */
        type = slice_of(type.at + 5, type.len - 5);
        if (memchr(type.at, '.', type.len) != NULL)
            type.len = (size_t)((const uint8_t *)memchr(type.at, '.', type.len) - type.at);
        if (seen != NULL) {
            int64_t *last = last_of(seen, type);

            prevs[seq] = *last;
            *last = seq;
        }
        assert_int_equal(value_get_int(&event, "prev", -2), prevs[seq]);
    }
    return value_get_int(&answer.said.out, "next", -1);
}

static void forget_the_heads(struct house *house)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(house_path(house, "journal.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "DELETE FROM meta WHERE key LIKE 'heads/%'", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db) > 1, true);
    sqlite3_close(db);
}

static void begin_anew(struct house *house, struct client *client)
{
    house_start(house);
    client_reconnect(client);
}

static void every_event_names_the_one_before_it_wherever_a_reader_begins(void **state)
{
    static int64_t prevs[EVENTS_MAX];
    static const int64_t places[] = {1, 900, 1023, 1024, 1025, 1500, 2047, 2048, 2500};
    struct seen seen[CLASSES_MAX] = {{"", 0}};
    struct house *house = house_new();
    struct client *tomas;
    const char *audit;
    int64_t next = 0, end;

    (void)state;
    house_start(house);
    tomas = client_new(house, "tomas");
    audit = audit_planned(tomas, "h");
    audit_begin(tomas, audit);
    for (int i = 0; i < PARTS; i++) {
        struct answer answer = command(tomas, "audit.import", audit, part(house, i));

        expect(tomas, &answer, 200, "");
        if (i == PARTS / 2) {
            house_kill(house);
            begin_anew(house, tomas);
        }
    }
    house_advance(house, 1000); /* a class that was not seen for long */
    for (end = -1; next != end;) {
        end = next;
        next = read_page(tomas, next, prevs, seen);
    }
    assert_true(end > 2600);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
            read_page(tomas, places[i], prevs, NULL);
        if (round == 0) {
            house_kill(house);
        } else if (round == 1) {
            assert_int_equal(house_stop(house), 0);
            forget_the_heads(house); /* as a journal from before */
        }
        if (round < 2)
            begin_anew(house, tomas);
    }
    client_free(&tomas);
    house_free(&house);
}

static int64_t next_head(struct house *house, void *reader)
{
    struct slice frames[MDP_FRAMES_MAX];
    struct value head = VALUE_NONE;

    assert_int_equal(reader_hears(house, reader, frames), 2);
    assert_true(slice_is(frames[0], "_head/"));
    assert_int_equal(dmp_decode(&house->arena, frames[1], &head, NULL), 0);
    return value_get_int(&head, "head", -1);
}

/* Nothing happens: who has just come, or missed the last event, hears how far it is all the same. */
static void the_head_comes_again_and_again_also_when_nothing_happens(void **state)
{
    struct house *house = house_new();
    struct client *tomas;
    int64_t head;
    void *reader;

    (void)state;
    house_start(house);
    tomas = client_new(house, "tomas");
    reader = reader_new(tomas, "_head/");
    head = next_head(house, reader);
    assert_true(head > 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(next_head(house, reader), head);
    audit_opened(tomas, "h");
    while (next_head(house, reader) == head)
        continue;
    client_free(&tomas);
    house_free(&house);
}

/* Who knows more entries than there are followed a journal that a restore has cut: to wait would be to miss what takes their places. */
static void a_reader_who_is_beyond_the_end_is_told(void **state)
{
    struct house *house = house_new();
    struct client *tomas;
    struct answer answer;
    int64_t head;

    (void)state;
    house_start(house);
    tomas = client_new(house, "tomas");
    answer = ask_json(tomas, "rota.events.v1", "{\"v\":1,\"from\":0,\"max\":1}");
    expect(tomas, &answer, 200, "");
    head = value_get_int(&answer.said.out, "head", -1);
    answer = ask_json(tomas, "rota.events.v1",
                      arena_printf(&house->arena, "{\"v\":1,\"from\":%lld,\"wait_ms\":30000}",
                                   (long long)head + 2));
    expect(tomas, &answer, 409, "beyond-end");
    assert_int_equal(value_get_int(&answer.said.out, "head", -1), head);
    answer = ask_json(tomas, "rota.events.v1",
                      arena_printf(&house->arena, "{\"v\":1,\"from\":%lld}", (long long)head + 1));
    expect(tomas, &answer, 200, "");
    client_free(&tomas);
    house_free(&house);
}

static void wait_for_events(struct client *client, const char *id)
{
    struct answer answer;

    client_asks(client, "rota.events.v1",
                packed(client->house,
                       arena_printf(&client->house->arena,
                                    "{\"v\":1,\"id\":\"%s\",\"from\":-1,\"wait_ms\":30000}", id)));
    answer = query(client, "info", "{}"); /* answered after it: it waits */
    expect(client, &answer, 200, "");
}

/* Who waits for events and may read no more when they come is not told them. */
static void whoever_waits_has_the_rights_of_now(void **state)
{
    struct house *house = house_new();
    struct client *ines, *bo;
    struct answer proposed, heard;

    (void)state;
    house_start(house);
    ines = client_new(house, "ines");
    bo = client_new(house, "bo");
    wait_for_events(bo, "waits-for-the-proposal");
    proposed = command(ines, "directory.install", NULL,
                       "{\"people\":[{\"name\":\"bo\",\"kind\":\"person\",\"not_after\":1}]}");
    expect(ines, &proposed, 200, "");
    heard = client_hears(bo, PATIENCE_MS);
    expect(bo, &heard, 200, "");
    wait_for_events(bo, "waits-for-the-agreement");
    agree(house, "amara", &proposed);
    heard = client_hears(bo, PATIENCE_MS);
    expect(bo, &heard, 403, "not-allowed");
    client_free(&ines);
    client_free(&bo);
    house_free(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_names_the_one_before_it_wherever_a_reader_begins),
        cmocka_unit_test(the_head_comes_again_and_again_also_when_nothing_happens),
        cmocka_unit_test(a_reader_who_is_beyond_the_end_is_told),
        cmocka_unit_test(whoever_waits_has_the_rights_of_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
