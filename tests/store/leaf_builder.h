/* leaf_builder.h - leaves of the form "rota.leaf/1" for tests: valid for any auditor, with nothing to say. The first of a
 * journal opens it, as a real one does. */
#ifndef ROTA_TESTS_LEAF_BUILDER_H
#define ROTA_TESTS_LEAF_BUILDER_H

#include "base/buf.h"

#define LEAF_BUILDER_ORIGIN "rota.example.org/test"
/* Signs the checkpoints of test journals; leaf 0 names its public key. */
#define LEAF_BUILDER_SEED "log key for tests only\0\0\0\0\0\0\0\0\0"

struct leaf_spec {
    uint64_t seq;
    const char *stream;     /* NULL: "test/SEQ", which makes rev 1 right */
    uint64_t rev;           /* 0: 1 */
    uint64_t command;       /* its id is eight zero bytes and this number */
    size_t pad;             /* bytes of filler in the body */
    const uint8_t *content; /* a hash, or NULL */
    const uint8_t *redacts; /* a hash: the leaf is a content.redacted event; or NULL */
};

void leaf_build(struct buf *out, const struct leaf_spec *spec);
void leaf_command_id(uint64_t command, uint8_t out[16]);

#endif
