/* inside.h - what the parts of the core share; nothing outside this folder includes it.
 *
 *     decide.c      questions -> the part that answers
 *     run.c         a run being made: leaves, refusals, follow-ups
 *     follow.c      what follows is asked; what cannot be done waits for a person
 *     reference.c   the records that fields name
 *     hint.c        the name that was probably meant
 *     transition.c  a record changes state, and all that goes with it
 *     record.c      records are opened and edited
 *     round.c       approval rounds and votes
 *     bundle.c      documents that are approved together
 *     round_plan.c  who votes in which stage of a round
 *     task.c        tasks are made, settled, parked
 *     timer.c       when records want to be woken, and what happens then
 *     rule.c        interactions between kinds
 *     scope.c       what a condition sees
 *     directory.c   people and workers are installed
 *     pack.c        definitions are installed
 *     proposal.c    what takes a second person
 *     glass.c       an event without the role for it
 *     delegation.c  who stands in for whom
 *     waiver.c      rules of separation of duties that are waived
 *     change.c      what a version changes, in full and in short
 *     content.c     values that the engine puts away as contents
 *     erase.c       texts and files: whose they are, how long they are kept, their end
 *     migrate.c     a record moves to the definition that counts, and back
 *     handover.c    a record gets another owner
 *     import.c      the results of a tool enter an audit
 *     refused.c     what is written down although it changes nothing: refusals, what auditors read
 *     query*.c      what the state says, to somebody who asks
 */
#ifndef ROTA_CORE_INSIDE_H
#define ROTA_CORE_INSIDE_H

#include "base/date.h"
#include "core/authority.h"
#include "core/ballot.h"

enum { RECORD_TITLE_MAX = 256, INLINE_MAX = 1024 };

/* The longest streams there are: a vote, and what an external auditor read of a record. Names enter with the directory
 * (NAME_MAX_LEN), ids in record_create(). */
enum { ROUND_DIGITS_MAX = 10 };
_Static_assert(RECORD_ID_MAX + sizeof "/round/" - 1 + ROUND_DIGITS_MAX + 1 + NAME_MAX_LEN <=
                   LEAF_STREAM_MAX,
               "a vote has a stream");
_Static_assert(sizeof "read/" - 1 + NAME_MAX_LEN + 1 + RECORD_ID_MAX <= LEAF_STREAM_MAX,
               "a read has a stream");

struct directory; /* index over person rows */

struct apart { /* who is kept apart, and by which rule */
    const char *rule;
    struct slice person;
};

struct core {
    struct state *state;
    struct map packs;            /* digest -> struct pack, owned */
    struct directory *directory; /* NULL: to be read again */
    struct buf leaf_bytes;       /* of the run */
    struct run_leaf leaves[RUN_LEAVES_MAX];
    /* The run in the making. */
    struct run *run;
    const struct question *question;
    struct arena *arena; /* of the draft */
    int64_t now_ms;
    bool is_signature_checked; /* the question's, by check_signature() */
    bool has_too_many;         /* more would follow than RUN_FOLLOW_MAX */
    bool is_alone;          /* a timer whose consequences were refused: they follow by themselves */
    struct value streams;   /* streams this run has changed: key -> true */
    struct apart apart;     /* of the last rule of separation that stood against somebody */
    bool looks_back;        /* a word is asked for a rule of separation: who was owner counts too */
    struct value *waived;   /* gets what lets pass (waivers_used()); NULL: nobody asks */
    uint32_t contents_told; /* how many of the run's contents a leaf has named */
};

/* ---- run.c ---- */

/* Who a leaf is by, and what it is signed with. */
struct author {
    struct slice actor, method, key, signature;
    int64_t cause; /* seq or -1 */
};

struct author run_principal(const struct core *core); /* the question's own */
struct author run_engine(int64_t cause);              /* the engine, because of a leaf */

int run_refuse(struct core *core, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5))); /* gives -1 */
/* The same, 403 separation-of-duties, by this rule, which the refusal's entry names. */
int run_refuse_apart(struct core *core, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Encodes, folds and adds a leaf; fills in seq, time, rev, command id, content. `record` is what it concerns
 * (empty: none): the chain `^` is kept here. Gives the seq, or -1 with a refusal (too large, too many). */
int64_t run_leaf(struct core *core, const char *type, struct slice stream, struct slice record,
                 const struct author *author, const struct value *body, struct value *effects);

bool run_has_changed(const struct core *core, struct slice stream);
void run_offer(struct core *core, int64_t task);
void run_withdraw(struct core *core, int64_t task);
struct value *run_patch(struct core *core, struct value *effects, struct slice key);
int64_t run_next_number(struct core *core, struct value *effects, const char *counter);
struct slice keep_text(struct core *core, struct slice text); /* a copy in the draft */
struct slice textf(struct core *core, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- follow.c ---- */
#define FOLLOW_SERVICE                                                                             \
    "rota.follow" /* of the tasks that steps become which were refused; nobody serves it */
#define NEIGHBOURS "neighbours.try" /* what follows: args {after} */
#define NOBODY slice_of(NULL, 0)
void run_follow(struct core *core, struct slice record, const char *event, int64_t cause,
                const struct value *args, struct slice from);
/* What is left of a list that this step works on, or began. */
void run_follow_rest(struct core *core, struct slice record, const char *event, int64_t cause,
                     const struct value *args);
int check_follows(struct core *core); /* refuses a run from which too much would follow */
/* Most records have nothing automatic where they are, and nobody waits for them: they are not asked in a run of their own
 * only to say so. Whatever gives such a record another state or a link leaves a question about it of its own. */
void follows_drop_idle(struct core *core);
int answer_follow(struct core *core, const struct question *question);
/* The step was refused, as `run` says: a leaf parks it. */
void follow_park(struct core *core, const struct question *question, struct run *run);
bool follow_is_kept(const struct value *row); /* can the step of such a task be asked again? */
int follow_again(struct core *core, const struct value *row);
void follow_unmark(struct core *core, const struct value *row, struct value *effects);

/* ---- record.c ---- */
int subject_of(struct core *core, struct slice record, struct subject *out); /* or refuses 404 */
bool subject_find(struct core *core, struct slice record, struct subject *out);
struct slice record_version(struct slice id); /* after '@', or empty */
struct slice record_base(struct slice id);    /* before '@' */
const struct value *record_field(const struct subject *subject, const char *name);
void record_digest(struct core *core, struct slice id, const struct kind *kind, struct slice title,
                   const struct value *fields, struct slice pack, uint8_t out[HASH_LEN]);
/* The digest of the record's row as it will be, into the patch of it, if that is another one. */
void record_put_digest(struct core *core, const struct subject *subject, const struct value *after,
                       struct value *own);
/* Refuses a value that its field cannot hold: one of another type, somebody who is not there, a record that does not
 * exist. */
int record_check_fields(struct core *core, const struct kind *kind, const struct value *fields,
                        bool by_person);
/* Refuses what can be erased and stands there literally: that would be in the entry for ever. */
int record_check_put_up(struct core *core, const struct kind *kind, const struct value *fields);
/* The required fields, where the transition asks for them, and whatever `needs` stand before its event. */
int record_check_complete(struct core *core, const struct subject *subject,
                          const struct transition *transition);
int record_open(struct core *core, const struct question *question);
/* Opens a record of `kind` by the engine or a person; gives its id. `links` is an array of [type, id]. */
int record_create(struct core *core, const struct kind *kind, const struct author *author,
                  const struct value *body, struct slice id, struct slice title,
                  const struct value *fields, const struct value *links, const struct value *extra,
                  struct slice via, struct value *more_effects);
/* Both ends know each other: patches into `own` (of `id`) and `effects` (of `other`). */
void record_link(struct core *core, struct slice id, struct slice other, const char *as,
                 const char *back, struct value *own, struct value *effects);
struct slice record_new_id(struct core *core, const struct kind *kind, struct value *effects);
int record_edit(struct core *core, const struct question *question);
/* Who edited this version is kept: they cannot approve it. May be asked several times for one `own`. */
void put_editor(struct core *core, const struct subject *subject, struct slice actor,
                struct value *own);
/* On which day each person last did something to the record: independence over a period asks for it. */
void put_act(struct core *core, const struct subject *subject, struct slice actor,
             struct value *own);

/* ---- content.c ---- */
bool is_content_ref(const struct value *value);
/* Nothing, an empty text or list, or a content of no bytes. */
bool is_empty_value(const struct value *value);
/* The value as its field keeps it: what is erasable or too long for an entry becomes a content of this run. */
struct value kept_away(struct core *core, const struct field *field, struct value value);
void fields_keep_away(struct core *core, const struct kind *kind, struct value *fields);
bool field_has_files(const struct field *table);
/* The contents in the cells of a table, each once, as {content, size}: a table that is put away has this list beside its
 * hash under `holds`, so that a leaf names all that it holds. */
struct value table_holds(struct arena *arena, const struct value *rows);
/* The leaf that names what the leaf `cause` of this stream has put away. */
int contents_tell(struct core *core, struct slice stream, struct slice record, int64_t cause);

/* ---- reference.c ---- */
/* Refuses an id of no record, or of one of a kind that the field does not take. A document may be named without a
 * version. */
int record_check_reference(struct core *core, const struct field *field, struct slice id);
/* How a sentence about an id that is none ends: ". ", or with the nearest one, of a kind that the field takes (NULL: of
 * any). */
const char *record_hint(struct core *core, struct slice id, const struct field *field);

/* ---- hint.c ---- */
/* "; did you mean 'x'?", or "" if nothing is near. */
const char *person_hint(struct core *core, struct slice name);
const char *role_hint(struct core *core, struct slice name);
const char *kind_hint(struct core *core, struct slice name);
const char *event_hint(struct core *core, const struct kind *kind, struct slice event);
const char *field_hint(struct core *core, const struct field *fields, int count, struct slice name);
/* The end of a sentence that has nothing else after the hint. */
static inline const char *or_stop(const char *hint)
{
    return hint[0] != '\0' ? hint : ".";
}

/* ---- transition.c ---- */
struct move { /* a transition to be made */
    struct subject subject;
    const struct transition *transition;
    struct author author;
    struct slice person;      /* who is behind it where the author is the engine; or empty */
    const struct value *args; /* body of the leaf; map */
    struct slice type;        /* leaf type: record.<event> */
    struct value own;         /* patch of the record's own row so far; map */
    struct value effects;     /* other rows' patches so far; map */
    int64_t seq;              /* out: the leaf */
};
int move_make(struct core *core, struct move *move);
/* Refuses if the round that the event opens could be granted by nobody; the record is seen as it will be then. */
int check_opening(struct core *core, const struct subject *subject,
                  const struct transition *transition, struct slice person);
int transition_command(struct core *core, const struct question *question);
/* The refusal of an event that nothing answers in the record's state: 409 if the kind has it, else 405. Gives -1. */
int refuse_event(struct core *core, const struct subject *subject, struct slice event);
/* By the system, within this run; 0 also if nothing answers. `from` (or empty) is the record whose rule signals: the two
 * are linked from then on. */
int signal_record(struct core *core, struct slice record, const char *event, int64_t cause,
                  const struct value *args, struct slice from);
/* The same as a question of its own: what the record lacks is a refusal. */
int signal_follow(struct core *core, struct slice record, const char *event, int64_t cause,
                  const struct value *args, struct slice from);
void try_automatic(struct core *core, struct slice record, int64_t cause);
/* Records that are linked to this one, by id after `after`, look whether something is open to them now. */
void neighbours_follow(struct core *core, struct slice record, struct slice after, int64_t cause);
/* Could try_automatic() do anything for this record, by the model and its links alone? `args` are the follow's. */
bool automatic_may_come(struct core *core, struct slice record, const struct value *args);
int check_signature(struct core *core, const struct question *question,
                    const struct subject *subject, const struct transition *transition,
                    struct slice stream, uint64_t rev_before, struct slice digest);
/* What is signed, where it is no event of a record's. */
struct signing {
    struct slice type, stream; /* of the leaf */
    uint64_t rev;              /* of the stream, before it */
    const char *meaning;
    struct slice statement, digest, about; /* about: whose content the digest is, in words */
    struct slice pack;                     /* the digest of the one that governs the decision */
};
int check_signing(struct core *core, const struct question *question,
                  const struct signing *signing);
struct slice statement_of(struct core *core, const struct subject *subject,
                          const struct transition *transition, struct slice actor);
/* What a person signs in the place of another says so. */
struct slice statement_for(struct core *core, const struct subject *subject,
                           const struct transition *transition, struct slice actor,
                           struct slice right);
const char *meaning_of(const struct subject *subject, const struct transition *transition,
                       struct slice actor);
/* Was what the record says approved, in the round before? */
bool record_is_granted(struct core *core, const struct subject *subject);
int guard_transition(struct core *core, const struct subject *subject,
                     const struct transition *transition, struct slice actor,
                     const struct value *args);
/* The same without what goes together with the record. */
int guard_alone(struct core *core, const struct subject *subject,
                const struct transition *transition, struct slice actor, const struct value *args);
/* Whom the command's `for` names, or nobody; -1 if it is no name. */
int question_for(struct core *core, const struct question *question, struct slice *person);
/* What authority.h denied, as the refusal that it is. */
int refuse_permission(struct core *core, enum permission permission, const char *sentence);
int permit_event(struct core *core, const struct question *question, const struct subject *subject,
                 const struct transition *transition);

/* ---- round_plan.c ---- */
enum { PLAN_MOVES_MAX = 64 };
struct round_ballot { /* a round's row as ballot.h takes it; memory of the draft */
    struct ballot ballot;
    struct ballot_rule rules[APPROVAL_STAGES_MAX];
    struct ballot_voter *voters;
    struct slice *names; /* of the voters */
};
void round_ballot(struct core *core, const struct value *round, struct round_ballot *out);
int round_voter(const struct round_ballot *ballot, struct slice person); /* index or MODEL_NONE */
/* What a round over `subject` (as it will be) is: map of need, ask, and stages if it needs them said. Refuses one that can
 * not be granted. */
int round_plan(struct core *core, const struct subject *subject, const struct transition *opening,
               const struct transition *grant, struct slice actor, struct value *out);
/* The stage (out of the row's `stages`) in which the person is asked; NULL if the row has none. */
const struct value *round_stage(const struct value *round, struct slice person);
/* waiting, open, granted ...; `stage` NULL: of a round without stages. */
struct slice round_stage_state(const struct value *round, const struct value *stage);
/* Were they asked by a waiver of a rule that was taken back before they voted? Then they count as gone. */
bool round_bars(const struct value *round, struct slice person);
bool round_waits_for(const struct value *round, struct slice person); /* is it asked now? */
/* Did the person vote, or a delegate in their place? */
bool round_has_vote_of(const struct value *round, struct slice person);
/* One vote a person: may `actor` vote for another in this round? Refuses if he is asked himself or has voted. */
int round_check_delegate(struct core *core, const struct value *round, struct slice actor);
/* Is the person's vote of this kind one that the round takes now? Whoever the row names may return it. */
bool round_may_vote(const struct value *round, const struct transition *transition,
                    struct slice person);

/* ---- round.c ---- */
int round_open(struct core *core, struct move *move, struct value *after);
/* Closes the open round without a result: `own` and `effects` get what that changes. Whoever does so ends with
 * rounds_void() of what went together with it. */
void round_void(struct core *core, const struct subject *subject, struct value *effects,
                struct value *own, const char *outcome);
/* The row with this vote in the record's state, or NULL. */
const struct transition *row_of_vote(const struct subject *subject, enum vote vote);
/* Refuses if the person cannot vote so in the open round now. */
int round_check_voter(struct core *core, const struct subject *subject,
                      const struct transition *transition, struct slice person);
int round_vote(struct core *core, const struct question *question, struct subject *subject,
               const struct transition *transition);
/* Its time is over, said by leaf `cause` of this run (not of the record's stream): it comes to what the approval declares. */
int round_expire(struct core *core, struct subject *subject, int64_t cause);
/* Counts again, because people may have gone. */
int round_recount(struct core *core, const struct subject *subject, int64_t cause);
#define ROUND_RECOUNT "round.recount" /* what follows: names that no event has */
#define ROUNDS_RECOUNT "rounds.recount"
/* After the directory changed: recounts each round that asks one of these people, page by page. */
int rounds_recount(struct core *core, const struct question *question);

/* Closes the open round of each of these records, which went together with one whose round is void. */
int rounds_void(struct core *core, const struct value *others, int64_t cause);
/* The bundle's records, of which each has a round that waits for the person: what a vote is about besides `subject`. */
struct value rounds_beside(struct core *core, const struct subject *subject, struct slice person);

/* ---- bundle.c ---- */
enum { BUNDLE_MAX = 8 }; /* records that go together */
struct bundle_submit {   /* what is submitted besides the first */
    struct subject others[BUNDLE_MAX];
    const struct transition *rows[BUNDLE_MAX];
    int count;
    struct value ids; /* array: of all */
};
struct value bundle_others(struct core *core, const struct subject *subject); /* ids; empty: none */
/* The question as it is about one of the others: with what its `also` says of that; false if it says nothing. */
bool bundle_part(const struct question *question, const struct subject *subject,
                 const struct transition *transition, struct question *out);
int bundle_check_also(struct core *core, const struct question *question, uint32_t wanted);
int bundle_gather(struct core *core, const struct question *question, const struct subject *lead,
                  const struct transition *transition, struct bundle_submit *together);
int bundle_submit(struct core *core, struct slice lead, const struct bundle_submit *together,
                  int64_t cause);
/* Does the transition put the record in force while it goes together with others? */
bool bundle_becomes_valid(const struct subject *subject, const struct transition *transition);
/* Refuses if one of the others cannot go along. */
int bundle_guard(struct core *core, const struct subject *subject,
                 const struct transition *transition, struct slice actor);
/* How many of the others must be signed for when it is put in force. */
uint32_t bundle_signed(struct core *core, const struct subject *subject,
                       const struct transition *transition, struct slice actor);
int bundle_follow(struct core *core, const struct value *others, struct slice lead,
                  const struct transition *transition, struct slice actor, int64_t cause);

/* ---- task.c ---- */
struct task_order {
    const char *service;
    struct value input;
    struct value
        texts; /* map or nil: inputs that are contents, put in when the task is given out */
    struct slice record, kind;
    int64_t revision, due_ms, retry_ms, lease_ms, max_run_ms;
    int attempts, priority;
    const char *on_done, *on_failure;
    struct slice delivery; /* key of the delivery row, or empty */
};
int64_t task_number(struct slice key); /* of the row task/<n> */
struct slice task_key(struct core *core, int64_t task);
int64_t task_make(struct core *core, const struct task_order *order, struct value *effects);
int task_plan_all(struct core *core, const struct subject *subject,
                  const struct transition *transition, const struct value *args,
                  struct value *effects, struct value *own);
int tell(struct core *core, const struct subject *subject, const struct notice *notice,
         struct slice event, struct slice actor, const struct value *args, struct value *effects);
void task_remove(struct core *core, int64_t task, struct value *effects);
int notice_more(struct core *core,
                const struct question *question); /* the rest of a long list of people */
/* A message to everybody with one of the roles (the list ends with a NULL), each once, by the communication service. */
void tell_roles(struct core *core, const char *const *roles, struct slice subject,
                struct slice text, struct value *effects);
int task_settle(struct core *core, const struct question *question);
int task_redrive(struct core *core, const struct question *question);
int task_cancel(struct core *core, const struct question *question);

/* ---- timer.c ---- */
/* What changes in the record's timers when it comes to (or stays in) a state with these fields. */
void timers_arm(struct core *core, const struct subject *subject, int state,
                const struct value *fields, struct value *timers);
/* What changes in its timers when a record comes under `kind` of another pack, to a state of it; `after` is its row then. */
void timers_migrate(struct core *core, const struct subject *before, const struct kind *kind,
                    int state, const struct value *after, struct value *timers);
void timers_arm_round(struct core *core, const struct subject *subject, int state,
                      struct value *timers);
/* Is it one that people are told of? That somebody's rights end is nothing that a record is due for. */
bool timer_is_shown(struct slice name);
/* When the record next wants something of people, not before `from_ms`; -1: never. */
int64_t timers_next(const struct value *row, int64_t from_ms);
int64_t timer_due(const struct value *row,
                  const char *name); /* of one timer; -1: it does not run */
#define ROUND_EXPIRES "round.expires"
void timers_end_round(struct core *core, const struct subject *subject, struct value *own);
int64_t span_after(const struct calendar *calendar, int64_t ms, const struct span *span);
int32_t today_of(struct core *core);
const struct calendar *calendar_of(struct core *core);
int wake(struct core *core, const struct question *question);

/* ---- rule.c ---- */
int rules_fire(struct core *core, const struct subject *subject, const char *event, int64_t cause,
               const struct value *args);
int rule_more(struct core *core, const struct question *question); /* the rest of a long `each` */
bool gates_are_open(struct core *core, const struct subject *subject, const char *event,
                    struct slice *child);

/* ---- scope.c ---- */
struct value scope_of(struct core *core, const struct subject *subject, struct slice event,
                      struct slice actor, const struct value *args, unsigned uses);
int scope_eval(struct core *core, const struct expr *expr, const struct value *scope,
               struct value *out, struct error *err);
bool scope_holds(struct core *core, const struct expr *expr, const struct subject *subject,
                 struct slice event, struct slice actor, const struct value *args,
                 struct error *why);
/* A table or long text that was put away by its hash, as the value it stands for; others as they are. */
struct value inlined(struct core *core, const struct field *field, const struct value *value);
/* What an expression over `subject` gave, as `field` can hold it: a long text that was put away is named by its hash
 * again; one that is too long and was put together here keeps its beginning (the record it came from has the rest). */
struct value held(struct core *core, const struct subject *subject, const struct field *field,
                  struct value value);
/* Who was asked to acknowledge and who has: array of {person, state: "asked" or "acknowledged", at}. */
struct value acks_of(struct core *core, const struct subject *subject);
struct slice render(struct core *core, const char *template, const struct value *names);
/* The process whose cycle the record is; NULL if it is none. */
const struct process *process_of(struct core *core, const struct subject *subject);

/* ---- change.c ---- */
/* The version that this one is to replace: the one in force, else the one it was made from; false: there is none. */
bool change_base(struct core *core, const struct subject *subject, struct subject *out);
/* Array of {field, before, after}; `before->row` may be any map with title and fields, or NULL: everything is new. */
struct value changes_of(struct core *core, const struct subject *before,
                        const struct subject *after);
bool change_is_made(const struct kind *kind,
                    const struct value *change); /* not by the engine: by a person */
/* Those of people, for a letter: at most `max` of {field, before?, after?}, texts, one a value, table cell or line. */
struct value changes_told(struct core *core, const struct subject *before,
                          const struct subject *after, uint32_t max, int64_t *more);

/* ---- pack.c ---- */
int pack_install(struct core *core, const struct question *question);
struct slice pack_that_counts(struct core *core); /* its digest; empty: there is none */

/* ---- erase.c ---- */
/* Rows that say whose the contents are which a leaf names, put into its effects. */
void contents_hold(struct core *core, struct slice stream, struct slice record,
                   const struct value *body, struct value *effects);
struct value kept_until(struct core *core, const struct retention *rule, const struct value *row,
                        int64_t closed_ms);
/* retain_until, when a record closes or is opened again. */
void put_retention(struct core *core, struct move *move, const struct state *to);
/* May what the record says be erased by now? Refuses with the reason why not. */
int guard_erasing(struct core *core, const struct subject *subject);
void put_disposed(struct core *core, struct move *move); /* who, when, how much */
/* Because of the leaf `cause`, by which the record was disposed of. */
int contents_erase(struct core *core, struct slice record, int64_t cause);
int contents_erase_more(struct core *core, const struct question *question);

/* ---- migrate.c ---- */
enum verdict {
    VERDICT_MAPS,
    VERDICT_DECIDE,
    VERDICT_REFUSED
}; /* the worst of what was found counts */

struct migration {             /* what would become of a record under the pack that counts */
    struct subject subject;    /* under its own pack */
    const struct kind *kind;   /* of the pack that counts */
    const struct state *state; /* where it will be; NULL: undecided */
    enum verdict verdict;
    struct value own;                    /* patch of the record's row */
    struct value why, notes;             /* sentences: what stands in the way; what to know */
    struct value dropped, added, timers; /* fields by name; {timer, from_ms?, to_ms?} */
    int64_t round, votes;                /* the open round that would be void; 0: none */
};

/* Needs a draft and a question, as every decision. args: {map?, set?, void_round?}. Changes nothing. */
void migration_plan(struct core *core, const struct subject *subject, const struct value *args,
                    struct migration *plan);
void migration_show(struct core *core, const struct migration *plan, struct value *out);
struct value migration_after(struct core *core, const struct migration *plan); /* the row */
/* The commands `migrate` and `migrate_back` as a row: what is signed, and with which meaning. */
const struct transition *migration_row(struct core *core, struct slice command);
int record_migrate(struct core *core, const struct question *question);
int record_migrate_back(struct core *core, const struct question *question);

/* ---- import.c ---- */
int audit_import(struct core *core, const struct question *question);
#define IMPORT_GONE "import.gone" /* what follows: args {records} are no longer seen */
int import_gone(struct core *core, const struct question *question);

/* ---- key.c ---- */
bool keys_have_roots(struct core *core);
int key_enrol(struct core *core, const struct question *question);
int key_revoke(struct core *core, const struct question *question);
/* An entry that replaces a person's: the signing key stays, and none may come this way. */
int keys_keep(struct core *core, struct value *person);
/* Refuses entries (map of person/NAME, as they will stand) by which a key or a login would be two people's: whoever holds it
 * would be both of them, and no rule of separation could tell. */
int keys_are_own(struct core *core, const struct value *entries);

/* ---- delegation.c ---- */
enum { DELEGATION_DEPTH_MAX = 8 };
int delegation_give(struct core *core, const struct question *question);
int delegation_end(struct core *core, const struct question *question);
/* What who gives one signs, as the leaf that it will be: by its present number. */
#define DELEGATION_COMMAND "delegation.give"
struct signing delegation_signing(struct core *core, struct slice giver, const struct value *args,
                                  struct slice *number);
/* Would that be refused, whatever its reason and its signature? */
int delegation_check(struct core *core, struct slice giver, const struct value *args);
/* Those that the person gave and that nobody ended: map of number -> {to, from_ms, until_ms ...}, or NULL. */
const struct value *delegations_of(struct core *core, struct slice person);
bool delegation_is_active(const struct core *core, const struct value *delegation);
/* The first moment after now at which it may be somebody else who stands in for the person; INT64_MAX: never. */
int64_t delegations_change(struct core *core, struct slice person);
/* Whose right the command uses: his own, or that of whom its `for` names. */
struct slice question_right(const struct question *question);

/* ---- handover.c ---- */
int record_hand_over(struct core *core, const struct question *question);

/* ---- refused.c ---- */
/* The refusal in `run` becomes its leaf, where a rule made it; beyond so many an hour it is marked to be counted. */
void journal_refusal(struct core *core, const struct question *question, struct run *run);
int note_counted(struct core *core, const struct question *question);
int note_read(struct core *core, const struct question *question);
bool was_refused_so(const struct question *question, const struct leaf *leaf); /* refusal.* */

/* ---- waiver.c ---- */
#define WAIVE_COMMAND "waive_sod" /* `waive` is an event of kinds */
#define WAIVE_END_COMMAND "end_waiver"
#define APART_RULE "SOD-1"      /* where a transition or an approval names no rule */
#define NEED_RULE "SOD-3"       /* where a need names none */
#define SIGNATURES_RULE "SOD-2" /* two signatures are two people */
/* The rule for which the word of that index keeps people apart from an approval. */
const char *approval_rule(const struct approval *approval, int word);
enum { WAIVERS_MAX = 100 }; /* of one record */
/* The number of the waiver of the rule for the person over the record's present content; 0: there is none. */
int64_t waiver_of(struct core *core, const struct subject *subject, const char *rule,
                  struct slice person);
/* Does it free anybody now: nobody has taken it back, and the record says what it said then? */
bool waiver_counts(const struct subject *subject, const struct value *row);
int64_t waivers_that_count(struct core *core, const struct subject *subject); /* how many do */
/* The number of one that was taken back, over the record's present content; 0: there is none. */
int64_t waiver_taken_back(struct core *core, const struct subject *subject, struct slice person);
/* waiver_of() for whoever decides a permission, and nobody else: what was needed and what let it pass is noted. */
bool waiver_lets_pass(struct core *core, const struct subject *subject, const char *rule,
                      struct slice person);
/* What a decision that is permitted rests on: array of {n, rule, person, by}. `in_place` as the command says, or empty. */
struct value waivers_used(struct core *core, struct slice actor, struct slice in_place,
                          const struct subject *subject, const struct transition *transition);
/* Each of them keeps that it was used by the leaf that is made next. */
void waivers_note(struct core *core, const struct subject *subject, const char *event,
                  struct slice actor, const struct value *used, struct value *effects);
/* All that were given, the oldest first, as conditions see them: {record, rule, person, by, at, used,
 * ended}. */
struct value waivers_scope(struct core *core);
bool waiver_is_possible(struct core *core, const struct subject *subject, const char *rule);
/* May `signer` waive it for the person? Refuses. */
int waiver_check(struct core *core, const struct subject *subject, struct slice rule,
                 struct slice person, struct slice signer);
/* The command as a row: what is signed, and with which meaning; and where the next one of the record will stand. */
const struct transition *waiver_row(struct core *core, const struct subject *subject,
                                    struct slice rule, struct slice person);
struct slice waiver_stream(struct core *core, const struct subject *subject);
int waiver_give(struct core *core, const struct question *question);
/* The same of taking one back, by its number: may they, what is signed, and where it will stand. */
int waiver_end_check(struct core *core, const struct subject *subject, int64_t n,
                     struct slice signer);
const struct transition *waiver_end_row(struct core *core, const struct subject *subject,
                                        int64_t n);
struct slice waiver_end_stream(struct core *core, const struct subject *subject, int64_t n);
uint64_t waiver_end_rev(struct core *core, const struct subject *subject, int64_t n);
int waiver_end(struct core *core, const struct question *question);

/* ---- proposal.c ---- */
/* What governs (who there is and may what; the definitions) changes only if two people want it: one proposes, another, with a
 * role that may, agrees by the same command with the number of the proposal, signed. Where there is no other in the
 * directory as it stands, it is done at once, and said so. */
struct change {
    const char *what;    /* "directory", "pack", "break_glass": before the dot in its types */
    const char *agreed;  /* type of its entry once it is agreed to */
    struct slice record; /* that it concerns, or empty */
    struct value facts;  /* more of the proposal's row; map or nil */
    struct slice stream; /* that its entry stands in */
    struct slice digest; /* of what is given */
    struct slice base;   /* of what counts now and would be replaced */
    struct slice says;   /* "I authorise that ..." */
};
enum passage { PASSAGE_PROPOSED, PASSAGE_AGREED, PASSAGE_ALONE };
/* May they give the command at all? That is for all but the agreement, whose own check is in proposal_take(). */
int proposal_permit(struct core *core, const struct question *question);
/* Says what comes of the change. Proposed: that was entered, and the command is done. Else what is to be made known is in
 * `effects` and in `own`, the patch of the entry's own row. */
int proposal_take(struct core *core, const struct question *question, const struct change *change,
                  struct value *effects, struct value *own, enum passage *passage);
int proposal_end(struct core *core, const struct question *question);
/* `proposal` and `outcome` ("proposed", "installed") of the reply, where the first leaf is such a one. */
void proposal_reply(struct arena *arena, const struct leaf *leaf, struct value *out);
struct slice proposal_statement(struct core *core, int64_t number, const struct value *row);
/* The number, from the arguments, of an open or other proposal; NULL: there is none. */
const struct value *proposal_row(struct core *core, int64_t number);
#define PROPOSAL_MEANING "authorised"

/* ---- glass.c ---- */
int glass_break(struct core *core, const struct question *question);
/* The number by which the person may do this event on this record now, whatever their roles; 0: there is none. */
int64_t glass_of(struct core *core, struct slice person, const struct subject *subject,
                 const struct transition *transition);
/* It is used up by the move, which says so; who keeps watch is told. */
void glass_use(struct core *core, int64_t number, struct move *move);

/* ---- directory.c ---- */
int directory_install(struct core *core, const struct question *question);
/* Digest of the rows that these entries would replace, nil where there is none, in the order of the list. */
struct slice directory_base(struct core *core, const struct value *people);
/* Of all entries as they count once `effects` are folded (engine/JOURNAL.md). */
void directory_digest(struct core *core, const struct value *effects, uint8_t out[HASH_LEN]);
/* What a decision is made under now: {directory: its digest, pack}; the pack that governs it, or empty. */
struct value under_of(struct core *core, struct slice pack);
/* The same into the row that the decision is kept in: `under`. */
void put_under(struct core *core, struct slice pack, struct value *row);
/* The same into row `directory`, for a leaf on `stream` that changes entries. */
void directory_put_digest(struct core *core, struct slice stream, struct value *effects);

/* ---- decide.c ---- */
int acknowledge(struct core *core, const struct question *question);
int decline_acknowledgement(struct core *core, const struct question *question);
void directory_forget(struct core *core);

#endif
