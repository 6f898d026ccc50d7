#include "definition/people.h"

#include "base/date.h"
#include "base/nearest.h"

#include <libconfig.h>

static int add(struct people *people, struct arena *arena, const struct person *person,
               struct error *err)
{
    if (people->count == PEOPLE_KNOWN_MAX)
        return error_set(err, ERROR_INPUT, "more than %d people", PEOPLE_KNOWN_MAX);
    if (people->at == NULL)
        people->at = arena_take(arena, sizeof *people->at * PEOPLE_KNOWN_MAX);
    people->at[people->count++] = *person;
    return 0;
}

/* ---- from a file ---- */

enum { DAY_MS = 86400000 };

enum shape { SHAPE_TEXT, SHAPE_TEXTS, SHAPE_YES, SHAPE_DAY };

/* What may stand in an entry. A name that nobody reads would take something away without a word: with `managr` the person has
 * no manager any more. */
static const struct setting_rule {
    const char *name, *as; /* as: in the map */
    enum shape shape;
    bool even_empty; /* an empty list says something: sees nothing */
} rules[] = {
    {"name", "name", SHAPE_TEXT, false},      {"title", "title", SHAPE_TEXT, false},
    {"email", "email", SHAPE_TEXT, false},    {"manager", "manager", SHAPE_TEXT, false},
    {"roles", "roles", SHAPE_TEXTS, false},   {"serves", "services", SHAPE_TEXTS, false},
    {"gateway", "gateway", SHAPE_YES, false}, {"scope", "scope", SHAPE_TEXTS, true},
    {"until", "not_after", SHAPE_DAY, false},
};

enum { RULES = sizeof rules / sizeof rules[0] };

struct reading { /* a directory.cfg */
    const char *path;
    struct arena *arena;
    struct error *err;
};

static int bad(const struct reading *reading, const config_setting_t *setting, const char *what)
{
    return error_set(reading->err, ERROR_INPUT, "%s:%u: %s", reading->path,
                     config_setting_source_line(setting), what);
}

static int wants(const struct reading *reading, const config_setting_t *setting, const char *what)
{
    return bad(reading, setting,
               arena_printf(reading->arena, "%s wants %s", config_setting_name(setting), what));
}

static int take_texts(const struct reading *reading, const config_setting_t *setting,
                      struct value *out)
{
    bool is_list = config_setting_is_array(setting) || config_setting_is_list(setting);

    *out = value_array();
    for (int i = 0; is_list && i < config_setting_length(setting); i++) {
        const char *text = config_setting_get_string_elem(setting, i);

        is_list = text != NULL;
        if (is_list)
            value_push(reading->arena, out, value_str(arena_str(reading->arena, text)));
    }
    return is_list ? 0 : wants(reading, setting, "a list of texts: [\"...\", \"...\"]");
}

/* The last day of the rights. */
static int take_day(const struct reading *reading, const config_setting_t *setting,
                    struct value *out)
{
    const char *text = config_setting_get_string(setting);
    int32_t day;

    if (text == NULL || date_parse(slice_str(text), &day) != 0)
        return wants(reading, setting, "a day, as \"2026-12-31\"");
    *out = value_int(((int64_t)day + 1) * DAY_MS - 1);
    return 0;
}

static int take_setting(const struct reading *reading, const config_setting_t *setting,
                        const struct setting_rule *rule, struct value *entry)
{
    const char *text = config_setting_get_string(setting);
    struct value value = VALUE_NONE;

    switch (rule->shape) {
    case SHAPE_TEXT:
        if (text == NULL)
            return wants(reading, setting, "a text in quotes");
        value = value_str(arena_str(reading->arena, text));
        break;
    case SHAPE_TEXTS:
        if (take_texts(reading, setting, &value) != 0)
            return -1;
        if (value.count == 0 && !rule->even_empty)
            return 0;
        break;
    case SHAPE_YES:
        if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
            return wants(reading, setting, "true or false");
        if (config_setting_get_bool(setting) == CONFIG_FALSE)
            return 0;
        value = value_bool(true);
        break;
    case SHAPE_DAY:
        if (take_day(reading, setting, &value) != 0)
            return -1;
        break;
    }
    value_set(reading->arena, entry, rule->as, value);
    return 0;
}

static int unknown(const struct reading *reading, const config_setting_t *setting)
{
    struct nearest nearest = nearest_to(slice_str(config_setting_name(setting)));

    for (size_t i = 0; i < RULES; i++)
        nearest_offer(&nearest, rules[i].name);
    return bad(reading, setting,
               arena_printf(reading->arena, "an entry has no %s%s", config_setting_name(setting),
                            nearest_hint(&nearest, reading->arena)));
}

static int take_entry(const struct reading *reading, const config_setting_t *from, const char *kind,
                      struct value *entries)
{
    struct value entry = value_map();

    if (!config_setting_is_group(from))
        return bad(reading, from, "an entry is a group: { name = \"...\"; }");
    value_set(reading->arena, &entry, "kind", value_str(kind));
    for (int i = 0; i < config_setting_length(from); i++) {
        const config_setting_t *setting = config_setting_get_elem(from, (unsigned)i);
        size_t at = 0;

        while (at < RULES && strcmp(rules[at].name, config_setting_name(setting)) != 0)
            at++;
        if (at == RULES)
            return unknown(reading, setting);
        if (take_setting(reading, setting, &rules[at], &entry) != 0)
            return -1;
    }
    if (value_get_text(&entry, "name").len == 0)
        return bad(reading, from, "this entry has no name");
    value_push(reading->arena, entries, entry);
    return 0;
}

static int take_lists(const struct reading *reading, const config_t *config, struct value *entries)
{
    static const char *const lists[][2] = {{"people", "person"}, {"workers", "worker"}};

    for (int l = 0; l < 2; l++) {
        const config_setting_t *list = config_lookup(config, lists[l][0]);

        for (int i = 0; list != NULL && i < config_setting_length(list); i++)
            if (take_entry(reading, config_setting_get_elem(list, (unsigned)i), lists[l][1],
                           entries) != 0)
                return -1;
    }
    return 0;
}

int people_entries(const char *path, struct arena *arena, struct value *entries, struct error *err)
{
    struct reading reading = {path, arena, err};
    config_t config;
    int status;

    *entries = value_array();
    config_init(&config);
    if (config_read_file(&config, path) == CONFIG_TRUE)
        status = take_lists(&reading, &config, entries);
    else if (config_error_type(&config) == CONFIG_ERR_FILE_IO)
        status = error_set(err, ERROR_INPUT, "%s cannot be read", path);
    else
        status = error_set(err, ERROR_INPUT, "%s:%d: %s", path, config_error_line(&config),
                           config_error_text(&config));
    config_destroy(&config);
    return status;
}

int people_read(const char *path, struct arena *arena, struct people *people, struct error *err)
{
    struct value entries;

    return people_entries(path, arena, &entries, err) != 0
               ? -1
               : people_take(&entries, INT64_MIN, arena, people, err);
}

/* ---- from the engine ---- */

int people_take(const struct value *list, int64_t now_ms, struct arena *arena,
                struct people *people, struct error *err)
{
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++) {
        const struct value *row = &list->as.items[i], *roles = value_get(row, "roles");
        uint32_t count = value_is(roles, VALUE_ARRAY) ? roles->count : 0;
        struct person person = {.name = value_get_str(row, "name", "", arena),
                                .manager = value_get_str(row, "manager", NULL, arena)};

        if (!slice_is(value_get_text(row, "kind"), "person") ||
            value_get_int(row, "not_after", INT64_MAX) < now_ms)
            continue;
        person.roles.at = arena_zero(arena, sizeof *person.roles.at * (count + 1));
        for (uint32_t k = 0; k < count; k++) {
            struct slice role = value_slice(&roles->as.items[k]);

            person.roles.at[person.roles.count++] = arena_copy(arena, role.at, role.len);
        }
        if (add(people, arena, &person, err) != 0)
            return -1;
    }
    return 0;
}

bool people_drop(struct people *people, const char *name)
{
    for (int i = 0; i < people->count; i++) {
        if (strcmp(people->at[i].name, name) != 0)
            continue;
        memmove(&people->at[i], &people->at[i + 1],
                sizeof *people->at * (size_t)(people->count - i - 1));
        people->count--;
        return true;
    }
    return false;
}

/* ---- crowds ---- */

enum { CROWD_PARTS = PEOPLE_KNOWN_MAX / 64 };

void crowd_add(struct crowd *crowd, int person)
{
    crowd->bits[person / 64] |= UINT64_C(1) << (person % 64);
}

void crowd_remove(struct crowd *crowd, int person)
{
    crowd->bits[person / 64] &= ~(UINT64_C(1) << (person % 64));
}

bool crowd_has(const struct crowd *crowd, int person)
{
    return (crowd->bits[person / 64] >> (person % 64) & 1) != 0;
}

void crowd_join(struct crowd *crowd, const struct crowd *other)
{
    for (int i = 0; i < CROWD_PARTS; i++)
        crowd->bits[i] |= other->bits[i];
}

void crowd_leave(struct crowd *crowd, const struct crowd *other)
{
    for (int i = 0; i < CROWD_PARTS; i++)
        crowd->bits[i] &= ~other->bits[i];
}

int crowd_count(const struct crowd *crowd)
{
    int count = 0;

    for (int i = 0; i < CROWD_PARTS; i++) {
        for (uint64_t bits = crowd->bits[i]; bits != 0; bits &= bits - 1)
            count++;
    }
    return count;
}
