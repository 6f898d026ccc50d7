#include "common/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { STEP_BYTES = 16384 };

struct run { /* one program while it runs; descriptors are -1 once closed */
    const struct child *child;
    struct child_end *end;
    pid_t pid;
    int pid_fd, in_fd, out_fd, err_fd;
    struct slice input;  /* what was not written yet */
    int64_t stop_ms;     /* when it was told to stop; 0: not yet */
    int64_t deadline_ms; /* 0: none */
};

static int64_t clock_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- starting ---- */

/* Our environment with the child's names before it: the first of a name is the one that programs
 * find. */
static char **environment_of(const struct child *child)
{
    size_t own = 0, added = 0;
    char **list;

    while (environ[own] != NULL)
        own++;
    while (child->environment != NULL && child->environment[added] != NULL)
        added++;
    list = malloc((own + added + 1) * sizeof *list);
    if (list == NULL)
        return NULL;
    if (added > 0)
        memcpy(list, child->environment, added * sizeof *list);
    memcpy(list + added, environ, (own + 1) * sizeof *list);
    return list;
}

/* A group of its own, no blocked signals, SIGPIPE as programs expect it. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, reset;

    sigemptyset(&none);
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    sigaddset(&reset, SIGTERM);
    sigaddset(&reset, SIGINT);
    return posix_spawnattr_setpgroup(attributes, 0) != 0 ||
                   posix_spawnattr_setsigmask(attributes, &none) != 0 ||
                   posix_spawnattr_setsigdefault(attributes, &reset) != 0 ||
                   posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP |
                                                            POSIX_SPAWN_SETSIGMASK |
                                                            POSIX_SPAWN_SETSIGDEF) != 0
               ? -1
               : 0;
}

static int spawn(struct run *run, const int ends[3], char **environment)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    rc = set_attributes(&attributes);
    for (int fd = 0; rc == 0 && fd < 3; fd++)
        rc = posix_spawn_file_actions_adddup2(&actions, ends[fd], fd);
    if (rc == 0 && run->child->folder_fd >= 0)
        rc = posix_spawn_file_actions_addfchdir_np(&actions, run->child->folder_fd);
    if (rc == 0)
        rc = posix_spawnp(&run->pid, run->child->argv[0], &actions, &attributes, run->child->argv,
                          environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

static void set_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int start(struct run *run, struct error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, bad[2] = {-1, -1}, rc = EMFILE;
    char **environment = environment_of(run->child);

    if (environment != NULL && pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
        pipe2(bad, O_CLOEXEC) == 0)
        rc = spawn(run, (const int[3]){in[0], out[1], bad[1]}, environment);
    free(environment);
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&bad[1]);
    if (rc != 0) {
        close_fd(&in[1]);
        close_fd(&out[0]);
        close_fd(&bad[0]);
        return error_set(err, ERROR_IO, "cannot start %s: %s", run->child->argv[0], strerror(rc));
    }
    run->in_fd = in[1];
    run->out_fd = out[0];
    run->err_fd = bad[0];
    run->pid_fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    set_nonblocking(run->in_fd);
    set_nonblocking(run->out_fd);
    set_nonblocking(run->err_fd);
    return 0;
}

/* ---- running ---- */

static void tell_to_stop(struct run *run, enum child_stop why)
{
    if (run->stop_ms != 0)
        return;
    run->end->stop = why;
    run->stop_ms = clock_now_ms();
    kill(-run->pid, SIGTERM);
}

static void write_input(struct run *run)
{
    ssize_t put = run->input.len == 0 ? 0 : write(run->in_fd, run->input.at, run->input.len);

    if (put > 0)
        run->input = slice_of(run->input.at + put, run->input.len - (size_t)put);
    /* A program that does not read its input to the end is no failure. */
    if (run->input.len == 0 || (put < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&run->in_fd);
}

/* Reads what waits; false at the end. */
static bool read_some(int *fd, struct buf *out)
{
    ssize_t got;

    buf_reserve(out, STEP_BYTES);
    got = read(*fd, out->at + out->len, STEP_BYTES);
    if (got > 0)
        out->len += (size_t)got;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(fd);
    return got > 0;
}

static void read_output(struct run *run)
{
    read_some(&run->out_fd, &run->end->output);
    if (run->end->output.len > run->child->output_max) {
        run->end->output.len = run->child->output_max;
        tell_to_stop(run, CHILD_TOO_MUCH);
        close_fd(&run->out_fd);
    }
}

static void read_errors(struct run *run)
{
    struct buf *errors = &run->end->errors;
    size_t over;

    read_some(&run->err_fd, errors);
    if (errors->len <= CHILD_ERRORS_MAX)
        return;
    over = errors->len - CHILD_ERRORS_MAX;
    memmove(errors->at, errors->at + over, CHILD_ERRORS_MAX);
    errors->len = CHILD_ERRORS_MAX;
}

static int wait_ms(const struct run *run, int64_t now_ms)
{
    int64_t until_ms = run->stop_ms != 0 ? run->stop_ms + CHILD_GRACE_MS : run->deadline_ms;

    if (until_ms == 0)
        return -1;
    return until_ms <= now_ms ? 0 : (int)(until_ms - now_ms);
}

static void check_time(struct run *run, int64_t now_ms)
{
    if (run->stop_ms != 0 && now_ms >= run->stop_ms + CHILD_GRACE_MS)
        kill(-run->pid, SIGKILL);
    else if (run->deadline_ms != 0 && now_ms >= run->deadline_ms)
        tell_to_stop(run, CHILD_TOO_LONG);
}

/* Until the program itself has ended; descriptors that are closed are skipped by poll. */
static void converse(struct run *run)
{
    bool has_ended = false;

    while (!has_ended) {
        struct pollfd fds[] = {{run->in_fd, POLLOUT, 0},
                               {run->out_fd, POLLIN, 0},
                               {run->err_fd, POLLIN, 0},
                               {run->pid_fd, POLLIN, 0},
                               {run->stop_ms != 0 ? -1 : run->child->cancel_fd, POLLIN, 0}};

        if (poll(fds, sizeof fds / sizeof fds[0], wait_ms(run, clock_now_ms())) < 0)
            continue;
        if (fds[0].revents != 0)
            write_input(run);
        if (fds[1].revents != 0)
            read_output(run);
        if (fds[2].revents != 0)
            read_errors(run);
        if (fds[4].revents != 0)
            tell_to_stop(run, CHILD_CANCELLED);
        has_ended = fds[3].revents != 0;
        if (!has_ended)
            check_time(run, clock_now_ms());
    }
}

/* What it said before it ended still stands in the pipes. */
static void read_rest(struct run *run)
{
    while (run->out_fd >= 0 && run->end->output.len <= run->child->output_max &&
           read_some(&run->out_fd, &run->end->output))
        ;
    if (run->end->output.len > run->child->output_max) {
        run->end->output.len = run->child->output_max;
        run->end->stop = CHILD_TOO_MUCH;
    }
    if (run->err_fd >= 0)
        read_errors(run);
}

static void collect(struct run *run)
{
    int status = 0;

    /* Children that outlived it. The group exists as long as the program is not collected. */
    kill(-run->pid, SIGKILL);
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        ;
    run->end->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run->end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int child_run(const struct child *child, struct child_end *end, struct error *err)
{
    struct run run = {.child = child,
                      .end = end,
                      .pid_fd = -1,
                      .in_fd = -1,
                      .out_fd = -1,
                      .err_fd = -1,
                      .input = child->input};
    int rc = 0;

    *end = (struct child_end){.stop = CHILD_ENDED, .exit_status = -1};
    if (start(&run, err) != 0)
        return -1;
    if (child->run_ms > 0)
        run.deadline_ms = clock_now_ms() + child->run_ms;
    if (run.pid_fd >= 0)
        converse(&run);
    else
        rc = error_set(err, ERROR_IO, "the kernel gives no descriptor of a process");
    if (rc == 0)
        read_rest(&run);
    collect(&run);
    close_fd(&run.in_fd);
    close_fd(&run.out_fd);
    close_fd(&run.err_fd);
    close_fd(&run.pid_fd);
    return rc;
}

void child_end_release(struct child_end *end)
{
    buf_release(&end->output);
    buf_release(&end->errors);
}
