#include "base/timeval.h"

#include <time.h>

#define MS_PER_DAY INT64_C(86400000)
#define DAYS_PER_ERA 146097 /* 400 years */
#define DAYS_TO_1970 719468 /* from 0000-03-01, where the eras begin */

/* ---- calendar ----------------------------------------------------------------------------- */

static int64_t days_of_civil(int64_t year, unsigned month, unsigned day)
{
    /* Years begin in March, so that the leap day is the last of its year. */
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static void civil_of_days(int64_t days, int64_t *out_year, unsigned *out_month, unsigned *out_day)
{
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    unsigned day_of_era = (unsigned)(days - era * DAYS_PER_ERA);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153;
    *out_day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *out_month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *out_year = era * 400 + year_of_era + (*out_month <= 2);
}

int32_t og_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    return (int32_t)days_of_civil(year, month, day);
}

void og_civil_from_days(int32_t days, int64_t *out_year, unsigned *out_month, unsigned *out_day)
{
    civil_of_days(days, out_year, out_month, out_day);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct cursor {
    const char *p;
    const char *end;
} cursor;

static bool at_digit(const cursor *c)
{
    return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool skip(cursor *c, char byte)
{
    if (c->p == c->end || *c->p != byte)
        return false;
    c->p++;
    return true;
}

/* Between `min` and `max` digits, as many as there are. */
static bool read_number(cursor *c, int min, int max, unsigned *out)
{
    unsigned value = 0;
    int count = 0;
    for (; count < max && at_digit(c); count++)
        value = value * 10 + (unsigned)(*c->p++ - '0');
    *out = value;
    return count >= min;
}

/* Years of four digits, or signed and within the calendar of chrono, so that the reference can read
 * back what we store. */
#define MIN_YEAR (-262143)
#define MAX_YEAR 262142
#define MAX_YEAR_DIGITS 6

static bool read_year(cursor *c, int64_t *out, bool *out_signed)
{
    bool negative = c->p < c->end && *c->p == '-';
    unsigned year;
    *out_signed = negative || (c->p < c->end && *c->p == '+');
    if (*out_signed)
        c->p++;
    if (!read_number(c, *out_signed ? 1 : 4, *out_signed ? MAX_YEAR_DIGITS : 4, &year))
        return false;
    *out = negative ? -(int64_t)year : (int64_t)year;
    return *out >= MIN_YEAR && *out <= MAX_YEAR;
}

/* A civil date: YYYYMMDD, or with hyphens and months and days of one or two digits. *out_full says
 * that both had two, which is what a time may follow. */
static bool read_date(cursor *c, int64_t *out_days, bool *out_full)
{
    int64_t year;
    unsigned month, day;
    bool is_signed;
    if (!read_year(c, &year, &is_signed))
        return false;
    bool hyphens = skip(c, '-');
    if (!hyphens && is_signed)
        return false;
    const char *start = c->p;
    if (!read_number(c, hyphens ? 1 : 2, 2, &month) || (hyphens && !skip(c, '-')) ||
        !read_number(c, hyphens ? 1 : 2, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *out_full = hyphens && c->p - start == 5;
    *out_days = days_of_civil(year, month, day);
    return true;
}

/* hh:mm:ss[.fraction] or hhmmss to milliseconds of the day. Second 60 is the first of the next
 * minute, as the reference counts leap seconds. */
static bool read_time(cursor *c, int64_t *out_ms)
{
    unsigned hour, minute, second, ms = 0;
    if (!read_number(c, 2, 2, &hour))
        return false;
    bool colons = skip(c, ':');
    if (!read_number(c, 2, 2, &minute) || (colons && !skip(c, ':')) ||
        !read_number(c, 2, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    if (colons && skip(c, '.')) {
        const char *start = c->p;
        if (!read_number(c, 1, 3, &ms))
            return false;
        for (int64_t digits = c->p - start; digits < 3; digits++)
            ms *= 10;
        while (at_digit(c))
            c->p++;
    }
    *out_ms = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * 1000 + ms;
    return true;
}

/* Nothing, Z, or an offset +hh, +hhmm, +hh:mm with blanks before it, in milliseconds. */
static bool read_zone(cursor *c, int64_t *out_ms)
{
    *out_ms = 0;
    if (c->p == c->end || skip(c, 'Z') || skip(c, 'z'))
        return true;
    while (skip(c, ' '))
        ;
    bool negative = c->p < c->end && *c->p == '-';
    if (!negative && !(c->p < c->end && *c->p == '+'))
        return false;
    c->p++;
    unsigned hours, minutes = 0;
    if (!read_number(c, 2, 2, &hours))
        return false;
    if ((skip(c, ':') || c->p < c->end) && !read_number(c, 2, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    int64_t offset = ((int64_t)hours * 60 + minutes) * 60000;
    *out_ms = negative ? -offset : offset;
    return true;
}

bool og_parse_datetime(og_str text, int64_t *out_ms)
{
    cursor c = {text.ptr, text.ptr + text.len};
    int64_t days, time_ms = 0, offset_ms = 0;
    bool full;
    if (!read_date(&c, &days, &full))
        return false;
    if (c.p < c.end) {
        if (!full || !(skip(&c, 'T') || skip(&c, 't') || skip(&c, ' ')))
            return false;
        if (!read_time(&c, &time_ms) || !read_zone(&c, &offset_ms))
            return false;
    }
    if (c.p != c.end)
        return false;
    *out_ms = days * MS_PER_DAY + time_ms - offset_ms;
    return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

bool og_parse_date(og_str text, int32_t *out_days)
{
    int64_t ms;
    if (!og_parse_datetime(text, &ms))
        return false;
    *out_days = (int32_t)floor_div(ms, MS_PER_DAY);
    return true;
}

/* ---- writing ------------------------------------------------------------------------------ */

static char *put_padded(char *p, unsigned value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + width;
}

static bool format_days(og_buf *out, int64_t days)
{
    int64_t year;
    unsigned month, day;
    civil_of_days(days, &year, &month, &day);
    if (year < 0 || year > 9999)
        return og_buf_printf(out, "%+05lld-%02u-%02u", (long long)year, month, day);
    char text[10], *p = put_padded(text, (unsigned)year, 4);
    *p++ = '-';
    p = put_padded(p, month, 2);
    *p++ = '-';
    p = put_padded(p, day, 2);
    return og_buf_append(out, text, sizeof text);
}

bool og_format_date(og_buf *out, int32_t days)
{
    return format_days(out, days);
}

bool og_format_datetime(og_buf *out, int64_t ms, bool z, bool trim)
{
    int64_t days = floor_div(ms, MS_PER_DAY);
    int64_t remainder = ms % MS_PER_DAY;
    unsigned rest = (unsigned)(remainder < 0 ? remainder + MS_PER_DAY : remainder);
    char text[14], *p = text;
    *p++ = 'T';
    p = put_padded(p, rest / 3600000, 2);
    *p++ = ':';
    p = put_padded(p, rest / 60000 % 60, 2);
    *p++ = ':';
    p = put_padded(p, rest / 1000 % 60, 2);
    if (!trim || rest % 1000 != 0) {
        *p++ = '.';
        p = put_padded(p, rest % 1000, 3);
    }
    if (z)
        *p++ = 'Z';
    return format_days(out, days) && og_buf_append(out, text, (size_t)(p - text));
}

/* -262143-01-01 and +262142-12-31. */
#define MIN_DAYS (-96465292)
#define MAX_DAYS 95026236

bool og_date_has_text(int32_t days)
{
    return days >= MIN_DAYS && days <= MAX_DAYS;
}

bool og_datetime_has_text(int64_t ms)
{
    return ms >= MIN_DAYS * MS_PER_DAY && ms < (MAX_DAYS + 1) * MS_PER_DAY;
}

/* ---- clocks ------------------------------------------------------------------------------- */

static int64_t system_now_us(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const og_clock og_system_clock = {.now_us = system_now_us};

void og_clock_sleep(const og_clock *clock, int64_t us)
{
    if (clock->sleep_us != NULL) {
        clock->sleep_us(clock->context, us);
        return;
    }
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (us > 0 && nanosleep(&left, &left) != 0)
        continue;
}

uint64_t og_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
