/* bytes.h - what every decoder must bear: each prefix, each byte changed. Included by one test at a
 * time. */
#ifndef ROTA_TESTS_BYTES_H
#define ROTA_TESTS_BYTES_H

#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

/* 0 if the decoder took the bytes. It gets an exact copy, so that reading past the end is seen by
 * ASan. */
typedef int bytes_fn(struct slice bytes);

static inline int bytes_try(bytes_fn *decode, const uint8_t *at, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    int rc;

    if (exact == NULL)
        abort();
    if (len > 0)
        memcpy(exact, at, len);
    rc = decode(slice_of(exact, len));
    free(exact);
    return rc;
}

/* How many of the proper prefixes are accepted. */
static inline int bytes_prefixes_taken(bytes_fn *decode, struct slice whole)
{
    int taken = 0;

    for (size_t len = 0; len < whole.len; len++)
        taken += bytes_try(decode, whole.at, len) == 0;
    return taken;
}

/* Changes every byte: each bit of it, and to bytes that mean something to JSON and MessagePack.
 * What the decoder says is its own business. */
static inline void bytes_flip_all(bytes_fn *decode, struct slice whole)
{
    static const uint8_t others[] = {0x00, 0xff, 0xc1, 0xdd, 0xdf, 0xc6, '"', '\\', '{', '['};
    uint8_t *copy = malloc(whole.len);

    if (copy == NULL)
        abort();
    memcpy(copy, whole.at, whole.len);
    for (size_t i = 0; i < whole.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            copy[i] = (uint8_t)(whole.at[i] ^ 1 << bit);
            bytes_try(decode, copy, whole.len);
        }
        for (size_t k = 0; k < sizeof others; k++) {
            copy[i] = others[k];
            bytes_try(decode, copy, whole.len);
        }
        copy[i] = whole.at[i];
    }
    free(copy);
}

#endif
