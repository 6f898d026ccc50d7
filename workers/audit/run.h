/* run.h - the service audit.run: a tool's report becomes findings.
 *
 * Input {tool?: "lynis", file?, host?}. With `file` (below the folder `reports`, default
 * DIR/audits) that report is read; with a `host` other than this one, the report HOST.dat there.
 * Otherwise `lynis audit system --quick` is run, if the setting `lynis` names the program: an
 * engine that was told to audit must not find out by itself that it may run programs as root.
 *
 * Output {tool, format, sha256, complete, counts} and either {findings: [...]}, or, if the
 * task is for a record and the worker may do it, {import: {record, findings, raised}}: it sent the commands
 * audit.import itself, part by part (wire/import.h), as a report of usual size is larger than what the result of a
 * task may be. A second run of the task goes on where the first one stood.
 */
#ifndef ROTA_AUDIT_RUN_H
#define ROTA_AUDIT_RUN_H

#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"
#include "common/program.h"

struct auditing {
    struct program *program;
    const char *reports; /* folder */
    const char *lynis;   /* program, or NULL: not run */
    int64_t run_ms;
};

int auditing_run(void *self,
                 struct rota_task *task); /* a rota_task_fn; `self` is a struct auditing */

bool audit_knows(const char *format);

/* The findings of a report file as the map of lynis.h; `today` stands in for a date that is
 * missing. */
int audit_parse(struct arena *arena, const char *format, const char *path, struct value *out,
                struct error *err);

/* Is `name` a file below a folder: relative, no "..", no hidden parts? */
bool report_name_is_valid(const char *name);

#endif
