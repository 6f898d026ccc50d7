/* background.h - quick_check on a thread and a read-only connection of its own, after a clean stop.
 *
 * It gives way to the engine's thread: its processor time and its reads come last.
 *
 * The connection never writes and never checkpoints. The thread shares nothing with the engine's thread but
 * what is in here.
 */
#ifndef ROTA_STORE_BACKGROUND_H
#define ROTA_STORE_BACKGROUND_H

#include "base/error.h"

#include <sqlite3.h>
#include <stdatomic.h>

struct background;

/* Reads the database once from its beginning to its end, if half of the memory holds it: quick_check goes through the pages
 * in the order of its trees, which is no order on the disk. Of a cold file with a gigabyte that took more than a minute, the
 * check after this a few seconds. Ends early when `must_end` (or NULL) is not 0. */
void background_read_through(sqlite3 *db, const atomic_int *must_end);

/* Starts the check of the database at `path`; NULL if no thread can be started. */
struct background *background_start(const char *path);
/* 1 it is still running, 0 it found nothing wrong, -1 damage (or it could not read). */
int background_poll(struct background *self, struct error *err);
/* Interrupts if it is running, waits for the thread. NULL is fine. */
void background_stop(struct background **self);

#endif
