/* keys.h - key pairs for people, programs, the engine and its log. */
#ifndef ROTA_KEYS_H
#define ROTA_KEYS_H

#include "tool.h"

/* Letters, digits, dot, dash and underscore, beginning with a letter, at most 64. */
bool keys_name_is_valid(const char *name);

/* Makes DIR/NAME.key (0600, secret) and DIR/NAME.pub: CURVE if `transport`, Ed25519 if `can_sign`. */
int keys_make(struct tool *tool, const char *dir, const char *name, bool transport, bool can_sign);

/* The log's signing key (log.key) and its C2SP verifier key (log.vkey) under the journal's name. */
int keys_make_log(struct tool *tool, const char *dir, const char *origin);

/* "name+hash+key" as C2SP signed-note has it, into `out`. */
void keys_verifier(struct buf *out, const char *name, const uint8_t key[32]);

#endif
