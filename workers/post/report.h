/* report.h - what became of one message to one recipient. */
#ifndef ROTA_POST_REPORT_H
#define ROTA_POST_REPORT_H

#include <stdint.h>

enum post_outcome {
    POST_DONE,   /* delivered, or given to somebody who delivers it */
    POST_CANNOT, /* never: the address or the content is refused */
    POST_FAILED, /* this time: counts as an attempt */
    POST_BUSY    /* nobody could be reached: later, without counting */
};

enum { POST_CODE_MAX = 40, POST_TEXT_MAX = 300, POST_BUSY_MS = 30000 };

struct post_report {
    enum post_outcome outcome;
    char code[POST_CODE_MAX]; /* stable word: "malformed-address" */
    char text[POST_TEXT_MAX]; /* a sentence */
};

/* Fills the report and returns its outcome. */
enum post_outcome post_report_set(struct post_report *report, enum post_outcome outcome,
                                  const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int post_report_status(
    const struct post_report *report); /* as a task's status: 200, 422, 500, 503 */

#endif
