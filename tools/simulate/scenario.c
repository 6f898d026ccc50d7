/* scenario.c - a scenario's file, its directory and its pack are read. */
#include "simulate/scenario.h"

#include "core/span.h"
#include "definition/pack.h"
#include "simulate/scenario_inside.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define AT(struct_name, member) offsetof(struct struct_name, member)
#define NOTE(name, takes, read, at, preset, help)                                                  \
    {                                                                                              \
        name, takes, read, at, false, preset, help                                                 \
    }
#define MUST(name, takes, read, at, help)                                                          \
    {                                                                                              \
        name, takes, read, at, true, NULL, help                                                    \
    }
#define MOMENT "moment"
#define DELAY "span, or two"
#define NAMES "list of names"

/* ---- small readers ---- */

static void read_moment(struct reader *reader, const config_setting_t *setting, void *into)
{
    read_text(reader, setting, &((struct moment *)into)->text);
}

static bool read_one_span(struct reader *reader, const char *placed, struct span *out)
{
    if (span_parse(slice_str(placed), out) == 0)
        return true;
    problem(reader->problems, where_of(placed),
            "\"%s\" is not a span of time; write \"3 working days\", \"2 days\" or \"4 hours\"",
            placed);
    return false;
}

/* "2 days", or [ "1 working days", "3 working days" ]: between the two. */
static void read_delay(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct delay *delay = into;
    struct words words = {NULL, 0};

    read_words(reader, setting, &words);
    if (words.count != 1 && words.count != 2) {
        problem(reader->problems, where_setting(reader, setting),
                "a delay is a span, or a list of two: the least and the most");
        return;
    }
    if (read_one_span(reader, words.at[0], &delay->least))
        delay->most = delay->least;
    if (words.count == 2)
        read_one_span(reader, words.at[1], &delay->most);
}

static void read_percent(struct reader *reader, const config_setting_t *setting, void *into)
{
    int number = 0;

    read_int(reader, setting, &number);
    if (number > 100)
        problem(reader->problems, where_setting(reader, setting), "'%s': a percentage is 0 to 100",
                config_setting_name(setting));
    *(int *)into = number;
}

static void read_after(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct policy *policy = into;

    policy->has_after = true;
    read_delay(reader, setting, &policy->after);
}

static void read_again(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct policy *policy = into;

    policy->has_again = true;
    read_delay(reader, setting, &policy->again);
}

static void read_worker_after(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct worker_entry *worker = into;

    worker->has_after = true;
    read_delay(reader, setting, &worker->after);
}

/* A list of groups: each begins as `PRESET` says and knows its place. */
#define LIST_READER(function, list_type, item_type, TABLE, ...)                                    \
    static void function(struct reader *reader, const config_setting_t *setting, void *into)       \
    {                                                                                              \
        struct list_type *list = into;                                                             \
        int count;                                                                                 \
                                                                                                   \
        if (!are_groups(reader, setting, &count))                                                  \
            return;                                                                                \
        for (int i = 0; i < count; i++) {                                                          \
            struct item_type *item;                                                                \
                                                                                                   \
            list->at = list_add(reader->arena, list->at, &list->count, sizeof *list->at);          \
            item = &list->at[list->count - 1];                                                     \
            *item = (struct item_type){__VA_ARGS__};                                               \
            item->where = where_setting(reader, group_at(setting, i));                             \
            option_read_group(reader, group_at(setting, i), &(TABLE), item);                       \
        }                                                                                          \
    }

/* ---- the tables ---- */

static const struct option OPEN_OPTIONS[] = {
    NOTE("file", "path", read_text, AT(opening, file), NULL,
         "a record file: `kind`, `title` and `fields`, libconfig or JSON"),
    NOTE("kind", "kind", read_text, AT(opening, kind), "the file's", "what is opened"),
    NOTE("title", "text", read_text, AT(opening, title), "the file's", "its title"),
    NOTE("fields", "group", read_tree, AT(opening, fields), "the file's",
         "fields; they replace those of the file"),
    MUST("by", "person", read_text, AT(opening, by), "who opens it"),
    NOTE("owner", "person", read_text, AT(opening, owner), "as the kind says", "who owns it"),
    NOTE("at", MOMENT, read_moment, AT(opening, at), "the start", "when"),
};
static const struct option_table OPEN = {"record to open", "A record that somebody opens (`open`).",
                                         OPEN_OPTIONS, COUNT(OPEN_OPTIONS)};
LIST_READER(read_openings, openings, opening, OPEN, .fields = value_map())

static const struct option DO_OPTIONS[] = {
    MUST("at", MOMENT, read_moment, AT(happening, at), "when"),
    MUST("who", "person", read_text, AT(happening, who), "who does it"),
    MUST("event", "event, `edit`, `ack`", read_text, AT(happening, event), "what they do"),
    MUST("record", "record", read_text, AT(happening, record),
         "to which record; `SCP-0001` is the version that counts"),
    NOTE("reason", "text", read_text, AT(happening, reason), "one that says so", "why"),
    NOTE("set", "group", read_tree, AT(happening, set), NULL, "fields given with it"),
};
static const struct option_table DO = {
    "event",
    "Something that somebody does on a day (`do`). What is forbidden is refused, and said.",
    DO_OPTIONS, COUNT(DO_OPTIONS)};
LIST_READER(read_happenings, happenings, happening, DO, .set = value_map())

static const struct option POLICY_OPTIONS[] = {
    NOTE("kind", NAMES, read_words, AT(policy, kinds), "every kind",
         "of these kinds or lifecycles"),
    NOTE("event", NAMES, read_words, AT(policy, events), "every event",
         "of these events; `ack`, and `task.redrive` for parked tasks, are events too"),
    NOTE("state", NAMES, read_words, AT(policy, states), "every state", "in these states"),
    NOTE("who", NAMES, read_words, AT(policy, who), "everybody", "of these people"),
    NOTE("weight", "number", read_int, AT(policy, weight), "1, or 0 for what needs a reason",
         "how likely it is chosen among what could be done; 0: never by itself"),
    NOTE("after", DELAY, read_after, 0, "1 to 3 working days", "how long they take"),
    NOTE("sure", "percent", read_percent, AT(policy, sure), "90",
         "how likely they do it then; else it is forgotten until a reminder, or `again`"),
    NOTE("again", DELAY, read_again, 0, "8 to 15 working days",
         "when what was forgotten or not possible is looked at again"),
    NOTE("reason", "text", read_text, AT(policy, reason), "one that says so",
         "the reason that is given where one is needed"),
};
static const struct option_table POLICY = {
    "policy", "How people behave (`people`). The last that fits decides, setting by setting.",
    POLICY_OPTIONS, COUNT(POLICY_OPTIONS)};
LIST_READER(read_policies, policies, policy, POLICY, .weight = -1, .sure = -1)

static const struct option FILL_OPTIONS[] = {
    NOTE("kind", NAMES, read_words, AT(filling, kinds), "every kind",
         "of these kinds or lifecycles"),
    NOTE("state", NAMES, read_words, AT(filling, states), "every state", "in these states"),
    NOTE("event", NAMES, read_words, AT(filling, events), "every event", "before these events"),
    NOTE("file", "path", read_text, AT(filling, file), NULL,
         "a record file: its fields are written"),
    NOTE("set", "group", read_tree, AT(filling, set), "the file's",
         "the fields and what is written into them"),
};
static const struct option_table FILL = {
    "filling", "What people write when a step needs it (`fill`). What is not said here is made up.",
    FILL_OPTIONS, COUNT(FILL_OPTIONS)};
LIST_READER(read_fillings, fillings, filling, FILL, .set = value_map())

static const struct option ABSENT_OPTIONS[] = {
    MUST("who", "person", read_text, AT(absence, who), "who is away"),
    MUST("from", MOMENT, read_moment, AT(absence, period.from), "the first day"),
    MUST("to", MOMENT, read_moment, AT(absence, period.to), "the last day"),
};
static const struct option_table ABSENT = {"absence",
                                           "Somebody is away and does nothing (`absent`).",
                                           ABSENT_OPTIONS, COUNT(ABSENT_OPTIONS)};
LIST_READER(read_absences, absences, absence, ABSENT, .who = NULL)

static const struct option LEAVE_OPTIONS[] = {
    MUST("who", "person", read_text, AT(leaving, who), "who leaves"),
    MUST("on", MOMENT, read_moment, AT(leaving, on), "the first day without them"),
};
static const struct option_table LEAVE = {
    "leaving", "Somebody leaves the organisation: their rights end (`leaves`).", LEAVE_OPTIONS,
    COUNT(LEAVE_OPTIONS)};
LIST_READER(read_leavings, leavings, leaving, LEAVE, .who = NULL)

static const struct option JOIN_OPTIONS[] = {
    MUST("on", MOMENT, read_moment, AT(person_entry, on), "the first day"),
    MUST("name", "name", read_text, AT(person_entry, name), "the name in the directory"),
    NOTE("title", "text", read_text, AT(person_entry, title), NULL, "the name in full"),
    NOTE("email", "address", read_text, AT(person_entry, email), NULL, "where notices go"),
    NOTE("manager", "person", read_text, AT(person_entry, manager), NULL,
         "whom reminders climb to"),
    MUST("roles", NAMES, read_words, AT(person_entry, roles), "the roles they hold"),
};
static const struct option_table JOIN = {"joining", "Somebody joins the organisation (`joins`).",
                                         JOIN_OPTIONS, COUNT(JOIN_OPTIONS)};
LIST_READER(read_joinings, person_entries, person_entry, JOIN, .name = NULL)

static const struct option PERIOD_OPTIONS[] = {
    MUST("from", MOMENT, read_moment, AT(period, from), "when it begins"),
    MUST("to", MOMENT, read_moment, AT(period, to), "when it ends"),
};
static const struct option_table PERIOD = {"period", "A period (`down`, `fails`).", PERIOD_OPTIONS,
                                           COUNT(PERIOD_OPTIONS)};
LIST_READER(read_periods, periods, period, PERIOD, .where = {NULL, 0})

static const struct option WORKER_OPTIONS[] = {
    MUST("name", "worker", read_text, AT(worker_entry, name), "of the directory"),
    NOTE("success", "percent", read_percent, AT(worker_entry, success), "100",
         "how many attempts succeed"),
    NOTE("after", DELAY, read_worker_after, 0, "2 to 40 seconds", "how long an attempt takes"),
    NOTE("final", "true or false", read_bool, AT(worker_entry, is_final), "false",
         "a failure is final: the task is parked at once"),
    NOTE("down", "list of periods", read_periods, AT(worker_entry, down), NULL,
         "it does not run: tasks wait"),
    NOTE("fails", "list of periods", read_periods, AT(worker_entry, fails), NULL,
         "every attempt fails: tasks are parked when their attempts are used up"),
};
static const struct option_table WORKER = {"worker", "How a program behaves (`workers`).",
                                           WORKER_OPTIONS, COUNT(WORKER_OPTIONS)};
LIST_READER(read_workers, worker_entries, worker_entry, WORKER, .success = 100)

static const struct option SCENARIO_OPTIONS[] = {
    NOTE("name", "text", read_text, AT(scenario, name), "the file's name", "for the heading"),
    NOTE("pack", "path", read_text, AT(scenario, pack_path),
         "the organisation's `pack`, else the shipped ones", "the folder of the workflows"),
    MUST("directory", "path", read_text, AT(scenario, directory_path),
         "people and workers, as `rota init` takes them"),
    NOTE("origin", "text", read_text, AT(scenario, origin), "simulation.example/virtual",
         "the journal's name; it ends in /virtual"),
    MUST("start", "date", read_moment, AT(scenario, start), "the first day"),
    MUST("for", "span", read_span, AT(scenario, length), "how long"),
    NOTE("seed", "number", read_number, AT(scenario, seed), "1",
         "what everything drawn follows from"),
    NOTE("open", "list", read_openings, AT(scenario, openings), NULL, "records to open"),
    NOTE("do", "list", read_happenings, AT(scenario, happenings), NULL, "what happens on a day"),
    NOTE("people", "list", read_policies, AT(scenario, policies), NULL, "how people behave"),
    NOTE("fill", "list", read_fillings, AT(scenario, fillings), NULL, "what they write"),
    NOTE("absent", "list", read_absences, AT(scenario, absences), NULL, "who is away"),
    NOTE("leaves", "list", read_leavings, AT(scenario, leavings), NULL, "who leaves"),
    NOTE("joins", "list", read_joinings, AT(scenario, joinings), NULL, "who joins"),
    NOTE("workers", "list", read_workers, AT(scenario, workers), NULL, "how programs behave"),
};
static const struct option_table SCENARIO = {"scenario", "The file as a whole.", SCENARIO_OPTIONS,
                                             COUNT(SCENARIO_OPTIONS)};

void scenario_reference(struct buf *out)
{
    static const struct option_table *const all[] = {&SCENARIO, &OPEN,  &DO,   &POLICY, &FILL,
                                                     &ABSENT,   &LEAVE, &JOIN, &WORKER, &PERIOD};

    for (size_t i = 0; i < COUNT(all); i++)
        option_reference(all[i], out);
}

/* ---- the directory ---- */

static const struct option PERSON_OPTIONS[] = {
    MUST("name", "name", read_text, AT(person_entry, name), "the name in the directory"),
    NOTE("title", "text", read_text, AT(person_entry, title), NULL, "the name in full"),
    NOTE("email", "address", read_text, AT(person_entry, email), NULL, "where notices go"),
    NOTE("manager", "person", read_text, AT(person_entry, manager), NULL,
         "whom reminders climb to"),
    NOTE("roles", NAMES, read_words, AT(person_entry, roles), NULL, "the roles they hold"),
    NOTE("serves", NAMES, read_words, AT(person_entry, services), NULL, "what a worker may serve"),
    NOTE("gateway", "true or false", read_bool, AT(person_entry, is_gateway), "false",
         "it may bring the decisions of others"),
};
static const struct option_table PERSON = {"person", "An entry of the directory.", PERSON_OPTIONS,
                                           COUNT(PERSON_OPTIONS)};
LIST_READER(read_people, person_entries, person_entry, PERSON, .name = NULL)
LIST_READER(read_programs, person_entries, person_entry, PERSON, .is_worker = true)

static const struct option DIRECTORY_OPTIONS[] = {
    NOTE("people", "list", read_people, 0, NULL, "who there is"),
    NOTE("workers", "list", read_programs, 0, NULL, "which programs work for them"),
};
static const struct option_table DIRECTORY = {"directory", "People and workers.", DIRECTORY_OPTIONS,
                                              COUNT(DIRECTORY_OPTIONS)};

/* ---- files ---- */

const char *scenario_file(struct scenario *scenario, const char *path)
{
    const char *slash = strrchr(scenario->path, '/');

    if (path[0] == '/' || slash == NULL)
        return arena_str(&scenario->arena, path);
    return arena_printf(&scenario->arena, "%.*s/%s", (int)(slash - scenario->path), scenario->path,
                        path);
}

/* A libconfig file into `into` by its table. -1 with `err` if it cannot be read or is no libconfig. */
static int read_file(struct scenario *scenario, const char *path, const struct option_table *table,
                     void *into, struct problems *problems, struct error *err)
{
    struct reader reader = {&scenario->arena, problems, path, false};
    config_t config;
    int rc = 0;

    config_init(&config);
    if (config_read_file(&config, path) == CONFIG_TRUE)
        option_read_group(&reader, config_root_setting(&config), table, into);
    else if (config_error_type(&config) == CONFIG_ERR_PARSE)
        rc = error_set(err, ERROR_INPUT, "%s:%d: %s", path, config_error_line(&config),
                       config_error_text(&config));
    else
        rc = error_set(err, ERROR_INPUT, "%s cannot be read", path);
    config_destroy(&config);
    return rc;
}

/* What is wrong with the pack is told with its path from here. */
static void take_problems(struct scenario *scenario, const struct problems *from,
                          struct problems *into)
{
    for (int i = 0; i < from->count; i++) {
        const struct problem *one = &from->at[i];
        struct where where = {
            arena_printf(&scenario->arena, "%s/%s", scenario->pack_path, one->file), one->line};

        if (one->severity == PROBLEM_ERROR)
            problem_add(into, PROBLEM_ERROR, where, one->column, "%s", one->text);
    }
}

static int read_pack(struct scenario *scenario, struct problems *problems, struct error *err)
{
    struct problems own = PROBLEMS_EMPTY;
    int rc = pack_read(scenario->pack_path, &scenario->arena, &scenario->pack_files,
                       &scenario->pack_file_count, err);

    if (rc == 0)
        rc = pack_load_files(scenario->pack_files, scenario->pack_file_count, &scenario->pack, &own,
                             err);
    if (rc != 0 && own.errors > 0) {
        take_problems(scenario, &own, problems);
        rc = 0;
    }
    problems_release(&own);
    return rc;
}

/* A filling reads its file as an opening does. */
static void read_filling(struct scenario *scenario, struct filling *filling,
                         struct problems *problems)
{
    struct opening opening = {
        .file = filling->file, .fields = filling->set, .where = filling->where};

    scenario_read_record(scenario, &opening, problems);
    filling->set = opening.fields;
}

static int take_pack(struct scenario *scenario, const char *pack, const char *usual,
                     struct problems *problems, struct error *err)
{
    if (pack == NULL && scenario->pack_path == NULL)
        pack = usual;
    if (pack == NULL && scenario->pack_path == NULL)
        return error_set(err, ERROR_INPUT,
                         "%s names no workflows, and there are none here; say where they are with "
                         "`pack`, or --pack DIR",
                         scenario->path);
    scenario->pack_path = pack != NULL ? arena_str(&scenario->arena, pack)
                                       : scenario_file(scenario, scenario->pack_path);
    return read_pack(scenario, problems, err);
}

static int read_parts(struct scenario *scenario, const char *pack, const char *usual,
                      struct problems *problems, struct error *err)
{
    if (scenario->directory_path != NULL) {
        scenario->directory_path = scenario_file(scenario, scenario->directory_path);
        if (read_file(scenario, scenario->directory_path, &DIRECTORY, &scenario->people, problems,
                      err) != 0)
            return -1;
    }
    if (take_pack(scenario, pack, usual, problems, err) != 0)
        return -1;
    for (int i = 0; i < scenario->openings.count; i++)
        scenario_read_record(scenario, &scenario->openings.at[i], problems);
    for (int i = 0; i < scenario->fillings.count; i++)
        read_filling(scenario, &scenario->fillings.at[i], problems);
    return 0;
}

int scenario_load(const char *path, const char *pack, const char *usual, struct scenario *out,
                  struct problems *problems, struct error *err)
{
    *out = (struct scenario){.seed = 1, .origin = "simulation.example/virtual", .start = {NULL, 0}};
    out->path = arena_str(&out->arena, path);
    if (read_file(out, out->path, &SCENARIO, out, problems, err) != 0 ||
        read_parts(out, pack, usual, problems, err) != 0)
        return -1;
    if (out->pack != NULL)
        scenario_check(out, problems);
    return problems->errors > 0 ? -1 : 0;
}

void scenario_release(struct scenario *scenario)
{
    if (scenario->pack != NULL)
        pack_free(&scenario->pack);
    arena_release(&scenario->arena);
}
