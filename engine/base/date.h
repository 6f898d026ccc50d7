/* date.h - calendar days (proleptic Gregorian), ISO 8601 text, time zones (RFC 8536 files).
 *
 * A day is a number: days since 1970-01-01. A moment is ms since the epoch, UTC, leap seconds ignored (POSIX).
 */
#ifndef ROTA_BASE_DATE_H
#define ROTA_BASE_DATE_H

#include "base/error.h"
#include "base/slice.h"

enum { DATE_TEXT_LEN = 10, MOMENT_TEXT_MAX = 32 };

int32_t date_of(int year, int month,
                int day); /* month 1..12; days past the month's end roll over */
void date_parts(int32_t date, int *year, int *month, int *day);
int date_weekday(int32_t date); /* 0 Monday .. 6 Sunday */
int32_t date_add_months(int32_t date,
                        int months); /* the last day of the month where the day does not exist */
int date_parse(struct slice text,
               int32_t *out); /* strictly YYYY-MM-DD, a day that exists, year 1..9999; else -1 */
void date_format(int32_t date, char out[DATE_TEXT_LEN + 1]);

/* RFC 3339: 2026-11-23T20:15:00Z, with optional fraction and offset. */
int moment_parse(struct slice text, int64_t *ms);
void moment_format(int64_t ms, char out[MOMENT_TEXT_MAX]); /* UTC, with Z, ms only if not zero */

struct zone; /* UTC offsets over time */

/* Reads RFC 8536 bytes (a TZif file, version 2 or later, with its footer rule for later years). */
int zone_read(struct slice tzif, struct zone **out, struct error *err);
struct zone *zone_utc(void);
void zone_free(struct zone **zone);
int zone_offset_s(const struct zone *zone, int64_t ms); /* seconds east of UTC at that moment */
int64_t zone_midnight_ms(const struct zone *zone,
                         int32_t date); /* the moment at which that day begins there */
int32_t zone_date(const struct zone *zone, int64_t ms); /* the day there at that moment */

#endif
