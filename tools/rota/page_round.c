/* page_round.c - what a record's page says of its approval: who was asked, in which stage, and what they said. */
#include "page.h"

#include "ask.h"
#include "facts.h"
#include "waiver.h"

enum { SHORT_DIGEST = 12 };

static const char *text_of(struct tool *tool, const struct value *map, const char *key)
{
    return value_get_str(map, key, "", &tool->arena);
}

/* When somebody voted: in the vote itself, or in the journal. */
static int64_t vote_ms(struct tool *tool, const char *record, int64_t n, struct slice person,
                       const struct value *vote)
{
    int64_t at = value_get_int(vote, "at_ms", 0);
    struct value args = value_map(), answer;
    const struct value *entries;

    if (at > 0)
        return at;
    value_set(&tool->arena, &args, "stream",
              value_str(arena_printf(&tool->arena, "%s/round/%lld/%.*s", record, (long long)n,
                                     (int)person.len, (const char *)person.at)));
    value_set(&tool->arena, &args, "limit", value_int(1));
    if (ask_query_if(tool, "log", args, &answer) != TOOL_DONE)
        return 0;
    entries = value_get(&answer, "entries");
    return value_is(entries, VALUE_ARRAY) && entries->count > 0
               ? value_get_int(&entries->as.items[0], "time_us", 0) / 1000
               : 0;
}

static struct slice vote_word(const struct value *vote)
{
    return value_is(vote, VALUE_MAP) ? value_get_text(vote, "vote") : value_slice(vote);
}

/* What is to be said of somebody who has not voted; `stands` is how their stage or round does. */
static const char *silence(struct slice stands)
{
    return slice_is(stands, "open")      ? "has not answered yet"
           : slice_is(stands, "waiting") ? "is asked when it begins"
           : slice_is(stands, "granted") ? "was not needed any more"
                                         : "did not answer";
}

static struct slice text_at(const struct value *map, struct slice key)
{
    const struct value *text = value_find(map, key);

    return value_is(text, VALUE_STR) ? value_slice(text) : slice_of(NULL, 0);
}

/* Both names, where somebody stood in. */
static const char *who_voted(struct tool *tool, struct slice person, struct slice delegate,
                             const struct value *vote)
{
    struct slice number = value_get_text(vote, "delegation");

    if (delegate.len == 0)
        return facts_person(tool, person);
    return arena_printf(&tool->arena, "%s, for %s, delegation %.*s", facts_person(tool, delegate),
                        facts_person(tool, person), (int)number.len, (const char *)number.at);
}

static void print_vote(struct tool *tool, const struct value *shown, const struct value *round,
                       struct slice stands, struct slice person)
{
    struct slice delegate = text_at(value_get(round, "delegates"), person);
    struct slice asked = text_at(value_get(round, "asked"), person);
    const struct value *vote =
        value_find(value_get(round, "votes"), delegate.len > 0 ? delegate : person);
    struct slice word = vote_word(vote);
    int64_t at;

    if (vote == NULL) {
        output_line(&tool->out, slice_is(stands, "open") ? INK_WAIT : INK_DIM, "  · %s  %s%s%s",
                    facts_person(tool, person), silence(stands),
                    asked.len > 0 ? "; asked instead: " : "",
                    asked.len > 0 ? facts_person(tool, asked) : "");
        return;
    }
    at = vote_ms(tool, text_of(tool, shown, "record"), value_get_int(round, "n", 0),
                 delegate.len > 0 ? delegate : person, vote);
    output_line(&tool->out,
                slice_is(word, "grant")     ? INK_GOOD
                : slice_is(word, "abstain") ? INK_NONE
                                            : INK_BAD,
                "  %s %s  %s  %s",
                slice_is(word, "grant")     ? "✓"
                : slice_is(word, "abstain") ? "○"
                                            : "✗",
                who_voted(tool, person, delegate, vote), at > 0 ? facts_moment(tool, at) : "",
                slice_is(word, "grant")    ? "signed"
                : slice_is(word, "refuse") ? "refused"
                : slice_is(word, "return") ? "sent it back"
                                           : "abstained");
    waiver_print_used(tool, shown, value_get(vote, "waived"));
}

static int64_t grants(const struct value *round)
{
    const struct value *votes = value_get(round, "votes");
    int64_t count = 0;

    for (uint32_t i = 0; value_is(votes, VALUE_MAP) && i < votes->count; i++)
        count += slice_is(vote_word(&votes->as.pairs[i].value), "grant");
    return count;
}

const char *page_round_count(struct tool *tool, const struct value *round)
{
    const struct value *stages = value_get(round, "stages");
    const char *text = "";

    if (!value_is(stages, VALUE_ARRAY))
        return arena_printf(&tool->arena, "%lld of %lld signed", (long long)grants(round),
                            (long long)value_get_int(round, "need", 1));
    for (uint32_t i = 0; i < stages->count; i++) {
        const struct value *stage = &stages->as.items[i];

        text = slice_is(value_get_text(stage, "state"), "open")
                   ? arena_printf(&tool->arena, "%s%s%s %lld of %lld", text, i == 0 ? "" : ", ",
                                  text_of(tool, stage, "name"),
                                  (long long)value_get_int(stage, "granted", 0),
                                  (long long)value_get_int(stage, "need", 1))
                   : arena_printf(&tool->arena, "%s%s%s %s", text, i == 0 ? "" : ", ",
                                  text_of(tool, stage, "name"), text_of(tool, stage, "state"));
    }
    return text;
}

/* How the votes of a stage are counted, in words; a plain number says itself. */
static const char *counting(struct tool *tool, const struct value *stage)
{
    struct slice how = value_get_text(stage, "counting");

    if (slice_is(how, "percent"))
        return arena_printf(&tool->arena, ", %lld %% of those who do not abstain",
                            (long long)value_get_int(stage, "percent", 0));
    return slice_is(how, "all")        ? ", everyone who does not abstain"
           : slice_is(how, "majority") ? ", more for than against"
                                       : "";
}

static void print_stage(struct tool *tool, const struct value *shown, const struct value *round,
                        const struct value *stage)
{
    const struct value *ask = value_get(stage, "ask"), *veto = value_get(stage, "veto");
    struct slice stands = value_get_text(stage, "state");
    bool is_over = !slice_is(value_get_text(round, "state"), "open") && slice_is(stands, "open");

    output_line(&tool->out, INK_NONE, "  %s: %s, %lld of %lld%s", text_of(tool, stage, "name"),
                is_over ? "left open" : text_of(tool, stage, "state"),
                (long long)value_get_int(stage, "granted", 0),
                (long long)value_get_int(stage, "need", 1), counting(tool, stage));
    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++)
        print_vote(tool, shown, round, is_over ? slice_str("void") : stands,
                   value_slice(&ask->as.items[i]));
    for (uint32_t i = 0; value_is(veto, VALUE_ARRAY) && i < veto->count; i++)
        output_line(&tool->out, INK_DIM, "    a refusal of %s ends the round",
                    facts_person(tool, value_slice(&veto->as.items[i])));
}

/* What made it end so, besides votes. */
static void print_why(struct tool *tool, const struct value *round)
{
    struct slice why = value_get_text(round, "why");

    if (slice_is(why, "expired"))
        output_line(&tool->out, INK_DIM, "  its time was over before it was complete");
    else if (slice_is(why, "tie"))
        output_line(&tool->out, INK_DIM, "  as many were for it as against it");
    else if (slice_is(why, "bundle"))
        output_line(&tool->out, INK_DIM, "  what it went together with was changed or withdrawn");
    else if (slice_is(why, "left"))
        output_line(&tool->out, INK_DIM, "  nobody was left who could have granted it");
}

static void print_bundle(struct tool *tool, const struct value *shown, const struct value *round)
{
    const struct value *bundle = value_get(round, "bundle");
    const char *others = "";

    for (uint32_t i = 0; value_is(bundle, VALUE_ARRAY) && i < bundle->count; i++) {
        struct slice id = value_slice(&bundle->as.items[i]);

        if (!slice_equal(id, value_get_text(shown, "record")))
            others = arena_printf(&tool->arena, "%s%s%.*s", others, *others != '\0' ? ", " : "",
                                  (int)id.len, (const char *)id.at);
    }
    if (*others != '\0')
        output_line(&tool->out, INK_DIM, "  together with %s: all are approved, or none", others);
}

static void print_asked(struct tool *tool, const struct value *shown, const struct value *round)
{
    const struct value *ask = value_get(round, "ask"), *stages = value_get(round, "stages");

    if (value_is(stages, VALUE_ARRAY)) {
        for (uint32_t i = 0; i < stages->count; i++)
            print_stage(tool, shown, round, &stages->as.items[i]);
        return;
    }
    for (uint32_t i = 0; value_is(ask, VALUE_ARRAY) && i < ask->count; i++)
        print_vote(tool, shown, round, value_get_text(round, "state"),
                   value_slice(&ask->as.items[i]));
}

/* By which directory, and which definitions, it was asked: the beginnings of their digests. */
static void print_under(struct tool *tool, const struct value *round)
{
    struct slice directory = value_get_bin(value_get(round, "under"), "directory"),
                 pack = value_get_bin(value_get(round, "under"), "pack");
    char one[2 * HASH_LEN + 1], other[2 * HASH_LEN + 1];

    if (directory.len != HASH_LEN || pack.len != HASH_LEN)
        return;
    hex_encode(directory, one);
    hex_encode(pack, other);
    output_line(&tool->out, INK_DIM, "  by the directory %.*s and the workflows %.*s", SHORT_DIGEST,
                one, SHORT_DIGEST, other);
}

/* What was signed, as auditors compare it: the record's own digest goes on with what changes after an approval. */
static void print_content(struct tool *tool, const struct value *shown, const struct value *round)
{
    struct slice signed_over = value_get_bin(round, "digest"), now = value_get_bin(shown, "digest");
    char hex[2 * HASH_LEN + 1];

    if (signed_over.len != HASH_LEN)
        return;
    hex_encode(signed_over, hex);
    output_line(&tool->out, INK_DIM, "  over the content %.*s", SHORT_DIGEST, hex);
    if (slice_is(value_get_text(round, "state"), "granted") && !slice_equal(signed_over, now))
        output_line(&tool->out, INK_DIM,
                    "  what has changed since is not signed: the next review, what events note");
}

/* When the round is over that nobody completed, and what comes of it. */
static void print_expiry(struct tool *tool, const struct value *round)
{
    static const char *const ends[][2] = {{"void", "it can then be edited and submitted again"},
                                          {"refuse", "it is then refused"},
                                          {"return", "it is then returned"},
                                          {"grant", "it is then granted: silence is consent"}};
    int64_t due = value_get_int(round, "expires_ms", -1);

    for (size_t i = 0; due >= 0 && i < sizeof ends / sizeof ends[0]; i++) {
        if (slice_is(value_get_text(round, "on_expiry"), ends[i][0]))
            output_line(&tool->out, INK_DIM, "  ends on %s if it is not complete; %s",
                        facts_day(tool, due), ends[i][1]);
    }
}

static void print_round(struct tool *tool, const struct value *shown, const struct value *round)
{
    struct slice by = value_get_text(round, "by"), state = value_get_text(round, "state");
    int64_t opened = value_get_int(round, "opened_ms", 0);
    bool is_open = state.len == 0 || slice_is(state, "open");

    output_heading(&tool->out, "Approval, round %lld%s%s: %s",
                   (long long)value_get_int(round, "n", 1), is_open ? "" : ", ",
                   is_open ? "" : text_of(tool, round, "state"), page_round_count(tool, round));
    if (by.len > 0 && opened > 0)
        output_line(&tool->out, INK_DIM, "  asked for by %s on %s", facts_person(tool, by),
                    facts_moment(tool, opened));
    print_content(tool, shown, round);
    print_under(tool, round);
    print_expiry(tool, round);
    print_bundle(tool, shown, round);
    print_why(tool, round);
    print_asked(tool, shown, round);
}

/* The open round in full; of those before, the one that decided, and how the others ended. */
void page_rounds(struct tool *tool, const struct value *shown)
{
    const struct value *open = value_get(shown, "round"), *earlier = value_get(shown, "rounds");

    for (uint32_t i = 0; value_is(earlier, VALUE_ARRAY) && i < earlier->count; i++) {
        const struct value *round = &earlier->as.items[i];

        if (i + 1 == earlier->count && !value_is(open, VALUE_MAP)) {
            print_round(tool, shown, round);
            continue;
        }
        output_heading(&tool->out, "Approval, round %lld: %s%s",
                       (long long)value_get_int(round, "n", 1), text_of(tool, round, "state"),
                       grants(round) > 0
                           ? arena_printf(&tool->arena,
                                          "; what was signed in it (%lld) counts no more",
                                          (long long)grants(round))
                           : "");
    }
    if (value_is(open, VALUE_MAP))
        print_round(tool, shown, open);
}
