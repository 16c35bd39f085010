/* topo/packed - arrays of numbers in as few bits each as the largest one takes.
 *
 * Number i stands in bits [i * width, (i + 1) * width) of a string of bits, lowest bit
 * first. Eight bytes of zeros follow, so that any number can be read by one load. A
 * width of 0 says that all are 0. */
#ifndef OG_TOPO_PACKED_H
#define OG_TOPO_PACKED_H

#include "base/bits.h"
#include "base/buf.h"

/* Bits that the largest number takes, 0 to 32. */
uint32_t og_topo__width_of(const uint32_t *values, size_t count);
/* Bytes of `count` numbers, the eight at the end included; the width is at most 57,
 * the product below 2^64. */
uint64_t og_topo__packed_bytes(uint64_t count, uint32_t width);
/* False when out of memory. No value may need more than `width` bits. */
bool og_topo__pack(const uint32_t *values, size_t count, uint32_t width, og_buf *out);
/* All of them; width is at most 32. */
void og_topo__unpack(const uint8_t *packed, size_t count, uint32_t width, uint32_t *out);

/* One of them; width is at most 57, so that with the bits before it in its
 * first byte it fits into a load. */
static inline uint64_t og_topo__packed_at(const uint8_t *packed, uint32_t width, uint64_t index)
{
    uint64_t bit = index * width;
    return og_load_u64(packed + (bit >> 3)) >> (bit & 7) & (((uint64_t)1 << width) - 1);
}
static inline void og_topo__packed_put(uint8_t *packed, uint32_t width, uint64_t index,
                                       uint64_t value)
{
    uint64_t bit = index * width, mask = (((uint64_t)1 << width) - 1) << (bit & 7);
    uint64_t bits = (og_load_u64(packed + (bit >> 3)) & ~mask) | value << (bit & 7);
    memcpy(packed + (bit >> 3), &bits, sizeof bits);
}

#endif
