/* reload.c - `rota reload`: what directory.cfg and the public keys say anew is proposed, and counts when a second person
 * has agreed.
 *
 * By the person whom --as names; else by whoever owns the engine's account, over the admin socket, which is how a new
 * organisation gets its first people. Who no longer stands in the file keeps their entry; take away their roles to take away
 * their rights.
 */
#include <libconfig.h>
#include <unistd.h>

#include "amend.h"
#include "ask.h"
#include "base/date.h"
#include "commands.h"

enum {
    DAY_MS = 86400000,
    ENTRIES_A_COMMAND = 40
}; /* an entry of the journal holds some sixty kilobytes */

static void put_text(struct tool *tool, struct value *row, const config_setting_t *entry,
                     const char *name)
{
    const char *text;

    if (config_setting_lookup_string(entry, name, &text) == CONFIG_TRUE)
        value_set(&tool->arena, row, name, value_str(arena_str(&tool->arena, text)));
}

static void put_list(struct tool *tool, struct value *row, const config_setting_t *entry,
                     const char *name, const char *as)
{
    const config_setting_t *list = config_setting_get_member(entry, name);
    struct value words = value_array();

    for (int i = 0; list != NULL && i < config_setting_length(list); i++) {
        const char *text = config_setting_get_string_elem(list, i);

        if (text != NULL)
            value_push(&tool->arena, &words, value_str(arena_str(&tool->arena, text)));
    }
    if (words.count > 0)
        value_set(&tool->arena, row, as, words);
}

/* `until`: the last day of the rights. `scope`: the kinds that an external auditor sees; an empty list is none of them. */
static int put_limits(struct tool *tool, struct value *row, const config_setting_t *entry)
{
    const char *until;
    int32_t day;

    if (config_setting_get_member(entry, "scope") != NULL) {
        value_set(&tool->arena, row, "scope", value_array());
        put_list(tool, row, entry, "scope", "scope");
    }
    if (config_setting_lookup_string(entry, "until", &until) != CONFIG_TRUE)
        return TOOL_DONE;
    if (date_parse(slice_str(until), &day) != 0)
        return tool_fail(TOOL_INPUT, "%s:%u: until = \"%s\" is no day, as \"2026-12-31\"",
                         tool_path(tool, "directory.cfg"), config_setting_source_line(entry),
                         until);
    value_set(&tool->arena, row, "not_after", value_int(((int64_t)day + 1) * DAY_MS - 1));
    return TOOL_DONE;
}

/* The public halves; a person whose key is kept elsewhere brings NAME.pub alone. */
static int put_keys(struct tool *tool, struct value *row, const char *name)
{
    const char *path = tool_path(tool, arena_printf(&tool->arena, "keys/%s.pub", name));
    struct value transport = value_array();
    struct keyfile key;
    struct error err;

    if (access(path, F_OK) != 0) {
        fprintf(stderr, "rota: %s has no key yet (%s); make it with: rota key new %s\n", name, path,
                name);
        return TOOL_DONE;
    }
    if (keyfile_load(path, &key, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (key.has_curve_public) {
        value_push(
            &tool->arena, &transport,
            value_bin(arena_copy(&tool->arena, key.curve_public, CURVE_KEY_LEN), CURVE_KEY_LEN));
        value_set(&tool->arena, row, "transport", transport);
    }
    /* Where the journal has root keys, signing keys come by enrolment alone (`rota key`). */
    if (key.has_sign_public && access(tool_path(tool, "keys/roots"), F_OK) != 0)
        value_set(&tool->arena, row, "sign",
                  value_bin(arena_copy(&tool->arena, key.sign_public, SIGN_KEY_LEN), SIGN_KEY_LEN));
    keyfile_wipe(&key);
    return TOOL_DONE;
}

static int read_entry(struct tool *tool, const config_setting_t *entry, const char *kind,
                      struct value *people)
{
    static const char *const texts[] = {"title", "email", "manager"};
    struct value row = value_map();
    const char *name;
    int gateway = 0, status;

    if (config_setting_lookup_string(entry, "name", &name) != CONFIG_TRUE)
        return tool_fail(TOOL_INPUT, "%s:%u: this entry has no name",
                         tool_path(tool, "directory.cfg"), config_setting_source_line(entry));
    put_text(tool, &row, entry, "name");
    value_set(&tool->arena, &row, "kind", value_str(kind));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        put_text(tool, &row, entry, texts[i]);
    put_list(tool, &row, entry, "roles", "roles");
    put_list(tool, &row, entry, "serves", "services");
    if (config_setting_lookup_bool(entry, "gateway", &gateway) == CONFIG_TRUE && gateway)
        value_set(&tool->arena, &row, "gateway", value_bool(true));
    status = put_limits(tool, &row, entry);
    if (status == TOOL_DONE)
        status = put_keys(tool, &row, name);
    value_push(&tool->arena, people, row);
    return status;
}

static int read_directory(struct tool *tool, struct value *people)
{
    static const char *const lists[][2] = {{"people", "person"}, {"workers", "worker"}};
    const char *path = tool_path(tool, "directory.cfg");
    int status = TOOL_DONE;
    config_t config;

    config_init(&config);
    if (config_read_file(&config, path) != CONFIG_TRUE)
        status = tool_fail(TOOL_INPUT, "%s:%d: %s", path, config_error_line(&config),
                           config_error_text(&config));
    for (int l = 0; status == TOOL_DONE && l < 2; l++) {
        const config_setting_t *list = config_lookup(&config, lists[l][0]);

        for (int i = 0; status == TOOL_DONE && list != NULL && i < config_setting_length(list); i++)
            status =
                read_entry(tool, config_setting_get_elem(list, (unsigned)i), lists[l][1], people);
    }
    config_destroy(&config);
    return status;
}

/* ---- what counts now, and what would change ---- */

struct reload {
    struct value people;  /* of the file */
    struct value now;     /* of the engine */
    struct value changes; /* amend.h */
    bool is_rooted;
    struct value proposals; /* array of numbers: what waits */
    bool is_alone;          /* nobody else could agree */
};

static int look(struct tool *tool, struct reload *reload)
{
    struct value info;
    const struct value *roots;
    int status = read_directory(tool, &reload->people);

    if (status == TOOL_DONE && reload->people.count == 0)
        status = tool_fail(TOOL_INPUT, "%s names nobody", tool_path(tool, "directory.cfg"));
    if (status == TOOL_DONE)
        status = ask_operator_query(tool, "people", value_map(), &reload->now);
    if (status == TOOL_DONE)
        status = ask_operator_query(tool, "info", value_map(), &info);
    if (status != TOOL_DONE)
        return status;
    roots = value_get(&info, "root_keys");
    reload->is_rooted = value_is(roots, VALUE_ARRAY) && roots->count > 0;
    reload->changes = amend_people(tool, &reload->now, reload->is_rooted, &reload->people);
    return TOOL_DONE;
}

static bool is_changed(const struct reload *reload, const struct value *person)
{
    for (uint32_t i = 0; i < reload->changes.count; i++)
        if (slice_equal(value_get_text(&reload->changes.as.items[i], "name"),
                        value_get_text(person, "name")))
            return true;
    return false;
}

/* Only entries that would be another: who agrees reads what changes and nothing else. */
static struct value changed_entries(struct tool *tool, const struct reload *reload)
{
    struct value some = value_array();

    for (uint32_t i = 0; i < reload->people.count; i++)
        if (is_changed(reload, &reload->people.as.items[i]))
            value_push(&tool->arena, &some, reload->people.as.items[i]);
    return some;
}

/* Whoever is named proposes it: so the one who typed this is not also the second person. */
static int give(struct tool *tool, struct value args, struct value *answer)
{
    struct command command = {.command = slice_str("directory.install"), .args = args};
    struct reply reply;
    int status;

    if (tool->who == NULL)
        return ask_operator(tool, "directory.install", args, answer);
    status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE)
        *answer = reply.out;
    return status;
}

static int install(struct tool *tool, struct reload *reload)
{
    struct value people = changed_entries(tool, reload);
    int status = TOOL_DONE;

    for (uint32_t at = 0; status == TOOL_DONE && at < people.count; at += ENTRIES_A_COMMAND) {
        struct value args = value_map(), some = value_array(), answer;

        for (uint32_t i = at; i < people.count && i < at + ENTRIES_A_COMMAND; i++)
            value_push(&tool->arena, &some, people.as.items[i]);
        value_set(&tool->arena, &args, "people", some);
        status = give(tool, args, &answer);
        if (status == TOOL_DONE && value_get_int(&answer, "proposal", 0) > 0)
            value_push(&tool->arena, &reload->proposals, *value_get(&answer, "proposal"));
        else if (status == TOOL_DONE)
            reload->is_alone = true;
    }
    return status;
}

/* ---- told ---- */

static void tell_json(struct tool *tool, const struct reload *reload)
{
    struct value line = value_map();
    const char *outcome = reload->proposals.count > 0 ? "proposed"
                          : reload->is_alone          ? "installed"
                                                      : "unchanged";

    value_set(&tool->arena, &line, "people", value_int(reload->people.count));
    value_set(&tool->arena, &line, "outcome", value_str(outcome));
    value_set(&tool->arena, &line, "changes", reload->changes);
    if (reload->proposals.count > 0)
        value_set(&tool->arena, &line, "proposals", reload->proposals);
    if (reload->is_alone)
        value_set(&tool->arena, &line, "alone", value_bool(true));
    output_json(&tool->out, &line);
}

static void tell(struct tool *tool, const struct reload *reload)
{
    struct slice by = slice_str(tool->who != NULL ? tool->who : "operator");
    const char *who = amend_seconds(tool, &reload->now, by);

    if (reload->changes.count == 0) {
        output_line(&tool->out, INK_GOOD,
                    "the directory says all of this already: %u people and workers",
                    reload->people.count);
        return;
    }
    amend_print(tool, &reload->changes);
    if (reload->proposals.count == 0)
        output_line(&tool->out, INK_GOOD,
                    "installed at once: nobody else could agree, and the journal says so. As soon "
                    "as somebody else has the role top_management or isms_manager and a signing "
                    "key, changes wait for them.");
    for (uint32_t i = 0; i < reload->proposals.count; i++) {
        long long number = (long long)reload->proposals.as.items[i].as.number;

        output_line(&tool->out, INK_WAIT,
                    "proposal %lld: nothing has changed yet, it waits for a second person", number);
        output_line(&tool->out, INK_NONE, "  %s agrees: rota --as WHO agree %lld", who, number);
    }
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct reload reload = {.people = value_array(), .proposals = value_array()};
    int status = look(tool, &reload);

    (void)given;
    if (status == TOOL_DONE)
        status = install(tool, &reload);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json)
        tell_json(tool, &reload);
    else
        tell(tool, &reload);
    return TOOL_DONE;
}

const struct tool_command command_reload = {
    "reload",
    "people",
    "",
    "directory.cfg and its keys are proposed to become what counts",
    "Reads directory.cfg and keys/*.pub and proposes what is another there: in the name of whom "
    "--as names,\n"
    "else of whoever owns the engine's account (operator). It counts\n"
    "when a second person has agreed (rota agree N), at once and also on connections that are "
    "open. "
    "Where nobody else could\n"
    "agree (a new house of one) it is installed at once, and the journal says so. Changed "
    "workflows "
    "are proposed with\n"
    "rota pack install.",
    NULL,
    0,
    0,
    false,
    run};
