/* test_story_security.c - attempts, by the thousand: the votes on two versions of one text crossing each other (SEC-7), and
 * every kind and event of the shipped workflows tried by everybody who has no role for it (SEC-4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/inside.h"
#include "core/story.h"

/* ---- SEC-7 ---- */

enum { CROSSINGS = 500 /* with two old votes each */, TEXT_SIZE = 80 };

static void edited_and_submitted(struct story *story, int version)
{
    char set[TEXT_SIZE];

    snprintf(set, sizeof set, "{'set': {'text': 'Version %d.'}}", version);
    assert_done(story_do(story, "amara", "edit", "POL-0001", set));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
}

/* Signed while version 3 stood there; cast when version 4 does. */
static void old_vote_is_refused(struct story *story, struct question *vote)
{
    uint64_t size = story_size(story);

    assert_refused(story_cast(story, vote), 409, "stale-content");
    assert_int_equal(story_size(story), size);
    assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
}

static void SEC_7_a_vote_on_version_3_never_counts_for_version_4_in_either_order(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Clean desk', 'fields': {'text': 'Lock it "
                         "away.', 'places': [{'name': 'Lyon', 'inside': true}]}}"));
    for (int i = 0; i < CROSSINGS; i++) {
        struct question of_3, of_4, also_of_3;

        edited_and_submitted(story, 2 * i);
        of_3 = story_ballot(story, "bo", "approve", "POL-0001");
        also_of_3 = story_ballot(story, "cleo", "approve", "POL-0001");
        edited_and_submitted(story, 2 * i + 1);
        of_4 = story_ballot(story, "bo", "approve", "POL-0001");
        if (i % 2 == 0)
            old_vote_is_refused(story, &of_3);
        assert_done(story_cast(story, &of_4));
        /* One of two has voted for version 4; a second vote for 3 does not complete it. */
        old_vote_is_refused(story, &also_of_3);
        if (i % 2 == 1)
            assert_true(story_cast(story, &of_3) == 409);
        assert_string_equal(story_fact(story, "POL-0001", "state"), "draft");
    }
    story_end(story);
}

/* ---- SEC-4: what the definition says, read here and not by authority.c ---- */

enum says { NO, YES, DEPENDS };

static enum says is_meant(struct story *story, const char *who, const struct words *words)
{
    struct core *core = story_core(story);
    enum says said = NO;

    for (int i = 0; i < words->count; i++) {
        const struct value *person =
            story_row(story, arena_printf(story_arena(story), "person/%s", who));
        struct slice word = slice_str(words->at[i]);
        const struct pack *pack = core_current_pack(core);
        bool is_role = false;

        if (value_has_text(value_get(person, "roles"), word))
            return YES;
        if (slice_is(word, "anyone") && value_is(person, VALUE_MAP) &&
            slice_is(value_get_text(person, "kind"), "person"))
            return YES;
        for (int r = 0; r < pack->role_count; r++)
            is_role = is_role || slice_is(word, pack->roles[r].name);
        if (!is_role && !slice_is(word, "system") && !slice_is(word, "anyone"))
            said = DEPENDS; /* on the record */
    }
    return said;
}

static const char *const people[] = {"amara", "bo", "cleo", "dana", "eve", "finn", "gwen", "post"};
enum { PEOPLE = sizeof people / sizeof people[0] };

static const struct transition *creation(const struct kind *kind)
{
    for (int i = 0; i < kind->lifecycle->transition_count; i++)
        if (kind->lifecycle->transitions[i].creates)
            return &kind->lifecycle->transitions[i];
    return NULL;
}

/* Each refusal is at most one leaf, and the record is as it was. */
static void refused_event(struct story *story, const char *who, const char *event,
                          const char *record)
{
    uint64_t size = story_size(story);
    int64_t rev = value_get_int(story_row(story, record), "rev", -1);

    if (story_do(story, who, event, record, NULL) != 403)
        fail_msg("%s of %s by %s: %s", event, record, who, story_sentence(story));
    assert_true(story_size(story) <= size + 1);
    assert_int_equal(value_get_int(story_row(story, record), "rev", -1), rev);
}

static int try_events(struct story *story, const struct kind *kind, const char *record)
{
    const char *at = arena_str(story_arena(story), story_fact(story, record, "state"));
    int tried = 0;

    for (int i = 0; i < kind->lifecycle->transition_count; i++) {
        const struct transition *way = &kind->lifecycle->transitions[i];
        int here = 0;

        while (strcmp(kind->lifecycle->states[here].name, at) != 0)
            here++;
        for (int p = 0; !way->creates && way->from[here] && p < PEOPLE; p++) {
            bool only = true; /* the event has one way from here: else another may be theirs */

            for (int k = 0; k < kind->lifecycle->transition_count; k++)
                only = only && (k == i || !kind->lifecycle->transitions[k].from[here] ||
                                strcmp(kind->lifecycle->transitions[k].event, way->event) != 0);
            if (!only || way->vote != VOTE_NONE || is_meant(story, people[p], &way->by) != NO)
                continue;
            refused_event(story, people[p], way->event, record);
            tried++;
        }
    }
    return tried;
}

static void SEC_4_every_kind_and_event_is_refused_to_every_wrong_role(void **state)
{
    struct story *story = story_begin_with("workflows");
    const struct pack *pack = core_current_pack(story_core(story));
    int opens = 0, events = 0;

    (void)state;
    for (int k = 0; k < pack->kind_count; k++) {
        const struct kind *kind = &pack->kinds[k];
        const struct transition *way = creation(kind);
        const struct words *by = way->by.count > 0 ? &way->by : &kind->create;
        const char *args = arena_printf(story_arena(story),
                                        "{'kind': '%s', 'title': 'T', 'fields': {}}", kind->name);
        const char *record = NULL;

        for (int p = 0; p < PEOPLE; p++) {
            enum says says = is_meant(story, people[p], by);
            int status;

            if (says == DEPENDS)
                continue;
            status = story_do(story, people[p], "open", NULL, args);
            if ((status == 403) != (says == NO))
                fail_msg("%s opens %s: %d %s", people[p], kind->name, status,
                         story_sentence(story));
            if (status == 200)
                record = arena_str(story_arena(story), story_reply(story, "record"));
            opens++;
        }
        if (record != NULL)
            events += try_events(story, kind, record);
    }
    print_message("%d times opened or refused, %d events refused\n", opens, events);
    assert_true(opens > 100 && events > 100);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(SEC_7_a_vote_on_version_3_never_counts_for_version_4_in_either_order),
        cmocka_unit_test(SEC_4_every_kind_and_event_is_refused_to_every_wrong_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
