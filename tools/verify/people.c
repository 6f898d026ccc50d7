/* people.c - the pack's words for people, as far as they can be followed from rows alone. */
#include "ballot.h"
#include "dmp.h"
#include "proof.h"

#include <stdio.h>

static bool list_or_text_has(struct bytes value, struct bytes name)
{
    struct bytes text;

    return dmp_text(value, &text) ? bytes_equal(text, name) : dmp_list_has(value, name);
}

static bool has_role(const struct proof *proof, struct bytes name, struct bytes role)
{
    struct bytes row, roles;

    return person_row(proof->rows, name, &row) && dmp_find(row, "roles", &roles) &&
           dmp_list_has(roles, role);
}

/* A field names people; a name that is nobody's is a role. */
static bool named_by(const struct proof *proof, struct bytes value, struct bytes name)
{
    struct dmp_list list = dmp_list(value);
    struct bytes one, text;

    if (dmp_text(value, &text))
        return bytes_equal(text, name) || has_role(proof, name, text);
    while (dmp_list_next(&list, &one))
        if (dmp_text(one, &text) && (bytes_equal(text, name) || has_role(proof, name, text)))
            return true;
    return false;
}

/* process.approves and the like: roles that the process of this cycle names. */
static bool has_role_of_process(const struct proof *proof, const struct kind *kind,
                                struct bytes row, const char *what, struct bytes name)
{
    struct bytes fields, id = {NULL, 0};
    words roles;

    if (!dmp_find(row, "fields", &fields) || !dmp_find_str(fields, "process", &id))
        return false;
    roles = definition_process(kind->of, id, what);
    for (int i = 0; i < words_count(roles); i++)
        if (has_role(proof, name, bytes_text(words_at(roles, i))))
            return true;
    return false;
}

/* ---- whoever is their manager ---- */

/* Somebody's manager is a name, or a role, in their entry. */
static bool manages_one(struct proof *proof, const struct kind *kind, struct bytes record,
                        const char *word, struct bytes name, bool *is_known)
{
    bool is_one_known = true;
    struct bytes manager;

    for (size_t i = 0; i < proof->people_count; i++) {
        const struct table_entry *entry = proof->people[i];
        struct bytes person = person_name(entry);

        if (entry->row == NULL || !dmp_find(table_row(entry), "manager", &manager) ||
            !named_by(proof, manager, name) ||
            person_has_left(proof->rows, person, proof_now_ms(proof)))
            continue;
        if (people_mean(proof, kind, record, word, person, &is_one_known) && is_one_known)
            return true;
        *is_known = *is_known && is_one_known;
    }
    return false;
}

/* ---- whoever had a hand in it ---- */

enum { DAY_MS = 86400000, ZONE_DAYS = 1 };

/* The least and the most days that a span lasts. False: it is none that is followed here. */
static bool days_of(const char *span, int64_t *least, int64_t *most)
{
    static const struct {
        const char *unit;
        int least, most;
    } units[] = {{"year", 365, 366}, {"month", 28, 31}, {"week", 7, 7}, {"day", 1, 1}};
    char unit[16];
    long count;
    int end = 0;

    if (sscanf(span, "%ld %15[a-z]%n", &count, unit, &end) != 2 || span[end] != '\0' ||
        count <= 0 || count > 1200)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strncmp(unit, units[i].unit, strlen(units[i].unit)) != 0)
            continue;
        *least = count * units[i].least;
        *most = count * units[i].most;
        if (i < 2) { /* twelve months are a year, whichever they are */
            int64_t years = i == 0 ? count : count / 12;

            *least = years * 365 + (i == 0 ? 0 : count % 12 * 28);
            *most = years * 366 + (i == 0 ? 0 : count % 12 * 31);
        }
        return true;
    }
    return false;
}

/* Days are kept, as the organisation counts them. Where the day itself would decide it is not known here: no, but unknown. */
static bool had_a_hand(const struct proof *proof, struct bytes row, const char *span,
                       struct bytes name, bool *is_known)
{
    int64_t least = 0, most = 0, today = proof_now_ms(proof) / DAY_MS, day = 0;
    struct bytes value, acts;
    struct dmp_cursor cursor;
    struct dmp_item item;

    if ((dmp_find(row, "owner", &value) && list_or_text_has(value, name)) ||
        (dmp_find(row, "former_owners", &value) && list_or_text_has(value, name)))
        return true;
    if (!dmp_find(row, "acts", &acts) || !dmp_find_key(acts, name, &value))
        return false;
    cursor = dmp_cursor(value);
    if (!days_of(span, &least, &most) || !dmp_next(&cursor, &item) || item.kind != DMP_INT) {
        *is_known = false;
        return false;
    }
    day = (int64_t)item.number;
    *is_known = day >= today - least + ZONE_DAYS || day < today - most - ZONE_DAYS;
    return *is_known && day >= today - least;
}

/* ---- of another record ---- */

static bool means_there(struct proof *proof, struct bytes record, const char *word,
                        struct bytes name, bool *is_known)
{
    struct bytes row = proof_find(proof, record), kind_name;
    const struct kind *kind =
        dmp_find_str(row, "kind", &kind_name) ? proof_kind(proof, record, row) : NULL;
    bool is_one_known = true, is_one;

    if (kind == NULL)
        return false;
    is_one = people_mean(proof, kind, record, word, name, &is_one_known);
    *is_known = *is_known && is_one_known;
    return is_one && is_one_known;
}

/* A document named without a version means all its versions. */
static bool means_versions(struct proof *proof, struct bytes record, const char *word,
                           struct bytes name, bool *is_known)
{
    bool means = means_there(proof, record, word, name, is_known);

    if (memchr(record.at, '@', record.len) != NULL)
        return means;
    for (uint32_t n = proof_versions(proof, record); n > 0 && !means;
         n = proof->version_at[n - 1].before)
        if (proof->version_at[n - 1].entry->row != NULL)
            means =
                means_there(proof, table_key(proof->version_at[n - 1].entry), word, name, is_known);
    return means;
}

static bool is_of_kind(const struct proof *proof, struct bytes record, const char *name)
{
    struct bytes kind;

    return dmp_find_str(proof_find(proof, record), "kind", &kind) && bytes_are(kind, name);
}

/* WORD@FIELD: of those that a field of references names; WORD@KIND: of linked ones of that kind. */
static bool means_elsewhere(struct proof *proof, const struct kind *kind, struct bytes record,
                            const char *word, const char *there, struct bytes name, bool *is_known)
{
    struct bytes row = proof_find(proof, record), fields, value = {NULL, 0}, text, links;
    struct dmp_pairs pairs;
    struct dmp_list list;
    bool means = false;

    if (dmp_find(row, "fields", &fields) && dmp_find(fields, there, &value)) {
        list = dmp_list(value);
        means = dmp_text(value, &text) && means_versions(proof, text, word, name, is_known);
        while (!means && dmp_list_next(&list, &value))
            means = dmp_text(value, &text) && means_versions(proof, text, word, name, is_known);
    }
    if (kind_has_field(kind, there) || !dmp_find(row, "links", &links))
        return means;
    for (pairs = dmp_pairs(links); !means && dmp_pairs_next(&pairs);)
        means = is_of_kind(proof, pairs.key, there) &&
                means_there(proof, pairs.key, word, name, is_known);
    return means;
}

/* ---- a word ---- */

/* Words that are put together out of others. False: it is none of them. */
static bool composed(struct proof *proof, const struct kind *kind, struct bytes record,
                     const char *word, struct bytes name, bool *is_known, bool *means)
{
    const char *at = strchr(word, '@');
    char first[96];

    if (at != NULL && (size_t)(at - word) < sizeof first) {
        memcpy(first, word, (size_t)(at - word));
        first[at - word] = '\0';
        *means = means_elsewhere(proof, kind, record, first, at + 1, name, is_known);
    } else if (strncmp(word, "manager_of:", 11) == 0) {
        *means = manages_one(proof, kind, record, word + 11, name, is_known);
    } else if (strncmp(word, "involved:", 9) == 0) {
        *means = had_a_hand(proof, proof_find(proof, record), word + 9, name, is_known);
    } else if (strcmp(word, "audience") == 0 && !kind_has_field(kind, word)) {
        *means = people_word(proof, kind, record, kind->audience, name) != NULL;
    } else {
        return false;
    }
    return true;
}

static bool means_in_row(struct proof *proof, const struct kind *kind, struct bytes row,
                         const char *word, struct bytes name)
{
    static const char *const facts[][2] = {
        {"owner", "owner"}, {"author", "author"}, {"requester", "author"}, {"editors", "editors"}};
    struct bytes value, fields, person;

    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(word, facts[i][0]) == 0)
            return (dmp_find(row, facts[i][1], &value) && list_or_text_has(value, name)) ||
                   (proof->looks_back && i == 0 && dmp_find(row, "former_owners", &value) &&
                    list_or_text_has(value, name));
    if (strcmp(word, "anyone") == 0)
        return person_row(proof->rows, name, &person);
    if (strncmp(word, "did:", 4) == 0)
        return dmp_find(row, "did", &fields) && dmp_find(fields, word + 4, &value) &&
               list_or_text_has(value, name);
    if (strncmp(word, "process.", 8) == 0)
        return has_role_of_process(proof, kind, row, word + 8, name);
    if (kind_has_field(kind, word) || strcmp(word, "reviewers") == 0)
        return dmp_find(row, "fields", &fields) && dmp_find(fields, word, &value) &&
               named_by(proof, value, name);
    return has_role(proof, name, bytes_text(word));
}

enum { WORD_DEPTH_MAX = 8 };

bool people_mean(struct proof *proof, const struct kind *kind, struct bytes record,
                 const char *word, struct bytes name, bool *is_known)
{
    bool means = false;

    *is_known = proof->word_depth < WORD_DEPTH_MAX;
    if (!*is_known)
        return true;
    proof->word_depth++;
    if (!composed(proof, kind, record, word, name, is_known, &means))
        means = means_in_row(proof, kind, proof_find(proof, record), word, name);
    proof->word_depth--;
    *is_known = *is_known || means;
    return means || !*is_known;
}

bool people_keep_apart(struct proof *proof, const struct kind *kind, struct bytes record,
                       const char *word, struct bytes name, bool *is_known)
{
    bool means;

    proof->looks_back = true;
    means = people_mean(proof, kind, record, word, name, is_known);
    proof->looks_back = false;
    return means;
}

const char *people_word(struct proof *proof, const struct kind *kind, struct bytes record,
                        words list, struct bytes name)
{
    bool is_known;

    for (int i = 0; i < words_count(list); i++)
        if (people_mean(proof, kind, record, words_at(list, i), name, &is_known) && is_known)
            return words_at(list, i);
    return NULL;
}

/* ---- freed ---- */

static struct bytes text_in(struct bytes map, const char *key)
{
    struct bytes text = {NULL, 0};

    return dmp_find_str(map, key, &text) ? text : bytes_of(NULL, 0);
}

bool people_are_freed(const struct proof *proof, struct bytes record, struct bytes digest,
                      const char *rule, struct bytes name)
{
    struct bytes over = {NULL, 0}, ended;
    int64_t count = 0;
    char key[256];

    dmp_find_int(proof_find(proof, record), "waivers", &count);
    for (int64_t n = 1; n <= count; n++) {
        int len = snprintf(key, sizeof key, "%.*s/waiver/%lld", BYTES_ARG(record), (long long)n);
        struct bytes row = len > 0 && (size_t)len < sizeof key
                               ? proof_find(proof, bytes_of(key, (size_t)len))
                               : bytes_of(NULL, 0);

        if (bytes_equal(text_in(row, "person"), name) && bytes_are(text_in(row, "rule"), rule) &&
            !dmp_find(row, "ended", &ended) && dmp_find_bin(row, "digest", &over) &&
            bytes_equal(over, digest))
            return true;
    }
    return false;
}
