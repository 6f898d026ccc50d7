/* schema.h - are the triggers there that keep the journal append-only, and do they still do it?
 *
 * A dropped trigger is TRIGGER_MISSING. One that does something else under the same name is
 * TRIGGER_CHANGED: texts are compared after white space, comments and letter case outside of quotes were
 * made equal. A trigger nobody asked for on the same tables is a warning (TRIGGER_UNKNOWN).
 */
#ifndef ROTA_VERIFY_SCHEMA_H
#define ROTA_VERIFY_SCHEMA_H

#include "db.h"
#include "memory.h"

void schema_check_triggers(struct db *db, struct report *report);

/* Append SQL in its comparable form. */
void schema_normalise(struct buf *out, struct bytes sql);

#endif
