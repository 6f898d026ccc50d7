/* test_story_forged.c - attempts at an approval that nobody gave, by somebody who has the database, the engine's keys, the
 * engine itself and the administrator's account, and a genuine key of his own (finn's); and what rota-verify says to each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/dmp.h"
#include "core/forgery.h"

#define RECORD "POL-0001@1.0"
#define ROUND RECORD "/round/1"

static const char *const policy =
    "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.',"
    " 'places': [{'name': 'Hall', 'inside': true}]}}";

/* A draft; bo, cleo, finn and amara have keys that two roots endorsed. */
static struct story *with_a_draft(void)
{
    struct story *story = story_begin_enrolled();

    assert_done(story_do(story, "amara", "open", NULL, policy));
    return story;
}

static struct story *with_a_round(void)
{
    struct story *story = with_a_draft();

    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    return story;
}

static struct story *with_one_vote(void)
{
    struct story *story = with_a_round();

    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    return story;
}

static struct story *approved(void)
{
    struct story *story = with_one_vote();

    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    return story;
}

static struct story *in_force(void)
{
    struct story *story = approved();

    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    return story;
}

/* What the engine would write if the round had been granted. */
#define APPROVED                                                                                   \
    "{'': {'state': 'approved', 'stage': 'approved', 'phase': null, 'round': null},"               \
    " '" ROUND "': {'state': 'granted', 'closed_ms': 1772438400000}}"
#define IN_FORCE                                                                                   \
    "{'': {'state': 'in_force', 'stage': 'in_force', 'valid': true}, 'POL-0001': {'valid': "       \
    "'1.0'}, 'valid/policy': {'records': {'POL-0001': '" RECORD "'}}}"

static void a_copy_that_nobody_wrote_in_holds(void **state)
{
    struct story *story = in_force();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_holds(&forgery);
    story_end(story);
}

/* ---- without a round ---- */

static void a_draft_that_is_put_in_force_is_found(void **state)
{
    struct story *story = with_a_draft();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.put_in_force", RECORD, "engine", "{}", IN_FORCE);
    forgery_is_found(&forgery, "MOVE_UNKNOWN");
    story_end(story);
}

static void an_approval_that_no_round_granted_is_found(void **state)
{
    struct story *story = with_a_draft();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.approve", RECORD, "engine", "{}",
                "{'': {'state': 'approved', 'stage': 'approved'}}");
    forgery_add(forgery, "record.put_in_force", RECORD, "engine", "{}", IN_FORCE);
    forgery_is_found(&forgery, "APPROVAL_MISSING");
    story_end(story);
}

static void a_record_that_is_born_in_force_is_found(void **state)
{
    struct story *story = with_a_draft();
    struct forgery *forgery = forgery_begin(story);
    struct value *own = forgery_effect(forgery, forgery_leaf(forgery, "record.open", NULL, 1), "");

    (void)state;
    value_set(story_arena(story), own, "state", value_str("in_force"));
    value_set(story_arena(story), own, "stage", value_str("in_force"));
    value_set(story_arena(story), own, "valid", value_bool(true));
    forgery_is_found(&forgery, "MOVE_UNKNOWN");
    story_end(story);
}

static void a_state_written_by_an_entry_about_something_else_is_found(void **state)
{
    struct story *story = with_a_draft();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "timer.fired", RECORD "/timer/review", "engine", "{}",
                "{'': {}, '" RECORD "': {'state': 'approved'}}");
    forgery_is_found(&forgery, "MOVE_UNKNOWN");
    story_end(story);
}

static void a_record_that_is_taken_out_of_its_definition_is_found(void **state)
{
    struct story *story = with_a_draft();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.put_in_force", RECORD, "engine", "{}",
                "{'': {'kind': 'notice', 'state': 'in_force', 'valid': true}}");
    forgery_is_found(&forgery, "MOVE_UNKNOWN");
    story_end(story);
}

static void a_definition_that_cannot_be_read_proves_nothing(void **state)
{
    struct story *story = in_force();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.open", NULL, 1);

    (void)state;
    value_remove(forgery_effect(forgery, leaf, ""), slice_str("pack"));
    forgery_is_found(&forgery, "PACK_UNREAD");
    story_end(story);
}

/* There was a definition once that asked fewer people. */
static void a_record_that_begins_under_a_former_definition_is_found(void **state)
{
    static const struct story_change stricter[] = {
        {"document.cfg", "expires = \"20 days\"", "expires = \"30 days\""}, {NULL, NULL, NULL}};
    struct story *story = with_a_draft();
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_install_agreed(story, "amara", "Longer.", stricter));
    assert_done(story_do(story, "amara", "open", NULL, policy));
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "record.open", "POL-0002@1.0", 1);
    forgery_set(forgery, forgery_effect(forgery, leaf, ""), "pack",
                *value_get(&forgery_leaf(forgery, "pack.installed", NULL, 1)->body, "digest"));
    forgery_is_found(&forgery, "MOVE_UNKNOWN");
    story_end(story);
}

/* ---- votes that are not enough ---- */

static void a_round_with_a_vote_too_few_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.approve", RECORD, "engine", "{}", APPROVED);
    forgery_is_found(&forgery, "ROUND_COUNT");
    story_end(story);
}

static void a_need_that_is_lowered_afterwards_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_add(forgery, "record.approve", RECORD, "engine", "{}", APPROVED);

    (void)state;
    value_set(story_arena(story), forgery_effect(forgery, leaf, ROUND), "need", value_int(1));
    forgery_is_found(&forgery, "ROUND_CHANGED");
    story_end(story);
}

/* The same before anybody voted: everything agrees with itself, but not with the definition. */
static void a_need_that_was_low_from_the_beginning_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.submit", NULL, 1);

    (void)state;
    value_set(story_arena(story), forgery_effect(forgery, leaf, ROUND), "need", value_int(1));
    forgery_add(forgery, "record.approve", RECORD, "engine", "{}", APPROVED);
    forgery_is_found(&forgery, "ROUND_OPENED");
    story_end(story);
}

static void somebody_who_is_asked_and_holds_no_role_for_it_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.submit", NULL, 1);

    (void)state;
    value_set(story_arena(story), forgery_effect(forgery, leaf, ROUND), "ask",
              forgery_value(forgery, "['bo', 'cleo', 'finn']"));
    forgery_is_found(&forgery, "ROUND_OPENED");
    story_end(story);
}

static void a_vote_that_is_only_in_the_row_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_add(forgery, "record.approve", RECORD, "engine", "{}", APPROVED);

    (void)state;
    value_set(story_arena(story), forgery_effect(forgery, leaf, ROUND), "votes",
              forgery_value(forgery, "{'cleo': 'grant'}"));
    forgery_is_found(&forgery, "VOTE_UNCAST");
    story_end(story);
}

static void a_refusal_that_is_counted_as_a_grant_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_sign(story, "cleo", "reject", "POL-0001", "{'reason': " STORY_REASON "}"));
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "record.reject", ROUND "/cleo", 1);
    value_set(story_arena(story), forgery_effect(forgery, leaf, ROUND), "votes",
              forgery_value(forgery, "{'cleo': 'grant'}"));
    forgery_is_found(&forgery, "VOTE_UNCAST");
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "record.reject", ROUND "/cleo", 1);
    value_remove(forgery_effect(forgery, leaf, ROUND), slice_str("votes"));
    forgery_is_found(&forgery, "VOTE_DROPPED");
    story_end(story);
}

/* Silence is consent to a poll after ten days, and not before. */
static void consent_by_silence_before_its_time_is_found(void **state)
{
    struct story *story = story_begin_with("tests/core/pack_rounds");
    struct forgery *forgery;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'poll', 'title': 'It', 'fields': {'people': ['bo', 'cleo']}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    forgery = forgery_begin(story);
    forgery_add(forgery, "record.approve", "POL-0001", "engine", "{}",
                "{'': {'state': 'passed', 'stage': 'approved', 'round': null},"
                " 'POL-0001/round/1': {'state': 'granted', 'why': 'expired'}}");
    forgery_is_found(&forgery, "ROUND_COUNT");
    story_end(story);
}

/* ---- one person, one vote ---- */

/* A vote as the engine would have written it, for whoever has the key. */
static struct leaf *add_vote(struct forgery *forgery, struct story *story, const char *who,
                             const char *key, const char *in_place_of, const char *delegation)
{
    struct arena *arena = story_arena(story);
    const char *stream = arena_printf(arena, ROUND "/%s", who);
    struct leaf *bo = forgery_leaf(forgery, "record.approve", ROUND "/bo", 1);
    struct leaf *leaf = forgery_add(
        forgery, "record.approve", stream, who, "{}",
        arena_printf(arena, "{'': {'vote': 'grant'}, '" ROUND "': {'votes': {'%s': 'grant'}}}",
                     who));

    leaf->body = value_copy(arena, &bo->body);
    value_set(arena, forgery_effect(forgery, leaf, ""), "digest", *value_get(&bo->body, "digest"));
    if (in_place_of != NULL) {
        value_set(arena, &leaf->body, "for", value_str(in_place_of));
        value_set(arena, forgery_effect(forgery, leaf, ""), "for", value_str(in_place_of));
        value_set(arena, forgery_effect(forgery, leaf, ""), "delegation", value_str(delegation));
        value_set(arena, forgery_effect(forgery, leaf, ROUND), "delegates",
                  forgery_value(forgery, arena_printf(arena, "{'%s': '%s'}", in_place_of, who)));
    }
    forgery_sign(forgery, leaf, key);
    return leaf;
}

static void a_second_vote_by_a_second_key_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery;

    (void)state;
    assert_done(story_enrol(story, "bo", "bo-second", 1, "bo"));
    forgery = forgery_begin(story);
    add_vote(forgery, story, "bo", "bo-second", NULL, NULL);
    forgery_is_found(&forgery, "VOTE_TWICE");
    story_end(story);
}

static void one_key_that_votes_under_two_names_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery;
    struct leaf *enrolled;

    (void)state;
    /* The engine does not take it; she has endorsed it all the same, and he writes it in. */
    assert_refused(story_enrol(story, "cleo", "bo", 1, "cleo"), 422, "guard-failed");
    forgery = forgery_begin(story);
    enrolled = forgery_add(forgery, "key.enrolled", "key/cleo", "amara", "{}",
                           "{'': {'changes': 2}, 'person/cleo': {}}");
    enrolled->body = value_copy(story_arena(story), story_args(story));
    value_set(story_arena(story), forgery_effect(forgery, enrolled, "person/cleo"), "sign",
              *value_get(&enrolled->body, "key"));
    add_vote(forgery, story, "cleo", "bo", NULL, NULL);
    forgery_add(forgery, "record.approve", RECORD, "engine", "{}", APPROVED);
    forgery_is_found(&forgery, "VOTE_TWICE");
    story_end(story);
}

static void a_vote_of_somebody_who_was_not_asked_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    add_vote(forgery, story, "finn", "finn", NULL, NULL);
    forgery_is_found(&forgery, "VOTE_UNASKED");
    story_end(story);
}

static void a_vote_of_somebody_whose_rights_had_ended_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "directory.installed", "directory", "amara", "{}",
                "{'': {}, 'person/cleo': {'not_after': 1}}");
    add_vote(forgery, story, "cleo", "cleo", NULL, NULL);
    forgery_is_found(&forgery, "VOTE_APART");
    story_end(story);
}

static void an_editor_who_approves_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.open", NULL, 1);

    (void)state;
    value_set(story_arena(story), forgery_effect(forgery, leaf, ""), "editors",
              forgery_value(forgery, "['amara', 'bo']"));
    forgery_is_found(&forgery, "VOTE_APART");
    forgery = forgery_begin(story);
    forgery_add(forgery, "record.put_in_force", RECORD, "engine", "{}", "{'': {'editors': []}}");
    forgery_is_found(&forgery, "MOVE_UNKNOWN");
    story_end(story);
}

/* ---- in somebody's place ---- */

static void a_vote_in_the_place_of_somebody_who_never_delegated_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_add(forgery, "record.approve", RECORD, "engine", "{}", APPROVED);
    forgery_is_found(&forgery, "VOTE_PLACE");
    story_end(story);
}

/* cleo's delegation to finn by the engine, with these words more; and finn's genuine vote by it. */
static struct story *with_a_delegation(const char *more)
{
    struct story *story = with_one_vote();

    assert_done(story_sign(
        story, "cleo", "delegation.give", NULL,
        arena_printf(story_arena(story), "{'to': 'finn', 'reason': " STORY_REASON "%s}", more)));
    return story;
}

static void a_vote_by_a_delegation_that_is_in_force_holds(void **state)
{
    struct story *story = with_a_delegation(", 'kinds': ['policy']");
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_holds(&forgery);
    story_end(story);
}

static void a_vote_by_a_delegation_that_has_ended_is_found(void **state)
{
    struct story *story = with_a_delegation("");
    struct forgery *forgery;

    (void)state;
    assert_done(story_do(story, "cleo", "delegation.end", NULL, "{'delegation': 'DEL-0001'}"));
    forgery = forgery_begin(story);
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_is_found(&forgery, "VOTE_PLACE");
    /* That it was ended is not undone either. */
    forgery = forgery_begin(story);
    value_remove(&forgery_leaf(forgery, "delegation.ended", NULL, 1)->effects,
                 slice_str("delegations/cleo"));
    forgery_is_found(&forgery, "DELEGATION");
    story_end(story);
}

static void a_vote_by_a_delegation_whose_days_are_over_is_found(void **state)
{
    struct story *story = with_a_delegation(", 'until': '2026-03-03'");
    struct forgery *forgery;

    (void)state;
    story_until(story, "2026-03-05T08:00:00Z");
    forgery = forgery_begin(story);
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_is_found(&forgery, "VOTE_PLACE");
    /* Nor do its days become others than were signed. */
    forgery = forgery_begin(story);
    value_remove(
        value_sub(
            story_arena(story),
            value_sub(story_arena(story),
                      forgery_effect(forgery, forgery_leaf(forgery, "delegation.given", NULL, 1),
                                     "delegations/cleo"),
                      slice_str("given")),
            slice_str("DEL-0001")),
        slice_str("end_ms"));
    forgery_is_found(&forgery, "DELEGATION");
    story_end(story);
}

/* The day ends where the organisation is, in Paris an hour before it does in Greenwich. */
static void a_delegation_that_ends_with_the_day_of_somewhere_else_is_found(void **state)
{
    static const int64_t ends_ms = INT64_C(1772751600000); /* 2026-03-05T23:00:00Z */
    static const int64_t wrong_ms[] = {INT64_C(2) * 3600 * 1000, INT64_C(-2) * 3600 * 1000};
    struct story *story = story_begin_among("workflows", "config/sample/directory.cfg");
    struct forgery *forgery;
    struct value *listed;
    struct leaf *leaf;

    (void)state;
    assert_done(story_sign(story, "amara", "delegation.give", NULL,
                           "{'to': 'henrik', 'from': '2026-03-04', 'until': '2026-03-05', "
                           "'reason': " STORY_REASON "}"));
    assert_int_equal(value_get_int(story_row(story, "delegation/1"), "end_ms", 0), ends_ms);
    forgery = forgery_begin(story);
    forgery_holds(&forgery);
    for (size_t i = 0; i < 2; i++) {
        forgery = forgery_begin(story);
        leaf = forgery_leaf(forgery, "delegation.given", NULL, 1);
        listed = value_at(
            value_at(forgery_effect(forgery, leaf, "delegations/amara"), slice_str("given")),
            slice_str("DEL-0001"));
        forgery_set(forgery, listed, "end_ms", value_int(ends_ms + wrong_ms[i]));
        forgery_is_found(&forgery, "DELEGATION");
    }
    story_drop(story);
}

static void a_vote_by_a_delegation_of_another_kind_or_role_is_found(void **state)
{
    static const char *const scopes[] = {", 'kinds': ['audit']", ", 'roles': ['author']"};

    (void)state;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        struct story *story = with_a_delegation(scopes[i]);
        struct forgery *forgery = forgery_begin(story);

        add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
        forgery_is_found(&forgery, "VOTE_PLACE");
        story_end(story);
    }
}

/* The engine writes that cleo lets finn decide for her. */
static struct leaf *add_delegation(struct forgery *forgery, const char *actor, const char *body)
{
    int64_t at_ms =
        (int64_t)forgery_leaf(forgery, "record.approve", ROUND "/bo", 1)->time_us / 1000 + 1000;
    struct leaf *leaf = forgery_add(
        forgery, "delegation.given", "delegation/1", actor, body,
        "{'': {'from': 'cleo', 'to': 'finn', 'number': 'DEL-0001'}, 'next/delegation': {'n': 1},"
        " 'delegations/cleo': {'given': {'DEL-0001': {'to': 'finn'}}}}");
    struct value *own = forgery_effect(forgery, leaf, "");
    struct value *listed = forgery_effect(forgery, leaf, "delegations/cleo");

    listed = &listed->as.pairs[0].value.as.pairs[0].value;
    forgery_set(forgery, own, "by", value_str(actor));
    forgery_set(forgery, own, "from_ms", value_int(at_ms));
    forgery_set(forgery, listed, "from_ms", value_int(at_ms));
    leaf->time_us = at_ms * 1000;
    return leaf;
}

static void a_delegation_that_nobody_gave_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf;

    (void)state;
    add_delegation(forgery, "cleo", "{'to': 'finn'}");
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_is_found(&forgery, "ACTOR_UNSIGNED");
    forgery = forgery_begin(story);
    leaf = add_delegation(forgery, "cleo", "{'to': 'finn', 'meaning': 'delegated'}");
    forgery_sign(forgery, leaf, "finn");
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_is_found(&forgery, "ACTOR_KEY");
    /* By the ISMS manager, who may, and did not. */
    forgery = forgery_begin(story);
    add_delegation(forgery, "amara", "{'to': 'finn', 'of': 'cleo'}");
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_is_found(&forgery, "ACTOR_UNSIGNED");
    /* By finn himself, under his own key. */
    forgery = forgery_begin(story);
    leaf = add_delegation(forgery, "finn", "{'to': 'finn', 'of': 'cleo', 'meaning': 'delegated'}");
    forgery_sign(forgery, leaf, "finn");
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_is_found(&forgery, "DELEGATION");
    /* The same by the ISMS manager holds: it is theirs to give, and both names are kept. */
    forgery = forgery_begin(story);
    leaf = add_delegation(forgery, "amara", "{'to': 'finn', 'of': 'cleo', 'meaning': 'delegated'}");
    forgery_set(forgery, &leaf->body, "under",
                *value_get(&forgery_leaf(forgery, "record.approve", NULL, 1)->body, "under"));
    forgery_sign(forgery, leaf, "amara");
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_holds(&forgery);
    story_end(story);
}

/* What counts as delegated is written by another entry. */
static void a_delegation_that_is_only_in_the_rows_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "timer.fired", RECORD "/timer/review", "engine", "{}",
                "{'': {}, 'delegations/cleo': {'given': {'DEL-0001': {'to': 'finn'}}}}");
    add_vote(forgery, story, "finn", "finn", "cleo", "DEL-0001");
    forgery_is_found(&forgery, "DELEGATION");
    story_end(story);
}

/* ---- what was approved ---- */

static void content_that_is_exchanged_after_the_approval_is_found(void **state)
{
    struct story *story = approved();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.edit", RECORD, "amara", "{}",
                "{'': {'fields': {'text': 'Leave them open.'}}}");
    forgery_is_found(&forgery, "CONTENT_CHANGED");
    forgery = forgery_begin(story);
    forgery_add(forgery, "timer.fired", RECORD "/timer/review", "engine", "{}",
                "{'': {}, '" RECORD "': {'title': 'Windows'}}");
    forgery_is_found(&forgery, "CONTENT_CHANGED");
    story_end(story);
}

static void content_that_is_exchanged_while_people_vote_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.edit", RECORD, "amara", "{}",
                "{'': {'fields': {'text': 'Leave them open.'}}}");
    forgery_is_found(&forgery, "CONTENT_CHANGED");
    story_end(story);
}

/* No part of what is signed, and yet the engine's alone: it moves with the record's events. */
static void a_day_of_review_that_is_put_off_is_found(void **state)
{
    struct story *story = in_force();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "timer.fired", RECORD "/timer/review", "engine", "{}",
                "{'': {}, '" RECORD "': {'fields': {'next_review_due': '2099-01-01'}}}");
    forgery_is_found(&forgery, "CONTENT_CHANGED");
    story_end(story);
}

static void a_digest_that_is_not_of_the_content_is_found(void **state)
{
    struct story *story = with_a_draft();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.open", NULL, 1);
    uint8_t other[HASH_LEN] = {1};

    (void)state;
    forgery_set(forgery, forgery_effect(forgery, leaf, ""), "digest", value_bin(other, HASH_LEN));
    forgery_is_found(&forgery, "RECORD_DIGEST");
    story_end(story);
}

/* The content of the policy's draft as it was digested when the day of its next review was content. */
static struct value digest_of_former_days(struct story *story, const struct value *own)
{
    struct buf bytes = BUF_EMPTY;
    struct value content = value_copy(story_arena(story), value_get(own, "fields"));
    uint8_t *digest = arena_take(story_arena(story), HASH_LEN);

    value_set(story_arena(story), &content, "title", *value_get(own, "title"));
    buf_add_str(&bytes, "rota.record/1\n");
    dmp_put_array(&bytes, 4);
    dmp_put_str(&bytes, slice_str("POL-0001"));
    dmp_put_str(&bytes, slice_str("1.0"));
    dmp_put_bin(&bytes, value_get_bin(own, "pack"));
    dmp_encode(&bytes, &content);
    hash_bytes(buf_slice(&bytes), digest);
    buf_release(&bytes);
    return value_bin(digest, HASH_LEN);
}

static void a_journal_of_when_the_day_of_review_was_signed_holds(void **state)
{
    struct story *story = with_a_round();
    struct forgery *forgery = forgery_begin(story);
    struct value *own = forgery_effect(forgery, forgery_leaf(forgery, "record.open", NULL, 1), "");
    struct leaf *submit = forgery_leaf(forgery, "record.submit", NULL, 1);
    struct value digest;

    (void)state;
    value_set(story_arena(story), value_sub(story_arena(story), own, slice_str("fields")),
              "next_review_due", value_str("2026-09-01"));
    digest = digest_of_former_days(story, own);
    forgery_set(forgery, own, "digest", digest);
    forgery_set(forgery, forgery_effect(forgery, submit, ROUND), "digest", digest);
    forgery_holds(&forgery);
    story_end(story);
}

static void a_figure_that_is_signed_and_exchanged_is_found(void **state)
{
    struct story *story = story_begin_enrolled();
    struct forgery *forgery;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'pledge', 'title': 'Keys', 'fields': {'amount': 4}}"));
    assert_done(story_do(story, "amara", "submit", "PLG-0001", NULL));
    forgery = forgery_begin(story);
    forgery_add(forgery, "record.edit", "PLG-0001@1.0", "amara", "{}",
                "{'': {'fields': {'deposit': 1}}}");
    forgery_is_found(&forgery, "CONTENT_CHANGED");
    story_end(story);
}

/* People are asked over one text, and the record holds another one. */
static void a_round_over_another_text_is_found(void **state)
{
    struct story *story = approved();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf = forgery_leaf(forgery, "record.open", NULL, 1);
    struct value *fields =
        value_sub(story_arena(story), forgery_effect(forgery, leaf, ""), slice_str("fields"));

    (void)state;
    value_set(story_arena(story), fields, "text", value_str("Leave them open."));
    forgery_is_found(&forgery, "ROUND_DIGEST");
    story_end(story);
}

static void a_version_superseded_by_one_that_nobody_approved_is_found(void **state)
{
    struct story *story = in_force();
    struct forgery *forgery;

    (void)state;
    assert_done(
        story_do(story, "amara", "decide_change", "POL-0001", "{'reason': " STORY_REASON "}"));
    forgery = forgery_begin(story);
    forgery_add(forgery, "record.supersede", RECORD, "engine", "{'by': 'POL-0001@2.0'}",
                "{'': {'state': 'superseded', 'stage': 'closed', 'valid': null},"
                " 'POL-0001': {'valid': '2.0'}}");
    forgery_is_found(&forgery, "APPROVAL_MISSING");
    story_end(story);
}

static void a_list_of_what_counts_that_names_a_draft_is_found(void **state)
{
    struct story *story = with_a_draft();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "timer.fired", RECORD "/timer/review", "engine", "{}",
                "{'': {}, 'valid/policy': {'records': {'POL-0001': '" RECORD "'}}}");
    forgery_is_found(&forgery, "APPROVAL_MISSING");
    forgery = forgery_begin(story);
    forgery_add(forgery, "timer.fired", RECORD "/timer/review", "engine", "{}",
                "{'': {}, 'POL-0001': {'valid': '1.0'}}");
    forgery_is_found(&forgery, "APPROVAL_MISSING");
    story_end(story);
}

static void a_vote_that_was_given_for_something_else_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery;
    struct leaf *leaf, *other;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, policy));
    assert_done(story_do(story, "amara", "submit", "POL-0002", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0002", NULL));
    forgery = forgery_begin(story);
    leaf = add_vote(forgery, story, "cleo", "finn", NULL, NULL);
    other = forgery_leaf(forgery, "record.approve", "POL-0002@1.0/round/1/cleo", 1);
    leaf->body = other->body;
    leaf->actor_sig = other->actor_sig;
    forgery_is_found(&forgery, "ACTOR_FORGED");
    forgery = forgery_begin(story);
    other = forgery_leaf(forgery, "record.approve", "POL-0002@1.0/round/1/cleo", 1);
    other->stream = slice_str(ROUND "/cleo");
    forgery_is_found(&forgery, "ACTOR_FORGED");
    story_end(story);
}

/* Her vote of the round before, which came to nothing, once more. */
static void a_vote_of_an_earlier_round_is_found(void **state)
{
    struct story *story = with_one_vote();
    struct forgery *forgery;
    struct leaf *leaf;

    (void)state;
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'grade': 'high'}}"));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'grade': 'low'}}"));
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    forgery = forgery_begin(story);
    leaf = forgery_leaf(forgery, "record.approve", ROUND "/bo", 1);
    leaf = forgery_add(forgery, "record.approve", RECORD "/round/2/bo", "bo", "{}",
                       "{'': {'vote': 'grant'}, '" RECORD "/round/2': {'votes': {'bo': "
                       "'grant'}}}");
    leaf->body = forgery_leaf(forgery, "record.approve", ROUND "/bo", 1)->body;
    leaf->actor_sig = forgery_leaf(forgery, "record.approve", ROUND "/bo", 1)->actor_sig;
    forgery_is_found(&forgery, "VOTE_UNCAST");
    story_end(story);
}

static void a_decision_whose_meaning_is_left_out_is_found(void **state)
{
    struct story *story = in_force();
    struct forgery *forgery;

    (void)state;
    assert_done(story_do(story, "amara", "start_review", "POL-0001", NULL));
    forgery = forgery_begin(story);
    forgery_add(forgery, "record.reaffirm", RECORD, "amara", "{}",
                "{'': {'state': 'in_force', 'stage': 'in_force'}}");
    forgery_is_found(&forgery, "DECISION_MEANING");
    story_end(story);
}

static void a_round_that_is_taken_away_is_found(void **state)
{
    struct story *story = in_force();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.approve", RECORD, "engine", "{}", "{'" ROUND "': null}");
    forgery_is_found(&forgery, "ROUND_CHANGED");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_that_nobody_wrote_in_holds),
        cmocka_unit_test(a_draft_that_is_put_in_force_is_found),
        cmocka_unit_test(an_approval_that_no_round_granted_is_found),
        cmocka_unit_test(a_record_that_is_born_in_force_is_found),
        cmocka_unit_test(a_state_written_by_an_entry_about_something_else_is_found),
        cmocka_unit_test(a_record_that_is_taken_out_of_its_definition_is_found),
        cmocka_unit_test(a_definition_that_cannot_be_read_proves_nothing),
        cmocka_unit_test(a_record_that_begins_under_a_former_definition_is_found),
        cmocka_unit_test(a_round_with_a_vote_too_few_is_found),
        cmocka_unit_test(a_need_that_is_lowered_afterwards_is_found),
        cmocka_unit_test(a_need_that_was_low_from_the_beginning_is_found),
        cmocka_unit_test(somebody_who_is_asked_and_holds_no_role_for_it_is_found),
        cmocka_unit_test(a_vote_that_is_only_in_the_row_is_found),
        cmocka_unit_test(a_refusal_that_is_counted_as_a_grant_is_found),
        cmocka_unit_test(consent_by_silence_before_its_time_is_found),
        cmocka_unit_test(a_second_vote_by_a_second_key_is_found),
        cmocka_unit_test(one_key_that_votes_under_two_names_is_found),
        cmocka_unit_test(a_vote_of_somebody_who_was_not_asked_is_found),
        cmocka_unit_test(a_vote_of_somebody_whose_rights_had_ended_is_found),
        cmocka_unit_test(an_editor_who_approves_is_found),
        cmocka_unit_test(a_vote_in_the_place_of_somebody_who_never_delegated_is_found),
        cmocka_unit_test(a_vote_by_a_delegation_that_is_in_force_holds),
        cmocka_unit_test(a_vote_by_a_delegation_that_has_ended_is_found),
        cmocka_unit_test(a_vote_by_a_delegation_whose_days_are_over_is_found),
        cmocka_unit_test(a_delegation_that_ends_with_the_day_of_somewhere_else_is_found),
        cmocka_unit_test(a_vote_by_a_delegation_of_another_kind_or_role_is_found),
        cmocka_unit_test(a_delegation_that_nobody_gave_is_found),
        cmocka_unit_test(a_delegation_that_is_only_in_the_rows_is_found),
        cmocka_unit_test(content_that_is_exchanged_after_the_approval_is_found),
        cmocka_unit_test(content_that_is_exchanged_while_people_vote_is_found),
        cmocka_unit_test(a_day_of_review_that_is_put_off_is_found),
        cmocka_unit_test(a_digest_that_is_not_of_the_content_is_found),
        cmocka_unit_test(a_journal_of_when_the_day_of_review_was_signed_holds),
        cmocka_unit_test(a_figure_that_is_signed_and_exchanged_is_found),
        cmocka_unit_test(a_round_over_another_text_is_found),
        cmocka_unit_test(a_version_superseded_by_one_that_nobody_approved_is_found),
        cmocka_unit_test(a_list_of_what_counts_that_names_a_draft_is_found),
        cmocka_unit_test(a_vote_that_was_given_for_something_else_is_found),
        cmocka_unit_test(a_vote_of_an_earlier_round_is_found),
        cmocka_unit_test(a_decision_whose_meaning_is_left_out_is_found),
        cmocka_unit_test(a_round_that_is_taken_away_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
