/* kill -9 under load: what was acknowledged is there, once; the same id again gives the same answer; work that was
 * lent out when the engine died lands once.
 *
 * ROTA_ROUNDS (200) says how often the engine is killed, ROTA_SEED when. Each round: several clients have commands under
 * way and workers have tasks in hand; the engine dies; what lies on the disk is proven now and then; the engine starts
 * again; every command of the round is sent again, those that were answered and those that were not. At the end the
 * journal is compared, leaf by leaf, with what the clients were told.
 */
#include "peers.h"

#include "core/leaf.h"

#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum {
    CLIENTS = 4,
    LINES = 12, /* chains of commands, each with one under way */
    COLLECTORS = 3,
    COURIERS = 3,
    HANDS = COLLECTORS + COURIERS,
    ROUNDS = 200,
    PROVE_EVERY = 10, /* rounds */
    ROUND_MOST_MS = 90,
    WORK_MOST_MS = 40,
    SETTLE_MS = 30000,
    FLYING_MOST = 40 /* the engine lets a principal have 64 unanswered */
};

static const char *const client_names[CLIENTS] = {"tomas", "yuki", "ines", "tomas"};

struct deed { /* one command */
    int line;
    const char *id;
    struct slice body;
    bool is_answered;
    bool is_entry; /* it makes an entry of the journal; content.put does not */
    int round;     /* in which it was sent first */
    uint64_t seq;
    int64_t revision;
    struct slice hash;
    const char *record;
};

struct
    line { /* one chain: an audit until its work is lent out, and the next; or findings with their text */
    int client, step, deed;
    const char *record;
    struct slice content;
    int64_t revision;
};

struct hand { /* a worker, and what it has in hand */
    struct worker *worker;
    struct work work;
    int64_t done_ms;
};

struct load {
    struct house *house;
    struct client *clients[CLIENTS];
    struct line lines[LINES];
    struct hand hands[HANDS];
    struct deed *deeds;             /* owned */
    int deed_count, deed_cap, open; /* open: sent and not answered */
    int flying;                     /* sent on the present connections and not answered */
    int round, duplicates, begun;
    int finished; /* results that workers gave */
    unsigned seed;
    bool ends; /* no line begins another deed */
};

static int below(struct load *load, int limit)
{
    return rand_r(&load->seed) % limit;
}

/* ---- commands ---- */

static struct client *client_of(struct load *load, const struct deed *deed)
{
    return load->clients[load->lines[deed->line].client];
}

static void send_deed(struct load *load, const struct deed *deed)
{
    load->flying++;
    client_asks(client_of(load, deed), "rota.command.v1", deed->body);
}

static void begin_deed(struct load *load, int place, const char *name, const char *args)
{
    struct arena *arena = &load->house->arena;
    struct line *line = &load->lines[place];
    struct deed *deed;
    const char *about = line->record == NULL
                            ? ""
                            : arena_printf(arena, ",\"record\":\"%s\",\"if_revision\":%lld",
                                           line->record, (long long)line->revision);

    if (load->deed_count == load->deed_cap) {
        load->deed_cap = load->deed_cap > 0 ? 2 * load->deed_cap : 1024;
        load->deeds = realloc(load->deeds, (size_t)load->deed_cap * sizeof *load->deeds);
        assert_non_null(load->deeds);
    }
    deed = &load->deeds[load->deed_count];
    *deed = (struct deed){.line = place, .round = load->round, .record = ""};
    deed->id = arena_printf(arena, "kill.%08d.%08x", load->deed_count, (unsigned)getpid());
    deed->is_entry = strcmp(name, "content.put") != 0;
    deed->body = packed(
        load->house, arena_printf(arena, "{\"v\":1,\"id\":\"%s\",\"command\":\"%s\"%s,\"args\":%s}",
                                  deed->id, name, about, args));
    line->deed = load->deed_count++;
    load->open++;
    send_deed(load, deed);
}

static void audit_step(struct load *load, int place)
{
    struct line *line = &load->lines[place];
    struct arena *arena = &load->house->arena;

    switch (line->step++ % 4) {
    case 0:
        line->record = NULL;
        begin_deed(load, place, "open",
                   arena_printf(arena,
                                "{\"kind\":\"audit\",\"title\":\"Audit %d\",\"fields\":{"
                                "\"objectives\":\"o\",\"criteria\":[\"A.8.8\"],\"scope\":\"s\","
                                "\"auditors\":[\"tomas\",\"yuki\"],\"auditee_owner\":\"pavel\","
                                "\"cause\":\"c\",\"planned_start\":\"2031-01-06\","
                                "\"planned_end\":\"2031-01-10\",\"collect_from\":\"host%d\"}}",
                                load->deed_count, load->deed_count));
        return;
    case 1:
        begin_deed(load, place, "edit", "{\"set\":{\"scope\":\"narrower\"}}");
        return;
    case 2:
        begin_deed(load, place, "approve_plan", "{}");
        return;
    default:
        begin_deed(load, place, "begin", "{}");
        return;
    }
}

static void finding_step(struct load *load, int place)
{
    struct line *line = &load->lines[place];
    struct arena *arena = &load->house->arena;
    char *hex, data[2 * 1500 + 1];

    line->record = NULL;
    if (line->step++ % 2 == 0) {
        memset(data, '6', sizeof data - 1);
        data[sizeof data - 1] = '\0';
        begin_deed(load, place, "content.put",
                   arena_printf(arena, "{\"data\":\"hex:%s\",\"salt\":\"hex:%032x\"}", data,
                                (unsigned)load->deed_count));
        return;
    }
    hex = arena_take(arena, 2 * HASH_LEN + 1);
    hex_encode(line->content, hex);
    begin_deed(load, place, "open",
               arena_printf(arena,
                            "{\"kind\":\"finding\",\"title\":\"Finding %d\",\"fields\":{"
                            "\"source\":\"self_identified\",\"classification\":\"observation\","
                            "\"criterion\":\"A.8.8\",\"auditee_owner\":\"pavel\","
                            "\"found_on\":\"2026-01-01\","
                            "\"statement\":{\"content\":\"hex:%s\",\"size\":1500}}}",
                            load->deed_count, hex));
}

static void next_deed(struct load *load, int place)
{
    struct line *line = &load->lines[place];

    line->deed = -1;
    if (load->ends)
        return;
    if (strcmp(client_names[line->client], "ines") == 0)
        finding_step(load, place);
    else
        audit_step(load, place);
}

/* ---- answers ---- */

static bool is_begin(struct load *load, const struct deed *deed)
{
    return strcmp(client_names[load->lines[deed->line].client], "ines") != 0 &&
           memmem(deed->body.at, deed->body.len,
                  "\xa5"
                  "begin",
                  6) != NULL;
}

static void first_answer(struct load *load, struct deed *deed, const struct answer *answer)
{
    struct line *line = &load->lines[deed->line];

    deed->is_answered = true;
    deed->seq = answer->said.seq;
    deed->revision = answer->said.revision;
    deed->hash = answer->said.hash;
    deed->record = out_text(client_of(load, deed), answer, "record");
    if (is_begin(load, deed))
        load->begun++;
    load->open--;
    if (line->deed != (int)(deed - load->deeds))
        return;
    line->record = deed->record;
    line->revision = deed->revision;
    if (!deed->is_entry)
        line->content = value_get_bin(&answer->said.out, "content");
    next_deed(load, deed->line);
}

static void same_answer(struct load *load, const struct deed *deed, const struct answer *answer)
{
    bool is_same = answer->said.seq == deed->seq && answer->said.revision == deed->revision &&
                   slice_equal(answer->said.hash, deed->hash) &&
                   strcmp(out_text(client_of(load, deed), answer, "record"), deed->record) == 0;

    if (deed->is_entry && (!is_same || !answer->said.duplicate))
        house_fail(load->house, "%s was answered with entry %llu, and after the kill with %llu%s",
                   deed->id, (unsigned long long)deed->seq, (unsigned long long)answer->said.seq,
                   answer->said.duplicate ? "" : ", not as a repetition");
    load->duplicates++;
}

static void take_answer(struct load *load, const struct answer *answer)
{
    struct slice id = answer->said.id;
    char *text = arena_copy(&load->house->arena, id.at, id.len);
    int place = id.len == 22 ? atoi(text + 5) : -1;
    struct deed *deed;

    if (place < 0 || place >= load->deed_count)
        house_fail(load->house, "an answer to nothing that was asked: %d %.*s", answer->digits,
                   (int)answer->said.message.len, (const char *)answer->said.message.at);
    deed = &load->deeds[place];
    if (answer->digits != 200)
        house_fail(load->house, "%s (%.*s): %d %.*s", deed->id, (int)deed->body.len,
                   (const char *)deed->body.at, answer->digits, (int)answer->said.message.len,
                   (const char *)answer->said.message.at);
    load->flying--;
    if (deed->is_answered)
        same_answer(load, deed, answer);
    else
        first_answer(load, deed, answer);
}

/* ---- work ---- */

static void hand_finish(struct load *load, struct hand *hand)
{
    const char *output = arena_printf(&load->house->arena, "{\"done\":\"%s\"}", hand->work.token);

    worker_replies(hand->worker, hand->work.token, output);
    hand->work.came = false;
    load->finished++;
}

static void hand_turn(struct load *load, struct hand *hand)
{
    struct work work = worker_hears(hand->worker, 0);

    if (hand->work.came && boot_ms() >= hand->done_ms)
        hand_finish(load, hand);
    if (!work.came)
        return;
    /* Lent again after a restart, while it still has the first one in hand: it does that one first. */
    if (hand->work.came)
        hand_finish(load, hand);
    hand->work = work;
    /* Collectors take their time, so that the engine dies on them. */
    hand->done_ms = boot_ms();
    if (hand < load->hands + COLLECTORS && !load->ends)
        hand->done_ms += below(load, WORK_MOST_MS);
    if (boot_ms() >= hand->done_ms)
        hand_finish(load, hand);
}

/* ---- turns ---- */

static void turn(struct load *load)
{
    zmq_pollitem_t items[CLIENTS + HANDS];

    for (int i = 0; i < CLIENTS; i++)
        items[i] = (zmq_pollitem_t){load->clients[i]->socket, 0, ZMQ_POLLIN, 0};
    for (int i = 0; i < HANDS; i++)
        items[CLIENTS + i] = (zmq_pollitem_t){load->hands[i].worker->socket, 0, ZMQ_POLLIN, 0};
    zmq_poll(items, CLIENTS + HANDS, 5);
    for (int i = 0; i < CLIENTS; i++) {
        struct answer answer;

        while ((answer = client_hears(load->clients[i], 0)).came)
            take_answer(load, &answer);
    }
    for (int i = 0; i < HANDS; i++)
        hand_turn(load, &load->hands[i]);
}

static void run_for(struct load *load, int64_t ms)
{
    int64_t until = boot_ms() + ms;

    while (boot_ms() < until)
        turn(load);
}

/* Until every command is answered. */
static void settle_commands(struct load *load)
{
    int64_t until = boot_ms() + SETTLE_MS;

    while (load->open > 0) {
        if (boot_ms() > until)
            house_fail(load->house, "%d commands stay without an answer", load->open);
        turn(load);
    }
}

/* Everything of the round once more, on new connections. */
static void repeat_round(struct load *load)
{
    int asked = 0, heard_before = load->duplicates, last = load->deed_count;

    for (int i = 0; i < CLIENTS; i++)
        client_reconnect(load->clients[i]);
    for (int i = 0; i < HANDS; i++)
        worker_beats(load->hands[i].worker);
    load->flying = 0;
    load->ends = true; /* first the old, then the new */
    for (int i = 0; i < last; i++) {
        struct deed *deed = &load->deeds[i];

        if (deed->is_answered && deed->round != load->round)
            continue;
        asked += deed->is_answered;
        send_deed(load, deed);
        while (load->flying >= FLYING_MOST)
            turn(load);
    }
    settle_commands(load);
    for (int64_t until = boot_ms() + SETTLE_MS; load->duplicates - heard_before < asked;) {
        if (boot_ms() > until)
            house_fail(load->house, "%d repetitions stay without an answer",
                       asked - (load->duplicates - heard_before));
        turn(load);
    }
    load->ends = false;
}

static void resume_lines(struct load *load)
{
    for (int i = 0; i < LINES; i++) {
        if (load->lines[i].deed < 0)
            next_deed(load, i);
    }
}

/* ---- work that is still open at the end: leases that nobody holds run out, pauses pass ---- */

/* However many there are, and however slow the machine: what must not be is that nothing is done any more. */

static int open_tasks(struct load *load)
{
    struct client *client = client_new(load->house, "leila");
    struct answer said = query(client, "tasks", "{\"limit\":1000}");
    int count = (int)said.said.out.count;

    expect(client, &said, 200, "");
    client_free(&client);
    return count;
}

static void settle_tasks(struct load *load)
{
    int64_t until = boot_ms() + SETTLE_MS;

    while (open_tasks(load) > 0) {
        int before = load->finished;

        if (boot_ms() > until)
            house_fail(load->house, "%d tasks are open and none was done for %d s",
                       open_tasks(load), SETTLE_MS / 1000);
        run_for(load, 500);
        if (load->finished > before)
            until = boot_ms() + SETTLE_MS;
        house_advance(load->house, 20000);
    }
}

/* ---- the journal against what the clients were told ---- */

struct count {
    int runs;      /* begun by clients */
    int collected; /* task.done of the collectors */
};

static void check_leaf(struct count *count, const struct leaf *leaf, bool is_first)
{
    bool is_client = slice_is(leaf->actor, "tomas") || slice_is(leaf->actor, "yuki") ||
                     slice_is(leaf->actor, "ines");

    if (is_client && is_first)
        count->runs++;
    if (slice_is(leaf->type, "task.done") && slice_is(leaf->actor, "collector"))
        count->collected++;
}

static void check_deed(struct load *load, sqlite3_stmt *select, const struct deed *deed)
{
    uint8_t id[COMMAND_ID_LEN], hash[HASH_LEN];
    struct arena arena = ARENA_EMPTY;
    struct leaf leaf;
    struct slice bytes;

    sqlite3_reset(select);
    sqlite3_bind_int64(select, 1, (sqlite3_int64)deed->seq);
    if (sqlite3_step(select) != SQLITE_ROW)
        house_fail(load->house, "entry %llu, acknowledged to %s, is lost",
                   (unsigned long long)deed->seq, deed->id);
    bytes = slice_of(sqlite3_column_blob(select, 0), (size_t)sqlite3_column_bytes(select, 0));
    hash_two(slice_of("\0", 1), bytes, hash);
    hash_command_id(slice_str(client_of(load, deed)->name), slice_str(deed->id), id);
    assert_int_equal(leaf_decode(&arena, bytes, &leaf, NULL), 0);
    if (memcmp(leaf.command_id, id, sizeof id) != 0 ||
        !slice_equal(deed->hash, slice_of(hash, sizeof hash)))
        house_fail(load->house, "entry %llu is not what %s was told", (unsigned long long)deed->seq,
                   deed->id);
    arena_release(&arena);
}

static void count_leaves(sqlite3 *db, struct count *count)
{
    uint8_t before[COMMAND_ID_LEN] = {0};
    sqlite3_stmt *all = NULL;

    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT entry FROM journal ORDER BY seq", -1, &all, NULL),
        SQLITE_OK);
    while (sqlite3_step(all) == SQLITE_ROW) {
        struct arena arena = ARENA_EMPTY;
        struct leaf leaf;

        assert_int_equal(
            leaf_decode(&arena,
                        slice_of(sqlite3_column_blob(all, 0), (size_t)sqlite3_column_bytes(all, 0)),
                        &leaf, NULL),
            0);
        check_leaf(count, &leaf, memcmp(before, leaf.command_id, sizeof before) != 0);
        memcpy(before, leaf.command_id, sizeof before);
        arena_release(&arena);
    }
    sqlite3_finalize(all);
}

static void compare(struct load *load)
{
    struct count count = {0};
    sqlite3_stmt *select = NULL;
    sqlite3 *db = NULL;
    int entries = 0;

    house_prove(load->house, false);
    assert_int_equal(sqlite3_open(house_path(load->house, "proof.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT entry FROM journal WHERE seq = ?", -1, &select, NULL),
        SQLITE_OK);
    for (int i = 0; i < load->deed_count; i++) {
        if (!load->deeds[i].is_entry)
            continue;
        check_deed(load, select, &load->deeds[i]);
        entries++;
    }
    sqlite3_finalize(select);
    count_leaves(db, &count);
    sqlite3_close(db);
    print_message("%d kills: %d commands, %d repeated; %d tasks lent, %d done once\n", load->round,
                  entries, load->duplicates, load->begun, count.collected);
    assert_int_equal(count.runs, entries);
    assert_int_equal(count.collected, load->begun);
}

/* ---- the story ---- */

static void open_load(struct load *load)
{
    load->house = house_new();
    house_set(load->house, "plain_lease_ms",
              "10000"); /* workers that are killed are waited for no longer */
    house_start(load->house);
    for (int i = 0; i < CLIENTS; i++)
        load->clients[i] = client_new(load->house, client_names[i]);
    for (int i = 0; i < HANDS; i++)
        load->hands[i].worker =
            i < COLLECTORS
                ? worker_new(load->house, "collector", "audit.collect")
                : worker_new(load->house, "communication-worker", "communication.deliver");
    for (int i = 0; i < LINES; i++)
        load->lines[i] = (struct line){.client = i % CLIENTS, .deed = -1};
}

static void close_load(struct load *load)
{
    for (int i = 0; i < CLIENTS; i++)
        client_free(&load->clients[i]);
    for (int i = 0; i < HANDS; i++)
        worker_free(&load->hands[i].worker);
    free(load->deeds);
    house_free(&load->house);
}

static int number_of(const char *name, int preset)
{
    const char *text = getenv(name);

    return text != NULL && atoi(text) > 0 ? atoi(text) : preset;
}

static void nothing_acknowledged_is_lost_or_doubled(void **state)
{
    struct load load = {.seed = (unsigned)number_of("ROTA_SEED", 1)};
    int rounds = number_of("ROTA_ROUNDS", ROUNDS);

    (void)state;
    open_load(&load);
    for (load.round = 0; load.round < rounds; load.round++) {
        resume_lines(&load);
        run_for(&load, 5 + below(&load, ROUND_MOST_MS));
        house_kill(load.house);
        if (load.round % PROVE_EVERY == PROVE_EVERY - 1)
            house_prove(load.house, false);
        house_start(load.house);
        repeat_round(&load);
    }
    load.ends = true;
    settle_commands(&load);
    settle_tasks(&load);
    assert_int_equal(house_stop(load.house), 0);
    compare(&load);
    close_load(&load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_or_doubled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
