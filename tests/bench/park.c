#include "park.h"

#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SIDES = 2, LOADS = 2, SETTLE_MS = 1500 };

static const int IN_FLIGHT[LOADS] = {16, 256};

struct side {
    struct world world;
    int64_t records;
    double opened_s; /* records a second, while it was filled */
    double stopped_ms[ROUNDS_MAX], killed_ms[ROUNDS_MAX], first_ms[ROUNDS_MAX];
    double idle_mb[ROUNDS_MAX], peak_mb[ROUNDS_MAX];
    double records_s[LOADS][ROUNDS_MAX];
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(const double *figures, int count)
{
    double sorted[ROUNDS_MAX];

    memcpy(sorted, figures, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_size);
    return sorted[count / 2];
}

static void fill(struct side *side, const struct place *place, int64_t records)
{
    double began;

    side->records = records;
    world_found(&side->world, TARGET_ROTA, place);
    world_start(&side->world);
    began = now_ms();
    load_park(&side->world, records);
    side->opened_s = (double)records / (now_ms() - began) * 1000;
    world_stop(&side->world);
    sync(); /* what the filling left to be written is not part of what is measured */
}

static void drive(struct side *side, int which, int round, double seconds)
{
    struct figures figures = {0};
    uint64_t done = 0;

    world_serve(&side->world);
    load_run(&side->world, IN_FLIGHT[which], seconds, 0, &figures, &done);
    world_stop_workers(&side->world);
    side->records_s[which][round] = figures.records_s;
    if (figures.peak_mb > side->peak_mb[round])
        side->peak_mb[round] = figures.peak_mb;
}

/* The loads come after the kill: then the file was checked before the start, and no check runs beside them. */
static void run_round(struct side *side, int round, double seconds)
{
    double began;

    side->peak_mb[round] = 0;
    side->stopped_ms[round] = world_start(&side->world);
    nanosleep(&(struct timespec){SETTLE_MS / 1000, SETTLE_MS % 1000 * 1000000}, NULL);
    side->idle_mb[round] = world_rss_mb(&side->world);
    world_kill(&side->world);
    began = now_ms();
    side->killed_ms[round] = world_start(&side->world);
    side->first_ms[round] = load_submit(&side->world, side->records - round) - began;
    for (int i = 0; i < LOADS; i++)
        drive(side, i, round, seconds);
    world_stop(&side->world);
}

static void print_line(const char *name, const double few, const double many, const char *unit)
{
    printf("%-34s %12.1f %12.1f %s\n", name, few, many, unit);
}

static void print(const struct side sides[SIDES], int rounds)
{
    const struct side *few = &sides[0], *many = &sides[1];

    printf("%-34s %12lld %12lld\n", "records at rest", (long long)few->records,
           (long long)many->records);
    print_line("opened, a second", few->opened_s, many->opened_s, "");
    print_line("journal", (double)world_bytes(&few->world) / 1e6,
               (double)world_bytes(&many->world) / 1e6, "MB");
    print_line("ready after a clean stop", median(few->stopped_ms, rounds),
               median(many->stopped_ms, rounds), "ms");
    print_line("ready after kill -9", median(few->killed_ms, rounds),
               median(many->killed_ms, rounds), "ms");
    print_line("first old one advanced after that", median(few->first_ms, rounds),
               median(many->first_ms, rounds), "ms");
    print_line("memory, idle", median(few->idle_mb, rounds), median(many->idle_mb, rounds), "MB");
    print_line("memory, at most under load", median(few->peak_mb, rounds),
               median(many->peak_mb, rounds), "MB");
    for (int i = 0; i < LOADS; i++) {
        char name[64];

        snprintf(name, sizeof name, "records/s, %d in flight", IN_FLIGHT[i]);
        print_line(name, median(few->records_s[i], rounds), median(many->records_s[i], rounds), "");
    }
}

void park_measure(const struct place *place, int64_t records, int rounds, double seconds)
{
    static struct side sides[SIDES];

    fill(&sides[0], place, PARK_FEW);
    fill(&sides[1], place, records);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < SIDES; i++)
            run_round(&sides[i], round, seconds);
    }
    print(sides, rounds);
    for (int i = 0; i < SIDES; i++)
        world_remove(&sides[i].world);
}
