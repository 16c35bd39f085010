#include "columnar/builder.h"
#include "columnar/float16.h"
#include "columnar/kernels.h"
#include "og_test.h"
#include "sample.h"

#include <math.h>

TEST(test_builder__values_nulls_and_reuse)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_I16));
    for (int round = 0; round < 2; round++) {
        OG_AUTO(og_array) a = NULL;
        for (int i = -300; i < 300; i++)
            assert_true(i % 7 == 0 ? og_builder_null(b) : og_builder_i64(b, i));
        assert_int_equal(og_builder_length(b), 600);
        assert_ok(og_builder_finish(b, &a, err));
        assert_int_equal(og_builder_length(b), 0);
        assert_ok(og_array_validate(a, true, err));
        assert_int_equal(a->null_count, 85);
        for (int i = -300; i < 300; i++) {
            assert_int_equal(og_array_is_null(a, i + 300), i % 7 == 0);
            if (i % 7 != 0)
                assert_int_equal(((const int16_t *)a->data)[i + 300], i);
        }
        assert_int_equal((uintptr_t)a->data % 64, 0);
    }
}

TEST(test_builder__empty_columns_have_their_buffers)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        uint64_t seed = t;
        OG_AUTO(og_array) a = sample_array(sample_type(t), 0, 0, &seed);
        OG_AUTO(og_array) nulls = og_array_new_null(sample_type(t), 0);
        assert_ok(og_array_validate(nulls, true, err));
        assert_int_equal(a->length, 0);
    }
}

TEST(test_builder__lists_of_structs)
{
    uint64_t seed = 1;
    const og_type *type = sample_type(SAMPLE_TYPES - 1); /* fixed_size_list<struct<...>, 2> */
    char name[160];
    og_type_name(type, name, sizeof name);
    assert_string_equal(name, "fixed_size_list<struct<a: int32, b: list<utf8>, v: "
                              "fixed_size_list<float32, 3>>, 2>");
    OG_AUTO(og_array) a = sample_array(type, 100, 20, &seed);
    assert_int_equal(a->children[0]->length, 200);
    assert_int_equal(a->children[0]->children[2]->children[0]->length, 600);
}

TEST(test_builder__floats_are_narrowed)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_F16));
    OG_AUTO(og_array) a = NULL;
    static const struct {
        double in;
        uint16_t bits;
    } cases[] = {{0, 0},
                 {-0.0, 0x8000},
                 {1, 0x3C00},
                 {65504, 0x7BFF},
                 {65519, 0x7BFF},
                 {65520, 0x7C00},
                 {0x1p-24, 1},
                 {0x1p-25, 0},
                 {0x1.8p-25, 1},
                 {0x1p-14, 0x0400},
                 {0x1.ff8p-15, 0x3FF},
                 {0x1.ffcp-15, 0x0400},
                 {-INFINITY, 0xFC00},
                 {1.0009765625, 0x3C01},
                 {1.00048828125, 0x3C00},
                 {1e300, 0x7C00},
                 {1e-300, 0}};
    size_t n = sizeof cases / sizeof cases[0];
    for (size_t i = 0; i < n; i++)
        assert_true(og_builder_f64(b, cases[i].in));
    assert_true(og_builder_f64(b, NAN));
    assert_ok(og_builder_finish(b, &a, err));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(((const uint16_t *)a->data)[i], cases[i].bits);
    assert_true(isnan(og_f16_to_f64(((const uint16_t *)a->data)[n])));
    for (uint32_t bits = 0; bits < 0x7C00; bits++)
        assert_int_equal(og_f16_from_f64(og_f16_to_f64((uint16_t)bits)), bits);
}

TEST(test_builder__appended_arrays_equal_rows_one_by_one)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        uint64_t seed = 77 + t;
        const og_type *type = sample_type(t);
        OG_AUTO(og_array) src = sample_array(type, 300, t % 2 == 0 ? 15 : 0, &seed);
        OG_AUTO(og_builder) b = og_builder_new(type);
        OG_AUTO(og_array) out = NULL;
        assert_true(og_builder_append_array(b, src, 13, 201));
        assert_true(og_builder_append_array(b, src, 7, 200));
        assert_true(og_builder_append_array(b, src, 300, 0));
        assert_true(og_builder_nulls(b, 3));
        assert_ok(og_builder_finish(b, &out, err));
        assert_ok(og_array_validate(out, true, err));
        assert_int_equal(out->length, 404);
        for (int64_t i = 0; i < 404; i++) {
            int64_t row = i < 201 ? 13 + i : i < 401 ? 7 + i - 201 : -1;
            if (row < 0)
                assert_true(og_array_is_null(out, i));
            else
                assert_true(og_rows_equal(out, i, src, row));
        }
    }
}

TEST(test_builder__i32_offsets_end_at_two_gibibytes)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_UTF8));
    og_array *out = NULL;
    og_error error;
    assert_true(og_builder_str(b, OG_STR("x")));
    assert_false(og_builder_str(b, (og_str){"", INT32_MAX}));
    assert_false(og_builder_str(b, OG_STR("y"))); /* the failure sticks */
    assert_status(og_builder_finish(b, &out, &error), OG_LIMIT);
    assert_null(out);
    assert_true(og_builder_str(b, OG_STR("again")));
    assert_ok(og_builder_finish(b, &out, err));
    assert_int_equal(out->length, 1);
    og_array_unref(out);
}

TEST(test_builder__a_failing_child_fails_the_column)
{
    const og_type *texts = sample_type(22)->children[0].type;
    OG_AUTO(og_builder) b = og_builder_new(texts);
    og_array *out = NULL;
    assert_false(og_builder_str(og_builder_child(b, 0), (og_str){"", (size_t)1 << 40}));
    assert_false(og_builder_end_row(b));
    assert_status(og_builder_finish(b, &out, NULL), OG_LIMIT);
}

/* Each allocation fails in turn: an error, no leak, and the builder works again afterwards. */
TEST(test_builder__survives_failing_allocations)
{
    uint64_t seed = 5;
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        const og_type *type = sample_type(t);
        OG_AUTO(og_array) src = sample_array(type, 100, 10, &seed);
        bool done = false;
        for (int64_t n = 0; !done; n++) {
            og_alloc_fail_after(n, true);
            OG_AUTO(og_builder) b = og_builder_new(type);
            OG_AUTO(og_array) out = NULL;
            og_status status = OG_NOMEM;
            if (b != NULL) {
                og_builder_append_array(b, src, 0, 100);
                og_builder_null(b);
                og_builder_append_array(b, src, 50, 20);
                status = og_builder_finish(b, &out, NULL);
            }
            og_alloc_fail_after(-1, false);
            done = status == OG_OK;
            if (!done) {
                assert_status(status, OG_NOMEM);
                assert_null(out);
            }
            if (b != NULL) {
                OG_AUTO(og_array) again = NULL;
                assert_true(og_builder_append_array(b, src, 0, 100));
                assert_ok(og_builder_finish(b, &again, err));
                assert_ok(og_array_validate(again, true, err));
            }
        }
    }
}
