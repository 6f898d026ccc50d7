/* test_story_forged_deed.c - attempts at a signed event that is no vote (a finding confirmed), a migration or an erasure by nobody who
 * may, by somebody who has the database, the engine's keys, the engine itself and a genuine key of his own (finn's); and what
 * rota-verify says to each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "core/forgery.h"

#define RECORD "FND-0001"
#define CONFIRMED "{'': {'state': 'open', 'stage': 'open'}}"

static const char *const finding =
    "{'kind': 'finding', 'title': 'Door', 'fields': {'weight': 'major', 'answers': 'bo'}}";

static struct story *with_a_finding(void)
{
    struct story *story = story_begin_enrolled();

    assert_done(story_do(story, "amara", "open", NULL, finding));
    return story;
}

static void by_the_engine_is_found(void **state)
{
    struct story *story = with_a_finding();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.confirm", RECORD, "engine", "{}", CONFIRMED);
    forgery_is_found(&forgery, "MOVE_BY");
    story_end(story);
}

static void by_somebody_who_has_no_role_for_it_is_found(void **state)
{
    struct story *story = with_a_finding();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf;

    (void)state;
    leaf = forgery_add(forgery, "record.confirm", RECORD, "finn", "{'meaning': 'confirmed'}",
                       CONFIRMED);
    forgery_sign(forgery, leaf, "finn");
    forgery_is_found(&forgery, "MOVE_BY");
    story_end(story);
}

/* Amara may, and has not signed: a genuine signature of somebody else's stands there. */
static void without_her_signature_is_found(void **state)
{
    struct story *story = with_a_finding();
    struct forgery *forgery = forgery_begin(story);
    struct leaf *leaf;

    (void)state;
    forgery_add(forgery, "record.confirm", RECORD, "amara", "{}", CONFIRMED);
    forgery_is_found(&forgery, "DECISION_MEANING");
    forgery = forgery_begin(story);
    leaf = forgery_add(forgery, "record.confirm", RECORD, "finn",
                       "{'meaning': 'confirmed', 'for': 'amara'}", CONFIRMED);
    forgery_sign(forgery, leaf, "finn");
    forgery_is_found(&forgery, "MOVE_BY");
    story_end(story);
}

/* By whoever may, as the engine takes it. */
static void by_who_may_holds(void **state)
{
    struct story *story = with_a_finding();
    struct forgery *forgery;

    (void)state;
    assert_done(story_sign(story, "amara", "confirm", RECORD, NULL));
    forgery = forgery_begin(story);
    forgery_holds(&forgery);
    story_end(story);
}

static void a_migration_to_where_it_is_already_is_found(void **state)
{
    static const char *const who[] = {"engine", "finn", "amara"};
    struct story *story = with_a_finding();

    (void)state;
    for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
        struct forgery *forgery = forgery_begin(story);

        forgery_add(forgery, "record.migrate", RECORD, who[i], "{}", CONFIRMED);
        forgery_is_found(&forgery, "MOVE_BY");
    }
    story_end(story);
}

/* Its state stays, and what lists and conditions look at says that it is closed. */
static void a_stage_that_is_not_the_states_is_found(void **state)
{
    struct story *story = with_a_finding();
    struct forgery *forgery = forgery_begin(story);

    (void)state;
    forgery_add(forgery, "record.edit", RECORD, "amara", "{}", "{'': {'stage': 'closed'}}");
    forgery_is_found(&forgery, "MOVE_UNKNOWN");
    story_end(story);
}

/* What a record says is taken away, as if it had been disposed of. */
static void a_text_that_nothing_erases_is_found(void **state)
{
    struct story *story = with_a_finding();
    struct forgery *forgery;
    const struct value *reason;
    char hex[2 * HASH_LEN + 1], stream[sizeof "content/" + sizeof hex];
    struct leaf *leaf;
    struct slice hash;

    (void)state;
    assert_done(story_do(story, "amara", "edit", RECORD,
                         "{'set': {'note': 'So.'}, 'reason': " STORY_REASON "}"));
    forgery = forgery_begin(story);
    reason = value_get(&forgery_leaf(forgery, "record.edit", NULL, 1)->body, "reason");
    hash = value_get_bin(reason, "content");
    assert_int_equal(hash.len, HASH_LEN);
    hex_encode(hash, hex);
    snprintf(stream, sizeof stream, "content/%s", hex);
    leaf = forgery_add(forgery, "content.redacted", stream, "engine", "{'record': '" RECORD "'}",
                       "{'': {'erased': {'event': 'dispose'}}}");
    forgery_set(forgery, &leaf->body, "hash", value_bin(hash.at, HASH_LEN));
    leaf->cause = 0;
    forgery_is_found(&forgery, "ERASED");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_engine_is_found),
        cmocka_unit_test(by_somebody_who_has_no_role_for_it_is_found),
        cmocka_unit_test(without_her_signature_is_found),
        cmocka_unit_test(by_who_may_holds),
        cmocka_unit_test(a_migration_to_where_it_is_already_is_found),
        cmocka_unit_test(a_stage_that_is_not_the_states_is_found),
        cmocka_unit_test(a_text_that_nothing_erases_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
