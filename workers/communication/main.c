/* rota-communication: delivers notices and reports each recipient's delivery. */

#include "communication/deliver.h"

#include <curl/curl.h>
#include <stdio.h>

enum { CREDIT = 8 };

static const char HELP[] =
    "usage: rota-communication [--dir DIR]\n"
    "\n"
    "Serves communication.deliver: brings each notice to one recipient, by maildir\n"
    "(DIR/mail/PERSON), a mail server or webhook, and reports what became of it.\n"
    "\n"
    "  --dir DIR    the organisation's directory (default $ROTA_DIR, else here)\n"
    "  --help       this text\n"
    "  --version    the version\n"
    "\n"
    "Settings stand in DIR/workers.cfg, section `communication`; see\n"
    "rota-communication(1).\n";

int main(int argc, char **argv)
{
    static const char *const services[] = {"communication.deliver", NULL};
    struct program program = {
        .name = "rota-communication", .section = "communication", .help = HELP};
    struct delivery delivery;
    struct error err = {ERROR_NONE, ""};
    int rc = program_arguments(&program, &argc, argv);

    if (rc != 0)
        return rc > 0 ? 0 : EXIT_USAGE;
    if (argc > 1) {
        fputs(HELP, stderr);
        return EXIT_USAGE;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (program_enter(&program, &err) != 0 || delivery_open(&program, &delivery, &err) != 0) {
        program_say(&program, ROTA_LOG_ERROR, "%s", err.text);
        program_leave(&program);
        return EXIT_CONFIG;
    }
    if (courier_ask_engine(&delivery.courier, &program, &err) != 0) {
        program_say(&program, ROTA_LOG_ERROR, "%s", err.text);
        rc = EXIT_CONFIG;
    } else {
        rc = program_serve(&program, services, program_credit(&program, CREDIT), delivery_run,
                           &delivery);
    }
    delivery_release(&delivery);
    program_leave(&program);
    curl_global_cleanup();
    return rc;
}
