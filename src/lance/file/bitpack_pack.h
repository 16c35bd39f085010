/* lance/file/bitpack_pack - FastLanes bit-packing of 1024 values (writing side).
 *
 * Source: Afroozeh and Boncz, "The FastLanes Compression Layout", VLDB 2023; the order of Lance is
 * in docs/dev/lance.md section 12. T-bit values are spread over 1024/T lanes; lane l holds T values
 * as one bit string over the words packed[l + lanes * k]. All lanes are packed in step, so the
 * inner loop is over lanes and vectorises. */
#ifndef OG_LANCE_FILE_BITPACK_PACK_H
#define OG_LANCE_FILE_BITPACK_PACK_H

#include "base/buf.h"

/* Append 1024 * bits / word_bits words holding `count` <= 1024 values of word_bits (8, 16, 32 or
 * 64) bits each, missing ones as zero; no value may need more than `bits` bits. False when out of
 * memory. */
bool og_lance__pack(const void *values, size_t count, uint32_t word_bits, uint32_t bits,
                    og_buf *out);

#endif
