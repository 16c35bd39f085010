/* columnar/mask - a three-valued answer for each row of a batch: true, false or unknown (null).
 *
 * Two bitmaps: `truth` marks the rows that are true, `known` those that are true or false. A row
 * that is true is also known, and bits at and beyond `length` are 0 in both, so words may be
 * combined and counted as they are. Start with {0}; kernels set the length and make room, which
 * the mask keeps for the next batch. */
#ifndef OG_COLUMNAR_MASK_H
#define OG_COLUMNAR_MASK_H

#include "columnar/array.h"

typedef struct og_mask {
    int64_t length; /* rows */
    uint64_t *truth;
    uint64_t *known; /* in the same block, behind truth */
    size_t word_capacity;
} og_mask;

void og_mask_deinit(og_mask *mask);
static inline void og_mask_auto_(og_mask *m)
{
    og_mask_deinit(m);
}
/* OG_AUTO_MASK mask = {0}; */
#define OG_AUTO_MASK __attribute__((cleanup(og_mask_auto_))) og_mask

static inline size_t og_mask_words(const og_mask *mask)
{
    return ((size_t)mask->length + 63) / 64;
}
/* `length` rows, all unknown. OG_NOMEM. */
OG_NODISCARD og_status og_mask_resize(og_mask *mask, int64_t length, og_error *err);
/* All rows true or all false. */
void og_mask_fill(og_mask *mask, bool value);

/* Kleene's conjunction: false and unknown = false, true and unknown = unknown. Both masks have the
 * same length; the result is in the first. */
void og_mask_and(og_mask *mask, const og_mask *other);

static inline bool og_mask_true(const og_mask *mask, int64_t row)
{
    return (mask->truth[row >> 6] >> (row & 63)) & 1;
}
static inline bool og_mask_known(const og_mask *mask, int64_t row)
{
    return (mask->known[row >> 6] >> (row & 63)) & 1;
}
/* Rows that are true. */
int64_t og_mask_count(const og_mask *mask);
/* Their numbers in ascending order into out_rows, which has room for og_mask_count of them (length
 * is always enough). Returns how many. */
int64_t og_mask_select(const og_mask *mask, uint32_t *out_rows);

#endif
