#include "columnar/compare.h"

#include "columnar/compare_priv.h"
#include "columnar/float16.h"
#include "columnar/kernels.h"
#include "columnar/layout_priv.h"
#include "columnar/mask_priv.h"

#include <assert.h>
#include <math.h>

__extension__ typedef __int128 int128;

/* ---- classes ------------------------------------------------------------------------------ */

og_columnar__class og_columnar__class_of(og_type_id id)
{
    switch (id) {
    case OG_TYPE_NULL:
        return OG_CLASS_NULL;
    case OG_TYPE_BOOL:
        return OG_CLASS_BOOL;
    case OG_TYPE_DATE32:
    case OG_TYPE_DATE64:
    case OG_TYPE_TIMESTAMP_US:
        return OG_CLASS_DATE;
    default:
        if (og_columnar__is_text(id))
            return OG_CLASS_TEXT;
        return og_columnar__is_nested(id) ? OG_CLASS_NESTED : OG_CLASS_NUMBER;
    }
}

/* OG_INVALID unless values of both types compare. */
static og_status check_comparable(const og_type *a, const og_type *b, og_error *err)
{
    og_columnar__class class_a = og_columnar__class_of(a->id);
    og_columnar__class class_b = og_columnar__class_of(b->id);
    if (class_a == OG_CLASS_NULL || class_b == OG_CLASS_NULL)
        return OG_OK;
    if (class_a == class_b && (class_a != OG_CLASS_NESTED || og_type_eq(a, b)))
        return OG_OK;
    char name_a[128], name_b[128];
    og_type_name(a, name_a, sizeof name_a);
    og_type_name(b, name_b, sizeof name_b);
    return og_error_set(err, OG_INVALID, "cannot compare %s with %s", name_a, name_b);
}

static og_columnar__relation relation_of(og_compare_op op, bool *out_negate)
{
    *out_negate = op == OG_COMPARE_NE || op == OG_COMPARE_GT || op == OG_COMPARE_GE;
    switch (op) {
    case OG_COMPARE_EQ:
    case OG_COMPARE_NE:
        return OG_REL_EQ;
    case OG_COMPARE_LT:
    case OG_COMPARE_GE:
        return OG_REL_LT;
    default:
        return OG_REL_LE;
    }
}

static bool holds(int order, og_columnar__relation relation)
{
    return relation == OG_REL_EQ ? order == 0 : relation == OG_REL_LT ? order < 0 : order <= 0;
}

/* ---- values ------------------------------------------------------------------------------- */

og_datum og_datum_of_row(const og_array *array, int64_t row)
{
    og_type_id id = array->type->id;
    assert(!og_columnar__is_nested(id));
    og_datum s = {.type = id, .is_null = og_array_is_null(array, row)};
    if (s.is_null)
        return s;
    switch (id) {
    case OG_TYPE_BOOL:
        s.boolean = og_array_bool(array, row);
        break;
    case OG_TYPE_I8:
        s.i64 = ((const int8_t *)array->data)[row];
        break;
    case OG_TYPE_U8:
        s.u64 = ((const uint8_t *)array->data)[row];
        break;
    case OG_TYPE_I16:
        s.i64 = ((const int16_t *)array->data)[row];
        break;
    case OG_TYPE_U16:
        s.u64 = ((const uint16_t *)array->data)[row];
        break;
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        s.i64 = og_array_i32(array, row);
        break;
    case OG_TYPE_U32:
        s.u64 = og_array_u32(array, row);
        break;
    case OG_TYPE_U64:
        s.u64 = og_array_u64(array, row);
        break;
    case OG_TYPE_F16:
        s.f64 = og_f16_to_f64(((const uint16_t *)array->data)[row]);
        break;
    case OG_TYPE_F32:
        s.f64 = (double)og_array_f32(array, row);
        break;
    case OG_TYPE_F64:
        s.f64 = og_array_f64(array, row);
        break;
    case OG_TYPE_UTF8:
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_LARGE_BINARY:
        s.str = og_array_str(array, row);
        break;
    default:
        s.i64 = og_array_i64(array, row);
        break;
    }
    return s;
}

static bool is_float(og_type_id id)
{
    return id == OG_TYPE_F16 || id == OG_TYPE_F32 || id == OG_TYPE_F64;
}

static int128 integer_of(const og_datum *s)
{
    switch (s->type) {
    case OG_TYPE_U8:
    case OG_TYPE_U16:
    case OG_TYPE_U32:
    case OG_TYPE_U64:
        return (int128)s->u64;
    default:
        return (int128)s->i64;
    }
}

static int compare_floats(double a, double b)
{
    bool nan_a = a != a, nan_b = b != b;
    if (nan_a || nan_b)
        return (int)nan_a - (int)nan_b;
    return (a > b) - (a < b);
}

/* Exact: the float is cut to an integer, never the integer rounded to a float. */
static int compare_integer_float(int128 integer, double value)
{
    if (!(value < 0x1p65))
        return -1; /* NaN is above all */
    if (value < -0x1p65)
        return 1;
    double floor_value = floor(value);
    int128 whole = (int128)floor_value;
    if (integer != whole)
        return integer > whole ? 1 : -1;
    return value > floor_value ? -1 : 0;
}

static int compare_numbers(const og_datum *a, const og_datum *b)
{
    if (is_float(a->type))
        return is_float(b->type) ? compare_floats(a->f64, b->f64)
                                 : -compare_integer_float(integer_of(b), a->f64);
    if (is_float(b->type))
        return compare_integer_float(integer_of(a), b->f64);
    int128 x = integer_of(a), y = integer_of(b);
    return (x > y) - (x < y);
}

static int128 microseconds(const og_datum *s)
{
    int64_t unit = s->type == OG_TYPE_DATE32   ? INT64_C(86400000000)
                   : s->type == OG_TYPE_DATE64 ? 1000
                                               : 1;
    return (int128)s->i64 * unit;
}

int og_compare_data(const og_datum *a, const og_datum *b)
{
    switch (og_columnar__class_of(a->type)) {
    case OG_CLASS_BOOL:
        return (int)a->boolean - (int)b->boolean;
    case OG_CLASS_NUMBER:
        return compare_numbers(a, b);
    case OG_CLASS_DATE: {
        int128 x = microseconds(a), y = microseconds(b);
        return (x > y) - (x < y);
    }
    case OG_CLASS_TEXT:
        return og_str_cmp(a->str, b->str);
    default:
        assert(!"values of this type are not scalars");
        return 0;
    }
}

/* ---- bits of a relation ------------------------------------------------------------------- */

/* Relation of two words of bools: false is below true. */
static uint64_t relate_words(uint64_t a, uint64_t b, og_columnar__relation relation)
{
    return relation == OG_REL_EQ ? ~(a ^ b) : relation == OG_REL_LT ? ~a & b : ~a | b;
}

static void relate_bools_scalar(const og_array *column, og_columnar__relation relation, bool value,
                                uint64_t *bits)
{
    og_columnar__load_bits(bits, column->data, column->length);
    for (int64_t i = 0; i < (column->length + 63) / 64; i++)
        bits[i] = relate_words(bits[i], value ? UINT64_MAX : 0, relation);
}

/* `scratch` has room for the words of one side. */
static void relate_bools(const og_array *left, og_columnar__relation relation,
                         const og_array *right, uint64_t *bits, uint64_t *scratch)
{
    og_columnar__load_bits(bits, left->data, left->length);
    og_columnar__load_bits(scratch, right->data, right->length);
    for (int64_t i = 0; i < (left->length + 63) / 64; i++)
        bits[i] = relate_words(bits[i], scratch[i], relation);
}

/* Also rows that are null have offsets, so they need no look at validity. */
static void relate_texts_scalar(const og_array *column, og_columnar__relation relation,
                                og_str value, uint64_t *bits)
{
    if (relation == OG_REL_EQ)
        OG_COLUMNAR__EACH_BIT(bits, column->length, og_str_eq(og_array_str(column, i), value));
    else
        OG_COLUMNAR__EACH_BIT(bits, column->length,
                              holds(og_str_cmp(og_array_str(column, i), value), relation));
}

static void relate_texts(const og_array *left, og_columnar__relation relation,
                         const og_array *right, uint64_t *bits)
{
    if (relation == OG_REL_EQ)
        OG_COLUMNAR__EACH_BIT(bits, left->length,
                              og_str_eq(og_array_str(left, i), og_array_str(right, i)));
    else
        OG_COLUMNAR__EACH_BIT(
            bits, left->length,
            holds(og_str_cmp(og_array_str(left, i), og_array_str(right, i)), relation));
}

static bool relate_row_scalar(const og_array *column, int64_t row, og_columnar__relation relation,
                              const og_datum *value)
{
    og_datum s = og_datum_of_row(column, row);
    return !s.is_null && holds(og_compare_data(&s, value), relation);
}

static bool relate_rows(const og_array *left, int64_t left_row, og_columnar__relation relation,
                        const og_array *right, int64_t right_row)
{
    if (og_columnar__is_nested(left->type->id))
        return holds(og_compare_rows(left, left_row, right, right_row), relation);
    og_datum a = og_datum_of_row(left, left_row), b = og_datum_of_row(right, right_row);
    return !a.is_null && !b.is_null && holds(og_compare_data(&a, &b), relation);
}

static void relate_scalar(const og_array *column, og_columnar__relation relation,
                          const og_datum *value, uint64_t *bits)
{
    switch (og_columnar__class_of(column->type->id)) {
    case OG_CLASS_BOOL:
        relate_bools_scalar(column, relation, value->boolean, bits);
        return;
    case OG_CLASS_TEXT:
        relate_texts_scalar(column, relation, value->str, bits);
        return;
    default:
        if (!og_columnar__number_scalar(column, relation, value, bits))
            OG_COLUMNAR__EACH_BIT(bits, column->length,
                                  relate_row_scalar(column, i, relation, value));
        return;
    }
}

static void relate_columns(const og_array *left, og_columnar__relation relation,
                           const og_array *right, uint64_t *bits, uint64_t *scratch)
{
    switch (og_columnar__class_of(left->type->id)) {
    case OG_CLASS_BOOL:
        relate_bools(left, relation, right, bits, scratch);
        return;
    case OG_CLASS_TEXT:
        relate_texts(left, relation, right, bits);
        return;
    default:
        if (!og_columnar__number_columns(left, relation, right, bits))
            OG_COLUMNAR__EACH_BIT(bits, left->length, relate_rows(left, i, relation, right, i));
        return;
    }
}

/* truth = bits of the relation, negated or not, where known. */
static void finish(og_mask *mask, bool negate)
{
    uint64_t flip = negate ? UINT64_MAX : 0;
    size_t words = og_mask_words(mask);
    for (size_t i = 0; i < words; i++)
        mask->truth[i] = (mask->truth[i] ^ flip) & mask->known[i];
}

og_status og_compare_datum(const og_array *column, og_compare_op op, const og_datum *value,
                           og_mask *out, og_error *err)
{
    if (value->type != OG_TYPE_NULL)
        OG_TRY(check_comparable(column->type, og_type_of(value->type), err));
    OG_TRY(og_mask_resize(out, column->length, err));
    if (value->is_null || value->type == OG_TYPE_NULL || column->type->id == OG_TYPE_NULL)
        return OG_OK;
    bool negate;
    og_columnar__relation relation = relation_of(op, &negate);
    relate_scalar(column, relation, value, out->truth);
    og_columnar__load_bits(out->known, column->validity, column->length);
    finish(out, negate);
    return OG_OK;
}

og_status og_compare_columns(const og_array *left, og_compare_op op, const og_array *right,
                             og_mask *out, og_error *err)
{
    assert(left->length == right->length);
    OG_TRY(check_comparable(left->type, right->type, err));
    OG_TRY(og_mask_resize(out, left->length, err));
    if (left->type->id == OG_TYPE_NULL || right->type->id == OG_TYPE_NULL)
        return OG_OK;
    bool negate;
    og_columnar__relation relation = relation_of(op, &negate);
    relate_columns(left, relation, right, out->truth, out->known);
    og_columnar__load_bits(out->known, left->validity, left->length);
    og_columnar__and_bits(out->known, right->validity, right->length);
    finish(out, negate);
    return OG_OK;
}

/* ---- lists -------------------------------------------------------------------------------- */

static bool is_any_list(og_type_id id)
{
    return id == OG_TYPE_FIXED_SIZE_LIST || og_columnar__is_list(id);
}

static og_status check_list(const og_type *type, og_error *err)
{
    if (is_any_list(type->id) || type->id == OG_TYPE_NULL)
        return OG_OK;
    char name[128];
    og_type_name(type, name, sizeof name);
    return og_error_set(err, OG_INVALID, "%s is not a list", name);
}

static bool any_true(const og_mask *items, int64_t start, int64_t end)
{
    while (start < end) {
        uint64_t word = items->truth[start >> 6] >> (start & 63);
        int64_t here = 64 - (start & 63);
        if (here > end - start)
            word &= (UINT64_C(1) << (end - start)) - 1;
        if (word != 0)
            return true;
        start += here;
    }
    return false;
}

static bool list_has_true(const og_array *lists, int64_t row, const og_mask *items)
{
    int64_t start, end;
    og_array_list(lists, row, &start, &end);
    return any_true(items, start, end);
}

og_status og_list_contains(const og_array *lists, const og_datum *value, og_mask *out,
                           og_error *err)
{
    OG_TRY(check_list(lists->type, err));
    bool unknown = lists->type->id == OG_TYPE_NULL || value->is_null || value->type == OG_TYPE_NULL;
    OG_AUTO_MASK items = {0};
    if (!unknown)
        OG_TRY(og_compare_datum(lists->children[0], OG_COMPARE_EQ, value, &items, err));
    OG_TRY(og_mask_resize(out, lists->length, err));
    if (unknown)
        return OG_OK;
    og_columnar__load_bits(out->known, lists->validity, lists->length);
    OG_COLUMNAR__EACH_BIT(out->truth, lists->length, list_has_true(lists, i, &items));
    finish(out, false);
    return OG_OK;
}

static bool list_has_value(const og_array *lists, int64_t row, const og_array *values)
{
    if (og_array_is_null(lists, row) || og_array_is_null(values, row))
        return false;
    const og_array *items = lists->children[0];
    int64_t start, end;
    og_array_list(lists, row, &start, &end);
    for (; start < end; start++) {
        if (!og_array_is_null(items, start) && relate_rows(items, start, OG_REL_EQ, values, row))
            return true;
    }
    return false;
}

og_status og_list_contains_column(const og_array *lists, const og_array *values, og_mask *out,
                                  og_error *err)
{
    assert(lists->length == values->length);
    OG_TRY(check_list(lists->type, err));
    bool unknown = lists->type->id == OG_TYPE_NULL || values->type->id == OG_TYPE_NULL;
    if (!unknown)
        OG_TRY(check_comparable(lists->children[0]->type, values->type, err));
    OG_TRY(og_mask_resize(out, lists->length, err));
    if (unknown)
        return OG_OK;
    og_columnar__load_bits(out->known, lists->validity, lists->length);
    og_columnar__and_bits(out->known, values->validity, lists->length);
    OG_COLUMNAR__EACH_BIT(out->truth, lists->length, list_has_value(lists, i, values));
    finish(out, false);
    return OG_OK;
}

/* ---- text and null ------------------------------------------------------------------------ */

static bool text_matches(og_str text, og_text_match match, og_str needle)
{
    switch (match) {
    case OG_TEXT_STARTS:
        return og_str_starts(text, needle);
    case OG_TEXT_ENDS:
        return og_str_ends(text, needle);
    default:
        return og_str_find(text, needle) != SIZE_MAX;
    }
}

static og_status check_text(const og_type *type, og_error *err)
{
    if (og_columnar__is_text(type->id) || type->id == OG_TYPE_NULL)
        return OG_OK;
    char name[128];
    og_type_name(type, name, sizeof name);
    return og_error_set(err, OG_INVALID, "%s is not text", name);
}

og_status og_text_matches(const og_array *texts, og_text_match match, const og_datum *needle,
                          og_mask *out, og_error *err)
{
    OG_TRY(check_text(texts->type, err));
    bool unknown = texts->type->id == OG_TYPE_NULL || needle->type == OG_TYPE_NULL;
    if (needle->type != OG_TYPE_NULL && !og_columnar__is_text(needle->type))
        return og_error_set(err, OG_INVALID, "only text is searched for in text");
    OG_TRY(og_mask_resize(out, texts->length, err));
    if (unknown || needle->is_null)
        return OG_OK;
    og_columnar__load_bits(out->known, texts->validity, texts->length);
    OG_COLUMNAR__EACH_BIT(out->truth, texts->length,
                          text_matches(og_array_str(texts, i), match, needle->str));
    finish(out, false);
    return OG_OK;
}

og_status og_text_matches_column(const og_array *texts, og_text_match match,
                                 const og_array *needles, og_mask *out, og_error *err)
{
    assert(texts->length == needles->length);
    OG_TRY(check_text(texts->type, err));
    OG_TRY(check_text(needles->type, err));
    OG_TRY(og_mask_resize(out, texts->length, err));
    if (texts->type->id == OG_TYPE_NULL || needles->type->id == OG_TYPE_NULL)
        return OG_OK;
    og_columnar__load_bits(out->known, texts->validity, texts->length);
    og_columnar__and_bits(out->known, needles->validity, texts->length);
    OG_COLUMNAR__EACH_BIT(out->truth, texts->length,
                          text_matches(og_array_str(texts, i), match, og_array_str(needles, i)));
    finish(out, false);
    return OG_OK;
}
