#include "base/bits.h"

static unsigned popcount64(uint64_t v)
{
    /* Without the popcnt instruction (not in the x86-64 baseline) the builtin is a table walk. */
    v -= (v >> 1) & 0x5555555555555555u;
    v = (v & 0x3333333333333333u) + ((v >> 2) & 0x3333333333333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)((v * 0x0101010101010101u) >> 56);
}

size_t og_bitmap_count(const uint8_t *bits, size_t bit_count)
{
    size_t total = 0;
    size_t words = bit_count / 64;
    for (size_t i = 0; i < words; i++)
        total += popcount64(og_load_u64(bits + i * 8));
    size_t rest = bit_count % 64;
    if (rest == 0)
        return total;
    uint64_t last = 0;
    memcpy(&last, bits + words * 8, og_bitmap_bytes(rest));
    return total + popcount64(last & (UINT64_MAX >> (64 - rest)));
}

/* One bit after the other: the ends of a copy that are no whole bytes. */
static void copy_single(uint8_t *dst, size_t dst_offset, const uint8_t *src, size_t src_offset,
                        size_t bit_count)
{
    for (size_t i = 0; i < bit_count; i++) {
        if (og_bit_get(src, src_offset + i))
            og_bit_set(dst, dst_offset + i);
        else
            og_bit_clear(dst, dst_offset + i);
    }
}

void og_bitmap_copy(uint8_t *dst, size_t dst_offset, const uint8_t *src, size_t src_offset,
                    size_t bit_count)
{
    size_t head = (8 - dst_offset % 8) % 8;
    if (head > bit_count)
        head = bit_count;
    copy_single(dst, dst_offset, src, src_offset, head);
    dst += (dst_offset + head) / 8;
    src_offset += head;
    bit_count -= head;

    src += src_offset / 8;
    unsigned shift = src_offset % 8;
    size_t bytes = bit_count / 8;
    if (shift == 0) {
        if (bytes > 0)
            memcpy(dst, src, bytes);
    } else {
        size_t i = 0;
        /* A word and the byte behind it hold 64 shifted bits; all nine bytes carry wanted bits. */
        for (; i + 8 <= bytes; i += 8) {
            uint64_t word = og_load_u64(src + i) >> shift | (uint64_t)src[i + 8] << (64 - shift);
            memcpy(dst + i, &word, sizeof word);
        }
        for (; i < bytes; i++)
            dst[i] = (uint8_t)(src[i] >> shift | src[i + 1] << (8 - shift));
    }
    copy_single(dst, bytes * 8, src, bytes * 8 + shift, bit_count % 8);
}
