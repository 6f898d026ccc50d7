#include "post/webhook.h"

#include <curl/curl.h>
#include <stdio.h>

enum { WEBHOOK_TIMEOUT_S = 20, WEBHOOK_HEADER_MAX = 200, WEBHOOK_ANSWER_MAX = 64 * 1024 };

bool webhook_is_allowed(const char *url, const char *prefix)
{
    size_t len = strlen(prefix);

    if (len == 0 || strncmp(url, prefix, len) != 0 || strchr(url, '@') != NULL)
        return false;
    return prefix[len - 1] == '/' || url[len] == '\0' || url[len] == '/' || url[len] == '?' ||
           url[len] == ':';
}

/* The answer's body is of no interest, but is read so far that the server can end its sentence. */
static size_t drop_bytes(char *at, size_t size, size_t count, void *self)
{
    size_t *seen = self;

    (void)at;
    *seen += size * count;
    return *seen > WEBHOOK_ANSWER_MAX ? 0 : size * count;
}

static enum post_outcome judge(CURLcode code, long answer, const char *detail,
                               struct post_report *report)
{
    if (answer >= 200 && answer <= 299)
        return post_report_set(report, POST_DONE, "sent", "accepted (%ld)", answer);
    if (answer == 429 || answer == 503)
        return post_report_set(report, POST_BUSY, "busy", "the receiver is busy (%ld)", answer);
    if (answer >= 400 && answer <= 499 && answer != 408)
        return post_report_set(report, POST_CANNOT, "refused", "the receiver refused it (%ld)",
                               answer);
    if (answer != 0)
        return post_report_set(report, POST_FAILED, "not-now", "the receiver answered %ld", answer);
    return post_report_set(report, POST_FAILED, "no-receiver", "%s",
                           detail[0] != '\0' ? detail : curl_easy_strerror(code));
}

static struct curl_slist *headers_of(const char *key)
{
    char line[WEBHOOK_HEADER_MAX];
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");

    snprintf(line, sizeof line, "Idempotency-Key: %s", key);
    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '_';
    }
    return curl_slist_append(list, line);
}

enum post_outcome webhook_post(const struct webhook *webhook, const char *url, const char *key,
                               struct slice json, struct post_report *report)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = headers_of(key);
    CURL *curl = curl_easy_init();
    size_t seen = 0;
    long answer = 0;
    CURLcode code;

    if (curl == NULL || headers == NULL) {
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        return post_report_set(report, POST_BUSY, "no-memory", "no memory for a connection");
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT,
                     webhook->timeout_s > 0 ? webhook->timeout_s : (long)WEBHOOK_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)json.at);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)json.len);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &seen);
    if (webhook->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, webhook->ca_file);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return judge(code, answer, detail, report);
}
