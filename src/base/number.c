#include "base/number.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/pow10.h"

typedef unsigned __int128 u128;

static uint64_t pow10_high(int k)
{
    return og__pow10[k - OG__POW10_MIN][0];
}

static uint64_t pow10_low(int k)
{
    return og__pow10[k - OG__POW10_MIN][1];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- integers ----------------------------------------------------------------------------- */

static bool parse_magnitude(og_str text, uint64_t *out)
{
    if (text.len == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i]) || og_mul_overflow(value, 10u, &value) ||
            og_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool og_parse_i64(og_str text, int64_t *out)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t magnitude;
    if (!parse_magnitude(negative ? og_str_slice(text, 1, text.len) : text, &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool og_parse_u64(og_str text, uint64_t *out)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t magnitude;
    if (!parse_magnitude(negative ? og_str_slice(text, 1, text.len) : text, &magnitude) ||
        (negative && magnitude != 0))
        return false;
    *out = magnitude;
    return true;
}

/* ---- text to double ----------------------------------------------------------------------- */

/* A JSON number taken apart: value = mantissa * 10^exponent unless `inexact`, when it had more than
 * 19 significant digits. */
typedef struct decimal {
    uint64_t mantissa;
    int exponent;
    bool negative;
    bool inexact;
} decimal;

#define MAX_MANTISSA_DIGITS 19
/* Beyond this any exponent means zero or infinity, whatever the number of digits in memory. */
#define EXPONENT_BOUND 1000000

/* Digits at *p into d's mantissa; `scale` is the change of the exponent for a digit that is taken
 * (-1 behind the point), and scale + 1 for one that no longer fits. */
static const char *scan_digits(const char *p, const char *end, int scale, decimal *d, int *taken)
{
    for (; p < end && is_digit(*p); p++) {
        if (*taken < MAX_MANTISSA_DIGITS) {
            d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
            *taken += d->mantissa != 0; /* leading zeros don't count */
            d->exponent += scale;
        } else {
            d->inexact |= *p != '0';
            d->exponent += scale + 1;
        }
        if (d->exponent > EXPONENT_BOUND || d->exponent < -EXPONENT_BOUND)
            d->inexact = true; /* strtod reads texts of such a size */
    }
    return p;
}

static const char *scan_exponent(const char *p, const char *end, int *out)
{
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end || !is_digit(*p))
        return NULL;
    int value = 0;
    for (; p < end && is_digit(*p); p++) {
        if (value < EXPONENT_BOUND)
            value = value * 10 + (*p - '0');
    }
    *out = negative ? -value : value;
    return p;
}

/* RFC 8259 section 6: no leading zeros, no bare point. */
static bool scan_decimal(og_str text, decimal *d)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    *d = (decimal){0};
    if (p < end && *p == '-') {
        d->negative = true;
        p++;
    }
    if (p == end || !is_digit(*p) || (*p == '0' && end - p > 1 && is_digit(p[1])))
        return false;
    int taken = 0;
    p = scan_digits(p, end, 0, d, &taken);
    if (p < end && *p == '.') {
        const char *first = ++p;
        p = scan_digits(p, end, -1, d, &taken);
        if (p == first)
            return false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        int exponent;
        p = scan_exponent(p + 1, end, &exponent);
        if (p == NULL)
            return false;
        d->exponent += exponent;
    }
    return p == end;
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Both factors are exact doubles, so the one operation rounds once (Clinger 1990). */
static bool convert_small(const decimal *d, double *out)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->mantissa >> 53 != 0 || d->exponent < -22 || d->exponent > 22)
        return false;
    double m = (double)d->mantissa;
    *out = d->exponent < 0 ? m / exact[-d->exponent] : m * exact[d->exponent];
    return true;
}

/* Upper 128 bits of w * 10^q for normalised w, computed as far as the 55 bits that rounding looks
 * at need. False when the bits below could still change the result. */
static bool scaled_product(uint64_t w, int q, uint64_t *out_high, uint64_t *out_low)
{
    uint64_t table_high = pow10_high(q), table_low = pow10_low(q);
    /* The method's proof is over values cut off outside of -27..55, ours are rounded up. */
    if ((q < -27 || q > 55) && table_low-- == 0)
        table_high--;
    u128 product = (u128)w * table_high;
    if ((uint64_t)(product >> 64 & 0x1ff) == 0x1ff)
        product += (uint64_t)((u128)w * table_low >> 64);
    *out_high = (uint64_t)(product >> 64);
    *out_low = (uint64_t)product;
    return *out_low != UINT64_MAX || (q >= -27 && q <= 55);
}

/* Eisel and Lemire's method (Lemire, "Number parsing at a gigabyte per second", 2021) for a
 * mantissa of any 64 bits. False when it can't decide. */
static bool convert_by_table(const decimal *d, double *out)
{
    int q = d->exponent;
    if (d->mantissa == 0 || q < OG__POW10_MIN) {
        *out = 0.0;
        return true;
    }
    if (q > 308) {
        *out = HUGE_VAL;
        return true;
    }
    int lead = __builtin_clzll(d->mantissa);
    uint64_t high, low;
    if (!scaled_product(d->mantissa << lead, q, &high, &low))
        return false;

    int top = (int)(high >> 63);
    int shift = top + 64 - 52 - 3;
    uint64_t m = high >> shift; /* 54 bits: the significand and one to round by */
    int exponent = ((217706 * q) >> 16) + 63 + top - lead + 1023; /* floor(q * log2(10)) */
    if (exponent <= 0) {
        if (1 - exponent >= 64) {
            *out = 0.0;
            return true;
        }
        m >>= 1 - exponent;
        m = (m + (m & 1)) >> 1;
        /* A subnormal rounded up to 2^52 is the smallest normal: its bits say so by themselves. */
        *out = double_of_bits(m);
        return true;
    }
    /* Exactly half way is possible only for small powers: then to even. */
    if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << shift == high)
        m &= ~(uint64_t)1;
    m = (m + (m & 1)) >> 1;
    if (m >> 53 != 0) {
        m >>= 1;
        exponent++;
    }
    if (exponent >= 0x7ff)
        *out = HUGE_VAL;
    else
        *out = double_of_bits((m & (((uint64_t)1 << 52) - 1)) | (uint64_t)exponent << 52);
    return true;
}

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Digits beyond 19, or the rare case that the table leaves open. */
static bool convert_slow(og_str text, double *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    char small[128];
    OG_AUTO_FREE char *large = NULL;
    char *copy = small;
    if (text.len >= sizeof small && (copy = large = og_malloc(text.len + 1)) == NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *out = c_locale != (locale_t)0 ? strtod_l(copy, NULL, c_locale) : strtod(copy, NULL);
    return true;
}

bool og_parse_f64(og_str text, double *out)
{
    decimal d;
    double value;
    if (!scan_decimal(text, &d))
        return false;
    if (!d.inexact && (convert_small(&d, &value) || convert_by_table(&d, &value)))
        value = d.negative ? -value : value;
    else if (!convert_slow(text, &value))
        return false;
    if (isinf(value))
        return false;
    *out = value;
    return true;
}

/* ---- shortest text of a float --------------------------------------------------------------
 *
 * Schubfach (Giulietti, "The Schubfach way to render doubles", 2020). A float is c * 2^q; every
 * decimal between its two neighbours' midpoints reads back as it. Scaled by 10^-k with
 * k = floor(log10(2^q)), that interval is between 2 and 20 units wide, so the candidates are the
 * two integers beside the scaled value, or the two multiples of ten beside it, which are
 * shorter. The interval's ends count when c is even. */

static int floor_log10_pow2(int q)
{
    return (q * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int q)
{
    return (q * 1262611 - 524031) >> 22;
}

static int floor_log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

typedef struct interval {
    uint64_t left, value, right; /* four times the scaled value and its bounds, rounded to odd */
} interval;

/* The integer whose digits are the shortest, at 10^k; *up is set when it is at 10^(k + 1). */
static uint64_t pick_shortest(interval v, bool even, bool *up)
{
    uint64_t low = v.left + !even, high = v.right - !even;
    uint64_t s = v.value / 4;
    *up = false;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool under = low <= 40 * tens, over = 40 * tens + 40 <= high;
        if (under != over) {
            *up = true;
            return tens + over;
        }
    }
    bool under = low <= 4 * s, over = 4 * s + 4 <= high;
    if (under != over)
        return s + over;
    uint64_t middle = 4 * s + 2;
    return s + (v.value > middle || (v.value == middle && (s & 1) != 0));
}

/* floor(g * c / 2^128), with the lowest bit set when something was cut off. */
static uint64_t scale64(uint64_t g_high, uint64_t g_low, uint64_t c)
{
    u128 y = (u128)g_high * c + (uint64_t)((u128)g_low * c >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

static uint64_t scale32(uint64_t g, uint64_t c)
{
    u128 y = (u128)g * c;
    return (uint64_t)(y >> 64) | ((uint32_t)(y >> 32) > 1);
}

/* Digits without trailing zeros; value = 0.digits * 10^exponent. Two at a time: a division each is
 * what this costs. All of `room` is written, as a copy of constant length is no call. */
static inline int write_digits(uint64_t value, int exponent10, size_t room, char *digits,
                               int *out_exponent)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char text[20 + 17] = {0}, *end = text + 20, *p = end;
    for (; value >= 10; value /= 100)
        memcpy(p -= 2, pairs + value % 100 * 2, 2);
    if (value != 0)
        *--p = (char)('0' + value);
    *out_exponent = exponent10 + (int)(end - p);
    while (end > p + 1 && end[-1] == '0')
        end--;
    memcpy(digits, p, room);
    return (int)(end - p);
}

int og_f64_shortest(double value, char digits[17], int *out_exponent)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7ff);
    assert(bits >> 63 == 0 && bits != 0 && biased != 0x7ff);

    uint64_t c = biased != 0 ? fraction | (uint64_t)1 << 52 : fraction;
    int q = (biased != 0 ? biased : 1) - 1075;
    /* Integers below 2^53 are their own shortest digits. */
    if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0)
        return write_digits(c >> -q, 0, 17, digits, out_exponent);

    /* The float below a power of two is nearer than the one above. */
    bool closer = fraction == 0 && biased > 1;
    int k = closer ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    uint64_t high = pow10_high(-k), low = pow10_low(-k);
    interval v = {scale64(high, low, (4 * c - 2 + closer) << h), scale64(high, low, (4 * c) << h),
                  scale64(high, low, (4 * c + 2) << h)};
    bool up;
    uint64_t shortest = pick_shortest(v, (c & 1) == 0, &up);
    return write_digits(shortest, k + up, 17, digits, out_exponent);
}

int og_f32_shortest(float value, char digits[9], int *out_exponent)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & ((1u << 23) - 1);
    int biased = (int)(bits >> 23 & 0xff);
    assert(bits >> 31 == 0 && bits != 0 && biased != 0xff);

    uint64_t c = biased != 0 ? fraction | 1u << 23 : fraction;
    int q = (biased != 0 ? biased : 1) - 150;
    if (q <= 0 && q > -24 && (c & ((1u << -q) - 1)) == 0)
        return write_digits(c >> -q, 0, 9, digits, out_exponent);

    bool closer = fraction == 0 && biased > 1;
    int k = closer ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    /* 64 bits of the power, rounded up like the full one. */
    uint64_t g = pow10_high(-k) + (pow10_low(-k) != 0);
    interval v = {scale32(g, (4 * c - 2 + closer) << h), scale32(g, (4 * c) << h),
                  scale32(g, (4 * c + 2) << h)};
    bool up;
    uint64_t shortest = pick_shortest(v, (c & 1) == 0, &up);
    return write_digits(shortest, k + up, 9, digits, out_exponent);
}
