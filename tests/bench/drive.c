/* drive.c - `make bench`: the limit and rotad, side by side on this machine.
 *
 *     drive BUILD PACK [--json] [--only NAME] [--in-flight N] [--lives N]
 *     drive BUILD PACK --parked N
 *
 * $BENCH_SECONDS is the length of a run (2), $BENCH_ROUNDS the number of runs of which the median counts (3),
 * $BENCH_RECORDS the open records of the start-up part (10000; 0 leaves it out). --only limit, rota, signed or
 * insecure drives that server alone, without the start-up part, --in-flight one level alone, --lives so many
 * whole records instead of so many seconds: for a profiler, and to count instructions by the record.
 *
 * Nothing here asserts a time.
 */
#include "park.h"
#include "start.h"
#include "worker.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const int LEVEL[LEVELS] = {1, 16, 256};
static const char *const ONLY[TARGET_COUNT] = {"limit", "rota", "signed", "insecure"};

struct plan {
    struct place place;
    bool json;
    const char *only; /* or NULL */
    int in_flight;    /* 0: every level */
    int64_t records;
    int64_t lives;  /* 0: BENCH_SECONDS end a run; else so many records */
    int64_t parked; /* 0: the usual table; else park.h with so many */
};

static double number_from(const char *name, double fallback)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? strtod(text, NULL) : fallback;
}

/* ---- the machine ---- */

/* A page is added to a file and synced, for half a second: what every durable step costs here at least. */
static double measure_syncs(void)
{
    static const char page[4096];
    char path[BENCH_PATH_MAX];
    const char *tmp = getenv("TMPDIR");
    double began, took = 0;
    int fd, count = 0;

    snprintf(path, sizeof path, "%s/rota-bench.XXXXXX", tmp != NULL ? tmp : "/tmp");
    fd = mkstemp(path);
    if (fd < 0)
        fail("%s cannot be made", path);
    for (began = now_ms(); took < 500; took = now_ms() - began) {
        if (write(fd, page, sizeof page) != (ssize_t)sizeof page || fdatasync(fd) != 0)
            fail("%s cannot be written", path);
        count++;
    }
    close(fd);
    unlink(path);
    return count / took * 1000;
}

static void look_at_machine(struct machine *machine)
{
    struct utsname name;

    machine->cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(machine->kernel, sizeof machine->kernel, "%.100s",
             uname(&name) == 0 ? name.release : "?");
    machine->syncs_before = measure_syncs();
}

/* ---- runs ---- */

static void run_once(const struct plan *plan, struct row *row, int round, double seconds)
{
    struct world world;
    uint64_t records = 0;

    world_found(&world, row->target, &plan->place);
    world_start(&world);
    world_serve(&world);
    load_run(&world, row->in_flight, seconds, plan->lives, &row->runs[round], &records);
    world_stop_workers(&world);
    world_stop(&world);
    /* When the time is up, those in flight are half way; so many lives are all of them whole. */
    if (plan->lives == 0)
        records += (uint64_t)row->in_flight / 2;
    row->runs[round].record_kb =
        (double)(world_bytes(&world) - world.founded_bytes) / 1024 / (double)records;
    world_remove(&world);
}

static void add_rows(const struct plan *plan, struct bench *bench)
{
    for (int t = 0; t < TARGET_COUNT; t++) {
        if (plan->only != NULL && strcmp(plan->only, ONLY[t]) != 0)
            continue;
        for (int l = 0; l < LEVELS; l++) {
            int in_flight = LEVEL[l];

            if (plan->in_flight != 0 && plan->in_flight != in_flight)
                continue;
            /* One principal may have 64 requests unanswered. */
            if (t == TARGET_INSECURE && in_flight > 64)
                in_flight = 64;
            bench->rows[bench->row_count++] =
                (struct row){.target = (enum target)t, .level = l, .in_flight = in_flight};
        }
    }
}

static void run_rounds(const struct plan *plan, struct bench *bench)
{
    for (int round = 0; round < bench->rounds; round++) {
        for (int level = 0; level < LEVELS; level++) {
            for (int i = 0; i < bench->row_count; i++) {
                if (bench->rows[i].level != level)
                    continue;
                if (isatty(STDERR_FILENO))
                    fprintf(stderr, "\rround %d of %d: %-14s with %3d in flight ", round + 1,
                            bench->rounds, target_name(bench->rows[i].target),
                            bench->rows[i].in_flight);
                run_once(plan, &bench->rows[i], round, bench->seconds);
            }
        }
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%60s\r", "");
}

/* ---- */

static void take_place(struct place *place, const char *build, const char *pack)
{
    char whole[PATH_MAX];
    ssize_t len;

    if (realpath(build, whole) == NULL || strlen(whole) >= BENCH_PATH_MAX)
        fail("%s is no folder", build);
    memcpy(place->build, whole, strlen(whole) + 1);
    if (realpath(pack, whole) == NULL || strlen(whole) >= BENCH_PATH_MAX)
        fail("%s is no folder", pack);
    memcpy(place->pack, whole, strlen(whole) + 1);
    len = readlink("/proc/self/exe", place->self, sizeof place->self - 1);
    if (len <= 0)
        fail("/proc/self/exe cannot be read");
    place->self[len] = '\0';
}

static int usage(void)
{
    fputs("usage: drive BUILD PACK [--json] [--only limit|rota|signed|insecure] [--in-flight "
          "1|16|256] [--lives N]\n"
          "       drive BUILD PACK --parked RECORDS\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct plan plan = {.records = (int64_t)number_from("BENCH_RECORDS", 10000)};

    if (argc == 6 && strcmp(argv[1], "--worker") == 0)
        return worker_main(argv[2], argv[3], argv[4], argv[5]);
    if (argc < 3)
        return usage();
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            plan.json = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            plan.only = argv[++i];
        else if (strcmp(argv[i], "--in-flight") == 0 && i + 1 < argc)
            plan.in_flight = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--lives") == 0 && i + 1 < argc)
            plan.lives = (int64_t)strtoll(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--parked") == 0 && i + 1 < argc)
            plan.parked = (int64_t)strtoll(argv[++i], NULL, 10);
        else
            return usage();
    }
    take_place(&plan.place, argv[1], argv[2]);
    bench.seconds = number_from("BENCH_SECONDS", 2);
    bench.rounds = (int)number_from("BENCH_ROUNDS", 3);
    if (bench.rounds < 1 || bench.rounds > ROUNDS_MAX || bench.seconds <= 0)
        return usage();
    if (plan.parked > PARK_FEW) {
        park_measure(&plan.place, plan.parked, bench.rounds, bench.seconds);
        return 0;
    }
    look_at_machine(&bench.machine);
    add_rows(&plan, &bench);
    if (bench.row_count == 0)
        return usage();
    run_rounds(&plan, &bench);
    if (plan.records > 0 && plan.only == NULL && plan.in_flight == 0)
        start_measure(&plan.place, plan.records, &bench.start);
    bench.machine.syncs_after = measure_syncs();
    if (plan.json)
        report_json(&bench);
    else
        report_table(&bench);
    return 0;
}
