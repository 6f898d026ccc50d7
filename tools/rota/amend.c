#include "amend.h"

#include "ask.h"
#include "base/date.h"
#include "base/differ.h"
#include "base/map.h"
#include "definition/pack.h"

enum { SHORT_KEY = 12, LINES_SHOWN = 40, LINES_MAX = 2000, PACK_MAX = 16 * 1024 * 1024 };

/* ---- people ---- */

static const struct {
    const char *fact, *title;
} titles[] = {
    {"roles", "roles"},          {"services", "serves"},    {"kind", "is"},
    {"sign", "signing key"},     {"not_after", "last day"}, {"gateway", "may speak for others"},
    {"transport", "connection"}, {"scope", "sees only"},    {"manager", "manager"},
    {"title", "title"},          {"email", "address"},      {"uid", "user number"},
};

static const char *title_of(struct tool *tool, struct slice fact)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (slice_is(fact, titles[i].fact))
            return titles[i].title;
    return arena_copy(&tool->arena, fact.at, fact.len);
}

static const char *in_hex(struct tool *tool, const struct value *key)
{
    char *hex = arena_zero(&tool->arena, 2 * (size_t)key->count + 1);

    hex_encode(value_slice(key), hex);
    return arena_printf(&tool->arena, "%.*s", SHORT_KEY, hex);
}

/* NULL: there is none. */
static const char *in_words(struct tool *tool, struct slice fact, const struct value *value)
{
    const char *text = "";

    if (value == NULL || value->type == VALUE_NIL)
        return NULL;
    if (slice_is(fact, "not_after") && value->type == VALUE_INT) {
        char day[DATE_TEXT_LEN + 1];

        date_format((int32_t)(value->as.number / 86400000), day);
        return arena_str(&tool->arena, day);
    }
    if (value->type == VALUE_BIN)
        return in_hex(tool, value);
    if (value->type != VALUE_ARRAY)
        return value->type == VALUE_STR    ? text_clean(&tool->arena, value_slice(value), false)
               : value->type == VALUE_BOOL ? (value->as.number != 0 ? "yes" : "no")
                                           : value_show(&tool->arena, value);
    for (uint32_t i = 0; i < value->count; i++)
        text = arena_printf(&tool->arena, "%s%s%s", text, i > 0 ? ", " : "",
                            in_words(tool, fact, &value->as.items[i]));
    return value->count > 0 || slice_is(fact, "scope") ? text : NULL;
}

static const struct value *entry_named(const struct value *people, struct slice name)
{
    for (uint32_t i = 0; value_is(people, VALUE_ARRAY) && i < people->count; i++)
        if (slice_equal(value_get_text(&people->as.items[i], "name"), name))
            return &people->as.items[i];
    return NULL;
}

static void add_fact(struct tool *tool, struct slice fact, const struct value *before,
                     const struct value *after, struct value *facts)
{
    const char *was = in_words(tool, fact, before), *is = in_words(tool, fact, after);
    struct value one = value_map();

    if ((was == NULL && is == NULL) ||
        (before != NULL && after != NULL && value_equal(before, after)))
        return;
    value_set(&tool->arena, &one, "fact", value_text(fact));
    if (was != NULL)
        value_set(&tool->arena, &one, "before", value_str(was));
    if (is != NULL)
        value_set(&tool->arena, &one, "after", value_str(is));
    value_push(&tool->arena, facts, one);
}

static struct value facts_changed(struct tool *tool, const struct value *before, bool rooted,
                                  const struct value *after)
{
    struct value facts = value_array();

    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        const char *fact = titles[i].fact;

        if (!(rooted && strcmp(fact, "sign") == 0 && value_get(after, fact) == NULL))
            add_fact(tool, slice_str(fact), value_get(before, fact), value_get(after, fact),
                     &facts);
    }
    return facts;
}

struct value amend_people(struct tool *tool, const struct value *now, bool rooted,
                          const struct value *people)
{
    struct value changes = value_array();

    for (uint32_t i = 0; value_is(people, VALUE_ARRAY) && i < people->count; i++) {
        const struct value *after = &people->as.items[i];
        const struct value *before = entry_named(now, value_get_text(after, "name"));
        struct value facts = facts_changed(tool, before, rooted, after), one = value_map();

        if (before != NULL && facts.count == 0)
            continue;
        value_set(&tool->arena, &one, "name", value_text(value_get_text(after, "name")));
        value_set(&tool->arena, &one, "is", value_str(before == NULL ? "new" : "changed"));
        value_set(&tool->arena, &one, "facts", facts);
        value_push(&tool->arena, &changes, one);
    }
    return changes;
}

static bool could_agree(const struct value *person)
{
    const struct value *roles = value_get(person, "roles");

    return slice_is(value_get_text(person, "kind"), "person") &&
           (value_has_text(roles, slice_str("top_management")) ||
            value_has_text(roles, slice_str("isms_manager")));
}

const char *amend_seconds(struct tool *tool, const struct value *people, struct slice by)
{
    const char *text = "", *last = NULL;

    for (uint32_t i = 0; value_is(people, VALUE_ARRAY) && i < people->count; i++) {
        const struct value *person = &people->as.items[i];

        if (!could_agree(person) || slice_equal(value_get_text(person, "name"), by))
            continue;
        if (last != NULL)
            text = arena_printf(&tool->arena, "%s%s%s", text, *text != '\0' ? ", " : "", last);
        last = value_get_str(person, "name", "", &tool->arena);
    }
    if (last == NULL)
        return "";
    return *text != '\0' ? arena_printf(&tool->arena, "%s or %s", text, last) : last;
}

/* ---- workflows ---- */

struct files {
    struct pack_file *at;
    int count;
};

static int read_files(struct tool *tool, struct slice content, struct files *out)
{
    struct error err = {ERROR_NONE, ""};
    struct slice bytes;
    int status = ask_content(tool, content, PACK_MAX, &bytes);

    if (status != TOOL_DONE)
        return status;
    return pack_split(bytes, &tool->arena, &out->at, &out->count, &err) == 0
               ? TOOL_DONE
               : tool_error(TOOL_INPUT, &err);
}

static const struct pack_file *file_named(const struct files *files, const char *path)
{
    for (int i = 0; i < files->count; i++)
        if (strcmp(files->at[i].path, path) == 0)
            return &files->at[i];
    return NULL;
}

static void add_line(struct tool *tool, const char *mark, struct slice line, struct value *lines)
{
    if (lines->count < LINES_MAX)
        value_push(&tool->arena, lines,
                   value_str(arena_printf(&tool->arena, "%s %s", mark,
                                          text_clean(&tool->arena, line, false))));
}

static struct value lines_changed(struct tool *tool, struct slice before, struct slice after)
{
    struct differ_text old = differ_lines(&tool->arena, before),
                       now = differ_lines(&tool->arena, after);
    struct differ_steps steps = differ_texts(&tool->arena, &old, &now, false);
    struct value lines = value_array();

    for (uint32_t i = 0; i < steps.count; i++) {
        const struct differ_step *step = &steps.at[i];

        if (step->what == STEP_GONE || step->what == STEP_CHANGED)
            add_line(tool, "-", old.parts[step->before], &lines);
        if (step->what == STEP_NEW || step->what == STEP_CHANGED)
            add_line(tool, "+", now.parts[step->after], &lines);
    }
    return lines;
}

/* Time-zone data is no text; that it is another is all that can be told. */
static bool is_text(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcmp(path + len - 4, ".cfg") == 0;
}

static void add_file(struct tool *tool, const char *path, const struct pack_file *before,
                     const struct pack_file *after, struct value *changes)
{
    struct slice nothing = {NULL, 0}, old = before != NULL ? before->bytes : nothing,
                 now = after != NULL ? after->bytes : nothing;
    struct value one = value_map();

    if (before != NULL && after != NULL && slice_equal(old, now))
        return;
    value_set(&tool->arena, &one, "path", value_str(path));
    value_set(&tool->arena, &one, "is",
              value_str(before == NULL  ? "new"
                        : after == NULL ? "gone"
                                        : "changed"));
    if (is_text(path))
        value_set(&tool->arena, &one, "lines", lines_changed(tool, old, now));
    value_push(&tool->arena, changes, one);
}

/* The content of the pack that counts now. */
static int current_content(struct tool *tool, struct slice *out)
{
    struct value packs;
    int status = ask_query(tool, "packs", value_map(), &packs);

    *out = slice_of(NULL, 0);
    for (uint32_t i = 0; status == TOOL_DONE && value_is(&packs, VALUE_ARRAY) && i < packs.count;
         i++)
        if (value_get_bool(&packs.as.items[i], "current", false))
            *out = value_get_bin(value_get(&packs.as.items[i], "pack"), "content");
    return status;
}

int amend_pack(struct tool *tool, struct slice content, struct slice digest, struct value *out)
{
    struct files before = {NULL, 0}, after = {NULL, 0};
    uint8_t computed[HASH_LEN];
    struct slice now;
    int status = current_content(tool, &now);

    *out = value_array();
    if (status == TOOL_DONE)
        status = read_files(tool, now, &before);
    if (status == TOOL_DONE)
        status = read_files(tool, content, &after);
    if (status != TOOL_DONE)
        return status;
    pack_digest(after.at, after.count, computed);
    if (!slice_equal(digest, slice_of(computed, HASH_LEN)))
        return tool_fail(TOOL_REFUSED,
                         "the files that came are not the pack that was proposed; nothing is "
                         "signed");
    for (int i = 0; i < before.count; i++)
        add_file(tool, before.at[i].path, &before.at[i], file_named(&after, before.at[i].path),
                 out);
    for (int i = 0; i < after.count; i++)
        if (file_named(&before, after.at[i].path) == NULL)
            add_file(tool, after.at[i].path, NULL, &after.at[i], out);
    return TOOL_DONE;
}

/* ---- told ---- */

static void print_facts(struct tool *tool, const struct value *change)
{
    const struct value *facts = value_get(change, "facts");
    bool is_new = slice_is(value_get_text(change, "is"), "new");

    output_line(&tool->out, INK_BOLD, "  %s%s", value_get_str(change, "name", "", &tool->arena),
                is_new ? " is new" : "");
    for (uint32_t i = 0; value_is(facts, VALUE_ARRAY) && i < facts->count; i++) {
        const struct value *fact = &facts->as.items[i];
        const char *title = title_of(tool, value_get_text(fact, "fact"));
        const char *before = value_get_str(fact, "before", "none", &tool->arena);
        const char *after = value_get_str(fact, "after", "none", &tool->arena);

        if (is_new)
            output_line(&tool->out, INK_NONE, "    %s: %s", title, after);
        else
            output_line(&tool->out, INK_NONE, "    %s: %s -> %s", title, before, after);
    }
}

static void print_file(struct tool *tool, const struct value *change)
{
    const struct value *lines = value_get(change, "lines");

    output_line(&tool->out, INK_BOLD, "  %s: %s", value_get_str(change, "path", "", &tool->arena),
                value_get_str(change, "is", "", &tool->arena));
    for (uint32_t i = 0; value_is(lines, VALUE_ARRAY) && i < lines->count && i < LINES_SHOWN; i++) {
        struct slice line = value_slice(&lines->as.items[i]);

        output_line(&tool->out, line.at[0] == '+' ? INK_GOOD : INK_BAD, "    %.*s", (int)line.len,
                    (const char *)line.at);
    }
    if (value_is(lines, VALUE_ARRAY) && lines->count > LINES_SHOWN)
        output_line(&tool->out, INK_DIM, "    and %u more lines (--json gives them)",
                    lines->count - LINES_SHOWN);
}

void amend_print(struct tool *tool, const struct value *changes)
{
    for (uint32_t i = 0; value_is(changes, VALUE_ARRAY) && i < changes->count; i++) {
        const struct value *change = &changes->as.items[i];

        if (value_get(change, "path") != NULL)
            print_file(tool, change);
        else
            print_facts(tool, change);
    }
}
