/* enrolment.c - requests for keys: made, endorsed, read, written. */
#include "enrolment.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/endorse.h"
#include "secret.h"
#include "values.h"
#include "wire/json.h"

enum { ENROLMENT_BYTES_MAX = 16384, ENROLMENT_DEPTH = 4 };

struct value enrolment_make(struct arena *arena, const char *origin, const char *person,
                            int64_t serial, const uint8_t key[SIGN_KEY_LEN])
{
    struct value out = value_map();

    value_set(arena, &out, "origin", value_str(arena_str(arena, origin)));
    value_set(arena, &out, "person", value_str(arena_str(arena, person)));
    value_set(arena, &out, "serial", value_int(serial));
    value_set(arena, &out, "key", value_bin(arena_copy(arena, key, SIGN_KEY_LEN), SIGN_KEY_LEN));
    value_set(arena, &out, "endorsements", value_array());
    return out;
}

int enrolment_endorse(struct tool *tool, struct value *enrolment, struct keyfile *with)
{
    struct arena *arena = &tool->arena;
    struct enrolment what = {.origin = value_get_text(enrolment, "origin"),
                             .person = value_get_text(enrolment, "person"),
                             .serial = value_get_int(enrolment, "serial", 0),
                             .key = value_get_bin(enrolment, "key").at};
    const struct value *before = value_get(enrolment, "endorsements");
    uint8_t *by = arena_take(arena, HASH_LEN), *signature = arena_take(arena, SIGNATURE_LEN);
    struct value one = value_map(), list = value_array();
    struct buf message = BUF_EMPTY;
    int status;

    endorse_message(&message, &what);
    status = secret_sign(tool, with, buf_slice(&message), signature);
    buf_release(&message);
    if (status != TOOL_DONE)
        return status;
    hash_bytes(slice_of(with->sign_public, SIGN_KEY_LEN), by);
    for (uint32_t i = 0; value_is(before, VALUE_ARRAY) && i < before->count; i++)
        if (!slice_equal(value_get_bin(&before->as.items[i], "by"), slice_of(by, HASH_LEN)))
            value_push(arena, &list, before->as.items[i]);
    value_set(arena, &one, "by", value_bin(by, HASH_LEN));
    value_set(arena, &one, "signature", value_bin(signature, SIGNATURE_LEN));
    secret_mark(arena, with, &one);
    value_push(arena, &list, one);
    value_set(arena, enrolment, "endorsements", list);
    return TOOL_DONE;
}

int enrolment_read(struct tool *tool, const char *path, struct value *out)
{
    struct slice text;
    struct error err = {ERROR_NONE, ""};

    if (values_read_bytes(&tool->arena, path, ENROLMENT_BYTES_MAX, &text, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    if (json_to_value(&tool->arena, text, ENROLMENT_DEPTH, out, &err) != 0)
        return tool_fail(TOOL_INPUT, "%s: %s", path, err.text);
    if (value_get_bin(out, "key").len != SIGN_KEY_LEN || value_get_text(out, "person").len == 0 ||
        value_get_text(out, "origin").len == 0 || value_get_int(out, "serial", -1) < 0)
        return tool_fail(TOOL_INPUT,
                         "%s: not a request for a key; it has origin, person, serial, key and "
                         "endorsements, as `rota key request` writes it",
                         path);
    return TOOL_DONE;
}

int enrolment_write(struct tool *tool, const char *path, const struct value *enrolment)
{
    const char *next = arena_printf(&tool->arena, "%s.new", path);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct buf text = BUF_EMPTY;
    bool is_written;

    if (fd < 0)
        return tool_fail(TOOL_INPUT, "%s: %s", next, strerror(errno));
    value_to_json(&text, enrolment, true);
    buf_add_byte(&text, '\n');
    is_written = write(fd, text.at, text.len) == (ssize_t)text.len && fsync(fd) == 0;
    is_written = close(fd) == 0 && is_written && rename(next, path) == 0;
    buf_release(&text);
    return is_written ? TOOL_DONE : tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
}
