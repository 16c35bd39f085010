#include "og_test.h"

#include "base/bits.h"

TEST(test_bits__count_equals_a_count_one_by_one)
{
    uint64_t seed = 21;
    uint8_t bits[40];
    for (int round = 0; round < 200; round++) {
        size_t count = og_test_random(&seed) % 321, expected = 0;
        for (size_t i = 0; i < sizeof bits; i++)
            bits[i] = (uint8_t)og_test_random(&seed);
        for (size_t i = 0; i < count; i++)
            expected += og_bit_get(bits, i);
        assert_int_equal(og_bitmap_count(bits, count), expected);
    }
    memset(bits, 0xff, sizeof bits);
    assert_int_equal(og_bitmap_count(bits, 320), 320);
    assert_int_equal(og_bitmap_count(NULL, 0), 0);
}

TEST(test_bits__copy_between_any_offsets_touches_nothing_else)
{
    uint64_t seed = 22;
    uint8_t src[48], dst[48], expected[48];
    for (int round = 0; round < 5000; round++) {
        for (size_t i = 0; i < sizeof src; i++) {
            src[i] = (uint8_t)og_test_random(&seed);
            expected[i] = dst[i] = (uint8_t)og_test_random(&seed);
        }
        size_t from = og_test_random(&seed) % 70, to = og_test_random(&seed) % 70;
        size_t count = og_test_random(&seed) % (384 - 70);
        for (size_t i = 0; i < count; i++) {
            if (og_bit_get(src, from + i))
                og_bit_set(expected, to + i);
            else
                og_bit_clear(expected, to + i);
        }
        og_bitmap_copy(dst, to, src, from, count);
        assert_memory_equal(dst, expected, sizeof dst);
    }
}

TEST(test_bits__copy_reads_only_the_bytes_it_needs)
{
    for (size_t count = 1; count < 200; count++) {
        for (size_t from = 0; from < 8; from++) {
            /* Exact heap blocks, so that a sanitizer sees a byte too many. */
            size_t src_bytes = og_bitmap_bytes(from + count), dst_bytes = og_bitmap_bytes(count);
            uint8_t *src = test_calloc(1, src_bytes), *dst = test_calloc(1, dst_bytes);
            memset(src, 0xff, src_bytes);
            og_bitmap_copy(dst, 0, src, from, count);
            assert_int_equal(og_bitmap_count(dst, count), count);
            test_free(src);
            test_free(dst);
        }
    }
}
