#include "columnar/kernels.h"
#include "og_test.h"
#include "sample.h"

static void check_take(const og_array *src, const int64_t *rows, int64_t count)
{
    OG_AUTO(og_array) out = NULL;
    assert_ok(og_take_rows(src, rows, count, &out, err));
    assert_ok(og_array_validate(out, true, err));
    assert_int_equal(out->length, count);
    for (int64_t i = 0; i < count; i++) {
        if (rows[i] < 0)
            assert_true(og_array_is_null(out, i));
        else
            assert_true(og_rows_equal(out, i, src, rows[i]));
    }
}

TEST(test_take__rows_of_every_type)
{
    static const int64_t lengths[] = {1, 63, 64, 65, 1000};
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        for (int nulls = 0; nulls <= 100; nulls += 50) {
            uint64_t seed = t * 3 + (size_t)nulls;
            OG_AUTO(og_array) src = sample_array(sample_type(t), 500, nulls, &seed);
            for (size_t l = 0; l < 5; l++) {
                int64_t rows[1000];
                uint32_t narrow[1000];
                for (int64_t i = 0; i < lengths[l]; i++) {
                    narrow[i] = (uint32_t)(og_test_random(&seed) % 500);
                    rows[i] = narrow[i];
                }
                check_take(src, rows, lengths[l]);
                OG_AUTO(og_array) wide = NULL;
                OG_AUTO(og_array) small = NULL;
                assert_ok(og_take_rows(src, rows, lengths[l], &wide, err));
                assert_ok(og_take_u32(src, narrow, lengths[l], &small, err));
                for (int64_t i = 0; i < lengths[l]; i++)
                    assert_true(og_rows_equal(wide, i, small, i));
                for (int64_t i = 0; i < lengths[l]; i += 3)
                    rows[i] = -1;
                check_take(src, rows, lengths[l]);
            }
        }
    }
}

TEST(test_take__no_rows)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        uint64_t seed = t;
        OG_AUTO(og_array) src = sample_array(sample_type(t), 3, 0, &seed);
        OG_AUTO(og_array) none = NULL;
        check_take(src, NULL, 0);
        assert_ok(og_take_u32(src, NULL, 0, &none, err));
        assert_ok(og_array_validate(none, true, err));
        const int64_t missing[2] = {-1, -1};
        check_take(none, missing, 2);
    }
}

TEST(test_take__too_much_text_is_a_limit)
{
    uint64_t seed = 1;
    OG_AUTO(og_array) src = sample_array(og_type_of(OG_TYPE_BINARY), 1, 0, &seed);
    static const uint32_t rows[2];
    int32_t offsets[2] = {0, INT32_MAX};
    og_array huge = *src;
    huge.offsets = offsets;
    og_array *out = NULL;
    assert_status(og_take_u32(&huge, rows, 2, &out, NULL), OG_LIMIT);
    assert_null(out);
}

TEST(test_take__slice_and_concat)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        uint64_t seed = t;
        OG_AUTO(og_array) a = sample_array(sample_type(t), 77, 20, &seed);
        OG_AUTO(og_array) b = sample_array(sample_type(t), 0, 20, &seed);
        OG_AUTO(og_array) c = sample_array(sample_type(t), 130, 0, &seed);
        const og_array *const parts[] = {a, b, c};
        OG_AUTO(og_array) all = NULL;
        OG_AUTO(og_array) part = NULL;
        OG_AUTO(og_array) empty = NULL;
        OG_AUTO(og_array) ranges = NULL;
        assert_ok(og_concat(parts, 3, &all, err));
        assert_ok(og_array_validate(all, true, err));
        assert_int_equal(all->length, 207);
        for (int64_t i = 0; i < 207; i++)
            assert_true(i < 77 ? og_rows_equal(all, i, a, i) : og_rows_equal(all, i, c, i - 77));
        assert_ok(og_slice(all, 70, 20, &part, err));
        assert_ok(og_array_validate(part, true, err));
        for (int64_t i = 0; i < 20; i++)
            assert_true(og_rows_equal(all, 70 + i, part, i));
        assert_ok(og_slice(all, 207, 0, &empty, err));
        assert_int_equal(empty->length, 0);
        const int64_t starts[] = {5, 0, 1}, counts[] = {3, 0, 100};
        assert_ok(og_concat_ranges(parts, starts, counts, 3, &ranges, err));
        assert_ok(og_array_validate(ranges, true, err));
        assert_true(og_rows_equal(ranges, 2, a, 7));
        assert_true(og_rows_equal(ranges, 3, c, 1));
    }
}

TEST(test_take__survives_failing_allocations)
{
    static const int64_t rows[] = {3, -1, 9, 9, 0};
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        uint64_t seed = t;
        OG_AUTO(og_array) src = sample_array(sample_type(t), 10, 20, &seed);
        og_status status = OG_NOMEM;
        for (int64_t n = 0; status != OG_OK; n++) {
            OG_AUTO(og_array) taken = NULL;
            OG_AUTO(og_array) joined = NULL;
            const og_array *const parts[] = {src, src};
            og_alloc_fail_after(n, true);
            status = og_take_rows(src, rows, 5, &taken, NULL);
            if (status == OG_OK)
                status = og_concat(parts, 2, &joined, NULL);
            og_alloc_fail_after(-1, false);
            assert_true(status == OG_OK || status == OG_NOMEM);
        }
    }
}
