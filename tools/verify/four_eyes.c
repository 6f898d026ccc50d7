#include "four_eyes.h"

#include <stdlib.h>

enum { NAME_MAX_LEN = 200 };

static const char person_prefix[] = "person/";

void four_eyes_init(struct four_eyes *eyes, const struct actor_check *actors)
{
    *eyes = (struct four_eyes){.actors = actors};
    table_init(&eyes->proposals);
    table_init(&eyes->people);
}

void four_eyes_release(struct four_eyes *eyes)
{
    table_release(&eyes->proposals);
    table_release(&eyes->people);
    free(eyes->rows);
}

static void fault(const struct four_eyes *eyes, const char *code, uint64_t seq, const char *why,
                  struct bytes about)
{
    report_error(eyes->actors->report, code, (int64_t)seq, "%s: %.*s", why, BYTES_ARG(about));
}

static bool begins(struct bytes text, const char *with)
{
    size_t len = strlen(with);

    return text.len >= len && memcmp(text.at, with, len) == 0;
}

/* ---- the directory ---- */

static struct bytes row_of(const struct four_eyes *eyes, const char *prefix, struct bytes name)
{
    char key[NAME_MAX_LEN];
    int len = snprintf(key, sizeof key, "%s%.*s", prefix, BYTES_ARG(name));
    const struct table_entry *entry =
        len > 0 && (size_t)len < sizeof key
            ? table_find(eyes->actors->rows, bytes_of(key, (size_t)len))
            : NULL;

    return entry != NULL && entry->row != NULL ? table_row(entry) : bytes_of(NULL, 0);
}

static bool has_key(const struct four_eyes *eyes, struct bytes name, struct bytes person)
{
    struct bytes key;

    if (keyring_is_rooted(eyes->actors->ring))
        return keyring_key(eyes->actors->ring, name, &key);
    return dmp_find_bin(person, "sign", &key) && key.len == PUBLIC_KEY_LEN;
}

/* May they agree, by their role and their time? */
static bool may_agree(struct bytes person, uint64_t time_us)
{
    struct bytes kind, roles;
    int64_t end;

    if (!dmp_find_str(person, "kind", &kind) || !bytes_are(kind, "person") ||
        !dmp_find(person, "roles", &roles) || dmp_list_has(roles, bytes_text("external_auditor")))
        return false;
    if (dmp_find_int(person, "not_after", &end) && (int64_t)(time_us / 1000) > end)
        return false;
    return dmp_list_has(roles, bytes_text("top_management")) ||
           dmp_list_has(roles, bytes_text("isms_manager"));
}

/* With root keys, who has no key yet could have been given one without the directory. */
static bool has_second(const struct four_eyes *eyes, struct bytes actor, struct bytes gone,
                       uint64_t time_us, struct bytes *who)
{
    for (size_t i = 0; i < eyes->row_count; i++) {
        const struct table_entry *entry = eyes->rows[i];
        struct bytes name = table_key(entry);

        if (entry->row == NULL)
            continue;
        name = bytes_of(name.at + 7, name.len - 7);
        if (bytes_equal(name, actor) || bytes_equal(name, gone) ||
            !may_agree(table_row(entry), time_us) ||
            (!keyring_is_rooted(eyes->actors->ring) && !has_key(eyes, name, table_row(entry))))
            continue;
        *who = name;
        return true;
    }
    return false;
}

/* Without root keys nobody makes himself alone: the key of the last other who could agree is revoked by its holder. */
static void check_revoked(const struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes person, who, key;

    if (!bytes_are(leaf->type, "key.revoked") || keyring_is_rooted(eyes->actors->ring) ||
        !dmp_find_str(leaf->body, "person", &person) || bytes_equal(person, leaf->actor) ||
        !dmp_find_bin(row_of(eyes, person_prefix, person), "sign", &key) ||
        !has_second(eyes, leaf->actor, bytes_of(NULL, 0), leaf->time_us, &who) ||
        has_second(eyes, leaf->actor, person, leaf->time_us, &who))
        return;
    fault(eyes, "FOUR_EYES", seq,
          "the key of the last other who could agree was revoked by who is alone since then",
          leaf->actor);
}

/* ---- what was proposed ---- */

/* The bytes that two commands must share to be about the same change. False: it says nothing of the kind. */
static bool content_of(const struct leaf *leaf, uint8_t hash[HASH_LEN])
{
    struct bytes parts[2] = {{NULL, 0}, {NULL, 0}};

    if (begins(leaf->type, "directory.") || begins(leaf->type, "break_glass.")) {
        if (!dmp_find(leaf->body, begins(leaf->type, "directory.") ? "people" : "event", &parts[0]))
            return false;
    } else if (!dmp_find(leaf->body, "digest", &parts[0]) ||
               !dmp_find(leaf->body, "pack", &parts[1])) {
        return false;
    }
    hash_sha256(parts, 2, hash);
    return true;
}

static void note_proposal(struct four_eyes *eyes, const struct leaf *leaf)
{
    struct table_entry *entry = table_entry(&eyes->proposals, leaf->stream);
    uint8_t row[HASH_LEN + NAME_MAX_LEN];

    if (entry->row != NULL || leaf->actor.len > NAME_MAX_LEN || !content_of(leaf, row))
        return;
    memcpy(row + HASH_LEN, leaf->actor.at, leaf->actor.len);
    table_set_row(&eyes->proposals, entry, bytes_of(row, HASH_LEN + leaf->actor.len));
}

/* ---- two people ---- */

static void check_agreed(const struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes person = row_of(eyes, person_prefix, leaf->actor), said = {NULL, 0}, by;
    const struct table_entry *proposal = NULL;
    uint8_t hash[HASH_LEN] = {0};
    int64_t number = 0;
    char key[64];
    int len;

    if (!may_agree(person, leaf->time_us) || !has_key(eyes, leaf->actor, person))
        fault(eyes, "FOUR_EYES", seq,
              "agreed to by somebody who was no person with that role, or had no signing key",
              leaf->actor);
    if (!dmp_find_str(leaf->body, "meaning", &said) || !bytes_are(said, "authorised"))
        fault(eyes, "FOUR_EYES", seq, "the signature is not one that authorises", leaf->actor);
    if (dmp_find_int(leaf->body, "proposal", &number)) {
        len = snprintf(key, sizeof key, "proposal/%lld", (long long)number);
        proposal = table_find(&eyes->proposals, bytes_of(key, (size_t)len));
    }
    if (proposal == NULL || proposal->row == NULL) {
        fault(eyes, "FOUR_EYES", seq, "nobody had proposed it, agreed to by", leaf->actor);
        return;
    }
    by = bytes_of(proposal->row + HASH_LEN, proposal->row_len - HASH_LEN);
    if (bytes_equal(by, leaf->actor))
        fault(eyes, "FOUR_EYES", seq, "proposed and agreed to by one person", by);
    if (!content_of(leaf, hash) || memcmp(hash, proposal->row, HASH_LEN) != 0)
        fault(eyes, "FOUR_EYES_CONTENT", seq, "something else was proposed than was agreed to in",
              table_key(proposal));
}

static void check_two(const struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes other = {NULL, 0};

    if (leaf->actor_sig != NULL)
        check_agreed(eyes, leaf, seq);
    else if (has_second(eyes, leaf->actor, bytes_of(NULL, 0), leaf->time_us, &other))
        fault(eyes, "FOUR_EYES", seq,
              "entered by one person and signed by nobody, though another could have agreed",
              other);
}

/* ---- break-glass ---- */

static struct table_entry *proposal_of(const struct four_eyes *eyes, uint64_t number)
{
    char key[64];
    int len = snprintf(key, sizeof key, "proposal/%llu", (unsigned long long)number);

    return table_find(&eyes->proposals, bytes_of(key, (size_t)len));
}

/* By how many entries it has gone: 1 agreed to, 2 used. */
static void check_glass(struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct table_entry *proposal = table_find(&eyes->proposals, leaf->stream);

    if (leaf->actor_sig == NULL)
        fault(eyes, "FOUR_EYES", seq, "glass was to be broken, signed by nobody", leaf->stream);
    else
        check_agreed(eyes, leaf, seq);
    if (proposal != NULL && proposal->revision == 0)
        proposal->revision = 1;
}

/* What is done without the role for it rests on one that was agreed to, for its actor, and not used before. */
static void check_glass_used(struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes own, map, event = bytes_of(leaf->type.at, 0), value;
    struct dmp_cursor cursor;
    struct dmp_item item;
    struct table_entry *proposal;

    if (!begins(leaf->type, "record.") || !dmp_find(leaf->effects, "", &own) ||
        !dmp_find(own, "break_glass", &map))
        return;
    event = bytes_of(leaf->type.at + 7, leaf->type.len - 7);
    if (!dmp_find_key(map, event, &value))
        return;
    cursor = dmp_cursor(value);
    proposal =
        dmp_next(&cursor, &item) && item.kind == DMP_INT ? proposal_of(eyes, item.number) : NULL;
    if (proposal == NULL || proposal->row == NULL || proposal->revision != 1 ||
        !bytes_equal(leaf->actor, bytes_of(proposal->row + HASH_LEN, proposal->row_len - HASH_LEN)))
        fault(eyes, "FOUR_EYES", seq, "glass was broken that nobody had agreed to, or twice, by",
              leaf->actor);
    else
        proposal->revision = 2;
}

/* ---- what it changed ---- */

/* Does the patch of an entry make it what the list says, and nothing else? */
static bool patch_says(const struct four_eyes *eyes, struct bytes name, struct bytes patch,
                       struct bytes entry)
{
    struct dmp_pairs pairs = dmp_pairs(patch);
    struct bytes wanted, key, given;

    while (dmp_pairs_next(&pairs)) {
        if (dmp_find_key(entry, pairs.key, &wanted)) {
            if (!bytes_equal(wanted, pairs.value))
                return false;
        } else if (!dmp_is_nil(pairs.value)) {
            /* Root keys: the directory says nothing of signing keys, and the one that was enrolled stays. */
            if (!bytes_are(pairs.key, "sign") || !dmp_find_bin(patch, "sign", &given) ||
                !keyring_is_rooted(eyes->actors->ring) ||
                !keyring_key(eyes->actors->ring, name, &key) || !bytes_equal(given, key))
                return false;
        }
    }
    pairs = dmp_pairs(entry);
    while (dmp_pairs_next(&pairs))
        if (!dmp_find_key(patch, pairs.key, &given))
            return false;
    return true;
}

/* What stood in the entry before and is in neither must be taken away by the patch. */
static bool forgets(const struct four_eyes *eyes, struct bytes name, struct bytes patch)
{
    struct dmp_pairs pairs = dmp_pairs(row_of(eyes, person_prefix, name));
    struct bytes said;

    while (dmp_pairs_next(&pairs))
        if (!dmp_find_key(patch, pairs.key, &said))
            return false;
    return true;
}

static void check_entries(const struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes people, entry, name, patch;
    struct dmp_list list;
    struct dmp_pairs pairs = dmp_pairs(leaf->effects);
    uint64_t listed = 0, changed = 0;
    char key[NAME_MAX_LEN];

    if (!dmp_find(leaf->body, "people", &people)) {
        fault(eyes, "FOUR_EYES_CONTENT", seq, "it lists nobody", leaf->stream);
        return;
    }
    list = dmp_list(people);
    while (dmp_list_next(&list, &entry)) {
        listed++;
        if (!dmp_find_str(entry, "name", &name) || name.len + sizeof person_prefix > sizeof key)
            continue;
        snprintf(key, sizeof key, "%s%.*s", person_prefix, BYTES_ARG(name));
        if (!dmp_find(leaf->effects, key, &patch) || !patch_says(eyes, name, patch, entry) ||
            !forgets(eyes, name, patch))
            fault(eyes, "FOUR_EYES_CONTENT", seq, "it makes another entry than it lists", name);
    }
    while (dmp_pairs_next(&pairs))
        changed += begins(pairs.key, person_prefix);
    if (changed != listed)
        fault(eyes, "FOUR_EYES_CONTENT", seq, "it changes other entries than it lists",
              leaf->stream);
}

static void check_current(const struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes own, current, digest;

    if (!dmp_find(leaf->effects, "", &own) || !dmp_find(own, "current", &current) ||
        !dmp_find(leaf->body, "digest", &digest) || !bytes_equal(current, digest))
        fault(eyes, "FOUR_EYES_CONTENT", seq, "another pack counts than it names", leaf->stream);
}

/* ---- the digest of the directory ---- */

static int by_key(const void *a, const void *b)
{
    const struct table_entry *const *one = a, *const *other = b;

    return bytes_compare(table_key(*one), table_key(*other));
}

/* SHA-256("rota.directory/1\n" and the rows in the order of their keys). */
static void digest_of(const struct four_eyes *eyes, uint8_t out[HASH_LEN])
{
    struct buf bytes = {0};
    struct bytes all;

    if (eyes->row_count > 0)
        qsort(eyes->rows, eyes->row_count, sizeof *eyes->rows, by_key);
    buf_add_bytes(&bytes, bytes_text("rota.directory/1\n"));
    for (size_t i = 0; i < eyes->row_count; i++)
        if (eyes->rows[i]->row != NULL)
            buf_add_bytes(&bytes, table_row(eyes->rows[i]));
    all = buf_bytes(&bytes);
    hash_sha256(&all, 1, out);
    buf_release(&bytes);
}

/* Who comes into the directory is listed, once. */
static void note_people(struct four_eyes *eyes, const struct leaf *leaf)
{
    struct dmp_pairs pairs = dmp_pairs(leaf->effects);

    while (dmp_pairs_next(&pairs)) {
        struct bytes key = pairs.key.len > 0 ? pairs.key : leaf->stream;
        const struct table_entry *row =
            begins(key, person_prefix) ? table_find(eyes->actors->rows, key) : NULL;
        struct table_entry *known = row != NULL ? table_entry(&eyes->people, key) : NULL;

        if (known == NULL || known->mark > 0)
            continue;
        known->mark = 1;
        eyes->rows =
            memory_grow(eyes->rows, &eyes->row_cap, eyes->row_count + 1, sizeof *eyes->rows);
        eyes->rows[eyes->row_count++] = row;
    }
}

/* ---- everything else ---- */

static bool has_only(struct bytes patch, const char *name)
{
    struct dmp_pairs pairs = dmp_pairs(patch);

    while (dmp_pairs_next(&pairs))
        if (!bytes_are(pairs.key, name))
            return false;
    return dmp_is_map(patch);
}

static bool may_change(const struct leaf *leaf, struct bytes key, struct bytes patch)
{
    bool is_key = bytes_are(leaf->type, "key.enrolled") || bytes_are(leaf->type, "key.revoked");

    if (begins(key, person_prefix))
        return bytes_are(leaf->type, "directory.installed") || (is_key && has_only(patch, "sign"));
    if (bytes_are(key, "directory"))
        return bytes_are(leaf->type, "directory.installed") || (is_key && has_only(patch, "whole"));
    if (bytes_are(key, "pack") || begins(key, "pack/"))
        return bytes_are(leaf->type, "pack.installed");
    return true;
}

/* The pack that governs a decision about this row: that of its record, else the one that counts. */
static struct bytes governing(const struct four_eyes *eyes, struct bytes key, struct bytes patch)
{
    const uint8_t *slash = memchr(key.at, '/', key.len);
    struct bytes pack = {NULL, 0},
                 row = row_of(eyes, "",
                              slash != NULL ? bytes_of(key.at, (size_t)(slash - key.at)) : key);

    if (!dmp_find_bin(patch, "pack", &pack) && !dmp_find_bin(row, "pack", &pack))
        (void)dmp_find_bin(row_of(eyes, "", bytes_text("pack")), "current", &pack);
    return pack;
}

/* A decision names the directory that it was made under, the one that stood there then, and the pack that governed it. */
static void check_under(const struct four_eyes *eyes, struct bytes key, struct bytes patch,
                        uint64_t seq)
{
    struct bytes under, ended, said, whole, pack;

    if (!dmp_find(patch, "under", &under) &&
        !(dmp_find(patch, "ended", &ended) && dmp_find(ended, "under", &under)))
        return;
    if (dmp_find_bin(under, "directory", &said) &&
        dmp_find_bin(row_of(eyes, "", bytes_text("directory")), "whole", &whole) &&
        !bytes_equal(said, whole))
        fault(eyes, "DIRECTORY_DIGEST", seq, "another directory is named than stood there then",
              key);
    pack = governing(eyes, key, patch);
    if (key.len > 0 && dmp_find_bin(under, "pack", &said) && !bytes_equal(said, pack))
        fault(eyes, "DIRECTORY_DIGEST", seq, "another definition is named than governed it", key);
}

/* The digest of the directory as it stands; of an older journal, which keeps none of the whole, it is computed. */
static struct bytes directory_now(const struct four_eyes *eyes, uint8_t room[HASH_LEN])
{
    struct bytes whole;

    if (dmp_find_bin(row_of(eyes, "", bytes_text("directory")), "whole", &whole))
        return whole;
    digest_of(eyes, room);
    return bytes_of(room, HASH_LEN);
}

static bool is_decision(const struct leaf *leaf)
{
    struct bytes meaning;

    return leaf->actor_sig != NULL && dmp_find(leaf->body, "meaning", &meaning);
}

/* Whoever signs a decision signs what it is made under: so a genuine one is worth nothing at another time, under another
 * directory or other definitions. Who once said so never signs without. */
static void check_signed_under(struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes under, directory = {NULL, 0}, pack = {NULL, 0}, none = {NULL, 0};
    uint8_t room[HASH_LEN];

    if (!is_decision(leaf))
        return;
    if (!dmp_find(leaf->body, "under", &under)) {
        eyes->without_under++;
        if (eyes->names_under)
            fault(eyes, "SIGNED_UNDER", seq,
                  "the decision does not say under which directory it was signed", leaf->stream);
        return;
    }
    eyes->names_under = true;
    (void)dmp_find_bin(under, "directory", &directory);
    (void)dmp_find_bin(under, "pack", &pack);
    if (!bytes_equal(directory, directory_now(eyes, room)))
        fault(eyes, "SIGNED_UNDER", seq,
              "the decision was signed under another directory than stood there when it was made",
              leaf->stream);
    if (!bytes_equal(pack, governing(eyes, leaf->stream, none)))
        fault(eyes, "SIGNED_UNDER", seq,
              "the decision was signed under other definitions than governed it when it was made",
              leaf->stream);
}

static void check_rows(const struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct dmp_pairs pairs = dmp_pairs(leaf->effects);

    while (dmp_pairs_next(&pairs)) {
        struct bytes key = pairs.key.len > 0 ? pairs.key : leaf->stream;

        if (!may_change(leaf, key, pairs.value))
            fault(eyes, "GOVERNING_ROW", seq, "this kind of entry changes what it may not", key);
        check_under(eyes, key, pairs.value, seq);
    }
}

void four_eyes_leaf(struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    bool is_directory = bytes_are(leaf->type, "directory.installed");
    bool is_pack = bytes_are(leaf->type, "pack.installed");
    bool *has_first = is_directory ? &eyes->has_directory : &eyes->has_pack;

    if (eyes->actors->rows == NULL)
        return;
    check_rows(eyes, leaf, seq);
    check_signed_under(eyes, leaf, seq);
    check_revoked(eyes, leaf, seq);
    if (bytes_are(leaf->type, "directory.proposed") || bytes_are(leaf->type, "pack.proposed") ||
        bytes_are(leaf->type, "break_glass.proposed"))
        note_proposal(eyes, leaf);
    if (bytes_are(leaf->type, "break_glass.agreed"))
        check_glass(eyes, leaf, seq);
    check_glass_used(eyes, leaf, seq);
    if ((!is_directory && !is_pack) || !*has_first) {
        if (is_directory || is_pack)
            *has_first = true;
        return;
    }
    check_two(eyes, leaf, seq);
    if (is_directory)
        check_entries(eyes, leaf, seq);
    else
        check_current(eyes, leaf, seq);
}

void four_eyes_folded(struct four_eyes *eyes, const struct leaf *leaf, uint64_t seq)
{
    struct bytes said;
    uint8_t digest[HASH_LEN];

    if (eyes->actors->rows != NULL)
        note_people(eyes, leaf);
    if (eyes->actors->rows == NULL ||
        !(bytes_are(leaf->type, "directory.installed") || begins(leaf->type, "key.")))
        return;
    /* Older journals keep the digest of the last list alone. */
    if (!dmp_find_bin(row_of(eyes, "", bytes_text("directory")), "whole", &said))
        return;
    digest_of(eyes, digest);
    if (!bytes_equal(said, bytes_of(digest, HASH_LEN)))
        fault(eyes, "DIRECTORY_DIGEST", seq, "the digest of the directory is another",
              leaf->stream);
}

void four_eyes_conclude(const struct four_eyes *eyes)
{
    if (eyes->without_under > 0)
        report_warn(
            eyes->actors->report, "UNDER_UNSIGNED",
            "%llu decisions were signed before the engine asked under which directory: that "
            "each stands where it was made is shown by a checkpoint kept outside alone",
            (unsigned long long)eyes->without_under);
}
