/* base/bits - bitmaps (LSB first, as Arrow and Lance) and unaligned little-endian loads. */
#ifndef OG_BASE_BITS_H
#define OG_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "files are little-endian and read in place; this host is not"
#endif

static inline size_t og_bitmap_bytes(size_t bit_count)
{
    return (bit_count + 7) / 8;
}
static inline bool og_bit_get(const uint8_t *bits, size_t index)
{
    return (bits[index >> 3] >> (index & 7)) & 1;
}
static inline void og_bit_set(uint8_t *bits, size_t index)
{
    bits[index >> 3] |= (uint8_t)(1u << (index & 7));
}
static inline void og_bit_clear(uint8_t *bits, size_t index)
{
    bits[index >> 3] &= (uint8_t) ~(1u << (index & 7));
}
/* Set bits among the first `bit_count`. */
size_t og_bitmap_count(const uint8_t *bits, size_t bit_count);
/* Copy `bit_count` bits between any bit offsets; buffers must not overlap. */
void og_bitmap_copy(uint8_t *dst, size_t dst_offset, const uint8_t *src, size_t src_offset,
                    size_t bit_count);

static inline uint16_t og_load_u16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint32_t og_load_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint64_t og_load_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint64_t og_align_up(uint64_t value, uint64_t power_of_two)
{
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}

#endif
