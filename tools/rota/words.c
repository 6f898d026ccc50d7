/* words.c - journal entries in words: from what was asked (type, body) and what it did (effects). */
#include "words.h"

#include <stdarg.h>

#include "facts.h"
#include "waiver.h"

struct sentence {
    struct tool *tool;
    const struct value *entry, *body, *effects;
    struct slice type, stream, record; /* record: the part of the stream before the first slash */
    struct slice service;              /* of the entry's task, where it is known */
    char *text;
};

static void add(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct sentence *s, const char *format, ...)
{
    char piece[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    s->text = arena_printf(&s->tool->arena, "%s%s", s->text, piece);
}

static void add_slice(struct sentence *s, const char *before, struct slice text, const char *after)
{
    if (text.len > 0)
        add(s, "%s%.*s%s", before, (int)(text.len < 400 ? text.len : 400), (const char *)text.at,
            after);
}

static struct slice before_slash(struct slice stream)
{
    const uint8_t *slash = stream.len > 0 ? memchr(stream.at, '/', stream.len) : NULL;

    return slash != NULL ? slice_of(stream.at, (size_t)(slash - stream.at)) : stream;
}

static bool contains(struct slice text, const char *part)
{
    return text.len > 0 && memmem(text.at, text.len, part, strlen(part)) != NULL;
}

static const struct value *own(const struct sentence *s)
{
    return value_get(s->effects, "");
}

static const struct value *round_row(const struct sentence *s)
{
    if (slice_is(s->type, "round.counted"))
        return own(s);
    for (uint32_t i = 0; value_is(s->effects, VALUE_MAP) && i < s->effects->count; i++) {
        struct slice key = s->effects->as.pairs[i].key;

        if (contains(key, "/round/") && value_is(&s->effects->as.pairs[i].value, VALUE_MAP) &&
            value_get(&s->effects->as.pairs[i].value, "vote") == NULL)
            return &s->effects->as.pairs[i].value;
    }
    return NULL;
}

/* ---- what was asked ------------------------------------------------------------------------------ */

static void add_keys(struct sentence *s, const struct value *map, const char *before)
{
    for (uint32_t i = 0; value_is(map, VALUE_MAP) && i < map->count; i++)
        add_slice(s, i == 0 ? before : ", ", map->as.pairs[i].key, "");
}

static void say_open(struct sentence *s)
{
    struct slice kind = value_get_text(s->body, "kind"), title = value_get_text(s->body, "title");

    if (kind.len == 0)
        kind = value_get_text(own(s), "kind");
    if (title.len == 0)
        title = value_get_text(own(s), "title");
    add(s, "opened");
    if (kind.len > 0)
        add(s, " (%s)", facts_kind_title(s->tool, kind));
    add_slice(s, " “", title, "”");
    add_slice(s, ", from ", value_get_text(s->body, "from"), "");
}

static void say_edit(struct sentence *s)
{
    add(s, "edited");
    add_keys(s, value_get(s->body, "set"), " ");
    if (value_get(s->body, "title") != NULL)
        add(s, "%s the title", value_get(s->body, "set") != NULL ? ", and" : "");
}

static void say_vote(struct sentence *s, struct slice event)
{
    struct slice vote = value_get_text(own(s), "vote"),
                 meaning = value_get_text(s->body, "meaning");

    add(s, "%s (%.*s)",
        slice_is(vote, "grant")    ? "signed"
        : slice_is(vote, "refuse") ? "refused"
        : slice_is(vote, "return") ? "sent back"
                                   : "abstained",
        (int)event.len, (const char *)event.at);
    add_slice(s, " as “", meaning, "”");
    if (value_get(s->body, "round") != NULL)
        add(s, " in round %lld", (long long)value_get_int(s->body, "round", 0));
}

/* What was asked for together with it. */
static void say_with(struct sentence *s)
{
    const struct value *with = value_get(s->body, "with");

    if (value_is(with, VALUE_STR))
        add_slice(s, " with ", value_slice(with), "");
    for (uint32_t i = 0; value_is(with, VALUE_ARRAY) && i < with->count; i++)
        add_slice(s, i == 0 ? " with " : ", ", value_slice(&with->as.items[i]), "");
}

static void say_waive(struct sentence *s)
{
    struct slice number = s->stream;

    for (size_t i = 0; i < s->stream.len; i++) {
        if (s->stream.at[i] == '/')
            number = slice_of(s->stream.at + i + 1, s->stream.len - i - 1);
    }
    add_slice(s, "waived ", value_get_text(s->body, "rule"), "");
    add(s, " for %s", facts_name(s->tool, value_get_text(s->body, "person")));
    add_slice(s, ", over this content (waiver ", number, ")");
}

static void say_waive_end(struct sentence *s)
{
    add(s, "took waiver %lld of a rule of separation back",
        (long long)value_get_int(s->body, "waiver", 0));
}

/* What would have been refused, had it not been waived: by a vote in its own row, else by event. */
static void say_waived(struct sentence *s)
{
    const struct value *waived = value_get(own(s), "waived");

    if (value_is(waived, VALUE_MAP) && s->type.len > 7)
        waived = value_find(waived, slice_of(s->type.at + 7, s->type.len - 7));
    for (uint32_t i = 0; value_is(waived, VALUE_ARRAY) && i < waived->count; i++) {
        add(s, "; ");
        add_slice(s, "", slice_str(waiver_text(s->tool, s->record, &waived->as.items[i])), "");
    }
}

static void say_import(struct sentence *s)
{
    int64_t findings = value_get_int(s->body, "findings", -1);

    add_slice(s, "brought in a report of ", value_get_text(s->body, "tool"), "");
    add_slice(s, " (", value_get_text(s->body, "file"), ")");
    if (findings >= 0)
        add(s, ", %lld finding%s", (long long)findings, findings == 1 ? "" : "s");
}

static void say_seen(struct sentence *s)
{
    add_slice(s, "found again by ", value_get_text(s->body, "tool"), "");
    add_slice(s, ", in ", value_get_text(s->body, "audit"), "");
}

static int64_t glass_of(const struct sentence *s, struct slice event)
{
    const struct value *number = value_find(value_get(own(s), "break_glass"), event);

    return value_is(number, VALUE_INT) ? number->as.number : 0;
}

static void say_record(struct sentence *s)
{
    struct slice event = slice_of(s->type.at + 7, s->type.len - 7);
    int64_t number = glass_of(s, event);

    if (slice_is(event, "open"))
        say_open(s);
    else if (slice_is(event, "edit"))
        say_edit(s);
    else if (contains(s->stream, "/round/"))
        say_vote(s, event);
    else if (slice_is(event, "ack"))
        add(s, "acknowledged");
    else if (slice_is(event, "decline_ack"))
        add(s, "did not acknowledge it");
    else if (slice_is(event, "waive_sod"))
        say_waive(s);
    else if (slice_is(event, "end_waiver"))
        say_waive_end(s);
    else if (slice_is(event, "hand_over"))
        add(s, "handed it over to %s", facts_name(s->tool, value_get_text(s->body, "to")));
    else if (slice_is(event, "migrate"))
        add(s, "moved it to the workflows that count now");
    else if (slice_is(event, "import"))
        say_import(s);
    else if (slice_is(event, "seen"))
        say_seen(s);
    else if (slice_is(event, "supersede"))
        add_slice(s, "superseded by ", value_get_text(s->body, "by"), "");
    else if (slice_is(event, "withdraw"))
        add(s, "withdrew it");
    else if (slice_is(event, "migrate_back"))
        add(s, "moved it back to the workflows of before");
    else
        add(s, "%.*s", (int)event.len, (const char *)event.at);
    say_with(s);
    say_waived(s);
    if (number > 0)
        add(s, "; without the role for it, by break-glass (proposal %lld)", (long long)number);
}

static void say_task(struct sentence *s)
{
    struct slice outcome = slice_of(s->type.at + 5, s->type.len - 5);
    struct slice note = value_get_text(s->body, "note"),
                 service = value_get_text(s->body, "service");

    if (service.len == 0)
        service = s->service;
    add(s, "task %.*s ", (int)(s->stream.len > 5 ? s->stream.len - 5 : 0),
        (const char *)s->stream.at + 5);
    add_slice(s, "of ", service, " ");
    if (slice_is(outcome, "handed_over"))
        add(s, "handed over: the answer will come by itself");
    else
        add_slice(s, "", outcome, "");
    if (note.len == 0)
        note = value_get_text(s->body, "message");
    add_slice(s, ": ", note, "");
}

/* Steps count from 1, as people do. */
static void say_timer(struct sentence *s)
{
    struct slice timer = value_get_text(s->body, "timer");
    int64_t due_ms = value_get_int(s->body, "due_ms", -1);

    if (slice_is(timer, "round.leaves")) {
        add(s, "the rights of somebody who was asked have ended");
        return;
    }
    add_slice(s, "timer ", timer, "");
    add(s, ": step %lld", (long long)value_get_int(s->body, "step", 0) + 1);
    if (due_ms >= 0)
        add(s, ", due %s", facts_moment(s->tool, due_ms));
}

/* Refusals that were too many for an entry each. */
static void say_counted(struct sentence *s)
{
    const struct value *of = value_get(s->body, "of");
    int64_t count = value_get_int(s->body, "count", 0);

    add(s, "counted %lld more refusal%s of %s, ", (long long)count, count == 1 ? "" : "s",
        facts_name(s->tool, value_get_text(s->body, "person")));
    add(s, "%s", facts_moment(s->tool, value_get_int(s->body, "from_ms", 0)));
    add(s, " to %s", facts_moment(s->tool, value_get_int(s->body, "until_ms", 0)));
    for (uint32_t i = 0; value_is(of, VALUE_ARRAY) && i < of->count; i++) {
        add_slice(s, i == 0 ? ": " : ", ", value_get_text(&of->as.items[i], "command"), "");
        add_slice(s, " (", value_get_text(&of->as.items[i], "code"), ")");
        add(s, " %lld", (long long)value_get_int(&of->as.items[i], "count", 0));
    }
}

/* What takes two: what was proposed; of what counts now, who proposed it, or that nobody else could agree. */
static void say_two(struct sentence *s)
{
    add_slice(s, ": ", value_get_text(own(s), "says"), "");
    if (value_get_int(own(s), "proposal", 0) > 0) {
        add(s, ", as %s proposed", facts_name(s->tool, value_get_text(own(s), "by")));
        add(s, " (proposal %lld)", (long long)value_get_int(own(s), "proposal", 0));
    }
    if (value_get_bool(own(s), "alone", false))
        add(s, "; nobody else could agree");
}

/* What was done to the engine itself. `done_ms`: it was done when nothing could be entered, and is entered late. */
static void say_admin(struct sentence *s)
{
    static const struct {
        const char *what, *text;
    } known[] = {
        {"backup", "asked for a copy of the journal"}, {"drain", "had no new tasks given out"},
        {"resume", "had tasks given out again"},       {"stop", "stopped the engine"},
        {"clock.advance", "moved the clock"},
    };
    struct slice what = slice_of(s->type.at + 6, s->type.len - 6);
    int64_t until_ms = value_get_int(s->body, "until_ms", -1), ms = value_get_int(s->body, "ms", 0);
    int64_t done_ms = value_get_int(s->body, "done_ms", -1);
    const char *text = NULL;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_is(what, known[i].what))
            text = known[i].text;
    add_slice(s, "", text != NULL ? slice_str(text) : s->type, "");
    add_slice(s, ": ", value_get_text(s->body, "path"), "");
    if (until_ms >= 0)
        add(s, " to %s", facts_moment(s->tool, until_ms));
    else if (ms >= 86400000 && ms % 86400000 == 0)
        add(s, " by %lld day%s", (long long)(ms / 86400000), ms == 86400000 ? "" : "s");
    else if (ms > 0)
        add(s, " by %lld s", (long long)(ms / 1000));
    if (done_ms >= 0)
        add(s, ", %s, when the journal took no entry", facts_moment(s->tool, done_ms));
}

static void say_other(struct sentence *s)
{
    static const struct {
        const char *type, *text;
    } known[] = {
        {"journal.opened", "opened the journal"},
        {"directory.installed", "changed the directory of people and workers"},
        {"pack.installed", "installed the workflow definitions"},
        {"directory.proposed", "proposed"},
        {"pack.proposed", "proposed"},
        {"proposal.ended", "ended what was proposed"},
        {"break_glass.proposed", "asked to break glass"},
        {"break_glass.agreed", "agreed that glass may be broken"},
        {"content.redacted", "erased a content on legal grounds"},
        {"content.made", "put what was written there away, so that it can be erased"},
        {"round.expired", "the time of the round is over"},
        {"round.counted", "counted the round again, because somebody left or is stood in for"},
        {"round.closed", "closed the round without a decision"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_is(s->type, known[i].type)) {
            add(s, "%s", known[i].text);
            say_two(s);
            return;
        }
    if (slice_is(s->type, "delegation.ended")) {
        add_slice(s, "ended the delegation ", value_get_text(s->body, "delegation"), "");
        return;
    }
    if (slice_is(s->type, "key.enrolled") || slice_is(s->type, "key.revoked")) {
        add(s, "%s the signing key of %s",
            slice_is(s->type, "key.revoked") ? "revoked" : "enrolled",
            facts_name(s->tool, value_get_text(s->body, "person")));
        return;
    }
    if (slice_starts(s->type, "delegation.")) {
        add_slice(s, "", slice_is(s->type, "delegation.given") ? slice_str("lets ") : s->type, "");
        add_slice(s, "", value_get_text(own(s), "to"), "");
        add_slice(s, " stand in for ", value_get_text(own(s), "from"), "");
        add_slice(s, " (", value_get_text(own(s), "number"), ")");
        add_slice(s, ": ", value_get_text(s->body, "delegation"), "");
        return;
    }
    if (slice_is(s->type, "refusals.counted")) {
        say_counted(s);
        return;
    }
    if (slice_is(s->type, "auditor.read") || slice_is(s->type, "auditor.refused")) {
        add(s, slice_is(s->type, "auditor.read") ? "read" : "was refused to read");
        add_slice(s, " ", value_get_text(s->body, "record"), "");
        add_slice(s, " (", value_get_text(s->body, "query"), "), as external auditor");
        return;
    }
    if (slice_is(s->type, "notice.sent")) {
        int64_t people = value_get_int(s->body, "people", 0);

        add(s, "has %lld %s told", (long long)people, people == 1 ? "person" : "people");
        add_slice(s, " (", value_get_text(s->body, "event"), ")");
        return;
    }
    if (slice_starts(s->type, "refusal.")) {
        add_slice(s, "was refused: ", value_get_text(s->body, "command"), "");
        add_slice(s, " on ", value_get_text(s->body, "record"), "");
        add_slice(s, " (", value_get_text(s->body, "code"), ")");
        return;
    }
    add_slice(s, "", s->type, "");
}

/* ---- what it did --------------------------------------------------------------------------------- */

static void say_state(struct sentence *s)
{
    struct slice state = value_get_text(own(s), "state");

    if (state.len > 0 && slice_starts(s->type, "record."))
        add(s, " → %s", facts_state(s->tool, facts_kind_of(s->tool, s->record), state));
}

/* Stages that are decided by it, then those that begin. */
static void say_stages(struct sentence *s, const struct value *stages)
{
    for (int begins = 0; begins < 2; begins++) {
        for (uint32_t i = 0; value_is(stages, VALUE_MAP) && i < stages->count; i++) {
            const struct pair *stage = &stages->as.pairs[i];
            struct slice state = value_get_text(&stage->value, "state");

            if (slice_is(state, "waiting") || slice_is(state, "open") != (begins == 1))
                continue;
            add_slice(s, "; stage ", stage->key, begins == 1 ? " begins" : " is ");
            add_slice(s, "", begins == 1 ? slice_str("") : state, "");
        }
    }
}

static void say_round(struct sentence *s)
{
    const struct value *round = round_row(s), *ask = value_get(round, "ask");
    struct slice state = value_get_text(round, "state");

    say_stages(s, value_get(round, "stage"));
    if (state.len == 0)
        return;
    if (slice_is(state, "open")) {
        add(s, "; round %lld asks", (long long)value_get_int(round, "n", 1));
        for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++)
            add(s, "%s%s", i == 0 ? " " : ", ",
                facts_name(s->tool, value_slice(&ask->as.items[i])));
        if (value_get(round, "stages") != NULL)
            add(s, ", in %u stage%s", value_get(round, "stages")->count,
                value_get(round, "stages")->count == 1 ? "" : "s");
        else
            add(s, " and needs %lld", (long long)value_get_int(round, "need", 1));
    } else if (slice_is(state, "void")) {
        add(s, "; the open round is void, its signatures count no more");
    } else {
        add_slice(s, "; the round is ", state, "");
    }
}

static void say_rows(struct sentence *s)
{
    int tasks = 0;

    for (uint32_t i = 0; value_is(s->effects, VALUE_MAP) && i < s->effects->count; i++) {
        struct slice key = s->effects->as.pairs[i].key;
        const struct value *patch = &s->effects->as.pairs[i].value;

        if (slice_starts(key, "task/") && slice_is(value_get_text(patch, "state"), "open") &&
            value_get(patch, "service") != NULL)
            tasks++;
        if (contains(key, "/delivery/") && value_get_text(patch, "to").len == 0 &&
            value_get_text(patch, "state").len > 0) {
            add_slice(s, "; delivery ", value_get_text(patch, "state"), "");
            add_slice(s, " (", value_get_text(patch, "note"), ")");
        }
    }
    if (tasks > 0 && (slice_starts(s->type, "record.") || slice_is(s->type, "timer.fired")))
        add(s, "; %d task%s for workers", tasks, tasks == 1 ? "" : "s");
}

const char *words_entry(struct tool *tool, const struct value *entry)
{
    return words_entry_of(tool, entry, slice_of(NULL, 0));
}

const char *words_entry_of(struct tool *tool, const struct value *entry, struct slice service)
{
    struct sentence s = {tool,
                         entry,
                         value_get(entry, "body"),
                         value_get(entry, "effects"),
                         value_get_text(entry, "type"),
                         value_get_text(entry, "stream"),
                         slice_of(NULL, 0),
                         service,
                         arena_str(&tool->arena, "")};

    s.record = before_slash(s.stream);
    if (slice_starts(s.type, "record."))
        say_record(&s);
    else if (slice_starts(s.type, "task."))
        say_task(&s);
    else if (slice_is(s.type, "timer.fired"))
        say_timer(&s);
    else if (slice_starts(s.type, "admin."))
        say_admin(&s);
    else
        say_other(&s);
    say_state(&s);
    say_round(&s);
    say_rows(&s);
    return s.text;
}
