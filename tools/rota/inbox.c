/* inbox.c - `rota inbox`: what waits for somebody, why for them, by when, and what changed. */
#include <stdlib.h>

#include "ask.h"
#include "changes.h"
#include "commands.h"
#include "facts.h"
#include "seen.h"

enum { LABEL = 8, DATES_SHOWN = 3 };

static const char *text_of(struct tool *tool, const struct value *item, const char *key)
{
    return value_get_str(item, key, "", &tool->arena);
}

static void pair(struct tool *tool, const char *label, enum ink ink, const char *text)
{
    if (*text != '\0')
        output_pair(&tool->out, 2, LABEL, label, ink, slice_str(text));
}

static const char *listed(struct tool *tool, const struct value *texts)
{
    const char *out = "";

    for (uint32_t i = 0; value_is(texts, VALUE_ARRAY) && i < texts->count; i++)
        out = arena_printf(&tool->arena, "%s%s%.*s", out, i > 0 ? ", " : "",
                           (int)texts->as.items[i].count,
                           texts->as.items[i].type == VALUE_STR ? texts->as.items[i].as.text : "");
    return out;
}

/* ---- why me ---- */

/* For whom the person is asked, or who is asked instead of them. */
static const char *in_place(struct tool *tool, const struct value *item)
{
    struct slice whom = value_get_text(item, "for"), other = value_get_text(item, "asked_instead");

    if (whom.len > 0)
        return arena_printf(&tool->arena, ", for %s, delegation %s", facts_name(tool, whom),
                            text_of(tool, item, "delegation"));
    return other.len > 0
               ? arena_printf(&tool->arena, ", %s is asked for you", facts_name(tool, other))
               : "";
}

/* The word of the workflow that means the person, as a sentence; the word itself stays in it. */
static const char *because(struct tool *tool, const struct value *item)
{
    bool is_own = value_get_text(item, "for").len == 0;
    const char *word = text_of(tool, item, "why");
    struct slice by = value_get_text(item, "by"), stage = value_get_text(item, "stage");
    const char *text =
        !is_own                 ? "%s"
        : slice_is(by, "role")  ? "you hold the role %s"
        : slice_is(by, "field") ? "you are named in the field %s"
        : slice_is(by, "owner") || slice_is(by, "author") || slice_is(by, "requester")
            ? "you are its %s"
        : slice_is(by, "audience")   ? "you belong to its %s"
        : slice_is(by, "did")        ? "what you did to it (%s)"
        : slice_is(by, "manager_of") ? "you are the manager (%s)"
        : slice_is(by, "link")       ? "your part in a linked record (%s)"
                                     : "%s";
    const char *mark = strstr(text, "%s");
    const char *with = listed(tool, value_get(item, "with"));

    text = arena_printf(&tool->arena, "%.*s%s%s", (int)(mark - text), text, word, mark + 2);
    if (stage.len > 0 && !slice_is(stage, "approval"))
        text = arena_printf(&tool->arena, "%s (stage %.*s)", text, (int)stage.len,
                            (const char *)stage.at);
    text = arena_printf(&tool->arena, "%s%s", text, in_place(tool, item));
    return *with != '\0' ? arena_printf(&tool->arena, "%s, with %s", text, with) : text;
}

/* ---- by when ---- */

static const char *date_name(struct tool *tool, struct slice name)
{
    char *text = arena_copy(&tool->arena, name.at, name.len);

    if (slice_is(name, "round.expires"))
        return "the round of approval ends";
    for (char *at = text; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    return text;
}

static const char *dates_text(struct tool *tool, const struct value *item)
{
    const struct value *dates = value_get(item, "dates");
    const char *text = "";

    for (uint32_t i = 0; value_is(dates, VALUE_ARRAY) && i < dates->count && i < DATES_SHOWN; i++) {
        const struct value *date = &dates->as.items[i];

        text = arena_printf(&tool->arena, "%s%s%s %s", text, i > 0 ? "; " : "",
                            facts_day(tool, value_get_int(date, "at_ms", 0)),
                            date_name(tool, value_get_text(date, "name")));
    }
    if (*text == '\0' && value_get_int(item, "due_ms", 0) > 0)
        text = facts_day(tool, value_get_int(item, "due_ms", 0));
    return text;
}

/* A date that lies in the past: "due since 2026-11-01". */
static const char *past_text(struct tool *tool, const struct value *item, struct slice kind)
{
    const struct value *past = value_get(item, "past");
    const char *text = "";

    for (uint32_t i = 0; value_is(past, VALUE_MAP) && i < past->count; i++) {
        const struct value *at = &past->as.pairs[i].value;

        text =
            arena_printf(&tool->arena, "%s%s%s %s", text, i > 0 ? ", " : "",
                         facts_field_title(tool, kind, past->as.pairs[i].key),
                         at->type == VALUE_INT ? facts_day(tool, at->as.number)
                                               : arena_copy(&tool->arena, at->as.text, at->count));
    }
    return text;
}

/* When the first of it is: what ends comes before what only reminds. */
static int64_t deadline(const struct value *item)
{
    int64_t by = value_get_int(item, "by_ms", -1), due = value_get_int(item, "due_ms", -1);

    return by >= 0 ? by : due >= 0 ? due : INT64_MAX;
}

/* ---- what changed ---- */

static const char *changed_text(struct tool *tool, const struct value *item, struct slice kind)
{
    const struct value *names = value_get(item, "changed");
    const char *against = text_of(tool, item, "against");

    if (*against == '\0' || !value_is(names, VALUE_ARRAY))
        return "";
    return names->count == 0 ? arena_printf(&tool->arena, "nothing against %s", against)
                             : arena_printf(&tool->arena, "%s (against %s)",
                                            changes_names(tool, kind, names), against);
}

/* Of an item that is read before it is answered; another person's memory is not here. */
static const char *seen_text(struct tool *tool, const struct value *item, enum ink *ink)
{
    struct slice what = value_get_text(item, "what"), record = value_get_text(item, "record");
    const struct value *look;

    *ink = INK_DIM;
    if (!slice_is(what, "approve") && !slice_is(what, "ack"))
        return "";
    look = seen_last(tool, record);
    if (look == NULL) {
        *ink = INK_WAIT;
        return "not yet";
    }
    if (slice_equal(value_get_bin(look, "digest"), value_get_bin(item, "digest")))
        return arena_printf(&tool->arena, "as it is, since %s",
                            facts_moment(tool, value_get_int(look, "at_ms", 0)));
    *ink = INK_WAIT;
    return arena_printf(&tool->arena, "changed since you looked on %s: rota diff %.*s --since-seen",
                        facts_moment(tool, value_get_int(look, "at_ms", 0)), (int)record.len,
                        (const char *)record.at);
}

/* ---- the list ---- */

static void print_item(struct tool *tool, const struct value *item, bool is_mine)
{
    struct slice kind = value_get_text(item, "kind");
    const char *events = listed(tool, value_get(item, "events")), *seen;
    int64_t since = value_get_int(item, "since_ms", 0), number = value_get_int(item, "proposal", 0);
    enum ink ink;

    output_title(&tool->out,
                 number > 0 ? arena_printf(&tool->arena, "proposal %lld", (long long)number)
                            : text_of(tool, item, "record"),
                 text_of(tool, item, "title"));
    if (number > 0)
        events = arena_printf(&tool->arena, "agree, or end it: rota agree %lld", (long long)number);
    pair(tool, "asked to", INK_WAIT, *events != '\0' ? events : text_of(tool, item, "what"));
    pair(tool, "late", INK_BAD, past_text(tool, item, kind));
    pair(tool, "by", INK_NONE, dates_text(tool, item));
    pair(tool, "because", INK_NONE, because(tool, item));
    if (since > 0)
        pair(tool, "since", INK_DIM, facts_day(tool, since));
    pair(tool, "changed", INK_NONE, changed_text(tool, item, kind));
    seen = is_mine ? seen_text(tool, item, &ink) : "";
    if (*seen != '\0')
        pair(tool, "seen", ink, seen);
}

struct place { /* an item, and where it stood */
    const struct value *item;
    uint32_t at;
};

static int by_deadline(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    int64_t x = deadline(one->item), y = deadline(other->item);

    return x != y ? (x < y ? -1 : 1) : one->at < other->at ? -1 : one->at > other->at;
}

static void print_items(struct tool *tool, const struct value *items, bool is_mine)
{
    struct place *places = arena_take(&tool->arena, (items->count + 1) * sizeof places[0]);

    for (uint32_t i = 0; i < items->count; i++)
        places[i] = (struct place){&items->as.items[i], i};
    qsort(places, items->count, sizeof places[0], by_deadline);
    for (uint32_t i = 0; i < items->count; i++) {
        if (i > 0)
            output_blank(&tool->out);
        print_item(tool, places[i].item, is_mine);
    }
}

/* For programs: what is remembered here beside what the engine says. */
static void print_json(struct tool *tool, const struct value *item, bool is_mine)
{
    const struct value *look = is_mine ? seen_last(tool, value_get_text(item, "record")) : NULL;
    struct value line = value_copy(&tool->arena, item), seen = value_map();

    if (look != NULL) {
        value_set(&tool->arena, &seen, "at_ms", value_int(value_get_int(look, "at_ms", 0)));
        value_set(
            &tool->arena, &seen, "changed",
            value_bool(!slice_equal(value_get_bin(look, "digest"), value_get_bin(item, "digest"))));
        value_set(&tool->arena, &line, "seen", seen);
    }
    output_json(&tool->out, &line);
}

static int run(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map(), items;
    bool is_mine = given->word_count == 0;
    int status;

    if (given->word_count == 1)
        value_set(&tool->arena, &args, "person", value_str(given->words[0]));
    status = ask_query(tool, "inbox", args, &items);
    if (status != TOOL_DONE)
        return status;
    if (!value_is(&items, VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no list");
    for (uint32_t i = 0; tool->out.json && i < items.count; i++)
        print_json(tool, &items.as.items[i], is_mine);
    if (!tool->out.json && items.count == 0)
        output_line(&tool->out, INK_DIM, "nothing waits for %s",
                    is_mine ? "you" : facts_person(tool, slice_str(given->words[0])));
    else if (!tool->out.json)
        print_items(tool, &items, is_mine);
    return TOOL_DONE;
}

const struct tool_command command_inbox = {"inbox",
                                           "look",
                                           "[WHO]",
                                           "what waits for you: why you, by when, and what changed",
                                           "What ends first comes first. \"changed\" is against "
                                           "the version in force; \"seen\" is what you "
                                           "looked at\n"
                                           "from here.\n\n"
                                           "    rota --as amara inbox",
                                           NULL,
                                           0,
                                           1,
                                           false,
                                           run};
