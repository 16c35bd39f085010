#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "columnar/sort.h"
#include "og_test.h"
#include "sample.h"

#include <stdlib.h>

/* Sorted, stable, and each row once: together these leave one order. */
static void check_order(const og_sort_key *keys, size_t key_count, int64_t n, const uint32_t *rows)
{
    uint8_t *seen = calloc((size_t)n + 1, 1);
    for (int64_t i = 0; i < n; i++) {
        assert_true(rows[i] < n && !seen[rows[i]]);
        seen[rows[i]] = 1;
        if (i == 0)
            continue;
        int order = og_sort_compare(keys, rows[i - 1], keys, rows[i], key_count);
        assert_true(order < 0 || (order == 0 && rows[i - 1] < rows[i]));
    }
    free(seen);
}

static void check_sort(const og_sort_key *keys, size_t key_count, int64_t n)
{
    uint32_t *rows = malloc((size_t)(n + 1) * sizeof *rows);
    uint32_t *top = malloc((size_t)(n + 1) * sizeof *top);
    const int64_t limits[] = {0, 1, 7, n / 2, n - 1, n, n + 5};
    assert_ok(og_sort_rows(keys, key_count, n, rows, err));
    check_order(keys, key_count, n, rows);
    for (size_t i = 0; i < 7; i++) {
        int64_t count = -1, want = limits[i] < n ? limits[i] : n;
        if (want < 0)
            want = 0;
        assert_ok(og_top_rows(keys, key_count, n, limits[i], top, &count, err));
        assert_int_equal(count, want);
        for (int64_t r = 0; r < count; r++)
            assert_int_equal(top[r], rows[r]);
    }
    free(rows);
    free(top);
}

TEST(test_sort__every_type_both_ways)
{
    static const int64_t lengths[] = {0, 1, 2, 15, 16, 17, 255, 256, 1000};
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        for (size_t l = 0; l < 9; l++) {
            uint64_t seed = t * 10 + l;
            OG_AUTO(og_array) a = sample_array(sample_type(t), lengths[l], l % 2 ? 20 : 0, &seed);
            for (int descending = 0; descending < 2; descending++) {
                og_sort_key key = {a, descending};
                check_sort(&key, 1, lengths[l]);
            }
        }
    }
}

TEST(test_sort__several_keys)
{
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        uint64_t seed = t;
        OG_AUTO(og_array) a = sample_array(og_type_of(OG_TYPE_BOOL), 700, 10, &seed);
        OG_AUTO(og_array) b = sample_array(sample_type(t), 700, 30, &seed);
        OG_AUTO(og_array) c = sample_array(og_type_of(OG_TYPE_UTF8), 700, 10, &seed);
        og_sort_key keys[] = {{a, t & 1}, {b, t & 2}, {c, t & 4}};
        check_sort(keys, 3, 700);
        check_sort(keys + 1, 2, 700);
    }
}

/* Texts that agree in many bytes, that are prefixes of each other, with NUL bytes, and equal
 * ones. */
TEST(test_sort__long_common_prefixes)
{
    uint64_t seed = 3;
    char text[600];
    memset(text, 'p', sizeof text);
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_UTF8));
    OG_AUTO(og_array) a = NULL;
    OG_AUTO(og_array) c = sample_array(og_type_of(OG_TYPE_I8), 900, 10, &seed);
    for (int i = 0; i < 900; i++) {
        static const size_t lens[] = {0, 6, 7, 8, 13, 14, 15, 16, 223, 224, 225, 400, 600};
        size_t len = lens[og_test_random(&seed) % 13];
        size_t at = len > 0 ? og_test_random(&seed) % len : 0;
        char saved = text[at];
        text[at] = "\0pqp"[og_test_random(&seed) % 4];
        assert_true(i % 50 == 0 ? og_builder_null(b) : og_builder_str(b, (og_str){text, len}));
        text[at] = saved;
    }
    assert_ok(og_builder_finish(b, &a, err));
    for (int descending = 0; descending < 2; descending++) {
        og_sort_key keys[] = {{a, descending}, {c, !descending}};
        check_sort(keys, 1, 900);
        check_sort(keys, 2, 900);
    }
}

TEST(test_sort__no_keys_keep_the_order)
{
    check_sort(NULL, 0, 1000);
}

TEST(test_sort__nulls_first_ascending_last_descending)
{
    uint64_t seed = 9;
    OG_AUTO(og_array) a = sample_array(og_type_of(OG_TYPE_UTF8), 100, 50, &seed);
    uint32_t rows[100];
    og_sort_key key = {a, false};
    assert_ok(og_sort_rows(&key, 1, 100, rows, err));
    assert_true(og_array_is_null(a, rows[0]) && !og_array_is_null(a, rows[99]));
    key.descending = true;
    assert_ok(og_sort_rows(&key, 1, 100, rows, err));
    assert_true(!og_array_is_null(a, rows[0]) && og_array_is_null(a, rows[99]));
}

TEST(test_sort__out_of_memory)
{
    uint64_t seed = 9;
    OG_AUTO(og_array) a = sample_array(og_type_of(OG_TYPE_I64), 100, 50, &seed);
    uint32_t rows[100];
    int64_t count = 77;
    og_sort_key key = {a, false};
    og_alloc_fail_after(0, true);
    og_status sort = og_sort_rows(&key, 1, 100, rows, NULL);
    og_status top = og_top_rows(&key, 1, 100, 5, rows, &count, NULL);
    og_alloc_fail_after(-1, false);
    assert_status(sort, OG_NOMEM);
    assert_status(top, OG_NOMEM);
    assert_int_equal(count, 77);
}
