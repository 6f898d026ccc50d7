/* run.c - a run in the making: its leaves, its refusal, what follows from it. */
#include "core/inside.h"

#include "base/check.h"

struct author run_principal(const struct core *core)
{
    const struct question *question = core->question;

    return (struct author){question->principal, question->auth_method, question->auth_key,
                           question->signature, -1};
}

struct author run_engine(int64_t cause)
{
    return (struct author){slice_str("engine"), slice_str("engine"), slice_of(NULL, 0),
                           slice_of(NULL, 0), cause};
}

struct slice keep_text(struct core *core, struct slice text)
{
    return slice_of(arena_copy(core->arena, text.at, text.len), text.len);
}

struct slice textf(struct core *core, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(core->arena, format, args);
    va_end(args);
    return slice_str(text);
}

int run_refuse(struct core *core, int status, const char *code, const char *format, ...)
{
    va_list args;

    if (core->run->is_refused)
        return -1;
    core->run->is_refused = true;
    core->run->refusal = (struct refusal){.status = status, .code = code};
    va_start(args, format);
    core->run->refusal.sentence = arena_vprintf(core->arena, format, args);
    va_end(args);
    return -1;
}

int run_refuse_apart(struct core *core, const char *rule, const char *format, ...)
{
    va_list args;

    if (core->run->is_refused)
        return -1;
    core->run->is_refused = true;
    core->run->refusal =
        (struct refusal){.status = 403, .code = "separation-of-duties", .rule = rule};
    va_start(args, format);
    core->run->refusal.sentence = arena_vprintf(core->arena, format, args);
    va_end(args);
    return -1;
}

bool run_has_changed(const struct core *core, struct slice stream)
{
    return value_find(&core->streams, stream) != NULL;
}

struct value *run_patch(struct core *core, struct value *effects, struct slice key)
{
    return value_sub(core->arena, effects, key);
}

int64_t run_next_number(struct core *core, struct value *effects, const char *counter)
{
    struct slice key = textf(core, "next/%s", counter);
    const struct value *row = state_row(core->state, key);
    struct value *patch = run_patch(core, effects, key);
    int64_t n = value_get_int(patch, "n", value_get_int(row, "n", 0)) + 1;

    value_set(core->arena, patch, "n", value_int(n));
    return n;
}

/* `^`: the leaf before this one that concerned the record, so that a record's history is a chain. */
static void chain(struct core *core, struct slice stream, struct slice record,
                  struct value *effects)
{
    const struct value *row = state_row(core->state, record);
    struct value link = value_map();

    (void)stream;
    value_put(core->arena, &link, record, value_int(value_get_int(row, "last", -1)));
    value_set(core->arena, effects, "^", link);
}

static int64_t next_rev(struct core *core, struct slice stream)
{
    return value_get_int(state_row(core->state, stream), "rev", 0) + 1;
}

int64_t run_leaf(struct core *core, const char *type, struct slice stream, struct slice record,
                 const struct author *author, const struct value *body, struct value *effects)
{
    struct run *run = core->run;
    struct leaf leaf = {0};
    size_t before = core->leaf_bytes.len;
    struct run_leaf *made;

    if (run->leaf_count == RUN_LEAVES_MAX) {
        run_refuse(core, 413, "too-large", "This command would cause more than %d changes at once.",
                   RUN_LEAVES_MAX);
        return -1;
    }
    check(stream.len > 0 && stream.len <= LEAF_STREAM_MAX && !run_has_changed(core, stream));
    contents_hold(core, stream, record, body, effects);
    if (record.len > 0)
        chain(core, stream, record, effects);
    leaf.seq = core->question->seq + (uint64_t)run->leaf_count;
    leaf.time_us = core->question->now_us;
    leaf.type = slice_str(type);
    leaf.stream = stream;
    leaf.rev = (uint64_t)next_rev(core, stream);
    leaf.actor = author->actor;
    leaf.auth_method = author->method;
    leaf.auth_key = author->key;
    memcpy(leaf.command_id, run->command_id, COMMAND_ID_LEN);
    leaf.cause = author->cause;
    leaf.body = *body;
    leaf.effects = effects->count > 0 ? *effects : VALUE_NONE;
    leaf.actor_sig = author->signature;
    if (leaf_contents(core->arena, body, &leaf.content) != 0) {
        run_refuse(core, 413, "too-large", "More than %d files or long texts in one command.",
                   LEAF_CONTENTS_MAX);
        return -1;
    }
    leaf_encode(&core->leaf_bytes, &leaf);
    if (core->leaf_bytes.len - before > DMP_BYTES_MAX) {
        run_refuse(core, 413, "too-large",
                   "The entry for %.*s would be larger than 65,535 bytes; put long texts and "
                   "tables up with content.put first.",
                   (int)stream.len, (const char *)stream.at);
        return -1;
    }
    state_fold(core->state, &leaf);
    value_put(core->arena, &core->streams, stream, value_bool(true));
    made = &run->leaves[run->leaf_count++];
    /* The buffer may move while it grows: offsets now, pointers when the run is complete. */
    *made = (struct run_leaf){slice_of((const uint8_t *)before, core->leaf_bytes.len - before),
                              record, leaf};
    if (core->contents_told < run->contents.count &&
        contents_tell(core, stream, record, (int64_t)leaf.seq) != 0)
        return -1;
    return (int64_t)leaf.seq;
}

void run_offer(struct core *core, int64_t task)
{
    value_push(core->arena, &core->run->offers, value_int(task));
}

void run_withdraw(struct core *core, int64_t task)
{
    value_push(core->arena, &core->run->withdrawn, value_int(task));
}
