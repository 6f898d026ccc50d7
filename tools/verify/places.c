#include "places.h"

#include "dmp.h"

enum {
    CHAIN_MAX = 8,
    DAY_MS = 86400000,
    HOUR_MS = 3600 * 1000,
    ZONE_MS = 14 * HOUR_MS,
    LIST_PREFIX = 12
};

static struct bytes text_in(struct bytes map, const char *key)
{
    struct bytes text = {NULL, 0};

    return dmp_find_str(map, key, &text) ? text : bytes_of(NULL, 0);
}

static bool gives(const struct proof *proof)
{
    return bytes_are(proof->leaf->type, "delegation.given");
}

static bool ends(const struct proof *proof)
{
    return bytes_are(proof->leaf->type, "delegation.ended");
}

/* Whose right it is: who gives it, unless he gives it for somebody else. */
static struct bytes giver_of(const struct proof *proof)
{
    struct bytes of = text_in(proof->leaf->body, "of");

    return of.len > 0 ? of : proof->leaf->actor;
}

/* ---- given and ended ---- */

/* The UTC day of a date. False: it is none. */
static bool day_of(struct bytes text, int64_t *day_ms)
{
    int64_t year = 0, month = 0, day = 0, era, of_year;

    if (text.len != 10 || text.at[4] != '-' || text.at[7] != '-')
        return false;
    for (int i = 0; i < 10; i++) {
        int64_t digit = text.at[i] - '0';

        if (i == 4 || i == 7)
            continue;
        if (digit < 0 || digit > 9)
            return false;
        if (i < 4)
            year = year * 10 + digit;
        else if (i < 7)
            month = month * 10 + digit;
        else
            day = day * 10 + digit;
    }
    year -= month <= 2;
    era = year / 400;
    of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    *day_ms = (era * 146097 + (year % 400) * 365 + (year % 400) / 4 - (year % 400) / 100 + of_year -
               719468) *
              DAY_MS;
    return true;
}

/* Days begin where the organisation is: by the zone of the definition that counts, else at most fourteen hours from UTC. */
static bool is_day(struct proof *proof, int64_t ms, struct bytes text, int more_days)
{
    const struct definition *definition = proof_current(proof);
    int64_t day_ms, begins, slack = ZONE_MS;

    if (!day_of(text, &day_ms))
        return false;
    begins = day_ms + (int64_t)more_days * DAY_MS;
    if (definition != NULL && definition_midnight(definition, begins, &day_ms)) {
        slack = definition->zone < 0 ? 0 : HOUR_MS;
        begins = day_ms;
    }
    return ms >= begins - slack && ms <= begins + slack;
}

static bool is_same(struct bytes a, struct bytes b, const char *key)
{
    struct bytes one = {NULL, 0}, other = {NULL, 0};

    if (!dmp_find(a, key, &one))
        one = bytes_of(NULL, 0);
    if (!dmp_find(b, key, &other))
        other = bytes_of(NULL, 0);
    return bytes_equal(one, other);
}

/* Is what counts (in the list, or in the delegation's own row) what was asked for? */
static bool is_as_asked(struct proof *proof, struct bytes counted)
{
    struct bytes body = proof->leaf->body, from = text_in(body, "from"),
                 until = text_in(body, "until");
    int64_t begin = -1, end = -1;
    bool has_end = dmp_find_int(counted, "end_ms", &end);

    return is_same(counted, body, "to") && is_same(counted, body, "kinds") &&
           is_same(counted, body, "roles") &&
           dmp_is_true(counted, "onward") == dmp_is_true(body, "onward") &&
           dmp_find_int(counted, "from_ms", &begin) &&
           (from.len > 0 ? is_day(proof, begin, from, 0) : begin == proof_now_ms(proof)) &&
           (until.len > 0 ? has_end && is_day(proof, end, until, 1) : !has_end);
}

/* Does the number "DEL-0003" belong to stream "delegation/3"? */
static bool is_number_of(struct bytes number, struct bytes stream)
{
    static const char prefix[] = "delegation/";
    struct bytes digits = bytes_of(NULL, 0);

    if (stream.len <= sizeof prefix - 1 || memcmp(stream.at, prefix, sizeof prefix - 1) != 0 ||
        number.len < 8 || memcmp(number.at, "DEL-", 4) != 0)
        return false;
    digits = bytes_of(number.at + 4, number.len - 4);
    while (digits.len > 1 && digits.at[0] == '0')
        digits = bytes_of(digits.at + 1, digits.len - 1);
    return bytes_equal(digits,
                       bytes_of(stream.at + sizeof prefix - 1, stream.len - (sizeof prefix - 1)));
}

static void check_listed(struct proof *proof, struct bytes person, struct bytes given)
{
    struct dmp_pairs pairs = dmp_pairs(given);

    while (dmp_pairs_next(&pairs)) {
        if (dmp_is_nil(pairs.value))
            continue;
        if (!gives(proof) || !bytes_equal(giver_of(proof), person) ||
            !is_number_of(pairs.key, proof->leaf->stream) || proof->leaf->rev != 1 ||
            !is_as_asked(proof, pairs.value))
            PROOF_ERROR(
                proof, "DELEGATION",
                "%.*s counts as given by %.*s otherwise than this entry asks: nobody signed "
                "that",
                BYTES_ARG(pairs.key), BYTES_ARG(person));
    }
}

void places_row(struct proof *proof, const struct table_entry *entry, struct bytes patch)
{
    struct bytes key = table_key(entry), given;
    struct bytes person = bytes_of(key.at + LIST_PREFIX, key.len - LIST_PREFIX);

    if (!gives(proof) && !ends(proof))
        PROOF_ERROR(proof, "DELEGATION",
                    "%.*s changes what %.*s delegated, and is nothing that could",
                    BYTES_ARG(proof->leaf->type), BYTES_ARG(person));
    else if (dmp_find(patch, "given", &given))
        check_listed(proof, person, given);
}

static bool keeps_the_rules(const struct proof *proof, struct bytes name)
{
    char key[256];
    int len = snprintf(key, sizeof key, "person/%.*s", BYTES_ARG(name));
    struct bytes roles;

    return len > 0 && (size_t)len < sizeof key &&
           dmp_find(proof_find(proof, bytes_of(key, (size_t)len)), "roles", &roles) &&
           dmp_list_has(roles, bytes_text("isms_manager"));
}

static struct bytes given_by(const struct proof *proof, struct bytes person)
{
    char key[256];
    int len = snprintf(key, sizeof key, "delegations/%.*s", BYTES_ARG(person));
    struct bytes given = {NULL, 0};

    if (len > 0 && (size_t)len < sizeof key &&
        !dmp_find(proof_find(proof, bytes_of(key, (size_t)len)), "given", &given))
        return bytes_of(NULL, 0);
    return given;
}

void places_end(struct proof *proof)
{
    struct bytes row, value;

    if (!gives(proof) && !ends(proof))
        return;
    row = proof_find(proof, proof->leaf->stream);
    if (gives(proof) &&
        (!bytes_equal(text_in(row, "from"), giver_of(proof)) ||
         !bytes_equal(text_in(row, "by"), proof->leaf->actor) || !is_as_asked(proof, row)))
        PROOF_ERROR(proof, "DELEGATION", "the row of %.*s does not say what was asked for",
                    BYTES_ARG(proof->leaf->stream));
    if (gives(proof) && !bytes_equal(giver_of(proof), proof->leaf->actor) &&
        !keeps_the_rules(proof, proof->leaf->actor))
        PROOF_ERROR(proof, "DELEGATION",
                    "%.*s gives away what is %.*s's to decide, and is no ISMS manager",
                    BYTES_ARG(proof->leaf->actor), BYTES_ARG(giver_of(proof)));
    if (ends(proof) &&
        dmp_find_key(given_by(proof, text_in(row, "from")), text_in(row, "number"), &value))
        PROOF_ERROR(proof, "DELEGATION", "%.*s is ended here, and goes on to count",
                    BYTES_ARG(text_in(row, "number")));
}

/* ---- used ---- */

struct stand { /* somebody's right, that may be another's to use */
    struct proof *proof;
    const struct kind *kind;
    const struct kind_stage *stage;
    struct bytes record, person;
    const char *why_not; /* what the nearest delegation lacks */
};

static bool has_scope(struct stand *stand, struct bytes delegation)
{
    struct bytes kinds, roles;
    bool is_known;

    if (dmp_find(delegation, "kinds", &kinds) &&
        !dmp_list_has(kinds, bytes_text(stand->kind->name))) {
        stand->why_not = "the delegation is for other kinds of records";
        return false;
    }
    if (!dmp_find(delegation, "roles", &roles) || stand->stage == NULL ||
        dmp_list_has(roles, bytes_text(stand->stage->name)))
        return true;
    for (int i = 0; i < words_count(stand->stage->ask); i++) {
        const char *word = words_at(stand->stage->ask, i);

        if (dmp_list_has(roles, bytes_text(word)) &&
            people_mean(stand->proof, stand->kind, stand->record, word, stand->person, &is_known))
            return true;
    }
    stand->why_not = "the delegation is for another role";
    return false;
}

static bool is_active(struct stand *stand, struct bytes delegation)
{
    int64_t now = proof_now_ms(stand->proof), begin = 0, end = INT64_MAX;

    dmp_find_int(delegation, "from_ms", &begin);
    dmp_find_int(delegation, "end_ms", &end);
    if (begin <= now && now < end)
        return true;
    stand->why_not = begin > now ? "the delegation had not begun" : "the delegation was over";
    return false;
}

/* Does this delegation lead to the voter, by itself or passed on? */
static bool leads(struct stand *stand, struct bytes delegation, int depth)
{
    struct bytes to = text_in(delegation, "to");
    struct dmp_pairs further;

    if (!is_active(stand, delegation) || !has_scope(stand, delegation))
        return false;
    if (bytes_equal(to, stand->proof->leaf->actor))
        return true;
    if (!dmp_is_true(delegation, "onward") || depth >= CHAIN_MAX)
        return false;
    further = dmp_pairs(given_by(stand->proof, to));
    while (dmp_pairs_next(&further))
        if (leads(stand, further.value, depth + 1))
            return true;
    return false;
}

void places_vote(struct proof *proof, const struct kind *kind, const struct kind_stage *stage,
                 struct bytes record, struct bytes right)
{
    struct stand stand = {proof, kind, stage, record, right, "there is no such delegation now"};
    struct bytes own = {NULL, 0}, number, delegation;

    (void)dmp_find(proof->leaf->effects, "", &own);
    number = text_in(own, "delegation");
    if (dmp_find_key(given_by(proof, right), number, &delegation) && leads(&stand, delegation, 0))
        return;
    PROOF_ERROR(proof, "VOTE_PLACE",
                "%.*s: %.*s votes in the place of %.*s, who has not put him there: %s",
                BYTES_ARG(proof->round_row), BYTES_ARG(proof->leaf->actor), BYTES_ARG(right),
                stand.why_not);
}

bool places_stands_in(struct proof *proof, const struct kind *kind, struct bytes record,
                      struct bytes right)
{
    struct stand stand = {proof, kind, NULL, record, right, ""};
    struct dmp_pairs given = dmp_pairs(given_by(proof, right));

    while (dmp_pairs_next(&given))
        if (leads(&stand, given.value, 0))
            return true;
    return false;
}
