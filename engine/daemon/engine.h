/* engine.h - the engine, put together: core, journal, broker, feed; what its parts share.
 *
 *     pipeline.c   question -> decide -> append -> keep -> what follows; the batch and its commit
 *     commands.c   a command from a client, from its bytes to its reply
 *     answers.c    queries, events, administration
 *     work.c       tasks offered, leased, settled, lost
 *     heads.c      the last event of each class
 *     events.c     leaves as events: the feed and its replay
 *     packs.c      definitions from the journal
 *     floods.c     refusals beyond those that are journaled: counted
 *     late.c       administration that was done while nothing could be journaled
 *     founding.c   a new journal
 *     restoring.c  a copy of the journal in its place
 *     loose.c      what was put up and is not used yet
 *     start.c      opening, recovery, the loop
 */
#ifndef ROTA_DAEMON_ENGINE_H
#define ROTA_DAEMON_ENGINE_H

#include "core/authority.h"
#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/settings.h"
#include "net/broker.h"
#include "net/feed.h"
#include "store/journal.h"
#include "wire/command.h"

enum {
    ENGINE_FOLLOWS_MAX = 100000, /* what one question may cause in all */
    ENGINE_PENDING_MAX = 4096,
    HEAD_EVERY_MS = 1000, /* of the feed */
    TASK_KEY_MAX = 32,
    SALTS_AHEAD = 8 /* the kernel gives up to 256 bytes at once, and whole */
};

#define CLOCK_META "clock" /* to where a virtual clock was moved, in decimal microseconds */
#define SIGNED_NAME "keys/log.signed"          /* the newest checkpoint that keys/log.key signed */
#define CLOCK_MOST_MS INT64_C(253370764800000) /* 9999-01-01 */

struct waiting_reply { /* whoever is answered in this batch: told 503 if it fails */
    struct reply_to to;
    char id[COMMAND_ID_MAX + 1];
};

struct retry { /* a task that may be offered again later */
    int64_t at_ms, task;
};

struct engine {
    struct settings settings;
    struct clock clock;
    struct journal *journal;
    struct core *core;
    struct broker *broker;
    struct feed *feed;
    void *context;                                  /* zmq */
    struct arena arena;                             /* of the message being handled */
    uint8_t salts[SALTS_AHEAD * QUESTION_SALT_LEN]; /* drawn and not yet given to a question */
    int salt_count;
    struct waiting_reply *waiting;
    int waiting_count;
    struct retry *retries; /* a heap by at_ms: of the open tasks, those that wait */
    int retry_count, retry_cap;
    /* work.c: are there open tasks that only the journal knows? Those whose keys stand behind `restored_to`. */
    bool is_restoring;
    char restored_to[TASK_KEY_MAX];
    struct buf parcel_header, parcel_input; /* of the task that was given out last */
    int64_t next_due_ms;                    /* of the earliest row with a timer; -1: none */
    uint64_t published;                     /* leaves below this went to the feed */
    int64_t head_ms;                        /* boot clock: when `_head/` went last */
    struct buf event;                       /* the one that is being made */
    /* heads.c; class -> uint64_t, owned: last seq + 1 of it, of what was published and with the open batch */
    struct map class_heads, heads_appended;
    struct poll *polls; /* readers who wait for events; owned */
    int poll_count;
    struct floods *floods; /* owned */
    struct lates *lates;   /* late.c; owned; NULL: none */
    int64_t started_ms;    /* boot clock */
    int64_t checkpoint_ms; /* boot clock: when the last was signed */
    bool is_draining, must_stop, is_dirty, batch_is_dead, has_pid_file;
    uint64_t commands, refused, commits;
    struct loose *loose;         /* loose.c; owned */
    char error[ERROR_TEXT_MAX];  /* why it is read-only; empty: it is not */
    enum clock_state clock_said; /* what the log says of the system clock */
};

/* ---- pipeline.c ---- */

struct asked {                  /* what came of a question; memory of the engine's arena */
    bool is_refused, is_beyond; /* as in struct run */
    struct refusal refusal;
    int leaf_count; /* of its own run; a refusal that is journaled has one */
    uint64_t seq;   /* of the first */
    /* Of a command that was not refused: what it is answered. */
    int64_t revision;
    struct value out;
    uint8_t hash[HASH_LEN]; /* of the first leaf */
};

/* Asks core, appends what came of it and all that follows from it. 0, or -1: the journal failed, the batch is
 * lost and engine_commit() will say so. */
int engine_ask(struct engine *engine, const struct question *question, struct asked *asked);
/* Stores what was folded into core's draft. */
int engine_keep_fold(struct engine *engine);
/* A question with time and seq filled in. */
struct question engine_question(struct engine *engine, enum question_kind kind);
/* Ends the batch: commit, then everything that waited leaves. */
void engine_commit(struct engine *engine);
void engine_wait_for_commit(struct engine *engine, const struct reply_to *to, struct slice id);
bool engine_is_writable(struct engine *engine);
/* Why no command is taken now, as a sentence: the disk refuses writes, or has too little room. NULL: they are taken. */
const char *engine_trouble(struct engine *engine);
/* What is wrong with the system clock, and what to do, as a sentence; NULL: nothing. */
const char *engine_clock_trouble(struct engine *engine);
int engine_shelf_leaf(void *self, uint64_t seq, struct buf *out);
struct shelf engine_shelf(struct engine *engine);

/* ---- commands.c ---- */
void engine_command(struct engine *engine, const struct request *request);
void engine_send(struct engine *engine, const struct reply_to *to, const struct reply *reply);

/* ---- loose.c ---- */
int engine_loose_load(struct engine *engine, struct error *err); /* from the journal, anew */
void engine_loose_release(struct engine *engine);
/* May this principal put so many bytes up? */
bool engine_loose_fits(const struct engine *engine, const char *principal, size_t bytes);
/* A part came; a content that is new came; is this one noted; a note and its parts go. -1: the batch is lost. */
int engine_loose_part(struct engine *engine, struct slice upload, const char *principal,
                      size_t bytes);
int engine_loose_content(struct engine *engine, const uint8_t hash[HASH_LEN], const char *principal,
                         size_t bytes);
bool engine_loose_is(const struct engine *engine, const uint8_t hash[HASH_LEN]);
int engine_loose_drop(struct engine *engine, struct slice id);
/* A leaf that is appended names these (its field `content`). */
int engine_loose_named(struct engine *engine, const struct value *contents);
void engine_loose_sweep(struct engine *engine); /* what has had its day */

/* ---- answers.c ---- */
void engine_query(struct engine *engine, const struct request *request);
/* An external auditor is about to be answered: that is written down. False: it could not be, and they are told. */
bool engine_note_read(struct engine *engine, const struct request *request, struct slice id,
                      struct slice query, struct slice record);
/* An external auditor is refused a read, with this code: that is written down too, if anything can be. What is no query is
 * "other", so that names which are made up do not grow the journal. */
void engine_note_refused_read(struct engine *engine, const struct request *request,
                              struct slice query, struct slice record, const char *code);
void engine_admin(struct engine *engine, const struct request *request);

/* ---- heads.c ---- */
struct slice event_class(struct slice type);                     /* "record" of "record.open" */
int engine_heads_load(struct engine *engine, struct error *err); /* anew; outside a batch */
void engine_heads_release(struct engine *engine);
/* A leaf was appended. -1: the batch is lost. */
int engine_head_appended(struct engine *engine, struct slice type, uint64_t seq);
void engine_heads_published(struct engine *engine); /* what was appended is committed */
/* The last event of that class with the open batch, or -1. */
int64_t engine_newest_event(const struct engine *engine, struct slice class);
/* The last event of that class before `seq`, or -1. */
int64_t engine_event_before(struct engine *engine, struct slice class, uint64_t seq);

/* ---- events.c ---- */
void engine_events(struct engine *engine, const struct request *request);
/* A leaf was appended: its event waits for the commit. Before engine_head_appended(). -1: the batch is lost. */
int engine_event_appended(struct engine *engine, const struct run_leaf *made);
void engine_publish(struct engine *engine);      /* the batch is committed: so are its events */
void engine_publish_head(struct engine *engine); /* if a second has passed; outside a batch */
void engine_answer_polls(
    struct engine *engine); /* long polls whose events are there or whose time is up */
void engine_polls_release(struct engine *engine);
bool engine_may_read(void *self, const char *user_id, struct slice topic);

/* ---- work.c ---- */
/* It is open and no worker has it: it will be given out, after its pause if it has one. */
void engine_offer(struct engine *engine, int64_t task);
void engine_offer_due(struct engine *engine);
void engine_withdraw(struct engine *engine, int64_t task);
/* In what the core says of tasks: those that are open and with a worker are `leased`, with its name. Only `wanted` of the two
 * stays, if it is one of them. */
void engine_tell_leases(struct engine *engine, struct value *tasks, struct slice wanted);
int64_t engine_next_retry_ms(const struct engine *engine); /* -1: none */
/* At the start: every lease is held, and the open tasks will be offered, a page at a time. -1: the journal cannot be read. */
int engine_restore_work(struct engine *engine, struct error *err);
/* The next page. While there is one nothing is given out; all else goes on, and what becomes of a task whose page has not
 * come is what its page will say. -1: the journal could not be read; the same page is next. */
int engine_restore_more(struct engine *engine, struct error *err);
/* All pages that are left: for whoever asks how many tasks there are. */
void engine_restore_all(struct engine *engine);
/* From the first page on: a batch failed, and with it what was offered in it is gone. */
void engine_restore_again(struct engine *engine);
bool engine_parcel(void *self, int64_t task, struct parcel *out);
void engine_result(void *self, const struct result *result);
void engine_progress(void *self, const struct lease *lease, int percent, struct slice note);
void engine_leased(void *self, const struct lease *lease);
void engine_lost(void *self, const struct lease *lease, bool counts, const char *why);

/* ---- floods.c ---- */
/* A command was refused beyond those of the hour: it is counted, durably with this batch. */
void engine_flood_count(struct engine *engine, const struct question *question, const char *code);
void engine_floods_store(struct engine *engine);            /* before the commit */
void engine_floods_tell(struct engine *engine);             /* whose hour is over becomes a leaf */
int64_t engine_floods_next_ms(const struct engine *engine); /* when the next is over; -1: none */
int engine_floods_load(struct engine *engine, struct error *err); /* as they are stored */
void engine_floods_release(struct engine *engine);

/* ---- late.c ---- */
/* This was done, and the journal takes no entry: it is entered as soon as it does. False: it never will be. */
bool engine_late_keep(struct engine *engine, const struct question *question);
bool engine_late_is(const struct engine *engine,
                    const struct question *question); /* was it done so, and is not entered yet? */
void engine_lates_enter(struct engine *engine);       /* outside a batch; commits */
void engine_lates_release(struct engine *engine);     /* the log names those that never were */

/* ---- packs.c ---- */
/* Compiles every pack that the journal names and gives it to core. */
int engine_load_packs(struct engine *engine, struct error *err);
/* Compiles and proves the pack of a command (args {pack: content of the journal, ...}), gives it to core and adds its
 * `digest`. `said` (or NULL) gets everything that is wrong with it, a line each. */
int engine_take_pack(struct engine *engine, struct value *args, struct buf *said,
                     struct error *err);

/* ---- founding.c ---- */
/* Makes the journal of an organisation whose rotad.cfg, keys, directory.cfg and pack/ are there. */
int engine_found(const char *directory, struct error *err);
/* A leaf by the engine on stream `journal`, before there is anybody else; `id` makes its command id. */
int append_by_engine(struct engine *engine, const char *type, const char *id, struct value body,
                     struct value effects, struct error *err);
int load_log_seed(struct settings *settings, uint8_t out[SIGN_SEED_LEN], struct error *err);

/* ---- restoring.c ---- */
struct restore_wish {
    const char *file;    /* the copy */
    const char *against; /* a signed head that came from outside, or NULL */
    bool accept_loss;    /* a new origin, if anything is missing */
};

/* The copy takes the journal's place in `directory`, where no engine may run. ERROR_STALE: entries are missing, or it is not
 * known whether they are. Interrupted, it is to be run again. */
int engine_restore(const char *directory, const struct restore_wish *wish, struct error *err);

/* ---- start.c ---- */
int engine_start_clock(struct engine *engine, struct error *err);
int engine_run(const char *directory, int *exit_status, struct error *err);
int engine_exit_status(const struct error *err); /* of rotad, by sysexits.h */

#endif
