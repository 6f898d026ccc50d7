/* exchange.h - a checked copy takes the place of the journal, in steps that may be interrupted anywhere.
 *
 *      (nothing) --copy, sync, check--> COPY/journal.db --mark "copied"--> rename, rename, rename --> no mark
 *
 * Before the mark says "copied" an interrupted exchange begins again; after it, it goes on renaming. While there is a mark
 * the journal does not open. Names are relative to the data directory, open as `at`. Only for this folder.
 */
#ifndef ROTA_STORE_EXCHANGE_H
#define ROTA_STORE_EXCHANGE_H

#include "base/error.h"

#include <stdbool.h>

#define EXCHANGE_SIGNED_NAME                                                                       \
    "log.signed" /* of a copy that is signed for the first time (signed.h) */

struct exchange {
    const char *copy; /* the folder of the copy */
    const char *mark; /* the file that says how far it has come */
    const char *kept; /* what was there is kept as NAME.KEPT.N */
};

extern const struct exchange exchange_salvage, exchange_restore;

/* Makes COPY, empty, and the journal `file` (with its log, if it has one) in it. */
int exchange_copy(int at, const struct exchange *exchange, const char *file, struct error *err);

/* Opens the copy in `directory`/COPY and hashes every leaf anew: pages, schema, tree, signature, entries agree. The
 * copy is then closed in an orderly way, so that one rename moves it whole. */
int exchange_check(const char *directory, const struct exchange *exchange, struct error *err);

/* The point of no return. After it, at any time: the renames (which may have been done in part), and the end. */
int exchange_mark(int at, const struct exchange *exchange, struct error *err);
bool exchange_is_marked(int at, const struct exchange *exchange);
int exchange_swap(int at, const struct exchange *exchange, struct error *err);
void exchange_drop(int at, const struct exchange *exchange); /* before it is marked */
int exchange_end(int at, const struct exchange *exchange, struct error *err);

#endif
