/* walk.c - plays walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/inside.h"
#include "core/story_client.h"
#include "pack/walk.h"
#include "wire/json.h"

enum { WORDS = 6, DEPTH_MAX = 12, TEXT_MAX = 256 * 1024, ROWS_LIMIT = 10000, INCLUDES_MAX = 4 };

struct walk {
    struct story *story;
    struct arena arena;
    struct value names; /* name -> record id */
    char problem[2048];
    const char *file;
    int line, depth;
};

struct line { /* the words before the JSON, and the JSON or NULL */
    const char *words[WORDS];
    int count;
    const char *rest[WORDS]; /* from each word to the end of the line */
    const struct value *json;
};

static bool wrong(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct walk *walk, const char *format, ...)
{
    int at = snprintf(walk->problem, sizeof walk->problem, "%s:%d: ", walk->file, walk->line);
    va_list args;

    va_start(args, format);
    vsnprintf(walk->problem + at, sizeof walk->problem - (size_t)at, format, args);
    va_end(args);
    return false;
}

static const char *text_of(struct walk *walk, struct slice text)
{
    return arena_copy(&walk->arena, text.at, text.len);
}

static const char *id_of(struct walk *walk, const char *name)
{
    const struct value *id = value_get(&walk->names, name[0] == '$' ? name + 1 : name);

    return id != NULL ? text_of(walk, value_slice(id)) : name;
}

/* The record's row; NULL, and a problem, if there is none. */
static const struct value *row_of(struct walk *walk, const char *name)
{
    const struct value *row = story_row(walk->story, id_of(walk, name));
    const char *id = id_of(walk, name);

    /* An id without a version means the latest. */
    if (row != NULL && value_get(row, "state") == NULL && value_get(row, "latest") != NULL)
        row = story_row(walk->story, arena_printf(&walk->arena, "%s@%s", id,
                                                  text_of(walk, value_get_text(row, "latest"))));
    if (row == NULL)
        wrong(walk, "there is no record %s", name);
    return row;
}

/* ---- words and JSON ---- */

/* {"file": NAME}: a file of that name, whose content is its name. */
static void put_file(struct walk *walk, struct value *value)
{
    const char *name = text_of(walk, value_get_text(value, "file"));
    uint8_t *hash = arena_take(&walk->arena, HASH_LEN);

    hex_decode(story_content(walk->story, name), hash, HASH_LEN);
    *value = value_map();
    value_set(&walk->arena, value, "name", value_str(name));
    value_set(&walk->arena, value, "type", value_str("text/plain"));
    value_set(&walk->arena, value, "size", value_int((int64_t)strlen(name)));
    value_set(&walk->arena, value, "content", value_bin(hash, HASH_LEN));
}

/* $NAME becomes its id, wherever a text consists of it; a moment its milliseconds, as `rota` sends it. */
static void put_ids(struct walk *walk, struct value *value)
{
    int64_t ms;

    if (value->type == VALUE_MAP && value->count == 1 &&
        value_is(value_get(value, "file"), VALUE_STR))
        put_file(walk, value);
    if (value->type == VALUE_STR && value->count == strlen("2026-03-02T08:00:00Z") &&
        moment_parse(value_slice(value), &ms) == 0)
        *value = value_int(ms);
    if (value->type == VALUE_STR && value->count > 1 && value->as.text[0] == '$')
        *value = value_str(id_of(walk, text_of(walk, value_slice(value))));
    for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->count; i++)
        put_ids(walk, &value->as.items[i]);
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        put_ids(walk, &value->as.pairs[i].value);
}

static bool read_json(struct walk *walk, const char *text, struct value *out)
{
    struct error err = {ERROR_NONE, ""};

    if (json_to_value(&walk->arena, slice_str(text), DEPTH_MAX, out, &err) != 0)
        return wrong(walk, "%s", err.text);
    put_ids(walk, out);
    return true;
}

/* $NAME before the JSON; names of records are meant to stay what they are. */
static const char *word_of(struct walk *walk, const char *at, size_t len)
{
    const char *word = arena_copy(&walk->arena, at, len);

    return word[0] == '$' ? id_of(walk, word) : word;
}

static bool read_line(struct walk *walk, char *text, struct line *out)
{
    struct value *json = arena_take(&walk->arena, sizeof *json);
    char *brace = strstr(text, " {"), *list = strstr(text, " ["), *at = text;

    *out = (struct line){.count = 0};
    /* A VALUE that is a list is compared as it is shown. */
    if (brace != NULL && (list == NULL || brace < list)) {
        if (!read_json(walk, brace + 1, json))
            return false;
        out->json = json;
        *brace = '\0';
    }
    while (*(at += strspn(at, " \t")) != '\0') {
        size_t len = strcspn(at, " \t");
        const struct value *given =
            at[0] == '$' ? value_find(&walk->names, slice_of(at + 1, len - 1)) : NULL;

        if (value_is(given, VALUE_MAP)) {
            out->json = given;
            at += len;
            continue;
        }
        if (out->count == WORDS)
            break;
        out->rest[out->count] = at;
        out->words[out->count++] = word_of(walk, at, len);
        at += len;
    }
    return true;
}

/* As the story takes it: every apostrophe of JSON said otherwise, since it reads ' as ". */
static const char *said_again(struct walk *walk, const struct value *value)
{
    struct buf json = BUF_EMPTY, out = BUF_EMPTY;
    const char *said;

    value_to_json(&json, value, false);
    for (size_t i = 0; i < json.len; i++) {
        if (json.at[i] == '\'')
            buf_add_str(&out, "\\u0027");
        else
            buf_add_byte(&out, json.at[i]);
    }
    said = text_of(walk, buf_slice(&out));
    buf_release(&json);
    buf_release(&out);
    return said;
}

const char *walk_text(struct arena *arena, const char *path)
{
    const char *root = getenv("ROTA_SOURCE");
    FILE *file = fopen(arena_printf(arena, "%s/%s", root != NULL ? root : ".", path), "r");
    char *text = arena_take(arena, TEXT_MAX + 1);
    size_t len;

    if (file == NULL)
        return NULL;
    len = fread(text, 1, TEXT_MAX, file);
    fclose(file);
    text[len] = '\0';
    return text;
}

/* ---- people act ---- */

static bool expect(struct walk *walk, int got, int status, const char *code)
{
    if (got == status && strcmp(story_code(walk->story), code) == 0)
        return true;
    return wrong(walk, "%d %s: %s", got, story_code(walk->story), story_sentence(walk->story));
}

/* A repeated command is known by its id: it never runs twice. */
static bool is_done(struct walk *walk, int got)
{
    if (!expect(walk, got, 200, ""))
        return false;
    return story_is_repetition(walk->story) || wrong(walk, "sent again, it would happen again");
}

static bool read_record(struct walk *walk, const char *kind, struct value *out)
{
    const char *file = arena_printf(&walk->arena, "tests/pack/records/%s.json", kind);
    const char *text = walk_text(&walk->arena, file);

    return text != NULL ? read_json(walk, text, out) : wrong(walk, "%s cannot be read", file);
}

static bool stand_in(struct walk *walk, const struct value *value);

/* A record of the kind is opened by the first who may, and left as it was opened. */
static bool open_stand_in(struct walk *walk, const struct kind *kind)
{
    static const char *const people[] = {"ines", "amara", "dmitri", "tomas", "omar"};
    struct value record;
    int got = 0;

    if (!read_record(walk, kind->name, &record) || !stand_in(walk, &record))
        return false;
    for (size_t i = 0; i < sizeof people / sizeof people[0] && got != 200; i++)
        got = story_do(walk->story, people[i], "open", NULL, said_again(walk, &record));
    return expect(walk, got, 200, "");
}

/* An id that a walk may count on: one of the first three of its kind. */
static bool is_reference(struct slice text)
{
    return text.len >= 8 && text.at[3] == '-' && text.at[0] >= 'A' && text.at[0] <= 'Z' &&
           memcmp(text.at + 4, "000", 3) == 0 && text.at[7] <= '3';
}

/* What is named by its id is there before it is named. */
static bool stand_in(struct walk *walk, const struct value *value)
{
    struct slice text = value_slice(value);
    bool ok = true;

    if (value->type == VALUE_STR && is_reference(text)) {
        const struct kind *kind =
            pack_prefix(core_current_pack(story_core(walk->story)), slice_of(text.at, 3));
        const char *base = text_of(walk, record_base(text));

        for (int i = 0; ok && kind != NULL && i < 3 && !story_has_row(walk->story, base); i++)
            ok = open_stand_in(walk, kind);
        return ok;
    }
    for (uint32_t i = 0; ok && value->type == VALUE_ARRAY && i < value->count; i++)
        ok = stand_in(walk, &value->as.items[i]);
    for (uint32_t i = 0; ok && value->type == VALUE_MAP && i < value->count; i++)
        ok = stand_in(walk, &value->as.pairs[i].value);
    return ok;
}

static bool open_record(struct walk *walk, const struct line *line, int *got)
{
    const char *kind = line->words[2];
    const char *name =
        line->count == 5 && strcmp(line->words[3], "as") == 0 ? line->words[4] : kind;
    struct value record;

    if (!read_record(walk, kind, &record))
        return false;
    if (line->json != NULL)
        value_merge(&walk->arena, &record, line->json);
    if (!stand_in(walk, &record))
        return false;
    *got = story_do(walk->story, line->words[0], "open", NULL, said_again(walk, &record));
    if (*got == 200)
        value_set(&walk->arena, &walk->names, name,
                  value_str(arena_str(&walk->arena, story_reply(walk->story, "record"))));
    return true;
}

static void put_reason(struct walk *walk, struct value *args, const char *key, const char *text)
{
    struct value reason = value_map();
    uint8_t *hash = arena_take(&walk->arena, HASH_LEN);

    hex_decode(story_content(walk->story, text), hash, HASH_LEN);
    value_set(&walk->arena, &reason, "size", value_int((int64_t)strlen(text)));
    value_set(&walk->arena, &reason, "content", value_bin(hash, HASH_LEN));
    value_set(&walk->arena, args, key, reason);
}

static struct value event_args(struct walk *walk, const struct line *line,
                               const struct value *prepared)
{
    static const char *const texts[] = {"reason", "comment"};
    struct value args = line->json != NULL ? value_copy(&walk->arena, line->json) : value_map();
    bool is_given = value_get(&args, "reason") != NULL;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (value_is(value_get(&args, texts[i]), VALUE_STR))
            put_reason(walk, &args, texts[i], text_of(walk, value_get_text(&args, texts[i])));
    }
    if (!is_given && value_get_bool(prepared, "reason", false))
        put_reason(walk, &args, "reason", "As was agreed in the meeting of the security board.");
    return args;
}

static int give_event(struct walk *walk, const struct line *line)
{
    const char *who = line->words[0], *event = line->words[1], *id = id_of(walk, line->words[2]);
    const char *asked = arena_printf(&walk->arena, "{'record': '%s', 'event': '%s'}", id, event);
    const struct value *prepared = NULL;
    struct value given;
    const char *args;

    if (story_ask_status(walk->story, who, "prepare", asked) == 200)
        prepared = story_ask(walk->story, who, "prepare", asked);
    given = event_args(walk, line, prepared);
    args = said_again(walk, &given);
    if (value_get_bool(prepared, "needs_signature", false))
        return story_sign(walk->story, who, event, id, args);
    return story_do(walk->story, who, event, id, args);
}

static bool act(struct walk *walk, const struct line *line, int *got)
{
    struct value set = value_map();

    if (line->count < 3)
        return wrong(walk, "\"%s\" is no step; see walk.h", line->rest[0]);
    if (strcmp(line->words[1], "open") == 0)
        return open_record(walk, line, got);
    if (line->json != NULL && !stand_in(walk, line->json))
        return false;
    if (line->count > 3)
        return wrong(walk, "after the record comes JSON, or nothing; not \"%s\"", line->rest[3]);
    if (strcmp(line->words[1], "edit") != 0) {
        *got = give_event(walk, line);
        return true;
    }
    if (line->json == NULL)
        return wrong(walk, "edit what?");
    value_set(&walk->arena, &set, "set", *line->json);
    *got = story_do(walk->story, line->words[0], "edit", id_of(walk, line->words[2]),
                    said_again(walk, &set));
    return true;
}

static bool play_refused(struct walk *walk, const struct line *line)
{
    struct line rest = *line;
    char *code = arena_str(&walk->arena, line->count > 2 ? line->words[2] : "");
    int got = 0;

    if (line->count < 6 || code[strlen(code) - 1] != ':')
        return wrong(walk, "refused STATUS CODE: WHO EVENT NAME");
    code[strlen(code) - 1] = '\0';
    rest.count = line->count - 3;
    memmove(rest.words, rest.words + 3, sizeof rest.words[0] * (WORDS - 3));
    memmove(rest.rest, rest.rest + 3, sizeof rest.rest[0] * (WORDS - 3));
    return act(walk, &rest, &got) && expect(walk, got, atoi(line->words[1]), code);
}

/* ---- time, tasks ---- */

static bool play_pass(struct walk *walk, const struct line *line)
{
    if (line->count != 3 || atoi(line->words[1]) <= 0)
        return wrong(walk, "pass N days");
    story_pass(walk->story, atoi(line->words[1]));
    return true;
}

static bool play_at(struct walk *walk, const struct line *line)
{
    story_at(walk->story, line->words[1]);
    return true;
}

static bool play_until(struct walk *walk, const struct line *line)
{
    story_until(walk->story, line->words[1]);
    return true;
}

/* All rows whose keys begin with `prefix`, as [{key, row}], copied. */
static struct value rows_of(struct walk *walk, const char *prefix)
{
    struct core *core = story_core(walk->story);
    struct value rows = value_array(), copy;

    state_rows(core_state(core), slice_str(prefix), ROWS_LIMIT, &rows);
    copy = value_copy(&walk->arena, &rows);
    core_drop(core);
    return copy;
}

/* The oldest open task of this service and record, or -1. With a message: the notice to this person; without: never a
 * notice. */
static int64_t find_task(struct walk *walk, const char *service, const char *record,
                         const char *person, const char *message)
{
    struct value rows = rows_of(walk, "task/");
    int64_t first = -1;

    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row"),
                           *input = value_get(row, "input");
        int64_t number = task_number(value_get_text(&rows.as.items[i], "key"));

        if (!slice_is(value_get_text(row, "service"), service) ||
            !slice_is(value_get_text(row, "record"), record) ||
            !slice_is(value_get_text(row, "state"), "open") ||
            slice_is(value_get_text(input, "make"), "notice") != (message != NULL) ||
            (person != NULL && !slice_is(value_get_text(input, "person"), person)) ||
            (message != NULL && !slice_is(value_get_text(input, "message"), message)))
            continue;
        if (first < 0 || number < first)
            first = number;
    }
    return first;
}

static bool play_task(struct walk *walk, const struct line *line)
{
    int64_t task;

    if (line->count != 4 || row_of(walk, line->words[2]) == NULL)
        return line->count == 4 ? false : wrong(walk, "task SERVICE NAME STATUS");
    task = find_task(walk, line->words[1], id_of(walk, line->words[2]), NULL, NULL);
    if (task < 0)
        return wrong(walk, "%s has no open task of %s", line->words[2], line->words[1]);
    return expect(walk, story_settle(walk->story, task, atoi(line->words[3]), 0), 200, "");
}

static bool play_told(struct walk *walk, const struct line *line)
{
    int64_t task;

    if (line->count != 4)
        return wrong(walk, "told WHO NAME MESSAGE");
    task = find_task(walk, "communication.deliver", id_of(walk, line->words[2]), line->words[1],
                     line->words[3]);
    if (task < 0)
        return wrong(walk, "%s was not told of %s with the message %s", line->words[1],
                     line->words[2], line->words[3]);
    return expect(walk, story_settle(walk->story, task, 200, 0), 200, "");
}

static bool play_untold(struct walk *walk, const struct line *line)
{
    if (line->count != 4)
        return wrong(walk, "untold WHO NAME MESSAGE");
    return find_task(walk, "communication.deliver", id_of(walk, line->words[2]), line->words[1],
                     line->words[3]) < 0 ||
           wrong(walk, "%s was told of %s", line->words[1], line->words[2]);
}

/* ---- what came of it ---- */

static const char *shown(struct walk *walk, const struct value *value)
{
    if (value == NULL)
        return "";
    return value->type == VALUE_STR ? text_of(walk, value_slice(value))
                                    : value_show(&walk->arena, value);
}

static const struct value *field_of(struct walk *walk, const struct value *row, struct slice name)
{
    const struct value *got = value_find(value_get(row, "fields"), name);
    struct value *read = arena_take(&walk->arena, sizeof *read);

    if (got == NULL)
        return NULL;
    *read = client_read(walk->story, text_of(walk, value_get_text(row, "kind")),
                        text_of(walk, name), got);
    return read;
}

static bool compare(struct walk *walk, const char *what, const struct value *got,
                    const char *wanted)
{
    if (strcmp(shown(walk, got), wanted) == 0)
        return true;
    return wrong(walk, "%s is \"%s\", not \"%s\"", what, shown(walk, got), wanted);
}

static bool play_state(struct walk *walk, const struct line *line)
{
    const struct value *row;

    if (line->count != 3)
        return wrong(walk, "state NAME STATE");
    row = row_of(walk, line->words[1]);
    return row != NULL && compare(walk, line->words[1], value_get(row, "state"), line->words[2]);
}

static const char *wanted_of(struct walk *walk, const struct line *line)
{
    const char *wanted = line->count > 3 ? line->rest[3] : "";

    if (line->json != NULL)
        return value_show(&walk->arena, line->json);
    return wanted[0] == '$' ? id_of(walk, wanted) : wanted;
}

static bool play_field(struct walk *walk, const struct line *line)
{
    const struct value *row;

    if (line->count < 3)
        return wrong(walk, "field NAME FIELD VALUE");
    row = row_of(walk, line->words[1]);
    return row != NULL &&
           compare(walk, line->words[2], field_of(walk, row, slice_str(line->words[2])),
                   wanted_of(walk, line));
}

static bool play_fact(struct walk *walk, const struct line *line)
{
    const struct value *row;

    if (line->count < 3)
        return wrong(walk, "fact NAME KEY VALUE");
    row = row_of(walk, line->words[1]);
    return row != NULL &&
           compare(walk, line->words[2], value_get(row, line->words[2]), wanted_of(walk, line));
}

static const struct kind *kind_of(struct walk *walk, const char *name)
{
    const struct kind *kind =
        pack_kind(core_current_pack(story_core(walk->story)), slice_str(name));

    if (kind == NULL)
        wrong(walk, "there is no kind %s", name);
    return kind;
}

static bool has_fields(struct walk *walk, const struct value *row, const struct value *wanted)
{
    for (uint32_t i = 0; wanted != NULL && i < wanted->count; i++) {
        const struct value *got = field_of(walk, row, wanted->as.pairs[i].key);

        if (got == NULL || !value_equal(got, &wanted->as.pairs[i].value))
            return false;
    }
    return true;
}

static bool play_exists(struct walk *walk, const struct line *line)
{
    const struct kind *kind = line->count > 1 ? kind_of(walk, line->words[1]) : NULL;
    struct value rows;
    int64_t newest = -1;

    if (kind == NULL)
        return line->count > 1 ? false : wrong(walk, "exists KIND [as NAME]");
    rows = rows_of(walk, arena_printf(&walk->arena, "%s-", kind->prefix));
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");
        int64_t made = value_get_int(row, "created_ms", -1);

        if (!slice_is(value_get_text(row, "kind"), kind->name) || made < newest ||
            slice_is(value_get_text(row, "via"), "person") || !has_fields(walk, row, line->json))
            continue;
        newest = made;
        value_set(&walk->arena, &walk->names, line->count == 4 ? line->words[3] : line->words[1],
                  value_str(text_of(walk, value_get_text(&rows.as.items[i], "key"))));
    }
    return newest >= 0 || wrong(walk, "no such %s was started", kind->name);
}

static bool play_count(struct walk *walk, const struct line *line)
{
    const struct kind *kind = line->count == 3 ? kind_of(walk, line->words[1]) : NULL;
    struct value rows;
    int count = 0;

    if (kind == NULL)
        return line->count == 3 ? false : wrong(walk, "count KIND N");
    rows = rows_of(walk, arena_printf(&walk->arena, "%s-", kind->prefix));
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");

        count += slice_is(value_get_text(row, "kind"), kind->name) &&
                 value_get(row, "state") != NULL && value_get(row, "created_ms") != NULL;
    }
    return count == atoi(line->words[2]) ||
           wrong(walk, "there are %d records of %s, not %s", count, kind->name, line->words[2]);
}

static bool play_may(struct walk *walk, const struct line *line)
{
    if (line->count != 2 || strcmp(line->words[1], "park") != 0)
        return wrong(walk, "may park");
    story_may_park(walk->story);
    return true;
}

static bool play_parked(struct walk *walk, const struct line *line)
{
    struct value rows = rows_of(walk, "task/");
    const char *record = line->count == 3 ? id_of(walk, line->words[1]) : NULL;

    if (record == NULL)
        return wrong(walk, "parked NAME EVENT");
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = value_get(&rows.as.items[i], "row");

        if (slice_is(value_get_text(row, "service"), "rota.follow") &&
            slice_is(value_get_text(row, "state"), "parked") &&
            slice_is(value_get_text(row, "record"), record) &&
            slice_starts(value_get_text(row, "note"),
                         arena_printf(&walk->arena, "%s: ", line->words[2])))
            return true;
    }
    return wrong(walk, "no %s of %s is parked", line->words[2], record);
}

/* ---- steps ---- */

static bool play_let(struct walk *walk, const struct line *line)
{
    if (line->count != 3 && (line->count != 2 || line->json == NULL))
        return wrong(walk, "let NAME VALUE, or JSON");
    value_set(&walk->arena, &walk->names, line->words[1],
              line->json != NULL ? *line->json : value_str(line->words[2]));
    return true;
}

static bool play_include(struct walk *walk, const struct line *line)
{
    const char *file = arena_printf(&walk->arena, "tests/pack/walks/%s", line->words[1]);
    const char *text = walk_text(&walk->arena, file), *outer = walk->file;
    int at = walk->line;

    if (text == NULL)
        return wrong(walk, "%s cannot be read", file);
    if (walk->depth == INCLUDES_MAX)
        return wrong(walk, "files that include each other");
    walk->depth++;
    if (!walk_play(walk, file, text))
        return false;
    walk->depth--;
    walk->file = outer;
    walk->line = at;
    return true;
}

static const struct {
    const char *word;
    bool (*play)(struct walk *walk, const struct line *line);
} steps[] = {
    {"at", play_at},           {"until", play_until},   {"pass", play_pass},
    {"refused", play_refused}, {"task", play_task},     {"told", play_told},
    {"untold", play_untold},   {"state", play_state},   {"field", play_field},
    {"fact", play_fact},       {"exists", play_exists}, {"count", play_count},
    {"may", play_may},         {"parked", play_parked}, {"let", play_let},
    {"include", play_include},
};

static bool play_line(struct walk *walk, char *text)
{
    struct line line;
    int got = 0;

    wrong(walk, "%s", text);
    if (!read_line(walk, text, &line))
        return false;
    if (line.count < 2)
        return wrong(walk, "\"%s\" is no step; see walk.h", text);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strcmp(line.words[0], steps[i].word) == 0)
            return steps[i].play(walk, &line);
    }
    return act(walk, &line, &got) && is_done(walk, got);
}

/* A line without its comment and what surrounds it. */
static void strip(char *line)
{
    char *comment = line[0] == '#' ? line : strstr(line, " #");
    size_t len;

    if (comment != NULL)
        *comment = '\0';
    for (len = strlen(line); len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'); len--)
        line[len - 1] = '\0';
}

bool walk_play(struct walk *walk, const char *file, const char *text)
{
    struct buf whole = BUF_EMPTY;
    bool is_right = true;

    walk->file = file;
    walk->line = 0;
    while (*text != '\0' && is_right) {
        size_t len = strcspn(text, "\n");
        char *line = arena_copy(&walk->arena, text, len);

        text += len + (text[len] == '\n');
        walk->line++;
        strip(line);
        len = strlen(line);
        if (len > 0 && line[len - 1] == '\\') {
            line[len - 1] = '\0';
            buf_add_str(&whole, line);
            continue;
        }
        buf_add_str(&whole, line);
        if (buf_slice(&whole).len > strspn(buf_text(&whole), " \t"))
            is_right = play_line(walk, arena_str(&walk->arena, buf_text(&whole)));
        buf_clear(&whole);
    }
    buf_release(&whole);
    return is_right;
}

struct walk *walk_begin(void)
{
    struct walk *walk = calloc(1, sizeof *walk);

    assert_non_null(walk);
    walk->story = story_begin_among("workflows", "config/sample/directory.cfg");
    walk->names = value_map();
    return walk;
}

const char *walk_problem(const struct walk *walk)
{
    return walk->problem;
}

struct story *walk_story(struct walk *walk)
{
    return walk->story;
}

void walk_end(struct walk *walk)
{
    story_end(walk->story);
    arena_release(&walk->arena);
    free(walk);
}
