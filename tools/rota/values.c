/* values.c - typed field values from words and files. */
#include "values.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/dmp.h"
#include "tool.h"
#include "wire/json.h"

enum { NEST_MAX = 8 };

/* ---- files -------------------------------------------------------------------------------------- */

int values_read_bytes(struct arena *arena, const char *path, size_t max, struct slice *out,
                      struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us waiting */
    struct stat about;
    uint8_t *bytes;
    size_t len = 0;
    ssize_t got = 0;

    if (fd < 0)
        return error_set(err, ERROR_INPUT, "%s: %s", path, strerror(errno));
    about.st_mode = 0;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || (size_t)about.st_size > max) {
        close(fd);
        if (S_ISREG(about.st_mode))
            return error_set(err, ERROR_INPUT, "%s: %lld bytes, and at most %zu are read", path,
                             (long long)about.st_size, max);
        return error_set(err, ERROR_INPUT, "%s: not a regular file", path);
    }
    bytes = arena_take(arena, (size_t)about.st_size + 1);
    while (len < (size_t)about.st_size &&
           (got = read(fd, bytes + len, (size_t)about.st_size - len)) > 0)
        len += (size_t)got;
    close(fd);
    if (got < 0)
        return error_set(err, ERROR_INPUT, "%s: %s", path, strerror(errno));
    bytes[len] = '\0';
    *out = slice_of(bytes, len);
    return 0;
}

static int from_setting(struct arena *arena, const config_setting_t *setting, int depth,
                        struct value *out, struct error *err);

static int from_group(struct arena *arena, const config_setting_t *group, int depth,
                      struct value *out, struct error *err)
{
    bool is_map = config_setting_is_group(group) == CONFIG_TRUE;

    *out = is_map ? value_map() : value_array();
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *item = config_setting_get_elem(group, (unsigned)i);
        struct value value;

        if (from_setting(arena, item, depth + 1, &value, err) != 0)
            return -1;
        if (is_map)
            value_set(arena, out, arena_str(arena, config_setting_name(item)), value);
        else
            value_push(arena, out, value);
    }
    return 0;
}

static int from_setting(struct arena *arena, const config_setting_t *setting, int depth,
                        struct value *out, struct error *err)
{
    if (depth > NEST_MAX)
        return error_set(err, ERROR_INPUT, "line %u: nested more than %d deep",
                         config_setting_source_line(setting), NEST_MAX);
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        *out = value_int(config_setting_get_int64(setting));
        return 0;
    case CONFIG_TYPE_BOOL:
        *out = value_bool(config_setting_get_bool(setting) == CONFIG_TRUE);
        return 0;
    case CONFIG_TYPE_STRING:
        *out = value_str(arena_str(arena, config_setting_get_string(setting)));
        return 0;
    case CONFIG_TYPE_GROUP:
    case CONFIG_TYPE_ARRAY:
    case CONFIG_TYPE_LIST:
        return from_group(arena, setting, depth, out, err);
    default:
        return error_set(err, ERROR_INPUT,
                         "line %u: a number with a fraction; write it as text or a whole number",
                         config_setting_source_line(setting));
    }
}

static void note_lines(struct arena *arena, const config_setting_t *group, struct value *lines)
{
    for (int i = 0; group != NULL && i < config_setting_length(group); i++) {
        const config_setting_t *item = config_setting_get_elem(group, (unsigned)i);

        if (config_setting_name(item) != NULL)
            value_set(arena, lines, arena_str(arena, config_setting_name(item)),
                      value_int((int64_t)config_setting_source_line(item)));
    }
}

static int read_config(struct arena *arena, const char *path, struct slice text, struct value *out,
                       struct value *lines, struct error *err)
{
    config_t config;
    int result;

    config_init(&config);
    if (config_read_string(&config, (const char *)text.at) != CONFIG_TRUE) {
        result = error_set(err, ERROR_INPUT, "%s:%d: %s", path, config_error_line(&config),
                           config_error_text(&config));
    } else {
        result = from_setting(arena, config_root_setting(&config), 0, out, err);
        if (result != 0)
            error_add(err, "%s", path);
        note_lines(arena, config_root_setting(&config), lines);
        note_lines(arena, config_lookup(&config, "fields"), lines);
    }
    config_destroy(&config);
    return result;
}

static bool looks_like_json(struct slice text)
{
    size_t i = 0;

    while (i < text.len &&
           (text.at[i] == ' ' || text.at[i] == '\n' || text.at[i] == '\r' || text.at[i] == '\t'))
        i++;
    return i < text.len && (text.at[i] == '{' || text.at[i] == '[');
}

int values_read(struct arena *arena, const char *path, struct value *out, struct value *lines,
                struct error *err)
{
    struct slice text;

    *lines = value_map();
    if (values_read_bytes(arena, path, VALUES_TEXT_MAX, &text, err) != 0)
        return -1;
    if (!utf8_is_valid(text) || memchr(text.at, '\0', text.len) != NULL)
        return error_set(err, ERROR_INPUT, "%s: not UTF-8 text", path);
    if (slice_starts(text, "\xef\xbb\xbf")) /* the mark that some editors put before a text */
        text = slice_of(text.at + 3, text.len - 3);
    if (!looks_like_json(text))
        return read_config(arena, path, text, out, lines, err);
    *lines = VALUE_NONE;
    return json_to_value(arena, text, NEST_MAX, out, err) == 0 ? 0 : error_add(err, "%s", path);
}

/* ---- fields ------------------------------------------------------------------------------------- */

const struct value *values_field(const struct value *kind, struct slice name)
{
    const struct value *fields = value_get(kind, "fields");

    for (uint32_t i = 0; value_is(fields, VALUE_ARRAY) && i < fields->count; i++)
        if (slice_equal(value_get_text(&fields->as.items[i], "name"), name))
            return &fields->as.items[i];
    return NULL;
}

static int fault(const struct values *values, struct slice name, struct error *err,
                 const char *text)
{
    const uint8_t *point = name.len > 0 ? memchr(name.at, '.', name.len) : NULL;
    size_t len = point != NULL ? (size_t)(point - name.at) : name.len; /* of a cell: its table */
    int64_t line = value_get_int(&values->lines, arena_copy(values->arena, name.at, len), 0);
    char place[ERROR_TEXT_MAX] = "";

    if (values->path != NULL && line > 0)
        snprintf(place, sizeof place, "%s:%lld: ", values->path, (long long)line);
    else if (values->path != NULL)
        snprintf(place, sizeof place, "%s: ", values->path);
    return error_set(err, ERROR_INPUT, "%s%.*s: %s", place, (int)name.len, (const char *)name.at,
                     text);
}

static const char *nearest_column(const struct values *values, const struct value *columns,
                                  struct slice name)
{
    const char *names[64];
    int count = 0;

    for (uint32_t i = 0; value_is(columns, VALUE_ARRAY) && i < columns->count && count < 64; i++)
        names[count++] = value_get_str(&columns->as.items[i], "name", "", values->arena);
    return nearest_said(values->arena, arena_copy(values->arena, name.at, name.len), names, count);
}

static int unknown_field(const struct values *values, struct slice name, struct error *err)
{
    const struct value *fields = value_get(values->kind, "fields");
    const char *names[256], *near, *text;
    int count = 0;

    for (uint32_t i = 0; value_is(fields, VALUE_ARRAY) && i < fields->count && count < 256; i++)
        names[count++] = value_get_str(&fields->as.items[i], "name", "", values->arena);
    near = nearest_said(values->arena, arena_copy(values->arena, name.at, name.len), names, count);
    text = value_get_str(values->kind, "name", "this kind", values->arena);
    text = *near != '\0' ? arena_printf(values->arena, "%s has no such field%s", text, near)
                         : arena_printf(values->arena,
                                        "%s has no such field (rota open %s --template lists them)",
                                        text, text);
    return fault(values, name, err, text);
}

/* One value of a field's type, before lists: needs the field's description, gives the fitted value. */
struct fitting {
    struct values *values;
    const struct value *field;
    struct slice name;
    struct slice type;
    bool is_column; /* inside a table: nothing is uploaded alone but files */
};

static int fit_one(const struct fitting *fitting, const struct value *raw, struct value *out,
                   struct error *err);

static int wrong(const struct fitting *fitting, const char *text, struct error *err)
{
    return fault(fitting->values, fitting->name, err, text);
}

static int upload(struct values *values, struct slice data, struct value *out, struct error *err)
{
    return values->upload(values->self, data, out, err);
}

static const char *path_of(const struct values *values, struct slice name)
{
    if (values->base == NULL || (name.len > 0 && name.at[0] == '/'))
        return arena_copy(values->arena, name.at, name.len);
    return arena_printf(values->arena, "%s/%.*s", values->base, (int)name.len,
                        (const char *)name.at);
}

static const char *media_type(const char *path)
{
    static const char *const types[][2] = {
        {".pdf", "application/pdf"},
        {".txt", "text/plain"},
        {".md", "text/markdown"},
        {".csv", "text/csv"},
        {".json", "application/json"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".svg", "image/svg+xml"},
        {".html", "text/html"},
        {".xml", "application/xml"},
        {".zip", "application/zip"},
        {".dat", "text/plain"},
        {".eml", "message/rfc822"},
        {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        {".odt", "application/vnd.oasis.opendocument.text"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static int fit_file(const struct fitting *fitting, const struct value *raw, struct value *out,
                    struct error *err)
{
    struct values *values = fitting->values;
    struct slice name = value_slice(raw), data;
    const char *path, *base;

    if (value_is(value_get(raw, "content"), VALUE_BIN)) { /* a reference that the engine gave */
        *out = *raw;
        return 0;
    }
    if (value_is(raw, VALUE_MAP))
        name = value_get_text(raw, "file");
    if (slice_starts(name, "@"))
        name = slice_of(name.at + 1, name.len - 1);
    if (name.len == 0)
        return wrong(fitting, "needs the path of a file", err);
    path = path_of(values, name);
    if (values_read_bytes(values->arena, path, VALUES_FILE_MAX, &data, err) != 0 ||
        upload(values, data, out, err) != 0)
        return -1;
    base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    value_set(values->arena, out, "name", value_str(base));
    value_set(values->arena, out, "type", value_str(media_type(path)));
    return 0;
}

/* Text, given as it is or as @file. */
static int fit_text(const struct fitting *fitting, const struct value *raw, struct value *out,
                    struct error *err)
{
    struct values *values = fitting->values;
    struct slice text = value_slice(raw);

    if (value_is(value_get(raw, "content"), VALUE_BIN)) {
        *out = *raw;
        return 0;
    }
    if (value_is(raw, VALUE_MAP) && value_get(raw, "file") != NULL)
        text = slice_str(arena_printf(values->arena, "@%.*s", (int)value_get_text(raw, "file").len,
                                      (const char *)value_get_text(raw, "file").at));
    else if (!value_is(raw, VALUE_STR))
        return wrong(fitting, "needs text", err);
    if (slice_starts(text, "@") && text.len > 1 && !slice_is(fitting->type, "text")) {
        struct slice name = slice_of(text.at + 1, text.len - 1);

        if (values_read_bytes(values->arena, path_of(values, name), VALUES_TEXT_MAX, &text, err) !=
            0)
            return -1;
    } else if (slice_starts(text, "@@")) {
        text = slice_of(text.at + 1, text.len - 1); /* a text that begins with an @ is written @@ */
    }
    if (!utf8_is_valid(text))
        return wrong(fitting, "is not UTF-8 text", err);
    if (text.len == 0 || fitting->is_column ||
        (text.len <= VALUES_INLINE_MAX && !value_get_bool(fitting->field, "erasable", false))) {
        *out = value_text(text);
        return 0;
    }
    if (slice_is(fitting->type, "text") && text.len > VALUES_INLINE_MAX)
        return wrong(fitting, "is longer than 1024 bytes, which only a longtext field may be", err);
    return upload(values, text, out, err);
}

static int fit_int(const struct fitting *fitting, const struct value *raw, struct value *out,
                   struct error *err)
{
    const char *text;
    char *end;
    long long number;

    if (value_is(raw, VALUE_INT)) {
        *out = *raw;
        return 0;
    }
    text = arena_copy(fitting->values->arena, value_slice(raw).at, value_slice(raw).len);
    errno = 0;
    number = strtoll(text, &end, 10);
    if (!value_is(raw, VALUE_STR) || *text == '\0' || *end != '\0' || errno != 0)
        return wrong(fitting, "needs a whole number", err);
    *out = value_int(number);
    return 0;
}

static int fit_bool(const struct fitting *fitting, const struct value *raw, struct value *out,
                    struct error *err)
{
    struct slice text = value_slice(raw);

    if (value_is(raw, VALUE_BOOL))
        *out = *raw;
    else if (slice_is(text, "true") || slice_is(text, "yes"))
        *out = value_bool(true);
    else if (slice_is(text, "false") || slice_is(text, "no"))
        *out = value_bool(false);
    else
        return wrong(fitting, "needs yes or no", err);
    return 0;
}

static int fit_enum(const struct fitting *fitting, const struct value *raw, struct value *out,
                    struct error *err)
{
    const struct value *of = value_get(fitting->field, "of");
    struct arena *arena = fitting->values->arena;
    char *text;

    if (value_is(raw, VALUE_STR) &&
        (!value_is(of, VALUE_ARRAY) || of->count == 0 || value_has_text(of, value_slice(raw)))) {
        *out = *raw;
        return 0;
    }
    text = arena_str(arena, "needs one of");
    for (uint32_t i = 0; value_is(of, VALUE_ARRAY) && i < of->count; i++)
        text = arena_printf(arena, "%s%s %.*s", text, i == 0 ? "" : ",", (int)of->as.items[i].count,
                            of->as.items[i].as.text);
    return wrong(fitting, text, err);
}

static int fit_date(const struct fitting *fitting, const struct value *raw, struct value *out,
                    struct error *err)
{
    int32_t date;

    if (slice_is(value_slice(raw), "today") && fitting->values->today != NULL) {
        *out = value_str(fitting->values->today);
        return 0;
    }
    if (!value_is(raw, VALUE_STR) || date_parse(value_slice(raw), &date) != 0)
        return wrong(fitting, "needs a day that exists, as YYYY-MM-DD", err);
    *out = *raw;
    return 0;
}

static int fit_datetime(const struct fitting *fitting, const struct value *raw, struct value *out,
                        struct error *err)
{
    int64_t ms;

    if (value_is(raw, VALUE_INT)) {
        *out = *raw;
        return 0;
    }
    if (!value_is(raw, VALUE_STR) || moment_parse(value_slice(raw), &ms) != 0)
        return wrong(fitting, "needs a moment, as 2026-11-23T20:15:00Z", err);
    *out = value_int(ms);
    return 0;
}

static int fit_all(const struct fitting *fitting, const struct value *raw, struct value *out,
                   struct error *err);

static int fit_row(const struct fitting *table, const struct value *raw, struct value *out,
                   struct error *err)
{
    const struct value *columns = value_get(table->field, "columns");
    struct value about = value_map(); /* the columns, looked up as the fields of a kind are */
    struct arena *arena = table->values->arena;

    if (!value_is(raw, VALUE_MAP))
        return wrong(
            table, "needs rows: (( { column = value; } ), ...) or [{\"column\": value}, ...]", err);
    *out = value_map();
    value_set(arena, &about, "fields", columns != NULL ? *columns : value_array());
    for (uint32_t i = 0; i < raw->count; i++) {
        struct slice key = raw->as.pairs[i].key;
        const struct value *column = values_field(&about, key);
        struct fitting cell = {table->values, column, table->name, slice_str(""), true};
        struct value value;

        if (column == NULL)
            return wrong(table,
                         arena_printf(arena, "has no column %.*s%s", (int)key.len,
                                      (const char *)key.at,
                                      nearest_column(table->values, columns, key)),
                         err);
        cell.name = slice_str(arena_printf(arena, "%.*s.%.*s", (int)table->name.len,
                                           (const char *)table->name.at, (int)key.len,
                                           (const char *)key.at));
        cell.type = value_get_text(column, "type");
        if (fit_all(&cell, &raw->as.pairs[i].value, &value, err) != 0)
            return -1;
        value_put(arena, out, key, value);
    }
    return 0;
}

static bool has_files(const struct value *table)
{
    const struct value *columns = value_get(table, "columns");

    for (uint32_t i = 0; value_is(columns, VALUE_ARRAY) && i < columns->count; i++)
        if (slice_is(value_get_text(&columns->as.items[i], "type"), "file"))
            return true;
    return false;
}

static bool is_listed(const struct value *list, const struct value *hash)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (value_equal(value_get(&list->as.items[i], "content"), hash))
            return true;
    return false;
}

static void list_files(struct arena *arena, const struct value *value, struct value *list)
{
    const struct value *hash = value_get(value, "content"), *size = value_get(value, "size");
    struct value one = value_map();

    if (value_is(hash, VALUE_BIN) && value_is(size, VALUE_INT) && !is_listed(list, hash)) {
        value_set(arena, &one, "content", *hash);
        value_set(arena, &one, "size", *size);
        value_push(arena, list, one);
    }
    for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->count; i++)
        list_files(arena, &value->as.items[i], list);
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        list_files(arena, &value->as.pairs[i].value, list);
}

/* The files in the cells, each once, in the order of the rows: a table that goes up names them beside its hash. */
static struct value files_in(struct arena *arena, const struct value *rows)
{
    struct value list = value_array();

    list_files(arena, rows, &list);
    return list;
}

static int fit_table(const struct fitting *fitting, const struct value *raw, struct value *out,
                     struct error *err)
{
    struct values *values = fitting->values;
    struct value rows = value_array(), read, lines;
    struct buf encoded = BUF_EMPTY;
    int result = 0;

    if (value_is(raw, VALUE_STR)) { /* from the command line: JSON, or @file */
        struct slice text = value_slice(raw);

        if (slice_starts(text, "@")) {
            if (values_read(values->arena, path_of(values, slice_of(text.at + 1, text.len - 1)),
                            &read, &lines, err) != 0)
                return -1;
        } else if (json_to_value(values->arena, text, NEST_MAX, &read, err) != 0) {
            return wrong(fitting, "needs rows as JSON, [{\"column\": \"value\"}, ...], or @file",
                         err);
        }
        if (value_is(value_get(&read, "rows"), VALUE_ARRAY))
            read = *value_get(&read, "rows");
        raw = &read;
    }
    if (value_is(value_get(raw, "content"), VALUE_BIN)) {
        *out = *raw;
        return 0;
    }
    if (!value_is(raw, VALUE_ARRAY))
        return wrong(fitting, "needs a list of rows", err);
    for (uint32_t i = 0; i < raw->count; i++) {
        struct value row;

        if (fit_row(fitting, &raw->as.items[i], &row, err) != 0)
            return -1;
        value_push(values->arena, &rows, row);
    }
    dmp_encode(&encoded, &rows);
    if (encoded.len > VALUES_INLINE_MAX ||
        (rows.count > 0 && value_get_bool(fitting->field, "erasable", false))) {
        result = upload(values,
                        slice_of(arena_copy(values->arena, encoded.at, encoded.len), encoded.len),
                        out, err);
        if (result == 0 && has_files(fitting->field))
            value_set(values->arena, out, "holds", files_in(values->arena, &rows));
    } else {
        *out = rows;
    }
    buf_release(&encoded);
    return result;
}

static int fit_name(const struct fitting *fitting, const struct value *raw, struct value *out,
                    struct error *err)
{
    if (!value_is(raw, VALUE_STR))
        return wrong(fitting, "needs text", err);
    *out = *raw;
    return 0;
}

static int fit_one(const struct fitting *fitting, const struct value *raw, struct value *out,
                   struct error *err)
{
    static const struct {
        const char *type;
        int (*fit)(const struct fitting *, const struct value *, struct value *, struct error *);
    } types[] = {
        {"text", fit_text},         {"longtext", fit_text}, {"int", fit_int},
        {"bool", fit_bool},         {"enum", fit_enum},     {"date", fit_date},
        {"datetime", fit_datetime}, {"duration", fit_name}, {"person", fit_name},
        {"group", fit_name},        {"ref", fit_name},      {"file", fit_file},
        {"table", fit_table},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_is(fitting->type, types[i].type))
            return types[i].fit(fitting, raw, out, err);
    return wrong(fitting, "has a type this program does not know; a newer rota may", err);
}

/* "a, b" -> [a, b], for types whose values have no commas in them; "[...]" is JSON. */
static int split_list(const struct fitting *fitting, const struct value *raw, struct value *out,
                      struct error *err)
{
    struct slice text = value_slice(raw);
    bool commas = !slice_is(fitting->type, "text") && !slice_is(fitting->type, "longtext") &&
                  !slice_is(fitting->type, "file");

    *out = value_array();
    if (slice_starts(text, "["))
        return json_to_value(fitting->values->arena, text, NEST_MAX, out, err);
    while (commas && memchr(text.at, ',', text.len) != NULL) {
        const uint8_t *comma = memchr(text.at, ',', text.len);
        size_t len = (size_t)(comma - text.at);

        value_push(fitting->values->arena, out, value_text(slice_of(text.at, len)));
        text = slice_of(comma + 1, text.len - len - 1);
        while (text.len > 0 && text.at[0] == ' ')
            text = slice_of(text.at + 1, text.len - 1);
    }
    value_push(fitting->values->arena, out, value_text(text));
    return 0;
}

/* A list, item by item; what is no list is one value. */
static int fit_all(const struct fitting *fitting, const struct value *raw, struct value *out,
                   struct error *err)
{
    struct values *values = fitting->values;
    struct value list = value_array(), items = *raw;

    if (!value_get_bool(fitting->field, "list", false))
        return fit_one(fitting, raw, out, err);
    if (value_is(raw, VALUE_STR) && split_list(fitting, raw, &items, err) != 0)
        return error_add(err, "%.*s", (int)fitting->name.len, (const char *)fitting->name.at);
    if (value_is(raw, VALUE_MAP)) { /* one file */
        items = value_array();
        value_push(values->arena, &items, *raw);
    }
    if (!value_is(&items, VALUE_ARRAY))
        return wrong(fitting, "needs a list", err);
    for (uint32_t i = 0; i < items.count; i++) {
        struct value item;

        if (fit_one(fitting, &items.as.items[i], &item, err) != 0)
            return -1;
        value_push(values->arena, &list, item);
    }
    *out = list;
    return 0;
}

static int fit_field(struct values *values, const struct value *field, const struct value *raw,
                     struct value *out, struct error *err)
{
    struct fitting fitting = {values, field, value_get_text(field, "name"),
                              value_get_text(field, "type"), false};

    return fit_all(&fitting, raw, out, err);
}

int values_fit(struct values *values, const struct value *raw, struct value *fields,
               struct error *err)
{
    for (uint32_t i = 0; i < raw->count; i++) {
        struct slice name = raw->as.pairs[i].key;
        const struct value *field = values_field(values->kind, name);
        struct value value = VALUE_NONE;

        if (field == NULL)
            return unknown_field(values, name, err);
        if (raw->as.pairs[i].value.type != VALUE_NIL &&
            fit_field(values, field, &raw->as.pairs[i].value, &value, err) != 0)
            return -1;
        value_put(values->arena, fields, name, value);
    }
    return 0;
}

int values_word(struct values *values, const char *word, struct value *fields, struct error *err)
{
    const char *equals = strchr(word, '=');
    struct slice name;
    const struct value *field, *before;
    struct value raw, value = VALUE_NONE;

    if (equals == NULL || equals == word)
        return error_set(err, ERROR_INPUT, "%s: fields are given as field=value", word);
    name = slice_of(word, (size_t)(equals - word));
    field = values_field(values->kind, name);
    if (field == NULL)
        return unknown_field(values, name, err);
    raw = value_str(equals + 1);
    if (raw.count > 0 && fit_field(values, field, &raw, &value, err) != 0)
        return -1;
    before = value_find(fields, name);
    if (value_get_bool(field, "list", false) && value_is(before, VALUE_ARRAY) &&
        value.type == VALUE_ARRAY) {
        struct value both = *before;

        for (uint32_t i = 0; i < value.count; i++)
            value_push(values->arena, &both, value.as.items[i]);
        value = both;
    }
    value_put(values->arena, fields, name, value);
    return 0;
}

int values_reason(struct values *values, const char *text, struct value *out, struct error *err)
{
    struct slice bytes = slice_str(text);

    if (text[0] == '@' && text[1] != '@' && text[1] != '\0' &&
        values_read_bytes(values->arena, path_of(values, slice_str(text + 1)), VALUES_TEXT_MAX,
                          &bytes, err) != 0)
        return -1;
    if (slice_starts(bytes, "@@"))
        bytes = slice_of(bytes.at + 1, bytes.len - 1);
    if (!utf8_is_valid(bytes))
        return error_set(err, ERROR_INPUT, "the reason is not UTF-8 text");
    return upload(values, bytes, out, err);
}
