#include "columnar/builder.h"
#include "columnar/compare.h"
#include "columnar/kernels.h"
#include "og_test.h"
#include "sample.h"

#include <math.h>

static const og_compare_op ops[] = {OG_COMPARE_EQ, OG_COMPARE_NE, OG_COMPARE_LT,
                                    OG_COMPARE_LE, OG_COMPARE_GT, OG_COMPARE_GE};

static bool holds(int order, og_compare_op op)
{
    switch (op) {
    case OG_COMPARE_EQ:
        return order == 0;
    case OG_COMPARE_NE:
        return order != 0;
    case OG_COMPARE_LT:
        return order < 0;
    case OG_COMPARE_LE:
        return order <= 0;
    case OG_COMPARE_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* ---- numbers of all types ----------------------------------------------------------------- */

static const og_type_id number_types[] = {OG_TYPE_I8,  OG_TYPE_U8,  OG_TYPE_I16, OG_TYPE_U16,
                                          OG_TYPE_I32, OG_TYPE_U32, OG_TYPE_I64, OG_TYPE_U64,
                                          OG_TYPE_F16, OG_TYPE_F32, OG_TYPE_F64};
#define NUMBER_TYPES 11

/* Edges of every type and their neighbours; rows that a type cannot hold are left out of it. */
static og_array *edge_column(og_type_id id)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(id));
    og_array *a = NULL;
    static const int64_t signed_edges[] = {0,
                                           1,
                                           -1,
                                           2,
                                           127,
                                           128,
                                           -128,
                                           255,
                                           256,
                                           32767,
                                           -32768,
                                           65535,
                                           16777216,
                                           16777217,
                                           INT32_MAX,
                                           INT32_MIN,
                                           4294967295,
                                           9007199254740992,
                                           9007199254740993,
                                           -9007199254740993,
                                           INT64_MAX,
                                           INT64_MIN};
    static const double float_edges[] = {0.0,      -0.0,      0.5,     -0.5,       1.0,    127.5,
                                         255.5,    65504,     0x1p24,  0x1p24 + 2, 0x1p31, 0x1p32,
                                         0x1p53,   0x1p63,    -0x1p63, 0x1p64,     1e300,  -1e300,
                                         INFINITY, -INFINITY, NAN,     0.1,        3.5};
    size_t width = og_type_width(id);
    bool is_unsigned =
        id == OG_TYPE_U8 || id == OG_TYPE_U16 || id == OG_TYPE_U32 || id == OG_TYPE_U64;
    og_builder_null(b);
    if (id == OG_TYPE_F16 || id == OG_TYPE_F32 || id == OG_TYPE_F64) {
        for (size_t i = 0; i < sizeof float_edges / sizeof *float_edges; i++)
            og_builder_f64(b, float_edges[i]);
        assert_ok(og_builder_finish(b, &a, err));
        return a;
    }
    for (size_t i = 0; i < sizeof signed_edges / sizeof *signed_edges; i++) {
        int64_t v = signed_edges[i];
        if (is_unsigned && v >= 0 && (width == 8 || v >> (8 * width) == 0))
            og_builder_u64(b, (uint64_t)v);
        if (!is_unsigned && (width == 8 || v >> (8 * width - 1) == v >> 63))
            og_builder_i64(b, v);
    }
    if (id == OG_TYPE_U64) {
        og_builder_u64(b, UINT64_MAX);
        og_builder_u64(b, (UINT64_C(1) << 63) + 1);
    }
    assert_ok(og_builder_finish(b, &a, err));
    return a;
}

/* A long double of 64 bits holds every number above exactly: an oracle of another kind. */
static long double exact(const og_datum *s)
{
    switch (s->type) {
    case OG_TYPE_F16:
    case OG_TYPE_F32:
    case OG_TYPE_F64:
        return s->f64;
    case OG_TYPE_U8:
    case OG_TYPE_U16:
    case OG_TYPE_U32:
    case OG_TYPE_U64:
        return s->u64;
    default:
        return s->i64;
    }
}

static int oracle(const og_datum *a, const og_datum *b)
{
    long double x = exact(a), y = exact(b);
    if (x != x || y != y)
        return (x != x) - (y != y);
    return (x > y) - (x < y);
}

static void check_row(const og_mask *mask, int64_t row, bool known, bool truth)
{
    assert_int_equal(og_mask_known(mask, row), known);
    assert_int_equal(og_mask_true(mask, row), known && truth);
}

static void check_scalar(const og_array *column, const og_datum *value)
{
    OG_AUTO_MASK mask = {0};
    for (size_t o = 0; o < 6; o++) {
        assert_ok(og_compare_datum(column, ops[o], value, &mask, err));
        for (int64_t i = 0; i < column->length; i++) {
            og_datum s = og_datum_of_row(column, i);
            bool known = !s.is_null && !value->is_null;
            check_row(&mask, i, known, known && holds(oracle(&s, value), ops[o]));
        }
    }
}

TEST(test_compare__numbers_with_values_of_any_type)
{
    for (size_t t = 0; t < NUMBER_TYPES; t++) {
        OG_AUTO(og_array) column = edge_column(number_types[t]);
        for (size_t u = 0; u < NUMBER_TYPES; u++) {
            OG_AUTO(og_array) values = edge_column(number_types[u]);
            for (int64_t i = 0; i < values->length; i++) {
                og_datum value = og_datum_of_row(values, i);
                check_scalar(column, &value);
            }
        }
    }
}

/* Rows of `a` beside every row of `b`, as two columns of equal length. */
static void cross(const og_array *a, const og_array *b, og_array **out_a, og_array **out_b)
{
    int64_t rows_a[2048], rows_b[2048], n = 0;
    for (int64_t i = 0; i < a->length; i++) {
        for (int64_t j = 0; j < b->length; j++) {
            rows_a[n] = i;
            rows_b[n++] = j;
        }
    }
    assert_ok(og_take_rows(a, rows_a, n, out_a, err));
    assert_ok(og_take_rows(b, rows_b, n, out_b, err));
}

TEST(test_compare__number_columns_of_any_two_types)
{
    for (size_t t = 0; t < NUMBER_TYPES; t++) {
        for (size_t u = 0; u < NUMBER_TYPES; u++) {
            OG_AUTO(og_array) a = edge_column(number_types[t]);
            OG_AUTO(og_array) b = edge_column(number_types[u]);
            OG_AUTO(og_array) left = NULL;
            OG_AUTO(og_array) right = NULL;
            OG_AUTO_MASK mask = {0};
            cross(a, b, &left, &right);
            for (size_t o = 0; o < 6; o++) {
                assert_ok(og_compare_columns(left, ops[o], right, &mask, err));
                for (int64_t i = 0; i < left->length; i++) {
                    og_datum x = og_datum_of_row(left, i), y = og_datum_of_row(right, i);
                    bool known = !x.is_null && !y.is_null;
                    check_row(&mask, i, known, known && holds(oracle(&x, &y), ops[o]));
                }
            }
        }
    }
}

/* ---- other types -------------------------------------------------------------------------- */

TEST(test_compare__columns_agree_with_the_order_of_rows)
{
    static const int64_t lengths[] = {0, 1, 63, 64, 65, 129};
    for (size_t t = 0; t < SAMPLE_TYPES; t++) {
        if (sample_type(t)->id == OG_TYPE_F16 || sample_type(t)->id == OG_TYPE_F32 ||
            sample_type(t)->id == OG_TYPE_F64)
            continue; /* -0.0 equals 0.0 in a filter, not in an order */
        for (size_t l = 0; l < 6; l++) {
            uint64_t seed = t;
            OG_AUTO(og_array) a = sample_array(sample_type(t), lengths[l], 20, &seed);
            OG_AUTO(og_array) b = sample_array(sample_type(t), lengths[l], 10, &seed);
            OG_AUTO_MASK mask = {0};
            for (size_t o = 0; o < 6; o++) {
                assert_ok(og_compare_columns(a, ops[o], b, &mask, err));
                for (int64_t i = 0; i < lengths[l]; i++) {
                    bool known = !og_array_is_null(a, i) && !og_array_is_null(b, i);
                    check_row(&mask, i, known, holds(og_compare_rows(a, i, b, i), ops[o]));
                }
                if (t > OG_TYPE_LARGE_BINARY || lengths[l] == 0)
                    continue;
                og_datum value = og_datum_of_row(b, 0);
                assert_ok(og_compare_datum(a, ops[o], &value, &mask, err));
                for (int64_t i = 0; i < lengths[l]; i++) {
                    bool known = !og_array_is_null(a, i) && !value.is_null;
                    check_row(&mask, i, known, holds(og_compare_rows(a, i, b, 0), ops[o]));
                }
            }
        }
    }
}

static og_array *integers(og_type_id id, const int64_t *values, size_t count)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(id));
    og_array *a = NULL;
    for (size_t i = 0; i < count; i++)
        og_builder_i64(b, values[i]);
    assert_ok(og_builder_finish(b, &a, err));
    return a;
}

TEST(test_compare__dates_of_all_units)
{
    const int64_t days[] = {0, 1, -1, INT32_MAX}, ms[] = {0, 86400001, -86400000, INT64_MAX},
                  us[] = {0, 86400000000, -1, INT64_MIN};
    OG_AUTO(og_array) a = integers(OG_TYPE_DATE32, days, 4);
    OG_AUTO(og_array) b = integers(OG_TYPE_DATE64, ms, 4);
    OG_AUTO(og_array) c = integers(OG_TYPE_TIMESTAMP_US, us, 4);
    OG_AUTO_MASK mask = {0};
    assert_ok(og_compare_columns(a, OG_COMPARE_LT, b, &mask, err));
    assert_int_equal(mask.truth[0], 0xA);
    assert_ok(og_compare_columns(a, OG_COMPARE_EQ, c, &mask, err));
    assert_int_equal(mask.truth[0], 0x3);
    og_datum day = og_datum_of_row(a, 1);
    assert_ok(og_compare_datum(b, OG_COMPARE_GE, &day, &mask, err));
    assert_int_equal(mask.truth[0], 0xA);
    assert_ok(og_compare_datum(a, OG_COMPARE_GE, &day, &mask, err));
    assert_int_equal(mask.truth[0], 0xA);
}

TEST(test_compare__types_that_do_not_compare)
{
    uint64_t seed = 1;
    OG_AUTO(og_array) text = sample_array(og_type_of(OG_TYPE_UTF8), 3, 0, &seed);
    OG_AUTO(og_array) number = sample_array(og_type_of(OG_TYPE_I32), 3, 0, &seed);
    OG_AUTO(og_array) date = sample_array(og_type_of(OG_TYPE_DATE32), 3, 0, &seed);
    OG_AUTO(og_array) list = sample_array(sample_type(20), 3, 0, &seed);
    OG_AUTO_MASK mask = {0};
    og_error error;
    og_datum one = {.type = OG_TYPE_I64, .i64 = 1}, null = {.type = OG_TYPE_NULL, .is_null = true};
    assert_status(og_compare_columns(text, OG_COMPARE_EQ, number, &mask, &error), OG_INVALID);
    assert_string_equal(error.message, "cannot compare utf8 with int32");
    assert_status(og_compare_columns(date, OG_COMPARE_EQ, number, &mask, NULL), OG_INVALID);
    assert_status(og_compare_datum(text, OG_COMPARE_EQ, &one, &mask, NULL), OG_INVALID);
    assert_status(og_compare_datum(list, OG_COMPARE_EQ, &one, &mask, NULL), OG_INVALID);
    assert_status(og_list_contains(number, &one, &mask, NULL), OG_INVALID);
    assert_status(og_list_contains_column(list, text, &mask, NULL), OG_INVALID);
    assert_status(og_text_matches(number, OG_TEXT_STARTS, &one, &mask, NULL), OG_INVALID);
    assert_status(og_text_matches(text, OG_TEXT_STARTS, &one, &mask, NULL), OG_INVALID);
    assert_status(og_text_matches_column(text, OG_TEXT_STARTS, number, &mask, NULL), OG_INVALID);
    assert_ok(og_compare_datum(text, OG_COMPARE_NE, &null, &mask, err));
    assert_int_equal(mask.known[0], 0);
    assert_ok(og_list_contains(list, &null, &mask, err));
    assert_int_equal(mask.known[0], 0);
}

TEST(test_compare__lists_that_contain)
{
    for (size_t t = 20; t <= 24; t++) {
        const og_type *type = sample_type(t);
        if (type->id == OG_TYPE_STRUCT)
            continue;
        const og_type *item = type->children[0].type;
        uint64_t seed = t;
        OG_AUTO(og_array) lists = sample_array(type, 150, 15, &seed);
        OG_AUTO(og_array) values = sample_array(item, 150, 10, &seed);
        OG_AUTO_MASK mask = {0};
        assert_ok(og_list_contains_column(lists, values, &mask, err));
        for (int64_t i = 0; i < 150; i++) {
            bool known = !og_array_is_null(lists, i) && !og_array_is_null(values, i);
            bool found = false;
            int64_t start, end;
            og_array_list(lists, i, &start, &end);
            for (; known && start < end; start++)
                found = found || og_rows_equal(lists->children[0], start, values, i);
            if (item->id != OG_TYPE_F32)
                check_row(&mask, i, known, found);
            if (item->child_count > 0 || !known)
                continue;
            OG_AUTO_MASK one = {0};
            og_datum value = og_datum_of_row(values, i);
            assert_ok(og_list_contains(lists, &value, &one, err));
            assert_int_equal(og_mask_true(&one, i), og_mask_true(&mask, i));
        }
    }
}

TEST(test_compare__text_matches)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_LARGE_UTF8));
    OG_AUTO(og_array) texts = NULL;
    OG_AUTO_MASK mask = {0};
    og_builder_str(b, OG_STR("abcab"));
    og_builder_str(b, OG_STR(""));
    og_builder_null(b);
    og_builder_str(b, OG_STR("ab"));
    og_builder_str(b, OG_STR("xab"));
    assert_ok(og_builder_finish(b, &texts, err));
    og_datum ab = {.type = OG_TYPE_UTF8, .str = OG_STR("ab")}, empty = {.type = OG_TYPE_UTF8};
    empty.str = OG_STR("");
    assert_ok(og_text_matches(texts, OG_TEXT_CONTAINS, &ab, &mask, err));
    assert_int_equal(mask.truth[0], 0x19);
    assert_int_equal(mask.known[0], 0x1B);
    assert_ok(og_text_matches(texts, OG_TEXT_STARTS, &ab, &mask, err));
    assert_int_equal(mask.truth[0], 0x09);
    assert_ok(og_text_matches(texts, OG_TEXT_ENDS, &ab, &mask, err));
    assert_int_equal(mask.truth[0], 0x19);
    assert_ok(og_text_matches(texts, OG_TEXT_CONTAINS, &empty, &mask, err));
    assert_int_equal(mask.truth[0], 0x1B);
    assert_ok(og_text_matches_column(texts, OG_TEXT_STARTS, texts, &mask, err));
    assert_int_equal(mask.truth[0], 0x1B);
}

/* ---- masks -------------------------------------------------------------------------------- */

/* What row i of three_values is: true, false, or -1, unknown. */
static int value_at(int64_t i, int64_t divisor)
{
    int v = (int)(i / divisor % 3);
    return v == 2 ? -1 : v;
}

static void three_values(og_mask *mask, int64_t length, int64_t divisor)
{
    assert_ok(og_mask_resize(mask, length, err));
    for (int64_t i = 0; i < length; i++) {
        uint64_t bit = UINT64_C(1) << (i & 63);
        mask->truth[i >> 6] |= value_at(i, divisor) == 1 ? bit : 0;
        mask->known[i >> 6] |= value_at(i, divisor) != -1 ? bit : 0;
    }
}

TEST(test_mask__kleene_logic)
{
    OG_AUTO_MASK x = {0}, y = {0};
    three_values(&x, 200, 1);
    three_values(&y, 200, 3);
    og_mask_and(&x, &y);
    for (int64_t i = 0; i < 200; i++) {
        int p = value_at(i, 1), q = value_at(i, 3);
        int want = p == 0 || q == 0 ? 0 : p == 1 && q == 1 ? 1 : -1;
        assert_int_equal(og_mask_known(&x, i) ? og_mask_true(&x, i) : -1, want);
    }
}

TEST(test_mask__select_count_and_fill)
{
    static const int64_t lengths[] = {0, 1, 63, 64, 65, 1000, 8191, 8192, 8193};
    OG_AUTO_MASK m = {0};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        int64_t n = lengths[l];
        uint32_t rows[8193];
        three_values(&m, n, 1 + (int64_t)l);
        int64_t count = 0, selected = og_mask_select(&m, rows);
        for (int64_t i = 0; i < n; i++) {
            if (og_mask_true(&m, i))
                assert_int_equal(rows[count++], i);
        }
        assert_int_equal(selected, count);
        assert_int_equal(og_mask_count(&m), count);
        og_mask_fill(&m, true);
        assert_int_equal(og_mask_count(&m), n);
        assert_int_equal(og_mask_select(&m, rows), n);
        og_mask_fill(&m, false);
        assert_int_equal(og_mask_count(&m), 0);
    }
}

TEST(test_compare__survives_failing_allocations)
{
    uint64_t seed = 4;
    OG_AUTO(og_array) lists = sample_array(sample_type(20), 100, 15, &seed);
    og_datum one = {.type = OG_TYPE_F64, .f64 = 1};
    og_status status = OG_NOMEM;
    for (int64_t n = 0; status != OG_OK; n++) {
        OG_AUTO_MASK mask = {0};
        og_alloc_fail_after(n, true);
        status = og_list_contains(lists, &one, &mask, NULL);
        og_alloc_fail_after(-1, false);
        assert_true(status == OG_OK || status == OG_NOMEM);
    }
}
