/* small_file.h - a file that is read at once and replaced at once, such as the newest checkpoint that a log key signed. */
#ifndef ROTA_STORE_SMALL_FILE_H
#define ROTA_STORE_SMALL_FILE_H

#include "base/buf.h"
#include "base/error.h"

enum { SMALL_FILE_MAX = 65536 };

/* Appends what is in it to `out`: 1, 0 there is no such file, -1 ERROR_IO (ERROR_INPUT: larger than SMALL_FILE_MAX). */
int small_file_read(const char *path, struct buf *out, struct error *err);

/* Replaces it, whole or not at all; its mode stays, a new one is for its owner alone. A power cut may bring the one before
 * back, never none and never a part. ERROR_FULL, ERROR_IO. */
int small_file_replace(const char *path, struct slice bytes, struct error *err);

#endif
