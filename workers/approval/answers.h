/* answers.h - letters that people send back: each holds one signed command, which is carried to the
 * engine.
 *
 * A letter waits in mail/answers/new until the engine has spoken: then it is in cur, flagged S
 * (accepted) or FS (refused; the person finds the reason in their mail). Without an engine it goes
 * on waiting.
 *
 *     -----BEGIN ROTA COMMAND-----
 *     {"v": 1, "id": "...", "command": "approve", "record": "...", "args": {...},
 *      "on_behalf_of": "amara", "signature": "hex:..."}
 *     -----END ROTA COMMAND-----
 *
 * What is believed of a letter: nothing. The engine verifies the signature against the person's
 * key. A command without a person and a signature of theirs is not carried, because it would be
 * ours.
 */
#ifndef ROTA_APPROVAL_ANSWERS_H
#define ROTA_APPROVAL_ANSWERS_H

#include "post/courier.h"

struct answers; /* a thread with a client of its own */

int answers_start(struct program *program, const struct courier *courier, struct answers **out,
                  struct error *err);
void answers_stop(struct answers **answers);

/* The command in a letter (7bit, 8bit, quoted-printable or base64); owned. -1 and why in `err`. */
int answer_read(struct slice letter, struct rota_doc **out, struct error *err);

#endif
