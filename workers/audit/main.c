/* rota-audit: runs or imports audits, turns results into findings. */

#include "audit/run.h"

#include "wire/json.h"

#include <stdio.h>
#include <unistd.h>

enum { CREDIT = 1, RUN_S = 3600 };

static const char HELP[] =
    "usage: rota-audit [--dir DIR]\n"
    "       rota-audit --parse lynis FILE\n"
    "\n"
    "Serves audit.run: runs an audit tool or reads its report, and turns the results\n"
    "into findings. With --parse it prints the findings of a report as JSON and ends;\n"
    "no engine is needed.\n"
    "\n"
    "  --parse FORMAT FILE  what would be imported; formats: lynis\n"
    "  --dir DIR            the organisation's directory ($ROTA_DIR, else here)\n"
    "  --help               this text\n"
    "  --version            the version\n"
    "\n"
    "Settings stand in DIR/workers.cfg, section `audit`; see rota-audit(1).\n";

static int parse(const char *format, const char *path)
{
    struct arena arena = ARENA_EMPTY;
    struct value result = VALUE_NONE;
    struct buf text = BUF_EMPTY;
    struct error err = {ERROR_NONE, ""};
    int status = 0;

    if (audit_parse(&arena, format, path, &result, &err) == 0) {
        value_to_json(&text, &result, true);
        printf("%s\n", buf_text(&text));
        if (fflush(stdout) != 0)
            status = EXIT_INPUT;
    } else {
        fprintf(stderr, "rota-audit: %s\n", err.text);
        status = audit_knows(format) ? EXIT_INPUT : EXIT_USAGE;
    }
    buf_release(&text);
    arena_release(&arena);
    return status;
}

static int serve(struct program *program)
{
    static const char *const services[] = {"audit.run", NULL};
    struct auditing auditing = {.program = program};
    struct error err = {ERROR_NONE, ""};
    int rc = EXIT_CONFIG;

    if (program_enter(program, &err) != 0) {
        program_say(program, ROTA_LOG_ERROR, "%s", err.text);
    } else {
        auditing.reports = program_text(program, "reports", "audits");
        auditing.lynis = program_text(program, "lynis", NULL);
        auditing.run_ms = program_int(program, "timeout_s", RUN_S) * 1000;
        rc = program_serve(program, services, program_credit(program, CREDIT), auditing_run,
                           &auditing);
    }
    program_leave(program);
    return rc;
}

int main(int argc, char **argv)
{
    struct program program = {.name = "rota-audit", .section = "audit", .help = HELP};
    int rc = program_arguments(&program, &argc, argv);

    if (rc != 0)
        return rc > 0 ? 0 : EXIT_USAGE;
    if (argc == 4 && strcmp(argv[1], "--parse") == 0)
        return parse(argv[2], argv[3]);
    if (argc > 1) {
        fputs(HELP, stderr);
        return EXIT_USAGE;
    }
    return serve(&program);
}
