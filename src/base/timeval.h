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

/* Accepted as reference-behaviour.md's table "Dates" says, column Date: "2024-02-29", "20240229",
 * "2024-2-3", and an instant, whose UTC day counts. False on anything else. */
bool og_parse_date(og_str text, int32_t *out_days);
/* Column DateTime: date alone (midnight), "T" or " " between, optional fraction (cut at ms), Z or an
 * offset "+05:30", "+0530". False on anything else. */
bool og_parse_datetime(og_str text, int64_t *out_ms);

/* "2024-02-29"; years outside 0..9999 as chrono prints them ("+10000-01-01", "-0001-01-01"). */
bool og_format_date(og_buf *out, int32_t days);
/* "2024-02-29T01:04:05.678" and, when z, a "Z"; `trim` leaves out ".000" (the export's form). */
bool og_format_datetime(og_buf *out, int64_t ms, bool z, bool trim);

/* Where the time comes from; tests and the simulator give their own. */
typedef struct og_clock {
    int64_t (*now_us)(void *context); /* microseconds since 1970, UTC */
    void *context;
} og_clock;
extern const og_clock og_system_clock;
/* Monotonic nanoseconds, for measuring. */
uint64_t og_monotonic_ns(void);

#endif
