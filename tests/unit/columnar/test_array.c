#include "columnar/array.h"
#include "columnar/builder.h"
#include "og_test.h"
#include "sample.h"

TEST(test_array__all_null_of_every_type)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        OG_AUTO(og_array) a = og_array_new_null(sample_type(t), 70);
        assert_non_null(a);
        assert_ok(og_array_validate(a, true, err));
        assert_int_equal(a->null_count, 70);
        for (int64_t i = 0; i < 70; i++)
            assert_true(og_array_is_null(a, i));
    }
}

TEST(test_array__all_null_survives_failing_allocations)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        og_array *a = NULL;
        for (int64_t n = 0; a == NULL; n++) {
            og_alloc_fail_after(n, true);
            a = og_array_new_null(sample_type(t), 9);
            og_alloc_fail_after(-1, false);
        }
        og_array_unref(a);
    }
}

TEST(test_array__references_share_and_release_once)
{
    og_array *a = og_array_new_null(sample_type(24), 5);
    og_array *b = og_array_ref(a);
    og_array_unref(a);
    assert_int_equal(b->length, 5);
    og_array_unref(b);
    og_array_unref(NULL);
}

TEST(test_array__bytes_count_buffers_and_children)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_UTF8));
    OG_AUTO(og_array) a = NULL;
    og_builder_str(b, OG_STR("hello"));
    og_builder_null(b);
    assert_ok(og_builder_finish(b, &a, err));
    assert_int_equal(og_array_bytes(a), 5 + 3 * 4 + 1);
    OG_AUTO(og_array) vectors = og_array_new_null(sample_type(20), 8);
    char name[64];
    og_type_name(vectors->type, name, sizeof name);
    assert_string_equal(name, "fixed_size_list<float32, 3>");
    assert_int_equal(og_array_bytes(vectors), 1 + 8 * 3 * 4);
}

static og_array *text_column(void)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_UTF8));
    og_array *a = NULL;
    og_builder_str(b, OG_STR("a"));
    og_builder_str(b, OG_STR("\xc3\xa9"));
    og_builder_str(b, OG_STR("bcd"));
    assert_ok(og_builder_finish(b, &a, err));
    return a;
}

TEST(test_array__validate_names_what_is_wrong)
{
    OG_AUTO(og_array) a = text_column();
    og_error error;
    int32_t *offsets = a->owned[1];
    uint8_t *bytes = a->owned[0];
    assert_ok(og_array_validate(a, true, err));

    offsets[1] = 2; /* between the two bytes of é */
    assert_ok(og_array_validate(a, false, err));
    assert_status(og_array_validate(a, true, &error), OG_CORRUPT);
    assert_string_equal(error.message, "text of row 0 is not UTF-8 at byte 1");
    offsets[1] = 4;
    assert_status(og_array_validate(a, false, &error), OG_CORRUPT);
    assert_string_equal(error.message, "offsets fall at row 1");
    offsets[1] = 1;
    offsets[0] = -1;
    assert_status(og_array_validate(a, false, &error), OG_CORRUPT);
    offsets[0] = 0;
    bytes[3] = 0xFF;
    assert_status(og_array_validate(a, true, &error), OG_CORRUPT);
    assert_string_equal(error.message, "text of row 2 is not UTF-8 at byte 0");
    bytes[3] = 'b';
    a->null_count = 1;
    assert_status(og_array_validate(a, false, &error), OG_CORRUPT);
    a->null_count = -1;
    assert_status(og_array_validate(a, false, &error), OG_CORRUPT);
    a->null_count = 0;
    a->offsets = NULL;
    assert_status(og_array_validate(a, false, &error), OG_CORRUPT);
    a->offsets = offsets;
    a->data = NULL;
    assert_status(og_array_validate(a, false, &error), OG_CORRUPT);
}

TEST(test_array__validate_looks_at_children)
{
    uint64_t seed = 3;
    OG_AUTO(og_array) a = sample_array(sample_type(23), 10, 0, &seed);
    og_array *child = a->children[0];
    child->length = 9;
    assert_status(og_array_validate(a, false, NULL), OG_CORRUPT);
    child->length = 10;
    a->children[0] = NULL;
    assert_status(og_array_validate(a, false, NULL), OG_CORRUPT);
    a->children[0] = child;
    assert_ok(og_array_validate(a, true, err));
}

TEST(test_type__names_equality_and_cut_text)
{
    char name[8];
    og_type_name(sample_type(23), name, sizeof name);
    assert_string_equal(name, "struct<");
    og_type_name(og_type_of(OG_TYPE_F64), name, 1);
    assert_string_equal(name, "");
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        for (size_t j = 0; j < SAMPLE_TYPES; j++)
            assert_int_equal(og_type_eq(sample_type(i), sample_type(j)), i == j);
    }
}

TEST(test_type__schema_is_a_deep_copy)
{
    og_schema *schema = NULL;
    og_field fields[2] = {{OG_STR("id"), og_type_of(OG_TYPE_UTF8), false},
                          {OG_STR("nested"), sample_type(24), true}};
    for (int64_t n = 0; schema == NULL; n++) {
        og_alloc_fail_after(n, true);
        schema = og_schema_new(fields, 2);
        og_alloc_fail_after(-1, false);
    }
    fields[0] = fields[1] = (og_field){0};
    assert_int_equal(og_schema_find(schema, OG_STR("nested")), 1);
    assert_int_equal(og_schema_find(schema, OG_STR("none")), -1);
    assert_true(og_type_eq(schema->fields[1].type, sample_type(24)));
    assert_ptr_not_equal(schema->fields[1].type->children, sample_type(24)->children);
    assert_false(schema->fields[0].nullable);
    og_schema_unref(og_schema_ref(schema));
    og_schema_unref(schema);
}

TEST(test_array__batch_owns_its_columns)
{
    OG_AUTO_BATCH batch = {0};
    assert_ok(og_batch_init(&batch, 2, 3, err));
    batch.columns[1] = og_array_new_null(og_type_of(OG_TYPE_I64), 3);
    assert_int_equal(batch.row_count, 3);
}
