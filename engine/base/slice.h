/* slice.h - bytes somebody else owns: a pointer and a length, no terminator promised. */
#ifndef ROTA_BASE_SLICE_H
#define ROTA_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *at; /* borrowed; may be NULL when len is 0 */
    size_t len;
};

static inline struct slice slice_of(const void *at, size_t len)
{
    return (struct slice){at, len};
}

static inline struct slice slice_str(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_equal(a, slice_str(text));
}

static inline bool slice_starts(struct slice a, const char *prefix)
{
    size_t len = strlen(prefix);

    return a.len >= len && memcmp(a.at, prefix, len) == 0;
}

/* Order by bytes, the shorter first where one is the beginning of the other. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = 0;

    if (least > 0 && a.at[0] != b.at[0]) /* keys of a map mostly differ at once */
        return a.at[0] - b.at[0];
    if (least > 0)
        order = memcmp(a.at, b.at, least);

    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

#endif
