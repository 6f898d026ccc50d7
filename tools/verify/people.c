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

/* manager_of:, involved:, and what is said of another record take more than this record's row. */
static bool is_beyond(const char *word)
{
    return strncmp(word, "manager_of:", 11) == 0 || strncmp(word, "involved:", 9) == 0 ||
           strchr(word, '@') != NULL || strcmp(word, "audience") == 0;
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

bool people_mean(const struct proof *proof, const struct kind *kind, struct bytes row,
                 const char *word, struct bytes name, bool *is_known)
{
    static const char *const facts[][2] = {
        {"owner", "owner"}, {"author", "author"}, {"requester", "author"}, {"editors", "editors"}};
    struct bytes value, fields, person;

    *is_known = true;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(word, facts[i][0]) == 0)
            return dmp_find(row, facts[i][1], &value) && list_or_text_has(value, name);
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
    *is_known = !is_beyond(word);
    return !*is_known || has_role(proof, name, bytes_text(word));
}

const char *people_word(const struct proof *proof, const struct kind *kind, struct bytes row,
                        words list, struct bytes name)
{
    bool is_known;

    for (int i = 0; i < words_count(list); i++)
        if (people_mean(proof, kind, row, words_at(list, i), name, &is_known) && is_known)
            return words_at(list, i);
    return NULL;
}

/* ---- numbers ---- */

/* record.version, record.FIELD or process.id, as text. */
static bool named_text(struct bytes row, const char *name, size_t len, struct bytes *text)
{
    struct bytes fields;
    char field[64];

    if (len == strlen("record.version") && memcmp(name, "record.version", len) == 0)
        return dmp_find_str(row, "version", text);
    if (len == strlen("process.id") && memcmp(name, "process.id", len) == 0)
        name = "record.process", len = strlen("record.process");
    if (len <= 7 || len - 7 >= sizeof field || memcmp(name, "record.", 7) != 0)
        return false;
    memcpy(field, name + 7, len - 7);
    field[len - 7] = '\0';
    return dmp_find(row, "fields", &fields) && dmp_find_str(fields, field, text);
}

static size_t word_len(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

/* NAME.endsWith('x') or NAME == 'x'. Gives what stands behind it; NULL: it is neither. */
static const char *follow_test(const char *at, struct bytes row, bool *holds)
{
    const char *name = at;
    size_t len = word_len(at);
    struct bytes text = {NULL, 0}, wanted;
    bool is_ending;

    if (at[len] != '.' || len == 0)
        return NULL;
    len += 1 + word_len(at + len + 1);
    at += len;
    is_ending = strncmp(at, ".endsWith(", 10) == 0;
    at += is_ending ? 10 : 0;
    at += strspn(at, " ");
    if (!is_ending && strncmp(at, "==", 2) != 0)
        return NULL;
    at += is_ending ? 0 : 2;
    at += strspn(at, " ");
    if (*at != '\'' || strchr(at + 1, '\'') == NULL)
        return NULL;
    wanted = bytes_of(at + 1, (size_t)(strchr(at + 1, '\'') - at - 1));
    at += wanted.len + 2;
    if (!named_text(row, name, len, &text) || (is_ending && *at != ')'))
        return NULL;
    *holds = is_ending ? text.len >= wanted.len &&
                             (wanted.len == 0 ||
                              memcmp(text.at + text.len - wanted.len, wanted.at, wanted.len) == 0)
                       : bytes_equal(text, wanted);
    return at + is_ending;
}

bool people_number(const char *text, struct bytes row, int64_t *number)
{
    bool holds = false;
    const char *at = follow_test(text, row, &holds);
    long yes, no;
    int end = 0;

    if (at == NULL || sscanf(at, " ? %ld : %ld %n", &yes, &no, &end) != 2 || at[end] != '\0')
        return false;
    *number = holds ? yes : no;
    return true;
}
