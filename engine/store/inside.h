/* inside.h - the journal above its backend. Only for files of this folder. */
#ifndef ROTA_STORE_INSIDE_H
#define ROTA_STORE_INSIDE_H

#include "base/arena.h"
#include "base/map.h"
#include "store/backend.h"
#include "store/commands.h"
#include "store/merkle.h"
#include "store/note.h"

struct journal {
    struct backend *backend; /* owned */

    char origin[NOTE_NAME_MAX + 1];
    uint8_t log_seed[SIGN_SEED_LEN];
    bool has_log_seed;
    char *signed_path;       /* owned; NULL: what was signed is kept in the journal alone */
    struct note_key log_key; /* whose signature a checkpoint must carry */
    bool has_log_key;

    /* The tree with the open batch, and as it is durable: what a failed commit goes back to. */
    struct merkle_frontier tree, committed;
    uint8_t newest_hash[HASH_LEN]; /* of the leaf that was appended last */

    /* What was signed last: the next checkpoint must be an extension of it. */
    uint64_t signed_size;
    uint8_t signed_root[HASH_LEN];

    bool is_open; /* the backend is in a batch */
    bool is_dead; /* something in it failed: only rollback is left */
    struct map
        dirty; /* key -> struct dirty_row: rows of this batch that are not in the backend yet */
    struct arena rows; /* what `dirty` points to */
    struct commands commands;
    bool has_commands;  /* all of them; else those of the first `commands.blocks` blocks */
    struct buf scratch; /* for one call */

    /* The leaves of the newest batch: replies and events are made from them as soon as they are written. */
    uint64_t recent_from;
    struct buf recent,
        recent_ends; /* the bytes, one leaf after the other; a size_t for each: where it ends */

    uint64_t free_bytes_min;
    int64_t room_asked_ms; /* boot clock; 0: never */
    bool has_room;

    struct error spare; /* where errors go that nobody asked for */
};

/* 0, or -1 and the journal must not be used: what is stored is not what was stored. */
int recover_tree(struct journal *journal, const struct journal_options *options, struct error *err);

/* Reads on in the index of command ids, at most so many blocks. 0, or -1. */
int read_commands(struct journal *journal, uint64_t blocks, struct error *err);

/* Is this the command whose run the leaf began? 1, 0, -1. */
int journal_is_command(struct journal *journal, uint64_t seq, const uint8_t id[16],
                       struct error *err);

/* Says why nothing can be written. Returns -1. */
int journal_read_only(enum journal_health health, struct error *err);

struct merkle_source journal_source(struct journal *journal);

#endif
