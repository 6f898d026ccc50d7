#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)1 << 20)
#define SMALL_STEP 32 /* classes 0..31 are multiples of this, then come powers of two */
#define SMALL_CLASSES 32

static void out_of_memory(void)
{
    fputs("rota-verify: out of memory; nothing was proven\n", stderr);
    exit(2);
}

void *memory_new(size_t count, size_t size)
{
    void *at = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (at == NULL)
        out_of_memory();
    return at;
}

void *memory_grow(void *array, size_t *cap, size_t want, size_t size)
{
    size_t room = *cap > 0 ? *cap : 16;

    if (array != NULL && want <= *cap)
        return array;
    while (room < want) {
        if (room > SIZE_MAX / 2 / size)
            out_of_memory();
        room *= 2;
    }
    array = realloc(array, room * size);
    if (array == NULL)
        out_of_memory();
    *cap = room;
    return array;
}

void buf_release(struct buf *buf)
{
    free(buf->at);
    *buf = (struct buf){0};
}

void buf_add(struct buf *buf, const void *at, size_t len)
{
    if (buf->at == NULL || len > buf->cap - buf->len)
        buf->at = memory_grow(buf->at, &buf->cap, buf->len + len, 1);
    if (len > 0)
        memcpy(buf->at + buf->len, at, len);
    buf->len += len;
}

void buf_add_bytes(struct buf *buf, struct bytes bytes)
{
    buf_add(buf, bytes.at, bytes.len);
}

void buf_add_byte(struct buf *buf, uint8_t byte)
{
    buf_add(buf, &byte, 1);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

/* The class that serves len bytes, and the room of its blocks. */
static size_t class_of(size_t len, size_t *cap)
{
    size_t class = SMALL_CLASSES, room = (size_t)SMALL_STEP * SMALL_CLASSES * 2;

    if (len <= (size_t)SMALL_STEP * SMALL_CLASSES) {
        class = len == 0 ? 0 : (len - 1) / SMALL_STEP;
        *cap = (class + 1) * SMALL_STEP;
        return class;
    }
    for (; room < len; room *= 2, class ++)
        if (class + 1 == POOL_CLASSES || room > SIZE_MAX / 4)
            out_of_memory();
    *cap = room;
    return class;
}

static void chunk_add(struct pool *pool, size_t len)
{
    size_t head = SMALL_STEP, room = len > CHUNK_BYTES ? len : CHUNK_BYTES;
    uint8_t *chunk = malloc(head + room);

    if (chunk == NULL)
        out_of_memory();
    memcpy(chunk, &pool->chunks, sizeof pool->chunks);
    pool->chunks = chunk;
    pool->free_at = chunk + head;
    pool->free_end = pool->free_at + room;
}

void *pool_take(struct pool *pool, size_t len, size_t *cap)
{
    size_t class = class_of(len, cap);
    void *block = pool->given_back[class];

    if (block != NULL) {
        memcpy(&pool->given_back[class], block, sizeof(void *));
        return block;
    }
    if (pool->free_at == NULL || (size_t)(pool->free_end - pool->free_at) < *cap)
        chunk_add(pool, *cap);
    block = pool->free_at;
    pool->free_at += *cap;
    return block;
}

void pool_give(struct pool *pool, void *block, size_t cap)
{
    size_t class = class_of(cap, &cap);

    memcpy(block, &pool->given_back[class], sizeof(void *));
    pool->given_back[class] = block;
}

void pool_release(struct pool *pool)
{
    void *chunk = pool->chunks, *before;

    for (; chunk != NULL; chunk = before) {
        memcpy(&before, chunk, sizeof before);
        free(chunk);
    }
    *pool = (struct pool){0};
}
