/* enrolment.h - a request to give somebody a signing key, as a file that travels: whoever must endorse it adds a signature,
 * then it is brought to the engine. JSON, the arguments of key.enrol and the journal's origin:
 *
 *     {"origin":"example.org/isms","person":"bo","serial":0,"key":"hex:…","endorsements":[{"by":"hex:…","signature":"hex:…"}]}
 *
 * It holds no secret. What is endorsed, and when it counts: core/endorse.h.
 */
#ifndef ROTA_ENROLMENT_H
#define ROTA_ENROLMENT_H

#include "tool.h"
#include "wire/keyfile.h"

struct value enrolment_make(struct arena *arena, const char *origin, const char *person,
                            int64_t serial, const uint8_t key[SIGN_KEY_LEN]);

/* Adds the signature of this key, in place of an earlier one of its own; the key is opened if it has to be. */
int enrolment_endorse(struct tool *tool, struct value *enrolment, struct keyfile *with);

int enrolment_read(struct tool *tool, const char *path, struct value *out);
/* Writes it over a file that may be there; durable when TOOL_DONE is returned. */
int enrolment_write(struct tool *tool, const char *path, const struct value *enrolment);

#endif
