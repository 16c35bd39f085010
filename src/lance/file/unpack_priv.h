/* lance/file/unpack_priv - FastLanes bit-packing, read side (docs/dev/lance.md section 12).
 *
 * A block is 1024 values of T bits in 1024 * W / T words of T bits, T in {8, 16, 32, 64}, W <= T.
 * There are 1024 / T lanes. Lane l is one little-endian bit string over the words
 * packed[l + lanes * k]; its r-th group of W bits is the value at index
 * order[r / 8] * 16 + (r % 8) * 128 + l, order = {0, 4, 2, 6, 1, 5, 3, 7}. So one row r of all
 * lanes is a run of neighbouring values that shares word and shift: a loop that vectorises. */
#ifndef OG_LANCE_FILE_UNPACK_PRIV_H
#define OG_LANCE_FILE_UNPACK_PRIV_H

#include <stddef.h>
#include <stdint.h>

#define OG_LANCE__BLOCK_VALUES 1024

/* Bytes of a packed block. */
static inline size_t og_lance__packed_bytes(uint32_t packed_bits)
{
    return packed_bits * 128;
}

/* All 1024 values of a block into dst (1024 * bits / 8 bytes, any alignment). `bits` is T,
 * `packed_bits` W. */
void og_lance__unpack_block(const uint8_t *packed, uint32_t packed_bits, uint32_t bits,
                            uint8_t *dst);
/* The value at `index` (< 1024) alone. */
uint64_t og_lance__unpack_value(const uint8_t *packed, uint32_t packed_bits, uint32_t bits,
                                uint32_t index);

#endif
