#include "store/commands.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    CAP_FIRST = 1024,
    ID_LEN = 8,
    SEQ_LEN = COMMAND_ENTRY_LEN - ID_LEN,
    BLOCK_LEN = COMMAND_ENTRY_LEN * COMMANDS_IN_BLOCK
};

/* A slot: the upper 24 bits of an id's number, and seq + 1. The lower bits say where it goes. */
static const uint64_t SEQ_MASK = ((uint64_t)1 << 40) - 1;

static uint64_t read_number(const uint8_t *at, int len)
{
    uint64_t number = 0;

    for (int i = 0; i < len; i++)
        number = number << 8 | at[i];
    return number;
}

static void add_number(struct buf *out, uint64_t number, int len)
{
    uint8_t bytes[8];

    for (int i = len; i-- > 0; number >>= 8)
        bytes[i] = (uint8_t)number;
    buf_add(out, bytes, (size_t)len);
}

/* Eight bytes that stand for an id. Ids are hashes already; this is for those of tests. */
static uint64_t number_of(const uint8_t id[16])
{
    uint64_t number = read_number(id, 8) ^ read_number(id + 8, 8) * 0x9e3779b97f4a7c15ULL;

    return number ^ number >> 29;
}

static uint64_t slot_of(uint64_t id, uint64_t seq)
{
    return (id & ~SEQ_MASK) | (seq + 1);
}

void commands_release(struct commands *commands)
{
    for (unsigned i = 0; i < commands->table_count; i++)
        free(commands->tables[i].slots);
    buf_release(&commands->tail);
    buf_release(&commands->batch);
    memset(commands, 0, sizeof *commands);
}

static void add_table(struct commands *commands, uint64_t cap)
{
    struct command_table *table = &commands->tables[commands->table_count++];

    check(commands->table_count <= COMMAND_TABLES_MAX);
    table->slots = calloc(cap, sizeof *table->slots);
    check(table->slots != NULL);
    table->cap = cap;
    table->count = 0;
}

void commands_expect(struct commands *commands, uint64_t count)
{
    uint64_t cap = CAP_FIRST;

    while (cap < count + count / 2 && cap < (uint64_t)1 << 36)
        cap *= 2;
    if (commands->table_count == 0)
        add_table(commands, cap);
}

/* The newest table, with at least one free place in four. */
static struct command_table *table_with_room(struct commands *commands)
{
    struct command_table *newest;

    if (commands->table_count == 0)
        add_table(commands, CAP_FIRST);
    newest = &commands->tables[commands->table_count - 1];
    if (newest->count * 4 < newest->cap * 3)
        return newest;
    add_table(commands, newest->cap * 2);
    return newest + 1;
}

static void place(struct commands *commands, uint64_t id, uint64_t seq)
{
    struct command_table *table = table_with_room(commands);
    uint64_t at = id & (table->cap - 1);

    while (table->slots[at] != 0)
        at = (at + 1) & (table->cap - 1);
    table->slots[at] = slot_of(id, seq);
    table->count++;
}

/* Takes out the entry that was placed last: nothing was placed behind it since. */
static void unplace(struct commands *commands, uint64_t id, uint64_t seq)
{
    for (unsigned i = commands->table_count; i-- > 0;) {
        struct command_table *table = &commands->tables[i];
        uint64_t at = id & (table->cap - 1);

        for (; table->slots[at] != 0; at = (at + 1) & (table->cap - 1))
            if (table->slots[at] == slot_of(id, seq)) {
                table->slots[at] = 0;
                table->count--;
                return;
            }
    }
    check(false);
}

int commands_load(struct commands *commands, uint64_t block, struct slice entries, uint64_t size,
                  struct error *err)
{
    if (block != commands->blocks || commands->tail.len > 0 || entries.len == 0 ||
        entries.len > BLOCK_LEN || entries.len % COMMAND_ENTRY_LEN != 0)
        return error_set(err, ERROR_DAMAGED, "block %" PRIu64 " of the command ids is not one",
                         block);
    for (size_t at = 0; at < entries.len; at += COMMAND_ENTRY_LEN) {
        uint64_t seq = read_number(entries.at + at + ID_LEN, SEQ_LEN);

        if (seq >= size)
            return error_set(err, ERROR_DAMAGED,
                             "a command id leads to entry %" PRIu64 ", which is not there", seq);
        place(commands, read_number(entries.at + at, ID_LEN), seq);
    }
    if (entries.len == BLOCK_LEN)
        commands->blocks++;
    else
        buf_add_slice(&commands->tail, entries);
    return 0;
}

void commands_add(struct commands *commands, const uint8_t id[16], uint64_t seq)
{
    check(seq < SEQ_MASK);
    place(commands, number_of(id), seq);
    add_number(&commands->batch, number_of(id), ID_LEN);
    add_number(&commands->batch, seq, SEQ_LEN);
}

int commands_find(const struct commands *commands, const uint8_t id[16], command_is_fn *is_it,
                  void *self, uint64_t *seq)
{
    uint64_t number = number_of(id);

    for (unsigned i = commands->table_count; i-- > 0;) {
        const struct command_table *table = &commands->tables[i];
        uint64_t at = number & (table->cap - 1);

        for (; table->slots[at] != 0; at = (at + 1) & (table->cap - 1)) {
            uint64_t found = (table->slots[at] & SEQ_MASK) - 1;
            int answer;

            if (((table->slots[at] ^ number) & ~SEQ_MASK) != 0)
                continue;
            answer = is_it(self, found);
            if (answer == 1)
                *seq = found;
            if (answer != 0)
                return answer;
        }
    }
    return 0;
}

int commands_flush(const struct commands *commands, commands_write_fn *write, void *self)
{
    struct buf entries = BUF_EMPTY;
    uint64_t block = commands->blocks;
    int rc = 0;

    if (commands->batch.len == 0)
        return 0;
    buf_add_slice(&entries, buf_slice(&commands->tail));
    buf_add_slice(&entries, buf_slice(&commands->batch));
    for (size_t at = 0; at < entries.len && rc == 0; at += BLOCK_LEN) {
        size_t len = entries.len - at < BLOCK_LEN ? entries.len - at : BLOCK_LEN;

        rc = write(self, block++, slice_of(entries.at + at, len));
    }
    buf_release(&entries);
    return rc;
}

void commands_keep(struct commands *commands)
{
    size_t whole;

    buf_add_slice(&commands->tail, buf_slice(&commands->batch));
    buf_clear(&commands->batch);
    whole = commands->tail.len / BLOCK_LEN;
    if (whole == 0)
        return;
    commands->blocks += whole;
    commands->tail.len -= whole * BLOCK_LEN;
    memmove(commands->tail.at, commands->tail.at + whole * BLOCK_LEN, commands->tail.len);
}

void commands_undo(struct commands *commands)
{
    while (commands->batch.len > 0) {
        const uint8_t *entry = commands->batch.at + commands->batch.len - COMMAND_ENTRY_LEN;

        unplace(commands, read_number(entry, ID_LEN), read_number(entry + ID_LEN, SEQ_LEN));
        commands->batch.len -= COMMAND_ENTRY_LEN;
    }
}
