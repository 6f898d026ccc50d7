/* preview.h - what somebody is about to sign: the sentence, the digest, what changed, who else has signed, what is missing.
 *
 * What is shown is what is signed: if the record's content is another by the time that it is shown, nothing is.
 */
#ifndef ROTA_PREVIEW_H
#define ROTA_PREVIEW_H

#include "tool.h"

/* `prepared`: a part of the answer of the query `prepare`. TOOL_REFUSED if the content has changed meanwhile. Says nothing with
 * --json. */
int preview_print(struct tool *tool, const struct value *prepared, const char *who);

/* On a terminal: "Sign? [y/N]"; TOOL_REFUSED unless the answer is yes. A script is not asked. */
int preview_ask(struct tool *tool, const char *event);

#endif
