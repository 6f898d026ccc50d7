/* keys.c - key pairs. */
#include "keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "wire/keyfile.h"

enum { NOTE_ED25519 = 1, NOTE_HASH_LEN = 4 };

bool keys_name_is_valid(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > KEYFILE_NAME_MAX || !isalpha((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
            return false;
    return true;
}

int keys_make(struct tool *tool, const char *dir, const char *name, bool transport, bool can_sign)
{
    const char *secret = arena_printf(&tool->arena, "%s/%s.key", dir, name);
    const char *public_path = arena_printf(&tool->arena, "%s/%s.pub", dir, name);
    struct keyfile key;
    struct error err;
    int result = 0;

    if (!keys_name_is_valid(name))
        return tool_fail(TOOL_INPUT,
                         "\"%s\" is no name for a key: letters, digits, dot, dash and underscore",
                         name);
    memset(&key, 0, sizeof key);
    snprintf(key.name, sizeof key.name, "%s", name);
    if (transport)
        result = keyfile_new_curve(&key, &err);
    if (result == 0 && can_sign)
        result = keyfile_new_sign(&key, &err);
    if (result == 0)
        result = keyfile_save(secret, &key, true, &err);
    if (result == 0)
        result = keyfile_save(public_path, &key, false, &err);
    keyfile_wipe(&key);
    if (result != 0)
        return tool_error(err.class == ERROR_BUSY ? TOOL_REFUSED : TOOL_INTERNAL, &err);
    return TOOL_DONE;
}

void keys_verifier(struct buf *out, const char *name, const uint8_t key[32])
{
    uint8_t typed[1 + SIGN_KEY_LEN] = {NOTE_ED25519}, hash[HASH_LEN];
    struct buf hashed = BUF_EMPTY;
    char hex[2 * NOTE_HASH_LEN + 1];

    memcpy(typed + 1, key, SIGN_KEY_LEN);
    buf_addf(&hashed, "%s\n", name);
    buf_add(&hashed, typed, sizeof typed);
    hash_bytes(buf_slice(&hashed), hash);
    buf_release(&hashed);
    hex_encode(slice_of(hash, NOTE_HASH_LEN), hex);
    buf_addf(out, "%s+%s+", name, hex);
    base64_add(out, slice_of(typed, sizeof typed));
}

int keys_make_log(struct tool *tool, const char *dir, const char *origin)
{
    const char *path = arena_printf(&tool->arena, "%s/log.vkey", dir);
    struct buf text = BUF_EMPTY;
    struct keyfile key;
    struct error err;
    FILE *file;
    int status = keys_make(tool, dir, "log", false, true);

    if (status != TOOL_DONE)
        return status;
    if (keyfile_load(arena_printf(&tool->arena, "%s/log.pub", dir), &key, &err) != 0)
        return tool_error(TOOL_INTERNAL, &err);
    keys_verifier(&text, origin, key.sign_public);
    keyfile_wipe(&key);
    file = fopen(path, "wxe");
    if (file == NULL || fprintf(file, "%s\n", buf_text(&text)) < 0 || fclose(file) != 0)
        status = tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
    buf_release(&text);
    return status;
}
