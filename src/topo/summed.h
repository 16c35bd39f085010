/* topo/summed - bytes of a saved file with a sum for each block, which is checked when the block is
 * first touched: who looks at a few numbers reads a few blocks.
 *
 * The bytes are those of the file as it was read or mapped; or they are far: the file is in a store
 * that does not map objects, and blocks are fetched when they are asked for, each once. */
#ifndef OG_TOPO_SUMMED_H
#define OG_TOPO_SUMMED_H

#include <pthread.h>

#include "store/store.h"

#define OG_TOPO__BLOCK_BYTES 8192

/* Where far bytes come from. */
typedef struct og_topo__far {
    og_store *store; /* borrowed */
    char *name;
    uint64_t offset;      /* of the bytes in the object */
    uint8_t *bytes;       /* zeros where no block was fetched yet */
    pthread_mutex_t lock; /* held while a block becomes checked */
} og_topo__far;

typedef struct og_topo__summed {
    og_blob *file; /* holds the sums, and the bytes unless they are far */
    const uint8_t *bytes;
    uint64_t size;
    const uint64_t *sums;  /* XXH3-64 of each block */
    uint8_t *is_checked;   /* for each block; atomic. What is not checked may still be missing */
    uint8_t *is_window_in; /* for each window; atomic */
    uint32_t blocks_read;  /* atomic */
    og_topo__far *far;     /* NULL: all is in `file` */
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
/* The same of bytes at `offset` of an object. `sums` are in the blob. */
bool og_topo__summed_init_far(og_topo__summed *s, og_store *store, const char *name,
                              uint64_t offset, uint64_t size, og_blob *blob, const uint64_t *sums);
void og_topo__summed_deinit(og_topo__summed *s);

/* The blocks at these places of far bytes that are missing, in order, in place of the places; how
 * many. */
size_t og_topo__missing(const og_topo__summed *s, uint64_t *places, size_t count);
/* Announce to the store that these are going to be brought in. */
void og_topo__expect_missing(const og_topo__summed *s, const uint64_t *blocks, size_t count);
/* Bring them in, a few at a time side by side, or all there are when they are a good part of them.
 * One that can't be had, or is damaged, is found when it is asked for. */
void og_topo__bring(og_topo__summed *s, const uint64_t *blocks, size_t count);

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

/* Are the one or two blocks good that are touched when number i of `width` bits is loaded
 * (packed.h)? */
static inline bool og_topo__number_is_good(og_topo__summed *s, uint32_t width, uint64_t i)
{
    uint64_t at = i * width / 8;
    uint64_t first = at / OG_TOPO__BLOCK_BYTES;
    uint64_t last = (at + sizeof(uint64_t) - 1) / OG_TOPO__BLOCK_BYTES;
    return og_topo__block_is_good(s, first) && (last == first || og_topo__block_is_good(s, last));
}

#endif
