/* background.h - quick_check on a thread and a read-only connection of its own, after a clean stop.
 *
 * The connection never writes and never checkpoints. The thread shares nothing with the engine's thread but
 * what is in here.
 */
#ifndef ROTA_STORE_BACKGROUND_H
#define ROTA_STORE_BACKGROUND_H

#include "base/error.h"

struct background;

/* Starts the check of the database at `path`; NULL if no thread can be started. */
struct background *background_start(const char *path);
/* 1 it is still running, 0 it found nothing wrong, -1 damage (or it could not read). */
int background_poll(struct background *self, struct error *err);
/* Interrupts if it is running, waits for the thread. NULL is fine. */
void background_stop(struct background **self);

#endif
