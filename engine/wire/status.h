/* status.h - one table: code, status number, the sentence that goes with it.
 *
 * Codes are stable words for programs; sentences are for people and may change.
 */
#ifndef ROTA_WIRE_STATUS_H
#define ROTA_WIRE_STATUS_H

#include "base/slice.h"

struct status {
    int number;           /* 200 .. 599 */
    const char *code;     /* stable, unique */
    const char *sentence; /* for a person */
};

/* The entry of a code, NULL if there is none. */
const struct status *status_of_code(struct slice code);
/* The first entry with that number, NULL if there is none. */
const struct status *status_of_number(int number);
/* All entries, in order of number; *count of them. */
const struct status *status_table(size_t *count);

#endif
