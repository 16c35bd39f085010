#include "lance/file/unpack_priv.h"

#include "base/bits.h"

/* Its own inverse (three bits reversed), so it also leads from a value back to its row. */
static const uint8_t order[8] = {0, 4, 2, 6, 1, 5, 3, 7};

/* One function per T. Source and destination have any alignment: memcpy makes plain moves of it.
 * The shift is the same for a whole row, so each inner loop is loads, shifts and stores of
 * vectors. */
#define DEFINE_UNPACK(T)                                                                           \
    typedef uint##T##_t __attribute__((aligned(1), may_alias)) word##T;                            \
                                                                                                   \
    static void unpack##T(const word##T *restrict packed, uint32_t width, word##T *restrict dst)   \
    {                                                                                              \
        enum { LANES = OG_LANCE__BLOCK_VALUES / T };                                               \
        const uint##T##_t mask = (uint##T##_t)(UINT##T##_MAX >> (T - width));                      \
        for (uint32_t row = 0; row < T; row++) {                                                   \
            const word##T *low = packed + (size_t)(row * width / T) * LANES;                       \
            const uint32_t shift = row * width % T;                                                \
            word##T *out = dst + order[row / 8] * 16 + (row % 8) * 128;                            \
            if (shift + width <= T) {                                                              \
                for (uint32_t lane = 0; lane < LANES; lane++)                                      \
                    out[lane] = (uint##T##_t)(low[lane] >> shift) & mask;                          \
            } else {                                                                               \
                const word##T *high = low + LANES;                                                 \
                const uint32_t rest = T - shift;                                                   \
                for (uint32_t lane = 0; lane < LANES; lane++)                                      \
                    out[lane] =                                                                    \
                        (uint##T##_t)(low[lane] >> shift | (uint##T##_t)(high[lane] << rest)) &    \
                        mask;                                                                      \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static uint64_t value##T(const word##T *packed, uint32_t width, uint32_t index)                \
    {                                                                                              \
        enum { LANES = OG_LANCE__BLOCK_VALUES / T };                                               \
        const uint32_t within = index % 128;                                                       \
        const uint32_t row = order[within / LANES * (LANES / 16)] * 8 + index / 128;               \
        const word##T *low = packed + (size_t)(row * width / T) * LANES + within % LANES;          \
        const uint32_t shift = row * width % T;                                                    \
        uint##T##_t value = (uint##T##_t)(*low >> shift);                                          \
        if (shift + width > T)                                                                     \
            value |= (uint##T##_t)(low[LANES] << (T - shift));                                     \
        return value & (uint##T##_t)(UINT##T##_MAX >> (T - width));                                \
    }

DEFINE_UNPACK(8)
DEFINE_UNPACK(16)
DEFINE_UNPACK(32)
DEFINE_UNPACK(64)

void og_lance__unpack_block(const uint8_t *packed, uint32_t packed_bits, uint32_t bits,
                            uint8_t *dst)
{
    if (packed_bits == 0)
        memset(dst, 0, OG_LANCE__BLOCK_VALUES / 8 * (size_t)bits);
    else if (bits == 8)
        unpack8((const word8 *)packed, packed_bits, (word8 *)dst);
    else if (bits == 16)
        unpack16((const word16 *)packed, packed_bits, (word16 *)dst);
    else if (bits == 32)
        unpack32((const word32 *)packed, packed_bits, (word32 *)dst);
    else
        unpack64((const word64 *)packed, packed_bits, (word64 *)dst);
}

uint64_t og_lance__unpack_value(const uint8_t *packed, uint32_t packed_bits, uint32_t bits,
                                uint32_t index)
{
    if (packed_bits == 0)
        return 0;
    if (bits == 8)
        return value8((const word8 *)packed, packed_bits, index);
    if (bits == 16)
        return value16((const word16 *)packed, packed_bits, index);
    if (bits == 32)
        return value32((const word32 *)packed, packed_bits, index);
    return value64((const word64 *)packed, packed_bits, index);
}
