/* Accepted texts and their values are the reference's, asked one by one; the few differences are
 * named in timeval.h. */
#include "og_test.h"

#include "base/timeval.h"

static const char refused[] = "refused";

static void assert_parsed(const char *text, const char *date, const char *instant)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    int32_t days;
    int64_t ms;
    if (og_parse_date(og_str_of(text), &days))
        og_format_date(&out, days);
    else
        og_buf_text(&out, refused);
    og_buf_byte(&out, ' ');
    if (og_parse_datetime(og_str_of(text), &ms))
        og_format_datetime(&out, ms, false, true);
    else
        og_buf_text(&out, refused);
    char expected[128];
    snprintf(expected, sizeof expected, "%s %s", date, instant);
    if (strcmp(og_buf_cstr(&out), expected) != 0)
        fail_msg("\"%s\" gives %s, expected %s", text, og_buf_cstr(&out), expected);
}

TEST(test_timeval__dates)
{
    assert_parsed("2024-02-29", "2024-02-29", "2024-02-29T00:00:00");
    assert_parsed("20240229", "2024-02-29", "2024-02-29T00:00:00");
    assert_parsed("2024-2-3", "2024-02-03", "2024-02-03T00:00:00");
    assert_parsed("2024-2-29", "2024-02-29", "2024-02-29T00:00:00");
    assert_parsed("2024-02-9", "2024-02-09", "2024-02-09T00:00:00");
    assert_parsed("0000-01-01", "0000-01-01", "0000-01-01T00:00:00");
    assert_parsed("+10000-01-01", "+10000-01-01", "+10000-01-01T00:00:00");
    assert_parsed("-0001-12-31", "-0001-12-31", "-0001-12-31T00:00:00");
    assert_parsed("+2024-1-1", "2024-01-01", "2024-01-01T00:00:00");
    assert_parsed("+262142-12-31", "+262142-12-31", "+262142-12-31T00:00:00");
}

TEST(test_timeval__instants_are_taken_to_utc_first)
{
    assert_parsed("2024-02-29T23:59:59-05:00", "2024-03-01", "2024-03-01T04:59:59");
    assert_parsed("2024-02-29T10:11:12+0530", "2024-02-29", "2024-02-29T04:41:12");
    assert_parsed("2024-02-29T10:11:12+05", "2024-02-29", "2024-02-29T05:11:12");
    assert_parsed("2024-02-29T10:11:12+23:59", "2024-02-28", "2024-02-28T10:12:12");
    assert_parsed("2024-02-29T10:11:12 +05:30", "2024-02-29", "2024-02-29T04:41:12");
    assert_parsed("2024-02-29T10:11:12Z", "2024-02-29", "2024-02-29T10:11:12");
    assert_parsed("2024-02-29t10:11:12z", "2024-02-29", "2024-02-29T10:11:12");
    assert_parsed("2024-02-29 10:11:12", "2024-02-29", "2024-02-29T10:11:12");
    assert_parsed("2024-02-29T101112Z", "2024-02-29", "2024-02-29T10:11:12");
    assert_parsed("9999-12-31T23:59:59.999-05:00", "+10000-01-01", "+10000-01-01T04:59:59.999");
}

TEST(test_timeval__fractions_are_cut_and_second_60_is_the_next_minute)
{
    assert_parsed("2024-02-29T10:11:12.1Z", "2024-02-29", "2024-02-29T10:11:12.100");
    assert_parsed("2024-02-29T10:11:12.5+05:30", "2024-02-29", "2024-02-29T04:41:12.500");
    assert_parsed("2024-02-29T10:11:12.1239999999999Z", "2024-02-29", "2024-02-29T10:11:12.123");
    assert_parsed("1969-12-31T23:59:59.9999Z", "1969-12-31", "1969-12-31T23:59:59.999");
    assert_parsed("2024-12-31T23:59:60Z", "2025-01-01", "2025-01-01T00:00:00");
    assert_parsed("2024-02-29T23:30:60.5Z", "2024-02-29", "2024-02-29T23:31:00.500");
}

TEST(test_timeval__other_texts_are_refused)
{
    static const char *const bad[] = {
        "",
        " 2024-01-02",
        "2024-01-02 ",
        "02/03/2024",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-13-01",
        "2024-00-01",
        "2024-01-00",
        "2024-1-",
        "2024--1",
        "2024-001-1",
        "224-01-01",
        "12024-01-01",
        "2024-2-3x",
        "2024012",
        "202401011",
        "+20240101",
        "+262143-01-01",
        "+9999999-01-01",
        "2024-02-29T",
        "2024-02-29T10",
        "2024-02-29 10:11",
        "2024-02-29T10:11:12.Z",
        "2024-02-29T10:11:12,5Z",
        "2024-02-29T101112.5Z",
        "2024-02-29T24:00:00Z",
        "2024-02-29T10:60:00Z",
        "2024-02-29T10:11:61Z",
        "2024-02-29T10:1112Z",
        "2024-02-29T10:11:12 Z",
        "2024-02-29T10:11:12 ",
        "2024-02-29T10:11:12Zx",
        "2024-02-29T10:11:12+5:30",
        "2024-02-29T10:11:12+24:00",
        "2024-02-29T10:11:12+05:60",
        "2024-02-29T10:11:12+05:",
        "2024-02-29T10:11:12+05:300",
        "2024-02-29T10:11:12UTC",
        "2024-2-3T10:11:12Z",
        "20240229T101112Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_parsed(bad[i], refused, refused);
}

TEST(test_timeval__every_day_of_many_eras_round_trips)
{
    int64_t year;
    unsigned month, day;
    for (int32_t days = -1000000; days < 1000000; days += 1) {
        og_civil_from_days(days, &year, &month, &day);
        assert_int_equal(og_days_from_civil(year, month, day), days);
    }
    assert_int_equal(og_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(og_days_from_civil(2000, 3, 1), 11017);
}

TEST(test_timeval__formats)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_format_datetime(&out, 0, true, false);
    og_format_datetime(&out, -1, true, true);
    og_format_datetime(&out, 1000, false, true);
    assert_string_equal(og_buf_cstr(&out), "1970-01-01T00:00:00.000Z1969-12-31T23:59:59.999Z"
                                           "1970-01-01T00:00:01");
    og_buf_clear(&out);
    assert_true(og_format_datetime(&out, INT64_MIN, true, false));
    assert_true(og_format_datetime(&out, INT64_MAX, true, false));
    assert_true(og_format_date(&out, INT32_MIN));
    assert_true(og_format_date(&out, INT32_MAX));
}

TEST(test_timeval__has_text_where_text_is_read_back)
{
    const int64_t edges[] = {-8334601228800000, 8210266876799999};
    const int32_t days[] = {-96465292, 95026236};
    for (int i = 0; i < 2; i++) {
        OG_AUTO_BUF instant = OG_BUF_INIT, date = OG_BUF_INIT;
        int outward = i == 0 ? -1 : 1;
        int64_t ms;
        int32_t day;
        assert_true(og_datetime_has_text(edges[i]) && og_date_has_text(days[i]));
        assert_false(og_datetime_has_text(edges[i] + outward));
        assert_false(og_date_has_text(days[i] + outward));
        og_format_datetime(&instant, edges[i], false, true);
        og_format_date(&date, days[i]);
        assert_true(og_parse_datetime(og_buf_view(&instant), &ms) && ms == edges[i]);
        assert_true(og_parse_date(og_buf_view(&date), &day) && day == days[i]);
    }
}

TEST(test_timeval__clocks_go_on)
{
    uint64_t before = og_monotonic_ns();
    assert_true(og_system_clock.now_us(NULL) > INT64_C(1600000000000000));
    assert_true(og_monotonic_ns() >= before);
}
