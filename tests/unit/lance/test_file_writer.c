/* Every type, null share, and the sizes around chunk and batch borders, written and read back; and
 * data made for one encoding each, with the size that the encoding must reach. */
#include "../columnar/sample.h"
#include "columnar/builder.h"
#include "file_round.h"
#include "og_test.h"

static bool can_store(const og_type *type)
{
    if (type->id == OG_TYPE_FIXED_SIZE_LIST)
        return og_type_width(type->children[0].type->id) > 0;
    return type->id != OG_TYPE_NULL;
}

static void check_sizes(int null_percent, const int64_t *sizes, size_t size_count)
{
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const og_type *type = sample_type(i);
        /* Parameterless nested types stand for nothing. */
        if (!can_store(type) || (type->id >= OG_TYPE_LIST && type->child_count == 0))
            continue;
        for (size_t n = 0; n < size_count; n++) {
            uint64_t seed = i * 1000 + n;
            OG_AUTO(og_array) array = sample_array(type, sizes[n], null_percent, &seed);
            round_check(array, n % 2 == 0 ? OG_BATCH_ROWS : 777);
        }
    }
}

static const int64_t small_sizes[] = {0, 1, 2, 3, 100, 1023, 1024, 1025};
static const int64_t large_sizes[] = {8191, 8192, 8193, 20000};

TEST(test_file_writer__every_type_without_nulls)
{
    check_sizes(0, small_sizes, 8);
    check_sizes(0, large_sizes, 4);
}

TEST(test_file_writer__every_type_with_nulls)
{
    check_sizes(20, small_sizes, 8);
    check_sizes(20, large_sizes, 4);
}

TEST(test_file_writer__every_type_all_null)
{
    check_sizes(100, small_sizes, 8);
}

/* Wide lists of floats: pages of more bytes than are prefetched together,
 * and a row each its own. */
TEST(test_file_writer__mapped_vectors)
{
    static const og_field item = {{"item", 4}, NULL, true};
    og_field floats = item;
    floats.type = og_type_of(OG_TYPE_F32);
    const og_type type = {OG_TYPE_FIXED_SIZE_LIST, 512, 1, &floats};
    uint64_t seed = 5;
    OG_AUTO(og_array) array = sample_array(&type, 9000, 0, &seed);
    round_check_mapped(array);
    OG_AUTO(og_array) with_nulls = sample_array(&type, 3000, 10, &seed);
    round_check_mapped(with_nulls);
}

TEST(test_file_writer__mapped_columns)
{
    uint64_t seed = 7;
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const og_type *type = sample_type(i);
        if (!can_store(type) || (type->id >= OG_TYPE_LIST && type->child_count == 0))
            continue;
        OG_AUTO(og_array) array = sample_array(type, 20000, i % 2 == 0 ? 0 : 20, &seed);
        round_check_mapped(array);
    }
}

/* Texts of some KiB, which are found by an index. */
TEST(test_file_writer__mapped_long_texts)
{
    static char text[40000];
    OG_AUTO(og_builder) builder = og_builder_new(og_type_of(OG_TYPE_UTF8));
    uint64_t random = 99;
    for (size_t i = 0; i < sizeof text; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        text[i] = (char)('!' + (random >> 40) % 90);
    }
    for (size_t i = 0; i < 1500; i++)
        og_builder_str(builder, (og_str){text + i * 7, 3000 + i % 5000});
    OG_AUTO(og_array) array = NULL;
    assert_ok(og_builder_finish(builder, &array, err));
    round_check_mapped(array);
}

TEST(test_file_writer__refuses_what_the_format_has_no_form_for)
{
    OG_AUTO(og_store) store = NULL;
    assert_ok(og_store_open_memory(&store, err));
    static const og_field item = {{"item", 4}, NULL, true};
    og_field bools = item;
    bools.type = og_type_of(OG_TYPE_BOOL);
    og_type type = {OG_TYPE_FIXED_SIZE_LIST, 3, 1, &bools};
    og_field field = {OG_STR("c"), &type, true};
    og_lance_write_column column = {&field, false};
    og_lance_file_writer *writer = NULL;
    assert_status(
        og_lance_file_writer_open(store, ROUND_NAME, &column, 1, (og_bytes){0}, &writer, NULL),
        OG_UNSUPPORTED);
    column.is_blob = true;
    assert_status(
        og_lance_file_writer_open(store, ROUND_NAME, &column, 1, (og_bytes){0}, &writer, NULL),
        OG_INVALID);
    assert_null(writer);
}

/* ---- one encoding each -------------------------------------------------------------------- */

static og_array *finish(og_builder *builder)
{
    og_array *array = NULL;
    assert_ok(og_builder_finish(builder, &array, err));
    og_builder_free(builder);
    return array;
}

/* i64 values `value(i)`, null where i % nulls == 1 (0 = none). */
static og_array *numbers(int64_t count, int64_t (*value)(int64_t), int64_t nulls)
{
    og_builder *builder = og_builder_new(og_type_of(OG_TYPE_I64));
    for (int64_t i = 0; i < count; i++)
        assert_true(nulls != 0 && i % nulls == 1 ? og_builder_null(builder)
                                                 : og_builder_i64(builder, value(i)));
    return finish(builder);
}

static int64_t same(int64_t i)
{
    return i * 0 - 12345;
}
static int64_t runs(int64_t i)
{
    return i / 700 * -1000000007;
}
static int64_t narrow(int64_t i)
{
    return i * 7919 % 1000;
}
static int64_t few(int64_t i)
{
    return -(i * 7919 % 10) * 0x123456789abcdll;
}
/* Sorted with gaps: cheap by their bytes, not as words. */
static int64_t rising(int64_t i)
{
    return 1700000000000000 + i * 977 + (i * 7919 & 511);
}
static int64_t wild(int64_t i)
{
    uint64_t mixed = (uint64_t)i * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
    return (int64_t)(mixed ^ mixed >> 32);
}
/* Eight values without a pattern. */
static int64_t eight(int64_t i)
{
    return (wild(i) >> 20 & 7) * 0x123456789abcdll;
}

TEST(test_file_writer__numbers_take_the_cheapest_codec)
{
    static const struct {
        int64_t (*value)(int64_t);
        uint64_t most; /* bytes for 30000 values without nulls */
    } cases[] = {{same, 400},  {runs, 1800},    {narrow, 42000},
                 {few, 20000}, {rising, 90000}, {wild, 242000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OG_AUTO(og_array) plain = numbers(30000, cases[i].value, 0);
        OG_AUTO(og_array) holes = numbers(30000, cases[i].value, 37);
        OG_AUTO(og_array) mostly = numbers(30000, cases[i].value, 2);
        assert_in_range(round_check(plain, OG_BATCH_ROWS), 1, cases[i].most);
        assert_in_range(round_check(holes, OG_BATCH_ROWS), 1, cases[i].most + 5500);
        round_check(mostly, OG_BATCH_ROWS);
    }
}

static const char *const words[] = {"graph", "branch", "commit", "vertex", "edge", "snapshot",
                                    "of",    "the",    "and",    "a",      "to",   "lance"};

/* `count` texts of `low` .. `low + spread` words, of which `distinct` differ. */
static og_array *texts(og_type_id type, int64_t count, uint64_t distinct, uint64_t low,
                       uint64_t spread)
{
    og_builder *builder = og_builder_new(og_type_of(type));
    OG_AUTO_BUF text = OG_BUF_INIT;
    uint64_t pick = 1;
    for (int64_t i = 0; i < count; i++) {
        uint64_t seed = og_test_random(&pick) % distinct * 1000;
        og_buf_clear(&text);
        uint64_t length = low + og_test_random(&seed) % (spread + 1);
        for (uint64_t w = 0; w < length; w++) {
            og_buf_text(&text, words[og_test_random(&seed) % 12]);
            og_buf_byte(&text, ' ');
        }
        if (i % 13 == 5)
            assert_true(og_builder_null(builder));
        else
            assert_true(og_builder_str(builder, og_buf_view(&text)));
    }
    return finish(builder);
}

TEST(test_file_writer__text_is_compressed)
{
    static const og_type_id types[] = {OG_TYPE_UTF8, OG_TYPE_LARGE_UTF8, OG_TYPE_BINARY};
    for (size_t i = 0; i < 3; i++) {
        OG_AUTO(og_array) free_text = texts(types[i], 9000, UINT64_MAX, 0, 20);
        OG_AUTO(og_array) repeated = texts(types[i], 9000, 50, 3, 5);
        OG_AUTO(og_array) documents = texts(types[i], 60, UINT64_MAX, 100, 9000);
        OG_AUTO(og_array) short_texts = texts(types[i], 50, UINT64_MAX, 0, 2);
        assert_in_range(round_check(free_text, OG_BATCH_ROWS), 1, og_array_bytes(free_text) / 2);
        assert_in_range(round_check(repeated, OG_BATCH_ROWS), 1, 12000);
        assert_in_range(round_check(documents, 20), 1, og_array_bytes(documents) / 2);
        round_check(short_texts, OG_BATCH_ROWS);
    }
}

TEST(test_file_writer__few_values_are_read_as_codes)
{
    OG_AUTO(og_array) constant = numbers(9000, same, 0);
    OG_AUTO(og_array) constant_or_null = numbers(40, same, 3);
    OG_AUTO(og_array) in_runs = numbers(9000, runs, 0);
    OG_AUTO(og_array) in_runs_or_null = numbers(9000, runs, 900);
    OG_AUTO(og_array) repeated = numbers(9000, eight, 0);
    OG_AUTO(og_array) repeated_or_null = numbers(9000, eight, 7);
    OG_AUTO(og_array) different = numbers(9000, wild, 0);
    assert_int_equal(round_values(constant), 1);
    assert_int_equal(round_values(constant_or_null), 2);
    assert_in_range(round_values(in_runs), 5, 20);
    assert_in_range(round_values(in_runs_or_null), 6, 30);
    assert_int_equal(round_values(repeated), 8);
    assert_int_equal(round_values(repeated_or_null), 9);
    assert_int_equal(round_values(different), 0);
}

TEST(test_file_writer__few_texts_are_read_as_codes)
{
    OG_AUTO(og_array) plain = texts(OG_TYPE_UTF8, 5000, 8, 1, 3);
    assert_in_range(round_values(plain), 8, 10);
    og_builder *builder = og_builder_new(og_type_of(OG_TYPE_UTF8));
    for (int64_t i = 0; i < 5000; i++)
        assert_true(i % 5 == 2 ? og_builder_null(builder)
                               : og_builder_str(builder, og_str_of(words[i % 4])));
    OG_AUTO(og_array) holes = finish(builder);
    assert_int_equal(round_values(holes), 6); /* null slots hold an empty text */
    og_builder *nulls = og_builder_new(og_type_of(OG_TYPE_UTF8));
    for (int64_t i = 0; i < 50; i++)
        assert_true(og_builder_null(nulls));
    OG_AUTO(og_array) nothing = finish(nulls);
    assert_int_equal(round_values(nothing), 2);
}

/* Bytes that nothing compresses: pages of their own codec, and of several value widths. */
static og_array *noise(int64_t count, uint64_t most)
{
    og_builder *builder = og_builder_new(og_type_of(OG_TYPE_BINARY));
    uint64_t seed = 5;
    char *bytes = og_malloc(most + 8);
    for (int64_t i = 0; i < count; i++) {
        for (uint64_t at = 0; at < most; at += 8) {
            uint64_t word = og_test_random(&seed);
            memcpy(bytes + at, &word, 8);
        }
        assert_true(og_builder_str(builder, (og_str){bytes, og_test_random(&seed) % (most + 1)}));
    }
    og_free(bytes);
    return finish(builder);
}

TEST(test_file_writer__noise_of_any_width)
{
    static const uint64_t widths[] = {3, 300, 5000, 40000, 3000000};
    for (size_t i = 0; i < 5; i++) {
        OG_AUTO(og_array) array = noise(widths[i] > 1000000 ? 9 : 300, widths[i]);
        uint64_t bytes = round_check(array, 100);
        assert_in_range(bytes, 1, og_array_bytes(array) + og_array_bytes(array) / 100 + 1000);
    }
}

TEST(test_file_writer__pages_are_cut_and_read_across)
{
    OG_AUTO(og_array) wide = numbers(2500000, wild, 0);
    assert_in_range(round_check(wide, 100000), 20000000, 20300000);
    OG_AUTO(og_array) text = texts(OG_TYPE_UTF8, 120000, UINT64_MAX, 10, 40);
    round_check(text, 33333);
}

/* ---- lists -------------------------------------------------------------------------------- */

/* Rows of few items between long stretches of empty and null lists: too sparse for mini-blocks. */
static og_array *sparse_lists(const og_type *type, int64_t count, int64_t every)
{
    og_builder *builder = og_builder_new(type);
    for (int64_t i = 0; i < count; i++) {
        if (i % every == 3) {
            assert_true(og_builder_i64(og_builder_child(builder, 0), i));
            assert_true(og_builder_null(og_builder_child(builder, 0)));
        }
        assert_true(i % every != 3 && i % 5 == 0 ? og_builder_null(builder)
                                                 : og_builder_end_row(builder));
    }
    return finish(builder);
}

static const og_field int_item = {{"item", 4}, NULL, true};

TEST(test_file_writer__sparse_lists)
{
    og_field item = int_item;
    item.type = og_type_of(OG_TYPE_I32);
    og_type type = {OG_TYPE_LIST, 0, 1, &item};
    static const int64_t every[] = {7, 1000, 9000, 40000, 100000};
    for (size_t i = 0; i < 5; i++) {
        OG_AUTO(og_array) array = sparse_lists(&type, 90000, every[i]);
        round_check(array, OG_BATCH_ROWS);
    }
}

TEST(test_file_writer__one_list_over_many_chunks)
{
    og_field item = int_item;
    item.type = og_type_of(OG_TYPE_I32);
    og_type type = {OG_TYPE_LARGE_LIST, 0, 1, &item};
    og_builder *builder = og_builder_new(&type);
    for (int64_t row = 0; row < 5; row++) {
        for (int64_t i = 0; i < row * row * 20000; i++)
            assert_true(og_builder_i64(og_builder_child(builder, 0), i * 31 % 1009 - 500));
        assert_true(og_builder_end_row(builder));
    }
    OG_AUTO(og_array) array = finish(builder);
    round_check(array, 2);
}

TEST(test_file_writer__vectors)
{
    static const int32_t widths[] = {1, 8, 63, 64, 300};
    for (size_t w = 0; w < 5; w++) {
        og_field item = int_item;
        item.type = og_type_of(OG_TYPE_F32);
        og_type type = {OG_TYPE_FIXED_SIZE_LIST, widths[w], 1, &item};
        for (int holes = 0; holes < 3; holes++) {
            og_builder *builder = og_builder_new(&type);
            for (int64_t row = 0; row < 700; row++) {
                if (holes > 0 && row % 9 == 4) {
                    assert_true(og_builder_null(builder));
                    continue;
                }
                og_builder *child = og_builder_child(builder, 0);
                for (int32_t i = 0; i < widths[w]; i++)
                    assert_true(holes > 1 && (row + i) % 7 == 0
                                    ? og_builder_null(child)
                                    : og_builder_f64(child, (double)(row * 17 + i) / 3));
                assert_true(og_builder_end_row(builder));
            }
            OG_AUTO(og_array) array = finish(builder);
            round_check(array, 256);
        }
    }
}

/* Wide vectors without nulls stand in the file as Arrow has them: reading a range makes no copy,
 * and what was read outlives the file. */
TEST(test_file_writer__plain_vectors_are_used_in_place)
{
    og_field item = int_item;
    item.type = og_type_of(OG_TYPE_F32);
    const og_type type = {OG_TYPE_FIXED_SIZE_LIST, 100, 1, &item};
    og_builder *builder = og_builder_new(&type);
    for (int64_t row = 0; row < 50; row++) {
        for (int32_t i = 0; i < 100; i++)
            assert_true(og_builder_f64(og_builder_child(builder, 0), (double)(row * 100 + i)));
        assert_true(og_builder_end_row(builder));
    }
    OG_AUTO(og_array) array = finish(builder);
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_file) file = NULL;
    uint64_t bytes;
    assert_ok(og_store_open_memory(&store, err));
    assert_ok(round_write(store, ROUND_NAME, array, 50, false, &bytes, err));
    assert_ok(og_lance_file_open(store, ROUND_NAME, bytes, &file, err));
    static const uint32_t leaf = 0;
    const og_field field = {OG_STR("c"), &type, true};
    const og_lance_column column = {&field, &leaf, 1, false};
    OG_AUTO(og_array) range = NULL;
    assert_ok(og_lance_file_read(file, &column, 7, 30, &range, err));
    assert_null(range->children[0]->owned[0]);
    og_lance_file_unref(OG_TAKE(file));
    round_equal(array, 7, range);
}
