/* event.c - an event on a record, from the words to the signature. */
#include "event.h"

#include "base/hash.h"
#include "facts.h"
#include "given.h"
#include "secret.h"
#include "page.h"
#include "preview.h"
#include "values.h"
#include "sign.h"

enum { TRIES_MAX = 3 }; /* how often one decision is signed while what governs it changes */

/* `whom` (or NULL): in whose place. */
static int ask_for(struct tool *tool, const char *record, const char *event, const char *whom,
                   struct value *out)
{
    struct value args = value_map();

    value_set(&tool->arena, &args, "record", value_str(record));
    value_set(&tool->arena, &args, "event", value_str(event));
    if (whom != NULL)
        value_set(&tool->arena, &args, "for", value_str(whom));
    return ask_query(tool, "prepare", args, out);
}

int event_ask(struct tool *tool, const char *record, const char *event, struct value *out)
{
    return ask_for(tool, record, event, NULL, out);
}

/* In whose place it is done: as asked for, or as the engine says that it can be done only so. */
static void put_place(struct tool *tool, const char *whom, const struct value *prepared,
                      struct value *args)
{
    struct slice person = whom != NULL ? slice_str(whom) : value_get_text(prepared, "for");
    struct slice number = value_get_text(prepared, "delegation");

    if (person.len == 0)
        return;
    value_set(&tool->arena, args, "for", value_text(person));
    if (!tool->out.json)
        output_line(&tool->out, INK_BOLD, "for %s%s%.*s", facts_person(tool, person),
                    number.len > 0 ? ", by delegation " : "", (int)number.len,
                    (const char *)number.at);
}

/* Content is given as `set`; an outcome, which the engine keeps, as an argument that the event takes. */
static void put_fields(struct tool *tool, const struct value *kind, const struct value *fields,
                       struct value *args)
{
    struct value set = value_map();

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct pair *pair = &fields->as.pairs[i];
        const struct value *field = values_field(kind, pair->key);

        value_put(&tool->arena, value_get_bool(field, "computed", false) ? args : &set, pair->key,
                  pair->value);
    }
    if (set.count > 0)
        value_set(&tool->arena, args, "set", set);
}

static int set_fields(struct tool *tool, const struct arguments *given, int first,
                      const char *record, struct value *args)
{
    struct value question = value_map(), shown;
    const struct value *kind;
    struct given fields;
    int status;

    if (first >= given->word_count && !arguments_have(given, "--from"))
        return TOOL_DONE;
    value_set(&tool->arena, &question, "record", value_str(record));
    status = ask_query(tool, "show", question, &shown);
    if (status == TOOL_DONE)
        status = facts_kind(tool, value_get_text(&shown, "kind"), &kind);
    if (status == TOOL_DONE)
        status = given_read(tool, given, first, kind, &fields);
    if (status == TOOL_DONE)
        put_fields(tool, kind, &fields.fields, args);
    return status;
}

static void hashed(struct tool *tool, struct value *args, const char *key, struct slice bytes)
{
    uint8_t *hash = arena_take(&tool->arena, HASH_LEN);

    hash_bytes(bytes, hash);
    value_set(&tool->arena, args, key, value_bin(hash, HASH_LEN));
}

/* What a decision is bound to. */
static void bind(struct tool *tool, const struct value *prepared, struct value *args)
{
    static const char *const parts[] = {"meaning", "digest", "round", "number", "under"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct value *part = value_get(prepared, parts[i]);

        if (part != NULL && part->type != VALUE_NIL)
            value_set(&tool->arena, args, parts[i], *part);
    }
}

/* What a signed decision carries besides what was asked for. */
static void bind_key(struct tool *tool, const struct value *prepared, const struct keyfile *key,
                     struct value *args)
{
    bind(tool, prepared, args);
    hashed(tool, args, "key", slice_of(key->sign_public, SIGN_KEY_LEN));
    hashed(tool, args, "statement", value_get_text(prepared, "statement"));
}

/* The record before the first slash: SCP-0001@1.0, where SCP-0001 was said. What is signed stays with that version. */
static struct slice record_of(struct slice stream)
{
    const uint8_t *slash = stream.len > 0 ? memchr(stream.at, '/', stream.len) : NULL;

    return slash != NULL ? slice_of(stream.at, (size_t)(slash - stream.at)) : stream;
}

static struct sign_tuple tuple_of(const struct value *prepared, struct slice origin,
                                  const struct command *command, const char *who)
{
    struct sign_tuple tuple = {.origin = origin,
                               .type = value_get_text(prepared, "type"),
                               .stream = value_get_text(prepared, "stream"),
                               .rev = value_get_int(prepared, "rev", 0),
                               .actor = slice_str(who)};

    hash_command_id(tuple.actor, command->id, tuple.command_id);
    return tuple;
}

/* A record that goes together with the one that is decided: signed over its own content, by the same command. */
static int sign_part(struct tool *tool, const struct value *part, struct slice origin,
                     struct keyfile *key, const char *who, struct command *command,
                     struct value *out)
{
    struct sign_tuple tuple = tuple_of(part, origin, command, who);
    struct value args = value_map();
    uint8_t *signature = arena_take(&tool->arena, SIGNATURE_LEN);
    int status;

    if (value_get(&command->args, "reason") != NULL)
        value_set(&tool->arena, &args, "reason", *value_get(&command->args, "reason"));
    if (value_get(&command->args, "for") != NULL)
        value_set(&tool->arena, &args, "for", *value_get(&command->args, "for"));
    bind_key(tool, part, key, &args);
    tuple.body = &args;
    secret_mark(&tool->arena, key, &args);
    status = secret_sign_tuple(tool, key, &tuple, signature);
    if (status != TOOL_DONE)
        return status;
    *out = value_map();
    value_set(&tool->arena, out, "record", value_text(value_get_text(part, "record")));
    value_set(&tool->arena, out, "args", args);
    value_set(&tool->arena, out, "signature", value_bin(signature, SIGNATURE_LEN));
    return TOOL_DONE;
}

static int sign_also(struct tool *tool, const struct value *prepared, struct keyfile *key,
                     const char *who, struct command *command)
{
    const struct value *parts = value_get(prepared, "also");
    struct value also = value_array(), one;

    for (uint32_t i = 0; value_is(parts, VALUE_ARRAY) && i < parts->count; i++) {
        int status = sign_part(tool, &parts->as.items[i], value_get_text(prepared, "origin"), key,
                               who, command, &one);

        if (status != TOOL_DONE)
            return status;
        value_push(&tool->arena, &also, one);
    }
    if (also.count > 0)
        value_set(&tool->arena, &command->args, "also", also);
    return TOOL_DONE;
}

static int sign_itself(struct tool *tool, const struct value *prepared, const char *event,
                       struct keyfile *key, const char *who, struct command *command)
{
    struct sign_tuple tuple = tuple_of(prepared, value_get_text(prepared, "origin"), command, who);

    if (tuple.type.len == 0)
        tuple.type = slice_str(arena_printf(&tool->arena, "record.%s", event));
    bind_key(tool, prepared, key, &command->args);
    if (value_get(prepared, "record") != NULL || tuple.type.len == 0 ||
        slice_starts(tuple.type, "record."))
        command->record = record_of(tuple.stream);
    tuple.body = &command->args;
    command->has_signature = true;
    secret_mark(&tool->arena, key, &command->args);
    return secret_sign_tuple(tool, key, &tuple, command->signature);
}

/* All that is about to be signed is shown, and then asked about, before any of it is. */
static int show_first(struct tool *tool, const struct value *prepared, const char *who,
                      const char *event, bool asks)
{
    const struct value *parts = value_get(prepared, "also");
    int status = TOOL_DONE;

    for (uint32_t i = 0; status == TOOL_DONE && value_is(parts, VALUE_ARRAY) && i < parts->count;
         i++)
        status = preview_print(tool, &parts->as.items[i], who);
    if (status == TOOL_DONE && value_get_bool(prepared, "needs_signature", true))
        status = preview_print(tool, prepared, who);
    return status == TOOL_DONE && asks ? preview_ask(tool, event) : status;
}

/* The caller wipes the key if this is TOOL_DONE. */
static int open_key(struct tool *tool, const char *event, const char **who, struct keyfile *key)
{
    int status = ask_who(tool, who);

    if (status == TOOL_DONE)
        status = ask_key(tool, *who, key);
    if (status != TOOL_DONE || secret_is_there(key))
        return status;
    keyfile_wipe(key);
    return tool_fail(TOOL_INPUT, "%s must be signed, and keys/%s.key has no signing key", event,
                     *who);
}

/* Signs, unless the engine has said that it will refuse: then nobody is asked, not for a passphrase either, and the command goes
 * as it is, so that the refusal is made, and written down, where refusals are. */
static int sign_all(struct tool *tool, const struct value *prepared, const char *event, bool asks,
                    struct command *command)
{
    struct keyfile key;
    const char *who;
    int status;

    if (value_get(prepared, "refused") != NULL) {
        bind(tool, prepared, &command->args);
        return TOOL_DONE;
    }
    status = open_key(tool, event, &who, &key);
    if (status != TOOL_DONE)
        return status;
    command->id = command->id.len > 0 ? command->id : ask_new_id(tool);
    status = show_first(tool, prepared, who, event, asks);
    if (status == TOOL_DONE)
        status = sign_also(tool, prepared, &key, who, command);
    if (status == TOOL_DONE && value_get_bool(prepared, "needs_signature", true))
        status = sign_itself(tool, prepared, event, &key, who, command);
    keyfile_wipe(&key);
    return status;
}

int event_sign(struct tool *tool, const struct value *prepared, const char *event, bool asks,
               struct command *command)
{
    return sign_all(tool, prepared, event, asks, command);
}

int event_sign_other(struct tool *tool, const struct value *prepared, const char *what,
                     struct command *command)
{
    struct keyfile key;
    const char *who;
    int status = open_key(tool, what, &who, &key);

    if (status != TOOL_DONE)
        return status;
    command->id = command->id.len > 0 ? command->id : ask_new_id(tool);
    status = sign_itself(tool, prepared, what, &key, who, command);
    command->record = slice_of(NULL, 0);
    keyfile_wipe(&key);
    return status;
}

/* "EXC-0001,POL-0002" */
static void take_with(struct tool *tool, const char *with, struct value *args)
{
    struct value list = value_array();

    while (*with != '\0') {
        size_t len = strcspn(with, ", ");

        if (len > 0)
            value_push(&tool->arena, &list,
                       value_text(slice_of(arena_copy(&tool->arena, with, len), len)));
        with += len + strspn(with + len, ", ");
    }
    value_set(&tool->arena, args, "with", list);
}

static int take_options(struct tool *tool, const struct arguments *given, struct command *out)
{
    const char *change = arguments_get(given, "--change"), *id = arguments_get(given, "--id");
    const char *with = arguments_get(given, "--with");

    if (change != NULL)
        value_set(&tool->arena, &out->args, "change", value_str(change));
    if (id != NULL && !command_id_is_valid(slice_str(id)))
        return tool_usage(given, "--id %s: 16 to 64 of A-Z a-z 0-9 . _ -", id);
    if (id != NULL)
        out->id = slice_str(id);
    if (with != NULL)
        take_with(tool, with, &out->args);
    return TOOL_DONE;
}

/* What was shown before is not silently another thing when it is signed again. */
static int check_same(const char *record, const struct value *before, const struct value *prepared)
{
    if (before == NULL || value_equal_but(before, prepared, "under"))
        return TOOL_DONE;
    return tool_fail(
        TOOL_REFUSED,
        "409 stale-rules: the directory or the definitions changed at this moment, and "
        "what is to be signed for %s with them. Nothing was sent; look at it again",
        record);
}

/* `before` (or NULL): what was prepared for the attempt before this one. */
static int prepare_like(struct tool *tool, const struct arguments *given, int first,
                        const char *record, const char *event, const struct value *before,
                        struct value *prepared, struct command *out)
{
    int status;

    *out = (struct command){
        .command = slice_str(event), .record = slice_str(record), .args = value_map()};
    status = take_options(tool, given, out);
    if (status == TOOL_DONE)
        status = ask_for(tool, record, event, arguments_get(given, "--for"), prepared);
    if (status == TOOL_DONE)
        status = check_same(record, before, prepared);
    if (status == TOOL_DONE)
        put_place(tool, arguments_get(given, "--for"), prepared, &out->args);
    if (status == TOOL_DONE)
        status = given_reason(tool, given, &out->args);
    if (status == TOOL_DONE)
        status = set_fields(tool, given, first, record, &out->args);
    if (status == TOOL_DONE &&
        (value_get_bool(prepared, "needs_signature", false) || value_get(prepared, "also") != NULL))
        status = sign_all(tool, prepared, event, !arguments_have(given, "--yes"), out);
    return status;
}

int event_prepare(struct tool *tool, const struct arguments *given, int first, const char *record,
                  const char *event, struct command *out)
{
    struct value prepared;

    return prepare_like(tool, given, first, record, event, NULL, &prepared, out);
}

/* Whoever signs says under which directory and definitions. If these change while it is signed, nothing was done: it is asked
 * for, shown and signed again, as long as it is the same that is signed. */
int event_send(struct tool *tool, const struct arguments *given, int first, const char *record,
               const char *event)
{
    struct value before, prepared = VALUE_NONE;
    struct command command;
    struct reply reply = {0};
    int status, tries = 0;

    do {
        before = prepared;
        status = prepare_like(tool, given, first, record, event, tries > 0 ? &before : NULL,
                              &prepared, &command);
        if (status == TOOL_DONE)
            status = ask_command_quietly(tool, &command, &reply);
        if (status != TOOL_DONE)
            return status;
    } while (slice_is(reply.code, "stale-rules") && ++tries < TRIES_MAX);
    if (reply.status / 100 != 2)
        return ask_refused(tool, &reply);
    event_tell(tool, &command, &reply);
    return TOOL_DONE;
}

static void tell_json(struct tool *tool, const struct command *command, const struct reply *reply)
{
    struct value line =
        reply->out.type == VALUE_MAP ? value_copy(&tool->arena, &reply->out) : value_map();

    value_set(&tool->arena, &line, "id", value_text(command->id));
    value_set(&tool->arena, &line, "status", value_int(reply->status));
    if (reply->revision > 0)
        value_set(&tool->arena, &line, "revision", value_int(reply->revision));
    if (reply->has_seq)
        value_set(&tool->arena, &line, "seq", value_int((int64_t)reply->seq));
    if (reply->hash.len > 0)
        value_set(&tool->arena, &line, "hash", value_bin(reply->hash.at, reply->hash.len));
    if (reply->duplicate)
        value_set(&tool->arena, &line, "duplicate", value_bool(true));
    output_json(&tool->out, &line);
}

static const char *done_text(struct tool *tool, struct slice command)
{
    return slice_is(command, "open")   ? "opened"
           : slice_is(command, "edit") ? "edited"
           : slice_is(command, "ack")  ? "acknowledged"
           : slice_is(command, "decline_ack")
               ? "declined; the owner is told why, and it still waits for you"
           : slice_is(command, "waive_sod")
               ? "a rule of separation of duties is waived; `rota waivers` lists it"
           : slice_is(command, "end_waiver")
               ? "the waiver is taken back; what was decided under it stands, and says so"
           : slice_is(command, "done") ? "done"
                                       : arena_printf(&tool->arena, "%.*s done", (int)command.len,
                                                      (const char *)command.at);
}

/* How far the open round is: what a vote leaves unsaid. */
static void tell_round(struct tool *tool, struct slice record)
{
    struct value args = value_map(), shown;
    const struct value *round;

    value_set(&tool->arena, &args, "record", value_text(record));
    if (ask_query_if(tool, "show", args, &shown) != TOOL_DONE ||
        !value_is(value_get(&shown, "round"), VALUE_MAP))
        return;
    round = value_get(&shown, "round");
    output_line(&tool->out, INK_NONE, "  round %lld of approval: %s",
                (long long)value_get_int(round, "n", 1), page_round_count(tool, round));
}

static void tell_started(struct tool *tool, const struct value *started)
{
    for (uint32_t i = 0; value_is(started, VALUE_ARRAY) && i < started->count; i++)
        output_line(&tool->out, INK_NONE, "  started %.*s", (int)started->as.items[i].count,
                    started->as.items[i].as.text);
}

void event_tell(struct tool *tool, const struct command *command, const struct reply *reply)
{
    struct slice record = value_get_text(&reply->out, "record");
    struct slice successor = value_get_text(&reply->out, "successor"),
                 state = value_get_text(&reply->out, "state");

    if (tool->out.json) {
        tell_json(tool, command, reply);
        return;
    }
    if (record.len == 0)
        record = command->record;
    output_line(&tool->out, INK_GOOD, "%.*s: %s%s%s%s", (int)record.len, (const char *)record.at,
                done_text(tool, command->command), state.len > 0 ? "; now " : "",
                state.len > 0 ? facts_state(tool, facts_kind_of(tool, record), state) : "",
                reply->duplicate ? " (had been done before)" : "");
    if (value_get_int(&reply->out, "round", 0) > 0 || command->has_signature)
        tell_round(tool, record);
    if (successor.len > 0)
        output_line(&tool->out, INK_NONE, "  the next version is %.*s", (int)successor.len,
                    (const char *)successor.at);
    tell_started(tool, value_get(&reply->out, "started"));
    if (reply->has_seq)
        output_line(&tool->out, INK_DIM, "  journal entry %llu", (unsigned long long)reply->seq);
}

static bool is_offered(const struct value *events, struct slice name)
{
    for (uint32_t i = 0; value_is(events, VALUE_ARRAY) && i < events->count; i++)
        if (slice_equal(value_slice(&events->as.items[i]), name) ||
            slice_equal(value_get_text(&events->as.items[i], "event"), name))
            return true;
    return false;
}

/* The event of the kind that is this vote, if the record offers it to us (or at all, with `offered` NULL). */
static struct slice vote_event(const struct value *kind, const char *vote,
                               const struct value *offered)
{
    const struct value *events = value_get(kind, "events");

    for (uint32_t i = 0; vote != NULL && value_is(events, VALUE_ARRAY) && i < events->count; i++) {
        struct slice name = value_get_text(&events->as.items[i], "event");

        if (slice_is(value_get_text(&events->as.items[i], "vote"), vote) &&
            (offered == NULL || is_offered(offered, name)))
            return name;
    }
    return slice_of(NULL, 0);
}

static const char *first_of(const char *const *names, const struct value *events)
{
    for (int i = 0; names[i] != NULL; i++)
        if (is_offered(events, slice_str(names[i])))
            return names[i];
    return NULL;
}

int event_pick(struct tool *tool, const char *record, const char *vote, const char *const *names,
               const char **out)
{
    struct value args = value_map(), shown;
    const struct value *kind, *offered;
    struct slice event;
    int status;

    value_set(&tool->arena, &args, "record", value_str(record));
    if ((status = ask_query(tool, "show", args, &shown)) != TOOL_DONE ||
        (status = facts_kind(tool, value_get_text(&shown, "kind"), &kind)) != TOOL_DONE)
        return status;
    offered = value_get(&shown, "next_events");
    event = vote_event(kind, vote, offered);
    *out = event.len > 0 ? arena_copy(&tool->arena, event.at, event.len) : first_of(names, offered);
    if (*out != NULL)
        return TOOL_DONE;
    event = vote_event(kind, vote, NULL);
    *out = event.len > 0 ? arena_copy(&tool->arena, event.at, event.len)
                         : first_of(names, value_get(kind, "events"));
    if (*out == NULL)
        *out = names[0];
    return TOOL_DONE;
}
