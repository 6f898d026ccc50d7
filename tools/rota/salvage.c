/* salvage.c - `rota salvage`: what the engine says has to be done after the disk failed to keep a write. */
#include "commands.h"
#include "programs.h"

static int run(struct tool *tool, const struct arguments *given)
{
    const char *rotad = program_find(tool, "rotad");
    char *argv[] = {arena_str(&tool->arena, rotad != NULL ? rotad : ""),
                    arena_str(&tool->arena, "--salvage"), NULL, NULL};
    int code;

    if (given->word_count > 0)
        tool->dir = given->words[0];
    argv[2] = arena_str(&tool->arena, tool->dir);
    if (rotad == NULL)
        return tool_fail(TOOL_INTERNAL, "rotad is neither beside %s nor in PATH", tool->program);
    code = program_run(tool, argv);
    if (code == 73)
        return tool_fail(TOOL_REFUSED, "stop the engine first: rota down %s",
                         tool_shell(&tool->arena, tool->dir));
    if (code != 0)
        return code == 65 || code == 78 ? TOOL_INPUT : TOOL_INTERNAL;
    if (tool->out.json) {
        struct value line = value_map();

        value_set(&tool->arena, &line, "dir", value_str(tool->dir));
        output_json(&tool->out, &line);
        return TOOL_DONE;
    }
    output_line(
        &tool->out, INK_GOOD,
        "the journal stands on fresh blocks, every entry checked; start it with: rota up %s",
        tool_shell(&tool->arena, tool->dir));
    output_line(&tool->out, INK_DIM,
                "what was there before is kept beside it as journal.db.before-salvage.N");
    return TOOL_DONE;
}

const struct tool_command command_salvage = {
    "salvage",
    "operation",
    "[DIR]",
    "copy the journal to fresh blocks after the disk failed to keep a write",
    "When fsync fails, what was written may be in memory only. The engine goes on answering "
    "questions, takes\n"
    "nothing more, and does not start again before this. Do it before the machine is switched off: "
    "stop the\n"
    "engine, then salvage. The files are read, written anew, checked entry by entry, and only then "
    "put in the\n"
    "place of the old ones, which are kept. It can be interrupted anywhere and run again.\n\n"
    "    rota down isms && rota salvage isms && rota up isms",
    NULL,
    0,
    1,
    false,
    run};
