/* A record that grows beyond what is kept of one: the command that would do it is refused alone, and whoever was served in the
 * same batch notices nothing. A worker whose result would do it is done and does not say so again: its task is parked with
 * the reason, and neither lost until the next start nor given out again and again. */
#include "peers.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS = 40, BYTES_OF_FIELD = 29 * 1024, FITTING = 36, OTHERS = 5 };

static void remove_file(struct house *house, const char *name)
{
    unlink(house_path(house, name));
}

/* A kind with more room than a row has; the journal is founded anew with it. */
static void found_with_ledgers(struct house *house)
{
    FILE *pack = fopen(house_path(house, "pack/ledger.cfg"), "w");
    char *found[] = {(char *)(uintptr_t)house_program(house, "rotad"), "--init", house->directory,
                     NULL};
    struct buf said = BUF_EMPTY;

    assert_non_null(pack);
    fprintf(pack,
            "lifecycle = { name = \"ledger\"; title = \"Ledger\";\n"
            "  states = ( { name = \"kept\"; stage = \"draft\"; edit = [\"author\"]; },\n"
            "             { name = \"counted\"; stage = \"draft\"; },\n"
            "             { name = \"shut\"; stage = \"closed\"; } );\n"
            "  transitions = ( { event = \"keep\"; to = \"kept\"; },\n"
            "    { event = \"count\"; from = [\"kept\"]; to = \"counted\"; by = "
            "[\"isms_manager\"];\n"
            "      tasks = ( { name = \"count\"; service = \"audit.collect\"; on_done = "
            "\"copy\"; } ); },\n"
            "    { event = \"copy\"; from = [\"counted\"]; to = \"shut\"; by = [\"system\"];\n"
            "      set = { page%02d = \"record.page00\"; }; },\n"
            "    { event = \"shut\"; from = [\"kept\"]; to = \"shut\"; by = "
            "[\"isms_manager\"]; } ); };\n"
            "kind = { name = \"ledger\"; prefix = \"LED\"; title = \"Ledger\"; lifecycle = "
            "\"ledger\";\n"
            "  create = [\"isms_manager\"]; fields = {\n",
            FITTING);
    for (int i = 0; i < FIELDS; i++)
        fprintf(pack, "    page%02d = { type = \"text[]\"; };\n", i);
    fprintf(pack, "  }; };\n");
    assert_int_equal(fclose(pack), 0);
    remove_file(house, "journal.db");
    remove_file(house, "journal.db-wal");
    remove_file(house, "journal.db-shm");
    remove_file(house, "keys/log.signed"); /* it is another journal, under the same name */
    if (run_program(found, &said) != 0)
        house_fail(house, "%s", buf_text(&said));
    buf_release(&said);
}

static const char *page(struct house *house, int number)
{
    struct buf text = BUF_EMPTY;
    const char *copy;

    buf_addf(&text, "{\"set\":{\"page%02d\":[", number);
    for (int i = 0; i < BYTES_OF_FIELD / 1000; i++)
        buf_addf(&text, "%s\"%0990d\"", i > 0 ? "," : "", i);
    buf_add_str(&text, "]}}");
    copy = arena_str(&house->arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

static void ask(struct client *client, const char *name, const char *record, const char *args)
{
    const char *json = arena_printf(
        &client->house->arena, "{\"v\":1,\"id\":\"%s\",\"command\":\"%s\"%s%s%s,\"args\":%s}",
        new_id(client->house), name, record != NULL ? ",\"record\":\"" : "",
        record != NULL ? record : "", record != NULL ? "\"" : "", args);

    client_asks(client, "rota.command.v1", packed(client->house, json));
}

/* LED-0001, into which nothing more fits. */
static void fill_ledger(struct client *ines)
{
    struct answer answer =
        command(ines, "open", NULL, "{\"kind\":\"ledger\",\"title\":\"All of it\",\"fields\":{}}");

    expect(ines, &answer, 200, "");
    for (int i = 0; i < FITTING; i++) {
        answer = command(ines, "edit", "LED-0001", page(ines->house, i));
        expect(ines, &answer, 200, "");
    }
}

static void a_record_that_would_grow_too_large_is_refused_alone(void **state)
{
    struct house *house = house_new();
    struct client *ines, *tomas;
    struct answer answer;

    (void)state;
    found_with_ledgers(house);
    house_start(house);
    ines = client_new(house, "ines");
    tomas = client_new(house, "tomas");
    fill_ledger(ines);
    query(tomas, "info", "{}"); /* connected */
    /* One batch: what arrives while the engine stands still. */
    kill(house->rotad, SIGSTOP);
    for (int i = 0; i < OTHERS; i++)
        ask(tomas, "open", NULL, "{\"kind\":\"incident\",\"title\":\"Lost badge\",\"fields\":{}}");
    ask(ines, "edit", "LED-0001", page(house, FITTING));
    ask(ines, "open", NULL, "{\"kind\":\"ledger\",\"title\":\"The next\",\"fields\":{}}");
    kill(house->rotad, SIGCONT);
    answer = client_hears(ines, PATIENCE_MS);
    expect(ines, &answer, 413, "too-large");
    assert_non_null(
        strstr(arena_copy(&house->arena, answer.said.message.at, answer.said.message.len),
               "LED-0001 would become larger than the 1048576 bytes"));
    answer = client_hears(ines, PATIENCE_MS);
    expect(ines, &answer, 200, "");
    for (int i = 0; i < OTHERS; i++) {
        answer = client_hears(tomas, PATIENCE_MS);
        expect(tomas, &answer, 200, "");
    }
    /* It goes on, in another record and in this one with less. */
    answer = command(ines, "edit", "LED-0002", page(house, 0));
    expect(ines, &answer, 200, "");
    answer = command(ines, "edit", "LED-0001", "{\"set\":{\"page00\":null}}");
    expect(ines, &answer, 200, "");
    answer = command(ines, "edit", "LED-0001", page(house, FITTING));
    expect(ines, &answer, 200, "");
    client_free(&ines);
    client_free(&tomas);
    house_free(&house);
}

static void a_result_that_would_make_it_too_large_parks_its_task(void **state)
{
    struct house *house = house_new();
    struct buf said = BUF_EMPTY;
    struct worker *collector;
    struct client *ines;
    struct answer answer;
    struct work work;

    (void)state;
    found_with_ledgers(house);
    house_start(house);
    ines = client_new(house, "ines");
    collector = worker_new(house, "collector", "audit.collect");
    fill_ledger(ines);
    answer = command(ines, "count", "LED-0001", "{}");
    expect(ines, &answer, 200, "");
    work = worker_hears(collector, PATIENCE_MS);
    assert_true(work.came);
    worker_replies(collector, work.token, "{}");
    for (int i = 0; i < 200; i++) {
        buf_clear(&said);
        assert_int_equal(house_rota(house, &said, "--as", "ines", "--json", "tasks", NULL), 0);
        if (strstr(buf_text(&said), "\"parked\"") != NULL)
            break;
        usleep(20000);
    }
    assert_non_null(strstr(buf_text(&said), "\"parked\""));
    assert_non_null(strstr(buf_text(&said), "LED-0001 would become larger"));
    buf_release(&said);
    worker_free(&collector);
    client_free(&ines);
    house_prove(house, true);
    house_free(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_would_grow_too_large_is_refused_alone),
        cmocka_unit_test(a_result_that_would_make_it_too_large_parks_its_task),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
