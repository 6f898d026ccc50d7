#include "common/settings.h"

#include "base/nearest.h"
#include "sdk/rota.h"

#include <string.h>

enum shape { SHAPE_TEXT, SHAPE_NUMBER, SHAPE_TEXTS, SHAPE_SMTP };

struct known {
    const char *name;
    enum shape shape;
    long long least, most; /* of a number */
    const char *of[2];     /* of a text; NULL: any */
};

enum { SECONDS_MOST = 86400 };

/* One list for the top and for every section: what stands at the top holds for several. */
static const struct known settings[] = {
    {.name = "principal"},
    {.name = "key"},
    {.name = "engine"},
    {.name = "engine_key"},
    {.name = "security", .of = {"curve", "none"}},
    {"credit", SHAPE_NUMBER, 1, ROTA_CREDIT_MAX, {NULL, NULL}},
    {.name = "from"},
    {.name = "reply_to"},
    {.name = "mail"},
    {.name = "domains", .shape = SHAPE_TEXTS},
    {.name = "unresolved", .shape = SHAPE_TEXTS},
    {.name = "smtp", .shape = SHAPE_SMTP},
    {.name = "answers"},
    {.name = "webhooks", .shape = SHAPE_TEXTS},
    {.name = "webhook_ca_file"},
    {"webhook_timeout_s", SHAPE_NUMBER, 0, SECONDS_MOST, {NULL, NULL}},
    {.name = "reports"},
    {.name = "lynis"},
    {"timeout_s", SHAPE_NUMBER, 1, SECONDS_MOST, {NULL, NULL}},
    {.name = NULL},
};

static const struct known smtp_settings[] = {
    {.name = "host"},
    {"port", SHAPE_NUMBER, 0, 65535, {NULL, NULL}},
    {.name = "tls", .of = {"starttls", "none"}},
    {.name = "user"},
    {.name = "password_file"},
    {.name = "ca_file"},
    {"timeout_s", SHAPE_NUMBER, 0, SECONDS_MOST, {NULL, NULL}},
    {.name = NULL},
};

static const char *const sections[] = {"approval", "communication", "audit", "exec", NULL};

struct checking {
    const char *path;
    struct error *err;
};

static int bad(const struct checking *checking, const config_setting_t *setting, const char *what)
{
    return error_set(checking->err, ERROR_INPUT, "%s, line %u: %s %s", checking->path,
                     config_setting_source_line(setting), config_setting_name(setting), what);
}

static int unknown(const struct checking *checking, const config_setting_t *setting,
                   const struct known *known, bool is_top)
{
    struct nearest nearest = nearest_to(slice_str(config_setting_name(setting)));
    struct arena arena = ARENA_EMPTY;

    for (; known->name != NULL; known++)
        nearest_offer(&nearest, known->name);
    for (size_t i = 0; is_top && sections[i] != NULL; i++)
        nearest_offer(&nearest, sections[i]);
    error_set(checking->err, ERROR_INPUT, "%s, line %u: there is no setting %s%s", checking->path,
              config_setting_source_line(setting), config_setting_name(setting),
              nearest_hint(&nearest, &arena));
    arena_release(&arena);
    return -1;
}

static int check_text(const struct checking *checking, const config_setting_t *setting,
                      const struct known *known)
{
    const char *text = config_setting_get_string(setting);
    char what[64];

    if (text == NULL)
        return bad(checking, setting, "wants a text in quotes");
    if (known->of[0] == NULL || strcmp(text, known->of[0]) == 0 || strcmp(text, known->of[1]) == 0)
        return 0;
    snprintf(what, sizeof what, "is \"%s\" or \"%s\"", known->of[0], known->of[1]);
    return bad(checking, setting, what);
}

static int check_number(const struct checking *checking, const config_setting_t *setting,
                        const struct known *known)
{
    int type = config_setting_type(setting);
    long long number = config_setting_get_int64(setting);
    char what[64];

    if ((type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) && number >= known->least &&
        number <= known->most)
        return 0;
    snprintf(what, sizeof what, "wants a whole number from %lld to %lld", known->least,
             known->most);
    return bad(checking, setting, what);
}

static int check_texts(const struct checking *checking, const config_setting_t *setting)
{
    int count = config_setting_is_aggregate(setting) && !config_setting_is_group(setting)
                    ? config_setting_length(setting)
                    : -1;

    for (int i = 0; i < count; i++)
        if (config_setting_get_string_elem(setting, i) == NULL)
            count = -1;
    return count >= 0 ? 0 : bad(checking, setting, "wants a list of texts: [\"...\", \"...\"]");
}

static bool is_section(const config_setting_t *setting)
{
    bool is_named = false;

    for (size_t i = 0; sections[i] != NULL; i++)
        is_named = is_named || strcmp(config_setting_name(setting), sections[i]) == 0;
    return is_named && config_setting_is_group(setting);
}

static bool is_foreign(const config_setting_t *setting)
{
    return config_setting_is_group(setting) &&
           (config_setting_get_member(setting, "principal") != NULL ||
            config_setting_get_member(setting, "key") != NULL);
}

static int check_group(const struct checking *checking, const config_setting_t *group,
                       const struct known *known, bool is_top);

static int check_one(const struct checking *checking, const config_setting_t *setting,
                     const struct known *all, bool is_top)
{
    const struct known *known = all;

    while (known->name != NULL && strcmp(known->name, config_setting_name(setting)) != 0)
        known++;
    if (known->name == NULL && is_top && is_section(setting))
        return check_group(checking, setting, settings, false);
    if (known->name == NULL)
        return is_top && is_foreign(setting) ? 0 : unknown(checking, setting, all, is_top);
    switch (known->shape) {
    case SHAPE_TEXT:
        return check_text(checking, setting, known);
    case SHAPE_NUMBER:
        return check_number(checking, setting, known);
    case SHAPE_TEXTS:
        return check_texts(checking, setting);
    case SHAPE_SMTP:
        return config_setting_is_group(setting)
                   ? check_group(checking, setting, smtp_settings, false)
                   : bad(checking, setting, "wants a group: { host = \"...\"; }");
    }
    return 0;
}

static int check_group(const struct checking *checking, const config_setting_t *group,
                       const struct known *known, bool is_top)
{
    for (int i = 0; i < config_setting_length(group); i++)
        if (check_one(checking, config_setting_get_elem(group, (unsigned)i), known, is_top) != 0)
            return -1;
    return 0;
}

int settings_check(const config_t *config, const char *path, struct error *err)
{
    return check_group(&(struct checking){path, err}, config_root_setting(config), settings, true);
}
