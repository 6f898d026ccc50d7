/* inside.h - what the parts of librota share and its users do not see. */
#ifndef ROTA_SDK_INSIDE_H
#define ROTA_SDK_INSIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"
#include "sdk/rota.h"

struct rota_doc {
    struct arena arena;
    struct value root;
};

/* A rota_value is a struct value of which every text ends in NUL. */
static inline const struct value *value_in(const struct rota_value *value)
{
    return (const struct value *)(const void *)value;
}

static inline const struct rota_value *value_out(const struct value *value)
{
    return (const struct rota_value *)(const void *)value;
}

/* A document that holds a copy of `value`; owned. */
struct rota_doc *doc_of(const struct value *value);

/* Fills `err` (may be NULL) and returns -1. */
int fail(struct rota_error *err, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int fail_as(struct rota_error *err, const struct error *cause);

int64_t clock_ms(void); /* since boot, suspended time included */
int64_t wall_ms(void);
void random_bytes(void *at, size_t len);

struct link_keys { /* read once from the key files */
    bool is_curve;
    uint8_t own_public[32], own_secret[32], engine_public[32];
};
int link_keys_read(const struct rota_options *options, struct link_keys *out,
                   struct rota_error *err);
/* A DEALER with those keys, not yet connected; NULL and `err` if it cannot be. */
void *link_dealer(void *context, const struct link_keys *keys, struct rota_error *err);

/* One message of several frames, received whole. */
enum { LINK_FRAMES_MAX = 16, LINK_FRAME_BYTES_MAX = 1 << 20 };
struct link_message {
    struct slice frames[LINK_FRAMES_MAX]; /* lent until the next link_receive on it */
    size_t count;
    struct buf bytes; /* owned */
};
/* 1: a message; 0: none waits; -1: the socket is gone. Messages that are too large or long are
 * dropped. */
int link_receive(void *socket, struct link_message *message);
void link_message_release(struct link_message *message);
/* All or nothing, without waiting: 0, or -1 when the queue is full. */
int link_send(void *socket, const struct slice *frames, size_t count);

/* True if no list or map stands deeper than `depth_max`, so that the value may be encoded and read
 * again. */
bool value_is_shallow(const struct value *value, int depth_max);

#endif
