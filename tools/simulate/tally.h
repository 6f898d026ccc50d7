/* tally.h - what is counted while years pass: for the summary, the chart, and tests. */
#ifndef ROTA_SIMULATE_TALLY_H
#define ROTA_SIMULATE_TALLY_H

#include "base/arena.h"
#include "base/date.h"
#include "base/value.h"

struct load { /* of one person in one month */
    int deeds, notices, signatures;
};

struct tally_person {
    const char *name, *title;
    struct load *months; /* month_count of them */
    struct load total;
};

struct tally_document { /* all versions of one document */
    const char *id, *title;
    int versions, reviews_opened, reaffirmed, changed, missed;
    int overdue_days;
};

struct tally_state { /* at the end */
    const char *kind, *state;
    bool is_closed;
    int count;
};

struct tally_text {
    const char *text;
    int count;
};

struct tally {
    struct arena arena;
    const char *name;
    int64_t seed;
    int32_t first_day, last_day; /* local dates */
    int month_count, day_count;
    struct tally_person *people;
    struct tally_document *documents;
    struct tally_state *states;
    struct tally_text
        *gates; /* "FND-0001 close waits for CAR-0001": days it was held, tried in vain */
    struct tally_text
        *stuck;   /* at the end: "CAR-0001 in analysing, submit_plan: ...", times it was tried */
    int *overdue; /* records past a date of theirs, at the end of each day */
    int person_count, document_count, state_count, gate_count, stuck_count;
    int records, leaves, runs, reviews_opened, reviews_done, reminders, escalations, notices;
    int approvals_asked, votes, signatures, refusals, overdue_began, overdue_days;
    int tasks_done, attempts_failed, tasks_parked, gates_held, gates_passed, most_overdue;
};

/* Which month of the tally a date is in. */
int tally_month(const struct tally *tally, int32_t date);
/* "2027-03" of a month. */
void tally_month_name(const struct tally *tally, int month, char out[8]);

void tally_begin(struct tally *tally, int32_t first_day, int32_t last_day);
struct tally_person *tally_person(struct tally *tally, const char *name); /* NULL: none of them */
void tally_add_person(struct tally *tally, const char *name, const char *title);
struct tally_document *tally_document(struct tally *tally, struct slice base, const char *title);
void tally_add_state(struct tally *tally, const char *kind, const char *state, bool is_closed);
void tally_add_stuck(struct tally *tally, const char *text, int count);
void tally_hold_gate(struct tally *tally, const char *text);
void tally_release(struct tally *tally);

#endif
