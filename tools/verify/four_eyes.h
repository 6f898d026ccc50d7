/* four_eyes.h - did two people want each change of who may what, and of the definitions?
 *
 * After the first of each, a `directory.installed` or `pack.installed` is either signed by a person who stood in the
 * directory then with the role top_management or isms_manager, was not who proposed it, and agreed to just what was
 * proposed (so also for break-glass, each used once by whom it is for); or it was made when nobody but its actor could have agreed. Nothing else changes the rows that govern: so whoever
 * has the file, the engine's keys and the administrator's account cannot change a role or a definition unseen.
 *
 *   FOUR_EYES          an entry that one person made, though another could have agreed; or agreed to by somebody who may not
 *                      (or the key of the last who could was taken from them by who then was alone)
 *   FOUR_EYES_CONTENT  what was entered is not what was proposed, or changes something else than it says
 *   GOVERNING_ROW      a row of the directory or of the definitions was changed by another kind of entry
 *   SIGNED_UNDER       a decision was signed under another directory, or another definition, than stood there when it was made
 *   DIRECTORY_DIGEST   the digest of the directory is not that of its entries, or a decision names another
 *
 * That the signature holds is checked with those of all decisions (actor.h).
 */
#ifndef ROTA_VERIFY_FOUR_EYES_H
#define ROTA_VERIFY_FOUR_EYES_H

#include "actor.h"

struct four_eyes {
    const struct actor_check *actors; /* borrowed */
    struct table people;              /* person/NAME, all that were ever there */
    const struct table_entry **rows;  /* owned; their rows */
    size_t row_count, row_cap;
    struct table proposals;       /* proposal/N: hash of what was proposed, and by whom */
    bool has_directory, has_pack; /* the first of each is the founding */
    bool names_under;             /* a decision was signed that says what it was made under */
    uint64_t without_under; /* decisions before that do not, of an engine of the days before */
};

void four_eyes_init(struct four_eyes *eyes, const struct actor_check *actors);
void four_eyes_release(struct four_eyes *eyes);

/* One leaf against the rows as they stood before it. Without a fold there is nothing to hold it against. */
void four_eyes_leaf(struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq);

/* The same leaf, when it is folded. */
void four_eyes_folded(struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq);

/* After the last leaf. */
void four_eyes_conclude(const struct four_eyes *eyes);

#endif
