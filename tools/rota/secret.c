/* secret.c - passphrases, and signatures by OpenSSH. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/hash.h"
#include "values.h"

enum { PASSPHRASE_MAX = 1024, PASSPHRASE_MIN = 8, SSH_ARMOR_MAX = 8192 };

bool secret_is_there(const struct keyfile *key)
{
    return key->has_sign_seed || key->is_sealed || key->ssh_key[0] != '\0';
}

void secret_mark(struct arena *arena, const struct keyfile *key, struct value *args)
{
    if (!key->has_sign_seed && !key->is_sealed && key->ssh_key[0] != '\0')
        value_set(arena, args, "sig_format", value_str("sshsig"));
}

/* ---- passphrases ---- */

static void wipe(char *text)
{
    explicit_bzero(text, PASSPHRASE_MAX);
}

static int read_line(int fd, char out[PASSPHRASE_MAX])
{
    size_t len = 0;

    while (len < PASSPHRASE_MAX - 1 && read(fd, out + len, 1) == 1 && out[len] != '\n')
        len++;
    out[len] = '\0';
    return (int)len;
}

static int from_file(const char *path, char out[PASSPHRASE_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return tool_fail(TOOL_INPUT, "ROTA_PASSPHRASE_FILE %s: %s", path, strerror(errno));
    read_line(fd, out);
    close(fd);
    return TOOL_DONE;
}

static int from_terminal(const char *prompt, char out[PASSPHRASE_MAX])
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before, quiet;

    if (fd < 0)
        return tool_fail(TOOL_USAGE,
                         "a passphrase is needed and there is no terminal to ask for it; a script "
                         "names a file that holds it in ROTA_PASSPHRASE_FILE");
    if (tcgetattr(fd, &before) != 0) {
        close(fd);
        return tool_fail(TOOL_INTERNAL, "/dev/tty: %s", strerror(errno));
    }
    quiet = before;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    quiet.c_lflag |= ECHONL | ICANON;
    /* First quiet, then the prompt: what is typed as soon as it can be seen is neither shown nor thrown away. */
    tcsetattr(fd, TCSAFLUSH, &quiet);
    dprintf(fd, "%s: ", prompt);
    read_line(fd, out);
    tcsetattr(fd, TCSAFLUSH, &before);
    close(fd);
    return TOOL_DONE;
}

static int ask_passphrase(const char *prompt, char out[PASSPHRASE_MAX])
{
    const char *file = getenv("ROTA_PASSPHRASE_FILE");

    return file != NULL && file[0] != '\0' ? from_file(file, out) : from_terminal(prompt, out);
}

int secret_open(struct tool *tool, struct keyfile *key)
{
    char passphrase[PASSPHRASE_MAX];
    struct error err = {ERROR_NONE, ""};
    int status;

    if (key->has_sign_seed || !key->is_sealed)
        return TOOL_DONE;
    status = ask_passphrase(
        arena_printf(&tool->arena, "Passphrase of the signing key of %s", key->name), passphrase);
    if (status == TOOL_DONE && keyfile_unseal(key, slice_str(passphrase), &err) != 0)
        status = tool_error(err.class == ERROR_INPUT ? TOOL_REFUSED : TOOL_INTERNAL, &err);
    wipe(passphrase);
    return status;
}

int secret_seal(struct tool *tool, struct keyfile *key)
{
    char passphrase[PASSPHRASE_MAX], again[PASSPHRASE_MAX];
    struct error err = {ERROR_NONE, ""};
    int status = ask_passphrase(
        arena_printf(&tool->arena, "A passphrase for the signing key of %s", key->name),
        passphrase);

    if (status == TOOL_DONE && strlen(passphrase) < PASSPHRASE_MIN)
        status = tool_fail(TOOL_USAGE, "a passphrase has at least %d characters", PASSPHRASE_MIN);
    if (status == TOOL_DONE)
        status = ask_passphrase("The same again", again);
    if (status == TOOL_DONE && strcmp(passphrase, again) != 0)
        status = tool_fail(TOOL_USAGE, "the two are not the same; nothing was changed");
    if (status == TOOL_DONE && keyfile_seal(key, slice_str(passphrase), &err) != 0)
        status = tool_error(TOOL_INTERNAL, &err);
    wipe(passphrase);
    wipe(again);
    return status;
}

/* ---- OpenSSH: PROTOCOL.sshsig and RFC 4253, 6.6 ---- */

/* A length of four bytes and so many more, from the front of `rest`. */
static bool take_text(struct slice *rest, struct slice *out)
{
    size_t len;

    if (rest->len < 4)
        return false;
    len = (size_t)rest->at[0] << 24 | (size_t)rest->at[1] << 16 | (size_t)rest->at[2] << 8 |
          rest->at[3];
    if (rest->len - 4 < len)
        return false;
    *out = slice_of(rest->at + 4, len);
    *rest = slice_of(rest->at + 4 + len, rest->len - 4 - len);
    return true;
}

static bool take_typed(struct slice blob, size_t len, struct slice *out)
{
    struct slice type;

    return take_text(&blob, &type) && slice_is(type, "ssh-ed25519") && take_text(&blob, out) &&
           out->len == len && blob.len == 0;
}

int secret_read_ssh(struct tool *tool, const char *path, uint8_t out[SIGN_KEY_LEN])
{
    struct slice text, key = slice_of(NULL, 0);
    struct error err = {ERROR_NONE, ""};
    struct buf blob = BUF_EMPTY;
    const uint8_t *from, *to;
    bool is_read = false;

    if (values_read_bytes(&tool->arena, path, SSH_ARMOR_MAX, &text, &err) != 0)
        return tool_error(TOOL_INPUT, &err);
    from = text.len > 0 ? memchr(text.at, ' ', text.len) : NULL;
    if (slice_starts(text, "ssh-ed25519 ") && from != NULL) {
        size_t left = text.len - (size_t)(from + 1 - text.at), len = 0;

        for (to = from + 1; len < left && to[len] != ' ' && to[len] != '\n'; len++)
            continue;
        is_read = base64_decode(slice_of(to, len), &blob) == 0 &&
                  take_typed(buf_slice(&blob), SIGN_KEY_LEN, &key);
    }
    if (is_read)
        memcpy(out, key.at, SIGN_KEY_LEN);
    buf_release(&blob);
    return is_read ? TOOL_DONE
                   : tool_fail(TOOL_INPUT,
                               "%s is no public key of OpenSSH of type ssh-ed25519; other types "
                               "are not taken",
                               path);
}

/* The 64 bytes out of the armor that ssh-keygen prints. */
static bool read_armor(struct slice text, uint8_t signature[SIGNATURE_LEN])
{
    static const char begin[] = "-----BEGIN SSH SIGNATURE-----", end[] = "-----END";
    struct buf base64 = BUF_EMPTY, blob = BUF_EMPTY;
    const char *at = memmem(text.at, text.len, begin, sizeof begin - 1), *stop;
    struct slice rest, part, inner;
    bool is_read = false;

    if (at == NULL)
        return false;
    at += sizeof begin - 1;
    stop = memmem(at, text.len - (size_t)(at - (const char *)text.at), end, sizeof end - 1);
    for (; stop != NULL && at < stop; at++)
        if (*at != '\n' && *at != '\r')
            buf_add_byte(&base64, (uint8_t)*at);
    if (stop != NULL && base64_decode(buf_slice(&base64), &blob) == 0 && blob.len > 10 &&
        memcmp(blob.at, "SSHSIG\0\0\0\1", 10) == 0) {
        rest = slice_of(blob.at + 10, blob.len - 10);
        is_read = take_text(&rest, &part) && take_text(&rest, &part) && slice_is(part, "rota") &&
                  take_text(&rest, &part) && take_text(&rest, &part) && slice_is(part, "sha512") &&
                  take_text(&rest, &part) && take_typed(part, SIGNATURE_LEN, &inner);
        if (is_read)
            memcpy(signature, inner.at, SIGNATURE_LEN);
    }
    buf_release(&base64);
    buf_release(&blob);
    return is_read;
}

/* ssh-keygen signs what comes in and prints the armor; it asks for its own passphrase, on the terminal or by its agent. */
static int run_ssh(const char *key, int in, struct buf *out)
{
    char *const argv[] = {"ssh-keygen",           "-q", "-Y", "sign", "-n", "rota", "-f",
                          (char *)(uintptr_t)key, NULL};
    int ends[2], state = 0;
    char piece[1024];
    ssize_t got;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        dup2(in, STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    while (pid > 0 && out->len < SSH_ARMOR_MAX && (got = read(ends[0], piece, sizeof piece)) > 0)
        buf_add(out, piece, (size_t)got);
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &state, 0) < 0 && errno == EINTR)
        continue;
    return pid > 0 && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static int sign_by_ssh(struct keyfile *key, struct slice message, uint8_t signature[SIGNATURE_LEN])
{
    FILE *in = tmpfile();
    struct buf armor = BUF_EMPTY, wrapped = BUF_EMPTY;
    int code = -1;
    bool is_read = false;

    if (in != NULL && fwrite(message.at, 1, message.len, in) == message.len && fflush(in) == 0 &&
        lseek(fileno(in), 0, SEEK_SET) == 0)
        code = run_ssh(key->ssh_key, fileno(in), &armor);
    if (in != NULL)
        fclose(in);
    if (code == 0)
        is_read = read_armor(buf_slice(&armor), signature);
    buf_release(&armor);
    if (!is_read)
        return tool_fail(code == 127 ? TOOL_INTERNAL : TOOL_REFUSED,
                         code == 127 ? "ssh-keygen, which has to sign, is not in PATH (Debian: "
                                       "openssh-client)%s"
                                     : "ssh-keygen did not sign with %s",
                         code == 127 ? "" : key->ssh_key);
    buf_add_slice(&wrapped, message);
    sign_wrap_for_ssh(&wrapped);
    is_read = sign_verify(key->sign_public, buf_slice(&wrapped), signature);
    buf_release(&wrapped);
    return is_read ? TOOL_DONE
                   : tool_fail(TOOL_INPUT, "%s is another key than the one in the key file of %s",
                               key->ssh_key, key->name);
}

/* ---- signing ---- */

int secret_sign(struct tool *tool, struct keyfile *key, struct slice message,
                uint8_t signature[SIGNATURE_LEN])
{
    int status;

    if (!key->has_sign_seed && !key->is_sealed && key->ssh_key[0] != '\0')
        return sign_by_ssh(key, message, signature);
    status = secret_open(tool, key);
    if (status == TOOL_DONE)
        sign_message(key->sign_seed, message, signature);
    return status;
}

int secret_sign_tuple(struct tool *tool, struct keyfile *key, const struct sign_tuple *tuple,
                      uint8_t signature[SIGNATURE_LEN])
{
    struct buf bytes = BUF_EMPTY;
    struct error err = {ERROR_NONE, ""};
    int status = sign_bytes(&bytes, tuple, &err) == 0 ? TOOL_DONE : tool_error(TOOL_INPUT, &err);

    if (status == TOOL_DONE)
        status = secret_sign(tool, key, buf_slice(&bytes), signature);
    buf_release(&bytes);
    return status;
}
