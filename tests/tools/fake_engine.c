#include "fake_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "base/dmp.h"
#include "base/map.h"
#include "wire/body.h"
#include "wire/command.h"
#include "wire/json.h"
#include "wire/keyfile.h"
#include "wire/mdp.h"

struct fake {
    struct arena arena; /* the script */
    struct value answers;
    struct map ids, counts; /* command ids; how often a name was asked (as a number in a pointer) */
    FILE *seen;
};

struct message {
    zmq_msg_t frames[MDP_FRAMES_MAX];
    int count;
};

static void die(const char *what)
{
    fprintf(stderr, "fake_engine: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(70);
}

static int receive(void *socket, struct message *message)
{
    int more = 1;

    message->count = 0;
    while (more) {
        if (message->count == MDP_FRAMES_MAX)
            die("too many frames");
        zmq_msg_init(&message->frames[message->count]);
        if (zmq_msg_recv(&message->frames[message->count], socket, 0) < 0)
            return -1;
        more = zmq_msg_more(&message->frames[message->count++]);
    }
    return 0;
}

static struct slice frame(struct message *message, int at)
{
    return slice_of(zmq_msg_data(&message->frames[at]), zmq_msg_size(&message->frames[at]));
}

static uintptr_t count_up(struct map *map, const char *key)
{
    uintptr_t before = (uintptr_t)map_get(map, slice_str(key));

    map_put(map, slice_str(key), (void *)(before + 1));
    return before;
}

static void content_put(struct arena *arena, const struct value *args, struct reply *reply)
{
    uint8_t *hash = arena_take(arena, HASH_LEN);
    struct slice data = value_get_bin(args, "data"), salt = value_get_bin(args, "salt");

    reply->status = 200;
    reply->out = value_map();
    if (salt.len == 16) {
        hash_content(salt.at, data, hash);
        value_set(arena, &reply->out, "content", value_bin(hash, HASH_LEN));
        value_set(arena, &reply->out, "size", value_int((int64_t)data.len));
    }
}

static void from_script(struct fake *fake, const char *name, struct reply *reply)
{
    const struct value *answer = value_get(&fake->answers, name);
    uintptr_t before = count_up(&fake->counts, name);

    if (answer == NULL) {
        *reply = reply_refusal("no-record", "The script has no answer to this.");
        return;
    }
    if ((int64_t)before < value_get_int(answer, "silent", 0)) {
        reply->status = 0;
        return;
    }
    if ((int64_t)before < value_get_int(answer, "silent", 0) + value_get_int(answer, "busy", 0)) {
        *reply = reply_refusal("draining", NULL);
        return;
    }
    if ((int64_t)before < value_get_int(answer, "stale", 0)) {
        *reply = reply_refusal("stale-rules", NULL);
        return;
    }
    reply->status = (int)value_get_int(answer, "status", 200);
    reply->code = value_get_text(answer, "code");
    reply->message = value_get_text(answer, "message");
    reply->revision = value_get_int(answer, "revision", 0);
    reply->has_seq = value_get(answer, "seq") != NULL;
    reply->seq = (uint64_t)value_get_int(answer, "seq", 0);
    reply->out = value_get(answer, "out") != NULL ? *value_get(answer, "out") : value_map();
}

/* "query show", "command open", "admin status", "events". */
static const char *name_of(struct arena *arena, struct slice service, const struct value *map)
{
    const char *parts[][3] = {{"rota.query.v1", "query ", "query"},
                              {"rota.command.v1", "command ", "command"},
                              {"rota.admin.v1", "admin ", "command"}};

    for (int i = 0; i < 3; i++)
        if (slice_is(service, parts[i][0]))
            return arena_printf(arena, "%s%s", parts[i][1],
                                value_get_str(map, parts[i][2], "", arena));
    return "events";
}

static void note(struct fake *fake, const char *name, const struct value *map)
{
    struct buf line = BUF_EMPTY;

    value_to_json(&line, map, false);
    fprintf(fake->seen, "%s %s\n", name, buf_text(&line));
    fflush(fake->seen);
    buf_release(&line);
}

static void reply_to(void *socket, struct message *message, const struct mdp_message *asked,
                     int status, struct slice body)
{
    char digits[8];
    struct slice frames[MDP_FRAMES_MAX], bodies[2];
    struct mdp_message answer = *asked;
    int count;

    snprintf(digits, sizeof digits, "%03d", status);
    bodies[0] = slice_str(digits);
    bodies[1] = body;
    answer.body = bodies;
    answer.body_count = 2;
    count = mdp_build(&answer, frames);
    zmq_send(socket, frame(message, 0).at, frame(message, 0).len, ZMQ_SNDMORE);
    for (int i = 0; i < count; i++)
        zmq_send(socket, frames[i].at, frames[i].len, i + 1 < count ? ZMQ_SNDMORE : 0);
}

static void answer(struct fake *fake, void *socket, struct message *message)
{
    struct slice frames[MDP_FRAMES_MAX];
    struct arena arena = ARENA_EMPTY;
    struct buf body = BUF_EMPTY;
    struct mdp_message asked;
    struct reply reply = {0};
    struct value map;
    const char *why, *name;
    bool is_json;

    for (int i = 1; i < message->count; i++)
        frames[i - 1] = frame(message, i);
    if (mdp_parse(frames, message->count - 1, &asked, &why) != 0 || asked.body_count < 1 ||
        body_decode(&arena, asked.body[0], BODY_DEPTH_MAX, &map, &is_json, NULL) != 0)
        die("a message that nobody should send");
    name = name_of(&arena, asked.service, &map);
    note(fake, name, &map);
    if (strcmp(name, "command content.put") == 0)
        content_put(&arena, value_get(&map, "args"), &reply);
    else
        from_script(fake, name, &reply);
    if (reply.status != 0) {
        reply.id = value_get_text(&map, "id");
        if (strncmp(name, "command ", 8) == 0)
            reply.duplicate =
                count_up(&fake->ids, arena_copy(&arena, reply.id.at, reply.id.len)) > 0;
        reply_encode(&body, &reply, is_json);
        reply_to(socket, message, &asked, reply.status, buf_slice(&body));
    }
    buf_release(&body);
    arena_release(&arena);
}

static void *listen_on(void *context, const char *dir, const char *name, const struct keyfile *key)
{
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    char endpoint[512];
    int server = 1;

    snprintf(endpoint, sizeof endpoint, "ipc://%s/run/%s", dir, name);
    if (key != NULL &&
        (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server) != 0 ||
         zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->curve_secret, CURVE_KEY_LEN) != 0))
        die("CURVE");
    if (zmq_bind(socket, endpoint) != 0)
        die(endpoint);
    return socket;
}

static void read_script(struct fake *fake, const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "r");
    size_t len = file != NULL ? fread(text, 1, sizeof text, file) : 0;
    struct error err = {ERROR_NONE, "it cannot be read"};

    if (file == NULL ||
        json_to_value(&fake->arena, slice_of(text, len), 32, &fake->answers, &err) != 0) {
        fprintf(stderr, "fake_engine: %s: %s\n", path, err.text);
        exit(65);
    }
    fclose(file);
}

static void serve(struct fake *fake, void *sockets[2])
{
    for (;;) {
        zmq_pollitem_t items[2] = {{sockets[0], 0, ZMQ_POLLIN, 0}, {sockets[1], 0, ZMQ_POLLIN, 0}};
        struct message message;

        if (zmq_poll(items, 2, -1) < 0)
            return;
        for (int i = 0; i < 2; i++) {
            if ((items[i].revents & ZMQ_POLLIN) == 0 || receive(sockets[i], &message) != 0)
                continue;
            answer(fake, sockets[i], &message);
            for (int f = 0; f < message.count; f++)
                zmq_msg_close(&message.frames[f]);
        }
    }
}

int fake_engine(const char *dir, const char *script)
{
    struct fake fake = {.arena = ARENA_EMPTY};
    struct keyfile key;
    struct error err;
    void *context, *sockets[2];
    char path[512];

    snprintf(path, sizeof path, "%s/keys/engine.key", dir);
    if (keyfile_load(path, &key, &err) != 0) {
        fprintf(stderr, "fake_engine: %s\n", err.text);
        return 65;
    }
    read_script(&fake, script);
    snprintf(path, sizeof path, "%s/seen", dir);
    fake.seen = fopen(path, "a");
    context = zmq_ctx_new();
    if (fake.seen == NULL || context == NULL)
        die(path);
    sockets[0] = listen_on(context, dir, "front", &key);
    sockets[1] = listen_on(context, dir, "admin", NULL);
    puts("ready");
    fflush(stdout);
    serve(&fake, sockets);
    return 0;
}
