#include "topo/summed.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

/* Blocks that are brought in one by one, before whole windows are. */
#define FEW_BLOCKS 4
/* Blocks of a window, 8 MiB, which is brought into memory at once. */
#define WINDOW_BLOCKS 1024
/* Far blocks that travel side by side. */
#define WAVE 16
/* All are fetched at once when one in so many is wanted. */
#define WHOLE_SHARE 8

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

static void far_free(og_topo__far *far)
{
    if (far == NULL)
        return;
    pthread_mutex_destroy(&far->lock);
    og_free(far->name);
    og_free(far->bytes);
    og_free(far);
}

bool og_topo__summed_init_far(og_topo__summed *s, og_store *store, const char *name,
                              uint64_t offset, uint64_t size, og_blob *blob, const uint64_t *sums)
{
    og_topo__far *far = og_calloc(1, sizeof *far);
    bool ok = far != NULL && og_topo__summed_init(s, blob, NULL, size, sums);
    if (far == NULL)
        return false;
    pthread_mutex_init(&far->lock, NULL);
    far->store = store;
    far->offset = offset;
    far->name = og_strdup(name);
    far->bytes = og_calloc((size_t)size, 1);
    s->far = far;
    s->bytes = far->bytes;
    return ok && far->name != NULL && far->bytes != NULL;
}

void og_topo__summed_deinit(og_topo__summed *s)
{
    far_free(s->far);
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

static bool is_checked(const og_topo__summed *s, uint64_t block)
{
    return __atomic_load_n(&s->is_checked[block], __ATOMIC_ACQUIRE);
}

static bool fits_sum(og_topo__summed *s, uint64_t block)
{
    const uint8_t *start = s->bytes + block * OG_TOPO__BLOCK_BYTES;
    bool fits = og_hash64(start, block_bytes(s->size, block)) == s->sums[block];
    if (fits)
        __atomic_store_n(&s->is_checked[block], 1, __ATOMIC_RELEASE);
    return fits;
}

/* ---- far bytes ---------------------------------------------------------------------------- */

/* A checked block is read without a lock, so it is written once. */
static bool put_block(og_topo__summed *s, uint64_t block, const uint8_t *bytes)
{
    size_t len = block_bytes(s->size, block);
    if (og_hash64(bytes, len) != s->sums[block])
        return false;
    pthread_mutex_lock(&s->far->lock);
    if (!is_checked(s, block))
        memcpy(s->far->bytes + block * OG_TOPO__BLOCK_BYTES, bytes, len);
    __atomic_store_n(&s->is_checked[block], 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&s->far->lock);
    return true;
}

/* Blocks [first, first + count). False when one can't be had or does not fit its sum. */
static bool fetch_blocks(og_topo__summed *s, uint64_t first, uint64_t count)
{
    const og_topo__far *far = s->far;
    uint64_t start = first * OG_TOPO__BLOCK_BYTES, left = s->size - start;
    uint64_t wanted = count * OG_TOPO__BLOCK_BYTES;
    size_t len = (size_t)(wanted < left ? wanted : left);
    OG_AUTO(og_blob) blob = NULL;
    if (far->store->ops->get_range(far->store, far->name, far->offset + start, len, &blob, NULL) !=
            OG_OK ||
        blob->len != len)
        return false;
    bool fits = true;
    for (uint64_t i = 0; i < count; i++)
        fits &= put_block(s, first + i, blob->ptr + i * OG_TOPO__BLOCK_BYTES);
    return fits;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

size_t og_topo__missing(const og_topo__summed *s, uint64_t *places, size_t count)
{
    uint64_t blocks = og_topo__block_count(s->size);
    size_t missing = 0, distinct = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t block = places[i] / OG_TOPO__BLOCK_BYTES;
        if (block < blocks && !is_checked(s, block))
            places[missing++] = block;
    }
    qsort(places, missing, sizeof *places, by_number);
    for (size_t i = 0; i < missing; i++)
        if (distinct == 0 || places[i] != places[distinct - 1])
            places[distinct++] = places[i];
    return distinct;
}

static bool is_good_part(const og_topo__summed *s, size_t count)
{
    return count > 1 && count >= og_topo__block_count(s->size) / WHOLE_SHARE;
}

void og_topo__expect_missing(const og_topo__summed *s, const uint64_t *blocks, size_t count)
{
    const og_topo__far *far = s->far;
    for (size_t i = 0; i < count && i < WAVE && !is_good_part(s, count); i++)
        og_store_expect_range(far->store, far->name, far->offset + blocks[i] * OG_TOPO__BLOCK_BYTES,
                              block_bytes(s->size, blocks[i]));
}

void og_topo__bring(og_topo__summed *s, const uint64_t *blocks, size_t count)
{
    if (is_good_part(s, count)) {
        (void)!fetch_blocks(s, 0, og_topo__block_count(s->size));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && i % WAVE == 0)
            og_topo__expect_missing(s, blocks + i, count - i);
        (void)!fetch_blocks(s, blocks[i], 1);
    }
}

/* ---- checks ------------------------------------------------------------------------------- */

bool og_topo__check_block(og_topo__summed *s, uint64_t block)
{
    if (s->far != NULL)
        return fetch_blocks(s, block, 1);
    expect_block(s, block);
    return fits_sum(s, block);
}

bool og_topo__is_all_good(og_topo__summed *s)
{
    uint64_t blocks = og_topo__block_count(s->size);
    if (s->far == NULL)
        prefetch(s, 0, s->size);
    for (uint64_t i = 0; i < blocks; i++)
        if (!is_checked(s, i) && !fits_sum(s, i))
            return false;
    return true;
}
