#include "table.h"

#include <stdlib.h>
#include <sys/random.h>

enum { ID_SLOTS = 16 }; /* of an empty set of ids */

static uint64_t mix(uint64_t a)
{
    a ^= a >> 32;
    a *= 0xd6e8feb86659fd93u;
    a ^= a >> 32;
    a *= 0xd6e8feb86659fd93u;
    return a ^ a >> 32;
}

uint64_t table_hash(uint64_t seed, struct bytes bytes)
{
    uint64_t hash = mix(seed ^ bytes.len), word;
    size_t i = 0;

    for (; i + 8 <= bytes.len; i += 8) {
        memcpy(&word, bytes.at + i, 8);
        hash = (hash ^ word) * 0x9fb21c651e98df25u;
        hash ^= hash >> 29;
    }
    if (i < bytes.len) {
        word = 0;
        memcpy(&word, bytes.at + i, bytes.len - i);
        hash = (hash ^ word) * 0x9fb21c651e98df25u;
    }
    return mix(hash ^ seed);
}

static uint64_t new_seed(void)
{
    uint64_t seed = 0x243f6a8885a308d3u;

    /* Without random bytes the answers stay right; only a hostile journal could then be slow. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
        return 0x13198a2e03707344u;
    return seed;
}

void table_init(struct table *table)
{
    *table = (struct table){.slot_count = 1024, .seed = new_seed()};
    table->slots = memory_new(table->slot_count, sizeof *table->slots);
}

void table_release(struct table *table)
{
    free(table->slots);
    pool_release(&table->pool);
    *table = (struct table){0};
}

static struct table_entry **slot_of(const struct table *table, uint64_t hash, struct bytes key)
{
    size_t at = (size_t)hash & (table->slot_count - 1);
    struct table_entry *entry;

    while ((entry = table->slots[at]) != NULL) {
        if (entry->hash == hash && bytes_equal(table_key(entry), key))
            break;
        at = (at + 1) & (table->slot_count - 1);
    }
    return &table->slots[at];
}

static void table_rehash(struct table *table)
{
    free(table->slots);
    table->slot_count *= 2;
    table->slots = memory_new(table->slot_count, sizeof *table->slots);
    for (struct table_entry *entry = table->first; entry != NULL; entry = entry->next)
        *slot_of(table, entry->hash, table_key(entry)) = entry;
}

struct table_entry *table_find(const struct table *table, struct bytes key)
{
    return *slot_of(table, table_hash(table->seed, key), key);
}

struct table_entry *table_entry(struct table *table, struct bytes key)
{
    uint64_t hash = table_hash(table->seed, key);
    struct table_entry **slot = slot_of(table, hash, key);
    struct table_entry *entry = *slot;
    size_t cap;

    if (entry != NULL)
        return entry;
    entry = pool_take(&table->pool, sizeof *entry + key.len, &cap);
    *entry = (struct table_entry){.hash = hash, .key_len = (uint32_t)key.len};
    if (key.len > 0)
        memcpy(entry->key, key.at, key.len);
    *slot = entry;
    if (table->last == NULL)
        table->first = entry;
    else
        table->last->next = entry;
    table->last = entry;
    if (++table->count > table->slot_count / 2)
        table_rehash(table);
    return entry;
}

void table_set_row(struct table *table, struct table_entry *entry, struct bytes row)
{
    if (entry->row == NULL || entry->row_cap < row.len) {
        table_drop_row(table, entry);
        entry->row = pool_take(&table->pool, row.len, &entry->row_cap);
    }
    memcpy(entry->row, row.at, row.len);
    entry->row_len = row.len;
}

void table_drop_row(struct table *table, struct table_entry *entry)
{
    if (entry->row != NULL)
        pool_give(&table->pool, entry->row, entry->row_cap);
    entry->row = NULL;
    entry->row_len = entry->row_cap = 0;
}

void id_set_init(struct id_set *set)
{
    *set = (struct id_set){.slot_count = ID_SLOTS, .seed = new_seed()};
    set->slots = memory_new(set->slot_count, sizeof *set->slots);
}

void id_set_release(struct id_set *set)
{
    free(set->slots);
    *set = (struct id_set){0};
}

void id_set_clear(struct id_set *set)
{
    set->count = 0;
    if (set->slot_count > ID_SLOTS) { /* one long run must not make every later one slow */
        free(set->slots);
        set->slot_count = ID_SLOTS;
        set->slots = memory_new(set->slot_count, sizeof *set->slots);
    }
    memset(set->slots, 0, set->slot_count * sizeof *set->slots);
}

/* Where the id stands, or the free slot where it belongs. */
static struct id_slot *id_slot_of(const struct id_set *set, const uint8_t id[ID_LEN])
{
    size_t at = (size_t)table_hash(set->seed, bytes_of(id, ID_LEN)) & (set->slot_count - 1);

    while (set->slots[at].seq_mark != 0 && memcmp(set->slots[at].id, id, ID_LEN) != 0)
        at = (at + 1) & (set->slot_count - 1);
    return &set->slots[at];
}

static void id_set_rehash(struct id_set *set)
{
    struct id_slot *old = set->slots;
    size_t old_count = set->slot_count;

    set->slot_count *= 2;
    set->slots = memory_new(set->slot_count, sizeof *set->slots);
    for (size_t i = 0; i < old_count; i++)
        if (old[i].seq_mark != 0)
            *id_slot_of(set, old[i].id) = old[i];
    free(old);
}

bool id_set_add(struct id_set *set, const uint8_t id[ID_LEN], uint64_t seq)
{
    struct id_slot *slot = id_slot_of(set, id);

    if (slot->seq_mark != 0)
        return false;
    memcpy(slot->id, id, ID_LEN);
    slot->seq_mark = 2 * (seq + 1);
    if (++set->count > set->slot_count / 2)
        id_set_rehash(set);
    return true;
}
