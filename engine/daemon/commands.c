/* commands.c - a command from a client: who, once only, with its contents, decided, answered after the commit. */
#include "daemon/engine.h"

#include "base/check.h"
#include "wire/body.h"

#include <stdlib.h>

enum {
    PART_MAX = 512 * 1024,
    UPLOAD_MAX = 64 * 1024 * 1024,
    UPLOAD_NAME_MAX = 128,
    REFUSAL_BYTES_MAX = 32 * 1024
};

void engine_send(struct engine *engine, const struct reply_to *to, const struct reply *reply)
{
    struct buf body = BUF_EMPTY;

    reply_encode(&body, reply, to->json);
    broker_reply(engine->broker, to, reply->status, buf_slice(&body));
    buf_release(&body);
}

static void refuse(struct engine *engine, const struct reply_to *to, const struct command *command,
                   const char *code, const char *sentence)
{
    struct reply reply = reply_refusal(code, sentence);

    reply.id = command->id;
    engine_send(engine, to, &reply);
}

/* ---- replies from leaves: the same for the first answer and for every repetition ---- */

/* Room for one more: most runs have one leaf or two, and the arena lives as long as the batch. */
static struct run_leaf *room_for_leaf(struct engine *engine, struct run_leaf *leaves, int count)
{
    struct run_leaf *bigger;

    if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
        return leaves;
    bigger = arena_take(&engine->arena, (count < 4 ? 4 : (size_t)count * 2) * sizeof *bigger);
    if (count > 0)
        memcpy(bigger, leaves, (size_t)count * sizeof *bigger);
    return bigger;
}

static int decode_run(struct engine *engine, uint64_t seq, struct run_leaf **out, int max)
{
    struct buf bytes = BUF_EMPTY;
    struct run_leaf *leaves = NULL;
    int count = 0;

    for (; count < max; count++) {
        struct run_leaf *made;

        leaves = room_for_leaf(engine, leaves, count);
        made = &leaves[count];
        buf_clear(&bytes);
        if (journal_leaf(engine->journal, seq + (uint64_t)count, &bytes, NULL) != 1)
            break;
        *made = (struct run_leaf){
            .bytes = slice_of(arena_copy(&engine->arena, bytes.at, bytes.len), bytes.len)};
        if (leaf_decode(&engine->arena, made->bytes, &made->leaf, NULL) != 0)
            break;
        if (count > 0 &&
            memcmp(made->leaf.command_id, leaves[0].leaf.command_id, COMMAND_ID_LEN) != 0)
            break;
    }
    buf_release(&bytes);
    *out = leaves;
    return count;
}

static void reply_accepted(struct engine *engine, const struct request *request,
                           const struct command *command, const struct asked *asked,
                           bool is_duplicate)
{
    struct reply reply = {.status = 200,
                          .id = command->id,
                          .has_seq = true,
                          .seq = asked->seq,
                          .duplicate = is_duplicate,
                          .revision = asked->revision,
                          .hash = slice_of(asked->hash, HASH_LEN),
                          .out = asked->out};

    check(asked->leaf_count > 0);
    engine_send(engine, request->to, &reply);
}

/* What was done once is told again, from its leaves. */
static void reply_again(struct engine *engine, const struct request *request,
                        const struct command *command, uint64_t seq)
{
    struct asked asked = {.seq = seq};
    const struct leaf *first;
    struct run_leaf *leaves;
    struct reply reply;

    asked.leaf_count = decode_run(engine, seq, &leaves, RUN_LEAVES_MAX);
    check(asked.leaf_count > 0);
    hash_two(slice_of("\0", 1), leaves[0].bytes, asked.hash);
    first = &leaves[0].leaf;
    if (!slice_starts(first->type, "refusal.")) {
        asked.revision = (int64_t)first->rev;
        asked.out = core_reply(&engine->arena, leaves, asked.leaf_count);
        reply_accepted(engine, request, command, &asked, true);
        return;
    }
    reply =
        reply_refusal(arena_copy(&engine->arena, first->type.at + 8, first->type.len - 8), NULL);
    reply.id = command->id;
    reply.duplicate = true;
    reply.has_seq = true;
    reply.seq = seq;
    reply.hash = slice_of(asked.hash, HASH_LEN);
    engine_send(engine, request->to, &reply);
}

static void reply_refused(struct engine *engine, const struct request *request,
                          const struct command *command, const struct asked *asked)
{
    struct reply reply = reply_refusal(asked->refusal.code, asked->refusal.sentence);

    reply.id = command->id;
    reply.status = asked->refusal.status;
    if (asked->leaf_count > 0) {
        reply.has_seq = true;
        reply.seq = asked->seq;
    }
    engine->refused++;
    engine_send(engine, request->to, &reply);
}

/* ---- contents ---- */

static void reply_content(struct engine *engine, const struct request *request,
                          const struct command *command, const uint8_t hash[HASH_LEN], size_t size)
{
    struct reply reply = {.status = 200, .id = command->id, .out = value_map()};

    value_set(&engine->arena, &reply.out, "content", value_bin(hash, HASH_LEN));
    value_set(&engine->arena, &reply.out, "size", value_int((int64_t)size));
    engine->is_dirty = true;
    engine_send(engine, request->to, &reply);
}

/* A content that was there without a note is named by an entry: it gets none now. */
static int put_whole(struct engine *engine, const char *principal, struct slice salt,
                     struct slice data, uint8_t hash[HASH_LEN])
{
    struct buf before = BUF_EMPTY;
    int found;

    hash_content(salt.at, data, hash);
    found = journal_content(engine->journal, hash, &before, NULL);
    buf_release(&before);
    if (found < 0 || journal_put_content(engine->journal, hash, salt.at, data, NULL) != 0)
        return -1;
    return found == 1 && !engine_loose_is(engine, hash)
               ? 0
               : engine_loose_content(engine, hash, principal, data.len);
}

static struct slice upload_name(struct engine *engine, const struct request *request,
                                struct slice upload)
{
    return slice_str(arena_printf(&engine->arena, "%s/%.*s", request->principal, (int)upload.len,
                                  (const char *)upload.at));
}

static void put_part(struct engine *engine, const struct request *request,
                     const struct command *command, struct slice data, struct slice salt)
{
    struct slice upload = upload_name(engine, request, value_get_text(&command->args, "upload"));
    int64_t part = value_get_int(&command->args, "part", -1);
    struct buf whole = BUF_EMPTY;
    uint8_t hash[HASH_LEN];

    if (part < 0 || part >= UPLOAD_MAX / PART_MAX) {
        refuse(engine, request->to, command, "too-large", "A file may have at most 64 MiB.");
        return;
    }
    if (journal_put_part(engine->journal, upload, (uint32_t)part, data, NULL) != 0 ||
        engine_loose_part(engine, upload, request->principal, data.len) != 0) {
        engine->batch_is_dead = true; /* engine_commit() answers */
        return;
    }
    if (!value_get_bool(&command->args, "last", false)) {
        struct reply reply = {.status = 202, .id = command->id};

        engine->is_dirty = true;
        engine_send(engine, request->to, &reply);
        return;
    }
    if (journal_take_parts(engine->journal, upload, &whole, NULL) != 1 ||
        put_whole(engine, request->principal, salt, buf_slice(&whole), hash) != 0 ||
        engine_loose_drop(engine, upload) != 0)
        engine->batch_is_dead = true;
    else
        reply_content(engine, request, command, hash, whole.len);
    buf_release(&whole);
}

static const char *too_much_unused(struct engine *engine)
{
    return arena_printf(&engine->arena,
                        "You would have more than %lld bytes put up that nothing names yet. Finish "
                        "your uploads and send the commands that name them; what nothing names for "
                        "a day is taken away.",
                        (long long)engine->settings.unused_bytes_max);
}

static void content_put(struct engine *engine, const struct request *request,
                        const struct command *command)
{
    struct slice data = value_get_bin(&command->args, "data");
    struct slice salt = value_get_bin(&command->args, "salt");
    bool has_upload = value_get(&command->args, "upload") != NULL;
    struct slice upload = value_get_text(&command->args, "upload");
    bool is_last = !has_upload || value_get_bool(&command->args, "last", false);
    uint8_t hash[HASH_LEN];

    if (!value_is(value_get(&command->args, "data"), VALUE_BIN) || data.len > PART_MAX ||
        (is_last && salt.len != 16) ||
        (has_upload && (upload.len == 0 || upload.len > UPLOAD_NAME_MAX))) {
        refuse(engine, request->to, command, "malformed",
               "content.put takes data (at most 512 KiB) and a salt of 16 bytes; an upload in "
               "parts has a name of at most 128 bytes.");
        return;
    }
    if (!engine_loose_fits(engine, request->principal, data.len)) {
        refuse(engine, request->to, command, "too-large", too_much_unused(engine));
        return;
    }
    if (has_upload) {
        put_part(engine, request, command, data, salt);
        return;
    }
    if (put_whole(engine, request->principal, salt, data, hash) != 0)
        engine->batch_is_dead = true; /* engine_commit() answers */
    else
        reply_content(engine, request, command, hash, data.len);
}

/* Every content that the command names must have gone up before. */
static bool contents_are_there(struct engine *engine, const struct value *args)
{
    struct value contents = VALUE_NONE, list = value_array();
    struct buf scratch = BUF_EMPTY;
    bool all = true;

    if (leaf_contents(&engine->arena, args, &contents) != 0)
        return true; /* core refuses it with the right sentence */
    if (contents.type == VALUE_BIN)
        value_push(&engine->arena, &list, contents);
    else if (contents.type == VALUE_ARRAY)
        list = contents;
    for (uint32_t i = 0; all && i < list.count; i++) {
        buf_clear(&scratch);
        all = journal_content(engine->journal, list.as.items[i].as.bytes, &scratch, NULL) == 1;
    }
    buf_release(&scratch);
    return all;
}

/* ---- the command itself ---- */

static bool is_repeated(struct engine *engine, const struct request *request,
                        const struct command *command, const struct question *question)
{
    uint8_t id[COMMAND_ID_LEN];
    struct run_leaf *first;
    uint64_t seq = 0;

    hash_command_id(question->principal, question->id, id);
    if (journal_command(engine->journal, id, &seq, NULL) != 1)
        return false;
    if (decode_run(engine, seq, &first, 1) == 1 && core_is_same_command(question, &first->leaf))
        reply_again(engine, request, command, seq);
    else
        refuse(engine, request->to, command, "id-reused",
               "This id was used for another command; every new command takes a new id.");
    return true;
}

/* A gateway carries what somebody signed; it may carry nothing else in their name. Where it may not, the question stays
 * its own, so that the refusal is written down under its name and not under the other's. */
static void take_gateway(struct engine *engine, const struct request *request,
                         const struct command *command, struct question *question)
{
    if (command->on_behalf_of.len == 0)
        return;
    if (!authority_may_bring(engine->core, question->principal) || !command->has_signature) {
        question->on_behalf_of = command->on_behalf_of;
        return;
    }
    question->auth_method =
        slice_str(arena_printf(&engine->arena, "via %.24s", request->principal));
    question->principal = command->on_behalf_of;
}

static void put_envelope(struct engine *engine, const struct command *command, struct value *args)
{
    if (command->has_if_revision && value_get(args, "if_revision") == NULL)
        value_set(&engine->arena, args, "if_revision", value_int(command->if_revision));
}

static void fill_question(struct engine *engine, const struct request *request,
                          struct command *command, struct question *question)
{
    *question = engine_question(engine, QUESTION_COMMAND);
    question->principal = slice_str(request->principal);
    question->auth_method = slice_str(request->method);
    question->auth_key = request->key_hash;
    question->id = command->id;
    question->command = command->command;
    question->record = command->record;
    if (command->has_if_revision)
        question->if_revision = command->if_revision;
    if (command->has_signature)
        question->signature = slice_of(command->signature, SIGNATURE_LEN);
    take_gateway(engine, request, command, question);
    put_envelope(engine, command, &command->args);
    question->args = &command->args;
}

static int prepare_pack(struct engine *engine, const struct request *request,
                        struct command *command)
{
    struct error err = {ERROR_NONE, ""};
    struct buf said = BUF_EMPTY;
    int rc = engine_take_pack(engine, &command->args, &said, &err);

    /* The sentences of `rota check`; of very many, the first. */
    if (said.len > REFUSAL_BYTES_MAX)
        said.len = REFUSAL_BYTES_MAX;
    while (said.len > 0 && said.at[said.len - 1] != '\n')
        said.len--;
    if (said.len > 0)
        said.len--;
    if (rc != 0)
        refuse(engine, request->to, command, "guard-failed",
               arena_printf(&engine->arena, "The pack is refused:%s%s", said.len > 0 ? "\n" : " ",
                            said.len > 0 ? buf_text(&said) : err.text));
    buf_release(&said);
    return rc;
}

static bool is_acceptable(struct engine *engine, const struct request *request,
                          const struct command *command)
{
    const char *trouble = engine_trouble(engine);

    if (engine->is_draining) {
        refuse(engine, request->to, command, "draining", NULL);
        return false;
    }
    if (trouble != NULL) {
        refuse(engine, request->to, command, "journal-unavailable", trouble);
        return false;
    }
    if (command->deadline_ms > 0 && clock_now_us(&engine->clock) / 1000 > command->deadline_ms) {
        refuse(engine, request->to, command, "deadline-passed", NULL);
        return false;
    }
    return true;
}

static void carry_out(struct engine *engine, const struct request *request, struct command *command)
{
    struct question question;
    struct asked asked;

    if (slice_is(command->command, "pack.install") &&
        (!is_acceptable(engine, request, command) || prepare_pack(engine, request, command) != 0))
        return;
    /* What was done once is told again, whatever has passed since; except where nobody knows what was kept. */
    fill_question(engine, request, command, &question);
    if ((journal_health(engine->journal) != JOURNAL_UNKNOWN &&
         is_repeated(engine, request, command, &question)) ||
        !is_acceptable(engine, request, command))
        return;
    if (!contents_are_there(engine, &command->args)) {
        refuse(engine, request->to, command, "guard-failed",
               "A file or text that this command names has not gone up; use content.put first.");
        return;
    }
    /* A batch that is lost is answered by engine_commit(), every command of it alike. */
    if (engine_ask(engine, &question, &asked) != 0)
        return;
    /* What was refused, or waits for a second person, does not count: it is read again when somebody agrees. */
    if (slice_is(command->command, "pack.install"))
        core_forget_pack(engine->core, value_get_bin(&command->args, "digest"));
    if (asked.is_refused)
        reply_refused(engine, request, command, &asked);
    else
        reply_accepted(engine, request, command, &asked, false);
}

void engine_command(struct engine *engine, const struct request *request)
{
    struct command command;
    struct reply no = {0};
    bool is_json = false;

    engine->commands++;
    if (command_decode(&engine->arena, request->body, &command, &is_json, &no) != 0) {
        engine_wait_for_commit(engine, request->to, no.id);
        engine_send(engine, request->to, &no);
        return;
    }
    engine_wait_for_commit(engine, request->to, command.id);
    if (slice_starts(command.id, "T1."))
        refuse(engine, request->to, &command, "malformed",
               "Ids that begin with T1. are lease tokens; take another.");
    else if (!slice_is(command.command, "content.put"))
        carry_out(engine, request, &command);
    else if (!authority_may_write(engine->core, slice_str(request->principal)))
        refuse(engine, request->to, &command, "not-allowed",
               "Only those who may change something here put contents up.");
    else if (is_acceptable(engine, request, &command))
        content_put(engine, request, &command);
}
