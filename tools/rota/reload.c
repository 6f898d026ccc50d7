/* reload.c - `rota reload`: what directory.cfg and the public keys say anew is proposed, and counts when a second person
 * has agreed.
 *
 * By the person whom --as names; else by whoever owns the engine's account, over the admin socket, which is how a new
 * organisation gets its first people. Who no longer stands in the file keeps their entry; take away their roles to take away
 * their rights.
 */
#include <unistd.h>

#include "amend.h"
#include "ask.h"
#include "commands.h"
#include "definition/people.h"

enum { ENTRIES_A_COMMAND = 40 }; /* an entry of the journal holds some sixty kilobytes */

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

static int read_directory(struct tool *tool, struct value *people)
{
    const char *path = tool_path(tool, "directory.cfg");
    int status = TOOL_DONE;
    struct error err;

    if (people_entries(path, &tool->arena, people, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    for (uint32_t i = 0; status == TOOL_DONE && i < people->count; i++)
        status = put_keys(tool, &people->as.items[i],
                          value_get_str(&people->as.items[i], "name", "", &tool->arena));
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

static bool is_in_file(const struct reload *reload, struct slice name)
{
    for (uint32_t i = 0; i < reload->people.count; i++)
        if (slice_equal(value_get_text(&reload->people.as.items[i], "name"), name))
            return true;
    return false;
}

static bool has_rights(const struct value *person)
{
    const struct value *roles = value_get(person, "roles"),
                       *services = value_get(person, "services");

    return !slice_is(value_get_text(person, "kind"), "operator") &&
           value_get(person, "not_after") == NULL &&
           ((value_is(roles, VALUE_ARRAY) && roles->count > 0) ||
            (value_is(services, VALUE_ARRAY) && services->count > 0));
}

/* Who stands in the directory and not in the file keeps what they may: whoever took the entry out believes otherwise. */
static void tell_left_out(struct tool *tool, const struct reload *reload)
{
    const struct value *list =
        value_is(&reload->now, VALUE_ARRAY) ? &reload->now : value_get(&reload->now, "people");

    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++) {
        const struct value *person = &list->as.items[i];
        struct slice name = value_get_text(person, "name");

        if (has_rights(person) && !is_in_file(reload, name))
            output_line(&tool->out, INK_WAIT,
                        "%.*s is not in the file and keeps every right. To end them, write the "
                        "entry with until = \"DAY\", the last day.",
                        (int)name.len, (const char *)name.at);
    }
}

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

/* One, or as many as it takes: they belong together, and are agreed to together. */
static void tell_proposed(struct tool *tool, const struct value *proposals, const char *who)
{
    const char *numbers = "", *list = "";

    for (uint32_t i = 0; i < proposals->count; i++) {
        long long number = (long long)proposals->as.items[i].as.number;

        numbers = arena_printf(&tool->arena, "%s %lld", numbers, number);
        list = arena_printf(&tool->arena, "%s%s%lld", list,
                            i == 0                      ? ""
                            : i + 1 == proposals->count ? " and "
                                                        : ", ",
                            number);
    }
    output_line(
        &tool->out, INK_WAIT,
        proposals->count == 1
            ? "proposal %s: nothing has changed yet, it waits for a second person"
            : "proposals %s, which belong together: nothing has changed yet, they wait for a "
              "second person",
        list);
    output_line(&tool->out, INK_NONE, "  %s agrees: rota --as WHO agree%s", who, numbers);
}

static void tell(struct tool *tool, const struct reload *reload)
{
    struct slice by = slice_str(tool->who != NULL ? tool->who : "operator");
    const char *who = amend_seconds(tool, &reload->now, by);

    tell_left_out(tool, reload);
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
    if (reload->proposals.count > 0)
        tell_proposed(tool, &reload->proposals, who);
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
    "propose what directory.cfg and the keys beside it say",
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
