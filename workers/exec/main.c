/* rota-exec: serves any service with any program: JSON on stdin, JSON on stdout, exit status. */

#include "exec/serve.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char HELP[] =
    "usage: rota-exec [--dir DIR] --service NAME [--credit N] [--timeout SECONDS]\n"
    "                 -- PROGRAM [ARG...]\n"
    "\n"
    "Serves a service with a program: each task is one run of it, with the input as\n"
    "JSON on standard input; what it prints as JSON is the output. Exit status 0:\n"
    "done; 64 or 65: cannot be done; 75: busy, later; any other: failed this time.\n"
    "\n"
    "  --dir DIR          the organisation's directory (default $ROTA_DIR, else here)\n"
    "  --service NAME     what to serve, as in the definitions: exec.backup\n"
    "  --credit N         runs at the same time, 1 to 64 (default 1)\n"
    "  --timeout SECONDS  how long a run may take (default: no bound, the lease is\n"
    "                     renewed meanwhile)\n"
    "  --help             this text\n"
    "  --version          the version\n"
    "\n"
    "The program runs where rota-exec was started. Settings stand in DIR/workers.cfg,\n"
    "section `exec`; see rota-exec(1).\n";

struct wanted {
    const char *service;
    int credit;
    int64_t run_ms;
    char *const *argv;
};

static int number_of(const char *text, long least, long most, long *out)
{
    char *end;

    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && *out >= least && *out <= most ? 0 : -1;
}

static int read_arguments(int argc, char **argv, struct wanted *out)
{
    long number;
    int i = 1;

    *out = (struct wanted){.credit = 1};
    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        if (strcmp(argv[i], "--service") == 0)
            out->service = argv[i + 1];
        else if (strcmp(argv[i], "--credit") == 0 &&
                 number_of(argv[i + 1], 1, ROTA_CREDIT_MAX, &number) == 0)
            out->credit = (int)number;
        else if (strcmp(argv[i], "--timeout") == 0 &&
                 number_of(argv[i + 1], 1, 30L * 24 * 3600, &number) == 0)
            out->run_ms = number * 1000;
        else
            return -1;
    }
    if (i + 1 >= argc || strcmp(argv[i], "--") != 0 || out->service == NULL)
        return -1;
    out->argv = argv + i + 1;
    return 0;
}

int main(int argc, char **argv)
{
    struct program program = {.name = "rota-exec", .section = "exec", .help = HELP};
    struct serving serving = {.program = &program};
    struct error err = {ERROR_NONE, ""};
    struct wanted wanted;
    int rc = program_arguments(&program, &argc, argv);

    if (rc != 0)
        return rc > 0 ? 0 : EXIT_USAGE;
    if (read_arguments(argc, argv, &wanted) != 0) {
        fputs(HELP, stderr);
        return EXIT_USAGE;
    }
    serving.argv = wanted.argv;
    serving.run_ms = wanted.run_ms;
    serving.folder_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (program_enter(&program, &err) != 0) {
        program_say(&program, ROTA_LOG_ERROR, "%s", err.text);
        rc = EXIT_CONFIG;
    } else {
        const char *const services[] = {wanted.service, NULL};

        rc = program_serve(&program, services, wanted.credit, serving_run, &serving);
    }
    program_leave(&program);
    if (serving.folder_fd >= 0)
        close(serving.folder_fd);
    return rc;
}
