#include "sdk/task.h"

#include "base/check.h"
#include "base/dmp.h"
#include "sdk/worker.h"
#include "wire/body.h"
#include "wire/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SAY_MAX = 1000 /* bytes of a code or message */ };

/* ---- making ---- */

static void read_header(struct rota_task *task, const struct value *header)
{
    struct arena *arena = &task->arena;

    task->facts.task = value_get_int(header, "task", 0);
    task->facts.attempt = (int)value_get_int(header, "attempt", 1);
    task->facts.kind = value_get_str(header, "kind", "", arena);
    task->facts.record = value_get_str(header, "record", "", arena);
    task->facts.revision = value_get_int(header, "revision", 0);
    task->facts.key = value_get_str(header, "key", "", arena);
    task->facts.due_ms = value_get_int(header, "due", 0);
    task->facts.lease_ms = value_get_int(header, "lease_ms", 0);
}

static int read_envelope(struct rota_task *task, const struct slice *body, int body_count,
                         struct error *err)
{
    struct arena scratch = ARENA_EMPTY;
    struct value header = VALUE_NONE, input = VALUE_NONE;
    int rc;

    if (body_count < 2)
        return error_set(err, ERROR_INPUT, "a task without a header and an input");
    rc = body_decode(&scratch, body[0], BODY_DEPTH_MAX, &header, NULL, err);
    if (rc == 0)
        rc = body_decode(&scratch, body[1], BODY_DEPTH_MAX, &input, NULL, err);
    if (rc == 0) {
        read_header(task, &header);
        task->input = value_copy(&task->arena, &input);
    }
    arena_release(&scratch);
    return rc;
}

static void finish(struct rota_task *task, int status, const char *code, const char *message)
{
    struct outcome outcome = {.status = status,
                              .code = slice_str(code == NULL ? "" : code),
                              .message = slice_str(message == NULL ? "" : message),
                              .retry_ms = task->retry_ms,
                              .until_ms = task->until_ms};

    buf_clear(&task->outcome);
    outcome_encode(&task->outcome, &outcome);
}

struct rota_task *task_new(const char *service, struct slice token, const struct slice *body,
                           int body_count, bool is_raw)
{
    struct rota_task *task = calloc(1, sizeof *task);
    struct error cause = {ERROR_NONE, ""};
    struct slice frame;

    check(task != NULL && token.len <= TOKEN_MAX);
    memcpy(task->token, token.at, token.len);
    task->facts = (struct rota_facts){.attempt = 1,
                                      .service = service,
                                      .kind = "",
                                      .record = "",
                                      .key = "",
                                      .token = task->token};
    task->percent = -1;
    task->retry_ms = -1;
    task->output = rota_doc_new();
    task->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    frame = body_count == 0 ? slice_of("", 0) : body[is_raw || body_count < 2 ? 0 : 1];
    task->input_frame = slice_of(arena_copy(&task->arena, frame.at, frame.len), frame.len);
    if (!is_raw && read_envelope(task, body, body_count, &cause) != 0) {
        finish(task, 400, "malformed", cause.text);
        dmp_put_map(&task->result, 0);
        task->state = TASK_FINISHED;
    }
    return task;
}

void task_free(struct rota_task **task)
{
    if (task == NULL || *task == NULL)
        return;
    if ((*task)->cancel_fd >= 0)
        close((*task)->cancel_fd);
    rota_doc_free(&(*task)->output);
    buf_release(&(*task)->output_bytes);
    buf_release(&(*task)->outcome);
    buf_release(&(*task)->result);
    arena_release(&(*task)->arena);
    free(*task);
    *task = NULL;
}

/* ---- running ---- */

static void encode_output(struct rota_task *task, int status)
{
    const char *why = NULL;

    if (!value_is_shallow(&task->output->root, BODY_DEPTH_MAX))
        why = "the worker's output is nested too deeply";
    else
        dmp_encode(&task->result, &task->output->root);
    if (task->result.len > ROTA_OUTPUT_MAX)
        why = "the worker's output is longer than 16 KiB";
    if (why != NULL) {
        buf_clear(&task->result);
        dmp_put_map(&task->result, 0);
        finish(task, 500, "bad-output", why);
        return;
    }
    finish(task, status, task->code, task->message);
}

void task_run(struct rota_task *task, rota_task_fn *fn, void *self, bool is_raw)
{
    int status = fn(self, task);

    if (is_raw) {
        buf_add_slice(&task->result, buf_slice(&task->output_bytes));
        if (task->result.len > ROTA_OUTPUT_MAX)
            buf_clear(&task->result);
        return;
    }
    if (status < 200 || status > 599)
        status = 500;
    encode_output(task, status);
}

void task_cancel(struct rota_task *task)
{
    uint64_t one = 1;

    if (atomic_exchange(&task->is_cancelled, true) || task->cancel_fd < 0)
        return;
    /* A counter from 0 to 1 cannot fail, and a descriptor nobody reads is no loss: the flag is set.
     * */
    if (write(task->cancel_fd, &one, sizeof one) != (ssize_t)sizeof one)
        return;
}

/* ---- what a task function sees ---- */

const struct rota_facts *rota_task_facts(const struct rota_task *task)
{
    return &task->facts;
}

const struct rota_value *rota_task_input(const struct rota_task *task)
{
    return value_out(&task->input);
}

const char *rota_task_input_json(struct rota_task *task)
{
    char *text;

    if (task->input_json == NULL) {
        text = rota_json(value_out(&task->input));
        task->input_json = arena_str(&task->arena, text);
        free(text);
    }
    return task->input_json;
}

const void *rota_task_input_bytes(const struct rota_task *task, size_t *len)
{
    *len = task->input_frame.len;
    return task->input_frame.at;
}

struct rota_doc *rota_task_output(struct rota_task *task)
{
    return task->output;
}

int rota_task_output_json(struct rota_task *task, const char *json, size_t len,
                          struct rota_error *err)
{
    struct rota_doc *doc = NULL;

    if (rota_doc_parse(json, len, &doc, err) != 0)
        return -1;
    rota_doc_free(&task->output);
    task->output = doc;
    return 0;
}

void rota_task_output_bytes(struct rota_task *task, const void *at, size_t len)
{
    buf_clear(&task->output_bytes);
    buf_add(&task->output_bytes, at, len);
}

/* A message of a library or a program may hold anything: what is not UTF-8 must not stop the
 * result. */
static char *as_utf8(struct arena *arena, const char *text)
{
    char *copy;

    if (text == NULL)
        return NULL;
    copy = arena_copy(arena, text, strnlen(text, SAY_MAX));
    for (size_t i = 0; !utf8_is_valid(slice_str(copy)) && copy[i] != '\0'; i++) {
        if ((unsigned char)copy[i] >= 0x80)
            copy[i] = '?';
    }
    return copy;
}

void rota_task_say(struct rota_task *task, const char *code, const char *message)
{
    task->code = as_utf8(&task->arena, code);
    task->message = as_utf8(&task->arena, message);
}

void rota_task_retry_after(struct rota_task *task, int64_t ms)
{
    task->retry_ms = ms < 0 ? 0 : ms;
}

void rota_task_until(struct rota_task *task, int64_t at_ms)
{
    task->until_ms = at_ms < 0 ? 0 : at_ms;
}

void rota_task_progress(struct rota_task *task, int percent, const char *note)
{
    struct rota_worker *worker = task->session->worker;
    struct slice text = slice_str(note == NULL ? "" : note);

    if (text.len >= sizeof task->note)
        text.len = sizeof task->note - 1;
    pthread_mutex_lock(&worker->lock);
    task->percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
    while (text.len > 0 && !utf8_is_valid(text))
        text.len--;
    memcpy(task->note, text.at, text.len);
    task->note[text.len] = '\0';
    pthread_mutex_unlock(&worker->lock);
    worker_wake(worker);
}

bool rota_task_is_cancelled(const struct rota_task *task)
{
    return atomic_load(&task->is_cancelled);
}

int rota_task_cancel_fd(const struct rota_task *task)
{
    return task->cancel_fd;
}
