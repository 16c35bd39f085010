/* topo/summed - bytes of a saved file with a sum for each block, which is checked when the block is
 * first touched: who looks at a few numbers reads a few blocks. */
#ifndef OG_TOPO_SUMMED_H
#define OG_TOPO_SUMMED_H

#include "store/store.h"

#define OG_TOPO__BLOCK_BYTES 8192

typedef struct og_topo__summed {
    og_blob *file; /* of which the bytes are a part */
    const uint8_t *bytes;
    uint64_t size;
    const uint64_t *sums;  /* XXH3-64 of each block */
    uint8_t *is_checked;   /* for each block; atomic */
    uint8_t *is_window_in; /* for each window; atomic */
    uint32_t blocks_read;  /* atomic */
} og_topo__summed;

static inline uint64_t og_topo__block_count(uint64_t bytes)
{
    return bytes / OG_TOPO__BLOCK_BYTES + (bytes % OG_TOPO__BLOCK_BYTES > 0);
}

/* The sums of bytes that are to be saved; og_free. NULL when out of memory. */
uint64_t *og_topo__sum_blocks(const uint8_t *bytes, uint64_t size);

/* Bytes and sums are in the file, which is kept. False when out of memory. Deinit also then. */
bool og_topo__summed_init(og_topo__summed *s, og_blob *file, const uint8_t *bytes, uint64_t size,
                          const uint64_t *sums);
void og_topo__summed_deinit(og_topo__summed *s);

/* The slow way of og_topo__block_is_good. */
bool og_topo__check_block(og_topo__summed *s, uint64_t block);

/* Does a block fit its sum? Thread safe. */
static inline bool og_topo__block_is_good(og_topo__summed *s, uint64_t block)
{
    return __atomic_load_n(&s->is_checked[block], __ATOMIC_ACQUIRE) ||
           og_topo__check_block(s, block);
}

/* Do all blocks? They are brought in at once. */
bool og_topo__is_all_good(og_topo__summed *s);

/* Are the one or two blocks good that hold number i of `width` bits (packed.h)? */
static inline bool og_topo__number_is_good(og_topo__summed *s, uint32_t width, uint64_t i)
{
    uint64_t first = i * width / 8 / OG_TOPO__BLOCK_BYTES;
    uint64_t last = (i * width + (width > 0 ? width - 1 : 0)) / 8 / OG_TOPO__BLOCK_BYTES;
    return og_topo__block_is_good(s, first) && (last == first || og_topo__block_is_good(s, last));
}

#endif
