/* note.h - C2SP signed notes, verifier keys, checkpoints and cosignatures.
 *
 * c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature (cosignature/v1): the text
 * "origin\nsize\nbase64 root\n", an empty line, then one line a signature. Ed25519 only.
 */
#ifndef ROTA_VERIFY_NOTE_H
#define ROTA_VERIFY_NOTE_H

#include "hash.h"

enum { NOTE_MAX_BYTES = 1 << 20, NOTE_MAX_SIGNATURES = 100, VKEY_MAX_NAME = 255 };
enum { VKEY_ED25519 = 0x01, VKEY_COSIGNATURE = 0x04 };

struct vkey {
    char name[VKEY_MAX_NAME + 1];
    uint8_t id[4];
    uint8_t kind; /* VKEY_ED25519 or VKEY_COSIGNATURE */
    uint8_t key[PUBLIC_KEY_LEN];
};

/* Read "name+hex id+base64(kind, public key)". NULL: done; otherwise why not. */
const char *vkey_read(struct bytes text, struct vkey *out);

/* Make a key one of cosignatures, as witnesses' keys are used; its id changes with it. */
void vkey_as_witness(struct vkey *key);

struct checkpoint {
    struct bytes origin; /* lent by the note */
    uint64_t size;
    uint8_t root[HASH_LEN];
};

/* Read the text of a checkpoint, without signatures. NULL: done; otherwise why not. */
const char *checkpoint_parse(struct bytes text, struct checkpoint *out);

/* Who may sign, and how many witnesses must. */
struct note_policy {
    const struct vkey *logs; /* borrowed */
    size_t log_count;
    const struct vkey *witnesses; /* borrowed */
    size_t witness_count;
    size_t quorum; /* witnesses that must have signed */
};

struct note_signers {
    size_t witnesses; /* different ones that signed */
    bool has_time;
    uint64_t newest_time; /* POSIX; of their cosignatures */
};

/* Verify a checkpoint. origin empty: it must be the name of the log key that signed; otherwise exactly this.
 * NULL: it holds, and *signers says whether the quorum is reached (witnesses >= quorum is the caller's to
 * compare). Otherwise why it does not; a known key whose signature is bad rejects the whole note.
 */
const char *checkpoint_open(struct bytes note, const struct note_policy *policy,
                            struct bytes origin, struct checkpoint *out,
                            struct note_signers *signers);

#endif
