#include "og_test.h"

#include "base/buf.h"
#include "base/vec.h"

TEST(test_buf__appends)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    assert_string_equal(og_buf_cstr(&buf), "");
    for (int i = 0; i < 1000; i++)
        assert_true(og_buf_printf(&buf, "%d,", i));
    og_buf_text(&buf, "end");
    og_buf_fill(&buf, '!', 3);
    assert_true(og_str_ends(og_buf_view(&buf), OG_STR("999,end!!!")));
    assert_int_equal(strlen(og_buf_cstr(&buf)), buf.len);
}

TEST(test_buf__maximum_is_exact_and_failure_sticks)
{
    OG_AUTO_BUF buf = {.max = 5};
    assert_true(og_buf_append(&buf, "abcde", 5));
    assert_string_equal(og_buf_cstr(&buf), "abcde");
    assert_false(og_buf_byte(&buf, 'f'));
    assert_true(buf.failed);
    og_buf_clear(&buf);
    assert_true(og_buf_printf(&buf, "%s", "vwxyz"));
    assert_false(og_buf_printf(&buf, "%s", "x"));
    assert_false(og_buf_append(&buf, "", 0));
    assert_str_is(og_buf_view(&buf), "vwxyz");
    og_buf_clear(&buf);
    assert_false(og_buf_fill(&buf, 0, SIZE_MAX));
}

TEST(test_buf__integers_are_little_endian)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    og_buf_u16(&buf, 0x0102);
    og_buf_u32(&buf, 0x03040506);
    og_buf_u64(&buf, 0x0708090a0b0c0d0e);
    assert_int_equal(buf.len, 14);
    assert_memory_equal(buf.ptr, "\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07", 14);
}

TEST(test_buf__failed_allocation_keeps_what_is_there)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    og_buf_text(&buf, "abc");
    og_alloc_fail_after(0, true);
    assert_false(og_buf_fill(&buf, 'x', 1000));
    og_alloc_fail_after(-1, false);
    assert_str_is(og_buf_view(&buf), "abc");
}

TEST(test_vec__grows_and_reports_failure)
{
    OG_VEC(uint32_t) v = {0};
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(og_vec_push(&v, i * 3));
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(v.items[i], i * 3);
    assert_int_equal(og_vec_last(&v), 2997);
    assert_true(v.cap < 2048);
    assert_false(og_vec_reserve(&v, SIZE_MAX));
    assert_false(og_vec_reserve(&v, SIZE_MAX / 4));
    og_alloc_fail_after(0, true);
    assert_false(og_vec_reserve(&v, 100000));
    og_alloc_fail_after(-1, false);
    assert_int_equal(v.len, 1000);
    og_vec_deinit(&v);
    assert_null(v.items);
}
TEST(test_buf__visible_spells_out_what_terminals_obey)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    og_str text = OG_STR("a\tb\n\x1b[31m\x7f\xc2\x85\xc3\xa9");
    assert_true(og_buf_visible(&buf, text, false));
    assert_string_equal(og_buf_cstr(&buf), "a\tb\n\\u001b[31m\\u007f\\u0085\xc3\xa9");
    og_buf_clear(&buf);
    assert_true(og_buf_visible(&buf, OG_STR("a\nb"), true));
    assert_string_equal(og_buf_cstr(&buf), "a\\u000ab");
}
