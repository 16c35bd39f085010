/* Pages encoded side by side: files are the same byte for byte as with one thread,
 * whatever fails nothing stays, and threads are there only while there is work for two. */
#include "base/id.h"
#include "columnar/builder.h"
#include "file_round.h"
#include "lance/table/write.h"
#include "og_test.h"
#include "store/wrap.h"

#include <dirent.h>
#include <sched.h>

#define BATCH 16384
/* Some pages of each column, and of the last one a rest. */
#define BATCHES 48
#define COLUMNS 5

static const og_type i64 = {OG_TYPE_I64}, utf8 = {OG_TYPE_UTF8}, f32 = {OG_TYPE_F32};
static const og_type large_binary = {OG_TYPE_LARGE_BINARY};
static const og_field item = {{"item", 4}, &i64, true}, float_item = {{"item", 4}, &f32, true};
static const og_type list = {OG_TYPE_LIST, 0, 1, &item};
static const og_type vector = {OG_TYPE_FIXED_SIZE_LIST, 4, 1, &float_item};
static const og_field blob_fields[] = {{{"data", 4}, &large_binary, true},
                                       {{"uri", 3}, &utf8, true}};
static const og_type blob = {OG_TYPE_STRUCT, 0, 2, blob_fields};
/* Blobs come last, so that a file may be without: their bytes wait for all pages. */
static const og_field fields[COLUMNS] = {{{"text", 4}, &utf8, true},
                                         {{"number", 6}, &i64, true},
                                         {{"vector", 6}, &vector, true},
                                         {{"list", 4}, &list, true},
                                         {{"blob", 4}, &blob, true}};

static bool add_value(og_builder *b, uint32_t column, uint64_t random, int64_t row)
{
    char text[64];
    switch (column) {
    case 0:
        snprintf(text, sizeof text, "user %d of house %d", (int)(random % 100000), (int)(row % 7));
        return random % 11 == 0 ? og_builder_null(b) : og_builder_str(b, og_str_of(text));
    case 1:
        return og_builder_i64(b, (int64_t)(random >> 20));
    case 4:
        if (row % 1000 != 0)
            return og_builder_null(b);
        return og_builder_str(og_builder_child(b, 0), og_str_of("some bytes")) &&
               og_builder_null(og_builder_child(b, 1)) && og_builder_end_row(b);
    case 2:
        for (int i = 0; i < 4; i++)
            if (!og_builder_f64(og_builder_child(b, 0), (double)(random >> i * 8 & 0xff)))
                return false;
        return og_builder_end_row(b);
    default:
        for (uint64_t i = 0; i < random % 3; i++)
            if (!og_builder_i64(og_builder_child(b, 0), (int64_t)(random >> 40)))
                return false;
        return og_builder_end_row(b);
    }
}

static og_batch make_batch(void)
{
    og_batch batch;
    uint64_t seed = 3;
    assert_ok(og_batch_init(&batch, COLUMNS, BATCH, err));
    for (uint32_t c = 0; c < COLUMNS; c++) {
        OG_AUTO(og_builder) builder = og_builder_new(fields[c].type);
        for (int64_t row = 0; row < BATCH; row++)
            assert_true(add_value(builder, c, og_test_random(&seed), row));
        assert_ok(og_builder_finish(builder, &batch.columns[c], err));
    }
    return batch;
}

static og_status write_file(og_store *store, const char *name, og_lance_encoders *encoders,
                            const og_batch *batch, int batches, og_lance_file_writer **out,
                            og_error *err)
{
    og_lance_write_column columns[COLUMNS];
    uint32_t count = batch->column_count;
    for (uint32_t i = 0; i < COLUMNS; i++)
        columns[i] = (og_lance_write_column){&fields[i], fields[i].type == &blob};
    OG_AUTO(og_lance_file_writer) writer = NULL;
    OG_TRY(og_lance_file_writer_open(store, name, columns, count, (og_bytes){0}, &writer, err));
    og_lance_file_writer_use(writer, encoders);
    for (int i = 0; i < batches; i++)
        OG_TRY(og_lance_file_writer_write(writer, batch, err));
    OG_TRY(og_lance_file_writer_end(writer, err));
    *out = OG_TAKE(writer);
    return OG_OK;
}

/* Two files, the second one, without blobs, begun before the first is finished. */
static og_status write_two(og_store *store, og_shared_pool *threads, const og_batch *batch,
                           int batches, og_error *err)
{
    OG_AUTO(og_lance_encoders) encoders = og_lance_encoders_new(threads);
    OG_AUTO(og_lance_file_writer) first = NULL;
    OG_AUTO(og_lance_file_writer) second = NULL;
    og_batch rest = *batch;
    rest.column_count--;
    uint64_t bytes;
    if (encoders == NULL)
        return og_error_nomem(err);
    OG_TRY(write_file(store, "d/data/a.lance", encoders, batch, batches, &first, err));
    OG_TRY(write_file(store, "d/data/b.lance", encoders, &rest, batches, &second, err));
    OG_TRY(og_lance_file_writer_finish(first, &bytes, err));
    return og_lance_file_writer_finish(second, &bytes, err);
}

static size_t count_objects(og_store *store)
{
    og_listing listing = {0};
    assert_ok(store->ops->list(store, "", true, NULL, 0, &listing, err));
    size_t count = listing.len;
    og_listing_deinit(&listing);
    return count;
}

static void expect_equal_stores(og_store *want, og_store *got)
{
    og_listing listing = {0};
    assert_ok(want->ops->list(want, "", true, NULL, 0, &listing, err));
    assert_true(listing.len >= 2);
    assert_int_equal(count_objects(got), listing.len);
    for (size_t i = 0; i < listing.len; i++) {
        OG_AUTO(og_blob) a = NULL;
        OG_AUTO(og_blob) b = NULL;
        assert_ok(want->ops->get(want, listing.items[i].name.ptr, &a, err));
        assert_ok(got->ops->get(got, listing.items[i].name.ptr, &b, err));
        assert_int_equal(a->len, b->len);
        assert_memory_equal(a->ptr, b->ptr, a->len);
    }
    og_listing_deinit(&listing);
}

TEST(test_encoders__bytes_do_not_depend_on_threads)
{
    OG_AUTO_BATCH batch = make_batch();
    OG_AUTO(og_store) alone = NULL;
    assert_ok(og_store_open_memory(&alone, err));
    assert_ok(write_two(alone, NULL, &batch, BATCHES, err));
    for (unsigned threads = 2; threads <= 5; threads += 3) {
        OG_AUTO(og_shared_pool) pool = og_shared_pool_new(threads);
        OG_AUTO(og_store) store = NULL;
        assert_ok(og_store_open_memory(&store, err));
        assert_ok(write_two(store, pool, &batch, BATCHES, err));
        expect_equal_stores(alone, store);
    }
}

/* ---- threads ------------------------------------------------------------------------------ */

static int thread_count(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    while (readdir(tasks) != NULL)
        count++;
    closedir(tasks);
    return count;
}

TEST(test_encoders__threads_live_while_there_is_work_for_two)
{
    OG_AUTO_BATCH batch = make_batch();
    OG_AUTO(og_shared_pool) pool = og_shared_pool_new(3);
    OG_AUTO(og_store) store = NULL;
    uint64_t bytes;
    int before = thread_count();
    assert_ok(og_store_open_memory(&store, err));
    for (int batches = 0; batches <= BATCHES; batches += BATCHES / 2) {
        OG_AUTO(og_lance_encoders) encoders = og_lance_encoders_new(pool);
        OG_AUTO(og_lance_file_writer) writer = NULL;
        char name[32];
        snprintf(name, sizeof name, "%d.lance", batches);
        assert_ok(write_file(store, name, encoders, &batch, batches, &writer, err));
        assert_int_equal(thread_count() - before, batches == 0 ? 0 : 2);
        assert_ok(og_lance_file_writer_finish(writer, &bytes, err));
    }
    /* A thread that was joined may be listed for a moment. */
    for (int i = 0; i < 1000 && thread_count() > before; i++)
        sched_yield();
    assert_int_equal(thread_count(), before);
}

/* A table with a full fragment and a rest: the same names and bytes. */
static void fill_seeded(void *context, void *dst, size_t len)
{
    uint64_t *seed = context;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)dst)[i] = (uint8_t)og_test_random(seed);
}

static void write_table(og_store *store, unsigned threads)
{
    OG_AUTO(og_lance_env) env = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    uint64_t seed = 1;
    const og_random random = {fill_seeded, &seed};
    const og_lance_new_field number = {.field = fields[1]};
    const og_lance_write_options options = {.op = OG_LANCE_CREATE,
                                            .path = "t",
                                            .fields = &number,
                                            .field_count = 1,
                                            .min_max_fragment_id = -1,
                                            .now_us = 1,
                                            .random = &random};
    const og_lance_staged *staged;
    OG_AUTO_BATCH all = make_batch();
    OG_AUTO_BATCH batch = {0};
    assert_ok(og_batch_init(&batch, 1, BATCH, err));
    batch.columns[0] = og_array_ref(all.columns[1]);
    assert_ok(og_lance_env_new(store, 0, &env, err));
    og_lance_env_set_threads(env, threads);
    assert_ok(og_lance_write_new(env, NULL, &options, &write, err));
    for (int i = 0; i < 100; i++)
        assert_ok(og_lance_write_rows(write, &batch, NULL, err));
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_int_equal(staged->row_count, 100 * BATCH);
    assert_int_equal(staged->file_count, 2);
    assert_ok(og_lance_staged_commit(write, false, err));
}

TEST(test_encoders__tables_do_not_depend_on_threads)
{
    OG_AUTO(og_store) alone = NULL;
    OG_AUTO(og_store) store = NULL;
    assert_ok(og_store_open_memory(&alone, err));
    assert_ok(og_store_open_memory(&store, err));
    write_table(alone, 1);
    write_table(store, 3);
    expect_equal_stores(alone, store);
}

/* ---- failures ----------------------------------------------------------------------------- */

/* The first file may be there when the second one fails. */

TEST(test_encoders__allocations_that_fail)
{
    OG_AUTO_BATCH batch = make_batch();
    OG_AUTO(og_shared_pool) pool = og_shared_pool_new(3);
    og_status status = OG_NOMEM;
    for (int64_t n = 0; status != OG_OK; n += 1 + n / 4) {
        OG_AUTO(og_store) store = NULL;
        assert_ok(og_store_open_memory(&store, err));
        og_alloc_fail_after(n, true);
        status = write_two(store, pool, &batch, BATCHES / 6, NULL);
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            break;
        assert_status(status, OG_NOMEM);
        assert_in_range(count_objects(store), 0, 1);
    }
}

TEST(test_encoders__store_calls_that_fail)
{
    OG_AUTO_BATCH batch = make_batch();
    OG_AUTO(og_shared_pool) pool = og_shared_pool_new(3);
    for (uint64_t at = 0;; at += 1 + at / 3) {
        OG_AUTO(og_store) memory = NULL;
        OG_AUTO(og_store) store = NULL;
        og_store_fault_at plan = {at, OG_STORE_FAIL, 0};
        assert_ok(og_store_open_memory(&memory, err));
        assert_ok(og_store_wrap(memory, og_store_hook_at(&plan), 0, &store, err));
        og_error error = {0};
        og_status status = write_two(store, pool, &batch, BATCHES / 6, &error);
        if (plan.seen <= at)
            break;
        assert_status(status, OG_IO);
        assert_string_not_equal(error.message, "");
        assert_in_range(count_objects(memory), 0,
                        1); /* the first file, when the second one failed */
    }
}

TEST(test_encoders__a_writer_may_be_closed_with_pages_under_way)
{
    OG_AUTO_BATCH batch = make_batch();
    OG_AUTO(og_shared_pool) pool = og_shared_pool_new(2);
    OG_AUTO(og_store) store = NULL;
    assert_ok(og_store_open_memory(&store, err));
    OG_AUTO(og_lance_encoders) encoders = og_lance_encoders_new(pool);
    og_lance_file_writer *first, *second;
    uint64_t bytes;
    assert_ok(write_file(store, "a.lance", encoders, &batch, BATCHES / 4, &first, err));
    assert_ok(write_file(store, "b.lance", encoders, &batch, BATCHES / 4, &second, err));
    og_lance_file_writer_close(first);
    assert_ok(og_lance_file_writer_finish(second, &bytes, err));
    og_lance_file_writer_close(second);
    assert_int_equal(count_objects(store), 1);
    assert_ok(write_file(store, "c.lance", encoders, &batch, BATCHES / 4, &first, err));
    og_lance_file_writer_close(first);
    assert_int_equal(count_objects(store), 1);
}
