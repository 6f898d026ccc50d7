/* seen.h - what each person looked at from here: "what changed since I last looked".
 *
 * A memory of the client and no evidence: one file a person and record below DIR/looks, beside the keys. Kept here and not in the
 * journal, because who looked when is nobody else's business, and would make every page an entry for ever. Long texts
 * and files are kept by their hash alone: what is erased in the engine comes back from nowhere else.
 * A memory that cannot be read or written is none: nothing is said, nothing fails.
 *
 * Two looks are kept, the last and the last before it at another content: whoever asks twice what has changed is told
 * the same twice.
 */
#ifndef ROTA_SEEN_H
#define ROTA_SEEN_H

#include "tool.h"

/* The person who asks has now seen this (`shown`: the answer of `show`). */
void seen_remember(struct tool *tool, const struct value *shown);

/* The last look at it that found another content than `digest` (empty: the last look): map {at_ms, digest, revision,
 * title, fields}; NULL: there is none. */
const struct value *seen_before(struct tool *tool, struct slice record, struct slice digest);

/* The last look, whatever it found; NULL: never looked. */
const struct value *seen_last(struct tool *tool, struct slice record);

/* Of a look what changes_ask() compares with. */
struct value seen_content(struct tool *tool, const struct value *look);

#endif
