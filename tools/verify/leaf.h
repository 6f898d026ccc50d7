/* leaf.h - one journal leaf ("rota.leaf/1"), read from its stored bytes.
 *
 * A leaf is an array of 14: tag, seq, time_us, type, stream, rev, actor, auth, command_id, cause, body,
 * effects, content, actor_sig.
 */
#ifndef ROTA_VERIFY_LEAF_H
#define ROTA_VERIFY_LEAF_H

#include "dmp.h"
#include "hash.h"
#include "table.h"

enum { LEAF_MAX_CONTENTS = 64 };

/* All bytes are lent by the stored leaf. */
struct leaf {
    uint64_t seq, time_us, rev;
    bool has_cause;
    uint64_t cause;
    struct bytes type, stream, actor, auth_method;
    bool has_auth_key;
    const uint8_t *command_id;           /* ID_LEN bytes */
    struct bytes body, effects, content; /* as they are encoded */
    const uint8_t *actor_sig;            /* SIGNATURE_LEN bytes, or NULL */
    unsigned content_count;
    const uint8_t *contents[LEAF_MAX_CONTENTS]; /* HASH_LEN bytes each */
};

/* Decode and type-check. NULL: it is a leaf; otherwise why not, and *leaf is of no use. */
const char *leaf_read(struct bytes raw, struct leaf *leaf);

/* The bytes an actor signs: who asks for what, on which revision, in which log. Replaces what out holds. */
void leaf_command_message(const struct leaf *leaf, struct bytes origin, struct buf *out);

/* Puts in place of a message what `ssh-keygen -Y sign -n rota` signs for it. */
void leaf_wrap_for_ssh(struct buf *message);

/* The key of the round row and the person of a vote's stream "RECORD/round/N/PERSON". False: another stream. */
bool leaf_vote_stream(struct bytes stream, struct bytes *round_row, struct bytes *person);

#endif
