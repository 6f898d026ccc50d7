/* origins.h - under which name the journal was kept, from which entry on.
 *
 * A copy from which signed entries are missing goes on under another name: its next entry, `journal.restored`, says from which
 * head and what was known of the one that is lost. People's signatures and endorsements bind the name of their moment.
 *
 *   ORIGIN_BAD  an entry on the journal's own stream that gives it another name and does not say what it must, or does
 *               something else
 *   RESTORED    (warning) the journal went on from a copy: entries of the name before are lost
 */
#ifndef ROTA_VERIFY_ORIGINS_H
#define ROTA_VERIFY_ORIGINS_H

#include "leaf.h"
#include "report.h"
#include "tree.h"

struct origin_span {
    char *name; /* owned */
    uint64_t from;
};

struct origins {
    struct origin_span *at; /* owned; in order of `from` */
    size_t count, cap;
};

void origins_release(struct origins *origins);

/* Leaf 0 names the first. */
void origins_open(struct origins *origins, struct bytes name);

/* Any later leaf; `tree` is of the leaves before it. True: from the next leaf on the name is another. */
bool origins_leaf(struct origins *origins, struct report *report, const struct leaf *leaf,
                  uint64_t seq, const struct tree *tree);

/* The name now; empty: entry 0 gave none. Lent until release. */
struct bytes origins_now(const struct origins *origins);

/* Had the journal this name before its present one? Then it ended before entry `end`. */
bool origins_ended(const struct origins *origins, struct bytes name, uint64_t *end);

#endif
