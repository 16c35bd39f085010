/* Chunks that a file keeps expanded for takes of a few rows. */
#include <pthread.h>

#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "file_round.h"
#include "og_test.h"

enum { ROWS = 40000, CHUNK_ROWS = 1024, LIMIT = 1 << 20 };

/* Keys that go under zstd, in chunks of CHUNK_ROWS; every `null_every`-th is null. */
static og_array *make_keys(int null_every)
{
    OG_AUTO(og_builder) builder = og_builder_new(og_type_of(OG_TYPE_UTF8));
    assert_non_null(builder);
    for (int i = 0; i < ROWS; i++) {
        char text[16];
        snprintf(text, sizeof text, "p%07d", i);
        if (null_every > 0 && i % null_every == 0)
            og_builder_null(builder);
        else
            og_builder_str(builder, og_str_of(text));
    }
    og_array *array;
    assert_ok(og_builder_finish(builder, &array, err));
    return array;
}

typedef struct bench {
    og_store *store;
    og_array *keys;
    og_field field;
    uint32_t leaves[8];
    og_lance_column column;
    og_lance_file *file;
    size_t bare; /* bytes cached before any chunk is kept */
} bench;

static void read_row(bench *b, uint32_t row)
{
    OG_AUTO(og_array) got = NULL;
    assert_ok(og_lance_file_take(b->file, &b->column, &row, 1, &got, err));
    assert_int_equal(got->length, 1);
    round_equal(b->keys, row, got);
}

static void reopen(bench *b, size_t limit)
{
    og_lance_file_unref(b->file);
    assert_ok(og_lance_file_open(b->store, ROUND_NAME, 0, &b->file, err));
    read_row(b, 0); /* columns and chunk tables */
    b->bare = og_lance_file_cached_bytes(b->file);
    og_lance_file_keep_chunks(b->file, limit);
}

static void open_bench(bench *b, int null_every, size_t limit)
{
    *b = (bench){0};
    assert_ok(og_store_open_memory(&b->store, err));
    b->keys = make_keys(null_every);
    uint64_t bytes;
    assert_ok(round_write(b->store, ROUND_NAME, b->keys, 4000, false, &bytes, err));
    b->field = (og_field){OG_STR("c"), b->keys->type, true};
    b->column = (og_lance_column){&b->field, b->leaves, 1, false, 0};
    reopen(b, limit);
}

static void close_bench(bench *b)
{
    og_lance_file_unref(b->file);
    og_array_unref(b->keys);
    b->store->ops->close(b->store);
}

#define AUTO_BENCH __attribute__((cleanup(close_bench))) bench

static size_t kept_bytes(const bench *b)
{
    return og_lance_file_cached_bytes(b->file) - b->bare;
}

/* Read by ranges, so that nothing is kept, until the page is taken to be in memory. */
static void bring_in(bench *b)
{
    OG_AUTO(og_array) all = NULL;
    assert_ok(og_lance_file_read(b->file, &b->column, 0, ROWS, &all, err));
    assert_int_equal(kept_bytes(b), 0);
}

TEST(test_kept__a_chunk_is_expanded_once)
{
    AUTO_BENCH b;
    open_bench(&b, 0, LIMIT);
    read_row(&b, 5 * CHUNK_ROWS + 3);
    size_t one = kept_bytes(&b);
    assert_true(one > CHUNK_ROWS * 8);
    for (uint32_t i = 0; i < CHUNK_ROWS; i += 17)
        read_row(&b, 5 * CHUNK_ROWS + i);
    assert_int_equal(kept_bytes(&b), one);
}

TEST(test_kept__nothing_without_a_limit)
{
    AUTO_BENCH b;
    open_bench(&b, 0, 0);
    for (uint32_t row = 0; row < ROWS; row += 500)
        read_row(&b, row);
    assert_int_equal(kept_bytes(&b), 0);
}

TEST(test_kept__many_rows_keep_nothing)
{
    AUTO_BENCH b;
    open_bench(&b, 0, LIMIT);
    bring_in(&b);
    uint32_t rows[OG_LANCE_FEW_ROWS + 1];
    for (uint32_t i = 0; i <= OG_LANCE_FEW_ROWS; i++)
        rows[i] = i * 500;
    OG_AUTO(og_array) got = NULL;
    assert_ok(og_lance_file_take(b.file, &b.column, rows, OG_LANCE_FEW_ROWS + 1, &got, err));
    assert_int_equal(kept_bytes(&b), 0);
}

TEST(test_kept__the_second_chunk_brings_its_group)
{
    AUTO_BENCH b;
    open_bench(&b, 0, LIMIT);
    bring_in(&b);
    read_row(&b, 9 * CHUNK_ROWS);
    size_t one = kept_bytes(&b);
    read_row(&b, 12 * CHUNK_ROWS);
    assert_true(kept_bytes(&b) > 7 * one);
    size_t group = kept_bytes(&b);
    for (uint32_t c = 8; c < 16; c++)
        read_row(&b, c * CHUNK_ROWS + 1);
    assert_int_equal(kept_bytes(&b), group);
}

TEST(test_kept__half_of_the_groups_bring_the_rest)
{
    AUTO_BENCH b;
    open_bench(&b, 0, LIMIT);
    bring_in(&b);
    read_row(&b, 0); /* in the first of five groups */
    size_t one = kept_bytes(&b);
    read_row(&b, 8 * CHUNK_ROWS);
    assert_true(kept_bytes(&b) < 3 * one);
    read_row(&b, 16 * CHUNK_ROWS);
    assert_true(kept_bytes(&b) > 9 * one);
}

TEST(test_kept__nulls_and_rows_of_several_chunks)
{
    AUTO_BENCH b;
    open_bench(&b, 3, LIMIT);
    uint64_t seed = 7;
    for (int round = 0; round < 300; round++) {
        uint32_t rows[OG_LANCE_FEW_ROWS], count = 1 + (uint32_t)(og_test_random(&seed) % 8);
        uint32_t row = 0;
        for (uint32_t i = 0; i < count; i++)
            rows[i] = row += (uint32_t)(og_test_random(&seed) % (ROWS / 8));
        OG_AUTO(og_array) got = NULL;
        OG_AUTO(og_array) want = NULL;
        assert_ok(og_lance_file_take(b.file, &b.column, rows, count, &got, err));
        assert_ok(og_take_u32(b.keys, rows, count, &want, err));
        round_equal(want, 0, got);
    }
    assert_true(kept_bytes(&b) > 0);
}

TEST(test_kept__the_limit_holds)
{
    AUTO_BENCH b;
    open_bench(&b, 0, 50000); /* four chunks */
    uint64_t seed = 1;
    for (int i = 0; i < 500; i++) {
        read_row(&b, (uint32_t)(og_test_random(&seed) % ROWS));
        assert_in_range(kept_bytes(&b), 1, 50000);
    }
    reopen(&b, 100); /* less than a chunk */
    read_row(&b, 77);
    assert_int_equal(kept_bytes(&b), 0);
}

TEST(test_kept__chunks_can_be_dropped)
{
    AUTO_BENCH b;
    open_bench(&b, 0, LIMIT);
    for (uint32_t row = 0; row < ROWS; row += 900)
        read_row(&b, row);
    assert_true(kept_bytes(&b) > 0);
    og_lance_file_drop_chunks(b.file, &b.column);
    assert_int_equal(kept_bytes(&b), 0);
    read_row(&b, 1);
    assert_true(kept_bytes(&b) > 0);
    og_lance_file_drop_chunks(b.file, NULL);
    assert_int_equal(kept_bytes(&b), 0);
    uint32_t elsewhere = 3;
    og_lance_file_drop_chunks(b.file, &(og_lance_column){&b.field, &elsewhere, 1, false, 0});
}

TEST(test_kept__any_allocation_may_fail)
{
    AUTO_BENCH b;
    open_bench(&b, 0, LIMIT);
    bring_in(&b);
    static const uint32_t rows[] = {100, 3 * CHUNK_ROWS, 20 * CHUNK_ROWS + 5};
    for (int64_t n = 0;; n++) {
        og_alloc_fail_after(n, false);
        OG_AUTO(og_array) got = NULL;
        og_status status = og_lance_file_take(b.file, &b.column, rows, 3, &got, NULL);
        og_alloc_fail_after(-1, false);
        assert_true(status == OG_OK || status == OG_NOMEM);
        for (int i = 0; i < 3; i++)
            read_row(&b, rows[i]);
        og_lance_file_drop_chunks(b.file, NULL);
        assert_int_equal(kept_bytes(&b), 0);
        if (status == OG_OK && n > 40)
            break;
    }
}

/* A damaged chunk is told of by the read that wants it, not by those of its neighbours. */
TEST(test_kept__damage_nearby_is_no_error)
{
    AUTO_BENCH b;
    open_bench(&b, 0, LIMIT);
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(b.store->ops->get(b.store, ROUND_NAME, &blob, err));
    OG_AUTO_FREE uint8_t *bytes = og_malloc(blob->len);
    memcpy(bytes, blob->ptr, blob->len);
    /* The second of the frames, by its magic number. */
    static const uint8_t magic[] = {0x28, 0xB5, 0x2F, 0xFD};
    uint8_t *frame = memmem(bytes, blob->len, magic, sizeof magic);
    assert_non_null(frame);
    frame = memmem(frame + 1, blob->len - (size_t)(frame + 1 - bytes), magic, sizeof magic);
    assert_non_null(frame);
    frame[0] ^= 0xFF;
    assert_ok(b.store->ops->put(b.store, ROUND_NAME, (og_bytes){bytes, blob->len}, err));
    reopen(&b, LIMIT);
    for (uint32_t c = 2; c < 8; c++)
        for (uint32_t i = 0; i < 10; i++)
            read_row(&b, c * CHUNK_ROWS + i);
    uint32_t row = CHUNK_ROWS + 1;
    OG_AUTO(og_array) got = NULL;
    og_error error;
    assert_status(og_lance_file_take(b.file, &b.column, &row, 1, &got, &error), OG_CORRUPT);
    assert_non_null(strstr(error.message, "chunk 1 at byte"));
}

/* ---- threads ------------------------------------------------------------------------------ */

typedef struct reader {
    bench *bench;
    uint64_t seed;
    int wrong;
} reader;

static void *take_rows(void *p)
{
    reader *r = p;
    for (int i = 0; i < 1500; i++) {
        uint32_t row = (uint32_t)(og_test_random(&r->seed) % ROWS);
        OG_AUTO(og_array) got = NULL;
        if (og_lance_file_take(r->bench->file, &r->bench->column, &row, 1, &got, NULL) != OG_OK ||
            !og_rows_equal(r->bench->keys, row, got, 0))
            r->wrong++;
        if (i % 200 == 0)
            og_lance_file_drop_chunks(r->bench->file, NULL);
    }
    return NULL;
}

TEST(test_kept__threads_share_chunks)
{
    AUTO_BENCH b;
    open_bench(&b, 0, 200000); /* dropped for room now and then */
    pthread_t threads[4];
    reader readers[4];
    for (uint64_t i = 0; i < 4; i++) {
        readers[i] = (reader){.bench = &b, .seed = i};
        assert_int_equal(pthread_create(&threads[i], NULL, take_rows, &readers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].wrong, 0);
    }
}
