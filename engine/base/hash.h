/* hash.h - SHA-256 (FIPS 180-4) and Ed25519 (RFC 8032), by libcrypto; hex and base64 (RFC 4648). */
#ifndef ROTA_BASE_HASH_H
#define ROTA_BASE_HASH_H

#include "base/buf.h"
#include "base/slice.h"

enum { HASH_LEN = 32, SIGN_KEY_LEN = 32, SIGN_SEED_LEN = 32, SIGNATURE_LEN = 64 };

void hash_bytes(struct slice bytes, uint8_t out[HASH_LEN]);
void hash_two(struct slice first, struct slice second, uint8_t out[HASH_LEN]); /* first || second */

/* SHA-256 ("rota.content/1\n" || salt || data): a commitment that survives erasure of data and salt. */
void hash_content(const uint8_t salt[16], struct slice data, uint8_t out[HASH_LEN]);

/* SHA-256 ("rota.id/1\n" || DMP[principal, id]), the first 16 bytes. */
void hash_command_id(struct slice principal, struct slice id, uint8_t out[16]);

/* Puts in place of `message` what `ssh-keygen -Y sign -n rota` signs for it: "SSHSIG", namespace, hash algorithm sha512
 * and the message's SHA-512 (OpenSSH, PROTOCOL.sshsig). */
void sign_wrap_for_ssh(struct buf *message);

void sign_public_key(const uint8_t seed[SIGN_SEED_LEN], uint8_t out[SIGN_KEY_LEN]);
void sign_message(const uint8_t seed[SIGN_SEED_LEN], struct slice message,
                  uint8_t out[SIGNATURE_LEN]);
bool sign_verify(const uint8_t key[SIGN_KEY_LEN], struct slice message,
                 const uint8_t signature[SIGNATURE_LEN]);

void hex_encode(struct slice bytes, char *out);             /* 2 * len + 1 characters */
int hex_decode(const char *text, uint8_t *out, size_t len); /* exactly len bytes, else -1 */
void base64_add(struct buf *out, struct slice bytes);
int base64_decode(struct slice text, struct buf *out); /* strict, padded; -1 if not */

#endif
