/* Lynis reports as they really are: each test is one oddity and what comes of it. */

#include "audit/lynis.h"
#include "audit/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "report_version_major=1\nreport_datetime_start=2026-11-20 06:25:11\nlynis_version=3.0.8\n"     \
    "hostname=build-01.example\nhostid=5d7c\n"
#define TAIL "finish=true\n"

static struct arena arena;

static struct value read_text(const char *text)
{
    struct value out = VALUE_NONE;
    struct error err = {ERROR_NONE, ""};

    assert_int_equal(lynis_read(&arena, slice_str(text), NULL, &out, &err), 0);
    return out;
}

static const struct value *finding(const struct value *report, uint32_t i)
{
    const struct value *findings = value_get(report, "findings");

    assert_true(i < findings->count);
    return &findings->as.items[i];
}

static const char *field(const struct value *report, uint32_t i, const char *name)
{
    return value_get_str(value_get(finding(report, i), "fields"), name, "(none)", &arena);
}

static int64_t count(const struct value *report, const char *name)
{
    return value_get_int(value_get(report, "counts"), name, -1);
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void a_warning_is_a_minor_nonconformity_and_a_suggestion_an_opportunity(void **state)
{
    struct value report =
        read_text(HEAD "warning[]=PKGS-7392|Found vulnerable packages.|-|-|\n"
                       "suggestion[]=BANN-7126|Add a banner|-|text:Do it|\n" TAIL);

    (void)state;
    assert_int_equal(count(&report, "findings"), 2);
    assert_string_equal(field(&report, 0, "classification"), "minor_nc");
    assert_string_equal(field(&report, 0, "severity"), "medium");
    assert_string_equal(field(&report, 0, "criterion"), "A.8.8");
    assert_string_equal(field(&report, 0, "source"), "import_scan");
    assert_string_equal(field(&report, 0, "found_on"), "2026-11-20");
    assert_string_equal(field(&report, 0, "location"), "build-01.example");
    assert_string_equal(field(&report, 0, "solution"), "(none)");
    assert_string_equal(field(&report, 1, "classification"), "opportunity");
    assert_string_equal(field(&report, 1, "severity"), "low");
    assert_string_equal(field(&report, 1, "criterion"), "A.5.10");
    assert_string_equal(field(&report, 1, "solution"), "text:Do it");
    assert_true(value_get_bool(&report, "complete", false));
}

static void a_pipe_in_the_text_belongs_to_the_text(void **state)
{
    struct value report = read_text(
        HEAD "suggestion[]=LOGG-2154|Log to a host (syslog | journald) now|see it|do it|\n" TAIL);

    (void)state;
    assert_string_equal(value_get_str(finding(&report, 0), "title", "", &arena),
                        "LOGG-2154: Log to a host (syslog | journald) now");
    assert_non_null(strstr(field(&report, 0, "statement"), "see it"));
    assert_string_equal(field(&report, 0, "solution"), "do it");
}

static void one_id_with_several_texts_is_several_findings(void **state)
{
    struct value report = read_text(HEAD "suggestion[]=AUTH-9286|minimum age|-|-|\n"
                                         "suggestion[]=AUTH-9286|maximum age|-|-|\n" TAIL);

    (void)state;
    assert_int_equal(count(&report, "findings"), 2);
    assert_string_not_equal(value_get_str(finding(&report, 0), "dedupe_key", "", &arena),
                            value_get_str(finding(&report, 1), "dedupe_key", "", &arena));
}

static void a_row_that_comes_again_is_one_finding_with_a_note(void **state)
{
    struct value report = read_text(HEAD "suggestion[]=HRDN-7230|Harden|-|-|\n"
                                         "suggestion[]=HRDN-7230|Harden|-|-|\n" TAIL);

    (void)state;
    assert_int_equal(count(&report, "findings"), 1);
    assert_int_equal(count(&report, "duplicates"), 1);
    assert_non_null(value_get(value_get(finding(&report, 0), "fields"), "import_notes"));
}

static void one_text_with_several_details_keeps_all_details(void **state)
{
    struct value report =
        read_text(HEAD "suggestion[]=SSH-7408|Harden SSH|MaxAuthTries 6|-|\n"
                       "suggestion[]=SSH-7408|Harden SSH|X11Forwarding YES|-|\n" TAIL);

    (void)state;
    assert_int_equal(count(&report, "findings"), 1);
    assert_non_null(strstr(field(&report, 0, "statement"), "MaxAuthTries 6; X11Forwarding YES"));
}

static void a_warning_that_is_a_suggestion_too_stays_a_warning(void **state)
{
    struct value report = read_text(HEAD "suggestion[]=FIRE-4512|No rules|-|-|\n"
                                         "warning[]=FIRE-4512|No rules|-|-|\n" TAIL);

    (void)state;
    assert_int_equal(count(&report, "findings"), 1);
    assert_string_equal(field(&report, 0, "classification"), "minor_nc");
}

static void details_that_stand_before_their_row_are_found(void **state)
{
    struct value report =
        read_text(HEAD "details[]=KRNL-6000|sysctl|field:kernel.kptr_restrict;value:0;|\n"
                       "suggestion[]=KRNL-6000|Values differ||-|\n" TAIL);

    (void)state;
    assert_non_null(strstr(field(&report, 0, "statement"), "kernel.kptr_restrict"));
}

static void what_cannot_be_read_is_rejected_row_by_row(void **state)
{
    struct value report = read_text(HEAD "a bare line\n"
                                         "warning[]=no pipe\n"
                                         "warning[]=BAD ID!|text|-|-|\n"
                                         "warning[]=PKGS-1|-|-|-|\n"
                                         "warning[]=PKGS-7392|This one counts|-|-|\n" TAIL);
    const struct value *rejects = value_get(&report, "rejects");

    (void)state;
    assert_int_equal(count(&report, "findings"), 1);
    assert_int_equal(count(&report, "rejects"), 4);
    assert_int_equal(value_get_int(&rejects->as.items[0], "line", 0), 6);
    assert_int_equal(value_get_int(&rejects->as.items[3], "line", 0), 9);
}

static void bytes_that_are_no_text_are_mended_and_noted(void **state)
{
    struct value report =
        read_text("\xef\xbb\xbf" HEAD "warning[]=PKGS-7392|caf\xe9 found|-|-|\r\n" TAIL);

    (void)state;
    assert_string_equal(value_get_str(finding(&report, 0), "title", "", &arena),
                        "PKGS-7392: caf\xef\xbf\xbd found");
    assert_non_null(value_get(value_get(finding(&report, 0), "fields"), "import_notes"));
}

static void tests_that_were_not_looked_at_are_named(void **state)
{
    struct value report =
        read_text(HEAD "lynis_tests_done=241\ntests_executed=A-1|B-2|\ntests_skipped=MALW-3288|\n");

    (void)state;
    assert_int_equal(count(&report, "tests_done"), 241);
    assert_int_equal(count(&report, "executed"), 2);
    assert_int_equal(count(&report, "skipped"), 1);
    assert_true(value_has_text(value_get(&report, "skipped"), slice_str("MALW-3288")));
    assert_false(value_get_bool(&report, "complete", true)); /* no finish=true */
}

static void the_key_of_a_finding_is_stable_and_names_the_host(void **state)
{
    struct value first = read_text(HEAD "warning[]=PKGS-7392|Found|-|-|\n" TAIL);
    struct value again = read_text(HEAD "warning[]=PKGS-7392|Found|other|-|\n"
                                        "suggestion[]=BANN-7126|New|-|-|\n" TAIL);
    struct value other = read_text("lynis_version=3\nhostname=other\nhostid=REDACTED\n"
                                   "report_datetime_start=2026-11-21 00:00:00\n"
                                   "warning[]=PKGS-7392|Found|-|-|\n");

    (void)state;
    assert_string_equal(value_get_str(finding(&first, 0), "dedupe_key", "", &arena),
                        value_get_str(finding(&again, 0), "dedupe_key", "?", &arena));
    assert_int_equal(
        strncmp(value_get_str(finding(&other, 0), "dedupe_key", "", &arena), "lynis:other:", 12),
        0);
    assert_string_not_equal(value_get_str(&first, "sha256", "", &arena),
                            value_get_str(&again, "sha256", "", &arena));
}

static void what_is_no_report_gives_an_error_and_nothing_else(void **state)
{
    struct value out = VALUE_NONE;
    struct error err;
    char *large = calloc(1, LYNIS_BYTES_MAX + 2);

    (void)state;
    assert_int_equal(lynis_read(&arena, slice_str("hello=world\n"), NULL, &out, &err), -1);
    assert_int_equal(lynis_read(&arena, slice_str(""), NULL, &out, &err), -1);
    assert_int_equal(lynis_read(&arena, slice_of(large, LYNIS_BYTES_MAX + 1), NULL, &out, &err),
                     -1);
    assert_int_equal(lynis_read(&arena, slice_str("lynis_version=3\n"), NULL, &out, &err), -1);
    assert_int_equal(out.type, VALUE_NIL);
    assert_int_equal(lynis_read(&arena, slice_str("lynis_version=3\n"), "2026-11-23", &out, &err),
                     0);
    free(large);
}

static void every_beginning_of_a_report_is_read_without_harm(void **state)
{
    static const char text[] = HEAD "warning[]=PKGS-7392|a|b|c|\ndetails[]=X|y|\nsuggestion[]=|||\n"
                                    "warning[]=|\nwarning[]=A|\n=\n[]=\n" TAIL;
    struct value out;

    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        char *copy = malloc(len + 1);

        memcpy(copy, text, len);
        (void)lynis_read(&arena, slice_of(copy, len), "2026-11-23", &out, NULL);
        free(copy);
        arena_clear(&arena);
    }
}

static void a_report_is_named_below_its_folder_only(void **state)
{
    (void)state;
    assert_true(report_name_is_valid("host/lynis-report.dat"));
    assert_false(report_name_is_valid("/etc/passwd"));
    assert_false(report_name_is_valid("../keys/engine.key"));
    assert_false(report_name_is_valid("a/../../b"));
    assert_false(report_name_is_valid("a//b"));
    assert_false(report_name_is_valid("folder/"));
    assert_false(report_name_is_valid(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warning_is_a_minor_nonconformity_and_a_suggestion_an_opportunity),
        cmocka_unit_test(a_pipe_in_the_text_belongs_to_the_text),
        cmocka_unit_test(one_id_with_several_texts_is_several_findings),
        cmocka_unit_test(a_row_that_comes_again_is_one_finding_with_a_note),
        cmocka_unit_test(one_text_with_several_details_keeps_all_details),
        cmocka_unit_test(a_warning_that_is_a_suggestion_too_stays_a_warning),
        cmocka_unit_test(details_that_stand_before_their_row_are_found),
        cmocka_unit_test(what_cannot_be_read_is_rejected_row_by_row),
        cmocka_unit_test(bytes_that_are_no_text_are_mended_and_noted),
        cmocka_unit_test(tests_that_were_not_looked_at_are_named),
        cmocka_unit_test(the_key_of_a_finding_is_stable_and_names_the_host),
        cmocka_unit_test(what_is_no_report_gives_an_error_and_nothing_else),
        cmocka_unit_test(every_beginning_of_a_report_is_read_without_harm),
        cmocka_unit_test(a_report_is_named_below_its_folder_only),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
