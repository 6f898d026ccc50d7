/* service_name.h - which names a service may have: words of a-z, 0-9 and - joined by dots, the
 * first beginning with a letter, at most 64 bytes. */
#ifndef ROTA_WIRE_SERVICE_NAME_H
#define ROTA_WIRE_SERVICE_NAME_H

#include "base/slice.h"

enum { SERVICE_NAME_MAX = 64 };

bool service_name_is_valid(struct slice name);

/* `mmi.`, `rota.` and `titanic.` belong to brokers; no worker may serve them. */
bool service_name_is_reserved(struct slice name);

#endif
