/* answers.c - questions that change nothing, and administration. */
#include "daemon/engine.h"

#include "core/query.h"
#include "wire/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void send_out(struct engine *engine, const struct request *request, struct slice id,
                     const struct value *out)
{
    struct reply reply = {.status = 200, .id = id, .out = *out};

    engine_send(engine, request->to, &reply);
}

static void send_refusal(struct engine *engine, const struct request *request, struct slice id,
                         const char *code, const char *sentence)
{
    struct reply reply = reply_refusal(code, sentence);

    reply.id = id;
    engine_send(engine, request->to, &reply);
}

static struct value number(uint64_t n)
{
    return value_int((int64_t)n);
}

/* ---- what only the daemon knows ---- */

static void root_text(struct engine *engine, struct value *out)
{
    uint8_t *root = arena_take(&engine->arena, HASH_LEN);

    journal_root(engine->journal, root);
    value_set(&engine->arena, out, "size", number(journal_size(engine->journal)));
    value_set(&engine->arena, out, "root", value_bin(root, HASH_LEN));
}

static void put_checkpoint(struct engine *engine, struct value *out)
{
    struct buf note = BUF_EMPTY;
    uint64_t size = 0;

    if (journal_last_checkpoint(engine->journal, &note, &size, NULL) == 1) {
        value_set(&engine->arena, out, "checkpoint", number(size));
        value_set(&engine->arena, out, "note",
                  value_text(slice_of(arena_copy(&engine->arena, note.at, note.len), note.len)));
    }
    buf_release(&note);
}

struct listing {
    struct engine *engine;
    struct value list;
    int64_t waiting, leased;
};

static void add_worker(void *self, const struct worker_fact *fact)
{
    struct listing *listing = self;
    struct arena *arena = &listing->engine->arena;
    struct value worker = value_map();

    value_set(arena, &worker, "principal", value_str(arena_str(arena, fact->principal)));
    value_set(arena, &worker, "service", value_str(arena_str(arena, fact->service)));
    value_set(arena, &worker, "name",
              value_str(arena_str(arena, fact->name != NULL ? fact->name : "")));
    value_set(arena, &worker, "dialect", value_str(arena_str(arena, fact->dialect)));
    value_set(arena, &worker, "credit", value_int(fact->credit));
    value_set(arena, &worker, "running", value_int(fact->running));
    value_set(arena, &worker, "idle_ms", value_int(fact->idle_ms));
    value_push(arena, &listing->list, worker);
}

static void add_service(void *self, const struct service_fact *fact)
{
    struct listing *listing = self;
    struct arena *arena = &listing->engine->arena;
    struct value service = value_map();

    value_set(arena, &service, "service", value_str(arena_str(arena, fact->service)));
    value_set(arena, &service, "workers", value_int(fact->workers));
    value_set(arena, &service, "waiting", value_int(fact->waiting));
    value_set(arena, &service, "leased", value_int(fact->leased));
    listing->waiting += fact->waiting;
    listing->leased += fact->leased;
    value_push(arena, &listing->list, service);
}

static const char *health_text(struct engine *engine)
{
    if (journal_health(engine->journal) == JOURNAL_UNKNOWN)
        return "unknown";
    return engine_trouble(engine) == NULL ? "ok" : "read-only";
}

static void answer_status(struct engine *engine, struct value *out)
{
    struct listing workers = {engine, value_array(), 0, 0},
                   services = {engine, value_array(), 0, 0};
    struct arena *arena = &engine->arena;
    struct value tasks = value_map();

    engine_restore_all(engine);
    broker_each_worker(engine->broker, clock_boot_ms(), add_worker, &workers);
    broker_each_service(engine->broker, add_service, &services);
    value_set(arena, &tasks, "open", value_int(services.waiting + engine->retry_count));
    value_set(arena, &tasks, "leased", value_int(services.leased));
    root_text(engine, out);
    put_checkpoint(engine, out);
    value_set(arena, out, "pid", value_int(getpid()));
    value_set(arena, out, "uptime_s", value_int((clock_boot_ms() - engine->started_ms) / 1000));
    value_set(arena, out, "health", value_str(health_text(engine)));
    if (engine_trouble(engine) != NULL)
        value_set(arena, out, "error", value_str(engine_trouble(engine)));
    value_set(arena, out, "origin", value_str(engine->settings.origin));
    value_set(arena, out, "clock", value_str(engine->clock.is_virtual ? "virtual" : "system"));
    value_set(arena, out, "now_ms", value_int(clock_now_us(&engine->clock) / 1000));
    if (engine_clock_trouble(engine) != NULL)
        value_set(arena, out, "clock_error", value_str(engine_clock_trouble(engine)));
    value_set(arena, out, "tasks", tasks);
    value_set(arena, out, "workers", value_int(workers.list.count));
    value_set(arena, out, "commands", number(engine->commands));
    value_set(arena, out, "refused", number(engine->refused));
    value_set(arena, out, "commits", number(engine->commits));
    value_set(arena, out, "draining", value_bool(engine->is_draining));
    value_set(arena, out, "version", value_str(ROTA_VERSION));
}

static bool answer_here(struct engine *engine, struct slice name, struct value *out)
{
    struct listing listing = {engine, value_array(), 0, 0};

    if (slice_is(name, "workers")) {
        broker_each_worker(engine->broker, clock_boot_ms(), add_worker, &listing);
        value_set(&engine->arena, out, "workers", listing.list);
    } else if (slice_is(name, "services")) {
        engine_restore_all(engine);
        broker_each_service(engine->broker, add_service, &listing);
        value_set(&engine->arena, out, "services", listing.list);
    } else if (slice_is(name, "status")) {
        answer_status(engine, out);
    } else {
        return false;
    }
    return true;
}

/* What says nothing of any record: nobody asks who looked at it. */
static bool is_of_no_record(struct slice query)
{
    static const char *const names[] = {"info", "kinds", "processes", "rules", "people", "packs"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_is(query, names[i]))
            return true;
    return false;
}

static struct question question_of_read(struct engine *engine, const struct request *request,
                                        struct slice query, struct slice record)
{
    struct question question = engine_question(engine, QUESTION_READ);

    question.principal = slice_str(request->principal);
    question.auth_method = slice_str(request->method);
    question.auth_key = request->key_hash;
    question.command = query;
    question.record = record;
    return question;
}

void engine_note_refused_read(struct engine *engine, const struct request *request,
                              struct slice query, struct slice record, const char *code)
{
    bool is_known = query_exists(query) || slice_is(query, "events") || slice_is(query, "status") ||
                    slice_is(query, "workers") || slice_is(query, "services");
    struct question question =
        question_of_read(engine, request, is_known ? query : slice_str("other"), record);
    struct asked asked = {0};

    question.note = slice_str(code);
    if (authority_is_auditor(engine->core, question.principal) && engine_is_writable(engine) &&
        journal_has_room(engine->journal))
        (void)engine_ask(engine, &question, &asked); /* if it fails engine_commit() answers */
}

bool engine_note_read(struct engine *engine, const struct request *request, struct slice id,
                      struct slice query, struct slice record)
{
    struct question question = question_of_read(engine, request, query, record);
    struct asked asked = {0};

    if (is_of_no_record(query))
        return true;
    if (!engine_is_writable(engine) || !journal_has_room(engine->journal)) {
        send_refusal(engine, request, id, "journal-unavailable",
                     "What an external auditor reads is written down, and nothing can be written.");
        return false;
    }
    return engine_ask(engine, &question, &asked) == 0; /* else engine_commit() answers */
}

/* The core knows of no lease: what is with a worker is open to it. Gives the state that was asked for. */
static struct slice ask_for_leased(struct engine *engine, struct query *query)
{
    struct slice wanted = value_get_text(&query->args, "state");

    if (slice_is(query->query, "tasks") && slice_is(wanted, "leased"))
        value_set(&engine->arena, &query->args, "state", value_str("open"));
    return wanted;
}

static void tell_leases(struct engine *engine, const struct query *query, struct slice wanted,
                        struct value *out)
{
    struct value tasks;

    if (slice_is(query->query, "tasks")) {
        engine_tell_leases(engine, out, wanted);
    } else if (slice_is(query->query, "show")) {
        tasks = *value_get(out, "tasks");
        engine_tell_leases(engine, &tasks, slice_of(NULL, 0));
        value_set(&engine->arena, out, "tasks", tasks);
    }
}

void engine_query(struct engine *engine, const struct request *request)
{
    struct slice wanted;
    struct query query;
    struct core_query inquiry;
    struct refusal refusal = {0};
    struct reply no = {0};
    struct value out = value_map();
    bool is_json;

    if (query_decode(&engine->arena, request->body, &query, &is_json, &no) != 0) {
        engine_wait_for_commit(engine, request->to, no.id);
        engine_send(engine, request->to, &no);
        return;
    }
    engine_wait_for_commit(engine, request->to, query.id);
    if (!authority_may_read(engine->core, slice_str(request->principal), query.query)) {
        engine_note_refused_read(engine, request, query.query,
                                 value_get_text(&query.args, "record"), "not-allowed");
        send_refusal(engine, request, query.id, "not-allowed", NULL);
        return;
    }
    if (answer_here(engine, query.query, &out)) {
        send_out(engine, request, query.id, &out);
        return;
    }
    wanted = ask_for_leased(engine, &query);
    inquiry = (struct core_query){.name = query.query,
                                  .principal = slice_str(request->principal),
                                  .args = query.args,
                                  .now_us = clock_now_us(&engine->clock),
                                  .leaf = engine_shelf_leaf,
                                  .self = engine,
                                  .size = journal_size(engine->journal)};
    if (query_answer(engine->core, &inquiry, &out, &refusal) != 0) {
        refusal.sentence = arena_str(&engine->arena, refusal.sentence);
        if (refusal.status == 403)
            engine_note_refused_read(engine, request, query.query,
                                     value_get_text(&query.args, "record"), refusal.code);
        send_refusal(engine, request, query.id, refusal.code, refusal.sentence);
        return;
    }
    tell_leases(engine, &query, wanted, &out);
    if (authority_is_auditor(engine->core, slice_str(request->principal))) {
        out = value_copy(&engine->arena, &out);
        if (!engine_note_read(engine, request, query.id, query.query,
                              value_get_text(&query.args, "record")))
            return;
    }
    if (slice_is(query.query, "info")) {
        root_text(engine, &out);
        value_set(&engine->arena, &out, "now_ms", value_int(clock_now_us(&engine->clock) / 1000));
        value_set(&engine->arena, &out, "version", value_str(ROTA_VERSION));
    }
    send_out(engine, request, query.id, &out);
}

/* ---- administration ---- */

struct admin {
    struct engine *engine;
    const struct request *request;
    const struct command *command;
    struct value out;
};

static int admin_status(struct admin *admin, struct error *err)
{
    (void)err;
    answer_status(admin->engine, &admin->out);
    return 0;
}

static int admin_drain(struct admin *admin, struct error *err)
{
    (void)err;
    admin->engine->is_draining = true;
    broker_drain(admin->engine->broker, true);
    return 0;
}

static int admin_resume(struct admin *admin, struct error *err)
{
    (void)err;
    admin->engine->is_draining = false;
    broker_drain(admin->engine->broker, false);
    return 0;
}

static int admin_stop(struct admin *admin, struct error *err)
{
    (void)err;
    admin->engine->must_stop = true;
    return 0;
}

/* Checkpoints and backups are of the committed journal: what waits is committed first. If that fails, the whole batch is
 * lost and engine_commit() says so to everybody in it. */
static int commit_first(struct admin *admin, struct error *err)
{
    if (!admin->engine->batch_is_dead && journal_commit(admin->engine->journal, err) == 0) {
        clock_settle(&admin->engine->clock);
        return 0;
    }
    admin->engine->batch_is_dead = true;
    return error_set(err, ERROR_IO, "the journal could not be written");
}

/* Signs what is committed. What cannot be signed is no error: the newest note there is says for how many entries it is. */
static int admin_checkpoint(struct admin *admin, struct error *err)
{
    struct engine *engine = admin->engine;
    struct error why = {ERROR_NONE, ""};
    uint64_t size = 0;

    if (commit_first(admin, err) != 0)
        return -1;
    if (journal_checkpoint(engine->journal, NULL, &why) != 0)
        log_line(LOG_LEVEL_ERROR, "signing a checkpoint: %s", why.text);
    put_checkpoint(engine, &admin->out);
    if (why.class == ERROR_NONE)
        return 0;
    journal_last_checkpoint(engine->journal, NULL, &size, NULL);
    value_set(&engine->arena, &admin->out, "unsigned",
              number(journal_committed(engine->journal) - size));
    value_set(&engine->arena, &admin->out, "error", value_str(arena_str(&engine->arena, why.text)));
    return 0;
}

static const char *backup_path(struct admin *admin)
{
    return value_get_str(&admin->command->args, "path", "", &admin->engine->arena);
}

static int check_backup(struct admin *admin, struct error *err)
{
    const char *path = backup_path(admin);

    if (path[0] != '/')
        return error_set(err, ERROR_INPUT, "backup wants \"path\", an absolute file name");
    if (access(path, F_OK) == 0)
        return error_set(err, ERROR_INPUT, "%s exists: a backup never overwrites", path);
    return 0;
}

static int admin_backup(struct admin *admin, struct error *err)
{
    struct engine *engine = admin->engine;

    if (admin_checkpoint(admin, err) != 0 ||
        journal_backup(engine->journal, backup_path(admin), err) != 0)
        return -1;
    root_text(engine, &admin->out);
    return 0;
}

/* Durable with the entry that says it was moved: after a kill it goes on from there, whatever was entered since. */
static int keep_clock(struct engine *engine, struct error *err)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)clock_now_us(&engine->clock));
    if (journal_put_meta(engine->journal, CLOCK_META, slice_str(text), err) == 0)
        return 0;
    engine->batch_is_dead = true;
    return -1;
}

/* To when the clock is to be moved; it may be asked whether it can be before that is entered. */
static int clock_target(struct admin *admin, int64_t *until_ms, struct error *err)
{
    struct engine *engine = admin->engine;
    int64_t now_ms = clock_now_us(&engine->clock) / 1000;
    int64_t ms = value_get_int(&admin->command->args, "ms", -1);

    if (!engine->clock.is_virtual)
        return error_set(err, ERROR_INPUT, "this journal is kept on the system clock");
    *until_ms = value_get_int(&admin->command->args, "until_ms",
                              ms < CLOCK_MOST_MS - now_ms ? now_ms + ms : INT64_MAX);
    if (*until_ms < now_ms)
        return error_set(err, ERROR_INPUT, "time does not go back");
    if (*until_ms > CLOCK_MOST_MS)
        return error_set(err, ERROR_INPUT, "the clock ends with the year 9998");
    return 0;
}

static int check_clock(struct admin *admin, struct error *err)
{
    int64_t until_ms;

    return clock_target(admin, &until_ms, err);
}

static int admin_clock(struct admin *admin, struct error *err)
{
    struct engine *engine = admin->engine;
    int64_t until_ms;

    if (clock_target(admin, &until_ms, err) != 0)
        return -1;
    clock_advance(&engine->clock, (until_ms - clock_now_us(&engine->clock) / 1000) * 1000);
    if (keep_clock(engine, err) != 0)
        return -1;
    value_set(&engine->arena, &admin->out, "now_ms",
              value_int(clock_now_us(&engine->clock) / 1000));
    return 0;
}

enum entered {
    NEVER_ENTERED,
    IF_POSSIBLE, /* else it is done all the same, and entered late (late.c) */
    BEFORE       /* or it is not done */
};

static const struct {
    const char *name;
    int (*run)(struct admin *admin, struct error *err);
    enum entered entered;
    int (*check)(struct admin *admin,
                 struct error *err); /* what can be known before it is entered; or NULL */
} admin_commands[] = {
    {"status", admin_status, NEVER_ENTERED, NULL},
    {"metrics", admin_status, NEVER_ENTERED, NULL},
    {"checkpoint", admin_checkpoint, NEVER_ENTERED, NULL},
    {"drain", admin_drain, IF_POSSIBLE, NULL},
    {"resume", admin_resume, IF_POSSIBLE, NULL},
    {"stop", admin_stop, IF_POSSIBLE, NULL},
    {"backup", admin_backup, IF_POSSIBLE, check_backup},
    {"clock.advance", admin_clock, BEFORE, check_clock},
};

/* Asked of the core like any command: the permission and the entry are one. */
static struct question admin_question(struct admin *admin, struct value *args)
{
    struct engine *engine = admin->engine;
    struct question question = engine_question(engine, QUESTION_COMMAND);

    *args = value_copy(&engine->arena, &admin->command->args);
    value_set(&engine->arena, args, "what", value_text(admin->command->command));
    question.principal = slice_str(admin->request->principal);
    question.auth_method = slice_str(admin->request->method);
    question.auth_key = admin->request->key_hash;
    question.id = admin->command->id;
    question.command = slice_str("admin");
    question.args = args;
    return question;
}

/* Was this id used before? Then nothing is done again; another command under it is refused. */
static bool is_repeated_admin(struct admin *admin, const struct question *question)
{
    struct engine *engine = admin->engine;
    struct buf bytes = BUF_EMPTY;
    uint8_t id[COMMAND_ID_LEN];
    struct leaf leaf;
    uint64_t seq;
    bool is_same = false, was_refused = false;

    hash_command_id(question->principal, question->id, id);
    if (journal_command(engine->journal, id, &seq, NULL) != 1)
        return false;
    if (journal_leaf(engine->journal, seq, &bytes, NULL) == 1 &&
        leaf_decode(&engine->arena, buf_slice(&bytes), &leaf, NULL) == 0) {
        is_same = core_is_same_command(question, &leaf);
        was_refused = slice_starts(leaf.type, "refusal.");
    }
    buf_release(&bytes);
    if (is_same && was_refused)
        send_refusal(engine, admin->request, admin->command->id, "not-allowed", NULL);
    else if (is_same)
        send_out(engine, admin->request, admin->command->id, &admin->out);
    else
        send_refusal(engine, admin->request, admin->command->id, "id-reused", NULL);
    return true;
}

static bool is_permitted(struct admin *admin)
{
    const char *sentence = "";

    return authority_command(admin->engine->core, slice_str(admin->request->principal), "admin",
                             &sentence) == PERMIT;
}

static const char *not_entered(struct engine *engine, bool will_be)
{
    if (journal_health(engine->journal) == JOURNAL_UNKNOWN)
        return "The disk failed to keep data that was written, so nothing is journaled any more, "
               "this neither. Of a "
               "backup the entries were read back and are those that were confirmed; what else is "
               "in it, check with "
               "rota verify.";
    return will_be ? "The journal takes no entry now: this is journaled when it does again, if the "
                     "engine is not stopped before."
                   : "The journal takes no entry now, and too much waits for that already: this is "
                     "not journaled.";
}

/* The journal takes no entry. What an administrator needs most then is done all the same, and said to be without one. */
static void run_unentered(struct admin *admin, size_t which, const struct question *question)
{
    struct engine *engine = admin->engine;
    struct error err = {ERROR_NONE, ""};
    bool is_again = engine_late_is(engine, question), will_be = is_again;

    if (!is_permitted(admin)) {
        send_refusal(engine, admin->request, admin->command->id, "not-allowed", NULL);
        return;
    }
    if (admin_commands[which].entered == BEFORE) {
        send_refusal(engine, admin->request, admin->command->id, "journal-unavailable",
                     engine_trouble(engine));
        return;
    }
    if (!is_again && admin_commands[which].run(admin, &err) != 0) {
        send_refusal(engine, admin->request, admin->command->id, "guard-failed", err.text);
        return;
    }
    if (admin_commands[which].entered == IF_POSSIBLE) {
        if (!is_again)
            will_be = engine_late_keep(engine, question);
        log_line(LOG_LEVEL_WARNING, "%s by %s while the journal takes no entry: %s",
                 admin_commands[which].name, admin->request->principal,
                 will_be ? "journaled later" : "not journaled");
        value_set(&engine->arena, &admin->out, "journaled", value_bool(false));
        value_set(&engine->arena, &admin->out, "says", value_str(not_entered(engine, will_be)));
    }
    send_out(engine, admin->request, admin->command->id, &admin->out);
}

static void run_admin(struct admin *admin, size_t which)
{
    struct engine *engine = admin->engine;
    struct asked asked = {0};
    struct error err = {ERROR_NONE, ""};
    struct value args;
    struct question question = admin_question(admin, &args);

    if (value_get(&admin->command->args, "done_ms") != NULL) {
        send_refusal(engine, admin->request, admin->command->id, "unknown-key", NULL);
        return;
    }
    if (journal_health(engine->journal) != JOURNAL_UNKNOWN && is_repeated_admin(admin, &question))
        return;
    if (admin_commands[which].check != NULL && is_permitted(admin) &&
        !engine_late_is(engine, &question) && admin_commands[which].check(admin, &err) != 0) {
        send_refusal(engine, admin->request, admin->command->id, "guard-failed", err.text);
        return;
    }
    if (!engine_is_writable(engine)) {
        run_unentered(admin, which, &question);
        return;
    }
    /* What is no entry when it is done is one when it is refused. */
    if ((admin_commands[which].entered != NEVER_ENTERED || !is_permitted(admin)) &&
        engine_ask(engine, &question, &asked) != 0)
        return;
    if (asked.is_refused)
        send_refusal(engine, admin->request, admin->command->id, asked.refusal.code,
                     asked.refusal.sentence);
    else if (admin_commands[which].run(admin, &err) != 0)
        send_refusal(engine, admin->request, admin->command->id, "guard-failed", err.text);
    else
        send_out(engine, admin->request, admin->command->id, &admin->out);
}

void engine_admin(struct engine *engine, const struct request *request)
{
    struct command command;
    struct reply no = {0};
    bool is_json;
    struct admin admin = {engine, request, &command, value_map()};

    if (command_decode(&engine->arena, request->body, &command, &is_json, &no) != 0) {
        engine_wait_for_commit(engine, request->to, no.id);
        engine_send(engine, request->to, &no);
        return;
    }
    engine_wait_for_commit(engine, request->to, command.id);
    for (size_t i = 0; i < sizeof admin_commands / sizeof admin_commands[0]; i++) {
        if (slice_is(command.command, admin_commands[i].name)) {
            run_admin(&admin, i);
            return;
        }
    }
    send_refusal(engine, request, command.id, "unknown-command", NULL);
}
