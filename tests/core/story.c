/* story.c - an organisation in memory, driven through core_decide(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "core/story.h"
#include "core/story_shelf.h"
#include "definition/pack.h"
#include "wire/json.h"

enum { DEPTH_MAX = 8, WAKES_MAX = 1000, ROLES_MAX = 4 };

struct story {
    struct core *core;
    struct story_shelf shelf;
    /* Asked the same, it must answer the same; and it forgets everything before each question, as after a restart. */
    struct core *twin;
    struct story_shelf twin_shelf;
    struct arena arena;
    int64_t now_us;
    int ids;
    struct value follows; /* waiting, oldest first; memory of arena */
    /* Of the last answer. */
    int status, leaf_count;
    char code[64], sentence[1024];
    struct value reply;
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

static void remember_refusal(struct story *story, const struct refusal *refusal)
{
    snprintf(story->code, sizeof story->code, "%s", refusal != NULL ? refusal->code : "");
    snprintf(story->sentence, sizeof story->sentence, "%s",
             refusal != NULL ? refusal->sentence : "");
}

static void keep_leaves(struct story *story, const struct run *run)
{
    struct leaf *leaves = arena_zero(&story->arena, (size_t)(run->leaf_count + 1) * sizeof *leaves);

    for (int i = 0; i < run->leaf_count; i++) {
        struct slice raw = run->leaves[i].bytes;
        char *own = arena_copy(&story->arena, raw.at, raw.len);

        story_shelf_add_leaf(&story->shelf, raw);
        assert_int_equal(leaf_decode(&story->arena, slice_of(own, raw.len), &leaves[i], NULL), 0);
        assert_int_equal(leaves[i].seq, run->leaves[i].seq);
    }
    for (uint32_t i = 0; i < run->follows.count; i++)
        value_push(&story->arena, &story->follows,
                   value_copy(&story->arena, &run->follows.as.items[i]));
    if (run->leaf_count > 0 && !run->is_refused)
        story->reply = core_reply(&story->arena, leaves, run->leaf_count);
}

static void ask_twin(struct story *story, const struct question *question, const struct run *run)
{
    struct run same;

    core_forget(story->twin);
    assert_int_equal(core_decide(story->twin, question, &same), 0);
    assert_int_equal(same.is_refused, run->is_refused);
    assert_int_equal(same.leaf_count, run->leaf_count);
    for (int i = 0; i < run->leaf_count; i++) {
        assert_true(slice_equal(same.leaves[i].bytes, run->leaves[i].bytes));
        story_shelf_add_leaf(&story->twin_shelf, same.leaves[i].bytes);
    }
    assert_true(value_equal(&same.follows, &run->follows));
    assert_true(value_equal(&same.offers, &run->offers));
    if (same.leaf_count > 0)
        core_keep(story->twin, story_shelf_changed, &story->twin_shelf);
    else
        core_drop(story->twin);
}

static void ask_core(struct story *story, struct question *question, struct run *run)
{
    question->seq = story->shelf.leaf_count;
    question->now_us = story->now_us;
    assert_int_equal(core_decide(story->core, question, run), 0);
    story->leaf_count = run->leaf_count;
    story->status = run->is_refused ? run->refusal.status : 200;
    remember_refusal(story, run->is_refused ? &run->refusal : NULL);
    story->reply = value_map();
    keep_leaves(story, run);
    ask_twin(story, question, run);
    if (run->leaf_count > 0)
        core_keep(story->core, story_shelf_changed, &story->shelf);
    else
        core_drop(story->core);
}

/* One question, and all that follows from it. */
static void play(struct story *story, struct question *question)
{
    struct run run;
    struct story first;

    ask_core(story, question, &run);
    first = *story;
    for (uint32_t i = 0; i < story->follows.count; i++) {
        struct question follow = {.kind = QUESTION_FOLLOW,
                                  .principal = slice_str("engine"),
                                  .auth_method = slice_str("engine"),
                                  .if_revision = -1,
                                  .follow = &story->follows.as.items[i]};

        assert_true(i < WAKES_MAX);
        ask_core(story, &follow, &run);
        if (story->status != 200)
            print_error("what followed was refused: %s: %s\n", story->code, story->sentence);
        assert_int_equal(story->status, 200);
    }
    story->follows = value_array();
    story->status = first.status;
    story->leaf_count = first.leaf_count;
    story->reply = first.reply;
    memcpy(story->code, first.code, sizeof story->code);
    memcpy(story->sentence, first.sentence, sizeof story->sentence);
}

static const struct value *said(struct story *story, const char *args)
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
                                  const char *record, const struct value *args)
{
    return (struct question){
        .kind = QUESTION_COMMAND,
        .principal = slice_str(who),
        .auth_method = slice_str("curve"),
        .id = slice_str(arena_printf(&story->arena, "story-command-%06d", ++story->ids)),
        .command = slice_str(event),
        .record = slice_str(record != NULL ? record : ""),
        .if_revision = -1,
        .args = args};
}

static int give(struct story *story, struct question *question)
{
    story->question = *question;
    story->first_seq = story->shelf.leaf_count;
    play(story, question);
    return story->status;
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
    struct slice raw = buf_slice(&story->shelf.leaves[story->first_seq]);
    struct leaf leaf;

    assert_int_equal(leaf_decode(&story->arena, raw, &leaf, NULL), 0);
    return core_is_same_command(&story->question, &leaf);
}

/* ---- signing ---- */

static void put_hash(struct story *story, struct value *args, const char *key, struct slice bytes)
{
    uint8_t *hash = arena_take(&story->arena, HASH_LEN);

    hash_bytes(bytes, hash);
    value_set(&story->arena, args, key, value_bin(hash, HASH_LEN));
}

static struct value signed_args(struct story *story, const char *who, const struct value *prepared,
                                const char *args)
{
    static const char *const parts[] = {"meaning", "digest", "round"};
    struct value all = value_copy(&story->arena, said(story, args));
    uint8_t key[SIGN_KEY_LEN];

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (value_get(prepared, parts[i]) != NULL && value_get(&all, parts[i]) == NULL)
            value_set(&story->arena, &all, parts[i], *value_get(prepared, parts[i]));
    }
    sign_public_key(seed_of(story, who), key);
    put_hash(story, &all, "key", slice_of(key, sizeof key));
    put_hash(story, &all, "statement", value_get_text(prepared, "statement"));
    return all;
}

static int sign_with(struct story *story, const char *who, const char *key_of, const char *event,
                     const char *record, const char *args)
{
    const char *asked =
        arena_printf(&story->arena, "{'record': '%s', 'event': '%s'}", record, event);
    const struct value *prepared = story_ask(story, who, "prepare", asked);
    struct value *all = arena_take(&story->arena, sizeof *all), content;
    struct question question;
    uint8_t id[COMMAND_ID_LEN], *signature = arena_take(&story->arena, SIGNATURE_LEN);
    struct buf message = BUF_EMPTY;

    *all = signed_args(story, who, prepared, args);
    question = command_of(story, who, event, record, all);
    hash_command_id(question.principal, question.id, id);
    assert_int_equal(leaf_contents(&story->arena, all, &content), 0);
    leaf_command_message(&message, value_get_text(prepared, "origin"), id,
                         value_get_text(prepared, "type"), value_get_text(prepared, "stream"),
                         (uint64_t)value_get_int(prepared, "rev", 0), question.principal, all,
                         &content);
    sign_message(seed_of(story, key_of), buf_slice(&message), signature);
    buf_release(&message);
    question.signature = slice_of(signature, SIGNATURE_LEN);
    return give(story, &question);
}

int story_sign(struct story *story, const char *who, const char *event, const char *record,
               const char *args)
{
    return sign_with(story, who, who, event, record, args);
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

    assert_true(us >= story->now_us);
    story->now_us = us;
}

/* The row that is due first, and when; -1 if none is due by `until_ms`. */
static int64_t first_due(struct story *story, int64_t until_ms, struct slice *key)
{
    const struct map_entry *entry;
    int64_t first = -1;
    size_t at = 0;

    while ((entry = map_next(&story->shelf.rows, &at)) != NULL) {
        struct arena arena = ARENA_EMPTY;
        struct value row;
        int64_t due;

        assert_int_equal(dmp_decode(&arena, buf_slice(entry->value), &row, NULL), 0);
        due = core_due(&row);
        arena_release(&arena);
        if (due >= 0 && due <= until_ms && (first < 0 || due < first)) {
            first = due;
            *key = slice_of(arena_copy(&story->arena, entry->key, entry->key_len), entry->key_len);
        }
    }
    return first;
}

static void wake_until(struct story *story, int64_t until_us)
{
    struct slice key;
    int64_t due;

    for (int i = 0; (due = first_due(story, until_us / 1000, &key)) >= 0; i++) {
        struct question question = {.kind = QUESTION_WAKE,
                                    .principal = slice_str("engine"),
                                    .auth_method = slice_str("engine"),
                                    .if_revision = -1,
                                    .key = key};

        if (due * 1000 > story->now_us)
            story->now_us = due * 1000;
        play(story, &question);
        if (story->leaf_count == 0 || i >= WAKES_MAX)
            print_error("%.*s was woken and nothing came of it\n", (int)key.len,
                        (const char *)key.at);
        assert_true(story->leaf_count > 0 && i < WAKES_MAX);
    }
    story->now_us = until_us;
}

void story_until(struct story *story, const char *moment)
{
    assert_true(moment_us(moment) >= story->now_us);
    wake_until(story, moment_us(moment));
}

void story_pass(struct story *story, int days)
{
    wake_until(story, story->now_us + (int64_t)days * 86400 * 1000000);
}

void story_wake(struct story *story)
{
    wake_until(story, story->now_us);
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
    return story->status;
}

/* ---- looking ---- */

int story_ask_status(struct story *story, const char *who, const char *name, const char *args)
{
    struct core_query query = {.name = slice_str(name),
                               .principal = slice_str(who),
                               .args = *said(story, args),
                               .now_us = story->now_us,
                               .leaf = story_shelf_leaf,
                               .self = &story->shelf,
                               .size = story->shelf.leaf_count};
    struct refusal refusal = {0};
    struct value out = VALUE_NONE;

    if (query_answer(story->core, &query, &out, &refusal) != 0) {
        remember_refusal(story, &refusal);
        return refusal.status;
    }
    remember_refusal(story, NULL);
    story->reply = value_copy(&story->arena, &out);
    return 200;
}

const struct value *story_ask(struct story *story, const char *who, const char *name,
                              const char *args)
{
    struct value *answer = arena_take(&story->arena, sizeof *answer);

    assert_done(story_ask_status(story, who, name, args));
    *answer = story->reply;
    return answer;
}

const char *story_code(const struct story *story)
{
    return story->code;
}

const char *story_sentence(const struct story *story)
{
    return story->sentence;
}

const char *story_reply(struct story *story, const char *key)
{
    return value_get_str(&story->reply, key, "", &story->arena);
}

uint64_t story_size(const struct story *story)
{
    return story->shelf.leaf_count;
}

const char *story_leaf_type(struct story *story, int back)
{
    struct leaf leaf;

    assert_true((size_t)back < story->shelf.leaf_count);
    assert_int_equal(
        leaf_decode(&story->arena,
                    buf_slice(&story->shelf.leaves[story->shelf.leaf_count - 1 - (size_t)back]),
                    &leaf, NULL),
        0);
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

    if (!core_task(story->core, task, &out))
        return NULL;
    *given = value_copy(&story->arena, &out);
    core_drop(story->core);
    return given;
}

const struct value *story_row(struct story *story, const char *key)
{
    struct buf *row = map_get(&story->shelf.rows, slice_str(key));
    struct value *value = arena_take(&story->arena, sizeof *value);
    char *own;

    if (row == NULL)
        return NULL;
    own = arena_copy(&story->arena, row->at, row->len);
    assert_int_equal(dmp_decode(&story->arena, slice_of(own, row->len), value, NULL), 0);
    return value;
}

const char *story_content(struct story *story, const char *text)
{
    static const uint8_t salt[16] = {7};
    uint8_t hash[HASH_LEN];
    char *hex = arena_take(&story->arena, 2 * HASH_LEN + 1);

    hash_content(salt, slice_str(text), hash);
    story_shelf_add_content(&story->shelf, hash, slice_str(text));
    hex_encode(slice_of(hash, HASH_LEN), hex);
    return hex;
}

bool story_has_row(struct story *story, const char *key)
{
    return map_get(&story->shelf.rows, slice_str(key)) != NULL;
}

struct core *story_core(struct story *story)
{
    return story->core;
}

struct arena *story_arena(struct story *story)
{
    return &story->arena;
}

/* ---- beginning and end ---- */

static void open_journal(struct story *story)
{
    const struct value *facts =
        said(story, "{'origin': 'story.example/virtual', 'clock': 'virtual',"
                    " 'format': 'rota.leaf/1', 'timezone': 'UTC'}");
    struct leaf leaf = {.time_us = story->now_us,
                        .type = slice_str("journal.opened"),
                        .stream = slice_str("journal"),
                        .actor = slice_str("engine"),
                        .rev = 1,
                        .auth_method = slice_str("engine"),
                        .cause = -1,
                        .body = *facts,
                        .effects = value_map()};
    struct buf bytes = BUF_EMPTY;

    memset(leaf.command_id, 7, COMMAND_ID_LEN);
    value_set(&story->arena, &leaf.effects, "", *facts);
    leaf_encode(&bytes, &leaf);
    story_shelf_add_leaf(&story->shelf, buf_slice(&bytes));
    core_fold(story->core, &leaf, story_shelf_changed, &story->shelf);
    story_shelf_add_leaf(&story->twin_shelf, buf_slice(&bytes));
    core_fold(story->twin, &leaf, story_shelf_changed, &story->twin_shelf);
    buf_release(&bytes);
}

static struct value person_of(struct story *story, size_t i)
{
    struct value person = value_map(), roles = value_array();
    uint8_t *key = arena_take(&story->arena, SIGN_KEY_LEN);

    for (int r = 0; r < ROLES_MAX && people[i].roles[r] != NULL; r++)
        value_push(&story->arena, &roles, value_str(people[i].roles[r]));
    value_set(&story->arena, &person, "name", value_str(people[i].name));
    value_set(&story->arena, &person, "kind", value_str(people[i].kind));
    value_set(&story->arena, &person, "roles", roles);
    value_set(&story->arena, &person, "email",
              value_str(arena_printf(&story->arena, "%s@story.example", people[i].name)));
    if (people[i].manager != NULL)
        value_set(&story->arena, &person, "manager", value_str(people[i].manager));
    if (strcmp(people[i].kind, "person") == 0) {
        sign_public_key(seed_of(story, people[i].name), key);
        value_set(&story->arena, &person, "sign", value_bin(key, SIGN_KEY_LEN));
    }
    return person;
}

static void install_people(struct story *story)
{
    struct value args = value_map(), list = value_array();
    struct question question;

    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
        value_push(&story->arena, &list, person_of(story, i));
    value_set(&story->arena, &args, "people", list);
    question = command_of(story, "engine", "directory.install", NULL, &args);
    assert_done(give(story, &question));
}

/* Tests run in the root of the source; ROTA_SOURCE names it for those that do not. */
static struct pack *load_pack(struct story *story, const char *folder)
{
    const char *root = getenv("ROTA_SOURCE");
    struct problems problems = PROBLEMS_EMPTY;
    struct error err = {ERROR_NONE, ""};
    struct pack *pack = NULL;

    if (pack_load(arena_printf(&story->arena, "%s/%s", root != NULL ? root : ".", folder), &pack,
                  &problems, &err) != 0) {
        struct buf shown = BUF_EMPTY;

        problems_show(&problems, &shown);
        print_error("%s%s\n", buf_text(&shown), err.text);
        buf_release(&shown);
    }
    problems_release(&problems);
    assert_non_null(pack);
    return pack;
}

static void install_pack(struct story *story, const char *folder)
{
    struct pack *pack = load_pack(story, folder), *same = load_pack(story, folder);
    uint8_t *digest = arena_take(&story->arena, HASH_LEN);
    struct value args = value_map();
    struct question question;

    memcpy(digest, pack->digest, HASH_LEN);
    value_set(&story->arena, &args, "files", value_copy(&story->arena, &pack->files));
    value_set(&story->arena, &args, "digest", value_bin(digest, HASH_LEN));
    core_use_pack(story->core, &pack);
    core_use_pack(story->twin, &same);
    question = command_of(story, "engine", "pack.install", NULL, &args);
    assert_done(give(story, &question));
}

struct story *story_begin_with(const char *pack)
{
    struct story *story = calloc(1, sizeof *story);
    struct shelf shelf;

    assert_non_null(story);
    story->follows = value_array();
    shelf = story_shelf_of(&story->shelf);
    story->core = core_new(&shelf);
    shelf = story_shelf_of(&story->twin_shelf);
    story->twin = core_new(&shelf);
    story->now_us = moment_us("2026-03-02T08:00:00Z");
    open_journal(story);
    install_people(story);
    install_pack(story, pack);
    return story;
}

struct story *story_begin(void)
{
    return story_begin_with("tests/core/pack");
}

void story_end(struct story *story)
{
    story_shelf_replay(&story->shelf);
    core_free(&story->core);
    core_free(&story->twin);
    story_shelf_release(&story->shelf);
    story_shelf_release(&story->twin_shelf);
    arena_release(&story->arena);
    free(story);
}
