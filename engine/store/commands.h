/* commands.h - the index of command ids: which leaf began the run of a command.
 *
 * Nearly every question is about an id that was never seen, and ids are random: an index by id on the disk costs a
 * random page for every command. So the index is in memory, eight bytes a slot, filled after the start from blocks
 * that are written in order of arrival, one page each. A slot keeps the seq and a part of the id; whether it is
 * really that id is said by the leaf itself, which the caller reads.
 */
#ifndef ROTA_STORE_COMMANDS_H
#define ROTA_STORE_COMMANDS_H

#include "base/buf.h"
#include "base/error.h"

enum {
    COMMAND_ENTRY_LEN = 14,  /* 8 bytes that stand for the id, 6 bytes of seq; big-endian */
    COMMANDS_IN_BLOCK = 289, /* what fits one page of 4096 bytes with SQLite's own bytes */
    COMMAND_TABLES_MAX = 40
};

/* Never grows (a slot knows too little to be moved): the next one has twice the places. */
struct command_table {
    uint64_t *slots; /* owned; 0: free */
    uint64_t cap, count;
};

struct commands {
    struct command_table tables[COMMAND_TABLES_MAX];
    unsigned table_count;
    uint64_t blocks;  /* committed and full */
    struct buf tail;  /* committed entries of the block that is not full */
    struct buf batch; /* entries of the open batch */
};

void commands_release(struct commands *commands);

/* Makes places for this many before they are loaded; a hint. */
void commands_expect(struct commands *commands, uint64_t count);
/* One stored block; they come in order. ERROR_DAMAGED if it is none or a seq is not below `size`. */
int commands_load(struct commands *commands, uint64_t block, struct slice entries, uint64_t size,
                  struct error *err);

void commands_add(struct commands *commands, const uint8_t id[16], uint64_t seq);

/* Asks `is_it` about every leaf that may have begun the run of this id, until it says 1 (it is) or -1. Gives
 * that, with `seq`, or 0. */
typedef int command_is_fn(void *self, uint64_t seq);
int commands_find(const struct commands *commands, const uint8_t id[16], command_is_fn *is_it,
                  void *self, uint64_t *seq);

/* Gives every block that the open batch changes, whole, to `write`, until that gives non-zero. Afterwards keep
 * or undo. */
typedef int commands_write_fn(void *self, uint64_t block, struct slice entries);
int commands_flush(const struct commands *commands, commands_write_fn *write, void *self);
void commands_keep(struct commands *commands);
void commands_undo(struct commands *commands);

#endif
