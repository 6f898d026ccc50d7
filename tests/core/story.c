/* story.c - an organisation in memory, driven through core_decide(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "core/endorse.h"
#include "core/story.h"
#include "core/story_client.h"
#include "core/story_people.h"
#include "core/story_proof.h"
#include "definition/pack.h"
#include "simulate/house.h"
#include "simulate/replay.h"
#include "wire/json.h"

enum { DEPTH_MAX = 8, WAKES_MAX = 1000, ROLES_MAX = 4 };

#define ORIGIN "story.example/virtual"

struct story {
    struct house house;
    /* Asked the same, it must answer the same; and it forgets everything before each question, as after a restart. */
    bool has_client; /* commands are made as `rota` makes them (story_client.h) */
    struct core *twin;
    struct memory twin_memory;
    struct arena arena;
    const char *folder; /* of the pack that it began with */
    int ids, beyond, asked;
    struct house_answer answer; /* the last; its memory is of the arena */
    /* The last command, to say it again. */
    struct question question;
    uint64_t first_seq;
};

static const struct {
    const char *name, *kind, *roles[ROLES_MAX], *manager;
} people[] = {
    {"amara", "person", {"isms_manager", "process_owner"}, NULL},
    {"bo", "person", {"top_management"}, NULL},
    {"cleo", "person", {"top_management"}, NULL},
    {"dana", "person", {"internal_auditor"}, NULL},
    {"eve", "person", {"doc_controller", "employee", "comms_owner", "training_coordinator"}, NULL},
    {"finn", "person", {"employee"}, "eve"},
    {"gwen", "person", {"legal_compliance", "risk_owner"}, NULL},
    {"post", "worker", {NULL}, NULL},
};

static const uint8_t *seed_of(struct story *story, const char *who)
{
    uint8_t *seed = arena_zero(&story->arena, SIGN_SEED_LEN);

    memcpy(seed, who, strlen(who));
    return seed;
}

/* ---- asking the core ---- */

static void ask_twin(void *self, const struct question *question, const struct run *run)
{
    struct story *story = self;
    struct run same;

    story->asked++;
    core_forget(story->twin);
    assert_int_equal(core_decide(story->twin, question, &same), 0);
    assert_int_equal(same.is_refused, run->is_refused);
    assert_int_equal(same.is_beyond, run->is_beyond);
    story->beyond += run->is_beyond ? 1 : 0;
    assert_int_equal(same.leaf_count, run->leaf_count);
    for (int i = 0; i < run->leaf_count; i++) {
        assert_true(slice_equal(same.leaves[i].bytes, run->leaves[i].bytes));
        memory_add_leaf(&story->twin_memory, same.leaves[i].bytes);
    }
    assert_true(value_equal(&same.contents, &run->contents));
    memory_add_contents(&story->twin_memory, &same.contents);
    assert_true(value_equal(&same.follows, &run->follows));
    assert_true(value_equal(&same.offers, &run->offers));
    if (same.leaf_count > 0)
        core_keep(story->twin, memory_changed, &story->twin_memory);
    else
        core_drop(story->twin);
}

/* One question, and all that follows from it. */
static void play(struct story *story, struct question *question)
{
    struct error err = {ERROR_NONE, ""};

    if (house_play(&story->house, question, &story->arena, &story->answer, &err) != 0)
        print_error("%s\n", err.text);
    assert_int_equal(err.class, ERROR_NONE);
}

static struct value *said(struct story *story, const char *args)
{
    struct value *value = arena_take(&story->arena, sizeof *value);
    char *text = arena_str(&story->arena, args != NULL ? args : "{}");
    struct error err = {ERROR_NONE, ""};

    for (char *at = text; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    if (json_to_value(&story->arena, slice_str(text), DEPTH_MAX, value, &err) != 0)
        print_error("%s: %s\n", text, err.text);
    assert_int_equal(err.class, ERROR_NONE);
    return value;
}

static struct question command_of(struct story *story, const char *who, const char *event,
                                  const char *record, struct value *args)
{
    const char *id = arena_printf(&story->arena, "story-command-%06d", ++story->ids);

    if (story->has_client)
        client_put_up(story, event, record, args);
    return house_command(who, id, event, record, args);
}

static int give(struct story *story, struct question *question)
{
    story->question = *question;
    story->first_seq = story_size(story);
    play(story, question);
    return story->answer.status;
}

void story_may_park(struct story *story)
{
    story->house.may_park = true;
}

int story_do(struct story *story, const char *who, const char *event, const char *record,
             const char *args)
{
    struct question question = command_of(story, who, event, record, said(story, args));

    return give(story, &question);
}

int story_do_scribbled(struct story *story, const char *who, const char *event, const char *record,
                       const char *args)
{
    static const uint8_t scribble[SIGNATURE_LEN] = {7};
    struct question question = command_of(story, who, event, record, said(story, args));

    question.signature = slice_of(scribble, sizeof scribble);
    return give(story, &question);
}

bool story_is_repetition(struct story *story)
{
    struct slice raw = buf_slice(&story->house.memory.leaves[story->first_seq]);
    struct leaf leaf;

    assert_int_equal(leaf_decode(&story->arena, raw, &leaf, NULL), 0);
    return core_is_same_command(&story->question, &leaf);
}

/* ---- signing ---- */

static int sign_with(struct story *story, const char *who, const char *key_of, const char *event,
                     const char *record, const char *args)
{
    struct question question = command_of(story, who, event, record, said(story, args));
    uint8_t key[SIGN_KEY_LEN];

    sign_public_key(seed_of(story, who), key);
    if (house_sign(&story->house, &story->arena, &question, key, seed_of(story, key_of),
                   &story->answer) != 0)
        print_error("%s\n", story->answer.sentence);
    assert_int_equal(story->answer.status, 200);
    return give(story, &question);
}

struct question story_signed(struct story *story, const char *who, const char *key_of,
                             const char *event, const char *record, const char *args)
{
    struct question question = command_of(story, who, event, record, said(story, args));
    uint8_t *key = arena_take(&story->arena, SIGN_KEY_LEN);

    sign_public_key(seed_of(story, who), key);
    assert_int_equal(house_sign(&story->house, &story->arena, &question, key,
                                seed_of(story, key_of), &story->answer),
                     0);
    return question;
}

struct question story_ballot(struct story *story, const char *who, const char *event,
                             const char *record)
{
    return story_signed(story, who, who, event, record, NULL);
}

int story_cast(struct story *story, struct question *ballot)
{
    return give(story, ballot);
}

int story_sign(struct story *story, const char *who, const char *event, const char *record,
               const char *args)
{
    return sign_with(story, who, who, event, record, args);
}

int story_sign_by(struct story *story, const char *who, const char *key, const char *event,
                  const char *record)
{
    struct question question = command_of(story, who, event, record, said(story, NULL));
    uint8_t public[SIGN_KEY_LEN];

    sign_public_key(seed_of(story, key), public);
    assert_int_equal(house_sign(&story->house, &story->arena, &question, public,
                                seed_of(story, key), &story->answer),
                     0);
    return give(story, &question);
}

int story_agree_by(struct story *story, const char *who, const char *key_of, int64_t proposal,
                   const char *args)
{
    const struct value *more = said(story, args);
    struct value *all = arena_take(&story->arena, sizeof *all);
    struct question question;
    uint8_t key[SIGN_KEY_LEN];

    if (house_agreement(&story->house, &story->arena, who, proposal, &question, &story->answer) !=
        0)
        return story->answer.status;
    *all = value_copy(&story->arena, question.args);
    value_merge(&story->arena, all, more);
    question = command_of(
        story, who, arena_copy(&story->arena, question.command.at, question.command.len),
        question.record.len > 0 ? arena_copy(&story->arena, question.record.at, question.record.len)
                                : NULL,
        all);
    sign_public_key(seed_of(story, who), key);
    if (key_of != NULL)
        (void)house_sign(&story->house, &story->arena, &question, key, seed_of(story, key_of),
                         &story->answer);
    return give(story, &question);
}

int story_agree(struct story *story, const char *who, int64_t proposal, const char *args)
{
    return story_agree_by(story, who, who, proposal, args);
}

/* Whoever may agrees to what was just proposed; what was not proposed but done needs nobody. */
static int agreed(struct story *story, int status)
{
    static const char *const seconds[] = {"bo", "cleo", "amara"};
    int64_t number = value_get_int(&story->answer.reply, "proposal", 0);

    for (size_t i = 0; status == 200 && number > 0 && i < sizeof seconds / sizeof seconds[0]; i++) {
        const char *args = arena_printf(&story->arena, "{'proposal': %lld}", (long long)number);

        if (story_ask_status(story, seconds[i], "proposals", args) == 200 &&
            value_get_bool(&story->answer.reply, "may_agree", false))
            return story_agree(story, seconds[i], number, NULL);
    }
    return status;
}

int story_put_people(struct story *story, const char *who, const char *args)
{
    return agreed(story, story_do(story, who, "directory.install", NULL, args));
}

int story_install_agreed(struct story *story, const char *who, const char *reason,
                         const struct story_change *changes)
{
    return agreed(story, story_install(story, who, reason, changes));
}

static struct value endorsement(struct story *story, const struct enrolment *what, const char *by)
{
    uint8_t *hash = arena_take(&story->arena, HASH_LEN), key[SIGN_KEY_LEN];
    uint8_t *signature = arena_take(&story->arena, SIGNATURE_LEN);
    struct buf message = BUF_EMPTY;
    struct value out = value_map();

    endorse_message(&message, what);
    sign_message(seed_of(story, by), buf_slice(&message), signature);
    buf_release(&message);
    sign_public_key(seed_of(story, by), key);
    hash_bytes(slice_of(key, SIGN_KEY_LEN), hash);
    value_set(&story->arena, &out, "by", value_bin(hash, HASH_LEN));
    value_set(&story->arena, &out, "signature", value_bin(signature, SIGNATURE_LEN));
    return out;
}

int story_enrol(struct story *story, const char *person, const char *key, int64_t serial,
                const char *endorsers)
{
    uint8_t *public = arena_take(&story->arena, SIGN_KEY_LEN);
    struct enrolment what = {
        .origin = slice_str(ORIGIN), .person = slice_str(person), .serial = serial, .key = public};
    struct value *args = arena_take(&story->arena, sizeof *args), list = value_array();
    char *rest = arena_str(&story->arena, endorsers), *by;
    struct question question;

    sign_public_key(seed_of(story, key), public);
    while ((by = strsep(&rest, " ")) != NULL)
        value_push(&story->arena, &list, endorsement(story, &what, by));
    *args = value_map();
    /* In the order of their names, as they come from the wire. */
    value_set(&story->arena, args, "endorsements", list);
    value_set(&story->arena, args, "key", value_bin(public, SIGN_KEY_LEN));
    value_set(&story->arena, args, "person", value_str(person));
    value_set(&story->arena, args, "serial", value_int(serial));
    question = command_of(story, "amara", "key.enrol", NULL, args);
    return give(story, &question);
}

int story_sign_forged(struct story *story, const char *who, const char *key_of, const char *event,
                      const char *record)
{
    return sign_with(story, who, key_of, event, record, NULL);
}

int story_sign_stale(struct story *story, const char *who, const char *event, const char *record)
{
    return story_sign(story, who, event, record,
                      "{'digest': 'hex:"
                      "0000000000000000000000000000000000000000000000000000000000000000'}");
}

int story_sign_round(struct story *story, const char *who, const char *event, const char *record,
                     int64_t round)
{
    return story_sign(story, who, event, record,
                      arena_printf(&story->arena, "{'round': %lld}", (long long)round));
}

/* ---- time ---- */

static int64_t moment_us(const char *moment)
{
    int64_t ms;

    assert_int_equal(moment_parse(slice_str(moment), &ms), 0);
    return ms * 1000;
}

void story_at(struct story *story, const char *moment)
{
    int64_t us = moment_us(moment);

    assert_true(us >= story->house.now_us);
    story->house.now_us = us;
}

static void wake_until(struct story *story, int64_t until_us)
{
    struct slice key;
    int64_t due;

    for (int i = 0; (due = house_first_due(&story->house, until_us / 1000, &key)) >= 0; i++) {
        const char *own = arena_copy(&story->arena, key.at, key.len);
        struct question question = house_waking(slice_of(own, key.len));

        if (due * 1000 > story->house.now_us)
            story->house.now_us = due * 1000;
        play(story, &question);
        if (story->answer.leaf_count == 0 || i >= WAKES_MAX)
            print_error("%s was woken and nothing came of it\n", own);
        assert_true(story->answer.leaf_count > 0 && i < WAKES_MAX);
    }
    story->house.now_us = until_us;
}

void story_until(struct story *story, const char *moment)
{
    assert_true(moment_us(moment) >= story->house.now_us);
    wake_until(story, moment_us(moment));
}

void story_pass(struct story *story, int days)
{
    wake_until(story, story->house.now_us + (int64_t)days * 86400 * 1000000);
}

void story_wake(struct story *story)
{
    wake_until(story, story->house.now_us);
}

int story_beyond(struct story *story)
{
    int beyond = story->beyond;

    story->beyond = 0;
    return beyond;
}

int story_asked(struct story *story)
{
    return story->asked;
}

int story_follow(struct story *story, const char *follow)
{
    struct question question = {.kind = QUESTION_FOLLOW,
                                .principal = slice_str("engine"),
                                .auth_method = slice_str("engine"),
                                .if_revision = -1,
                                .follow = said(story, follow)};

    play(story, &question);
    return story->answer.status;
}

int story_tell_refusals(struct story *story, const char *args)
{
    struct question question = {.kind = QUESTION_COUNTED,
                                .principal = slice_str("engine"),
                                .auth_method = slice_str("engine"),
                                .if_revision = -1,
                                .args = said(story, args)};

    play(story, &question);
    return story->answer.status;
}

int story_settle(struct story *story, int64_t task, int status, int64_t until_ms)
{
    const struct value *given = story_task_given(story, task);
    struct question question = {
        .kind = QUESTION_SETTLE,
        .principal = slice_str("post"),
        .auth_method = slice_str("curve"),
        .id = slice_str(arena_printf(&story->arena, "T1.%lld.%06d", (long long)task, ++story->ids)),
        .if_revision = -1,
        .task = task,
        .attempt = given != NULL ? (int)value_get_int(given, "attempt", 1) : 1,
        .status = status,
        .note = slice_str(status == 200 ? "" : "it did not work"),
        .until_ms = until_ms};

    play(story, &question);
    return story->answer.status;
}

/* ---- looking ---- */

int story_ask_status(struct story *story, const char *who, const char *name, const char *args)
{
    struct value out = VALUE_NONE;

    if (house_query(&story->house, who, name, said(story, args), &out, &story->answer) == 0)
        story->answer.reply = value_copy(&story->arena, &out);
    return story->answer.status;
}

const struct value *story_ask(struct story *story, const char *who, const char *name,
                              const char *args)
{
    struct value *answer = arena_take(&story->arena, sizeof *answer);

    assert_done(story_ask_status(story, who, name, args));
    *answer = story->answer.reply;
    return answer;
}

const struct value *story_args(const struct story *story)
{
    return story->question.args;
}

const char *story_code(const struct story *story)
{
    return story->answer.code;
}

const char *story_sentence(const struct story *story)
{
    return story->answer.sentence;
}

const char *story_reply(struct story *story, const char *key)
{
    return value_get_str(&story->answer.reply, key, "", &story->arena);
}

uint64_t story_size(const struct story *story)
{
    return story->house.memory.leaf_count;
}

struct leaf story_leaf(struct story *story, uint64_t seq)
{
    const struct memory *memory = &story->house.memory;
    struct leaf leaf;

    assert_true(seq < memory->leaf_count);
    assert_int_equal(leaf_decode(&story->arena, buf_slice(&memory->leaves[seq]), &leaf, NULL), 0);
    return leaf;
}

struct slice story_leaf_bytes(const struct story *story, uint64_t seq)
{
    assert_true(seq < story->house.memory.leaf_count);
    return buf_slice(&story->house.memory.leaves[seq]);
}

const struct memory *story_memory(const struct story *story)
{
    return &story->house.memory;
}

const char *story_leaf_type(struct story *story, int back)
{
    struct leaf leaf = story_leaf(story, story->house.memory.leaf_count - 1 - (uint64_t)back);

    return arena_copy(&story->arena, leaf.type.at, leaf.type.len);
}

static const char *as_text(struct story *story, const struct value *value)
{
    if (value == NULL)
        return "";
    if (value->type == VALUE_STR)
        return arena_copy(&story->arena, value->as.text, value->count);
    return value_show(&story->arena, value);
}

static const struct value *page_of(struct story *story, const char *who, const char *record)
{
    return story_ask(story, who, "show", arena_printf(&story->arena, "{'record': '%s'}", record));
}

const char *story_fact(struct story *story, const char *record, const char *key)
{
    return as_text(story, value_get(page_of(story, "amara", record), key));
}

const char *story_field(struct story *story, const char *record, const char *field)
{
    return as_text(story, value_get(value_get(page_of(story, "amara", record), "fields"), field));
}

bool story_may(struct story *story, const char *who, const char *record, const char *event)
{
    return value_has_text(value_get(page_of(story, who, record), "next_events"), slice_str(event));
}

static const struct value *tasks_of(struct story *story, const char *service, const char *record)
{
    struct value *tasks = arena_take(&story->arena, sizeof *tasks);
    const struct value *all = story_ask(story, "amara", "tasks", "{}");

    *tasks = value_array();
    for (uint32_t i = 0; i < all->count; i++) {
        const struct value *task = &all->as.items[i];

        if ((service == NULL || slice_is(value_get_text(task, "service"), service)) &&
            (record == NULL || slice_is(value_get_text(task, "record"), record)))
            value_push(&story->arena, tasks, *task);
    }
    return tasks;
}

int64_t story_task(struct story *story, const char *service, const char *record)
{
    const struct value *tasks = tasks_of(story, service, record);

    return tasks->count > 0 ? value_get_int(&tasks->as.items[0], "task", -1) : -1;
}

int story_task_count(struct story *story, const char *service, const char *record)
{
    return (int)tasks_of(story, service, record)->count;
}

const struct value *story_task_given(struct story *story, int64_t task)
{
    struct value *given = arena_take(&story->arena, sizeof *given), out;

    if (!core_task(story->house.core, task, &out))
        return NULL;
    *given = value_copy(&story->arena, &out);
    core_drop(story->house.core);
    return given;
}

const struct value *story_row(struct story *story, const char *key)
{
    struct value *value = arena_take(&story->arena, sizeof *value);

    return house_row(&story->house, &story->arena, slice_str(key), value) ? value : NULL;
}

static const uint8_t content_salt[16] = {7};

bool story_has_content(struct story *story, const char *text)
{
    uint8_t hash[HASH_LEN];

    hash_content(content_salt, slice_str(text), hash);
    return map_get(&story->house.memory.contents, slice_of(hash, HASH_LEN)) != NULL;
}

bool story_keeps(struct story *story, const char *hex)
{
    uint8_t hash[HASH_LEN];

    assert_int_equal(hex_decode(hex, hash, HASH_LEN), 0);
    return map_get(&story->house.memory.contents, slice_of(hash, HASH_LEN)) != NULL;
}

const char *story_hash(struct story *story, const char *text)
{
    uint8_t hash[HASH_LEN];
    char *hex = arena_take(&story->arena, 2 * HASH_LEN + 1);

    hash_content(content_salt, slice_str(text), hash);
    hex_encode(slice_of(hash, HASH_LEN), hex);
    return hex;
}

const char *story_put_up(struct story *story, struct slice bytes)
{
    struct value kept = house_content(&story->house, &story->arena, content_salt, bytes);
    char *hex = arena_take(&story->arena, 2 * HASH_LEN + 1);
    uint8_t hash[HASH_LEN];

    memory_add_content(&story->twin_memory, content_salt, bytes, hash);
    hex_encode(value_get_bin(&kept, "content"), hex);
    return hex;
}

const char *story_content(struct story *story, const char *text)
{
    return story_put_up(story, slice_str(text));
}

static struct value content_of(struct story *story, const char *text)
{
    uint8_t *hash = arena_take(&story->arena, HASH_LEN);
    struct value ref = value_map();

    hex_decode(story_content(story, text), hash, HASH_LEN);
    value_set(&story->arena, &ref, "content", value_bin(hash, HASH_LEN));
    value_set(&story->arena, &ref, "size", value_int((int64_t)strlen(text)));
    return ref;
}

bool story_has_row(struct story *story, const char *key)
{
    return memory_row(&story->house.memory, slice_str(key)) != NULL;
}

struct core *story_core(struct story *story)
{
    return story->house.core;
}

struct arena *story_arena(struct story *story)
{
    return &story->arena;
}

/* ---- beginning and end ---- */

static void open_journal(struct story *story, bool rooted)
{
    static const char *const names[] = {"root-1", "root-2"};
    struct value roots = value_array();
    struct leaf leaf;

    for (int i = 0; i < 2 && rooted; i++) {
        uint8_t *key = arena_take(&story->arena, SIGN_KEY_LEN);

        sign_public_key(seed_of(story, names[i]), key);
        value_push(&story->arena, &roots, value_bin(key, SIGN_KEY_LEN));
    }
    house_open_rooted(&story->house, ORIGIN, "UTC", &roots);
    memory_add_leaf(&story->twin_memory, buf_slice(&story->house.memory.leaves[0]));
    assert_int_equal(
        leaf_decode(&story->arena, buf_slice(&story->twin_memory.leaves[0]), &leaf, NULL), 0);
    core_fold(story->twin, &leaf, memory_changed, &story->twin_memory);
}

void story_put(struct story *story, const struct value *effects)
{
    const struct value *row = story_row(story, "test/put");
    struct leaf leaf = {.seq = story_size(story),
                        .time_us = story->house.now_us,
                        .type = slice_str("test.put"),
                        .stream = slice_str("test/put"),
                        .rev = (uint64_t)value_get_int(row, "rev", 0) + 1,
                        .actor = slice_str("engine"),
                        .auth_method = slice_str("engine"),
                        .cause = -1,
                        .body = value_map(),
                        .effects = *effects};
    struct buf bytes = BUF_EMPTY;

    memcpy(leaf.command_id, &leaf.seq, sizeof leaf.seq);
    leaf_encode(&bytes, &leaf);
    assert_int_equal(
        leaf_decode(&story->arena,
                    slice_of(arena_copy(&story->arena, bytes.at, bytes.len), bytes.len), &leaf,
                    NULL),
        0);
    memory_add_leaf(&story->house.memory, buf_slice(&bytes));
    memory_add_leaf(&story->twin_memory, buf_slice(&bytes));
    core_fold(story->house.core, &leaf, memory_changed, &story->house.memory);
    core_fold(story->twin, &leaf, memory_changed, &story->twin_memory);
    buf_release(&bytes);
}

/* Tests run in the root of the source; ROTA_SOURCE names it for those that do not. */
static const char *in_source(struct story *story, const char *path)
{
    const char *root = getenv("ROTA_SOURCE");

    return arena_printf(&story->arena, "%s/%s", root != NULL ? root : ".", path);
}

/* The people of the table, as they stand in a directory. */
static struct value people_of_story(struct story *story)
{
    struct value list = value_array();

    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        struct value person = value_map(), roles = value_array();

        for (int r = 0; r < ROLES_MAX && people[i].roles[r] != NULL; r++)
            value_push(&story->arena, &roles, value_str(people[i].roles[r]));
        value_set(&story->arena, &person, "name", value_str(people[i].name));
        value_set(&story->arena, &person, "kind", value_str(people[i].kind));
        value_set(&story->arena, &person, "roles", roles);
        value_set(&story->arena, &person, "email",
                  value_str(arena_printf(&story->arena, "%s@story.example", people[i].name)));
        if (people[i].manager != NULL)
            value_set(&story->arena, &person, "manager", value_str(people[i].manager));
        value_push(&story->arena, &list, person);
    }
    return list;
}

/* The people of a file, and the worker that settles every task of a story. */
static struct value people_of_file(struct story *story, const char *file)
{
    struct value list = story_people_read(&story->arena, in_source(story, file));
    struct value post = value_map();

    value_set(&story->arena, &post, "name", value_str("post"));
    value_set(&story->arena, &post, "kind", value_str("worker"));
    value_push(&story->arena, &list, post);
    return list;
}

/* Each gets a key, made from the name. */
static void install_people(struct story *story, struct value list, bool rooted)
{
    struct value args = value_map();
    struct question question;

    for (uint32_t i = 0; i < list.count; i++) {
        struct value *person = &list.as.items[i];
        uint8_t *key = arena_take(&story->arena, SIGN_KEY_LEN);

        if (rooted || !slice_is(value_get_text(person, "kind"), "person"))
            continue;
        sign_public_key(seed_of(story, value_get_str(person, "name", "", &story->arena)), key);
        value_set(&story->arena, person, "sign", value_bin(key, SIGN_KEY_LEN));
    }
    value_set(&story->arena, &args, "people", list);
    question = command_of(story, "engine", "directory.install", NULL, &args);
    assert_done(give(story, &question));
}

/* ---- packs ---- */

static struct slice replaced(struct story *story, struct slice text,
                             const struct story_change *change)
{
    const char *at = arena_copy(&story->arena, text.at, text.len), *next;
    struct buf out = BUF_EMPTY;
    bool is_found = false;

    for (; (next = strstr(at, change->from)) != NULL; at = next + strlen(change->from)) {
        buf_add(&out, at, (size_t)(next - at));
        buf_add_str(&out, change->to);
        is_found = true;
    }
    if (!is_found)
        print_error("%s does not hold \"%s\"\n", change->file, change->from);
    assert_true(is_found);
    buf_add_str(&out, at);
    text = slice_of(arena_copy(&story->arena, out.at, out.len), out.len);
    buf_release(&out);
    return text;
}

static struct pack_file *changed_files(struct story *story, const struct story_change *changes,
                                       int *count)
{
    struct pack_file *files = NULL;
    struct error err = {ERROR_NONE, ""};

    assert_int_equal(pack_read(in_source(story, story->folder), &story->arena, &files, count, &err),
                     0);
    for (; changes->file != NULL; changes++) {
        bool is_there = false;

        for (int i = 0; i < *count; i++) {
            if (strcmp(files[i].path, changes->file) != 0)
                continue;
            files[i].bytes = replaced(story, files[i].bytes, changes);
            is_there = true;
        }
        assert_true(is_there);
    }
    return files;
}

static struct pack *load_pack(const struct pack_file *files, int count)
{
    struct problems problems = PROBLEMS_EMPTY;
    struct error err = {ERROR_NONE, ""};
    struct pack *pack = NULL;

    if (pack_load_files(files, count, &pack, &problems, &err) != 0) {
        struct buf shown = BUF_EMPTY;

        problems_show(&problems, &shown);
        print_error("%s%s\n", buf_text(&shown), err.text);
        buf_release(&shown);
    }
    problems_release(&problems);
    assert_non_null(pack);
    return pack;
}

/* The files themselves: who audits the story's journal reads in them what needs whose approval. */
static struct value content_of_pack(struct story *story, const struct pack_file *files, int count)
{
    struct buf joined = BUF_EMPTY;
    struct value reference;
    uint8_t salt[16], hash[HASH_LEN];

    pack_join(files, count, &joined, salt);
    reference = house_content(&story->house, &story->arena, salt, buf_slice(&joined));
    memory_add_content(&story->twin_memory, salt, buf_slice(&joined), hash);
    buf_release(&joined);
    return reference;
}

/* Both cores get the pack, as the engine gives it when it was compiled; then it is installed. */
int story_install(struct story *story, const char *who, const char *reason,
                  const struct story_change *changes)
{
    int count = 0;
    const struct pack_file *files = changed_files(story, changes, &count);
    struct pack *pack = load_pack(files, count), *same = load_pack(files, count);
    uint8_t *digest = arena_take(&story->arena, HASH_LEN);
    struct value args = value_map();
    struct question question;

    memcpy(digest, pack->digest, HASH_LEN);
    value_set(&story->arena, &args, "pack", content_of_pack(story, files, count));
    value_set(&story->arena, &args, "digest", value_bin(digest, HASH_LEN));
    if (reason != NULL)
        value_set(&story->arena, &args, "reason", content_of(story, reason));
    core_use_pack(story->house.core, &pack);
    core_use_pack(story->twin, &same);
    question = command_of(story, who, "pack.install", NULL, &args);
    return give(story, &question);
}

/* The reason that every story gives: its hash stands in their text, so it is kept under a salt of zeroes. */
static void keep_reason(struct story *story)
{
    static const uint8_t salt[16];

    (void)house_content(&story->house, &story->arena, salt, slice_str("For good."));
}

static struct story *begin(const char *pack, const char *directory, bool rooted)
{
    static const struct story_change none = {NULL, NULL, NULL};
    struct story *story = calloc(1, sizeof *story);
    struct shelf shelf;

    assert_non_null(story);
    story->has_client = strncmp(pack, "tests/", strlen("tests/")) != 0;
    house_init(&story->house, moment_us("2026-03-02T08:00:00Z"));
    story->house.seen = ask_twin;
    story->house.self = story;
    shelf = memory_shelf(&story->twin_memory);
    story->twin = core_new(&shelf);
    open_journal(story, rooted);
    install_people(story,
                   directory != NULL ? people_of_file(story, directory) : people_of_story(story),
                   rooted);
    story->folder = pack;
    assert_done(story_install(story, "engine", NULL, &none));
    keep_reason(story);
    return story;
}

struct story *story_begin_among(const char *pack, const char *directory)
{
    return begin(pack, directory, false);
}

struct story *story_begin_with(const char *pack)
{
    return begin(pack, NULL, false);
}

struct story *story_begin(void)
{
    return story_begin_with("tests/core/pack");
}

struct story *story_begin_rooted(void)
{
    return begin("tests/core/pack", NULL, true);
}

struct story *story_begin_enrolled(void)
{
    static const char *const signers[] = {"amara", "bo", "cleo", "finn"};
    struct story *story = story_begin_rooted();

    for (size_t i = 0; i < sizeof signers / sizeof signers[0]; i++)
        assert_done(story_enrol(story, signers[i], signers[i], 0, "root-1 root-2"));
    return story;
}

void story_end(struct story *story)
{
    struct error err = {ERROR_NONE, ""};

    if (replay_check(&story->house.memory, &err) != 0)
        print_error("%s\n", err.text);
    assert_int_equal(err.class, ERROR_NONE);
    story_prove(&story->house.memory);
    story_drop(story);
}

void story_drop(struct story *story)
{
    house_release(&story->house);
    core_free(&story->twin);
    memory_release(&story->twin_memory);
    arena_release(&story->arena);
    free(story);
}
