/* world.h - a server under test in a directory of its own: founded, started, looked at from outside, removed.
 *
 * What is measured of a server is measured by the kernel (processor time, memory, files) or by syncs.so, never told by
 * the server. A function that cannot do what it says ends the bench with a sentence: a figure of a broken run is none.
 */
#ifndef ROTA_BENCH_WORLD_H
#define ROTA_BENCH_WORLD_H

#include "wire/keyfile.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum target {
    TARGET_LIMIT,    /* limit.c */
    TARGET_ROTA,     /* rotad as it is shipped: CURVE */
    TARGET_SIGNED,   /* the same, approved by a person's signature */
    TARGET_INSECURE, /* rotad in development mode: no CURVE, one client */
    TARGET_COUNT
};

enum { PRINCIPALS = 8, BENCH_PATH_MAX = 160, BENCH_WORKERS_MAX = 4 };

struct place {                  /* where programs are; absolute paths */
    char build[BENCH_PATH_MAX]; /* holds rotad, rota-verify, tests/bench/... */
    char pack[BENCH_PATH_MAX];
    char self[BENCH_PATH_MAX]; /* this program: also the external worker */
};

struct world {
    enum target target;
    const struct place *place; /* borrowed */
    char directory[BENCH_PATH_MAX];
    pid_t server, workers[BENCH_WORKERS_MAX];
    int worker_count;
    volatile uint64_t *syncs; /* shared with syncs.so */
    uint64_t founded_bytes;   /* on disk before the first command */
    struct keyfile engine, people[PRINCIPALS], worker;
};

struct usage { /* of the server, so far */
    uint64_t cpu_us, syncs;
};

const char *target_name(enum target target);
const char *principal_name(int principal); /* "p0" ... */

void world_found(struct world *world, enum target target, const struct place *place);
double world_start(struct world *world); /* until "ready"; ms */
void world_serve(struct world *world);   /* external workers, as processes */
void world_stop_workers(struct world *world);
void world_stop(struct world *world);   /* SIGTERM, waits */
void world_kill(struct world *world);   /* kill -9 */
void world_remove(struct world *world); /* of everything */

struct usage world_usage(const struct world *world);
double world_peak_mb(const struct world *world); /* resident, at most */
double world_rss_mb(const struct world *world);  /* resident, now */
uint64_t world_bytes(const struct world *world); /* of the journal's files */

/* A DEALER (or SUB) connected to run/NAME with that key; `key` NULL: without CURVE. */
void *world_connect(const struct world *world, void *context, int type, const char *name,
                    const struct keyfile *key);

double now_ms(void); /* monotonic */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
