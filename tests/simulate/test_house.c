/* test_house.c - the house of memory, and those who watch over it: each must notice what it is there to notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "definition/pack.h"
#include "simulate/inside.h"
#include "simulate/replay.h"

/* ---- rows in order ---- */

static int join_keys(void *with, struct slice key, struct slice bytes)
{
    (void)bytes;
    buf_addf(with, "%.*s ", (int)key.len, (const char *)key.at);
    return 0;
}

static void put(struct memory *memory, const char *key)
{
    struct value row = value_map();

    memory_changed(memory, slice_str(key), &row, slice_str("x"));
}

static void rows_come_in_order_after_any_key_and_only_below_the_prefix(void **state)
{
    struct memory memory = {0};
    struct shelf shelf = memory_shelf(&memory);
    struct buf keys = BUF_EMPTY;

    (void)state;
    put(&memory, "b/2");
    put(&memory, "a");
    put(&memory, "b/10");
    put(&memory, "b/1");
    put(&memory, "c");
    memory_changed(&memory, slice_str("b/10"), NULL, slice_of(NULL, 0));
    put(&memory, "b/3");
    assert_int_equal(shelf.each(&memory, slice_str("b/"), join_keys, &keys), 0);
    assert_string_equal(buf_text(&keys), "b/1 b/2 b/3 ");
    buf_clear(&keys);
    assert_int_equal(shelf.each_after(&memory, slice_str("b/"), slice_str("b/1"), join_keys, &keys),
                     0);
    assert_string_equal(buf_text(&keys), "b/2 b/3 ");
    assert_null(memory_row(&memory, slice_str("b/10")));
    buf_release(&keys);
    memory_release(&memory);
}

/* ---- replay ---- */

static void found(struct house *house)
{
    house_init(house, 1800000000000000);
    house_open(house, "test.example/virtual", "UTC");
}

static void a_row_that_no_leaf_made_is_noticed(void **state)
{
    struct house house;
    struct error err = {ERROR_NONE, ""};

    (void)state;
    found(&house);
    assert_int_equal(replay_check(&house.memory, &err), 0);
    put(&house.memory, "SCP-0001@1.0");
    assert_int_equal(replay_check(&house.memory, &err), -1);
    assert_non_null(strstr(err.text, "row SCP-0001@1.0"));
    house_release(&house);
}

static void a_row_that_is_lost_or_changed_is_noticed(void **state)
{
    struct house house;
    struct error err = {ERROR_NONE, ""};

    (void)state;
    found(&house);
    put(&house.memory, "journal");
    assert_int_equal(replay_check(&house.memory, &err), -1);
    memory_changed(&house.memory, slice_str("journal"), NULL, slice_of(NULL, 0));
    assert_int_equal(replay_check(&house.memory, &err), -1);
    assert_non_null(strstr(err.text, "row journal"));
    house_release(&house);
}

static void a_leaf_that_stands_twice_is_noticed(void **state)
{
    struct house house;
    struct error err = {ERROR_NONE, ""};

    (void)state;
    found(&house);
    memory_add_leaf(&house.memory, buf_slice(&house.memory.leaves[0]));
    assert_int_equal(replay_check(&house.memory, &err), -1);
    assert_non_null(strstr(err.text, "stands in another place"));
    house_release(&house);
}

/* ---- the oracle ---- */

struct watched { /* a simulation in which only the oracle lives */
    struct simulation sim;
    struct scenario scenario;
    struct tally tally;
    struct error err;
    struct pack *pack;
};

static struct watched *watch(void)
{
    const char *root = getenv("ROTA_SOURCE");
    struct watched *watched = calloc(1, sizeof *watched);
    struct problems problems = PROBLEMS_EMPTY;

    assert_non_null(watched);
    assert_int_equal(
        pack_load(arena_printf(&watched->sim.arena, "%s/workflows", root != NULL ? root : "."),
                  &watched->pack, &problems, &watched->err),
        0);
    problems_release(&problems);
    watched->sim.scenario = &watched->scenario;
    watched->sim.tally = &watched->tally;
    watched->sim.err = &watched->err;
    watched->sim.pack = watched->pack;
    house_init(&watched->sim.house, 1800000000000000);
    return watched;
}

static void watch_end(struct watched *watched)
{
    house_release(&watched->sim.house);
    map_release(&watched->sim.by_id);
    map_release(&watched->sim.granted);
    map_release(&watched->sim.votes);
    arena_release(&watched->sim.arena);
    arena_release(&watched->sim.scratch);
    pack_free(&watched->pack);
    free(watched);
}

static struct known *record_in(struct watched *watched, const char *kind, const char *id,
                               const char *state)
{
    struct simulation *sim = &watched->sim;
    struct known *record = arena_zero(&sim->arena, sizeof *record);

    record->id = id;
    record->title = record->owner = "";
    record->kind = pack_kind(watched->pack, slice_str(kind));
    record->state = kind_state_index(record->kind, slice_str(state));
    record->is_closed = known_state(record)->stage == STAGE_CLOSED;
    map_put(&sim->by_id, slice_str(id), record);
    return record;
}

static struct leaf leaf_of(const char *type, const char *stream, const char *actor)
{
    return (struct leaf){.type = slice_str(type),
                         .stream = slice_str(stream),
                         .actor = slice_str(actor),
                         .time_us = 1800000000000000,
                         .body = value_map(),
                         .effects = value_map()};
}

static void two_valid_versions_are_noticed(void **state)
{
    struct watched *watched = watch();
    struct known *old = record_in(watched, "scope_statement", "SCP-0001@1.0", "in_force"),
                 *new = record_in(watched, "scope_statement", "SCP-0001@2.0", "in_force");

    (void)state;
    map_put(&watched->sim.granted, slice_str(old->id), old);
    map_put(&watched->sim.granted, slice_str(new->id), new);
    oracle_valid(&watched->sim, old, true);
    oracle_after(&watched->sim);
    assert_false(watched->sim.is_broken);
    oracle_valid(&watched->sim, new, true);
    oracle_after(&watched->sim);
    assert_true(watched->sim.is_broken);
    assert_non_null(strstr(watched->err.text, "SCP-0001 has 2 valid versions"));
    watch_end(watched);
}

static void a_document_without_a_valid_version_is_noticed(void **state)
{
    struct watched *watched = watch();
    struct known *old = record_in(watched, "scope_statement", "SCP-0001@1.0", "in_force");

    (void)state;
    map_put(&watched->sim.granted, slice_str(old->id), old);
    oracle_valid(&watched->sim, old, true);
    oracle_after(&watched->sim);
    oracle_valid(&watched->sim, old, false);
    oracle_after(&watched->sim);
    assert_true(watched->sim.is_broken);
    assert_non_null(strstr(watched->err.text, "no valid version any more"));
    watch_end(watched);
}

static void a_document_in_force_that_nobody_approved_is_noticed(void **state)
{
    struct watched *watched = watch();
    struct known *record = record_in(watched, "scope_statement", "SCP-0001@1.0", "in_force");

    (void)state;
    oracle_valid(&watched->sim, record, true);
    assert_true(watched->sim.is_broken);
    assert_non_null(strstr(watched->err.text, "no round over it was granted"));
    watch_end(watched);
}

static void a_grant_without_a_signature_is_noticed(void **state)
{
    struct watched *watched = watch();
    struct known *record = record_in(watched, "scope_statement", "SCP-0001@1.0", "draft");
    struct leaf leaf = leaf_of("record.approve", "SCP-0001@1.0/round/1/amara", "amara");

    (void)state;
    record->is_valid = false;
    oracle_leaf(&watched->sim, &watched->sim.scratch, &leaf, record);
    assert_true(watched->sim.is_broken);
    assert_non_null(strstr(watched->err.text, "without a signature"));
    watch_end(watched);
}

static void an_outcome_that_the_votes_do_not_bear_is_noticed(void **state)
{
    struct watched *watched = watch();
    struct known *record = record_in(watched, "scope_statement", "SCP-0001@1.0", "draft");
    struct leaf leaf = leaf_of("record.approve", "SCP-0001@1.0", "engine");

    (void)state;
    value_set(&watched->sim.scratch, &leaf.body, "round", value_int(1));
    value_set(&watched->sim.scratch, &leaf.body, "outcome", value_str("granted"));
    oracle_leaf(&watched->sim, &watched->sim.scratch, &leaf, record);
    assert_true(watched->sim.is_broken);
    assert_non_null(strstr(watched->err.text, "was granted by 0 of 1 votes"));
    watch_end(watched);
}

static void a_gate_that_is_passed_unmet_is_noticed(void **state)
{
    struct watched *watched = watch();
    struct simulation *sim = &watched->sim;
    struct known *parent = record_in(watched, "finding", "FND-0001", "verifying");
    struct known *child = record_in(watched, "action", "ACT-0001", "doing");
    struct leaf leaf = leaf_of("record.close", "FND-0001", "tomas");
    static struct gate gate = {"FND-0001", "ACT-0001", "close"};

    (void)state;
    sim->gates = &gate;
    sim->gate_count = 1;
    oracle_leaf(sim, &sim->scratch, &leaf, parent);
    child->is_closed = true; /* by the same run */
    oracle_after(sim);
    assert_false(sim->is_broken);
    child->is_closed = false;
    oracle_leaf(sim, &sim->scratch, &leaf, parent);
    oracle_after(sim);
    assert_true(sim->is_broken);
    assert_non_null(strstr(watched->err.text, "ACT-0001 is not closed"));
    watch_end(watched);
}

static void a_timer_that_fires_late_or_not_at_all_is_noticed(void **state)
{
    struct watched *watched = watch();
    struct simulation *sim = &watched->sim;
    struct known *record = record_in(watched, "finding", "FND-0001", "raised");
    struct leaf leaf = leaf_of("timer.fired", "FND-0001/timer/unconfirmed", "engine");

    (void)state;
    sim->records = &record;
    sim->record_count = 1;
    record->timers[record->timer_count++] =
        (struct known_timer){.timer = &record->kind->lifecycle->timers[1],
                             .due_ms = 1800000000000 - 86400000,
                             .start_ms = 1700000000000,
                             .armed_ms = 1700000000000};
    oracle_day(sim);
    assert_true(sim->is_broken);
    assert_non_null(strstr(watched->err.text, "was due and did not fire"));
    sim->is_broken = false;
    value_set(&sim->scratch, &leaf.body, "timer",
              value_str(record->kind->lifecycle->timers[1].name));
    value_set(&sim->scratch, &leaf.body, "due_ms", value_int(1800000000000 - 86400000));
    value_set(&sim->scratch, &leaf.body, "step", value_int(0));
    oracle_leaf(sim, &sim->scratch, &leaf, record);
    assert_true(sim->is_broken);
    assert_non_null(strstr(watched->err.text, "86400000 ms late"));
    watch_end(watched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_order_after_any_key_and_only_below_the_prefix),
        cmocka_unit_test(a_row_that_no_leaf_made_is_noticed),
        cmocka_unit_test(a_row_that_is_lost_or_changed_is_noticed),
        cmocka_unit_test(a_leaf_that_stands_twice_is_noticed),
        cmocka_unit_test(two_valid_versions_are_noticed),
        cmocka_unit_test(a_document_without_a_valid_version_is_noticed),
        cmocka_unit_test(a_document_in_force_that_nobody_approved_is_noticed),
        cmocka_unit_test(a_grant_without_a_signature_is_noticed),
        cmocka_unit_test(an_outcome_that_the_votes_do_not_bear_is_noticed),
        cmocka_unit_test(a_gate_that_is_passed_unmet_is_noticed),
        cmocka_unit_test(a_timer_that_fires_late_or_not_at_all_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
