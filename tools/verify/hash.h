/* hash.h - SHA-256, SHA-512, Ed25519 (all by libcrypto), strict base64 and hex.
 *
 * Not for more than one thread: the hashing context is made once and used again.
 */
#ifndef ROTA_VERIFY_HASH_H
#define ROTA_VERIFY_HASH_H

#include "bytes.h"

enum { HASH_LEN = 32, SHA512_LEN = 64, SIGNATURE_LEN = 64, PUBLIC_KEY_LEN = 32 };

/* SHA-256 of the parts, one after the other. */
void hash_sha256(const struct bytes *parts, size_t count, uint8_t out[HASH_LEN]);

void hash_sha512(struct bytes message, uint8_t out[SHA512_LEN]);

/* Does this Ed25519 signature (RFC 8032) over the message hold? A signature of any other length does not. */
bool hash_signed(const uint8_t key[PUBLIC_KEY_LEN], struct bytes message, struct bytes signature);

/* RFC 4648 section 4, padded, no stray bits, no other bytes. Writes at most room bytes. -1: it is not that. */
int base64_read(struct bytes text, uint8_t *out, size_t room, size_t *len);

/* Text of a hash: 44 characters and a terminator. */
void base64_write_hash(const uint8_t hash[HASH_LEN], char out[45]);

/* Exactly len bytes from 2 * len hex digits of either case. -1: it is not that. */
int hex_read(struct bytes text, uint8_t *out, size_t len);

/* Give libcrypto its context back (at the end of the program). */
void hash_release(void);

#endif
