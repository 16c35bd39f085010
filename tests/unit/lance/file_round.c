#include "file_round.h"

#include "../store/tempdir.h"
#include "columnar/kernels.h"
#include "og_test.h"
#include "store/file.h"

uint32_t round_leaves(const og_type *type, uint32_t leaves[8])
{
    uint32_t count = 0;
    bool is_leaf = type->child_count == 0 || type->id == OG_TYPE_FIXED_SIZE_LIST;
    for (uint32_t i = 0; !is_leaf && i < type->child_count; i++)
        count += round_leaves(type->children[i].type, leaves);
    count = is_leaf ? 1 : count;
    for (uint32_t i = 0; i < count; i++)
        leaves[i] = i;
    return count;
}

og_status round_write(og_store *store, const char *name, const og_array *array, int64_t batch_rows,
                      bool is_blob, uint64_t *out_bytes, og_error *err)
{
    og_field field = {OG_STR("c"), array->type, true};
    og_lance_write_column column = {&field, is_blob};
    OG_AUTO(og_lance_file_writer) writer = NULL;
    OG_TRY(og_lance_file_writer_open(store, name, &column, 1, (og_bytes){0}, &writer, err));
    for (int64_t at = 0; at < array->length; at += batch_rows) {
        int64_t rows = array->length - at < batch_rows ? array->length - at : batch_rows;
        OG_AUTO_BATCH batch = {0};
        OG_TRY(og_batch_init(&batch, 1, rows, err));
        OG_TRY(og_slice(array, at, rows, &batch.columns[0], err));
        OG_TRY(og_lance_file_writer_write(writer, &batch, err));
    }
    assert_int_equal(og_lance_file_writer_rows(writer), array->length);
    return og_lance_file_writer_finish(writer, out_bytes, err);
}

void round_equal(const og_array *want, int64_t start, const og_array *got)
{
    assert_ok(og_array_validate(got, true, err));
    assert_true(og_type_eq(want->type, got->type));
    for (int64_t row = 0; row < got->length; row++) {
        if (!og_rows_equal(want, start + row, got, row))
            fail_msg("row %lld differs", (long long)(start + row));
    }
}

static void check_range(og_lance_file *file, const og_lance_column *column, const og_array *want,
                        int64_t start, int64_t count)
{
    OG_AUTO(og_array) got = NULL;
    assert_ok(og_lance_file_read(file, column, (uint64_t)start, (uint64_t)count, &got, err));
    assert_int_equal(got->length, count);
    round_equal(want, start, got);
}

static void check_rows(og_lance_file *file, const og_lance_column *column, const og_array *want,
                       uint64_t most)
{
    uint64_t count = (uint64_t)want->length < most ? (uint64_t)want->length : most;
    OG_AUTO_FREE uint32_t *rows = og_malloc(count * sizeof *rows);
    for (uint64_t i = 0; i < count; i++)
        rows[i] = (uint32_t)((uint64_t)want->length * i / count);
    OG_AUTO(og_array) got = NULL;
    OG_AUTO(og_array) expected = NULL;
    assert_ok(og_lance_file_take(file, column, rows, count, &got, err));
    assert_ok(og_take_u32(want, rows, (int64_t)count, &expected, err));
    assert_int_equal(got->length, expected->length);
    round_equal(expected, 0, got);
}

/* Rows from `start` on as codes, where they have them; returns how many values there are. */
static int64_t check_codes(og_lance_file *file, const og_lance_column *column, const og_array *want,
                           int64_t start)
{
    uint32_t codes[3000];
    og_lance_coded coded;
    assert_ok(og_lance_file_read_coded(file, column, (uint64_t)start, 3000, codes, &coded, err));
    OG_AUTO(og_array) values = coded.values;
    assert_int_equal(coded.count == 0, values == NULL);
    for (uint32_t i = 0; i < coded.count; i++) {
        assert_in_range(codes[i], 0, values->length - 1);
        if (!og_rows_equal(want, start + i, values, codes[i]))
            fail_msg("the code of row %lld is wrong", (long long)(start + i));
    }
    return values != NULL ? values->length : 0;
}

int64_t round_values(const og_array *array)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_file) file = NULL;
    uint64_t bytes = 0;
    uint32_t leaf = 0;
    og_field field = {OG_STR("c"), array->type, true};
    og_lance_column column = {&field, &leaf, 1, false};
    assert_ok(og_store_open_memory(&store, err));
    assert_ok(round_write(store, ROUND_NAME, array, array->length, false, &bytes, err));
    assert_ok(og_lance_file_open(store, ROUND_NAME, bytes, &file, err));
    return check_codes(file, &column, array, 0);
}

uint64_t round_check(const og_array *array, int64_t batch_rows)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_file) file = NULL;
    uint64_t bytes = 0;
    assert_ok(og_store_open_memory(&store, err));
    assert_ok(round_write(store, ROUND_NAME, array, batch_rows, false, &bytes, err));
    assert_ok(og_lance_file_open(store, ROUND_NAME, bytes, &file, err));
    assert_int_equal(og_lance_file_rows(file), array->length);

    uint32_t leaves[8];
    og_field field = {OG_STR("c"), array->type, true};
    og_lance_column column = {&field, leaves, round_leaves(array->type, leaves), false};
    assert_int_equal(og_lance_file_column_count(file), column.leaf_count);
    check_range(file, &column, array, 0, array->length);
    if (array->length == 0)
        return bytes;
    check_range(file, &column, array, array->length / 3, array->length / 3);
    check_range(file, &column, array, array->length - 1, 1);
    check_rows(file, &column, array, 16);
    if (column.leaf_count == 1) {
        check_codes(file, &column, array, 0);
        check_codes(file, &column, array, array->length / 3);
    }
    return bytes;
}

void round_check_mapped(const og_array *array)
{
    char folder[64];
    uint64_t bytes = 0;
    uint32_t leaves[8];
    og_field field = {OG_STR("c"), array->type, true};
    og_lance_column column = {&field, leaves, round_leaves(array->type, leaves), false};
    OG_AUTO(og_store) store = NULL;
    make_temp_folder(folder);
    assert_ok(og_store_open_file(folder, false, &store, err));
    assert_ok(round_write(store, ROUND_NAME, array, array->length, false, &bytes, err));
    for (int first = 0; first < 5; first++) {
        OG_AUTO(og_lance_file) file = NULL;
        assert_ok(og_lance_file_open(store, ROUND_NAME, bytes, &file, err));
        if (first < 3)
            check_rows(file, &column, array, first == 0 ? 1 : first == 1 ? 16 : 3000);
        if (first == 3)
            check_range(file, &column, array, array->length / 2, 5);
        check_range(file, &column, array, array->length / 2, array->length / 3);
        check_range(file, &column, array, 0, array->length);
    }
    remove_temp_folder(folder);
}
