#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What SQLite may leave beside a database called "journal.db". */
static const char *const endings[] = {"", "-wal", "-journal", "-shm"};

static int copy_bytes(int from, int to)
{
    static uint8_t block[1 << 16];
    ssize_t got, put;

    while ((got = read(from, block, sizeof block)) > 0)
        for (ssize_t at = 0; at < got; at += put) {
            put = write(to, block + at, (size_t)(got - at));
            if (put < 0)
                return -1;
        }
    return got < 0 ? -1 : 0;
}

static int copy_file(const char *from_path, const char *to_path)
{
    int from = open(from_path, O_RDONLY | O_CLOEXEC), to = -1, result = -1;

    if (from < 0)
        return -1;
    to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to >= 0)
        result = copy_bytes(from, to);
    if (to >= 0 && close(to) != 0)
        result = -1;
    close(from);
    return result;
}

static bool has_bytes(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && about.st_size > 0;
}

/* Copy the file and what lies beside it into a new directory of ours. */
static int copy_to_scratch(struct db *db, const char *path)
{
    const char *base = getenv("TMPDIR");
    char from[DB_PATH], to[DB_PATH];

    if (base == NULL || base[0] == '\0')
        base = "/tmp";
    if (snprintf(db->scratch, sizeof db->scratch, "%s/rota-verify-XXXXXX", base) >= DB_PATH - 32 ||
        mkdtemp(db->scratch) == NULL) {
        db->scratch[0] = '\0';
        return -1;
    }
    for (size_t i = 0; i < 3; i++) {
        if (snprintf(from, sizeof from, "%s%s", path, endings[i]) >= DB_PATH ||
            snprintf(to, sizeof to, "%.4000s/journal.db%s", db->scratch, endings[i]) >= DB_PATH)
            return -1;
        if (has_bytes(from) && copy_file(from, to) != 0)
            return -1;
    }
    return 0;
}

static void remove_scratch(const char *scratch)
{
    char path[DB_PATH];

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (snprintf(path, sizeof path, "%.4000s/journal.db%s", scratch, endings[i]) < DB_PATH)
            unlink(path);
    rmdir(scratch);
}

/* "file:" and the path with everything unusual escaped, and a query. */
static int file_uri(const char *path, const char *query, char out[3 * DB_PATH + 64])
{
    static const char usual[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
    char *at = out + sprintf(out, "file:");

    if (strlen(path) >= DB_PATH)
        return -1;
    for (; *path != '\0'; path++) {
        if (strchr(usual, *path) != NULL)
            *at++ = *path;
        else
            at += sprintf(at, "%%%02X", (unsigned)(unsigned char)*path);
    }
    strcpy(at, query);
    return 0;
}

static bool neighbour_has_bytes(const char *path)
{
    char beside[DB_PATH];

    for (size_t i = 1; i < 3; i++)
        if (snprintf(beside, sizeof beside, "%s%s", path, endings[i]) < DB_PATH &&
            has_bytes(beside))
            return true;
    return false;
}

static int open_handle(struct db *db, const char *path)
{
    char uri[3 * DB_PATH + 64], copy[DB_PATH];
    bool is_copied = neighbour_has_bytes(path);
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                (is_copied ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);

    if (is_copied) {
        if (copy_to_scratch(db, path) != 0)
            return -1;
        if (snprintf(copy, sizeof copy, "%.4000s/journal.db", db->scratch) >= DB_PATH)
            return -1;
        path = copy;
    }
    if (file_uri(path, is_copied ? "?mode=rw" : "?mode=ro&immutable=1", uri) != 0)
        return -1;
    if (sqlite3_open_v2(uri, &db->handle, flags, NULL) != SQLITE_OK)
        return -1;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    /* These read the file's first page; if that is damaged the first question will say so. */
    sqlite3_exec(db->handle, "PRAGMA cell_size_check=ON; PRAGMA query_only=ON", NULL, NULL, NULL);
    return 0;
}

int db_open(struct db *db, const char *path, char why[REPORT_TEXT])
{
    char *real = realpath(path, NULL);
    struct stat about;
    int result = -1;

    *db = (struct db){0};
    if (real == NULL || stat(real, &about) != 0)
        snprintf(why, REPORT_TEXT, "%.300s: %s", path, strerror(errno));
    else if (!S_ISREG(about.st_mode))
        snprintf(why, REPORT_TEXT, "%.300s: not a file", path);
    else if (access(real, R_OK) != 0)
        snprintf(why, REPORT_TEXT, "%.300s: %s", path, strerror(errno));
    else if (open_handle(db, real) != 0)
        snprintf(why, REPORT_TEXT, "%.300s: cannot be opened or copied", path);
    else
        result = 0;
    free(real);
    if (result != 0)
        db_close(db);
    return result;
}

void db_close(struct db *db)
{
    sqlite3_close(db->handle);
    if (db->scratch[0] != '\0')
        remove_scratch(db->scratch);
    *db = (struct db){0};
}

sqlite3_stmt *db_ask(struct db *db, struct report *report, const char *sql)
{
    sqlite3_stmt *question = NULL;

    if (sqlite3_prepare_v2(db->handle, sql, -1, &question, NULL) != SQLITE_OK)
        report_error(report, "DB_UNREADABLE", REPORT_NO_SEQ, "%s", sqlite3_errmsg(db->handle));
    return question;
}

bool db_row(struct db *db, struct report *report, sqlite3_stmt *question)
{
    int result;

    if (question == NULL)
        return false;
    result = sqlite3_step(question);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        report_error(report, "DB_UNREADABLE", REPORT_NO_SEQ, "%s", sqlite3_errmsg(db->handle));
    return result == SQLITE_ROW;
}

static bool db_column(sqlite3_stmt *question, int column, int type, struct bytes *out)
{
    const void *at = sqlite3_column_blob(question, column);

    *out = bytes_of(at, (size_t)sqlite3_column_bytes(question, column));
    return type == SQLITE_BLOB || type == SQLITE_TEXT;
}

bool db_blob(sqlite3_stmt *question, int column, struct bytes *out)
{
    int type = sqlite3_column_type(question, column);

    return db_column(question, column, type, out) && type == SQLITE_BLOB;
}

bool db_text(sqlite3_stmt *question, int column, struct bytes *out)
{
    int type = sqlite3_column_type(question, column);

    return db_column(question, column, type, out) && type == SQLITE_TEXT;
}

bool db_has_table(struct db *db, struct report *report, const char *name)
{
    sqlite3_stmt *question =
        db_ask(db, report, "SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?1");
    bool is_there;

    if (question == NULL)
        return false;
    sqlite3_bind_text(question, 1, name, -1, SQLITE_STATIC);
    is_there = db_row(db, report, question);
    sqlite3_finalize(question);
    return is_there;
}
