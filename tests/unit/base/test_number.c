#include "og_test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/number.h"

static double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void digits_to_text(char *text, size_t size, const char *digits, int count, int exponent)
{
    snprintf(text, size, "0.%.*se%d", count, digits, exponent);
}

/* What prints reads back, by our reader and by libc's, and no shorter text would. */
static void check_f64(double value)
{
    char digits[17], text[64], libc[64];
    int exponent;
    int count = og_f64_shortest(value, digits, &exponent);
    assert_in_range(count, 1, 17);
    assert_int_not_equal(digits[count - 1], '0');
    digits_to_text(text, sizeof text, digits, count, exponent);
    double back;
    assert_true(strtod(text, NULL) == value);
    assert_true(og_parse_f64(og_str_of(text), &back));
    assert_true(back == value);

    /* libc's rounding to `count` digits is the nearest such text; ours must be as near. */
    snprintf(libc, sizeof libc, "%.*e", count - 1, value);
    if (strtod(libc, NULL) == value) {
        char ours[64];
        snprintf(ours, sizeof ours, "%c%s%.*se%+03d", digits[0], count > 1 ? "." : "", count - 1,
                 digits + 1, exponent - 1);
        assert_string_equal(ours, libc);
    }
    if (count > 1) {
        snprintf(libc, sizeof libc, "%.*e", count - 2, value);
        assert_true(strtod(libc, NULL) != value);
    }
}

TEST(test_number__f64_round_trips_at_every_exponent)
{
    uint64_t seed = 1;
    for (uint64_t exponent = 0; exponent < 0x7ff; exponent++) {
        uint64_t base = exponent << 52;
        uint64_t last = ((uint64_t)1 << 52) - 1;
        if (base != 0)
            check_f64(double_of(base));
        check_f64(double_of(base + 1));
        check_f64(double_of(base + last));
        for (int i = 0; i < 8; i++)
            check_f64(double_of(base | (og_test_random(&seed) & last)));
    }
}

TEST(test_number__f64_round_trips_random_bits)
{
    uint64_t seed = 2;
    for (int i = 0; i < 100000; i++) {
        double value = double_of(og_test_random(&seed) >> 1);
        if (value > 0 && isfinite(value))
            check_f64(value);
    }
}

TEST(test_number__f64_round_trips_short_decimals)
{
    uint64_t seed = 3;
    for (int i = 0; i < 50000; i++) {
        double value = (double)(og_test_random(&seed) % 1000000 + 1) / 10000;
        check_f64(value);
    }
}

TEST(test_number__f32_round_trips)
{
    uint64_t seed = 4;
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = (uint32_t)(og_test_random(&seed) >> 33);
        if (i < 255 * 3)
            bits = (uint32_t)(i / 3) << 23 | (i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 0x7fffff);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (value == 0 || !isfinite(value))
            continue;
        char digits[9], text[32], libc[32];
        int exponent;
        int count = og_f32_shortest(value, digits, &exponent);
        assert_in_range(count, 1, 9);
        digits_to_text(text, sizeof text, digits, count, exponent);
        assert_true(strtof(text, NULL) == value);
        if (count > 1) {
            snprintf(libc, sizeof libc, "%.*e", count - 2, (double)value);
            assert_true(strtof(libc, NULL) != value);
        }
    }
}

TEST(test_number__parse_agrees_with_libc_on_random_decimals)
{
    uint64_t seed = 5;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        uint64_t mantissa = og_test_random(&seed) >> (og_test_random(&seed) % 64);
        int exponent = (int)(og_test_random(&seed) % 700) - 360;
        snprintf(text, sizeof text, "%llu%se%d", (unsigned long long)mantissa,
                 i % 3 == 0   ? ".7031"
                 : i % 3 == 1 ? ".5"
                              : "",
                 exponent);
        double expected = strtod(text, NULL), got = -1;
        bool ok = og_parse_f64(og_str_of(text), &got);
        assert_true(ok == isfinite(expected));
        if (ok && got != expected)
            fail_msg("%s: %a, expected %a", text, got, expected);
    }
}

TEST(test_number__parse_rounds_half_way_cases_to_even)
{
    static const char *const texts[] = {
        "9007199254740993",
        "9007199254740995",
        "9007199254740992.99999999999999999999",
        "9007199254740993.00000000000000000001",
        "4503599627370496.5",
        "4503599627370497.5",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "0.000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000000000000000e-50",
        "1e23",
        "8.5e22",
        "6.1e-5000",
        "0e99999999999999999999",
        "123456789012345678901234567890",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double got;
        assert_true(og_parse_f64(og_str_of(texts[i]), &got));
        if (got != strtod(texts[i], NULL))
            fail_msg("%s: %a", texts[i], got);
    }
}

TEST(test_number__parse_f64_takes_json_numbers_only)
{
    static const char *const bad[] = {"",    "-",  "+1",  ".5",   "1.",  "01",
                                      "-01", "1e", "1e+", "0x1",  "inf", "NaN",
                                      " 1",  "1 ", "1,5", "1e5.", "--1", "1e999"};
    double v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (og_parse_f64(og_str_of(bad[i]), &v))
            fail_msg("accepted \"%s\"", bad[i]);
    }
    assert_true(og_parse_f64(OG_STR("-0"), &v) && v == 0 && signbit(v));
    assert_true(og_parse_f64(OG_STR("-0.0e7"), &v) && v == 0 && signbit(v));
    assert_true(og_parse_f64(OG_STR("1E+2"), &v) && v == 100);
    assert_true(og_parse_f64(OG_STR("0.1"), &v) && v == 0.1);
}

TEST(test_number__parse_very_long_texts)
{
    enum { LEN = 5000 };
    char text[LEN + 16];
    memset(text, '0', sizeof text);
    text[1] = '.';
    memcpy(text + LEN, "1e4999", 7);
    double v;
    assert_true(og_parse_f64((og_str){text, LEN + 6}, &v));
    assert_true(v == 1.0);
    og_alloc_fail_after(0, false);
    text[LEN - 1] = '7';
    memset(text + 2, '3', 100);
    assert_false(og_parse_f64((og_str){text, LEN}, &v));
    og_alloc_fail_after(-1, false);
}

TEST(test_number__integers_at_their_limits)
{
    int64_t i;
    uint64_t u;
    assert_true(og_parse_i64(OG_STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(og_parse_i64(OG_STR("9223372036854775807"), &i) && i == INT64_MAX);
    assert_false(og_parse_i64(OG_STR("9223372036854775808"), &i));
    assert_false(og_parse_i64(OG_STR("-9223372036854775809"), &i));
    assert_true(og_parse_u64(OG_STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(og_parse_u64(OG_STR("18446744073709551616"), &u));
    assert_false(og_parse_u64(OG_STR("-1"), &u));
    assert_true(og_parse_u64(OG_STR("-0"), &u) && u == 0);
    static const char *const bad[] = {"", "-", "+1", "1.0", "1e3", " 1", "1 ", "0x1", "- 1"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_false(og_parse_i64(og_str_of(bad[k]), &i));
        assert_false(og_parse_u64(og_str_of(bad[k]), &u));
    }
}
