/* test_complete.c - nothing is missing of the shipped pack: its kinds, its processes, its interactions, and a kind that
 * proves each clause of the standard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "definition/pack.h"

static struct pack *pack;

static int load(void **state)
{
    const char *root = getenv("ROTA_SOURCE");
    struct problems problems = {0};
    struct error err = {ERROR_NONE, ""};
    char path[4096];

    (void)state;
    snprintf(path, sizeof path, "%s/workflows", root != NULL ? root : ".");
    if (pack_load(path, &pack, &problems, &err) != 0)
        print_error("%s\n", err.text);
    problems_release(&problems);
    return pack == NULL;
}

static int release(void **state)
{
    (void)state;
    pack_free(&pack);
    return 0;
}

/* Says what is missing, and counts it. */
static int lacks(bool is_there, const char *what, const char *name)
{
    if (!is_there)
        print_error("the pack lacks %s %s\n", what, name);
    return !is_there;
}

static void every_kind_is_there_under_its_number(void **state)
{
    static const char *const KINDS[][3] = {{"D1", "SCP", "scope_statement"},
                                           {"D2", "EXC", "scope_exclusions"},
                                           {"D3", "CTX", "context_issues"},
                                           {"D4", "IPR", "interested_parties"},
                                           {"R1", "SRV", "scope_review"},
                                           {"R2", "SCH", "scope_change"},
                                           {"R3", "COM", "communication"},
                                           {"R4", "DCR", "doc_control"},
                                           {"R5", "EXA", "exclusion_authorization"},
                                           {"R6", "CTA", "context_analysis"},
                                           {"R7", "IPA", "party_analysis"},
                                           {"R8", "MRV", "management_review"},
                                           {"R9", "RAS", "risk_assessment"},
                                           {"R10", "LCA", "compliance_assessment"},
                                           {"S1", "POL", "policy"},
                                           {"S2", "DOC", "controlled_document"},
                                           {"S3", "SOA", "soa"},
                                           {"S4", "OBJ", "objective"},
                                           {"S5", "CTL", "control_implementation"},
                                           {"S6", "RAC", "risk_acceptance"},
                                           {"S7", "TRP", "training_plan"},
                                           {"S8", "TRA", "training_assignment"},
                                           {"S9", "ACK", "ack_campaign"},
                                           {"S10", "INC", "incident"},
                                           {"S11", "MET", "metric"},
                                           {"S12", "APG", "audit_programme"},
                                           {"S13", "AUD", "audit"},
                                           {"S14", "FND", "finding"},
                                           {"S15", "CAR", "corrective_action"},
                                           {"S16", "IMP", "improvement"},
                                           {"S17", "ACT", "action"},
                                           {"S18", "EXP", "exception"},
                                           {"S19", "EVD", "evidence"},
                                           {"S20", "RUN", "process_run"}};
    int missing = 0;

    (void)state;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        const struct kind *kind = pack_kind(pack, slice_str(KINDS[i][2]));

        missing +=
            lacks(kind != NULL && strcmp(kind->code, KINDS[i][0]) == 0, "the kind", KINDS[i][2]);
    }
    assert_int_equal(missing, 0);
}

static void every_interaction_is_there(void **state)
{
    static const char *const RULES[] = {
        "I1.1", "I1.2", "I1.3", "I1.4", "I2.1", "I2.2", "I2.3", "I2.4", "I3.1", "I3.2",
        "I3.3", "I3.4", "I3.5", "I4.1", "I4.2", "I4.3", "I4.4", "I4.5", "I4.6", "I4.7",
        "I5.1", "I5.2", "I5.3", "I5.4", "I5.5", "I6.1", "I6.2", "I6.3", "I6.4", "I6.5"};
    int missing = 0, k;

    (void)state;
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        for (k = 0; k < pack->rule_count && strcmp(pack->rules[k].name, RULES[i]) != 0; k++)
            ;
        missing += lacks(k < pack->rule_count, "the interaction", RULES[i]);
    }
    assert_int_equal(missing, 0);
}

static void every_process_is_there_and_its_kinds_are_run_by_one(void **state)
{
    static const char *const IDS[] = {"P1", "P2", "P3", "P4", "P5", "X1", "X2", "X3", "X4",
                                      "X5", "C1", "C2", "C3", "C4", "A1", "A2", "A3"};
    int missing = 0, k;

    (void)state;
    for (size_t i = 0; i < sizeof IDS / sizeof IDS[0]; i++)
        missing += lacks(pack_process(pack, slice_str(IDS[i])) != NULL, "the process", IDS[i]);
    for (int i = 0; i < pack->kind_count; i++) {
        const struct kind *kind = &pack->kinds[i];

        for (k = 0; k < pack->process_count; k++) {
            if (words_have(&pack->processes[k].runs, slice_str(kind->name)))
                break;
        }
        missing += lacks(k < pack->process_count || kind_is_run(kind),
                         "a process that runs the kind", kind->name);
    }
    assert_int_equal(missing, 0);
}

static void every_clause_is_proven_by_the_kinds_that_belong_to_it(void **state)
{
    static const char *const PROOFS[][7] = {
        {"4.1", "context_issues", "context_analysis"},
        {"4.2", "interested_parties", "party_analysis"},
        {"4.3", "scope_statement", "scope_exclusions", "scope_review", "scope_change",
         "exclusion_authorization"},
        {"4.4", "process_run", "scope_statement"},
        {"5.1", "policy", "management_review", "objective"},
        {"5.2", "policy", "ack_campaign"},
        {"5.3", "controlled_document"},
        {"6.1.1", "risk_assessment", "context_analysis", "action"},
        {"6.1.2", "risk_assessment"},
        {"6.1.3", "soa", "control_implementation", "risk_acceptance"},
        {"6.2", "objective"},
        {"6.3", "scope_change", "improvement"},
        {"7.1", "management_review"},
        {"7.2", "training_plan", "training_assignment"},
        {"7.3", "ack_campaign", "training_assignment"},
        {"7.4", "communication"},
        {"7.5.1", "controlled_document"},
        {"7.5.2", "controlled_document", "scope_review"},
        {"7.5.3", "doc_control"},
        {"8.1", "process_run", "control_implementation", "exception"},
        {"8.2", "risk_assessment"},
        {"8.3", "control_implementation"},
        {"9.1", "metric", "evidence"},
        {"9.2", "audit_programme", "audit", "finding"},
        {"9.3", "management_review"},
        {"10.1", "improvement"},
        {"10.2", "finding", "corrective_action"}};
    int missing = 0;

    (void)state;
    for (size_t i = 0; i < sizeof PROOFS / sizeof PROOFS[0]; i++) {
        for (int k = 1; k < 7 && PROOFS[i][k] != NULL; k++) {
            const struct kind *kind = pack_kind(pack, slice_str(PROOFS[i][k]));

            if (kind == NULL || !words_have(&kind->clauses, slice_str(PROOFS[i][0])))
                print_error("clause %s: ", PROOFS[i][0]);
            missing += lacks(kind != NULL && words_have(&kind->clauses, slice_str(PROOFS[i][0])),
                             "its proof by", PROOFS[i][k]);
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_there_under_its_number),
        cmocka_unit_test(every_interaction_is_there),
        cmocka_unit_test(every_process_is_there_and_its_kinds_are_run_by_one),
        cmocka_unit_test(every_clause_is_proven_by_the_kinds_that_belong_to_it),
    };

    return cmocka_run_group_tests(tests, load, release);
}
