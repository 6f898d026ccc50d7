/* test_story_random.c - anybody does anything at any time: whatever is answered, the twin answers the same, the
 * journal read again gives the same rows, and nothing stops the engine.
 *
 * STORY_SEED, STORY_SEEDS and STORY_STEPS say from where and how long; a failure follows the name of its seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/story.h"

enum { PEOPLE = 7 };

static const char *const who[PEOPLE] = {"amara", "bo", "cleo", "dana", "eve", "finn", "gwen"};

struct chance {
    uint64_t state;
};

static uint32_t below(struct chance *chance, uint32_t limit)
{
    chance->state ^= chance->state << 13;
    chance->state ^= chance->state >> 7;
    chance->state ^= chance->state << 17;
    return (uint32_t)((chance->state >> 11) % limit);
}

static const char *anybody(struct chance *chance)
{
    return who[below(chance, PEOPLE)];
}

static const struct value *any(struct chance *chance, const struct value *list)
{
    return list->count > 0 ? &list->as.items[below(chance, list->count)] : NULL;
}

static const char *text_of(struct story *story, const struct value *map, const char *key)
{
    return value_get_str(map, key, "", story_arena(story));
}

static const char *one_of(struct story *story, struct chance *chance, const struct value *field)
{
    const struct value *of = value_get(field, "of"), *picked = of != NULL ? any(chance, of) : NULL;

    return picked == NULL ? "?" : arena_copy(story_arena(story), picked->as.text, picked->count);
}

/* One of the records there are, of a kind that the field takes; NULL: there is none. */
static const char *record_for(struct story *story, struct chance *chance, const struct value *field)
{
    const struct value *records =
        value_get(story_ask(story, "amara", "list", "{'limit': 500}"), "records");
    const struct value *of = value_get(field, "of");
    uint32_t first = records->count > 0 ? below(chance, records->count) : 0;

    for (uint32_t i = 0; i < records->count; i++) {
        const struct value *one = &records->as.items[(first + i) % records->count];

        if (of == NULL || of->count == 0 || value_has_text(of, value_get_text(one, "kind")))
            return arena_printf(story_arena(story), "'%s'", text_of(story, one, "record"));
    }
    return NULL;
}

static const char *value_for(struct story *story, struct chance *chance, const struct value *field)
{
    const char *type = text_of(story, field, "type"), *one = "'x'";
    struct arena *arena = story_arena(story);

    if (strcmp(type, "enum") == 0)
        one = arena_printf(arena, "'%s'", one_of(story, chance, field));
    else if (strcmp(type, "int") == 0)
        one = arena_printf(arena, "%u", below(chance, 5));
    else if (strcmp(type, "bool") == 0)
        one = below(chance, 2) ? "true" : "false";
    else if (strcmp(type, "date") == 0)
        one = arena_printf(arena, "'2026-0%u-1%u'", 3 + below(chance, 6), below(chance, 9));
    else if (strcmp(type, "datetime") == 0)
        one = "1772438400000";
    else if (strcmp(type, "person") == 0)
        one = arena_printf(arena, "'%s'", anybody(chance));
    else if (strcmp(type, "ref") == 0)
        one = record_for(story, chance, field);
    else if (strcmp(type, "group") == 0)
        one = "'employee'";
    else if (strcmp(type, "duration") == 0)
        one = "'3 days'";
    return one != NULL && value_get_bool(field, "list", false) ? arena_printf(arena, "[%s]", one)
                                                               : one;
}

static const char *row_for(struct story *story, struct chance *chance, const struct value *field)
{
    const struct value *columns = value_get(field, "columns");
    const char *row = "", *cell;

    for (uint32_t i = 0; columns != NULL && i < columns->count; i++) {
        cell = value_for(story, chance, &columns->as.items[i]);
        if (cell != NULL)
            row = arena_printf(story_arena(story), "%s%s'%s': %s", row, *row != '\0' ? ", " : "",
                               text_of(story, &columns->as.items[i], "name"), cell);
    }
    return arena_printf(story_arena(story), "[{%s}]", row);
}

/* Fields of a kind, most of them filled in. */
static const char *fields_for(struct story *story, struct chance *chance, const struct value *kind,
                              uint32_t share)
{
    const struct value *fields = value_get(kind, "fields");
    const char *text = "";

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct value *field = &fields->as.items[i];
        const char *type = text_of(story, field, "type"), *value;

        if (strcmp(type, "file") == 0 || value_get_bool(field, "computed", false) ||
            below(chance, 100) >= share)
            continue;
        value = strcmp(type, "table") == 0 ? row_for(story, chance, field)
                                           : value_for(story, chance, field);
        if (value != NULL)
            text = arena_printf(story_arena(story), "%s%s'%s': %s", text, *text != '\0' ? ", " : "",
                                text_of(story, field, "name"), value);
    }
    return arena_printf(story_arena(story), "{%s}", text);
}

static void open_something(struct story *story, struct chance *chance, const struct value *kinds)
{
    const struct value *kind = any(chance, kinds);

    const char *args =
        arena_printf(story_arena(story), "{'kind': '%s', 'title': 'T', 'fields': %s}",
                     text_of(story, kind, "name"), fields_for(story, chance, kind, 97));
    size_t first = below(chance, PEOPLE);

    for (size_t i = 0; i < PEOPLE; i++) {
        if (story_do(story, who[(first + i) % PEOPLE], "open", NULL, args) != 403)
            return;
    }
}

static const struct value *kind_named(const struct value *kinds, struct slice name)
{
    for (uint32_t i = 0; i < kinds->count; i++) {
        if (slice_equal(value_get_text(&kinds->as.items[i], "name"), name))
            return &kinds->as.items[i];
    }
    return NULL;
}

/* Steps that end a life early are taken seldom, or no life would be long. */
static bool is_end(const char *event)
{
    return strcmp(event, "withdraw") == 0 || strcmp(event, "cancel") == 0 ||
           strcmp(event, "refuse") == 0 || strcmp(event, "reject") == 0 ||
           strcmp(event, "merge") == 0 || strcmp(event, "dismiss") == 0 ||
           strcmp(event, "link_duplicate") == 0 || strcmp(event, "abort") == 0;
}

/* Mostly what somebody may do, as their page says; sometimes anything. */
static const char *event_for(struct story *story, struct chance *chance, const char **person,
                             const char *record, const struct value *kind)
{
    size_t first = below(chance, PEOPLE);

    for (size_t i = 0; i < PEOPLE && below(chance, 40) > 0; i++) {
        const struct value *page =
            story_ask(story, who[(first + i) % PEOPLE], "show",
                      arena_printf(story_arena(story), "{'record': '%s'}", record));
        const struct value *event = any(chance, value_get(page, "next_events"));
        const char *name =
            event == NULL ? "cancel" : arena_copy(story_arena(story), event->as.text, event->count);

        *person = who[(first + i) % PEOPLE];
        if (event != NULL && (!is_end(name) || below(chance, 8) == 0))
            return name;
    }
    return text_of(story, any(chance, value_get(kind, "events")), "event");
}

/* Sometimes a rule that stands against somebody, more often one that does not. */
static void waive_something(struct story *story, struct chance *chance, const char *record)
{
    static const char *const rules[] = {"SOD-1", "SOD-2", "SOD-3", "SOD-4",
                                        "SOD-5", "SOD-6", "SOD-7", "SOD-8"};
    const char *rule = rules[below(chance, 8)], *signer = who[below(chance, 4)];
    struct arena *arena = story_arena(story);
    const char *freed = arena_printf(arena, "'rule': '%s', 'person': '%s'", rule, anybody(chance));

    if (story_ask_status(story, signer, "prepare",
                         arena_printf(arena, "{'record': '%s', 'event': 'waive_sod', %s}", record,
                                      freed)) == 200)
        story_sign(story, signer, "waive_sod", record,
                   arena_printf(arena,
                                "{%s, 'reason': " STORY_REASON ", 'check': " STORY_REASON "}",
                                freed));
    else
        story_do(story, signer, "waive_sod", record, arena_printf(arena, "{%s}", freed));
}

/* Signed as `prepare` says; and what that says will be refused is, signed or not. */
static void sign_something(struct story *story, struct chance *chance, const char *person,
                           const char *event, const char *record, const char *asked)
{
    static const char *const reason = "{'reason': " STORY_REASON "}";
    const struct value *refused = value_get(story_ask(story, person, "prepare", asked), "refused");
    int forecast = (int)value_get_int(refused, "status", 0);
    int got = forecast == 403 && below(chance, 2) == 0
                  ? story_do(story, person, event, record, reason)
                  : story_sign(story, person, event, record, reason);

    if (forecast != 0)
        assert_int_equal(got, forecast);
}

static void do_something(struct story *story, struct chance *chance, const struct value *kinds)
{
    static const char *const reason = "{'reason': " STORY_REASON "}";
    const struct value *records = value_get(
        story_ask(story, "amara", "list",
                  below(chance, 10) > 0 ? "{'limit': 500, 'open': true}" : "{'limit': 500}"),
        "records");
    const struct value *found = any(chance, records), *kind;
    const char *person = anybody(chance), *record, *event, *asked;

    if (found == NULL)
        return;
    kind = kind_named(kinds, value_get_text(found, "kind"));
    record = text_of(story, found, "record");
    event = event_for(story, chance, &person, record, kind);
    asked = arena_printf(story_arena(story), "{'record': '%s', 'event': '%s'}", record, event);
    story_ask_status(story, person, "why", asked);
    if (below(chance, 8) == 0)
        story_do(
            story, person, "edit", record,
            arena_printf(story_arena(story), "{'set': %s}", fields_for(story, chance, kind, 20)));
    else if (below(chance, 10) == 0)
        story_do(story, person, "ack", record, NULL);
    else if (below(chance, 8) == 0)
        waive_something(story, chance, record);
    else if (story_ask_status(story, person, "prepare", asked) == 200)
        sign_something(story, chance, person, event, record, asked);
    else
        story_do(story, person, event, record, reason);
}

/* Somebody lets somebody else stand in, mostly for everything; sometimes one of those delegations ends. */
static void delegate_something(struct story *story, struct chance *chance)
{
    const char *giver = anybody(chance);
    struct arena *arena = story_arena(story);

    if (below(chance, 3) == 0)
        story_do(story, giver, "delegation.end", NULL,
                 arena_printf(arena, "{'delegation': %u, 'reason': " STORY_REASON "}",
                              1 + below(chance, 9)));
    else
        story_sign(story, giver, "delegation.give", NULL,
                   arena_printf(arena, "{'to': '%s', %s'reason': " STORY_REASON "}",
                                anybody(chance),
                                below(chance, 3) == 0 ? "'kinds': ['policy', 'finding'], " : ""));
}

/* Other workflows count from now on; and records move to them, one at a time, sometimes back. */
static void change_workflows(struct story *story)
{
    static const struct story_change changes[] = {
        {"documents/policy.cfg", "every = \"12 months\"", "every = \"6 months\""},
        {"records/finding.cfg", "title = \"Records that show it\"", "title = \"What shows it\""},
        {NULL, NULL, NULL}};

    story_install_agreed(story, "amara", "Policies are reviewed twice a year.", changes);
}

static void migrate_something(struct story *story, struct chance *chance)
{
    const struct value *found =
        any(chance, value_get(story_ask(story, "amara", "list", "{'limit': 500}"), "records"));

    const char *event = below(chance, 4) > 0 ? "migrate" : "migrate_back", *record, *args;

    if (found == NULL)
        return;
    record = text_of(story, found, "record");
    args = below(chance, 2) ? "{'reason': " STORY_REASON ", 'void_round': true}"
                            : "{'reason': " STORY_REASON "}";
    if (story_ask_status(story, "amara", "prepare",
                         arena_printf(story_arena(story), "{'record': '%s', 'event': '%s'}", record,
                                      event)) == 200)
        story_sign(story, "amara", event, record, args);
    else
        story_do(story, "amara", event, record, args);
}

/* There and back again, while nothing has followed: what the record says stands as it stood. */
static void migrate_there_and_back(struct story *story, struct chance *chance)
{
    static const char *const kept[] = {"pack", "state", "stage", "fields", "timers", "digest"};
    const struct value *found =
        any(chance, value_get(story_ask(story, "amara", "list", "{'limit': 500}"), "records"));
    const char *record = found != NULL ? text_of(story, found, "record") : NULL;
    const struct value *before, *after;

    if (record == NULL)
        return;
    before = story_row(story, record);
    if (story_do(story, "amara", "migrate", record, "{'reason': " STORY_REASON "}") != 200 ||
        story_do(story, "amara", "migrate_back", record, "{'reason': " STORY_REASON "}") != 200)
        return;
    after = story_row(story, record);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const struct value *a = value_get(before, kept[i]), *b = value_get(after, kept[i]);

        if (a == NULL ? b != NULL : b == NULL || !value_equal(a, b))
            fail_msg("%s: %s is another after the way there and back", record, kept[i]);
    }
}

static const struct value *any_closed(struct chance *chance, const struct value *records)
{
    uint32_t first = records->count > 0 ? below(chance, records->count) : 0;

    for (uint32_t i = 0; i < records->count; i++) {
        const struct value *one = &records->as.items[(first + i) % records->count];

        if (slice_is(value_get_text(one, "stage"), "closed"))
            return one;
    }
    return NULL;
}

/* What has closed is held, proposed for disposal, kept or disposed of, by whoever may. */
static void end_something(struct story *story, struct chance *chance)
{
    static const char *const events[] = {"hold", "release_hold", "dispose", "keep"};
    const struct value *found = any_closed(
        chance, value_get(story_ask(story, "amara", "list", "{'limit': 500}"), "records"));
    const char *event, *record;
    size_t first = below(chance, PEOPLE);
    int got = 403;

    if (found == NULL)
        return;
    record = text_of(story, found, "record");
    event = value_get(value_get(story_row(story, record), "fields"), "disposal_proposed") != NULL
                ? "dispose"
                : "propose_disposal";
    if (below(chance, 4) == 0)
        event = events[below(chance, 4)];
    for (size_t i = 0; i < PEOPLE && got == 403; i++) {
        const char *person = who[(first + i) % PEOPLE];
        const char *asked =
            arena_printf(story_arena(story), "{'record': '%s', 'event': '%s'}", record, event);

        got = story_ask_status(story, person, "prepare", asked) == 200
                  ? story_sign(story, person, event, record, "{'reason': " STORY_REASON "}")
                  : story_do(story, person, event, record, "{'reason': " STORY_REASON "}");
    }
}

/* What was disposed of was not held, its time was over, and nothing is left that only it held. */
static void disposal_kept_its_rules(struct story *story)
{
    const struct value *records =
        value_get(story_ask(story, "amara", "list", "{'limit': 500}"), "records");

    for (uint32_t i = 0; i < records->count; i++) {
        const char *id = text_of(story, &records->as.items[i], "record");
        const struct value *row = story_row(story, id), *fields = value_get(row, "fields");
        struct value texts;

        if (value_get(row, "disposed") == NULL)
            continue;
        if (value_get_bool(fields, "legal_hold", false) ||
            value_get_text(fields, "retain_until").len == 0)
            fail_msg("%s was disposed of, and should have been kept", id);
        state_rows(core_state(story_core(story)),
                   slice_str(arena_printf(story_arena(story), "%s/content/", id)), UINT32_MAX,
                   &texts);
        if (texts.count > 0 && value_get_int(value_get(row, "disposed"), "erased", 0) == 0 &&
            value_get_int(value_get(row, "disposed"), "kept", 0) == 0 &&
            !value_get_bool(value_get(&texts.as.items[0], "row"), "closed", false))
            fail_msg("%s was disposed of, and has its texts", id);
    }
}

/* Each record that a rule opened has the once-key of its own, and each key the one record. */
static void each_rule_fired_once(struct story *story)
{
    struct value keys, seen = value_map();
    int64_t opened = 0, named = 0;

    for (uint64_t seq = 0; seq < story_size(story); seq++) {
        struct leaf leaf = story_leaf(story, seq);

        opened += slice_is(leaf.type, "record.open") && value_get(&leaf.body, "rule") != NULL;
    }
    state_rows(core_state(story_core(story)), slice_str("once/"), UINT32_MAX, &keys);
    for (uint32_t i = 0; i < keys.count; i++) {
        struct slice record = value_get_text(value_get(&keys.as.items[i], "row"), "record");

        if (slice_starts(value_get_text(&keys.as.items[i], "key"), "once/import/") ||
            slice_starts(value_get_text(&keys.as.items[i], "key"), "once/file/"))
            continue;
        if (value_find(&seen, record) != NULL)
            fail_msg("%.*s stands under two once-keys", (int)record.len, (const char *)record.at);
        value_put(story_arena(story), &seen, record, value_bool(true));
        named++;
    }
    assert_int_equal(opened, named);
}

static void work(struct story *story, struct chance *chance)
{
    static const int statuses[] = {200, 200, 200, 202, 422, 500, 503, 0};
    const struct value *task = any(chance, story_ask(story, "amara", "tasks", "{}"));
    int64_t number = value_get_int(task, "task", -1);

    if (task == NULL)
        return;
    if (value_get_text(task, "state").len == 6) /* parked */
        story_do(story, "amara", below(chance, 3) ? "task.redrive" : "task.cancel", NULL,
                 arena_printf(story_arena(story), "{'task': %lld}", (long long)number));
    else
        story_settle(story, number, statuses[below(chance, 8)], INT64_C(1772438400000));
}

/* What definition/prove_round.c proves of the pack, looked at in what came of it. */
static bool is_guarded(const struct kind *kind)
{
    bool is_result = !kind->lifecycle->versioned;

    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *row = &kind->lifecycle->transitions[i];

        if (row->vote == VOTE_GRANT && !kind->lifecycle->states[row->to].is_closed)
            is_result = false;
    }
    return kind->approval != NULL && !is_result;
}

static void nothing_is_in_force_unapproved(struct story *story)
{
    const struct value *records =
        value_get(story_ask(story, "amara", "list", "{'limit': 500}"), "records");
    const struct pack *pack = core_current_pack(story_core(story));

    for (uint32_t i = 0; i < records->count; i++) {
        const struct value *record = &records->as.items[i], *row;
        const char *id = text_of(story, record, "record");

        if (!slice_is(value_get_text(record, "stage"), "in_force") ||
            !is_guarded(pack_kind(pack, value_get_text(record, "kind"))))
            continue;
        row = story_row(story, id);
        row = story_row(story, arena_printf(story_arena(story), "%s/round/%lld", id,
                                            (long long)value_get_int(row, "rounds", 0)));
        if (!slice_is(value_get_text(row, "state"), "granted"))
            fail_msg("%s is in force, and nobody approved it", id);
    }
}

static void live(uint64_t seed, int steps)
{
    struct story *story = story_begin_with("workflows");
    struct chance chance = {seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    const struct value *kinds = story_ask(story, "amara", "kinds", "{}");

    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < steps; i++) {
        uint32_t what = below(&chance, 114);

        if (i == steps / 2)
            change_workflows(story);
        for (int n = 0; i >= steps * 5 / 6 && n < 2; n++)
            end_something(story, &chance);
        if (i == steps * 5 / 6) /* the time of what has closed is over */
            for (int n = 0; n < 22; n++)
                story_pass(story, 100);
        if (what >= 110)
            end_something(story, &chance);
        else if (what >= 108)
            migrate_there_and_back(story, &chance);
        else if (what >= 105)
            delegate_something(story, &chance);
        else if (what >= 100)
            migrate_something(story, &chance);
        else if (what < 12)
            open_something(story, &chance, kinds);
        else if (what < 70)
            do_something(story, &chance, kinds);
        else if (what < 94)
            work(story, &chance);
        else if (what == 99 && i > steps / 2) /* what is kept for years may be disposed of */
            story_pass(story, 500);
        else
            story_pass(story, (int)below(&chance, 40));
    }
    for (size_t i = 0; i < PEOPLE; i++)
        story_ask(story, who[i], "inbox", "{}");
    story_ask(story, "amara", "waivers", "{}");
    nothing_is_in_force_unapproved(story);
    disposal_kept_its_rules(story);
    each_rule_fired_once(story);
    story_end(story);
}

static int setting(const char *name, int preset)
{
    const char *text = getenv(name);

    return text != NULL ? atoi(text) : preset;
}

static void whatever_is_done_the_journal_says_what_became_of_it(void **state)
{
    int first = setting("STORY_SEED", 1), seeds = setting("STORY_SEEDS", 3);

    (void)state;
    for (int i = 0; i < seeds; i++)
        live((uint64_t)(first + i), setting("STORY_STEPS", 150));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_done_the_journal_says_what_became_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
