#include "bytes.h"
#include "wire/keyfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int decode(struct slice text)
{
    struct keyfile key;

    return keyfile_parse(text, &key, NULL);
}

static struct keyfile new_key(void)
{
    struct keyfile key = {.name = "amara"};

    assert_int_equal(keyfile_new_curve(&key, NULL), 0);
    assert_int_equal(keyfile_new_sign(&key, NULL), 0);
    return key;
}

static void keys_come_back_with_their_secrets(void **state)
{
    struct keyfile key = new_key(), got;
    struct buf text = BUF_EMPTY;

    (void)state;
    keyfile_format(&text, &key, true);
    assert_int_equal(keyfile_parse(buf_slice(&text), &got, NULL), 0);
    assert_string_equal(got.name, "amara");
    assert_memory_equal(got.curve_secret, key.curve_secret, CURVE_KEY_LEN);
    assert_memory_equal(got.curve_public, key.curve_public, CURVE_KEY_LEN);
    assert_memory_equal(got.sign_seed, key.sign_seed, SIGN_SEED_LEN);
    assert_memory_equal(got.sign_public, key.sign_public, SIGN_KEY_LEN);
    buf_release(&text);
}

static void a_public_file_has_no_secret(void **state)
{
    struct keyfile key = new_key(), got;
    struct buf text = BUF_EMPTY;

    (void)state;
    keyfile_format(&text, &key, false);
    assert_null(strstr(buf_text(&text), "secret-key"));
    assert_null(strstr(buf_text(&text), "seed"));
    assert_int_equal(keyfile_parse(buf_slice(&text), &got, NULL), 0);
    assert_false(got.has_curve_secret || got.has_sign_seed);
    assert_true(got.has_curve_public && got.has_sign_public);
    buf_release(&text);
}

static void a_certificate_as_czmq_writes_it_is_read(void **state)
{
    static const char text[] = "#   ****  Generated on 2026-11-23 12:00:00 by CZMQ  ****\n"
                               "#   ZeroMQ CURVE **Secret** Certificate\n"
                               "\n"
                               "metadata\n"
                               "    email = \"amara@example.org\"\n"
                               "    name = \"Amara\"\n"
                               "curve\n"
                               "    public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n"
                               "    secret-key = \"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\"\n";
    struct keyfile got;

    (void)state;
    assert_int_equal(keyfile_parse(slice_str(text), &got, NULL), 0);
    assert_string_equal(got.name, "Amara");
    assert_true(got.has_curve_secret && !got.has_sign_seed);
}

static void keys_that_do_not_belong_together_are_refused(void **state)
{
    struct keyfile key = new_key(), other = new_key();
    struct buf text = BUF_EMPTY;
    struct error err = {ERROR_NONE, ""};
    struct keyfile got;

    (void)state;
    memcpy(key.curve_public, other.curve_public, CURVE_KEY_LEN);
    keyfile_format(&text, &key, true);
    assert_int_equal(keyfile_parse(buf_slice(&text), &got, &err), -1);
    assert_non_null(strstr(err.text, "public-key is not the key"));
    assert_int_equal(decode(slice_str("")), -1);
    assert_int_equal(decode(slice_str("curve\n    public-key = \"short\"\n")), -1);
    assert_int_equal(decode(slice_str("sign\n    ed25519-seed = \"zz\"\n")), -1);
    buf_release(&text);
}

static void no_changed_byte_hurts(void **state)
{
    struct keyfile key = {.name = "amara"};
    struct buf text = BUF_EMPTY;

    (void)state;
    assert_int_equal(keyfile_new_curve(&key, NULL), 0);
    keyfile_format(&text, &key, false);
    bytes_flip_all(decode, buf_slice(&text));
    bytes_prefixes_taken(decode, buf_slice(&text));
    buf_release(&text);
}

static void a_secret_is_written_for_its_owner_alone_and_never_over_another(void **state)
{
    char directory[] = "/tmp/rota-keys-XXXXXX", path[64];
    struct keyfile key = new_key(), got;
    struct error err = {ERROR_NONE, ""};
    struct stat facts;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/amara.key", directory);
    assert_int_equal(keyfile_save(path, &key, true, &err), 0);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(keyfile_load(path, &got, &err), 0);
    assert_memory_equal(got.sign_seed, key.sign_seed, SIGN_SEED_LEN);
    assert_int_equal(keyfile_save(path, &key, true, &err), -1);
    assert_int_equal(err.class, ERROR_BUSY);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(keyfile_load(path, &got, &err), -1);
    assert_non_null(strstr(err.text, "chmod 600"));
    unlink(path);
    rmdir(directory);
    assert_int_equal(keyfile_load(path, &got, &err), -1);
}

static void a_sealed_secret_opens_with_its_passphrase_and_no_other(void **state)
{
    const struct slice right = slice_str("correct horse"), wrong = slice_str("correct mouse");
    struct keyfile key = new_key(), got;
    uint8_t seed[SIGN_SEED_LEN], none[SIGN_SEED_LEN] = {0};
    struct buf text = BUF_EMPTY;
    struct error err = {ERROR_NONE, ""};

    (void)state;
    memcpy(seed, key.sign_seed, SIGN_SEED_LEN);
    assert_int_equal(keyfile_seal(&key, right, &err), 0);
    assert_false(key.has_sign_seed);
    assert_memory_equal(key.sign_seed, none, SIGN_SEED_LEN);
    keyfile_format(&text, &key, true);
    assert_null(strstr(buf_text(&text), "ed25519-seed"));
    assert_int_equal(keyfile_parse(buf_slice(&text), &got, &err), 0);
    assert_true(got.is_sealed && !got.has_sign_seed);
    assert_int_equal(keyfile_unseal(&got, wrong, &err), -1);
    assert_int_equal(err.class, ERROR_INPUT);
    assert_false(got.has_sign_seed);
    got.sealed[40] ^= 1;
    assert_int_equal(keyfile_unseal(&got, right, &err), -1);
    got.sealed[40] ^= 1;
    got.sign_public[0] ^= 1; /* somebody else's public key beside it */
    assert_int_equal(keyfile_unseal(&got, right, &err), -1);
    got.sign_public[0] ^= 1;
    assert_int_equal(keyfile_unseal(&got, right, &err), 0);
    assert_memory_equal(got.sign_seed, seed, SIGN_SEED_LEN);
    buf_release(&text);
}

static void a_secret_that_lies_elsewhere_needs_its_public_half_here(void **state)
{
    struct keyfile got;

    (void)state;
    assert_int_equal(decode(slice_str("sign\n    ed25519-sealed = \"00\"\n")), -1);
    assert_int_equal(decode(slice_str("curve\n    public-key = "
                                      "\"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n"
                                      "sign\n    ssh-key = \"/home/bo/.ssh/id\"\n")),
                     -1);
    assert_int_equal(
        keyfile_parse(
            slice_str("sign\n    ed25519-public = "
                      "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"\n"
                      "    ssh-key = \"/home/bo/.ssh/id\"\n"),
            &got, NULL),
        0);
    assert_string_equal(got.ssh_key, "/home/bo/.ssh/id");
}

static void z85_has_one_text_for_a_key(void **state)
{
    uint8_t key[CURVE_KEY_LEN], again[CURVE_KEY_LEN];
    char text[CURVE_Z85_LEN + 1];

    (void)state;
    for (int i = 0; i < CURVE_KEY_LEN; i++)
        key[i] = (uint8_t)(255 - i);
    curve_to_z85(key, text);
    assert_int_equal(curve_from_z85(slice_str(text), again), 0);
    assert_memory_equal(key, again, CURVE_KEY_LEN);
    text[3] = '\\';
    assert_int_equal(curve_from_z85(slice_str(text), again), -1);
    assert_int_equal(curve_from_z85(slice_str("short"), again), -1);
    memset(text, '#', CURVE_Z85_LEN); /* more than 32 bits in five digits */
    assert_int_equal(curve_from_z85(slice_str(text), again), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_back_with_their_secrets),
        cmocka_unit_test(a_public_file_has_no_secret),
        cmocka_unit_test(a_certificate_as_czmq_writes_it_is_read),
        cmocka_unit_test(keys_that_do_not_belong_together_are_refused),
        cmocka_unit_test(no_changed_byte_hurts),
        cmocka_unit_test(a_secret_is_written_for_its_owner_alone_and_never_over_another),
        cmocka_unit_test(a_sealed_secret_opens_with_its_passphrase_and_no_other),
        cmocka_unit_test(a_secret_that_lies_elsewhere_needs_its_public_half_here),
        cmocka_unit_test(z85_has_one_text_for_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
