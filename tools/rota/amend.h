/* amend.h - what a proposal changes, for people: entries of the directory, files of the workflows.
 *
 * What is told is computed from the very content that is signed, and from what counts now; nothing of it is taken from files on
 * the disk of whoever reads it.
 */
#ifndef ROTA_AMEND_H
#define ROTA_AMEND_H

#include "tool.h"

/* `now`: entries as the query `people` gives them. Of `people`, those that would be another: array of {name, is: "new" or
 * "changed", facts: [{fact, before?, after?}]}, texts. `rooted`: signing keys come by enrolment, and an entry says nothing
 * of them. */
struct value amend_people(struct tool *tool, const struct value *now, bool rooted,
                          const struct value *people);

/* The files of a pack's content against those of the one that counts: array of {path, is: "new", "gone" or "changed", lines:
 * ["- what went", "+ what came"]}. Fails if the content is not the pack of this digest. */
int amend_pack(struct tool *tool, struct slice content, struct slice digest, struct value *out);

/* A paragraph for each. */
void amend_print(struct tool *tool, const struct value *changes);

/* Names of those who could agree to what `by` proposed: "amara, henrik or ines". Empty: nobody. */
const char *amend_seconds(struct tool *tool, const struct value *people, struct slice by);

#endif
