/* stage.h - a broker with an owner that remembers, and peers made of raw sockets, for tests.
 *
 * The owner replies and commits by itself unless told not to. Time is a number that the test moves:
 * the broker never sees a clock. Waiting for a message turns the broker until it comes.
 */
#ifndef ROTA_TESTS_STAGE_H
#define ROTA_TESTS_STAGE_H

#include "net/broker.h"
#include "wire/keyfile.h"
#include "wire/mdp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { STAGE_NOTES_MAX = 512, STAGE_PEERS_MAX = 16, STAGE_PATIENCE_MS = 5000 };

enum note_kind { NOTE_REQUEST, NOTE_RESULT, NOTE_LOST, NOTE_LEASED, NOTE_PROGRESS };

struct note { /* something the broker told its owner */
    enum note_kind what;
    int64_t task;
    int status;     /* result; progress: percent; lost: 1 if it counts */
    char text[256]; /* request body, output, reason, note */
    char token[64];
    char principal[65];
    char method[16];
    enum request_kind kind;
    struct reply_to to;
    bool has_key_hash, has_header;
};

struct person {
    char name[65];
    char user_id[41];
    bool is_known;
    struct keyfile key;
};

struct stage {
    void *context;
    char directory[64];
    struct broker *broker;
    struct keyfile engine_key;
    struct person people[8];
    int people_count;
    bool knows_everybody; /* the owner's bug that the self-test must find */
    bool answers;         /* replies to requests with their own body */
    bool commits;         /* releases at the end of a turn */
    bool pairs;
    int peer_queue;           /* messages a new peer lets wait for it; 0: as libzmq likes */
    char refused_service[65]; /* may_serve says no to it */
    struct note notes[STAGE_NOTES_MAX];
    int note_count;
    struct parcel parcel; /* what every task says; without input: its number as text */
    bool knows_tasks;     /* else none is to be given out */
    int64_t boot_ms;
    char log[8192];
};

/* What came back: frames as text, lengths beside them. */
struct heard {
    int count;
    uint8_t bytes[MDP_FRAMES_MAX][1024];
    size_t len[MDP_FRAMES_MAX];
};

struct stage *stage_new(void); /* amara and bo are known; CURVE on front, plain and admin on ipc */
struct stage *stage_new_without_broker(void);
int stage_open(struct stage *stage, const char *front, struct error *err);
void stage_free(struct stage **stage);
void stage_turn(struct stage *stage);  /* one turn of the owner's loop, waits at most 5 ms */
void stage_turns(struct stage *stage); /* until nothing has come for a while */

struct person *stage_person(struct stage *stage, const char *name);
struct person *stage_add_person(struct stage *stage, const char *name, bool is_known);

/* The `nth` note of that kind since the beginning; waits for it; fails the test if it does not
 * come. */
struct note *stage_note(struct stage *stage, enum note_kind what, int nth);
int stage_notes(const struct stage *stage, enum note_kind what); /* how many so far */

void *peer_new(struct stage *stage, const char *name, const char *routing_id); /* on the front */
void *peer_at(struct stage *stage, const char *endpoint);                      /* without a key */
/* Each argument is a frame, "" included; ends with NULL. Codes are written "\1". */
void peer_says(void *peer, ...);
void peer_sends(void *peer, const struct slice *frames, int count);
struct heard peer_hears(struct stage *stage,
                        void *peer); /* waits; fails the test if nothing comes */
bool peer_hears_nothing(struct stage *stage, void *peer); /* after everything has settled */
/* Skips others until a message with that verb comes. */
struct heard worker_hears(struct stage *stage, void *peer, enum mdp_verb verb,
                          struct mdp_message *out, struct slice frames[MDP_FRAMES_MAX]);

bool heard_is(const struct heard *heard, int place, const char *text);

/* A task of the service for the next attempt; input is its number as text. */
void stage_offer(struct stage *stage, int64_t task, const char *service);
void stage_offer_as(struct stage *stage, const struct offer *offer);

#endif
