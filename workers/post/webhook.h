/* webhook.h - a notice as an HTTP POST of JSON, by libcurl. Any thread.
 *
 * The receiver finds the notice's key in the header `Idempotency-Key`: a repetition carries the
 * same. Redirects are not followed: who may be called is what the configuration says. */
#ifndef ROTA_POST_WEBHOOK_H
#define ROTA_POST_WEBHOOK_H

#include "base/slice.h"
#include "post/report.h"

struct webhook {
    const char *ca_file; /* NULL: the system's */
    long timeout_s;      /* 0: 20 */
};

/* Does `url` begin with `prefix` and a boundary: "https://hooks.example/a" allows ".../a/b", not
 * ".../ab"? A prefix that ends in "//" allows every host. */
bool webhook_is_allowed(const char *url, const char *prefix);

enum post_outcome webhook_post(const struct webhook *webhook, const char *url, const char *key,
                               struct slice json, struct post_report *report);

#endif
