/* worker.c - `rota worker new`, `rota key new`: a principal of one's own, ready to be written down. */
#include <stdlib.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "forms.h"
#include "keys.h"
#include "principal.h"

static const char *public_hex(struct tool *tool, const uint8_t key[32])
{
    char *hex = arena_take(&tool->arena, 65);

    hex_encode(slice_of(key, 32), hex);
    return hex;
}

static int load_public(struct tool *tool, const char *name, struct keyfile *out)
{
    struct error err;
    const char *path = tool_path(tool, arena_printf(&tool->arena, "keys/%s.pub", name));

    return keyfile_load(path, out, &err) == 0 ? TOOL_DONE : tool_error(TOOL_INTERNAL, &err);
}

static void tell_json(struct tool *tool, const char *name, const struct keyfile *key)
{
    struct value line = value_map();

    value_set(&tool->arena, &line, "name", value_str(name));
    value_set(&tool->arena, &line, "key",
              value_str(tool_path(tool, arena_printf(&tool->arena, "keys/%s.key", name))));
    value_set(&tool->arena, &line, "transport", value_bin(key->curve_public, CURVE_KEY_LEN));
    if (key->has_sign_public)
        value_set(&tool->arena, &line, "sign", value_bin(key->sign_public, SIGN_KEY_LEN));
    output_json(&tool->out, &line);
}

int person_new(struct tool *tool, const char *name, const struct keys_plan *plan)
{
    struct keyfile key;
    int status = keys_make(tool, tool_path(tool, "keys"), name, plan);

    if (status == TOOL_DONE)
        status = load_public(tool, name, &key);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json) {
        tell_json(tool, name, &key);
        return TOOL_DONE;
    }
    output_line(&tool->out, INK_GOOD, "made %s and its public half",
                tool_path(tool, arena_printf(&tool->arena, "keys/%s.key", name)));
    output_line(&tool->out, INK_NONE, "  signs with %s", public_hex(tool, key.sign_public));
    output_heading(&tool->out, "Write into %s, under people:", tool_path(tool, "directory.cfg"));
    output_whole(&tool->out, INK_NONE, "  { name = \"%s\"; title = \"NAME, FUNCTION\";", name);
    output_whole(&tool->out, INK_NONE, "    email = \"%s@example.org\"; roles = [\"employee\"]; }",
                 name);
    output_blank(&tool->out);
    output_line(&tool->out, INK_NONE,
                "then: rota reload, and somebody else agrees (rota proposals)");
    return TOOL_DONE;
}

static int worker_new(struct tool *tool, const struct arguments *given)
{
    const char *service = arguments_get(given, "--service"), *name = given->words[1];
    struct engine_place place;
    struct keyfile key;
    char *here = realpath(tool->dir, NULL);
    int status;

    if (service == NULL) {
        free(here);
        return tool_usage(given, "--service SERVICE says what it serves, as exec.backup-check");
    }
    if ((status = ask_place(tool, &place)) == TOOL_DONE &&
        (status = keys_make(tool, tool_path(tool, "keys"), name,
                            &(struct keys_plan){.transport = true})) == TOOL_DONE &&
        (status = load_public(tool, name, &key)) == TOOL_DONE) {
        if (tool->out.json) {
            tell_json(tool, name, &key);
        } else {
            output_line(&tool->out, INK_GOOD, "made %s and its public half",
                        tool_path(tool, arena_printf(&tool->arena, "keys/%s.key", name)));
            output_heading(&tool->out,
                           "Write into %s, under workers:", tool_path(tool, "directory.cfg"));
            output_whole(&tool->out, INK_NONE,
                         "  { name = \"%s\"; title = \"What it does\"; serves = [\"%s\"]; }", name,
                         service);
            output_blank(&tool->out);
            output_line(&tool->out, INK_NONE,
                        "then: rota reload, somebody else agrees (rota proposals), and start the "
                        "worker with");
            output_line(&tool->out, INK_NONE, "  endpoint    ipc://%s/run/front",
                        here != NULL ? here : tool->dir);
            output_line(&tool->out, INK_NONE, "  its key     %s/keys/%s.key",
                        here != NULL ? here : tool->dir, name);
            output_line(&tool->out, INK_NONE, "  engine key  %s", place.server_key);
            output_line(&tool->out, INK_NONE, "  service     %s", service);
        }
    }
    free(here);
    return status;
}

static int run_worker(struct tool *tool, const struct arguments *given)
{
    if (strcmp(given->words[0], "new") != 0)
        return forms_unknown(given);
    return worker_new(tool, given);
}

static const struct tool_option options[] = {
    {"--service", "SERVICE", "the service it will serve"},
    {NULL, NULL, NULL},
};

const struct tool_command command_worker = {
    "worker",
    "workers",
    "new NAME --service SERVICE",
    "a key and a directory entry for a worker of your own",
    "Any Majordomo worker can serve; workers/examples has some in Python, Perl and shell.\n\n"
    "    rota worker new backup-check --service exec.backup-check",
    options,
    2,
    2,
    false,
    run_worker};
