/* keys.h - key pairs for people, programs, the engine and its log. */
#ifndef ROTA_KEYS_H
#define ROTA_KEYS_H

#include "tool.h"
#include "wire/keyfile.h"

/* Letters, digits, dot, dash and underscore, beginning with a letter, at most 64. */
bool keys_name_is_valid(const char *name);

struct keys_plan {
    bool transport; /* a CURVE pair */
    bool can_sign;  /* an Ed25519 pair */
    bool sealed;    /* its secret is encrypted with a passphrase, which is asked for */
    const char *
        ssh; /* instead of a pair of ours: an OpenSSH key of type ssh-ed25519 (FILE, with FILE.pub beside it;
                      * or FILE.pub alone, if the agent has it); NULL: none */
};

/* Makes DIR/NAME.key (0600, secret) and DIR/NAME.pub. */
int keys_make(struct tool *tool, const char *dir, const char *name, const struct keys_plan *plan);

/* Writes a key file over the one that is there; at every moment one of the two is whole. */
int keys_replace(struct tool *tool, const char *path, const struct keyfile *key, bool with_secrets);

/* The log's signing key (log.key) and its C2SP verifier key (log.vkey) under the journal's name. */
int keys_make_log(struct tool *tool, const char *dir, const char *origin);

/* "name+hash+key" as C2SP signed-note has it, into `out`. */
void keys_verifier(struct buf *out, const char *name, const uint8_t key[32]);

#endif
