/* watch.c - `rota watch`: events as they happen, none left out.
 *
 * The live feed says that something happened, and often what; where it skipped something the pull side
 * (rota.events.v1) has it. Events are told once each, in the order of the journal.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <zmq.h>

#include "ask.h"
#include "base/dmp.h"
#include "commands.h"
#include "facts.h"
#include "words.h"

enum { QUIET_MS = 5000, BATCH = 200, LEAF_PARTS = 14 };

struct watch {
    struct tool *tool;
    void *context, *feed;
    int64_t next;        /* the sequence to be told next */
    int64_t left, until; /* how many more; the last sequence. -1: no end */
    bool is_done;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- one event ----------------------------------------------------------------------------------- */

/* The leaf inside an event as an entry of `log` has it. */
static bool entry_of(struct arena *arena, const struct value *event, struct value *out)
{
    static const char *const names[LEAF_PARTS] = {
        NULL,   "seq",        "time_us", "type", "stream",  "rev",     "actor",
        "auth", "command_id", "cause",   "body", "effects", "content", "signed"};
    struct slice raw = value_get_bin(value_get(event, "data"), "leaf");
    struct value leaf;

    if (raw.len == 0 || dmp_decode(arena, raw, &leaf, NULL) != 0 || leaf.type != VALUE_ARRAY ||
        leaf.count != LEAF_PARTS)
        return false;
    *out = value_map();
    for (int i = 1; i < LEAF_PARTS; i++)
        value_set(arena, out, names[i], leaf.as.items[i]);
    return true;
}

static void tell(struct watch *watch, const struct value *event)
{
    struct tool *tool = watch->tool;
    struct slice subject = value_get_text(event, "subject"), type = value_get_text(event, "type");
    struct value entry;

    if (tool->out.json) {
        output_json(&tool->out, event);
        return;
    }
    if (entry_of(&tool->arena, event, &entry))
        output_line(&tool->out, INK_NONE, "#%lld  %s  %.*s  %s: %s%s",
                    (long long)value_get_int(&entry, "seq", 0),
                    facts_moment(tool, value_get_int(&entry, "time_us", 0) / 1000),
                    (int)subject.len, (const char *)subject.at,
                    facts_name(tool, value_get_text(&entry, "actor")), words_entry(tool, &entry),
                    value_is(value_get(&entry, "signed"), VALUE_BIN) ? "  ✎" : "");
    else
        output_line(&tool->out, INK_NONE, "#%lld  %.*s  %.*s",
                    (long long)value_get_int(event, "sequence", -1), (int)subject.len,
                    (const char *)subject.at, (int)type.len, (const char *)type.at);
    fflush(tool->out.to);
}

static void take(struct watch *watch, const struct value *event)
{
    int64_t seq = value_get_int(event, "sequence", -1);

    if (watch->is_done || seq < watch->next)
        return;
    tell(watch, event);
    watch->next = seq + 1;
    if (watch->left > 0)
        watch->left--;
    watch->is_done = watch->left == 0 || (watch->until >= 0 && seq >= watch->until);
}

/* ---- the pull side ------------------------------------------------------------------------------- */

static int pull_once(struct watch *watch, int64_t from, int64_t max, struct value *answer)
{
    struct arena *arena = &watch->tool->arena;
    struct value question = value_map();

    value_set(arena, &question, "v", value_int(WIRE_VERSION_MAX));
    value_set(arena, &question, "id", value_text(ask_new_id(watch->tool)));
    value_set(arena, &question, "from", value_int(from));
    value_set(arena, &question, "max", value_int(max));
    return ask_events(watch->tool, &question, 0, answer);
}

/* Tells everything from `next` to the head. */
static int pull(struct watch *watch)
{
    struct value answer, event;
    int64_t before;
    int status;

    do {
        const struct value *events;

        before = watch->next;
        status = pull_once(watch, watch->next, BATCH, &answer);
        if (status != TOOL_DONE)
            return status;
        events = value_get(&answer, "events");
        for (uint32_t i = 0; value_is(events, VALUE_ARRAY) && i < events->count; i++) {
            event = events->as.items[i];
            if (event.type == VALUE_BIN &&
                mp_decode(&watch->tool->arena, value_slice(&events->as.items[i]), LOOSE_DEPTH_MAX,
                          &event, NULL) != 0)
                return tool_fail(TOOL_INPUT, "an event of the engine cannot be read");
            take(watch, &event);
        }
        if (!watch->is_done && value_get_int(&answer, "next", 0) > watch->next)
            watch->next = value_get_int(&answer, "next", 0); /* what a filter left out */
    } while (!watch->is_done && watch->next > before &&
             watch->next <= value_get_int(&answer, "head", -1));
    return TOOL_DONE;
}

/* Where the journal ends now. */
static int find_head(struct watch *watch)
{
    struct value answer;
    int status = pull_once(watch, -1, 1, &answer);

    if (status == TOOL_DONE)
        watch->next = value_get_int(&answer, "head", -1) + 1;
    return status;
}

/* ---- the live side ------------------------------------------------------------------------------- */

static int listen_to(struct watch *watch)
{
    char public_key[CURVE_Z85_LEN + 1], secret_key[CURVE_Z85_LEN + 1];
    struct engine_place place;
    struct keyfile key;
    const char *who;
    int linger = 0, status = ask_place(watch->tool, &place), bad;

    if (status != TOOL_DONE)
        return status;
    watch->context = zmq_ctx_new();
    watch->feed = watch->context != NULL ? zmq_socket(watch->context, ZMQ_SUB) : NULL;
    if (watch->feed == NULL)
        return tool_fail(TOOL_INTERNAL, "ZeroMQ: %s", zmq_strerror(errno));
    bad = zmq_setsockopt(watch->feed, ZMQ_LINGER, &linger, sizeof linger);
    if (!place.is_insecure) {
        if ((status = ask_who(watch->tool, &who)) != TOOL_DONE ||
            (status = ask_key(watch->tool, who, &key)) != TOOL_DONE)
            return status;
        curve_to_z85(key.curve_public, public_key);
        curve_to_z85(key.curve_secret, secret_key);
        keyfile_wipe(&key);
        bad |=
            zmq_setsockopt(watch->feed, ZMQ_CURVE_SERVERKEY, place.server_key, CURVE_Z85_LEN + 1);
        bad |= zmq_setsockopt(watch->feed, ZMQ_CURVE_PUBLICKEY, public_key, CURVE_Z85_LEN + 1);
        bad |= zmq_setsockopt(watch->feed, ZMQ_CURVE_SECRETKEY, secret_key, CURVE_Z85_LEN + 1);
        memset(secret_key, 0, sizeof secret_key);
    }
    bad |= zmq_setsockopt(watch->feed, ZMQ_SUBSCRIBE, "", 0);
    if (bad != 0 || zmq_connect(watch->feed, place.feed) != 0)
        return tool_fail(TOOL_INTERNAL, "%s: %s", place.feed, zmq_strerror(errno));
    return TOOL_DONE;
}

static int64_t sequence_in(zmq_msg_t *frame)
{
    const uint8_t *at = zmq_msg_data(frame);
    uint64_t seq = 0;

    if (zmq_msg_size(frame) != 8)
        return -1;
    for (int i = 0; i < 8; i++)
        seq = seq << 8 | at[i];
    return seq > INT64_MAX ? -1 : (int64_t)seq;
}

/* Up to three frames of a message; gives how many, 0 if none waits. */
static int receive(struct watch *watch, zmq_msg_t frames[3])
{
    int count = 0, more = 1;

    while (more) {
        zmq_msg_t frame;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, watch->feed, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return count;
        }
        more = zmq_msg_more(&frame);
        if (count < 3)
            frames[count++] = frame;
        else
            zmq_msg_close(&frame);
    }
    return count;
}

/* An event that is next in order is told at once; anything later, and news of the head, is a hint to pull. */
static bool is_hint(struct watch *watch, zmq_msg_t *frames, int count)
{
    bool is_control =
        zmq_msg_size(&frames[0]) > 0 && *(const char *)zmq_msg_data(&frames[0]) == '_';
    int64_t seq = count == 3 && !is_control ? sequence_in(&frames[1]) : INT64_MAX;
    struct arena *arena = &watch->tool->arena;
    struct value event;
    size_t len;

    if (seq < watch->next)
        return false;
    if (seq > watch->next)
        return true;
    len = zmq_msg_size(&frames[2]);
    if (mp_decode(arena, slice_of(arena_copy(arena, zmq_msg_data(&frames[2]), len), len),
                  LOOSE_DEPTH_MAX, &event, NULL) != 0)
        return true;
    take(watch, &event);
    return false;
}

/* Reads all that the feed has. True if there is more to be pulled. */
static bool hear(struct watch *watch)
{
    zmq_msg_t frames[3];
    bool hint = false;
    int count;

    while ((count = receive(watch, frames)) > 0) {
        hint = is_hint(watch, frames, count) || hint;
        for (int i = 0; i < count; i++)
            zmq_msg_close(&frames[i]);
    }
    return hint;
}

static int follow(struct watch *watch)
{
    int status = pull(watch);

    while (status == TOOL_DONE && !watch->is_done && !interrupted) {
        zmq_pollitem_t item = {watch->feed, 0, ZMQ_POLLIN, 0};
        int ready = zmq_poll(&item, 1, QUIET_MS);

        if (ready < 0 && errno != EINTR)
            return tool_fail(TOOL_INTERNAL, "ZeroMQ: %s", zmq_strerror(errno));
        if (ready == 0 || hear(watch)) /* silence may be a feed that died: ask */
            status = interrupted || watch->is_done ? TOOL_DONE : pull(watch);
    }
    return status;
}

static int number(const struct arguments *given, const char *name, int64_t *out)
{
    const char *text = arguments_get(given, name);
    char *end;

    *out = -1;
    if (text == NULL)
        return TOOL_DONE;
    *out = strtoll(text, &end, 10);
    return *text != '\0' && *end == '\0' && *out >= 0
               ? TOOL_DONE
               : tool_usage(given, "%s %s: not a number", name, text);
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct watch watch = {.tool = tool};
    struct sigaction action = {.sa_handler = on_signal};
    int64_t from;
    int status;

    if ((status = number(given, "--from", &from)) != TOOL_DONE ||
        (status = number(given, "--count", &watch.left)) != TOOL_DONE ||
        (status = number(given, "--until-seq", &watch.until)) != TOOL_DONE)
        return status;
    watch.next = from;
    watch.is_done = watch.left == 0;
    status = from < 0 ? find_head(&watch) : TOOL_DONE;
    if (status == TOOL_DONE)
        status = listen_to(&watch);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (status == TOOL_DONE && !(watch.until >= 0 && watch.next > watch.until))
        status = follow(&watch);
    if (watch.feed != NULL)
        zmq_close(watch.feed);
    if (watch.context != NULL)
        zmq_ctx_term(watch.context);
    return status;
}

static const struct tool_option options[] = {
    {"--from", "SEQ", "begin at this entry of the journal (default: what happens from now on)"},
    {"--count", "N", "end after so many events"},
    {"--until-seq", "SEQ", "end after this entry"},
    {NULL, NULL, NULL},
};

const struct tool_command command_watch = {
    "watch",
    "look",
    "[--from SEQ] [--count N] [--until-seq SEQ]",
    "events as they happen, none left out",
    "Follows the live feed and fetches what the feed may have dropped. Ends with Ctrl-C.\n\n"
    "    rota watch\n"
    "    rota watch --from 0 --json | jq .type",
    options,
    0,
    0,
    false,
    run};
