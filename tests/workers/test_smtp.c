/* A real mail server (aiosmtpd) on a free loopback port: what arrives, and what its refusals
 * become. Skipped, and says so, where python3-aiosmtpd is not installed. */

#include "scratch.h"

#include "post/message.h"
#include "post/smtp.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct server {
    pid_t pid;
    int port, stdin_fd;
    char folder[64];
} server;

static char script[4096] = "tests/workers/smtp_server.py"; /* or argv[1] */

static void read_port(int fd)
{
    char text[32] = "";
    size_t len = 0;

    /* To the end of the line: a server whose reader is gone in the middle of it dies of a broken pipe. */
    while (len < sizeof text - 1 && read(fd, text + len, 1) == 1 && text[len] != '\n')
        len++;
    server.port = atoi(text);
    close(fd);
}

static int start_server(void **state)
{
    int in[2], out[2];

    (void)state;
    scratch_make(server.folder);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    server.pid = fork();
    if (server.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/usr/bin/python3", "python3", script, server.folder, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server.stdin_fd = in[1];
    read_port(out[0]);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    close(server.stdin_fd);
    waitpid(server.pid, NULL, 0);
    scratch_remove(server.folder);
    return 0;
}

static enum post_outcome send_to(const char *to, const char *body, struct post_report *report)
{
    struct smtp smtp = {.host = "127.0.0.1", .port = server.port, .timeout_s = 10};
    struct message message = {.from = {"Rota", "rota@isms.example"},
                              .to = {NULL, to},
                              .subject = "Überprüfung",
                              .id = "k1@isms.example",
                              .date_s = 0,
                              .body = body};
    struct buf bytes = BUF_EMPTY;
    enum post_outcome outcome;

    if (server.port == 0)
        skip();
    assert_int_equal(message_compose(&bytes, &message, NULL), 0);
    outcome = smtp_send(&smtp, "rota@isms.example", to, buf_slice(&bytes), report);
    buf_release(&bytes);
    return outcome;
}

static void a_mail_arrives_as_it_was_meant(void **state)
{
    struct post_report report;
    struct buf mail = BUF_EMPTY;
    const char *text;

    (void)state;
    assert_int_equal(send_to("amara@isms.example", "Hello\n.\n..two dots\nÄ\n", &report),
                     POST_DONE);
    assert_int_equal(scratch_read(server.folder, "1.eml", &mail), 0);
    text = buf_text(&mail);
    assert_non_null(strstr(text, "X-Rcpt: amara@isms.example\r\n"));
    assert_non_null(strstr(text, "Message-ID: <k1@isms.example>\r\n"));
    assert_non_null(strstr(text, "Subject: =?UTF-8?B?"));
    assert_non_null(strstr(text, "\r\n\r\nHello\r\n.\r\n..two dots\r\n=C3=84\r\n"));
    buf_release(&mail);
}

static void a_5xx_is_for_good_and_a_4xx_for_now(void **state)
{
    struct post_report report;

    (void)state;
    assert_int_equal(send_to("refused@isms.example", "x\n", &report), POST_CANNOT);
    assert_string_equal(report.code, "refused");
    assert_int_equal(post_report_status(&report), 422);
    assert_int_equal(send_to("later@isms.example", "x\n", &report), POST_FAILED);
    assert_int_equal(post_report_status(&report), 500);
}

static void no_server_is_no_attempt(void **state)
{
    struct smtp smtp = {.host = "127.0.0.1", .port = 1, .timeout_s = 5};
    struct post_report report;

    (void)state;
    assert_int_equal(
        smtp_send(&smtp, "rota@isms.example", "a@isms.example", slice_str("x"), &report),
        POST_BUSY);
    assert_int_equal(post_report_status(&report), 503);
    smtp.host = "127.0.0.1/evil?x=";
    assert_int_equal(
        smtp_send(&smtp, "rota@isms.example", "a@isms.example", slice_str("x"), &report),
        POST_FAILED);
}

static void a_server_without_starttls_is_not_trusted_when_it_is_asked_for(void **state)
{
    struct smtp smtp = {
        .host = "127.0.0.1", .port = server.port, .starttls = true, .timeout_s = 10};
    struct post_report report;

    (void)state;
    if (server.port == 0)
        skip();
    assert_int_equal(
        smtp_send(&smtp, "rota@isms.example", "a@isms.example", slice_str("x"), &report),
        POST_FAILED);
    assert_string_equal(report.code, "no-trust");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail_arrives_as_it_was_meant),
        cmocka_unit_test(a_5xx_is_for_good_and_a_4xx_for_now),
        cmocka_unit_test(no_server_is_no_attempt),
        cmocka_unit_test(a_server_without_starttls_is_not_trusted_when_it_is_asked_for),
    };

    signal(SIGPIPE, SIG_IGN);
    if (argc > 1)
        snprintf(script, sizeof script, "%s", argv[1]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
