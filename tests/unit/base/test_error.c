#include "og_test.h"

#include <errno.h>

#include "base/alloc.h"

TEST(test_error__status_table_is_complete)
{
    for (og_status status = OG_OK; status <= OG_UNKNOWN; status++) {
        assert_non_null(og_status_id(status));
        assert_int_equal(og_status_exit_code(status), status != OG_OK);
        assert_in_range(og_status_http(status), 200, 599);
    }
    assert_string_equal(og_status_id((og_status)999), og_status_id(OG_UNKNOWN));
}

TEST(test_error__set_clears_what_was_there)
{
    og_error err = {0};
    assert_int_equal(og_error_set_at(&err, OG_INVALID, 3, 4, "no %s", "name"), OG_INVALID);
    og_error_detail(&err, "d");
    og_error_hint(&err, "h");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 4);
    assert_int_equal(og_error_nomem(&err), OG_NOMEM);
    assert_string_equal(err.message, "out of memory");
    assert_string_equal(err.detail, "");
    assert_string_equal(err.hint, "");
    assert_int_equal(err.line, 0);
    assert_int_equal(og_error_set(NULL, OG_IO, "x"), OG_IO);
    og_error_detail(NULL, "x");
    og_error_hint(NULL, "x");
}

TEST(test_error__context_goes_before_and_keeps_the_rest)
{
    og_error err = {0};
    og_error_set_at(&err, OG_CORRUPT, 1, 2, "bad page");
    assert_int_equal(og_error_context(&err, OG_CORRUPT, "reading table %d", 7), OG_CORRUPT);
    assert_string_equal(err.message, "reading table 7: bad page");
    assert_int_equal(err.column, 2);
    for (int i = 0; i < 5000; i++)
        og_error_context(&err, OG_CORRUPT, "%01000d", i);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(og_error_context(NULL, OG_IO, "x"), OG_IO);
}

TEST(test_error__errno_keeps_its_meaning)
{
    og_error err = {0};
    assert_int_equal(og_error_errno(&err, ENOENT, "open", "/x"), OG_NOT_FOUND);
    assert_string_equal(err.message, "open /x: No such file or directory");
    assert_int_equal(og_error_errno(&err, EROFS, "open", "/x"), OG_DENIED);
    assert_int_equal(og_error_errno(&err, ENOSPC, "write", "/x"), OG_LIMIT);
    assert_int_equal(og_error_errno(&err, EIO, "write", "/x"), OG_IO);
}

TEST(test_error__long_texts_end_with_a_whole_character)
{
    og_error err = {0};
    char text[sizeof err.message + 10];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\u65e5", 4);
        og_error_set(&err, OG_INVALID, "%s", text);
        size_t len = strlen(err.message);
        assert_in_range(len, sizeof err.message - 4, sizeof err.message - 1);
        assert_true(og_utf8_valid(og_str_of(err.message), &len));
    }
}

TEST(test_alloc__planned_faults)
{
    og_alloc_fail_after(1, false);
    void *a = og_malloc(1), *b = og_malloc(1), *c = og_malloc(0);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c);
    og_alloc_fail_after(0, true);
    assert_null(og_calloc(1, 1));
    assert_null(og_malloc_aligned(1));
    assert_null(og_strdup("x"));
    og_alloc_fail_after(-1, false);
    assert_null(og_reallocarray(a, SIZE_MAX / 2, 3));
    void *aligned = og_malloc_aligned(100);
    assert_int_equal((uintptr_t)aligned % 64, 0);
    og_free(aligned);
    og_free(a);
    og_free(c);
}

TEST(test_alloc__take_empties_its_source)
{
    OG_AUTO_FREE char *owned = og_strdup("x");
    char *taken = OG_TAKE(owned);
    assert_null(owned);
    assert_string_equal(taken, "x");
    og_free(taken);
}
