/* SHA256_Init() and its like are the same code as EVP's; the newer way looks the algorithm up, under locks, and
 * takes memory for every hash, which cost the engine a tenth of its time. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hash.h"

#include "base/check.h"
#include "base/dmp.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

static void hash_parts(const struct slice *parts, size_t count, uint8_t out[HASH_LEN])
{
    SHA256_CTX context;

    check(SHA256_Init(&context) == 1);
    for (size_t i = 0; i < count; i++)
        check(SHA256_Update(&context, parts[i].at, parts[i].len) == 1);
    check(SHA256_Final(out, &context) == 1);
}

void hash_bytes(struct slice bytes, uint8_t out[HASH_LEN])
{
    hash_parts(&bytes, 1, out);
}

void hash_two(struct slice first, struct slice second, uint8_t out[HASH_LEN])
{
    struct slice parts[2] = {first, second};

    hash_parts(parts, 2, out);
}

void hash_content(const uint8_t salt[16], struct slice data, uint8_t out[HASH_LEN])
{
    struct slice parts[3] = {slice_str("rota.content/1\n"), slice_of(salt, 16), data};

    hash_parts(parts, 3, out);
}

void hash_command_id(struct slice principal, struct slice id, uint8_t out[16])
{
    struct buf bytes = BUF_EMPTY;
    uint8_t whole[HASH_LEN];

    buf_add_str(&bytes, "rota.id/1\n");
    dmp_put_array(&bytes, 2);
    dmp_put_str(&bytes, principal);
    dmp_put_str(&bytes, id);
    hash_bytes(buf_slice(&bytes), whole);
    memcpy(out, whole, 16);
    buf_release(&bytes);
}

static void add_ssh_text(struct buf *out, struct slice text)
{
    const uint8_t len[4] = {(uint8_t)(text.len >> 24), (uint8_t)(text.len >> 16),
                            (uint8_t)(text.len >> 8), (uint8_t)text.len};

    buf_add(out, len, sizeof len);
    buf_add_slice(out, text);
}

void sign_wrap_for_ssh(struct buf *message)
{
    uint8_t hash[SHA512_DIGEST_LENGTH];

    check(SHA512(message->at, message->len, hash) != NULL);
    buf_clear(message);
    buf_add_str(message, "SSHSIG");
    add_ssh_text(message, slice_str("rota"));
    add_ssh_text(message, slice_str(""));
    add_ssh_text(message, slice_str("sha512"));
    add_ssh_text(message, slice_of(hash, sizeof hash));
}

static EVP_PKEY *key_of_seed(const uint8_t seed[SIGN_SEED_LEN])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SIGN_SEED_LEN);

    check(key != NULL);
    return key;
}

void sign_public_key(const uint8_t seed[SIGN_SEED_LEN], uint8_t out[SIGN_KEY_LEN])
{
    EVP_PKEY *key = key_of_seed(seed);
    size_t len = SIGN_KEY_LEN;

    check(EVP_PKEY_get_raw_public_key(key, out, &len) == 1 && len == SIGN_KEY_LEN);
    EVP_PKEY_free(key);
}

void sign_message(const uint8_t seed[SIGN_SEED_LEN], struct slice message,
                  uint8_t out[SIGNATURE_LEN])
{
    EVP_PKEY *key = key_of_seed(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = SIGNATURE_LEN;

    check(context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
    check(EVP_DigestSign(context, out, &len, message.at, message.len) == 1 && len == SIGNATURE_LEN);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

bool sign_verify(const uint8_t key[SIGN_KEY_LEN], struct slice message,
                 const uint8_t signature[SIGNATURE_LEN])
{
    EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, SIGN_KEY_LEN);
    EVP_MD_CTX *context;
    bool holds;

    if (public_key == NULL)
        return false;
    context = EVP_MD_CTX_new();
    check(context != NULL);
    holds = EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
            EVP_DigestVerify(context, signature, SIGNATURE_LEN, message.at, message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    return holds;
}

void hex_encode(struct slice bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[bytes.at[i] >> 4];
        out[2 * i + 1] = digits[bytes.at[i] & 15];
    }
    out[2 * bytes.len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_decode(const char *text, uint8_t *out, size_t len)
{
    if (strlen(text) != 2 * len)
        return -1;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

void base64_add(struct buf *out, struct slice bytes)
{
    size_t room = 4 * ((bytes.len + 2) / 3) + 1;

    check(bytes.len < 1 << 28);
    buf_reserve(out, room);
    out->len += (size_t)EVP_EncodeBlock(out->at + out->len, bytes.at, (int)bytes.len);
}

int base64_decode(struct slice text, struct buf *out)
{
    size_t padding = 0, room = text.len / 4 * 3 + 1, before = out->len;
    struct buf again = BUF_EMPTY;
    bool same;

    if (text.len == 0)
        return 0;
    if (text.len % 4 != 0 || text.len >= 1 << 28)
        return -1;
    while (padding < 2 && text.at[text.len - 1 - padding] == '=')
        padding++;
    buf_reserve(out, room);
    if (EVP_DecodeBlock(out->at + before, text.at, (int)text.len) < 0)
        return -1;
    out->len = before + text.len / 4 * 3 - padding;
    /* One text for one value: what decodes must encode to the same text. */
    base64_add(&again, slice_of(out->at + before, out->len - before));
    same = slice_equal(buf_slice(&again), text);
    buf_release(&again);
    if (!same)
        out->len = before;
    return same ? 0 : -1;
}
