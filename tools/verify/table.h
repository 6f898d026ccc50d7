/* table.h - what an audit must remember by name or by id, compactly.
 *
 * struct table: one entry for each stream or state row that was ever seen, by its key. Entries never move.
 * struct id_set: 16-byte ids, each with the number of the leaf that brought it first.
 * Both hash with a seed of their own, so a journal cannot be made to be slow.
 */
#ifndef ROTA_VERIFY_TABLE_H
#define ROTA_VERIFY_TABLE_H

#include "memory.h"

struct table_entry {
    struct table_entry *next; /* in the order of first sight */
    uint64_t hash;
    uint64_t revision; /* newest of the stream; 0: no leaf of a stream of this name */
    uint8_t *row;      /* encoded state row; NULL: there is none */
    size_t row_len, row_cap;
    uint32_t key_len;
    uint32_t mark;  /* what else is kept of it (proof.h), counted from 1; 0: nothing */
    bool has_round; /* of a record: an approval of it was opened once */
    bool is_stored; /* found in the stored state */
    char key[];
};

struct table {
    struct table_entry **slots; /* owned; a power of two */
    size_t slot_count, count;
    struct table_entry *first, *last;
    struct pool pool;
    uint64_t seed;
};

void table_init(struct table *table);
void table_release(struct table *table);

/* The entry of a key, made if there is none. Lent until table_release(). */
struct table_entry *table_entry(struct table *table, struct bytes key);

/* The entry of a key, or NULL. */
struct table_entry *table_find(const struct table *table, struct bytes key);

void table_set_row(struct table *table, struct table_entry *entry, struct bytes row);
void table_drop_row(struct table *table, struct table_entry *entry);

static inline struct bytes table_key(const struct table_entry *entry)
{
    return bytes_of(entry->key, entry->key_len);
}

static inline struct bytes table_row(const struct table_entry *entry)
{
    return bytes_of(entry->row, entry->row_len);
}

enum { ID_LEN = 16 };

struct id_slot {
    uint8_t id[ID_LEN];
    uint64_t seq_mark; /* 0: free; otherwise 2 * (seq + 1), plus 1 if the id was marked */
};

struct id_set {
    struct id_slot *slots; /* owned; a power of two */
    size_t slot_count, count;
    uint64_t seed;
};

void id_set_init(struct id_set *set);
void id_set_release(struct id_set *set);

/* Forget every id. */
void id_set_clear(struct id_set *set);

/* True: the id is new, and stands now with this leaf number. False: it was there. */
bool id_set_add(struct id_set *set, const uint8_t id[ID_LEN], uint64_t seq);

static inline uint64_t id_slot_seq(const struct id_slot *slot)
{
    return slot->seq_mark / 2 - 1;
}

/* A seeded 64-bit hash of some bytes, for tables only. */
uint64_t table_hash(uint64_t seed, struct bytes bytes);

#endif
