/* serve.h - a task done by a program: its input as JSON on standard input, its output as JSON on
 * standard output.
 *
 *     exit status 0                 200, the output is the result (nothing printed: an empty map)
 *     64 (EX_USAGE), 65 (EX_DATAERR)  400: it cannot be done, no retry
 *     75 (EX_TEMPFAIL)              503: busy, again in 30 s, not counted as an attempt
 *     anything else, or a signal    500: failed this time
 *
 * The last line it wrote on standard error is the reason that people see. Facts of the task are in
 * its environment: ROTA_TASK ROTA_ATTEMPT ROTA_SERVICE ROTA_KIND ROTA_RECORD ROTA_REVISION ROTA_KEY
 * ROTA_DUE_MS. ROTA_KEY is the same over all attempts: use it to do a thing once.
 */
#ifndef ROTA_EXEC_SERVE_H
#define ROTA_EXEC_SERVE_H

#include "common/child.h"
#include "common/program.h"

struct serving {
    const struct program *program; /* for the log; NULL: silent */
    char *const *argv;
    int64_t run_ms; /* 0: no bound */
    int folder_fd;  /* where the program works; -1: here */
};

int serving_run(void *self,
                struct rota_task *task); /* a rota_task_fn; `self` is a struct serving */

int serving_status(const struct child_end *end); /* the table above */

#endif
