/* Who may speak, in which dialect, and what becomes of it. */
#include "stage.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

/* ---- dialects ---- */

static void a_worker_of_mdp_01_does_a_task(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct heard heard;
    struct note *note;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.echo", NULL);
    stage_offer(stage, 7, "work.echo");
    note = stage_note(stage, NOTE_LEASED, 0);
    do
        heard = peer_hears(stage, worker);
    while (heard_is(&heard, 2, "\4"));
    assert_int_equal(heard.count, 6);
    assert_true(heard_is(&heard, 0, "") && heard_is(&heard, 1, "MDPW01") &&
                heard_is(&heard, 2, "\2") && heard_is(&heard, 3, note->token) &&
                heard_is(&heard, 4, "") && heard_is(&heard, 5, "7"));
    peer_says(worker, "", "MDPW01", "\3", note->token, "", "done", NULL);
    note = stage_note(stage, NOTE_RESULT, 0);
    assert_int_equal(note->task, 7);
    assert_int_equal(note->status, 200);
    assert_string_equal(note->text, "done");
    assert_string_equal(note->principal, "amara");
    zmq_close(worker);
    stage_free(&stage);
}

static void a_worker_of_strict_mdp_02_does_a_task(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct heard heard;
    struct note *note;

    (void)state;
    peer_says(worker, "MDPW02", "\1", "work.echo", NULL);
    stage_offer(stage, 7, "work.echo");
    note = stage_note(stage, NOTE_LEASED, 0);
    do
        heard = peer_hears(stage, worker);
    while (heard_is(&heard, 1, "\5"));
    assert_int_equal(heard.count, 5);
    assert_true(heard_is(&heard, 0, "MDPW02") && heard_is(&heard, 1, "\2") &&
                heard_is(&heard, 2, note->token) && heard_is(&heard, 3, ""));
    peer_says(worker, "MDPW02", "\3", note->token, "", "half", NULL);
    assert_string_equal(stage_note(stage, NOTE_PROGRESS, 0)->token, note->token);
    assert_int_equal(stage_note(stage, NOTE_PROGRESS, 0)->status, -1);
    peer_says(worker, "MDPW02", "\4", note->token, "", "done", NULL);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "done");
    zmq_close(worker);
    stage_free(&stage);
}

static void a_worker_of_mdp_02_behind_a_delimiter_does_a_task(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct heard heard;
    struct note *note;

    (void)state;
    peer_says(worker, "", "MDPW02", "\1", "work.echo", NULL);
    stage_offer(stage, 7, "work.echo");
    note = stage_note(stage, NOTE_LEASED, 0);
    do
        heard = peer_hears(stage, worker);
    while (heard_is(&heard, 2, "\5"));
    assert_int_equal(heard.count, 6);
    assert_true(heard_is(&heard, 0, "") && heard_is(&heard, 1, "MDPW02") &&
                heard_is(&heard, 2, "\2"));
    peer_says(worker, "", "MDPW02", "\4", note->token, "", "done", NULL);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "done");
    zmq_close(worker);
    stage_free(&stage);
}

static void clients_of_each_dialect_are_answered_in_it(void **state)
{
    struct stage *stage = stage_new();
    void *client = peer_new(stage, "bo", NULL);
    struct heard heard;

    (void)state;
    peer_says(client, "", "MDPC01", "rota.query.v1", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_int_equal(heard.count, 5);
    assert_true(heard_is(&heard, 1, "MDPC01") && heard_is(&heard, 2, "rota.query.v1") &&
                heard_is(&heard, 3, "200") && heard_is(&heard, 4, "{}"));
    peer_says(client, "MDPC02", "\1", "rota.query.v1", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_int_equal(heard.count, 5);
    assert_true(heard_is(&heard, 0, "MDPC02") && heard_is(&heard, 1, "\3") &&
                heard_is(&heard, 3, "200"));
    peer_says(client, "", "MDPC02", "\1", "rota.query.v1", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_int_equal(heard.count, 6);
    assert_true(heard_is(&heard, 0, "") && heard_is(&heard, 1, "MDPC02") &&
                heard_is(&heard, 2, "\3") && heard_is(&heard, 4, "200"));
    zmq_close(client);
    stage_free(&stage);
}

static void a_dialect_that_nobody_speaks_is_sent_away_politely(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];

    (void)state;
    peer_says(worker, "MDPW02", "\1", "work.echo", NULL);
    peer_says(worker, "MDPW02", "\4", NULL);
    stage_turns(stage);
    stage->boot_ms += 2000;
    worker_hears(stage, worker, MDP_DISCONNECT, &mdp, frames);
    assert_int_equal(mdp.dialect, MDP_02A);
    assert_non_null(strstr(stage->log, "bare 0x04"));
    zmq_close(worker);
    stage_free(&stage);
}

/* ---- odd peers ---- */

static void identities_of_any_length_work(void **state)
{
    struct stage *stage = stage_new();
    void *one = peer_new(stage, "amara", "seventeen-bytes-x");
    void *other = peer_new(stage, "bo", "thirty-three-bytes-of-routing-id!");
    struct heard heard;

    (void)state;
    peer_says(one, "", "MDPC01", "rota.query.v1", "one", NULL);
    peer_says(other, "", "MDPC01", "rota.query.v1", "other", NULL);
    heard = peer_hears(stage, one);
    assert_true(heard_is(&heard, 4, "one"));
    heard = peer_hears(stage, other);
    assert_true(heard_is(&heard, 4, "other"));
    zmq_close(one);
    zmq_close(other);
    stage_free(&stage);
}

static void nonsense_and_too_many_frames_hurt_nobody(void **state)
{
    struct stage *stage = stage_new();
    void *peer = peer_new(stage, "amara", NULL);
    struct slice frames[17];
    struct broker_counts counts;
    struct heard heard;

    (void)state;
    for (int i = 0; i < 17; i++)
        frames[i] = slice_str(i == 1 ? "MDPC01" : i == 2 ? "rota.query.v1" : "");
    peer_says(peer, "", NULL);
    peer_says(peer, "", "", NULL);
    peer_says(peer, "nonsense", NULL);
    peer_sends(peer, frames, 17);
    peer_sends(peer, frames, 16);
    heard = peer_hears(stage, peer);
    assert_true(heard_is(&heard, 3, "400"));
    peer_says(peer, "", "MDPC01", "rota.query.v1", "still here", NULL);
    heard = peer_hears(stage, peer);
    assert_true(heard_is(&heard, 4, "still here"));
    broker_count(stage->broker, &counts);
    assert_int_equal(counts.malformed, 5);
    zmq_close(peer);
    stage_free(&stage);
}

static void a_reply_to_a_heartbeat_and_one_without_delimiter_are_understood(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct note *note;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.echo", NULL);
    peer_says(worker, "", "MDPW01", "\3", "", "", "to your heartbeat", NULL);
    stage_offer(stage, 7, "work.echo");
    note = stage_note(stage, NOTE_LEASED, 0);
    assert_int_equal(stage_notes(stage, NOTE_RESULT), 0);
    peer_says(worker, "", "MDPW01", "\3", note->token, "no delimiter", NULL);
    assert_string_equal(stage_note(stage, NOTE_RESULT, 0)->text, "no delimiter");
    zmq_close(worker);
    stage_free(&stage);
}

static void a_ready_for_what_it_may_not_serve_is_answered_at_the_next_heartbeat(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct mdp_message mdp;
    struct slice frames[MDP_FRAMES_MAX];

    (void)state;
    snprintf(stage->refused_service, sizeof stage->refused_service, "work.secret");
    stage_turns(stage);
    peer_says(worker, "", "MDPW01", "\1", "work.secret", NULL);
    assert_true(peer_hears_nothing(stage, worker));
    stage->boot_ms += 2000;
    worker_hears(stage, worker, MDP_DISCONNECT, &mdp, frames);
    peer_says(worker, "", "MDPW01", "\1", "mmi.service", NULL);
    peer_says(worker, "", "MDPW01", "\1", "Not A Name", NULL);
    stage_turns(stage);
    stage->boot_ms += 2000;
    worker_hears(stage, worker, MDP_DISCONNECT, &mdp, frames);
    assert_non_null(strstr(stage->log, "a reserved name"));
    assert_non_null(strstr(stage->log, "not a service name"));
    zmq_close(worker);
    stage_free(&stage);
}

static void a_worker_of_ever_new_services_is_stopped(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);

    (void)state;
    for (int i = 0; i <= BROKER_SERVICES_MAX; i++) {
        char name[32];

        if (i % 100 == 0 || i == BROKER_SERVICES_MAX) {
            stage_turns(stage);
            assert_null(strstr(stage->log, "too many services"));
            stage->log[0] = '\0';
        }
        snprintf(name, sizeof name, "work.n%d", i);
        peer_says(worker, "", "MDPW01", "\1", name, NULL);
        peer_says(worker, "", "MDPW01", "\5", NULL);
    }
    stage_turns(stage);
    assert_non_null(strstr(stage->log, "too many services"));
    zmq_close(worker);
    stage_free(&stage);
}

/* ---- clients ---- */

static void mmi_tells_which_services_have_workers(void **state)
{
    struct stage *stage = stage_new();
    void *client = peer_new(stage, "bo", NULL), *worker = peer_new(stage, "amara", NULL);
    struct heard heard;

    (void)state;
    peer_says(client, "", "MDPC01", "mmi.service", "work.echo", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard.count == 4 && heard_is(&heard, 3, "404"));
    peer_says(worker, "", "MDPW01", "\1", "work.echo", NULL);
    stage_turns(stage);
    peer_says(client, "", "MDPC01", "mmi.service", "work.echo", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "200"));
    peer_says(client, "", "MDPC01", "mmi.service", "rota.command.v1", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "200"));
    peer_says(client, "", "MDPC01", "mmi.whatever", "work.echo", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "501"));
    zmq_close(client);
    zmq_close(worker);
    stage_free(&stage);
}

static void each_reserved_service_is_its_own_kind_of_request(void **state)
{
    static const struct {
        const char *service;
        enum request_kind kind;
    } cases[] = {{"rota.command.v1", REQUEST_COMMAND},
                 {"rota.query.v1", REQUEST_QUERY},
                 {"rota.events.v1", REQUEST_EVENTS},
                 {"rota.admin.v1", REQUEST_ADMIN},
                 {"work.echo", REQUEST_DIRECT}};
    struct stage *stage = stage_new();
    void *client = peer_new(stage, "bo", NULL);
    struct heard heard;

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct note *note;

        peer_says(client, "", "MDPC01", cases[i].service, "{}", NULL);
        note = stage_note(stage, NOTE_REQUEST, i);
        assert_int_equal(note->kind, cases[i].kind);
        assert_string_equal(note->principal, "bo");
        assert_string_equal(note->method, "curve");
        assert_true(note->has_key_hash && note->to.json);
    }
    stage_turns(stage);
    for (int i = 0; i < 5; i++)
        peer_hears(stage, client);
    peer_says(client, "", "MDPC01", "rota.command.v2", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "404"));
    assert_non_null(strstr((const char *)heard.bytes[4], "no-service"));
    zmq_close(client);
    stage_free(&stage);
}

static void the_sixty_fifth_unanswered_request_is_told_to_slow_down(void **state)
{
    struct stage *stage = stage_new();
    void *client = peer_new(stage, "bo", NULL), *other = peer_new(stage, "amara", NULL);
    struct heard heard;

    (void)state;
    stage->answers = false;
    for (int i = 0; i < 65; i++)
        peer_says(client, "", "MDPC01", "rota.command.v1", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "429"));
    assert_int_equal(stage_notes(stage, NOTE_REQUEST), 64);
    peer_says(other, "", "MDPC01", "rota.command.v1", "{}", NULL);
    stage_note(stage, NOTE_REQUEST, 64);
    broker_reply(stage->broker, &stage_note(stage, NOTE_REQUEST, 0)->to, 202, slice_str(""));
    heard = peer_hears(stage, client);
    assert_true(heard.count == 4 && heard_is(&heard, 3, "202"));
    peer_says(client, "", "MDPC01", "rota.command.v1", "{}", NULL);
    stage_note(stage, NOTE_REQUEST, 65);
    zmq_close(client);
    zmq_close(other);
    stage_free(&stage);
}

static void nothing_leaves_before_the_release_and_a_discard_drops_it(void **state)
{
    struct stage *stage = stage_new();
    void *client = peer_new(stage, "bo", NULL);
    struct heard heard;

    (void)state;
    stage->commits = false;
    peer_says(client, "", "MDPC01", "rota.command.v1", "first", NULL);
    stage_note(stage, NOTE_REQUEST, 0);
    assert_true(peer_hears_nothing(stage, client));
    broker_discard(stage->broker);
    assert_true(peer_hears_nothing(stage, client));
    broker_reply(stage->broker, &stage_note(stage, NOTE_REQUEST, 0)->to, 503, slice_str("no"));
    broker_release(stage->broker);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "503"));
    zmq_close(client);
    stage_free(&stage);
}

static void a_socket_of_four_frames_and_no_library_is_enough(void **state)
{
    struct stage *stage = stage_new();
    void *client = zmq_socket(stage->context, ZMQ_REQ);
    const struct keyfile *key = &stage_person(stage, "bo")->key;
    char answer[16] = "";
    int linger = 0;

    (void)state;
    zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, stage->engine_key.curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, key->curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, key->curve_secret, CURVE_KEY_LEN);
    assert_int_equal(zmq_connect(client, broker_endpoint(stage->broker, 0)), 0);
    peer_says(client, "MDPC01", "rota.query.v1", "{}", NULL);
    stage_note(stage, NOTE_REQUEST, 0);
    stage_turns(stage);
    assert_int_equal(zmq_recv(client, answer, sizeof answer, ZMQ_DONTWAIT), 6);
    assert_memory_equal(answer, "MDPC01", 6);
    zmq_close(client);
    stage_free(&stage);
}

/* ---- identity ---- */

static void an_unknown_key_is_not_let_in(void **state)
{
    struct stage *stage = stage_new();
    struct broker_counts before, after;
    void *stranger;

    (void)state;
    stage_add_person(stage, "mallory", false);
    broker_count(stage->broker, &before);
    stranger = peer_new(stage, "mallory", NULL);
    peer_says(stranger, "", "MDPC01", "rota.query.v1", "{}", NULL);
    assert_true(peer_hears_nothing(stage, stranger));
    broker_count(stage->broker, &after);
    assert_int_equal(stage_notes(stage, NOTE_REQUEST), 0);
    assert_true(after.handshakes_refused > before.handshakes_refused);
    zmq_close(stranger);
    stage_free(&stage);
}

static void a_peer_without_curve_is_not_let_in(void **state)
{
    struct stage *stage = stage_new();
    void *stranger = peer_at(stage, broker_endpoint(stage->broker, 0));

    (void)state;
    peer_says(stranger, "", "MDPC01", "rota.query.v1", "{}", NULL);
    assert_true(peer_hears_nothing(stage, stranger));
    assert_int_equal(stage_notes(stage, NOTE_REQUEST), 0);
    zmq_close(stranger);
    stage_free(&stage);
}

static void a_broker_that_would_let_anybody_in_does_not_open(void **state)
{
    struct stage *stage = stage_new_without_broker();
    struct error err = {ERROR_NONE, ""};

    (void)state;
    stage->knows_everybody = true;
    assert_int_equal(stage_open(stage, NULL, &err), -1);
    assert_non_null(strstr(err.text, "unknown key was let in"));
    assert_null(stage->broker);
    stage_free(&stage);
}

static void the_front_works_over_tcp_too(void **state)
{
    struct stage *stage = stage_new_without_broker();
    struct heard heard;
    void *client;

    (void)state;
    assert_int_equal(stage_open(stage, "tcp://127.0.0.1:*", NULL), 0);
    client = peer_new(stage, "bo", NULL);
    peer_says(client, "", "MDPC01", "rota.query.v1", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "200"));
    zmq_close(client);
    stage_free(&stage);
}

static void the_kernel_says_who_is_at_the_admin_socket(void **state)
{
    struct stage *stage = stage_new();
    void *client = peer_at(stage, broker_endpoint(stage->broker, -2));
    struct note *note;

    (void)state;
    peer_says(client, "", "MDPC01", "rota.admin.v1", "{}", NULL);
    note = stage_note(stage, NOTE_REQUEST, 0);
    assert_int_equal(note->kind, REQUEST_ADMIN);
    assert_string_equal(note->principal, "operator");
    assert_string_equal(note->method, "peer");
    assert_false(note->has_key_hash);
    zmq_close(client);
    stage_free(&stage);
}

/* Until the engine's own greeting and READY are here: whoever speaks before is cut off. */
static void await_ready(struct stage *stage, int fd)
{
    uint8_t bytes[256];
    ssize_t got, sum = 0;

    for (int i = 0; i < 1000 && sum <= 64; i++) {
        stage_turn(stage);
        got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        sum += got > 0 ? got : 0;
    }
    assert_true(sum > 64);
}

/* A peer of bytes: ZMTP 3.0 with the NULL mechanism, whose READY claims a User-Id. */
static int raw_zmtp_peer(struct stage *stage, const char *endpoint, const char *claimed)
{
    uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    uint8_t ready[128] = {4,   0,   5,   'R', 'E', 'A', 'D', 'Y', 11,  'S', 'o', 'c', 'k', 'e',
                          't', '-', 'T', 'y', 'p', 'e', 0,   0,   0,   6,   'D', 'E', 'A', 'L',
                          'E', 'R', 7,   'U', 's', 'e', 'r', '-', 'I', 'd', 0,   0,   0};
    static const uint8_t request[] = "\1\0\1\6MDPC01\1\15rota.query.v1\0\2{}";
    struct sockaddr_in at = {.sin_family = AF_INET};
    size_t len = 41;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    ready[len++] = (uint8_t)strlen(claimed);
    memcpy(ready + len, claimed, strlen(claimed));
    len += strlen(claimed);
    ready[1] = (uint8_t)(len - 2);
    assert_int_equal(write(fd, greeting, sizeof greeting), sizeof greeting);
    assert_int_equal(write(fd, ready, len), len);
    await_ready(stage, fd);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    return fd;
}

static void a_forged_user_id_counts_for_nothing(void **state)
{
    struct stage *stage = stage_new();
    char claimed[32];
    int fd;

    (void)state;
    snprintf(claimed, sizeof claimed, "uid:%u", (unsigned)getuid());
    fd = raw_zmtp_peer(stage, broker_endpoint(stage->broker, -1), claimed);
    assert_string_equal(stage_note(stage, NOTE_REQUEST, 0)->principal, "plain");
    assert_string_equal(stage_note(stage, NOTE_REQUEST, 0)->method, "plain");
    close(fd);
    stage_free(&stage);
}

static void a_key_revoked_on_a_live_connection_has_no_rights_at_once(void **state)
{
    struct stage *stage = stage_new();
    void *client = peer_new(stage, "bo", NULL);
    struct heard heard;

    (void)state;
    peer_says(client, "", "MDPC01", "rota.query.v1", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "200"));
    stage_person(stage, "bo")->is_known = false;
    peer_says(client, "", "MDPC01", "rota.query.v1", "{}", NULL);
    heard = peer_hears(stage, client);
    assert_true(heard_is(&heard, 3, "401"));
    assert_int_equal(stage_notes(stage, NOTE_REQUEST), 1);
    zmq_close(client);
    stage_free(&stage);
}

static void a_worker_whose_key_is_revoked_loses_its_lease_without_blame(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", NULL);
    struct note *note;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.echo", NULL);
    stage_offer(stage, 7, "work.echo");
    note = stage_note(stage, NOTE_LEASED, 0);
    stage_person(stage, "amara")->is_known = false;
    broker_recheck(stage->broker, stage->boot_ms);
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "rights withdrawn");
    assert_int_equal(stage_note(stage, NOTE_LOST, 0)->status, 0);
    peer_says(worker, "", "MDPW01", "\3", note->token, "", "too late", NULL);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_RESULT), 0);
    zmq_close(worker);
    stage_free(&stage);
}

static void nobody_takes_the_identity_of_a_peer_that_is_there(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", "fixed"), *thief;
    struct slice frames[MDP_FRAMES_MAX];
    struct mdp_message task;
    struct note *note;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.echo", NULL);
    stage_turns(stage);
    thief = peer_new(stage, "bo", "fixed");
    peer_says(thief, "", "MDPW01", "\4", NULL);
    stage_turns(stage);
    stage_offer(stage, 7, "work.echo");
    note = stage_note(stage, NOTE_LEASED, 0);
    peer_says(thief, "", "MDPW01", "\3", note->token, "", "mine now", NULL);
    stage_turns(stage);
    assert_int_equal(stage_notes(stage, NOTE_RESULT) + stage_notes(stage, NOTE_LOST), 0);
    worker_hears(stage, worker, MDP_REQUEST, &task, frames);
    assert_true(slice_is(task.address, note->token));
    peer_says(worker, "", "MDPW01", "\3", note->token, "", "done", NULL);
    stage_note(stage, NOTE_RESULT, 0);
    zmq_close(worker);
    zmq_close(thief);
    stage_free(&stage);
}

static void another_key_behind_the_identity_of_one_that_went_is_another_session(void **state)
{
    struct stage *stage = stage_new();
    void *worker = peer_new(stage, "amara", "fixed"), *thief;
    struct note *note;

    (void)state;
    peer_says(worker, "", "MDPW01", "\1", "work.echo", NULL);
    stage_offer(stage, 7, "work.echo");
    note = stage_note(stage, NOTE_LEASED, 0);
    zmq_close(worker);
    stage_turns(stage);
    thief = peer_new(stage, "bo", "fixed");
    peer_says(thief, "", "MDPW01", "\3", note->token, "", "mine now", NULL);
    assert_string_equal(stage_note(stage, NOTE_LOST, 0)->text, "worker gone");
    assert_int_equal(stage_notes(stage, NOTE_RESULT), 0);
    zmq_close(thief);
    stage_free(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_of_mdp_01_does_a_task),
        cmocka_unit_test(a_worker_of_strict_mdp_02_does_a_task),
        cmocka_unit_test(a_worker_of_mdp_02_behind_a_delimiter_does_a_task),
        cmocka_unit_test(clients_of_each_dialect_are_answered_in_it),
        cmocka_unit_test(a_dialect_that_nobody_speaks_is_sent_away_politely),
        cmocka_unit_test(identities_of_any_length_work),
        cmocka_unit_test(nonsense_and_too_many_frames_hurt_nobody),
        cmocka_unit_test(a_reply_to_a_heartbeat_and_one_without_delimiter_are_understood),
        cmocka_unit_test(a_ready_for_what_it_may_not_serve_is_answered_at_the_next_heartbeat),
        cmocka_unit_test(a_worker_of_ever_new_services_is_stopped),
        cmocka_unit_test(mmi_tells_which_services_have_workers),
        cmocka_unit_test(each_reserved_service_is_its_own_kind_of_request),
        cmocka_unit_test(the_sixty_fifth_unanswered_request_is_told_to_slow_down),
        cmocka_unit_test(nothing_leaves_before_the_release_and_a_discard_drops_it),
        cmocka_unit_test(a_socket_of_four_frames_and_no_library_is_enough),
        cmocka_unit_test(an_unknown_key_is_not_let_in),
        cmocka_unit_test(a_peer_without_curve_is_not_let_in),
        cmocka_unit_test(a_broker_that_would_let_anybody_in_does_not_open),
        cmocka_unit_test(the_front_works_over_tcp_too),
        cmocka_unit_test(the_kernel_says_who_is_at_the_admin_socket),
        cmocka_unit_test(a_forged_user_id_counts_for_nothing),
        cmocka_unit_test(a_key_revoked_on_a_live_connection_has_no_rights_at_once),
        cmocka_unit_test(a_worker_whose_key_is_revoked_loses_its_lease_without_blame),
        cmocka_unit_test(nobody_takes_the_identity_of_a_peer_that_is_there),
        cmocka_unit_test(another_key_behind_the_identity_of_one_that_went_is_another_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
