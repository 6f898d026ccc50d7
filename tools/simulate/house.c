/* house.c - the engine's core driven in memory. */
#include "simulate/house.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what is due ---- */

static void note_due(struct house *house, struct slice key, const struct value *row)
{
    int64_t at_ms = row != NULL ? core_due(row) : -1, *kept = map_get(&house->due, key);

    if (at_ms < 0) {
        free(map_remove(&house->due, key));
        return;
    }
    if (kept == NULL) {
        kept = malloc(sizeof *kept);
        check(kept != NULL);
        map_put(&house->due, key, kept);
    }
    *kept = at_ms;
}

int64_t house_first_due(struct house *house, int64_t until_ms, struct slice *key)
{
    const struct map_entry *entry;
    int64_t first = -1;
    size_t at = 0;

    while ((entry = map_next(&house->due, &at)) != NULL) {
        int64_t due = *(const int64_t *)entry->value;
        struct slice name = slice_of(entry->key, entry->key_len);

        if (due <= until_ms &&
            (first < 0 || due < first || (due == first && slice_compare(name, *key) < 0))) {
            first = due;
            *key = name;
        }
    }
    return first;
}

/* ---- asking ---- */

static void kept_row(void *self, struct slice key, const struct value *row, struct slice bytes)
{
    struct house *house = self;

    memory_changed(&house->memory, key, row, bytes);
    note_due(house, key, row);
    if (house->changed != NULL)
        house->changed(house->self, key, row, bytes);
}

struct question house_command(const char *who, const char *id, const char *command,
                              const char *record, const struct value *args)
{
    return (struct question){.kind = QUESTION_COMMAND,
                             .principal = slice_str(who),
                             .auth_method = slice_str("curve"),
                             .id = slice_str(id),
                             .command = slice_str(command),
                             .record = slice_str(record != NULL ? record : ""),
                             .if_revision = -1,
                             .args = args};
}

static struct question by_engine(enum question_kind kind)
{
    return (struct question){.kind = kind,
                             .principal = slice_str("engine"),
                             .auth_method = slice_str("engine"),
                             .if_revision = -1};
}

struct question house_waking(struct slice key)
{
    struct question question = by_engine(QUESTION_WAKE);

    question.key = key;
    return question;
}

/* The same question at the same place of the journal has the same salt. */
static void salt_of(uint64_t seq, uint8_t salt[QUESTION_SALT_LEN])
{
    char text[32];

    snprintf(text, sizeof text, "salt of %llu", (unsigned long long)seq);
    hash_bytes(slice_str(text), salt);
}

/* Replies and events are made of what a run says of its leaves: it has to be what their bytes say. */
static void check_leaf(const struct run_leaf *made)
{
    struct arena arena = ARENA_EMPTY;
    struct buf again = BUF_EMPTY;
    struct leaf read;

    check(leaf_decode(&arena, made->bytes, &read, NULL) == 0);
    leaf_encode(&again, &made->leaf);
    check(slice_equal(buf_slice(&again), made->bytes));
    buf_release(&again);
    arena_release(&arena);
}

int house_ask(struct house *house, struct question *question, struct run *run, struct error *err)
{
    uint8_t salt[QUESTION_SALT_LEN];

    question->seq = house->memory.leaf_count;
    question->now_us = house->now_us;
    salt_of(question->seq, salt);
    question->salt = slice_of(salt, sizeof salt);
    if (core_decide(house->core, question, run) != 0)
        return error_set(err, ERROR_IO, "the shelf could not be read");
    for (int i = 0; i < run->leaf_count; i++) {
        check_leaf(&run->leaves[i]);
        memory_add_leaf(&house->memory, run->leaves[i].bytes);
    }
    memory_add_contents(&house->memory, &run->contents);
    for (uint32_t i = 0; i < run->erased.count; i++)
        memory_erase_content(&house->memory, value_slice(&run->erased.as.items[i]));
    if (house->seen != NULL)
        house->seen(house->self, question, run);
    if (run->leaf_count > 0)
        core_keep(house->core, kept_row, house);
    else
        core_drop(house->core);
    return 0;
}

static void copy_answer(struct arena *arena, const struct run *run, struct house_answer *answer)
{
    *answer = (struct house_answer){.status = 200, .reply = value_map()};
    answer->leaf_count = run->leaf_count;
    if (run->is_refused) {
        answer->status = run->refusal.status;
        snprintf(answer->code, sizeof answer->code, "%s", run->refusal.code);
        snprintf(answer->sentence, sizeof answer->sentence, "%s", run->refusal.sentence);
        return;
    }
    if (run->leaf_count > 0)
        answer->reply = core_reply(arena, run->leaves, run->leaf_count);
}

static void take_follows(struct arena *arena, const struct run *run, struct value *follows)
{
    for (uint32_t i = 0; i < run->follows.count; i++)
        value_push(arena, follows, value_copy(arena, &run->follows.as.items[i]));
}

int house_play(struct house *house, struct question *question, struct arena *arena,
               struct house_answer *answer, struct error *err)
{
    struct value follows = value_array();
    struct run run;

    if (house_ask(house, question, &run, err) != 0)
        return -1;
    copy_answer(arena, &run, answer);
    take_follows(arena, &run, &follows);
    for (uint32_t i = 0; i < follows.count; i++) {
        struct question follow = by_engine(QUESTION_FOLLOW);

        follow.follow = &follows.as.items[i];
        if (i == HOUSE_FOLLOWS_MAX)
            return error_set(err, ERROR_INPUT, "more than %d questions follow from one",
                             HOUSE_FOLLOWS_MAX);
        if (house_ask(house, &follow, &run, err) != 0)
            return -1;
        if (run.is_refused && !house->may_park)
            return error_set(err, ERROR_INPUT, "what followed was refused: %s: %s",
                             run.refusal.code, run.refusal.sentence);
        take_follows(arena, &run, &follows);
    }
    return 0;
}

int house_query(struct house *house, const char *who, const char *name, const struct value *args,
                struct value *out, struct house_answer *answer)
{
    struct core_query query = {.name = slice_str(name),
                               .principal = slice_str(who),
                               .args = args != NULL ? *args : value_map(),
                               .now_us = house->now_us,
                               .leaf = memory_leaf,
                               .self = &house->memory,
                               .size = house->memory.leaf_count};
    struct refusal refusal = {0};

    *answer = (struct house_answer){.status = 200, .reply = value_map()};
    if (query_answer(house->core, &query, out, &refusal) == 0)
        return 0;
    answer->status = refusal.status;
    snprintf(answer->code, sizeof answer->code, "%s", refusal.code);
    snprintf(answer->sentence, sizeof answer->sentence, "%s", refusal.sentence);
    return -1;
}

/* ---- signing ---- */

static void put_hash(struct arena *arena, struct value *args, const char *key, struct slice bytes)
{
    uint8_t *hash = arena_take(arena, HASH_LEN);

    hash_bytes(bytes, hash);
    value_set(arena, args, key, value_bin(hash, HASH_LEN));
}

static struct value *signed_args(struct arena *arena, const struct value *prepared,
                                 const struct value *args, const uint8_t key[SIGN_KEY_LEN])
{
    static const char *const parts[] = {"meaning", "digest", "round", "number", "under"};
    struct value *all = arena_take(arena, sizeof *all);

    *all = value_copy(arena, args);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (value_get(prepared, parts[i]) != NULL && value_get(all, parts[i]) == NULL)
            value_set(arena, all, parts[i], value_copy(arena, value_get(prepared, parts[i])));
    }
    put_hash(arena, all, "key", slice_of(key, SIGN_KEY_LEN));
    put_hash(arena, all, "statement", value_get_text(prepared, "statement"));
    return all;
}

static struct slice signed_over(struct arena *arena, const struct value *prepared,
                                struct slice origin, const struct question *question,
                                const struct value *args, const uint8_t seed[SIGN_SEED_LEN])
{
    uint8_t id[COMMAND_ID_LEN], *signature = arena_take(arena, SIGNATURE_LEN);
    struct buf message = BUF_EMPTY;
    struct value content;

    hash_command_id(question->principal, question->id, id);
    check(leaf_contents(arena, args, &content) == 0);
    leaf_command_message(
        &message, origin, id, value_get_text(prepared, "type"), value_get_text(prepared, "stream"),
        (uint64_t)value_get_int(prepared, "rev", 0), question->principal, args, &content);
    sign_message(seed, buf_slice(&message), signature);
    buf_release(&message);
    return slice_of(signature, SIGNATURE_LEN);
}

/* What goes together with the record, each signed over its own content. */
static struct value signed_also(struct arena *arena, const struct value *prepared,
                                const struct question *question, const uint8_t key[SIGN_KEY_LEN],
                                const uint8_t seed[SIGN_SEED_LEN])
{
    const struct value *parts = value_get(prepared, "also");
    struct value also = value_array();

    for (uint32_t i = 0; value_is(parts, VALUE_ARRAY) && i < parts->count; i++) {
        const struct value *part = &parts->as.items[i];
        struct value one = value_map(), said = value_map(), *args;
        struct slice signature;

        if (value_get(question->args, "reason") != NULL)
            value_set(arena, &said, "reason", *value_get(question->args, "reason"));
        if (value_get(question->args, "for") != NULL)
            value_set(arena, &said, "for", *value_get(question->args, "for"));
        args = signed_args(arena, part, &said, key);
        signature =
            signed_over(arena, part, value_get_text(prepared, "origin"), question, args, seed);
        value_set(arena, &one, "record", value_copy(arena, value_get(part, "record")));
        value_set(arena, &one, "args", *args);
        value_set(arena, &one, "signature", value_bin(signature.at, signature.len));
        value_push(arena, &also, one);
    }
    return also;
}

int house_sign(struct house *house, struct arena *arena, struct question *question,
               const uint8_t key[SIGN_KEY_LEN], const uint8_t seed[SIGN_SEED_LEN],
               struct house_answer *answer)
{
    /* What the sentence depends on. */
    static const char *const parts[] = {"for", "rule", "person", "waiver", "proposal", "to",
                                        "of",  "from", "until",  "kinds",  "roles",    "onward"};
    char *who = arena_copy(arena, question->principal.at, question->principal.len);
    struct value asked = value_map(), prepared, also, *args;

    value_set(arena, &asked, "record", value_text(question->record));
    value_set(arena, &asked, "event", value_text(question->command));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (value_get(question->args, parts[i]) != NULL)
            value_set(arena, &asked, parts[i], *value_get(question->args, parts[i]));
    }
    if (house_query(house, who, "prepare", &asked, &prepared, answer) != 0)
        return -1;
    prepared = value_copy(arena, &prepared);
    also = signed_also(arena, &prepared, question, key, seed);
    args = arena_take(arena, sizeof *args);
    *args = value_copy(arena, question->args);
    if (also.count > 0 && value_get(args, "also") == NULL)
        value_set(arena, args, "also", also);
    question->args = args;
    if (!value_get_bool(&prepared, "needs_signature", true))
        return 0;
    question->args = signed_args(arena, &prepared, args, key);
    question->signature = signed_over(arena, &prepared, value_get_text(&prepared, "origin"),
                                      question, question->args, seed);
    return 0;
}

int house_agreement(struct house *house, struct arena *arena, const char *who, int64_t number,
                    struct question *out, struct house_answer *answer)
{
    struct value asked = value_map(), prepared, *args = arena_take(arena, sizeof *args);
    const char *record = NULL;
    struct slice command;

    value_set(arena, &asked, "proposal", value_int(number));
    if (house_query(house, who, "prepare", &asked, &prepared, answer) != 0)
        return -1;
    *args = value_copy(arena, value_get(&prepared, "args"));
    command = value_get_text(&prepared, "command");
    if (value_get(&prepared, "record") != NULL)
        record = arena_copy(arena, value_get_text(&prepared, "record").at,
                            value_get_text(&prepared, "record").len);
    *out = house_command(who, "", arena_copy(arena, command.at, command.len), record, args);
    return 0;
}

/* ---- beginning and end ---- */

void house_init(struct house *house, int64_t now_us)
{
    struct shelf shelf;

    *house = (struct house){.now_us = now_us};
    shelf = memory_shelf(&house->memory);
    house->core = core_new(&shelf);
}

const uint8_t house_log_seed[SIGN_SEED_LEN] = "the log key of every house";

void house_open(struct house *house, const char *origin, const char *timezone)
{
    struct value none = value_array();

    house_open_rooted(house, origin, timezone, &none);
}

void house_open_rooted(struct house *house, const char *origin, const char *timezone,
                       const struct value *root_keys)
{
    struct arena arena = ARENA_EMPTY;
    struct value facts = value_map();
    uint8_t log_key[SIGN_KEY_LEN];
    struct leaf leaf = {.time_us = house->now_us,
                        .type = slice_str("journal.opened"),
                        .stream = slice_str("journal"),
                        .actor = slice_str("engine"),
                        .rev = 1,
                        .auth_method = slice_str("engine"),
                        .cause = -1,
                        .effects = value_map()};
    struct buf bytes = BUF_EMPTY;

    value_set(&arena, &facts, "origin", value_str(origin));
    value_set(&arena, &facts, "clock", value_str("virtual"));
    value_set(&arena, &facts, "format", value_str(LEAF_TAG));
    sign_public_key(house_log_seed, log_key);
    value_set(&arena, &facts, "root_keys", *root_keys);
    value_set(&arena, &facts, "log_key", value_bin(log_key, SIGN_KEY_LEN));
    value_set(&arena, &facts, "timezone", value_str(timezone));
    leaf.body = facts;
    hash_command_id(slice_str("engine"), slice_str("journal.opened"), leaf.command_id);
    value_set(&arena, &leaf.effects, "", facts);
    leaf_encode(&bytes, &leaf);
    memory_add_leaf(&house->memory, buf_slice(&bytes));
    core_fold(house->core, &leaf, kept_row, house);
    buf_release(&bytes);
    arena_release(&arena);
}

void house_release(struct house *house)
{
    const struct map_entry *entry;
    size_t at = 0;

    core_free(&house->core);
    memory_release(&house->memory);
    while ((entry = map_next(&house->due, &at)) != NULL)
        free(entry->value);
    map_release(&house->due);
}

/* ---- looking and putting away ---- */

bool house_row(const struct house *house, struct arena *arena, struct slice key, struct value *out)
{
    const struct buf *row = memory_row(&house->memory, key);
    char *own;

    if (row == NULL)
        return false;
    own = arena_copy(arena, row->at, row->len);
    check(dmp_decode_large(arena, slice_of(own, row->len), UINT32_MAX, out, NULL) == 0);
    return true;
}

struct value house_content(struct house *house, struct arena *arena, const uint8_t salt[16],
                           struct slice text)
{
    uint8_t *hash = arena_take(arena, HASH_LEN);
    struct value reference = value_map();

    memory_add_content(&house->memory, salt, text, hash);
    value_set(arena, &reference, "content", value_bin(hash, HASH_LEN));
    value_set(arena, &reference, "size", value_int((int64_t)text.len));
    return reference;
}
