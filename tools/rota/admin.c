/* admin.c - operation: checkpoint, backup, drain, resume, stop, clock. Over the admin socket. */
#include <stdlib.h>
#include <unistd.h>

#include "ask.h"
#include "base/date.h"
#include "commands.h"
#include "facts.h"
#include "forms.h"

static int simple(struct tool *tool, const char *command, struct value args, const char *done)
{
    struct value answer;
    int status = ask_admin(tool, command, args, &answer);

    if (status != TOOL_DONE)
        return status;
    if (tool->out.json)
        output_json(&tool->out, &answer);
    else
        output_line(&tool->out, INK_GOOD, "%s", done);
    if (value_get_text(&answer, "says").len > 0) /* it is done, and has no entry */
        tool_fail(TOOL_DONE, "%s",
                  text_clean(&tool->arena, value_get_text(&answer, "says"), false));
    return TOOL_DONE;
}

static int run_checkpoint(struct tool *tool, const struct arguments *given)
{
    struct value answer;
    struct slice note;
    int status = ask_admin(tool, "checkpoint", value_map(), &answer);

    (void)given;
    if (status != TOOL_DONE)
        return status;
    note = value_get_text(&answer, "note");
    if (tool->out.json)
        output_json(&tool->out, &answer);
    else /* the note itself: `rota checkpoint > kept.checkpoint` must be byte for byte what was signed */
        fwrite(note.at, 1, note.len, tool->out.to);
    if (value_get_int(&answer, "unsigned", 0) > 0)
        return tool_fail(
            TOOL_REFUSED,
            "this is the last note there is; the %lld entries after it cannot be signed now: %s",
            (long long)value_get_int(&answer, "unsigned", 0),
            text_clean(&tool->arena, value_get_text(&answer, "error"), false));
    return TOOL_DONE;
}

static int run_backup(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map();
    const char *path = given->words[0];
    char here[4096];

    if (path[0] != '/') { /* the engine has another working directory */
        if (getcwd(here, sizeof here) == NULL)
            return tool_fail(TOOL_INTERNAL,
                             "the current directory has no name; give a path that begins with /");
        path = arena_printf(&tool->arena, "%s/%s", here, path);
    }
    if (access(path, F_OK) == 0)
        return tool_fail(TOOL_USAGE, "%s exists: a backup never overwrites", path);
    value_set(&tool->arena, &args, "path", value_str(path));
    return simple(tool, "backup", args,
                  arena_printf(&tool->arena, "backup written to %s; check it with: rota verify %s",
                               path, tool_shell(&tool->arena, path)));
}

static int run_drain(struct tool *tool, const struct arguments *given)
{
    (void)given;
    return simple(tool, "drain", value_map(), "no new tasks are given out; rota resume goes on");
}

static int run_resume(struct tool *tool, const struct arguments *given)
{
    (void)given;
    return simple(tool, "resume", value_map(), "tasks are given out again");
}

static int run_stop(struct tool *tool, const struct arguments *given)
{
    (void)given;
    return simple(tool, "stop", value_map(), "the engine stops");
}

/* ---- clock --------------------------------------------------------------------------------------- */

static const int64_t SPAN_MOST_MS = INT64_C(1) << 50; /* what is more counts as this */

/* "90 minutes", "2 hours", "3 days", "2 weeks", "1d12h", "25920000 s": exact time; months have no exact length. More than the
 * engine's clock goes is said by the engine. */
static int span_ms(const char *text, int64_t *out)
{
    static const struct {
        char letter;
        const char *word;
        int64_t ms;
    } units[] = {{'s', "second", 1000},
                 {'m', "minute", 60000},
                 {'h', "hour", 3600000},
                 {'d', "day", 86400000},
                 {'w', "week", 604800000}};
    int64_t total = 0;

    while (*text != '\0') {
        char *end;
        long long number = strtoll(text, &end, 10);
        size_t i = 0;

        if (end == text || number < 0)
            return -1;
        while (*end == ' ')
            end++;
        while (i < 5 && units[i].letter != *end)
            i++;
        if (i == 5)
            return -1;
        end += strncmp(end, units[i].word, strlen(units[i].word)) == 0 ? strlen(units[i].word) : 1;
        end += *end == 's';
        while (*end == ' ')
            end++;
        if (number > SPAN_MOST_MS / units[i].ms)
            number = SPAN_MOST_MS / units[i].ms;
        total += number * units[i].ms;
        if (total > SPAN_MOST_MS)
            total = SPAN_MOST_MS;
        text = end;
    }
    *out = total;
    return total > 0 ? 0 : -1;
}

static int64_t offset_ms(struct tool *tool, int32_t date)
{
    /* Midnight of that day in the organisation's zone: its offset is taken from the day's own text. */
    int64_t utc = (int64_t)date * 86400000;

    for (int64_t shift = -16; shift <= 16; shift++) {
        int64_t at = utc + shift * 3600000;
        char text[DATE_TEXT_LEN + 1];
        const char *seen = facts_moment(tool, at);

        date_format(date, text);
        if (strncmp(seen, text, DATE_TEXT_LEN) == 0)
            return at;
    }
    return utc;
}

static int clock_to(struct tool *tool, const char *to, int64_t *ms)
{
    int32_t date;

    if (date_parse(slice_str(to), &date) == 0) {
        *ms = offset_ms(tool, date);
        return 0;
    }
    return moment_parse(slice_str(to), ms);
}

static int run_clock(struct tool *tool, const struct arguments *given)
{
    struct value args = value_map(), answer;
    const char *to = arguments_get(given, "--to");
    char *span = arena_str(&tool->arena, "");
    int64_t ms, now;
    int status;

    if (strcmp(given->words[0], "advance") != 0)
        return forms_unknown(given);
    for (int i = 1; i < given->word_count; i++)
        span = arena_printf(&tool->arena, "%s%s%s", span, i > 1 ? " " : "", given->words[i]);
    if ((to != NULL) == (*span != '\0'))
        return tool_usage(given, "give a span (3 days) or --to DATE");
    if (to != NULL && clock_to(tool, to, &ms) != 0)
        return tool_usage(given, "--to %s: a day (2026-11-23) or a moment (2026-11-23T09:00:00Z)",
                          to);
    if (to == NULL && span_ms(span, &ms) != 0)
        return tool_usage(
            given,
            "%s: a span is whole numbers of seconds, minutes, hours, days or weeks, as "
            "3 days, 1d12h or 90 s; months have no exact length, --to DATE has",
            span);
    value_set(&tool->arena, &args, to != NULL ? "until_ms" : "ms", value_int(ms));
    status = ask_admin(tool, "clock.advance", args, &answer);
    if (status != TOOL_DONE)
        return status;
    now = value_get_int(&answer, "now_ms", 0);
    if (tool->out.json)
        output_json(&tool->out, &answer);
    else
        output_line(&tool->out, INK_GOOD, "the clock stands at %s",
                    now > 0      ? facts_moment(tool, now)
                    : to != NULL ? to
                                 : span);
    return TOOL_DONE;
}

static const struct tool_option clock_options[] = {
    {"--to", "DATE", "a day (its beginning in the organisation's zone) or a moment"},
    {NULL, NULL, NULL},
};

const struct tool_command command_checkpoint = {
    "checkpoint",
    "evidence",
    "",
    "sign the journal's head now and print the note",
    "Keep the note outside: whoever has it can prove "
    "that nothing before it was changed or cut off. Where the journal takes no entry it is the "
    "last "
    "note there is, and the exit status 1 if entries came after it.\n\n"
    "    rota checkpoint > kept.checkpoint",
    NULL,
    0,
    0,
    false,
    run_checkpoint};

const struct tool_command command_backup = {
    "backup",
    "operation",
    "FILE",
    "a consistent copy of the journal, while the engine runs",
    "FILE must not exist yet. The copy is a journal like the original: rota verify FILE checks it, "
    "and an engine can go on from it. Keys and settings are not in it. A disk that is full, or has "
    "failed, is no obstacle to a FILE on another one: that the copy was made is then journaled "
    "when "
    "the journal takes entries again, or never, and this says which.\n\n"
    "    rota backup /srv/backup/isms-2026-11-26.db",
    NULL,
    1,
    1,
    false,
    run_backup};

const struct tool_command command_drain = {
    "drain",
    "operation",
    "",
    "give out no new tasks",
    "People go on working, and workers finish what they have; before the machine is stopped, say. "
    "rota resume goes on; so does a new start.",
    NULL,
    0,
    0,
    false,
    run_drain};

const struct tool_command command_resume = {
    "resume", "operation", "", "give out tasks again", "", NULL, 0, 0, false, run_resume};

const struct tool_command command_stop = {
    "stop", "operation", "",      "stop the engine (rota down stops the workers too)", "", NULL, 0,
    0,      false,       run_stop};

const struct tool_command command_clock = {
    "clock",
    "operation",
    "advance SPAN\nadvance --to DATE",
    "move the clock of a virtual journal",
    "Only a journal that was made with a virtual clock can do this; its origin ends in /virtual, "
    "so that it\n"
    "can never be taken for a real one. What falls due on the way happens, oldest first.\n\n"
    "    rota clock advance 3 days\n"
    "    rota clock advance --to 2027-11-01",
    clock_options,
    1,
    -1,
    false,
    run_clock};
