/* load.h - drives records through their lives against one server, a fixed number in flight, and measures.
 *
 *     open -> submit -> (worker: approve) -> put_in_force -> (worker: tell) -> review -> change -> the next record
 *
 * Seven durable steps and two worker round trips. With TARGET_SIGNED the worker hands the request over and a second
 * principal asks what is to be signed (a query), signs and approves: eight durable steps. The next step leaves when the one
 * before was acknowledged; that a task is done is heard on the feed.
 */
#ifndef ROTA_BENCH_LOAD_H
#define ROTA_BENCH_LOAD_H

#include "world.h"

enum { IN_FLIGHT_MAX = 256 };

struct figures { /* of one run */
    double records_s;
    double command_p50_ms, command_p99_ms, life_p50_ms;
    double cpu_ms, syncs; /* of the server, per record */
    double peak_mb, record_kb;
};

/* Warms up, measures for `seconds`; with `lives` drives that many records from the first to the last and no more, and
 * measures them all. The server runs and is served by workers; record_kb is left to the caller, who has to
 * know the number of all records. */
void load_run(const struct world *world, int in_flight, double seconds, int64_t lives,
              struct figures *out, uint64_t *records);

/* One person opens that many records and submits all but the last; workers are not needed. */
void load_open(const struct world *world, int64_t records);

/* One person opens that many records and leaves them as they are. */
void load_park(const struct world *world, int64_t records);

/* Submits that record (BEN-n) of load_open(); the moment of the answer. */
double load_submit(const struct world *world, int64_t record);

/* Asks for the status of the server and waits for the answer. */
void load_await(const struct world *world);

#endif
