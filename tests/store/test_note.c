/* Signed notes and checkpoints against values from elsewhere, and against tampering. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/note.h"

#include <stdio.h>

#define DASH "\xe2\x80\x94 "

static const char OWN_SEED[SIGN_SEED_LEN + 1] = "log key for tests only\0\0\0\0\0\0\0\0\0\0";
static const char OWN_ORIGIN[] = "rota.example.org/journal";
static const char OWN_VKEY[] =
    "rota.example.org/journal+a68cca34+AfnEhMUPAgMazDNoW6F6k8x2wPf16CnSyJImtoZPglFn";
static const char OWN_NOTE[] =
    "rota.example.org/journal\n5\n9GM+w5/Xn9b6uU5RLFX8oC/ikkq8/pJ15qzTsUjXND0=\n\n" DASH
    "rota.example.org/journal pozKNOylMV1gl9dyPc5jEcs+SJrmr/PNr2PJpzPd8uzjoyyDZXGflhm1qAmFwN/"
    "uU4F5WnNZNKZIZuGgojrTtXypyQw=\n";
static const char WITNESS_LINE[] = DASH
    "witness.example.org/w1 D20cmAAAAABlU/FkJB8cURjGoINL6jmmYONtRoP6AqA/jjnCatmCriQgvnEeRSegc2br"
    "1UETq41zu4OA61LjRQIf56KwUQ6+nq8ZBw==\n";

/* The example in the documentation of Go's sumdb/note, where the format comes from. */
static const char GO_VKEY[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char GO_NOTE[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n" DASH "PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ryy"
    "BwJnAM=\n";

/* A checkpoint of a Sigsum log, from that project's tests; the private key is 11 and 31 zero bytes. */
#define SIGSUM_ORIGIN                                                                              \
    "sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69"
static const char SIGSUM_TEXT[] =
    SIGSUM_ORIGIN "\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char SIGSUM_SIGNATURE[] =
    "\n" DASH SIGSUM_ORIGIN " gJ2ho0n8F8olcerUF1FFdv235A/5as/coWrpLrtE7ovMeP5whgwouYExowG/"
    "lTznxu6OUGjjt5yJQ6bXtTcf718MqAQ=\n";

static struct note_key key_of(const char *vkey)
{
    struct note_key key;
    struct error err = {ERROR_NONE, ""};

    assert_int_equal(note_key_parse(slice_str(vkey), &key, &err), 0);
    return key;
}

static void a_key_is_written_and_read_as_published(void **state)
{
    struct note_key own = key_of(OWN_VKEY), made;
    uint8_t public_key[SIGN_KEY_LEN];
    struct buf text = BUF_EMPTY;

    (void)state;
    sign_public_key((const uint8_t *)OWN_SEED, public_key);
    assert_int_equal(note_key_make(slice_str(OWN_ORIGIN), public_key, &made, NULL), 0);
    assert_string_equal(own.name, made.name);
    assert_memory_equal(own.key, made.key, SIGN_KEY_LEN);
    note_key_add(&text, &made);
    assert_string_equal(buf_text(&text), OWN_VKEY);
    buf_release(&text);
    key_of(GO_VKEY);
}

static void a_key_that_is_not_one_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "name",
        "name+",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20zz+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+AhpcAQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc",
        "PeterNeumann+c74f20a3",
    };
    struct note_key key;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(note_key_parse(slice_str(wrong[i]), &key, &err), -1);
        assert_int_equal(err.class, ERROR_INPUT);
    }
}

static void a_name_has_no_space_no_plus_and_no_control_character(void **state)
{
    static const char *const wrong[] = {
        "",      "a b",   "a+b",       "a\nb",          "a\tb",
        "a\x7f", "a\xff", "a\xc2\xa0", "a\xe3\x80\x80", "a\xe2\x80\x83z"};
    uint8_t public_key[SIGN_KEY_LEN] = {0};
    struct note_key key;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(note_key_make(slice_str(wrong[i]), public_key, &key, NULL), -1);
    assert_int_equal(note_key_make(slice_str("caf\xc3\xa9.example/x"), public_key, &key, NULL), 0);
}

static void signing_gives_the_published_notes(void **state)
{
    struct checkpoint checkpoint = {slice_str(OWN_ORIGIN), 5, {0}};
    const uint8_t sigsum_seed[SIGN_SEED_LEN] = {0x11};
    struct note_key own = key_of(OWN_VKEY), sigsum;
    struct buf text = BUF_EMPTY, note = BUF_EMPTY;
    uint8_t public_key[SIGN_KEY_LEN];
    char want[1024];

    (void)state;
    hex_decode("f4633ec39fd79fd6fab94e512c55fca02fe2924abcfe9275e6acd3b148d7343d", checkpoint.root,
               HASH_LEN);
    checkpoint_add(&text, &checkpoint);
    note_sign(&note, buf_slice(&text), &own, (const uint8_t *)OWN_SEED);
    assert_string_equal(buf_text(&note), OWN_NOTE);

    sign_public_key(sigsum_seed, public_key);
    assert_int_equal(note_key_make(slice_str(SIGSUM_ORIGIN), public_key, &sigsum, NULL), 0);
    buf_clear(&note);
    note_sign(&note, slice_str(SIGSUM_TEXT), &sigsum, sigsum_seed);
    snprintf(want, sizeof want, "%s%s", SIGSUM_TEXT, SIGSUM_SIGNATURE);
    assert_string_equal(buf_text(&note), want);
    buf_release(&text);
    buf_release(&note);
}

static void published_notes_verify(void **state)
{
    struct note_key go = key_of(GO_VKEY), own = key_of(OWN_VKEY);
    struct checkpoint checkpoint;
    struct slice text;

    (void)state;
    assert_int_equal(note_verify(slice_str(GO_NOTE), &go, &text, NULL), 0);
    assert_int_equal(text.len, strlen("If you think cryptography is the answer to your problem,\n"
                                      "then you don't know what your problem is.\n"));
    assert_int_equal(checkpoint_open(slice_str(OWN_NOTE), &own, &checkpoint, NULL), 0);
    assert_int_equal(checkpoint.size, 5);
    assert_true(slice_is(checkpoint.origin, OWN_ORIGIN));
}

static void signatures_by_others_are_let_pass_wherever_they_stand(void **state)
{
    struct note_key own = key_of(OWN_VKEY), go = key_of(GO_VKEY);
    const char *signature = strstr(OWN_NOTE, DASH);
    struct checkpoint checkpoint;
    struct error err;
    char note[2048];

    (void)state;
    snprintf(note, sizeof note, "%s%s", OWN_NOTE, WITNESS_LINE);
    assert_int_equal(checkpoint_open(slice_str(note), &own, &checkpoint, NULL), 0);
    snprintf(note, sizeof note, "%.*s%s%s", (int)(signature - OWN_NOTE), OWN_NOTE, WITNESS_LINE,
             signature);
    assert_int_equal(checkpoint_open(slice_str(note), &own, &checkpoint, NULL), 0);
    assert_int_equal(note_verify(slice_str(note), &go, NULL, &err), -1);
}

static void a_note_with_any_bit_flipped_is_refused(void **state)
{
    struct note_key own = key_of(OWN_VKEY);
    struct checkpoint checkpoint;
    char note[sizeof OWN_NOTE];

    (void)state;
    memcpy(note, OWN_NOTE, sizeof note);
    for (size_t bit = 0; bit < 8 * strlen(OWN_NOTE); bit++) {
        note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(checkpoint_open(slice_of(note, strlen(OWN_NOTE)), &own, &checkpoint, NULL),
                         -1);
        note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
    }
}

static void every_beginning_of_a_note_is_refused(void **state)
{
    struct note_key own = key_of(OWN_VKEY);

    (void)state;
    for (size_t len = 0; len < strlen(OWN_NOTE); len++)
        assert_int_equal(note_verify(slice_of(OWN_NOTE, len), &own, NULL, NULL), -1);
}

static void a_false_signature_beside_a_true_one_is_refused(void **state)
{
    struct note_key own = key_of(OWN_VKEY);
    char note[2048], wrong[1024];
    char *at;

    (void)state;
    snprintf(wrong, sizeof wrong, "%s", strstr(OWN_NOTE, DASH));
    at = strstr(wrong, "OylMV1");
    assert_non_null(at);
    at[0] = 'P';
    snprintf(note, sizeof note, "%s%s", OWN_NOTE, wrong);
    assert_int_equal(note_verify(slice_str(note), &own, NULL, NULL), -1);
}

static void what_is_no_checkpoint_is_refused(void **state)
{
#define ROOT "9GM+w5/Xn9b6uU5RLFX8oC/ikkq8/pJ15qzTsUjXND0="
    static const char *const wrong[] = {
        "",
        "log\n5\n",
        "log\n5\n" ROOT,
        "\n5\n" ROOT "\n",
        "log\n05\n" ROOT "\n",
        "log\n-5\n" ROOT "\n",
        "log\n+5\n" ROOT "\n",
        "log\n5 \n" ROOT "\n",
        "log\n\n" ROOT "\n",
        "log\n0x5\n" ROOT "\n",
        "log\n9223372036854775808\n" ROOT "\n",
        "log\n3438945738945739845734895735\n" ROOT "\n",
        "log\n5\nYmFuYW5hcw==\n",
        "log\n5\n9GM+w5/Xn9b6uU5RLFX8oC/ikkq8/pJ15qzTsUjXND1=\n",
        "log\n5\n9GM-w5_Xn9b6uU5RLFX8oC_ikkq8_pJ15qzTsUjXND0=\n",
        "log\n5\n" ROOT "\n\nextension\n",
        "log\n5\n" ROOT "\nextension",
    };
    struct checkpoint checkpoint;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(checkpoint_parse(slice_str(wrong[i]), &checkpoint, NULL), -1);
    assert_int_equal(checkpoint_parse(slice_str("log\n0\n" ROOT "\n"), &checkpoint, NULL), 0);
    assert_int_equal(checkpoint_parse(slice_str("log\n9223372036854775807\n" ROOT "\nmore\n"),
                                      &checkpoint, NULL),
                     0);
    assert_int_equal(checkpoint.size, INT64_MAX);
}

static void a_checkpoint_of_another_origin_is_refused(void **state)
{
    struct note_key own = key_of(OWN_VKEY);
    struct checkpoint other = {slice_str("rota.example.org/other"), 5, {0}}, found;
    struct buf text = BUF_EMPTY, note = BUF_EMPTY;

    (void)state;
    checkpoint_add(&text, &other);
    note_sign(&note, buf_slice(&text), &own, (const uint8_t *)OWN_SEED);
    assert_int_equal(note_verify(buf_slice(&note), &own, NULL, NULL), 0);
    assert_int_equal(checkpoint_open(buf_slice(&note), &own, &found, NULL), -1);
    buf_release(&text);
    buf_release(&note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_written_and_read_as_published),
        cmocka_unit_test(a_key_that_is_not_one_is_refused),
        cmocka_unit_test(a_name_has_no_space_no_plus_and_no_control_character),
        cmocka_unit_test(signing_gives_the_published_notes),
        cmocka_unit_test(published_notes_verify),
        cmocka_unit_test(signatures_by_others_are_let_pass_wherever_they_stand),
        cmocka_unit_test(a_note_with_any_bit_flipped_is_refused),
        cmocka_unit_test(every_beginning_of_a_note_is_refused),
        cmocka_unit_test(a_false_signature_beside_a_true_one_is_refused),
        cmocka_unit_test(what_is_no_checkpoint_is_refused),
        cmocka_unit_test(a_checkpoint_of_another_origin_is_refused),
    };

    return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
