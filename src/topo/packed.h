/* topo/packed - arrays of numbers below 2^32 in as few bits each as the largest one takes.
 *
 * Number i stands in bits [i * width, (i + 1) * width) of a string of bits, lowest bit first. Eight bytes of
 * zeros follow, so that any number can be read by one load. A width of 0 says that all are 0. */
#ifndef OG_TOPO_PACKED_H
#define OG_TOPO_PACKED_H

#include "base/bits.h"
#include "base/buf.h"

/* Bits that the largest number takes, 0 to 32. */
uint32_t og_topo__width_of(const uint32_t *values, size_t count);
/* Bytes of `count` < 2^32 numbers, the eight at the end included. */
uint64_t og_topo__packed_bytes(uint64_t count, uint32_t width);
/* False when out of memory. No value may need more than `width` bits. */
bool og_topo__pack(const uint32_t *values, size_t count, uint32_t width, og_buf *out);
/* All of them; width is at most 32. */
void og_topo__unpack(const uint8_t *packed, size_t count, uint32_t width, uint32_t *out);

/* One of them. */
static inline uint32_t og_topo__packed_at(const uint8_t *packed, uint32_t width, uint64_t index)
{
    uint64_t bit = index * width;
    uint64_t bits = og_load_u64(packed + (bit >> 3)) >> (bit & 7);
    return (uint32_t)(bits & (((uint64_t)1 << width) - 1));
}

#endif
