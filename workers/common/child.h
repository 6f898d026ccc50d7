/* child.h - a program run to its end: bytes in, bytes out, its whole process group killed when it
 * must stop. */
#ifndef ROTA_COMMON_CHILD_H
#define ROTA_COMMON_CHILD_H

#include "base/buf.h"
#include "base/error.h"

enum { CHILD_ERRORS_MAX = 4096, CHILD_GRACE_MS = 2000 };

struct child {
    char *const *argv;        /* NULL-terminated; argv[0] is searched in PATH */
    char *const *environment; /* "NAME=value", NULL-terminated, added to our own; or NULL */
    struct slice input;       /* its standard input */
    size_t output_max;        /* more on its standard output ends it */
    int64_t run_ms;           /* how long it may take; 0: as long as it likes */
    int cancel_fd;            /* readable: it must stop; -1: none */
    int folder_fd;            /* where it works; -1: here */
};

enum child_stop { CHILD_ENDED, CHILD_CANCELLED, CHILD_TOO_LONG, CHILD_TOO_MUCH };

struct child_end {
    enum child_stop stop; /* why it ended */
    int exit_status;      /* 0..255, or -1 if a signal ended it */
    int signal;           /* that signal, or 0 */
    struct buf output;    /* owned */
    struct buf errors;    /* owned; the last CHILD_ERRORS_MAX bytes of its standard error */
};

/* Starts it in a process group of its own and waits. When it must stop the group gets SIGTERM,
 * CHILD_GRACE_MS later SIGKILL; what of the group is left when the program itself has ended is
 * killed too. -1 if it cannot be started. */
int child_run(const struct child *child, struct child_end *end, struct error *err);
void child_end_release(struct child_end *end);

#endif
