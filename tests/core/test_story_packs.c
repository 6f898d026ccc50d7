/* test_story_packs.c - definitions change: who may install which, and what becomes of the records that are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/story.h"

#define WHY "Reviews twice a year."

static const struct story_change six_months[] = {
    {"document.cfg", "every = \"12 months\"", "every = \"6 months\""}, {NULL, NULL, NULL}};

/* How many records there are under the pack of this one. */
static int64_t governed_by(struct story *story, const char *record)
{
    const struct value *records =
        value_get(story_ask(story, "amara", "packs", "{'count': true}"), "records");
    char hex[2 * HASH_LEN + 1];

    hex_encode(value_get_bin(story_row(story, record), "pack"), hex);
    return value_get_int(records, hex, 0);
}

static void a_pack_is_installed_by_the_isms_manager_and_for_a_reason(void **state)
{
    struct story *story = story_begin();
    const struct value *packs;

    (void)state;
    assert_refused(story_install(story, "bo", WHY, six_months), 403, "not-allowed");
    assert_refused(story_install(story, "amara", NULL, six_months), 422, "guard-failed");
    assert_done(story_install_agreed(story, "amara", WHY, six_months));
    assert_string_equal(story_leaf_type(story, 0), "pack.installed");
    assert_refused(story_install(story, "amara", WHY, six_months), 409, "wrong-state");
    packs = story_ask(story, "amara", "packs", "{}");
    assert_int_equal(packs->count, 2);
    for (uint32_t i = 0; i < packs->count; i++) {
        const struct value *pack = &packs->as.items[i];
        bool is_first = slice_is(value_get_text(pack, "by"), "engine");

        assert_int_equal(value_get_bool(pack, "current", false), !is_first);
        assert_int_equal(value_get(pack, "reason") != NULL, !is_first);
        assert_true(slice_is(value_get_text(pack, "version"), "1.0"));
    }
    story_end(story);
}

static void a_record_stays_under_the_pack_that_it_was_opened_under(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'One', 'fields': {'text': 'So be it.'}}"));
    assert_done(story_install_agreed(story, "amara", WHY, six_months));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Two', 'fields': {'text': 'So be it.'}}"));
    assert_done(story_do(story, "amara", "edit", "POL-0001", "{'set': {'grade': 'high'}}"));
    assert_false(slice_equal(value_get_bin(story_row(story, "POL-0001@1.0"), "pack"),
                             value_get_bin(story_row(story, "POL-0002@1.0"), "pack")));
    assert_int_equal(governed_by(story, "POL-0001@1.0"), 1);
    assert_int_equal(governed_by(story, "POL-0002@1.0"), 1);
    story_end(story);
}

static void a_kind_with_records_cannot_leave_the_pack(void **state)
{
    static const struct story_change renamed[] = {
        {"audit.cfg", "name = \"audit\"; prefix", "name = \"look\"; prefix"}, {NULL, NULL, NULL}};
    static const struct story_change other_prefix[] = {
        {"audit.cfg", "prefix = \"AUD\"", "prefix = \"AU\""}, {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL, "{'kind': 'audit', 'title': 'Yearly'}"));
    assert_refused(story_install(story, "amara", WHY, renamed), 409, "wrong-state");
    assert_string_equal(
        story_sentence(story),
        "The pack does not define the kind audit, and there is 1 record of it (AUD-0001, for one). "
        "Leave the kind as it is; so that no more of them are opened, give its `create` to a role "
        "that nobody holds.");
    assert_refused(story_install(story, "amara", WHY, other_prefix), 409, "wrong-state");
    story_end(story);
}

static void a_kind_of_which_there_never_was_a_record_may_go(void **state)
{
    static const struct story_change renamed[] = {
        {"audit.cfg", "name = \"audit\"; prefix", "name = \"look\"; prefix"}, {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install_agreed(story, "amara", WHY, renamed));
    story_end(story);
}

/* ---- migration ---- */

#define OPEN_POLICY                                                                                \
    "{'kind': 'policy', 'title': 'Desks', 'fields': {'text': 'Lock it away.', "                    \
    "'places': [{'name': 'Lyon', 'inside': true}]}}"

static struct story *with_policy(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL, OPEN_POLICY));
    return story;
}

static struct story *with_policy_in_force(void)
{
    struct story *story = with_policy();

    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_do(story, "eve", "put_in_force", "POL-0001", NULL));
    return story;
}

/* Args of `migrate` with a reason; `more` begins with a comma, or is empty. */
static const char *because(struct story *story, const char *more)
{
    return arena_printf(story_arena(story), "{'reason': {'content': 'hex:%s', 'size': 4}%s}",
                        story_content(story, "Why."), more);
}

static int migrate(struct story *story, const char *record, const char *more)
{
    return story_do(story, "amara", "migrate", record, because(story, more));
}

/* The plan of one record, asked with `more` in its arguments. */
static const struct value *plan_of(struct story *story, const char *record, const char *more)
{
    const char *args = arena_printf(story_arena(story), "{'record': '%s'%s}", record, more);
    const struct value *answer = story_ask(story, "amara", "migration", args);

    return &value_get(answer, "items")->as.items[0];
}

static const char *verdict_of(struct story *story, const char *record, const char *more)
{
    return value_get_str(plan_of(story, record, more), "verdict", "", story_arena(story));
}

static const char *why_of(struct story *story, const char *record, const char *more)
{
    const struct value *why = value_get(plan_of(story, record, more), "why");

    return why != NULL
               ? arena_copy(story_arena(story), why->as.items[0].as.text, why->as.items[0].count)
               : "";
}

static int64_t due_of(struct story *story, const char *record, const char *timer)
{
    const struct value *entry = value_get(value_get(story_row(story, record), "timers"), timer);

    return entry != NULL ? entry->as.items[0].as.number : -1;
}

static void a_shorter_period_moves_the_review_of_what_is_in_force(void **state)
{
    struct story *story = with_policy_in_force();
    struct value before;
    const struct value *plan;
    int64_t due = due_of(story, "POL-0001@1.0", "review");

    (void)state;
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2027-03-02");
    before = value_copy(story_arena(story), story_row(story, "POL-0001@1.0"));
    assert_done(story_install_agreed(story, "amara", WHY, six_months));
    plan = plan_of(story, "POL-0001@1.0", "");
    assert_true(slice_is(value_get_text(plan, "verdict"), "maps"));
    assert_int_equal(value_get(plan, "timers")->count, 1);
    assert_int_equal(value_get_int(&value_get(plan, "timers")->as.items[0], "from_ms", 0), due);
    assert_true(value_equal(&before, story_row(story, "POL-0001@1.0"))); /* it was only asked */

    assert_refused(story_do(story, "bo", "migrate", "POL-0001", because(story, "")), 403,
                   "not-allowed");
    assert_refused(story_do(story, "amara", "migrate", "POL-0001", NULL), 422, "guard-failed");
    assert_done(migrate(story, "POL-0001", ""));
    assert_string_equal(story_leaf_type(story, 0), "record.migrate");
    assert_string_equal(story_field(story, "POL-0001", "next_review_due"), "2026-09-02");
    assert_true(due_of(story, "POL-0001@1.0", "review") < due);
    assert_string_equal(story_fact(story, "POL-0001", "state"), "in_force");
    assert_false(slice_equal(value_get_bin(&before, "digest"),
                             value_get_bin(story_row(story, "POL-0001@1.0"), "digest")));
    assert_refused(migrate(story, "POL-0001", ""), 422, "guard-failed");

    assert_done(story_do(story, "amara", "migrate_back", "POL-0001", because(story, "")));
    for (uint32_t i = 0; i < before.count; i++) {
        struct slice key = before.as.pairs[i].key;

        if (!slice_is(key, "rev") && !slice_is(key, "last") && !slice_is(key, "changed_ms"))
            assert_true(value_equal(&before.as.pairs[i].value,
                                    value_find(story_row(story, "POL-0001@1.0"), key)));
    }
    assert_null(value_get(story_row(story, "POL-0001@1.0"), "migrated"));
    assert_refused(story_do(story, "amara", "migrate_back", "POL-0001", because(story, "")), 409,
                   "wrong-state");
    story_end(story);
}

static void what_has_followed_a_migration_bars_the_way_back(void **state)
{
    struct story *story = with_policy_in_force();

    (void)state;
    assert_done(story_install_agreed(story, "amara", WHY, six_months));
    assert_done(migrate(story, "POL-0001", ""));
    assert_done(story_do(story, "finn", "ack", "POL-0001", "{}"));
    assert_refused(story_do(story, "amara", "migrate_back", "POL-0001", because(story, "")), 409,
                   "wrong-state");
    story_until(story, "2026-08-03T09:00:00Z"); /* 30 days before the new review date */
    assert_string_equal(story_fact(story, "POL-0001", "state"), "under_review");
    story_end(story);
}

static void a_round_that_is_open_is_voided_openly_or_not_at_all(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_install_agreed(story, "amara", WHY, six_months));
    assert_string_equal(verdict_of(story, "POL-0001", ""), "decide");
    assert_refused(migrate(story, "POL-0001", ""), 422, "guard-failed");
    assert_int_equal(
        value_get_int(plan_of(story, "POL-0001", ", 'void_round': true"), "votes_void", -1), 1);
    assert_done(migrate(story, "POL-0001", ", 'void_round': true"));
    assert_refused(story_do(story, "cleo", "approve", "POL-0001", NULL), 409, "wrong-state");
    assert_string_equal(story_fact(story, "POL-0001", "phase"), "editing");
    /* And its own definition is what the next one is under. */
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_string_equal(story_fact(story, "POL-0001", "state"), "approved");
    story_end(story);
}

static void what_was_to_be_approved_together_is_not_approved_without_it(void **state)
{
    static const struct story_change next[] = {
        {"rounds.cfg", "version = \"1.0\"", "version = \"1.1\""}, {NULL, NULL, NULL}};
    struct story *story = story_begin_with("tests/core/pack_rounds");

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, "{'kind': 'charter', 'title': 'Charter'}"));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'annex', 'title': 'Annex', 'fields': {'signers': ['bo']}}"));
    assert_done(story_do(story, "amara", "submit", "CHA-0001", "{'with': ['ANX-0001']}"));
    assert_done(story_install_agreed(story, "amara", WHY, next));
    assert_done(migrate(story, "CHA-0001", ", 'void_round': true"));
    assert_string_equal(story_fact(story, "CHA-0001", "bundle"), "");
    assert_string_equal(story_fact(story, "ANX-0001", "bundle"), "");
    assert_string_equal(story_fact(story, "ANX-0001", "phase"), "editing");
    story_end(story);
}

static void what_is_approved_is_put_in_force_by_the_rules_it_was_approved_under(void **state)
{
    struct story *story = with_policy();

    (void)state;
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_done(story_sign(story, "bo", "approve", "POL-0001", NULL));
    assert_done(story_sign(story, "cleo", "approve", "POL-0001", NULL));
    assert_done(story_install_agreed(story, "amara", WHY, six_months));
    assert_string_equal(verdict_of(story, "POL-0001", ""), "refused");
    assert_refused(migrate(story, "POL-0001", ""), 422, "guard-failed");
    story_end(story);
}

static void a_state_that_is_gone_is_asked_for_and_no_stage_is_jumped(void **state)
{
    static const struct story_change renamed[] = {{"finding.cfg", "\"raised\"", "\"reported\""},
                                                  {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'finding', 'title': 'Doors', 'fields': {'weight': 'minor', "
                         "'answers': 'finn'}}"));
    assert_done(story_install_agreed(story, "amara", WHY, renamed));
    assert_string_equal(verdict_of(story, "FND-0001", ""), "decide");
    assert_string_equal(why_of(story, "FND-0001", ""),
                        "There is no state raised; say where it goes: --map raised=STATE "
                        "(reported).");
    assert_string_equal(verdict_of(story, "FND-0001", ", 'map': {'raised': 'open'}"), "decide");
    assert_refused(migrate(story, "FND-0001", ", 'map': {'raised': 'open'}"), 422, "guard-failed");
    assert_done(migrate(story, "FND-0001", ", 'map': {'raised': 'reported'}"));
    assert_string_equal(story_fact(story, "FND-0001", "state"), "reported");
    assert_done(story_sign(story, "amara", "confirm", "FND-0001", NULL));
    story_end(story);
}

static void a_field_that_only_newer_workflows_have_is_said_to_be_theirs(void **state)
{
    static const struct story_change changed[] = {
        {"finding.cfg", "due = { type", "level = { type = \"int\"; }; due = { type"},
        {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL, "{'kind': 'finding', 'title': 'Doors'}"));
    assert_refused(story_do(story, "dana", "edit", "FND-0001", "{'set': {'level': 3}}"), 422,
                   "guard-failed");
    assert_null(strstr(story_sentence(story), "migration"));
    assert_done(story_install_agreed(story, "amara", WHY, changed));
    assert_refused(story_do(story, "dana", "edit", "FND-0001", "{'set': {'level': 3}}"), 422,
                   "guard-failed");
    assert_non_null(strstr(story_sentence(story), "those that count now have it"));
    story_end(story);
}

static void fields_come_and_go_and_what_is_required_is_asked_for(void **state)
{
    static const struct story_change changed[] = {
        {"finding.cfg", "note = { type = \"text\"; };", "remark = { type = \"text\"; };"},
        {"finding.cfg", "[\"note\"]", "[\"remark\"]"},
        {"finding.cfg", "due = { type",
         "area = { type = \"enum\"; of = [\"doors\", \"desks\"]; required = true; }; "
         "level = { type = \"int\"; preset = 3; }; due = { type"},
        {NULL, NULL, NULL}};
    struct story *story = story_begin();
    const struct value *plan;

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'finding', 'title': 'Doors', 'fields': {'weight': 'minor', "
                         "'answers': 'finn', 'note': 'Ajar.'}}"));
    assert_done(story_sign(story, "amara", "confirm", "FND-0001", NULL));
    assert_done(story_install_agreed(story, "amara", WHY, changed));
    assert_string_equal(why_of(story, "FND-0001", ""), "Field area is required now: area=VALUE.");
    assert_string_equal(verdict_of(story, "FND-0001", ", 'set': {'area': 'roofs'}"), "decide");
    assert_string_equal(verdict_of(story, "FND-0001", ", 'set': {'weight': 'major'}"), "refused");
    plan = plan_of(story, "FND-0001", ", 'set': {'area': 'doors'}");
    assert_true(slice_is(value_get_text(plan, "verdict"), "maps"));
    assert_true(value_has_text(value_get(plan, "dropped"), slice_str("note")));
    assert_true(value_has_text(value_get(plan, "added"), slice_str("area")));
    assert_done(migrate(story, "FND-0001", ", 'set': {'area': 'doors'}"));
    assert_string_equal(story_field(story, "FND-0001", "note"), "");
    assert_string_equal(story_field(story, "FND-0001", "level"), "3");
    assert_done(story_do(story, "amara", "migrate_back", "FND-0001", because(story, "")));
    assert_string_equal(story_field(story, "FND-0001", "note"), "Ajar.");
    assert_string_equal(story_field(story, "FND-0001", "area"), "");
    assert_string_equal(story_field(story, "FND-0001", "level"), "");
    story_end(story);
}

static void what_was_signed_keeps_its_content(void **state)
{
    static const struct story_change without_places[] = {
        {"document.cfg", "places = { type = \"table\"; columns",
         "rooms = { type = \"table\"; columns"},
        {"document.cfg", "record.places.exists", "record.rooms.exists"},
        {NULL, NULL, NULL}};
    static const struct story_change with_more[] = {
        {"document.cfg", "count = { type",
         "basis = { type = \"text\"; required = true; }; count = { type"},
        {NULL, NULL, NULL}};
    struct story *story = with_policy_in_force();

    (void)state;
    assert_done(story_install_agreed(story, "amara", WHY, without_places));
    assert_string_equal(verdict_of(story, "POL-0001", ""), "refused");
    assert_done(story_install_agreed(story, "amara", WHY, with_more));
    assert_string_equal(why_of(story, "POL-0001", ""),
                        "Field basis is required now, and the content of this record is signed.");
    assert_refused(migrate(story, "POL-0001", ", 'set': {'basis': 'None'}"), 422, "guard-failed");
    /* Its next version is born under the newest definition. */
    assert_done(story_do(story, "amara", "decide_change", "POL-0001", because(story, "")));
    assert_true(slice_equal(value_get_bin(story_row(story, "POL-0001@2.0"), "pack"),
                            value_get_bin(story_row(story, "pack"), "current")));
    story_end(story);
}

static void a_ladder_does_not_take_a_step_twice(void **state)
{
    static const struct story_change more_steps[] = {
        {"action.cfg", "steps = ( { after = \"-7 days\"",
         "steps = ( { after = \"-14 days\"; tell = [\"assignee\"]; message = \"late\"; }, { after "
         "= \"-7 days\""},
        {"action.cfg", "after = \"14 days\"", "after = \"10 days\""},
        {NULL, NULL, NULL}};
    struct story *story = story_begin();
    int told;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'action', 'title': 'Mend', 'fields': {'task': 'Mend it.', "
                         "'assignee': 'finn', 'due': '2026-04-01'}}"));
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "assigned");
    story_until(story, "2026-03-26T09:00:00Z"); /* the step of a week before has been taken */
    assert_done(story_install_agreed(story, "amara", WHY, more_steps));
    assert_done(migrate(story, "ACT-0001", ""));
    told = story_task_count(story, "communication.deliver", "ACT-0001");
    story_wake(story);
    assert_int_equal(story_task_count(story, "communication.deliver", "ACT-0001"), told);
    assert_string_equal(story_fact(story, "ACT-0001", "state"), "assigned");
    story_until(story, "2026-04-11T09:00:00Z");
    assert_true(story_task_count(story, "communication.deliver", "ACT-0001") > told);
    story_end(story);
}

static void a_migration_is_signed_where_the_pack_demands_it(void **state)
{
    static const struct story_change signed_moves[] = {
        {"pack.cfg", "timezone = \"UTC\";",
         "timezone = \"UTC\"; migrate_by = [\"top_management\"]; migrate_meaning = \"confirmed\";"},
        {NULL, NULL, NULL}};
    struct story *story = with_policy();

    (void)state;
    assert_done(story_install_agreed(story, "amara", WHY, signed_moves));
    assert_refused(migrate(story, "POL-0001", ""), 403, "not-allowed");
    assert_refused(story_do(story, "bo", "migrate", "POL-0001", because(story, "")), 403,
                   "not-allowed");
    assert_done(story_sign(story, "bo", "migrate", "POL-0001", because(story, "")));
    assert_true(story_is_repetition(story));
    assert_refused(story_sign_forged(story, "bo", "cleo", "migrate_back", "POL-0001"), 422,
                   "guard-failed");
    assert_done(story_sign(story, "bo", "migrate_back", "POL-0001", because(story, "")));
    story_end(story);
}

static void a_gate_that_waits_does_not_vanish(void **state)
{
    static const struct story_change renamed[] = {
        {"finding.cfg", "event = \"close\"", "event = \"end\""},
        {"interactions.cfg", "gate = \"close\"", "gate = \"end\""},
        {NULL, NULL, NULL}};
    struct story *story = story_begin();

    (void)state;
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'finding', 'title': 'Doors', 'fields': {'weight': 'major', "
                         "'answers': 'finn'}}"));
    assert_done(story_sign(story, "amara", "confirm", "FND-0001", NULL));
    assert_string_equal(story_fact(story, "FND-0001", "state"), "open");
    assert_done(story_install_agreed(story, "amara", WHY, renamed));
    assert_string_equal(verdict_of(story, "FND-0001", ""), "refused");
    story_end(story);
}

static void only_records_of_another_pack_that_are_not_closed_are_listed(void **state)
{
    struct story *story = with_policy();
    const struct value *answer;

    (void)state;
    assert_done(story_do(story, "amara", "open", NULL, OPEN_POLICY));
    assert_done(story_do(story, "amara", "withdraw", "POL-0002", because(story, "")));
    assert_done(story_install_agreed(story, "amara", WHY, six_months));
    assert_done(story_do(story, "amara", "open", NULL, OPEN_POLICY));
    answer = story_ask(story, "amara", "migration", "{}");
    assert_int_equal(value_get(answer, "items")->count, 1);
    answer = story_ask(story, "amara", "migration", "{'closed': true, 'limit': 1}");
    assert_int_equal(value_get(answer, "items")->count, 1);
    assert_true(slice_is(value_get_text(answer, "after"), "POL-0001@1.0"));
    answer = story_ask(story, "amara", "migration", "{'closed': true, 'after': 'POL-0001@1.0'}");
    assert_int_equal(value_get(answer, "items")->count, 1);
    answer = story_ask(story, "amara", "migration", "{'kind': 'audit'}");
    assert_int_equal(value_get(answer, "items")->count, 0);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_is_installed_by_the_isms_manager_and_for_a_reason),
        cmocka_unit_test(a_record_stays_under_the_pack_that_it_was_opened_under),
        cmocka_unit_test(a_kind_with_records_cannot_leave_the_pack),
        cmocka_unit_test(a_kind_of_which_there_never_was_a_record_may_go),
        cmocka_unit_test(a_shorter_period_moves_the_review_of_what_is_in_force),
        cmocka_unit_test(what_has_followed_a_migration_bars_the_way_back),
        cmocka_unit_test(a_round_that_is_open_is_voided_openly_or_not_at_all),
        cmocka_unit_test(what_was_to_be_approved_together_is_not_approved_without_it),
        cmocka_unit_test(what_is_approved_is_put_in_force_by_the_rules_it_was_approved_under),
        cmocka_unit_test(a_state_that_is_gone_is_asked_for_and_no_stage_is_jumped),
        cmocka_unit_test(a_field_that_only_newer_workflows_have_is_said_to_be_theirs),
        cmocka_unit_test(fields_come_and_go_and_what_is_required_is_asked_for),
        cmocka_unit_test(what_was_signed_keeps_its_content),
        cmocka_unit_test(a_ladder_does_not_take_a_step_twice),
        cmocka_unit_test(a_migration_is_signed_where_the_pack_demands_it),
        cmocka_unit_test(a_gate_that_waits_does_not_vanish),
        cmocka_unit_test(only_records_of_another_pack_that_are_not_closed_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
