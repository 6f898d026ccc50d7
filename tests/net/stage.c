#include "stage.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

/* ---- the owner ---- */

static struct note *add_note(struct stage *stage, enum note_kind what)
{
    struct note *note = &stage->notes[stage->note_count];

    assert_true(stage->note_count < STAGE_NOTES_MAX);
    stage->note_count++;
    memset(note, 0, sizeof *note);
    note->what = what;
    return note;
}

static void note_lease(struct note *note, const struct lease *lease)
{
    note->task = lease->task;
    snprintf(note->token, sizeof note->token, "%s", lease->token);
    snprintf(note->principal, sizeof note->principal, "%s", lease->principal);
}

static void note_text(struct note *note, struct slice text)
{
    size_t len = text.len < sizeof note->text - 1 ? text.len : sizeof note->text - 1;

    if (len > 0)
        memcpy(note->text, text.at, len);
}

static const char *principal_of(void *self, const char *user_id)
{
    struct stage *stage = self;
    static char own[16];

    snprintf(own, sizeof own, "uid:%u", (unsigned)getuid());
    if (strcmp(user_id, own) == 0)
        return "operator";
    if (strcmp(user_id, "plain") == 0)
        return "plain";
    for (int i = 0; i < stage->people_count; i++) {
        if (strcmp(stage->people[i].user_id, user_id) == 0)
            return stage->people[i].is_known ? stage->people[i].name : NULL;
    }
    return stage->knows_everybody ? "anybody" : NULL;
}

static bool may_serve(void *self, const char *principal, const char *service)
{
    struct stage *stage = self;

    (void)principal;
    return strcmp(service, stage->refused_service) != 0;
}

static void take_request(void *self, const struct request *request)
{
    struct stage *stage = self;
    struct note *note = add_note(stage, NOTE_REQUEST);

    note->kind = request->kind;
    note->to = *request->to;
    note->has_key_hash = request->key_hash.len == 32;
    snprintf(note->principal, sizeof note->principal, "%s", request->principal);
    snprintf(note->method, sizeof note->method, "%s", request->method);
    note_text(note, request->body);
    if (stage->answers)
        broker_reply(stage->broker, request->to, 200, request->body);
}

static void take_result(void *self, const struct result *result)
{
    struct note *note = add_note(self, NOTE_RESULT);

    note_lease(note, result->lease);
    note->status = result->status;
    note->has_header = result->header.len > 0;
    note_text(note, result->output);
}

static bool give_parcel(void *self, int64_t task, struct parcel *out)
{
    struct stage *stage = self;
    static char number[32];

    snprintf(number, sizeof number, "%lld", (long long)task);
    *out = stage->parcel;
    if (out->input.at == NULL)
        out->input = slice_str(number);
    return stage->knows_tasks;
}

static void take_progress(void *self, const struct lease *lease, int percent, struct slice text)
{
    struct note *note = add_note(self, NOTE_PROGRESS);

    note_lease(note, lease);
    note->status = percent;
    note_text(note, text);
}

static void take_leased(void *self, const struct lease *lease)
{
    note_lease(add_note(self, NOTE_LEASED), lease);
}

static void take_lost(void *self, const struct lease *lease, bool counts, const char *why)
{
    struct note *note = add_note(self, NOTE_LOST);

    note_lease(note, lease);
    note->status = counts;
    note_text(note, slice_str(why));
}

static void take_log(void *self, int level, const char *text)
{
    struct stage *stage = self;
    size_t used = strlen(stage->log);

    (void)level;
    snprintf(stage->log + used, sizeof stage->log - used, "%s\n", text);
}

/* ---- the stage ---- */

struct person *stage_person(struct stage *stage, const char *name)
{
    for (int i = 0; i < stage->people_count; i++) {
        if (strcmp(stage->people[i].name, name) == 0)
            return &stage->people[i];
    }
    fail_msg("nobody is called %s", name);
    return NULL;
}

struct person *stage_add_person(struct stage *stage, const char *name, bool is_known)
{
    struct person *person = &stage->people[stage->people_count++];

    snprintf(person->name, sizeof person->name, "%s", name);
    assert_int_equal(keyfile_new_curve(&person->key, NULL), 0);
    curve_to_z85(person->key.curve_public, person->user_id);
    person->is_known = is_known;
    return person;
}

struct stage *stage_new_without_broker(void)
{
    struct stage *stage = calloc(1, sizeof *stage);

    assert_non_null(stage);
    snprintf(stage->directory, sizeof stage->directory, "/tmp/rota-net-XXXXXX");
    assert_non_null(mkdtemp(stage->directory));
    stage->context = zmq_ctx_new();
    stage->answers = stage->commits = stage->pairs = stage->knows_tasks = true;
    stage->boot_ms = 1000000;
    assert_int_equal(keyfile_new_curve(&stage->engine_key, NULL), 0);
    stage_add_person(stage, "amara", true);
    stage_add_person(stage, "bo", true);
    return stage;
}

int stage_open(struct stage *stage, const char *front, struct error *err)
{
    char at[128], plain[128], admin[128];
    struct broker_options options = {.context = stage->context,
                                     .front = {at},
                                     .plain = plain,
                                     .admin = admin,
                                     .curve_secret = stage->engine_key.curve_secret};
    struct broker_ops ops = {.self = stage,
                             .principal = principal_of,
                             .may_serve = may_serve,
                             .request = take_request,
                             .parcel = give_parcel,
                             .result = take_result,
                             .progress = take_progress,
                             .leased = take_leased,
                             .lost = take_lost,
                             .log = take_log};

    snprintf(at, sizeof at, "ipc://%s/front", stage->directory);
    snprintf(plain, sizeof plain, "tcp://127.0.0.1:*");
    snprintf(admin, sizeof admin, "ipc://%s/admin", stage->directory);
    if (front != NULL)
        snprintf(at, sizeof at, "%s", front);
    return broker_open(&options, &ops, &stage->broker, err);
}

struct stage *stage_new(void)
{
    struct stage *stage = stage_new_without_broker();
    struct error err = {ERROR_NONE, ""};

    if (stage_open(stage, NULL, &err) != 0)
        fail_msg("%s", err.text);
    return stage;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

void stage_free(struct stage **stage)
{
    broker_close(&(*stage)->broker);
    zmq_ctx_term((*stage)->context);
    nftw((*stage)->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(*stage);
    *stage = NULL;
}

static int turn(struct stage *stage, int64_t wait_ms)
{
    int handled;

    broker_wait(stage->broker, NULL, 0, wait_ms);
    handled = broker_receive(stage->broker, stage->boot_ms);
    if (stage->pairs)
        broker_pair(stage->broker, stage->boot_ms, 1700000000000);
    if (stage->commits)
        broker_release(stage->broker);
    return handled;
}

void stage_turn(struct stage *stage)
{
    turn(stage, 5);
}

void stage_turns(struct stage *stage)
{
    for (int silent = 0; silent < 10; silent++) {
        if (turn(stage, 5) > 0)
            silent = 0;
    }
}

int stage_notes(const struct stage *stage, enum note_kind what)
{
    int count = 0;

    for (int i = 0; i < stage->note_count; i++)
        count += stage->notes[i].what == what;
    return count;
}

struct note *stage_note(struct stage *stage, enum note_kind what, int nth)
{
    for (int waited = 0; stage_notes(stage, what) <= nth; waited += 5) {
        if (waited > STAGE_PATIENCE_MS)
            fail_msg("the broker did not tell its owner; its log:\n%s", stage->log);
        stage_turn(stage);
    }
    for (int i = 0; i < stage->note_count; i++) {
        if (stage->notes[i].what == what && nth-- == 0)
            return &stage->notes[i];
    }
    return NULL;
}

/* ---- peers ---- */

static void *dealer(struct stage *stage)
{
    void *peer = zmq_socket(stage->context, ZMQ_DEALER);
    int linger = 0, again_ms = 10;

    assert_non_null(peer);
    zmq_setsockopt(peer, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(peer, ZMQ_RECONNECT_IVL, &again_ms, sizeof again_ms);
    return peer;
}

void *peer_new(struct stage *stage, const char *name, const char *routing_id)
{
    void *peer = dealer(stage);
    const struct keyfile *key = &stage_person(stage, name)->key;

    if (stage->peer_queue > 0)
        zmq_setsockopt(peer, ZMQ_RCVHWM, &stage->peer_queue, sizeof stage->peer_queue);
    if (routing_id != NULL)
        assert_int_equal(zmq_setsockopt(peer, ZMQ_ROUTING_ID, routing_id, strlen(routing_id)), 0);
    zmq_setsockopt(peer, ZMQ_CURVE_SERVERKEY, stage->engine_key.curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(peer, ZMQ_CURVE_PUBLICKEY, key->curve_public, CURVE_KEY_LEN);
    zmq_setsockopt(peer, ZMQ_CURVE_SECRETKEY, key->curve_secret, CURVE_KEY_LEN);
    assert_int_equal(zmq_connect(peer, broker_endpoint(stage->broker, 0)), 0);
    return peer;
}

void *peer_at(struct stage *stage, const char *endpoint)
{
    void *peer = dealer(stage);

    assert_int_equal(zmq_connect(peer, endpoint), 0);
    return peer;
}

void peer_sends(void *peer, const struct slice *frames, int count)
{
    for (int i = 0; i < count; i++)
        assert_true(zmq_send(peer, frames[i].at, frames[i].len, i < count - 1 ? ZMQ_SNDMORE : 0) >=
                    0);
}

void peer_says(void *peer, ...)
{
    struct slice frames[32];
    const char *frame;
    int count = 0;
    va_list args;

    va_start(args, peer);
    while ((frame = va_arg(args, const char *)) != NULL)
        frames[count++] = slice_str(frame);
    va_end(args);
    peer_sends(peer, frames, count);
}

static bool hear(void *peer, struct heard *out)
{
    int more = 1;
    size_t size = sizeof more;

    memset(out, 0, sizeof *out);
    while (more != 0) {
        int place = out->count;
        int len = zmq_recv(peer, out->bytes[place], sizeof out->bytes[place], ZMQ_DONTWAIT);

        if (len < 0)
            return false;
        out->len[place] =
            (size_t)len < sizeof out->bytes[place] ? (size_t)len : sizeof out->bytes[place];
        assert_true(++out->count < MDP_FRAMES_MAX);
        zmq_getsockopt(peer, ZMQ_RCVMORE, &more, &size);
    }
    return true;
}

struct heard peer_hears(struct stage *stage, void *peer)
{
    struct heard heard;

    for (int waited = 0; !hear(peer, &heard); waited += 5) {
        if (waited > STAGE_PATIENCE_MS)
            fail_msg("the peer heard nothing; the broker's log:\n%s", stage->log);
        stage_turn(stage);
    }
    return heard;
}

bool peer_hears_nothing(struct stage *stage, void *peer)
{
    struct heard heard;

    stage_turns(stage);
    return !hear(peer, &heard);
}

struct heard worker_hears(struct stage *stage, void *peer, enum mdp_verb verb,
                          struct mdp_message *out, struct slice frames[MDP_FRAMES_MAX])
{
    for (int i = 0; i < 100; i++) {
        struct heard heard = peer_hears(stage, peer);
        static struct heard kept;
        const char *why = "";

        kept = heard;
        for (int k = 0; k < kept.count; k++)
            frames[k] = slice_of(kept.bytes[k], kept.len[k]);
        assert_int_equal(mdp_parse(frames, kept.count, out, &why), 0);
        if (out->verb == verb)
            return heard;
    }
    fail_msg("only other messages came");
    return (struct heard){0};
}

bool heard_is(const struct heard *heard, int place, const char *text)
{
    return place < heard->count && heard->len[place] == strlen(text) &&
           memcmp(heard->bytes[place], text, heard->len[place]) == 0;
}

/* ---- tasks ---- */

void stage_offer_as(struct stage *stage, const struct offer *offer)
{
    broker_offer(stage->broker, offer);
}

void stage_offer(struct stage *stage, int64_t task, const char *service)
{
    struct offer offer = {.task = task, .attempt = 1, .service = service};

    stage_offer_as(stage, &offer);
}
