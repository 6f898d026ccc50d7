/* Tasks, leases and time: what a worker holds, for how long, and how it loses it. */
#include "stage.h"

#include "base/dmp.h"
#include "wire/options.h"
#include "wire/token.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

/* ---- peers that speak the extensions ---- */

static void sdk_ready(void *peer, const char *service, int credit)
{
    struct ready_options options = {
        .name = slice_str("tester"), .credit = credit, .envelope = true};
    struct buf frame = BUF_EMPTY;
    struct slice frames[5] = {slice_str(""), slice_str("MDPW01"), slice_str("\1"),
                              slice_str(service)};

    ready_options_encode(&frame, &options);
    frames[4] = buf_slice(&frame);
    peer_sends(peer, frames, 5);
    buf_release(&frame);
}

static void sdk_beats(void *peer, const char *token)
{
    struct beat_options options = {.running = {slice_str(token != NULL ? token : "")},
                                   .running_count = token != NULL,
                                   .credit = -1};
    struct buf frame = BUF_EMPTY;
    struct slice frames[4] = {slice_str(""), slice_str("MDPW01"), slice_str("\4")};

    beat_options_encode(&frame, &options);
    frames[3] = buf_slice(&frame);
    peer_sends(peer, frames, 4);
    buf_release(&frame);
}

static void sdk_result(void *peer, const char *token, int status, const char *output)
{
    struct outcome outcome = {.status = status, .retry_ms = -1};
    struct buf frame = BUF_EMPTY;
    struct slice frames[7] = {slice_str(""), slice_str("MDPW01"), slice_str("\3"), slice_str(token),
                              slice_str("")};

    outcome_encode(&frame, &outcome);
    frames[5] = buf_slice(&frame);
    frames[6] = slice_str(output);
    peer_sends(peer, frames, 7);
    buf_release(&frame);
}

/* The next heartbeat from the engine that says something besides that it lives. */
static struct beat_options sdk_hears_options(struct stage *stage, void *peer, struct arena *arena)
{
    for (int i = 0; i < 100; i++) {
        struct mdp_message mdp;
        struct slice frames[MDP_FRAMES_MAX];
        struct beat_options options;

        worker_hears(stage, peer, MDP_HEARTBEAT, &mdp, frames);
        assert_true(mdp.has_options);
        mdp.options = slice_of(arena_copy(arena, mdp.options.at, mdp.options.len), mdp.options.len);
        assert_int_equal(beat_options_decode(arena, mdp.options, &options, NULL), 0);
        if (options.ack_count > 0 || options.cancel_count > 0 || options.drain)
            return options;
    }
    fail_msg("only empty heartbeats came");
    return (struct beat_options){0};
}

/* ---- how long a lease lasts ---- */

static void a_silent_busy_worker_outlives_the_idle_expiry(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct note *lease;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.slow", NULL);
    stage_offer(stage, 7, "work.slow");
    lease = stage_note(stage, NOTE_LEASED, 0);
    stage->boot_ms += 59000;
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_LOST), 0);
    peer_says(worker, "", "MDPW01", "\3", lease->token, "", "at last", NULL);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "at last");
    zmq_close(worker);
    stage_free(&stage);
}

static void a_silent_idle_worker_is_forgotten(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct broker_counts counts;
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.slow", NULL);
    stage_turns(stage);
    stage->boot_ms += 20000;
    stage_turns(stage);
    broker_count(stage->broker, &counts);
    assert_int_equal(counts.sessions, 0);
    peer_says(worker, "", "MDPW01", "\4", NULL);
    worker_hears(stage, worker, MDP_DISCONNECT, &mdp, frames);
    zmq_close(worker);
    stage_free(&stage);
}

static void a_lease_that_runs_out_is_lost_and_its_late_result_does_not_count(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct broker_counts counts;
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];
    struct note *lease;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.slow", NULL);
    stage_offer(stage, 7, "work.slow");
    lease = stage_note(stage, NOTE_LEASED, 0);
    stage->boot_ms += 60000;
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "expired");
    assert_int_equal(stage_note(stage, NOTE_LOST, 0)->status, 1);
    peer_says(worker, "", "MDPW01", "\3", lease->token, "", "late", NULL);
    worker_hears(stage, worker, MDP_DISCONNECT, &mdp, frames);
    broker_count(stage->broker, &counts);
    assert_int_equal(counts.late, 1);
    assert_int_equal(stage_notes(stage, NOTE_RESULT), 0);
    zmq_close(worker);
    stage_free(&stage);
}

static void a_token_in_other_hands_does_not_count(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL), *thief = peer_new(stage, "bo", NULL);
    char wrong[64];
    struct note *lease;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.slow", NULL);
    stage_offer(stage, 7, "work.slow");
    lease = stage_note(stage, NOTE_LEASED, 0);
    peer_says(thief, "", "MDPW01", "\3", lease->token, "", "stolen", NULL);
    snprintf(wrong, sizeof wrong, "T1.7.1.%016x", 0u);
    peer_says(worker, "", "MDPW01", "\3", wrong, "", "guessed", NULL);
    peer_says(worker, "", "MDPW01", "\3", "\1\2\377", "", "odd", NULL);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_RESULT), 0);
    peer_says(worker, "", "MDPW01", "\3", lease->token, "", "mine", NULL);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "mine");
    peer_says(worker, "", "MDPW01", "\3", lease->token, "", "again", NULL);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_RESULT), 1);
    zmq_close(worker);
    zmq_close(thief);
    stage_free(&stage);
}

static void a_worker_that_died_gives_its_lease_back_at_the_next_heartbeat(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.slow", NULL);
    stage_offer(stage, 7, "work.slow");
    stage_note(stage, NOTE_LEASED, 0);
    zmq_close(worker);
    stage_turns(stage);
    stage->boot_ms += 2000;
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "worker gone");
    assert_int_equal(stage_note(stage, NOTE_LOST, 0)->status, 1);
    stage_free(&stage);
}

static void a_dispatch_that_finds_nobody_is_no_attempt(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.slow", NULL);
    stage_turns(stage);
    zmq_close(worker);
    stage_turns(stage);
    stage_offer(stage, 7, "work.slow");
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "worker gone");
    assert_int_equal(stage_note(stage, NOTE_LOST, 0)->status, 0);
    stage_free(&stage);
}

static void a_worker_that_says_goodbye_gives_its_lease_back_without_blame(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.slow", NULL);
    stage_offer(stage, 7, "work.slow");
    stage_note(stage, NOTE_LEASED, 0);
    peer_says(worker, "", "MDPW01", "\5", NULL);
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "disconnected");
    assert_int_equal(stage_note(stage, NOTE_LOST, 0)->status, 0);
    zmq_close(worker);
    stage_free(&stage);
}

/* ---- workers of ours ---- */

static void heartbeats_renew_a_lease_until_its_longest_run(void **state)
{
    struct stage *stage = stage_new();
    struct offer offer = {.task = 7, .attempt = 1, .service = "work.slow", .max_run_ms = 60000};
    void *worker = peer_new(stage, "amara", NULL);
    struct note *lease;

    (void)state;
    sdk_ready(worker, "work.slow", 1);
    stage_offer_as(stage, &offer);
    lease = stage_note(stage, NOTE_LEASED, 0);
    for (int i = 0; i < 4; i++) {
        stage->boot_ms += 14000;
        sdk_beats(worker, lease->token);
        stage_note(stage, NOTE_LEASED, i + 1);
        assert_int_equal(stage_notes(stage, NOTE_LOST), 0);
    }
    stage->boot_ms += 3999;
    sdk_beats(worker, lease->token);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_LOST), 0);
    stage->boot_ms += 1;
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "expired");
    zmq_close(worker);
    stage_free(&stage);
}

static void a_worker_of_ours_that_hangs_loses_all_it_holds(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct broker_counts counts;

    (void)state;
    sdk_ready(worker, "work.slow", 8);
    stage_offer(stage, 7, "work.slow");
    stage_note(stage, NOTE_LEASED, 0);
    stage->boot_ms += 5000;
    stage_offer(stage, 8, "work.slow");
    stage_note(stage, NOTE_LEASED, 1);
    stage->boot_ms += 10000;
    stage_note(stage, NOTE_LOST, 1);
    broker_count(stage->broker, &counts);
    assert_int_equal(counts.sessions, 0);
    zmq_close(worker);
    stage_free(&stage);
}

static void an_envelope_carries_the_facts_of_the_run_and_the_status_of_the_result(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct arena arena = ARENA_EMPTY;
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];
    struct value header = VALUE_NONE;
    struct buf owner = BUF_EMPTY;
    struct offer offer = {.task = 7, .attempt = 3, .service = "work.mail"};

    (void)state;
    dmp_put_map(&owner, 1);
    dmp_put_str(&owner, slice_str("record"));
    dmp_put_str(&owner, slice_str("FND-0007"));
    stage->parcel = (struct parcel){buf_slice(&owner), slice_str("letter")};
    sdk_ready(worker, "work.mail", 1);
    stage_offer_as(stage, &offer);
    worker_hears(stage, worker, MDP_REQUEST, &mdp, frames);
    assert_int_equal(mdp.body_count, 2);
    assert_int_equal(mp_decode(&arena, mdp.body[0], 4, &header, NULL), 0);
    assert_int_equal(value_get_int(&header, "task", 0), 7);
    assert_int_equal(value_get_int(&header, "attempt", 0), 3);
    assert_int_equal(value_get_int(&header, "lease_ms", 0), 15000);
    assert_int_equal(value_get_int(&header, "at", 0), 1700000000000);
    assert_true(slice_is(value_get_text(&header, "record"), "FND-0007"));
    assert_true(slice_is(mdp.body[1], "letter"));
    sdk_result(worker, stage_note(stage, NOTE_LEASED, 0)->token, 422, "no such address");
    assert_int_equal(stage_note(stage, NOTE_RESULT, 0)->status, 422);
    assert_true(stage_note(stage, NOTE_RESULT, 0)->has_header);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "no such address");
    buf_release(&owner);
    arena_release(&arena);
    zmq_close(worker);
    stage_free(&stage);
}

static void a_worker_gets_no_more_than_its_credit(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);

    (void)state;
    sdk_ready(worker, "work.many", 2);
    for (int i = 0; i < 3; i++)
        stage_offer(stage, i, "work.many");
    stage_note(stage, NOTE_LEASED, 1);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_LEASED), 2);
    sdk_result(worker, stage_note(stage, NOTE_LEASED, 0)->token, 200, "");
    assert_int_equal(stage_note(stage, NOTE_LEASED, 2)->task, 2);
    zmq_close(worker);
    stage_free(&stage);
}

static void a_task_that_is_withdrawn_is_cancelled_and_keeps_its_credit_until_it_stops(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct arena arena = ARENA_EMPTY;
    struct beat_options options;
    struct note *lease;

    (void)state;
    sdk_ready(worker, "work.slow", 1);
    stage_offer(stage, 7, "work.slow");
    lease = stage_note(stage, NOTE_LEASED, 0);
    broker_withdraw(stage->broker, 7);
    options = sdk_hears_options(stage, worker, &arena);
    assert_int_equal(options.cancel_count, 1);
    assert_true(slice_is(options.cancel[0], lease->token));
    stage_offer(stage, 8, "work.slow");
    sdk_beats(worker, lease->token);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_LEASED), 1);
    sdk_beats(worker, NULL);
    assert_int_equal(stage_note(stage, NOTE_LEASED, 1)->task, 8);
    assert_int_equal(stage_notes(stage, NOTE_LOST), 0);
    arena_release(&arena);
    zmq_close(worker);
    stage_free(&stage);
}

static void a_result_is_acknowledged_only_after_the_commit(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct arena arena = ARENA_EMPTY;
    struct beat_options options;
    struct note *lease;

    (void)state;
    sdk_ready(worker, "work.slow", 1);
    stage_offer(stage, 7, "work.slow");
    lease = stage_note(stage, NOTE_LEASED, 0);
    stage->commits = stage->pairs = false;
    sdk_result(worker, lease->token, 200, "first");
    stage_note(stage, NOTE_RESULT, 0);
    broker_discard(stage->broker);
    sdk_result(worker, lease->token, 200, "second");
    assert_string_equal(stage_note(stage, NOTE_RESULT, 1)->text, "second");
    broker_release(stage->broker);
    options = sdk_hears_options(stage, worker, &arena);
    assert_int_equal(options.ack_count, 1);
    assert_true(slice_is(options.ack[0], lease->token));
    sdk_result(worker, lease->token, 200, "third");
    stage->commits = true;
    options = sdk_hears_options(stage, worker, &arena);
    assert_int_equal(options.cancel_count, 1);
    arena_release(&arena);
    zmq_close(worker);
    stage_free(&stage);
}

static void draining_stops_dispatch_and_says_so(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct arena arena = ARENA_EMPTY;

    (void)state;
    sdk_ready(worker, "work.slow", 1);
    stage_turns(stage);
    broker_drain(stage->broker, true);
    stage_offer(stage, 7, "work.slow");
    assert_true(sdk_hears_options(stage, worker, &arena).drain);
    assert_int_equal(stage_notes(stage, NOTE_LEASED), 0);
    broker_drain(stage->broker, false);
    stage_note(stage, NOTE_LEASED, 0);
    arena_release(&arena);
    zmq_close(worker);
    stage_free(&stage);
}

/* ---- which task, which worker ---- */

static void tasks_go_by_priority_then_due_then_number(void **state)
{
    static const struct offer offers[] = {
        {.task = 5, .attempt = 1, .service = "work.one"},
        {.task = 4, .attempt = 1, .service = "work.one"},
        {.task = 3, .attempt = 1, .service = "work.one", .due_ms = 900},
        {.task = 2, .attempt = 1, .service = "work.one", .due_ms = 800},
        {.task = 9, .attempt = 1, .service = "work.one", .priority = 1},
    };
    static const int64_t order[] = {9, 2, 3, 4, 5};
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);

    (void)state;
    for (int i = 0; i < 5; i++)
        stage_offer_as(stage, &offers[i]);
    peer_says(worker, "", "MDPW01", "\1", "work.one", NULL);
    for (int i = 0; i < 5; i++) {
        struct note *lease = stage_note(stage, NOTE_LEASED, i);

        assert_int_equal(lease->task, order[i]);
        peer_says(worker, "", "MDPW01", "\3", lease->token, "", "", NULL);
    }
    zmq_close(worker);
    stage_free(&stage);
}

static void what_a_task_says_is_asked_when_it_is_given_out(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct broker_counts counts = {0};
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.one", NULL);
    stage_turns(stage);
    stage->knows_tasks = false;
    stage_offer(stage, 7, "work.one");
    stage_turns(stage);
    broker_count(stage->broker, &counts);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(stage_notes(stage, NOTE_LEASED), 0);
    stage->knows_tasks = true;
    stage->parcel.input = slice_str("as it was offered");
    stage->pairs = false;
    stage_offer(stage, 8, "work.one");
    stage_turns(stage);
    stage->parcel.input = slice_str("as it is now");
    stage->pairs = true;
    worker_hears(stage, worker, MDP_REQUEST, &mdp, frames);
    assert_true(slice_is(mdp.body[0], "as it is now"));
    assert_int_equal(stage_note(stage, NOTE_LEASED, 0)->task, 8);
    zmq_close(worker);
    stage_free(&stage);
}

static void the_worker_that_rested_longest_is_asked_first(void **state)
{
    struct stage *stage = stage_new();
    void *amara = peer_new(stage, "amara", NULL), *bo = peer_new(stage, "bo", NULL);

    (void)state;
    peer_says(amara, "", "MDPW01", "\1", "work.one", NULL);
    stage_turns(stage);
    peer_says(bo, "", "MDPW01", "\1", "work.one", NULL);
    stage_turns(stage);
    for (int i = 0; i < 4; i++) {
        struct note *lease;

        stage_offer(stage, i, "work.one");
        lease = stage_note(stage, NOTE_LEASED, i);
        assert_string_equal(lease->principal, i % 2 == 0 ? "amara" : "bo");
        peer_says(i % 2 == 0 ? amara : bo, "", "MDPW01", "\3", lease->token, "", "", NULL);
        stage_note(stage, NOTE_RESULT, i);
    }
    zmq_close(amara);
    zmq_close(bo);
    stage_free(&stage);
}

static void a_worker_with_a_full_queue_stalls_nobody(void **state)
{
    struct stage *stage = stage_new();
    void *other = peer_new(stage, "bo", NULL), *stuck;
    static char large[512 * 1024];
    struct offer offer = {.attempt = 1, .service = "work.stuck"};
    struct broker_counts counts = {0};
    struct note *lease;

    (void)state;
    stage->parcel.input = slice_of(large, sizeof large);
    stage->peer_queue = 1;
    stuck = peer_new(stage, "amara", NULL);
    sdk_ready(stuck, "work.stuck", 64);
    stage_turns(stage);
    for (offer.task = 100; offer.task < 164; offer.task++)
        stage_offer_as(stage, &offer);
    for (int i = 0; i < 1500 && counts.unsent == 0; i++) {
        stage->boot_ms += 2000;
        sdk_beats(stuck, NULL);
        stage_turn(stage);
        broker_count(stage->broker, &counts);
    }
    assert_true(counts.unsent > 0);
    peer_says(other, "", "MDPW01", "\1", "work.one", NULL);
    stage_offer(stage, 7, "work.one");
    for (int i = 0; (lease = stage_note(stage, NOTE_LEASED, i))->task != 7;)
        i++;
    peer_says(other, "", "MDPW01", "\3", lease->token, "", "served", NULL);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "served");
    zmq_close(stuck);
    zmq_close(other);
    stage_free(&stage);
}

/* ---- what outlives the engine, and what a failed commit takes back ---- */

static void
a_result_that_outlived_the_engine_is_settled_before_the_worker_is_asked_who_it_is(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct lease lease = {.task = 7, .attempt = 2, .principal = "amara"};
    struct offer offer = {.task = 7, .attempt = 2, .service = "work.slow"};
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];

    (void)state;
    token_format(lease.token, 7, 2, (const uint8_t *)"12345678");
    lease.until_boot_ms = stage->boot_ms + 10000;
    broker_hold(stage->broker, &lease, &offer);
    peer_says(worker, "", "MDPW01", "\3", lease.token, "", "still true", NULL);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "still true");
    worker_hears(stage, worker, MDP_DISCONNECT, &mdp, frames);
    zmq_close(worker);
    stage_free(&stage);
}

static void a_held_lease_is_taken_up_by_the_worker_that_still_runs_it(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct lease lease = {.task = 7, .attempt = 2, .principal = "amara"};
    struct offer offer = {.task = 7, .attempt = 2, .service = "work.slow"};

    (void)state;
    token_format(lease.token, 7, 2, (const uint8_t *)"12345678");
    lease.until_boot_ms = stage->boot_ms + 10000;
    broker_hold(stage->broker, &lease, &offer);
    sdk_ready(worker, "work.slow", 1);
    sdk_beats(worker, lease.token);
    stage_note(stage, NOTE_LEASED, 0);
    stage_offer(stage, 8, "work.slow");
    stage->boot_ms += 14000;
    sdk_beats(worker, lease.token);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_LOST), 0);
    sdk_result(worker, lease.token, 200, "done");
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "done");
    zmq_close(worker);
    stage_free(&stage);
}

static void a_lease_follows_its_worker_to_a_new_connection(void **state)
{
    struct stage *stage = stage_new();
    void *before = peer_new(stage, "amara", NULL), *after;
    struct note *lease;

    (void)state;
    sdk_ready(before, "work.slow", 1);
    stage_offer(stage, 7, "work.slow");
    lease = stage_note(stage, NOTE_LEASED, 0);
    after = peer_new(stage, "amara", NULL);
    sdk_ready(after, "work.slow", 1);
    stage->boot_ms += 1000;
    sdk_beats(after, lease->token);
    stage_note(stage, NOTE_LEASED, 1);
    zmq_close(before);
    stage_turns(stage);
    stage->boot_ms += 2000;
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_LOST), 0);
    sdk_result(after, lease->token, 200, "done");
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "done");
    zmq_close(after);
    stage_free(&stage);
}

static void a_held_lease_that_nobody_takes_up_expires(void **state)
{
    struct stage *stage = stage_new();
    struct lease lease = {.task = 7, .attempt = 2, .principal = "amara"};
    struct offer offer = {.task = 7, .attempt = 2, .service = "work.slow"};

    (void)state;
    token_format(lease.token, 7, 2, (const uint8_t *)"12345678");
    lease.until_boot_ms = stage->boot_ms + 10000;
    broker_hold(stage->broker, &lease, &offer);
    stage->boot_ms += 9999;
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_LOST), 0);
    stage->boot_ms += 1;
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "expired");
    stage_free(&stage);
}

static void a_discard_takes_back_offers_leases_and_withdrawals(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct broker_counts counts;
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];

    (void)state;
    stage_offer(stage, 1, "work.one");
    stage_offer(stage, 2, "work.one");
    stage_turns(stage);
    stage->commits = false;
    stage_offer(stage, 3, "work.one");
    broker_withdraw(stage->broker, 2);
    peer_says(worker, "", "MDPW01", "\1", "work.one", NULL);
    stage_note(stage, NOTE_LEASED, 0);
    stage->pairs = false;
    broker_count(stage->broker, &counts);
    assert_int_equal(counts.leased, 1);
    assert_int_equal(counts.waiting, 1);
    broker_discard(stage->broker);
    broker_count(stage->broker, &counts);
    assert_int_equal(counts.leased, 0);
    assert_int_equal(counts.waiting, 2);
    stage->commits = stage->pairs = true;
    worker_hears(stage, worker, MDP_REQUEST, &mdp, frames);
    assert_true(slice_is(mdp.address, stage_note(stage, NOTE_LEASED, 1)->token));
    assert_true(slice_is(mdp.body[0], "1"));
    zmq_close(worker);
    stage_free(&stage);
}

static void a_loss_that_was_not_stored_is_told_again(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.one", NULL);
    stage_offer(stage, 7, "work.one");
    stage_note(stage, NOTE_LEASED, 0);
    stage->commits = false;
    peer_says(worker, "", "MDPW01", "\5", NULL);
    stage_note(stage, NOTE_LOST, 0);
    broker_discard(stage->broker);
    stage->commits = true;
    assert_string_equal(stage_note(stage, NOTE_LOST, 1)->text, "disconnected");
    assert_int_equal(stage_note(stage, NOTE_LOST, 1)->status, 0);
    zmq_close(worker);
    stage_free(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_busy_worker_outlives_the_idle_expiry),
        cmocka_unit_test(a_silent_idle_worker_is_forgotten),
        cmocka_unit_test(a_lease_that_runs_out_is_lost_and_its_late_result_does_not_count),
        cmocka_unit_test(a_token_in_other_hands_does_not_count),
        cmocka_unit_test(a_worker_that_died_gives_its_lease_back_at_the_next_heartbeat),
        cmocka_unit_test(a_dispatch_that_finds_nobody_is_no_attempt),
        cmocka_unit_test(a_worker_that_says_goodbye_gives_its_lease_back_without_blame),
        cmocka_unit_test(heartbeats_renew_a_lease_until_its_longest_run),
        cmocka_unit_test(a_worker_of_ours_that_hangs_loses_all_it_holds),
        cmocka_unit_test(an_envelope_carries_the_facts_of_the_run_and_the_status_of_the_result),
        cmocka_unit_test(a_worker_gets_no_more_than_its_credit),
        cmocka_unit_test(a_task_that_is_withdrawn_is_cancelled_and_keeps_its_credit_until_it_stops),
        cmocka_unit_test(a_result_is_acknowledged_only_after_the_commit),
        cmocka_unit_test(draining_stops_dispatch_and_says_so),
        cmocka_unit_test(what_a_task_says_is_asked_when_it_is_given_out),
        cmocka_unit_test(tasks_go_by_priority_then_due_then_number),
        cmocka_unit_test(the_worker_that_rested_longest_is_asked_first),
        cmocka_unit_test(a_worker_with_a_full_queue_stalls_nobody),
        cmocka_unit_test(
            a_result_that_outlived_the_engine_is_settled_before_the_worker_is_asked_who_it_is),
        cmocka_unit_test(a_held_lease_is_taken_up_by_the_worker_that_still_runs_it),
        cmocka_unit_test(a_lease_follows_its_worker_to_a_new_connection),
        cmocka_unit_test(a_held_lease_that_nobody_takes_up_expires),
        cmocka_unit_test(a_discard_takes_back_offers_leases_and_withdrawals),
        cmocka_unit_test(a_loss_that_was_not_stored_is_told_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
