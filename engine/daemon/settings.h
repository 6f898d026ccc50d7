/* settings.h - rotad.cfg, read: where the engine listens and how patient it is. */
#ifndef ROTA_DAEMON_SETTINGS_H
#define ROTA_DAEMON_SETTINGS_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENDPOINTS_MAX = 4 };

struct settings {
    struct arena arena;
    const char *directory; /* of the organisation, as given */
    const char *origin;    /* name of the journal; one of a virtual clock ends in /virtual */
    const char *timezone;
    bool is_virtual;
    bool is_insecure; /* development mode: no CURVE */
    const char *front[ENDPOINTS_MAX],
        *feed[ENDPOINTS_MAX];  /* NULL-terminated; relative ipc made absolute */
    const char *admin, *plain; /* or NULL */
    int64_t heartbeat_ms, idle_expiry_ms, plain_lease_ms, sdk_lease_ms; /* 0: built-in */
    int64_t free_bytes_min;
    int64_t unused_bytes_max; /* of one principal: put up and named by nothing yet */
    int log_level;            /* 0 debug .. 3 error */
};

/* Reads DIR/rotad.cfg. Unknown settings are errors with file and line. */
int settings_load(const char *directory, struct settings *out, struct error *err);
void settings_release(struct settings *settings);

/* DIR/name, in the settings' memory. */
const char *settings_path(struct settings *settings, const char *name);

#endif
