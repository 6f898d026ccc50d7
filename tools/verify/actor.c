#include "actor.h"

#include <stdlib.h>

/* ---- keys from a file ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes next_word(struct bytes *rest)
{
    const uint8_t *end = rest->at + rest->len, *from = rest->at, *to;

    while (from < end && is_blank(*from))
        from++;
    for (to = from; to < end && !is_blank(*to); to++)
        ;
    *rest = bytes_of(to, (size_t)(end - to));
    return bytes_of(from, (size_t)(to - from));
}

static int read_number(struct bytes text, uint64_t *out)
{
    uint64_t n = 0;

    if (text.len == 0 || text.len > 18)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return -1;
        n = n * 10 + (uint64_t)(text.at[i] - '0');
    }
    *out = n;
    return 0;
}

static int read_key_line(struct bytes line, struct actor_keys *out)
{
    struct actor_key key = {.last = UINT64_MAX};
    struct bytes actor = next_word(&line), hex = next_word(&line), first = next_word(&line);
    struct bytes last = next_word(&line), more = next_word(&line);

    if (actor.len == 0 || actor.at[0] == '#')
        return 0;
    if (more.len > 0 || hex_read(hex, key.key, PUBLIC_KEY_LEN) != 0)
        return -1;
    if (first.len > 0 && read_number(first, &key.first) != 0)
        return -1;
    if (last.len > 0 && read_number(last, &key.last) != 0)
        return -1;
    key.actor = memory_new(actor.len + 1, 1);
    memcpy(key.actor, actor.at, actor.len);
    out->at = memory_grow(out->at, &out->cap, out->count + 1, sizeof *out->at);
    out->at[out->count++] = key;
    return 0;
}

int actor_keys_read(struct bytes text, struct actor_keys *out)
{
    *out = (struct actor_keys){0};
    while (text.len > 0) {
        const uint8_t *end = memchr(text.at, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.at) : text.len;

        if (read_key_line(bytes_of(text.at, len), out) != 0) {
            actor_keys_release(out);
            return -1;
        }
        len += end != NULL;
        text = bytes_of(text.at + len, text.len - len);
    }
    return 0;
}

void actor_keys_release(struct actor_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        free(keys->at[i].actor);
    free(keys->at);
    *keys = (struct actor_keys){0};
}

/* ---- one leaf ---- */

void actor_check_release(struct actor_check *check)
{
    buf_release(&check->message);
}

static void build_message(struct actor_check *check, const struct leaf *leaf)
{
    struct bytes format;

    leaf_command_message(leaf, check->origin, &check->message);
    if (dmp_find_str(leaf->body, "sig_format", &format) && bytes_are(format, "sshsig"))
        leaf_wrap_for_ssh(&check->message);
    check->report->signatures++;
}

static bool signed_by(const struct actor_check *check, const struct leaf *leaf, const uint8_t *key)
{
    return hash_signed(key, buf_bytes(&check->message), bytes_of(leaf->actor_sig, SIGNATURE_LEN));
}

static void report_unsigned(struct actor_check *check, const struct leaf *leaf, uint64_t seq)
{
    report_error(check->report, "ACTOR_UNSIGNED", (int64_t)seq,
                 "%.*s has a key, but this decision is not signed", BYTES_ARG(leaf->actor));
}

static void report_forged(struct actor_check *check, const struct leaf *leaf, uint64_t seq)
{
    report_error(check->report, "ACTOR_FORGED", (int64_t)seq, "%.*s did not sign this",
                 BYTES_ARG(leaf->actor));
}

static void check_with_file(struct actor_check *check, const struct leaf *leaf, uint64_t seq,
                            bool is_decision)
{
    bool is_known = false, holds = false;

    for (size_t i = 0; i < check->keys->count; i++) {
        const struct actor_key *key = &check->keys->at[i];

        if (!bytes_are(leaf->actor, key->actor))
            continue;
        if (!is_known && leaf->actor_sig != NULL)
            build_message(check, leaf);
        is_known = true;
        if (leaf->actor_sig != NULL && !holds && key->first <= seq && seq <= key->last)
            holds = signed_by(check, leaf, key->key);
    }
    check->is_proven = holds;
    if (is_known && leaf->actor_sig != NULL && !holds)
        report_forged(check, leaf, seq);
    else if (is_known && leaf->actor_sig == NULL && is_decision)
        report_unsigned(check, leaf, seq);
}

/* The person's signing key. False: there is none. */
static bool key_of(const struct actor_check *check, struct bytes actor, struct bytes *key)
{
    char name[160];
    int len = snprintf(name, sizeof name, "person/%.*s", BYTES_ARG(actor));
    const struct table_entry *person;

    if (keyring_is_rooted(check->ring))
        return keyring_key(check->ring, actor, key);
    person = table_find(check->rows, bytes_of(name, (size_t)len));
    return person != NULL && person->row != NULL && dmp_find_bin(table_row(person), "sign", key) &&
           key->len == PUBLIC_KEY_LEN;
}

bool actor_had_key(const struct actor_check *check, struct bytes actor, uint64_t seq)
{
    struct bytes key;
    bool had = false;

    for (size_t i = 0; check->keys != NULL && i < check->keys->count; i++) {
        const struct actor_key *one = &check->keys->at[i];

        had = had || (bytes_are(actor, one->actor) && one->first <= seq && seq <= one->last);
    }
    if (check->keys != NULL)
        return had;
    return (check->rows == NULL && !keyring_is_rooted(check->ring)) || key_of(check, actor, &key);
}

static void check_with_journal(struct actor_check *check, const struct leaf *leaf, uint64_t seq,
                               bool is_decision)
{
    struct bytes key, named;
    uint8_t hash[HASH_LEN];

    if (!key_of(check, leaf->actor, &key)) {
        check->without_key += is_decision;
        if (keyring_is_rooted(check->ring) && (is_decision || leaf->actor_sig != NULL))
            report_error(check->report, "ACTOR_UNSIGNED", (int64_t)seq,
                         "%.*s had no proven key, so nobody can have signed this",
                         BYTES_ARG(leaf->actor));
        return;
    }
    if (leaf->actor_sig == NULL) {
        if (is_decision)
            report_unsigned(check, leaf, seq);
        return;
    }
    hash_sha256(&key, 1, hash);
    if (is_decision &&
        (!dmp_find_bin(leaf->body, "key", &named) || !bytes_equal(named, bytes_of(hash, HASH_LEN))))
        report_error(check->report, "ACTOR_KEY", (int64_t)seq,
                     "the decision does not name the key %.*s had", BYTES_ARG(leaf->actor));
    build_message(check, leaf);
    check->is_proven = signed_by(check, leaf, key.at);
    if (!check->is_proven)
        report_forged(check, leaf, seq);
}

static void check_vote(struct actor_check *check, const struct leaf *leaf, uint64_t seq,
                       struct bytes round_row, struct bytes person)
{
    const struct table_entry *round;
    struct bytes digest, wanted;

    if (!bytes_equal(leaf->actor, person))
        report_error(check->report, "VOTE_STREAM", (int64_t)seq, "a vote of %.*s was cast by %.*s",
                     BYTES_ARG(person), BYTES_ARG(leaf->actor));
    if (check->rows == NULL)
        return;
    round = table_find(check->rows, round_row);
    if (round == NULL || round->row == NULL || !dmp_find_bin(table_row(round), "digest", &wanted))
        report_error(check->report, "VOTE_DIGEST", (int64_t)seq,
                     "a vote in a round that is not there: %.*s", BYTES_ARG(round_row));
    else if (!dmp_find_bin(leaf->body, "digest", &digest) || !bytes_equal(digest, wanted))
        report_error(check->report, "VOTE_DIGEST", (int64_t)seq,
                     "the vote is not about what round %.*s decides", BYTES_ARG(round_row));
}

static struct bytes place_in(struct bytes map)
{
    struct bytes person = {NULL, 0};

    return dmp_find_str(map, "for", &person) ? person : bytes_of(NULL, 0);
}

/* In whose place a vote is, its signer says: the row that it leaves says the same. */
static void check_place(struct actor_check *check, const struct leaf *leaf, uint64_t seq)
{
    struct bytes own, said = place_in(leaf->body), kept = {NULL, 0};

    if (dmp_find(leaf->effects, "", &own))
        kept = place_in(own);
    if (!bytes_equal(said, kept))
        report_error(check->report, "VOTE_PLACE", (int64_t)seq,
                     "the vote is kept as one in the place of \"%.*s\", and \"%.*s\" was signed",
                     BYTES_ARG(kept), BYTES_ARG(said));
}

void actor_check_leaf(struct actor_check *check, const struct leaf *leaf, uint64_t seq)
{
    struct bytes meaning;
    bool is_vote = leaf_vote_stream(leaf->stream, &check->round_row, &check->person);
    bool has_meaning = dmp_find(leaf->body, "meaning", &meaning);

    check->is_proven = false;
    check->is_vote = is_vote;
    if (is_vote)
        check_vote(check, leaf, seq, check->round_row, check->person);
    if (is_vote)
        check_place(check, leaf, seq);
    /* Who lets somebody decide for him decides. */
    has_meaning = has_meaning || bytes_are(leaf->type, "delegation.given");
    if (leaf->actor_sig == NULL && !is_vote && !has_meaning)
        return;
    if (check->keys != NULL)
        check_with_file(check, leaf, seq, has_meaning);
    else if (check->rows != NULL || keyring_is_rooted(check->ring))
        check_with_journal(check, leaf, seq, has_meaning || is_vote);
}

/* ---- rounds ---- */

static void check_round(struct actor_check *check, const struct table_entry *round,
                        struct bytes votes)
{
    struct dmp_pairs pairs = dmp_pairs(votes);
    const struct table_entry *vote;

    while (dmp_pairs_next(&pairs)) {
        check->message.len = 0;
        buf_add_bytes(&check->message, table_key(round));
        buf_add_byte(&check->message, '/');
        buf_add_bytes(&check->message, pairs.key);
        vote = table_find(check->rows, buf_bytes(&check->message));
        if (vote == NULL || vote->revision == 0)
            report_error(check->report, "VOTE_UNCAST", REPORT_NO_SEQ,
                         "%.*s counts a vote that %.*s never cast", BYTES_ARG(table_key(round)),
                         BYTES_ARG(pairs.key));
    }
}

/* `delegates`: person -> who voted in their place, and said so. */
static void check_delegates(struct actor_check *check, const struct table_entry *round,
                            struct bytes delegates)
{
    struct dmp_pairs pairs = dmp_pairs(delegates);
    const struct table_entry *vote;
    struct dmp_cursor cursor;
    struct dmp_item item;

    while (dmp_pairs_next(&pairs)) {
        check->message.len = 0;
        buf_add_bytes(&check->message, table_key(round));
        buf_add_byte(&check->message, '/');
        cursor = dmp_cursor(pairs.value);
        if (dmp_next(&cursor, &item) && item.kind == DMP_STR)
            buf_add_bytes(&check->message, item.bytes);
        vote = table_find(check->rows, buf_bytes(&check->message));
        if (vote == NULL || vote->row == NULL || !bytes_equal(place_in(table_row(vote)), pairs.key))
            report_error(check->report, "VOTE_PLACE", REPORT_NO_SEQ,
                         "%.*s counts a vote in the place of %.*s that was not given so",
                         BYTES_ARG(table_key(round)), BYTES_ARG(pairs.key));
    }
}

void actor_check_rounds(struct actor_check *check)
{
    struct bytes votes, delegates;

    if (check->rows == NULL)
        return;
    for (const struct table_entry *entry = check->rows->first; entry != NULL; entry = entry->next)
        if (entry->row != NULL && memmem(entry->key, entry->key_len, "/round/", 7) != NULL &&
            dmp_find(table_row(entry), "votes", &votes))
            check_round(check, entry, votes);
    for (const struct table_entry *entry = check->rows->first; entry != NULL; entry = entry->next)
        if (entry->row != NULL && memmem(entry->key, entry->key_len, "/round/", 7) != NULL &&
            dmp_find(table_row(entry), "delegates", &delegates))
            check_delegates(check, entry, delegates);
}
