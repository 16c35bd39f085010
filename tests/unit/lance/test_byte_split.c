#include "lance/file/byte_split.h"

#include "og_test.h"

enum { MOST = 67 };

static void check(const uint8_t *numbers, size_t count, size_t width)
{
    uint8_t streams[MOST * 9], back[MOST * 9];
    memset(back, 0xee, sizeof back);
    og_lance__split_bytes(numbers, count, width, streams);
    for (size_t b = 0; b < width; b++) {
        for (size_t i = 0; i < count; i++)
            assert_int_equal(streams[b * count + i], numbers[i * width + b]);
    }
    og_lance__join_bytes(streams, count, count, width, back);
    assert_memory_equal(back, numbers, count * width);
    assert_int_equal(back[count * width], 0xee);
}

TEST(test_byte_split__splits_and_joins_any_count_and_width)
{
    uint8_t numbers[MOST * 9];
    uint64_t seed = 11;
    for (size_t i = 0; i < sizeof numbers; i++)
        numbers[i] = (uint8_t)og_test_random(&seed);
    for (size_t width = 1; width <= 8; width++) {
        for (size_t count = 0; count <= MOST; count++)
            check(numbers + width, count, width);
    }
}

TEST(test_byte_split__joins_a_part)
{
    uint8_t numbers[60 * 8], streams[60 * 8], part[40 * 8];
    for (size_t i = 0; i < sizeof numbers; i++)
        numbers[i] = (uint8_t)(i * 7);
    og_lance__split_bytes(numbers, 60, 8, streams);
    og_lance__join_bytes(streams + 13, 60, 40, 8, part);
    assert_memory_equal(part, numbers + 13 * 8, sizeof part);
}
