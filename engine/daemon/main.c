/* rotad - the engine of an organisation's records: `rotad DIR`; `rotad --init DIR` founds its journal, `rotad --salvage DIR`
 * brings it to fresh blocks. */
#include "base/streams.h"
#include "daemon/engine.h"
#include "store/salvage.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: rotad DIR            run the organisation's engine, in the foreground\n"
    "       rotad --init DIR     found its journal from what lies in DIR\n"
    "       rotad --salvage DIR  its journal to fresh blocks, after a disk failed\n"
    "       rotad --version\n"
    "\n"
    "`rota init`, `rota up` and `rota salvage` do all of this; see rotad(1).\n";

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
    if (argc == 3 && strcmp(argv[1], "--salvage") == 0) {
        if (journal_salvage(argv[2], &err) == 0)
            return 0;
        fprintf(stderr, "rotad: %s\n", err.text);
        return engine_exit_status(&err);
    }
    if (argc != 2 || argv[1][0] == '-') {
        fputs(usage, stderr);
        return 64;
    }
    if (engine_run(argv[1], &status, &err) != 0)
        fprintf(stderr, "rotad: %s\n", err.text);
    return status;
}
