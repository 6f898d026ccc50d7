/* packs.c - a pack, read and compiled here. */
#include "packs.h"

#include <unistd.h>

#include "base/nearest.h"
#include "definition/pack.h"
#include "programs.h"

const char *packs_usual(struct tool *tool)
{
    static const char *const NAMES[] = {"pack", "workflows"};

    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const char *path = tool_path(tool, NAMES[i]);

        if (access(path, R_OK) == 0)
            return path;
    }
    return program_share(tool, "workflows");
}

const char *packs_directory(struct tool *tool, const struct arguments *given)
{
    const char *path = arguments_get(given, "--pack");

    if (path == NULL)
        path = packs_usual(tool);
    if (path == NULL)
        (void)tool_fail(TOOL_USAGE,
                        "%s is no organisation's directory, and no workflows are "
                        "installed; say where they are with --pack DIR",
                        tool->dir);
    return path;
}

int packs_error(const char *directory, const struct error *err)
{
    struct arena arena = ARENA_EMPTY;
    int status = access(directory, F_OK) == 0
                     ? tool_error(TOOL_INPUT, err)
                     : tool_fail(TOOL_INPUT, "there is no folder %s%s", directory,
                                 nearest_path(&arena, directory));

    arena_release(&arena);
    return status;
}

int packs_load(struct tool *tool, const struct arguments *given, struct pack **out)
{
    const char *directory = packs_directory(tool, given);
    struct problems problems = PROBLEMS_EMPTY;
    struct buf text = BUF_EMPTY;
    struct error err;
    int status = TOOL_DONE;

    if (directory == NULL)
        return TOOL_USAGE;
    if (pack_load(directory, out, &problems, &err) != 0) {
        problems_show(&problems, &text);
        fprintf(stderr, "%s", buf_text(&text));
        status = problems.errors == 0
                     ? packs_error(directory, &err)
                     : tool_fail(TOOL_INPUT, "%s does not hold: %d problem%s", directory,
                                 problems.errors, problems.errors == 1 ? "" : "s");
    }
    buf_release(&text);
    problems_release(&problems);
    return status;
}

int packs_kind(const struct pack *pack, const char *name, const struct kind **out)
{
    struct nearest nearest = nearest_to(slice_str(name));
    struct arena arena = ARENA_EMPTY;

    *out = pack_kind(pack, slice_str(name));
    if (*out == NULL)
        *out = pack_prefix(pack, slice_str(name));
    if (*out != NULL)
        return TOOL_DONE;
    for (int i = 0; i < pack->kind_count; i++)
        nearest_offer(&nearest, pack->kinds[i].name);
    (void)tool_fail(TOOL_USAGE, "there is no kind '%s'%s (`rota open` lists them)", name,
                    nearest_hint(&nearest, &arena));
    arena_release(&arena);
    return TOOL_USAGE;
}
