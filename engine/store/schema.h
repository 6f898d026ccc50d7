/* schema.h - the tables of journal.db, and the check that they are exactly these. Only for this folder. */
#ifndef ROTA_STORE_SCHEMA_H
#define ROTA_STORE_SCHEMA_H

#include "base/error.h"

#include <sqlite3.h>

enum { SCHEMA_APPLICATION = 0x526f7461 /* "Rota" */, SCHEMA_VERSION = 1 };

/* Makes the tables in an empty database. A result code of SQLite. */
int schema_create(sqlite3 *db);

/* Takes the checkpoints out of a copy that gets another origin (restore.h); the rule that they stay is back afterwards.
 * Within a transaction. A result code of SQLite. */
int schema_forget_checkpoints(sqlite3 *db);

/* 0 if `db` has exactly our tables, indexes and triggers, word for word; else ERROR_DAMAGED (or ERROR_INPUT
 * for a file that is no journal, or of another version). */
int schema_check(sqlite3 *db, struct error *err);

#endif
