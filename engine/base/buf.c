#include "base/buf.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_release(struct buf *buf)
{
    free(buf->at);
    *buf = (struct buf)BUF_EMPTY;
}

void buf_reserve(struct buf *buf, size_t more)
{
    /* At first what is asked for: many buffers are filled once and kept. */
    size_t cap = buf->cap > 0 ? buf->cap : 64;

    check(more <= SIZE_MAX / 4 - buf->len);
    if (buf->cap - buf->len >= more && buf->at != NULL)
        return;
    if (buf->cap == 0 && more > cap)
        cap = (more + 63) & ~(size_t)63;
    while (cap - buf->len < more)
        cap *= cap < 1024 ? 4 : 2;
    buf->at = realloc(buf->at, cap);
    check(buf->at != NULL);
    buf->cap = cap;
}

void buf_add_str(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    check(len >= 0);
    buf_reserve(buf, (size_t)len + 1);
    vsnprintf((char *)buf->at + buf->len, (size_t)len + 1, format, again);
    va_end(again);
    buf->len += (size_t)len;
}

const char *buf_text(struct buf *buf)
{
    buf_reserve(buf, 1);
    buf->at[buf->len] = '\0';
    return (const char *)buf->at;
}
