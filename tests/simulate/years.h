/* years.h - scenarios of the tests: written to a file of their own, lived through, and all that was told kept. */
#ifndef ROTA_TESTS_SIMULATE_YEARS_H
#define ROTA_TESTS_SIMULATE_YEARS_H

#include "simulate/simulate.h"

struct told {
    int64_t at_ms;
    enum happened what;
    char *line; /* "2027-02-03 Wed 09:14 SCP-0001@1.0 reminder: ..., who" */
    char *record, *text, *who;
};

struct years {
    struct arena arena;
    struct told *told;
    int count;
    struct tally tally;
    struct error err;
    struct buf all; /* every line, and the summary */
    int status;     /* of simulate() */
};

/* The folder that holds workflows/ and config/. */
const char *years_source(void);

/* A scenario's text: what every one begins with (pack and directory of this source), then `rest`. Gives the path of the
 * file, in `arena`; it lies in TMPDIR and is removed by years_end(). */
const char *years_file(struct arena *arena, const char *rest);

/* A file in TMPDIR that holds this text; the test removes it. */
const char *years_write(struct arena *arena, const char *text);

/* Loads and lives through it; `seed` < 0: the scenario's. Ends the test if the scenario is wrong. */
struct years *years_live(const char *rest, int64_t seed);
struct years *years_live_file(const char *path, int64_t seed);
void years_end(struct years *years);

/* How many lines of this sort have this record (NULL: any) and hold this text (NULL: any). */
int years_count(const struct years *years, enum happened what, const char *record,
                const char *text);
const struct told *years_first(const struct years *years, enum happened what, const char *record,
                               const char *text);

#endif
