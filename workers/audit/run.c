#include "audit/run.h"

#include "audit/lynis.h"
#include "base/date.h"
#include "base/hash.h"
#include "common/child.h"
#include "wire/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    OUTPUT_BYTES_MAX = 12 * 1024, /* of a result: what the engine keeps of one, with room */
    PATH_BYTES_MAX = 1024,
    HOST_BYTES_MAX = 256,
    STDOUT_MAX = 1024 * 1024
};

/* ---- files ---- */

bool report_name_is_valid(const char *name)
{
    bool at_start = true;

    if (name[0] == '\0' || strlen(name) > 255)
        return false;
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (at_start && (*c == '.' || *c == '/')))
            return false;
        at_start = *c == '/';
    }
    return !at_start;
}

static int read_report(const char *path, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat facts;
    ssize_t got = 1;

    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(fd);
        return error_set(err, ERROR_INPUT, "%s is not a file", path);
    }
    while (got > 0 && out->len <= LYNIS_BYTES_MAX) {
        buf_reserve(out, 65536);
        got = read(fd, out->at + out->len, 65536);
        out->len += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    if (got < 0)
        return error_set(err, ERROR_IO, "cannot read %s: %s", path, strerror(errno));
    return 0;
}

bool audit_knows(const char *format)
{
    return strcmp(format, "lynis") == 0;
}

int audit_parse(struct arena *arena, const char *format, const char *path, struct value *out,
                struct error *err)
{
    struct buf file = BUF_EMPTY;
    char today[DATE_TEXT_LEN + 1];
    int rc;

    if (!audit_knows(format))
        return error_set(err, ERROR_INPUT, "the format %.20s is not known here (known: lynis)",
                         format);
    date_format((int32_t)(time(NULL) / (24 * 3600)), today);
    rc = read_report(path, &file, err);
    if (rc == 0 && lynis_read(arena, buf_slice(&file), arena_str(arena, today), out, err) != 0)
        rc = error_add(err, "%s", path);
    buf_release(&file);
    return rc;
}

/* ---- running the tool ---- */

static int run_lynis(const struct auditing *auditing, struct rota_task *task, const char *report,
                     struct error *err)
{
    char *argv[] = {(char *)(uintptr_t)auditing->lynis,
                    "audit",
                    "system",
                    "--quick",
                    "--no-colors",
                    "--report-file",
                    (char *)(uintptr_t)report,
                    "--log-file",
                    "/dev/null",
                    NULL};
    struct child child = {.argv = argv,
                          .output_max = STDOUT_MAX,
                          .run_ms = auditing->run_ms,
                          .cancel_fd = rota_task_cancel_fd(task),
                          .folder_fd = -1};
    struct child_end end;
    int rc = child_run(&child, &end, err);

    if (rc != 0)
        return -1;
    /* lynis ends with a status other than 0 when it has warnings; what counts is the report. */
    if (end.stop != CHILD_ENDED || end.signal != 0)
        rc = error_set(err, ERROR_IO, "lynis did not come to its end");
    child_end_release(&end);
    return rc;
}

/* ---- handing over ---- */

static void copy_facts(struct rota_doc *output, const struct rota_value *result)
{
    static const char *const kept[] = {"/tool", "/format", "/sha256", "/complete", "/counts"};

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        rota_put_value(output, kept[i], rota_at(result, kept[i]));
}

/* ---- importing by ourselves ---- */

struct importing {
    struct rota_client *client;
    struct rota_task *task;
    struct arena *arena;
    const struct value *report;
    const char *record;
    uint32_t from, part_max;
    int64_t raised;
    struct rota_error err;
};

static const struct rota_value *outside(const struct value *value)
{
    return (const struct rota_value *)(const void *)value;
}

/* How far the engine is with this file: 200, or what it said instead. */
static int ask_how_far(struct importing *importing, bool *is_complete)
{
    struct rota_doc *args = rota_doc_new(), *reply = NULL;
    int status;

    rota_put_text(args, "/record", importing->record);
    rota_put_value(args, "/sha256", outside(value_get(importing->report, "sha256")));
    status = rota_query(importing->client, "import", rota_doc_value(args), &reply, &importing->err);
    if (status == 200) {
        importing->from = (uint32_t)rota_int(rota_doc_value(reply), "/out/next", 0);
        *is_complete = rota_bool(rota_doc_value(reply), "/out/complete", false);
    }
    rota_doc_free(&args);
    rota_doc_free(&reply);
    return status;
}

/* Its id follows from the file and the place in it, so that a second run of the task does it once. */
static int send_part(struct importing *importing)
{
    struct rota_command command = ROTA_COMMAND_INIT;
    struct rota_doc *reply = NULL;
    struct value args;
    uint32_t count = import_part(importing->arena, importing->report, importing->from,
                                 importing->part_max, &args);
    int status;

    command.id =
        (const char *)import_part_id(importing->arena, slice_str(importing->record), &args).at;
    command.command = "audit.import";
    command.record = importing->record;
    command.args = outside(&args);
    status = rota_command(importing->client, &command, &reply, &importing->err);
    if (status == 413 && count > 1) {
        importing->part_max = count / 2;
        status = 200;
    } else if (status == 200) {
        importing->from += count;
        importing->raised += (int64_t)rota_count(rota_at(rota_doc_value(reply), "/out/started"));
    }
    rota_doc_free(&reply);
    return status;
}

/* Part by part, from where it stands: an earlier attempt may have brought some of it. */
static int import(struct importing *importing)
{
    uint32_t count = value_get(importing->report, "findings")->count;
    bool is_complete = false;
    int status = ask_how_far(importing, &is_complete);

    while (status == 200 && !is_complete) {
        rota_task_progress(importing->task, count == 0 ? 99 : (int)(importing->from * 99LL / count),
                           "findings are entered");
        status = send_part(importing);
        is_complete = importing->from >= count;
        if (!is_complete && rota_task_is_cancelled(importing->task))
            return 503;
    }
    return status;
}

static void put_result(const struct importing *importing)
{
    struct rota_doc *output = rota_task_output(importing->task);

    rota_put_text(output, "/import/record", importing->record);
    rota_put_int(output, "/import/findings", value_get(importing->report, "findings")->count);
    rota_put_int(output, "/import/raised", importing->raised);
}

/* 200 done; 0: this worker may not import, or there is no record; else the status of the task. */
static int import_into_record(const struct auditing *auditing, struct rota_task *task,
                              const struct value *report)
{
    struct rota_options options = program_options(auditing->program);
    const struct rota_facts *facts = rota_task_facts(task);
    struct arena arena = ARENA_EMPTY;
    struct importing importing = {.task = task,
                                  .arena = &arena,
                                  .report = report,
                                  .record = facts->record,
                                  .part_max = IMPORT_PART_MAX};
    int status = 0;

    if (facts->record[0] == '\0' || rota_client_open(&options, &importing.client, NULL) != 0)
        return 0;
    status = import(&importing);
    if (status == 200)
        put_result(&importing);
    else if (status == 401 || status == 403 || status == 405)
        status = 0;
    else if (status < 0)
        status = 503;
    if (status >= 400)
        rota_task_say(task, importing.err.code, importing.err.text);
    rota_client_close(&importing.client);
    arena_release(&arena);
    return status;
}

static int hand_over(const struct auditing *auditing, struct rota_task *task,
                     const struct value *report)
{
    const struct rota_value *result = outside(report);
    struct rota_doc *output = rota_task_output(task);
    char *json = rota_json(rota_at(result, "/findings"));
    bool is_small = strlen(json) <= OUTPUT_BYTES_MAX;
    int status;

    free(json);
    copy_facts(output, result);
    status = import_into_record(auditing, task, report);
    if (status != 0)
        return status;
    if (!is_small) {
        rota_task_say(task, "too-large",
                      "too many findings for the result of a task: rota import them by hand");
        return 422;
    }
    rota_put_value(output, "/findings", rota_at(result, "/findings"));
    return 200;
}

/* ---- the service ---- */

/* The file that the input names, directly or as the report of another host; NULL: this host is
 * meant. */
static const char *named_report(const struct rota_value *input, char own[HOST_BYTES_MAX])
{
    const char *file = rota_text(input, "/file", NULL), *host = rota_text(input, "/host", "");
    char here[HOST_BYTES_MAX - 8] = "";

    if (file != NULL)
        return file;
    if (host[0] == '\0' || (gethostname(here, sizeof here - 1) == 0 && strcmp(here, host) == 0))
        return NULL;
    snprintf(own, HOST_BYTES_MAX, "%.*s.dat", (int)sizeof here, host);
    return own;
}

static int run_here(const struct auditing *auditing, struct rota_task *task,
                    char path[PATH_BYTES_MAX], struct error *err)
{
    const struct rota_facts *facts = rota_task_facts(task);

    if (auditing->lynis == NULL)
        return error_set(err, ERROR_INPUT,
                         "no report is named, and audit.lynis is not configured here");
    if (mkdir(auditing->reports, 0700) != 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "cannot make %s: %s", auditing->reports, strerror(errno));
    snprintf(path, PATH_BYTES_MAX, "%s/lynis-task-%lld-%d.dat", auditing->reports,
             (long long)facts->task, facts->attempt);
    rota_task_progress(task, 10, "lynis is running");
    return run_lynis(auditing, task, path, err);
}

/* Where the report is; made by running the tool if the input names none. */
static int find_report(const struct auditing *auditing, struct rota_task *task,
                       char path[PATH_BYTES_MAX], struct error *err)
{
    char own[HOST_BYTES_MAX];
    const char *file = named_report(rota_task_input(task), own);

    if (file == NULL)
        return run_here(auditing, task, path, err);
    if (!report_name_is_valid(file))
        return error_set(err, ERROR_INPUT, "a report is a file below %s", auditing->reports);
    snprintf(path, PATH_BYTES_MAX, "%s/%s", auditing->reports, file);
    return 0;
}

int auditing_run(void *self, struct rota_task *task)
{
    const struct auditing *auditing = self;
    const char *tool = rota_text(rota_task_input(task), "/tool", "lynis");
    struct arena arena = ARENA_EMPTY;
    struct value result = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};
    char path[PATH_BYTES_MAX];
    int status;

    if (find_report(auditing, task, path, &err) != 0 ||
        audit_parse(&arena, tool, path, &result, &err) != 0) {
        rota_task_say(task, "no-report", err.text);
        status = err.class == ERROR_INPUT ? 422 : 500;
    } else {
        status = hand_over(auditing, task, &result);
    }
    program_say(auditing->program, status == 200 ? ROTA_LOG_INFO : ROTA_LOG_WARNING,
                "task %lld: %d %s", (long long)rota_task_facts(task)->task, status, err.text);
    arena_release(&arena);
    return status;
}
