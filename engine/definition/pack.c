#include "definition/pack.h"

#include "base/date.h"
#include "base/dmp.h"
#include "definition/build.h"
#include "definition/check.h"
#include "definition/compile.h"
#include "definition/condition.h"
#include "definition/grammar.h"
#include "definition/prove.h"
#include "definition/scope.h"

struct loader {
    struct arena arena; /* becomes the pack's */
    struct pack *pack;
    struct problems *problems;
    struct written_pack written;
    config_t *configs; /* one a file; settings are read from them until the end */
    int config_count;
    bool is_new;      /* it is proven as well: it was not installed before */
    int found_before; /* errors in `problems` */
    bool is_broken;   /* a file could not be read at all: what follows from that is not reported */
};

/* libconfig would read the named file from wherever the process stands: what a pack means must not depend on it. */
static bool has_include(struct slice bytes, int *line)
{
    size_t i;

    for (i = 0, *line = 1; i < bytes.len; i++) {
        if (slice_starts(slice_of(bytes.at + i, bytes.len - i), "@include"))
            return true;
        *line += bytes.at[i] == '\n';
    }
    return false;
}

/* Past the text or comment that begins at `at`, or bytes.len + 1 if it is not closed. */
static size_t skip_piece(struct slice bytes, size_t at)
{
    struct slice rest = slice_of(bytes.at + at, bytes.len - at);
    bool comment = slice_starts(rest, "/*"), line = rest.at[0] == '#' || slice_starts(rest, "//");

    if (!comment && !line && rest.at[0] != '"')
        return at + 1;
    for (at += comment ? 2 : 1; at < bytes.len; at++) {
        uint8_t c = bytes.at[at];

        if (line && c == '\n')
            return at;
        if (comment && c == '*' && at + 1 < bytes.len && bytes.at[at + 1] == '/')
            return at + 2;
        if (!line && !comment && c == '"')
            return at + 1;
        at += !line && !comment && c == '\\';
    }
    return line ? bytes.len : bytes.len + 1;
}

/* libconfig would name the end of the file; people look for the beginning. */
static bool has_unclosed(struct slice bytes, int *line)
{
    size_t at = 0, next;

    for (*line = 1; at < bytes.len; at = next) {
        next = skip_piece(bytes, at);
        if (next > bytes.len)
            return true;
        for (; at < next; at++)
            *line += bytes.at[at] == '\n';
    }
    return false;
}

static bool is_readable(struct loader *l, const struct pack_file *file)
{
    struct where where = {file->path, 0};

    if (file->bytes.len > PACK_FILE_BYTES_MAX)
        problem(l->problems, where, "longer than %d bytes", PACK_FILE_BYTES_MAX);
    else if (!utf8_is_valid(file->bytes) || memchr(file->bytes.at, '\0', file->bytes.len) != NULL)
        problem(l->problems, where, "not a text in UTF-8");
    else if (slice_starts(file->bytes, "\xef\xbb\xbf"))
        problem(l->problems, where,
                "it begins with a byte order mark, which some editors put there: save it as UTF-8 "
                "without one");
    else if (has_include(file->bytes, &where.line))
        problem(l->problems, where,
                "@include is not allowed: every file of a pack stands for itself");
    else if (has_unclosed(file->bytes, &where.line))
        problem(l->problems, where,
                "cannot be read: the text or comment that begins here is not closed");
    else
        return true;
    return false;
}

/* Names in a group are unique in libconfig, and a file is a group. */
static const char *reading_hint(const char *said)
{
    if (strcmp(said, "duplicate setting name") == 0)
        return " (several kinds in one file are a list: kind = ( { ... }, { ... } ))";
    if (strcmp(said, "syntax error") == 0)
        return ", in this line or just before it (texts stand in \"quotes\", a quote inside one is "
               "\\\", yes is true, names have no blanks)";
    return "";
}

static void read_file(struct loader *l, const struct pack_file *file)
{
    struct reader reader = {&l->arena, l->problems, arena_str(&l->arena, file->path), false};
    config_t *config = &l->configs[l->config_count];

    if (!is_readable(l, file)) {
        l->is_broken = true;
        return;
    }
    config_init(config);
    l->config_count++;
    if (config_read_string(config, arena_copy(&l->arena, file->bytes.at, file->bytes.len)) !=
        CONFIG_TRUE) {
        problem(l->problems, ((struct where){file->path, config_error_line(config)}),
                "cannot be read: %s%s", config_error_text(config),
                reading_hint(config_error_text(config)));
        l->is_broken = true;
        return;
    }
    grammar_read(&reader, config_root_setting(config), &l->written);
}

static bool is_zone_file(const char *path)
{
    return strncmp(path, "zoneinfo/", 9) == 0;
}

static void load_zone(struct loader *l, const struct pack_file *files, int count)
{
    const char *zone = l->written.timezone;
    struct error err;
    int i;

    if (zone == NULL || strcmp(zone, "UTC") == 0) {
        l->pack->calendar.zone = zone_utc();
        return;
    }
    for (i = 0; i < count; i++) {
        if (!is_zone_file(files[i].path) || strcmp(files[i].path + 9, zone) != 0)
            continue;
        if (zone_read(files[i].bytes, &l->pack->calendar.zone, &err) != 0)
            problem(l->problems, where_of(zone), "%s: %s", zone, err.text);
        return;
    }
    problem(l->problems, where_of(zone), "there is no time zone '%s'", zone);
}

/* The list of files that the digest is over. */
static void keep_files(struct loader *l, const struct pack_file *files, int count)
{
    struct value list = value_array();
    uint8_t hash[HASH_LEN];
    int i;

    for (i = 0; i < count; i++) {
        struct value entry = value_map();

        hash_bytes(files[i].bytes, hash);
        value_set(&l->arena, &entry, "path", value_str(arena_str(&l->arena, files[i].path)));
        value_set(&l->arena, &entry, "hash",
                  value_bin(arena_copy(&l->arena, hash, HASH_LEN), HASH_LEN));
        value_push(&l->arena, &list, entry);
    }
    l->pack->files = list;
}

static void check_paths(struct loader *l, const struct pack_file *files, int count)
{
    int i;

    for (i = 1; i < count; i++) {
        if (strcmp(files[i - 1].path, files[i].path) == 0)
            problem(l->problems, ((struct where){files[i].path, 0}),
                    "the path stands twice in the pack");
    }
}

static void load(struct loader *l, const struct pack_file *files, int count)
{
    int i;

    l->pack = arena_zero(&l->arena, sizeof *l->pack);
    l->configs = arena_zero(&l->arena, sizeof *l->configs * (size_t)(count + 1));
    check_paths(l, files, count);
    pack_digest(files, count, l->pack->digest);
    keep_files(l, files, count);
    for (i = 0; i < count; i++) {
        if (!is_zone_file(files[i].path))
            read_file(l, &files[i]);
    }
    if (l->is_broken)
        return;
    if (!l->written.has_pack)
        problem(l->problems, ((struct where){"", 0}),
                "no file has the setting 'pack': the name and version of the pack");
    load_zone(l, files, count);
    build_pack(&l->arena, l->problems, &l->written, l->pack);
    if (l->pack->kind_count == l->written.kind_count)
        compile_pack(l->pack, &l->arena, l->problems);
    check_pack(l->pack, &l->written, l->problems);
    /* What names mean must be known before it can be asked where they lead. */
    if (l->is_new && l->problems->found == l->found_before)
        prove_pack(l->pack, l->problems);
}

static int refuse(const struct problems *problems, struct error *err)
{
    struct buf text = BUF_EMPTY;
    int i;

    for (i = 0; i < problems->count; i++) {
        if (problems->at[i].severity == PROBLEM_ERROR)
            break;
    }
    problem_show(&problems->at[i < problems->count ? i : 0], &text);
    if (text.len > 0)
        text.len--; /* the end of the line */
    (void)error_set(err, ERROR_INPUT, "%s%s", buf_text(&text),
                    problems->errors > 1 ? " (and more)" : "");
    buf_release(&text);
    return -1;
}

static int load_files(const struct pack_file *files, int count, bool is_new, struct pack **out,
                      struct problems *problems, struct error *err)
{
    struct loader l = {.arena = ARENA_EMPTY,
                       .problems = problems,
                       .is_new = is_new,
                       .found_before = problems->found};
    int i;

    if (count > PACK_FILES_MAX)
        return error_set(err, ERROR_INPUT, "a pack of more than %d files", PACK_FILES_MAX);
    load(&l, pack_sorted(&l.arena, files, count), count);
    for (i = 0; i < l.config_count; i++)
        config_destroy(&l.configs[i]);
    l.pack->arena = l.arena; /* the last use of the loader's arena */
    if (problems->found > l.found_before) {
        pack_free(&l.pack);
        return refuse(problems, err);
    }
    *out = l.pack;
    return 0;
}

int pack_load_files(const struct pack_file *files, int count, struct pack **out,
                    struct problems *problems, struct error *err)
{
    return load_files(files, count, true, out, problems, err);
}

int pack_load_installed(const struct pack_file *files, int count, struct pack **out,
                        struct problems *problems, struct error *err)
{
    return load_files(files, count, false, out, problems, err);
}

int pack_load(const char *directory, struct pack **out, struct problems *problems,
              struct error *err)
{
    struct arena arena = ARENA_EMPTY;
    struct pack_file *files;
    int count, status = -1;

    if (pack_read(directory, &arena, &files, &count, err) == 0)
        status = pack_load_files(files, count, out, problems, err);
    arena_release(&arena);
    return status;
}

int pack_condition(const struct pack *pack, const struct kind *kind, const char *text,
                   struct arena *arena, struct expr **out, struct error *err)
{
    struct scopes scopes;
    struct condition_scope scope;

    scopes_init(&scopes, arena, pack);
    scope = scopes_of(&scopes, (int)(kind - pack->kinds), SCOPE_EVENT, NULL);
    return condition_compile(arena, &scope, text, (struct where){"condition", 1}, out, err);
}

void pack_reference(struct buf *out)
{
    grammar_reference(out);
}
