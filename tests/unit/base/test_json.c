/* The reader: what is accepted, what the tree holds, where errors point. jansson decides what is
 * well-formed in the random part. */
#include "og_test.h"

#include <jansson.h>

#include "base/json.h"

static og_json parse_ok(og_arena *arena, const char *text)
{
    og_json value = {0};
    assert_ok(og_json_parse(arena, og_str_of(text), &value, err));
    return value;
}

static void assert_refused(og_str text, uint32_t line, uint32_t column, const char *message)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_json value;
    og_error err = {0};
    if (og_json_parse(arena, text, &value, &err) != OG_INVALID)
        fail_msg("accepted %.*s", OG_FMT(text));
    assert_string_equal(err.message, message);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
}

TEST(test_json__values_of_every_kind)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_json v =
        parse_ok(arena, " {\"a\" : [1, -2.5e3,true,false ,null,\"x\"], \"b\":{}, \"c\":[]}\r\n");
    assert_int_equal(v.kind, OG_JSON_OBJECT);
    assert_int_equal(v.count, 3);
    assert_int_equal(v.offset, 1);
    const og_json *a = og_json_get(&v, "a");
    assert_int_equal(a->kind, OG_JSON_ARRAY);
    assert_int_equal(a->count, 6);
    assert_int_equal(a->offset, 8);
    assert_true(a->items[0].is_integer);
    assert_str_is(a->items[0].text, "1");
    assert_false(a->items[1].is_integer);
    assert_str_is(a->items[1].text, "-2.5e3");
    assert_true(a->items[2].kind == OG_JSON_BOOL && a->items[2].boolean);
    assert_true(a->items[3].kind == OG_JSON_BOOL && !a->items[3].boolean);
    assert_int_equal(a->items[4].kind, OG_JSON_NULL);
    assert_str_is(a->items[5].text, "x");
    assert_int_equal(og_json_get(&v, "b")->count, 0);
    assert_int_equal(og_json_get(&v, "c")->kind, OG_JSON_ARRAY);
    assert_null(og_json_get(&v, "d"));
    assert_null(og_json_get(a, "a"));
    assert_null(og_json_get(NULL, "a"));
}

TEST(test_json__equal_keys_are_kept_and_the_last_is_found)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_json v = parse_ok(arena, "{\"k\":\"1\",\"k\":\"2\",\"\":3}");
    assert_int_equal(v.count, 3);
    assert_str_is(v.items[0].text, "1");
    assert_str_is(og_json_get_str(&v, "k", OG_STR("?")), "2");
    assert_str_is(og_json_get_str(&v, "", OG_STR("?")), "?");
    assert_str_is(og_json_get_str(&v, "no", OG_STR("?")), "?");
}

TEST(test_json__strings_without_escapes_point_into_the_input)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const char *text = "[\"plain text of some length\",\"with \\n escape\"]";
    og_json v = parse_ok(arena, text);
    assert_ptr_equal(v.items[0].text.ptr, text + 2);
    assert_str_is(v.items[1].text, "with \n escape");
}

TEST(test_json__escapes)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_json v =
        parse_ok(arena, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00 z\"");
    assert_str_is(v.text, "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 z");
    v = parse_ok(arena, "\"a\\u0000b\"");
    assert_int_equal(v.text.len, 3);
    assert_memory_equal(v.text.ptr, "a\0b", 3);
}

TEST(test_json__errors_say_place_and_expectation)
{
    assert_refused(OG_STR(""), 1, 1, "expected a value, found the end of the input");
    assert_refused(OG_STR("{\n  \"a\" 1}"), 2, 7, "expected ':' after a key, found '1'");
    assert_refused(OG_STR("[1\n\n x]"), 3, 2, "expected ',' or ']', found 'x'");
    assert_refused(OG_STR("{\"\xc3\xa9\":1,}"), 1, 8, "expected a key in quotes, found '}'");
    assert_refused(OG_STR("[1,]"), 1, 4, "expected a value, found ']'");
    assert_refused(OG_STR("{\"a\":1"), 1, 7, "expected ',' or '}', found the end of the input");
    assert_refused(OG_STR("\"abc"), 1, 5, "expected a closing quote, found the end of the input");
    assert_refused(OG_STR("\"a\nb\""), 1, 3,
                   "expected an escape for a control character, found byte 0x0a");
    assert_refused(OG_STR("\"a\\xb\""), 1, 4,
                   "expected one of \"\\/bfnrtu after a backslash, found 'x'");
    assert_refused(OG_STR("\"\\u12g4\""), 1, 4, "expected four hexadecimal digits, found '1'");
    assert_refused(OG_STR("\"\\ud800\""), 1, 8,
                   "expected a low surrogate behind a high one, found '\"'");
    assert_refused(OG_STR("\"\\ud800\\u0041\""), 1, 8,
                   "expected a low surrogate behind a high one, found '\\'");
    assert_refused(OG_STR("\"\\udc00\""), 1, 2,
                   "expected a high surrogate before a low one, found '\\'");
    assert_refused(OG_STR("\"\xff\""), 1, 2, "expected well-formed UTF-8, found byte 0xff");
    assert_refused(OG_STR("1 2"), 1, 3, "expected nothing after the value, found '2'");
    assert_refused(OG_STR("01"), 1, 2, "expected no digit after a leading zero, found '1'");
    assert_refused(OG_STR("1."), 1, 3,
                   "expected a digit after the decimal point, found the end of the input");
    assert_refused(OG_STR("1e+x"), 1, 4, "expected a digit in the exponent, found 'x'");
    assert_refused(OG_STR("-"), 1, 2, "expected a digit, found the end of the input");
    assert_refused(OG_STR("nul"), 1, 4, "expected true, false or null, found the end of the input");
    assert_refused(OG_STR("\xef\xbb\xbf{}"), 1, 1, "expected a value, found byte 0xef");
    assert_refused(OG_STR("NaN"), 1, 1, "expected a value, found 'N'");
}

TEST(test_json__malformed_utf8_of_every_sort_is_refused)
{
    static const char *const bad[] = {
        "\"\x80\"",             /* continuation alone */
        "\"\xc0\x80\"",         /* overlong */
        "\"\xe0\x9f\xbf\"",     /* overlong */
        "\"\xed\xa0\x80\"",     /* surrogate */
        "\"\xf4\x90\x80\x80\"", /* above U+10FFFF */
        "\"\xf0\x80\x80\x80\"", /* overlong */
        "\"abcdefghijklmnop\xe2\x82\"",
        "{\"\xc3\":1}",
        "\"\\\xc3\xa9\"",
    };
    OG_AUTO(og_arena) arena = og_arena_new(0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        og_json v;
        assert_status(og_json_parse(arena, og_str_of(bad[i]), &v, NULL), OG_INVALID);
    }
    parse_ok(arena, "\"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\xc2\x80\"");
}

TEST(test_json__nesting_is_bounded)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    char text[2 * OG_JSON_MAX_DEPTH + 3];
    og_json v;
    memset(text, '[', OG_JSON_MAX_DEPTH);
    memset(text + OG_JSON_MAX_DEPTH, ']', OG_JSON_MAX_DEPTH);
    assert_ok(og_json_parse(arena, (og_str){text, 2 * OG_JSON_MAX_DEPTH}, &v, err));
    memset(text, '[', sizeof text);
    assert_refused((og_str){text, sizeof text}, 1, OG_JSON_MAX_DEPTH + 1,
                   "expected at most 128 levels of nesting, found '['");
}

TEST(test_json__integers_are_exact)
{
    static const struct {
        const char *text;
        bool is_i64, is_u64;
        int64_t i;
        uint64_t u;
    } cases[] = {
        {"0", true, true, 0, 0},
        {"-0", true, true, 0, 0},
        {"-0.0e5", true, true, 0, 0},
        {"18446744073709551615", false, true, 0, UINT64_MAX},
        {"18446744073709551616", false, false, 0, 0},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"-9223372036854775808", true, false, INT64_MIN, 0},
        {"-9223372036854775809", false, false, 0, 0},
        {"1.0", true, true, 1, 1},
        {"1e3", true, true, 1000, 1000},
        {"1.50e1", true, true, 15, 15},
        {"-12.5E+1", true, false, -125, 0},
        {"1000e-3", true, true, 1, 1},
        {"1.8446744073709551615e19", false, true, 0, UINT64_MAX},
        {"18446744073709551615.000", false, true, 0, UINT64_MAX},
        {"1.8446744073709551616e19", false, false, 0, 0},
        {"0.5", false, false, 0, 0},
        {"1e-1", false, false, 0, 0},
        {"1e20", false, false, 0, 0},
        {"1e999999999999999999999", false, false, 0, 0},
        {"1e-999999999999999999999", false, false, 0, 0},
        {"0e999999999999999999999", true, true, 0, 0},
        {"0.000000000000000000000000001e27", true, true, 1, 1},
        {"100000000000000000000000000000e-29", true, true, 1, 1},
    };
    OG_AUTO(og_arena) arena = og_arena_new(0);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        og_json v = parse_ok(arena, cases[k].text);
        int64_t i = 0;
        uint64_t u = 0;
        if (og_json_to_i64(&v, &i) != cases[k].is_i64 || i != cases[k].i)
            fail_msg("i64 of %s: %lld", cases[k].text, (long long)i);
        if (og_json_to_u64(&v, &u) != cases[k].is_u64 || u != cases[k].u)
            fail_msg("u64 of %s: %llu", cases[k].text, (unsigned long long)u);
    }
    og_json text = parse_ok(arena, "\"1\"");
    int64_t i;
    double f;
    assert_false(og_json_to_i64(&text, &i));
    assert_false(og_json_to_f64(&text, &f));
    assert_false(og_json_to_f64(NULL, &f));
}

TEST(test_json__failing_allocations_are_reported)
{
    static const char text[] = "{\"a\":[1,2,3,[4,\"\\n\"]],\"b\":{\"c\":\"\\u00e9\"}}";
    for (int countdown = 0;; countdown++) {
        OG_AUTO(og_arena) arena = og_arena_new(0);
        og_json v = {0};
        og_alloc_fail_after(countdown, false);
        og_status status = og_json_parse(arena, og_str_of(text), &v, NULL);
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            break;
        assert_status(status, OG_NOMEM);
        assert_int_equal(v.count, 0);
    }
}

/* A random text that is often well-formed: pieces of JSON in random order. */
static size_t random_json(uint64_t *seed, char *dst, size_t room)
{
    static const char *const pieces[] = {
        "{",    "}",    "[", "]",  ",",  ":",   "\"a\"",   "\"b\"", "1",        "-0", "2.5e-3",
        "true", "null", " ", "\n", "\"", "\\n", "\\u00e9", "01",    "\xc3\xa9", "[]"};
    static const char *const frames[][2] = {{"[", "]"}, {"{\"k\":", "}"}, {"[1,", "]"}, {"", ""}};
    const char *const *frame = frames[og_test_random(seed) % 4];
    size_t len = (size_t)snprintf(dst, room, "%s", frame[0]);
    for (uint64_t n = og_test_random(seed) % 5; n > 0; n--)
        len += (size_t)snprintf(dst + len, room - len, "%s", pieces[og_test_random(seed) % 21]);
    return len + (size_t)snprintf(dst + len, room - len, "%s", frame[1]);
}

TEST(test_json__accepts_what_jansson_accepts)
{
    uint64_t seed = 11;
    int accepted = 0;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    for (int i = 0; i < 100000; i++) {
        char text[128];
        size_t len = random_json(&seed, text, sizeof text);
        json_error_t ignored;
        json_t *theirs = json_loadb(
            text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &ignored);
        og_json ours;
        bool ok = og_json_parse(arena, (og_str){text, len}, &ours, NULL) == OG_OK;
        if (ok != (theirs != NULL))
            fail_msg("%s: %s", ok ? "accepted" : "refused", text);
        accepted += ok;
        json_decref(theirs);
        og_arena_reset(arena);
    }
    assert_true(accepted > 5000);
}
