#include "definition/people.h"

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

static struct words read_roles(const config_setting_t *list, struct arena *arena)
{
    int count = list == NULL ? 0 : config_setting_length(list);
    struct words roles = {arena_zero(arena, sizeof *roles.at * (size_t)(count + 1)), 0};

    for (int i = 0; i < count; i++) {
        const char *role = config_setting_get_string_elem(list, i);

        if (role != NULL)
            roles.at[roles.count++] = arena_str(arena, role);
    }
    return roles;
}

static int read_list(const config_setting_t *list, const char *path, struct arena *arena,
                     struct people *people, struct error *err)
{
    for (int i = 0; list != NULL && i < config_setting_length(list); i++) {
        const config_setting_t *entry = config_setting_get_elem(list, (unsigned)i);
        const char *name = NULL, *manager = NULL;
        struct person person = {NULL, {NULL, 0}, NULL};

        if (config_setting_lookup_string(entry, "name", &name) != CONFIG_TRUE)
            return error_set(err, ERROR_INPUT, "%s:%u: this entry has no name", path,
                             config_setting_source_line(entry));
        if (config_setting_lookup_string(entry, "manager", &manager) == CONFIG_TRUE)
            person.manager = arena_str(arena, manager);
        person.name = arena_str(arena, name);
        person.roles = read_roles(config_setting_get_member(entry, "roles"), arena);
        if (add(people, arena, &person, err) != 0)
            return -1;
    }
    return 0;
}

int people_read(const char *path, struct arena *arena, struct people *people, struct error *err)
{
    config_t config;
    int status;

    config_init(&config);
    if (config_read_file(&config, path) == CONFIG_TRUE)
        status = read_list(config_lookup(&config, "people"), path, arena, people, err);
    else if (config_error_type(&config) == CONFIG_ERR_FILE_IO)
        status = error_set(err, ERROR_INPUT, "%s cannot be read", path);
    else
        status = error_set(err, ERROR_INPUT, "%s:%d: %s", path, config_error_line(&config),
                           config_error_text(&config));
    config_destroy(&config);
    return status;
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
