#include "daemon/settings.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum setting_type { SETTING_TEXT, SETTING_NUMBER, SETTING_LIST, SETTING_CLOCK, SETTING_SWITCH };

struct setting_rule {
    const char *name;
    enum setting_type type;
    size_t offset;
    int64_t least, most;
};

enum { UNUSED_BYTES_MAX = 256 << 20 };

#define AT(member) offsetof(struct settings, member)

static const struct setting_rule rules[] = {
    {"origin", SETTING_TEXT, AT(origin), 0, 0},
    {"timezone", SETTING_TEXT, AT(timezone), 0, 0},
    {"clock", SETTING_CLOCK, AT(is_virtual), 0, 0},
    {"insecure", SETTING_SWITCH, AT(is_insecure), 0, 0},
    {"front", SETTING_LIST, AT(front), 0, 0},
    {"feed", SETTING_LIST, AT(feed), 0, 0},
    {"admin", SETTING_TEXT, AT(admin), 0, 0},
    {"plain", SETTING_TEXT, AT(plain), 0, 0},
    {"heartbeat_ms", SETTING_NUMBER, AT(heartbeat_ms), 100, 60000},
    {"idle_expiry_ms", SETTING_NUMBER, AT(idle_expiry_ms), 1000, 3600000},
    {"plain_lease_ms", SETTING_NUMBER, AT(plain_lease_ms), 1000, 86400000},
    {"sdk_lease_ms", SETTING_NUMBER, AT(sdk_lease_ms), 1000, 86400000},
    {"unused_bytes_max", SETTING_NUMBER, AT(unused_bytes_max), 65536, INT64_MAX},
    {"free_bytes_min", SETTING_NUMBER, AT(free_bytes_min), 0, INT64_MAX},
    {"log_level", SETTING_NUMBER, AT(log_level), 0, 3},
};

static int bad(const config_setting_t *setting, const char *file, const char *what,
               struct error *err)
{
    return error_set(err, ERROR_INPUT, "%s:%u: %s %s", file, config_setting_source_line(setting),
                     config_setting_name(setting), what);
}

/* ipc://run/front is a file of the organisation's directory. */
static const char *endpoint(struct settings *settings, const char *text)
{
    if (strncmp(text, "ipc://", 6) == 0 && text[6] != '/' && text[6] != '@')
        return arena_printf(&settings->arena, "ipc://%s/%s", settings->directory, text + 6);
    return arena_str(&settings->arena, text);
}

static bool is_endpoint(const char *name)
{
    return strcmp(name, "admin") == 0 || strcmp(name, "plain") == 0;
}

static int read_text(struct settings *settings, const struct setting_rule *rule,
                     const config_setting_t *setting, const char *file, struct error *err)
{
    const char *text = config_setting_get_string(setting);
    const char **place = (const char **)((char *)settings + rule->offset);

    if (text == NULL)
        return bad(setting, file, "wants a text in quotes", err);
    if (is_endpoint(rule->name))
        *place = text[0] == '\0' ? NULL : endpoint(settings, text);
    else
        *place = arena_str(&settings->arena, text);
    return 0;
}

static int read_list(struct settings *settings, const struct setting_rule *rule,
                     const config_setting_t *setting, const char *file, struct error *err)
{
    const char **place = (const char **)((char *)settings + rule->offset);
    int count = config_setting_length(setting);

    if (!config_setting_is_array(setting) || count < 1 || count >= ENDPOINTS_MAX)
        return bad(setting, file, "wants one to three endpoints, as [\"ipc://run/front\"]", err);
    for (int i = 0; i < count; i++) {
        const char *text = config_setting_get_string_elem(setting, i);

        if (text == NULL)
            return bad(setting, file, "wants texts in quotes", err);
        place[i] = endpoint(settings, text);
    }
    place[count] = NULL;
    return 0;
}

static int read_number(struct settings *settings, const struct setting_rule *rule,
                       const config_setting_t *setting, const char *file, struct error *err)
{
    int64_t number;

    if (config_setting_type(setting) != CONFIG_TYPE_INT &&
        config_setting_type(setting) != CONFIG_TYPE_INT64)
        return bad(setting, file, "wants a whole number", err);
    number = config_setting_get_int64(setting);
    if (number < rule->least || number > rule->most)
        return bad(setting, file, "is out of bounds", err);
    if (rule->offset == AT(log_level))
        settings->log_level = (int)number;
    else
        *(int64_t *)((char *)settings + rule->offset) = number;
    return 0;
}

static int read_one(struct settings *settings, const struct setting_rule *rule,
                    const config_setting_t *setting, const char *file, struct error *err)
{
    const char *text;

    switch (rule->type) {
    case SETTING_TEXT:
        return read_text(settings, rule, setting, file, err);
    case SETTING_LIST:
        return read_list(settings, rule, setting, file, err);
    case SETTING_NUMBER:
        return read_number(settings, rule, setting, file, err);
    case SETTING_SWITCH:
        if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
            return bad(setting, file, "wants true or false", err);
        *(bool *)((char *)settings + rule->offset) = config_setting_get_bool(setting) != 0;
        return 0;
    case SETTING_CLOCK:
        text = config_setting_get_string(setting);
        if (text == NULL || (strcmp(text, "system") != 0 && strcmp(text, "virtual") != 0))
            return bad(setting, file, "is \"system\" or \"virtual\"", err);
        settings->is_virtual = strcmp(text, "virtual") == 0;
        return 0;
    }
    return 0;
}

static int read_all(struct settings *settings, config_t *config, const char *file,
                    struct error *err)
{
    const config_setting_t *root = config_root_setting(config);

    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const struct setting_rule *rule = NULL;

        for (size_t r = 0; r < sizeof rules / sizeof rules[0] && rule == NULL; r++) {
            if (strcmp(rules[r].name, config_setting_name(setting)) == 0)
                rule = &rules[r];
        }
        if (rule == NULL)
            return bad(setting, file, "is no setting of the engine; see rotad(1)", err);
        if (read_one(settings, rule, setting, file, err) != 0)
            return -1;
    }
    if (settings->origin == NULL || settings->origin[0] == '\0')
        return error_set(err, ERROR_INPUT, "%s: \"origin\", the name of the journal, is missing",
                         file);
    return 0;
}

/* A virtual journal can never be taken for a real one: its very name says so. */
static int check_origin(const struct settings *settings, const char *file, struct error *err)
{
    size_t len = strlen(settings->origin);
    bool says_virtual = len > 8 && strcmp(settings->origin + len - 8, "/virtual") == 0;

    if (says_virtual == settings->is_virtual)
        return 0;
    return error_set(err, ERROR_INPUT,
                     settings->is_virtual
                         ? "%s: a journal under a virtual clock has an origin that ends in /virtual"
                         : "%s: an origin that ends in /virtual needs clock = \"virtual\"",
                     file);
}

const char *settings_path(struct settings *settings, const char *name)
{
    return arena_printf(&settings->arena, "%s/%s", settings->directory, name);
}

int settings_load(const char *directory, struct settings *out, struct error *err)
{
    struct settings settings = {.log_level = 1, .unused_bytes_max = UNUSED_BYTES_MAX};
    char *whole = realpath(directory, NULL);
    const char *file;
    config_t config;
    int rc = -1;

    if (whole == NULL)
        return error_set(err, ERROR_IO, "%s: there is no such directory; `rota init` makes one",
                         directory);
    settings.directory = arena_str(&settings.arena, whole);
    free(whole);
    settings.timezone = "UTC";
    file = settings_path(&settings, "rotad.cfg");
    config_init(&config);
    if (config_read_file(&config, file) != CONFIG_TRUE) {
        error_set(err, ERROR_INPUT, "%s:%d: %s", file, config_error_line(&config),
                  config_error_text(&config));
        goto out;
    }
    if (read_all(&settings, &config, file, err) != 0 || check_origin(&settings, file, err) != 0)
        goto out;
    if (settings.front[0] == NULL)
        settings.front[0] = endpoint(&settings, "ipc://run/front");
    if (settings.feed[0] == NULL)
        settings.feed[0] = endpoint(&settings, "ipc://run/feed");
    if (settings.admin == NULL)
        settings.admin = endpoint(&settings, "ipc://run/admin");
    *out = settings;
    rc = 0;
out:
    config_destroy(&config);
    if (rc != 0)
        arena_release(&settings.arena);
    return rc;
}

void settings_release(struct settings *settings)
{
    arena_release(&settings->arena);
}
