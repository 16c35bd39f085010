#include "og_test.h"

#include "base/str.h"

TEST(test_str__compare_and_find)
{
    assert_true(og_str_cmp(OG_STR("a"), OG_STR("b")) < 0);
    assert_true(og_str_cmp(OG_STR("a"), OG_STR("ab")) < 0);
    assert_true(og_str_cmp(OG_STR("\xc3"), OG_STR("z")) > 0);
    assert_int_equal(og_str_cmp(OG_STR(""), (og_str){NULL, 0}), 0);
    assert_int_equal(og_str_find(OG_STR("abcabc"), OG_STR("ca")), 2);
    assert_int_equal(og_str_find(OG_STR("abc"), OG_STR("")), 0);
    assert_true(og_str_find(OG_STR("abc"), OG_STR("abcd")) == SIZE_MAX);
    assert_true(og_str_find((og_str){NULL, 0}, OG_STR("a")) == SIZE_MAX);
    assert_str_is(og_str_trim(OG_STR(" \t a b\r\n")), "a b");
    assert_str_is(og_str_trim(OG_STR(" \t ")), "");
}

TEST(test_str__every_code_point_survives_utf8)
{
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        if (code == 0xd800)
            code = 0xe000;
        char bytes[4];
        og_str s = {bytes, og_utf8_encode(code, bytes)};
        size_t offset = 0;
        assert_true(og_utf8_valid(s, NULL));
        assert_true(og_utf8_next(s, &offset) == code);
        assert_int_equal(offset, s.len);
    }
}

TEST(test_str__malformed_utf8_is_found_where_it_begins)
{
    static const struct {
        const char *text;
        size_t bad;
    } cases[] = {
        {"\x80", 0},         {"a\xc1\xbf", 1},        {"abcdefgh\xe2\x82", 8}, {"\xed\xa0\x80", 0},
        {"\xf5\x80\x80", 0}, {"\xf0\x8f\xbf\xbf", 0}, {"\xc3\xa9\xc3", 2},     {"\xe2\x28\xa1", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t bad = 99;
        assert_false(og_utf8_valid(og_str_of(cases[i].text), &bad));
        assert_int_equal(bad, cases[i].bad);
        size_t offset = bad;
        assert_int_equal(og_utf8_next(og_str_of(cases[i].text), &offset), 0xfffd);
        assert_int_equal(offset, bad + 1);
    }
    assert_int_equal(og_utf8_length(OG_STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
    assert_true(og_utf8_valid((og_str){NULL, 0}, NULL));
}

TEST(test_str__distance_counts_edits_and_transpositions)
{
    assert_int_equal(og_str_distance(OG_STR("name"), OG_STR("name"), 2), 0);
    assert_int_equal(og_str_distance(OG_STR("name"), OG_STR("NAME"), 2), 0);
    assert_int_equal(og_str_distance(OG_STR("name"), OG_STR("nmae"), 2), 1);
    assert_int_equal(og_str_distance(OG_STR("name"), OG_STR("nam"), 2), 1);
    assert_int_equal(og_str_distance(OG_STR("ca"), OG_STR("abc"), 3), 3);
    assert_int_equal(og_str_distance(OG_STR(""), OG_STR("abc"), 3), 3);
    assert_true(og_str_distance(OG_STR("name"), OG_STR("title"), 2) == SIZE_MAX);
    char longer[65];
    memset(longer, 'a', sizeof longer);
    assert_true(og_str_distance((og_str){longer, 65}, OG_STR("a"), 100) == SIZE_MAX);
    assert_int_equal(og_str_distance((og_str){longer, 64}, OG_STR(""), 100), 64);
}

TEST(test_str__columns_of_a_terminal)
{
    assert_int_equal(og_utf8_columns(OG_STR("")), 0);
    assert_int_equal(og_utf8_columns(OG_STR("plain \033")), 7);
    assert_int_equal(og_utf8_columns(OG_STR("漢字ﾊ")), 5);
    assert_int_equal(og_utf8_columns(OG_STR("e\xcc\x81—…")), 3);
    assert_int_equal(og_utf8_columns(OG_STR("\xff\xff")), 2); /* malformed: U+FFFD, twice */
    assert_str_is(og_utf8_take_columns(OG_STR("漢字a"), 3), "漢");
    assert_str_is(og_utf8_take_columns(OG_STR("e\xcc\x81x"), 1), "e\xcc\x81");
    assert_str_is(og_utf8_take_columns(OG_STR("漢"), 1), "");
    assert_str_is(og_utf8_take_columns(OG_STR("漢"), 9), "漢");
}
