/* buf.h - bytes that grow. Out of memory stops the process: the engine has a bound on everything it
 * keeps, so running out is a bug or a machine that cannot run it. */
#ifndef ROTA_BASE_BUF_H
#define ROTA_BASE_BUF_H

#include "base/slice.h"

struct buf {
    uint8_t *at; /* owned */
    size_t len, cap;
};

#define BUF_EMPTY                                                                                  \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void buf_release(struct buf *buf); /* frees and empties */
void buf_reserve(struct buf *buf, size_t more);
void buf_add_str(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text so far, terminated; lent until the next call on `buf`. */
const char *buf_text(struct buf *buf);

/* Here and not in buf.c: an encoder adds a few bytes at a time. */
static inline void buf_add(struct buf *buf, const void *at, size_t len)
{
    if (buf->cap - buf->len < len || buf->at == NULL)
        buf_reserve(buf, len);
    if (len > 0)
        memcpy(buf->at + buf->len, at, len);
    buf->len += len;
}

static inline void buf_add_slice(struct buf *buf, struct slice bytes)
{
    buf_add(buf, bytes.at, bytes.len);
}

static inline void buf_add_byte(struct buf *buf, uint8_t byte)
{
    buf_add(buf, &byte, 1);
}

static inline void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

static inline struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf->at, buf->len);
}

#endif
