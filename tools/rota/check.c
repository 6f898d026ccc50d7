/* check.c - `rota check`: is a pack sound? Everything that is wrong with it, each with its place, without an engine. */
#include <sys/stat.h>
#include <time.h>

#include "check.h"
#include "ask.h"
#include "commands.h"
#include "packs.h"
#include "definition/pack.h"
#include "definition/prove.h"

struct checking {
    struct tool *tool;
    const char *directory; /* of the pack */
    bool is_strict;        /* warnings refuse, too */
    struct problems problems;
    struct pack *pack;    /* NULL: it has errors */
    struct people people; /* who there is, if it was asked for */
    bool has_people;
    int64_t took_us;
};

static int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_directory(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* The one that was named; else the organisation's; else the workflows that the programs came with, as `init` takes
 * them. */
static int find_pack(struct checking *c, const struct arguments *given)
{
    static const char *const names[] = {"pack", "workflows"};

    if (given->word_count == 1) {
        c->directory = given->words[0];
        return TOOL_DONE;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        c->directory = tool_path(c->tool, names[i]);
        if (is_directory(c->directory))
            return TOOL_DONE;
    }
    return tool_fail(TOOL_INPUT, "%s has neither pack/ nor workflows/; name the pack's directory",
                     c->tool->dir);
}

/* ---- who there is ---- */

static int drop_away(struct checking *c, const char *names)
{
    char *name = names != NULL ? strtok(arena_str(&c->tool->arena, names), ", ") : NULL;

    for (; name != NULL; name = strtok(NULL, ", ")) {
        if (!people_drop(&c->people, name))
            return tool_fail(TOOL_INPUT, "--away: there is nobody named %s", name);
    }
    return TOOL_DONE;
}

static int find_people(struct checking *c, const struct arguments *given)
{
    const char *file = arguments_get(given, "--directory"), *away = arguments_get(given, "--away");
    struct error err = {ERROR_NONE, ""};
    struct timespec now;
    struct value list;
    int status = TOOL_DONE, rc = 0;

    c->has_people = file != NULL || arguments_have(given, "--people");
    if (away != NULL && !c->has_people)
        return tool_usage(given, "--away needs --directory or --people: away from whom?");
    if (file != NULL) {
        rc = people_read(file, &c->tool->arena, &c->people, &err);
    } else if (c->has_people) {
        status = ask_query(c->tool, "people", value_map(), &list);
        clock_gettime(CLOCK_REALTIME, &now);
        if (status == TOOL_DONE)
            rc = people_take(&list, (int64_t)now.tv_sec * 1000, &c->tool->arena, &c->people, &err);
    }
    if (rc != 0)
        return tool_error(TOOL_INPUT, &err);
    return status == TOOL_DONE ? drop_away(c, away) : status;
}

/* ---- what came of it ---- */

static int warnings(const struct checking *c)
{
    return c->problems.count - c->problems.errors;
}

static void print_problem(struct checking *c, const struct problem *problem)
{
    struct output *out = &c->tool->out;
    struct buf text = BUF_EMPTY;

    problem_show(problem, &text);
    output_line(out, problem->severity == PROBLEM_ERROR ? INK_BAD : INK_WAIT, "%s%s%.*s",
                problem->file[0] != '\0' ? c->directory : "", problem->file[0] != '\0' ? "/" : "",
                (int)(text.len - 1), (const char *)text.at);
    buf_release(&text);
}

static void put_problem(struct checking *c, const struct problem *problem)
{
    struct arena *arena = &c->tool->arena;
    struct value line = value_map();

    value_set(arena, &line, "severity",
              value_str(problem->severity == PROBLEM_ERROR ? "error" : "warning"));
    value_set(arena, &line, "file", value_str(problem->file));
    value_set(arena, &line, "line", value_int(problem->line));
    if (problem->column > 0)
        value_set(arena, &line, "column", value_int(problem->column));
    value_set(arena, &line, "text", value_str(problem->text));
    if (problem->kind != NULL)
        value_set(arena, &line, "kind", value_str(problem->kind));
    if (problem->more_kinds > 0)
        value_set(arena, &line, "more_kinds", value_int(problem->more_kinds));
    output_json(&c->tool->out, &line);
}

struct size {
    int kinds, states, transitions, timers, rules;
};

static struct size size_of(const struct pack *pack)
{
    struct size size = {pack->kind_count, 0, 0, 0, pack->rule_count};

    for (int i = 0; i < pack->kind_count; i++) {
        size.states += pack->kinds[i].lifecycle->state_count;
        size.transitions += pack->kinds[i].lifecycle->transition_count;
        size.timers += pack->kinds[i].lifecycle->timer_count;
    }
    return size;
}

static void put_summary(struct checking *c)
{
    struct arena *arena = &c->tool->arena;
    struct value line = value_map();
    struct size size;

    value_set(arena, &line, "pack", value_str(c->directory));
    value_set(arena, &line, "errors", value_int(c->problems.errors));
    value_set(arena, &line, "warnings", value_int(warnings(c)));
    value_set(arena, &line, "took_us", value_int(c->took_us));
    if (c->pack != NULL) {
        size = size_of(c->pack);
        value_set(arena, &line, "kinds", value_int(size.kinds));
        value_set(arena, &line, "states", value_int(size.states));
        value_set(arena, &line, "transitions", value_int(size.transitions));
        value_set(arena, &line, "timers", value_int(size.timers));
        value_set(arena, &line, "rules", value_int(size.rules));
    }
    output_json(&c->tool->out, &line);
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

static void print_summary(struct checking *c)
{
    struct output *out = &c->tool->out;
    int ms = (int)(c->took_us / 1000);
    struct size size;

    if (c->problems.errors > 0) {
        output_line(out, INK_BAD, "%s is refused: %d error%s, %d warning%s (%d ms)", c->directory,
                    c->problems.errors, plural(c->problems.errors), warnings(c),
                    plural(warnings(c)), ms);
        return;
    }
    size = size_of(c->pack);
    output_line(out, INK_GOOD,
                "%s is sound: %d kind%s with %d states, %d transitions and %d timers; %d rule%s; "
                "%d warning%s (%d ms)",
                c->directory, size.kinds, plural(size.kinds), size.states, size.transitions,
                size.timers, size.rules, plural(size.rules), warnings(c), plural(warnings(c)), ms);
}

static int report(struct checking *c)
{
    bool json = c->tool->out.json;

    for (int i = 0; i < c->problems.count; i++) {
        if (json)
            put_problem(c, &c->problems.at[i]);
        else
            print_problem(c, &c->problems.at[i]);
    }
    if (json)
        put_summary(c);
    else
        print_summary(c);
    return c->problems.errors > 0 || (c->is_strict && warnings(c) > 0) ? TOOL_REFUSED : TOOL_DONE;
}

int check_quietly(struct tool *tool, const char *directory)
{
    struct checking c = {.tool = tool, .directory = directory};
    struct error err = {ERROR_NONE, ""};
    int status = TOOL_DONE;

    if (pack_load(directory, &c.pack, &c.problems, &err) != 0)
        status = c.problems.count == 0 ? packs_error(directory, &err) : report(&c);
    problems_release(&c.problems);
    pack_free(&c.pack);
    return status;
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct checking c = {.tool = tool, .is_strict = arguments_have(given, "--strict")};
    int64_t began = clock_us();
    struct error err = {ERROR_NONE, ""};
    int status = find_pack(&c, given);

    if (status == TOOL_DONE)
        status = find_people(&c, given);
    if (status != TOOL_DONE)
        return status;
    if (pack_load(c.directory, &c.pack, &c.problems, &err) != 0 && c.problems.count == 0)
        status = packs_error(c.directory, &err);
    if (c.pack != NULL && c.has_people)
        prove_people(c.pack, &c.people, &c.problems);
    c.took_us = clock_us() - began;
    if (status == TOOL_DONE)
        status = report(&c);
    problems_release(&c.problems);
    pack_free(&c.pack);
    return status;
}

static const struct tool_option options[] = {
    {"--directory", "FILE", "also: can the people in this directory.cfg do it?"},
    {"--people", NULL, "also: can the people whom the running engine knows?"},
    {"--away", "NAMES", "as if these were not there"},
    {"--strict", NULL, "warnings refuse, too"},
    {NULL, NULL, NULL},
};

const struct tool_command command_check = {
    "check",
    "definitions",
    "[PACK] [--directory FILE | --people] [--away NAMES] [--strict]",
    "is a pack of workflows sound? every problem with its place",
    "Reads the directory PACK (else pack/ or workflows/ in the organisation's directory), says "
    "what "
    "is wrong with file,\n"
    "line and the nearest right name, and proves what holds of every record: nothing comes into "
    "force unapproved, every\n"
    "state can be left, timers are answered, rules end, gates open. What is refused is shown with "
    "the shortest way to it.\n"
    "Asks no engine (but with --people) and changes nothing. Exit status 1 if there are errors: "
    "the "
    "engine would refuse\n"
    "the pack (what --directory or --people find, it would not ask); 4 if there is no pack to "
    "read.\n\n"
    "    rota check workflows\n"
    "    rota check --directory directory.cfg --away amara",
    options,
    0,
    1,
    false,
    run};
