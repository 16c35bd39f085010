/* A data file of any bytes: open it, read its columns as every kind of type, and use what is
 * read. Reading may fail; what succeeds must be a valid array, the same by range and by row. */
#include "columnar/kernels.h"
#include "lance/file/look.h"
#include "lance/file/reader.h"
#include "store/memory.h"

#include <stdlib.h>

enum { MAX_COLUMNS = 8, MAX_ROWS = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const og_type boolean = {OG_TYPE_BOOL}, i32 = {OG_TYPE_I32}, f32 = {OG_TYPE_F32},
                     utf8 = {OG_TYPE_UTF8}, u8 = {OG_TYPE_U8}, i64 = {OG_TYPE_I64};
static const og_field f32_item = {{"item", 4}, &f32, true}, i32_item = {{"item", 4}, &i32, true},
                      utf8_item = {{"item", 4}, &utf8, true},
                      bool_item = {{"item", 4}, &boolean, true}, u8_item = {{"item", 4}, &u8, true};
static const og_type pair = {OG_TYPE_FIXED_SIZE_LIST, 2, 1, &f32_item};
static const og_field pair_item = {{"item", 4}, &pair, true};
static const og_type number = {OG_TYPE_STRUCT, 0, 1, &i32_item};
static const og_field number_item = {{"item", 4}, &number, true};
/* Packed: of numbers, and with text. */
static const og_field packed_fields[] = {{{"a", 1}, &i64, true}, {{"b", 1}, &f32, true}},
                      packed_texts[] = {{{"a", 1}, &i64, true}, {{"s", 1}, &utf8, true}};
static const og_type i32_list = {OG_TYPE_LIST, 0, 1, &i32_item};
static const og_field list_item = {{"item", 4}, &i32_list, true};
static const og_type types[] = {
    {OG_TYPE_BOOL},
    {OG_TYPE_I32},
    {OG_TYPE_I64},
    {OG_TYPE_U8},
    {OG_TYPE_I16},
    {OG_TYPE_UTF8},
    {OG_TYPE_LARGE_BINARY},
    {OG_TYPE_FIXED_SIZE_LIST, 4, 1, &f32_item},
    {OG_TYPE_FIXED_SIZE_LIST, 64, 1, &f32_item},
    {OG_TYPE_LIST, 0, 1, &i32_item},
    {OG_TYPE_LIST, 0, 1, &bool_item},
    {OG_TYPE_LARGE_LIST, 0, 1, &utf8_item},
    {OG_TYPE_LIST, 0, 1, &list_item},
    {OG_TYPE_STRUCT, 0, 1, &utf8_item},
    {OG_TYPE_STRUCT, 0, 1, &i32_item},
    {OG_TYPE_NULL},
    {OG_TYPE_FIXED_SIZE_LIST, 3, 1, &bool_item},
    {OG_TYPE_FIXED_SIZE_LIST, 3, 1, &pair_item},
    {OG_TYPE_FIXED_SIZE_LIST, 16, 1, &u8_item}, /* a decimal */
    {OG_TYPE_FIXED_SIZE_LIST, 2, 1, &number_item},
    {OG_TYPE_STRUCT, 0, 2, packed_fields},
    {OG_TYPE_STRUCT, 0, 2, packed_texts},
};
enum { PACKED_FROM = sizeof types / sizeof types[0] - 2 };
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* Codes name the values that a plain read gives. */
static void use_codes(og_lance_file *file, const og_lance_column *column, const og_array *range,
                      og_error *err)
{
    uint32_t codes[MAX_ROWS];
    og_lance_coded coded;
    if (range->length == 0 || og_lance_file_read_coded(file, column, 0, (uint32_t)range->length,
                                                       codes, &coded, err) != OG_OK)
        return;
    require(coded.count <= range->length && (coded.count == 0) == (coded.values == NULL));
    for (uint32_t i = 0; i < coded.count; i++)
        require(codes[i] < coded.values->length && og_rows_equal(range, i, coded.values, codes[i]));
    og_array_unref(coded.values);
}

/* Single rows, by chunks that are kept. */
static void use_few(og_lance_file *file, const og_lance_column *column, const og_array *range,
                    og_error *err)
{
    for (uint32_t i = 0; i < 8 && i < range->length; i++) {
        uint32_t row = (uint32_t)((uint64_t)range->length * (i % 4) / 4);
        OG_AUTO(og_array) one = NULL;
        if (og_lance_file_take(file, column, &row, 1, &one, err) != OG_OK)
            return;
        require(og_array_validate(one, true, err) == OG_OK && og_rows_equal(range, row, one, 0));
    }
}

static void use(og_lance_file *file, const og_lance_column *column, og_error *err)
{
    uint64_t rows = og_lance_file_rows(file), count = rows < MAX_ROWS ? rows : MAX_ROWS;
    OG_AUTO(og_array) range = NULL;
    if (og_lance_file_read(file, column, 0, count, &range, err) != OG_OK)
        return;
    require(range->length == (int64_t)count);
    require(og_array_validate(range, true, err) == OG_OK);
    use_codes(file, column, range, err);
    use_few(file, column, range, err);
    uint32_t wanted[MAX_ROWS / 3 + 1], n = 0;
    for (uint32_t row = 0; row < count; row += 3)
        wanted[n++] = row;
    OG_AUTO(og_array) some = NULL;
    if (og_lance_file_take(file, column, wanted, n, &some, err) != OG_OK)
        return; /* a chunk that is damaged behind the rows of a range may be met here */
    require(og_array_validate(some, true, err) == OG_OK);
    for (uint32_t i = 0; i < n; i++)
        require(og_rows_equal(range, wanted[i], some, i));
}

static void look(og_lance_file *file, uint32_t column, og_error *err)
{
    uint32_t pages;
    OG_AUTO_BUF text = OG_BUF_INIT;
    if (og_lance_file_page_count(file, column, &pages, err) != OG_OK)
        return;
    for (uint32_t p = 0; p < pages && p < 16; p++) {
        og_lance_page_look page;
        if (og_lance_file_page_look(file, column, p, &page, &text, err) == OG_OK)
            require(page.index_bytes <= page.bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static og_error err;
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_file) file = NULL;
    if (og_store_open_memory(&store, &err) != OG_OK ||
        store->ops->put(store, "f.lance", (og_bytes){data, size}, &err) != OG_OK)
        return 0;
    /* Small files by ranges too, as from a store without mappings. */
    store->maps_objects = size % 2 == 0;
    if (og_lance_file_open(store, "f.lance", 0, &file, &err) != OG_OK)
        return 0;
    og_lance_file_keep_chunks(file, 1 << 16);
    uint32_t columns = og_lance_file_column_count(file);
    for (uint32_t c = 0; c < columns && c < MAX_COLUMNS; c++) {
        for (size_t t = 0; t <= TYPE_COUNT; t++) {
            og_field field = {{"f", 1}, t < TYPE_COUNT ? &types[t] : og_lance_blob_type(), true};
            og_lance_column column = {&field, &c, 1, t == TYPE_COUNT,
                                      t >= PACKED_FROM && t < TYPE_COUNT};
            use(file, &column, &err);
        }
        look(file, c, &err);
    }
    return 0;
}
