/* The proof about approvals against plain walking, over lifecycles made by chance: where a walk comes into force
 * unapproved, the proof has said so; and each way that the proof shows can be walked, event by event, to where it says.
 *
 * PROVE_SEED and PROVE_SEEDS say from where and how many; a failure names its seed and shows its pack. */
#include "definition/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WALKS = 40, STEPS = 30 };

static struct arena arena;
static uint64_t chance;

static int below(int limit)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (int)((chance >> 11) % (uint64_t)limit);
}

/* ---- a lifecycle by chance ---- */

static const char COMMON[] =
    "pack = { name = \"chance\"; version = \"1\"; timezone = \"UTC\"; };\n"
    "roles = ( { name = \"boss\"; }, { name = \"system\"; } );\n"
    "meanings = ( { name = \"approved\"; statement = \"I approve {{title}}.\"; } );\n"
    "kind = { name = \"paper\"; prefix = \"PA\"; title = \"Paper\"; lifecycle = \"paper\"; create "
    "= "
    "[\"boss\"];\n"
    "approval = { ask = [\"boss\"]; meaning = \"approved\"; };\n"
    "fields = { text = { type = \"text\"; required = true; }; seal = { type = \"text\"; computed = "
    "true; }; }; };\n";

static const char *some_states(int count)
{
    int first = below(count), second = below(count);

    return first == second ? arena_printf(&arena, "[\"s%d\"]", first)
                           : arena_printf(&arena, "[\"s%d\", \"s%d\"]", first, second);
}

static const char *states_text(int count)
{
    static const char *const stages[] = {"draft", "approved", "in_force", "under_review",
                                         "changed"};
    const char *text = "";

    for (int i = 0; i < count; i++)
        text = arena_printf(&arena, "%s{ name = \"s%d\"; stage = \"%s\"; %s},\n", text, i,
                            i == 0 ? "draft" : stages[below(5)],
                            i == 0 || below(4) == 0 ? "edit = [\"author\"]; " : "");
    return arena_printf(&arena, "%s{ name = \"end\"; stage = \"closed\"; }", text);
}

static const char *row_text(int index, int count)
{
    static const char *const more[] = {"",
                                       "",
                                       "",
                                       "set = { seal = \"'x'\"; }; ",
                                       "set = { text = \"'x'\"; }; ",
                                       "opens = \"round\"; "};

    return arena_printf(&arena,
                        "{ event = \"e%d\"; from = %s; to = \"s%d\"; by = [\"boss\"]; %s},\n",
                        index, some_states(count), below(count), more[below(5)]);
}

static const char *lifecycle_text(void)
{
    int count = 2 + below(5), rows = 2 + below(6), first = below(count), granted = below(count);
    const char *text = arena_printf(
        &arena,
        "lifecycle = { name = \"paper\"; versioned = true; states = (\n%s );\ntransitions = (\n"
        "{ event = \"begin\"; to = \"s0\"; },\n"
        "{ event = \"submit\"; from = [\"s0\"]; to = \"s%d\"; by = [\"author\"]; opens = "
        "\"round\"; },\n"
        "{ event = \"approve\"; from = [\"s%d\"]; to = \"s%d\"; by = [\"asked\"]; vote = "
        "\"grant\"; },\n"
        "{ event = \"refuse\"; from = [\"s%d\"]; to = \"s%d\"; by = [\"asked\"]; vote = "
        "\"refuse\"; },\n",
        states_text(count), first, first, granted, first, below(count));

    for (int i = 0; i < rows; i++)
        text = arena_printf(&arena, "%s%s", text, row_text(i, count));
    return arena_printf(
        &arena, "%s{ event = \"close\"; from = [\"s0\"]; to = \"end\"; by = [\"boss\"]; } ); };\n",
        text);
}

/* ---- walking ---- */

struct walker {
    const struct lifecycle *lifecycle;
    int state;
    bool granted, open;
};

static bool is_breach(const struct walker *w)
{
    return w->lifecycle->states[w->state].stage == STAGE_IN_FORCE && !w->granted;
}

static bool can_make(const struct walker *w, const struct transition *row)
{
    return row->from[w->state] && (row->vote == VOTE_NONE || w->open);
}

static void make(struct walker *w, const struct transition *row)
{
    bool was_in_force = w->lifecycle->states[w->state].stage == STAGE_IN_FORCE;

    if (row->vote != VOTE_NONE)
        w->granted = row->vote == VOTE_GRANT;
    for (int i = 0; i < row->set_count; i++) {
        if (strcmp(row->set[i].field, "text") == 0 && !was_in_force)
            w->granted = false;
    }
    w->open = row->opens_round;
    w->state = row->to;
}

static bool edit(struct walker *w)
{
    if (w->lifecycle->states[w->state].edit.count == 0)
        return false;
    w->granted = w->open = false;
    return true;
}

/* Does some walk come into force unapproved? */
static bool walk(const struct lifecycle *lifecycle)
{
    for (int i = 0; i < WALKS; i++) {
        struct walker w = {lifecycle, 0, false, false};

        for (int step = 0; step < STEPS && !is_breach(&w); step++) {
            const struct transition *row =
                &lifecycle->transitions[below(lifecycle->transition_count)];

            if (below(5) == 0)
                (void)edit(&w);
            else if (!row->creates && can_make(&w, row))
                make(&w, row);
        }
        if (is_breach(&w))
            return true;
    }
    return false;
}

static const struct transition *row_named(const struct walker *w, struct slice event)
{
    for (int i = 0; i < w->lifecycle->transition_count; i++) {
        const struct transition *row = &w->lifecycle->transitions[i];

        if (!row->creates && slice_is(event, row->event) && can_make(w, row))
            return row;
    }
    return NULL;
}

/* Can "begin -> a -> b" be walked, to a breach in the state that the sentence names? */
static bool can_be_walked(const struct lifecycle *lifecycle, const char *sentence)
{
    const char *end = strstr(sentence, " reaches '"), *at = sentence, *next;
    struct walker w = {lifecycle, 0, false, false};

    for (bool is_first = true; at < end; at = next + 4, is_first = false) {
        struct slice event;
        const struct transition *row;

        next = strstr(at, " -> ");
        next = next == NULL || next > end ? end : next;
        event = slice_of(at, (size_t)(next - at));
        if (is_first && slice_is(event, "begin"))
            continue;
        if (slice_is(event, "edit") && edit(&w))
            continue;
        row = row_named(&w, event);
        if (row == NULL)
            return false;
        make(&w, row);
    }
    return is_breach(&w) &&
           slice_starts(slice_str(end + strlen(" reaches '")), lifecycle->states[w.state].name);
}

/* ---- both ---- */

static int look_at(const char *text, bool *is_refused)
{
    const struct pack_file files[] = {{"a.cfg", slice_str(COMMON)}, {"b.cfg", slice_str(text)}};
    struct problems problems = PROBLEMS_EMPTY, again = PROBLEMS_EMPTY;
    struct pack *pack = NULL, *proven = NULL;
    struct error err = {ERROR_NONE, ""};
    int wrong = 0;

    *is_refused = false;
    (void)pack_load_files(files, 2, &proven, &problems, &err);
    if (pack_load_installed(files, 2, &pack, &again, &err) == 0) {
        const struct lifecycle *lifecycle = pack->kinds[0].lifecycle;

        for (int i = 0; i < problems.count; i++) {
            if (strstr(problems.at[i].text, " reaches '") == NULL)
                continue;
            *is_refused = true;
            if (!can_be_walked(lifecycle, problems.at[i].text)) {
                print_error("cannot be walked: %s\n", problems.at[i].text);
                wrong++;
            }
        }
        if (walk(lifecycle) && !*is_refused) {
            print_error("a walk comes into force unapproved, and the proof is silent\n");
            wrong++;
        }
    }
    pack_free(&proven);
    pack_free(&pack);
    problems_release(&problems);
    problems_release(&again);
    return wrong;
}

static int setting(const char *name, int preset)
{
    const char *text = getenv(name);

    return text != NULL ? atoi(text) : preset;
}

static void proof_and_walk_agree(void **state)
{
    int first = setting("PROVE_SEED", 1), seeds = setting("PROVE_SEEDS", 400), refused = 0;

    (void)state;
    for (int seed = first; seed < first + seeds; seed++) {
        bool is_refused;
        const char *text;

        chance = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
        (void)below(2);
        text = lifecycle_text();
        if (look_at(text, &is_refused) != 0)
            fail_msg("seed %d:\n%s%s", seed, COMMON, text);
        refused += is_refused;
        arena_release(&arena);
    }
    /* Chance makes both sorts, or this would show nothing. */
    assert_true(refused > seeds / 10 && refused < seeds - seeds / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proof_and_walk_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
