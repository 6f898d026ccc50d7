/* seen.c - what each person looked at from here. */
#include "seen.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "base/dmp.h"
#include "facts.h"
#include "values.h"

enum { SEEN_BYTES_MAX = 4 * 1024 * 1024 };

/* An id as the name of a file: what an engine answers decides nothing about where this writes. */
static bool is_name(struct slice record)
{
    if (record.len == 0 || record.len > 128 || record.at[0] == '.')
        return false;
    for (size_t i = 0; i < record.len; i++) {
        uint8_t byte = record.at[i];

        if (!(byte >= 'A' && byte <= 'Z') && !(byte >= 'a' && byte <= 'z') &&
            !(byte >= '0' && byte <= '9') && byte != '-' && byte != '@' && byte != '.' &&
            byte != '_')
            return false;
    }
    return true;
}

static const char *path_of(struct tool *tool, struct slice record, bool makes)
{
    const char *who = tool->who, *folder;

    if (!is_name(record) || ask_who(tool, &who) != TOOL_DONE || !is_name(slice_str(who)))
        return NULL;
    folder = tool_path(tool, "looks");
    if (makes)
        (void)mkdir(folder, 0700);
    folder = arena_printf(&tool->arena, "%s/%s", folder, who);
    if (makes)
        (void)mkdir(folder, 0700);
    return arena_printf(&tool->arena, "%s/%.*s", folder, (int)record.len, (const char *)record.at);
}

static bool read_memory(struct tool *tool, struct slice record, struct value *out)
{
    const char *path = path_of(tool, record, false);
    struct error err = {ERROR_NONE, ""};
    struct slice bytes;

    return path != NULL && access(path, R_OK) == 0 &&
           values_read_bytes(&tool->arena, path, SEEN_BYTES_MAX, &bytes, &err) == 0 &&
           dmp_decode_large(&tool->arena, bytes, SEEN_BYTES_MAX, out, NULL) == 0 &&
           out->type == VALUE_MAP;
}

/* A new file in the place of the old one: never half a memory. */
static void write_memory(struct tool *tool, struct slice record, const struct value *memory)
{
    const char *path = path_of(tool, record, true);
    const char *next = path != NULL ? arena_printf(&tool->arena, "%s.%d", path, (int)getpid()) : "";
    int fd =
        path != NULL ? open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    struct buf bytes = BUF_EMPTY;
    bool is_written;

    if (fd < 0)
        return;
    dmp_encode(&bytes, memory);
    is_written = write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len;
    if (close(fd) != 0 || !is_written || rename(next, path) != 0)
        (void)unlink(next);
    buf_release(&bytes);
}

static const struct value *look_in(struct tool *tool, struct slice record, const char *which)
{
    struct value *memory = arena_zero(&tool->arena, sizeof *memory);
    const struct value *look;

    if (!read_memory(tool, record, memory))
        return NULL;
    look = value_get(memory, which);
    return value_is(look, VALUE_MAP) ? look : NULL;
}

const struct value *seen_last(struct tool *tool, struct slice record)
{
    return look_in(tool, record, "last");
}

const struct value *seen_before(struct tool *tool, struct slice record, struct slice digest)
{
    const struct value *last = seen_last(tool, record);

    if (last == NULL || digest.len == 0 || !slice_equal(value_get_bin(last, "digest"), digest))
        return last;
    return look_in(tool, record, "before");
}

struct value seen_content(struct tool *tool, const struct value *look)
{
    static const char *const facts[] = {"title", "fields"};
    struct value since = value_map();

    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (value_get(look, facts[i]) != NULL)
            value_set(&tool->arena, &since, facts[i], *value_get(look, facts[i]));
    return since;
}

void seen_remember(struct tool *tool, const struct value *shown)
{
    static const char *const facts[] = {"digest", "revision", "title", "fields"};
    struct slice record = value_get_text(shown, "record");
    const struct value *info, *last = seen_last(tool, record);
    struct value memory = value_map(), look = value_map();

    if (record.len == 0 || value_get_bin(shown, "digest").len == 0 ||
        (last != NULL &&
         slice_equal(value_get_bin(last, "digest"), value_get_bin(shown, "digest"))) ||
        facts_info(tool, &info) != TOOL_DONE)
        return;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (value_get(shown, facts[i]) != NULL)
            value_set(&tool->arena, &look, facts[i], *value_get(shown, facts[i]));
    value_set(&tool->arena, &look, "at_ms", value_int(value_get_int(info, "now_ms", 0)));
    value_set(&tool->arena, &memory, "last", look);
    if (last != NULL)
        value_set(&tool->arena, &memory, "before", *last);
    write_memory(tool, record, &memory);
}
