/* house.h - an organisation in memory: the engine's core, a shelf for what it keeps, and a clock that somebody else moves.
 *
 * It does what the engine does around the core: asks a question at a moment, keeps the leaves and rows, asks what
 * follows in the same batch, and knows which row is due first. There is no disk, no socket and no time that passes.
 * The stories of tests/core and `rota simulate` both live in one.
 *
 *   1. The same questions at the same moments give the same leaves, byte for byte.
 *   2. What follows from a question was asked when house_play() returns.
 *   3. Refusals are answers; a follow-up that is refused (unless `may_park`), or a read that fails, is an error.
 */
#ifndef ROTA_SIMULATE_HOUSE_H
#define ROTA_SIMULATE_HOUSE_H

#include "core/query.h"
#include "simulate/memory.h"

enum { HOUSE_FOLLOWS_MAX = 10000 }; /* questions that one question may cause, in all */

struct house_answer {
    int status; /* 200, or that of the refusal */
    char code[64], sentence[1024];
    int leaf_count;
    struct value reply; /* map; memory of the arena that was given */
};

/* Told of each run, refused or not, before it is kept. */
typedef void house_seen_fn(void *self, const struct question *question, const struct run *run);

struct house {
    struct core *core;
    struct memory memory;
    int64_t now_us;
    struct map due;            /* key of a row that wants to be woken -> when; int64_t, owned */
    house_seen_fn *seen;       /* or NULL */
    state_changed_fn *changed; /* told of each row that is kept, after it was; or NULL */
    void *self;                /* of both */
    bool may_park;             /* what follows and is refused is parked, as in the engine */
};

void house_init(struct house *house, int64_t now_us);
void house_release(struct house *house);

/* The key that the journal names as its log's: everybody knows it, for nothing that lives here is evidence. A test that
 * writes the journal to a file signs with it. */
extern const uint8_t house_log_seed[SIGN_SEED_LEN];

/* The journal's first leaf: clock virtual. `origin` ends in /virtual. */
void house_open(struct house *house, const char *origin, const char *timezone);
/* The same with root keys, an array of public keys: people's keys then come by key.enrol alone. */
void house_open_rooted(struct house *house, const char *origin, const char *timezone,
                       const struct value *root_keys);

/* A command, unsigned; everything is borrowed. `record` may be NULL. */
struct question house_command(const char *who, const char *id, const char *command,
                              const char *record, const struct value *args);
/* The question for an engine's own doing: a row that is due. */
struct question house_waking(struct slice key);

/* One question, without what follows. The run is lent until the next one. 0, or -1 if the shelf failed. */
int house_ask(struct house *house, struct question *question, struct run *run, struct error *err);

/* One question and all that follows from it. Gives 0 and the answer to the question itself. */
int house_play(struct house *house, struct question *question, struct arena *arena,
               struct house_answer *answer, struct error *err);

/* Completes a command that is a signed decision: asks the query `prepare` as its principal, puts what is signed into a
 * copy of `args` (what stands there already stays) and signs with `seed`. `key` is the signer's public key as the
 * directory has it. 0, or -1 with the answer of `prepare` when it was refused. Memory of `arena`. */
int house_sign(struct house *house, struct arena *arena, struct question *question,
               const uint8_t key[SIGN_KEY_LEN], const uint8_t seed[SIGN_SEED_LEN],
               struct house_answer *answer);

/* The command by which `who` agrees to a proposal, with all that was proposed in it; without an id, and not signed yet. -1: the
 * engine gave no such command, `answer` says why. */
int house_agreement(struct house *house, struct arena *arena, const char *who, int64_t number,
                    struct question *out, struct house_answer *answer);

/* A query as `who`. 0 and the answer, lent until the next question or query; -1 and `answer` says why not. */
int house_query(struct house *house, const char *who, const char *name, const struct value *args,
                struct value *out, struct house_answer *answer);

/* The row that is due first, and when; -1 if none is due by `until_ms`. `key` is lent until the next call. */
int64_t house_first_due(struct house *house, int64_t until_ms, struct slice *key);

/* The row as it is stored, in `arena`; false if there is none. */
bool house_row(const struct house *house, struct arena *arena, struct slice key, struct value *out);

/* Keeps a text as content, under a salt; gives the reference to it, as fields and reasons hold it. */
struct value house_content(struct house *house, struct arena *arena, const uint8_t salt[16],
                           struct slice text);

#endif
