/* smtp.h - a message to one recipient through a mail server (RFC 5321), by libcurl. Any thread. */
#ifndef ROTA_POST_SMTP_H
#define ROTA_POST_SMTP_H

#include "base/slice.h"
#include "post/report.h"

struct smtp {
    const char *host;            /* name or address of the server */
    int port;                    /* 0: 25 */
    bool starttls;               /* insist on it, and on a certificate for `host` */
    const char *ca_file;         /* PEM with the certificates to trust; NULL: the system's */
    const char *user, *password; /* NULL: no login */
    long timeout_s;              /* 0: 60 */
};

/* Gives the message (lines end in LF) to the server. A 5xx from it is POST_CANNOT, a 4xx
 * POST_FAILED, no server POST_BUSY. Addresses are checked before: one that is none is POST_CANNOT.
 * */
enum post_outcome smtp_send(const struct smtp *smtp, const char *from, const char *to,
                            struct slice message, struct post_report *report);

#endif
