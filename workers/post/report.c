#include "post/report.h"

#include <stdarg.h>
#include <stdio.h>

enum post_outcome post_report_set(struct post_report *report, enum post_outcome outcome,
                                  const char *code, const char *format, ...)
{
    va_list args;

    report->outcome = outcome;
    snprintf(report->code, sizeof report->code, "%s", code);
    va_start(args, format);
    vsnprintf(report->text, sizeof report->text, format, args);
    va_end(args);
    return outcome;
}

int post_report_status(const struct post_report *report)
{
    static const int statuses[] = {
        [POST_DONE] = 200, [POST_CANNOT] = 422, [POST_FAILED] = 500, [POST_BUSY] = 503};

    return statuses[report->outcome];
}
