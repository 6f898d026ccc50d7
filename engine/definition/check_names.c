/* check_names.c - every name means something: people, fields, events, templates. */
#include "core/span.h"
#include "definition/check_inside.h"
#include "base/nearest.h"
#include "definition/scope.h"

const char *check_for_kind(struct checks *c, const char *file)
{
    if (c->kind == NULL || strcmp(file, c->kind->where.file) == 0)
        return "";
    return arena_printf(&c->problems->arena, " (in kind '%s')", c->kind->name);
}

static void unknown(struct checks *c, const char *placed, const char *what, struct nearest *nearest)
{
    struct where where = where_of(placed);

    problem(c->problems, where, "unknown %s '%s'%s%s", what, placed, check_for_kind(c, where.file),
            nearest_hint(nearest, &c->problems->arena));
}

/* ---- who ---- */

static const char *const WHO_WORDS[] = {"owner",     "author",    "editors", "asked",
                                        "requester", "reviewers", "anyone",  "system"};

/* Of the process whose cycle a record is. */
static const char *const PROCESS_WORDS[] = {"process.owner", "process.approves", "process.tell"};

static bool is_process_word(const struct kind *kind, const char *word)
{
    size_t i;

    for (i = 0; i < sizeof PROCESS_WORDS / sizeof PROCESS_WORDS[0]; i++) {
        if (strcmp(word, PROCESS_WORDS[i]) == 0)
            return kind_is_run(kind);
    }
    return false;
}

static bool is_people(const struct field *field)
{
    return field->type == FIELD_PERSON || field->type == FIELD_GROUP;
}

static bool is_who(struct checks *c, const char *word)
{
    const struct field *field = kind_field(c->kind, slice_str(word));
    size_t i;

    for (i = 0; i < sizeof WHO_WORDS / sizeof WHO_WORDS[0]; i++) {
        if (strcmp(word, WHO_WORDS[i]) == 0)
            return true;
    }
    return (field != NULL && is_people(field)) || is_process_word(c->kind, word) ||
           pack_role(c->pack, slice_str(word)) != NULL;
}

static void unknown_who(struct checks *c, const char *placed, const char *word)
{
    struct nearest nearest = nearest_to(slice_str(word));
    struct where where = where_of(placed);
    size_t i;
    int k;

    for (i = 0; i < sizeof WHO_WORDS / sizeof WHO_WORDS[0]; i++)
        nearest_offer(&nearest, WHO_WORDS[i]);
    for (i = 0; kind_is_run(c->kind) && i < sizeof PROCESS_WORDS / sizeof PROCESS_WORDS[0]; i++)
        nearest_offer(&nearest, PROCESS_WORDS[i]);
    for (k = 0; k < c->pack->role_count; k++)
        nearest_offer(&nearest, c->pack->roles[k].name);
    for (k = 0; k < c->kind->field_count; k++) {
        if (is_people(&c->kind->fields[k]))
            nearest_offer(&nearest, c->kind->fields[k].name);
    }
    problem(c->problems, where, "unknown who '%s'%s: no role, and no field of people%s", word,
            check_for_kind(c, where.file), nearest_hint(&nearest, &c->problems->arena));
}

static bool is_involved(const char *word, struct span *span)
{
    return strncmp(word, "involved:", 9) == 0 && span_parse(slice_str(word + 9), span) == 0;
}

/* One word, without what follows an @; `placed` is the whole of it, as written. */
static void check_word(struct checks *c, const char *placed, const char *word, bool may_be_did)
{
    struct span span;

    if (strncmp(word, "did:", 4) == 0 && may_be_did) {
        if (!kind_has_event(c->kind, word + 4))
            problem(c->problems, where_of(placed), "unknown event in '%s'%s", placed,
                    check_for_kind(c, where_of(placed).file));
        return;
    }
    if (strncmp(word, "manager_of:", 11) == 0)
        word += 11;
    if (!is_involved(word, &span) && !is_who(c, word))
        unknown_who(c, placed, word);
}

/* WORD@THERE: `there` is a kind that may be linked, or a field of references. */
static void check_word_there(struct checks *c, const char *placed, const char *word,
                             const char *there, bool may_be_did)
{
    const struct kind *here = c->kind, *linked = pack_kind(c->pack, slice_str(there));
    const struct field *field = kind_field(here, slice_str(there));
    struct nearest nearest = nearest_to(slice_str(there));
    int i;

    if (linked == NULL && (field == NULL || field->type != FIELD_REF)) {
        for (i = 0; i < c->pack->kind_count; i++)
            nearest_offer(&nearest, c->pack->kinds[i].name);
        for (i = 0; i < here->field_count; i++) {
            if (here->fields[i].type == FIELD_REF)
                nearest_offer(&nearest, here->fields[i].name);
        }
        problem(c->problems, where_of(placed),
                "unknown '@%s' in '%s'%s: no kind, and no field of references%s", there, placed,
                check_for_kind(c, where_of(placed).file),
                nearest_hint(&nearest, &c->problems->arena));
        return;
    }
    for (i = 0; linked == NULL && i < field->of.count; i++) {
        c->kind = pack_kind(c->pack, slice_str(field->of.at[i]));
        if (c->kind != NULL)
            check_word(c, placed, word, may_be_did);
    }
    if (linked != NULL) {
        c->kind = linked;
        check_word(c, placed, word, may_be_did);
    }
    c->kind = here;
}

void check_who(struct checks *c, const struct words *words, bool may_be_did)
{
    int i;

    for (i = 0; i < words->count; i++) {
        const char *word = words->at[i], *there = strchr(word, '@');

        if (there == NULL)
            check_word(c, word, word, may_be_did);
        else
            check_word_there(c, word, arena_copy(&c->problems->arena, word, (size_t)(there - word)),
                             there + 1, may_be_did);
    }
}

void check_separation(struct checks *c, const char *rule)
{
    struct nearest nearest = nearest_to(slice_str(rule != NULL ? rule : ""));
    int i;

    for (i = 0; rule != NULL && i < c->pack->separation_count; i++) {
        if (strcmp(c->pack->separation[i].name, rule) == 0)
            return;
        nearest_offer(&nearest, c->pack->separation[i].name);
    }
    if (rule != NULL && c->pack->separation_count > 0)
        unknown(c, rule, "rule of separation", &nearest);
}

static void check_roles(struct checks *c, const struct words *roles)
{
    int i, k;

    for (i = 0; i < roles->count; i++) {
        const char *role = roles->at[i];
        struct nearest nearest = nearest_to(slice_str(role));

        if (pack_role(c->pack, slice_str(role)) != NULL)
            continue;
        for (k = 0; k < c->pack->role_count; k++)
            nearest_offer(&nearest, c->pack->roles[k].name);
        unknown(c, role, "role", &nearest);
    }
}

void check_conflict(struct checks *c, const struct separation *separation)
{
    check_roles(c, &separation->conflict);
    if (separation->conflict.count == 1)
        problem(c->problems, where_of(separation->conflict.at[0]),
                "a conflict takes two roles; '%s' alone conflicts with nothing",
                separation->conflict.at[0]);
    for (int i = 1; i < separation->conflict.count; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(separation->conflict.at[i], separation->conflict.at[k]) == 0)
                problem(c->problems, where_of(separation->conflict.at[i]),
                        "'%s' stands twice in the conflict of '%s', and no role conflicts with "
                        "itself; name the other role",
                        separation->conflict.at[i], separation->name);
        }
    }
}

/* ---- events ---- */

bool kind_has_event(const struct kind *kind, const char *event)
{
    int i;

    for (i = 0; i < kind->lifecycle->transition_count; i++) {
        if (strcmp(kind->lifecycle->transitions[i].event, event) == 0)
            return true;
    }
    return false;
}

bool check_event(struct checks *c, const struct kind *kind, const char *placed)
{
    struct nearest nearest = nearest_to(slice_str(placed));
    struct where where = where_of(placed);
    int i;

    if (kind_has_event(kind, placed))
        return true;
    for (i = 0; i < kind->lifecycle->transition_count; i++)
        nearest_offer(&nearest, kind->lifecycle->transitions[i].event);
    problem(c->problems, where, "a %s has no event '%s'%s", kind->name, placed,
            nearest_hint(&nearest, &c->problems->arena));
    return false;
}

/* ---- fields ---- */

static bool is_name(const char *text)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz",
                      REST[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    return text[0] != '\0' && strchr(LETTERS, text[0]) != NULL &&
           strlen(text) <= NEAREST_NAME_MAX && strspn(text, REST) == strlen(text);
}

static bool preset_fits(const struct field *field, const struct value *preset)
{
    uint32_t i;

    if (preset->type == VALUE_ARRAY && field->list) {
        for (i = 0; i < preset->count; i++) {
            struct field item = *field;

            item.list = false;
            if (!preset_fits(&item, &preset->as.items[i]))
                return false;
        }
        return true;
    }
    if (field->list || field->type == FIELD_TABLE || field->type == FIELD_FILE)
        return false;
    if (field->type == FIELD_INT || field->type == FIELD_DATETIME)
        return preset->type == VALUE_INT;
    if (field->type == FIELD_BOOL)
        return preset->type == VALUE_BOOL;
    if (field->type == FIELD_ENUM)
        return preset->type == VALUE_STR && words_have(&field->of, value_slice(preset));
    return preset->type == VALUE_STR;
}

static void check_ref(struct checks *c, const struct field *field)
{
    int i, k;

    for (i = 0; i < field->of.count; i++) {
        struct nearest nearest = nearest_to(slice_str(field->of.at[i]));

        if (pack_kind(c->pack, slice_str(field->of.at[i])) != NULL)
            continue;
        for (k = 0; k < c->pack->kind_count; k++)
            nearest_offer(&nearest, c->pack->kinds[k].name);
        unknown(c, field->of.at[i], "kind", &nearest);
    }
}

static void check_erasable(struct checks *c, const struct field *field)
{
    bool is_text = field->type == FIELD_TEXT || field->type == FIELD_LONGTEXT;

    if (!field->erasable || field->type == FIELD_TABLE || (is_text && !field->list))
        return;
    problem(c->problems, field->where,
            field->type == FIELD_FILE
                ? "files can always be erased: take 'erasable' away from '%s'"
                : "'erasable' is for text, longtext and table, not for '%s'; put it into a table, "
                  "as a column of its own: a table can be erased as a whole",
            field->name);
}

static void check_field(struct checks *c, const struct field *field, bool is_alone)
{
    int i;

    if (!is_name(field->name))
        problem(c->problems, field->where,
                "'%s' is no name for a field: small letters, figures and _", field->name);
    if (field->type == FIELD_ENUM && field->of.count == 0)
        problem(c->problems, field->where, "the enum '%s' needs 'of': its values", field->name);
    if (field->type == FIELD_REF)
        check_ref(c, field);
    else if (field->type != FIELD_ENUM && field->of.count > 0)
        problem(c->problems, field->where, "'of' is for enum and ref, not for '%s'", field->name);
    if ((field->type == FIELD_TABLE) != (field->column_count > 0))
        problem(c->problems, field->where,
                field->type == FIELD_TABLE ? "the table '%s' needs 'columns'"
                                           : "'columns' are for a table, not for '%s'",
                field->name);
    if (field->min > field->max && field->max != 0)
        problem(c->problems, field->where, "'min' of '%s' is above its 'max'", field->name);
    if (field->preset.type != VALUE_NIL && !preset_fits(field, &field->preset))
        problem(c->problems, field->where, "the preset of '%s' is not of its type", field->name);
    if (field->is_signed && (!field->computed || !is_alone))
        problem(c->problems, field->where,
                is_alone
                    ? "'signed' is for computed fields: what people fill in, as '%s', is "
                      "content anyway; take it away"
                    : "'signed' is for fields, not for the column '%s': a table is signed as a "
                      "whole",
                field->name);
    if (is_alone) /* a column goes with its table, whatever it holds */
        check_erasable(c, field);
    for (i = 0; i < field->column_count; i++)
        check_field(c, &field->columns[i], false);
}

/* Those of section 4 of every record: a kind may say more about them, not make them something else. */
static void check_own_field(struct checks *c, const struct field *field)
{
    static const struct {
        const char *name;
        enum field_type type;
        bool list;
    } OWN[] = {
        {"confidentiality", FIELD_ENUM, false},   {"effective_from", FIELD_DATE, false},
        {"next_review_due", FIELD_DATE, false},   {"first_review", FIELD_DATE, false},
        {"reviewers", FIELD_PERSON, true},        {"change_reason", FIELD_LONGTEXT, false},
        {"attachments", FIELD_FILE, true},        {"distribution_list", FIELD_GROUP, true},
        {"retain_until", FIELD_DATE, false},      {"legal_hold", FIELD_BOOL, false},
        {"disposal_proposed", FIELD_BOOL, false},
    };
    size_t i;

    for (i = 0; i < sizeof OWN / sizeof OWN[0]; i++) {
        if (strcmp(field->name, OWN[i].name) == 0 &&
            (field->type != OWN[i].type || field->list != OWN[i].list))
            problem(c->problems, field->where,
                    "every record has '%s'; it cannot have another type here", field->name);
    }
}

/* Personal data of a record that is disposed of some day, which would stay readable. */
static void check_secret(struct checks *c, const struct field *field)
{
    bool can_be = field->type == FIELD_TABLE ||
                  ((field->type == FIELD_TEXT || field->type == FIELD_LONGTEXT) && !field->list);

    if (c->kind->retention != NULL && field->secret && !field->erasable && can_be)
        problem_add(c->problems, PROBLEM_WARNING, field->where, 0,
                    "'%s' is personal data (secret), and stays readable when a %s is disposed of; "
                    "give it 'erasable = true'",
                    field->name, c->kind->name);
}

void check_fields(struct checks *c)
{
    int i;

    for (i = 0; i < c->kind->field_count; i++) {
        const struct field *field = &c->kind->fields[i];

        if (scope_is_reserved(slice_str(field->name)))
            problem(c->problems, field->where, "every record has '%s'; a field needs another name",
                    field->name);
        check_field(c, field, true);
        check_own_field(c, field);
        check_secret(c, field);
    }
}

void check_edit_fields(struct checks *c, const struct words *fields)
{
    int i, k;

    for (i = 0; i < fields->count; i++) {
        struct nearest nearest = nearest_to(slice_str(fields->at[i]));

        if (kind_field(c->kind, slice_str(fields->at[i])) != NULL ||
            strcmp(fields->at[i], "title") == 0 || strcmp(fields->at[i], "owner") == 0)
            continue;
        for (k = 0; k < c->kind->field_count; k++)
            nearest_offer(&nearest, c->kind->fields[k].name);
        unknown(c, fields->at[i], "field", &nearest);
    }
}

/* ---- messages and meanings ---- */

void check_meaning(struct checks *c, const char *meaning)
{
    struct nearest nearest;
    int i;

    if (meaning == NULL || pack_meaning(c->pack, meaning) != NULL)
        return;
    nearest = nearest_to(slice_str(meaning));
    for (i = 0; i < c->pack->meaning_count; i++)
        nearest_offer(&nearest, c->pack->meanings[i].name);
    unknown(c, meaning, "meaning", &nearest);
}

void check_migration(struct checks *c)
{
    check_roles(c, &c->pack->migrate_by);
    check_meaning(c, c->pack->migrate_meaning);
}

void check_notice(struct checks *c, const struct notice *notice, const char *event)
{
    struct nearest nearest;
    int i;

    check_who(c, &notice->to, false);
    if (notice->message == NULL) {
        if (notice->to.count > 0 && pack_message(c->pack, "default") == NULL &&
            (event == NULL || pack_message(c->pack, event) == NULL))
            problem_add(c->problems, PROBLEM_WARNING, where_of(notice->to.at[0]), 0,
                        "there is no message '%s' and no message 'default'",
                        event != NULL ? event : "default");
        return;
    }
    if (pack_message(c->pack, notice->message) != NULL)
        return;
    nearest = nearest_to(slice_str(notice->message));
    for (i = 0; i < c->pack->message_count; i++)
        nearest_offer(&nearest, c->pack->messages[i].name);
    unknown(c, notice->message, "message", &nearest);
}

/* What the engine fills in beside the record's fields (names_of() in core/task.c). */
static const char *const MESSAGE_WORDS[] = {"record", "kind",   "title", "version",       "state",
                                            "owner",  "event",  "actor", "reason",        "due",
                                            "link",   "digest", "need",  "approval_stage"};

bool is_message_word(struct slice name)
{
    size_t i;

    for (i = 0; i < sizeof MESSAGE_WORDS / sizeof MESSAGE_WORDS[0]; i++) {
        if (slice_is(name, MESSAGE_WORDS[i]))
            return true;
    }
    return false;
}

/* Any field of any kind may be named: which record it will be is not known here. */
static bool is_message_name(struct checks *c, struct slice name, struct nearest *nearest)
{
    size_t i;
    int k, f;

    if (is_message_word(name))
        return true;
    for (i = 0; i < sizeof MESSAGE_WORDS / sizeof MESSAGE_WORDS[0]; i++)
        nearest_offer(nearest, MESSAGE_WORDS[i]);
    for (k = 0; k < c->pack->kind_count; k++) {
        const struct kind *kind = &c->pack->kinds[k];

        if (kind_field(kind, name) != NULL)
            return true;
        for (f = 0; f < kind->field_count; f++)
            nearest_offer(nearest, kind->fields[f].name);
    }
    return false;
}

static void check_template(struct checks *c, const char *placed, const char *message)
{
    const char *at = placed, *end;

    while ((at = strstr(at, "{{")) != NULL) {
        struct slice name;
        struct nearest nearest;

        at += 2;
        end = strstr(at, "}}");
        if (end == NULL) {
            problem(c->problems, where_of(placed), "message '%s': '{{' without '}}'", message);
            return;
        }
        name = slice_of(at, (size_t)(end - at));
        nearest = nearest_to(name);
        if (!is_message_name(c, name, &nearest))
            problem(c->problems, where_of(placed), "message '%s': unknown name '{{%.*s}}'%s",
                    message, (int)(name.len > 40 ? 40 : name.len), (const char *)name.at,
                    nearest_hint(&nearest, &c->problems->arena));
        at = end + 2;
    }
}

void check_message(struct checks *c, const struct message *message)
{
    check_template(c, message->subject, message->name);
    check_template(c, message->body, message->name);
}
