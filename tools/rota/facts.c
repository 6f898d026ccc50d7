/* facts.c - the organisation, its kinds, people and time zone, asked once. */
#include "facts.h"

#include <stdlib.h>
#include <time.h>

#include "ask.h"

struct facts {
    struct value info, kinds, people; /* nil: not asked yet */
    bool asked_people, zone_is_set;
};

static struct facts *facts_of(struct tool *tool)
{
    if (tool->facts == NULL) {
        tool->facts = calloc(1, sizeof *tool->facts);
        if (tool->facts == NULL)
            abort();
        tool->facts->info = tool->facts->kinds = tool->facts->people = VALUE_NONE;
    }
    return tool->facts;
}

void facts_free(struct tool *tool)
{
    free(tool->facts);
    tool->facts = NULL;
}

int facts_info(struct tool *tool, const struct value **out)
{
    struct facts *facts = facts_of(tool);
    int status = TOOL_DONE;

    if (facts->info.type == VALUE_NIL)
        status = ask_query(tool, "info", value_map(), &facts->info);
    *out = &facts->info;
    return status;
}

/* An answer that is a list, whether it stands alone or under a name. */
static struct value list_in(const struct value *answer, const char *name)
{
    if (value_is(value_get(answer, name), VALUE_ARRAY))
        return *value_get(answer, name);
    return value_is(answer, VALUE_ARRAY) ? *answer : value_array();
}

int facts_kinds(struct tool *tool, const struct value **out)
{
    struct facts *facts = facts_of(tool);
    int status = TOOL_DONE;

    if (facts->kinds.type == VALUE_NIL) {
        status = ask_query(tool, "kinds", value_map(), &facts->kinds);
        if (status == TOOL_DONE)
            facts->kinds = list_in(&facts->kinds, "kinds");
    }
    *out = &facts->kinds;
    return status;
}

static const struct value *named(const struct value *list, struct slice name)
{
    for (uint32_t i = 0; value_is(list, VALUE_ARRAY) && i < list->count; i++)
        if (slice_equal(value_get_text(&list->as.items[i], "name"), name))
            return &list->as.items[i];
    return NULL;
}

int facts_kind(struct tool *tool, struct slice name, const struct value **out)
{
    const struct value *kinds;
    const char *names[256], *near;
    char *word = arena_copy(&tool->arena, name.at, name.len);
    int count = 0, status = facts_kinds(tool, &kinds);

    if (status != TOOL_DONE)
        return status;
    *out = named(kinds, name);
    if (*out != NULL)
        return TOOL_DONE;
    for (uint32_t i = 0; i < kinds->count && count < 256; i++)
        names[count++] = value_get_str(&kinds->as.items[i], "name", "", &tool->arena);
    near = nearest_said(&tool->arena, word, names, count);
    return tool_fail(TOOL_USAGE, "%s: no such kind of record%s (`rota open` lists them)", word,
                     near);
}

static const struct value *known_kind(struct tool *tool, struct slice name)
{
    struct facts *facts = facts_of(tool);
    const struct value *kinds;

    if (facts->kinds.type == VALUE_NIL && facts_kinds(tool, &kinds) != TOOL_DONE)
        facts->kinds = value_array();
    return named(&facts->kinds, name);
}

/* "has_exclusions" -> "Has exclusions": for names without a title. */
static char *spoken(struct tool *tool, struct slice name)
{
    char *text = arena_copy(&tool->arena, name.at, name.len);

    for (char *at = text; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    if (*text >= 'a' && *text <= 'z')
        *text = (char)(*text - 'a' + 'A');
    return text;
}

static const char *title_of(struct tool *tool, const struct value *thing, struct slice name)
{
    struct slice title = value_get_text(thing, "title");

    return title.len > 0 ? arena_copy(&tool->arena, title.at, title.len) : spoken(tool, name);
}

static const struct value *people_of(struct tool *tool)
{
    struct facts *facts = facts_of(tool);

    if (!facts->asked_people) {
        facts->asked_people = true;
        if (ask_query(tool, "people", value_map(), &facts->people) == TOOL_DONE)
            facts->people = list_in(&facts->people, "people");
    }
    return &facts->people;
}

int facts_names(struct tool *tool, const char **names, int max)
{
    const struct value *people = people_of(tool);
    int count = 0;

    for (uint32_t i = 0; value_is(people, VALUE_ARRAY) && i < people->count && count < max; i++)
        names[count++] = value_get_str(&people->as.items[i], "name", "", &tool->arena);
    return count;
}

/* What the directory says about somebody; NULL if it does not know them. */
static const struct value *person_of(struct tool *tool, struct slice name)
{
    return named(people_of(tool), name);
}

const char *facts_person(struct tool *tool, struct slice name)
{
    struct slice title;

    if (slice_is(name, "engine"))
        return "the engine";
    title = value_get_text(person_of(tool, name), "title");
    if (title.len == 0)
        return arena_copy(&tool->arena, name.at, name.len);
    return arena_printf(&tool->arena, "%.*s (%.*s)", (int)title.len, (const char *)title.at,
                        (int)name.len, (const char *)name.at);
}

const char *facts_name(struct tool *tool, struct slice name)
{
    const struct value *person;
    const uint8_t *comma;
    struct slice title;

    if (slice_is(name, "engine"))
        return "the engine";
    person = person_of(tool, name);
    title = slice_is(value_get_text(person, "kind"), "person") ? value_get_text(person, "title")
                                                               : slice_of(NULL, 0);
    comma = title.len > 0 ? memchr(title.at, ',', title.len) : NULL;
    if (title.len == 0)
        return arena_copy(&tool->arena, name.at, name.len);
    return arena_copy(&tool->arena, title.at,
                      comma != NULL ? (size_t)(comma - title.at) : title.len);
}

bool facts_has_kind(struct tool *tool, struct slice name)
{
    return known_kind(tool, name) != NULL;
}

struct slice facts_kind_of(struct tool *tool, struct slice record)
{
    const uint8_t *dash = record.len > 0 ? memchr(record.at, '-', record.len) : NULL;
    const struct value *kinds;

    if (dash == NULL)
        return slice_of(NULL, 0);
    known_kind(tool, slice_of(NULL, 0)); /* asks for the kinds, once */
    kinds = &facts_of(tool)->kinds;
    for (uint32_t i = 0; value_is(kinds, VALUE_ARRAY) && i < kinds->count; i++)
        if (slice_equal(value_get_text(&kinds->as.items[i], "prefix"),
                        slice_of(record.at, (size_t)(dash - record.at))))
            return value_get_text(&kinds->as.items[i], "name");
    return slice_of(NULL, 0);
}

const char *facts_state(struct tool *tool, struct slice kind, struct slice state)
{
    return title_of(tool, named(value_get(known_kind(tool, kind), "states"), state), state);
}

const char *facts_kind_title(struct tool *tool, struct slice kind)
{
    return title_of(tool, known_kind(tool, kind), kind);
}

const char *facts_field_title(struct tool *tool, struct slice kind, struct slice field)
{
    return title_of(tool, named(value_get(known_kind(tool, kind), "fields"), field), field);
}

/* From rotad.cfg, which nobody need be asked for. */
static void set_zone(struct tool *tool)
{
    struct facts *facts = facts_of(tool);
    struct engine_place place;

    if (facts->zone_is_set)
        return;
    facts->zone_is_set = true;
    setenv("TZ", ask_place_quietly(tool, &place, NULL) == 0 ? place.timezone : "UTC", 1);
    tzset();
}

static struct tm local(struct tool *tool, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm parts;

    set_zone(tool);
    memset(&parts, 0, sizeof parts);
    localtime_r(&seconds, &parts);
    return parts;
}

const char *facts_moment(struct tool *tool, int64_t ms)
{
    struct tm parts = local(tool, ms);
    char text[64];

    return strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) > 0 ? arena_str(&tool->arena, text)
                                                                     : "?";
}

const char *facts_day(struct tool *tool, int64_t ms)
{
    struct tm parts = local(tool, ms);
    char text[64];

    return strftime(text, sizeof text, "%Y-%m-%d", &parts) > 0 ? arena_str(&tool->arena, text)
                                                               : "?";
}

const char *facts_today(struct tool *tool)
{
    const struct value *info;

    return facts_info(tool, &info) == TOOL_DONE ? value_get_str(info, "today", NULL, &tool->arena)
                                                : NULL;
}
