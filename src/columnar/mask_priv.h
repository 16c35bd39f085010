/* columnar/mask_priv - bitmaps of columns as words of masks. */
#ifndef OG_COLUMNAR_MASK_PRIV_H
#define OG_COLUMNAR_MASK_PRIV_H

#include "columnar/mask.h"

/* The first `length` bits of a bitmap (NULL: all set) as words, zeros behind the end. */
void og_columnar__load_bits(uint64_t *dst, const uint8_t *bits, int64_t length);
/* dst &= bits. */
void og_columnar__and_bits(uint64_t *dst, const uint8_t *bits, int64_t length);

/* 64 bytes of 0 or 1 as one word, the first byte as bit 0. A multiplication brings the low bits of
 * eight bytes together in the top byte. */
static inline uint64_t og_columnar__pack(const uint8_t flags[64])
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t eight = og_load_u64(flags + 8 * i) * UINT64_C(0x0102040810204080) >> 56;
        word |= eight << (8 * i);
    }
    return word;
}

/* Set the bits of rows 0 .. length - 1 in `words` to `condition`, an expression over the row
 * number `i`. Blocks of 64 rows, so that the compiler sees a loop of known length to vectorise. */
#define OG_COLUMNAR__EACH_BIT(words, length, condition)                                            \
    do {                                                                                           \
        int64_t n_ = (length);                                                                     \
        uint8_t flags_[64];                                                                        \
        for (int64_t base_ = 0; base_ < n_; base_ += 64) {                                         \
            if (n_ - base_ >= 64) {                                                                \
                for (int64_t j_ = 0; j_ < 64; j_++) {                                              \
                    int64_t i = base_ + j_;                                                        \
                    flags_[j_] = (uint8_t)(condition);                                             \
                }                                                                                  \
            } else {                                                                               \
                memset(flags_, 0, sizeof flags_);                                                  \
                for (int64_t i = base_; i < n_; i++)                                               \
                    flags_[i - base_] = (uint8_t)(condition);                                      \
            }                                                                                      \
            (words)[base_ >> 6] = og_columnar__pack(flags_);                                       \
        }                                                                                          \
    } while (0)

#endif
