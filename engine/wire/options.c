#include "wire/options.h"

#include "wire/body.h"

static int64_t clamp(int64_t number, int64_t low, int64_t high)
{
    return number < low ? low : number > high ? high : number;
}

static int read_map(struct arena *arena, struct slice frame, struct value *map, bool *is_json,
                    struct error *err)
{
    if (body_decode(arena, frame, BODY_DEPTH_MAX, map, is_json, err) != 0)
        return -1;
    if (map->type != VALUE_MAP)
        return error_set(err, ERROR_INPUT, "options are not a map");
    return 0;
}

static struct slice short_text(const struct value *map, const char *key)
{
    struct slice text = value_get_text(map, key);

    return text.len <= OPTIONS_NAME_MAX ? text : slice_of(NULL, 0);
}

int ready_options_decode(struct arena *arena, struct slice frame, struct ready_options *out,
                         struct error *err)
{
    struct value map = VALUE_NONE;
    bool is_json;

    if (read_map(arena, frame, &map, &is_json, err) != 0)
        return -1;
    *out = (struct ready_options){
        .name = short_text(&map, "name"),
        .version = short_text(&map, "version"),
        .credit = (int)clamp(value_get_int(&map, "credit", 1), 1, CREDIT_MAX),
        .envelope = value_get_bool(&map, "envelope", false),
        .lease_ms = clamp(value_get_int(&map, "lease_ms", 0), 0, 24LL * 3600 * 1000),
        .is_json = is_json,
    };
    return 0;
}

static int read_tokens(const struct value *map, const char *key, struct slice *out)
{
    const struct value *list = value_get(map, key);
    int count = 0;

    if (!value_is(list, VALUE_ARRAY))
        return 0;
    for (uint32_t i = 0; i < list->count && count < CREDIT_MAX; i++) {
        if (list->as.items[i].type == VALUE_STR)
            out[count++] = value_slice(&list->as.items[i]);
    }
    return count;
}

int beat_options_decode(struct arena *arena, struct slice frame, struct beat_options *out,
                        struct error *err)
{
    struct value map = VALUE_NONE;
    bool is_json;

    if (read_map(arena, frame, &map, &is_json, err) != 0)
        return -1;
    *out = (struct beat_options){.is_json = is_json};
    out->running_count = read_tokens(&map, "running", out->running);
    out->ack_count = read_tokens(&map, "ack", out->ack);
    out->cancel_count = read_tokens(&map, "cancel", out->cancel);
    out->credit = (int)clamp(value_get_int(&map, "credit", -1), -1, CREDIT_MAX);
    out->drain = value_get_bool(&map, "drain", false);
    return 0;
}

int outcome_decode(struct arena *arena, struct slice frame, struct outcome *out, struct error *err)
{
    struct value map = VALUE_NONE;
    int64_t status;

    if (read_map(arena, frame, &map, NULL, err) != 0)
        return -1;
    status = value_get_int(&map, "status", 0);
    if (status < 200 || status > 599)
        return error_set(err, ERROR_INPUT, "a result without a status of 200 to 599");
    *out = (struct outcome){
        .status = (int)status,
        .code = value_get_text(&map, "code"),
        .message = value_get_text(&map, "message"),
        .retry_ms = clamp(value_get_int(&map, "retry_ms", -1), -1, 30LL * 24 * 3600 * 1000),
        .until_ms = clamp(value_get_int(&map, "until", 0), 0, INT64_MAX),
    };
    return 0;
}

int progress_decode(struct arena *arena, struct slice frame, struct progress *out,
                    struct error *err)
{
    struct value map = VALUE_NONE;

    if (read_map(arena, frame, &map, NULL, err) != 0)
        return -1;
    *out = (struct progress){(int)clamp(value_get_int(&map, "progress", 0), 0, 100),
                             value_get_text(&map, "note")};
    return 0;
}

/* ---- writing ---- */

static struct value start(struct arena *arena)
{
    struct value map = value_map();

    value_set(arena, &map, "v", value_int(1));
    return map;
}

static void finish(struct buf *out, struct arena *arena, const struct value *map, bool as_json)
{
    body_encode(out, map, as_json);
    arena_release(arena);
}

static void set_text(struct arena *arena, struct value *map, const char *key, struct slice text)
{
    if (text.len > 0)
        value_set(arena, map, key, value_text(text));
}

static void set_tokens(struct arena *arena, struct value *map, const char *key,
                       const struct slice *tokens, int count)
{
    struct value list = value_array();

    if (count == 0)
        return;
    for (int i = 0; i < count; i++)
        value_push(arena, &list, value_text(tokens[i]));
    value_set(arena, map, key, list);
}

void ready_options_encode(struct buf *out, const struct ready_options *options)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = start(&arena);

    set_text(&arena, &map, "name", options->name);
    set_text(&arena, &map, "version", options->version);
    value_set(&arena, &map, "credit", value_int(options->credit));
    value_set(&arena, &map, "envelope", value_bool(options->envelope));
    if (options->lease_ms > 0)
        value_set(&arena, &map, "lease_ms", value_int(options->lease_ms));
    finish(out, &arena, &map, false);
}

void beat_options_encode(struct buf *out, const struct beat_options *options)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = start(&arena);

    set_tokens(&arena, &map, "running", options->running, options->running_count);
    set_tokens(&arena, &map, "ack", options->ack, options->ack_count);
    set_tokens(&arena, &map, "cancel", options->cancel, options->cancel_count);
    if (options->credit >= 0)
        value_set(&arena, &map, "credit", value_int(options->credit));
    if (options->drain)
        value_set(&arena, &map, "drain", value_bool(true));
    finish(out, &arena, &map, options->is_json);
}

void outcome_encode(struct buf *out, const struct outcome *outcome)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = start(&arena);

    value_set(&arena, &map, "status", value_int(outcome->status));
    set_text(&arena, &map, "code", outcome->code);
    set_text(&arena, &map, "message", outcome->message);
    if (outcome->retry_ms >= 0)
        value_set(&arena, &map, "retry_ms", value_int(outcome->retry_ms));
    if (outcome->until_ms > 0)
        value_set(&arena, &map, "until", value_int(outcome->until_ms));
    finish(out, &arena, &map, false);
}

void progress_encode(struct buf *out, const struct progress *progress)
{
    struct arena arena = ARENA_EMPTY;
    struct value map = start(&arena);

    value_set(&arena, &map, "progress", value_int(progress->percent));
    set_text(&arena, &map, "note", progress->note);
    finish(out, &arena, &map, false);
}
