/* rota.h - librota: workers and clients of a Rota engine.
 *
 * A worker serves services: the engine gives it tasks, a function of yours does them, the library
 * does the rest: it renews the lease while your function runs, keeps a result until the engine has
 * said that it is in the journal, and comes back after a restart of either side. A client asks the
 * engine: commands, queries, events, content.
 *
 *     static int greet(void *self, struct rota_task *task)
 *     {
 *         (void)self;
 *         rota_put_text(rota_task_output(task), "/greeting",
 *                       rota_text(rota_task_input(task), "/name", "stranger"));
 *         return 200;
 *     }
 *     ...
 *     struct rota_options options = {.endpoint = "ipc:///srv/isms/run/front", .name = "greeter",
 *                                    .key_file = "greeter.key", .engine_key_file = "engine.pub"};
 *     struct rota_worker *worker = NULL;
 *     struct rota_error err;
 *     if (rota_worker_open(&options, &worker, &err) == 0 &&
 *         rota_worker_serve(worker, "demo.greet", 1, greet, NULL, &err) == 0)
 *         rota_worker_run(worker, &err);
 *     rota_worker_close(&worker);
 *
 * Promises:
 *   1. Delivery is at least once: the same task may come twice (after a crash). `key` of its facts
 *      is the same each time; use it to make an effect outside the engine once.
 *   2. A result is sent again until the engine acknowledges it, ends the lease, or gave no answer
 *      to ten copies while it was otherwise alive.
 *   3. A client's command is sent again after silence, 429 and 503 under the same id: it is done
 *      once.
 *   4. The library installs no signal handler, prints nothing, and never ends the process except
 *      when memory is out or it finds a bug in itself.
 *
 * Ownership: what is returned is lent by the object it was asked of, unless the comment says owned.
 * Functions that return int give 0, or -1 and fill `err`, unless they say otherwise; `err` may be
 * NULL.
 *
 * Threads: task functions run in threads of the library, as many at once as the services have
 * credit. The functions on a task belong to the thread that runs it, except where they say
 * otherwise. A client belongs to one thread at a time.
 */
#ifndef ROTA_H
#define ROTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROTA_VERSION "0.1.0"

enum {
    ROTA_CREDIT_MAX = 64,        /* tasks at once of one service */
    ROTA_SERVICES_MAX = 16,      /* services of one worker */
    ROTA_OUTPUT_MAX = 16 * 1024, /* bytes of a result, encoded: it stands in the journal */
    ROTA_CONTENT_LEN = 32,       /* the hash that names a content */
    ROTA_SIGNATURE_LEN = 64
};

struct rota_error {
    int status;     /* 0: the machine failed; else the engine's three digits */
    char code[64];  /* the engine's code, "wrong-state"; empty if there is none */
    char text[512]; /* one sentence for a person */
};

/* ---- values: what travels ---- */

struct rota_value; /* nil, truth, whole number, text, bytes, list or map; read only */
struct rota_doc;   /* a value of one's own, that can be filled */

enum rota_type { ROTA_NIL, ROTA_BOOL, ROTA_INT, ROTA_TEXT, ROTA_BYTES, ROTA_LIST, ROTA_MAP };

enum rota_type rota_type(const struct rota_value *value); /* NULL is nil */

/* What stands at a JSON pointer (RFC 6901: "/fields/title", "/rows/0", "" is the value itself), or
 * NULL. */
const struct rota_value *rota_at(const struct rota_value *value, const char *pointer);

/* The same, of one type; the fallback where there is none or another type. Texts end in NUL. */
const char *rota_text(const struct rota_value *value, const char *pointer, const char *fallback);
int64_t rota_int(const struct rota_value *value, const char *pointer, int64_t fallback);
bool rota_bool(const struct rota_value *value, const char *pointer, bool fallback);
const unsigned char *rota_bytes(const struct rota_value *value, const char *pointer, size_t *len);

size_t rota_count(const struct rota_value *value); /* items of a list, pairs of a map; else 0 */
const struct rota_value *rota_item(const struct rota_value *value, size_t index); /* of either */
const char *rota_key(const struct rota_value *map, size_t index);

char *rota_json(const struct rota_value *value); /* owned (free); bytes are "hex:..." */

struct rota_doc *rota_doc_new(void); /* owned; an empty map */
int rota_doc_parse(const char *json, size_t len, struct rota_doc **out, struct rota_error *err);
void rota_doc_free(struct rota_doc **doc);
const struct rota_value *rota_doc_value(const struct rota_doc *doc);

/* Puts a value at a pointer. Maps on the way are made; "-" as the last part adds to a list, and
 * makes it.
 * -1 if the way leads through something that is neither map nor list, or the text is not UTF-8.
 * What is put is copied. */
int rota_put_text(struct rota_doc *doc, const char *pointer, const char *text);
int rota_put_int(struct rota_doc *doc, const char *pointer, int64_t number);
int rota_put_bool(struct rota_doc *doc, const char *pointer, bool truth);
int rota_put_bytes(struct rota_doc *doc, const char *pointer, const void *at, size_t len);
int rota_put_value(struct rota_doc *doc, const char *pointer, const struct rota_value *value);

/* ---- connecting ---- */

enum rota_log_level { ROTA_LOG_DEBUG, ROTA_LOG_INFO, ROTA_LOG_WARNING, ROTA_LOG_ERROR };

struct rota_options {            /* borrowed until the open call returns, except log_self */
    const char *endpoint;        /* the engine's front: "ipc:///dir/run/front", "tcp://host:port" */
    const char *key_file;        /* own certificate with the secret key; NULL: no CURVE */
    const char *engine_key_file; /* the engine's public certificate; needed with key_file */
    const char *name;            /* shown by `rota workers`; NULL: "librota" */
    const char *version;         /* of the worker; NULL: none */
    int64_t lease_ms;            /* how long a lease to ask for; 0: the engine's choice */
    int64_t stop_ms;             /* how long running tasks may take after a stop; 0: 10 s */
    int64_t heartbeat_ms;        /* 0: 2 s, as the engine's */
    bool is_raw;                 /* no envelope: a plain Majordomo worker */
    /* NULL: silent. Called in any thread of the library; must not call it back. */
    void (*log)(void *self, enum rota_log_level level, const char *text);
    void *log_self;
};

/* ---- workers ---- */

struct rota_worker;
struct rota_task;

/* From the task's header. Texts are never NULL; a raw task knows its service and token only. */
struct rota_facts {
    int64_t task;
    int attempt; /* 1, 2, ... */
    const char *service;
    const char *kind;   /* of the record */
    const char *record; /* its id, empty if the task has none */
    int64_t revision;
    const char *key; /* the same over all attempts */
    int64_t due_ms;  /* ms since the epoch, 0: none */
    int64_t lease_ms;
    const char *token; /* of the lease */
};

/* Does one task and returns its status: 200 done; 202 handed over, the outcome comes by command;
 * 4xx cannot be done, no retry; 429 and 503 busy, later, not counted; other 5xx failed this time,
 * retried by policy. */
typedef int rota_task_fn(void *self, struct rota_task *task);

int rota_worker_open(const struct rota_options *options, struct rota_worker **out,
                     struct rota_error *err);

/* Adds a service before the run; `credit` (1..64) tasks of it run at the same time. `self` is the
 * function's first parameter. */
int rota_worker_serve(struct rota_worker *worker, const char *service, int credit, rota_task_fn *fn,
                      void *self, struct rota_error *err);

/* Makes SIGTERM and SIGINT stop the worker in an orderly way: blocks both in the calling thread
 * (and the threads it starts later) and reads them from a descriptor. To be called before other
 * threads are started. */
int rota_worker_stop_on_signals(struct rota_worker *worker, struct rota_error *err);

/* Serves until rota_worker_stop(). Then: no more tasks are taken, running ones get stop_ms (and see
 * rota_task_is_cancelled() when it is over), results are sent and acknowledged, the engine is told.
 * -1 only if it could not start. */
int rota_worker_run(struct rota_worker *worker, struct rota_error *err);

void rota_worker_stop(struct rota_worker *worker); /* any thread, any signal handler */
void rota_worker_close(struct rota_worker **worker);

const struct rota_facts *rota_task_facts(const struct rota_task *task);
const struct rota_value *rota_task_input(const struct rota_task *task); /* nil in raw mode */
const char *rota_task_input_json(struct rota_task *task);
const void *rota_task_input_bytes(const struct rota_task *task, size_t *len); /* the frame itself */

struct rota_doc *rota_task_output(struct rota_task *task); /* to be filled; an empty map */
int rota_task_output_json(struct rota_task *task, const char *json, size_t len,
                          struct rota_error *err); /* replaces it; any JSON value */
void rota_task_output_bytes(struct rota_task *task, const void *at, size_t len); /* raw mode */

/* What goes with the status: a stable word and a sentence; with 429 and 503 when to come again;
 * with 202 until when the outcome is waited for (ms since the epoch, by the engine's clock). */
void rota_task_say(struct rota_task *task, const char *code, const char *message);
void rota_task_retry_after(struct rota_task *task, int64_t ms);
void rota_task_until(struct rota_task *task, int64_t at_ms);

void rota_task_progress(struct rota_task *task, int percent, const char *note); /* any thread */

/* The engine took the task back, or the worker stops and its time is over: the result will not
 * count. */
bool rota_task_is_cancelled(const struct rota_task *task); /* any thread */
int rota_task_cancel_fd(const struct rota_task *task);     /* readable from that moment; lent */

/* ---- clients ---- */

struct rota_client;

enum { ROTA_TRIES = 5 };

int rota_client_open(const struct rota_options *options, struct rota_client **out,
                     struct rota_error *err);
void rota_client_close(struct rota_client **client);

/* How long one try waits for an answer (default 5 s) and how many tries a request has (default 5;
 * between them 0.25 s, doubling to 4 s, or what the engine asked for). */
void rota_client_patience(struct rota_client *client, int64_t try_ms, int tries);

struct rota_command {
    const char *id;                 /* 16..64 of [A-Za-z0-9._-]; NULL: a random one */
    const char *command;            /* "open", "edit", an event, "task.redrive" ... */
    const char *record;             /* or NULL */
    int64_t if_revision;            /* -1: whatever it is */
    int64_t deadline_ms;            /* 0: none */
    const struct rota_value *args;  /* map; NULL: empty */
    const char *on_behalf_of;       /* only for gateways; or NULL */
    const unsigned char *signature; /* ROTA_SIGNATURE_LEN bytes, or NULL */
};

#define ROTA_COMMAND_INIT                                                                          \
    {                                                                                              \
        NULL, NULL, NULL, -1, 0, NULL, NULL, NULL                                                  \
    }

/* These four return the engine's status (200, 409, ...), or -1 when there was no answer or none
 * that can be read. `*reply` is owned, never NULL when a status is returned: the whole reply map
 * ("/out", "/revision", "/seq", "/duplicate", "/code", "/message"). `err` is filled for every
 * status of 400 and above too. */
int rota_command(struct rota_client *client, const struct rota_command *command,
                 struct rota_doc **reply, struct rota_error *err);
int rota_query(struct rota_client *client, const char *query, const struct rota_value *args,
               struct rota_doc **reply, struct rota_error *err);
/* A command map made elsewhere, carried unchanged (gateways: `on_behalf_of` and `signature` stand
 * in it). */
int rota_carry(struct rota_client *client, const struct rota_value *command,
               struct rota_doc **reply, struct rota_error *err);

/* How a person's decision is signed: by an Ed25519 seed of 32 bytes, or by a function (a token, an
 * agent). */
struct rota_signer {
    const unsigned char *seed;    /* or NULL */
    unsigned char public_key[32]; /* needed with `sign` only */
    int (*sign)(void *self, const unsigned char *message, size_t len,
                unsigned char signature[ROTA_SIGNATURE_LEN]); /* 0, or -1: declined */
    void *self;
};

struct rota_decision {
    const char *id;     /* as in struct rota_command */
    const char *record; /* "SCP-0001@2.0" */
    const char *event;  /* "approve", "refuse", ... */
    const char *reason; /* or NULL */
    /* Hex: what the person saw. A decision on anything else is not sent. NULL: whatever stands. */
    const char *digest;
};

/* Asks the engine what the decision means, checks it against `digest`, signs it, sends it. */
int rota_decide(struct rota_client *client, const struct rota_decision *decision,
                const struct rota_signer *signer, struct rota_doc **reply, struct rota_error *err);

/* Stores bytes as content, in parts of 512 KiB; gives the hash that names them in args. 0 or -1. */
int rota_upload(struct rota_client *client, const void *at, size_t len,
                unsigned char content[ROTA_CONTENT_LEN], struct rota_error *err);

/* Every event from sequence `from` on, in order, none twice, none left out, for as long as `fn`
 * returns 0 and `*stop` (may be NULL) is 0. `filter` is a map or NULL. Outages of the engine are
 * waited for. Gives the sequence to go on from, or -1 after a refusal. */
typedef int rota_event_fn(void *self, const struct rota_value *event);
int64_t rota_follow(struct rota_client *client, int64_t from, const struct rota_value *filter,
                    rota_event_fn *fn, void *self, const volatile int *stop,
                    struct rota_error *err);

#ifdef __cplusplus
}
#endif

#endif
