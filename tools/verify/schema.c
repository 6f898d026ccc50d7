#include "schema.h"

struct wanted_trigger {
    const char *name, *sql;
};

#define ABORT(text) "BEGIN SELECT RAISE(ABORT,'" text "'); END"

static const struct wanted_trigger wanted[] = {
    {"journal_contiguous",
     "CREATE TRIGGER journal_contiguous BEFORE INSERT ON journal "
     "WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq) + 1, 0) FROM journal) " ABORT(
         "journal: seq must be the next number")},
    {"journal_no_update",
     "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal " ABORT("journal is append-only")},
    {"journal_no_delete",
     "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal " ABORT("journal is append-only")},
    {"checkpoint_grows", "CREATE TRIGGER checkpoint_grows BEFORE INSERT ON checkpoint "
                         "WHEN NEW.size <= (SELECT COALESCE(MAX(size), -1) FROM checkpoint) " ABORT(
                             "checkpoint: size must grow")},
    {"checkpoint_no_update",
     "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint " ABORT(
         "checkpoint is append-only")},
    {"checkpoint_no_delete",
     "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint " ABORT(
         "checkpoint is append-only")},
};

enum { WANTED = sizeof wanted / sizeof *wanted };

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* How many bytes of white space or comment stand here; 0: none. */
static size_t blank_at(struct bytes sql, size_t i)
{
    size_t end = i;

    if (is_space(sql.at[i]))
        return 1;
    if (i + 1 < sql.len && sql.at[i] == '-' && sql.at[i + 1] == '-') {
        while (end < sql.len && sql.at[end] != '\n')
            end++;
        return end - i;
    }
    if (i + 1 < sql.len && sql.at[i] == '/' && sql.at[i + 1] == '*') {
        for (end = i + 2; end < sql.len; end++)
            if (sql.at[end] == '/' && sql.at[end - 1] == '*' && end >= i + 3)
                return end + 1 - i;
        return end - i;
    }
    return 0;
}

void schema_normalise(struct buf *out, struct bytes sql)
{
    bool is_apart = false; /* a blank stood before this */
    size_t blank, i = 0;
    uint8_t quote = 0, last = 0;

    while (i < sql.len) {
        uint8_t c = sql.at[i];

        if (quote == 0 && (blank = blank_at(sql, i)) > 0) {
            is_apart = true;
            i += blank;
            continue;
        }
        if (quote == 0 && is_apart && is_word(last) && is_word(c))
            buf_add_byte(out, ' ');
        is_apart = false;
        if (quote == 0 && (c == '\'' || c == '"' || c == '`'))
            quote = c;
        else if (c == quote)
            quote = 0;
        else if (quote == 0 && c >= 'A' && c <= 'Z')
            c = (uint8_t)(c | 0x20);
        buf_add_byte(out, c);
        last = c;
        i++;
    }
}

static bool is_same_sql(struct bytes a, struct bytes b)
{
    struct buf one = {0}, other = {0};
    bool is_same;

    schema_normalise(&one, a);
    schema_normalise(&other, b);
    is_same = bytes_equal(buf_bytes(&one), buf_bytes(&other));
    buf_release(&one);
    buf_release(&other);
    return is_same;
}

void schema_check_triggers(struct db *db, struct report *report)
{
    sqlite3_stmt *question =
        db_ask(db, report, "SELECT name, sql, tbl_name FROM sqlite_schema WHERE type='trigger'");
    bool is_found[WANTED] = {false};
    struct bytes name, sql, table;

    while (db_row(db, report, question)) {
        size_t i = 0;

        db_text(question, 0, &name);
        db_text(question, 1, &sql);
        db_text(question, 2, &table);
        while (i < WANTED && !bytes_are(name, wanted[i].name))
            i++;
        if (i < WANTED) {
            is_found[i] = true;
            if (!is_same_sql(sql, bytes_text(wanted[i].sql)))
                report_error(report, "TRIGGER_CHANGED", REPORT_NO_SEQ,
                             "trigger %s does something else", wanted[i].name);
        } else if (bytes_are(table, "journal") || bytes_are(table, "checkpoint")) {
            report_warn(report, "TRIGGER_UNKNOWN",
                        "a trigger %.*s that is not ours stands on table %.*s", BYTES_ARG(name),
                        BYTES_ARG(table));
        }
    }
    sqlite3_finalize(question);
    for (size_t i = 0; i < WANTED; i++)
        if (!is_found[i])
            report_error(report, "TRIGGER_MISSING", REPORT_NO_SEQ, "trigger %s is gone",
                         wanted[i].name);
}
