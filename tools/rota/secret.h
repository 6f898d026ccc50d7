/* secret.h - signing with a person's key, wherever its secret is: in the key file, there but sealed with a passphrase, or
 * with OpenSSH (a key of ssh-ed25519, or its agent).
 *
 * A passphrase is asked for on the terminal, each time something is signed; a script names a file whose first line it is in
 * $ROTA_PASSPHRASE_FILE.
 */
#ifndef ROTA_SECRET_H
#define ROTA_SECRET_H

#include "sign.h"
#include "tool.h"
#include "wire/keyfile.h"

/* Can this key sign at all? */
bool secret_is_there(const struct keyfile *key);

/* What has to stand in the arguments before they are signed with this key: `sig_format`, or nothing. */
void secret_mark(struct arena *arena, const struct keyfile *key, struct value *args);

/* The seed of a sealed key is there afterwards; of others nothing changes. Asks for the passphrase. */
int secret_open(struct tool *tool, struct keyfile *key);

/* Signs; the key is opened if it has to be. */
int secret_sign(struct tool *tool, struct keyfile *key, struct slice message,
                uint8_t signature[SIGNATURE_LEN]);
int secret_sign_tuple(struct tool *tool, struct keyfile *key, const struct sign_tuple *tuple,
                      uint8_t signature[SIGNATURE_LEN]);

/* A new passphrase, asked for twice, and the key sealed with it. */
int secret_seal(struct tool *tool, struct keyfile *key);

/* The public half of an OpenSSH key: "ssh-ed25519 AAAA... comment". */
int secret_read_ssh(struct tool *tool, const char *path, uint8_t out[SIGN_KEY_LEN]);

#endif
