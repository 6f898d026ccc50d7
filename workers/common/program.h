/* program.h - what the standard workers share: the command line, DIR/workers.cfg, log lines, the
 * start.
 *
 * DIR is an organisation's directory as `rota init` makes it. The configuration may be absent:
 *
 *     engine = "ipc://run/front";            // default: the first `front` of rotad.cfg
 *     engine_key = "keys/engine.pub";
 *     security = "curve";                    // "none": a socket without keys
 *     approval: { principal = "approval-worker"; credit = 4; ... };
 *
 * A setting of a worker stands in its section and, where the worker has none, at the top (so that
 * `smtp` is written once for two workers). Relative paths are relative to DIR: a worker works in
 * that directory.
 */
#ifndef ROTA_COMMON_PROGRAM_H
#define ROTA_COMMON_PROGRAM_H

#include "base/error.h"
#include "sdk/rota.h"

#include <libconfig.h>

enum {
    PROGRAM_PATH_MAX = 1024,
    EXIT_USAGE = 2,
    EXIT_NO_ENGINE = 3,
    EXIT_INPUT = 4,
    EXIT_CONFIG = 78
};

struct program {
    const char *name;    /* "rota-approval" */
    const char *section; /* "approval" */
    const char *help;    /* the text of --help */
    const char *dir;     /* --dir, else $ROTA_DIR, else "." */
    config_t config;     /* of DIR/workers.cfg; empty if there is none */
    char endpoint[PROGRAM_PATH_MAX], key[PROGRAM_PATH_MAX], engine_key[PROGRAM_PATH_MAX];
};

/* The first thing in main(), because it keeps the standard streams (base/streams.h). Takes --dir, --help and --version
 * out of the arguments (up to `--`); the rest stays in argv, counted in *argc. 0: go on; 1: the program is done,
 * successfully; -1: usage, already reported. */
int program_arguments(struct program *program, int *argc, char **argv);

/* Goes to DIR and reads the configuration and where the engine is. */
int program_enter(struct program *program, struct error *err);
void program_leave(struct program *program);

/* Settings: the section's, else the one at the top, else the fallback. `key` may be a path,
 * "smtp.host". */
const char *program_text(const struct program *program, const char *key, const char *fallback);
int64_t program_int(const struct program *program, const char *key, int64_t fallback);
/* The i-th text of a list; NULL behind its end or where there is none. */
const char *program_item(const struct program *program, const char *key, int index);
bool program_has(const struct program *program, const char *key);

/* For rota_worker_open and rota_client_open; lent by `program`. Logs go to standard error. */
struct rota_options program_options(struct program *program);

int program_credit(const struct program *program, int fallback); /* the setting `credit`, 1..64 */

/* Serves the services (a list that ends in NULL) until SIGTERM; the exit status of the program. */
int program_serve(struct program *program, const char *const *services, int credit,
                  rota_task_fn *fn, void *self);

/* One line on standard error: time, program, level, text; control characters become spaces. */
void program_log(void *program, enum rota_log_level level, const char *text);
void program_say(const struct program *program, enum rota_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
