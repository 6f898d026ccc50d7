/* scenario_values.c - fields of records: groups of a scenario, and record files in libconfig or JSON. */
#include "base/nearest.h"
#include "simulate/scenario_inside.h"
#include "wire/json.h"

#include <stdio.h>

enum { RECORD_FILE_MAX = 1024 * 1024, TREE_DEPTH_MAX = 16 };

/* ---- libconfig as a value ---- */

static void tree(struct reader *reader, const config_setting_t *setting, struct value *out,
                 int depth)
{
    bool is_group = config_setting_is_group(setting);
    int count = config_setting_length(setting);

    if (!is_group && !config_setting_is_list(setting) && !config_setting_is_array(setting)) {
        read_value(reader, setting, out);
        return;
    }
    *out = is_group ? value_map() : value_array();
    if (depth == TREE_DEPTH_MAX) {
        problem(reader->problems, where_setting(reader, setting), "groups are nested too deep");
        return;
    }
    for (int i = 0; i < count; i++) {
        const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
        struct value value = VALUE_NONE;

        tree(reader, member, &value, depth + 1);
        if (is_group)
            value_set(reader->arena, out, arena_str(reader->arena, config_setting_name(member)),
                      value);
        else
            value_push(reader->arena, out, value);
    }
}

void read_tree(struct reader *reader, const config_setting_t *setting, void *into)
{
    if (!config_setting_is_group(setting))
        wrong_type(reader, setting, "a group { }");
    else
        tree(reader, setting, into, 0);
}

/* ---- record files ---- */

static bool read_bytes(struct arena *arena, const char *path, struct slice *out)
{
    FILE *file = fopen(path, "rb");
    char *bytes = arena_take(arena, RECORD_FILE_MAX);
    size_t len = 0;
    bool is_read = false;

    if (file == NULL)
        return false;
    len = fread(bytes, 1, RECORD_FILE_MAX, file);
    is_read = ferror(file) == 0 && len < RECORD_FILE_MAX;
    fclose(file);
    *out = slice_of(bytes, len);
    return is_read;
}

static bool is_json(struct slice bytes)
{
    size_t at = 0;

    while (at < bytes.len && strchr(" \t\r\n", bytes.at[at]) != NULL && bytes.at[at] != '\0')
        at++;
    return at < bytes.len && bytes.at[at] == '{';
}

static void read_config_record(struct scenario *scenario, const char *path,
                               const struct opening *opening, struct value *out,
                               struct problems *problems)
{
    struct reader reader = {&scenario->arena, problems, path, false};
    config_t config;

    config_init(&config);
    if (config_read_file(&config, path) == CONFIG_TRUE)
        tree(&reader, config_root_setting(&config), out, 0);
    else if (config_error_type(&config) == CONFIG_ERR_PARSE)
        problem(problems, ((struct where){path, config_error_line(&config)}), "%s",
                config_error_text(&config));
    else
        problem(problems, opening->where, "%s cannot be read", path);
    config_destroy(&config);
}

void scenario_read_record(struct scenario *scenario, struct opening *opening,
                          struct problems *problems)
{
    struct value record = value_map(), given = opening->fields;
    const struct value *fields;
    struct error err = {ERROR_NONE, ""};
    struct slice bytes;
    const char *path;

    if (opening->file == NULL)
        return;
    path = scenario_file(scenario, opening->file);
    if (!read_bytes(&scenario->arena, path, &bytes)) {
        problem(problems, where_of(opening->file), "%s cannot be read", path);
        return;
    }
    if (!is_json(bytes))
        read_config_record(scenario, path, opening, &record, problems);
    else if (json_to_value(&scenario->arena, bytes, JSON_DEPTH_MAX, &record, &err) != 0)
        problem(problems, where_of(opening->file), "%s: %s", path, err.text);
    fields = value_get(&record, "fields");
    if (opening->kind == NULL && value_is(value_get(&record, "kind"), VALUE_STR))
        opening->kind = text_placed(&scenario->arena, opening->where,
                                    value_get_str(&record, "kind", "", &scenario->arena));
    if (opening->title == NULL)
        opening->title = value_get_str(&record, "title", NULL, &scenario->arena);
    if (value_is(fields, VALUE_MAP)) {
        opening->fields = *fields;
        value_merge(&scenario->arena, &opening->fields, &given);
    }
}
