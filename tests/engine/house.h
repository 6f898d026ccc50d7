/* house.h - an organisation of its own for a test: founded by the real `rota init --sample`, run by the real `rotad`.
 *
 * Programs are those of $ROTA_BUILD (or build/). The founding is done once a test program and copied for each house.
 * A house is kept in a directory of $TMPDIR and removed by house_free(), which first proves its journal: rota-verify
 * must hold on a copy of it, and where $ROTA_AUDITOR names the independent auditor, that must agree.
 *
 * A function that cannot do what it says fails the test. Nothing here sleeps: it waits for a line, a message or the
 * end of a process, each with a bound.
 */
#ifndef ROTA_TESTS_HOUSE_H
#define ROTA_TESTS_HOUSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/value.h"
#include "wire/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/types.h>

#include <cmocka.h>

enum { HOUSE_PATH_MAX = 108, PATIENCE_MS = 15000, HOUSE_SOCKETS_MAX = 256 };

struct house {
    char directory[HOUSE_PATH_MAX]; /* of the organisation */
    pid_t rotad;                    /* 0: it does not run */
    void *context;                  /* zmq, for clients and workers */
    struct arena arena;             /* of answers; cleared by house_free */
    void *sockets[HOUSE_SOCKETS_MAX];
    int socket_count;
};

struct house *house_new(void);
void house_free(struct house **house); /* stops, proves, removes */

/* What a test says on a mistake of its own or of the house: the reason, and the end of the engine's log. */
void house_fail(const struct house *house, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Replaces a setting of rotad.cfg: `value` as it stands after the `=`. Before house_start(). */
void house_set(struct house *house, const char *name, const char *value);

void house_start(struct house *house); /* until it says that it is ready */
int house_start_refused(struct house *house,
                        char said[4096]); /* exit status and words of a start that must fail;
                                                                  128 + 9: it started all the same, and was killed */
void house_kill(struct house *house);     /* kill -9 */
int house_stop(struct house *house);      /* SIGTERM; exit status */
int house_wait(struct house *house); /* its exit status, after something else told it to stop */
bool house_runs(struct house *house);

/* Copies journal.db (and its write-ahead log) as a power cut would leave it, and proves the copy. `who_else`: ask the
 * independent auditor too, if there is one. */
void house_prove(struct house *house, bool who_else);

/* Every row of the stored state as it is committed now, but for the refusals of `who`, and without `last` of records (the chain
 * by which their pages find a refusal): one hash. */
void house_state(struct house *house, const char *who, uint8_t out[HASH_LEN]);

/* Runs a program with its arguments (ends with NULL); stdout and stderr together go to `said`. Exit status. */
int run_program(char *const arguments[], struct buf *said);
/* Waits (bounded) for the end of a child; 128 + signal if one ended it, -1 if it does not end. */
int process_wait(pid_t process);
const char *house_program(struct house *house, const char *name); /* of $ROTA_BUILD */
/* `rota -C DIR ...`; arguments end with NULL. */
int house_rota(struct house *house, struct buf *said, ...);
/* Moves the virtual clock. */
void house_advance(struct house *house, int64_t ms);

void *house_socket(struct house *house, int type); /* closed with the house at the latest */
void house_socket_close(struct house *house, void *socket);

const char *house_path(struct house *house, const char *name); /* DIR/name, in the house's arena */
void house_read(struct house *house, const char *name, struct buf *out); /* a whole file of it */

int64_t boot_ms(void);

#endif
