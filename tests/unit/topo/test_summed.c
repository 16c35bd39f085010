/* Far bytes: which blocks are fetched, in how many calls, and what is found of damage. */
#include "og_test.h"

#include "base/map.h"
#include "store/far.h"
#include "store/memory.h"
#include "topo/summed.h"

#define BLOCKS 200
#define SIZE ((uint64_t)BLOCKS * OG_TOPO__BLOCK_BYTES - 100) /* the last one is short */
#define OFFSET 64

typedef struct fixture {
    og_store *memory, *store;
    uint8_t *bytes;
    og_blob *sums; /* as read with the head of a file */
    og_topo__summed summed;
} fixture;

/* `damaged`: a block whose bytes do not fit; BLOCKS: none. */
static void open_fixture(fixture *f, uint64_t damaged)
{
    *f = (fixture){0};
    assert_ok(og_store_open_memory(&f->memory, err));
    assert_ok(og_store_open_far(f->memory, &f->store, err));
    f->bytes = og_malloc(OFFSET + SIZE);
    for (uint64_t i = 0; i < OFFSET + SIZE; i++)
        f->bytes[i] = (uint8_t)(i * 31 + i / 8192);
    OG_AUTO_FREE uint64_t *sums = og_topo__sum_blocks(f->bytes + OFFSET, SIZE);
    assert_non_null(sums);
    f->sums = og_blob_copy((og_bytes){(const uint8_t *)sums, BLOCKS * sizeof *sums});
    assert_non_null(f->sums);
    if (damaged < BLOCKS)
        f->bytes[OFFSET + damaged * OG_TOPO__BLOCK_BYTES] ^= 1;
    assert_ok(f->memory->ops->put(f->memory, "o", (og_bytes){f->bytes, OFFSET + SIZE}, err));
    assert_true(og_topo__summed_init_far(&f->summed, f->store, "o", OFFSET, SIZE, f->sums,
                                         (const uint64_t *)f->sums->ptr));
}

static void close_fixture(fixture *f)
{
    og_topo__summed_deinit(&f->summed);
    og_blob_unref(f->sums);
    og_free(f->bytes);
    og_store_close(f->store);
    og_store_close(f->memory);
}

static size_t bring(fixture *f, uint64_t *places, size_t count)
{
    size_t missing = og_topo__missing(&f->summed, places, count);
    og_topo__expect_missing(&f->summed, places, missing);
    og_topo__bring(&f->summed, places, missing);
    return missing;
}

/* Calls and bytes of the store behind. */
static void check_cost(const fixture *f, uint64_t gets, uint64_t bytes)
{
    assert_int_equal(f->memory->stats.gets, gets);
    assert_int_equal(f->memory->stats.bytes_read, bytes);
}

TEST(test_summed__missing_blocks_are_told_once_and_in_order)
{
    fixture f;
    open_fixture(&f, BLOCKS);
    uint64_t places[] = {50000, 9000, 0, 8192, 8191, SIZE - 1, SIZE + 8192, UINT64_MAX};
    assert_int_equal(og_topo__missing(&f.summed, places, 8), 4);
    const uint64_t blocks[] = {0, 1, 6, BLOCKS - 1};
    assert_memory_equal(places, blocks, sizeof blocks);
    check_cost(&f, 0, 0);
    close_fixture(&f);
}

TEST(test_summed__a_few_blocks_are_fetched_alone)
{
    fixture f;
    open_fixture(&f, BLOCKS);
    uint64_t places[] = {3 * OG_TOPO__BLOCK_BYTES + 5, SIZE - 1};
    assert_int_equal(bring(&f, places, 2), 2);
    check_cost(&f, 2, 2 * OG_TOPO__BLOCK_BYTES - 100);
    assert_true(og_topo__block_is_good(&f.summed, 3));
    assert_true(og_topo__block_is_good(&f.summed, BLOCKS - 1));
    assert_memory_equal(f.summed.bytes + 3 * OG_TOPO__BLOCK_BYTES,
                        f.bytes + OFFSET + 3 * OG_TOPO__BLOCK_BYTES, OG_TOPO__BLOCK_BYTES);
    check_cost(&f, 2, 2 * OG_TOPO__BLOCK_BYTES - 100);
    close_fixture(&f);
}

/* More than travel side by side, and less than a good part of all. */
TEST(test_summed__waves_of_blocks)
{
    fixture f;
    open_fixture(&f, BLOCKS);
    uint64_t places[24];
    for (uint64_t i = 0; i < 24; i++)
        places[i] = 2 * i * OG_TOPO__BLOCK_BYTES;
    assert_int_equal(bring(&f, places, 24), 24);
    check_cost(&f, 24, 24 * OG_TOPO__BLOCK_BYTES);
    for (uint64_t i = 0; i < 24; i++)
        assert_true(og_topo__block_is_good(&f.summed, 2 * i));
    check_cost(&f, 24, 24 * OG_TOPO__BLOCK_BYTES);
    close_fixture(&f);
}

TEST(test_summed__a_good_part_brings_all_in_one_call)
{
    fixture f;
    open_fixture(&f, BLOCKS);
    uint64_t places[BLOCKS / 8];
    for (uint64_t i = 0; i < BLOCKS / 8; i++)
        places[i] = 8 * i * OG_TOPO__BLOCK_BYTES;
    bring(&f, places, BLOCKS / 8);
    assert_true(og_topo__is_all_good(&f.summed));
    assert_memory_equal(f.summed.bytes, f.bytes + OFFSET, SIZE);
    check_cost(&f, 1, SIZE);
    close_fixture(&f);
}

TEST(test_summed__a_damaged_far_block_spoils_no_other)
{
    fixture f;
    open_fixture(&f, 8);
    uint64_t places[BLOCKS / 8];
    for (uint64_t i = 0; i < BLOCKS / 8; i++)
        places[i] = 8 * i * OG_TOPO__BLOCK_BYTES;
    bring(&f, places, BLOCKS / 8);
    for (uint64_t i = 0; i < BLOCKS; i++)
        assert_int_equal(og_topo__block_is_good(&f.summed, i), i != 8);
    assert_false(og_topo__is_all_good(&f.summed));
    close_fixture(&f);
}

TEST(test_summed__an_object_that_is_gone_or_shorter)
{
    fixture f;
    open_fixture(&f, BLOCKS);
    assert_ok(
        f.memory->ops->put(f.memory, "o", (og_bytes){f.bytes, 3 * OG_TOPO__BLOCK_BYTES}, err));
    assert_true(og_topo__block_is_good(&f.summed, 0));
    assert_false(og_topo__block_is_good(&f.summed, 3));
    assert_ok(f.memory->ops->remove(f.memory, &(const char *){"o"}, 1, err));
    assert_true(og_topo__block_is_good(&f.summed, 0));
    assert_false(og_topo__block_is_good(&f.summed, 1));
    close_fixture(&f);
}
