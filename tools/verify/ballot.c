#include "ballot.h"

#include "dmp.h"

#include <stdio.h>

bool person_row(const struct table *rows, struct bytes name, struct bytes *row)
{
    char key[256];
    int len = snprintf(key, sizeof key, "person/%.*s", BYTES_ARG(name));
    const struct table_entry *entry;

    if (len < 0 || (size_t)len >= sizeof key)
        return false;
    entry = table_find(rows, bytes_of(key, (size_t)len));
    if (entry == NULL || entry->row == NULL)
        return false;
    *row = table_row(entry);
    return true;
}

bool person_has_left(const struct table *rows, struct bytes name, int64_t now_ms)
{
    struct bytes row;
    int64_t end;

    if (!person_row(rows, name, &row))
        return true;
    return dmp_find_int(row, "not_after", &end) && now_ms > end;
}

bool ballot_stage_of(struct bytes round, struct bytes person, struct bytes *stage)
{
    struct bytes stages, ask;
    struct dmp_list list;

    if (!dmp_find(round, "stages", &stages))
        return false;
    list = dmp_list(stages);
    while (dmp_list_next(&list, stage))
        if (dmp_find(*stage, "ask", &ask) && dmp_list_has(ask, person))
            return true;
    return false;
}

/* What one stage's votes weigh. */
struct tally {
    int64_t asked, granted, refused, abstained, open;
    uint64_t groups; /* of `require`: somebody of them granted */
    bool is_ended;   /* returned, or refused by somebody whose refusal ends it */
    bool has_open_veto;
};

static struct bytes vote_of_person(struct bytes round, struct bytes person)
{
    struct bytes votes, delegates, value, text = {NULL, 0};

    if (!dmp_find(round, "votes", &votes))
        return text;
    if (dmp_find_key(votes, person, &value) && dmp_text(value, &text))
        return text;
    if (dmp_find(round, "delegates", &delegates) && dmp_find_key(delegates, person, &value) &&
        dmp_text(value, &text) && dmp_find_key(votes, text, &value) && dmp_text(value, &text))
        return text;
    return bytes_of(NULL, 0);
}

static int64_t weight_of(struct bytes stage, struct bytes person)
{
    struct bytes weights, value;
    struct dmp_cursor cursor;
    struct dmp_item item;

    if (!dmp_find(stage, "weights", &weights) || !dmp_find_key(weights, person, &value))
        return 1;
    cursor = dmp_cursor(value);
    if (!dmp_next(&cursor, &item) || item.kind != DMP_INT || item.number > 1000000)
        return 1;
    return (int64_t)item.number;
}

static uint64_t groups_of(struct bytes stage, struct bytes person)
{
    struct bytes require, group;
    struct dmp_list list;
    uint64_t groups = 0;

    if (!dmp_find(stage, "require", &require))
        return 0;
    list = dmp_list(require);
    for (unsigned i = 0; i < 64 && dmp_list_next(&list, &group); i++)
        if (dmp_list_has(group, person))
            groups |= (uint64_t)1 << i;
    return groups;
}

static bool in_list(struct bytes map, const char *key, struct bytes person)
{
    struct bytes list;

    return dmp_find(map, key, &list) && dmp_list_has(list, person);
}

static bool one_refuse_ends(struct bytes stage)
{
    struct bytes value;

    return !dmp_find(stage, "one_refuse_ends", &value) || dmp_is_true(stage, "one_refuse_ends");
}

/* Somebody whom a waiver let vote that was taken back (rounds.c) is gone as far as the round goes. */
static bool is_barred(struct bytes round, struct bytes person)
{
    struct bytes barred, number;

    return dmp_find(round, "barred", &barred) && dmp_find_key(barred, person, &number);
}

static void add_person(const struct ballot *ballot, struct bytes stage, struct bytes person,
                       struct tally *tally)
{
    struct bytes vote = vote_of_person(ballot->round, person);
    int64_t weight = weight_of(stage, person);
    bool has_veto = in_list(stage, "veto", person);

    tally->asked += weight;
    if (vote.len == 0 && (person_has_left(ballot->rows, person, ballot->now_ms) ||
                          is_barred(ballot->round, person))) {
        tally->abstained += weight;
    } else if (bytes_are(vote, "grant") || (vote.len == 0 && ballot->silence_grants)) {
        tally->granted += weight;
        tally->groups |= groups_of(stage, person);
    } else if (bytes_are(vote, "abstain")) {
        tally->abstained += weight;
    } else if (bytes_are(vote, "refuse")) {
        tally->refused += weight;
        tally->is_ended = tally->is_ended || has_veto || one_refuse_ends(stage);
    } else if (vote.len == 0) {
        tally->open += weight;
        tally->has_open_veto = tally->has_open_veto || has_veto;
    } else {
        tally->is_ended = true;
    }
}

bool ballot_stage_is_granted(const struct ballot *ballot, struct bytes stage,
                             struct ballot_count *count)
{
    struct bytes ask, person, counting = bytes_text("need"), closing = {NULL, 0}, tie = {NULL, 0};
    struct bytes value;
    uint64_t groups = dmp_count(stage, "require");
    uint64_t every = groups < 64 ? (UINT64_C(1) << groups) - 1 : UINT64_MAX;
    struct tally tally = {0};
    int64_t need = 1, percent = 0, share, against;
    struct dmp_list list;

    if (!dmp_find(stage, "ask", &ask))
        return false;
    list = dmp_list(ask);
    while (dmp_list_next(&list, &value))
        if (dmp_text(value, &person))
            add_person(ballot, stage, person, &tally);
    dmp_find_int(stage, "need", &need);
    dmp_find_int(stage, "percent", &percent);
    dmp_find_str(stage, "counting", &counting);
    dmp_find_str(stage, "closing", &closing);
    dmp_find_str(stage, "on_tie", &tie);
    share = bytes_are(counting, "all") ? tally.asked - tally.abstained
            : bytes_are(counting, "percent")
                ? ((tally.asked - tally.abstained) * percent + 99) / 100
                : need;
    count->needed = share > need ? share : need;
    count->granted = tally.granted;
    against = tally.refused + tally.open;
    if (tally.is_ended || tally.has_open_veto || tally.granted < count->needed || need < 1 ||
        (tally.groups & every) != every || (bytes_are(closing, "all") && tally.open > 0))
        return false;
    return !bytes_are(counting, "majority") || tally.granted > against ||
           (tally.granted == against && tally.open == 0 && bytes_are(tie, "grant"));
}

bool ballot_is_granted(const struct ballot *ballot, struct ballot_count *count)
{
    struct bytes stages, stage;
    struct dmp_list list;
    bool has_stage = false;

    *count = (struct ballot_count){0};
    if (!dmp_find(ballot->round, "stages", &stages))
        return ballot_stage_is_granted(ballot, ballot->round, count);
    list = dmp_list(stages);
    while (dmp_list_next(&list, &stage)) {
        has_stage = true;
        if (!dmp_find_str(stage, "name", &count->stage))
            count->stage = bytes_text("?");
        if (!ballot_stage_is_granted(ballot, stage, count))
            return false;
    }
    return has_stage;
}
