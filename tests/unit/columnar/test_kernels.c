#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "og_test.h"
#include "sample.h"

#include <math.h>

static og_array *floats(const og_type *type, const double *values, size_t count)
{
    OG_AUTO(og_builder) b = og_builder_new(type);
    og_array *a = NULL;
    og_builder_null(b);
    for (size_t i = 0; i < count; i++)
        og_builder_f64(b, values[i]);
    assert_ok(og_builder_finish(b, &a, err));
    return a;
}

TEST(test_kernels__floats_have_a_total_order)
{
    const double ascending[] = {-INFINITY, -2, -0.5, -0.0, 0.0, 0.5, 2, INFINITY, NAN};
    static const og_type_id ids[] = {OG_TYPE_F16, OG_TYPE_F32, OG_TYPE_F64};
    for (size_t t = 0; t < 3; t++) {
        OG_AUTO(og_array) a = floats(og_type_of(ids[t]), ascending, 9);
        for (int64_t i = 0; i < 10; i++) {
            for (int64_t j = 0; j < 10; j++) {
                int order = og_compare_rows(a, i, a, j);
                assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            }
        }
    }
    const double nans[] = {NAN, -NAN};
    OG_AUTO(og_array) n = floats(og_type_of(OG_TYPE_F64), nans, 2);
    assert_true(og_rows_equal(n, 1, n, 2));
    assert_int_equal(og_hash_row(n, 1, 7), og_hash_row(n, 2, 7));
}

TEST(test_kernels__unsigned_and_signed_extremes)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_U64));
    OG_AUTO(og_builder) c = og_builder_new(og_type_of(OG_TYPE_I64));
    OG_AUTO(og_array) u = NULL;
    OG_AUTO(og_array) s = NULL;
    og_builder_u64(b, 1);
    og_builder_u64(b, UINT64_MAX);
    og_builder_i64(c, INT64_MIN);
    og_builder_i64(c, -1);
    og_builder_i64(c, INT64_MAX);
    assert_ok(og_builder_finish(b, &u, err));
    assert_ok(og_builder_finish(c, &s, err));
    assert_true(og_compare_rows(u, 0, u, 1) < 0);
    assert_true(og_compare_rows(s, 0, s, 1) < 0);
    assert_true(og_compare_rows(s, 1, s, 2) < 0);
}

/* Order, equality and hash must agree with each other for every pair of rows. */
TEST(test_kernels__order_equality_and_hash_agree)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        uint64_t seed = t + 11;
        OG_AUTO(og_array) a = sample_array(sample_type(t), 60, 10, &seed);
        for (int64_t i = 0; i < 60; i++) {
            assert_true(og_rows_equal(a, i, a, i));
            for (int64_t j = 0; j < 60; j++) {
                int ij = og_compare_rows(a, i, a, j), ji = og_compare_rows(a, j, a, i);
                assert_true((ij < 0) == (ji > 0) && (ij == 0) == (ji == 0));
                bool same_hash = og_hash_row(a, i, 0) == og_hash_row(a, j, 0);
                assert_int_equal(same_hash, ij == 0);
            }
        }
    }
}

TEST(test_kernels__hash_column_equals_hash_row)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        for (int nulls = 0; nulls < 20; nulls += 10) {
            uint64_t seed = t, hashes[100];
            OG_AUTO(og_array) a = sample_array(sample_type(t), 100, nulls, &seed);
            for (size_t i = 0; i < 100; i++)
                hashes[i] = i;
            og_hash_column(a, hashes);
            for (int64_t i = 0; i < 100; i++)
                assert_int_equal(hashes[i], og_hash_row(a, i, (uint64_t)i));
        }
    }
}
