/* short.c - the short forms: submit, approve, refuse, return, withdraw, ack.
 *
 * Kinds name their decisions differently (approve, authorise, confirm; reject, refuse): a short form takes
 * the event that is that vote, or the first of its names that the record offers.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "event.h"
#include "facts.h"
#include "given.h"
#include "mail.h"

static int make(struct tool *tool, const struct arguments *given, const char *vote,
                const char *const *names)
{
    const char *event;
    int status = event_pick(tool, given->words[0], vote, names, &event);

    return status == TOOL_DONE ? event_send(tool, given, 1, given->words[0], event) : status;
}

static int run_submit(struct tool *tool, const struct arguments *given)
{
    static const char *const names[] = {"submit", "submit_plan", "propose", NULL};

    return make(tool, given, NULL, names);
}

static int run_refuse(struct tool *tool, const struct arguments *given)
{
    static const char *const names[] = {"reject", "refuse", "decline", "deny", NULL};

    return make(tool, given, "refuse", names);
}

static int run_return(struct tool *tool, const struct arguments *given)
{
    static const char *const names[] = {"request_changes", "return", "return_plan",
                                        "send_back",       "rework", NULL};

    return make(tool, given, "return", names);
}

static int run_withdraw(struct tool *tool, const struct arguments *given)
{
    static const char *const names[] = {"withdraw", "cancel", NULL};

    return make(tool, given, NULL, names);
}

/* ---- approve, also as a letter ------------------------------------------------------------------- */

static int write_out(const char *path, struct slice bytes)
{
    int fd =
        path != NULL ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : STDOUT_FILENO;
    size_t done = 0;
    ssize_t put = 0;

    if (fd < 0)
        return tool_fail(TOOL_INPUT, "%s: %s", path, strerror(errno));
    while (done < bytes.len && (put = write(fd, bytes.at + done, bytes.len - done)) > 0)
        done += (size_t)put;
    if (path != NULL && close(fd) != 0)
        put = -1;
    return put < 0
               ? tool_fail(TOOL_INTERNAL, "%s: %s", path != NULL ? path : "stdout", strerror(errno))
               : TOOL_DONE;
}

/* To `path`, or to stdout; with --json stdout has one object, the letter or the file it is in. */
static int put_letter(struct tool *tool, const char *path, struct slice letter)
{
    struct value line = value_map();
    int status = path != NULL || !tool->out.json ? write_out(path, letter) : TOOL_DONE;

    value_set(&tool->arena, &line, path != NULL ? "file" : "letter",
              path != NULL ? value_str(path) : value_text(letter));
    if (status == TOOL_DONE && tool->out.json)
        output_json(&tool->out, &line);
    return status;
}

static int letter(struct tool *tool, const struct arguments *given, const char *event)
{
    struct command command;
    const struct value *info;
    struct mail mail = {.to = arguments_get(given, "--to"), .now_s = (int64_t)time(NULL)};
    struct buf text = BUF_EMPTY;
    struct output out = tool->out;
    struct reply reply;
    int status;

    output_init(&tool->out,
                stderr); /* stdout is the letter; what is signed is shown all the same */
    tool->out.colour = false;
    status = event_prepare(tool, given, 1, given->words[0], event, &command);
    tool->out = out;
    if (status != TOOL_DONE || (status = ask_who(tool, &mail.who)) != TOOL_DONE ||
        (status = facts_info(tool, &info)) != TOOL_DONE)
        return status;
    if (!command.has_signature && value_get(&command.args, "meaning") != NULL)
        return ask_command(tool, &command, &reply); /* it would be refused: no letter of that */
    if (!command.has_signature)
        return tool_fail(
            TOOL_REFUSED,
            "%s on %s takes no signature, so a letter would prove nothing: send it without --mail",
            event, given->words[0]);
    command.v = WIRE_VERSION_MAX;
    mail.from = value_get_str(value_get(info, "me"), "email", NULL, &tool->arena);
    mail.sentence = arena_printf(&tool->arena, "%s: %s of %s, signed with their own key.",
                                 facts_person(tool, slice_str(mail.who)), event,
                                 arena_copy(&tool->arena, command.record.at, command.record.len));
    mail_write(&text, &mail, &command);
    status = put_letter(tool, arguments_get(given, "--out"), buf_slice(&text));
    buf_release(&text);
    return status;
}

static int run_approve(struct tool *tool, const struct arguments *given)
{
    static const char *const names[] = {"approve",      "authorise", "sign",   "confirm", "accept",
                                        "approve_plan", "verify",    "review", NULL};
    const char *event;
    int status;

    if (arguments_have(given, "--out") && !arguments_have(given, "--mail"))
        return tool_usage(given, "--out goes with --mail");
    status = event_pick(tool, given->words[0], "grant", names, &event);
    if (status != TOOL_DONE)
        return status;
    return arguments_have(given, "--mail") ? letter(tool, given, event)
                                           : event_send(tool, given, 1, given->words[0], event);
}

/* ---- acknowledge --------------------------------------------------------------------------------- */

static int run_ack(struct tool *tool, const struct arguments *given)
{
    bool declines = arguments_have(given, "--decline");
    struct command command = {.command = slice_str(declines ? "decline_ack" : "ack"),
                              .args = value_map()};
    struct value question = value_map(), shown;
    struct reply reply;
    int status;

    if (declines != arguments_have(given, "--reason"))
        return tool_usage(given, declines ? "--decline needs a reason: --reason TEXT"
                                          : "--reason goes with --decline");

    value_set(&tool->arena, &question, "record", value_str(given->words[0]));
    status = ask_query(tool, "show", question, &shown);
    if (status != TOOL_DONE)
        return status;
    command.record = value_get_text(&shown, "record");
    if (command.record.len == 0)
        command.record = slice_str(given->words[0]);
    if (value_is(value_get(&shown, "digest"), VALUE_BIN))
        value_set(&tool->arena, &command.args, "digest", *value_get(&shown, "digest"));
    status = given_reason(tool, given, &command.args);
    if (status == TOOL_DONE)
        status = ask_command(tool, &command, &reply);
    if (status == TOOL_DONE)
        event_tell(tool, &command, &reply);
    return status;
}

static const struct tool_option ack_options[] = {
    {"--decline", NULL, "say why you do not: the owner is told; you may acknowledge it later"},
    {"--reason", "TEXT", "with --decline: why; @FILE reads it from a file"},
    {NULL, NULL, NULL}};

static const struct tool_option options[] = {EVENT_OPTIONS, {NULL, NULL, NULL}};

static const struct tool_option approve_options[] = {
    {"--mail", NULL, "do not send it: write the signed command as a letter to the approval worker"},
    {"--out", "FILE", "with --mail: write it to this new file instead of stdout"},
    {"--to", "ADDRESS", "with --mail: the letter's recipient"},
    EVENT_OPTIONS,
    {NULL, NULL, NULL},
};

static const struct tool_option submit_options[] = {
    {"--with", "RECORDS",
     "what is approved and put in force together with it, or not at all: EXC-0001,IPR-0002"},
    EVENT_OPTIONS,
    {NULL, NULL, NULL},
};

const struct tool_command command_submit = {
    "submit",
    "decisions",
    "RECORD [--with RECORD[,RECORD...]] [--reason TEXT] [FIELD=VALUE ...]",
    "ask for approval",
    "Freezes the content and opens a round of approval: each person asked gets a request. With "
    "--with several\n"
    "documents go together: whoever is asked signs each with one command, all are granted or none, "
    "and what\n"
    "puts one in force puts all in force.\n\n"
    "    rota submit SCP-0001\n"
    "    rota submit SCP-0001 --with EXC-0001",
    submit_options,
    1,
    -1,
    false,
    run_submit};

const struct tool_command command_approve = {
    "approve",
    "decisions",
    "RECORD [--reason TEXT] [--yes] [--mail [--out FILE] [--to ADDRESS]]",
    "sign: approve, authorise, confirm, ... as the record offers",
    "Signs the record's present content with your own key, under the meaning that the kind "
    "declares. The\n"
    "statement and the digest that you sign are shown, what changed, and who has signed; on a "
    "terminal you are\n"
    "asked before your key is used (--yes: not). rota diff RECORD shows the changes in full. With "
    "--mail the\n"
    "signed command is written as a letter instead; drop it into the mail folder of the approval "
    "worker, or\n"
    "send it.\n\n"
    "    rota --as amara approve SCP-0001\n"
    "    rota --as amara approve SCP-0001 --mail --out reply.eml",
    approve_options,
    1,
    -1,
    false,
    run_approve};

const struct tool_command command_refuse = {
    "refuse",
    "decisions",
    "RECORD --reason TEXT",
    "refuse: reject, refuse, ... as the record offers",
    "One refusal ends the round. The reason is kept with the record and can be erased on legal "
    "grounds\n"
    "without breaking the journal.\n\n"
    "    rota --as bo refuse SCP-0001 --reason \"the Lyon office is missing\"",
    options,
    1,
    -1,
    false,
    run_refuse};

const struct tool_command command_return = {
    "return",
    "decisions",
    "RECORD --reason TEXT",
    "send back for changes",
    "Ends the round without a decision; the author edits and submits again.\n\n"
    "    rota --as bo return SCP-0001 --reason \"name the interfaces to the group\"",
    options,
    1,
    -1,
    false,
    run_return};

const struct tool_command command_withdraw = {
    "withdraw",
    "decisions",
    "RECORD --reason TEXT",
    "take out of use without a successor",
    "    rota --as amara withdraw SCP-0001 --reason \"merged into GRP-0002\"",
    options,
    1,
    -1,
    false,
    run_withdraw};

const struct tool_command command_ack = {
    "ack",
    "decisions",
    "RECORD [--decline --reason TEXT]",
    "say that you have read it",
    "Acknowledges the version that is shown to you; the acknowledgement names its digest.\n"
    "Whoever disagrees, or did not understand it, declines and says why.\n\n"
    "    rota --as bo ack ACK-0003\n"
    "    rota --as bo ack ACK-0003 --decline --reason \"What is a removable medium?\"",
    ack_options,
    1,
    1,
    false,
    run_ack};
