#include "columnar/mask.h"

#include "columnar/mask_priv.h"

#include <assert.h>

void og_mask_deinit(og_mask *mask)
{
    og_free(mask->truth);
    *mask = (og_mask){0};
}

static og_status make_words(og_mask *mask, int64_t length, og_error *err)
{
    size_t words = ((size_t)length + 63) / 64;
    if (words > mask->word_capacity || mask->truth == NULL) {
        size_t capacity = (words + 8) & ~(size_t)7;
        if (capacity > SIZE_MAX / (2 * sizeof(uint64_t)))
            return og_error_nomem(err);
        uint64_t *block = og_malloc_aligned(2 * capacity * sizeof(uint64_t));
        if (block == NULL)
            return og_error_nomem(err);
        og_free(mask->truth);
        mask->truth = block;
        mask->known = block + capacity;
        mask->word_capacity = capacity;
    }
    mask->length = length;
    return OG_OK;
}

og_status og_mask_resize(og_mask *mask, int64_t length, og_error *err)
{
    assert(length >= 0);
    OG_TRY(make_words(mask, length, err));
    memset(mask->truth, 0, og_mask_words(mask) * sizeof(uint64_t));
    memset(mask->known, 0, og_mask_words(mask) * sizeof(uint64_t));
    return OG_OK;
}

void og_mask_fill(og_mask *mask, bool value)
{
    og_columnar__load_bits(mask->known, NULL, mask->length);
    if (value)
        memcpy(mask->truth, mask->known, og_mask_words(mask) * sizeof(uint64_t));
    else
        memset(mask->truth, 0, og_mask_words(mask) * sizeof(uint64_t));
}

void og_mask_and(og_mask *mask, const og_mask *other)
{
    assert(mask->length == other->length);
    size_t words = og_mask_words(mask);
    for (size_t i = 0; i < words; i++) {
        uint64_t ta = mask->truth[i], ka = mask->known[i];
        uint64_t tb = other->truth[i], kb = other->known[i];
        mask->truth[i] = ta & tb;
        /* Known when both are, or when either is false. */
        mask->known[i] = (ka & kb) | (ka & ~ta) | (kb & ~tb);
    }
}

int64_t og_mask_count(const og_mask *mask)
{
    int64_t count = 0;
    size_t words = og_mask_words(mask);
    for (size_t i = 0; i < words; i++)
        count += __builtin_popcountll(mask->truth[i]);
    return count;
}

int64_t og_mask_select(const og_mask *mask, uint32_t *out_rows)
{
    uint32_t *out = out_rows;
    size_t words = og_mask_words(mask);
    for (size_t i = 0; i < words; i++) {
        uint32_t base = (uint32_t)(i * 64);
        uint64_t word = mask->truth[i];
        if (word == UINT64_MAX) {
            for (uint32_t j = 0; j < 64; j++)
                *out++ = base + j;
            continue;
        }
        for (; word != 0; word &= word - 1)
            *out++ = base + (uint32_t)__builtin_ctzll(word);
    }
    return out - out_rows;
}

/* ---- bitmaps as words --------------------------------------------------------------------- */

void og_columnar__load_bits(uint64_t *dst, const uint8_t *bits, int64_t length)
{
    size_t whole = (size_t)length / 64, rest = (size_t)length % 64;
    if (bits != NULL)
        memcpy(dst, bits, whole * 8);
    else
        memset(dst, 0xFF, whole * 8);
    if (rest == 0)
        return;
    uint64_t last = UINT64_MAX;
    if (bits != NULL) {
        last = 0;
        memcpy(&last, bits + whole * 8, og_bitmap_bytes(rest));
    }
    dst[whole] = last & ((UINT64_C(1) << rest) - 1);
}

void og_columnar__and_bits(uint64_t *dst, const uint8_t *bits, int64_t length)
{
    if (bits == NULL)
        return;
    size_t whole = (size_t)length / 64, rest = (size_t)length % 64;
    for (size_t i = 0; i < whole; i++)
        dst[i] &= og_load_u64(bits + i * 8);
    if (rest > 0) {
        uint64_t last = 0;
        memcpy(&last, bits + whole * 8, og_bitmap_bytes(rest));
        dst[whole] &= last;
    }
}
