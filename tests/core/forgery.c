/* forgery.c - a journal is rewritten by somebody who has everything but the keys of people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dmp.h"
#include "base/hash.h"
#include "core/forgery.h"
#include "core/story_proof.h"
#include "simulate/replay.h"
#include "wire/json.h"

enum { LEAVES_MAX = 256, DEPTH_MAX = 8, SAID_MAX = 65536 };

struct forgery {
    struct story *story;
    struct arena arena;
    struct leaf *leaves[LEAVES_MAX];
    size_t count;
    unsigned commands; /* made up */
};

struct forgery *forgery_begin(struct story *story)
{
    struct forgery *forgery = calloc(1, sizeof *forgery);

    assert_non_null(forgery);
    forgery->story = story;
    for (uint64_t seq = 0; seq < story_size(story); seq++) {
        struct leaf *leaf = arena_take(&forgery->arena, sizeof *leaf);
        struct slice raw = story_leaf_bytes(story, seq);

        assert_true(forgery->count < LEAVES_MAX);
        raw = slice_of(arena_copy(&forgery->arena, raw.at, raw.len), raw.len);
        assert_int_equal(leaf_decode(&forgery->arena, raw, leaf, NULL), 0);
        forgery->leaves[forgery->count++] = leaf;
    }
    return forgery;
}

static void end(struct forgery **forgery)
{
    arena_release(&(*forgery)->arena);
    free(*forgery);
    *forgery = NULL;
}

/* ---- looking and writing ---- */

struct leaf *forgery_leaf(struct forgery *forgery, const char *type, const char *stream, int nth)
{
    for (size_t i = 0; i < forgery->count; i++) {
        struct leaf *leaf = forgery->leaves[i];

        if (slice_is(leaf->type, type) && (stream == NULL || slice_is(leaf->stream, stream)) &&
            --nth == 0)
            return leaf;
    }
    fail_msg("there is no such leaf: %s on %s", type, stream != NULL ? stream : "any");
    return NULL;
}

struct value *forgery_effect(struct forgery *forgery, struct leaf *leaf, const char *row)
{
    if (leaf->effects.type != VALUE_MAP)
        leaf->effects = value_map();
    return value_sub(&forgery->arena, &leaf->effects, slice_str(arena_str(&forgery->arena, row)));
}

void forgery_set(struct forgery *forgery, struct value *map, const char *key, struct value value)
{
    value_set(&forgery->arena, map, arena_str(&forgery->arena, key), value);
}

struct value forgery_value(struct forgery *forgery, const char *text)
{
    char *json = arena_str(&forgery->arena, text);
    struct value value = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};

    for (char *at = json; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    if (json_to_value(&forgery->arena, slice_str(json), DEPTH_MAX, &value, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return value;
}

/* ---- entries ---- */

/* Numbers follow each other, in the journal and in each stream; causes are shifted with what they name. */
static void number(struct forgery *forgery)
{
    for (size_t i = 0; i < forgery->count; i++) {
        struct leaf *leaf = forgery->leaves[i];

        leaf->rev = 1;
        for (size_t k = 0; k < i; k++)
            leaf->rev += slice_equal(forgery->leaves[k]->stream, leaf->stream);
        leaf->seq = i;
        if (leaf->cause >= (int64_t)i)
            leaf->cause = (int64_t)i - 1;
    }
}

struct leaf *forgery_add(struct forgery *forgery, const char *type, const char *stream,
                         const char *actor, const char *body, const char *effects)
{
    struct leaf *leaf = arena_zero(&forgery->arena, sizeof *leaf);
    bool is_engine = strcmp(actor, "engine") == 0;
    static const uint8_t transport_key[32] = {3};

    assert_true(forgery->count > 0 && forgery->count < LEAVES_MAX);
    *leaf = (struct leaf){.time_us = forgery->leaves[forgery->count - 1]->time_us + 1000000,
                          .type = slice_str(type),
                          .stream = slice_str(stream),
                          .actor = slice_str(actor),
                          .auth_method = slice_str(is_engine ? "engine" : "curve"),
                          .cause = -1};
    if (!is_engine)
        leaf->auth_key = slice_of(transport_key, sizeof transport_key);
    memset(leaf->command_id, 0xf0, COMMAND_ID_LEN);
    leaf->command_id[0] = (uint8_t)++forgery->commands;
    leaf->body = forgery_value(forgery, body);
    leaf->effects = forgery_value(forgery, effects);
    assert_int_equal(leaf_contents(&forgery->arena, &leaf->body, &leaf->content), 0);
    forgery->leaves[forgery->count++] = leaf;
    number(forgery);
    return leaf;
}

void forgery_remove(struct forgery *forgery, const struct leaf *leaf)
{
    size_t at = 0;

    while (at < forgery->count && forgery->leaves[at] != leaf)
        at++;
    assert_true(at < forgery->count);
    for (forgery->count--; at < forgery->count; at++)
        forgery->leaves[at] = forgery->leaves[at + 1];
    number(forgery);
}

void forgery_move(struct forgery *forgery, struct leaf *leaf, const struct leaf *before)
{
    size_t to = 0;

    forgery_remove(forgery, leaf);
    while (to < forgery->count && forgery->leaves[to] != before)
        to++;
    assert_true(to > 0 && to < forgery->count);
    memmove(&forgery->leaves[to + 1], &forgery->leaves[to],
            (forgery->count - to) * sizeof forgery->leaves[0]);
    forgery->leaves[to] = leaf;
    forgery->count++;
    leaf->time_us = forgery->leaves[to - 1]->time_us;
    number(forgery);
}

/* ---- what the engine says of the directory ---- */

struct governing {
    struct value people; /* person/NAME: entry */
    uint8_t whole[HASH_LEN];
    struct slice pack;
};

static void fold_people(struct forgery *forgery, const struct leaf *leaf,
                        struct governing *governing)
{
    struct buf bytes = BUF_EMPTY;

    for (uint32_t i = 0; leaf->effects.type == VALUE_MAP && i < leaf->effects.count; i++) {
        const struct pair *patch = &leaf->effects.as.pairs[i];
        struct value *entry;

        if (!slice_starts(patch->key, "person/"))
            continue;
        entry = value_sub(&forgery->arena, &governing->people, patch->key);
        value_merge(&forgery->arena, entry, &patch->value);
    }
    buf_add_str(&bytes, "rota.directory/1\n");
    for (uint32_t i = 0; i < governing->people.count; i++)
        dmp_encode(&bytes, &governing->people.as.pairs[i].value);
    hash_bytes(buf_slice(&bytes), governing->whole);
    buf_release(&bytes);
}

static void settle_bin(struct forgery *forgery, struct value *map, const char *key,
                       struct slice bytes)
{
    if (map != NULL && value_get(map, key) != NULL)
        value_set(&forgery->arena, map, key,
                  value_bin(arena_copy(&forgery->arena, bytes.at, bytes.len), (uint32_t)bytes.len));
}

static struct value *part_of(struct value *map, const char *key)
{
    return map != NULL && map->type == VALUE_MAP && value_get(map, key) != NULL
               ? value_at(map, slice_str(key))
               : NULL;
}

static void settle_under(struct forgery *forgery, struct leaf *leaf,
                         const struct governing *governing)
{
    bool is_of_record = memchr(leaf->stream.at, '@', leaf->stream.len) != NULL;

    for (uint32_t i = 0; leaf->effects.type == VALUE_MAP && i < leaf->effects.count; i++) {
        struct value *row = &leaf->effects.as.pairs[i].value, *under = part_of(row, "under");

        if (under == NULL)
            under = part_of(part_of(row, "ended"), "under");
        settle_bin(forgery, under, "directory", slice_of(governing->whole, HASH_LEN));
        if (!is_of_record)
            settle_bin(forgery, under, "pack", governing->pack);
    }
}

void forgery_settle(struct forgery *forgery)
{
    struct governing governing = {.people = value_map()};

    for (size_t i = 0; i < forgery->count; i++) {
        struct leaf *leaf = forgery->leaves[i];
        bool is_own = slice_is(leaf->stream, "directory");

        settle_under(forgery, leaf, &governing);
        fold_people(forgery, leaf, &governing);
        settle_bin(forgery, part_of(&leaf->effects, is_own ? "" : "directory"), "whole",
                   slice_of(governing.whole, HASH_LEN));
        if (slice_is(leaf->type, "pack.installed"))
            governing.pack = value_get_bin(&leaf->body, "digest");
    }
}

void forgery_sign(struct forgery *forgery, struct leaf *leaf, const char *key)
{
    uint8_t seed[SIGN_SEED_LEN] = {0}, public[SIGN_KEY_LEN], hash[HASH_LEN];
    uint8_t *signature = arena_take(&forgery->arena, SIGNATURE_LEN);
    struct buf message = BUF_EMPTY;

    number(forgery);
    memcpy(seed, key, strlen(key));
    sign_public_key(seed, public);
    hash_bytes(slice_of(public, SIGN_KEY_LEN), hash);
    value_set(&forgery->arena, &leaf->body, "key",
              value_bin(arena_copy(&forgery->arena, hash, HASH_LEN), HASH_LEN));
    leaf_command_message(&message, slice_str("story.example/virtual"), leaf->command_id, leaf->type,
                         leaf->stream, leaf->rev - 1, leaf->actor, &leaf->body, &leaf->content);
    sign_message(seed, buf_slice(&message), signature);
    buf_release(&message);
    leaf->actor_sig = slice_of(signature, SIGNATURE_LEN);
}

/* ---- the verdict ---- */

/* Written as the engine would have; 0 if rota-verify says that it holds. */
static int judge(struct forgery *forgery, char said[SAID_MAX])
{
    struct memory memory = {0};
    int status;

    number(forgery);
    for (size_t i = 0; i < forgery->count; i++) {
        struct buf bytes = BUF_EMPTY;

        leaf_encode(&bytes, forgery->leaves[i]);
        memory_add_leaf(&memory, buf_slice(&bytes));
        replay_fold(&memory, forgery->leaves[i]);
        buf_release(&bytes);
    }
    memory.contents = story_memory(forgery->story)->contents;
    status = story_hear(&memory, said, SAID_MAX);
    memory.contents = (struct map){0};
    memory_release(&memory);
    return status;
}

void forgery_is_found(struct forgery **forgery, const char *code)
{
    char *said = calloc(1, SAID_MAX), wanted[80];
    int status;

    assert_non_null(said);
    status = judge(*forgery, said);
    snprintf(wanted, sizeof wanted, "ERROR   %s", code);
    if (status == 0 || strstr(said, wanted) == NULL)
        fail_msg("%s was not found:\n%s", code, said);
    free(said);
    end(forgery);
}

void forgery_holds(struct forgery **forgery)
{
    char *said = calloc(1, SAID_MAX);

    assert_non_null(said);
    if (judge(*forgery, said) != 0)
        fail_msg("rota-verify finds fault:\n%s", said);
    free(said);
    end(forgery);
}
