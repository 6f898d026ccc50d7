#include "approvals.h"

#include "ballot.h"
#include "dmp.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

static struct bytes text_in(struct bytes map, const char *key)
{
    struct bytes text = {NULL, 0};

    return dmp_find_str(map, key, &text) ? text : bytes_of(NULL, 0);
}

/* A copy that is fit for a terminal. Owned by the caller. */
static char *clean_copy(struct bytes text)
{
    char *copy = memory_new(text.len + 1, 1);

    report_clean(copy, text.len + 1, text);
    return copy;
}

static void hex_of(struct bytes hash, char out[2 * HASH_LEN + 1])
{
    out[0] = '\0';
    for (size_t i = 0; i < hash.len && i < HASH_LEN; i++)
        snprintf(out + 2 * i, 3, "%02x", hash.at[i]);
}

/* ---- collected ---- */

struct collector {
    struct proof *proof;
    struct db *db;
    sqlite3_stmt *entry;
    struct approvals *out;
};

/* The leaf of this number; lent until the next. */
static bool read_entry(struct collector *collector, uint64_t seq, struct leaf *leaf)
{
    struct bytes raw;

    sqlite3_reset(collector->entry);
    sqlite3_bind_int64(collector->entry, 1, (sqlite3_int64)seq);
    return db_row(collector->db, collector->proof->report, collector->entry) &&
           db_blob(collector->entry, 0, &raw) && leaf_read(raw, leaf) == NULL;
}

static struct approval_moment moment_of(struct collector *collector, uint64_t seq)
{
    struct approval_moment moment = {seq, 0};
    struct leaf leaf;

    if (seq > 0 && read_entry(collector, seq, &leaf))
        moment.time_us = leaf.time_us;
    return moment;
}

/* Who gave the delegation of this number: its row says so, and the entry that made the row is signed. */
static char *giver_of(const struct proof *proof, struct bytes number)
{
    char key[64];
    struct bytes digits = number.len > 4 ? bytes_of(number.at + 4, number.len - 4) : number;
    int len;

    while (digits.len > 1 && digits.at[0] == '0')
        digits = bytes_of(digits.at + 1, digits.len - 1);
    len = snprintf(key, sizeof key, "delegation/%.*s", BYTES_ARG(digits));
    if (len < 0 || (size_t)len >= sizeof key)
        return clean_copy(bytes_of(NULL, 0));
    return clean_copy(text_in(proof_find(proof, bytes_of(key, (size_t)len)), "by"));
}

/* "SOD-1 by cleo" for each waiver that the vote rested on; NULL: none. */
static char *waived_in(struct bytes own)
{
    struct bytes list, one;
    struct buf text = {0};
    struct dmp_list waived;
    char *copy;

    if (!dmp_find(own, "waived", &list))
        return NULL;
    waived = dmp_list(list);
    while (dmp_list_next(&waived, &one)) {
        buf_add_text(&text, text.len > 0 ? ", " : "");
        buf_add_bytes(&text, text_in(one, "rule"));
        buf_add_text(&text, " by ");
        buf_add_bytes(&text, text_in(one, "by"));
    }
    copy = text.len > 0 ? clean_copy(buf_bytes(&text)) : NULL;
    buf_release(&text);
    return copy;
}

static void add_vote(struct collector *collector, struct approval *approval,
                     const struct proof_vote *found)
{
    struct approval_vote vote = {.at.seq = found->seq, .is_signed = found->is_signed};
    struct bytes own = {NULL, 0}, place, number;
    struct leaf leaf;

    if (!read_entry(collector, found->seq, &leaf))
        return;
    (void)dmp_find(leaf.effects, "", &own);
    place = text_in(leaf.body, "for");
    number = text_in(own, "delegation");
    vote.at.time_us = leaf.time_us;
    vote.by = clean_copy(leaf.actor);
    vote.vote = clean_copy(text_in(own, "vote"));
    vote.meaning = clean_copy(text_in(leaf.body, "meaning"));
    vote.waived = waived_in(own);
    hex_of(bytes_of(found->key, HASH_LEN), vote.key);
    if (place.len > 0) {
        vote.in_place_of = clean_copy(place);
        vote.delegation = clean_copy(number);
        vote.given_by = giver_of(collector->proof, number);
    }
    approval->votes = memory_grow(approval->votes, &approval->vote_cap, approval->vote_count + 1,
                                  sizeof *approval->votes);
    approval->votes[approval->vote_count++] = vote;
}

/* "2 of 2", or of each stage: "law 1 of 1, management 1 of 1". */
static char *count_of(const struct ballot *ballot)
{
    struct bytes stages, stage;
    struct ballot_count count;
    struct buf text = {0};
    char number[64], *copy;
    struct dmp_list list;

    if (!dmp_find(ballot->round, "stages", &stages)) {
        (void)ballot_stage_is_granted(ballot, ballot->round, &count);
        snprintf(number, sizeof number, "%lld of %lld", (long long)count.granted,
                 (long long)count.needed);
        return clean_copy(bytes_text(number));
    }
    list = dmp_list(stages);
    while (dmp_list_next(&list, &stage)) {
        (void)ballot_stage_is_granted(ballot, stage, &count);
        snprintf(number, sizeof number, " %lld of %lld", (long long)count.granted,
                 (long long)count.needed);
        buf_add_text(&text, text.len > 0 ? ", " : "");
        buf_add_bytes(&text, text_in(stage, "name"));
        buf_add_text(&text, number);
    }
    copy = clean_copy(buf_bytes(&text));
    buf_release(&text);
    return copy;
}

static void add_round(struct collector *collector, struct approval *approval, struct bytes record,
                      const struct proof_mark *mark)
{
    struct proof *proof = collector->proof;
    const struct proof_votes *votes;
    struct ballot ballot = {.rows = proof->rows};
    char key[256];
    int len = snprintf(key, sizeof key, "%.*s/round/%u", BYTES_ARG(record), mark->round);

    if (len < 0 || (size_t)len >= sizeof key)
        return;
    ballot.round = proof_find(proof, bytes_of(key, (size_t)len));
    ballot.now_ms = (int64_t)(approval->granted.time_us / 1000);
    approval->by_silence = bytes_are(text_in(ballot.round, "why"), "expired");
    approval->count = count_of(&ballot);
    votes = proof_votes(proof, bytes_of(key, (size_t)len), false);
    for (size_t i = 0; votes != NULL && i < votes->count; i++)
        add_vote(collector, approval, &votes->at[i]);
}

static void add_record(struct collector *collector, const struct table_entry *entry)
{
    struct proof *proof = collector->proof;
    struct bytes record = table_key(entry), row = table_row(entry), digest = {NULL, 0};
    struct proof_mark mark = proof_mark(proof, record);
    struct proof_facts facts = proof_facts(row);
    struct approval approval = {.round = mark.round};
    const struct kind *kind;

    if (mark.round == 0 && mark.in_force == 0)
        return;
    kind = proof_kind_of(proof, record, &facts);
    if (kind == NULL || (!kind->is_versioned && !kind->has_approval))
        return;
    approval.takes_none = !kind->has_approval;
    approval.record = clean_copy(record);
    approval.kind = clean_copy(facts.kind);
    approval.title = clean_copy(text_in(row, "title"));
    approval.state = clean_copy(facts.state);
    (void)dmp_find_bin(row, "digest", &digest);
    hex_of(mark.round > 0 ? bytes_of(mark.digest, HASH_LEN) : digest, approval.digest);
    approval.granted = moment_of(collector, mark.granted);
    approval.in_force = moment_of(collector, mark.in_force);
    approval.end = moment_of(collector, mark.end);
    approval.migrated = moment_of(collector, mark.migrated);
    approval.changed = moment_of(collector, mark.changed);
    if (mark.round > 0)
        add_round(collector, &approval, record, &mark);
    collector->out->at = memory_grow(collector->out->at, &collector->out->cap,
                                     collector->out->count + 1, sizeof *collector->out->at);
    collector->out->at[collector->out->count++] = approval;
}

void approvals_collect(struct approvals *approvals, struct proof *proof, struct db *db)
{
    struct collector collector = {
        proof, db, db_ask(db, proof->report, "SELECT entry FROM journal WHERE seq = ?1"),
        approvals};

    for (const struct table_entry *entry = proof->rows->first;
         entry != NULL && collector.entry != NULL; entry = entry->next)
        if (entry->row != NULL && entry->mark > 0 &&
            memchr(entry->key, '/', entry->key_len) == NULL)
            add_record(&collector, entry);
    sqlite3_finalize(collector.entry);
}

void approvals_release(struct approvals *approvals)
{
    for (size_t i = 0; i < approvals->count; i++) {
        struct approval *one = &approvals->at[i];

        for (size_t k = 0; k < one->vote_count; k++) {
            struct approval_vote *vote = &one->votes[k];
            char *texts[] = {vote->by,         vote->vote,     vote->meaning, vote->in_place_of,
                             vote->delegation, vote->given_by, vote->waived};

            for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
                free(texts[t]);
        }
        free(one->votes);
        free(one->record);
        free(one->kind);
        free(one->title);
        free(one->state);
        free(one->count);
    }
    free(approvals->at);
    *approvals = (struct approvals){0};
}

/* ---- for people ---- */

enum { MOMENT_TEXT = 80, INDENT = 14, COLUMNS = 80 };

static const char *when(const struct approval_moment *moment, char out[MOMENT_TEXT])
{
    time_t seconds = (time_t)(moment->time_us / 1000000);
    struct tm utc;
    size_t len = 0;

    if (gmtime_r(&seconds, &utc) != NULL)
        len = strftime(out, MOMENT_TEXT, "%Y-%m-%d %H:%M UTC", &utc);
    snprintf(out + len, MOMENT_TEXT - len, ", entry %llu", (unsigned long long)moment->seq);
    return out;
}

/* How many columns a text takes: one for each character. */
static size_t columns(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* The words that fit behind the indent; at least one. */
static size_t fitting(const char *text)
{
    size_t len = strlen(text), fits = 0;

    for (size_t at = strcspn(text, " "); at <= len; at += 1 + strcspn(text + at + 1, " ")) {
        if (fits > 0 && columns(text, at) > COLUMNS - INDENT)
            break;
        fits = at;
        if (at == len)
            break;
    }
    return fits;
}

static void line(FILE *out, const char *label, const char *text)
{
    do {
        size_t len = fitting(text);

        fprintf(out, "  %-10s  %.*s\n", label, (int)len, text);
        text += len + (text[len] == ' ');
        label = "";
    } while (*text != '\0');
}

__attribute__((format(printf, 3, 4))) static void linef(FILE *out, const char *label,
                                                        const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line(out, label, text);
}

static void print_times(const struct approval *one, FILE *out)
{
    char text[MOMENT_TEXT];

    if (one->in_force.seq > 0)
        line(out, "in force", when(&one->in_force, text));
    else
        line(out, "in force", "never yet");
    if (one->end.seq > 0)
        line(out, "until", when(&one->end, text));
    if (one->migrated.seq > 0)
        line(out, "migrated", when(&one->migrated, text));
    if (one->changed.seq > 0)
        linef(out, "edited", "%s, as its workflows allow in that state", when(&one->changed, text));
}

static void print_vote(const struct approval_vote *vote, FILE *out, const char *warn,
                       const char *plain)
{
    char text[MOMENT_TEXT];
    bool is_grant = strcmp(vote->vote, "grant") == 0;

    linef(out, is_grant ? "signed by" : "voted by", "%s as \"%s\"%s%s", vote->by, vote->meaning,
          is_grant ? "" : ", to ", is_grant ? "" : vote->vote);
    if (vote->in_place_of != NULL)
        linef(out, "", "in the place of %s, by %s, given by %s", vote->in_place_of,
              vote->delegation, vote->given_by);
    if (vote->waived != NULL)
        linef(out, "", "kept apart but for a waiver: %s", vote->waived);
    line(out, "", when(&vote->at, text));
    if (vote->is_signed)
        line(out, "  key", vote->key);
    else
        fprintf(out, "%14s%sNOT SIGNED: there was no key of theirs to sign with%s\n", "", warn,
                plain);
}

static void print_one(const struct approval *one, FILE *out, bool in_colour)
{
    const char *bold = in_colour ? "\033[1m" : "", *plain = in_colour ? "\033[0m" : "";
    const char *warn = in_colour ? "\033[33m" : "";
    char text[MOMENT_TEXT];

    fprintf(out, "\n%s%s%s\n", bold, one->record, plain);
    line(out, "title", one->title);
    linef(out, "is", "%s, now %s", one->kind, one->state);
    print_times(one, out);
    line(out, "content", one->digest);
    if (one->takes_none)
        line(out, "not signed", "its workflows take no approval of such a document");
    else if (one->round == 0)
        line(out, "not signed", "it was put in force before its workflows took an approval");
    if (one->round == 0)
        return;
    linef(out, "granted", "round %u: %s%s", one->round, one->count,
          one->by_silence ? ", silence being consent" : "");
    line(out, "", when(&one->granted, text));
    for (size_t i = 0; i < one->vote_count; i++)
        print_vote(&one->votes[i], out, warn, plain);
}

void approvals_print(const struct approvals *approvals, FILE *out, bool in_colour)
{
    if (approvals->count == 0)
        fputs("approvals    none: no record was approved, or put in force that could have been\n",
              out);
    else
        fprintf(out, "approvals    %zu, each proven: signatures, votes counted anew, content\n",
                approvals->count);
    for (size_t i = 0; i < approvals->count; i++)
        print_one(&approvals->at[i], out, in_colour);
    if (approvals->count > 0)
        fputc('\n', out);
}

/* ---- as JSON ---- */

static json_t *json_moment(const struct approval_moment *moment)
{
    if (moment->seq == 0)
        return json_null();
    return json_pack("{s:I, s:I}", "seq", (json_int_t)moment->seq, "time_us",
                     (json_int_t)moment->time_us);
}

static json_t *json_vote(const struct approval_vote *vote)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:s?}", "at",
                     json_moment(&vote->at), "by", vote->by, "vote", vote->vote, "meaning",
                     vote->meaning, "for", vote->in_place_of, "delegation", vote->delegation,
                     "given_by", vote->given_by, "waived", vote->waived, "signed",
                     (int)vote->is_signed, "key", vote->is_signed ? vote->key : NULL);
}

static json_t *json_one(const struct approval *one)
{
    json_t *votes = json_array();

    for (size_t i = 0; i < one->vote_count; i++)
        json_array_append_new(votes, json_vote(&one->votes[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:I, s:s?, s:b, s:o, s:o}",
                     "record", one->record, "kind", one->kind, "title", one->title, "state",
                     one->state, "digest", one->digest, "takes_approval", (int)!one->takes_none,
                     "in_force", json_moment(&one->in_force), "until", json_moment(&one->end),
                     "migrated", json_moment(&one->migrated), "edited", json_moment(&one->changed),
                     "round", (json_int_t)one->round, "count", one->count, "by_silence",
                     (int)one->by_silence, "granted", json_moment(&one->granted), "votes", votes);
}

json_t *approvals_json(const struct approvals *approvals)
{
    json_t *list = json_array();

    for (size_t i = 0; i < approvals->count; i++)
        json_array_append_new(list, json_one(&approvals->at[i]));
    return list;
}
