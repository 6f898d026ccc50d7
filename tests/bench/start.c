#include "start.h"

#include "store/note.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SETTLE_MS = 1500 }; /* after a start: what it frees or checks beside the work is over */

static double idle_mb(const struct world *world)
{
    nanosleep(&(struct timespec){SETTLE_MS / 1000, SETTLE_MS % 1000 * 1000000}, NULL);
    return world_rss_mb(world);
}

static void log_vkey(const struct world *world, struct buf *out)
{
    char path[2 * BENCH_PATH_MAX];
    struct keyfile log;
    struct note_key key;
    struct error err = {ERROR_NONE, ""};

    snprintf(path, sizeof path, "%s/keys/log.key", world->directory);
    if (keyfile_load(path, &log, &err) != 0 ||
        note_key_make(slice_str("bench.example/isms"), log.sign_public, &key, &err) != 0)
        fail("%s", err.text);
    note_key_add(out, &key);
}

/* Seconds; `entries` is what it says it verified. */
static double verify(const struct world *world, const char *option, double *entries)
{
    char command[8 * BENCH_PATH_MAX], text[8192] = "";
    struct buf vkey = BUF_EMPTY;
    double began = now_ms(), took;
    const char *found;
    FILE *said;

    log_vkey(world, &vkey);
    snprintf(command, sizeof command,
             "'%s/rota-verify' '%s/journal.db' --vkey '%s' --no-integrity-check %s --json",
             world->place->build, world->directory, buf_text(&vkey), option);
    buf_release(&vkey);
    said = popen(command, "r");
    if (said == NULL || fread(text, 1, sizeof text - 1, said) == 0)
        fail("rota-verify: %s", strerror(errno));
    if (pclose(said) != 0)
        fail("rota-verify does not hold: %s", text);
    took = (now_ms() - began) / 1000;
    found = strstr(text, "\"entries\":");
    *entries = found != NULL ? strtod(found + strlen("\"entries\":"), NULL) : 0;
    return took;
}

void start_measure(const struct place *place, int64_t records, struct start_figures *out)
{
    struct world world;
    double began;

    world_found(&world, TARGET_ROTA, place);
    world_start(&world);
    out->empty_mb = idle_mb(&world);
    began = now_ms();
    load_open(&world, records);
    out->records = records;
    out->opened_s = (double)records / (now_ms() - began) * 1000;
    world_kill(&world);
    began = now_ms();
    out->killed_ready_ms = world_start(&world);
    out->killed_first_ms = load_submit(&world, records) - began;
    out->open_mb = idle_mb(&world);
    world_stop(&world);
    out->stopped_ready_ms = world_start(&world);
    world_stop(&world);
    out->verify_s = verify(&world, "--no-replay", &out->verified);
    out->verify_fold_s = verify(&world, "", &out->verified);
    world_remove(&world);
}
