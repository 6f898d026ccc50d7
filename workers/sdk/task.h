/* task.h - one task in a worker: from the REQUEST that brought it to the acknowledgement of its
 * result.
 *
 *     waiting -> running -> finished -> sent -> gone (acknowledged, cancelled, or given up)
 *
 * The socket thread owns the list and makes every move but two: a task thread takes a waiting task
 * (running) and gives it back (finished). Both moves, and all fields marked L, are under the
 * worker's lock.
 */
#ifndef ROTA_SDK_TASK_H
#define ROTA_SDK_TASK_H

#include "sdk/inside.h"
#include "wire/token.h"

#include <pthread.h>
#include <stdatomic.h>

enum task_state { TASK_WAITING, TASK_RUNNING, TASK_FINISHED, TASK_SENT };

struct rota_task {
    struct rota_task *next;  /* of the session's list */
    struct session *session; /* lent */
    enum task_state state;   /* L */
    char token[TOKEN_MAX + 1];
    struct rota_facts facts; /* texts in `arena` */
    struct arena arena;
    struct value input;
    struct slice input_frame; /* in `arena` */
    char *input_json;         /* made when asked for; in `arena` */

    struct rota_doc *output; /* owned; the task thread's until finished */
    struct buf output_bytes; /* raw mode */
    char *code, *message;    /* in `arena` */
    int64_t retry_ms, until_ms;
    struct buf outcome, result; /* the two frames, from finished on */

    int percent;    /* L; -1: nothing to say */
    char note[256]; /* L */

    atomic_bool is_cancelled;
    int cancel_fd; /* eventfd, -1 if there is none */

    int64_t send_again_ms; /* sent: when */
    int64_t sent_ms;       /* last */
    int copies;            /* sent while the engine was alive */
};

/* Reads the frames of a REQUEST. Never NULL: what cannot be read becomes a finished task that says
 * so. */
struct rota_task *task_new(const char *service, struct slice token, const struct slice *body,
                           int body_count, bool is_raw);
void task_free(struct rota_task **task);

/* Calls the function and makes the frames of the result. In a task thread. */
void task_run(struct rota_task *task, rota_task_fn *fn, void *self, bool is_raw);
void task_cancel(struct rota_task *task);

#endif
