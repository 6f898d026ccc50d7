/* model.h - a compiled, checked pack: what the workflow language means once its text has been read.
 *
 * The definition floor builds these from the files of workflows/ (see workflows/README.md for the
 * grammar); the core only reads them. A pack never changes after it was built. Everything in it lives in the pack's
 * arena and is freed with it. Names are NUL-terminated UTF-8; indices are into the arrays of the same pack.
 */
#ifndef ROTA_CORE_MODEL_H
#define ROTA_CORE_MODEL_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/value.h"
#include "core/expr.h"

enum {
    MODEL_NONE = -1,
    KINDS_MAX = 256,
    FIELDS_MAX = 256,
    COLUMNS_MAX = 32,
    STATES_MAX = 64,
    TRANSITIONS_MAX = 256,
    WORDS_MAX = 32,
    RULES_MAX = 512,
    PROCESSES_MAX = 64,
    KPIS_MAX = 16,
    STEPS_MAX = 16,
    APPROVAL_STAGES_MAX = 8
};

struct words { /* a list of names, as written */
    const char **at;
    int count;
};

struct where { /* where it stands in the text, for messages */
    const char *file;
    int line;
};

/* A span of time as people say it: months and days are calendar steps in the organisation's time zone, `ms`
 * is exact. "12 months", "-30 days", "5 working days", "2 hours". Months first, then days. */
struct span {
    int months, days;
    bool working; /* the days are working days */
    int64_t ms;
};

enum stage {
    STAGE_DRAFT,
    STAGE_APPROVED,
    STAGE_IN_FORCE,
    STAGE_UNDER_REVIEW,
    STAGE_CHANGED,
    STAGE_CLOSED
};
enum pdca { PDCA_PLAN, PDCA_DO, PDCA_CHECK, PDCA_ACT };
const char *stage_name(enum stage stage);
const char *pdca_name(enum pdca pdca);

enum field_type {
    FIELD_TEXT,     /* str of at most 1024 bytes; erasable: a content reference */
    FIELD_LONGTEXT, /* str of at most 1024 bytes, or a content reference */
    FIELD_INT,      /* int */
    FIELD_BOOL,     /* bool */
    FIELD_ENUM,     /* str, one of `of` */
    FIELD_DATE,     /* str YYYY-MM-DD */
    FIELD_DATETIME, /* int, ms since the epoch, UTC */
    FIELD_DURATION, /* str, a span as people say it */
    FIELD_PERSON,   /* str, a name of the directory */
    FIELD_GROUP,    /* str, a role of the pack */
    FIELD_REF,      /* str, a record id */
    FIELD_FILE,     /* content reference with name and type */
    FIELD_TABLE     /* array of maps, or a content reference to DMP of it */
};

struct field {
    const char *name, *title; /* title: for pages; NULL: the name with blanks */
    enum field_type type;
    bool list; /* an array of `type`: enum[], person[], ref[], text[], group[], file[] */
    bool
        required; /* must be there when the record leaves editing (submit, or the first transition) */
    bool computed;    /* set by the engine or a `set`; never by a person */
    bool is_signed;   /* computed, and part of the content all the same: who signs answers for it */
    bool secret;      /* personal data: shown by right only */
    bool erasable;    /* never literally in an entry: the value is a content, however short */
    struct words of;  /* enum: the allowed values; ref: the allowed kinds (empty: any) */
    int64_t min, max; /* int: bounds; text: characters; table: rows. 0,0: none */
    struct field *columns; /* table */
    int column_count;
    struct expr *required_if; /* or NULL */
    struct value preset;      /* default; VALUE_NIL: none */
    struct where where;
};

struct state {
    const char *name, *title;
    enum stage stage;
    enum pdca pdca;
    bool is_valid;            /* the version in this state is the one that counts */
    bool is_closed;           /* an end: no duties left */
    struct words edit;        /* who may change fields here; empty: nobody */
    struct words edit_fields; /* which; empty with `edit`: all that are not computed */
    struct where where;
};

enum vote { VOTE_NONE, VOTE_GRANT, VOTE_REFUSE, VOTE_RETURN, VOTE_ABSTAIN };
const char *vote_name(enum vote vote);

struct setting { /* field = expression, computed inside the transition */
    const char *field;
    struct expr *value;
};

struct task_plan { /* work asked of a service when a transition happens */
    const char *name;
    const char *service;
    struct expr *
        each; /* a list or table: one task an element (bound to `row`, and its number to `n`); NULL: one task */
    struct setting *input;
    int input_count;
    int attempts;                     /* 0: 5 */
    int64_t retry_ms;                 /* first pause; 0: 2 s */
    int64_t lease_ms, max_run_ms;     /* 0: the service's */
    struct expr *when;                /* or NULL: always */
    const char *on_done, *on_failure; /* event signalled to the record by the system; NULL: none */
    bool delivery; /* the outcome becomes a row <record>/delivery/<n> {to, state, at, note} */
    struct where where;
};

struct notice {          /* somebody is told */
    struct words to;     /* addressees */
    const char *message; /* template; NULL: the one named after the event, else `default` */
};

struct transition {
    const char *event, *title;
    bool from[STATES_MAX]; /* by state index; none set: this event creates the record */
    bool creates;
    int to;             /* state index */
    struct words by;    /* who may */
    struct words apart; /* people who may not: addressees, or "did:EVENT" (separation of duties) */
    const char *apart_rule; /* SOD-1 ..., for the message */
    struct expr *when;      /* guard */
    const char *says;       /* sentence when the guard does not hold; NULL: the guard's text */
    bool reason;            /* a reason must be given */
    const char *meaning;    /* signed with this meaning; NULL: not signed */
    const char *statement;  /* the sentence shown and signed; NULL: the pack's for the meaning */
    bool opens_round;
    enum vote
        vote; /* this event is a vote of the open round; grant's `to` is where the round leads */
    bool automatic; /* the engine does it by itself as soon as `when` holds */
    bool
        supersedes; /* moves the predecessor of this document out (its `supersede` event) in the same run */
    bool makes_successor; /* opens the next version as a draft */
    bool drops_successor; /* withdraws that draft */
    bool needs_fields;    /* required fields are checked */
    bool reviewed;        /* moves next_review_due one period on */
    bool erases; /* the record's texts, files and tables are erased, once its retention has ended */
    struct setting *set;
    int set_count;
    struct task_plan *tasks;
    int task_count;
    struct notice *tell;
    int tell_count;
    struct where where;
};

struct timer_step {
    struct span after; /* relative to the timer's start; may be negative */
    int percent; /* instead: how much of the way from the start to `until`; 0: `after` counts */
    const char *event;  /* signalled by the system; NULL: none */
    struct notice tell; /* to.count 0: nobody */
};

struct timer {
    const char *name;
    bool in[STATES_MAX]; /* armed while in one of these states */
    enum { TIMER_FIELD, TIMER_STATE, TIMER_ROUND } from;
    const char
        *field; /* TIMER_FIELD: a date (00:00 in the organisation's zone) or datetime field */
    const char *until; /* where 100 percent of the way is: a date or datetime field; or NULL */
    struct timer_step *steps;
    int step_count;
    struct span every; /* repeats; all zero: once */
    struct where where;
};

struct need { /* what must hold before an event: a condition, or that people are kept apart */
    struct words before;        /* events */
    struct expr *when;          /* NULL: `people` */
    struct words people, apart; /* none of the first may be one of the second */
    const char *rule;           /* of separation, for the message; or NULL */
    const char *says;           /* NULL with `people`: the names and the rule speak */
    struct where where;
};

/* How the votes of a stage are counted; ballot.h says exactly. Everyone weighs 1 who is given no other weight. */
enum counting {
    COUNT_NEED,    /* grants that weigh `need` */
    COUNT_ALL,     /* everyone who does not abstain */
    COUNT_PERCENT, /* a share of those who do not abstain, and at least `need` */
    COUNT_MAJORITY /* more for than against, and at least `need` */
};

struct weight {
    const char *who;
    int weight; /* 1 or more */
};

struct approval_stage {
    const char *name; /* "approval" in the short form */
    uint32_t after;   /* bit i: begins when stage i is granted; 0: begins at once */
    struct expr
        *when; /* or NULL: a stage whose condition does not hold when the round opens is left out */
    struct words ask;     /* roles or addressees: everyone they resolve to is asked */
    struct words veto;    /* a refusal of one of these ends the round */
    struct words require; /* each word: one of those it means must grant */
    enum counting counting;
    struct expr *need; /* int; NULL with COUNT_ALL: 1 */
    int percent;       /* COUNT_PERCENT: 1 to 100 */
    struct weight *weights;
    int weight_count;
    bool waits_for_all;   /* counted when everyone has voted, not as soon as it is decided */
    bool one_refuse_ends; /* default true where `need` or "all" is counted at once */
    const char *meaning;
    struct where where;
};

struct approval {
    struct approval_stage *stages; /* each after those that it names; the short form is one */
    int stage_count;
    struct words apart; /* default: those who edited ("editors") */
    const char **
        apart_rules; /* of each of those words: the rule that it stands for; NULL, or NULL there: SOD-1 */
    struct span expires; /* all zero: never */
    enum vote on_expiry; /* VOTE_NONE: the round is void and the record can be edited again */
    enum vote on_tie;    /* of COUNT_MAJORITY */
    struct where where;
};

struct lifecycle {
    const char *name, *title;
    bool versioned; /* document: ids carry @version, one version is valid */
    struct state *states;
    int state_count;
    struct transition *transitions;
    int transition_count;
    struct timer *timers;
    int timer_count;
    struct where where;
};

struct kind {
    const char *name, *code, *prefix, *title, *clause, *brief, *retention, *confidentiality;
    struct words clauses; /* clause numbers it proves */
    struct lifecycle
        *lifecycle;     /* the kind's own copy, with the kind's changes to transitions folded in */
    struct words owner; /* role or addressee: the default owner is its first holder */
    struct words
        create; /* who may create: copied to the creating transition's `by` when that is empty */
    struct approval *approval; /* or NULL */
    struct span review_every;  /* all zero: none; field next_review_due */
    struct words audience;
    struct words
        kept_while; /* its fields of type person or ref: not erased before what they name has left or closed */
    struct field *fields;
    int field_count;
    struct need *needs;
    int need_count;
    struct words
        acknowledge; /* who is asked to acknowledge while in a state of stage in_force/under_review; empty: none */
    struct where where;
};

/* when KIND.EVENT happens, if a condition holds: start a record of a kind, or signal an event to one. */
struct rule {
    const char *name; /* I4.1 */
    int kind;         /* index of the watched kind */
    const char *event;
    struct expr *when;  /* or NULL */
    struct expr *each;  /* once an element, bound to `row`; or NULL */
    int starts;         /* kind index, or MODEL_NONE */
    struct expr *title; /* of the started record; NULL: the watched record's */
    struct setting *set;
    int set_count;
    struct expr *signal_to; /* record id or list of ids; NULL if it starts */
    const char *signal;     /* event */
    struct expr *once;      /* text key; NULL: the watched record's id */
    struct setting *
        due; /* names of date fields of the started record -> span text constant as expression of a date */
    int due_count;
    struct notice tell;
    bool gate; /* the watched record's `gate_event` waits until the started record is closed */
    const char *gate_event;
    struct where where;
};

/* A figure by which a process is judged, computed when it is asked for. */
struct kpi {
    const char *name, *target;
    struct expr *value; /* of the run of the process; NULL: people fill it in */
    struct where where;
};

/* A process of the management system (clause 4.4). Each cycle of it is a record of a kind that has a field `process`,
 * an enum of these ids: such a record says `process` in its conditions and `process.owner` and so on where people are
 * named. */
struct process {
    const char *id; /* P1 */
    enum pdca phase;
    const char *title, *brief, *clause, *output, *retention;
    struct words owner, approves, tell; /* roles */
    struct words inputs;                /* what it begins from, for people */
    struct words runs;                  /* kinds of records that it makes */
    struct words triggers;              /* ids of processes whose next cycle its end opens */
    struct span every;                  /* its cadence; all zero: only on occasion */
    const char *occasion;               /* when else, for people; NULL: never */
    struct kpi *kpis;
    int kpi_count;
    struct where where;
};

struct message {
    const char *name, *language;
    const char *subject, *body; /* {{field}} names of the scope are filled in and escaped */
};

struct role {
    const char *name, *title, *clause;
};

struct meaning {
    const char *name,
        *statement; /* approved: "I approve {{title}} ..." with {{record}} {{version}} {{title}} {{digest}} */
};

/* How long records are kept: so long from when they closed, or from when they were opened. */
struct retention {
    const char *name, *says;
    struct span keeps;
    bool from_opening;
};

struct separation { /* a rule of separation of duties */
    const char *name, *says;
    struct words
        conflict; /* roles that nobody may hold together; empty: the rule is enforced by `apart` alone */
};

struct calendar {
    bool working[7];         /* Monday first */
    const int32_t *holidays; /* days since the epoch, ascending */
    int holiday_count;
    struct zone *zone; /* base/date.h */
};

struct pack {
    uint8_t digest[HASH_LEN];
    const char *name, *version;
    struct kind *kinds;
    int kind_count;
    struct rule *rules;
    int rule_count;
    struct role *roles;
    int role_count;
    struct process *processes;
    int process_count;
    struct message *messages;
    int message_count;
    struct meaning *meanings;
    int meaning_count;
    struct separation *separation;
    int separation_count;
    struct retention *retention;
    int retention_count;
    struct calendar calendar;
    struct words migrate_by;     /* roles that may move records to this pack */
    const char *migrate_meaning; /* what they sign it with; NULL: it is not signed */
    struct value files;          /* array of {path: str, hash: bin32}: what the digest is over */
    struct arena arena;
};

void pack_free(struct pack **pack);
const struct kind *pack_kind(const struct pack *pack, struct slice name);
const struct kind *pack_prefix(const struct pack *pack, struct slice prefix);
const struct role *pack_role(const struct pack *pack, struct slice name);
const struct message *pack_message(const struct pack *pack, const char *name);
const struct meaning *pack_meaning(const struct pack *pack, const char *name);
const struct retention *pack_retention(const struct pack *pack, const char *name); /* or NULL */
const struct process *pack_process(const struct pack *pack, struct slice id);
/* Is a record of this kind a cycle of a process: has it the enum field `process`? */
bool kind_is_run(const struct kind *kind);
const struct state *kind_state(const struct kind *kind, struct slice name);
int kind_state_index(const struct kind *kind, struct slice name); /* MODEL_NONE if unknown */
const struct field *kind_field(const struct kind *kind, struct slice name);
/* Is what it holds part of the content, which the record's digest covers and people sign? What the engine keeps is not. */
bool field_is_content(const struct field *field);
/* The row that answers `event` in a state (index); creating rows answer with state MODEL_NONE. */
const struct transition *kind_transition(const struct kind *kind, int state, struct slice event);
bool words_have(const struct words *words, struct slice word);

#endif
