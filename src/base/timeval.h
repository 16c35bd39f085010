/* base/timeval - civil dates, UTC instants and the texts they are read from.
 *
 * Dates are days since 1970-01-01, instants are milliseconds since 1970-01-01T00:00:00Z;
 * the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms"). */
#ifndef OG_BASE_TIMEVAL_H
#define OG_BASE_TIMEVAL_H

#include "base/buf.h"
#include "base/str.h"

int32_t og_days_from_civil(int64_t year, unsigned month, unsigned day);
void og_civil_from_days(int32_t days, int64_t *out_year, unsigned *out_month, unsigned *out_day);

/* Both read the same texts; false on anything else:
 *   - a date "2024-02-29", "2024-2-3", "20240229", or with a signed year "+10000-01-01" (within
 *     -262143..262142), which is midnight as an instant;
 *   - an instant "2024-02-29T10:11:12.345+05:30": hyphened date of two-digit parts, "T", "t" or a
 *     blank, hh:mm:ss or hhmmss, a fraction (cut at ms), then nothing or "Z" for UTC, or an offset
 *     "+05:30", "+0530", "+05". Its UTC day is the date. Second 60 is the next minute's first.
 * Refused although the reference takes them: names of zones, minutes of an offset above 59, and
 * whatever stands behind a short date. */
bool og_parse_date(og_str text, int32_t *out_days);
bool og_parse_datetime(og_str text, int64_t *out_ms);

/* Lies it in the years -262143..262142, so that the parsers above read the text that the writers
 * below give? What does not is better printed as a number. */
bool og_date_has_text(int32_t days);
bool og_datetime_has_text(int64_t ms);
/* "2024-02-29"; years outside 0..9999 as chrono prints them ("+10000-01-01", "-0001-01-01"). */
bool og_format_date(og_buf *out, int32_t days);
/* "2024-02-29T01:04:05.678" and, when z, a "Z"; `trim` leaves out ".000" (the export's form). */
bool og_format_datetime(og_buf *out, int64_t ms, bool z, bool trim);

/* Where the time comes from; tests and the simulator give their own. */
typedef struct og_clock {
    int64_t (*now_us)(void *context); /* microseconds since 1970, UTC */
    /* Let this much time pass; NULL: the thread sleeps. */
    void (*sleep_us)(void *context, int64_t us);
    void *context;
} og_clock;
extern const og_clock og_system_clock;
void og_clock_sleep(const og_clock *clock, int64_t us);
/* Monotonic nanoseconds, for measuring. */
uint64_t og_monotonic_ns(void);

#endif
