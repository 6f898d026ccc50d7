/* prove_inside.h - what the proofs share.
 *
 *     prove.c           which proofs there are
 *     prove_expr.c      what is known of an expression before there are data
 *     prove_guard.c     conditions that no record can meet, because of what its fields can hold
 *     prove_life.c      which rows can happen at all, and the graph of a kind's states
 *     prove_reach.c     every state is reached, every open one can be left for a closed one
 *     prove_round.c     nothing comes into force unapproved
 *     prove_timer.c     timers run, and somebody answers them
 *     prove_version.c   the next version can take the place of the one before
 *     prove_rule.c      rules that set each other off come to an end
 *     prove_gate.c      gates open; what is done once for each is told apart
 *     prove_message.c   messages name what the records have
 *     prove_people.c    the people there are suffice
 *     prove_need.c      what is asked for is asked at some time
 *     prove_clause.c    every clause has a kind that proves it
 */
#ifndef ROTA_DEFINITION_PROVE_INSIDE_H
#define ROTA_DEFINITION_PROVE_INSIDE_H

#include "definition/graph.h"
#include "definition/prove.h"

/* What can happen to records of one kind. */
struct life {
    bool is_born;             /* a record can come to be */
    bool is_started;          /* the engine may open one: a rule, a successor, an import */
    bool reached[STATES_MAX]; /* a record can come to this state */
    bool *
        never; /* by row and state (row * states + state): its condition is false whatever the data */
    bool *made;         /* by row: it can happen */
    bool *asked;        /* by row: a rule, a task or the engine itself may ask for it */
    struct graph graph; /* nodes: the states, and one more where records begin; via: the row */
    int *came;          /* graph_spread() from the beginning */
};

struct proof {
    const struct pack *pack;
    const struct people *people; /* NULL: not known */
    struct problems *problems;
    struct arena *arena;
    struct life *lives; /* by kind */
    bool *fires;        /* by rule: its event and its condition can happen */
    bool *signals;      /* by rule and kind: signals_of() */
    int kind;           /* index of the one being looked at */
};

/* ---- prove_expr.c ---- */
enum truth { MAYBE, NEVER, ALWAYS };

/* What a condition is, whatever the data: with state and event known where they are not NULL. */
enum truth truth_of(const struct expr *when, const char *state, const char *event);

/* Does it read this name of its scope? */
bool expr_reads(const struct expr *expr, const char *name);

/* Is what it gives made of records that may become more: links, or those of a kind? */
bool expr_grows(const struct expr *expr);

/* Does it read nothing at all: is it the same for every record, at any time? */
bool expr_is_fixed(const struct expr *expr);

/* The kinds whose records the rule may signal: by the fields, links and kinds that it names. */
void signal_kinds(const struct pack *pack, const struct rule *rule, bool kinds[KINDS_MAX]);

/* The numbers that an expression may give, if all of them can be told: count of them in `out`; else 0. */
enum { NUMBERS_MAX = 16 };
int numbers_of(const struct expr *expr, int64_t out[NUMBERS_MAX]);

/* Does it read a field of the record that `set` of a row changes? */
bool expr_reads_set(const struct expr *expr, const struct transition *row);

/* ---- prove_guard.c ---- */

/* Why no record of the kind (index) can ever meet the condition: a number out of a field's bounds, a computed field that
 * nothing sets. In the proof's arena; NULL: one may. */
const char *never_holds(const struct proof *proof, int kind, const struct expr *when);

/* Does the engine, a row or a rule ever set the field, or may people enter it? */
bool is_ever_filled(const struct proof *proof, int kind, const char *name);

/* ---- prove_life.c ---- */
void lives_find(struct proof *proof);
const struct kind *kind_of(const struct proof *proof);
const struct life *life_of(const struct proof *proof);

/* By kind: the rule may signal records of it. */
const bool *signals_of(const struct proof *proof, int rule);

/* Can the row happen to a record in this state (index)? */
bool can_happen(const struct proof *proof, int row, int state);

/* May somebody other than the engine make it? May the engine, when it is asked to? */
bool is_for_people(const struct words *by);
bool is_for_system(const struct transition *row);

/* The events of a way, as "create -> submit -> approve"; `via` are rows of the kind. In the proof's arena. */
const char *way_text(const struct proof *proof, const struct edge **way, int count);
/* The shortest way of the kind's records to a state. */
const char *way_to_state(const struct proof *proof, int state);

/* Reports about the kind that is being looked at. */
#define say_of_kind(proof, severity, where, ...)                                                   \
    problem_of_kind((proof)->problems, severity, where, kind_of(proof)->name, __VA_ARGS__)

/* ---- the proofs of a kind ---- */
void prove_reach(struct proof *proof);
void prove_round(struct proof *proof);
void prove_timers(struct proof *proof);
void prove_versions(struct proof *proof);
void prove_needs(struct proof *proof);

/* ---- the proofs of a pack ---- */
void prove_rules(struct proof *proof);
void prove_gates(struct proof *proof);
void prove_messages(struct proof *proof);
void prove_clauses(struct proof *proof);

#endif
