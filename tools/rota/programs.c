/* programs.c - the other programs of the house. */
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_LEN = 4096, COMM_LEN = 15, LOG_SHOWN = 2000, STEP_MS = 20 };

/* ---- where --------------------------------------------------------------------------------------- */

static const char *own_directory(struct tool *tool)
{
    char path[PATH_LEN];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

    if (len <= 0)
        return ".";
    path[len] = '\0';
    *strrchr(path, '/') = '\0';
    return arena_str(&tool->arena, path);
}

const char *program_find(struct tool *tool, const char *name)
{
    const char *path = arena_printf(&tool->arena, "%s/%s", own_directory(tool), name),
               *all = getenv("PATH");
    char whole[PATH_MAX];

    if (access(path, X_OK) == 0)
        return path;
    while (all != NULL && *all != '\0') {
        size_t len = strcspn(all, ":");
        const char *folder = arena_copy(&tool->arena, all, len);

        path = arena_printf(&tool->arena, "%s/%s", folder, name);
        /* Not what a link leads to: Graphviz is one program that goes by its name. */
        if (len > 0 && access(path, X_OK) == 0)
            return arena_printf(&tool->arena, "%s/%s",
                                realpath(folder, whole) != NULL ? whole : folder, name);
        all += len + (all[len] == ':');
    }
    return NULL;
}

const char *program_share(struct tool *tool, const char *name)
{
    static const char *const places[] = {"../share/rota", "..", "../.."};
    const char *path, *share = getenv("ROTA_SHARE");

    if (share != NULL && *share != '\0') {
        path = arena_printf(&tool->arena, "%s/%s", share, name);
        return access(path, R_OK) == 0 ? path : NULL;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        path = arena_printf(&tool->arena, "%s/%s/%s", own_directory(tool), places[i], name);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

/* ---- foreground ---------------------------------------------------------------------------------- */

static int run_program(char *const *argv, bool is_aside)
{
    pid_t pid;
    int state = 0;

    fflush(NULL);
    pid = fork();
    if (pid < 0)
        return tool_fail(-1, "fork: %s", strerror(errno));
    if (pid == 0) {
        if (!is_aside || dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
            execv(argv[0], argv);
        fprintf(stderr, "rota: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    while (waitpid(pid, &state, 0) < 0)
        if (errno != EINTR)
            return tool_fail(-1, "waitpid: %s", strerror(errno));
    if (WIFSIGNALED(state))
        return tool_fail(-1, "%s was ended by signal %d", argv[0], WTERMSIG(state));
    return WEXITSTATUS(state);
}

int program_run(struct tool *tool, char *const *argv)
{
    (void)tool;
    return run_program(argv, false);
}

int program_run_aside(struct tool *tool, char *const *argv)
{
    (void)tool;
    return run_program(argv, true);
}

/* ---- background ---------------------------------------------------------------------------------- */

static const char *pid_path(struct tool *tool, const char *name)
{
    return tool_path(tool, arena_printf(&tool->arena, "run/%s.pid", name));
}

static size_t read_small(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, out, room - 1) : -1;

    if (fd >= 0)
        close(fd);
    out[len > 0 ? len : 0] = '\0';
    return len > 0 ? (size_t)len : 0;
}

/* The last argument of a process; "" if it cannot be read. */
static const char *last_argument(struct tool *tool, long pid)
{
    char text[PATH_LEN];
    size_t len =
               read_small(arena_printf(&tool->arena, "/proc/%ld/cmdline", pid), text, sizeof text),
           at = len > 0 ? len - 1 : 0; /* on the end of the last one */

    while (at > 0 && text[at - 1] != '\0')
        at--;
    return arena_str(&tool->arena, text + at);
}

/* Does it work for this organisation? A number that a crash left behind, or that was copied together with its directory, may be
 * the same program's of another one. What is started here has its directory as the last argument, and works in it: that
 * counts where the directory has been moved since. */
static bool works_here(struct tool *tool, long pid)
{
    const char *cwd = arena_printf(&tool->arena, "/proc/%ld/cwd", pid),
               *dir = last_argument(tool, pid);
    struct stat its, ours;

    if (*dir != '/')
        dir = arena_printf(&tool->arena, "%s/%s", cwd, dir);
    return stat(tool->dir, &ours) == 0 && (stat(dir, &its) == 0 || stat(cwd, &its) == 0) &&
           its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

/* A number in a file says little after a crash: the process must also have the right name, work here, and not be a corpse. */
pid_t program_pid(struct tool *tool, const char *name)
{
    char text[256];
    const char *close_paren;
    long pid;

    if (read_small(pid_path(tool, name), text, sizeof text) == 0)
        return 0;
    pid = strtol(text, NULL, 10);
    if (pid <= 1 ||
        read_small(arena_printf(&tool->arena, "/proc/%ld/comm", pid), text, sizeof text) == 0 ||
        strncmp(text, name, strlen(name) < COMM_LEN ? strlen(name) : COMM_LEN) != 0)
        return 0;
    read_small(arena_printf(&tool->arena, "/proc/%ld/stat", pid), text, sizeof text);
    close_paren = strrchr(text, ')');
    if (close_paren != NULL && close_paren[1] == ' ' && close_paren[2] == 'Z')
        return 0;
    return works_here(tool, pid) ? (pid_t)pid : 0;
}

static int write_pid(struct tool *tool, const char *name, pid_t pid)
{
    const char *path = pid_path(tool, name);
    FILE *file = fopen(path, "we");

    if (file == NULL || fprintf(file, "%ld\n", (long)pid) < 0 || fclose(file) != 0)
        return tool_fail(TOOL_INTERNAL, "%s: %s", path, strerror(errno));
    return TOOL_DONE;
}

static void become(struct tool *tool, char *const *argv, int log, int ready_fd)
{
    int none = open("/dev/null", O_RDONLY);

    setsid();
    if (ready_fd < 0) /* whoever has our pipe as stdout must outlive us */
        signal(SIGPIPE, SIG_DFL);
    if (none < 0 || dup2(none, 0) < 0 || dup2(ready_fd >= 0 ? ready_fd : log, 1) < 0 ||
        dup2(log, 2) < 0)
        _exit(127);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    if (chdir(tool->dir) != 0) /* not where somebody happened to stand */
        _exit(127);
    execv(argv[0], argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static long log_length(struct tool *tool, const char *name)
{
    struct stat about;
    const char *path = tool_path(tool, arena_printf(&tool->arena, "log/%s.log", name));

    return stat(path, &about) == 0 ? (long)about.st_size : 0;
}

/* What the program has said since its log was `from` bytes long. */
static void show_log(struct tool *tool, const char *name, long from)
{
    const char *path = tool_path(tool, arena_printf(&tool->arena, "log/%s.log", name));
    FILE *file = fopen(path, "re");
    char text[LOG_SHOWN + 1];
    size_t len;

    if (file == NULL)
        return;
    len = fseek(file, from, SEEK_SET) == 0 ? fread(text, 1, LOG_SHOWN, file) : 0;
    fclose(file);
    text[len] = '\0';
    fputs(text, stderr);
}

/* What sysexits of the engine mean here. */
static int meaning_of(struct tool *tool, const char *name, int state, long log_from)
{
    int code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;

    show_log(tool, name, log_from);
    if (code == 65)
        return tool_fail(TOOL_INPUT, "%s does not start: the journal is damaged, or not the newest",
                         name);
    if (code == 73)
        return tool_fail(TOOL_REFUSED, "%s does not start: another engine works on this directory",
                         name);
    if (code == 78)
        return tool_fail(TOOL_INPUT, "%s does not start: its configuration is wrong", name);
    return code >= 0 ? tool_fail(TOOL_INTERNAL, "%s ended with status %d", name, code)
                     : tool_fail(TOOL_INTERNAL, "%s was ended by signal %d", name, WTERMSIG(state));
}

/* Reads lines until the one that is waited for. */
static bool wait_ready(int fd, const char *ready)
{
    FILE *from = fdopen(fd, "r");
    char line[512];
    bool found = false;

    while (from != NULL && !found && fgets(line, sizeof line, from) != NULL)
        found = strncmp(line, ready, strlen(ready)) == 0;
    if (from != NULL)
        fclose(from);
    return found;
}

int program_start(struct tool *tool, const char *name, char *const *argv, bool keep_pid,
                  const char *ready)
{
    int ends[2] = {-1, -1}, state = 0, status = TOOL_DONE;
    long log_from = log_length(tool, name);
    const char *log_path = tool_path(tool, arena_printf(&tool->arena, "log/%s.log", name));
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid;

    if (log < 0)
        return tool_fail(TOOL_INTERNAL, "%s: %s", log_path, strerror(errno));
    if (ready != NULL && pipe2(ends, O_CLOEXEC) != 0) {
        close(log);
        return tool_fail(TOOL_INTERNAL, "pipe: %s", strerror(errno));
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        become(tool, argv, log, ends[1]);
    close(log);
    if (ends[1] >= 0)
        close(ends[1]);
    if (pid < 0) {
        if (ends[0] >= 0)
            close(ends[0]);
        return tool_fail(TOOL_INTERNAL, "fork: %s", strerror(errno));
    }
    if (keep_pid)
        status = write_pid(tool, name, pid);
    if (ready == NULL || wait_ready(ends[0], ready))
        return status;
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    return meaning_of(tool, name, state, log_from);
}

static void step(void)
{
    struct timespec time = {0, STEP_MS * 1000000L};

    nanosleep(&time, NULL);
}

static bool ends_within(struct tool *tool, const char *name, pid_t pid, int64_t patience_ms)
{
    for (int64_t waited = 0; waited <= patience_ms; waited += STEP_MS) {
        waitpid(pid, NULL, WNOHANG);
        if (program_pid(tool, name) != pid)
            return true;
        step();
    }
    return false;
}

int program_stop(struct tool *tool, const char *name, int64_t patience_ms, bool may_kill)
{
    pid_t pid = program_pid(tool, name);

    if (pid == 0)
        return TOOL_DONE;
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH)
        return tool_fail(TOOL_INTERNAL, "%s (process %ld): %s", name, (long)pid, strerror(errno));
    if (!ends_within(tool, name, pid, patience_ms)) {
        if (!may_kill)
            return tool_fail(TOOL_INTERNAL, "%s (process %ld) has not ended after %lld s; see %s",
                             name, (long)pid, (long long)(patience_ms / 1000),
                             tool_path(tool, arena_printf(&tool->arena, "log/%s.log", name)));
        kill(pid, SIGCONT);
        kill(pid, SIGKILL);
        if (!ends_within(tool, name, pid, patience_ms))
            return tool_fail(TOOL_INTERNAL, "%s (process %ld) cannot be ended", name, (long)pid);
    }
    unlink(pid_path(tool, name));
    return TOOL_DONE;
}
