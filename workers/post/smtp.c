#include "post/smtp.h"

#include "post/message.h"

#include <curl/curl.h>
#include <stdio.h>

enum { SMTP_PORT = 25, SMTP_TIMEOUT_S = 60, SMTP_CONNECT_S = 15, SMTP_URL_MAX = 320 };

static size_t give_bytes(char *to, size_t size, size_t count, void *self)
{
    struct slice *rest = self;
    size_t len = size * count < rest->len ? size * count : rest->len;

    if (len > 0)
        memcpy(to, rest->at, len);
    *rest = slice_of(rest->at + len, rest->len - len);
    return len;
}

/* Only names, addresses and brackets of IPv6: the host becomes part of a URL. */
static bool is_host(const char *host)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";

    return host[0] != '\0' && strspn(host, allowed) == strlen(host);
}

static void set_security(CURL *curl, const struct smtp *smtp)
{
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     smtp->starttls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
    if (smtp->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, smtp->ca_file);
    if (smtp->user != NULL)
        curl_easy_setopt(curl, CURLOPT_USERNAME, smtp->user);
    if (smtp->password != NULL)
        curl_easy_setopt(curl, CURLOPT_PASSWORD, smtp->password);
}

/* What stops a connection before the server has said anything about the message. */
static const struct obstacle {
    CURLcode code;
    enum post_outcome outcome;
    const char *word, *sentence;
} OBSTACLES[] = {
    {CURLE_COULDNT_RESOLVE_HOST, POST_BUSY, "no-server", "no mail server"},
    {CURLE_COULDNT_CONNECT, POST_BUSY, "no-server", "no mail server"},
    {CURLE_OPERATION_TIMEDOUT, POST_BUSY, "no-server", "no mail server"},
    {CURLE_GOT_NOTHING, POST_BUSY, "no-server", "no mail server"},
    {CURLE_WEIRD_SERVER_REPLY, POST_BUSY, "no-server", "no mail server"},
    {CURLE_SSL_CONNECT_ERROR, POST_FAILED, "no-trust", "no secure connection to the mail server"},
    {CURLE_PEER_FAILED_VERIFICATION, POST_FAILED, "no-trust", "the mail server is another one"},
    {CURLE_USE_SSL_FAILED, POST_FAILED, "no-trust", "the mail server offers no STARTTLS"},
    {CURLE_SSL_CACERT_BADFILE, POST_FAILED, "configuration", "smtp.ca_file cannot be read"},
    {CURLE_LOGIN_DENIED, POST_FAILED, "no-login", "the mail server does not let us in"},
};

/* What the server's last answer, or its absence, means for the task. */
static enum post_outcome judge(CURLcode code, long answer, const char *detail,
                               struct post_report *report)
{
    const char *why = detail[0] != '\0' ? detail : curl_easy_strerror(code);

    if (code == CURLE_OK)
        return post_report_set(report, POST_DONE, "sent", "accepted by the mail server");
    for (size_t i = 0; i < sizeof OBSTACLES / sizeof OBSTACLES[0]; i++) {
        if (OBSTACLES[i].code == code)
            return post_report_set(report, OBSTACLES[i].outcome, OBSTACLES[i].word, "%s: %s",
                                   OBSTACLES[i].sentence, why);
    }
    /* 530, 534, 535 and 538 speak of the login, not of this message. */
    if (answer >= 500 && answer <= 599 && (answer < 530 || answer > 538))
        return post_report_set(report, POST_CANNOT, "refused", "the mail server refused it (%ld)",
                               answer);
    return post_report_set(report, POST_FAILED, "not-now",
                           "the mail server did not take it (%ld): %s", answer, why);
}

static void set_limits(CURL *curl, const struct smtp *smtp)
{
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)SMTP_CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT,
                     smtp->timeout_s > 0 ? smtp->timeout_s : (long)SMTP_TIMEOUT_S);
}

/* One conversation with the server; gives its last answer in *answer. */
static CURLcode converse(CURL *curl, const struct smtp *smtp, const char *from,
                         struct curl_slist *recipients, struct slice message, char *detail,
                         long *answer)
{
    char url[SMTP_URL_MAX], sender[ADDRESS_MAX + 3];
    struct buf bytes = BUF_EMPTY;
    struct slice rest;
    CURLcode code;

    snprintf(url, sizeof url, "smtp://%.255s:%d", smtp->host,
             smtp->port > 0 ? smtp->port : SMTP_PORT);
    snprintf(sender, sizeof sender, "<%s>", from);
    message_crlf(&bytes, message);
    rest = buf_slice(&bytes);
    set_limits(curl, smtp);
    set_security(curl, smtp);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, answer);
    buf_release(&bytes);
    return code;
}

enum post_outcome smtp_send(const struct smtp *smtp, const char *from, const char *to,
                            struct slice message, struct post_report *report)
{
    char recipient[ADDRESS_MAX + 3], detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *recipients;
    enum post_outcome outcome;
    long answer = 0;
    CURLcode code;
    CURL *curl;

    if (!address_is_valid(to) || !address_is_valid(from))
        return post_report_set(report, POST_CANNOT, "malformed-address", "not a mail address");
    if (!is_host(smtp->host))
        return post_report_set(report, POST_FAILED, "configuration", "smtp.host is not a host");
    snprintf(recipient, sizeof recipient, "<%s>", to);
    recipients = curl_slist_append(NULL, recipient);
    curl = curl_easy_init();
    if (curl != NULL && recipients != NULL) {
        code = converse(curl, smtp, from, recipients, message, detail, &answer);
        outcome = judge(code, answer, detail, report);
    } else {
        outcome = post_report_set(report, POST_BUSY, "no-memory", "no memory for a connection");
    }
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return outcome;
}
