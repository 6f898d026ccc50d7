/* query_log.c - log and diff: what happened, from the leaves themselves, and what changed between two versions.
 *
 * A record's history is a chain: its row names the last leaf that concerns it, and each leaf, in effects["^"], the one
 * before. So it is read backwards, in as many steps as it has leaves, however long the journal is.
 */
#include "core/query_inside.h"

enum { LOG_DEFAULT = 100, LOG_SCAN_MAX = 20000 };

struct entry {
    struct leaf leaf;
    uint8_t hash[HASH_LEN];
};

/* The leaf hash of RFC 9162, 2.1.1: over a zero byte and the leaf. */
static void hash_leaf(struct slice raw, uint8_t out[HASH_LEN])
{
    const uint8_t tag = 0;

    hash_two(slice_of(&tag, 1), raw, out);
}

/* 1, or 0 if there is none; -1 after a refusal. */
static int read_entry(struct asking *asking, uint64_t seq, struct entry *out)
{
    struct buf raw = BUF_EMPTY;
    struct slice own;
    int found = asking->query->leaf == NULL || seq >= asking->query->size
                    ? 0
                    : asking->query->leaf(asking->query->self, seq, &raw);

    own = slice_of(arena_copy(asking->arena, raw.at, raw.len), raw.len);
    buf_release(&raw);
    if (found == 0)
        return 0;
    if (found < 0 || leaf_decode(asking->arena, own, &out->leaf, NULL) != 0)
        return run_refuse(asking->core, 500, "internal",
                          "Entry %llu of the journal cannot be read.", (unsigned long long)seq);
    hash_leaf(own, out->hash);
    return 1;
}

int asked_leaf(struct asking *asking, uint64_t seq, struct leaf *out)
{
    struct entry entry;
    int found = read_entry(asking, seq, &entry);

    if (found > 0)
        *out = entry.leaf;
    return found;
}

static struct value auth_value(struct asking *asking, const struct leaf *leaf)
{
    struct value auth = value_array();

    value_push(asking->arena, &auth, value_text(leaf->auth_method));
    value_push(asking->arena, &auth,
               leaf->auth_key.len > 0 ? value_bin(leaf->auth_key.at, leaf->auth_key.len)
                                      : VALUE_NONE);
    return auth;
}

static struct value bin_copy(struct asking *asking, const uint8_t *bytes, size_t len)
{
    return value_bin(arena_copy(asking->arena, bytes, len), len);
}

static struct value entry_value(struct asking *asking, const struct entry *entry)
{
    const struct leaf *leaf = &entry->leaf;
    struct arena *arena = asking->arena;
    struct value out = value_map();

    value_set(arena, &out, "seq", value_int((int64_t)leaf->seq));
    value_set(arena, &out, "time_us", value_int(leaf->time_us));
    value_set(arena, &out, "type", value_text(leaf->type));
    value_set(arena, &out, "stream", value_text(leaf->stream));
    value_set(arena, &out, "rev", value_int((int64_t)leaf->rev));
    value_set(arena, &out, "actor", value_text(leaf->actor));
    value_set(arena, &out, "auth", auth_value(asking, leaf));
    value_set(arena, &out, "command_id", bin_copy(asking, leaf->command_id, COMMAND_ID_LEN));
    value_set(arena, &out, "cause", leaf->cause >= 0 ? value_int(leaf->cause) : VALUE_NONE);
    value_set(arena, &out, "body", leaf->body);
    value_set(arena, &out, "effects", leaf->effects);
    value_set(arena, &out, "content", leaf->content);
    value_set(arena, &out, "hash", bin_copy(asking, entry->hash, HASH_LEN));
    value_set(arena, &out, "signed", value_bool(leaf->actor_sig.len > 0));
    if (leaf->actor_sig.len > 0)
        value_set(arena, &out, "signature", value_bin(leaf->actor_sig.at, leaf->actor_sig.len));
    return out;
}

static void reverse(struct value *list)
{
    for (uint32_t i = 0; i + 1 < list->count - i; i++) {
        struct value item = list->as.items[i];

        list->as.items[i] = list->as.items[list->count - 1 - i];
        list->as.items[list->count - 1 - i] = item;
    }
}

/* The newest `limit` entries of a record that are older than `before`; of one stream only if it is named. */
static int log_record(struct asking *asking, struct slice record, struct slice stream,
                      uint32_t limit)
{
    int64_t before = value_get_int(asking->args, "before", INT64_MAX);
    int64_t at = value_get_int(state_row(asking->core->state, record), "last", -1);
    struct value entries = value_array();
    uint32_t walked = 0;

    while (at >= 0 && entries.count < limit && walked++ < LOG_SCAN_MAX) {
        struct entry entry;
        int found = read_entry(asking, (uint64_t)at, &entry);

        if (found < 0)
            return -1;
        if (found == 0)
            break;
        if (at < before && (stream.len == 0 || slice_equal(stream, entry.leaf.stream)))
            value_push(asking->arena, &entries, entry_value(asking, &entry));
        at = value_get_int(value_get(&entry.leaf.effects, "^"),
                           arena_copy(asking->arena, record.at, record.len), -1);
    }
    reverse(&entries);
    value_set(asking->arena, asking->out, "entries", entries);
    if (at >= 0 && entries.count > 0)
        value_set(asking->arena, asking->out, "before", *value_get(&entries.as.items[0], "seq"));
    return 0;
}

static int log_range(struct asking *asking, struct slice stream, uint32_t limit)
{
    int64_t from = value_get_int(asking->args, "from", 0);
    uint64_t at = from < 0 ? 0 : (uint64_t)from, end = asking->query->size;
    struct value entries = value_array();
    uint32_t walked = 0;

    for (; at < end && entries.count < limit && walked < LOG_SCAN_MAX; at++, walked++) {
        struct entry entry;
        int found = read_entry(asking, at, &entry);

        if (found < 0)
            return -1;
        if (found > 0 && (stream.len == 0 || slice_equal(stream, entry.leaf.stream)))
            value_push(asking->arena, &entries, entry_value(asking, &entry));
    }
    value_set(asking->arena, asking->out, "entries", entries);
    if (at < end)
        value_set(asking->arena, asking->out, "next", value_int((int64_t)at));
    return 0;
}

/* "SCP-0001@1.0/round/1/bo" belongs to the record before the first '/'. */
static struct slice record_of_stream(struct slice stream)
{
    const uint8_t *slash = stream.len > 0 ? memchr(stream.at, '/', stream.len) : NULL;

    return slash == NULL ? stream : slice_of(stream.at, (size_t)(slash - stream.at));
}

int query_log(struct asking *asking)
{
    struct slice stream = value_get_text(asking->args, "stream");
    uint32_t limit = asked_limit(asking, LOG_DEFAULT, LOG_MAX);
    struct subject subject;

    *asking->out = value_map();
    if (value_get(asking->args, "record") != NULL)
        return asked_subject(asking, &subject) != 0
                   ? -1
                   : log_record(asking, subject.id, slice_of(NULL, 0), limit);
    if (stream.len > 0 && subject_find(asking->core, record_of_stream(stream), &subject))
        return log_record(asking, subject.id, stream, limit);
    return log_range(asking, stream, limit);
}

/* ---- diff ---- */

/* What it is compared with: what is named, what somebody remembers of it, or the version that it is to replace. */
static int find_other(struct asking *asking, const struct subject *subject, struct subject *out,
                      bool *is_there)
{
    struct slice against = value_get_text(asking->args, "against");

    *out = (struct subject){slice_of(NULL, 0), NULL, subject->kind, NULL};
    *is_there = true;
    if (value_get(asking->args, "since") != NULL) {
        out->row = value_get(asking->args, "since");
        return value_is(out->row, VALUE_MAP)
                   ? 0
                   : run_refuse(asking->core, 400, "malformed",
                                "\"since\" is a map with title and fields.");
    }
    if (against.len > 0)
        return subject_of(asking->core, against, out);
    *is_there = change_base(asking->core, subject, out);
    return 0;
}

int query_diff(struct asking *asking)
{
    struct subject after, before;
    struct value changes;
    bool is_there;

    if (asked_subject(asking, &after) != 0 || find_other(asking, &after, &before, &is_there) != 0)
        return -1;
    changes = changes_of(asking->core, &before, &after);
    *asking->out = value_map();
    value_set(asking->arena, asking->out, "record", value_text(after.id));
    if (is_there && before.id.len > 0)
        value_set(asking->arena, asking->out, "against", value_text(before.id));
    value_set(asking->arena, asking->out, "digest", *value_get(after.row, "digest"));
    value_set(asking->arena, asking->out, "changes", changes);
    return 0;
}
