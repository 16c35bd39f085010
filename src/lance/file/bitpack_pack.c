#include "lance/file/bitpack_pack.h"

#define BLOCK 1024

static const uint8_t order[8] = {0, 4, 2, 6, 1, 5, 3, 7};

/* Row r of the lanes is values[order[r / 8] * 16 + r % 8 * 128 + lane]. `shift` bits of the word at
 * `at` are taken; a row that does not fit continues in the next word of its lane. */
#define DEFINE_PACK(T)                                                                             \
    static void pack_u##T(const uint##T##_t *values, uint32_t bits, uint##T##_t *out)              \
    {                                                                                              \
        enum { lanes = BLOCK / T };                                                                \
        memset(out, 0, (size_t)bits *lanes * sizeof *out);                                         \
        uint32_t at = 0, shift = 0;                                                                \
        for (uint32_t row = 0; row < T; row++) {                                                   \
            const uint##T##_t *in = values + order[row / 8] * 16 + row % 8 * 128;                  \
            uint##T##_t *word = out + (size_t)at * lanes;                                          \
            for (uint32_t lane = 0; lane < lanes; lane++)                                          \
                word[lane] |= (uint##T##_t)(in[lane] << shift);                                    \
            shift += bits;                                                                         \
            if (shift < T)                                                                         \
                continue;                                                                          \
            shift -= T;                                                                            \
            at++;                                                                                  \
            if (shift == 0)                                                                        \
                continue;                                                                          \
            word += lanes;                                                                         \
            for (uint32_t lane = 0; lane < lanes; lane++)                                          \
                word[lane] |= (uint##T##_t)(in[lane] >> (bits - shift));                           \
        }                                                                                          \
    }

DEFINE_PACK(8)
DEFINE_PACK(16)
DEFINE_PACK(32)
DEFINE_PACK(64)

bool og_lance__pack(const void *values, size_t count, uint32_t word_bits, uint32_t bits,
                    og_buf *out)
{
    uint64_t padded[BLOCK];
    size_t len = (size_t)bits * (BLOCK / 8), value_bytes = word_bits / 8;
    if (count < BLOCK || ((uintptr_t)values & (value_bytes - 1)) != 0) {
        memset(padded, 0, BLOCK * value_bytes);
        memcpy(padded, values, count * value_bytes);
        values = padded;
    }
    if (bits == 0)
        return true;
    if (!og_buf_reserve(out, len))
        return false;
    uint64_t aside[BLOCK];
    uint8_t *end = out->ptr + out->len;
    void *words = ((uintptr_t)end & (value_bytes - 1)) == 0 ? (void *)end : aside;
    switch (word_bits) {
    case 8:
        pack_u8(values, bits, words);
        break;
    case 16:
        pack_u16(values, bits, words);
        break;
    case 32:
        pack_u32(values, bits, words);
        break;
    default:
        pack_u64(values, bits, words);
        break;
    }
    if (words == aside)
        memcpy(end, aside, len);
    out->len += len;
    return true;
}
