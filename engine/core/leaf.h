/* leaf.h - one leaf of the journal, and the bytes that a person signs.
 *
 * A leaf is the array of 14 values ["rota.leaf/1", seq, time_us, type, stream, rev, actor, auth, command_id,
 * cause, body, effects, content, actor_sig] in deterministic MessagePack (base/dmp.h). It is hashed as it is
 * stored and never encoded again. engine/JOURNAL.md says what each value means.
 */
#ifndef ROTA_CORE_LEAF_H
#define ROTA_CORE_LEAF_H

#include "base/dmp.h"
#include "base/hash.h"

#define LEAF_TAG "rota.leaf/1"

enum {
    COMMAND_ID_LEN = 16,
    LEAF_TYPE_MAX = 64,
    LEAF_STREAM_MAX = 128,
    LEAF_ACTOR_MAX = 128,
    LEAF_CONTENTS_MAX = 64
};

struct leaf {
    uint64_t seq;
    int64_t time_us;
    struct slice type, stream, actor;
    uint64_t rev;
    struct slice auth_method, auth_key; /* auth_key: 32 bytes or empty */
    uint8_t command_id[COMMAND_ID_LEN];
    int64_t cause;          /* seq, or -1 */
    struct value body;      /* map */
    struct value effects;   /* map or nil */
    struct value content;   /* nil, bin of 32, or array of those */
    struct slice actor_sig; /* 64 bytes or empty */
};

void leaf_encode(struct buf *out, const struct leaf *leaf);

/* The parts are lent by `raw` and `arena`. Strict: any other array is an error. */
int leaf_decode(struct arena *arena, struct slice raw, struct leaf *out, struct error *err);

/* Every content hash named in `body`, depth first in encoded order, each once: nil, one bin, or an array.
 * -1 if there are more than LEAF_CONTENTS_MAX. A content reference is a map with a bin of 32 under `content`. */
int leaf_contents(struct arena *arena, const struct value *body, struct value *out);

/* What an actor signs: "rota.command/1\n" || DMP[origin, command_id, type, stream, rev before, actor, body,
 * content]. Appended to `out`. */
void leaf_command_message(struct buf *out, struct slice origin,
                          const uint8_t command_id[COMMAND_ID_LEN], struct slice type,
                          struct slice stream, uint64_t rev_before, struct slice actor,
                          const struct value *body, const struct value *content);

#endif
