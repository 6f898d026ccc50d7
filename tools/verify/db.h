/* db.h - the file under audit: opened so that nothing beside it changes, asked so that no error is lost.
 *
 *   1. The file and its neighbours are never written. If a write-ahead log or a rollback journal with
 *      something in it lies beside the file, both are copied to a temporary directory and read there.
 *   2. db_close() removes that directory.
 */
#ifndef ROTA_VERIFY_DB_H
#define ROTA_VERIFY_DB_H

#include "report.h"

#include <sqlite3.h>

enum { DB_PATH = 4096 };

struct db {
    sqlite3 *handle;
    char scratch[DB_PATH]; /* temporary directory; empty: none */
};

/* 0: open; -1: it cannot be read, and why is written to why. Does not look inside the file yet. */
int db_open(struct db *db, const char *path, char why[REPORT_TEXT]);

/* Takes a db that was opened or is {0}. */
void db_close(struct db *db);

/* Prepare a question. NULL: the file cannot answer it, and that was reported (DB_UNREADABLE). */
sqlite3_stmt *db_ask(struct db *db, struct report *report, const char *sql);

/* Step to the next row. False: no more, or it failed and that was reported. */
bool db_row(struct db *db, struct report *report, sqlite3_stmt *question);

/* A column that must be a blob (or text), lent until the next db_row(). False: it is of another type. */
bool db_blob(sqlite3_stmt *question, int column, struct bytes *out);
bool db_text(sqlite3_stmt *question, int column, struct bytes *out);

bool db_has_table(struct db *db, struct report *report, const char *name);

#endif
