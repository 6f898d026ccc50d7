/* core.h - the deterministic heart: decide what a command does, fold what was decided.
 *
 * No clock, file, socket, random number or log: time, identity and numbers come in with the question. The same
 * questions in the same order give the same leaves, byte for byte.
 *
 *     core_decide()  question -> a run of leaves in the draft, or a refusal; the state is unchanged
 *     core_keep()    the draft becomes the state; says which rows to store and what follows
 *     core_drop()    as if it had not been asked
 *     core_fold()    a leaf of the journal -> the state (recovery, replay)
 *
 * Promises:
 *   1. Permission is decided in one function (authority.h) and nowhere else, for every question.
 *   2. What a run changes is exactly what its leaves' effects say.
 *   3. A refusal changes nothing. One that a rule made has its own run (refusal.*), when `run.leaf_count` is not 0; or
 *      there were too many in that hour, and whoever asks counts it (`run.is_beyond`, QUESTION_COUNTED).
 *   4. Nothing that follows is left out: what cannot be done becomes a parked task, in a run of its own (task.parked).
 */
#ifndef ROTA_CORE_CORE_H
#define ROTA_CORE_CORE_H

#include "core/leaf.h"
#include "core/model.h"
#include "core/state.h"

struct core;

enum {
    RUN_LEAVES_MAX = 256,  /* leaves a command may cause */
    RUN_FOLLOW_MAX = 1024, /* questions that may follow from one */
    FOLLOW_DEPTH_MAX = 16, /* from one another */
    RECORD_ID_MAX = 30,    /* PREFIX-NUMBER@VERSION */
    QUESTION_SALT_LEN = 32,
    NAME_MAX_LEN = 64
};

struct core *core_new(const struct shelf *shelf);
void core_free(struct core **core);

/* Takes a compiled pack. Every pack that a record names must have been given before the record is touched. */
void core_use_pack(struct core *core, struct pack **pack);
/* Gives up a pack that was given and then not installed. */
void core_forget_pack(struct core *core, struct slice digest);
const struct pack *core_pack(const struct core *core, struct slice digest); /* NULL if not given */
const struct pack *core_current_pack(struct core *core); /* by row `pack`; NULL if none */
struct state *core_state(struct core *core);
void core_forget(struct core *core); /* what is in memory is read again from the shelf */

enum question_kind {
    QUESTION_COMMAND, /* of a principal */
    QUESTION_SETTLE,  /* a worker's result, or the loss of a lease that counts */
    QUESTION_WAKE,    /* a row is due */
    QUESTION_FOLLOW,  /* what an earlier run left to be done */
    QUESTION_READ, /* an external auditor is about to be answered: the query `command` about `record`; with `note`, the code
                      by which it is refused */
    QUESTION_COUNTED /* refusals beyond those of the hour, as they were counted (run.is_beyond): `args` {person, from_ms,
                        until_ms, count, of: [{command, code, count} ...]} */
};

struct question {
    enum question_kind kind;
    uint64_t seq;   /* of the first leaf that it would make: the journal's size */
    int64_t now_us; /* never less than in the leaf before */
    struct slice principal, auth_method, auth_key;
    struct slice id; /* the command's id; a lease token for QUESTION_SETTLE */
    /* QUESTION_COMMAND */
    struct slice command, record;
    int64_t if_revision;       /* -1: not given */
    struct slice on_behalf_of; /* whose name the principal uses without the right to it; or empty */
    const struct value *args;
    struct slice signature; /* 64 bytes or empty */
    /* QUESTION_SETTLE */
    int64_t task;
    int attempt;
    int status;                 /* as workers answer; 0: the lease was lost */
    const struct value *output; /* map or NULL */
    struct slice note;          /* why it failed; QUESTION_READ: the code, or empty */
    int64_t retry_ms, until_ms;
    /* QUESTION_WAKE */
    struct slice key; /* of the row */
    /* QUESTION_FOLLOW */
    const struct value *follow; /* from run.follows */
    /* QUESTION_SALT_LEN bytes that nobody can guess: the salts of contents that core itself puts away come from them. */
    struct slice salt;
};

/* As `event` of a question that follows, with `count`: so many were not asked, for there were too many in all. */
#define FOLLOW_BEYOND "follow.beyond"

struct refusal {
    int status;           /* 400, 403, 404, 409, 413, 422 ... */
    const char *code;     /* not-allowed, separation-of-duties, ... */
    const char *sentence; /* for a person; memory of the draft */
    const char *rule;     /* of separation of duties, that stood against it (SOD-4); or NULL */
};

struct run_leaf {
    struct slice bytes;
    struct slice record; /* what it concerns, or empty */
    struct leaf leaf;    /* what the bytes say; memory of the draft and of the question */
};

struct run { /* lent until the next core_decide(), core_fold() or read of the state */
    bool is_refused;
    bool is_beyond; /* a refusal to be counted: it has no leaf */
    struct refusal refusal;
    uint8_t command_id[COMMAND_ID_LEN];
    struct run_leaf *leaves;
    int leaf_count;
    struct value reply;     /* map: out of the reply */
    struct value follows;   /* array: ask each as QUESTION_FOLLOW, in order, in the same batch */
    struct value offers;    /* array of ints: tasks that are ready to be given out */
    struct value withdrawn; /* array of ints: tasks that are no more */
    struct value
        contents; /* array of {hash, salt, data}: to be stored with this run's leaves, before its rows */
    struct value erased; /* array of hashes: contents to be taken away, with this run's leaves */
    bool people_changed; /* principals or their rights changed */
};

/* Decides. The run says what came of it. Gives 0, or -1 when the shelf failed (nothing is decided). */
int core_decide(struct core *core, const struct question *question, struct run *run);

void core_keep(struct core *core, state_changed_fn *changed, void *self);
void core_drop(struct core *core);

/* The reply to a command, from the leaves of its run (first leaf first): the same for the first answer and
 * for a repetition. Memory of `arena`, nothing of it is lent by the leaves. */
struct value core_reply(struct arena *arena, const struct run_leaf *leaves, int count);

/* Folds one leaf of the journal (decoded), keeping it at once. */
void core_fold(struct core *core, const struct leaf *leaf, state_changed_fn *changed, void *self);

/* A task as it is given to a worker: {task, attempt (of the next run), service, kind, record, revision, key, by, due,
 * priority, lease_ms, max_run_ms, not_before_ms, state, input}. False if there is no such task. Memory of the draft. */
bool core_task(struct core *core, int64_t task, struct value *out);

/* When this row next wants to be woken (ms), or -1. */
int64_t core_due(const struct value *row);

/* Is this a repetition of the command in `leaf` (the first of the run with the same command id)? */
bool core_is_same_command(const struct question *question, const struct leaf *leaf);

#endif
