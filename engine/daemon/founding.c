/* founding.c - a new journal: its first leaf, the directory, the pack, and a first signature over them. */
#include "daemon/engine.h"

#include "core/endorse.h"
#include "definition/pack.h"
#include "definition/people.h"
#include "wire/json.h"
#include "wire/keyfile.h"

#include <stdio.h>
#include <unistd.h>

enum { FOUNDERS_MAX = 160 /* a first directory fits one leaf */, ENROLMENT_BYTES_MAX = 16384 };

struct roots { /* public keys that top management keeps the secret halves of */
    uint8_t at[ROOT_KEYS_MAX][SIGN_KEY_LEN];
    int count;
};

int load_log_seed(struct settings *settings, uint8_t out[SIGN_SEED_LEN], struct error *err)
{
    struct keyfile key;
    const char *path = settings_path(settings, "keys/log.key");

    if (keyfile_load(path, &key, err) != 0)
        return -1;
    if (!key.has_sign_seed)
        return error_set(err, ERROR_INPUT, "%s holds no signing seed", path);
    memcpy(out, key.sign_seed, SIGN_SEED_LEN);
    keyfile_wipe(&key);
    return 0;
}

/* ---- the root keys: keys/roots, "name hexadecimal-key" a line; no file, no roots ---- */

static int read_root(const char *file, int number, const char *line, struct roots *roots,
                     struct error *err)
{
    char name[KEYFILE_NAME_MAX + 1], hex[2 * SIGN_KEY_LEN + 1], more;

    if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0')
        return 0;
    if (roots->count == ROOT_KEYS_MAX)
        return error_set(err, ERROR_INPUT, "%s:%d: more than %d root keys", file, number,
                         ROOT_KEYS_MAX);
    if (sscanf(line, "%64s %64s %c", name, hex, &more) != 2 ||
        hex_decode(hex, roots->at[roots->count], SIGN_KEY_LEN) != 0)
        return error_set(err, ERROR_INPUT,
                         "%s:%d: a root key is a line of name and 64 hexadecimal digits", file,
                         number);
    for (int i = 0; i < roots->count; i++)
        if (memcmp(roots->at[i], roots->at[roots->count], SIGN_KEY_LEN) == 0)
            return error_set(err, ERROR_INPUT, "%s:%d: the same root key twice", file, number);
    roots->count++;
    return 0;
}

static int read_roots(struct settings *settings, struct roots *roots, struct error *err)
{
    const char *path = settings_path(settings, "keys/roots");
    FILE *file = access(path, F_OK) == 0 ? fopen(path, "re") : NULL;
    char line[256];
    int rc = 0, number = 0;

    roots->count = 0;
    if (file == NULL)
        return access(path, F_OK) == 0 ? error_set(err, ERROR_INPUT, "%s cannot be read", path) : 0;
    while (rc == 0 && fgets(line, sizeof line, file) != NULL)
        rc = read_root(path, ++number, line, roots, err);
    fclose(file);
    if (rc == 0 && roots->count < ENDORSE_ROOTS_MIN)
        rc = error_set(err, ERROR_INPUT,
                       "%s: it takes two root keys at least, of two people: each enrolment of a "
                       "key needs two",
                       path);
    return rc;
}

/* ---- the first leaf ---- */

int append_by_engine(struct engine *engine, const char *type, const char *id, struct value body,
                     struct value effects, struct error *err)
{
    const struct value *row = state_row(core_state(engine->core), slice_str("journal"));
    struct leaf leaf = {.seq = journal_size(engine->journal), .cause = -1};
    struct buf bytes = BUF_EMPTY;
    int rc;

    leaf.time_us = clock_now_us(&engine->clock);
    leaf.type = slice_str(type);
    leaf.stream = slice_str("journal");
    leaf.rev = (uint64_t)value_get_int(row, "rev", 0) + 1;
    leaf.actor = slice_str("engine");
    leaf.auth_method = slice_str("engine");
    hash_command_id(slice_str("engine"), slice_str(id), leaf.command_id);
    leaf.body = body;
    leaf.effects = effects;
    leaf_encode(&bytes, &leaf);
    rc = journal_append(engine->journal, buf_slice(&bytes), true, leaf.command_id, err);
    if (rc == 0) {
        state_fold(core_state(engine->core), &leaf);
        rc = engine_keep_fold(engine);
    }
    buf_release(&bytes);
    return rc;
}

static int append_opened(struct engine *engine, const uint8_t seed[SIGN_SEED_LEN],
                         const struct roots *roots, struct error *err)
{
    struct arena *arena = &engine->arena;
    struct value body = value_map(), effects = value_map(), keys = value_array();
    uint8_t log_key[SIGN_KEY_LEN];

    sign_public_key(seed, log_key);
    for (int i = 0; i < roots->count; i++)
        value_push(arena, &keys, value_bin(roots->at[i], SIGN_KEY_LEN));
    value_set(arena, &body, "origin", value_str(engine->settings.origin));
    value_set(arena, &body, "clock", value_str(engine->settings.is_virtual ? "virtual" : "system"));
    value_set(arena, &body, "format", value_str(LEAF_TAG));
    value_set(arena, &body, "log_key", value_bin(log_key, SIGN_KEY_LEN));
    value_set(arena, &body, "root_keys", keys);
    value_set(arena, &body, "timezone", value_str(engine->settings.timezone));
    value_set(arena, &effects, "", body);
    return append_by_engine(engine, "journal.opened", "journal.opened", body, effects, err);
}

/* ---- the directory ---- */

/* Where there are root keys, signing keys come by enrolment alone. */
static void put_keys(struct engine *engine, const struct roots *roots, struct value *person,
                     const char *name)
{
    struct arena *arena = &engine->arena;
    const char *suffixes[] = {"pub", "key"};
    struct keyfile key;

    for (int i = 0; i < 2; i++) {
        char *path =
            arena_printf(arena, "%s/keys/%s.%s", engine->settings.directory, name, suffixes[i]);
        struct value transport = value_array();

        if (access(path, R_OK) != 0 || keyfile_load(path, &key, NULL) != 0)
            continue;
        if (key.has_curve_public) {
            value_push(
                arena, &transport,
                value_bin(arena_copy(arena, key.curve_public, CURVE_KEY_LEN), CURVE_KEY_LEN));
            value_set(arena, person, "transport", transport);
        }
        if (key.has_sign_public && roots->count == 0)
            value_set(arena, person, "sign",
                      value_bin(arena_copy(arena, key.sign_public, SIGN_KEY_LEN), SIGN_KEY_LEN));
        keyfile_wipe(&key);
        return;
    }
}

static int read_directory(struct engine *engine, const struct roots *roots, struct value *people,
                          struct error *err)
{
    const char *file = settings_path(&engine->settings, "directory.cfg");
    struct arena *arena = &engine->arena;
    struct value operator= value_map(), operator_roles = value_array();
    int rc = people_entries(file, arena, people, err);

    for (uint32_t i = 0; rc == 0 && i < people->count; i++)
        put_keys(engine, roots, &people->as.items[i],
                 value_get_str(&people->as.items[i], "name", "", arena));
    /* Whoever owns the engine's account administers it through the local socket; the kernel says who that is. */
    value_push(arena, &operator_roles, value_str("admin"));
    value_set(arena, &operator, "name", value_str("operator"));
    value_set(arena, &operator, "kind", value_str("operator"));
    value_set(arena, &operator, "roles", operator_roles);
    value_set(arena, &operator, "uid", value_int((int64_t)geteuid()));
    value_push(arena, people, operator);
    return rc;
}

/* One command of the founding: by the engine, before there is anybody who could permit it. */
static int found_command(struct engine *engine, const char *command, const char *id,
                         const struct value *args, struct error *err)
{
    struct question question = engine_question(engine, QUESTION_COMMAND);
    struct asked asked;

    question.id = slice_str(id);
    question.command = slice_str(command);
    question.args = args;
    if (engine_ask(engine, &question, &asked) != 0)
        return error_set(err, ERROR_IO, "the new journal could not be written");
    if (asked.is_refused)
        return error_set(err, ERROR_INPUT, "%s", asked.refusal.sentence);
    return 0;
}

/* A request for a key that was endorsed before there was a journal: keys/NAME.enrolment. */
static int enrol_one(struct engine *engine, const char *name, struct error *err)
{
    static const char *const parts[] = {"person", "key", "serial", "endorsements"};
    struct arena *arena = &engine->arena;
    const char *path =
        arena_printf(arena, "%s/keys/%s.enrolment", engine->settings.directory, name);
    struct value given = VALUE_NONE, args = value_map();
    FILE *file = access(path, F_OK) == 0 ? fopen(path, "re") : NULL;
    char *text = arena_take(arena, ENROLMENT_BYTES_MAX);
    size_t len;

    if (file == NULL)
        return 0;
    len = fread(text, 1, ENROLMENT_BYTES_MAX, file);
    fclose(file);
    if (json_to_value(arena, slice_of(text, len), 4, &given, err) != 0)
        return error_add(err, "%s", path);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (value_get(&given, parts[i]) != NULL)
            value_set(arena, &args, parts[i], *value_get(&given, parts[i]));
    return found_command(engine, "key.enrol", arena_printf(arena, "founding.key.%s", name), &args,
                         err);
}

static int enrol_people(struct engine *engine, const struct value *people, struct error *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < people->count && rc == 0; i++)
        if (slice_is(value_get_text(&people->as.items[i], "kind"), "person"))
            rc = enrol_one(engine, value_get_str(&people->as.items[i], "name", "", &engine->arena),
                           err);
    return rc;
}

static int install_directory(struct engine *engine, const struct roots *roots, struct error *err)
{
    struct arena *arena = &engine->arena;
    struct value people = value_array(), args = value_map();

    if (read_directory(engine, roots, &people, err) != 0)
        return -1;
    if (people.count > FOUNDERS_MAX)
        return error_set(err, ERROR_INPUT,
                         "directory.cfg names more than %d entries; found with fewer and add the "
                         "others with directory.install",
                         FOUNDERS_MAX);
    value_set(arena, &args, "people", people);
    if (found_command(engine, "directory.install", "founding.directory", &args, err) != 0)
        return -1;
    return roots->count > 0 ? enrol_people(engine, &people, err) : 0;
}

/* ---- the pack ---- */

static int put_pack(struct engine *engine, const struct pack_file *files, int count,
                    struct value *out, struct error *err)
{
    uint8_t salt[16], *hash = arena_take(&engine->arena, HASH_LEN);
    struct buf bytes = BUF_EMPTY;
    int rc;

    pack_join(files, count, &bytes, salt);
    hash_content(salt, buf_slice(&bytes), hash);
    rc = journal_put_content(engine->journal, hash, salt, buf_slice(&bytes), err);
    *out = value_map();
    value_set(&engine->arena, out, "content", value_bin(hash, HASH_LEN));
    value_set(&engine->arena, out, "size", value_int((int64_t)bytes.len));
    buf_release(&bytes);
    return rc;
}

static int install_pack(struct engine *engine, struct error *err)
{
    struct arena *arena = &engine->arena;
    struct value args = value_map(), pack;
    struct pack_file *files = NULL;
    int count = 0;

    if (pack_read(settings_path(&engine->settings, "pack"), arena, &files, &count, err) != 0 ||
        put_pack(engine, files, count, &pack, err) != 0)
        return -1;
    value_set(arena, &args, "pack", pack);
    if (engine_take_pack(engine, &args, NULL, err) != 0)
        return -1;
    return found_command(engine, "pack.install", "founding.pack", &args, err);
}

int engine_found(const char *directory, struct error *err)
{
    struct engine engine = {.next_due_ms = -1};
    struct journal_options options = {.create = true, .has_log_seed = true};
    struct roots roots;
    struct shelf shelf;
    int rc = -1;

    if (settings_load(directory, &engine.settings, err) != 0)
        return -1;
    options.directory = engine.settings.directory;
    options.origin = engine.settings.origin;
    options.signed_path = settings_path(&engine.settings, SIGNED_NAME);
    if (load_log_seed(&engine.settings, options.log_seed, err) != 0 ||
        read_roots(&engine.settings, &roots, err) != 0 ||
        journal_open_sqlite(&options, &engine.journal, err) != 0)
        goto out;
    clock_start(&engine.clock, engine.settings.is_virtual, 0);
    shelf = engine_shelf(&engine);
    engine.core = core_new(&shelf);
    if (append_opened(&engine, options.log_seed, &roots, err) == 0 &&
        install_directory(&engine, &roots, err) == 0 && install_pack(&engine, err) == 0 &&
        journal_commit(engine.journal, err) == 0 &&
        journal_checkpoint(engine.journal, NULL, err) == 0)
        rc = 0;
out:
    core_free(&engine.core);
    journal_close(&engine.journal);
    engine_heads_release(&engine);
    arena_release(&engine.arena);
    settings_release(&engine.settings);
    return rc;
}
