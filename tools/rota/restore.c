/* restore.c - `rota restore`: a copy of the journal takes its place. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "against.h"
#include "commands.h"
#include "programs.h"
#include "values.h"

enum { CFG_BYTES_MAX = 1 << 20, VERIFY_WORDS = 8, RESTORE_WORDS = 8 };

/* Every entry, signature and row of the copy, by the program that knows nothing of the engine. */
static int check_copy(struct tool *tool, const char *file, const char *head)
{
    const char *program = program_find(tool, "rota-verify");
    char *argv[VERIFY_WORDS] = {arena_str(&tool->arena, program != NULL ? program : ""),
                                arena_str(&tool->arena, file), arena_str(&tool->arena, "--vkey"),
                                arena_printf(&tool->arena, "@%s", tool_path(tool, "keys/log.vkey")),
                                arena_str(&tool->arena, "--quiet")};
    int code;

    if (program == NULL)
        return tool_fail(TOOL_INTERNAL, "rota-verify is neither beside %s nor in PATH",
                         tool->program);
    if (head != NULL) {
        argv[5] = arena_str(&tool->arena, "--trusted");
        argv[6] = arena_str(&tool->arena, head);
    }
    code = program_run_aside(tool, argv);
    return code == 0 ? TOOL_DONE
                     : tool_fail(TOOL_INPUT, "%s was not restored: it does not hold", file);
}

static int place_copy(struct tool *tool, const char *file, const char *head, bool accepts_loss)
{
    const char *rotad = program_find(tool, "rotad");
    char *argv[RESTORE_WORDS] = {arena_str(&tool->arena, rotad != NULL ? rotad : ""),
                                 arena_str(&tool->arena, "--restore"),
                                 arena_str(&tool->arena, tool->dir), arena_str(&tool->arena, file)};
    int count = 4, code;

    if (rotad == NULL)
        return tool_fail(TOOL_INTERNAL, "rotad is neither beside %s nor in PATH", tool->program);
    if (head != NULL) {
        argv[count++] = arena_str(&tool->arena, "--against");
        argv[count++] = arena_str(&tool->arena, head);
    }
    if (accepts_loss)
        argv[count++] = arena_str(&tool->arena, "--accept-loss");
    code = program_run_aside(tool, argv);
    if (code == 73)
        return tool_fail(TOOL_REFUSED, "stop the engine first: rota down %s",
                         tool_shell(&tool->arena, tool->dir));
    return code == 0 ? TOOL_DONE : code == 65 || code == 78 ? TOOL_INPUT : TOOL_INTERNAL;
}

/* The name of the log is the first word of its newest verifier key. */
static const char *origin_of(struct tool *tool)
{
    struct slice bytes;
    struct error err;
    const char *plus;

    if (values_read_bytes(&tool->arena, tool_path(tool, "keys/log.vkey"), CFG_BYTES_MAX, &bytes,
                          &err) != 0)
        return "";
    plus = memchr(bytes.at, '+', bytes.len);
    return arena_copy(&tool->arena, bytes.at,
                      plus != NULL ? (size_t)(plus - (const char *)bytes.at) : 0);
}

static void tell(struct tool *tool, const char *before, const char *after)
{
    bool is_new = strcmp(before, after) != 0;
    struct value line = value_map();

    if (tool->out.json) {
        value_set(&tool->arena, &line, "dir", value_str(tool->dir));
        value_set(&tool->arena, &line, "origin", value_str(after));
        value_set(&tool->arena, &line, "loss", value_bool(is_new));
        output_json(&tool->out, &line);
        return;
    }
    output_line(&tool->out, INK_GOOD, "the copy is the journal now; start it with: rota up %s",
                tool_shell(&tool->arena, tool->dir));
    if (is_new)
        output_line(&tool->out, INK_NONE,
                    "Entries are missing that were signed. It goes on as %s, and its next entry "
                    "says from where. Give the new first line of %s to your auditors.",
                    after, tool_path(tool, "keys/log.vkey"));
    output_line(&tool->out, INK_DIM,
                "what was there before is kept beside it as journal.db.before-restore.N");
}

static int restore(struct tool *tool, const char *file, const char *head, bool accepts_loss)
{
    const char *before = origin_of(tool);
    /* With a loss accepted, a head that is larger than the copy is just what is known to be lost. */
    int status;

    if (!tool->out.json) {
        output_line(&tool->out, INK_DIM, "every entry and signature of %s is checked", file);
        fflush(stdout);
    }
    status = check_copy(tool, file, accepts_loss ? NULL : head);

    if (status == TOOL_DONE)
        status = place_copy(tool, file, head, accepts_loss);
    if (status == TOOL_DONE)
        tell(tool, before, origin_of(tool));
    return status;
}

static int run(struct tool *tool, const struct arguments *given)
{
    const char *mail = arguments_get(given, "--against"), *head = NULL, *tmp = getenv("TMPDIR");
    int status = TOOL_DONE;

    if (given->word_count > 1)
        tool->dir = given->words[1];
    if (access(given->words[0], R_OK) != 0)
        return tool_fail(TOOL_INPUT, "%s cannot be read%s", given->words[0],
                         nearest_path(&tool->arena, given->words[0]));
    if (access(tool_path(tool, "rotad.cfg"), F_OK) != 0)
        return tool_fail(TOOL_USAGE, "%s is no organisation's directory", tool->dir);
    if (mail != NULL) {
        head = arena_printf(&tool->arena, "%s/rota-head-%ld", tmp != NULL ? tmp : "/tmp",
                            (long)getpid());
        status = against_extract(tool, mail, head);
    }
    if (status == TOOL_DONE)
        status = restore(tool, given->words[0], head, arguments_have(given, "--accept-loss"));
    if (head != NULL)
        unlink(head);
    return status;
}

static const struct tool_option options[] = {
    {"--against", "MAIL",
     "a mail that Rota sent, or a checkpoint that was kept: the copy must hold it"},
    {"--accept-loss", NULL, "go on, under a new origin, without entries that are missing"},
    {NULL, NULL, NULL}};

const struct tool_command command_restore = {
    "restore",
    "operation",
    "FILE [DIR]",
    "put a copy of the journal in its place",
    "FILE is a backup, or any copy of the journal. It is verified first. Where it holds all that "
    "was "
    "ever signed\n"
    "(keys/log.signed remembers it) the journal goes on as before. Where entries are missing it is "
    "refused: people,\n"
    "mails and auditors may hold what it has lost. Take a newer copy; if there is none, "
    "--accept-loss lets the journal\n"
    "go on under a new origin, so that its two histories cannot be taken for one, and its next "
    "entry "
    "says so.\n"
    "If keys/log.signed is lost too, --against the newest mail says that nothing is missing.\n"
    "The engine must be down. What was there is kept as journal.db.before-restore.N.\n\n"
    "    rota down isms && rota restore /srv/backup/isms-2026-11-26.db isms && rota up isms",
    options,
    1,
    2,
    false,
    run};
