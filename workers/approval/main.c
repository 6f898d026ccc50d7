/* rota-approval: carries approval requests to the people asked, and their answers back. */

#include "approval/answers.h"
#include "approval/ask.h"

#include <curl/curl.h>
#include <stdio.h>

enum { CREDIT = 8 };

static const char HELP[] =
    "usage: rota-approval [--dir DIR]\n"
    "\n"
    "Serves approval.request: writes to each person who is asked what is asked, by\n"
    "maildir (DIR/mail/PERSON) or a mail server, and carries the signed answers that\n"
    "come back by mail (DIR/mail/answers/new) to the engine.\n"
    "\n"
    "  --dir DIR    the organisation's directory (default $ROTA_DIR, else here)\n"
    "  --help       this text\n"
    "  --version    the version\n"
    "\n"
    "Settings stand in DIR/workers.cfg, section `approval`; see rota-approval(1).\n";

static int serve(struct program *program, struct asking *asking)
{
    static const char *const services[] = {"approval.request", NULL};
    struct answers *answers = NULL;
    struct error err = {ERROR_NONE, ""};
    int rc;

    if (courier_ask_engine(&asking->courier, program, &err) != 0 ||
        answers_start(program, &asking->courier, &answers, &err) != 0) {
        program_say(program, ROTA_LOG_ERROR, "%s", err.text);
        return EXIT_CONFIG;
    }
    rc = program_serve(program, services, program_credit(program, CREDIT), asking_run, asking);
    answers_stop(&answers);
    return rc;
}

int main(int argc, char **argv)
{
    struct program program = {.name = "rota-approval", .section = "approval", .help = HELP};
    struct asking asking;
    struct error err = {ERROR_NONE, ""};
    int rc = program_arguments(&program, &argc, argv);

    if (rc != 0)
        return rc > 0 ? 0 : EXIT_USAGE;
    if (argc > 1) {
        fputs(HELP, stderr);
        return EXIT_USAGE;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (program_enter(&program, &err) != 0 || asking_open(&program, &asking, &err) != 0) {
        program_say(&program, ROTA_LOG_ERROR, "%s", err.text);
        program_leave(&program);
        return EXIT_CONFIG;
    }
    rc = serve(&program, &asking);
    asking_release(&asking);
    program_leave(&program);
    curl_global_cleanup();
    return rc;
}
