#include "base/arena.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

/* Blocks grow from the first size to the second: an arena that is cleared and used again soon has one that holds
 * everything, and takes no memory any more. */
enum { ARENA_BLOCK = 16 * 1024, ARENA_BLOCK_MAX = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(ARENA_ALIGN) uint8_t bytes[];
};

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->blocks, *next;

    for (; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct arena)ARENA_EMPTY;
}

void arena_clear(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;

    if (kept == NULL)
        return;
    arena->blocks = kept->next;
    arena_release(arena);
    if (kept->size > ARENA_BLOCK_MAX) {
        free(kept);
        return;
    }
    kept->next = NULL;
    *arena = (struct arena){kept, 0};
}

void *arena_take(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->blocks;
    size_t want = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    void *given;

    check(size <= SIZE_MAX / 2);
    if (block == NULL || block->size - arena->used < want) {
        size_t room = block == NULL ? ARENA_BLOCK : block->size * 2;

        if (room > ARENA_BLOCK_MAX)
            room = ARENA_BLOCK_MAX;
        if (room < want)
            room = want;
        block = malloc(sizeof *block + room);
        check(block != NULL);
        block->size = room;
        block->next = arena->blocks;
        *arena = (struct arena){block, 0};
    }
    given = block->bytes + arena->used;
    arena->used += want;
    return given;
}

void *arena_zero(struct arena *arena, size_t size)
{
    return memset(arena_take(arena, size), 0, size);
}

char *arena_copy(struct arena *arena, const void *at, size_t len)
{
    char *copy = arena_take(arena, len + 1);

    if (len > 0)
        memcpy(copy, at, len);
    copy[len] = '\0';
    return copy;
}

char *arena_str(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

/* Into what is left of the block; formatted a second time only if that was too small. */
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    size_t room = arena->blocks != NULL ? arena->blocks->size - arena->used : 0;
    char *text = room > 0 ? (char *)arena->blocks->bytes + arena->used : NULL;
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(text, room, format, again);
    va_end(again);
    check(len >= 0);
    text = arena_take(arena, (size_t)len + 1);
    if ((size_t)len >= room)
        vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
