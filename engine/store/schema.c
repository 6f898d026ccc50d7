#include "store/schema.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_NO_DELETE_SQL                                                                   \
    "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint\n"                            \
    "  BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;\n"

/* Evidence: what an auditor reads. Rows of these tables are only ever added (content: also erased). The
 * contiguity trigger is what refuses INSERT OR REPLACE and gaps, which the other triggers would let pass. */
static const char EVIDENCE_SQL[] =
    "CREATE TABLE journal(\n"
    "  seq   INTEGER PRIMARY KEY,\n"
    "  entry BLOB NOT NULL CHECK(length(entry) BETWEEN 1 AND 65535)\n"
    ") STRICT;\n"
    "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;\n"
    "CREATE TABLE cosignature(\n"
    "  size INTEGER NOT NULL REFERENCES checkpoint(size),\n"
    "  line TEXT NOT NULL,\n"
    "  PRIMARY KEY(size, line)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE content(\n"
    "  hash BLOB PRIMARY KEY,\n"
    "  salt BLOB NOT NULL,\n"
    "  data BLOB NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE node(\n"
    "  level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL,\n"
    "  PRIMARY KEY(level, idx)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TRIGGER journal_contiguous BEFORE INSERT ON journal\n"
    "  WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq) + 1, 0) FROM journal)\n"
    "  BEGIN SELECT RAISE(ABORT, 'journal: seq must be the next number'); END;\n"
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal\n"
    "  BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;\n"
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal\n"
    "  BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;\n"
    "CREATE TRIGGER checkpoint_grows BEFORE INSERT ON checkpoint\n"
    "  WHEN NEW.size <= (SELECT COALESCE(MAX(size), -1) FROM checkpoint)\n"
    "  BEGIN SELECT RAISE(ABORT, 'checkpoint: size must grow'); END;\n"
    "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint\n"
    "  BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;\n" CHECKPOINT_NO_DELETE_SQL;

/* Beside the evidence: what can be rebuilt from it (state, command) or need not be (the rest). */
static const char WORKING_SQL[] =
    "CREATE TABLE state(\n"
    "  key TEXT PRIMARY KEY, row BLOB NOT NULL, due INTEGER\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX state_due ON state(due) WHERE due IS NOT NULL;\n"
    "CREATE TABLE command(block INTEGER PRIMARY KEY, ids BLOB NOT NULL) STRICT;\n"
    "CREATE TABLE lease(task INTEGER PRIMARY KEY, row BLOB NOT NULL) STRICT;\n"
    "CREATE TABLE upload(\n"
    "  id BLOB NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL,\n"
    "  PRIMARY KEY(id, part)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;\n";

static int create_tables(sqlite3 *db)
{
    int rc = sqlite3_exec(db, EVIDENCE_SQL, NULL, NULL, NULL);

    return rc == SQLITE_OK ? sqlite3_exec(db, WORKING_SQL, NULL, NULL, NULL) : rc;
}

int schema_create(sqlite3 *db)
{
    char *marks = sqlite3_mprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;",
                                  SCHEMA_APPLICATION, SCHEMA_VERSION);
    int rc = marks == NULL ? SQLITE_NOMEM : sqlite3_exec(db, marks, NULL, NULL, NULL);

    sqlite3_free(marks);
    return rc == SQLITE_OK ? create_tables(db) : rc;
}

int schema_forget_checkpoints(sqlite3 *db)
{
    return sqlite3_exec(db,
                        "DROP TRIGGER checkpoint_no_delete;"
                        "DELETE FROM cosignature;"
                        "DELETE FROM checkpoint;" CHECKPOINT_NO_DELETE_SQL,
                        NULL, NULL, NULL);
}

static int64_t pragma_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t number = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return number;
}

static int check_marks(sqlite3 *db, struct error *err)
{
    int64_t version = pragma_int(db, "PRAGMA user_version");

    if (pragma_int(db, "PRAGMA application_id") != SCHEMA_APPLICATION)
        return error_set(err, ERROR_INPUT, "the file is not a journal of this program");
    if (version != SCHEMA_VERSION)
        return error_set(err, ERROR_INPUT, "the journal has format %lld, this program knows %d",
                         (long long)version, SCHEMA_VERSION);
    return 0;
}

static const char LIST_SQL[] =
    "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";

static const char *column(sqlite3_stmt *stmt, int at)
{
    const char *text = (const char *)sqlite3_column_text(stmt, at);

    return text != NULL ? text : "";
}

/* Walks both lists in step; the first difference is the damage. */
static int compare_lists(sqlite3_stmt *want, sqlite3_stmt *have, struct error *err)
{
    for (;;) {
        int want_rc = sqlite3_step(want), have_rc = sqlite3_step(have), order;

        if (want_rc == SQLITE_DONE && have_rc == SQLITE_DONE)
            return 0;
        if (have_rc != SQLITE_ROW && have_rc != SQLITE_DONE)
            return error_set(err, ERROR_DAMAGED, "its schema cannot be read: %s",
                             sqlite3_errmsg(sqlite3_db_handle(have)));
        order = want_rc != SQLITE_ROW   ? 1
                : have_rc != SQLITE_ROW ? -1
                                        : strcmp(column(want, 0), column(have, 0));
        if (order > 0)
            return error_set(err, ERROR_DAMAGED, "'%s' was added to its schema", column(have, 0));
        if (order < 0)
            return error_set(err, ERROR_DAMAGED, "'%s' is gone from its schema", column(want, 0));
        if (strcmp(column(want, 1), column(have, 1)) != 0)
            return error_set(err, ERROR_DAMAGED, "'%s' was changed in its schema", column(have, 0));
    }
}

int schema_check(sqlite3 *db, struct error *err)
{
    sqlite3_stmt *want = NULL, *have = NULL;
    sqlite3 *fresh = NULL;
    int rc;

    if (check_marks(db, err) != 0)
        return -1;
    if (sqlite3_open_v2(":memory:", &fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL) !=
            SQLITE_OK ||
        create_tables(fresh) != SQLITE_OK ||
        sqlite3_prepare_v2(fresh, LIST_SQL, -1, &want, NULL) != SQLITE_OK)
        rc = error_set(err, ERROR_MEMORY, "no memory to check the schema");
    else if (sqlite3_prepare_v2(db, LIST_SQL, -1, &have, NULL) != SQLITE_OK)
        rc = error_set(err, ERROR_DAMAGED, "its schema cannot be read: %s", sqlite3_errmsg(db));
    else
        rc = compare_lists(want, have, err);
    sqlite3_finalize(want);
    sqlite3_finalize(have);
    sqlite3_close(fresh);
    return rc;
}
