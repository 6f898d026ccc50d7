/* restore.h - a copy of the journal takes its place.
 *
 * Where the copy holds all that was ever signed (`signed_path` of journal.h), the journal goes on under its name. Where it does not,
 * going on under that name would make a second history: what others hold of the first would contradict it. Then the copy
 * gets a new origin first, and the checkpoints of the old one stay behind with the file that it was made from; what is under
 * them stays in the journal.
 *
 *     begin --> (open journal in restore_directory(): is anything missing?) --> [rename, append an entry] --> place --> end
 *
 * It can be interrupted anywhere and run again. What stood there is kept as journal.db.before-restore.N.
 */
#ifndef ROTA_STORE_RESTORE_H
#define ROTA_STORE_RESTORE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

struct restore;

/* Takes the lock of `directory`, in which no engine may be running, copies the journal in `file` and checks each entry of
 * the copy. Nothing is copied or checked where an interrupted restore has come past restore_place(): see restore_is_placed(). */
int restore_begin(const char *directory, const char *file, struct restore **out, struct error *err);
bool restore_is_placed(const struct restore *restore);

/* Where the copy lies until it is placed, and the file beside it for `signed_path` of a journal that was renamed. */
const char *restore_directory(const struct restore *restore);
const char *restore_signed_path(const struct restore *restore);

/* How many entries the journal has that still stands in the place, if it can be read and has this origin; else 0. */
uint64_t restore_in_place(const struct restore *restore, const char *origin);

/* The closed copy gets this origin, from its next entry on, which must say so in its body (`origin`); its checkpoints and
 * leases go. */
int restore_rename(struct restore *restore, const char *origin, struct error *err);

/* The closed copy becomes the journal. From here on only restore_end() is left, which takes the rest away. */
int restore_place(struct restore *restore, struct error *err);
int restore_end(struct restore *restore, struct error *err);

/* Gives the lock back. What was not placed is thrown away. */
void restore_release(struct restore **restore);

#endif
