#include "definition/option.h"

#include "base/check.h"
#include "core/span.h"
#include "definition/condition.h"
#include "base/nearest.h"

#include <stdlib.h>

/* ---- placed texts ---- */

struct placed {
    const char *file;
    int line;
    char text[];
};

const char *text_placed(struct arena *arena, struct where where, const char *text)
{
    size_t len = strlen(text);
    struct placed *placed = arena_take(arena, sizeof *placed + len + 1);

    placed->file = where.file;
    placed->line = where.line;
    memcpy(placed->text, text, len + 1);
    return placed->text;
}

struct where where_of(const char *placed)
{
    const struct placed *from =
        (const struct placed *)(const void *)(placed - offsetof(struct placed, text));

    return (struct where){from->file, from->line};
}

struct where where_setting(const struct reader *reader, const config_setting_t *setting)
{
    return (struct where){reader->file, (int)config_setting_source_line(setting)};
}

void *list_add(struct arena *arena, void *items, int *count, size_t item_size)
{
    size_t had = (size_t)*count;
    uint8_t *more = items;

    if ((had & (had - 1)) == 0) { /* full: 0, 1, 2, 4, 8 ... */
        more = arena_zero(arena, item_size * (had == 0 ? 1 : 2 * had));
        if (had > 0)
            memcpy(more, items, had * item_size);
    }
    *count += 1;
    return more;
}

/* ---- groups ---- */

static const char *type_name(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_GROUP:
        return "a group { }";
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return "a number";
    case CONFIG_TYPE_FLOAT:
        return "a decimal number";
    case CONFIG_TYPE_STRING:
        return "a text";
    case CONFIG_TYPE_BOOL:
        return "true or false";
    case CONFIG_TYPE_ARRAY:
        return "a list [ ]";
    case CONFIG_TYPE_LIST:
        return "a list ( )";
    default:
        return "nothing";
    }
}

static const char *setting_name(const config_setting_t *setting)
{
    const char *name = config_setting_name(setting);

    while (name == NULL && setting != NULL) { /* an item of a list: the name of the list */
        setting = config_setting_parent(setting);
        name = setting != NULL ? config_setting_name(setting) : "";
    }
    return name != NULL ? name : "";
}

void wrong_type(struct reader *reader, const config_setting_t *setting, const char *wanted)
{
    problem(reader->problems, where_setting(reader, setting), "'%s': expected %s, found %s",
            setting_name(setting), wanted, type_name(setting));
}

bool are_groups(struct reader *reader, const config_setting_t *setting, int *count)
{
    int i;

    *count = 1;
    if (config_setting_is_group(setting))
        return true;
    *count = config_setting_length(setting);
    if (!config_setting_is_list(setting) && !(config_setting_is_array(setting) && *count == 0)) {
        wrong_type(reader, setting, "a list of groups ( { }, ... )");
        return false;
    }
    for (i = 0; i < *count; i++) {
        if (!config_setting_is_group(group_at(setting, i))) {
            wrong_type(reader, group_at(setting, i), "a group { }");
            return false;
        }
    }
    return true;
}

const config_setting_t *group_at(const config_setting_t *setting, int index)
{
    return config_setting_is_group(setting) ? setting
                                            : config_setting_get_elem(setting, (unsigned)index);
}

static const struct option *find_option(const struct option_table *table, const char *name)
{
    size_t i;

    for (i = 0; i < table->count; i++) {
        if (strcmp(table->options[i].name, name) == 0)
            return &table->options[i];
    }
    return NULL;
}

static void unknown_option(struct reader *reader, const config_setting_t *setting,
                           const struct option_table *table)
{
    struct nearest nearest = nearest_to(slice_str(config_setting_name(setting)));
    size_t i;

    for (i = 0; i < table->count; i++)
        nearest_offer(&nearest, table->options[i].name);
    problem(reader->problems, where_setting(reader, setting), "a %s has no setting '%s'%s",
            table->name, config_setting_name(setting),
            nearest_hint(&nearest, &reader->problems->arena));
}

void option_read_group(struct reader *reader, const config_setting_t *setting,
                       const struct option_table *table, void *into)
{
    int count = config_setting_is_group(setting) ? config_setting_length(setting) : 0, i;
    size_t at;

    if (!config_setting_is_group(setting)) {
        wrong_type(reader, setting, "a group { }");
        return;
    }
    for (i = 0; i < count; i++) {
        const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
        const struct option *option = find_option(table, config_setting_name(member));

        if (option == NULL)
            unknown_option(reader, member, table);
        else
            option->read(reader, member, (uint8_t *)into + option->at);
    }
    for (at = 0; at < table->count && !reader->partial; at++) {
        if (table->options[at].required &&
            config_setting_get_member(setting, table->options[at].name) == NULL)
            problem(reader->problems, where_setting(reader, setting), "the %s needs '%s': %s",
                    table->name, table->options[at].name, table->options[at].help);
    }
}

void option_reference(const struct option_table *table, struct buf *out)
{
    size_t i;

    buf_addf(out,
             "### %s\n\n%s\n\n| setting | takes | if left out | meaning |\n|---|---|---|---|\n",
             table->name, table->help);
    for (i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];

        buf_addf(out, "| `%s` | %s | %s | %s |\n", option->name, option->takes,
                 option->required         ? "**required**"
                 : option->preset != NULL ? option->preset
                                          : "-",
                 option->help);
    }
    buf_add_byte(out, '\n');
}

/* ---- readers ---- */

static bool is_number(const config_setting_t *setting)
{
    int type = config_setting_type(setting);

    return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static int64_t number_of(const config_setting_t *setting)
{
    return config_setting_type(setting) == CONFIG_TYPE_INT ? config_setting_get_int(setting)
                                                           : config_setting_get_int64(setting);
}

void read_text(struct reader *reader, const config_setting_t *setting, void *into)
{
    if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
        wrong_type(reader, setting, "a text");
        return;
    }
    *(const char **)into = text_placed(reader->arena, where_setting(reader, setting),
                                       config_setting_get_string(setting));
}

void read_words(struct reader *reader, const config_setting_t *setting, void *into)
{
    bool alone = config_setting_type(setting) == CONFIG_TYPE_STRING;
    int count = alone ? 1 : config_setting_length(setting), i;
    struct words words = {NULL, 0};
    const char **at;

    if (!alone && !config_setting_is_array(setting) && !config_setting_is_list(setting)) {
        wrong_type(reader, setting, "a list of texts [ \"...\" ]");
        return;
    }
    at = arena_zero(reader->arena, sizeof *at * (size_t)(count + 1));
    for (i = 0; i < count; i++) {
        const config_setting_t *item =
            alone ? setting : config_setting_get_elem(setting, (unsigned)i);

        if (config_setting_type(item) != CONFIG_TYPE_STRING) {
            wrong_type(reader, item, "a text");
            return;
        }
        read_text(reader, item, &at[words.count]);
        words.count++;
    }
    if (words.count > WORDS_MAX) {
        problem(reader->problems, where_setting(reader, setting), "'%s': more than %d names",
                setting_name(setting), WORDS_MAX);
        return;
    }
    words.at = at;
    *(struct words *)into = words;
}

void read_bool(struct reader *reader, const config_setting_t *setting, void *into)
{
    if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
        wrong_type(reader, setting, "true or false");
    else
        *(bool *)into = config_setting_get_bool(setting) != 0;
}

void read_flag(struct reader *reader, const config_setting_t *setting, void *into)
{
    bool truth = false;

    read_bool(reader, setting, &truth);
    *(int *)into = truth;
}

void read_number(struct reader *reader, const config_setting_t *setting, void *into)
{
    if (!is_number(setting))
        wrong_type(reader, setting, "a whole number");
    else
        *(int64_t *)into = number_of(setting);
}

void read_int(struct reader *reader, const config_setting_t *setting, void *into)
{
    int64_t number = 0;

    read_number(reader, setting, &number);
    if (number < 0 || number > 1000000)
        problem(reader->problems, where_setting(reader, setting), "'%s': out of range",
                setting_name(setting));
    else
        *(int *)into = (int)number;
}

void read_span(struct reader *reader, const config_setting_t *setting, void *into)
{
    const char *text = config_setting_get_string(setting);

    if (config_setting_type(setting) != CONFIG_TYPE_STRING || text == NULL)
        wrong_type(reader, setting, "a span of time like \"30 days\"");
    else if (span_parse(slice_str(text), into) != 0)
        problem(reader->problems, where_setting(reader, setting),
                "'%s': \"%s\" is not a span of time; write \"30 days\", \"5 working days\", "
                "\"12 months\" or \"2 hours\"",
                setting_name(setting), text);
}

void read_exact(struct reader *reader, const config_setting_t *setting, void *into)
{
    const int64_t day_ms = 86400000;
    struct span span = {0, 0, false, 0};

    read_span(reader, setting, &span);
    if (span.months != 0 || span.working || span.days < 0 || span.ms < 0)
        problem(reader->problems, where_setting(reader, setting),
                "'%s': takes seconds, minutes, hours or days", setting_name(setting));
    else
        *(int64_t *)into = span.days * day_ms + span.ms;
}

void read_expr(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct where where = where_setting(reader, setting);
    const char *text = NULL;

    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        text = arena_str(reader->arena, config_setting_get_string(setting));
    else if (is_number(setting))
        text = arena_printf(reader->arena, "%lld", (long long)number_of(setting));
    else if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
        text = config_setting_get_bool(setting) ? "true" : "false";
    else
        wrong_type(reader, setting, "a condition in a text");
    if (text != NULL)
        *(struct expr **)into = condition_pending(reader->arena, text, where);
}

void read_settings(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct settings *list = into;
    int count = config_setting_is_group(setting) ? config_setting_length(setting) : 0, i, k;

    if (!config_setting_is_group(setting)) {
        wrong_type(reader, setting, "a group { name = \"expression\"; }");
        return;
    }
    for (i = 0; i < count; i++) {
        const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
        struct expr *expr = NULL;

        read_expr(reader, member, &expr);
        if (expr == NULL)
            continue;
        for (k = 0; k < list->count; k++) { /* what is said later replaces */
            if (strcmp(list->at[k].field, config_setting_name(member)) == 0)
                break;
        }
        if (k == list->count)
            list->at = list_add(reader->arena, list->at, &list->count, sizeof *list->at);
        list->at[k].field =
            text_placed(reader->arena, where_setting(reader, member), config_setting_name(member));
        list->at[k].value = expr;
    }
}

void read_value(struct reader *reader, const config_setting_t *setting, void *into)
{
    struct value *value = into, item;
    int i;

    if (is_number(setting)) {
        *value = value_int(number_of(setting));
    } else if (config_setting_type(setting) == CONFIG_TYPE_BOOL) {
        *value = value_bool(config_setting_get_bool(setting) != 0);
    } else if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
        *value = value_str(arena_str(reader->arena, config_setting_get_string(setting)));
    } else if (config_setting_is_array(setting)) {
        *value = value_array();
        for (i = 0; i < config_setting_length(setting); i++) {
            read_value(reader, config_setting_get_elem(setting, (unsigned)i), &item);
            value_push(reader->arena, value, item);
        }
    } else {
        wrong_type(reader, setting, "a text, a number, true or false, or a list of them");
        *value = VALUE_NONE;
    }
}
