/* draw.c - `rota draw`: workflows as pictures. */
#include "draw.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "base/nearest.h"
#include "packs.h"
#include "programs.h"

static const struct format {
    const char *name, *ending;
    const char *dot; /* what dot is asked for; NULL: these are words, and no program is needed */
    void (*words)(const struct graph *, struct buf *);
} FORMATS[] = {
    {"svg", ".svg", "-Tsvg", graph_dot},
    {"png", ".png", "-Tpng", graph_dot},
    {"pdf", ".pdf", "-Tpdf", graph_dot},
    {"mermaid", ".mmd", NULL, graph_mermaid},
    {"mermaid", ".mermaid", NULL, graph_mermaid},
    {"dot", ".dot", NULL, graph_dot},
    {"dot", ".gv", NULL, graph_dot},
};

/* The format that is named, else the one that the file's ending says, else svg. */
static const struct format *find_format(const struct arguments *given)
{
    const char *name = arguments_get(given, "--format"), *path = arguments_get(given, "-o");
    const char *ending = path != NULL ? strrchr(path, '.') : NULL;

    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        if (name != NULL ? strcmp(name, FORMATS[i].name) == 0
                         : ending != NULL && strcmp(ending, FORMATS[i].ending) == 0)
            return &FORMATS[i];
    return &FORMATS[0];
}

/* ---- output ---- */

/* With --json: the drawing as text, or the file it went to. */
static int tell_json(struct tool *tool, const struct format *format, FILE *from, const char *path)
{
    struct value line = value_map();
    struct buf text = BUF_EMPTY;
    char chunk[8192];
    size_t len;

    value_set(&tool->arena, &line, "format", value_str(format->name));
    rewind(from);
    while (path == NULL && (len = fread(chunk, 1, sizeof chunk, from)) > 0)
        buf_add(&text, chunk, len);
    value_set(&tool->arena, &line, path != NULL ? "file" : "drawing",
              path != NULL ? value_str(path) : value_text(buf_slice(&text)));
    output_json(&tool->out, &line);
    buf_release(&text);
    return TOOL_DONE;
}

static int write_all(struct tool *tool, FILE *from, const char *path)
{
    FILE *to = path != NULL ? fopen(path, "wb") : tool->out.to;
    char chunk[8192];
    size_t len;
    bool bad;

    if (to == NULL)
        return tool_fail(TOOL_INPUT, "%s: %s", path, strerror(errno));
    rewind(from);
    while ((len = fread(chunk, 1, sizeof chunk, from)) > 0)
        fwrite(chunk, 1, len, to);
    bad = ferror(from) != 0 || ferror(to) != 0;
    if (path != NULL)
        bad = fclose(to) != 0 || bad;
    return bad ? tool_fail(TOOL_INTERNAL, "%s cannot be written", path != NULL ? path : "stdout")
               : TOOL_DONE;
}

/* Graphviz reads and writes files that have no name, so that neither waits for the other. */
static int run_dot(struct tool *tool, const char *form, FILE *from, FILE *to)
{
    const char *dot = program_find(tool, "dot");
    int state = 0;
    pid_t pid;

    if (dot == NULL)
        return tool_fail(TOOL_INTERNAL,
                         "Graphviz is not here (the program dot); install the package "
                         "graphviz, or ask for --format mermaid or dot");
    fflush(NULL);
    rewind(from);
    pid = fork();
    if (pid < 0)
        return tool_fail(TOOL_INTERNAL, "fork: %s", strerror(errno));
    if (pid == 0) {
        if (dup2(fileno(from), STDIN_FILENO) < 0 || dup2(fileno(to), STDOUT_FILENO) < 0)
            _exit(127);
        execl(dot, dot, form, (char *)NULL);
        _exit(127);
    }
    if (waitpid(pid, &state, 0) != pid || !WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return tool_fail(TOOL_INTERNAL, "%s could not draw this", dot);
    return TOOL_DONE;
}

static int put_out(struct tool *tool, const struct format *format, const struct graph *graph,
                   const char *path)
{
    FILE *words = tmpfile(), *picture = tmpfile();
    struct buf text = BUF_EMPTY;
    int status = TOOL_DONE;

    if (words == NULL || picture == NULL)
        status = tool_fail(TOOL_INTERNAL, "no temporary file: %s", strerror(errno));
    if (status == TOOL_DONE) {
        format->words(graph, &text);
        fwrite(text.at, 1, text.len, words);
        if (format->dot != NULL)
            status = run_dot(tool, format->dot, words, picture);
    }
    if (status == TOOL_DONE && (path != NULL || !tool->out.json))
        status = write_all(tool, format->dot != NULL ? picture : words, path);
    if (status == TOOL_DONE && tool->out.json)
        status = tell_json(tool, format, format->dot != NULL ? picture : words, path);
    buf_release(&text);
    if (words != NULL)
        fclose(words);
    if (picture != NULL)
        fclose(picture);
    return status;
}

/* ---- what is to be drawn ---- */

static int state_of(const struct kind *kind, struct slice name, struct draw_options *options)
{
    struct nearest nearest = nearest_to(name);
    struct arena arena = ARENA_EMPTY;
    int status;

    options->state = kind_state_index(kind, name);
    if (options->state != MODEL_NONE)
        return TOOL_DONE;
    for (int i = 0; i < kind->lifecycle->state_count; i++)
        nearest_offer(&nearest, kind->lifecycle->states[i].name);
    status = tool_fail(TOOL_USAGE, "%s has no state '%.*s' in this pack%s", kind->name,
                       (int)name.len, (const char *)name.at, nearest_hint(&nearest, &arena));
    arena_release(&arena);
    return status;
}

/* Neither a kind nor a lifecycle: which of either was meant? */
static int unknown_subject(const struct pack *pack, const char *name)
{
    struct nearest nearest = nearest_to(slice_str(name));
    struct arena arena = ARENA_EMPTY;
    int status;

    for (int i = 0; i < pack->kind_count; i++) {
        nearest_offer(&nearest, pack->kinds[i].name);
        nearest_offer(&nearest, pack->kinds[i].lifecycle->name);
    }
    status = tool_fail(TOOL_USAGE,
                       "there is no kind, lifecycle or record '%s'%s (`rota open` lists the kinds, "
                       "`rota draw --map` draws them all)",
                       name, nearest_hint(&nearest, &arena));
    arena_release(&arena);
    return status;
}

/* A record: the engine says which kind it is and where it stands. */
static int of_record(struct tool *tool, const struct pack *pack, const char *record,
                     const struct kind **kind, struct draw_options *options)
{
    struct value args = value_map(), shown;
    int status;

    value_set(&tool->arena, &args, "record", value_str(record));
    status = ask_query(tool, "show", args, &shown);
    if (status != TOOL_DONE)
        return status;
    *kind = pack_kind(pack, value_get_text(&shown, "kind"));
    if (*kind == NULL)
        return tool_fail(TOOL_USAGE, "%s is a %s, and this pack has no such kind", record,
                         value_get_str(&shown, "kind", "?", &tool->arena));
    options->record = value_get_str(&shown, "record", record, &tool->arena);
    return state_of(*kind, value_get_text(&shown, "state"), options);
}

static bool is_record(const struct pack *pack, const char *name)
{
    const char *dash = strchr(name, '-');

    return dash != NULL && dash[1] >= '0' && dash[1] <= '9' &&
           pack_prefix(pack, slice_of(name, (size_t)(dash - name))) != NULL;
}

static int find_subject(struct tool *tool, const struct arguments *given, const struct pack *pack,
                        const struct kind **kind, struct draw_options *options)
{
    const char *name = given->words[0], *state = arguments_get(given, "--state");
    int status = TOOL_DONE;

    if (is_record(pack, name))
        return of_record(tool, pack, name, kind, options);
    *kind = pack_kind(pack, slice_str(name));
    if (*kind == NULL)
        *kind = pack_prefix(pack, slice_str(name));
    for (int i = 0; *kind == NULL && i < pack->kind_count; i++) {
        if (strcmp(pack->kinds[i].lifecycle->name, name) == 0) {
            *kind = &pack->kinds[i];
            options->lifecycle = name;
        }
    }
    if (*kind == NULL)
        status = unknown_subject(pack, name);
    if (status == TOOL_DONE && state != NULL)
        status = state_of(*kind, slice_str(state), options);
    return status;
}

static int draw(struct tool *tool, const struct arguments *given, const struct format *format)
{
    struct graph graph = {.arena = &tool->arena};
    struct draw_options options = {.state = MODEL_NONE,
                                   .is_full = arguments_have(given, "--full"),
                                   .by_clause = arguments_have(given, "--by-clause")};
    const struct kind *kind = NULL;
    struct pack *pack;
    int status = packs_load(tool, given, &pack);

    if (status != TOOL_DONE)
        return status;
    if (given->word_count == 1)
        status = find_subject(tool, given, pack, &kind, &options);
    if (status == TOOL_DONE && kind != NULL)
        draw_kind(&graph, pack, kind, &options);
    else if (status == TOOL_DONE)
        draw_map(&graph, pack, &options);
    if (status == TOOL_DONE)
        status = put_out(tool, format, &graph, arguments_get(given, "-o"));
    pack_free(&pack);
    return status;
}

static int run(struct tool *tool, const struct arguments *given)
{
    const struct format *format = find_format(given);

    if (arguments_have(given, "--map") != (given->word_count == 0))
        return tool_usage(given, given->word_count == 0 ? "a kind, a lifecycle, a record, or --map?"
                                                        : "--map draws all kinds; name none");
    if (tool->out.json && !arguments_have(given, "-o") &&
        (strcmp(format->name, "png") == 0 || strcmp(format->name, "pdf") == 0))
        return tool_usage(given, "%s is no text: with --json say where it goes, -o FILE",
                          format->name);
    return draw(tool, given, format);
}

static const struct tool_option options[] = {
    {"--map", NULL, "how kinds set each other off, grouped by Plan, Do, Check, Act"},
    {"--by-clause", NULL, "the map grouped by the clauses of the standard"},
    {"--state", "STATE", "mark this state; of a record, the one it is in is marked"},
    {"--full", NULL, "conditions, separation of duties, work and notices as well"},
    {"--format", "svg|png|pdf|mermaid|dot", "what -o's ending says, else svg"},
    {"-o", "FILE", "where the drawing goes; else to stdout"},
    PACKS_OPTION,
    {NULL, NULL, NULL},
};

const struct tool_command command_draw = {
    "draw",
    "definitions",
    "KIND|LIFECYCLE [--state STATE] [--full] [-o FILE] [--format FORMAT] [--pack DIR]\n"
    "RECORD [--full] [-o FILE] [--format FORMAT] [--pack DIR]\n"
    "--map [--by-clause] [-o FILE] [--format FORMAT] [--pack DIR]",
    "a workflow, a record's place in it, or the map of interactions as a picture",
    "Colours are stages; a double border is the version that is valid, a dashed one an end; dotted "
    "arrows are timers.\n"
    "What leads nowhere else stands inside its state. Only RECORD asks the engine: where it is.\n"
    "svg, png and pdf are made by Graphviz; mermaid and dot are text.\n\n"
    "    rota draw scope_statement -o scope.svg\n"
    "    rota draw SCP-0001 -o here.svg\n"
    "    rota draw --map -o map.svg\n"
    "    rota draw finding --format mermaid",
    options,
    0,
    1,
    false,
    run};
