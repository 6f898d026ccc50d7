/* memory.h - memory that is there or ends the program, a growing buffer, and a pool of blocks.
 *
 * An audit that runs out of memory has proven nothing, so it stops with exit status 2 and says so; no
 * caller has to handle a missing block.
 */
#ifndef ROTA_VERIFY_MEMORY_H
#define ROTA_VERIFY_MEMORY_H

#include "bytes.h"

/* Zeroed memory for count things of one size; free() gives it back. */
void *memory_new(size_t count, size_t size);

/* Grow an array of things of one size to at least want; *cap is its room so far. Returns its new place. */
void *memory_grow(void *array, size_t *cap, size_t want, size_t size);

/* Bytes that grow; starts as {0}. */
struct buf {
    uint8_t *at; /* owned */
    size_t len, cap;
};

void buf_release(struct buf *buf);
void buf_add(struct buf *buf, const void *at, size_t len);
void buf_add_bytes(struct buf *buf, struct bytes bytes);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_add_text(struct buf *buf, const char *text);

static inline struct bytes buf_bytes(const struct buf *buf)
{
    return bytes_of(buf->at, buf->len);
}

/* A pool hands out blocks by size class and reuses those given back. Everything goes at once in pool_release().
 * Starts as {0}. Blocks are aligned for any object.
 */
#define POOL_CLASSES 96

struct pool {
    void *chunks;                   /* owned; each begins with a pointer to the one before */
    uint8_t *free_at, *free_end;    /* what is left of the newest chunk */
    void *given_back[POOL_CLASSES]; /* each begins with a pointer to the next */
};

void pool_release(struct pool *pool);

/* A block of at least len bytes; *cap is its real room, which pool_give() wants to know. */
void *pool_take(struct pool *pool, size_t len, size_t *cap);
void pool_give(struct pool *pool, void *block, size_t cap);

#endif
