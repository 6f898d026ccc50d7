/* settings.h - what may stand in workers.cfg.
 *
 * A name that nobody reads, or a value of another type, would otherwise be passed over: `smpt` for `smtp`, and every letter goes
 * into a folder while everybody believes it was sent.
 */
#ifndef ROTA_COMMON_SETTINGS_H
#define ROTA_COMMON_SETTINGS_H

#include "base/error.h"

#include <libconfig.h>

/* ERROR_INPUT names file and line. What stands in the sections of workers that are not the standard ones (groups with a
 * `principal` or a `key`) is theirs and not looked at. */
int settings_check(const config_t *config, const char *path, struct error *err);

#endif
