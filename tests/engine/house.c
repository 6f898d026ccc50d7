#include "house.h"

#include "base/dmp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { ARGUMENTS_MAX = 32, LOG_SHOWN = 3000 };

static char template_directory[HOUSE_PATH_MAX];

int64_t boot_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- files ---- */

const char *house_path(struct house *house, const char *name)
{
    return arena_printf(&house->arena, "%s/%s", house->directory, name);
}

static int read_whole(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    char block[4096];
    size_t got;

    if (file == NULL)
        return -1;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        buf_add(out, block, got);
    fclose(file);
    return 0;
}

void house_read(struct house *house, const char *name, struct buf *out)
{
    if (read_whole(house_path(house, name), out) != 0)
        house_fail(house, "%s cannot be read", name);
}

static void write_whole(struct house *house, const char *name, struct slice bytes)
{
    FILE *file = fopen(house_path(house, name), "wb");

    if (file == NULL || (bytes.len > 0 && fwrite(bytes.at, 1, bytes.len, file) != bytes.len) ||
        fclose(file) != 0)
        house_fail(house, "%s cannot be written", name);
}

void house_fail(const struct house *house, const char *format, ...)
{
    struct buf log = BUF_EMPTY;
    char path[HOUSE_PATH_MAX + 16], why[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    snprintf(path, sizeof path, "%s/log/engine", house->directory);
    if (read_whole(path, &log) == 0)
        print_message("the engine's log ends:\n%s\n",
                      buf_text(&log) + (log.len > LOG_SHOWN ? log.len - LOG_SHOWN : 0));
    buf_release(&log);
    fail_msg("%s", why);
    abort();
}

/* ---- programs ---- */

static const char *build_directory(void)
{
    const char *build = getenv("ROTA_BUILD");

    return build != NULL ? build : "build";
}

const char *house_program(struct house *house, const char *name)
{
    return arena_printf(&house->arena, "%s/%s", build_directory(), name);
}

/* Between fork and exec, in a process whose other threads (libzmq has some) may have held any lock: nothing here may
 * allocate. With setenv() here one start in some hundreds hung under the address sanitizer, on its allocator's lock. */
static void prepare_child(int out)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is ended leaves nothing running */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(out, 1);
    dup2(out, 2);
}

int run_program(char *const arguments[], struct buf *said)
{
    int ends[2], status = 0;
    char block[4096];
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        prepare_child(ends[1]);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    close(ends[1]);
    while ((got = read(ends[0], block, sizeof block)) > 0)
        if (said != NULL)
            buf_add(said, block, (size_t)got);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int house_rota(struct house *house, struct buf *said, ...)
{
    char *arguments[ARGUMENTS_MAX];
    va_list list;
    int count = 0;

    arguments[count++] = arena_str(&house->arena, house_program(house, "rota"));
    arguments[count++] = arena_str(&house->arena, "-C");
    arguments[count++] = house->directory;
    va_start(list, said);
    do
        arguments[count] = va_arg(list, char *);
    while (arguments[count++] != NULL && count < ARGUMENTS_MAX);
    va_end(list);
    return run_program(arguments, said);
}

static void must_run(struct house *house, char *const arguments[])
{
    struct buf said = BUF_EMPTY;
    int status = run_program(arguments, &said);

    if (status != 0)
        house_fail(house, "%s %s: exit %d: %s", arguments[0], arguments[1], status,
                   buf_text(&said));
    buf_release(&said);
}

void house_advance(struct house *house, int64_t ms)
{
    struct buf said = BUF_EMPTY;
    char *span = arena_printf(&house->arena, "%lld s", (long long)((ms + 999) / 1000));

    if (house_rota(house, &said, "clock", "advance", span, NULL) != 0)
        house_fail(house, "the clock cannot be moved: %s", buf_text(&said));
    buf_release(&said);
}

/* ---- founding ---- */

static void remove_template(void)
{
    char *arguments[] = {"rm", "-rf", template_directory, NULL};

    run_program(arguments, NULL);
}

static void found_template(struct house *house)
{
    const char *base = getenv("TMPDIR");
    char whole[HOUSE_PATH_MAX + 8];
    char *arguments[] = {NULL, "init", whole, "--sample", NULL};

    snprintf(template_directory, sizeof template_directory, "%s/rota.XXXXXX",
             base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(template_directory));
    atexit(remove_template);
    snprintf(whole, sizeof whole, "%s/o", template_directory);
    arguments[0] = arena_str(&house->arena, house_program(house, "rota"));
    must_run(house, arguments);
}

struct house *house_new(void)
{
    struct house *house = calloc(1, sizeof *house);
    char *arguments[] = {"cp", "-a", NULL, NULL, NULL};
    static int number;

    assert_non_null(house);
    assert_int_equal(setenv("ROTA_SHARE", ".", 0), 0);
    if (template_directory[0] == '\0')
        found_template(house);
    snprintf(house->directory, sizeof house->directory, "%.90s/%d", template_directory, ++number);
    arguments[2] = arena_printf(&house->arena, "%s/o", template_directory);
    arguments[3] = house->directory;
    must_run(house, arguments);
    house->context = zmq_ctx_new();
    assert_non_null(house->context);
    return house;
}

void house_free(struct house **house)
{
    struct house *gone = *house;
    char *arguments[] = {"rm", "-rf", gone->directory, NULL};

    *house = NULL;
    if (gone->rotad != 0)
        assert_int_equal(house_stop(gone), 0);
    house_prove(gone, true);
    for (int i = 0; i < gone->socket_count; i++)
        zmq_close(gone->sockets[i]);
    zmq_ctx_term(gone->context);
    run_program(arguments, NULL);
    arena_release(&gone->arena);
    free(gone);
}

void house_set(struct house *house, const char *name, const char *value)
{
    struct buf text = BUF_EMPTY, changed = BUF_EMPTY;
    const char *at, *line;
    size_t len = strlen(name);

    house_read(house, "rotad.cfg", &text);
    for (line = at = buf_text(&text); *line != '\0'; line = at) {
        at = strchr(line, '\n');
        at = at != NULL ? at + 1 : line + strlen(line);
        if (strncmp(line, name, len) != 0 || (line[len] != ' ' && line[len] != '='))
            buf_add(&changed, line, (size_t)(at - line));
    }
    buf_addf(&changed, "%s = %s;\n", name, value);
    write_whole(house, "rotad.cfg", buf_slice(&changed));
    buf_release(&text);
    buf_release(&changed);
}

/* ---- sockets: those that a failed test left open would keep the context from ending ---- */

void *house_socket(struct house *house, int type)
{
    void *socket = zmq_socket(house->context, type);

    assert_non_null(socket);
    assert_true(house->socket_count < HOUSE_SOCKETS_MAX);
    house->sockets[house->socket_count++] = socket;
    return socket;
}

void house_socket_close(struct house *house, void *socket)
{
    for (int i = 0; i < house->socket_count; i++) {
        if (house->sockets[i] == socket)
            house->sockets[i] = house->sockets[--house->socket_count];
    }
    zmq_close(socket);
}

/* ---- the engine's process ---- */

static void become_engine(struct house *house, const char *program, int out, int log)
{

    prepare_child(log);
    dup2(out, 1);
    signal(SIGXFSZ, SIG_IGN); /* a test may limit its files: an error for it, not its end */
    execl(program, program, house->directory, (char *)NULL);
    _exit(127);
}

/* Gives the end of the pipe that is the engine's stdout. */
static int spawn(struct house *house)
{
    const char *program = house_program(house, "rotad");
    int ends[2], log;

    assert_int_equal(house->rotad, 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    log = open(house_path(house, "log/engine"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(log >= 0);
    house->rotad = fork();
    assert_true(house->rotad >= 0);
    if (house->rotad == 0)
        become_engine(house, program, ends[1], log);
    close(ends[1]);
    close(log);
    return ends[0];
}

static bool says_ready(int out)
{
    struct pollfd poll_out = {out, POLLIN, 0};
    char line[16] = "";

    return poll(&poll_out, 1, PATIENCE_MS) == 1 && read(out, line, sizeof line - 1) == 6 &&
           strcmp(line, "ready\n") == 0;
}

void house_start(struct house *house)
{
    int out = spawn(house);
    bool is_ready = says_ready(out);

    close(out);
    if (!is_ready)
        house_fail(house, "the engine did not become ready (process %d)", (int)house->rotad);
}

int process_wait(pid_t process)
{
    struct pollfd end = {(int)syscall(SYS_pidfd_open, process, 0), POLLIN, 0};
    int status = 0, ready = poll(&end, 1, PATIENCE_MS);

    close(end.fd);
    if (ready != 1)
        return -1;
    assert_int_equal(waitpid(process, &status, 0), process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int house_wait(struct house *house)
{
    int status = process_wait(house->rotad);

    if (status < 0) {
        house_kill(house);
        house_fail(house, "the engine does not end");
    }
    house->rotad = 0;
    return status;
}

/* Everything the engine says until it ends, or until it is ready after all. */
static void read_refusal(int out, struct buf *said)
{
    struct pollfd waits = {out, POLLIN, 0};
    char block[1024];
    ssize_t got;

    while (poll(&waits, 1, PATIENCE_MS) == 1 && (got = read(out, block, sizeof block)) > 0) {
        buf_add(said, block, (size_t)got);
        if (strstr(buf_text(said), "ready\n") != NULL)
            return;
    }
}

int house_start_refused(struct house *house, char said[4096])
{
    const char *program = house_program(house, "rotad");
    struct buf out = BUF_EMPTY;
    pid_t process;
    int ends[2], status;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        prepare_child(ends[1]);
        execl(program, program, house->directory, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    read_refusal(ends[0], &out);
    close(ends[0]);
    snprintf(said, 4096, "%s", buf_text(&out));
    if (strstr(said, "ready\n") != NULL)
        kill(process, SIGKILL);
    status = process_wait(process);
    buf_release(&out);
    return status;
}

void house_kill(struct house *house)
{
    int status;

    assert_true(house->rotad > 0);
    kill(house->rotad, SIGKILL);
    assert_int_equal(waitpid(house->rotad, &status, 0), house->rotad);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        house_fail(house, "the engine had ended by itself (status %d)", status);
    house->rotad = 0;
}

int house_stop(struct house *house)
{
    assert_true(house->rotad > 0);
    kill(house->rotad, SIGTERM);
    return house_wait(house);
}

bool house_runs(struct house *house)
{
    return house->rotad > 0 && waitpid(house->rotad, NULL, WNOHANG) == 0;
}

/* ---- the proof ---- */

static void copy_file(struct house *house, const char *from, const char *to)
{
    struct buf bytes = BUF_EMPTY;

    house_read(house, from, &bytes);
    write_whole(house, to, buf_slice(&bytes));
    buf_release(&bytes);
}

/* Files as they lie there, log and all; SQLite then brings the copy to rest. */
static void copy_journal(struct house *house)
{
    const char *const left_over[] = {"proof.db", "proof.db-wal", "proof.db-shm"};
    sqlite3 *db = NULL;

    for (size_t i = 0; i < 3; i++)
        unlink(house_path(house, left_over[i]));
    copy_file(house, "journal.db", "proof.db");
    if (access(house_path(house, "journal.db-wal"), F_OK) == 0)
        copy_file(house, "journal.db-wal", "proof.db-wal");
    if (sqlite3_open(house_path(house, "proof.db"), &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE", NULL,
                     NULL, NULL) != SQLITE_OK)
        house_fail(house, "the copy of the journal cannot be read: %s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void add_row(struct house *house, sqlite3_stmt *rows, const char *but, struct buf *out)
{
    const char *key = (const char *)sqlite3_column_text(rows, 0);
    struct slice bytes =
        slice_of(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1));
    struct value row = VALUE_NONE;

    if (strcmp(key, but) == 0)
        return;
    if (dmp_decode_large(&house->arena, bytes, UINT32_MAX, &row, NULL) != 0)
        house_fail(house, "row %s cannot be read", key);
    row = value_copy(&house->arena, &row);
    if (value_get(&row, "last") != NULL)
        value_set(&house->arena, &row, "last", value_int(0));
    buf_add_str(out, key);
    dmp_encode(out, &row);
}

void house_state(struct house *house, const char *who, uint8_t out[HASH_LEN])
{
    const char *but = arena_printf(&house->arena, "refusal/%s", who);
    struct buf bytes = BUF_EMPTY;
    sqlite3_stmt *rows = NULL;
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(house_path(house, "journal.db"), &db, SQLITE_OPEN_READONLY, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA busy_timeout = 5000", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT key, row FROM state ORDER BY key", -1, &rows, NULL) !=
            SQLITE_OK)
        house_fail(house, "the stored state cannot be read: %s", sqlite3_errmsg(db));
    while (sqlite3_step(rows) == SQLITE_ROW)
        add_row(house, rows, but, &bytes);
    hash_bytes(buf_slice(&bytes), out);
    buf_release(&bytes);
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static void prove_by(struct house *house, char *const arguments[])
{
    struct buf said = BUF_EMPTY;
    int status = run_program(arguments, &said);

    if (status != 0)
        house_fail(house, "%s: exit %d: %s", arguments[0], status, buf_text(&said));
    buf_release(&said);
}

void house_prove(struct house *house, bool who_else)
{
    char *copy = arena_str(&house->arena, house_path(house, "proof.db"));
    char *auditor = getenv("ROTA_AUDITOR");
    struct buf key = BUF_EMPTY;
    char *verify[] = {arena_str(&house->arena, house_program(house, "rota-verify")), copy, "--vkey",
                      NULL, NULL};
    char *audit[] = {"/usr/bin/python3", auditor, copy, "--vkey", NULL, NULL};

    copy_journal(house);
    house_read(house, "keys/log.vkey", &key);
    verify[3] = audit[4] =
        arena_printf(&house->arena, "%.*s", (int)strcspn(buf_text(&key), "\n"), buf_text(&key));
    prove_by(house, verify);
    if (who_else && auditor != NULL && auditor[0] != '\0')
        prove_by(house, audit);
    buf_release(&key);
}
