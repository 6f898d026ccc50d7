/* keys.c - key pairs. */
#include "keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "secret.h"

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

/* The signing key of OpenSSH's: the public half is ours to know, the secret one stays where it is. */
static int take_ssh(struct tool *tool, const char *path, struct keyfile *key)
{
    size_t len = strlen(path);
    bool is_public = len > 4 && strcmp(path + len - 4, ".pub") == 0;
    char *real = realpath(path, NULL);
    int status;

    if (real == NULL)
        return tool_fail(TOOL_INPUT, "%s: %s", path, strerror(errno));
    if (strlen(real) > KEYFILE_PATH_MAX)
        status = tool_fail(TOOL_INPUT, "%s: the path is too long", real);
    else
        status = secret_read_ssh(
            tool, is_public ? real : arena_printf(&tool->arena, "%s.pub", real), key->sign_public);
    if (status == TOOL_DONE) {
        snprintf(key->ssh_key, sizeof key->ssh_key, "%s", real);
        key->has_sign_public = true;
    }
    free(real);
    return status;
}

static int fill(struct tool *tool, const struct keys_plan *plan, struct keyfile *key)
{
    struct error err;

    if (plan->transport && keyfile_new_curve(key, &err) != 0)
        return tool_error(TOOL_INTERNAL, &err);
    if (plan->ssh != NULL)
        return take_ssh(tool, plan->ssh, key);
    if (plan->can_sign && keyfile_new_sign(key, &err) != 0)
        return tool_error(TOOL_INTERNAL, &err);
    return plan->can_sign && plan->sealed ? secret_seal(tool, key) : TOOL_DONE;
}

int keys_make(struct tool *tool, const char *dir, const char *name, const struct keys_plan *plan)
{
    const char *secret = arena_printf(&tool->arena, "%s/%s.key", dir, name);
    const char *public_path = arena_printf(&tool->arena, "%s/%s.pub", dir, name);
    struct keyfile key;
    struct error err;
    int status;

    if (!keys_name_is_valid(name))
        return tool_fail(TOOL_INPUT,
                         "\"%s\" is no name for a key: letters, digits, dot, dash and underscore",
                         name);
    if (access(secret, F_OK) == 0)
        return tool_fail(TOOL_REFUSED, "%s is there already; a key is never written over", secret);
    memset(&key, 0, sizeof key);
    snprintf(key.name, sizeof key.name, "%s", name);
    status = fill(tool, plan, &key);
    if (status == TOOL_DONE && (keyfile_save(secret, &key, true, &err) != 0 ||
                                keyfile_save(public_path, &key, false, &err) != 0))
        status = tool_error(err.class == ERROR_BUSY ? TOOL_REFUSED : TOOL_INTERNAL, &err);
    keyfile_wipe(&key);
    return status;
}

int keys_replace(struct tool *tool, const char *path, const struct keyfile *key, bool with_secrets)
{
    const char *next = arena_printf(&tool->arena, "%s.new", path);
    struct error err = {ERROR_NONE, ""};

    unlink(next);
    if (keyfile_save(next, key, with_secrets, &err) != 0)
        return tool_error(TOOL_INTERNAL, &err);
    return rename(next, path) == 0 ? TOOL_DONE
                                   : tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
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
    int status = keys_make(tool, dir, "log", &(struct keys_plan){.can_sign = true});

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
