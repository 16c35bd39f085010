#include "topo/summed.h"

#include "base/map.h"

/* Blocks that are brought in one by one, before whole windows are. */
#define FEW_BLOCKS 4
/* Blocks of a window, 8 MiB, which is brought into memory at once. */
#define WINDOW_BLOCKS 1024

static size_t block_bytes(uint64_t size, uint64_t block)
{
    uint64_t left = size - block * OG_TOPO__BLOCK_BYTES;
    return (size_t)(left < OG_TOPO__BLOCK_BYTES ? left : OG_TOPO__BLOCK_BYTES);
}

uint64_t *og_topo__sum_blocks(const uint8_t *bytes, uint64_t size)
{
    uint64_t blocks = og_topo__block_count(size);
    uint64_t *sums = og_reallocarray(NULL, blocks, sizeof *sums);
    for (uint64_t i = 0; sums != NULL && i < blocks; i++)
        sums[i] = og_hash64(bytes + i * OG_TOPO__BLOCK_BYTES, block_bytes(size, i));
    return sums;
}

bool og_topo__summed_init(og_topo__summed *s, og_blob *file, const uint8_t *bytes, uint64_t size,
                          const uint64_t *sums)
{
    uint64_t blocks = og_topo__block_count(size);
    *s = (og_topo__summed){.file = og_blob_ref(file),
                           .bytes = bytes,
                           .size = size,
                           .sums = sums,
                           .is_checked = og_calloc(blocks, 1),
                           .is_window_in = og_calloc(blocks / WINDOW_BLOCKS + 1, 1)};
    return s->is_checked != NULL && s->is_window_in != NULL;
}

void og_topo__summed_deinit(og_topo__summed *s)
{
    og_blob_unref(s->file);
    og_free(s->is_checked);
    og_free(s->is_window_in);
}

static void prefetch(const og_topo__summed *s, uint64_t start, uint64_t bytes)
{
    og_blob_prefetch(s->file, (uint64_t)(s->bytes - s->file->ptr) + start, bytes);
}

/* A mapped file is read at random. The first few blocks are brought in alone; one that is asked on
 * and on is brought in by windows, each of them once: the call costs more than a lookup. */
static void expect_block(og_topo__summed *s, uint64_t block)
{
    uint64_t window = block / WINDOW_BLOCKS;
    if (__atomic_add_fetch(&s->blocks_read, 1, __ATOMIC_RELAXED) <= FEW_BLOCKS)
        prefetch(s, block * OG_TOPO__BLOCK_BYTES, block_bytes(s->size, block));
    else if (!__atomic_exchange_n(&s->is_window_in[window], 1, __ATOMIC_RELAXED))
        prefetch(s, window * WINDOW_BLOCKS * OG_TOPO__BLOCK_BYTES,
                 (uint64_t)WINDOW_BLOCKS * OG_TOPO__BLOCK_BYTES);
}

static bool fits_sum(og_topo__summed *s, uint64_t block)
{
    const uint8_t *start = s->bytes + block * OG_TOPO__BLOCK_BYTES;
    bool fits = og_hash64(start, block_bytes(s->size, block)) == s->sums[block];
    if (fits)
        __atomic_store_n(&s->is_checked[block], 1, __ATOMIC_RELEASE);
    return fits;
}

bool og_topo__check_block(og_topo__summed *s, uint64_t block)
{
    expect_block(s, block);
    return fits_sum(s, block);
}

bool og_topo__is_all_good(og_topo__summed *s)
{
    uint64_t blocks = og_topo__block_count(s->size);
    prefetch(s, 0, s->size);
    for (uint64_t i = 0; i < blocks; i++)
        if (!__atomic_load_n(&s->is_checked[i], __ATOMIC_ACQUIRE) && !fits_sum(s, i))
            return false;
    return true;
}
