/* test_story_references.c - stories of fields that name records: only what is there, and of a kind that fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/story.h"

static struct story *with_policy_and_dossier(void)
{
    struct story *story = story_begin();

    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'policy', 'title': 'Doors', 'fields': {'text': 'Lock them.', "
                         "'places': [{'name': 'Hall', 'inside': true}]}}"));
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'dossier', 'title': 'Doors', 'fields': {}}"));
    return story;
}

static int set(struct story *story, const char *fields)
{
    return story_do(story, "amara", "edit", "DOS-0001",
                    arena_printf(story_arena(story), "{'set': {%s}}", fields));
}

static void says(struct story *story, const char *part)
{
    if (strstr(story_sentence(story), part) == NULL)
        print_error("%s\n", story_sentence(story));
    assert_non_null(strstr(story_sentence(story), part));
}

static void a_document_is_named_with_a_version_that_exists_or_without_one(void **state)
{
    struct story *story = with_policy_and_dossier();

    (void)state;
    assert_done(set(story, "'policy': 'POL-0001'"));
    assert_done(set(story, "'policy': 'POL-0001@1.0'"));
    assert_refused(set(story, "'policy': 'POL-0001@2.0'"), 422, "guard-failed");
    says(story,
         "Field policy: there is no record POL-0001@2.0; the latest version is POL-0001@1.0.");
    assert_string_equal(story_field(story, "DOS-0001", "policy"), "POL-0001@1.0");
    assert_done(set(story, "'policy': null"));
    story_end(story);
}

static void what_is_not_there_is_refused_and_the_nearest_is_named(void **state)
{
    struct story *story = with_policy_and_dossier();

    (void)state;
    assert_refused(set(story, "'policy': 'POL-0002'"), 422, "guard-failed");
    says(story, "there is no record POL-0002; did you mean 'POL-0001'?");
    assert_refused(set(story, "'policy': 'pol-1'"), 422, "guard-failed");
    says(story, "did you mean 'POL-0001'?");
    assert_refused(set(story, "'policy': 'POL 0001'"), 422, "guard-failed");
    says(story, "did you mean 'POL-0001'?");
    assert_refused(set(story, "'policy': 'the policy of doors'"), 422, "guard-failed");
    says(story, "`rota list` shows those that exist.");
    assert_refused(set(story, "'policy': ''"), 422, "guard-failed");
    assert_refused(set(story, "'policy': 7"), 422, "guard-failed");
    /* What stands beside a record is none. */
    assert_done(story_do(story, "amara", "submit", "POL-0001", NULL));
    assert_refused(set(story, "'anything': ['POL-0001@1.0/round/1']"), 422, "guard-failed");
    story_end(story);
}

static void a_record_of_another_kind_is_refused(void **state)
{
    struct story *story = with_policy_and_dossier();

    (void)state;
    assert_refused(set(story, "'policy': 'DOS-0001'"), 422, "guard-failed");
    says(story, "Field policy: DOS-0001 is of kind \"Dossier\"; \"Policy\" is expected here.");
    assert_refused(set(story, "'pages': [{'about': 'POL-0001'}]"), 422, "guard-failed");
    says(story, "Field about: POL-0001 is of kind \"Policy\"; \"Finding or Inspection\" is");
    story_end(story);
}

static void lists_and_cells_are_looked_at_as_well(void **state)
{
    struct story *story = with_policy_and_dossier();

    (void)state;
    assert_done(set(story, "'anything': ['POL-0001', 'DOS-0001']"));
    assert_refused(set(story, "'anything': ['POL-0001', 'DOS-0003']"), 422, "guard-failed");
    says(story, "Field anything: there is no record DOS-0003; did you mean 'DOS-0001'?");
    assert_done(set(story, "'pages': [{'also': ['POL-0001']}]"));
    assert_refused(set(story, "'pages': [{}, {'also': ['POL-0001', 'POL-0009']}]"), 422,
                   "guard-failed");
    says(story, "Field also: there is no record POL-0009");
    story_end(story);
}

static void it_is_asked_of_every_way_in(void **state)
{
    struct story *story = with_policy_and_dossier();

    (void)state;
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'dossier', 'title': 'Locks', "
                            "'fields': {'policy': 'POL-0007'}}"),
                   422, "guard-failed");
    assert_refused(story_do(story, "amara", "call", "DOS-0001", "{'set': {'policy': 'POL-0007'}}"),
                   422, "guard-failed");
    assert_refused(story_do(story, "amara", "call", "DOS-0001", "{'policy': 'POL-0007'}"), 422,
                   "guard-failed");
    assert_done(story_do(story, "amara", "call", "DOS-0001", "{'set': {'policy': 'POL-0001'}}"));
    /* A link that is given by hand as well. */
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'dossier', 'title': 'Locks', 'fields': {}, "
                            "'links': [['about', 'POL-0002']]}"),
                   404, "no-record");
    says(story, "There is no record POL-0002; did you mean 'POL-0001'?");
    story_end(story);
}

static void a_table_that_goes_by_its_hash_is_looked_at_as_well(void **state)
{
    static const char table[] = "\x92\x80\x81\xa5"
                                "about\xa8"
                                "FND-0001";
    struct story *story = with_policy_and_dossier();
    const char *hash = story_content(story, table);

    (void)state;
    assert_refused(
        set(story, arena_printf(story_arena(story), "'pages': {'size': %d, 'content': 'hex:%s'}",
                                (int)sizeof table - 1, hash)),
        422, "guard-failed");
    says(story, "Field about: there is no record FND-0001");
    assert_done(story_do(story, "dana", "open", NULL,
                         "{'kind': 'finding', 'title': 'Open door', 'fields': "
                         "{'weight': 'minor', 'answers': 'finn'}}"));
    assert_done(
        set(story, arena_printf(story_arena(story), "'pages': {'size': %d, 'content': 'hex:%s'}",
                                (int)sizeof table - 1, hash)));
    story_end(story);
}

static void an_import_that_names_what_is_not_there_is_refused(void **state)
{
    static const struct story_change changes[] = {
        {"finding.cfg", "note = { type = \"text\"; };",
         "note = { type = \"text\"; }; of_audit = { type = \"ref\"; of = [\"audit\"]; };"},
        {NULL, NULL, NULL}};
    static const char file[] =
        "{'tool': 'scanner', 'format': 'sarif', 'sha256': "
        "'c196440b29610413dc77d6d85432b61ed112f31cdaf4350b0b37a00a51c2274a', 'findings': "
        "[{'dedupe_key': 'a', 'title': 'Door', 'fields': {'weight': 'minor', 'answers': 'finn', "
        "'of_audit': '%s'}}]}";
    struct story *story = story_begin();

    (void)state;
    assert_done(story_install_agreed(story, "amara", "Findings name their audit.", changes));
    assert_done(
        story_do(story, "dana", "open", NULL, "{'kind': 'audit', 'title': 'Doors', 'fields': {}}"));
    assert_done(story_do(story, "dana", "begin", "AUD-0001", NULL));
    assert_refused(story_do(story, "dana", "audit.import", "AUD-0001",
                            arena_printf(story_arena(story), file, "AUD-0002")),
                   422, "guard-failed");
    says(story, "Field of_audit: there is no record AUD-0002; did you mean 'AUD-0001'?");
    assert_done(story_do(story, "dana", "audit.import", "AUD-0001",
                         arena_printf(story_arena(story), file, "AUD-0001")));
    story_end(story);
}

static void a_group_is_a_role_that_there_is(void **state)
{
    struct story *story = story_begin();

    (void)state;
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'errand', 'title': 'Keys', 'fields': {'roles': "
                            "['employee', 'top_managment']}}"),
                   422, "guard-failed");
    says(story, "Field roles: there is no role \"top_managment\"; did you mean 'top_management'?");
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'errand', 'title': 'Keys', 'fields': {'roles': ['']}}"),
                   422, "guard-failed");
    assert_refused(story_do(story, "amara", "open", NULL,
                            "{'kind': 'errand', 'title': 'Keys', 'fields': {'roles': [7]}}"),
                   422, "guard-failed");
    assert_done(story_do(story, "amara", "open", NULL,
                         "{'kind': 'errand', 'title': 'Keys', 'fields': {'roles': ['employee']}}"));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_named_with_a_version_that_exists_or_without_one),
        cmocka_unit_test(what_is_not_there_is_refused_and_the_nearest_is_named),
        cmocka_unit_test(a_record_of_another_kind_is_refused),
        cmocka_unit_test(lists_and_cells_are_looked_at_as_well),
        cmocka_unit_test(it_is_asked_of_every_way_in),
        cmocka_unit_test(a_table_that_goes_by_its_hash_is_looked_at_as_well),
        cmocka_unit_test(an_import_that_names_what_is_not_there_is_refused),
        cmocka_unit_test(a_group_is_a_role_that_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
