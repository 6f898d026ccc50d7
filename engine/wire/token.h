/* token.h - the lease token `T1.<task>.<attempt>.<nonce>`: what stands in the client address frame
 * of a REQUEST. Every Majordomo worker sends that frame back untouched, so a result names its task
 * and its attempt, and a late one can be told from one that counts. Printable ASCII, at most 48
 * bytes.
 */
#ifndef ROTA_WIRE_TOKEN_H
#define ROTA_WIRE_TOKEN_H

#include "base/slice.h"

enum { TOKEN_MAX = 48, TOKEN_NONCE_LEN = 8, TOKEN_ATTEMPT_MAX = 999999 };

/* task >= 0, attempt 1..TOKEN_ATTEMPT_MAX; the nonce is the caller's randomness. */
void token_format(char out[TOKEN_MAX + 1], int64_t task, int attempt,
                  const uint8_t nonce[TOKEN_NONCE_LEN]);

/* 0, or -1 if `text` is not a token as token_format writes it. Results may be NULL. */
int token_parse(struct slice text, int64_t *task, int *attempt);

#endif
