/* keyring.h - whose signing key is whose, from the journal's own entries and the root keys of its first.
 *
 * `key.enrolled` gives a person a key, `key.revoked` takes it away. An enrolment counts only if it is endorsed: Ed25519 over
 * "rota.key/1\n" || DMP[origin, person, changes before, key] by the person's present key, or by two different root keys.
 * Whoever keeps the engine has neither, so no key here is of his making.
 *
 *   ROOTS_OTHER   the root keys are not those whose fingerprint was given
 *   KEY_UNPROVEN  a key was entered that nobody who may has endorsed; it is not taken
 *   KEY_ROW       the directory says another key than was enrolled
 *
 * Without root keys in the first entry the ring is empty, and the audit warns of it.
 */
#ifndef ROTA_VERIFY_KEYRING_H
#define ROTA_VERIFY_KEYRING_H

#include "leaf.h"
#include "report.h"

enum { KEYRING_ROOTS_MAX = 16 };

struct keyring_period { /* a key, and the entries over which it was its holder's */
    const struct table_entry *holder;
    uint8_t key[PUBLIC_KEY_LEN];
    uint64_t first, last; /* leaf numbers, both included; last UINT64_MAX: still is */
};

struct keyring {
    struct bytes origin; /* borrowed */
    uint8_t roots[KEYRING_ROOTS_MAX][PUBLIC_KEY_LEN];
    size_t root_count;
    struct table holders;           /* by name; row: the present key; revision: how many changes */
    struct keyring_period *periods; /* owned */
    size_t period_count, period_cap;
};

void keyring_init(struct keyring *ring);
void keyring_release(struct keyring *ring);

/* The root keys of leaf 0, whose body has been checked. Gives their fingerprint: SHA-256("rota.roots/1\n" || keys). */
void keyring_open(struct keyring *ring, struct bytes body, uint8_t fingerprint[HASH_LEN]);

static inline bool keyring_is_rooted(const struct keyring *ring)
{
    return ring->root_count > 0;
}

/* Every leaf goes by. */
void keyring_leaf(struct keyring *ring, struct report *report, const struct leaf *leaf,
                  uint64_t seq);

/* The key that this person has now. False: none. Lent until the next leaf. */
bool keyring_key(const struct keyring *ring, struct bytes actor, struct bytes *key);

/* After the last leaf: does the directory of the fold say the same? */
void keyring_compare(const struct keyring *ring, struct report *report, const struct table *rows);

/* Lines "actor hexkey first last", as other auditors take them. -1: they could not be written. */
int keyring_write(const struct keyring *ring, FILE *out);

#endif
