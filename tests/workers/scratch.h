/* scratch.h - a folder of one test, removed with all that is in it. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include "base/buf.h"

void scratch_make(char path[64]);
void scratch_remove(const char *path);
void scratch_write(const char *folder, const char *name, const char *text);
/* The text of folder/name; owned by `out`. -1 if there is none. */
int scratch_read(const char *folder, const char *name, struct buf *out);
/* How many files are in a folder, and the name of one of them (may be NULL). */
int scratch_count(const char *folder, char name[256]);

#endif
