#include "wire/command.h"

#include "base/check.h"
#include "wire/body.h"
#include "wire/status.h"

/* ---- what the maps may contain: one row a key ---- */

enum key_rule {
    KEY_VERSION, /* int */
    KEY_ID,      /* str, the id rule for commands, any short text for queries */
    KEY_NAME,    /* str, not empty, at most COMMAND_NAME_MAX */
    KEY_TEXT,    /* str, not empty, at most COMMAND_TEXT_MAX */
    KEY_COUNT,   /* int >= 0 */
    KEY_MAP,
    KEY_SIGNATURE /* bin64 */
};

struct key {
    const char *name;
    enum key_rule rule;
    bool required;
};

static const struct key COMMAND_KEYS[] = {
    {"v", KEY_VERSION, true},
    {"id", KEY_ID, true},
    {"command", KEY_NAME, true},
    {"record", KEY_TEXT, false},
    {"if_revision", KEY_COUNT, false},
    {"args", KEY_MAP, false},
    {"deadline", KEY_COUNT, false},
    {"on_behalf_of", KEY_TEXT, false},
    {"signature", KEY_SIGNATURE, false},
    {"trace", KEY_TEXT, false},
    {NULL, KEY_MAP, false},
};

static const struct key QUERY_KEYS[] = {
    {"v", KEY_VERSION, true}, {"id", KEY_TEXT, false}, {"query", KEY_NAME, true},
    {"args", KEY_MAP, false}, {NULL, KEY_MAP, false},
};

bool command_id_is_valid(struct slice id)
{
    if (id.len < COMMAND_ID_MIN || id.len > COMMAND_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.at[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static bool text_fits(const struct value *value, uint32_t limit)
{
    return value->type == VALUE_STR && value->count > 0 && value->count <= limit;
}

static bool value_fits(const struct value *value, enum key_rule rule)
{
    switch (rule) {
    case KEY_VERSION:
        return value->type == VALUE_INT && value->as.number >= 1;
    case KEY_ID:
        return value->type == VALUE_STR && command_id_is_valid(value_slice(value));
    case KEY_NAME:
        return text_fits(value, COMMAND_NAME_MAX);
    case KEY_TEXT:
        return text_fits(value, COMMAND_TEXT_MAX);
    case KEY_COUNT:
        return value->type == VALUE_INT && value->as.number >= 0;
    case KEY_MAP:
        return value->type == VALUE_MAP;
    case KEY_SIGNATURE:
        return value->type == VALUE_BIN && value->count == SIGNATURE_LEN;
    }
    return false;
}

static const char *wanted(enum key_rule rule)
{
    switch (rule) {
    case KEY_VERSION:
        return "a version number";
    case KEY_ID:
        return "16 to 64 of A-Z a-z 0-9 . _ -";
    case KEY_NAME:
        return "a name of 1 to 64 bytes";
    case KEY_TEXT:
        return "a text of 1 to 128 bytes";
    case KEY_COUNT:
        return "an integer that is not negative";
    case KEY_MAP:
        return "a map";
    case KEY_SIGNATURE:
        return "64 bytes";
    }
    return "something else";
}

/* ---- reading ---- */

static int refuse(struct reply *no, const char *code, const char *message)
{
    struct slice id = no->id;

    *no = reply_refusal(code, message);
    no->id = id;
    return -1;
}

static int refuse_version(struct arena *arena, struct reply *no)
{
    refuse(no, "version", NULL);
    no->out = value_map();
    value_set(arena, &no->out, "min", value_int(WIRE_VERSION_MIN));
    value_set(arena, &no->out, "max", value_int(WIRE_VERSION_MAX));
    return -1;
}

static const struct key *key_of(const struct key *keys, struct slice name)
{
    for (; keys->name != NULL; keys++) {
        if (slice_is(name, keys->name))
            return keys;
    }
    return NULL;
}

/* The version stands first: a newer map may break every other rule. */
static int check_version(struct arena *arena, const struct value *map, struct reply *no)
{
    const struct value *v = value_get(map, "v");

    if (v == NULL || !value_fits(v, KEY_VERSION))
        return refuse(no, "malformed", "v must be a version number");
    if (v->as.number > WIRE_VERSION_MAX)
        return refuse_version(arena, no);
    return 0;
}

static int check_keys(struct arena *arena, const struct value *map, const struct key *keys,
                      struct reply *no)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct pair *pair = &map->as.pairs[i];
        const struct key *key = key_of(keys, pair->key);

        if (key == NULL && slice_starts(pair->key, "x-"))
            continue;
        if (key == NULL)
            return refuse(no, "unknown-key",
                          arena_printf(arena, "the key %.*s is not known here",
                                       (int)(pair->key.len < 64 ? pair->key.len : 64),
                                       (const char *)pair->key.at));
        if (!value_fits(&pair->value, key->rule))
            return refuse(no, "malformed",
                          arena_printf(arena, "%s must be %s", key->name, wanted(key->rule)));
    }
    for (; keys->name != NULL; keys++) {
        if (keys->required && value_get(map, keys->name) == NULL)
            return refuse(no, "malformed", arena_printf(arena, "%s is missing", keys->name));
    }
    return 0;
}

/* Too deep is 413 and not 400, so the depth of what is well formed is asked a second time. */
static int read_map(struct arena *arena, struct slice body, struct value *map, bool *is_json,
                    struct reply *no)
{
    struct value deep = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};
    bool json = false;

    *no = (struct reply){0};
    if (body.len > BODY_BYTES_MAX)
        return refuse(no, "too-large", NULL);
    if (body_decode(arena, body, COMMAND_DEPTH_MAX, map, is_json, &err) == 0)
        return map->type == VALUE_MAP ? 0 : refuse(no, "malformed", "the body is not a map");
    if (body_decode(arena, body, BODY_DEPTH_MAX, &deep, &json, NULL) == 0)
        return refuse(no, "too-large",
                      arena_printf(arena, "nested more than %d deep", COMMAND_DEPTH_MAX));
    return refuse(no, "malformed", arena_str(arena, err.text));
}

static void note_id(const struct value *map, struct reply *no)
{
    struct slice id = value_get_text(map, "id");

    if (id.len > 0 && id.len <= COMMAND_TEXT_MAX)
        no->id = id;
}

static struct value args_of(const struct value *map)
{
    const struct value *args = value_get(map, "args");

    return args != NULL ? *args : value_map();
}

int command_decode(struct arena *arena, struct slice body, struct command *out, bool *is_json,
                   struct reply *no)
{
    struct value map = VALUE_NONE;
    struct slice signature;
    bool json = false;
    int rc = read_map(arena, body, &map, &json, no);

    if (is_json != NULL)
        *is_json = json;
    if (rc != 0)
        return -1;
    note_id(&map, no);
    if (check_version(arena, &map, no) != 0)
        return -1;
    if (body.len > COMMAND_BYTES_MAX && !command_is_bulk(value_get_text(&map, "command")))
        return refuse(no, "too-large", "longer than 64 KiB: send large content by content.put");
    if (check_keys(arena, &map, COMMAND_KEYS, no) != 0)
        return -1;
    *out = (struct command){
        .v = value_get_int(&map, "v", 0),
        .id = value_get_text(&map, "id"),
        .command = value_get_text(&map, "command"),
        .record = value_get_text(&map, "record"),
        .has_if_revision = value_get(&map, "if_revision") != NULL,
        .if_revision = value_get_int(&map, "if_revision", 0),
        .args = args_of(&map),
        .deadline_ms = value_get_int(&map, "deadline", 0),
        .on_behalf_of = value_get_text(&map, "on_behalf_of"),
        .trace = value_get_text(&map, "trace"),
    };
    signature = value_get_bin(&map, "signature");
    out->has_signature = signature.len == SIGNATURE_LEN;
    if (out->has_signature)
        memcpy(out->signature, signature.at, SIGNATURE_LEN);
    return 0;
}

int query_decode(struct arena *arena, struct slice body, struct query *out, bool *is_json,
                 struct reply *no)
{
    struct value map = VALUE_NONE;
    bool json = false;
    int rc = read_map(arena, body, &map, &json, no);

    if (is_json != NULL)
        *is_json = json;
    if (rc != 0)
        return -1;
    note_id(&map, no);
    if (check_version(arena, &map, no) != 0)
        return -1;
    if (body.len > COMMAND_BYTES_MAX)
        return refuse(no, "too-large", NULL);
    if (check_keys(arena, &map, QUERY_KEYS, no) != 0)
        return -1;
    *out = (struct query){value_get_int(&map, "v", 0), value_get_text(&map, "id"),
                          value_get_text(&map, "query"), args_of(&map)};
    return 0;
}

bool command_is_bulk(struct slice command)
{
    return slice_is(command, "content.put") || slice_is(command, "pack.install") ||
           slice_is(command, "directory.install") || slice_is(command, "audit.import");
}

/* ---- writing ---- */

static void set_text(struct arena *arena, struct value *map, const char *key, struct slice text)
{
    if (text.len > 0)
        value_set(arena, map, key, value_text(text));
}

void command_encode(struct buf *out, const struct command *command, bool as_json)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = value_map();

    value_set(&arena, &map, "v", value_int(command->v));
    set_text(&arena, &map, "id", command->id);
    set_text(&arena, &map, "command", command->command);
    set_text(&arena, &map, "record", command->record);
    if (command->has_if_revision)
        value_set(&arena, &map, "if_revision", value_int(command->if_revision));
    value_set(&arena, &map, "args", command->args.type == VALUE_MAP ? command->args : value_map());
    if (command->deadline_ms != 0)
        value_set(&arena, &map, "deadline", value_int(command->deadline_ms));
    set_text(&arena, &map, "on_behalf_of", command->on_behalf_of);
    if (command->has_signature)
        value_set(&arena, &map, "signature", value_bin(command->signature, SIGNATURE_LEN));
    set_text(&arena, &map, "trace", command->trace);
    body_encode(out, &map, as_json);
    arena_release(&arena);
}

void query_encode(struct buf *out, const struct query *query, bool as_json)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = value_map();

    value_set(&arena, &map, "v", value_int(query->v));
    set_text(&arena, &map, "id", query->id);
    set_text(&arena, &map, "query", query->query);
    value_set(&arena, &map, "args", query->args.type == VALUE_MAP ? query->args : value_map());
    body_encode(out, &map, as_json);
    arena_release(&arena);
}

/* ---- replies ---- */

struct reply reply_refusal(const char *code, const char *message)
{
    const struct status *status = status_of_code(slice_str(code));

    check(status != NULL);
    return (struct reply){.status = status->number,
                          .code = slice_str(status->code),
                          .message = slice_str(message != NULL ? message : status->sentence)};
}

void reply_encode(struct buf *out, const struct reply *reply, bool as_json)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = value_map();

    value_set(&arena, &map, "v", value_int(WIRE_VERSION_MAX));
    value_set(&arena, &map, "status", value_int(reply->status));
    set_text(&arena, &map, "id", reply->id);
    set_text(&arena, &map, "code", reply->code);
    set_text(&arena, &map, "message", reply->message);
    if (reply->revision != 0)
        value_set(&arena, &map, "revision", value_int(reply->revision));
    if (reply->has_seq) {
        check(reply->seq <= INT64_MAX);
        value_set(&arena, &map, "seq", value_int((int64_t)reply->seq));
    }
    if (reply->hash.len > 0)
        value_set(&arena, &map, "hash", value_bin(reply->hash.at, reply->hash.len));
    if (reply->duplicate)
        value_set(&arena, &map, "duplicate", value_bool(true));
    if (reply->out.type != VALUE_NIL)
        value_set(&arena, &map, "out", reply->out);
    body_encode(out, &map, as_json);
    arena_release(&arena);
}

int reply_decode(struct arena *arena, struct slice body, struct reply *out, struct error *err)
{
    struct value map = VALUE_NONE;
    const struct value *more;
    int64_t status, seq;

    if (body_decode(arena, body, BODY_DEPTH_MAX, &map, NULL, err) != 0)
        return -1;
    status = value_get_int(&map, "status", 0);
    seq = value_get_int(&map, "seq", -1);
    if (status < 100 || status > 999)
        return error_set(err, ERROR_INPUT, "a reply without a status");
    more = value_get(&map, "out");
    *out = (struct reply){
        .status = (int)status,
        .id = value_get_text(&map, "id"),
        .code = value_get_text(&map, "code"),
        .message = value_get_text(&map, "message"),
        .revision = value_get_int(&map, "revision", 0),
        .has_seq = seq >= 0,
        .seq = seq >= 0 ? (uint64_t)seq : 0,
        .hash = value_get_bin(&map, "hash"),
        .duplicate = value_get_bool(&map, "duplicate", false),
        .out = more != NULL ? *more : VALUE_NONE,
    };
    return 0;
}
