/* mail.h - a signed command as a letter: what a person sends back when the engine is out of reach.
 *
 * text/plain in UTF-8; in it one block, which the approval worker carries to the engine unchanged:
 *
 *     -----BEGIN ROTA COMMAND-----
 *     {"args": {...}, "command": "approve", "id": "...", "on_behalf_of": "amara", "signature": "hex:...", ...}
 *     -----END ROTA COMMAND-----
 */
#ifndef ROTA_MAIL_H
#define ROTA_MAIL_H

#include "wire/command.h"

struct mail {
    const char *from, *to; /* addresses; NULL: left out */
    const char *who;       /* the person who signed */
    const char *sentence;  /* what they said */
    int64_t now_s;
};

void mail_write(struct buf *out, const struct mail *mail, const struct command *command);

#endif
