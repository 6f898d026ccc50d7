/* events.c - leaves as events: the live feed, and the pull side that loses nothing.
 *
 * An event is made from the leaf alone, so that live and replayed events are the same bytes. `prev` is the sequence of the
 * event before it in its class (the first word of its type): a reader who filters can tell a gap from a filtered event.
 */
#include "daemon/engine.h"

#include "base/check.h"
#include "base/date.h"
#include "wire/body.h"
#include "wire/keyfile.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    EVENTS_MAX = 1000,
    EVENTS_BYTES_MAX = 1024 * 1024,
    WAIT_MAX_MS = 30000,
    POLLS_MAX = 256,
    SCAN_MAX = 20000
};

struct poll { /* a reader who waits for what is not there yet */
    struct reply_to to;
    struct buf request; /* as it came: answered anew */
    int64_t until_ms;   /* boot clock */
    uint64_t from;
    struct poll *next;
};

static struct slice record_of(const struct leaf *leaf)
{
    const struct value *chain = value_get(&leaf->effects, "^");

    return value_is(chain, VALUE_MAP) && chain->count > 0 ? chain->as.pairs[0].key : leaf->stream;
}

static void put_pair(struct buf *out, const char *key, struct slice text)
{
    dmp_put_str(out, slice_str(key));
    dmp_put_str(out, text);
}

/* The event as it is sent (DMP: keys in ascending order), from the leaf alone. */
static void event_encode(struct buf *out, const char *origin, struct slice raw,
                         const struct leaf *leaf, int64_t prev)
{
    const struct value *state = value_get(value_get(&leaf->effects, ""), "state");
    char when[MOMENT_TEXT_MAX], number[24], type[LEAF_TYPE_MAX + 8];

    moment_format(leaf->time_us / 1000, when);
    snprintf(number, sizeof number, "%llu", (unsigned long long)leaf->seq);
    snprintf(type, sizeof type, "rota.%.*s", (int)leaf->type.len, (const char *)leaf->type.at);
    dmp_put_map(out, 9);
    dmp_put_str(out, slice_str("data"));
    dmp_put_map(out, state != NULL ? 4 : 3);
    put_pair(out, "actor", leaf->actor);
    dmp_put_str(out, slice_str("leaf"));
    dmp_put_bin(out, raw);
    put_pair(out, "record", record_of(leaf));
    if (state != NULL) {
        dmp_put_str(out, slice_str("state"));
        dmp_encode(out, state);
    }
    put_pair(out, "id", slice_str(number));
    dmp_put_str(out, slice_str("prev"));
    dmp_put_int(out, prev);
    dmp_put_str(out, slice_str("sequence"));
    dmp_put_int(out, (int64_t)leaf->seq);
    put_pair(out, "source", slice_str(origin));
    put_pair(out, "specversion", slice_str("1.0"));
    put_pair(out, "subject", leaf->stream);
    put_pair(out, "time", slice_str(when));
    put_pair(out, "type", slice_str(type));
}

/* class/kind/record/event/ ; the kind of a record by its prefix. */
static const char *topic_of(struct engine *engine, struct arena *arena, const struct leaf *leaf)
{
    struct slice record = record_of(leaf), class = event_class(leaf->type);
    struct slice event = slice_of(leaf->type.at + class.len, leaf->type.len - class.len);
    const uint8_t *dash = record.len > 0 ? memchr(record.at, '-', record.len) : NULL;
    const struct pack *pack = core_current_pack(engine->core);
    const struct kind *kind = NULL;

    if (dash != NULL && pack != NULL)
        kind = pack_prefix(pack, slice_of(record.at, (size_t)(dash - record.at)));
    if (event.len > 0)
        event = slice_of(event.at + 1, event.len - 1);
    return arena_printf(arena, "%.*s/%s/%.*s/%.*s/", (int)class.len, (const char *)class.at,
                        kind != NULL ? kind->name : "-", (int)record.len, (const char *)record.at,
                        (int)event.len, (const char *)event.at);
}

/* `passed` remembers what this reader has passed: class -> seq + 1 as a pointer. */
static int make_event(struct engine *engine, struct arena *arena, uint64_t seq, struct map *passed,
                      struct buf *out, const char **topic)
{
    struct buf raw = BUF_EMPTY;
    struct leaf leaf;
    int rc = -1;

    if (journal_leaf(engine->journal, seq, &raw, NULL) == 1) {
        struct slice own = slice_of(arena_copy(arena, raw.at, raw.len), raw.len);

        if (leaf_decode(arena, own, &leaf, NULL) == 0) {
            struct slice class = event_class(leaf.type);
            uintptr_t end = (uintptr_t)map_get(passed, class); /* a number, never followed */

            event_encode(out, engine->settings.origin, own, &leaf,
                         end > 0 ? (int64_t)end - 1 : engine_event_before(engine, class, seq));
            *topic = topic_of(engine, arena, &leaf);
            map_put(passed, class, (void *)(uintptr_t)(seq + 1));
            rc = 0;
        }
    }
    buf_release(&raw);
    return rc;
}

/* ---- live ---- */

static void publish_head(struct engine *engine)
{
    struct value head = value_map(), heads = value_map();
    const struct map_entry *entry;
    struct buf bytes = BUF_EMPTY;
    size_t at = 0;

    while ((entry = map_next(&engine->class_heads, &at)) != NULL)
        value_put(&engine->arena, &heads, slice_of(entry->key, entry->key_len),
                  value_int((int64_t) * (uint64_t *)entry->value - 1));
    value_set(&engine->arena, &head, "v", value_int(1));
    value_set(&engine->arena, &head, "epoch", value_int(engine->started_ms));
    value_set(&engine->arena, &head, "head", value_int((int64_t)engine->published - 1));
    value_set(&engine->arena, &head, "heads", heads);
    dmp_encode(&bytes, &head);
    feed_head(engine->feed, buf_slice(&bytes));
    buf_release(&bytes);
    engine->head_ms = clock_boot_ms();
}

/* Who missed the last events, or has just come, would else not know before the next one; and silence means that the engine
 * is gone. */
void engine_publish_head(struct engine *engine)
{
    /* The events of an open batch stand in the same queue. */
    if (clock_boot_ms() - engine->head_ms < HEAD_EVERY_MS ||
        journal_size(engine->journal) != journal_committed(engine->journal))
        return;
    publish_head(engine);
    feed_release(engine->feed);
}

int engine_event_appended(struct engine *engine, const struct run_leaf *made)
{
    const struct leaf *leaf = &made->leaf;

    if (engine->feed == NULL)
        return 0;
    buf_clear(&engine->event);
    event_encode(&engine->event, engine->settings.origin, made->bytes, leaf,
                 engine_newest_event(engine, event_class(leaf->type)));
    feed_publish(engine->feed, topic_of(engine, &engine->arena, leaf), leaf->seq,
                 buf_slice(&engine->event));
    /* The topic wants the pack of today, and that is a row: no run is kept whose draft could not be read. */
    return state_is_broken(core_state(engine->core)) ? -1 : 0;
}

void engine_publish(struct engine *engine)
{
    uint64_t end = journal_committed(engine->journal);

    if (engine->published == end)
        return;
    engine->published = end;
    engine_heads_published(engine);
    publish_head(engine);
}

bool engine_may_read(void *self, const char *user_id, struct slice topic)
{
    struct engine *engine = self;
    uint8_t key[32];
    struct slice name = slice_of(NULL, 0);

    if (strncmp(user_id, "uid:", 4) == 0)
        name = authority_by_uid(engine->core, strtoll(user_id + 4, NULL, 10));
    else if (curve_from_z85(slice_str(user_id), key) == 0)
        name = authority_by_key(engine->core, slice_of(key, sizeof key));
    /* What the feed sends out cannot be written down reader by reader. */
    return name.len > 0 && authority_may_read(engine->core, name, topic) &&
           !authority_is_auditor(engine->core, name);
}

/* ---- replay ---- */

static bool passes(struct slice topic, const struct value *filter)
{
    struct slice prefix;

    if (!value_is(filter, VALUE_STR))
        return true;
    prefix = value_slice(filter);
    return topic.len >= prefix.len && memcmp(topic.at, prefix.at, prefix.len) == 0;
}

/* The bytes that were published, or, for who reads JSON, what they say. */
static struct value event_value(struct engine *engine, struct slice bytes, bool as_json)
{
    struct slice own = slice_of(arena_copy(&engine->arena, bytes.at, bytes.len), bytes.len);
    struct value event = value_bin(own.at, own.len);

    if (as_json)
        check(dmp_decode_large(&engine->arena, own, UINT32_MAX, &event, NULL) == 0);
    return event;
}

static void answer_events(struct engine *engine, const struct reply_to *to, struct slice id,
                          const struct value *asked, uint64_t from)
{
    uint64_t end = journal_committed(engine->journal), at = from;
    int64_t max = value_get_int(asked, "max", EVENTS_MAX);
    int64_t most = value_get_int(asked, "bytes", EVENTS_BYTES_MAX);
    struct reply reply = {.status = 200, .id = id, .out = value_map()};
    struct value events = value_array();
    struct arena scratch = ARENA_EMPTY;
    struct map passed = MAP_EMPTY;
    struct buf event = BUF_EMPTY;
    int64_t bytes = 0;

    max = max < 1 || max > EVENTS_MAX ? EVENTS_MAX : max;
    most = most < 1 || most > EVENTS_BYTES_MAX ? EVENTS_BYTES_MAX : most;
    for (; at < end && at - from < SCAN_MAX && events.count < max && bytes < most - 4096; at++) {
        const char *topic = "";

        arena_clear(&scratch);
        buf_clear(&event);
        if (make_event(engine, &scratch, at, &passed, &event, &topic) != 0)
            break;
        if (!passes(slice_str(topic), value_get(asked, "filter")))
            continue;
        if (events.count > 0 && bytes + (int64_t)event.len > most - 4096)
            break;
        bytes += (int64_t)event.len;
        value_push(&engine->arena, &events, event_value(engine, buf_slice(&event), to->json));
    }
    value_set(&engine->arena, &reply.out, "events", events);
    value_set(&engine->arena, &reply.out, "next", value_int((int64_t)at));
    value_set(&engine->arena, &reply.out, "head", value_int((int64_t)end - 1));
    engine_send(engine, to, &reply);
    map_release(&passed);
    buf_release(&event);
    arena_release(&scratch);
}

static void keep_poll(struct engine *engine, const struct request *request, uint64_t from,
                      int64_t until_ms)
{
    struct poll *poll = calloc(1, sizeof *poll);

    check(poll != NULL);
    poll->to = *request->to;
    poll->from = from;
    poll->until_ms = until_ms;
    buf_add_slice(&poll->request, request->body);
    poll->next = engine->polls;
    engine->polls = poll;
    engine->poll_count++;
}

static bool may_ask(struct engine *engine, const char *principal)
{
    return authority_may_read(engine->core, slice_str(principal), slice_of(NULL, 0)) &&
           !authority_is_auditor(engine->core, slice_str(principal));
}

/* A reader who knows more entries than there are knew another journal: one from which a restore has lost some. To wait would be to
 * miss all that takes their places. */
static void refuse_beyond(struct engine *engine, const struct reply_to *to, struct slice id)
{
    struct reply no = reply_refusal(
        "beyond-end", "The journal has not so many entries: it was restored from an older copy, "
                      "or is another one. See its source and begin again.");

    no.id = id;
    no.out = value_map();
    value_set(&engine->arena, &no.out, "head",
              value_int((int64_t)journal_committed(engine->journal) - 1));
    engine_wait_for_commit(engine, to, id);
    engine_send(engine, to, &no);
}

void engine_events(struct engine *engine, const struct request *request)
{
    struct value asked = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};
    int64_t from, wait_ms;

    if (body_decode(&engine->arena, request->body, BODY_DEPTH_MAX, &asked, NULL, &err) != 0 ||
        asked.type != VALUE_MAP || value_get_int(&asked, "v", 0) < WIRE_VERSION_MIN) {
        struct reply no = reply_refusal(
            "malformed",
            err.text[0] != '\0' ? err.text : "events are asked for with a map {v, from, ...}");

        engine_send(engine, request->to, &no);
        return;
    }
    if (value_get_int(&asked, "v", 0) > WIRE_VERSION_MAX) {
        struct reply no = reply_refusal("version", NULL);

        no.out = value_map();
        value_set(&engine->arena, &no.out, "min", value_int(WIRE_VERSION_MIN));
        value_set(&engine->arena, &no.out, "max", value_int(WIRE_VERSION_MAX));
        engine_send(engine, request->to, &no);
        return;
    }
    if (!may_ask(engine, request->principal)) {
        struct reply no = reply_refusal("not-allowed", NULL);

        engine_note_refused_read(engine, request, slice_str("events"), slice_of(NULL, 0),
                                 "not-allowed");
        engine_wait_for_commit(engine, request->to, value_get_text(&asked, "id"));
        engine_send(engine, request->to, &no);
        return;
    }
    from = value_get_int(&asked, "from", 0);
    wait_ms = value_get_int(&asked, "wait_ms", 0);
    if (from < 0)
        from = (int64_t)journal_committed(engine->journal);
    if ((uint64_t)from > journal_committed(engine->journal)) {
        refuse_beyond(engine, request->to, value_get_text(&asked, "id"));
        return;
    }
    if (wait_ms > 0 && (uint64_t)from >= journal_committed(engine->journal) &&
        engine->poll_count < POLLS_MAX) {
        keep_poll(engine, request, (uint64_t)from,
                  clock_boot_ms() + (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS));
        return;
    }
    engine_wait_for_commit(engine, request->to, value_get_text(&asked, "id"));
    answer_events(engine, request->to, value_get_text(&asked, "id"), &asked, (uint64_t)from);
}

/* Whoever waited has the rights of now, not of when they asked. */
static void answer_poll(struct engine *engine, const struct poll *poll)
{
    struct reply no = reply_refusal("not-allowed", NULL);
    struct value asked = VALUE_NONE;

    if (body_decode(&engine->arena, buf_slice(&poll->request), BODY_DEPTH_MAX, &asked, NULL,
                    NULL) != 0)
        return;
    no.id = value_get_text(&asked, "id");
    if (may_ask(engine, poll->to.principal))
        answer_events(engine, &poll->to, no.id, &asked, poll->from);
    else
        engine_send(engine, &poll->to, &no);
}

void engine_answer_polls(struct engine *engine)
{
    int64_t now_ms = clock_boot_ms();
    struct poll **at = &engine->polls, *poll;

    while ((poll = *at) != NULL) {
        if (poll->from >= journal_committed(engine->journal) && poll->until_ms > now_ms &&
            !engine->must_stop) {
            at = &poll->next;
            continue;
        }
        answer_poll(engine, poll);
        *at = poll->next;
        buf_release(&poll->request);
        free(poll);
        engine->poll_count--;
    }
}

void engine_polls_release(struct engine *engine)
{
    struct poll *poll;

    while ((poll = engine->polls) != NULL) {
        engine->polls = poll->next;
        buf_release(&poll->request);
        free(poll);
    }
    engine->poll_count = 0;
}
