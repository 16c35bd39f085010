#include "og_test.h"

#include "base/id.h"

static int64_t fixed_now(void *context)
{
    return *(int64_t *)context;
}

static void counting_fill(void *context, void *dst, size_t len)
{
    uint8_t *next = context, *p = dst;
    for (size_t i = 0; i < len; i++)
        p[i] = (*next)++;
}

TEST(test_id__ulid_text_of_known_time_and_bits)
{
    int64_t now = INT64_C(1469918176385) * 1000 + 999;
    uint8_t next = 0;
    og_clock clock = {.now_us = fixed_now, .context = &now};
    og_random random = {counting_fill, &next};
    og_ulid id = og_ulid_new(&clock, &random);
    assert_string_equal(id.text, "01ARYZ6S41000G40R40M30E209");
    assert_true(og_ulid_valid(og_str_of(id.text)));
    assert_true(og_ulid_ms(og_str_of(id.text)) == 1469918176385u);
}

TEST(test_id__a_ulid_in_small_letters_is_the_same)
{
    og_ulid ulid;
    assert_str_is(og_ulid_canonical(OG_STR("01aryz6s41000G40r40m30e209"), &ulid),
                  "01ARYZ6S41000G40R40M30E209");
    static const char *const others[] = {"", "main", "01aryz6s41000G40r40m30e20",
                                         "91aryz6s41000g40r40m30e209",
                                         "01aryz6s4100og40r40m30e209"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_str_is(og_ulid_canonical(og_str_of(others[i]), &ulid), others[i]);
}

static void fill_ones(void *context, void *dst, size_t len)
{
    (void)context;
    memset(dst, 0xff, len);
}

TEST(test_id__ulids_of_a_series_rise)
{
    int64_t now = 1469918176385000;
    og_clock clock = {.now_us = fixed_now, .context = &now};
    og_random random = {.fill = fill_ones};
    og_ulid_series series = {0};
    og_ulid first = og_ulid_next(&series, &clock, &random), last = first;
    assert_string_equal(first.text, "01ARYZ6S41FZZZZZZZZZZZZZZZ");
    last = og_ulid_next(&series, &clock, &random);
    assert_string_equal(last.text, "01ARYZ6S41G000000000000000"); /* the carry goes all the way */
    for (int i = 0; i < 3000; i++) {
        now += i % 700 == 0 ? 1000 : 0;
        now -= i % 900 == 0 ? 5000 : 0; /* a clock that goes back */
        og_ulid id = og_ulid_next(&series, &clock, &og_system_random);
        assert_true(og_ulid_valid(og_str_of(id.text)));
        assert_true(strcmp(id.text, last.text) > 0);
        last = id;
    }
}

TEST(test_id__ulid_valid_refuses_other_texts)
{
    assert_true(og_ulid_valid(OG_STR("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")));
    assert_true(og_ulid_valid(OG_STR("01aryz6s41000g40r40m30e209")));
    assert_false(og_ulid_valid(OG_STR("8ZZZZZZZZZZZZZZZZZZZZZZZZZ")));
    assert_false(og_ulid_valid(OG_STR("01ARYZ6S41000G40R40M30E20")));
    assert_false(og_ulid_valid(OG_STR("01ARYZ6S41000G40R40M30E20I")));
    assert_false(og_ulid_valid((og_str){"01ARYZ6S41000G40R40M30E20", 26}));
}

TEST(test_id__ids_of_the_system_differ)
{
    og_ulid a = og_ulid_new(&og_system_clock, &og_system_random);
    og_ulid b = og_ulid_new(&og_system_clock, &og_system_random);
    assert_string_not_equal(a.text, b.text);
    assert_true(og_ulid_valid(og_str_of(a.text)));
    char text[37];
    og_uuid_format(og_uuid_new(&og_system_random), text);
    assert_int_equal(text[14], '4');
    assert_non_null(strchr("89ab", text[19]));
}

TEST(test_id__uuid_format)
{
    uint8_t next = 0xf0;
    char text[37];
    og_uuid_format(og_uuid_new(&(og_random){counting_fill, &next}), text);
    assert_string_equal(text, "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff");
}

TEST(test_id__digests_of_known_texts)
{
    char hex[65];
    assert_true(og_fnv1a64(OG_STR("")) == 0xcbf29ce484222325u);
    assert_true(og_fnv1a64(OG_STR("foobar")) == 0x85944171f73967e8u);
    og_sha256_hex((og_bytes){(const uint8_t *)"abc", 3}, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    og_sha256_hex((og_bytes){NULL, 0}, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(test_id__base64_round_trips)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xef\xbe", "/+++"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        OG_AUTO_BUF out = OG_BUF_INIT;
        og_str plain = og_str_of(pairs[i][0]);
        assert_true(og_base64_encode(&out, (og_bytes){(const uint8_t *)plain.ptr, plain.len}));
        assert_string_equal(og_buf_cstr(&out), pairs[i][1]);
        og_buf_clear(&out);
        assert_true(og_base64_decode(&out, og_str_of(pairs[i][1])));
        assert_true(og_str_eq(og_buf_view(&out), plain));
    }
}

TEST(test_id__base64_refuses_other_texts)
{
    static const char *const bad[] = {"Z",    "Zg",   "Zg=",      "Zh==", "Zm9=",  "=m9v",
                                      "Z===", "====", "Zg==Zg==", "Zm9-", "Zm\n9", "Zm9vYg==="};
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_buf_text(&out, "kept");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (og_base64_decode(&out, og_str_of(bad[i])))
            fail_msg("accepted %s", bad[i]);
    }
    assert_str_is(og_buf_view(&out), "kept");
}
