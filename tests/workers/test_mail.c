/* Mail: what a header can hold, what a maildir promises, what the two post services make of a task.
 * */

#include "approval/answers.h"
#include "approval/ask.h"
#include "communication/deliver.h"
#include "post/maildir.h"
#include "post/message.h"
#include "post/webhook.h"
#include "scratch.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct message plain_message(void)
{
    return (struct message){.from = {"Rota", "rota@isms.example"},
                            .to = {"Amara Okafor", "amara@isms.example"},
                            .subject = "Please decide",
                            .id = "0123@isms.example",
                            .date_s = 1795478400,
                            .body = "Hello\n"};
}

static const char *composed(struct buf *out, const struct message *message)
{
    struct error err;

    assert_int_equal(message_compose(out, message, &err), 0);
    return buf_text(out);
}

/* Every line of the headers begins with a name and a colon, or continues one; none is longer than
 * `limit`. */
static void check_headers(const char *text, size_t limit)
{
    while (*text != '\n') {
        size_t len = strcspn(text, "\n");

        assert_true(len <= limit);
        assert_true(*text == ' ' || strcspn(text, ": ") < len);
        text += len + 1;
    }
}

static void a_message_has_the_headers_of_rfc_5322(void **state)
{
    struct message message = plain_message();
    struct buf out = BUF_EMPTY;
    const char *text = composed(&out, &message);

    (void)state;
    assert_non_null(strstr(text, "From: \"Rota\" <rota@isms.example>\n"));
    assert_non_null(strstr(text, "To: \"Amara Okafor\" <amara@isms.example>\n"));
    assert_non_null(strstr(text, "Subject: Please decide\n"));
    assert_non_null(strstr(text, "Date: Tue, 24 Nov 2026 00:00:00 +0000\n"));
    assert_non_null(strstr(text, "Message-ID: <0123@isms.example>\n"));
    assert_non_null(strstr(text, "Auto-Submitted: auto-generated\n"));
    assert_non_null(strstr(text, "\n\nHello\n"));
    check_headers(text, 78);
    buf_release(&out);
}

static void a_subject_cannot_end_its_header(void **state)
{
    struct message message = plain_message();
    struct buf out = BUF_EMPTY;

    (void)state;
    message.subject = "Hi\r\nBcc: all@isms.example\n\nBody\tx";
    assert_non_null(strstr(composed(&out, &message), "Subject: Hi Bcc: all@isms.example Body x\n"));
    assert_null(strstr(buf_text(&out), "\nBcc"));
    buf_release(&out);
}

static void a_name_cannot_end_its_header(void **state)
{
    struct message message = plain_message();
    struct buf out = BUF_EMPTY;

    (void)state;
    message.to.name = "A\"\n <x@y>,\\";
    assert_non_null(
        strstr(composed(&out, &message), "To: \"A\\\" <x@y>,\\\\\" <amara@isms.example>\n"));
    buf_release(&out);
}

static void an_address_with_anything_odd_is_refused(void **state)
{
    static const char *const bad[] = {
        "",        "a",     "a@",   "@b",          "a b@c.example", "a@b\nBcc: c@d",
        "a@b..c",  "a@-b",  "a@b-", ".a@b",        "a.@b",          "a..b@c",
        "a@b,c@d", "<a@b>", "a@b>", "ä@b.example", "a@b.example "};
    struct message message = plain_message();
    struct buf out = BUF_EMPTY;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(address_is_valid(bad[i]));
        message.to.address = bad[i];
        assert_int_equal(message_compose(&out, &message, NULL), -1);
    }
    assert_true(address_is_valid("o'neil+x@mail.isms.example"));
    message = plain_message();
    message.id = "x>\nBcc: a@b";
    assert_int_equal(message_compose(&out, &message, NULL), -1);
    buf_release(&out);
}

static void a_long_subject_is_folded_and_unfolds_to_itself(void **state)
{
    struct buf out = BUF_EMPTY, flat = BUF_EMPTY;
    char subject[400] = "";
    size_t len;

    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(subject, i == 0 ? "word" : " wordier");
    header_add_text(&out, "Subject", subject);
    len = out.len;
    buf_add_byte(&out, '\n'); /* the empty line after the headers */
    check_headers(buf_text(&out), 78);
    for (size_t i = 9; i + 1 < len; i++) {
        if (out.at[i] != '\n')
            buf_add_byte(&flat, out.at[i]);
    }
    assert_string_equal(buf_text(&flat), subject);
    buf_release(&out);
    buf_release(&flat);
}

/* RFC 2047 backwards: the bytes of all encoded words. */
static void decode_words(const char *text, struct buf *out)
{
    while ((text = strstr(text, "=?UTF-8?B?")) != NULL) {
        struct buf word = BUF_EMPTY;
        size_t len = strcspn(text + 10, "?");

        assert_true(len + 12 <= 75);
        assert_int_equal(base64_decode(slice_of(text + 10, len), &word), 0);
        assert_true((word.at[0] & 0xc0) != 0x80); /* no character is cut */
        buf_add_slice(out, buf_slice(&word));
        buf_release(&word);
        text += 10 + len;
    }
}

static void a_subject_in_other_letters_is_encoded_words(void **state)
{
    static const char subject[] =
        "Änderung des Geltungsbereichs — Zürich, Köln, 東京、大阪、名古屋、札幌、福岡 und anderswo";
    struct buf out = BUF_EMPTY, back = BUF_EMPTY;

    (void)state;
    header_add_text(&out, "Subject", subject);
    for (const char *line = buf_text(&out); *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 78);
    decode_words(buf_text(&out), &back);
    assert_string_equal(buf_text(&back), subject);
    buf_clear(&out);
    buf_clear(&back);
    header_add_text(&out, "Subject", "looks like =?UTF-8?B?AAAA?= but is not");
    decode_words(buf_text(&out), &back);
    assert_string_equal(buf_text(&back), "looks like =?UTF-8?B?AAAA?= but is not");
    buf_release(&out);
    buf_release(&back);
}

static void a_body_survives_quoted_printable(void **state)
{
    struct buf out = BUF_EMPTY, back = BUF_EMPTY;
    char text[700];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + 100, "=\n.\nFrom \xc3\xa4 \n\t\n trailing \n", 27);
    quoted_printable_add(&out, slice_str(text));
    for (const char *line = buf_text(&out); *line != '\0';) {
        size_t len = strcspn(line, "\n");

        assert_true(len <= 76);
        assert_true(len == 0 || (line[len - 1] != ' ' && line[len - 1] != '\t'));
        line += len + (line[len] == '\n');
    }
    quoted_printable_undo(&back, buf_slice(&out));
    assert_string_equal(buf_text(&back), text);
    buf_release(&out);
    buf_release(&back);
}

static void the_encoding_of_a_body_fits_its_way(void **state)
{
    struct message message = plain_message();
    struct buf out = BUF_EMPTY;

    (void)state;
    assert_non_null(strstr(composed(&out, &message), "Content-Transfer-Encoding: 7bit\n"));
    buf_clear(&out);
    message.body = "\xe2\x80\x94 sign\n";
    assert_non_null(strstr(composed(&out, &message), "quoted-printable\n\n=E2=80=94 sign\n"));
    buf_clear(&out);
    message.may_be_8bit = true;
    assert_non_null(strstr(composed(&out, &message), "8bit\n\n\xe2\x80\x94 sign\n"));
    message.body = "\xff";
    assert_int_equal(message_compose(&out, &message, NULL), -1);
    buf_release(&out);
}

static void the_same_key_is_the_same_mail(void **state)
{
    char root[64], folder[128];
    struct buf first = BUF_EMPTY, second = BUF_EMPTY;
    bool was_there = true;

    (void)state;
    message_id(&first, "task-7", "rota@isms.example");
    message_id(&second, "task-7", "rota@isms.example");
    assert_string_equal(buf_text(&first), buf_text(&second));
    assert_true(address_is_valid(buf_text(&first)));
    scratch_make(root);
    snprintf(folder, sizeof folder, "%s/amara/new", root);
    assert_int_equal(maildir_deliver(root, "amara", "k7", slice_str("A\n"), &was_there, NULL), 0);
    assert_false(was_there);
    assert_int_equal(maildir_deliver(root, "amara", "k7", slice_str("B\n"), &was_there, NULL), 0);
    assert_true(was_there);
    assert_int_equal(scratch_count(folder, NULL), 1);
    assert_int_equal(maildir_seen(root, "amara", "k7.rota", "S", NULL), 0);
    assert_int_equal(maildir_deliver(root, "amara", "k7", slice_str("C\n"), &was_there, NULL), 0);
    assert_true(was_there); /* read already, and still the same */
    assert_int_equal(scratch_count(folder, NULL), 0);
    snprintf(folder, sizeof folder, "%s/amara/tmp", root);
    assert_int_equal(scratch_count(folder, NULL), 0);
    scratch_remove(root);
    buf_release(&first);
    buf_release(&second);
}

static void a_maildir_stays_below_its_root(void **state)
{
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "a\n"};
    char root[64];

    (void)state;
    scratch_make(root);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(maildir_deliver(root, bad[i], "k", slice_str("x"), NULL, NULL), -1);
    scratch_remove(root);
}

/* ---- the services ---- */

struct desk { /* a program in a folder of its own, with a configuration */
    char folder[64];
    struct program program;
};

static void open_desk(struct desk *desk, const char *section, const char *config)
{
    struct error err = {ERROR_NONE, ""};

    scratch_make(desk->folder);
    scratch_write(desk->folder, "workers.cfg", config);
    desk->program = (struct program){.name = "test", .section = section, .dir = desk->folder};
    assert_int_equal(program_enter(&desk->program, &err), 0);
}

static void close_desk(struct desk *desk)
{
    program_leave(&desk->program);
    assert_int_equal(chdir("/"), 0);
    scratch_remove(desk->folder);
}

static void a_setting_that_nobody_reads_is_not_passed_over(void **state)
{
    static const char *const bad[][2] = {
        {"smpt: { host = \"mail.example\"; };",
         "workers.cfg, line 2: there is no setting smpt; did you mean 'smtp'?"},
        {"smtp: { url = \"smtp://mail.example\"; };",
         "workers.cfg, line 2: there is no setting url"},
        {"smtp: { port = \"25\"; };",
         "workers.cfg, line 2: port wants a whole number from 0 to 65535"},
        {"smtp: { tls = \"yes\"; };", "workers.cfg, line 2: tls is \"starttls\" or \"none\""},
        {"aproval: { credit = 2; };",
         "workers.cfg, line 2: there is no setting aproval; did you mean 'approval'?"},
        {"approval: { credits = 2; };",
         "workers.cfg, line 2: there is no setting credits; did you mean 'credit'?"},
        {"credit = 65;", "workers.cfg, line 2: credit wants a whole number from 1 to 64"},
        {"webhooks = \"https://a.example/\";",
         "workers.cfg, line 2: webhooks wants a list of texts: [\"...\", \"...\"]"},
    };
    char folder[64], text[256];

    (void)state;
    scratch_make(folder);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct program program = {.name = "test", .section = "audit", .dir = folder};
        struct error err = {ERROR_NONE, ""};

        snprintf(text, sizeof text, "security = \"none\";\n%s\n", bad[i][0]);
        scratch_write(folder, "workers.cfg", text);
        assert_int_equal(program_enter(&program, &err), -1);
        assert_string_equal(err.text, bad[i][1]);
        program_leave(&program);
        assert_int_equal(chdir("/"), 0);
    }
    scratch_remove(folder);
}

static void what_workers_cfg_may_say_is_taken(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "approval",
              "security = \"none\"; domains = [\"a.example\"]; unresolved = [];\n"
              "smtp = { host = \"mail.example\"; port = 25; tls = \"none\"; timeout_s = 30; };\n"
              "approval: { credit = 2; smtp = { host = \"\"; }; };\n"
              "own: { principal = \"own\"; colour = \"red\"; };\n");
    assert_string_equal(program_text(&desk.program, "smtp.host", "none"), "");
    assert_int_equal(program_credit(&desk.program, 8), 2);
    close_desk(&desk);
}

static int deliver(struct delivery *delivery, const char *json, struct post_report *report)
{
    struct rota_doc *input = NULL, *output = rota_doc_new();
    int status;

    assert_int_equal(rota_doc_parse(json, strlen(json), &input, NULL), 0);
    *report = (struct post_report){POST_DONE, "", ""};
    status = delivery_make(delivery, rota_doc_value(input), "task/9", output, report);
    if (status == 200) {
        assert_true(rota_int(rota_doc_value(output), "/at", 0) > 0);
        assert_true(address_is_valid(rota_text(rota_doc_value(output), "/id", "")));
    }
    rota_doc_free(&input);
    rota_doc_free(&output);
    return status;
}

static void a_notice_goes_into_the_maildir_with_the_head_of_the_journal(void **state)
{
    struct desk desk;
    struct delivery delivery;
    struct post_report report;
    struct buf mail = BUF_EMPTY;
    char name[256];

    (void)state;
    open_desk(&desk, "communication", "security = \"none\";\n");
    assert_int_equal(delivery_open(&desk.program, &delivery, NULL), 0);
    assert_int_equal(
        deliver(
            &delivery,
            "{\"person\":\"bo\",\"address\":\"bo@isms.example\",\"channel\":\"email\","
            "\"subject\":\"New policy\",\"text\":\"Read it.\",\"record\":\"POL-0001@1.0\","
            "\"head\":{\"size\":12,\"root\":\"hex:00ff\",\"note\":\"isms.example\\n12\\nAP8=\\n\\n"
            "— isms.example AAAA\\n\"}}",
            &report),
        200);
    assert_int_equal(scratch_count("mail/bo/new", name), 1);
    assert_int_equal(scratch_read("mail/bo/new", name, &mail), 0);
    assert_non_null(strstr(buf_text(&mail), "Subject: New policy\n"));
    assert_non_null(strstr(buf_text(&mail), "Rota-Record: POL-0001@1.0\n"));
    assert_non_null(strstr(buf_text(&mail), "size 12 root 00ff\n"));
    assert_non_null(strstr(buf_text(&mail), "\n— isms.example AAAA\n-----END ROTA HEAD-----\n"));
    buf_release(&mail);
    delivery_release(&delivery);
    close_desk(&desk);
}

static void each_recipient_gets_the_answer_they_deserve(void **state)
{
    static const struct {
        const char *input, *code;
        int status;
    } cases[] = {
        {"{\"address\":\"nobody@invalid.example\",\"subject\":\"x\"}", "unresolved-domain", 500},
        {"{\"address\":\"x@other.invalid\",\"subject\":\"x\"}", "unresolved-domain", 500},
        {"{\"address\":\"not an address\",\"subject\":\"x\"}", "malformed-address", 422},
        {"{\"address\":\"a@elsewhere.example\",\"subject\":\"x\"}", "unknown-domain", 422},
        {"{\"subject\":\"x\"}", "no-address", 422},
        {"{\"person\":\"../x\",\"subject\":\"x\"}", "unknown-person", 422},
        {"{\"person\":\"bo\",\"channel\":\"letter\"}", "no-channel", 422},
        {"{\"address\":\"http://169.254.169.254/\",\"channel\":\"webhook\"}", "address-not-allowed",
         422},
    };
    struct desk desk;
    struct delivery delivery;
    struct post_report report;

    (void)state;
    open_desk(&desk, "communication",
              "security = \"none\"; communication: { domains = (\"isms.example\"); };\n");
    assert_int_equal(delivery_open(&desk.program, &delivery, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(deliver(&delivery, cases[i].input, &report), cases[i].status);
        assert_string_equal(report.code, cases[i].code);
    }
    delivery_release(&delivery);
    close_desk(&desk);
}

static void a_webhook_is_allowed_by_prefix_and_boundary(void **state)
{
    (void)state;
    assert_true(webhook_is_allowed("https://hooks.example/a/b", "https://hooks.example/a"));
    assert_false(webhook_is_allowed("https://hooks.example/ab", "https://hooks.example/a"));
    assert_false(webhook_is_allowed("https://hooks.example.evil/", "https://hooks.example"));
    assert_false(webhook_is_allowed("https://hooks.example@evil/", "https://hooks.example"));
    assert_false(webhook_is_allowed("http://x/", "https://"));
    assert_true(webhook_is_allowed("https://x/", "https://"));
}

static void a_request_says_all_that_a_person_must_know(void **state)
{
    static const char json[] =
        "{\"person\":\"amara\",\"name\":\"Amara Okafor\",\"record\":\"SCP-0001@2.0\","
        "\"title\":\"Scope\",\"digest\":\"abcdef\",\"meaning\":\"approved\","
        "\"statement\":\"I approve\\nthis scope.\",\"text\":\"Please.\\n-- \\nfaked footer\","
        "\"changes\":[{\"field\":\"sites\",\"before\":\"Paris\",\"after\":[\"Paris\",\"Lyon\"]}],"
        "\"against\":\"SCP-0001@1.0\",\"changes_more\":3,\"by_ms\":1795478400000,"
        "\"beside\":[{\"record\":\"EXC-0001@1.0\",\"title\":\"Exclusions\",\"digest\":\"fedcba\","
        "\"statement\":\"I confirm them.\"}]}";
    struct rota_doc *input = NULL;
    struct buf text = BUF_EMPTY;

    (void)state;
    assert_int_equal(rota_doc_parse(json, strlen(json), &input, NULL), 0);
    asking_write(&text, rota_doc_value(input));
    assert_non_null(strstr(buf_text(&text), "digest    abcdef\n"));
    assert_non_null(strstr(buf_text(&text), "  | I approve\n  | this scope.\n"));
    assert_non_null(strstr(buf_text(&text), "  | -- \n  | faked footer\n"));
    assert_non_null(strstr(buf_text(&text), "      - Paris\n      + [\"Paris\",\"Lyon\"]\n"));
    assert_non_null(strstr(buf_text(&text), "What changes against SCP-0001@1.0 (- before"));
    assert_non_null(strstr(buf_text(&text), "and 3 more: rota diff SCP-0001@2.0 has them all\n"));
    assert_non_null(strstr(buf_text(&text), "rota --as amara diff SCP-0001@2.0\n"));
    assert_non_null(strstr(buf_text(&text), "rota --as amara show SCP-0001@2.0\n"));
    assert_non_null(strstr(buf_text(&text), "rota --as amara approve SCP-0001@2.0\n"));
    assert_non_null(strstr(buf_text(&text), "2026-11-24T00:00:00Z"));
    assert_non_null(strstr(buf_text(&text), "by the same vote:\n\n  record    EXC-0001@1.0\n"));
    assert_non_null(strstr(buf_text(&text), "digest    fedcba\n  | I confirm them.\n"));
    assert_non_null(strstr(buf_text(&text), "rota --as amara show EXC-0001@1.0\n"));
    rota_doc_free(&input);
    buf_release(&text);
}

/* ---- answers ---- */

#define SIGNED                                                                                     \
    "\"signature\": \"hex:"                                                                        \
    "00000000000000000000000000000000000000000000000000000000000000000"                            \
    "000000000000000000000000000000000000000000000000000000000000000\""

static int read_answer(const char *text, struct rota_doc **out)
{
    struct error err;

    return answer_read(slice_str(text), out, &err);
}

static void an_answer_is_found_in_plain_and_encoded_letters(void **state)
{
    static const char json[] = "{\"v\": 1, \"id\": \"0123456789abcdef\",\n \"command\": "
                               "\"approve\", \"record\": \"A-1\",\n"
                               " \"on_behalf_of\": \"amara\",\n " SIGNED "}\n";
    struct buf letter = BUF_EMPTY, body = BUF_EMPTY;
    struct rota_doc *doc = NULL;

    (void)state;
    buf_addf(&body, "Yes.\n-----BEGIN ROTA COMMAND-----\n%s-----END ROTA COMMAND-----\n", json);
    buf_addf(&letter, "From: amara@isms.example\n\n%s", buf_text(&body));
    assert_int_equal(read_answer(buf_text(&letter), &doc), 0);
    assert_string_equal(rota_text(rota_doc_value(doc), "/on_behalf_of", ""), "amara");
    rota_doc_free(&doc);

    buf_clear(&letter);
    buf_add_str(&letter, "Content-Transfer-Encoding: quoted-printable\n\n");
    quoted_printable_add(&letter, buf_slice(&body));
    assert_int_equal(read_answer(buf_text(&letter), &doc), 0);
    rota_doc_free(&doc);

    buf_clear(&letter);
    buf_add_str(&letter, "Content-Transfer-Encoding: base64\n\n");
    base64_add(&letter, buf_slice(&body));
    assert_int_equal(read_answer(buf_text(&letter), &doc), 0);
    rota_doc_free(&doc);
    buf_release(&letter);
    buf_release(&body);
}

static void an_answer_without_a_signature_is_never_carried(void **state)
{
    static const char *const bad[] = {
        "no block at all",
        "-----BEGIN ROTA COMMAND-----\n{}\n",
        "-----BEGIN ROTA COMMAND-----\n[]\n-----END ROTA COMMAND-----\n",
        "-----BEGIN ROTA COMMAND-----\n{\"command\":\"stop\"}\n-----END ROTA COMMAND-----\n",
        "-----BEGIN ROTA COMMAND-----\n{\"id\":\"0123456789abcdef\",\"record\":\"A-1\","
        "\"on_behalf_of\":\"amara\"}\n-----END ROTA COMMAND-----\n",
        "-----BEGIN ROTA COMMAND-----\n{\"id\":\"0123456789abcdef\",\"record\":\"A-1\"," SIGNED
        "}\n-----END ROTA COMMAND-----\n",
        "-----BEGIN ROTA COMMAND-----\n{\"id\":\"0123456789abcdef\",\"record\":\"A-1\","
        "\"on_behalf_of\":\"../x\"," SIGNED "}\n-----END ROTA COMMAND-----\n",
    };
    struct rota_doc *doc = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(read_answer(bad[i], &doc), -1);
    assert_null(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_the_headers_of_rfc_5322),
        cmocka_unit_test(a_subject_cannot_end_its_header),
        cmocka_unit_test(a_name_cannot_end_its_header),
        cmocka_unit_test(an_address_with_anything_odd_is_refused),
        cmocka_unit_test(a_long_subject_is_folded_and_unfolds_to_itself),
        cmocka_unit_test(a_subject_in_other_letters_is_encoded_words),
        cmocka_unit_test(a_body_survives_quoted_printable),
        cmocka_unit_test(the_encoding_of_a_body_fits_its_way),
        cmocka_unit_test(the_same_key_is_the_same_mail),
        cmocka_unit_test(a_maildir_stays_below_its_root),
        cmocka_unit_test(a_setting_that_nobody_reads_is_not_passed_over),
        cmocka_unit_test(what_workers_cfg_may_say_is_taken),
        cmocka_unit_test(a_notice_goes_into_the_maildir_with_the_head_of_the_journal),
        cmocka_unit_test(each_recipient_gets_the_answer_they_deserve),
        cmocka_unit_test(a_webhook_is_allowed_by_prefix_and_boundary),
        cmocka_unit_test(a_request_says_all_that_a_person_must_know),
        cmocka_unit_test(an_answer_is_found_in_plain_and_encoded_letters),
        cmocka_unit_test(an_answer_without_a_signature_is_never_carried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
