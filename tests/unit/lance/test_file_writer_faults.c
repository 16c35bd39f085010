/* Blobs, refused input, and writes that fail: nothing may stay in the store, nothing may leak. */
#include "../columnar/sample.h"
#include "columnar/builder.h"
#include "file_round.h"
#include "og_test.h"
#include "store/wrap.h"

static size_t count_objects(og_store *store)
{
    og_listing listing = {0};
    assert_ok(store->ops->list(store, "", true, NULL, 0, &listing, err));
    size_t count = listing.len;
    og_listing_deinit(&listing);
    return count;
}

/* ---- blobs -------------------------------------------------------------------------------- */

static const og_type large_binary = {OG_TYPE_LARGE_BINARY}, utf8 = {OG_TYPE_UTF8};
static const og_field blob_fields[] = {{{"data", 4}, &large_binary, true},
                                       {{"uri", 3}, &utf8, true}};
static const og_type blob_type = {OG_TYPE_STRUCT, 0, 2, blob_fields};

#define EXTERNAL SIZE_MAX
#define NO_BLOB (SIZE_MAX - 1)

static const size_t blob_sizes[] = {0,     NO_BLOB,  5,       65536,         65537,
                                    70000, EXTERNAL, 5 << 20, (4 << 20) + 1, 0};
#define BLOBS (sizeof blob_sizes / sizeof *blob_sizes)

static og_array *make_blobs(void)
{
    og_builder *builder = og_builder_new(&blob_type);
    char *bytes = og_malloc(5 << 20);
    for (size_t i = 0; i < BLOBS; i++) {
        og_builder *data = og_builder_child(builder, 0), *uri = og_builder_child(builder, 1);
        if (blob_sizes[i] == NO_BLOB) {
            assert_true(og_builder_null(builder));
            continue;
        }
        bool external = blob_sizes[i] == EXTERNAL;
        if (!external)
            memset(bytes, 'a' + (int)i, blob_sizes[i]);
        assert_true(external ? og_builder_null(data)
                             : og_builder_str(data, (og_str){bytes, blob_sizes[i]}));
        assert_true(external ? og_builder_str(uri, OG_STR("https://host/a.png"))
                             : og_builder_null(uri));
        assert_true(og_builder_end_row(builder));
    }
    og_free(bytes);
    og_array *array = NULL;
    assert_ok(og_builder_finish(builder, &array, err));
    og_builder_free(builder);
    return array;
}

static const char *blob_object(uint32_t kind, uint32_t id)
{
    if (kind == 0)
        return ROUND_NAME;
    return id == 1   ? "t/data/f/10000000000000000000000000000000.blob"
           : id == 2 ? "t/data/f/01000000000000000000000000000000.blob"
                     : "t/data/f/11000000000000000000000000000000.blob";
}

static void check_blob(og_store *store, const og_array *got, int64_t row)
{
    size_t size = blob_sizes[row];
    assert_int_equal(og_array_is_null(got, row), size == NO_BLOB);
    if (size == NO_BLOB)
        return;
    uint32_t kind = ((const uint8_t *)got->children[0]->data)[row];
    uint64_t position = og_array_u64(got->children[1], row);
    uint32_t id = og_array_u32(got->children[3], row);
    if (size == EXTERNAL) {
        assert_int_equal(kind, 3);
        assert_str_is(og_array_str(got->children[4], row), "https://host/a.png");
        return;
    }
    assert_int_equal(kind, size <= 65536 ? 0 : size <= 4 << 20 ? 1 : 2);
    assert_int_equal(og_array_u64(got->children[2], row), size);
    assert_true(kind != 0 || (position % 64 == 0 && position > 0) || size > 0);
    if (size == 0)
        return;
    OG_AUTO(og_blob) bytes = NULL;
    assert_ok(store->ops->get_range(store, blob_object(kind, id), position, size, &bytes, err));
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes->ptr[i], 'a' + (int)row);
}

TEST(test_file_writer_faults__blobs_go_where_their_size_says)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_array) blobs = make_blobs();
    OG_AUTO(og_lance_file) file = NULL;
    OG_AUTO(og_array) got = NULL;
    uint64_t size;
    assert_ok(og_store_open_memory(&store, err));
    assert_ok(round_write(store, ROUND_NAME, blobs, 3, true, &size, err));
    assert_int_equal(count_objects(store), 4);
    assert_ok(og_lance_file_open(store, ROUND_NAME, size, &file, err));
    uint32_t leaf = 0;
    og_field field = {OG_STR("c"), og_lance_blob_type(), true};
    og_lance_column column = {&field, &leaf, 1, true};
    assert_ok(og_lance_file_read(file, &column, 0, BLOBS, &got, err));
    for (int64_t row = 0; row < (int64_t)BLOBS; row++)
        check_blob(store, got, row);
}

/* ---- refused input ------------------------------------------------------------------------ */

TEST(test_file_writer_faults__batch_must_fit_and_errors_stick)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_file_writer) writer = NULL;
    assert_ok(og_store_open_memory(&store, err));
    og_field field = {OG_STR("c"), og_type_of(OG_TYPE_I64), true};
    og_lance_write_column column = {&field, false};
    assert_ok(
        og_lance_file_writer_open(store, ROUND_NAME, &column, 1, (og_bytes){0}, &writer, err));
    OG_AUTO_BATCH batch = {0};
    assert_ok(og_batch_init(&batch, 1, 4, err));
    batch.columns[0] = og_array_new_null(og_type_of(OG_TYPE_I32), 4);
    og_error error = {0};
    uint64_t size;
    assert_status(og_lance_file_writer_write(writer, &batch, &error), OG_INVALID);
    assert_status(og_lance_file_writer_finish(writer, &size, &error), OG_INVALID);
    og_lance_file_writer_close(OG_TAKE(writer));
    assert_int_equal(count_objects(store), 0);
}

TEST(test_file_writer_faults__a_taken_name_is_left_alone)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_array) blobs = make_blobs();
    uint64_t size;
    assert_ok(og_store_open_memory(&store, err));
    assert_ok(round_write(store, ROUND_NAME, blobs, 100, true, &size, err));
    assert_status(round_write(store, ROUND_NAME, blobs, 100, true, &size, NULL), OG_EXISTS);
    assert_int_equal(count_objects(store), 4);
}

TEST(test_file_writer_faults__equal_input_gives_equal_bytes)
{
    uint64_t seed = 1, sizes[2];
    OG_AUTO(og_array) array = sample_array(og_type_of(OG_TYPE_UTF8), 20000, 10, &seed);
    OG_AUTO(og_blob) first = NULL;
    OG_AUTO(og_blob) second = NULL;
    OG_AUTO(og_store) store = NULL;
    assert_ok(og_store_open_memory(&store, err));
    assert_ok(round_write(store, "a.lance", array, 1000, false, &sizes[0], err));
    assert_ok(round_write(store, "b.lance", array, 1000, false, &sizes[1], err));
    assert_ok(store->ops->get(store, "a.lance", &first, err));
    assert_ok(store->ops->get(store, "b.lance", &second, err));
    assert_int_equal(first->len, second->len);
    assert_memory_equal(first->ptr, second->ptr, first->len);
}

/* ---- failures ----------------------------------------------------------------------------- */

static void fail_each_allocation(const og_array *array, bool is_blob)
{
    for (int64_t n = 0;; n++) {
        OG_AUTO(og_store) store = NULL;
        uint64_t size;
        assert_ok(og_store_open_memory(&store, err));
        og_alloc_fail_after(n, true);
        og_status status = round_write(store, ROUND_NAME, array, 4000, is_blob, &size, NULL);
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            return;
        assert_status(status, OG_NOMEM);
        assert_int_equal(count_objects(store), 0);
    }
}

TEST(test_file_writer_faults__allocations_that_fail)
{
    for (size_t i = 1; i < SAMPLE_TYPES; i++) {
        const og_type *type = sample_type(i);
        bool stored = type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_I64 ||
                      (type->id == OG_TYPE_LARGE_LIST && type->child_count > 0) ||
                      (type->id == OG_TYPE_FIXED_SIZE_LIST && type->list_size == 3);
        uint64_t seed = i;
        if (!stored)
            continue;
        OG_AUTO(og_array) array = sample_array(type, 9000, 10, &seed);
        fail_each_allocation(array, false);
    }
    OG_AUTO(og_array) blobs = make_blobs();
    fail_each_allocation(blobs, true);
}

TEST(test_file_writer_faults__store_calls_that_fail)
{
    OG_AUTO(og_array) blobs = make_blobs();
    static const og_store_fault faults[] = {OG_STORE_FAIL, OG_STORE_LOST_ACK, OG_STORE_UNDONE,
                                            OG_STORE_FULL};
    for (size_t f = 0; f < 4; f++) {
        for (uint64_t at = 0;; at++) {
            OG_AUTO(og_store) memory = NULL;
            OG_AUTO(og_store) store = NULL;
            og_store_fault_at plan = {at, faults[f], 0};
            uint64_t size;
            assert_ok(og_store_open_memory(&memory, err));
            assert_ok(og_store_wrap(memory, og_store_hook_at(&plan), 0, &store, err));
            og_status status = round_write(store, ROUND_NAME, blobs, 100, true, &size, NULL);
            if (plan.seen <= at)
                break;
            assert_int_not_equal(status, OG_OK);
            assert_int_equal(count_objects(memory), 0);
        }
    }
}
