/* sign.h - what a person signs: the tuple of a command, in deterministic MessagePack.
 *
 *   "rota.command/1\n" || DMP[origin, command_id, type, stream, rev, actor, body, content]
 *
 * `rev` is the revision that the stream has before the command, so that a signature fits one place of one
 * journal and no other. The engine rebuilds the same bytes; anyone can, later, without it.
 */
#ifndef ROTA_SIGN_H
#define ROTA_SIGN_H

#include "base/error.h"
#include "base/hash.h"
#include "base/value.h"

enum { SIGN_CONTENT_MAX = 64 };

struct sign_tuple {
    struct slice origin; /* the journal's name */
    uint8_t command_id[16];
    struct slice type;        /* record.approve */
    struct slice stream;      /* SCP-0001@1.0/round/1/amara */
    int64_t rev;              /* of that stream, before */
    struct slice actor;       /* who signs: the principal's name */
    const struct value *body; /* the command's args */
};

/* nil, one hash, or an array of hashes: every content reference in `body`, depth first in the order of the
 * encoding, each once. -1 if there are more than a leaf may name. */
int sign_content(struct arena *arena, const struct value *body, struct value *out,
                 struct error *err);

/* Appends the bytes to be signed. */
int sign_bytes(struct buf *out, const struct sign_tuple *tuple, struct error *err);

int sign_tuple(const struct sign_tuple *tuple, const uint8_t seed[SIGN_SEED_LEN],
               uint8_t signature[SIGNATURE_LEN], struct error *err);

#endif
