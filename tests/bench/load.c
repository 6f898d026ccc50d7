#include "load.h"

#include "base/check.h"
#include "base/dmp.h"
#include "wire/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum {
    REPLY_FRAMES_MAX = 8,
    REPLY_BYTES_MAX = 4096,
    STALL_MS = 20000,
    JOIN_MS = 100,
    COMMANDS_OF_LOAD = 1000000000,
    PARK_MS_MAX = 3600 * 1000,
    LIVES_MS_MAX = 3600 * 1000,
    OPEN_IN_FLIGHT = 64, /* what one principal may have unanswered */
    WARM_PART = 4        /* of the time measured, a quarter before */
};

static const char ORIGIN[] = "bench.example/isms";
static const char NOTE[] = "The quick brown fox jumps over the lazy dog, and nobody minds.";

enum step {
    STEP_OPEN,
    STEP_SUBMIT,
    STEP_PREPARE,
    STEP_APPROVE,
    STEP_FORCE,
    STEP_REVIEW,
    STEP_CHANGE,
    STEP_COUNT
};

static const char *const EVENTS[STEP_COUNT] = {"open",         "submit", NULL,    "approve",
                                               "put_in_force", "review", "change"};

struct slot { /* one record in flight */
    enum step step;
    int principal;
    int64_t record;
    bool has_reply, has_news;
    double sent_ms, opened_ms;
    uint64_t number; /* of its commands: makes ids */
    uint8_t digest[HASH_LEN], statement[HASH_LEN], directory[HASH_LEN], pack[HASH_LEN];
};

struct samples {
    double *at; /* owned */
    size_t count, cap;
};

struct load {
    const struct world *world;
    void *context, *clients[PRINCIPALS], *news;
    int client_count, in_flight;
    struct slot slots[IN_FLIGHT_MAX];
    int *slot_of; /* by record; owned */
    int64_t slot_of_cap;
    int64_t open_max; /* so many are opened and no more; 0: as many as there is time for */
    bool is_opening;  /* only open and submit, all but the last */
    bool is_parking;  /* and do not even submit */
    int64_t opened;
    uint64_t done; /* records, or commands of load_open */
    bool is_measuring;
    struct samples commands, lives;
    struct arena arena;
    struct buf body;
};

struct answer { /* one message in */
    struct slice frames[REPLY_FRAMES_MAX];
    int count;
    uint8_t bytes[REPLY_FRAMES_MAX][REPLY_BYTES_MAX];
};

/* ---- samples ---- */

static void sample(struct load *load, struct samples *samples, double ms)
{
    if (!load->is_measuring)
        return;
    if (samples->count == samples->cap) {
        samples->cap = samples->cap > 0 ? samples->cap * 2 : 4096;
        samples->at = realloc(samples->at, samples->cap * sizeof *samples->at);
        check(samples->at != NULL);
    }
    samples->at[samples->count++] = ms;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* At least this part of the samples is not greater. */
static double percentile(struct samples *samples, double part)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->at, samples->count, sizeof *samples->at, by_size);
    return samples->at[(size_t)(part * (double)(samples->count - 1))];
}

/* ---- connecting ---- */

static void load_open_sockets(struct load *load, const struct world *world)
{
    bool is_curve = world->target == TARGET_ROTA || world->target == TARGET_SIGNED;

    load->world = world;
    load->context = zmq_ctx_new();
    load->client_count = world->target == TARGET_INSECURE ? 1 : PRINCIPALS;
    for (int i = 0; i < load->client_count; i++)
        load->clients[i] = world_connect(world, load->context, ZMQ_DEALER, "front",
                                         is_curve ? &world->people[i] : NULL);
    load->news =
        world_connect(world, load->context, ZMQ_SUB, "feed", is_curve ? &world->people[0] : NULL);
    zmq_setsockopt(load->news, ZMQ_SUBSCRIBE, "task/", 5);
}

static void load_close(struct load *load)
{
    for (int i = 0; i < load->client_count; i++)
        zmq_close(load->clients[i]);
    zmq_close(load->news);
    zmq_ctx_term(load->context);
    free(load->slot_of);
    free(load->commands.at);
    free(load->lives.at);
    arena_release(&load->arena);
    buf_release(&load->body);
}

static bool receive(void *socket, struct answer *in)
{
    int more = 1;
    size_t size = sizeof more;

    for (in->count = 0; more != 0 && in->count < REPLY_FRAMES_MAX; in->count++) {
        int len = zmq_recv(socket, in->bytes[in->count], REPLY_BYTES_MAX, ZMQ_DONTWAIT);

        if (len < 0)
            return false;
        in->frames[in->count] =
            slice_of(in->bytes[in->count], len < REPLY_BYTES_MAX ? (size_t)len : REPLY_BYTES_MAX);
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    }
    return true;
}

/* ---- one request ---- */

static void send_request(void *socket, const char *service, struct slice body)
{
    zmq_send(socket, "", 0, ZMQ_SNDMORE);
    zmq_send(socket, "MDPC01", 6, ZMQ_SNDMORE);
    zmq_send(socket, service, strlen(service), ZMQ_SNDMORE);
    zmq_send(socket, body.at, body.len, 0);
}

static const char *record_name(struct load *load, const struct slot *slot)
{
    return arena_printf(&load->arena, "%s-%04" PRId64,
                        load->world->target == TARGET_SIGNED ? "SIG" : "BEN", slot->record);
}

static int checker_of(const struct slot *slot)
{
    return (slot->principal + 1) % PRINCIPALS;
}

static void fill_open(struct load *load, const struct slot *slot, struct value *args)
{
    struct value fields = value_map();

    value_set(&load->arena, &fields, "note", value_str(NOTE));
    if (load->world->target == TARGET_SIGNED)
        value_set(&load->arena, &fields, "checker", value_str(principal_name(checker_of(slot))));
    value_set(&load->arena, args, "kind",
              value_str(load->world->target == TARGET_SIGNED ? "signed" : "bench"));
    value_set(&load->arena, args, "title", value_str("A record of the bench"));
    value_set(&load->arena, args, "fields", fields);
}

/* Signs what `prepare` said, as engine/JOURNAL.md has it. */
static void fill_approve(struct load *load, const struct slot *slot, struct command *command)
{
    int checker = checker_of(slot);
    const struct keyfile *key = &load->world->people[checker];
    uint8_t *key_hash = arena_take(&load->arena, HASH_LEN), command_id[16];
    struct buf message = BUF_EMPTY;
    struct value *args = &command->args, under = value_map();

    value_set(&load->arena, &under, "directory", value_bin(slot->directory, HASH_LEN));
    value_set(&load->arena, &under, "pack", value_bin(slot->pack, HASH_LEN));
    value_set(&load->arena, args, "under", under);
    hash_bytes(slice_of(key->sign_public, SIGN_KEY_LEN), key_hash);
    value_set(&load->arena, args, "meaning", value_str("approved"));
    value_set(&load->arena, args, "digest", value_bin(slot->digest, HASH_LEN));
    value_set(&load->arena, args, "round", value_int(1));
    value_set(&load->arena, args, "statement", value_bin(slot->statement, HASH_LEN));
    value_set(&load->arena, args, "key", value_bin(key_hash, HASH_LEN));
    hash_command_id(slice_str(principal_name(checker)), command->id, command_id);
    buf_add_str(&message, "rota.command/1\n");
    dmp_put_array(&message, 8);
    dmp_put_str(&message, slice_str(ORIGIN));
    dmp_put_bin(&message, slice_of(command_id, sizeof command_id));
    dmp_put_str(&message, slice_str("record.approve"));
    dmp_put_str(&message,
                slice_str(arena_printf(&load->arena, "%s/round/1/%s", record_name(load, slot),
                                       principal_name(checker))));
    dmp_put_int(&message, 0);
    dmp_put_str(&message, slice_str(principal_name(checker)));
    dmp_encode(&message, args);
    dmp_put_nil(&message);
    sign_message(key->sign_seed, buf_slice(&message), command->signature);
    command->has_signature = true;
    buf_release(&message);
}

static const char *new_id(struct load *load, struct slot *slot)
{
    return arena_printf(&load->arena, "bench-%04d-%012" PRIu64, (int)(slot - load->slots),
                        ++slot->number);
}

static void write_command(struct load *load, struct slot *slot)
{
    struct command command = {.v = 1,
                              .id = slice_str(new_id(load, slot)),
                              .command = slice_str(EVENTS[slot->step]),
                              .args = value_map()};

    if (slot->step == STEP_OPEN)
        fill_open(load, slot, &command.args);
    else
        command.record = slice_str(record_name(load, slot));
    if (slot->step == STEP_APPROVE)
        fill_approve(load, slot, &command);
    command_encode(&load->body, &command, false);
}

static void write_prepare(struct load *load, struct slot *slot)
{
    struct query query = {.v = 1,
                          .id = slice_str(new_id(load, slot)),
                          .query = slice_str("prepare"),
                          .args = value_map()};

    value_set(&load->arena, &query.args, "record", value_str(record_name(load, slot)));
    value_set(&load->arena, &query.args, "event", value_str("approve"));
    query_encode(&load->body, &query, false);
}

static void send_step(struct load *load, struct slot *slot)
{
    bool by_checker = slot->step == STEP_PREPARE || slot->step == STEP_APPROVE;
    void *socket =
        load->clients[(by_checker ? checker_of(slot) : slot->principal) % load->client_count];

    arena_clear(&load->arena);
    buf_clear(&load->body);
    if (load->world->target == TARGET_LIMIT)
        buf_addf(&load->body, "%s %s %s %s", new_id(load, slot), EVENTS[slot->step],
                 record_name(load, slot), slot->step == STEP_OPEN ? NOTE : "-");
    else if (slot->step == STEP_PREPARE)
        write_prepare(load, slot);
    else
        write_command(load, slot);
    slot->has_reply = slot->has_news = false;
    slot->sent_ms = now_ms();
    if (slot->step == STEP_OPEN)
        slot->opened_ms = slot->sent_ms;
    send_request(socket, slot->step == STEP_PREPARE ? "rota.query.v1" : "rota.command.v1",
                 buf_slice(&load->body));
}

/* ---- the life of a record ---- */

static void begin_life(struct load *load, struct slot *slot)
{
    if (load->open_max > 0 && load->opened == load->open_max)
        return;
    /* One record in flight visits all principals; many belong to one each; load_open() is one person. */
    slot->principal =
        (load->in_flight < PRINCIPALS ? (int)load->opened : (int)(slot - load->slots)) % PRINCIPALS;
    if (load->is_opening)
        slot->principal = 0;
    slot->step = STEP_OPEN;
    load->opened++;
    send_step(load, slot);
}

static bool waits_for_news(const struct load *load, const struct slot *slot)
{
    return !load->is_opening && (slot->step == STEP_SUBMIT || slot->step == STEP_FORCE);
}

static enum step step_after(const struct load *load, const struct slot *slot)
{
    if (load->is_parking)
        return STEP_COUNT;
    if (load->is_opening)
        return slot->step == STEP_OPEN && slot->record != load->open_max ? STEP_SUBMIT : STEP_COUNT;
    if (slot->step == STEP_SUBMIT && load->world->target != TARGET_SIGNED)
        return STEP_FORCE;
    return (enum step)(slot->step + 1);
}

static void advance(struct load *load, struct slot *slot)
{
    if (!slot->has_reply || (waits_for_news(load, slot) && !slot->has_news))
        return;
    slot->step = step_after(load, slot);
    if (slot->step != STEP_COUNT) {
        send_step(load, slot);
        return;
    }
    load->done++;
    sample(load, &load->lives, now_ms() - slot->opened_ms);
    begin_life(load, slot);
}

static void remember_record(struct load *load, struct slot *slot, struct slice name)
{
    slot->record = strtoll((const char *)name.at + 4, NULL, 10);
    check(slot->record > 0);
    if (slot->record >= load->slot_of_cap) {
        load->slot_of_cap = slot->record * 2 + 4096;
        load->slot_of = realloc(load->slot_of, (size_t)load->slot_of_cap * sizeof *load->slot_of);
        check(load->slot_of != NULL);
    }
    load->slot_of[slot->record] = (int)(slot - load->slots);
}

/* ---- what comes in ---- */

static struct slot *slot_of_id(struct load *load, struct slice id)
{
    long index = id.len == 23 ? strtol((const char *)id.at + 6, NULL, 10) : -1;

    check(index >= 0 && index < load->in_flight);
    return &load->slots[index];
}

static struct slot *read_limit(struct load *load, const struct answer *in, struct slice *record)
{
    struct slice body = in->frames[4];

    check(body.len > 24);
    *record = slice_of(arena_copy(&load->arena, body.at + 24, body.len - 24), body.len - 24);
    return slot_of_id(load, slice_of(body.at, 23));
}

static void take_hash(const struct value *map, const char *key, uint8_t out[HASH_LEN])
{
    struct slice hash = value_get_bin(map, key);

    check(hash.len == HASH_LEN);
    memcpy(out, hash.at, HASH_LEN);
}

static struct slot *read_rota(struct load *load, const struct answer *in, struct slice *record)
{
    struct reply reply;
    struct slot *slot;

    if (reply_decode(&load->arena, in->frames[4], &reply, NULL) != 0)
        fail("a reply cannot be read");
    if (reply.status != 200)
        fail("a command was answered with %d: %.*s", reply.status, (int)reply.message.len,
             (const char *)reply.message.at);
    slot = slot_of_id(load, reply.id);
    *record = value_get_text(&reply.out, "record");
    record->at = (const uint8_t *)arena_copy(&load->arena, record->at, record->len);
    if (slot->step == STEP_PREPARE) {
        const struct value *under = value_get(&reply.out, "under");

        take_hash(&reply.out, "digest", slot->digest);
        take_hash(under, "directory", slot->directory);
        take_hash(under, "pack", slot->pack);
        hash_bytes(value_get_text(&reply.out, "statement"), slot->statement);
    }
    return slot;
}

static void take_reply(struct load *load, const struct answer *in)
{
    struct slice record;
    struct slot *slot;

    if (in->count != 5)
        fail("a reply has %d frames", in->count);
    arena_clear(&load->arena);
    slot = load->world->target == TARGET_LIMIT ? read_limit(load, in, &record)
                                               : read_rota(load, in, &record);
    if (slot->step == STEP_OPEN)
        remember_record(load, slot, record);
    if (slot->step != STEP_PREPARE)
        sample(load, &load->commands, now_ms() - slot->sent_ms);
    slot->has_reply = true;
    advance(load, slot);
}

/* task/KIND/RECORD/EVENT/ */
static void take_news(struct load *load, const struct answer *in)
{
    const char *record = memchr(in->frames[0].at, '-', in->frames[0].len);
    int64_t number = record != NULL ? strtoll(record + 1, NULL, 10) : 0;
    struct slot *slot;

    if (number <= 0 || number >= load->slot_of_cap)
        return;
    slot = &load->slots[load->slot_of[number]];
    if (slot->record != number)
        return;
    slot->has_news = true;
    advance(load, slot);
}

static void drive_until(struct load *load, double until_ms, uint64_t done)
{
    static struct answer in;
    double heard_ms = now_ms();

    while (now_ms() < until_ms && load->done < done) {
        zmq_pollitem_t items[PRINCIPALS + 1];
        int count = 0;

        for (; count < load->client_count; count++)
            items[count] = (zmq_pollitem_t){load->clients[count], 0, ZMQ_POLLIN, 0};
        items[count++] = (zmq_pollitem_t){load->news, 0, ZMQ_POLLIN, 0};
        if (zmq_poll(items, count, 100) > 0)
            heard_ms = now_ms();
        else if (now_ms() - heard_ms > STALL_MS)
            fail("nothing was heard of %s for %d s", target_name(load->world->target),
                 STALL_MS / 1000);
        for (int i = 0; i < load->client_count; i++)
            while (receive(load->clients[i], &in))
                take_reply(load, &in);
        while (receive(load->news, &in))
            take_news(load, &in);
    }
}

/* ---- runs ---- */

/* A subscription is not acknowledged, and news that were missed would be waited for until the end: the feed's welcome says
 * that the connection stands, and what was subscribed before is on it. */
static void join_feed(struct load *load)
{
    zmq_pollitem_t item = {load->news, 0, ZMQ_POLLIN, 0};

    if (load->world->target != TARGET_LIMIT) {
        zmq_setsockopt(load->news, ZMQ_SUBSCRIBE, "_welcome/", 9);
        if (zmq_poll(&item, 1, STALL_MS) <= 0)
            fail("the feed of %s does not answer", target_name(load->world->target));
        zmq_setsockopt(load->news, ZMQ_UNSUBSCRIBE, "_welcome/", 9);
    }
    nanosleep(&(struct timespec){0, JOIN_MS * 1000000}, NULL);
}

static void begin(struct load *load, const struct world *world, int in_flight)
{
    static uint64_t loads; /* one journal may see several: their ids differ */

    memset(load, 0, sizeof *load);
    loads++;
    for (int i = 0; i < IN_FLIGHT_MAX; i++)
        load->slots[i].number = loads * COMMANDS_OF_LOAD;
    load_open_sockets(load, world);
    load->in_flight = in_flight;
    load->slot_of_cap = 4096;
    load->slot_of = calloc((size_t)load->slot_of_cap, sizeof *load->slot_of);
    check(load->slot_of != NULL);
    join_feed(load);
    load_await(world);
}

void load_run(const struct world *world, int in_flight, double seconds, int64_t lives,
              struct figures *out, uint64_t *records)
{
    static struct load load;
    struct usage before, after;
    double began, span;
    uint64_t done;

    begin(&load, world, in_flight);
    load.open_max = lives;
    load.is_measuring = lives > 0;
    before = world_usage(world);
    began = now_ms();
    for (int i = 0; i < in_flight; i++)
        begin_life(&load, &load.slots[i]);
    if (lives == 0) {
        drive_until(&load, now_ms() + seconds * 1000 / WARM_PART, UINT64_MAX);
        load.is_measuring = true;
        before = world_usage(world);
        began = now_ms();
    }
    done = load.done;
    drive_until(&load, lives > 0 ? began + LIVES_MS_MAX : began + seconds * 1000,
                lives > 0 ? (uint64_t)lives : UINT64_MAX);
    span = (now_ms() - began) / 1000;
    after = world_usage(world);
    done = load.done - done;
    if (done == 0)
        fail("%s drove no record through its life in %.1f s", target_name(world->target), seconds);
    out->records_s = (double)done / span;
    out->command_p50_ms = percentile(&load.commands, 0.50);
    out->command_p99_ms = percentile(&load.commands, 0.99);
    out->life_p50_ms = percentile(&load.lives, 0.50);
    out->cpu_ms = (double)(after.cpu_us - before.cpu_us) / 1000 / (double)done;
    out->syncs = (double)(after.syncs - before.syncs) / (double)done;
    out->peak_mb = world_peak_mb(world);
    *records = load.done;
    load_close(&load);
}

void load_open(const struct world *world, int64_t records)
{
    static struct load load;

    begin(&load, world, OPEN_IN_FLIGHT);
    load.open_max = records;
    load.is_opening = true;
    for (int i = 0; i < load.in_flight; i++)
        begin_life(&load, &load.slots[i]);
    drive_until(&load, now_ms() + 600e3, (uint64_t)records);
    load_close(&load);
}

void load_park(const struct world *world, int64_t records)
{
    static struct load load;

    begin(&load, world, OPEN_IN_FLIGHT);
    load.open_max = records;
    load.is_opening = true;
    load.is_parking = true;
    for (int i = 0; i < load.in_flight; i++)
        begin_life(&load, &load.slots[i]);
    drive_until(&load, now_ms() + PARK_MS_MAX, (uint64_t)records);
    load_close(&load);
}

/* One request on a socket of its own; libzmq waits for the server. */
static void ask_once(const struct world *world, int principal, const char *service,
                     struct slice body)
{
    bool is_curve = world->target == TARGET_ROTA || world->target == TARGET_SIGNED;
    void *context = zmq_ctx_new();
    void *socket = world_connect(world, context, ZMQ_DEALER, "front",
                                 is_curve ? &world->people[principal] : NULL);
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    static struct answer in;

    send_request(socket, service, body);
    if (zmq_poll(&item, 1, STALL_MS) <= 0 || !receive(socket, &in))
        fail("%s does not answer", target_name(world->target));
    if (world->target != TARGET_LIMIT && !slice_is(in.frames[3], "200"))
        fail("the first request was answered with %.3s", (const char *)in.bytes[3]);
    zmq_close(socket);
    zmq_ctx_term(context);
}

void load_await(const struct world *world)
{
    struct query query = {.v = 1, .query = slice_str("status"), .args = value_map()};
    struct buf body = BUF_EMPTY;

    if (world->target == TARGET_LIMIT)
        buf_add_str(&body, "bench-status-0000000000 none BEN-0000 -");
    else
        query_encode(&body, &query, false);
    ask_once(world, 0, "rota.query.v1", buf_slice(&body));
    buf_release(&body);
}

double load_submit(const struct world *world, int64_t record)
{
    struct buf body = BUF_EMPTY;
    char name[32], id[48];
    struct command command = {.v = 1, .command = slice_str("submit"), .args = value_map()};

    snprintf(name, sizeof name, "BEN-%04" PRId64, record);
    snprintf(id, sizeof id, "bench-after-the-start-%" PRId64, record);
    command.id = slice_str(id);
    command.record = slice_str(name);
    command_encode(&body, &command, false);
    ask_once(world, 0, "rota.command.v1", buf_slice(&body));
    buf_release(&body);
    return now_ms();
}
