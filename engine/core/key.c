/* key.c - people's signing keys: enrolled, replaced, revoked.
 *
 *     no key ──enrol (two roots)──> key 0 ──enrol (its holder, or two roots)──> key 1 ...
 *        ^                            │
 *        └───────────revoke───────────┘   by its holder, or who keeps the directory: to take away needs no proof
 *
 * But nobody makes himself alone by it: where keys come with the directory (no root keys), that of the last other who could
 * agree to a change is revoked by its holder only.
 *
 * The row key/NAME counts the changes; the key itself stands in person/NAME, where every check of a signature finds it. A
 * journal without root keys has its keys from the directory, and whoever installs that can give anybody a key: rota-verify
 * says so.
 */
#include "core/endorse.h"
#include "core/inside.h"

static const struct value *journal_row(struct core *core)
{
    return state_row(core->state, slice_str("journal"));
}

static const struct value *root_keys(struct core *core)
{
    return value_get(journal_row(core), "root_keys");
}

bool keys_have_roots(struct core *core)
{
    const struct value *roots = root_keys(core);

    return value_is(roots, VALUE_ARRAY) && roots->count > 0;
}

static struct slice key_row(struct core *core, struct slice person)
{
    return textf(core, "key/%.*s", (int)person.len, (const char *)person.at);
}

static int64_t serial_of(struct core *core, struct slice person)
{
    return value_get_int(state_row(core->state, key_row(core, person)), "changes", 0);
}

/* Whose an enrolled signing key is, for ever. */
static struct slice signer_row(struct core *core, struct slice key)
{
    uint8_t hash[HASH_LEN];
    char hex[2 * HASH_LEN + 1];

    hash_bytes(key, hash);
    hex_encode(slice_of(hash, HASH_LEN), hex);
    return textf(core, "signer/%s", hex);
}

/* The person's row, or a refusal. */
static const struct value *person_of(struct core *core, const struct question *question,
                                     struct slice *name)
{
    const struct value *person;

    *name = value_get_text(question->args, "person");
    person = authority_person(core, *name);
    if (person == NULL || !slice_is(value_get_text(person, "kind"), "person")) {
        (void)run_refuse(core, 404, "no-record", "There is no person \"%.*s\" in the directory%s",
                         (int)name->len, (const char *)name->at, or_stop(person_hint(core, *name)));
        return NULL;
    }
    return person;
}

static int enter(struct core *core, const struct question *question, const char *type,
                 struct slice name, const struct value *sign)
{
    struct author author = run_principal(core);
    struct value effects = value_map(), own = value_map();

    value_set(core->arena, &own, "changes", value_int(serial_of(core, name) + 1));
    value_set(core->arena, &own, "since_ms", value_int(core->now_ms));
    value_set(core->arena, &effects, "", own);
    value_set(
        core->arena,
        run_patch(core, &effects, textf(core, "person/%.*s", (int)name.len, (const char *)name.at)),
        "sign", *sign);
    if (sign->type == VALUE_BIN)
        value_set(core->arena, run_patch(core, &effects, signer_row(core, value_slice(sign))),
                  "person", value_text(name));
    directory_put_digest(core, key_row(core, name), &effects);
    core->run->people_changed = true;
    return run_leaf(core, type, key_row(core, name), slice_of(NULL, 0), &author, question->args,
                    &effects) < 0
               ? -1
               : 0;
}

/* ---- a key is one person's ---- */

struct owners {
    struct core *core;
    struct map by_key; /* what it is, and its bytes -> struct slice, the owner's name */
};

static int refuse_shared(struct core *core, const char *what, struct slice name, struct slice other)
{
    return run_refuse(core, 422, "guard-failed",
                      "The %s of %.*s is that of %.*s as well. A key is one person's: whoever "
                      "holds it would be both. Make another (`rota key new`).",
                      what, (int)name.len, (const char *)name.at, (int)other.len,
                      (const char *)other.at);
}

static int claim(struct owners *owners, const char *what, struct slice bytes, struct slice name)
{
    struct core *core = owners->core;
    struct slice *own = arena_take(core->arena, sizeof *own), *other;
    struct buf key = BUF_EMPTY;

    if (bytes.len == 0)
        return 0;
    *own = name;
    buf_add_str(&key, what);
    buf_add_slice(&key, bytes);
    other = map_put(&owners->by_key, buf_slice(&key), own);
    buf_release(&key);
    return other == NULL || slice_equal(*other, name) ? 0 : refuse_shared(core, what, name, *other);
}

static int claim_all(struct owners *owners, struct slice row, const struct value *entry)
{
    struct slice name = slice_of(row.at + 7, row.len - 7); /* person/NAME */
    const struct value *transport = value_get(entry, "transport"), *uid = value_get(entry, "uid");

    for (uint32_t i = 0; value_is(transport, VALUE_ARRAY) && i < transport->count; i++)
        if (claim(owners, "transport key", value_slice(&transport->as.items[i]), name) != 0)
            return -1;
    if (value_is(uid, VALUE_INT) &&
        claim(owners, "login (uid)", textf(owners->core, "%lld", (long long)uid->as.number),
              name) != 0)
        return -1;
    return claim(owners, "signing key", value_get_bin(entry, "sign"), name);
}

int keys_are_own(struct core *core, const struct value *entries)
{
    struct owners owners = {core, MAP_EMPTY};
    struct value rows;
    int rc = 0;

    state_rows(core->state, slice_str("person/"), PEOPLE_MAX, &rows);
    for (uint32_t i = 0; i < rows.count && rc == 0; i++) {
        struct slice key = value_get_text(&rows.as.items[i], "key");

        if (value_find(entries, key) == NULL)
            rc = claim_all(&owners, key, value_get(&rows.as.items[i], "row"));
    }
    for (uint32_t i = 0; i < entries->count && rc == 0; i++)
        if (slice_starts(entries->as.pairs[i].key, "person/"))
            rc = claim_all(&owners, entries->as.pairs[i].key, &entries->as.pairs[i].value);
    map_release(&owners.by_key);
    return rc;
}

/* The person's entry with that key, nobody else's with it, and nobody's before: what it signed then was said by them. */
static int check_own(struct core *core, struct slice name, const struct value *person,
                     struct slice key)
{
    struct value entries = value_map(), entry = value_copy(core->arena, person);
    struct slice first = value_get_text(state_row(core->state, signer_row(core, key)), "person");

    if (first.len > 0 && !slice_equal(first, name))
        return refuse_shared(core, "signing key", name, first);
    value_set(core->arena, &entry, "sign", value_bin(key.at, SIGN_KEY_LEN));
    value_put(core->arena, &entries,
              textf(core, "person/%.*s", (int)name.len, (const char *)name.at), entry);
    return keys_are_own(core, &entries);
}

/* args {person, key, serial, endorsements, reason?}. Whoever brings it: what counts is who endorsed it. */
int key_enrol(struct core *core, const struct question *question)
{
    struct slice name, key = value_get_bin(question->args, "key"), present;
    const struct value *person = person_of(core, question, &name);
    int64_t serial = serial_of(core, name);
    struct enrolment enrolment;
    const char *fault;
    struct value sign;

    if (person == NULL)
        return -1;
    if (key.len != SIGN_KEY_LEN)
        return run_refuse(core, 400, "malformed", "\"key\" is a public key of 32 bytes.");
    if (!keys_have_roots(core))
        return run_refuse(core, 409, "wrong-state",
                          "This journal names no root keys: people's keys come with the "
                          "directory (directory.install).");
    if (value_get_int(question->args, "serial", -1) != serial)
        return run_refuse(core, 409, "stale-content",
                          "The keys of %.*s have changed %lld times; this enrolment was made for "
                          "change %lld. Make and endorse it anew.",
                          (int)name.len, (const char *)name.at, (long long)serial,
                          (long long)value_get_int(question->args, "serial", -1));
    present = value_get_bin(person, "sign");
    if (slice_equal(present, key))
        return run_refuse(core, 409, "wrong-state", "This is the key of %.*s already.",
                          (int)name.len, (const char *)name.at);
    enrolment = (struct enrolment){
        value_get_text(journal_row(core), "origin"),     name,           serial, key.at,
        present.len == SIGN_KEY_LEN ? present.at : NULL, root_keys(core)};
    fault = endorse_fault(&enrolment, value_get(question->args, "endorsements"));
    if (fault != NULL)
        return run_refuse(core, 403, "not-allowed", "The key of %.*s is not enrolled: %s.",
                          (int)name.len, (const char *)name.at, fault);
    if (check_own(core, name, person, key) != 0)
        return -1;
    sign = value_bin(key.at, SIGN_KEY_LEN);
    return enter(core, question, "key.enrolled", name, &sign);
}

/* args {person, reason}. */
int key_revoke(struct core *core, const struct question *question)
{
    struct slice name;
    const struct value *person = person_of(core, question, &name);
    struct value none = VALUE_NONE;
    const char *sentence = "";

    if (person == NULL)
        return -1;
    /* One's own, as long as one is here. */
    if ((!slice_equal(name, question->principal) || !authority_is_here(core, name)) &&
        authority_command(core, question->principal, "key.revoke", &sentence) != PERMIT)
        return run_refuse(core, 403, "not-allowed", "%s", sentence);
    if (value_get(question->args, "reason") == NULL)
        return run_refuse(core, 422, "guard-failed", "A revocation needs a reason.");
    if (value_get_bin(person, "sign").len != SIGN_KEY_LEN)
        return run_refuse(core, 409, "wrong-state", "%.*s has no signing key to revoke.",
                          (int)name.len, (const char *)name.at);
    /* Who takes from the last other who could agree what that takes would be alone: nobody makes himself that. */
    if (authority_needs_key(core, question->principal, name))
        return run_refuse(
            core, 403, "not-allowed",
            "Without the key of %.*s nobody could agree to what you propose, and you "
            "would be alone. They revoke it themselves (rota key revoke, as %.*s), or "
            "another person gets the role and a key first.",
            (int)name.len, (const char *)name.at, (int)name.len, (const char *)name.at);
    return enter(core, question, "key.revoked", name, &none);
}

int keys_keep(struct core *core, struct value *person)
{
    struct slice name = value_get_text(person, "name"), given = value_get_bin(person, "sign");
    const struct value *before =
        state_rowf(core->state, "person/%.*s", (int)name.len, (const char *)name.at);
    struct slice present = value_get_bin(before, "sign");

    if (!keys_have_roots(core))
        return 0;
    if (given.len > 0 && !slice_equal(given, present))
        return run_refuse(core, 403, "not-allowed",
                          "The directory cannot give %.*s a signing key: that takes key.enrol, "
                          "endorsed by the present key or by two root keys.",
                          (int)name.len, (const char *)name.at);
    if (present.len == SIGN_KEY_LEN)
        value_set(core->arena, person, "sign", value_bin(present.at, SIGN_KEY_LEN));
    return 0;
}
