/* authority.c - who may: words to people, people to permissions. */
#include "core/inside.h"

#include "base/check.h"
#include "core/span.h"

#include <stdlib.h>

enum { VERSIONS_MAX = 1000 /* of one document */, MANAGERS_MAX = 16 };

struct directory {
    struct arena arena;
    struct value people; /* array of person rows, each with `name` */
    struct map by_name;  /* -> struct value of the arena */
    struct map by_key;   /* 32 bytes of a transport key -> struct value */
};

static void index_person(struct directory *directory, struct slice name, struct value *person)
{
    const struct value *keys = value_get(person, "transport");

    value_set(&directory->arena, person, "name", value_text(name));
    map_put(&directory->by_name, name, person);
    for (uint32_t i = 0; value_is(keys, VALUE_ARRAY) && i < keys->count; i++)
        map_put(&directory->by_key, value_slice(&keys->as.items[i]), person);
}

static struct directory *directory_of(struct core *core)
{
    struct directory *directory = core->directory;
    struct value rows;

    if (directory != NULL)
        return directory;
    directory = calloc(1, sizeof *directory);
    check(directory != NULL);
    state_rows(core->state, slice_str("person/"), PEOPLE_MAX, &rows);
    directory->people = value_array();
    for (uint32_t i = 0; i < rows.count; i++)
        value_push(&directory->arena, &directory->people,
                   value_copy(&directory->arena, value_get(&rows.as.items[i], "row")));
    for (uint32_t i = 0; i < rows.count; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");
        char *name = arena_copy(&directory->arena, key.at + 7, key.len - 7);

        index_person(directory, slice_of(name, key.len - 7), &directory->people.as.items[i]);
    }
    core->directory = directory;
    return directory;
}

void directory_forget(struct core *core)
{
    struct directory *directory = core->directory;

    if (directory == NULL)
        return;
    map_release(&directory->by_name);
    map_release(&directory->by_key);
    arena_release(&directory->arena);
    free(directory);
    core->directory = NULL;
}

const struct value *authority_person(struct core *core, struct slice name)
{
    return map_get(&directory_of(core)->by_name, name);
}

const struct value *authority_directory(struct core *core)
{
    return &directory_of(core)->people;
}

bool authority_has_role(struct core *core, struct slice name, struct slice role)
{
    return value_has_text(value_get(authority_person(core, name), "roles"), role);
}

static bool has_left(const struct core *core, const struct value *person)
{
    int64_t end = value_get_int(person, "not_after", INT64_MAX);

    return core->now_ms > end;
}

bool authority_is_here(struct core *core, struct slice name)
{
    const struct value *person = authority_person(core, name);

    return person != NULL && !has_left(core, person);
}

struct slice authority_by_key(struct core *core, struct slice transport_key)
{
    return value_get_text(map_get(&directory_of(core)->by_key, transport_key), "name");
}

struct slice authority_by_uid(struct core *core, int64_t uid)
{
    const struct value *people = &directory_of(core)->people;

    for (uint32_t i = 0; i < people->count; i++) {
        if (value_get_int(&people->as.items[i], "uid", -1) == uid)
            return value_get_text(&people->as.items[i], "name");
    }
    return slice_of(NULL, 0);
}

/* ---- words ---- */

static void add_person(struct core *core, struct value *out, struct slice name)
{
    const struct value *person = authority_person(core, name);

    if (person == NULL || has_left(core, person) || value_has_text(out, name))
        return;
    value_push(core->arena, out, value_text(value_get_text(person, "name")));
}

static void add_role(struct core *core, struct value *out, struct slice role)
{
    const struct value *people = &directory_of(core)->people;

    for (uint32_t i = 0; i < people->count; i++) {
        const struct value *person = &people->as.items[i];

        if (value_has_text(value_get(person, "roles"), role))
            add_person(core, out, value_get_text(person, "name"));
    }
}

void authority_everyone(struct core *core, struct value *out)
{
    const struct value *people = &directory_of(core)->people;

    for (uint32_t i = 0; i < people->count; i++) {
        const struct value *person = &people->as.items[i];

        if (slice_is(value_get_text(person, "kind"), "person") && !has_left(core, person))
            value_push(core->arena, out, *person);
    }
}

static void add_anyone(struct core *core, struct value *out)
{
    const struct value *people = &directory_of(core)->people;

    for (uint32_t i = 0; i < people->count; i++) {
        if (slice_is(value_get_text(&people->as.items[i], "kind"), "person"))
            add_person(core, out, value_get_text(&people->as.items[i], "name"));
    }
}

/* Names, or roles where the field holds groups. */
static void add_named(struct core *core, struct value *out, const struct value *names)
{
    if (value_is(names, VALUE_ARRAY)) {
        for (uint32_t i = 0; i < names->count; i++)
            add_named(core, out, &names->as.items[i]);
    } else if (value_is(names, VALUE_STR)) {
        if (authority_person(core, value_slice(names)) != NULL)
            add_person(core, out, value_slice(names));
        else
            add_role(core, out, value_slice(names));
    }
}

static void add_managers(struct core *core, const struct subject *subject, struct slice word,
                         struct value *out)
{
    struct value people = value_array();

    authority_people(core, subject, word, &people);
    for (uint32_t i = 0; i < people.count; i++) {
        const struct value *person = authority_person(core, value_slice(&people.as.items[i]));

        add_named(core, out, value_get(person, "manager"));
    }
}

/* Who owns the record, or did something to it within the span. Days are kept, not moments: a day's grace keeps apart
 * one too many rather than one too few. */
static void add_involved(struct core *core, const struct subject *subject, struct slice span_text,
                         struct value *out)
{
    const struct value *acts = value_get(subject->row, "acts");
    const struct calendar *calendar = calendar_of(core);
    struct span span, back;
    int64_t since;

    add_named(core, out, value_get(subject->row, "owner"));
    add_named(core, out, value_get(subject->row, "former_owners"));
    if (span_parse(span_text, &span) != 0)
        return;
    back = (struct span){-span.months, -span.days, span.working, -span.ms};
    since = span_add_date(&back, calendar, today_of(core));
    for (uint32_t i = 0; value_is(acts, VALUE_MAP) && i < acts->count; i++) {
        if (acts->as.pairs[i].value.as.number >= since)
            add_person(core, out, acts->as.pairs[i].key);
    }
}

/* The word, of every record that `there` names: linked ones of that kind, or those of a field of references. A reference
 * to a document without a version means all its versions. */
static void add_versions(struct core *core, struct slice record, struct slice word,
                         struct value *out)
{
    struct subject other;
    struct value rows;

    if (!subject_find(core, record, &other))
        return;
    if (record_version(record).len > 0 || !other.kind->lifecycle->versioned) {
        authority_people(core, &other, word, out);
        return;
    }
    state_rows(core->state, textf(core, "%.*s@", (int)record.len, (const char *)record.at),
               VERSIONS_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++) {
        if (subject_find(core, value_get_text(&rows.as.items[i], "key"), &other))
            authority_people(core, &other, word, out);
    }
}

static void add_there(struct core *core, const struct subject *subject, struct slice word,
                      struct slice there, struct value *out)
{
    const struct value *links = value_get(subject->row, "links");
    const struct value *named = value_find(value_get(subject->row, "fields"), there);

    if (value_is(named, VALUE_STR))
        add_versions(core, value_slice(named), word, out);
    for (uint32_t i = 0; value_is(named, VALUE_ARRAY) && i < named->count; i++)
        add_versions(core, value_slice(&named->as.items[i]), word, out);
    if (subject->kind != NULL && kind_field(subject->kind, there) != NULL)
        return;
    for (uint32_t i = 0; value_is(links, VALUE_MAP) && i < links->count; i++) {
        struct subject other;

        if (subject_find(core, links->as.pairs[i].key, &other) &&
            slice_equal(slice_str(other.kind->name), there))
            authority_people(core, &other, word, out);
    }
}

static const char *const row_words[][2] = {
    {"owner", "owner"},
    {"author", "author"},
    {"requester", "author"},
    {"editors", "editors"},
};

/* process.owner and so on: roles that the process of this cycle names. */
static void add_of_process(struct core *core, const struct subject *subject, struct slice what,
                           struct value *out)
{
    const struct process *process = process_of(core, subject);
    const struct words *roles = process == NULL              ? NULL
                                : slice_is(what, "owner")    ? &process->owner
                                : slice_is(what, "approves") ? &process->approves
                                                             : &process->tell;

    for (int i = 0; roles != NULL && i < roles->count; i++)
        add_role(core, out, slice_str(roles->at[i]));
}

void authority_people(struct core *core, const struct subject *subject, struct slice word,
                      struct value *out)
{
    const uint8_t *there = word.len > 0 ? memchr(word.at, '@', word.len) : NULL;

    if (there != NULL) {
        size_t len = (size_t)(there - word.at);

        add_there(core, subject, slice_of(word.at, len), slice_of(there + 1, word.len - len - 1),
                  out);
        return;
    }
    for (size_t i = 0; i < sizeof row_words / sizeof row_words[0]; i++) {
        if (slice_is(word, row_words[i][0])) {
            add_named(core, out, value_get(subject->row, row_words[i][1]));
            if (core->looks_back && slice_is(word, "owner"))
                add_named(core, out, value_get(subject->row, "former_owners"));
            return;
        }
    }
    if (slice_is(word, "anyone"))
        add_anyone(core, out);
    else if (slice_is(word, "asked") || slice_is(word, "approvers"))
        add_named(core, out, value_get(subject->round, "ask"));
    else if (slice_is(word, "audience") && subject->kind != NULL &&
             kind_field(subject->kind, word) == NULL)
        authority_people_of(core, subject, &subject->kind->audience, out);
    else if (slice_starts(word, "manager_of:"))
        add_managers(core, subject, slice_of(word.at + 11, word.len - 11), out);
    else if (slice_starts(word, "involved:"))
        add_involved(core, subject, slice_of(word.at + 9, word.len - 9), out);
    else if (slice_starts(word, "process."))
        add_of_process(core, subject, slice_of(word.at + 8, word.len - 8), out);
    else if (slice_starts(word, "did:"))
        add_named(core, out,
                  value_find(value_get(subject->row, "did"), slice_of(word.at + 4, word.len - 4)));
    else if (subject->kind != NULL && kind_field(subject->kind, word) != NULL)
        add_named(core, out, value_find(value_get(subject->row, "fields"), word));
    else
        add_role(core, out, word);
}

void authority_people_of(struct core *core, const struct subject *subject,
                         const struct words *words, struct value *out)
{
    for (int i = 0; i < words->count; i++)
        authority_people(core, subject, slice_str(words->at[i]), out);
}

/* ---- what leavers leave behind ---- */

/* What the record says by name where this word stands; NULL: it is no such word. */
static const struct value *names_at(const struct subject *subject, struct slice word)
{
    const struct field *field = subject->kind != NULL ? kind_field(subject->kind, word) : NULL;

    for (size_t i = 0; i < sizeof row_words / sizeof row_words[0]; i++) {
        if (slice_is(word, row_words[i][0]))
            return value_get(subject->row, row_words[i][1]);
    }
    return field != NULL && field->type == FIELD_PERSON
               ? value_find(value_get(subject->row, "fields"), word)
               : NULL;
}

/* The first of the managers above who has not left. */
static void add_manager_above(struct core *core, const struct value *person, struct value *out)
{
    for (int step = 0; person != NULL && step < MANAGERS_MAX; step++) {
        struct slice manager = value_get_text(person, "manager");

        if (manager.len == 0)
            return;
        if (authority_is_here(core, manager)) {
            add_person(core, out, manager);
            return;
        }
        person = authority_person(core, manager);
    }
}

void authority_heirs(struct core *core, const struct subject *subject, struct slice word,
                     struct value *out)
{
    const struct value *names = names_at(subject, word);
    uint32_t count = value_is(names, VALUE_ARRAY) ? names->count : names != NULL ? 1 : 0;
    struct value heirs = value_array();
    bool has_leaver = false;

    for (uint32_t i = 0; i < count; i++) {
        const struct value *name = value_is(names, VALUE_ARRAY) ? &names->as.items[i] : names;
        const struct value *person =
            value_is(name, VALUE_STR) ? authority_person(core, value_slice(name)) : NULL;

        if (person != NULL && !has_left(core, person))
            return;
        has_leaver = has_leaver || person != NULL;
        add_manager_above(core, person, &heirs);
    }
    for (int i = 0; has_leaver && heirs.count == 0 && i < subject->kind->owner.count; i++)
        add_role(core, &heirs, slice_str(subject->kind->owner.at[i]));
    if (has_leaver && heirs.count == 0)
        add_role(core, &heirs, slice_str("isms_manager"));
    for (uint32_t i = 0; i < heirs.count; i++)
        add_person(core, out, value_slice(&heirs.as.items[i]));
}

/* ---- permissions ---- */

static bool is_meant(struct core *core, const struct subject *subject, const struct words *words,
                     struct slice actor)
{
    struct value people = value_array();

    authority_people_of(core, subject, words, &people);
    return value_has_text(&people, actor);
}

/* Is the actor one of those whom a rule of separation means? */
static bool is_kept_apart(struct core *core, const struct subject *subject,
                          const struct words *words, struct slice actor)
{
    bool is_one;

    core->looks_back = true;
    is_one = is_meant(core, subject, words, actor);
    core->looks_back = false;
    return is_one;
}

/* Is it theirs to do, or has it fallen to them? */
static bool is_theirs(struct core *core, const struct subject *subject, const struct words *words,
                      struct slice actor)
{
    struct value heirs = value_array();

    if (is_meant(core, subject, words, actor))
        return true;
    for (int i = 0; i < words->count; i++)
        authority_heirs(core, subject, slice_str(words->at[i]), &heirs);
    return value_has_text(&heirs, actor);
}

/* A word for people, in a sentence; a role or a field says itself. */
static const char *word_said(const char *word)
{
    static const char *const said[][2] = {{"asked", "whoever is asked"},
                                          {"author", "the author"},
                                          {"owner", "the owner"},
                                          {"system", "the engine"}};

    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (strcmp(word, said[i][0]) == 0)
            return said[i][1];
    return word;
}

static struct slice words_text(struct core *core, const struct words *words)
{
    struct slice text = slice_str("nobody");

    for (int i = 0; i < words->count; i++) {
        const char *word = word_said(words->at[i]);

        text = i == 0 ? slice_str(word)
                      : textf(core, "%.*s or %s", (int)text.len, (const char *)text.at, word);
    }
    return text;
}

static enum permission apart(struct core *core, struct slice actor, const struct subject *subject,
                             const struct words *words, const char *rule, const char **sentence)
{
    if (rule == NULL)
        rule = APART_RULE;
    for (int i = 0; i < words->count; i++) {
        struct words one = {&words->at[i], 1};

        if (!is_kept_apart(core, subject, &one, actor) ||
            waiver_lets_pass(core, subject, rule, actor))
            continue;
        *sentence = (const char *)textf(core,
                                        "%.*s stands as \"%s\" of this record and may not also do "
                                        "this (%s: separation of duties). Ask somebody else.",
                                        (int)actor.len, (const char *)actor.at, words->at[i], rule)
                        .at;
        return DENY_APART;
    }
    return PERMIT;
}

const char *approval_rule(const struct approval *approval, int word)
{
    return approval->apart_rules != NULL && approval->apart_rules[word] != NULL
               ? approval->apart_rules[word]
               : APART_RULE;
}

/* From granting: each word by its own rule. */
static enum permission apart_from_approval(struct core *core, struct slice actor,
                                           const struct subject *subject,
                                           const struct approval *approval, const char **sentence)
{
    enum permission permission = PERMIT;

    for (int i = 0; i < approval->apart.count && permission == PERMIT; i++) {
        struct words one = {&approval->apart.at[i], 1};

        permission = apart(core, actor, subject, &one, approval_rule(approval, i), sentence);
    }
    return permission;
}

bool authority_apart(struct core *core, const struct subject *subject, const struct need *need,
                     struct slice *who, const char **word)
{
    const char *rule = need->rule != NULL ? need->rule : NEED_RULE;
    const struct words *words = &need->apart;
    struct value named = value_array();

    authority_people_of(core, subject, &need->people, &named);
    for (int i = 0; i < words->count; i++) {
        struct words one = {&words->at[i], 1};
        struct value excluded = value_array();

        core->looks_back = true;
        authority_people_of(core, subject, &one, &excluded);
        core->looks_back = false;
        for (uint32_t k = 0; k < named.count; k++) {
            struct slice person = value_slice(&named.as.items[k]);

            if (!value_has_text(&excluded, person) || waiver_lets_pass(core, subject, rule, person))
                continue;
            *who = person;
            *word = words->at[i];
            return false;
        }
    }
    return true;
}

/* Who may change something here, in principle. */
static enum permission known(struct core *core, struct slice actor, const char **sentence)
{
    const struct value *person = authority_person(core, actor);

    if (person == NULL) {
        *sentence = (const char *)textf(core, "%.*s is not in the directory%s", (int)actor.len,
                                        (const char *)actor.at, or_stop(person_hint(core, actor)))
                        .at;
        return DENY_UNKNOWN;
    }
    if (has_left(core, person)) {
        *sentence = (const char *)textf(core, "The rights of %.*s have ended.", (int)actor.len,
                                        (const char *)actor.at)
                        .at;
        return DENY_EXPIRED;
    }
    if (authority_is_auditor(core, actor)) {
        *sentence = (const char *)textf(core, "%.*s reads as external auditor and changes nothing.",
                                        (int)actor.len, (const char *)actor.at)
                        .at;
        return DENY_ROLE;
    }
    return PERMIT;
}

static enum permission deny_role(struct core *core, const struct words *words, const char *what,
                                 const char **sentence)
{
    struct slice who = words_text(core, words);

    *sentence = (const char *)textf(core, "Only %.*s may do this: %s.", (int)who.len,
                                    (const char *)who.at, what)
                    .at;
    return DENY_ROLE;
}

static const struct words *words_of(const struct subject *subject,
                                    const struct transition *transition)
{
    return transition->creates && transition->by.count == 0 ? &subject->kind->create
                                                            : &transition->by;
}

int64_t authority_glass(struct core *core, struct slice actor, const struct subject *subject,
                        const struct transition *transition)
{
    return is_theirs(core, subject, words_of(subject, transition), actor)
               ? 0
               : glass_of(core, actor, subject, transition);
}

/* `has_glass`: the role for it may be missing (glass.c). All else is asked for as ever. */
static enum permission permit(struct core *core, struct slice actor, const struct subject *subject,
                              const struct transition *transition, bool has_glass,
                              const char **sentence)
{
    const struct approval *approval = subject->kind->approval;
    const struct words *by = words_of(subject, transition);
    enum permission permission = known(core, actor, sentence);

    if (permission != PERMIT)
        return permission;
    if (!has_glass && !is_theirs(core, subject, by, actor)) {
        /* Who is kept apart hears of the rule, not of the role he does not have. */
        if (transition->vote != VOTE_NONE && approval != NULL &&
            apart_from_approval(core, actor, subject, approval, sentence) != PERMIT)
            return DENY_APART;
        return deny_role(
            core, by, transition->title != NULL ? transition->title : transition->event, sentence);
    }
    permission = apart(core, actor, subject, &transition->apart, transition->apart_rule, sentence);
    if (permission == PERMIT && transition->vote == VOTE_GRANT && approval != NULL)
        permission = apart_from_approval(core, actor, subject, approval, sentence);
    return permission;
}

enum permission authority_transition(struct core *core, struct slice actor,
                                     const struct subject *subject,
                                     const struct transition *transition, const char **sentence)
{
    if (slice_is(actor, "engine")) {
        if (words_have(&transition->by, slice_str("system")) || transition->automatic)
            return PERMIT;
        return deny_role(core, &transition->by,
                         transition->title != NULL ? transition->title : transition->event,
                         sentence);
    }
    return permit(core, actor, subject, transition, glass_of(core, actor, subject, transition) > 0,
                  sentence);
}

/* ---- in somebody's place ---- */

struct stand { /* a right that may be somebody else's to use */
    struct core *core;
    const struct subject *subject;
    const struct transition *transition; /* NULL: to edit */
    struct slice person;                 /* whose right it is */
    const struct words *words;           /* by which they have it */
    struct slice stage;                  /* of the round, or empty */
};

static struct stand stand_of(struct core *core, struct slice person, const struct subject *subject,
                             const struct transition *transition)
{
    const struct approval *approval = subject->kind->approval;
    const struct value *stage = round_stage(subject->round, person);
    struct stand stand = {core, subject, transition, person, &transition->by, {NULL, 0}};

    if (transition->creates && transition->by.count == 0)
        stand.words = &subject->kind->create;
    if (transition->vote == VOTE_NONE || approval == NULL)
        return stand;
    stand.stage = value_get_text(stage, "name");
    for (int i = 0; i < approval->stage_count; i++) {
        if (stage == NULL || slice_is(stand.stage, approval->stages[i].name)) {
            stand.words = &approval->stages[i].ask;
            break;
        }
    }
    return stand;
}

/* Roles of a delegation are words of the pack: a role or another word by which the person has the right, or a stage. */
static bool has_scope(const struct stand *stand, const struct value *delegation)
{
    const struct value *kinds = value_get(delegation, "kinds");
    const struct value *roles = value_get(delegation, "roles");

    if (kinds != NULL && !value_has_text(kinds, slice_str(stand->subject->kind->name)))
        return false;
    if (roles == NULL || (stand->stage.len > 0 && value_has_text(roles, stand->stage)))
        return true;
    for (int i = 0; i < stand->words->count; i++) {
        struct words one = {&stand->words->at[i], 1};

        if (value_has_text(roles, slice_str(stand->words->at[i])) &&
            is_meant(stand->core, stand->subject, &one, stand->person))
            return true;
    }
    return false;
}

/* A delegate uses the right as if it were his: whoever is kept apart can neither use it nor pass it on. */
static enum permission fits(const struct stand *stand, struct slice name, const char **sentence)
{
    const struct approval *approval = stand->subject->kind->approval;
    const struct transition *transition = stand->transition;
    enum permission permission = known(stand->core, name, sentence);

    if (permission == PERMIT && transition != NULL)
        permission = apart(stand->core, name, stand->subject, &transition->apart,
                           transition->apart_rule, sentence);
    if (permission == PERMIT && transition != NULL && transition->vote == VOTE_GRANT &&
        approval != NULL)
        permission = apart_from_approval(stand->core, name, stand->subject, approval, sentence);
    return permission;
}

static bool leads_to(const struct stand *stand, struct slice from, struct slice actor, int depth,
                     struct slice *number)
{
    const struct value *given = delegations_of(stand->core, from);
    struct value *waived = stand->core->waived;
    uint32_t noted = waived != NULL ? waived->count : 0;
    const char *sentence = "";

    for (uint32_t i = 0; given != NULL && i < given->count; i++) {
        const struct value *one = &given->as.pairs[i].value;
        struct slice to = value_get_text(one, "to"), further;

        if (!delegation_is_active(stand->core, one) || !has_scope(stand, one))
            continue;
        if (slice_equal(to, actor) ||
            (value_get_bool(one, "onward", false) && depth < DELEGATION_DEPTH_MAX &&
             fits(stand, to, &sentence) == PERMIT &&
             leads_to(stand, to, actor, depth + 1, &further))) {
            *number = given->as.pairs[i].key;
            return true;
        }
        if (waived != NULL)
            waived->count = noted; /* nothing rests on whom it does not come through */
    }
    return false;
}

/* The right of the stand's person is there: does it come to `actor`, who may use it? */
static enum permission comes_to(const struct stand *stand, struct slice actor,
                                const char **sentence, struct slice *number)
{
    struct slice person = stand->person, found = {NULL, 0};
    enum permission permission;

    if (slice_equal(actor, person) || !leads_to(stand, person, actor, 0, &found)) {
        *sentence = (const char *)textf(stand->core,
                                        "%.*s does not stand in for %.*s in this now (`rota "
                                        "delegate list` says who stands in for whom).",
                                        (int)actor.len, (const char *)actor.at, (int)person.len,
                                        (const char *)person.at)
                        .at;
        return DENY_ROLE;
    }
    permission = fits(stand, actor, sentence);
    if (permission == PERMIT && number != NULL)
        *number = found;
    return permission;
}

enum permission authority_in_place(struct core *core, struct slice actor, struct slice person,
                                   const struct subject *subject,
                                   const struct transition *transition, const char **sentence,
                                   struct slice *number)
{
    struct stand stand = stand_of(core, person, subject, transition);
    /* A glass that somebody may break is theirs alone. */
    enum permission permission = permit(core, person, subject, transition, false, sentence);

    return permission != PERMIT ? permission : comes_to(&stand, actor, sentence, number);
}

enum permission authority_edit_in_place(struct core *core, struct slice actor, struct slice person,
                                        const struct subject *subject, const char **sentence)
{
    const struct state *state = kind_state(subject->kind, value_get_text(subject->row, "state"));
    struct stand stand = {core, subject, NULL, person, &state->edit, {NULL, 0}};
    enum permission permission = authority_edit(core, person, subject, sentence);

    return permission != PERMIT ? permission : comes_to(&stand, actor, sentence, NULL);
}

static struct slice find_delegate(const struct stand *stand, struct slice from,
                                  const struct value *taken, int depth, struct slice *number)
{
    const struct value *given = delegations_of(stand->core, from);
    const char *sentence = "";

    for (uint32_t i = 0; given != NULL && i < given->count; i++) {
        const struct value *one = &given->as.pairs[i].value;
        struct slice to = value_get_text(one, "to"), found = {NULL, 0}, further;

        if (!delegation_is_active(stand->core, one) || !has_scope(stand, one) ||
            slice_equal(to, stand->person) || fits(stand, to, &sentence) != PERMIT)
            continue;
        if (value_get_bool(one, "onward", false) && depth < DELEGATION_DEPTH_MAX)
            found = find_delegate(stand, to, taken, depth + 1, &further);
        if (found.len == 0 && !value_has_text(taken, to) &&
            value_get_bin(authority_person(stand->core, to), "sign").len > 0)
            found = to;
        if (found.len == 0)
            continue;
        *number = given->as.pairs[i].key;
        return found;
    }
    return slice_of(NULL, 0);
}

struct slice authority_delegate(struct core *core, struct slice person,
                                const struct subject *subject, const struct transition *transition,
                                const struct value *taken, struct slice *number)
{
    struct stand stand = stand_of(core, person, subject, transition);

    return find_delegate(&stand, person, taken, 0, number);
}

enum permission authority_edit(struct core *core, struct slice actor, const struct subject *subject,
                               const char **sentence)
{
    enum permission permission = known(core, actor, sentence);
    const struct words *words;

    if (permission != PERMIT)
        return permission;
    words = &kind_state(subject->kind, value_get_text(subject->row, "state"))->edit;
    if (words->count == 0 || !is_theirs(core, subject, words, actor))
        return deny_role(core, words, "edit this record", sentence);
    return PERMIT;
}

enum permission authority_hand_over(struct core *core, struct slice actor,
                                    const struct subject *subject, const char **sentence)
{
    static const char *at[] = {"owner", "manager_of:owner", "isms_manager"};
    static const struct words who = {at, 3};
    enum permission permission = known(core, actor, sentence);

    if (permission != PERMIT)
        return permission;
    return is_theirs(core, subject, &who, actor)
               ? PERMIT
               : deny_role(core, &who, "give this record another owner", sentence);
}

void authority_asked(struct core *core, const struct subject *subject, struct value *out)
{
    struct value named = value_array();

    authority_people_of(core, subject, &subject->kind->acknowledge, &named);
    for (uint32_t i = 0; i < named.count; i++)
        if (!authority_is_auditor(core, value_slice(&named.as.items[i])))
            value_push(core->arena, out, named.as.items[i]);
}

enum permission authority_ack(struct core *core, struct slice actor, const struct subject *subject,
                              const char **sentence)
{
    enum permission permission = known(core, actor, sentence);
    struct value asked = value_array();

    if (permission != PERMIT)
        return permission;
    authority_asked(core, subject, &asked);
    if (value_has_text(&asked, actor))
        return PERMIT;
    *sentence = "You are not among those who are asked.";
    return DENY_ROLE;
}

/* Commands that are about no record, and the role each takes. */
static const struct {
    const char *command;
    const char *roles[3];
} command_roles[] = {
    {"directory.install", {"isms_manager", "admin", NULL}},
    {"pack.install", {"isms_manager", "admin", NULL}},
    {"key.revoke", {"isms_manager", "admin", NULL}},
    {"delegation", {"isms_manager", NULL, NULL}}, /* of somebody else */
    {"migrate", {"isms_manager", NULL, NULL}},    /* unless the pack names others */
    {WAIVE_COMMAND, {"top_management", NULL, NULL}},
    {WAIVE_END_COMMAND, {"top_management", NULL, NULL}},
    {"task.redrive", {"isms_manager", "comms_owner", "admin"}},
    {"task.cancel", {"isms_manager", "admin", NULL}},
    {"admin", {"admin", "isms_manager", NULL}},
};

/* The pack may name who moves records to it; else the table says who. */
static enum permission permit_migration(struct core *core, struct slice actor,
                                        const struct words *by, const char **sentence)
{
    for (int i = 0; i < by->count; i++) {
        if (authority_has_role(core, actor, slice_str(by->at[i])))
            return PERMIT;
    }
    return deny_role(core, by, "move records to another definition", sentence);
}

enum permission authority_command(struct core *core, struct slice actor, const char *command,
                                  const char **sentence)
{
    enum permission permission = known(core, actor, sentence);
    const struct pack *pack = core_current_pack(core);

    if (permission != PERMIT)
        return permission;
    if (strcmp(command, "migrate") == 0 && pack != NULL && pack->migrate_by.count > 0)
        return permit_migration(core, actor, &pack->migrate_by, sentence);
    for (size_t i = 0; i < sizeof command_roles / sizeof command_roles[0]; i++) {
        if (strcmp(command_roles[i].command, command) != 0)
            continue;
        for (int r = 0; r < 3 && command_roles[i].roles[r] != NULL; r++) {
            if (authority_has_role(core, actor, slice_str(command_roles[i].roles[r])))
                return PERMIT;
        }
        *sentence = (const char *)textf(core, "Only the role %s may give the command %s.",
                                        command_roles[i].roles[0], command)
                        .at;
        return DENY_ROLE;
    }
    *sentence = "There is no such command.";
    return DENY_ROLE;
}

/* ---- the second person ---- */

static bool may_agree(const struct value *person)
{
    const struct value *roles = value_get(person, "roles");

    return slice_is(value_get_text(person, "kind"), "person") &&
           !value_has_text(roles, slice_str("external_auditor")) &&
           (value_has_text(roles, slice_str("top_management")) ||
            value_has_text(roles, slice_str("isms_manager")));
}

enum permission authority_agree(struct core *core, struct slice actor, const char **sentence)
{
    enum permission permission = known(core, actor, sentence);

    if (permission != PERMIT || may_agree(authority_person(core, actor)))
        return permission;
    *sentence = "Only a person with the role top_management or isms_manager agrees to what "
                "somebody else proposed.";
    return DENY_ROLE;
}

/* Is there another than `actor` and `gone` who could agree? */
static bool has_another(struct core *core, struct slice actor, struct slice gone)
{
    const struct value *people = &directory_of(core)->people;

    for (uint32_t i = 0; i < people->count; i++) {
        const struct value *person = &people->as.items[i];
        struct slice name = value_get_text(person, "name");

        if (may_agree(person) && !has_left(core, person) && !slice_equal(name, actor) &&
            !slice_equal(name, gone) &&
            (keys_have_roots(core) || value_get_bin(person, "sign").len == SIGN_KEY_LEN))
            return true;
    }
    return false;
}

bool authority_has_second(struct core *core, struct slice actor)
{
    return has_another(core, actor, slice_of(NULL, 0));
}

bool authority_needs_key(struct core *core, struct slice actor, struct slice person)
{
    return !keys_have_roots(core) && !slice_equal(actor, person) &&
           authority_has_second(core, actor) && !has_another(core, actor, person);
}

bool authority_may_serve(struct core *core, struct slice actor, struct slice service)
{
    const struct value *services = value_get(authority_person(core, actor), "services");

    if (!value_is(services, VALUE_ARRAY) || has_left(core, authority_person(core, actor)))
        return false;
    for (uint32_t i = 0; i < services->count; i++) {
        struct slice granted = value_slice(&services->as.items[i]);

        if (slice_equal(granted, service))
            return true;
        if (granted.len > 1 && granted.at[granted.len - 1] == '*' &&
            service.len >= granted.len - 1 && memcmp(granted.at, service.at, granted.len - 1) == 0)
            return true;
    }
    return false;
}

bool authority_may_read(struct core *core, struct slice actor, struct slice topic)
{
    const struct value *person = authority_person(core, actor);

    (void)topic;
    return person != NULL && !has_left(core, person);
}

bool authority_is_auditor(struct core *core, struct slice actor)
{
    return authority_has_role(core, actor, slice_str("external_auditor"));
}

bool authority_is_scoped(struct core *core, struct slice actor)
{
    return authority_is_auditor(core, actor) &&
           value_is(value_get(authority_person(core, actor), "scope"), VALUE_ARRAY);
}

bool authority_may_see(struct core *core, struct slice actor, const struct kind *kind)
{
    const struct value *scope = value_get(authority_person(core, actor), "scope");

    return !authority_is_scoped(core, actor) ||
           (kind != NULL && value_has_text(scope, slice_str(kind->name)));
}

bool authority_may_write(struct core *core, struct slice actor)
{
    return authority_is_here(core, actor) && !authority_is_auditor(core, actor);
}

bool authority_may_bring(struct core *core, struct slice actor)
{
    return authority_is_here(core, actor) &&
           value_get_bool(authority_person(core, actor), "gateway", false);
}
