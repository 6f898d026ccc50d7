/* directory.c - who there is: entries of people and workers are installed, an entry of the journal.
 *
 * What is given replaces the entries that it names; nobody else's changes. After the founding it takes two people
 * (proposal.c). Row `directory` keeps the digest of all entries as they count, so that a decision can name what it was made
 * under.
 */
#include "core/inside.h"

enum { NAMED_MAX = 8, AGREED_BYTES = 1024 /* what an agreement adds to what was proposed */ };

static struct slice person_key(struct core *core, struct slice name)
{
    return textf(core, "person/%.*s", (int)name.len, (const char *)name.at);
}

static const struct value *row_of(struct core *core, struct slice name)
{
    return state_row(core->state, person_key(core, name));
}

/* ---- the digest of all of it ---- */

void directory_digest(struct core *core, const struct value *effects, uint8_t out[HASH_LEN])
{
    struct value rows, all = value_map();
    struct buf bytes = BUF_EMPTY;

    state_rows(core->state, slice_str("person/"), UINT32_MAX, &rows);
    for (uint32_t i = 0; i < rows.count; i++)
        value_put(core->arena, &all, value_get_text(&rows.as.items[i], "key"),
                  *value_get(&rows.as.items[i], "row"));
    for (uint32_t i = 0; i < effects->count; i++) {
        const struct pair *patch = &effects->as.pairs[i];
        const struct value *before = value_find(&all, patch->key);
        struct value after = value_map();

        if (!slice_starts(patch->key, "person/"))
            continue;
        if (before != NULL)
            after = value_copy(core->arena, before);
        value_merge(core->arena, &after, &patch->value);
        value_put(core->arena, &all, patch->key, after);
    }
    buf_add_str(&bytes, "rota.directory/1\n");
    for (uint32_t i = 0; i < all.count; i++)
        dmp_encode(&bytes, &all.as.pairs[i].value);
    hash_bytes(buf_slice(&bytes), out);
    buf_release(&bytes);
}

void directory_put_digest(struct core *core, struct slice stream, struct value *effects)
{
    uint8_t *digest = arena_take(core->arena, HASH_LEN);
    bool is_own = slice_is(stream, "directory");

    directory_digest(core, effects, digest);
    value_set(core->arena,
              run_patch(core, effects, is_own ? slice_str("") : slice_str("directory")), "whole",
              value_bin(digest, HASH_LEN));
}

struct value under_of(struct core *core, struct slice pack)
{
    const struct value *whole = value_get(state_row(core->state, slice_str("directory")), "whole");
    struct value under = value_map(), none = value_map();
    uint8_t *digest = arena_take(core->arena, HASH_LEN);

    if (whole == NULL) /* an older journal, until its directory changes */
        directory_digest(core, &none, digest);
    value_set(core->arena, &under, "directory",
              whole != NULL ? *whole : value_bin(digest, HASH_LEN));
    if (pack.len > 0)
        value_set(core->arena, &under, "pack", value_bin(pack.at, pack.len));
    return under;
}

void put_under(struct core *core, struct slice pack, struct value *row)
{
    value_set(core->arena, row, "under", under_of(core, pack));
}

/* ---- one entry ---- */

/* An entry replaces the one before: what it no longer says (a key that was revoked, say) is forgotten. */
static void forget_facts(struct core *core, struct slice name, struct value *person)
{
    const struct value *before = row_of(core, name);

    for (uint32_t i = 0; before != NULL && i < before->count; i++) {
        if (value_find(person, before->as.pairs[i].key) == NULL)
            value_put(core->arena, person, before->as.pairs[i].key, VALUE_NONE);
    }
}

/* No two roles of a conflict in one hand. The first directory comes before the first pack: it is looked at when the
 * pack is there, by the next one. */
static int check_conflicts(struct core *core, const struct value *person)
{
    const struct pack *pack = core_current_pack(core);
    const struct value *roles = value_get(person, "roles");
    struct slice name = value_get_text(person, "name");

    for (int i = 0; pack != NULL && i < pack->separation_count; i++) {
        const struct separation *rule = &pack->separation[i];
        const char *first = NULL;

        for (int k = 0; k < rule->conflict.count; k++) {
            if (!value_has_text(roles, slice_str(rule->conflict.at[k])))
                continue;
            if (first != NULL)
                return run_refuse_apart(core, rule->name, "%.*s cannot be both %s and %s (%s). %s",
                                        (int)name.len, (const char *)name.at, first,
                                        rule->conflict.at[k], rule->name, rule->says);
            first = rule->conflict.at[k];
        }
    }
    return 0;
}

/* ---- what an entry newly says means something ---- */

static bool is_letter_or_digit(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/* A name stands in streams, in commands, and as the name of key files and mail folders. */
static bool is_usable_name(struct slice name)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN || slice_is(name, "engine") ||
        !is_letter_or_digit(name.at[0]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_letter_or_digit(name.at[i]) && memchr("._@+-", name.at[i], 5) == NULL)
            return false;
    return true;
}

/* audit.run, or all that begin so: audit.* */
static bool is_service(struct slice name)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN || name.at[0] < 'a' || name.at[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.at[i];

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') && byte != '.' &&
            byte != '-' && !(byte == '*' && i + 1 == name.len))
            return false;
    }
    return true;
}

/* These two are the engine's own; the others are the workflows'. */
static bool is_role(const struct pack *pack, struct slice role)
{
    return pack_role(pack, role) != NULL || slice_is(role, "admin") ||
           slice_is(role, "external_auditor");
}

static bool said_before(const struct value *before, const char *fact, struct slice word)
{
    return before != NULL && value_has_text(value_get(before, fact), word);
}

static int check_roles(struct core *core, struct slice name, const struct value *roles)
{
    const struct pack *pack = core_current_pack(core);
    const struct value *before = row_of(core, name);

    for (uint32_t i = 0; pack != NULL && value_is(roles, VALUE_ARRAY) && i < roles->count; i++) {
        struct slice role = value_slice(&roles->as.items[i]);

        if (!is_role(pack, role) && !said_before(before, "roles", role))
            return run_refuse(core, 422, "guard-failed", "%.*s: the workflows know no role %.*s%s",
                              (int)name.len, (const char *)name.at, (int)role.len,
                              (const char *)role.at, or_stop(role_hint(core, role)));
    }
    return 0;
}

static int check_services(struct core *core, struct slice name, const struct value *services)
{
    for (uint32_t i = 0; value_is(services, VALUE_ARRAY) && i < services->count; i++) {
        struct slice service = value_slice(&services->as.items[i]);

        if (!is_service(service) && !said_before(row_of(core, name), "services", service))
            return run_refuse(core, 422, "guard-failed",
                              "%.*s: %.*s is no name of a service, as audit.run, or audit.* for "
                              "all that begin so.",
                              (int)name.len, (const char *)name.at, (int)service.len,
                              (const char *)service.at);
    }
    return 0;
}

static bool is_listed(const struct value *people, struct slice name)
{
    for (uint32_t i = 0; i < people->count; i++)
        if (slice_equal(value_get_text(&people->as.items[i], "name"), name))
            return true;
    return false;
}

static int check_manager(struct core *core, const struct value *people, struct slice name,
                         struct slice manager)
{
    if (manager.len == 0 || slice_equal(manager, value_get_text(row_of(core, name), "manager")))
        return 0;
    if (slice_equal(manager, name))
        return run_refuse(core, 422, "guard-failed", "%.*s is not the manager of themselves.",
                          (int)name.len, (const char *)name.at);
    if (row_of(core, manager) == NULL && !is_listed(people, manager))
        return run_refuse(core, 422, "guard-failed",
                          "%.*s: the manager %.*s is not in the directory%s", (int)name.len,
                          (const char *)name.at, (int)manager.len, (const char *)manager.at,
                          or_stop(person_hint(core, manager)));
    return 0;
}

/* Each refused with the entry and the word. What stands there already may stay: it was taken once. */
static int check_words(struct core *core, const struct value *people, const struct value *person)
{
    struct slice name = value_get_text(person, "name");

    return check_roles(core, name, value_get(person, "roles")) != 0 ||
                   check_services(core, name, value_get(person, "services")) != 0
               ? -1
               : check_manager(core, people, name, value_get_text(person, "manager"));
}

/* Whose rights now end at another time: open rounds that ask them are counted again. */
static void note_leaving(struct core *core, struct slice name, const struct value *person,
                         struct value *leaving)
{
    const struct value *before = row_of(core, name);

    if (before != NULL && value_get_int(before, "not_after", INT64_MAX) !=
                              value_get_int(person, "not_after", INT64_MAX))
        value_push(core->arena, leaving, value_text(name));
}

/* ---- the list ---- */

struct listing {              /* a list of entries, and what it would change */
    struct value effects;     /* on rows person/NAME */
    struct value leaving;     /* names */
    struct value new, others; /* names of entries that come, and that are changed */
};

static void note_change(struct core *core, struct slice name, const struct value *person,
                        struct listing *listing)
{
    const struct value *before = row_of(core, name);
    struct value after;

    if (before == NULL) {
        value_push(core->arena, &listing->new, value_text(name));
        return;
    }
    after = value_copy(core->arena, before);
    value_merge(core->arena, &after, person);
    if (!value_equal(&after, before))
        value_push(core->arena, &listing->others, value_text(name));
}

static int take_entry(struct core *core, const struct value *people, uint32_t at,
                      struct listing *listing)
{
    const struct value *given = &people->as.items[at];
    struct slice name = value_get_text(given, "name");
    struct value person = value_copy(core->arena, given);

    if (!is_usable_name(name) && row_of(core, name) == NULL)
        return run_refuse(core, 422, "guard-failed",
                          "Entry %u of the directory has no usable name: letters a to z, digits "
                          "and . _ @ + - in at most %d bytes; how a person is called stands in "
                          "`title`.",
                          at + 1, NAME_MAX_LEN);
    if (value_find(&listing->effects, person_key(core, name)) != NULL)
        return run_refuse(core, 422, "guard-failed",
                          "%.*s stands in the list twice; one entry says all of it.", (int)name.len,
                          (const char *)name.at);
    if (check_words(core, people, &person) != 0 || check_conflicts(core, &person) != 0 ||
        keys_keep(core, &person) != 0)
        return -1;
    note_leaving(core, name, &person, &listing->leaving);
    forget_facts(core, name, &person);
    note_change(core, name, &person, listing);
    value_put(core->arena, &listing->effects, person_key(core, name), person);
    return 0;
}

static int take_list(struct core *core, const struct value *people, struct listing *listing)
{
    *listing = (struct listing){value_map(), value_array(), value_array(), value_array()};
    if (!value_is(people, VALUE_ARRAY) || people->count == 0 || people->count > PEOPLE_MAX)
        return run_refuse(core, 400, "malformed", "\"people\" is a list of people and workers.");
    for (uint32_t i = 0; i < people->count; i++) {
        if (take_entry(core, people, i, listing) != 0)
            return -1;
    }
    return keys_are_own(core, &listing->effects);
}

static struct slice add_names(struct core *core, struct slice text, const char *word,
                              const struct value *names)
{
    for (uint32_t i = 0; i < names->count && i < NAMED_MAX; i++)
        text = textf(core, "%.*s%s%.*s", (int)text.len, (const char *)text.at, i == 0 ? word : ", ",
                     (int)names->as.items[i].count, names->as.items[i].as.text);
    return names->count <= NAMED_MAX ? text
                                     : textf(core, "%.*s and %u more", (int)text.len,
                                             (const char *)text.at, names->count - NAMED_MAX);
}

/* What it would change, in a few words: part of the sentence that the second person signs. */
static struct slice in_words(struct core *core, const struct listing *listing)
{
    struct slice text = slice_str("the directory changes");

    text = add_names(core, text, ": new ", &listing->new);
    return add_names(core, text, listing->new.count > 0 ? "; changed " : ": changed ",
                     &listing->others);
}

static struct slice digest_of(struct core *core, const struct value *value)
{
    struct buf bytes = BUF_EMPTY;
    uint8_t *digest = arena_take(core->arena, HASH_LEN);

    dmp_encode(&bytes, value);
    hash_bytes(buf_slice(&bytes), digest);
    buf_release(&bytes);
    return slice_of(digest, HASH_LEN);
}

/* What is agreed to must fit into one entry with all that it changes: this is said while there is nothing to end. */
static int check_size(struct core *core, const struct value *args, const struct value *effects)
{
    struct buf bytes = BUF_EMPTY;
    size_t len;

    dmp_encode(&bytes, args);
    dmp_encode(&bytes, effects);
    len = bytes.len + AGREED_BYTES;
    buf_release(&bytes);
    return len <= DMP_BYTES_MAX
               ? 0
               : run_refuse(core, 413, "too-large",
                            "These %u entries do not fit into one entry of the journal; install "
                            "them in parts.",
                            value_get(args, "people")->count);
}

static int enter(struct core *core, const struct question *question, struct listing *listing,
                 struct value *own)
{
    struct author author = run_principal(core);
    struct value args = value_map();
    int64_t seq;

    value_set(core->arena, own, "digest", VALUE_NONE); /* older journals: of the last list */
    value_set(core->arena, &listing->effects, "", *own);
    directory_put_digest(core, slice_str("directory"), &listing->effects);
    core->run->people_changed = true;
    seq = run_leaf(core, "directory.installed", slice_str("directory"), slice_of(NULL, 0), &author,
                   question->args, &listing->effects);
    value_set(core->arena, &args, "people", listing->leaving);
    if (seq >= 0 && listing->leaving.count > 0)
        run_follow(core, slice_str("directory"), ROUNDS_RECOUNT, seq, &args, NOBODY);
    return seq < 0 ? -1 : 0;
}

struct slice directory_base(struct core *core, const struct value *people)
{
    struct value before = value_array();

    for (uint32_t i = 0; value_is(people, VALUE_ARRAY) && i < people->count; i++) {
        const struct value *row = row_of(core, value_get_text(&people->as.items[i], "name"));

        value_push(core->arena, &before, row != NULL ? *row : VALUE_NONE);
    }
    return digest_of(core, &before);
}

int directory_install(struct core *core, const struct question *question)
{
    const struct value *people = value_get(question->args, "people");
    bool is_first = state_row(core->state, slice_str("directory")) == NULL;
    struct value own = value_map();
    struct change change = {
        .what = "directory", .agreed = "directory.installed", .stream = slice_str("directory")};
    enum passage passage = PASSAGE_ALONE;
    struct listing listing;

    /* The first directory comes with the journal: nobody is in it yet who could permit it. */
    if ((!is_first && proposal_permit(core, question) != 0) ||
        take_list(core, people, &listing) != 0)
        return -1;
    if (is_first)
        return enter(core, question, &listing, &own);
    if (listing.new.count + listing.others.count == 0)
        return run_refuse(core, 409, "wrong-state",
                          "The directory says all of this already; nothing has changed.");
    change.digest = digest_of(core, people);
    change.base = directory_base(core, people);
    change.says = in_words(core, &listing);
    if (check_size(core, question->args, &listing.effects) != 0 ||
        proposal_take(core, question, &change, &listing.effects, &own, &passage) != 0)
        return -1;
    return passage == PASSAGE_PROPOSED ? 0 : enter(core, question, &listing, &own);
}
