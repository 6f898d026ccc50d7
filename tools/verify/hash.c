#include "hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static EVP_MD_CTX *context; /* made on first use */
static EVP_MD *sha256_method, *sha512_method;

static void no_libcrypto(void)
{
    fputs("rota-verify: libcrypto cannot hash here; nothing was proven\n", stderr);
    exit(2);
}

static void hash_prepare(void)
{
    context = EVP_MD_CTX_new();
    sha256_method = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha512_method = EVP_MD_fetch(NULL, "SHA512", NULL);
    if (context == NULL || sha256_method == NULL || sha512_method == NULL)
        no_libcrypto();
}

static void digest(const EVP_MD *method, const struct bytes *parts, size_t count, uint8_t *out)
{
    int good = EVP_DigestInit_ex2(context, method, NULL);

    for (size_t i = 0; i < count; i++)
        good &= EVP_DigestUpdate(context, parts[i].at, parts[i].len);
    good &= EVP_DigestFinal_ex(context, out, NULL);
    if (good != 1)
        no_libcrypto();
}

void hash_sha256(const struct bytes *parts, size_t count, uint8_t out[HASH_LEN])
{
    if (context == NULL)
        hash_prepare();
    digest(sha256_method, parts, count, out);
}

void hash_sha512(struct bytes message, uint8_t out[SHA512_LEN])
{
    if (context == NULL)
        hash_prepare();
    digest(sha512_method, &message, 1, out);
}

bool hash_signed(const uint8_t key[PUBLIC_KEY_LEN], struct bytes message, struct bytes signature)
{
    EVP_PKEY *public = NULL;
    EVP_MD_CTX *check = NULL;
    bool holds = false;

    if (signature.len != SIGNATURE_LEN)
        return false;
    public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, PUBLIC_KEY_LEN);
    check = EVP_MD_CTX_new();
    if (public != NULL && check != NULL &&
        EVP_DigestVerifyInit(check, NULL, NULL, NULL, public) == 1)
        holds = EVP_DigestVerify(check, signature.at, signature.len, message.at, message.len) == 1;
    EVP_MD_CTX_free(check);
    EVP_PKEY_free(public);
    return holds;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_read(struct bytes text, uint8_t *out, size_t room, size_t *len)
{
    size_t pad = 0, made = 0;
    uint32_t bits = 0;
    unsigned held = 0;

    if (text.len % 4 != 0)
        return -1;
    while (pad < 2 && pad < text.len && text.at[text.len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < text.len - pad; i++) {
        int digit = base64_digit(text.at[i]);

        if (digit < 0)
            return -1;
        bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (made == room)
            return -1;
        out[made++] = (uint8_t)(bits >> held);
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return -1;
    *len = made;
    return 0;
}

void base64_write_hash(const uint8_t hash[HASH_LEN], char out[45])
{
    EVP_EncodeBlock((unsigned char *)out, hash, HASH_LEN);
}

int hex_read(struct bytes text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
    }
    return 0;
}

void hash_release(void)
{
    EVP_MD_CTX_free(context);
    EVP_MD_free(sha256_method);
    EVP_MD_free(sha512_method);
    context = NULL;
    sha256_method = sha512_method = NULL;
}
