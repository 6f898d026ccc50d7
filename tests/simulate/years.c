/* years.c - scenarios are written, lived through and looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "simulate/report.h"
#include "simulate/years.h"

const char *years_source(void)
{
    const char *root = getenv("ROTA_SOURCE");
    static char here[4096];

    if (root != NULL)
        return root;
    assert_non_null(getcwd(here, sizeof here));
    return here;
}

const char *years_write(struct arena *arena, const char *text)
{
    const char *tmp = getenv("TMPDIR");
    char *path = arena_printf(arena, "%s/scenario.XXXXXX", tmp != NULL ? tmp : "/tmp");
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *years_file(struct arena *arena, const char *rest)
{
    return years_write(arena, arena_printf(arena,
                                           "name = \"Years of a test\"; pack = \"%s/workflows\";\n"
                                           "directory = \"%s/config/sample/directory.cfg\";\n"
                                           "%s\n",
                                           years_source(), years_source(), rest));
}

static void keep(void *self, const struct sim_event *event)
{
    struct years *years = self;
    struct told *one;

    if ((years->count & (years->count - 1)) == 0) {
        years->told = realloc(years->told, sizeof *years->told *
                                               (size_t)(years->count == 0 ? 1 : years->count * 2));
        assert_non_null(years->told);
    }
    one = &years->told[years->count++];
    *one = (struct told){.at_ms = event->at_ms,
                         .what = event->what,
                         .record = arena_str(&years->arena, event->record),
                         .text = arena_str(&years->arena, event->text),
                         .who = arena_str(&years->arena, event->who)};
    one->line = arena_printf(&years->arena, "%s %s %s %s: %s, %s", event->day, event->time,
                             event->record, happened_name(event->what), event->text, event->who);
    buf_addf(&years->all, "%s\n", one->line);
}

struct years *years_live_file(const char *path, int64_t seed)
{
    struct years *years = calloc(1, sizeof *years);
    struct problems problems = PROBLEMS_EMPTY;
    struct simulation_view view = {years, keep, NULL};
    struct scenario scenario;
    struct buf shown = BUF_EMPTY;
    const char *shipped;

    assert_non_null(years);
    shipped = arena_printf(&years->arena, "%s/workflows", years_source());
    if (scenario_load(path, NULL, shipped, &scenario, &problems, &years->err) != 0) {
        problems_show(&problems, &shown);
        print_error("%s%s\n", buf_text(&shown), years->err.text);
        fail();
    }
    if (seed >= 0)
        scenario.seed = seed;
    years->status = simulate(&scenario, &view, &years->tally, &years->err);
    if (years->status == 0)
        report_text(&years->tally, &years->all);
    scenario_release(&scenario);
    problems_release(&problems);
    return years;
}

struct years *years_live(const char *rest, int64_t seed)
{
    struct arena arena = ARENA_EMPTY;
    const char *path = years_file(&arena, rest);
    struct years *years = years_live_file(path, seed);

    unlink(path);
    arena_release(&arena);
    return years;
}

void years_end(struct years *years)
{
    tally_release(&years->tally);
    buf_release(&years->all);
    arena_release(&years->arena);
    free(years->told);
    free(years);
}

const struct told *years_first(const struct years *years, enum happened what, const char *record,
                               const char *text)
{
    for (int i = 0; i < years->count; i++) {
        const struct told *one = &years->told[i];

        if (one->what == what && (record == NULL || strcmp(one->record, record) == 0) &&
            (text == NULL || strstr(one->text, text) != NULL))
            return one;
    }
    return NULL;
}

int years_count(const struct years *years, enum happened what, const char *record, const char *text)
{
    int count = 0;

    for (int i = 0; i < years->count; i++) {
        const struct told *one = &years->told[i];

        count += one->what == what && (record == NULL || strcmp(one->record, record) == 0) &&
                 (text == NULL || strstr(one->text, text) != NULL);
    }
    return count;
}
