/* start.c - the engine's life: open, recover, accept; the loop; drain, stop. */
#include "daemon/engine.h"

#include "base/check.h"
#include "wire/keyfile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum {
    CHECKPOINT_EVERY_MS = 1000,
    PROBE_EVERY_MS = 5000,
    DUE_AT_ONCE = 128,
    LOOP_MOST_MS = 1000,
    STUCK_TIMER_MS = 5000
};

/* ---- what the broker asks ---- */

static const char *principal_of(void *self, const char *user_id)
{
    struct engine *engine = self;
    uint8_t key[CURVE_KEY_LEN];
    struct slice name;

    if (strncmp(user_id, "uid:", 4) == 0)
        name = authority_by_uid(engine->core, strtoll(user_id + 4, NULL, 10));
    else if (strcmp(user_id, "plain") == 0)
        name = value_get_text(authority_person(engine->core, slice_str("plain")), "name");
    else if (curve_from_z85(slice_str(user_id), key) == 0)
        name = authority_by_key(engine->core, slice_of(key, sizeof key));
    else
        return NULL;
    return name.len > 0 ? (const char *)name.at : NULL;
}

static bool may_serve(void *self, const char *principal, const char *service)
{
    struct engine *engine = self;

    return authority_may_serve(engine->core, slice_str(principal), slice_str(service));
}

struct sought {
    const char *service;
    bool is_found;
};

static void compare_service(void *self, const struct service_fact *fact)
{
    struct sought *sought = self;

    if (strcmp(fact->service, sought->service) == 0 &&
        fact->workers + fact->waiting + fact->leased > 0)
        sought->is_found = true;
}

/* Has it workers, or work that waits for one? */
static bool serves(struct engine *engine, const char *service)
{
    struct sought sought = {service, false};

    engine_restore_all(engine);
    broker_each_service(engine->broker, compare_service, &sought);
    return sought.is_found;
}

static void on_request(void *self, const struct request *request)
{
    struct engine *engine = self;
    struct reply no;

    switch (request->kind) {
    case REQUEST_COMMAND:
        engine_command(engine, request);
        return;
    case REQUEST_QUERY:
        engine_query(engine, request);
        return;
    case REQUEST_EVENTS:
        engine_events(engine, request);
        return;
    case REQUEST_ADMIN:
        engine_admin(engine, request);
        return;
    case REQUEST_DIRECT:
        no = serves(engine, request->to->service)
                 ? reply_refusal("not-allowed", "Work comes from a workflow; this service takes no "
                                                "requests directly.")
                 : reply_refusal("no-service", NULL);
        engine_send(engine, request->to, &no);
        return;
    }
}

static void on_log(void *self, int level, const char *text)
{
    (void)self;
    log_line(level, "%s", text);
}

/* ---- opening ---- */

static int open_journal(struct engine *engine, struct error *err)
{
    struct journal_options options = {.directory = engine->settings.directory,
                                      .signed_path = settings_path(&engine->settings, SIGNED_NAME),
                                      .origin = engine->settings.origin,
                                      .has_log_seed = true,
                                      .trust_clean_stop = true,
                                      .free_bytes_min = (uint64_t)engine->settings.free_bytes_min};

    return load_log_seed(&engine->settings, options.log_seed, err) != 0 ||
                   journal_open_sqlite(&options, &engine->journal, err) != 0
               ? -1
               : 0;
}

/* To where a virtual clock was moved; 0: it was not. */
static int64_t moved_to_us(struct engine *engine)
{
    struct buf text = BUF_EMPTY;
    int64_t us = 0;

    if (engine->settings.is_virtual &&
        journal_meta(engine->journal, CLOCK_META, &text, NULL) == 1 && text.len > 0)
        us = strtoll(buf_text(&text), NULL, 10);
    buf_release(&text);
    return us > 0 && us / 1000 <= CLOCK_MOST_MS ? us : 0;
}

/* The clock goes on from the last leaf: no entry is ever dated before one that is there. */
int engine_start_clock(struct engine *engine, struct error *err)
{
    struct buf bytes = BUF_EMPTY;
    struct leaf leaf;
    int rc = -1;

    if (journal_size(engine->journal) == 0)
        return error_set(err, ERROR_DAMAGED, "the journal is empty; `rota init` makes one");
    if (journal_leaf(engine->journal, journal_size(engine->journal) - 1, &bytes, err) == 1 &&
        leaf_decode(&engine->arena, buf_slice(&bytes), &leaf, err) == 0) {
        int64_t moved_us = moved_to_us(engine);

        clock_start(&engine->clock, engine->settings.is_virtual,
                    moved_us > leaf.time_us ? moved_us : leaf.time_us);
        rc = 0;
    }
    buf_release(&bytes);
    return rc;
}

static int check_opened(struct engine *engine, struct error *err)
{
    const struct value *row = state_row(core_state(engine->core), slice_str("journal"));
    bool is_virtual = slice_is(value_get_text(row, "clock"), "virtual");

    if (!slice_is(value_get_text(row, "origin"), engine->settings.origin))
        return error_set(err, ERROR_INPUT, "rotad.cfg names the origin %s, the journal is %.*s",
                         engine->settings.origin, (int)value_get_text(row, "origin").len,
                         (const char *)value_get_text(row, "origin").at);
    if (is_virtual != engine->settings.is_virtual)
        return error_set(err, ERROR_INPUT,
                         "the journal is kept on a %s clock; rotad.cfg says otherwise",
                         is_virtual ? "virtual" : "system");
    return 0;
}

static int open_sockets(struct engine *engine, struct error *err)
{
    struct broker_ops ops = {engine,        principal_of,  may_serve,       on_request,
                             engine_parcel, engine_result, engine_progress, engine_leased,
                             engine_lost,   on_log};
    struct broker_options broker = {.context = engine->context,
                                    .plain = engine->settings.plain,
                                    .admin = engine->settings.admin,
                                    .heartbeat_ms = engine->settings.heartbeat_ms,
                                    .idle_expiry_ms = engine->settings.idle_expiry_ms,
                                    .plain_lease_ms = engine->settings.plain_lease_ms,
                                    .sdk_lease_ms = engine->settings.sdk_lease_ms};
    struct feed_options feed = {
        .context = engine->context, .self = engine, .may_read = engine_may_read};
    struct keyfile key;
    int rc = -1;

    memset(&key, 0, sizeof key);
    for (int i = 0; i < ENDPOINTS_MAX; i++) {
        broker.front[i] = engine->settings.front[i];
        feed.endpoint[i] = engine->settings.feed[i];
    }
    if (!engine->settings.is_insecure) {
        if (keyfile_load(settings_path(&engine->settings, "keys/engine.key"), &key, err) != 0)
            return -1;
        broker.curve_secret = key.curve_secret;
        feed.curve_secret = key.curve_secret;
    } else {
        log_line(LOG_LEVEL_WARNING, "INSECURE: no keys are asked for; for development only");
    }
    if (broker_open(&broker, &ops, &engine->broker, err) == 0 &&
        feed_open(&feed, &engine->feed, err) == 0) {
        broker_watch(engine->broker, feed_socket(engine->feed));
        rc = 0;
    }
    keyfile_wipe(&key);
    return rc;
}

static int engine_open(struct engine *engine, const char *directory, struct error *err)
{
    struct shelf shelf;

    if (settings_load(directory, &engine->settings, err) != 0)
        return -1;
    log_set_level(engine->settings.log_level);
    mkdir(settings_path(&engine->settings, "run"), 0700);
    engine->started_ms = clock_boot_ms();
    engine->next_due_ms = 0; /* looked up in the first turn */
    engine->waiting = calloc(ENGINE_PENDING_MAX, sizeof *engine->waiting);
    check(engine->waiting != NULL);
    if (open_journal(engine, err) != 0 || engine_start_clock(engine, err) != 0)
        return -1;
    shelf = engine_shelf(engine);
    engine->core = core_new(&shelf);
    engine->published = journal_size(engine->journal);
    if (engine_load_packs(engine, err) != 0 || check_opened(engine, err) != 0 ||
        engine_floods_load(engine, err) != 0 || engine_loose_load(engine, err) != 0 ||
        engine_heads_load(engine, err) != 0)
        return -1;
    engine->context = zmq_ctx_new();
    check(engine->context != NULL);
    if (open_sockets(engine, err) != 0 || engine_restore_work(engine, err) != 0)
        return -1;
    return 0;
}

static void engine_close(struct engine *engine)
{
    broker_close(&engine->broker);
    feed_close(&engine->feed);
    if (engine->context != NULL)
        zmq_ctx_term(engine->context);
    core_free(&engine->core);
    journal_close(&engine->journal);
    /* Last: who waits for the file to go may then touch the journal. Never another engine's. */
    if (engine->has_pid_file)
        unlink(settings_path(&engine->settings, "run/rotad.pid"));
    engine_polls_release(engine);
    engine_lates_release(engine);
    engine_floods_release(engine);
    engine_loose_release(engine);
    engine_heads_release(engine);
    free(engine->waiting);
    free(engine->retries);
    buf_release(&engine->parcel_header);
    buf_release(&engine->parcel_input);
    buf_release(&engine->event);
    arena_release(&engine->arena);
    settings_release(&engine->settings);
}

/* ---- the loop ---- */

struct due_keys {
    struct arena *arena;
    struct slice at[DUE_AT_ONCE];
    int count;
};

static int collect_due(void *self, struct slice key, struct slice bytes, int64_t due_ms)
{
    struct due_keys *due = self;

    (void)bytes;
    (void)due_ms;
    due->at[due->count++] = slice_of(arena_copy(due->arena, key.at, key.len), key.len);
    return due->count == DUE_AT_ONCE;
}

/* Timers: what is due is asked of core; rows are looked up by their due time, nothing is swept. */
static void fire_timers(struct engine *engine)
{
    int64_t now_ms = clock_now_us(&engine->clock) / 1000;
    struct due_keys due = {.arena = &engine->arena, .count = 0};
    bool is_stuck = false;

    if (engine->next_due_ms < 0 || engine->next_due_ms > now_ms || engine->is_draining ||
        !engine_is_writable(engine))
        return;
    journal_each_due(engine->journal, now_ms, collect_due, &due, NULL);
    for (int i = 0; i < due.count; i++) {
        struct question question = engine_question(engine, QUESTION_WAKE);
        struct asked asked;

        question.key = due.at[i];
        if (engine_ask(engine, &question, &asked) != 0)
            return;
        is_stuck = is_stuck || asked.leaf_count == 0;
        if (asked.is_refused)
            log_line(LOG_LEVEL_ERROR, "timer of %.*s: %s", (int)due.at[i].len,
                     (const char *)due.at[i].at, asked.refusal.sentence);
    }
    journal_next_due(engine->journal, &engine->next_due_ms, NULL);
    /* What could not be done is due still: asked again later, not in every turn. */
    if (is_stuck && engine->next_due_ms >= 0 && engine->next_due_ms <= now_ms)
        engine->next_due_ms = now_ms + STUCK_TIMER_MS;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* What could not be read makes the journal one that cannot be used, until try_again(). */
static void restore_some(struct engine *engine)
{
    struct error err = {ERROR_NONE, ""};

    if (engine->error[0] != '\0' || engine_restore_more(engine, &err) == 0)
        return;
    log_line(LOG_LEVEL_ERROR, "reading the open tasks: %s", err.text);
    memcpy(engine->error, err.text, sizeof engine->error);
}

static int64_t patience(struct engine *engine, int idle_ms)
{
    int64_t now_ms = clock_now_us(&engine->clock) / 1000;
    int64_t wake_ms = least(least(engine->next_due_ms, engine_next_retry_ms(engine)),
                            engine_floods_next_ms(engine));
    int64_t beat_ms = broker_next_ms(engine->broker) - clock_boot_ms();
    int64_t wait_ms = beat_ms < 0 ? 0 : beat_ms < LOOP_MOST_MS ? beat_ms : LOOP_MOST_MS;
    int64_t head_ms = engine->head_ms + HEAD_EVERY_MS - clock_boot_ms();

    if (engine->is_restoring && engine->error[0] == '\0')
        return 0;
    if (wake_ms >= 0 && wake_ms - now_ms < wait_ms)
        wait_ms = wake_ms > now_ms ? wake_ms - now_ms : 0;
    if (head_ms < wait_ms)
        wait_ms = head_ms > 0 ? head_ms : 0;
    if (idle_ms >= 0 && idle_ms < wait_ms)
        wait_ms = idle_ms;
    return wait_ms;
}

static void sign_checkpoint(struct engine *engine)
{
    int64_t now_ms = clock_boot_ms();
    struct error err = {ERROR_NONE, ""};

    if (now_ms - engine->checkpoint_ms < CHECKPOINT_EVERY_MS || !engine_is_writable(engine))
        return;
    engine->checkpoint_ms = now_ms;
    if (journal_checkpoint(engine->journal, NULL, &err) != 0)
        log_line(LOG_LEVEL_ERROR, "signing a checkpoint: %s", err.text);
}

static void try_again(struct engine *engine, int64_t *probed_ms)
{
    if (engine_is_writable(engine) || journal_health(engine->journal) == JOURNAL_UNKNOWN ||
        clock_boot_ms() - *probed_ms < PROBE_EVERY_MS)
        return;
    *probed_ms = clock_boot_ms();
    if (journal_probe(engine->journal) == 0) {
        engine->error[0] = '\0';
        log_line(LOG_LEVEL_INFO, "the journal can be written again");
    }
}

/* Once when it begins, and once when it is over. */
static void watch_clock(struct engine *engine)
{
    enum clock_state state = clock_state(&engine->clock, NULL);

    if (state == engine->clock_said)
        return;
    engine->clock_said = state;
    if (state == CLOCK_RIGHT)
        log_line(LOG_LEVEL_WARNING, "time goes by the system clock again");
    else
        log_line(LOG_LEVEL_ERROR, "%s", engine_clock_trouble(engine));
}

static int turn(struct engine *engine, int signal_fd, int64_t wait_ms)
{
    struct signalfd_siginfo signal;
    int fds[1] = {signal_fd};
    unsigned ready = broker_wait(engine->broker, fds, 1, wait_ms);

    if ((ready & 1) != 0 && read(signal_fd, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        log_line(LOG_LEVEL_INFO, "stopping on signal %u", signal.ssi_signo);
        engine->must_stop = true;
    }
    engine_lates_enter(engine);
    feed_receive(engine->feed);
    broker_receive(engine->broker, clock_boot_ms());
    restore_some(engine);
    engine_offer_due(engine);
    fire_timers(engine);
    engine_floods_tell(engine);
    engine_loose_sweep(engine);
    if (engine_is_writable(engine) && !engine->is_restoring)
        broker_pair(engine->broker, clock_boot_ms(), clock_now_us(&engine->clock) / 1000);
    engine_commit(engine);
    return 0;
}

static int loop(struct engine *engine, int signal_fd, struct error *err)
{
    int64_t probed_ms = 0, wait_ms = 0;

    while (!engine->must_stop) {
        int idle_ms = -1;

        turn(engine, signal_fd, wait_ms);
        engine_publish_head(engine);
        sign_checkpoint(engine);
        try_again(engine, &probed_ms);
        watch_clock(engine);
        if (journal_idle(engine->journal, clock_boot_ms(), &idle_ms, err) != 0)
            return -1;
        wait_ms = patience(engine, idle_ms);
    }
    /* What has arrived is still answered. */
    engine->is_draining = true;
    broker_drain(engine->broker, true);
    turn(engine, signal_fd, 0);
    return 0;
}

static int block_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void write_pid(struct engine *engine)
{
    FILE *file = fopen(settings_path(&engine->settings, "run/rotad.pid"), "w");

    if (file == NULL)
        return;
    engine->has_pid_file = true;
    fprintf(file, "%ld\n", (long)getpid());
    fclose(file);
}

int engine_exit_status(const struct error *err)
{
    switch (err->class) {
    case ERROR_DAMAGED:
    case ERROR_STALE:
        return 65;
    case ERROR_BUSY:
        return 73;
    case ERROR_INPUT:
        return 78;
    case ERROR_NONE:
    case ERROR_IO:
    case ERROR_FULL:
    case ERROR_MEMORY:
        return 74;
    }
    return 70;
}

int engine_run(const char *directory, int *exit_status, struct error *err)
{
    struct engine engine = {.checkpoint_ms = 0};
    int signal_fd = block_signals();
    int rc = -1;

    umask(0077);
    if (signal_fd >= 0 && engine_open(&engine, directory, err) == 0) {
        write_pid(&engine);
        puts("ready");
        fflush(stdout);
        log_line(LOG_LEVEL_INFO, "%s: %llu entries; accepting", engine.settings.origin,
                 (unsigned long long)journal_size(engine.journal));
        rc = loop(&engine, signal_fd, err);
    }
    *exit_status = rc == 0 ? 0 : engine_exit_status(err);
    engine_close(&engine);
    if (signal_fd >= 0)
        close(signal_fd);
    return rc;
}
