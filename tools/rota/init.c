/* init.c - `rota init`: a new organisation. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "commands.h"
#include "core/endorse.h"
#include "enrolment.h"
#include "keys.h"
#include "programs.h"
#include "values.h"

enum { COPY_DEPTH_MAX = 8, COPY_FILE_MAX = 1024 * 1024, ORIGIN_MAX = 255 };

struct founding {
    struct tool *tool;
    const char *dir, *origin, *timezone;
    bool is_sample, is_virtual;
    const struct arguments *given;
    config_t directory; /* directory.cfg, parsed */
    int people, workers, roots;
};

static const char *in(struct founding *founding, const char *part)
{
    return arena_printf(&founding->tool->arena, "%s/%s", founding->dir, part);
}

/* ---- files --------------------------------------------------------------------------------------- */

static int make_directory(const char *path)
{
    return mkdir(path, 0700) == 0 ? TOOL_DONE
                                  : tool_fail(TOOL_INPUT, "%s: %s", path, strerror(errno));
}

static int write_file(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t done = 0;
    ssize_t put = 0;

    if (fd < 0)
        return tool_fail(TOOL_INPUT, "%s: %s", path, strerror(errno));
    while (done < bytes.len && (put = write(fd, bytes.at + done, bytes.len - done)) > 0)
        done += (size_t)put;
    if (put < 0 || fsync(fd) != 0) {
        close(fd);
        return tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
    }
    close(fd);
    return TOOL_DONE;
}

static int copy_file(struct tool *tool, const char *from, const char *to)
{
    struct slice bytes;
    struct error err;

    if (values_read_bytes(&tool->arena, from, COPY_FILE_MAX, &bytes, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    return write_file(to, bytes);
}

static int copy_tree(struct tool *tool, const char *from, const char *to, int depth);

static int copy_entry(struct tool *tool, const char *from, const char *to, int depth)
{
    struct stat about;

    if (stat(from, &about) != 0)
        return tool_fail(TOOL_INPUT, "%s: %s", from, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return copy_tree(tool, from, to, depth + 1);
    return S_ISREG(about.st_mode) ? copy_file(tool, from, to) : TOOL_DONE;
}

static int copy_tree(struct tool *tool, const char *from, const char *to, int depth)
{
    DIR *dir = opendir(from);
    struct dirent *entry;
    int status;

    if (dir == NULL)
        return tool_fail(TOOL_INPUT, "%s: %s", from, strerror(errno));
    status = depth > COPY_DEPTH_MAX ? tool_fail(TOOL_INPUT, "%s: folders nested too deep", from)
                                    : make_directory(to);
    while (status == TOOL_DONE && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            status = copy_entry(tool, arena_printf(&tool->arena, "%s/%s", from, entry->d_name),
                                arena_printf(&tool->arena, "%s/%s", to, entry->d_name), depth);
    closedir(dir);
    return status;
}

/* New, or empty: nothing of anybody's is ever written over. */
static int take_directory(struct founding *founding)
{
    DIR *dir = opendir(founding->dir);
    struct dirent *entry;
    bool is_empty = true;

    if (dir == NULL && errno == ENOENT)
        return make_directory(founding->dir);
    if (dir == NULL)
        return tool_fail(TOOL_INPUT, "%s: %s", founding->dir, strerror(errno));
    while ((entry = readdir(dir)) != NULL)
        is_empty =
            is_empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(dir);
    if (!is_empty)
        return tool_fail(TOOL_REFUSED,
                         "%s is not empty: a new organisation needs a directory of its own",
                         founding->dir);
    return chmod(founding->dir, 0700) == 0
               ? TOOL_DONE
               : tool_fail(TOOL_INPUT, "%s: %s", founding->dir, strerror(errno));
}

/* ---- settings ------------------------------------------------------------------------------------ */

static const char *setting_line(struct founding *founding, const char *line)
{
    static const char *const names[] = {"origin", "timezone", "clock"};
    const char *values[] = {founding->origin, founding->timezone,
                            founding->is_virtual ? "virtual" : "system"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i]);

        if (strncmp(line, names[i], len) == 0 && (line[len] == ' ' || line[len] == '='))
            return arena_printf(&founding->tool->arena, "%s = \"%s\";", names[i], values[i]);
    }
    return NULL;
}

/* The template with its comments; three settings are this organisation's own. */
static int write_settings(struct founding *founding, const char *config)
{
    struct tool *tool = founding->tool;
    const char *from = arena_printf(&tool->arena, "%s/rotad.cfg", config);
    struct buf out = BUF_EMPTY;
    struct slice text;
    struct error err;
    char *line;
    int status;

    if (values_read_bytes(&tool->arena, from, COPY_FILE_MAX, &text, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    for (line = arena_copy(&tool->arena, text.at, text.len); *line != '\0';) {
        char *end = strchr(line, '\n');
        const char *own;

        if (end != NULL)
            *end = '\0';
        own = setting_line(founding, line);
        buf_addf(&out, "%s\n", own != NULL ? own : line);
        line = end != NULL ? end + 1 : line + strlen(line);
    }
    status = write_file(in(founding, "rotad.cfg"), buf_slice(&out));
    buf_release(&out);
    return status;
}

static const char no_people[] =
    "# Who there is, what they do, and which programs work for them.\n"
    "#\n"
    "# A person:  rota key new bo        makes the key pair and shows what to write here; then: "
    "rota reload\n"
    "#   { name = \"bo\"; title = \"Bo Jensen, ISMS manager\"; email = \"bo@example.org\"; roles = "
    "[\"isms_manager\", \"employee\"]; }\n"
    "# Roles are those of pack/roles.cfg.\n"
    "\n"
    "people = (\n"
    ");\n"
    "\n"
    "# Programs have names, keys and rights of their own. A worker may serve only what is listed. "
    "`gateway`: it may bring\n"
    "# the signed decisions of people.\n"
    "workers = (\n"
    "  { name = \"approval-worker\";      title = \"Carries approval requests to people\"; serves "
    "= [\"approval.request\"]; gateway = true; },\n"
    "  { name = \"communication-worker\"; title = \"Delivers messages\";                   serves "
    "= [\"communication.deliver\"]; },\n"
    "  { name = \"audit-worker\";         title = \"Runs audits and imports results\";     serves "
    "= [\"audit.*\"]; },\n"
    "  { name = \"exec-worker\";          title = \"Serves a service with any program\";   serves "
    "= [\"exec.*\"]; }\n"
    ");\n";

static int write_directory(struct founding *founding, const char *config)
{
    struct tool *tool = founding->tool;

    if (founding->is_sample)
        return copy_file(tool, arena_printf(&tool->arena, "%s/sample/directory.cfg", config),
                         in(founding, "directory.cfg"));
    return write_file(in(founding, "directory.cfg"), slice_str(no_people));
}

static int read_directory(struct founding *founding)
{
    const char *path = in(founding, "directory.cfg");

    return config_read_file(&founding->directory, path) == CONFIG_TRUE
               ? TOOL_DONE
               : tool_fail(TOOL_INPUT, "%s:%d: %s", path, config_error_line(&founding->directory),
                           config_error_text(&founding->directory));
}

/* approval-worker -> a section `approval` that names principal and key. */
static int write_workers(struct founding *founding)
{
    const config_setting_t *list = config_lookup(&founding->directory, "workers");
    struct buf out = BUF_EMPTY;
    const char *name;
    int status;

    buf_add_str(&out, "# workers.cfg - settings of the standard workers; each reads its own "
                      "section, and what stands at the top.\n"
                      "# Mail goes to the folders in mail/ until a server is named here; see the "
                      "workers' manual pages.\n");
    for (int i = 0; list != NULL && i < config_setting_length(list); i++) {
        const char *dash;

        if (config_setting_lookup_string(config_setting_get_elem(list, (unsigned)i), "name",
                                         &name) != CONFIG_TRUE)
            continue;
        dash = strstr(name, "-worker");
        buf_addf(&out, "\n%.*s: {\n  principal = \"%s\";\n  key = \"keys/%s.key\";\n};\n",
                 dash != NULL ? (int)(dash - name) : (int)strlen(name), name, name, name);
    }
    status = write_file(in(founding, "workers.cfg"), buf_slice(&out));
    buf_release(&out);
    return status;
}

/* ---- keys ---------------------------------------------------------------------------------------- */

static int make_listed(struct founding *founding, const char *list_name, bool can_sign, int *count)
{
    const config_setting_t *list = config_lookup(&founding->directory, list_name);
    int status = TOOL_DONE;

    for (int i = 0; status == TOOL_DONE && list != NULL && i < config_setting_length(list); i++) {
        const config_setting_t *entry = config_setting_get_elem(list, (unsigned)i);
        const char *name;

        if (config_setting_lookup_string(entry, "name", &name) != CONFIG_TRUE)
            return tool_fail(TOOL_INPUT, "%s:%u: this entry has no name",
                             in(founding, "directory.cfg"), config_setting_source_line(entry));
        status = keys_make(founding->tool, in(founding, "keys"), name,
                           &(struct keys_plan){.transport = true, .can_sign = can_sign});
        ++*count;
    }
    return status;
}

/* ---- root keys ----------------------------------------------------------------------------------- */

static int add_root(struct founding *founding, const char *public_path, struct buf *list)
{
    struct keyfile key;
    struct error err;
    char hex[2 * SIGN_KEY_LEN + 1];

    if (keyfile_load(public_path, &key, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (!key.has_sign_public)
        return tool_fail(TOOL_INPUT, "%s holds no signing key", public_path);
    hex_encode(slice_of(key.sign_public, SIGN_KEY_LEN), hex);
    buf_addf(list, "%s %s\n", key.name[0] != '\0' ? key.name : "root", hex);
    keyfile_wipe(&key);
    founding->roots++;
    return TOOL_DONE;
}

static int write_roots(struct founding *founding, const struct buf *list)
{
    if (founding->roots == 0)
        return TOOL_DONE;
    if (founding->roots < ENDORSE_ROOTS_MIN || founding->roots > ROOT_KEYS_MAX)
        return tool_fail(TOOL_USAGE, "--root: two to %d root keys, of different people",
                         ROOT_KEYS_MAX);
    return write_file(in(founding, "keys/roots"), buf_slice(list));
}

/* Public halves that top management made elsewhere (rota key root). */
static int take_roots(struct founding *founding)
{
    struct buf list = BUF_EMPTY;
    int status = TOOL_DONE;

    for (int i = 0; status == TOOL_DONE && i < founding->given->given_count; i++)
        if (strcmp(founding->given->given[i].name, "--root") == 0)
            status = add_root(founding, founding->given->given[i].value, &list);
    if (status == TOOL_DONE)
        status = write_roots(founding, &list);
    buf_release(&list);
    return status;
}

/* Each person's key, endorsed by the roots before there is a journal to ask. */
static int endorse_people(struct founding *founding, struct keyfile *roots, int count)
{
    const config_setting_t *list = config_lookup(&founding->directory, "people");
    struct arena *arena = &founding->tool->arena;
    int status = TOOL_DONE;

    for (int i = 0; status == TOOL_DONE && list != NULL && i < config_setting_length(list); i++) {
        const char *name = "";
        struct value enrolment;
        struct keyfile key;
        struct error err;

        (void)config_setting_lookup_string(config_setting_get_elem(list, (unsigned)i), "name",
                                           &name);
        if (keyfile_load(in(founding, arena_printf(arena, "keys/%s.pub", name)), &key, &err) != 0)
            return tool_error(TOOL_INTERNAL, &err);
        enrolment = enrolment_make(arena, founding->origin, name, 0, key.sign_public);
        for (int r = 0; r < count && status == TOOL_DONE; r++)
            status = enrolment_endorse(founding->tool, &enrolment, &roots[r]);
        if (status == TOOL_DONE)
            status = enrolment_write(founding->tool,
                                     in(founding, arena_printf(arena, "keys/%s.enrolment", name)),
                                     &enrolment);
    }
    return status;
}

/* The sample's two roots lie beside everything else, which a real organisation's never do. */
static int make_roots(struct founding *founding)
{
    static const char *const holders[] = {"root-1", "root-2"};
    struct arena *arena = &founding->tool->arena;
    struct keyfile roots[2];
    struct buf list = BUF_EMPTY;
    int status = TOOL_DONE, made = 0;

    for (; made < 2 && status == TOOL_DONE; made += status == TOOL_DONE) {
        struct error err;

        status = keys_make(founding->tool, in(founding, "keys"), holders[made],
                           &(struct keys_plan){.can_sign = true});
        if (status == TOOL_DONE &&
            keyfile_load(in(founding, arena_printf(arena, "keys/%s.key", holders[made])),
                         &roots[made], &err) != 0)
            status = tool_error(TOOL_INTERNAL, &err);
        if (status == TOOL_DONE)
            status = add_root(
                founding, in(founding, arena_printf(arena, "keys/%s.pub", holders[made])), &list);
    }
    if (status == TOOL_DONE)
        status = write_roots(founding, &list);
    if (status == TOOL_DONE)
        status = endorse_people(founding, roots, made);
    for (int i = 0; i < made; i++)
        keyfile_wipe(&roots[i]);
    buf_release(&list);
    return status;
}

static int make_keys(struct founding *founding)
{
    struct tool *tool = founding->tool;
    const char *keys = in(founding, "keys");
    int status = keys_make(tool, keys, "engine", &(struct keys_plan){.transport = true});

    if (status == TOOL_DONE)
        status = keys_make_log(tool, keys, founding->origin);
    if (status == TOOL_DONE)
        status = make_listed(founding, "workers", false, &founding->workers);
    if (status == TOOL_DONE)
        status = make_listed(founding, "people", true, &founding->people);
    if (status == TOOL_DONE)
        status = founding->is_sample ? make_roots(founding) : take_roots(founding);
    return status;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static int take_sample(struct founding *founding, const char *config)
{
    const char *path = arena_printf(&founding->tool->arena, "%s/sample/organisation.cfg", config),
               *text;
    config_t organisation;
    int status = TOOL_DONE;

    config_init(&organisation);
    if (config_read_file(&organisation, path) != CONFIG_TRUE)
        status = tool_fail(TOOL_INPUT, "%s:%d: %s", path, config_error_line(&organisation),
                           config_error_text(&organisation));
    if (status == TOOL_DONE && founding->origin == NULL &&
        config_lookup_string(&organisation, "organisation.origin", &text) == CONFIG_TRUE)
        founding->origin = arena_str(&founding->tool->arena, text);
    if (status == TOOL_DONE && founding->timezone == NULL &&
        config_lookup_string(&organisation, "organisation.timezone", &text) == CONFIG_TRUE)
        founding->timezone = arena_str(&founding->tool->arena, text);
    config_destroy(&organisation);
    return status;
}

/* An origin must not be mistaken: a rehearsal's ends in /virtual, a real one's never does. */
static int settle_origin(struct founding *founding)
{
    static const char tail[] = "/virtual";
    char host[128] = "localhost";
    size_t len;

    if (founding->origin == NULL) {
        gethostname(host, sizeof host - 1);
        founding->origin = arena_printf(&founding->tool->arena, "%s/isms", host);
    }
    for (const char *at = founding->origin; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == '"' || *at == '\\' || *at == '+' ||
            (unsigned char)*at >= 0x7f)
            return tool_fail(
                TOOL_USAGE,
                "--origin %s: letters, digits, dots and slashes, as in example.org/isms",
                founding->origin);
    len = strlen(founding->origin);
    if (len == 0 || len > ORIGIN_MAX - sizeof tail)
        return tool_fail(TOOL_USAGE, "--origin needs 1 to %d characters", ORIGIN_MAX);
    if (len >= sizeof tail && strcmp(founding->origin + len - (sizeof tail - 1), tail) == 0)
        founding->is_virtual = true;
    else if (founding->is_virtual)
        founding->origin = arena_printf(&founding->tool->arena, "%s%s", founding->origin, tail);
    return TOOL_DONE;
}

static int write_parts(struct founding *founding, const char *config, const char *workflows)
{
    static const char *const folders[] = {"keys", "run", "log", "mail"};
    struct tool *tool = founding->tool;
    int status = take_directory(founding);

    for (size_t i = 0; status == TOOL_DONE && i < sizeof folders / sizeof folders[0]; i++)
        status = make_directory(in(founding, folders[i]));
    if (status == TOOL_DONE)
        status = copy_tree(tool, workflows, in(founding, "pack"), 0);
    if (status == TOOL_DONE && founding->is_sample)
        status = copy_tree(tool, arena_printf(&tool->arena, "%s/sample", config),
                           in(founding, "sample"), 0);
    if (status == TOOL_DONE)
        status = write_settings(founding, config);
    if (status == TOOL_DONE)
        status = write_directory(founding, config);
    if (status == TOOL_DONE)
        status = read_directory(founding);
    if (status == TOOL_DONE)
        status = write_workers(founding);
    return status == TOOL_DONE ? make_keys(founding) : status;
}

static int found_journal(struct founding *founding)
{
    const char *rotad = program_find(founding->tool, "rotad");
    char *argv[] = {arena_str(&founding->tool->arena, rotad != NULL ? rotad : ""),
                    arena_str(&founding->tool->arena, "--init"),
                    arena_str(&founding->tool->arena, founding->dir), NULL};
    int code;

    if (rotad == NULL)
        return tool_fail(TOOL_INTERNAL,
                         "rotad is neither beside %s nor in PATH; %s has no journal yet",
                         founding->tool->program, founding->dir);
    code = program_run(founding->tool, argv);
    if (code == 0)
        return TOOL_DONE;
    return tool_fail(
        code == 65 || code == 78 ? TOOL_INPUT : TOOL_INTERNAL,
        "the journal was not founded. Mend what is named above, then: rm -r %s and init again",
        tool_shell(&founding->tool->arena, founding->dir));
}

static void tell(struct founding *founding)
{
    struct tool *tool = founding->tool;
    struct output *out = &tool->out;

    if (out->json) {
        struct value line = value_map();

        value_set(&tool->arena, &line, "dir", value_str(founding->dir));
        value_set(&tool->arena, &line, "origin", value_str(founding->origin));
        value_set(&tool->arena, &line, "clock",
                  value_str(founding->is_virtual ? "virtual" : "system"));
        value_set(&tool->arena, &line, "people", value_int(founding->people));
        value_set(&tool->arena, &line, "workers", value_int(founding->workers));
        output_json(out, &line);
        return;
    }
    output_line(out, INK_BOLD, "%s: a new organisation, journal %s", founding->dir,
                founding->origin);
    output_pair(out, 2, 14, "rotad.cfg", INK_NONE, slice_str("how the engine runs"));
    output_pair(out, 2, 14, "directory.cfg", INK_NONE,
                slice_str(arena_printf(&tool->arena, "%d people and %d workers", founding->people,
                                       founding->workers)));
    output_pair(out, 2, 14, "workers.cfg", INK_NONE, slice_str("how the standard workers run"));
    output_pair(out, 2, 14, "pack/", INK_NONE, slice_str("the workflows that are in force"));
    output_pair(
        out, 2, 14, "keys/", INK_NONE,
        slice_str("secret keys, for you alone; keys/log.vkey is public: give it to your auditor"));
    output_pair(out, 2, 14, "journal.db", INK_NONE, slice_str("every fact, from now on"));
    if (founding->is_virtual)
        output_text(out, 2,
                    slice_str("The clock is virtual: rota clock moves it, and this journal can "
                              "never pass for a real one."));
    if (founding->roots == 0)
        output_text(out, 2,
                    slice_str("There are no root keys: whoever keeps the directory says whose key "
                              "is whose, and rota-verify will say so. See rota key --help."));
    else if (founding->is_sample)
        output_text(
            out, 2,
            slice_str("Two root keys endorse everybody's; here they lie in keys/ as well. A "
                      "real organisation keeps them elsewhere."));
    output_heading(out, "Next");
    output_whole(out, INK_NONE, "  export ROTA_DIR=%s", tool_shell(&tool->arena, founding->dir));
    output_whole(out, INK_NONE, "  rota up");
    if (founding->is_sample) {
        output_whole(out, INK_NONE, "  rota --as ines open --from %s",
                     tool_shell(&tool->arena, in(founding, "sample/scope_statement.cfg")));
        return;
    }
    output_whole(out, INK_NONE, "  rota key new YOU");
    output_line(out, INK_NONE, "then write yourself into %s, and", in(founding, "directory.cfg"));
    output_whole(out, INK_NONE, "  rota reload");
}

/* The engine's sockets are files in DIR/run, and the name of a socket has 107 bytes. */
static int check_length(struct founding *founding)
{
    struct sockaddr_un address;
    char here[4096];
    size_t len = strlen(founding->dir) + strlen("/run/front");

    if (founding->dir[0] != '/' && getcwd(here, sizeof here) != NULL)
        len += strlen(here) + 1;
    if (len < sizeof address.sun_path)
        return TOOL_DONE;
    return tool_fail(TOOL_USAGE,
                     "%s: the path is too long for the engine's sockets; %zu bytes fewer would do",
                     founding->dir, len + 1 - sizeof address.sun_path);
}

static int found(struct founding *founding)
{
    const char *workflows = program_share(founding->tool, "workflows"),
               *config = program_share(founding->tool, "config");
    int status = TOOL_DONE;

    if (workflows == NULL || config == NULL)
        return tool_fail(
            TOOL_INTERNAL,
            "the shipped %s is not found beside this program; say where with ROTA_SHARE=DIR",
            workflows == NULL ? "workflows" : "config");
    status = check_length(founding);
    if (status == TOOL_DONE && founding->is_sample)
        status = take_sample(founding, config);
    if (founding->timezone == NULL)
        founding->timezone = "UTC";
    if (status == TOOL_DONE)
        status = settle_origin(founding);
    if (status == TOOL_DONE)
        status = write_parts(founding, config, workflows);
    if (status == TOOL_DONE)
        status = found_journal(founding);
    if (status == TOOL_DONE)
        tell(founding);
    return status;
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct founding founding = {.tool = tool,
                                .dir = given->words[0],
                                .origin = arguments_get(given, "--origin"),
                                .timezone = arguments_get(given, "--timezone"),
                                .is_sample = arguments_have(given, "--sample"),
                                .given = given};
    const char *clock = arguments_get(given, "--clock");
    int status;

    founding.is_virtual = arguments_have(given, "--virtual") ||
                          (clock != NULL ? strcmp(clock, "virtual") == 0 : founding.is_sample);
    config_init(&founding.directory);
    status = found(&founding);
    config_destroy(&founding.directory);
    return status;
}

static const struct tool_option options[] = {
    {"--sample", NULL,
     "the sample organisation: sixteen people with roles and keys, on a virtual clock"},
    {"--virtual", NULL,
     "a virtual clock, for rehearsals; the journal's name then ends in /virtual"},
    {"--clock", "system|virtual", "which clock (default: system; with --sample: virtual)"},
    {"--origin", "NAME",
     "the journal's name in every signature, as example.org/isms; never changed later"},
    {"--root", "FILE.pub",
     "a root key of top management (rota key root); give two or more. Without them whoever keeps "
     "the directory says whose key is whose"},
    {"--timezone", "ZONE", "where days begin and end, as Europe/Paris (default: UTC)"},
    {NULL, NULL, NULL},
};

const struct tool_command command_init = {
    "init",
    "start",
    "DIR [--sample] [--virtual] [--origin NAME] [--timezone ZONE] [--root FILE.pub ...]",
    "make a new organisation",
    "Makes DIR (0700): settings, keys, the workflow pack, and a journal whose first entries name "
    "them. DIR\n"
    "must not exist or be empty.\n\n"
    "    rota init isms --origin example.org/isms --timezone Europe/Paris\n"
    "    rota init rehearsal --sample",
    options,
    1,
    1,
    false,
    run};
