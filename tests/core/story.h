/* story.h - a small organisation in memory, told as a story: a day, somebody, what they do, what came of it.
 *
 * It lives in a house of memory (tools/simulate/house.h): everything goes through core_decide(). A twin that
 * remembers nothing between questions is asked the same and must make the same leaves. story_end() reads the
 * whole journal again: with the core, and with a fold of its own written from the journal's description; every
 * row must be the same in all three, byte for byte.
 *
 * Arguments are JSON with ' for ". A failed expectation ends the test with the line of the story.
 */
#ifndef ROTA_TESTS_CORE_STORY_H
#define ROTA_TESTS_CORE_STORY_H

#include "core/core.h"
#include "core/query.h"

struct story;
struct memory;

/* The people of every story: amara (isms_manager, process_owner), bo and cleo (top_management), dana
 * (internal_auditor), eve (doc_controller, employee, comms_owner, training_coordinator), finn (employee; manager eve),
 * gwen (legal_compliance, risk_owner), and the worker post. It begins on 2026-03-02 at 08:00 UTC. */
struct story *story_begin(void); /* with the workflows of tests/core/pack */
/* With those of another folder. With the shipped ones people use `rota`: what can be erased they put up by itself. */
struct story *story_begin_with(const char *pack);
/* With the people of a directory file instead, and the worker post. */
struct story *story_begin_among(const char *pack, const char *directory);
/* In a journal that names the root keys "root-1" and "root-2": nobody has a signing key until story_enrol(). */
struct story *story_begin_rooted(void);
/* The same, with keys for amara, bo, cleo and finn that both roots have endorsed. */
struct story *story_begin_enrolled(void);
/* `key` is a key by its name (those of people are named like them). The endorsers are names of keys, parted by blanks. */
int story_enrol(struct story *story, const char *person, const char *key, int64_t serial,
                const char *endorsers);
/* As story_sign(), with a key of another name. */
int story_sign_by(struct story *story, const char *who, const char *key, const char *event,
                  const char *record);
void story_end(struct story *story);  /* compares, frees */
void story_drop(struct story *story); /* frees: what was put there proves nothing */

/* Another pack is installed by `who`, for a reason (NULL: none is given): the files of the folder that the story began with, with
 * these texts replaced, each wherever it stands in its file. The list ends with a NULL. */
struct story_change {
    const char *file, *from, *to;
};
int story_install(struct story *story, const char *who, const char *reason,
                  const struct story_change *changes);

/* The same, and somebody else who may agrees to it at once. */
int story_install_agreed(struct story *story, const char *who, const char *reason,
                         const struct story_change *changes);
/* The directory is changed: proposed by `who`, and agreed to by somebody else who may. */
int story_put_people(struct story *story, const char *who, const char *args);
/* `who` agrees to a proposal: what was proposed, signed. `args` (or NULL) are put over it before it is signed. */
int story_agree(struct story *story, const char *who, int64_t proposal, const char *args);
/* The same, and signed with the key of somebody else (NULL: not at all). */
int story_agree_by(struct story *story, const char *who, const char *key_of, int64_t proposal,
                   const char *args);

/* RFC 3339; wakes nobody: what is due waits for story_wake(). */
void story_at(struct story *story, const char *moment);
/* Everything that is due up to this moment happens, each at its time. */
void story_until(struct story *story, const char *moment);
void story_pass(struct story *story, int days); /* the same, so many days from now */
void story_wake(struct story *story);           /* everything that is due by now, now */

/* What follows and cannot be done is no end of the test from here on: it is parked. */
void story_may_park(struct story *story);

/* A step that an earlier run would have left to be done; and how many questions core was asked by now, steps among them. */
int story_follow(struct story *story, const char *follow);
int story_asked(struct story *story);

/* The last answer's status is remembered: 200 or the refusal's. */
int story_do(struct story *story, const char *who, const char *event, const char *record,
             const char *args);
/* The same, signed with the person's key, over what the query `prepare` says. */
int story_sign(struct story *story, const char *who, const char *event, const char *record,
               const char *args);
/* A signed decision that is not cast yet, as the record stands now; and casting it, whatever came between. */
struct question story_ballot(struct story *story, const char *who, const char *event,
                             const char *record);
int story_cast(struct story *story, struct question *ballot);
/* The same with arguments, and with the key of somebody who may be another. */
struct question story_signed(struct story *story, const char *who, const char *key_of,
                             const char *event, const char *record, const char *args);
/* As story_sign, but with the key of somebody else. */
int story_sign_forged(struct story *story, const char *who, const char *key_of, const char *event,
                      const char *record);
/* As story_sign, over a digest of zeroes. */
int story_sign_stale(struct story *story, const char *who, const char *event, const char *record);
/* A command with 64 bytes that are nobody's signature. */
int story_do_scribbled(struct story *story, const char *who, const char *event, const char *record,
                       const char *args);
/* With a round that is not the open one. */
int story_sign_round(struct story *story, const char *who, const char *event, const char *record,
                     int64_t round);
/* How many refusals were beyond those of their hour, since the last time this was asked; and the leaf that tells them. */
int story_beyond(struct story *story);
int story_tell_refusals(struct story *story, const char *args);
int story_settle(struct story *story, int64_t task, int status, int64_t until_ms);
/* The command before this one is sent again with the same id. */
bool story_is_repetition(struct story *story);

const struct value *story_args(const struct story *story); /* of the last command */
const char *story_code(const struct story *story);         /* of the last refusal, or "" */
const char *story_sentence(const struct story *story);
const char *story_reply(struct story *story, const char *key); /* a text of the last reply, or "" */
uint64_t story_size(const struct story *story);                /* leaves */
struct leaf story_leaf(struct story *story, uint64_t seq);     /* memory of the story */
struct slice story_leaf_bytes(const struct story *story, uint64_t seq); /* as it is kept */
const struct memory *story_memory(const struct story *story);
/* Type of the leaf so many before the last (0: the last). */
const char *story_leaf_type(struct story *story, int back);

/* A reason that can be read: "For good.". */
#define STORY_REASON                                                                               \
    "{'size': 9, 'content': "                                                                      \
    "'hex:c196440b29610413dc77d6d85432b61ed112f31cdaf4350b0b37a00a51c2274a'}"

/* A query as `who`; lent until the next call. Ends the test if it is refused. */
const struct value *story_ask(struct story *story, const char *who, const char *name,
                              const char *args);
int story_ask_status(struct story *story, const char *who, const char *name, const char *args);

/* One fact of a record's page (`show`, asked by amara), as text: texts as they are, else as value_show(). */
const char *story_fact(struct story *story, const char *record, const char *key);
const char *story_field(struct story *story, const char *record, const char *field);
bool story_may(struct story *story, const char *who, const char *record, const char *event);
/* Number of the first open task of this service and record (NULL: any), or -1; and how many. */
int64_t story_task(struct story *story, const char *service, const char *record);
int story_task_count(struct story *story, const char *service, const char *record);
const struct value *story_task_given(struct story *story, int64_t task); /* core_task() */
/* Puts a content up; gives its hash in hexadecimal. */
const char *story_content(struct story *story, const char *text);
const char *story_put_up(struct story *story, struct slice bytes);
/* The hash it has, or would have, without putting it up. */
const char *story_hash(struct story *story, const char *text);
/* Is a content that went up still there? */
bool story_has_content(struct story *story, const char *text);
bool story_keeps(struct story *story, const char *hex); /* the same, by its hash */
bool story_has_row(struct story *story, const char *key);
const struct value *story_row(struct story *story, const char *key); /* lent until the next call */
struct core *story_core(struct story *story);
struct arena *story_arena(struct story *story);

/* A leaf that no command made enters the journal: these rows are patched so, whatever the rules say. */
void story_put(struct story *story, const struct value *effects);

#define assert_done(call) assert_answer((call), 200, "")
#define assert_refused(call, status, code) assert_answer((call), (status), (code))
#define assert_answer(call, wanted, wanted_code)                                                   \
    do {                                                                                           \
        int got_ = (call);                                                                         \
        if (got_ != (wanted))                                                                      \
            print_error("%d %s: %s\n", got_, story_code(story), story_sentence(story));            \
        assert_int_equal(got_, (wanted));                                                          \
        assert_string_equal(story_code(story), (wanted_code));                                     \
    } while (0)

#endif
