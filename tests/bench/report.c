#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

struct figures row_median(const struct row *row, int rounds)
{
    struct figures out;
    double *to = (double *)&out;

    _Static_assert(sizeof out % sizeof(double) == 0, "figures are doubles and nothing else");
    for (size_t f = 0; f < sizeof out / sizeof(double); f++) {
        double values[ROUNDS_MAX];

        for (int r = 0; r < rounds; r++)
            values[r] = ((const double *)&row->runs[r])[f];
        qsort(values, (size_t)rounds, sizeof values[0], by_size);
        to[f] = values[rounds / 2];
    }
    return out;
}

/* The limit's row at the same level, or 0. */
static double limit_of(const struct bench *bench, int in_flight)
{
    for (int i = 0; i < bench->row_count; i++)
        if (bench->rows[i].target == TARGET_LIMIT && bench->rows[i].in_flight == in_flight)
            return row_median(&bench->rows[i], bench->rounds).records_s;
    return 0;
}

static void table_row(const struct bench *bench, const struct row *row)
{
    struct figures figures = row_median(row, bench->rounds);
    double limit = limit_of(bench, row->in_flight);
    char ratio[16] = "-";

    if (limit > 0)
        snprintf(ratio, sizeof ratio, "%.2f", figures.records_s / limit);
    printf("%-14s %9d %9.0f %9s %8.2f %8.2f %8.1f %8.3f %8.2f %8.1f %8.2f\n",
           target_name(row->target), row->in_flight, figures.records_s, ratio,
           figures.command_p50_ms, figures.command_p99_ms, figures.life_p50_ms, figures.cpu_ms,
           figures.syncs, figures.peak_mb, figures.record_kb);
}

static void table_start(const struct start_figures *start)
{
    printf("\nA journal of %lld open records, each but one with a task waiting (made at %.0f a "
           "second)\n",
           (long long)start->records, start->opened_s);
    printf("  ready after a clean stop         %8.0f ms\n", start->stopped_ready_ms);
    printf("  ready after kill -9              %8.0f ms\n", start->killed_ready_ms);
    printf("  an old record advanced after it  %8.0f ms from the start of the process\n",
           start->killed_first_ms);
    printf("  resident, idle, new journal      %8.1f MB\n", start->empty_mb);
    printf("  resident, idle, these records    %8.1f MB\n", start->open_mb);
    if (start->verify_s > 0)
        printf("  rota-verify                      %8.0f entries/s; with the fold of the state "
               "%.0f (%.0f entries)\n",
               start->verified / start->verify_s, start->verified / start->verify_fold_s,
               start->verified);
}

void report_table(const struct bench *bench)
{
    printf("%d cores, Linux %s; fdatasync of a growing file %.0f/s before, %.0f/s after the runs\n",
           bench->machine.cores, bench->machine.kernel, bench->machine.syncs_before,
           bench->machine.syncs_after);
    printf("medians of %d runs of %.1f s, the servers side by side in each round\n\n",
           bench->rounds, bench->seconds);
    printf("%-14s %9s %9s %9s %8s %8s %8s %8s %8s %8s %8s\n", "", "in flight", "records/s",
           "of limit", "p50 ms", "p99 ms", "life ms", "CPU ms", "fsyncs", "peak MB", "disk KB");
    printf("%-14s %9s %9s %9s %8s %8s %8s %8s %8s %8s %8s\n", "", "", "", "", "command", "command",
           "p50", "/record", "/record", "", "/record");
    for (int i = 0; i < bench->row_count; i++) {
        if (i > 0 && bench->rows[i].target != bench->rows[i - 1].target)
            putchar('\n');
        table_row(bench, &bench->rows[i]);
    }
    if (bench->start.records > 0)
        table_start(&bench->start);
}

static void json_row(const struct bench *bench, const struct row *row)
{
    struct figures figures = row_median(row, bench->rounds);
    double limit = limit_of(bench, row->in_flight);

    printf("{\"server\":\"%s\",\"in_flight\":%d,\"records_s\":%.1f,\"of_limit\":%.4f,\"command_p50_"
           "ms\":%.3f,"
           "\"command_p99_ms\":%.3f,\"life_p50_ms\":%.3f,\"cpu_ms\":%.4f,\"fsyncs\":%.3f,\"peak_"
           "mb\":%.1f,"
           "\"disk_kb\":%.3f}",
           target_name(row->target), row->in_flight, figures.records_s,
           limit > 0 ? figures.records_s / limit : 0, figures.command_p50_ms,
           figures.command_p99_ms, figures.life_p50_ms, figures.cpu_ms, figures.syncs,
           figures.peak_mb, figures.record_kb);
}

void report_json(const struct bench *bench)
{
    const struct start_figures *start = &bench->start;

    printf("{\"cores\":%d,\"kernel\":\"%s\",\"fdatasync_s\":[%.0f,%.0f],\"rounds\":%d,\"seconds\":%"
           ".2f,\"rows\":[",
           bench->machine.cores, bench->machine.kernel, bench->machine.syncs_before,
           bench->machine.syncs_after, bench->rounds, bench->seconds);
    for (int i = 0; i < bench->row_count; i++) {
        if (i > 0)
            putchar(',');
        json_row(bench, &bench->rows[i]);
    }
    printf("],\"start\":{\"records\":%lld,\"opened_s\":%.0f,\"ready_after_stop_ms\":%.1f,\"ready_"
           "after_kill_ms\":%.1f,"
           "\"advanced_after_kill_ms\":%.1f,\"idle_empty_mb\":%.1f,\"idle_open_mb\":%.1f,"
           "\"entries\":%.0f,"
           "\"verify_s\":%.3f,\"verify_fold_s\":%.3f}}\n",
           (long long)start->records, start->opened_s, start->stopped_ready_ms,
           start->killed_ready_ms, start->killed_first_ms, start->empty_mb, start->open_mb,
           start->verified, start->verify_s, start->verify_fold_s);
}
