/* test_story_forged_attack.c - what is genuine somewhere else, brought here: a signature for another program, endorsements for
 * another journal, a delegation for another stage, the definition of another day, what somebody signed as himself. Again by somebody
 * who has the database, the engine's keys, the engine itself, the administrator's account and a genuine key of his own (finn's).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/hash.h"
#include "core/endorse.h"
#include "core/forgery.h"

#define ORIGIN "story.example/virtual"
#define RECORD "POL-0001@1.0"
#define ROUND RECORD "/round/1"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.',"
    " 'places': [{'name': 'Hall', 'inside': true}]}}";

static struct story *with_one_vote(void)
{
    struct story *story = story_begin_enrolled();

    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    return story;
}

static void seed_of(const char *key, uint8_t seed[SIGN_SEED_LEN])
{
    memset(seed, 0, SIGN_SEED_LEN);
    memcpy(seed, key, strlen(key));
}

/* ---- a signature for another program ---- */

/* As ssh-keygen -Y sign makes it, over just this message: for the namespace of rota, or of another program. */
static void sign_as_ssh(struct story *story, struct leaf *leaf, const char *key, const char *space)
{
    uint8_t seed[SIGN_SEED_LEN], *signature = arena_take(story_arena(story), SIGNATURE_LEN), *at;
    struct buf message = BUF_EMPTY;

    value_set(story_arena(story), &leaf->body, "sig_format", value_str("sshsig"));
    leaf_command_message(&message, slice_str(ORIGIN), leaf->command_id, leaf->type, leaf->stream,
                         leaf->rev - 1, leaf->actor, &leaf->body, &leaf->content);
    sign_wrap_for_ssh(&message);
    at = memmem(message.at, message.len, "rota", 4);
    assert_non_null(at);
    memcpy(at, space, 4);
    seed_of(key, seed);
    sign_message(seed, buf_slice(&message), signature);
    buf_release(&message);
    leaf->actor_sig = slice_of(signature, SIGNATURE_LEN);
}

/* Bo's own key signs what he never read as a decision: a file, a mail, whatever he is given to sign with it. */
static void an_ssh_signature_for_another_namespace_is_found(void **state)
{
    static const char *const spaces[] = {"rota", "file", "mail"};
    struct story *story = with_one_vote();

    (void)state;
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        struct forgery *forgery = forgery_begin(story);

        sign_as_ssh(story, forgery_leaf(forgery, "record.approve", NULL, 1), "bo", spaces[i]);
        if (i == 0)
            forgery_holds(&forgery);
        else
            forgery_is_found(&forgery, "ACTOR_FORGED");
    }
    story_end(story);
}

/* ---- endorsements for another journal ---- */

static struct value endorsed(struct story *story, const struct enrolment *what, const char *root)
{
    uint8_t seed[SIGN_SEED_LEN], public[SIGN_KEY_LEN];
    uint8_t *hash = arena_take(story_arena(story), HASH_LEN),
            *signature = arena_take(story_arena(story), SIGNATURE_LEN);
    struct buf message = BUF_EMPTY;
    struct value out = value_map();

    seed_of(root, seed);
    sign_public_key(seed, public);
    hash_bytes(slice_of(public, SIGN_KEY_LEN), hash);
    endorse_message(&message, what);
    sign_message(seed, buf_slice(&message), signature);
    buf_release(&message);
    value_set(story_arena(story), &out, "by", value_bin(hash, HASH_LEN));
    value_set(story_arena(story), &out, "signature", value_bin(signature, SIGNATURE_LEN));
    return out;
}

/* In another journal the same two roots gave finn's key to somebody who is called cleo there, or gave it to him; here it
 * would be cleo's, and finn would vote as her. */
static void an_enrolment_of_another_journal_or_person_is_found(void **state)
{
    static const char *const origins[] = {ORIGIN, "other.example/isms", ORIGIN};
    static const char *const people[] = {"cleo", "cleo", "finn"};
    struct story *story = with_one_vote();
    uint8_t seed[SIGN_SEED_LEN], *public = arena_take(story_arena(story), SIGN_KEY_LEN);

    (void)state;
    seed_of("cleo-second", seed);
    sign_public_key(seed, public);
    for (size_t i = 0; i < 3; i++) {
        struct forgery *forgery = forgery_begin(story);
        struct enrolment what = {.origin = slice_str(origins[i]),
                                 .person = slice_str(people[i]),
                                 .serial = 1,
                                 .key = public};
        struct leaf *leaf = forgery_add(forgery, "key.enrolled", "key/cleo", "amara",
                                        "{'person': 'cleo', 'serial': 1, 'endorsements': []}",
                                        "{'': {'changes': 2}, 'person/cleo': {}}");
        struct value list = value_array();

        value_push(story_arena(story), &list, endorsed(story, &what, "root-1"));
        value_push(story_arena(story), &list, endorsed(story, &what, "root-2"));
        forgery_set(forgery, &leaf->body, "endorsements", list);
        forgery_set(forgery, &leaf->body, "key", value_bin(public, SIGN_KEY_LEN));
        forgery_set(forgery, forgery_effect(forgery, leaf, "person/cleo"), "sign",
                    value_bin(public, SIGN_KEY_LEN));
        if (i == 0) {
            /* Genuine endorsements for just this: what is then found is the digest that was not computed anew. */
            forgery_is_found(&forgery, "DIRECTORY_DIGEST");
        } else {
            forgery_is_found(&forgery, "KEY_UNPROVEN");
        }
    }
    story_end(story);
}

/* ---- a delegation for another stage ---- */

#define APPROVAL "ask = [\"top_management\"]; need = \"record.version.endsWith('.0') ? 2 : 1\";"

static void a_delegation_for_another_stage_is_found(void **state)
{
    static const struct story_change stages[] = {
        {"document.cfg", APPROVAL,
         "stages = ( { name = \"board\"; ask = [\"top_management\"]; need = 2; },"
         " { name = \"house\"; ask = [\"doc_controller\"]; need = 1; after = []; } );"},
        {NULL, NULL, NULL}};
    static const char *const scopes[] = {"board", "house"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct story *story = story_begin_enrolled();
        struct question ballot;
        struct forgery *forgery;
        struct leaf *leaf;

        assert_done(story_install_agreed(story, "amara", "For good.", stages));
        assert_done(story_do(story, "amara", "open", NULL, policy));
        assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
        assert_done(
            story_sign(story, "cleo", "delegation.give", NULL,
                       arena_printf(story_arena(story),
                                    "{'to': 'finn', 'roles': ['%s'], 'reason': " STORY_REASON "}",
                                    scopes[i])));
        ballot = story_ballot(story, "cleo", "approve", "POL-0001");
        forgery = forgery_begin(story);
        leaf =
            forgery_add(forgery, "record.approve", ROUND "/finn", "finn", "{}",
                        "{'': {'vote': 'grant', 'for': 'cleo', 'delegation': 'DEL-0001'}, '" ROUND
                        "': {'votes': {'finn': 'grant'}, 'delegates': {'cleo': 'finn'}}}");
        leaf->body = value_copy(story_arena(story), ballot.args);
        forgery_set(forgery, &leaf->body, "for", value_str("cleo"));
        forgery_set(forgery, forgery_effect(forgery, leaf, ""), "digest",
                    *value_get(ballot.args, "digest"));
        forgery_sign(forgery, leaf, "finn");
        if (i == 0)
            forgery_holds(&forgery);
        else
            forgery_is_found(&forgery, "VOTE_PLACE");
        story_end(story);
    }
}

/* ---- another definition from the beginning ---- */

/* The founding pack, which nobody signed, was always the one that needs a single signature: in its entry, in its rows, in the record,
 * all by the right hashes, and its files are genuine. Whoever voted signed the digest of a record under the other. */
static void a_founding_pack_that_is_exchanged_is_found(void **state)
{
    static const struct story_change one_is_enough[] = {
        {"document.cfg", APPROVAL, "ask = [\"top_management\"]; need = 1;"}, {NULL, NULL, NULL}};
    struct story *story = with_one_vote();
    struct forgery *forgery;
    struct value weak, founding;
    char hex[2 * HASH_LEN + 1];
    struct leaf *leaf;

    (void)state;
    /* Proposed, so that its files are among the contents; nobody agreed. */
    assert_done(story_install(story, "amara", "Quicker.", one_is_enough));
    weak = value_copy(story_arena(story), story_args(story));
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "pack.installed", NULL, 1);
    founding = *value_get(&leaf->body, "digest");
    hex_encode(value_slice(&founding), hex);
    value_remove(&leaf->effects, slice_str(arena_printf(story_arena(story), "pack/%s", hex)));
    hex_encode(value_get_bin(&weak, "digest"), hex);
    forgery_set(forgery, &leaf->body, "digest", *value_get(&weak, "digest"));
    forgery_set(forgery, &leaf->body, "pack", *value_get(&weak, "pack"));
    assert_int_equal(leaf_contents(story_arena(story), &leaf->body, &leaf->content), 0);
    forgery_set(forgery, forgery_effect(forgery, leaf, ""), "current", *value_get(&weak, "digest"));
    forgery_set(forgery,
                forgery_effect(forgery, leaf, arena_printf(story_arena(story), "pack/%s", hex)),
                "pack", *value_get(&weak, "pack"));
    leaf = forgery_leaf(forgery, "record.open", NULL, 1);
    forgery_set(forgery, forgery_effect(forgery, leaf, ""), "pack", *value_get(&weak, "digest"));
    leaf = forgery_leaf(forgery, "record.submit", NULL, 1);
    forgery_set(forgery, forgery_effect(forgery, leaf, ROUND), "need", value_int(1));
    forgery_add(forgery, "record.approve", RECORD, "engine", "{}",
                "{'': {'state': 'approved', 'stage': 'approved', 'phase': null, 'round': null},"
                " '" ROUND "': {'state': 'granted', 'closed_ms': 1772438400000}}");
    forgery_is_found(&forgery, "ROUND_DIGEST");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ssh_signature_for_another_namespace_is_found),
        cmocka_unit_test(an_enrolment_of_another_journal_or_person_is_found),
        cmocka_unit_test(a_delegation_for_another_stage_is_found),
        cmocka_unit_test(a_founding_pack_that_is_exchanged_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
