/* report.h - what a bench found, as a table for people or one JSON object. */
#ifndef ROTA_BENCH_REPORT_H
#define ROTA_BENCH_REPORT_H

#include "load.h"

enum { LEVELS = 3, ROUNDS_MAX = 9 };

struct machine {
    int cores;
    char kernel[128];
    double syncs_before, syncs_after; /* fdatasync of a growing file, per second */
};

struct row { /* one server at one level: a figure of each round */
    enum target target;
    int level, in_flight;
    struct figures runs[ROUNDS_MAX];
};

struct start_figures {
    int64_t records;                         /* open ones */
    double opened_s;                         /* records opened and submitted per second */
    double killed_ready_ms, killed_first_ms; /* from the start of the process */
    double stopped_ready_ms;
    double empty_mb, open_mb; /* resident after the start: with no records, with these */
    double verified, verify_s,
        verify_fold_s; /* entries; seconds without and with the fold of the state */
};

struct bench {
    struct machine machine;
    struct row rows[TARGET_COUNT * LEVELS];
    int row_count, rounds;
    double seconds;
    struct start_figures start;
};

/* Each figure by itself: its median over the rounds. */
struct figures row_median(const struct row *row, int rounds);

void report_table(const struct bench *bench);
void report_json(const struct bench *bench);

#endif
