/* inside.h - what the parts of a simulation share; nobody outside this folder includes it.
 *
 *     simulate.c   founding, the loop over what is due, the end
 *     records.c    what is known of each record, from the rows that are kept
 *     people.c     who there is, with which key, and when they are at work
 *     agenda.c     who means to do what, and when
 *     policy.c     what somebody would do with a record, how likely and how soon
 *     act.c        they do it: ask whether they may, fill in what is missing, sign
 *     fill.c       what is written into fields
 *     workers.c    programs take tasks, succeed, fail, are away
 *     witness.c    leaves become lines and counts
 *     oracle.c     what must hold, checked without the core's help
 */
#ifndef ROTA_SIMULATE_INSIDE_H
#define ROTA_SIMULATE_INSIDE_H

#include "core/span.h"
#include "simulate/chance.h"
#include "simulate/house.h"
#include "simulate/simulate.h"

#define OPERATOR "operator" /* who enters people into the directory, and looks at records */

enum {
    TIMERS_SHOWN_MAX = 64,
    HABITS_MAX = 16,
    DAY_BEGINS_MINUTES = 9 * 60,
    DAY_ENDS_MINUTES = 17 * 60,
    MINUTE_MS = 60000,
    SECOND_MS = 1000
};

/* ---- records.c ---- */

struct known_timer {
    const struct timer *timer; /* of the kind; NULL: of the round */
    int64_t due_ms, start_ms;
    int64_t armed_ms; /* when it was set to this start */
};

struct known {
    const char *id, *title, *owner;
    int index;
    const struct kind *kind;
    int state; /* index */
    bool is_closed, is_valid, is_changed;
    int64_t entered_ms, round;
    struct known_timer timers[TIMERS_SHOWN_MAX];
    int timer_count;
    uint64_t situation; /* one more with each state and round: what was meant for another is void */
    uint64_t planned;   /* the situation that was last looked at */
    bool is_overdue, is_in_review;
    int tries; /* how often a step was looked for in this situation */
    /* Steps that people took by habit since something else moved or reminded them: none is taken twice, so that a round
     * that a workflow allows (test, pass, test ...) is gone once and not every week. */
    const char *habits[HABITS_MAX];
    int habit_count;
    bool is_reminded;  /* since the last step: also one that stays in its state will do */
    const char *stuck; /* what stood in the way the last time, or NULL */
};

struct gate { /* an event of one record waits until another is closed */
    const char *parent, *child, *event;
};

struct document { /* all versions of one */
    const char *base;
    int valid; /* versions that are */
    bool had, is_changed, is_given_up;
};

/* ---- people.c ---- */

struct person {
    const struct person_entry *entry;
    uint8_t seed[SIGN_SEED_LEN], key[SIGN_KEY_LEN];
    int64_t joins_ms, leaves_ms;
};

/* ---- agenda.c ---- */

enum errand { ERRAND_STEP, ERRAND_VOTE, ERRAND_ACK, ERRAND_REDRIVE, ERRAND_TASK, ERRAND_SCRIPT };

struct item {
    int64_t at_ms;
    uint64_t order; /* among those of one moment: the first that was meant */
    enum errand errand;
    int record;         /* index, or -1 */
    const char *who;    /* of a vote, an acknowledgement */
    const char *event;  /* of a step */
    uint64_t situation; /* of the record when it was meant */
    int64_t number;     /* task, or index in the scenario */
    bool is_forgotten;  /* waits for a reminder */
    bool is_void;
};

struct agenda {
    struct item *items; /* heap, earliest first; owned */
    size_t count, cap;
    uint64_t order;
};

struct simulation {
    struct scenario *scenario;
    const struct simulation_view *view;
    struct tally *tally;
    struct house house;
    const struct pack *pack; /* lent by the core */
    struct arena arena;      /* as long as the simulation */
    struct arena scratch;    /* one errand */
    struct known **records;  /* in the order of their opening */
    int record_count;
    struct map by_id; /* -> struct known */
    struct person *people;
    int person_count;
    struct agenda agenda;
    int64_t ids;
    int32_t today;
    struct arena offer_arena;
    struct value offers; /* array of ints: tasks that were offered since they were last taken up */
    struct value parked; /* the same: tasks that are parked */
    struct value asked;  /* array of [record, person]: who was asked for a signature */
    struct map asked_once;
    /* What the oracle knows. */
    struct gate *gates;
    const struct gate **passed; /* by the run that is looked at */
    int gate_count, passed_count;
    struct document *documents;
    int document_count;
    struct map votes;   /* "<record>/round/<n>/<person>" of a grant -> something */
    struct map granted; /* record -> something */
    int64_t fired_seq;  /* of the last timer that fired */
    struct error *err;
    bool
        is_trying; /* somebody gives a field with an event to see whether it will do: a refusal is no news */
    bool is_broken; /* err says why */
};

/* Fails loudly: with the seed and the moment. Only the first breach is kept. */
void breach(struct simulation *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* records.c */
void records_changed(void *self, struct slice key, const struct value *row, struct slice bytes);
struct known *record_known(const struct simulation *sim, struct slice id); /* or NULL */
const struct state *known_state(const struct known *record);
void *sim_grow(struct arena *arena, void *items, int *count, size_t size);

/* people.c */
void people_begin(struct simulation *sim);
struct value people_args(struct simulation *sim, struct arena *arena); /* directory.install */
struct value person_args(struct simulation *sim, struct arena *arena, const struct person *person,
                         int64_t not_after_ms);
const struct person *person_named(const struct simulation *sim, struct slice name);
bool is_present(const struct simulation *sim, const char *name, int64_t ms);
bool is_away(const struct simulation *sim, const char *name, int64_t ms);
/* A moment in their working hours, at or after `ms`; minutes drawn when the day is another. -1: they have left. */
int64_t next_at_work(const struct simulation *sim, const char *name, int64_t ms,
                     struct chance *chance);

/* agenda.c */
void agenda_add(struct agenda *agenda, const struct item *item);
const struct item *agenda_first(struct agenda *agenda);
struct item agenda_take(struct agenda *agenda);
void agenda_release(struct agenda *agenda);

/* policy.c */
struct stance { /* what holds for one event, record and person */
    int weight, sure;
    struct delay after, again;
    const char *reason;
};
struct stance stance_of(const struct simulation *sim, const struct known *record, const char *event,
                        const char *who);
/* When somebody gets to it; `is_forgotten`: not before a reminder or the end of `again`. */
int64_t draw_moment(const struct simulation *sim, const struct stance *stance, const char *who,
                    struct chance *chance, bool *is_forgotten);
int64_t draw_again(const struct simulation *sim, const struct stance *stance, const char *who,
                   struct chance *chance);
/* Chooses among what could be done in the record's state; `not_these` were tried. NULL: nothing. */
const struct transition *choose_step(const struct simulation *sim, const struct known *record,
                                     const struct words *not_these, struct chance *chance);
void note_habit(const struct simulation *sim, struct known *record, const char *event);
void plan_changed(struct simulation *sim);              /* everything that changed is looked at */
void plan_reminded(struct simulation *sim, int record); /* what was forgotten is thought of again */

/* act.c */
void act(struct simulation *sim, const struct item *item);
/* One command of somebody. True if it was done; the answer is in scratch memory. */
bool give(struct simulation *sim, const char *who, const char *command, const char *record,
          const struct value *args, bool is_signed, struct house_answer *answer);
struct value reason_args(struct simulation *sim, const char *reason);

/* fill.c */
/* Fields that the step may need: 0 what the scenario says and what is required, 1 also what is required on a
 * condition or spoken of in one,
 * 2 also what the state asks for. Only fields that are empty, but the scenario's. */
struct value fill_fields(struct simulation *sim, const struct known *record, const char *event,
                         const char *who, int stage);
bool may_edit_field(const struct known *record, struct slice name);
/* Does a condition of the step speak of a field that may be edited now? */
bool speaks_of_a_field(const struct known *record, const char *event);
/* Fitted to the kind: long texts are kept as content, moments become numbers. */
struct value fit_fields(struct simulation *sim, const struct kind *kind,
                        const struct value *fields);

/* workers.c */
void workers_offered(struct simulation *sim); /* tasks of the last runs are taken up */
void workers_serve(struct simulation *sim, const struct item *item);

/* witness.c */
void witness_run(void *self, const struct question *question, const struct run *run);
void tell_event(struct simulation *sim, enum happened what, const char *record, const char *title,
                const char *who, const char *format, ...) __attribute__((format(printf, 6, 7)));
int64_t now_ms(const struct simulation *sim);
int32_t local_date(const struct simulation *sim, int64_t ms);

/* oracle.c */
/* Before the run is kept; `record` is what the leaf concerns, or NULL. */
void oracle_leaf(struct simulation *sim, struct arena *arena, const struct leaf *leaf,
                 const struct known *record);
void oracle_after(struct simulation *sim); /* between runs */
void oracle_day(struct simulation *sim);   /* all that is due has fired */
void oracle_valid(struct simulation *sim, const struct known *record, bool is);

#endif
