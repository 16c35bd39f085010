#include "og_test.h"

#include <math.h>

#include "base/json.h"

TEST(test_json_write__floats_as_the_reference_prints_them)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {(double)0.1f, "0.10000000149011612"},
        {100, "100.0"},
        {1e15, "1000000000000000.0"},
        {1234567890123456, "1234567890123456.0"},
        {9999999999999998, "9999999999999998.0"},
        {1e16, "1e+16"},
        {1.25e16, "1.25e+16"},
        {12345678901234567890.0, "1.2345678901234567e+19"},
        {1e-5, "0.00001"},
        {1.5e-5, "0.000015"},
        {1e-6, "1e-6"},
        {9.5e-6, "9.5e-6"},
        {0.001234, "0.001234"},
        {123456.789, "123456.789"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1e23, "1e+23"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OG_AUTO_BUF out = OG_BUF_INIT;
        assert_true(og_json_write_f64(&out, cases[i].value));
        assert_string_equal(og_buf_cstr(&out), cases[i].text);
    }
}

TEST(test_json_write__integers_at_full_width)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_json_write_i64(&out, INT64_MIN);
    og_buf_byte(&out, ' ');
    og_json_write_i64(&out, 0);
    og_buf_byte(&out, ' ');
    og_json_write_u64(&out, UINT64_MAX);
    assert_string_equal(og_buf_cstr(&out), "-9223372036854775808 0 18446744073709551615");
}

TEST(test_json_write__strings_are_escaped_as_serde_does)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_json_write_str(&out, OG_STR("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\0z"));
    assert_string_equal(og_buf_cstr(&out),
                        "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\\u0000z\"");
    og_buf_clear(&out);
    og_json_write_str(&out, (og_str){NULL, 0});
    assert_string_equal(og_buf_cstr(&out), "\"\"");
}

static void assert_written(const char *text, bool pretty, const char *expected)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_json v;
    assert_ok(og_json_parse(arena, og_str_of(text), &v, err));
    assert_true(og_json_write(&out, &v, pretty));
    assert_string_equal(og_buf_cstr(&out), expected);
}

TEST(test_json_write__trees)
{
    static const char text[] =
        "{ \"a\":[1, {\"b\":null}],\"c\":{},\"d\":[ ],\"e\":true,\"f\":1E+5 }";
    assert_written(text, false, "{\"a\":[1,{\"b\":null}],\"c\":{},\"d\":[],\"e\":true,\"f\":1E+5}");
    assert_written(text, true,
                   "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n"
                   "  \"c\": {},\n  \"d\": [],\n  \"e\": true,\n  \"f\": 1E+5\n}");
    assert_written("\"x\"", true, "\"x\"");
}

TEST(test_json_write__full_buffer_is_false)
{
    OG_AUTO_BUF out = {.max = 10};
    assert_false(og_json_write_str(&out, OG_STR("a long text")));
    assert_true(out.failed);
}
