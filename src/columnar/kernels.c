#include "columnar/kernels.h"

#include "base/map.h"
#include "columnar/float16.h"
#include "columnar/layout_priv.h"

#include <assert.h>

/* ---- order of two rows -------------------------------------------------------------------- */

/* Order of doubles as unsigned integers: negative numbers, -0.0, 0.0, positive numbers, NaN. All
 * NaNs are one value: their sign and payload depend on the machine that made them. */
static uint64_t f64_order(double value)
{
    uint64_t bits;
    if (value != value)
        return UINT64_MAX;
    memcpy(&bits, &value, sizeof bits);
    return (bits >> 63) != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static double float_at(const og_array *a, int64_t row)
{
    switch (a->type->id) {
    case OG_TYPE_F16:
        return og_f16_to_f64(((const uint16_t *)a->data)[row]);
    case OG_TYPE_F32:
        return (double)og_array_f32(a, row);
    default:
        return og_array_f64(a, row);
    }
}

/* Integers, dates and bools as i64 whose order is that of the values; u64 with its top bit
 * flipped. */
static int64_t integer_at(const og_array *a, int64_t row)
{
    switch (a->type->id) {
    case OG_TYPE_BOOL:
        return og_array_bool(a, row);
    case OG_TYPE_I8:
        return ((const int8_t *)a->data)[row];
    case OG_TYPE_U8:
        return ((const uint8_t *)a->data)[row];
    case OG_TYPE_I16:
        return ((const int16_t *)a->data)[row];
    case OG_TYPE_U16:
        return ((const uint16_t *)a->data)[row];
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        return og_array_i32(a, row);
    case OG_TYPE_U32:
        return og_array_u32(a, row);
    case OG_TYPE_U64:
        return (int64_t)(og_array_u64(a, row) ^ UINT64_C(1) << 63);
    default:
        return og_array_i64(a, row);
    }
}

static bool is_float(og_type_id id)
{
    return id == OG_TYPE_F16 || id == OG_TYPE_F32 || id == OG_TYPE_F64;
}

uint64_t og_columnar__order_key(const og_array *a, int64_t row)
{
    if (is_float(a->type->id))
        return f64_order(float_at(a, row));
    return (uint64_t)integer_at(a, row) ^ UINT64_C(1) << 63;
}

static int compare_lists(const og_array *a, int64_t row_a, const og_array *b, int64_t row_b)
{
    int64_t at_a, end_a, at_b, end_b;
    og_array_list(a, row_a, &at_a, &end_a);
    og_array_list(b, row_b, &at_b, &end_b);
    for (; at_a < end_a && at_b < end_b; at_a++, at_b++) {
        int order = og_compare_rows(a->children[0], at_a, b->children[0], at_b);
        if (order != 0)
            return order;
    }
    return (at_a < end_a) - (at_b < end_b);
}

static int compare_structs(const og_array *a, int64_t row_a, const og_array *b, int64_t row_b)
{
    for (uint32_t i = 0; i < a->child_count; i++) {
        int order = og_compare_rows(a->children[i], row_a, b->children[i], row_b);
        if (order != 0)
            return order;
    }
    return 0;
}

int og_compare_rows(const og_array *a, int64_t row_a, const og_array *b, int64_t row_b)
{
    og_type_id id = a->type->id;
    assert(id == b->type->id);
    bool null_a = og_array_is_null(a, row_a), null_b = og_array_is_null(b, row_b);
    if (null_a || null_b)
        return (int)null_b - (int)null_a;
    if (og_columnar__is_text(id))
        return og_str_cmp(og_array_str(a, row_a), og_array_str(b, row_b));
    if (id == OG_TYPE_STRUCT)
        return compare_structs(a, row_a, b, row_b);
    if (og_columnar__is_nested(id))
        return compare_lists(a, row_a, b, row_b);
    uint64_t x = og_columnar__order_key(a, row_a), y = og_columnar__order_key(b, row_b);
    return (x > y) - (x < y);
}

bool og_rows_equal(const og_array *a, int64_t row_a, const og_array *b, int64_t row_b)
{
    return og_compare_rows(a, row_a, b, row_b) == 0;
}

/* ---- hash --------------------------------------------------------------------------------- */

#define NULL_HASH UINT64_C(0x2545F4914F6CDD1D)

/* A bijection that mixes all bits (the finisher of splitmix64), so equal hashes of one-word values
 * under one seed mean equal values. */
static inline uint64_t mix(uint64_t seed, uint64_t value)
{
    uint64_t z = (seed * UINT64_C(0x9E3779B97F4A7C15)) ^ value;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t hash_nested(const og_array *a, int64_t row, uint64_t seed)
{
    if (a->type->id == OG_TYPE_STRUCT) {
        for (uint32_t i = 0; i < a->child_count; i++)
            seed = og_hash_row(a->children[i], row, seed);
        return mix(seed, a->child_count);
    }
    int64_t start, end;
    og_array_list(a, row, &start, &end);
    for (int64_t i = start; i < end; i++)
        seed = og_hash_row(a->children[0], i, seed);
    /* The length too, or [[a], [b]] and [[a, b], []] would be equal. */
    return mix(seed, (uint64_t)(end - start));
}

uint64_t og_hash_row(const og_array *array, int64_t row, uint64_t seed)
{
    og_type_id id = array->type->id;
    if (og_array_is_null(array, row))
        return mix(seed, NULL_HASH);
    if (og_columnar__is_text(id)) {
        og_str s = og_array_str(array, row);
        return mix(seed, og_hash64(s.ptr, s.len));
    }
    if (og_columnar__is_nested(id))
        return hash_nested(array, row, seed);
    return mix(seed, og_columnar__order_key(array, row));
}

/* The common widths as loops of their own; the keys are those of og_columnar__order_key. */
static bool hash_integers(const og_array *a, uint64_t *hashes)
{
    const uint64_t sign = UINT64_C(1) << 63;
    int64_t n = a->length;
    switch (a->type->id) {
    case OG_TYPE_I32:
    case OG_TYPE_DATE32: {
        const int32_t *v = a->data;
        for (int64_t i = 0; i < n; i++)
            hashes[i] = mix(hashes[i], (uint64_t)(int64_t)v[i] ^ sign);
        return true;
    }
    case OG_TYPE_I64:
    case OG_TYPE_DATE64:
    case OG_TYPE_TIMESTAMP_US: {
        const int64_t *v = a->data;
        for (int64_t i = 0; i < n; i++)
            hashes[i] = mix(hashes[i], (uint64_t)v[i] ^ sign);
        return true;
    }
    case OG_TYPE_U32: {
        const uint32_t *v = a->data;
        for (int64_t i = 0; i < n; i++)
            hashes[i] = mix(hashes[i], (uint64_t)v[i] ^ sign);
        return true;
    }
    case OG_TYPE_U64: {
        /* Order keys of u64 are the values: the two flips of the top bit cancel. */
        const uint64_t *v = a->data;
        for (int64_t i = 0; i < n; i++)
            hashes[i] = mix(hashes[i], v[i]);
        return true;
    }
    default:
        return false;
    }
}

void og_hash_column(const og_array *array, uint64_t *hashes)
{
    if (array->validity == NULL && hash_integers(array, hashes))
        return;
    for (int64_t i = 0; i < array->length; i++)
        hashes[i] = og_hash_row(array, i, hashes[i]);
}
