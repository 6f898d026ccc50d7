/* loose.c - what was put up and is not used yet: uploads without an end, contents that no entry names.
 *
 *     content.put, a part  -> the upload is noted: whose, how many bytes, when the last part came
 *     content.put, the end -> the content is noted in its place
 *     an entry names it    -> the note goes, in the same batch; from now on only a redaction takes it away
 *     a day without either -> it is taken away
 *
 * A note is durable with the batch that it belongs to, so no crash loses one, and none outlives the entry that names its
 * content. A content without a note is never touched here. All of it counts against who put it up.
 */
#include "daemon/engine.h"

#include "base/check.h"
#include "base/dmp.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    AT_ONCE = 64,
    NAMES_MAX = 64,
    OVERHEAD_BYTES = 4096 /* many small ones are a load too */,
    NEVER = -1
};

static const int64_t DAY_MS = 24 * 3600 * (int64_t)1000;

struct item {
    int64_t at_ms, bytes;
    char owner[NAMES_MAX + 1];
};

struct loose {
    struct map items; /* id -> struct item, owned */
    int64_t next_ms;  /* when the first of them has its day; NEVER: there is none */
};

/* A content's id begins where no upload's can: theirs begin with a name. */
static struct slice content_id(uint8_t out[1 + HASH_LEN], const uint8_t hash[HASH_LEN])
{
    out[0] = '/';
    memcpy(out + 1, hash, HASH_LEN);
    return slice_of(out, 1 + HASH_LEN);
}

static bool is_content(struct slice id)
{
    return id.len == 1 + HASH_LEN && id.at[0] == '/';
}

static void put_item(struct loose *loose, struct slice id, const struct item *item)
{
    struct item *own = malloc(sizeof *own);

    check(own != NULL);
    *own = *item;
    free(map_put(&loose->items, id, own));
    if (loose->next_ms == NEVER || item->at_ms + DAY_MS < loose->next_ms)
        loose->next_ms = item->at_ms + DAY_MS;
}

static int64_t bytes_of(const struct loose *loose, const char *owner)
{
    const struct map_entry *entry;
    size_t at = 0;
    int64_t bytes = 0;

    while ((entry = map_next(&loose->items, &at)) != NULL) {
        const struct item *item = entry->value;

        if (strcmp(item->owner, owner) == 0)
            bytes += item->bytes + OVERHEAD_BYTES;
    }
    return bytes;
}

/* ---- the notes ---- */

static int write_note(struct engine *engine, struct slice id, const struct item *item)
{
    struct value note = value_map();
    struct buf bytes = BUF_EMPTY;
    int rc;

    value_set(&engine->arena, &note, "at_ms", value_int(item->at_ms));
    value_set(&engine->arena, &note, "bytes", value_int(item->bytes));
    value_set(&engine->arena, &note, "owner", value_str(item->owner));
    dmp_encode(&bytes, &note);
    rc = journal_put_note(engine->journal, id, buf_slice(&bytes), NULL);
    buf_release(&bytes);
    if (rc == 0)
        put_item(engine->loose, id, item);
    return rc;
}

struct loading {
    struct engine *engine;
    int64_t now_ms;
};

/* An upload without a note is from before there were any: its day begins now. */
static int load_note(void *self, struct slice id, struct slice note)
{
    struct loading *loading = self;
    struct arena arena = ARENA_EMPTY;
    struct item item = {.at_ms = loading->now_ms};
    struct value value = VALUE_NONE;
    struct slice owner;

    if (note.len > 0 && dmp_decode(&arena, note, &value, NULL) == 0) {
        item.at_ms = value_get_int(&value, "at_ms", item.at_ms);
        item.bytes = value_get_int(&value, "bytes", 0);
        owner = value_get_text(&value, "owner");
        snprintf(item.owner, sizeof item.owner, "%.*s", (int)owner.len, (const char *)owner.at);
    }
    put_item(loading->engine->loose, id, &item);
    arena_release(&arena);
    return 0;
}

static void forget_all(struct loose *loose)
{
    const struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&loose->items, &at)) != NULL)
        free(entry->value);
    map_release(&loose->items);
    loose->next_ms = NEVER;
}

int engine_loose_load(struct engine *engine, struct error *err)
{
    struct loading loading = {engine, clock_now_us(&engine->clock) / 1000};

    if (engine->loose == NULL)
        engine->loose = calloc(1, sizeof *engine->loose);
    check(engine->loose != NULL);
    forget_all(engine->loose);
    return journal_each_note(engine->journal, load_note, &loading, err) < 0 ? -1 : 0;
}

void engine_loose_release(struct engine *engine)
{
    if (engine->loose != NULL)
        forget_all(engine->loose);
    free(engine->loose);
    engine->loose = NULL;
}

/* ---- what comes and what is named ---- */

bool engine_loose_fits(const struct engine *engine, const char *principal, size_t bytes)
{
    return bytes_of(engine->loose, principal) + (int64_t)bytes + OVERHEAD_BYTES <=
           engine->settings.unused_bytes_max;
}

static int note(struct engine *engine, struct slice id, const char *principal, int64_t bytes)
{
    struct item item = {.at_ms = clock_now_us(&engine->clock) / 1000, .bytes = bytes};

    snprintf(item.owner, sizeof item.owner, "%s", principal);
    return write_note(engine, id, &item);
}

int engine_loose_part(struct engine *engine, struct slice upload, const char *principal,
                      size_t bytes)
{
    const struct item *before = map_get(&engine->loose->items, upload);

    return note(engine, upload, principal, (int64_t)bytes + (before != NULL ? before->bytes : 0));
}

int engine_loose_content(struct engine *engine, const uint8_t hash[HASH_LEN], const char *principal,
                         size_t bytes)
{
    uint8_t room[1 + HASH_LEN];

    return note(engine, content_id(room, hash), principal, (int64_t)bytes);
}

bool engine_loose_is(const struct engine *engine, const uint8_t hash[HASH_LEN])
{
    uint8_t room[1 + HASH_LEN];

    return map_get(&engine->loose->items, content_id(room, hash)) != NULL;
}

int engine_loose_drop(struct engine *engine, struct slice id)
{
    free(map_remove(&engine->loose->items, id));
    return journal_drop_upload(engine->journal, id, NULL);
}

static int name_one(struct engine *engine, const struct value *hash)
{
    uint8_t room[1 + HASH_LEN];
    struct slice id;

    if (value_slice(hash).len != HASH_LEN)
        return 0;
    id = content_id(room, value_slice(hash).at);
    return map_get(&engine->loose->items, id) == NULL ? 0 : engine_loose_drop(engine, id);
}

int engine_loose_named(struct engine *engine, const struct value *contents)
{
    int rc = 0;

    if (engine->loose == NULL || engine->loose->items.count == 0)
        return 0; /* a journal that is being founded, or nothing waits for a name */
    if (contents->type == VALUE_BIN)
        return name_one(engine, contents);
    for (uint32_t i = 0; rc == 0 && contents->type == VALUE_ARRAY && i < contents->count; i++)
        rc = name_one(engine, &contents->as.items[i]);
    return rc;
}

/* ---- after a day ---- */

static int found_one(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    (void)self;
    (void)key;
    (void)bytes;
    (void)due_ms;
    return 1;
}

/* The second look: a content that a record holds is not touched, whatever a note says. */
static bool is_held(struct engine *engine, const uint8_t hash[HASH_LEN])
{
    char hex[2 * HASH_LEN + 1];

    hex_encode(slice_of(hash, HASH_LEN), hex);
    return journal_each_row(engine->journal,
                            slice_str(arena_printf(&engine->arena, "content/%s/", hex)),
                            slice_of(NULL, 0), found_one, NULL, NULL) != 0;
}

static int take_away(struct engine *engine, struct slice id)
{
    if (is_content(id) && !is_held(engine, id.at + 1) &&
        journal_redact_content(engine->journal, id.at + 1, NULL) != 0)
        return -1;
    return engine_loose_drop(engine, id);
}

static int collect_over(struct engine *engine, int64_t now_ms, struct slice over[AT_ONCE])
{
    struct loose *loose = engine->loose;
    const struct map_entry *entry;
    size_t at = 0;
    int count = 0;

    loose->next_ms = NEVER;
    while ((entry = map_next(&loose->items, &at)) != NULL) {
        int64_t end_ms = ((const struct item *)entry->value)->at_ms + DAY_MS;

        if (end_ms <= now_ms && count < AT_ONCE) {
            over[count++] =
                slice_of(arena_copy(&engine->arena, entry->key, entry->key_len), entry->key_len);
        } else if (loose->next_ms == NEVER || end_ms < loose->next_ms) {
            loose->next_ms = end_ms;
        }
    }
    return count;
}

void engine_loose_sweep(struct engine *engine)
{
    int64_t now_ms = clock_now_us(&engine->clock) / 1000;
    struct slice over[AT_ONCE];
    int count;

    if (engine->loose->next_ms == NEVER || engine->loose->next_ms > now_ms ||
        engine->batch_is_dead || !engine_is_writable(engine))
        return;
    count = collect_over(engine, now_ms, over);
    for (int i = 0; i < count && !engine->batch_is_dead; i++)
        engine->batch_is_dead = take_away(engine, over[i]) != 0; /* engine_commit() answers */
    if (count > 0)
        log_line(LOG_LEVEL_INFO,
                 "%d uploads and contents that nothing named for a day are taken away", count);
}
