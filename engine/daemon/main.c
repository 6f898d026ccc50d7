/* rotad - the engine of an organisation's records: `rotad DIR`; `rotad --init DIR` founds its journal, `rotad --salvage DIR`
 * brings it to fresh blocks, `rotad --restore DIR FILE` puts a copy in its place. */
#include "base/streams.h"
#include "daemon/engine.h"
#include "store/salvage.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: rotad DIR            run the organisation's engine, in the foreground\n"
    "       rotad --init DIR     found its journal from what lies in DIR\n"
    "       rotad --salvage DIR  its journal to fresh blocks, after a disk failed\n"
    "       rotad --restore DIR FILE [--against HEAD] [--accept-loss]\n"
    "                            a copy in its place\n"
    "       rotad --version\n"
    "\n"
    "`rota init`, `up`, `salvage` and `restore` do all of this; see rotad(1).\n";

static int salvage(const char *directory)
{
    struct error err = {ERROR_NONE, ""};

    if (journal_salvage(directory, &err) == 0)
        return 0;
    fprintf(stderr, "rotad: %s\n", err.text);
    return engine_exit_status(&err);
}

static int restore(int argc, char **argv)
{
    struct restore_wish wish = {.file = argv[3]};
    struct error err = {ERROR_NONE, ""};

    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], "--accept-loss") == 0) {
            wish.accept_loss = true;
        } else if (strcmp(argv[i], "--against") == 0 && i + 1 < argc) {
            wish.against = argv[++i];
        } else {
            fputs(usage, stderr);
            return 64;
        }
    }
    if (engine_restore(argv[2], &wish, &err) == 0)
        return 0;
    fprintf(stderr, "rotad: %s\n", err.text);
    return engine_exit_status(&err);
}

int main(int argc, char **argv)
{
    struct error err = {ERROR_NONE, ""};
    int status = 0;

    streams_keep();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("rotad " ROTA_VERSION);
        return 0;
    }
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--init") == 0) {
        if (engine_found(argv[2], &err) == 0)
            return 0;
        fprintf(stderr, "rotad: %s\n", err.text);
        return err.class == ERROR_BUSY ? 73 : 78;
    }
    if (argc == 3 && strcmp(argv[1], "--salvage") == 0)
        return salvage(argv[2]);
    if (argc >= 4 && strcmp(argv[1], "--restore") == 0)
        return restore(argc, argv);
    if (argc != 2 || argv[1][0] == '-') {
        fputs(usage, stderr);
        return 64;
    }
    if (engine_run(argv[1], &status, &err) != 0)
        fprintf(stderr, "rotad: %s\n", err.text);
    return status;
}
