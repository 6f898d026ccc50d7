/* story_people.c - the people of a directory file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <libconfig.h>

#include "core/story_people.h"

static struct value person_of(struct arena *arena, config_setting_t *entry, const char *kind)
{
    static const char *const texts[] = {"name", "title", "email", "manager"};
    const config_setting_t *list = config_setting_lookup(entry, "roles");
    struct value person = value_map(), roles = value_array();
    const char *text;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (config_setting_lookup_string(entry, texts[i], &text) == CONFIG_TRUE)
            value_set(arena, &person, texts[i], value_str(arena_str(arena, text)));
    }
    for (int i = 0; list != NULL && i < config_setting_length(list); i++)
        value_push(arena, &roles,
                   value_str(arena_str(arena, config_setting_get_string_elem(list, i))));
    value_set(arena, &person, "roles", roles);
    value_set(arena, &person, "kind", value_str(kind));
    return person;
}

struct value story_people_read(struct arena *arena, const char *file)
{
    static const char *const lists[][2] = {{"people", "person"}, {"workers", "worker"}};
    struct value people = value_array();
    config_t config;

    config_init(&config);
    if (config_read_file(&config, file) != CONFIG_TRUE)
        fail_msg("%s:%d: %s", file, config_error_line(&config), config_error_text(&config));
    for (int l = 0; l < 2; l++) {
        const config_setting_t *list = config_lookup(&config, lists[l][0]);

        for (int i = 0; list != NULL && i < config_setting_length(list); i++)
            value_push(arena, &people,
                       person_of(arena, config_setting_get_elem(list, (unsigned)i), lists[l][1]));
    }
    config_destroy(&config);
    return people;
}
