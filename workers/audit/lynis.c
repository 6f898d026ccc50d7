#include "audit/lynis.h"

#include "base/date.h"
#include "base/dmp.h"
#include "base/hash.h"
#include "base/map.h"

#include <stdlib.h>

enum {
    TITLE_BYTES_MAX = 160,
    STATEMENT_BYTES_MAX = 1000, /* more would have to go up as content */
    REJECT_TEXT_MAX = 120,
    ID_MAX = 32,
    SKIPPED_MAX = 1000,
    DETAILS_MAX = 4096
};

/* ---- test prefix to Annex A ---- */

static const struct prefix {
    const char *name, *controls;
} PREFIXES[] = {
    {"AUTH", "A.5.15, A.5.17, A.8.2, A.8.5"},
    {"LDAP", "A.5.15, A.5.17, A.8.2, A.8.5"},
    {"RBAC", "A.5.15, A.5.17, A.8.2, A.8.5"},
    {"ACCT", "A.8.15"},
    {"LOGG", "A.8.15"},
    {"TIME", "A.8.17"},
    {"BANN", "A.5.10"},
    {"BOOT", "A.8.9"},
    {"KRNL", "A.8.9"},
    {"HRDN", "A.8.9"},
    {"DEB", "A.8.9"},
    {"TOOL", "A.8.9"},
    {"SCHD", "A.8.9"},
    {"PROC", "A.8.9"},
    {"CORE", "A.8.9"},
    {"DBS", "A.8.9"},
    {"HTTP", "A.8.9"},
    {"SQD", "A.8.9"},
    {"PHP", "A.8.9"},
    {"PRNT", "A.8.9"},
    {"SNMP", "A.8.9"},
    {"PKGS", "A.8.8"},
    {"LYNIS", "A.8.8"},
    {"FILE", "A.8.3, A.8.9"},
    {"HOME", "A.8.3, A.8.9"},
    {"SHLL", "A.8.3, A.8.9"},
    {"MACF", "A.8.3, A.8.9"},
    {"FINT", "A.8.9, A.8.16"},
    {"FIRE", "A.8.20, A.8.21"},
    {"NETW", "A.8.20, A.8.21"},
    {"INSE", "A.8.20, A.8.21"},
    {"NAME", "A.8.20, A.8.21"},
    {"DNS", "A.8.20, A.8.21"},
    {"SSH", "A.8.20, A.8.21"},
    {"MAIL", "A.8.20, A.8.21"},
    {"CRYP", "A.8.24"},
    {"MALW", "A.8.7"},
    {"STRG", "A.7.10, A.8.12"},
    {"USB", "A.7.10, A.8.12"},
    {"CONT", "A.8.9, A.8.31"},
    {"SINT", "A.8.16"},
};

/* A prefix that is not in the table (a plug-in, a test of one's own) is about configuration. */
static const char OTHER_CONTROLS[] = "A.8.9";

const char *lynis_controls(struct slice test_id)
{
    size_t len = 0;

    while (len < test_id.len && test_id.at[len] != '-')
        len++;
    for (size_t i = 0; i < sizeof PREFIXES / sizeof PREFIXES[0]; i++) {
        if (slice_is(slice_of(test_id.at, len), PREFIXES[i].name))
            return PREFIXES[i].controls;
    }
    return OTHER_CONTROLS;
}

/* ---- the reader ---- */

struct row { /* one finding while it is collected */
    struct row *next;
    struct slice id, text, solution;
    struct buf details; /* owned; all of them, "; " between */
    bool is_warning, was_mended;
    int copies;
};

struct reader {
    struct arena *arena;
    struct map rows; /* id|text -> struct row */
    struct row *first, **last;
    struct slice *details; /* values of details[], in `arena` */
    size_t details_count;
    struct value rejects, skipped;
    struct slice version, host, hostid, started;
    int64_t lines, findings, rejected, duplicates, warnings, suggestions, tests_done, executed,
        not_executed;
    bool is_report, is_finished;
};

/* What is left of `rest` up to the line's end, without CR and LF. */
static bool next_line(struct slice *rest, struct slice *line)
{
    const uint8_t *end;
    size_t len;

    if (rest->len == 0)
        return false;
    end = memchr(rest->at, '\n', rest->len);
    len = end == NULL ? rest->len : (size_t)(end - rest->at);
    *line = slice_of(rest->at, len);
    *rest = slice_of(rest->at + len, rest->len - len);
    if (rest->len > 0)
        *rest = slice_of(rest->at + 1, rest->len - 1);
    while (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    return true;
}

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = slice_of(text.at + 1, text.len - 1);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* The bytes of the character with which the text begins; 0: it begins with none. */
static size_t character_len(struct slice text)
{
    for (size_t len = 1; len <= 4 && len <= text.len; len++)
        if (utf8_is_valid(slice_of(text.at, len)))
            return len;
    return 0;
}

/* A copy in valid UTF-8 and without control characters: these become spaces, and a byte that belongs to no character "�". */
static struct slice mended(struct reader *reader, struct slice text, bool *was_mended)
{
    static const char lost[] = "\xef\xbf\xbd";
    char *copy = arena_take(reader->arena, text.len * (sizeof lost - 1) + 1), *end = copy;

    for (size_t i = 0, len; i<text.len; i += len> 0 ? len : 1) {
        unsigned char c = text.at[i];

        len = character_len(slice_of(text.at + i, text.len - i));
        if (c < 0x20 || c == 0x7f)
            *end++ = ' ';
        else if (len == 0)
            end = stpcpy(end, lost);
        else
            end = mempcpy(end, text.at + i, len);
        *was_mended = *was_mended || len == 0 || c < 0x20 || c == 0x7f;
    }
    return slice_of(copy, (size_t)(end - copy));
}

/* The first `max` bytes, never cut inside a character. */
static struct slice shortened(struct slice text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && (text.at[max] & 0xc0) == 0x80)
        max--;
    return slice_of(text.at, max);
}

static void reject(struct reader *reader, struct slice line, const char *why)
{
    struct value item = value_map();
    bool ignored = false;
    struct slice shown;

    reader->rejected++;
    if (reader->rejects.count >= LYNIS_REJECTS_MAX)
        return;
    shown = mended(reader, shortened(line, 4096), &ignored);
    value_set(reader->arena, &item, "line", value_int(reader->lines));
    value_set(reader->arena, &item, "text", value_text(shortened(shown, REJECT_TEXT_MAX)));
    value_set(reader->arena, &item, "why", value_str(why));
    value_push(reader->arena, &reader->rejects, item);
}

/* ---- warning[] and suggestion[] ---- */

static bool is_test_id(struct slice id)
{
    if (id.len == 0 || id.len > ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.at[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* Cuts the part behind the last pipe off; the whole, and false, if there is none. */
static bool cut_last(struct slice *text, struct slice *part)
{
    for (size_t i = text->len; i > 0; i--) {
        if (text->at[i - 1] == '|') {
            *part = slice_of(text->at + i, text->len - i);
            text->len = i - 1;
            return true;
        }
    }
    return false;
}

static struct slice or_nothing(struct slice part)
{
    part = trimmed(part);
    return slice_is(part, "-") ? slice_of(NULL, 0) : part;
}

struct parts {
    struct slice id, text, details, solution;
};

/* ID|text|details|solution| with pipes anywhere in the text, and parts missing from the right. */
static const char *split(struct slice value, struct parts *out)
{
    const uint8_t *pipe = value.len == 0 ? NULL : memchr(value.at, '|', value.len);
    struct slice rest, last = {NULL, 0}, before = {NULL, 0};

    *out = (struct parts){
        .id = trimmed(pipe == NULL ? value : slice_of(value.at, (size_t)(pipe - value.at)))};
    if (pipe == NULL)
        return "no text behind an id";
    if (!is_test_id(out->id))
        return "not the id of a test";
    rest = slice_of(pipe + 1, value.len - (size_t)(pipe - value.at) - 1);
    if (rest.len > 0 && rest.at[rest.len - 1] == '|')
        rest.len--;
    if (cut_last(&rest, &last)) {
        if (cut_last(&rest, &before)) {
            out->details = or_nothing(before);
            out->solution = or_nothing(last);
        } else {
            out->details = or_nothing(last);
        }
    }
    out->text = or_nothing(rest);
    return out->text.len == 0 ? "no text" : NULL;
}

static struct row *row_of(struct reader *reader, const struct parts *parts)
{
    struct slice key = slice_of(NULL, 0);
    char *text =
        arena_printf(reader->arena, "%.*s|%.*s", (int)parts->id.len, (const char *)parts->id.at,
                     (int)parts->text.len, (const char *)parts->text.at);
    struct row *row;

    key = slice_str(text);
    row = map_get(&reader->rows, key);
    if (row != NULL)
        return row;
    row = arena_zero(reader->arena, sizeof *row);
    row->id = parts->id;
    row->text = parts->text;
    row->solution = parts->solution;
    map_put(&reader->rows, key, row);
    *reader->last = row;
    reader->last = &row->next;
    reader->findings++;
    return row;
}

/* One more detail, unless it is known: "a; b; c". */
static void add_details(struct row *row, struct slice details)
{
    if (details.len == 0 || row->details.len > STATEMENT_BYTES_MAX ||
        (row->details.len > 0 &&
         memmem(row->details.at, row->details.len, details.at, details.len) != NULL))
        return;
    if (row->details.len > 0)
        buf_add_str(&row->details, "; ");
    buf_add_slice(&row->details, details);
}

static void take_row(struct reader *reader, struct slice value, bool is_warning)
{
    bool was_mended = false;
    struct parts parts;
    const char *why;
    struct row *row;
    int64_t before = reader->findings;

    why = split(mended(reader, value, &was_mended), &parts);
    if (why != NULL) {
        reject(reader, value, why);
        return;
    }
    row = row_of(reader, &parts);
    if (reader->findings == before)
        reader->duplicates++;
    row->copies++;
    row->is_warning = row->is_warning || is_warning;
    row->was_mended = row->was_mended || was_mended;
    if (row->solution.len == 0)
        row->solution = parts.solution;
    add_details(row, parts.details);
    if (is_warning)
        reader->warnings++;
    else
        reader->suggestions++;
}

/* details[]=KRNL-6000|sysctl|field:kernel.kptr_restrict;prefval:2;value:0;|: evidence of a finding,
 * which usually comes later in the report. */
static void keep_details(struct reader *reader, struct slice value)
{
    struct slice *more;
    bool ignored = false;

    if (reader->details_count == DETAILS_MAX)
        return;
    if ((reader->details_count & (reader->details_count - 1)) == 0) {
        more =
            arena_take(reader->arena,
                       (reader->details_count == 0 ? 1 : reader->details_count * 2) * sizeof *more);
        if (reader->details_count > 0)
            memcpy(more, reader->details, reader->details_count * sizeof *more);
        reader->details = more;
    }
    reader->details[reader->details_count++] = mended(reader, value, &ignored);
}

static void give_details(struct reader *reader, struct slice value)
{
    const uint8_t *pipe = value.len == 0 ? NULL : memchr(value.at, '|', value.len);
    struct slice id, rest;

    if (pipe == NULL)
        return;
    id = slice_of(value.at, (size_t)(pipe - value.at));
    rest = slice_of(pipe + 1, value.len - id.len - 1);
    while (rest.len > 0 && (rest.at[rest.len - 1] == '|' || rest.at[rest.len - 1] == ';'))
        rest.len--;
    for (struct row *row = reader->first; row != NULL; row = row->next) {
        if (slice_equal(row->id, id))
            add_details(row, trimmed(rest));
    }
}

/* ---- the other keys ---- */

static int64_t number_of(struct slice value)
{
    int64_t number = 0;

    for (size_t i = 0; i < value.len && i < 9 && value.at[i] >= '0' && value.at[i] <= '9'; i++)
        number = number * 10 + (value.at[i] - '0');
    return number;
}

/* Counts ids between pipes; keeps them in `list` if there is one. */
static int64_t count_tests(struct reader *reader, struct slice value, struct value *list)
{
    int64_t count = 0;

    while (value.len > 0) {
        const uint8_t *pipe = memchr(value.at, '|', value.len);
        size_t len = pipe == NULL ? value.len : (size_t)(pipe - value.at);
        struct slice id = trimmed(slice_of(value.at, len));

        if (is_test_id(id)) {
            count++;
            if (list != NULL && list->count < SKIPPED_MAX)
                value_push(reader->arena, list,
                           value_text(slice_of(arena_copy(reader->arena, id.at, id.len), id.len)));
        }
        len += pipe != NULL;
        value = slice_of(value.at + len, value.len - len);
    }
    return count;
}

static void take_fact(struct reader *reader, struct slice key, struct slice value)
{
    bool ignored = false;

    if (slice_is(key, "lynis_version"))
        reader->version = mended(reader, value, &ignored);
    else if (slice_is(key, "hostname"))
        reader->host = mended(reader, value, &ignored);
    else if (slice_is(key, "hostid"))
        reader->hostid = mended(reader, value, &ignored);
    else if (slice_is(key, "report_datetime_start"))
        reader->started = mended(reader, value, &ignored);
    else if (slice_is(key, "lynis_tests_done"))
        reader->tests_done = number_of(value);
    else if (slice_is(key, "finish"))
        reader->is_finished = slice_is(value, "true");
    if (slice_is(key, "lynis_version") || slice_is(key, "report_version_major"))
        reader->is_report = true;
}

static bool is_key(struct slice key)
{
    if (key.len == 0 || key.len > 64)
        return false;
    for (size_t i = 0; i < key.len; i++) {
        uint8_t c = key.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("_-.[]", c) != NULL) ||
            c == '\0')
            return false;
    }
    return true;
}

static void take_line(struct reader *reader, struct slice line)
{
    const uint8_t *equals = line.len == 0 ? NULL : memchr(line.at, '=', line.len);
    struct slice key, value;

    reader->lines++;
    line = trimmed(line);
    if (line.len == 0 || line.at[0] == '#')
        return;
    key = equals == NULL ? slice_of(NULL, 0) : slice_of(line.at, (size_t)(equals - line.at));
    if (!is_key(key)) {
        reject(reader, line, "a line without a key");
        return;
    }
    value = trimmed(slice_of(equals + 1, line.len - key.len - 1));
    if (slice_is(key, "tests_executed")) {
        reader->executed = count_tests(reader, value, NULL);
    } else if (slice_is(key, "tests_skipped")) {
        reader->not_executed = count_tests(reader, value, &reader->skipped);
    } else if (line.len > LYNIS_LINE_MAX) {
        reject(reader, line, "longer than 16 KiB");
    } else if (slice_is(key, "warning[]") || slice_is(key, "suggestion[]")) {
        take_row(reader, value, key.at[0] == 'w');
    } else if (slice_is(key, "details[]")) {
        keep_details(reader, value);
    } else {
        take_fact(reader, key, value);
    }
}

/* ---- findings ---- */

/* Where it was seen. A host id is what stays when a host is renamed; without one (or with the
 * placeholder of a published report) the host's name has to do. */
static struct slice place_of(const struct reader *reader)
{
    if (reader->hostid.len > 0 && !slice_is(reader->hostid, "-") &&
        !slice_is(reader->hostid, "REDACTED"))
        return reader->hostid;
    return reader->host.len > 0 ? reader->host : slice_str("unknown-host");
}

/* lynis + host id + test id + text, the text by its hash: it may be long. */
static struct slice dedupe_key(struct reader *reader, const struct row *row)
{
    struct slice place = shortened(place_of(reader), 128);
    uint8_t hash[HASH_LEN];
    char hex[2 * 16 + 1];

    hash_bytes(row->text, hash);
    hex_encode(slice_of(hash, 16), hex);
    return slice_str(arena_printf(reader->arena, "lynis:%.*s:%.*s:%s", (int)place.len,
                                  (const char *)place.at, (int)row->id.len,
                                  (const char *)row->id.at, hex));
}

static struct slice statement_of(struct reader *reader, const struct row *row)
{
    struct buf text = BUF_EMPTY;
    struct slice kept;

    buf_addf(&text, "Requirement: %s. Evidence: test %.*s of Lynis %.*s on %.*s. Deviation: %.*s",
             lynis_controls(row->id), (int)row->id.len, (const char *)row->id.at,
             (int)reader->version.len, (const char *)reader->version.at, (int)reader->host.len,
             (const char *)reader->host.at, (int)row->text.len, (const char *)row->text.at);
    if (row->details.len > 0)
        buf_addf(&text, " Details: %.*s", (int)row->details.len, (const char *)row->details.at);
    kept = shortened(buf_slice(&text), STATEMENT_BYTES_MAX);
    kept = slice_of(arena_copy(reader->arena, kept.at, kept.len), kept.len);
    buf_release(&text);
    return kept;
}

static void add_notes(struct reader *reader, const struct row *row, struct value *fields)
{
    struct value notes = value_array();

    if (row->was_mended)
        value_push(reader->arena, &notes,
                   value_str("bytes of the report that are not text were replaced"));
    if (row->copies > 1)
        value_push(reader->arena, &notes,
                   value_str(arena_printf(reader->arena, "%d rows of the report", row->copies)));
    if (notes.count > 0)
        value_set(reader->arena, fields, "import_notes", notes);
}

static struct value finding_of(struct reader *reader, const struct row *row, struct slice found_on)
{
    struct arena *arena = reader->arena;
    struct value finding = value_map(), fields = value_map();
    char *title = arena_printf(arena, "%.*s: %.*s", (int)row->id.len, (const char *)row->id.at,
                               (int)row->text.len, (const char *)row->text.at);

    value_set(arena, &fields, "source", value_str("import_scan"));
    value_set(arena, &fields, "classification",
              value_str(row->is_warning ? "minor_nc" : "opportunity"));
    value_set(arena, &fields, "severity", value_str(row->is_warning ? "medium" : "low"));
    value_set(arena, &fields, "criterion", value_str(lynis_controls(row->id)));
    value_set(arena, &fields, "statement", value_text(statement_of(reader, row)));
    if (reader->host.len > 0)
        value_set(arena, &fields, "location", value_text(shortened(reader->host, 255)));
    value_set(arena, &fields, "found_on", value_text(found_on));
    value_set(arena, &fields, "tool", value_str("lynis"));
    value_set(arena, &fields, "rule_id", value_text(row->id));
    if (row->solution.len > 0)
        value_set(arena, &fields, "solution",
                  value_text(shortened(row->solution, STATEMENT_BYTES_MAX)));
    add_notes(reader, row, &fields);
    value_set(arena, &finding, "title", value_text(shortened(slice_str(title), TITLE_BYTES_MAX)));
    value_set(arena, &finding, "dedupe_key", value_text(dedupe_key(reader, row)));
    value_set(arena, &finding, "fields", fields);
    return finding;
}

static int date_of_report(const struct reader *reader, const char *fallback, struct slice *out,
                          struct error *err)
{
    struct slice day =
        slice_of(reader->started.at, reader->started.len < DATE_TEXT_LEN ? 0 : DATE_TEXT_LEN);
    int32_t date;

    if (day.len > 0 && date_parse(day, &date) == 0)
        *out = day;
    else if (fallback != NULL)
        *out = slice_str(fallback);
    else
        return error_set(err, ERROR_INPUT, "the report does not say when it was made");
    return 0;
}

static void fill_counts(struct reader *reader, struct value *out)
{
    const struct {
        const char *name;
        int64_t number;
    } counts[] = {
        {"lines", reader->lines},
        {"warnings", reader->warnings},
        {"suggestions", reader->suggestions},
        {"findings", reader->findings},
        {"duplicates", reader->duplicates},
        {"rejects", reader->rejected},
        {"tests_done", reader->tests_done},
        {"executed", reader->executed},
        {"skipped", reader->not_executed},
    };
    struct value map = value_map();

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        value_set(reader->arena, &map, counts[i].name, value_int(counts[i].number));
    value_set(reader->arena, out, "counts", map);
}

static void fill(struct reader *reader, struct slice file, struct slice found_on, struct value *out)
{
    struct arena *arena = reader->arena;
    struct value findings = value_array();
    uint8_t hash[HASH_LEN];
    char *hex = arena_take(arena, 2 * HASH_LEN + 1);

    hash_bytes(file, hash);
    hex_encode(slice_of(hash, HASH_LEN), hex);
    for (struct row *row = reader->first; row != NULL; row = row->next)
        value_push(arena, &findings, finding_of(reader, row, found_on));
    *out = value_map();
    value_set(arena, out, "tool", value_str("lynis"));
    value_set(arena, out, "format", value_str("lynis"));
    value_set(arena, out, "version", value_text(reader->version));
    value_set(arena, out, "sha256", value_str(hex));
    value_set(arena, out, "host", value_text(reader->host));
    value_set(arena, out, "hostid", value_text(reader->hostid));
    value_set(arena, out, "started", value_text(reader->started));
    value_set(arena, out, "complete", value_bool(reader->is_finished));
    /* A scan that broke off says nothing about what it did not reach. */
    if (reader->is_finished) {
        struct slice place = shortened(place_of(reader), 128);

        value_set(
            arena, out, "covers",
            value_str(arena_printf(arena, "lynis:%.*s:", (int)place.len, (const char *)place.at)));
    }
    value_set(arena, out, "findings", findings);
    value_set(arena, out, "rejects", reader->rejects);
    value_set(arena, out, "skipped", reader->skipped);
    fill_counts(reader, out);
}

static void read_lines(struct reader *reader, struct slice file)
{
    struct slice rest = file, line;

    if (slice_starts(rest, "\xef\xbb\xbf"))
        rest = slice_of(rest.at + 3, rest.len - 3);
    while (next_line(&rest, &line) && reader->findings <= LYNIS_FINDINGS_MAX)
        take_line(reader, line);
    for (size_t i = 0; i < reader->details_count; i++)
        give_details(reader, reader->details[i]);
}

static void release(struct reader *reader)
{
    for (struct row *row = reader->first; row != NULL; row = row->next)
        buf_release(&row->details);
    map_release(&reader->rows);
}

int lynis_read(struct arena *arena, struct slice file, const char *found_on, struct value *out,
               struct error *err)
{
    struct reader reader = {.arena = arena, .rejects = value_array(), .skipped = value_array()};
    struct slice day = {NULL, 0};
    int rc = -1;

    if (file.len > LYNIS_BYTES_MAX)
        return error_set(err, ERROR_INPUT, "larger than 16 MiB");
    reader.last = &reader.first;
    read_lines(&reader, file);
    if (!reader.is_report)
        error_set(err, ERROR_INPUT, "this is not a Lynis report");
    else if (reader.findings > LYNIS_FINDINGS_MAX)
        error_set(err, ERROR_INPUT, "more than %d findings", LYNIS_FINDINGS_MAX);
    else
        rc = date_of_report(&reader, found_on, &day, err);
    if (rc == 0)
        fill(&reader, file, day, out);
    release(&reader);
    return rc;
}
