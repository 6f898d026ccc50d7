#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { READY_MS = 60000 };

void fail(const char *format, ...)
{
    va_list args;

    fputs("bench: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

const char *target_name(enum target target)
{
    static const char *const names[TARGET_COUNT] = {"limit", "rota", "rota, signed",
                                                    "rota, no CURVE"};

    return names[target];
}

const char *principal_name(int principal)
{
    static const char *const names[PRINCIPALS] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"};

    return names[principal];
}

/* ---- founding ---- */

static const char *path_in(const struct world *world, const char *name)
{
    static char paths[4][2 * BENCH_PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", world->directory, name);
    return path;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        fail("%s: %s", path, strerror(errno));
}

static void copy_pack(const struct world *world)
{
    DIR *from = opendir(world->place->pack);
    const struct dirent *entry;
    static char text[64 * 1024];

    if (from == NULL)
        fail("%s: %s", world->place->pack, strerror(errno));
    while ((entry = readdir(from)) != NULL) {
        char path[2 * BENCH_PATH_MAX], name[BENCH_PATH_MAX];
        FILE *file;
        size_t len;

        if (entry->d_name[0] == '.' || strlen(entry->d_name) > 64)
            continue;
        snprintf(path, sizeof path, "%s/%.64s", world->place->pack, entry->d_name);
        snprintf(name, sizeof name, "pack/%.64s", entry->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            fail("%s: %s", path, strerror(errno));
        len = fread(text, 1, sizeof text - 1, file);
        text[len] = '\0';
        fclose(file);
        write_text(path_in(world, name), text);
    }
    closedir(from);
}

static void save_key(const struct world *world, const char *name, const struct keyfile *key)
{
    struct error err = {ERROR_NONE, ""};
    char file[64];

    snprintf(file, sizeof file, "keys/%s.key", name);
    if (keyfile_save(path_in(world, file), key, true, &err) != 0)
        fail("%s", err.text);
}

static void make_keys(struct world *world)
{
    struct keyfile log = {0};
    struct error err = {ERROR_NONE, ""};
    int rc = keyfile_new_sign(&log, &err) | keyfile_new_curve(&world->engine, &err) |
             keyfile_new_curve(&world->worker, &err);

    for (int i = 0; i < PRINCIPALS; i++)
        rc |=
            keyfile_new_curve(&world->people[i], &err) | keyfile_new_sign(&world->people[i], &err);
    if (rc != 0)
        fail("%s", err.text);
    save_key(world, "log", &log);
    save_key(world, "engine", &world->engine);
    save_key(world, "bench-worker", &world->worker);
    for (int i = 0; i < PRINCIPALS; i++)
        save_key(world, principal_name(i), &world->people[i]);
}

static void write_directory(const struct world *world)
{
    static const char workers[] =
        "workers = ( { name = \"bench-worker\"; serves = [\"bench.*\", \"approval.request\"]; },\n"
        "            { name = \"plain\"; serves = [\"bench.*\"]; } );\n";
    char text[4096] = "people = (\n";
    size_t len = strlen(text);

    for (int i = 0; i < PRINCIPALS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "  { name = \"%s\"; roles = [\"writer\"]; }%s\n", principal_name(i),
                                i + 1 < PRINCIPALS ? "," : " );");
    snprintf(text + len, sizeof text - len, "%s", workers);
    write_text(path_in(world, "directory.cfg"), text);
}

static pid_t start_program(const char *const argv[], int out, int err)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    if (out >= 0)
        dup2(out, STDOUT_FILENO);
    if (err >= 0)
        dup2(err, STDERR_FILENO);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void found_rota(struct world *world)
{
    char rotad[2 * BENCH_PATH_MAX];
    const char *argv[] = {rotad, "--init", world->directory, NULL};
    static const char settings[] =
        "origin = \"bench.example/isms\";\ntimezone = \"UTC\";\nclock = \"system\";\n"
        "front = [\"ipc://run/front\"];\nfeed = [\"ipc://run/feed\"];\n"
        "admin = \"ipc://run/admin\";\nlog_level = 2;\n";
    char text[1024];

    snprintf(rotad, sizeof rotad, "%s/rotad", world->place->build);
    snprintf(text, sizeof text, "%s%s", settings,
             world->target == TARGET_INSECURE ? "insecure = true;\nplain = \"ipc://run/plain\";\n"
                                              : "");
    write_text(path_in(world, "rotad.cfg"), text);
    write_directory(world);
    copy_pack(world);
    make_keys(world);
    if (wait_for(start_program(argv, -1, -1)) != 0)
        fail("rotad --init failed");
}

static void share_count(struct world *world)
{
    int fd = open(path_in(world, "syncs"), O_RDWR | O_CREAT, 0600);
    void *at = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof(uint64_t)) == 0)
        at = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        fail("syncs: %s", strerror(errno));
    close(fd);
    world->syncs = at;
}

void world_found(struct world *world, enum target target, const struct place *place)
{
    static const char *const folders[] = {"run", "keys", "pack", "log"};
    const char *tmp = getenv("TMPDIR");

    memset(world, 0, sizeof *world);
    world->target = target;
    world->place = place;
    snprintf(world->directory, sizeof world->directory, "%s/rota-bench.XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(world->directory) == NULL)
        fail("%s: %s", world->directory, strerror(errno));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        mkdir(path_in(world, folders[i]), 0700);
    share_count(world);
    if (target != TARGET_LIMIT)
        found_rota(world);
    world->founded_bytes = world_bytes(world);
}

/* ---- running ---- */

static void await_ready(const struct world *world, int fd)
{
    char said[64] = "";
    size_t len = 0;
    ssize_t got;

    while (strchr(said, '\n') == NULL && len < sizeof said - 1) {
        got = read(fd, said + len, sizeof said - 1 - len);
        if (got <= 0)
            fail("%s did not start; see %s/log", target_name(world->target), world->directory);
        len += (size_t)got;
        said[len] = '\0';
    }
}

double world_start(struct world *world)
{
    char program[2 * BENCH_PATH_MAX], preload[2 * BENCH_PATH_MAX];
    const char *argv[] = {program, world->directory, NULL};
    int pipes[2], log = open(path_in(world, "log/server.log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    double began = now_ms();

    snprintf(program, sizeof program, "%s/%s", world->place->build,
             world->target == TARGET_LIMIT ? "tests/bench/limit" : "rotad");
    snprintf(preload, sizeof preload, "%s/tests/bench/syncs.so", world->place->build);
    if (pipe2(pipes, O_CLOEXEC) != 0 || log < 0)
        fail("starting: %s", strerror(errno));
    setenv("LD_PRELOAD", preload, 1);
    setenv("BENCH_SYNCS", path_in(world, "syncs"), 1);
    world->server = start_program(argv, pipes[1], log);
    unsetenv("LD_PRELOAD");
    close(pipes[1]);
    close(log);
    await_ready(world, pipes[0]);
    close(pipes[0]);
    return now_ms() - began;
}

static void start_worker(struct world *world, const char *service, const char *status)
{
    const char *argv[] = {
        world->place->self, "--worker", world->directory, service, status, NULL, NULL};

    /* Where there is no CURVE, workers speak on the plain socket of rotad, and on the only one of the limit. */
    argv[5] = world->target == TARGET_LIMIT      ? "front"
              : world->target == TARGET_INSECURE ? "plain"
                                                 : "curve";
    world->workers[world->worker_count++] = start_program(argv, -1, -1);
}

void world_serve(struct world *world)
{
    if (world->target == TARGET_SIGNED)
        start_worker(world, "approval.request", "202");
    else
        start_worker(world, "bench.approve", "200");
    start_worker(world, "bench.tell", "200");
}

void world_stop_workers(struct world *world)
{
    while (world->worker_count > 0) {
        pid_t worker = world->workers[--world->worker_count];

        kill(worker, SIGKILL);
        wait_for(worker);
    }
}

void world_stop(struct world *world)
{
    int status;

    if (world->server == 0)
        return;
    kill(world->server, SIGTERM);
    status = wait_for(world->server);
    world->server = 0;
    if (status != 0)
        fail("%s ended with %d; see %s/log", target_name(world->target), status, world->directory);
}

void world_kill(struct world *world)
{
    kill(world->server, SIGKILL);
    wait_for(world->server);
    world->server = 0;
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char inside[4 * BENCH_PATH_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_folder(inside);
        else
            unlink(inside);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

void world_remove(struct world *world)
{
    world_stop_workers(world);
    world_stop(world);
    munmap((void *)(uintptr_t)world->syncs, sizeof(uint64_t));
    remove_folder(world->directory);
}

/* ---- looking from outside ---- */

struct usage world_usage(const struct world *world)
{
    struct usage usage = {0, *world->syncs};
    unsigned long user = 0, kernel = 0;
    char path[64], text[1024] = "";
    const char *after;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)world->server);
    file = fopen(path, "r");
    if (file == NULL || fread(text, 1, sizeof text - 1, file) == 0)
        fail("%s: %s", path, strerror(errno));
    fclose(file);
    after = strrchr(text, ')');
    if (after == NULL || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                &user, &kernel) != 2)
        fail("%s cannot be read", path);
    usage.cpu_us = (uint64_t)(user + kernel) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    return usage;
}

static double status_mb(const struct world *world, const char *name)
{
    char path[64], line[256];
    double kb = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)world->server);
    file = fopen(path, "r");
    while (file != NULL && kb < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtod(line + strlen(name) + 1, NULL);
    if (file != NULL)
        fclose(file);
    return kb / 1024;
}

double world_peak_mb(const struct world *world)
{
    return status_mb(world, "VmHWM");
}

double world_rss_mb(const struct world *world)
{
    return status_mb(world, "VmRSS");
}

uint64_t world_bytes(const struct world *world)
{
    static const char *const files[] = {"journal.db", "journal.db-wal", "limit.db", "limit.db-wal"};
    uint64_t bytes = 0;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct stat facts;

        if (stat(path_in(world, files[i]), &facts) == 0)
            bytes += (uint64_t)facts.st_size;
    }
    return bytes;
}

/* ---- sockets ---- */

void *world_connect(const struct world *world, void *context, int type, const char *name,
                    const struct keyfile *key)
{
    void *socket = zmq_socket(context, type);
    char endpoint[2 * BENCH_PATH_MAX];
    int linger = 0, hwm = 0;

    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    if (key != NULL) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, world->engine.curve_public, CURVE_KEY_LEN);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key->curve_public, CURVE_KEY_LEN);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->curve_secret, CURVE_KEY_LEN);
    }
    snprintf(endpoint, sizeof endpoint, "ipc://%s/run/%s", world->directory, name);
    if (zmq_connect(socket, endpoint) != 0)
        fail("%s: %s", endpoint, zmq_strerror(zmq_errno()));
    return socket;
}
