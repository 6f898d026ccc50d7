/* arena.h - memory that is given back all at once: one command, one message, one file.
 *
 * Nothing taken from an arena is freed alone. Out of memory stops the process.
 */
#ifndef ROTA_BASE_ARENA_H
#define ROTA_BASE_ARENA_H

#include "base/slice.h"

#include <stdarg.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* owned, newest first */
    size_t used;                /* of the newest block */
};

#define ARENA_EMPTY                                                                                \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

void arena_release(struct arena *arena); /* frees everything */
void arena_clear(struct arena *arena);   /* as release, but keeps one block for the next use */

/* Aligned for any type; not zeroed. */
void *arena_take(struct arena *arena, size_t size);
void *arena_zero(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const void *at, size_t len); /* with a NUL after it */
char *arena_str(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#endif
