#include "og_test.h"
#include "topo/packed.h"

TEST(test_packed__every_width_gives_the_numbers_back)
{
    uint32_t values[1003], back[1003];
    uint64_t seed = 7;
    for (uint32_t width = 0; width <= 32; width++) {
        OG_AUTO_BUF packed = OG_BUF_INIT;
        for (size_t i = 0; i < 1003; i++)
            values[i] = (uint32_t)(og_test_random(&seed) & (((uint64_t)1 << width) - 1));
        values[500] = (uint32_t)(((uint64_t)1 << width) - 1);
        assert_int_equal(og_topo__width_of(values, 1003), width);
        for (size_t count = 0; count <= 1003; count += count < 20 ? 1 : 983) {
            og_buf_clear(&packed);
            assert_true(og_topo__pack(values, count, width, &packed));
            assert_int_equal(packed.len, og_topo__packed_bytes(count, width));
            og_topo__unpack(packed.ptr, count, width, back);
            if (count > 0)
                assert_memory_equal(back, values, count * sizeof *values);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(og_topo__packed_at(packed.ptr, width, i), values[i]);
        }
    }
}

TEST(test_packed__bits_behind_the_numbers_are_zero)
{
    const uint32_t values[3] = {7, 7, 7};
    OG_AUTO_BUF packed = OG_BUF_INIT;
    assert_true(og_topo__pack(values, 3, 3, &packed));
    const uint8_t expected[10] = {0xff, 0x01};
    assert_int_equal(packed.len, sizeof expected);
    assert_memory_equal(packed.ptr, expected, sizeof expected);
}
