#include "waiver.h"

#define TYPE "record.waive_sod"
#define MEANING "waived_sod"
#define END_TYPE "record.end_waiver"
#define END_MEANING "waiver_ended"
#define ROLE "top_management"
#define PART "/waiver/"

enum { KEY_MAX = 256 };

/* ---- reading ---- */

static struct bytes text_in(struct bytes map, const char *key)
{
    struct bytes text = {NULL, 0};

    return dmp_find_str(map, key, &text) ? text : bytes_of(NULL, 0);
}

/* RECORD/waiver/N, and the record in it. A record has no '/' in its name. */
static bool is_waiver_key(struct bytes key, struct bytes *record)
{
    const uint8_t *at = key.len > 0 ? memmem(key.at, key.len, PART, strlen(PART)) : NULL;
    const uint8_t *n = at != NULL ? at + strlen(PART) : NULL;

    if (at == NULL || at == key.at || memchr(key.at, '/', (size_t)(at - key.at)) != NULL ||
        n == key.at + key.len)
        return false;
    for (; n < key.at + key.len; n++) {
        if (*n < '0' || *n > '9')
            return false;
    }
    *record = bytes_of(key.at, (size_t)(at - key.at));
    return true;
}

static struct bytes row_at(const struct table *rows, const char *key, int len)
{
    const struct table_entry *entry = rows != NULL && len > 0 && len < KEY_MAX
                                          ? table_find(rows, bytes_of(key, (size_t)len))
                                          : NULL;

    return entry != NULL && entry->row != NULL ? table_row(entry) : bytes_of(NULL, 0);
}

static struct bytes row_of(const struct table *rows, struct bytes key)
{
    const struct table_entry *entry = rows != NULL ? table_find(rows, key) : NULL;

    return entry != NULL && entry->row != NULL ? table_row(entry) : bytes_of(NULL, 0);
}

static struct bytes waiver_row(const struct table *rows, struct bytes record, int64_t n)
{
    char key[KEY_MAX];

    return row_at(rows, key,
                  snprintf(key, sizeof key, "%.*s" PART "%lld", BYTES_ARG(record), (long long)n));
}

static bool same_digest(struct bytes a, struct bytes b)
{
    struct bytes one, other;

    return dmp_find_bin(a, "digest", &one) && dmp_find_bin(b, "digest", &other) &&
           one.len == HASH_LEN && bytes_equal(one, other);
}

/* ---- given ---- */

static bool had_role(const struct table *rows, struct bytes actor, uint64_t time_us)
{
    char key[KEY_MAX];
    struct bytes roles,
        person = row_at(rows, key, snprintf(key, sizeof key, "person/%.*s", BYTES_ARG(actor)));
    int64_t end;

    return dmp_find(person, "roles", &roles) && dmp_list_has(roles, bytes_text(ROLE)) &&
           (!dmp_find_int(person, "not_after", &end) || (int64_t)(time_us / 1000) <= end);
}

/* Over one content nobody both frees from a rule and is freed from it. */
static bool frees_in_a_circle(const struct table *rows, struct bytes record,
                              const struct leaf *leaf)
{
    struct bytes rule = text_in(leaf->body, "rule"), person = text_in(leaf->body, "person");
    int64_t count = 0;

    (void)dmp_find_int(row_of(rows, record), "waivers", &count);
    for (int64_t n = 1; n <= count; n++) {
        struct bytes row = waiver_row(rows, record, n);

        if (row.len > 0 && bytes_equal(text_in(row, "rule"), rule) &&
            same_digest(row, leaf->body) &&
            (bytes_equal(text_in(row, "person"), leaf->actor) ||
             bytes_equal(text_in(row, "by"), person)))
            return true;
    }
    return false;
}

static bool is_text(struct bytes body, const char *key)
{
    struct bytes text, content;

    return dmp_find(body, key, &text) && dmp_find_bin(text, "content", &content) &&
           content.len == HASH_LEN;
}

/* Signed with that meaning, by somebody who held the role then: the waiver itself, or its end. */
static void check_signed(const struct actor_check *actors, const struct leaf *leaf,
                         struct bytes record, uint64_t seq, const char *meaning)
{
    if (leaf->actor_sig == NULL || !bytes_are(text_in(leaf->body, "meaning"), meaning) ||
        !actor_had_key(actors, leaf->actor, seq))
        report_error(actors->report, "WAIVER_UNSIGNED", (int64_t)seq,
                     "a waiver for %.*s, or its end, is not signed as one by %.*s",
                     BYTES_ARG(record), BYTES_ARG(leaf->actor));
    if (actors->rows != NULL && !had_role(actors->rows, leaf->actor, leaf->time_us))
        report_error(actors->report, "WAIVER_ROLE", (int64_t)seq,
                     "%.*s did not have the role " ROLE ", whose waiver it would be",
                     BYTES_ARG(leaf->actor));
}

static void check_signer(const struct actor_check *actors, const struct leaf *leaf,
                         struct bytes record, uint64_t seq)
{
    struct report *report = actors->report;

    check_signed(actors, leaf, record, seq, MEANING);
    if (!is_text(leaf->body, "reason") || !is_text(leaf->body, "check"))
        report_error(report, "WAIVER_UNSIGNED", (int64_t)seq,
                     "a waiver for %.*s was signed without a reason, or without the check that "
                     "makes up for it",
                     BYTES_ARG(record));
    if (bytes_equal(text_in(leaf->body, "person"), leaf->actor))
        report_error(report, "WAIVER_SELF", (int64_t)seq, "%.*s waives a rule for themselves",
                     BYTES_ARG(leaf->actor));
    else if (frees_in_a_circle(actors->rows, record, leaf))
        report_error(report, "WAIVER_SELF", (int64_t)seq,
                     "%.*s and %.*s free one another, or through others: over one content who "
                     "is freed frees nobody",
                     BYTES_ARG(leaf->actor), BYTES_ARG(text_in(leaf->body, "person")));
}

/* What the row says is what was signed, and it is the next of its record. */
static void check_made(const struct actor_check *actors, const struct leaf *leaf,
                       struct bytes record, uint64_t seq)
{
    static const char *const kept[] = {"rule", "person"};
    struct bytes own = {NULL, 0}, before = row_of(actors->rows, record);
    int64_t count = 0;
    char key[KEY_MAX];
    bool is_right = dmp_find(leaf->effects, "", &own) && leaf->rev == 1 &&
                    bytes_equal(text_in(own, "by"), leaf->actor) && same_digest(own, leaf->body);

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        is_right = is_right && text_in(own, kept[i]).len > 0 &&
                   bytes_equal(text_in(own, kept[i]), text_in(leaf->body, kept[i]));
    if (actors->rows != NULL) {
        (void)dmp_find_int(before, "waivers", &count);
        snprintf(key, sizeof key, "%.*s" PART "%lld", BYTES_ARG(record), (long long)count + 1);
        is_right = is_right && bytes_are(leaf->stream, key);
    }
    if (!is_right)
        report_error(actors->report, "WAIVER_ROW", (int64_t)seq,
                     "the waiver %.*s is kept otherwise than it was signed",
                     BYTES_ARG(leaf->stream));
    if (actors->rows != NULL && !same_digest(before, leaf->body))
        report_error(actors->report, "WAIVER_DIGEST", (int64_t)seq,
                     "the waiver is not about what %.*s said then", BYTES_ARG(record));
}

/* ---- taken back ---- */

static bool has_only(struct bytes patch, const char *name)
{
    struct dmp_pairs pairs = dmp_pairs(patch);

    if (!dmp_is_map(patch))
        return false;
    while (dmp_pairs_next(&pairs)) {
        if (!bytes_are(pairs.key, name))
            return false;
    }
    return true;
}

static bool is_ended(struct bytes row)
{
    struct bytes ended;

    return dmp_find(row, "ended", &ended);
}

/* The row says that it ended, by whom, and nothing else; and it was there, and had not ended. */
static void check_end(const struct actor_check *actors, const struct leaf *leaf,
                      struct bytes record, uint64_t seq)
{
    struct bytes own = {NULL, 0}, ended = {NULL, 0}, row;
    char key[KEY_MAX];
    int64_t n = 0;
    bool is_right = dmp_find(leaf->effects, "", &own) && has_only(own, "ended") &&
                    dmp_find(own, "ended", &ended) &&
                    bytes_equal(text_in(ended, "by"), leaf->actor) && leaf->rev > 1 &&
                    dmp_find_int(leaf->body, "waiver", &n);

    check_signed(actors, leaf, record, seq, END_MEANING);
    if (!is_text(leaf->body, "reason"))
        report_error(actors->report, "WAIVER_UNSIGNED", (int64_t)seq,
                     "a waiver for %.*s was taken back without a reason", BYTES_ARG(record));
    snprintf(key, sizeof key, "%.*s" PART "%lld", BYTES_ARG(record), (long long)n);
    is_right = is_right && bytes_are(leaf->stream, key);
    row = row_of(actors->rows, leaf->stream);
    if (!is_right || (actors->rows != NULL && (row.len == 0 || is_ended(row))))
        report_error(actors->report, "WAIVER_ROW", (int64_t)seq,
                     "the end of the waiver %.*s is kept otherwise than it was signed, or is its "
                     "second",
                     BYTES_ARG(leaf->stream));
}

/* ---- rows that nobody else touches ---- */

static void check_untouched(const struct actor_check *actors, const struct leaf *leaf, uint64_t seq)
{
    struct dmp_pairs pairs = dmp_pairs(leaf->effects);
    struct bytes record;

    while (dmp_pairs_next(&pairs)) {
        if (!is_waiver_key(pairs.key, &record))
            continue;
        if (!has_only(pairs.value, "used") || bytes_equal(pairs.key, leaf->stream) ||
            (actors->rows != NULL && row_of(actors->rows, pairs.key).len == 0))
            report_error(actors->report, "WAIVER_ROW", (int64_t)seq,
                         "%.*s is made or changed by an entry that is no waiver",
                         BYTES_ARG(pairs.key));
    }
}

/* ---- used ---- */

static struct bytes record_of(struct bytes stream)
{
    const uint8_t *slash = stream.len > 0 ? memchr(stream.at, '/', stream.len) : NULL;

    return slash != NULL ? bytes_of(stream.at, (size_t)(slash - stream.at)) : stream;
}

/* `named`: {n, rule, person, by}. A vote that is in nobody's place rests on nobody else's waiver. */
static void check_use(const struct actor_check *actors, const struct leaf *leaf, uint64_t seq,
                      struct bytes named, bool is_vote)
{
    static const char *const facts[] = {"rule", "person", "by"};
    struct bytes record = record_of(leaf->stream), row = {NULL, 0};
    int64_t n = 0;
    bool is_right;

    if (dmp_find_int(named, "n", &n))
        row = waiver_row(actors->rows, record, n);
    is_right = row.len > 0 && !is_ended(row) &&
               same_digest(row, is_vote ? leaf->body : row_of(actors->rows, record));
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        is_right = is_right && bytes_equal(text_in(named, facts[i]), text_in(row, facts[i]));
    if (is_vote && text_in(leaf->body, "for").len == 0)
        is_right = is_right && bytes_equal(text_in(row, "person"), leaf->actor);
    if (!is_right)
        report_error(actors->report, "WAIVER_USED", (int64_t)seq,
                     "%.*s of %.*s rests on waiver %lld, and there is none that is for this",
                     BYTES_ARG(leaf->type), BYTES_ARG(leaf->actor), (long long)n);
}

static void check_uses(const struct actor_check *actors, const struct leaf *leaf, uint64_t seq)
{
    struct bytes own, waived, value, round, person;
    bool is_vote = leaf_vote_stream(leaf->stream, &round, &person);
    struct dmp_pairs pairs;
    struct dmp_list list;

    if (actors->rows == NULL || !dmp_find(leaf->effects, "", &own) ||
        !dmp_find(own, "waived", &waived))
        return;
    for (list = dmp_list(waived); is_vote && dmp_list_next(&list, &value);)
        check_use(actors, leaf, seq, value, true);
    for (pairs = dmp_pairs(waived); !is_vote && dmp_pairs_next(&pairs);) {
        for (list = dmp_list(pairs.value); dmp_list_next(&list, &value);)
            check_use(actors, leaf, seq, value, false);
    }
}

void waiver_check_leaf(const struct actor_check *actors, const struct leaf *leaf, uint64_t seq)
{
    struct bytes record;
    bool is_end = bytes_are(leaf->type, END_TYPE),
         is_waiver = bytes_are(leaf->type, TYPE) || is_end;
    bool is_there = is_waiver_key(leaf->stream, &record);

    if (is_waiver != is_there)
        report_error(actors->report, "WAIVER_ROW", (int64_t)seq,
                     "%.*s on %.*s: a waiver stands where none belongs, or something else there",
                     BYTES_ARG(leaf->type), BYTES_ARG(leaf->stream));
    check_untouched(actors, leaf, seq);
    check_uses(actors, leaf, seq);
    if (!is_waiver || !is_there)
        return;
    if (is_end) {
        check_end(actors, leaf, record, seq);
        return;
    }
    check_signer(actors, leaf, record, seq);
    check_made(actors, leaf, record, seq);
}
