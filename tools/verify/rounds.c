/* rounds.c - an approval round: opened as the pack says, left as it was opened, voted in by those it asks, and granted by
 * votes that are enough.
 */
#include "ballot.h"
#include "dmp.h"
#include "expression.h"
#include "places.h"
#include "proof.h"

#include <stdlib.h>

static const char *vote_name(enum vote vote)
{
    static const char *const names[] = {"none", "grant", "refuse", "return", "abstain"};

    return names[vote];
}

static struct bytes text_in(struct bytes map, const char *key)
{
    struct bytes text = {NULL, 0};

    return dmp_find_str(map, key, &text) ? text : bytes_of(NULL, 0);
}

/* The text under a key that is itself data, in the map under `name`. */
static struct bytes text_under(struct bytes map, const char *name, struct bytes key)
{
    struct bytes inside, value, text = {NULL, 0};

    if (dmp_find(map, name, &inside) && dmp_find_key(inside, key, &value))
        (void)dmp_text(value, &text);
    return text;
}

static bool is_asked(struct bytes round, struct bytes person)
{
    struct bytes ask;

    return dmp_find(round, "ask", &ask) && dmp_list_has(ask, person);
}

static const struct kind_stage *stage_named(const struct kind *kind, struct bytes name)
{
    for (int i = 0; i < kind->stage_count; i++)
        if (bytes_are(name, kind->stages[i].name))
            return &kind->stages[i];
    return NULL;
}

/* The stage of the definition in which a person votes. */
static const struct kind_stage *stage_for(const struct kind *kind, struct bytes round,
                                          struct bytes person)
{
    struct bytes stage;

    if (ballot_stage_of(round, person, &stage))
        return stage_named(kind, text_in(stage, "name"));
    return kind->stage_count > 0 ? &kind->stages[0] : NULL;
}

/* ---- a vote ---- */

struct voting { /* one vote, and what it is about */
    const struct kind *kind;
    const struct kind_row *transition;
    struct bytes record, row, round; /* rows as they stand before */
    struct bytes
        right; /* whose right is used: the voter's own, or somebody's whom he stands in for */
    uint64_t number;
};

static void check_meaning(struct proof *proof, const struct voting *voting)
{
    const struct kind_stage *stage = stage_for(voting->kind, voting->round, voting->right);
    const char *wanted = voting->transition->meaning;

    if (wanted == NULL)
        wanted = voting->transition->vote == VOTE_GRANT && stage != NULL && stage->meaning != NULL
                     ? stage->meaning
                     : "reviewed";
    if (!bytes_are(text_in(proof->leaf->body, "meaning"), wanted))
        PROOF_ERROR(proof, "DECISION_MEANING",
                    "%.*s: the vote of %.*s does not mean \"%s\", which it takes here",
                    BYTES_ARG(voting->record), BYTES_ARG(proof->leaf->actor), wanted);
}

static void check_apart(struct proof *proof, const struct voting *voting, struct bytes name)
{
    const struct kind *kind = voting->kind;
    struct bytes digest = {NULL, 0};
    bool is_known;

    dmp_find_bin(voting->round, "digest", &digest);
    for (int i = 0; i < kind->apart_count; i++) {
        const struct apart *apart = &kind->apart[i];
        bool is_one = people_keep_apart(proof, kind, voting->record, apart->word, name, &is_known);

        proof->unproven_asks += !is_known;
        if (is_one && is_known &&
            !people_are_freed(proof, voting->record, digest, apart->rule, name)) {
            PROOF_ERROR(proof, "VOTE_APART",
                        "%.*s grants %.*s and stands as \"%s\" of it: the approval is by somebody "
                        "who is kept apart from it (%s)",
                        BYTES_ARG(name), BYTES_ARG(voting->record), apart->word, apart->rule);
            return;
        }
    }
}

static void check_rights(struct proof *proof, const struct voting *voting, struct bytes name)
{
    if (person_has_left(proof->rows, name, proof_now_ms(proof)))
        PROOF_ERROR(proof, "VOTE_APART",
                    "%.*s: the rights of %.*s had ended, or never began, when this vote was given",
                    BYTES_ARG(voting->record), BYTES_ARG(name));
}

static void check_asked(struct proof *proof, const struct voting *voting)
{
    struct bytes actor = proof->leaf->actor, right = voting->right;
    struct bytes barred, number;
    bool is_own = bytes_equal(actor, right);
    int64_t round = -1;

    if (!bytes_are(text_in(voting->round, "state"), "open"))
        PROOF_ERROR(proof, "VOTE_UNASKED", "%.*s is not open any more, and %.*s votes in it",
                    BYTES_ARG(proof->round_row), BYTES_ARG(actor));
    if (!dmp_find_int(proof->leaf->body, "round", &round) || round != (int64_t)voting->number)
        PROOF_ERROR(proof, "VOTE_UNCAST", "%.*s: the vote of %.*s was signed for another round",
                    BYTES_ARG(proof->round_row), BYTES_ARG(actor));
    if (dmp_find(voting->round, "barred", &barred) && dmp_find_key(barred, right, &number))
        PROOF_ERROR(proof, "VOTE_UNASKED",
                    "%.*s does not ask %.*s any more: the waiver that let them vote was taken back",
                    BYTES_ARG(proof->round_row), BYTES_ARG(right));
    if (!is_asked(voting->round, right) && (voting->transition->vote != VOTE_RETURN || !is_own))
        PROOF_ERROR(proof, "VOTE_UNASKED", "%.*s does not ask %.*s, whose vote this is",
                    BYTES_ARG(proof->round_row), BYTES_ARG(right));
    if (proof->leaf->rev != 1 || text_under(voting->round, "votes", right).len > 0 ||
        text_under(voting->round, "delegates", right).len > 0 ||
        text_under(voting->round, "votes", actor).len > 0 ||
        (!is_own && is_asked(voting->round, actor)))
        PROOF_ERROR(proof, "VOTE_TWICE",
                    "%.*s: %.*s votes a second time, or for two; one person is one vote",
                    BYTES_ARG(proof->round_row), BYTES_ARG(actor));
}

static void check_key(struct proof *proof)
{
    const struct proof_votes *votes = proof_votes(proof, proof->round_row, false);
    struct bytes key;

    if (!dmp_find_bin(proof->leaf->body, "key", &key) || key.len != HASH_LEN)
        return;
    for (size_t i = 0; votes != NULL && i < votes->count; i++)
        if (memcmp(votes->at[i].key, key.at, HASH_LEN) == 0)
            PROOF_ERROR(proof, "VOTE_TWICE",
                        "%.*s: the vote of %.*s is by the key that voted in entry %llu already",
                        BYTES_ARG(proof->round_row), BYTES_ARG(proof->leaf->actor),
                        (unsigned long long)votes->at[i].seq);
}

void rounds_vote(struct proof *proof)
{
    struct voting voting = {.right = text_in(proof->leaf->body, "for")};

    if (!proof_round_key(proof->round_row, &voting.record, &voting.number))
        return;
    voting.row = proof_find(proof, voting.record);
    voting.round = proof_find(proof, proof->round_row);
    if (voting.right.len == 0)
        voting.right = proof->leaf->actor;
    voting.kind = proof_kind(proof, voting.record, voting.row);
    if (voting.kind == NULL)
        return;
    voting.transition = proof_transition(proof, voting.kind, text_in(voting.row, "state"));
    if (voting.transition == NULL || voting.transition->vote == VOTE_NONE) {
        PROOF_ERROR(proof, "VOTE_UNCAST",
                    "%.*s: %.*s is no vote as its definition has it, and stands among the votes",
                    BYTES_ARG(proof->round_row), BYTES_ARG(proof->leaf->type));
        return;
    }
    proof->vote = voting.transition->vote;
    check_asked(proof, &voting);
    check_key(proof);
    check_meaning(proof, &voting);
    check_rights(proof, &voting, proof->leaf->actor);
    if (proof->vote == VOTE_GRANT)
        check_apart(proof, &voting, proof->leaf->actor);
    if (bytes_equal(voting.right, proof->leaf->actor))
        return;
    check_rights(proof, &voting, voting.right);
    if (proof->vote == VOTE_GRANT)
        check_apart(proof, &voting, voting.right);
    places_vote(proof, voting.kind, stage_for(voting.kind, voting.round, voting.right),
                voting.record, voting.right);
}

void rounds_voted(struct proof *proof)
{
    struct bytes round = proof_find(proof, proof->round_row), key;
    struct proof_vote vote = {.seq = proof->seq, .is_signed = proof->actors->is_proven};
    struct proof_votes *votes;

    if (proof->vote == VOTE_NONE)
        return;
    if (!bytes_are(text_under(round, "votes", proof->leaf->actor), vote_name(proof->vote)) ||
        !bytes_are(text_in(proof_find(proof, proof->leaf->stream), "vote"), vote_name(proof->vote)))
        PROOF_ERROR(
            proof, "VOTE_DROPPED", "%.*s does not count the vote of %.*s as the %s that was signed",
            BYTES_ARG(proof->round_row), BYTES_ARG(proof->leaf->actor), vote_name(proof->vote));
    if (dmp_find_bin(proof->leaf->body, "key", &key) && key.len == HASH_LEN)
        memcpy(vote.key, key.at, HASH_LEN);
    if (!proof->keeps_votes && !bytes_are(text_in(round, "state"), "open"))
        return;
    votes = proof_votes(proof, proof->round_row, true);
    if (votes == NULL)
        return;
    votes->at = memory_grow(votes->at, &votes->cap, votes->count + 1, sizeof *votes->at);
    votes->at[votes->count++] = vote;
}

/* ---- what an entry does to a round's row ---- */

static void check_votes(struct proof *proof, struct bytes round, struct bytes votes)
{
    struct dmp_pairs pairs = dmp_pairs(votes);
    struct bytes text = {NULL, 0};

    while (dmp_pairs_next(&pairs)) {
        bool is_cast = proof->is_vote && bytes_equal(proof->round_row, round) &&
                       bytes_equal(pairs.key, proof->leaf->actor) && dmp_text(pairs.value, &text);

        if (!is_cast || (proof->vote != VOTE_NONE && !bytes_are(text, vote_name(proof->vote))))
            PROOF_ERROR(proof, "VOTE_UNCAST",
                        "%.*s counts a vote of %.*s here that this entry does not cast",
                        BYTES_ARG(round), BYTES_ARG(pairs.key));
    }
}

static void check_delegates(struct proof *proof, struct bytes round, struct bytes delegates)
{
    struct dmp_pairs pairs = dmp_pairs(delegates);
    struct bytes text;

    while (dmp_pairs_next(&pairs))
        if (!proof->is_vote || !bytes_equal(proof->round_row, round) ||
            !bytes_equal(pairs.key, text_in(proof->leaf->body, "for")) ||
            !dmp_text(pairs.value, &text) || !bytes_equal(text, proof->leaf->actor))
            PROOF_ERROR(
                proof, "VOTE_PLACE",
                "%.*s counts a vote in the place of %.*s here that this entry does not cast",
                BYTES_ARG(round), BYTES_ARG(pairs.key));
}

/* Is the waiver of a rule that keeps nobody like them apart here? Where that takes more than the records say, it is not known. */
static bool frees_nobody(struct proof *proof, const struct kind *kind, struct bytes record,
                         struct bytes waiver, struct bytes person)
{
    bool is_known = true, is_of_approval = false;

    for (int i = 0; kind != NULL && i < kind->apart_count; i++) {
        if (!bytes_are(text_in(waiver, "rule"), kind->apart[i].rule))
            continue;
        is_of_approval = true;
        if (people_keep_apart(proof, kind, record, kind->apart[i].word, person, &is_known) ||
            !is_known)
            return false;
    }
    return is_of_approval;
}

static struct bytes waiver_numbered(struct proof *proof, struct bytes record, struct bytes number)
{
    struct dmp_cursor cursor = dmp_cursor(number);
    struct dmp_item item;
    char key[256];
    int len;

    if (!dmp_next(&cursor, &item) || item.kind != DMP_INT)
        return bytes_of(NULL, 0);
    len = snprintf(key, sizeof key, "%.*s/waiver/%lld", BYTES_ARG(record), (long long)item.number);
    return len > 0 && (size_t)len < sizeof key ? proof_find(proof, bytes_of(key, (size_t)len))
                                               : bytes_of(NULL, 0);
}

/* A round goes on without somebody whom it asks by a waiver: only once that is taken back, and only if they had not voted. */
static void check_barred(struct proof *proof, const struct table_entry *entry, struct bytes record,
                         struct bytes barred)
{
    struct bytes round = entry->row != NULL ? table_row(entry) : bytes_of(NULL, 0);
    const struct kind *kind = proof_kind(proof, record, proof_find(proof, record));
    struct dmp_pairs pairs = dmp_pairs(barred);
    struct bytes digest, wanted, ended;

    while (dmp_pairs_next(&pairs)) {
        struct bytes waiver = waiver_numbered(proof, record, pairs.value);

        if (bytes_are(proof->leaf->type, "round.counted") && dmp_find(waiver, "ended", &ended) &&
            bytes_equal(text_in(waiver, "person"), pairs.key) &&
            dmp_find_bin(waiver, "digest", &digest) && dmp_find_bin(round, "digest", &wanted) &&
            bytes_equal(digest, wanted) && text_under(round, "votes", pairs.key).len == 0 &&
            text_under(round, "delegates", pairs.key).len == 0 &&
            !frees_nobody(proof, kind, record, waiver, pairs.key))
            continue;
        PROOF_ERROR(proof, "ROUND_CHANGED",
                    "%.*s goes on without %.*s, and no waiver that let them vote was taken back",
                    BYTES_ARG(table_key(entry)), BYTES_ARG(pairs.key));
    }
}

static bool may_change(struct bytes key)
{
    static const char *const keys[] = {"votes", "delegates", "tasks", "asked", "stage",
                                       "state", "closed_ms", "why",   "barred"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (bytes_are(key, keys[i]))
            return true;
    return false;
}

static void check_frozen(struct proof *proof, const struct table_entry *entry, struct bytes patch)
{
    struct dmp_pairs pairs = dmp_pairs(patch);
    struct bytes state = text_in(table_row(entry), "state"), next = text_in(patch, "state");
    struct bytes old;

    if (!dmp_is_map(patch))
        PROOF_ERROR(proof, "ROUND_CHANGED", "%.*s is taken away, and with it who approved what",
                    BYTES_ARG(table_key(entry)));
    while (dmp_pairs_next(&pairs))
        if (!may_change(pairs.key) &&
            !(dmp_find_key(table_row(entry), pairs.key, &old) && bytes_equal(old, pairs.value)))
            PROOF_ERROR(proof, "ROUND_CHANGED",
                        "%.*s: \"%.*s\" was settled when the round opened, and is changed here",
                        BYTES_ARG(table_key(entry)), BYTES_ARG(pairs.key));
    if (next.len > 0 && !bytes_equal(next, state) && !bytes_are(state, "open"))
        PROOF_ERROR(proof, "ROUND_CHANGED", "%.*s was %.*s already, and is made %.*s here",
                    BYTES_ARG(table_key(entry)), BYTES_ARG(state), BYTES_ARG(next));
}

void rounds_row(struct proof *proof, const struct table_entry *entry, struct bytes patch)
{
    struct bytes record, votes, state = text_in(patch, "state"), person, round;
    uint64_t number;

    if (!proof_round_key(table_key(entry), &record, &number)) {
        if (leaf_vote_stream(table_key(entry), &round, &person) &&
            !bytes_equal(table_key(entry), proof->leaf->stream))
            PROOF_ERROR(proof, "VOTE_UNCAST",
                        "the vote %.*s is written by an entry that is not that vote",
                        BYTES_ARG(table_key(entry)));
        return;
    }
    if (!proof->has_pack)
        return;
    if (dmp_find(patch, "votes", &votes))
        check_votes(proof, table_key(entry), votes);
    if (dmp_find(patch, "delegates", &votes))
        check_delegates(proof, table_key(entry), votes);
    if (dmp_find(patch, "barred", &votes))
        check_barred(proof, entry, record, votes);
    if (entry->row == NULL)
        proof_add(proof, entry, patch)->opens_round = true;
    else
        check_frozen(proof, entry, patch);
    if (bytes_are(state, "granted")) {
        proof_add(proof, entry, patch)->grants_round = true;
    } else if (state.len > 0 && !bytes_are(state, "open") && !proof->keeps_votes) {
        proof_drop_votes(proof, table_key(entry));
    }
}

/* ---- opened ---- */

/* What a need comes to. False: it takes an expression that is not followed here. */
static bool need_of(const struct kind *kind, const struct kind_stage *stage,
                    struct bytes record_row, int64_t *need)
{
    struct term term;
    const char *text;
    char *end;

    *need = 1;
    if (stage->need == NULL || strcmp(stage->counting, "all") == 0)
        return true;
    if (config_setting_type(stage->need) == CONFIG_TYPE_INT ||
        config_setting_type(stage->need) == CONFIG_TYPE_INT64) {
        *need = config_setting_get_int64(stage->need);
        return true;
    }
    text = words_at(stage->need, 0);
    *need = strtol(text, &end, 10);
    if (end != text && *end == '\0')
        return true;
    term = expression_value(kind, record_row, text);
    *need = term.number;
    return term.kind == TERM_NUMBER;
}

static void refuse_opening(struct proof *proof, struct bytes round, const char *what)
{
    PROOF_ERROR(proof, "ROUND_OPENED", "%.*s was opened otherwise than its definition says: %s",
                BYTES_ARG(round), what);
}

static struct bytes round_record(struct bytes round)
{
    struct bytes record = {NULL, 0};
    uint64_t number;

    (void)proof_round_key(round, &record, &number);
    return record;
}

/* Whom the stage asks are those whom the pack's words mean. */
static void check_ask(struct proof *proof, const struct kind *kind, const struct kind_stage *stage,
                      struct bytes round, struct bytes settled)
{
    struct bytes ask, value, name;
    struct dmp_list list;
    bool is_known = true;

    if (!dmp_find(settled, "ask", &ask))
        return;
    list = dmp_list(ask);
    while (dmp_list_next(&list, &value)) {
        if (!dmp_text(value, &name) ||
            people_word(proof, kind, round_record(round), stage->ask, name) != NULL)
            continue;
        for (int i = 0; i < words_count(stage->ask) && is_known; i++)
            (void)people_mean(proof, kind, round_record(round), words_at(stage->ask, i), name,
                              &is_known);
        if (is_known)
            PROOF_ERROR(proof, "ROUND_OPENED",
                        "%.*s asks %.*s, and nothing in its definition means them",
                        BYTES_ARG(round), BYTES_ARG(name));
        else
            proof->unproven_asks++;
    }
}

static void check_stage(struct proof *proof, const struct kind *kind,
                        const struct kind_stage *stage, struct bytes round, struct bytes row,
                        struct bytes settled)
{
    struct bytes counting = text_in(settled, "counting"), refuse;
    int64_t need = 1, said = 1, percent = 0;
    bool is_known = need_of(kind, stage, row, &need), one_refuse_ends;

    if (!is_known)
        proof->unproven_asks++;
    if (!dmp_find_int(settled, "need", &said) || said < 1 || (is_known && said != need))
        refuse_opening(proof, round, "it needs another number of signatures");
    if (!bytes_are(counting.len > 0 ? counting : bytes_text("need"), stage->counting))
        refuse_opening(proof, round, "its votes are counted in another way");
    dmp_find_int(settled, "percent", &percent);
    if (percent != stage->percent)
        refuse_opening(proof, round, "another share of the votes is enough");
    one_refuse_ends =
        !dmp_find(settled, "one_refuse_ends", &refuse) || dmp_is_true(settled, "one_refuse_ends");
    if (one_refuse_ends != stage->one_refuse_ends ||
        bytes_are(text_in(settled, "closing"), "all") != stage->waits_for_all)
        refuse_opening(proof, round, "it ends at another moment");
    if (dmp_count(settled, "require") != (uint64_t)words_count(stage->require))
        refuse_opening(proof, round, "other roles must be among those who grant it");
    if (stage->weights == NULL && dmp_find(settled, "weights", &refuse))
        refuse_opening(proof, round, "its votes weigh otherwise");
    check_ask(proof, kind, stage, round, settled);
}

static bool is_plain(const struct kind *kind)
{
    const struct kind_stage *stage = &kind->stages[0];

    return kind->is_one_stage && strcmp(stage->counting, "need") == 0 &&
           words_count(stage->veto) == 0 && words_count(stage->require) == 0 &&
           stage->weights == NULL && !stage->waits_for_all && stage->one_refuse_ends;
}

/* A stage may be left out if it has a condition that does not hold. */
static void check_left_out(struct proof *proof, const struct kind *kind,
                           const struct kind_stage *stage, struct bytes key, struct bytes row)
{
    struct term holds = {TERM_TRUTH, 1, {NULL, 0}};

    if (stage->when != NULL)
        holds = expression_value(kind, row, stage->when);
    if (holds.kind != TERM_TRUTH)
        proof->unproven_asks++;
    else if (holds.number != 0)
        refuse_opening(proof, key, "one of its stages is left out");
}

static void check_stages(struct proof *proof, const struct kind *kind, struct bytes key,
                         struct bytes row, struct bytes round)
{
    struct bytes stages, settled;
    uint32_t seen = 0;
    struct dmp_list list;

    if (!dmp_find(round, "stages", &stages)) {
        if (is_plain(kind) || kind->stage_count == 1)
            check_stage(proof, kind, &kind->stages[0], key, row, round);
        else
            refuse_opening(proof, key, "its stages are left out");
        return;
    }
    list = dmp_list(stages);
    while (dmp_list_next(&list, &settled)) {
        const struct kind_stage *stage = stage_named(kind, text_in(settled, "name"));

        if (stage == NULL) {
            refuse_opening(proof, key, "it has a stage that is not there");
            continue;
        }
        seen |= 1u << (stage - kind->stages);
        check_stage(proof, kind, stage, key, row, settled);
    }
    for (int i = 0; i < kind->stage_count; i++)
        if ((seen & 1u << i) == 0)
            check_left_out(proof, kind, &kind->stages[i], key, row);
}

/* Nobody is asked twice: one person, one vote. */
static void check_distinct(struct proof *proof, struct bytes key, struct bytes round)
{
    struct bytes ask, value, other;
    struct dmp_list list;

    if (!dmp_find(round, "ask", &ask))
        return;
    list = dmp_list(ask);
    while (dmp_list_next(&list, &value)) {
        struct dmp_list rest = list;

        while (dmp_list_next(&rest, &other))
            if (bytes_equal(value, other))
                refuse_opening(proof, key, "it asks somebody twice");
    }
}

/* The record's state before, if this leaf moves it. */
static struct bytes state_before(const struct proof *proof, struct bytes record, struct bytes row)
{
    for (size_t i = 0; i < proof->change_count; i++)
        if (proof->changes[i].moves && bytes_equal(table_key(proof->changes[i].entry), record))
            return bytes_text(proof->changes[i].state);
    return text_in(row, "state");
}

void rounds_opened(struct proof *proof, const struct proof_change *change)
{
    struct bytes key = table_key(change->entry), round = table_row(change->entry), record, row;
    struct bytes digest = {NULL, 0}, votes;
    const struct kind_row *transition;
    const struct kind *kind;
    int64_t opened = -1;
    uint64_t number;

    if (!proof_round_key(key, &record, &number))
        return;
    table_entry(proof->rows, record)->has_round = true;
    row = proof_find(proof, record);
    kind = proof_kind(proof, record, row);
    if (kind == NULL)
        return;
    transition = proof_transition(proof, kind, state_before(proof, record, row));
    if (transition == NULL || !transition->opens_round || !kind->has_approval ||
        !bytes_equal(record, proof->leaf->stream))
        refuse_opening(proof, key, "this entry is nothing that opens one");
    if (dmp_find(round, "votes", &votes) && dmp_pairs(votes).left > 0)
        refuse_opening(proof, key, "it begins with votes");
    if (!dmp_find_int(round, "opened_ms", &opened) || opened != proof_now_ms(proof))
        refuse_opening(proof, key, "it is not dated as the entry is");
    if (!dmp_find_bin(round, "digest", &digest) ||
        !proof_is_content(proof, record, row, kind, digest, proof_review(row)))
        PROOF_ERROR(proof, "ROUND_DIGEST",
                    "%.*s is not about what %.*s holds: who votes in it signs something else",
                    BYTES_ARG(key), BYTES_ARG(record));
    if (!kind->has_approval || kind->stage_count == 0)
        return;
    check_distinct(proof, key, round);
    check_stages(proof, kind, key, row, round);
}

/* ---- granted ---- */

/* The least that a span can last: months are short, and a day may lack an hour. */
static int64_t least_ms(const char *span)
{
    static const struct {
        const char *unit;
        int64_t hours;
    } units[] = {
        {"year", 365 * 24}, {"month", 28 * 24}, {"week", 7 * 24}, {"day", 24}, {"hour", 1}};
    int64_t hours = 0, count = 0;

    for (; span != NULL && *span != '\0'; span++) {
        if (*span >= '0' && *span <= '9') {
            count = count * 10 + (*span - '0');
            continue;
        }
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
            if (strncmp(span, units[i].unit, strlen(units[i].unit)) == 0) {
                hours += count * units[i].hours;
                count = 0;
            }
    }
    return (hours > 24 ? hours - 2 : hours) * 3600 * 1000;
}

/* Silence is consent where the approval says so, and when its time is over. */
static bool silence_grants(const struct proof *proof, const struct kind *kind, struct bytes round)
{
    int64_t opened = INT64_MAX;

    return kind != NULL && kind->silence_grants && bytes_are(text_in(round, "why"), "expired") &&
           dmp_find_int(round, "opened_ms", &opened) &&
           proof_now_ms(proof) >= opened + least_ms(kind->expires);
}

void rounds_granted(struct proof *proof, const struct proof_change *change)
{
    struct bytes key = table_key(change->entry), record, row, digest, review;
    struct ballot ballot = {.rows = proof->rows, .round = table_row(change->entry)};
    struct ballot_count count;
    struct proof_mark mark;
    const struct kind *kind;
    uint64_t number;

    if (!proof_round_key(key, &record, &number))
        return;
    row = proof_find(proof, record);
    kind = proof_kind(proof, record, row);
    if (!bytes_equal(record, proof->leaf->stream))
        PROOF_ERROR(proof, "ROUND_COUNT", "%.*s is said to be granted by an entry about %.*s",
                    BYTES_ARG(key), BYTES_ARG(proof->leaf->stream));
    ballot.now_ms = proof_now_ms(proof);
    ballot.silence_grants = silence_grants(proof, kind, ballot.round);
    if (!ballot_is_granted(&ballot, &count))
        PROOF_ERROR(proof, "ROUND_COUNT",
                    "%.*s is said to be granted, but its votes are not enough%s%.*s: %lld of %lld; "
                    "%.*s is not approved",
                    BYTES_ARG(key), count.stage.len > 0 ? " in stage " : "", BYTES_ARG(count.stage),
                    (long long)count.granted, (long long)count.needed, BYTES_ARG(record));
    if (!proof->keeps_votes)
        proof_drop_votes(proof, key);
    mark = proof_mark(proof, record);
    mark = (struct proof_mark){.round = (uint32_t)number,
                               .granted = proof->seq,
                               .in_force = mark.in_force,
                               .end = mark.end};
    if (dmp_find_bin(ballot.round, "digest", &digest) && digest.len == HASH_LEN)
        memcpy(mark.digest, digest.at, HASH_LEN);
    review = proof_review(row);
    if (review.len <= sizeof mark.review) {
        if (review.len > 0)
            memcpy(mark.review, review.at, review.len);
        mark.review_len = (uint8_t)review.len;
    }
    proof_set_mark(proof, record, &mark);
}
