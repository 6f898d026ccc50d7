/* endorse.h - whose key is this? Who says so signs it.
 *
 * A person's signing key enters the journal by `key.enrol` with endorsements: signatures over who, which key, and the how
 * manieth change of keys of this person it is. It counts if the person's present key endorsed it, or two of the root keys
 * that the journal's first entry names. So nobody who keeps the engine can give a person a key, nor bring back one that was
 * replaced or revoked: the number has moved on.
 */
#ifndef ROTA_CORE_ENDORSE_H
#define ROTA_CORE_ENDORSE_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/value.h"

enum { ENDORSE_ROOTS_MIN = 2, ENDORSEMENTS_MAX = 16, ROOT_KEYS_MAX = 16 };

struct enrolment {
    struct slice origin; /* of the journal: an endorsement for one is none for another */
    struct slice person;
    int64_t serial;     /* changes of this person's keys before it: 0, 1, 2 ... */
    const uint8_t *key; /* SIGN_KEY_LEN */
    const uint8_t
        *present; /* the key that is replaced, or NULL: there is none, or it was revoked */
    const struct value *roots; /* array of bins; NULL or empty: the journal has none */
};

/* What is signed: "rota.key/1\n" || DMP[origin, person, serial, key]. Appended to `out`. */
void endorse_message(struct buf *out, const struct enrolment *enrolment);

/* Do these endorsements, an array of {by: SHA-256 of a public key, signature: 64 bytes, sig_format?: "sshsig"}, suffice? NULL, or a sentence
 * that says what is missing. A signature that is wrong is never passed over: it is a fault of the whole. */
const char *endorse_fault(const struct enrolment *enrolment, const struct value *endorsements);

/* "rota.roots/1\n" and the keys in the order of the first entry, hashed: what an auditor is told by another way. */
void endorse_fingerprint(const struct value *roots, uint8_t out[HASH_LEN]);

#endif
