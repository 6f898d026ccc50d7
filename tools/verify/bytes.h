/* bytes.h - bytes somebody else owns: a place and a length, no terminator promised. */
#ifndef ROTA_VERIFY_BYTES_H
#define ROTA_VERIFY_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *at; /* borrowed; may be NULL when len is 0 */
    size_t len;
};

static inline struct bytes bytes_of(const void *at, size_t len)
{
    return (struct bytes){at, len};
}

static inline struct bytes bytes_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool bytes_are(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_text(text));
}

/* Order by bytes; the shorter first where one is the beginning of the other. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least == 0 ? 0 : memcmp(a.at, b.at, least);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* For printf's "%.*s": the precision and the pointer of some bytes. */
#define BYTES_ARG(b) (int)(b).len, (const char *)(b).at

#endif
