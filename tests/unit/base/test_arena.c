#include "og_test.h"

#include "base/arena.h"

TEST(test_arena__allocations_are_aligned_and_apart)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    uint8_t *before = NULL;
    for (size_t size = 0; size < 3000; size += 7) {
        uint8_t *p = og_arena_alloc(arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_ptr_not_equal(p, before);
        memset(p, 0xa5, size);
        before = size > 0 ? p : before;
    }
}

TEST(test_arena__max_bytes_bounds_what_it_holds)
{
    OG_AUTO(og_arena) arena = og_arena_new(100);
    assert_non_null(og_arena_alloc(arena, 60));
    assert_null(og_arena_alloc(arena, 60));
    assert_null(og_arena_alloc(arena, SIZE_MAX));
    assert_null(og_arena_calloc(arena, SIZE_MAX / 2, 3));
    assert_non_null(og_arena_alloc(arena, 30));
    og_arena_reset(arena);
    assert_int_equal(og_arena_used(arena), 0);
    assert_non_null(og_arena_alloc(arena, 90));
}

TEST(test_arena__text_is_copied_and_terminated)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str s = og_arena_str(arena, OG_STR("abcdef"));
    assert_string_equal(s.ptr, "abcdef");
    s = og_arena_str(arena, (og_str){NULL, 0});
    assert_string_equal(s.ptr, "");
    s = og_arena_printf(arena, "%d-%s", 12, "x");
    assert_str_is(s, "12-x");
    assert_memory_equal(og_arena_copy(arena, "a\0b", 3), "a\0b", 3);
}

/* Appends its name to a shared log. */
typedef struct noted {
    char name;
    char *log;
} noted;

static void note(void *object)
{
    noted *n = object;
    strncat(n->log, &n->name, 1);
}

TEST(test_arena__hooks_run_last_added_first_at_reset_and_free)
{
    char log[8] = "";
    noted a = {'a', log}, b = {'b', log};
    og_arena *arena = og_arena_new(0);
    assert_true(og_arena_on_free(arena, note, &a));
    assert_true(og_arena_on_free(arena, note, &b));
    og_arena_reset(arena);
    assert_string_equal(log, "ba");
    og_arena_reset(arena); /* hooks ran once */
    assert_true(og_arena_on_free(arena, note, &a));
    og_arena_free(arena);
    assert_string_equal(log, "baa");
}

TEST(test_arena__reset_reuses_and_serves_large_allocations)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 200; i++)
            assert_non_null(og_arena_calloc(arena, 1, 100));
        assert_non_null(og_arena_calloc(arena, 3, 1 << 20));
        assert_true(og_arena_used(arena) >= 20000 + (3u << 20));
        og_arena_reset(arena);
    }
}

TEST(test_arena__failed_allocation_is_null)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_alloc_fail_after(0, false);
    assert_null(og_arena_alloc(arena, 10));
    assert_non_null(og_arena_alloc(arena, 10));
    og_alloc_fail_after(0, false);
    assert_null(og_arena_new(0));
    og_alloc_fail_after(-1, false);
}
