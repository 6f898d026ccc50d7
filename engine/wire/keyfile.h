/* keyfile.h - key files in the certificate text format that czmq (zcert) and pyzmq (zmq.auth) read.
 *
 *   metadata
 *       name = "amara"
 *   curve
 *       public-key = "40 characters of Z85"
 *       secret-key = "40 characters of Z85"
 *   sign
 *       ed25519-public = "64 hexadecimal digits"
 *       ed25519-seed = "64 hexadecimal digits"
 *       ed25519-sealed = "152 hexadecimal digits"      (instead of the seed: encrypted with a passphrase)
 *       ssh-key = "/home/amara/.ssh/id_ed25519"        (instead of both: OpenSSH signs, with this key or its agent)
 *
 * The section `sign` is ours; other readers skip it. Sealed is salt[16] || nonce[12] || the seed, encrypted and
 * authenticated with ChaCha20-Poly1305 (RFC 8439), the public key beside it as associated data; its key is made of the
 * passphrase by scrypt (RFC 7914) with N = 2^17, r = 8, p = 1: 128 MiB and about half a second. Any section may be missing: a public file has
 * no secrets, the log's key has no curve. A file with a secret is written 0600 and read only if
 * nobody else may read it.
 */
#ifndef ROTA_WIRE_KEYFILE_H
#define ROTA_WIRE_KEYFILE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

enum {
    CURVE_KEY_LEN = 32,
    CURVE_Z85_LEN = 40,
    KEYFILE_NAME_MAX = 64,
    KEYFILE_PATH_MAX = 1000,
    KEYFILE_BYTES_MAX = 16384,
    KEYFILE_SEALED_LEN = 16 + 12 + SIGN_SEED_LEN + 16
};

struct keyfile {
    char name[KEYFILE_NAME_MAX + 1]; /* may be empty */
    bool has_curve_public, has_curve_secret, has_sign_public, has_sign_seed;
    uint8_t curve_public[CURVE_KEY_LEN], curve_secret[CURVE_KEY_LEN];
    uint8_t sign_public[SIGN_KEY_LEN], sign_seed[SIGN_SEED_LEN];
    bool is_sealed;
    uint8_t sealed[KEYFILE_SEALED_LEN];
    char ssh_key[KEYFILE_PATH_MAX + 1]; /* empty: OpenSSH does not sign for it */
};

/* Reads the text of a key file. Unknown sections and properties are skipped; a key that is not a
 * key, or a seed whose public key is another, is an error. */
int keyfile_parse(struct slice text, struct keyfile *out, struct error *err);
/* Appends the text; without secrets unless `with_secrets`. */
void keyfile_format(struct buf *out, const struct keyfile *key, bool with_secrets);

int keyfile_load(const char *path, struct keyfile *out, struct error *err);
/* Makes a new file, durable when 0 is returned; an existing one is an error. 0600 if with_secrets. */
int keyfile_save(const char *path, const struct keyfile *key, bool with_secrets, struct error *err);

int keyfile_new_curve(struct keyfile *key, struct error *err); /* a new CURVE pair */
int keyfile_new_sign(struct keyfile *key, struct error *err);  /* a new signing pair */

/* Encrypts the seed, which is overwritten; what is saved then holds no secret to sign with for who lacks the passphrase. */
int keyfile_seal(struct keyfile *key, struct slice passphrase, struct error *err);
/* The seed again. ERROR_INPUT: another passphrase, or the file was changed. */
int keyfile_unseal(struct keyfile *key, struct slice passphrase, struct error *err);

void keyfile_wipe(struct keyfile *key); /* overwrites the secrets */

/* Z85 (ZeroMQ RFC 32) of 32 bytes. */
void curve_to_z85(const uint8_t key[CURVE_KEY_LEN], char out[CURVE_Z85_LEN + 1]);
int curve_from_z85(struct slice text, uint8_t out[CURVE_KEY_LEN]); /* -1 if it is none */

#endif
