/* log.h - history as a table: who did what, when, and whether it was signed. */
#ifndef ROTA_LOG_H
#define ROTA_LOG_H

#include "tool.h"

/* `entries`: of the query `log`. With a record streams are not named. Deliveries of notices are counted, not shown,
 * unless `is_all`. */
void log_print(struct tool *tool, const struct value *entries, const char *record, bool is_all);

#endif
