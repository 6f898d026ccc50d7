/* limit.c - the limit to measure against: the least that drives a record durably through its life.
 *
 * A ROUTER over ipc, one thread, group commit, SQLite with WAL and synchronous=FULL; each step is an entry with a SHA-256
 * chain and an index by record, and the record's state and its open task are stored beside it. Nothing else: no rules, no
 * permissions, no keys, no leases, no idempotency, no proofs. What is faster than this gave something up; what is
 * slower should say what it is slower for.
 *
 *     limit DIR      serves ipc://DIR/run/front (Majordomo 0.1) and ipc://DIR/run/feed (PUB), keeps DIR/limit.db
 *
 * A command is the text "ID EVENT RECORD NOTE" to any service; the reply is "200" and "ID RECORD". A worker says READY and
 * gets REQUESTs as it would from any Majordomo broker.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    BATCH_MAX = 256,
    FRAMES_MAX = 12,
    FRAME_MAX = 512,
    ROUTE_MAX = 16,
    WORKERS_MAX = 16,
    WORDS_MAX = 4
};

static const char SCHEMA[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE journal(seq INTEGER PRIMARY KEY, record INTEGER, entry BLOB, hash BLOB);"
    "CREATE INDEX journal_by_record ON journal(record, seq);"
    "CREATE TABLE record(id INTEGER PRIMARY KEY, state TEXT, note TEXT, last INTEGER);"
    "CREATE TABLE task(id INTEGER PRIMARY KEY, record INTEGER, service TEXT);";

/* What an event makes of a record, and whom it asks for what. */
static const struct {
    const char *event, *state, *service;
} EVENTS[] = {
    {"open", "draft", NULL},
    {"submit", "submitted", "bench.approve"},
    {"bench.approve", "approved", NULL}, /* the worker's result */
    {"put_in_force", "in_force", "bench.tell"},
    {"bench.tell", "in_force", NULL}, /* the worker's result */
    {"review", "under_review", NULL},
    {"change", "changed", NULL},
};

struct frame {
    size_t len;
    char at[FRAME_MAX + 1];
};

struct message { /* one in, or one that waits for the commit */
    void *socket;
    int count;
    struct frame frames[FRAMES_MAX];
};

struct worker {
    struct frame route, service;
};

static void *context, *front, *feed;
static sqlite3 *db;
static sqlite3_stmt *put_entry, *put_record, *set_record, *put_task, *drop_task, *get_task, *begin,
    *commit;
static struct worker workers[WORKERS_MAX];
static int worker_count, next_worker;
static struct message *waiting; /* leaves after the commit */
static int waiting_count;
static int64_t next_seq = 1, next_record = 1, next_task = 1;
static unsigned char chain[32];
static volatile sig_atomic_t must_stop;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "limit: %s: %s\n", what,
            db != NULL ? sqlite3_errmsg(db) : zmq_strerror(zmq_errno()));
    exit(1);
}

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
}

/* ---- what is kept ---- */

static sqlite3_stmt *prepare(const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    must(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, sql);
    return stmt;
}

static void open_store(const char *directory)
{
    char path[512];

    snprintf(path, sizeof path, "%s/limit.db", directory);
    must(sqlite3_open(path, &db) == SQLITE_OK, path);
    must(sqlite3_exec(db, SCHEMA, NULL, NULL, NULL) == SQLITE_OK, "schema");
    begin = prepare("BEGIN IMMEDIATE");
    commit = prepare("COMMIT");
    put_entry = prepare("INSERT INTO journal(seq, record, entry, hash) VALUES(?1, ?2, ?3, ?4)");
    put_record = prepare("INSERT INTO record(id, state, note, last) VALUES(?1, ?2, ?3, ?4)");
    set_record = prepare("UPDATE record SET state = ?2, last = ?4 WHERE id = ?1");
    put_task = prepare("INSERT INTO task(id, record, service) VALUES(?1, ?2, ?3)");
    drop_task = prepare("DELETE FROM task WHERE id = ?1");
    get_task = prepare("SELECT record, service FROM task WHERE id = ?1");
}

static void run(sqlite3_stmt *stmt)
{
    must(sqlite3_step(stmt) == SQLITE_DONE, "writing");
    sqlite3_reset(stmt);
}

static void keep_entry(int64_t record, const char *event, const char *by, const char *note)
{
    struct timespec now;
    unsigned char both[32 + 1024];
    unsigned len = 32;
    int size;

    clock_gettime(CLOCK_REALTIME, &now);
    size = snprintf((char *)both + 32, sizeof both - 32,
                    "%" PRId64 " %lld.%09ld BEN-%04" PRId64 " %s %s %s", next_seq,
                    (long long)now.tv_sec, now.tv_nsec, record, event, by, note);
    memcpy(both, chain, 32);
    EVP_Digest(both, 32 + (size_t)size, chain, &len, EVP_sha256(), NULL);
    sqlite3_bind_int64(put_entry, 1, next_seq);
    sqlite3_bind_int64(put_entry, 2, record);
    sqlite3_bind_blob(put_entry, 3, both + 32, size, SQLITE_STATIC);
    sqlite3_bind_blob(put_entry, 4, chain, 32, SQLITE_STATIC);
    run(put_entry);
}

static void keep_state(int64_t record, const char *event, const char *state, const char *note)
{
    sqlite3_stmt *stmt = strcmp(event, "open") == 0 ? put_record : set_record;

    sqlite3_bind_int64(stmt, 1, record);
    sqlite3_bind_text(stmt, 2, state, -1, SQLITE_STATIC);
    if (stmt == put_record)
        sqlite3_bind_text(stmt, 3, note, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 4, next_seq);
    run(stmt);
}

/* ---- what leaves, once it is durable ---- */

static void add_frame(struct message *message, const void *at, size_t len)
{
    struct frame *frame = &message->frames[message->count++];

    memcpy(frame->at, at, len);
    frame->at[len] = '\0';
    frame->len = len;
}

static struct message *wait_for_commit(void *socket)
{
    struct message *message = &waiting[waiting_count++];

    message->socket = socket;
    message->count = 0;
    return message;
}

static void dispatch(int64_t task, const char *service, const char *input)
{
    char token[32];
    int len = snprintf(token, sizeof token, "T%" PRId64, task);

    for (int tried = 0; tried < worker_count; tried++) {
        const struct worker *worker = &workers[next_worker++ % worker_count];
        struct message *message;

        if (strcmp(worker->service.at, service) != 0)
            continue;
        message = wait_for_commit(front);
        add_frame(message, worker->route.at, worker->route.len);
        add_frame(message, "", 0);
        add_frame(message, "MDPW01", 6);
        add_frame(message, "\2", 1);
        add_frame(message, token, (size_t)len);
        add_frame(message, "", 0);
        add_frame(message, input, strlen(input));
        return;
    }
}

static void tell_done(int64_t record)
{
    struct message *message = wait_for_commit(feed);
    char topic[64];
    int len = snprintf(topic, sizeof topic, "task/bench/BEN-%04" PRId64 "/done/", record);

    add_frame(message, topic, (size_t)len);
    add_frame(message, &next_seq, sizeof next_seq);
}

static void send_all(void)
{
    for (int i = 0; i < waiting_count; i++) {
        for (int f = 0; f < waiting[i].count; f++)
            zmq_send(waiting[i].socket, waiting[i].frames[f].at, waiting[i].frames[f].len,
                     f + 1 < waiting[i].count ? ZMQ_SNDMORE : 0);
    }
    waiting_count = 0;
}

/* ---- one step of a record ---- */

static void step(int64_t record, const char *event, const char *by, const char *note)
{
    for (size_t i = 0; i < sizeof EVENTS / sizeof EVENTS[0]; i++) {
        if (strcmp(EVENTS[i].event, event) != 0)
            continue;
        keep_entry(record, event, by, note);
        keep_state(record, event, EVENTS[i].state, note);
        if (EVENTS[i].service != NULL) {
            sqlite3_bind_int64(put_task, 1, next_task);
            sqlite3_bind_int64(put_task, 2, record);
            sqlite3_bind_text(put_task, 3, EVENTS[i].service, -1, SQLITE_STATIC);
            run(put_task);
            dispatch(next_task++, EVENTS[i].service, note);
        }
        next_seq++;
    }
}

static void client_says(struct message *in)
{
    struct message *out = wait_for_commit(front);
    char *rest = in->frames[4].at, *words[WORDS_MAX], answer[128];
    int64_t record;
    int len;

    for (int i = 0; i < WORDS_MAX; i++)
        words[i] = i < WORDS_MAX - 1 ? strsep(&rest, " ") : rest;
    if (words[2] == NULL)
        return;
    record = strcmp(words[1], "open") == 0 ? next_record++ : strtoll(words[2] + 4, NULL, 10);
    for (int f = 0; f < 4; f++)
        add_frame(out, in->frames[f].at, in->frames[f].len);
    len = snprintf(answer, sizeof answer, "%s BEN-%04" PRId64, words[0], record);
    add_frame(out, "200", 3);
    add_frame(out, answer, (size_t)len);
    step(record, words[1], "somebody", words[3] != NULL ? words[3] : "");
}

static void worker_says(const struct message *in)
{
    if (in->frames[3].at[0] == 1 && worker_count < WORKERS_MAX) {
        workers[worker_count].route = in->frames[0];
        workers[worker_count++].service = in->frames[4];
    } else if (in->frames[3].at[0] == 3 && in->count >= 5) {
        int64_t task = strtoll(in->frames[4].at + 1, NULL, 10), record = 0;
        char service[64] = "";

        sqlite3_bind_int64(get_task, 1, task);
        if (sqlite3_step(get_task) == SQLITE_ROW) {
            record = sqlite3_column_int64(get_task, 0);
            snprintf(service, sizeof service, "%s", (const char *)sqlite3_column_text(get_task, 1));
        }
        sqlite3_reset(get_task);
        if (record == 0)
            return;
        sqlite3_bind_int64(drop_task, 1, task);
        run(drop_task);
        tell_done(record);
        step(record, service, "worker", "");
    }
}

/* ---- the loop ---- */

static bool receive(struct message *in)
{
    int more = 1;
    size_t size = sizeof more;

    for (in->count = 0; more != 0;) {
        struct frame spare, *frame = in->count < FRAMES_MAX ? &in->frames[in->count] : &spare;
        int len = zmq_recv(front, frame->at, FRAME_MAX, ZMQ_DONTWAIT);

        if (len < 0)
            return false;
        frame->len = len < FRAME_MAX ? (size_t)len : FRAME_MAX;
        frame->at[frame->len] = '\0';
        in->count += in->count < FRAMES_MAX;
        zmq_getsockopt(front, ZMQ_RCVMORE, &more, &size);
    }
    return true;
}

static void turn(void)
{
    static struct message in;
    zmq_pollitem_t item = {front, 0, ZMQ_POLLIN, 0};
    bool is_open = false;

    if (zmq_poll(&item, 1, 200) <= 0)
        return;
    for (int i = 0; i < BATCH_MAX && receive(&in); i++) {
        if (!is_open)
            run(begin);
        is_open = true;
        if (in.count >= 5 && strcmp(in.frames[2].at, "MDPC01") == 0)
            client_says(&in);
        else if (in.count >= 4 && strcmp(in.frames[2].at, "MDPW01") == 0)
            worker_says(&in);
    }
    if (is_open)
        run(commit);
    send_all();
}

static void *open_socket(int type, const char *directory, const char *name)
{
    void *socket = zmq_socket(context, type);
    char endpoint[512];

    snprintf(endpoint, sizeof endpoint, "ipc://%s/run/%s", directory, name);
    must(socket != NULL && zmq_bind(socket, endpoint) == 0, endpoint);
    return socket;
}

int main(int argc, char **argv)
{
    int linger = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: limit DIR\n");
        return 2;
    }
    signal(SIGTERM, on_signal);
    waiting = calloc(3 * BATCH_MAX, sizeof *waiting);
    context = zmq_ctx_new();
    must(waiting != NULL && context != NULL, "memory");
    open_store(argv[1]);
    front = open_socket(ZMQ_ROUTER, argv[1], "front");
    feed = open_socket(ZMQ_PUB, argv[1], "feed");
    puts("ready");
    fflush(stdout);
    while (!must_stop)
        turn();
    sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    zmq_setsockopt(front, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(feed, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(front);
    zmq_close(feed);
    zmq_ctx_term(context);
    return 0;
}
