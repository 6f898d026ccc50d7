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
 *
 * The section `sign` is ours; other readers skip it. Any section may be missing: a public file has
 * no secrets, the log's key has no curve. A file with a secret is written 0600 and read only if
 * nobody else may read it.
 */
#ifndef ROTA_WIRE_KEYFILE_H
#define ROTA_WIRE_KEYFILE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

enum { CURVE_KEY_LEN = 32, CURVE_Z85_LEN = 40, KEYFILE_NAME_MAX = 64, KEYFILE_BYTES_MAX = 16384 };

struct keyfile {
    char name[KEYFILE_NAME_MAX + 1]; /* may be empty */
    bool has_curve_public, has_curve_secret, has_sign_public, has_sign_seed;
    uint8_t curve_public[CURVE_KEY_LEN], curve_secret[CURVE_KEY_LEN];
    uint8_t sign_public[SIGN_KEY_LEN], sign_seed[SIGN_SEED_LEN];
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

void keyfile_wipe(struct keyfile *key); /* overwrites the secrets */

/* Z85 (ZeroMQ RFC 32) of 32 bytes. */
void curve_to_z85(const uint8_t key[CURVE_KEY_LEN], char out[CURVE_Z85_LEN + 1]);
int curve_from_z85(struct slice text, uint8_t out[CURVE_KEY_LEN]); /* -1 if it is none */

#endif
