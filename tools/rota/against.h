/* against.h - a mail that Rota sent is a witness: its footer holds the journal's signed head of that day. */
#ifndef ROTA_TOOL_AGAINST_H
#define ROTA_TOOL_AGAINST_H

#include "tool.h"

/* Takes the signed note out of the mail at `mail` (or takes that whole, if it is one) and writes it to the new file `path`. The block stands between
 * -----BEGIN ROTA HEAD----- and -----END ROTA HEAD-----, plain or quoted-printable (RFC 2045, 6.7). */
int against_extract(struct tool *tool, const char *mail, const char *path);

#endif
