/* preview.c - what somebody is about to sign. */
#include "preview.h"

#include <unistd.h>

#include "ask.h"
#include "base/hash.h"
#include "changes.h"
#include "facts.h"
#include "page.h"
#include "seen.h"

enum { LABEL = 8, OUTLINE_MAX = 8, ANSWER_MAX = 16 };

static void pair(struct tool *tool, const char *label, enum ink ink, const char *text)
{
    output_pair(&tool->out, 0, LABEL, label, ink, slice_str(text));
}

/* What people changed: the day of the next review is the engine's. */
static struct value changes_made(struct tool *tool, const struct value *all)
{
    struct value made = value_array();

    for (uint32_t i = 0; i < all->count; i++) {
        if (!slice_is(value_get_text(&all->as.items[i], "field"), "next_review_due"))
            value_push(&tool->arena, &made, all->as.items[i]);
    }
    return made;
}

static void print_changes(struct tool *tool, const struct value *shown, const struct value *answer)
{
    struct value changes = changes_made(tool, value_get(answer, "changes"));
    const char *record = value_get_str(shown, "record", "", &tool->arena);
    const char *against = value_get_str(answer, "against", "", &tool->arena);

    if (*against == '\0') {
        pair(tool, "changes", INK_NONE,
             arena_printf(&tool->arena, "no version before: all of it is new (rota show %s)",
                          record));
        return;
    }
    pair(tool, "changes", INK_BOLD,
         arena_printf(&tool->arena, "%u field%s against %s%s%s", changes.count,
                      changes.count == 1 ? "" : "s", against,
                      changes.count > 0 ? "; in full: rota diff " : "",
                      changes.count > 0 ? record : ""));
    changes_outline(tool, LABEL, "", value_get_text(shown, "kind"), &changes, OUTLINE_MAX);
}

static void print_news(struct tool *tool, const struct value *shown)
{
    struct slice record = value_get_text(shown, "record");
    const struct value *look = seen_last(tool, record);

    if (look == NULL)
        pair(tool, "seen", INK_WAIT,
             arena_printf(&tool->arena, "you have not looked at it from here (rota show %.*s)",
                          (int)record.len, (const char *)record.at));
    else if (!slice_equal(value_get_bin(look, "digest"), value_get_bin(shown, "digest")))
        pair(tool, "seen", INK_WAIT,
             arena_printf(&tool->arena,
                          "it changed since you looked on %s: rota diff %.*s --since-seen",
                          facts_moment(tool, value_get_int(look, "at_ms", 0)), (int)record.len,
                          (const char *)record.at));
}

/* "Amara Okafor, Henrik Lindqvist" of those who (have not) voted so. */
static const char *voters(struct tool *tool, const struct value *round)
{
    const struct value *votes = value_get(round, "votes");
    const char *text = "";

    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++) {
        struct slice vote = value_get_text(&votes->as.pairs[i].value, "vote");

        text = arena_printf(&tool->arena, "%s%s%s%s%.*s%s", text, *text != '\0' ? ", " : "",
                            facts_name(tool, votes->as.pairs[i].key),
                            slice_is(vote, "grant") ? "" : " (",
                            slice_is(vote, "grant") ? 0 : (int)vote.len, (const char *)vote.at,
                            slice_is(vote, "grant") ? "" : ")");
    }
    return text;
}

static const char *names(struct tool *tool, const struct value *people, const char *who)
{
    const char *text = "";

    for (uint32_t i = 0; value_is(people, VALUE_ARRAY) && i < people->count; i++)
        text = arena_printf(&tool->arena, "%s%s%s", text, *text != '\0' ? ", " : "",
                            slice_is(value_slice(&people->as.items[i]), who)
                                ? "you"
                                : facts_name(tool, value_slice(&people->as.items[i])));
    return text;
}

static void print_round(struct tool *tool, const struct value *shown, const char *who)
{
    const struct value *round = value_get(shown, "round");
    const char *signers, *waiting;

    if (!value_is(round, VALUE_MAP))
        return;
    signers = voters(tool, round);
    waiting = names(tool, value_get(round, "waiting_for"), who);
    pair(tool, "signed", INK_NONE,
         arena_printf(&tool->arena, "%s%s%s", page_round_count(tool, round),
                      *signers != '\0' ? ": " : "", signers));
    if (*waiting != '\0')
        pair(tool, "missing", INK_NONE, arena_printf(&tool->arena, "still asked: %s", waiting));
}

static void print_statement(struct tool *tool, const struct value *prepared)
{
    struct slice digest = value_get_bin(prepared, "digest");
    char hex[2 * HASH_LEN + 1] = "";

    output_pair(&tool->out, 0, LABEL, "signing", INK_BOLD, value_get_text(prepared, "statement"));
    if (digest.len != HASH_LEN)
        return; /* it is about no record */
    hex_encode(digest, hex);
    output_pair(&tool->out, 0, LABEL, "content", INK_NONE, slice_str(hex));
}

/* The record that is decided on: of a vote, the first part of its stream. */
static const char *record_of(struct tool *tool, const struct value *prepared)
{
    struct slice record = value_get_text(prepared, "record");

    if (record.len == 0)
        record = value_get_text(prepared, "stream");
    for (size_t i = 0; i < record.len; i++)
        if (record.at[i] == '/')
            record.len = i;
    return arena_copy(&tool->arena, record.at, record.len);
}

int preview_print(struct tool *tool, const struct value *prepared, const char *who)
{
    const char *record = record_of(tool, prepared);
    struct value args = value_map(), shown, answer;
    int status;

    if (tool->out.json)
        return TOOL_DONE;
    if (value_get_bin(prepared, "digest").len == 0) {
        print_statement(tool, prepared);
        pair(tool, "key of", INK_NONE, facts_person(tool, slice_str(who)));
        return TOOL_DONE;
    }
    value_set(&tool->arena, &args, "record", value_str(record));
    status = ask_query(tool, "show", args, &shown);
    if (status == TOOL_DONE)
        status = changes_ask(tool, record, NULL, NULL, &answer);
    if (status != TOOL_DONE)
        return status;
    if (!slice_equal(value_get_bin(prepared, "digest"), value_get_bin(&shown, "digest")))
        return tool_fail(TOOL_REFUSED,
                         "%s was changed at this moment; nothing is signed. Look at it again",
                         record);
    print_statement(tool, prepared);
    print_changes(tool, &shown, &answer);
    print_news(tool, &shown);
    print_round(tool, &shown, who);
    pair(tool, "key of", INK_NONE, facts_person(tool, slice_str(who)));
    return TOOL_DONE;
}

int preview_ask(struct tool *tool, const char *event)
{
    char answer[ANSWER_MAX];

    if (tool->out.json || isatty(STDIN_FILENO) != 1 || isatty(fileno(tool->out.to)) != 1)
        return TOOL_DONE;
    fprintf(tool->out.to, "Sign? [y/N] ");
    fflush(tool->out.to);
    if (fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return TOOL_DONE;
    return tool_fail(TOOL_REFUSED, "not signed; nothing of %s was sent", event);
}
