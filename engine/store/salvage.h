/* salvage.h - after a failed fsync: a journal on fresh blocks.
 *
 * When fsync fails, what was written may be in memory only, and Linux forgets that it is not on the disk. As long
 * as the machine runs, reading still gives it. So the files are read and written anew, synced, opened, recovered
 * and checked leaf by leaf, and only then put in the place of the old ones, which are kept as
 * journal.db.before-salvage.N. It can be interrupted anywhere and run again.
 */
#ifndef ROTA_STORE_SALVAGE_H
#define ROTA_STORE_SALVAGE_H

#include "base/error.h"

/* No engine may be running on `directory`. On an error the journal there is what it was before. */
int journal_salvage(const char *directory, struct error *err);

#endif
