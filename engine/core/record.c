/* record.c - records: found, opened, edited, checked, digested. */
#include "core/inside.h"

#include "base/check.h"

enum { TITLE_MAX = RECORD_TITLE_MAX, MISSING_SHOWN = 20, LINKS_MAX = 4000 };

struct slice record_version(struct slice id)
{
    const uint8_t *at = id.len > 0 ? memchr(id.at, '@', id.len) : NULL;

    return at == NULL ? slice_of(NULL, 0) : slice_of(at + 1, id.len - (size_t)(at + 1 - id.at));
}

struct slice record_base(struct slice id)
{
    const uint8_t *at = id.len > 0 ? memchr(id.at, '@', id.len) : NULL;

    return at == NULL ? id : slice_of(id.at, (size_t)(at - id.at));
}

const struct value *record_field(const struct subject *subject, const char *name)
{
    return value_get(value_get(subject->row, "fields"), name);
}

bool subject_find(struct core *core, struct slice record, struct subject *out)
{
    const struct value *row;
    const struct pack *pack;
    int64_t round;

    if (record.len == 0 || record.len > RECORD_ID_MAX || memchr(record.at, '/', record.len) != NULL)
        return false;
    row = state_row(core->state, record);
    /* `SCP-0001` is the document: its latest version is meant. */
    if (row != NULL && value_get(row, "latest") != NULL) {
        struct slice latest = value_get_text(row, "latest");

        record = textf(core, "%.*s@%.*s", (int)record.len, (const char *)record.at, (int)latest.len,
                       (const char *)latest.at);
        row = state_row(core->state, record);
    }
    if (row == NULL || value_get(row, "kind") == NULL || value_get(row, "pack") == NULL)
        return false;
    pack = core_pack(core, value_get_bin(row, "pack"));
    if (pack == NULL)
        return false;
    *out = (struct subject){keep_text(core, record), row,
                            pack_kind(pack, value_get_text(row, "kind")), NULL};
    if (out->kind == NULL)
        return false;
    round = value_get_int(row, "round", 0);
    if (round > 0)
        out->round = state_rowf(core->state, "%.*s/round/%lld", (int)record.len,
                                (const char *)record.at, (long long)round);
    return true;
}

int subject_of(struct core *core, struct slice record, struct subject *out)
{
    if (record.len == 0)
        return run_refuse(core, 400, "malformed", "This command needs a record.");
    if (!subject_find(core, record, out))
        return run_refuse(core, 404, "no-record", "There is no record %.*s%s",
                          (int)(record.len < RECORD_ID_MAX ? record.len : RECORD_ID_MAX),
                          (const char *)record.at, record_hint(core, record, NULL));
    return 0;
}

/* ---- fields ---- */

static int refuse_field(struct core *core, const struct field *field, const char *what)
{
    return run_refuse(core, 422, "guard-failed", "Field %s: %s.", field->name, what);
}

static int refuse_bounds(struct core *core, const struct field *field)
{
    if (field->max != 0)
        return run_refuse(core, 422, "guard-failed",
                          "Field %s: a whole number from %lld to %lld is expected.", field->name,
                          (long long)field->min, (long long)field->max);
    return run_refuse(core, 422, "guard-failed",
                      "Field %s: a whole number of at least %lld is expected.", field->name,
                      (long long)field->min);
}

static bool is_one_of(const struct words *words, struct slice text)
{
    return words->count == 0 || words_have(words, text);
}

static int check_text(struct core *core, const struct field *field, const struct value *value)
{
    if (value->type != VALUE_STR)
        return refuse_field(core, field, "a text is expected");
    if (value->count > INLINE_MAX)
        return refuse_field(core, field,
                            field->type == FIELD_LONGTEXT
                                ? "texts over 1,024 bytes go up with content.put"
                                : "longer than 1,024 bytes");
    if (field->max > 0 && (int64_t)value->count > field->max * 4)
        return refuse_field(core, field, "longer than the definition allows");
    if (field->type == FIELD_ENUM && !is_one_of(&field->of, value_slice(value))) {
        struct slice allowed = slice_str("");

        for (int i = 0; i < field->of.count; i++)
            allowed =
                textf(core, "%s%s%s", (const char *)allowed.at, i > 0 ? ", " : "", field->of.at[i]);
        return run_refuse(core, 422, "guard-failed", "Field %s: \"%.*s\" is none of %s.",
                          field->name, (int)value->count, value->as.text, (const char *)allowed.at);
    }
    return 0;
}

static int check_row(struct core *core, const struct field *table, const struct value *row)
{
    if (row->type != VALUE_MAP)
        return refuse_field(core, table, "each row is a group of columns");
    for (uint32_t i = 0; i < row->count; i++) {
        const struct field *column = NULL;

        for (int c = 0; c < table->column_count && column == NULL; c++) {
            if (slice_is(row->as.pairs[i].key, table->columns[c].name))
                column = &table->columns[c];
        }
        if (column == NULL)
            return run_refuse(core, 422, "guard-failed", "Field %s has no column %.*s%s",
                              table->name, (int)row->as.pairs[i].key.len,
                              (const char *)row->as.pairs[i].key.at,
                              or_stop(field_hint(core, table->columns, table->column_count,
                                                 row->as.pairs[i].key)));
    }
    return 0;
}

static int check_field(struct core *core, const struct field *field, const struct value *value);

/* What the cells of a table that was put up name stands beside its hash: an entry names what it holds. */
static int check_holds(struct core *core, const struct field *field, const struct value *value,
                       const struct value *rows)
{
    struct value holds = table_holds(core->arena, rows), none = value_array();
    const struct value *given = value_get(value, "holds");

    if (!is_content_ref(value) || !field_has_files(field))
        return 0;
    return value_equal(&holds, given != NULL ? given : &none)
               ? 0
               : refuse_field(core, field,
                              "the files that its rows name stand under \"holds\" beside the "
                              "content, in the order of the rows, each once");
}

static int check_table(struct core *core, const struct field *field, const struct value *value)
{
    struct value rows = inlined(core, field, value);

    if (rows.type != VALUE_ARRAY)
        return refuse_field(core, field, "a list of rows is expected");
    if (check_holds(core, field, value, &rows) != 0)
        return -1;
    if (field->max > 0 && (int64_t)rows.count > field->max)
        return refuse_field(core, field, "more rows than the definition allows");
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct value *row = &rows.as.items[i];

        if (check_row(core, field, row) != 0)
            return -1;
        for (int c = 0; c < field->column_count; c++) {
            const struct value *cell = value_get(row, field->columns[c].name);

            if (cell != NULL && check_field(core, &field->columns[c], cell) != 0)
                return -1;
        }
    }
    return 0;
}

static int check_date(struct core *core, const struct field *field, const struct value *value)
{
    int32_t date;

    if (value->type != VALUE_STR || date_parse(value_slice(value), &date) != 0)
        return refuse_field(core, field, "a date is expected, as 2026-11-30");
    return 0;
}

static int check_person(struct core *core, const struct field *field, const struct value *value)
{
    struct slice name = value_slice(value);

    if (value->type != VALUE_STR)
        return refuse_field(core, field, "the name of somebody in the directory is expected");
    if (authority_person(core, name) == NULL)
        return run_refuse(core, 422, "guard-failed", "Field %s: %.*s is not in the directory%s",
                          field->name, (int)name.len, (const char *)name.at,
                          or_stop(person_hint(core, name)));
    return 0;
}

/* A text that was put up is as short as one that stands in the command. */
static int check_put_up_text(struct core *core, const struct field *field,
                             const struct value *value)
{
    struct value text = inlined(core, field, value);

    return check_text(core, field, &text);
}

static bool is_held_by_somebody(struct core *core, struct slice role)
{
    const struct value *people = authority_directory(core);

    for (uint32_t i = 0; i < people->count; i++) {
        if (value_has_text(value_get(&people->as.items[i], "roles"), role))
            return true;
    }
    return false;
}

/* A role of the workflows that count, or one that somebody holds who is in the directory. */
static int check_group(struct core *core, const struct field *field, const struct value *value)
{
    const struct pack *pack = core_current_pack(core);
    struct slice name = value_slice(value);

    if (value->type != VALUE_STR)
        return refuse_field(core, field, "the name of a role is expected");
    if ((pack != NULL && pack_role(pack, name) != NULL) || is_held_by_somebody(core, name))
        return 0;
    return run_refuse(core, 422, "guard-failed", "Field %s: there is no role \"%.*s\"%s",
                      field->name, (int)(name.len < NAME_MAX_LEN ? name.len : NAME_MAX_LEN),
                      (const char *)name.at, or_stop(role_hint(core, name)));
}

static int check_one(struct core *core, const struct field *field, const struct value *value)
{
    switch (field->type) {
    case FIELD_TEXT:
        return field->erasable && is_content_ref(value) ? check_put_up_text(core, field, value)
                                                        : check_text(core, field, value);
    case FIELD_ENUM:
    case FIELD_DURATION:
        return check_text(core, field, value);
    case FIELD_GROUP:
        return check_group(core, field, value);
    case FIELD_REF:
        return value->type == VALUE_STR
                   ? record_check_reference(core, field, value_slice(value))
                   : refuse_field(core, field, "the id of a record is expected, as FND-0001");
    case FIELD_LONGTEXT:
        return is_content_ref(value) ? 0 : check_text(core, field, value);
    case FIELD_INT:
        if (value->type != VALUE_INT)
            return refuse_field(core, field, "a whole number is expected");
        if ((field->min != 0 || field->max != 0) &&
            (value->as.number < field->min || (field->max != 0 && value->as.number > field->max)))
            return refuse_bounds(core, field);
        return 0;
    case FIELD_DATETIME:
        if (value->type != VALUE_INT)
            return refuse_field(core, field, "a moment is expected, in milliseconds since 1970");
        return 0;
    case FIELD_BOOL:
        return value->type == VALUE_BOOL ? 0 : refuse_field(core, field, "yes or no is expected");
    case FIELD_DATE:
        return check_date(core, field, value);
    case FIELD_PERSON:
        return check_person(core, field, value);
    case FIELD_FILE:
        if (!is_content_ref(value) || value_get_text(value, "name").len == 0)
            return refuse_field(core, field, "a file that went up with content.put is expected");
        return 0;
    case FIELD_TABLE:
        return check_table(core, field, value);
    }
    return 0;
}

static int check_field(struct core *core, const struct field *field, const struct value *value)
{
    if (!field->list)
        return check_one(core, field, value);
    if (value->type != VALUE_ARRAY)
        return refuse_field(core, field, "a list is expected");
    for (uint32_t i = 0; i < value->count; i++) {
        if (check_one(core, field, &value->as.items[i]) != 0)
            return -1;
    }
    return 0;
}

int record_check_put_up(struct core *core, const struct kind *kind, const struct value *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct pair *pair = &fields->as.pairs[i];
        const struct field *field = kind_field(kind, pair->key);

        if (field != NULL && field->erasable && !is_empty_value(&pair->value) &&
            !is_content_ref(&pair->value))
            return refuse_field(core, field,
                                "it can be erased, so it does not stand in the command: put it up "
                                "with content.put and name it");
    }
    return 0;
}

static int refuse_unknown(struct core *core, const struct kind *kind, struct slice name)
{
    const struct pack *pack = core_current_pack(core);
    const struct kind *now = pack != NULL ? pack_kind(pack, slice_str(kind->name)) : NULL;
    bool is_newer = now != NULL && now != kind && kind_field(now, name) != NULL;

    return run_refuse(core, 422, "guard-failed", "%s: there is no field %.*s%s", kind->title,
                      (int)name.len, (const char *)name.at,
                      is_newer ? " in the workflows that it follows; those that count now have it, "
                                 "and a migration moves it there."
                               : or_stop(field_hint(core, kind->fields, kind->field_count, name)));
}

int record_check_fields(struct core *core, const struct kind *kind, const struct value *fields,
                        bool by_person)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct pair *pair = &fields->as.pairs[i];
        const struct field *field = kind_field(kind, pair->key);

        if (field == NULL)
            return refuse_unknown(core, kind, pair->key);
        if (by_person && field->computed)
            return refuse_field(core, field, "is kept by the engine and cannot be set");
        if (pair->value.type != VALUE_NIL && check_field(core, field, &pair->value) != 0)
            return -1;
    }
    return by_person ? record_check_put_up(core, kind, fields) : 0;
}

struct missing {
    struct slice names; /* as a sentence lists them */
    int count;
};

static void add_missing(struct core *core, struct missing *missing, struct slice name)
{
    if (missing->count++ >= MISSING_SHOWN)
        return;
    missing->names =
        textf(core, "%.*s%s%.*s", (int)missing->names.len, (const char *)missing->names.at,
              missing->count > 1 ? ", " : "", (int)name.len, (const char *)name.at);
}

/* Too few rows, and what a row must have. */
static void missing_of_table(struct core *core, const struct field *field,
                             const struct value *value, struct missing *missing)
{
    struct value rows = value != NULL ? inlined(core, field, value) : value_array();

    if (value == NULL || field->type != FIELD_TABLE || rows.type != VALUE_ARRAY)
        return;
    if ((int64_t)rows.count < field->min)
        add_missing(core, missing,
                    textf(core, "%s (%lld rows at least)", field->name, (long long)field->min));
    for (uint32_t i = 0; i < rows.count; i++) {
        for (int c = 0; c < field->column_count; c++) {
            const struct field *column = &field->columns[c];

            if (column->required && is_empty_value(value_get(&rows.as.items[i], column->name)))
                add_missing(core, missing,
                            textf(core, "%s[%u].%s", field->name, i + 1, column->name));
        }
    }
}

static int check_need(struct core *core, const struct subject *subject, const struct need *need,
                      const char *event)
{
    struct slice who;
    const char *word, *rule = need->rule != NULL ? need->rule : NEED_RULE;

    if (need->when != NULL)
        return scope_holds(core, need->when, subject, slice_str(event), core->question->principal,
                           NULL, NULL)
                   ? 0
                   : run_refuse(core, 422, "guard-failed", "%s", need->says);
    if (authority_apart(core, subject, need, &who, &word))
        return 0;
    return run_refuse_apart(core, rule,
                            "%.*s stands as \"%s\" and may not be named here (%s: separation of "
                            "duties). %s",
                            (int)who.len, (const char *)who.at, word, rule,
                            need->says != NULL ? need->says : "Name somebody else.");
}

static int check_required(struct core *core, const struct subject *subject, const char *event)
{
    struct slice actor = core->question->principal;
    struct missing missing = {slice_str(""), 0};

    for (int i = 0; i < subject->kind->field_count; i++) {
        const struct field *field = &subject->kind->fields[i];
        bool wanted = field->required;

        if (!wanted && field->required_if != NULL)
            wanted =
                scope_holds(core, field->required_if, subject, slice_str(event), actor, NULL, NULL);
        if (wanted && !field->computed && is_empty_value(record_field(subject, field->name)))
            add_missing(core, &missing, slice_str(field->name));
        else
            missing_of_table(core, field, record_field(subject, field->name), &missing);
    }
    if (missing.count > 0)
        return run_refuse(core, 422, "guard-failed",
                          "%.*s is not complete; still needed: %.*s%s. Use `rota edit`.",
                          (int)subject->id.len, (const char *)subject->id.at,
                          (int)missing.names.len, (const char *)missing.names.at,
                          missing.count > MISSING_SHOWN ? " and more" : "");
    return 0;
}

int record_check_complete(struct core *core, const struct subject *subject,
                          const struct transition *transition)
{
    const char *event = transition->event;

    if (transition->needs_fields && check_required(core, subject, event) != 0)
        return -1;
    for (int i = 0; i < subject->kind->need_count; i++) {
        const struct need *need = &subject->kind->needs[i];

        if (words_have(&need->before, slice_str(event)) &&
            check_need(core, subject, need, event) != 0)
            return -1;
    }
    return 0;
}

/* ---- digest ---- */

void record_digest(struct core *core, struct slice id, const struct kind *kind, struct slice title,
                   const struct value *fields, struct slice pack, uint8_t out[HASH_LEN])
{
    struct buf bytes = BUF_EMPTY;
    struct value content = value_map();

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct pair *pair = &fields->as.pairs[i];
        const struct field *field = kind_field(kind, pair->key);

        if (field == NULL || field_is_content(field))
            value_put(core->arena, &content, pair->key, pair->value);
    }
    value_set(core->arena, &content, "title", value_text(title));
    buf_add_str(&bytes, "rota.record/1\n");
    dmp_put_array(&bytes, 4);
    dmp_put_str(&bytes, record_base(id));
    dmp_put_str(&bytes, record_version(id));
    dmp_put_bin(&bytes, pack);
    dmp_encode(&bytes, &content);
    hash_bytes(buf_slice(&bytes), out);
    buf_release(&bytes);
}

void record_put_digest(struct core *core, const struct subject *subject, const struct value *after,
                       struct value *own)
{
    uint8_t *digest = arena_take(core->arena, HASH_LEN);

    record_digest(core, subject->id, subject->kind, value_get_text(after, "title"),
                  value_get(after, "fields"), value_get_bin(after, "pack"), digest);
    if (!slice_equal(value_get_bin(after, "digest"), slice_of(digest, HASH_LEN)))
        value_set(core->arena, own, "digest", value_bin(digest, HASH_LEN));
}

/* ---- opening ---- */

struct slice record_new_id(struct core *core, const struct kind *kind, struct value *effects)
{
    int64_t n = run_next_number(core, effects, kind->prefix);

    if (kind->lifecycle->versioned)
        return textf(core, "%s-%04lld@1.0", kind->prefix, (long long)n);
    return textf(core, "%s-%04lld", kind->prefix, (long long)n);
}

static struct slice first_owner(struct core *core, const struct subject *subject,
                                struct slice fallback)
{
    struct value people = value_array();

    authority_people_of(core, subject, &subject->kind->owner, &people);
    if (people.count == 0 || value_has_text(&people, fallback))
        return fallback;
    return value_slice(&people.as.items[0]);
}

static void put_presets(struct core *core, const struct kind *kind, struct value *fields)
{
    for (int i = 0; i < kind->field_count; i++) {
        const struct field *field = &kind->fields[i];

        if (field->preset.type != VALUE_NIL && value_get(fields, field->name) == NULL)
            value_set(core->arena, fields, field->name, field->preset);
    }
}

/* The facts that a record is born with, as the patch of its own row. */
static struct value birth(struct core *core, const struct kind *kind, struct slice id,
                          struct slice title, const struct value *fields, const struct value *links,
                          struct slice author, struct slice via)
{
    const struct pack *pack = core_current_pack(core);
    struct slice version = record_version(id);
    struct value own = value_map(), editors = value_array();
    struct subject subject = {id, &own, kind, NULL};
    uint8_t *digest = arena_take(core->arena, HASH_LEN);
    struct slice digest_of_pack = slice_of(pack->digest, HASH_LEN);

    value_set(core->arena, &own, "kind", value_str(kind->name));
    value_set(core->arena, &own, "title", value_text(title));
    if (version.len > 0)
        value_set(core->arena, &own, "version", value_text(version));
    value_set(core->arena, &own, "fields", *fields);
    value_set(core->arena, &own, "pack", value_bin(pack->digest, HASH_LEN));
    value_set(core->arena, &own, "author", value_text(author));
    if (!slice_is(author, "engine"))
        value_push(core->arena, &editors, value_text(author));
    value_set(core->arena, &own, "editors", editors);
    value_set(core->arena, &own, "created_ms", value_int(core->now_ms));
    value_set(core->arena, &own, "via", value_text(via));
    if (links != NULL && links->count > 0)
        value_set(core->arena, &own, "links", *links);
    value_set(core->arena, &own, "owner", value_text(first_owner(core, &subject, author)));
    record_digest(core, id, kind, title, fields, digest_of_pack, digest);
    value_set(core->arena, &own, "digest", value_bin(digest, HASH_LEN));
    return own;
}

static const struct transition *creating(const struct kind *kind)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        if (kind->lifecycle->transitions[i].creates)
            return &kind->lifecycle->transitions[i];
    }
    return NULL;
}

void record_link(struct core *core, struct slice id, struct slice other, const char *as,
                 const char *back, struct value *own, struct value *effects)
{
    if (state_row(core->state, other) == NULL || slice_equal(id, other))
        return;
    value_put(core->arena, value_sub(core->arena, own, slice_str("links")), other, value_str(as));
    value_put(core->arena,
              value_sub(core->arena, run_patch(core, effects, other), slice_str("links")), id,
              value_str(back));
}

/* The other end of each link names this record too. */
static void link_back(struct core *core, struct slice id, const struct value *links,
                      struct value *effects)
{
    for (uint32_t i = 0; links != NULL && i < links->count; i++) {
        const struct pair *link = &links->as.pairs[i];
        struct value *other, *names;

        if (state_row(core->state, link->key) == NULL)
            continue;
        other = run_patch(core, effects, link->key);
        names = value_sub(core->arena, other, slice_str("links"));
        value_put(core->arena, names, id,
                  value_str(slice_is(value_slice(&link->value), "triggered_by") ? "triggers"
                            : slice_is(value_slice(&link->value), "supersedes") ? "superseded_by"
                                                                                : "linked_from"));
    }
}

static int refuse_title(struct core *core)
{
    return run_refuse(core, 422, "guard-failed",
                      "A title of 1 to %d bytes is needed, on one line and not of blanks alone.",
                      TITLE_MAX);
}

/* A title that a person gives. It stands in what others sign: a blank one says nothing, and a line end, or another control
 * character (C0, DEL and C1), makes it look like something else. */
static int check_title(struct core *core, struct slice title)
{
    bool is_blank = true;

    for (size_t i = 0; i < title.len; i++) {
        uint8_t byte = title.at[i], next = i + 1 < title.len ? title.at[i + 1] : 0;

        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next < 0xa0))
            return refuse_title(core);
        is_blank = is_blank && byte == ' ';
    }
    return is_blank || title.len > TITLE_MAX ? refuse_title(core) : 0;
}

int record_create(struct core *core, const struct kind *kind, const struct author *author,
                  const struct value *body, struct slice id, struct slice title,
                  const struct value *fields, const struct value *links, const struct value *extra,
                  struct slice via, struct value *more_effects)
{
    struct value all = value_copy(core->arena, fields);
    struct move move = {0};
    struct value own;

    if (title.len == 0 || title.len > TITLE_MAX)
        return refuse_title(core);
    if (id.len > RECORD_ID_MAX)
        return run_refuse(core, 413, "too-large",
                          "%.*s would be an id of more than the %d characters that one may have: "
                          "kind %s has used up its numbers. Go on in another kind, or under "
                          "another prefix.",
                          (int)id.len, (const char *)id.at, RECORD_ID_MAX, kind->name);
    put_presets(core, kind, &all);
    fields_keep_away(core, kind, &all);
    own = birth(core, kind, id, title, &all, links, author->actor, via);
    for (uint32_t i = 0; extra != NULL && i < extra->count; i++)
        value_put(core->arena, &own, extra->as.pairs[i].key, extra->as.pairs[i].value);
    if (kind->lifecycle->versioned)
        value_set(core->arena, run_patch(core, more_effects, record_base(id)), "latest",
                  value_text(record_version(id)));
    link_back(core, id, links, more_effects);
    move.subject = (struct subject){id, NULL, kind, NULL};
    move.transition = creating(kind);
    check(move.transition != NULL);
    move.author = *author;
    move.args = body;
    move.type = slice_str("record.open");
    move.own = own;
    move.effects = *more_effects;
    return move_make(core, &move);
}

static const struct kind *kind_asked_for(struct core *core, const struct value *args)
{
    struct slice name = value_get_text(args, "kind");
    const struct pack *pack = core_current_pack(core);
    const struct kind *kind = pack != NULL ? pack_kind(pack, name) : NULL;

    if (!value_is(value_get(args, "kind"), VALUE_STR))
        run_refuse(core, 400, "malformed", "\"open\" needs a kind; `rota open` lists them.");
    else if (kind == NULL)
        run_refuse(core, 404, "no-record", "There is no kind \"%.*s\"%s `rota open` lists them.",
                   (int)name.len, (const char *)name.at, or_stop(kind_hint(core, name)));
    return kind;
}

/* Links that a person gives: [[type, record]...] or {record: type}. Only to records that exist, and of no type that
 * the engine itself gives a meaning to. */
static int given_links(struct core *core, const struct value *links, struct value *out)
{
    *out = value_map();
    if (links != NULL && links->type != VALUE_ARRAY && links->type != VALUE_MAP)
        return run_refuse(core, 400, "malformed", "\"links\" is a list of [type, record].");
    for (uint32_t i = 0; links != NULL && i < links->count; i++) {
        const struct value *pair = links->type == VALUE_ARRAY ? &links->as.items[i] : NULL;
        bool is_pair = value_is(pair, VALUE_ARRAY) && pair->count == 2;
        struct slice record = pair == NULL ? links->as.pairs[i].key
                              : is_pair    ? value_slice(&pair->as.items[1])
                                           : slice_of(NULL, 0);
        struct slice type = pair == NULL ? value_slice(&links->as.pairs[i].value)
                            : is_pair    ? value_slice(&pair->as.items[0])
                                         : slice_of(NULL, 0);
        struct subject other;

        if (type.len == 0 || type.len > NAME_MAX_LEN || slice_is(type, "triggered_by") ||
            slice_is(type, "triggers") || slice_is(type, "supersedes") ||
            slice_is(type, "superseded_by"))
            return run_refuse(
                core, 422, "guard-failed",
                "A link is [type, record], with a type that the engine does not use.");
        if (subject_of(core, record, &other) != 0)
            return -1;
        if (value_is(value_get(other.row, "links"), VALUE_MAP) &&
            value_get(other.row, "links")->count >= LINKS_MAX)
            return run_refuse(core, 422, "guard-failed", "%.*s has %d links; it takes no more.",
                              (int)other.id.len, (const char *)other.id.at, LINKS_MAX);
        value_put(core->arena, out, other.id, value_text(type));
    }
    return 0;
}

int record_open(struct core *core, const struct question *question)
{
    const struct value *args = question->args, *fields = value_get(args, "fields");
    const struct kind *kind = kind_asked_for(core, args);
    struct author author = run_principal(core);
    struct value none = value_map(), effects = value_map(), extra = value_map(), links;
    struct slice owner = value_get_text(args, "owner"), person;
    struct subject subject;
    const char *sentence = "";
    enum permission permission;

    if (kind == NULL)
        return -1;
    subject = (struct subject){slice_of(NULL, 0), NULL, kind, NULL};
    if (question_for(core, question, &person) != 0)
        return -1;
    permission = person.len > 0 ? authority_in_place(core, question->principal, person, &subject,
                                                     creating(kind), &sentence, NULL)
                                : authority_transition(core, question->principal, &subject,
                                                       creating(kind), &sentence);
    if (permission != PERMIT)
        return refuse_permission(core, permission, sentence);
    if (fields == NULL)
        fields = &none;
    if (fields->type != VALUE_MAP)
        return run_refuse(core, 400, "malformed", "\"fields\" is a map of field names to values.");
    if (check_title(core, value_get_text(args, "title")) != 0 ||
        record_check_fields(core, kind, fields, true) != 0 ||
        given_links(core, value_get(args, "links"), &links) != 0)
        return -1;
    if (owner.len > 0 && authority_person(core, owner) == NULL)
        return run_refuse(core, 422, "guard-failed", "The owner %.*s is not in the directory%s",
                          (int)owner.len, (const char *)owner.at,
                          or_stop(person_hint(core, owner)));
    if (owner.len > 0)
        value_set(core->arena, &extra, "owner", value_text(owner));
    if (person.len > 0) /* he wrote it, in their place: it is neither's to approve */
        put_editor(core, &(struct subject){.row = &none}, question->principal, &extra);
    if (person.len > 0)
        put_editor(core, &(struct subject){.row = &none}, person, &extra);
    return record_create(core, kind, &author, args, record_new_id(core, kind, &effects),
                         value_get_text(args, "title"), fields, &links, &extra, slice_str("person"),
                         &effects);
}

/* ---- editing ---- */

static int check_edit(struct core *core, const struct subject *subject, const struct value *set)
{
    const struct state *state = kind_state(subject->kind, value_get_text(subject->row, "state"));

    if (!value_is(set, VALUE_MAP))
        return run_refuse(core, 400, "malformed", "\"set\" is a map of field names to values.");
    for (uint32_t i = 0; state->edit_fields.count > 0 && i < set->count; i++) {
        if (!words_have(&state->edit_fields, set->as.pairs[i].key))
            return run_refuse(core, 409, "wrong-state", "Field %.*s cannot be changed in state %s.",
                              (int)set->as.pairs[i].key.len, (const char *)set->as.pairs[i].key.at,
                              state->name);
    }
    return record_check_fields(core, subject->kind, set, true);
}

void put_editor(struct core *core, const struct subject *subject, struct slice actor,
                struct value *own)
{
    const struct value *so_far = value_get(own, "editors");
    const struct value *editors = so_far != NULL ? so_far : value_get(subject->row, "editors");
    struct value list = value_array();

    if (value_has_text(editors, actor))
        return;
    for (uint32_t i = 0; value_is(editors, VALUE_ARRAY) && i < editors->count; i++)
        value_push(core->arena, &list, editors->as.items[i]);
    value_push(core->arena, &list, value_text(actor));
    value_set(core->arena, own, "editors", list);
}

void put_act(struct core *core, const struct subject *subject, struct slice actor,
             struct value *own)
{
    const struct value *acts = value_get(subject->row, "acts");
    const struct value *last = value_find(acts, actor);
    int64_t today = today_of(core);

    if (slice_is(actor, "engine") || (value_is(last, VALUE_INT) && last->as.number == today))
        return;
    value_put(core->arena, value_sub(core->arena, own, slice_str("acts")), actor, value_int(today));
}

/* `person`: in whose place, or empty. */
static int permit_edit(struct core *core, const struct question *question,
                       const struct subject *subject, struct slice *person)
{
    const char *sentence = "";
    enum permission permission;

    if (question_for(core, question, person) != 0)
        return -1;
    permission = person->len > 0 ? authority_edit_in_place(core, question->principal, *person,
                                                           subject, &sentence)
                                 : authority_edit(core, question->principal, subject, &sentence);
    return permission == PERMIT ? 0 : run_refuse(core, 403, "not-allowed", "%s", sentence);
}

int record_edit(struct core *core, const struct question *question)
{
    struct author author = run_principal(core);
    const struct value *set = value_get(question->args, "set");
    struct slice title = value_get_text(question->args, "title");
    struct value effects = value_map(), own = value_map(), fields, none = value_map(), timers;
    struct value others;
    struct slice person;
    struct subject subject;
    uint8_t *digest = arena_take(core->arena, HASH_LEN);
    int64_t cause;

    if (subject_of(core, question->record, &subject) != 0)
        return -1;
    if (kind_state(subject.kind, value_get_text(subject.row, "state"))->edit.count == 0)
        return run_refuse(
            core, 409, "wrong-state",
            "%.*s is in state %.*s and cannot be edited; a change needs a new version "
            "or an event.",
            (int)subject.id.len, (const char *)subject.id.at,
            (int)value_get_text(subject.row, "state").len,
            (const char *)value_get_text(subject.row, "state").at);
    if (permit_edit(core, question, &subject, &person) != 0)
        return -1;
    if (set == NULL)
        set = &none;
    if (check_edit(core, &subject, set) != 0)
        return -1;
    if (set->count == 0 && value_get(question->args, "title") == NULL)
        return run_refuse(core, 400, "malformed", "There is nothing to change.");
    if (value_get(question->args, "title") != NULL && check_title(core, title) != 0)
        return -1;
    fields = value_copy(core->arena, value_get(subject.row, "fields"));
    value_merge(core->arena, &fields, set);
    if (set->count > 0)
        value_set(core->arena, &own, "fields", *set);
    if (title.len > 0)
        value_set(core->arena, &own, "title", value_text(title));
    record_digest(core, subject.id, subject.kind,
                  title.len > 0 ? title : value_get_text(subject.row, "title"), &fields,
                  value_get_bin(subject.row, "pack"), digest);
    value_set(core->arena, &own, "digest", value_bin(digest, HASH_LEN));
    value_set(core->arena, &own, "changed_ms", value_int(core->now_ms));
    put_editor(core, &subject, question->principal, &own);
    put_act(core, &subject, question->principal, &own);
    if (person.len > 0) {
        put_editor(core, &subject, person, &own);
        put_act(core, &subject, person, &own);
    }
    timers = value_map();
    timers_arm(core, &subject, kind_state_index(subject.kind, value_get_text(subject.row, "state")),
               &fields, &timers);
    if (timers.count > 0)
        value_set(core->arena, &own, "timers", timers);
    others = bundle_others(core, &subject);
    if (subject.round != NULL)
        round_void(core, &subject, &effects, &own, "void");
    value_set(core->arena, &effects, "", own);
    cause =
        run_leaf(core, "record.edit", subject.id, subject.id, &author, question->args, &effects);
    if (cause < 0 || (subject.round != NULL && rounds_void(core, &others, cause) != 0))
        return -1;
    run_follow(core, subject.id, NULL, cause, NULL, NOBODY);
    return 0;
}
