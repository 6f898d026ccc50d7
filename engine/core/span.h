/* span.h - spans of time as people say them ("12 months", "5 working days"), and adding them to days and
 * moments in the organisation's calendar. */
#ifndef ROTA_CORE_SPAN_H
#define ROTA_CORE_SPAN_H

#include "base/arena.h"
#include "core/model.h"

enum { SPAN_NUMBER_MAX = 4000000, SPAN_WORKING_MAX = 20000, SPAN_TERMS_MAX = 4 };

/* One or more of "<n> years|months|weeks|days|working days|hours|minutes|seconds", n with an optional sign,
 * separated by blanks; working days and other days do not mix, and of working days there are at most
 * SPAN_WORKING_MAX (they are counted one by one). -1 if it is not one. */
int span_parse(struct slice text, struct span *out);

/* The same in its one canonical spelling: "1 month 3 days 1500 ms"; "0 days" if empty. */
const char *span_text(struct arena *arena, const struct span *span);

bool span_is_zero(const struct span *span);

/* `calendar` may be NULL: Monday to Friday, no holidays, UTC. Whole days of `ms` count for a date. */
int32_t span_add_date(const struct span *span, const struct calendar *calendar, int32_t date);
int64_t span_add_moment(const struct span *span, const struct calendar *calendar, int64_t ms);

bool calendar_is_working(const struct calendar *calendar, int32_t date);
int32_t calendar_add_working(const struct calendar *calendar, int32_t date, int count);
int32_t calendar_date(const struct calendar *calendar, int64_t ms); /* the day there */
int64_t calendar_midnight_ms(const struct calendar *calendar,
                             int32_t date); /* when it begins there */

#endif
