#include "wire/keyfile.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* ---- Z85 ---- */

void curve_to_z85(const uint8_t key[CURVE_KEY_LEN], char out[CURVE_Z85_LEN + 1])
{
    check(zmq_z85_encode(out, key, CURVE_KEY_LEN) != NULL);
}

int curve_from_z85(struct slice text, uint8_t out[CURVE_KEY_LEN])
{
    char copy[CURVE_Z85_LEN + 1], again[CURVE_Z85_LEN + 1];
    uint8_t key[CURVE_KEY_LEN];

    if (text.len != CURVE_Z85_LEN || memchr(text.at, '\0', text.len) != NULL)
        return -1;
    memcpy(copy, text.at, CURVE_Z85_LEN);
    copy[CURVE_Z85_LEN] = '\0';
    for (size_t i = 0; i < CURVE_Z85_LEN; i++) {
        if (copy[i] < 0x21 || copy[i] > 0x7e)
            return -1;
    }
    if (zmq_z85_decode(key, copy) == NULL)
        return -1;
    /* libzmq lets some texts outside the alphabet pass: what decodes must encode to the same. */
    curve_to_z85(key, again);
    if (memcmp(copy, again, CURVE_Z85_LEN) != 0)
        return -1;
    memcpy(out, key, CURVE_KEY_LEN);
    return 0;
}

/* ---- reading ZPL (ZeroMQ RFC 4): names, indented by four, and `name = value` ---- */

struct line {
    struct slice text; /* without indentation */
    bool is_section;   /* stands at the left edge */
};

static bool next_line(struct slice *rest, struct line *out)
{
    size_t len = 0, indent = 0;

    if (rest->len == 0)
        return false;
    while (len < rest->len && rest->at[len] != '\n')
        len++;
    out->text = slice_of(rest->at, len);
    *rest = slice_of(rest->at + len, rest->len - len);
    if (rest->len > 0)
        *rest = slice_of(rest->at + 1, rest->len - 1);
    while (indent < out->text.len && (out->text.at[indent] == ' ' || out->text.at[indent] == '\t'))
        indent++;
    out->is_section = indent == 0;
    out->text = slice_of(out->text.at + indent, out->text.len - indent);
    return true;
}

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = slice_of(text.at + 1, text.len - 1);
    while (text.len > 0 && strchr(" \t\r", text.at[text.len - 1]) != NULL)
        text.len--;
    return text;
}

/* Splits at the first `=`; quotation marks around the value fall away. */
static bool split(struct slice text, struct slice *name, struct slice *value)
{
    const uint8_t *equals = text.len > 0 ? memchr(text.at, '=', text.len) : NULL;
    size_t at;

    if (equals == NULL)
        return false;
    at = (size_t)(equals - text.at);
    *name = trimmed(slice_of(text.at, at));
    *value = trimmed(slice_of(text.at + at + 1, text.len - at - 1));
    if (value->len >= 2 && (value->at[0] == '"' || value->at[0] == '\'') &&
        value->at[value->len - 1] == value->at[0])
        *value = slice_of(value->at + 1, value->len - 2);
    return true;
}

static int read_z85(struct slice value, const char *what, uint8_t *out, bool *has,
                    struct error *err)
{
    if (curve_from_z85(value, out) != 0)
        return error_set(err, ERROR_INPUT, "%s is not a CURVE key", what);
    *has = true;
    return 0;
}

static int read_hex(struct slice value, const char *what, uint8_t *out, bool *has,
                    struct error *err)
{
    char copy[2 * SIGN_KEY_LEN + 1];

    if (value.len != sizeof copy - 1)
        return error_set(err, ERROR_INPUT, "%s is not 64 hexadecimal digits", what);
    memcpy(copy, value.at, value.len);
    copy[value.len] = '\0';
    if (hex_decode(copy, out, SIGN_KEY_LEN) != 0)
        return error_set(err, ERROR_INPUT, "%s is not 64 hexadecimal digits", what);
    *has = true;
    return 0;
}

static int read_sealed(struct slice value, struct keyfile *key, struct error *err)
{
    char copy[2 * KEYFILE_SEALED_LEN + 1];

    if (value.len == sizeof copy - 1) {
        memcpy(copy, value.at, value.len);
        copy[value.len] = '\0';
        key->is_sealed = hex_decode(copy, key->sealed, KEYFILE_SEALED_LEN) == 0;
    }
    return key->is_sealed
               ? 0
               : error_set(err, ERROR_INPUT, "ed25519-sealed is not %zu hexadecimal digits",
                           sizeof copy - 1);
}

static int read_ssh_path(struct slice value, struct keyfile *key, struct error *err)
{
    if (value.len == 0 || value.len > KEYFILE_PATH_MAX || memchr(value.at, '\0', value.len) != NULL)
        return error_set(err, ERROR_INPUT, "ssh-key is no path");
    memcpy(key->ssh_key, value.at, value.len);
    key->ssh_key[value.len] = '\0';
    return 0;
}

static int read_property(struct slice section, struct slice name, struct slice value,
                         struct keyfile *key, struct error *err)
{
    if (slice_is(section, "metadata") && slice_is(name, "name")) {
        if (value.len > KEYFILE_NAME_MAX || memchr(value.at, '\0', value.len) != NULL)
            return error_set(err, ERROR_INPUT, "the name is too long");
        memcpy(key->name, value.at, value.len);
        key->name[value.len] = '\0';
    } else if (slice_is(section, "curve") && slice_is(name, "public-key")) {
        return read_z85(value, "public-key", key->curve_public, &key->has_curve_public, err);
    } else if (slice_is(section, "curve") && slice_is(name, "secret-key")) {
        return read_z85(value, "secret-key", key->curve_secret, &key->has_curve_secret, err);
    } else if (slice_is(section, "sign") && slice_is(name, "ed25519-public")) {
        return read_hex(value, "ed25519-public", key->sign_public, &key->has_sign_public, err);
    } else if (slice_is(section, "sign") && slice_is(name, "ed25519-seed")) {
        return read_hex(value, "ed25519-seed", key->sign_seed, &key->has_sign_seed, err);
    } else if (slice_is(section, "sign") && slice_is(name, "ed25519-sealed")) {
        return read_sealed(value, key, err);
    } else if (slice_is(section, "sign") && slice_is(name, "ssh-key")) {
        return read_ssh_path(value, key, err);
    }
    return 0;
}

/* A public key that is missing beside its secret is derived; one that does not match is an error.
 */
static int check_pairs(struct keyfile *key, struct error *err)
{
    uint8_t derived[SIGN_KEY_LEN];
    char secret[CURVE_Z85_LEN + 1], public_key[CURVE_Z85_LEN + 1];

    if (key->has_sign_seed) {
        sign_public_key(key->sign_seed, derived);
        if (key->has_sign_public && memcmp(derived, key->sign_public, SIGN_KEY_LEN) != 0)
            return error_set(err, ERROR_INPUT, "ed25519-public is not the key of ed25519-seed");
        memcpy(key->sign_public, derived, SIGN_KEY_LEN);
        key->has_sign_public = true;
    }
    if (key->has_curve_secret) {
        curve_to_z85(key->curve_secret, secret);
        if (zmq_curve_public(public_key, secret) != 0 ||
            curve_from_z85(slice_str(public_key), derived) != 0)
            return error_set(err, ERROR_INPUT, "secret-key has no public key");
        if (key->has_curve_public && memcmp(derived, key->curve_public, CURVE_KEY_LEN) != 0)
            return error_set(err, ERROR_INPUT, "public-key is not the key of secret-key");
        memcpy(key->curve_public, derived, CURVE_KEY_LEN);
        key->has_curve_public = true;
        OPENSSL_cleanse(secret, sizeof secret);
    }
    return 0;
}

int keyfile_parse(struct slice text, struct keyfile *out, struct error *err)
{
    struct keyfile key = {0};
    struct slice section = slice_of(NULL, 0), name, value;
    struct line line;
    int rc = -1;

    if (text.len > KEYFILE_BYTES_MAX) {
        error_set(err, ERROR_INPUT, "longer than a key file is");
        goto out;
    }
    while (next_line(&text, &line)) {
        line.text = trimmed(line.text);
        if (line.text.len == 0 || line.text.at[0] == '#')
            continue;
        if (line.is_section)
            section = line.text;
        else if (split(line.text, &name, &value) &&
                 read_property(section, name, value, &key, err) != 0)
            goto out;
    }
    if (!key.has_curve_public && !key.has_curve_secret && !key.has_sign_public &&
        !key.has_sign_seed) {
        error_set(err, ERROR_INPUT, "there is no key in it");
        goto out;
    }
    if (check_pairs(&key, err) != 0)
        goto out;
    if ((key.is_sealed || key.ssh_key[0] != '\0') && !key.has_sign_public) {
        error_set(err, ERROR_INPUT,
                  "a sealed key and one of OpenSSH's need ed25519-public beside them");
        goto out;
    }
    *out = key;
    rc = 0;
out:
    keyfile_wipe(&key);
    return rc;
}

/* ---- writing ---- */

static void add_curve(struct buf *out, const struct keyfile *key, bool with_secrets)
{
    char text[CURVE_Z85_LEN + 1];

    buf_add_str(out, "curve\n");
    curve_to_z85(key->curve_public, text);
    buf_addf(out, "    public-key = \"%s\"\n", text);
    if (with_secrets && key->has_curve_secret) {
        curve_to_z85(key->curve_secret, text);
        buf_addf(out, "    secret-key = \"%s\"\n", text);
    }
    OPENSSL_cleanse(text, sizeof text);
}

static void add_sign(struct buf *out, const struct keyfile *key, bool with_secrets)
{
    char text[2 * SIGN_KEY_LEN + 1], sealed[2 * KEYFILE_SEALED_LEN + 1];

    buf_add_str(out, "sign\n");
    hex_encode(slice_of(key->sign_public, SIGN_KEY_LEN), text);
    buf_addf(out, "    ed25519-public = \"%s\"\n", text);
    if (with_secrets && key->has_sign_seed) {
        hex_encode(slice_of(key->sign_seed, SIGN_SEED_LEN), text);
        buf_addf(out, "    ed25519-seed = \"%s\"\n", text);
    }
    if (with_secrets && key->is_sealed && !key->has_sign_seed) {
        hex_encode(slice_of(key->sealed, KEYFILE_SEALED_LEN), sealed);
        buf_addf(out, "    ed25519-sealed = \"%s\"\n", sealed);
    }
    if (with_secrets && key->ssh_key[0] != '\0')
        buf_addf(out, "    ssh-key = \"%s\"\n", key->ssh_key);
    OPENSSL_cleanse(text, sizeof text);
}

void keyfile_format(struct buf *out, const struct keyfile *key, bool with_secrets)
{
    buf_add_str(out, with_secrets
                         ? "#   Secret: whoever can read this file can act under this name.\n"
                         : "#   Public: may be given to anybody.\n");
    buf_add_str(out, "metadata\n");
    if (key->name[0] != '\0')
        buf_addf(out, "    name = \"%s\"\n", key->name);
    if (key->has_curve_public)
        add_curve(out, key, with_secrets);
    if (key->has_sign_public)
        add_sign(out, key, with_secrets);
}

/* ---- files ---- */

static int read_file(int fd, struct buf *text)
{
    ssize_t got;

    buf_reserve(text, KEYFILE_BYTES_MAX + 1);
    do {
        got = read(fd, text->at + text->len, KEYFILE_BYTES_MAX + 1 - text->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        text->len += (size_t)got;
    } while (got > 0 && text->len <= KEYFILE_BYTES_MAX);
    return 0;
}

int keyfile_load(const char *path, struct keyfile *out, struct error *err)
{
    struct buf text = BUF_EMPTY;
    struct keyfile key = {0};
    struct stat facts;
    int rc = -1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &facts) != 0 || read_file(fd, &text) != 0) {
        error_set(err, ERROR_IO, "cannot read %s: %s", path, strerror(errno));
        goto out;
    }
    if (keyfile_parse(buf_slice(&text), &key, err) != 0) {
        error_add(err, "%s", path);
        goto out;
    }
    if ((key.has_curve_secret || key.has_sign_seed) && (facts.st_mode & 077) != 0) {
        error_set(err, ERROR_INPUT, "%s holds a secret but others may read it: chmod 600", path);
        goto out;
    }
    *out = key;
    rc = 0;
out:
    if (text.at != NULL)
        OPENSSL_cleanse(text.at, text.cap);
    buf_release(&text);
    keyfile_wipe(&key);
    close(fd);
    return rc;
}

static int write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.at, bytes.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes = slice_of(bytes.at + put, bytes.len - (size_t)put);
    }
    return fsync(fd);
}

int keyfile_save(const char *path, const struct keyfile *key, bool with_secrets, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, with_secrets ? 0600 : 0644);
    struct buf text = BUF_EMPTY;
    int rc = 0;

    if (fd < 0)
        return error_set(err, errno == EEXIST ? ERROR_BUSY : ERROR_IO, "cannot make %s: %s", path,
                         strerror(errno));
    keyfile_format(&text, key, with_secrets);
    if (write_all(fd, buf_slice(&text)) != 0) {
        rc = error_set(err, ERROR_IO, "cannot write %s: %s", path, strerror(errno));
        unlink(path);
    }
    OPENSSL_cleanse(text.at, text.cap);
    buf_release(&text);
    close(fd);
    return rc;
}

/* ---- new keys ---- */

int keyfile_new_curve(struct keyfile *key, struct error *err)
{
    char public_key[CURVE_Z85_LEN + 1], secret[CURVE_Z85_LEN + 1];

    if (zmq_curve_keypair(public_key, secret) != 0)
        return error_set(err, ERROR_IO, "libzmq cannot make a CURVE pair: %s", zmq_strerror(errno));
    check(curve_from_z85(slice_str(public_key), key->curve_public) == 0);
    check(curve_from_z85(slice_str(secret), key->curve_secret) == 0);
    OPENSSL_cleanse(secret, sizeof secret);
    key->has_curve_public = key->has_curve_secret = true;
    return 0;
}

int keyfile_new_sign(struct keyfile *key, struct error *err)
{
    if (getrandom(key->sign_seed, SIGN_SEED_LEN, 0) != SIGN_SEED_LEN)
        return error_set(err, ERROR_IO, "the kernel gave no random bytes: %s", strerror(errno));
    sign_public_key(key->sign_seed, key->sign_public);
    key->has_sign_seed = key->has_sign_public = true;
    return 0;
}

/* ---- sealed ---- */

enum { SALT_LEN = 16, NONCE_LEN = 12, TAG_LEN = 16, SEALING_KEY_LEN = 32 };

static int sealing_key(struct slice passphrase, const uint8_t salt[SALT_LEN],
                       uint8_t out[SEALING_KEY_LEN], struct error *err)
{
    const uint64_t n = 1 << 17, r = 8, p = 1, memory = 256 << 20;

    return EVP_PBE_scrypt((const char *)passphrase.at, passphrase.len, salt, SALT_LEN, n, r, p,
                          memory, out, SEALING_KEY_LEN) == 1
               ? 0
               : error_set(err, ERROR_IO,
                           "no key could be made of the passphrase: too little memory");
}

/* One step of ChaCha20-Poly1305 over a seed; `tag` is written or held against. False: it does not hold. */
static bool run_cipher(const struct keyfile *key, const uint8_t secret[SEALING_KEY_LEN], bool seals,
                       const uint8_t *in, uint8_t *out, uint8_t *tag)
{
    const uint8_t *nonce = key->sealed + SALT_LEN;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int len = 0;
    bool holds;

    check(context != NULL);
    holds = EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), NULL, secret, nonce, seals) == 1 &&
            EVP_CipherUpdate(context, NULL, &len, key->sign_public, SIGN_KEY_LEN) == 1 &&
            EVP_CipherUpdate(context, out, &len, in, SIGN_SEED_LEN) == 1 &&
            (seals || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1) &&
            EVP_CipherFinal_ex(context, out + SIGN_SEED_LEN, &len) == 1 &&
            (!seals || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) == 1);
    EVP_CIPHER_CTX_free(context);
    return holds;
}

int keyfile_seal(struct keyfile *key, struct slice passphrase, struct error *err)
{
    uint8_t secret[SEALING_KEY_LEN], *body = key->sealed + SALT_LEN + NONCE_LEN;

    check(key->has_sign_seed);
    if (getrandom(key->sealed, SALT_LEN + NONCE_LEN, 0) != SALT_LEN + NONCE_LEN)
        return error_set(err, ERROR_IO, "the kernel gave no random bytes: %s", strerror(errno));
    if (sealing_key(passphrase, key->sealed, secret, err) != 0)
        return -1;
    check(run_cipher(key, secret, true, key->sign_seed, body, body + SIGN_SEED_LEN));
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(key->sign_seed, SIGN_SEED_LEN);
    key->has_sign_seed = false;
    key->is_sealed = true;
    return 0;
}

int keyfile_unseal(struct keyfile *key, struct slice passphrase, struct error *err)
{
    uint8_t secret[SEALING_KEY_LEN], seed[SIGN_SEED_LEN], derived[SIGN_KEY_LEN];
    uint8_t *body = key->sealed + SALT_LEN + NONCE_LEN;
    bool holds;

    check(key->is_sealed);
    if (sealing_key(passphrase, key->sealed, secret, err) != 0)
        return -1;
    holds = run_cipher(key, secret, false, body, seed, body + SIGN_SEED_LEN);
    OPENSSL_cleanse(secret, sizeof secret);
    if (holds) {
        sign_public_key(seed, derived);
        holds = memcmp(derived, key->sign_public, SIGN_KEY_LEN) == 0;
    }
    if (holds) {
        memcpy(key->sign_seed, seed, SIGN_SEED_LEN);
        key->has_sign_seed = true;
    }
    OPENSSL_cleanse(seed, sizeof seed);
    return holds ? 0 : error_set(err, ERROR_INPUT, "this is not the passphrase of the key");
}

void keyfile_wipe(struct keyfile *key)
{
    OPENSSL_cleanse(key, sizeof *key);
}
