/* checkpoints.h - the signed heads that are in the file or were kept outside, against the tree as it is.
 *
 *   CHECKPOINT_BAD  a stored note does not verify          TRUSTED_BAD  one given from outside does not
 *   TAIL_MISSING    a stored note covers more entries      ROLLBACK     one from outside covers more
 *   ROOT_MISMATCH   a stored note has another root         FORK         one from outside has another root
 *   LOST            (warning) one from outside covers entries that were lost when the journal was restored
 *   NO_CHECKPOINT   there is none                          QUORUM, COSIGNATURE_BAD, STALE  of witnesses
 */
#ifndef ROTA_VERIFY_CHECKPOINTS_H
#define ROTA_VERIFY_CHECKPOINTS_H

#include "db.h"
#include "memory.h"
#include "note.h"
#include "origins.h"
#include "tree.h"

struct held_checkpoint {
    uint64_t size;
    uint8_t root[HASH_LEN];
    bool is_reached, agrees; /* the tree had this size, and this root then */
    char *origin;            /* owned; of one that the journal had before; NULL: the present one */
};

/* Ascending by size. */
struct held_checkpoints {
    struct held_checkpoint *at; /* owned */
    size_t count, cap, next;    /* next: the first the tree has not reached */
};

struct checkpoints {
    struct held_checkpoints stored, outside, earlier; /* earlier: from outside, of another origin */
    char origin[REPORT_TEXT];                         /* of the log; empty: not known yet */
};

void checkpoints_release(struct checkpoints *checkpoints);

/* Read those in the file, and then those from outside. */
void checkpoints_load(struct checkpoints *checkpoints, struct db *db, struct report *report,
                      const struct note_policy *policy);
void checkpoints_trust(struct checkpoints *checkpoints, struct report *report,
                       const struct note_policy *policy, struct bytes note);

/* The tree has grown by one leaf (or is about to begin): compare what was signed at this size. */
void checkpoints_reach(struct checkpoints *checkpoints, const struct tree *tree);

/* After the last leaf: say what did not agree. */
void checkpoints_conclude(struct checkpoints *checkpoints, struct report *report, uint64_t size);

/* And what those of another origin prove: that one must have been the journal's. What a restore lost is a warning (LOST), as the
 * journal itself says so. */
void checkpoints_conclude_earlier(struct checkpoints *checkpoints, struct report *report,
                                  const struct origins *origins);

/* Does some stored checkpoint carry the cosignatures asked for? fresh_after: POSIX time, or negative for any. */
void checkpoints_check_quorum(struct checkpoints *checkpoints, struct db *db, struct report *report,
                              const struct note_policy *policy, int64_t fresh_after);

#endif
