#include "og_test.h"

#include "base/map.h"

TEST(test_map__text_keys_in_order_of_insertion)
{
    OG_AUTO(og_strmap) map = og_strmap_new(false);
    char key[32];
    bool is_new;
    assert_null(og_strmap_get(map, OG_STR("0")));
    for (uint64_t i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key-%llu", (unsigned long long)(i * 7919 % 5000));
        uint64_t *value = og_strmap_put(map, og_str_of(key), &is_new);
        assert_true(is_new);
        assert_int_equal(*value, 0);
        *value = i;
    }
    assert_int_equal(og_strmap_len(map), 5000);
    for (uint64_t i = 0; i < 5000; i++) {
        uint64_t value;
        snprintf(key, sizeof key, "key-%llu", (unsigned long long)(i * 7919 % 5000));
        assert_str_is(og_strmap_at(map, i, &value), key);
        assert_int_equal(value, i);
        assert_int_equal(*og_strmap_get(map, og_str_of(key)), i);
        *og_strmap_put(map, og_str_of(key), &is_new) += 1;
        assert_false(is_new);
    }
    assert_null(og_strmap_get(map, OG_STR("key-5000")));
}

TEST(test_map__empty_and_binary_keys)
{
    OG_AUTO(og_strmap) map = og_strmap_new(false);
    *og_strmap_put(map, (og_str){NULL, 0}, NULL) = 1;
    *og_strmap_put(map, (og_str){"a\0b", 3}, NULL) = 2;
    assert_int_equal(*og_strmap_get(map, OG_STR("")), 1);
    assert_int_equal(*og_strmap_get(map, (og_str){"a\0b", 3}), 2);
    assert_null(og_strmap_get(map, OG_STR("a")));
}

TEST(test_map__borrowed_keys_are_not_copied)
{
    OG_AUTO(og_strmap) map = og_strmap_new(true);
    static const char key[] = "borrowed";
    assert_non_null(og_strmap_put(map, OG_STR("other"), NULL));
    assert_non_null(og_strmap_put(map, og_str_of(key), NULL));
    assert_ptr_equal(og_strmap_at(map, 1, NULL).ptr, key);
}

TEST(test_map__integer_keys)
{
    static const size_t expected[] = {0, 1, 100000};
    for (size_t e = 0; e < 3; e++) {
        OG_AUTO(og_u64map) map = og_u64map_new(expected[e]);
        assert_null(og_u64map_get(map, 0));
        for (uint64_t i = 0; i < 20000; i++)
            *og_u64map_put(map, i << 32, NULL) = i;
        for (uint64_t i = 0; i < 20000; i++) {
            bool is_new;
            assert_int_equal(*og_u64map_get(map, i << 32), i);
            og_u64map_put(map, i << 32, &is_new);
            assert_false(is_new);
        }
        assert_null(og_u64map_get(map, 1));
        assert_int_equal(og_u64map_len(map), 20000);
    }
}

TEST(test_map__failed_allocation_leaves_the_map_as_it_was)
{
    for (int countdown = 0; countdown < 12; countdown++) {
        OG_AUTO(og_strmap) map = og_strmap_new(false);
        OG_AUTO(og_u64map) numbers = og_u64map_new(0);
        og_alloc_fail_after(countdown, false);
        char key[8];
        size_t stored = 0;
        for (uint64_t i = 0; i < 100; i++) {
            snprintf(key, sizeof key, "%d", (int)i);
            uint64_t *value = og_strmap_put(map, og_str_of(key), NULL);
            stored += value != NULL;
            assert_true((value != NULL) == (og_strmap_get(map, og_str_of(key)) != NULL));
            og_u64map_put(numbers, i, NULL);
        }
        og_alloc_fail_after(-1, false);
        assert_int_equal(og_strmap_len(map), stored);
        for (uint64_t i = 0; i < 100; i++)
            assert_non_null(og_u64map_put(numbers, i, NULL));
        assert_int_equal(og_u64map_len(numbers), 100);
    }
}

TEST(test_map__hash_is_xxh3)
{
    /* Saved files depend on it. Values of xxhsum -H3. */
    assert_true(og_hash64("", 0) == 0x2d06800538d394c2u);
}
