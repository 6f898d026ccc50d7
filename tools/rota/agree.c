/* agree.c - `rota proposals`, `rota agree`: what waits for a second person, and being that person. */
#include "ask.h"
#include "amend.h"
#include "base/hash.h"
#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"
#include "preview.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LABEL = 8 };

static int number_of(const struct arguments *given, int at, int64_t *out)
{
    const char *text = given->word_count > at ? given->words[at] : "";
    char *end;

    *out = strtoll(text, &end, 10);
    return *text != '\0' && *end == '\0' && *out > 0
               ? TOOL_DONE
               : tool_usage(given, "which? A number, as `rota proposals` lists them");
}

/* ---- what it changes ---- */

/* Of what is proposed, or was: `body` are the arguments that stand in the journal. */
static int changes_of(struct tool *tool, struct slice what, const struct value *body,
                      struct value *out)
{
    const struct value *info;
    struct value now;
    int status;

    *out = value_array();
    if (slice_is(what, "pack"))
        return amend_pack(tool, value_get_bin(value_get(body, "pack"), "content"),
                          value_get_bin(body, "digest"), out);
    if (!slice_is(what, "directory"))
        return TOOL_DONE;
    if ((status = ask_query(tool, "people", value_map(), &now)) != TOOL_DONE ||
        (status = facts_info(tool, &info)) != TOOL_DONE)
        return status;
    *out = amend_people(tool, &now,
                        value_is(value_get(info, "root_keys"), VALUE_ARRAY) &&
                            value_get(info, "root_keys")->count > 0,
                        value_get(body, "people"));
    return TOOL_DONE;
}

static int ask_proposal(struct tool *tool, int64_t number, struct value *out)
{
    struct value args = value_map();

    value_set(&tool->arena, &args, "proposal", value_int(number));
    return ask_query(tool, "proposals", args, out);
}

static int reason_text(struct tool *tool, const struct value *holder, const char **out)
{
    struct slice hash = value_get_bin(value_get(holder, "reason"), "content"), text;
    int status = TOOL_DONE;

    *out = "";
    if (hash.len == HASH_LEN && (status = ask_content(tool, hash, 4096, &text)) == TOOL_DONE)
        *out = text_clean(&tool->arena, text, false);
    return status;
}

/* ---- the list ---- */

static const char *stands(struct tool *tool, const struct value *one)
{
    struct slice state = value_get_text(one, "state");

    if (value_get_int(one, "used_ms", 0) > 0)
        return arena_printf(&tool->arena, "agreed by %s, used on %s (journal entry %lld)",
                            facts_name(tool, value_get_text(one, "agreed_by")),
                            facts_moment(tool, value_get_int(one, "used_ms", 0)),
                            (long long)value_get_int(one, "used_seq", 0));
    if (value_get_int(one, "ends_ms", 0) > 0)
        return arena_printf(&tool->arena, "agreed by %s; counts until %s, if it is not used before",
                            facts_name(tool, value_get_text(one, "agreed_by")),
                            facts_moment(tool, value_get_int(one, "ends_ms", 0)));
    if (slice_is(state, "agreed"))
        return arena_printf(&tool->arena, "agreed by %s on %s",
                            facts_name(tool, value_get_text(one, "agreed_by")),
                            facts_day(tool, value_get_int(one, "agreed_ms", 0)));
    if (slice_is(state, "ended"))
        return arena_printf(&tool->arena, "ended by %s on %s",
                            facts_name(tool, value_get_text(one, "ended_by")),
                            facts_day(tool, value_get_int(one, "ended_ms", 0)));
    if (value_get_bool(one, "stale", false))
        return "what it would replace has changed: propose it anew";
    return value_get_bool(one, "may_agree", false) ? "waits for you, or another"
                                                   : "waits for a second person";
}

static int tell_one(struct tool *tool, const struct value *listed, bool is_full)
{
    int64_t number = value_get_int(listed, "proposal", 0);
    bool is_open = slice_is(value_get_text(listed, "state"), "open");
    struct value one = *listed, changes = value_array();
    const char *why = "";
    int status = TOOL_DONE;

    if (is_open || is_full)
        status = ask_proposal(tool, number, &one);
    if (status == TOOL_DONE && is_open)
        status = changes_of(tool, value_get_text(&one, "what"), value_get(&one, "body"), &changes);
    if (status == TOOL_DONE)
        status = reason_text(
            tool, value_get(&one, "body") != NULL && is_open ? value_get(&one, "body") : &one,
            &why);
    if (status != TOOL_DONE)
        return status;
    if (tool->out.json) {
        struct value line = value_copy(&tool->arena, &one);

        value_remove(&line, slice_str("body"));
        value_set(&tool->arena, &line, "changes", changes);
        value_set(&tool->arena, &line, "why", value_str(why));
        output_json(&tool->out, &line);
        return TOOL_DONE;
    }
    output_title(&tool->out, arena_printf(&tool->arena, "%" PRId64, number),
                 value_get_str(&one, "says", "", &tool->arena));
    output_line(&tool->out, INK_NONE, "  proposed by %s on %s",
                facts_name(tool, value_get_text(&one, "by")),
                facts_moment(tool, value_get_int(&one, "at_ms", 0)));
    if (*why != '\0')
        output_line(&tool->out, INK_NONE, "  because: %s", why);
    amend_print(tool, &changes);
    output_line(&tool->out, is_open ? INK_WAIT : INK_DIM, "  %s%s", stands(tool, &one),
                is_open && value_get_bool(&one, "may_agree", false)
                    ? arena_printf(&tool->arena, ": rota agree %" PRId64, number)
                    : "");
    return TOOL_DONE;
}

static int list(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map(), answer;
    int status;

    if (arguments_have(given, "--all"))
        value_set(&tool->arena, &args, "all", value_bool(true));
    status = ask_query(tool, "proposals", args, &answer);
    if (status != TOOL_DONE)
        return status;
    if (!value_is(&answer, VALUE_ARRAY))
        return tool_fail(TOOL_INPUT, "the engine's answer has no list");
    if (answer.count == 0 && !tool->out.json)
        output_line(&tool->out, INK_DIM, "nothing waits for a second person");
    for (uint32_t i = 0; status == TOOL_DONE && i < answer.count; i++)
        status = tell_one(tool, &answer.as.items[i], false);
    return status;
}

static int show(struct tool *tool, const struct arguments *given)
{
    struct value one;
    int64_t number;
    int status = number_of(given, 0, &number);

    if (status == TOOL_DONE)
        status = ask_proposal(tool, number, &one);
    return status == TOOL_DONE ? tell_one(tool, &one, true) : status;
}

static int end(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map();
    int64_t number;
    int status = number_of(given, 1, &number);

    if (status == TOOL_DONE && !arguments_have(given, "--reason"))
        return tool_usage(given, "to end a proposal needs a reason: --reason TEXT");
    if (status == TOOL_DONE)
        status = given_reason(tool, given, &args);
    if (status != TOOL_DONE)
        return status;
    value_set(&tool->arena, &args, "proposal", value_int(number));
    return ask_told(
        tool, "proposal.end", &args,
        arena_printf(&tool->arena, "proposal %" PRId64 " is over; nothing changes", number));
}

static int run_proposals(struct tool *tool, const struct arguments *given)
{
    if (given->word_count == 0 || strcmp(given->words[0], "list") == 0)
        return list(tool, given);
    return strcmp(given->words[0], "end") == 0 ? end(tool, given) : show(tool, given);
}

/* ---- agree ---- */

static int preview(struct tool *tool, const struct value *proposal, const struct value *prepared)
{
    struct slice digest = value_get_bin(prepared, "digest");
    char hex[2 * HASH_LEN + 1] = "";
    struct value changes;
    const char *why = "", *who;
    int status =
        changes_of(tool, value_get_text(proposal, "what"), value_get(prepared, "args"), &changes);

    if (status == TOOL_DONE)
        status = reason_text(tool, value_get(prepared, "args"), &why);
    if (status != TOOL_DONE || tool->out.json)
        return status;
    if (digest.len == HASH_LEN)
        hex_encode(digest, hex);
    amend_print(tool, &changes);
    if (*why != '\0')
        output_pair(&tool->out, 0, LABEL, "because", INK_NONE, slice_str(why));
    output_pair(&tool->out, 0, LABEL, "signing", INK_BOLD, value_get_text(prepared, "statement"));
    output_pair(&tool->out, 0, LABEL, "content", INK_NONE, slice_str(hex));
    if ((status = ask_who(tool, &who)) == TOOL_DONE)
        output_pair(&tool->out, 0, LABEL, "key of", INK_NONE,
                    slice_str(facts_person(tool, slice_str(who))));
    return status;
}

struct agreement { /* to one proposal */
    int64_t number;
    struct value proposal, prepared;
};

static int prepare(struct tool *tool, struct agreement *agreement)
{
    struct value args = value_map();

    value_set(&tool->arena, &args, "proposal", value_int(agreement->number));
    return ask_query(tool, "prepare", args, &agreement->prepared);
}

/* Whoever may not agree is told so by the engine, which writes it down; no passphrase is asked for that. */
static bool is_to_sign(const struct agreement *agreement)
{
    return slice_is(value_get_text(&agreement->proposal, "state"), "open") &&
           value_get_bool(&agreement->proposal, "may_agree", false);
}

/* What is to be signed, all of it; `signed_count` of them can be. */
static int show_all(struct tool *tool, const struct arguments *given, struct agreement *all,
                    int *signed_count)
{
    int status = TOOL_DONE;

    *signed_count = 0;
    for (int i = 0; status == TOOL_DONE && i < given->word_count; i++) {
        status = number_of(given, i, &all[i].number);
        if (status == TOOL_DONE)
            status = ask_proposal(tool, all[i].number, &all[i].proposal);
        if (status == TOOL_DONE)
            status = prepare(tool, &all[i]);
        if (status != TOOL_DONE || !is_to_sign(&all[i]))
            continue;
        ++*signed_count;
        if (given->word_count > 1 && !tool->out.json)
            output_line(&tool->out, INK_BOLD, "proposal %" PRId64, all[i].number);
        status = preview(tool, &all[i].proposal, &all[i].prepared);
    }
    return status;
}

static void tell_agreed(struct tool *tool, int64_t number, const struct command *command,
                        const struct reply *reply)
{
    if (tool->out.json) {
        event_tell(tool, command, reply);
        return;
    }
    output_line(&tool->out, INK_GOOD, "proposal %" PRId64 " is in force", number);
    if (reply->has_seq)
        output_line(&tool->out, INK_DIM, "  journal entry %" PRIu64, reply->seq);
}

/* Each agreement is an entry of its own after the one before: what is signed says where it stands, and is asked for anew. */
static int agree_one(struct tool *tool, const struct arguments *given, struct agreement *agreement)
{
    struct slice shown = value_get_bin(&agreement->prepared, "digest");
    struct command command = {0};
    struct reply reply;
    int status = prepare(tool, agreement);

    if (status == TOOL_DONE && !slice_equal(shown, value_get_bin(&agreement->prepared, "digest")))
        return tool_fail(TOOL_REFUSED, "proposal %" PRId64 " is another than was shown; look again",
                         agreement->number);
    if (status != TOOL_DONE)
        return status;
    command.command = value_get_text(&agreement->prepared, "command");
    command.args = value_copy(&tool->arena, value_get(&agreement->prepared, "args"));
    if (arguments_have(given, "--id"))
        command.id = slice_str(arguments_get(given, "--id"));
    if (is_to_sign(agreement))
        status = event_sign_other(tool, &agreement->prepared, "agree", &command);
    command.record = value_get_text(&agreement->prepared, "record"); /* break-glass alone has one */
    if (status == TOOL_DONE)
        status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE)
        tell_agreed(tool, agreement->number, &command, &reply);
    return status;
}

static int run_agree(struct tool *tool, const struct arguments *given)
{
    struct agreement *all;
    int status, signed_count;

    if (given->word_count > 1 && arguments_have(given, "--id"))
        return tool_usage(given, "one --id is the id of one command; agree to one at a time");
    all = arena_zero(&tool->arena, (size_t)given->word_count * sizeof *all);
    status = show_all(tool, given, all, &signed_count);
    if (status == TOOL_DONE && signed_count > 0 && !arguments_have(given, "--yes"))
        status = preview_ask(tool, "agree");
    for (int i = 0; status == TOOL_DONE && i < given->word_count; i++)
        status = agree_one(tool, given, &all[i]);
    return status;
}

/* ---- break-glass ---- */

static int run_glass(struct tool *tool, const struct arguments *given)
{
    struct command command = {.command = slice_str("break_glass"),
                              .record = slice_str(given->words[0]),
                              .args = value_map()};
    struct value people;
    struct reply reply;
    const char *who;
    long long number;
    int status;

    if (!arguments_have(given, "--reason"))
        return tool_usage(given, "to break glass needs a reason: --reason TEXT");
    value_set(&tool->arena, &command.args, "event", value_str(given->words[1]));
    if ((status = given_reason(tool, given, &command.args)) != TOOL_DONE ||
        (status = ask_command(tool, &command, &reply)) != TOOL_DONE ||
        (status = ask_query(tool, "people", value_map(), &people)) != TOOL_DONE ||
        (status = ask_who(tool, &who)) != TOOL_DONE)
        return status;
    if (tool->out.json) {
        output_json(&tool->out, &reply.out);
        return TOOL_DONE;
    }
    number = (long long)value_get_int(&reply.out, "proposal", 0);
    output_line(&tool->out, INK_WAIT, "proposal %lld: you may do nothing more yet", number);
    output_line(&tool->out, INK_NONE, "  %s agrees: rota --as WHO agree %lld",
                amend_seconds(tool, &people, slice_str(who)), number);
    output_line(&tool->out, INK_NONE, "  then, within 24 hours and once: rota --as %s do %s %s",
                who, given->words[0], given->words[1]);
    return TOOL_DONE;
}

static const struct tool_option glass_options[] = {
    {"--reason", "TEXT", "why; @FILE reads it from a file"},
    {NULL, NULL, NULL},
};

static const struct tool_option proposal_options[] = {
    {"--all", NULL, "also what was agreed to or ended"},
    {"--reason", "TEXT", "end: why; @FILE reads it from a file"},
    {NULL, NULL, NULL},
};

static const struct tool_option agree_options[] = {
    {"--yes", NULL, "on a terminal: sign what is shown without being asked"},
    {"--id", "ID", "the command's id: the same id again gives the same answer and does nothing"},
    {NULL, NULL, NULL},
};

const struct tool_command command_proposals = {
    "proposals",
    "decisions",
    "[N] [--all]\nend N --reason TEXT",
    "changes of people, roles and workflows that wait for a second person",
    "Who may what, and the workflows, change only if two people want it: one proposes (rota "
    "reload, "
    "rota pack install),\n"
    "another with the role top_management or isms_manager agrees, signed. What is listed comes "
    "from "
    "the journal. One is ended by who made it, or who may agree to it.\n\n"
    "    rota --as ines proposals\n    rota --as ines agree 3\n"
    "    rota --as ines proposals end 3 --reason \"Not before the audit\"",
    proposal_options,
    0,
    2,
    false,
    run_proposals};

const struct tool_command command_break_glass = {
    "break-glass",
    "decisions",
    "RECORD EVENT --reason TEXT",
    "ask to do one event once although the role for it is missing",
    "For when whoever should act is out of reach. Another person with the role top_management or "
    "isms_manager agrees,\n"
    "signed (rota agree N); then you may do it once, within 24 hours. It gives the missing role "
    "and "
    "nothing else:\n"
    "separation of duties, conditions and required fields hold as ever, and there is none for "
    "votes "
    "or what is signed.\n"
    "The ISMS manager and top management are told, and the record's history says it.\n\n"
    "    rota --as omar break-glass INC-0003 contain --reason \"She is on a plane\"",
    glass_options,
    2,
    2,
    false,
    run_glass};

const struct tool_command command_agree = {
    "agree",
    "decisions",
    "N [N ...] [--yes]",
    "agree to what somebody else proposed, signed with your own key",
    "For a person with the role top_management or isms_manager who did not propose it. Shows what "
    "it changes, in words, the digest and the sentence that are signed, and puts it in force. "
    "Several that belong together (a large directory is proposed in parts) are shown and agreed to "
    "together; each is signed.\n\n"
    "    rota --as ines agree 3\n"
    "    rota --as ines agree 4 5 6",
    agree_options,
    1,
    TOOL_WORDS_MAX,
    false,
    run_agree};
