/* migrate.c - `rota migrate`: records that exist move to the workflows that count now; what that would do; and back. */
#include <inttypes.h>

#include "ask.h"
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"

enum { RECORDS_A_QUESTION = 50 };

struct migrating {
    struct tool *tool;
    const struct arguments *given;
    struct value choice; /* map, set, void_round, closed, kind: as the engine takes them */
    struct value reason; /* {content, size} */
    bool is_dry;
    int word_count; /* of those that name records */
    int64_t moved, open, refused;
};

/* ---- what was asked ---- */

static int read_map(struct migrating *m)
{
    struct arena *arena = &m->tool->arena;
    struct value map = value_map();

    for (int i = 0; i < m->given->given_count; i++) {
        const char *word = m->given->given[i].value, *equals = strchr(word, '=');

        if (strcmp(m->given->given[i].name, "--map") != 0)
            continue;
        if (equals == NULL || equals == word || equals[1] == '\0')
            return tool_usage(m->given, "--map %s: OLD_STATE=NEW_STATE", word);
        value_put(arena, &map, slice_of(word, (size_t)(equals - word)), value_str(equals + 1));
    }
    if (map.count > 0)
        value_set(arena, &m->choice, "map", map);
    return TOOL_DONE;
}

/* FIELD=VALUE for what the new workflows require: of one kind, which the first record names if --kind does not. */
static int read_fields(struct migrating *m, const char *kind)
{
    const struct value *description;
    struct value question = value_map(), shown;
    struct given fields;
    int status = TOOL_DONE;

    if (m->word_count == m->given->word_count)
        return TOOL_DONE;
    if (kind == NULL && m->word_count == 0)
        return tool_usage(m->given, "FIELD=VALUE: of which record, or of which --kind?");
    if (kind == NULL) {
        value_set(&m->tool->arena, &question, "record", value_str(m->given->words[0]));
        status = ask_query(m->tool, "show", question, &shown);
    }
    if (status == TOOL_DONE)
        status = facts_kind(
            m->tool, kind != NULL ? slice_str(kind) : value_get_text(&shown, "kind"), &description);
    if (status == TOOL_DONE)
        status = given_read(m->tool, m->given, m->word_count, description, &fields);
    if (status == TOOL_DONE && fields.fields.count > 0)
        value_set(&m->tool->arena, &m->choice, "set", fields.fields);
    return status;
}

static int read_choice(struct migrating *m)
{
    const char *kind = arguments_get(m->given, "--kind");
    struct arena *arena = &m->tool->arena;
    const struct value *known;
    int status;

    m->choice = value_map();
    while (m->word_count < m->given->word_count &&
           strchr(m->given->words[m->word_count], '=') == NULL)
        m->word_count++;
    if (kind != NULL) {
        if ((status = facts_kind(m->tool, slice_str(kind), &known)) != TOOL_DONE)
            return status;
        value_set(arena, &m->choice, "kind", value_str(kind));
    }
    for (int i = 0; i < m->word_count; i++) {
        if (facts_has_kind(m->tool, slice_str(m->given->words[i])))
            return tool_usage(m->given, "%s is a kind: --kind %s means all records of it",
                              m->given->words[i], m->given->words[i]);
    }
    if (arguments_have(m->given, "--closed"))
        value_set(arena, &m->choice, "closed", value_bool(true));
    if (arguments_have(m->given, "--void-rounds"))
        value_set(arena, &m->choice, "void_round", value_bool(true));
    if ((status = read_map(m)) != TOOL_DONE)
        return status;
    return read_fields(m, kind);
}

/* The reason goes up once, for all of them. */
static int read_reason(struct migrating *m)
{
    struct value args = value_map();
    int status;

    if (!arguments_have(m->given, "--reason"))
        return tool_usage(m->given, "--reason: why records move is kept in the journal");
    status = given_reason(m->tool, m->given, &args);
    if (status == TOOL_DONE)
        m->reason = *value_get(&args, "reason");
    return status;
}

/* ---- one record ---- */

static int send(struct migrating *m, const char *record, const char *name, const struct value *to)
{
    static const char *const chosen[] = {"map", "set", "void_round"};
    struct arena *arena = &m->tool->arena;
    struct command command = {
        .command = slice_str(name), .record = slice_str(record), .args = value_map()};
    struct value prepared;
    struct reply reply;
    int status = event_ask(m->tool, record, name, &prepared);

    value_set(arena, &command.args, "reason", m->reason);
    if (to != NULL)
        value_set(arena, &command.args, "to", *to);
    for (size_t i = 0; to != NULL && i < sizeof chosen / sizeof chosen[0]; i++) {
        const struct value *part = value_get(&m->choice, chosen[i]);

        if (part != NULL)
            value_set(arena, &command.args, chosen[i], *part);
    }
    if (status == TOOL_DONE && value_get_bool(&prepared, "needs_signature", false))
        status = event_sign(m->tool, &prepared, name, false, &command);
    if (status == TOOL_DONE)
        status = ask_command(m->tool, &command, &reply);
    return status;
}

static const char *moment_of(struct migrating *m, const struct value *timer, const char *key)
{
    int64_t ms = value_get_int(timer, key, -1);

    return ms < 0 ? "not running" : facts_moment(m->tool, ms);
}

static void print_list(struct migrating *m, const struct value *plan, const char *key,
                       const char *label)
{
    const struct value *list = value_get(plan, key);

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        output_pair(&m->tool->out, 2, 10, i == 0 ? label : "", INK_NONE,
                    value_slice(&list->as.items[i]));
}

static void print_timers(struct migrating *m, const struct value *plan)
{
    const struct value *list = value_get(plan, "timers");

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++) {
        const struct value *timer = &list->as.items[i];

        output_pair(
            &m->tool->out, 2, 10, "timer", INK_NONE,
            slice_str(arena_printf(&m->tool->arena, "%s: %s, instead of %s",
                                   value_get_str(timer, "timer", "", &m->tool->arena),
                                   moment_of(m, timer, "to_ms"), moment_of(m, timer, "from_ms"))));
    }
}

static void print_plan(struct migrating *m, const struct value *plan, const char *what,
                       enum ink ink)
{
    struct slice from = value_get_text(plan, "state"), to = value_get_text(plan, "to_state");
    struct arena *arena = &m->tool->arena;

    output_line(&m->tool->out, ink, "%s: %s%s%s", value_get_str(plan, "record", "", arena), what,
                value_get_text(plan, "title").len > 0 ? "  " : "",
                value_get_str(plan, "title", "", arena));
    if (to.len > 0 && !slice_equal(from, to))
        output_pair(
            &m->tool->out, 2, 10, "state", INK_NONE,
            slice_str(arena_printf(arena, "%.*s becomes %.*s", (int)from.len, (const char *)from.at,
                                   (int)to.len, (const char *)to.at)));
    print_list(m, plan, "why", "because");
    if (value_get_int(plan, "round", 0) > 0)
        output_pair(&m->tool->out, 2, 10, "round", INK_WAIT,
                    slice_str(arena_printf(arena, "%" PRId64 " with %" PRId64 " votes is void",
                                           value_get_int(plan, "round", 0),
                                           value_get_int(plan, "votes_void", 0))));
    print_list(m, plan, "added", "field");
    print_list(m, plan, "dropped", "dropped");
    print_timers(m, plan);
    print_list(m, plan, "notes", "note");
}

static int take(struct migrating *m, const struct value *plan, const struct value *to)
{
    struct arena *arena = &m->tool->arena;
    const char *verdict = value_get_str(plan, "verdict", "", arena);
    bool maps = strcmp(verdict, "maps") == 0, decide = strcmp(verdict, "decide") == 0;
    struct value line = value_copy(arena, plan);
    int status = TOOL_DONE;

    if (maps && !m->is_dry)
        status = send(m, value_get_str(plan, "record", "", arena), "migrate", to);
    if (status == TOOL_NO_ENGINE || status == TOOL_USAGE || status == TOOL_INTERNAL)
        return status;
    m->moved += maps && status == TOOL_DONE;
    m->open += decide;
    m->refused += (!maps && !decide) || status != TOOL_DONE;
    value_set(arena, &line, "migrated", value_bool(maps && !m->is_dry && status == TOOL_DONE));
    if (m->tool->out.json)
        output_json(&m->tool->out, &line);
    else
        print_plan(m, plan,
                   status != TOOL_DONE ? "refused"
                   : maps              ? (m->is_dry ? "maps" : "moved")
                   : decide            ? "needs a decision"
                                       : "stays where it is",
                   status != TOOL_DONE || !(maps || decide) ? INK_BAD
                   : maps                                   ? INK_GOOD
                                                            : INK_WAIT);
    return TOOL_DONE;
}

/* ---- all of them ---- */

static int take_page(struct migrating *m, struct value args, struct slice *after)
{
    struct value answer;
    const struct value *items;
    int status = ask_query(m->tool, "migration", args, &answer);

    if (status != TOOL_DONE)
        return status;
    items = value_get(&answer, "items");
    for (uint32_t i = 0; status == TOOL_DONE && i < items->count; i++)
        status = take(m, &items->as.items[i], value_get(&answer, "to"));
    *after = value_get_text(&answer, "after");
    return status;
}

static int take_named(struct migrating *m)
{
    struct slice after;
    int status = TOOL_DONE;

    for (int i = 0; status == TOOL_DONE && i < m->word_count; i++) {
        struct value args = value_copy(&m->tool->arena, &m->choice);

        value_set(&m->tool->arena, &args, "record", value_str(m->given->words[i]));
        status = take_page(m, args, &after);
    }
    return status;
}

static int take_all(struct migrating *m)
{
    struct slice after = slice_of(NULL, 0);
    int status;

    do {
        struct value args = value_copy(&m->tool->arena, &m->choice);

        value_set(&m->tool->arena, &args, "limit", value_int(RECORDS_A_QUESTION));
        value_set(&m->tool->arena, &args, "after", value_text(after));
        status = take_page(m, args, &after);
    } while (status == TOOL_DONE && after.len > 0);
    return status;
}

static int take_back(struct migrating *m)
{
    int status = TOOL_DONE;

    if (m->word_count == 0)
        return tool_usage(m->given, "--back: which record?");
    for (int i = 0; status == TOOL_DONE && i < m->word_count; i++) {
        status = send(m, m->given->words[i], "migrate_back", NULL);
        if (status == TOOL_DONE && !m->tool->out.json)
            output_line(&m->tool->out, INK_GOOD,
                        "%s: follows again the workflows that it followed before",
                        m->given->words[i]);
    }
    return status;
}

static void tell_sum(const struct migrating *m)
{
    if (m->tool->out.json)
        return;
    if (m->moved + m->open + m->refused == 0)
        output_line(&m->tool->out, INK_GOOD, "every record follows the workflows that count now");
    else
        output_line(&m->tool->out, INK_BOLD,
                    "%" PRId64 " %s, %" PRId64 " to be decided, %" PRId64 " left alone", m->moved,
                    m->is_dry ? "would move" : "moved", m->open, m->refused);
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct migrating m = {
        .tool = tool, .given = given, .is_dry = arguments_have(given, "--dry-run")};
    int status = read_choice(&m);

    if (status == TOOL_DONE && !m.is_dry)
        status = read_reason(&m);
    if (status == TOOL_DONE && arguments_have(given, "--back"))
        return take_back(&m);
    if (status == TOOL_DONE)
        status = m.word_count > 0 ? take_named(&m) : take_all(&m);
    if (status != TOOL_DONE)
        return status;
    tell_sum(&m);
    return !m.is_dry && m.open + m.refused > 0 ? TOOL_REFUSED : TOOL_DONE;
}

static const struct tool_option options[] = {
    {"--dry-run", NULL, "say what would become of each record, and change nothing"},
    {"--kind", "KIND", "only records of this kind"},
    {"--closed", NULL, "closed records as well"},
    {"--map", "OLD=NEW", "a state that is gone, and where its records go; may be given again"},
    {"--void-rounds", NULL, "approvals that are open become void: their votes count no more"},
    {"--reason", "TEXT", "why; kept in the journal"},
    {"--back", NULL, "take a migration back, while nothing has followed"},
    {NULL, NULL, NULL},
};

const struct tool_command command_migrate = {
    "migrate",
    "definitions",
    "[--dry-run] [--kind KIND] [RECORD...] [FIELD=VALUE...] --reason TEXT",
    "move records that exist to the workflows that count now",
    "A record stays under the workflows it was opened under until somebody moves it. Without "
    "RECORD "
    "every open one that\n"
    "follows an older pack is meant. Each moves as a whole or not at all, in one entry of the "
    "journal "
    "that says who\n"
    "authorised it. What was signed keeps its content, no record jumps over a stage, and an "
    "approval "
    "that is open is only\n"
    "voided if you say so. Exit status 1 if one of them did not move. FIELD=VALUE fills in what "
    "the new workflows require.\n\n"
    "    rota migrate --dry-run\n"
    "    rota migrate --kind finding --map raised=reported --reason \"New names\"\n"
    "    rota migrate --back FND-0007 --reason \"Too early\"",
    options,
    0,
    -1,
    false,
    run};
