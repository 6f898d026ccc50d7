/* files.c - the bytes of a pack: read from a directory, sorted, hashed. */
#include "base/dmp.h"
#include "definition/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_ZONES "/usr/share/zoneinfo"

struct gatherer {
    const char *root;
    struct arena *arena;
    struct pack_file *files;
    int count;
    struct error *err;
};

static int read_whole(const char *name, struct arena *arena, struct slice *out, struct error *err)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), status = -1;
    struct stat info;
    uint8_t *bytes;
    size_t len = 0;
    ssize_t got = 1;

    if (fd < 0 || fstat(fd, &info) != 0) {
        (void)error_set(err, ERROR_IO, "%s: %s", name, strerror(errno));
        goto out;
    }
    if (!S_ISREG(info.st_mode) || info.st_size > PACK_FILE_BYTES_MAX) {
        (void)error_set(err, ERROR_INPUT, "%s: not a file of at most %d bytes", name,
                        PACK_FILE_BYTES_MAX);
        goto out;
    }
    bytes = arena_take(arena, (size_t)info.st_size + 1);
    while (len < (size_t)info.st_size && got > 0) {
        got = read(fd, bytes + len, (size_t)info.st_size - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        (void)error_set(err, ERROR_IO, "%s: %s", name, strerror(errno));
        goto out;
    }
    *out = slice_of(bytes, len);
    status = 0;
out:
    if (fd >= 0)
        close(fd);
    return status;
}

static int gather_file(struct gatherer *g, const char *path)
{
    struct slice bytes;

    if (g->count == PACK_FILES_MAX)
        return error_set(g->err, ERROR_INPUT, "%s: more than %d files", g->root, PACK_FILES_MAX);
    if (strlen(path) > PACK_PATH_MAX || !utf8_is_valid(slice_str(path)))
        return error_set(g->err, ERROR_INPUT, "%s: the path is too long or not UTF-8", path);
    if (read_whole(arena_printf(g->arena, "%s/%s", g->root, path), g->arena, &bytes, g->err) != 0)
        return -1;
    g->files[g->count++] = (struct pack_file){path, bytes};
    return 0;
}

static bool is_definition(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".cfg") == 0;
}

static int gather(struct gatherer *g, const char *below, int depth);

static int gather_entry(struct gatherer *g, const char *below, const char *name, int depth)
{
    const char *path =
        below[0] == '\0' ? arena_str(g->arena, name) : arena_printf(g->arena, "%s/%s", below, name);
    const char *full = arena_printf(g->arena, "%s/%s", g->root, path);
    struct stat info;

    if (name[0] == '.')
        return 0;
    if (stat(full, &info) != 0)
        return error_set(g->err, ERROR_IO, "%s: %s", full, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return gather(g, path, depth + 1);
    return is_definition(name) ? gather_file(g, path) : 0;
}

static int gather(struct gatherer *g, const char *below, int depth)
{
    const char *name = arena_printf(g->arena, "%s/%s", g->root, below);
    struct dirent *entry;
    int status = 0;
    DIR *directory;

    if (depth > PACK_DEPTH_MAX)
        return error_set(g->err, ERROR_INPUT, "%s: folders nest more than %d deep", name,
                         PACK_DEPTH_MAX);
    directory = opendir(name);
    if (directory == NULL)
        return error_set(g->err, ERROR_IO, "%s: %s", name, strerror(errno));
    while (status == 0 && (entry = readdir(directory)) != NULL)
        status = gather_entry(g, below, entry->d_name, depth);
    closedir(directory);
    return status;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct pack_file *)a)->path, ((const struct pack_file *)b)->path);
}

/* What `pack.timezone` says, if one of the files can be read and says it. */
static const char *find_timezone(struct gatherer *g)
{
    const char *found = NULL, *text;
    config_t config;
    int i;

    for (i = 0; i < g->count && found == NULL; i++) {
        const struct slice bytes = g->files[i].bytes;

        if (memmem(bytes.at, bytes.len, "timezone", 8) == NULL ||
            memmem(bytes.at, bytes.len, "@include", 8) != NULL)
            continue;
        config_init(&config);
        if (config_read_string(&config, arena_copy(g->arena, bytes.at, bytes.len)) == CONFIG_TRUE &&
            config_lookup_string(&config, "pack.timezone", &text) == CONFIG_TRUE)
            found = arena_str(g->arena, text);
        config_destroy(&config);
    }
    return found;
}

static bool is_zone_name(const char *name)
{
    static const char ALLOWED[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";

    return name[0] != '\0' && name[0] != '/' && strlen(name) <= 64 &&
           strspn(name, ALLOWED) == strlen(name) && strstr(name, "//") == NULL;
}

/* The zone's data becomes a file of the pack, so that the pack carries all it means. A zone that cannot be read is
 * reported when the pack is compiled. */
static int gather_zone(struct gatherer *g)
{
    const char *zone = find_timezone(g), *path, *own;
    struct slice bytes;

    if (zone == NULL || strcmp(zone, "UTC") == 0 || !is_zone_name(zone))
        return 0;
    path = arena_printf(g->arena, "zoneinfo/%s", zone);
    own = arena_printf(g->arena, "%s/%s", g->root, path);
    if (access(own, R_OK) == 0)
        return gather_file(g, path);
    if (g->count < PACK_FILES_MAX &&
        read_whole(arena_printf(g->arena, SYSTEM_ZONES "/%s", zone), g->arena, &bytes, NULL) == 0)
        g->files[g->count++] = (struct pack_file){path, bytes};
    return 0;
}

int pack_read(const char *directory, struct arena *arena, struct pack_file **files, int *count,
              struct error *err)
{
    struct gatherer g = {directory, arena, NULL, 0, err};

    g.files = arena_zero(arena, sizeof *g.files * PACK_FILES_MAX);
    if (gather(&g, "", 0) != 0 || gather_zone(&g) != 0)
        return -1;
    if (g.count == 0)
        return error_set(err, ERROR_INPUT, "%s: there are no definitions (*.cfg)", directory);
    qsort(g.files, (size_t)g.count, sizeof *g.files, by_path);
    *files = g.files;
    *count = g.count;
    return 0;
}

struct pack_file *pack_sorted(struct arena *arena, const struct pack_file *files, int count)
{
    struct pack_file *copy = arena_zero(arena, sizeof *copy * (size_t)(count + 1));

    if (count > 0)
        memcpy(copy, files, sizeof *copy * (size_t)count);
    qsort(copy, (size_t)count, sizeof *copy, by_path);
    return copy;
}

void pack_digest(const struct pack_file *files, int count, uint8_t out[HASH_LEN])
{
    struct arena arena = ARENA_EMPTY;
    struct pack_file *in_order = pack_sorted(&arena, files, count);
    struct buf bytes = BUF_EMPTY;
    uint8_t hash[HASH_LEN];
    int i;

    buf_add_str(&bytes, "rota.pack/1\n");
    dmp_put_array(&bytes, (uint32_t)count);
    for (i = 0; i < count; i++) {
        hash_bytes(in_order[i].bytes, hash);
        dmp_put_array(&bytes, 2);
        dmp_put_str(&bytes, slice_str(in_order[i].path));
        dmp_put_bin(&bytes, slice_of(hash, HASH_LEN));
    }
    hash_bytes(buf_slice(&bytes), out);
    buf_release(&bytes);
    arena_release(&arena);
}

void pack_join(const struct pack_file *files, int count, struct buf *out, uint8_t salt[16])
{
    struct arena arena = ARENA_EMPTY;
    struct pack_file *in_order = pack_sorted(&arena, files, count);
    uint8_t hash[HASH_LEN];
    size_t before = out->len;

    dmp_put_array(out, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        dmp_put_array(out, 2);
        dmp_put_str(out, slice_str(in_order[i].path));
        dmp_put_bin(out, in_order[i].bytes);
    }
    hash_bytes(slice_of(out->at + before, out->len - before), hash);
    memcpy(salt, hash, 16);
    arena_release(&arena);
}

/* A path that cannot be the name of a file below a directory is not one. */
static bool is_path(struct slice path)
{
    return path.len > 0 && path.len <= PACK_PATH_MAX && path.at[0] != '/' &&
           memchr(path.at, '\0', path.len) == NULL;
}

int pack_split(struct slice bytes, struct arena *arena, struct pack_file **files, int *count,
               struct error *err)
{
    struct value list = VALUE_NONE;
    struct pack_file *found;

    if (dmp_decode_large(arena, bytes, UINT32_MAX, &list, err) != 0)
        return -1;
    if (list.type != VALUE_ARRAY || list.count == 0 || list.count > PACK_FILES_MAX)
        return error_set(err, ERROR_INPUT, "a pack is a list of 1 to %d files", PACK_FILES_MAX);
    found = arena_zero(arena, list.count * sizeof *found);
    for (uint32_t i = 0; i < list.count; i++) {
        const struct value *pair = &list.as.items[i];

        if (pair->type != VALUE_ARRAY || pair->count != 2 || pair->as.items[0].type != VALUE_STR ||
            !is_path(value_slice(&pair->as.items[0])) || pair->as.items[1].type != VALUE_BIN)
            return error_set(err, ERROR_INPUT, "file %u of the pack has no path or no bytes",
                             i + 1);
        found[i].path = arena_copy(arena, pair->as.items[0].as.text, pair->as.items[0].count);
        found[i].bytes = value_slice(&pair->as.items[1]);
    }
    *files = found;
    *count = (int)list.count;
    return 0;
}
