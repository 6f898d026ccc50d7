/* The tree, the notes and the leaf, against values that any implementation must reach (test keys only). */
#include "../../tools/verify/fold.h"
#include "../../tools/verify/leaf.h"
#include "../../tools/verify/note.h"
#include "../../tools/verify/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char log_key[] =
    "rota.example.org/journal+a68cca34+AfnEhMUPAgMazDNoW6F6k8x2wPf16CnSyJImtoZPglFn";
static const char witness_key[] =
    "witness.example.org/w1+0f6d1c98+BITRGD0/R13V6voCAjxIkfB2cmsx0N05ZleO4ZvZvCgC";
static const char actor_key[] = "5752ae24bc800b26432749153df5b73a7a8d002c6bf9cb5728ea53e4bea6d065";

static const struct {
    const char *leaf, *hash;
} leaves[] = {
    {"9eab726f74612e6c6561662f3100cf00060a24181e4000ab7265636f72642e6f70656ea75343502d31403101b8697"
     "36d"
     "732d6d616e61676572406578616d706c652e6f726792a56375727665c420000000000000000000000000000000000"
     "000"
     "0000000000000000000000000000c41000000000000000000000000000000000c081a46b696e64af73636f70655f7"
     "374"
     "6174656d656e7481a57374617465a56472616674c4208e10df26054cdfdeb45a09b0496a67a0820493908bdebd74e"
     "085"
     "34230396bfc4c0",
     "85aa7239331de1357b14d0130ed7cb56f8624c43ac87571c3379cd130e7be645"},
    {"9eab726f74612e6c6561662f3101cf00060a2418352360ad7265636f72642e7375626d6974a75343502d31403102b"
     "869"
     "736d732d6d616e61676572406578616d706c652e6f726792a56375727665c42001010101010101010101010101010"
     "101"
     "01010101010101010101010101010101c41001010101010101010101010101010101c081a6726561736f6eab66697"
     "273"
     "7420697373756581a5726f756e6401c0c0",
     "311963f1d79aae131ead109d072505775a297a1d4976089303de2a53eecd6689"},
    {"9eab726f74612e6c6561662f3102cf00060a24184c06c0ae7265636f72642e617070726f7665a75343502d3140310"
     "3b1"
     "6368616972406578616d706c652e6f726792a56375727665c42002020202020202020202020202020202020202020"
     "202"
     "02020202020202020202c41002020202020202020202020202020202c083a6646967657374c4208e10df26054cdfd"
     "eb4"
     "5a09b0496a67a0820493908bdebd74e08534230396bfc4a76d65616e696e67a8617070726f766564a5726f756e640"
     "181"
     "a57374617465a8617070726f766564c0c44036cdb3fc3eead981569c9b58bbbb7cc9b629107a8eb3826b6adf07480"
     "b73"
     "e5d9450597e1901768c81b79ba4fc4589375f7262be1f21ae0314b86911170231903",
     "3e09a331464bb13da863191afe8aac05429a19da67f97749ffcaa19569d8d31f"},
    {"9eab726f74612e6c6561662f3103cf00060a241862ea20b37265636f72642e7075745f696e5f666f726365a753435"
     "02d"
     "31403104a6656e67696e6592a6656e67696e65c0c41003030303030303030303030303030303028082a5737461746"
     "5a8"
     "696e5f666f726365a57461736b739182a2696401a773657276696365ad636f6d6d756e69636174696f6ec0c0",
     "64f1e6b78f1a1c39fcb20597f4b10af1b2e30067fce1489b09655b1f46732e9f"},
    {"9eab726f74612e6c6561662f3104cf00060a241879cd80ab7265636f72642e6f70656ea7434f4d2d31403101a6656"
     "e67"
     "696e6592a6656e67696e65c0c410040404040404040404040404040404040381a46b696e64ad636f6d6d756e69636"
     "174"
     "696f6e81a57374617465a87072657061726564c0c0",
     "b4956189222134a8fcc45bf4c22124ebf9432aa11dbc1f48f4d92c346d4d0b73"},
};

static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "85aa7239331de1357b14d0130ed7cb56f8624c43ac87571c3379cd130e7be645",
    "121e7a12db18eab3cd3f21b4bc308551d0a1692cde914a0c658d5d852872218b",
    "e3d4373b78fa65e3f7d0a2d21eef92fe7a1e8926a7efb48f3be6c596905bce4a",
    "9aeb39b0910b37addb45cda8ae76a7add13ca4a656d0f1480de992ffc73e31eb",
    "f4633ec39fd79fd6fab94e512c55fca02fe2924abcfe9275e6acd3b148d7343d",
};

static const char *const notes[] = {
    "rota.example.org/journal\n"
    "0\n"
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    "\n"
    "\xe2\x80\x94"
    " rota.example.org/journal "
    "pozKNEU7kemNfuo5+OoVFQMnJNSEuLw9uUfYqIl4gqE2DwZ4ugwW/"
    "nJCiYOXBfOHjT8H2X4wdfSonZ79hCz8ZKFzFwo=\n",
    "rota.example.org/journal\n"
    "1\n"
    "hapyOTMd4TV7FNATDtfLVvhiTEOsh1ccM3nNEw575kU=\n"
    "\n"
    "\xe2\x80\x94"
    " rota.example.org/journal "
    "pozKNGMJBEF+29j+zoec91t7g9PMv6Ctqz9k1/dUaVinxivFMnJDajl6Yfh/"
    "8ymEB8+GYLg+H+bQOUm2zpt2jIjT+gg=\n",
    "rota.example.org/journal\n"
    "2\n"
    "Eh56EtsY6rPNPyG0vDCFUdChaSzekUoMZY1dhShyIYs=\n"
    "\n"
    "\xe2\x80\x94"
    " rota.example.org/journal "
    "pozKNE8nIvnaomI7OkbGe+xeKSqU2xBIJj7/xlDpLP3cC/8VnukK2q1a+nEx4xywgdRw9Nq/"
    "7RR2+jgUnWke5QzbkAY=\n",
    "rota.example.org/journal\n"
    "3\n"
    "49Q3O3j6ZeP30KLSHu+S/noeiSan77SPO+bFlpBbzko=\n"
    "\n"
    "\xe2\x80\x94"
    " rota.example.org/journal "
    "pozKNOjaSp0iYBcWzWrJ2eHrMwX4NJ/M20W1QBHnBEniCgpRGXyfK/RMPupSI21zE/wm0gUcwdwbBn/"
    "2LoWEn9IZzwY=\n",
    "rota.example.org/journal\n"
    "4\n"
    "mus5sJELN63bRc2ornanrdE8pKZW0PFIDemS/8c+Mes=\n"
    "\n"
    "\xe2\x80\x94"
    " rota.example.org/journal "
    "pozKNMnH+o7uLm3VqYbeU2bk9CIwrIi2L5lDQlr0C5+CZNzB9IDgYgMN4STUnwjlobZDp2Tea1AYDM7dHiYwncy+YQY="
    "\n",
    "rota.example.org/journal\n"
    "5\n"
    "9GM+w5/Xn9b6uU5RLFX8oC/ikkq8/pJ15qzTsUjXND0=\n"
    "\n"
    "\xe2\x80\x94"
    " rota.example.org/journal "
    "pozKNOylMV1gl9dyPc5jEcs+SJrmr/PNr2PJpzPd8uzjoyyDZXGflhm1qAmFwN/"
    "uU4F5WnNZNKZIZuGgojrTtXypyQw=\n",
};

static const char cosigned_5[] =
    "rota.example.org/journal\n"
    "5\n"
    "9GM+w5/Xn9b6uU5RLFX8oC/ikkq8/pJ15qzTsUjXND0=\n"
    "\n"
    "\xe2\x80\x94"
    " rota.example.org/journal "
    "pozKNOylMV1gl9dyPc5jEcs+SJrmr/PNr2PJpzPd8uzjoyyDZXGflhm1qAmFwN/uU4F5WnNZNKZIZuGgojrTtXypyQw=\n"
    "\xe2\x80\x94"
    " witness.example.org/w1 "
    "D20cmAAAAABlU/FkJB8cURjGoINL6jmmYONtRoP6AqA/"
    "jjnCatmCriQgvnEeRSegc2br1UETq41zu4OA61LjRQIf56KwUQ6+nq8ZBw==\n";

static const char command_message_2[] = "726f74612e636f6d6d616e642f310a98b8726f74612e6578616d706c65"
                                        "2e6f72672f6a6f75726e616cc4100202020202"
                                        "0202020202020202020202ae7265636f72642e617070726f7665a75343"
                                        "502d31403102b16368616972406578616d706c"
                                        "652e6f726783a6646967657374c4208e10df26054cdfdeb45a09b0496a"
                                        "67a0820493908bdebd74e08534230396bfc4a7"
                                        "6d65616e696e67a8617070726f766564a5726f756e6401c0";

enum { LEAVES = sizeof leaves / sizeof *leaves };

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;

    assert_int_equal(hex_read(bytes_text(hex), out, len), 0);
    return len;
}

static void assert_hash(const uint8_t hash[HASH_LEN], const char *hex)
{
    uint8_t wanted[HASH_LEN];

    assert_int_equal(unhex(hex, wanted), HASH_LEN);
    assert_memory_equal(hash, wanted, HASH_LEN);
}

static void leaves_and_roots_have_the_hashes_that_any_auditor_computes(void **state)
{
    struct tree tree = {0};
    uint8_t raw[1024], hash[HASH_LEN];

    (void)state;
    tree_root(&tree, hash);
    assert_hash(hash, roots[0]);
    for (size_t i = 0; i < LEAVES; i++) {
        tree_leaf_hash(bytes_of(raw, unhex(leaves[i].leaf, raw)), hash);
        assert_hash(hash, leaves[i].hash);
        tree_append(&tree, hash, NULL, NULL);
        tree_root(&tree, hash);
        assert_hash(hash, roots[i + 1]);
    }
}

static void count_node(void *context, unsigned level, uint64_t index, const uint8_t hash[HASH_LEN])
{
    unsigned *counts = context;

    (void)hash;
    assert_int_equal(index, counts[level]);
    counts[level]++;
}

static void every_full_node_is_told_once_and_in_order(void **state)
{
    struct tree tree = {0};
    uint8_t hash[HASH_LEN] = {0};
    unsigned counts[TREE_MAX_LEVELS] = {0};

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        tree_append(&tree, hash, count_node, counts);
    for (unsigned level = 1; level < 10; level++)
        assert_int_equal(counts[level], 100u >> level);
}

static void every_vector_leaf_is_read_and_every_prefix_of_it_refused(void **state)
{
    uint8_t raw[1024];
    struct leaf leaf;

    (void)state;
    for (size_t i = 0; i < LEAVES; i++) {
        size_t len = unhex(leaves[i].leaf, raw);

        assert_null(leaf_read(bytes_of(raw, len), &leaf));
        assert_int_equal(leaf.seq, i);
        for (size_t cut = 0; cut < len; cut++)
            assert_non_null(leaf_read(bytes_of(raw, cut), &leaf));
    }
}

static void no_changed_byte_of_a_leaf_makes_the_reader_fall_over(void **state)
{
    uint8_t raw[1024];
    struct leaf leaf;
    size_t len = unhex(leaves[2].leaf, raw);

    (void)state;
    for (size_t i = 0; i < len; i++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t *copy = malloc(len);

            assert_non_null(copy);
            memcpy(copy, raw, len);
            copy[i] = (uint8_t)byte;
            leaf_read(bytes_of(copy, len), &leaf);
            free(copy);
        }
}

static void the_message_an_actor_signs_is_rebuilt_to_the_byte(void **state)
{
    uint8_t raw[1024], wanted[1024], key[PUBLIC_KEY_LEN];
    struct buf message = {0};
    struct leaf leaf;
    size_t len = unhex(leaves[2].leaf, raw);

    (void)state;
    assert_null(leaf_read(bytes_of(raw, len), &leaf));
    leaf_command_message(&leaf, bytes_text("rota.example.org/journal"), &message);
    assert_int_equal(message.len, unhex(command_message_2, wanted));
    assert_memory_equal(message.at, wanted, message.len);
    unhex(actor_key, key);
    assert_true(hash_signed(key, buf_bytes(&message), bytes_of(leaf.actor_sig, SIGNATURE_LEN)));
    message.at[message.len - 1] ^= 1;
    assert_false(hash_signed(key, buf_bytes(&message), bytes_of(leaf.actor_sig, SIGNATURE_LEN)));
    buf_release(&message);
}

static struct vkey key_of(const char *text)
{
    struct vkey key;

    assert_null(vkey_read(bytes_text(text), &key));
    return key;
}

static void every_vector_checkpoint_opens_under_the_key_of_its_log(void **state)
{
    struct vkey log = key_of(log_key);
    struct note_policy policy = {.logs = &log, .log_count = 1};
    struct note_signers signers;
    struct checkpoint checkpoint;

    (void)state;
    for (size_t i = 0; i <= LEAVES; i++) {
        assert_null(checkpoint_open(bytes_text(notes[i]), &policy, bytes_of(NULL, 0), &checkpoint,
                                    &signers));
        assert_int_equal(checkpoint.size, i);
        assert_hash(checkpoint.root, roots[i]);
        assert_int_equal(signers.witnesses, 0);
        assert_non_null(checkpoint_open(bytes_text(notes[i]), &policy, bytes_text("another.log"),
                                        &checkpoint, &signers));
    }
}

static void a_cosignature_counts_once_and_tells_its_time(void **state)
{
    struct vkey log = key_of(log_key), witness = key_of(witness_key);
    struct note_policy policy = {&log, 1, &witness, 1, 1};
    struct note_signers signers;
    struct checkpoint checkpoint;

    (void)state;
    assert_null(
        checkpoint_open(bytes_text(cosigned_5), &policy, bytes_of(NULL, 0), &checkpoint, &signers));
    assert_int_equal(signers.witnesses, 1);
    assert_true(signers.has_time);
    assert_int_equal(signers.newest_time, 1700000100);
}

static void no_changed_byte_of_a_cosigned_note_is_taken_for_the_same(void **state)
{
    struct vkey log = key_of(log_key), witness = key_of(witness_key);
    struct note_policy policy = {&log, 1, &witness, 1, 1};
    struct note_signers signers;
    struct checkpoint checkpoint;
    char note[1024];
    size_t len = strlen(cosigned_5);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        memcpy(note, cosigned_5, len);
        note[i] ^= 1;
        assert_true(checkpoint_open(bytes_of(note, len), &policy, bytes_of(NULL, 0), &checkpoint,
                                    &signers) != NULL ||
                    signers.witnesses < policy.quorum);
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_true(checkpoint_open(bytes_of(cosigned_5, cut), &policy, bytes_of(NULL, 0),
                                    &checkpoint, &signers) != NULL ||
                    signers.witnesses < policy.quorum);
}

static void bodies_that_are_no_checkpoints_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "Head\n9944\n",
        "\n9944\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "Log\n123\nYmFuYW5hcw==\n",
        "Log\n123\nYmFuYW5hcw==",
        "Log\nbananas\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "Log\n-34\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "Log\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "Log\n3438945738945739845734895735\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "Log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
        "Log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
        "Log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFA=\n",
    };
    struct checkpoint checkpoint;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (checkpoint_parse(bytes_text(bodies[i]), &checkpoint) == NULL)
            fail_msg("body %zu was read", i);
    assert_null(checkpoint_parse(bytes_text("go.sum database tree\n123456789012\n"
                                            "TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"),
                                 &checkpoint));
    assert_true(checkpoint.size == 123456789012);
}

static void a_verifier_key_that_does_not_hash_to_its_id_is_refused(void **state)
{
    char text[256];
    struct vkey key;
    size_t len = strlen(log_key);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        memcpy(text, log_key, len);
        text[i] ^= 1;
        assert_non_null(vkey_read(bytes_of(text, len), &key));
        assert_non_null(vkey_read(bytes_of(log_key, i), &key));
    }
}

/* Merge a patch given in hex and compare. */
static void assert_merged(const char *old, const char *patch, const char *wanted)
{
    uint8_t old_raw[256], patch_raw[256], wanted_raw[256];
    struct buf out = {0};
    size_t wanted_len = unhex(wanted, wanted_raw);

    fold_merge(&out, bytes_of(old_raw, unhex(old, old_raw)),
               bytes_of(patch_raw, unhex(patch, patch_raw)));
    assert_null(dmp_check(buf_bytes(&out)));
    assert_int_equal(out.len, wanted_len);
    assert_memory_equal(out.at, wanted_raw, wanted_len);
    buf_release(&out);
}

static void a_patch_merges_as_rfc_7396_says(void **state)
{
    (void)state;
    assert_merged("81a161a162", "81a161a163", "81a161a163");         /* a value is replaced */
    assert_merged("81a161a162", "81a162a163", "82a161a162a162a163"); /* a key is added */
    assert_merged("81a161a162", "81a161c0", "80");                   /* nil deletes */
    assert_merged("82a161a162a162a163", "81a161c0", "81a162a163");   /* and only that key */
    assert_merged("81a16191a162", "81a161a163", "81a161a163");       /* an array is replaced */
    assert_merged("81a161a163", "81a1619101", "81a1619101");         /* by an array, whole */
    assert_merged("81a16181a162a163", "81a16182a162a164a163c0",
                  "81a16181a162a164"); /* maps merge */
    assert_merged("81a161919102", "81a1619101", "81a1619101");
    assert_merged("81a16101", "81a16181a16102", "81a16181a16102"); /* a map over what is none */
    assert_merged("", "81a16181a16281a163c0", "81a16181a16280");   /* no nil is ever stored */
}

static void only_votes_are_taken_for_votes(void **state)
{
    struct bytes round, person;

    (void)state;
    assert_true(leaf_vote_stream(bytes_text("SCP-0001@2.0/round/12/amara"), &round, &person));
    assert_true(bytes_are(round, "SCP-0001@2.0/round/12"));
    assert_true(bytes_are(person, "amara"));
    assert_false(leaf_vote_stream(bytes_text("SCP-0001@2.0/round/12"), &round, &person));
    assert_false(leaf_vote_stream(bytes_text("SCP-0001@2.0/round//amara"), &round, &person));
    assert_false(leaf_vote_stream(bytes_text("SCP-0001@2.0/round/x/amara"), &round, &person));
    assert_false(leaf_vote_stream(bytes_text("SCP-0001@2.0/round/1/"), &round, &person));
    assert_false(leaf_vote_stream(bytes_text("/round/1/amara"), &round, &person));
    assert_false(leaf_vote_stream(bytes_text("task/7"), &round, &person));
    assert_false(leaf_vote_stream(bytes_text(""), &round, &person));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_and_roots_have_the_hashes_that_any_auditor_computes),
        cmocka_unit_test(every_full_node_is_told_once_and_in_order),
        cmocka_unit_test(every_vector_leaf_is_read_and_every_prefix_of_it_refused),
        cmocka_unit_test(no_changed_byte_of_a_leaf_makes_the_reader_fall_over),
        cmocka_unit_test(the_message_an_actor_signs_is_rebuilt_to_the_byte),
        cmocka_unit_test(every_vector_checkpoint_opens_under_the_key_of_its_log),
        cmocka_unit_test(a_cosignature_counts_once_and_tells_its_time),
        cmocka_unit_test(no_changed_byte_of_a_cosigned_note_is_taken_for_the_same),
        cmocka_unit_test(bodies_that_are_no_checkpoints_are_refused),
        cmocka_unit_test(a_verifier_key_that_does_not_hash_to_its_id_is_refused),
        cmocka_unit_test(a_patch_merges_as_rfc_7396_says),
        cmocka_unit_test(only_votes_are_taken_for_votes),
    };
    int result = cmocka_run_group_tests(tests, NULL, NULL);

    hash_release();
    return result;
}
