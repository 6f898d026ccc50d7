/* note.h - C2SP signed notes with Ed25519 (c2sp.org/signed-note) and checkpoints (c2sp.org/tlog-checkpoint).
 *
 * A note is text, an empty line, and signature lines "— name base64 (key id || signature)". The text ends
 * in a newline and is signed with it. A checkpoint's text is "origin\nsize\nbase64 root\n". A key is
 * written "name+hex key id+base64 (0x01 || public key)"; the key id is the first four bytes of
 * SHA-256 (name || "\n" || 0x01 || public key). Pure: no I/O.
 */
#ifndef ROTA_STORE_NOTE_H
#define ROTA_STORE_NOTE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

enum {
    NOTE_NAME_MAX = 255,
    NOTE_KEY_ID_LEN = 4,
    NOTE_BYTES_MAX = 65536,
    NOTE_SIGNATURES_MAX = 100
};

struct note_key {
    char name[NOTE_NAME_MAX + 1];
    uint8_t id[NOTE_KEY_ID_LEN];
    uint8_t key[SIGN_KEY_LEN];
};

/* A name is 1 to 255 bytes of UTF-8 without spaces, control characters or '+'. */
int note_key_make(struct slice name, const uint8_t key[SIGN_KEY_LEN], struct note_key *out,
                  struct error *err);
int note_key_parse(struct slice vkey, struct note_key *out, struct error *err);
void note_key_add(struct buf *out, const struct note_key *key); /* appends the vkey text */

/* Appends the note: `text` (which ends in a newline), an empty line and one signature by `key`, whose private
 * half is `seed`. */
void note_sign(struct buf *out, struct slice text, const struct note_key *key,
               const uint8_t seed[SIGN_SEED_LEN]);

/* 0 if the note is well formed and carries a signature by `key` that holds; `text` (may be NULL) is lent by
 * `note`. Signatures by other keys are not looked at; a wrong one by `key` is an error. */
int note_verify(struct slice note, const struct note_key *key, struct slice *text,
                struct error *err);

struct checkpoint {
    struct slice origin; /* borrowed from the text */
    uint64_t size;
    uint8_t root[HASH_LEN];
};

void checkpoint_add(struct buf *out, const struct checkpoint *checkpoint); /* appends the text */
/* Strict: no leading zero, canonical base64 of 32 bytes. Further lines are extensions and are let pass. */
int checkpoint_parse(struct slice text, struct checkpoint *out, struct error *err);

/* note_verify and checkpoint_parse in one, and the origin is the key's name. */
int checkpoint_open(struct slice note, const struct note_key *key, struct checkpoint *out,
                    struct error *err);

#endif
