/* peers.h - who talks to the engine of a house: clients with a person's keys, workers that do as the test says. Raw
 * sockets, and frames as in engine/PROTOCOL.md.
 *
 * Commands and queries are written as JSON and sent as MessagePack, unless the function says otherwise. Answers are
 * lent by the house's arena.
 */
#ifndef ROTA_TESTS_PEERS_H
#define ROTA_TESTS_PEERS_H

#include "house.h"
#include "wire/keyfile.h"
#include "wire/mdp.h"

/* ---- clients ---- */

struct client {
    struct house *house;
    char name[65];
    struct keyfile key;
    void *socket;      /* DEALER */
    struct buf origin; /* of the journal, asked once */
};

struct answer {
    bool came;
    int digits;        /* frame 0 */
    struct reply said; /* frame 1 */
};

struct client *client_new(struct house *house, const char *name);
/* At another endpoint, with other keys; `key` NULL: without CURVE. */
struct client *client_at(struct house *house, const char *name, const char *endpoint,
                         const struct keyfile *key);
void client_free(struct client **client);
void client_reconnect(struct client *client); /* a new socket; what waited in the old one is gone */

void client_sends(struct client *client, const struct slice *frames, int count);
void client_asks(struct client *client, const char *service, struct slice body);
/* The next answer, of any request; `came` is false if none comes in time. */
struct answer client_hears(struct client *client, int64_t patience_ms);

/* Asks and waits. */
struct answer ask_bytes(struct client *client, const char *service, struct slice body);
struct answer ask_json(struct client *client, const char *service, const char *json);
struct answer query(struct client *client, const char *name, const char *args_json);
/* A command with a new id. `record` may be NULL. */
struct answer command(struct client *client, const char *name, const char *record,
                      const char *args_json);
struct answer command_with(struct client *client, const char *id, const char *name,
                           const char *record, const char *args_json);
const char *new_id(struct house *house); /* an id that nobody used */

/* JSON -> MessagePack, in the house's arena. */
struct slice packed(struct house *house, const char *json);

/* As expect(), of an answer that is needed no further. */
void told(const struct client *client, struct answer answer, int digits, const char *code);
/* Fails the test unless the digits and the code of the answer are those; "" for a reply without a code. */
void expect(const struct client *client, const struct answer *answer, int digits, const char *code);
const char *out_text(const struct client *client, const struct answer *answer, const char *key);

/* ---- readers of the live feed, with a person's key; closed with the house ---- */

void *reader_new(struct client *client, const char *topic);
int reader_hears(struct house *house, void *reader, struct slice frames[MDP_FRAMES_MAX]);

/* ---- decisions: what the query `prepare` says, signed ---- */

struct ballot {
    const char *id, *event, *record;
    struct value args; /* meaning, digest, round, under, key, statement */
    struct slice type, stream;
    int64_t rev; /* of the stream before */
    uint8_t signature[SIGNATURE_LEN];
};

void ballot_prepare(struct client *client, const char *record, const char *event,
                    struct ballot *out);
void ballot_sign(struct client *client, struct ballot *ballot);
struct answer ballot_cast(struct client *client, const struct ballot *ballot);
/* By a gateway, for whose it is; "" for one's own. */
struct answer ballot_brought(struct client *client, const char *whose, const struct ballot *ballot);
/* All of it, and it must be accepted. */
void approve(struct house *house, const char *who, const char *record);

/* The same of an agreement to what somebody proposed: the command with all that was proposed. */
void agreement_prepare(struct client *client, int64_t proposal, struct ballot *out);
/* `answer` is that of the proposal: `who` agrees to it, and it must be accepted. */
void agree(struct house *house, const char *who, const struct answer *answer);

/* ---- workers ---- */

struct worker {
    struct house *house;
    char principal[65], service[65];
    struct keyfile key;
    void *socket;  /* DEALER */
    int farewells; /* DISCONNECTs heard; after each it connected anew and said READY */
    int tasks;     /* heard */
};

struct work { /* a REQUEST; lent by the house's arena */
    bool came;
    char token[49];
    struct slice input;
};

struct worker *worker_new(struct house *house, const char *principal, const char *service);
void worker_free(struct worker **worker);
void worker_says(struct worker *worker, const struct slice *frames, int count);
void worker_ready(struct worker *worker);
void worker_beats(struct worker *worker);
/* The next task, within the time; answers heartbeats, connects anew when it is sent away. */
struct work worker_hears(struct worker *worker, int64_t patience_ms);
void worker_replies(struct worker *worker, const char *token, const char *output);

/* How many workers of that service the engine sees; waits until it is `count`. */
void until_workers(struct client *client, const char *service, int count);

/* ---- a document that waits for a signature ---- */

/* The sample's interested parties, opened and submitted by `ines`, as the first of its kind; its id. */
const char *document_submitted(struct client *ines);

/* ---- an audit, whose beginning gives a task of `audit.collect` to do ---- */

/* Opened by `tomas`; its id, in the house's arena. `host`: the input of the task. */
const char *audit_opened(struct client *tomas, const char *host);
/* And with its plan approved. */
const char *audit_planned(struct client *tomas, const char *host);
void audit_begin(struct client *tomas, const char *audit); /* the task is open now */

/* Entries of the journal with that type that concern the record (the query `log`). */
int entries_of(struct client *client, const char *record, const char *type);
void until_entries(struct client *client, const char *record, const char *type, int count);

#endif
