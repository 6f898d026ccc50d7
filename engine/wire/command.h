/* command.h - commands, queries and replies: the maps inside the bodies.
 *
 *   command  {v, id, command, record?, if_revision?, args?, deadline?, on_behalf_of?, signature?,
 *            trace?}
 *   query    {v, id?, query, args?}
 *   reply    {v, id?, status, code?, message?, revision?, seq?, hash?, duplicate?, out?}
 *
 * A command or query with a key that is not listed is refused unless the key begins with `x-`: an
 * engine of rules must not obey half of what it was told. Readers of replies skip what they do not
 * know.
 */
#ifndef ROTA_WIRE_COMMAND_H
#define ROTA_WIRE_COMMAND_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/value.h"

enum {
    WIRE_VERSION_MIN = 1,
    WIRE_VERSION_MAX = 1,
    COMMAND_DEPTH_MAX = 6,
    COMMAND_BYTES_MAX = 64 * 1024, /* but see command_is_bulk() */
    COMMAND_ID_MIN = 16,
    COMMAND_ID_MAX = 64,
    COMMAND_NAME_MAX = 64,
    COMMAND_TEXT_MAX = 128 /* record, on_behalf_of, trace */
};

struct command {
    int64_t v;
    struct slice id;
    struct slice command;
    struct slice record; /* empty if absent */
    bool has_if_revision;
    int64_t if_revision;
    struct value args;         /* a map, perhaps empty */
    int64_t deadline_ms;       /* 0: none */
    struct slice on_behalf_of; /* empty if absent */
    bool has_signature;
    uint8_t signature[SIGNATURE_LEN];
    struct slice trace; /* empty if absent */
};

struct query {
    int64_t v;
    struct slice id; /* empty if absent */
    struct slice query;
    struct value args;
};

struct reply {
    int status;
    struct slice id;      /* empty: left out */
    struct slice code;    /* empty: left out */
    struct slice message; /* empty: left out */
    int64_t revision;     /* 0: left out */
    bool has_seq;
    uint64_t seq;      /* the journal entry that made it durable */
    struct slice hash; /* of that leaf; empty: left out */
    bool duplicate;
    struct value out; /* nil: left out */
};

/* Reads a command. 0; or -1 and `no` is the refusal to send: 400 malformed or unknown-key, 413
 * too-large, 426 version with out {min, max}. `no->id` is set if one could be read. `*is_json` is
 * set in either case. Strings are lent by `body` or live in `arena`. */
int command_decode(struct arena *arena, struct slice body, struct command *out, bool *is_json,
                   struct reply *no);
int query_decode(struct arena *arena, struct slice body, struct query *out, bool *is_json,
                 struct reply *no);

/* Commands that carry bytes or lists may fill a whole frame instead of COMMAND_BYTES_MAX:
 * content.put, pack.install, directory.install, audit.import. */
bool command_is_bulk(struct slice command);

bool command_id_is_valid(struct slice id); /* 16 to 64 of A-Z a-z 0-9 . _ - */

void command_encode(struct buf *out, const struct command *command, bool as_json);
void query_encode(struct buf *out, const struct query *query, bool as_json);

/* A refusal with the number and the sentence of `code` (status.h); `message` NULL: that sentence. */
struct reply reply_refusal(const char *code, const char *message);

void reply_encode(struct buf *out, const struct reply *reply, bool as_json);
int reply_decode(struct arena *arena, struct slice body, struct reply *out, struct error *err);

#endif
