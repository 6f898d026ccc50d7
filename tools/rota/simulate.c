/* simulate.c - `rota simulate`: what would happen, day by day, and what it comes to. Needs no engine. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "simulate/chart.h"
#include "simulate/report.h"
#include "simulate/simulate.h"

#include "commands.h"
#include "packs.h"

struct account { /* of what happens, as it is told */
    struct output *out;
    struct arena *arena;
    bool is_quiet, shows_progress;
    char day[16]; /* the day that was last named */
    int32_t first, last;
};

static enum ink ink_of(enum happened what)
{
    switch (what) {
    case HAPPENED_REVIEW:
    case HAPPENED_REMINDER:
    case HAPPENED_GATE:
        return INK_WAIT;
    case HAPPENED_ESCALATION:
    case HAPPENED_OVERDUE:
    case HAPPENED_REFUSAL:
        return INK_BAD;
    case HAPPENED_VOTE:
    case HAPPENED_OPENED:
        return INK_GOOD;
    case HAPPENED_ACK:
    case HAPPENED_EDIT:
    case HAPPENED_TASK:
        return INK_DIM;
    case HAPPENED_EVENT:
    case HAPPENED_PEOPLE:
        return INK_NONE;
    }
    return INK_NONE;
}

static void print_json(struct account *account, const struct sim_event *event)
{
    struct value line = value_map();
    char moment[MOMENT_TEXT_MAX];

    moment_format(event->at_ms, moment);
    value_set(account->arena, &line, "at", value_str(moment));
    value_set(account->arena, &line, "day", value_text(slice_of(event->day, 10)));
    value_set(account->arena, &line, "time", value_str(event->time));
    value_set(account->arena, &line, "what", value_str(happened_name(event->what)));
    value_set(account->arena, &line, "record", value_str(event->record));
    value_set(account->arena, &line, "who", value_str(event->who));
    value_set(account->arena, &line, "text", value_str(event->text));
    output_json(account->out, &line);
}

/* What the text itself does not say: a reminder and an escalation are the same message to others. */
static const char *label_of(enum happened what)
{
    return what == HAPPENED_REMINDER     ? "reminder: "
           : what == HAPPENED_ESCALATION ? "escalation: "
                                         : "";
}

static void print_line(struct account *account, const struct sim_event *event)
{
    bool is_told = event->what == HAPPENED_REMINDER || event->what == HAPPENED_ESCALATION;

    if (strcmp(account->day, event->day) != 0) {
        snprintf(account->day, sizeof account->day, "%s", event->day);
        output_line(account->out, INK_BOLD, "%s", event->day);
    }
    output_line(account->out, ink_of(event->what), "  %s  %-14s %s%s%s%s", event->time,
                event->record, label_of(event->what), event->text,
                event->who[0] == '\0' ? ""
                : is_told             ? " to "
                                      : ", ",
                event->who);
}

static void told(void *self, const struct sim_event *event)
{
    struct account *account = self;

    if (account->out->json)
        print_json(account, event);
    else
        print_line(account, event);
    arena_clear(account->arena);
}

static void day_begins(void *self, int32_t day, const struct simulation *simulation)
{
    struct account *account = self;
    int year, month, date;

    date_parts(day, &year, &month, &date);
    if (!account->shows_progress || date != 1 || account->last <= account->first)
        return;
    fprintf(stderr, "\r%04d-%02d  %3d %%  %llu leaves ", year, month,
            (day - account->first) * 100 / (account->last - account->first),
            (unsigned long long)simulation_leaves(simulation));
    fflush(stderr);
}

static int say_problems(struct tool *tool, const char *path, const struct problems *problems,
                        const struct error *err)
{
    struct buf shown = BUF_EMPTY;

    if (problems->count > 0)
        problems_show(problems, &shown);
    fputs(buf_text(&shown), stderr);
    buf_release(&shown);
    return problems->errors > 0
               ? tool_fail(TOOL_INPUT, "the scenario is wrong in %d %s", problems->errors,
                           problems->errors == 1 ? "place" : "places")
           : access(path, F_OK) != 0 ? tool_fail(TOOL_INPUT, "there is no file %s%s", path,
                                                 nearest_path(&tool->arena, path))
                                     : tool_error(TOOL_INPUT, err);
}

static int apply_options(struct scenario *scenario, const struct arguments *given)
{
    const char *seed = arguments_get(given, "--seed"), *until = arguments_get(given, "--until");
    struct error err = {ERROR_NONE, ""};
    char *end;

    if (seed != NULL) {
        errno = 0;
        scenario->seed = strtoll(seed, &end, 10);
        if (errno != 0 || *seed == '\0' || *end != '\0')
            return tool_usage(given, "--seed takes a whole number, not \"%s\"", seed);
    }
    if (until != NULL && scenario_until(scenario, until, &err) != 0)
        return tool_usage(given, "--until: %s", err.text);
    return TOOL_DONE;
}

static int write_chart(const struct tally *tally, const char *path)
{
    struct buf svg = BUF_EMPTY;
    FILE *file = fopen(path, "wb");
    int status = TOOL_DONE;

    if (file == NULL)
        return tool_fail(TOOL_INPUT, "%s: %s", path, strerror(errno));
    chart_svg(tally, &svg);
    if (fwrite(svg.at, 1, svg.len, file) != svg.len)
        status = tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
    if (fclose(file) != 0 && status == TOOL_DONE)
        status = tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
    buf_release(&svg);
    return status;
}

static void print_summary(struct tool *tool, const struct tally *tally)
{
    struct buf text = BUF_EMPTY;
    struct value summary;

    if (tool->out.json) {
        struct value line = value_map();

        summary = report_value(tally, &tool->arena);
        value_set(&tool->arena, &line, "summary", summary);
        output_json(&tool->out, &line);
        return;
    }
    report_text(tally, &text);
    fprintf(tool->out.to, "%s", buf_text(&text));
    buf_release(&text);
}

static int live(struct tool *tool, struct scenario *scenario, const struct arguments *given)
{
    struct arena lines = ARENA_EMPTY;
    bool is_quiet = arguments_have(given, "--quiet");
    struct account account = {.out = &tool->out,
                              .arena = &lines,
                              .first = (int32_t)(scenario->start_ms / 86400000),
                              .last = (int32_t)(scenario->end_ms / 86400000)};
    struct simulation_view view = {&account, is_quiet ? NULL : told, day_begins};
    const char *chart = arguments_get(given, "--chart");
    struct tally tally;
    struct error err = {ERROR_NONE, ""};
    int status = TOOL_DONE;

    account.shows_progress = isatty(STDERR_FILENO) && (is_quiet || !isatty(STDOUT_FILENO));
    if (simulate(scenario, &view, &tally, &err) != 0)
        status = tool_error(err.class == ERROR_DAMAGED ? TOOL_INTERNAL : TOOL_INPUT, &err);
    if (account.shows_progress)
        fprintf(stderr, "\r%40s\r", "");
    arena_release(&lines);
    if (status != TOOL_DONE)
        return status;
    if (!is_quiet && !tool->out.json)
        output_blank(&tool->out);
    print_summary(tool, &tally);
    if (chart != NULL)
        status = write_chart(&tally, chart);
    tally_release(&tally);
    return status;
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct problems problems = PROBLEMS_EMPTY;
    struct error err = {ERROR_NONE, ""};
    struct scenario scenario;
    int status;

    if (scenario_load(given->words[0], arguments_get(given, "--pack"), packs_usual(tool), &scenario,
                      &problems, &err) != 0)
        status = say_problems(tool, given->words[0], &problems, &err);
    else
        status = apply_options(&scenario, given);
    if (status == TOOL_DONE)
        status = live(tool, &scenario, given);
    scenario_release(&scenario);
    problems_release(&problems);
    return status;
}

static const struct tool_option options[] = {
    {"--pack", "DIR", "with these workflows instead of the scenario's, or the organisation's"},
    {"--seed", "N", "draw everything anew, from this number"},
    {"--until", "WHEN", "end there: 2028-02-29, or a span from the start like \"18 months\""},
    {"--quiet", NULL, "the summary alone"},
    {"--chart", "FILE", "an SVG picture: what each person did each month, what was overdue"},
    {NULL, NULL, NULL},
};

const struct tool_command command_simulate = {
    "simulate",
    "definitions",
    "SCENARIO",
    "years in seconds: what would happen with these workflows and people",
    "Lives through a scenario with the engine's own rules, in virtual time: documents are written, "
    "approved, reviewed; people "
    "are away or forget, and are reminded; programs fail. Prints what happens day by day, then "
    "what it comes to: reviews, "
    "reminders, escalations, overdue work, and the load of each person. Nothing is written but the "
    "chart; no engine is "
    "needed. The same scenario and seed give the same years.\n\n"
    "    rota simulate config/sample/scenarios/three_years.cfg\n"
    "    rota simulate three_years.cfg --quiet --seed 7 --chart load.svg\n"
    "    rota simulate three_years.cfg --quiet --pack changed-workflows\n"
    "    rota simulate three_years.cfg --json | jq 'select(.what == \"escalation\")'",
    options,
    1,
    1,
    false,
    run};
