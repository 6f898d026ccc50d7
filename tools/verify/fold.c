#include "fold.h"

void fold_release(struct fold *fold)
{
    buf_release(&fold->row);
}

/* Two maps walked side by side, by ascending key. */
struct walk {
    struct dmp_pairs old, patch;
    bool has_old, has_patch; /* a pair stands ready */
};

static struct walk walk_begin(struct bytes old, struct bytes patch)
{
    struct walk walk = {.old = dmp_pairs(old), .patch = dmp_pairs(patch)};

    walk.has_old = dmp_pairs_next(&walk.old);
    walk.has_patch = dmp_pairs_next(&walk.patch);
    return walk;
}

/* Negative: the old pair comes first; positive: the patch's; 0: both have this key. */
static int walk_order(const struct walk *walk)
{
    if (!walk->has_old || !walk->has_patch)
        return walk->has_old ? -1 : 1;
    return bytes_compare(walk->old.key, walk->patch.key);
}

static void walk_step(struct walk *walk, int order)
{
    if (order <= 0)
        walk->has_old = dmp_pairs_next(&walk->old);
    if (order >= 0)
        walk->has_patch = dmp_pairs_next(&walk->patch);
}

/* Put the header of a map before what was written from start on; one byte was kept free for it there. */
static void close_map(struct buf *out, size_t start, uint64_t pairs)
{
    uint8_t room[8] = {0};
    struct buf head = {.at = room, .cap = sizeof room};
    size_t body = start + 1, len = out->len - body;

    dmp_add_map(&head, pairs);
    if (head.len > 1) {
        buf_add(out, room, head.len - 1);
        memmove(out->at + start + head.len, out->at + body, len);
    }
    memcpy(out->at + start, room, head.len);
}

/* Recursion is bounded by the nesting of the patch, which was checked with its leaf. */
void fold_merge(struct buf *out, struct bytes old, struct bytes patch)
{
    struct bytes none = {NULL, 0};
    struct walk walk = walk_begin(old, patch);
    size_t start = out->len;
    uint64_t pairs = 0;

    buf_add_byte(out, 0x80);
    while (walk.has_old || walk.has_patch) {
        int order = walk_order(&walk);

        pairs += order < 0 || !dmp_is_nil(walk.patch.value);
        if (order < 0) {
            buf_add_bytes(out, walk.old.key_bytes);
            buf_add_bytes(out, walk.old.value);
        } else if (!dmp_is_nil(walk.patch.value)) {
            buf_add_bytes(out, walk.patch.key_bytes);
            if (dmp_is_map(walk.patch.value))
                fold_merge(out, order == 0 ? walk.old.value : none, walk.patch.value);
            else
                buf_add_bytes(out, walk.patch.value);
        }
        walk_step(&walk, order);
    }
    close_map(out, start, pairs);
}

static void merge_row(struct fold *fold, struct table_entry *entry, struct bytes patch)
{
    fold->row.len = 0;
    fold_merge(&fold->row, table_row(entry), patch);
    table_set_row(fold->table, entry, buf_bytes(&fold->row));
}

/* row[key] = number. Mostly the number has the length of the one before and is written over it. */
static void set_number(struct fold *fold, struct table_entry *entry, const char *key,
                       uint64_t number)
{
    uint8_t room[32];
    struct buf patch = {.at = room, .cap = sizeof room};
    struct bytes value, old;
    size_t value_at;

    dmp_add_map(&patch, 1);
    dmp_add_str(&patch, bytes_text(key));
    value_at = patch.len;
    dmp_add_uint(&patch, number);
    value = bytes_of(room + value_at, patch.len - value_at);
    if (dmp_find(table_row(entry), key, &old) && old.len == value.len)
        memcpy(entry->row + (old.at - entry->row), value.at, value.len);
    else
        merge_row(fold, entry, buf_bytes(&patch));
}

static void set_last(struct fold *fold, struct bytes concerned, uint64_t seq)
{
    struct dmp_pairs pairs = dmp_pairs(concerned);

    while (dmp_pairs_next(&pairs)) {
        struct table_entry *entry = table_find(fold->table, pairs.key);

        if (entry != NULL && entry->row != NULL)
            set_number(fold, entry, "last", seq);
    }
}

const char *fold_leaf(struct fold *fold, const struct leaf *leaf)
{
    struct dmp_pairs pairs = dmp_pairs(leaf->effects);
    struct table_entry *own = table_entry(fold->table, leaf->stream), *entry;
    struct bytes concerned = {NULL, 0};
    bool is_deleted = false;

    while (dmp_pairs_next(&pairs)) {
        if (bytes_are(pairs.key, "^")) {
            if (!dmp_is_map(pairs.value))
                return "effects: what the leaf concerns is not a map";
            concerned = pairs.value;
            continue;
        }
        entry = pairs.key.len == 0 ? own : table_entry(fold->table, pairs.key);
        if (fold->watch != NULL)
            fold->watch(fold->watcher, entry, pairs.value);
        if (dmp_is_map(pairs.value))
            merge_row(fold, entry, pairs.value);
        else if (dmp_is_nil(pairs.value))
            table_drop_row(fold->table, entry);
        else
            return "effects: the change of a row is neither a map nor nil";
        is_deleted = is_deleted || (pairs.key.len == 0 && dmp_is_nil(pairs.value));
    }
    if (!is_deleted)
        set_number(fold, own, "rev", leaf->rev);
    set_last(fold, concerned, leaf->seq);
    return NULL;
}
