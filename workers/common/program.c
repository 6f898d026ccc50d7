#include "common/program.h"

#include "base/streams.h"
#include "common/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1200 };

/* ---- log ---- */

void program_log(void *self, enum rota_log_level level, const char *text)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    const struct program *program = self;
    char line[LINE_MAX_BYTES], when[32];
    time_t now = time(NULL);
    struct tm utc;
    size_t len;

    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    snprintf(line, sizeof line - 1, "%s %s %s: %s", when, program->name, levels[level], text);
    len = strlen(line);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    }
    line[len] = '\n';
    /* One write, so that lines of several threads and programs do not mix; nowhere to report a
     * failure. */
    if (write(STDERR_FILENO, line, len + 1) < 0)
        return;
}

void program_say(const struct program *program, enum rota_log_level level, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    program_log((void *)(uintptr_t)program, level, text);
}

/* ---- command line ---- */

static int print_version(const struct program *program)
{
    printf("%s %s\n", program->name, ROTA_VERSION);
    return 1;
}

static int print_help(const struct program *program)
{
    fputs(program->help, stdout);
    return 1;
}

int program_arguments(struct program *program, int *argc, char **argv)
{
    int kept = 1, rc = 0, i = 1;

    streams_keep();
    program->dir = getenv("ROTA_DIR");
    if (program->dir == NULL || program->dir[0] == '\0')
        program->dir = ".";
    for (; i < *argc && rc == 0 && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            rc = print_help(program);
        } else if (strcmp(argv[i], "--version") == 0) {
            rc = print_version(program);
        } else if (strncmp(argv[i], "--dir=", 6) == 0) {
            program->dir = argv[i] + 6;
        } else if (strcmp(argv[i], "--dir") == 0) {
            if (i + 1 == *argc) {
                fprintf(stderr, "%s: --dir needs a directory\n", program->name);
                return -1;
            }
            program->dir = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    while (i < *argc)
        argv[kept++] = argv[i++];
    argv[kept] = NULL;
    *argc = kept;
    return rc;
}

/* ---- configuration ---- */

static config_setting_t *setting_of(const struct program *program, const char *key)
{
    char path[PROGRAM_PATH_MAX];
    config_setting_t *found;

    snprintf(path, sizeof path, "%s.%s", program->section, key);
    found = config_lookup(&program->config, path);
    return found != NULL ? found : config_lookup(&program->config, key);
}

bool program_has(const struct program *program, const char *key)
{
    return setting_of(program, key) != NULL;
}

const char *program_text(const struct program *program, const char *key, const char *fallback)
{
    config_setting_t *found = setting_of(program, key);
    const char *text = found == NULL ? NULL : config_setting_get_string(found);

    return text == NULL ? fallback : text;
}

int64_t program_int(const struct program *program, const char *key, int64_t fallback)
{
    config_setting_t *found = setting_of(program, key);

    if (found == NULL || !config_setting_is_number(found))
        return fallback;
    return config_setting_get_int64(found);
}

const char *program_item(const struct program *program, const char *key, int index)
{
    config_setting_t *found = setting_of(program, key);

    if (found == NULL || !config_setting_is_aggregate(found) ||
        index >= config_setting_length(found))
        return NULL;
    return config_setting_get_string_elem(found, index);
}

static int read_file(config_t *config, const char *path, struct error *err)
{
    if (access(path, F_OK) != 0)
        return 0;
    if (config_read_file(config, path) == CONFIG_TRUE)
        return 0;
    return error_set(err, ERROR_INPUT, "%s, line %d: %s", path, config_error_line(config),
                     config_error_text(config));
}

/* A wildcard is an address to listen on: from here it is this machine. */
static void take_endpoint(char out[PROGRAM_PATH_MAX], const char *endpoint)
{
    const char *star = strncmp(endpoint, "tcp://*", 7) == 0 ? endpoint + 6 : NULL;

    if (star != NULL)
        snprintf(out, PROGRAM_PATH_MAX, "tcp://127.0.0.1%s", star + 1);
    else
        snprintf(out, PROGRAM_PATH_MAX, "%s", endpoint);
}

static int find_engine(struct program *program, struct error *err)
{
    const char *engine = program_text(program, "engine", NULL), *front;
    config_t rotad;
    int rc = 0;

    take_endpoint(program->endpoint, engine != NULL ? engine : "ipc://run/front");
    if (engine != NULL)
        return 0;
    config_init(&rotad);
    rc = read_file(&rotad, "rotad.cfg", err);
    if (rc == 0 && (config_lookup_string(&rotad, "front.[0]", &front) == CONFIG_TRUE ||
                    config_lookup_string(&rotad, "front", &front) == CONFIG_TRUE))
        take_endpoint(program->endpoint, front);
    config_destroy(&rotad);
    return rc;
}

static int find_keys(struct program *program, struct error *err)
{
    const char *principal = program_text(program, "principal", NULL);
    const char *key = program_text(program, "key", NULL);

    program->key[0] = program->engine_key[0] = '\0';
    if (strcmp(program_text(program, "security", "curve"), "none") == 0)
        return 0;
    snprintf(program->engine_key, sizeof program->engine_key, "%s",
             program_text(program, "engine_key", "keys/engine.pub"));
    if (key != NULL)
        snprintf(program->key, sizeof program->key, "%s", key);
    else if (principal != NULL)
        snprintf(program->key, sizeof program->key, "keys/%s.key", principal);
    else
        snprintf(program->key, sizeof program->key, "keys/%s-worker.key", program->section);
    if (access(program->key, R_OK) != 0)
        return error_set(err, ERROR_IO, "cannot read the key %s in %s: %s", program->key,
                         program->dir, strerror(errno));
    return 0;
}

int program_enter(struct program *program, struct error *err)
{
    config_init(&program->config);
    if (chdir(program->dir) != 0)
        return error_set(err, ERROR_IO, "cannot go to %s: %s", program->dir, strerror(errno));
    if (read_file(&program->config, "workers.cfg", err) != 0 ||
        settings_check(&program->config, "workers.cfg", err) != 0 || find_engine(program, err) != 0)
        return -1;
    return find_keys(program, err);
}

void program_leave(struct program *program)
{
    config_destroy(&program->config);
}

struct rota_options program_options(struct program *program)
{
    bool is_curve = program->key[0] != '\0';

    return (struct rota_options){.endpoint = program->endpoint,
                                 .key_file = is_curve ? program->key : NULL,
                                 .engine_key_file = is_curve ? program->engine_key : NULL,
                                 .name = program->name,
                                 .version = ROTA_VERSION,
                                 .log = program_log,
                                 .log_self = program};
}

int program_credit(const struct program *program, int fallback)
{
    int64_t credit = program_int(program, "credit", fallback);

    return credit < 1 || credit > ROTA_CREDIT_MAX ? fallback : (int)credit;
}

static int serve_all(struct rota_worker *worker, const char *const *services, int credit,
                     rota_task_fn *fn, void *self, struct rota_error *err)
{
    for (; *services != NULL; services++) {
        if (rota_worker_serve(worker, *services, credit, fn, self, err) != 0)
            return -1;
    }
    return 0;
}

int program_serve(struct program *program, const char *const *services, int credit,
                  rota_task_fn *fn, void *self)
{
    struct rota_options options = program_options(program);
    struct rota_worker *worker = NULL;
    struct rota_error err = {0, "", ""};
    int status = EXIT_CONFIG;

    if (rota_worker_open(&options, &worker, &err) == 0 &&
        rota_worker_stop_on_signals(worker, &err) == 0 &&
        serve_all(worker, services, credit, fn, self, &err) == 0 &&
        rota_worker_run(worker, &err) == 0)
        status = 0;
    if (status != 0)
        program_say(program, ROTA_LOG_ERROR, "%s", err.text);
    rota_worker_close(&worker);
    return status;
}
